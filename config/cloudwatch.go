package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The limits of GetMetricData that a file can break.
const (
	maxMetrics    = 50 // in one expression; far below the 500 of a call
	maxDimensions = 30
	maxPeriod     = 24 * time.Hour

	minBand, maxBand = 0.5, 10.0 // standard deviations; beyond them a band holds nothing or everything
)

var (
	metricID  = regexp.MustCompile(`^[a-z][A-Za-z0-9_]{0,40}$`)
	statistic = regexp.MustCompile(`^(SampleCount|Average|Sum|Minimum|Maximum|IQM|p(100|[0-9]{1,2}(\.[0-9]{1,10})?)|(tm|tc|ts|wm)[0-9]{1,2}(\.[0-9]{1,10})?|(TM|TC|TS|WM|PR)\([0-9.%]*:[0-9.%]*\))$`)
	region    = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	account   = regexp.MustCompile(`^[0-9]{12}$`)
	mathQuote = regexp.MustCompile("\"[^\"]*\"|'[^']*'|`[^`]*`")
	mathWord  = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)
)

// cloudwatch reads how a signal is taken from CloudWatch.
func (r *reader) cloudwatch(b *built, s *Source) *CloudWatchRead {
	in := b.in
	c := &CloudWatchRead{Expression: in.Expression.S, Period: in.Period.or(standardPeriod), MissingZero: in.Missing.S == "zero", Region: in.Region.S}
	home := ""
	if s.CloudWatch != nil {
		home = s.CloudWatch.Account
		if c.Region == "" {
			c.Region = s.CloudWatch.Region
		}
	}
	if in.Region.given() && !region.MatchString(in.Region.S) {
		r.wrong(in.Region.at, fmt.Sprintf("%s is not an AWS region", quote(in.Region.at)), "write a region's code: eu-central-1")
	}
	if why := badPeriod(c.Period); why != "" {
		r.wrong(in.Period.at, why, "give 60s or a multiple; 1s, 5s, 10s, 20s or 30s for high-resolution metrics")
	}
	if in.Account.given() {
		if home = in.Account.S; !account.MatchString(home) {
			r.wrong(in.Account.at, fmt.Sprintf("%s is not an AWS account", quote(in.Account.at)), "an AWS account is 12 digits")
		}
	}
	switch {
	case in.Metric.given() && in.Metrics.given():
		r.wrong(b.at.keyOf("metrics"), `"metric" and "metrics" exclude each other`, "keep metric: for one, metrics: with expression: for several", see(b.at.keyOf("metric"), "the other one"))
	case in.Metric.given():
		if in.Expression.given() {
			r.wrong(b.at.keyOf("expression"), `"expression" needs "metrics"`, "write metrics: {m: {metric: …, statistic: …}} and use m in the expression")
			return nil
		}
		m := &metricIn{Metric: in.Metric, Namespace: in.Namespace, Dimensions: in.Dimensions, Statistic: in.Statistic}
		if !r.need(b, in.Statistic.given(), "statistic", s) {
			return nil
		}
		c.Metrics = map[string]MetricStat{"m": r.metric(m, home)}
	case in.Metrics.given():
		r.metricSet(b, c, home)
	case in.Expression.given() && (strings.Contains(in.Expression.S, "SELECT") || strings.Contains(in.Expression.S, "SEARCH(")):
	case in.Expression.given():
		r.wrong(b.at.keyOf("expression"), `"expression" has no "metrics"`, "add metrics: {m: {metric: …, statistic: …}} and use m in the expression")
	default:
		r.need(b, false, "metric", s)
	}
	return c
}

// band reads how wide a band of CloudWatch's own model is asked for. CloudWatch trains a model of one
// metric and statistic, so an expression has none.
func (r *reader) band(b *built) float64 {
	in := b.in
	switch {
	case !in.Band.given():
		return 0
	case in.Expression.given() || in.Metrics.given():
		r.wrong(b.at.keyOf("band"), `"band" needs one "metric"`, "remove band:, or read the metric itself: CloudWatch's model is of one metric and statistic")
	case in.Band.V < minBand || in.Band.V > maxBand:
		r.wrong(in.Band.at, fmt.Sprintf("a band of %s standard deviations tells nothing", quote(in.Band.at)), fmt.Sprintf("give %g to %g, as 2", minBand, maxBand))
	default:
		return in.Band.V
	}
	return 0
}

func badPeriod(p time.Duration) string {
	switch {
	case p >= standardPeriod && p%standardPeriod == 0 && p <= maxPeriod:
	case slices.Contains([]time.Duration{1, 5, 10, 20, 30}, p/time.Second) && p%time.Second == 0:
	default:
		return "CloudWatch has no period of " + durationText(p)
	}
	return ""
}

