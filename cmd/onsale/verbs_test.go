package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/rehearsal"
	"github.com/onsale-dev/onsale/sale"
)

// is holds when the platform's truth of a sale tells a value.
func is(id, signal string, want float64) func(truth) bool {
	return func(now truth) bool { return now.Sales[id][signal] == want }
}

// under and over hold when a figure of a sale is below or above a value.
func under(id, signal string, most float64) func(truth) bool {
	return func(now truth) bool { v, ok := now.Sales[id][signal]; return ok && v < most }
}

func over(id, signal string, least float64) func(truth) bool {
	return func(now truth) bool { return now.Sales[id][signal] > least }
}

// inLedger holds when the ledger has an entry with all of the words.
func inLedger(words ...string) func(truth) bool {
	return func(now truth) bool {
		for _, entry := range now.Ledger {
			if containsWords(string(entry), words) {
				return true
			}
		}
		return false
	}
}

func containsWords(text string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// The actions of one sale come one after the other. Each has a night of its own: a sale that had
// to wait for its turn would be sold out by then.
func TestEveryVerbIsDoneOnTheWireAndThePlatformFollows(t *testing.T) {
	type step struct {
		args   string
		change string // what the preview says, in part
		then   func(truth) bool
	}
	for _, group := range []struct {
		name, sale string
		steps      []step
	}{
		{"an Auto Scaling group, and the alerts", "cobalt", []step{
			{"scale-up --to 11", "min 8 → 11, desired 8 → 11", is("cobalt", "capacity_in_service", 11)},
			{"undo", "min 11 → 8", is("cobalt", "capacity_min", 8)},
			{"scale-back --to 6", "min 8 → 6", is("cobalt", "capacity_min", 6)},
			{"silence --for 30m", "silence sale=cobalt for 30 min", inLedger("alertmanager", "silence made", "cobalt")},
			{"undo", "expire the silence of sale=cobalt", inLedger("alertmanager", "silence expired", "cobalt")},
		}},
		{"an ECS service under a scalable target, and its gate", "kestrel", []step{
			{"pause", "400/min → 0/min", under("kestrel", "admission_rate", 20)},
			{"undo", "0/min → 400/min", over("kestrel", "admission_rate", 200)},
			{"scale-up --to 30", "min 24 → 30, desired 24 → 30", is("kestrel", "capacity_in_service", 30)},
			{"undo", "min 30 → 24", is("kestrel", "capacity_min", 24)},
			{"scale-back --to 20", "min 24 → 20", is("kestrel", "capacity_min", 20)},
			{"rate --to 300", "400/min → 300/min", is("kestrel", "admission_limit", 300)},
			{"undo", "new_users_per_minute 300 → 400", is("kestrel", "admission_limit", 400)},
		}},
		{"pods under an HPA, and an incident", "saffron", []step{
			{"scale-up --to 33", "min pods 28 → 33", is("saffron", "capacity_in_service", 33)},
			{"undo", "min pods 33 → 28", is("saffron", "capacity_min", 28)},
			{"scale-back --to 20", "min pods 28 → 20", is("saffron", "capacity_min", 20)},
			{"incident --text tide", "open incident", inLedger("pagerduty", "paged", "saffron")},
			{"acknowledge", "acknowledge", inLedger("pagerduty", "acknowledged", "saffron")},
			{"note --text the-tide-is-known", "note", inLedger("pagerduty", "the-tide-is-known")},
			{"resolve", "resolve", inLedger("pagerduty", "resolved", "saffron")},
		}},
		{"pods under a ScaledObject", "juniper", []step{
			{"scale-up --to 44", "min pods 40 → 44", is("juniper", "capacity_in_service", 44)},
			{"undo", "min pods 44 → 40", is("juniper", "capacity_min", 40)},
			{"scale-back --to 30", "min pods 40 → 30", is("juniper", "capacity_min", 30)},
		}},
		{"a waiting room", "lantern", []step{
			{"pause", "800/min → 0/min", under("lantern", "admission_rate", 20)},
			{"resume", "0/min → 200/min now, 400/min", over("lantern", "admission_rate", 100)},
		}},
		{"a play", "marble", []step{
			{"play hold-the-doors", "paused off → on, then open incident", under("marble", "admission_rate", 5)},
		}},
	} {
		t.Run(group.name, func(t *testing.T) {
			t.Parallel()
			n := startNight(t, rehearsal.Options{Seed: 7, Scenario: "calm", Speed: 20})
			journalDir := filepath.Join(t.TempDir(), "journal")
			for _, s := range group.steps {
				before := n.truth()
				if s.then(before) {
					t.Fatalf("%s: it is so before it was done: the step proves nothing", s.args)
				}
				args := append([]string{group.sale}, strings.Fields(s.args)...)
				r, out := n.act(journalDir, append(args, "--reason", "test", "--confirm", group.sale, "--timeout", "3m")...)
				if out.code != 0 || r.Outcome != actions.Done {
					t.Fatalf("%s: exit %d, %s %s %+v", s.args, out.code, r.Outcome, r.Reason, r.Refusals)
				}
				if r.Preview == nil || !strings.Contains(r.Preview.Change, s.change) {
					t.Errorf("%s: the preview is %+v, want %q in it", s.args, r.Preview, s.change)
				}
				n.until(s.args, s.then)
			}
			if verify := runIn(t, nil, "journal", "verify", "--dir", journalDir); verify.code != 0 {
				t.Errorf("the journal: %s%s", verify.stdout, verify.stderr)
			}
		})
	}
}

// What is done to each kind of capacity, and to the gate, is seen in the signals by the screen's own runner.
func TestTheEffectOfEachKindIsSeenInItsSignals(t *testing.T) {
	t.Parallel()
	n := startNight(t, rehearsal.Options{Seed: 7, Scenario: "calm", Speed: 30})
	p := &program{configFlag: n.config, journalAt: filepath.Join(t.TempDir(), "journal"), lookup: func(string) (string, bool) { return "", false }}
	c, err := p.load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h, closeJournal, err := p.openHands(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer closeJournal()
	ctx, stop := context.WithCancel(t.Context())
	defer c.follow(ctx, allSales(c.config))()
	watched := make(chan struct{})
	go func() { defer close(watched); h.watch(ctx) }()
	defer func() { stop(); <-watched }()

	to := func(v float64) *float64 { return &v }
	asked := []actions.Request{
		{Sale: "cobalt", Verb: actions.ScaleUp, To: to(11)},
		{Sale: "kestrel", Verb: actions.ScaleUp, To: to(29)},
		{Sale: "saffron", Verb: actions.ScaleUp, To: to(32)},
		{Sale: "juniper", Verb: actions.ScaleUp, To: to(43)},
		{Sale: "lantern", Verb: actions.Pause},
	}
	for _, req := range asked {
		req.Reason = "test"
		n.until("the signals are there", func(truth) bool {
			return actions.EvidenceOf(stateOf(c.store.Snapshot(), req.Sale), time.Now()).Signal(sale.CapacityInService).Usable() &&
				actions.EvidenceOf(stateOf(c.store.Snapshot(), req.Sale), time.Now()).Signal(sale.AdmissionRate).Usable()
		})
		preview, err := h.Preview(ctx, req)
		if err != nil || preview.Refused() || preview.Effect == nil {
			t.Fatalf("%s %s: %v, refused by %+v, effect %+v", req.Sale, req.Verb, err, preview.Refusals, preview.Effect)
		}
		arming, no := h.Arm(preview, 10*time.Second)
		if no != nil {
			t.Fatalf("%s %s: %s", req.Sale, req.Verb, no.Text)
		}
		if res := h.Run(ctx, actions.Confirmed{Preview: preview, Arming: arming.ID, At: time.Now()}); res.Outcome != actions.Done {
			t.Fatalf("%s %s: %s %s", req.Sale, req.Verb, res.Outcome, res.Text)
		}
	}
	seen := map[sale.ID]string{}
	n.until("every effect is seen", func(truth) bool {
		for _, news := range h.News() {
			if news.Watch != nil && news.Watch.Sight == actions.Seen {
				seen[news.Sale] = news.Watch.String()
			}
		}
		return len(seen) == len(asked)
	})
	for id, text := range seen {
		t.Logf("%s: %s", id, text)
		if !strings.HasPrefix(text, "EFFECT SEEN after ") {
			t.Errorf("%s: %s", id, text)
		}
	}
}

func stateOf(snap *sale.Snapshot, id sale.ID) *sale.State {
	for _, st := range snap.Sales {
		if st.Sale.ID == id {
			return st
		}
	}
	return nil
}
