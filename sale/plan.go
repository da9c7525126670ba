package sale

import (
	"math"
	"slices"
	"time"
)

// Plan is what was expected of a sale before it began, and what its operators know of their
// site by heart. The zero value plans nothing.
type Plan struct {
	// Lines are the planned curves, at most one a signal.
	Lines []PlanLine
	// Session is how long a person stays on the site, on average; 0: not declared. It stands in
	// until it can be measured.
	Session time.Duration
	// Carries is how many people on the site one instance, task or pod carries; 0: not declared.
	Carries float64
	// Ramp is how a pause would be ended: the shares of the rate, ascending, 0–1, and the time
	// that each is held. Empty: not declared.
	Ramp      []float64
	RampEvery time.Duration
}

// PlanLine is the planned course of one signal by the time since the doors open.
type PlanLine struct {
	Signal Signal
	Points []PlanPoint // by After, strictly ascending
}

// PlanPoint is a planned value at a time counted from the opening; negative before it.
type PlanPoint struct {
	After time.Duration
	Value float64 // in the signal's unit, finite, >= 0
}

// At is the planned value at a time after the opening. What is set by hand (an admission rate or
// limit, capacity) holds from its point until the next one and after the last; what comes of
// itself, such as the people waiting, moves in a straight line between two points, and nothing is
// planned of it after the last. ok is false where nothing is planned.
func (l *PlanLine) At(after time.Duration) (value float64, ok bool) {
	i := l.upTo(after)
	if i == 0 {
		return 0, false
	}
	p := l.Points[i-1]
	switch {
	case l.holds() || p.After == after:
		return p.Value, true
	case i == len(l.Points):
		return 0, false
	}
	next := l.Points[i]
	share := float64(after-p.After) / float64(next.After-p.After)
	return p.Value*(1-share) + next.Value*share, true
}

// Next is the first point after a time, of a line whose values hold; ok is false when there is none.
func (l *PlanLine) Next(after time.Duration) (p PlanPoint, ok bool) {
	if i := l.upTo(after); l.holds() && i < len(l.Points) {
		return l.Points[i], true
	}
	return PlanPoint{}, false
}

// upTo is how many points lie not after a time.
func (l *PlanLine) upTo(after time.Duration) int {
	i, _ := slices.BinarySearchFunc(l.Points, after, func(p PlanPoint, t time.Duration) int {
		if p.After <= t {
			return -1
		}
		return 1
	})
	return i
}

// holds reports whether the signal is one that somebody sets.
func (l *PlanLine) holds() bool {
	m, ok := MeaningOf(l.Signal)
	return ok && (m.Group == Admission || m.Group == Capacity) && l.Signal != ActiveUsers && l.Signal != WaitSeconds
}

// Line finds the planned course of a signal, or nil.
func (p *Plan) Line(s Signal) *PlanLine {
	for i := range p.Lines {
		if p.Lines[i].Signal == s {
			return &p.Lines[i]
		}
	}
	return nil
}

// Planned is one signal held against its plan.
type Planned struct {
	Signal Signal
	// At is the instant that both values are about: that of the newest reading, or the time of
	// the judgement while there is none.
	At    time.Time
	Has   bool // false: nothing is planned for that instant, and Value means nothing
	Value float64
	// Ratio is the reading over the plan; NaN when either is not known, is stale, or the plan is 0.
	Ratio float64
	// Next is the coming step of what is set by hand; NextAt is zero when none is planned.
	Next   float64
	NextAt time.Time
}

// planned holds every planned line against what was read.
func (s *saleEntry) planned(st *State, now time.Time) []Planned {
	plan := &s.sale.Plan
	if len(plan.Lines) == 0 || s.sale.Opens.IsZero() {
		return nil
	}
	all := make([]Planned, 0, len(plan.Lines))
	for i := range plan.Lines {
		l := &plan.Lines[i]
		p := Planned{Signal: l.Signal, At: s.plannedAt(now), Ratio: math.NaN()}
		k, why := s.seen(st, l.Signal)
		read := why == ""
		if read && !k.At.IsZero() {
			p.At = k.At
		}
		after := p.At.Sub(s.sale.Opens)
		p.Value, p.Has = l.At(after)
		if next, ok := l.Next(after); ok {
			p.Next, p.NextAt = next.Value, s.sale.Opens.Add(next.After)
		}
		if read && p.Has && p.Value > 0 {
			if ratio := k.Value / p.Value; isFinite(ratio) {
				p.Ratio = ratio
			}
		}
		all = append(all, p)
	}
	return all
}

// plannedAt is the instant at which a plan without a reading is looked up: it moves by whole
// minutes, so that time alone changes a state no oftener.
func (s *saleEntry) plannedAt(now time.Time) time.Time { return now.Truncate(time.Minute) }

func samePlanned(a, b Planned) bool {
	return a.Signal == b.Signal && a.At.Equal(b.At) && a.Has == b.Has && a.Value == b.Value &&
		sameNumber(a.Ratio, b.Ratio) && a.Next == b.Next && a.NextAt.Equal(b.NextAt)
}
