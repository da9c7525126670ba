package actions

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
)

// Codes of the records that follow from an action or an incident, and are no action themselves.
const (
	codeMitigated = "INC40" + letterNote // an incident was mitigated, or is not any more
	codeTold      = "AUD10"              // whoever looks after an incident was told what was done
)

// What a record of codeMitigated says in its outcome.
const (
	outcomeMitigated = "mitigated"
	outcomeRelapsed  = "bad_again"
)

// LogOf puts together what records, oldest first, tell of one sale: its incidents, and what was
// done. Texts come out clean. An incident whose sending is unknown is none.
func LogOf(id sale.ID, records []journal.Record) sale.Log {
	l := logFold{id: id, intents: map[string]*journal.Record{}, events: map[string]int{}}
	for i := range records {
		if r := &records[i]; r.Sale == string(id) {
			l.take(r)
		}
	}
	out := sale.Log{Sale: id}
	for _, in := range slices.Backward(l.incidents) {
		out.Incidents = append(out.Incidents, *in)
	}
	for _, ev := range slices.Backward(l.lines) {
		out.Events = append(out.Events, ev)
	}
	slices.SortStableFunc(out.Events, func(a, b sale.Event) int { return b.At.Compare(a.At) })
	return out
}

type logFold struct {
	id        sale.ID
	intents   map[string]*journal.Record
	events    map[string]int // id of an intent → index into lines
	lines     []sale.Event
	incidents []*sale.Incident // oldest first
}

func (l *logFold) take(r *journal.Record) {
	switch r.Kind {
	case journal.Intent:
		l.intents[r.ID] = r
		l.say(r, "sent, not settled")
	case journal.Unknown:
		l.say(r, "UNKNOWN: "+r.Text)
	case journal.Result:
		l.say(r, strings.ToUpper(r.Outcome)+": "+r.Text)
		if r.Outcome == string(Done) {
			l.done(r)
		}
	case journal.Refused:
		if l.intents[r.ID] != nil {
			l.say(r, "REFUSED: "+r.Text)
		}
	case journal.Effect:
		l.lines = append(l.lines, sale.Event{At: r.TS, Kind: sale.EffectEvent, Text: line(labelOf(r) + ": " + r.Text), Who: "onsale", Ref: ref(r.Seq)})
		if r.Outcome == string(Seen) {
			l.each(func(in *sale.Incident) { in.EffectSeen = earlier(in.EffectSeen, r.TS) })
		}
	case journal.Note:
		l.note(r)
	}
}

// say writes a line about an action, in place of what was said of it before.
func (l *logFold) say(r *journal.Record, how string) {
	intent := l.intents[r.ID]
	ev := sale.Event{At: r.TS, Kind: sale.ActionEvent, Ref: ref(r.Seq), Who: whoOf(r.Actor)}
	what := ""
	if intent != nil {
		ev.At, ev.Who = intent.TS, whoOf(intent.Actor)
		if intent.Seq != r.Seq {
			ev.Ref = ref(intent.Seq) + " " + ev.Ref
		}
		what = " " + intent.Text
	}
	switch m, _ := Verb(r.Action).Meaning(); {
	case Verb(r.Action) == AddNote:
		ev.Kind = sale.NoteEvent
	case m.Paperwork:
		ev.Kind = sale.IncidentEvent
	}
	if label := labelOf(r); !strings.HasPrefix(strings.TrimSpace(what), label) {
		what = " " + label + what
	}
	ev.Text = line(strings.TrimSpace(what) + ": " + how)
	if i, ok := l.events[r.ID]; ok {
		l.lines[i] = ev
		return
	}
	l.events[r.ID] = len(l.lines)
	l.lines = append(l.lines, ev)
}

