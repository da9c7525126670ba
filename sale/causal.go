package sale

import (
	"slices"
	"time"
)

// leads says what a broken signal is known to break next, in a ticket shop behind a gate:
// declines cost orders, a full database slows the pages and then fails them, hosts that are
// short do the same, demand fills the queue. It is the whole of what the cockpit assumes about
// causes; an arrow alone proves nothing, both ends must have been seen broken.
var leads = map[Signal][]Signal{
	PaymentFailureRatio: {PaymentP95, OrderRate},
	PaymentP95:          {CheckoutRate, OrderRate},
	CacheHitRatio:       {RequestRate, DBCPURatio, LatencyP95},
	RequestRate:         {LatencyP95},
	DBCPURatio:          {DBConnections, LatencyP95},
	DBConnections:       {LatencyP95, ErrorRatio, CheckoutRate, OrderRate},
	PodsPending:         {CapacityInService},
	CapacityInService:   {LatencyP95, ErrorRatio},
	LatencyP95:          {ErrorRatio, EdgeErrorRatio, CheckoutRate, OrderRate},
	ErrorRatio:          {EdgeErrorRatio, CheckoutRate, OrderRate},
	EdgeErrorRatio:      {OrderRate},
	CheckoutRate:        {OrderRate},
	InflowRate:          {Waiting},
	Waiting:             {WaitSeconds},
	QueueDepth:          {QueueOldestSeconds},
}

// follows reports whether one signal is, over any number of arrows, an effect of another.
func follows(cause, effect Signal) bool {
	for _, next := range leads[cause] {
		if next == effect || follows(next, effect) { // the arrows have no circle: a test holds it
			return true
		}
	}
	return false
}

// fault is one thing that is wrong with a sale: a signal over its limit, or a source that
// can't be seen.
type fault struct {
	key     string // the signal, or "source:NAME"
	signal  Signal // the first of those that a dark source hides
	source  string
	blind   bool
	derived string // what it is called that follows from figures without a limit of their own; else ""
	verdict Verdict
	since   time.Time // when it began, in the time of its samples
	until   time.Time // the newest instant at which it was seen broken; zero for a blind one
	proven  bool      // its rule's own duration has passed
	rule    Rule
	reason  string
	known   *Known   // in the judgement at hand alone; nil for a blind one
	parts   []*Known // the parts of its figure that broke it, as above
	blamed  string   // those parts in words; "" when none is to blame by itself
}

// causalSlack is how much later than its effect a cause may seem to begin: a slow source
// samples once in a while, and its minute began before the sample.
const causalSlack = 90 * time.Second

// before reports whether f can be the cause of o: it is known to lead there, and it was seen
// broken first, as far as its source can tell.
func (f *fault) before(o *fault) bool {
	same := f.derived != "" && f.signal == o.signal // a surge, and a queue that is too long for its limit
	if f.blind || o.blind || !same && !follows(f.signal, o.signal) {
		return false
	}
	slack := causalSlack
	if f.known != nil && f.known.Spec.Cadence.Period > 0 {
		slack = max(slack, f.known.Spec.Cadence.Delay+2*f.known.Spec.Cadence.Period)
	}
	return !f.since.After(o.since.Add(slack))
}

// kin reports whether two faults belong to one cause.
func (f *fault) kin(o *fault) bool { return f.before(o) || o.before(f) }

// faults lists what is wrong with a sale: the reasons of its verdict by signal, and what can
// be told from figures without a limit.
func (s *saleEntry) faults(st *State) []fault {
	var all []fault
	for i := range st.Signals {
		k := &st.Signals[i]
		if k.Breach == nil {
			continue
		}
		f := fault{
			key: string(k.Spec.Signal), signal: k.Spec.Signal, source: k.Spec.Source, verdict: k.Verdict,
			since: k.Breach.Since, until: k.At, proven: k.Breach.Held, rule: k.Breach.Rule, known: k,
			reason: reasonOf(st, k.Spec.Signal), parts: s.culprits(st, k),
		}
		if len(f.parts) > 0 {
			f.blamed = culpritWords(k.Spec, f.parts)
		}
		all = append(all, f)
	}
	for i := range st.Reasons {
		r := &st.Reasons[i]
		if r.Verdict != Unknown || slices.ContainsFunc(all, func(f fault) bool { return f.key == blindKey(r.Source) }) {
			continue
		}
		all = append(all, fault{
			key: blindKey(r.Source), signal: r.Signal, source: r.Source, blind: true, verdict: Unknown,
			since: r.Since, proven: true, reason: r.Text,
		})
	}
	if f, ok := st.shortOfHosts(all); ok {
		s.short = f
		all = append(all, f)
	} else if s.stillShort(all) {
		all = append(all, s.short)
	}
	if f, ok := s.surging(st); ok {
		all = append(all, f)
	}
	return all
}

