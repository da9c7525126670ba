package sale

import (
	"fmt"
	"slices"
	"time"
)

// sourceEntry is one source on the writer's side.
type sourceEntry struct {
	state   SourceState
	index   int
	slots   []*slot
	seq     uint64
	general []Note // the notes of the whole source that the last good poll brought

	tries    []Try // newest first, at most recentTries
	lastFail *Try

	spent     []spending // of the last five minutes, oldest first
	polls     int
	read      bool // since it was declared
	firstCost float64

	due time.Time // when time alone may change the state; zero: never
}

// spending is what the polls of ten seconds cost. A window of five minutes holds at most 31.
type spending struct {
	from  time.Time
	polls int
	calls int
	cost  float64
}

const (
	recentTries  = 10
	callWindow   = 5 * time.Minute
	spendingSpan = 10 * time.Second
	mostWarnings = 32
)

func newSourceEntry(info SourceInfo, index int, now time.Time) *sourceEntry {
	return &sourceEntry{index: index, state: SourceState{SourceInfo: info, Condition: SourceStarting, Since: now}}
}

// polled takes over what a batch says about the source itself.
func (s *sourceEntry) polled(in *intake) {
	b, st := in.batch, &s.state
	s.read = true
	finished := b.Finished
	if finished.IsZero() {
		finished = in.now
	}
	st.LastTry = finished
	st.Took = 0
	if !b.Started.IsZero() {
		st.Took = max(finished.Sub(b.Started), 0)
	}
	if b.Problem == nil {
		st.LastOK, st.Failures = finished, 0
	} else {
		st.Failures++
	}
	st.Problem = clone(b.Problem)
	if st.Problem == nil {
		st.Problem = clone(in.firstLost)
	}
	st.Missing = in.lost
	st.Ignored += in.ignored
	st.Warnings = slices.Clone(b.Warnings[:min(len(b.Warnings), mostWarnings)])
	if in.newest != 0 {
		if newest := instant(in.newest); newest.After(st.Newest) {
			st.Newest = newest
		}
	}
	s.general = in.general
	if b.Problem == nil && s.state.ReadsAlarms {
		st.Alarms, st.AlarmsAt = slices.Clone(b.Alarms), finished
		SortForeign(st.Alarms)
		st.Newest = finished
	}
	st.Notes = s.noted(in)
	s.remember(Try{At: finished, Took: st.Took, Calls: b.Calls, Problem: clone(b.Problem)})
	s.spend(b, in.now)
	s.settle(in.now, finished)
}

// noted is the source's own notes and ours about what it delivered.
func (s *sourceEntry) noted(in *intake) []Note {
	notes := slices.Clone(s.general)
	if in.skew > 0 {
		notes = append(notes, Note{Code: "clock_skew", Text: fmt.Sprintf(
			"samples stamped %s ahead of this clock were refused: set the clocks of both machines", FormatAge(in.skew))})
	}
	if in.ignored > 0 {
		notes = append(notes, Note{Code: "ignored", Text: fmt.Sprintf("%d readings ignored: %s", in.ignored, in.why)})
	}
	return notes
}

// remember keeps the last tries, and the last failure even when newer ones have pushed it out.
func (s *sourceEntry) remember(t Try) {
	s.tries = append(s.tries, Try{})
	copy(s.tries[1:], s.tries)
	s.tries[0] = t
	s.tries = s.tries[:min(len(s.tries), recentTries)]
	if t.Problem != nil {
		s.lastFail = &t
	}
	recent := slices.Clone(s.tries)
	failed := func(t Try) bool { return t.Problem != nil }
	if s.lastFail != nil && !slices.ContainsFunc(recent, failed) {
		recent[len(recent)-1] = *s.lastFail
	}
	s.state.Recent = recent
}

// spend counts a poll's calls and cost.
func (s *sourceEntry) spend(b *Batch, now time.Time) {
	st := &s.state
	st.Calls += b.Calls
	st.CostUSD += b.CostUSD
	from := now.Truncate(spendingSpan)
	if n := len(s.spent); n == 0 || s.spent[n-1].from.Before(from) {
		s.spent = append(s.spent, spending{from: from})
	}
	last := &s.spent[len(s.spent)-1]
	last.calls += b.Calls
	// The first poll fetches history: what it costs says nothing about the polls to come.
	if s.polls == 0 {
		s.firstCost = b.CostUSD
	} else {
		last.polls++
		last.cost += b.CostUSD
	}
	s.polls++
	s.recount(now)
}

// recount slides the window of five minutes; it is exact to ten seconds.
func (s *sourceEntry) recount(now time.Time) {
	for len(s.spent) > 0 && !now.Before(s.spent[0].from.Add(callWindow)) {
		s.spent = s.spent[1:]
	}
	var sum spending
	for _, p := range s.spent {
		sum.calls += p.calls
		sum.polls += p.polls
		sum.cost += p.cost
	}
	s.state.CallsIn5m = sum.calls
	perPoll := s.firstCost
	if sum.polls > 0 {
		perPoll = sum.cost / float64(sum.polls)
	} else if s.polls > 1 {
		return
	}
	if every := s.every(); every > 0 {
		s.state.CostPerH = perPoll * float64(time.Hour) / float64(every)
	}
}

// every is the time between two polls, or 0 when it was not declared.
func (s *sourceEntry) every() time.Duration {
	if s.state.Every > 0 {
		return s.state.Every
	}
	return s.state.Cadence.Period
}

// cadence is the cadence of the samples; where none is declared, that of the polls.
func (s *sourceEntry) cadence() Cadence {
	c := s.state.Cadence
	if c.Period <= 0 {
		c.Period = s.state.Every
	}
	return c
}

// settle sets the condition after a poll, or after time has passed; at is when what it
// follows from happened.
func (s *sourceEntry) settle(now, at time.Time) {
	st := &s.state
	was, is := st.Condition, s.condition(now)
	s.due = time.Time{}
	if is == SourceLive || is == SourceLate {
		s.due = s.cadence().nextFreshness(st.Newest, now)
	}
	if len(s.spent) > 0 {
		s.due = earliest(s.due, s.spent[0].from.Add(callWindow))
	}
	if was == is {
		return
	}
	st.Condition, st.Since = is, at
	// What time alone brought about began when its limit passed, not when somebody looked.
	switch {
	case is == SourceLate && was == SourceLive:
		st.Since = st.Newest.Add(s.cadence().liveFor())
	case is == SourceStale && (was == SourceLive || was == SourceLate):
		st.Since = st.Newest.Add(s.cadence().lateFor())
	}
}

func (s *sourceEntry) condition(now time.Time) Condition {
	st := &s.state
	switch {
	case st.LastTry.IsZero():
		return SourceStarting
	case st.Failures > 0:
		return SourceError
	}
	switch s.cadence().Freshness(st.Newest, now) {
	case Fresh:
		return SourceLive
	case Late:
		return SourceLate
	case Stale:
		return SourceStale
	default:
		return SourceNoData
	}
}

// age judges the source again because time has passed, and reports whether that changed it.
func (s *sourceEntry) age(now time.Time) (changed bool) {
	condition, calls, cost := s.state.Condition, s.state.CallsIn5m, s.state.CostPerH
	s.recount(now)
	s.settle(now, now)
	return condition != s.state.Condition || calls != s.state.CallsIn5m || cost != s.state.CostPerH
}
