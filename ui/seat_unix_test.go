//go:build !windows

package ui

import (
	"bytes"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/creack/pty"
)

// seat is an operator's terminal with a cockpit on it.
type seat struct {
	t        *testing.T
	ptmx     *os.File
	tty      *os.File // kept open, so that its state can be read after the end
	before   *term.State
	cmd      *exec.Cmd
	mu       sync.Mutex
	out      bytes.Buffer
	stderr   syncBuffer
	asleep   chan struct{} // while set, nothing is read
	asked    int           // how often the terminal was asked how far it has come
	answered int           // how often it has answered
	last     []byte        // the end of what was read: half a question
	early    int           // how often of those while it was not raw
	ended    chan error
}

// patience bounds each wait of these tests. It is generous: machines may be slow.
const patience = 30 * time.Second

func takeSeat(t *testing.T, mode string, env ...string) *seat {
	t.Helper()
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(ptmx, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	before, err := term.GetState(tty.Fd())
	if err != nil {
		t.Fatal(err)
	}
	s := &seat{t: t, ptmx: ptmx, tty: tty, before: before, ended: make(chan error, 1)}
	s.cmd = exec.Command(os.Args[0], "-test.run=^$")
	s.cmd.Env = append(append(os.Environ(), "TERM=xterm-256color", "LANG=en_GB.UTF-8", "NO_COLOR=", helperVar+"="+"on "+mode), env...)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = tty, tty, &s.stderr
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
	buf := make([]byte, 4096)
	for {
		s.mu.Lock()
		asleep := s.asleep
		s.mu.Unlock()
		if asleep != nil {
			<-asleep
			continue
		}
		n, err := s.ptmx.Read(buf)
		s.mu.Lock()
		s.out.Write(buf[:n])
		s.countQuestions(buf[:n])
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// countQuestions looks for questions that end in the newest bytes; mu is held.
func (s *seat) countQuestions(p []byte) {
	p = append(s.last, p...)
	n := bytes.Count(p, []byte(linkQuestion))
	s.last = bytes.Clone(p[max(0, len(p)-len(linkQuestion)+1):])
	s.asked += n
	if n == 0 {
		return
	}
	conn, err := s.tty.SyscallConn() // whoever closes the terminal does so while this goes on
	if err != nil {
		return
	}
	_ = conn.Control(func(fd uintptr) {
		if state, err := term.GetState(fd); err == nil && *state == *s.before {
			s.early += n
		}
	})
}

func (s *seat) screen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

// reads waits until a text has come out of the terminal since the last reads.
func (s *seat) reads(text string) {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		s.mu.Lock()
		at := bytes.Index(s.out.Bytes(), []byte(text))
		if at >= 0 {
			s.out.Next(at + len(text))
		}
		s.mu.Unlock()
		if at >= 0 {
			return
		}
	}
	s.t.Fatalf("%q did not come within %s; there is %q; errors: %s", text, patience, s.screen(), s.stderr.String())
}

func (s *seat) types(keys string) {
	s.t.Helper()
	if _, err := s.ptmx.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

func (s *seat) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// exits waits for the end and returns the exit code.
func (s *seat) exits() int {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Fatalf("it is still there after %s", patience)
	}
	if status, ok := s.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		s.t.Fatalf("it was killed by %s and cleaned up nothing", status.Signal())
	}
	return s.cmd.ProcessState.ExitCode()
}

// restored checks that the last word was said and that the terminal is in the state it was in.
func (s *seat) restored() {
	s.t.Helper()
	s.reads(popTitle) // our last word
	after, err := term.GetState(s.tty.Fd())
	if err != nil {
		s.t.Fatal(err)
	}
	if *after != *s.before {
		s.t.Errorf("the terminal's state is %v, was %v", after, s.before)
	}
}
