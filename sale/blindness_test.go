package sale

import (
	"slices"
	"testing"
	"time"
)

func TestANeededSignalThatGoesStaleMakesTheSaleUnknown(t *testing.T) {
	n := newNight(t, live)
	n.healthy()
	n.want(OK)
	if st := n.state(); st.Needed != 3 || st.NeededLive != 3 || len(st.Reasons) != 0 {
		t.Errorf("%d of %d, reasons %q", st.NeededLive, st.Needed, texts(st))
	}
	n.pass(15 * s)
	n.want(OK)
	n.pass(1)
	n.want(Unknown)
	n.wantReasons("3 of 3 needed signals missing: admitted, orders, left (metrics: no new sample)")
	st := n.state()
	if !st.Since.Equal(n.now) || !st.Reasons[0].Since.Equal(live.Add(15*s)) || st.NeededLive != 0 {
		t.Errorf("since %s, reason %+v, %d live", st.Since, st.Reasons[0], st.NeededLive)
	}
	if k := n.signal(AdmissionRate); k.Freshness != Stale || k.Verdict != Unknown || k.Value != 400 || k.Age(n.now) != 15*s+1 {
		t.Errorf("the stale signal is %+v", k)
	}
}

func TestASignalThatIsNotNeededMayBeStale(t *testing.T) {
	n := newNight(t, live)
	n.healthy()
	n.pass(10 * s)
	n.poll("metrics", at(n.now, AdmissionRate, 400), at(n.now, OrderRate, 120), at(n.now, TicketsLeft, 7000))
	n.pass(10 * s)
	n.want(OK)
	if k := n.signal(PaymentFailureRatio); k.Freshness != Stale || k.Verdict != Unknown {
		t.Errorf("it does not show: %+v", k)
	}
}

func TestBadOutranksUnknownAndUnknownOutranksWatch(t *testing.T) {
	n := newNight(t, live)
	n.run(PaymentFailureRatio, append(repeat(0.01, 2), repeat(0.04, 4)...)...)
	n.want(Watch)
	n.now = n.now.Add(16 * s)
	n.poll("metrics", at(n.now.Add(-11*s), PaymentFailureRatio, 0.04), at(n.now.Add(-6*s), PaymentFailureRatio, 0.04), at(n.now, PaymentFailureRatio, 0.04))
	n.want(Unknown)
	n.wantReasons("3 of 3 needed signals missing: admitted, orders, left (metrics: no new sample)", "declines 4.0 % > 3.0 % for 31 s")
	for range 8 {
		n.now = n.now.Add(5 * s)
		n.poll("metrics", at(n.now, PaymentFailureRatio, 0.06))
	}
	n.want(Bad)
	n.wantReasons("declines 6.0 % > 5.0 % for 35 s", "3 of 3 needed signals missing: admitted, orders, left (metrics: no new sample)")
}

func TestASignalThatWentStaleIsTrustedWithItsSecondSample(t *testing.T) {
	n := newNight(t, live)
	n.healthy()
	n.pass(time.Minute)
	n.want(Unknown)
	n.healthy()
	n.want(Unknown)
	n.wantReasons("just back, one more sample proves it: admitted, orders, left (metrics)")
	n.pass(5 * s)
	n.healthy()
	n.want(OK)
	// A source that fills the gap proves itself at once.
	n.pass(time.Minute)
	n.want(Unknown)
	var filled []Reading
	for _, signal := range []Signal{AdmissionRate, OrderRate, TicketsLeft} {
		filled = append(filled, at(n.now, signal, 5000), at(n.now.Add(-5*s), signal, 5000))
	}
	n.poll("metrics", filled...)
	n.want(OK)
}

func TestASourceThatAnswersOnceInAWhileDoesNotMakeTheVerdictFlap(t *testing.T) {
	n := newNight(t, live)
	n.healthy()
	changes, last := 0, n.state().Verdict
	for range 60 {
		n.pass(10 * s)
		n.pass(10 * s)
		n.healthy()
		if v := n.state().Verdict; v != last {
			changes, last = changes+1, v
		}
	}
	if changes != 1 || last != Unknown {
		t.Errorf("the verdict changed %d times, to %s", changes, last)
	}
}

func TestASaleThatNeedsNothingIsOKWhileSomethingIsSeen(t *testing.T) {
	for _, tt := range []struct {
		phase Phase
		now   time.Time
	}{{Scheduled, opens.Add(-5 * time.Hour)}, {Closed, opens.Add(5 * time.Hour)}} {
		n := newNight(t, tt.now)
		if got := n.state().Phase; got != tt.phase {
			t.Fatalf("phase %s", got)
		}
		n.want(Unknown)
		n.wantReasons("none of 4 signals is known (metrics: not read yet)", "none of 1 signals is known (aws: not read yet)")
		n.fail("metrics", Problem{Class: Auth, Text: "401 Unauthorized"})
		n.wantReasons("none of 4 signals is known (metrics: 401 Unauthorized)", "none of 1 signals is known (aws: not read yet)")
		n.poll("metrics")
		n.wantReasons("none of 4 signals is known (metrics: it answers without them)", "none of 1 signals is known (aws: not read yet)")
		n.healthy()
		n.want(OK)
		n.pass(time.Hour)
		n.want(Unknown)
	}
}

