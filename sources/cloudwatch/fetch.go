package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/onsale-dev/onsale/sale"
)

// sparePages is how many pages beyond the expected are followed: PartialData and internal
// errors make some. More than that is a system that does not come to an end.
const sparePages = 5

const maxWarnings = 20

// fetched is what one call gave, with all its pages.
type fetched struct {
	series   map[*ask]*series
	messages []string // CloudWatch's own, cleaned, not about one series
	requests int
	metrics  int // billed; each page counts again
	err      error
	at       time.Time // when the last page was read
}

// series is the answer for one ask, over all pages.
type series struct {
	status types.StatusCode
	label  string
	points []datapoint
	note   string // CloudWatch's message about this series, cleaned
	fault  string // why the answer can't be used
}

type datapoint struct {
	start time.Time // of the period, as CloudWatch stamps it
	value float64
}

// reader sends the calls of one poll.
type reader struct {
	api   API
	clock func() time.Time
	clean func(string) string
}

// fetch sends a request for a window and follows its pages. What the pages before an error
// gave is kept: the newest points come first.
func (r reader) fetch(ctx context.Context, req request, period time.Duration, w window) fetched {
	got := fetched{series: make(map[*ask]*series, len(req.byID))}
	expected := len(req.byID)*int(w.to.Sub(w.from)/period)/maxPoints + 1
	in := &cloudwatch.GetMetricDataInput{
		StartTime:         aws.Time(w.from),
		EndTime:           aws.Time(w.to),
		ScanBy:            types.ScanByTimestampDescending,
		MetricDataQueries: req.queries,
	}
	for page := 0; ; page++ {
		if page >= expected+sparePages {
			got.messages = append(got.messages, fmt.Sprintf("more than %d pages: the oldest points are left out", page))
			return got
		}
		if err := ctx.Err(); err != nil {
			got.err, got.at = err, r.clock()
			return got
		}
		out, err := r.send(ctx, in)
		got.requests++
		got.at = r.clock()
		if err != nil {
			got.err = err
			return got
		}
		got.metrics += req.metrics
		if page == 0 && len(out.MetricDataResults) == 0 && len(out.Messages) == 0 && out.NextToken == nil {
			got.err = &sale.Problem{Class: sale.BadData, Text: "CloudWatch answered without any result", Hint: hintEndpoint}
			return got
		}
		got.take(req, out, r.clean)
		next := aws.ToString(out.NextToken)
		if next == "" {
			return got
		}
		if next == aws.ToString(in.NextToken) {
			got.err = &sale.Problem{Class: sale.BadData, Text: "CloudWatch answered the same page twice: paging does not advance", Hint: hintEndpoint}
			return got
		}
		again := *in
		again.NextToken = aws.String(next)
		in = &again
	}
}

// send keeps a fault in decoding from taking the program down.
func (r reader) send(ctx context.Context, in *cloudwatch.GetMetricDataInput) (out *cloudwatch.GetMetricDataOutput, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, &sale.Problem{Class: sale.BadData, Text: r.clean(fmt.Sprintf("the answer could not be decoded: %v", p)), Hint: hintEndpoint}
		}
	}()
	out, err = r.api.GetMetricData(ctx, in)
	if err == nil && out == nil {
		err = errors.New("no answer and no error")
	}
	return out, err
}

// take adds a page.
func (f *fetched) take(req request, out *cloudwatch.GetMetricDataOutput, clean func(string) string) {
	for _, m := range out.Messages {
		f.say(clean(messageText(m)))
	}
	inPage := make(map[*ask]bool, len(out.MetricDataResults))
	for _, res := range out.MetricDataResults {
		a, ok := req.byID[aws.ToString(res.Id)]
		if !ok {
			continue // nothing that was asked for
		}
		sr, ok := f.series[a]
		if !ok {
			sr = &series{label: aws.ToString(res.Label)}
			f.series[a] = sr
		}
		if !a.band && (inPage[a] || sr.label != aws.ToString(res.Label)) {
			sr.fault = "the expression gives several series, a signal is one number: wrap it in SUM, AVG or MAX"
		}
		inPage[a] = true
		sr.add(res, clean)
	}
}

func (s *series) add(res types.MetricDataResult, clean func(string) string) {
	s.status = res.StatusCode
	for _, m := range res.Messages {
		s.note = clean(messageText(m))
	}
	if len(res.Timestamps) != len(res.Values) {
		s.fault = fmt.Sprintf("%d timestamps for %d values", len(res.Timestamps), len(res.Values))
		return
	}
	if res.StatusCode == types.StatusCodeInternalError || res.StatusCode == types.StatusCodeForbidden {
		return
	}
	s.points = slices.Grow(s.points, len(res.Values))
	for i, v := range res.Values {
		s.points = append(s.points, datapoint{res.Timestamps[i], v})
	}
}

func (f *fetched) say(text string) {
	if text != "" && len(f.messages) < maxWarnings && !slices.Contains(f.messages, text) {
		f.messages = append(f.messages, text)
	}
}

// messageText is not cleaned yet.
func messageText(m types.MessageData) string {
	code, value := aws.ToString(m.Code), aws.ToString(m.Value)
	if code == "" || value == "" {
		return code + value
	}
	return code + ": " + value
}

// merge adds what another call of the same poll gave.
func (f *fetched) merge(other fetched) {
	for a, sr := range other.series {
		f.series[a] = sr
	}
	for _, m := range other.messages {
		f.say(m)
	}
	f.count(other)
}

func (f *fetched) count(other fetched) {
	f.requests += other.requests
	f.metrics += other.metrics
	if other.at.After(f.at) {
		f.at = other.at
	}
}
