package sale

import (
	"slices"
	"time"
)

// assessment is what the writer keeps of a sale beside its signals: their closed minutes, and
// what they tell. It is worked out anew when a minute closes, changes late, or the phase moves;
// in between a judgement only looks.
type assessment struct {
	lines []*minuteLine // every line of the sale
	rates lineSet       // the lines of plain means, by signal

	watched []watchedSignal
	growth  *watchedSignal // of the queue, where nobody reports who joins; nil otherwise
	goals   []goal
	demand  demand

	told      bool
	moved     bool // a line did, in the judgement at hand
	phase     Phase
	anomalies []Anomaly
	budgets   []Budget
	size      rightSize
	due       time.Time
}

type lineSet map[Signal]*minuteLine

// at is a signal's value in a minute, NaN when not known.
func (l lineSet) at(s Signal, m int64) float64 { return l[s].at(m) }

// newAssessment makes the lines that a sale's declaration can use.
func newAssessment(s *saleEntry) *assessment {
	a := &assessment{rates: lineSet{}}
	for _, name := range append([]Signal{RequestRate, CapacityInService, CheckoutRate}, lookedAt...) {
		a.mean(s, name)
	}
	for _, w := range watchedSignals {
		if l := a.mean(s, w.signal); l != nil {
			a.watched = append(a.watched, newWatched(w, l))
		}
	}
	if l := a.mean(s, Waiting); l != nil && a.rates[InflowRate] == nil {
		w := newWatched(growthOfQueue, l)
		a.growth = &w
	}
	for i := range s.sale.Objectives {
		a.promise(s, &s.sale.Objectives[i])
	}
	if l := s.sale.Plan.Line(Waiting); l != nil {
		a.demand.planned = func(at time.Time) (float64, bool) { return l.At(at.Sub(s.sale.Opens)) }
	}
	return a
}

// mean is the line of a signal's means, or nil when nothing reads the signal.
func (a *assessment) mean(s *saleEntry, name Signal) *minuteLine {
	if l := a.rates[name]; l != nil {
		return l
	}
	l := a.line(s, name, nil)
	if l != nil {
		a.rates[name] = l
	}
	return l
}

func (a *assessment) line(s *saleEntry, name Signal, below *float64) *minuteLine {
	sl := s.bySignal[name]
	if sl == nil || sl.spec.Constant != nil {
		return nil
	}
	l := &minuteLine{slot: sl, below: below, edited: noEdit}
	sl.lines = append(sl.lines, l)
	a.lines = append(a.lines, l)
	return l
}

// assess fills in what a state tells beside its signals, and reports when a minute closes next.
func (s *saleEntry) assess(st *State, now time.Time) (due time.Time) {
	a := s.assessed
	moved := !a.told || a.phase != st.Phase
	if !moved && now.Before(a.due) && !slices.ContainsFunc(a.lines, func(l *minuteLine) bool { return l.edited != noEdit }) && !a.woundBack(now) {
		due = a.due
	} else {
		moved = a.foldLines(now) || moved
		due = a.due
	}
	a.moved = moved
	if moved {
		a.told, a.phase = true, st.Phase
		a.watch(s, st.Phase)
		a.count(s)
		a.rightsize(s, st.Phase)
	}
	st.Anomalies = a.anomalies
	st.Budgets = s.months(st, a.budgets)
	st.Surge = s.surge(st, now)
	st.Cost = s.costs(st)
	return due
}

// woundBack reports whether time fell to before a minute that was taken as closed.
func (a *assessment) woundBack(now time.Time) bool {
	return slices.ContainsFunc(a.lines, func(l *minuteLine) bool { return l.closed(now) < l.next })
}

// foldLines brings every line up to now and reports whether one moved.
func (a *assessment) foldLines(now time.Time) (moved bool) {
	a.due = time.Time{}
	for _, l := range a.lines {
		before := l.next
		l.from = l.next
		if l.closed(now) != l.next || l.edited != noEdit {
			l.from = l.fold(now)
			moved = moved || l.from < l.next || l.next != before
		}
		a.due = earliest(a.due, l.closes())
	}
	return moved
}

// assessedReasons are the reasons for watching that no single threshold gives.
func (s *saleEntry) assessedReasons(st *State) []Reason {
	var reasons []Reason
	if r, ok := s.surgeReason(&st.Surge); ok {
		reasons = append(reasons, r)
	}
	for i := range st.Anomalies {
		an := &st.Anomalies[i]
		byPace := st.Surge.On && st.Surge.Basis == ByPace && st.Surge.Signal == an.Signal
		if an.On && !byPace {
			reasons = append(reasons, s.anomalyReason(an))
		}
	}
	reasons = append(reasons, s.bandReasons(st)...)
	for i := range st.Budgets {
		if r, ok := s.budgetReason(&st.Budgets[i]); ok {
			reasons = append(reasons, r)
		}
	}
	return append(reasons, s.heeded...)
}

// sourceOf names the source of a signal, for a reason.
func (s *saleEntry) sourceOf(name Signal) string {
	if sl := s.bySignal[name]; sl != nil {
		return sl.spec.Source
	}
	return ""
}

// sameAssessment compares what assess filled in.
func (s *State) sameAssessment(old *State) bool {
	return s.Surge == old.Surge && s.Cost.is(old.Cost) &&
		slices.Equal(s.Anomalies, old.Anomalies) && slices.EqualFunc(s.Budgets, old.Budgets, sameBudget)
}

func sameBudget(a, b Budget) bool {
	if !sameNumber(a.Left, b.Left) || !sameNumber(a.Burn, b.Burn) || !sameNumber(a.Good, b.Good) || !sameNumber(a.Month, b.Month) {
		return false
	}
	a.Left, a.Burn, a.Good, a.Month = b.Left, b.Burn, b.Good, b.Month
	return a == b
}

func (c Cost) is(o Cost) bool {
	return sameNumber(c.Held, o.Held) && sameNumber(c.PerHour, o.PerHour) && sameNumber(c.Enough, o.Enough) &&
		sameNumber(c.Saves, o.Saves) && c.Why == o.Why
}
