package ui

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/charmbracelet/colorprofile"
)

// The question and its answer: the status report of ECMA-48 (DSR 5: "are you well?", "I am").
// A terminal answers it in its turn, after it has drawn everything that came before. No key
// sends the same bytes, and tmux answers it; of the reports of the cursor's place only one of
// both can be said (docs/decisions/0006-a-frame-when-the-last-one-was-answered.md).
const (
	linkQuestion = "\x1b[5n"
	linkAnswer   = "\x1b[0n"
)

const (
	// firstHold is how long frames are held for a terminal that has never answered yet.
	firstHold = 300 * time.Millisecond
	// firstAnswer is how long the first answer may take; then the terminal counts as one that never answers.
	firstAnswer = 2 * time.Second
	// answerWithin is how long a frame is held for an answer from a terminal that did answer.
	answerWithin = 10 * time.Second
	// probeEvery is how often a terminal that does not answer is asked again.
	probeEvery = time.Minute
	// leaveFor is how long a session that ends waits for the answer under way, which would
	// otherwise be typed into the shell.
	leaveFor = 250 * time.Millisecond
)

// answering is what is known of a terminal's answers.
type answering int32

const (
	untried answering = iota
	answers
	silent  // it has never answered
	stopped // it did answer and does no more
)

// link knows how far the terminal has come. Every byte that is written is followed by a
// question, one at a time; until its answer is there the terminal is busy with what it has.
//
// The writer calls wrote, the reader answered. The model asks holds, lag and state, which take no lock.
type link struct {
	bell chan struct{} // holds one ring: a frame may be drawn that was held, or there is a note

	mu        sync.Mutex
	on        bool
	owed      []time.Time // when the questions without an answer were asked, oldest first
	uncovered time.Time   // when the first bytes were written that no question follows; zero: none were
	idle      chan struct{}

	open    atomic.Int32 // len(owed)
	state   atomic.Int32 // an answering
	since   atomic.Int64 // when the oldest bytes were written that wait for an answer, ns; 0: none do
	until   atomic.Int64 // a frame is held until then, ns; 0: it is not
	last    atomic.Int64 // how long the newest answer took, ns
	refused atomic.Bool  // a frame was held since the last ring
	note    atomic.Pointer[string]
}

func newLink() *link {
	return &link{bell: make(chan struct{}, 1), idle: make(chan struct{}, 1)}
}

// mayBeAsked reports whether TERM names a terminal that can be expected to understand the
// question: not one without any control (dumb, unknown, none), nor one of a single colour.
func mayBeAsked(env []string) bool {
	name := getenv(env, "TERM")
	return canAsk && name != "unknown" && !strings.Contains(name, "mono") && colorprofile.Env([]string{"TERM=" + name}) > colorprofile.ASCII
}

func (l *link) answering() answering { return answering(l.state.Load()) }

// begin starts to ask. Questions of before are forgotten: what had the terminal in between may
// have taken their answers.
func (l *link) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.on, l.owed, l.uncovered = true, nil, time.Time{}
	l.open.Store(0)
	l.since.Store(0)
	l.until.Store(0)
}

// wrote notes that bytes are on their way and reports whether a question has to follow them.
func (l *link) wrote(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.on {
		return false
	}
	if len(l.owed) > 0 {
		waited := now.Sub(l.owed[len(l.owed)-1])
		switch state := l.answering(); {
		case state == untried && waited >= firstAnswer:
			l.become(silent, "the terminal does not answer: frames are not held for it, and how far it lags is unknown")
			fallthrough
		case state == untried, state == answers && waited < answerWithin, state != answers && waited < probeEvery:
			if l.uncovered.IsZero() {
				l.uncovered = now
			}
			return false
		case state == answers:
			l.become(stopped, "the terminal stopped answering: frames are not held for it, and acting keys are off until it answers")
		default: // an answer this late will not come
			l.owed = l.owed[:0]
		}
	}
	l.ask(now)
	return true
}

// ask notes a question; mu is held.
func (l *link) ask(now time.Time) {
	l.owed = append(l.owed, now)
	l.open.Store(int32(len(l.owed)))
	first := now
	if !l.uncovered.IsZero() {
		first, l.uncovered = l.uncovered, time.Time{}
	}
	state := l.answering()
	if state != stopped || l.since.Load() == 0 { // else the lag counts from where the answers stopped
		l.since.Store(first.UnixNano())
	}
	switch state {
	case untried:
		l.until.Store(now.Add(firstHold).UnixNano())
	case answers:
		l.until.Store(now.Add(answerWithin).UnixNano())
	default:
		l.until.Store(0)
	}
}

// answered takes in an answer. It is ours only when a question was open. again asks for one more
// question, behind the bytes that no question follows.
func (l *link) answered(now time.Time) (ours, again bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.owed) == 0 {
		return false, false
	}
	l.owed = l.owed[1:]
	l.open.Store(int32(len(l.owed)))
	if len(l.owed) > 0 {
		return true, false // the newest one is still open
	}
	if was := l.answering(); was == silent || was == stopped {
		l.become(answers, "the terminal answers again")
	}
	l.state.Store(int32(answers))
	l.last.Store(now.UnixNano() - l.since.Load())
	ring(l.idle)
	if l.on && !l.uncovered.IsZero() {
		return true, true
	}
	l.since.Store(0)
	l.until.Store(0)
	l.freed()
	return true, false
}

// become changes what is known of the terminal and leaves a note of it; mu is held.
func (l *link) become(s answering, note string) {
	l.state.Store(int32(s))
	l.note.Store(&note)
	ring(l.bell)
}

// freed rings when a frame was held.
func (l *link) freed() {
	if l.refused.Swap(false) {
		ring(l.bell)
	}
}

// holds reports whether an answer is waited for.
func (l *link) holds(now time.Time) bool {
	left := l.until.Load() - now.UnixNano()
	return left > 0 && left <= int64(answerWithin) // more when the clock was set back: never freeze for it
}

// lag is how long the terminal takes to draw what is written, the frame under way included; 0
// while that is unknown.
func (l *link) lag(now time.Time) time.Duration {
	state := l.answering()
	if state != answers && state != stopped {
		return 0
	}
	lag := time.Duration(l.last.Load())
	if since := l.since.Load(); since != 0 {
		under := time.Duration(now.UnixNano() - since)
		if state == stopped {
			return max(under, 0)
		}
		lag = max(lag, under)
	}
	return lag
}

// leave ends the questions. It returns when the open one is answered, at the latest after d; at
// once for a terminal that does not answer.
func (l *link) leave(d time.Duration) {
	l.mu.Lock()
	l.on = false
	wait := len(l.owed) > 0 && l.answering() == answers
	select {
	case <-l.idle:
	default:
	}
	l.mu.Unlock()
	if !wait || d <= 0 {
		return
	}
	limit := time.NewTimer(d)
	defer limit.Stop()
	select {
	case <-l.idle:
	case <-limit.C:
	}
}

// ring leaves one ring in a bell that holds no more.
func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}
