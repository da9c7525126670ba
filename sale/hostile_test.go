package sale

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestNoSeriesOfPollsBreaksTheStoresPromises feeds a store whatever sources may come up
// with: gaps, resets, duplicates, revisions, samples from the past and the future, numbers
// that are none, failures, old batches, and a clock that now and then steps back.
func TestNoSeriesOfPollsBreaksTheStoresPromises(t *testing.T) {
	values := rapid.SampledFrom([]float64{0, 1, -1, 0.02, 0.06, 0.5, 150, 900, 1e308, -1e308, 5e-324, math.NaN(), math.Inf(1), math.Inf(-1)})
	offsets := rapid.SampledFrom([]time.Duration{0, 0, 0, -5 * s, -5 * s, -time.Minute, -time.Hour, -300 * time.Hour, time.Minute, 2*time.Minute + 1, 10 * time.Hour})
	steps := rapid.SampledFrom([]time.Duration{0, s, 5 * s, 5 * s, 5 * s, 20 * s, 10 * time.Minute, 3 * time.Hour, -s, -time.Hour})
	signals := rapid.SampledFrom([]Signal{AdmissionRate, OrderRate, PaymentFailureRatio, TicketsLeft, DBConnections, DBConnectionsMax, "mood"})
	problems := rapid.SampledFrom([]*Problem{nil, nil, nil, nil, {Class: Timeout, Text: "deadline passed"}, {Class: Auth}})
	rapid.Check(t, func(t *rapid.T) {
		limits := Limits{Points: rapid.IntRange(1, 40).Draw(t, "points"), Keep: rapid.SampledFrom([]time.Duration{s, time.Minute, 6 * time.Hour}).Draw(t, "keep")}
		now := opens.Add(rapid.SampledFrom([]time.Duration{-2 * time.Hour, -time.Second, 0, 9 * time.Minute, 30 * time.Minute}).Draw(t, "start"))
		store := NewStore([]*Sale{harbour(t)}, harbourSources, limits, now)
		last := store.Snapshot()
		for range rapid.IntRange(1, 60).Draw(t, "moves") {
			now = now.Add(steps.Draw(t, "step"))
			if rapid.Bool().Draw(t, "tick") {
				store.Tick(now)
			} else {
				b := Batch{
					Source:  rapid.SampledFrom([]string{"metrics", "aws", "nobody"}).Draw(t, "source"),
					Seq:     rapid.Uint64Range(0, 5).Draw(t, "seq"),
					Problem: problems.Draw(t, "problem"),
				}
				for range rapid.IntRange(0, 12).Draw(t, "readings") {
					b.Readings = append(b.Readings, at(now.Add(offsets.Draw(t, "offset")), signals.Draw(t, "signal"), values.Draw(t, "value")))
				}
				if p := problems.Draw(t, "missing"); p != nil {
					b.Missing = []Missing{{Key{"harbour", signals.Draw(t, "lost")}, *p}}
				}
				store.Apply(b, now)
			}
			snap := store.Snapshot()
			if snap.Seq < last.Seq || snap.Sales[0].Version < last.Sales[0].Version {
				t.Fatal("a number that only grows has shrunk")
			}
			if snap.Sales[0].Version == last.Sales[0].Version && snap.Sales[0] != last.Sales[0] {
				t.Fatal("the same version of a sale in two places")
			}
			keepsPromises(t, snap, limits)
			last = snap
		}
	})
}

