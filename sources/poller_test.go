package sources

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// script is a source that does what its test says, poll by poll.
type script struct {
	name   string
	every  time.Duration
	read   func(ctx context.Context, poll int) sale.Batch
	calls  int
	window time.Duration
	more   func() bool

	mu     sync.Mutex
	began  []time.Time
	inside int
	twice  bool
}

func (s *script) Info() sale.SourceInfo {
	return sale.SourceInfo{Name: s.name, Kind: "script", Every: s.every, Cadence: sale.Cadence{Period: s.every}}
}

func (s *script) Budget() (int, time.Duration) { return s.calls, s.window }

func (s *script) More() bool { return s.more != nil && s.more() }

func (s *script) Read(ctx context.Context, _ time.Time) sale.Batch {
	s.mu.Lock()
	s.began = append(s.began, time.Now())
	poll := len(s.began)
	s.inside++
	s.twice = s.twice || s.inside > 1
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.inside--
		s.mu.Unlock()
	}()
	if s.read == nil {
		return good(1)
	}
	return s.read(ctx, poll)
}

func (s *script) starts() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Time(nil), s.began...)
}

func good(calls int) sale.Batch { return sale.Batch{Calls: calls} }

// takes works for a while and stops early when its context ends, as a source should.
func takes(ctx context.Context, d time.Duration) sale.Batch {
	select {
	case <-time.After(d):
		return good(1)
	case <-ctx.Done():
		return failed(sale.Timeout)
	}
}

func failed(class sale.Class) sale.Batch {
	return sale.Batch{Calls: 1, Problem: &sale.Problem{Class: class, Text: "no"}}
}

// hangs ends with its context, as a source should.
func hangs(ctx context.Context, _ int) sale.Batch {
	<-ctx.Done()
	return failed(sale.Timeout)
}

// sink keeps what the poller hands over.
type sink struct {
	mu      sync.Mutex
	batches []sale.Batch
	planned map[string][]time.Time
}

func (s *sink) Apply(b sale.Batch, _ time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, b)
	return true
}

func (s *sink) Planned(source string, next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.planned == nil {
		s.planned = map[string][]time.Time{}
	}
	s.planned[source] = append(s.planned[source], next)
}

func (s *sink) of(source string) []sale.Batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []sale.Batch
	for _, b := range s.batches {
		if b.Source == source {
			found = append(found, b)
		}
	}
	return found
}

var steady = PollerOptions{Jitter: -1}

// during runs the poller for a while of the bubble's time and waits for its end.
func during(t *testing.T, d time.Duration, opts PollerOptions, act func(p *Poller), srcs ...Source) *sink {
	t.Helper()
	out := &sink{}
	p := NewPoller(out, opts, srcs...)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { p.Run(ctx) })
	if act != nil {
		wg.Go(func() { act(p) })
	}
	time.Sleep(d)
	cancel()
	wg.Wait()
	return out
}

func sinceStart(at []time.Time, start time.Time) []time.Duration {
	out := make([]time.Duration, len(at))
	for i, a := range at {
		out[i] = a.Sub(start)
	}
	return out
}

func TestEverySourceIsReadAtOnceAndThenAtItsOwnCadence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		fast, slow := &script{name: "metrics", every: 5 * time.Second}, &script{name: "aws", every: time.Minute}
		out := during(t, 10*time.Minute+time.Second, steady, nil, fast, slow)
		for s, want := range map[*script]int{fast: 121, slow: 11} {
			got := sinceStart(s.starts(), start)
			if len(got) != want {
				t.Fatalf("%s was read %d times in 10 minutes, want %d", s.name, len(got), want)
			}
			for i, at := range got {
				if want := time.Duration(i) * s.every; at != want {
					t.Fatalf("%s: poll %d at %s, want %s", s.name, i+1, at, want)
				}
			}
		}
		for i, b := range out.of("aws") {
			if b.Seq != uint64(i+1) || b.Started.IsZero() || b.Finished.Before(b.Started) {
				t.Errorf("batch %d of aws is stamped %d, %v to %v", i+1, b.Seq, b.Started, b.Finished)
			}
		}
		if next := out.planned["aws"]; len(next) == 0 || !next[0].Equal(start.Add(time.Minute)) {
			t.Errorf("the first poll announced %v, want a minute later", next)
		}
	})
}

func TestTheGridDoesNotDriftWhenReadsTakeLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &script{name: "slow", every: 5 * time.Second, read: func(ctx context.Context, _ int) sale.Batch {
			return takes(ctx, 1700*time.Millisecond)
		}}
		during(t, time.Hour+time.Second, steady, nil, s)
		got := sinceStart(s.starts(), start)
		if last := got[len(got)-1]; len(got) != 721 || last != time.Hour {
			t.Errorf("after an hour: %d polls, the last at %s; want 721 and 1h", len(got), last)
		}
	})
}

