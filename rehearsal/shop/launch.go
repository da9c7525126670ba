package shop

import (
	"fmt"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
)

// reconcile launches and terminates until the fleet has as many units as are desired.
func (f *fleet) reconcile(at time.Time) {
	switch live := f.live(); {
	case live < f.g.Desired && !f.g.IsSuspended("Launch") && f.clock >= f.retry:
		f.launch(f.g.Desired-live, at)
	case live > f.g.Desired && !f.g.IsSuspended("Terminate"):
		for range live - f.g.Desired {
			u := f.victim()
			f.terminate(u, at, fmt.Sprintf("%s  At %s an instance was taken out of service in response to a difference between desired and actual capacity, shrinking the capacity from %d to %d.  At %s instance %s was selected for termination.",
				f.cause, stamp(at), live, f.g.Desired, stamp(at), u.ID))
		}
	}
}

func (f *fleet) launch(n int, at time.Time) {
	live := f.live()
	why := fmt.Sprintf("%s  At %s an instance was started in response to a difference between desired and actual capacity, increasing the capacity from %d to %d.", f.cause, stamp(at), live, live+n)
	if f.broken && f.g.Kind != capacity.Pods {
		f.retry = f.clock + retryAfter
		f.failLaunch(at, why)
		return
	}
	var started []string
	for i := range n {
		u := f.warmed(at)
		if u == nil {
			u = f.make(live+i, at)
			u.ready = f.clock + f.boot()
			if f.g.Kind == capacity.Pods { // boots once it has a node
				u.ready = f.clock + 1
			}
		}
		if f.g.Kind == capacity.Instances {
			u.activity = f.begin(at, "Launching a new EC2 instance: "+u.ID, why, u)
		}
		started = append(started, u.ID)
		f.units = append(f.units, u)
	}
	switch f.g.Kind {
	case capacity.Tasks:
		f.event(at, capacity.Event{Reason: "Started", Message: f.says(fmt.Sprintf("has started %d tasks: %s.", n, tasksOf(started)))})
	case capacity.Pods:
		f.event(at, capacity.Event{Reason: "ScalingReplicaSet", Message: fmt.Sprintf("Scaled up replica set %s-6d9f7c5b8 from %d to %d", f.g.Name, live, live+n)})
	}
}

// failLaunch tells that the provider has no machines.
func (f *fleet) failLaunch(at time.Time, why string) {
	if f.g.Kind == capacity.Tasks {
		f.event(at, capacity.Event{Reason: "Placement", Warning: true, Message: f.says("was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a different availability zone.")})
		return
	}
	a := f.begin(at, "Launching a new EC2 instance", why, &unit{Unit: capacity.Unit{Zone: zones()[0]}})
	a.Status, a.Progress, a.End = "Failed", 100, at
	a.Message = fmt.Sprintf("InsufficientInstanceCapacity: We currently do not have sufficient %s capacity in the Availability Zone you requested (%s). "+
		"Our system will be working on provisioning additional capacity. You can currently get %s capacity by not specifying an Availability Zone in your request or choosing %s, %s. "+
		"Launching EC2 instance failed.", instanceType, zones()[0], instanceType, zones()[1], zones()[2])
}

// warmed takes a unit out of the warm pool, or returns nil.
func (f *fleet) warmed(at time.Time) *unit {
	for i, u := range f.warm {
		if u.State == capacity.Warm {
			f.warm = append(f.warm[:i], f.warm[i+1:]...)
			u.State, u.ready, u.Launched = capacity.Pending, f.clock+warmBoot+f.rng.IntN(20), at
			return u
		}
	}
	return nil
}

