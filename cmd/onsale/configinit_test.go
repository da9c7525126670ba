package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/rehearsal"
	"github.com/onsale-dev/onsale/sale"
)

// From nothing but addresses and credentials to a sale that is judged by figures of seven systems.
func TestAFirstConfigIsDiscoveredAndAtOnceReadsASale(t *testing.T) {
	n := startNight(t, rehearsal.Options{Seed: 4, Scenario: "calm"})
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(filepath.Dir(n.config), name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(data))
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "REHEARSAL")
	t.Setenv("AWS_SECRET_ACCESS_KEY", read("aws-secret"))
	env := map[string]string{"LANG": "C.UTF-8", "CF_READ_TOKEN": read("cloudflare-token")}
	file := filepath.Join(t.TempDir(), "onsale.yaml")
	at := n.urls.Services
	args := []string{
		"config", "init", "--discover", "--file", file, "--prometheus", at["prometheus"], "--region", "eu-central-1",
		"--endpoint", "cloudwatch=" + at["cloudwatch-eu"] + ",cloudfront=" + at["cloudwatch-us"] + ",autoscaling=" + at["autoscaling"] + ",sqs=" + at["sqs"] + ",cloudflare=" + at["cloudflare"],
		"--zone", "023e105f4ecef8ad9ca31a8372d0c353", "--cloudflare-token", "${env:CF_READ_TOKEN}",
		"--sale", "lantern", "--opens", "now", "--match", `sale="lantern"`,
	}
	out := runIn(t, env, args...)
	if out.code != 0 || out.stdout != "" {
		t.Fatalf("exit %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{env["CF_READ_TOKEN"], os.Getenv("AWS_SECRET_ACCESS_KEY")} {
		if bytes.Contains(text, []byte(secret)) || strings.Contains(out.stderr, secret) {
			t.Error("a secret is in the file or on the screen")
		}
	}
	if v := runIn(t, env, "config", "validate", "-c", file); v.code != 0 {
		t.Errorf("it is not valid: %s", v.stderr)
	}
	checked := runIn(t, env, "check", "-c", file, "-o", "json")
	var report struct {
		Sales []struct {
			Verdict string `json:"verdict"`
			Signals map[string]struct {
				Value *float64 `json:"value"`
			} `json:"signals"`
		} `json:"sales"`
	}
	if err := json.Unmarshal([]byte(checked.stdout), &report); err != nil || len(report.Sales) != 1 {
		t.Fatalf("%v: %s%s", err, checked.stdout, checked.stderr)
	}
	for _, name := range []sale.Signal{
		sale.OrderRate, sale.TicketsLeft, sale.Waiting, sale.ActiveLimit, sale.ErrorRatio, sale.DBConnections, sale.CapacityInService, sale.QueueDepth,
	} {
		if s, ok := report.Sales[0].Signals[string(name)]; !ok || s.Value == nil {
			t.Errorf("%s is not read", name)
		}
	}
	if report.Sales[0].Verdict != "ok" {
		t.Errorf("a calm sale is %s: %s", report.Sales[0].Verdict, checked.stdout)
	}
	if !strings.Contains(out.stderr, "6 CloudFront distributions") || !strings.Contains(string(text), "# edge_error_ratio:") {
		t.Errorf("what nobody could choose is not left to a person:\n%s", out.stderr)
	}

	again := runIn(t, env, args...)
	if same, _ := os.ReadFile(file); again.code != 3 || !strings.Contains(again.stderr, "--force") || !bytes.Equal(same, text) {
		t.Errorf("a file that was there: exit %d, %s", again.code, again.stderr)
	}
}

