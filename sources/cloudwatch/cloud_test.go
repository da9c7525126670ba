package cloudwatch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/onsale-dev/onsale/sale"
)

// cloud stands for CloudWatch: it answers statistics from functions of time, expressions by
// their text, and keeps what it was asked.
type cloud struct {
	series   map[string]func(start time.Time) (float64, bool) // by "AWS/RDS CPUUtilization Average"
	maths    func(expression string, start time.Time) (float64, bool)
	status   map[string]types.StatusCode // by the same names; else Complete
	refuses  func(names []string) error  // looks at all names of a call before it is answered
	messages []types.MessageData
	page     int // points in a page; 0: all

	mu    sync.Mutex
	calls []*cloudwatch.GetMetricDataInput
}

func nameOf(q types.MetricDataQuery) string {
	if q.Expression != nil {
		return *q.Expression
	}
	name := aws.ToString(q.MetricStat.Metric.Namespace) + " " + aws.ToString(q.MetricStat.Metric.MetricName) + " " + aws.ToString(q.MetricStat.Stat)
	for _, d := range q.MetricStat.Metric.Dimensions {
		name += " " + aws.ToString(d.Value)
	}
	return name
}

func (c *cloud) GetMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, in)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var names []string
	for _, q := range in.MetricDataQueries {
		names = append(names, nameOf(q))
	}
	if c.refuses != nil {
		if err := c.refuses(names); err != nil {
			return nil, err
		}
	}
	offset := 0
	if in.NextToken != nil {
		if _, err := fmt.Sscanf(*in.NextToken, "from-%d", &offset); err != nil {
			return nil, err
		}
	}
	out := &cloudwatch.GetMetricDataOutput{Messages: c.messages}
	more := false
	for _, q := range in.MetricDataQueries {
		if !aws.ToBool(q.ReturnData) {
			continue
		}
		res, left := c.result(in, q, offset)
		more = more || left
		out.MetricDataResults = append(out.MetricDataResults, res)
	}
	if more {
		out.NextToken = aws.String(fmt.Sprintf("from-%d", offset+c.page))
	}
	return out, nil
}

func (c *cloud) result(in *cloudwatch.GetMetricDataInput, q types.MetricDataQuery, offset int) (types.MetricDataResult, bool) {
	res := types.MetricDataResult{Id: q.Id, Label: aws.String(nameOf(q)), StatusCode: types.StatusCodeComplete}
	period := time.Minute
	if q.MetricStat != nil {
		period = time.Duration(*q.MetricStat.Period) * time.Second
	}
	for start := in.StartTime.Truncate(period); start.Before(*in.EndTime); start = start.Add(period) {
		if start.Before(*in.StartTime) {
			continue
		}
		var v float64
		var ok bool
		if q.Expression != nil {
			if c.maths != nil {
				v, ok = c.maths(*q.Expression, start)
			}
		} else if f := c.series[nameOf(q)]; f != nil {
			v, ok = f(start)
		}
		if ok {
			res.Timestamps = append(res.Timestamps, start)
			res.Values = append(res.Values, v)
		}
	}
	slices.Reverse(res.Timestamps)
	slices.Reverse(res.Values)
	left := false
	if c.page > 0 {
		lo := min(offset, len(res.Values))
		hi := min(offset+c.page, len(res.Values))
		left = hi < len(res.Values)
		res.Timestamps, res.Values = res.Timestamps[lo:hi], res.Values[lo:hi]
		if left {
			res.StatusCode = types.StatusCodePartialData
		}
	}
	if s, ok := c.status[nameOf(q)]; ok {
		res.StatusCode = s
	}
	return res, left
}

// last is the newest call, with its queries as "id name".
func (c *cloud) last() *cloudwatch.GetMetricDataInput { return c.calls[len(c.calls)-1] }

func (c *cloud) forget() { c.calls = nil }

// steady answers v for every period.
func steady(v float64) func(time.Time) (float64, bool) {
	return func(time.Time) (float64, bool) { return v, true }
}

// until answers v for periods that start before t.
func until(t time.Time, v float64) func(time.Time) (float64, bool) {
	return func(start time.Time) (float64, bool) { return v, start.Before(t) }
}

func silent(time.Time) (float64, bool) { return 0, false }

func utc(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", "2026-12-04 "+text)
	if err != nil {
		panic(err)
	}
	return t
}

// connections is a query for one metric.
func connections(id sale.ID) Query {
	return Query{
		Key: sale.Key{Sale: id, Signal: sale.DBConnections}, Unit: sale.Count,
		Metrics: map[string]Stat{"m": {Namespace: "AWS/RDS", Metric: "DatabaseConnections", Statistic: "Maximum"}},
	}
}

func oldest(id sale.ID) Query {
	return Query{
		Key: sale.Key{Sale: id, Signal: sale.QueueOldestSeconds}, Unit: sale.Seconds, MissingZero: true,
		Metrics: map[string]Stat{"m": {Namespace: "AWS/SQS", Metric: "ApproximateAgeOfOldestMessage", Statistic: "Maximum"}},
	}
}

func errorsRatio(id sale.ID, balancer string) Query {
	dims := map[string]string{"LoadBalancer": balancer}
	return Query{
		Key: sale.Key{Sale: id, Signal: sale.ErrorRatio}, Unit: sale.Ratio,
		Metrics: map[string]Stat{
			"e": {Namespace: "AWS/ApplicationELB", Metric: "HTTPCode_Target_5XX_Count", Dimensions: dims, Statistic: "Sum"},
			"r": {Namespace: "AWS/ApplicationELB", Metric: "RequestCount", Dimensions: dims, Statistic: "Sum"},
		},
		Expression: "FILL(e, 0) / r",
	}
}

const (
	conns = "AWS/RDS DatabaseConnections Maximum"
	age   = "AWS/SQS ApproximateAgeOfOldestMessage Maximum"
)

func newSource(t testing.TB, c API, change func(*Options), queries ...Query) *Source {
	t.Helper()
	o := Options{Name: "aws", Region: "eu-central-1", Profile: "onsale-read", API: c, Queries: queries}
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// lines writes a batch's readings and gaps, one a line, for comparing.
func lines(b sale.Batch) string {
	var out []string
	for _, r := range b.Readings {
		out = append(out, fmt.Sprintf("%s/%s %s %g", r.Sale, r.Signal, r.At.Format("15:04:05"), r.Value))
	}
	for _, m := range b.Missing {
		out = append(out, fmt.Sprintf("%s/%s %s: %s", m.Sale, m.Signal, m.Problem.Class, m.Problem.Text))
	}
	if b.Problem != nil {
		out = append(out, "problem "+b.Problem.Error())
	}
	return strings.Join(out, "\n")
}

func newest(t *testing.T, b sale.Batch, signal sale.Signal) sale.Reading {
	t.Helper()
	var found sale.Reading
	for _, r := range b.Readings {
		if r.Signal == signal && r.At.After(found.At) {
			found = r
		}
	}
	return found
}
