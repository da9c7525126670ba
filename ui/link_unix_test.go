//go:build !windows

package ui

import (
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// answers makes the seat's terminal answer, some time after it was asked and byte by byte.
func (s *seat) answers() {
	go func() {
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
			if s.unanswered() == 0 {
				continue
			}
			time.Sleep(40 * time.Millisecond)
			for i := range len(linkAnswer) {
				if _, err := s.ptmx.WriteString(linkAnswer[i : i+1]); err != nil {
					return
				}
			}
			s.mu.Lock()
			s.answered++
			s.mu.Unlock()
		}
	}()
}

func (s *seat) unanswered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked - s.answered
}

func TestARealTerminalThatAnswersLosesNoKeyAndIsLeftClean(t *testing.T) {
	s := takeSeat(t, "")
	s.answers()
	s.reads("TEST")
	for range 8 {
		s.types("?")
		s.reads("closes")
		s.types("?")
		s.reads("Lantern")
	}
	s.mu.Lock()
	asked := s.asked
	s.mu.Unlock()
	if asked < 8 {
		t.Errorf("the terminal was asked %d times", asked)
	}
	s.types("q")
	if code := s.exits(); code != 0 {
		t.Errorf("exit code %d: %s", code, s.stderr.String())
	}
	s.restored()
	for s.unanswered() > 0 {
		time.Sleep(time.Millisecond)
	}
	s.types("\n") // what the shell would read next
	buf := make([]byte, 100)
	n, err := s.tty.Read(buf)
	if got := string(buf[:n]); err != nil || strings.Contains(got, "n") || strings.Contains(got, "0") {
		t.Errorf("the shell reads %q, %v", got, err)
	}
}

func TestATerminalIsNeverAskedBeforeItIsRawNorOnceItIsGivenBack(t *testing.T) {
	s := takeSeat(t, "under-a-shell")
	s.answers()
	s.reads("TEST")
	s.types("\x1a")
	s.reads("[stopped]")
	s.reads("TEST")
	s.types("q")
	if code := s.exits(); code != 0 {
		t.Errorf("exit code %d: %s", code, s.stderr.String())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked == 0 || s.early > 0 {
		t.Errorf("it was asked %d times, %d of them while it shows what is typed", s.asked, s.early)
	}
}

func TestATerminalOfOneColourIsNotAsked(t *testing.T) {
	s := takeSeat(t, "", "TERM=xterm-mono")
	s.reads("TEST")
	if err := pty.Setsize(s.ptmx, &pty.Winsize{Rows: 40, Cols: 120}); err != nil {
		t.Fatal(err)
	}
	s.reads("Night Comet")
	s.types("q")
	s.exits()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked != 0 {
		t.Errorf("it was asked %d times", s.asked)
	}
}
