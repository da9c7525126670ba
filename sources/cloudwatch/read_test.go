package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"

	"github.com/onsale-dev/onsale/sale"
)

func short(o *Options) { o.History = 5 * time.Minute }

func TestAFigureCarriesTheEndOfItsPeriod(t *testing.T) {
	c := &cloud{series: map[string]func(time.Time) (float64, bool){conns: func(start time.Time) (float64, bool) { return float64(start.Minute()), true }}}
	s := newSource(t, c, short, connections("arena"))
	b := s.Read(t.Context(), utc("10:08:22"))
	// The minute 10:06–10:07, stamped 10:06 by CloudWatch, is the newest that is settled. The
	// history of five minutes begins on a five-minute mark.
	want := "arena/db_connections 10:01:00 0\narena/db_connections 10:02:00 1\narena/db_connections 10:03:00 2\n" +
		"arena/db_connections 10:04:00 3\narena/db_connections 10:05:00 4\narena/db_connections 10:06:00 5\narena/db_connections 10:07:00 6"
	if got := lines(b); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	in := c.last()
	if !in.StartTime.Equal(utc("10:00:00")) || !in.EndTime.Equal(utc("10:07:00")) || in.ScanBy != types.ScanByTimestampDescending {
		t.Errorf("asked %s – %s, %s", in.StartTime, in.EndTime, in.ScanBy)
	}
	for _, r := range b.Readings {
		if r.Unit != sale.Count || !r.Valid() || r.FetchedAt.Before(utc("10:08:22")) {
			t.Errorf("reading %+v", r)
		}
	}
}