// metricSet reads the metrics of an expression, and holds both against each other.
func (r *reader) metricSet(b *built, c *CloudWatchRead, home string) {
	in := b.in
	c.Metrics = map[string]MetricStat{}
	for _, key := range []string{"statistic", "dimensions", "namespace"} {
		if b.at.get(key) != nil {
			r.wrong(b.at.keyOf(key), fmt.Sprintf("%q belongs into each of the metrics", key), "move it there")
		}
	}
	if len(in.Metrics.at.entries) == 0 || len(in.Metrics.at.entries) > maxMetrics {
		r.wrong(in.Metrics.at, fmt.Sprintf("%q has %d metrics", "metrics", len(in.Metrics.at.entries)), fmt.Sprintf("give 1 to %d", maxMetrics))
		return
	}
	var ids []string
	for _, e := range in.Metrics.at.entries {
		if !metricID.MatchString(e.key.text) {
			r.wrong(e.key, fmt.Sprintf("%q can't be the id of a metric", e.key.text), "begin with a lower-case letter and use letters, digits and underscores: e1")
			continue
		}
		ids = append(ids, e.key.text)
		before := len(r.mistakes)
		m := &metricIn{}
		r.decode(e.value, reflect.ValueOf(m).Elem(), constraint{key: e.key.text})
		if len(r.mistakes) == before {
			c.Metrics[e.key.text] = r.metric(m, home)
		}
	}
	if !in.Expression.given() {
		if len(ids) > 1 {
			r.wrong(b.at.keyOf("metrics"), `several "metrics" need an "expression"`, "add expression: "+strings.Join(ids, " / "))
		}
		return
	}
	r.expression(in, ids)
}

// expression checks that it uses every metric and nothing else. Functions are upper case.
func (r *reader) expression(in *signalIn, ids []string) {
	if strings.Contains(in.Expression.S, "SELECT") {
		return
	}
	bare := mathQuote.ReplaceAllString(in.Expression.S, " ")
	used := map[string]bool{}
	for _, w := range mathWord.FindAllString(bare, -1) {
		if w[0] < 'a' || w[0] > 'z' {
			continue
		}
		used[w] = true
		if !slices.Contains(ids, w) {
			r.wrong(in.Expression.at, fmt.Sprintf("the expression uses %q, which is not among the metrics", w), didYouMean(w, ids, ""))
			return
		}
	}
	if strings.Contains(bare, "METRICS(") {
		return // stands for all of them
	}
	for _, id := range ids {
		if !used[id] {
			r.wrong(in.Metrics.at.keyOf(id), fmt.Sprintf("the expression does not use the metric %q", id), "remove it, or use it: every metric costs money", see(in.Expression.at, "the expression"))
		}
	}
}

// metric reads one metric. Its namespace is what stands before the last slash.
func (r *reader) metric(in *metricIn, home string) MetricStat {
	m := MetricStat{Namespace: in.Namespace.S, Metric: in.Metric.S, Statistic: in.Statistic.S, Account: home}
	if !in.Namespace.given() {
		i := strings.LastIndexByte(m.Metric, '/')
		if i <= 0 || i == len(m.Metric)-1 {
			r.wrong(in.Metric.at, fmt.Sprintf("%s names no namespace", quote(in.Metric.at)), "write Namespace/Metric: AWS/RDS/CPUUtilization")
		} else {
			m.Namespace, m.Metric = m.Metric[:i], m.Metric[i+1:]
		}
	}
	if in.Account.given() {
		if m.Account = in.Account.S; !account.MatchString(m.Account) {
			r.wrong(in.Account.at, fmt.Sprintf("%s is not an AWS account", quote(in.Account.at)), "an AWS account is 12 digits")
		}
	}
	if !statistic.MatchString(m.Statistic) {
		r.wrong(in.Statistic.at, fmt.Sprintf("%s is not a statistic", quote(in.Statistic.at)),
			didYouMean(m.Statistic, []string{"Sum", "Average", "Minimum", "Maximum", "SampleCount", "p95", "tm99"}, ""))
	}
	if d := in.Dimensions.at; d != nil {
		m.Dimensions = map[string]string{}
		if len(d.entries) > maxDimensions {
			r.wrong(d, fmt.Sprintf("a metric has at most %d dimensions", maxDimensions), "remove some")
		}
		for _, e := range d.entries {
			var v text
			v.read(r, e.value, constraint{key: e.key.text})
			m.Dimensions[e.key.text] = v.S
		}
	}
	return m
}
