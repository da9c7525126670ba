package sale

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// fair is a sale with everything that is worked out beside the signals' own verdicts: two sources,
// one of them a minute late.
func fair() *Sale {
	fast, slow := every(10*time.Second), Cadence{Period: time.Minute, Delay: time.Minute}
	below, cost := 1.5, 0.166
	return &Sale{
		ID: "harbour", Name: "Lantern Choir", Prequeue: opens.Add(-30 * time.Minute), Opens: opens, Closes: opens.Add(4 * time.Hour), Tickets: 10_000,
		UnitCost: &cost, CapacityFloor: 4,
		Objectives: []Objective{
			{Name: "availability", Signal: ErrorRatio, Target: 0.999},
			{Name: "latency", Signal: LatencyP95, Below: &below, Target: 0.99},
			{Name: "payment", Signal: PaymentFailureRatio, Target: 0.97, Burns: Bad},
		},
		Signals: []Spec{
			{Signal: Waiting, Label: "waiting", Unit: Users, Source: "metrics", Cadence: fast, Estimate: true},
			{Signal: InflowRate, Label: "inflow", Unit: PerMinute, Source: "metrics", Cadence: fast},
			{Signal: AdmissionLimit, Label: "rate limit", Unit: PerMinute, Source: "metrics", Cadence: fast},
			{Signal: CheckoutRate, Label: "checkouts", Unit: PerMinute, Source: "metrics", Cadence: fast},
			{Signal: OrderRate, Label: "orders", Unit: PerMinute, Source: "metrics", Cadence: fast},
			{Signal: PaymentFailureRatio, Label: "declines", Unit: Ratio, Source: "metrics", Cadence: fast},
			{Signal: TicketsLeft, Label: "left", Unit: Tickets, Source: "metrics", Cadence: fast},
			{Signal: RequestRate, Label: "requests", Unit: PerSecond, Source: "metrics", Cadence: fast},
			{Signal: LatencyP95, Label: "p95", Unit: Seconds, Source: "metrics", Cadence: fast},
			{Signal: ErrorRatio, Label: "errors", Unit: Ratio, Source: "aws", Cadence: slow},
			{Signal: CapacityInService, Label: "in service", Unit: Count, Source: "aws", Cadence: slow},
		},
	}
}

// stage plays a sale minute by minute. Every signal has one figure a minute, sampled at its cadence;
// what a test does not set stays as it was.
type stage struct {
	*night
	values map[Signal]float64
}

func newStage(t testing.TB, from time.Time, s *Sale) *stage {
	return &stage{newNight(t, from, s), map[Signal]float64{
		Waiting: 0, InflowRate: 300, AdmissionLimit: 400, CheckoutRate: 150, OrderRate: 120, PaymentFailureRatio: 0.01, TicketsLeft: 9000,
		RequestRate: 1000, LatencyP95: 0.3, ErrorRatio: 0.0002, CapacityInService: 20,
	}}
}

// minute plays one minute; a signal whose figure is NaN brings nothing.
func (p *stage) minute() {
	p.t.Helper()
	began := p.now
	for range 6 {
		var readings []Reading
		for _, spec := range p.state().Sale.Signals {
			if v := p.values[spec.Signal]; spec.Source == "metrics" && !math.IsNaN(v) {
				readings = append(readings, at(p.now, spec.Signal, v))
			}
		}
		p.poll("metrics", readings...)
		p.pass(10 * time.Second)
	}
	var late []Reading
	for _, s := range []Signal{ErrorRatio, CapacityInService} {
		if v := p.values[s]; !math.IsNaN(v) {
			late = append(late, at(began, s, v))
		}
	}
	p.poll("aws", late...)
}

func (p *stage) play(minutes int, set map[Signal]float64) {
	p.t.Helper()
	for s, v := range set {
		p.values[s] = v
	}
	for range minutes {
		p.minute()
	}
}

