package sale

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const s = time.Second

// run feeds one value of a signal every five seconds, beginning now, with the other needed
// signals healthy.
func (n *night) run(signal Signal, values ...float64) {
	n.t.Helper()
	for _, v := range values {
		n.poll("metrics", at(n.now, AdmissionRate, 400), at(n.now, OrderRate, 120), at(n.now, TicketsLeft, 7000), at(n.now, signal, v))
		n.now = n.now.Add(5 * s)
	}
	n.now = n.now.Add(-5 * s)
}

func repeat(v float64, times int) []float64 { return slices.Repeat([]float64{v}, times) }

func TestABreachIsNoVerdictUntilItHasLasted(t *testing.T) {
	n := newNight(t, live)
	n.run(PaymentFailureRatio, 0.01, 0.01)
	n.want(OK)
	n.now = n.now.Add(5 * s)
	n.run(PaymentFailureRatio, 0.058, 0.058) // 5 s over both limits
	n.want(OK)
	if k := n.signal(PaymentFailureRatio); k.Breach != nil || k.Verdict != OK {
		t.Errorf("after five seconds: %+v", k.Breach)
	}
	n.now = n.now.Add(5 * s)
	n.run(PaymentFailureRatio, 0.058) // 10 s
	n.want(Watch)
	n.wantReasons("declines 5.8 % > 3.0 % for 10 s")
	n.now = n.now.Add(5 * s)
	n.run(PaymentFailureRatio, repeat(0.058, 6)...) // 40 s
	n.want(Bad)
	n.wantReasons("declines 5.8 % > 5.0 % for 40 s")
	st := n.state()
	if r := st.Reasons[0]; !r.Since.Equal(live.Add(10*s)) || r.Signal != PaymentFailureRatio || r.Verdict != Bad {
		t.Errorf("the reason is %+v", r)
	}
	if want := live.Add(40 * s); !st.Since.Equal(want) {
		t.Errorf("bad since %s, want %s", st.Since, want)
	}
	if b := n.signal(PaymentFailureRatio).Breach; b == nil || !b.Held || b.Verdict != Bad || b.Value != 0.058 {
		t.Errorf("the breach is %+v", b)
	}
}

func TestAnOverLimitValueWithoutAHistoryIsWatchAtMostAndNeverOK(t *testing.T) {
	n := newNight(t, live)
	n.run(PaymentFailureRatio, 0.07)
	n.want(Watch)
	n.wantReasons("declines 7.0 % > 5.0 %, not yet proven for 30 s")
	if b := n.signal(PaymentFailureRatio).Breach; b == nil || b.Held || b.Verdict != Watch {
		t.Errorf("the breach is %+v", b)
	}
	n.now = n.now.Add(5 * s)
	n.run(PaymentFailureRatio, repeat(0.07, 4)...)
	n.wantReasons("declines 7.0 % > 5.0 % for 20 s of 30 s")
	n.now = n.now.Add(5 * s)
	n.run(PaymentFailureRatio, repeat(0.07, 2)...)
	n.want(Bad)
	n.wantReasons("declines 7.0 % > 5.0 % for 30 s")
}

func TestAnUnprovenBreachEndsWithTheFirstGoodValue(t *testing.T) {
	n := newNight(t, live)
	n.run(PaymentFailureRatio, 0.07, 0.07, 0.01)
	n.want(OK)
}

