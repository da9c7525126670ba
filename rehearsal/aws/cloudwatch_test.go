package aws

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"

	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

var (
	requests  = key("AWS/ApplicationELB", "RequestCount", "LoadBalancer", "app/harbour/1")
	errorsOf  = key("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "LoadBalancer", "app/harbour/1")
	latencies = key("AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", "app/harbour/1")
)

// busy is a platform with ten minutes of traffic, errors in two of them.
func busy() *platform {
	latency := []telemetry.Minute{
		{Start: noon().Add(-2 * time.Minute), Sum: 50.5, Min: 0.01, Max: 1, Count: 100, Unit: "Seconds"},
		{Start: noon().Add(-time.Minute), Sum: 8, Min: 1, Max: 3, Count: 4, Sorted: []float64{1, 1, 3, 3}, Unit: "Seconds"},
	}
	for i := 1; i <= 100; i++ {
		latency[0].Sorted = append(latency[0].Sorted, float64(i)/100)
	}
	return &platform{minutes: map[telemetry.Metric][]telemetry.Minute{
		requests:  counts(100, 110, 120, 130, 140, 150, 160, 170, 180, 200),
		errorsOf:  counts(gap, gap, gap, 13, gap, gap, gap, gap, gap, 50),
		latencies: latency,
	}}
}

func numbers(r types.MetricDataResult) string { return fmt.Sprintf("%.4g", r.Values) }

func TestGetMetricDataGivesEveryStatisticOfAMetric(t *testing.T) {
	c := cloudWatchOf(t, busy())
	var queries []types.MetricDataQuery
	want := map[string]string{
		"Sum": "[50.5 8]", "Average": "[0.505 2]", "Minimum": "[0.01 1]", "Maximum": "[1 3]", "SampleCount": "[100 4]",
		"p50": "[0.5 1]", "p95": "[0.95 3]", "p99.9": "[1 3]", "p0": "[0.01 1]", "p100": "[1 3]",
	}
	names := map[string]string{}
	for stat := range want {
		id := "q" + strings.ToLower(strings.ReplaceAll(stat, ".", "_"))
		names[id] = stat
		queries = append(queries, metricQueryFor(id, latencies, stat, 60))
	}
	out := ask(t, c, 5*time.Minute, queries...)
	if len(out.MetricDataResults) != len(want) {
		t.Fatalf("%d results, want %d", len(out.MetricDataResults), len(want))
	}
	for _, r := range out.MetricDataResults {
		stat := names[*r.Id]
		if got := numbers(r); got != want[stat] {
			t.Errorf("%s = %s, want %s", stat, got, want[stat])
		}
		if r.StatusCode != types.StatusCodeComplete || *r.Label != "TargetResponseTime "+stat {
			t.Errorf("%s: status %s, label %q", stat, r.StatusCode, *r.Label)
		}
		if !r.Timestamps[0].Equal(noon().Add(-2 * time.Minute)) {
			t.Errorf("%s: first timestamp %v", stat, r.Timestamps[0])
		}
	}
}

func TestALongerPeriodPutsItsMinutesTogether(t *testing.T) {
	c := cloudWatchOf(t, busy())
	out := ask(t, c, 10*time.Minute,
		metricQueryFor("sum", requests, "Sum", 300), metricQueryFor("avg", requests, "Average", 300), metricQueryFor("max", requests, "Maximum", 300),
		metricQueryFor("p50", latencies, "p50", 300), metricQueryFor("all", latencies, "SampleCount", 300))
	want := map[string]string{"sum": "[600 860]", "avg": "[120 172]", "max": "[140 200]", "p50": "[0.52]", "all": "[104]"}
	for _, r := range out.MetricDataResults {
		if got := numbers(r); got != want[*r.Id] {
			t.Errorf("%s = %s, want %s", *r.Id, got, want[*r.Id])
		}
	}
	if at := out.MetricDataResults[0].Timestamps; !at[0].Equal(noon().Add(-10*time.Minute)) || !at[1].Equal(noon().Add(-5*time.Minute)) {
		t.Errorf("timestamps %v", at)
	}
}

func TestAPercentileNeedsSamplesOrEqualValues(t *testing.T) {
	m := key("Shop", "Wait")
	p := &platform{minutes: map[telemetry.Metric][]telemetry.Minute{m: {
		{Start: noon().Add(-3 * time.Minute), Sum: 10, Min: 1, Max: 9, Count: 2},
		{Start: noon().Add(-2 * time.Minute), Sum: 8, Min: 4, Max: 4, Count: 2},
	}}}
	out := ask(t, cloudWatchOf(t, p), 5*time.Minute, metricQueryFor("q", m, "p90", 60), metricQueryFor("s", m, "Sum", 60))
	if got := numbers(out.MetricDataResults[0]); got != "[4]" {
		t.Errorf("p90 = %s, want only the minute of equal values", got)
	}
	if got := numbers(out.MetricDataResults[1]); got != "[10 8]" {
		t.Errorf("Sum = %s", got)
	}
}

func TestTheTimeRangeIsHalfOpenAndStartsOnTheMinute(t *testing.T) {
	c := cloudWatchOf(t, busy())
	for _, k := range []struct {
		name       string
		start, end time.Time
		period     int32
		want       string
	}{
		{"both ends on the minute", noon().Add(-3 * time.Minute), noon().Add(-time.Minute), 60, "[170 180]"},
		{"a start inside a minute is rounded down", noon().Add(-150 * time.Second), noon(), 60, "[170 180 200]"},
		{"an end inside a minute includes it", noon().Add(-3 * time.Minute), noon().Add(-59 * time.Second), 60, "[170 180 200]"},
		{"a range in the future is empty", noon().Add(time.Hour), noon().Add(2 * time.Hour), 60, "[]"},
		{"a period of ten seconds gives whole minutes", noon().Add(-2 * time.Minute), noon(), 10, "[180 200]"},
		{"a period of ten seconds begins with the first whole minute", noon().Add(-110 * time.Second), noon(), 10, "[200]"},
		{"a period below a minute has three hours", noon().Add(-200 * time.Minute), noon(), 10, "[]"},
		{"a period of a minute has fifteen days", noon().Add(-16 * 24 * time.Hour), noon(), 60, "[]"},
		{"a period of five minutes has more", noon().Add(-16 * 24 * time.Hour), noon(), 300, "[600 860]"},
		{"an hour from long ago", noon().Add(-400 * 24 * time.Hour), noon(), 3600, "[1460]"},
		{"too long ago", noon().Add(-500 * 24 * time.Hour), noon(), 3600, "[]"},
	} {
		t.Run(k.name, func(t *testing.T) {
			out, err := c.GetMetricData(context.Background(), &cloudwatch.GetMetricDataInput{
				StartTime: &k.start, EndTime: &k.end, ScanBy: types.ScanByTimestampAscending,
				MetricDataQueries: []types.MetricDataQuery{metricQueryFor("q", requests, "Sum", k.period)},
			})
			if err != nil {
				t.Fatal(err)
			}
			r := out.MetricDataResults[0]
			if numbers(r) != k.want || r.StatusCode != types.StatusCodeComplete {
				t.Errorf("%s %s, want %s Complete", numbers(r), r.StatusCode, k.want)
			}
		})
	}
}

func TestTheNewestDatapointComesFirstUnlessAskedOtherwise(t *testing.T) {
	c := cloudWatchOf(t, busy())
	out, err := c.GetMetricData(context.Background(), &cloudwatch.GetMetricDataInput{
		StartTime: awssdk.Time(noon().Add(-3 * time.Minute)), EndTime: awssdk.Time(noon()),
		MetricDataQueries: []types.MetricDataQuery{metricQueryFor("q", requests, "Sum", 60)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := out.MetricDataResults[0]; numbers(r) != "[200 180 170]" || !r.Timestamps[0].Equal(noon().Add(-time.Minute)) {
		t.Errorf("%s from %v", numbers(r), r.Timestamps)
	}
}

func TestAMetricThatNobodyPublishedIsCompleteAndEmpty(t *testing.T) {
	c := cloudWatchOf(t, busy())
	for _, m := range []telemetry.Metric{
		key("AWS/ApplicationELB", "RequestCount"),
		key("AWS/ApplicationELB", "RequestCount", "LoadBalancer", "app/other/1"),
		key("AWS/ApplicationELB", "Nothing", "LoadBalancer", "app/harbour/1"),
	} {
		r := ask(t, c, 5*time.Minute, metricQueryFor("q", m, "Sum", 60)).MetricDataResults[0]
		if len(r.Values) != 0 || r.StatusCode != types.StatusCodeComplete {
			t.Errorf("%v: %s %s", m, numbers(r), r.StatusCode)
		}
	}
}

func TestAUnitIsAFilterWithoutConversion(t *testing.T) {
	m := key("Shop", "Mixed")
	p := &platform{minutes: map[telemetry.Metric][]telemetry.Minute{m: {
		{Start: noon().Add(-3 * time.Minute), Sum: 1, Min: 1, Max: 1, Count: 1, Unit: "Seconds"},
		{Start: noon().Add(-2 * time.Minute), Sum: 900, Min: 900, Max: 900, Count: 1, Unit: "Milliseconds"},
	}}}
	c := cloudWatchOf(t, p)
	with := func(unit types.StandardUnit) types.MetricDataResult {
		q := metricQueryFor("q", m, "Sum", 60)
		q.MetricStat.Unit = unit
		return ask(t, c, 5*time.Minute, q).MetricDataResults[0]
	}
	if r := with(types.StandardUnitMilliseconds); numbers(r) != "[900]" {
		t.Errorf("milliseconds: %s", numbers(r))
	}
	if r := with(types.StandardUnitCount); len(r.Values) != 0 || r.StatusCode != types.StatusCodeComplete {
		t.Errorf("count: %s", numbers(r))
	}
	r := with("")
	if numbers(r) != "[1 900]" || len(r.Messages) != 1 || *r.Messages[0].Value != "Multiple units returned: '[Milliseconds, Seconds]'" {
		t.Errorf("no unit: %s, messages %v", numbers(r), r.Messages)
	}
}

func TestExpressionsReadOtherQueriesOfTheCall(t *testing.T) {
	c := cloudWatchOf(t, busy())
	ratio := expressionFor("ratio", "FILL(e, 0) / r")
	ratio.Label = awssdk.String("share of errors")
	out := ask(t, c, 10*time.Minute, ratio,
		expressionFor("twice", "ratio * 2"), hidden(metricQueryFor("e", errorsOf, "Sum", 60)), hidden(metricQueryFor("r", requests, "Sum", 60)))
	if len(out.MetricDataResults) != 2 {
		t.Fatalf("%d results, want the two that are not hidden", len(out.MetricDataResults))
	}
	first, second := out.MetricDataResults[0], out.MetricDataResults[1]
	if numbers(first) != "[0 0 0 0.1 0 0 0 0 0 0.25]" || *first.Label != "share of errors" {
		t.Errorf("ratio %q = %s", *first.Label, numbers(first))
	}
	if numbers(second) != "[0 0 0 0.2 0 0 0 0 0 0.5]" || *second.Label != "twice" {
		t.Errorf("twice %q = %s", *second.Label, numbers(second))
	}
}

func TestAnArrayGivesOneResultForEachOfItsSeries(t *testing.T) {
	c := cloudWatchOf(t, busy())
	q := expressionFor("x", "METRICS() * 2")
	q.Label = awssdk.String("double")
	out := ask(t, c, 2*time.Minute, q, hidden(metricQueryFor("e", errorsOf, "Sum", 60)), hidden(metricQueryFor("r", requests, "Sum", 60)))
	var got []string
	for _, r := range out.MetricDataResults {
		got = append(got, *r.Id+" "+*r.Label+" "+numbers(r))
	}
	want := []string{"x double HTTPCode_Target_5XX_Count [100]", "x double RequestCount [360 400]"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestADatapointThatWasDroppedIsReported(t *testing.T) {
	m := key("Shop", "Sales")
	p := &platform{minutes: map[telemetry.Metric][]telemetry.Minute{m: counts(4, 0, 2)}}
	out := ask(t, cloudWatchOf(t, p), 3*time.Minute, expressionFor("x", "8 / m"), hidden(metricQueryFor("m", m, "Sum", 60)))
	r := out.MetricDataResults[0]
	if numbers(r) != "[2 4]" || len(r.Messages) != 1 || *r.Messages[0].Code != "ArithmeticError" || r.StatusCode != types.StatusCodeComplete {
		t.Errorf("%s %s, messages %v", numbers(r), r.StatusCode, r.Messages)
	}
}

func TestAnotherAccountIsForbiddenForItsQueryOnly(t *testing.T) {
	c := cloudWatchOf(t, busy())
	foreign, own := metricQueryFor("foreign", requests, "Sum", 60), metricQueryFor("own", requests, "Sum", 60)
	foreign.AccountId, own.AccountId = awssdk.String("999988887777"), awssdk.String(telemetry.Account)
	out := ask(t, c, 2*time.Minute, foreign, own, expressionFor("sum", "foreign + own"))
	for _, k := range []struct {
		i      int
		status types.StatusCode
		want   string
	}{{0, types.StatusCodeForbidden, "[]"}, {1, types.StatusCodeComplete, "[180 200]"}, {2, types.StatusCodeForbidden, "[]"}} {
		if r := out.MetricDataResults[k.i]; r.StatusCode != k.status || numbers(r) != k.want {
			t.Errorf("%s: %s %s, want %s %s", *r.Id, r.StatusCode, numbers(r), k.status, k.want)
		}
	}
	if m := out.MetricDataResults[0].Messages; len(m) != 1 || *m[0].Code != "Forbidden" {
		t.Errorf("messages %v", m)
	}
}

func TestPagesWalkThroughTimeAndLoseNothing(t *testing.T) {
	c := cloudWatchOf(t, busy())
	for _, order := range []types.ScanBy{types.ScanByTimestampAscending, types.ScanByTimestampDescending} {
		for _, size := range []int32{1, 3, 7, 11, 12, 13, 100} {
			t.Run(fmt.Sprintf("%s by %d", order, size), func(t *testing.T) {
				in := &cloudwatch.GetMetricDataInput{
					StartTime: awssdk.Time(noon().Add(-10 * time.Minute)), EndTime: awssdk.Time(noon()), ScanBy: order, MaxDatapoints: &size,
					MetricDataQueries: []types.MetricDataQuery{metricQueryFor("r", requests, "Sum", 60), metricQueryFor("e", errorsOf, "Sum", 60)},
				}
				got := map[string][]float64{}
				last := map[string]types.StatusCode{}
				pages := 0
				for p := cloudwatch.NewGetMetricDataPaginator(c, in); p.HasMorePages(); pages++ {
					out, err := p.NextPage(context.Background())
					if err != nil {
						t.Fatal(err)
					}
					points := 0
					for _, r := range out.MetricDataResults {
						points += len(r.Values)
						got[*r.Id] = append(got[*r.Id], r.Values...)
						last[*r.Id] = r.StatusCode
					}
					if points > int(size) || points == 0 {
						t.Fatalf("a page of %d datapoints, at most %d were asked for", points, size)
					}
				}
				want := map[string][]float64{"r": {100, 110, 120, 130, 140, 150, 160, 170, 180, 200}, "e": {13, 50}}
				for id, values := range want {
					if order == types.ScanByTimestampDescending {
						slices.Reverse(values)
					}
					if !slices.Equal(got[id], values) || last[id] != types.StatusCodeComplete {
						t.Errorf("%s = %v %s, want %v", id, got[id], last[id], values)
					}
				}
				if want := (12 + int(size) - 1) / int(size); pages != want {
					t.Errorf("%d pages, want %d", pages, want)
				}
			})
		}
	}
}

func TestTheFirstPageHoldsTheNewestOfEveryMetric(t *testing.T) {
	c := cloudWatchOf(t, busy())
	out, err := c.GetMetricData(context.Background(), &cloudwatch.GetMetricDataInput{
		StartTime: awssdk.Time(noon().Add(-10 * time.Minute)), EndTime: awssdk.Time(noon()), MaxDatapoints: awssdk.Int32(3),
		MetricDataQueries: []types.MetricDataQuery{metricQueryFor("r", requests, "Sum", 60), metricQueryFor("e", errorsOf, "Sum", 60)},
	})
	if err != nil {
		t.Fatal(err)
	}
	r, e := out.MetricDataResults[0], out.MetricDataResults[1]
	if numbers(r) != "[200 180]" || numbers(e) != "[50]" || r.StatusCode != types.StatusCodePartialData || e.StatusCode != types.StatusCodePartialData || out.NextToken == nil {
		t.Errorf("r %s %s, e %s %s, token %v", numbers(r), r.StatusCode, numbers(e), e.StatusCode, out.NextToken)
	}
}

func TestACallWithMathIsCutWithoutAToken(t *testing.T) {
	c := cloudWatchOf(t, busy())
	in := &cloudwatch.GetMetricDataInput{
		StartTime: awssdk.Time(noon().Add(-10 * time.Minute)), EndTime: awssdk.Time(noon()), MaxDatapoints: awssdk.Int32(3),
		MetricDataQueries: []types.MetricDataQuery{hidden(metricQueryFor("r", requests, "Sum", 60)), expressionFor("x", "r * 2")},
	}
	out, err := c.GetMetricData(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	if r := out.MetricDataResults[0]; numbers(r) != "[400 360 340]" || r.StatusCode != types.StatusCodePartialData || out.NextToken != nil {
		t.Errorf("%s %s, token %v", numbers(r), r.StatusCode, out.NextToken)
	}
}

func TestATokenBelongsToItsRequest(t *testing.T) {
	c := cloudWatchOf(t, busy())
	in := &cloudwatch.GetMetricDataInput{
		StartTime: awssdk.Time(noon().Add(-10 * time.Minute)), EndTime: awssdk.Time(noon()), MaxDatapoints: awssdk.Int32(3),
		MetricDataQueries: []types.MetricDataQuery{metricQueryFor("r", requests, "Sum", 60)},
	}
	out, err := c.GetMetricData(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(){
		"made up":    func() { in.NextToken = awssdk.String("bm9uc2Vuc2U") },
		"not base64": func() { in.NextToken = awssdk.String("***") },
		"of another list of queries": func() {
			in.NextToken = out.NextToken
			in.MetricDataQueries = []types.MetricDataQuery{metricQueryFor("r", requests, "Average", 60)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			change()
			_, err := c.GetMetricData(context.Background(), in)
			if bad := (*types.InvalidNextToken)(nil); !errors.As(err, &bad) || bad.ErrorCode() != "InvalidNextToken" {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestGetMetricDataRefusesWhatCloudWatchRefuses(t *testing.T) {
	c := cloudWatchOf(t, busy())
	good := func() types.MetricDataQuery { return metricQueryFor("m1", requests, "Sum", 60) }
	many := make([]types.MetricDataQuery, 501)
	for i := range many {
		many[i] = metricQueryFor(fmt.Sprintf("q%d", i), requests, "Sum", 60)
	}
	for _, k := range []struct {
		name   string
		change func(in *cloudwatch.GetMetricDataInput)
		want   string
	}{
		{"more than 500 queries", func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries = many }, "The collection MetricDataQueries must not have a size greater than 500."},
		{"no query", func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries = []types.MetricDataQuery{} }, "The parameter MetricDataQueries is required."},
		{"the same id twice", func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries = append(in.MetricDataQueries, good()) }, "The values for parameter id in MetricDataQueries are not unique."},
		{"an id with a capital first", func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[0].Id = awssdk.String("M1") }, "The value for parameter MetricDataQueries.member.1.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."},
		{"an id with a minus", func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[0].Id = awssdk.String("m-1") }, "is not matching the expected pattern"},
		{"an expression and a metric", func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[0].Expression = awssdk.String("m1") }, "The parameters MetricDataQueries.member.1.Expression and MetricDataQueries.member.1.MetricStat are mutually exclusive and you have specified both."},
		{"neither", func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[0].MetricStat = nil }, "The parameter MetricDataQueries.member.1.MetricStat is required."},
		{"a period beside a metric", func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[0].Period = awssdk.Int32(60) }, "The parameters MetricDataQueries.member.1.Period and MetricDataQueries.member.1.MetricStat are mutually exclusive and you have specified both."},
		{"a period of 90 seconds", func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[0].MetricStat.Period = awssdk.Int32(90) }, "MetricStat.Period must be 1, 5, 10, 20, 30 or a multiple of 60."},
		{"a period of zero", func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[0].MetricStat.Period = awssdk.Int32(0) }, "MetricStat.Period must be"},
		{"an unknown statistic", func(in *cloudwatch.GetMetricDataInput) {
			in.MetricDataQueries[0].MetricStat.Stat = awssdk.String("Mean")
		}, "The value for parameter MetricDataQueries.member.1.MetricStat.Stat is not a valid statistic."},
		{"a percentile above 100", func(in *cloudwatch.GetMetricDataInput) {
			in.MetricDataQueries[0].MetricStat.Stat = awssdk.String("p101")
		}, "is not a valid statistic"},
		{"a metric without a name", func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[0].MetricStat.Metric.MetricName = nil }, "The parameter MetricDataQueries.member.1.MetricStat.Metric.MetricName is required."},
		{"a metric without a namespace", func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[0].MetricStat.Metric.Namespace = nil }, "The parameter MetricDataQueries.member.1.MetricStat.Metric.Namespace is required."},
		{"equal times", func(in *cloudwatch.GetMetricDataInput) { in.StartTime = in.EndTime }, "The parameter StartTime must not equal parameter EndTime."},
		{"times in the wrong order", func(in *cloudwatch.GetMetricDataInput) { in.StartTime, in.EndTime = in.EndTime, in.StartTime }, "The parameter StartTime must be less than the parameter EndTime."},
		{"too many datapoints", func(in *cloudwatch.GetMetricDataInput) { in.MaxDatapoints = awssdk.Int32(100_801) }, "MaxDatapoints must be between 1 and 100800"},
		{"an unknown order", func(in *cloudwatch.GetMetricDataInput) { in.ScanBy = "Sideways" }, "Value 'Sideways' at 'scanBy'"},
		{"an expression with a mistake", func(in *cloudwatch.GetMetricDataInput) {
			in.MetricDataQueries = append(in.MetricDataQueries, expressionFor("x", "m1 +"))
		}, "Error in expression 'x': unexpected end of expression at position 5."},
		{"an expression with an unknown id", func(in *cloudwatch.GetMetricDataInput) {
			in.MetricDataQueries = append(in.MetricDataQueries, expressionFor("x", "m1 + m2"))
		}, "Error in expression 'x': ID 'm2' not found."},
		{"an expression with an unknown function", func(in *cloudwatch.GetMetricDataInput) {
			in.MetricDataQueries = append(in.MetricDataQueries, expressionFor("x", "MEDIAN(m1)"))
		}, `Error in expression 'x': unsupported function "MEDIAN".`},
		{"an expression that is a number", func(in *cloudwatch.GetMetricDataInput) {
			in.MetricDataQueries = append(in.MetricDataQueries, expressionFor("x", "SUM(m1)"))
		}, "Error in expression 'x': the result must be a time series or an array of time series."},
		{"an expression of itself", func(in *cloudwatch.GetMetricDataInput) {
			in.MetricDataQueries = append(in.MetricDataQueries, expressionFor("x", "x + 1"))
		}, "Error in expression 'x': circular reference to 'x'."},
		{"expressions in a circle", func(in *cloudwatch.GetMetricDataInput) {
			in.MetricDataQueries = append(in.MetricDataQueries, expressionFor("x", "y + 1"), expressionFor("y", "z"), expressionFor("z", "x"))
		}, "Error in expression 'x': circular reference to 'x'."},
		{"a hidden expression with a mistake", func(in *cloudwatch.GetMetricDataInput) {
			in.MetricDataQueries = append(in.MetricDataQueries, hidden(expressionFor("x", "zz")))
		}, "ID 'zz' not found"},
		{"an expression with a wrong period", func(in *cloudwatch.GetMetricDataInput) {
			q := expressionFor("x", "m1")
			q.Period = awssdk.Int32(7)
			in.MetricDataQueries = append(in.MetricDataQueries, q)
		}, "The value for parameter MetricDataQueries.member.2.Period must be"},
		{"an expression that is too long", func(in *cloudwatch.GetMetricDataInput) {
			in.MetricDataQueries = append(in.MetricDataQueries, expressionFor("x", "m1"+strings.Repeat("+1", 1100)))
		}, "must not be longer than 2048 characters"},
		{"a Metrics Insights query", func(in *cloudwatch.GetMetricDataInput) {
			in.MetricDataQueries = append(in.MetricDataQueries, expressionFor("x", `SELECT AVG(CPU) FROM "AWS/EC2"`))
		}, "Metrics Insights queries are not part of the rehearsal"},
	} {
		t.Run(k.name, func(t *testing.T) {
			in := &cloudwatch.GetMetricDataInput{
				StartTime: awssdk.Time(noon().Add(-5 * time.Minute)), EndTime: awssdk.Time(noon()), MetricDataQueries: []types.MetricDataQuery{good()},
			}
			k.change(in)
			_, err := c.GetMetricData(context.Background(), in)
			bad := (*types.ValidationException)(nil)
			if !errors.As(err, &bad) || bad.ErrorCode() != "ValidationError" || bad.ErrorFault() != smithy.FaultClient {
				t.Fatalf("got %v, want a ValidationException with the code ValidationError", err)
			}
			if !strings.Contains(bad.ErrorMessage(), k.want) {
				t.Errorf("says %q, want %q", bad.ErrorMessage(), k.want)
			}
		})
	}
}

func TestEveryMistakeOfACallIsNamedAtOnce(t *testing.T) {
	c := cloudWatchOf(t, busy())
	one, two := metricQueryFor("A", requests, "Sum", 60), metricQueryFor("b", requests, "Mean", 7)
	_, err := c.GetMetricData(context.Background(), &cloudwatch.GetMetricDataInput{
		StartTime: awssdk.Time(noon()), EndTime: awssdk.Time(noon()), MetricDataQueries: []types.MetricDataQuery{one, two},
	})
	bad := (*types.ValidationException)(nil)
	if !errors.As(err, &bad) || strings.Count(bad.ErrorMessage(), "\n") != 4 {
		t.Errorf("got %v, want four lines", err)
	}
}

func TestExactly500QueriesAreAnswered(t *testing.T) {
	c := cloudWatchOf(t, busy())
	queries := make([]types.MetricDataQuery, 500)
	for i := range queries {
		queries[i] = metricQueryFor(fmt.Sprintf("q%d", i), requests, "Sum", 60)
	}
	out := ask(t, c, 10*time.Minute, queries...)
	if len(out.MetricDataResults) != 500 || math.Abs(out.MetricDataResults[499].Values[9]-200) > 0 {
		t.Errorf("%d results", len(out.MetricDataResults))
	}
}

func TestAnOperationThatIsNotServedIsRefusedAsUnknown(t *testing.T) {
	c := cloudWatchOf(t, busy())
	_, err := c.ListDashboards(context.Background(), &cloudwatch.ListDashboardsInput{})
	if api := smithy.APIError(nil); !errors.As(err, &api) || api.ErrorCode() != "InvalidAction" {
		t.Errorf("got %v", err)
	}
}

func TestOnlyCBORIsSpoken(t *testing.T) {
	h := NewCloudWatch(testRegion, busy(), busy(), noon, WithServiceTime(0))
	for _, k := range []struct {
		name, method, path, protocol string
	}{
		{"a GET", http.MethodGet, cloudWatchPath + "GetMetricData", "rpc-v2-cbor"},
		{"another service", http.MethodPost, "/service/Other/operation/GetMetricData", "rpc-v2-cbor"},
		{"another protocol", http.MethodPost, cloudWatchPath + "GetMetricData", "rpc-v2-json"},
		{"AWS Query", http.MethodPost, "/", ""},
	} {
		t.Run(k.name, func(t *testing.T) {
			w := record(h, k.method, k.path, nil, map[string]string{"Smithy-Protocol": k.protocol})
			if w.Code != http.StatusNotFound || w.Header().Get("Content-Type") != "application/cbor" || !strings.Contains(w.Body.String(), "UnknownOperationException") {
				t.Errorf("%d %v %q", w.Code, w.Header(), w.Body.String())
			}
		})
	}
}
