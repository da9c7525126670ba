package actiontest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// Checks lists every promise.
func Checks() []Check {
	return []Check{
		{"it says which system it is and what it can do", checkInfo},
		{"a preview sends no write and says what it read", checkPreview},
		{"zero, negative, not finite and out of bounds are refused before any write", checkBad},
		{"execute sends exactly one write, and reading back shows it", checkExecute},
		{"targets are absolute: the same preview sent twice leaves the same state", checkAbsolute},
		{"undo restores the values that were there", checkUndo},
		{"a lost answer is not called a refusal, and nothing is sent again", checkLost},
		{"an answer of 5xx is not called a refusal, and nothing is sent again", checkBroken},
		{"a system that says no is told apart, with a class and a hint", checkRejected},
		{"what was accepted and not taken shows in reading back", checkIgnored},
		{"a deadline is honored", checkDeadline},
		{"an ended context sends nothing", checkEnded},
		{"a target changed since the preview is not overwritten", checkChanged},
		{"reading back reads: it shows what somebody else has set", checkReads},
		{"no text holds a secret or a control character", checkTexts},
		{"it can be used by many at once", checkMany},
		{"the runner makes done, failed or unknown of it, with one write each", checkOutcomes},
	}
}

func (rig Rig) preview(ctx context.Context, req actions.Request) (actions.Preview, error) {
	p, err := rig.Executor.Preview(ctx, req, rig.Evidence)
	if err != nil {
		return p, fmt.Errorf("preview of %s: %w", req.Verb, err)
	}
	p.Request = req
	if p.Refused() {
		return p, fmt.Errorf("%s is refused: %s", req.Verb, p.Refusals[0].Text)
	}
	return p, nil
}

// first is the preview of the first good request, of one write.
func (rig Rig) first(ctx context.Context) (actions.Preview, error) {
	if len(rig.Good) == 0 {
		return actions.Preview{}, errors.New("the rig has no good request")
	}
	p, err := rig.preview(ctx, rig.Good[0])
	if err == nil && len(p.Steps) > 0 {
		err = errors.New("the first good request must take one step")
	}
	return p, err
}

func (rig Rig) wrote(want int) error {
	if got := rig.Writes(); got != want {
		return fmt.Errorf("%d writes reached the system, want %d", got, want)
	}
	return nil
}

func (rig Rig) proven() bool { return !rig.Executor.Info().ByReceipt }

// holds reads back until the target holds a value; a system may need a moment to show a write.
func (rig Rig) holds(ctx context.Context, p actions.Preview, want actions.Value) error {
	var last error
	for range 20 {
		state, err := rig.Executor.ReadBack(ctx, p)
		switch {
		case err != nil:
			last = fmt.Errorf("reading back: %w", err)
		case state.Value.Holds(want):
			return nil
		default:
			last = fmt.Errorf("it holds %s, want %s", state.Value, want)
		}
		select {
		case <-ctx.Done():
			return last
		case <-time.After(50 * time.Millisecond):
		}
	}
	return last
}

func checkInfo(_ context.Context, rig Rig) error {
	info := rig.Executor.Info()
	if info.System == "" || len(info.Verbs) == 0 {
		return fmt.Errorf("%+v names no system or no verbs", info)
	}
	for _, v := range info.Verbs {
		if _, ok := v.Meaning(); !ok {
			return fmt.Errorf("%q is no verb", v)
		}
		if !slices.ContainsFunc(rig.Good, func(r actions.Request) bool { return r.Verb == v }) && v != actions.Undo && v != actions.Resume {
			return fmt.Errorf("the rig has no good request for %s", v)
		}
	}
	if len(rig.Secrets) == 0 {
		return errors.New("the rig names no secret: nothing proves that none leaks")
	}
	return nil
}

