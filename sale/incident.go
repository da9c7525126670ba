package sale

import "time"

// IncidentStatus is how far an incident has come.
type IncidentStatus string

// The states. IncidentAccepted: the tool took the report in and has not shown an incident yet,
// and accepted is not paged.
const (
	IncidentAccepted     IncidentStatus = "accepted"
	IncidentOpen         IncidentStatus = "open"
	IncidentAcknowledged IncidentStatus = "acknowledged"
	IncidentResolved     IncidentStatus = "resolved"
)

// Incident is one incident of a sale, put together from the journal and from the tool that keeps
// it. Texts are clean. A zero time and an empty text are not known, or are not so yet.
type Incident struct {
	Sale   ID
	Key    string // by which the journal and the tool mean the same one: "onsale/lantern/error_ratio"
	Name   string // as people say it: "INC-4181"; "" while the tool has not shown it
	Title  string
	System string // who keeps it, as in an action's target: "pagerduty"
	Status IncidentStatus

	Accepted     time.Time // when the tool took in what was sent from here
	Opened       time.Time
	Acknowledged time.Time // the first time; an acknowledgement that ran out stays one in time
	Resolved     time.Time

	OpenedBy, AcknowledgedBy, ResolvedBy string

	FirstAction time.Time // when the sale was first acted on after the opening
	EffectSeen  time.Time // when the effect of such an action was first seen

	// Mitigated: the sale has left BAD after the effect of an action, or is OK again. MitigatedAt
	// is since when it has been so without a break. Blind: the sale can't be judged now, so
	// whether it is mitigated is not known.
	Mitigated   bool
	MitigatedAt time.Time
	Blind       bool

	URL  string    // https page of it, or ""
	Seen time.Time // when the tool last showed it; zero: never
}

// Open reports whether somebody still has to look after it.
func (in *Incident) Open() bool { return in != nil && in.Status != IncidentResolved }

// SLAs are what is promised for incidents, each counted from the opening; 0: nothing is promised.
type SLAs struct {
	Acknowledge, Mitigate, Resolve time.Duration
}

// IncidentClock is one promise about an incident as it stands.
type IncidentClock struct {
	Name    string        // "ack", "mitigate", "resolve"
	Within  time.Duration // what is promised; 0: nothing
	Took    time.Duration // until it stopped, or so far; never negative
	Stopped bool
	Known   bool // false: Took is not known, and neither is whether the promise was kept
}

// Left is what is left of the promise, negative when it is broken; ok is false where nothing is
// promised or the time is not known.
func (c IncidentClock) Left() (left time.Duration, ok bool) {
	return c.Within - c.Took, c.Known && c.Within > 0
}

// Over reports whether the promise is known to be broken.
func (c IncidentClock) Over() bool {
	left, ok := c.Left()
	return ok && left < 0
}

// Clocks are the three promises at now, in the order acknowledge, mitigate, resolve. What ends an
// incident ends each of them. A clock that was set back makes no time negative.
func (in *Incident) Clocks(slas SLAs, now time.Time) [3]IncidentClock {
	resolved := in.Status == IncidentResolved
	clock := func(name string, within time.Duration, stopped bool, at time.Time) IncidentClock {
		c := IncidentClock{Name: name, Within: within, Stopped: stopped || resolved}
		switch {
		case c.Stopped && at.IsZero() && resolved && !stopped:
			at = in.Resolved
		case !c.Stopped:
			at = now
		}
		if c.Known = !in.Opened.IsZero() && !at.IsZero(); c.Known {
			c.Took = max(at.Sub(in.Opened), 0)
		}
		return c
	}
	mitigate := clock("mitigate", slas.Mitigate, in.Mitigated, in.MitigatedAt)
	if in.Blind && !resolved {
		mitigate.Known, mitigate.Stopped, mitigate.Took = false, false, 0
	}
	return [3]IncidentClock{
		clock("ack", slas.Acknowledge, in.Status == IncidentAcknowledged || !in.Acknowledged.IsZero(), in.Acknowledged),
		mitigate,
		clock("resolve", slas.Resolve, resolved, in.Resolved),
	}
}

// IncidentState is what is known of a sale's incidents.
type IncidentState struct {
	Kept bool   // somebody tells of them: a tool that is read, or the journal
	Tool string // the tool that is read, as people call it: "PagerDuty"; "" is the journal alone
	// Known is false while it can't be told whether an incident is open, and Why says why. What
	// is known all the same is in Current.
	Known bool
	Why   string
	// Current is the open one that most needs somebody: not acknowledged before acknowledged,
	// then the oldest. Where none is open it is the last one, for half an hour after it was
	// resolved, else nil.
	Current *Incident
	Others  int // how many more are open
}

func (s IncidentState) sameAs(o IncidentState) bool {
	return s.Kept == o.Kept && s.Tool == o.Tool && s.Known == o.Known && s.Why == o.Why && s.Others == o.Others && samePointed(s.Current, o.Current)
}

// IncidentsInfo is what is declared of a source that tells of incidents.
type IncidentsInfo struct {
	Tool  string // "PagerDuty"
	Sales []ID   // whose incidents it tells of
}

// IncidentsRead is what a source found: every incident of its sales that is open at At, and those
// resolved ones that were asked for.
type IncidentsRead struct {
	At   time.Time
	List []Incident
}

// Log is what the journal tells of one sale.
type Log struct {
	Sale      ID
	Incidents []Incident // the newest first
	Events    []Event    // the newest first
	Problem   string     // why the journal could not be read; clean
}

// moment takes from a time what would make two equal instants differ.
func moment(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.Round(0).UTC()
}

func (in *Incident) settle() {
	for _, t := range []*time.Time{&in.Accepted, &in.Opened, &in.Acknowledged, &in.Resolved, &in.FirstAction, &in.EffectSeen, &in.MitigatedAt, &in.Seen} {
		*t = moment(*t)
	}
}
