package actions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
)

// Auditor is an executor that can write to a service's timeline what was done by others. It pages
// nobody, makes one attempt, and leaves out what its own system was sent.
type Auditor interface {
	Audit(ctx context.Context, who Actor, res Result) error
}

// Teller tells whoever looks after a sale's incident what else was done to the sale: as a line of
// the service's timeline, and as a note on the incident while one is open. What it does follows an
// action that has ended: it never holds one up and changes no outcome, and what became of it is in
// the journal.
type Teller struct {
	Journal Recorder
	// Executor is that of the runner.
	Executor func(id sale.ID, v Verb) (Executor, error)
	// Redact takes secrets out of a text; nil: nothing to hide.
	Redact func(string) string
}

// tellWithin bounds each of the two ways to tell.
const tellWithin = 15 * time.Second

// Told is what became of telling.
type Told struct {
	Text string // "told pagerduty timeline: …", or that it could not be told and why
	Err  error
}

// Did tells of an action, or of each step of a play, that was sent. What was refused, and what an
// incident's own keys do, is not told. Nothing is told while the journal can't be written.
func (t Teller) Did(ctx context.Context, who Actor, res Result) []Told {
	if len(res.Steps) > 0 {
		var all []Told
		for _, step := range res.Steps {
			all = append(all, t.Did(ctx, who, step)...)
		}
		return all
	}
	m, _ := res.Preview.Request.Verb.Meaning()
	if m.Paperwork || res.Outcome == Refused || res.Outcome == "" || t.Journal.Err() != nil {
		return nil
	}
	id := res.Preview.Request.Sale
	text := fmt.Sprintf("%s %s: %s, by %s", m.Label, res.Preview.Change, strings.ToUpper(string(res.Outcome)), who.Name)
	if res.IntentSeq > 0 {
		text += fmt.Sprintf(", journal #%d", res.IntentSeq)
	}
	var all []Told
	if ex, err := t.Executor(id, Incident); err == nil && ex != nil {
		if a, ok := ex.(Auditor); ok {
			call, cancel := context.WithTimeout(ctx, tellWithin)
			_, err := guarded(call, func() (struct{}, error) { return struct{}{}, a.Audit(call, who, res) })
			cancel()
			all = append(all, t.record(ctx, id, res.ID, ex.Info().System+" timeline", text, err))
		}
	}
	if told, ok := t.note(ctx, id, res.ID, text); ok {
		all = append(all, told)
	}
	return all
}

// Saw tells of an effect that was looked for, when it is settled.
func (t Teller) Saw(ctx context.Context, w Watch) []Told {
	m, _ := w.Verb.Meaning()
	if m.Paperwork || w.Sight == NotYet || t.Journal.Err() != nil {
		return nil
	}
	if told, ok := t.note(ctx, w.Sale, w.ID, m.Label+": "+w.String()); ok {
		return []Told{told}
	}
	return nil
}

// note writes on the open incident; ok is false when there is none, or nobody who could.
func (t Teller) note(ctx context.Context, id sale.ID, of, text string) (told Told, ok bool) {
	ex, err := t.Executor(id, AddNote)
	if err != nil || ex == nil || ex.Info().ByReceipt && !t.openIn(id) {
		return Told{}, false // who can't look at the incident is told only of one that the journal knows
	}
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	req := Request{Sale: id, Verb: AddNote, Text: t.redact(text)}
	p, err := guarded(ctx, func() (Preview, error) { return ex.Preview(ctx, req, Evidence{At: time.Now()}) })
	switch {
	case err != nil:
		return t.record(ctx, id, of, ex.Info().System+" incident", text, err), true
	case p.Refused() || !onIncident(p):
		return Told{}, false
	}
	p.Request = req
	key, err := newID(time.Now())
	if err == nil {
		_, err = guarded(ctx, func() (Receipt, error) { return ex.Execute(ctx, p, key) })
	}
	return t.record(ctx, id, of, p.Target.String(), text, err), true
}

// openIn reports whether the journal knows of an open incident of a sale.
func (t Teller) openIn(id sale.ID) bool {
	records, err := t.Journal.List(journal.Filter{Sale: string(id), Code: "INC", Since: time.Now().Add(-oneSale)})
	if err != nil {
		return false
	}
	return slices.ContainsFunc(LogOf(id, records).Incidents, func(in sale.Incident) bool { return in.Open() })
}

// onIncident reports whether a note would go to an incident, and not only to a service's timeline.
func onIncident(p Preview) bool {
	for name := range p.To {
		if strings.HasPrefix(name, "note") || strings.HasPrefix(name, "onsale/note") {
			return true
		}
	}
	return false
}

// record journals what became of telling.
func (t Teller) record(ctx context.Context, id sale.ID, of, where, text string, err error) Told {
	told := Told{Text: "told " + where + ": " + text, Err: err}
	letter := letterDone
	if err != nil {
		var p *sale.Problem
		why := err.Error()
		if errors.As(err, &p) {
			why = p.Text
		}
		told.Text, letter = "could not tell "+where+" ("+why+"): "+text, letterFailed
	}
	told.Text = sale.Clean(t.redact(told.Text), 300)
	key, idErr := newID(time.Now())
	if idErr != nil {
		return told
	}
	// That it can't be journalled takes nothing from the action, which is.
	_, _ = t.Journal.Append(context.WithoutCancel(ctx), journal.Record{
		Code: codeTold + letter, Kind: journal.Note, ID: key, Ref: of, Actor: journal.Actor{Name: "onsale"}, Sale: string(id), Text: told.Text,
	})
	return told
}

func (t Teller) redact(text string) string {
	if t.Redact == nil {
		return text
	}
	return t.Redact(text)
}
