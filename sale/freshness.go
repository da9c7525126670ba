package sale

import "time"

// liveFor is how old a sample may be and still be live: the delay and one and a half periods.
func (c Cadence) liveFor() time.Duration { return max(c.Delay, 0) + c.period()*3/2 }

// lateFor is how old a sample may be before it is stale: the delay and three periods.
func (c Cadence) lateFor() time.Duration { return max(c.Delay, 0) + c.period()*3 }

// period is the declared period; one that was not declared counts as a minute.
func (c Cadence) period() time.Duration {
	if c.Period <= 0 {
		return time.Minute
	}
	return c.Period
}

// Freshness judges the age of a sample that describes the instant at: live up to the delay
// and 1.5 periods, late up to the delay and 3, then stale; no_data for the zero time. A
// sample from the future is live.
func (c Cadence) Freshness(at, now time.Time) Freshness {
	if at.IsZero() {
		return NoData
	}
	switch age := now.Sub(at); {
	case age <= c.liveFor():
		return Fresh
	case age <= c.lateFor():
		return Late
	default:
		return Stale
	}
}

// nextFreshness is the first instant after now at which Freshness gives another answer, or
// the zero time when it never will by itself.
func (c Cadence) nextFreshness(at, now time.Time) time.Time {
	if at.IsZero() {
		return time.Time{}
	}
	for _, keeps := range []time.Duration{c.liveFor(), c.lateFor()} {
		if end := at.Add(keeps); !now.After(end) {
			return end.Add(time.Nanosecond)
		}
	}
	return time.Time{}
}

// Age is how long ago the instant was that the value describes, never negative; 0 when
// nothing is known and for a declared constant.
func (k Known) Age(now time.Time) time.Duration {
	if !k.Has || k.At.IsZero() {
		return 0
	}
	return max(now.Sub(k.At), 0)
}

// FreshnessAt is the freshness at a later time than the snapshot's. A declared constant is
// always live.
func (k Known) FreshnessAt(now time.Time) Freshness {
	switch {
	case !k.Has:
		return NoData
	case k.Spec == nil:
		return Cadence{}.Freshness(k.At, now)
	case k.Spec.Constant != nil:
		return Fresh
	}
	return k.Spec.Cadence.Freshness(k.At, now)
}
