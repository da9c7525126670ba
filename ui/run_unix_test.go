//go:build !windows

package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/creack/pty"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// The tests of this file run the whole program in a real pseudo-terminal: the test binary
// starts itself again as a cockpit with a feed that moves.
const helperVar = "ONSALE_UI_TEST_HELPER"

func TestMain(m *testing.M) {
	if os.Getenv(helperVar) != "" {
		os.Exit(helper())
	}
	os.Exit(m.Run())
}

// helper is the cockpit under test. It exits with the code that its ending asks for.
func helper() int {
	mode := os.Getenv(helperVar)
	if strings.Contains(mode, "under-a-shell") {
		return shell()
	}
	if strings.Contains(mode, "ignore-hup") {
		signal.Ignore(syscall.SIGHUP)
	}
	feed := newFeed(world(6, time.Now(), map[sale.ID]sale.Verdict{"orbit": sale.Bad}))
	guard := NewGuard()
	panics := make(chan os.Signal, 1)
	signal.Notify(panics, syscall.SIGUSR1)
	guard.Go("feeder", func() {
		tick := time.NewTicker(50 * time.Millisecond)
		for {
			select {
			case <-tick.C:
				feed.set(world(6, time.Now(), map[sale.ID]sale.Verdict{"orbit": sale.Bad}))
			case <-panics:
				panic("the feeder broke\nbadly")
			}
		}
	})
	opts := Options{Feed: feed, Guard: guard, Header: views.Header{Environment: "TEST", Operator: "mira"}, Mouse: true, MaxFPS: 30}
	if strings.Contains(mode, "panic-in-update") {
		opts.Feed = &badFeed{fakeFeed: feed}
	}
	opts.Wall = strings.Contains(mode, "wall")
	if strings.Contains(mode, "acting") {
		opts.Hands = newHands()
	}
	codes := newCodes()
	if strings.Contains(mode, "codes") {
		opts.Codes = codes
		codes.asks(firstCode)
		defer func() { fmt.Fprintln(os.Stderr, codes.told()) }()
	}
	ctx := context.Background()
	if strings.Contains(mode, "deadline") {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, 300*time.Millisecond, errors.New("time is up"))
		defer stop()
	}
	err := Run(ctx, opts)
	if err != nil {
		fmt.Fprintln(os.Stderr, "onsale:", err)
	}
	var coded interface{ ExitCode() int }
	switch {
	case errors.As(err, &coded):
		return coded.ExitCode()
	case err != nil:
		return 1
	}
	return 0
}

// badFeed breaks at the third look.
type badFeed struct {
	*fakeFeed
	looks int
}

func (b *badFeed) Snapshot() *sale.Snapshot {
	if b.looks++; b.looks > 5 {
		panic("a bad snapshot")
	}
	return b.fakeFeed.Snapshot()
}

func TestASessionOfKeysInARealTerminal(t *testing.T) {
	s := takeSeat(t, "")
	s.reads(pushTitle)
	s.reads("\x1b[?1049h")
	s.reads("TEST")
	s.types("?")
	s.reads("help")
	s.types("?") // not esc: with a key right behind it, it would be alt with that key
	s.types("2")
	s.reads("Night Comet")
	if err := pty.Setsize(s.ptmx, &pty.Winsize{Rows: 40, Cols: 120}); err != nil {
		t.Fatal(err)
	}
	s.reads("Night Comet") // the new size is drawn whole
	s.types("q")
	if code := s.exits(); code != 0 {
		t.Errorf("exit code %d: %s", code, s.stderr.String())
	}
	s.restored()
}

