package sale

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// engine is the writer's side of a Store. One mutex orders the writers; readers only load
// the pointer to the newest snapshot.
type engine struct {
	mu       sync.Mutex
	now      time.Time // the newest instant that anything was judged at
	limits   Limits
	sales    []*saleEntry
	sources  []*sourceEntry
	byName   map[string]*sourceEntry
	slots    map[Key]*slot
	polls    uint64  // batches taken in
	touched  []*slot // scratch of the batch in hand
	scratch  []Known // scratch of the sale in judgement
	newSales bool    // a State was replaced since the last snapshot
	newState bool    // a SourceState was, or a Login
	logins   []Login // replaced, never changed

	cur   atomic.Pointer[Snapshot]
	bells bells
}

// saleEntry is one sale on the writer's side.
type saleEntry struct {
	sale     *Sale
	slots    []*slot
	bySignal map[Signal]*slot
	tickets  *slot // the slot of tickets_left, or nil
	started  time.Time

	tail     tail
	tailBase tail     // the tail up to the first kept point
	inTail   bool     // the phase is tail
	notes    [][]Note // by source
	desk     desk     // of its incidents

	happened []Event // what was seen happen to it, newest first
	ringing  []alarm // what was noted and has not ended
	told     bool    // the timeline is behind
	timeline []Event // what was seen and what the journal tells

	assessed *assessment
	heeded   []Reason // of the notices that hold

	look look // what the outlook follows from

	book  alarmBook
	short fault     // the last shortage of hosts, while pages suffer from it
	quiet time.Time // since when nothing of it is bad or unknown; zero while something is

	state *State
	due   time.Time // when time alone may change the state; zero: never
	dirty bool      // something came that may change it
	anew  bool      // it was declared anew: its next state is another one in any case
}

// The defaults of Limits.
const (
	defaultPoints = 1200
	defaultKeep   = 6 * time.Hour
)

func (l Limits) withDefaults() Limits {
	if l.Points <= 0 {
		l.Points = defaultPoints
	}
	if l.Keep <= 0 {
		l.Keep = defaultKeep
	}
	return l
}

func (e *engine) init(sales []*Sale, sources []SourceInfo, limits Limits, now time.Time) {
	e.limits, e.now = limits.withDefaults(), now
	e.byName = make(map[string]*sourceEntry, len(sources))
	e.slots = make(map[Key]*slot)
	for _, info := range sources {
		e.addSource(info, now)
	}
	for _, s := range sales {
		e.addSale(s, now)
	}
	e.addTools()
	for _, s := range e.sales {
		e.judge(s, now)
	}
	e.publish(now)
}

// addSource is idempotent: the first declaration of a name counts.
func (e *engine) addSource(info SourceInfo, now time.Time) *sourceEntry {
	if known := e.byName[info.Name]; known != nil {
		return known
	}
	src := newSourceEntry(info, len(e.sources), now)
	e.byName[info.Name] = src
	e.sources = append(e.sources, src)
	e.newState = true
	return src
}

func (e *engine) addSale(s *Sale, now time.Time) {
	entry := &saleEntry{
		sale: s, started: now, dirty: true,
		slots:    make([]*slot, len(s.Signals)),
		bySignal: make(map[Signal]*slot, len(s.Signals)),
	}
	for i := range s.Signals {
		spec := &s.Signals[i]
		sl := &slot{spec: spec, index: i, gap: spec.Cadence.lateFor(), sale: entry}
		if spec.Constant == nil {
			// A signal of an undeclared source still gets one, so that its blindness has a name.
			sl.source = e.addSource(SourceInfo{Name: spec.Source, Cadence: spec.Cadence}, now)
			sl.source.slots = append(sl.source.slots, sl)
		}
		entry.slots[i] = sl
		if entry.bySignal[spec.Signal] == nil {
			entry.bySignal[spec.Signal] = sl
			if spec.Constant == nil {
				e.slots[Key{s.ID, spec.Signal}] = sl
			}
		}
	}
	for _, sl := range entry.slots {
		entry.connect(sl)
	}
	if sl := entry.bySignal[TicketsLeft]; sl != nil && sl.spec.Constant == nil {
		entry.tickets = sl
	}
	entry.assessed = newAssessment(entry)
	e.sales = append(e.sales, entry)
}

// connect tells the signals that a slot is measured against that it depends on them.
func (s *saleEntry) connect(sl *slot) {
	add := func(name Signal) {
		of := s.bySignal[name]
		if of != nil && of != sl && !slices.Contains(of.partOf, sl) {
			of.partOf = append(of.partOf, sl)
		}
	}
	add(sl.spec.Of)
	for _, t := range []Thresholds{sl.spec.Rules.Watch, sl.spec.Rules.Bad} {
		if t.Default != nil {
			add(t.Default.Of)
		}
		for _, r := range t.ByPhase {
			if r != nil {
				add(r.Of)
			}
		}
	}
}

