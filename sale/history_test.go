package sale

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestARingHoldsTheNewestValueOfEachInstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 50).Draw(t, "limit")
		model := map[int64]float64{}
		var r ring
		type view struct {
			series Series
			copied []sample
		}
		var views []view
		floor := int64(-1)
		for range rapid.IntRange(1, 40).Draw(t, "batches") {
			fresh := ordered(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) sample {
				return sample{rapid.Int64Range(0, 80).Draw(t, "at"), rapid.SampledFrom([]float64{0, 1, -1, 1e308, -1e308, 0.5}).Draw(t, "value")}
			}), 0, 12).Draw(t, "fresh"))
			before := slices.Clone(r.samples)
			c := r.merge(fresh)
			for _, s := range fresh {
				if s.at > floor {
					model[s.at] = s.value
				}
			}
			if got := !slices.Equal(before, r.samples); got != c.any {
				t.Fatalf("merge said changed=%t, but changed is %t", c.any, got)
			}
			if c.any {
				first := firstDifference(before, r.samples)
				if first != c.from {
					t.Fatalf("merge said from %d, but the first difference is at %d", c.from, first)
				}
				if grew := len(before) <= len(r.samples) && slices.Equal(before, r.samples[:len(before)]); grew != c.appended {
					t.Fatalf("merge said appended=%t, but it is %t", c.appended, grew)
				}
			}
			for _, s := range r.trim(limit, math.MinInt64) {
				delete(model, s.at)
				floor = s.at
			}
			if len(r.samples) > limit || len(r.samples) != len(model) {
				t.Fatalf("%d samples at a limit of %d, the model has %d", len(r.samples), limit, len(model))
			}
			for i, s := range r.samples {
				if v, ok := model[s.at]; !ok || v != s.value {
					t.Fatalf("at %d: %v, the model has %v", s.at, s.value, v)
				}
				if i > 0 && r.samples[i-1].at >= s.at {
					t.Fatal("not in order")
				}
			}
			views = append(views, view{r.series(), slices.Clone(r.samples)})
		}
		for _, v := range views {
			if !slices.Equal(v.series.points, v.copied) {
				t.Fatal("a series that was handed out has changed")
			}
		}
	})
}

func firstDifference(a, b []sample) int64 {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	switch {
	case i == len(a):
		return b[i].at
	case i == len(b):
		return a[i].at
	}
	return min(a[i].at, b[i].at)
}

func TestALastKnownValueIsNeverLostToItsAge(t *testing.T) {
	var r ring
	r.merge([]sample{{1, 1}, {2, 2}, {3, 3}})
	r.trim(10, 1000)
	if len(r.samples) != 1 || r.samples[0] != (sample{3, 3}) {
		t.Errorf("kept %v", r.samples)
	}
}

func TestAnOverlargeBackfillDoesNotStayInMemory(t *testing.T) {
	var r ring
	fresh := make([]sample, 100_000)
	for i := range fresh {
		fresh[i] = sample{int64(i), 1}
	}
	r.merge(fresh)
	r.trim(1200, 0)
	if len(r.samples) != 1200 || cap(r.samples) > 1600 {
		t.Errorf("%d samples in an array of %d", len(r.samples), cap(r.samples))
	}
}

func TestARingNeverHoldsMuchMoreThanItsLimit(t *testing.T) {
	var r ring
	for i := range 10_000 {
		r.merge([]sample{{int64(i), 1}})
		r.trim(1200, math.MinInt64)
		if cap(r.samples) > 1510 {
			t.Fatalf("an array of %d for 1200 samples", cap(r.samples))
		}
	}
}

