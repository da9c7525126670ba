package sale

import (
	"fmt"
	"math"
	"slices"

	"github.com/onsale-dev/onsale/sale/forecast"
)

// safeShare is the part of the database's connections that the visitors of a safe admission use:
// 75 %, the margin that Cloudflare advises for total_active_users over what an origin carries.
const safeShare = 0.75

// limits lists what can hold the sale back.
func (s *saleEntry) limits(st *State) {
	for _, one := range []func(*State) (Limit, bool){
		s.databaseLimit, s.activeLimit, s.instanceLimit, s.gateLimit, s.paymentLimit, s.queueLimit, s.podLimit, readingLimit,
	} {
		l, declared := one(st)
		if !declared {
			continue
		}
		if !isFinite(l.Ratio) || !isFinite(l.Safe) {
			l.Has, l.Bounds, l.Ratio, l.Safe = false, false, 0, 0
			if l.Why == "" {
				l.Why = "it is of nothing"
			}
		}
		st.Limits = append(st.Limits, l)
	}
}

// unknownLimit is a limit of which an input can't be seen.
func unknownLimit(name LimitName, signal Signal, what, why string) Limit {
	return Limit{Name: name, Signal: signal, Text: what + " not known: " + why, Why: why}
}

// bound says what a limit of people on the site means for admission, by Little's law.
func (s *saleEntry) bound(st *State, l *Limit, people, full float64) {
	session := s.session().Minutes()
	if session <= 0 {
		l.Why = "how long people stay is not known yet: it is measured when admission is steady, or declared under plan"
		return
	}
	l.Bounds, l.Safe = true, math.Max(0, people/session)
	active, why := s.seen(st, ActiveUsers)
	rate, none := s.admitting(st)
	if why != "" || none != "" || !(full > 0) {
		return
	}
	if m := forecast.Reach(active.Value, rate, session, full); isFinite(m) {
		l.HitAt = active.At.Add(minutesLong(m))
	}
}

func (s *saleEntry) databaseLimit(st *State) (l Limit, declared bool) {
	k := s.known(st, DBConnections)
	if k == nil {
		return l, false
	}
	name := k.Spec.System
	if name == "" {
		name = "database"
	}
	name += " connections"
	k, why := s.seen(st, DBConnections)
	whole, none := s.seen(st, DBConnectionsMax)
	if why == "" {
		why = none
	}
	if why != "" {
		return unknownLimit(LimitDatabase, DBConnections, name, why), true
	}
	l = Limit{Name: LimitDatabase, Signal: DBConnections, Has: true, Ratio: k.Value / whole.Value, Evidence: evidenceOf(k, whole)}
	l.Text = name + " " + Format(l.Ratio, Ratio, false) + " of max"
	load := s.look.load
	if active, none := s.seen(st, ActiveUsers); none == "" {
		l.Evidence = append(l.Evidence, evidenceOf(active)...)
	}
	if !load.OK {
		l.Why = "what a person costs in connections is not known yet: it takes samples at two loads"
		return l, true
	}
	load.Idle += s.look.excess
	s.bound(st, &l, load.People(safeShare*whole.Value), load.People(whole.Value))
	return l, true
}

func (s *saleEntry) activeLimit(st *State) (l Limit, declared bool) {
	if _, ok := st.Signal(ActiveLimit); !ok {
		return l, false
	}
	limit, why := s.seen(st, ActiveLimit)
	k, none := s.seen(st, ActiveUsers)
	if why == "" {
		why = none
	}
	if why != "" {
		return unknownLimit(LimitActive, ActiveUsers, "active limit", why), true
	}
	l = Limit{Name: LimitActive, Signal: ActiveUsers, Has: true, Ratio: k.Value / limit.Value, Evidence: evidenceOf(k, limit)}
	l.Text = "active limit " + Format(limit.Value, Users, false)
	if l.Ratio >= 0.5 {
		l.Text = "active users " + Format(l.Ratio, Ratio, false) + " of " + Format(limit.Value, Users, false)
	}
	s.bound(st, &l, limit.Value, limit.Value)
	return l, true
}

