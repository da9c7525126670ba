package main

import (
	"context"
	"fmt"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/cmd/onsale/login"
	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
)

// This file tells whoever looks after an incident what was done, after it was done.

// tellPatience is how long the end of the program waits for what is still being told.
const tellPatience = 5 * time.Second

// tellerOf tells with executors of its own: one that hangs holds up no key.
func tellerOf(cfg *config.Config, logins *login.Book, recorder actions.Recorder) actions.Teller {
	made := newExecutors(cfg, logins)
	made.opened = openedIn(recorder)
	return actions.Teller{Journal: recorder, Executor: made.find, Redact: made.redact}
}

// tellLater tells of an action that has ended, beside everything else.
func (d *desk) tellLater(actor actions.Actor, res actions.Result) {
	told := d.current.Load()
	if told == nil {
		return
	}
	d.telling.Go(func() { d.logTold(told.teller.Did(context.Background(), actor, res)) })
}

// tellEffect tells of an effect that was settled just now.
func (d *desk) tellEffect(w actions.Watch) {
	if told := d.current.Load(); told != nil && w.Sight != actions.NotYet {
		d.telling.Go(func() { d.logTold(told.teller.Saw(context.Background(), w)) })
	}
}

func (d *desk) logTold(all []actions.Told) {
	for _, told := range all {
		if told.Err != nil {
			d.log.Warn("telling what was done", "text", told.Text)
		} else {
			d.log.Info("telling what was done", "text", told.Text)
		}
	}
}

// tellNow tells before the program ends; what can't be told is said and changes no outcome.
func (p *program) tellNow(cfg *config.Config, recorder actions.Recorder, actor actions.Actor, res actions.Result) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*tellPatience)
	defer cancel()
	for _, told := range tellerOf(cfg, p.logins(), recorder).Did(ctx, actor, res) {
		if told.Err != nil {
			_, _ = fmt.Fprintln(p.stderr, "onsale: "+told.Text)
		}
	}
}

// incidentOff is why an incident's key does nothing now, or "".
func (h *hands) incidentOff(id sale.ID, verb actions.Verb) string {
	st := h.store.Snapshot().Sale(id)
	if st == nil {
		return ""
	}
	in := st.Incidents.Current
	name := "an incident"
	if in != nil && in.Name != "" {
		name = in.Name
	}
	none := !in.Open() && st.Incidents.Kept && st.Incidents.Known
	switch verb {
	case actions.Incident:
		if in.Open() && in.Status == sale.IncidentAccepted {
			return "accepted " + h.clock(in.Accepted)
		}
		if in.Open() {
			return name + " is open"
		}
	case actions.Acknowledge:
		if none {
			return "no incident is open"
		}
		if in.Open() && in.Status == sale.IncidentAcknowledged {
			return "done" + h.when(in.Acknowledged, in.AcknowledgedBy)
		}
	case actions.Resolve:
		if none {
			return "no incident is open"
		}
	}
	return ""
}

// when is " 10:05:21 by ivana", as far as it is known.
func (h *hands) when(at time.Time, who string) string {
	text := ""
	if !at.IsZero() {
		text = " " + h.clock(at)
	}
	if who != "" {
		text += " by " + who
	}
	return text
}

// clock is a time of day in the zone that the screen shows.
func (h *hands) clock(at time.Time) string {
	cfg := h.seat().config
	zone, err := time.LoadLocation(cfg.TimeZone)
	if err != nil || cfg.TimeZone == "" {
		zone = time.Local
	}
	return at.In(zone).Format("15:04:05")
}
