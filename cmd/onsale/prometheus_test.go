package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	rehearsed "github.com/onsale-dev/onsale/rehearsal/aws"
)

// everySeries answers any joined query with a 7 for each of its expressions.
func everySeries(w http.ResponseWriter, r *http.Request) {
	var samples []string
	for _, m := range regexp.MustCompile(`"onsale_query","(\d+)"`).FindAllStringSubmatch(r.FormValue("query"), -1) {
		samples = append(samples, fmt.Sprintf(`{"metric":{"onsale_query":%q},"value":[%d,"7"]}`, m[1], 1<<31))
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[%s]}}`, strings.Join(samples, ","))
}

func TestASourceOfManagedPrometheusReadsWithTheLoginAndTheTenantsOfTheConfig(t *testing.T) {
	tenants := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Scope-OrgID") != "shop|edge" || r.FormValue("max_samples_processed_error_threshold") != "5000" {
			http.Error(w, "no org id", http.StatusUnauthorized)
			return
		}
		everySeries(w, r)
	})
	srv := httptest.NewServer(rehearsed.NewManagedPrometheus("eu-central-1", "ws-1", tenants, rehearsed.WithSecret("rehearsed-secret")))
	defer srv.Close()
	dir := t.TempDir()
	config := func(auth string) string {
		file := filepath.Join(dir, "onsale.yaml")
		text := fmt.Sprintf(`environment: test
sources:
  managed: {kind: prometheus, url: "%s/workspaces/ws-1", auth: {sigv4: {region: eu-central-1, %s}}, tenants: [shop, edge], max_samples: 5000}
sales:
  - {id: arena, name: Arena, opens: 2036-12-01T10:00:00Z, signals: {orders: {from: managed, query: 'sum(orders)', needed: true}}}
`, srv.URL, auth)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("rehearsed-secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := runIn(t, nil, "check", "--output", "json", "-c", config(`credentials: {access_key_id: `+rehearsed.AccessKey+`, secret_access_key: "${file:`+dir+`/secret}"}`))
	if !strings.Contains(out.stdout, `"value": 7`) {
		t.Errorf("exit %d: %s %s", out.code, out.stdout, out.stderr)
	}
	t.Setenv("AWS_CONFIG_FILE", dir+"/none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", dir+"/none")
	out = runIn(t, nil, "check", "--output", "json", "-c", config("profile: nobody"))
	if out.code != 3 || !strings.Contains(out.stdout, "no profile nobody on this machine") {
		t.Errorf("exit %d: %s %s", out.code, out.stdout, out.stderr)
	}
}

func TestWhatCloudWatchWillNeverAnswerIsToldBeforeTheNight(t *testing.T) {
	file := filepath.Join(t.TempDir(), "onsale.yaml")
	const text = `environment: test
sources:
  promql: {kind: prometheus, url: "https://monitoring.eu-central-1.amazonaws.com", auth: {sigv4: {region: eu-central-1, service: monitoring}}}
sales:
  - id: arena
    name: Arena
    opens: 2036-12-01T10:00:00Z
    signals:
      fine: {from: promql, query: 'sum({"http.server.active_requests"})'}
      wide: {from: promql, query: 'sum({service="shop"})'}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out := runIn(t, nil, "config", "validate", "-c", file)
	if out.code == 0 || !strings.Contains(out.stderr, `onsale.yaml:10:`) || !strings.Contains(out.stderr, `signal "wide"`) || !strings.Contains(out.stderr, "select the metric by its name") || strings.Contains(out.stderr, "fine") {
		t.Errorf("exit %d: %s", out.code, out.stderr)
	}
}
