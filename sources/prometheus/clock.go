package prometheus

import (
	"math"
	"slices"
	"time"
)

// clock watches the newest sample under one selector, poll by poll, to learn how far apart its
// samples are, and so when they are late.
type clock struct {
	newest float64   // Unix seconds; 0: no sample was seen
	gaps   []float64 // between the newest samples of successive polls, the latest few
	fresh  bool      // the last poll saw a sample
}

// keptGaps are enough for a median that one lost scrape or one outage does not move.
const keptGaps = 5

// unknownSpacing is what is allowed until the spacing is known: a scrape interval of a minute,
// Prometheus' own default, and half of one more.
const unknownSpacing = 90 * time.Second

// see takes in max(timestamp(…)) of one poll.
func (c *clock) see(newest float64) {
	if math.IsNaN(newest) || math.IsInf(newest, 0) || newest <= 0 {
		return
	}
	c.fresh = true
	if newest <= c.newest {
		return
	}
	if c.newest > 0 {
		if len(c.gaps) == keptGaps {
			c.gaps = slices.Delete(c.gaps, 0, 1)
		}
		c.gaps = append(c.gaps, newest-c.newest)
	}
	c.newest = newest
}

// late returns the time of the newest sample when it is older at now than its usual spacing
// explains: twice the median gap and one poll, at least three polls.
func (c *clock) late(now time.Time, every time.Duration) (at time.Time, late bool) {
	if !c.fresh {
		return time.Time{}, false
	}
	allowed := max(unknownSpacing, 3*every)
	if len(c.gaps) >= 3 {
		sorted := slices.Sorted(slices.Values(c.gaps))
		usual := time.Duration(sorted[len(sorted)/2] * float64(time.Second))
		allowed = max(2*usual+every, 3*every)
	}
	at = time.UnixMilli(int64(c.newest * 1000))
	return at, now.Sub(at) > allowed
}
