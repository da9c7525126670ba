package config

import (
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// Policy is what may be done, and by whom. Without a policy in the file nobody may act.
type Policy struct {
	// Role is that of whoever opens this config on this machine: RoleViewer or RoleOperator.
	Role string
	// ReadOnly forbids every action. It is true for a viewer.
	ReadOnly bool

	ArmFor         time.Duration // the longest that an action stays armed
	Reason, Change string        // Required, ForSevere or Optional
	SecondPerson   []string      // the verbs that need one
	SecondSevere   bool          // everything severe needs one
	// ApprovalExpiry is how long a second person has to agree, ExecutionExpiry how long what was agreed
	// to may still be sent.
	ApprovalExpiry, ExecutionExpiry time.Duration
	Freezes                         []Freeze
	MaxActions                      MaxActions
	Bounds                          []Bound       // in the order of Verbs, at most one per verb
	EvidenceMaxAge                  time.Duration // older evidence carries no action; 0: by each signal's freshness
	BreakGlass                      *BreakGlass   // nil: there is none

	given bool
}

// The roles.
const (
	RoleViewer   = "viewer"
	RoleOperator = "operator"
)

// How much a reason, or the id of a change, is asked for.
const (
	Required  = "required"
	ForSevere = "severe"
	Optional  = "optional"
)

// Freeze is a window in which nothing changes. From is in it, Until is not. Incidents are opened,
// acknowledged, resolved and noted all the same.
type Freeze struct {
	From, Until time.Time
	Sales       []sale.ID // empty: all
	Except      []string  // verbs that go on, and "undo" and "play"
	Verbs       []string  // what it covers, when Except names something; empty: all
	// ExceptIncident lifts it for a sale with an open incident.
	ExceptIncident bool
	Reason         string
}

// MaxActions bounds how many actions a window may hold, for each sale.
type MaxActions struct {
	Count int
	Per   time.Duration
}

// Bound is what a verb may set, whatever it acts on.
type Bound struct {
	Verb     string
	Min, Max *float64
	// Factor bounds one action: at most so many times the old number, at least one part in so
	// many. 0: not bounded.
	Factor float64
}

// BreakGlass is how an operator acts in spite of a guard, on record.
type BreakGlass struct {
	Verbs []string // what it is for
	Lifts []string // "freeze", "second_person", "max_actions", "change"
}

// SLAs are promises about incidents, each from its opening; 0: none is made.
type SLAs struct {
	Acknowledge, Mitigate, Resolve time.Duration
}

// production reports whether an environment asks for the stronger defaults.
func production(environment string) bool {
	return strings.EqualFold(environment, "production") || strings.EqualFold(environment, "prod")
}
