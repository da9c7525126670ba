package cloudwatch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/onsale-dev/onsale/sale"
)

func q(signal string, stats ...Stat) Query {
	query := Query{Key: sale.Key{Sale: "s", Signal: sale.Signal(signal)}, Period: time.Minute, Metrics: map[string]Stat{}}
	for i, s := range stats {
		query.Metrics[fmt.Sprintf("i%03d", i)] = s
	}
	return query
}

func st(metric, statistic string) Stat {
	return Stat{Namespace: "N", Metric: metric, Statistic: statistic}
}

func expr(text string, query Query) Query {
	query.Expression = text
	return query
}

// sheet writes a plan as "call: entry, entry …", entries with an id in front, those that are
// only inputs in brackets.
func sheet(calls []*call) string {
	var out []string
	for _, c := range calls {
		var entries []string
		for _, q := range c.request.queries {
			entry := aws.ToString(q.Id) + "=" + nameOf(q)
			if q.AccountId != nil {
				entry += "@" + *q.AccountId
			}
			if !*q.ReturnData {
				entry = "(" + entry + ")"
			}
			entries = append(entries, entry)
		}
		out = append(out, fmt.Sprintf("%s %d: %s", c.period, c.request.metrics, strings.Join(entries, ", ")))
	}
	return strings.Join(out, "\n")
}

