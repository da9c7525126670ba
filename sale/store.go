package sale

import "time"

// Store holds what is known and hands out snapshots. All methods are safe for many
// goroutines; none blocks on a reader. Nothing is sent to anyone while a lock is held:
// readers are woken by a bell of one, so a thousand changes are one ring.
type Store struct{ engine }

// Limits bound the memory of a store.
type Limits struct {
	Points int           // newest points kept per signal at full resolution; default 1,200
	Keep   time.Duration // older points are dropped; default 6 h
}

// NewStore makes a store for the declared sales and sources. The declarations must not be
// changed afterwards; Redeclare replaces them.
func NewStore(sales []*Sale, sources []SourceInfo, limits Limits, now time.Time) *Store {
	s := &Store{}
	s.init(sales, sources, limits, now)
	return s
}

// Apply takes in the outcome of one poll and judges every sale that it touches at now.
// It reports false for a batch older than one already applied, or of a source that nobody
// declared, which is dropped whole.
//
// now may fall back a little, as it does between goroutines; the store's time doesn't. A step
// back of more than a minute is followed, and everything is judged again.
func (s *Store) Apply(b Batch, now time.Time) bool { return s.apply(b, now) }

// Tick judges everything again at now: phases move, readings age. Call it about once a second.
// When nothing changed there is no news: no bell rings, and every State is the same.
func (s *Store) Tick(now time.Time) { s.tick(now) }

// Recorded takes in what the journal tells of sales: their incidents, and what was done.
func (s *Store) Recorded(logs []Log, now time.Time) { s.record(logs, now) }

// Planned tells the store when a source will be asked next, for the screen alone. It rings
// when that is news.
func (s *Store) Planned(source string, next time.Time) { s.planned(source, next) }

// Snapshot returns the newest snapshot, never nil. It takes no lock.
func (s *Store) Snapshot() *Snapshot { return s.snapshot() }

// Subscribe returns a bell that rings after a new snapshot, and a function to hang up.
func (s *Store) Subscribe() (bell <-chan struct{}, cancel func()) { return s.subscribe() }
