package sale

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// alarmBook follows the alarms of one sale. It is stepped with every judgement and knows
// nothing but what it is told, so that the same readings raise the same alarms in the cockpit,
// in a replay and in a test.
type alarmBook struct {
	standing []standing
	answer   Answer // the newest acknowledgement of the sale
	shelves  map[string]Shelf
	cleared  []Cleared // newest first
}

// standing is one fault that was raised and has not cleared.
type standing struct {
	fault
	raised time.Time
	gone   time.Time // since when it is no reason any more, by our time; zero: it still is
	value  string
}

// raised is when a fault becomes an alarm: in the time of its samples, so that it doesn't
// depend on who looked when.
func (f *fault) raised() time.Time {
	return f.since.Add(max(RaiseAfter, f.rule.For))
}

// lasts reports whether a fault is proven to have lasted until its alarm is due.
func (f *fault) lasts(now time.Time) bool {
	if f.blind {
		return !now.Before(f.raised())
	}
	return f.proven && !f.until.Before(f.raised())
}

// alarmsAt takes in the faults of a judgement. It returns the alarms that stand and when time
// alone may change them.
func (s *saleEntry) alarmsAt(st *State, all []fault, now time.Time) (alarms []Alarm, due time.Time) {
	b := &s.book
	for i := range all {
		f := &all[i]
		at := slices.IndexFunc(b.standing, func(o standing) bool { return o.key == f.key })
		switch {
		case at >= 0:
			o := &b.standing[at]
			raised := o.raised
			*o = standing{fault: *f, raised: raised, value: s.alarmValue(f)}
		case f.lasts(now):
			b.standing = append(b.standing, standing{fault: *f, raised: f.raised(), value: s.alarmValue(f)})
		case f.blind:
			due = earliest(due, f.raised())
		}
	}
	for i := range b.standing {
		o := &b.standing[i]
		if !o.blind {
			o.parts = nil
			o.known = st.pointer(o.signal) // its values go on; that of the last breach stays in value
		}
		if slices.ContainsFunc(all, func(f fault) bool { return f.key == o.key }) {
			continue
		}
		if o.gone.IsZero() {
			o.gone = now
		}
	}
	alarms = s.grouped(now, &due)
	return alarms, due
}

// over reports whether a fault that is no reason any more has cleared, and when it may have by
// time alone.
func (s *saleEntry) over(o *standing, now time.Time) (cleared bool, due time.Time) {
	if o.gone.IsZero() {
		return false, time.Time{}
	}
	if sl := s.bySignal[o.signal]; !o.blind && o.derived == "" && sl != nil && (sl.watch.on || sl.bad.on) {
		// While it can't be seen nobody knows that it is over.
		return !missing(o.known) && sl.calm(o.rule.withDefaults()) >= ClearAfter, time.Time{}
	}
	end := o.gone.Add(ClearAfter)
	return !now.Before(end), end
}

// calm is for how long, up to the newest sample, every sample has been on the good side of a
// rule's clear limit, without a gap.
func (s *slot) calm(r Rule) time.Duration {
	g := gauge{on: true, rule: r, of: s.sale.bySignal[r.Of]}
	last, ok := s.ring.last()
	if !ok {
		return 0
	}
	first, next := last.at, last.at
	for i := len(s.ring.samples) - 1; i >= 0; i-- {
		p := s.ring.samples[i]
		value, known := g.compare(p)
		if !known || !r.cleared(value) || next-p.at > int64(s.gap) || time.Duration(last.at-first) >= ClearAfter {
			break
		}
		first, next = p.at, p.at
	}
	return time.Duration(last.at - first)
}

// grouped makes one alarm of each family that stands, and forgets those that are over. A family
// is over when all of it is.
func (s *saleEntry) grouped(now time.Time, due *time.Time) []Alarm {
	b := &s.book
	all := make([]fault, len(b.standing))
	for i := range b.standing {
		all[i] = b.standing[i].fault
	}
	var alarms []Alarm
	var kept []standing
	for _, fam := range families(all) {
		var members []*standing
		over, clearing := true, true
		for _, f := range fam {
			o := &b.standing[slices.IndexFunc(b.standing, func(o standing) bool { return o.key == f.key })]
			members = append(members, o)
			cleared, at := s.over(o, now)
			over, clearing = over && cleared, clearing && !o.gone.IsZero()
			*due = earliest(*due, after(at, now))
		}
		a := s.alarm(members, fam.verdict())
		a.Clearing = clearing
		if over {
			b.clear(a, now)
			continue
		}
		for _, o := range members {
			kept = append(kept, *o)
		}
		b.mark(&a, now, due)
		alarms = append(alarms, a)
	}
	b.standing = kept
	b.forget(now)
	return alarms
}

// after is a time if it is yet to come.
func after(t, now time.Time) time.Time {
	if t.After(now) {
		return t
	}
	return time.Time{}
}

func (s *saleEntry) alarm(members []*standing, v Verdict) Alarm {
	top := members[0]
	a := Alarm{
		Sale: s.sale.ID, Key: top.key, Signal: top.signal, Verdict: v, Value: top.value, Source: top.source,
		Blind: top.blind, Since: top.since, Raised: top.raised, Text: s.alarmText(top),
	}
	var names []string
	for _, o := range members[1:] {
		names = append(names, s.labelOf(o.signal))
		if o.raised.Before(a.Raised) {
			a.Raised = o.raised // a cause that came to light after its effect is no new alarm
		}
	}
	a.Folded = listed(names)
	return a
}

