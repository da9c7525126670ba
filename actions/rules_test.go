package actions_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/actiontest"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
)

func TestAFreezeAndARequirementAreLiftedByAnOpenIncident(t *testing.T) {
	scope := actions.Scope{ExceptIncident: true}
	incident := false
	w := newWorld(t, func(c *actions.Config) {
		c.Policy.Freezes = []actions.Freeze{{Scope: scope, From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)}}
		c.Policy.Requirements = []actions.Requirement{{Scope: scope, Change: true}}
		c.Incident = func(sale.ID) bool { return incident }
	})
	if p := w.Preview(t.Context(), vesna, rate(400)); !p.Refused() || p.Refusals[0].Guard != actions.GuardFreeze {
		t.Errorf("%+v", p.Refusals)
	}
	incident = true
	if res := w.do(vesna, rate(400)); res.Outcome != actions.Done {
		t.Errorf("%+v", res)
	}
}

func TestTheJournalKnowsWhetherAnIncidentIsOpen(t *testing.T) {
	w := newWorld(t, func(c *actions.Config) {
		c.Policy.Freezes = []actions.Freeze{{Scope: actions.Scope{ExceptIncident: true}, From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)}}
	})
	say := func(v actions.Verb, outcome string) {
		if _, err := w.j.Append(t.Context(), journal.Record{Code: "INC10D", Kind: journal.Result, Sale: "harbour", Action: string(v), Outcome: outcome}); err != nil {
			t.Fatal(err)
		}
	}
	frozen := func() bool { p := w.Preview(t.Context(), vesna, rate(400)); return p.Refused() }
	say(actions.Incident, "failed")
	if !frozen() {
		t.Error("an incident that was not opened lifts the freeze")
	}
	say(actions.Incident, "done")
	if frozen() {
		t.Error("the open incident is not seen")
	}
	say(actions.Resolve, "done")
	if !frozen() {
		t.Error("the resolved incident still lifts the freeze")
	}
}

func TestTheRateOfActionsIsBoundedAcrossCockpits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := func(c *actions.Config) {
			c.Policy.Limits = []actions.Limit{{Count: 2, Per: 10 * time.Minute, PerTarget: true}}
		}
		a := newWorld(t, limit)
		b := join(t, a.system, a.dir, limit)
		for _, v := range []float64{400, 500} {
			if res := a.do(vesna, rate(v)); res.Outcome != actions.Done {
				t.Fatalf("%+v", res)
			}
			time.Sleep(time.Minute)
		}
		b.see(500, time.Now())
		if p := b.Preview(t.Context(), tomo, rate(600)); !p.Refused() || p.Refusals[0].Guard != actions.GuardBounds {
			t.Errorf("the preview does not say so: %+v", p.Refusals)
		}
		p := newWorldLike(t, b).show(tomo, rate(600))
		refusedBy(t, b.confirm(tomo, p), actions.GuardBounds)
		time.Sleep(9 * time.Minute)
		b.see(500, time.Now())
		if res := b.do(tomo, rate(600)); res.Outcome != actions.Done {
			t.Errorf("%+v", res)
		}
	})
}

// leaning is an executor whose previews need a signal.
type leaning struct{ actions.Executor }

func (l leaning) Preview(ctx context.Context, req actions.Request, e actions.Evidence) (actions.Preview, error) {
	p, err := l.Executor.Preview(ctx, req, e)
	p.Evidence = e.Need(sale.AdmissionRate)
	return p, err
}

