// Package anomaly tells whether a minute of a signal is odd by the minutes before it. It knows
// nothing of sales: minutes and values go in, a judgement comes out.
package anomaly

import (
	"math"
	"slices"
)

const (
	// Threshold is the modified z-score beyond which a value counts as an outlier: 3.5, after
	// Iglewicz and Hoaglin, How to Detect and Handle Outliers (ASQC, 1993), 3.3.
	Threshold = 3.5
	// ends is the score below which an odd run has ended; a little lower, so that it doesn't flap.
	ends = 2.5

	// consistent makes the median absolute deviation estimate a normal deviation: M = 0.6745
	// (x - median) / MAD, Iglewicz and Hoaglin.
	consistent = 0.6745
	// meanConsistent does so for the mean absolute deviation, sqrt(pi/2); it stands in where more
	// than half of the values are the same and the MAD is therefore 0.
	meanConsistent = 1.2533

	kept   = 20 // minutes of the past that a minute is held against
	bends  = 12 // of them those that a line is drawn through: no course of a sale is straight for longer
	ahead  = 3  // minutes that a line is drawn beyond its points; then what it came to stands
	most   = 15 // odd minutes in a row, after which they are the new usual
	trusts = 1e15
)

// Least is how many minutes of the past it takes to judge one.
const Least = 8

// InARow is how many odd minutes in a row, to the same side, make an anomaly.
const InARow = 2

// Options say how a signal is judged.
type Options struct {
	// Log judges ln(value + Offset), so that a factor counts and not a difference: for traffic and
	// times. Otherwise the value itself is judged: for ratios.
	Log    bool
	Offset float64 // > 0; keeps small counts from being infinitely far apart
	// Trend takes the line through the past instead of its median, so that steady growth or decay
	// is not odd. It is Tukey's resistant line (Exploratory Data Analysis, 1977, 10A).
	Trend bool
	// Floor is the least deviation that is ever assumed: of the logarithm with Log, about a
	// relative one, else in the unit of the value.
	Floor float64
	// Counts is how many events one unit of the value stands for, where the value counts events.
	// The deviation is then at least that of a Poisson count, whose variance is its mean. 0: no count.
	Counts float64
	// Up and Down say which side is odd.
	Up, Down bool
}

// Result is what is known after a minute.
type Result struct {
	Judged bool  // false: there are too few minutes before it; then only Have means anything
	Have   int   // minutes that there are to hold it against
	On     bool  // it is the InARow'th odd minute, or a later one
	Since  int64 // the first odd minute of the run, when On
	Score  float64
	// Usual is what the past makes of this minute, Low and High the values at the Threshold.
	Usual, Low, High float64
}

// Detector judges one signal, minute by minute. The zero value with its Options set is ready.
type Detector struct {
	Options
	base [kept]point
	n    int

	pending [most]point
	odd     int // of pending: the odd minutes of the run that goes on now
	side    float64
	on      bool
	last    int64
	any     bool
}

type point struct {
	minute int64
	x      float64
}

// Reset forgets the past: what comes now is not to be held against it.
func (d *Detector) Reset() { *d = Detector{Options: d.Options} }

// Step judges a minute with its value and takes it into the past. trials is how many events a
// ratio is a part of: its deviation is then at least that of a binomial share; 0: not known.
// A minute that is not newer than the last one changes nothing. A minute that was left out ends
// a run: nobody knows what it held.
func (d *Detector) Step(minute int64, value, trials float64) Result {
	if d.any && minute <= d.last || math.IsNaN(value) {
		return Result{Have: d.n}
	}
	if d.any && minute != d.last+1 {
		d.settle()
	}
	d.any, d.last = true, minute
	x := d.transform(value)
	if d.n < Least {
		have := d.n
		d.push(point{minute, x})
		return Result{Have: have}
	}
	usual, scale := d.expect(minute, trials)
	r := Result{
		Judged: true, Have: d.n, Score: clamp((x - usual) / scale),
		Usual: d.restore(usual), Low: d.restore(usual - Threshold*scale), High: d.restore(usual + Threshold*scale),
	}
	d.follow(point{minute, x}, r.Score)
	if r.On = d.on; r.On {
		r.Since = d.pending[0].minute
	}
	return r
}

// follow continues, begins or ends a run of odd minutes.
func (d *Detector) follow(p point, score float64) {
	side := math.Copysign(1, score)
	limit := Threshold
	if d.on && side == d.side {
		limit = ends
	}
	odd := math.Abs(score) > limit && (side > 0 && d.Up || side < 0 && d.Down)
	if !odd || d.odd > 0 && side != d.side {
		d.settle()
	}
	if !odd {
		d.push(p)
		return
	}
	if d.odd == most {
		// It has lasted: this is what is usual now.
		fresh := d.pending
		d.n = 0
		for _, q := range fresh {
			d.push(q)
		}
		d.push(p)
		d.odd, d.on = 0, false
		return
	}
	d.pending[d.odd] = p
	d.odd++
	d.side, d.on = side, d.odd >= InARow
}