// instanceLimit is what the instances in service carry: before the day of the sale, what the most
// of them would.
func (s *saleEntry) instanceLimit(st *State) (l Limit, declared bool) {
	k := s.known(st, CapacityInService)
	if k == nil {
		return l, false
	}
	system := k.Spec.System
	noun := "instances"
	switch system {
	case "HPA", "KEDA", "pods":
		noun = "pods"
	case "ECS":
		noun = "tasks"
	}
	k, why := s.seen(st, CapacityInService)
	if why != "" {
		return unknownLimit(LimitInstances, CapacityInService, noun, why), true
	}
	l = Limit{Name: LimitInstances, Signal: CapacityInService, Has: true, Evidence: evidenceOf(k)}
	n := k.Value
	l.Text = Format(n, Count, false) + " " + noun
	most, none := s.seen(st, CapacityMax)
	if none == "" && (st.Phase == Scheduled || n >= most.Value) {
		n = most.Value
		l.Evidence = append(l.Evidence, evidenceOf(most)...)
		if l.Text = noun + " max " + Format(n, Count, false); system != "" {
			l.Text = system + " max " + Format(n, Count, false)
		}
	}
	carries := s.sale.Plan.Carries
	if carries <= 0 {
		l.Why = "how many people one carries is not declared"
		if none != "" {
			return unknownLimit(LimitInstances, CapacityInService, noun, none), true
		}
		l.Ratio = k.Value / most.Value
		return l, true
	}
	active, dark := s.seen(st, ActiveUsers)
	if dark != "" {
		return unknownLimit(LimitInstances, CapacityInService, noun, dark), true
	}
	l.Evidence = append(l.Evidence, evidenceOf(active)...)
	l.Ratio = active.Value / (n * carries)
	s.bound(st, &l, n*carries, n*carries)
	return l, true
}

func (s *saleEntry) gateLimit(st *State) (l Limit, declared bool) {
	if _, ok := st.Signal(AdmissionLimit); !ok {
		return l, false
	}
	limit, why := s.seen(st, AdmissionLimit)
	k, none := s.seen(st, AdmissionRate)
	if why == "" {
		why = none
	}
	if why != "" {
		return unknownLimit(LimitAdmission, AdmissionLimit, "admission limit", why), true
	}
	l = Limit{Name: LimitAdmission, Signal: AdmissionLimit, Has: true, Ratio: 1, Text: "admission is paused", Evidence: evidenceOf(k, limit)}
	if limit.Value > 0 && !st.Paused() {
		l.Ratio = k.Value / limit.Value
		l.Text = "admission limit " + Format(limit.Value, PerMinute, false)
	}
	return l, true
}

func (s *saleEntry) paymentLimit(st *State) (Limit, bool) {
	return s.ruled(st, LimitPayment, PaymentFailureRatio)
}

func (s *saleEntry) queueLimit(st *State) (Limit, bool) {
	return s.ruled(st, LimitQueue, QueueOldestSeconds)
}

// ruled is a limit that the signal's own bad rule gives.
func (s *saleEntry) ruled(st *State, name LimitName, signal Signal) (l Limit, declared bool) {
	k := s.known(st, signal)
	if k == nil || k.Spec.Constant != nil {
		return l, false
	}
	rule := k.Spec.Rules.Bad.In(st.Phase)
	if rule == nil || !rule.Above || rule.Of != "" || rule.Limit <= 0 {
		return l, false
	}
	k, why := s.seen(st, signal)
	if why != "" {
		return unknownLimit(name, signal, label(k.Spec), why), true
	}
	value, limit := distinct(k.Value, rule.Limit, k.Spec.Unit, k.Spec.Estimate)
	return Limit{
		Name: name, Signal: signal, Has: true, Ratio: k.Value / rule.Limit, Evidence: evidenceOf(k),
		Text: label(k.Spec) + " " + value + ", limit " + limit,
	}, true
}

