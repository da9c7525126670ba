package main

import (
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/actiontest"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/ui"
)

// deskOn is the desk of one more program on a system and a journal. pid tells the programs apart.
func deskOn(t *testing.T, system *actiontest.Memory, dir string, pid int, change ...func(*actions.Policy)) *desk {
	t.Helper()
	j, err := journal.Open(dir, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	policy := actions.Policy{Targets: map[sale.ID][]actions.Target{"lantern": {system.Target}}}
	for _, f := range change {
		f(&policy)
	}
	runner, err := actions.NewRunner(actions.Config{
		Journal: j, Policy: policy, Executor: func(sale.ID, actions.Verb) (actions.Executor, error) { return system.Executor(), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(runner, j, slog.New(slog.DiscardHandler))
	d.pid = pid
	d.follow()
	return d
}

func (d *desk) of(name string, role actions.Role) *hands {
	return d.hands(&config.Config{}, nil, actions.Actor{Name: name, Role: role, Via: "local"})
}

// does previews and sends as a panel would.
func (h *hands) does(t *testing.T, approval string, req actions.Request) actions.Result {
	t.Helper()
	p, err := h.Preview(t.Context(), req)
	if err != nil || p.Refused() {
		t.Fatalf("%v %+v", err, p.Refusals)
	}
	a, no := h.Arm(p, 8*time.Second)
	if no != nil {
		t.Fatal(no)
	}
	return h.Run(t.Context(), actions.Confirmed{Preview: p, Arming: a.ID, At: time.Now(), Approval: approval})
}

func to(v float64) *float64 { return &v }

const elsewhere = -1 // the process id of a program that is not this one

func TestWhatAnotherProgramDoesIsNewsHere(t *testing.T) {
	system, dir := actiontest.NewMemory("lantern-26"), filepath.Join(t.TempDir(), "journal")
	here := deskOn(t, system, dir, elsewhere).of("mira", actions.Operator)
	bell, cancel := here.Subscribe()
	defer cancel()
	there := deskOn(t, system, dir, elsewhere).of("jana", actions.Operator)
	if res := there.does(t, "", actions.Request{Sale: "lantern", Verb: actions.Rate, To: to(400)}); res.Outcome != actions.Done {
		t.Fatalf("%+v", res)
	}
	here.follow()
	select {
	case <-bell:
	default:
		t.Error("the bell did not ring")
	}
	news := here.News()
	if len(news) != 1 || news[0].Who != "jana" || news[0].Own || news[0].Outcome != actions.Done || news[0].Change != "rate 800 → 400" || news[0].Target != system.Target {
		t.Errorf("%+v", news)
	}
	here.follow()
	select {
	case <-bell:
		t.Error("the bell rang for nothing")
	default:
	}
	if own := there.News(); len(own) != 1 || !own[0].Own {
		t.Errorf("%+v", own)
	}
}

func TestNewsFromTheJournalIsCleanAndKeepsWhatWasKnown(t *testing.T) {
	d := deskOn(t, actiontest.NewMemory("lantern-26"), filepath.Join(t.TempDir(), "journal"), elsewhere)
	target := journal.Target{System: "memory", Name: "lantern-26"}
	for _, rec := range []journal.Record{
		{Code: "ADM10I", Kind: journal.Intent, Text: "800/min → 0/min \x1b[2J", Glass: []string{"freeze"}},
		{Code: "ADM10D", Kind: journal.Result, Outcome: "done", Text: "read back", Glass: []string{"freeze"}},
		{Code: "ADM10E", Kind: journal.Effect, Outcome: "seen", Text: "EFFECT SEEN after 62 s: admitted 800/min → 0/min"},
	} {
		rec.ID, rec.Sale, rec.Action, rec.Target, rec.Actor = "a1", "lantern", "pause", &target, journal.Actor{Name: "jana\u202e"}
		if rec.Kind == journal.Effect {
			rec.Actor.Name = "onsale"
		}
		if _, err := d.recorder.Append(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		d.follow()
	}
	n := d.of("mira", actions.Operator).News()[0]
	if strings.ContainsAny(n.Change+n.Who, "\x1b\u202e") || !strings.HasPrefix(n.Who, "jana") || n.Sight != actions.Seen || n.Glass != "freeze" || !strings.HasPrefix(n.Change, "800/min → 0/min") {
		t.Errorf("%+v", n)
	}
}

func TestARequestGoesFromOneSessionToAnotherAndBack(t *testing.T) {
	second := func(p *actions.Policy) { p.Requirements = []actions.Requirement{{Second: true}} }
	system, dir := actiontest.NewMemory("lantern-26"), filepath.Join(t.TempDir(), "journal")
	one := deskOn(t, system, dir, 1, second)
	for name, approver := range map[string]*hands{
		"another session of the program": one.of("jana", actions.Operator),
		"another program on the journal": deskOn(t, system, dir, elsewhere, second).of("jana", actions.Operator),
	} {
		t.Run(name, func(t *testing.T) {
			mira := one.of("mira", actions.Operator)
			req := actions.Request{Sale: "lantern", Verb: actions.Rate, To: to(400), Reason: "declines"}
			p, _ := mira.Preview(t.Context(), req)
			if !mira.Needs(t.Context(), p).Second {
				t.Fatal("no second person is needed")
			}
			id, no := mira.Ask(t.Context(), p)
			if no != nil {
				t.Fatal(no)
			}
			approver.follow()
			seen := approver.Requests()
			if n := len(seen); n == 0 || seen[n-1].ID != id || seen[n-1].Stage != actions.AskWaiting {
				t.Fatalf("%+v", seen)
			}
			again := one.of("mira", actions.Operator) // the same person in another session
			if no := again.Answer(t.Context(), id, p.Token(), true); no == nil {
				t.Error("she agreed with herself")
			}
			shown, err := approver.Review(t.Context(), id)
			if err != nil || shown.Refused() {
				t.Fatalf("%v %+v", err, shown.Refusals)
			}
			if no := approver.Answer(t.Context(), id, shown.Token(), true); no != nil {
				t.Fatal(no)
			}
			mira.follow()
			i := slices.IndexFunc(mira.Requests(), func(a actions.Asked) bool { return a.ID == id && a.Stage == actions.AskAgreed })
			if i < 0 {
				t.Fatalf("%+v", mira.Requests())
			}
			if res := mira.does(t, id, req); res.Outcome != actions.Done {
				t.Errorf("%+v", res)
			}
			system.Set("mira", "rate", actions.Number(800))
		})
	}
}

func TestAViewersHandsReachNoSystemWhateverTheyAreAskedAndAreRecorded(t *testing.T) {
	system, dir := actiontest.NewMemory("lantern-26"), filepath.Join(t.TempDir(), "journal")
	d := deskOn(t, system, dir, 1, func(p *actions.Policy) {
		p.Requirements = []actions.Requirement{{Second: true}}
		p.Glass = &actions.Glass{Verbs: []actions.Verb{actions.Rate}, Lifts: []actions.Lift{actions.LiftSecond}}
	})
	mira, zoran := d.of("mira", actions.Operator), d.of("zoran", actions.Viewer)
	p, _ := mira.Preview(t.Context(), actions.Request{Sale: "lantern", Verb: actions.Rate, To: to(400)})
	id, _ := mira.Ask(t.Context(), p)
	calls, records := system.Calls(), len(list(t, dir))
	var hands ui.Hands = zoran
	for _, m := range actions.Verbs() {
		for _, glass := range []bool{false, true} {
			req := actions.Request{Sale: "lantern", Verb: m.Verb, To: to(300), Text: "x", Play: "x", Glass: glass}
			hands.Tried(t.Context(), req)
			if shown, _ := hands.Preview(t.Context(), req); !shown.Refused() {
				t.Errorf("%s is shown to a viewer", m.Verb)
			}
		}
	}
	if _, no := hands.Arm(p, time.Minute); no == nil {
		t.Error("a viewer was armed")
	}
	if res := hands.Run(t.Context(), actions.Confirmed{Preview: p, At: time.Now(), Approval: id}); res.Outcome != actions.Refused {
		t.Errorf("%+v", res)
	}
	if _, no := hands.Ask(t.Context(), p); no == nil {
		t.Error("a viewer asked")
	}
	if shown, _ := hands.Review(t.Context(), id); !shown.Refused() {
		t.Error("a viewer reviewed")
	}
	for _, agree := range []bool{true, false} {
		if no := hands.Answer(t.Context(), id, p.Token(), agree); no == nil {
			t.Errorf("a viewer answered %v", agree)
		}
	}
	hands.Offers(t.Context(), "lantern")
	hands.News()
	hands.Requests()
	if n := system.Calls() - calls; n != 0 {
		t.Errorf("%d calls reached the system", n)
	}
	refused := 0
	for _, r := range list(t, dir)[records:] {
		if r.Kind != journal.Refused || r.Actor.Name != "zoran" {
			t.Errorf("%+v", r)
		}
		refused++
	}
	if refused < len(actions.Verbs()) {
		t.Errorf("only %d refusals are recorded", refused)
	}
}

func list(t *testing.T, dir string) []journal.Record {
	t.Helper()
	records, err := journal.List(dir, journal.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return records
}
