package shop

import (
	"github.com/onsale-dev/onsale/rehearsal/capacity"
)

// hindrance is what stands in the way of more capacity, as a scenario puts it there.
type hindrance struct {
	group    string
	suspend  capacity.Process // a process of an Auto Scaling group; Name "": none
	most     int              // the maximum that the group has reached; 0: the usual one
	least    int              // a minimum that it can't come up to; 0: the usual one
	launches string           // as Trouble.Launches
	refresh  bool             // an instance refresh goes on
	git      bool             // a GitOps controller puts the ScaledObject's bounds back
}

// hinderedFrom is the story's second at which the hindrances begin: whoever opens the night finds
// them there, with their traces.
const hinderedFrom = -90

// hindered makes every sale's scaling fail in another way.
func hindered() []hindrance {
	return []hindrance{
		{group: "lantern-web", suspend: capacity.Process{Name: "Launch", Reason: "User suspended: change freeze CHG-771"}},
		{group: "marble-web", launches: "insufficient", least: 20},
		{group: "cobalt-web", suspend: capacity.Process{Name: "AddToLoadBalancer", Reason: "User suspended: new launch template"}, refresh: true},
		{group: "kestrel-web", most: 24},
		{group: "saffron-web", least: 34},
		{group: "juniper-web", git: true},
	}
}

// hinder puts the scenario's hindrances in place, once.
func (w *World) hinder() {
	if w.hindering || w.story < hinderedFrom {
		return
	}
	w.hindering = true
	for _, h := range w.scenario.hindered {
		f := w.find(h.group)
		if f == nil {
			continue // the scenario is about another world
		}
		g := f.snapshot()
		if h.suspend.Name != "" {
			g.Suspended = append(g.Suspended, h.suspend)
		}
		if h.most > 0 {
			g.Max = h.most
		}
		if h.least > 0 {
			g.Min, g.Desired = h.least, max(g.Desired, h.least)
		}
		w.apply(f, &g, capacity.Caller{Service: "scenario"}, "At "+stamp(w.at)+" a user request update of AutoScalingGroup constraints.")
		f.broken = f.broken || h.launches == "insufficient"
		if h.refresh {
			f.beginRefresh(w.at)
		}
		if h.git {
			bounds := f.g.Wanted
			f.g.GitBounds = &bounds
		}
	}
}
