package sale

import "time"

// ID is a sale's short name: lower-case letters, digits and dashes, unique in a config.
type ID string

// Sale is one on-sale as it was declared: pure data, resolved from the file and its template.
type Sale struct {
	ID    ID
	Digit int // 1–9 by opening time, 0 when there are more than nine; never changes while running
	Name  string
	Venue string
	Wall  string // what the wall calls it in big letters; empty: a part of its name
	Group string // the account or cluster label in the pane's corner; may be empty

	Prequeue time.Time // zero: no pre-queue declared
	Opens    time.Time
	Closes   time.Time // zero: no end declared
	Tickets  int       // tickets on sale; 0: not declared
	Plan     Plan      // what was expected of it

	Signals    []Spec // in display order, unique by Signal
	Panels     []Panel
	Links      []Link
	SLAs       SLAs        // what is promised for its incidents
	Objectives []Objective // what is promised to buyers, unique by name

	Notices []Notice // what must be known of it and nobody measures

	// UnitCost is what one unit of capacity costs, USD per hour; nil: not declared.
	UnitCost *float64
	// CapacityFloor is the number of units that a scale-back keeps; 0: none is declared.
	CapacityFloor int
	// Acts names the actions that are declared for this sale, as onsale act takes them: "pause".
	Acts []string
}

// Objective is a promise about a signal: Target of what buyers did must be good.
type Objective struct {
	Name   string
	Signal Signal
	Target float64  // between 0 and 1, both exclusive
	Below  *float64 // good is below this, in the signal's unit; nil: the signal is the bad part itself
	// Burns is the verdict of a budget that burns too fast: Watch, or Bad where the promise is
	// worth waking somebody. Any other value counts as Watch.
	Burns Verdict
	// Month names the signal that reads how the promise was kept over the month, a ratio; "" for
	// none. It is the good part, or the bad one where MonthIsBad.
	Month      Signal
	MonthIsBad bool
}

// Spec declares one signal of one sale.
type Spec struct {
	Signal  Signal
	Label   string // the row's word; the standard label unless the config gives another
	Unit    Unit
	Group   Group
	Source  string // name of the source that reads it; "" for a declared constant
	System  string // whose figure it is, in its provider's word: "RDS", "ASG"; may be empty
	Cadence Cadence

	// Estimate marks figures that their provider itself calls estimates; written with "~".
	Estimate bool
	// Constant is the declared value of a signal that nothing reads, such as a limit.
	Constant *float64
	// Needed lists the phases in which the sale can't be judged without this signal.
	Needed []Phase
	// Of names the signal that this one is a part of: db_connections of db_connections_max.
	Of Signal
	// Splits names the signal whose figure this one is for one Part of: one payment provider, one
	// zone. Part is what a cause calls it, clean: "payment provider A". Both are given or neither.
	Splits Signal
	Part   string
	// Rules holds the thresholds; the zero value has none.
	Rules Rules
	// Band is how wide a band its source is asked for of the system's own model, in standard
	// deviations to each side; 0: none.
	Band float64
	// Runbook is a path or https URL of what to read when this signal is bad; may be empty.
	Runbook string
	// RunbookText is how that begins, where it is at hand; clean lines, some indented. RunbookAction
	// is the verb of the action that fits, as "pause"; may be empty.
	RunbookText   []string
	RunbookAction string
}

// Cadence says how often a signal can be new and how late its system publishes it, so that
// its age is judged by its own source's measure.
type Cadence struct {
	Period time.Duration // between two samples; > 0
	Delay  time.Duration // from the instant a sample describes until it can be read; >= 0
}

// Panel is one chart of the sale's page: one to three signals over time.
type Panel struct {
	Title   string
	Signals []Signal
}

// Link is a console page for this sale. Its URL is https and its host is allow-listed by the config.
type Link struct {
	Title string
	URL   string
}
