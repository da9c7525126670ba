package sale

import "time"

// Phase is where a sale stands in its own day.
type Phase string

// The phases, in order. Opening is the first ten minutes after the doors open; tail begins
// when the stock is gone or nearly gone (see PhaseAt).
const (
	Scheduled Phase = "scheduled"
	Prequeue  Phase = "prequeue"
	Opening   Phase = "opening"
	Live      Phase = "live"
	Tail      Phase = "tail"
	Closed    Phase = "closed"
)

// Phases lists every phase in order. The caller must not change it.
func Phases() []Phase { return phases }

var phases = []Phase{Scheduled, Prequeue, Opening, Live, Tail, Closed}

// openingLasts is how long the opening phase is.
const openingLasts = 10 * time.Minute

// PhaseAt is the phase by the schedule alone. Each phase begins at its exact instant:
// prequeue at Prequeue, opening at Opens, live ten minutes later, closed at Closes. Without
// a declared Prequeue a sale stays scheduled until it opens; without Closes it never closes.
//
// The schedule never says tail. A State is in tail when its schedule says live and
// tickets_left, read after the doors opened, has come down to 2 % of the declared tickets; it
// is live again only above 4 %. Stale stock can't begin a tail, nor end one.
func PhaseAt(s *Sale, now time.Time) Phase {
	p, _, _ := schedule(s, now)
	return p
}

// schedule is PhaseAt with the instants at which that phase began and ends; the zero time
// where there is none.
func schedule(s *Sale, now time.Time) (p Phase, since, until time.Time) {
	reached := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	live := s.Opens.Add(openingLasts)
	switch {
	case reached(s.Closes):
		return Closed, s.Closes, time.Time{}
	case !reached(s.Opens):
		if reached(s.Prequeue) {
			return Prequeue, s.Prequeue, s.Opens
		}
		return Scheduled, time.Time{}, earliest(s.Prequeue, s.Opens, s.Closes)
	case now.Before(live):
		return Opening, s.Opens, earliest(live, s.Closes)
	default:
		return Live, live, s.Closes
	}
}

// earliest returns the first of the times that is not zero, in time; zero when all are.
func earliest(times ...time.Time) time.Time {
	var first time.Time
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// The share of the declared tickets at which a tail begins, and above which it ends.
const (
	tailBegins = 0.02
	tailEnds   = 0.04
)

// tail follows tickets_left from the opening on. It is a fold over the points, so the same
// points give the same answer however they came.
type tail struct {
	in    bool
	since int64 // the sample that began it
}

func (t *tail) step(s *Sale, p sample) {
	if s.Tickets <= 0 || p.at < s.Opens.UnixNano() {
		return
	}
	share := p.value / float64(s.Tickets)
	switch {
	case !t.in && share <= tailBegins:
		*t = tail{in: true, since: p.at}
	case t.in && share > tailEnds:
		*t = tail{}
	}
}
