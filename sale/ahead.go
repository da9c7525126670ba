package sale

import (
	"fmt"
	"math"
	"time"

	"github.com/onsale-dev/onsale/sale/forecast"
)

// lookAhead works out a state's plan, limits, safe admission and forecast. It runs at each
// judgement, after the verdict. The rates behind it change once a minute; what is done here
// is bounded: three walks of at most 180 steps.
func (s *saleEntry) lookAhead(st *State, now time.Time) {
	s.lookBack()
	st.Plan = s.planned(st, now)
	s.limits(st)
	s.safeAdmission(st)
	s.forecast(st)
}

// known is what a state knows of a signal; nil when the sale does not declare it.
func (s *saleEntry) known(st *State, name Signal) *Known {
	sl := s.bySignal[name]
	if sl == nil {
		return nil
	}
	return &st.Signals[sl.index]
}

// seen is a signal's reading when it can be gone by; why says why it can't. The reading is never
// nil; one that is not declared has no Spec.
func (s *saleEntry) seen(st *State, name Signal) (k *Known, why string) {
	k = s.known(st, name)
	if k == nil {
		return &Known{}, string(name) + " is not declared"
	}
	return k, k.unseen()
}

// unseen says why a declared signal's reading can't be gone by; "" when it can.
func (k *Known) unseen() string {
	switch {
	case !k.Has:
		return label(k.Spec) + " is not known"
	case k.Freshness == Stale:
		return label(k.Spec) + " is stale"
	}
	return ""
}

func evidenceOf(ks ...*Known) []Evidence {
	all := make([]Evidence, 0, len(ks)+2)
	for _, k := range ks {
		all = append(all, Evidence{Signal: k.Spec.Signal, At: k.At})
	}
	return all
}

func (s *saleEntry) forecast(st *State) {
	f := &st.Forecast
	l := &s.look
	paused := st.Paused()
	if before := st.Phase == Scheduled || st.Phase == Prequeue; before || st.Phase == Closed {
		why := "the doors are not open"
		if st.Phase == Closed {
			why = "the sale is closed"
		}
		f.SellOut.Why, f.Drain.Why, f.Limit.Why, f.Wait.Why, f.Serve.Why = why, why, why, why, why
		s.atOpen(st, before)
		return
	}
	f.AtOpen.Why = "the doors are open"
	c, why := s.course(st)
	switch {
	case paused:
		f.Limit.Why = "admission is paused"
		f.Wait.Why = "none while paused"
		s.afterResume(st)
	case why != "":
		f.SellOut.Why, f.Drain.Why, f.Limit.Why, f.Wait.Why = why, why, why, why
		s.sellOutAlone(st)
	default:
		s.goOn(st, &c)
		s.untilLimit(st)
	}
	s.serve(st, &c, why == "" && !paused)
	if l.end == 0 {
		f.Serve.Why = "no closed minute yet"
	}
}

// Paused reports whether nobody is let in because somebody said so: queue_all is on, or the gate's
// limit is 0.
func (st *State) Paused() bool {
	for _, n := range st.Notes {
		if n.Code == "queue_all" {
			return true
		}
	}
	k, ok := st.Signal(AdmissionLimit)
	return ok && k.unseen() == "" && k.Value == 0
}