func (p *stage) budget(name string) Budget {
	p.t.Helper()
	for _, b := range p.state().Budgets {
		if b.Name == name {
			return b
		}
	}
	p.t.Fatalf("no budget %s in %+v", name, p.state().Budgets)
	return Budget{}
}

func (p *stage) has(part string) bool {
	return slices.ContainsFunc(texts(p.state()), func(s string) bool { return strings.Contains(s, part) })
}

func roughly(got, want float64) bool { return math.Abs(got-want) <= 0.005*max(1, math.Abs(want)) }

func TestBeforeTheDoorsOpenThereIsNoBudgetAndAfterwardsItIsUnknownUntilAMinuteIsClosed(t *testing.T) {
	p := newStage(t, opens.Add(-2*time.Minute), fair())
	p.play(1, nil)
	p.pass(59 * time.Second)
	if got := p.state().Budgets; got != nil {
		t.Errorf("%+v", got)
	}
	p.pass(2 * time.Second)
	if b := p.budget("latency"); b.Verdict != Unknown || !math.IsNaN(b.Left) || !math.IsNaN(b.Burn) || b.Why == "" {
		t.Errorf("%+v", b)
	}
}

func TestTheBudgetOfASaleIsThatOfItsClosedMinutes(t *testing.T) {
	p := newStage(t, opens, fair())
	// 30 minutes at 2 per mille of 1 per mille, of 240: a quarter of the budget is gone.
	p.play(30, map[Signal]float64{ErrorRatio: 0.002})
	p.play(2, nil) // so that the thirtieth is closed, at a minute's delay
	b := p.budget("availability")
	minutes := b.To.Sub(b.From).Minutes()
	if !roughly(b.Left, 1-2*minutes/240) || !roughly(b.Burn, 2) || b.Coverage != 1 || !roughly(b.Good, 0.998) || b.WeightedBy != RequestRate || !roughly(b.Counted, minutes*60_000) {
		t.Errorf("%+v", b)
	}
	if minutes < 30 || !b.From.Equal(opens) || b.Window != 5*time.Minute || !roughly(b.Threshold, 4.8) || b.Burning || b.Verdict != OK {
		t.Errorf("%+v", b)
	}
	if want := time.Duration(b.Left * float64(4*time.Hour) / 2); (b.LastsFor - want).Abs() > time.Minute {
		t.Errorf("it lasts for %s, want %s", b.LastsFor, want)
	}
	if b := p.budget("latency"); b.Left != 1 || b.Burn != 0 || b.LastsFor != 0 {
		t.Errorf("nothing was slow: %+v", b)
	}
	if tight, ok := p.state().Tightest(); !ok || tight.Name != "availability" {
		t.Errorf("the tightest is %+v", tight)
	}
	p.want(OK)
}

func TestAFastBurnIsAReasonToWatchAndToWakeSomebodyWhereTheObjectiveSaysSo(t *testing.T) {
	p := newStage(t, opens.Add(5*time.Minute), fair())
	p.play(20, nil)
	p.want(OK)
	p.play(8, map[Signal]float64{ErrorRatio: 0.02})
	p.want(Watch)
	if !p.has("availability budget burns 20x over 5:00") {
		t.Errorf("%q", texts(p.state()))
	}
	if b := p.budget("availability"); !b.Burning || b.Since.Before(opens.Add(25*time.Minute)) || b.Since.After(opens.Add(28*time.Minute)) {
		t.Errorf("%+v", b)
	}
	p.play(4, map[Signal]float64{ErrorRatio: 0.0002})
	if p.has("burns") {
		t.Errorf("it is over, yet %q", texts(p.state()))
	}
	p.play(9, map[Signal]float64{PaymentFailureRatio: 0.3})
	p.want(Bad)
	if !p.has("payment budget burns 10x over 5:00") {
		t.Errorf("%q", texts(p.state()))
	}
}

