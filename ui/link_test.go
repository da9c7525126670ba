package ui

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
)

// clockwork drives a link in a time of its own.
type clockwork struct {
	t   *testing.T
	l   *link
	now time.Time
}

func newClockwork(t *testing.T) *clockwork {
	c := &clockwork{t: t, l: newLink(), now: time.Unix(1_800_000_000, 0)}
	c.l.begin()
	return c
}

func (c *clockwork) wait(d time.Duration) { c.now = c.now.Add(d) }

// frame writes one and checks whether a question follows it and whether the next is held then.
func (c *clockwork) frame(asks, holds bool) {
	c.t.Helper()
	if got := c.l.wrote(c.now); got != asks {
		c.t.Errorf("at %s a frame was followed by a question: %v", c.now.Format("04:05.0"), got)
	}
	c.held(holds)
}

func (c *clockwork) held(holds bool) {
	c.t.Helper()
	if got := c.l.holds(c.now); got != holds {
		c.t.Errorf("at %s the next frame is held: %v", c.now.Format("04:05.0"), got)
	}
}

func (c *clockwork) answer(ours, again bool) {
	c.t.Helper()
	if o, a := c.l.answered(c.now); o != ours || a != again {
		c.t.Errorf("at %s an answer is ours %v and asks again %v", c.now.Format("04:05.0"), o, a)
	}
}

func (c *clockwork) is(state answering, lag time.Duration) {
	c.t.Helper()
	if s, l := c.l.answering(), c.l.lag(c.now); s != state || l != lag {
		c.t.Errorf("at %s the link is %d and lags %s, want %d and %s", c.now.Format("04:05.0"), s, l, state, lag)
	}
}

func TestAFrameIsHeldUntilTheLastOneWasAnsweredFor(t *testing.T) {
	c := newClockwork(t)
	c.frame(true, true)
	c.wait(200 * time.Millisecond)
	c.answer(true, false)
	c.held(false)
	c.is(answers, 200*time.Millisecond)
	c.wait(time.Second)
	c.frame(true, true)
	c.wait(6 * time.Second)
	c.held(true)
	c.is(answers, 6*time.Second) // acting keys are off by now
	c.answer(true, false)
	c.held(false)
}

func TestOneQuestionIsInFlightAndCoversWhatWasWrittenMeanwhile(t *testing.T) {
	c := newClockwork(t)
	c.frame(true, true)
	c.answer(true, false)
	c.frame(true, true)
	c.wait(time.Second)
	c.frame(false, true) // a new size, say: Bubble Tea draws it whether we will or not
	c.wait(time.Second)
	c.answer(true, true)
	c.held(true)
	if !c.l.wrote(c.now) {
		t.Error("nothing asked for the bytes in between")
	}
	c.wait(500 * time.Millisecond)
	c.answer(true, false)
	c.is(answers, 1500*time.Millisecond) // since the bytes, not since the question
}

func TestATerminalThatNeverAnswersIsPacedAsBeforeAndAskedSeldom(t *testing.T) {
	c := newClockwork(t)
	c.frame(true, true)
	c.wait(firstHold)
	c.held(false)
	c.frame(false, false)
	c.is(untried, 0)
	c.wait(firstAnswer)
	c.frame(false, false)
	c.is(silent, 0)
	asked := 0
	for range 600 {
		c.wait(time.Second)
		if c.l.wrote(c.now) {
			asked++
		}
		c.held(false)
	}
	if asked < 9 || asked > 10 {
		t.Errorf("it was asked %d times in ten minutes", asked)
	}
	c.is(silent, 0)
	if note := c.l.note.Load(); note == nil {
		t.Error("nothing was noted")
	}
}

func TestATerminalThatAnswersLateIsBelievedFromThen(t *testing.T) {
	c := newClockwork(t)
	c.frame(true, true)
	c.wait(3 * time.Second)
	c.frame(false, false)
	c.is(silent, 0)
	c.wait(time.Second)
	c.answer(true, true)
	c.is(answers, 4*time.Second)
	c.frame(true, true)
}

