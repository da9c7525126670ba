package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/webhook"
	"github.com/onsale-dev/onsale/cmd/onsale/login"
	"github.com/onsale-dev/onsale/rehearsal"
)

// hooked gives a night a config of one live sale with these controls and actions. {gate}, {queue-it}
// and the like are where the services answer, {dir} is the platform's folder.
func (n *night) hooked(controls, acts string) {
	n.t.Helper()
	text := `
environment: test
link_hosts: [grafana.example]
sources:
  metrics: {kind: prometheus, url: {prometheus}, every: 2s}
controls:
` + controls + `
policy: {role: operator, reason: optional}
sales:
  - id: lantern
    name: Crna Lanterna
    opens: ` + time.Now().Add(-23*time.Minute).UTC().Format(time.RFC3339) + `
    links: [{title: dashboard, url: "https://grafana.example/d/lantern"}]
    signals:
      admission_rate: {from: metrics, unit: per_minute, query: '60 * sum(rate(shop_admitted_total{sale="lantern"}[1m]))', needed: true}
    actions:
` + acts
	pairs := []string{"{dir}", filepath.Dir(n.config)}
	for name, url := range n.urls.Services {
		pairs = append(pairs, "{"+name+"}", url)
	}
	n.config = filepath.Join(n.t.TempDir(), "onsale.yaml")
	if err := os.WriteFile(n.config, []byte(strings.NewReplacer(pairs...).Replace(text)), 0o600); err != nil {
		n.t.Fatal(err)
	}
}

// did runs an action to its end and fails the test unless it is done.
func (n *night) did(journalDir string, args ...string) actions.Report {
	n.t.Helper()
	r, out := n.act(journalDir, append([]string{"lantern"}, append(args, "--reason", "test", "--confirm", "lantern")...)...)
	if out.code != 0 || r.Outcome != actions.Done || r.Journal.Result == nil {
		n.t.Fatalf("%v: exit %d, %s: %s %+v", args, out.code, r.Outcome, r.Reason, r.Refusals)
	}
	return r
}

// tells fails the test unless a line of the ledger holds all these texts.
func (n *night) tells(parts ...string) {
	n.t.Helper()
	n.until(fmt.Sprint("the ledger tells ", parts), func(now truth) bool {
		return slices.ContainsFunc(now.Ledger, func(entry json.RawMessage) bool {
			return !slices.ContainsFunc(parts, func(part string) bool { return !bytes.Contains(entry, []byte(part)) })
		})
	})
}

const ownGate = `
  door:
    kind: webhook
    url: "{gate}/gates/{{target}}"
    state_url: "{gate}/gates/{{target}}"
    token: "${file:{dir}/gate-token}"
    hmac_secret: "${file:{dir}/gate-secret}"
`

const ownGateActs = `
      pause: {via: door, target: lantern}
      resume: {via: door, target: lantern}
      rate: {via: door, target: lantern, floor: 50, ceiling: 700}
`

func TestASignedGateIsPausedSetAndResumedAndThePlatformAnswers(t *testing.T) {
	t.Parallel()
	n := startNight(t, rehearsal.Options{Seed: 7, Scenario: "calm", Speed: 20})
	n.hooked(ownGate, ownGateActs)
	journalDir := filepath.Join(t.TempDir(), "journal")
	admitted := func(least, most float64) func(truth) bool {
		return func(now truth) bool {
			v := now.Sales["lantern"]["admission_rate_now"]
			return least <= v && v <= most
		}
	}
	n.until("people are let in", admitted(600, 1000))
	dry, out := n.act(journalDir, "lantern", "pause", "--dry-run")
	if out.code != 0 || dry.Preview == nil || dry.Preview.Change != "paused off → on" || dry.Preview.Target.Name != "lantern" || dry.Preview.Effect == nil {
		t.Errorf("dry run: exit %d, %+v", out.code, dry.Preview)
	}
	n.did(journalDir, "pause")
	n.until("nobody is let in", admitted(0, 0))
	n.did(journalDir, "rate", "--to", "240")
	n.did(journalDir, "resume")
	n.until("240 a minute are let in", admitted(200, 260))
	n.did(journalDir, "undo") // of the resume
	n.until("nobody is let in again", admitted(0, 0))
	n.tells(`"by":"turnstile"`, `"what":"rate"`, `"to":240`)

	for name, args := range map[string][]string{"above the ceiling": {"rate", "--to", "701"}, "under the floor": {"rate", "--to", "49"}, "half a person": {"rate", "--to", "60.5"}, "paused already": {"pause"}} {
		r, out := n.act(journalDir, append([]string{"lantern"}, append(args, "--confirm", "lantern")...)...)
		if out.code != 1 || r.Outcome != actions.Refused || len(r.Refusals) == 0 {
			t.Errorf("%s: exit %d, %s %+v", name, out.code, r.Outcome, r.Refusals)
		}
	}
	n.fault("gate", "down")
	if r, out := n.act(journalDir, "lantern", "resume", "--confirm", "lantern"); out.code != 1 || r.Outcome != actions.Refused {
		t.Errorf("a gate that is down: exit %d, %s: %s", out.code, r.Outcome, r.Reason)
	}
}

