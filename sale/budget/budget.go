// Package budget is the arithmetic of an error budget: minutes of good and bad go in, burn and
// what is left come out. It knows nothing of sales.
//
// With an objective of, say, 99.9 %, the budget is the other 0.1 %. The burn rate of a time is the
// bad part of what happened in it over that 0.1 %: at 1 the budget lasts for the period exactly.
// The part of the budget that a time w of a period P uses at burn B is B x w / P (Google, The Site
// Reliability Workbook, ch. 5). An on-sale lasts for hours, so nothing here is made for 30 days.
package budget

import (
	"math"
	"time"
)

// Minute is what one minute held. The zero value is a minute that nobody knows anything of; it
// counts neither as good nor as bad.
type Minute struct {
	Known  bool
	Bad    float64 // the bad part of it, 0–1
	Weight float64 // how much happened: requests, checkouts, or 1 where every minute counts the same
}

// Tally is the sum of some minutes.
type Tally struct {
	Minutes int     // all of them
	Known   int     // of them
	Events  float64 // what happened in the known ones
	Bad     float64 // of that
}

// Add counts a minute. One whose figures can't be is not known.
func (t Tally) Add(m Minute) Tally {
	t.Minutes++
	if !m.Known || !(m.Bad >= 0 && m.Bad <= 1) || !(m.Weight >= 0 && m.Weight <= mostEvents) {
		return t
	}
	t.Known++
	t.Events += m.Weight
	t.Bad += m.Weight * m.Bad
	return t
}

// mostEvents in a minute are believed; more is no count of requests.
const mostEvents = 1e15

// Sub takes a tally out of a longer one that begins with it.
func (t Tally) Sub(o Tally) Tally {
	return Tally{t.Minutes - o.Minutes, t.Known - o.Known, max(t.Events-o.Events, 0), max(t.Bad-o.Bad, 0)}
}

// Coverage is the known part of the minutes, 0 for none.
func (t Tally) Coverage() float64 {
	if t.Minutes == 0 {
		return 0
	}
	return float64(t.Known) / float64(t.Minutes)
}

// Good is the good part of what happened, NaN when nothing is known to have happened.
func (t Tally) Good() float64 {
	if t.Events <= 0 {
		return math.NaN()
	}
	return 1 - min(t.Bad/t.Events, 1)
}

// enough is the part of a time's minutes that must be known to speak of it.
const enough = 0.5

// Burn is the burn rate over a tally's minutes, for a target between 0 and 1. It is NaN when less
// than half of the minutes are known or nothing happened in them.
func (t Tally) Burn(target float64) float64 {
	if t.Known == 0 || t.Coverage() < enough || t.Events <= 0 || !(target > 0 && target < 1) {
		return math.NaN()
	}
	return min(t.Bad/t.Events, 1) / (1 - target)
}

// Left is the part of the budget that is left after a tally's minutes of a period: 1 - B x w / P. It
// is weighted by what happened, and takes the unknown minutes to have burned like the known ones. It
// is NaN where Burn is, and less than 0 when more than the budget is spent.
func (t Tally) Left(target float64, period time.Duration) float64 {
	minutes := period.Minutes()
	if !(minutes > 0) {
		return math.NaN()
	}
	return 1 - t.Burn(target)*min(float64(t.Minutes)/minutes, 1)
}

// LastsFor is how long what is left lasts at a burn: left x P / B. It is 0 when that is not known,
// nothing is left, or nothing burns.
func LastsFor(left, burn float64, period time.Duration) time.Duration {
	if !(left > 0) || !(burn > 0) {
		return 0
	}
	lasts := left * float64(period) / burn
	if lasts >= math.MaxInt64 {
		return 0
	}
	return time.Duration(lasts)
}

// Window is one pair of windows. The budget burns too fast when the burn over both is at Threshold
// or above: the long one says that it matters, the short one that it goes on.
type Window struct {
	Long, Short int // closed minutes
	Threshold   float64
}

// The shares of the period and of the budget that the two pairs stand for: a tenth of the budget in
// a 48th of the period (5 min of 4 h), and 15 % in a 16th (15 min of 4 h). In the workbook a page
// is 2 % of a month's budget in an hour; carried over to a sale of 4 h that would be a burn of 0.96
// over 5 min, which a sale inside its objective has all the time.
const (
	fastSpan, fastSpent = 1.0 / 48, 0.10
	slowSpan, slowSpent = 1.0 / 16, 0.15
	shortOfLong         = 12 // the workbook's short window is a twelfth of the long one
	longest             = 180
)

// Windows are the pairs for a period, the fast one first. The threshold is the spent share x P / w,
// with w in whole minutes, the finest that figures by the minute allow; at least 1, since a budget
// that lasts is no reason to wake anybody.
func Windows(period time.Duration) [2]Window {
	of := func(span, spent float64, least int) Window {
		long := min(max(int(math.Round(period.Minutes()*span)), least), longest)
		return Window{
			Long: long, Short: (long + shortOfLong - 1) / shortOfLong,
			Threshold: max(spent*period.Minutes()/float64(long), 1),
		}
	}
	return [2]Window{of(fastSpan, fastSpent, 2), of(slowSpan, slowSpent, 4)}
}

// The least that must have happened in the short window before its burn counts: a few failures of
// a handful of requests prove nothing.
const (
	LeastEvents = 100
	LeastBad    = 10
)

// Burns reports whether a pair of windows that ends with the last of the minutes burns too fast.
// weighted is false where every minute counts the same; then there is no traffic to be too little.
func (w Window) Burns(minutes Sums, end int, target float64, weighted bool) bool {
	short := minutes.Last(end, w.Short)
	if weighted && (short.Events < LeastEvents || short.Bad < LeastBad) {
		return false
	}
	return minutes.Last(end, w.Long).Burn(target) >= w.Threshold && short.Burn(target) >= w.Threshold
}

// Sums are running tallies, so that any stretch of minutes is one subtraction. Sums[i] holds the
// first i minutes.
type Sums []Tally

// Total makes the running tallies of minutes, in the array of into where it is large enough.
func Total(into Sums, minutes []Minute) Sums {
	into = append(into[:0], Tally{})
	for _, m := range minutes {
		into = append(into, into[len(into)-1].Add(m))
	}
	return into
}

// Last is the tally of the n minutes that end before minute end, or of all that there are.
func (s Sums) Last(end, n int) Tally {
	if end <= 0 || end >= len(s) {
		end = max(min(end, len(s)-1), 0)
	}
	if len(s) == 0 {
		return Tally{}
	}
	from := max(end-n, 0)
	t := s[end].Sub(s[from])
	t.Minutes = max(n, 0) // before the first minute nothing is known
	return t
}
