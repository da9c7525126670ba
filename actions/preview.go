package actions

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// Preview says what would happen, before it does. It is data: it can be shown, compared and
// journalled, and it is what Execute sends. Texts are clean, one line each; an empty text and a
// nil number mean not known, never none.
type Preview struct {
	Request Request `json:"request"`
	Target  Target  `json:"target"`

	From Value `json:"from"` // every setting that is about to change, and those it depends on
	To   Value `json:"to"`   // absolute; only what is sent
	// Before is what will hold when a planned change comes, of the settings that From does not have: the
	// policy's factor is held against it. nil for everything that is done at once.
	Before Value `json:"before,omitempty"`
	// Version is the target's own token at ReadAt; Execute makes its write conditional on it.
	Version  string    `json:"version,omitempty"`
	ReadAt   time.Time `json:"read_at"`
	ByWhom   string    `json:"by_whom,omitempty"` // who changed the target last, where known
	Modified time.Time `json:"modified,omitzero"` // when; zero: not known

	Change     string   `json:"change"`      // "800/min → 0/min"
	How        string   `json:"how"`         // "queue_all on for room quay-2026"
	People     *float64 `json:"people"`      // affected now
	PeopleText string   `json:"people_text"` // "~12,240 waiting keep their place (35s old)"
	Stays      string   `json:"stays"`       // what goes on in spite of it
	NotChanged string   `json:"not_changed"`
	// Soonest and Latest bound the time until the effect can be seen; zero: not known.
	Soonest    time.Duration `json:"soonest"`
	Latest     time.Duration `json:"latest"`
	EffectText string        `json:"effect_text"`
	// CostPerHour is the difference in USD per hour, list price; nil when not known.
	CostPerHour *float64 `json:"cost_per_hour_usd"`
	CostText    string   `json:"cost_text"`
	UndoText    string   `json:"undo_text"` // how to take it back, or why that can't be
	RevertsIt   string   `json:"reverts_it"`
	Facts       []Fact   `json:"facts,omitempty"` // rows of the executor's own, in display order

	Warnings []string  `json:"warnings,omitempty"` // said before, do not prevent
	Refusals []Refusal `json:"refusals,omitempty"` // any of them prevents
	// Lifted is what would prevent it, were the glass not broken. Of a request with Glass only.
	Lifted []Refusal `json:"lifted,omitempty"`
	Risk   Risk      `json:"risk"`
	// Evidence is what the action leans on; Needed ones must not be stale when it is confirmed.
	Evidence []Observed `json:"evidence,omitempty"`
	// Effect says how the signals will show it; nil when no signal can.
	Effect *Effect `json:"effect,omitempty"`

	// Steps are the parts of a ramp or a play, in order. A preview with steps sends nothing
	// itself: its From and To are those of the first and the last.
	Steps []Step `json:"steps,omitempty"`
}

// Fact is one more row of a preview.
type Fact struct {
	Label string `json:"label"`
	Text  string `json:"text"`
}

// Refusal is one reason why an action can't be done now.
type Refusal struct {
	Guard Guard  `json:"guard"`
	Text  string `json:"text"` // clean, one line
	Hint  string `json:"hint,omitempty"`
}

// Guard names what refused.
type Guard string

// The guards, in the order in which the runner asks them.
const (
	GuardRequest  Guard = "request"  // the verb, the sale or the number makes no sense
	GuardRole     Guard = "role"     // the actor may not act
	GuardArmed    Guard = "armed"    // read-only, or not armed for this
	GuardFreeze   Guard = "freeze"   // a freeze window is on
	GuardBounds   Guard = "bounds"   // outside the bounds, or too many actions
	GuardEvidence Guard = "evidence" // what it leans on is too old or missing
	GuardTarget   Guard = "target"   // not the declared account or target, or the executor's own reason
	GuardChanged  Guard = "changed"  // the target changed since the preview
	GuardReason   Guard = "reason"   // a reason or change id is missing
	GuardSecond   Guard = "second"   // a second person has not agreed
	GuardLease    Guard = "lease"    // another action on the target is not settled
	GuardStale    Guard = "stale"    // confirmed too long ago
	GuardJournal  Guard = "journal"  // the intent could not be written
	GuardAbort    Guard = "abort"    // a step's own condition holds it back
	GuardGlass    Guard = "glass"    // the glass can't be broken for this
)

// Effect is the signal in which an action shows.
type Effect struct {
	Signal    sale.Signal   `json:"signal"`
	Direction Direction     `json:"direction"`
	Wanted    float64       `json:"wanted"` // seen when the signal is at or beyond this
	Within    time.Duration `json:"within"` // then it counts as not taken
}

// Direction is the way a signal must go.
type Direction string

// Up is at least the wanted value, Down at most.
const (
	Up   Direction = "up"
	Down Direction = "down"
)

// Step is one part of a ramp or a play: exactly one write.
type Step struct {
	Request Request `json:"request"`
	// Preview is the step's own. Its From is as if the steps before it had been done.
	Preview Preview `json:"preview"`
	// After is how long to wait after the step before it was done.
	After time.Duration `json:"after"`
	// Hold lists what stops the sequence before this step; a signal that is missing or stale
	// stops it too.
	Hold []Condition `json:"hold,omitempty"`
}

// Condition is a bound on a signal: it holds when the signal is over (Up) or under (Down) Limit.
type Condition struct {
	Signal sale.Signal `json:"signal"`
	Over   Direction   `json:"over"`
	Limit  float64     `json:"limit"`
}

// Refused reports whether anything prevents it.
func (p *Preview) Refused() bool { return len(p.Refusals) > 0 }

// Refuse adds a reason that prevents it.
func (p *Preview) Refuse(guard Guard, text, hint string) {
	p.Refusals = append(p.Refusals, Refusal{Guard: guard, Text: text, Hint: hint})
}

// OverSafe is for an admission above what the site can carry. A new one is refused. One that an undo
// puts back takes the typed name: it stood a moment ago, and whoever paused by mistake must get it
// back (docs/decisions/0005).
func (p *Preview) OverSafe(text, hint string) {
	if p.Request.Verb != Undo {
		p.Refuse(GuardBounds, text, hint)
		return
	}
	p.Risk = Severe
	p.Warnings = append(p.Warnings, text+"; "+hint)
}

// Token is a short digest of what would be sent and of what it was decided on: the sale, the
// verb, the target, its version, from and to, whether the glass is broken, and so for every step. Two previews with the
// same token do the same thing to the same state. 16 hex digits.
func (p *Preview) Token() string {
	type core struct {
		Sale    sale.ID
		Verb    Verb
		Target  Target
		Version string
		From    Value
		To      Value
		Undoes  string
		Text    string
		Glass   bool `json:",omitempty"`
	}
	all := []core{}
	add := func(p *Preview) {
		all = append(all, core{p.Request.Sale, p.Request.Verb, p.Target, p.Version, p.From, p.To, p.Request.Undoes, p.Request.Text, p.Request.Glass})
	}
	add(p)
	for i := range p.Steps {
		add(&p.Steps[i].Preview)
	}
	data, err := json.Marshal(all)
	if err != nil { // no field of core can fail to marshal
		return ""
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}
