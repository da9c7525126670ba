package actions_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/actiontest"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
)

func TestAnActionIsJournalledSentOnceReadBackAndJournalledAgain(t *testing.T) {
	w := newWorld(t)
	res := w.do(vesna, rate(400))
	if res.Outcome != actions.Done || res.ReadBack.String() != "rate 400" || res.Receipt.RequestID == "" {
		t.Errorf("%+v", res)
	}
	w.wrote(1)
	if got := w.codes(); !slices.Equal(got, []string{"ADM20I", "ADM20D"}) {
		t.Errorf("journal: %v", got)
	}
	records, _ := w.j.List(journal.Filter{})
	in, out := records[0], records[1]
	if in.ID != res.ID || w.system.Keys()[0] != res.ID || out.ID != res.ID || in.Seq != res.IntentSeq || out.Seq != res.ResultSeq {
		t.Error("the intent, the idempotency key and the result don't carry one id")
	}
	if string(in.From) != `{"rate":800}` || string(in.To) != `{"rate":400}` || in.Reason != "declines" || in.Actor.Name != "vesna" ||
		len(in.Evidence) == 0 || in.Watch == nil || string(out.ReadBack) != `{"rate":400}` || out.RequestID == "" {
		t.Errorf("%+v\n%+v", in, out)
	}
	w.whole()
}

func TestEveryGuardRefusesBeforeAnythingIsSent(t *testing.T) {
	now := time.Now()
	policy := func(f func(*actions.Policy)) func(*actions.Config) {
		return func(c *actions.Config) { f(&c.Policy) }
	}
	cases := []struct {
		name   string
		policy func(*actions.Policy)
		who    actions.Actor
		req    actions.Request
		change func(w *world, c *actions.Confirmed)
		guard  actions.Guard
	}{
		{name: "a viewer", who: zrin, guard: actions.GuardRole},
		{name: "somebody without a role", who: actions.Actor{Name: "x"}, guard: actions.GuardRole},
		{name: "nobody", who: actions.Actor{Role: actions.Operator}, guard: actions.GuardRole},
		{name: "a read-only cockpit", policy: func(p *actions.Policy) { p.ReadOnly = true }, guard: actions.GuardArmed},
		{name: "not armed", change: func(_ *world, c *actions.Confirmed) { c.Arming = "" }, guard: actions.GuardArmed},
		{name: "armed for another preview", change: func(_ *world, c *actions.Confirmed) {
			c.Preview.To = actions.Value{"rate": actions.Number(500)}
		}, guard: actions.GuardArmed},
		{name: "a freeze window", policy: func(p *actions.Policy) {
			p.Freezes = []actions.Freeze{{From: now.Add(-time.Hour), Until: now.Add(time.Hour), Reason: "on-sale"}}
		}, guard: actions.GuardFreeze},
		{name: "under the bound", policy: func(p *actions.Policy) {
			p.Bounds = []actions.Bound{{Setting: "rate", Min: num(450)}}
		}, guard: actions.GuardBounds},
		{name: "over the bound", policy: func(p *actions.Policy) {
			p.Bounds = []actions.Bound{{Setting: "rate", Max: num(300), System: "memory"}}
		}, guard: actions.GuardBounds},
		{name: "too much in one action", policy: func(p *actions.Policy) {
			p.Bounds = []actions.Bound{{Setting: "rate", Factor: 1.5}}
		}, guard: actions.GuardBounds},
		{name: "an account that is not declared", policy: func(p *actions.Policy) { p.Accounts = []string{"other"} }, guard: actions.GuardTarget},
		{name: "a target that is not declared", policy: func(p *actions.Policy) { p.Targets = nil }, guard: actions.GuardTarget},
		{
			name: "no reason", policy: func(p *actions.Policy) { p.Requirements = []actions.Requirement{{Reason: true}} },
			change: func(_ *world, c *actions.Confirmed) { c.Preview.Request.Reason = " \n" }, guard: actions.GuardReason,
		},
		{name: "no change id", policy: func(p *actions.Policy) { p.Requirements = []actions.Requirement{{Change: true}} }, guard: actions.GuardReason},
		{name: "no second person", policy: func(p *actions.Policy) { p.Requirements = []actions.Requirement{{Second: true}} }, guard: actions.GuardSecond},
		{name: "the value changed", change: func(w *world, _ *actions.Confirmed) { w.system.Set("marko", "rate", actions.Number(600)) }, guard: actions.GuardChanged},
		{name: "written again with the same value", change: func(w *world, _ *actions.Confirmed) { w.system.Set("marko", "rate", actions.Number(800)) }, guard: actions.GuardChanged},
		{name: "confirmed long ago", change: func(_ *world, c *actions.Confirmed) { c.At = c.At.Add(-11 * time.Second) }, guard: actions.GuardStale},
		{name: "never confirmed", change: func(_ *world, c *actions.Confirmed) { c.At = time.Time{} }, guard: actions.GuardStale},
		{name: "a full disk", change: func(w *world, _ *actions.Confirmed) { w.rec.fail = syscall.ENOSPC }, guard: actions.GuardJournal},
		{name: "the target can't be read", change: func(w *world, _ *actions.Confirmed) { w.blind() }, guard: actions.GuardTarget},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var changes []func(*actions.Config)
			if c.policy != nil {
				changes = append(changes, policy(c.policy))
			}
			w := newWorld(t, changes...)
			shown := newWorldLike(t, w).show(vesna, rate(400)) // as an unbounded cockpit would show it
			who := c.who
			if who == (actions.Actor{}) {
				who = vesna
			}
			conf := actions.Confirmed{Preview: shown, At: time.Now()}
			armed, no := w.Arm(who, shown, time.Minute)
			if no != nil && no.Guard != actions.GuardRole && no.Guard != actions.GuardArmed {
				t.Fatal(no)
			}
			conf.Arming = armed.ID
			if c.change != nil {
				c.change(w, &conf)
			}
			writes := w.system.Writes()
			res := w.Run(t.Context(), who, conf)
			refusedBy(t, res, c.guard)
			w.wrote(writes)
			if c.guard != actions.GuardJournal {
				if last := w.last(); last.Code != "ADM20R" || last.Outcome != "refused" || !strings.Contains(last.Text, string(c.guard)) {
					t.Errorf("the refusal is not journalled: %+v", last)
				}
			} else if res.Unrecorded == nil {
				t.Error("the failure to journal the refusal is not said")
			}
			w.whole()
		})
	}
}

