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

// gate stands between the program and its terminal. What is written is queued and goes out from
// a goroutine of its own, so that a terminal which stopped reading holds up nobody; and a session
// can end though a write never comes back.
type gate struct {
	out       io.Writer
	link      *link
	wake      chan struct{} // holds one ring: there is something to write, or the end has come
	room      chan struct{} // holds one ring: the queue has room again
	empty     chan struct{} // holds one ring: everything is written
	abandoned chan struct{}
	closed    chan struct{} // the goroutine has written its last byte
	once      sync.Once
	lost      chan struct{} // closed when a write said that the terminal is gone
	lostOnce  sync.Once
	lastWords atomic.Pointer[[]byte]
	mu        sync.Mutex // of the next three; never held while the terminal is written to
	queue     []byte
	ending    bool
	err       error        // of a write, until somebody was told
	began     atomic.Int64 // since when something waits to be written, ns; 0: nothing does
	moved     atomic.Int64 // when the last of it was taken, or began to wait, ns
	took      atomic.Int64 // how long it took until nothing did, ns
	bytes     atomic.Int64
	drew      func(took time.Duration) // told each time that all was taken, and how long that took; may be nil
}

const (
	// gateChunk is how much is written at once: what a slow terminal still takes after the end.
	gateChunk = 1 << 10
	// gateQueue is how much may wait. Frames are held long before; this bounds what is not a frame.
	gateQueue = 256 << 10
)

// newGate starts the gate's goroutine, which ends with shut or after abandon as soon as its
// write comes back.
func newGate(out io.Writer, g *Guard) *gate {
	t := &gate{
		out:       out,
		link:      newLink(),
		wake:      make(chan struct{}, 1),
		room:      make(chan struct{}, 1),
		empty:     make(chan struct{}, 1),
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
		default:
		}
		t.mu.Lock()
		p, ending := t.queue[:min(len(t.queue), gateChunk)], t.ending
		t.mu.Unlock()
		if len(p) > 0 {
			_, err := t.out.Write(p)
			t.wrote(len(p), err)
			continue
		}
		if ending {
			return
		}
		select {
		case <-t.abandoned:
		case <-t.wake:
		}
	}
}

// wrote takes what was written off the queue.
func (t *gate) wrote(n int, err error) {
	if terminalGone(err) {
		t.lostOnce.Do(func() { close(t.lost) })
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue = t.queue[n:]
	t.bytes.Add(int64(n))
	if n > 0 {
		t.moved.Store(time.Now().UnixNano())
	}
	if err != nil {
		t.err = err
	}
	ring(t.room)
	if len(t.queue) > 0 {
		return
	}
	t.queue = t.queue[:0]
	took := time.Now().UnixNano() - t.began.Load()
	t.took.Store(took)
	if t.drew != nil {
		t.drew(max(time.Duration(took), 0))
	}
	t.began.Store(0)
	ring(t.empty)
	if !t.busy() {
		t.link.freed()
	}
}

// sayLastWords follows up on what was cut off, which may be in the midst of a sequence: CAN ends that.
func (t *gate) sayLastWords() {
	last := t.lastWords.Load()
	if last == nil {
		return
	}
	t.mu.Lock()
	cut := len(t.queue) > 0
	t.mu.Unlock()
	if cut {
		_, _ = t.out.Write([]byte{ansi.CAN})
	}
	_, _ = t.out.Write(*last)
}

// Write queues p. It waits only when the terminal has not taken much more than a screen, until
// there is room or the gate is abandoned. An error is that of an earlier write.
func (t *gate) Write(p []byte) (int, error) {
	for {
		select {
		case <-t.abandoned:
			return 0, errAbandoned
		default:
		}
		t.mu.Lock()
		if err := t.err; err != nil {
			t.err = nil
			t.mu.Unlock()
			return 0, err
		}
		if len(t.queue) < gateQueue {
			break
		}
		t.mu.Unlock()
		select {
		case <-t.abandoned:
		case <-t.room:
		}
	}
	defer t.mu.Unlock()
	if len(p) > 0 {
		now := time.Now()
		t.put(now, string(p))
		if t.link.wrote(now) {
			t.put(now, linkQuestion)
		}
	}
	if len(t.queue) < gateQueue {
		ring(t.room) // for another writer
	}
	return len(p), nil
}

// put appends to the queue; mu is held.
func (t *gate) put(now time.Time, s string) {
	if len(t.queue) == 0 {
		t.moved.Store(now.UnixNano())
		t.began.Store(now.UnixNano())
	}
	t.queue = append(t.queue, s...)
	ring(t.wake)
}

// ask queues a question alone, if one is due.
func (t *gate) ask() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := time.Now(); t.link.open.Load() == 0 && t.link.wrote(now) {
		t.put(now, linkQuestion)
	}
}

// begin starts to ask the terminal how far it has come. It must be raw by then, or it shows its answers.
func (t *gate) begin() {
	t.link.begin()
	t.ask()
}

// hear takes in an answer of the terminal and reports whether it was to a question of ours.
func (t *gate) hear() bool {
	ours, again := t.link.answered(time.Now())
	if again {
		t.ask()
	}
	return ours
}

// holds reports whether the next frame has to wait: the terminal has not taken the last one, or
// has not answered for it. Whoever was told so hears the link's bell when it need not any more.
func (t *gate) holds() bool {
	if !t.busy() {
		return false
	}
	t.link.refused.Store(true)
	return t.busy() // an answer in between did not ring
}

func (t *gate) busy() bool {
	return t.began.Load() != 0 || t.link.holds(time.Now())
}

// settle returns when everything is written, at the latest after d.
func (t *gate) settle(d time.Duration) {
	limit := time.NewTimer(d)
	defer limit.Stop()
	for t.began.Load() != 0 {
		select {
		case <-t.empty:
		case <-limit.C:
			return
		}
	}
}

// abandon makes every write return at once. When the stuck write comes back after all, the
// terminal still gets the last words.
func (t *gate) abandon(lastWords string) {
	last := []byte(lastWords)
	t.lastWords.Store(&last)
	t.once.Do(func() { close(t.abandoned) })
}

// shut ends a gate that nobody writes to any more, once everything is written.
func (t *gate) shut() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ending = true
	ring(t.wake)
}

// waiting is how long what is to be written has not come on by a byte; 0: nothing waits.
func (t *gate) waiting() time.Duration {
	if t.began.Load() == 0 {
		return 0
	}
	return max(time.Since(time.Unix(0, t.moved.Load())), 0)
}

// lag is how long the terminal takes to accept what is written and, where it answers, to draw
// it; what is under way included.
func (t *gate) lag() time.Duration {
	now := time.Now()
	taken := time.Duration(t.took.Load())
	if began := t.began.Load(); began > 0 {
		taken = time.Duration(now.UnixNano() - began)
	}
	return max(taken, t.link.lag(now), 0)
}

// keyboard is the input with one addition: it notices when the terminal is gone. Bubble Tea
// alone would go on without input.
type keyboard struct {
	*os.File
	ears  *ears
	lost  func()
	reads *atomic.Uint64 // how often something was read
}

// Read reads keys.
func (k keyboard) Read(p []byte) (int, error) {
	n, err := k.ears.Read(p)
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
