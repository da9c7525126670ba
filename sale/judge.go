package sale

import (
	"math"
	"slices"
	"time"
)

// judge brings a sale's state up to now and replaces it when anything but the passing of
// time has changed.
func (e *engine) judge(s *saleEntry, now time.Time) {
	s.dirty = false
	phase, since, due := s.phase(now)
	e.scratch = e.scratch[:0]
	for _, sl := range s.slots {
		sl.advance(phase, s)
	}
	for _, sl := range s.slots {
		e.trim(s, sl, now)
		known := sl.known(now)
		sl.ages(known.Freshness)
		e.scratch = append(e.scratch, known)
		if known.Has && sl.spec.Constant == nil {
			due = earliest(due, sl.spec.Cadence.nextFreshness(known.At, now))
		}
	}
	next := State{Sale: s.sale, Phase: phase, PhaseSince: since, Signals: e.scratch, Since: now, Version: 1}
	next.Notes = s.early(&next, s.noted())
	notes, until := e.loginNotes(s.sale, now)
	next.Notes, due = append(next.Notes, notes...), earliest(due, until)
	due = earliest(due, s.assess(&next, now))
	due = earliest(due, s.heed(now))
	s.holdAgainstModels(&next)
	s.verdict(&next)
	s.lookAhead(&next, now)
	due = earliest(due, s.conclude(&next, now))
	old := s.state
	if old != nil && next.Verdict == old.Verdict {
		next.Since = old.Since
	}
	s.due = earliest(due, s.happenings(&next, now))
	if old != nil {
		if !s.anew && next.sameAs(old) {
			return
		}
		next.Version = old.Version + 1
	}
	s.anew = false
	next.Signals = slices.Clone(e.scratch)
	s.state = &next
	e.newSales = true
}

// trim bounds a slot's history once its points have been judged.
func (e *engine) trim(s *saleEntry, sl *slot, now time.Time) {
	dropped := sl.ring.trim(e.limits.Points, now.Add(-e.limits.Keep).UnixNano())
	if len(dropped) == 0 {
		return
	}
	sl.forget(dropped)
	if sl == s.tickets {
		for _, p := range dropped {
			s.tailBase.step(s.sale, p)
		}
	}
}

// phase is the sale's phase at now, when it began and when the schedule ends it.
func (s *saleEntry) phase(now time.Time) (p Phase, since, until time.Time) {
	p, since, until = schedule(s.sale, now)
	sl := s.tickets
	if sl == nil {
		return p, since, until
	}
	if sl.refold {
		s.tail = s.tailBase
	}
	for _, point := range sl.unfolded() {
		s.tail.step(s.sale, point)
	}
	last, known := sl.ring.last()
	fresh := known && sl.spec.Cadence.Freshness(instant(last.at), now) != Stale
	s.inTail = p == Live && s.tail.in && (s.inTail || fresh)
	if s.inTail {
		if seen := instant(s.tail.since); seen.After(since) {
			since = seen
		}
		p = Tail
	}
	return p, since, until
}

// known is what is known of a signal at now.
func (s *slot) known(now time.Time) Known {
	k := Known{Spec: s.spec, Ratio: math.NaN()}
	if c := s.spec.Constant; c != nil {
		k.Has, k.Value, k.Freshness, k.Verdict = isFinite(*c), *c, Fresh, OK
		if !k.Has {
			k.Value, k.Freshness, k.Verdict = 0, NoData, Unknown
		}
		return k
	}
	k.Problem = s.problem
	last, has := s.ring.last()
	if !has {
		k.Freshness, k.Verdict = NoData, Unknown
		return k
	}
	k.Has, k.Value, k.At, k.FetchedAt = true, last.value, instant(last.at), s.got
	k.History = s.ring.series()
	k.Freshness = k.FreshnessAt(now)
	if s.spec.Of != "" {
		if share, ok := ratio(last, s.sale.bySignal[s.spec.Of]); ok {
			k.Ratio = share
		}
	}
	k.Verdict, k.Breach = s.judgement(k.Freshness)
	return k
}

// judgement is the verdict of the value alone.
func (s *slot) judgement(f Freshness) (Verdict, *Breach) {
	if f == Stale {
		return Unknown, nil
	}
	badBroken, badHeld := s.bad.fold.standing()
	watchBroken, _ := s.watch.fold.standing()
	unknown := s.bad.fold.unknown || s.watch.fold.unknown
	switch {
	case badHeld:
		return Bad, s.bad.breach(Bad)
	case unknown:
		return Unknown, nil
	case badBroken:
		return Watch, s.bad.breach(Watch)
	case watchBroken:
		return Watch, s.watch.breach(Watch)
	case s.wentStale:
		return Unknown, nil
	}
	return OK, nil
}

// breach describes a gauge's broken threshold.
func (g *gauge) breach(v Verdict) *Breach {
	_, held := g.fold.standing()
	return &Breach{Rule: g.rule, Verdict: v, Value: g.fold.value, Since: instant(g.fold.start), Held: held}
}

// sameAs reports whether two states of a sale differ in nothing but their version.
func (s *State) sameAs(old *State) bool {
	return s.Phase == old.Phase && s.PhaseSince.Equal(old.PhaseSince) && s.Verdict == old.Verdict &&
		s.Needed == old.Needed && s.Next == old.Next && slices.Equal(s.Alarms, old.Alarms) && s.NeededLive == old.NeededLive &&
		slices.Equal(s.Reasons, old.Reasons) && slices.Equal(s.Notes, old.Notes) &&
		s.Incidents.sameAs(old.Incidents) && slices.Equal(s.Timeline, old.Timeline) &&
		slices.EqualFunc(s.Signals, old.Signals, sameKnown) && s.sameAssessment(old) && s.sameOutlook(old)
}

func sameKnown(a, b Known) bool {
	return a.Has == b.Has && a.Value == b.Value && a.At.Equal(b.At) && a.FetchedAt.Equal(b.FetchedAt) &&
		a.Freshness == b.Freshness && a.Verdict == b.Verdict && sameNumber(a.Ratio, b.Ratio) &&
		samePointed(a.Problem, b.Problem) && samePointed(a.Breach, b.Breach) && samePointed(a.Band, b.Band) && a.History.is(b.History)
}

// sameNumber is equality that also holds between two NaNs.
func sameNumber(a, b float64) bool { return a == b || a != a && b != b }

func samePointed[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// is reports whether two series are the same points of the same array.
func (s Series) is(o Series) bool {
	return len(s.points) == len(o.points) && (len(s.points) == 0 || &s.points[0] == &o.points[0])
}

// takeNotes replaces what one source notes about the sale.
func (s *saleEntry) takeNotes(source int, notes []Note) (changed bool) {
	if len(notes) == 0 && len(s.notes) <= source {
		return false
	}
	for len(s.notes) <= source {
		s.notes = append(s.notes, nil)
	}
	if slices.Equal(s.notes[source], notes) {
		return false
	}
	s.notes[source] = notes
	return true
}

// noted lists the notes of all sources, in their order.
func (s *saleEntry) noted() []Note {
	var all []Note
	for _, notes := range s.notes {
		all = append(all, notes...)
	}
	return all
}
