package cloudwatch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/smithy-go"

	"github.com/onsale-dev/onsale/sale"
)

// fleet is n queries, one metric each, of which those at bad have an expression that
// CloudWatch refuses.
func fleet(n int, bad ...int) []Query {
	var queries []Query
	for i := range n {
		query := connections(sale.ID(fmt.Sprint("s", i)))
		query.Metrics = map[string]Stat{"m": st(fmt.Sprint("M", i), "Sum")}
		if slices.Contains(bad, i) {
			query.Expression = fmt.Sprintf("NOSUCH(m, %d)", i)
		}
		queries = append(queries, query)
	}
	return queries
}

func fleetCloud(n int, refuse func(names []string) error) *cloud {
	c := &cloud{series: map[string]func(time.Time) (float64, bool){}, refuses: refuse}
	for i := range n {
		c.series[fmt.Sprintf("N M%d Sum", i)] = steady(float64(i))
	}
	return c
}

func invalid(message string) error {
	return &smithy.GenericAPIError{Code: "ValidationError", Message: message, Fault: smithy.FaultClient}
}

// refuseNoSuch refuses a call that holds a bad expression, without saying which.
func refuseNoSuch(names []string) error {
	if slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, "NOSUCH") }) {
		return invalid("The expression is not valid")
	}
	return nil
}

func delivered(b sale.Batch) int {
	seen := map[sale.Key]bool{}
	for _, r := range b.Readings {
		seen[r.Key] = true
	}
	return len(seen)
}

func TestOneBadQueryIsLeftOutAndTheOthersStayTogether(t *testing.T) {
	for _, c := range []struct {
		name   string
		n      int
		bad    []int
		refuse func([]string) error
		first  int // requests of the first poll, at most
	}{
		// refused, then both halves of 499, 250, 125, 63, 32, 16, 8, 4, 2
		{"one of 499", 499, []int{317}, refuseNoSuch, 19},
		{"one of two", 2, []int{0}, refuseNoSuch, 3},
		{"two of 60", 60, []int{10, 49}, refuseNoSuch, 23},
		{"the refusal names its id: refused, the rest, the one", 499, []int{317}, func(names []string) error {
			if refuseNoSuch(names) == nil {
				return nil
			}
			return invalid("Error in expression 'e1': Unexpected function")
		}, 3},
		{"the refusal names its place in the call", 499, []int{317}, func(names []string) error {
			for i, n := range names {
				if strings.Contains(n, "NOSUCH") {
					return invalid(fmt.Sprintf("The value at MetricDataQueries.member.%d.Expression is not valid", i+1))
				}
			}
			return nil
		}, 3},
		{"the refusal names an input that nobody wants itself", 5, []int{2}, func(names []string) error {
			if err := refuseNoSuch(names); err == nil {
				return nil
			}
			return invalid("m3 can't be used here")
		}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			api := fleetCloud(c.n, c.refuse)
			s := newSource(t, api, short, fleet(c.n, c.bad...)...)
			b := s.Read(t.Context(), utc("10:08:22"))
			if b.Problem != nil || len(b.Missing) != len(c.bad) || delivered(b) != c.n-len(c.bad) {
				t.Fatalf("problem %v, %d missing, %d delivered", b.Problem, len(b.Missing), delivered(b))
			}
			for _, m := range b.Missing {
				if m.Problem.Class != sale.BadData || !strings.HasPrefix(m.Problem.Text, "ValidationError: ") {
					t.Errorf("missing for %v", m.Problem)
				}
			}
			if b.Calls > c.first || b.Calls != len(api.calls) {
				t.Errorf("%d requests, want at most %d; %d were sent", b.Calls, c.first, len(api.calls))
			}
			// It is remembered: the next poll is one call, without the bad ones.
			b = s.Read(t.Context(), utc("10:09:22"))
			if b.Calls != 1 || len(b.Missing) != len(c.bad) || delivered(b) != c.n-len(c.bad) {
				t.Errorf("the next poll: %d calls, %d missing, %d delivered", b.Calls, len(b.Missing), delivered(b))
			}
		})
	}
}