func TestEvidenceThatIsStaleOrMissingAtTheGestureRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lean := func(c *actions.Config) {
			inner := c.Executor
			c.Executor = func(id sale.ID, v actions.Verb) (actions.Executor, error) {
				ex, err := inner(id, v)
				return leaning{ex}, err
			}
		}
		w := newWorld(t, lean)
		p := w.show(vesna, rate(400))
		time.Sleep(5 * time.Minute) // the panel stays open, the source dies
		refusedBy(t, w.confirm(vesna, p), actions.GuardEvidence)
		w.snap = nil
		refusedBy(t, w.confirm(vesna, p), actions.GuardEvidence)
		any := join(t, w.system, w.dir, lean, func(c *actions.Config) { c.Policy.AnyAge = []actions.Verb{actions.Rate} })
		if res := any.confirm(vesna, p); res.Outcome != actions.Done {
			t.Errorf("%+v", res)
		}
	})
}

func TestASecondPersonIsAnotherNameAndAnotherKeyAndInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *actions.Config) { c.Policy.Requirements = []actions.Requirement{{Second: true}} })
		run := func(approval string, p actions.Preview) actions.Result {
			a, no := w.Arm(vesna, p, time.Minute)
			if no != nil {
				t.Fatal(no)
			}
			return w.Run(t.Context(), vesna, actions.Confirmed{Preview: p, Arming: a.ID, At: time.Now(), Approval: approval})
		}
		ask := func(p actions.Preview) string {
			id, no := w.Ask(t.Context(), vesna, p)
			if no != nil {
				t.Fatal(no)
			}
			return id
		}
		p := w.show(vesna, rate(400))
		id := ask(p)
		refusedBy(t, run(id, p), actions.GuardSecond) // nobody has agreed
		for _, who := range []actions.Actor{
			vesna,
			{Name: "vesna", Role: actions.Operator}, // another session of hers
			{Name: "vesna2", Fingerprint: vesna.Fingerprint, Role: actions.Operator}, // her key under another name
			{Name: "vesna", Fingerprint: "SHA256:other", Role: actions.Operator},     // her name with another key
			{Name: "zrin", Role: actions.Viewer},
			{Name: "x"},
			{Role: actions.Operator}, // no operators
		} {
			if no := w.Approve(t.Context(), who, id, p); no == nil {
				t.Errorf("%+v may agree", who)
			}
		}
		other := p
		other.To = actions.Value{"rate": actions.Number(500)}
		if no := w.Approve(t.Context(), tomo, id, other); no == nil {
			t.Error("an agreement to another preview")
		}
		if no := w.Approve(t.Context(), tomo, "no such id", p); no == nil {
			t.Error("an agreement to nothing")
		}
		if no := w.Approve(t.Context(), tomo, id, p); no != nil {
			t.Fatal(no)
		}
		time.Sleep(2 * time.Minute)
		refusedBy(t, run(id, p), actions.GuardSecond) // the agreement has expired
		id = ask(p)
		time.Sleep(6 * time.Minute)
		if no := w.Approve(t.Context(), tomo, id, p); no == nil {
			t.Error("the request never expires")
		}
		w.wrote(0)
		id = ask(p)
		if no := w.Approve(t.Context(), tomo, id, p); no != nil {
			t.Fatal(no)
		}
		if res := run(id, p); res.Outcome != actions.Done {
			t.Errorf("%+v", res)
		}
		intents, _ := w.j.List(journal.Filter{Kinds: []journal.Kind{journal.Intent}})
		if len(intents) != 1 || intents[0].Approver == nil || intents[0].Approver.Name != "tomo" {
			t.Errorf("%+v", intents)
		}
		q := w.show(vesna, rate(800))
		refusedBy(t, run(id, q), actions.GuardSecond) // an agreement is good once
		w.wrote(1)
	})
}

