package sale

import (
	"cmp"
	"slices"
	"time"
)

// Point is one sample in a history.
type Point struct {
	At    time.Time
	Value float64
}

// Series is an immutable view of a signal's history, oldest first, at most one point per
// instant. The zero value is an empty series. Its times are in UTC, to the nanosecond.
//
// A series costs nothing to copy: it shares its points with the store and with every other
// series cut from it, and none of them ever sees a point change.
type Series struct {
	points []sample
}

// sample is a Point in 16 bytes instead of 32: nanoseconds since 1970, and the value.
type sample struct {
	at    int64
	value float64
}

func (s sample) point() Point { return Point{At: instant(s.at), Value: s.value} }

// instant is the time of a sample's nanoseconds.
func instant(ns int64) time.Time { return time.Unix(0, ns).UTC() }

// SeriesOf makes a series of points, for tests and replays. Points out of order are put in
// order; of two at one instant the later in the slice counts.
func SeriesOf(points []Point) Series {
	samples := make([]sample, len(points))
	for i, p := range points {
		samples[i] = sample{p.At.UnixNano(), p.Value}
	}
	return Series{ordered(samples)}
}

// ordered sorts samples by time in place and keeps the last of those at one instant.
func ordered(samples []sample) []sample {
	rising := true
	for i := 1; i < len(samples); i++ {
		if samples[i].at <= samples[i-1].at {
			rising = false
			break
		}
	}
	if rising {
		return samples
	}
	slices.SortStableFunc(samples, func(a, b sample) int { return cmp.Compare(a.at, b.at) })
	kept := samples[:0]
	for i, s := range samples {
		if i+1 < len(samples) && samples[i+1].at == s.at {
			continue
		}
		kept = append(kept, s)
	}
	return kept
}

// Len returns the number of points.
func (s Series) Len() int { return len(s.points) }

// At returns point i, 0 being the oldest.
func (s Series) At(i int) Point { return s.points[i].point() }

// Last returns the newest point; ok is false for an empty series.
func (s Series) Last() (p Point, ok bool) {
	if len(s.points) == 0 {
		return Point{}, false
	}
	return s.points[len(s.points)-1].point(), true
}

// Between returns the part of the series with from <= At < to, without copying.
func (s Series) Between(from, to time.Time) Series {
	i := firstNotBefore(s.points, from.UnixNano())
	j := firstNotBefore(s.points, to.UnixNano())
	if j < i {
		j = i
	}
	return Series{s.points[i:j:j]}
}

// Before returns the newest point with At <= t: the value in force at t.
func (s Series) Before(t time.Time) (p Point, ok bool) {
	i := firstAfter(s.points, t.UnixNano())
	if i == 0 {
		return Point{}, false
	}
	return s.points[i-1].point(), true
}

// Min returns the lowest value; ok is false for an empty series.
func (s Series) Min() (lowest float64, ok bool) {
	for i, p := range s.points {
		if i == 0 || p.value < lowest {
			lowest = p.value
		}
	}
	return lowest, len(s.points) > 0
}

// Max returns the highest value; ok is false for an empty series.
func (s Series) Max() (highest float64, ok bool) {
	for i, p := range s.points {
		if i == 0 || p.value > highest {
			highest = p.value
		}
	}
	return highest, len(s.points) > 0
}

// Buckets spreads the series over n equal columns of the window that ends at to (exclusive)
// and returns the mean of each column, NaN where there is no point. It allocates one slice.
//
// The edges of the columns are multiples of their own width, window/n, since 1970. So a chart
// stands still until a whole column has passed, and then moves by one; its last column is the
// one that holds the instant just before to, and is still filling.
func (s Series) Buckets(to time.Time, window time.Duration, n int) []float64 {
	return buckets(s, to, window, n)
}

// firstNotBefore is the index of the first sample with at >= t.
func firstNotBefore(samples []sample, t int64) int {
	i, j := 0, len(samples)
	for i < j {
		h := int(uint(i+j) >> 1)
		if samples[h].at < t {
			i = h + 1
		} else {
			j = h
		}
	}
	return i
}

// firstAfter is the index of the first sample with at > t. Most calls ask for the newest.
func firstAfter(samples []sample, t int64) int {
	if n := len(samples); n > 0 && samples[n-1].at <= t {
		return n
	}
	return firstNotBefore(samples, t+1)
}
