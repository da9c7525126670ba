package forecast

import "math"

// Load is what people on the site cost of something limited: idle + per × people.
type Load struct {
	OK   bool // false: the pairs don't tell, and everything below means nothing
	Idle float64
	Per  float64 // > 0
	// Sigma is how far a pair lies from the line, robustly.
	Sigma float64
}

// The pairs that a Load asks for: how many, and how far the people in them lie apart, as a share
// of the most. With people at one level only nothing tells the idle part from the rest.
const (
	leastPairs  = 5
	leastSpread = 0.25
	mostPairs   = 60
)

// Line fits a load to pairs of people and use, in time order, by the median of the slopes between
// all pairs of points, so that less than 29 % of wild points don't move it. Of more than 60 pairs
// only evenly spaced ones are taken. An idle part below 0 is 0, and the slope then goes through
// the origin and the middle of the points.
// Source: Sen, Estimates of the regression coefficient based on Kendall's tau, JASA 63 (1968).
func Line(people, use []float64) Load {
	x, y := pairs(people, use)
	if len(x) < leastPairs {
		return Load{}
	}
	least, most := x[0], x[0]
	for _, v := range x {
		least, most = min(least, v), max(most, v)
	}
	if !(most > 0) || most-least < leastSpread*most {
		return Load{}
	}
	slopes := make([]float64, 0, len(x)*(len(x)-1)/2)
	for i := range x {
		for j := i + 1; j < len(x); j++ {
			if math.Abs(x[j]-x[i]) > 0.05*(most-least) {
				slopes = append(slopes, (y[j]-y[i])/(x[j]-x[i]))
			}
		}
	}
	l := Load{Per: Median(slopes)}
	rest := make([]float64, len(x))
	for i := range x {
		rest[i] = y[i] - l.Per*x[i]
	}
	if l.Idle = Median(rest); l.Idle < 0 {
		l.Idle = 0
		for i := range x {
			rest[i] = y[i] / max(x[i], most/2)
		}
		l.Per = Median(rest)
	}
	for i := range x {
		rest[i] = math.Abs(y[i] - l.Idle - l.Per*x[i])
	}
	l.Sigma = Deviation(rest)
	l.OK = l.Per > 0 && finite(l.Per) && finite(l.Idle) && finite(l.Sigma)
	if !l.OK {
		return Load{}
	}
	return l
}

// pairs leaves out what is not known on either side, and thins out what is too much.
func pairs(people, use []float64) (x, y []float64) {
	n := min(len(people), len(use))
	known := 0
	for i := range n {
		if finite(people[i]) && finite(use[i]) && people[i] >= 0 {
			known++
		}
	}
	step, seen := (known+mostPairs-1)/mostPairs, 0
	for i := range n {
		if !finite(people[i]) || !finite(use[i]) || people[i] < 0 {
			continue
		}
		if seen++; (known-seen)%step == 0 { // the newest pair is always one of them
			x, y = append(x, people[i]), append(y, use[i])
		}
	}
	return x, y
}

// People is how many people fill a use up to a limit; below 0 when the idle part alone is more.
func (l Load) People(limit float64) float64 { return (limit - l.Idle) / l.Per }

// Use is what a number of people use.
func (l Load) Use(people float64) float64 { return l.Idle + l.Per*people }