// podLimit is full while a pod waits for a node: the cluster then can't carry what it was asked to.
func (s *saleEntry) podLimit(st *State) (l Limit, declared bool) {
	k := s.known(st, PodsPending)
	if k == nil {
		return l, false
	}
	k, why := s.seen(st, PodsPending)
	if why != "" {
		return unknownLimit(LimitPods, PodsPending, "pods pending", why), true
	}
	l = Limit{Name: LimitPods, Signal: PodsPending, Has: true, Text: "no pod waits for a node", Evidence: evidenceOf(k)}
	if k.Value >= 1 {
		l.Ratio, l.Text = 1, Format(k.Value, Count, false)+" pods wait for a node"
	}
	return l, true
}

// readingLimit is full while a system throttles what is read of the sale. It is there only then.
func readingLimit(st *State) (l Limit, declared bool) {
	for i := range st.Signals {
		if k := &st.Signals[i]; k.Problem != nil && k.Problem.Class == Throttled {
			return Limit{
				Name: LimitReading, Signal: k.Spec.Signal, Has: true, Ratio: 1,
				Text: "reading " + k.Spec.Source + " is throttled", Evidence: evidenceOf(k),
			}, true
		}
	}
	return l, false
}

// safeAdmission takes the tightest of the limits. When what a limit that bounds admission follows
// from can't be seen, or a signal that the phase needs, it is not known: what is not seen could be
// tighter. A limit that has not been measured yet is left out; so it is an upper bound.
func (s *saleEntry) safeAdmission(st *State) {
	safe := &st.SafeAdmission
	safe.Session, safe.Measured = s.session(), s.look.session > 0
	if st.NeededLive < st.Needed {
		safe.Why = fmt.Sprintf("%d of %d needed signals missing", st.Needed-st.NeededLive, st.Needed)
		return
	}
	tightest := -1
	var why string
	for i := range st.Limits {
		l := &st.Limits[i]
		if !slices.Contains([]LimitName{LimitDatabase, LimitActive, LimitInstances}, l.Name) {
			continue
		}
		switch {
		case !l.Has:
			safe.Why = l.Text
			return
		case !l.Bounds && why == "":
			why = l.Why
		case l.Bounds && (tightest < 0 || l.Safe < st.Limits[tightest].Safe):
			tightest = i
		}
	}
	if tightest < 0 {
		safe.Why = why
		if why == "" {
			safe.Why = "no limit of the site is declared"
		}
		st.Binding = fullest(st.Limits)
		return
	}
	l := &st.Limits[tightest]
	st.Binding = l
	safe.Has, safe.PerMinute, safe.Limit = true, roundDown(l.Safe), l.Name
	safe.Evidence = slices.Clone(l.Evidence)
	if at := s.look.sessionAt; safe.Measured {
		safe.Evidence = append(safe.Evidence, Evidence{AdmissionRate, minuteStart(at)})
	}
}

// pressing is the share from which a limit that bounds nothing is worth a word.
const pressing = 0.5

// fullest is the limit that is fullest, or nil when none is pressing.
func fullest(limits []Limit) *Limit {
	var most *Limit
	for i := range limits {
		if l := &limits[i]; l.Has && l.Ratio >= pressing && (most == nil || l.Ratio > most.Ratio) {
			most = l
		}
	}
	return most
}

// roundDown rounds down to a round figure that is less than 2 % off: 641 is 640, 1,153 is 1,150,
// 266.7 is 266.
func roundDown(v float64) float64 {
	step := 1.0
	if v >= 50 {
		step = math.Pow(10, math.Floor(math.Log10(v/50)))
	}
	return math.Floor(v/step) * step
}
