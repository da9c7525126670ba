package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/rehearsal"
)

// cobalt opens in 26 minutes, with 8 hosts of at most 12, and declares 10 and 12 ahead of it.
func TestAPlanIsSentReadBackAndDoneByAWSWithTheProgramClosed(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64 // of the real clock
	n := startNight(t, rehearsal.Options{Seed: 7, Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	journalDir := filepath.Join(t.TempDir(), "journal")

	dry, out := n.act(journalDir, "cobalt", "scale-ahead", "--dry-run")
	if out.code != 0 || dry.Preview == nil || len(dry.Preview.Steps) != 2 || dry.Preview.Cost == nil || *dry.Preview.Cost < 1.30 || *dry.Preview.Cost > 1.31 {
		t.Fatalf("dry run: exit %d, %+v", out.code, dry.Preview)
	}
	for _, want := range []string{"min 8 → 10", "min 10 → 12"} {
		if !strings.Contains(dry.Preview.Change, want) {
			t.Errorf("%q is not said: %s", want, dry.Preview.Change)
		}
	}
	if unconfirmed, out := n.act(journalDir, "cobalt", "scale-ahead"); out.code != 1 || unconfirmed.Journal.Intent != nil {
		t.Errorf("without the gesture: exit %d, %+v", out.code, unconfirmed)
	}
	sent, out := n.act(journalDir, "cobalt", "scale-ahead", "--reason", "doors", "--confirm", "cobalt")
	if out.code != 0 || sent.Outcome != actions.Done || len(sent.Steps) != 2 || !sent.Steps[1].ReadBack.Holds(sent.Steps[1].To) {
		t.Fatalf("exit %d, %+v", out.code, sent)
	}
	if again, out := n.act(journalDir, "cobalt", "scale-ahead", "--reason", "doors", "--confirm", "cobalt"); out.code != 1 || !strings.Contains(again.Reason, "planned already") {
		t.Errorf("the same again: exit %d, %s", out.code, again.Reason)
	}
	undone, out := n.act(journalDir, "cobalt", "undo", "--reason", "test", "--confirm", "cobalt")
	if out.code != 0 || undone.Outcome != actions.Done || !strings.HasSuffix(undone.Preview.Target.Name, "/onsale.cobalt.opens-10m") {
		t.Fatalf("undo: exit %d, %+v", out.code, undone)
	}

	ahead.Store(int64(7 * time.Minute)) // past the first size; the second was taken back
	n.until("the floor is 10", func(now truth) bool { return now.Sales["cobalt"]["capacity_min"] == 10 })
	ahead.Store(int64(11 * time.Minute)) // machines start in minutes
	n.until("10 instances are in service", func(now truth) bool { return now.Sales["cobalt"]["capacity_in_service"] == 10 })
	if !slices.ContainsFunc(n.ledger(), func(line string) bool { return strings.Contains(line, "scheduled action") }) {
		t.Error("the ledger does not tell that a scheduled action did it")
	}
	list := runIn(t, nil, "journal", "list", "--dir", journalDir)
	if strings.Count(list.stdout, "SCA30") < 4 {
		t.Errorf("the journal: %s", list.stdout)
	}
}

func TestWhatCanNotBePlannedIsRefusedInWords(t *testing.T) {
	t.Parallel()
	n := startNight(t, rehearsal.Options{Seed: 7})
	text, err := os.ReadFile(n.config)
	if err != nil {
		t.Fatal(err)
	}
	platform := n.config
	for _, c := range []struct {
		name, sale, from, to string
		why                  string
	}{
		{"a sale without a plan", "lantern", "", "", "declares no size ahead of time"},
		{"a sale without a scale-up", "juniper", "", "", "declares no size ahead of time"},
		{"more than the group's max", "cobalt", "opens-10m, to: 12", "opens-10m, to: 13", "13 is over the group's max of 12"},
		{"a size over the policy's bound of scale-up", "cobalt", "role: operator,", "role: operator, bounds: {scale-up: {max: 11}},", "over the bound of 11"},
		{"a larger step than the policy allows to scale-up", "cobalt", "role: operator,", "role: operator, bounds: {scale-up: {factor: 1.2}},", "more than a factor of 1.2"},
		{"a freeze of scaling up", "cobalt", "role: operator,", `role: operator, freeze: [{from: opens-2h, to: opens, sales: [cobalt], reason: audit}],`, "frozen until"},
		{"Kubernetes", "cobalt", "", "", "no scheduled action in Kubernetes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			n.config = filepath.Join(dir, "onsale.yaml")
			edited := strings.Replace(string(text), c.from, c.to, 1)
			if c.name == "Kubernetes" {
				edited = strings.Replace(edited, "scale-up: {ahead", "scale-up: {via: pods, namespace: shop, name: web, boots_in: $boots_in, ahead", 1)
			}
			if c.from != "" && edited == string(text) {
				t.Fatalf("%q is not in the platform's config", c.from)
			}
			for name, content := range map[string]string{"onsale.yaml": edited, "kube": "apiVersion: v1\nkind: Config\n"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			r, out := n.act(filepath.Join(dir, "journal"), c.sale, "scale-ahead", "--reason", "test", "--confirm", c.sale)
			if out.code != 1 || r.Outcome != actions.Refused || !strings.Contains(r.Reason, c.why) {
				t.Errorf("exit %d, %s: %s", out.code, r.Outcome, r.Reason)
			}
		})
	}
	n.config = platform
	for _, entry := range n.ledger() {
		if strings.Contains(entry, ".scheduled.") {
			t.Errorf("the platform was changed: %s", entry)
		}
	}
}
