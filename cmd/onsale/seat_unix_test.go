//go:build !windows

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
	"github.com/creack/pty"

	"github.com/onsale-dev/onsale/rehearsal"
)

// patience bounds each wait of these tests. It is generous: machines may be slow.
const patience = 2 * time.Minute

// seat is the whole program in a real pseudo-terminal.
type seat struct {
	t      *testing.T
	ptmx   *os.File
	tty    *os.File
	before *term.State
	cmd    *exec.Cmd
	ended  chan error
	mu     sync.Mutex
	out    bytes.Buffer // since the last whole frame was asked for
	all    bytes.Buffer
	model  *screen // what stands on the terminal, as long as it keeps its size
}

func takeSeat(t *testing.T, rows, cols uint16, args ...string) *seat {
	t.Helper()
	return takeSeatIn(t, nil, rows, cols, args...)
}

// takeSeatIn also says what differs in the program's environment: each entry is KEY=value.
func takeSeatIn(t *testing.T, env []string, rows, cols uint16, args ...string) *seat {
	t.Helper()
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(ptmx, &pty.Winsize{Rows: rows, Cols: cols}); err != nil {
		t.Fatal(err)
	}
	before, err := term.GetState(tty.Fd())
	if err != nil {
		t.Fatal(err)
	}
	s := &seat{t: t, ptmx: ptmx, tty: tty, before: before, ended: make(chan error, 1), model: newScreen(int(cols), int(rows))}
	s.cmd = exec.Command(os.Args[0], args...)
	s.cmd.Env = append(os.Environ(), "ONSALE_TEST_MAIN=1", "TERM=xterm-256color", "LANG=C.UTF-8", "NO_COLOR=", "SSH_TTY=")
	s.cmd.Env = append(s.cmd.Env, env...)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = tty, tty, tty
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go s.read()
	go func() { s.ended <- s.cmd.Wait() }()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		_ = tty.Close()
		_ = ptmx.Close()
	})
	return s
}

func (s *seat) read() {
	buf := make([]byte, 1<<16)
	for {
		n, err := s.ptmx.Read(buf)
		s.mu.Lock()
		s.out.Write(buf[:n])
		s.all.Write(buf[:n])
		_, _ = s.model.Write(buf[:n])
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// sees asks for whole frames (ctrl+l) until one has all of the texts: what comes between two
// frames is only what changed.
func (s *seat) sees(texts ...string) {
	s.t.Helper()
	drawn := ""
	for end := time.Now().Add(patience); time.Now().Before(end); {
		s.mu.Lock()
		s.out.Reset()
		s.mu.Unlock()
		if _, err := s.ptmx.WriteString("\f"); err != nil {
			s.t.Fatal(err)
		}
		for range 20 {
			time.Sleep(25 * time.Millisecond)
			s.mu.Lock()
			drawn = ansi.Strip(s.out.String())
			s.mu.Unlock()
			if containsAll(drawn, texts) {
				return
			}
		}
	}
	s.t.Fatalf("not all of %q came within %s; the last frame is:\n%s", texts, patience, drawn)
}

func containsAll(drawn string, texts []string) bool {
	for _, text := range texts {
		if !strings.Contains(drawn, text) {
			return false
		}
	}
	return true
}

func (s *seat) types(keys string) {
	s.t.Helper()
	if _, err := s.ptmx.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
	if strings.HasSuffix(keys, "\x1b") {
		time.Sleep(300 * time.Millisecond) // what follows escape at once is one key with it, to any terminal program
	}
}

func (s *seat) exits(want int) {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Fatalf("it is still there after %s", patience)
	}
	if got := s.cmd.ProcessState.ExitCode(); got != want {
		s.t.Errorf("exit %d, want %d; it said %q", got, want, s.said())
	}
	after, err := term.GetState(s.tty.Fd())
	if err != nil {
		s.t.Fatal(err)
	}
	if *after != *s.before {
		s.t.Error("the terminal is not in the state it was in")
	}
	for end := time.Now().Add(5 * time.Second); !strings.Contains(s.said(), "\x1b[?1049l") && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond) // what it wrote last may still be on its way to us
	}
	if said := s.said(); !strings.Contains(said, "\x1b[?1049l") || strings.LastIndex(said, "\x1b[?1049h") > strings.LastIndex(said, "\x1b[?1049l") {
		s.t.Error("the alternate screen was not left")
	}
}

