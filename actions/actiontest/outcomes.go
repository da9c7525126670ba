package actiontest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
)

// hasty shortens an executor's own times, so that a suite of outcomes is over soon.
type hasty struct{ actions.Executor }

func (h hasty) Info() actions.Info {
	info := h.Executor.Info()
	info.Deadline = 500 * time.Millisecond
	info.ReadBack = actions.ReadBackPlan{Tries: 8, First: 10 * time.Millisecond, Most: 100 * time.Millisecond, Within: 2 * time.Second}
	return info
}

// checkOutcomes sends the first good request through a real runner with a real journal, once
// for each fault, and looks at what the runner makes of it.
func checkOutcomes(ctx context.Context, rig Rig) (err error) {
	dir, err := os.MkdirTemp("", "actiontest")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	proven := rig.proven()
	lost := actions.Done
	if !proven {
		lost = actions.Unknown
	}
	for _, c := range []struct {
		fault Fault
		want  actions.Outcome
		skip  bool
	}{
		{Reject, actions.Failed, false},
		{Break, actions.Unknown, false},
		{Hang, actions.Unknown, false},
		{Ignore, actions.Failed, !proven},
		{Lose, lost, false},
	} {
		if c.skip {
			continue
		}
		before := rig.Writes()
		res, err := rig.through(ctx, filepath.Join(dir, string(c.fault)), c.fault)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", c.fault, err)
		case res.Outcome != c.want:
			return fmt.Errorf("%s: the outcome is %s (%s), want %s", c.fault, res.Outcome, res.Text, c.want)
		case rig.Writes() != before+1:
			return fmt.Errorf("%s: %d writes reached the system, want 1", c.fault, rig.Writes()-before)
		}
	}
	return nil
}

func (rig Rig) through(ctx context.Context, dir string, fault Fault) (res actions.Result, err error) {
	j, err := journal.Open(dir, journal.Options{})
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	p, err := rig.first(ctx)
	if err != nil {
		return res, err
	}
	r, err := actions.NewRunner(actions.Config{
		Journal:  j,
		Policy:   actions.Policy{Targets: map[sale.ID][]actions.Target{rig.Sale: {p.Target}}, AnyAge: rig.Executor.Info().Verbs},
		Executor: func(sale.ID, actions.Verb) (actions.Executor, error) { return hasty{rig.Executor}, nil },
	})
	if err != nil {
		return res, err
	}
	who := actions.Actor{Name: "suite", Role: actions.Operator, Via: "cli"}
	shown := r.Preview(ctx, who, rig.Good[0])
	armed, no := r.Arm(who, shown, time.Minute)
	if no != nil {
		return res, errors.New(no.Text)
	}
	rig.Fault(fault)
	res = r.Run(ctx, who, actions.Confirmed{Preview: shown, Arming: armed.ID, At: time.Now()})
	rig.Fault(None)
	return res, res.Unrecorded
}
