package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onsale-dev/onsale/actions/journal"
)

func TestTheJournalIsListedVerifiedAndExported(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	j, err := journal.Open(dir, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"first", "second \x1b[2J", "third"} {
		if _, err := j.Append(t.Context(), journal.Record{Code: "NOT10N", Kind: "note", ID: text[:5], Sale: "lantern", Action: "note", Text: text, Actor: journal.Actor{Name: "ivana", Role: "operator"}}); err != nil {
			t.Fatal(err)
		}
	}
	head := j.Head().String()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	list := runIn(t, nil, "journal", "list", "--dir", dir)
	if strings.Count(list.stdout, "\n") != 3 || strings.Contains(list.stdout, "\x1b") || !strings.Contains(list.stdout, "ivana operator") {
		t.Errorf("list says:\n%s%s", list.stdout, list.stderr)
	}
	if one := runIn(t, nil, "journal", "list", "--dir", dir, "--last", "1"); strings.Count(one.stdout, "\n") != 1 || !strings.Contains(one.stdout, "third") {
		t.Errorf("the last one is %q", one.stdout)
	}
	if out := runIn(t, nil, "journal", "head", "--dir", dir); strings.TrimSpace(out.stdout) != head {
		t.Errorf("head %q, want %q", out.stdout, head)
	}
	if out := runIn(t, nil, "journal", "verify", head, "--dir", dir); out.code != exitOK {
		t.Errorf("verify exits %d: %s%s", out.code, out.stdout, out.stderr)
	}
	exported := runIn(t, nil, "journal", "export", "--dir", dir)
	files, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	raw, err := os.ReadFile(files[0])
	if err != nil || exported.stdout != string(raw) {
		t.Errorf("the export is not the journal's own bytes: %v", err)
	}
	if err := os.WriteFile(files[0], []byte(strings.Replace(string(raw), "first", "worst", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := runIn(t, nil, "journal", "verify", "--dir", dir); out.code != exitBad {
		t.Errorf("a changed record: verify exits %d: %s", out.code, out.stdout)
	}
}
