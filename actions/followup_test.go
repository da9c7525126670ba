package actions_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
)

// pager keeps a service's timeline and one incident, and remembers what it was told.
type pager struct {
	mu       sync.Mutex
	open     bool
	fail     error
	timeline []string
	notes    []string
}

func (p *pager) Info() actions.Info { return actions.Info{System: "pager"} }

func (p *pager) Audit(_ context.Context, who actions.Actor, res actions.Result) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timeline = append(p.timeline, who.Name+" "+string(res.Preview.Request.Verb))
	return p.fail
}

func (p *pager) Preview(_ context.Context, req actions.Request, _ actions.Evidence) (actions.Preview, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pre := actions.Preview{Request: req, Target: actions.Target{System: "pager", Kind: "incident", Name: "INC-1"}}
	pre.To = actions.Value{"change_event": actions.Word(req.Text)}
	if p.open {
		pre.To = actions.Value{"note": actions.Word(req.Text)}
	}
	return pre, nil
}

func (p *pager) Execute(_ context.Context, pre actions.Preview, _ string) (actions.Receipt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notes = append(p.notes, pre.Request.Text)
	return actions.Receipt{}, p.fail
}

func (p *pager) ReadBack(context.Context, actions.Preview) (actions.State, error) {
	return actions.State{}, nil
}

func teller(w *world, p *pager) actions.Teller {
	return actions.Teller{
		Journal: w.rec, Redact: func(s string) string { return strings.ReplaceAll(s, "hush", "***") },
		Executor: func(sale.ID, actions.Verb) (actions.Executor, error) {
			if p == nil {
				return nil, errors.New("nobody")
			}
			return p, nil
		},
	}
}

func TestWhoeverLooksAfterAnIncidentIsToldWhatWasDone(t *testing.T) {
	rate := actions.Result{ID: "a", Outcome: actions.Done, IntentSeq: 7, Preview: actions.Preview{Request: actions.Request{Sale: harbour, Verb: actions.Rate}, Change: "800/min → hush"}}
	with := func(change func(*actions.Result)) actions.Result {
		r := rate
		change(&r)
		return r
	}
	cases := []struct {
		name            string
		res             actions.Result
		open            bool
		fail            error
		timeline, notes int
		codes           []string
	}{
		{"on the timeline while no incident is open", rate, false, nil, 1, 0, []string{"AUD10D"}},
		{"and with a note while one is", rate, true, nil, 1, 1, []string{"AUD10D", "AUD10D"}},
		{"of what failed too", with(func(r *actions.Result) { r.Outcome = actions.Failed }), true, nil, 1, 1, []string{"AUD10D", "AUD10D"}},
		{"not of what was refused", with(func(r *actions.Result) { r.Outcome = actions.Refused }), true, nil, 0, 0, nil},
		{"not of what the incident's own keys did", with(func(r *actions.Result) { r.Preview.Request.Verb = actions.Acknowledge }), true, nil, 0, 0, nil},
		{"of every step of a play", actions.Result{Outcome: actions.Done, Steps: []actions.Result{rate, rate}}, false, nil, 2, 0, []string{"AUD10D", "AUD10D"}},
		{"and that it was not told is on record", rate, true, &sale.Problem{Class: sale.Failing, Text: "HTTP 500"}, 1, 1, []string{"AUD10F", "AUD10F"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w, p := newWorld(t), &pager{open: c.open, fail: c.fail}
			told := teller(w, p).Did(t.Context(), vesna, c.res)
			if len(p.timeline) != c.timeline || len(p.notes) != c.notes || len(told) != len(c.codes) {
				t.Errorf("timeline %q, notes %q, told %+v", p.timeline, p.notes, told)
			}
			records, _ := w.j.List(journal.Filter{})
			if len(records) != len(c.codes) {
				t.Fatalf("journal: %+v", records)
			}
			for i, r := range records {
				if r.Code != c.codes[i] || r.Kind != journal.Note || r.Ref != "a" || strings.Contains(r.Text, "hush") {
					t.Errorf("record %d is %+v, want %s", i, r, c.codes[i])
				}
			}
			for _, note := range p.notes {
				if !strings.Contains(note, "by vesna, journal #7") || strings.Contains(note, "hush") {
					t.Errorf("the note is %q", note)
				}
			}
		})
	}
}

func TestNothingIsToldWhereNobodyListensOrNothingCanBeJournalled(t *testing.T) {
	w := newWorld(t)
	res := actions.Result{Outcome: actions.Done, Preview: actions.Preview{Request: actions.Request{Sale: harbour, Verb: actions.Rate}}}
	if told := teller(w, nil).Did(t.Context(), vesna, res); told != nil {
		t.Errorf("told %+v", told)
	}
	p := &pager{open: true}
	if err := w.j.Close(); err != nil {
		t.Fatal(err)
	}
	if told := teller(w, p).Did(t.Context(), vesna, res); told != nil || len(p.timeline)+len(p.notes) > 0 {
		t.Errorf("with a journal that is shut: %+v, %+v", told, p)
	}
}

func TestAnEffectThatWasSettledIsANoteOnTheOpenIncident(t *testing.T) {
	w, p := newWorld(t), &pager{open: true}
	watch := actions.Watch{ID: "a", Sale: harbour, Verb: actions.Pause, Sight: actions.NotYet}
	if told := teller(w, p).Saw(t.Context(), watch); told != nil {
		t.Errorf("before it is settled: %+v", told)
	}
	watch.Sight, watch.Took = actions.Seen, 62*time.Second
	if told := teller(w, p).Saw(t.Context(), watch); len(told) != 1 || !strings.Contains(p.notes[0], "EFFECT SEEN after 62 s") {
		t.Errorf("told %+v, notes %q", told, p.notes)
	}
	p.open = false
	if told := teller(w, p).Saw(t.Context(), watch); told != nil {
		t.Errorf("without an incident: %+v", told)
	}
}
