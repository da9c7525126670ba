package sourcetest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// fault is one way in which a system breaks, and what must hold then.
type fault struct {
	name    string
	with    func(s *server, h Harness) http.Handler
	classes []sale.Class
	limit   time.Duration // the deadline of the read; 0: patient
	wait    time.Duration // RetryAfter that the problem must carry; 0: not checked
	bounded bool          // the memory is measured
}

func (f fault) hold(t *testing.T, h Harness) {
	srv := serve(t, h.Healthy)
	src := h.New(t, srv.URL)
	srv.use(f.with(srv, h))
	limit := f.limit
	if limit == 0 {
		limit = patient
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b := read(t, h, src, limit)
	runtime.ReadMemStats(&after)
	holdFailed(t, h, b, f.classes...)
	if grown := after.TotalAlloc - before.TotalAlloc; f.bounded && grown > maxAlloc*uint64(max(b.Calls, 1)) {
		t.Errorf("reading it allocated %d MiB in %d requests, want at most %d MiB each", grown>>20, b.Calls, maxAlloc>>20)
	}
	if f.wait > 0 && b.Problem != nil && b.Problem.RetryAfter != f.wait {
		t.Errorf("RetryAfter is %s, want the system's own %s", b.Problem.RetryAfter, f.wait)
	}
	srv.use(h.Healthy)
	holdHealthySoon(t, h, src)
}

// maxAlloc is what reading one answer may allocate in all: a growing buffer and a decoder's
// share of MaxBody, several times over, yet far below what the unbounded bodies would take.
const maxAlloc = 10 * sources.MaxBody

func (h Harness) recovery() int {
	if h.Recovery > 0 {
		return h.Recovery
	}
	return 1
}

func (h Harness) classOf(status int) []sale.Class {
	if class, ok := h.Class[status]; ok {
		return []sale.Class{class}
	}
	switch {
	case status == 401 || status == 403:
		return []sale.Class{sale.Auth}
	case status == 404:
		return []sale.Class{sale.NotFound}
	case status == 429:
		return []sale.Class{sale.Throttled}
	case status >= 500:
		return []sale.Class{sale.Failing}
	}
	return []sale.Class{sale.BadData}
}

func (h Harness) faults() []fault {
	cut := []sale.Class{sale.Unreachable, sale.BadData}
	bad := []sale.Class{sale.BadData}
	list := []fault{
		{name: "a server that accepts and never answers is a timeout", with: hang, limit: brief, classes: []sale.Class{sale.Timeout}},
		{name: "a server that sends a byte now and then is a timeout", with: trickle, limit: brief, classes: []sale.Class{sale.Timeout}},
		{name: "a connection reset in the middle of the body is not an answer", with: reset, classes: cut},
		{name: "a connection closed before any answer is not an answer", with: hangUp, classes: cut},
		{name: "a body cut short is not an answer", with: truncate, classes: cut},
		{name: "a body that is half of a good one is bad data", with: half, classes: bad},
		{name: "a page of HTML with 200 is bad data", with: html, classes: bad},
		{name: "a body of 50 MB is bad data in bounded memory", with: large(50 << 20), classes: bad, bounded: true},
		{name: "an endless body is bad data in bounded memory", with: large(-1), classes: bad, bounded: true},
		{name: "a gzip bomb is bad data in bounded memory", with: bomb, classes: bad, bounded: true},
	}
	for _, status := range []int{401, 403, 404, 429, 500, 503} {
		f := fault{name: fmt.Sprintf("%d is classed with a hint", status), with: fail(status, ""), classes: h.classOf(status)}
		list = append(list, f)
	}
	list = append(list, fault{
		name: "429 with Retry-After says how long", with: fail(429, "17"), classes: h.classOf(429), wait: 17 * time.Second,
	})
	bodies := h.WrongTypes
	if !h.Binary {
		for _, text := range []string{"null", "[]", "{}", `"text"`, "17", ""} {
			if text != h.Nothing || text == "" {
				bodies = append(bodies, []byte(text))
			}
		}
	}
	for i, body := range bodies {
		name := strconv.Quote(string(body[:min(len(body), 60)]))
		list = append(list, fault{name: fmt.Sprintf("the wrong body %d %s is bad data", i+1, name), with: fixed(body), classes: bad})
	}
	return list
}

func (h Harness) head(w http.ResponseWriter) {
	for name, values := range h.Header {
		w.Header()[name] = values
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
}

// good is one healthy body.
func (h Harness) good(r *http.Request) []byte {
	if h.Good != nil {
		return h.Good
	}
	rec := httptest.NewRecorder()
	h.Healthy.ServeHTTP(rec, r)
	return rec.Body.Bytes()
}

func hang(s *server, _ Harness) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { s.wait(r) })
}

