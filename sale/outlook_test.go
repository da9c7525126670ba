package sale

import (
	"strings"
	"testing"
	"time"
)

func TestTheDatabaseBindsTheMainSaleAt640AMinute(t *testing.T) {
	s := theMainSale(t, 12_400, 3_100)
	st := s.n.state()
	near(t, "active", s.active, 4800, 2)
	near(t, "the session", st.SafeAdmission.Session.Minutes(), 6, 0.05)
	near(t, "connections per person", s.n.entries()[0].look.load.Per, 0.358, 0.002)
	near(t, "idle connections", s.n.entries()[0].look.load.Idle, 120, 10)
	if st.Binding == nil || st.Binding.Name != LimitDatabase {
		t.Fatalf("it binds %+v", st.Binding)
	}
	near(t, "the safe admission", st.Binding.Safe, 641, 4)
	if got, want := st.BindsText(s.n.now), "RDS connections 92 % of max; safe admission <= 640/min"; got != want {
		t.Errorf("binds %q, want %q", got, want)
	}
	if !st.SafeAdmission.Measured || st.SafeAdmission.At().IsZero() {
		t.Errorf("the session is measured and every input has a time, got %+v", st.SafeAdmission)
	}
}

func TestTheMainSalesTicketsServeAThirdOfItsQueue(t *testing.T) {
	s := theMainSale(t, 12_378, 3_149)
	s.admit, s.limit, s.joining = 0, 0, 260
	s.run(5 * time.Second)
	st := s.n.state()
	if !st.Paused() {
		t.Fatal("it is not paused")
	}
	f := st.Forecast
	near(t, "tickets per person", f.Serve.PerPerson, 0.734, 0.012)
	near(t, "served", f.Serve.Served, 4_220, 70)
	near(t, "who miss", f.Serve.Miss, 8_180, 70)
	if !f.SellOut.AfterResume {
		t.Fatalf("the sell-out is %+v", f.SellOut)
	}
	near(t, "the sell-out after R", f.SellOut.At.Sub(f.SellOut.From).Minutes(), 8.7, 0.4)
	near(t, "the drain", f.Drain.At.Sub(f.Drain.From).Minutes(), 12_400/(640-260.0), 0.3)
	if text := st.AheadText(s.n.now); text != "3,100 serve ~4,220 of ~12,400, ~8,180 miss; sold out ~9 min after R; drain 33 min at 640/min" {
		t.Errorf("ahead %q", text)
	}
}

// lit is a store with one sale whose signals have one reading each, now.
func lit(t testing.TB, change func(*Sale), now time.Time, values map[Signal]float64) *State {
	t.Helper()
	s := quay(t)
	s.Signals = append(s.Signals,
		Spec{Signal: CapacityInService, Label: "in service", System: "ASG", Unit: Count, Source: "metrics", Cadence: every(5 * time.Second)},
		Spec{Signal: CapacityMax, Label: "max", Unit: Count, Source: "metrics", Cadence: every(5 * time.Second)},
		Spec{Signal: PodsPending, Label: "pods pending", Unit: Count, Source: "metrics", Cadence: every(5 * time.Second)},
	)
	change(s)
	n := newNight(t, now, s)
	for name, v := range values {
		source := "metrics"
		if name == DBConnections {
			source = "aws"
		}
		n.poll(source, at(now, name, v))
	}
	return n.state()
}