// newWorldLike is another cockpit on the same system with a journal of its own and no rules.
func newWorldLike(t *testing.T, w *world) *world {
	t.Helper()
	return join(t, w.system, t.TempDir()+"/j")
}

// blind makes the system answer no read.
func (w *world) blind() {
	w.system.Fault(actiontest.Blind)
	p, _ := w.system.Executor().Preview(w.t.Context(), rate(500), actions.Evidence{})
	_, _ = w.system.Executor().Execute(w.t.Context(), p, "by somebody else")
}

func TestARefusalOfAChangedTargetSaysWhatChangedAndByWhom(t *testing.T) {
	w := newWorld(t)
	p := w.show(vesna, rate(400))
	w.system.Set("marko", "rate", actions.Number(600))
	res := w.confirm(vesna, p)
	refusedBy(t, res, actions.GuardChanged)
	if !strings.Contains(res.Text, "rate 800 → 600 by marko") {
		t.Errorf("%q", res.Text)
	}
	w.wrote(0)
}

func TestAChangeBetweenTheSecondReadingAndTheWriteIsRefusedByTheSystemsVersion(t *testing.T) {
	w := newWorld(t)
	p := w.show(vesna, rate(400))
	w.system.OnWrite(func() { w.system.Set("marko", "rate", actions.Number(600)) })
	res := w.confirm(vesna, p)
	refusedBy(t, res, actions.GuardChanged)
	if v := w.system.Value()["rate"].String(); v != "600" {
		t.Errorf("marko's %s was overwritten", v)
	}
	if got := w.codes(); !slices.Equal(got, []string{"ADM20I", "ADM20R"}) {
		t.Errorf("%v", got)
	}
}

