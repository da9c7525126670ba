package sources

import "time"

// budget is a sliding window over the calls of one source. It belongs to one goroutine.
type budget struct {
	calls  int // 0: no limit
	window time.Duration
	spent  []spending
	last   int // calls of the last poll: what the next one is expected to take
}

type spending struct {
	at    time.Time
	calls int
}

// wait returns how long the next poll must wait for its calls to fit; 0 is now. A poll that
// alone needs more than the whole budget goes when the window is empty.
func (b *budget) wait(now time.Time) time.Duration {
	if b.calls <= 0 || b.window <= 0 {
		return 0
	}
	b.forget(now)
	used := 0
	for _, s := range b.spent {
		used += s.calls
	}
	need := max(b.last, 1)
	for _, s := range b.spent {
		if used+need <= b.calls {
			return 0
		}
		used -= s.calls
		if used+need <= b.calls || used == 0 {
			return s.at.Add(b.window).Sub(now)
		}
	}
	return 0
}

// used returns the calls of the window that ends now.
func (b *budget) used(now time.Time) int {
	b.forget(now)
	n := 0
	for _, s := range b.spent {
		n += s.calls
	}
	return n
}

func (b *budget) spend(now time.Time, calls int) {
	if b.calls <= 0 || calls <= 0 {
		return
	}
	b.last = calls
	b.spent = append(b.spent, spending{now, calls})
}

func (b *budget) forget(now time.Time) {
	for len(b.spent) > 0 && !b.spent[0].at.Add(b.window).After(now) {
		b.spent = b.spent[1:]
	}
}
