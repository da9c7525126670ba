package sqs

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/onsale-dev/onsale/sale"
)

func TestEachQueueIsAskedOnceForItsThreeCounts(t *testing.T) {
	c := newCloud("orders")
	flying := depth("arena", "orders")
	flying.Signal, flying.Attribute = "in_flight", InFlight
	later := depth("arena", "orders")
	later.Signal, later.Attribute = "delayed", Delayed
	s := newSource(t, c, depth("arena", "orders"), flying, depth("club", "orders"), later)
	b := s.Read(t.Context(), noon())
	if got, want := lines(b), "arena/queue_depth 10\narena/in_flight 2\nclub/queue_depth 10\narena/delayed 1"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	want := []string{"url orders", "attributes https://q/1/orders ApproximateNumberOfMessages,ApproximateNumberOfMessagesNotVisible,ApproximateNumberOfMessagesDelayed"}
	if !slices.Equal(c.asked, want) {
		t.Errorf("asked %q", c.asked)
	}
	if b.Calls != 2 || math.Abs(b.CostUSD-2*0.40/1e6) > 1e-15 {
		t.Errorf("%d calls, cost %v", b.Calls, b.CostUSD)
	}
	for _, r := range b.Readings {
		if r.Unit != sale.Count || !r.At.Equal(r.FetchedAt) || r.At.Before(noon()) || !r.Valid() {
			t.Errorf("reading %+v", r)
		}
	}
	// The URL is known now.
	if b = s.Read(t.Context(), noon()); b.Calls != 1 {
		t.Errorf("the second poll took %d calls", b.Calls)
	}
}

func TestAQueueThatWasMadeAnewIsFoundAgain(t *testing.T) {
	c := newCloud("orders")
	s := newSource(t, c, depth("arena", "orders"))
	s.Read(t.Context(), noon())
	delete(c.queues, "https://q/1/orders")
	c.put("orders", "https://q/2/orders", "77")
	c.asked = nil
	b := s.Read(t.Context(), noon())
	if got := lines(b); got != "arena/queue_depth 77" || b.Calls != 3 {
		t.Errorf("got %s in %d calls: %q", got, b.Calls, c.asked)
	}
}

func TestAQueueThatIsNotThereIsMissingAndTheOthersAreNot(t *testing.T) {
	c := newCloud("orders")
	s := newSource(t, c, depth("arena", "orders"), depth("club", "gone"))
	b := s.Read(t.Context(), noon())
	want := "arena/queue_depth 10\nclub/queue_depth not_found: QueueDoesNotExist: The specified queue does not exist."
	if got := lines(b); got != want || !strings.Contains(b.Missing[0].Problem.Hint, "no queue gone in eu-central-1") {
		t.Errorf("got\n%s\nhint %s", got, b.Missing[0].Problem.Hint)
	}
	c.put("gone", "https://q/1/gone", "5")
	if got := lines(s.Read(t.Context(), noon())); got != "arena/queue_depth 10\nclub/queue_depth 5" {
		t.Errorf("once it is there: %s", got)
	}
}

func TestASourceWhoseOnlyQueueIsNotThereHasNoProblemOfItsOwn(t *testing.T) {
	b := newSource(t, newCloud(), depth("club", "gone")).Read(t.Context(), noon())
	if b.Problem != nil || len(b.Missing) != 1 || b.Missing[0].Problem.Class != sale.NotFound {
		t.Errorf("got %s", lines(b))
	}
}

func TestOneQueueThatFailsIsMissingAloneAndAllOfThemAreAProblem(t *testing.T) {
	c := newCloud("orders", "mails")
	c.fail = func(url string) error {
		if strings.HasSuffix(url, "mails") {
			return &types.RequestThrottled{Message: aws.String("Rate exceeded")}
		}
		return nil
	}
	s := newSource(t, c, depth("arena", "orders"), depth("club", "mails"))
	if got, want := lines(s.Read(t.Context(), noon())), "arena/queue_depth 10\nclub/queue_depth throttled: RequestThrottled: Rate exceeded"; got != want {
		t.Errorf("got %s", got)
	}
	c.fail = func(string) error { return &smithy.GenericAPIError{Code: "AccessDenied", Message: "no"} }
	b := s.Read(t.Context(), noon())
	if b.Problem == nil || b.Problem.Class != sale.Auth || len(b.Missing) > 0 || b.Calls != 2 || b.CostUSD != 0 {
		t.Errorf("got %s", lines(b))
	}
}