func TestAFewFailuresOfAFewPaymentsBurnNothing(t *testing.T) {
	p := newStage(t, opens.Add(5*time.Minute), fair())
	p.play(20, map[Signal]float64{CheckoutRate: 8, PaymentFailureRatio: 0.25})
	if b := p.budget("payment"); b.Burning || b.Burn < 8 {
		t.Errorf("%+v", b)
	}
}

func TestASpentBudgetIsSaid(t *testing.T) {
	p := newStage(t, opens, fair())
	p.play(10, map[Signal]float64{LatencyP95: 4})
	p.play(10, map[Signal]float64{LatencyP95: 0.3})
	b := p.budget("latency")
	if !(b.Left < -1) || b.Verdict != Watch || b.LastsFor != 0 || !p.has("latency budget is spent: ") {
		t.Errorf("%+v, %q", b, texts(p.state()))
	}
}

func TestMinutesThatNobodySawAreNeitherGoodNorBad(t *testing.T) {
	p := newStage(t, opens, fair())
	p.play(20, map[Signal]float64{ErrorRatio: 0.0005})
	before := p.budget("availability")
	p.play(15, map[Signal]float64{ErrorRatio: math.NaN()})
	b := p.budget("availability")
	if b.Coverage > 0.65 || !math.IsNaN(b.Burn) || math.IsNaN(b.Left) || b.Left >= before.Left {
		t.Errorf("%+v, before %+v", b, before)
	}
	p.play(15, nil)
	if b := p.budget("availability"); b.Verdict != Unknown || !math.IsNaN(b.Left) || !strings.Contains(b.Why, "of 4") {
		t.Errorf("less than half is seen: %+v", b)
	}
}

func TestALateMinuteIsCountedWhenItComes(t *testing.T) {
	p := newStage(t, opens, fair())
	p.play(20, nil)
	p.play(5, map[Signal]float64{ErrorRatio: math.NaN()})
	hole := p.budget("availability")
	for m := range 5 {
		p.poll("aws", at(opens.Add(time.Duration(20+m)*time.Minute), ErrorRatio, 0.01))
	}
	if b := p.budget("availability"); b.Coverage <= hole.Coverage || b.Left >= hole.Left {
		t.Errorf("%+v, before %+v", b, hole)
	}
}

func TestAnOddMinuteIsNoReasonTwoAre(t *testing.T) {
	p := newStage(t, opens.Add(20*time.Minute), fair())
	p.play(14, nil)
	p.play(1, map[Signal]float64{OrderRate: 40})
	p.play(1, map[Signal]float64{OrderRate: 120})
	p.pass(15 * time.Second)
	p.want(OK)
	p.play(2, map[Signal]float64{OrderRate: 40})
	p.pass(15 * time.Second)
	p.want(Watch)
	p.wantReasons("orders 40/min, usual is 120/min by its own past")
	if r := p.state().Reasons[0]; !r.Since.Equal(opens.Add(36*time.Minute)) || r.Signal != OrderRate || r.Source != "metrics" {
		t.Errorf("%+v", r)
	}
}

func TestAStepOfTheGateAndTheOpeningAreNotOdd(t *testing.T) {
	p := newStage(t, opens.Add(-20*time.Minute), fair())
	p.play(20, map[Signal]float64{OrderRate: 0, CheckoutRate: 0, RequestRate: 100})
	p.play(14, map[Signal]float64{OrderRate: 60, CheckoutRate: 75, RequestRate: 900, InflowRate: 900}) // the doors open
	p.play(14, map[Signal]float64{AdmissionLimit: 800, OrderRate: 240, CheckoutRate: 300, RequestRate: 1800})
	p.play(4, map[Signal]float64{AdmissionLimit: 400, OrderRate: 60, CheckoutRate: 75, RequestRate: 900})
	p.pass(15 * time.Second)
	p.want(OK)
	for _, an := range p.state().Anomalies {
		if an.Signal == OrderRate && (an.On || !strings.Contains(an.Why, "too little data") && !strings.Contains(an.Why, "stepped")) {
			t.Errorf("%+v", an)
		}
	}
}

