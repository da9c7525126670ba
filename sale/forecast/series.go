// Package forecast is the arithmetic of a queue in front of a site with a stock behind it: how a
// series of closed minutes goes on, how long people stay, what a load costs, when a stock is gone,
// a queue has drained or a limit is full.
//
// It works on plain numbers: minutes, people, tickets. A gap is NaN. What is not enough to go by
// gives no answer, and no answer is ever NaN or infinite unless its comment says so.
package forecast

import (
	"math"
	"slices"
)

// Least is how many closed minutes it takes to say how a series goes on.
const Least = 4

// The smoothing of a Fit: of the level, of the trend, and what each further minute leaves of the
// trend. The damping is at the low end of what is usual (0.8–0.98), because a sale's rates are
// set by people and level out soon.
const (
	alpha = 0.4
	beta  = 0.1
	phi   = 0.8
)

// Fit is how a rate per minute goes on: damped Holt smoothing over closed minutes.
//
//	ŷ(t+h) = ℓ + (φ + φ² + … + φ^h)·b,  ℓ = αy + (1−α)(ℓ′+φb′),  b = β(ℓ−ℓ′) + (1−β)φb′
//
// Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., §8.1–8.2.
type Fit struct {
	OK    bool // false: too few minutes, and everything below means nothing
	N     int  // minutes that it follows from
	Level float64
	Trend float64 // a minute
	// Sigma is how far a minute lies from what the one before said, robustly: 1.4826 × the median
	// of the absolute differences, which is the standard deviation of a normal law.
	Sigma float64
}

// Smooth fits a series of closed minutes, oldest first; NaN is a gap, over which the level goes on
// by the damped trend. A series of fewer than Least known minutes, or one that holds an infinite
// value, has no fit.
func Smooth(minutes []float64) Fit { return smooth(minutes, beta) }

// Steady is Smooth without a trend, for what is set by hand and stays where it is put: it is an
// exponentially weighted mean, s += α(y−s).
func Steady(minutes []float64) Fit { return smooth(minutes, 0) }

func smooth(minutes []float64, beta float64) Fit {
	var f Fit
	var misses []float64
	for _, y := range minutes {
		switch {
		case math.IsInf(y, 0):
			return Fit{}
		case math.IsNaN(y) && f.N == 0:
			continue
		case math.IsNaN(y):
			f.Level += phi * f.Trend
			f.Trend *= phi
			continue
		case f.N == 0:
			f.Level = y
		default:
			said := f.Level + phi*f.Trend
			misses = append(misses, math.Abs(y-said))
			level := alpha*y + (1-alpha)*said
			f.Trend = beta*(level-f.Level) + (1-beta)*phi*f.Trend
			f.Level = level
		}
		f.N++
	}
	if f.N < Least {
		return Fit{}
	}
	f.Sigma = Deviation(misses)
	f.OK = finite(f.Level) && finite(f.Trend) && finite(f.Sigma)
	if !f.OK {
		return Fit{}
	}
	return f
}

// At is the rate h minutes ahead, h >= 0. It is never negative: a rate counts people or tickets.
func (f Fit) At(h float64) float64 {
	// φ + … + φ^h = φ(1−φ^h)/(1−φ), which also holds between whole minutes. After an hour less than a
	// millionth of the trend is to come.
	rest := 0.0
	if f.Trend != 0 && h < 62 {
		rest = math.Exp(h * lnPhi)
	}
	return max(0, f.Level+f.Trend*phi*(1-rest)/(1-phi))
}

var lnPhi = math.Log(phi)

// Spent is in how many minutes a rate that goes on so has used up each of some stocks, in one pass; +Inf
// where that is not within the horizon, in minutes. It takes the rate of the middle of each minute for all
// of it, as Walk does.
func (f Fit) Spent(stocks [3]float64, horizon float64) [3]float64 {
	gone := [3]float64{math.Inf(1), math.Inf(1), math.Inf(1)}
	used := 0.0
	for t, open := 0.0, len(stocks); open > 0 && t < horizon && t < mostSteps; t++ {
		rate := f.At(t + 0.5)
		for i, stock := range stocks {
			if math.IsInf(gone[i], 1) && used+rate >= stock {
				gone[i], open = t+share(stock-used, stock-used-rate), open-1
			}
		}
		used += rate
	}
	return gone
}

// Spread is the standard deviation of the mean rate over the next h minutes: the level's own
// doubt, α/(2−α) of the variance of a minute, and its wandering, which for an exponentially
// smoothed level adds α² of it a minute, a third of that in the mean over h.
// Source: the same book, §8.7 (the variance of simple exponential smoothing).
func (f Fit) Spread(h float64) float64 {
	return f.Sigma * math.Sqrt(alpha/(2-alpha)+alpha*alpha*max(h, 0)/3)
}

// Deviation is a robust standard deviation from absolute differences: 1.4826 × their median, or
// 1.2533 × their mean where more than half of them are 0. 0 for none.
// Source: Iglewicz & Hoaglin, How to Detect and Handle Outliers (1993).
func Deviation(absolute []float64) float64 {
	if len(absolute) == 0 {
		return 0
	}
	if m := Median(absolute); m > 0 {
		return 1.4826 * m
	}
	mean := 0.0
	for i, v := range absolute {
		mean += (v - mean) / float64(i+1)
	}
	return 1.2533 * mean
}

// Median sorts the values in place and returns the middle one, or the mean of the middle two.
// NaN for none.
func Median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	if n%2 == 1 {
		return values[n/2]
	}
	return values[n/2-1]/2 + values[n/2]/2
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
