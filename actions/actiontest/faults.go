package actiontest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// sendWith sends the first good request while the system fails.
func (rig Rig) sendWith(ctx context.Context, f Fault) (actions.Preview, error, error) {
	p, err := rig.first(ctx)
	if err != nil {
		return p, nil, err
	}
	rig.Fault(f)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, sent := rig.Executor.Execute(ctx, p, "key-1")
	return p, sent, nil
}

// ambiguous says how an error fails to leave open what happened.
func ambiguous(err error) error {
	var rejected *actions.RejectedError
	var conflict *actions.ConflictError
	switch {
	case err == nil:
		return errors.New("execute reports success")
	case errors.As(err, &rejected), errors.As(err, &conflict):
		return fmt.Errorf("execute says that nothing changed: %w", err)
	}
	return nil
}

func checkLost(ctx context.Context, rig Rig) error {
	p, sent, err := rig.sendWith(ctx, Lose)
	if err != nil {
		return err
	}
	if err := ambiguous(sent); err != nil {
		return err
	}
	rig.Fault(None)
	if rig.proven() {
		if err := rig.holds(ctx, p, p.To); err != nil {
			return err
		}
	}
	return rig.wrote(1)
}

func checkBroken(ctx context.Context, rig Rig) error {
	_, sent, err := rig.sendWith(ctx, Break)
	if err != nil {
		return err
	}
	if err := ambiguous(sent); err != nil {
		return err
	}
	var p *sale.Problem
	if !errors.As(sent, &p) || p.Class == "" || p.Text == "" {
		return fmt.Errorf("the error does not say in words and class what is wrong: %w", sent)
	}
	return rig.wrote(1)
}

func checkRejected(ctx context.Context, rig Rig) error {
	_, sent, err := rig.sendWith(ctx, Reject)
	if err != nil {
		return err
	}
	var rejected *actions.RejectedError
	if !errors.As(sent, &rejected) {
		return fmt.Errorf("a refusal of the system is not told apart: %w", sent)
	}
	if q := rejected.Problem; q.Class == "" || q.Text == "" || q.Hint == "" {
		return fmt.Errorf("the refusal lacks a class, words or a hint: %+v", q)
	}
	return rig.wrote(1)
}

func checkIgnored(ctx context.Context, rig Rig) error {
	if !rig.proven() {
		return errNotApplicable
	}
	p, sent, err := rig.sendWith(ctx, Ignore)
	if err != nil {
		return err
	}
	if sent != nil {
		return fmt.Errorf("execute: %w", sent)
	}
	rig.Fault(None)
	state, err := rig.Executor.ReadBack(ctx, p)
	if err != nil {
		return err
	}
	if state.Value.Holds(p.To) {
		return fmt.Errorf("reading back shows %s, which the system never took", p.To)
	}
	return rig.wrote(1)
}

func checkDeadline(ctx context.Context, rig Rig) error {
	p, err := rig.first(ctx)
	if err != nil {
		return err
	}
	rig.Fault(Hang)
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := rig.Executor.Execute(short, p, "key-1")
		done <- err
	}()
	select {
	case err := <-done:
		if err := ambiguous(err); err != nil {
			return err
		}
	case <-time.After(5 * time.Second):
		return errors.New("execute goes on long after its deadline")
	}
	return rig.wrote(1)
}
