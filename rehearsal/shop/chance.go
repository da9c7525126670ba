package shop

import (
	"math"
	"math/rand/v2"
)

// wave is noise around 1 that moves slowly: an autoregressive process with a time constant in
// seconds and a standard deviation.
type wave struct {
	x           float64
	keep, shake float64
	size        float64
}

func newWave(seconds, size float64) wave {
	keep := math.Exp(-1 / seconds)
	return wave{keep: keep, shake: math.Sqrt(1 - keep*keep), size: size}
}

func (w *wave) next(r *rand.Rand) float64 {
	w.x = w.keep*w.x + w.shake*r.NormFloat64()
	return max(0, 1+w.size*max(-2.5, min(2.5, w.x)))
}

// drip turns a rate into whole people: it hands out the whole part and keeps the rest, so that
// nothing is lost over time.
type drip float64

func (d *drip) take(rate float64) int {
	*d += drip(max(0, rate))
	n := math.Floor(float64(*d))
	*d -= drip(n)
	return int(n)
}

// basket draws the tickets of one order: 2.4 on average.
func basket(r *rand.Rand) int {
	switch u := r.Float64(); {
	case u < 0.17:
		return 1
	case u < 0.64:
		return 2
	case u < 0.79:
		return 3
	default:
		return 4
	}
}

// exponential is the share of answers within t seconds when the mean is m: the law of a queue
// with one server.
func exponential(t, m float64) float64 { return 1 - math.Exp(-t/m) }

// erlang is the share within t seconds of a two-stage service with scale s; mean 2s, 95 % within 4.74s.
func erlang(t, s float64) float64 { return 1 - math.Exp(-t/s)*(1+t/s) }

// weighted is one part of a mixture: a law's scale and how many samples follow it.
type weighted struct{ scale, count float64 }

// quantile returns the q-quantile of a mixture by bisection; ok is false when it has no samples.
func quantile(q float64, parts []weighted, cdf func(t, scale float64) float64) (v float64, ok bool) {
	total, hi := 0.0, 0.0
	for _, p := range parts {
		if p.count > 0 {
			total += p.count
			hi = max(hi, p.scale*20)
		}
	}
	if total == 0 {
		return 0, false
	}
	lo := 0.0
	for range 40 {
		mid := (lo + hi) / 2
		below := 0.0
		for _, p := range parts {
			if p.count > 0 {
				below += p.count * cdf(mid, p.scale)
			}
		}
		if below < q*total {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi, true
}
