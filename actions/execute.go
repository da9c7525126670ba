package actions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
)

// refuse ends an attempt before anything was sent.
func (a *attempt) refuse(ctx context.Context, no Refusal) Result {
	p := *a.p
	if a.fresh != nil && !a.fresh.Refused() {
		p = *a.fresh
	}
	res := Result{ID: a.id, Outcome: Refused, Preview: p, Refusals: []Refusal{no}, Text: a.r.redact(no.Text), Ended: time.Now()}
	if a.intent.Seq > 0 {
		res.IntentSeq = a.intent.Seq
		rec := a.r.record(journal.Refused, letterRefused, a.id, a.actor, &p)
		rec.Outcome, rec.Text = string(Refused), string(no.Guard)+": "+res.Text
		a.place(&rec)
		res.ResultSeq, res.Unrecorded = a.r.append(ctx, rec)
		return res
	}
	p.Request.Reason, p.Request.Change = a.c.Preview.Request.Reason, a.c.Preview.Request.Change
	res.ResultSeq, res.Unrecorded = a.r.noteRefusal(ctx, a.actor, &p, a.id, res.Refusals, a.place)
	return res
}

// place says in a record which sequence it is a step of.
func (a *attempt) place(rec *journal.Record) {
	rec.Play, rec.Glass = a.play, a.lifted
	if a.ref != "" {
		rec.Ref = a.ref
	}
}

// noteRefusal journals a refusal that no intent preceded. The same refusal of the same person
// within five seconds is journalled once: a key that is held down must not fill the disk.
func (r *Runner) noteRefusal(ctx context.Context, actor Actor, p *Preview, id string, why []Refusal, more ...func(*journal.Record)) (uint64, error) {
	now := time.Now()
	key := fmt.Sprintf("%s\x00%s\x00%s\x00%s\x00%s", actor.Name, actor.Fingerprint, p.Request.Sale, p.Request.Verb, why[0].Guard)
	r.mu.Lock()
	last, before := r.refused[key]
	for k, t := range r.refused {
		if now.Sub(t) > time.Minute {
			delete(r.refused, k)
		}
	}
	r.refused[key] = now
	r.mu.Unlock()
	if before && now.Sub(last) < 5*time.Second {
		return 0, nil
	}
	if id == "" {
		var err error
		if id, err = newID(now); err != nil {
			return 0, err
		}
	}
	rec := r.record(journal.Refused, letterRefused, id, actor, p)
	rec.Outcome, rec.Text = string(Refused), r.redact(string(why[0].Guard)+": "+why[0].Text)
	for _, f := range more {
		f(&rec)
	}
	return r.append(ctx, rec)
}

// append journals what has already happened: the end of the caller's context doesn't stop it.
func (r *Runner) append(ctx context.Context, rec journal.Record) (uint64, error) {
	rec, err := r.cfg.Journal.Append(context.WithoutCancel(ctx), rec)
	return rec.Seq, err
}

const executeWithin = 10 * time.Second

// execute sends the write, once, and finds out what became of it.
func (a *attempt) execute(ctx context.Context) Result {
	info := a.ex.Info()
	within := info.Deadline
	if within <= 0 {
		within = executeWithin
	}
	// The deadline runs before the last look at the clock: a process that is stopped in between
	// wakes up with a context that has ended, and sends nothing.
	call, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if no := a.tooOld(time.Now()); no != nil {
		return a.refuse(ctx, *no)
	}
	a.sent = time.Now()
	receipt, err := guarded(call, func() (Receipt, error) { return a.ex.Execute(call, *a.fresh, a.id) })
	res := Result{ID: a.id, Preview: *a.fresh, Receipt: receipt, Sent: a.sent, IntentSeq: a.intent.Seq}

	var conflict *ConflictError
	var rejected *RejectedError
	switch {
	case errors.As(err, &conflict):
		a.sent = time.Time{}
		return a.refuse(ctx, Refusal{Guard: GuardChanged, Text: a.r.redact(conflict.Text), Hint: "the key shows the panel again with the new value"})
	case errors.As(err, &rejected):
		res.Outcome, res.Problem = Failed, &rejected.Problem
		a.readBack(ctx, &res, ReadBackPlan{Tries: 1, Within: 3 * time.Second})
		res.Text = fmt.Sprintf("%s said no: %s", a.fresh.Target, rejected.Problem.Text)
		if res.ReadBack != nil {
			res.Text += "; still " + res.ReadBack.String()
		}
	case err == nil && info.ByReceipt:
		res.Outcome, res.Text = Done, "accepted: "+receipt.Text
	default:
		a.proveIt(ctx, &res, err, info.ReadBack.withDefaults())
	}
	return a.finish(ctx, res)
}

// proveIt reads back until the target holds what was sent, or the plan is at its end.
func (a *attempt) proveIt(ctx context.Context, res *Result, err error, plan ReadBackPlan) {
	matched := false
	if err == nil || !a.ex.Info().ByReceipt {
		matched = a.readBack(ctx, res, plan)
	}
	if err != nil {
		problem := problemOf(err)
		res.Problem = &problem
	}
	switch {
	case matched && err == nil:
		res.Outcome, res.Text = Done, "read back: "+res.ReadBack.String()
	case matched:
		res.Outcome, res.Text = Done, fmt.Sprintf("the answer was lost (%s); read back: %s", res.Problem.Text, res.ReadBack)
	case err == nil && res.ReadBack != nil:
		res.Outcome, res.Text = Failed, fmt.Sprintf("accepted, but it holds %s, not %s", res.ReadBack, a.fresh.To)
	case err == nil:
		res.Outcome, res.Text = Unknown, "accepted, but it could not be read back"
	case res.ReadBack != nil:
		res.Outcome, res.Text = Unknown, fmt.Sprintf("sent, no answer (%s); it holds %s: count it as not done, it was not sent again", res.Problem.Text, res.ReadBack)
	default:
		res.Outcome, res.Text = Unknown, fmt.Sprintf("sent, no answer (%s), and it could not be read back; it was not sent again", res.Problem.Text)
	}
}

