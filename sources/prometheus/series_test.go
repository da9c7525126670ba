package prometheus

import "testing"

func TestHowManySeriesAnExpressionGivesAsFarAsItsTextTells(t *testing.T) {
	for _, c := range []struct {
		expr  string
		count int
		whole string
	}{
		{`sum(rate(orders_total[1m]))`, 1, ""},
		{`60 * sum(rate(orders_total[1m]))`, 1, ""},
		{`vector(1)`, 1, ""},
		{`time()`, 1, ""},
		{`absent(up)`, 1, ""},
		{`sum(a) or vector(0)`, 1, ""},
		{`clamp_max(sum(a), 1)`, 1, ""},
		{`max_over_time(sum(a)[5m:1m])`, 1, ""},
		{`topk(1, a)`, 1, ""},
		{`histogram_quantile(0.95, sum by (le) (rate(x_bucket[1m])))`, 1, ""},
		{`tickets_left{sale="harbour"}`, 0, ""},
		{`rate(orders_total[1m])`, 0, ""},
		{`sum(a) / b`, 0, ""},
		{`orders[1m]`, -1, ""},
		{`"text"`, -1, ""},
		{`not promql (`, 0, ""},
		{`sum by (route) (rate(a[1m]))`, 2, `sum(rate(a[1m]))`},
		{`sum without (pod) (a) * 60`, 2, `sum(a) * 60`},
		{`-(max by (pod) (a))`, 2, `-(max(a))`},
		{`avg by (pod) (a)`, 2, ""},
		{`quantile by (pod) (0.9, a)`, 2, ""},
		{`topk(5, sum by (route) (a))`, 2, `max(sum by (route) (a))`},
		{`bottomk(3, a)`, 2, `min(a)`},
		{`histogram_quantile(0.95, sum by (le, route) (rate(x_bucket[1m])))`, 2, `histogram_quantile(0.95, sum by (le) (rate(x_bucket[1m])))`},
		{`sum by (r) (a) / sum by (r) (b)`, 2, `sum(a) / sum(b)`},
		{`sum by (r) (a) / on (r) group_left () (sum by (r) (b) > 0)`, 2, `sum(a) / (sum(b) > 0)`},
		{`max by (r) (a) / max by (r) (b)`, 2, ""},
		{`sum by (r) (a) > sum by (r) (b)`, 2, ""},
		{`sum by (r) (a) or sum by (r) (b)`, 2, ""},
		{`count_values("version", build)`, 2, ""},
	} {
		got := SeriesOf(c.expr)
		if got.Count != c.count || got.Whole != c.whole {
			t.Errorf("%s: %d %q, want %d %q", c.expr, got.Count, got.Whole, c.count, c.whole)
		}
		if got.Whole != "" && SeriesOf(got.Whole).Count != 1 {
			t.Errorf("%s: the whole, %s, is not one series", c.expr, got.Whole)
		}
	}
	if !SeriesOf(`sum by (le) (rate(x_bucket[1m]))`).Buckets || SeriesOf(`sum by (le, route) (rate(x_bucket[1m]))`).Buckets {
		t.Error("buckets are a sum by (le) and by nothing else")
	}
}

// What the text alone promises must hold against the engine.
func TestTheWholeIsWhatTheEngineGivesForAllSeriesTogether(t *testing.T) {
	e := serveEngine(t, shopLoad, 20*60*1e9)
	pairs := [][2]string{
		{`sum by (pod) (shop_orders_total)`, `sum(shop_orders_total)`},
		{`sum by (sale) (shop_payments_failed_total) / on (sale) (sum by (sale) (shop_payments_total) > 0)`, `sum(shop_payments_failed_total) / sum(shop_payments_total)`},
		{`topk(5, shop_tickets_left)`, `max(shop_tickets_left)`},
		{`histogram_quantile(0.5, sum by (le, sale) (shop_latency_seconds_bucket))`, `histogram_quantile(0.5, sum by (le) (shop_latency_seconds_bucket))`},
	}
	for _, p := range pairs {
		queries := queriesOf([]string{SeriesOf(p[0]).Whole, p[1]})
		b := readOne(t, mustNew(t, Options{URL: e.URL, Queries: queries}))
		if got, want := outcome(b, queries[0].Key), outcome(b, queries[1].Key); got != want {
			t.Errorf("%s: %s, want %s", queries[0].Expr, got, want)
		}
	}
}