func TestUndoPutsTheRecordedValuesBackThroughTheSamePath(t *testing.T) {
	w := newWorld(t)
	w.do(vesna, rate(400))
	w.do(vesna, actions.Request{Sale: harbour, Verb: actions.ScaleUp})
	p := w.show(tomo, actions.Request{Sale: harbour, Verb: actions.Undo})
	if p.Change != "min 16 → 8" || p.Request.Of != actions.ScaleUp {
		t.Errorf("%q of %s", p.Change, p.Request.Of)
	}
	if res := w.confirm(tomo, p); res.Outcome != actions.Done || w.last().Code != "UND10D" || w.last().Of != "scale-up" {
		t.Errorf("%+v", res)
	}
	if res := w.do(tomo, actions.Request{Sale: harbour, Verb: actions.Undo}); res.Outcome != actions.Done {
		t.Errorf("%+v", res)
	}
	if v := w.system.Value().String(); v != "max 32, min 8, queue_all off, rate 800" {
		t.Errorf("%s", v)
	}
	if p := w.Preview(t.Context(), tomo, actions.Request{Sale: harbour, Verb: actions.Undo}); !p.Refused() {
		t.Error("there is nothing left to undo")
	}
	// An undo is an action: it can be taken back by its id.
	undos, _ := w.j.List(journal.Filter{Kinds: []journal.Kind{journal.Result}, Action: "undo"})
	res := w.do(vesna, actions.Request{Sale: harbour, Verb: actions.Undo, Undoes: undos[1].ID})
	if v := w.system.Value()["rate"].String(); res.Outcome != actions.Done || v != "400" {
		t.Errorf("%s %+v", v, res)
	}
	w.whole()
}

func TestUndoIsRefusedWhenSomebodyHasChangedTheTargetSince(t *testing.T) {
	w := newWorld(t)
	if p := w.Preview(t.Context(), vesna, actions.Request{Sale: harbour, Verb: actions.Undo}); !p.Refused() {
		t.Error("undo of nothing")
	}
	w.do(vesna, rate(400))
	w.system.Set("marko", "rate", actions.Number(600))
	p := w.Preview(t.Context(), vesna, actions.Request{Sale: harbour, Verb: actions.Undo})
	if !p.Refused() || p.Refusals[0].Guard != actions.GuardChanged || !strings.Contains(p.Refusals[0].Text, "rate 400 → 600") {
		t.Errorf("%+v", p.Refusals)
	}
	if p := w.Preview(t.Context(), vesna, actions.Request{Sale: harbour, Verb: actions.Undo, Undoes: "\x1b no such"}); !p.Refused() || strings.Contains(p.Refusals[0].Text, "\x1b") {
		t.Errorf("%+v", p.Refusals)
	}
}

func plays(steps ...actions.PlayStep) func(*actions.Config) {
	return func(c *actions.Config) { c.Plays = []actions.Play{{Name: "calm", Steps: steps}} }
}

var calm = actions.Request{Sale: harbour, Verb: actions.RunPlay, Play: "calm", Reason: "declines"}

func TestAPlayHasOnePreviewAndJournalsEachStep(t *testing.T) {
	w := newWorld(t, plays(
		actions.PlayStep{Verb: actions.Rate, To: num(400)},
		actions.PlayStep{Verb: actions.Pause},
		actions.PlayStep{Verb: actions.ScaleUp, To: num(12)},
		actions.PlayStep{Verb: actions.AddNote, Text: "calmed"},
	))
	p := w.show(vesna, calm)
	if len(p.Steps) != 4 || !strings.Contains(p.Change, "rate 800 → 400, then queue_all off → on") || p.CostPerHour == nil {
		t.Fatalf("%q, %d steps", p.Change, len(p.Steps))
	}
	var told []actions.Outcome
	a, _ := w.Arm(vesna, p, time.Minute)
	res := w.Run(t.Context(), vesna, actions.Confirmed{
		Preview: p, Arming: a.ID, At: time.Now(), Progress: func(s actions.Result) { told = append(told, s.Outcome) },
	})
	if res.Outcome != actions.Done || len(res.Steps) != 4 || len(told) != 4 {
		t.Errorf("%+v", res)
	}
	if got := w.codes(); !slices.Equal(got, []string{"ADM20I", "ADM20D", "ADM10I", "ADM10D", "ADM20X", "SCA10I", "SCA10D", "NOT10I", "NOT10D"}) {
		t.Errorf("%v", got)
	}
	records, _ := w.j.List(journal.Filter{Kinds: []journal.Kind{journal.Intent, journal.Result}})
	for i, r := range records {
		if r.Play == nil || r.Play.Step != i/2+1 || r.Play.Of != 4 || r.Ref != res.ID {
			t.Errorf("#%d: %+v %s", r.Seq, r.Play, r.Ref)
		}
	}
	w.wrote(3)
}

