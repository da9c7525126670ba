package anomaly

import (
	"encoding/binary"
	"math"
	"testing"
)

// feed steps a detector by consecutive minutes and returns the last result.
func feed(d *Detector, from int64, values ...float64) (r Result) {
	for i, v := range values {
		r = d.Step(from+int64(i), v, 0)
	}
	return r
}

func repeat(n int, f func(i int) float64) []float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = f(i)
	}
	return all
}

func both(o Options) Options { o.Up, o.Down = true, true; return o }

func TestTheScoreIsThatOfIglewiczAndHoaglin(t *testing.T) {
	// The median is 11.5, the deviations from it are five times 0.5 and three times 1.5, so the
	// MAD is 0.5: M(15) = 0.6745 x 3.5 / 0.5 = 4.7215.
	past := []float64{10, 12, 11, 13, 12, 11, 10, 12}
	tests := []struct {
		name  string
		how   Options
		past  []float64
		value float64
		score float64
	}{
		{"by hand", Options{}, past, 15, 4.7215},
		{"below", Options{}, past, 8, -4.7215},
		{"a floor is the least deviation: 3.5 / 2", Options{Floor: 2}, past, 15, 1.75},
		// Five of eight are the same, so the MAD is 0; the mean deviation is 3/8: 1 / (0.375 x 1.2533).
		{"when the MAD is 0 the mean deviation stands in", Options{}, []float64{5, 5, 5, 5, 5, 4, 6, 6}, 6, 1 / (0.375 * 1.2533)},
		{"when all are the same, the floor", Options{Floor: 0.1}, []float64{5, 5, 5, 5, 5, 5, 5, 5}, 5.5, 5},
		// ln 2 / 0.1, on counts that are large beside the offset.
		{"a logarithm judges by factors", Options{Log: true, Offset: 1e-9, Floor: 0.1}, repeat(8, func(int) float64 { return 1000 }), 2000, math.Ln2 / 0.1},
		// A Poisson count of 100 has the deviation 10, of its logarithm 0.1.
		{"a count is at least as uncertain as chance makes it", Options{Log: true, Offset: 1e-9, Counts: 1}, repeat(8, func(int) float64 { return 100 }), 200, math.Ln2 / 0.1},
		{"a count per second holds sixty times as much", Options{Log: true, Offset: 1e-9, Counts: 60}, repeat(8, func(int) float64 { return 100 }), 200, math.Ln2 * math.Sqrt(6000)},
	}
	for _, c := range tests {
		d := Detector{Options: c.how}
		feed(&d, 0, c.past...)
		r := d.Step(int64(len(c.past)), c.value, 0)
		if !r.Judged || math.Abs(r.Score-c.score) > 1e-3*math.Abs(c.score) {
			t.Errorf("%s: score %v, want %v", c.name, r.Score, c.score)
		}
	}
}

func TestAShareIsAtLeastAsUncertainAsItsTrialsMakeIt(t *testing.T) {
	d := Detector{Options: both(Options{})}
	for m := range int64(8) {
		d.Step(m, 0.02, 200)
	}
	// sqrt(0.02 x 0.98 / 200) = 0.0099: three times as many declines among 200 are 4.04 of those.
	if r := d.Step(8, 0.06, 200); math.Abs(r.Score-0.04/math.Sqrt(0.02*0.98/200)) > 1e-6 {
		t.Errorf("score %v", r.Score)
	}
}

