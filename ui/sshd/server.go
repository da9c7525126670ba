package sshd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	libssh "charm.land/ssh"
	"charm.land/wish/v2"
	"golang.org/x/crypto/ssh"

	"github.com/onsale-dev/onsale/sale"
)

// Why the server ended a session or a connection.
var (
	ErrRemoved  = errors.New("the config does not let this key in any more")
	ErrLongest  = errors.New("the session has lasted as long as a session may")
	ErrStopping = errors.New("the server is stopping")
	ErrGone     = errors.New("the client is gone")
)

// Options are what a server is made of.
type Options struct {
	HostKey  ssh.Signer
	Register *Register
	// Screen draws for a visit with a terminal until it ends, or its context does; what it returns is
	// told to the client, nil is a good bye. Exec runs a command that the client sent in place of it
	// and returns its exit code.
	Screen func(ctx context.Context, v *Visit) error
	Exec   func(ctx context.Context, v *Visit, command string, out, errOut io.Writer) int
	Log    *slog.Logger

	MaxConnections, MaxPerAddress int           // at a time; 0: 200 and 40
	Longest                       time.Duration // of a session; 0: 12 h

	bounds *bounds // of a test; nil: as they are
}

// bounds are the patience of the server.
type bounds struct {
	login    time.Duration // until somebody has proved to hold a key
	idle     time.Duration // of a connection without a session
	alive    time.Duration // between two questions whether the client is there; unanswered for as long, it is not
	write    time.Duration // of one write to the network
	look     time.Duration // how often open sessions are held against the register
	farewell time.Duration // of sessions, when the server stops
}

var patience = bounds{login: 10 * time.Second, idle: time.Minute, alive: 10 * time.Second, write: 15 * time.Second, look: time.Second, farewell: 5 * time.Second}

// The bounds of what one client may have.
const (
	mostAttempts = 3  // keys that are offered
	mostUnproved = 60 // connections that have not proved anything yet
	mostSessions = 4  // of one connection
	socketBuffer = 64 << 10
)

// Server is the door. Make one with New.
type Server struct {
	opts   Options
	bounds bounds
	lib    *libssh.Server
	log    *slog.Logger
	quiet  quiet

	mu    sync.Mutex
	conns map[*conn]struct{}

	counts counts
}

type counts struct {
	admitted, turnedAway, refused, sessions, commands, panics atomic.Uint64
}

// Counts are what the server has seen since it began, and what there is now.
type Counts struct {
	Connections, Sessions int
	// Admitted connections, those TurnedAway for want of room, logins Refused, screens and commands
	// begun, and mistakes in the program that ended one session.
	Admitted, TurnedAway, Refused, Screens, Commands, Panics uint64
}

// New checks the options. A server that would let everybody in, or nobody, does not start.
func New(o Options) (*Server, error) {
	switch {
	case o.HostKey == nil:
		return nil, errors.New("sshd: a server needs a host key of its own")
	case o.Register == nil || !o.Register.open():
		return nil, errors.New("sshd: no public key and no certificate authority is configured: nobody could come in, and without them anybody could")
	case o.Screen == nil || o.Exec == nil:
		return nil, errors.New("sshd: nothing to show")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxConnections <= 0 {
		o.MaxConnections = 200
	}
	if o.MaxPerAddress <= 0 {
		o.MaxPerAddress = 40
	}
	if o.Longest <= 0 {
		o.Longest = 12 * time.Hour
	}
	s := &Server{opts: o, bounds: patience, log: o.Log, conns: map[*conn]struct{}{}}
	if o.bounds != nil {
		s.bounds = *o.bounds
	}
	lib, err := wish.NewServer(
		wish.WithVersion("onsale"),
		func(l *libssh.Server) error { l.AddHostKey(o.HostKey); return nil },
	)
	if err != nil {
		return nil, err
	}
	lib.HandshakeTimeout = s.bounds.login
	lib.ConnCallback = s.admit
	lib.ServerConfigCallback = s.config
	lib.ConnectionFailedCallback = s.failed
	lib.Handler = func(sess libssh.Session) { _ = sess.Exit(1) } // never reached: sessions are ours
	lib.ChannelHandlers = map[string]libssh.ChannelHandler{"session": s.session}
	lib.RequestHandlers = map[string]libssh.RequestHandler{}
	lib.SubsystemHandlers = map[string]libssh.SubsystemHandler{}
	s.lib = lib
	return s, nil
}

// Serve lets clients in by a listener until the context ends; then open sessions have five seconds to
// say good bye. It returns nil then, else why the listener broke.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	served := make(chan error, 1)
	go func() {
		defer s.caught("listener", nil)
		err := s.lib.Serve(l)
		served <- err
	}()
	look := time.NewTicker(s.bounds.look)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			s.lookAround(time.Now())
		case err := <-served:
			s.showOut(ErrStopping)
			_ = s.lib.Close()
			return fmt.Errorf("sshd: the listener broke: %w", err)
		case <-ctx.Done():
			s.showOut(ErrStopping)
			bye, cancel := context.WithTimeout(context.Background(), s.bounds.farewell)
			defer cancel()
			_ = s.lib.Shutdown(bye)
			_ = s.lib.Close()
			s.cut()
			return nil
		}
	}
}

