package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/onsale-dev/onsale/config"
)

var yamlFence = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// A reader copies what a document shows; it has to work as it stands.
func TestTheConfigsInTheDocumentsAreValid(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "prom")
	if err := os.WriteFile(secret, []byte("token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := config.SystemEnvironment()
	env.Lookup = func(name string) (string, bool) {
		if name == "CF_ZONE" {
			return "023e105f4ecef8ad9ca31a8372d0c353", true
		}
		return "value-of-" + name, true
	}
	shown := 0
	for _, doc := range []string{"../../README.md", "../../docs/config.md"} {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range yamlFence.FindAllStringSubmatch(string(text), -1) {
			shown++
			yaml := strings.ReplaceAll(m[1], "/run/secrets/prom", secret)
			if _, err := config.Parse(doc, []byte(yaml), env); err != nil {
				t.Errorf("%s: %v", doc, err)
			}
		}
	}
	if shown < 2 {
		t.Errorf("only %d configs are shown", shown)
	}
}