func TestJitterStaysWithinItsWidthAndSpreads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		draws, n := []float64{0, 0.25, 0.5, 0.75, 0.999}, 0
		s := &script{name: "metrics", every: 10 * time.Second}
		during(t, 5*time.Minute, PollerOptions{Jitter: 0.1, Rand: func() float64 { n++; return draws[n%len(draws)] }}, nil, s)
		different := map[time.Duration]bool{}
		for i, at := range sinceStart(s.starts(), start) {
			off := at - time.Duration(i)*s.every
			if off < -500*time.Millisecond || off > 500*time.Millisecond {
				t.Errorf("poll %d is %s off its turn, want at most 5%% of the period", i+1, off)
			}
			different[off] = true
		}
		if len(different) < len(draws) {
			t.Errorf("only the offsets %v were seen", different)
		}
	})
}

func TestAHangingSourceDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		dead, alive := &script{name: "dead", every: 5 * time.Second, read: hangs}, &script{name: "alive", every: 5 * time.Second}
		out := during(t, time.Minute+time.Second, steady, nil, dead, alive)
		for i, at := range sinceStart(alive.starts(), start) {
			if at != time.Duration(i)*5*time.Second {
				t.Errorf("poll %d of the healthy source at %s", i+1, at)
			}
		}
		if len(out.of("alive")) != 13 {
			t.Errorf("%d polls of the healthy source, want 13", len(out.of("alive")))
		}
		for _, b := range out.of("dead") {
			if b.Problem == nil || b.Problem.Class != sale.Timeout {
				t.Errorf("the hanging source gave %+v", b)
			}
			if took := b.Finished.Sub(b.Started); took != 5*time.Second {
				t.Errorf("a poll of the hanging source took %s, want its deadline of 5s", took)
			}
		}
	})
}

func TestAReadThatIgnoresItsContextIsReportedAndNotRepeatedUntilItReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := &script{name: "deaf", every: 5 * time.Second, read: func(_ context.Context, poll int) sale.Batch {
			if poll == 1 {
				<-release
			}
			return good(1)
		}}
		other := &script{name: "alive", every: 5 * time.Second}
		out := during(t, 88*time.Second, steady, func(*Poller) {
			time.Sleep(42 * time.Second)
			close(release)
		}, s, other)
		got := out.of("deaf")
		for _, b := range got {
			if b.Started.Before(time.Now().Add(-50*time.Second)) && (b.Problem == nil || b.Problem.Class != sale.Timeout) {
				t.Errorf("while the read was stuck: %+v", b)
			}
		}
		if s.twice {
			t.Error("a second read began while the first had not returned")
		}
		if last := got[len(got)-1]; last.Problem != nil {
			t.Errorf("after it returned: %v", last.Problem)
		}
		recovered := time.Duration(-1)
		for _, b := range got {
			if b.Problem == nil {
				recovered = b.Finished.Sub(got[0].Started) - 42*time.Second
				break
			}
		}
		if recovered < 0 || recovered > 10*time.Second {
			t.Errorf("read again %s after it returned, want within two periods", recovered)
		}
		if n := len(out.of("alive")); n != 18 {
			t.Errorf("the other source was read %d times, want 18", n)
		}
	})
}

func TestAPanicIsAProblemOfItsSourceAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := &script{name: "odd", every: 5 * time.Second, read: func(_ context.Context, poll int) sale.Batch {
			if poll == 2 {
				panic("index \x1b[31mout of range")
			}
			return good(1)
		}}
		opts := steady
		opts.Log = slog.New(slog.NewTextHandler(&log, nil))
		out := during(t, 21*time.Second, opts, nil, s)
		got := out.of("odd")
		if len(got) != 5 {
			t.Fatalf("%d polls, want 5: the source goes on", len(got))
		}
		p := got[1].Problem
		if p == nil || p.Class != sale.BadData || p.Hint == "" || strings.Contains(p.Text, "\x1b") {
			t.Errorf("the panic became %+v", p)
		}
		if got[2].Problem != nil {
			t.Errorf("the next poll failed: %v", got[2].Problem)
		}
		if !strings.Contains(log.String(), "sources.(*script).Read") {
			t.Errorf("the log has no stack: %s", log.String())
		}
	})
}

