package sale

import "time"

// A fold walks a signal's history once, oldest first, and remembers what one threshold makes
// of it. It never looks at the clock: only points count, so a one-shot check, the cockpit and
// a replay that have the same points have the same answer.
//
// A breach is held when points in breach, without a gap, span the rule's For. While it spans
// less there are two cases. If a good point stands before it, the breach is simply too young
// and there is no verdict. If the history, or what follows a gap, begins in breach, nobody
// knows how long it has lasted: it counts at once, but as Watch at most.
//
// A held breach stays until points on the good side of Clear, without a gap, span ClearFor.
// A gap is more than three periods and the delay between two points. It breaks the proof of
// continuity on the way in and on the way out, and it ends no breach by itself.
type fold struct {
	judged  bool
	last    int64   // the newest judged point
	value   float64 // what was compared with the limit there
	unknown bool    // the newest point could not be compared

	inBreach bool
	start    int64 // of the run of points in breach
	sawStart bool  // a good point stands right before that run
	held     bool

	clearing   bool
	clearStart int64 // of the run of points over the clear limit
}

// step judges the next point. known is false where the value to compare is not known; such a
// point proves nothing, good or bad.
func (f *fold) step(r *Rule, gap time.Duration, at int64, value float64, known bool) {
	if f.judged && at <= f.last {
		return
	}
	f.unknown = !known
	if !known {
		return
	}
	unbroken := f.judged && at-f.last <= int64(gap)
	f.judged, f.last, f.value = true, at, value
	switch {
	case f.held:
		if !r.cleared(value) {
			f.clearing = false
			return
		}
		if !f.clearing || !unbroken {
			f.clearing, f.clearStart = true, at
		}
		if at-f.clearStart >= int64(r.ClearFor) {
			*f = fold{judged: true, last: at, value: value}
		}
	case r.breached(value):
		if !f.inBreach || !unbroken {
			f.inBreach, f.start, f.sawStart = true, at, unbroken
		}
		f.held = at-f.start >= int64(r.For)
	default:
		f.inBreach = false
	}
}

// standing is what the fold says now: whether the threshold counts as broken, and whether
// its duration is proven.
func (f *fold) standing() (broken, held bool) {
	if f.unknown {
		return false, false
	}
	return f.held || f.inBreach && !f.sawStart, f.held
}

// breached reports whether a value is beyond the limit.
func (r *Rule) breached(value float64) bool {
	if r.Above {
		return value > r.Limit
	}
	return value < r.Limit
}

// cleared reports whether a value has reached the clear limit, from the bad side.
func (r *Rule) cleared(value float64) bool {
	if r.Above {
		return value <= r.Clear
	}
	return value >= r.Clear
}

// gauge is one threshold of a signal in the sale's present phase.
type gauge struct {
	on   bool
	rule Rule
	of   *slot // nil when the rule compares the value itself, or names a signal nobody declared
	fold fold
	base fold // the fold up to the first point that is still kept
}

// use switches to the rule of a phase. It reports true when the history must be judged again.
func (g *gauge) use(r *Rule, sale *saleEntry) bool {
	if r == nil {
		*g = gauge{}
		return false
	}
	rule := r.withDefaults()
	if g.on && g.rule == rule {
		return false
	}
	*g = gauge{on: true, rule: rule, of: sale.bySignal[rule.Of]}
	return true
}

// compare returns what a point of the signal is compared by.
func (g *gauge) compare(p sample) (value float64, known bool) {
	if g.rule.Of == "" {
		return p.value, true
	}
	return ratio(p, g.of)
}

// ratio is a point's value over the value of another signal that held at the same time;
// known is false when that is not known, or zero.
func ratio(p sample, of *slot) (value float64, known bool) {
	if of == nil {
		return 0, false
	}
	value = p.value / of.inForce(p.at)
	return value, isFinite(value)
}

func (g *gauge) step(f *fold, gap time.Duration, p sample) {
	value, known := g.compare(p)
	f.step(&g.rule, gap, p.at, value, known)
}
