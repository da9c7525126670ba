package ui

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/sale"
)

// syncBuffer is an output that may be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// show runs the whole program in virtual time on a buffer, with its pump, and hands the test
// the means to drive it. It must be called inside a synctest bubble.
type show struct {
	*hand
	out     *syncBuffer
	program *tea.Program
	gate    *gate
	stop    context.CancelFunc
	ended   chan struct{}
	looks   int
}

func startShow(t *testing.T, n, fps int) *show {
	h := newHand(t, n, func(o *Options) { o.MaxFPS = fps })
	s := &show{hand: h, out: &syncBuffer{}, ended: make(chan struct{})}
	s.gate = newGate(s.out, h.m.guard)
	s.program = tea.NewProgram(h.m, tea.WithInput(nil), tea.WithOutput(s.gate), tea.WithWindowSize(120, 36),
		tea.WithoutSignalHandler(), tea.WithEnvironment([]string{"TERM=xterm-256color"}), tea.WithFilter((&sieve{}).filter), tea.WithFPS(rendererFPS))
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go func() {
		defer close(s.ended)
		_, _ = s.program.Run()
	}()
	p := pump{feed: h.feed, gap: time.Second / time.Duration(fps), send: func(msg tea.Msg) {
		if _, ok := msg.(lookMsg); ok {
			s.looks++
		}
		s.program.Send(msg)
	}}
	go p.run(ctx)
	synctest.Wait()
	return s
}

// frames counts the frames drawn, once the program has nothing left to do.
func (s *show) frames() int {
	synctest.Wait()
	return int(s.paint.painted.Load())
}

func (s *show) end() {
	s.stop()
	go s.program.Quit()
	<-s.ended
	s.gate.shut()
	time.Sleep(2 * time.Second) // past the longest tick that is under way
	synctest.Wait()
}

func TestAtRestOneFrameASecondIsDrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startShow(t, 6, 5)
		time.Sleep(10*time.Second + time.Millisecond)
		before := s.frames()
		time.Sleep(60 * time.Second)
		if got := s.frames() - before; got != 60 {
			t.Errorf("%d frames in a minute", got)
		}
		s.end()
	})
}

func TestNewFiguresWaitForTheNextSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startShow(t, 6, 5)
		time.Sleep(10*time.Second + time.Millisecond)
		before := s.frames()
		for range 600 { // ten readings a second for a minute
			time.Sleep(100 * time.Millisecond)
			snap := world(6, time.Now(), nil)
			s.feed.set(snap)
		}
		if got := s.frames() - before; got < 59 || got > 61 {
			t.Errorf("%d frames in a minute", got)
		}
		if s.looks > 5*71 {
			t.Errorf("%d looks in 70 s at 5 per second", s.looks)
		}
		s.end()
	})
}

func TestAVerdictIsShownAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startShow(t, 6, 5)
		time.Sleep(30*time.Second + 300*time.Millisecond)
		before := s.frames()
		s.feed.set(world(6, time.Now(), map[sale.ID]sale.Verdict{"orbit": sale.Bad}))
		time.Sleep(100 * time.Millisecond)
		if got := s.frames() - before; got != 1 {
			t.Errorf("%d frames", got)
		}
		s.end()
		if !strings.Contains(s.m.drawn.WindowTitle, "BAD orbit") {
			t.Errorf("title %q", s.m.drawn.WindowTitle)
		}
	})
}

func TestAKeyIsAnsweredAtOnceAndAHeldKeyAtABoundedRate(t *testing.T) {
	for _, fps := range []int{2, 5} {
		synctest.Test(t, func(t *testing.T) {
			s := startShow(t, 40, fps)
			time.Sleep(30*time.Second + 300*time.Millisecond)
			before := s.frames()
			s.program.Send(keyPress("right"))
			synctest.Wait()
			if got := s.frames() - before; got != 1 {
				t.Errorf("at %d frames a second one key drew %d frames at once", fps, got)
			}
			time.Sleep(2 * time.Second)
			before = s.frames()
			for i := range 301 { // ten seconds of keys at 30 a second
				time.Sleep(time.Second / 30)
				s.program.Send(keyPress([]string{"right", "left"}[i%2]))
			}
			time.Sleep(time.Second)
			got := s.frames() - before
			if got > fps*11+1 || got < fps*8 {
				t.Errorf("at %d frames a second %d frames were drawn in 11 s", fps, got)
			}
			s.end()
			if want := s.m.ids[2]; s.m.focus != want {
				t.Errorf("the focus is on %s, want %s: a key was lost", s.m.focus, want)
			}
		})
	}
}

