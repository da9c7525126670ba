package sale

import (
	"slices"
	"time"
)

// Declared is what a store is to hold from now on.
type Declared struct {
	Sales   []*Sale
	Sources []SourceInfo
	Limits  Limits
	// SameSource reports whether a source of this name asks the same system as before, and SameSignal
	// whether a signal is read there in the same way: only then is its past its own. nil: none is.
	SameSource func(name string) bool
	SameSignal func(Key) bool
}

// Redeclare replaces what is declared while the store is in use. Signals that are the same keep
// their history and are judged by the new rules; sales that stay keep their incidents, their timeline
// and what people said of their alarms; sources that stay keep their counts. What is new is unknown
// until it is read. Nobody sees a moment in between: the next snapshot has all of it.
//
// A source may count its batches from 1 again. The declarations must not be changed afterwards.
func (s *Store) Redeclare(d Declared, now time.Time) {
	e := &s.engine
	if _, changed := e.locked(now, func(now time.Time) bool { e.redeclare(d, now); return true }); changed {
		e.bells.ring()
	}
}

func (e *engine) redeclare(d Declared, now time.Time) {
	sales, sources := e.sales, e.byName
	e.limits = d.Limits.withDefaults()
	e.sales, e.sources = nil, nil
	e.byName, e.slots = make(map[string]*sourceEntry, len(d.Sources)), make(map[Key]*slot)
	places := map[int]int{} // of the sources that stay: the new index by the old one
	for _, info := range d.Sources {
		src := e.addSource(info, now)
		if old := sources[info.Name]; old != nil && old.state.Kind == info.Kind && d.SameSource != nil && d.SameSource(info.Name) {
			places[old.index] = src.index
			src.goOn(old)
		}
	}
	for _, declared := range d.Sales {
		e.addSale(declared, now)
	}
	e.addTools()
	for _, entry := range e.sales {
		if i := slices.IndexFunc(sales, func(old *saleEntry) bool { return old.sale.ID == entry.sale.ID }); i >= 0 {
			entry.takeOver(sales[i], places, d.SameSignal)
		}
	}
	e.newSales, e.newState = true, true
}

// goOn takes over what is known of the source, but not how it counts.
func (s *sourceEntry) goOn(old *sourceEntry) {
	info := s.state.SourceInfo
	s.state, s.general, s.tries, s.lastFail = old.state, old.general, old.tries, old.lastFail
	s.spent, s.polls, s.firstCost, s.due = old.spent, old.polls, old.firstCost, old.due
	s.state.SourceInfo = info
}

// takeOver takes over what is known of the sale. places are the sources that stay.
func (s *saleEntry) takeOver(old *saleEntry, places map[int]int, same func(Key) bool) {
	s.started, s.quiet, s.state, s.anew = old.started, old.quiet, old.state, true
	s.happened, s.ringing, s.timeline, s.told = old.happened, old.ringing, old.timeline, true
	s.desk.log, s.desk.marks = old.desk.log, old.desk.marks
	for was, is := range places {
		if was < len(old.notes) && len(old.notes[was]) > 0 {
			s.takeNotes(is, old.notes[was])
		}
		for i := range s.desk.tools {
			for j := range old.desk.tools {
				if s.desk.tools[i].source.index == is && old.desk.tools[j].source.index == was {
					s.desk.tools[i].at, s.desk.tools[i].list = old.desk.tools[j].at, old.desk.tools[j].list
				}
			}
		}
	}
	for _, sl := range s.slots {
		was := old.bySignal[sl.spec.Signal]
		if sl.spec.Constant != nil || was == nil || was.spec.Constant != nil || was.spec.Unit != sl.spec.Unit || was.spec.Source != sl.spec.Source {
			continue
		}
		if same == nil || !same(Key{s.sale.ID, sl.spec.Signal}) || s.bySignal[sl.spec.Signal] != sl {
			continue
		}
		sl.goOn(was)
		if sl == s.tickets {
			s.tail, s.tailBase, s.inTail = old.tail, old.tailBase, old.inTail
		}
	}
	s.book = old.book
	s.book.standing = slices.DeleteFunc(slices.Clone(old.book.standing), func(o standing) bool { return !s.stillJudged(&o) })
}

// stillJudged reports whether a fault that was raised can still be one: its source and its rule are
// still declared. One that can't is no alarm any more, and nothing that was mended either.
func (s *saleEntry) stillJudged(o *standing) bool {
	if o.blind {
		return slices.ContainsFunc(s.slots, func(sl *slot) bool { return sl.source != nil && sl.source.state.Name == o.source })
	}
	sl := s.bySignal[o.signal]
	if sl == nil || o.derived != "" || o.rule == (Rule{}) {
		return sl != nil
	}
	for _, t := range []Thresholds{sl.spec.Rules.Watch, sl.spec.Rules.Bad} {
		if t.Default != nil && t.Default.withDefaults() == o.rule {
			return true
		}
		for _, r := range t.ByPhase {
			if r != nil && r.withDefaults() == o.rule {
				return true
			}
		}
	}
	return false
}

// goOn takes over the history of a signal, to be judged anew from its first kept point.
func (s *slot) goOn(old *slot) {
	s.ring, s.got, s.problem, s.withSource, s.answered = old.ring, old.got, old.problem, old.withSource, old.answered
	s.seen, s.wentStale, s.back = old.seen, old.wentStale, old.back
	s.refold = true
	if s.spec.Band == old.spec.Band {
		s.model = old.model
	}
	// What dropped points proved holds under the same rule alone, which advance sees to.
	s.watch, s.bad = old.watch, old.bad
	for _, g := range []*gauge{&s.watch, &s.bad} {
		if g.on {
			g.of = s.sale.bySignal[g.rule.Of]
		}
	}
	for _, l := range s.lines {
		i := slices.IndexFunc(old.lines, func(o *minuteLine) bool { return samePointed(o.below, l.below) })
		if i >= 0 && s.spec.Cadence == old.spec.Cadence {
			o := old.lines[i]
			l.first, l.values, l.next, l.from, l.edited = o.first, o.values, o.next, o.from, o.edited
		}
	}
}
