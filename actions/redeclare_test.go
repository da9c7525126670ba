package actions_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// during does something while its write is on the way.
type during struct {
	actions.Executor
	do func()
}

func (d during) Execute(ctx context.Context, p actions.Preview, id string) (actions.Receipt, error) {
	d.do()
	return d.Executor.Execute(ctx, p, id)
}

// nothingDeclared is a config without any sale that is acted on.
func (w *world) nothingDeclared(p actions.Policy) actions.Config {
	cfg := w.cfg
	cfg.Policy = p
	cfg.Executor = func(sale.ID, actions.Verb) (actions.Executor, error) {
		return nil, errors.New("nothing is declared any more")
	}
	return cfg
}

func TestAnActionOnItsWayIsSeenThroughWhateverIsDeclaredMeanwhile(t *testing.T) {
	w := newWorld(t)
	inner := w.cfg.Executor
	cfg := w.cfg
	cfg.Executor = func(id sale.ID, v actions.Verb) (actions.Executor, error) {
		ex, err := inner(id, v)
		return during{ex, func() { w.Redeclare(w.nothingDeclared(actions.Policy{ReadOnly: true})) }}, err
	}
	w.Redeclare(cfg)
	res := w.do(vesna, rate(400))
	if res.Outcome != actions.Done || res.ReadBack == nil {
		t.Fatalf("it ended %s: %s", res.Outcome, res.Text)
	}
	w.wrote(1)
	if p := w.Preview(t.Context(), vesna, rate(500)); !p.Refused() {
		t.Error("the next one is not refused by the new config")
	}
	w.whole()
}

func TestWhatWasConfirmedUnderTheOldRulesPassesTheNewGuards(t *testing.T) {
	w := newWorld(t)
	p := w.show(vesna, rate(400))
	a, no := w.Arm(vesna, p, 8*time.Second)
	if no != nil {
		t.Fatal(no.Text)
	}
	cfg := w.cfg
	cfg.Policy.Freezes = []actions.Freeze{{From: time.Now().Add(-time.Minute), Until: time.Now().Add(time.Hour), Reason: "stocktaking"}}
	w.Redeclare(cfg)
	res := w.Run(t.Context(), vesna, actions.Confirmed{Preview: p, Arming: a.ID, At: time.Now()})
	refusedBy(t, res, actions.GuardFreeze)
	w.wrote(0)
}

func TestRulesAreReplacedWhileOthersPreview(t *testing.T) {
	w := newWorld(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 50 {
			w.Redeclare(w.nothingDeclared(actions.Policy{ReadOnly: true}))
			w.Redeclare(w.cfg)
		}
	}()
	for range 50 {
		w.Preview(t.Context(), vesna, rate(400))
	}
	<-done
	if res := w.do(vesna, rate(400)); res.Outcome != actions.Done {
		t.Errorf("under the last config it ended %s: %s", res.Outcome, res.Text)
	}
}
