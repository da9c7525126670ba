package sale

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// BindsText is what holds the sale now in words: "RDS connections 92 % of max; safe admission <=
// 640/min". What is not known says why, and so does what was judged earlier from readings that are
// stale by now.
func (s *State) BindsText(now time.Time) string {
	if s.Binding != nil {
		for _, e := range s.Binding.Evidence {
			if old := s.staleBy(now, e.Signal); old != "" {
				return "not known: " + old
			}
		}
	}
	safe := s.SafeText(now)
	switch {
	case s.Binding == nil && safe == "":
		return "not known: " + s.SafeAdmission.Why
	case s.Binding == nil:
		return safe
	case safe == "":
		return s.Binding.Text + "; safe admission not known: " + s.SafeAdmission.Why
	}
	return s.Binding.Text + "; " + safe
}

// SafeText is "safe admission <= 640/min", "" when it is not known, or no longer.
func (s *State) SafeText(now time.Time) string {
	if !s.SafeAdmission.Has {
		return ""
	}
	for _, e := range s.SafeAdmission.Evidence {
		if s.staleBy(now, e.Signal) != "" {
			return ""
		}
	}
	return "safe admission <= " + Format(s.SafeAdmission.PerMinute, PerMinute, false)
}

// staleBy says that a reading which was good at the judgement is stale by now; "" when it isn't.
func (s *State) staleBy(now time.Time, name Signal) string {
	if k, ok := s.Signal(name); ok && k.Has && k.FreshnessAt(now) == Stale {
		return label(k.Spec) + " is stale"
	}
	return ""
}

// AheadText is what lies ahead in words, the most pressing first, counted from now and with clocks
// in now's zone; "" when nothing is expected, as of a sale that is closed.
func (s *State) AheadText(now time.Time) string {
	f := &s.Forecast
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	for _, name := range []Signal{Waiting, AdmissionRate, TicketsLeft} {
		if old := s.staleBy(now, name); old != "" && (f.SellOut.Has || f.Drain.Has || f.Drain.Never || f.Serve.Has || f.AtOpen.Has) {
			return "not known: " + old
		}
	}
	if f.AtOpen.Has {
		s.openText(add, now)
		return strings.Join(parts, "; ")
	}
	if s.Phase == Scheduled || s.Phase == Prequeue || s.Phase == Closed {
		return ""
	}
	if f.Limit.Has && (!f.SellOut.Has || f.Limit.At.Before(f.SellOut.At)) && (!f.Drain.Has || f.Limit.At.Before(f.Drain.At)) {
		when := inWords(&f.Limit, now)
		if s.readFull(f.LimitName) {
			when = "now"
		}
		add("%s full %s", s.limitWord(f.LimitName), when)
	}
	gone := f.SellOut.Has && !f.SellOut.At.After(now) && f.Serve.Left == 0 && f.Serve.Has
	switch {
	case gone:
		add("no ticket is left; %s wait", Format(f.Serve.Waiting, Users, true))
		return strings.Join(parts, "; ")
	case f.Serve.Has && f.Serve.Miss > 0 && !f.Serve.Joining:
		add("%s serve %s of %s, %s miss", Format(f.Serve.Left, Tickets, false), people(f.Serve.Served), Format(f.Serve.Waiting, Users, true), people(f.Serve.Miss))
		s.soldText(add, now)
		s.drainText(add, now)
	case f.Serve.Has && f.Serve.Miss >= 1 && f.Drain.Has:
		add("sold out %s, before the drain (%s): %s of those who wait or join will miss", inWords(&f.SellOut, now), minutesWord(f.Drain.At.Sub(now)), people(f.Serve.Miss))
	default:
		s.soldText(add, now)
		s.drainText(add, now)
	}
	return strings.Join(parts, "; ")
}

func (s *State) openText(add func(string, ...any), now time.Time) {
	f := &s.Forecast
	text := people(f.AtOpen.Value) + " at open"
	for i := range s.Plan {
		if p := &s.Plan[i]; p.Signal == Waiting {
			if line := s.Sale.Plan.Line(Waiting); line != nil {
				if planned, ok := line.At(0); ok {
					text += " (plan " + Format(planned, Count, false) + ")"
				}
			}
		}
	}
	if left, ok := s.Signal(TicketsLeft); ok && left.unseen() == "" {
		text += " for " + Format(left.Value, Tickets, false) + " tickets"
	}
	add("%s", text)
	if s.SafeText(now) != "" && s.SafeAdmission.PerMinute > 0 {
		add("drain %.0f min at %s", f.AtOpen.Value/s.SafeAdmission.PerMinute, Format(s.SafeAdmission.PerMinute, PerMinute, false))
	}
}

func (s *State) soldText(add func(string, ...any), now time.Time) {
	switch w := &s.Forecast.SellOut; {
	case w.Has && w.AfterResume:
		add("sold out ~%s after R", minutesWord(w.At.Sub(w.From)))
	case w.Has:
		add("sold out %s", inWords(w, now))
	default:
		add("sell-out not known: %s", w.Why)
	}
}

func (s *State) drainText(add func(string, ...any), now time.Time) {
	switch w := &s.Forecast.Drain; {
	case w.Never:
		add("the queue grows by +%s", Format(math.Round(w.Grows), PerMinute, false))
	case w.Has && w.AfterResume:
		add("drain %s at %s", minutesWord(w.At.Sub(w.From)), Format(w.Rate, PerMinute, false))
	case w.Has && w.At.After(now.Add(30*time.Second)):
		add("drain %s", inWords(w, now))
	}
}

// readFull reports whether a limit was read to be full: a forecast whose time has passed is not a reading.
func (s *State) readFull(name LimitName) bool {
	return slices.ContainsFunc(s.Limits, func(l Limit) bool { return l.Name == name && l.Has && l.Ratio >= 1 })
}

// limitWord is what a limit is called where its figure does not matter.
func (s *State) limitWord(name LimitName) string {
	switch name {
	case LimitDatabase:
		if k, ok := s.Signal(DBConnections); ok && k.Spec.System != "" {
			return k.Spec.System + " connections"
		}
		return "database connections"
	case LimitActive:
		return "active limit"
	default:
		return "instances"
	}
}

// inWords is how long an instant is off, and between which clocks it may lie: "~25 min
// (10:31-10:38)". A range within one minute is one clock, one without an end is "10:31 or later".
func inWords(w *When, now time.Time) string {
	low, high := clockOf(w.Low, now), ""
	switch {
	case w.High.IsZero():
		high = " or later"
	case clockOf(w.High, now) != low:
		high = "-" + clockOf(w.High, now)
	}
	return "~" + minutesWord(w.At.Sub(now)) + " (" + low + high + ")"
}

func clockOf(t, now time.Time) string { return t.In(now.Location()).Format("15:04") }

// minutesWord writes a forecast span in whole minutes: "25 min", "1 h 50".
func minutesWord(d time.Duration) string {
	switch m := int(math.Round(d.Minutes())); {
	case m < 1:
		return "1 min"
	case m < 100:
		return fmt.Sprintf("%d min", m)
	default:
		return fmt.Sprintf("%d h %02d", m/60, m%60)
	}
}

// people writes a forecast number of people, rounded to about half a percent: "~8,180".
func people(n float64) string {
	if !isFinite(n) {
		return "many"
	}
	step := 1.0
	if n >= 200 {
		step = math.Pow(10, math.Floor(math.Log10(n/200)))
	}
	return Format(math.Round(n/step)*step, Users, true)
}
