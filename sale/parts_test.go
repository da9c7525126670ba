package sale

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// split is the harbour's sale with its declines told by payment provider, too.
func split(t tester, providers ...string) *Sale {
	s := harbour(t)
	for _, p := range providers {
		s.Signals = append(s.Signals, Spec{
			Signal: PaymentFailureRatio + Signal("_"+p), Label: "declines " + p, Unit: Ratio, Source: "metrics", Cadence: every(5 * time.Second),
			Splits: PaymentFailureRatio, Part: "payment provider " + p,
		})
	}
	return s
}

// decline plays a minute of declines, of the whole and of each provider; NaN is not read.
func (n *night) decline(whole float64, parts map[string]float64) {
	n.t.Helper()
	for range 12 {
		n.now = n.now.Add(5 * time.Second)
		readings := []Reading{at(n.now, AdmissionRate, 400), at(n.now, OrderRate, 120), at(n.now, TicketsLeft, 7000), at(n.now, PaymentFailureRatio, whole)}
		for p, v := range parts {
			if !math.IsNaN(v) {
				readings = append(readings, at(n.now, PaymentFailureRatio+Signal("_"+p), v))
			}
		}
		n.poll("metrics", readings...)
	}
}

func TestTheCauseNamesThePartThatBrokeAFigure(t *testing.T) {
	for name, c := range map[string]struct {
		declared      []string
		parts         map[string]float64
		cause, alarms string
		evidence      []Signal
	}{
		"one of two": {
			[]string{"A", "B"},
			map[string]float64{"A": 0.0845, "B": 0.0145},
			"payment provider A declines 8.5 %, all 7.0 % > 5.0 %", "payment provider A declines",
			[]Signal{"payment_failure_ratio_A", PaymentFailureRatio},
		},
		"two of three": {
			[]string{"A", "B", "C"},
			map[string]float64{"A": 0.09, "B": 0.01, "C": 0.08},
			"payment provider A and payment provider C declines, all 7.0 % > 5.0 %", "payment provider A and payment provider C declines",
			[]Signal{"payment_failure_ratio_A", "payment_failure_ratio_C", PaymentFailureRatio},
		},
		"all of them, so it is no provider's own trouble": {
			[]string{"A", "B"}, map[string]float64{"A": 0.08, "B": 0.06}, "payment declines 7.0 % > 5.0 %", "payment declines", []Signal{PaymentFailureRatio},
		},
		"none of them, so nobody knows whose it is": {
			[]string{"A", "B"}, map[string]float64{"A": 0.04, "B": 0.03}, "payment declines 7.0 % > 5.0 %", "payment declines", []Signal{PaymentFailureRatio},
		},
		"one that nobody sees may be it, too": {
			[]string{"A", "B"}, map[string]float64{"A": 0.0845, "B": math.NaN()}, "payment declines 7.0 % > 5.0 %", "payment declines", []Signal{PaymentFailureRatio},
		},
		"one alone has nothing to be held against": {
			[]string{"A"}, map[string]float64{"A": 0.0845}, "payment declines 7.0 % > 5.0 %", "payment declines", []Signal{PaymentFailureRatio},
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNight(t, live, split(t, c.declared...))
			n.healthy()
			n.decline(0.012, nil)
			n.decline(0.07, c.parts)
			n.decline(0.07, c.parts)
			st := n.state()
			if st.Cause.Text != c.cause || !slices.Equal(st.Cause.Evidence, c.evidence) || st.Cause.Signal != PaymentFailureRatio {
				t.Errorf("%+v", st.Cause)
			}
			if len(st.Alarms) != 1 || st.Alarms[0].Text != c.alarms || st.Alarms[0].Key != string(PaymentFailureRatio) {
				t.Errorf("%+v", st.Alarms)
			}
		})
	}
}

func TestOneLuckyMomentAcquitsNoPart(t *testing.T) {
	n := newNight(t, live, split(t, "A", "B"))
	n.healthy()
	n.decline(0.012, nil)
	n.decline(0.07, map[string]float64{"A": 0.0845, "B": 0.0145})
	n.now = n.now.Add(5 * time.Second)
	n.poll("metrics", at(n.now, PaymentFailureRatio, 0.07), at(n.now, PaymentFailureRatio+"_A", 0.049), at(n.now, PaymentFailureRatio+"_B", 0.06))
	if got, want := n.state().Cause.Text, "payment provider A declines 4.9 %, all 7.0 % > 5.0 %"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Whatever the parts tell, a part that is named was beyond the limit in the mean, and another was not.
func TestAPartIsNamedOnlyOnEvidence(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := newNight(t, live, split(t, "A", "B", "C"))
		n.healthy()
		sums, count := map[string]float64{}, 0.0
		for range rapid.IntRange(3, 20).Draw(rt, "polls") {
			n.now = n.now.Add(5 * time.Second)
			readings := []Reading{at(n.now, PaymentFailureRatio, 0.07), at(n.now, AdmissionRate, 400), at(n.now, OrderRate, 120), at(n.now, TicketsLeft, 7000)}
			for _, p := range []string{"A", "B", "C"} {
				v := rapid.Float64Range(0, 0.2).Draw(rt, p)
				sums[p] += v
				readings = append(readings, at(n.now, PaymentFailureRatio+Signal("_"+p), v))
			}
			count++
			n.poll("metrics", readings...)
		}
		k := n.signal(PaymentFailureRatio)
		if k.Breach == nil {
			rt.Fatal("7 % of declines break no limit")
		}
		guilty := 0
		for _, sum := range sums {
			if sum/count > k.Breach.Rule.Limit {
				guilty++
			}
		}
		want := guilty
		if guilty == len(sums) {
			want = 0
		}
		if named := len(n.state().Cause.Evidence) - 1; named != want {
			rt.Fatalf("%d named of %d: %+v", named, want, n.state().Cause)
		}
	})
}
