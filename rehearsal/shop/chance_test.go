package shop

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestAQuantileOfAMixtureSplitsIt(t *testing.T) {
	parts := []weighted{{0.2, 100}, {1.5, 30}, {0.7, 0}}
	for _, law := range []func(t, s float64) float64{exponential, erlang} {
		for _, q := range []float64{0.1, 0.5, 0.9, 0.95, 0.99} {
			v, ok := quantile(q, parts, law)
			if !ok {
				t.Fatal("no quantile")
			}
			if got := (100*law(v, 0.2) + 30*law(v, 1.5)) / 130; math.Abs(got-q) > 1e-6 {
				t.Errorf("%.3f lies below the %.2f quantile", got, q)
			}
		}
	}
	if _, ok := quantile(0.5, []weighted{{1, 0}}, erlang); ok {
		t.Error("nothing has a quantile")
	}
}

func TestADripLosesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var d drip
	want, got := 0.0, 0
	for range 10000 {
		rate := r.Float64() * 3
		want += rate
		got += d.take(rate)
	}
	if math.Abs(want-float64(got)) > 1 {
		t.Errorf("%d of %.1f dripped", got, want)
	}
}

func TestBasketsHoldTwoAndFourTenthsTicketsOnAverage(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	sum := 0
	for range 20000 {
		n := basket(r)
		if n < 1 || n > 4 {
			t.Fatalf("a basket of %d", n)
		}
		sum += n
	}
	if mean := float64(sum) / 20000; math.Abs(mean-2.4) > 0.03 {
		t.Errorf("the mean basket holds %.3f", mean)
	}
}

func TestAWaveStaysAroundOne(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	w := newWave(20, 0.05)
	sum := 0.0
	for range 20000 {
		v := w.next(r)
		if v < 0.87 || v > 1.13 {
			t.Fatalf("a wave of %.3f", v)
		}
		sum += v
	}
	if mean := sum / 20000; math.Abs(mean-1) > 0.01 {
		t.Errorf("the waves' mean is %.3f", mean)
	}
}