func TestASaleThatNothingIsReadForIsUnknown(t *testing.T) {
	n := newNight(t, live, &Sale{ID: "harbour", Opens: opens, Signals: []Spec{{Signal: DBConnectionsMax, Constant: constant(5)}}})
	n.want(Unknown)
	n.wantReasons("no signal of this sale is read from anywhere")
}

func TestARatioRuleIsJudgedByTheLimitInForceAtThatTime(t *testing.T) {
	sale := &Sale{ID: "harbour", Opens: opens, Signals: []Spec{
		{
			Signal: ActiveUsers, Label: "active", Unit: Users, Source: "metrics", Cadence: every(5 * s), Of: ActiveLimit, Needed: []Phase{Live},
			Estimate: true, Rules: Rules{Watch: always(t, "> 80% of active_limit", Users)},
		},
		{Signal: ActiveLimit, Label: "limit", Unit: Users, Source: "metrics", Cadence: every(5 * s)},
	}}
	n := newNight(t, live, sale)
	n.poll("metrics", at(live, ActiveUsers, 900))
	n.want(Unknown)
	n.wantReasons("active can't be judged: limit is not known")
	if k := n.signal(ActiveUsers); sameNumber(k.Ratio, 0.9) || k.Verdict != Unknown {
		t.Errorf("without its limit: %+v", k)
	}
	// The limit is read a second later than what it limits.
	n.poll("metrics", at(live.Add(s), ActiveLimit, 1000))
	n.want(Watch)
	n.wantReasons("active 90 % > 80 % of limit")
	if k := n.signal(ActiveUsers); k.Ratio != 0.9 || k.Breach.Value != 0.9 {
		t.Errorf("ratio %v, breach %+v", k.Ratio, k.Breach)
	}
	// A higher limit from later on does not change what was true before.
	n.now = live.Add(4 * s)
	n.poll("metrics", at(live.Add(4*s), ActiveLimit, 3000))
	if k := n.signal(ActiveUsers); k.Ratio != 0.9 {
		t.Errorf("ratio %v", k.Ratio)
	}
	n.now = live.Add(5 * s)
	n.poll("metrics", at(live.Add(5*s), ActiveUsers, 1200))
	if k := n.signal(ActiveUsers); k.Ratio != 0.4 {
		t.Errorf("ratio %v", k.Ratio)
	}
	// The earlier limit is revised: the past is judged again.
	n.poll("metrics", at(live.Add(s), ActiveLimit, 2000))
	n.want(OK)
	// A limit of zero is no limit that anything can be compared with.
	n.now = live.Add(10 * s)
	n.poll("metrics", at(n.now, ActiveLimit, 0), at(n.now, ActiveUsers, 10))
	n.want(Unknown)
	n.now = live.Add(15 * s)
	n.poll("metrics", at(n.now, ActiveLimit, 1000), at(n.now, ActiveUsers, 10))
	n.want(OK)
	// The limit's source is gone for more than its three periods.
	for range 5 {
		n.now = n.now.Add(4 * s)
		n.poll("metrics", at(n.now, ActiveUsers, 10))
	}
	n.want(Unknown)
	n.wantReasons("active can't be judged: limit is not known")
}

// CloudWatch's figures are minutes old when they come. Until the limit is read from elsewhere, the
// figures' own source is not to blame, and nothing has been dark for as long as they are old.
func TestALimitThatIsNotReadYetIsItsOwnSourcesFault(t *testing.T) {
	sale := &Sale{ID: "harbour", Opens: opens, Signals: []Spec{
		{Signal: DBConnections, Label: "db", Source: "aws", Cadence: Cadence{Period: time.Minute, Delay: 2 * time.Minute}, Of: DBConnectionsMax, Needed: []Phase{Live}, Rules: Rules{Watch: always(t, "> 80% of db_connections_max for 1m", Count)}},
		{Signal: DBConnectionsMax, Label: "db max", Source: "metrics", Cadence: Cadence{Period: 10 * s, Delay: 5 * time.Minute}},
	}}
	n := newNight(t, live, sale)
	n.poll("aws", at(live.Add(-4*time.Minute), DBConnections, 100), at(live.Add(-3*time.Minute), DBConnections, 100), at(live.Add(-2*time.Minute), DBConnections, 100))
	n.want(Unknown)
	n.wantReasons("db can't be judged: db max is not known")
	if c := n.state().Cause; c.Source != "metrics" || c.Since.Before(live) {
		t.Errorf("the cause is %+v", c)
	}
	if b := n.board(); len(b.Active) != 0 {
		t.Errorf("alarms at the first look: %+v", b.Active)
	}
	n.poll("metrics", at(live, DBConnectionsMax, 1000))
	n.want(OK)
	if b := n.board(); len(b.Active) != 0 {
		t.Errorf("alarms once the limit is known: %+v", b.Active)
	}
}