func TestSeriesIsCutAndAskedWithoutCopying(t *testing.T) {
	s := SeriesOf([]Point{{live, 1}, {live.Add(time.Minute), 5}, {live.Add(2 * time.Minute), -3}})
	part := s.Between(live.Add(time.Second), live.Add(2*time.Minute))
	if part.Len() != 1 || part.At(0).Value != 5 {
		t.Errorf("between: %v", part)
	}
	if part := s.Between(live.Add(time.Hour), live); part.Len() != 0 {
		t.Errorf("a window that ends before it begins has %d points", part.Len())
	}
	if p, ok := s.Before(live.Add(90 * time.Second)); !ok || p.Value != 5 {
		t.Errorf("in force: %v %t", p, ok)
	}
	if p, ok := s.Before(live); !ok || p.Value != 1 {
		t.Errorf("in force at the very instant: %v %t", p, ok)
	}
	if _, ok := s.Before(live.Add(-1)); ok {
		t.Error("something was in force before the first point")
	}
	if lo, ok := s.Min(); !ok || lo != -3 {
		t.Errorf("min %v %t", lo, ok)
	}
	if hi, ok := s.Max(); !ok || hi != 5 {
		t.Errorf("max %v %t", hi, ok)
	}
	if _, ok := (Series{}).Max(); ok {
		t.Error("an empty series has a maximum")
	}
	if p, ok := s.Last(); !ok || !p.At.Equal(live.Add(2*time.Minute)) {
		t.Errorf("last: %v", p)
	}
}

func TestSeriesOfPutsPointsInOrderAndKeepsTheLastOfAnInstant(t *testing.T) {
	s := SeriesOf([]Point{{live.Add(time.Second), 2}, {live, 1}, {live.Add(time.Second), 3}})
	if s.Len() != 2 || s.At(0).Value != 1 || s.At(1).Value != 3 {
		t.Errorf("%v", s)
	}
}

func TestColumnsStandStillUntilAWholeOneHasPassed(t *testing.T) {
	var points []Point
	for i := range 600 {
		points = append(points, Point{live.Add(time.Duration(i) * time.Second), float64(i)})
	}
	s := SeriesOf(points)
	end := live.Add(5 * time.Minute)
	first := s.Buckets(end, 5*time.Minute, 30)
	for shift := time.Duration(1); shift <= 10*time.Second; shift += time.Second {
		// The columns of ten seconds begin at whole tens; all but the last are full.
		got := s.Buckets(end.Add(shift), 5*time.Minute, 30)
		for i := range 29 {
			if got[i] != first[i+1] {
				t.Fatalf("%s later column %d is %v, was %v", shift, i, got[i], first[i+1])
			}
		}
	}
	if got := s.Buckets(end, 5*time.Minute, 30)[0]; got != 4.5 {
		t.Errorf("the mean of 0 to 9 is %v", got)
	}
}

func TestColumnsWithoutAPointAreNaN(t *testing.T) {
	s := SeriesOf([]Point{{live.Add(5 * time.Second), 1}, {live.Add(25 * time.Second), 3}, {live.Add(26 * time.Second), 5}})
	got := s.Buckets(live.Add(40*time.Second), 40*time.Second, 4)
	want := []float64{1, math.NaN(), 4, math.NaN()}
	if !slices.EqualFunc(got, want, sameNumber) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := s.Buckets(live.Add(25*time.Second), 40*time.Second, 4); !math.IsNaN(got[3]) {
		t.Errorf("the point at the end of the window counts: %v", got)
	}
}

func TestBucketsOfOddWindowsDontPanic(t *testing.T) {
	s := SeriesOf([]Point{{live, 1e308}, {live.Add(1), 1e308}, {live.Add(2), -1e308}})
	for _, n := range []int{-1, 0, 1, 7} {
		for _, window := range []time.Duration{-time.Hour, 0, 1, 3, time.Hour} {
			for _, to := range []time.Time{live.Add(3), {}, time.Unix(-5, 0)} {
				got := s.Buckets(to, window, n)
				if len(got) != max(n, 0) {
					t.Errorf("%d columns, want %d", len(got), n)
				}
				for _, v := range got {
					if math.IsInf(v, 0) {
						t.Error("an infinite mean")
					}
				}
			}
		}
	}
}

func TestAMeanLiesBetweenItsPoints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64(), 1, 200).Draw(t, "values")
		points := make([]Point, len(values))
		for i, v := range values {
			points[i] = Point{opens.Add(time.Duration(i)), v}
		}
		got := SeriesOf(points).Buckets(opens.Add(time.Hour), time.Hour, 1)[0]
		lo, hi := slices.Min(values), slices.Max(values)
		slack := 1e-9 * max(math.Abs(lo), math.Abs(hi))
		if math.IsNaN(got) || got < lo-slack || got > hi+slack {
			t.Fatalf("mean %v of values from %v to %v", got, lo, hi)
		}
	})
}