func TestWhatEndsASession(t *testing.T) {
	for _, c := range []struct {
		sentence string
		mode     string
		end      func(*seat)
		code     int
		says     string
	}{
		{"SIGTERM", "", func(s *seat) { s.signal(syscall.SIGTERM) }, 128 + 15, "ended by signal: terminated"},
		{"SIGINT", "", func(s *seat) { s.signal(syscall.SIGINT) }, 128 + 2, "ended by signal: interrupt"},
		{"SIGHUP", "", func(s *seat) { s.signal(syscall.SIGHUP) }, 128 + 1, "ended by signal: hangup"},
		{"SIGQUIT", "", func(s *seat) { s.signal(syscall.SIGQUIT) }, 128 + 3, "ended by signal: quit"},
		{"ctrl+c twice", "", func(s *seat) { s.types("\x03\x03") }, 0, ""},
		{"the program's own context", "deadline", func(*seat) {}, 1, "time is up"},
		{"a panic in a goroutine of ours", "", func(s *seat) { s.signal(syscall.SIGUSR1) }, 3, "panic in feeder: the feeder broke"},
		{"a panic in Update", "panic-in-update", func(*seat) {}, 3, "panic in the screen: a bad snapshot"},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			s := takeSeat(t, c.mode)
			s.reads("\x1b[?1049h")
			if c.mode == "" {
				s.reads("TEST")
			}
			c.end(s)
			if code := s.exits(); code != c.code {
				t.Errorf("exit code %d, want %d: %s", code, c.code, s.stderr.String())
			}
			if c.says != "" && !strings.Contains(s.stderr.String(), c.says) {
				t.Errorf("it says %q, want %q", s.stderr.String(), c.says)
			}
			if strings.Contains(s.stderr.String(), "goroutine ") {
				t.Errorf("a stack was spilled over the terminal: %s", s.stderr.String())
			}
			s.reads("\x1b[?1049l")
			s.restored()
		})
	}
}

func TestALostTerminalLeavesNoOrphan(t *testing.T) {
	for _, mode := range []string{"", "ignore-hup", "wall ignore-hup"} {
		t.Run("mode "+mode, func(t *testing.T) {
			s := takeSeat(t, mode)
			s.reads("TEST")
			_ = s.tty.Close()
			_ = s.ptmx.Close()
			code := s.exits()
			if ok := code == 1 && strings.Contains(s.stderr.String(), ErrTerminalLost.Error()) || mode == "" && code == 128+1; !ok { // without nohup either may come first
				t.Errorf("exit code %d: %s", code, s.stderr.String())
			}
		})
	}
}

