//go:build !windows

package ui

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// told says at the end of the program under test which codes it was given.
func (f *fakeCodes) told() string {
	return fmt.Sprintf("codes %q, declined %d", f.answers(), f.declines)
}

func TestACodeIsTypedInARealTerminal(t *testing.T) {
	s := takeSeat(t, "codes")
	s.reads("MFA code")
	s.reads("mfa/ines")
	s.types("27P")
	s.reads("digits only") // the key that pauses admission elsewhere
	s.types("1828\r")
	s.reads("on its way")
	time.Sleep(50 * time.Millisecond)
	s.types("q")
	if code := s.exits(); code != 0 {
		t.Errorf("exit code %d: %s", code, s.stderr.String())
	}
	if !strings.Contains(s.stderr.String(), `codes ["271828"], declined 0`) {
		t.Errorf("%s", s.stderr.String())
	}
	s.restored()
}
