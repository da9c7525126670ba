package actions

import (
	"context"
	"fmt"
	"time"

	"github.com/onsale-dev/onsale/actions/journal"
)

// Confirmed is an action that a person has confirmed.
type Confirmed struct {
	// Preview is the one that was shown, with the reason and the change id filled in.
	Preview  Preview
	Arming   string    // of Arm
	At       time.Time // when the gesture was made
	Approval string    // of Ask and Approve, where a second person is required
	// Progress, when set, is told of each step of a play as it ends.
	Progress func(step Result)
}

// attempt is one write on its way through the guards.
type attempt struct {
	r     *Runner
	actor Actor
	c     Confirmed
	p     *Preview // what was confirmed
	at    time.Time
	ex    Executor

	later  bool   // a step after the first: the sequence was armed and agreed to as a whole
	since  uint64 // with later: the intent of the first step
	again  bool   // an earlier step wrote to the same target, so its version is another
	play   *journal.Play
	ref    string
	asked  Asked    // what a second person agreed to; without an id: none was needed
	lifted []string // by breaking the glass

	before uint64   // the journal's end before the target was read again
	fresh  *Preview // the target read again: this is what is sent
	id     string
	intent journal.Record
	sent   time.Time
	held   string // the key of the target that is held
}

// Run sends what was confirmed, if every guard lets it through, and says how it ended. Once the
// intent is journalled the end of ctx stops nothing: the action is seen through and recorded.
//
// The guards are asked in this order: role, armed, freeze window, bounds and rate of actions,
// evidence, account and target, target unchanged, reason or change id, second person. Then the
// intent is journalled; a confirmation that is too old by then is refused.
func (r *Runner) Run(ctx context.Context, actor Actor, c Confirmed) Result {
	if len(c.Preview.Steps) > 0 {
		return r.runSteps(ctx, actor, c)
	}
	a := &attempt{r: r, actor: actor, c: c, p: &c.Preview, at: c.At, ref: c.Preview.Request.Undoes}
	return a.run(ctx)
}

func (a *attempt) run(ctx context.Context) Result {
	defer a.release()
	for _, guard := range []func(context.Context) *Refusal{
		a.mayAct, a.isArmed, a.notFrozen, a.inBounds, a.isSeen, a.isDeclared,
		a.isUnchanged, a.isExplained, a.isAgreed, a.intend,
	} {
		if no := guard(ctx); no != nil {
			return a.refuse(ctx, *no)
		}
	}
	return a.execute(context.WithoutCancel(ctx))
}

func (a *attempt) mayAct(context.Context) *Refusal { return a.r.mayActor(a.actor) }

func (a *attempt) isArmed(context.Context) *Refusal {
	if a.later {
		return nil
	}
	if no := a.r.spend(a.actor, a.c.Arming, &a.c.Preview, time.Now()); no != nil {
		return no
	}
	if a.p.Refused() {
		return &a.p.Refusals[0]
	}
	for _, no := range []*Refusal{a.p.Request.sane(), a.r.rules().policy.breakable(a.c.Preview.Request)} {
		if no != nil {
			return no
		}
	}
	return a.tooOld(time.Now())
}

func (a *attempt) notFrozen(context.Context) *Refusal {
	return a.liftable(a.r.rules().policy.frozen(a.p.Request, a.r.incident(a.p.Request.Sale), time.Now()), LiftFreeze)
}

func (a *attempt) inBounds(context.Context) *Refusal {
	incident := a.r.incident(a.p.Request.Sale)
	if no := a.p.sane(); no != nil {
		return no
	}
	if no := a.r.rules().policy.bounded(a.p, incident); no != nil {
		return no
	}
	if a.later {
		return nil // a play counts as one action
	}
	no := a.r.tooMany(a.p, incident, time.Now())
	if no == nil { // a sequence that begins with paperwork is an action all the same
		no = a.r.tooMany(&a.c.Preview, incident, time.Now())
	}
	return a.liftable(no, LiftRate)
}

