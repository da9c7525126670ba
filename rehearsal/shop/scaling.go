package shop

import (
	"fmt"
	"math"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
)

// finish ends an activity that went well; nil is none.
func finish(a *capacity.Activity, at time.Time) {
	if a != nil && a.End.IsZero() {
		a.Status, a.Progress, a.End = "Successful", 100, at
	}
}

// scale is the fleet's own scaler. After a minute above 85 % it asks for a fifth more, unless it
// still waits for what it asked for before. After a long time below 60 % it gives back what is not
// needed at 70 %: a fifth at most, or all at once where pods are scaled. It never leaves the bounds.
func (f *fleet) scale(at time.Time, log func(Entry)) {
	f.heal(at, log)
	if f.g.Scaler == capacity.None || f.g.Desired == 0 && f.g.Kind == capacity.Pods {
		return
	}
	f.keepHPA(at, log)
	f.watch()
	switch {
	case f.busy >= busyFor:
		f.scaleOut(at, log)
	case f.idle >= f.idleFor():
		f.scaleIn(at, log)
	}
}

// watch counts for how long the load has been above or below what is aimed at.
func (f *fleet) watch() {
	switch {
	case f.g.Utilisation > highWater:
		f.busy, f.idle = f.busy+1, 0
	case f.g.Utilisation < lowWater:
		f.busy, f.idle = 0, f.idle+1
	default:
		f.busy, f.idle = 0, 0
	}
}

func (f *fleet) idleFor() int {
	if f.g.Kind == capacity.Pods {
		return idleForPods
	}
	return idleFor
}

// keepHPA does what a horizontal pod autoscaler and KEDA do at every sync: a size outside of the
// bounds is moved into them, and bounds of an HPA that belong to a ScaledObject are put back.
func (f *fleet) keepHPA(at time.Time, log func(Entry)) {
	if f.g.Kind != capacity.Pods || f.g.Scaler == capacity.KEDA && f.g.Hold.In && f.g.Hold.Out { // paused: there is no HPA
		return
	}
	is := capacity.Bounds{Min: f.g.Min, Max: f.g.Max}
	if f.g.Scaler == capacity.KEDA && f.clock%kedaEvery == 0 && is != f.g.Wanted {
		log(Entry{At: at, Sale: f.g.Sale, By: "keda", What: f.g.Name + ".hpa", From: is, To: f.g.Wanted})
		f.g.Min, f.g.Max = f.g.Wanted.Min, f.g.Wanted.Max
		f.g.Revision++
	}
	if f.clock%syncEvery == 0 {
		f.g.Sampled = f.g.Utilisation
		if to := min(max(f.g.Desired, f.g.Min), f.g.Max); to != f.g.Desired {
			f.resize(at, to, "autoscaling", "", log)
		}
	}
}

// heal puts back what a GitOps controller applies: a size, or the bounds of a ScaledObject.
func (f *fleet) heal(at time.Time, log func(Entry)) {
	size := f.g.Git != nil && f.g.Desired != *f.g.Git
	bounds := f.g.GitBounds != nil && f.g.Wanted != *f.g.GitBounds
	if !size && !bounds {
		f.drifted = 0
		return
	}
	if f.drifted == 0 {
		f.drifted = f.clock
	}
	if f.clock-f.drifted < healAfter {
		return
	}
	if size {
		f.resize(at, *f.g.Git, "argocd", "", log)
	}
	if bounds {
		log(Entry{At: at, Sale: f.g.Sale, By: "argocd", What: f.g.Name + ".scaled_object", From: f.g.Wanted, To: *f.g.GitBounds})
		f.g.Wanted = *f.g.GitBounds
		f.g.Revision++
	}
}

func (f *fleet) scaleOut(at time.Time, log func(Entry)) {
	f.g.Limited = ""
	to := min(f.g.Max, max(f.g.Min, f.g.Desired+max(1, f.g.Desired/5)))
	switch {
	case f.g.IsSuspended("AlarmNotification") || f.g.Hold.Out:
		return
	case to <= f.g.Desired:
		f.g.Limited = "max"
		if f.busy%busyFor == 0 {
			f.notScaled(at, "High", capacity.NotScaled{Code: "AlreadyAtMaxCapacity", Max: f.g.Max, Current: f.g.Desired})
		}
		return
	case f.pending > 0 || f.live() < f.g.Desired:
		return
	}
	f.resize(at, to, "autoscaling", f.alarmed(at, "High", to), log)
	f.busy = 0
}

