package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/config"
)

var update = flag.Bool("update", false, "rewrite the files that are made from the program")

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
		if name == "ONSALE_CALENDAR" {
			return "https://calendar.example/onsales.ics", true
		}
		return "value-of-" + name, true
	}
	env.Calendar = func(*config.Source) ([]byte, error) {
		opens := time.Now().Add(time.Hour).UTC().Format("20060102T150405Z")
		return []byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:lantern@tickets.example\nSUMMARY:The Tin Orchard\nDTSTART:" + opens + "\nDESCRIPTION:room: r-17\nEND:VEVENT\nEND:VCALENDAR\n"), nil
	}
	shown := 0
	for _, doc := range []string{"../../README.md", "../../docs/config.md", "../../docs/sources/http-json.md", "../../docs/sources/redis.md", "../../docs/sources/prometheus.md", "../../docs/calendar.md"} {
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

func TestTheKeyTableOfTheDocumentsIsTheOneOfTheProgram(t *testing.T) {
	const file = "../../docs/keys.md"
	if *update {
		if err := os.WriteFile(file, []byte(keysPage()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(file)
	if err != nil || string(written) != keysPage() {
		t.Errorf("docs/keys.md is not what the program says (%v): run make golden", err)
	}
}

func TestManPagesAndCompletionsAreWrittenForEveryCommand(t *testing.T) {
	dir := t.TempDir()
	out := runIn(t, nil, "docs", "--man", dir, "--completion", dir)
	if out.code != exitOK {
		t.Fatal(out.stderr)
	}
	for _, name := range []string{"onsale.1", "onsale-check.1", "onsale-demo.1", "onsale-config-validate.1", "onsale.bash", "_onsale", "onsale.fish"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() < 200 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
