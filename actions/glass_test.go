package actions_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
)

// lockedDown is a policy in which everything that the glass can lift is in the way.
func lockedDown(lifts ...actions.Lift) func(*actions.Config) {
	return func(c *actions.Config) {
		c.Policy.Freezes = []actions.Freeze{{From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour), Reason: "on-sale"}}
		c.Policy.Requirements = []actions.Requirement{{Change: true}, {Second: true}}
		c.Policy.Limits = []actions.Limit{{Count: 1, Per: time.Hour}}
		c.Policy.Glass = &actions.Glass{Verbs: []actions.Verb{actions.Rate, actions.RunPlay}, Lifts: lifts}
	}
}

var everyLift = []actions.Lift{actions.LiftFreeze, actions.LiftSecond, actions.LiftRate, actions.LiftChange}

func glass(v float64) actions.Request {
	req := rate(v)
	req.Glass = true
	return req
}

func TestBrokenGlassLiftsWhatThePolicyNamesLoudlyAndOnRecord(t *testing.T) {
	w := newWorld(t, lockedDown(everyLift...))
	newWorldOn(t, w).do(tomo, actions.Request{Sale: harbour, Verb: actions.Pause}) // uses up the limit
	if p := w.Preview(t.Context(), vesna, rate(400)); !p.Refused() {
		t.Fatal("nothing is in the way")
	}
	p := w.show(vesna, glass(400))
	var lifted []string
	for _, no := range p.Lifted {
		lifted = append(lifted, string(no.Guard))
	}
	if p.Gesture() != actions.Severe || !slices.Equal(lifted, []string{"freeze", "bounds", "reason", "second"}) {
		t.Errorf("%s, it lifts %v", p.Gesture(), lifted)
	}
	if words := p.LiftedWords(); words != "freeze, max actions, change, second person" {
		t.Errorf("in words: %q", words)
	}
	if reason, change, second := w.Needs(&p); !reason || change || second {
		t.Errorf("it needs reason %v, change %v, second %v", reason, change, second)
	}
	if res := w.confirm(vesna, p); res.Outcome != actions.Done {
		t.Fatalf("%+v", res)
	}
	records, _ := w.j.List(journal.Filter{Last: 3})
	note, intent, result := records[0], records[1], records[2]
	all := []string{"freeze", "max_actions", "change", "second_person"}
	if note.Code != "GLS10N" || note.ID != intent.ID || note.Reason != "declines" || !strings.Contains(note.Text, "lifts freeze, max_actions, change, second_person") ||
		!slices.Equal(note.Glass, all) || !slices.Equal(intent.Glass, all) || !slices.Equal(result.Glass, all) || intent.Code != "ADM20I" {
		t.Errorf("%+v\n%+v\n%+v", note, intent, result)
	}
	w.whole()
}

// newWorldOn is another cockpit on the same system and journal, without rules.
func newWorldOn(t *testing.T, w *world) *world {
	t.Helper()
	return join(t, w.system, w.dir)
}