// tooMany is the refusal of a limit on the rate of actions, or nil. What was sent counts,
// however it ended; paperwork is neither counted nor held up.
func (r *Runner) tooMany(p *Preview, incident bool, now time.Time) *Refusal {
	if p.Request.paperwork() {
		return nil
	}
	for _, l := range r.rules().policy.Limits {
		if !l.covers(p.Request.Sale, p.Request.Verb, incident) || l.Count <= 0 {
			continue
		}
		records, err := r.cfg.Journal.List(journal.Filter{
			Sale: string(p.Request.Sale), Kinds: []journal.Kind{journal.Intent, journal.Refused}, Since: now.Add(-l.Per),
		})
		if err != nil {
			return &Refusal{Guard: GuardJournal, Text: r.redact(err.Error())}
		}
		counted := map[string]bool{}
		for _, rec := range records {
			if !l.covers(p.Request.Sale, Verb(rec.Action), false) || l.PerTarget && !onTarget(rec, p.Target) {
				continue
			}
			if m, _ := Verb(rec.Action).Meaning(); m.Paperwork || rec.Play != nil && rec.Play.Step > 1 {
				continue
			}
			if rec.Kind == journal.Intent {
				counted[rec.ID] = true
			} else {
				delete(counted, rec.ID)
			}
		}
		if len(counted) >= l.Count {
			return &Refusal{Guard: GuardBounds, Text: fmt.Sprintf("%d actions in the last %s, the limit is %d", len(counted), l.Per, l.Count), Hint: "wait, or change the limit in the config"}
		}
	}
	return nil
}

func onTarget(rec journal.Record, t Target) bool {
	return rec.Target != nil && Target(*rec.Target) == t
}

func (a *attempt) isSeen(context.Context) *Refusal {
	return a.r.rules().policy.fresh(a.p.Request, a.p.Evidence, a.r.evidence(a.p.Request.Sale, time.Now()))
}

func (a *attempt) isDeclared(context.Context) *Refusal {
	return a.r.rules().policy.declared(a.p.Request.Sale, a.p.Target)
}

// isUnchanged reads the target again and compares. From here on nothing else of ours runs on it.
func (a *attempt) isUnchanged(ctx context.Context) *Refusal {
	if no := a.hold(); no != nil {
		return no
	}
	if _, err := a.r.cfg.Journal.Pending(); err != nil {
		return &Refusal{Guard: GuardJournal, Text: a.r.redact(err.Error())}
	}
	a.before = a.r.cfg.Journal.Head().Seq
	var err error
	if a.ex, err = a.r.executor(a.p.Request); err != nil {
		return &Refusal{Guard: GuardTarget, Text: a.r.redact(err.Error())}
	}
	fresh := a.r.look(ctx, a.p.Request, a.r.evidence(a.p.Request.Sale, time.Now()))
	fresh.Lifted = a.c.Preview.Lifted
	a.fresh = &fresh
	if no := a.differs(); no != nil {
		return no
	}
	return nil
}

// differs is the refusal of a target that is not as it was shown, or nil.
func (a *attempt) differs() *Refusal {
	const hint = "the key shows the panel again with the new value"
	by := ""
	if a.fresh.ByWhom != "" {
		by = " by " + a.fresh.ByWhom
		if !a.fresh.Modified.IsZero() {
			by += " " + a.fresh.Modified.UTC().Format("15:04:05Z")
		}
	} else if rec := a.r.lastOn(a.p.Target, a.before); rec != nil && a.p.ReadAt.Before(rec.TS) {
		by = fmt.Sprintf(" by %s %s", rec.Actor.Name, rec.TS.UTC().Format("15:04:05Z"))
	}
	changed := func(text string) *Refusal { return &Refusal{Guard: GuardChanged, Text: text + by, Hint: hint} }
	switch {
	case a.fresh.Target != a.p.Target && !a.fresh.Refused():
		return changed(fmt.Sprintf("the target is %s now, not %s", a.fresh.Target, a.p.Target))
	case !a.p.From.Equal(a.fresh.From) && len(a.fresh.From) > 0:
		if text := a.p.From.Change(a.fresh.From); text != "" {
			return changed(text)
		}
		return changed(a.fresh.From.Change(a.p.From) + " was read before")
	case a.fresh.Refused():
		return &a.fresh.Refusals[0]
	case len(a.fresh.Steps) > 0:
		return changed("it takes several steps now")
	case !a.p.To.Equal(a.fresh.To):
		return changed("it would set " + a.fresh.To.String() + " now, not " + a.p.To.String())
	case !a.again && a.p.Version != a.fresh.Version && a.p.Version != "" && a.fresh.Version != "":
		return changed("it was written again with the same values")
	}
	return nil
}

