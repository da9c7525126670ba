package sale

import (
	"math"
	"time"
)

// Key addresses one signal of one sale.
type Key struct {
	Sale   ID
	Signal Signal
}

// Reading is one sample of one signal. Value is finite; a source never delivers NaN or Inf.
type Reading struct {
	Key
	Value     float64
	Unit      Unit
	At        time.Time // the instant that the value describes, as its system says
	FetchedAt time.Time // when it reached us
}

// Valid reports whether the reading can be kept: a finite value with a key and a time.
func (r Reading) Valid() bool {
	return r.Sale != "" && r.Signal != "" && !r.At.IsZero() && !math.IsNaN(r.Value) && !math.IsInf(r.Value, 0)
}

// Batch is the outcome of one poll of one source. Exactly the sale.Store consumes it.
//
// Readings may hold any number of points per key, old or new: a point replaces the one that
// has the same key and time. A failed poll has a Problem and usually no readings; a poll
// that failed for some signals only lists those in Missing and delivers the rest.
type Batch struct {
	Source   string
	Seq      uint64    // grows with each poll of this source; an older batch is dropped
	Started  time.Time // when the poll began
	Finished time.Time // when its last answer was read
	Readings []Reading
	Missing  []Missing
	Bands    []BandReading // what models of the system take for usual, of signals whose Spec has a Band
	Notes    []Note
	Alarms   []ForeignAlarm // of a source that reads alarms: all that there are now
	Warnings []string       // what the system itself warned of; clean text
	Problem  *Problem       // nil when the source answered
	Calls    int            // requests sent, retries included
	CostUSD  float64        // list price of those requests; 0 when free or not known
	// Incidents is what was found of incidents; nil for a source that tells of none.
	Incidents *IncidentsRead
}

// Missing says that a signal was asked for and not delivered, and why.
type Missing struct {
	Key
	Problem Problem
}

// Note is a fact beside the figures that an operator must know: "queue_all is on",
// "event 09:45–11:45 overrides the room". A batch carries all notes that hold now for its source.
type Note struct {
	Sale ID // empty: of the whole source
	Code string
	Text string
}

// Problem says why something could not be read, in words for a person.
type Problem struct {
	Class      Class
	Text       string        // clean, one line: "dial tcp 10.20.3.9:9090: connection refused"
	Hint       string        // how to mend it, or ""
	RetryAfter time.Duration // when the system itself said how long to wait; else 0
}

// Error makes a Problem usable where an error is expected.
func (p *Problem) Error() string { return string(p.Class) + ": " + p.Text }

// Class tells apart what a person would do about a failure.
type Class string

// The classes of failure. Unreachable means that nothing answered (refused, DNS, TLS);
// Timeout that the deadline passed; BadData that something answered, but not what was asked.
const (
	Auth        Class = "auth"
	Throttled   Class = "throttled"
	NotFound    Class = "not_found"
	Timeout     Class = "timeout"
	BadData     Class = "bad_data"
	Unreachable Class = "unreachable"
	Failing     Class = "failing" // the system answered that it is itself in trouble (5xx)
)
