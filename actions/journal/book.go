package journal

import (
	"errors"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// mostRecent is how many records a journal holds in memory.
const mostRecent = 4096

// book is what the journal remembers of its records.
type book struct {
	open   map[string]*Pending
	order  []string
	recent []Record // the newest, oldest first
	first  uint64   // sequence number before the oldest of recent
}

// Pending is an intent that no result has settled.
type Pending struct {
	Intent  Record
	Unknown *Record // the newest record that calls it unknown, or nil
}

func newBook() book { return book{open: map[string]*Pending{}} }

func (b *book) enter(r Record) {
	switch r.Kind {
	case Intent:
		if b.open[r.ID] == nil {
			b.open[r.ID] = &Pending{Intent: r}
			b.order = append(b.order, r.ID)
		}
	case Unknown:
		if p := b.open[r.ID]; p != nil {
			p.Unknown = &r
		}
	case Result, Refused:
		if b.open[r.ID] != nil {
			delete(b.open, r.ID)
			b.order = slices.DeleteFunc(b.order, func(id string) bool { return id == r.ID })
		}
	}
	if len(b.recent) >= 2*mostRecent {
		b.first = b.recent[mostRecent-1].Seq
		b.recent = slices.Clone(b.recent[mostRecent:])
	}
	b.recent = append(b.recent, r)
}

// last is the newest record, or an empty one.
func (b *book) last() Record {
	if len(b.recent) == 0 {
		return Record{}
	}
	return b.recent[len(b.recent)-1]
}

func (b *book) pending() []Pending {
	all := make([]Pending, 0, len(b.order))
	for _, id := range b.order {
		all = append(all, *b.open[id])
	}
	return all
}

// View is the journal as a check of AppendIf sees it: complete, and still until the append.
type View struct {
	j   *Journal
	now time.Time
}

// Pending lists the intents that are not settled, oldest first.
func (v View) Pending() []Pending { return v.j.book.pending() }

// Seq is the sequence number of the last record.
func (v View) Seq() uint64 { return v.j.at.seq }

// Since lists the records after a sequence number, oldest first. ok is false when they are too
// many to be held in memory; then it is not known what happened.
func (v View) Since(seq uint64) (records []Record, ok bool) {
	if seq < v.j.book.first {
		return nil, false
	}
	recent := v.j.book.recent
	i, _ := slices.BinarySearchFunc(recent, seq+1, func(r Record, s uint64) int {
		switch {
		case r.Seq < s:
			return -1
		case r.Seq > s:
			return 1
		}
		return 0
	})
	return recent[i:], true
}

// Age is how long ago a record was written.
func (v View) Age(r Record) time.Duration { return v.j.ageAt(r, v.now) }

// Age is how long ago a record was written: by the monotonic clock when it was written since
// this machine's last boot, else by the wall clocks, and never negative.
func (j *Journal) Age(r Record) time.Duration { return j.ageAt(r, time.Now()) }

func (j *Journal) ageAt(r Record, now time.Time) time.Duration {
	if r.Boot != "" && r.Boot == j.boot && r.Host == j.host {
		return max(time.Duration(j.monotonic(now)-r.Mono), 0)
	}
	return max(now.Sub(r.TS), 0)
}

// WriterAlive reports whether the process that wrote a record is still there: the same number,
// and begun before the record was written. It can't tell for another machine, and answers true.
func (j *Journal) WriterAlive(r Record) bool {
	switch {
	case r.Host != j.host:
		return true
	case r.Boot != j.boot:
		return false
	}
	if err := unix.Kill(r.PID, 0); err != nil && !errors.Is(err, unix.EPERM) {
		return false
	}
	began, known := processBegan(r.PID)
	return !known || !began.After(r.TS.Add(clockSlack))
}

// clockSlack is how far the wall clock may have been set between a start and a record.
const clockSlack = 100 * time.Millisecond

// Pending reads what other processes appended and lists the intents that are not settled,
// oldest first.
func (j *Journal) Pending() ([]Pending, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed != nil {
		return j.book.pending(), nil // as they were when it failed
	}
	err := j.locked(func() error { return j.settle(time.Now()) })
	return j.book.pending(), err
}

// Recent reads what other processes appended and returns the newest records, at most n and at
// most 4,096, oldest first.
func (j *Journal) Recent(n int) ([]Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var err error
	if j.failed == nil {
		err = j.locked(func() error { return j.settle(time.Now()) })
	}
	n = max(min(n, mostRecent, len(j.book.recent)), 0)
	return slices.Clone(j.book.recent[len(j.book.recent)-n:]), err
}
