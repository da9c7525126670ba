package prometheus

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// realServer is a Prometheus server of its own, scraping a small shop every second.
type realServer struct {
	t      *testing.T
	binary string
	dir    string
	addr   string
	cmd    *exec.Cmd
	shop   *httptest.Server
	down   atomic.Bool // the shop answers scrapes with 503
}

func startReal(t *testing.T) *realServer {
	t.Helper()
	binary := os.Getenv("ONSALE_PROMETHEUS")
	if binary == "" {
		t.Skip("NOT TESTED against a real Prometheus: ONSALE_PROMETHEUS names no binary (make peers fetches one)")
	}
	r := &realServer{t: t, binary: binary, dir: t.TempDir()}
	started := time.Now()
	r.shop = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if r.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		s := time.Since(started).Seconds()
		_, _ = fmt.Fprintf(w, "# TYPE shop_tickets_left gauge\nshop_tickets_left{sale=\"harbour\"} %d\nshop_tickets_left{sale=\"quay\"} 800\n"+
			"# TYPE shop_orders_total counter\nshop_orders_total{sale=\"harbour\"} %f\n"+
			"# TYPE shop_latency_seconds histogram\nshop_latency_seconds_bucket{le=\"0.5\"} %d\nshop_latency_seconds_bucket{le=\"1\"} %d\n"+
			"shop_latency_seconds_bucket{le=\"+Inf\"} %d\nshop_latency_seconds_sum %f\nshop_latency_seconds_count %d\n",
			15200-int(s*8), s*3, int(s*10), int(s*18), int(s*20), s*7, int(s*20))
	}))
	t.Cleanup(r.shop.Close)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = ln.Addr().String()
	_ = ln.Close()
	const rules = "groups:\n- name: shop\n  rules:\n  - {alert: AlwaysOn, expr: vector(1), labels: {sale: harbour}, annotations: {summary: it is on}}\n  - {alert: NeverOn, expr: vector(1) < 0}\n"
	if err := os.WriteFile(filepath.Join(r.dir, "rules.yml"), []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf("global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\nrule_files: [rules.yml]\nscrape_configs:\n- job_name: shop\n  static_configs: [{targets: [%q]}]\n", strings.TrimPrefix(r.shop.URL, "http://"))
	if err := os.WriteFile(filepath.Join(r.dir, "prometheus.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	r.start()
	t.Cleanup(r.stop)
	return r
}

func (r *realServer) start() {
	r.t.Helper()
	r.cmd = exec.Command(r.binary, "--config.file="+filepath.Join(r.dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(r.dir, "data"), "--web.listen-address="+r.addr, "--log.level=error")
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.until("it is ready", func() bool {
		resp, err := http.Get("http://" + r.addr + "/-/ready")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

func (r *realServer) stop() {
	if r.cmd.ProcessState == nil {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
	}
}

// until asks again and again; a real server has its own pace.
func (r *realServer) until(what string, done func() bool) {
	r.t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("after a minute still not: %s", what)
		}
	}
}

func TestARealPrometheusServer(t *testing.T) {
	r := startReal(t)
	version, _ := exec.Command(r.binary, "--version").CombinedOutput()
	t.Log(strings.SplitN(string(version), "\n", 2)[0])
	live := queriesOf([]string{
		`sum(shop_tickets_left)`, `60 * sum(rate(shop_orders_total{sale="harbour"}[10s]))`,
		`histogram_quantile(0.95, sum by (le) (rate(shop_latency_seconds_bucket[10s])))`,
		`no_such_metric`, `shop_tickets_left`, `17`, `sum(shop_tickets_left) # a comment`, `sum((`,
	})
	s := mustNew(t, Options{URL: "http://" + r.addr, Queries: live, Every: time.Second, History: time.Minute, Step: time.Second})
	var b sale.Batch
	r.until("the shop has been scraped often enough", func() bool {
		b = readOne(t, s)
		perMinute, _ := strconv.ParseFloat(outcome(b, live[1].Key), 64)
		return delivered(b) == 5 && perMinute > 150 // the window has filled
	})

	t.Run("it lists its metrics, their labels and what they are", func(t *testing.T) {
		names, err := NewNames(Options{Name: "metrics", URL: "http://" + r.addr})
		if err != nil {
			t.Fatal(err)
		}
		metrics, err := names.Metrics(t.Context())
		if err != nil || !slices.IsSorted(metrics) || !slices.Contains(metrics, "shop_orders_total") || !slices.Contains(metrics, "ALERTS") {
			t.Errorf("%v, %v", metrics, err)
		}
		if labels, err := names.Labels(t.Context(), "shop_latency_seconds_bucket"); err != nil || !slices.Contains(labels, "le") || slices.Contains(labels, "sale") {
			t.Errorf("labels %v, %v", labels, err)
		}
		if sales, err := names.Values(t.Context(), "sale", "shop_tickets_left"); err != nil || !slices.Equal(sales, []string{"harbour", "quay"}) {
			t.Errorf("sales %v, %v", sales, err)
		}
		if _, err := names.Labels(t.Context(), "sum(("); err == nil {
			t.Error("nonsense is no selector")
		}
	})
	t.Run("a poll is one request and every outcome is right", func(t *testing.T) {
		for !s.history.to.IsZero() { // the history that the first polls owe
			b = readOne(t, s)
		}
		if b = readOne(t, s); b.Calls == 2 {
			b = readOne(t, s) // it was the turn of the nonsense, asked by itself once in twelve polls
		}
		if b.Calls != 1 {
			t.Errorf("%d requests, want 1", b.Calls)
		}
		for i, want := range map[int]string{3: "not_found: no series", 4: "bad_data: 2 series", 5: "17", 7: "bad_data: invalid parameter"} {
			if got := outcome(b, live[i].Key); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s, want %s", live[i].Expr, got, want)
			}
		}
		if got, _ := strconv.ParseFloat(outcome(b, live[1].Key), 64); math.Abs(got-180) > 40 {
			t.Errorf("%v orders a minute, want about 180", got)
		}
		if got, _ := strconv.ParseFloat(outcome(b, live[2].Key), 64); got <= 0.5 || got > 1 {
			t.Errorf("p95 is %v s, want between 0.5 and 1", got)
		}
	})
	t.Run("the joined query gives what every query gives alone", func(t *testing.T) { joinedEqualsBare(t, r) })
	t.Run("lookback_delta is taken or ignored, never refused", func(t *testing.T) {
		b := readOne(t, mustNew(t, Options{URL: "http://" + r.addr, Queries: live[:1], Lookback: 30 * time.Second}))
		if delivered(b) != 1 {
			t.Errorf("%v %v", b.Problem, b.Missing)
		}
	})
	t.Run("a target that is gone is missing and never zero", func(t *testing.T) {
		r.down.Store(true)
		r.until("the series have ended", func() bool { b = readOne(t, s); return strings.HasPrefix(outcome(b, live[0].Key), "not_found") })
		r.down.Store(false)
		r.until("they are back", func() bool { return !strings.HasPrefix(outcome(readOne(t, s), live[0].Key), "not_found") })
	})
	t.Run("a dead server is unreachable and is read again as soon as it lives", func(t *testing.T) {
		r.stop()
		if b := readOne(t, s); b.Problem == nil || b.Problem.Class != sale.Unreachable || len(b.Readings) > 0 {
			t.Errorf("a dead server gave %+v", b)
		}
		r.start()
		if b := readOne(t, s); b.Problem != nil {
			t.Errorf("a living server gave %v", b.Problem)
		}
	})
}

// joinedEqualsBare compares at one instant of the past, so that time does not move between.
func joinedEqualsBare(t *testing.T, r *realServer) {
	at := "@ " + strconv.FormatInt(time.Now().Add(-2*time.Second).Unix(), 10)
	exprs := []string{
		`sum(shop_tickets_left ` + at + `)`, `60 * sum(rate(shop_orders_total[10s] ` + at + `))`,
		`histogram_quantile(0.95, sum by (le) (rate(shop_latency_seconds_bucket[10s] ` + at + `)))`,
		`sum(rate(shop_orders_total{sale="none"}[10s] ` + at + `))`, `vector(0) / 0`, `1 / 0`, `scalar(sum(shop_tickets_left ` + at + `))`,
		`shop_tickets_left{sale="quay"} ` + at, `sum(no_such_metric) or vector(0)`, `absent(no_such_metric)`,
	}
	queries := queriesOf(exprs)
	b := readOne(t, mustNew(t, Options{URL: "http://" + r.addr, Queries: queries}))
	if b.Calls != 1 {
		t.Errorf("%d requests for all, want 1", b.Calls)
	}
	bare := mustNew(t, Options{URL: "http://" + r.addr, Queries: queries[:1]})
	for _, q := range queries {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		only := &term{expr: q.Expr}
		alone := &round{s: bare, ctx: ctx, results: map[*term]result{}}
		alone.one(only)
		cancel()
		value, _, why := oneNumber(alone.results[only].samples, q.Expr)
		want := strconv.FormatFloat(value, 'g', 12, 64)
		if why != nil {
			want = string(why.Class) + ": " + why.Text
		}
		if got := outcome(b, q.Key); got != want {
			t.Errorf("%s\n joined: %s\n bare:   %s", q.Expr, got, want)
		}
	}
}
