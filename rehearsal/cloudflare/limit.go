package cloudflare

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// The limit of Cloudflare's API: requests of one user over all tokens and the dashboard. One too
// many blocks every request until a whole window has passed.
const (
	requests = 1200
	window   = 5 * time.Minute
)

type limiter struct {
	now func() time.Time

	mu      sync.Mutex
	from    time.Time // of the present window
	used    int
	blocked time.Time // until then; zero: not
}

// take counts one request, writes the limit's headers and reports whether it may pass.
func (l *limiter) take(h http.Header) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if now.Before(l.blocked) {
		headers(h, 0, l.blocked.Sub(now))
		h.Set("Retry-After", strconv.Itoa(seconds(l.blocked.Sub(now))))
		return false
	}
	if now.Sub(l.from) >= window || now.Before(l.from) {
		l.from, l.used = now, 0
	}
	l.used++
	if l.used > requests {
		l.blocked = now.Add(window)
		l.used = 0
		headers(h, 0, window)
		h.Set("Retry-After", strconv.Itoa(seconds(window)))
		return false
	}
	headers(h, requests-l.used, l.from.Add(window).Sub(now))
	return true
}

func headers(h http.Header, left int, reset time.Duration) {
	h.Set("X-Ratelimit-Limit", strconv.Itoa(requests))
	h.Set("X-Ratelimit-Remaining", strconv.Itoa(left))
	h.Set("X-Ratelimit-Reset", strconv.Itoa(seconds(reset)))
}

// seconds rounds up: a client that waits so long has waited enough.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
