package sale

import (
	"math"
	"testing"
	"time"
)

// quay is a sale with all that an outlook follows from, read by the harbour's two sources.
func quay(t tester) *Sale {
	fast, slow := every(5*time.Second), Cadence{Period: time.Minute, Delay: 2 * time.Minute}
	selling := []Phase{Opening, Live}
	return &Sale{
		ID: "harbour", Name: "Lantern Choir", Opens: opens, Prequeue: opens.Add(-time.Hour), Closes: opens.Add(4 * time.Hour), Tickets: 14_600,
		Plan: Plan{Ramp: []float64{0.25, 0.5, 1}, RampEvery: 2 * time.Minute},
		Signals: []Spec{
			{Signal: Waiting, Label: "waiting", Unit: Users, Source: "metrics", Cadence: fast, Estimate: true, Needed: append([]Phase{Prequeue}, selling...)},
			{Signal: InflowRate, Label: "inflow", Unit: PerMinute, Source: "metrics", Cadence: fast},
			{Signal: AdmissionRate, Label: "admitted", Unit: PerMinute, Source: "metrics", Cadence: fast, Needed: selling},
			{Signal: AdmissionLimit, Label: "rate limit", Unit: PerMinute, Source: "metrics", Cadence: fast},
			{Signal: ActiveUsers, Label: "active", Unit: Users, Source: "metrics", Cadence: fast, Of: ActiveLimit, Needed: selling},
			{Signal: ActiveLimit, Label: "active limit", Unit: Users, Constant: constant(6000)},
			{Signal: PaymentFailureRatio, Label: "declines", Unit: Ratio, Source: "metrics", Cadence: fast, Rules: Rules{Bad: always(t, "> 5% for 1m", Ratio)}},
			{Signal: TicketsLeft, Label: "left", Unit: Tickets, Source: "metrics", Cadence: fast, Needed: append([]Phase{Tail}, selling...)},
			{Signal: DBConnections, Label: "db conns", System: "RDS", Unit: Count, Source: "aws", Cadence: slow, Of: DBConnectionsMax, Needed: selling},
			{Signal: DBConnectionsMax, Label: "db max", Unit: Count, Constant: constant(2000)},
		},
	}
}

// shop moves the quay's platform by its own law, second by second: people stay six minutes on
// average, each that leaves took each tickets, a person costs per connections beside the idle ones.
type shop struct {
	n                        *night
	admit, limit, joining    float64 // a minute
	session, each, idle, per float64
	waiting, active, left    float64
	declines                 float64
	leak                     float64         // connections that nobody on the site has
	mute                     map[Signal]bool // not read
	past                     []float64       // connections, second by second
}

func newShop(n *night) *shop {
	return &shop{n: n, session: 6, each: 0.3060 * 2.40, idle: 120, per: 1720.0 / 4800, mute: map[Signal]bool{}}
}

// step moves the platform on by a second.
func (s *shop) step() (admitted float64) {
	in := min(s.admit/60, s.waiting)
	out := s.active / (60 * s.session)
	s.waiting += s.joining/60 - in
	s.active += in - out
	s.left = max(0, s.left-s.each*out)
	s.past = append(s.past, s.idle+s.leak+s.per*s.active)
	return in
}

// run lets time pass and polls each source on its cadence.
func (s *shop) run(d time.Duration) {
	s.n.t.Helper()
	for range int(d / time.Second) {
		in := s.step()
		s.n.now = s.n.now.Add(time.Second)
		now := s.n.now
		if now.Unix()%5 == 0 {
			var all []Reading
			for _, r := range []Reading{
				at(now, Waiting, math.Round(s.waiting)), at(now, InflowRate, s.joining), at(now, AdmissionRate, in*60), at(now, AdmissionLimit, s.limit),
				at(now, ActiveUsers, s.active), at(now, TicketsLeft, s.left), at(now, PaymentFailureRatio, s.declines),
			} {
				if !s.mute[r.Signal] {
					all = append(all, r)
				}
			}
			s.n.poll("metrics", all...)
		}
		if now.Unix()%60 == 0 && len(s.past) > 120 && !s.mute[DBConnections] {
			mean := 0.0 // of the minute that the stamp begins
			for i := range 12 {
				mean += s.past[len(s.past)-121+5*i] / 12
			}
			s.n.poll("aws", at(now.Add(-2*time.Minute), DBConnections, mean))
		}
	}
}

// theMainSale is the sale of the sums: a ramp to 800 a minute, people who stay six minutes, and
// 50 minutes later as many waiting and as many tickets as asked for.
func theMainSale(t testing.TB, waiting, left float64) *shop {
	t.Helper()
	play := func(s *shop, run func(time.Duration)) {
		s.joining, s.admit, s.limit = 260, 400, 400
		run(4 * time.Minute)
		s.admit, s.limit = 800, 800
		run(46 * time.Minute)
	}
	dry := newShop(nil)
	dry.waiting, dry.left = 1e6, 1e6
	play(dry, func(d time.Duration) {
		for range int(d / time.Second) {
			dry.step()
		}
	})
	s := newShop(newNight(t, opens, quay(t)))
	s.waiting, s.left = waiting+1e6-dry.waiting, left+1e6-dry.left
	play(s, s.run)
	return s
}

func near(t testing.TB, what string, got, want, within float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > within {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func (n *night) entries() []*saleEntry { return n.Store.engine.sales }