func blindKey(source string) string { return "source:" + source }

func reasonOf(st *State, name Signal) string {
	for i := range st.Reasons {
		if st.Reasons[i].Signal == name && st.Reasons[i].Verdict != Unknown {
			return st.Reasons[i].Text
		}
	}
	return ""
}

// shortOfHosts tells slow or failing pages from too few hosts: fewer are in service than the
// scaler itself asks for, or all that there may be already are. Neither alone is a fault.
func (s *State) shortOfHosts(all []fault) (fault, bool) {
	in, have := s.fresh(CapacityInService)
	if !have || slices.ContainsFunc(all, func(f fault) bool { return f.signal == CapacityInService }) {
		return fault{}, false
	}
	slow := -1
	for i := range all {
		if o := all[i].signal; !all[i].blind && (o == LatencyP95 || o == ErrorRatio) && (slow < 0 || all[i].since.Before(all[slow].since)) {
			slow = i
		}
	}
	if slow < 0 {
		return fault{}, false
	}
	reason := ""
	if want, ok := s.fresh(CapacityDesired); ok && want.Value > in.Value {
		reason = "only " + Format(in.Value, Count, false) + " of " + Format(want.Value, Count, false) + " hosts that the scaler wants are in service"
	} else if most, ok := s.fresh(CapacityMax); ok && in.Value >= most.Value {
		reason = "all " + Format(most.Value, Count, false) + " hosts that there may be are in service"
	} else {
		return fault{}, false
	}
	o := &all[slow]
	return fault{
		key: string(CapacityInService), signal: CapacityInService, source: in.Spec.Source, derived: "too few hosts", verdict: o.verdict,
		since: o.since, until: o.until, proven: o.proven, known: s.pointer(CapacityInService), reason: reason,
	}, true
}

// stillShort reports whether pages are still slow from a shortage that has just ended: hosts
// that arrive make them quick again only after a while. It brings the shortage up to date.
func (s *saleEntry) stillShort(all []fault) bool {
	for i := range all {
		o := &all[i]
		if s.short.since.IsZero() || o.blind || o.signal != LatencyP95 && o.signal != ErrorRatio || o.since.After(s.short.until) {
			continue
		}
		s.short.known = nil
		s.short.verdict, s.short.reason = o.verdict, "hosts were short, pages are not yet quick again"
		return true
	}
	s.short = fault{}
	return false
}

// fresh finds a signal whose value may be reckoned with: known, and not stale.
func (s *State) fresh(name Signal) (*Known, bool) {
	k := s.pointer(name)
	if k == nil || missing(k) {
		return nil, false
	}
	return k, true
}

func (s *State) pointer(name Signal) *Known {
	for i := range s.Signals {
		if s.Signals[i].Spec.Signal == name {
			return &s.Signals[i]
		}
	}
	return nil
}

// family is the faults of one cause, the root first, then the rest by when they began.
type family []*fault

// families groups faults by cause. The families come worst first, then oldest root first.
func families(all []fault) []family {
	left := make([]*fault, len(all))
	for i := range all {
		left[i] = &all[i]
	}
	var out []family
	for len(left) > 0 {
		fam := family{left[0]}
		left = left[1:]
		for i := 0; i < len(fam); i++ { // what is kin to kin belongs to it too
			left = slices.DeleteFunc(left, func(o *fault) bool {
				if !fam[i].kin(o) {
					return false
				}
				fam = append(fam, o)
				return true
			})
		}
		out = append(out, fam.ordered())
	}
	slices.SortStableFunc(out, func(a, b family) int {
		if c := b.verdict().Rank() - a.verdict().Rank(); c != 0 {
			return c
		}
		return a[0].since.Compare(b[0].since)
	})
	return out
}

// ordered puts the root first: no other fault can be its cause. Of several the worst, then the
// first that broke.
func (fam family) ordered() family {
	rooted := func(f *fault) bool {
		return !slices.ContainsFunc(fam, func(o *fault) bool { return o != f && o.before(f) })
	}
	slices.SortStableFunc(fam, func(a, b *fault) int {
		switch x, y := rooted(a), rooted(b); {
		case x != y && x:
			return -1
		case x != y:
			return 1
		case x && a.verdict != b.verdict:
			return b.verdict.Rank() - a.verdict.Rank()
		}
		return a.since.Compare(b.since)
	})
	return fam
}

func (fam family) verdict() Verdict {
	worst := OK
	for _, f := range fam {
		worst = Worst(worst, f.verdict)
	}
	return worst
}
