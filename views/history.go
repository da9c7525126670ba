package views

import (
	"math"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// extreme says which value of a column counts.
type extreme int8

const (
	mean    extreme = 0
	highest extreme = 1
	lowest  extreme = -1
)

// past is a history spread over columns of equal time.
type past struct {
	values []float64 // NaN where a column has no reading
	linked []bool    // the value of a column follows on the one before it, without a gap
	before float64   // the value that the first column follows on, NaN for none
}

// longestLink is the most time between two readings that are joined.
const longestLink = 10 * time.Minute

// spread puts a history into n columns from start on. Where a signal has a threshold, the
// value of a column is the one nearest to breaking it: a spike over a limit is never
// averaged away.
//
// Two readings are linked when the signal's own cadence explains the time between them, or
// when two more like it stand beside it: a past that was fetched later is coarser than what
// is read live. Anything else is a gap.
func spread(s sale.Series, period time.Duration, start time.Time, step time.Duration, n int, keep extreme) past {
	p := past{values: make([]float64, n), linked: make([]bool, n), before: math.NaN()}
	for i := range p.values {
		p.values[i] = math.NaN()
	}
	if step <= 0 || n == 0 {
		return p
	}
	width := step * time.Duration(n)
	margin := min(max(5*period, width/20, 2*time.Minute), 3*longestLink) // to know what the first column follows on
	part := s.Between(start.Add(-margin), start.Add(width))
	origin := start.UnixNano()
	at := make([]int64, part.Len())
	for i := range at {
		at[i] = part.At(i).At.UnixNano()
	}
	column, count := -1, 0.0
	for i := range at {
		v := part.At(i).Value
		if at[i] < origin {
			p.before = v
			continue
		}
		x := min(int((at[i]-origin)/int64(step)), n-1)
		if x != column {
			column, count = x, 1
			p.values[x], p.linked[x] = v, linked(at, i, period)
			continue
		}
		count++
		switch keep {
		case highest:
			p.values[x] = max(p.values[x], v)
		case lowest:
			p.values[x] = min(p.values[x], v)
		default:
			p.values[x] += v/count - p.values[x]/count
		}
	}
	return p
}

// linked reports whether reading i follows on the one before it.
func linked(at []int64, i int, period time.Duration) bool {
	gap := func(i int) int64 { return at[i] - at[i-1] }
	if i == 0 || gap(i) > int64(longestLink) {
		return false
	}
	like := func(a, b int) bool { return 2*gap(i) <= 3*min(gap(a), gap(b)) }
	return 2*gap(i) <= 3*int64(period) ||
		i >= 3 && like(i-1, i-2) ||
		i >= 2 && i+1 < len(at) && like(i-1, i+1) ||
		i+2 < len(at) && like(i+1, i+2)
}

// bridge fills the columns between linked readings with the earlier of them. Columns after
// the newest reading stay empty: a trend ends where its source ends.
func (p past) bridge() []float64 {
	last, value := -1, p.before
	for i, v := range p.values {
		if math.IsNaN(v) {
			continue
		}
		if p.linked[i] {
			for j := last + 1; j < i; j++ {
				p.values[j] = value
			}
		}
		last, value = i, v
	}
	return p.values
}