func TestAQueryThatWasLeftOutIsTriedAgainAndComesBack(t *testing.T) {
	api := fleetCloud(4, refuseNoSuch)
	api.maths = func(string, time.Time) (float64, bool) { return 1, true }
	s := newSource(t, api, short, fleet(4, 2)...)
	now := utc("10:08:22")
	s.Read(t.Context(), now)
	now = now.Add(16 * time.Minute)
	if b := s.Read(t.Context(), now); b.Calls != 2 || len(b.Missing) != 1 {
		t.Errorf("after a quarter of an hour it was not tried, or did not stay out: %d calls, %s", b.Calls, lines(b))
	}
	if b := s.Read(t.Context(), now.Add(time.Minute)); b.Calls != 1 {
		t.Errorf("it is tried at each poll: %d calls", b.Calls)
	}
	api.refuses = nil
	now = now.Add(16 * time.Minute)
	if b := s.Read(t.Context(), now); b.Calls != 2 || len(b.Missing) != 0 || delivered(b) != 4 {
		t.Errorf("mended, it did not come back: %d calls, %s", b.Calls, lines(b))
	}
	if b := s.Read(t.Context(), now.Add(time.Minute)); b.Calls != 1 || delivered(b) != 4 {
		t.Errorf("then: %d calls, %d delivered", b.Calls, delivered(b))
	}
}

func TestWhenEverythingIsRefusedNothingIsLeftOut(t *testing.T) {
	api := fleetCloud(8, func([]string) error { return invalid("The time range is not valid") })
	s := newSource(t, api, short, fleet(8)...)
	b := s.Read(t.Context(), utc("10:08:22"))
	if b.Problem == nil || b.Problem.Class != sale.BadData || len(b.Missing) > 0 || b.Calls != len(api.calls) {
		t.Errorf("got %s in %d calls", lines(b), b.Calls)
	}
	api.refuses = nil
	if b := s.Read(t.Context(), utc("10:09:22")); b.Problem != nil || delivered(b) != 8 || b.Calls != 1 {
		t.Errorf("it does not recover: %s", lines(b))
	}
}

func TestASearchForTheBadOneThatIsInterruptedGoesOnAtTheNextPoll(t *testing.T) {
	c := fleetCloud(64, refuseNoSuch)
	n := 0
	api := hooked{c, func(*cloudwatch.GetMetricDataInput) error {
		if n++; n > 4 && n < 100 {
			return &smithy.GenericAPIError{Code: "Throttling", Message: "Rate exceeded"}
		}
		return nil
	}}
	s := newSource(t, api, short, fleet(64, 63)...)
	b := s.Read(t.Context(), utc("10:08:22"))
	// refused 64, answered 32, refused 32, answered 16, throttled
	if b.Problem != nil || delivered(b) != 48 || len(b.Missing) != 16 || b.Missing[0].Problem.Class != sale.Throttled {
		t.Fatalf("%d delivered, %d missing: %v", delivered(b), len(b.Missing), b.Problem)
	}
	n = 100
	b = s.Read(t.Context(), utc("10:09:22"))
	if delivered(b) != 63 || len(b.Missing) != 1 || b.Missing[0].Sale != "s63" {
		t.Errorf("then %d delivered, missing %v", delivered(b), b.Missing)
	}
}

func TestAServiceThatRefusesMoreAndMoreIsAskedABoundedNumberOfTimes(t *testing.T) {
	var bad []int
	for i := 0; i < 500; i += 3 {
		bad = append(bad, i)
	}
	api := fleetCloud(500, refuseNoSuch)
	s := newSource(t, api, short, fleet(500, bad...)...)
	now, polls := utc("10:08:22"), 0
	for ; polls < 60; polls++ {
		b := s.Read(t.Context(), now)
		if b.Calls > len(s.calls)*(maxHunt+2) {
			t.Fatalf("%d requests in one poll", b.Calls)
		}
		if b.Problem == nil && delivered(b)+len(b.Missing) < 500 {
			t.Fatalf("%d delivered and %d missing of 500", delivered(b), len(b.Missing))
		}
		if delivered(b) == 500-len(bad) {
			return
		}
		now = now.Add(time.Minute)
	}
	t.Errorf("after %d polls the good ones were not all read", polls)
}
