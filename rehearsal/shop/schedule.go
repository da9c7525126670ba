package shop

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
)

// Scheduled implements capacity.Fleets.
func (c *Fleets) Scheduled(group string) []capacity.Scheduled {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if f := c.w.find(group); f != nil {
		return slices.Clone(f.scheduled)
	}
	return nil
}

// Schedule implements capacity.Fleets.
func (c *Fleets) Schedule(group string, by capacity.Caller, s capacity.Scheduled) error {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	f, err := c.w.open(group)
	if err != nil {
		return err
	}
	if s.Created.IsZero() {
		s.Created = c.w.at
	}
	was := ""
	if i := f.planned(s.Name); i >= 0 {
		was, s.Created = plan(&f.scheduled[i]), f.scheduled[i].Created
		f.scheduled[i] = s
	} else {
		f.scheduled = append(f.scheduled, s)
		slices.SortFunc(f.scheduled, func(a, b capacity.Scheduled) int { return strings.Compare(a.Name, b.Name) })
	}
	c.w.log(Entry{At: c.w.at, Sale: f.g.Sale, By: by.Service, Who: by.Who, What: f.g.Name + ".scheduled." + s.Name, From: was, To: plan(&s)})
	return nil
}

// planned returns the place of a planned change, or -1.
func (f *fleet) planned(name string) int {
	return slices.IndexFunc(f.scheduled, func(s capacity.Scheduled) bool { return s.Name == name })
}

// plan is a planned change in words.
func plan(s *capacity.Scheduled) string {
	text := s.Next.Format("2006-01-02T15:04:05Z")
	for _, p := range []struct {
		name string
		v    *int
	}{{"min", s.Min}, {"max", s.Max}, {"desired", s.Desired}} {
		if p.v != nil {
			text += fmt.Sprintf(" %s %d", p.name, *p.v)
		}
	}
	return text
}

// Unschedule implements capacity.Fleets.
func (c *Fleets) Unschedule(group string, by capacity.Caller, name string) (bool, error) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	f, err := c.w.open(group)
	if err != nil {
		return false, err
	}
	i := f.planned(name)
	if i < 0 {
		return false, nil
	}
	c.w.log(Entry{At: c.w.at, Sale: f.g.Sale, By: by.Service, Who: by.Who, What: f.g.Name + ".scheduled." + name, From: plan(&f.scheduled[i]), To: ""})
	f.scheduled = slices.Delete(f.scheduled, i, i+1)
	return true, nil
}

// doScheduled carries out what is due by the wall clock. A change that can't be done leaves a failed
// activity; one that is not to be done again is taken away.
func (w *World) doScheduled() {
	for _, f := range w.fleets {
		kept := f.scheduled[:0]
		for _, s := range f.scheduled {
			if s.Next.After(w.at) {
				kept = append(kept, s)
				continue
			}
			if !f.g.IsSuspended("ScheduledActions") && !f.g.Hold.Scheduled {
				w.carryOut(f, &s)
			}
			if s.Again() {
				kept = append(kept, s)
			}
		}
		f.scheduled = kept
	}
}

func (w *World) carryOut(f *fleet, s *capacity.Scheduled) {
	g := f.snapshot()
	cause := func(desired int) string {
		return fmt.Sprintf("At %s the scheduled action %s executed. Setting desired capacity from %d to %d.", stamp(w.at), s.Name, f.g.Desired, desired)
	}
	if err := g.Resize(s.Min, s.Max, s.Desired); err != nil {
		f.keep(&capacity.Activity{
			ID: f.uuid(), Description: "Executing scheduled action " + s.Name, Cause: cause(f.g.Desired), Start: w.at, End: w.at,
			Status: "Failed", Progress: 100, Message: err.Error(),
		})
		return
	}
	w.apply(f, &g, capacity.Caller{Service: "scheduled action", Who: s.Name}, cause(g.Desired))
}