func TestALaterRevisionIsReadAgain(t *testing.T) {
	revised := false
	c := &cloud{series: map[string]func(time.Time) (float64, bool){conns: func(start time.Time) (float64, bool) {
		if revised && start.Equal(utc("10:03:00")) {
			return 99, true
		}
		return 1, true
	}}}
	s := newSource(t, c, short, connections("arena"))
	s.Read(t.Context(), utc("10:08:22"))
	revised = true
	b := s.Read(t.Context(), utc("10:09:22"))
	want := "arena/db_connections 10:04:00 99\narena/db_connections 10:05:00 1\narena/db_connections 10:06:00 1\narena/db_connections 10:07:00 1\narena/db_connections 10:08:00 1"
	if got := lines(b); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAPollThatCanBringNothingNewIsFree(t *testing.T) {
	c := &cloud{series: map[string]func(time.Time) (float64, bool){conns: steady(5)}}
	s := newSource(t, c, short, connections("arena"), oldest("arena"), connections("club"))
	s.Read(t.Context(), utc("10:08:22"))
	c.forget()
	b := s.Read(t.Context(), utc("10:08:50"))
	if len(c.calls) != 0 || b.Calls != 0 || b.CostUSD != 0 || b.Problem != nil {
		t.Errorf("%d calls, batch %+v", len(c.calls), b)
	}
}

func TestAPollThatAsksNothingStillSaysWhatIsMissing(t *testing.T) {
	c := &cloud{}
	s := newSource(t, c, short, connections("arena"))
	first := s.Read(t.Context(), utc("10:08:22"))
	again := s.Read(t.Context(), utc("10:08:50"))
	if len(first.Missing) != 1 || len(again.Missing) != 1 || again.Calls != 0 {
		t.Errorf("first %s, again %s", lines(first), lines(again))
	}
}

func TestALongerPeriodIsOnlyAskedWhenANewOneCanBeThere(t *testing.T) {
	five := connections("club")
	five.Period = 5 * time.Minute
	c := &cloud{series: map[string]func(time.Time) (float64, bool){conns: steady(5)}}
	s := newSource(t, c, short, connections("arena"), five)
	var asked []string
	for at := utc("10:01:10"); at.Before(utc("10:12:00")); at = at.Add(time.Minute) {
		c.forget()
		s.Read(t.Context(), at)
		for _, in := range c.calls {
			if *in.MetricDataQueries[0].MetricStat.Period == 300 {
				asked = append(asked, at.Format("15:04"))
			}
		}
	}
	if got := strings.Join(asked, " "); got != "10:01 10:06 10:11" {
		t.Errorf("asked at %s", got)
	}
}

func TestHistoryIsFetchedOnceAndThenOnlyExtended(t *testing.T) {
	c := &cloud{series: map[string]func(time.Time) (float64, bool){conns: steady(5)}}
	s := newSource(t, c, nil, connections("arena"))
	first := s.Read(t.Context(), utc("10:08:22"))
	if first.Calls != 1 || len(first.Readings) != 182 { // 07:05–10:07
		t.Errorf("%d calls, %d readings", first.Calls, len(first.Readings))
	}
	next := s.Read(t.Context(), utc("10:09:22"))
	if len(next.Readings) != 5 {
		t.Errorf("then %d readings", len(next.Readings))
	}
	gap := s.Read(t.Context(), utc("10:39:22")) // 30 polls were missed
	if len(gap.Readings) != 34 {
		t.Errorf("after a gap %d readings", len(gap.Readings))
	}
}

func TestOlderHistoryComesInFiveMinutesWhereThatMeansTheSame(t *testing.T) {
	sum := connections("club")
	sum.Metrics = map[string]Stat{"m": {Namespace: "AWS/SQS", Metric: "NumberOfMessagesSent", Statistic: "Sum"}}
	c := &cloud{series: map[string]func(time.Time) (float64, bool){conns: steady(5), "AWS/SQS NumberOfMessagesSent Sum": steady(60)}}
	s := newSource(t, c, func(o *Options) { o.History = 6 * time.Hour }, connections("arena"), sum)
	b := s.Read(t.Context(), utc("10:08:22"))
	if !s.More() {
		t.Fatal("the history before the first three hours is not announced")
	}
	b.Readings = append(b.Readings, s.Read(t.Context(), utc("10:08:23")).Readings...)
	if s.More() {
		t.Error("more is announced than there is")
	}
	var asked []string
	for _, in := range c.calls {
		asked = append(asked, fmt.Sprintf("%d x %d s %s–%s", len(in.MetricDataQueries), *in.MetricDataQueries[0].MetricStat.Period, in.StartTime.Format("15:04"), in.EndTime.Format("15:04")))
	}
	want := "2 x 60 s 07:05–10:07, 1 x 300 s 04:05–07:05, 1 x 60 s 04:07–07:05"
	if got := strings.Join(asked, ", "); got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
	count := map[sale.ID]int{}
	for _, r := range b.Readings {
		count[r.Sale]++
		if r.Sale == "club" && r.Value != 60 {
			t.Fatalf("a sum of another scale: %+v", r)
		}
	}
	if count["arena"] != 182+36 || count["club"] != 182+178 {
		t.Errorf("readings %v", count)
	}
	if s.Read(t.Context(), utc("10:09:22")).Calls != 1 {
		t.Errorf("history was asked again")
	}
}

func TestHistoryThatCanNotBeReadCostsNothingElse(t *testing.T) {
	c := &cloud{series: map[string]func(time.Time) (float64, bool){conns: steady(5)}}
	broken := hooked{c, func(in *cloudwatch.GetMetricDataInput) error {
		if in.EndTime.Before(utc("09:00:00")) {
			return &smithy.GenericAPIError{Code: "InternalServiceFault", Message: "no", Fault: smithy.FaultServer}
		}
		return nil
	}}
	s := newSource(t, broken, func(o *Options) { o.History = 6 * time.Hour }, connections("arena"))
	var warned []string
	for i := range 5 {
		now := utc("10:08:22").Add(time.Duration(i) * time.Minute)
		b := s.Read(t.Context(), now)
		if b.Problem != nil || len(b.Missing) > 0 || len(b.Readings) < 5 {
			t.Errorf("poll %d: %s", i, lines(b))
		}
		if s.More() != (i < 3) {
			t.Errorf("poll %d: more = %v", i, s.More())
		}
		b = s.Read(t.Context(), now.Add(time.Second))
		if b.Problem != nil || len(b.Missing) > 0 || s.More() {
			t.Errorf("after poll %d: %s, more = %v", i, lines(b), s.More())
		}
		warned = append(warned, b.Warnings...)
	}
	if len(warned) != 1 || !strings.Contains(warned[0], "history before 07:05:00 UTC could not be read") || len(c.calls) != 5 {
		t.Errorf("warned %q, %d answered", warned, len(c.calls))
	}
}

func TestWhileHistoryIsFetchedACallThatFailedIsNotHammered(t *testing.T) {
	five := connections("club")
	five.Period = 5 * time.Minute
	c := &cloud{series: map[string]func(time.Time) (float64, bool){conns: steady(5)}}
	failed := 0
	api := hooked{c, func(in *cloudwatch.GetMetricDataInput) error {
		if *in.MetricDataQueries[0].MetricStat.Period == 300 && in.EndTime.After(utc("10:00:00")) {
			failed++
			return &smithy.GenericAPIError{Code: "Throttling", Message: "Rate exceeded"}
		}
		return nil
	}}
	s := newSource(t, api, func(o *Options) { o.History = 6 * time.Hour }, connections("arena"), five)
	s.Read(t.Context(), utc("10:08:22"))
	b := s.Read(t.Context(), utc("10:08:23"))
	if failed != 1 || b.Problem != nil || delivered(b) != 1 || len(b.Missing) != 1 || b.Missing[0].Problem.Class != sale.Throttled {
		t.Errorf("failed %d times: problem %v, %d delivered, missing %v", failed, b.Problem, delivered(b), b.Missing)
	}
	if s.Read(t.Context(), utc("10:09:22")); failed != 2 {
		t.Errorf("at the next poll it was tried %d times", failed-1)
	}
}

// hooked fails calls before they reach the cloud.
type hooked struct {
	*cloud
	fail func(*cloudwatch.GetMetricDataInput) error
}

func (h hooked) GetMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput, o ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	if err := h.fail(in); err != nil {
		return nil, err
	}
	return h.cloud.GetMetricData(ctx, in, o...)
}

