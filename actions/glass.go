package actions

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions/journal"
)

// Lift is a guard that may be lifted by breaking the glass. There are no others: the role, the
// bounds, the evidence, the target and the journal are never lifted.
type Lift string

// What can be lifted, by the names of the config.
const (
	LiftFreeze Lift = "freeze"
	LiftSecond Lift = "second_person"
	LiftRate   Lift = "max_actions"
	LiftChange Lift = "change"
)

// Glass is how an operator acts in spite of a guard: loudly, with a reason and on record.
type Glass struct {
	Verbs []Verb
	Lifts []Lift
}

// lifts reports whether a request breaks the glass of a guard.
func (p Policy) lifts(req Request, l Lift) bool {
	return req.Glass && p.Glass != nil && slices.Contains(p.Glass.Verbs, req.Verb) && slices.Contains(p.Glass.Lifts, l)
}

// breakable is the refusal of a request to break a glass that is not there, or nil.
func (p Policy) breakable(req Request) *Refusal {
	switch {
	case !req.Glass:
		return nil
	case p.Glass == nil:
		return &Refusal{Guard: GuardGlass, Text: "no glass may be broken here", Hint: "policy.break_glass in the config"}
	case !slices.Contains(p.Glass.Verbs, req.Verb):
		return &Refusal{Guard: GuardGlass, Text: fmt.Sprintf("the glass may not be broken for %s", req.Verb), Hint: "policy.break_glass.verbs in the config"}
	}
	return nil
}

// liftable takes a refusal of a guard that the glass was broken for: it is lifted, and remembered.
func (a *attempt) liftable(no *Refusal, l Lift) *Refusal {
	if no == nil || !a.r.rules().policy.lifts(a.c.Preview.Request, l) {
		return no
	}
	a.lifted = append(a.lifted, string(l))
	return nil
}

// brokenInto says in a preview what breaking the glass would lift. One that would lift nothing is
// refused: the ordinary way is open.
func (r *Runner) brokenInto(p *Preview, incident bool) {
	if !p.Request.Glass {
		return
	}
	req := p.Request
	p.Risk = Severe
	_, change, second := r.rules().policy.Needs(p, incident)
	if change && blank(req.Change) && r.rules().policy.lifts(req, LiftChange) {
		p.Lifted = append(p.Lifted, Refusal{Guard: GuardReason, Text: "a change id is required"})
	}
	if second && r.rules().policy.lifts(req, LiftSecond) {
		p.Lifted = append(p.Lifted, Refusal{Guard: GuardSecond, Text: "a second person must agree"})
	}
	if len(p.Lifted) == 0 && !p.Refused() {
		p.Refuse(GuardGlass, "nothing is in the way that breaking the glass would lift", "act without breaking it")
	}
}

// breakGlass journals, before the intent, that the glass is broken; nothing is sent when it can't be.
func (a *attempt) breakGlass(ctx context.Context) *Refusal {
	if !a.c.Preview.Request.Glass || a.later && len(a.lifted) == 0 {
		return nil
	}
	rec := a.r.record(journal.Note, letterNote, a.id, a.actor, a.fresh)
	rec.Code, rec.Glass = codeGlass, a.lifted
	rec.Reason, rec.Change = a.r.redact(a.c.Preview.Request.Reason), a.r.redact(a.c.Preview.Request.Change)
	rec.Text = "breaks the glass: nothing had to be lifted"
	if len(a.lifted) > 0 {
		rec.Text = "breaks the glass: lifts " + strings.Join(a.lifted, ", ")
	}
	a.place(&rec)
	if _, err := a.r.cfg.Journal.Append(ctx, rec); err != nil {
		return &Refusal{Guard: GuardJournal, Text: "the broken glass could not be journalled: " + a.r.redact(err.Error()), Hint: "onsale journal verify"}
	}
	return nil
}

// Needs is what must be brought along for a preview: a reason, a change id, a second person. What
// breaking the glass lifts need not be, and breaking it always takes a reason.
func (r *Runner) Needs(p *Preview) (reason, change, second bool) {
	reason, change, second = r.rules().policy.Needs(p, r.incident(p.Request.Sale))
	return reason || p.Request.Glass, change && !r.rules().policy.lifts(p.Request, LiftChange), second && !r.rules().policy.lifts(p.Request, LiftSecond)
}

// GlassOf lists what breaking the glass would lift for a verb; nil: it may not be broken.
func (r *Runner) GlassOf(v Verb) []Lift {
	if g := r.rules().policy.Glass; g != nil && slices.Contains(g.Verbs, v) {
		return slices.Clone(g.Lifts)
	}
	return nil
}

// EvidenceMaxAge is how old evidence may be that a request needs; 0: as its freshness says.
func (r *Runner) EvidenceMaxAge(req Request) time.Duration {
	if slices.Contains(r.rules().policy.AnyAge, req.Verb) || req.paperwork() {
		return 0
	}
	return r.rules().policy.EvidenceMaxAge
}

// LiftedWords names what breaking the glass lifts, for a person: "freeze, second person". Empty for
// a preview that breaks none.
func (p *Preview) LiftedWords() string {
	lifts := map[Guard]string{GuardFreeze: "freeze", GuardSecond: "second person", GuardBounds: "max actions", GuardReason: "change"}
	var words []string
	for _, no := range p.Lifted {
		if w := lifts[no.Guard]; !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	return strings.Join(words, ", ")
}