func (p ReadBackPlan) withDefaults() ReadBackPlan {
	if p.Tries <= 0 {
		p.Tries = 6
	}
	if p.First <= 0 {
		p.First = 500 * time.Millisecond
	}
	if p.Most <= 0 {
		p.Most = 8 * time.Second
	}
	if p.Within <= 0 {
		p.Within = 30 * time.Second
	}
	return p
}

// readBack reads the target by the plan, and reports whether it holds what was sent. The last
// state that could be read is kept.
func (a *attempt) readBack(ctx context.Context, res *Result, plan ReadBackPlan) bool {
	ctx, cancel := context.WithTimeout(ctx, plan.Within)
	defer cancel()
	pause := plan.First
	for try := range plan.Tries {
		if try > 0 || pause > 0 {
			if !wait(ctx, pause) {
				return false
			}
		}
		pause = min(pause*2, max(plan.Most, plan.First))
		state, err := a.r.readOnce(ctx, a.ex, *a.fresh)
		if err != nil {
			continue
		}
		res.State, res.ReadBack = state, state.Value.Only(a.fresh.To)
		if state.Value.Holds(a.fresh.To) {
			return true
		}
	}
	return false
}

func (r *Runner) readOnce(ctx context.Context, ex Executor, p Preview) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, previewWithin)
	defer cancel()
	return guarded(ctx, func() (State, error) { return ex.ReadBack(ctx, p) })
}

// wait reports false when the context ended first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// finish journals the end and begins to look for the effect.
func (a *attempt) finish(ctx context.Context, res Result) Result {
	res.Text = a.r.redact(sale.Clean(res.Text, 0))
	res.Ended = time.Now()
	rec := a.r.ended(&res, a.actor)
	a.place(&rec)
	res.ResultSeq, res.Unrecorded = a.r.append(ctx, rec)
	if res.Outcome == Done {
		a.r.watch(ctx, res)
	}
	return res
}

// watch begins to look for the effect of what was done. What was looked for on the same target
// until now, and would be hidden by it, can't be seen any more.
func (r *Runner) watch(ctx context.Context, res Result) {
	r.mu.Lock()
	var overtaken []Watch
	open := r.watches[:0]
	for _, w := range r.watches {
		if w.overtakenBy(&res.Preview) {
			w.Sight = Overtaken
			overtaken = append(overtaken, w)
		} else {
			open = append(open, w)
		}
	}
	r.watches = open
	r.mu.Unlock()
	for _, w := range overtaken {
		r.noteEffect(ctx, w)
	}
	if res.Preview.Effect == nil {
		return
	}
	w := NewWatch(res.ID, res.Preview, res.Sent, r.evidence(res.Preview.Request.Sale, res.Sent))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watches = append(r.watches, w)
}

// ended is the record of a result.
func (r *Runner) ended(res *Result, actor Actor) journal.Record {
	kind, letter := journal.Result, letterDone
	switch res.Outcome {
	case Failed:
		letter = letterFailed
	case Unknown:
		kind, letter = journal.Unknown, letterUnknown
	}
	rec := r.record(kind, letter, res.ID, actor, &res.Preview)
	rec.Outcome, rec.Text, rec.ReadBack = string(res.Outcome), res.Text, raw(res.ReadBack)
	rec.RequestID = r.redact(res.Receipt.RequestID)
	return rec
}

// Observe looks for the effects of what was done in a snapshot, at about once a second, and
// journals what it settles. It returns every watch that is open or was settled just now.
func (r *Runner) Observe(ctx context.Context, snap *sale.Snapshot, now time.Time) []Watch {
	if snap == nil {
		return nil
	}
	r.mu.Lock()
	looked := make([]Watch, len(r.watches))
	open := r.watches[:0]
	for i, w := range r.watches {
		looked[i] = w.Step(snap.Sale(w.Sale), now)
		if looked[i].Sight == NotYet {
			open = append(open, looked[i])
		}
	}
	r.watches = open
	r.mu.Unlock()
	for _, w := range looked {
		if w.Sight != NotYet {
			r.noteEffect(ctx, w)
		}
	}
	return looked
}

func (r *Runner) noteEffect(ctx context.Context, w Watch) {
	letter := letterNotTaken
	if w.Sight == Seen {
		letter = letterEffect
	}
	t := journal.Target(w.Target)
	var evidence []Observed
	if w.Last.Has {
		evidence = []Observed{w.Last}
	}
	// An effect that can't be journalled is still on the screen; the journal itself says loudly
	// that it has failed.
	_, _ = r.append(ctx, journal.Record{
		Code: w.Verb.code(letter), Kind: journal.Effect, ID: w.ID, Actor: journal.Actor{Name: "onsale"},
		Sale: string(w.Sale), Action: string(w.Verb), Target: &t, Outcome: string(w.Sight), Text: w.String(), Evidence: quoted(evidence),
	})
}
