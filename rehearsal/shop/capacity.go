package shop

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
)

// Fleets is the world's machines as they are read and scaled. It implements capacity.Fleets.
type Fleets struct{ w *World }

// Fleets returns the world's machines.
func (w *World) Fleets() *Fleets { return &Fleets{w} }

var _ capacity.Fleets = (*Fleets)(nil)

// Groups implements capacity.Fleets.
func (c *Fleets) Groups() []capacity.Group {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	out := make([]capacity.Group, 0, len(c.w.fleets))
	for _, f := range c.w.fleets {
		out = append(out, f.snapshot())
	}
	return out
}

// find returns the fleet of a name, or nil. The lock is held.
func (w *World) find(group string) *fleet {
	for _, f := range w.fleets {
		if f.g.Name == group {
			return f
		}
	}
	return nil
}

// snapshot is a copy that belongs to the caller.
func (f *fleet) snapshot() capacity.Group {
	g := f.g
	g.Suspended = slices.Clone(g.Suspended)
	for _, u := range f.units {
		g.Units = append(g.Units, u.Unit)
	}
	for _, u := range f.warm {
		g.WarmPool = append(g.WarmPool, u.Unit)
	}
	g.Events = slices.Clone(f.events)
	slices.Reverse(g.Events)
	g.Cooling = f.clock < f.cooling
	if g.Refresh != nil {
		r := *g.Refresh
		g.Refresh = &r
	}
	return g
}

// Activities implements capacity.Fleets.
func (c *Fleets) Activities(group string) []capacity.Activity {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	f := c.w.find(group)
	if f == nil {
		return nil
	}
	var going, over []capacity.Activity
	for _, a := range slices.Backward(f.activities) {
		if a.End.IsZero() {
			going = append(going, *a)
		} else {
			over = append(over, *a)
		}
	}
	return append(going, over...)
}

// Change implements capacity.Fleets.
func (c *Fleets) Change(group string, by capacity.Caller, change func(g *capacity.Group) error) (capacity.Group, error) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	f, err := c.w.open(group)
	if err != nil {
		return capacity.Group{}, err
	}
	g := f.snapshot()
	if err := change(&g); err != nil {
		return capacity.Group{}, err
	}
	cause := fmt.Sprintf("At %s a user request update of AutoScalingGroup constraints to min: %d, max: %d, desired: %d changing the desired capacity from %d to %d.",
		stamp(c.w.at), g.Min, g.Max, g.Desired, f.g.Desired, g.Desired)
	c.w.apply(f, &g, by, cause)
	return f.snapshot(), nil
}

// open finds a fleet that may be changed. The lock is held.
func (w *World) open(group string) (*fleet, error) {
	f := w.find(group)
	switch {
	case f == nil:
		return nil, capacity.ErrNoGroup
	case f.contended > 0:
		f.contended--
		return nil, capacity.ErrContention
	}
	return f, nil
}

// apply takes over what was set, and writes each difference into the ledger.
func (w *World) apply(f *fleet, g *capacity.Group, by capacity.Caller, cause string) {
	was := f.g
	slices.SortFunc(g.Suspended, func(a, b capacity.Process) int { return strings.Compare(a.Name, b.Name) })
	changed := false
	for _, c := range []change{
		{"min_size", was.Min, g.Min},
		{"max_size", was.Max, g.Max},
		{"desired_capacity", was.Desired, g.Desired},
		{"scaler", string(was.Scaler), string(g.Scaler)},
		{"scaled_object", was.Wanted, g.Wanted},
		{"hold", fmt.Sprint(was.Hold), fmt.Sprint(g.Hold)},
		{"suspended", processes(was.Suspended), processes(g.Suspended)},
	} {
		if c.from != c.to {
			changed = true
			w.log(Entry{At: w.at, Sale: was.Sale, By: by.Service, Who: by.Who, What: was.Name + "." + c.what, From: c.from, To: c.to})
		}
	}
	if !changed {
		return
	}
	f.g.Min, f.g.Max, f.g.Desired, f.g.Scaler, f.g.Hold, f.g.Suspended = g.Min, g.Max, g.Desired, g.Scaler, g.Hold, slices.Clone(g.Suspended)
	f.g.Wanted = g.Wanted
	f.g.Revision++
	if was.Desired != g.Desired {
		f.cause, f.cooling, f.retry = cause, f.clock+coolFor, 0
		f.fulfil(w.at, was.Desired, cause)
	}
	f.busy, f.idle = 0, 0
}