func TestNonsenseIsRefusedBeforeTheNetwork(t *testing.T) {
	w := newWorld(t)
	calls := w.system.Calls()
	for _, req := range []actions.Request{
		rate(0), rate(-1), rate(math.NaN()), rate(math.Inf(1)),
		{Sale: harbour, Verb: actions.Rate},
		{Sale: harbour, Verb: "suspend"},
		{Verb: actions.Pause},
		{Sale: harbour, Verb: actions.Pause, To: num(1)},
		{Sale: harbour, Verb: actions.ScaleUp, To: num(0)},
	} {
		if p := w.Preview(t.Context(), vesna, req); !p.Refused() {
			t.Errorf("%+v is not refused", req)
		}
	}
	if w.system.Calls() != calls {
		t.Error("the system was asked")
	}
	for _, req := range []actions.Request{rate(199), rate(5001), {Sale: harbour, Verb: actions.ScaleUp, To: num(8)}, {Sale: harbour, Verb: actions.ScaleUp, To: num(33)}, rate(800)} {
		if p := w.Preview(t.Context(), vesna, req); !p.Refused() {
			t.Errorf("%+v is not refused", req)
		}
	}
	w.wrote(0)
}

// careless is an executor that lets anything through.
type careless struct {
	actions.Executor
	to actions.Value
}

func (c careless) Preview(ctx context.Context, req actions.Request, e actions.Evidence) (actions.Preview, error) {
	p, err := c.Executor.Preview(ctx, actions.Request{Sale: req.Sale, Verb: actions.Pause}, e)
	p.To, p.From = c.to, actions.Value{"min": actions.Number(8), "queue_all": actions.Flag(false), "rate": actions.Number(800)}
	return p, err
}

func TestTheRunnerRefusesWhatACarelessExecutorWouldSend(t *testing.T) {
	for name, c := range map[string]struct {
		verb actions.Verb
		to   actions.Value
	}{
		"nothing at all":          {actions.Pause, nil},
		"not a number":            {actions.ScaleUp, actions.Value{"min": actions.Number(math.NaN())}},
		"infinite":                {actions.ScaleUp, actions.Value{"min": actions.Number(math.Inf(1))}},
		"zero":                    {actions.ScaleBack, actions.Value{"min": actions.Number(0)}},
		"below zero":              {actions.Resume, actions.Value{"rate": actions.Number(-5)}},
		"a scale up that lowers":  {actions.ScaleUp, actions.Value{"min": actions.Number(7)}},
		"a scale up that doesn't": {actions.ScaleUp, actions.Value{"min": actions.Number(8)}},
		"what is so already":      {actions.Pause, actions.Value{"queue_all": actions.Flag(false)}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(cfg *actions.Config) {
				inner := cfg.Executor
				cfg.Executor = func(id sale.ID, v actions.Verb) (actions.Executor, error) {
					ex, err := inner(id, v)
					return careless{ex, c.to}, err
				}
			})
			if p := w.Preview(t.Context(), vesna, actions.Request{Sale: harbour, Verb: c.verb}); !p.Refused() {
				t.Errorf("%s → %s is not refused", p.From, p.To)
			}
			w.wrote(0)
		})
	}
}