func TestASaleWithTooLittleDataSaysSo(t *testing.T) {
	p := newStage(t, opens.Add(20*time.Minute), fair())
	p.play(5, nil)
	for _, an := range p.state().Anomalies {
		if an.On || an.Why == "" || an.Value != 0 {
			t.Errorf("%+v", an)
		}
	}
	if len(p.state().Anomalies) == 0 {
		t.Error("nothing is held against its past")
	}
}

// crowdPlanned is the plan of the tests: 30,000 people when the pre-queue opens, 600 more a minute.
func crowdPlanned(at time.Time) (float64, bool) {
	since := at.Sub(opens.Add(-30 * time.Minute)).Minutes()
	return 30_000 + 600*since, since >= 0 && at.Before(opens)
}

func (p *stage) plan() { p.sales[0].assessed.demand.planned = crowdPlanned }

func TestDemandAboveThePlanIsASurge(t *testing.T) {
	for _, c := range []struct {
		times float64
		on    bool
	}{{0.5, false}, {1, false}, {1.15, false}, {1.31, true}, {3, true}} {
		p := newStage(t, opens.Add(-25*time.Minute), fair())
		p.plan()
		for range 6 {
			planned, _ := crowdPlanned(p.now)
			p.play(1, map[Signal]float64{Waiting: math.Round(planned * c.times)})
		}
		u := p.state().Surge
		if u.On != c.on || u.Basis != ByPlan || u.Why != "" || math.Abs(u.Ratio-c.times) > 0.03*c.times {
			t.Errorf("%vx: %+v", c.times, u)
		}
		if c.on {
			p.want(Watch)
		}
	}
}

func TestASurgeThatWasThereWhenWatchingBeganCountsAtOnce(t *testing.T) {
	p := newStage(t, opens.Add(-25*time.Minute), fair())
	p.plan()
	p.sales[0].sale.Acts = []string{"scale-up"}
	p.poll("metrics", at(p.now, Waiting, 42_900)) // of 33,000
	p.want(Watch)
	if c := p.state().Cause; c.Text != "demand 1.30x plan: ~42,900 of 33,000" || c.Signal != Waiting || !slices.Equal(c.Evidence, []Signal{Waiting}) {
		t.Errorf("%+v", c)
	}
	if len(p.state().Alarms) != 0 {
		t.Errorf("one look proves no minute: %+v", p.state().Alarms)
	}
	p.play(2, map[Signal]float64{Waiting: 44_000})
	if a := p.state().Alarms; len(a) != 1 || a[0].Text != "demand above plan" || a[0].Key != "surge" || a[0].Verdict != Watch {
		t.Errorf("%+v", a)
	}
	p.play(4, map[Signal]float64{Waiting: 33_000})
	if a := p.state().Alarms; len(a) != 0 || p.state().Surge.On {
		t.Errorf("it does not end: %+v", a)
	}
}

func TestAPreQueueThatHasJustOpenedHasNoSurgeUntilItHasLastedAMinute(t *testing.T) {
	p := newStage(t, opens.Add(-30*time.Minute), fair())
	p.plan()
	p.play(1, map[Signal]float64{Waiting: 60_000}) // the newest sample is of 50 s
	if u := p.state().Surge; u.On || math.Abs(u.Ratio-2) > 0.05 {
		t.Errorf("%+v", u)
	}
	p.play(1, nil)
	if !p.state().Surge.On {
		t.Errorf("%+v", p.state().Surge)
	}
}

func TestWithEveryFigureInsideItsLimitsTheCauseIsWhatWasWorkedOut(t *testing.T) {
	p := newStage(t, opens, fair())
	p.play(40, nil)
	p.play(8, map[Signal]float64{OrderRate: 10})
	c := p.state().Cause
	if p.state().Verdict != Watch || c.Signal != OrderRate || c.Text != p.state().Reasons[0].Text || !c.Says(&p.state().Reasons[0]) || p.state().Next.Text != "nothing to do: watch orders" {
		t.Errorf("%s %+v %+v", p.state().Verdict, c, p.state().Next)
	}
}

