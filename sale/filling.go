package sale

import (
	"fmt"
	"math"

	"github.com/onsale-dev/onsale/sale/forecast"
)

// bound says what a limit of people on the site means for admission, by Little's law.
func (s *saleEntry) bound(l *Limit, people float64) {
	session := s.session().Minutes()
	if session <= 0 {
		l.Why = "how long people stay is not known yet: it is measured when admission is steady, or declared under plan"
		return
	}
	l.Bounds, l.Safe = true, math.Max(0, people/session)
}

// fills says when admission as it is brings full people to the site, the number that fills a limit, or why nothing
// tells that. There is no time where the people who are to come are not there, where the gate's ceiling
// stops them before, and where the level that they come to lies so near the limit that the slow end of
// the range never gets there: people come to their level as 1 − e^(−t/W), so near it each percent of the
// level moves the time without bound, and chance decides. Of the forecasts that came true in spite of that, half
// were off by 124 % in the back-test of docs/accuracy.md.
func (s *saleEntry) fills(st *State, l *Limit, full float64) {
	session := s.session().Minutes()
	active, why := s.seen(st, ActiveUsers)
	rate, none := s.admitting(st)
	if session <= 0 || why != "" || none != "" || !(full > 0) || st.Paused() {
		return
	}
	a := arrival{people: active.Value, rate: rate, session: session, full: full, doubt: math.Hypot(sigmas*s.look.admitted.Spread(10)/rate, leastDoubt), queue: math.Inf(1)}
	if ceiling, none := s.seen(st, ActiveLimit); none == "" && l.Name != LimitActive {
		a.ceiling = ceiling.Value
	}
	if waiting, none := s.seen(st, Waiting); none == "" && s.look.joining.OK {
		a.queue = forecast.Drain(waiting.Value, rate, math.Max(0, s.look.joining.Level))
	}
	m, why := a.minutes()
	switch {
	case why != "":
		l.NotTold = why
	case m[0] <= 0 && l.Name == LimitDatabase: // the people are newer than the connections
		l.NotTold = "the people on the site would fill it by now, but " + Format(l.Ratio, Ratio, false) + " is what was read"
	case isFinite(m[0]):
		l.HitAt, l.HitLow, l.HitHigh = active.At.Add(minutesLong(m[0])), active.At.Add(minutesLong(m[1])), active.At.Add(minutesLong(m[2]))
	}
}

// arrival is people who come to a site until they are as many as fill a limit.
type arrival struct {
	people, rate, session float64 // on the site, let in per minute, minutes that they stay
	full                  float64
	ceiling               float64 // people on the site above whom the gate lets nobody in; 0: none
	queue                 float64 // minutes for which somebody waits to be let in; +Inf: for ever
	doubt                 float64 // of the rate: the relative half width that holds four of five
}

// minutes are those until the limit is full: the best guess, the soonest and the latest. They are +Inf when it
// never is; why is not "" when nothing tells.
func (a *arrival) minutes() (m [3]float64, why string) {
	for i, rate := range []float64{a.rate, a.rate * (1 + a.doubt), a.rate * (1 - math.Min(a.doubt, 0.9))} {
		m[i] = forecast.Reach(a.people, rate, a.session, a.full)
	}
	switch {
	case m[0] <= 0:
	case a.ceiling > 0 && a.full > a.ceiling:
		return never(), ""
	case m[0] > a.queue: // then only as many are let in as join
		return never(), ""
	case math.IsInf(m[1], 1):
	case math.IsInf(m[2], 1):
		return never(), "the level that this admission comes to lies too near the limit to tell when"
	}
	return m, ""
}

func never() [3]float64 { return [3]float64{math.Inf(1), math.Inf(1), math.Inf(1)} }

// connectionCost is what people on the site cost of the database's connections, by the closed minutes in which both
// are known, and what it rests on.
type connectionCost struct {
	load   forecast.Load
	excess float64 // connections of now that no visitor explains: a leak, or hosts that were started since
	open   int     // of the minutes, those since the doors opened
	most   float64 // the most people in one of them
	newest int     // of the last three minutes, those that are known
	off    float64 // how far they lie from the line, as a share of what it says
}

