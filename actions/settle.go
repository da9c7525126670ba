package actions

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
)

// Settle looks after what another run of the program left: every intent without a result is
// read back, never sent again. It is done when the target holds what was to be set and nothing
// was done to it since; else it is unknown, and stays so until a later Settle or a person says
// otherwise. Watches for effects that were promised are taken up again. What a process that is
// still alive has begun is left to it.
//
// It returns what it looked at. Call it at the start, and from time to time while something
// is unknown.
func (r *Runner) Settle(ctx context.Context) ([]Result, error) {
	pending, err := r.cfg.Journal.Pending()
	if err != nil {
		return nil, err
	}
	var all []Result
	for _, p := range pending {
		if r.others(p) {
			continue
		}
		res := r.settleOne(ctx, p)
		all = append(all, res)
		if res.Unrecorded != nil {
			return all, res.Unrecorded
		}
	}
	return all, r.takeUpWatches(ctx)
}

// others reports whether somebody is still at work on an intent.
func (r *Runner) others(p journal.Pending) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range r.inFlight {
		if id == p.Intent.ID {
			return true
		}
	}
	return p.Unknown == nil && !r.mine(p.Intent) && r.cfg.Journal.WriterAlive(p.Intent) && r.cfg.Journal.Age(p.Intent) < r.rules().policy.Lease
}

func (r *Runner) settleOne(ctx context.Context, pend journal.Pending) Result {
	rec := pend.Intent
	res := Result{ID: rec.ID, Outcome: Unknown, Preview: r.previewOf(rec), Sent: rec.TS, IntentSeq: rec.Seq, Ended: time.Now()}
	ex, err := r.executor(res.Preview.Request)
	switch {
	case err != nil:
		res.Text = "it can't be read back: " + err.Error()
	case ex.Info().System == notebookSystem:
		res.Outcome, res.Text = Done, "the note is in the journal"
	case ex.Info().ByReceipt:
		res.Text = "it can't be read back with the credentials at hand"
	default:
		state, err := r.readOnce(ctx, ex, res.Preview)
		if err != nil {
			problem := problemOf(err)
			res.Problem, res.Text = &problem, "it could not be read back: "+problem.Text
			break
		}
		res.State, res.ReadBack = state, state.Value.Only(res.Preview.To)
		later := r.laterOn(res.Preview.Target, rec)
		switch {
		case later != nil:
			res.Text = fmt.Sprintf("it holds %s, but %s by %s came after it (#%d)", res.ReadBack, later.Action, later.Actor.Name, later.Seq)
		case state.Value.Holds(res.Preview.To):
			res.Outcome, res.Text = Done, "it was not known; read back: "+res.ReadBack.String()
		default:
			res.Text = fmt.Sprintf("read back: it holds %s, not %s; it was not sent again", res.ReadBack, res.Preview.To)
		}
	}
	res.Text = r.redact(sale.Clean(res.Text, 0))
	if pend.Unknown != nil && res.Outcome == Unknown {
		res.ResultSeq = pend.Unknown.Seq
		return res // still unknown is no news
	}
	out := r.ended(&res, actorOf(rec.Actor))
	out.Ref, out.Play = rec.Ref, rec.Play
	res.ResultSeq, res.Unrecorded = r.append(ctx, out)
	return res
}

// previewOf is what can be known of a preview from its intent.
func (r *Runner) previewOf(rec journal.Record) Preview {
	p := Preview{
		Request: Request{Sale: sale.ID(rec.Sale), Verb: Verb(rec.Action), Reason: rec.Reason, Change: rec.Change, Of: Verb(rec.Of)},
		From:    unraw(rec.From), To: unraw(rec.To), ReadAt: rec.TS, Change: rec.Text, Risk: Severe,
	}
	if rec.Target != nil {
		p.Target = Target(*rec.Target)
	}
	if p.Request.Verb == Undo {
		p.Request.Undoes, p.Request.Restore, p.Request.On = rec.Ref, p.To, p.Target
	}
	if w := rec.Watch; w != nil {
		p.Effect = &Effect{
			Signal: sale.Signal(w.Signal), Direction: Direction(w.Direction), Wanted: w.Wanted,
			Within: time.Duration(w.WithinS * float64(time.Second)),
		}
	}
	return p
}