func TestASurgeIsSaidInTheWordsOfTheScreens(t *testing.T) {
	p := newStage(t, opens.Add(-25*time.Minute), fair())
	p.sales[0].assessed.demand.planned = func(time.Time) (float64, bool) { return 36_900, true }
	p.play(1, map[Signal]float64{Waiting: 36_000})
	p.play(2, map[Signal]float64{Waiting: 48_310})
	p.wantReasons("demand 1.31x plan: ~48,310 of 36,900")
	if u := p.state().Surge; !u.Since.Equal(opens.Add(-24*time.Minute)) || p.state().Reasons[0].Since != u.Since {
		t.Errorf("%+v", u)
	}
	p.play(1, map[Signal]float64{Waiting: 42_500}) // 1.15: it stands until it is under 1.10 for a minute
	if !p.state().Surge.On {
		t.Error("it ended too soon")
	}
	p.play(2, map[Signal]float64{Waiting: 40_000})
	if p.state().Surge.On {
		t.Errorf("%+v", p.state().Surge)
	}
	p.play(30, nil) // past the opening nobody looks for one
	if p.state().Surge != (Surge{}) {
		t.Errorf("%+v", p.state().Surge)
	}
}

func TestWithoutAPlanDemandIsHeldAgainstItsOwnPace(t *testing.T) {
	for name, s := range map[string]*Sale{"by who joins": fair(), "by the growth of the queue": without(fair(), InflowRate)} {
		t.Run(name, func(t *testing.T) {
			p := newStage(t, opens.Add(-31*time.Minute), s)
			join := func(minutes int, rate float64) {
				for range minutes {
					p.play(1, map[Signal]float64{InflowRate: rate, Waiting: p.values[Waiting] + rate})
				}
			}
			join(8, 900)
			if u := p.state().Surge; u.On || !strings.Contains(u.Why, "too little data") {
				t.Errorf("%+v", u)
			}
			join(8, 900)
			if u := p.state().Surge; u.On || u.Why != "" || u.Basis != ByPace {
				t.Errorf("%+v", u)
			}
			join(3, 2100)
			p.pass(15 * time.Second)
			if u := p.state().Surge; !u.On || u.Ratio < 2 || u.Ratio > 2.6 || !p.has("x its own pace: ") {
				t.Errorf("%+v %q", u, texts(p.state()))
			}
			p.want(Watch)
			if len(p.state().Reasons) != 1 {
				t.Errorf("it is said twice: %q", texts(p.state()))
			}
		})
	}
}

func without(s *Sale, gone Signal) *Sale {
	s.Signals = slices.DeleteFunc(s.Signals, func(spec Spec) bool { return spec.Signal == gone })
	return s
}

func TestWhatASaleCostsAndWhatWouldDo(t *testing.T) {
	s := fair()
	p := newStage(t, opens, s)
	p.play(30, map[Signal]float64{CapacityInService: 18, RequestRate: 1800}) // 100 requests a host, and all is well
	if c := p.state().Cost; c.Held != 18 || !roughly(c.PerHour, 18*0.166) || !math.IsNaN(c.Enough) || !math.IsNaN(c.Saves) {
		t.Errorf("in the rush nothing is too much: %+v", c)
	}
	// Sold out: 450 requests a second, at three quarters of 100 a host, are 6 hosts.
	p.play(12, map[Signal]float64{RequestRate: 450, TicketsLeft: 100})
	if p.state().Phase != Tail {
		t.Fatal(p.state().Phase)
	}
	if c := p.state().Cost; c.Enough != 6 || !roughly(c.Saves, 12*0.166) || c.Why != "" {
		t.Errorf("%+v", c)
	}
	p.play(8, map[Signal]float64{RequestRate: 20})
	if c := p.state().Cost; c.Enough != 4 {
		t.Errorf("the floor is kept: %+v", c)
	}
	p.pass(20 * time.Minute)
	if c := p.state().Cost; !math.IsNaN(c.Held) || !math.IsNaN(c.PerHour) || c.Why == "" {
		t.Errorf("what is too old to know costs nobody knows what: %+v", c)
	}
	s = fair()
	s.UnitCost = nil
	p = newStage(t, opens, s)
	p.play(3, nil)
	if c := p.state().Cost; c.Held != 20 || !math.IsNaN(c.PerHour) || c.Why != "no unit_cost is declared" {
		t.Errorf("%+v", c)
	}
}

