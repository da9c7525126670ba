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
	docs := []string{"../../README.md", "../../docs/config.md", "../../docs/templates.md", "../../docs/calendar.md"}
	for _, kind := range config.Kinds() {
		docs = append(docs, "../../docs/sources/"+kind+".md")
	}
	for _, doc := range docs {
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
	if shown < len(docs) {
		t.Errorf("only %d configs are shown on %d pages", shown, len(docs))
	}
}

func TestEveryShippedTemplateIsInTheDocumentsAndInTheList(t *testing.T) {
	text, err := os.ReadFile("../../docs/templates.md")
	if err != nil {
		t.Fatal(err)
	}
	list := runIn(t, nil, "config", "templates")
	lines := strings.Split(strings.TrimSpace(list.stdout), "\n")
	if list.code != exitOK || len(lines) != len(config.Builtins()) {
		t.Fatalf("%d lines, %s", len(lines), list.stderr)
	}
	for i, name := range config.Builtins() {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("docs/templates.md says nothing of %s", name)
		}
		if about := strings.TrimSpace(strings.TrimPrefix(lines[i], name)); !strings.HasPrefix(lines[i], name+" ") || about == "" || strings.Contains(about, "template") {
			t.Errorf("the list says %q", lines[i])
		}
	}
	one := runIn(t, nil, "config", "templates", "builtin/alb")
	if data, err := config.Builtin("builtin/alb"); err != nil || one.stdout != string(data) {
		t.Errorf("one template: %v", one)
	}
	if none := runIn(t, nil, "config", "templates", "builtin/nothing"); none.code == exitOK || !strings.Contains(none.stderr, "there is no template") {
		t.Errorf("an unknown one: %+v", none)
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