func TestATerminalThatStopsAnsweringIsNotWaitedForButItsLagGrows(t *testing.T) {
	c := newClockwork(t)
	c.frame(true, true)
	c.answer(true, false)
	c.frame(true, true)
	c.wait(answerWithin)
	c.held(false)
	c.frame(true, false) // asked once more
	c.is(stopped, answerWithin)
	for range 305 {
		c.wait(time.Second)
		c.l.wrote(c.now)
		c.held(false)
	}
	c.is(stopped, answerWithin+305*time.Second)
	if note := c.l.note.Load(); note == nil {
		t.Error("nothing was noted")
	}
	// It comes back: one answer of all was not lost, and the next question is in step again.
	c.answer(true, true)
	c.is(answers, answerWithin+305*time.Second)
	c.frame(true, true)
	c.wait(time.Second)
	c.answer(true, false)
	c.is(answers, 5*time.Second) // since the first bytes behind the probe
	c.frame(true, true)
	c.wait(50 * time.Millisecond)
	c.answer(true, false)
	c.is(answers, 50*time.Millisecond)
}

func TestALinkThatStoodStillAnswersInOrder(t *testing.T) {
	c := newClockwork(t)
	c.frame(true, true)
	c.answer(true, false)
	c.frame(true, true)
	c.wait(answerWithin + time.Second)
	c.frame(true, false)
	c.answer(true, false) // the first of the two
	c.is(stopped, answerWithin+time.Second)
	c.answer(true, false)
	c.is(answers, answerWithin+time.Second)
	c.held(false)
}

func TestAnswersThatNobodyAskedForChangeNothing(t *testing.T) {
	c := newClockwork(t)
	c.answer(false, false)
	c.is(untried, 0)
	c.frame(true, true)
	c.wait(time.Millisecond)
	c.answer(true, false)
	c.answer(false, false)
	c.is(answers, time.Millisecond)
}

func TestAClockThatIsSetBackFreezesNothing(t *testing.T) {
	c := newClockwork(t)
	c.frame(true, true)
	c.answer(true, false)
	c.frame(true, true)
	c.now = c.now.Add(-time.Hour)
	c.held(false)
}

func TestALinkThatIsLeftAsksNothingUntilItBeginsAgain(t *testing.T) {
	c := newClockwork(t)
	c.frame(true, true)
	c.answer(true, false)
	c.l.leave(time.Hour) // nothing is open: it returns at once
	c.frame(false, false)
	c.l.begin()
	c.frame(true, true)
	c.l.leave(0)
	c.answer(true, false) // still ours: it is no key
	c.frame(false, false)
}

func TestOnlyATerminalThatMayUnderstandIsAsked(t *testing.T) {
	for name, want := range map[string]bool{
		"xterm-256color": true, "tmux-256color": true, "screen": true, "linux": true, "vt220": true, "xterm-kitty": true,
		"dumb": false, "": false, "unknown": false, "xterm-mono": false, "linux-mono": false,
	} {
		if got := mayBeAsked([]string{"TERM=" + name, "NO_COLOR=1"}); got != want {
			t.Errorf("TERM=%q is asked: %v", name, got)
		}
	}
}

func TestWhileTheTerminalIsBusyAStormOfSizesIsOneTheNewest(t *testing.T) {
	busy := true
	s := &sieve{holds: func() bool { return busy }}
	for i := range 100 {
		if _, ok := s.filter(nil, tea.WindowSizeMsg{Width: 80 + i, Height: 24}).(heldSizeMsg); !ok {
			t.Fatal("a size passed")
		}
	}
	if _, ok := s.filter(nil, clockMsg{}).(clockMsg); !ok {
		t.Error("the clock did not pass")
	}
	busy = false
	batch, ok := s.filter(nil, linkMsg{}).(tea.BatchMsg)
	if !ok || len(batch) != 2 || batch[0]() != (tea.WindowSizeMsg{Width: 179, Height: 24}) || batch[1]() != (linkMsg{}) {
		t.Errorf("the held size did not pass: %v", batch)
	}
	if _, ok := s.filter(nil, linkMsg{}).(linkMsg); !ok {
		t.Error("it passed twice")
	}
}

func TestAHeldFrameIsDrawnFromTheNewestStateWhenTheTerminalIsFree(t *testing.T) {
	h := newHand(t, 6)
	busy := true
	h.m.far.holds = func() bool { return busy }
	before := h.paint.painted.Load()
	for range 3 {
		h.send(keyPress("right"))
		h.send(clockMsg{})
	}
	if got := h.paint.painted.Load(); got != before {
		t.Errorf("%d frames for a busy terminal", got-before)
	}
	busy = false
	h.send(linkMsg{})
	if got := h.paint.painted.Load(); got != before+1 {
		t.Errorf("%d frames, want one", got-before)
	}
	h.sees("focus " + string(h.m.ids[3]))
}