func TestASystemThatCanNotBeAskedIsSaidAndHidesNoOther(t *testing.T) {
	n := startNight(t, rehearsal.Options{Seed: 4, Scenario: "calm"})
	out := runIn(t, map[string]string{"CF": "wrong-token"}, "config", "init", "--discover", "-f", "-", "--prometheus", n.urls.Services["prometheus"],
		"--zone", "023e105f4ecef8ad9ca31a8372d0c353", "--cloudflare-token", "${env:CF}", "--endpoint", "cloudflare="+n.urls.Services["cloudflare"], "--sale", "lantern", "--opens", "now")
	if out.code != 0 || !strings.Contains(out.stdout, "order_rate:") || strings.Contains(out.stdout, "kind: cloudflare-waiting-room") {
		t.Fatalf("exit %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	if !strings.Contains(out.stderr, "! waiting rooms:") || !strings.Contains(out.stderr, "Waiting Rooms Read") {
		t.Errorf("it does not say what is missing: %s", out.stderr)
	}
}

func TestWhatNobodyCanBeAskedForMustBeGiven(t *testing.T) {
	file := filepath.Join(t.TempDir(), "onsale.yaml")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--opens", "now"}, "nothing to read from"},
		{[]string{"--prometheus", "http://127.0.0.1:1"}, "--opens is needed"},
		{[]string{"--prometheus", "http://127.0.0.1:1", "--opens", "tomorrow"}, "is no time"},
		{[]string{"--prometheus", "http://127.0.0.1:1", "--opens", "now", "--sale", "The Sale"}, "--sale"},
		{[]string{"--zone", "abc", "--opens", "now"}, "--cloudflare-token"},
		{[]string{"--zone", "abc", "--opens", "now", "--cloudflare-token", "v1.0-plain-token"}, "${env:"},
		{[]string{"--region", "eu-central-1", "--opens", "now"}, "nothing was written"},
	} {
		out := runIn(t, nil, append([]string{"config", "init", "-f", file}, c.args...)...)
		if out.code != 3 || !strings.Contains(out.stderr, c.says) || strings.Contains(out.stderr, "v1.0-plain") {
			t.Errorf("%v: exit %d, %s", c.args, out.code, out.stderr)
		}
		if _, err := os.Stat(file); err == nil {
			t.Fatalf("%v: a file was written", c.args)
		}
	}
}