func TestTheBillIsTheSumOfTheSources(t *testing.T) {
	snap := Snapshot{Sources: []SourceState{{CostUSD: 0.1, CostPerH: 0.04, CallsIn5m: 5}, {CostUSD: 0.06, CostPerH: 0.02, CallsIn5m: 60}, {}}}
	if b := snap.Bill(); !roughly(b.USD*1000, 160) || !roughly(b.PerHour*1000, 60) || b.CallsIn5m != 65 {
		t.Errorf("%+v", b)
	}
}

// TestTheSameSamplesGiveTheSameAnswerHoweverTheyCame feeds one store sample by sample and another
// in random heaps, late and in any order, and compares what both make of it.
func TestTheSameSamplesGiveTheSameAnswerHoweverTheyCame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(5, 40).Draw(t, "minutes")
		from := opens.Add(time.Duration(rapid.IntRange(-20, 5).Draw(t, "from")) * time.Minute)
		var all []Reading
		for m := range n {
			began := from.Add(time.Duration(m) * time.Minute)
			for i, s := range []Signal{OrderRate, LatencyP95, PaymentFailureRatio, CheckoutRate, RequestRate, InflowRate} {
				if rapid.IntRange(0, 9).Draw(t, "seen") > 0 {
					all = append(all, at(began.Add(time.Duration(i)*7*time.Second), s, rapid.Float64Range(0, 3).Draw(t, "v")))
				}
			}
		}
		end := from.Add(time.Duration(n)*time.Minute + 90*time.Second)
		play := func(order []int, heaps int) *State {
			store := NewStore([]*Sale{fair()}, harbourSources, Limits{}, from)
			for i := 0; i < len(order); {
				b := Batch{Source: "metrics"}
				for range min(heaps, len(order)-i) {
					b.Readings = append(b.Readings, all[order[i]])
					i++
				}
				store.Apply(b, end.Add(-time.Duration(len(order)-i)*time.Millisecond))
			}
			store.Tick(end)
			return store.Snapshot().Sales[0]
		}
		straight := make([]int, len(all))
		for i := range straight {
			straight[i] = i
		}
		one := play(straight, len(all))
		other := play(rapid.Permutation(straight).Draw(t, "order"), rapid.IntRange(1, 20).Draw(t, "heaps"))
		if a, b := fmt.Sprintf("%+v %+v", one.Budgets, one.Anomalies), fmt.Sprintf("%+v %+v", other.Budgets, other.Anomalies); a != b {
			t.Fatalf("at once:\n%s\nin heaps:\n%s", a, b)
		}
	})
}