// wait returns when the client has gone or the test is over.
func (s *server) wait(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.stop:
	}
}

func trickle(s *server, h Harness) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := h.good(r)
		h.head(w)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			// Blanks are no end of any answer: the good body never gets far.
			if _, err := w.Write(body[min(i, len(body)/2) : min(i, len(body)/2)+1]); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			case <-s.stop:
				return
			}
		}
	})
}

// broken sends half of a good body under the length of a whole one, and then ends the
// connection: with RST when linger is 0.
func broken(h Harness, linger int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := h.good(r)
		h.head(w)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		drop(w, linger)
	})
}

func reset(_ *server, h Harness) http.Handler    { return broken(h, 0) }
func truncate(_ *server, h Harness) http.Handler { return broken(h, -1) }

func hangUp(_ *server, _ Harness) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { drop(w, -1) })
}

func drop(w http.ResponseWriter, linger int) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(interface{ SetLinger(int) error }); ok && linger >= 0 {
		_ = tcp.SetLinger(linger)
	}
	_ = conn.Close()
}

func half(_ *server, h Harness) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := h.good(r)
		h.head(w)
		_, _ = w.Write(body[:len(body)/2])
	})
}

func html(_ *server, _ Harness) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, "<!DOCTYPE html><title>Log in %s</title><p>Who are you?", Escape)
	})
}

func fixed(body []byte) func(*server, Harness) http.Handler {
	return func(_ *server, h Harness) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			h.head(w)
			_, _ = w.Write(body)
		})
	}
}

func large(size int) func(*server, Harness) http.Handler {
	return func(s *server, h Harness) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.head(w)
			chunk := h.filler()
			for sent := 0; size < 0 || sent < size; sent += len(chunk) {
				if _, err := w.Write(chunk); err != nil || r.Context().Err() != nil {
					return
				}
				select {
				case <-s.stop:
					return
				default:
				}
			}
		})
	}
}

// filler is what an oversized body is made of: blanks for a text wire, because a decoder that
// works as it reads would stop at the first other byte and never meet the limit.
func (h Harness) filler() []byte {
	if h.Binary {
		return bytes.Repeat([]byte{0x9f}, 64<<10)
	}
	return bytes.Repeat([]byte{' '}, 64<<10)
}

func bomb(_ *server, h Harness) http.Handler {
	member := sync.OnceValue(func() []byte {
		var packed bytes.Buffer
		zip := gzip.NewWriter(&packed)
		for range 128 {
			_, _ = zip.Write(h.filler())
		}
		_ = zip.Close()
		return packed.Bytes()
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.head(w)
		w.Header().Set("Content-Encoding", "gzip")
		for range 256 { // 2 GiB unpacked
			if _, err := w.Write(member()); err != nil || r.Context().Err() != nil {
				return
			}
		}
	})
}

func fail(status int, retryAfter string) func(*server, Harness) http.Handler {
	return func(_ *server, h Harness) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			message := "no " + Escape + " for " + Secret
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
			}
			if h.Fail != nil {
				h.Fail(w, r, status, message)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
		})
	}
}
