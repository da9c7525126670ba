package waitingroom

import (
	"sync"
	"time"
)

// Cloudflare allows 1,200 calls in five minutes per user, over all tokens and the dashboard, and
// blocks them all for five minutes beyond it. Pollers take at most half; acting takes a quarter of
// its own and keeps the end of it for writes.
const (
	window   = 5 * time.Minute
	allCalls = 300
	reserved = 60
)

// budget counts calls and remembers for how long Cloudflare said to wait.
type budget struct {
	mu      sync.Mutex
	calls   []time.Time
	blocked time.Time
}

// take counts one call, or says for how long none may be made. Reads leave the reserve alone.
func (b *budget) take(now time.Time, write bool) (wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Before(b.blocked) {
		return b.blocked.Sub(now)
	}
	for len(b.calls) > 0 && now.Sub(b.calls[0]) >= window {
		b.calls = b.calls[1:]
	}
	most := allCalls
	if !write {
		most -= reserved
	}
	if len(b.calls) >= most {
		return window - now.Sub(b.calls[len(b.calls)-most])
	}
	b.calls = append(b.calls, now)
	return 0
}

// block remembers that Cloudflare wants no call before a time.
func (b *budget) block(until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if until.After(b.blocked) {
		b.blocked = until
	}
}