// goOn forecasts sell-out, drain and wait for admission as it is.
func (s *saleEntry) goOn(st *State, c *course) {
	f := &st.Forecast
	l := &s.look
	waiting, noQueue := s.seen(st, Waiting)
	left, noStock := s.seen(st, TicketsLeft)
	joining := l.joining
	queued := noQueue == "" && joining.OK
	if queued {
		c.site.Queue = waiting.Value
	}
	var ways [3]forecast.Course
	for i, way := range c.ways {
		ways[i] = c.walk(way, joining)
	}
	switch {
	case noStock != "":
		f.SellOut.Why = noStock
	case l.each == 0:
		s.sellOutAlone(st)
	default:
		f.SellOut = when(left.At, ways[0].SoldOut, ways[1].SoldOut, ways[2].SoldOut, c.horizon, "sell-out")
	}
	switch {
	case noQueue != "":
		f.Drain.Why = noQueue
	case !joining.OK:
		f.Drain.Why = "how many join is not known yet"
	default:
		f.Drain = when(waiting.At, ways[0].Drained, ways[1].Drained, ways[2].Drained, c.horizon, "drain")
		if grows := joining.At(mostHorizon) - c.rate(c.horizon); !f.Drain.Has && grows > 0 {
			f.Drain.Never, f.Drain.Grows, f.Drain.Why = true, grows, ""
		}
	}
	f.Wait.Why = noQueue
	if noQueue == "" {
		f.Wait = Span{Has: true, Value: c.untilLetIn(waiting.Value, 1), Low: c.untilLetIn(waiting.Value, c.ways[1].admitted), Most: c.untilLetIn(waiting.Value, c.ways[2].admitted)}
		doubt := time.Duration(leastDoubt * float64(f.Wait.Value)) // a full site lets in as many in each of the ways
		f.Wait.Low, f.Wait.Most = min(f.Wait.Low, f.Wait.Value-doubt), max(f.Wait.Most, f.Wait.Value+doubt)
	}
}

// untilLetIn is how long somebody waits behind so many people, at so many times the admission: as the
// gate's plan and the room on the site let them in, and beyond the longest horizon as they do then.
func (c *course) untilLetIn(ahead, times float64) time.Duration {
	site := c.site
	site.Queue, site.Stock, site.Full = ahead, 0, 0 // the walk ends when they are in, whatever is sold by then
	site.Admitted = func(m float64) float64 { return c.rate(m) * times }
	site.Joining = func(float64) float64 { return 0 }
	if walk := site.Walk(mostHorizon); !math.IsInf(walk.Drained, 1) {
		return minutesLong(walk.Drained)
	}
	site.Stock = math.Inf(1)
	walk := site.Walk(mostHorizon)
	return minutesLong(mostHorizon + (ahead-walk.Served)/(c.rate(mostHorizon)*times))
}

// sellOutAlone forecasts the sell-out from the stock alone, where what people take is not known.
func (s *saleEntry) sellOutAlone(st *State) {
	f := &st.Forecast
	left, why := s.seen(st, TicketsLeft)
	switch {
	case why != "":
		f.SellOut.Why = why
		return
	case left.Value == 0:
		f.SellOut = When{Has: true, At: left.At, Low: left.At, High: left.At}
		return
	case !s.look.taken.OK:
		f.SellOut.Why = fmt.Sprintf("%s needs %d closed minutes, has %d", label(left.Spec), forecast.Least+1, s.look.taken.N)
		return
	}
	taken := s.look.taken
	horizon := math.Min(horizonPer*float64(taken.N), mostHorizon)
	doubt := math.Hypot(sigmas*taken.Spread(10)/math.Max(taken.Level, 1), leastDoubt)
	gone := taken.Spent([3]float64{left.Value, left.Value / (1 + doubt), left.Value / math.Max(0, 1-doubt)}, horizon)
	f.SellOut = when(left.At, gone[0], gone[1], gone[2], horizon, "sell-out")
}

// when turns minutes from an instant into a forecast.
func when(from time.Time, best, quick, slow, horizon float64, what string) When {
	if math.IsInf(best, 1) {
		return When{Why: fmt.Sprintf("no %s within %.0f min, and further nothing tells", what, horizon)}
	}
	w := When{Has: true, At: from.Add(minutesLong(best)), Low: from.Add(minutesLong(math.Min(quick, best-leastRange)))}
	if !math.IsInf(slow, 1) {
		w.High = from.Add(minutesLong(math.Max(slow, best+leastRange)))
	}
	return w
}

// leastRange is the least that a range reaches to each side, in minutes: what is read of a queue is
// itself half a minute old.
const leastRange = 0.75

// minutesLong is a time span of some minutes, at most a year.
func minutesLong(m float64) time.Duration {
	return time.Duration(math.Min(math.Max(m, 0), 365*24*60) * float64(time.Minute))
}