func TestEachLimitBindsInItsWords(t *testing.T) {
	calm := map[Signal]float64{
		Waiting: 9260, AdmissionRate: 394, AdmissionLimit: 400, ActiveUsers: 2050, PaymentFailureRatio: 0.016, TicketsLeft: 7093,
		DBConnections: 820, CapacityInService: 24, CapacityMax: 60, PodsPending: 0,
	}
	with := func(change map[Signal]float64) map[Signal]float64 {
		all := make(map[Signal]float64)
		for name, v := range calm {
			all[name] = v
		}
		for name, v := range change {
			all[name] = v
		}
		return all
	}
	plan := func(session time.Duration, carries, ceiling float64, system string) func(*Sale) {
		return func(s *Sale) {
			s.Plan.Session, s.Plan.Carries = session, carries
			for i := range s.Signals {
				switch s.Signals[i].Signal {
				case ActiveLimit:
					s.Signals[i].Constant = &ceiling
				case CapacityInService:
					s.Signals[i].System = system
				}
			}
		}
	}
	const stay = 312 * time.Second
	for name, tc := range map[string]struct {
		change func(*Sale)
		now    time.Time
		values map[Signal]float64
		want   string
	}{
		"sale 2 of the screens":              {plan(stay, 0, 2600, "ASG"), live, calm, "active users 79 % of 2,600; safe admission <= 500/min"},
		"sale 4":                             {plan(stay, 0, 3400, "HPA"), live, with(map[Signal]float64{ActiveUsers: 930}), "active limit 3,400; safe admission <= 650/min"},
		"sale 5":                             {plan(stay, 150, 9000, "HPA"), opens.Add(-11 * time.Minute), with(map[Signal]float64{ActiveUsers: 210, CapacityInService: 40}), "40 pods; safe admission <= 1,150/min"},
		"sale 6, before its pre-queue":       {plan(324*time.Second, 120, 1620, "ASG"), opens.Add(-3 * time.Hour), with(map[Signal]float64{ActiveUsers: 40, CapacityInService: 8, CapacityMax: 12}), "ASG max 12; safe admission <= 266/min"},
		"all instances that there may be":    {plan(stay, 40, 9000, "ASG"), live, with(map[Signal]float64{CapacityInService: 60}), "ASG max 60; safe admission <= 461/min"},
		"nobody knows how long people stay":  {plan(0, 150, 9000, "ASG"), live, calm, "admission limit 400/min; safe admission not known: what a person costs in connections is not known yet: it takes samples at two loads"},
		"a connection count that is not had": {plan(stay, 150, 9000, "ASG"), live, with(map[Signal]float64{DBConnections: -1}), "not known: 1 of 5 needed signals missing"},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.values[DBConnections] < 0 {
				delete(tc.values, DBConnections)
			}
			st := lit(t, tc.change, tc.now, tc.values)
			if got := st.BindsText(tc.now); got != tc.want {
				t.Errorf("binds %q, want %q", got, tc.want)
			}
			for _, l := range st.Limits {
				if l.Text == "" || l.Has && (l.Ratio < 0 || len(l.Evidence) == 0) || l.Bounds && !l.Has {
					t.Errorf("%+v", l)
				}
			}
		})
	}
}

func TestPaymentPodsAndAThrottledSourceAreLimitsToo(t *testing.T) {
	n := newNight(t, live, quay(t))
	n.poll("metrics", at(n.now, PaymentFailureRatio, 0.07))
	n.fail("aws", Problem{Class: Throttled, Text: "slow down"})
	st := n.state()
	texts := map[LimitName]string{}
	for _, l := range st.Limits {
		texts[l.Name] = l.Text
	}
	if got, want := texts[LimitPayment], "declines 7.0 %, limit 5.0 %"; got != want {
		t.Errorf("payment %q, want %q", got, want)
	}
	if got, want := texts[LimitReading], "reading aws is throttled"; got != want {
		t.Errorf("reading %q, want %q", got, want)
	}
	if st.SafeAdmission.Has || st.Binding != nil {
		t.Errorf("with most signals missing something binds: %+v", st.Binding)
	}
	pods := lit(t, func(*Sale) {}, live, map[Signal]float64{PodsPending: 6})
	for _, l := range pods.Limits {
		if l.Name == LimitPods && (l.Ratio != 1 || l.Text != "6 pods wait for a node") {
			t.Errorf("pods %+v", l)
		}
	}
}

func TestALeakOfConnectionsLowersTheSafeAdmission(t *testing.T) {
	s := theMainSale(t, 12_400, 20_000)
	before := s.n.state().SafeAdmission.PerMinute
	s.leak = 400
	s.run(8 * time.Minute)
	st := s.n.state()
	near(t, "the excess", s.n.entries()[0].look.excess, 400, 60)
	near(t, "the safe admission", st.SafeAdmission.PerMinute, before-400/2.15, 40)
}

func TestASafeAdmissionIsNotKnownWhileWhatItFollowsFromIsStale(t *testing.T) {
	s := theMainSale(t, 12_400, 20_000)
	s.mute[DBConnections] = true
	s.run(8 * time.Minute)
	st := s.n.state()
	if st.SafeAdmission.Has || st.Binding != nil || st.SafeAdmission.Why != "1 of 5 needed signals missing" {
		t.Errorf("%+v binds, safe %+v", st.Binding, st.SafeAdmission)
	}
	later := s.n.now.Add(time.Hour)
	fresh := theMainSale(t, 12_400, 20_000).n.state()
	if got := fresh.BindsText(later); got != "not known: db conns is stale" {
		t.Errorf("an hour later it binds %q", got)
	}
	if got := fresh.AheadText(later); got != "not known: waiting is stale" {
		t.Errorf("an hour later ahead %q", got)
	}
}

func TestTheAdmissionThatFillsTheDatabaseIsForetold(t *testing.T) {
	s := theMainSale(t, 60_000, 60_000)
	s.admit, s.limit = 1000, 1000
	s.run(65 * time.Second)
	st := s.n.state()
	f := st.Forecast
	if !f.Limit.Has || f.LimitName != LimitDatabase {
		t.Fatalf("what is filled first is %q: %+v", f.LimitName, f.Limit)
	}
	// 6,000 - 1,200 x e^(-t/6) = (2,000 - 120) / 0.3583 people are there after 2.80 minutes.
	near(t, "when it is full", f.Limit.At.Sub(s.n.now).Minutes(), 2.80-65.0/60, 0.1)
	if got := st.AheadText(s.n.now); !strings.HasPrefix(got, "RDS connections full ~2 min") {
		t.Errorf("ahead %q", got)
	}
	s.run(4 * time.Minute)
	if got := s.n.state().AheadText(s.n.now); !strings.HasPrefix(got, "RDS connections full now") {
		t.Errorf("ahead of what is full %q", got)
	}
}

