package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/rehearsal"
)

// act runs one action and returns its report.
func (n *night) act(journalDir string, args ...string) (actions.Report, outcome) {
	n.t.Helper()
	all := append([]string{"act"}, args...)
	out := runIn(n.t, map[string]string{"LANG": "C.UTF-8", "USER": "ivana"}, append(all, "-c", n.config, "--journal", journalDir, "-o", "json")...)
	var r actions.Report
	if err := json.Unmarshal([]byte(out.stdout), &r); err != nil {
		n.t.Fatalf("stdout is no report: %v\n%s%s", err, out.stdout, out.stderr)
	}
	return r, out
}

// until asks the platform's ledger until it holds or patience ends: what is acted on has delays.
func (n *night) until(what string, holds func(truth) bool) {
	n.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if holds(n.truth()) {
			return
		}
	}
	n.t.Errorf("after %s still not: %s", patience, what)
}

func TestAnActionIsDoneOnTheRealWireAndThePlatformAnswers(t *testing.T) {
	t.Parallel()
	n := startNight(t, rehearsal.Options{Seed: 7, Scenario: "calm", Speed: 20})
	journalDir := filepath.Join(t.TempDir(), "journal")

	dry, out := n.act(journalDir, "lantern", "pause", "--dry-run")
	if out.code != 0 || dry.Outcome != actions.Done || dry.Preview == nil || dry.Preview.Change != "800/min → 0/min" || dry.Journal.Intent != nil {
		t.Errorf("dry run: exit %d, %+v", out.code, dry)
	}
	unconfirmed, out := n.act(journalDir, "lantern", "pause", "--reason", "test")
	if out.code != 1 || unconfirmed.Outcome != actions.Refused || unconfirmed.Journal.Intent != nil {
		t.Errorf("without the gesture: exit %d, %+v", out.code, unconfirmed)
	}
	if rate := n.truth().Sales["lantern"]["admission_rate"]; rate < 400 {
		t.Fatalf("admission is %v/min before anything was done", rate)
	}
	paused, out := n.act(journalDir, "lantern", "pause", "--reason", "test", "--confirm", "lantern")
	if out.code != 0 || paused.Outcome != actions.Done || paused.Journal.Result == nil {
		t.Fatalf("pause: exit %d, %+v", out.code, paused)
	}
	n.until("admission falls", func(now truth) bool { return now.Sales["lantern"]["admission_rate"] < 300 }) // a rate over one minute

	scaled, out := n.act(journalDir, "lantern", "scale-up", "--to", "28", "--reason", "test", "--confirm", "lantern")
	if out.code != 0 || scaled.Outcome != actions.Done {
		t.Fatalf("scale up: exit %d, %+v", out.code, scaled)
	}
	n.until("28 instances are in service", func(now truth) bool { return now.Sales["lantern"]["capacity_in_service"] == 28 })
	undone, out := n.act(journalDir, "lantern", "undo", "--reason", "test", "--confirm", "lantern")
	if out.code != 0 || undone.Outcome != actions.Done {
		t.Fatalf("undo: exit %d, %+v", out.code, undone)
	}
	n.until("the floor is 24 again", func(now truth) bool { return now.Sales["lantern"]["capacity_min"] == 24 })

	verify := runIn(t, nil, "journal", "verify", "--dir", journalDir)
	list := runIn(t, nil, "journal", "list", "--dir", journalDir)
	if verify.code != 0 || strings.Count(list.stdout, " intent ") != 3 || !strings.Contains(list.stdout, "ivana operator") {
		t.Errorf("the journal: %s%s", verify.stdout, list.stdout)
	}
}

func TestWhatMustNotBeDoneIsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	n := startNight(t, rehearsal.Options{Seed: 7, Scenario: "calm"})
	text, err := os.ReadFile(n.config)
	if err != nil {
		t.Fatal(err)
	}
	viewer := filepath.Join(t.TempDir(), "onsale.yaml")
	if err := os.WriteFile(viewer, []byte(strings.Replace(string(text), "role: operator", "role: viewer", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	asFile := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(asFile, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	operator := n.config
	fixed := filepath.Join(t.TempDir(), "onsale.yaml")
	if err := os.WriteFile(fixed, []byte(strings.ReplaceAll(string(text), "variables: {scale: pods,", "variables: {scale: null,")), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, config, journal string
		args                  []string
		guard                 actions.Guard
	}{
		{"a viewer", viewer, "", []string{"lantern", "pause"}, ""},
		{"scaling to zero", operator, "", []string{"lantern", "scale-up", "--to", "0"}, actions.GuardRequest},
		{"scaling up below what is there", operator, "", []string{"lantern", "scale-up", "--to", "3"}, ""},
		{"more than the group's maximum", operator, "", []string{"lantern", "scale-up", "--to", "500"}, ""},
		{"a rate under Cloudflare's floor", operator, "", []string{"lantern", "rate", "--to", "10"}, ""},
		{"a sale whose hosts nobody may scale", fixed, "", []string{"juniper", "scale-up", "--to", "50"}, ""},
		{"a journal that can't be written", operator, asFile, []string{"lantern", "pause"}, ""},
		{"undoing what was never done", operator, "", []string{"lantern", "undo"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n.config = test.config
			journalDir := test.journal
			if journalDir == "" {
				journalDir = filepath.Join(t.TempDir(), "journal")
			}
			r, out := n.act(journalDir, append(test.args, "--reason", "test", "--confirm", test.args[0])...)
			if out.code != 1 || r.Outcome != actions.Refused || len(r.Refusals) == 0 {
				t.Errorf("exit %d, %s: %s %+v", out.code, r.Outcome, r.Reason, r.Refusals)
			}
			if test.guard != "" && len(r.Refusals) > 0 && r.Refusals[0].Guard != test.guard {
				t.Errorf("refused by %s, want %s", r.Refusals[0].Guard, test.guard)
			}
		})
	}
	for _, entry := range n.ledger() {
		if strings.Contains(strings.ToLower(entry), "queue_all") || strings.Contains(entry, "min_size") {
			t.Errorf("the platform was changed: %s", entry)
		}
	}
}