func TestTheGlassLiftsNothingElse(t *testing.T) {
	cases := []struct {
		name   string
		change func(*actions.Policy)
		who    actions.Actor
		guard  actions.Guard
	}{
		{"a role", func(*actions.Policy) {}, zrin, actions.GuardRole},
		{"a read-only cockpit", func(p *actions.Policy) { p.ReadOnly = true }, vesna, actions.GuardArmed},
		{"a bound", func(p *actions.Policy) { p.Bounds = []actions.Bound{{Setting: "rate", Min: num(500)}} }, vesna, actions.GuardBounds},
		{"an account", func(p *actions.Policy) { p.Accounts = []string{"other"} }, vesna, actions.GuardTarget},
		{"a target", func(p *actions.Policy) { p.Targets = nil }, vesna, actions.GuardTarget},
		{"evidence", func(p *actions.Policy) { p.EvidenceMaxAge = time.Nanosecond }, vesna, actions.GuardEvidence},
		{"a verb that it is not for", func(p *actions.Policy) { p.Glass.Verbs = []actions.Verb{actions.Pause} }, vesna, actions.GuardGlass},
		{"a policy without it", func(p *actions.Policy) { p.Glass = nil }, vesna, actions.GuardGlass},
		{"a freeze that it does not name", func(p *actions.Policy) { p.Glass.Lifts = everyLift[1:] }, vesna, actions.GuardFreeze},
		{"a limit that it does not name", func(p *actions.Policy) { p.Glass.Lifts = []actions.Lift{actions.LiftFreeze} }, vesna, actions.GuardBounds},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, lockedDown(everyLift...), lean, func(cfg *actions.Config) { c.change(&cfg.Policy) })
			newWorldOn(t, w).do(tomo, actions.Request{Sale: harbour, Verb: actions.Pause})
			open := join(t, w.system, w.dir, lockedDown(everyLift...), lean)
			shown := open.show(vesna, glass(400)) // as a cockpit shows it in which the glass lifts all
			writes := w.system.Writes()
			if p := w.Preview(t.Context(), c.who, glass(400)); !p.Refused() || !slices.ContainsFunc(p.Refusals, func(no actions.Refusal) bool { return no.Guard == c.guard }) {
				t.Errorf("the preview is refused by %+v, want %s", p.Refusals, c.guard)
			}
			arming, no := w.Arm(c.who, shown, time.Minute)
			if no != nil && no.Guard != c.guard {
				t.Fatal(no)
			}
			refusedBy(t, w.Run(t.Context(), c.who, actions.Confirmed{Preview: shown, Arming: arming.ID, At: time.Now()}), c.guard)
			w.wrote(writes)
		})
	}
}

// lean makes every preview need a signal.
func lean(c *actions.Config) {
	inner := c.Executor
	c.Executor = func(id sale.ID, v actions.Verb) (actions.Executor, error) {
		ex, err := inner(id, v)
		if ex == nil {
			return nil, err
		}
		return leaning{ex}, err
	}
}

func TestBreakingTheGlassTakesAReasonAndAJournal(t *testing.T) {
	w := newWorld(t, lockedDown(everyLift...))
	p := w.show(vesna, glass(400))
	p.Request.Reason, p.Request.Change = " ", "CHG-1"
	refusedBy(t, w.confirm(vesna, p), actions.GuardReason)
	p.Request.Reason = "the shop is down"
	w.rec.hook = func(k journal.Kind) error {
		if k == journal.Note {
			return errors.New("no space left on device")
		}
		return nil
	}
	refusedBy(t, w.confirm(vesna, p), actions.GuardJournal)
	w.wrote(0)
}

func TestAnArmingForTheOrdinaryWayBreaksNoGlass(t *testing.T) {
	w := newWorld(t, func(c *actions.Config) { lockedDown(everyLift...)(c); c.Policy.Freezes = nil; c.Policy.Limits = nil })
	p := w.show(vesna, rate(400))
	a, no := w.Arm(vesna, p, time.Minute)
	if no != nil {
		t.Fatal(no)
	}
	p.Request.Glass = true
	refusedBy(t, w.Run(t.Context(), vesna, actions.Confirmed{Preview: p, Arming: a.ID, At: time.Now()}), actions.GuardArmed)
	w.wrote(0)
}

func TestTheGlassIsNotBrokenForNothing(t *testing.T) {
	w := newWorld(t, func(c *actions.Config) {
		c.Policy.Glass = &actions.Glass{Verbs: []actions.Verb{actions.Rate}, Lifts: everyLift}
	})
	if p := w.Preview(t.Context(), vesna, glass(400)); !p.Refused() || p.Refusals[0].Guard != actions.GuardGlass {
		t.Errorf("%+v", p.Refusals)
	}
}

