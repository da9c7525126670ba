package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// This file runs Debian's own Prometheus server over a shop whose figures are known.

// peerShops times the figures of shopFigures are the 204 moving series that the peers of
// docs/performance.md were measured over.
const peerShops = 17

// shopFigure is one exposed metric. A counter has a rate that is asked for per minute.
type shopFigure struct {
	metric string
	signal string
	base   float64
	rate   bool // a counter that grows by base a second
}

// shopFigures lists the twelve: eight for the charts, then four numbers.
func shopFigures() []shopFigure {
	return []shopFigure{
		{metric: "shop_admitted_total", signal: "admission_rate", base: 13, rate: true},
		{metric: "shop_waiting", signal: "waiting", base: 12400},
		{metric: "shop_payment_failure_ratio", signal: "payment_failure_ratio", base: 0.021},
		{metric: "shop_db_connections", signal: "db_connections", base: 1240},
		{metric: "shop_tickets_left", signal: "tickets_left", base: 8300},
		{metric: "shop_orders_total", signal: "order_rate", base: 4, rate: true},
		{metric: "shop_latency_seconds", signal: "latency_p95_seconds", base: 0.84},
		{metric: "shop_error_ratio", signal: "error_ratio", base: 0.004},
		{metric: "shop_active_users", signal: "active_users", base: 3440},
		{metric: "shop_holds", signal: "holds", base: 1420},
		{metric: "shop_requests", signal: "request_rate", base: 930},
		{metric: "shop_queue_depth", signal: "queue_depth", base: 310},
	}
}

// fortyFigures are the twelve and 28 more, as a shop that measures everything has them.
func fortyFigures() []shopFigure {
	figures := shopFigures()
	for i := range 28 {
		name := fmt.Sprintf("part_%02d", i+1)
		figures = append(figures, shopFigure{metric: "shop_" + name, signal: name, base: 10 * float64(i+1)})
	}
	return figures
}

// at is what the metric of one shop is at an instant: it moves visibly each second.
func (f shopFigure) at(shop int, at time.Time) float64 {
	t := float64(at.UnixMilli()) / 1000
	phase := float64(shop) + f.base
	if f.rate {
		return f.base * (t + 0.3*97*math.Sin(t/97+phase)) // its slope swings by 30 %
	}
	return f.base * (1 + 0.3*math.Sin(t/97+phase) + 0.08*math.Sin(2.1*t+phase))
}

// exposition is the shop's /metrics. While still is set the gauges keep their base and the
// counters grow evenly, so that a test can say what must be read.
type exposition struct {
	still   bool
	shops   int
	figures []shopFigure // nil: shopFigures
}

func (e exposition) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	now := time.Now()
	buf := bufio.NewWriter(w)
	defer func() { _ = buf.Flush() }()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	figures := e.figures
	if figures == nil {
		figures = shopFigures()
	}
	for _, f := range figures {
		kind := "gauge"
		if f.rate {
			kind = "counter"
		}
		_, _ = fmt.Fprintf(buf, "# TYPE %s %s\n", f.metric, kind)
		for shop := range e.shops {
			_, _ = fmt.Fprintf(buf, "%s{shop=\"%d\"} %g\n", f.metric, shop, e.value(f, shop, now))
		}
	}
}

func (e exposition) value(f shopFigure, shop int, now time.Time) float64 {
	switch {
	case !e.still:
		return f.at(shop, now)
	case f.rate:
		return f.base * float64(now.UnixMilli()-startOfDay(now).UnixMilli()) / 1000
	}
	return f.base * float64(shop+1)
}

