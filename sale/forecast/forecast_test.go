package forecast

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func near(t testing.TB, what string, got, want, within float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > within {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func steady(v float64) func(float64) float64 { return func(float64) float64 { return v } }

func repeat(v float64, n int) []float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = v
	}
	return all
}

// The sums of the screens.
func TestTheSumsHold(t *testing.T) {
	session, ok := Session(repeat(4800, 5), repeat(800, 5))
	near(t, "800 a minute with 4,800 on the site stay", session, 6, 1e-9)
	if !ok {
		t.Error("a steady state is none")
	}
	load := Load{OK: true, Idle: 120, Per: 0.358}
	near(t, "connections of 4,800", load.Use(4800), 1840, 2)
	near(t, "their share of 2,000", load.Use(4800)/2000, 0.92, 0.001)
	load.Per = (1840.0 - 120) / 4800
	near(t, "safe admission at 75 % of 2,000", load.People(0.75*2000)/session, 641, 1)
	near(t, "active two minutes after the pause", PeopleAfter(4800, 0, 6, 2), 3440, 1)
	near(t, "drain at 640 with 260 joining", Drain(12_400, 640, 260), 32.6, 0.05)
	near(t, "40 pods of 150 for 5.2 minutes", 40*150/5.2, 1153, 1)
}

func TestAWalkAgreesWithTheClosedForms(t *testing.T) {
	for name, s := range map[string]struct {
		site             Site
		soldOut, drained float64
		filled, horizon  float64
		waiting          float64
	}{
		"sale 2 of the screens": {
			site:    Site{Queue: 9260, People: 394 * 5.2, Stock: 7093, Session: 5.2, Each: 280.8 / 394, Admitted: steady(394), Joining: steady(120)},
			soldOut: 25.26, drained: 33.8, filled: math.Inf(1), horizon: 180, waiting: 2340,
		},
		"a queue that grows never drains": {
			site:    Site{Queue: 100, Stock: 1e9, Admitted: steady(100), Joining: steady(200)},
			soldOut: math.Inf(1), drained: math.Inf(1), filled: math.Inf(1), horizon: 60, waiting: 6100,
		},
		"nothing is left": {
			site:    Site{Queue: 10, Admitted: steady(10), Joining: steady(0)},
			soldOut: 0, drained: 1, filled: math.Inf(1), horizon: 60, waiting: 10,
		},
		"a site that fills up": {
			site:    Site{Queue: 1e6, People: 2400, Stock: 1e9, Session: 6, Full: 4000, Admitted: steady(800), Joining: steady(0)},
			soldOut: math.Inf(1), drained: math.Inf(1), filled: Reach(2400, 800, 6, 4000), horizon: 60, waiting: 1e6 - 48_000,
		},
		"a ceiling holds the admission": {
			site:    Site{Queue: 1e6, People: 3000, Stock: 10_000, Session: 6, Each: 1, Ceiling: 3000, Admitted: steady(2000), Joining: steady(0)},
			soldOut: 20, drained: math.Inf(1), filled: math.Inf(1), horizon: 60, waiting: 1e6 - 10_000,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := s.site.Walk(s.horizon)
			for _, one := range []struct {
				what      string
				got, want float64
			}{{"the sell-out", c.SoldOut, s.soldOut}, {"the drain", c.Drained, s.drained}, {"full", c.Filled, s.filled}} {
				if math.IsInf(one.want, 1) != math.IsInf(one.got, 1) || !math.IsInf(one.want, 1) && math.Abs(one.got-one.want) > 0.3+0.02*one.want {
					t.Errorf("%s is in %v min, want %v", one.what, one.got, one.want)
				}
			}
			near(t, "who still wait", c.Waiting, s.waiting, 1+0.03*s.waiting)
		})
	}
}

func TestAStepOfTheAdmissionTellsNoSession(t *testing.T) {
	for name, s := range map[string]struct{ people, admitted []float64 }{
		"a step":            {repeat(4800, 5), []float64{400, 400, 800, 800, 800}},
		"the site fills":    {[]float64{3000, 3300, 3550, 3750, 3900}, repeat(800, 5)},
		"a minute unknown":  {[]float64{4800, math.NaN(), 4800, 4800, 4800}, repeat(800, 5)},
		"nobody is let in":  {repeat(4800, 5), repeat(0, 5)},
		"nobody is there":   {repeat(0, 5), repeat(800, 5)},
		"too few minutes":   {repeat(4800, 4), repeat(800, 4)},
		"beyond all counts": {repeat(math.MaxFloat64, 5), repeat(math.SmallestNonzeroFloat64, 5)},
	} {
		if session, ok := Session(s.people, s.admitted); ok {
			t.Errorf("%s: people stay %v min", name, session)
		}
	}
}

func TestALoadIsFoundInSpiteOfWildMinutes(t *testing.T) {
	var people, use []float64
	for i := range 40 {
		p := 100 * float64(i)
		people, use = append(people, p), append(use, 120+0.358*p)
		if i%5 == 0 {
			use[i] = 2000
		}
	}
	l := Line(people, use)
	near(t, "per person", l.Per, 0.358, 0.02)
	near(t, "idle", l.Idle, 120, 40)
	if l := Line(repeat(4800, 40), repeat(1840, 40)); l.OK {
		t.Errorf("one level of people tells idle from the rest: %+v", l)
	}
	if l := Line(people, repeat(100, 40)); l.OK {
		t.Errorf("people who cost nothing fill something: %+v", l)
	}
}