func (s *saleEntry) alarmText(o *standing) string {
	switch {
	case o.blind:
		return "source " + o.source + " can't be read"
	case o.derived != "":
		return o.derived
	}
	if o.blamed != "" {
		return o.blamed
	}
	if sl := s.bySignal[o.signal]; sl != nil {
		return causeWord(sl.spec)
	}
	return string(o.signal)
}

// alarmValue is the figure against its limit.
func (s *saleEntry) alarmValue(f *fault) string {
	if f.blind || f.derived != "" || f.known == nil || f.known.Breach == nil {
		return f.reason
	}
	b, unit := f.known.Breach, f.known.Spec.Unit
	if b.Rule.Of != "" {
		unit = Ratio
	}
	sign := "<"
	if b.Rule.Above {
		sign = ">"
	}
	value, limit := distinct(b.Value, b.Rule.Limit, unit, false)
	if !b.Rule.breached(b.Value) {
		return value + ", was " + sign + " " + limit
	}
	return value + " " + sign + " " + limit
}

// mark puts on an alarm what people said of it. A shelf ends by itself, and at once when the
// alarm turns bad.
func (b *alarmBook) mark(a *Alarm, now time.Time, due *time.Time) {
	if !b.answer.At.IsZero() && !a.Raised.After(b.answer.At) {
		a.Answered = b.answer
	}
	shelf, ok := b.shelves[a.Key]
	switch {
	case !ok:
	case a.Verdict == Bad || !now.Before(shelf.Until):
		delete(b.shelves, a.Key)
	default:
		a.Shelf = shelf
		*due = earliest(*due, shelf.Until)
	}
}

// mostCleared bounds the memory of a sale's alarms that are over.
const mostCleared = 50

func (b *alarmBook) clear(a Alarm, now time.Time) {
	b.mark(&a, now, &time.Time{})
	a.Shelf = Shelf{}
	delete(b.shelves, a.Key)
	b.cleared = slices.Insert(slices.Clone(b.cleared), 0, Cleared{a, now})
	b.cleared = b.cleared[:min(len(b.cleared), mostCleared)]
}

func (b *alarmBook) forget(now time.Time) {
	if n := len(b.cleared); n > 0 && now.Sub(b.cleared[n-1].At) >= ClearedFor {
		b.cleared = slices.DeleteFunc(slices.Clone(b.cleared), func(c Cleared) bool { return now.Sub(c.At) >= ClearedFor })
	}
}

// rewind forgets what was raised: time went back, and it will be raised again when its time comes.
func (b *alarmBook) rewind() { b.standing, b.cleared = nil, nil }

// Acknowledge notes that somebody looks after a sale: every alarm of it that was raised by then
// counts as answered. It changes no state but that, and calls nothing.
func (s *Store) Acknowledge(id ID, who string, at time.Time) {
	_ = s.told(id, func(e *saleEntry) error { // an unknown sale has no alarm to answer
		if at.After(e.book.answer.At) {
			e.book.answer = Answer{Clean(who, 40), at}
		}
		return nil
	})
}

// Shelve puts an alarm aside until a time, under a person's name. It refuses one that is bad,
// one that does not stand, and an end that is past or more than LongestShelf away.
func (s *Store) Shelve(id ID, key string, shelf Shelf) error {
	shelf.Who, shelf.Why = Clean(shelf.Who, 40), Clean(shelf.Why, 80)
	switch {
	case shelf.Who == "":
		return errors.New("a shelf needs a name")
	case !shelf.Until.After(shelf.At):
		return errors.New("a shelf must end, and not before it begins")
	case shelf.Until.Sub(shelf.At) > LongestShelf:
		return fmt.Errorf("a shelf lasts %s at most", duration(LongestShelf))
	}
	return s.told(id, func(e *saleEntry) error {
		i := slices.IndexFunc(e.state.Alarms, func(a Alarm) bool { return a.Key == key })
		switch {
		case i < 0:
			return errors.New("no such alarm stands")
		case e.state.Alarms[i].Verdict == Bad:
			return errors.New("a BAD alarm can't be shelved: it must be answered")
		}
		if e.book.shelves == nil {
			e.book.shelves = map[string]Shelf{}
		}
		e.book.shelves[key] = shelf
		return nil
	})
}

// Unshelve brings an alarm back before its time; nothing happens where none is shelved.
func (s *Store) Unshelve(id ID, key string) {
	_ = s.told(id, func(e *saleEntry) error {
		delete(e.book.shelves, key)
		return nil
	})
}

// told takes in what a person said about a sale, and judges it again as of the store's own time.
func (e *engine) told(id ID, take func(*saleEntry) error) error {
	e.mu.Lock()
	err := fmt.Errorf("no sale %q", Clean(string(id), 40))
	for _, s := range e.sales {
		if s.sale.ID == id {
			if err = take(s); err == nil {
				e.judge(s, e.now)
			}
		}
	}
	changed := e.publish(e.now)
	e.mu.Unlock()
	if changed {
		e.bells.ring()
	}
	return err
}