func TestAViewerWhoTriesEverythingReachesNoSystemAndIsRecorded(t *testing.T) {
	w := newWorld(t)
	shown := w.show(vesna, rate(400))
	calls := w.system.Calls()
	for _, m := range actions.Verbs() {
		p := w.Preview(t.Context(), zrin, actions.Request{Sale: harbour, Verb: m.Verb, To: num(300), Play: "x", Text: "y"})
		if !p.Refused() || p.Refusals[0].Guard != actions.GuardRole {
			t.Errorf("%s: %+v", m.Verb, p.Refusals)
		}
		if _, no := w.Arm(zrin, shown, time.Minute); no == nil {
			t.Error("a viewer was armed")
		}
		for range 50 { // a key that is held down
			w.Preview(t.Context(), zrin, actions.Request{Sale: harbour, Verb: m.Verb})
		}
	}
	refusedBy(t, w.Run(t.Context(), zrin, actions.Confirmed{Preview: shown, At: time.Now()}), actions.GuardRole)
	armed, _ := w.Arm(vesna, shown, time.Minute)
	refusedBy(t, w.Run(t.Context(), zrin, actions.Confirmed{Preview: shown, Arming: armed.ID, At: time.Now()}), actions.GuardRole)
	if _, no := w.Ask(t.Context(), zrin, shown); no == nil {
		t.Error("a viewer asked for a second person")
	}
	if no := w.SettleByHand(t.Context(), zrin, "x", actions.Done, "because"); no == nil {
		t.Error("a viewer settled")
	}
	if w.system.Calls() != calls {
		t.Errorf("%d calls reached the system", w.system.Calls()-calls)
	}
	codes := w.codes()
	for _, c := range codes {
		if c[5] != 'R' {
			t.Errorf("journal: %v", codes)
		}
	}
	if len(codes) != len(actions.Verbs()) {
		t.Errorf("%d refusals of %d different tries: %v", len(codes), len(actions.Verbs()), codes)
	}
}

func TestOutcomesAreNeverGuessed(t *testing.T) {
	cases := []struct {
		fault actiontest.Fault
		want  actions.Outcome
		code  string
		value string
		text  string
	}{
		{actiontest.Lose, actions.Done, "ADM20D", "400", "the answer was lost"},
		{actiontest.Reject, actions.Failed, "ADM20F", "800", "said no: 403"},
		{actiontest.Break, actions.Unknown, "ADM20U", "800", "it holds rate 800"},
		{actiontest.Hang, actions.Unknown, "ADM20U", "800", "was not sent again"},
		{actiontest.Ignore, actions.Failed, "ADM20F", "800", "accepted, but it holds rate 800"},
		{actiontest.Blind, actions.Unknown, "ADM20U", "400", "could not be read back"},
	}
	for _, c := range cases {
		t.Run(string(c.fault), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				p := w.show(vesna, rate(400))
				w.system.Fault(c.fault)
				res := w.confirm(vesna, p)
				if res.Outcome != c.want || !strings.Contains(res.Text, c.text) {
					t.Errorf("%s: %s", res.Outcome, res.Text)
				}
				w.wrote(1)
				if v := w.system.Value()["rate"].String(); v != c.value {
					t.Errorf("the system holds %s", v)
				}
				if last := w.last(); last.Code != c.code || last.Outcome != string(c.want) {
					t.Errorf("%s %s", last.Code, last.Outcome)
				}
				w.whole()
			})
		})
	}
}

// rude is an executor that breaks down or never comes back.
type rude struct {
	actions.Executor
	execute func() (actions.Receipt, error)
}

func (r rude) Execute(context.Context, actions.Preview, string) (actions.Receipt, error) {
	return r.execute()
}

func TestAnExecutorThatPanicsOrNeverComesBackIsUnknown(t *testing.T) {
	for name, execute := range map[string]func() (actions.Receipt, error){
		"panics":     func() (actions.Receipt, error) { panic("nil map") },
		"sleeps on":  func() (actions.Receipt, error) { time.Sleep(time.Hour); return actions.Receipt{}, nil },
		"odd errors": func() (actions.Receipt, error) { return actions.Receipt{}, errors.New("odd \x1b[2J") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, func(cfg *actions.Config) {
					inner := cfg.Executor
					cfg.Executor = func(id sale.ID, v actions.Verb) (actions.Executor, error) {
						ex, err := inner(id, v)
						return rude{ex, execute}, err
					}
				})
				res := w.do(vesna, rate(400))
				if res.Outcome != actions.Unknown || strings.Contains(res.Text, "\x1b") {
					t.Errorf("%+v", res)
				}
				time.Sleep(2 * time.Hour) // until the late one has come and gone
			})
		})
	}
}

