package aws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

// Limits of GetMetricData.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
const (
	maxQueries    = 500
	maxDatapoints = 100_800
	maxDimensions = 30
	maxExpression = 2048 // characters
)

// metricQuery is one MetricDataQuery.
type metricQuery struct {
	id, label, expression, account  string
	hasLabel, hasExpression, hasRef bool
	returned                        bool
	period                          int64 // of an expression; 0 is the finest of its metrics

	stat     metricStat
	tree     node      // of an expression
	function statistic // of a metric
}

// metricStat is the part of a query that names a metric.
type metricStat struct {
	namespace, name, stat, unit string
	dimensions                  [][2]string
	period                      int64
}

type metricDataRequest struct {
	start, end       time.Time
	hasStart, hasEnd bool
	ascending        bool
	max              int64
	token            string
	hasToken         bool
	queries          []metricQuery
	problems         []string
	expressions      bool
}

var queryID = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]*$`)

func decodeMetricData(in object) (*metricDataRequest, *apiError) {
	q := &metricDataRequest{max: maxDatapoints}
	q.start, q.hasStart = in.moment("StartTime")
	q.end, q.hasEnd = in.moment("EndTime")
	q.token, q.hasToken = in.text("NextToken")
	switch order, _ := in.text("ScanBy"); order {
	case "", "TimestampDescending":
	case "TimestampAscending":
		q.ascending = true
	default:
		q.refuse("1 validation error detected: Value '%s' at 'scanBy' failed to satisfy constraint: Member must satisfy enum value set: [TimestampDescending, TimestampAscending]", order)
	}
	if n, given := in.integer("MaxDatapoints"); given {
		q.max = n
	}
	in.list("MetricDataQueries", func(o object) { q.queries = append(q.queries, decodeQuery(o)) })
	return q, *in.problem
}

func decodeQuery(o object) metricQuery {
	m := metricQuery{returned: o.boolean("ReturnData", true)}
	m.id, _ = o.text("Id")
	m.label, m.hasLabel = o.text("Label")
	m.expression, m.hasExpression = o.text("Expression")
	m.account, _ = o.text("AccountId")
	m.period, _ = o.integer("Period")
	stat, given := o.child("MetricStat")
	if !given {
		return m
	}
	m.hasRef = true
	m.stat.stat, _ = stat.text("Stat")
	m.stat.unit, _ = stat.text("Unit")
	m.stat.period, _ = stat.integer("Period")
	if metric, given := stat.child("Metric"); given {
		m.stat.namespace, _ = metric.text("Namespace")
		m.stat.name, _ = metric.text("MetricName")
		metric.list("Dimensions", func(d object) {
			name, _ := d.text("Name")
			value, _ := d.text("Value")
			m.stat.dimensions = append(m.stat.dimensions, [2]string{name, value})
		})
	}
	return m
}

func (q *metricDataRequest) refuse(format string, args ...any) {
	q.problems = append(q.problems, fmt.Sprintf(format, args...))
}

// validate refuses what CloudWatch refuses, with all reasons at once.
func (q *metricDataRequest) validate() *apiError {
	q.validateRange()
	switch {
	case len(q.queries) == 0:
		q.refuse("The parameter MetricDataQueries is required.")
	case len(q.queries) > maxQueries:
		return invalid(fmt.Sprintf("The collection MetricDataQueries must not have a size greater than %d.", maxQueries))
	}
	if q.max < 1 || q.max > maxDatapoints {
		q.refuse("The value for parameter MaxDatapoints must be between 1 and %d.", maxDatapoints)
	}
	seen := map[string]bool{}
	repeated := false
	for i := range q.queries {
		m := &q.queries[i]
		repeated = repeated || seen[m.id]
		seen[m.id] = true
		q.validateQuery(fmt.Sprintf("MetricDataQueries.member.%d", i+1), m)
	}
	if repeated {
		q.refuse("The values for parameter id in MetricDataQueries are not unique.")
	}
	if len(q.problems) > 0 {
		return invalid(q.problems...)
	}
	return nil
}

func (q *metricDataRequest) validateRange() {
	switch {
	case !q.hasStart:
		q.refuse("The parameter StartTime is required.")
	case !q.hasEnd:
		q.refuse("The parameter EndTime is required.")
	case q.start.Equal(q.end):
		q.refuse("The parameter StartTime must not equal parameter EndTime.")
	case q.start.After(q.end):
		q.refuse("The parameter StartTime must be less than the parameter EndTime.")
	}
}

func (q *metricDataRequest) validateQuery(at string, m *metricQuery) {
	switch {
	case m.id == "":
		q.refuse("The parameter %s.Id is required.", at)
	case !queryID.MatchString(m.id) || len(m.id) > 255:
		q.refuse("The value for parameter %s.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.", at)
	}
	switch {
	case m.hasExpression && m.hasRef:
		q.refuse("The parameters %s.Expression and %s.MetricStat are mutually exclusive and you have specified both.", at, at)
	case m.hasExpression:
		q.validateExpression(at, m)
	case m.hasRef:
		q.validateStat(at, m)
	default:
		q.refuse("The parameter %s.MetricStat is required.", at)
	}
}

func (q *metricDataRequest) validateExpression(at string, m *metricQuery) {
	q.expressions = true
	if m.period != 0 && !validPeriod(m.period) {
		q.refuse("The value for parameter %s.Period must be 1, 5, 10, 20, 30 or a multiple of 60.", at)
	}
	if len(m.expression) > maxExpression {
		q.refuse("The value for parameter %s.Expression must not be longer than %d characters.", at, maxExpression)
		return
	}
	if fields := strings.Fields(m.expression); len(fields) > 0 && strings.EqualFold(fields[0], "SELECT") {
		q.refuse("Error in expression '%s': Metrics Insights queries are not part of the rehearsal.", m.id)
		return
	}
	tree, err := parse(m.expression)
	if err != nil {
		q.refuse("%s", (&expressionError{id: m.id, why: err}).Error())
		return
	}
	m.tree = tree
}

func (q *metricDataRequest) validateStat(at string, m *metricQuery) {
	s := &m.stat
	if m.period != 0 {
		q.refuse("The parameters %s.Period and %s.MetricStat are mutually exclusive and you have specified both.", at, at)
	}
	required := func(value, name string) {
		if value == "" {
			q.refuse("The parameter %s.%s is required.", at, name)
		}
	}
	required(s.namespace, "MetricStat.Metric.Namespace")
	required(s.name, "MetricStat.Metric.MetricName")
	required(s.stat, "MetricStat.Stat")
	if !validPeriod(s.period) {
		q.refuse("The value for parameter %s.MetricStat.Period must be 1, 5, 10, 20, 30 or a multiple of 60.", at)
	}
	function, ok := statisticOf(s.stat)
	if !ok && s.stat != "" {
		q.refuse("The value for parameter %s.MetricStat.Stat is not a valid statistic.", at)
	}
	m.function = function
	if len(s.dimensions) > maxDimensions {
		q.refuse("The collection %s.MetricStat.Metric.Dimensions must not have a size greater than %d.", at, maxDimensions)
	}
	for i, d := range s.dimensions {
		required(d[0], fmt.Sprintf("MetricStat.Metric.Dimensions.member.%d.Name", i+1))
		required(d[1], fmt.Sprintf("MetricStat.Metric.Dimensions.member.%d.Value", i+1))
	}
}

func validPeriod(seconds int64) bool {
	return seconds > 0 && (seconds%60 == 0 || slices.Contains([]int64{1, 5, 10, 20, 30}, seconds))
}

// metric is the key of a query's metric.
func (m *metricQuery) metric(region string) telemetry.Metric {
	set := map[string]string{}
	for _, d := range m.stat.dimensions {
		set[d[0]] = d[1]
	}
	return telemetry.Metric{Region: region, Namespace: m.stat.namespace, Name: m.stat.name, Dimensions: telemetry.Dimensions(set)}
}

// autoLabel is the label of a metric that was asked for without one: its name, and the statistic
// and the period where the metrics of the call differ in them.
func autoLabel(m *metricQuery, stats, periods map[string]bool) string {
	label := m.stat.name
	if len(stats) > 1 {
		label += " " + m.stat.stat
	}
	if len(periods) > 1 {
		label += fmt.Sprintf(" %d", m.stat.period)
	}
	return label
}

// window is the range of datapoints for a period: StartTime rounded down as AWS documents it, by
// age to a minute, five or an hour, below a minute to the period; EndTime is exclusive. A period
// below a minute sees whole minutes, because that is what the platform publishes. The range is
// empty where CloudWatch no longer keeps data of that period.
func window(start, end, now time.Time, period int64) grid {
	age := now.Sub(start)
	step := time.Minute
	switch {
	case age > 63*24*time.Hour:
		step = time.Hour
	case age > 15*24*time.Hour:
		step = 5 * time.Minute
	case period < 60:
		step = time.Duration(period) * time.Second
	}
	from := start.Unix() - mod(start.Unix(), int64(step/time.Second))
	g := grid{start: from, end: end.Unix(), period: max(period, 60)}
	if end.Nanosecond() > 0 {
		g.end++ // the second that EndTime lies in still begins before it
	}
	if period < 60 {
		g.start += mod(-from, 60)
	}
	if age > retention(period) {
		g.end = g.start
	}
	return g
}

// retention is how long CloudWatch keeps datapoints that can be read with a period. Older ones are
// kept in coarser steps only; asking with a finer period gives nothing.
func retention(period int64) time.Duration {
	const day = 24 * time.Hour
	switch {
	case period < 60:
		return 3 * time.Hour
	case period%3600 == 0:
		return 455 * day
	case period%300 == 0:
		return 63 * day
	}
	return 15 * day
}

// mod is the remainder that is never negative.
func mod(a, b int64) int64 { return (a%b + b) % b }