// done takes in what was done.
func (l *logFold) done(r *journal.Record) {
	sent := r.TS
	if intent := l.intents[r.ID]; intent != nil {
		sent = intent.TS
	}
	who := sale.Clean(r.Actor.Name, 40)
	switch verb := Verb(r.Action); verb {
	case Incident:
		in := l.incident(r)
		if in.Opened.IsZero() {
			in.Opened, in.OpenedBy = sent, who
		}
		in.Accepted, in.Status = r.TS, sale.IncidentAccepted
		if len(r.ReadBack) > 0 {
			in.Status = sale.IncidentOpen
		}
	case Acknowledge:
		in := l.incident(r)
		in.Status = sale.IncidentAcknowledged
		if in.Acknowledged.IsZero() {
			in.Acknowledged, in.AcknowledgedBy = sent, who
		}
	case Resolve:
		in := l.incident(r)
		in.Status, in.Resolved, in.ResolvedBy = sale.IncidentResolved, sent, who
	default:
		if m, _ := verb.Meaning(); !m.Paperwork {
			l.each(func(in *sale.Incident) { in.FirstAction = earlier(in.FirstAction, sent) })
		}
	}
}

// incident finds the open incident that a record is about, or begins one.
func (l *logFold) incident(r *journal.Record) *sale.Incident {
	key := keyOf(r)
	for _, in := range slices.Backward(l.incidents) {
		if in.Key == key && in.Open() {
			return in
		}
	}
	in := &sale.Incident{Sale: l.id, Key: key}
	if r.Target != nil {
		in.System = sale.Clean(r.Target.System, 40)
	}
	l.incidents = append(l.incidents, in)
	return in
}

// each visits the incidents that are open and were opened before now.
func (l *logFold) each(visit func(*sale.Incident)) {
	for _, in := range l.incidents {
		if in.Open() {
			visit(in)
		}
	}
}

func (l *logFold) note(r *journal.Record) {
	ev := sale.Event{At: r.TS, Kind: sale.NoteEvent, Text: line(r.Text), Who: whoOf(r.Actor), Ref: ref(r.Seq)}
	switch {
	case r.Code == codeMitigated:
		ev.Kind = sale.IncidentEvent
		for _, in := range l.incidents {
			switch {
			case in.Key != keyOf(r) || !in.Open():
			case r.Outcome == outcomeMitigated:
				in.MitigatedAt = r.TS
			default:
				in.MitigatedAt = time.Time{}
			}
		}
	case !strings.HasPrefix(r.Code, codeTold):
		return // the agreement of a second person stands with its action
	}
	l.lines = append(l.lines, ev)
}

// keyOf is the key by which a tool means the same incident as a record.
func keyOf(r *journal.Record) string {
	if r.Target == nil {
		return ""
	}
	for _, key := range []string{r.Target.ID, r.Target.Name} {
		if strings.HasPrefix(key, "onsale/") {
			return sale.Clean(key, 300)
		}
	}
	return sale.Clean(r.Target.System+"/"+r.Target.Name, 300)
}

func labelOf(r *journal.Record) string {
	m, _ := Verb(r.Action).Meaning()
	return cmp.Or(m.Label, "action")
}

// whoOf is "ivana", and how that person came here when not from this machine.
func whoOf(a journal.Actor) string {
	via := a.Via
	if via == "local" || via == "journal" {
		via = ""
	}
	return sale.Clean(strings.TrimSpace(a.Name+" "+via), 40)
}

func ref(seq uint64) string { return fmt.Sprintf("#%d", seq) }

func line(text string) string { return sale.Clean(text, 200) }

// earlier is the first of two times, of which the one may not have been.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// MitigationRecord is the record that an incident was mitigated, or that the sale is BAD again,
// so that a later start of the program still knows since when.
func MitigationRecord(in sale.Incident, mitigated bool) (journal.Record, error) {
	id, err := newID(time.Now())
	if err != nil {
		return journal.Record{}, err
	}
	name := cmp.Or(in.Name, "incident")
	r := journal.Record{
		Code: codeMitigated, Kind: journal.Note, ID: id, Actor: journal.Actor{Name: "onsale"}, Sale: string(in.Sale),
		Target: &journal.Target{System: in.System, Kind: "incident", ID: in.Key}, Outcome: outcomeMitigated, Text: name + " mitigated: the sale has left BAD",
	}
	if !mitigated {
		r.Outcome, r.Text = outcomeRelapsed, name+" not mitigated any more: the sale is BAD again"
	}
	return r, nil
}