func TestAFailingSourceIsAskedLessAndIsSeenAgainWithinTwoPeriods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		for mended := time.Second; mended < 50*time.Second; mended += 1300 * time.Millisecond {
			begin := time.Now()
			s := &script{name: "flaky", every: 5 * time.Second, read: func(context.Context, int) sale.Batch {
				if time.Since(begin) < mended {
					return failed(sale.Unreachable)
				}
				return good(1)
			}}
			out := during(t, 2*time.Minute, PollerOptions{}, nil, s)
			for _, b := range out.of("flaky") {
				if b.Problem != nil {
					continue
				}
				if after := b.Finished.Sub(begin) - mended; after > 10*time.Second {
					t.Errorf("mended after %s, seen %s later: want within two periods", mended, after)
				}
				break
			}
		}
		begin := time.Now()
		s := &script{name: "down", every: 5 * time.Second, read: func(context.Context, int) sale.Batch { return failed(sale.Failing) }}
		during(t, 61*time.Second, steady, nil, s)
		if got := sinceStart(s.starts(), begin); len(got) != 7 || got[1] != 5*time.Second || got[2] != 15*time.Second {
			t.Errorf("a dead source was asked at %v: want one period after the first failure, then two", got)
		}
		_ = start
	})
}

func TestASourceIsNeverAskedMoreOftenBecauseSomethingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, class := range []sale.Class{sale.Auth, sale.Throttled, sale.Timeout, sale.BadData, sale.Unreachable, sale.Failing} {
			s := &script{name: "burning", every: 5 * time.Second, read: func(_ context.Context, poll int) sale.Batch {
				if poll%3 != 0 {
					return failed(class)
				}
				return good(1)
			}}
			during(t, 10*time.Minute, PollerOptions{}, nil, s)
			if n := len(s.starts()); n > 121 {
				t.Errorf("failing as %s: %d polls in 10 minutes, a calm source has 121", class, n)
			}
		}
	})
}

func TestRetryAfterOfAThrottleIsHonouredUpToTenMinutes(t *testing.T) {
	for _, c := range []struct {
		says string
		wait time.Duration
		want time.Duration
		text string
	}{
		{"five minutes, as Cloudflare says", 5 * time.Minute, 5 * time.Minute, "asked again in 5m0s"},
		{"two hours", 2 * time.Hour, 10 * time.Minute, "it asks for 2h0m0s, asked again in 10m0s"},
		{"less than a period", time.Second, 5 * time.Second, "asked again in 1s"},
	} {
		t.Run(c.says, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				s := &script{name: "room", every: 5 * time.Second, read: func(_ context.Context, poll int) sale.Batch {
					if poll == 1 {
						b := failed(sale.Throttled)
						b.Problem.RetryAfter = c.wait
						return b
					}
					return good(1)
				}}
				var refusal error
				out := during(t, 15*time.Minute, steady, func(p *Poller) {
					time.Sleep(500 * time.Millisecond)
					refusal = p.Nudge("room")
				}, s)
				if got := sinceStart(s.starts(), start); got[1] != c.want {
					t.Errorf("asked again after %s, want %s", got[1], c.want)
				}
				if p := out.of("room")[0].Problem; !strings.Contains(p.Text, c.text) {
					t.Errorf("the problem says %q, want %q in it", p.Text, c.text)
				}
				if refusal == nil {
					t.Error("a nudge was let through while the source asked to be left alone")
				}
			})
		})
	}
}

func TestABudgetIsNeverOverspentInAnyWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, window = 100, 5 * time.Minute
		s := &script{name: "room", every: 5 * time.Second, calls: limit, window: window}
		s.read = func(_ context.Context, poll int) sale.Batch { return good(2 + poll%4) }
		out := during(t, time.Hour, PollerOptions{}, nil, s)
		batches := out.of("room")
		skipped := 0
		for i, b := range batches {
			if b.Problem != nil {
				skipped++
				if b.Problem.Class != sale.Throttled || b.Problem.RetryAfter <= 0 || b.Problem.Hint == "" || b.Calls != 0 {
					t.Errorf("a poll without budget gave %+v", b)
				}
				continue
			}
			used := 0
			for _, earlier := range batches[:i+1] {
				if b.Started.Sub(earlier.Started) < window {
					used += earlier.Calls
				}
			}
			// A poll is let go on the size of the one before it: it can be 3 calls larger.
			if used > limit+3 {
				t.Errorf("at %s the window holds %d calls, the budget is %d", b.Started, used, limit)
			}
		}
		if skipped == 0 {
			t.Error("no poll was left out, although an hour needs far more than the budget")
		}
	})
}

func TestANudgeReadsAtOnceAndSaysWhyNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &script{name: "aws", every: time.Minute, read: func(ctx context.Context, _ int) sale.Batch {
			return takes(ctx, 2*time.Second)
		}}
		during(t, 3*time.Minute+time.Second, steady, func(p *Poller) {
			nudge := func(at time.Duration, want string) {
				time.Sleep(time.Until(start.Add(at)))
				err := p.Nudge("aws")
				if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("a nudge at %s: %v, want %q", at, err, want)
				}
			}
			nudge(time.Second, "is being read now")
			nudge(10*time.Second, "again in 5s")
			nudge(20*time.Second, "")
			nudge(23*time.Second, "again in 12s")
			nudge(40*time.Second, "")
			if err := p.Nudge("gate"); err == nil || !strings.Contains(err.Error(), "gate") {
				t.Errorf("a nudge of an unknown source: %v", err)
			}
		}, s)
		want := []time.Duration{0, 20 * time.Second, 40 * time.Second, 2 * time.Minute, 3 * time.Minute}
		got := sinceStart(s.starts(), start)
		if len(got) != len(want) {
			t.Fatalf("read at %v, want %v", got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("read at %v, want %v", got, want)
				break
			}
		}
	})
}

