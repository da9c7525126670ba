package sale

import (
	"math"
	"time"
)

// minutes are the closed minutes of one signal: the mean of each, NaN where there is no sample.
//
// A minute is closed when a sample of a later one has come; the only sample of a signal whose
// period is a minute or more describes a closed one by itself. So what they say follows from the
// points alone, never from the time at which somebody looks.
type minutes struct {
	values  []float64 // oldest first, up to and with the minute before end
	end     int64     // the first minute that is not closed, since 1970
	revised uint64    // the slot's count when they were taken
	taken   bool
}

const (
	minute      = int64(time.Minute)
	mostMinutes = 120 // what is kept of a signal: enough to have seen it at rest and at its most
)

// bring takes the closed minutes anew when there is one more, or the past changed. It reports
// whether it did. A sale's outlook asks for about eight signals, so this is a few thousand points
// a minute and sale.
func (m *minutes) bring(s *slot) bool {
	last, ok := s.ring.last()
	if !ok {
		return false
	}
	end := floorTo(last.at, minute) / minute
	if s.spec.Cadence.period() >= time.Minute {
		end++
	}
	if m.taken && end == m.end && s.revised == m.revised {
		return false
	}
	m.end, m.revised, m.taken = end, s.revised, true
	samples := s.ring.samples
	from := firstNotBefore(samples, (end-mostMinutes)*minute)
	samples = samples[from:firstNotBefore(samples, end*minute)]
	m.values = m.values[:0]
	if len(samples) == 0 {
		return true
	}
	first := floorTo(samples[0].at, minute) / minute
	for range end - first {
		m.values = append(m.values, math.NaN())
	}
	at, n := int64(-1), 0.0
	for _, p := range samples {
		i := floorTo(p.at, minute)/minute - first
		if i != at {
			at, n, m.values[i] = i, 0, 0
		}
		n++
		m.values[i] += p.value/n - m.values[i]/n
	}
	return true
}

// floorTo rounds t down to a multiple of step; t may lie before 1970.
func floorTo(t, step int64) int64 {
	rest := t % step
	if rest < 0 {
		rest += step
	}
	return t - rest
}

// until returns the last n closed minutes before a minute, NaN where there are none, in a slice
// that the caller owns.
func (m *minutes) until(end int64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.NaN()
		if m == nil || !m.taken {
			continue
		}
		if j := int64(len(m.values)) - (m.end - end) - int64(n-i); j >= 0 && j < int64(len(m.values)) {
			out[i] = m.values[j]
		}
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
