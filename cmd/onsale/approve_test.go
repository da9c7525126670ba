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

// with is the platform's own config with another policy.
func (n *night) with(policy string) string {
	n.t.Helper()
	text, err := os.ReadFile(n.config)
	if err != nil {
		n.t.Fatal(err)
	}
	before, after, ok := strings.Cut(string(text), "\npolicy:")
	if !ok {
		n.t.Fatal("the platform's config has no policy")
	}
	if _, rest, more := strings.Cut(after, "\n\n"); more {
		after = "\n\n" + rest
	} else {
		after = "\n"
	}
	file := filepath.Join(n.t.TempDir(), "onsale.yaml")
	if err := os.WriteFile(file, []byte(before+"\npolicy: "+policy+after), 0o600); err != nil {
		n.t.Fatal(err)
	}
	if out := runIn(n.t, nil, "config", "validate", "-c", file); out.code != exitOK {
		n.t.Fatalf("%s%s", out.stdout, out.stderr)
	}
	return file
}

// as runs the program as somebody.
func (n *night) as(who string, args ...string) outcome {
	n.t.Helper()
	return runIn(n.t, map[string]string{"LANG": "C.UTF-8", "USER": who}, append(args, "-c", n.config)...)
}

func TestAnotherShellAgreesToWhatOneAskedFor(t *testing.T) {
	t.Parallel()
	n := startNight(t, rehearsal.Options{Seed: 7, Scenario: "calm"})
	n.config = n.with("{role: operator, reason: optional, second_person: pause}")
	dir := filepath.Join(t.TempDir(), "journal")
	done := make(chan outcome)
	pause := func(who string) {
		go func() {
			done <- n.as(who, "act", "kestrel", "pause", "--reason", "declines", "--confirm", "kestrel", "--journal", dir, "-o", "json")
		}()
	}
	// request waits for the request and returns the end of its id.
	request := func() string {
		t.Helper()
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			if list := n.as("marko", "approve", "--journal", dir); strings.Contains(list.stdout, " waiting ") {
				if !strings.Contains(list.stdout, "kestrel  pause admission 400/min → 0/min  by ivana  ") || !strings.Contains(list.stdout, "declines") {
					t.Errorf("the list says %q", list.stdout)
				}
				return strings.Fields(list.stdout)[0]
			}
		}
		t.Fatal("nothing was asked")
		return ""
	}
	pause("ivana")
	id := request()
	if own := n.as("ivana", "approve", id, "--confirm", "kestrel", "--journal", dir); own.code != 1 || !strings.Contains(own.stdout, "another person must agree") {
		t.Errorf("her own: exit %d, %s%s", own.code, own.stdout, own.stderr)
	}
	if shown := n.as("marko", "approve", id, "--journal", dir); shown.code != 1 || !strings.Contains(shown.stdout, "--confirm kestrel stands for the gesture") || !strings.Contains(shown.stdout, "400/min → 0/min") {
		t.Errorf("without the gesture: exit %d, %s%s", shown.code, shown.stdout, shown.stderr)
	}
	if agreed := n.as("marko", "approve", id, "--confirm", "kestrel", "--journal", dir); agreed.code != 0 || !strings.Contains(agreed.stdout, "ivana can send it now") {
		t.Fatalf("marko: exit %d, %s%s", agreed.code, agreed.stdout, agreed.stderr)
	}
	out := <-done
	var report actions.Report
	if err := json.Unmarshal([]byte(out.stdout), &report); err != nil || out.code != 0 || report.Outcome != actions.Done {
		t.Fatalf("exit %d, %v: %s%s", out.code, err, out.stdout, out.stderr)
	}
	if !strings.Contains(out.stderr, "onsale approve "+id+" --confirm kestrel") {
		t.Errorf("it does not say how to agree: %q", out.stderr)
	}
	list := runIn(t, nil, "journal", "list", "--dir", dir)
	for _, need := range []string{"APR10N", "APR20N", "agrees as the second person", "marko operator", "approved by marko"} {
		if !strings.Contains(list.stdout, need) {
			t.Errorf("the journal lacks %q:\n%s", need, list.stdout)
		}
	}

	resume := n.as("ivana", "act", "kestrel", "undo", "--confirm", "kestrel", "--journal", dir)
	if resume.code != 0 { // undo is not among the verbs that need a second person
		t.Fatalf("%s%s", resume.stdout, resume.stderr)
	}
	pause("ivana")
	id = request()
	if no := n.as("marko", "approve", id, "--decline", "--reason", "not now", "--journal", dir); no.code != 0 {
		t.Errorf("decline: exit %d, %s%s", no.code, no.stdout, no.stderr)
	}
	if out := <-done; out.code != 1 || !strings.Contains(out.stdout, "marko declined: not now") {
		t.Errorf("exit %d, %s%s", out.code, out.stdout, out.stderr)
	}
	if empty := n.as("marko", "approve", "--journal", dir, "-o", "json"); !strings.Contains(empty.stdout, `"requests": []`) {
		t.Errorf("%s%s", empty.stdout, empty.stderr)
	}
	if none := n.as("marko", "approve", "ffffff", "--journal", dir); none.code != exitUnknown {
		t.Errorf("exit %d: %s", none.code, none.stderr)
	}
}

func TestTheGlassIsBrokenFromAShellOnlyWithAReasonAndOnRecord(t *testing.T) {
	t.Parallel()
	n := startNight(t, rehearsal.Options{Seed: 7, Scenario: "calm"})
	n.config = n.with("{role: operator, reason: optional, second_person: pause, freeze: [{from: 2020-01-01T00:00Z, to: 2099-01-01T00:00Z, reason: on-sale}], break_glass: {verbs: pause, lifts: [freeze, second_person]}}")
	dir := filepath.Join(t.TempDir(), "journal")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"lantern", "pause"}, "frozen until"},
		{[]string{"lantern", "pause", "--break-glass"}, "breaking the glass takes a reason"},
		{[]string{"lantern", "scale-up", "--break-glass"}, "the glass may not be broken for scale-up"},
	} {
		r, out := n.act(dir, append(c.args, "--confirm", "lantern")...)
		if out.code != 1 || !strings.Contains(r.Reason, c.says) {
			t.Errorf("%v: exit %d, %q", c.args, out.code, r.Reason)
		}
	}
	dry, _ := n.act(dir, "lantern", "pause", "--break-glass", "--dry-run")
	if dry.Preview == nil || len(dry.Preview.Lifted) != 2 || dry.Preview.Risk != actions.Severe {
		t.Errorf("%+v", dry.Preview)
	}
	r, out := n.act(dir, "lantern", "pause", "--break-glass", "--reason", "the shop is down", "--confirm", "lantern")
	if out.code != 0 || r.Outcome != actions.Done {
		t.Fatalf("exit %d, %+v", out.code, r)
	}
	list := runIn(t, nil, "journal", "list", "--dir", dir)
	if !strings.Contains(list.stdout, "GLS10N") || !strings.Contains(list.stdout, "breaks the glass: lifts freeze, second_person") || !strings.Contains(list.stdout, "GLASS BROKEN: freeze, second_person") {
		t.Errorf("%s", list.stdout)
	}
}
