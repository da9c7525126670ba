package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/onsale-dev/onsale/rehearsal"
)

// In this night each sale's capacity can't be had for another reason, and each is said before the key is sent.
func TestWhatHindersAScaleUpIsSaidBeforeItIsSent(t *testing.T) {
	t.Parallel()
	n := startNight(t, rehearsal.Options{Seed: 7, Scenario: "scaling-hindered", Speed: 4})
	for _, c := range []struct {
		name, sale string
		refused    bool
		says       string
	}{
		{"a suspended process", "lantern", true, "Launch is suspended: AWS would accept it and start nothing"},
		{"no machines", "marble", false, "the last launch failed"},
		{"instances without traffic", "cobalt", false, "AddToLoadBalancer is suspended: new instances get no traffic"},
		{"the max of a scalable target", "kestrel", true, "the target is at its max of 24: there is no headroom"},
		{"full nodes", "saffron", false, "pods have no node already, and more will wait with them"},
		{"a GitOps owner", "juniper", false, "Argo CD app shop owns minReplicaCount"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, out := n.act(filepath.Join(t.TempDir(), "journal"), c.sale, "scale-up", "--dry-run")
			if (out.code == 1) != c.refused || !strings.Contains(out.stdout, c.says) {
				t.Errorf("exit %d, %q is not said by %s %s\n%s", out.code, c.says, r.Outcome, r.Reason, out.stdout)
			}
		})
	}
	// What is sent all the same does not come, and Argo CD puts its own back.
	if r, out := n.act(filepath.Join(t.TempDir(), "journal"), "juniper", "scale-up", "--to", "44", "--reason", "test", "--confirm", "juniper"); out.code != 0 {
		t.Fatalf("exit %d, %s %s", out.code, r.Outcome, r.Reason)
	}
	n.until("Argo CD sets it back", inLedger(`"by":"argocd"`, "juniper-web.scaled_object"))
	n.until("the floor is 40 again", is("juniper", "capacity_min", 40))
	if left := n.truth().Sales["saffron"]["pods_pending"]; left != 4 {
		t.Errorf("%v pods have no node, want the 4 of the story", left)
	}
}
