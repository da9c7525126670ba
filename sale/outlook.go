package sale

import "time"

// Forecast is what lies ahead of a sale if it goes on as now. Each part is known or says why
// it is not; none is more exact than its range.
type Forecast struct {
	SellOut When // tickets_left comes to nothing
	Drain   When // nobody waits any more
	Limit   When // the first limit that the present admission fills; Why names it, or why none
	// LimitName is the limit that Limit is about.
	LimitName LimitName
	Wait      Span   // how long the last in the queue waits
	AtOpen    AtOpen // how many will wait when the doors open
	Serve     Serve  // how many of those who wait find a ticket
}

// When is a forecast instant with its range.
type When struct {
	Has bool // false: there is no such instant, or none can be told; Why says which
	// At is the best guess; Low and High hold four of five of the real ones. High is zero when
	// it may never come.
	At, Low, High time.Time
	// AfterResume says that the clock starts only when admission is resumed: At, Low and High
	// are as if that were at From.
	AfterResume bool
	From        time.Time
	// Never says that it won't come at this pace, which is an answer; Grows is then by how many
	// people a minute the queue grows.
	Never bool
	Grows float64
	Rate  float64 // people let in per minute that it is counted at; 0: as they are let in now
	Why   string  // why there is none; "" when there is one
}

// AtOpen is how many people will wait when the doors open, if they go on coming as now.
type AtOpen struct {
	Has              bool
	Value, Low, Most float64
	Why              string
}

// Span is a forecast stretch of time with its range.
type Span struct {
	Has              bool
	Value, Low, Most time.Duration // Most is 0 when there is no bound
	Why              string
}

// Serve sets the tickets against the people who wait for them.
type Serve struct {
	Has     bool
	Left    float64 // tickets that nobody has or holds
	Waiting float64
	// PerPerson is how many tickets a person takes who is let in: of all of them, buyers or not.
	PerPerson float64
	Served    float64 // people who can still be let in before the tickets are gone
	Miss      float64 // of those who wait, or will have joined before the sell-out, who get none
	Joining   bool    // Miss counts those who will join
	Why       string
}
