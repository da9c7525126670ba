package pagerduty

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The states of an incident.
const (
	Triggered    = "triggered"
	Acknowledged = "acknowledged"
	Resolved     = "resolved"
)

// Incident is what became of a trigger.
type Incident struct {
	ID         string
	Number     int
	Status     string
	DedupKey   string
	RoutingKey string
	Service    string
	First      Event // the trigger that opened it
	Triggers   int   // how many triggers it holds
	Created    time.Time
	Changed    time.Time // of the status
	Paged      time.Time // when somebody was called; zero: nobody
	Log        []Entry
	Notes      []Note // oldest first

	page time.Time // when it pages if nobody has answered before
}

// Entry is one line of an incident's log.
type Entry struct {
	ID   string
	Type string // trigger, assign, notify, acknowledge or resolve
	At   time.Time
	Text string
}

// Note is a note on an incident.
type Note struct {
	ID, Content string
	By          string // e-mail of the user that it is by
	At          time.Time
}

// onCall is who is paged.
const onCall = "Ines Horvat"

// settle processes what has come due by now, in order of time.
func (s *Server) settle(now time.Time) {
	for {
		next, due := -1, now
		for i, e := range s.pending {
			if !e.due.After(due) && (next < 0 || e.due.Before(due)) {
				next, due = i, e.due
			}
		}
		var paging *Incident
		for _, in := range s.incidents {
			if !in.page.IsZero() && !in.page.After(due) && (next < 0 || in.page.Before(due)) {
				paging, due = in, in.page
			}
		}
		switch {
		case paging != nil:
			s.call(paging)
		case next >= 0:
			e := s.pending[next].Event
			s.pending = slices.Delete(s.pending, next, next+1)
			s.process(e, due)
		default:
			return
		}
	}
}

func (s *Server) call(in *Incident) {
	in.Paged, in.page = in.page, time.Time{}
	in.logged("notify", in.Paged, "Notified "+onCall+" by push")
	s.options.Tell(Happening{At: in.Paged, What: "paged", Incident: in.ID, DedupKey: in.DedupKey, Text: onCall})
}

// process applies an event to the open alert of its routing key and dedup_key.
func (s *Server) process(e Event, at time.Time) {
	i := slices.IndexFunc(s.incidents, func(in *Incident) bool {
		return in.Status != Resolved && in.RoutingKey == e.RoutingKey && in.DedupKey == e.DedupKey
	})
	tell := func(what string, in *Incident) {
		h := Happening{At: at, What: what, DedupKey: e.DedupKey, Text: e.Payload.Summary}
		if in != nil {
			h.Incident = in.ID
		}
		s.options.Tell(h)
	}
	switch {
	case e.Action == "trigger" && i < 0:
		tell(Triggered, s.open(e, at))
	case e.Action == "trigger":
		in := s.incidents[i]
		in.Triggers++
		in.logged("trigger", at, e.Payload.Summary)
		tell("deduplicated", in)
	case i < 0:
		s.dropped = append(s.dropped, e)
		tell("dropped", nil)
	case e.Action == "acknowledge":
		s.incidents[i].become(Acknowledged, at, "by the API")
		tell(Acknowledged, s.incidents[i])
	default:
		s.incidents[i].become(Resolved, at, "by the API")
		tell(Resolved, s.incidents[i])
	}
}

func (s *Server) open(e Event, at time.Time) *Incident {
	s.number++
	in := &Incident{
		ID: fmt.Sprintf("Q%013d", s.number*7919), Number: s.number, Status: Triggered, DedupKey: e.DedupKey, RoutingKey: e.RoutingKey,
		Service: s.options.RoutingKeys[e.RoutingKey], First: e, Triggers: 1, Created: at, Changed: at, page: at.Add(s.options.Page),
	}
	in.logged("trigger", at, e.Payload.Summary)
	in.logged("assign", at, "Assigned to "+onCall)
	s.incidents = append(s.incidents, in)
	return in
}

// become changes the status; who answers before the page is not called any more.
func (in *Incident) become(status string, at time.Time, by string) {
	if in.Status == status {
		return
	}
	in.Status, in.Changed, in.page = status, at, time.Time{}
	in.logged(strings.TrimSuffix(status, "d"), at, strings.ToUpper(status[:1])+status[1:]+" "+by)
}

func (in *Incident) logged(kind string, at time.Time, text string) {
	in.Log = append(in.Log, Entry{ID: fmt.Sprintf("R%s%04d", in.ID[1:], len(in.Log)+1), Type: kind, At: at, Text: text})
}

// Incidents returns every incident there is by now, oldest first.
func (s *Server) Incidents() []Incident {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(s.options.Now())
	out := make([]Incident, 0, len(s.incidents))
	for _, in := range s.incidents {
		one := *in
		one.Log, one.Notes = slices.Clone(in.Log), slices.Clone(in.Notes)
		out = append(out, one)
	}
	return out
}

// Changes returns the change events, oldest first.
func (s *Server) Changes() []Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.changes)
}

// Dropped returns the events that were accepted and had no open alert, oldest first.
func (s *Server) Dropped() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(s.options.Now())
	return slices.Clone(s.dropped)
}

// Answer lets a person acknowledge or resolve an incident, as from a phone. It reports whether
// there was such an incident, not yet resolved.
func (s *Server) Answer(id, status, who string) bool {
	if status != Acknowledged && status != Resolved {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	s.settle(now)
	for _, in := range s.incidents {
		if in.ID == id && in.Status != Resolved {
			in.become(status, now, "by "+who)
			s.options.Tell(Happening{At: now, What: status, Incident: id, DedupKey: in.DedupKey, Text: who})
			return true
		}
	}
	return false
}
