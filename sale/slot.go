package sale

import "time"

// slot is one signal of one sale on the writer's side.
type slot struct {
	spec   *Spec
	index  int // in the sale's Signals
	sale   *saleEntry
	source *sourceEntry // nil for a constant
	partOf []*slot      // the signals that are compared with this one
	ring   ring
	gap    time.Duration // between two points, beyond which continuity is not proven
	got    time.Time     // when the newest sample first reached us

	problem    *Problem
	withSource bool   // the problem is that the whole poll failed
	answered   uint64 // the last batch that spoke of this signal

	fresh    []sample // what the batch in hand brought
	freshest int64    // the newest of it
	fetched  time.Time

	lines  []*minuteLine // its closed minutes, in the forms that are needed
	watch  gauge
	bad    gauge
	folded int64 // the newest point that the gauges have seen
	any    bool  // they have seen one
	refold bool  // points that they have seen changed

	model modelled // what its system's own model takes for usual

	// A signal that was seen and went stale is trusted again with its second new sample, so
	// that a source which answers once in a while doesn't make the verdict flap.
	seen      bool
	wentStale bool
	back      int64 // the first sample since; 0 when none came yet
}

// returns notes that the newest sample is another one than the one at before.
func (s *slot) returns(before int64) {
	if !s.wentStale {
		return
	}
	first := firstAfter(s.ring.samples, before)
	switch news := len(s.ring.samples) - first; {
	case news >= 2 || news == 1 && s.back != 0:
		s.wentStale, s.back = false, 0
	case news == 1:
		s.back = s.ring.samples[first].at
	}
}

// ages notes how fresh the signal was judged.
func (s *slot) ages(f Freshness) {
	switch {
	case f == Fresh || f == Late:
		s.seen = true
	case f == Stale && s.seen:
		s.wentStale, s.back = true, 0
	}
}

// inForce is the value that held at t, NaN when not known.
func (s *slot) inForce(t int64) float64 {
	if s.spec.Constant != nil {
		return *s.spec.Constant
	}
	return s.ring.inForce(t, int64(s.gap))
}

// advance brings both gauges up to the newest point under the rules of a phase.
func (s *slot) advance(p Phase, sale *saleEntry) {
	if s.spec.Constant != nil {
		return
	}
	again := s.watch.use(s.spec.Rules.Watch.In(p), sale)
	again = s.bad.use(s.spec.Rules.Bad.In(p), sale) || again
	s.refold = s.refold || again
	points := s.unfolded()
	if s.refold {
		s.watch.fold, s.bad.fold = s.watch.base, s.bad.base
		s.refold = false
	}
	for _, p := range points {
		if s.watch.on {
			s.watch.step(&s.watch.fold, s.gap, p)
		}
		if s.bad.on {
			s.bad.step(&s.bad.fold, s.gap, p)
		}
	}
	if last, ok := s.ring.last(); ok {
		s.folded, s.any = last.at, true
	}
}

// unfolded is the part of the history that the gauges have not seen yet.
func (s *slot) unfolded() []sample {
	switch {
	case s.refold || !s.any:
		return s.ring.samples
	default:
		return s.ring.samples[firstAfter(s.ring.samples, s.folded):]
	}
}

// forget carries what dropped points proved into the base, so that judging the kept points
// again gives the same answer as before.
func (s *slot) forget(dropped []sample) {
	for _, p := range dropped {
		if s.watch.on {
			s.watch.step(&s.watch.base, s.gap, p)
		}
		if s.bad.on {
			s.bad.step(&s.bad.base, s.gap, p)
		}
	}
}