func TestPeopleOfBeforeFollowFromWhomWasLetIn(t *testing.T) {
	admitted := append(repeat(0, 5), repeat(800, 40)...)
	real := 0.0
	for range 40 {
		real = PeopleAfter(real, 800, 6, 1)
	}
	people := Occupied(admitted, 6, real)
	if people == nil {
		t.Fatal("they do not")
	}
	near(t, "after ten minutes", people[14], (PeopleAfter(0, 800, 6, 9)+PeopleAfter(0, 800, 6, 10))/2, 1)
	if Occupied(admitted, 6, real/2) != nil {
		t.Error("a law that does not hold is believed")
	}
	guess := Occupied(repeat(800, 20), 6, 4800)
	if guess == nil || !math.IsNaN(guess[11]) || math.IsNaN(guess[12]) {
		t.Errorf("the first guess counts before it has worn off: %v", guess)
	}
}

func TestAFitFollowsASteadyRateAndSaysSo(t *testing.T) {
	f := Smooth(repeat(588, 10))
	near(t, "the level", f.At(30), 588, 1e-6)
	near(t, "its spread", f.Spread(30), 0, 1e-6)
	if Smooth(repeat(588, Least-1)).OK || !Smooth(repeat(588, Least)).OK {
		t.Errorf("want a fit from %d minutes on", Least)
	}
	gap := Smooth([]float64{100, 100, 100, math.NaN(), math.NaN(), 100})
	near(t, "over a gap", gap.At(5), 100, 1e-6)
}

// minutes draws a hostile series: gaps, steps, noughts, huge and tiny figures.
func minutes(t *rapid.T, name string) []float64 {
	one := rapid.OneOf(rapid.Float64Range(0, 2000), rapid.Just(0.0), rapid.Just(math.NaN()), rapid.Float64(), rapid.Just(1e308), rapid.Just(math.Inf(1)))
	return rapid.SliceOfN(one, 0, 40).Draw(t, name)
}

func TestNoFitAndNoSpreadIsEverNaNOrNegative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := Smooth(minutes(t, "minutes"))
		if !f.OK {
			return
		}
		for _, h := range []float64{0, 0.5, 1, 30, 1e6} {
			if at, spread := f.At(h), f.Spread(h); !(at >= 0) || !(spread >= 0) {
				t.Fatalf("%v ahead: %v ± %v of %+v", h, at, spread, f)
			}
		}
	})
}

func TestALineAndASessionAreKnownOrSayThatTheyAreNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		people, use := minutes(t, "people"), minutes(t, "use")
		if l := Line(people, use); l.OK && (!finite(l.Idle) || !(l.Per > 0) || l.Idle < 0 || !finite(l.Sigma)) {
			t.Fatalf("%+v", l)
		}
		if m, ok := Session(people, use); ok && !(m > 0 && finite(m)) {
			t.Fatalf("people stay %v", m)
		}
		for _, v := range Occupied(use, rapid.Float64Range(-1, 60).Draw(t, "session"), rapid.Float64Range(-1, 1e5).Draw(t, "now")) {
			if v < 0 || math.IsInf(v, 0) {
				t.Fatalf("%v people were there", v)
			}
		}
	})
}

func TestMoreWaitingNeverDrainsSoonerAndMoreTicketsNeverSellOutSooner(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Site{
			Queue: rapid.Float64Range(0, 50_000).Draw(t, "queue"), People: rapid.Float64Range(0, 6000).Draw(t, "people"),
			Stock: rapid.Float64Range(0, 60_000).Draw(t, "stock"), Session: rapid.Float64Range(0, 20).Draw(t, "session"),
			Each: rapid.Float64Range(0, 4).Draw(t, "each"), Ceiling: rapid.Float64Range(0, 8000).Draw(t, "ceiling"), Full: rapid.Float64Range(0, 8000).Draw(t, "full"),
			Admitted: steady(rapid.Float64Range(0, 2000).Draw(t, "admitted")), Joining: steady(rapid.Float64Range(0, 2000).Draw(t, "joining")),
		}
		c := s.Walk(180)
		for _, v := range []float64{c.SoldOut, c.Drained, c.Filled, c.Waiting, c.Served} {
			if !(v >= 0) {
				t.Fatalf("%+v", c)
			}
		}
		const slack = 1e-6
		more := s
		more.Queue += rapid.Float64Range(0, 50_000).Draw(t, "more queue")
		if d := more.Walk(180); d.Drained < c.Drained-1-slack { // within the minute the walk draws a straight line
			t.Fatalf("%v more wait and drain in %v, not %v", more.Queue-s.Queue, d.Drained, c.Drained)
		}
		more = s
		more.Stock += rapid.Float64Range(0, 50_000).Draw(t, "more stock")
		if d := more.Walk(180); d.SoldOut < c.SoldOut-slack {
			t.Fatalf("%v more tickets are sold in %v, not %v", more.Stock-s.Stock, d.SoldOut, c.SoldOut)
		}
	})
}

func TestAStockIsSpentAsAWalkSaysIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := Fit{OK: true, N: 20, Level: rapid.Float64Range(0, 500).Draw(t, "level"), Trend: rapid.Float64Range(-50, 50).Draw(t, "trend")}
		horizon := rapid.Float64Range(0, 200).Draw(t, "horizon")
		stock := rapid.Float64Range(1, 50_000).Draw(t, "stock")
		stocks := [3]float64{stock, stock / 1.3, stock / 0.7}
		for i, got := range f.Spent(stocks, horizon) {
			site := Site{Stock: stocks[i], Each: 1, Queue: 1e12, Admitted: f.At, Joining: func(float64) float64 { return 0 }}
			if want := site.Walk(horizon).SoldOut; got != want && !(math.Abs(got-want) < 1e-3) {
				t.Fatalf("%v of %+v is spent after %v, a walk says %v", stocks[i], f, got, want)
			}
		}
	})
}
