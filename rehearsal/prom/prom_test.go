package prom

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/proto"
)

var base = time.Date(2026, 12, 4, 9, 0, 0, 0, time.UTC)

// families make an exposition whose counter has risen by ten a second for s seconds.
func families(s float64) []*dto.MetricFamily {
	label := []*dto.LabelPair{{Name: proto.String("sale"), Value: proto.String("lantern")}}
	return []*dto.MetricFamily{
		{
			Name: proto.String("orders_total"), Help: proto.String("Orders."), Type: dto.MetricType_COUNTER.Enum(),
			Metric: []*dto.Metric{{Label: label, Counter: &dto.Counter{Value: proto.Float64(10 * s)}}},
		},
		{
			Name: proto.String("left"), Help: proto.String("Left."), Type: dto.MetricType_GAUGE.Enum(),
			Metric: []*dto.Metric{{Label: label, Gauge: &dto.Gauge{Value: proto.Float64(5000 - s)}}},
		},
		{
			Name: proto.String("latency_seconds"), Help: proto.String("Latency."), Type: dto.MetricType_HISTOGRAM.Enum(),
			Metric: []*dto.Metric{{Label: label, Histogram: &dto.Histogram{SampleCountFloat: proto.Float64(20 * s), SampleSum: proto.Float64(4 * s), Bucket: []*dto.Bucket{
				{UpperBound: proto.Float64(1), CumulativeCountFloat: proto.Float64(18 * s)},
				{UpperBound: proto.Float64(2.5), CumulativeCountFloat: proto.Float64(20 * s)},
			}}}},
		},
		{
			Name: proto.String("checkout_seconds"), Help: proto.String("Checkout."), Type: dto.MetricType_HISTOGRAM.Enum(),
			Metric: []*dto.Metric{{Label: label, Histogram: &dto.Histogram{
				SampleCountFloat: proto.Float64(4 * s), SampleSum: proto.Float64(6 * s),
				Schema: proto.Int32(0), ZeroThreshold: proto.Float64(1e-9), ZeroCountFloat: proto.Float64(0),
				PositiveSpan: []*dto.BucketSpan{{Offset: proto.Int32(0), Length: proto.Uint32(2)}}, PositiveCount: []float64{3 * s, s},
			}}},
		},
	}
}

