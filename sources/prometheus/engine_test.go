package prometheus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/util/teststorage"
)

// engine is Prometheus' own PromQL engine behind the API's two endpoints.
type engine struct {
	*httptest.Server
	db     *teststorage.TestStorage
	ng     *promql.Engine
	now    atomic.Int64 // the server's clock, Unix milliseconds
	mu     sync.Mutex
	asked  []string // "query" or "query_range" of every request
	refuse func(query string) bool
}

func serveEngine(t testing.TB, load string, at time.Duration) *engine {
	t.Helper()
	e := &engine{db: promqltest.LoadedStorage(t, load)}
	e.ng = promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50_000_000, Timeout: 100 * time.Second, LookbackDelta: 5 * time.Minute,
		EnableAtModifier: true, EnableNegativeOffset: true, Parser: parser.NewParser(parser.Options{}),
	})
	e.now.Store(at.Milliseconds())
	e.Server = httptest.NewServer(e)
	t.Cleanup(func() {
		e.Close()
		_ = e.ng.Close()
	})
	return e
}

func (e *engine) advance(d time.Duration) { e.now.Add(d.Milliseconds()) }

func (e *engine) requests() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	asked := e.asked
	e.asked = nil
	return asked
}

func (e *engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	e.mu.Lock()
	e.asked = append(e.asked, kind)
	refuse := e.refuse
	e.mu.Unlock()
	query := r.FormValue("query")
	if refuse != nil && refuse(query) {
		writeError(w, http.StatusUnprocessableEntity, "execution", "this server will not")
		return
	}
	var opts promql.QueryOpts
	if text := r.FormValue("lookback_delta"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			writeError(w, http.StatusBadRequest, "bad_data", err.Error())
			return
		}
		opts = promql.NewPrometheusQueryOpts(false, d)
	}
	q, err := e.prepare(r, kind, query, opts)
	if err != nil {
		writeError(w, http.StatusBadRequest, "bad_data", err.Error())
		return
	}
	defer q.Close()
	res := q.Exec(r.Context())
	if res.Err != nil {
		writeError(w, http.StatusUnprocessableEntity, "execution", res.Err.Error())
		return
	}
	warnings, infos := res.Warnings.AsStrings(query, 10, 10)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"status": "success", "warnings": warnings, "infos": infos,
		"data": map[string]any{"resultType": string(res.Value.Type()), "result": onWire(res.Value)},
	})
}

func (e *engine) prepare(r *http.Request, kind, query string, opts promql.QueryOpts) (promql.Query, error) {
	if kind == "query" {
		return e.ng.NewInstantQuery(r.Context(), e.db, opts, query, time.UnixMilli(e.now.Load()))
	}
	start, end, step := number(r, "start"), number(r, "end"), number(r, "step")
	if points := (end - start) / step; points > 11_000 {
		return nil, errors.New("exceeded maximum resolution of 11,000 points per timeseries")
	}
	return e.ng.NewRangeQuery(r.Context(), e.db, opts, query, seconds(start), seconds(end), time.Duration(step*float64(time.Second)))
}

func number(r *http.Request, name string) float64 {
	f, _ := strconv.ParseFloat(r.FormValue(name), 64)
	return f
}

func seconds(s float64) time.Time { return time.UnixMilli(int64(math.Round(s * 1000))) }

func writeError(w http.ResponseWriter, status int, kind, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": "error", "errorType": kind, "error": text})
}

func onWire(value parser.Value) any {
	point := func(t int64, f float64) []any { return []any{float64(t) / 1000, strconv.FormatFloat(f, 'g', -1, 64)} }
	list := []any{}
	switch v := value.(type) {
	case promql.Scalar:
		return point(v.T, v.V)
	case promql.String:
		return []any{float64(v.T) / 1000, v.V}
	case promql.Vector:
		for _, s := range v {
			if s.H != nil {
				list = append(list, map[string]any{"metric": s.Metric, "histogram": []any{float64(s.T) / 1000, map[string]any{
					"count": fmt.Sprint(s.H.Count), "sum": fmt.Sprint(s.H.Sum), "buckets": []any{},
				}}})
				continue
			}
			list = append(list, map[string]any{"metric": s.Metric, "value": point(s.T, s.F)})
		}
	case promql.Matrix:
		for _, s := range v {
			values := []any{}
			for _, p := range s.Floats {
				values = append(values, point(p.T, p.F))
			}
			list = append(list, map[string]any{"metric": s.Metric, "values": values})
		}
	}
	return list
}

// shopLoad is 20 minutes of a shop, scraped every 15 s.
const shopLoad = `load 15s
	shop_tickets_left{sale="harbour"} 15200-7x80
	shop_tickets_left{sale="quay"} 800-1x80
	shop_orders_total{sale="harbour",pod="a"} 0+30x80
	shop_orders_total{sale="harbour",pod="b"} 0+12x40 0+9x39
	shop_payments_failed_total{sale="harbour"} 0+1x80
	shop_payments_total{sale="harbour"} 0+20x80
	shop_payments_total{sale="idle"} 5x80
	shop_payments_failed_total{sale="idle"} 0x80
	shop_latency_seconds_bucket{sale="harbour",le="0.5"} 0+10x80
	shop_latency_seconds_bucket{sale="harbour",le="1"} 0+18x80
	shop_latency_seconds_bucket{sale="harbour",le="+Inf"} 0+20x80
	shop_checkout_seconds{sale="harbour"} {{schema:0 sum:5 count:4 buckets:[1 2 1]}}+{{schema:0 sum:5 count:4 buckets:[1 2 1]}}x80
`

