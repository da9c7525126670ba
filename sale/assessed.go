package sale

import "time"

// This file says what a State tells beside the verdicts of its single signals: whether demand
// outruns its plan, what is odd by its own past, what is left of the sale's error budget and
// what the sale costs. All of it is worked out on closed minutes, so that it changes at most
// once a minute and never with a value that is still to be revised.

// Basis is what demand is held against.
type Basis string

// The bases of a surge: the sale's plan, or the demand's own pace where there is no plan.
const (
	ByPlan Basis = "plan"
	ByPace Basis = "pace"
)

// Surge is demand before the doors open, held against what was planned, or else against its own
// pace so far.
type Surge struct {
	Signal   Signal // "" when nothing was looked for: the doors are open, or nobody can queue yet
	Basis    Basis
	On       bool    // demand surges
	Now      float64 // people in the queue, or people who join per minute when held against the pace
	Expected float64 // the same by the plan or the pace
	Ratio    float64 // Now / Expected
	Since    time.Time
	Why      string // why it can't be told; then the figures are 0 and mean nothing

	held bool // it is proven to have lasted
}

// Anomaly is one signal held against its own past.
type Anomaly struct {
	Signal Signal
	On     bool // the newest closed minutes are odd
	// Value is that of the newest closed minute; Usual, Low and High are what the minutes before
	// it make usual, and the band beyond which a minute is odd. All in the signal's unit.
	Value, Usual, Low, High float64
	Score                   float64   // the modified z-score, see sale/anomaly
	At                      time.Time // the beginning of that minute
	Since                   time.Time // the beginning of the first odd minute; zero unless On
	Why                     string    // why it can't be told; then the figures are 0 and mean nothing
}

// Budget is what one objective allows to go wrong in this sale, and how much of it has.
type Budget struct {
	Name    string
	Signal  Signal
	Target  float64
	Verdict Verdict // OK, Unknown when neither Left nor Burn is known, else what its burning makes of it
	// Left is the part of the budget that is left: 1 is all, 0 none, less than 0 overspent; NaN
	// when it can't be said.
	Left float64
	// Burn is how many times faster than it would last the budget is spent, over Window; NaN when
	// it can't be said. At 1 the budget lasts for the sale exactly.
	Burn      float64
	Window    time.Duration
	Threshold float64       // the burn from which on it counts
	Burning   bool          // it counts: over the long and the short window, with enough traffic
	Since     time.Time     // since when; zero unless Burning
	LastsFor  time.Duration // at this burn, until nothing is left; 0 when not known, at once or never
	// Good is the good part of what was counted between From and To; NaN when nothing was.
	Good     float64
	From, To time.Time
	Coverage float64 // known minutes / minutes between From and To, 0–1
	// Counted is how much was counted: requests, checkouts, or minutes when WeightedBy is "".
	Counted    float64
	WeightedBy Signal
	// MonthBy is the signal that reads the month, or "". Month is the good part of the month, 0–1; NaN
	// when nothing reads it, and when what was read is missing, stale or no ratio.
	MonthBy Signal
	Month   float64
	Why     string // why Left or Burn is not known; clean, one line
}

// Cost is what a sale costs as it stands. Figures are list price, USD; NaN when not known.
type Cost struct {
	Held    float64 // units of capacity in service
	PerHour float64 // of what is held
	// Enough is how many units would do for the present load, at the most that one of them has
	// carried well in this sale; it is worked out only when the rush is over. NaN when not known.
	Enough float64
	Saves  float64 // USD per hour by holding Enough; NaN when nothing would be saved
	Why    string  // why PerHour or Enough is not known
}
