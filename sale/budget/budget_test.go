package budget

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func near(a, b float64) bool {
	return a == b || math.Abs(a-b) < 1e-9*max(1, math.Abs(a), math.Abs(b)) || math.IsNaN(a) && math.IsNaN(b)
}

// minutes makes n minutes that each hold so much, of which a part is bad.
func minutes(n int, weight, bad float64) []Minute {
	all := make([]Minute, n)
	for i := range all {
		all[i] = Minute{true, bad, weight}
	}
	return all
}

func tally(all ...[]Minute) Tally {
	var t Tally
	for _, part := range all {
		for _, m := range part {
			t = t.Add(m)
		}
	}
	return t
}

func TestTheBudgetOfASaleIsWorkedOutByHand(t *testing.T) {
	const h = time.Hour
	unseen := func(n int) []Minute { return make([]Minute, n) }
	nan := math.NaN()
	tests := []struct {
		name        string
		t           Tally
		target      float64
		period      time.Duration
		burn, left  float64
		good, cover float64
	}{
		{"one in a thousand is bad and one may be: it lasts exactly", tally(minutes(240, 1000, 0.001)), 0.999, 4 * h, 1, 0, 0.999, 1},
		{"a quarter of the time at burn 2 spends a half", tally(minutes(60, 1000, 0.002)), 0.999, 4 * h, 2, 0.5, 0.998, 1},
		{"what happened counts, not the minutes: 10 of 10,000", tally(minutes(1, 1000, 0.01), minutes(1, 9000, 0)), 0.999, 4 * h, 1, 1 - 2.0/240, 0.999, 1},
		{"all is bad for 5 min of 4 h, with 3 % to lose", tally(minutes(5, 10, 1)), 0.97, 4 * h, 1 / 0.03, 1 - 5.0/240/0.03, 0, 1},
		{"the minutes that nobody saw burn like the others", tally(minutes(30, 1000, 0.002), unseen(30)), 0.999, 4 * h, 2, 0.5, 0.998, 0.5},
		{"less than half is seen: nobody knows", tally(minutes(29, 1000, 0), unseen(31)), 0.999, 4 * h, nan, nan, 1, 29.0 / 60},
		{"nobody came: nobody knows", tally(minutes(10, 0, 0)), 0.999, 4 * h, nan, nan, nan, 1},
		{"no minute", Tally{}, 0.999, 4 * h, nan, nan, nan, 0},
		{"a minute that says it is 2 bad of 1 is not known", tally(minutes(1, 10, 2), minutes(1, -1, 0), minutes(1, nan, 0), minutes(1, 1e300, 0), minutes(4, 10, 0)), 0.999, 4 * h, 0, 1, 1, 0.5},
		{"a sale that goes on is not charged for more than its period", tally(minutes(300, 10, 0.001)), 0.999, 4 * h, 1, 0, 0.999, 1},
	}
	for _, c := range tests {
		if got := c.t.Burn(c.target); !near(got, c.burn) {
			t.Errorf("%s: burn %v, want %v", c.name, got, c.burn)
		}
		if got := c.t.Left(c.target, c.period); !near(got, c.left) {
			t.Errorf("%s: %v left, want %v", c.name, got, c.left)
		}
		if got := c.t.Good(); !near(got, c.good) {
			t.Errorf("%s: %v good, want %v", c.name, got, c.good)
		}
		if got := c.t.Coverage(); !near(got, c.cover) {
			t.Errorf("%s: %v seen, want %v", c.name, got, c.cover)
		}
	}
}

func TestTheWindowsFollowFromTheLengthOfTheSale(t *testing.T) {
	for period, want := range map[time.Duration][2]Window{
		4 * time.Hour:       {{5, 1, 4.8}, {15, 2, 2.4}}, // the figures that the facts give for 4 h
		2 * time.Hour:       {{3, 1, 4}, {8, 1, 2.25}},
		24 * time.Hour:      {{30, 3, 4.8}, {90, 8, 2.4}},
		30 * time.Minute:    {{2, 1, 1.5}, {4, 1, 1.125}},
		5 * time.Minute:     {{2, 1, 1}, {4, 1, 1}}, // a burn below 1 lasts, and is no reason
		10 * 24 * time.Hour: {{180, 15, 8}, {180, 15, 12}},
	} {
		got := Windows(period)
		for i := range want {
			if got[i].Long != want[i].Long || got[i].Short != want[i].Short || !near(got[i].Threshold, want[i].Threshold) {
				t.Errorf("%s: %+v, want %+v", period, got[i], want[i])
			}
		}
	}
}