func startOfDay(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// prometheusServer is a real server process on loopback.
type prometheusServer struct {
	tb      testing.TB
	program string
	dir     string
	port    int
	cmd     *exec.Cmd
}

func (p *prometheusServer) url() string { return "http://127.0.0.1:" + strconv.Itoa(p.port) }

// startPrometheus runs a server that scrapes the shop each second. With a past it starts with
// that much history, as one that has been running for a while. It skips where no server is.
func startPrometheus(tb testing.TB, shop http.Handler, past time.Duration) *prometheusServer {
	tb.Helper()
	program := realPrometheus()
	if program == "" {
		_, _ = fmt.Fprintf(os.Stderr, "SKIPPED: %s: no Prometheus server; run 'make peers'\n", tb.Name()) // a skip alone is not printed
		tb.Skip("no Prometheus server; run 'make peers'")
	}
	target := httptest.NewServer(shop)
	tb.Cleanup(target.Close)
	p := &prometheusServer{tb: tb, program: program, dir: tb.TempDir()}
	config := fmt.Sprintf("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n- job_name: shop\n  static_configs: [{targets: [%q]}]\n",
		strings.TrimPrefix(target.URL, "http://"))
	if err := os.WriteFile(filepath.Join(p.dir, "prometheus.yml"), []byte(config), 0o600); err != nil {
		tb.Fatal(err)
	}
	if past > 0 {
		p.backfill(strings.TrimPrefix(target.URL, "http://"), past)
	}
	for range 3 { // another process may take the port first
		p.port = freePort(tb)
		if p.start(); p.ready() {
			return p
		}
		p.stop()
	}
	tb.Fatal("prometheus did not become ready")
	return nil
}

// realPrometheus is the server's program: ONSALE_PROMETHEUS, or what make peers has fetched.
func realPrometheus() string {
	if program := os.Getenv("ONSALE_PROMETHEUS"); program != "" {
		return program
	}
	env, _ := os.ReadFile(filepath.Join("..", "..", ".peers", "env"))
	_, program, _ := strings.Cut(strings.TrimSpace(string(env)), "export ONSALE_PROMETHEUS=")
	program, _, _ = strings.Cut(program, "\n")
	if _, err := os.Stat(program); err != nil {
		return ""
	}
	return program
}

func freePort(tb testing.TB) int {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// backfill writes the past of every series of the shop into blocks of the server.
func (p *prometheusServer) backfill(instance string, past time.Duration) {
	p.tb.Helper()
	tool := filepath.Join(filepath.Dir(p.program), "promtool")
	if _, err := os.Stat(tool); err != nil {
		p.tb.Skipf("SKIPPED: no promtool beside the server: %v", err)
	}
	name := filepath.Join(p.dir, "past.om")
	file, err := os.Create(name)
	if err != nil {
		p.tb.Fatal(err)
	}
	out := bufio.NewWriter(file)
	now := time.Now().Truncate(time.Second)
	for _, f := range shopFigures() {
		_, _ = fmt.Fprintf(out, "# TYPE %s gauge\n", f.metric) // promtool wants it before each metric, whatever it is
		for shop := range peerShops {
			for at := now.Add(-past); !at.After(now.Add(-2 * time.Second)); at = at.Add(time.Second) {
				_, _ = fmt.Fprintf(out, "%s{shop=\"%d\",instance=%q,job=\"shop\"} %g %d\n", f.metric, shop, instance, f.at(shop, at), at.Unix())
			}
		}
	}
	_, _ = fmt.Fprintln(out, "# EOF")
	if err := out.Flush(); err != nil {
		p.tb.Fatal(err)
	}
	_ = file.Close()
	if said, err := exec.Command(tool, "tsdb", "create-blocks-from", "openmetrics", name, filepath.Join(p.dir, "data")).CombinedOutput(); err != nil {
		p.tb.Fatalf("promtool: %v\n%s", err, said)
	}
	_ = os.Remove(name)
}

// start starts the process; the test's end kills it.
func (p *prometheusServer) start() {
	p.tb.Helper()
	p.cmd = exec.Command(p.program,
		"--config.file="+filepath.Join(p.dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(p.dir, "data"),
		"--web.listen-address=127.0.0.1:"+strconv.Itoa(p.port),
		"--log.level=error")
	if err := p.cmd.Start(); err != nil {
		p.tb.Fatal(err)
	}
	cmd := p.cmd
	p.tb.Cleanup(func() { _ = cmd.Process.Kill(); _, _ = cmd.Process.Wait() })
}

func (p *prometheusServer) stop() {
	_ = p.cmd.Process.Kill()
	_, _ = p.cmd.Process.Wait()
}

// ready waits until the server answers and has scraped the shop twice, so that rates exist.
func (p *prometheusServer) ready() bool {
	return eventually(20*time.Second, func() bool {
		resp, err := http.Get(p.url() + "/-/ready")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK && p.counter("prometheus_target_interval_length_seconds_count{interval=\"1s\"}") >= 2
	})
}

// requests is how many requests for data the server itself has counted.
func (p *prometheusServer) requests() int {
	return int(p.counter(`prometheus_http_requests_total{code="200",handler="/api/v1/`))
}

// counter sums the server's own metrics whose lines begin so; 0 while it does not answer.
func (p *prometheusServer) counter(prefix string) float64 {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url()+"/metrics", nil)
	if err != nil {
		return 0
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(resp.Body)
	sum := 0.0
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, prefix) {
			value, _ := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' ')+1:]), 64)
			sum += value
		}
	}
	return sum
}