func TestAStormOfSizesIsDrawnAtABoundedRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startShow(t, 6, 5)
		before := s.frames()
		for i := range 2000 {
			s.program.Send(tea.WindowSizeMsg{Width: i * 37 % 300, Height: i * 17 % 90})
			time.Sleep(time.Millisecond)
		}
		s.program.Send(tea.WindowSizeMsg{Width: 100, Height: 30})
		time.Sleep(2 * time.Second)
		if got := s.frames() - before; got > 25 {
			t.Errorf("%d frames in 4 s", got)
		}
		s.end()
		s.sees("size 100x30")
	})
}

// stuckWriter takes what it is given until it is stuck, as a terminal whose reader sleeps.
type stuckWriter struct {
	syncBuffer
	stuck   chan struct{} // closed: from now on nothing is taken
	release chan struct{} // closed: everything is taken again
	waiting chan struct{} // gets a value when a write is stuck
}

func newStuckWriter() *stuckWriter {
	return &stuckWriter{stuck: make(chan struct{}), release: make(chan struct{}), waiting: make(chan struct{}, 100)}
}

func (w *stuckWriter) Write(p []byte) (int, error) {
	select {
	case <-w.stuck:
		w.waiting <- struct{}{}
		<-w.release
	default:
	}
	return w.syncBuffer.Write(p)
}

// This test runs in real time, and waits for events, never for a time.
func TestAStuckTerminalHoldsUpNobodyAndTheSessionCanStillEnd(t *testing.T) {
	h := newHand(t, 6)
	out := newStuckWriter()
	g := newGate(out, h.m.guard)
	program := tea.NewProgram(h.m, tea.WithInput(nil), tea.WithOutput(g), tea.WithWindowSize(120, 36),
		tea.WithoutSignalHandler(), tea.WithEnvironment([]string{"TERM=xterm-256color"}), tea.WithFPS(rendererFPS))
	ended := make(chan struct{})
	go func() { defer close(ended); _, _ = program.Run() }()
	ctx, stop := context.WithCancel(t.Context())
	pumped := make(chan struct{})
	p := pump{feed: h.feed, gap: time.Millisecond, send: program.Send}
	go func() { defer close(pumped); p.run(ctx) }()

	program.Send(keyPress("right"))
	close(out.stuck)
	program.Send(keyPress("right"))
	<-out.waiting // a frame is stuck
	for i := range 1000 {
		h.feed.set(world(6, time.Now(), map[sale.ID]sale.Verdict{"orbit": []sale.Verdict{sale.Bad, sale.OK}[i%2]}))
	}
	if g.lag() <= 0 {
		t.Error("a write is stuck and the lag says nothing")
	}
	stop()
	go program.Quit()
	<-ended // the terminal still takes nothing
	<-pumped
	g.abandon("the last words")
	if strings.Contains(out.String(), "last words") {
		t.Error("something was written while the terminal was stuck")
	}
	close(out.release)
	h.m.guard.Wait()
	if !strings.HasSuffix(out.String(), "the last words") {
		t.Errorf("the terminal came back and was not restored: %q", tail(out.String()))
	}
}

func tail(s string) string { return s[max(0, len(s)-200):] }

func TestAtTheEndTheTerminalIsRestored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startShow(t, 6, 5)
		time.Sleep(3 * time.Second)
		s.program.Send(keyPress("q"))
		<-s.ended
		synctest.Wait() // the gate writes on its own
		for _, seq := range []string{"\x1b[?1049h", "\x1b[?1049l", "\x1b[?25h", "\x1b[?2004l"} {
			if !strings.Contains(s.out.String(), seq) {
				t.Errorf("%q was not written", seq)
			}
		}
		s.stop()
		s.gate.shut()
		time.Sleep(2 * time.Second)
	})
}

func TestThePumpWakesOnTheSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []string
		ctx, stop := context.WithCancel(context.Background())
		p := pump{feed: newFeed(world(1, time.Now(), nil)), gap: time.Second, send: func(msg tea.Msg) {
			if _, ok := msg.(clockMsg); ok {
				at = append(at, time.Now().Format("05.000"))
			}
		}}
		time.Sleep(370 * time.Millisecond)
		go p.run(ctx)
		time.Sleep(3 * time.Second)
		stop()
		synctest.Wait()
		if got := fmt.Sprint(at); got != "[01.000 02.000 03.000]" {
			t.Errorf("woke at %s", got)
		}
	})
}

// contextUntil is a context that ends when ch is closed.
func contextUntil(ch <-chan struct{}) context.Context {
	ctx, stop := context.WithCancel(context.Background())
	go func() { <-ch; stop() }()
	return ctx
}