func checkPreview(ctx context.Context, rig Rig) error {
	for _, req := range rig.Good {
		p, err := rig.preview(ctx, req)
		if err != nil {
			return err
		}
		again, err := rig.preview(ctx, req)
		if err != nil {
			return err
		}
		parts := []actions.Preview{p}
		for _, s := range p.Steps {
			parts = append(parts, s.Preview)
		}
		if len(p.Steps) > 0 {
			parts = parts[1:]
		}
		for _, q := range parts {
			switch {
			case q.Target.System != rig.Executor.Info().System || q.Target.Name == "":
				return fmt.Errorf("%s: the target %+v is not named", req.Verb, q.Target)
			case len(q.To) == 0 || len(q.From) == 0:
				return fmt.Errorf("%s: from %s to %s: both must name settings", req.Verb, q.From, q.To)
			case len(q.From.Only(q.To)) != len(q.To):
				return fmt.Errorf("%s: from %s lacks a setting of to %s, so it can't be undone or compared", req.Verb, q.From, q.To)
			case q.ReadAt.IsZero() || q.Change == "":
				return fmt.Errorf("%s: it does not say when it read, or what changes", req.Verb)
			case rig.Executor.Info().Versions && q.Version == "":
				return fmt.Errorf("%s: it promises versions and has none", req.Verb)
			}
		}
		if p.Token() != again.Token() {
			return fmt.Errorf("%s: two previews of the same state differ: %s → %s, then %s → %s", req.Verb, p.From, p.To, again.From, again.To)
		}
	}
	return rig.wrote(0)
}

func checkBad(ctx context.Context, rig Rig) error {
	bad := slices.Clone(rig.Bad)
	for _, req := range rig.Good {
		if m, _ := req.Verb.Meaning(); !m.Numeric {
			continue
		}
		for _, v := range []float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64} {
			req.To = &v
			bad = append(bad, req)
		}
	}
	for _, req := range bad {
		p, err := rig.Executor.Preview(ctx, req, rig.Evidence)
		if err == nil && !p.Refused() {
			return fmt.Errorf("%s to %v is not refused: %s → %s", req.Verb, *req.To, p.From, p.To)
		}
		if err == nil && p.Refusals[0].Text == "" {
			return fmt.Errorf("%s to %v is refused without a word", req.Verb, *req.To)
		}
	}
	return rig.wrote(0)
}

func checkExecute(ctx context.Context, rig Rig) error {
	p, err := rig.first(ctx)
	if err != nil {
		return err
	}
	if _, err := rig.Executor.Execute(ctx, p, "key-1"); err != nil {
		return fmt.Errorf("execute: %w", err)
	}
	if err := rig.wrote(1); err != nil || !rig.proven() {
		return err
	}
	if err := rig.holds(ctx, p, p.To); err != nil {
		return err
	}
	return rig.wrote(1)
}

func checkAbsolute(ctx context.Context, rig Rig) error {
	if !rig.proven() {
		return errNotApplicable
	}
	p, err := rig.first(ctx)
	if err != nil {
		return err
	}
	for i := range 2 {
		_, err := rig.Executor.Execute(ctx, p, fmt.Sprintf("key-%d", i))
		var conflict *actions.ConflictError
		if err != nil && !errors.As(err, &conflict) {
			return fmt.Errorf("execute: %w", err)
		}
		if err := rig.holds(ctx, p, p.To); err != nil {
			return fmt.Errorf("after %d times: %w", i+1, err)
		}
	}
	return nil
}

func checkUndo(ctx context.Context, rig Rig) error {
	if !rig.proven() {
		return errNotApplicable
	}
	tried := false
	for i, req := range rig.Good {
		if m, _ := req.Verb.Meaning(); !m.Undoable {
			continue
		}
		p, err := rig.preview(ctx, req)
		if err != nil {
			return err
		}
		if len(p.Steps) > 0 {
			continue // a ramp is undone by the pause, or step by step
		}
		tried = true
		if _, err := rig.Executor.Execute(ctx, p, fmt.Sprintf("key-do-%d", i)); err != nil {
			return fmt.Errorf("%s: %w", req.Verb, err)
		}
		if err := rig.holds(ctx, p, p.To); err != nil {
			return fmt.Errorf("%s: %w", req.Verb, err)
		}
		was := p.From.Only(p.To)
		back := actions.Request{Sale: rig.Sale, Verb: actions.Undo, Of: req.Verb, Undoes: "id", Restore: was, On: p.Target}
		u, err := rig.preview(ctx, back)
		if err != nil {
			return fmt.Errorf("undo of %w", err)
		}
		if !u.To.Equal(was) {
			return fmt.Errorf("undo of %s would set %s, not %s", req.Verb, u.To, was)
		}
		if _, err := rig.Executor.Execute(ctx, u, fmt.Sprintf("key-undo-%d", i)); err != nil {
			return fmt.Errorf("undo of %s: %w", req.Verb, err)
		}
		if err := rig.holds(ctx, u, was); err != nil {
			return fmt.Errorf("undo of %s: %w", req.Verb, err)
		}
	}
	if !tried {
		return errNotApplicable
	}
	return nil
}