func (e *engine) apply(b Batch, now time.Time) bool {
	taken, changed := e.locked(now, func(now time.Time) bool { return e.takeIn(&b, now) })
	if changed {
		e.bells.ring()
	}
	return taken
}

func (e *engine) tick(now time.Time) {
	if _, changed := e.locked(now, func(time.Time) bool { return true }); changed {
		e.bells.ring()
	}
}

func (e *engine) planned(source string, next time.Time) {
	e.mu.Lock()
	src := e.byName[source]
	changed := src != nil && !src.state.NextTry.Equal(next)
	if changed {
		src.state.NextTry = next
		e.newState = true
		e.publish(e.now)
	}
	e.mu.Unlock()
	if changed {
		e.bells.ring()
	}
}

// locked does one thing under the lock, judges what it touched and what time has changed,
// and publishes a snapshot if anything is different.
func (e *engine) locked(now time.Time, do func(now time.Time) bool) (done, changed bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now = e.clock(now)
	done = do(now)
	for _, s := range e.sales {
		if s.dirty || !s.due.IsZero() && !now.Before(s.due) {
			e.judge(s, now)
		}
	}
	for _, src := range e.sources {
		if !src.due.IsZero() && !now.Before(src.due) && src.age(now) {
			e.newState = true
		}
	}
	return done, e.publish(now)
}

// clockSlack is how far now may fall back without meaning it: a poller and the ticker each
// take the time before they wait for the lock.
const clockSlack = time.Minute

// clock keeps time from running backwards by a little. When it steps back by more, as a
// replay does that is wound back, everything is judged again at the new time.
func (e *engine) clock(now time.Time) time.Time {
	if back := e.now.Sub(now); back > 0 {
		if back <= clockSlack {
			return e.now
		}
		for _, s := range e.sales {
			s.dirty, s.quiet, s.short = true, time.Time{}, fault{}
			s.book.rewind()
			s.rewind(now)
		}
		for _, src := range e.sources {
			src.due = now
		}
	}
	e.now = now
	return now
}

// heartbeat is how far Snapshot.At may lag behind the ticks while nothing changes.
const heartbeat = 2 * time.Second

// publish makes a snapshot of what changed and shares the rest with the one before. Nothing
// changed, no news: then at most the time of the judgement is brought up to date, in a copy
// that nobody is woken for, so that a view can tell a quiet night from a store that stands.
func (e *engine) publish(now time.Time) bool {
	old := e.cur.Load()
	if old != nil && !e.newSales && !e.newState {
		if lag := now.Sub(old.At); lag >= heartbeat || lag < 0 {
			same := *old
			same.At = now
			e.cur.Store(&same)
		}
		return false
	}
	next := &Snapshot{At: now}
	if old != nil {
		*next = Snapshot{Seq: old.Seq + 1, At: now, Sales: old.Sales, Sources: old.Sources, Cleared: old.Cleared}
	}
	if old == nil || e.newSales {
		next.Sales = make([]*State, len(e.sales))
		next.Cleared = nil
		for i, s := range e.sales {
			next.Sales[i] = s.state
			next.Cleared = append(next.Cleared, s.book.cleared...)
		}
		slices.SortStableFunc(next.Cleared, func(a, b Cleared) int { return b.At.Compare(a.At) })
	}
	next.Logins = e.logins
	if old == nil || e.newState {
		next.Sources = make([]SourceState, len(e.sources))
		for i, src := range e.sources {
			next.Sources[i] = src.state
		}
	}
	e.newSales, e.newState = false, false
	e.cur.Store(next)
	return true
}

func (e *engine) snapshot() *Snapshot { return e.cur.Load() }

func (e *engine) subscribe() (<-chan struct{}, func()) { return e.bells.add() }

// bells are the subscribers. A bell is a channel of one: it rings once, however often it was
// pulled since its owner last looked.
type bells struct {
	mu   sync.Mutex
	list atomic.Pointer[[]chan struct{}] // replaced, never changed
}

func (b *bells) add() (<-chan struct{}, func()) {
	bell := make(chan struct{}, 1)
	b.replace(func(list []chan struct{}) []chan struct{} { return append(list, bell) })
	return bell, func() {
		b.replace(func(list []chan struct{}) []chan struct{} {
			return slices.DeleteFunc(list, func(c chan struct{}) bool { return c == bell })
		})
	}
}

func (b *bells) replace(change func([]chan struct{}) []chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []chan struct{}
	if old := b.list.Load(); old != nil {
		list = slices.Clone(*old)
	}
	list = change(list)
	b.list.Store(&list)
}

// ring is never called with a lock held and never waits.
func (b *bells) ring() {
	list := b.list.Load()
	if list == nil {
		return
	}
	for _, bell := range *list {
		select {
		case bell <- struct{}{}:
		default:
		}
	}
}