// TestNoHostileSeriesBreaksWhatIsWorkedOut feeds gaps, resets, duplicates, samples from the future
// and the past, figures beyond measure, and a clock that now and then steps back.
func TestNoHostileSeriesBreaksWhatIsWorkedOut(t *testing.T) {
	values := rapid.SampledFrom([]float64{0, 1, -1, 0.02, 0.5, 150, 900, 1e308, -1e308, 5e-324, math.NaN(), math.Inf(1)})
	offsets := rapid.SampledFrom([]time.Duration{0, 0, 0, -10 * s, -time.Minute, -time.Hour, -300 * time.Hour, time.Minute, 10 * time.Hour})
	steps := rapid.SampledFrom([]time.Duration{0, 10 * s, 10 * s, time.Minute, time.Minute, 10 * time.Minute, 3 * time.Hour, -s, -time.Hour, 50 * time.Hour})
	rapid.Check(t, func(t *rapid.T) {
		now := opens.Add(rapid.SampledFrom([]time.Duration{-2 * time.Hour, -20 * time.Minute, 0, 30 * time.Minute}).Draw(t, "start"))
		store := NewStore([]*Sale{fair()}, harbourSources, Limits{Points: rapid.IntRange(1, 60).Draw(t, "points")}, now)
		if rapid.Bool().Draw(t, "plan") {
			store.sales[0].assessed.demand.planned = func(time.Time) (float64, bool) { return values.Draw(t, "planned"), rapid.Bool().Draw(t, "ok") }
		}
		signals := rapid.SampledFrom(fair().Signals)
		for range rapid.IntRange(1, 60).Draw(t, "moves") {
			now = now.Add(steps.Draw(t, "step"))
			b := Batch{Source: rapid.SampledFrom([]string{"metrics", "aws"}).Draw(t, "source")}
			for range rapid.IntRange(0, 15).Draw(t, "readings") {
				b.Readings = append(b.Readings, at(now.Add(offsets.Draw(t, "offset")), signals.Draw(t, "signal").Signal, values.Draw(t, "value")))
			}
			store.Apply(b, now)
			holdsWhatIsWorkedOut(t, store.Snapshot().Sales[0])
		}
	})
}

func holdsWhatIsWorkedOut(t *rapid.T, st *State) {
	u := st.Surge
	if !isFinite(u.Now) || !isFinite(u.Expected) || !isFinite(u.Ratio) || u.On && (u.Why != "" || u.Since.IsZero()) {
		t.Fatalf("%+v", u)
	}
	for _, an := range st.Anomalies {
		for _, v := range []float64{an.Value, an.Usual, an.Low, an.High, an.Score} {
			if !isFinite(v) || an.Why != "" && v != 0 {
				t.Fatalf("%+v", an)
			}
		}
		if an.On && (an.Why != "" || an.Since.IsZero() || an.Since.After(an.At)) {
			t.Fatalf("%+v", an)
		}
	}
	for _, b := range st.Budgets {
		if math.IsInf(b.Left, 0) || b.Left > 1 || math.IsInf(b.Burn, 0) || b.Burn < 0 || b.Coverage < 0 || b.Coverage > 1 || b.LastsFor < 0 || b.Good < 0 || b.Good > 1 {
			t.Fatalf("%+v", b)
		}
		if b.Verdict == OK && math.IsNaN(b.Left) && math.IsNaN(b.Burn) || math.IsNaN(b.Left) && b.Why == "" {
			t.Fatalf("what is not known is called %s: %+v", b.Verdict, b)
		}
	}
	for _, v := range []float64{st.Cost.Held, st.Cost.PerHour, st.Cost.Enough, st.Cost.Saves} {
		if math.IsInf(v, 0) || v < 0 {
			t.Fatalf("%+v", st.Cost)
		}
	}
	for _, r := range st.Reasons {
		if Clean(r.Text, 0) != r.Text || r.Since.IsZero() {
			t.Fatalf("%+v", r)
		}
	}
}

func TestASaleWhoseRushWasNotWatchedIsSizedByWhatItsPlanSaysThatOneCarries(t *testing.T) {
	for carries, want := range map[float64]float64{150: 6, 0: math.NaN()} {
		s := fair()
		s.Plan.Carries = carries
		s.Signals = append(s.Signals, Spec{Signal: ActiveUsers, Label: "active", Unit: Users, Source: "metrics", Cadence: every(10 * time.Second)})
		p := newStage(t, opens.Add(90*time.Minute), s)
		p.play(6, map[Signal]float64{CapacityInService: 18, TicketsLeft: 100, ActiveUsers: 870})
		if p.state().Phase != Tail {
			t.Fatal(p.state().Phase)
		}
		if c := p.state().Cost; !sameNumber(c.Enough, want) { // 870 people at 150 a host
			t.Errorf("a host carries %v: %+v", carries, c)
		}
	}
}
