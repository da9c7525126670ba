package rehearsal

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// The kinds of fault that a service can have. Down refuses connections, Hang accepts and never
// answers, Error is the service's own internal failure, Garbage an answer that breaks off, Throttle
// the service's own refusal of too many requests. OK mends.
const (
	OK       = "ok"
	Down     = "down"
	Hang     = "hang"
	Error    = "error"
	Garbage  = "garbage"
	Throttle = "throttle"
)

// Kinds lists the kinds of fault.
func Kinds() []string { return []string{OK, Down, Hang, Error, Garbage, Throttle} }

// service is one listening part of the platform, which can be broken and mended while it runs.
type service struct {
	name    string
	path    string      // what follows the address in the service's URL
	addr    string      // fixed for the life of the platform, also while the service is down
	secure  *tls.Config // nil: it speaks plain HTTP
	handler http.Handler
	broken  map[string]http.Handler // how it answers with a fault of kind Error, Garbage or Throttle

	lines       spoken            // nil: it speaks HTTP
	brokenLines map[string]string // what lines says in place of every answer, by the kinds of broken

	mu     sync.Mutex
	kind   string
	change chan struct{} // closed when kind changes
	server io.Closer     // nil while down
	ended  sync.WaitGroup
}

// newService listens on a free port of the loopback interface. Nothing is answered before serve.
func newService(name string) (*service, net.Listener, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("service %s: %w", name, err)
	}
	return &service{name: name, addr: ln.Addr().String(), kind: OK, change: make(chan struct{})}, ln, nil
}

// spoken is a protocol other than HTTP.
type spoken interface {
	// Name is the scheme of its URLs.
	Name() string
	// Serve answers until ln is closed, and returns when every connection has ended. Before each answer
	// it asks what is said instead, if anything; where not even that, it cuts the connection.
	Serve(ln net.Listener, before func() (instead string, ok bool))
}

func (s *service) url() string {
	if s.lines != nil {
		return s.lines.Name() + "://" + s.addr + s.path
	}
	if s.secure != nil {
		return "https://" + s.addr + s.path
	}
	return "http://" + s.addr + s.path
}

// serve begins to answer on a listener that this service opened.
func (s *service) serve(ln net.Listener) {
	if s.lines != nil {
		s.server = ln
		s.ended.Go(func() { s.lines.Serve(ln, s.instead) })
		return
	}
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // a terminal may be showing the cockpit
	}
	s.server = server
	if s.secure != nil {
		ln = tls.NewListener(ln, s.secure)
	}
	s.ended.Go(func() { _ = server.Serve(ln) }) // ends with Close
}

// set breaks or mends the service.
func (s *service) set(kind string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if kind == s.kind {
		return nil
	}
	_, known := s.broken[kind]
	if s.lines != nil {
		_, known = s.brokenLines[kind]
	}
	if !known && kind != OK && kind != Down && kind != Hang {
		return fmt.Errorf("service %s has no fault of kind %q", s.name, kind)
	}
	switch {
	case kind == Down:
		_ = s.server.Close() // it was listening, and its connections are cut on purpose
		s.server = nil
	case s.server == nil:
		ln, err := net.Listen("tcp", s.addr)
		if err != nil {
			return fmt.Errorf("service %s can't listen on its port again: %w", s.name, err)
		}
		s.serve(ln)
	}
	s.kind = kind
	close(s.change)
	s.change = make(chan struct{})
	return nil
}

// fault returns the present kind.
func (s *service) fault() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kind
}

// stop cuts every connection and waits until the listener has ended.
func (s *service) stop() error {
	s.mu.Lock()
	var err error
	if s.server != nil {
		err = s.server.Close()
		s.server = nil
	}
	s.kind = Down
	close(s.change) // whoever hangs leaves
	s.change = make(chan struct{})
	s.mu.Unlock()
	s.ended.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// instead waits while the service hangs, and says what a protocol other than HTTP answers then: ok
// and "" is its own answer, and not ok is none, because the connection is being cut.
func (s *service) instead() (reply string, ok bool) {
	for {
		s.mu.Lock()
		kind, change := s.kind, s.change
		s.mu.Unlock()
		switch kind {
		case OK:
			return "", true
		case Hang:
			<-change
		case Down:
			return "", false
		default:
			return s.brokenLines[kind], true
		}
	}
}

// maxHeld is the largest request body that a hanging service keeps until it is mended.
const maxHeld = 16 << 20

// ServeHTTP answers as the service does in its present state.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for {
		s.mu.Lock()
		kind, change := s.kind, s.change
		s.mu.Unlock()
		switch kind {
		case OK:
			s.handler.ServeHTTP(w, r)
			return
		case Hang:
			// The server notices that a client left only once the body has been read.
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHeld))
			if err != nil {
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			select {
			case <-r.Context().Done():
				return
			case <-change:
			}
		case Down:
			panic(http.ErrAbortHandler) // the connection is being cut
		default:
			s.broken[kind].ServeHTTP(w, r)
			return
		}
	}
}