// parsed reads what init would write for a server with these metrics.
func parsed(t *testing.T, metrics, labels []string) *config.Config {
	t.Helper()
	slices.Sort(metrics)
	b := &beginning{environment: "test", prometheus: "http://127.0.0.1:9090", id: "lantern", name: `The "Tin" Orchard: #1`, opensAt: time.Now(), discover: true}
	text, err := b.write(found{signals: signalsIn(metrics, labels), jobs: []string{"node", "shop"}, alerts: true}, nil, func(string, ...any) {})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse("onsale.yaml", []byte(text), config.Environment{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return cfg
}

func TestEveryExporterOfTheTableGivesAValidConfig(t *testing.T) {
	for _, e := range exporters {
		cfg := parsed(t, slices.Clone(e.needs), []string{"code"})
		if !slices.ContainsFunc(cfg.Sales[0].Reads, func(r config.Read) bool { return r.Signal == e.signal }) {
			t.Errorf("%s of %s is not read", e.signal, e.by)
		}
		if cfg.Sales[0].Name != `The "Tin" Orchard: #1` {
			t.Errorf("the name is %q", cfg.Sales[0].Name)
		}
	}
}

func TestTheShopsOwnFiguresAreBelievedBeforeThoseInFrontOfIt(t *testing.T) {
	by := func(all []exported, s sale.Signal) string {
		for _, e := range all {
			if e.signal == s {
				return e.by
			}
		}
		return ""
	}
	metrics := []string{"http_requests_total", "nginx_ingress_controller_requests", "prometheus_http_requests_total", "up"}
	if got := signalsIn(metrics, []string{"handler", "status"}); by(got, sale.RequestRate) != "http_requests_total" || by(got, sale.ErrorRatio) != "http_requests_total" {
		t.Errorf("requests from %s, errors from %s", by(got, sale.RequestRate), by(got, sale.ErrorRatio))
	}
	if got := signalsIn(metrics, []string{"handler"}); by(got, sale.ErrorRatio) != "the NGINX ingress controller" {
		t.Errorf("without a status label errors are from %q", by(got, sale.ErrorRatio))
	}
	if got := signalsIn([]string{"pg_stat_activity_count"}, nil); len(got) != 0 {
		t.Errorf("connections without their maximum: %+v", got)
	}
}

func TestSomebodyAtATerminalIsAskedOnlyForWhatNoFlagSays(t *testing.T) {
	var shown bytes.Buffer
	ask := &asker{bufio.NewReader(strings.NewReader("\nThe Tin Orchard\n2026-12-01T10:00+01:00\n\nhttp://prom:9090\n\n")), &shown}
	b := &beginning{zone: "z", token: "${env:T}"}
	if err := b.complete(ask); err == nil {
		t.Error("the last question has no answer, and that is no error")
	}
	ask.in.Reset(strings.NewReader("\nThe Tin Orchard\n2026-12-01T10:00+01:00\n\nhttp://prom:9090\n\nno\n"))
	shown.Reset()
	b = &beginning{zone: "z", token: "${env:T}"}
	if err := b.complete(ask); err != nil {
		t.Fatal(err)
	}
	if b.id != "my-sale" || b.name != "The Tin Orchard" || b.prometheus != "http://prom:9090" || b.discover || b.opensAt.UTC().Hour() != 9 {
		t.Errorf("the answers are %+v", b)
	}
	if strings.Contains(shown.String(), "zone") || strings.Contains(shown.String(), "token") {
		t.Errorf("it asks for what was given: %s", shown.String())
	}
	ask.in.Reset(strings.NewReader("9\nx\n2\n"))
	if got, err := pick([]string{"a-db", "b-db"}, "lantern", func(names []string) (int, error) { return ask.choose("databases", names) }); err != nil || got != "b-db" {
		t.Errorf("the choice is %q, %v", got, err)
	}
}

func TestWhatBearsTheSalesNameIsItsOwnAndNothingElseIsGuessed(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  string
	}{{nil, ""}, {[]string{"only"}, "only"}, {[]string{"a", "prod-Lantern-db"}, "prod-Lantern-db"}, {[]string{"a", "b"}, ""}, {[]string{"lantern-a", "lantern-b"}, ""}} {
		if got, err := pick(c.names, "lantern", nil); got != c.want || err != nil {
			t.Errorf("of %v it takes %q, %v", c.names, got, err)
		}
	}
}

func TestWhatIsShownCanBeOneSaleOrWhereItIsWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "onsale.yaml")
	text := "environment: test\nsources:\n  metrics: {kind: prometheus, url: \"http://127.0.0.1:9\"}\ntemplates:\n  shop:\n    signals:\n      request_rate: {from: metrics, query: up}\n" +
		"sales:\n  - {id: arena, name: Arena, template: shop, opens: 2026-12-01T10:00Z}\n  - {id: bay, name: Bay, template: shop, opens: 2026-12-01T10:00Z}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := runIn(t, nil, "config", "show", "-c", file, "--sale", "bay"); out.code != 0 || !strings.Contains(out.stdout, "id: bay") || strings.Contains(out.stdout, "id: arena") {
		t.Errorf("exit %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	if out := runIn(t, nil, "config", "show", "-c", file, "--sale", "bay", "--origins"); out.code != 0 || !strings.Contains(out.stdout, "bay  request_rate.query  "+file+":7\n") {
		t.Errorf("exit %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	if out := runIn(t, nil, "config", "show", "-c", file, "--sale", "cove"); out.code != 3 || !strings.Contains(out.stderr, "arena, bay") {
		t.Errorf("a sale that is not there: exit %d, %s", out.code, out.stderr)
	}
}
