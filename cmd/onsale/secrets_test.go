package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/ui"
	"github.com/onsale-dev/onsale/views"
)

const canary = "canary-4f1d77c0b2"

// echo answers with everything that it was sent, in an error of every status: the most indiscreet
// system there can be.
func echo(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"success":false,"status":"error","errorType":"internal","error":%q,"__type":"InternalError","message":%q,"errors":[{"code":1000,"message":%q}]}`,
			fmt.Sprint(r.Header, r.URL), fmt.Sprint(r.Header, canary), fmt.Sprint(r.Header, canary))
	})
}

func indiscreetConfig(t *testing.T, url string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "onsale.yaml")
	text := `
environment: test
sources:
  basic:  {kind: prometheus, url: "` + url + `", auth: {basic: {username: ops, password: "${env:CANARY}"}}}
  bearer: {kind: prometheus, url: "` + url + `", auth: {bearer: "${env:CANARY}", headers: {X-Scope-OrgID: "${env:CANARY}"}}}
  aws:    {kind: cloudwatch, region: eu-central-1, endpoint: "` + url + `", credentials: {access_key_id: AK, secret_access_key: "${env:CANARY}", session_token: "${env:CANARY}"}}
  queue:  {kind: sqs, region: eu-central-1, endpoint: "` + url + `", credentials: {access_key_id: AK, secret_access_key: "${env:CANARY}", session_token: "${env:CANARY}"}}
  gate:   {kind: cloudflare-waiting-room, url: "` + url + `", zone: 023e105f4ecef8ad9ca31a8372d0c353, token: "${env:CANARY}"}
  door:   {kind: http-json, url: "` + url + `", auth: {bearer: "${env:CANARY}", headers: {X-Api-Key: "${env:CANARY}"}}, hmac_secret: "${env:CANARY}"}
sales:
  - id: lantern
    name: Crna Lanterna
    opens: 2026-12-01T10:00+01:00
    signals:
      order_rate: {from: basic, query: up, needed: true}
      request_rate: {from: bearer, query: up}
      db_connections: {from: aws, metric: AWS/RDS/DatabaseConnections, dimensions: {DBInstanceIdentifier: a}, statistic: Maximum, period: 60s}
      queue_depth: {from: queue, queue: orders, attribute: visible}
      waiting: {from: gate, room: lantern, field: queued_users}
      inside: {from: door, jq: .inside}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestNoSecretIsInAnyOutput(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 400, 403, 404, 429, 500} {
		t.Run(fmt.Sprint("a system that echoes with status ", status), func(t *testing.T) {
			server := httptest.NewServer(echo(status))
			defer server.Close()
			file := indiscreetConfig(t, server.URL)
			env := map[string]string{"LANG": "C.UTF-8", "CANARY": canary}
			outputs := map[string]string{}
			for name, args := range map[string][]string{
				"text": {"check"}, "json": {"check", "-o", "json"}, "nagios": {"check", "-o", "nagios"},
				"validate": {"config", "validate"}, "show": {"config", "show"}, "origins": {"config", "show", "--origins"}, "doctor": {"doctor", "-o", "json"},
			} {
				out := runIn(t, env, append(args, "-c", file)...)
				outputs[name] = out.stdout + out.stderr
			}
			screensOf(t, env, file, outputs)
			for name, text := range outputs {
				if strings.Contains(text, canary) {
					t.Errorf("%s shows a secret:\n%s", name, text)
				}
				if text == "" {
					t.Errorf("%s shows nothing at all", name)
				}
			}
		})
	}
}

// screensOf adds every screen and the log as they are after one read of every source.
func screensOf(t *testing.T, env map[string]string, file string, outputs map[string]string) {
	t.Helper()
	p := &program{lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok }, configFlag: file}
	cfg, err := p.readConfig()
	if err != nil {
		t.Fatal(err)
	}
	var logFile strings.Builder
	ring := ui.NewLogRing(100, &logFile, slog.LevelDebug)
	for _, secret := range cfg.Secrets() {
		ring.Hide(secret.Reveal())
	}
	if n := len(cfg.Secrets()); n != 11 {
		t.Errorf("the config knows %d secrets, it has 11", n)
	}
	c, err := p.assemble(cfg, slog.New(ring))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c.readOnce(ctx, allSales(cfg))
	slog.New(ring).Error("as a careless line would", "config", fmt.Sprintf("%+v", cfg.Sources), "token", canary, "text", "Bearer "+canary)
	now := time.Now()
	c.store.Tick(now)
	f := views.Frame{
		Now: now, Width: 200, Height: 50, Theme: views.NewTheme(views.Options{}), Snapshot: c.store.Snapshot(),
		Order: []sale.ID{"lantern"}, Focus: "lantern", Window: time.Hour,
	}
	r := views.NewRenderer()
	outputs["overview"], outputs["sale page"], outputs["sources"] = r.Overview(f), r.Sale(f), r.Sources(f)
	outputs["logs"], outputs["log file"] = r.Logs(f, ring.Lines()), logFile.String()
	for i := range c.store.Snapshot().Sources {
		f.Cursor = i
		outputs["sources"] += r.Sources(f)
	}
}

func TestABrokenConfigShowsNoSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "onsale.yaml")
	text := "environment: test\nsources:\n  m: {kind: prometheus, url: 'http://127.0.0.1:1', auth: {bearer: " + canary + "}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out := runIn(t, nil, "config", "validate", "-c", file)
	if out.code != exitUnknown || strings.Contains(out.stderr, canary) || !strings.Contains(out.stderr, "${env:") {
		t.Errorf("exit %d, says %s", out.code, out.stderr)
	}
}