func processes(list []capacity.Process) string {
	var names []string
	for _, p := range list {
		names = append(names, p.Name)
	}
	return strings.Join(names, " ")
}

// Trouble is what the platform's own door can do to a group, besides what its users can.
type Trouble struct {
	Launches  string // "ok" or "insufficient": the provider has no machines
	Unhealthy int    // how many units in service begin to fail their health checks
	Contended int    // how many of the next changes are refused because of another one
	Refresh   bool   // an instance refresh, or a deployment of tasks, begins
}

// Trouble makes trouble for a group. It is written into the ledger as done by the control.
func (w *World) Trouble(group string, t Trouble) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.find(group)
	if f == nil {
		return fmt.Errorf("there is no group %q: there are %s", group, strings.Join(w.groupNames(), ", "))
	}
	note := func(what string, from, to any) {
		w.log(Entry{At: w.at, Sale: f.g.Sale, By: "control", What: f.g.Name + "." + what, From: from, To: to})
	}
	switch t.Launches {
	case "":
	case "ok", "insufficient":
		broken := t.Launches == "insufficient"
		note("launches_fail", f.broken, broken)
		f.broken = broken
	default:
		return fmt.Errorf("launches are ok or insufficient, not %q", t.Launches)
	}
	if t.Unhealthy < 0 || t.Contended < 0 {
		return fmt.Errorf("unhealthy and contended count from 0")
	}
	if t.Unhealthy > 0 {
		note("unhealthy", 0, f.sicken(t.Unhealthy))
	}
	if t.Contended > 0 {
		note("contended", f.contended, t.Contended)
		f.contended = t.Contended
	}
	if t.Refresh {
		if f.g.Kind == capacity.Pods {
			return fmt.Errorf("%s is made of pods: only instances and tasks are refreshed", group)
		}
		f.beginRefresh(w.at)
		note("instance_refresh", "", f.g.Refresh.ID)
	}
	return nil
}

// sicken makes up to n serving units fail, and returns how many.
func (f *fleet) sicken(n int) int {
	done := 0
	for _, u := range f.units {
		if done < n && u.State == capacity.InService && !u.Failing {
			u.Failing, u.replace, done = true, f.clock+unhealthyFor, done+1
			if u.Health != capacity.Unregistered {
				u.Health = capacity.Unhealthy
			}
		}
	}
	return done
}

func (w *World) groupNames() []string {
	names := map[string]bool{}
	for _, f := range w.fleets {
		names[f.g.Name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// truth adds the sale's capacity as it stands.
func (f *fleet) truth(v map[string]float64) {
	v["capacity_in_service"], v["capacity_desired"] = float64(f.inService), float64(f.g.Desired)
	v["capacity_min"], v["capacity_max"] = float64(f.g.Min), float64(f.g.Max)
	v["capacity_pending"], v["capacity_serving"] = float64(f.pending), float64(f.serving)
	failing := 0.0
	for _, u := range f.units {
		if u.Failing {
			failing++
		}
	}
	v["capacity_unhealthy"] = failing
	v["capacity_utilisation"] = f.g.Utilisation
	if f.g.Kind == capacity.Pods {
		nowhere := 0.0 // as the signal counts them: those that no node takes
		for _, u := range f.units {
			if u.State == capacity.Pending && u.Node == "" {
				nowhere++
			}
		}
		v["pods_pending"] = nowhere
	}
}