func TestABrokenGlassHoldsForAllStepsOfASequence(t *testing.T) {
	w := newWorld(t, plays(actions.PlayStep{Verb: actions.Rate, To: num(400)}, actions.PlayStep{Verb: actions.Pause}), lockedDown(everyLift...))
	req := calm
	req.Glass = true
	if res := w.do(vesna, req); res.Outcome != actions.Done || len(res.Steps) != 2 {
		t.Errorf("%+v", res)
	}
	broken, _ := w.j.List(journal.Filter{Code: "GLS"})
	if len(broken) != 2 || !slices.Equal(broken[1].Glass, []string{"freeze", "change"}) {
		t.Errorf("%+v", broken)
	}
}

func TestEvidenceOlderThanThePolicyLetsItCarriesNoAction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		most := func(c *actions.Config) { lean(c); c.Policy.EvidenceMaxAge = 30 * time.Second }
		w := newWorld(t, most)
		p := w.show(vesna, rate(400))
		if len(p.Warnings) > 0 {
			t.Errorf("%v", p.Warnings)
		}
		time.Sleep(22 * time.Second) // still fresh by its source's own cadence of 15 s
		if p = w.show(vesna, rate(400)); len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], "admitted 800/min (22s) carries no action in 8s") {
			t.Errorf("%v", p.Warnings)
		}
		time.Sleep(9 * time.Second)
		refusedBy(t, w.confirm(vesna, p), actions.GuardEvidence)
		if p := w.Preview(t.Context(), vesna, rate(400)); !p.Refused() || p.Refusals[0].Guard != actions.GuardEvidence || !strings.Contains(p.Refusals[0].Text, "older than 30s") {
			t.Errorf("%+v", p.Refusals)
		}
		w.wrote(0)
		if got := w.EvidenceMaxAge(rate(400)); got != 30*time.Second {
			t.Errorf("%s", got)
		}
		// A note, an incident: paperwork is not held up by what can't be seen.
		if res := w.do(vesna, actions.Request{Sale: harbour, Verb: actions.AddNote, Text: "the metrics are gone"}); res.Outcome != actions.Done {
			t.Errorf("%+v", res)
		}
		any := join(t, w.system, w.dir, most, func(c *actions.Config) { c.Policy.AnyAge = []actions.Verb{actions.Rate} })
		if res := any.confirm(vesna, p); res.Outcome != actions.Done {
			t.Errorf("%+v", res)
		}
	})
}

// paper is an executor of paperwork that leans on a signal.
type paper struct{ actions.Executor }

func (paper) Info() actions.Info {
	return actions.Info{System: "memory", Verbs: []actions.Verb{actions.Incident}, ByReceipt: true}
}

func TestAnIncidentIsNeverRefusedForStaleEvidenceAFreezeOrTooManyActions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *actions.Config) {
			c.Policy.EvidenceMaxAge = 30 * time.Second
			c.Policy.Limits = []actions.Limit{{Count: 1, Per: time.Hour}}
			c.Policy.Freezes = []actions.Freeze{{From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)}}
			inner := c.Executor
			c.Executor = func(id sale.ID, v actions.Verb) (actions.Executor, error) {
				ex, err := inner(id, v)
				return leaning{paper{raising{ex}}}, err
			}
		})
		time.Sleep(10 * time.Minute)
		for range 3 {
			if res := w.do(vesna, actions.Request{Sale: harbour, Verb: actions.Incident, Reason: "it is down"}); res.Outcome != actions.Done {
				t.Errorf("%+v", res)
			}
		}
	})
}

// raising previews an incident on the memory as a setting of its own.
type raising struct{ actions.Executor }

func (r raising) Preview(ctx context.Context, req actions.Request, e actions.Evidence) (actions.Preview, error) {
	req.Verb = actions.Pause
	p, err := r.Executor.Preview(ctx, req, e)
	p.From, p.To, p.Effect = actions.Value{"incident": actions.Unset}, actions.Value{"incident": actions.Word("open")}, nil
	return p, err
}