func TestQueueItsSpeedIsSetFromTheShellWithinItsLimitOfCalls(t *testing.T) {
	t.Parallel()
	n := startNight(t, rehearsal.Options{Seed: 7, Scenario: "calm", Speed: 20})
	n.hooked(`  line: {kind: webhook, preset: queue-it, url: "{queue-it}", token: "${file:{dir}/queue-it-key}"}`,
		"      rate: {via: line, target: lantern}\n")
	journalDir := filepath.Join(t.TempDir(), "journal")
	r := n.did(journalDir, "rate", "--to", "120")
	if v := fmt.Sprint(r.ReadBack); !strings.Contains(v, "120") {
		t.Errorf("read back %s", v)
	}
	n.until("120 a minute are let in", func(now truth) bool {
		v := now.Sales["lantern"]["admission_rate_now"]
		return v > 90 && v < 150
	})
	n.did(journalDir, "undo")
	n.tells(`"by":"queue-it"`, `"from":120`, `"to":800`)
	// Ten calls were made: Queue-it itself says no, and nothing is sent.
	over, out := n.act(journalDir, "lantern", "rate", "--to", "200", "--confirm", "lantern")
	if out.code != 1 || over.Outcome != actions.Refused || !strings.Contains(fmt.Sprint(over.Refusals), "429") {
		t.Errorf("the eleventh call of a minute: exit %d, %s %+v", out.code, over.Outcome, over.Refusals)
	}
}

func TestEachInboxTakesWhatItsToolCanDo(t *testing.T) {
	t.Parallel()
	n := startNight(t, rehearsal.Options{Seed: 7, Scenario: "calm", Speed: 1})
	whole := n.config
	for service, c := range map[string]struct {
		control string
		does    map[string]string // verb to what the ledger tells of it
	}{
		"slack": {
			`{kind: webhook, preset: slack, url: "${file:{dir}/slack-url}"}`,
			map[string]string{"incident": "Incident: Crna Lanterna: payments decline", "resolve": "Resolved: Crna Lanterna", "note": "Note: Crna Lanterna"},
		},
		"jira": {
			`{kind: webhook, preset: jira, url: "{jira}", token: "${file:{dir}/jira-key}"}`,
			map[string]string{"incident": "opened (onsale/lantern/incident)", "acknowledge": "acknowledged (", "note": "note (", "resolve": "closed ("},
		},
		"incident-io": {
			`{kind: webhook, preset: incident-io, url: "{incident-io}", source: ` + rehearsal.AlertSource + `, token: "${file:{dir}/incident-io-token}"}`,
			map[string]string{"incident": "opened (onsale/lantern/incident)", "resolve": "closed ("},
		},
		"rootly": {
			`{kind: webhook, preset: rootly, url: "{rootly}/webhooks/incoming/generic_webhooks", token: "${file:{dir}/rootly-secret}"}`,
			map[string]string{"incident": "opened (onsale/lantern/incident)", "resolve": "closed ("},
		},
	} {
		t.Run(service, func(t *testing.T) {
			n := &night{t: t, config: whole, urls: n.urls}
			n.hooked("  desk: "+c.control+"\n", "      incident: {via: desk, severity: error, service: shop}\n")
			journalDir := filepath.Join(t.TempDir(), "journal")
			for _, verb := range []string{"incident", "acknowledge", "note", "resolve"} {
				told, can := c.does[verb]
				if !can {
					if verb != "note" { // without a tool for it a note goes into the journal
						r, out := n.act(journalDir, "lantern", verb, "--confirm", "lantern")
						if out.code != 1 || r.Outcome != actions.Refused {
							t.Errorf("%s: exit %d, %s", verb, out.code, r.Outcome)
						}
					}
					continue
				}
				r := n.did(journalDir, verb, "--text", "payments decline")
				if !strings.Contains(r.Reason, "accepted") {
					t.Errorf("%s: %s", verb, r.Reason)
				}
				n.tells(`"by":"`+service+`"`, told)
			}
		})
	}
}

