package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"

	"github.com/onsale-dev/onsale/sale"
)

// trained answers the bands of a cloud as CloudWatch does: two series under one id, or none.
type trained struct {
	*cloud
	edges func(start time.Time) []float64 // of an instant; one series for each place
	names []string                        // labels of the series
}

func (c trained) GetMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput, o ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	out, err := c.cloud.GetMetricData(ctx, in, o...)
	if err != nil {
		return nil, err
	}
	for _, q := range in.MetricDataQueries {
		if q.Expression == nil || !strings.HasPrefix(*q.Expression, "ANOMALY") {
			continue
		}
		for i, name := range c.names {
			res := types.MetricDataResult{Id: q.Id, Label: aws.String(name), StatusCode: types.StatusCodeComplete}
			for start := in.EndTime.Add(-time.Minute); !start.Before(*in.StartTime); start = start.Add(-time.Minute) {
				if e := c.edges(start); i < len(e) {
					res.Timestamps, res.Values = append(res.Timestamps, start), append(res.Values, e[i])
				}
			}
			out.MetricDataResults = append(out.MetricDataResults, res)
		}
	}
	return out, nil
}

func banded(id sale.ID, width float64) Query {
	q := connections(id)
	q.Band = width
	return q
}

// told writes the bands of a batch, newest last.
func told(b sale.Batch) string {
	var out []string
	for _, r := range b.Bands {
		if r.Why != "" {
			out = append(out, fmt.Sprintf("%s: %s", r.Sale, r.Why))
		} else if !r.At.Before(utc("10:06:00")) {
			out = append(out, fmt.Sprintf("%s %s %g-%g", r.Sale, r.At.Format("15:04"), r.Low, r.High))
		}
	}
	return strings.Join(out, ", ")
}

func upperFirst(time.Time) []float64 { return []float64{260, 210} }