func TestTheEndOfTheCallersContextStopsNothingThatWasSent(t *testing.T) {
	w := newWorld(t)
	p := w.show(vesna, rate(400))
	a, _ := w.Arm(vesna, p, time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	w.system.OnWrite(cancel)
	if res := w.Run(ctx, vesna, actions.Confirmed{Preview: p, Arming: a.ID, At: time.Now()}); res.Outcome != actions.Done || res.Unrecorded != nil {
		t.Errorf("%+v", res)
	}
}

func TestAnArmingIsGoodForOnePersonOncePreviewAndATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.show(vesna, rate(400))
		run := func(who actions.Actor, id string) actions.Result {
			return w.Run(t.Context(), who, actions.Confirmed{Preview: p, Arming: id, At: time.Now()})
		}
		a, _ := w.Arm(vesna, p, 8*time.Second)
		refusedBy(t, run(tomo, a.ID), actions.GuardArmed)
		refusedBy(t, run(vesna, a.ID), actions.GuardArmed) // tomo's try used it up
		a, _ = w.Arm(vesna, p, 8*time.Second)
		w.Disarm(a.ID)
		refusedBy(t, run(vesna, a.ID), actions.GuardArmed)
		a, _ = w.Arm(vesna, p, 8*time.Second)
		time.Sleep(9 * time.Second)
		refusedBy(t, run(vesna, a.ID), actions.GuardArmed)
		a, _ = w.Arm(vesna, p, time.Hour)
		if left := time.Until(a.Until); left > time.Minute {
			t.Errorf("armed for %s", left)
		}
		w.see(800, time.Now())
		if res := run(vesna, a.ID); res.Outcome != actions.Done {
			t.Errorf("%+v", res)
		}
		refusedBy(t, run(vesna, a.ID), actions.GuardArmed)
		w.wrote(1)
	})
}

func TestTwoCockpitsAtOnceExactlyOneExecutesAndTheOtherSeesWho(t *testing.T) {
	for range 10 {
		a := newWorld(t)
		b := join(t, a.system, a.dir)
		pa, pb := a.show(vesna, rate(400)), b.show(tomo, rate(600))
		var ra, rb actions.Result
		var wg sync.WaitGroup
		wg.Go(func() { ra = a.confirm(vesna, pa) })
		wg.Go(func() { rb = b.confirm(tomo, pb) })
		wg.Wait()
		won, lost, name := ra, rb, "vesna"
		if rb.Outcome == actions.Done {
			won, lost, name = rb, ra, "tomo"
		}
		if won.Outcome != actions.Done || lost.Outcome != actions.Refused {
			t.Fatalf("%s (%s) and %s (%s)", ra.Outcome, ra.Text, rb.Outcome, rb.Text)
		}
		if !strings.Contains(lost.Text, name) && !strings.Contains(lost.Text, "onsale") {
			t.Errorf("the refusal does not say who: %q", lost.Text)
		}
		a.wrote(1)
		a.whole()
	}
}

func TestManyGoroutinesOfOneCockpitExecuteOneActionAtATime(t *testing.T) {
	w := newWorld(t)
	p := w.show(vesna, rate(400))
	var wg sync.WaitGroup
	outcomes := make([]actions.Outcome, 12)
	for i := range outcomes {
		wg.Go(func() { outcomes[i] = w.confirm(vesna, p).Outcome })
	}
	wg.Wait()
	done := 0
	for _, o := range outcomes {
		if o == actions.Done {
			done++
		}
	}
	if done != 1 {
		t.Errorf("%v", outcomes)
	}
	w.wrote(1)
	w.whole()
}