func TestThePlanAsksForEachThingOnceAndInTheRightCall(t *testing.T) {
	account := st("M", "Sum")
	account.Account = "123456789012"
	long := q("long", st("M", "Sum"))
	long.Period = 5 * time.Minute
	for _, c := range []struct {
		name    string
		queries []Query
		want    string
	}{
		{"one statistic is one billed metric", []Query{q("a", st("M", "Sum"))}, "1m0s 1: m1=N M Sum"},
		{"the same statistic is asked once for two sales", []Query{q("a", st("M", "Sum")), q("b", st("M", "Sum"))}, "1m0s 1: m1=N M Sum"},
		{
			"five statistics of a metric are billed as one, and stand side by side",
			[]Query{q("a", st("M", "Sum")), q("x", st("X", "Sum")), q("b", st("M", "p50")), q("c", st("M", "p90")), q("d", st("M", "p95")), q("e", st("M", "p99"))},
			"1m0s 2: m1=N M Sum, m2=N M p50, m3=N M p90, m4=N M p95, m5=N M p99, m6=N X Sum",
		},
		{
			"the sixth statistic is billed as a second metric",
			[]Query{q("a", st("M", "Sum")), q("b", st("M", "p50")), q("c", st("M", "p90")), q("d", st("M", "p95")), q("e", st("M", "p99")), q("f", st("M", "Maximum"))},
			"1m0s 2: m1=N M Sum, m2=N M p50, m3=N M p90, m4=N M p95, m5=N M p99, m6=N M Maximum",
		},
		{
			"an input that nobody wants itself is not returned, one that somebody wants is",
			[]Query{expr("i000 / i001", q("ratio", st("E", "Sum"), st("R", "Sum"))), q("rate", st("R", "Sum"))},
			"1m0s 2: (m1=N E Sum), m2=N R Sum, e1=m1 / m2",
		},
		{
			"statistics stand beside those of their metric, whatever came in between",
			[]Query{expr("i000 / i001", q("ratio", st("A", "Sum"), st("B", "Sum"))), q("p99", st("A", "p99"))},
			"1m0s 2: (m1=N A Sum), m2=N A p99, (m3=N B Sum), e1=m1 / m3",
		},
		{
			"the same expression over the same metrics is asked once, over others again",
			[]Query{
				expr("i000 / 60", q("a", st("E", "Sum"))), expr("i000 / 60", q("b", st("E", "Sum"))),
				expr("i000 / 60", q("c", st("R", "Sum"))), expr("i000 / 1", q("d", st("R", "Sum"))),
			},
			"1m0s 2: (m1=N E Sum), (m2=N R Sum), e1=m1 / 60, e2=m2 / 60, e3=m2 / 1",
		},
		{"another account is another metric", []Query{q("a", st("M", "Sum")), q("b", account)}, "1m0s 2: m1=N M Sum, m2=N M Sum@123456789012"},
		{"another period is another call, since its window differs", []Query{long, q("a", st("M", "Sum"))}, "1m0s 1: m1=N M Sum\n5m0s 1: m1=N M Sum"},
		{
			"a call holds one Metrics Insights query",
			[]Query{expr("SELECT MAX(A) FROM N", q("a")), expr("SELECT MAX(B) FROM N", q("b")), q("c", st("M", "Sum"))},
			"1m0s 2: m1=N M Sum, e1=SELECT MAX(A) FROM N\n1m0s 1: e1=SELECT MAX(B) FROM N",
		},
		{"nothing asked is no call", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := sheet(plan(c.queries)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestMoreThanFiveHundredEntriesAreSplit(t *testing.T) {
	for _, c := range []struct {
		name    string
		queries func() []Query
		entries []int
		billed  []int
	}{
		{"1,201 metrics are three calls", func() (qs []Query) {
			for i := range 1201 {
				qs = append(qs, q(fmt.Sprint("s", i), st(fmt.Sprint("M", i), "Sum")))
			}
			return qs
		}, []int{500, 500, 201}, []int{500, 500, 201}},
		// a ratio takes 3 entries: 166 in a call make 498, 34 are left
		{"200 ratios are never cut in two", func() (qs []Query) {
			for i := range 200 {
				qs = append(qs, expr("i000 / i001", q(fmt.Sprint("s", i), st(fmt.Sprint("E", i), "Sum"), st(fmt.Sprint("R", i), "Sum"))))
			}
			return qs
		}, []int{498, 102}, []int{332, 68}},
		// 499 metrics fill a call but for one place; two statistics of one metric need two
		{"two statistics of a metric go together into the next call", func() (qs []Query) {
			for i := range 499 {
				qs = append(qs, q(fmt.Sprint("s", i), st(fmt.Sprint("M", i), "Sum")))
			}
			return append(qs, q("p50", st("Z", "p50")), q("p99", st("Z", "p99")))
		}, []int{499, 2}, []int{499, 1}},
		// one metric under 600 expressions: 499 + the metric, then 101 + the metric again
		{"a group too large for a call is spread, and the shared metric paid for twice", func() (qs []Query) {
			for i := range 600 {
				qs = append(qs, expr(fmt.Sprintf("i000 / %d", i+1), q(fmt.Sprint("s", i), st("M", "Sum"))))
			}
			return qs
		}, []int{500, 102}, []int{1, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var entries, billed []int
			for _, call := range plan(c.queries()) {
				entries, billed = append(entries, len(call.request.queries)), append(billed, call.request.metrics)
				seen := map[string]bool{}
				for _, q := range call.request.queries {
					if id := *q.Id; seen[id] || !validID.MatchString(id) {
						t.Errorf("id %q is used twice or not valid", id)
					}
					seen[*q.Id] = true
				}
			}
			if !slices.Equal(entries, c.entries) || !slices.Equal(billed, c.billed) {
				t.Errorf("entries %v, billed %v; want %v and %v", entries, billed, c.entries, c.billed)
			}
		})
	}
}

func TestWhatCloudWatchWouldRefuseOrLeaveSilentIsRefusedAtTheStart(t *testing.T) {
	period := func(p, history time.Duration) func(*Options) {
		return func(o *Options) { o.Queries[0].Period, o.History = p, history }
	}
	stat := func(change func(*Stat)) func(*Options) {
		return func(o *Options) {
			s := o.Queries[0].Metrics["m"]
			change(&s)
			o.Queries[0].Metrics["m"] = s
		}
	}
	for _, c := range []struct {
		name   string
		change func(*Options)
		want   string // "" when it is fine
	}{
		{"the usual", func(*Options) {}, ""},
		{"20 s, high resolution", period(20*time.Second, 3*time.Hour), ""},
		{"15 s", period(15*time.Second, time.Hour), "takes 1, 5, 10, 20 or 30 s"},
		{"90 s", period(90*time.Second, time.Hour), "takes whole minutes"},
		{"half a second", period(500*time.Millisecond, time.Hour), "takes whole seconds"},
		{"10 s over four hours", period(10*time.Second, 4*time.Hour), "keeps points of this period for 3 h"},
		{"a minute over 15 days", period(time.Minute, 15*day), ""},
		{"a minute over 16 days", period(time.Minute, 16*day), "for 15 days"},
		{"five minutes over 63 days", period(5*time.Minute, 63*day), ""},
		{"five minutes over 64 days", period(5*time.Minute, 64*day), "for 63 days"},
		{"an hour over 455 days", period(time.Hour, 455*day), ""},
		{"a statistic of another spelling", stat(func(s *Stat) { s.Statistic = "sum" }), `statistic "sum": CloudWatch knows`},
		{"a trimmed mean", stat(func(s *Stat) { s.Statistic = "TM(10%:90%)" }), ""},
		{"a fine percentile", stat(func(s *Stat) { s.Statistic = "p99.9" }), ""},
		{"no namespace", stat(func(s *Stat) { s.Namespace = "" }), "needs a namespace"},
		{"another region", stat(func(s *Stat) { s.Region = "us-east-1" }), "declare a source for us-east-1"},
		{"another region of the whole query", func(o *Options) { o.Queries[0].Region = "us-east-1" }, "declare a source for us-east-1"},
		{"its own region", stat(func(s *Stat) { s.Region = "eu-central-1" }), ""},
		{"a dimension without a value", stat(func(s *Stat) { s.Dimensions = map[string]string{"DB": ""} }), `dimension "DB" has no value`},
		{"two metrics and no expression", func(o *Options) { o.Queries[0].Metrics["n"] = st("N", "Sum") }, "has 2 metrics and no expression"},
		{"an id that CloudWatch does not take", func(o *Options) {
			o.Queries[0].Expression = "M1"
			o.Queries[0].Metrics = map[string]Stat{"M1": st("M", "Sum")}
		}, "begins with a small letter"},
		{"a signal declared twice", func(o *Options) { o.Queries = append(o.Queries, o.Queries[0]) }, "declared twice"},
		{"no client", func(o *Options) { o.API = nil }, "no API client"},
		{"a negative delay", func(o *Options) { o.Delay = -1 }, "must not be negative"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Options{Name: "aws", Region: "eu-central-1", API: &cloud{}, Queries: []Query{connections("arena")}}
			c.change(&o)
			_, err := New(o)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want … %s …", err, c.want)
			}
		})
	}
}

func TestAllFaultsAreReportedTogether(t *testing.T) {
	bad := connections("a")
	bad.Period = 7 * time.Second
	bad.Metrics["m"] = st("", "sum")
	_, err := New(Options{Name: "aws", API: &cloud{}, Queries: []Query{bad, connections("b"), errorsRatio("", "x")}})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"sale a, signal db_connections: period 7s", "needs a namespace", `statistic "sum"`, "needs a sale and a signal"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in:\n%v", want, err)
		}
	}
}