func TestAHeldBreachClearsOnlyBelowItsClearLimitForItsTime(t *testing.T) {
	n := newNight(t, live)
	n.run(PaymentFailureRatio, append(repeat(0.01, 2), repeat(0.06, 8)...)...)
	n.want(Bad)
	n.now = n.now.Add(5 * s)
	n.run(PaymentFailureRatio, repeat(0.047, 30)...) // under 5 %, over the clear limit of 4.5 %
	n.want(Bad)
	n.wantReasons("declines 4.7 %, was > 5.0 %; clears below 4.5 % for 1:00")
	n.now = n.now.Add(5 * s)
	n.run(PaymentFailureRatio, append(repeat(0.044, 12), 0.046)...) // 55 s, then back over it
	n.want(Bad)
	n.now = n.now.Add(5 * s)
	n.run(PaymentFailureRatio, repeat(0.044, 12)...)
	n.want(Bad)
	n.now = n.now.Add(5 * s)
	n.run(PaymentFailureRatio, 0.044)
	n.want(Watch) // 60 s: the bad rule has cleared, 4.4 % is still over the watch limit
	n.now = n.now.Add(5 * s)
	n.run(PaymentFailureRatio, repeat(0.01, 7)...)
	n.want(OK)
	if st := n.state(); !st.Since.Equal(n.now) {
		t.Errorf("OK since %s, now %s", st.Since, n.now)
	}
}

func TestAGapBreaksTheProofOfContinuity(t *testing.T) {
	n := newNight(t, live)
	n.run(PaymentFailureRatio, append(repeat(0.01, 2), repeat(0.07, 4)...)...) // 15 s
	n.now = n.now.Add(16 * s)                                                  // three periods are 15 s
	n.run(PaymentFailureRatio, 0.07)
	if b := n.signal(PaymentFailureRatio).Breach; b == nil || b.Held || !b.Since.Equal(n.now) {
		t.Errorf("after a gap of 16 s: %+v", b)
	}
	m := newNight(t, live)
	m.run(PaymentFailureRatio, append(repeat(0.01, 2), repeat(0.07, 4)...)...)
	m.now = m.now.Add(15 * s)
	m.run(PaymentFailureRatio, 0.07)
	if b := m.signal(PaymentFailureRatio).Breach; b == nil || !b.Held {
		t.Errorf("after 15 s, which is no gap: %+v", b)
	}
}

func TestAGapEndsNoHeldBreach(t *testing.T) {
	n := newNight(t, live)
	n.run(PaymentFailureRatio, append(repeat(0.01, 2), repeat(0.07, 8)...)...)
	n.want(Bad)
	n.pass(10 * time.Minute)
	n.want(Unknown)
	n.run(PaymentFailureRatio, 0.01, 0.01)
	n.want(Bad)
	n.now = n.now.Add(5 * s)
	n.run(PaymentFailureRatio, repeat(0.01, 12)...)
	n.want(OK)
}

func TestAGapBreaksTheProofThatABreachHasCleared(t *testing.T) {
	n := newNight(t, live)
	n.run(PaymentFailureRatio, append(repeat(0.01, 2), repeat(0.07, 8)...)...)
	n.now = n.now.Add(5 * s)
	n.run(PaymentFailureRatio, repeat(0.01, 10)...) // 45 s of the minute that it takes
	n.now = n.now.Add(16 * s)
	n.run(PaymentFailureRatio, repeat(0.01, 12)...) // 55 s since the gap
	n.want(Bad)
	n.now = n.now.Add(5 * s)
	n.run(PaymentFailureRatio, 0.01)
	n.want(OK)
}

func TestEachPhaseHasItsOwnRule(t *testing.T) {
	n := newNight(t, opens.Add(9*time.Minute))
	n.run(PaymentFailureRatio, append(repeat(0.01, 2), repeat(0.06, 10)...)...)
	if got := n.state(); got.Phase != Opening || got.Verdict != Watch {
		t.Fatalf("%s in %s: 6 %% is under the opening's 8 %%", got.Verdict, got.Phase)
	}
	n.pass(opens.Add(10 * time.Minute).Sub(n.now))
	n.want(Bad) // the same samples, 45 s over the 5 % that hold in live
	n.wantReasons("declines 6.0 % > 5.0 % for 45 s")
	m := newNight(t, opens.Add(9*time.Minute))
	m.run(PaymentFailureRatio, append(repeat(0.01, 2), repeat(0.06, 11)...)...)
	m.want(Bad) // the last sample came in live, where 5 % for 30 s holds
	if b := m.signal(PaymentFailureRatio).Breach; b.Rule.Limit != 0.05 || !b.Since.Equal(opens.Add(9*time.Minute+10*s)) {
		t.Errorf("breach %+v", b)
	}
	scheduled := newNight(t, opens.Add(-2*time.Hour))
	scheduled.run(PaymentFailureRatio, repeat(0.9, 20)...)
	if b := scheduled.signal(PaymentFailureRatio).Breach; b == nil || b.Verdict != Watch {
		t.Errorf("bad is switched off while scheduled, watch is not: %+v", b)
	}
}