func keepsPromises(t *rapid.T, snap *Snapshot, limits Limits) {
	st := snap.Sales[0]
	seen := 0
	for i, k := range st.Signals {
		if k.Spec != &st.Sale.Signals[i] {
			t.Fatal("the signals are not parallel to the declaration")
		}
		if !isFinite(k.Value) || math.IsInf(k.Ratio, 0) || k.Age(snap.At) < 0 || k.Age(snap.At.Add(-1000*time.Hour)) < 0 {
			t.Fatalf("%s: value %v, ratio %v, age %s", k.Spec.Signal, k.Value, k.Ratio, k.Age(snap.At))
		}
		if !missing(&k) && k.Spec.Constant == nil {
			seen++
		}
		if missing(&k) && (k.Verdict != Unknown || k.Breach != nil) {
			t.Fatalf("%s is %s and its verdict %s", k.Spec.Signal, k.Freshness, k.Verdict)
		}
		if needed := slices.Contains(k.Spec.Needed, st.Phase); needed && missing(&k) && st.Verdict.Rank() < Unknown.Rank() {
			t.Fatalf("%s is needed and %s, yet the sale is %s", k.Spec.Signal, k.Freshness, st.Verdict)
		}
		if k.Verdict.Rank() > st.Verdict.Rank() && k.Breach != nil {
			t.Fatalf("%s is %s, yet the sale is %s", k.Spec.Signal, k.Verdict, st.Verdict)
		}
		if b := k.Breach; b != nil && (b.Verdict == Bad && !b.Held || b.Since.After(k.At) || b.Verdict != k.Verdict) {
			t.Fatalf("%s: %s with breach %+v", k.Spec.Signal, k.Verdict, b)
		}
		// A value over a limit is never called OK unless a good one stands right before it.
		if k.Verdict == OK && k.History.Len() == 1 && k.Spec.Rules.Watch.In(st.Phase) != nil && limits.Points > 1 && k.Spec.Rules.Watch.In(st.Phase).Of == "" {
			if k.Spec.Rules.Watch.In(st.Phase).breached(k.Value) && limits.Keep > time.Hour {
				t.Fatalf("%s is over its limit and OK", k.Spec.Signal)
			}
		}
		keepsOrder(t, k, limits)
	}
	if (st.Verdict == OK) != (len(st.Reasons) == 0) {
		t.Fatalf("%s with reasons %q", st.Verdict, texts(st))
	}
	if seen == 0 && st.Verdict == OK {
		t.Fatal("nothing can be seen, yet the sale is OK")
	}
	if st.NeededLive > st.Needed {
		t.Fatalf("%d of %d", st.NeededLive, st.Needed)
	}
	for i, r := range st.Reasons {
		if Clean(r.Text, 0) != r.Text || r.Since.IsZero() {
			t.Fatalf("reason %+v", r)
		}
		if i > 0 && (r.Verdict.Rank() > st.Reasons[i-1].Verdict.Rank() || r.Verdict == st.Reasons[i-1].Verdict && r.Since.Before(st.Reasons[i-1].Since)) {
			t.Fatalf("reasons are not worst first, then oldest: %+v", st.Reasons)
		}
	}
	if len(st.Reasons) > 0 && st.Reasons[0].Verdict != st.Verdict {
		t.Fatalf("the sale is %s, its first reason %s", st.Verdict, st.Reasons[0].Verdict)
	}
	for _, src := range snap.Sources {
		if src.Took < 0 || src.CallsIn5m > src.Calls || len(src.Recent) > 10 || !isFinite(src.CostPerH) {
			t.Fatalf("source %+v", src)
		}
	}
}

func keepsOrder(t *rapid.T, k Known, limits Limits) {
	h := k.History
	if h.Len() > limits.Points || h.Len() > 0 && !k.Has {
		t.Fatalf("%d points at a limit of %d", h.Len(), limits.Points)
	}
	for i := range h.Len() {
		if !isFinite(h.At(i).Value) || i > 0 && !h.At(i).At.After(h.At(i-1).At) {
			t.Fatalf("point %d of %s: %v", i, k.Spec.Signal, h.At(i))
		}
	}
	if p, ok := h.Last(); ok && (p.Value != k.Value || !p.At.Equal(k.At)) {
		t.Fatalf("the value is %v at %s, the last point %v", k.Value, k.At, p)
	}
}
