package aws

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

// The status of one result.
const (
	statusComplete  = "Complete"
	statusPartial   = "PartialData"
	statusForbidden = "Forbidden"
)

type notice struct{ code, value string }

// result is one MetricDataResult before it is cut into pages.
type result struct {
	id, label, status string
	notices           []notice
	series            *series
}

// outcome is what a query came to.
type outcome struct {
	value   value
	status  string
	notices []notice
	err     error
	begun   bool
	done    bool
}

// metricDataRun works out one call.
type metricDataRun struct {
	c        *cloudWatch
	q        *metricDataRequest
	now      time.Time
	index    map[string]int
	outcomes []outcome
	minutes  map[minuteKey][]telemetry.Minute
	labels   []string
}

// minuteKey makes the statistics of one metric share one read.
type minuteKey struct {
	metric   telemetry.Metric
	from, to int64
}

func (c *cloudWatch) getMetricData(in object) ([]byte, *apiError) {
	q, problem := decodeMetricData(in)
	if problem != nil {
		return nil, problem
	}
	if problem := q.validate(); problem != nil {
		return nil, problem
	}
	request := q.fingerprint()
	run := &metricDataRun{c: c, q: q, now: c.now(), index: map[string]int{}, minutes: map[minuteKey][]telemetry.Minute{}}
	from := firstPage()
	if q.hasToken {
		t, ok := parseToken(q.token, request)
		if !ok || q.expressions || t.at[1] < 0 {
			return nil, invalidToken()
		}
		from = cursor{later: true, t: t.at[0], result: int(t.at[1])}
		run.now = time.Unix(t.at[2], 0).UTC() // so that no page rounds StartTime differently
	}
	results, problem := run.results()
	if problem != nil {
		return nil, problem
	}
	page, next, more := cut(results, q, from)
	following := ""
	if more && !q.expressions {
		following = token{request: request, at: [3]int64{next.t, int64(next.result), run.now.Unix()}}.String()
	}
	return encodeMetricData(page, following), nil
}

// fingerprint ties a token to everything that the call asks for.
func (q *metricDataRequest) fingerprint() uint64 {
	parts := []any{q.start, q.end, q.ascending}
	for _, m := range q.queries {
		parts = append(parts, m.id, m.expression, m.account, m.returned, m.period, m.stat)
	}
	return fingerprint(parts...)
}

// results answers every query and returns those that are wanted, in the order of the call.
func (r *metricDataRun) results() ([]result, *apiError) {
	r.outcomes = make([]outcome, len(r.q.queries))
	stats, periods := map[string]bool{}, map[string]bool{}
	for i, m := range r.q.queries {
		r.index[m.id] = i
		if m.hasRef {
			stats[m.stat.stat] = true
			periods[fmt.Sprint(m.stat.period)] = true
		}
	}
	for i := range r.q.queries {
		m := &r.q.queries[i]
		label := m.label
		if m.hasRef && !m.hasLabel {
			label = autoLabel(m, stats, periods)
		}
		r.labels = append(r.labels, label)
	}
	var out []result
	for i, m := range r.q.queries {
		o := r.resolve(i)
		if o.err != nil {
			return nil, invalid(o.err.Error())
		}
		if !m.returned {
			continue
		}
		for _, s := range o.value.series {
			out = append(out, result{id: m.id, label: r.label(i, o.value.form, s), status: o.status, notices: o.notices, series: s})
		}
	}
	return out, nil
}

// label is that of a result. An expression without one has its id; an expression that gives an
// array has its own label before that of each series.
func (r *metricDataRun) label(i int, f form, s *series) string {
	m := &r.q.queries[i]
	switch {
	case m.hasRef:
		return r.labels[i]
	case f == isArray:
		return strings.TrimSpace(m.label + " " + s.label)
	case m.hasLabel:
		return m.label
	}
	return m.id
}

// resolve answers one query, once.
func (r *metricDataRun) resolve(i int) *outcome {
	o, m := &r.outcomes[i], &r.q.queries[i]
	switch {
	case o.done:
	case o.begun:
		o.err = &expressionError{id: m.id, why: fmt.Errorf("circular reference to '%s'", m.id)}
	case m.hasRef:
		o.begun, o.status = true, statusComplete
		r.read(i)
		o.done = true
	default:
		o.begun, o.status = true, statusComplete
		r.evaluate(i)
		o.done = true
	}
	return o
}

