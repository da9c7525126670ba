package sale

import (
	"fmt"
	"math"
	"time"
)

// The ratio to the plan from which on demand surges, and the one at which a surge is over.
const (
	surgeBegins = 1.20
	surgeEnds   = 1.10
	surgeFor    = time.Minute // that the samples must span
)

// demand is how the people in the queue stand to the plan, folded over the samples before the doors
// open. It is told again only when a sample came.
type demand struct {
	// planned is how many people the plan expects in the queue at a time; ok is false where it says
	// nothing. nil: the sale has no plan.
	planned func(at time.Time) (users float64, ok bool)

	told   bool
	newest sample
	oldest sample
	n      int
	surge  Surge
}

// surge tells whether demand surges. It looks for one only while people can queue and the doors
// are not open: afterwards admission and stock decide how many wait.
func (s *saleEntry) surge(st *State, now time.Time) Surge {
	if st.Phase != Prequeue {
		return Surge{}
	}
	if s.bySignal[Waiting] == nil && s.bySignal[InflowRate] == nil {
		return Surge{}
	}
	if s.assessed.demand.planned != nil {
		if by := s.surgeByPlan(now); by.Why == "" {
			return by
		}
	}
	return s.surgeByPace()
}

// surgeByPlan holds the people in the queue against the plan, sample by sample. A surge that was
// there when watching began counts at once, as a threshold's breach does: nobody knows for how long
// it has lasted, and it is no more than WATCH. So a single look tells of it, too.
func (s *saleEntry) surgeByPlan(now time.Time) Surge {
	sl, d := s.bySignal[Waiting], &s.assessed.demand
	none := Surge{Signal: Waiting, Basis: ByPlan}
	if sl == nil || sl.spec.Constant != nil {
		none.Why = "nobody reports who waits"
		return none
	}
	last, has := sl.ring.last()
	if !has || sl.spec.Cadence.Freshness(instant(last.at), now) == Stale {
		none.Why = label(sl.spec) + " is not known"
		return none
	}
	samples := sl.ring.samples
	if d.told && d.newest == last && d.oldest == samples[0] && d.n == len(samples) {
		return d.surge
	}
	d.told, d.newest, d.oldest, d.n = true, last, samples[0], len(samples)
	d.surge = none
	rule := Rule{Above: true, Limit: surgeBegins, For: surgeFor, Clear: surgeEnds, ClearFor: surgeFor}
	var f fold
	f.step(&rule, sl.gap, s.sale.Prequeue.UnixNano(), 0, true) // a pre-queue that opens is empty
	for _, p := range samples[firstNotBefore(samples, s.sale.Prequeue.UnixNano()):] {
		planned, ok := d.planned(instant(p.at))
		f.step(&rule, sl.gap, p.at, p.value/planned, ok && planned > 0 && isFinite(planned) && isFinite(p.value/planned))
	}
	planned, ok := d.planned(instant(last.at))
	if !ok || !(planned > 0) || !isFinite(planned) || !isFinite(last.value/planned) {
		d.surge.Why = "the plan says nothing of this time"
		return d.surge
	}
	d.surge.Now, d.surge.Expected, d.surge.Ratio = last.value, planned, last.value/planned
	if broken, held := f.standing(); broken {
		d.surge.On, d.surge.Since, d.surge.held = true, instant(f.start), held
	}
	return d.surge
}

// surgeByPace holds the people who join, or else the growth of the queue, against what they were.
func (s *saleEntry) surgeByPace() Surge {
	w := s.assessed.growth
	for i := range s.assessed.watched {
		if s.assessed.watched[i].signal == InflowRate {
			w = &s.assessed.watched[i]
		}
	}
	if w == nil {
		return Surge{}
	}
	an := &w.newest
	surge := Surge{Signal: w.signal, Basis: ByPace, Why: an.Why}
	if an.Why != "" {
		return surge
	}
	surge.Now, surge.Expected, surge.Ratio = an.Value, an.Usual, min(max(an.Value, 0)/max(an.Usual, 1), math.MaxFloat64)
	if an.On && an.Value > an.Usual {
		surge.On, surge.Since, surge.held = true, an.Since, true
	}
	return surge
}

// surgeReason is the sentence for a surge: "demand 1.31x plan: ~48,310 of 36,900".
func (s *saleEntry) surgeReason(u *Surge) (Reason, bool) {
	if !u.On {
		return Reason{}, false
	}
	spec := s.bySignal[u.Signal].spec
	r := Reason{Signal: u.Signal, Verdict: Watch, Since: u.Since, Source: spec.Source}
	times := decimal(u.Ratio, hundredths, 0) + "x"
	if u.Basis == ByPlan {
		r.Text = fmt.Sprintf("demand %s plan: %s of %s", times, Format(u.Now, Users, spec.Estimate), Format(math.Round(u.Expected), Users, false))
	} else {
		r.Text = fmt.Sprintf("demand %s its own pace: %s join, %s before", times, Format(math.Round(u.Now), PerMinute, spec.Estimate), Format(math.Round(u.Expected), PerMinute, spec.Estimate))
	}
	return r, true
}

// surging is a surge as a fault: what the demand is held against has no limit of its own.
func (s *saleEntry) surging(st *State) (fault, bool) {
	u := &st.Surge
	r, on := s.surgeReason(u)
	k := st.pointer(u.Signal)
	if !on || k == nil {
		return fault{}, false
	}
	title := "demand above plan"
	if u.Basis == ByPace {
		title = "demand above its own pace"
	}
	return fault{
		key: "surge", signal: u.Signal, source: r.Source, derived: title, verdict: r.Verdict,
		since: u.Since, until: k.At, proven: u.held, known: k, reason: r.Text,
	}, true
}

// hundredths is for factors: 1.31, 12, 140.
func hundredths(size float64) int {
	if size >= 9.995 {
		return 0
	}
	return 2
}
