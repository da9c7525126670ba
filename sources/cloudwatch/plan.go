package cloudwatch

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Limits and price of GetMetricData.
const (
	maxQueries        = 500     // entries in a call
	maxPoints         = 100_800 // datapoints in a page
	billedStatistics  = 5       // statistics of one metric that are billed as one metric
	usdPerMetric      = 0.01 / 1000
	maxInsightsInCall = 1
)

// metric identifies what AWS bills: a metric, whatever its statistic.
type metric struct{ account, namespace, name, dimensions string }

// stat is one statistic of one metric, asked at most once in a call.
type stat struct {
	metric
	statistic string
	dims      []types.Dimension
	place     int // order in which the metrics were first seen
}

// ask is one series that is wanted: a statistic itself, or an expression over some.
type ask struct {
	stats []*stat // one, or in the order of the expression's inputs
	expr  expression
	from  []int  // indexes of the queries that want it
	label string // of the first of them: sale/signal
	band  bool   // the model's band of a statistic: two series, and no signal of its own

	newest time.Time // the end of the newest period that a datapoint was ever seen for
}

// size is how many entries the ask takes in a call that has none of its statistics yet.
func (a *ask) size(has func(*stat) bool) int {
	n := 0
	if !a.expr.empty() {
		n = 1
	}
	for _, s := range a.stats {
		if !has(s) {
			n++
		}
	}
	return n
}

// plan spreads the queries over calls. Queries of one period share calls, because a call has
// one window.
func plan(queries []Query) []*call {
	periods := map[time.Duration][]int{}
	for i, q := range queries {
		periods[q.Period] = append(periods[q.Period], i)
	}
	var calls []*call
	for _, period := range slices.Sorted(maps.Keys(periods)) {
		for _, asks := range pack(groups(wanted(queries, periods[period]))) {
			calls = append(calls, &call{period: period, asks: asks, request: build(asks, period)})
		}
	}
	return calls
}

// wanted makes the distinct series that the queries want, in the order of the queries.
func wanted(queries []Query, which []int) []*ask {
	var asks []*ask
	byKey := map[string]*ask{}
	stats := map[string]*stat{}
	places := map[metric]int{}
	for _, i := range which {
		q := queries[i]
		a := &ask{from: []int{i}, label: string(q.Sale) + "/" + string(q.Signal)}
		for _, id := range q.inputs() {
			st := newStat(q.Metrics[id])
			known, ok := stats[st.key()]
			if !ok {
				if _, ok := places[st.metric]; !ok {
					places[st.metric] = len(places)
				}
				st.place = places[st.metric]
				known = st
				stats[st.key()] = st
			}
			a.stats = append(a.stats, known)
		}
		if q.Expression != "" {
			a.expr, _ = compile(q.Expression, q.inputs()) // checked by New
		}
		if same, ok := byKey[a.key()]; ok {
			same.from = append(same.from, i)
		} else {
			byKey[a.key()] = a
			asks = append(asks, a)
		}
		if q.Band == 0 {
			continue
		}
		b := bandOf(q, i, a)
		if same, ok := byKey[b.key()]; ok {
			same.from = append(same.from, i)
			continue
		}
		byKey[b.key()] = b
		asks = append(asks, b)
	}
	return asks
}

func newStat(s Stat) *stat {
	st := &stat{metric: metric{account: s.Account, namespace: s.Namespace, name: s.Metric}, statistic: s.Statistic}
	var key strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.Dimensions)) {
		value := s.Dimensions[name]
		st.dims = append(st.dims, types.Dimension{Name: aws.String(name), Value: aws.String(value)})
		key.WriteString(strconv.Quote(name) + "=" + strconv.Quote(value) + ",")
	}
	st.dimensions = key.String()
	return st
}

// key is the same for two statistics, and for two asks, that CloudWatch would answer alike.
func (s *stat) key() string {
	return strings.Join([]string{s.account, s.namespace, s.name, s.dimensions, s.statistic}, "\x01")
}

func (a *ask) key() string {
	if a.expr.empty() {
		return a.stats[0].key()
	}
	kind := "="
	if a.band {
		kind = "band="
	}
	return kind + a.expr.render(func(i int) string { return "\x00" + a.stats[i].key() + "\x00" })
}

// groups joins the asks that must stand in one call: those that share a metric, directly or
// through an expression.
func groups(asks []*ask) [][]*ask {
	parent := make([]int, len(asks))
	for i := range parent {
		parent[i] = i
	}
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	first := map[int]int{} // metric's place → the first ask that uses it
	for i, a := range asks {
		for _, s := range a.stats {
			j, ok := first[s.place]
			if !ok {
				first[s.place] = i
				continue
			}
			a, b := root(i), root(j)
			parent[max(a, b)] = min(a, b)
		}
	}
	index := map[int]int{}
	var joined [][]*ask
	for i, a := range asks {
		r := root(i)
		at, ok := index[r]
		if !ok {
			at = len(joined)
			index[r] = at
			joined = append(joined, nil)
		}
		joined[at] = append(joined[at], a)
	}
	return joined
}