func checkEnded(ctx context.Context, rig Rig) error {
	p, err := rig.first(ctx)
	if err != nil {
		return err
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := rig.Executor.Execute(ended, p, "key-1"); err == nil {
		return errors.New("execute reports success under a context that has ended")
	}
	return rig.wrote(0)
}

func checkChanged(ctx context.Context, rig Rig) error {
	p, err := rig.first(ctx)
	if err != nil {
		return err
	}
	rig.Change()
	again, err := rig.Executor.Preview(ctx, rig.Good[0], rig.Evidence)
	if err != nil {
		return err
	}
	again.Request = rig.Good[0]
	if !again.Refused() && again.Token() == p.Token() {
		return errors.New("a preview after the change can't be told from the one before it")
	}
	if !rig.Executor.Info().Versions {
		return nil // the runner compares the previews
	}
	before, err := rig.Executor.ReadBack(ctx, p)
	if err != nil {
		return err
	}
	_, sent := rig.Executor.Execute(ctx, p, "key-1")
	var conflict *actions.ConflictError
	if !errors.As(sent, &conflict) {
		return fmt.Errorf("a write on an old version gives %v, not a *ConflictError", sent)
	}
	return rig.holds(ctx, p, before.Value.Only(p.To))
}

func checkReads(ctx context.Context, rig Rig) error {
	if !rig.proven() {
		return errNotApplicable
	}
	p, err := rig.first(ctx)
	if err != nil {
		return err
	}
	rig.Change()
	state, err := rig.Executor.ReadBack(ctx, p)
	if err != nil {
		return err
	}
	if state.Value.Holds(p.From.Only(p.To)) {
		return fmt.Errorf("reading back shows %s after somebody else changed it", state.Value)
	}
	if state.At.IsZero() {
		return errors.New("the state does not say when it was read")
	}
	return rig.wrote(0)
}

func checkTexts(ctx context.Context, rig Rig) error {
	var texts []string
	take := func(v any) error {
		data, err := json.Marshal(v)
		texts = append(texts, string(data), fmt.Sprintf("%+v", v))
		return err
	}
	for _, req := range rig.Good {
		p, err := rig.preview(ctx, req)
		if err != nil {
			return err
		}
		if err := take(p); err != nil {
			return err
		}
	}
	p, err := rig.first(ctx)
	if err != nil {
		return err
	}
	for _, f := range []Fault{Reject, Break, Lose} {
		rig.Fault(f)
		_, sent := rig.Executor.Execute(ctx, p, "key")
		texts = append(texts, fmt.Sprint(sent))
		var problem *sale.Problem
		if errors.As(sent, &problem) {
			texts = append(texts, problem.Text, problem.Hint)
			if problem.Text != sale.Clean(problem.Text, 0) {
				return fmt.Errorf("the text %q is not clean", problem.Text)
			}
		}
	}
	rig.Fault(None)
	state, err := rig.Executor.ReadBack(ctx, p)
	if err != nil {
		return err
	}
	if err := take(state); err != nil {
		return err
	}
	for _, text := range texts {
		for _, secret := range rig.Secrets {
			if strings.Contains(text, secret) {
				return fmt.Errorf("a secret is in %q", strings.ReplaceAll(text, secret, "***"))
			}
		}
	}
	return nil
}

func checkMany(ctx context.Context, rig Rig) error {
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			p, err := rig.first(ctx)
			if err == nil {
				_, err = rig.Executor.ReadBack(ctx, p)
			}
			errs[i] = err
		})
	}
	wg.Wait()
	return errors.Join(append(errs, rig.wrote(0))...)
}