func (f *fleet) scaleIn(at time.Time, log func(Entry)) {
	f.g.Limited = ""
	needed := int(math.Ceil(float64(f.serving) * f.g.Utilisation / aimedAt))
	if f.g.Kind != capacity.Pods {
		needed = max(needed, f.g.Desired-max(1, f.g.Desired/5))
	}
	to := max(f.g.Min, needed)
	switch {
	case f.g.IsSuspended("AlarmNotification") || f.g.Hold.In || f.g.Kind == capacity.Tasks && f.refreshing > 0:
		return
	case to >= f.g.Desired:
		if needed < f.g.Min {
			f.g.Limited = "min"
			if f.idle%idleFor == 0 {
				f.notScaled(at, "Low", capacity.NotScaled{Code: "AlreadyAtMinCapacity", Min: f.g.Min, Current: f.g.Desired})
			}
		}
		return
	case f.pending > 0:
		return
	}
	f.resize(at, to, "autoscaling", f.alarmed(at, "Low", to), log)
	f.idle = max(0, f.idleFor()-coolFor)
}

// alarmed is the cause that target tracking gives.
func (f *fleet) alarmed(at time.Time, way string, to int) string {
	return fmt.Sprintf("At %s a monitor alarm %s in state ALARM triggered policy %s-utilisation changing the desired capacity from %d to %d.",
		stamp(at), f.alarm(way), f.g.Name, f.g.Desired, to)
}

func (f *fleet) alarm(way string) string {
	resource := f.g.Name
	if f.g.Kind == capacity.Tasks {
		resource = "service/" + ClusterName + "/" + f.g.Name
	}
	return "TargetTracking-" + resource + "-Alarm" + way
}

// resize sets the size that is desired, whoever wants it.
func (f *fleet) resize(at time.Time, to int, by, cause string, log func(Entry)) {
	was := f.g.Desired
	f.g.Desired, f.cause = to, cause
	f.g.Revision++
	f.cooling = f.clock + coolFor
	log(Entry{At: at, Sale: f.g.Sale, By: by, What: f.g.Name + ".desired_capacity", From: was, To: to})
	f.fulfil(at, was, cause)
}

// fulfil writes the one activity that Application Auto Scaling keeps of a new size.
func (f *fleet) fulfil(at time.Time, was int, cause string) {
	if f.g.Kind != capacity.Tasks || f.g.Scaler == capacity.None || was == f.g.Desired {
		return
	}
	f.keep(&capacity.Activity{
		ID: f.uuid(), Description: fmt.Sprintf("Setting desired count to %d.", f.g.Desired), Cause: cause, Start: at, End: at, Status: "Successful", Progress: 100,
		Message: fmt.Sprintf("Successfully set desired count to %d. Change successfully fulfilled by ecs.", f.g.Desired),
	})
}

// notScaled writes down why Application Auto Scaling did nothing.
func (f *fleet) notScaled(at time.Time, way string, why capacity.NotScaled) {
	if f.g.Kind != capacity.Tasks {
		return
	}
	f.keep(&capacity.Activity{
		ID: f.uuid(), Description: "Attempting to scale due to alarm triggered", Start: at, End: at, Status: "Unfulfilled", Progress: 100,
		Cause:     fmt.Sprintf("monitor alarm %s in state ALARM triggered policy %s-utilisation", f.alarm(way), f.g.Name),
		NotScaled: []capacity.NotScaled{why},
	})
}

// beginRefresh replaces every instance or task, one after the other.
func (f *fleet) beginRefresh(at time.Time) {
	f.g.Refresh = &capacity.Refresh{ID: f.uuid(), Status: "InProgress", Left: f.g.Desired, Start: at}
	f.refreshing = f.clock + refreshSteps*f.g.Desired
}

// refresh moves an instance refresh on: one instance after the other.
func (f *fleet) refresh(at time.Time) {
	r := f.g.Refresh
	if r == nil || f.refreshing == 0 || f.g.IsSuspended("InstanceRefresh") {
		return
	}
	if f.clock >= f.refreshing {
		f.refreshing = 0
		f.g.Refresh = &capacity.Refresh{ID: r.ID, Status: "Successful", Percent: 100, Start: r.Start, End: at}
		return
	}
	left := (f.refreshing - f.clock + refreshSteps - 1) / refreshSteps
	f.g.Refresh = &capacity.Refresh{ID: r.ID, Status: r.Status, Left: left, Percent: max(0, 100-100*left/max(1, f.g.Desired)), Start: r.Start}
}