// settle ends a run. A run that was no anomaly belongs to the past like any other minutes.
func (d *Detector) settle() {
	if !d.on {
		for _, p := range d.pending[:d.odd] {
			d.push(p)
		}
	}
	d.odd, d.on = 0, false
}

func (d *Detector) push(p point) {
	if d.n == kept {
		copy(d.base[:], d.base[1:])
		d.n--
	}
	d.base[d.n] = p
	d.n++
}

// expect is what the past makes of a minute, and the deviation that is usual there.
func (d *Detector) expect(minute int64, trials float64) (usual, scale float64) {
	past := d.base[:d.n]
	slope := 0.0
	if d.Trend {
		past = past[max(d.n-bends, 0):]
		minute = min(minute, past[len(past)-1].minute+ahead)
		slope = resistantSlope(past)
	}
	var rest [kept]float64
	for i, p := range past {
		rest[i] = p.x - slope*float64(p.minute-minute)
	}
	usual = Median(rest[:len(past)])
	scale = deviation(rest[:len(past)], usual)
	// The further a line is drawn beyond its points, the less it knows: the factor of a prediction
	// from a regression, sqrt(1 + 1/n + (x - mean)^2 / Sxx).
	if d.Trend {
		scale *= reach(past, minute)
	}
	return usual, max(scale, d.Floor, d.sampling(d.restore(usual), trials), 1e-9)
}

// sampling is the deviation that chance alone gives a count or a share.
func (d *Detector) sampling(usual, trials float64) float64 {
	switch {
	case d.Counts > 0 && d.Log:
		return 1 / math.Sqrt(max(usual*d.Counts, 1)) // of a Poisson count's logarithm, by the delta method
	case d.Counts > 0:
		return math.Sqrt(max(usual*d.Counts, 1)) / d.Counts
	case trials > 0 && !d.Log:
		p := min(max(usual, 1/max(trials, 1)), 1)
		return math.Sqrt(p * (1 - p) / max(trials, 1))
	}
	return 0
}

// deviation is the robust deviation of values around their median.
func deviation(values []float64, median float64) float64 {
	var off [kept]float64
	sum := 0.0
	for i, v := range values {
		off[i] = math.Abs(v - median)
		sum += off[i] / float64(len(values))
	}
	if mad := Median(off[:len(values)]); mad > 0 {
		return mad / consistent
	}
	return sum * meanConsistent
}

// resistantSlope is the slope of Tukey's line: between the medians of the first and the last third.
func resistantSlope(past []point) float64 {
	third := len(past) / 3
	if third == 0 {
		return 0
	}
	left, right := past[:third], past[len(past)-third:]
	span := middle(right) - middle(left)
	if span <= 0 {
		return 0
	}
	return (medianOf(right) - medianOf(left)) / span
}

func middle(points []point) float64 {
	first := points[0].minute
	sum := 0.0
	for _, p := range points {
		sum += float64(p.minute - first)
	}
	return float64(first) + sum/float64(len(points))
}

func medianOf(points []point) float64 {
	var x [kept]float64
	for i, p := range points {
		x[i] = p.x
	}
	return Median(x[:len(points)])
}

func reach(past []point, minute int64) float64 {
	n, mean := float64(len(past)), middle(past)
	spread := 0.0
	for _, p := range past {
		spread += (float64(p.minute) - mean) * (float64(p.minute) - mean)
	}
	if spread == 0 {
		return 1
	}
	off := float64(minute) - mean
	return math.Sqrt(1 + 1/n + off*off/spread)
}

// Median sorts values in place and returns their median, NaN of none.
func Median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	if n%2 == 1 {
		return values[n/2]
	}
	return values[n/2-1] + (values[n/2]-values[n/2-1])/2
}

func (d *Detector) transform(v float64) float64 {
	if !d.Log {
		return clamp(v)
	}
	return math.Log(min(max(v, 0), trusts) + d.offset())
}

// restore takes transform back.
func (d *Detector) restore(x float64) float64 {
	if !d.Log {
		return clamp(x)
	}
	return min(max(math.Exp(min(x, 700))-d.offset(), 0), trusts)
}

func (d *Detector) offset() float64 {
	if d.Offset > 0 {
		return d.Offset
	}
	return 1
}

// clamp keeps hostile figures finite through sums and differences.
func clamp(v float64) float64 { return min(max(v, -trusts), trusts) }