// Counts says what there is now.
func (s *Server) Counts() Counts {
	n := Counts{
		Admitted: s.counts.admitted.Load(), TurnedAway: s.counts.turnedAway.Load(), Refused: s.counts.refused.Load(),
		Screens: s.counts.sessions.Load(), Commands: s.counts.commands.Load(), Panics: s.counts.panics.Load(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n.Connections = len(s.conns)
	for c := range s.conns {
		n.Sessions += c.open()
	}
	return n
}

// Look holds every open session against the register at once, instead of within the next second.
func (s *Server) Look() { s.lookAround(time.Now()) }

func (s *Server) each(visit func(*conn)) {
	s.mu.Lock()
	all := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		visit(c)
	}
}

func (s *Server) showOut(why error) { s.each(func(c *conn) { c.end(why, s.bounds.farewell) }) }

func (s *Server) cut() { s.each(func(c *conn) { _ = c.Close() }) }

// lookAround ends what may not go on.
func (s *Server) lookAround(now time.Time) {
	s.each(func(c *conn) {
		p, proved, began, quietSince := c.standing()
		switch {
		case !proved && now.Sub(began) > s.bounds.login+s.bounds.idle, proved && !quietSince.IsZero() && now.Sub(quietSince) > s.bounds.idle:
			_ = c.Close() // nobody asked for anything
		case proved && now.Sub(began) > s.opts.Longest:
			c.end(ErrLongest, s.bounds.farewell)
		case proved:
			if _, err := s.opts.Register.find(p, now); err != nil {
				s.log.Info("ssh session shown out", "from", c.from.String(), "why", sale.Clean(err.Error(), 160))
				c.end(ErrRemoved, s.bounds.farewell)
			}
		}
	})
}

// admit counts connections before anything is read from them.
func (s *Server) admit(ctx libssh.Context, raw net.Conn) net.Conn {
	c := newConn(s, raw)
	s.mu.Lock()
	same, unproved := 0, 0
	for other := range s.conns {
		if other.from == c.from {
			same++
		}
		if !other.proved.Load() {
			unproved++
		}
	}
	full := ""
	switch {
	case len(s.conns) >= s.opts.MaxConnections:
		full = "as many connections as there may be"
	case same >= s.opts.MaxPerAddress:
		full = "as many connections from one address as there may be"
	case unproved >= mostUnproved:
		full = "as many connections that have not logged in as there may be"
	default:
		s.conns[c] = struct{}{}
	}
	s.mu.Unlock()
	if full != "" {
		s.counts.turnedAway.Add(1)
		s.quiet.log(s.log, "ssh connection turned away", "from", c.from.String(), "why", full)
		return nil
	}
	s.counts.admitted.Add(1)
	ctx.SetValue(connKey{}, c)
	return c
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

func (s *Server) failed(c net.Conn, err error) {
	if errors.Is(err, io.EOF) {
		return // a port scan, or a health check
	}
	s.counts.refused.Add(1)
	s.quiet.log(s.log, "ssh login refused", "from", sale.Clean(c.RemoteAddr().String(), 60), "why", sale.Clean(err.Error(), 200))
}

// caught keeps a panic from taking everybody along. It is to be deferred at the top of a goroutine.
func (s *Server) caught(where string, then func()) {
	r := recover()
	if r == nil {
		return
	}
	s.counts.panics.Add(1)
	s.log.Error("internal error: one session ends, the others go on", "in", where, "why", sale.Clean(fmt.Sprint(r), 300), "stack", string(debug.Stack()))
	if then != nil {
		then()
	}
}

// quiet bounds how much of the log strangers can fill: one line a second, and how many were left out.
type quiet struct {
	mu   sync.Mutex
	last time.Time
	left int
}

func (q *quiet) log(l *slog.Logger, text string, args ...any) {
	q.mu.Lock()
	now := time.Now()
	if now.Sub(q.last) < time.Second {
		q.left++
		q.mu.Unlock()
		return
	}
	left := q.left
	q.last, q.left = now, 0
	q.mu.Unlock()
	if left > 0 {
		args = append(args, "left_out", left)
	}
	l.Info(text, args...)
}