func TestAPlayStopsAtTheFirstStepThatIsNotDone(t *testing.T) {
	w := newWorld(t, plays(
		actions.PlayStep{Verb: actions.Rate, To: num(400)},
		actions.PlayStep{Verb: actions.Pause},
		actions.PlayStep{Verb: actions.ScaleUp, To: num(12)},
	))
	p := w.show(vesna, calm)
	w.system.OnWrite(func() { w.system.Set("marko", "queue_all", actions.Flag(true)); w.system.OnWrite(nil) })
	res := w.confirm(vesna, p) // the first write conflicts with marko's
	if res.Outcome != actions.Refused || len(res.Steps) != 1 {
		t.Errorf("%+v", res)
	}
	w.system.Set("marko", "queue_all", actions.Flag(false))
	p = w.show(vesna, calm)
	n := 0
	w.rec.hook = func(k journal.Kind) error {
		if n++; n == 3 { // before the second intent
			w.system.Set("marko", "queue_all", actions.Flag(true))
		}
		return nil
	}
	res = w.confirm(vesna, p)
	if res.Outcome != actions.Failed || len(res.Steps) != 2 || !strings.Contains(res.Text, "before step 2 of 3") {
		t.Errorf("%s %q %d", res.Outcome, res.Text, len(res.Steps))
	}
	if v := w.system.Value()["min"].String(); v != "8" {
		t.Errorf("the third step was done: min %s", v)
	}
}

func TestARampWaitsBetweenItsStepsAndHoldsWhenASignalTurnsBadOrIsLost(t *testing.T) {
	hold := []actions.Condition{{Signal: sale.ErrorRatio, Over: actions.Up, Limit: 0.05}}
	ramp := plays(
		actions.PlayStep{Verb: actions.Rate, To: num(200), Hold: hold},
		actions.PlayStep{Verb: actions.Rate, To: num(400), Hold: hold, After: 2 * time.Minute},
		actions.PlayStep{Verb: actions.Rate, To: num(640), Hold: hold, After: 2 * time.Minute},
	)
	for name, c := range map[string]struct {
		during func(w *world) // once a second
		steps  int
		rate   string
		text   string
	}{
		"all is well":        {func(w *world) { w.see(800, time.Now()) }, 3, "640", "all 3 steps"},
		"the signal is lost": {func(*world) {}, 2, "200", "can't be judged"},
		"errors rise": {func(w *world) {
			s := snapshot(800, time.Now())
			if time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) > 3*time.Minute {
				s.Sales[0].Signals[1].Value = 0.07
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			w.snap = s
		}, 3, "400", "errors 7.0 %"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, ramp)
				stop := make(chan struct{})
				defer close(stop)
				go func() {
					tick := time.NewTicker(time.Second)
					defer tick.Stop()
					for {
						select {
						case <-tick.C:
							c.during(w)
						case <-stop:
							return
						}
					}
				}()
				began := time.Now()
				res := w.do(vesna, calm)
				if len(res.Steps) != c.steps || !strings.Contains(res.Text, c.text) {
					t.Errorf("%s: %q, %d steps", res.Outcome, res.Text, len(res.Steps))
				}
				if v := w.system.Value()["rate"].String(); v != c.rate {
					t.Errorf("the rate is %s, want %s", v, c.rate)
				}
				if res.Outcome == actions.Done && time.Since(began) < 4*time.Minute {
					t.Errorf("it took %s", time.Since(began))
				}
				w.whole()
			})
		})
	}
}

func TestARampIsStoppedByItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, plays(actions.PlayStep{Verb: actions.Rate, To: num(400)}, actions.PlayStep{Verb: actions.Rate, To: num(500), After: time.Hour}))
		p := w.show(vesna, calm)
		a, _ := w.Arm(vesna, p, time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		res := w.Run(ctx, vesna, actions.Confirmed{Preview: p, Arming: a.ID, At: time.Now()})
		if res.Outcome != actions.Failed || w.system.Value()["rate"].String() != "400" {
			t.Errorf("%+v", res)
		}
		if last := w.last(); last.Kind != journal.Refused || !strings.Contains(last.Text, "stopped before step 2") {
			t.Errorf("%+v", last)
		}
	})
}

func TestAPlayThatMakesNoSenseIsRefused(t *testing.T) {
	for name, steps := range map[string][]actions.PlayStep{
		"no steps": {}, "a play in a play": {{Verb: actions.RunPlay}}, "an undo": {{Verb: actions.Undo}},
		"no number": {{Verb: actions.Rate}}, "out of bounds": {{Verb: actions.Pause}, {Verb: actions.Rate, To: num(9999)}},
	} {
		w := newWorld(t, plays(steps...))
		if p := w.Preview(t.Context(), vesna, calm); !p.Refused() {
			t.Errorf("%s is not refused", name)
		}
		w.wrote(0)
	}
	w := newWorld(t)
	if p := w.Preview(t.Context(), vesna, calm); !p.Refused() || len(w.PlaysOf(harbour)) != 0 {
		t.Error("a play that nobody declared")
	}
}

func TestTheEffectIsWatchedInTheSignalsAndJournalled(t *testing.T) {
	cases := []struct {
		name  string
		after func(w *world, sent time.Time) // what the signals show, once a second
		code  string
		text  string
	}{
		{"seen", func(w *world, sent time.Time) {
			v := 800.0
			if time.Since(sent) >= 60*time.Second {
				v = 400
			}
			w.see(v, time.Now())
		}, "ADM20E", "EFFECT SEEN after 60 s: admitted 800/min → 400/min"},
		{"not taken", func(w *world, _ time.Time) { w.see(790, time.Now()) }, "ADM20X", "NOT TAKEN after 3:00: admitted is 790/min"},
		{"an old low value proves nothing", func(w *world, sent time.Time) { w.see(0, sent.Add(-time.Second)) }, "ADM20X", "NOT KNOWN after 3:00: no fresh sample of admitted"},
		{"the source dies", func(w *world, sent time.Time) { w.see(790, sent.Add(time.Second)) }, "ADM20X", "NOT KNOWN"},
		{"no snapshot of the sale", func(w *world, _ time.Time) { w.mu.Lock(); w.snap = &sale.Snapshot{}; w.mu.Unlock() }, "ADM20X", "NOT KNOWN"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				res := w.do(vesna, rate(400))
				for range 185 {
					time.Sleep(time.Second)
					c.after(w, res.Sent)
					w.Observe(t.Context(), w.cfg.Snapshot(), time.Now())
				}
				last := w.last()
				if last.Code != c.code || last.Kind != journal.Effect || last.ID != res.ID || !strings.Contains(last.Text, c.text) {
					t.Errorf("%s %q", last.Code, last.Text)
				}
				if got := w.codes(); len(got) != 3 {
					t.Errorf("%v", got)
				}
				if open := w.Observe(t.Context(), w.cfg.Snapshot(), time.Now()); len(open) != 0 {
					t.Errorf("%+v", open)
				}
			})
		})
	}
}