func actorOf(a journal.Actor) Actor {
	return Actor{Name: a.Name, Fingerprint: a.Fingerprint, Role: Role(a.Role), Via: a.Via, Remote: a.Remote}
}

// laterOn is the first intent on a target after a record, so that reading back can't tell which
// of the two it was; nil when there is none.
func (r *Runner) laterOn(t Target, rec journal.Record) *journal.Record {
	records, err := r.cfg.Journal.List(journal.Filter{After: rec.Seq, Kinds: []journal.Kind{journal.Intent}})
	if err != nil {
		return &rec // not known: then it can't be told either
	}
	for i := range records {
		if onTarget(records[i], t) && records[i].ID != rec.ID {
			return &records[i]
		}
	}
	return nil
}

// SettleByHand records a person's word on what became of an action that is unknown: that it was
// done, or that it failed. It sends nothing.
func (r *Runner) SettleByHand(ctx context.Context, actor Actor, id string, outcome Outcome, reason string) *Refusal {
	if no := r.mayActor(actor); no != nil {
		return no
	}
	switch {
	case outcome != Done && outcome != Failed:
		return &Refusal{Guard: GuardRequest, Text: "an unknown action is settled as done or as failed"}
	case blank(reason):
		return &Refusal{Guard: GuardReason, Text: "say how you know"}
	}
	pending, err := r.cfg.Journal.Pending()
	if err != nil {
		return &Refusal{Guard: GuardJournal, Text: r.redact(err.Error())}
	}
	i := slices.IndexFunc(pending, func(p journal.Pending) bool { return p.Intent.ID == id })
	if i < 0 || r.others(pending[i]) {
		return &Refusal{Guard: GuardRequest, Text: "this action is not unknown"}
	}
	res := Result{ID: id, Outcome: outcome, Preview: r.previewOf(pending[i].Intent), Text: "by the word of " + actor.Name + ": " + r.redact(reason)}
	rec := r.ended(&res, actor)
	rec.Ref, rec.Play = pending[i].Intent.Ref, pending[i].Intent.Play
	if _, err := r.append(ctx, rec); err != nil {
		return &Refusal{Guard: GuardJournal, Text: r.redact(err.Error())}
	}
	return nil
}

// rememberFor bounds how far back promised effects are looked for.
const rememberFor = time.Hour

// takeUpWatches goes on looking for effects that were promised by a process that is gone.
func (r *Runner) takeUpWatches(ctx context.Context) error {
	now := time.Now()
	records, err := r.cfg.Journal.List(journal.Filter{
		Since: now.Add(-rememberFor), Kinds: []journal.Kind{journal.Intent, journal.Result, journal.Effect},
	})
	if err != nil {
		return err
	}
	intents, open := map[string]journal.Record{}, map[string]bool{}
	var order []string
	for _, rec := range records {
		switch {
		case rec.Kind == journal.Intent && rec.Watch != nil:
			intents[rec.ID] = rec
		case rec.Kind == journal.Result && rec.Outcome == string(Done) && !r.writtenByOthers(rec): // of ours, or of nobody
			open[rec.ID] = true
			order = append(order, rec.ID)
		case rec.Kind == journal.Effect:
			delete(open, rec.ID)
		}
	}
	for _, id := range order {
		intent, promised := intents[id]
		if !open[id] || !promised || r.watching(id) {
			continue
		}
		w := NewWatch(id, r.previewOf(intent), intent.TS, Evidence{})
		if now.Sub(intent.TS) >= w.Effect.Within {
			w.Sight, w.Looked = NotVisible, now
			r.noteEffect(ctx, w)
			continue
		}
		r.mu.Lock()
		r.watches = append(r.watches, w)
		r.mu.Unlock()
	}
	return nil
}

// writtenByOthers reports whether another process that is still alive wrote a record, and so
// looks for its effect itself.
func (r *Runner) writtenByOthers(rec journal.Record) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.mine(rec) && r.cfg.Journal.WriterAlive(rec)
}

func (r *Runner) watching(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.watches, func(w Watch) bool { return w.ID == id })
}