func TestCountsAreReadTolerantlyAndNeverInvented(t *testing.T) {
	name := "ApproximateNumberOfMessages"
	for text, want := range map[string]float64{
		"0": 0, "12": 12, " 12 ": 12, "12.0": 12, "1e3": 1000, "9007199254740992": 1 << 53,
		"": -1, "-1": -1, "many": -1, "NaN": -1, "Inf": -1, "1.5": -1, "1e300": -1, "0x": -1,
	} {
		got, err := count(map[string]string{name: text}, Visible)
		if want < 0 && err == nil || want >= 0 && (err != nil || got != want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if _, err := count(map[string]string{name: "1"}, Delayed); err == nil {
		t.Error("an attribute that was not given has a count")
	}
	c := newCloud("orders")
	c.queues["https://q/1/orders"][name] = "\x1b[2Jmany"
	b := newSource(t, c, depth("arena", "orders")).Read(t.Context(), noon())
	if len(b.Readings) > 0 || len(b.Missing) != 1 || b.Missing[0].Problem.Class != sale.BadData || strings.Contains(b.Missing[0].Problem.Text, "\x1b") {
		t.Errorf("got %s", lines(b))
	}
}

func FuzzCount(f *testing.F) {
	for _, s := range []string{"1", "-0", "1e400", " 7\n", "0x1p3", "1_000", "٣"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := count(map[string]string{"ApproximateNumberOfMessages": text}, Visible)
		if err == nil && (math.IsNaN(v) || math.IsInf(v, 0) || v < 0 || v != math.Trunc(v)) {
			t.Errorf("%q is read as %v", text, v)
		}
	})
}

func TestAtMostEightQueuesAreAskedTogetherAndADeadlineHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var names []string
		var queries []Query
		for i := range 50 {
			names = append(names, fmt.Sprint("q", i))
			queries = append(queries, depth(sale.ID(fmt.Sprint("s", i)), names[i]))
		}
		c := newCloud(names...)
		c.wait = func(ctx context.Context) error {
			select {
			case <-time.After(time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		s := newSource(t, c, queries...)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		started := time.Now()
		b := s.Read(ctx, started)
		// 8 at a time, 2 s each: 16 are done after 4 s, 8 have got their URL at 5 s
		if took := time.Since(started); took > 5*time.Second || c.most != 8 {
			t.Errorf("took %s, %d together", took, c.most)
		}
		if b.Problem != nil || len(b.Readings) != 16 || len(b.Missing) != 34 || b.Missing[0].Problem.Class != sale.Timeout {
			t.Errorf("%d read, %d missing, problem %v", len(b.Readings), len(b.Missing), b.Problem)
		}
		if at := b.Readings[15].At; at.Sub(started) != 4*time.Second {
			t.Errorf("the sixteenth is of %s after the start: At is the time of the answer", at.Sub(started))
		}
		// What was resolved stays resolved: the next poll needs fewer requests.
		if b = s.Read(t.Context(), time.Now()); len(b.Readings) != 50 || b.Calls != 100-24 {
			t.Errorf("then %d read in %d calls", len(b.Readings), b.Calls)
		}
	})
}

func TestQueuesMayBeGivenByNameURLOrARN(t *testing.T) {
	c := newCloud("orders")
	c.put("123456789012/orders", "https://q/9/orders", "9")
	url := "https://sqs.eu-central-1.amazonaws.com/123456789012/mails.fifo"
	c.put("x", url, "4")
	s := newSource(t, c, depth("a", "orders"), depth("b", "arn:aws:sqs:eu-central-1:123456789012:orders"), depth("c", url))
	b := s.Read(t.Context(), noon())
	if got := lines(b); got != "a/queue_depth 10\nb/queue_depth 9\nc/queue_depth 4" || b.Calls != 5 {
		t.Errorf("got %s in %d calls", got, b.Calls)
	}
	if want := (4*0.40 + 0.50) / 1e6; math.Abs(b.CostUSD-want) > 1e-15 {
		t.Errorf("cost %v, want %v", b.CostUSD, want)
	}
}

func TestWhatCanBeNoQueueIsRefusedAtTheStart(t *testing.T) {
	for _, c := range []struct{ name, queue, attribute, want string }{
		{"a plain name", "orders-prod_1", "", ""},
		{"a FIFO queue", "orders.fifo", "delayed", ""},
		{"an emulator's URL", "http://127.0.0.1:4566/000000000000/orders", "", ""},
		{"no name", "", "", "a name holds up to 80"},
		{"a blank", "my orders", "", "a name holds up to 80"},
		{"a name too long", strings.Repeat("x", 81), "", "a name holds up to 80"},
		{"another attribute", "orders", "oldest", "SQS counts visible, in_flight and delayed"},
		{"an ARN of something else", "arn:aws:sns:eu-central-1:1:x", "", "an ARN of a queue is"},
		{"an ARN of another region", "arn:aws:sqs:us-east-1:123456789012:orders", "", "declare a source for us-east-1"},
		{"a URL of another region", "https://sqs.us-east-1.amazonaws.com/123456789012/orders", "", "declare a source for us-east-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := depth("arena", c.queue)
			q.Attribute = Attribute(c.attribute)
			_, err := New(Options{Name: "orders", Region: "eu-central-1", API: newCloud(), Queries: []Query{q}})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want … %s …", err, c.want)
			}
		})
	}
	_, err := New(Options{Every: -1, Queries: []Query{depth("a", "x"), depth("a", "x"), depth("", "x")}})
	for _, want := range []string{"needs a name", "no API client", "must not be negative", "declared twice", "needs a sale and a signal"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func TestInfoDescribesTheSource(t *testing.T) {
	s := newSource(t, newCloud(), depth("a", "x"), depth("b", "x"), depth("c", "y"))
	want := sale.SourceInfo{Name: "orders", Kind: "sqs", Every: 10 * time.Second, Cadence: sale.Cadence{Period: 10 * time.Second}, Gives: "2 queues"}
	if got := s.Info(); got != want {
		t.Errorf("got %+v", got)
	}
	if got := newSource(t, newCloud(), depth("a", "x")).Info().Gives; got != "1 queue" {
		t.Errorf("gives %q", got)
	}
}

func TestEachFailureSaysHowToMendIt(t *testing.T) {
	op := func(service, name string, err error) error {
		return &smithy.OperationError{ServiceID: service, OperationName: name, Err: err}
	}
	api := func(code string) error {
		return &smithy.GenericAPIError{Code: code, Message: "m\nThe Canonical String SECRET"}
	}
	for _, c := range []struct {
		err   error
		class sale.Class
		hint  string
	}{
		{op("SQS", "GetQueueAttributes", api("AccessDenied")), sale.Auth, "allow sqs:GetQueueAttributes on orders to profile onsale-read"},
		{op("SQS", "GetQueueUrl", api("AccessDeniedException")), sale.Auth, "allow sqs:GetQueueUrl on orders"},
		{op("SQS", "GetQueueUrl", op("STS", "AssumeRole", api("AccessDenied"))), sale.Auth, "allow sts:AssumeRole"},
		{api("ExpiredToken"), sale.Auth, "aws sso login --profile onsale-read"},
		{api("RequestTimeTooSkewed"), sale.Auth, "clock"},
		{api("InvalidSignatureException"), sale.Auth, "clock"},
		{api("InvalidSecurity"), sale.Auth, "https"},
		{api("InvalidAddress"), sale.NotFound, "URL"},
		{api("OverLimit"), sale.Throttled, "poll less often"},
		{errors.New("get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found"), sale.Auth, "a profile that has credentials"},
	} {
		s := newSource(t, newCloud(), depth("a", "orders"))
		p := s.problem(c.err, s.queues[0])
		if p.Class != c.class || !strings.Contains(p.Hint, c.hint) || strings.Contains(p.Text, "SECRET") {
			t.Errorf("%v: %s (%s)", c.err, p.Error(), p.Hint)
		}
	}
}
