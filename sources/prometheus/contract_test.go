package prometheus_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/prometheus"
	"github.com/onsale-dev/onsale/sources/sourcetest"
	"github.com/prometheus/common/config"
)

var (
	holds  = sale.Key{Sale: "harbour", Signal: sale.Holds}
	left   = sale.Key{Sale: "harbour", Signal: sale.TicketsLeft}
	orders = sale.Key{Sale: "quay", Signal: sale.OrderRate}
)

var threeQueries = []prometheus.Query{
	{Key: holds, Unit: sale.Count, Expr: `sum(shop_holds{sale="harbour"})`},
	{Key: left, Unit: sale.Tickets, Expr: `sum(shop_tickets_left{sale="harbour"})`},
	{Key: orders, Unit: sale.PerMinute, Expr: `60 * sum(rate(shop_orders_total{sale="quay"}[1m]))`},
}

// labelled finds the expressions of a joined query: in a fake API, the id is all that matters.
var labelled = regexp.MustCompile(`"onsale_query","(t?\d+)"`)

// fakeAPI answers a joined query with a value per expression, except for those left out.
func fakeAPI(text string, leftOut ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := float64(time.Now().UnixMilli()) / 1000
		var samples []string
		for _, m := range labelled.FindAllStringSubmatch(r.FormValue("query"), -1) {
			if strings.Contains(" "+strings.Join(leftOut, " ")+" ", " "+m[1]+" ") {
				continue
			}
			value := "7"
			if strings.HasPrefix(m[1], "t") {
				value = fmt.Sprintf("%.3f", now)
			}
			metric, _ := json.Marshal(map[string]string{"onsale_query": m[1], "note": text})
			samples = append(samples, fmt.Sprintf(`{"metric":%s,"value":[%.3f,%q]}`, metric, now, value))
		}
		warning, _ := json.Marshal([]string{text})
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"status":"success","warnings":%s,"infos":%s,"data":{"resultType":"vector","result":[%s]}}`, warning, warning, strings.Join(samples, ","))
	})
}

func apiError(w http.ResponseWriter, _ *http.Request, status int, message string) {
	kind := map[int]string{401: "unauthorized", 404: "not_found", 429: "too_many_requests", 500: "internal", 503: "unavailable"}[status]
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": "error", "errorType": kind, "error": message})
}

func TestTheContractOfEverySource(t *testing.T) {
	want := map[sale.Key]sale.Unit{}
	for _, q := range threeQueries {
		want[q.Key] = q.Unit
	}
	text := func(s string) []byte { return []byte(s) }
	sourcetest.Contract(t, sourcetest.Harness{
		New: func(t *testing.T, url string) sources.Source {
			return newSource(t, prometheus.Options{
				URL: strings.Replace(url, "://", "://reader:"+sourcetest.Secret+"@", 1), Queries: threeQueries,
				HTTP: &config.HTTPClientConfig{HTTPHeaders: &config.Headers{Headers: map[string]config.Header{
					"X-Scope-OrgID": {Secrets: []config.Secret{sourcetest.Secret}},
				}}},
			})
		},
		Healthy:        fakeAPI("fine"),
		Want:           want,
		Partial:        fakeAPI("partial response", "1"),
		PartialMissing: []sale.Key{left},
		Hostile:        fakeAPI(sourcetest.Escape + sourcetest.Secret),
		Fail:           apiError,
		WrongTypes: [][]byte{
			text(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,2]}]}}`),
			text(`{"status":"success","data":{"resultType":"vector","result":[{"metric":[],"value":[1,"2"]}]}}`),
			text(`{"status":"success","data":{"resultType":"vector","result":{}}}`),
			text(`{"status":"success","data":{"resultType":"tensor","result":[]}}`),
			text(`{"status":"success","data":{"resultType":"string","result":[1,"x"]}}`),
			text(`{"status":"success","data":null}`),
			text(`{"status":"success"}`),
			text(`{"status":"success","data":[]}`),
		},
		CallsPerPoll: 1,
		Recovery:     1,
	})
}

func newSource(t testing.TB, o prometheus.Options) *prometheus.Source {
	t.Helper()
	if o.Name == "" {
		o.Name = "metrics"
	}
	src, err := prometheus.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return src
}