func TestThePlanStandsBesideWhatIsRead(t *testing.T) {
	line := PlanLine{Signal: Waiting, Points: []PlanPoint{{After: -20 * time.Minute, Value: 10_000}, {After: 0, Value: 50_000}}}
	steps := PlanLine{Signal: AdmissionRate, Points: []PlanPoint{{After: 0, Value: 200}, {After: 2 * time.Minute, Value: 400}, {After: 4 * time.Minute, Value: 800}}}
	for _, tc := range []struct {
		line  *PlanLine
		after time.Duration
		want  float64
		ok    bool
	}{
		{&line, -21 * time.Minute, 0, false},
		{&line, -20 * time.Minute, 10_000, true},
		{&line, -5 * time.Minute, 40_000, true},
		{&line, 0, 50_000, true},
		{&line, time.Second, 0, false},
		{&steps, -time.Second, 0, false},
		{&steps, 119 * time.Second, 200, true},
		{&steps, 2 * time.Minute, 400, true},
		{&steps, time.Hour, 800, true},
	} {
		if got, ok := tc.line.At(tc.after); got != tc.want || ok != tc.ok {
			t.Errorf("%s at %s is %v, %v; want %v, %v", tc.line.Signal, tc.after, got, ok, tc.want, tc.ok)
		}
	}
	now := opens.Add(-10 * time.Minute)
	st := lit(t, func(s *Sale) { s.Plan.Lines = []PlanLine{line, steps} }, now, map[Signal]float64{Waiting: 39_300, AdmissionRate: 0})
	if p := st.Plan[0]; !p.Has || p.Value != 30_000 || p.Ratio != 1.31 || !p.At.Equal(now) {
		t.Errorf("waiting is planned as %+v", p)
	}
	if p := st.Plan[1]; p.Has || p.Next != 200 || !p.NextAt.Equal(opens) {
		t.Errorf("admission is planned as %+v", p)
	}
}

func TestHowManyWillWaitAtTheOpeningIsForetold(t *testing.T) {
	s := newShop(newNight(t, opens.Add(-20*time.Minute), quay(t)))
	s.joining, s.waiting, s.left = 2100, 48_310-2100*(8+41.0/60), 58_000
	s.run(8*time.Minute + 41*time.Second)
	f := s.n.state().Forecast.AtOpen
	near(t, "who wait at the opening", f.Value, 72_078, 200)
	if !f.Has || !(f.Low < f.Value && f.Value < f.Most) {
		t.Errorf("%+v", f)
	}
	if got := s.n.state().AheadText(s.n.now); !strings.HasPrefix(got, "~72,100 at open for 58,000 tickets") {
		t.Errorf("ahead %q", got)
	}
}

func TestAQueueLongBeforeItsTimeIsSaid(t *testing.T) {
	for _, tc := range []struct {
		before  time.Duration
		waiting float64
		want    string
	}{
		{40 * time.Minute, 1240, "~1,240 wait already, 40:00 before the pre-queue"},
		{4 * time.Minute, 1240, ""},
		{40 * time.Minute, 0, ""},
	} {
		st := lit(t, func(*Sale) {}, opens.Add(-time.Hour-tc.before), map[Signal]float64{Waiting: tc.waiting})
		got := ""
		for _, n := range st.Notes {
			got = n.Text
		}
		if got != tc.want {
			t.Errorf("%s before, %v waiting: %q, want %q", tc.before, tc.waiting, got, tc.want)
		}
	}
}

func TestNothingIsForetoldFromTooFewMinutes(t *testing.T) {
	s := newShop(newNight(t, opens, quay(t)))
	s.joining, s.admit, s.limit, s.waiting, s.left = 260, 400, 400, 20_000, 10_000
	s.run(3 * time.Minute)
	f := s.n.state().Forecast
	for _, w := range []When{f.SellOut, f.Drain} {
		if w.Has || w.Why == "" {
			t.Errorf("after three minutes: %+v", w)
		}
	}
	s.run(6*time.Minute + 10*time.Second) // the ninth minute is closed once its last sample can have been read
	if f = s.n.state().Forecast; !f.SellOut.Has || f.SellOut.Low.After(f.SellOut.At) || f.SellOut.High.Before(f.SellOut.At) {
		t.Errorf("after nine: %+v", f.SellOut)
	}
}

func TestTimeAloneChangesNoOutlook(t *testing.T) {
	s := theMainSale(t, 12_400, 20_000)
	before := s.n.state()
	s.n.pass(2 * time.Second)
	if s.n.state() != before {
		t.Error("two seconds without a reading made another state")
	}
}