func TestSettleReadsBackAndNeverSends(t *testing.T) {
	later := func(c *actions.Config) { c.Policy.Lease = time.Nanosecond } // as if the writer had died
	intend := func(w *world, id string, to float64) {
		target := journal.Target(w.system.Target)
		_, err := w.j.Append(t.Context(), journal.Record{
			Code: "ADM20I", Kind: journal.Intent, ID: id, Actor: journal.Actor{Name: "vesna"}, Sale: "harbour", Action: "rate", Target: &target,
			From: []byte(`{"rate":600}`), To: []byte(`{"rate":` + actions.Number(to).String() + `}`),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	w := newWorld(t, later)
	intend(w, "taken", 800)
	settled, err := w.Settle(t.Context())
	if err != nil || len(settled) != 1 || settled[0].Outcome != actions.Done {
		t.Errorf("%+v %v", settled, err)
	}
	intend(w, "not taken", 400)
	for range 3 { // the same again is no news
		if settled, err = w.Settle(t.Context()); err != nil || len(settled) != 1 || settled[0].Outcome != actions.Unknown {
			t.Errorf("%+v %v", settled, err)
		}
	}
	if got := w.codes(); !slices.Equal(got, []string{"ADM20I", "ADM20D", "ADM20I", "ADM20U"}) {
		t.Errorf("%v", got)
	}
	w.system.Set("marko", "rate", actions.Number(500))
	if res := w.do(vesna, rate(400)); res.Outcome != actions.Done {
		t.Fatalf("%+v", res)
	}
	if settled, _ = w.Settle(t.Context()); len(settled) != 1 || settled[0].Outcome != actions.Unknown || !strings.Contains(settled[0].Text, "came after it") {
		t.Errorf("what another action has set is taken for this one's: %+v", settled)
	}
	if no := w.SettleByHand(t.Context(), vesna, "not taken", actions.Failed, " "); no == nil {
		t.Error("settled without a reason")
	}
	if no := w.SettleByHand(t.Context(), vesna, "not taken", actions.Unknown, "x"); no == nil {
		t.Error("settled as unknown")
	}
	if no := w.SettleByHand(t.Context(), vesna, "not taken", actions.Failed, "saw it in the console"); no != nil {
		t.Error(no)
	}
	if no := w.SettleByHand(t.Context(), vesna, "not taken", actions.Failed, "again"); no == nil {
		t.Error("settled twice")
	}
	if settled, _ = w.Settle(t.Context()); len(settled) != 0 {
		t.Errorf("%+v", settled)
	}
	w.wrote(1)
	w.whole()
}

func TestWhatALiveProcessHasBegunIsLeftToIt(t *testing.T) {
	a := newWorld(t)
	b := join(t, a.system, a.dir)
	p := a.show(vesna, rate(400))
	a.system.OnWrite(func() {
		if settled, err := b.Settle(t.Context()); err != nil || len(settled) != 0 {
			t.Errorf("%+v %v", settled, err)
		}
		if settled, err := a.Settle(t.Context()); err != nil || len(settled) != 0 {
			t.Errorf("%+v %v", settled, err)
		}
		if no := b.SettleByHand(t.Context(), tomo, a.system.Keys()[0], actions.Failed, "impatient"); no == nil {
			t.Error("a running action was settled by hand")
		}
	})
	if res := a.confirm(vesna, p); res.Outcome != actions.Done {
		t.Errorf("%+v", res)
	}
}

func TestAnEffectThatWasPromisedIsLookedForByTheNextStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system, dir := actiontest.NewMemory("harbour-2026"), filepath.Join(t.TempDir(), "j")
		j, err := journal.Open(dir, journal.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		target := journal.Target(system.Target)
		say := func(kind journal.Kind, id, outcome string) {
			r := journal.Record{Code: "ADM20I", Kind: kind, ID: id, Sale: "harbour", Action: "rate", Target: &target, From: []byte(`{"rate":800}`), To: []byte(`{"rate":400}`), Outcome: outcome}
			if kind == journal.Intent {
				r.Watch = &journal.Watch{Signal: "admission_rate", Direction: "down", Wanted: 400, WithinS: 180}
			}
			if _, err := j.Append(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		say(journal.Intent, "old", "")
		say(journal.Result, "old", "done")
		time.Sleep(10 * time.Minute)
		say(journal.Intent, "new", "")
		say(journal.Result, "new", "done")
		w := join(t, system, dir, func(c *actions.Config) { c.Journal = orphaned{c.Journal} })
		for range 2 {
			if _, err := w.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if last := w.last(); last.ID != "old" || last.Outcome != string(actions.NotVisible) {
			t.Errorf("%+v", last)
		}
		time.Sleep(time.Minute)
		got := w.Observe(t.Context(), w.see(400, time.Now()), time.Now())
		if len(got) != 1 || got[0].ID != "new" || got[0].Sight != actions.Seen || len(w.codes()) != 6 {
			t.Errorf("%+v %v", got, w.codes())
		}
	})
}

// orphaned is a journal whose writers are all dead.
type orphaned struct{ actions.Recorder }

func (orphaned) WriterAlive(journal.Record) bool { return false }

func TestAPauseDuringARampStopsTheRamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, plays(
			actions.PlayStep{Verb: actions.Rate, To: num(400)},
			actions.PlayStep{Verb: actions.ScaleUp, To: num(12), After: 2 * time.Minute},
		))
		p := w.show(vesna, calm)
		done := make(chan actions.Result)
		go func() { done <- w.confirm(vesna, p) }()
		time.Sleep(time.Minute)
		w.see(400, time.Now())
		if res := w.do(tomo, actions.Request{Sale: harbour, Verb: actions.Pause}); res.Outcome != actions.Done {
			t.Errorf("%+v", res)
		}
		if res := w.do(tomo, actions.Request{Sale: harbour, Verb: actions.AddNote, Text: "a note stops nothing"}); res.Outcome != actions.Done {
			t.Errorf("%+v", res)
		}
		res := <-done
		if res.Outcome != actions.Failed || !strings.Contains(res.Text, "pause by tomo") || w.system.Value()["min"].String() != "8" {
			t.Errorf("%s %q", res.Outcome, res.Text)
		}
		if last := w.last(); last.Kind != journal.Refused || last.Play == nil || last.Play.Step != 2 || last.Ref != res.ID {
			t.Errorf("%+v", last)
		}
	})
}

