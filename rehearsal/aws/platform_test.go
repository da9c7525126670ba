package aws

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sqssdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	stssdk "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

const (
	testRegion = "eu-central-1"
	testSecret = "a-secret-of-the-rehearsal"
)

// noon is the platform's time in the tests.
func noon() time.Time { return time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC) }

// platform is telemetry that a test writes by hand.
type platform struct {
	minutes map[telemetry.Metric][]telemetry.Minute
	queues  map[string][3]int
	alarms  []telemetry.Alarm
}

func (p *platform) Minutes(m telemetry.Metric, from, to time.Time) ([]telemetry.Minute, bool) {
	all, ok := p.minutes[m]
	var out []telemetry.Minute
	for _, minute := range all {
		if !minute.Start.Before(from) && minute.Start.Before(to) {
			out = append(out, minute)
		}
	}
	return out, ok
}

func (p *platform) List(region string) []telemetry.Metric {
	var out []telemetry.Metric
	for m := range p.minutes {
		if m.Region == region {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b telemetry.Metric) int {
		return slices.Compare([]string{a.Namespace, a.Name, a.Dimensions}, []string{b.Namespace, b.Name, b.Dimensions})
	})
	return out
}

func (p *platform) Queue(name string) (visible, inFlight, delayed int, ok bool) {
	q, ok := p.queues[name]
	return q[0], q[1], q[2], ok
}

func (p *platform) Names() []string {
	var out []string
	for name := range p.queues {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func (p *platform) Alarms(region string) []telemetry.Alarm {
	var out []telemetry.Alarm
	for _, a := range p.alarms {
		if a.Metric.Region == region {
			out = append(out, a)
		}
	}
	return out
}

// key is a metric of the test region.
func key(namespace, name string, dimensions ...string) telemetry.Metric {
	set := map[string]string{}
	for i := 0; i < len(dimensions); i += 2 {
		set[dimensions[i]] = dimensions[i+1]
	}
	return telemetry.Metric{Region: testRegion, Namespace: namespace, Name: name, Dimensions: telemetry.Dimensions(set)}
}

// gap stands for a minute without data.
const gap = -987654321

// counts publishes one sample a minute, the last of them in the minute before noon.
func counts(values ...float64) []telemetry.Minute {
	var out []telemetry.Minute
	start := noon().Add(-time.Duration(len(values)) * time.Minute)
	for i, v := range values {
		if v != gap {
			out = append(out, telemetry.Minute{Start: start.Add(time.Duration(i) * time.Minute), Sum: v, Min: v, Max: v, Count: 1, Sorted: []float64{v}, Unit: "Count"})
		}
	}
	return out
}

func serve(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// patient is an HTTP client that takes an answer which overtakes the end of its request; see
// serviceTime. It hides the WriteTo of the body, which is what goes wrong.
type patient struct{}

func (patient) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return http.DefaultClient.Do(r)
}

func keys(id, secret string) awssdk.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(id, secret, "")
}

// cloudWatchOf returns the real SDK client of a CloudWatch that serves p at noon.
func cloudWatchOf(t testing.TB, p *platform) *cloudwatch.Client {
	t.Helper()
	s := serve(t, NewCloudWatch(testRegion, p, p, noon, WithSecret(testSecret), WithServiceTime(0)))
	return cloudWatchAt(s.URL, keys(AccessKey, testSecret))
}

func cloudWatchAt(url string, c awssdk.CredentialsProvider) *cloudwatch.Client {
	return cloudwatch.New(cloudwatch.Options{Region: testRegion, BaseEndpoint: &url, Credentials: c, RetryMaxAttempts: 1, HTTPClient: patient{}})
}

func sqsAt(url string, c awssdk.CredentialsProvider) *sqssdk.Client {
	return sqssdk.New(sqssdk.Options{Region: testRegion, BaseEndpoint: &url, Credentials: c, RetryMaxAttempts: 1, HTTPClient: patient{}})
}

func stsAt(url string, c awssdk.CredentialsProvider) *stssdk.Client {
	return stssdk.New(stssdk.Options{Region: testRegion, BaseEndpoint: &url, Credentials: c, RetryMaxAttempts: 1, HTTPClient: patient{}})
}

// metricQueryFor is a query as the SDK has it.
func metricQueryFor(id string, m telemetry.Metric, stat string, period int32) types.MetricDataQuery {
	var dimensions []types.Dimension
	for _, d := range telemetry.SplitDimensions(m.Dimensions) {
		dimensions = append(dimensions, types.Dimension{Name: &d[0], Value: &d[1]})
	}
	return types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{
		Metric: &types.Metric{Namespace: &m.Namespace, MetricName: &m.Name, Dimensions: dimensions}, Period: &period, Stat: &stat,
	}}
}

func expressionFor(id, expression string) types.MetricDataQuery {
	return types.MetricDataQuery{Id: &id, Expression: &expression}
}

func hidden(q types.MetricDataQuery) types.MetricDataQuery {
	q.ReturnData = awssdk.Bool(false)
	return q
}

// ask runs GetMetricData over the minutes before noon, oldest datapoint first.
func ask(t testing.TB, c *cloudwatch.Client, back time.Duration, queries ...types.MetricDataQuery) *cloudwatch.GetMetricDataOutput {
	t.Helper()
	out, err := c.GetMetricData(context.Background(), &cloudwatch.GetMetricDataInput{
		StartTime: awssdk.Time(noon().Add(-back)), EndTime: awssdk.Time(noon()),
		ScanBy: types.ScanByTimestampAscending, MetricDataQueries: queries,
	})
	if err != nil {
		t.Fatalf("GetMetricData: %v", err)
	}
	return out
}

// record sends a bare request to a handler.
func record(h http.Handler, method, path string, body []byte, headers map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, bytes.NewReader(body))
	for name, v := range headers {
		r.Header.Set(name, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
