package sourcetest

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// server is a loopback server whose behaviour is changed between polls. When the test ends,
// it checks that no goroutine stays.
type server struct {
	URL     string
	t       *testing.T
	addr    string
	count   atomic.Int64
	mu      sync.Mutex
	handler http.Handler
	srv     *http.Server
	done    chan struct{}
	stop    chan struct{} // closed at the end, for handlers that would never return
}

func serve(t *testing.T, h http.Handler) *server {
	t.Helper()
	before := runtime.NumGoroutine()
	s := &server{t: t, handler: h, stop: make(chan struct{})}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	s.URL = "http://" + s.addr
	s.start(ln)
	t.Cleanup(func() {
		close(s.stop)
		s.close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		if !t.Failed() {
			holdNoGoroutines(t, before)
		}
	})
	return s
}

// serveTLS is a server whose certificate nobody trusts.
func serveTLS(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func (s *server) start(ln net.Listener) {
	s.srv = &http.Server{Handler: s, ErrorLog: log.New(io.Discard, "", 0)} //nolint:gosec // some cases need a slow client
	s.done = make(chan struct{})
	go func(srv *http.Server, done chan struct{}) {
		defer close(done)
		_ = srv.Serve(ln)
	}(s.srv, s.done)
}

func (s *server) close() {
	_ = s.srv.Close()
	<-s.done
}

// reopen listens on the same address again; false when another program has taken it.
func (s *server) reopen() bool {
	ln, err := net.Listen("tcp", s.addr)
	if err != nil {
		s.t.Logf("could not listen on %s again, recovery not checked: %v", s.addr, err)
		return false
	}
	s.start(ln)
	return true
}

func (s *server) use(h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = h
}

func (s *server) requests() int64 { return s.count.Load() }

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.count.Add(1)
	s.mu.Lock()
	h := s.handler
	s.mu.Unlock()
	h.ServeHTTP(w, r)
}