// What it takes to tell when connections are used up. A person's cost is fitted to minutes, the connections
// being the highest of a minute (CloudWatch's Maximum, the statistic to alarm on) and the people its mean. While a
// site fills, the highest is that of the minute's end, and a person seems to cost up to six times as much. So each
// of 104 forecasts of the first six minutes was wrong in the back-test (sale/backtest_site_test.go), and 200 more
// took the database for full. After a mean stay a site holds 1 − 1/e of its people (forecast.PeopleAfter), and grows
// slowly enough for mean and highest to be nearly one.
const (
	// agrees is how far the newest minutes may lie from the line. Where they lie further, something else than
	// people opens connections, or a person costs another number than before.
	agrees = 0.10
	// stretched is how many times the most people that were seen a line may be drawn out to.
	stretched = 1.5
)

// unknown says why what a person costs is not known; "" when it is. session is how many minutes people stay.
func (c *connectionCost) unknown(session float64) string {
	if !c.load.OK {
		return "what a person costs in connections is not known yet: it takes samples at two loads"
	}
	if need := max(forecast.Least, int(math.Min(math.Ceil(session), window))); c.open < need {
		return fmt.Sprintf("what a person costs in connections is not known yet: it takes %d closed minutes since the doors opened, has %d", need, c.open)
	}
	return ""
}

// untold says why nothing tells when so many people are there as use up the connections; "" when it can be told.
func (c *connectionCost) untold(full float64) string {
	switch {
	case c.newest == 0:
		return "what people cost was not read in the newest minutes"
	case math.Abs(c.off) > agrees:
		return "the newest readings lie " + Format(math.Abs(c.off), Ratio, false) + " off what the people on the site cost before"
	case full > stretched*c.most:
		return "it takes " + people(full) + " on the site, and what more than " + people(c.most) + " cost was not seen yet"
	}
	return ""
}

// people is how many people use a number of connections.
func (c *connectionCost) people(connections float64) float64 {
	load := c.load
	load.Idle += c.excess
	return load.People(connections)
}

// loading finds what people on the site cost of the database's connections.
func (s *saleEntry) loading() {
	active := s.bySignal[ActiveUsers]
	if active == nil || s.assessed.rates[DBConnections] == nil {
		return
	}
	c := &s.look.cost
	end := s.closed(ActiveUsers, AdmissionRate, DBConnections)
	people, open := s.minutesOf(ActiveUsers, end, mostMinutes), s.minutesOf(DBConnections, end, mostMinutes)
	c.load = forecast.Line(people, open)
	if last, read := active.ring.last(); !c.load.OK && read {
		// A waiting room tells its people of now alone. Those of before follow from whom it let in.
		people = forecast.Occupied(s.minutesOf(AdmissionRate, end, mostMinutes), s.session().Minutes(), last.value)
		c.load = forecast.Line(people, open)
	}
	if !c.load.OK {
		return
	}
	since := int64(mostMinutes) // with no opening declared, every minute is one of the sale
	if !s.sale.Opens.IsZero() {
		since = end - minuteAt(s.sale.Opens.UnixNano()) - 1
	}
	c.rests(people, open, since)
}

// rests finds what a cost rests on; since is how many whole minutes there are since the doors opened.
func (c *connectionCost) rests(people, open []float64, since int64) {
	var over, shares []float64
	for i := range min(len(people), len(open)) {
		said := c.load.Use(people[i])
		d := open[i] - said
		if math.IsNaN(d) {
			continue
		}
		c.most = math.Max(c.most, people[i])
		if int64(len(open)-i) <= since {
			c.open++
		}
		if i >= len(open)-3 {
			over, shares = append(over, d), append(shares, d/math.Max(said, 1))
		}
	}
	c.newest = len(over)
	if c.newest == 0 {
		return
	}
	c.off = forecast.Median(shares)
	if d := forecast.Median(over); d > math.Max(3*c.load.Sigma, 0.05*c.load.Use(people[len(people)-1])) {
		c.excess = d
	}
}
