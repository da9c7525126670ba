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
	Group string // the account or cluster label in the pane's corner; may be empty

	Prequeue time.Time // zero: no pre-queue declared
	Opens    time.Time
	Closes   time.Time // zero: no end declared
	Tickets  int       // tickets on sale; 0: not declared

	Signals []Spec // in display order, unique by Signal
	Panels  []Panel
	Links   []Link
	// Acts names the actions that are declared for this sale, as onsale act takes them: "pause".
	Acts []string
}

// Spec declares one signal of one sale.
type Spec struct {
	Signal  Signal
	Label   string // the row's word; the standard label unless the config gives another
	Unit    Unit
	Group   Group
	Source  string // name of the source that reads it; "" for a declared constant
	Cadence Cadence

	// Estimate marks figures that their provider itself calls estimates; written with "~".
	Estimate bool
	// Constant is the declared value of a signal that nothing reads, such as a limit.
	Constant *float64
	// Needed lists the phases in which the sale can't be judged without this signal.
	Needed []Phase
	// Of names the signal that this one is a part of: db_connections of db_connections_max.
	Of Signal
	// Rules holds the thresholds; the zero value has none.
	Rules Rules
	// Runbook is a path or https URL of what to read when this signal is bad; may be empty.
	Runbook string
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
