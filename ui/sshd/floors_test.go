package sshd

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

// What was found in these libraries, and mended in these versions: golang.org/x/crypto v0.55.0 for
// CVE-2026-56854 (who is let in), v0.52.0 for CVE-2026-39827 to -39835 (what one client can do to the
// server); wish v2.0.1 for CVE-2026-41589.
func TestTheLibrariesOfTheDoorAreNotOlderThanTheirAdvisories(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for module, floor := range map[string][3]int{
		"golang.org/x/crypto": {0, 55, 0}, "charm.land/wish/v2": {2, 0, 1}, "charm.land/ssh": {0, 4, 2},
	} {
		m := regexp.MustCompile(`(?m)^\s*(?:require )?` + regexp.QuoteMeta(module) + ` v(\d+)\.(\d+)\.(\d+)`).FindSubmatch(mod)
		if m == nil {
			t.Errorf("%s is not required", module)
			continue
		}
		for i, least := range floor {
			n, _ := strconv.Atoi(string(m[i+1]))
			if n < least {
				t.Errorf("%s is older than v%d.%d.%d", module, floor[0], floor[1], floor[2])
			}
			if n != least {
				break
			}
		}
	}
}
