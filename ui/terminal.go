package ui

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
)

// ErrNoTerminal says that there is nothing to draw a screen on.
var ErrNoTerminal = errors.New("no terminal")

// ErrTerminalLost says that the terminal went away while the session was on.
var ErrTerminalLost = errors.New("the terminal is gone")

var errAbandoned = errors.New("the terminal does not take what is written")

// checkTerminal refuses what can't show a screen, and says what to use instead.
func checkTerminal(o Options) error {
	switch {
	case !term.IsTerminal(o.Out.Fd()):
		return fmt.Errorf("standard output is %w: use `onsale check` for text, JSON or nagios output in a pipe, a script or cron", ErrNoTerminal)
	case !term.IsTerminal(o.In.Fd()):
		return fmt.Errorf("standard input is %w, so no key could be read: start onsale from a terminal, or use `onsale check`", ErrNoTerminal)
	case getenv(o.Env, "TERM") == "dumb":
		return fmt.Errorf("TERM=dumb is %w that a screen can be drawn on: use `onsale check`, or ACCESSIBLE=1 for lines of text", ErrNoTerminal)
	}
	return nil
}

// gate stands between the program and its terminal. A terminal that stopped reading blocks a
// write for as long as it likes; the gate lets go of it, so that the program can end.
type gate struct {
	out       io.Writer
	work      chan []byte
	done      chan error
	abandoned chan struct{}
	closed    chan struct{} // the goroutine has written its last byte
	once      sync.Once
	lost      chan struct{} // closed when a write said that the terminal is gone
	lostOnce  sync.Once
	lastWords atomic.Pointer[[]byte]
	mu        sync.Mutex   // one write at a time
	began     atomic.Int64 // when the write under way began, ns; 0: none
	took      atomic.Int64 // how long the last write took, ns
	bytes     atomic.Int64
	drew      func(took time.Duration) // told of each write that was taken; may be nil
}

// newGate starts the gate's goroutine, which ends with shut or after abandon as soon as its
// write comes back.
func newGate(out io.Writer, g *Guard) *gate {
	t := &gate{
		out:       out,
		work:      make(chan []byte),
		done:      make(chan error, 1),
		abandoned: make(chan struct{}),
		closed:    make(chan struct{}),
		lost:      make(chan struct{}),
	}
	g.Go("terminal writer", t.loop)
	return t
}

func (t *gate) loop() {
	defer close(t.closed)
	for {
		select {
		case <-t.abandoned:
			t.sayLastWords()
			return
		case p, ok := <-t.work:
			if !ok {
				return
			}
			_, err := t.out.Write(p)
			if terminalGone(err) {
				t.lostOnce.Do(func() { close(t.lost) })
			}
			t.done <- err // never waits: one write at a time, room for its answer
			select {
			case <-t.abandoned:
				t.sayLastWords()
				return
			default:
			}
		}
	}
}

func (t *gate) sayLastWords() {
	if last := t.lastWords.Load(); last != nil {
		_, _ = t.out.Write(*last)
	}
}

// Write hands p to the terminal and waits until it is taken or the gate is abandoned.
func (t *gate) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	start := time.Now()
	t.began.Store(start.UnixNano())
	defer t.began.Store(0)
	own := append([]byte(nil), p...) // the writer may still hold it when the caller goes on
	select {
	case <-t.abandoned:
		return 0, errAbandoned
	default:
	}
	select {
	case <-t.abandoned:
		return 0, errAbandoned
	case t.work <- own:
	}
	select {
	case <-t.abandoned:
		return 0, errAbandoned
	case err := <-t.done:
		took := time.Since(start)
		t.took.Store(int64(took))
		if t.drew != nil {
			t.drew(took)
		}
		t.bytes.Add(int64(len(p)))
		if err != nil {
			return 0, err
		}
		return len(p), nil
	}
}

// abandon makes every write return at once. When the stuck write comes back after all, the
// terminal still gets the last words.
func (t *gate) abandon(lastWords string) {
	last := []byte(lastWords)
	t.lastWords.Store(&last)
	t.once.Do(func() { close(t.abandoned) })
}

// shut ends a gate that nobody writes to any more.
func (t *gate) shut() {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.work)
}

// waiting is how long the write under way has been waiting; 0: none is.
func (t *gate) waiting() time.Duration {
	if began := t.began.Load(); began > 0 {
		return max(time.Since(time.Unix(0, began)), 0)
	}
	return 0
}

// lag is how long the terminal takes to accept what is written, the write under way included.
func (t *gate) lag() time.Duration {
	if waits := t.waiting(); waits > 0 {
		return waits
	}
	return time.Duration(t.took.Load())
}

// keyboard is the input with one addition: it notices when the terminal is gone. Bubble Tea
// alone would go on without input.
type keyboard struct {
	*os.File
	lost  func()
	reads *atomic.Uint64 // how often something was read
}

// Read reads keys.
func (k keyboard) Read(p []byte) (int, error) {
	n, err := k.File.Read(p)
	if n > 0 {
		k.reads.Add(1)
	}
	if n == 0 && (errors.Is(err, io.EOF) || terminalGone(err)) {
		k.lost()
	}
	return n, err
}

// restoreSequence undoes everything that a session may have switched on, whatever of it was.
func restoreSequence() string {
	return ansi.ResetModeSynchronizedOutput +
		ansi.ResetModeMouseButtonEvent + ansi.ResetModeMouseAnyEvent + ansi.ResetModeMouseExtSgr +
		ansi.ResetModeFocusEvent + ansi.ResetModeBracketedPaste +
		ansi.ResetModifyOtherKeys + ansi.PopKittyKeyboard(1) + ansi.ResetModeUnicodeCore +
		ansi.ResetStyle + ansi.ResetModeAltScreenSaveCursor + ansi.SetModeTextCursorEnable +
		popTitle
}

// The window title is kept on the terminal's own stack for the time of the session (XTWINOPS
// 22 and 23); terminals without one ignore both.
const (
	pushTitle = "\x1b[22;2t"
	popTitle  = "\x1b[23;2t"
)
