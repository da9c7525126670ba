package sale

import (
	"math"
	"testing"
	"time"
)

func TestASourcesConditionFollowsItsPollsAndItsNewestSample(t *testing.T) {
	n := newNight(t, live)
	want := func(c Condition, since time.Time) {
		t.Helper()
		if s := n.source("metrics"); s.Condition != c || !s.Since.Equal(since) {
			t.Errorf("at %s: %s since %s, want %s since %s", n.now.Sub(live), s.Condition, s.Since.Sub(live), c, since.Sub(live))
		}
	}
	want(SourceStarting, live)
	n.poll("metrics")
	want(SourceNoData, live)
	n.now = n.now.Add(time.Second)
	read := n.now
	n.poll("metrics", at(read, AdmissionRate, 1))
	want(SourceLive, read)
	n.pass(7500 * time.Millisecond)
	want(SourceLive, read)
	n.pass(time.Second)
	want(SourceLate, read.Add(7500*time.Millisecond))
	n.pass(time.Minute)
	want(SourceStale, read.Add(15*time.Second))
	n.fail("metrics", Problem{Class: Timeout, Text: "deadline passed"})
	failed := n.now
	want(SourceError, failed)
	n.pass(time.Minute)
	n.fail("metrics", Problem{Class: Timeout, Text: "deadline passed"})
	want(SourceError, failed)
	n.poll("metrics", at(n.now, AdmissionRate, 1))
	want(SourceLive, n.now)
	if s := n.source("metrics"); s.Failures != 0 || s.Problem != nil || !s.Newest.Equal(n.now) || s.Took != 50*time.Millisecond {
		t.Errorf("after recovery: %+v", s)
	}
}

func TestTheLastFailureIsKeptEvenWhenTenNewerTriesPushedItOut(t *testing.T) {
	n := newNight(t, live)
	n.fail("metrics", Problem{Class: Auth, Text: "401"})
	n.fail("metrics", Problem{Class: Throttled, Text: "429"})
	failed := n.now
	for range 25 {
		n.now = n.now.Add(5 * time.Second)
		n.poll("metrics")
	}
	recent := n.source("metrics").Recent
	if len(recent) != 10 {
		t.Fatalf("%d tries", len(recent))
	}
	if !recent[0].At.Equal(n.now) || recent[0].Problem != nil {
		t.Errorf("the newest is %+v", recent[0])
	}
	for i := range 9 {
		if !recent[i+1].At.Before(recent[i].At) {
			t.Errorf("try %d is not older than try %d", i+1, i)
		}
	}
	if last := recent[9]; last.Problem == nil || last.Problem.Text != "429" || !last.At.Equal(failed) {
		t.Errorf("the kept failure is %+v", last)
	}
}

func TestCallsAndCostAreCountedOverFiveMinutesAndPerHour(t *testing.T) {
	n := newNight(t, live)
	// The first poll fetches history and costs more than those to come.
	n.send(Batch{Source: "aws", Calls: 5, CostUSD: 0.02})
	if got := n.source("aws").CostPerH; math.Abs(got-1.2) > 1e-9 {
		t.Errorf("after one poll the hour costs %v", got)
	}
	for range 10 {
		n.now = n.now.Add(time.Minute)
		n.send(Batch{Source: "aws", Calls: 2, CostUSD: 0.001})
		if got := n.source("aws").CostPerH; math.Abs(got-0.06) > 1e-9 {
			t.Errorf("the hour costs %v", got)
		}
	}
	s := n.source("aws")
	if s.Calls != 25 || math.Abs(s.CostUSD-0.03) > 1e-9 || math.Abs(s.CostPerH-0.06) > 1e-9 {
		t.Errorf("calls %d, cost %v, per hour %v", s.Calls, s.CostUSD, s.CostPerH)
	}
	if s.CallsIn5m != 10 {
		t.Errorf("calls in five minutes: %d", s.CallsIn5m)
	}
	n.pass(2 * time.Minute)
	if got := n.source("aws").CallsIn5m; got != 6 {
		t.Errorf("two quiet minutes later: %d", got)
	}
	n.pass(time.Hour)
	if s := n.source("aws"); s.CallsIn5m != 0 || math.Abs(s.CostPerH-0.06) > 1e-9 {
		t.Errorf("an hour later: %d calls, %v per hour", s.CallsIn5m, s.CostPerH)
	}
}

func TestTheWindowOfCallsIsBounded(t *testing.T) {
	n := newNight(t, live)
	for range 5000 {
		n.now = n.now.Add(200 * time.Millisecond)
		n.poll("metrics")
	}
	if got := len(n.byName["metrics"].spent); got > 31 {
		t.Errorf("%d entries for five minutes", got)
	}
	if got := n.source("metrics").CallsIn5m; got < 1450 || got > 1500 {
		t.Errorf("%d calls in five minutes at five a second", got)
	}
}

func TestPlannedShowsTheNextTry(t *testing.T) {
	n := newNight(t, live)
	bell, cancel := n.Subscribe()
	defer cancel()
	next := live.Add(9 * time.Second)
	n.Planned("metrics", next)
	n.Planned("nobody", next)
	if got := n.source("metrics").NextTry; !got.Equal(next) {
		t.Errorf("next try %s", got)
	}
	select {
	case <-bell:
	default:
		t.Error("nobody was told")
	}
	before := n.Snapshot()
	n.Planned("metrics", next)
	if n.Snapshot() != before {
		t.Error("the same plan again made a new snapshot")
	}
}

func TestWarningsAreBoundedAndReplaced(t *testing.T) {
	n := newNight(t, live)
	n.send(Batch{Source: "metrics", Warnings: make([]string, 1000)})
	if got := len(n.source("metrics").Warnings); got != mostWarnings {
		t.Errorf("%d warnings kept", got)
	}
	n.poll("metrics")
	if got := len(n.source("metrics").Warnings); got != 0 {
		t.Errorf("%d warnings left over", got)
	}
}
