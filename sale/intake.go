package sale

import (
	"fmt"
	"time"
)

// futureSlack is how far a sample may be stamped ahead of our clock before it is refused.
const futureSlack = 2 * time.Minute

// The years between which a sample's time is believed.
const (
	firstYear = 1970
	lastYear  = 2200
)

// takeIn applies a batch to the slots and the source that it belongs to. It reports false
// for a batch of an unknown source or one older than a batch already applied.
func (e *engine) takeIn(b *Batch, now time.Time) bool {
	src := e.byName[b.Source]
	if src == nil || b.Seq < src.seq {
		return false
	}
	src.seq = b.Seq
	in := intake{engine: e, batch: b, source: src, now: now}
	e.touched = e.touched[:0]
	e.polls++
	for i := range b.Readings {
		in.reading(&b.Readings[i])
	}
	for _, sl := range e.touched {
		in.merge(sl)
	}
	in.bands()
	in.missing()
	in.problem()
	in.notes()
	in.incidents()
	src.polled(&in)
	e.newState = true
	return true
}

// intake is the taking in of one batch.
type intake struct {
	*engine
	batch  *Batch
	source *sourceEntry
	now    time.Time

	newest    int64 // the newest instant that a kept sample describes; 0: none
	lost      int   // signals asked for and not delivered
	firstLost *Problem
	ignored   int
	why       string // why the first ignored reading was
	skew      time.Duration
	general   []Note // of the whole source
}

// ignore counts a reading that can't be kept, and remembers why the first one can't.
func (in *intake) ignore(k Key, why string) {
	if in.ignored == 0 {
		in.why = fmt.Sprintf("%s of %s %s", Clean(string(k.Signal), 40), Clean(string(k.Sale), 40), why)
	}
	in.ignored++
}

// reading sorts one reading into its slot, or counts it as ignored.
func (in *intake) reading(r *Reading) {
	if !r.Valid() || r.At.Year() < firstYear || r.At.Year() > lastYear {
		in.ignore(r.Key, "has no usable value or time")
		return
	}
	sl := in.slots[r.Key]
	switch {
	case sl == nil:
		in.ignore(r.Key, "is not declared")
		return
	case sl.source != in.source:
		in.ignore(r.Key, "belongs to source "+sl.spec.Source)
		return
	}
	if ahead := r.At.Sub(in.now); ahead > futureSlack {
		in.skew = max(in.skew, ahead)
		in.ignore(r.Key, "is stamped in the future")
		return
	}
	if sl.answered != in.polls {
		sl.answered = in.polls
		in.touched = append(in.touched, sl)
	}
	at := r.At.UnixNano()
	if len(sl.fresh) == 0 || at >= sl.freshest {
		sl.freshest, sl.fetched = at, r.FetchedAt
	}
	sl.fresh = append(sl.fresh, sample{at, r.Value})
}

// merge moves what came for a slot into its history.
func (in *intake) merge(sl *slot) {
	fresh := ordered(sl.fresh)
	in.newest = max(in.newest, sl.freshest)
	before, had := sl.ring.last()
	c := sl.ring.merge(fresh)
	if sl.fresh = sl.fresh[:0]; cap(sl.fresh) > 64 {
		sl.fresh = nil // a backfill's scratch must not stay in memory
	}
	if sl.problem != nil {
		sl.problem = nil
		sl.sale.dirty = true
	}
	if !c.any {
		return
	}
	sl.sale.dirty = true
	if last, _ := sl.ring.last(); !had || last != before {
		sl.got = sl.fetched
		if sl.got.IsZero() {
			sl.got = in.now
		}
		sl.returns(before.at)
	}
	sl.refold = sl.refold || !c.appended
	for _, l := range sl.lines {
		if c.from < l.next*minuteNs {
			l.touch(c.from)
		}
	}
	for _, part := range sl.partOf {
		if !had || c.from <= part.folded || part.watch.fold.unknown || part.bad.fold.unknown {
			part.refold = true
		}
	}
}

// missing notes which signals were asked for and not delivered.
func (in *intake) missing() {
	for i := range in.batch.Missing {
		m := &in.batch.Missing[i]
		sl := in.slots[m.Key]
		if sl == nil || sl.source != in.source {
			in.ignore(m.Key, "is not declared for this source")
			continue
		}
		in.lost++
		if in.firstLost == nil {
			in.firstLost = &m.Problem
		}
		sl.answered = in.polls
		sl.fails(&m.Problem)
	}
}

// problem marks every signal that a failed poll neither delivered nor listed, and takes that
// mark away when the source answers again.
func (in *intake) problem() {
	failed := in.batch.Problem
	for _, sl := range in.source.slots {
		switch {
		case sl.answered == in.polls:
			sl.withSource = false
		case failed != nil:
			sl.fails(failed)
			sl.withSource = true
		case sl.withSource:
			sl.problem, sl.withSource = nil, false
			sl.sale.dirty = true
		}
	}
}

func (s *slot) fails(p *Problem) {
	if s.problem == nil || *s.problem != *p {
		s.problem = clone(p)
		s.sale.dirty = true
	}
}

// notes hands the batch's notes to the sales they are about. A failed poll brings none: what
// held before is still the last that is known.
func (in *intake) notes() {
	if in.batch.Problem != nil && len(in.batch.Notes) == 0 {
		in.general = in.source.general
		return
	}
	bySale := make(map[ID][]Note)
	for _, n := range in.batch.Notes {
		if n.Sale == "" {
			in.general = append(in.general, n)
		} else {
			bySale[n.Sale] = append(bySale[n.Sale], n)
		}
	}
	for _, s := range in.sales {
		if s.takeNotes(in.source.index, bySale[s.sale.ID]) {
			s.dirty = true
		}
	}
}

func clone(p *Problem) *Problem {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}
