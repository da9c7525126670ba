package actions

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
)

// Play is a named sequence of actions, as the config declares it.
type Play struct {
	Name  string
	Title string
	Sales []sale.ID // empty: all
	Steps []PlayStep
}

// PlayStep is one action of a play.
type PlayStep struct {
	Verb  Verb
	To    *float64
	Text  string
	After time.Duration // how long to wait after the step before it
	Hold  []Condition   // what stops the play before this step
}

// PlaysOf lists the plays of a sale.
func (r *Runner) PlaysOf(id sale.ID) []Play {
	var found []Play
	for _, p := range r.rules().plays {
		if len(p.Sales) == 0 || slices.Contains(p.Sales, id) {
			found = append(found, p)
		}
	}
	return found
}

// lookPlay makes one preview of a whole play.
func (r *Runner) lookPlay(ctx context.Context, req Request, seen Evidence) Preview {
	whole := Preview{Request: req, Risk: Mild, ReadAt: time.Now(), Target: Target{System: "play", Kind: "play", Name: req.Play}}
	plays := r.PlaysOf(req.Sale)
	i := slices.IndexFunc(plays, func(p Play) bool { return p.Name == req.Play })
	if i < 0 {
		whole.Refuse(GuardRequest, fmt.Sprintf("there is no play %q for sale %s", req.Play, req.Sale), "")
		return whole
	}
	if len(plays[i].Steps) == 0 {
		whole.Refuse(GuardRequest, fmt.Sprintf("the play %q has no steps", req.Play), "")
		return whole
	}
	for n, s := range plays[i].Steps {
		part := Request{Sale: req.Sale, Verb: s.Verb, To: s.To, Text: s.Text, Play: req.Play, Reason: req.Reason, Change: req.Change}
		if part.Text == "" {
			part.Text = req.Text
		}
		if no := part.sane(); no != nil || s.Verb == Undo || s.Verb == RunPlay {
			text := string(s.Verb) + " can't be a step of a play"
			if no != nil {
				text = no.Text
			}
			whole.Refuse(GuardRequest, fmt.Sprintf("step %d: %s", n+1, text), "")
			continue
		}
		p := r.look(ctx, part, seen)
		for _, no := range p.Refusals {
			whole.Refuse(no.Guard, fmt.Sprintf("step %d, %s: %s", n+1, s.Verb, no.Text), no.Hint)
		}
		steps := p.Steps
		if len(steps) == 0 {
			steps = []Step{{Request: part, Preview: p}}
		}
		steps[0].After += s.After
		for k := range steps {
			steps[k].Hold = append(slices.Clone(s.Hold), steps[k].Hold...)
		}
		whole.Steps = append(whole.Steps, steps...)
	}
	whole.asIfInTurn()
	whole.sumUp()
	return whole
}

// asIfInTurn makes the From of each step what the steps before it will have left.
func (p *Preview) asIfInTurn() {
	for i := range p.Steps {
		s := &p.Steps[i]
		s.Preview.Request = s.Request
		for _, earlier := range p.Steps[:i] {
			if earlier.Preview.Target == s.Preview.Target {
				s.Preview.From = s.Preview.From.With(earlier.Preview.To.Only(s.Preview.From))
			}
		}
	}
}

// sumUp fills what a preview of several steps says as a whole.
func (p *Preview) sumUp() {
	var changes []string
	cost, known := 0.0, true
	for i, s := range p.Steps {
		q := s.Preview
		text := q.Change
		if s.After > 0 {
			text += fmt.Sprintf(" after %s", sale.FormatAge(s.After))
		}
		changes = append(changes, text)
		for _, w := range q.Warnings {
			p.Warnings = append(p.Warnings, fmt.Sprintf("step %d: %s", i+1, w))
		}
		for _, o := range q.Evidence {
			if !slices.ContainsFunc(p.Evidence, func(e Observed) bool { return e.Signal == o.Signal }) {
				p.Evidence = append(p.Evidence, o)
			}
		}
		if q.CostPerHour == nil {
			known = false
		} else {
			cost += *q.CostPerHour
		}
		if q.People != nil && (p.People == nil || *q.People > *p.People) {
			p.People, p.PeopleText = q.People, q.PeopleText
		}
	}
	if known && len(p.Steps) > 0 {
		p.CostPerHour = &cost
	}
	p.Change = strings.Join(changes, ", then ")
	p.UndoText = "U takes the steps back one at a time, the last first"
}