func TestATerminalThatStopsReadingCanNotKeepTheSession(t *testing.T) {
	s := takeSeat(t, "")
	s.reads("TEST")
	asleep := make(chan struct{})
	s.mu.Lock()
	s.asleep = asleep
	s.mu.Unlock()
	for i := range 200 { // whole screens, until the terminal's buffer is full
		if err := pty.Setsize(s.ptmx, &pty.Winsize{Rows: uint16(30 + i%2), Cols: uint16(150 + i%3)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.signal(syscall.SIGTERM)
	if code := s.exits(); code != 128+15 {
		t.Errorf("exit code %d: %s", code, s.stderr.String())
	}
	s.mu.Lock()
	s.asleep = nil
	s.mu.Unlock()
	close(asleep)
	after, err := term.GetState(s.tty.Fd())
	if err != nil {
		t.Fatal(err)
	}
	if *after != *s.before {
		t.Errorf("the terminal's state is %v, was %v", after, s.before)
	}
}

func TestAfterAnEndingNoGoroutineOfTheSessionIsLeft(t *testing.T) {
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer ptmx.Close()
	defer tty.Close()
	go func() { _, _ = io.Copy(io.Discard, ptmx) }()
	guard := NewGuard()
	ended := make(chan error, 1)
	go func() {
		ended <- Run(t.Context(), Options{
			Feed: newFeed(world(2, time.Now(), nil)), Guard: guard, In: tty, Out: tty, Env: []string{"TERM=xterm-256color"}, Logs: NewLogRing(5, nil, nil),
		})
	}()
	if _, err := ptmx.WriteString("q"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	guard.Wait() // the test would time out here
}

func TestAStormOfSizesIncludingNothingIsSurvived(t *testing.T) {
	s := takeSeat(t, "")
	s.reads("TEST")
	for i := range 2000 {
		if err := pty.Setsize(s.ptmx, &pty.Winsize{Rows: uint16(i * 13 % 70), Cols: uint16(i * 29 % 210)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := pty.Setsize(s.ptmx, &pty.Winsize{Rows: 65535, Cols: 65535}); err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(s.ptmx, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	s.types("3")
	s.reads("Paper Lantern Club")
	s.types("q")
	if code := s.exits(); code != 0 {
		t.Errorf("exit code %d: %s", code, s.stderr.String())
	}
}

func TestSuspendGivesTheTerminalToTheShellAndTakesItAgain(t *testing.T) {
	s := takeSeat(t, "under-a-shell")
	s.reads("TEST")
	s.types("\x1a")
	s.reads("\x1b[?1049l")
	s.reads("[stopped]")
	s.reads("\x1b[?1049h")
	s.reads("TEST")
	s.types("q")
	if code := s.exits(); code != 0 {
		t.Errorf("exit code %d: %s", code, s.stderr.String())
	}
	s.restored()
}

func TestSuspendWithoutAShellGoesOn(t *testing.T) {
	s := takeSeat(t, "") // leads its own session: nobody could ever continue it
	s.reads("TEST")
	s.types("\x1a")
	s.reads("\x1b[?1049l")
	s.reads("\x1b[?1049h")
	s.reads("TEST")
	s.types("q")
	if code := s.exits(); code != 0 {
		t.Errorf("exit code %d: %s", code, s.stderr.String())
	}
}

// shell runs the cockpit as a job of its own and continues it when it was stopped, as a shell
// does at fg.
func shell() int {
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), helperVar+"=on")
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Foreground: true, Ctty: 0}
	if err := child.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for {
		var ws syscall.WaitStatus
		if _, err := syscall.Wait4(child.Process.Pid, &ws, syscall.WUNTRACED, nil); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if !ws.Stopped() {
			return ws.ExitStatus()
		}
		fmt.Print("[stopped]")
		if err := syscall.Kill(-child.Process.Pid, syscall.SIGCONT); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
}

func TestWithoutATerminalRunSaysWhatToUse(t *testing.T) {
	for _, c := range []struct {
		sentence, env string
		tty           bool
		says          string
	}{
		{"a pipe", "TERM=xterm", false, "onsale check"},
		{"TERM=dumb", "TERM=dumb", true, "TERM=dumb is no terminal that a screen can be drawn on: use `onsale check`"},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			opts := Options{Feed: newFeed(world(1, time.Now(), nil)), Env: []string{c.env}}
			if c.tty {
				ptmx, tty, err := pty.Open()
				if err != nil {
					t.Fatal(err)
				}
				defer ptmx.Close()
				defer tty.Close()
				opts.In, opts.Out = tty, tty
			} else {
				r, w, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				defer w.Close()
				opts.In, opts.Out = r, w
			}
			err := Run(t.Context(), opts)
			if !errors.Is(err, ErrNoTerminal) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAnAccessibleSessionAppendsALineForEachChange(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	feed := newFeed(world(2, time.Now(), nil))
	ctx, stop := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	guard := NewGuard()
	go func() {
		ended <- Run(ctx, Options{Feed: feed, In: w, Out: w, Env: []string{"ACCESSIBLE=1", "TERM=dumb"}, Guard: guard})
	}()
	lines := make(chan string, 10)
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := r.Read(buf)
			if err != nil {
				return
			}
			for line := range strings.Lines(string(buf[:n])) {
				lines <- line
			}
		}
	}()
	for _, want := range []string{" OK harbour Velvet Harbour (live): every needed", " OK comet Night Comet (live)"} {
		if got := <-lines; !strings.Contains(got, want) || strings.Contains(got, "\x1b") {
			t.Errorf("%q, want %q", got, want)
		}
	}
	feed.set(world(2, time.Now(), map[sale.ID]sale.Verdict{"comet": sale.Bad}))
	if got, want := <-lines, " BAD comet Night Comet (live): declines 7.0 % > 5.0 %, since "; !strings.Contains(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	stop(errors.New("enough"))
	if err := <-ended; err == nil || err.Error() != "enough" {
		t.Errorf("ended with %v", err)
	}
	_ = w.Close()
	guard.Wait()
}
