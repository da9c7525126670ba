package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"
)

// The bounds of an ending, each long enough for a terminal that is only slow: first Bubble
// Tea restores the terminal itself, then with its writes cut off, then we do. lastFrame is how
// long the terminal may take for what stands before the restoring bytes.
const (
	graceful  = 800 * time.Millisecond
	cutOff    = 700 * time.Millisecond
	lastTry   = 200 * time.Millisecond
	lastFrame = 100 * time.Millisecond
)

// SignalError says that a signal ended the session; the terminal is restored.
type SignalError struct{ Signal os.Signal }

// Error names the signal.
func (e *SignalError) Error() string { return "ended by signal: " + e.Signal.String() }

// ExitCode is what a process that a signal ended exits with by convention.
func (e *SignalError) ExitCode() int {
	if s, ok := e.Signal.(syscall.Signal); ok {
		return 128 + int(s)
	}
	return 1
}

// Run shows the cockpit until the operator quits (nil), ctx ends (its cause), a signal comes
// (*SignalError), the terminal goes away (ErrTerminalLost) or a guarded goroutine panics
// (*PanicError). Without a terminal it returns ErrNoTerminal, with the words for a person.
//
// Whatever the reason, the terminal is restored and Run returns within two seconds of it.
func Run(ctx context.Context, opts Options) error {
	o, keys, err := opts.withDefaults()
	if err != nil {
		return err
	}
	if err := o.Guard.Err(); err != nil {
		return err // something broke before there was a screen
	}
	if o.Accessible {
		return runAccessible(ctx, o)
	}
	if err := checkTerminal(o); err != nil {
		return err
	}
	s, err := newSession(o, keys)
	if err != nil {
		return err
	}
	return s.run(ctx)
}

// session is one program on one terminal.
type session struct {
	opts    Options
	gate    *gate
	program *tea.Program
	before  *term.State // nil: the terminal is at the far end of line
	line    *Line       // nil: the terminal is this process's own
	lost    chan struct{}
	inner   context.Context // ends with the session
	stop    context.CancelFunc
}

func newSession(o Options, keys *keymap) (*session, error) {
	before, err := term.GetState(o.In.Fd())
	if err != nil {
		return nil, fmt.Errorf("can't read the terminal's state: %w: is the terminal still there?", err)
	}
	s := &session{opts: o, before: before, lost: make(chan struct{}, 1)}
	s.gate = newGate(o.Out, o.Guard)
	w, h, err := term.GetSize(o.Out.Fd())
	if err != nil {
		w, h = 80, 24
	}
	reads, sieve := new(atomic.Uint64), &sieve{mouse: o.Mouse, holds: s.gate.holds}
	in := keyboard{o.In, newEars(o.In, s.gate, o.Guard), s.terminalLost, reads}
	s.hold(newModel(o, keys, o.Guard), w, h, reads, in, detectProfile(o.Out, colourEnv(o.Env)), sieve.filter)
	return s, nil
}

// hold makes the program of a session.
func (s *session) hold(m *model, w, h int, reads *atomic.Uint64, in io.Reader, colours colorprofile.Profile, filter func(tea.Model, tea.Msg) tea.Msg) {
	m.lag, m.reads, m.far = s.gate.lag, reads.Load, s.gate.farEnd(s.opts.Env)
	m.ctx, s.stop = context.WithCancel(context.Background())
	s.inner = m.ctx
	m.width, m.height = clampSize(w, h)
	s.program = tea.NewProgram(m,
		tea.WithInput(in),
		tea.WithOutput(s.gate),
		tea.WithEnvironment(s.opts.Env),
		tea.WithWindowSize(m.width, m.height),
		tea.WithColorProfile(colours),
		tea.WithFilter(filter),
		tea.WithFPS(rendererFPS),
		tea.WithoutSignalHandler(),
	)
}

// rendererFPS is how often Bubble Tea looks whether there is a new frame. It bounds how late
// an answer to a key is seen, 40 ms, not how many frames are drawn: the model decides that.
// Each look costs a tenth of a millisecond; at 40 a second they were a third of a steady night.
const rendererFPS = 25

func (s *session) terminalLost() {
	select {
	case s.lost <- struct{}{}:
	default:
	}
}