// runSteps runs a ramp or a play: step by step, each with its own intent and proof, until one
// is not done. A step that was done stays done.
func (r *Runner) runSteps(ctx context.Context, actor Actor, c Confirmed) Result {
	whole := Result{Preview: c.Preview}
	name := c.Preview.Request.Play
	if name == "" {
		name = string(c.Preview.Request.Verb)
	}
	id, err := newID(time.Now())
	if err != nil {
		no := Refusal{Guard: GuardJournal, Text: err.Error()}
		return Result{Outcome: Refused, Preview: c.Preview, Refusals: []Refusal{no}, Text: no.Text, Ended: time.Now()}
	}
	whole.ID = id
	steps := c.Preview.Steps
	for i := range steps {
		p := steps[i].Preview
		p.Request = steps[i].Request
		p.Request.Reason, p.Request.Change = c.Preview.Request.Reason, c.Preview.Request.Change
		a := &attempt{
			r: r, actor: actor, c: c, p: &p, at: c.At, later: i > 0, ref: id,
			play: &journal.Play{Name: name, Step: i + 1, Of: len(steps)},
		}
		if i > 0 {
			a.since = whole.Steps[0].IntentSeq
		}
		for _, earlier := range steps[:i] {
			a.again = a.again || earlier.Preview.Target == p.Target
		}
		var res Result
		if no := r.await(ctx, p.Request.Sale, steps[i], i); no != nil && (i > 0 || r.mayActor(actor) == nil) {
			if i == 0 {
				r.Disarm(c.Arming)
			}
			res = a.refuse(ctx, *no)
		} else {
			if i > 0 {
				a.at = time.Now() // the sequence was confirmed; this step is due now
			}
			res = a.run(ctx)
		}
		whole.Steps = append(whole.Steps, res)
		if c.Progress != nil {
			c.Progress(res)
		}
		if res.Outcome != Done {
			break
		}
	}
	whole.sumUp(len(steps))
	return whole
}

// sumUp says how a sequence ended: done when every step is; refused when nothing was sent.
func (w *Result) sumUp(of int) {
	last := w.Steps[len(w.Steps)-1]
	w.Ended, w.Sent = last.Ended, w.Steps[0].Sent
	w.IntentSeq, w.ResultSeq = w.Steps[0].IntentSeq, last.ResultSeq
	w.Refusals, w.Problem, w.Unrecorded = last.Refusals, last.Problem, last.Unrecorded
	n := len(w.Steps)
	switch {
	case last.Outcome == Done:
		w.Outcome, w.Text = Done, fmt.Sprintf("all %d steps are done", of)
	case last.Outcome == Refused && n > 1:
		w.Outcome, w.Text = Failed, fmt.Sprintf("stopped before step %d of %d, the steps before it are done: %s", n, of, last.Text)
	default:
		w.Outcome, w.Text = last.Outcome, fmt.Sprintf("step %d of %d: %s", n, of, last.Text)
	}
}

// await waits until a step is due, looking at its conditions once a second, and says what stops
// it, or nil.
func (r *Runner) await(ctx context.Context, id sale.ID, s Step, i int) *Refusal {
	due := time.Now()
	if i > 0 {
		due = due.Add(s.After)
	}
	for {
		now := time.Now()
		if no := r.heldBack(id, s.Hold, now); no != nil {
			return no
		}
		if err := ctx.Err(); err != nil {
			return &Refusal{Guard: GuardAbort, Text: fmt.Sprintf("stopped before step %d", i+1)}
		}
		if !now.Before(due) {
			return nil
		}
		wait(ctx, min(due.Sub(now), time.Second))
	}
}

// heldBack is the refusal of a condition that holds, or of a signal that can't be seen, or nil.
func (r *Runner) heldBack(id sale.ID, conditions []Condition, now time.Time) *Refusal {
	if len(conditions) == 0 {
		return nil
	}
	seen := EvidenceOf(r.state(id), now)
	for _, c := range conditions {
		o := seen.Signal(c.Signal)
		sign := ">"
		if c.Over == Down {
			sign = "<"
		}
		switch {
		case !o.Usable():
			return &Refusal{Guard: GuardAbort, Text: "held: " + o.String() + " can't be judged"}
		case c.Over == Down && o.Value < c.Limit, c.Over != Down && o.Value > c.Limit:
			return &Refusal{Guard: GuardAbort, Text: fmt.Sprintf("held: %s %s %s", o, sign, sale.Format(c.Limit, o.Unit, false))}
		}
	}
	return nil
}