func TestABudgetBurnsOnlyWhenItMattersAndGoesOnWithEnoughTraffic(t *testing.T) {
	w := Window{Long: 5, Short: 1, Threshold: 4.8}
	tests := []struct {
		name     string
		minutes  []Minute
		weighted bool
		want     bool
	}{
		{"5 % bad of much", minutes(10, 1000, 0.05), true, true},
		{"just under the threshold", minutes(10, 1e6, 0.0047), true, false},
		{"at the threshold", minutes(10, 1e6, 0.00481), true, true},
		{"it is over: the newest minute is good", append(minutes(9, 1000, 0.05), minutes(1, 1000, 0)...), true, false},
		{"it began just now: 5 min hold too little of it", append(minutes(9, 1000, 0), minutes(1, 1000, 0.02)...), true, false},
		{"99 requests are too few", minutes(10, 99, 0.5), true, false},
		{"9 failures are too few", minutes(10, 100, 0.09), true, false},
		{"10 failures of 100 are enough", minutes(10, 100, 0.1), true, true},
		{"minutes have no traffic that could be too little", minutes(10, 1, 0.1), false, true},
		{"nobody saw the newest minute", append(minutes(9, 1000, 0.05), Minute{}), true, false},
		{"nothing yet", nil, true, false},
	}
	for _, c := range tests {
		if got := w.Burns(Total(nil, c.minutes), len(c.minutes), 0.999, c.weighted); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestTheRestLastsAsLongAsTheBurnAllows(t *testing.T) {
	const h = time.Hour
	for _, c := range []struct {
		left, burn float64
		want       time.Duration
	}{{1, 1, 4 * h}, {0.84, 2.1, time.Duration(1.6 * float64(h))}, {0.5, 0, 0}, {0, 2, 0}, {-1, 2, 0}, {math.NaN(), 1, 0}, {1, math.NaN(), 0}, {1, 1e-300, 0}} {
		if got := LastsFor(c.left, c.burn, 4*h); (got - c.want).Abs() > time.Millisecond {
			t.Errorf("%v left at %v: %s, want %s", c.left, c.burn, got, c.want)
		}
	}
}

// drawn are minutes as no sane system would report them.
func drawn(t *rapid.T) []Minute {
	value := rapid.OneOf(rapid.Float64Range(0, 1), rapid.SampledFrom([]float64{0, 1, -1, 1e308, -1e308, 5e-324, math.NaN(), math.Inf(1)}))
	weight := rapid.OneOf(rapid.Float64Range(0, 1e5), rapid.SampledFrom([]float64{0, -5, 1e308, 1e15, math.NaN(), math.Inf(-1)}))
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Minute {
		return Minute{rapid.Bool().Draw(t, "known"), value.Draw(t, "bad"), weight.Draw(t, "weight")}
	}), 0, 60).Draw(t, "minutes")
}

func TestWhateverComesTheFiguresAreFiguresOrUnknown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := drawn(t)
		target := rapid.Float64Range(0.0001, 0.99999).Draw(t, "target")
		period := time.Duration(rapid.Int64Range(1, int64(48*time.Hour)).Draw(t, "period"))
		sums := Total(nil, all)
		whole := sums[len(all)]
		if burn := whole.Burn(target); math.IsInf(burn, 0) || burn < 0 {
			t.Fatalf("burn %v", burn)
		}
		if left := whole.Left(target, period); math.IsInf(left, 0) || left > 1 {
			t.Fatalf("%v left", left)
		}
		if good := whole.Good(); good < 0 || good > 1 || whole.Known > whole.Minutes {
			t.Fatalf("%v good, %+v", good, whole)
		}
		end, n := rapid.IntRange(-5, 70).Draw(t, "end"), rapid.IntRange(0, 70).Draw(t, "n")
		if last := sums.Last(end, n); last.Known > last.Minutes || last.Bad < 0 || last.Events < 0 || last.Minutes != n {
			t.Fatalf("the last %d before %d are %+v", n, end, last)
		}
		for _, w := range Windows(period) {
			if w.Long < w.Short || w.Short < 1 || w.Threshold < 1 {
				t.Fatalf("%s: %+v", period, w)
			}
			w.Burns(sums, end, target, true)
		}
	})
}

func TestMoreErrorsNeverLeaveMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 200).Draw(t, "n")
		all := make([]Minute, n)
		for i := range all {
			all[i] = Minute{rapid.IntRange(0, 5).Draw(t, "known") > 0, rapid.Float64Range(0, 1).Draw(t, "bad"), rapid.Float64Range(0, 1e4).Draw(t, "weight")}
		}
		worse := append([]Minute(nil), all...)
		i := rapid.IntRange(0, n-1).Draw(t, "which")
		worse[i].Bad += (1 - worse[i].Bad) * rapid.Float64Range(0, 1).Draw(t, "more")
		was, is := tally(all), tally(worse)
		if l, m := was.Left(0.99, 4*time.Hour), is.Left(0.99, 4*time.Hour); m > l+1e-9 {
			t.Fatalf("%v left before, %v after", l, m)
		}
		if b, c := was.Burn(0.99), is.Burn(0.99); c < b-1e-9 {
			t.Fatalf("burn %v before, %v after", b, c)
		}
		// A part of the running tallies is the tally of that part.
		from, to := rapid.IntRange(0, n).Draw(t, "from"), rapid.IntRange(0, n).Draw(t, "to")
		if from > to {
			from, to = to, from
		}
		part, direct := Total(nil, all).Last(to, to-from), tally(all[from:to])
		if to > 0 && (part.Known != direct.Known || math.Abs(part.Bad-direct.Bad) > 1e-6 || math.Abs(part.Events-direct.Events) > 1e-6) {
			t.Fatalf("%+v, directly %+v", part, direct)
		}
	})
}
