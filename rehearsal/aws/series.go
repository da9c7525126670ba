package aws

import (
	"math"
	"slices"
)

// series is one time series: datapoints in ascending order of their Unix seconds.
type series struct {
	label string
	grid  grid  // the timestamps that it has when nothing is missing
	asked int64 // the period that a metric was asked for with, in seconds; 0 for the result of an expression
	t     []int64
	v     []float64
}

func (s *series) add(t int64, v float64) {
	s.t = append(s.t, t)
	s.v = append(s.v, v)
}

func (s *series) empty(label string) *series { return &series{label: label, grid: s.grid} }

// each makes a series of the same timestamps; points that turn out not to be numbers are dropped.
func (s *series) each(f func(v float64) float64) *series {
	out := s.empty(s.label)
	for i, v := range s.v {
		if y := f(v); numeric(y) {
			out.add(s.t[i], y)
		}
	}
	return out
}

func numeric(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// aligned walks the timestamps that at least one of the series has, oldest first. has tells which
// of the values are there; a missing one is 0, as in metric math.
func aligned(all []*series, visit func(t int64, v []float64, has []bool)) {
	next := make([]int, len(all))
	v, has := make([]float64, len(all)), make([]bool, len(all))
	for {
		t, any := int64(math.MaxInt64), false
		for i, s := range all {
			if next[i] < len(s.t) {
				t, any = min(t, s.t[next[i]]), true
			}
		}
		if !any {
			return
		}
		for i, s := range all {
			v[i], has[i] = 0, false
			if next[i] < len(s.t) && s.t[next[i]] == t {
				v[i], has[i] = s.v[next[i]], true
				next[i]++
			}
		}
		visit(t, v, has)
	}
}

// at returns the value at a timestamp.
func (s *series) at(t int64) (float64, bool) {
	i, ok := slices.BinarySearch(s.t, t)
	if !ok {
		return 0, false
	}
	return s.v[i], true
}

// grid is the timestamps that a series without gaps has.
type grid struct{ start, end, period int64 } // [start, end), seconds

func (g grid) each(visit func(t int64)) {
	for t, n := g.start, 0; t < g.end && n < maxDatapoints; t, n = t+g.period, n+1 {
		visit(t)
	}
}

// finer returns the grid with the shorter period.
func (g grid) finer(other grid) grid {
	if other.period < g.period {
		return other
	}
	return g
}

// filled closes the gaps of a series on its grid. filler gives the value for a missing timestamp
// from the index of the datapoint that comes next; ok is false where it has none.
func (s *series) filled(filler func(t int64, next int) (v float64, ok bool)) *series {
	out := s.empty(s.label)
	next := 0
	s.grid.each(func(t int64) {
		for next < len(s.t) && s.t[next] < t {
			next++
		}
		if next < len(s.t) && s.t[next] == t {
			out.add(t, s.v[next])
			return
		}
		if v, ok := filler(t, next); ok && numeric(v) {
			out.add(t, v)
		}
	})
	return out
}