// expressions are the shapes of query that people write, good and bad.
var expressions = []string{
	`shop_tickets_left{sale="harbour"}`,
	`sum(shop_tickets_left)`,
	`60 * sum(rate(shop_orders_total{sale="harbour"}[1m]))`,
	`sum(rate(shop_payments_failed_total{sale="harbour"}[1m])) / (sum(rate(shop_payments_total{sale="harbour"}[1m])) > 0)`,
	`sum(rate(shop_payments_failed_total{sale="idle"}[1m])) / sum(rate(shop_payments_total{sale="idle"}[1m]))`,
	`sum(rate(shop_payments_total{sale="idle"}[1m])) > 0`,
	`histogram_quantile(0.95, sum by (le) (rate(shop_latency_seconds_bucket{sale="harbour"}[1m])))`,
	`histogram_quantile(0.9, sum(rate(shop_checkout_seconds{sale="harbour"}[1m])))`,
	`shop_checkout_seconds{sale="harbour"}`,
	`sum(rate(shop_checkout_seconds[1m]))`,
	`no_such_metric`,
	`sum(no_such_metric) or vector(0)`,
	`absent(no_such_metric)`,
	`shop_tickets_left`,
	`rate(shop_orders_total[1m])`,
	`{__name__=~"shop_payments.*", sale="harbour"}`,
	`17`,
	`scalar(sum(shop_tickets_left)) / 2`,
	`1 / 0`,
	`vector(1) / 0`,
	`time()`,
	`max_over_time(sum(rate(shop_orders_total[1m]))[5m:15s])`,
	`shop_tickets_left{sale="quay"} offset 5m`,
	`sum(shop_tickets_left) - sum(shop_tickets_left offset 10m)`,
	"sum(shop_tickets_left) # both sales",
	`label_replace(shop_tickets_left{sale="quay"}, "onsale_query", "3", "", "")`,
	`topk(1, shop_tickets_left)`,
	`count(shop_orders_total) by (pod)`,
	`-shop_tickets_left{sale="quay"}`,
	`shop_tickets_left{sale="harbour"} and on() shop_tickets_left{sale="quay"}`,
	`(shop_tickets_left{sale="none"} or shop_tickets_left{sale="quay"})`,
}

func queriesOf(exprs []string) []Query {
	queries := make([]Query, len(exprs))
	for i, expr := range exprs {
		queries[i] = Query{Key: sale.Key{Sale: "harbour", Signal: sale.Signal("s" + strconv.Itoa(i))}, Unit: sale.Count, Expr: expr}
	}
	return queries
}

func mustNew(t testing.TB, o Options) *Source {
	t.Helper()
	if o.Name == "" {
		o.Name = "metrics"
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.wire.client.CloseIdleConnections)
	return s
}

func readOne(t testing.TB, s *Source) sale.Batch {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return s.Read(ctx, time.Now())
}

// outcome is what a reader gets of one signal, without times.
func outcome(b sale.Batch, key sale.Key) string {
	if b.Problem != nil {
		return "failed: " + b.Problem.Text
	}
	for _, r := range b.Readings {
		if r.Key == key {
			return strconv.FormatFloat(r.Value, 'g', 12, 64)
		}
	}
	for _, m := range b.Missing {
		if m.Key == key {
			return string(m.Problem.Class) + ": " + m.Problem.Text
		}
	}
	return "neither delivered nor missing"
}

func TestTheJoinedQueryGivesWhatEveryQueryGivesAlone(t *testing.T) {
	e := serveEngine(t, shopLoad, 20*time.Minute)
	all := queriesOf(expressions)
	together := mustNew(t, Options{URL: e.URL, Queries: all})
	batch := readOne(t, together)
	if asked := e.requests(); len(asked) != 1 {
		t.Errorf("%d signals took %d requests, want 1", len(all), len(asked))
	}
	delivered := 0
	for _, q := range all {
		alone := mustNew(t, Options{URL: e.URL, Queries: []Query{q}})
		want, got := e.alone(t, q.Expr), outcome(batch, q.Key)
		if !same(got, want) {
			t.Errorf("%s\n joined: %s\n bare:   %s", q.Expr, got, want)
		}
		if single := outcome(readOne(t, alone), q.Key); !same(single, want) {
			t.Errorf("%s\n by itself: %s\n bare:      %s", q.Expr, single, want)
		}
		if !strings.Contains(want, ": ") {
			delivered++
		}
	}
	if delivered < 18 {
		t.Errorf("only %d of the expressions gave a number: the test does not look at much", delivered)
	}
}

// alone asks the engine directly, without any of our own code.
func (e *engine) alone(t *testing.T, expr string) string {
	t.Helper()
	q, err := e.ng.NewInstantQuery(context.Background(), e.db, nil, expr, time.UnixMilli(e.now.Load()))
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	res := q.Exec(context.Background())
	if res.Err != nil {
		t.Fatal(res.Err)
	}
	var value float64
	switch v := res.Value.(type) {
	case promql.Scalar:
		value = v.V
	case promql.Vector:
		switch {
		case len(v) == 0:
			return "not_found: no series"
		case len(v) > 1:
			return fmt.Sprintf("bad_data: %d series", len(v))
		case v[0].H != nil:
			return "bad_data: a native histogram"
		}
		value = v[0].F
	}
	switch {
	case math.IsNaN(value):
		return "not_found: NaN"
	case math.IsInf(value, 0):
		return "bad_data: infinite"
	}
	return strconv.FormatFloat(value, 'g', 12, 64)
}

func same(got, want string) bool {
	if strings.Contains(want, ": ") {
		return strings.HasPrefix(got, want)
	}
	return got == want
}
