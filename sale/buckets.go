package sale

import (
	"math"
	"time"
)

// buckets is Series.Buckets. It takes time in proportion to n and the points in the window.
func buckets(s Series, to time.Time, window time.Duration, n int) []float64 {
	if n <= 0 {
		return nil
	}
	means := make([]float64, n)
	for i := range means {
		means[i] = math.NaN()
	}
	step := int64(window) / int64(n)
	if step <= 0 {
		return means
	}
	limit := to.UnixNano()
	start := ceilTo(limit, step) - int64(n)*step
	column, count := -1, 0.0
	for _, p := range s.points[firstNotBefore(s.points, start):] {
		if p.at >= limit {
			break
		}
		i := int((p.at - start) / step)
		if i != column {
			column, count = i, 0
			means[i] = 0
		}
		count++
		// Adding fractions keeps the mean finite where the sum of 1e308s is not.
		means[i] += p.value/count - means[i]/count
	}
	return means
}

// ceilTo rounds t up to a multiple of step; both may lie before 1970.
func ceilTo(t, step int64) int64 {
	rest := t % step
	if rest < 0 {
		rest += step
	}
	if rest == 0 {
		return t
	}
	return t - rest + step
}
