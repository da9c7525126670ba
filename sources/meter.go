package sources

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Meter counts the requests that were sent under one context and keeps what the last answer
// said about itself, which the error of a client library has often lost.
type Meter struct {
	outer *Meter

	mu         sync.Mutex
	calls      int
	status     int
	kind       string
	retryAfter time.Duration
}

// Metered returns a context whose requests, through a client of NewClient, the meter counts.
// Meters nest: a request counts for all that are around it. The poller puts one around every
// Read and fills in Batch.Calls from it when the source has left it 0.
func Metered(ctx context.Context) (context.Context, *Meter) {
	m := &Meter{outer: meterIn(ctx)}
	return context.WithValue(ctx, meterKey{}, m), m
}

// Calls returns the number of requests sent so far, retries and redirects included.
func (m *Meter) Calls() int {
	if m == nil {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls
}

// Last returns the status, the content type and the Retry-After of the last answer; zero
// values when nothing answered.
func (m *Meter) Last() (status int, contentType string, retryAfter time.Duration) {
	if m == nil {
		return 0, "", 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.status, m.kind, m.retryAfter
}

func (m *Meter) count() {
	for ; m != nil; m = m.outer {
		m.mu.Lock()
		m.calls++
		m.status, m.kind, m.retryAfter = 0, "", 0
		m.mu.Unlock()
	}
}

func (m *Meter) answered(resp *http.Response) {
	wait := ParseRetryAfter(resp.Header.Get("Retry-After"), time.Now())
	for ; m != nil; m = m.outer {
		m.mu.Lock()
		m.status, m.kind, m.retryAfter = resp.StatusCode, resp.Header.Get("Content-Type"), wait
		m.mu.Unlock()
	}
}
