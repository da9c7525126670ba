package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/rehearsal"
)

// A profile that this machine does not have is one failing source, not a cockpit that won't start.
func TestMissingCredentialsHideNoOtherSource(t *testing.T) {
	n := startNight(t, rehearsal.Options{Seed: 7, Scenario: "calm"})
	text, err := os.ReadFile(n.config)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if strings.Contains(line, "region: us-east-1") {
			lines[i] += "\n    profile: nobody-has-this"
			lines[i+3] = "" // the fixed credentials
		}
	}
	n.config = filepath.Join(t.TempDir(), "onsale.yaml")
	if err := os.WriteFile(n.config, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	r, out := n.check("--timeout", (20 * time.Second).String())
	failing := 0
	for _, s := range r.Sources {
		if s.Error == "" {
			continue
		}
		failing++
		if s.Name != "edge" || s.Class != "auth" || !strings.Contains(s.Error, "nobody-has-this") || s.Hint == "" {
			t.Errorf("source %s: %s: %s; hint %q", s.Name, s.Class, s.Error, s.Hint)
		}
	}
	if failing != 1 || out.code > exitWatch {
		t.Errorf("%d sources fail and check exits %d; edge is needed by no sale\n%s", failing, out.code, out.stderr)
	}
}
