package sale

import (
	"math"

	"github.com/onsale-dev/onsale/sale/forecast"
)

// resumed is the rate that a resume would come to, and the steps to it.
func (s *saleEntry) resumed(st *State) (rate func(minute float64) float64, full float64) {
	full = s.look.before
	if safe := st.SafeAdmission; safe.Has {
		full = math.Min(full, safe.PerMinute)
	}
	ramp, every := s.sale.Plan.Ramp, s.sale.Plan.RampEvery.Minutes()
	return func(minute float64) float64 {
		if i := int(minute / math.Max(every, 0.1)); i < len(ramp) {
			return math.Min(full, ramp[i]*s.look.before)
		}
		return full
	}, full
}

// afterResume forecasts what comes when a pause ends, by the declared ramp up to what is safe.
func (s *saleEntry) afterResume(st *State) {
	f := &st.Forecast
	l := &s.look
	rate, full := s.resumed(st)
	waiting, noQueue := s.seen(st, Waiting)
	left, noStock := s.seen(st, TicketsLeft)
	doubt := math.Hypot(sigmas*l.doubt, leastDoubt)
	switch {
	case noStock != "":
		f.SellOut.Why = noStock
	case l.each == 0 || full < 1:
		f.SellOut.Why = "admission is paused, and what a person takes is not known"
	default:
		gone := func(factor float64) float64 {
			site := forecast.Site{Stock: left.Value, Each: l.each * factor, Queue: manyPeople, Admitted: rate, Joining: func(float64) float64 { return 0 }}
			return site.Walk(mostHorizon).SoldOut
		}
		f.SellOut = when(left.At, gone(1), gone(1+doubt), gone(1-math.Min(doubt, 0.9)), mostHorizon, "sell-out")
		f.SellOut.AfterResume, f.SellOut.From = f.SellOut.Has, left.At
	}
	switch {
	case noQueue != "":
		f.Drain.Why = noQueue
	case !l.joining.OK || full < 1:
		f.Drain.Why = "admission is paused, and at what rate it would resume is not known"
	default:
		joining := l.joining.At(mostHorizon)
		minutes := forecast.Drain(waiting.Value, full, joining)
		if math.IsInf(minutes, 1) {
			f.Drain = When{Never: true, Grows: joining - full, Rate: full}
			return
		}
		quick, slow := forecast.Drain(waiting.Value, full*(1+leastDoubt), joining*(1-leastDoubt)), forecast.Drain(waiting.Value, full*(1-leastDoubt), joining*(1+leastDoubt))
		f.Drain = when(waiting.At, minutes, quick, slow, mostHorizon, "drain")
		f.Drain.AfterResume, f.Drain.From, f.Drain.Rate = true, waiting.At, full
	}
}
