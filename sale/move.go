package sale

import (
	"math"
	"slices"
	"time"
)

// Move is the next safe thing to do about a sale, from the evidence alone. It names only an
// action that the sale declares, and never one that would make things worse, such as more
// hosts when the database is the limit.
type Move struct {
	Text   string // one clean line without the key: "lower the rate to 640/min: the database is the limit"
	Action string // as onsale act takes it: "rate", "pause"; "" when there is nothing to press
	To     int    // what to set it to, in the action's own unit; 0: it takes no number
}

// The words of the actions that a move can name.
const (
	actPause    = "pause"
	actResume   = "resume"
	actRate     = "rate"
	actScaleUp  = "scale-up"
	actIncident = "incident"
)

const (
	// healthyFor is how long a paused sale must have been well before it is opened again.
	healthyFor = 3 * time.Minute
	// dbComfort is the share of a database's connections up to which more load is fine, and to
	// which the rate is brought back.
	dbComfort = 0.75
	// moreHosts is how much a step of capacity adds.
	moreHosts = 1.25
)

// conclude works out what follows from the verdict: the cause, the alarms and the next move. It
// returns when time alone may change them.
func (s *saleEntry) conclude(st *State, now time.Time) (due time.Time) {
	all := s.faults(st)
	st.Cause = s.rootCause(st, families(all))
	st.Alarms, due = s.alarmsAt(st, all, now)
	if st.Verdict == Bad || st.Verdict == Unknown {
		s.quiet = time.Time{}
	} else if s.quiet.IsZero() {
		s.quiet = now
	}
	m := mover{State: st, now: now, quiet: s.quiet}
	st.Next = m.move()
	if m.paused() && !s.quiet.IsZero() {
		due = earliest(due, after(s.quiet.Add(healthyFor), now))
	}
	return due
}

// mover works out the next move of a state.
type mover struct {
	*State
	now, quiet time.Time
}

func (m *mover) can(action string) bool { return slices.Contains(m.Sale.Acts, action) }

// paused reports whether the gate is known to hold everybody back.
func (m *mover) paused() bool {
	if slices.ContainsFunc(m.Notes, func(n Note) bool { return n.Code == "queue_all" }) {
		return true
	}
	limit, ok := m.fresh(AdmissionLimit)
	return ok && limit.Value == 0
}

func (m *mover) selling() bool { return m.Phase == Opening || m.Phase == Live || m.Phase == Tail }

func (m *mover) move() Move {
	c := &m.Cause
	switch {
	case c.Blind:
		return m.blind()
	case m.Verdict == Unknown:
		return Move{Text: "wait for what is missing: nothing is safe on what can't be seen"}
	case m.paused() && m.selling():
		return m.whilePaused()
	case m.Verdict == OK || c.Signal == "":
		return Move{Text: "nothing to do: watch"}
	case !m.selling():
		return m.atRest()
	case !slices.ContainsFunc(m.Signals, func(k Known) bool { return k.Breach != nil }):
		return m.assessed()
	}
	return m.cure()
}

func (m *mover) blind() Move {
	text := "mend source " + m.Cause.Source + " first: nothing is safe on what can't be seen"
	for i := range m.Signals {
		if k := &m.Signals[i]; k.Spec.Source == m.Cause.Source && k.Problem != nil && k.Problem.Hint != "" {
			return Move{Text: text + "; " + Clean(k.Problem.Hint, 80)}
		}
	}
	return Move{Text: text}
}

func (m *mover) whilePaused() Move {
	switch {
	case m.Verdict == Bad:
		return Move{Text: "hold: paused, and " + m.label() + " is still bad"}
	case m.quiet.IsZero() || m.now.Sub(m.quiet) < healthyFor:
		return Move{Text: "hold: paused; resume when it has been well for " + spell(healthyFor)}
	case m.can(actResume):
		return Move{Text: "resume as a ramp: it has been well for " + spell(healthyFor), Action: actResume}
	}
	return Move{Text: "open the gate where it was closed: it has been well for " + spell(healthyFor)}
}

// atRest is for a sale whose doors are not open: nobody can be held back.
func (m *mover) atRest() Move {
	if m.Verdict == Bad {
		return m.call("nobody is in the shop yet: have " + m.label() + " mended before the doors open")
	}
	if n, ok := m.hosts(); ok && m.Surge.On && m.Cause.Signal == m.Surge.Signal {
		share, _ := m.share(DBConnections)
		return Move{
			Text:   "scale up to " + Format(float64(n), Count, false) + " before the doors open: demand surges, the database is at " + Format(share, Ratio, false),
			Action: actScaleUp, To: n,
		}
	}
	return Move{Text: "nothing to press before the doors open: watch " + m.label()}
}

// assessed is for a sale that sells with every figure inside its limits, and is not OK all the
// same: its figures are odd, or its budget burns.
func (m *mover) assessed() Move {
	if m.Verdict != Bad {
		return Move{Text: "nothing to do: watch " + m.label()}
	}
	return m.call("no figure is over its limit: find out what burns the budget of " + m.label())
}