// lastOn is the newest result on a target, for the words of a refusal.
func (r *Runner) lastOn(t Target, upTo uint64) *journal.Record {
	records, err := r.cfg.Journal.List(journal.Filter{Kinds: []journal.Kind{journal.Result}, Since: time.Now().Add(-rememberFor)})
	if err != nil {
		return nil
	}
	for i := len(records) - 1; i >= 0; i-- {
		if records[i].Seq <= upTo && onTarget(records[i], t) {
			return &records[i]
		}
	}
	return nil
}

func (a *attempt) isExplained(context.Context) *Refusal {
	reason, change, _ := a.r.rules().policy.Needs(a.p, a.r.incident(a.p.Request.Sale))
	req := a.c.Preview.Request
	switch {
	case req.Glass && blank(req.Reason):
		return &Refusal{Guard: GuardReason, Text: "breaking the glass takes a reason", Hint: "tab in the panel, or --reason"}
	case reason && blank(req.Reason) && blank(req.Change):
		return &Refusal{Guard: GuardReason, Text: "a reason is required", Hint: "tab in the panel, or --reason"}
	case change && blank(req.Change):
		return a.liftable(&Refusal{Guard: GuardReason, Text: "a change id is required", Hint: "tab in the panel, or --change"}, LiftChange)
	}
	return nil
}

func (a *attempt) isAgreed(context.Context) *Refusal {
	if a.later {
		return nil
	}
	_, _, second := a.r.rules().policy.Needs(&a.c.Preview, a.r.incident(a.p.Request.Sale))
	if !second {
		return nil
	}
	asked, no := a.r.agreed(a.actor, a.c.Approval, &a.c.Preview)
	if no == nil {
		a.asked = asked
	}
	return a.liftable(no, LiftSecond)
}

// tooOld is the refusal of a confirmation that waited too long, or nil. Both clocks are asked:
// the monotonic one stands still while a machine sleeps.
func (a *attempt) tooOld(now time.Time) *Refusal {
	age := max(now.Sub(a.at), now.Round(0).Sub(a.at.Round(0)))
	if a.at.IsZero() || age > a.r.rules().policy.Confirmed || age < -a.r.rules().policy.Confirmed {
		return &Refusal{Guard: GuardStale, Text: fmt.Sprintf("it was confirmed more than %s ago", a.r.rules().policy.Confirmed), Hint: "confirm again"}
	}
	return nil
}

// hold takes the target for this action within this process, until release.
func (a *attempt) hold() *Refusal {
	a.r.mu.Lock()
	defer a.r.mu.Unlock()
	key := a.p.Target.Key()
	if _, busy := a.r.inFlight[key]; busy {
		return &Refusal{Guard: GuardLease, Text: "another action on " + a.p.Target.String() + " is not settled yet", Hint: "wait for its outcome"}
	}
	a.r.inFlight[key], a.held = "", key
	return nil
}

func (a *attempt) release() {
	if a.held == "" {
		return
	}
	a.r.mu.Lock()
	defer a.r.mu.Unlock()
	delete(a.r.inFlight, a.held)
}

