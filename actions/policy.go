package actions

import (
	"fmt"
	"slices"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// Policy is what may be done, as the config declares it. Pure data. The zero value lets nothing
// through, because it declares no target.
type Policy struct {
	// ReadOnly forbids every action, as on a wall and in a replay.
	ReadOnly bool
	// Accounts lists the accounts, zones and clusters that may be acted on; empty: any declared.
	Accounts []string
	// Targets lists what each sale may act on. An action on anything else is refused.
	Targets map[sale.ID][]Target

	Freezes      []Freeze
	Bounds       []Bound
	Limits       []Limit
	Requirements []Requirement
	// AnyAge lists the verbs that may be done on evidence that is stale.
	AnyAge []Verb
	// EvidenceMaxAge bounds how old evidence that an action needs may be, whatever its source calls
	// fresh; 0: as its freshness says. Paperwork and AnyAge are not held up by it.
	EvidenceMaxAge time.Duration
	// Glass is what may be done in spite of a guard; nil: nothing.
	Glass *Glass

	Armed     time.Duration // how long an arming may last at most; default 60 s
	Confirmed time.Duration // how old a confirmation may be when the write is sent; default 10 s
	Lease     time.Duration // how long an unsettled action keeps others from its target; default 60 s
	Approval  time.Duration // how long a second person has to agree; default 5 min
	Execution time.Duration // how long an agreement is good for; default 60 s
}

// Scope says what a rule is about. Empty lists mean all.
type Scope struct {
	Sales []sale.ID
	Verbs []Verb
	// ExceptIncident lifts the rule for a sale with an open incident.
	ExceptIncident bool
}

func (s Scope) covers(id sale.ID, v Verb, incident bool) bool {
	return (len(s.Sales) == 0 || slices.Contains(s.Sales, id)) &&
		(len(s.Verbs) == 0 || slices.Contains(s.Verbs, v)) && !(s.ExceptIncident && incident)
}

// Freeze is a window in which nothing changes. From is in it, Until is not.
type Freeze struct {
	Scope
	From, Until time.Time
	Reason      string
}

// Bound is a range for one setting of a target.
type Bound struct {
	Scope
	System   string // empty: any
	Setting  string // the provider's own name, as in Preview.To
	Min, Max *float64
	// Factor bounds one action: the new number is at most so many times the old, and at least
	// one part in so many of it. 0: not bounded.
	Factor float64
}

// Limit bounds the rate of actions.
type Limit struct {
	Scope
	Count     int
	Per       time.Duration
	PerTarget bool // counted for each target; else for each sale
}

// Requirement is what a person must bring along.
type Requirement struct {
	Scope
	Severe bool // only for severe previews
	Reason bool
	Change bool // the id of a change
	Second bool // a second person
}

func (p Policy) withDefaults() Policy {
	for _, d := range []struct {
		v *time.Duration
		d time.Duration
	}{
		{&p.Armed, time.Minute},
		{&p.Confirmed, 10 * time.Second},
		{&p.Lease, time.Minute},
		{&p.Approval, 5 * time.Minute},
		{&p.Execution, time.Minute},
	} {
		if *d.v <= 0 {
			*d.v = d.d
		}
	}
	return p
}

// Needs is what must be brought along for a preview: a reason, a change id, a second person.
func (p Policy) Needs(pre *Preview, incident bool) (reason, change, second bool) {
	for _, r := range p.Requirements {
		if r.covers(pre.Request.Sale, pre.Request.Verb, incident) && (!r.Severe || pre.Gesture() == Severe) {
			reason, change, second = reason || r.Reason, change || r.Change, second || r.Second
		}
	}
	return reason, change, second
}

// Gesture is the risk as the panel must treat it: what is not known to be mild or normal is severe.
func (p *Preview) Gesture() Risk {
	worst := gesture(p.Risk)
	for i := range p.Steps {
		if g := gesture(p.Steps[i].Preview.Risk); g == Severe || worst == Mild {
			worst = g
		}
	}
	return worst
}

func gesture(r Risk) Risk {
	if r == Mild || r == Normal {
		return r
	}
	return Severe
}

// frozen is the refusal of a freeze window that is on, or nil.
func (p Policy) frozen(req Request, incident bool, now time.Time) *Refusal {
	if req.paperwork() {
		return nil
	}
	for _, f := range p.Freezes {
		if f.covers(req.Sale, req.Verb, incident) && !now.Before(f.From) && now.Before(f.Until) {
			text := "frozen until " + f.Until.UTC().Format("2006-01-02 15:04:05Z")
			if f.Reason != "" {
				text += ": " + f.Reason
			}
			return &Refusal{Guard: GuardFreeze, Text: text, Hint: "wait, or change the freeze window in the config"}
		}
	}
	return nil
}

// bounded is the refusal of a value that is out of its bounds, or nil.
func (p Policy) bounded(pre *Preview, incident bool) *Refusal {
	for _, b := range p.Bounds {
		if !b.covers(pre.Request.Sale, pre.Request.Verb, incident) || b.System != "" && b.System != pre.Target.System {
			continue
		}
		next, ok := pre.To[b.Setting].Number()
		if !ok {
			continue
		}
		refuse := func(text string) *Refusal {
			return &Refusal{Guard: GuardBounds, Text: fmt.Sprintf("%s %s", b.Setting, text), Hint: "choose a value within the bounds, or change them in the config"}
		}
		switch {
		case b.Min != nil && next < *b.Min:
			return refuse(fmt.Sprintf("%s is under the bound of %s", Number(next), Number(*b.Min)))
		case b.Max != nil && next > *b.Max:
			return refuse(fmt.Sprintf("%s is over the bound of %s", Number(next), Number(*b.Max)))
		}
		was, ok := pre.From[b.Setting].Number()
		if planned, later := pre.Before[b.Setting].Number(); later {
			was, ok = planned, true
		}
		if b.Factor > 0 && ok && was > 0 && (next > was*b.Factor || next < was/b.Factor) {
			return refuse(fmt.Sprintf("%s → %s is more than a factor of %s in one action", Number(was), Number(next), Number(b.Factor)))
		}
	}
	return nil
}

// declared is the refusal of a target or account that the config does not declare, or nil.
func (p Policy) declared(id sale.ID, t Target) *Refusal {
	if t.System == notebookSystem {
		return nil // the journal is nobody's to declare
	}
	const hint = "compare the sale's target in the config with the account of the credentials (onsale doctor)"
	if len(p.Accounts) > 0 && t.Account != "" && !slices.Contains(p.Accounts, t.Account) {
		return &Refusal{Guard: GuardTarget, Text: fmt.Sprintf("%s is in account %s, which is not declared", t, t.Account), Hint: hint}
	}
	is := func(declared, actual string) bool { return declared == "" || declared == actual }
	for _, d := range p.Targets[id] {
		if d.System == t.System && d.Name == t.Name && is(d.Kind, t.Kind) && is(d.ID, t.ID) && is(d.Account, t.Account) && is(d.Region, t.Region) {
			return nil
		}
	}
	where := t.Account
	if where == "" {
		where = "no account"
	}
	return &Refusal{Guard: GuardTarget, Text: fmt.Sprintf("%s (%s, %s) is not a declared target of sale %s", t, t.System, where, id), Hint: hint}
}

// fresh is the refusal of evidence that is needed and too old or missing, or nil.
func (p Policy) fresh(req Request, quoted []Observed, seen Evidence) *Refusal {
	if slices.Contains(p.AnyAge, req.Verb) || req.paperwork() {
		return nil
	}
	for _, o := range quoted {
		if !o.Needed {
			continue
		}
		now := seen.Signal(o.Signal)
		switch {
		case !now.Usable():
			return &Refusal{Guard: GuardEvidence, Text: now.String() + " is too old or missing to act on", Hint: "see the sources screen for why"}
		case p.tooOld(now):
			return &Refusal{
				Guard: GuardEvidence, Text: fmt.Sprintf("%s is older than %s: it carries no action", now, p.EvidenceMaxAge),
				Hint: "wait for the next sample; the sources screen says why it is late",
			}
		}
	}
	return nil
}

// tooOld reports whether a value is older than evidence may be. One that was declared, not read,
// has no age.
func (p Policy) tooOld(o Observed) bool {
	return p.EvidenceMaxAge > 0 && !o.At.IsZero() && o.Age > p.EvidenceMaxAge
}

// aging says of evidence that carries an action now how soon it will not, where that is within the
// time of a gesture, and what of the rest is older than what carries one.
func (p Policy) aging(req Request, quoted []Observed, seen Evidence) []string {
	if p.EvidenceMaxAge <= 0 || slices.Contains(p.AnyAge, req.Verb) || req.paperwork() {
		return nil
	}
	var words []string
	for _, o := range quoted {
		now := seen.Signal(o.Signal)
		switch left := p.EvidenceMaxAge - now.Age; {
		case !now.Has || now.At.IsZero():
		case !o.Needed && p.tooOld(now):
			words = append(words, fmt.Sprintf("%s is older than %s: don't lean on it", now, p.EvidenceMaxAge))
		case o.Needed && left >= 0 && left < ArmedSevere:
			words = append(words, fmt.Sprintf("%s carries no action in %s, unless a newer sample comes", now, left.Round(time.Second)))
		}
	}
	return words
}

// paperwork reports whether a request changes nothing that customers can feel.
func (req Request) paperwork() bool {
	verb := req.Verb
	if verb == Undo && req.Of != "" {
		verb = req.Of
	}
	m, _ := verb.Meaning()
	return m.Paperwork
}

// sane is the refusal of a request that makes no sense before anything is read, or nil.
func (req Request) sane() *Refusal {
	m, ok := req.Verb.Meaning()
	refuse := func(text string) *Refusal { return &Refusal{Guard: GuardRequest, Text: text} }
	switch {
	case !ok:
		return refuse(fmt.Sprintf("%q is not an action", req.Verb))
	case req.Sale == "":
		return refuse("no sale is named")
	case req.To == nil && m.Needs:
		return refuse(m.Label + " needs a number (--to)")
	case req.To == nil:
		return nil
	case !m.Numeric:
		return refuse(m.Label + " takes no number")
	case !Number(*req.To).Finite():
		return refuse(fmt.Sprintf("%v is not a number to set", *req.To))
	case *req.To <= 0:
		return refuse(fmt.Sprintf("%s to %s: a target must be above zero", m.Label, Number(*req.To)))
	}
	return nil
}

// sane is the refusal of a preview that must not be sent, whatever executor made it, or nil.
func (p *Preview) sane() *Refusal {
	refuse := func(text string) *Refusal { return &Refusal{Guard: GuardRequest, Text: text} }
	if len(p.To) == 0 {
		return refuse("the preview names nothing to set")
	}
	grows := false
	for _, name := range p.To.names() {
		next, ok := p.To[name].Number()
		if !ok {
			continue
		}
		was, known := p.From[name].Number()
		grows = grows || !known || next > was
		switch v := p.Request.Verb; {
		case !p.To[name].Finite():
			return refuse(fmt.Sprintf("%s would be set to %s", name, p.To[name]))
		case next < 0:
			return refuse(fmt.Sprintf("%s would be set to %s, below zero", name, p.To[name]))
		case next == 0 && (v == ScaleUp || v == ScaleBack || v == ScaleAhead || v == Rate):
			return refuse(name + " would be set to zero")
		case v == ScaleUp && known && next < was:
			return refuse(fmt.Sprintf("scale up would lower %s %s → %s", name, p.From[name], p.To[name]))
		}
	}
	if p.Request.Verb == ScaleUp && !grows {
		return refuse("scale up would raise nothing")
	}
	if m, _ := p.Request.Verb.Meaning(); !m.Paperwork && p.From.Holds(p.To) {
		return refuse("nothing to change: " + p.From.Only(p.To).String() + " already")
	}
	return nil
}