// cure is for a sale that sells and is not well.
func (m *mover) cure() Move {
	if m.recovering() {
		return Move{Text: "nothing to do: it is back inside its limits, watch " + m.label()}
	}
	switch root := m.Cause.Signal; root {
	case PaymentFailureRatio, PaymentP95:
		return m.payments()
	case DBConnections, DBCPURatio:
		return m.database()
	case LatencyP95, ErrorRatio, CapacityInService, PodsPending, RequestRate:
		return m.pages(root)
	case QueueDepth, QueueOldestSeconds:
		if m.Verdict == Bad {
			return m.lower("orders come in faster than they are worked off")
		}
	}
	if m.Verdict != Bad {
		return Move{Text: "nothing to do: watch " + m.label()}
	}
	return m.call("no key cures " + m.label())
}

// recovering reports whether everything that is broken is on the good side of its limit again,
// and only the time to prove it is missing.
func (m *mover) recovering() bool {
	for i := range m.Signals {
		if b := m.Signals[i].Breach; b != nil && b.Rule.breached(b.Value) {
			return false
		}
	}
	return true
}

// payments can't be helped by fewer buyers at once: each of them is still declined.
func (m *mover) payments() Move {
	switch {
	case m.Verdict != Bad:
		return Move{Text: "nothing to do yet: watch " + m.label()}
	case m.can(actPause):
		return Move{Text: "pause admission: a lower rate does not cure declines", Action: actPause}
	}
	return m.call("call the payment provider: nothing here cures declines")
}

// database: each buyer and each host holds connections, so fewer buyers help and more hosts hurt.
func (m *mover) database() Move {
	if share, known := m.share(DBConnections); m.Verdict != Bad && (!known || share <= dbComfort) {
		return Move{Text: "nothing to do: watch " + m.label()}
	}
	return m.lower("the database is the limit, more hosts would open more connections")
}

// pages are slow or fail: more hosts when there may be more and the database has room for
// them, else fewer buyers.
func (m *mover) pages(root Signal) Move {
	if root == CapacityInService || root == PodsPending {
		in, ok1 := m.fresh(CapacityInService)
		want, ok2 := m.fresh(CapacityDesired)
		if ok1 && ok2 && want.Value > in.Value {
			if m.Verdict != Bad {
				return Move{Text: Format(want.Value-in.Value, Count, false) + " hosts are on their way: watch " + m.label()}
			}
			return m.lower("hosts are short until those on their way are there")
		}
	}
	if n, ok := m.hosts(); ok {
		share, _ := m.share(DBConnections)
		return Move{
			Text:   "scale up to " + Format(float64(n), Count, false) + ": hosts are short, the database is at " + Format(share, Ratio, false),
			Action: actScaleUp, To: n,
		}
	}
	if m.Verdict != Bad {
		return Move{Text: "nothing to do yet: watch " + m.label()}
	}
	return m.lower("the shop can't carry this rate")
}

// hosts is how many to scale up to; ok is false where that is not known to be safe.
func (m *mover) hosts() (n int, ok bool) {
	in, have := m.fresh(CapacityInService)
	most, bounded := m.fresh(CapacityMax)
	share, known := m.share(DBConnections)
	if !m.can(actScaleUp) || !have || !bounded || !known || share > dbComfort {
		return 0, false
	}
	to := math.Min(math.Ceil(in.Value*moreHosts), most.Value)
	return int(to), to > in.Value && to < math.MaxInt32
}

// lower is a lower rate of admission, or a pause where no rate can be set.
func (m *mover) lower(why string) Move {
	if to, ok := m.lowerRate(); ok && m.can(actRate) {
		return Move{Text: "lower the rate to " + Format(float64(to), PerMinute, false) + ": " + why, Action: actRate, To: to}
	}
	if m.can(actPause) && m.Verdict == Bad {
		return Move{Text: "pause admission: " + why, Action: actPause}
	}
	return m.call("let fewer people in: " + why)
}

// lowerRate is the safe admission where that is known and lower than the present limit. Else it is
// a rate that the database carries by its present share, or three quarters of the present one; ok
// is false while the present limit is not known.
func (m *mover) lowerRate() (int, bool) {
	limit, ok := m.fresh(AdmissionLimit)
	if !ok || limit.Value <= 0 {
		return 0, false
	}
	if safe := m.SafeAdmission; safe.Has && safe.PerMinute >= 1 && safe.PerMinute < limit.Value {
		return int(safe.PerMinute), true
	}
	factor := 0.75
	if share, known := m.share(DBConnections); known && share > dbComfort {
		factor = math.Min(factor, dbComfort/share)
	}
	to := limit.Value * factor
	if to >= 20 {
		to = math.Floor(to/10) * 10
	}
	to = math.Floor(to)
	return int(to), to >= 1 && to < limit.Value && to < math.MaxInt32
}

// share is a signal's value over its whole.
func (m *mover) share(name Signal) (float64, bool) {
	k, ok := m.fresh(name)
	if !ok || !isFinite(k.Ratio) {
		return 0, false
	}
	return k.Ratio, true
}

// call is for what no key cures: people have to hear of it.
func (m *mover) call(why string) Move {
	if m.can(actIncident) && m.Verdict == Bad {
		return Move{Text: "open an incident: " + why, Action: actIncident}
	}
	return Move{Text: why}
}

func (m *mover) label() string {
	if k := m.pointer(m.Cause.Signal); k != nil {
		return label(k.Spec)
	}
	return string(m.Cause.Signal)
}
