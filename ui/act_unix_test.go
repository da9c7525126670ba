//go:build !windows

package ui

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"
)

// challenge waits for an armed panel in the terminal and returns the letter that it asks for.
func (s *seat) challenge() string {
	s.t.Helper()
	asks := regexp.MustCompile(`press\s+([a-z])\s+to send`)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if found := asks.FindStringSubmatch(ansi.Strip(s.screen())); found != nil {
			s.mu.Lock()
			s.out.Reset()
			s.mu.Unlock()
			return found[1]
		}
	}
	s.t.Fatalf("no panel was armed; there is %q", s.screen())
	return ""
}

// deaf lets the time go by in which an armed panel hears nothing.
func deaf() { time.Sleep(500 * time.Millisecond) }

func TestActingInARealTerminal(t *testing.T) {
	for _, c := range []struct {
		sentence string
		do       func(s *seat, letter string)
		says     string
	}{
		{"the letter sends", func(s *seat, letter string) { deaf(); s.types(letter) }, "DONE"},
		{"a wrong letter disarms", func(s *seat, letter string) { deaf(); s.types(strings.ToUpper(letter)) }, "disarmed, another key"},
		{"esc disarms", func(s *seat, _ string) { s.types("\x1b") }, "disarmed, esc"},
		{"a burst with the letter in it disarms", func(s *seat, letter string) { deaf(); s.types(letter + letter) }, "disarmed, keys came in a burst"},
		{"a bracketed paste of the letter disarms", func(s *seat, letter string) { deaf(); s.types("\x1b[200~" + letter + "\x1b[201~") }, "disarmed, text was pasted"},
		{"lost focus disarms", func(s *seat, _ string) { s.types("\x1b[O") }, "disarmed, the terminal lost focus"},
		{"a resize disarms", func(s *seat, _ string) {
			if err := pty.Setsize(s.ptmx, &pty.Winsize{Rows: 30, Cols: 100}); err != nil {
				s.t.Fatal(err)
			}
		}, "disarmed, the terminal was resized"},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			t.Parallel()
			s := takeSeat(t, "acting")
			s.reads("pause admission") // the row of keys that are on
			s.types("P")
			c.do(s, s.challenge())
			s.reads(c.says)
			s.types("q")
			if c.says != "DONE" {
				deaf() // keys right behind a disarmed panel mean nothing
				deaf()
				if strings.Contains(s.screen(), "DONE") {
					t.Error("it was sent")
				}
				s.types("q")
			}
		})
	}
}
