package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/onsale-dev/onsale/sale"
)

// Why a session over a line ended that nobody at it wanted to end.
var (
	ErrIdle    = errors.New("no key was pressed for too long")
	ErrStalled = errors.New("the terminal stopped taking what is drawn")
)

// Size is of a terminal, in cells. It is claimed by whoever is at the other end: RunRemote clamps it.
type Size struct{ Width, Height int }

// Line is a terminal at the far end of a connection. In and Out must come back with an error once the
// connection is closed, which its owner does as soon as RunRemote has returned.
type Line struct {
	In    io.Reader
	Out   io.Writer
	Size  Size
	Sizes <-chan Size // the newest size, as often as it changes; may be nil
	// Idle is how long a session may be without a key, 0 for as long as it likes; Stalled is how long
	// one write may take, 0: 15 s. A wall is never idle.
	Idle, Stalled time.Duration
	// Key, if set, is told of each key; Drew of each time that the terminal took what was drawn, and
	// how long that took. Neither may block.
	Key  func()
	Drew func(took time.Duration)

	ends  chan error
	quiet func() time.Duration // since the last key
}

// stalledAfter is how long a terminal may take one write: far longer than any link that can be
// worked on, and short enough that what is kept for it is gone within half a minute.
const stalledAfter = 15 * time.Second

// RunRemote is Run for a terminal at the far end of a line. It takes no signal of the process and
// touches none of its files; Options.In and Out are not used, and Env is the far end's own, as far
// as it is to be believed. Besides the endings of Run there are ErrIdle and ErrStalled.
//
// A line that stopped taking bytes holds up nothing but its own session, which ends within two
// seconds of being told to; its last goroutine ends when the line is closed.
func RunRemote(ctx context.Context, opts Options, line Line) error {
	opts.Remote = true
	o, keys, err := opts.withDefaults()
	if err != nil {
		return err
	}
	line.ends = make(chan error, 1)
	if o.Wall { // nobody presses a key there
		line.Idle = 0
	}
	if line.Stalled <= 0 {
		line.Stalled = stalledAfter
	}
	if o.Accessible {
		o.Guard.Go("accessible reader", func() { readEnd(line.In, line.ends) })
		return accessible(ctx, o, rawLines{line.Out}, nil, line.ends)
	}
	if getenv(o.Env, "TERM") == "dumb" {
		return fmt.Errorf("TERM=dumb is %w that a screen can be drawn on: use check, or ACCESSIBLE=1 for lines of text", ErrNoTerminal)
	}
	s := &session{opts: o, line: &line, lost: make(chan struct{}, 1)}
	s.gate = newGate(rawLines{line.Out}, o.Guard) // the renderer counts on a terminal that does it
	s.gate.drew = line.Drew
	reads, sieve := new(atomic.Uint64), &sieve{mouse: o.Mouse, holds: s.gate.holds}
	pressed := new(atomic.Int64)
	pressed.Store(time.Now().UnixNano())
	filter := func(m tea.Model, msg tea.Msg) tea.Msg {
		switch msg.(type) {
		case tea.KeyPressMsg, tea.PasteMsg, tea.MouseClickMsg, tea.MouseWheelMsg:
			pressed.Store(time.Now().UnixNano())
			if line.Key != nil {
				line.Key()
			}
		case tea.SuspendMsg: // it would stop the server
			return nil
		}
		return sieve.filter(m, msg)
	}
	line.quiet = func() time.Duration { return time.Since(time.Unix(0, pressed.Load())) }
	o.Loud = line.warned(o.Loud)
	s.opts.Loud = o.Loud
	s.hold(newModel(o, keys, o.Guard), line.Size.Width, line.Size.Height, reads,
		wire{newEars(line.In, s.gate, o.Guard), s.terminalLost, reads}, colorprofile.Env(colourEnv(o.Env)), filter)
	return s.run(ctx)
}

// idleWarning is how long before its end an idle session is told of it, a quarter of Idle at most.
const idleWarning = time.Minute

// warned adds to what must not be missed that the session is about to end for want of a key.
func (l *Line) warned(loud func() string) func() string {
	if l.Idle <= 0 {
		return loud
	}
	return func() string {
		if left := l.Idle - l.quiet(); left <= min(idleWarning, l.Idle/4) {
			return "NO KEY FOR " + sale.FormatAge(l.quiet()) + ": THIS SESSION ENDS IN " + sale.FormatAge(max(left, 0)) + "; ANY KEY KEEPS IT"
		}
		if loud == nil {
			return ""
		}
		return loud()
	}
}

// over says why the line is over; a terminal of one's own has none.
func (l *Line) over() <-chan error {
	if l == nil {
		return nil
	}
	return l.ends
}

// rawLines ends lines as a terminal wants them. On a machine's own terminal its driver does (ONLCR);
// at the far end of a line nobody does, as a client's terminal is raw.
type rawLines struct{ io.Writer }

// Write writes lines.
func (r rawLines) Write(p []byte) (int, error) {
	if _, err := r.Writer.Write(bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// readEnd waits for ctrl+c, ctrl+d or q where nothing else is read: no terminal of this machine
// makes signals of them.
func readEnd(in io.Reader, ends chan<- error) {
	one := make([]byte, 1)
	for {
		n, err := in.Read(one)
		switch {
		case err != nil:
			ends <- ErrTerminalLost
			return
		case n > 0 && (one[0] == 3 || one[0] == 4 || one[0] == 'q'):
			ends <- nil
			return
		}
	}
}

// watchLine ends a session that nobody sits at, or that takes nothing any more.
func (s *session) watchLine(ctx context.Context) {
	l := s.line
	look := time.NewTicker(min(time.Second, l.Stalled/4))
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		switch {
		case s.gate.waiting() > l.Stalled:
			l.ends <- ErrStalled
			return
		case l.Idle > 0 && l.quiet() > l.Idle:
			l.ends <- ErrIdle
			return
		}
	}
}

// passSizes passes on sizes, at most one every 50 ms.
func (s *session) passSizes(ctx context.Context) {
	l := s.line
	rest := time.NewTimer(time.Hour)
	defer rest.Stop()
	open := l.Sizes
	for {
		select {
		case <-ctx.Done():
			return
		case <-rest.C:
			open = l.Sizes
		case size, ok := <-open:
			if !ok {
				return
			}
			s.program.Send(tea.WindowSizeMsg{Width: size.Width, Height: size.Height})
			open = nil
			rest.Reset(50 * time.Millisecond)
		}
	}
}

// wire is the keyboard of a line: any error is its end.
type wire struct {
	io.Reader
	lost  func()
	reads *atomic.Uint64
}

// Read reads keys.
func (w wire) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 {
		w.reads.Add(1)
	}
	if err != nil {
		w.lost()
	}
	return n, err
}