// bin is a call that is being filled.
type bin struct {
	asks     []*ask
	stats    map[*stat]bool
	size     int
	insights int
}

func (b *bin) takes(asks []*ask) bool {
	size, insights := weigh(asks, b.stats)
	return b.size+size <= maxQueries && b.insights+insights <= maxInsightsInCall
}

func (b *bin) put(asks []*ask) {
	size, insights := weigh(asks, b.stats)
	b.size, b.insights = b.size+size, b.insights+insights
	b.asks = append(b.asks, asks...)
	for _, a := range asks {
		for _, s := range a.stats {
			b.stats[s] = true
		}
	}
}

// weigh counts the entries and the Metrics Insights queries that asks add to a call that
// already has some statistics.
func weigh(asks []*ask, has map[*stat]bool) (size, insights int) {
	added := map[*stat]bool{}
	for _, a := range asks {
		size += a.size(func(s *stat) bool { return has[s] || added[s] })
		for _, s := range a.stats {
			added[s] = true
		}
		if a.expr.insights {
			insights++
		}
	}
	return size, insights
}

// pack puts each group into the first call with room for it. A group too large for any call
// is spread; a metric that is needed in two calls is then asked, and paid for, in both.
func pack(joined [][]*ask) [][]*ask {
	var bins []*bin
	open := 0 // bins before it are full
	place := func(asks []*ask) {
		for open < len(bins) && bins[open].size >= maxQueries {
			open++
		}
		for _, b := range bins[open:] {
			if b.takes(asks) {
				b.put(asks)
				return
			}
		}
		b := &bin{stats: map[*stat]bool{}}
		b.put(asks)
		bins = append(bins, b)
	}
	for _, g := range joined {
		if size, _ := weigh(g, nil); size <= maxQueries {
			place(g)
			continue
		}
		for _, a := range g {
			place([]*ask{a})
		}
	}
	packed := make([][]*ask, len(bins))
	for i, b := range bins {
		packed[i] = b.asks
	}
	return packed
}

// request is what goes into one call, ready to be sent at any time for any window.
type request struct {
	queries []types.MetricDataQuery
	byID    map[string]*ask  // what is wanted, by its id in this call
	ids     map[*stat]string // inputs that are not wanted themselves included
	metrics int              // billed metrics
}

// build writes the entries of a call: the statistics, those of one metric side by side, and
// then the expressions.
func build(asks []*ask, period time.Duration) request {
	wantedItself := map[*stat]*ask{}
	var stats []*stat
	seen := map[*stat]bool{}
	for _, a := range asks {
		if a.expr.empty() {
			wantedItself[a.stats[0]] = a
		}
		for _, s := range a.stats {
			if !seen[s] {
				seen[s] = true
				stats = append(stats, s)
			}
		}
	}
	slices.SortStableFunc(stats, func(a, b *stat) int { return a.place - b.place })

	r := request{byID: make(map[string]*ask, len(asks)), ids: make(map[*stat]string, len(stats)), metrics: billed(stats)}
	for i, s := range stats {
		id := "m" + strconv.Itoa(i+1)
		r.ids[s] = id
		a := wantedItself[s]
		if a != nil {
			r.byID[id] = a
		}
		r.queries = append(r.queries, s.query(id, period, a != nil))
	}
	expressions := 0
	for _, a := range asks {
		if a.expr.empty() {
			continue
		}
		expressions++
		id := "e" + strconv.Itoa(expressions)
		r.byID[id] = a
		q := types.MetricDataQuery{
			Id:         aws.String(id),
			Expression: aws.String(a.expr.render(func(i int) string { return r.ids[a.stats[i]] })),
			ReturnData: aws.Bool(true),
		}
		if len(a.stats) == 0 { // SEARCH and Metrics Insights have no input to take it from
			q.Period = aws.Int32(int32(period / time.Second))
			r.metrics++
		}
		r.queries = append(r.queries, q)
	}
	return r
}

func (s *stat) query(id string, period time.Duration, wanted bool) types.MetricDataQuery {
	q := types.MetricDataQuery{
		Id:         aws.String(id),
		ReturnData: aws.Bool(wanted),
		MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: aws.String(s.namespace), MetricName: aws.String(s.name), Dimensions: s.dims},
			Period: aws.Int32(int32(period / time.Second)),
			Stat:   aws.String(s.statistic),
		},
	}
	if s.account != "" {
		q.AccountId = aws.String(s.account)
	}
	return q
}

// billed counts metrics as AWS does: up to five statistics of one metric in a call are one.
func billed(stats []*stat) int {
	perMetric := map[metric]int{}
	for _, s := range stats {
		perMetric[s.metric]++
	}
	n := 0
	for _, statistics := range perMetric {
		n += (statistics + billedStatistics - 1) / billedStatistics
	}
	return n
}
