package prometheus

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// manyLoad is 20 sales of 24 signals, scraped every 5 s for 20 minutes.
func manyLoad() (load string, queries []Query) {
	var b strings.Builder
	b.WriteString("load 5s\n")
	var exprs []string
	for s := range 20 {
		for m := range 24 {
			fmt.Fprintf(&b, "  shop_signal_%d{sale=\"s%d\",pod=\"a\"} 0+%dx240\n", m, s, m+1)
			expr := fmt.Sprintf(`60 * sum(rate(shop_signal_%d{sale="s%d"}[1m]))`, m, s)
			if m%2 == 0 {
				expr = fmt.Sprintf(`sum(shop_signal_%d{sale="s%d"})`, m, s)
			}
			exprs = append(exprs, expr)
		}
	}
	return b.String(), queriesOf(exprs)
}

// BenchmarkPoll480 is a whole poll of 480 signals, Prometheus' own engine and HTTP included.
func BenchmarkPoll480(b *testing.B) {
	load, queries := manyLoad()
	e := serveEngine(b, load, 20*time.Minute)
	s := mustNew(b, Options{URL: e.URL, Queries: queries})
	b.ReportAllocs()
	for b.Loop() {
		if batch := readOne(b, s); len(batch.Readings) != 480 || batch.Calls != 1 {
			b.Fatalf("%d readings in %d requests", len(batch.Readings), batch.Calls)
		}
	}
}

// BenchmarkDecode480 is our side alone: the answer to 480 signals and their ages, from memory.
func BenchmarkDecode480(b *testing.B) {
	_, queries := manyLoad()
	var list []map[string]any
	s := mustNew(b, Options{Name: "m", URL: "http://127.0.0.1:1", Queries: queries, RoundTripper: canned{200, "{}"}})
	for _, t := range s.terms {
		list = append(list, map[string]any{"metric": map[string]string{label: t.id}, "value": []any{1796119205.123, "1796119200.5"}})
	}
	body, err := json.Marshal(map[string]any{"status": "success", "data": map[string]any{"resultType": "vector", "result": list}})
	if err != nil {
		b.Fatal(err)
	}
	s = mustNew(b, Options{Name: "m", URL: "http://127.0.0.1:1", Queries: queries, RoundTripper: canned{200, string(body)}})
	b.ReportAllocs()
	for b.Loop() {
		if batch := readOne(b, s); len(batch.Readings) != 480 {
			b.Fatalf("%d readings: %v", len(batch.Readings), batch.Problem)
		}
	}
	b.ReportMetric(float64(len(body)), "answer-bytes")
	b.ReportMetric(float64(len(join(s.terms))), "query-bytes")
}

// BenchmarkHistory480 is the one range query behind 480 charts of 20 minutes.
func BenchmarkHistory480(b *testing.B) {
	load, queries := manyLoad()
	e := serveEngine(b, load, 20*time.Minute)
	b.ReportAllocs()
	for b.Loop() {
		s := mustNew(b, Options{URL: e.URL, Queries: queries, History: 15 * time.Minute, Step: 5 * time.Second})
		readOne(b, s)
		if batch := readOne(b, s); len(batch.Readings) < 480*170 {
			b.Fatalf("%d readings, %v", len(batch.Readings), batch.Warnings)
		}
	}
}

// BenchmarkJoined measures the evaluation alone by the number of expressions in one query.
func BenchmarkJoined(b *testing.B) {
	load, queries := manyLoad()
	e := serveEngine(b, load, 20*time.Minute)
	for _, n := range []int{1, 30, 120, 240, 480} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := mustNew(b, Options{URL: e.URL, Queries: queries[:n]})
			form := url.Values{"query": {join(s.terms)}}.Encode()
			for b.Loop() {
				resp, err := http.Post(e.URL+"/api/v1/query", "application/x-www-form-urlencoded", strings.NewReader(form))
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/signal")
		})
	}
}