// ramping is an executor that makes a ramp of one request.
type ramping struct{ actions.Executor }

func (r ramping) Preview(ctx context.Context, req actions.Request, e actions.Evidence) (actions.Preview, error) {
	if req.Verb != actions.Resume || req.Step > 0 {
		if req.Verb == actions.Resume {
			req.Verb = actions.Rate
		}
		return r.Executor.Preview(ctx, req, e)
	}
	whole := actions.Preview{Risk: actions.Mild}
	for i, v := range []float64{200, 400} {
		part := actions.Request{Sale: req.Sale, Verb: actions.Resume, To: &v, Step: i + 1}
		p, err := r.Preview(ctx, part, e)
		if err != nil {
			return p, err
		}
		whole.Target, whole.Steps = p.Target, append(whole.Steps, actions.Step{Request: part, Preview: p, After: time.Duration(i) * time.Minute})
	}
	return whole, nil
}

func TestARampOfAnExecutorRunsStepByStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ramps := func(c *actions.Config) {
			inner := c.Executor
			c.Executor = func(id sale.ID, v actions.Verb) (actions.Executor, error) {
				ex, err := inner(id, v)
				return ramping{ex}, err
			}
		}
		w := newWorld(t, ramps)
		p := w.show(vesna, actions.Request{Sale: harbour, Verb: actions.Resume, Reason: "mended"})
		if len(p.Steps) != 2 || p.Steps[1].Preview.From.String() != "rate 200" || p.Gesture() != actions.Normal {
			t.Fatalf("%+v", p)
		}
		if res := w.confirm(vesna, p); res.Outcome != actions.Done || w.system.Value()["rate"].String() != "400" {
			t.Errorf("%s %q", res.Outcome, res.Text)
		}
		if got := w.codes(); !slices.Equal(got, []string{"ADM30I", "ADM30D", "ADM30I", "ADM30D", "ADM30X"}) {
			t.Errorf("%v", got)
		}
		w.wrote(2)
		w.see(400, time.Now())
		if res := w.do(vesna, actions.Request{Sale: harbour, Verb: actions.Undo}); res.Outcome != actions.Done || w.system.Value()["rate"].String() != "200" {
			t.Errorf("undo of the last step: %s %q", res.Outcome, res.Text)
		}
	})
}

