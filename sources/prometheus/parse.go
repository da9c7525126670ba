package prometheus

import (
	"fmt"
	"math"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/prometheus/common/model"
)

// skewAllowed is how far ahead the server's clock may be before its times are put back.
const skewAllowed = 2 * time.Second

// batch turns the round's results into readings and reasons.
func (r *round) batch(now time.Time) sale.Batch {
	var b sale.Batch
	if !r.ok && r.failure != nil {
		b.Problem = r.failure
		return b
	}
	fetched := time.Now()
	r.seeAges()
	var lateTerms int
	var oldest time.Time
	for _, t := range r.s.terms {
		if t.clock != nil {
			continue
		}
		value, at, problem := r.number(t)
		t.series = problem == nil
		if problem != nil {
			for _, q := range t.reads {
				b.Missing = append(b.Missing, sale.Missing{Key: q.Key, Problem: *problem})
			}
			continue
		}
		if ahead := at.Sub(fetched); ahead > skewAllowed {
			r.skew = max(r.skew, ahead)
		}
		r.s.history.answered(r.s.poll, at, r.s.opts.Every)
		if sampled, late := r.late(t, at); late {
			lateTerms += len(t.reads)
			if oldest.IsZero() || sampled.Before(oldest) {
				oldest = sampled
			}
			at = sampled
		}
		for _, q := range t.reads {
			b.Readings = append(b.Readings, sale.Reading{Key: q.Key, Value: value, Unit: q.Unit, At: at, FetchedAt: fetched})
		}
	}
	if r.skew > 0 {
		for i := range b.Readings {
			b.Readings[i].At = b.Readings[i].At.Add(-r.skew)
		}
		b.Warnings = append(b.Warnings, fmt.Sprintf("the server's clock is %s ahead of this machine's", r.skew.Round(time.Second)))
	}
	if lateTerms > 0 {
		b.Warnings = append(b.Warnings, fmt.Sprintf("%d of %d signals rest on samples that stopped coming; the oldest is %s old",
			lateTerms, len(r.s.opts.Queries), fetched.Add(r.skew).Sub(oldest).Round(time.Second)))
	}
	if r.s.single {
		b.Warnings = append(b.Warnings, "the server does not take joined queries: one request a signal")
	}
	return b
}

// seeAges tells every clock what this poll saw.
func (r *round) seeAges() {
	for _, t := range r.s.terms {
		if t.clock == nil {
			continue
		}
		t.clock.fresh = false
		if got := r.results[t].samples; len(got) == 1 && got[0].Histogram == nil {
			t.clock.see(float64(got[0].Value))
		}
	}
}

// late returns the time of the oldest of the newest samples that an expression rests on, when
// that is later than usual. A value is as old as its oldest ingredient.
func (r *round) late(t *term, evaluated time.Time) (at time.Time, late bool) {
	for _, a := range t.ages {
		sampled, is := a.clock.late(evaluated, r.s.opts.Every)
		if is && (at.IsZero() || sampled.Before(at)) {
			at, late = sampled, true
		}
	}
	return at, late
}

// number is the one finite number that an expression must give.
func (r *round) number(t *term) (value float64, at time.Time, why *sale.Problem) {
	got, asked := r.results[t]
	switch {
	case t.stands == never && t.problem != nil:
		return 0, at, t.problem
	case !asked && r.failure != nil:
		return 0, at, r.failure
	case !asked:
		return 0, at, problem(sale.BadData, "it is asked in the next poll", "not asked: %s", excerpt(t.expr))
	case got.problem != nil:
		return 0, at, got.problem
	}
	return oneNumber(got.samples, t.expr)
}

func oneNumber(samples []*model.Sample, expr string) (value float64, at time.Time, why *sale.Problem) {
	switch len(samples) {
	case 0:
		return 0, at, problem(sale.NotFound, "the metric or its labels are not there now: try the query on the server's own page",
			"no series match %s", excerpt(expr))
	case 1:
	default:
		return 0, at, problem(sale.BadData, "put sum(…), max(…) or another aggregation around it",
			"%d series, want one: %s", len(samples), excerpt(expr))
	}
	sample := samples[0]
	value = float64(sample.Value)
	switch {
	case sample.Histogram != nil:
		return 0, at, problem(sale.BadData, "take a number from it: histogram_quantile(0.95, …), histogram_count(…) or histogram_avg(…)",
			"a native histogram, not a number: %s", excerpt(expr))
	case math.IsNaN(value):
		return 0, at, problem(sale.NotFound, "nothing happened in the window, or the divisor is zero",
			"NaN: no samples in the window, or 0/0: %s", excerpt(expr))
	case math.IsInf(value, 0):
		return 0, at, problem(sale.BadData, "guard the divisor: … / (x > 0)", "infinite: a division by zero: %s", excerpt(expr))
	}
	at = sample.Timestamp.Time()
	if sample.Timestamp <= 0 || at.Year() > 2200 {
		return 0, time.Time{}, problem(sale.BadData, "see that the url is a Prometheus API", "a value without a usable time")
	}
	return value, at, nil
}
