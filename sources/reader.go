package sources

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// reader is the poller's side of one source.
type reader struct {
	source Source
	info   sale.SourceInfo
	poller *Poller
	turns  turns
	budget budget
	wake   chan struct{}

	// Owned by the goroutine that polls.
	seq      uint64
	failures int
	owed     int   // calls of reads that were not applied
	hung     *hung // a read that outlived its deadline and has not returned

	mu      sync.Mutex // guards what Nudge reads
	reading bool
	began   time.Time // when the last read began
	blocked time.Time // not before, because the source or its budget said so
}

func newReader(s Source, p *Poller) *reader {
	info := s.Info()
	if info.Every <= 0 {
		info.Every = 10 * time.Second
	}
	r := &reader{source: s, info: info, poller: p, wake: make(chan struct{}, 1)}
	r.turns = turns{every: info.Every, jitter: p.opts.Jitter, rand: p.opts.Rand}
	if b, ok := s.(Budgeted); ok {
		r.budget.calls, r.budget.window = b.Budget()
	}
	return r
}

func (r *reader) deadline() time.Duration {
	if r.poller.opts.Deadline != nil {
		if d := r.poller.opts.Deadline(r.info); d > 0 {
			return d
		}
	}
	return min(max(r.info.Every, 2*time.Second), 10*time.Second)
}

func (r *reader) run(ctx context.Context) {
	r.turns.start(time.Now())
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			select { // its turn has come: a nudge on top would be one read too many
			case <-r.wake:
			default:
			}
		case <-r.wake:
		}
		r.turn(ctx, r.deadline)
		if ctx.Err() != nil {
			return
		}
		now := time.Now()
		next := r.turns.next(r.lastBegan(), now, r.failures)
		if until := r.blockedUntil(); next.Before(until) {
			next = until
		}
		r.poller.sink.Planned(r.info.Name, next)
		timer.Reset(next.Sub(now))
	}
}

// turn is one poll, and a second one at once when the source has more. The second only adds:
// when it fails, what the first one found stays, and the next turn will tell.
func (r *reader) turn(ctx context.Context, limit func() time.Duration) {
	if !r.poll(ctx, limit(), false) || !r.more() || ctx.Err() != nil {
		return
	}
	if left := limit(); left > 0 {
		r.poll(ctx, left, true)
	}
}

func (r *reader) more() bool {
	m, ok := r.source.(Resumer)
	return ok && r.hung == nil && m.More()
}

func (r *reader) lastBegan() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.began
}

func (r *reader) blockedUntil() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.blocked
}

func (r *reader) nudge(now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := r.info.Name
	if r.reading {
		return fmt.Errorf("%s is being read now", name)
	}
	if wait := r.blocked.Sub(now); wait > 0 {
		return fmt.Errorf("%s must not be asked for another %s", name, words(wait))
	}
	if wait := r.began.Add(r.info.Every / 4).Sub(now); wait > 0 {
		return fmt.Errorf("%s was read a moment ago: again in %s", name, words(wait))
	}
	select {
	case r.wake <- struct{}{}:
		r.began = now // a second nudge before the read begins is refused too
		return nil
	default:
		return errors.New(name + " is about to be read")
	}
}

func (r *reader) enter(now time.Time) {
	r.mu.Lock()
	r.reading, r.began = true, now
	r.mu.Unlock()
}

func (r *reader) leave(blocked time.Time) {
	r.mu.Lock()
	r.reading = false
	if blocked.After(r.blocked) {
		r.blocked = blocked
	}
	r.mu.Unlock()
}

// words writes a wait for a person: to the second, never "0s".
func words(d time.Duration) string {
	if d < time.Second {
		return max(d.Round(100*time.Millisecond), 100*time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