func (s *session) run(ctx context.Context) error {
	signals := make(chan os.Signal, 1)
	if s.line == nil { // those of a server are not for one of its sessions
		signal.Notify(signals, endingSignals()...)
		defer signal.Stop(signals)
	}

	inner := s.inner
	defer s.stop()
	if !s.opts.NoTitle {
		_, _ = s.gate.Write([]byte(pushTitle))
	}
	ended := make(chan error, 1)
	s.opts.Guard.Go("screen", func() {
		_, err := s.program.Run()
		ended <- err
	})
	s.start(inner)

	select {
	case err := <-ended:
		return s.finish(err)
	case <-ctx.Done():
		return s.end(ended, context.Cause(ctx))
	case sig := <-signals:
		return s.end(ended, &SignalError{sig})
	case <-s.opts.Guard.Failed():
		return s.end(ended, s.opts.Guard.Err())
	case <-s.lost:
		return s.end(ended, ErrTerminalLost)
	case <-s.gate.lost:
		return s.end(ended, ErrTerminalLost)
	case why := <-s.line.over():
		return s.end(ended, why)
	}
}

// start sets the goroutines going that wake the program.
func (s *session) start(ctx context.Context) {
	p := pump{
		feed: s.opts.Feed,
		logs: s.opts.Logs,
		gap:  time.Second / time.Duration(s.opts.MaxFPS),
		send: s.program.Send,
	}
	s.opts.Guard.Go("screen pump", func() { p.run(ctx) })
	s.opts.Guard.Go("terminal link", func() { s.followLink(ctx) })
	if hands := s.opts.Hands; hands != nil {
		s.opts.Guard.Go("action news", func() { s.tellNews(ctx, hands) })
	}
	if codes := s.opts.Codes; codes != nil {
		s.opts.Guard.Go("MFA codes", func() { s.tellCodes(ctx, codes) })
	}
	if s.line != nil {
		s.opts.Guard.Go("line", func() { s.watchLine(ctx) })
		s.opts.Guard.Go("line size", func() { s.passSizes(ctx) })
		return
	}
	resized, stopNotify := notifyResize()
	s.opts.Guard.Go("screen size", func() {
		defer stopNotify()
		s.watchSize(ctx, resized)
	})
}

// tellNews wakes the program when there is news of actions, and once at the start.
func (s *session) tellNews(ctx context.Context, hands Hands) {
	bell, hangUp := hands.Subscribe()
	defer hangUp()
	for {
		s.program.Send(newsMsg{})
		select {
		case <-ctx.Done():
			return
		case <-bell:
		}
	}
}

// watchSize tells the program its size after each change, at most every 50 ms.
func (s *session) watchSize(ctx context.Context, resized <-chan os.Signal) {
	rest := time.NewTimer(time.Hour)
	defer rest.Stop()
	open := resized
	for {
		select {
		case <-ctx.Done():
			return
		case <-rest.C:
			open = resized
			continue
		case <-open:
		}
		if w, h, err := term.GetSize(s.opts.Out.Fd()); err == nil {
			s.program.Send(tea.WindowSizeMsg{Width: w, Height: h})
		}
		open = nil
		rest.Reset(50 * time.Millisecond)
	}
}

// end makes the program stop, by and by harder, and puts the terminal back.
func (s *session) end(ended <-chan error, why error) error {
	s.stop()
	s.opts.Guard.Go("screen quit", func() {
		s.gate.link.leave(leaveFor)
		s.program.Quit()
	})
	select {
	case <-ended:
		return s.finish(why)
	case <-time.After(graceful):
	}
	s.gate.abandon(restoreSequence())
	select {
	case <-ended:
	case <-time.After(cutOff):
	}
	select { // a terminal that takes bytes after all gets the restoring ones
	case <-s.gate.closed:
	case <-time.After(lastTry):
	}
	s.restore()
	return why
}

// restore puts the terminal's modes back, where they are this machine's.
func (s *session) restore() {
	if s.before != nil {
		_ = term.Restore(s.opts.In.Fd(), s.before)
	}
}

// finish is the ending of a program that stopped by itself and restored its terminal.
func (s *session) finish(why error) error {
	s.stop()
	if panicked := s.opts.Guard.Err(); panicked != nil {
		why = panicked
	}
	s.gate.link.leave(0)
	s.opts.Guard.Go("screen end", func() {
		if !s.opts.NoTitle {
			_, _ = s.gate.Write([]byte(popTitle))
		}
		s.gate.shut()
	})
	select {
	case <-s.gate.closed:
	case <-time.After(lastFrame): // what is left of a frame is of no use any more
		s.gate.abandon(restoreSequence())
		select {
		case <-s.gate.closed:
		case <-time.After(lastTry):
		}
	}
	s.restore()
	switch {
	case errors.Is(why, tea.ErrProgramPanic):
		return &PanicError{Where: "the screen", Value: why}
	case errors.Is(why, tea.ErrProgramKilled) && terminalGone(why):
		return ErrTerminalLost
	}
	return why
}