func TestALimitThatIsReadLateIsKnownForWhatItLimits(t *testing.T) {
	sale := &Sale{ID: "harbour", Opens: opens, Signals: []Spec{
		{Signal: ActiveUsers, Unit: Users, Source: "metrics", Cadence: every(5 * s), Of: ActiveLimit, Needed: []Phase{Live}, Rules: Rules{Watch: always(t, "> 80% of active_limit", Users)}},
		{Signal: ActiveLimit, Unit: Users, Source: "metrics", Cadence: every(5 * s)},
	}}
	n := newNight(t, live, sale)
	n.poll("metrics", at(live, ActiveLimit, 1000), at(live, ActiveUsers, 10))
	n.now = live.Add(20 * s)
	n.poll("metrics", at(n.now, ActiveUsers, 900), at(n.now.Add(-5*s), ActiveUsers, 10), at(n.now.Add(-10*s), ActiveUsers, 10))
	n.want(Unknown)
	n.now = n.now.Add(s)
	n.poll("metrics", at(n.now, ActiveLimit, 1000))
	n.want(Watch)
}

func TestARatioAgainstADeclaredConstantIsAlwaysKnown(t *testing.T) {
	n := newNight(t, live)
	n.healthy()
	base := n.now.Add(-2 * time.Minute)
	n.poll("aws", at(base.Add(-2*time.Minute), DBConnections, 1840), at(base.Add(-time.Minute), DBConnections, 1840), at(base, DBConnections, 1840))
	n.want(Watch)
	n.wantReasons("db conns 92 % > 80 % of db max for 2:00")
	if k := n.signal(DBConnections); k.Ratio != 0.92 {
		t.Errorf("ratio %v", k.Ratio)
	}
	if k := n.signal(DBConnectionsMax); k.Age(n.now.Add(time.Hour)) != 0 || k.FreshnessAt(n.now.Add(1000*time.Hour)) != Fresh || k.Spec.Source != "" {
		t.Errorf("the constant ages: %+v", k)
	}
}

func TestAReasonNamesAtMostSixSignals(t *testing.T) {
	sale := &Sale{ID: "harbour", Opens: opens}
	for _, m := range Standard()[:11] {
		sale.Signals = append(sale.Signals, Spec{Signal: m.Signal, Label: m.Label, Unit: m.Unit, Source: "metrics", Cadence: every(5 * s), Needed: []Phase{Live}})
	}
	n := newNight(t, live, sale)
	n.wantReasons("11 of 11 needed signals missing: waiting, inflow, admitted, rate limit, active and 6 more (metrics: not read yet)")
}

func TestALongProblemIsCutInsideAReason(t *testing.T) {
	n := newNight(t, live)
	n.fail("metrics", Problem{Class: Unreachable, Text: string(slices.Repeat([]byte("x"), 400))})
	if got := n.state().Reasons[0].Text; len(got) > 160 {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}

func TestFreshnessIsMeasuredByTheSourcesOwnCadence(t *testing.T) {
	c := Cadence{Period: 20 * s, Delay: 10 * s}
	tests := []struct {
		age  time.Duration
		want Freshness
	}{
		{-time.Hour, Fresh}, {0, Fresh}, {40 * s, Fresh}, {40*s + 1, Late}, {70 * s, Late}, {70*s + 1, Stale}, {10000 * time.Hour, Stale},
	}
	for _, tt := range tests {
		if got := c.Freshness(live, live.Add(tt.age)); got != tt.want {
			t.Errorf("at an age of %s it is %s, want %s", tt.age, got, tt.want)
		}
	}
	if got := c.Freshness(time.Time{}, live); got != NoData {
		t.Errorf("without a sample it is %s", got)
	}
}

func TestTheNextChangeOfFreshnessIsFoundExactly(t *testing.T) {
	for _, c := range []Cadence{{}, every(s), {Period: time.Minute, Delay: 2 * time.Minute}, {Period: 1, Delay: -5}} {
		now, changes := live, 0
		for {
			next := c.nextFreshness(live, now)
			if next.IsZero() {
				break
			}
			if c.Freshness(live, next) == c.Freshness(live, next.Add(-1)) {
				t.Errorf("%+v: nothing changes at %s", c, next)
			}
			now = next
			changes++
		}
		if changes != 2 {
			t.Errorf("%+v changes %d times", c, changes)
		}
	}
}

func TestWorstComesFirst(t *testing.T) {
	make := func(id ID, v Verdict, p Phase, opensIn time.Duration) *State {
		return &State{Sale: &Sale{ID: id, Opens: opens.Add(opensIn)}, Verdict: v, Phase: p}
	}
	states := []*State{
		make("ok", OK, Live, 0), make("watch", Watch, Live, 0), make("later", Bad, Live, time.Hour), make("scheduled", Bad, Scheduled, -time.Hour),
		make("b", Bad, Opening, 0), make("a", Bad, Live, 0), make("unknown", Unknown, Tail, 0), make("odd", "sideways", Live, 0),
	}
	SortWorstFirst(states)
	var got []ID
	for _, st := range states {
		got = append(got, st.Sale.ID)
	}
	if want := []ID{"a", "b", "later", "scheduled", "odd", "unknown", "watch", "ok"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