func TestTheGestureIsThatOfTheWorstPart(t *testing.T) {
	step := func(r actions.Risk) actions.Step { return actions.Step{Preview: actions.Preview{Risk: r}} }
	for _, c := range []struct {
		whole actions.Risk
		steps []actions.Step
		want  actions.Risk
	}{
		{actions.Mild, nil, actions.Mild},
		{actions.Normal, nil, actions.Normal},
		{"", nil, actions.Severe},
		{"odd", nil, actions.Severe},
		{actions.Mild, []actions.Step{step(actions.Mild), step(actions.Normal)}, actions.Normal},
		{actions.Mild, []actions.Step{step(actions.Severe), step(actions.Mild)}, actions.Severe},
		{actions.Normal, []actions.Step{step("odd")}, actions.Severe},
		{actions.Severe, []actions.Step{step(actions.Mild)}, actions.Severe},
	} {
		if got := (&actions.Preview{Risk: c.whole, Steps: c.steps}).Gesture(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestUndoOnAnotherTargetOrOfValuesThatAreNotRecordedIsRefused(t *testing.T) {
	w := newWorld(t)
	say := func(id, from, name string) {
		target := journal.Target(w.system.Target)
		target.Name = name
		for _, k := range []journal.Kind{journal.Intent, journal.Result} {
			r := journal.Record{Code: "ADM20I", Kind: k, ID: id, Sale: "harbour", Action: "rate", Target: &target, From: []byte(from), To: []byte(`{"rate":800}`), Outcome: "done"}
			if _, err := w.j.Append(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
	}
	undo := func() string {
		p := w.Preview(t.Context(), vesna, actions.Request{Sale: harbour, Verb: actions.Undo})
		if !p.Refused() {
			t.Errorf("%s → %s is not refused", p.From, p.To)
			return ""
		}
		return p.Refusals[0].Text
	}
	say("elsewhere", `{"rate":400}`, "another room")
	if text := undo(); !strings.Contains(text, "was on another") {
		t.Errorf("%q", text)
	}
	say("half", `{"max":1}`, w.system.Target.Name)
	if text := undo(); !strings.Contains(text, "not recorded in full") {
		t.Errorf("%q", text)
	}
}

func TestANoteThatACrashCutShortIsInTheJournalAllTheSame(t *testing.T) {
	w := newWorld(t, func(c *actions.Config) { c.Policy.Lease = time.Nanosecond })
	target := journal.Target{System: "journal", Kind: "journal", Name: "harbour"}
	r := journal.Record{Code: "NOT10I", Kind: journal.Intent, ID: "n", Sale: "harbour", Action: "note", Target: &target, To: []byte(`{"note":"called the bank"}`)}
	if _, err := w.j.Append(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if settled, err := w.Settle(t.Context()); err != nil || len(settled) != 1 || settled[0].Outcome != actions.Done {
		t.Errorf("%+v %v", settled, err)
	}
	if p := w.Preview(t.Context(), vesna, actions.Request{Sale: harbour, Verb: actions.AddNote, Text: " "}); !p.Refused() {
		t.Error("a note without words")
	}
}