func (r *metricDataRun) read(i int) {
	o, m := &r.outcomes[i], &r.q.queries[i]
	g := window(r.q.start, r.q.end, r.now, m.stat.period)
	s := &series{label: r.labels[i], grid: g, asked: m.stat.period}
	o.value = single(s)
	if m.account != "" && m.account != telemetry.Account {
		o.status = statusForbidden
		o.notices = []notice{{"Forbidden", "Access denied when getting data - please check that this account and the requested metric account are linked"}}
		return
	}
	if g.start >= g.end {
		return
	}
	buckets := (g.end - g.start + g.period - 1) / g.period
	key := minuteKey{metric: m.metric(r.c.region), from: g.start, to: g.start + buckets*g.period}
	if oldest := r.now.Add(-retention(3600)).Unix(); key.from < oldest {
		key.from = oldest
	}
	if key.from >= key.to {
		return
	}
	minutes, ok := r.minutes[key]
	if !ok {
		minutes, _ = r.c.metrics.Minutes(key.metric, time.Unix(key.from, 0).UTC(), time.Unix(key.to, 0).UTC())
		r.minutes[key] = minutes
	}
	o.notices = aggregate(s, minutes, m)
}

// aggregate puts minutes together to datapoints. Without a unit CloudWatch takes all of them and
// says so; with one, only those that were published with it: it never converts.
func aggregate(s *series, minutes []telemetry.Minute, m *metricQuery) []notice {
	var units []string
	kept := minutes
	for _, minute := range minutes {
		if !slices.Contains(units, minute.Unit) {
			units = append(units, minute.Unit)
		}
	}
	if m.stat.unit != "" && (len(units) != 1 || units[0] != m.stat.unit) {
		kept = nil
		for _, minute := range minutes {
			if minute.Unit == m.stat.unit {
				kept = append(kept, minute)
			}
		}
	}
	for first := 0; first < len(kept); {
		bucket := (kept[first].Start.Unix() - s.grid.start) / s.grid.period
		last := first + 1
		for last < len(kept) && (kept[last].Start.Unix()-s.grid.start)/s.grid.period == bucket {
			last++
		}
		if v, ok := m.function(kept[first:last]); ok && numeric(v) {
			s.add(s.grid.start+bucket*s.grid.period, v)
		}
		first = last
	}
	if m.stat.unit == "" && len(units) > 1 {
		slices.Sort(units)
		return []notice{{"MultipleUnits", fmt.Sprintf("Multiple units returned: '[%s]'", strings.Join(units, ", "))}}
	}
	return nil
}

// evaluate works out an expression. It inherits the worst status of the queries that it reads.
func (r *metricDataRun) evaluate(i int) {
	o, m := &r.outcomes[i], &r.q.queries[i]
	inherit := func(from *outcome) {
		if from.status == statusForbidden {
			o.status, o.notices = from.status, from.notices
		}
	}
	e := &evaluator{grid: r.gridOf(m)}
	e.lookup = func(id string) (value, error) {
		j, ok := r.index[id]
		if !ok {
			return value{}, fmt.Errorf("ID '%s' not found", id)
		}
		from := r.resolve(j)
		inherit(from)
		return from.value, from.err
	}
	e.metrics = func(part string) ([]*series, error) {
		var all []*series
		for j, other := range r.q.queries {
			if other.hasRef && strings.Contains(other.id, part) {
				from := r.resolve(j)
				inherit(from)
				all = append(all, from.value.series...)
			}
		}
		return all, nil
	}
	e.model = r.modelOf
	v, err := e.eval(m.tree)
	switch {
	case err != nil:
		o.err = inExpression(m.id, err)
	case v.form == isScalar:
		o.err = inExpression(m.id, fmt.Errorf("the result must be a time series or an array of time series"))
	case o.status == statusForbidden:
		o.value = single(&series{grid: e.grid})
	default:
		o.value = v.asResult()
		if e.lossy {
			o.notices = append(o.notices, notice{"ArithmeticError", "One or more data-points have been dropped due to non-numeric values (NaN, -Infinite, +Infinite)"})
		}
	}
}

// asResult copies the series, which are no longer metrics as asked for.
func (v value) asResult() value {
	out := value{form: v.form}
	for _, s := range v.series {
		made := *s
		made.asked = 0
		out.series = append(out.series, &made)
	}
	return out
}

// expressionError is an error in the words of the service.
type expressionError struct {
	id  string
	why error
}

func (e *expressionError) Error() string {
	return fmt.Sprintf("Error in expression '%s': %s.", e.id, e.why)
}

func (e *expressionError) Unwrap() error { return e.why }

// inExpression names the expression that an error is in: the innermost.
func inExpression(id string, err error) error {
	if inner := (*expressionError)(nil); errors.As(err, &inner) {
		return err
	}
	return &expressionError{id: id, why: err}
}

// gridOf is the grid that TIME_SERIES has: the period of the expression, or the finest of the call.
func (r *metricDataRun) gridOf(m *metricQuery) grid {
	period := m.period
	if period == 0 {
		for _, other := range r.q.queries {
			if other.hasRef && (period == 0 || other.stat.period < period) {
				period = other.stat.period
			}
		}
	}
	if period == 0 {
		period = 60
	}
	return window(r.q.start, r.q.end, r.now, period)
}