// serve starts a server with ten minutes of history at five-second steps; its clock stands at the end.
func serve10(t *testing.T) (*httptest.Server, *DB) {
	t.Helper()
	db, err := OpenDB(filepath.Join(t.TempDir(), "tsdb"), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	end := base.Add(10 * time.Minute)
	a := NewAPI(db, func() time.Time { return end })
	s := httptest.NewServer(a)
	t.Cleanup(func() {
		s.Close()
		if err := errors.Join(a.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	scraper := NewScraper(db, Target{Job: "shop", Instance: "shop:9102", Every: time.Second, Now: func() time.Time { return end }})
	for at := 0; at <= 600; at += 5 {
		if err := scraper.Backfill(base.Add(time.Duration(at)*time.Second), families(float64(at))); err != nil {
			t.Fatal(err)
		}
	}
	return s, db
}

func TestTheRealClientReadsValuesRangesAndNativeHistograms(t *testing.T) {
	s, _ := serve10(t)
	client, err := api.NewClient(api.Config{Address: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	reader := v1.NewAPI(client)
	ctx := context.Background()
	end := base.Add(10 * time.Minute)
	for query, want := range map[string]float64{
		`60 * sum(rate(orders_total{sale="lantern"}[1m]))`: 600,
		`sum(left)`: 4400,
		`histogram_quantile(0.95, sum by (le) (rate(latency_seconds_bucket[1m])))`: 1.75,
		`histogram_count(sum(rate(checkout_seconds[1m])))`:                         4,
		`up{job="shop",instance="shop:9102"}`:                                      1,
		`latency_seconds_bucket{le="+Inf"}`:                                        12000,
		`latency_seconds_bucket{le="1.0"}`:                                         10800,
	} {
		v, _, _, err := reader.Query(ctx, query, end)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		vector, ok := v.(model.Vector)
		if !ok || len(vector) != 1 || math.Abs(float64(vector[0].Value)-want) > 1e-6*want {
			t.Errorf("%s is %v, not %g", query, v, want)
		}
	}
	v, _, _, err := reader.Query(ctx, "checkout_seconds", end)
	if vector, ok := v.(model.Vector); err != nil || !ok || len(vector) != 1 || vector[0].Histogram == nil || float64(vector[0].Histogram.Count) != 2400 || len(vector[0].Histogram.Buckets) != 2 {
		t.Errorf("a native histogram reads as %v, %v", v, err)
	}
	r, _, _, err := reader.QueryRange(ctx, "sum(rate(checkout_seconds[1m]))", v1.Range{Start: base.Add(5 * time.Minute), End: end, Step: 30 * time.Second})
	if m, ok := r.(model.Matrix); err != nil || !ok || len(m) != 1 || len(m[0].Histograms) != 11 {
		t.Errorf("a range of native histograms reads as %v, %v", r, err)
	}
	r, _, _, err = reader.QueryRange(ctx, "left", v1.Range{Start: base, End: end, Step: 5 * time.Second})
	if m, ok := r.(model.Matrix); err != nil || !ok || len(m) != 1 || len(m[0].Values) != 121 || m[0].Values[1].Value != 4995 {
		t.Errorf("a range reads as %v, %v", r, err)
	}
	names, _, _, err := reader.LabelNames(ctx, nil, base, end)
	if fmt.Sprint(names) != "__name__, instance, job, le, sale" || err != nil {
		t.Errorf("label names are %v, %v", names, err)
	}
	values, _, _, err := reader.LabelValues(ctx, "sale", []string{"left"}, base, end)
	if fmt.Sprint(values) != "[lantern]" || err != nil {
		t.Errorf("label values are %v, %v", values, err)
	}
	series, _, _, err := reader.Series(ctx, []string{`{__name__=~"left|up"}`, "left"}, base, end)
	if len(series) != 2 || err != nil {
		t.Errorf("series are %v, %v", series, err)
	}
	about, err := reader.Metadata(ctx, "latency_seconds", "")
	if err != nil || len(about["latency_seconds"]) != 1 || about["latency_seconds"][0].Type != v1.MetricTypeHistogram {
		t.Errorf("metadata is %v, %v", about, err)
	}
	build, err := reader.Buildinfo(ctx)
	if err != nil || build.Version != Version {
		t.Errorf("the build is %v, %v", build, err)
	}
}

func TestWarningsAndInfosReachTheClient(t *testing.T) {
	s, _ := serve10(t)
	client, err := api.NewClient(api.Config{Address: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	end := base.Add(10 * time.Minute)
	_, warnings, _, err := v1.NewAPI(client).Query(context.Background(), "quantile(7, left)", end)
	if err != nil || len(warnings) != 1 {
		t.Errorf("a quantile of 7 warns %v, %v", warnings, err)
	}
	_, _, infos, err := v1.NewAPI(client).Query(context.Background(), "rate(left[1m])", end)
	if err != nil || len(infos) != 1 {
		t.Errorf("a rate of a gauge informs %v, %v", infos, err)
	}
	v, warnings, _, err := v1.NewAPI(client).Query(context.Background(), "latency_seconds_bucket", end, v1.WithLimit(2))
	if vector, ok := v.(model.Vector); err != nil || !ok || len(vector) != 2 || len(warnings) != 1 {
		t.Errorf("a limit of 2 gives %v, %v, %v", v, warnings, err)
	}
}

func TestEveryRefusalHasItsStatusAndClass(t *testing.T) {
	s, _ := serve10(t)
	ask := func(path string, values url.Values) (int, map[string]any) {
		t.Helper()
		resp, err := http.PostForm(s.URL+path, values)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		var out map[string]any
		if err := json.Unmarshal(body, &out); err != nil {
			t.Fatalf("%s %v: %s", path, values, body)
		}
		return resp.StatusCode, out
	}
	seconds := func(d time.Duration) string { return strconv.FormatInt(base.Add(d).Unix(), 10) }
	for _, c := range []struct {
		name, path string
		values     url.Values
		status     int
		class      string
	}{
		{"a query that does not parse", "/api/v1/query", url.Values{"query": {"sum("}}, 400, "bad_data"},
		{"no query", "/api/v1/query", nil, 400, "bad_data"},
		{"a time that is none", "/api/v1/query", url.Values{"query": {"up"}, "time": {"yesterday"}}, 400, "bad_data"},
		{"a time beyond reason", "/api/v1/query", url.Values{"query": {"up"}, "time": {"1e300"}}, 400, "bad_data"},
		{"a bad timeout", "/api/v1/query", url.Values{"query": {"up"}, "timeout": {"soon"}}, 400, "bad_data"},
		{"a bad lookback", "/api/v1/query", url.Values{"query": {"up"}, "lookback_delta": {"x"}}, 400, "bad_data"},
		{"a negative limit", "/api/v1/query", url.Values{"query": {"up"}, "limit": {"-1"}}, 400, "bad_data"},
		{"labels that match many to many", "/api/v1/query", url.Values{"query": {"latency_seconds_bucket * on(sale) latency_seconds_bucket"}, "time": {seconds(10 * time.Minute)}}, 422, "execution"},
		{"a timeout of nothing", "/api/v1/query", url.Values{"query": {"up"}, "timeout": {"0.000000001"}}, 503, "timeout"},
		{"an end before its start", "/api/v1/query_range", url.Values{"query": {"up"}, "start": {seconds(1)}, "end": {"0"}, "step": {"1"}}, 400, "bad_data"},
		{"a step of nothing", "/api/v1/query_range", url.Values{"query": {"up"}, "start": {"0"}, "end": {"10"}, "step": {"0"}}, 400, "bad_data"},
		{"11,001 steps", "/api/v1/query_range", url.Values{"query": {"up"}, "start": {"0"}, "end": {"11001"}, "step": {"1"}}, 400, "bad_data"},
		{"series without a selector", "/api/v1/series", nil, 400, "bad_data"},
		{"a selector of everything", "/api/v1/series", url.Values{"match[]": {`{x=~".*"}`}}, 400, "bad_data"},
	} {
		status, out := ask(c.path, c.values)
		if status != c.status || out["status"] != "error" || out["errorType"] != c.class || out["error"] == "" {
			t.Errorf("%s: %d %v, not %d %s", c.name, status, out, c.status, c.class)
		}
	}
	if status, out := ask("/api/v1/query_range", url.Values{"query": {"vector(1)"}, "start": {"0"}, "end": {"11000"}, "step": {"1"}}); status != 200 || out["status"] != "success" {
		t.Errorf("11,000 steps are refused: %d %v", status, out["error"])
	}
	if status, out := ask("/api/v1/query", url.Values{"query": {"nothing_here"}}); status != 200 || !strings.Contains(fmt.Sprint(out["data"]), "result:[]") {
		t.Errorf("an empty vector reads as %v", out)
	}
	if status, out := ask("/api/v1/query", url.Values{"query": {"left"}, "time": {seconds(10*time.Minute + 90*time.Second)}, "lookback_delta": {"1m"}}); status != 200 || !strings.Contains(fmt.Sprint(out["data"]), "result:[]") {
		t.Errorf("a lookback of a minute finds a sample of 90 s: %v", out)
	}
}

func TestAFailedScrapeEndsTheSeriesAndSaysSo(t *testing.T) {
	var broken atomic.Bool
	now := base
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		format := expfmt.NewFormat(expfmt.TypeProtoDelim)
		w.Header().Set("Content-Type", string(format))
		enc := expfmt.NewEncoder(w, format)
		for _, f := range families(now.Sub(base).Seconds()) {
			if err := enc.Encode(f); err != nil {
				t.Error(err)
			}
		}
	}))
	defer target.Close()
	db, err := OpenDB(filepath.Join(t.TempDir(), "tsdb"), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	a := NewAPI(db, func() time.Time { return now })
	defer a.Close()
	s := NewScraper(db, Target{URL: target.URL, Job: "shop", Instance: "x", Every: 5 * time.Second, Now: func() time.Time { return now }})
	value := func(query string) string {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/query?query="+url.QueryEscape(query), nil))
		var out struct {
			Data struct {
				Result []struct{ Value [2]any }
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			t.Fatal(err)
		}
		if len(out.Data.Result) == 0 {
			return "none"
		}
		return fmt.Sprint(out.Data.Result[0].Value[1])
	}
	scrape := func() {
		now = now.Add(time.Second)
		if err := s.Scrape(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	scrape()
	if value("left") != "4999" || value("up") != "1" || value("histogram_count(checkout_seconds)") != "4" {
		t.Errorf("a good scrape gives %s, up %s", value("left"), value("up"))
	}
	broken.Store(true)
	scrape()
	if value("left") != "none" || value("checkout_seconds") != "none" || value("up") != "0" {
		t.Errorf("a failed scrape leaves %s, up %s", value("left"), value("up"))
	}
	broken.Store(false)
	scrape()
	if value("left") != "4997" || value("up") != "1" {
		t.Errorf("a mended target gives %s, up %s", value("left"), value("up"))
	}
	if err := s.Scrape(context.Background()); err != nil {
		t.Errorf("a second scrape at the same instant: %v", err)
	}
}

func TestWhatIsOlderThanTheRetentionIsDropped(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tsdb")
	db, err := OpenDB(dir, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	flat := Flattener{Job: "shop", Instance: "x"}
	same := families(0)
	for at := range 6 * 60 * 4 { // six hours at 15 s
		*same[0].Metric[0].Counter.Value = float64(at)
		if err := db.Append(base.Add(time.Duration(at)*15*time.Second), flat.Flatten(same)); err != nil {
			t.Fatal(err)
		}
	}
	oldest := time.UnixMilli(db.head.MinTime())
	if end := base.Add(6 * time.Hour); end.Sub(oldest) > time.Hour+2*chunkRange || end.Sub(oldest) < time.Hour {
		t.Errorf("after six hours the oldest sample is of %s", oldest)
	}
	if n := db.Series(); n != 8 {
		t.Errorf("%d series", n)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the files stay: %v", err)
	}
	if err := db.Append(base.Add(7*time.Hour), nil); err == nil {
		t.Error("a closed database takes samples")
	}
	if _, err := db.Querier(0, 1); err == nil {
		t.Error("a closed database answers")
	}
}

// TestARealServersEnvelopeIsTheSame holds the API against the Prometheus server whose binary
// ONSALE_PROMETHEUS names, with queries that need no data. Servers of other versions word
// errors differently and know fewer warnings, so those are left out.
func TestARealServersEnvelopeIsTheSame(t *testing.T) {
	theirs := startServer(t)
	ours, _ := serve10(t)
	for _, query := range []string{"vector(1)", "1", `"a"`, "nothing_here", "1/0", "sum(", "vector(1)[5m:1m]", `label_replace(vector(1), "a", "b", "", "")`} {
		read := func(address string) (int, map[string]any) {
			resp, err := http.Get(address + "/api/v1/query?time=1700000000&query=" + url.QueryEscape(query))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var out map[string]any
			if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
				t.Fatal(err)
			}
			for _, worded := range []string{"error", "warnings", "infos"} {
				delete(out, worded)
			}
			return resp.StatusCode, out
		}
		s1, b1 := read(ours.URL)
		s2, b2 := read(theirs)
		if s1 != s2 || fmt.Sprint(b1) != fmt.Sprint(b2) {
			t.Errorf("%s:\nours   %d %v\ntheirs %d %v", query, s1, b1, s2, b2)
		}
	}
}

// startServer starts an empty Prometheus server on the loopback interface.
func startServer(t *testing.T) (address string) {
	t.Helper()
	binary := os.Getenv("ONSALE_PROMETHEUS")
	if binary == "" {
		t.Skip("NOT TESTED against a real Prometheus: ONSALE_PROMETHEUS names no binary (make peers fetches one)")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte("global: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := ln.Addr().String()
	_ = ln.Close()
	cmd := exec.Command(binary, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+listen, "--log.level=error")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		resp, err := http.Get("http://" + listen + "/-/ready")
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return "http://" + listen
		}
	}
	t.Fatal("the server is not ready after a minute")
	return ""
}

func FuzzAnyQueryIsAnsweredInTheEnvelope(f *testing.F) {
	for _, q := range []string{"up", "sum(", "rate(left[1m])", "{", "1/0", "quantile(-1, left)"} {
		f.Add(q, "1", "0", "10", "1")
	}
	db, err := OpenDB(filepath.Join(f.TempDir(), "tsdb"), time.Hour)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = db.Close() })
	a := NewAPI(db, func() time.Time { return base })
	f.Fuzz(func(t *testing.T, query, at, start, end, step string) {
		for _, path := range []string{
			"/api/v1/query?" + url.Values{"query": {query}, "time": {at}, "timeout": {"1s"}, "limit": {step}, "lookback_delta": {end}}.Encode(),
			"/api/v1/query_range?" + url.Values{"query": {query}, "start": {start}, "end": {end}, "step": {step}, "timeout": {"1s"}}.Encode(),
			"/api/v1/series?" + url.Values{"match[]": {query}, "start": {start}, "end": {end}}.Encode(),
		} {
			w := httptest.NewRecorder()
			a.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
			var out map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || out["status"] != "success" && out["status"] != "error" {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
		}
	})
}