func TestItTakesTwoOddMinutesAndEnoughOfThePast(t *testing.T) {
	calm := repeat(10, func(i int) float64 { return 100 + float64(i%3) })
	tests := []struct {
		name   string
		how    Options
		values []float64
		on     bool
		judged bool
		since  int64
	}{
		{"seven minutes of the past are too few", both(Options{}), append(calm[:7:7], 500), false, false, 0},
		{"one odd minute is none", both(Options{}), append(calm[:10:10], 500), false, true, 0},
		{"two are one", both(Options{}), append(calm[:10:10], 500, 510), true, true, 10},
		{"three are the same one", both(Options{}), append(calm[:10:10], 500, 510, 520), true, true, 10},
		{"two to different sides are none", both(Options{}), append(calm[:10:10], 500, 1), false, true, 0},
		{"a calm minute ends it", both(Options{}), append(calm[:10:10], 500, 510, 101), false, true, 0},
		{"only the side that is looked for", Options{Up: true}, append(calm[:10:10], 1, 1), false, true, 0},
		{"the other side", Options{Down: true}, append(calm[:10:10], 1, 1), true, true, 10},
		{"what lasts becomes usual", both(Options{}), append(calm[:10:10], repeat(16, func(i int) float64 { return 500 + float64(i%3) })...), false, true, 0},
	}
	for _, c := range tests {
		d := Detector{Options: c.how}
		r := feed(&d, 0, c.values...)
		if r.On != c.on || r.Judged != c.judged || r.Since != c.since {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
}

func TestAMinuteThatNobodySawEndsARun(t *testing.T) {
	d := Detector{Options: both(Options{})}
	feed(&d, 0, repeat(10, func(i int) float64 { return 100 + float64(i%3) })...)
	d.Step(10, 500, 0)
	if r := d.Step(12, 500, 0); r.On {
		t.Error("a gap was taken for an odd minute")
	}
	if r := d.Step(13, 500, 0); !r.On || r.Since != 12 {
		t.Errorf("%+v", r)
	}
	if r := d.Step(13, 100, 0); r.Judged {
		t.Error("a minute was judged twice")
	}
}

func TestGrowthAndDecayAreNotOddALeapOfThemIs(t *testing.T) {
	how := both(Options{Log: true, Offset: 1, Trend: true, Floor: 0.1, Counts: 1})
	for name, f := range map[string]func(i int) float64{
		"growth by a tenth a minute": func(i int) float64 { return 500 * math.Pow(1.1, float64(i)) },
		"decay by a fifth":           func(i int) float64 { return 90000 * math.Pow(0.8, float64(i)) },
		"standstill":                 func(int) float64 { return 300 },
	} {
		d := Detector{Options: how}
		if r := feed(&d, 0, repeat(20, f)...); r.On || math.Abs(r.Score) > 1 {
			t.Errorf("%s is odd: %+v", name, r)
		}
		d.Step(20, 2*f(20), 0)
		if r := d.Step(21, 2*f(21), 0); !r.On || math.Abs(r.Usual/f(21)-1) > 0.05 {
			t.Errorf("%s, and then twice of it: %+v, want about %v", name, r, f(21))
		}
	}
}

func TestChanceAloneIsRarelyOdd(t *testing.T) {
	minutes, odd := 0, 0
	for seed := range uint64(400) {
		mean := 20 * math.Pow(1.015, float64(seed)) // 20 to 7,600 a minute
		d := Detector{Options: both(Options{Log: true, Offset: 1, Trend: true, Floor: 0.1, Counts: 1})}
		rng := seed
		for m := range int64(120) {
			minutes++
			if d.Step(m, mean+math.Sqrt(mean)*normal(&rng), 0).On {
				odd++
			}
		}
	}
	if rate := 1000 * float64(odd) / float64(minutes); rate > 1 {
		t.Errorf("%d odd minutes of %d: %.2f in a thousand", odd, minutes, rate)
	} else {
		t.Logf("%d odd minutes of %d: %.2f in a thousand", odd, minutes, rate)
	}
}

// normal is about a standard normal number: the sum of twelve uniform ones (Irwin-Hall).
func normal(seed *uint64) float64 {
	sum := -6.0
	for range 12 {
		*seed = *seed*6364136223846793005 + 1442695040888963407
		sum += float64(*seed>>11) / (1 << 53)
	}
	return sum
}

// FuzzDetector feeds hostile series: gaps, resets, duplicates, minutes from the future, numbers
// beyond measure.
func FuzzDetector(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3}, true, true)
	f.Add([]byte("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), false, true)
	f.Fuzz(func(t *testing.T, data []byte, log, trend bool) {
		d := Detector{Options: both(Options{Log: log, Trend: trend, Counts: 1})}
		minute := int64(0)
		values := []float64{0, 1, -1, 100, 1e308, -1e308, 5e-324, math.NaN(), math.Inf(1), math.Inf(-1), 1e15, 0.02}
		for len(data) >= 2 {
			step, pick := int64(int8(data[0])), int(data[1])
			data = data[2:]
			if step > 100 {
				step = math.MaxInt32
			}
			minute += step / 8
			v := 0.0
			if pick < len(values) {
				v = values[pick]
			} else if len(data) >= 8 {
				v = math.Float64frombits(binary.LittleEndian.Uint64(data))
			} else {
				v = float64(pick)
			}
			r := d.Step(minute, v, float64(pick))
			if r.On && (!r.Judged || r.Since > minute) || r.Have > kept || r.Have < 0 {
				t.Fatalf("%+v", r)
			}
			for _, x := range []float64{r.Score, r.Usual, r.Low, r.High} {
				if math.IsNaN(x) || math.IsInf(x, 0) {
					t.Fatalf("%+v after %v", r, v)
				}
			}
			if r.Judged && (r.Low > r.Usual || r.Usual > r.High) {
				t.Fatalf("%+v", r)
			}
			if pick == 255 {
				d.Reset()
			}
		}
	})
}
