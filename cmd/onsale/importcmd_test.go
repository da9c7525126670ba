package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestADashboardIsImportedAndTheConfigIsValid(t *testing.T) {
	board := filepath.Join("..", "..", "config", "grafana", "testdata", "checkout.json")
	out := runIn(t, nil, "config", "import", "grafana", "--window", "2m", "--source", "P0EDGE=edge", board)
	if out.code != 0 || !strings.Contains(out.stdout, "[2m]") || !strings.Contains(out.stdout, "  edge: # in Grafana") {
		t.Fatalf("exit %d: %s %s", out.code, out.stdout, out.stderr)
	}
	for _, want := range []string{board + `:35:9: panel "Request rate" (2): left out: target "C"`, "12 signals in 8 panels"} {
		if !strings.Contains(out.stderr, want) {
			t.Errorf("%q is not said in\n%s", want, out.stderr)
		}
	}
	file := filepath.Join(t.TempDir(), "onsale.yaml")
	if err := os.WriteFile(file, []byte(out.stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	if valid := runIn(t, nil, "config", "validate", "-c", file); valid.code != 0 || !strings.Contains(valid.stdout, "1 sales, 3 sources, 12 signals") {
		t.Errorf("exit %d: %s %s", valid.code, valid.stdout, valid.stderr)
	}
}

func TestWhatCanNotBeImportedIsToldWithItsPlaceAndNothingIsWritten(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	broken, logs := write("broken.json", "{\n\"panels\": [}"), write("logs.json", `{"panels": [{"type": "logs", "title": "Declines"}]}`)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{broken}, broken + ":2:12: not JSON"},
		{[]string{logs}, `panel "Declines": left out`},
		{[]string{logs}, "nothing of this dashboard can be imported"},
		{[]string{filepath.Join(dir, "none.json")}, "no such file"},
		{[]string{"-"}, "-:1:1: not JSON: it ends too early"},
		{[]string{logs, "--window", "90ms"}, "whole seconds"},
		{[]string{logs, "--source", "P1=Not A Name"}, "write UID=NAME"},
		{nil, "accepts 1 arg"},
	} {
		out := runIn(t, nil, append([]string{"config", "import", "grafana"}, c.args...)...)
		if out.code != 3 || out.stdout != "" || !strings.Contains(out.stderr, c.want) {
			t.Errorf("%v: exit %d, %q, %s", c.args, out.code, out.stdout, out.stderr)
		}
	}
}