func TestABandIsAskedForBesideItsMetricOnceAndPaidForWithIt(t *testing.T) {
	for _, c := range []struct {
		name    string
		queries []Query
		want    string
	}{
		{"beside the value", []Query{banded("arena", 2)}, "1m0s 1: m1=AWS/RDS DatabaseConnections Maximum, e1=ANOMALY_DETECTION_BAND(m1, 2)"},
		{"once for two sales", []Query{banded("arena", 2), banded("club", 2)}, "1m0s 1: m1=AWS/RDS DatabaseConnections Maximum, e1=ANOMALY_DETECTION_BAND(m1, 2)"},
		{"another width is another band", []Query{banded("arena", 2), banded("club", 2.5)}, "1m0s 1: m1=AWS/RDS DatabaseConnections Maximum, e1=ANOMALY_DETECTION_BAND(m1, 2), e2=ANOMALY_DETECTION_BAND(m1, 2.5)"},
		{"for one sale of two", []Query{connections("arena"), banded("club", 3)}, "1m0s 1: m1=AWS/RDS DatabaseConnections Maximum, e1=ANOMALY_DETECTION_BAND(m1, 3)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i := range c.queries {
				c.queries[i].Period = time.Minute
			}
			if got := sheet(plan(c.queries)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestABandIsTwoSeriesOfOneIdAndTheirOrderDoesNotMatter(t *testing.T) {
	values := map[string]func(time.Time) (float64, bool){conns: steady(230)}
	gap := func(start time.Time) []float64 {
		if start.Equal(utc("10:06:00")) {
			return []float64{260}
		}
		return []float64{260, 210}
	}
	for _, c := range []struct {
		name  string
		edges func(time.Time) []float64
		names []string
		want  string
	}{
		{"upper first", upperFirst, []string{"m (upper)", "m (lower)"}, "arena 10:06 210-260, arena 10:07 210-260"},
		{"lower first", func(time.Time) []float64 { return []float64{210, 260} }, []string{"low", "high"}, "arena 10:06 210-260, arena 10:07 210-260"},
		{"both with the same label", upperFirst, []string{"band", "band"}, "arena 10:06 210-260, arena 10:07 210-260"},
		{"a period with one edge has no band", gap, []string{"a", "b"}, "arena 10:06 210-260"},
		{"one series is no band", upperFirst, []string{"a"}, "arena: CloudWatch gave no band: a band is two values for each period"},
		{"three series are no band", func(time.Time) []float64 { return []float64{1, 2, 3} }, []string{"a", "b", "c"}, "arena: CloudWatch gave no band: a band is two values for each period"},
		{"no number is no edge", func(time.Time) []float64 { return []float64{math.NaN(), math.Inf(1)} }, []string{"a", "b"}, "arena: CloudWatch gave no band: a band is two values for each period"},
		{"two series without a datapoint", func(time.Time) []float64 { return nil }, []string{"a", "b"}, "arena: no model"},
		{"no series at all", upperFirst, nil, "arena: no model"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSource(t, trained{&cloud{series: values}, c.edges, c.names}, short, banded("arena", 2))
			b := s.Read(t.Context(), utc("10:08:22"))
			if got := told(b); got != c.want {
				t.Errorf("bands %q, want %q", got, c.want)
			}
			if b.Problem != nil || len(b.Missing) != 0 || len(b.Readings) != 7 {
				t.Errorf("the signal itself: %s", lines(b))
			}
		})
	}
}

func TestABandThatCloudWatchRefusesCostsItsSignalNothing(t *testing.T) {
	c := &cloud{series: map[string]func(time.Time) (float64, bool){conns: steady(230)}, refuses: func(names []string) error {
		for i, n := range names {
			if strings.HasPrefix(n, "ANOMALY") {
				return &smithy.GenericAPIError{Code: "ValidationError", Message: fmt.Sprintf("Error in expression 'e%d': no anomaly detector", i)}
			}
		}
		return nil
	}}
	s := newSource(t, c, short, banded("arena", 2))
	for i := range 3 {
		now := utc("10:08:22").Add(time.Duration(i) * time.Minute)
		b := s.Read(t.Context(), now)
		if b.Problem != nil || len(b.Missing) != 0 || len(b.Readings) == 0 {
			t.Errorf("poll %d: %s", i, lines(b))
		}
		if got := told(b); !strings.HasPrefix(got, "arena: no model: ") || !strings.Contains(got, "no anomaly detector") {
			t.Errorf("poll %d: %s", i, got)
		}
	}
}

func TestABandOfASilentMetricIsNoWitnessThatOthersAreComplete(t *testing.T) {
	c := trained{&cloud{series: map[string]func(time.Time) (float64, bool){conns: silent}}, upperFirst, []string{"a", "b"}}
	s := newSource(t, c, short, banded("arena", 2), oldest("arena"))
	b := s.Read(t.Context(), utc("10:08:22"))
	if len(b.Readings) != 0 || len(b.Missing) != 2 {
		t.Errorf("zeros were made, or the silence was not told: %s", lines(b))
	}
	c.cloud.refuses = func([]string) error { return errors.New("connection refused") }
	if b := s.Read(t.Context(), utc("10:09:22")); b.Problem == nil {
		t.Error("a failed poll has no problem")
	}
}

func TestHistoryIsReadWithoutBands(t *testing.T) {
	c := trained{&cloud{series: map[string]func(time.Time) (float64, bool){conns: steady(230)}}, upperFirst, []string{"a", "b"}}
	s := newSource(t, c, func(o *Options) { o.History = 12 * time.Hour }, banded("arena", 2))
	s.Read(t.Context(), utc("10:08:22"))
	c.forget()
	b := s.Read(t.Context(), utc("10:08:40"))
	if len(c.calls) == 0 || len(b.Readings) == 0 || len(b.Bands) != 0 {
		t.Fatalf("%d calls, %d readings, %d bands", len(c.calls), len(b.Readings), len(b.Bands))
	}
	for _, in := range c.calls {
		for _, q := range in.MetricDataQueries {
			if q.Expression != nil {
				t.Errorf("history asks %s", *q.Expression)
			}
		}
	}
}

func TestABandThatCannotBeAskedForIsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		q    Query
		want string
	}{
		{"too wide", banded("a", 11), "band 11"},
		{"below nothing", banded("a", -1), "band -1"},
		{"no number", banded("a", math.NaN()), "band NaN"},
		{"of an expression", func() Query { q := errorsRatio("a", "app/x"); q.Band = 2; return q }(), "one metric without an expression"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := New(Options{Name: "aws", Region: "eu-central-1", API: &cloud{}, Queries: []Query{c.q}}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// FuzzBand pairs any values: a band is finite, in order, inside the window, once for an instant.
func FuzzBand(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4}, 210.0, 260.0)
	f.Add([]byte{1, 1, 1, 2, 2}, math.NaN(), math.Inf(-1))
	f.Fuzz(func(t *testing.T, at []byte, a, b float64) {
		w := window{utc("10:00:00"), utc("11:00:00")}
		var raw []datapoint
		for i, m := range at {
			v := a
			if i%2 == 1 {
				v = b
			}
			raw = append(raw, datapoint{w.from.Add(time.Duration(int8(m)) * time.Minute), v})
		}
		var last time.Time
		for _, e := range paired(raw, time.Minute, w) {
			if !(e.low <= e.high) || math.IsInf(e.low, 0) || math.IsInf(e.high, 0) || !e.at.After(last) || e.at.After(w.to) || !e.at.After(w.from) {
				t.Errorf("%+v after %s", e, last)
			}
			last = e.at
		}
	})
}