// lossy stands before a service, carries every write through and then loses its answer.
type lossy struct {
	target string
	mu     sync.Mutex
	writes int
}

func (l *lossy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	req, err := http.NewRequestWithContext(r.Context(), r.Method, l.target+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	req.Header = r.Header.Clone()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	if r.Method != http.MethodGet {
		l.mu.Lock()
		l.writes++
		l.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

func (l *lossy) wrote() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.writes
}

func TestALostAnswerIsReadBackOrUnknownAndNothingIsSentTwice(t *testing.T) {
	t.Parallel()
	n := startNight(t, rehearsal.Options{Seed: 7, Scenario: "calm", Speed: 1})
	before := func(service string) *lossy {
		l := &lossy{target: n.urls.Services[service]}
		srv := httptest.NewServer(l)
		t.Cleanup(srv.Close)
		n.urls.Services[service] = srv.URL
		return l
	}
	gate := before("gate")
	slack := &lossy{target: n.urls.Services["slack"]}
	srv := httptest.NewServer(slack)
	t.Cleanup(srv.Close)
	address, err := os.ReadFile(filepath.Join(filepath.Dir(n.config), "slack-url"))
	if err != nil {
		t.Fatal(err)
	}
	lost := filepath.Join(t.TempDir(), "slack-url")
	if err := os.WriteFile(lost, []byte(strings.Replace(string(address), slack.target, srv.URL, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	n.hooked(ownGate+`  chat: {kind: webhook, preset: slack, url: "${file:`+lost+`}"}`, ownGateActs+"      incident: {via: chat}\n")
	journalDir := filepath.Join(t.TempDir(), "journal")

	r := n.did(journalDir, "pause")
	if !strings.Contains(r.Reason, "the answer was lost") || gate.wrote() != 1 {
		t.Errorf("%s, %d calls", r.Reason, gate.wrote())
	}
	r, out := n.act(journalDir, "lantern", "incident", "--text", "payments decline", "--confirm", "lantern")
	if out.code != 3 || r.Outcome != actions.Unknown || slack.wrote() != 1 {
		t.Errorf("exit %d, %s: %s, %d calls", out.code, r.Outcome, r.Reason, slack.wrote())
	}
	if _, out := n.act(journalDir, "lantern", "resume", "--dry-run"); out.code != 0 { // the next start settles by reading, never by sending
		t.Errorf("the next start: exit %d %s", out.code, out.stderr)
	}
	if gate.wrote() != 1 || slack.wrote() != 1 {
		t.Errorf("sent again: %d calls to the gate, %d to Slack", gate.wrote(), slack.wrote())
	}
}

func TestNoSecretOfTheConfigLeavesWithAnIncident(t *testing.T) {
	t.Parallel()
	n := startNight(t, rehearsal.Options{Seed: 7, Scenario: "calm", Speed: 1})
	secret, err := os.ReadFile(filepath.Join(filepath.Dir(n.config), "gate-token"))
	if err != nil {
		t.Fatal(err)
	}
	n.hooked(ownGate+`  chat: {kind: webhook, preset: slack, url: "${file:{dir}/slack-url}"}`, ownGateActs+"      incident: {via: chat}\n")
	journalDir := filepath.Join(t.TempDir(), "journal")
	r, out := n.act(journalDir, "lantern", "incident", "--text", "who posted "+string(secret)+"?", "--confirm", "lantern")
	if out.code != 0 {
		t.Fatalf("exit %d, %s: %s", out.code, r.Outcome, r.Reason)
	}
	n.tells(`"by":"slack"`, "who posted ***?")
	list := runIn(t, nil, "journal", "list", "--dir", journalDir)
	for name, text := range map[string]string{"the report": out.stdout, "stderr": out.stderr, "the ledger": strings.Join(n.ledger(), "\n"), "the journal": list.stdout} {
		if strings.Contains(text, string(secret)) {
			t.Errorf("%s shows a secret", name)
		}
	}
}

func TestThePolicyDeclaresTheTargetThatAWebhookActsOn(t *testing.T) {
	n := &night{t: t, config: filepath.Join(t.TempDir(), "onsale.yaml")}
	n.urls.Services = map[string]string{"prometheus": "http://127.0.0.1:1"}
	controls := `
  door: {kind: webhook, url: "https://gates.example/{{target}}", token: "${env:TOKEN}"}
  line: {kind: webhook, preset: queue-it, url: https://quay.api2.queue-it.net, token: "${env:TOKEN}"}
  slack: {kind: webhook, preset: slack, url: "${env:URL}"}
  jira: {kind: webhook, preset: jira, token: "${env:TOKEN}"}
  incidents: {kind: webhook, preset: incident-io, source: 01S, token: "${env:TOKEN}"}
  rootly: {kind: webhook, preset: rootly, token: "${env:TOKEN}"}
`
	env := map[string]string{"TOKEN": canary, "URL": "https://hooks.example/services/" + canary}
	names := map[string]string{
		"pause: {via: door, target: north}": "gate north", "rate: {via: line, target: quay2026}": "Queue-it event quay2026", "incident: {via: slack}": "Slack channel slack",
		"incident: {via: jira}": "Jira Service Management integration jira", "incident: {via: incidents}": "incident.io alert source incidents", "resolve: {via: rootly}": "Rootly alert source rootly",
		"note: {via: door}": "webhook door",
	}
	for action, want := range names {
		n.hooked(controls, "      "+action+"\n")
		p := &program{lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok }, configFlag: n.config}
		cfg, err := p.readConfig()
		if err != nil {
			t.Fatal(err)
		}
		verb, _, _ := strings.Cut(action, ":")
		ex, err := newExecutors(cfg, login.NewBook(login.Options{})).find("lantern", actions.Verb(verb))
		if err != nil {
			t.Fatalf("%s: %v", action, err)
		}
		target := ex.(*webhook.Executor).Target()
		if target.String() != want || !slices.Contains(policyOf(cfg).Targets["lantern"], target) {
			t.Errorf("%s acts on %+v, the policy declares %+v", action, target, policyOf(cfg).Targets["lantern"])
		}
	}
}

func TestValidateNamesABodyThatCantBeSent(t *testing.T) {
	n := &night{t: t, config: filepath.Join(t.TempDir(), "onsale.yaml")}
	n.urls.Services = map[string]string{"prometheus": "http://127.0.0.1:1"}
	for body, want := range map[string]string{`{"rate": 1}`: "{{to}}", `{"rate": "{{to}}", "hue": "{{colour}}"}`: "{{colour}}", `{"rate": "{{to}}"}`: ""} {
		n.hooked("  door: {kind: webhook, url: https://gates.example, token: \"${env:TOKEN}\", bodies: {rate: '"+body+"'}}\n", "      rate: {via: door, target: north}\n")
		out := runIn(t, map[string]string{"TOKEN": canary}, "config", "validate", "-c", n.config)
		if (out.code == 0) != (want == "") || !strings.Contains(out.stderr, want) || strings.Contains(out.stderr, canary) || strings.Contains(out.stderr+out.stdout, "not done by this version") {
			t.Errorf("%s: exit %d %s", body, out.code, out.stderr)
		}
	}
}
