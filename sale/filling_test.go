package sale

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale/forecast"
)

func TestATimeIsToldOnlyWhereTheSlowEndOfItsRangeFillsTheLimitToo(t *testing.T) {
	inf := math.Inf(1)
	const near, none = "the level that this admission comes to lies too near the limit to tell when", ""
	for name, tc := range map[string]struct {
		arrival
		want [3]float64
		why  string
	}{
		// The level is 6,000, quick 6,480 and slow 5,520: -6 ln(753/1200), -6 ln(1233/1680), -6 ln(273/720).
		"well above it":              {arrival{4800, 1000, 6, 5247, 0, inf, 0.08}, [3]float64{2.796, 1.856, 5.818}, none},
		"ten people above it":        {arrival{5176, 1152, 5.2, 5980, 0, inf, 0.08}, [3]float64{inf, inf, inf}, near},
		"as many as it":              {arrival{5176, 1150, 5.2, 5980, 0, inf, 0.08}, [3]float64{inf, inf, inf}, near},
		"fifty people below it":      {arrival{5176, 1140, 5.2, 5980, 0, inf, 0.08}, [3]float64{inf, inf, inf}, near},
		"well below it":              {arrival{2000, 500, 6, 5247, 0, inf, 0.08}, [3]float64{inf, inf, inf}, none},
		"full already":               {arrival{6100, 1150, 5.2, 5980, 0, inf, 0.08}, [3]float64{0, 0, 0}, none},
		"restless minutes":           {arrival{4800, 1000, 6, 5247, 0, inf, 0.13}, [3]float64{inf, inf, inf}, near},
		"the gate stops them before": {arrival{8000, 4000, 5.2, 8975, 8900, inf, 0.08}, [3]float64{inf, inf, inf}, none},
		"the gate stops them behind": {arrival{4800, 1000, 6, 5247, 6000, inf, 0.08}, [3]float64{2.796, 1.856, 5.818}, none},
		"nobody waits after 2 min":   {arrival{4800, 1000, 6, 5247, 0, 2, 0.08}, [3]float64{inf, inf, inf}, none},
		"they wait for 3 min":        {arrival{4800, 1000, 6, 5247, 0, 3, 0.08}, [3]float64{2.796, 1.856, 5.818}, none},
	} {
		got, why := tc.minutes()
		for i := range got {
			if why != tc.why || got[i] != tc.want[i] && !(math.Abs(got[i]-tc.want[i]) < 0.002) {
				t.Errorf("%s: %v, %q; want %v, %q", name, got, why, tc.want, tc.why)
				break
			}
		}
	}
}

// anOpening is a site before the doors open, 40 to 44 people for 20 minutes, and the minutes since: the mean of the people and
// the connections at the highest, with 96 idle ones and 0.36 a person.
func anOpening(since ...[2]float64) (people, open []float64) {
	for i := range 20 {
		n := 40 + float64(i%5)
		people, open = append(people, n), append(open, 96+0.36*n)
	}
	for _, m := range since {
		people, open = append(people, m[0]), append(open, 96+0.36*m[1])
	}
	return people, open
}

func TestWhatAPersonCostsIsNotToldFromTheFirstMinutesOfAnOpening(t *testing.T) {
	const max = 1000.0 // 2,511 people fill it
	filling := [][2]float64{{130, 310}, {430, 560}, {660, 750}, {830, 910}, {970, 1030}, {1080, 1120}, {1150, 1190}, {1220, 1240}, {1260, 1280}}
	for _, tc := range []struct {
		minutes int
		slope   float64 // of the fit
		unknown string
	}{
		// The first minute pairs the 310 people of its end with the mean of 130: 0.36 x (310 - 42) / (130 - 42) a person.
		{1, 1.10, "what a person costs in connections is not known yet: it takes 5 closed minutes since the doors opened, has 1"},
		{4, 0.42, "what a person costs in connections is not known yet: it takes 5 closed minutes since the doors opened, has 4"},
		{5, 0.41, ""},
		{9, 0.38, ""},
	} {
		people, open := anOpening(filling[:tc.minutes]...)
		c := connectionCost{load: forecast.Line(people, open)}
		c.rests(people, open, int64(tc.minutes))
		near(t, "the slope", c.load.Per, tc.slope, 0.03*tc.slope)
		if got := c.unknown(4.6); got != tc.unknown || c.open != tc.minutes {
			t.Errorf("after %d minutes %q, %d of them open; want %q", tc.minutes, got, c.open, tc.unknown)
		}
		if got := c.untold(c.people(max)); !strings.HasPrefix(got, "it takes ~") {
			t.Errorf("after %d minutes the line is drawn out from %v to %v people: %q", tc.minutes, c.most, c.people(max), got)
		}
	}
	if got := (&connectionCost{load: forecast.Load{OK: true}, open: 29}).unknown(600); !strings.Contains(got, "it takes 30 closed") {
		t.Errorf("a stay of ten hours asks for %q", got)
	}
}

