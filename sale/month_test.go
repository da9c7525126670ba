package sale

import (
	"math"
	"testing"
	"time"
)

const kept30 Signal = "kept_30d"

// monthly is the fair sale whose first objective has its month read, as a good part or a bad one.
func monthly(bad bool) *Sale {
	s := fair()
	s.Signals = append(s.Signals, Spec{Signal: kept30, Label: "kept", Unit: Ratio, Source: "metrics", Cadence: every(10 * time.Second)})
	s.Objectives[0].Month, s.Objectives[0].MonthIsBad = kept30, bad
	return s
}

func TestTheMonthStandsBesideTheBudgetAsLongAsItIsKnown(t *testing.T) {
	for _, c := range []struct {
		name string
		bad  bool
		read float64
		want float64
	}{
		{"the good part", false, 0.9994, 0.9994},
		{"the bad part", true, 0.0006, 0.9994},
		{"nothing was kept", false, 0, 0},
		{"nothing was read", false, math.NaN(), math.NaN()},
		{"no ratio", false, 99.94, math.NaN()},
		{"less than nothing", true, -0.1, math.NaN()},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newStage(t, opens.Add(5*time.Minute), monthly(c.bad))
			p.play(3, map[Signal]float64{kept30: c.read})
			b := p.budget("availability")
			if b.MonthBy != kept30 || !sameNumber(math.Round(b.Month*1e9), math.Round(c.want*1e9)) {
				t.Errorf("%g by %q, want %g", b.Month, b.MonthBy, c.want)
			}
			if other := p.budget("latency"); other.MonthBy != "" || !math.IsNaN(other.Month) {
				t.Errorf("a budget without a month has %+v", other)
			}
		})
	}
}

func TestAMonthThatWentStaleIsNotKnownAndComesBack(t *testing.T) {
	p := newStage(t, opens.Add(5*time.Minute), monthly(false))
	p.play(3, map[Signal]float64{kept30: 0.9994})
	p.play(3, map[Signal]float64{kept30: math.NaN()})
	if b := p.budget("availability"); !math.IsNaN(b.Month) || b.MonthBy != kept30 {
		t.Errorf("stale: %+v", b)
	}
	p.play(2, map[Signal]float64{kept30: 0.9991})
	if b := p.budget("availability"); b.Month != 0.9991 {
		t.Errorf("back: %+v", b)
	}
}

func TestAGoodPartIsNeverRoundedUp(t *testing.T) {
	for good, want := range map[float64]string{0.9994: "99.94 %", 0.99999: "99.99 %", 1: "100.00 %", 0: "0.00 %", 0.57: "57.00 %", math.NaN(): ""} {
		if got := FormatGood(good); got != want {
			t.Errorf("%g is written %q, want %q", good, got, want)
		}
	}
}