func TestASourceThatHasMoreIsReadOnceMoreAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &script{name: "metrics", every: 5 * time.Second}
		s.more = func() bool { return len(s.starts()) == 1 }
		during(t, 11*time.Second, steady, nil, s)
		got := sinceStart(s.starts(), start)
		if len(got) != 4 || got[1] != 0 || got[2] != 5*time.Second || got[3] != 10*time.Second {
			t.Errorf("read at %v, want twice at once and then at its cadence", got)
		}
	})
}

func TestAFailureOfTheAdditionalReadHidesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{name: "metrics", every: 5 * time.Second, read: func(_ context.Context, poll int) sale.Batch {
			if poll == 2 {
				return failed(sale.Failing)
			}
			return good(1)
		}}
		s.more = func() bool { return len(s.starts()) == 1 }
		got := during(t, 6*time.Second, steady, nil, s).of("metrics")
		if len(got) != 2 || got[0].Problem != nil || got[1].Problem != nil {
			t.Fatalf("batches: %+v", got)
		}
		if got[1].Calls != 2 {
			t.Errorf("the requests of the failed read are not counted: %d, want 2", got[1].Calls)
		}
	})
}

func TestStoppingEndsEveryReadAndAppliesNoneThatWasCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the bubble itself fails when a goroutine is left
		dead := &script{name: "dead", every: time.Minute, read: hangs}
		out := during(t, time.Second, steady, nil, dead, &script{name: "alive", every: time.Second})
		if n := len(out.of("dead")); n > 0 {
			t.Errorf("%d batches of a read that was cut by the end of the program", n)
		}
	})
}

func TestReadOnceReadsAllTogetherAndReportsWhatDidNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		quick := &script{name: "quick", every: time.Minute}
		quick.more = func() bool { return len(quick.starts()) == 1 }
		slow := &script{name: "slow", every: time.Second, read: func(ctx context.Context, _ int) sale.Batch {
			return takes(ctx, 6*time.Second)
		}}
		polite := &script{name: "polite", every: time.Second, read: hangs}
		deaf := &script{name: "deaf", every: time.Second, read: func(context.Context, int) sale.Batch {
			<-release
			return good(1)
		}}
		unasked := &script{name: "unasked", every: time.Second}
		out := &sink{}
		p := NewPoller(out, steady, quick, slow, polite, deaf, unasked)
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		start := time.Now()
		p.ReadOnce(ctx, "quick", "slow", "polite", "deaf")
		if took := time.Since(start); took < 8*time.Second || took > 9*time.Second {
			t.Errorf("ReadOnce took %s, want its deadline of 8s and a moment", took)
		}
		for name, want := range map[string]struct {
			polls int
			class sale.Class
		}{
			"quick": {2, ""}, "slow": {1, ""}, "polite": {1, sale.Timeout}, "deaf": {1, sale.Timeout}, "unasked": {0, ""},
		} {
			got := out.of(name)
			if len(got) != want.polls {
				t.Errorf("%s: %d batches, want %d", name, len(got), want.polls)
				continue
			}
			for _, b := range got {
				if class := classOf(b); class != want.class {
					t.Errorf("%s: %q, want %q", name, class, want.class)
				}
			}
		}
	})
}

func classOf(b sale.Batch) sale.Class {
	if b.Problem == nil {
		return ""
	}
	return b.Problem.Class
}

func TestAValueThatIsNoNumberDoesNotGetPast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := sale.Key{Sale: "harbour", Signal: sale.Holds}
		zero := 0.0
		s := &script{name: "odd", every: time.Minute, read: func(context.Context, int) sale.Batch {
			return sale.Batch{Readings: []sale.Reading{
				{Key: key, Value: 3, At: time.Now()},
				{Key: sale.Key{Sale: "harbour", Signal: sale.ErrorRatio}, Value: zero / zero, At: time.Now()},
			}}
		}}
		b := during(t, time.Second, steady, nil, s).of("odd")[0]
		if len(b.Readings) != 1 || b.Readings[0].Key != key {
			t.Errorf("readings: %+v", b.Readings)
		}
		if len(b.Missing) != 1 || b.Missing[0].Signal != sale.ErrorRatio {
			t.Errorf("missing: %+v", b.Missing)
		}
	})
}