func TestATimeOfTheDatabaseAgreesWithItsOwnReadings(t *testing.T) {
	for name, tc := range map[string]struct {
		last func(open []float64) // what becomes of the last three minutes
		full float64
		want string
	}{
		"as they were":                 {func([]float64) {}, 1500, ""},
		"half as many again":           {func([]float64) {}, 1501, "it takes ~1,501 on the site, and what more than ~1,000 cost was not seen yet"},
		"9 % over the line":            {func(o []float64) { o[0], o[1], o[2] = 1.09*o[0], 1.09*o[1], 1.09*o[2] }, 1500, ""},
		"15 % over the line":           {func(o []float64) { o[0], o[1], o[2] = 1.15*o[0], 1.15*o[1], 1.15*o[2] }, 1500, "the newest readings lie 15 % off what the people on the site cost before"},
		"15 % under the line":          {func(o []float64) { o[0], o[1], o[2] = 0.85*o[0], 0.85*o[1], 0.85*o[2] }, 1500, "the newest readings lie 15 % off what the people on the site cost before"},
		"one of three, and another no": {func(o []float64) { o[0], o[1] = math.NaN(), math.NaN() }, 1500, ""},
		"none of the last three":       {func(o []float64) { o[0], o[1], o[2] = math.NaN(), math.NaN(), math.NaN() }, 1500, "what people cost was not read in the newest minutes"},
	} {
		var people, open []float64
		for i := range 31 {
			n := 400 + 20*float64(i)
			people, open = append(people, n), append(open, 100+0.4*n)
		}
		c := connectionCost{load: forecast.Line(people, open)}
		tc.last(open[28:])
		c.rests(people, open, 31)
		if got := c.untold(tc.full); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestASiteThatFillsItsDatabaseAfterTheOpeningIsToldSoOnceItCanBeAndFullOnlyAsItIsRead(t *testing.T) {
	harbour := quay(t)
	harbour.Plan.Session = 6 * time.Minute
	s := newShop(newNight(t, opens.Add(-10*time.Minute), harbour))
	s.joining, s.waiting, s.left, s.active = 260, 60_000, 60_000, 45
	s.limit = 1000
	for range 10 * 60 { // people who look stay
		s.active = 45
		s.run(time.Second)
	}
	s.admit = 1000
	// 6,000 - 5,955 x e^(-t/6) = (2,000 - 120) / 0.3583 = 5,247 people are there after 12.41 minutes.
	filled := opens.Add(minutesLong(12.41))
	first, told, full := time.Duration(0), 0, 0
	for s.n.now.Before(opens.Add(17 * time.Minute)) {
		s.run(15 * time.Second)
		st := s.n.state()
		i := slices.IndexFunc(st.Limits, func(l Limit) bool { return l.Name == LimitDatabase })
		l, after := &st.Limits[i], s.n.now.Sub(opens)
		if strings.Contains(st.AheadText(s.n.now), "connections full now") {
			if full++; l.Ratio < 1 {
				t.Fatalf("%s after the opening it is full with %.0f %% read", after, 100*l.Ratio)
			}
		}
		if l.Ratio >= 1 || l.HitAt.IsZero() {
			continue
		}
		if told++; first == 0 {
			first = after
		}
		if d := l.HitAt.Sub(filled).Minutes(); math.Abs(d) > 1 || l.HitLow.After(filled.Add(15*time.Second)) || l.HitHigh.Before(filled.Add(-15*time.Second)) {
			t.Errorf("%s after the opening it is full at %s, between %s and %s; really at %s", after, l.HitAt, l.HitLow, l.HitHigh, filled)
		}
	}
	if first < 8*time.Minute || first > 10*time.Minute || told < 4 || full == 0 {
		t.Errorf("a time was told from %s on, %d times, and full %d times", first, told, full)
	}
}
