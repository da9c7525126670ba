package config

import (
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// The verbs, as `onsale act` names them.
const (
	VerbScaleUp     = "scale-up"
	VerbScaleBack   = "scale-back"
	VerbPause       = "pause"
	VerbResume      = "resume"
	VerbRate        = "rate"
	VerbIncident    = "incident"
	VerbAcknowledge = "acknowledge"
	VerbResolve     = "resolve"
	VerbNote        = "note"
	VerbSilence     = "silence"
)

// Verbs lists the verbs that a sale can declare, in order. The caller owns the slice.
func Verbs() []string {
	return []string{
		VerbScaleUp, VerbScaleBack, VerbPause, VerbResume, VerbRate,
		VerbIncident, VerbAcknowledge, VerbResolve, VerbNote, VerbSilence,
	}
}

// Action is one verb that a sale offers, and what it acts on. Exactly one of Gate, Scale and
// Incident is set: that of the verb.
type Action struct {
	Verb    string
	Control string // the control's name
	Kind    string // the control's kind

	Gate     *Gate     // pause, resume, rate
	Scale    *Scale    // scale-up, scale-back
	Incident *Incident // incident, acknowledge, resolve, note, silence

	// Effect is the signal that proves it; nil: no signal of the sale can.
	Effect *Effect
}

// Gate is the admission that an action changes.
type Gate struct {
	Room      string // cloudflare-waiting-room: id or name of the room
	Parameter string // ssm-parameter: its name
	Value     string // ssm-parameter: the whole value of pause and resume; of rate, with {{to}} for the number
	Target    string // webhook: what the gate is called at the other end

	Floor     *float64      // resume, rate: nobody goes below; people per minute; nil: the provider's own
	Ceiling   *float64      // resume, rate: nobody goes above; people per minute; nil: the provider's own
	MaxActive *float64      // resume, rate: the most people on the site at once; nil: not bounded here
	Step      Step          // rate: one press
	Ramp      []float64     // resume of a waiting room: the parts of the rate to go through, ascending, each in (0, 1]
	Every     time.Duration // resume of a waiting room: between two steps of the ramp
	Abort     []Condition   // resume of a waiting room: what stops the ramp
}

// Scale is the capacity that an action changes.
type Scale struct {
	Group     string // autoscaling: name or ARN
	Cluster   string // ecs; "" is the one in the service's ARN, else "default"
	Service   string // ecs: name or ARN
	Namespace string // kubernetes
	Name      string // kubernetes: of the Deployment; what scales it is for the executor to find
	Resource  string // application-autoscaling: "service/web/shop"
	Dimension string // application-autoscaling: "ecs:service:DesiredCount"; its namespace is before the first colon

	Sizes    []int    // the sizes to go through, ascending; empty: by Step
	Step     Step     // one press
	Max      int      // scale-up: nobody goes above; 0: the provider's own bound
	RaiseMax bool     // scale-up: the provider's own maximum may be raised, up to Max
	Floor    int      // scale-back: nobody goes below; always set there
	UnitCost *float64 // USD per unit and hour; nil: not known
	// UnitConnections is how many database connections one more unit opens (scale-up); nil: not known.
	UnitConnections *float64
	BootsIn         time.Duration // until a unit carries traffic; 0: not known
	Ahead           []AheadOfTime // scale-up: what the plan scales by itself, ascending in time
}

// AheadOfTime is a size that is wanted from an instant on, with nobody at the screen.
type AheadOfTime struct {
	At   time.Time
	To   int
	Text string // as declared: "opens-15m"
}

// Incident is where an incident of a sale is kept.
type Incident struct {
	Severity string // incident: "critical", "error", "warning" or "info"
	Service  string // what is affected; may be empty
	Text     string // the summary to start from; may be empty
}

// Step is how far one press goes: an amount, or a part of what is there. Both zero leave it to
// whoever executes it.
type Step struct {
	Amount float64
	Part   float64
}

// Condition holds when a signal is over its limit, or under it.
type Condition struct {
	Signal sale.Signal
	Over   bool // else under
	Limit  float64
	Text   string // as declared: "error_ratio > 5%"
}

// Effect is the signal in which an action shows.
type Effect struct {
	Signal    sale.Signal
	Direction string // "up" or "down"; "" is the way of the change
	Within    time.Duration
}

// Play is a named sequence of the sale's actions.
type Play struct {
	Name  string
	Steps []PlayStep
}

// PlayStep is one action of a play.
type PlayStep struct {
	Verb  string
	To    *float64      // the absolute number; nil leaves it to the action
	Text  string        // of an incident or a note; may be empty
	After time.Duration // to wait after the step before it
	Hold  []Condition   // what stops the play before this step
}

// Action finds what a sale declares for a verb.
func (s *Sale) Action(verb string) (a *Action, ok bool) {
	for i := range s.Actions {
		if s.Actions[i].Verb == verb {
			return &s.Actions[i], true
		}
	}
	return nil, false
}