// stockPool keeps as many stopped instances as the group may still grow by.
func (f *fleet) stockPool(at time.Time) {
	if !f.g.HasPool {
		return
	}
	want := max(0, f.g.Max-f.g.Desired)
	for len(f.warm) > want {
		f.warm = f.warm[:len(f.warm)-1]
	}
	for len(f.warm) < want && !f.broken && !f.g.IsSuspended("Launch") {
		u := f.make(len(f.warm), at)
		u.ready = f.clock + f.boot()
		u.activity = f.begin(at, "Launching a new EC2 instance into warm pool: "+u.ID,
			fmt.Sprintf("At %s an instance was started in response to a difference between desired and actual capacity in the warm pool.", stamp(at)), u)
		f.warm = append(f.warm, u)
	}
}

// victim chooses who goes: a pod that does not serve yet, then the oldest of the fullest zone.
func (f *fleet) victim() *unit {
	perZone := map[string]int{}
	for _, u := range f.units {
		if u.State == capacity.Pending && f.g.Kind == capacity.Pods {
			return u
		}
		if u.State != capacity.Terminating {
			perZone[u.Zone]++
		}
	}
	var best *unit
	for _, u := range f.units {
		if u.State != capacity.Terminating && (best == nil || perZone[u.Zone] > perZone[best.Zone]) {
			best = u
		}
	}
	return best
}

// terminate sends a unit on its way out. It drains first when it had traffic.
func (f *fleet) terminate(u *unit, at time.Time, why string) {
	u.gone = f.clock + podGrace
	if u.State == capacity.InService && f.g.Kind != capacity.Pods {
		u.gone = f.clock + draining
	}
	u.State, u.Failing, u.replace = capacity.Terminating, false, 0
	if u.Health != capacity.Unregistered {
		u.Health = capacity.Draining
	}
	switch f.g.Kind {
	case capacity.Instances:
		finish(u.activity, at) // of a launch that had not ended
		u.activity = f.begin(at, "Terminating EC2 instance: "+u.ID, why, u)
	case capacity.Tasks:
		f.event(at, capacity.Event{Reason: "Stopped", Message: f.says(fmt.Sprintf("has stopped 1 running tasks: %s.", tasksOf([]string{u.ID})))})
	case capacity.Pods:
		f.event(at, capacity.Event{Unit: u.ID, Reason: "Killing", Message: "Stopping container web"})
	}
}

// begin writes an activity of one instance.
func (f *fleet) begin(at time.Time, what, why string, u *unit) *capacity.Activity {
	a := &capacity.Activity{
		ID: f.uuid(), Unit: u.ID, Description: what, Cause: why, Start: at, Status: "InProgress", Progress: 30,
		Detail: fmt.Sprintf(`{"Subnet ID":"subnet-0%08x","Availability Zone":%q}`, len(u.Zone)+int(lastOf(u.Zone)), u.Zone),
	}
	f.keep(a)
	return a
}

func lastOf(s string) byte {
	if s == "" {
		return 0
	}
	return s[len(s)-1]
}

func (f *fleet) keep(a *capacity.Activity) {
	if len(f.activities) == keptActivity {
		f.activities = append(f.activities[:0], f.activities[keptActivity/4:]...)
	}
	f.activities = append(f.activities, a)
}

func (f *fleet) uuid() string {
	a, b := f.rng.Uint64(), f.rng.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", uint32(a>>32), uint16(a>>16), a&0xfff, b>>52, b&0xffffffffffff)
}

// event writes a line of the service. The same line about the same unit is counted, not repeated.
func (f *fleet) event(at time.Time, e capacity.Event) {
	if n := len(f.events); n > 0 {
		if last := &f.events[n-1]; last.Unit == e.Unit && last.Message == e.Message && e.Warning {
			last.At, last.Count = at, last.Count+1
			return
		}
	}
	if len(f.events) == keptEvents {
		f.events = append(f.events[:0], f.events[keptEvents/4:]...)
	}
	e.ID, e.At, e.Count = f.uuid(), at, 1
	f.events = append(f.events, e)
}

// says begins an event of an ECS service as ECS does.
func (f *fleet) says(text string) string { return "(service " + f.g.Name + ") " + text }

func tasksOf(ids []string) string {
	out := ""
	for i, id := range ids {
		if i > 0 {
			out += " "
		}
		out += "(task " + id + ")"
	}
	return out
}
