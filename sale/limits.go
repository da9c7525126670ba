package sale

import "time"

// LimitName names what can hold a sale back.
type LimitName string

// The limits, in the order in which State.Limits has them.
const (
	LimitDatabase  LimitName = "database"        // open connections of the database's maximum
	LimitActive    LimitName = "active_users"    // people on the site of the gate's ceiling
	LimitInstances LimitName = "instances"       // people on the site of what the instances carry
	LimitAdmission LimitName = "admission_limit" // people let in per minute of the gate's rate
	LimitPayment   LimitName = "payment"         // failed payments of what is bad
	LimitQueue     LimitName = "queue_age"       // the oldest message of what is bad
	LimitPods      LimitName = "pods_pending"    // pods that have no node
	LimitReading   LimitName = "api_quota"       // a source that its system throttles
)

// Limit is one thing that can hold a sale back, and how much of it is used.
type Limit struct {
	Name   LimitName
	Signal Signal // what is measured of it
	Has    bool   // false: not known, and Why says why; Ratio and Safe mean nothing then
	// Ratio is the used share: 0.92 of the connections. It is over 1 beyond the limit; the
	// headroom is 1 - Ratio.
	Ratio float64
	// Bounds says that the limit bounds admission at Safe people per minute, >= 0, not rounded.
	Bounds bool
	Safe   float64
	// Text is the limit in words: "RDS connections 92 % of max". It is never empty.
	Text string
	Why  string // why it is not known, or why it bounds nothing yet; "" when it does
	// Evidence are the readings that it follows from.
	Evidence []Evidence
	// HitAt is when the present admission fills it, or the instant at which it was read to be full; zero: it
	// doesn't, or that is not known. HitLow and HitHigh hold four of five of the real instants.
	HitAt, HitLow, HitHigh time.Time
	// NotTold says why nothing tells when it is filled, though it may be; "" when HitAt is set, or when the
	// present admission does not fill it.
	NotTold string
}

// Headroom is the share that is left, never below 0.
func (l *Limit) Headroom() float64 { return max(0, 1-l.Ratio) }

// Evidence is a reading that something follows from.
type Evidence struct {
	Signal Signal
	At     time.Time // the instant that it describes; zero for a declared value
}

// SafeAdmission is the most people per minute that the sale's site can carry for long.
type SafeAdmission struct {
	Has bool // false: not known, and Why says why
	// PerMinute is whole and rounded down, by less than 2 % or to the next whole number: it
	// never promises more than was worked out.
	PerMinute float64
	Limit     LimitName // the tightest limit, which it comes from
	Why       string
	// Session is the mean time that a person stays on the site, and Measured says whether that
	// was measured; else it is the declared one.
	Session  time.Duration
	Measured bool
	Evidence []Evidence
}

// At is the oldest instant that the figure follows from; zero when it is not known.
func (s *SafeAdmission) At() time.Time { return oldest(s.Evidence) }

// oldest is the earliest instant of some evidence.
func oldest(all []Evidence) time.Time {
	var at time.Time
	for _, e := range all {
		at = earliest(at, e.At)
	}
	return at
}