func TestTheSamePointsGiveTheSameVerdictHoweverTheyCame(t *testing.T) {
	values := rapid.SampledFrom([]float64{0, 0.01, 0.028, 0.031, 0.04, 0.046, 0.05, 0.051, 0.07, 1e308, -1e308})
	steps := rapid.SampledFrom([]time.Duration{0, 1, s, 5 * s, 5 * s, 5 * s, 14 * s, 15 * s, 16 * s, time.Minute})
	rapid.Check(t, func(t *rapid.T) {
		var points []Reading
		when := live
		for range rapid.IntRange(1, 80).Draw(t, "points") {
			when = when.Add(steps.Draw(t, "step"))
			points = append(points, at(when, PaymentFailureRatio, values.Draw(t, "value")))
		}
		sale := func() *Sale { return harbour(t) }
		once := NewStore([]*Sale{sale()}, harbourSources, Limits{}, when)
		once.Apply(Batch{Source: "metrics", Readings: points}, when)
		want := once.Snapshot().Sales[0].Signals[2]

		oneByOne := NewStore([]*Sale{sale()}, harbourSources, Limits{}, live)
		for _, p := range points {
			oneByOne.Apply(Batch{Source: "metrics", Readings: []Reading{p}}, p.At)
			oneByOne.Tick(p.At)
		}
		oneByOne.Tick(when)
		sameJudgement(t, "one by one", oneByOne.Snapshot().Sales[0].Signals[2], want)

		// Out of order, with duplicates and values that are revised later.
		shuffled := NewStore([]*Sale{sale()}, harbourSources, Limits{}, when)
		order := rapid.Permutation(points).Draw(t, "order")
		for _, p := range order {
			wrong := p
			wrong.Value = values.Draw(t, "wrong")
			shuffled.Apply(Batch{Source: "metrics", Readings: []Reading{wrong}}, when)
		}
		shuffled.Apply(Batch{Source: "metrics", Readings: points}, when)
		sameJudgement(t, "shuffled", shuffled.Snapshot().Sales[0].Signals[2], want)
	})
}

func TestDroppedPointsStillCount(t *testing.T) {
	// A held breach that lies in the band between its limits for longer than the history.
	n := newNight(t, live)
	n.Store = NewStore([]*Sale{harbour(t)}, harbourSources, Limits{Points: 10}, live)
	n.run(PaymentFailureRatio, append(repeat(0.01, 2), repeat(0.07, 8)...)...)
	n.now = n.now.Add(5 * s)
	n.run(PaymentFailureRatio, repeat(0.047, 40)...)
	n.want(Bad)
	since := n.signal(PaymentFailureRatio).Breach.Since
	n.poll("metrics", at(n.now.Add(-10*s), PaymentFailureRatio, 0.048)) // a revision: all is judged again
	n.want(Bad)
	k := n.signal(PaymentFailureRatio)
	if k.History.Len() != 10 || !k.Breach.Since.Equal(since) {
		t.Errorf("%d points, since %s, was %s", k.History.Len(), k.Breach.Since, since)
	}
}

func sameJudgement(t *rapid.T, how string, got, want Known) {
	t.Helper()
	if got.Verdict != want.Verdict || !samePointed(got.Breach, want.Breach) || got.Value != want.Value || !got.At.Equal(want.At) || got.History.Len() != want.History.Len() {
		t.Fatalf("%s: %s %+v of %d points, want %s %+v of %d", how, got.Verdict, got.Breach, got.History.Len(), want.Verdict, want.Breach, want.History.Len())
	}
}