func TestInfoSaysWhatIsAskedAndHowOldItMayBe(t *testing.T) {
	five := oldest("b")
	five.Period = 5 * time.Minute
	for _, c := range []struct {
		name   string
		change func(*Options)
		want   sale.SourceInfo
	}{
		{"one minute", nil, sale.SourceInfo{Every: time.Minute, Cadence: sale.Cadence{Period: time.Minute, Delay: 2 * time.Minute}, Gives: "3 metrics in 1 call", Limit: "50/s"}},
		{"asked to poll faster than the period, it does not", func(o *Options) { o.Every = 10 * time.Second }, sale.SourceInfo{Every: time.Minute, Cadence: sale.Cadence{Period: time.Minute, Delay: 2 * time.Minute}, Gives: "3 metrics in 1 call", Limit: "50/s"}},
		{"polled every five minutes, its figures are older", func(o *Options) { o.Every, o.Limit = 5*time.Minute, "100/s" }, sale.SourceInfo{Every: 5 * time.Minute, Cadence: sale.Cadence{Period: 5 * time.Minute, Delay: 6 * time.Minute}, Gives: "3 metrics in 1 call", Limit: "100/s"}},
		{"with a longer period beside", func(o *Options) { o.Queries = append(o.Queries, five) }, sale.SourceInfo{Every: time.Minute, Cadence: sale.Cadence{Period: time.Minute, Delay: 2 * time.Minute}, Gives: "4 metrics in 2 calls", Limit: "50/s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := newSource(t, &cloud{}, c.change, connections("a"), errorsRatio("a", "x")).Info()
			c.want.Name, c.want.Kind = "aws", "cloudwatch"
			if got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func BenchmarkPlanning8000Queries(b *testing.B) {
	queries := manyQueries(8000)
	b.ReportAllocs()
	for b.Loop() {
		if len(plan(queries)) < 16 {
			b.Fatal("too few calls")
		}
	}
}

// manyQueries are n queries, a quarter of them ratios, over 200 sales.
func manyQueries(n int) []Query {
	queries := make([]Query, n)
	for i := range queries {
		id := sale.ID(fmt.Sprintf("sale-%d", i%200))
		if i%4 == 0 {
			queries[i] = errorsRatio(id, fmt.Sprint("app/shop/", i))
		} else {
			queries[i] = connections(id)
			queries[i].Metrics = map[string]Stat{"m": {Namespace: "AWS/RDS", Metric: "DatabaseConnections", Dimensions: map[string]string{"DB": fmt.Sprint("db-", i)}, Statistic: "Maximum"}}
		}
		queries[i].Signal = sale.Signal(fmt.Sprint("signal-", i/200))
		queries[i].Period = time.Minute
	}
	return queries
}
