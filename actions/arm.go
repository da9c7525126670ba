package actions

import (
	"context"
	"time"

	"github.com/onsale-dev/onsale/actions/journal"
)

// Arming is the leave to send one preview, once, until a time.
type Arming struct {
	ID    string
	Until time.Time
}

type arming struct {
	Arming
	actor Actor
	token string
}

// Arm lets an actor send one preview within a time, bounded by the policy. It does nothing but
// remember. The reason and the change id may still be filled in afterwards.
func (r *Runner) Arm(actor Actor, p Preview, lasts time.Duration) (Arming, *Refusal) {
	if no := r.mayActor(actor); no != nil {
		return Arming{}, no
	}
	if r.policy.ReadOnly {
		return Arming{}, &Refusal{Guard: GuardArmed, Text: "this cockpit is read-only"}
	}
	if p.Refused() {
		return Arming{}, &p.Refusals[0]
	}
	now := time.Now()
	id, err := newID(now)
	if err != nil {
		return Arming{}, &Refusal{Guard: GuardArmed, Text: err.Error()}
	}
	a := arming{Arming{id, now.Add(min(max(lasts, 0), r.policy.Armed))}, actor, p.Token()}
	r.mu.Lock()
	defer r.mu.Unlock()
	for old, other := range r.armings {
		if now.After(other.Until) {
			delete(r.armings, old)
		}
	}
	r.armings[id] = a
	return a.Arming, nil
}

// Disarm takes an arming back.
func (r *Runner) Disarm(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.armings, id)
}

// spend uses an arming up and says why it is no good, or nil.
func (r *Runner) spend(actor Actor, id string, p *Preview, now time.Time) *Refusal {
	refuse := func(text string) *Refusal {
		return &Refusal{Guard: GuardArmed, Text: text, Hint: "open the panel again"}
	}
	if r.policy.ReadOnly {
		return &Refusal{Guard: GuardArmed, Text: "this cockpit is read-only"}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a, ok := r.armings[id]
	delete(r.armings, id)
	switch {
	case !ok:
		return refuse("read-only: this action was not armed, or was sent already")
	case now.After(a.Until):
		return refuse("read-only again: the armed time was over")
	case !a.actor.Same(actor):
		return refuse("armed by " + a.actor.Name + ", not by " + actor.Name)
	case a.token != p.Token():
		return refuse("armed for another preview")
	}
	return nil
}

// mayActor is the refusal of somebody who may not act, or nil.
func (r *Runner) mayActor(a Actor) *Refusal {
	switch {
	case a.Name == "":
		return &Refusal{Guard: GuardRole, Text: "nobody is named as the actor"}
	case a.Role == Viewer:
		return &Refusal{Guard: GuardRole, Text: a.Name + " is a viewer: reads, cannot act", Hint: "ask an operator; a role is given in the config"}
	case a.Role != Operator:
		return &Refusal{Guard: GuardRole, Text: a.Name + " has no role here", Hint: "a role is given in the config"}
	}
	return nil
}

type approval struct {
	token     string
	requester Actor
	asked     time.Time
	approver  *Actor
	agreed    time.Time
}

// Ask asks for a second person for a preview. The answer is the id that Approve takes. It
// expires by the policy.
func (r *Runner) Ask(ctx context.Context, requester Actor, p Preview) (string, *Refusal) {
	if no := r.mayActor(requester); no != nil {
		return "", no
	}
	now := time.Now()
	id, err := newID(now)
	if err != nil {
		return "", &Refusal{Guard: GuardSecond, Text: err.Error()}
	}
	if no := r.notedApproval(ctx, requester, &p, id, "asks for a second person"); no != nil {
		return "", no
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for old, a := range r.approvals {
		if now.Sub(a.asked) > r.policy.Approval+r.policy.Execution {
			delete(r.approvals, old)
		}
	}
	r.approvals[id] = &approval{token: p.Token(), requester: requester, asked: now}
	return id, nil
}

// Approve is the second person's agreement. The requester, by name or by key, can't give it; two
// sessions of one key are one person.
func (r *Runner) Approve(ctx context.Context, approver Actor, id string, p Preview) *Refusal {
	no := r.mayActor(approver)
	r.mu.Lock()
	a := r.approvals[id]
	now := time.Now()
	switch {
	case no != nil:
	case a == nil:
		no = &Refusal{Guard: GuardSecond, Text: "there is no such request, or it has expired"}
	case a.requester.Same(approver):
		no = &Refusal{Guard: GuardSecond, Text: approver.Name + " asked for it: another person must agree"}
	case now.Sub(a.asked) > r.policy.Approval:
		no = &Refusal{Guard: GuardSecond, Text: "the request has expired"}
	case a.token != p.Token():
		no = &Refusal{Guard: GuardSecond, Text: "the request was for another preview"}
	}
	r.mu.Unlock()
	if no != nil {
		r.noteRefusal(ctx, approver, &p, "", []Refusal{*no})
		return no
	}
	if no := r.notedApproval(ctx, approver, &p, id, "agrees as the second person"); no != nil {
		return no
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a.approver, a.agreed = &approver, time.Now()
	return nil
}

func (r *Runner) notedApproval(ctx context.Context, who Actor, p *Preview, id, text string) *Refusal {
	rec := r.record(journal.Note, letterNote, id, who, p)
	rec.Code, rec.Text = codeSecond, text
	if _, err := r.cfg.Journal.Append(ctx, rec); err != nil {
		return &Refusal{Guard: GuardJournal, Text: r.redact(err.Error())}
	}
	return nil
}

// agreed uses an approval up: who agreed, or why it is no good.
func (r *Runner) agreed(requester Actor, id string, p *Preview, now time.Time) (*Actor, *Refusal) {
	refuse := func(text string) (*Actor, *Refusal) {
		return nil, &Refusal{Guard: GuardSecond, Text: text, Hint: "ask for a second person in the panel"}
	}
	if id == "" {
		return refuse("a second person must agree first")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.approvals[id]
	switch {
	case a == nil:
		return refuse("there is no such agreement, or it was used")
	case a.approver == nil:
		return refuse("nobody has agreed yet")
	case a.approver.Same(requester):
		return refuse(a.approver.Name + " can't agree with themselves")
	case now.Sub(a.agreed) > r.policy.Execution:
		return refuse("the agreement has expired")
	case a.token != p.Token():
		return refuse("the agreement was for another preview")
	}
	delete(r.approvals, id)
	return a.approver, nil
}
