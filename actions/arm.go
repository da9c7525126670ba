package actions

import "time"

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
	if r.rules().policy.ReadOnly {
		return Arming{}, readOnly()
	}
	if p.Refused() {
		return Arming{}, &p.Refusals[0]
	}
	now := time.Now()
	id, err := newID(now)
	if err != nil {
		return Arming{}, &Refusal{Guard: GuardArmed, Text: err.Error()}
	}
	a := arming{Arming{id, now.Add(min(max(lasts, 0), r.rules().policy.Armed))}, actor, p.Token()}
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
	if r.rules().policy.ReadOnly {
		return readOnly()
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
