package sale

import (
	"slices"
	"strings"
	"time"
)

// EventKind is what an event is about.
type EventKind string

// The kinds of event.
const (
	PhaseEvent    EventKind = "phase"
	AlarmEvent    EventKind = "alarm"
	IncidentEvent EventKind = "incident"
	ActionEvent   EventKind = "action"
	EffectEvent   EventKind = "effect"
	NoteEvent     EventKind = "note"
)

// Event is something that happened to a sale. Texts are clean, one line each.
type Event struct {
	At   time.Time
	Kind EventKind
	Text string
	Who  string // "ivana ssh"; "" is nobody
	Ref  string // the journal's records: "#412 #413"
}

// mostEvents bounds a timeline.
const mostEvents = 64

// record takes in what the journal tells.
func (e *engine) record(logs []Log, now time.Time) {
	if _, changed := e.locked(now, func(time.Time) bool { e.recorded(logs); return true }); changed {
		e.bells.ring()
	}
}

// happenings brings incidents and the timeline of a sale up to its next state, and returns when
// time alone may change them.
func (s *saleEntry) happenings(next *State, now time.Time) (due time.Time) {
	s.watch(s.state, next, now)
	s.desk.marks.step(next.Verdict, next.Since)
	next.Incidents, due = s.desk.state(next.Verdict, now)
	if s.told {
		s.told, s.timeline = false, s.events()
	}
	next.Timeline = s.timeline
	return due
}

// watch notes what changed between two states. What holds when the sale is first judged is noted
// with the time since when it has held. That nothing is known yet at the start is no event.
func (s *saleEntry) watch(old, next *State, now time.Time) {
	was := Phase("")
	if old != nil {
		was = old.Phase
	}
	if was != next.Phase && !next.PhaseSince.IsZero() && !next.PhaseSince.After(now) {
		text := strings.ToUpper(string(next.Phase))
		if was != "" {
			text = strings.ToUpper(string(was)) + " → " + text
		}
		s.note(Event{At: next.PhaseSince, Kind: PhaseEvent, Text: text})
	}
	for _, r := range next.Reasons {
		a := alarm{r.Signal, r.Verdict}
		if slices.Contains(s.ringing, a) || r.Verdict == Unknown && (old == nil || old.Verdict == Unknown) {
			continue
		}
		s.ringing = append(s.ringing, a)
		at := r.Since
		if at.IsZero() || at.After(now) {
			at = now
		}
		s.note(Event{At: at, Kind: AlarmEvent, Text: strings.ToUpper(string(r.Verdict)) + " " + r.Text})
	}
	s.ringing = slices.DeleteFunc(s.ringing, func(a alarm) bool {
		if slices.ContainsFunc(next.Reasons, func(r Reason) bool { return r.Signal == a.signal && r.Verdict == a.verdict }) {
			return false
		}
		if !slices.ContainsFunc(next.Reasons, func(r Reason) bool { return r.Signal == a.signal }) {
			text := "ended: " + strings.ToUpper(string(a.verdict)) + " " + s.labelOf(a.signal)
			if a.verdict == Unknown {
				text = "seen again: " + s.labelOf(a.signal)
			}
			s.note(Event{At: now, Kind: AlarmEvent, Text: strings.TrimRight(text, ": ")})
		}
		return true
	})
}

// alarm is a reason that was noted and has not ended.
type alarm struct {
	signal  Signal
	verdict Verdict
}

// rewind forgets what was seen after now, when time was wound back to it.
func (s *saleEntry) rewind(now time.Time) {
	s.happened = slices.DeleteFunc(s.happened, func(ev Event) bool { return ev.At.After(now) })
	s.ringing, s.told = nil, true
	if m := &s.desk.marks; m.notBad.After(now) || m.ok.After(now) {
		*m = marks{}
	}
}

func (s *saleEntry) note(ev Event) {
	ev.At, s.told = moment(ev.At), true
	s.happened = append([]Event{ev}, s.happened[:min(len(s.happened), mostEvents-1)]...)
}

// events joins what was seen here with what the journal tells, the newest first.
func (s *saleEntry) events() []Event {
	all := slices.Clone(s.happened)
	if s.desk.log != nil {
		all = append(all, s.desk.log.Events...)
	}
	slices.SortStableFunc(all, func(a, b Event) int { return b.At.Compare(a.At) })
	return all[:min(len(all), mostEvents)]
}