func TestEachStatusMeansWhatItSays(t *testing.T) {
	now := utc("10:08:22")
	for _, c := range []struct {
		name   string
		status types.StatusCode
		data   func(time.Time) (float64, bool)
		want   string // what becomes of the series
	}{
		{"Complete with values", types.StatusCodeComplete, until(utc("11:00:00"), 5), "value"},
		{"Complete without values is silence, not zero", types.StatusCodeComplete, silent, "not_found: no datapoints in the last 7m"},
		{"PartialData with values is taken as it is", types.StatusCodePartialData, until(utc("11:00:00"), 5), "value"},
		{"PartialData without values", types.StatusCodePartialData, silent, "failing: CloudWatch gave only a part of the data, without a value"},
		{"InternalError with values gives none of them", types.StatusCodeInternalError, until(utc("11:00:00"), 5), "failing: CloudWatch had an internal error for this metric"},
		{"Forbidden", types.StatusCodeForbidden, silent, "auth: CloudWatch forbids reading it"},
		{"a status that we don't know", "Sleeping", silent, `bad_data: CloudWatch gave no value and the status "Sleeping"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			other := oldest("arena")
			other.MissingZero = false
			api := &cloud{
				series: map[string]func(time.Time) (float64, bool){conns: c.data, age: steady(7)},
				status: map[string]types.StatusCode{conns: c.status},
			}
			b := newSource(t, api, short, connections("arena"), other).Read(t.Context(), now)
			if b.Problem != nil || newest(t, b, sale.QueueOldestSeconds).Value != 7 {
				t.Fatalf("the other signal is hidden: %s", lines(b))
			}
			if c.want == "value" {
				if got := newest(t, b, sale.DBConnections); got.Value != 5 || !got.At.Equal(utc("10:07:00")) || len(b.Missing) > 0 {
					t.Errorf("got %s", lines(b))
				}
				return
			}
			if len(b.Missing) != 1 || b.Missing[0].Signal != sale.DBConnections || b.Missing[0].Problem.Error() != c.want {
				t.Errorf("missing %v, want %s", b.Missing, c.want)
			}
			if c.status != "Sleeping" && b.Missing[0].Problem.Hint == "" {
				t.Error("no hint")
			}
		})
	}
}

func TestASeriesThatFallsSilentSaysSinceWhen(t *testing.T) {
	api := &cloud{series: map[string]func(time.Time) (float64, bool){conns: until(utc("10:04:00"), 5)}}
	s := newSource(t, api, short, connections("arena"))
	first := s.Read(t.Context(), utc("10:08:22"))
	if len(first.Missing) > 0 || !newest(t, first, sale.DBConnections).At.Equal(utc("10:04:00")) {
		t.Errorf("at first %s", lines(first))
	}
	// As long as the last poll's five periods hold a point it is delivered again.
	var said []string
	for at := utc("10:09:22"); at.Before(utc("10:30:00")); at = at.Add(time.Minute) {
		if b := s.Read(t.Context(), at); len(b.Readings) == 0 {
			said = append(said, at.Format("15:04 ")+lines(b))
		} else if at.After(utc("10:09:59")) {
			t.Errorf("%s: an old point is delivered again: %s", at.Format("15:04"), lines(b))
		}
	}
	if len(said) != 20 || said[0] != "10:10 arena/db_connections not_found: no datapoints since 10:04:00 UTC" {
		t.Errorf("%d polls said so: %q", len(said), said)
	}
}

func TestASystemThatPublishesLaterThanTheLookbackIsStillRead(t *testing.T) {
	now := utc("10:08:22")
	const late = 9 * time.Minute
	api := &cloud{}
	api.series = map[string]func(time.Time) (float64, bool){conns: steady(1), age: func(start time.Time) (float64, bool) {
		return 7, start.Before(now.Add(-late))
	}}
	slow := oldest("arena")
	slow.MissingZero = false
	s := newSource(t, api, nil, connections("arena"), slow)
	for i := range 20 {
		b := s.Read(t.Context(), now)
		if got := newest(t, b, sale.QueueOldestSeconds); now.Sub(got.At) > late+time.Minute {
			t.Fatalf("poll %d at %s: newest %s\n%s", i, now.Format("15:04:05"), got.At.Format("15:04:05"), lines(b))
		}
		if len(b.Missing) > 0 {
			t.Fatalf("poll %d: %v", i, b.Missing)
		}
		now = now.Add(time.Minute)
	}
}

func TestSilenceBecomesZeroOnlyWhenDeclaredAndProven(t *testing.T) {
	now := utc("10:08:22") // settled up to 10:07, ripe up to 10:06:22
	for _, c := range []struct {
		name    string
		status  types.StatusCode
		age     func(time.Time) (float64, bool)
		others  func(time.Time) (float64, bool) // nil: the source reads nothing else
		newest  string                          // of the queue's age
		value   float64
		missing bool
		warned  bool
	}{
		{"an empty queue, while others report", "", silent, steady(1), "10:07:00", 0, false, true},
		{"an empty queue, alone, once it must have been published", "", silent, nil, "10:06:00", 0, false, true},
		{"an empty queue while CloudWatch lags: zero only as far as others report", "", silent, until(utc("10:04:00"), 1), "10:04:00", 0, false, true},
		{"nothing from anybody proves nothing", "", silent, silent, "", 0, true, false},
		{"a part of the data proves nothing", types.StatusCodePartialData, silent, steady(1), "", 0, true, false},
		{"an internal error proves nothing", types.StatusCodeInternalError, silent, steady(1), "", 0, true, false},
		// stamped 10:05, ends 10:06: 10:07 may still come, it is 82 s old and Delay is 120 s
		{"a late datapoint is not overtaken by a false zero", "", until(utc("10:06:00"), 30), steady(1), "10:06:00", 30, false, false},
		// newest ends 10:04; 10:05 and 10:06 are older than Delay, 10:07 is not
		{"a queue that ran empty is zero after Delay", "", until(utc("10:04:00"), 30), steady(1), "10:06:00", 0, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			api := &cloud{series: map[string]func(time.Time) (float64, bool){age: c.age}, status: map[string]types.StatusCode{}}
			if c.status != "" {
				api.status[age] = c.status
			}
			queries := []Query{oldest("arena")}
			if c.others != nil {
				api.series[conns] = c.others
				queries = append(queries, connections("arena"))
			}
			b := newSource(t, api, short, queries...).Read(t.Context(), now)
			got := newest(t, b, sale.QueueOldestSeconds)
			if c.newest == "" && !got.At.IsZero() || c.newest != "" && (!got.At.Equal(utc(c.newest)) || got.Value != c.value) {
				t.Errorf("newest %+v\n%s", got, lines(b))
			}
			missing := false
			for _, m := range b.Missing {
				missing = missing || m.Signal == sale.QueueOldestSeconds
			}
			if missing != c.missing {
				t.Errorf("missing = %v: %s", missing, lines(b))
			}
			if warned := len(b.Warnings) > 0; warned != c.warned {
				t.Errorf("warnings %q", b.Warnings)
			}
		})
	}
}

func TestZerosFillTheHolesOfASeriesAndNothingElse(t *testing.T) {
	api := &cloud{series: map[string]func(time.Time) (float64, bool){conns: steady(1), age: func(start time.Time) (float64, bool) {
		return 30, start.Equal(utc("10:02:00")) || start.Equal(utc("10:06:00"))
	}}}
	b := newSource(t, api, short, oldest("arena"), connections("arena")).Read(t.Context(), utc("10:08:22"))
	var got []string
	for _, r := range b.Readings {
		if r.Signal == sale.QueueOldestSeconds {
			got = append(got, fmt.Sprintf("%s=%g", r.At.Format("04"), r.Value))
		}
	}
	if want := "01=0 02=0 03=30 04=0 05=0 06=0 07=30"; strings.Join(got, " ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, " "), want)
	}
}

func TestHolesOfASeriesThatIsNotCompleteStayHoles(t *testing.T) {
	api := &cloud{
		series: map[string]func(time.Time) (float64, bool){conns: steady(1), age: func(start time.Time) (float64, bool) {
			return 30, start.Equal(utc("10:02:00")) || start.Equal(utc("10:06:00"))
		}},
		status: map[string]types.StatusCode{age: types.StatusCodePartialData},
	}
	b := newSource(t, api, short, oldest("arena"), connections("arena")).Read(t.Context(), utc("10:08:22"))
	for _, r := range b.Readings {
		if r.Signal == sale.QueueOldestSeconds && r.Value != 30 {
			t.Errorf("invented %+v", r)
		}
	}
}

func TestTwoSalesThatShareAMetricEachGetItWithTheirOwnPolicy(t *testing.T) {
	strict := oldest("club")
	strict.MissingZero = false
	api := &cloud{series: map[string]func(time.Time) (float64, bool){conns: steady(1)}}
	b := newSource(t, api, short, oldest("arena"), strict, connections("arena")).Read(t.Context(), utc("10:08:22"))
	if len(api.last().MetricDataQueries) != 2 {
		t.Errorf("asked %d times", len(api.last().MetricDataQueries))
	}
	if len(b.Missing) != 1 || b.Missing[0].Sale != "club" || newest(t, b, sale.QueueOldestSeconds).Sale != "arena" {
		t.Errorf("got %s", lines(b))
	}
}

func TestPagesAreFollowedAndBilled(t *testing.T) {
	api := &cloud{series: map[string]func(time.Time) (float64, bool){conns: steady(5), age: steady(6)}, page: 3}
	b := newSource(t, api, short, connections("arena"), oldest("arena")).Read(t.Context(), utc("10:08:22"))
	if b.Calls != 3 || len(b.Readings) != 14 || len(b.Missing) > 0 {
		t.Errorf("%d calls: %s", b.Calls, lines(b))
	}
	// 2 metrics x 3 pages x 0.01 USD / 1,000
	if want := 0.00006; math.Abs(b.CostUSD-want) > 1e-12 {
		t.Errorf("cost %v, want %v", b.CostUSD, want)
	}
}

func TestTheBillIsCountedAsAWSCountsIt(t *testing.T) {
	var queries []Query
	for i := range 60 { // one metric each
		query := connections(sale.ID(fmt.Sprint("s", i)))
		query.Metrics = map[string]Stat{"m": st(fmt.Sprint("M", i), "Sum")}
		queries = append(queries, query)
	}
	for i, statistic := range []string{"p50", "p90", "p95", "p99", "Maximum", "Minimum"} { // with Sum: 7 of M0, one more metric
		query := connections("s0")
		query.Signal = sale.Signal(fmt.Sprint("x", i))
		query.Metrics = map[string]Stat{"m": st("M0", statistic)}
		queries = append(queries, query)
	}
	s := newSource(t, &cloud{}, short, queries...)
	b := s.Read(t.Context(), utc("10:08:22"))
	if s.Info().Gives != "61 metrics in 1 call" || math.Abs(b.CostUSD-61*0.01/1000) > 1e-12 {
		t.Errorf("%s, cost %v", s.Info().Gives, b.CostUSD)
	}
}

func TestAnEndlessChainOfPagesComesToAnEnd(t *testing.T) {
	for _, c := range []struct {
		name  string
		token func(n int) string
		want  string
		calls int
	}{
		{"new tokens for ever", func(n int) string { return fmt.Sprint("t", n) }, "more than 6 pages: the oldest points are left out", 6},
		{"the same token again", func(int) string { return "t" }, "paging does not advance", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := 0
			api := apiFunc(func(in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
				n++
				out := &cloudwatch.GetMetricDataOutput{NextToken: aws.String(c.token(n))}
				if n == 1 {
					out.MetricDataResults = []types.MetricDataResult{{Id: aws.String("m1"), StatusCode: types.StatusCodePartialData, Timestamps: []time.Time{utc("10:06:00")}, Values: []float64{5}}}
				}
				return out, nil
			})
			b := newSource(t, api, short, connections("arena")).Read(t.Context(), utc("10:08:22"))
			if b.Calls != c.calls || len(b.Warnings) != 1 || !strings.Contains(b.Warnings[0], c.want) || newest(t, b, sale.DBConnections).Value != 5 {
				t.Errorf("%d calls, warnings %q, %s", b.Calls, b.Warnings, lines(b))
			}
		})
	}
}

type apiFunc func(*cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error)

func (f apiFunc) GetMetricData(_ context.Context, in *cloudwatch.GetMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	return f(in)
}

// answering gives one result for the source's one query, m1 or e1.
func answering(results ...types.MetricDataResult) API {
	return apiFunc(func(in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
		return &cloudwatch.GetMetricDataOutput{MetricDataResults: results, Messages: []types.MessageData{{Code: aws.String("MaxMetricsExceeded"), Value: aws.String("Maximum number of allowed \x1b[2Jmetrics exceeded")}}}, nil
	})
}

func TestAnswersThatCanNotBeUsedAreMissingAndNeverAValue(t *testing.T) {
	at := []time.Time{utc("10:06:00"), utc("10:05:00")}
	result := func(change func(*types.MetricDataResult)) types.MetricDataResult {
		r := types.MetricDataResult{Id: aws.String("m1"), Label: aws.String("a"), StatusCode: types.StatusCodeComplete, Timestamps: at, Values: []float64{1, 2}}
		change(&r)
		return r
	}
	for _, c := range []struct {
		name    string
		results []types.MetricDataResult
		want    string
	}{
		{"an id that is not in the answer", []types.MetricDataResult{result(func(r *types.MetricDataResult) { r.Id = aws.String("m9") })}, "bad_data: CloudWatch did not answer for it: MaxMetricsExceeded: Maximum number of allowed"},
		{"more timestamps than values", []types.MetricDataResult{result(func(r *types.MetricDataResult) { r.Values = r.Values[:1] })}, "bad_data: 2 timestamps for 1 values"},
		{"several series for one signal", []types.MetricDataResult{result(func(*types.MetricDataResult) {}), result(func(r *types.MetricDataResult) { r.Label = aws.String("b") })}, "bad_data: the expression gives several series"},
		{"nothing but NaN and Inf", []types.MetricDataResult{result(func(r *types.MetricDataResult) { r.Values = []float64{math.NaN(), math.Inf(1)} })}, "not_found: no datapoints in the last"},
		{"periods that are not closed, or not asked for", []types.MetricDataResult{result(func(r *types.MetricDataResult) {
			r.Timestamps = []time.Time{utc("10:07:00"), utc("09:00:00")}
		})}, "not_found: no datapoints in the last"},
		{"no id at all", []types.MetricDataResult{{}}, "bad_data: CloudWatch did not answer for it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newSource(t, answering(c.results...), short, connections("arena")).Read(t.Context(), utc("10:08:22"))
			if len(b.Readings) != 0 || len(b.Missing) != 1 || !strings.HasPrefix(b.Missing[0].Problem.Error(), c.want) {
				t.Errorf("got %s", lines(b))
			}
			if len(b.Warnings) != 1 {
				t.Errorf("CloudWatch's message is not among the warnings: %q", b.Warnings)
			}
		})
	}
}

func TestAnAnswerWithoutAnyResultIsAProblem(t *testing.T) {
	for name, api := range map[string]API{
		"an empty answer": apiFunc(func(*cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
			return &cloudwatch.GetMetricDataOutput{}, nil
		}),
		"no answer and no error": apiFunc(func(*cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) { return nil, nil }),
		"a panic in the decoder": apiFunc(func(*cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
			panic("index out of range")
		}),
	} {
		t.Run(name, func(t *testing.T) {
			b := newSource(t, api, short, connections("arena")).Read(t.Context(), utc("10:08:22"))
			if b.Problem == nil || b.Problem.Class != sale.BadData && name != "no answer and no error" || len(b.Readings) > 0 {
				t.Errorf("got %s", lines(b))
			}
		})
	}
}

func TestOneCallThatFailsDoesNotHideTheOthers(t *testing.T) {
	five := connections("club")
	five.Period = 5 * time.Minute
	c := &cloud{series: map[string]func(time.Time) (float64, bool){conns: steady(5)}}
	api := hooked{c, func(in *cloudwatch.GetMetricDataInput) error {
		if *in.MetricDataQueries[0].MetricStat.Period == 300 {
			return &smithy.GenericAPIError{Code: "Throttling", Message: "Rate exceeded"}
		}
		return nil
	}}
	s := newSource(t, api, short, connections("arena"), five)
	b := s.Read(t.Context(), utc("10:08:22"))
	if b.Problem != nil || len(b.Missing) != 1 || b.Missing[0].Sale != "club" || b.Missing[0].Problem.Class != sale.Throttled || len(b.Readings) == 0 {
		t.Errorf("got %s", lines(b))
	}
	if b.Calls != 2 {
		t.Errorf("calls = %d", b.Calls)
	}
	// What failed is asked again at the next poll, although no new five minutes have passed.
	b = s.Read(t.Context(), utc("10:09:22"))
	if b.Calls != 2 {
		t.Errorf("the failed call was not tried again: %d calls", b.Calls)
	}
}

func TestWhenEveryCallFailsTheSourceHasAProblem(t *testing.T) {
	five := connections("club")
	five.Period = 5 * time.Minute
	down := errors.New("dial tcp 127.0.0.1:1: connection refused")
	api := apiFunc(func(*cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) { return nil, down })
	b := newSource(t, api, short, connections("arena"), five).Read(t.Context(), utc("10:08:22"))
	if b.Problem == nil || !strings.HasSuffix(b.Problem.Text, "(all 2 calls)") || len(b.Missing) > 0 || b.CostUSD != 0 {
		t.Errorf("got %+v", b)
	}
}

func TestAHangingServiceIsLeftAtTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := hangs{}
		s := newSource(t, hang, short, manyQueries(3000)...)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		started := time.Now()
		b := s.Read(ctx, started)
		if took := time.Since(started); took > 10*time.Second || b.Problem == nil {
			t.Errorf("took %s, problem %v", took, b.Problem)
		}
		if b.Calls > maxWorkers {
			t.Errorf("%d calls were sent, those after the deadline for nothing", b.Calls)
		}
	})
}

type hangs struct{}

func (hangs) GetMetricData(ctx context.Context, _ *cloudwatch.GetMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestTheClockThatWasSetBackDoesNotSilenceTheSource(t *testing.T) {
	c := &cloud{series: map[string]func(time.Time) (float64, bool){conns: steady(5)}}
	s := newSource(t, c, short, connections("arena"))
	s.Read(t.Context(), utc("10:08:22"))
	if b := s.Read(t.Context(), utc("07:08:22")); len(b.Readings) == 0 {
		t.Errorf("nothing read: %s", lines(b))
	}
}

func BenchmarkReading8000Queries(b *testing.B) {
	c := &cloud{series: map[string]func(time.Time) (float64, bool){}, maths: func(string, time.Time) (float64, bool) { return 0.01, true }}
	s := newSource(b, c, func(o *Options) { o.History = 5 * time.Minute }, manyQueries(8000)...)
	for _, call := range s.calls {
		for _, q := range call.request.queries {
			c.series[nameOf(q)] = steady(1)
		}
	}
	now := utc("10:08:22")
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Minute)
		if got := s.Read(context.Background(), now); len(got.Readings) < 8000 {
			b.Fatalf("%d readings, problem %v", len(got.Readings), got.Problem)
		}
	}
}