// eventually asks again and again, and gives up after the patience.
func eventually(patience time.Duration, ok func() bool) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if ok() {
			return true
		}
		pause(20 * time.Millisecond)
	}
	return false
}

// pause waits between two looks at another process, which has no bell to ring.
func pause(d time.Duration) { <-time.After(d) }

var configs atomic.Int64

// writeConfig writes a config file into a directory of the test and returns its path.
func writeConfig(tb testing.TB, text string) string {
	tb.Helper()
	name := filepath.Join(tb.TempDir(), fmt.Sprintf("onsale-%d.yaml", configs.Add(1)))
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return name
}

// twelvePanels is one sale with eight charts and twelve signals of one shop: the peers' screen.
func twelvePanels(url string, every time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "environment: measured\nsources:\n  metrics: {kind: prometheus, url: %q, every: %s}\n", url, every)
	fmt.Fprintf(&b, "sales:\n  - id: harbour\n    name: Harbour Lights\n    venue: Pier Hall\n    opens: %s\n    closes: %s\n    tickets: 12000\n    signals:\n",
		time.Now().Add(-time.Hour).Format(time.RFC3339), time.Now().Add(5*time.Hour).Format(time.RFC3339))
	for _, f := range shopFigures() {
		fmt.Fprintf(&b, "      %s: {from: metrics, query: %s, needed: true}\n", f.signal, f.query("0"))
	}
	b.WriteString("    panels:\n")
	for _, f := range shopFigures()[:8] {
		fmt.Fprintf(&b, "      - {title: chart %s, signals: [%s]}\n", f.signal, f.signal)
	}
	return b.String()
}

// query is the PromQL of a figure, quoted for a flow mapping of YAML.
func (f shopFigure) query(shop string) string {
	if f.rate {
		return fmt.Sprintf(`'60 * sum(rate(%s{shop="%s"}[10s]))'`, f.metric, shop)
	}
	return fmt.Sprintf(`'sum(%s{shop="%s"})'`, f.metric, shop)
}

// manySales is a config of so many sales with forty signals each, all read from one server.
func manySales(url string, sales int, every time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "environment: measured\nsources:\n  metrics: {kind: prometheus, url: %q, every: %s}\n", url, every)
	b.WriteString("templates:\n  shop:\n    signals:\n")
	for i, f := range fortyFigures() {
		rules := "" // every fourth has thresholds that are not reached
		if i%4 == 0 {
			rules = fmt.Sprintf(", watch: \"> %g for 30s\", bad: \"> %g for 1m\"", 100*max(f.base, 1), 200*max(f.base, 1))
		}
		fmt.Fprintf(&b, "      %s: {from: metrics, query: %s%s}\n", f.signal, f.query("$sale"), rules)
	}
	b.WriteString("    panels:\n")
	for _, f := range shopFigures()[:8] {
		fmt.Fprintf(&b, "      - {title: chart %s, signals: [%s]}\n", f.signal, f.signal)
	}
	b.WriteString("sales:\n")
	for i := range sales {
		fmt.Fprintf(&b, "  - {id: \"%d\", name: Show %d, venue: Hall %d, template: shop, opens: %s, tickets: 9000}\n",
			i, i, i%40, time.Now().Add(-time.Hour).Format(time.RFC3339))
	}
	return b.String()
}