// intend journals the intent, if nobody else has one on the target.
func (a *attempt) intend(ctx context.Context) *Refusal {
	if no := a.tooOld(time.Now()); no != nil {
		return no
	}
	id, err := newID(time.Now())
	if err != nil {
		return &Refusal{Guard: GuardJournal, Text: err.Error()}
	}
	a.id = id
	a.r.mu.Lock()
	a.r.inFlight[a.held] = id
	a.r.of[id] = true
	a.r.mu.Unlock()
	if no := a.breakGlass(ctx); no != nil {
		a.id = ""
		return no
	}
	rec := a.r.record(journal.Intent, letterIntent, id, a.actor, a.fresh)
	rec.Reason, rec.Change = a.r.redact(a.c.Preview.Request.Reason), a.r.redact(a.c.Preview.Request.Change)
	rec.Evidence, rec.Text = quoted(a.fresh.Evidence), a.r.redact(a.fresh.Change)
	a.place(&rec)
	if a.asked.ID != "" {
		who := plain(a.asked.Answerer)
		rec.Approver, rec.Approval = &who, a.asked.ID
	}
	if e := a.fresh.Effect; e != nil {
		rec.Watch = &journal.Watch{Signal: string(e.Signal), Direction: string(e.Direction), Wanted: e.Wanted, WithinS: e.Within.Seconds()}
	}
	var no *Refusal
	a.intent, err = a.r.cfg.Journal.AppendIf(ctx, rec, func(v journal.View) error {
		if no = a.leased(v); no == nil && a.asked.ID != "" {
			no = a.r.still(v, a.asked, func(now Asked) *Refusal { return now.usable(a.actor, a.c.Preview.Token()) })
		}
		if no != nil {
			return fmt.Errorf("%s", no.Text)
		}
		return nil
	})
	if no == nil && err != nil {
		a.id = "" // whether or not the intent reached the disk, nothing is sent
		no = &Refusal{Guard: GuardJournal, Text: "the intent could not be journalled: " + a.r.redact(err.Error()), Hint: "onsale journal verify"}
	}
	return no
}

// leased is the refusal while another action on the target is not settled, or was begun after
// the target was read, or nil.
func (a *attempt) leased(v journal.View) *Refusal {
	t := a.fresh.Target
	const hint = "wait for its outcome, then open the panel again"
	for _, p := range v.Pending() {
		if !onTarget(p.Intent, t) || v.Age(p.Intent) >= a.r.rules().policy.Lease {
			continue
		}
		mine := Actor{Name: p.Intent.Actor.Name, Fingerprint: p.Intent.Actor.Fingerprint}.Same(a.actor)
		if p.Unknown != nil && mine {
			continue // it has ended, and whoever sent it may decide again
		}
		return &Refusal{Guard: GuardLease, Hint: hint, Text: fmt.Sprintf("%s of %s by %s %s ago is not settled (#%d)",
			p.Intent.Action, t, p.Intent.Actor.Name, v.Age(p.Intent).Round(time.Second), p.Intent.Seq)}
	}
	since, ok := v.Since(a.before)
	if !ok {
		return &Refusal{Guard: GuardLease, Text: "too much was journalled meanwhile to tell what happened", Hint: hint}
	}
	if no := a.overtaken(v); no != nil {
		return no
	}
	for _, rec := range since {
		if onTarget(rec, t) && (rec.Kind == journal.Intent || rec.Kind == journal.Result) {
			return &Refusal{Guard: GuardChanged, Hint: hint, Text: fmt.Sprintf("%s of %s by %s %s came first (#%d)",
				rec.Action, t, rec.Actor.Name, rec.TS.UTC().Format("15:04:05Z"), rec.Seq)}
		}
	}
	return nil
}

// overtaken is the refusal of a later step when somebody has acted on the sale since the
// sequence began: a pause must not be undone by a ramp that is still under way. nil otherwise.
func (a *attempt) overtaken(v journal.View) *Refusal {
	if !a.later {
		return nil
	}
	since, ok := v.Since(a.since)
	if !ok {
		return &Refusal{Guard: GuardAbort, Text: "too much was journalled meanwhile to tell what happened"}
	}
	for _, rec := range since {
		m, _ := Verb(rec.Action).Meaning()
		if rec.Kind == journal.Intent && rec.Sale == string(a.p.Request.Sale) && rec.Ref != a.ref && !m.Paperwork {
			return &Refusal{Guard: GuardAbort, Text: fmt.Sprintf("%s by %s %s came in between (#%d)",
				rec.Action, rec.Actor.Name, rec.TS.UTC().Format("15:04:05Z"), rec.Seq)}
		}
	}
	return nil
}

func blank(s string) bool {
	for _, c := range s {
		if c != ' ' && c != '\t' && c != '\n' {
			return false
		}
	}
	return true
}
