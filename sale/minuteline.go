package sale

import (
	"math"
	"time"
)

// minuteLine is a signal's past by closed minutes: the mean of the samples in each, NaN where
// there is none. It outlives the samples, so that a sale of a day can be added up.
//
// A minute is closed when its last sample can have been read: at its end, and then the delay of
// the source and a little for the poll. A sample that comes or changes later makes the line be
// taken anew from its minute on.
type minuteLine struct {
	slot  *slot
	below *float64 // when set, a minute's value is the part of its samples that are not below this

	first  int64 // the minute of values[0], counted from 1970
	values []float64
	next   int64 // the first minute that is not closed; values end before it
	from   int64 // the earliest minute that the last fold took anew; next when there was none
	edited int64 // the earliest minute that changed since the last fold; noEdit when none did
}

const (
	noEdit = math.MaxInt64
	// keptMinutes is how many minutes a line keeps: a day.
	keptMinutes = 24 * 60
	// pollSlack is the longest that is allowed for a poll to bring the last sample of a minute.
	pollSlack = 10 * time.Second
)

const minuteNs = int64(time.Minute)

// minuteAt is the minute that holds an instant.
func minuteAt(ns int64) int64 {
	m := ns / minuteNs
	if ns%minuteNs < 0 {
		m--
	}
	return m
}

// minuteStart is the instant at which a minute begins.
func minuteStart(m int64) time.Time { return instant(m * minuteNs) }

func (l *minuteLine) lag() time.Duration {
	c := l.slot.spec.Cadence
	return max(c.Delay, 0) + min(c.period(), pollSlack)
}

// closed is the first minute that is not closed at now.
func (l *minuteLine) closed(now time.Time) int64 { return minuteAt(now.Add(-l.lag()).UnixNano()) }

// closes is when the next minute of the line does.
func (l *minuteLine) closes() time.Time { return minuteStart(l.next + 1).Add(l.lag()) }

// touch notes that the samples from an instant on are new or changed.
func (l *minuteLine) touch(ns int64) { l.edited = min(l.edited, minuteAt(ns)) }

// fold takes in what closed or changed and reports the earliest minute that it took anew; it is
// l.next when there was none.
func (l *minuteLine) fold(now time.Time) (from int64) {
	samples := l.slot.ring.samples
	until := l.closed(now)
	if len(samples) == 0 {
		l.next, l.edited = until, noEdit
		if n := until - l.first; n < int64(len(l.values)) {
			l.values = l.values[:max(n, 0)]
		}
		return until
	}
	l.begin(samples, until)
	from = min(l.first+int64(len(l.values)), l.edited)
	if l.slot.ring.floored {
		// The minute that the oldest samples were dropped from can't be told again.
		from = max(from, min(minuteAt(samples[0].at)+1, l.first+int64(len(l.values))))
	}
	from = max(min(from, until), l.first)
	l.edited, l.next = noEdit, until
	l.values = l.values[:from-l.first]
	i := firstNotBefore(samples, from*minuteNs)
	for m := from; m < until; m++ {
		var v float64
		v, i = l.minute(samples, i, m)
		l.values = append(l.values, v)
	}
	if drop := len(l.values) - keptMinutes; drop > 0 {
		l.first += int64(drop)
		l.values = append(make([]float64, 0, keptMinutes+keptMinutes/8), l.values[drop:]...)
	}
	return from
}

// begin sets where a line starts, or starts it again where samples came from before it.
func (l *minuteLine) begin(samples []sample, until int64) {
	oldest := max(minuteAt(samples[0].at), until-keptMinutes)
	switch {
	case len(l.values) == 0:
		l.first, l.values = min(oldest, until), l.values[:0]
	case oldest < l.first && !l.slot.ring.floored:
		l.first, l.values = min(oldest, until), l.values[:0]
	case l.first > until: // the clock was wound back
		l.first, l.values = min(oldest, until), l.values[:0]
	case l.first+int64(len(l.values)) > until:
		l.values = l.values[:until-l.first]
	case l.first < until-2*keptMinutes: // nobody looked for more than a day
		l.first, l.values = oldest, l.values[:0]
	}
}

// minute is one minute's value. i is the first sample that is not before it, and then the next.
func (l *minuteLine) minute(samples []sample, i int, m int64) (value float64, next int) {
	end := (m + 1) * minuteNs
	mean, n := 0.0, 0.0
	for ; i < len(samples) && samples[i].at < end; i++ {
		n++
		mean += l.of(samples[i].value)/n - mean/n
	}
	switch {
	case n > 0:
		return mean, i
	case i > 0 && end-samples[i-1].at <= int64(l.slot.spec.Cadence.period()):
		return l.of(samples[i-1].value), i // a sample stands for its whole period
	}
	return math.NaN(), i
}

func (l *minuteLine) of(v float64) float64 {
	switch {
	case l.below == nil:
		return v
	case v < *l.below:
		return 0
	}
	return 1
}

// at is a minute's value, NaN when not known.
func (l *minuteLine) at(m int64) float64 {
	if l == nil || m < l.first || m >= l.first+int64(len(l.values)) {
		return math.NaN()
	}
	return l.values[m-l.first]
}

// until returns the last n minutes before one, NaN where there are none, in a slice that the caller owns.
func (l *minuteLine) until(end int64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = l.at(end - int64(n-i))
	}
	return out
}

// differences are the steps between neighbouring minutes, in one value less.
func differences(values []float64) []float64 {
	if len(values) < 2 {
		return nil
	}
	out := make([]float64, len(values)-1)
	for i := range out {
		out[i] = values[i+1] - values[i]
	}
	return out
}
