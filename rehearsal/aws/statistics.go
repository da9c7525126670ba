package aws

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strconv"

	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

// statistic makes one value of the minutes of a period; ok is false where CloudWatch has none.
type statistic func(minutes []telemetry.Minute) (v float64, ok bool)

var percentileForm = regexp.MustCompile(`^p(\d{1,2}(?:\.\d{0,10})?|100)$`)

// statisticOf knows Sum, Average, Minimum, Maximum, SampleCount and the percentiles p0 to p100,
// such as p99 or p99.9.
func statisticOf(name string) (statistic, bool) {
	switch name {
	case "Sum":
		return func(all []telemetry.Minute) (float64, bool) { sum, _ := totals(all); return sum, true }, true
	case "SampleCount":
		return func(all []telemetry.Minute) (float64, bool) { _, n := totals(all); return n, true }, true
	case "Average":
		return func(all []telemetry.Minute) (float64, bool) { sum, n := totals(all); return sum / n, n > 0 }, true
	case "Minimum":
		return func(all []telemetry.Minute) (float64, bool) {
			low := all[0].Min
			for _, m := range all[1:] {
				low = math.Min(low, m.Min)
			}
			return low, true
		}, true
	case "Maximum":
		return func(all []telemetry.Minute) (float64, bool) {
			high := all[0].Max
			for _, m := range all[1:] {
				high = math.Max(high, m.Max)
			}
			return high, true
		}, true
	}
	match := percentileForm.FindStringSubmatch(name)
	if match == nil {
		return nil, false
	}
	p, err := strconv.ParseFloat(match[1], 64)
	if err != nil {
		return nil, false
	}
	return func(all []telemetry.Minute) (float64, bool) { return percentile(all, p/100) }, true
}

func totals(all []telemetry.Minute) (sum, count float64) {
	for _, m := range all {
		sum += m.Sum
		count += m.Count
	}
	return sum, count
}

// percentile is the smallest sample that at least the share q of all samples does not exceed. The
// samples that stand for a minute share its count evenly. Without samples a minute has a percentile
// only if all its values are the same, as in CloudWatch for a statistic set.
func percentile(all []telemetry.Minute, q float64) (float64, bool) {
	type weighted struct{ v, weight float64 }
	var samples []weighted
	total := 0.0
	for _, m := range all {
		total += m.Count
		switch {
		case len(m.Sorted) > 0:
			for _, v := range m.Sorted {
				samples = append(samples, weighted{v, m.Count / float64(len(m.Sorted))})
			}
		case m.Min == m.Max:
			samples = append(samples, weighted{m.Min, m.Count})
		default:
			return 0, false
		}
	}
	if len(samples) == 0 || total <= 0 {
		return 0, false
	}
	if len(all) > 1 {
		slices.SortFunc(samples, func(a, b weighted) int { return cmp.Compare(a.v, b.v) })
	}
	const tolerance = 1e-9 // of the sum of many small weights
	below, want := 0.0, q*total*(1-tolerance)
	for _, s := range samples {
		if below += s.weight; below >= want {
			return s.v, true
		}
	}
	return samples[len(samples)-1].v, true
}