func TestANewSizeDisarmsAtOnceThoughItsFrameIsHeld(t *testing.T) {
	act(t, nil, func(a *actor) {
		a.slowly("P")
		if a.m.acting == nil {
			t.Fatal("no panel is open")
		}
		a.m.far.holds = func() bool { return true }
		a.send(heldSizeMsg{})
		if a.m.acting != nil && a.m.armedLeft() > 0 {
			t.Error("it is still armed")
		}
		a.ran(0)
	})
}

func TestTheHeaderSaysWhenTheLagIsNotKnown(t *testing.T) {
	h := newHand(t, 6)
	h.m.far.state = func() answering { return silent }
	if !h.m.header().LinkUnknown {
		t.Error("it says nothing")
	}
}

func TestTheLagThatIsShownIsSteady(t *testing.T) {
	h := newHand(t, 6)
	var shown []time.Duration
	for _, ms := range []time.Duration{40, 45, 52, 38, 70, 300, 320, 280, 500, 1200, 1300, 40} {
		h.m.lag = func() time.Duration { return ms * time.Millisecond }
		shown = append(shown, h.m.header().LinkLag/time.Millisecond)
	}
	want := []time.Duration{40, 40, 40, 40, 70, 300, 300, 300, 500, 1200, 1300, 40}
	for i := range want {
		if shown[i] != want[i] {
			t.Errorf("shown %v, want %v", shown, want)
			break
		}
	}
}

func TestAProgramStopsOnlyOnceTheTerminalIsRestored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newStuckWriter()
		guard := NewGuard()
		g := newGate(out, guard)
		close(out.stuck)
		_, _ = g.Write([]byte("the restoring bytes"))
		began := time.Now()
		go func() {
			time.Sleep(300 * time.Millisecond)
			close(out.release)
		}()
		g.settle(time.Minute)
		if took := time.Since(began); took != 300*time.Millisecond || out.String() != "the restoring bytes" {
			t.Errorf("it went on after %s with %q written", took, out.String())
		}
		g.settle(time.Minute) // nothing waits
		g.shut()
		guard.Wait()
	})
}

func TestATerminalThatNeverTakesItHoldsUpAStopForItsBoundOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newStuckWriter()
		guard := NewGuard()
		g := newGate(out, guard)
		close(out.stuck)
		_, _ = g.Write([]byte("x"))
		began := time.Now()
		g.settle(graceful)
		if took := time.Since(began); took != graceful {
			t.Errorf("it took %s", took)
		}
		g.abandon("")
		close(out.release)
		guard.Wait()
	})
}

func TestWhatWaitsForAStuckTerminalIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newStuckWriter()
		out.waiting = make(chan struct{}, 1000)
		guard := NewGuard()
		g := newGate(out, guard)
		close(out.stuck)
		var returned atomic.Int64
		for range 2 { // two writers: neither may be left behind
			go func() {
				for range 300 {
					_, _ = g.Write(make([]byte, 1<<10))
					returned.Add(1)
				}
			}()
		}
		synctest.Wait()
		if n := returned.Load(); n != gateQueue>>10 {
			t.Errorf("%d KiB wait", n)
		}
		close(out.release)
		synctest.Wait()
		if n := returned.Load(); n != 600 || len(out.String()) != 600<<10 {
			t.Errorf("%d writes, %d bytes", n, len(out.String()))
		}
		g.shut()
		guard.Wait()
	})
}

func TestWhatIsCutOffAtTheEndIsEndedBeforeTheLastWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newStuckWriter()
		guard := NewGuard()
		g := newGate(out, guard)
		close(out.stuck)
		_, _ = g.Write(bytes.Repeat([]byte("\x1b[38;5;231m"), 1000))
		<-out.waiting
		g.abandon("the last words")
		close(out.release)
		guard.Wait()
		if got := out.String(); len(got) > gateChunk+20 || !strings.HasSuffix(got, "\x18the last words") {
			t.Errorf("%d bytes, the end %q", len(got), tail(got))
		}
	})
}
