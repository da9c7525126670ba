package sale

import "time"

// Snapshot is everything known at one instant. It is immutable and safe to share: a view may
// hold one for as long as it likes. Sales are in the order of the config; Sources too.
type Snapshot struct {
	Seq uint64 // grows when anything changed but At
	// At is the "now" that phases, freshness and verdicts were judged at. While nothing
	// changes and ticks come it lags behind them by less than two seconds.
	At      time.Time
	Sales   []*State
	Sources []SourceState
	Logins  []Login   // to read, then to act
	Cleared []Cleared // alarms that are over, of the last hour; see Board
}

// Sale finds a sale's state, or nil.
func (s *Snapshot) Sale(id ID) *State {
	for _, st := range s.Sales {
		if st.Sale.ID == id {
			return st
		}
	}
	return nil
}

// State is one sale as it stands. A State whose content has not changed is shared between
// snapshots: pointer equality, or an equal Version, means that nothing needs drawing again.
type State struct {
	Sale    *Sale
	Version uint64 // grows when anything but the passing of time changed
	Phase   Phase
	// PhaseSince is when this phase began, by the schedule or by what was seen.
	PhaseSince time.Time
	Verdict    Verdict
	Since      time.Time // when the verdict became what it is
	Reasons    []Reason  // why it is not OK, worst first, then oldest; empty when OK
	Signals    []Known   // parallel to Sale.Signals
	Notes      []Note
	Cause      Cause   // the root of the reasons in one sentence
	Next       Move    // the next safe thing to do
	Alarms     []Alarm // that stand, worst first; one per cause
	Needed     int     // signals needed in this phase
	NeededLive int     // of those, known and neither stale nor missing
	Incidents  IncidentState
	Timeline   []Event // what happened, newest first, at most 64

	Surge     Surge     // demand before the doors open; the zero value when nothing was looked for
	Anomalies []Anomaly // the signals that are held against their own past in this phase, in order
	Budgets   []Budget  // one per objective, in their order; none before the doors open
	Cost      Cost

	Plan   []Planned // parallel to Sale.Plan.Lines; empty without a plan
	Limits []Limit   // what can hold the sale back, of what it declares; in the order of the names
	// Binding is the limit that holds the sale now: the one that bounds admission tightest. It is
	// one of Limits, nil when that is not known; SafeAdmission says why.
	Binding       *Limit
	SafeAdmission SafeAdmission
	Forecast      Forecast
}

// Signal finds what is known of one signal; ok is false when the sale does not declare it.
func (s *State) Signal(name Signal) (k Known, ok bool) {
	for i := range s.Signals {
		if s.Signals[i].Spec.Signal == name {
			return s.Signals[i], true
		}
	}
	return Known{}, false
}

// Known is what is known of one signal now.
type Known struct {
	Spec      *Spec
	Has       bool // false: no value was ever read; Value means nothing then
	Value     float64
	At        time.Time // the instant the value describes
	FetchedAt time.Time
	Freshness Freshness // at the snapshot's time; ask FreshnessAt for a later one
	// Verdict is of the value alone. It is Unknown when the value is stale or missing, when
	// a rule compares it with a value that is not known, and, over no limit, until the second
	// sample after it had gone stale.
	Verdict Verdict
	Ratio   float64  // Value / the value of Spec.Of; NaN when not known
	Problem *Problem // why the last attempt to read it failed; nil when it was read
	Breach  *Breach  // the threshold that is broken now, or nil
	Band    *Band    // where its system's own model is asked for; else nil
	History Series
}

// Breach is a threshold that has been broken.
type Breach struct {
	Rule    Rule
	Verdict Verdict // Watch or Bad
	Value   float64 // what was compared with the limit (the ratio when Rule.Of is set)
	Since   time.Time
	// Held is false while the duration can't be proven, because the history is too short;
	// such a breach counts as Watch at most.
	Held bool
}

// Condition is the state of a source.
type Condition string

// The conditions. SourceError means that the last poll failed; its last good values stay,
// with their ages. SourceStarting is a source that has not answered its first poll yet.
const (
	SourceLive     Condition = "live"
	SourceLate     Condition = "late"
	SourceStale    Condition = "stale"
	SourceNoData   Condition = "no_data"
	SourceError    Condition = "error"
	SourceStarting Condition = "starting"
)

// SourceInfo is what is declared of a source.
type SourceInfo struct {
	Name    string
	Kind    string
	Every   time.Duration // the cadence of its polls
	Cadence Cadence       // of its samples
	Gives   string        // "14 queries", "60 metrics": what it is asked for
	Limit   string        // the provider's own limit in words: "1,200 per 5 min"
	// Incidents is set for a source that tells of incidents.
	Incidents *IncidentsInfo
	// ReadsAlarms is a source of alarms: each answer says all of them, so it is as new as its poll.
	ReadsAlarms bool
}

// SourceState is a source as it stands.
type SourceState struct {
	SourceInfo
	Condition Condition
	Since     time.Time // when the condition began
	Problem   *Problem  // the last failure; nil when the last poll succeeded in full
	Missing   int       // signals that the last poll asked for and did not get
	Ignored   int       // readings since start that could not be kept; Notes say why
	Warnings  []string
	Notes     []Note
	LastOK    time.Time     // when a poll last succeeded; zero: never
	LastTry   time.Time     // when a poll last ended
	Newest    time.Time     // the newest instant that any of its samples describes
	NextTry   time.Time     // when the poller will ask again; zero: not known
	Took      time.Duration // how long the last poll took
	Failures  int           // polls failed in a row
	Calls     int           // requests sent since start
	CallsIn5m int           // requests sent in the last five minutes
	CostUSD   float64       // since start
	CostPerH  float64       // list price per hour at the present cadence
	Recent    []Try         // the last polls, newest first, at most 10
	// Alarms is what the system says of its own alarms, and AlarmsAt when it said so; zero for a
	// source that reads none. A failed poll keeps what the last good one brought.
	Alarms   []ForeignAlarm
	AlarmsAt time.Time
}

// Try is one poll, kept for diagnosis.
type Try struct {
	At      time.Time
	Took    time.Duration
	Calls   int
	Problem *Problem
}
