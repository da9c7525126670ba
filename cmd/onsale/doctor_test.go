package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/rehearsal"
	"github.com/onsale-dev/onsale/sale"
)

// sees runs the doctor and returns what it found, by name.
func (n *night) sees(env map[string]string) (report doctorReport, by map[string]symptom, out outcome) {
	n.t.Helper()
	out = runIn(n.t, env, "doctor", "-c", n.config, "-o", "json", "--timeout", "20s")
	if err := json.Unmarshal([]byte(out.stdout), &report); err != nil || report.Schema != "onsale.doctor/v1" {
		n.t.Fatalf("%v: %s%s", err, out.stdout, out.stderr)
	}
	by = map[string]symptom{}
	for _, s := range report.Checks {
		by[s.Area+" "+s.Name] = s
	}
	return report, by, out
}

func TestTheDoctorReachesEverythingChangesNothingAndNamesWhatMends(t *testing.T) {
	n := startNight(t, rehearsal.Options{Seed: 5, Scenario: "calm"})
	env := map[string]string{"LC_ALL": "C.UTF-8", "XDG_STATE_HOME": t.TempDir()}
	before := n.ledger()
	report, by, out := n.sees(env)
	if report.Verdict == sale.Bad || out.code == 2 {
		t.Errorf("a platform without faults is %s: %s", report.Verdict, out.stdout)
	}
	for _, name := range []string{
		"here config", "here clock", "here terminal", "act journal", "read aws", "read gate", "read groups", "read cluster", "read incidents", "read rules", "read alerts",
		"act gate_write", "act hosts", "act tasks", "act pods", "act page", "act turnstile", "act mute",
	} {
		if s, ok := by[name]; !ok || s.Result != fine || s.Text == "" || s.Mend != "" {
			t.Errorf("%s: %+v", name, s)
		}
	}
	after := slices.DeleteFunc(n.ledger(), func(line string) bool { return strings.Contains(line, "(dry run)") }) // Kubernetes is asked by one
	if !slices.Equal(after, before) {
		t.Errorf("something was done: %s", after)
	}
	if left, _ := os.ReadDir(env["XDG_STATE_HOME"]); len(left) != 0 {
		t.Errorf("it left %v behind", left)
	}

	n.fault("prometheus", "down")
	token := filepath.Join(filepath.Dir(n.config), "cloudflare-write-token")
	if err := os.WriteFile(token, []byte("nobody-knows-this-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	report, by, out = n.sees(env)
	if report.Verdict != sale.Bad || out.code != 2 || report.Checks[0].Result != fails {
		t.Errorf("with two faults it is %s, exit %d, first %+v", report.Verdict, out.code, report.Checks[0])
	}
	if s := by["read metrics"]; s.Result != fails || s.Mend == "" {
		t.Errorf("a dead Prometheus: %+v", s)
	}
	if s := by["act gate_write"]; s.Result != fails || !strings.Contains(s.Mend, "Waiting Rooms Write") {
		t.Errorf("a token that is none: %+v", s)
	}
	if s := by["read gate"]; s.Result != fine {
		t.Errorf("reading has its own token: %+v", s)
	}
	if strings.Contains(out.stdout+out.stderr, "nobody-knows-this-token") {
		t.Error("a secret is in its report")
	}
}

func TestAConfigThatCanNotBeUsedIsASymptomToo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "onsale.yaml")
	if err := os.WriteFile(file, []byte("environment: x\nsauces: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := runIn(t, map[string]string{"LC_ALL": "POSIX"}, "doctor", "-c", file)
	lines := strings.Split(out.stdout, "\n")
	if out.code != 2 || !strings.HasPrefix(lines[0], "! FAIL     here  config") || !strings.Contains(lines[0], "mend: onsale config validate") {
		t.Errorf("exit %d\n%s", out.code, out.stdout)
	}
	if !strings.Contains(out.stdout, "* WARN     here  terminal") || !strings.Contains(out.stdout, "C.UTF-8") {
		t.Errorf("a locale without UTF-8: %s", out.stdout)
	}
	if none := runIn(t, nil, "doctor", "-c", file+".none"); none.code != 2 || !strings.Contains(none.stdout, "config init") {
		t.Errorf("without a config: exit %d, %s", none.code, none.stdout)
	}
}

func TestAJournalThatCanNotBeWrittenFails(t *testing.T) {
	n := startNight(t, rehearsal.Options{Seed: 5, Scenario: "calm"})
	blocked := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, by, _ := n.sees(map[string]string{"LC_ALL": "C.UTF-8", "XDG_STATE_HOME": blocked})
	if s := by["act journal"]; s.Result != fails || s.Mend == "" {
		t.Errorf("a journal below a file: %+v", s)
	}
}

func TestTheDoctorNamesThePermissionThatIsMissing(t *testing.T) {
	for text, want := range map[string]string{
		"AccessDenied: User: arn:aws:iam::111122223333:user/x is not authorized to perform: autoscaling:UpdateAutoScalingGroup on resource: y": "allow autoscaling:UpdateAutoScalingGroup",
		"AccessDenied: no": "the hint",
	} {
		if got := mendOf(&sale.Problem{Text: text, Hint: "the hint"}); !strings.Contains(got, want) {
			t.Errorf("%q is mended by %q", text, got)
		}
	}
}

func TestAClockThatIsOffIsFoundByWhatServersSay(t *testing.T) {
	behind := clockServer(t, -10*time.Minute)
	off, unsure, ok := clockOff(t.Context(), behind)
	if !ok || off > -9*time.Minute || unsure > 5*time.Second {
		t.Errorf("ten minutes: %s ± %s, %v", off, unsure, ok)
	}
	if off, unsure, ok = clockOff(t.Context(), clockServer(t, 0)); !ok || off.Abs() > unsure+time.Second {
		t.Errorf("no difference: %s ± %s", off, unsure)
	}
	if _, _, ok = clockOff(t.Context(), "http://127.0.0.1:1"); ok {
		t.Error("nobody answers there")
	}
}

// clockServer is a server whose clock is off.
func clockServer(t *testing.T, off time.Duration) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
	}))
	t.Cleanup(server.Close)
	return server.URL
}