func TestAPausedCockpitsIntentIsStaleWhenItWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.show(vesna, rate(400))
		w.rec.hook = func(k journal.Kind) error {
			if k == journal.Intent {
				time.Sleep(time.Minute) // stopped between the gesture and the write
			}
			return nil
		}
		refusedBy(t, w.confirm(vesna, p), actions.GuardStale)
		w.wrote(0)
		if got := w.codes(); !slices.Equal(got, []string{"ADM20I", "ADM20R"}) {
			t.Errorf("%v", got)
		}
		if pending, _ := w.j.Pending(); len(pending) != 0 {
			t.Errorf("%+v", pending)
		}
	})
}

func TestAnUnsettledActionOfSomebodyElseKeepsOthersAwayForItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newWorld(t)
		b := join(t, a.system, a.dir)
		p := a.show(vesna, rate(400))
		a.system.Fault(actiontest.Break)
		if res := a.confirm(vesna, p); res.Outcome != actions.Unknown {
			t.Fatalf("%+v", res)
		}
		a.system.Fault(actiontest.None)
		res := b.do(tomo, rate(600))
		refusedBy(t, res, actions.GuardLease)
		if !strings.Contains(res.Text, "vesna") {
			t.Errorf("%q", res.Text)
		}
		a.see(800, time.Now())
		if res := a.do(vesna, rate(500)); res.Outcome != actions.Done {
			t.Errorf("whoever sent it may not decide again: %+v", res)
		}
		time.Sleep(2 * time.Minute)
		b.see(500, time.Now())
		if res := b.do(tomo, rate(600)); res.Outcome != actions.Done {
			t.Errorf("the lease never ends: %+v", res)
		}
	})
}

func TestNothingIsDoneWithoutAJournal(t *testing.T) {
	w := newWorld(t, func(c *actions.Config) { c.Journal = actions.NoJournal(errors.New("no space left on device")) })
	p := w.Preview(t.Context(), vesna, rate(400))
	if !p.Refused() || p.Refusals[0].Guard != actions.GuardJournal {
		t.Errorf("%+v", p.Refusals)
	}
	p.Refusals = nil
	refusedBy(t, w.confirm(vesna, p), actions.GuardJournal)
	w.wrote(0)
	if _, err := w.Head(); err == nil {
		t.Error("the head of no journal")
	}
	if _, err := w.Settle(t.Context()); err == nil {
		t.Error("settled without a journal")
	}
}

func TestAResultThatCantBeJournalledIsTrueAllTheSameAndSaysSo(t *testing.T) {
	w := newWorld(t)
	w.rec.hook = func(k journal.Kind) error {
		if k == journal.Result {
			return syscall.EIO
		}
		return nil
	}
	res := w.do(vesna, rate(400))
	if res.Outcome != actions.Done || !errors.Is(res.Unrecorded, syscall.EIO) {
		t.Errorf("%+v", res)
	}
	w.rec.hook = nil
	settled, err := join(t, w.system, w.dir, func(c *actions.Config) { c.Policy.Lease = time.Nanosecond }).Settle(t.Context())
	if err != nil || len(settled) != 1 || settled[0].Outcome != actions.Done {
		t.Errorf("%+v %v", settled, err)
	}
	w.wrote(1)
}

func TestSecretsAreTakenOutOfWhatIsJournalled(t *testing.T) {
	const canary = "canary-5f1e"
	w := newWorld(t, func(c *actions.Config) {
		c.Redact = func(s string) string { return strings.ReplaceAll(s, canary, "***") }
	})
	req := rate(400)
	req.Reason, req.Change = "token "+canary, canary
	w.do(vesna, req)
	note := actions.Request{Sale: harbour, Verb: actions.AddNote, Text: "the key is " + canary}
	if res := w.do(vesna, note); res.Outcome != actions.Done {
		t.Errorf("%+v", res)
	}
	var out strings.Builder
	if err := journal.Export(&out, w.dir, journal.Filter{}, journal.JSONLines); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), canary) || !strings.Contains(out.String(), "***") {
		t.Error(out.String())
	}
}