// serve sets the stock against the queue: of those who wait, the tickets that are left serve
// stock / tickets per person. People who are on the site already come first, so it is an upper
// bound of whom it serves, and what it says will miss is a lower one.
func (s *saleEntry) serve(st *State, c *course, goesOn bool) {
	f := &st.Forecast
	left, noStock := s.seen(st, TicketsLeft)
	waiting, noQueue := s.seen(st, Waiting)
	switch {
	case noStock != "":
		f.Serve.Why = noStock
		return
	case noQueue != "":
		f.Serve.Why = noQueue
		return
	case s.look.each == 0:
		f.Serve.Why = "what a person takes is not known yet"
		return
	}
	f.Serve = Serve{Has: true, Left: left.Value, Waiting: waiting.Value, PerPerson: s.look.each, Served: left.Value / s.look.each}
	switch {
	case f.Serve.Served < waiting.Value:
		f.Serve.Miss = waiting.Value - f.Serve.Served
	case goesOn && f.SellOut.Has && (!f.Drain.Has || f.Drain.At.After(f.SellOut.At)) && s.look.joining.OK:
		f.Serve.Joining = true
		f.Serve.Miss = c.walk(c.ways[0], s.look.joining).Waiting
	}
}

// atOpen forecasts how many will wait when the doors open.
func (s *saleEntry) atOpen(st *State, before bool) {
	f := &st.Forecast.AtOpen
	k, why := s.seen(st, Waiting)
	minutes := s.sale.Opens.Sub(k.At).Minutes()
	switch {
	case !before:
		f.Why = "the doors are open"
	case why != "":
		f.Why = why
	case st.Phase == Scheduled:
		f.Why = "nobody is expected before the pre-queue opens"
	case !s.look.joining.OK:
		f.Why = "how many join is not known yet"
	case minutes > horizonPer*float64(s.look.joining.N):
		f.Why = "the doors open too far ahead to say"
	default:
		j := s.look.joining
		doubt := math.Hypot(sigmas*j.Spread(minutes)/math.Max(j.Level, 1), leastDoubt)
		more := minutes * math.Max(0, j.Level)
		*f = AtOpen{Has: true, Value: k.Value + more, Low: k.Value + more*math.Max(0, 1-doubt), Most: k.Value + more*(1+doubt)}
	}
}

// untilLimit forecasts the first limit that admission as it is fills, of those that people on the
// site use up.
func (s *saleEntry) untilLimit(st *State) {
	f := &st.Forecast
	var first *Limit
	for i := range st.Limits {
		if l := &st.Limits[i]; !l.HitAt.IsZero() && (first == nil || l.HitAt.Before(first.HitAt)) {
			first = l
		}
	}
	if first == nil {
		f.Limit.Why = "no limit is filled at this admission"
		if !st.SafeAdmission.Has {
			f.Limit.Why = st.SafeAdmission.Why
		}
		return
	}
	f.LimitName = first.Name
	f.Limit = When{Has: true, At: first.HitAt, Low: first.HitAt}
	active, why := s.seen(st, ActiveUsers)
	rate, none := s.admitting(st)
	session := s.session().Minutes()
	if why != "" || none != "" || session <= 0 {
		return
	}
	full := s.fullAt(st, first)
	doubt := math.Hypot(sigmas*s.look.admitted.Spread(10)/rate, leastDoubt)
	f.Limit.Low = active.At.Add(minutesLong(forecast.Reach(active.Value, rate*(1+doubt), session, full)))
	if slow := forecast.Reach(active.Value, rate*(1-math.Min(doubt, 0.9)), session, full); isFinite(slow) {
		f.Limit.High = active.At.Add(minutesLong(slow))
	}
}

// fullAt is how many people on the site fill a limit.
func (s *saleEntry) fullAt(st *State, l *Limit) float64 {
	switch l.Name {
	case LimitDatabase:
		load := s.look.load
		load.Idle += s.look.excess
		return load.People(s.known(st, DBConnectionsMax).Value)
	case LimitActive:
		return s.known(st, ActiveLimit).Value
	default:
		return l.Safe * s.session().Minutes()
	}
}
