package sale

import (
	"fmt"
	"math"
	"time"

	"github.com/onsale-dev/onsale/sale/forecast"
)

// The horizon of a forecast: six minutes for each that it follows from, three hours at most. A
// queue or a stock further away than that is not told, because nothing that was seen tells it.
const (
	horizonPer  = 6.0
	mostHorizon = 180.0
)

// sigmas is how many standard deviations to each side hold four of five outcomes of a normal law.
const sigmas = 1.2816

// leastDoubt is the least relative width of a range to each side: the model's own error, by the
// back-test in docs/accuracy.md, which no residual shows.
const leastDoubt = 0.08

// prospect is one way that a sale may go on.
type prospect struct {
	admitted, joining, each float64 // factors
}

// course is what a forecast is worked out from.
type course struct {
	site    forecast.Site
	horizon float64
	rate    func(minute float64) float64
	ways    [3]prospect // the best guess, the quick one and the slow one
}

// admitting is how many are let in per minute from now on, if nobody sets the gate anew: at least one.
func (s *saleEntry) admitting(st *State) (rate float64, why string) {
	l := &s.look
	admission, why := s.seen(st, AdmissionRate)
	if why != "" {
		return 0, why
	}
	rate = l.admitted.Level
	if limit, none := s.seen(st, AdmissionLimit); l.settling && none == "" && limit.Value > 0 {
		rate = limit.Value
	} else if !l.admitted.OK {
		return 0, fmt.Sprintf("%s needs %d closed minutes, has %d", label(admission.Spec), forecast.Least, l.admitted.N)
	}
	if rate < 1 {
		return 0, "nobody is let in"
	}
	return rate, ""
}

// course puts together what a walk needs, or says what is missing.
func (s *saleEntry) course(st *State) (c course, why string) {
	l := &s.look
	rate, why := s.admitting(st)
	if why != "" {
		return c, why
	}
	c.rate = s.gateCourse(st, rate)
	n := max(l.admitted.N, l.taken.N, forecast.Least)
	c.horizon = math.Min(horizonPer*float64(n), mostHorizon)
	c.site = forecast.Site{Queue: manyPeople, Session: s.session().Minutes(), Each: l.each}
	if k, none := s.seen(st, ActiveUsers); none == "" {
		c.site.People = k.Value
		if limit, none := s.seen(st, ActiveLimit); none == "" && limit.Value > 0 {
			c.site.Ceiling = limit.Value
		}
	} else {
		c.site.Session = 0
	}
	if k, none := s.seen(st, TicketsLeft); none == "" {
		c.site.Stock = k.Value
	}
	mean := func(fit *forecast.Fit, level float64) float64 {
		return sigmas * fit.Spread(10) / math.Max(level, 1)
	}
	in, each := math.Min(0.5, math.Hypot(mean(&l.admitted, rate), leastDoubt)), math.Min(0.5, math.Hypot(sigmas*l.doubt, leastDoubt))
	out := math.Min(0.9, math.Hypot(mean(&l.joining, l.joining.Level), leastDoubt))
	c.ways = [3]prospect{{1, 1, 1}, {1 + in, 1 - out, 1 + each}, {1 - in, 1 + out, 1 - each}}
	return c, ""
}

// manyPeople is a queue that never ends, for a sale whose queue is not known.
const manyPeople = 1e12

// gateCourse is how many are let in per minute from now on: as now, or in the steps of the plan
// where the gate follows it.
func (s *saleEntry) gateCourse(st *State, rate float64) func(minute float64) float64 {
	steady := func(float64) float64 { return rate }
	for _, name := range []Signal{AdmissionLimit, AdmissionRate} {
		line := s.sale.Plan.Line(name)
		if line == nil {
			continue
		}
		k, why := s.seen(st, AdmissionRate)
		if limit, none := s.seen(st, AdmissionLimit); none == "" {
			k, why = limit, none
		}
		if why != "" {
			return steady
		}
		after := k.At.Sub(s.sale.Opens)
		now, ok := line.At(after)
		if !ok || now <= 0 || math.Abs(k.Value/now-1) > 0.05 {
			return steady
		}
		factor := rate / now
		return func(minute float64) float64 {
			planned, _ := line.At(after + time.Duration(minute*float64(time.Minute)))
			return planned * factor
		}
	}
	return steady
}

// session is how long people stay on the site: as measured, else as declared; 0 when neither.
func (s *saleEntry) session() time.Duration {
	if m := s.look.session; m > 0 && m < 24*60 {
		return time.Duration(m * float64(time.Minute))
	}
	return s.sale.Plan.Session
}

// walk moves the site on in one way.
func (c *course) walk(way prospect, joining forecast.Fit) forecast.Course {
	site := c.site
	site.Each *= way.each
	site.Admitted = func(m float64) float64 { return c.rate(m) * way.admitted }
	site.Joining = func(m float64) float64 { return joining.At(m) * way.joining }
	return site.Walk(c.horizon)
}