func (s *seat) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}

func TestTheDemoShowsSixSalesAndEveryScreen(t *testing.T) {
	t.Parallel()
	s := takeSeat(t, 50, 200, "demo")
	s.sees("6 sales", "Crna Lanterna", "Żółta Łódka", "Večernji Zvuk", "Śnieżne Echo", "Młody Wiatr", "Kobaltni Čamac",
		"WATCH", "LIVE", "OPENING", "PREQUEUE", "SCHEDULED", "TAIL", "> 80 % of")
	s.types("3")
	s.sees("admitted/min", "tickets left", "rate limit", "payment p95", "binds", "ahead", "next")
	s.types("z")
	s.sees("admitted/min")
	s.types("o")
	s.sees("prometheus", "cloudwatch", "sqs", "1,200 per 5 min", "gives, or why not")
	s.types("?")
	s.sees("palette", "find any command")
	s.types("\x1b")
	s.sees("gives, or why not")
	s.types(":")
	s.sees("─ palette ─")
	s.types("kestrel\r")
	s.sees("Żółta Łódka", "binds")
	if err := pty.Setsize(s.ptmx, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	s.sees("Żółta Łódka", "? help")
	s.types("\x1b")
	s.sees("sale", "phase", "waiting", "Crna Lanterna")
	if err := pty.Setsize(s.ptmx, &pty.Winsize{Rows: 8, Cols: 40}); err != nil {
		t.Fatal(err)
	}
	s.sees("40x8: too small, needs 60x15")
	s.types("q")
	s.exits(0)
}

func TestAKilledServiceShowsAsItselfAndNothingElseChanges(t *testing.T) {
	t.Parallel()
	n := startNight(t, rehearsal.Options{Seed: 7, Scenario: "calm"})
	s := takeSeat(t, 50, 200, "--config", n.config)
	s.sees("data " + n.allLive())
	n.fault("sqs", "down")
	s.sees("1 ERROR")
	s.types("o")
	s.sees("ERROR", "orders", "refused", "LIVE", "metrics", "gate")
	n.fault("sqs", "ok")
	s.sees(n.allLive())
	s.types("q")
	s.exits(0)
}

func TestASignalLeavesARestoredTerminalAndNothingBehind(t *testing.T) {
	t.Parallel()
	for name, sig := range map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT, "SIGHUP": syscall.SIGHUP} {
		t.Run(name, func(t *testing.T) {
			tmp := t.TempDir()
			t.Parallel()
			s := takeSeatIn(t, []string{"TMPDIR=" + tmp}, 24, 80, "demo")
			s.sees("Crna Lanterna", "LIVE")
			go func() { // one for each process of the group, and another as the shell goes
				for s.cmd.Process.Signal(sig) == nil {
					time.Sleep(time.Millisecond)
				}
			}()
			s.exits(128 + int(sig))
			if left, _ := filepath.Glob(filepath.Join(tmp, "*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestASignalWhileTheDemoStartsLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	s := takeSeatIn(t, []string{"TMPDIR=" + tmp}, 24, 80, "demo")
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if begun, _ := filepath.Glob(filepath.Join(tmp, "*")); len(begun) > 0 {
			break
		}
	}
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.exits(128 + int(syscall.SIGHUP))
	if left, _ := filepath.Glob(filepath.Join(tmp, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestThePlatformAloneServesUntilASignal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "demo", "--platform-only", "--dir", dir)
	cmd.Env = append(os.Environ(), "ONSALE_TEST_MAIN=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line := make([]byte, 6)
	if _, err := out.Read(line); err != nil || string(line) != "ready\n" {
		t.Fatalf("it says %q (%v), want ready", line, err)
	}
	check := runIn(t, map[string]string{"LANG": "C.UTF-8"}, "check", "-c", filepath.Join(dir, "onsale.yaml"))
	if check.code > exitWatch {
		t.Errorf("check exits %d: %s%s", check.code, check.stdout, check.stderr)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ends with %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
