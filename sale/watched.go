package sale

import (
	"fmt"
	"math"
	"time"

	"github.com/onsale-dev/onsale/sale/anomaly"
)

// watchKind says how a signal is held against its own past.
type watchKind struct {
	signal Signal
	flow   bool // people or what they do: a step of the admission makes it another flow
	in     []Phase
	how    anomaly.Options
	trials Signal // the count that a ratio is a part of
}

var (
	whileSelling = []Phase{Opening, Live}
	untilSoldOut = []Phase{Prequeue, Opening, Live}
	whileServing = []Phase{Opening, Live, Tail}
)

// watchedSignals are the signals whose own past says what is usual. Traffic and times are judged by
// their logarithm, ratios as they are: a ratio may only be odd to the bad side. The floors are
// deviations that nobody would call odd: a tenth of a flow, half a point of declines.
var watchedSignals = []watchKind{
	{InflowRate, true, untilSoldOut, anomaly.Options{Log: true, Offset: 1, Trend: true, Floor: 0.15, Up: true, Down: true}, ""},
	{CheckoutRate, true, whileSelling, anomaly.Options{Log: true, Offset: 1, Trend: true, Floor: 0.1, Up: true, Down: true}, ""},
	{OrderRate, true, whileSelling, anomaly.Options{Log: true, Offset: 1, Trend: true, Floor: 0.1, Up: true, Down: true}, ""},
	{PaymentFailureRatio, false, whileServing, anomaly.Options{Floor: 0.005, Up: true}, CheckoutRate},
	{PaymentP95, false, whileServing, anomaly.Options{Log: true, Offset: 0.05, Floor: 0.1, Up: true}, ""},
	{RequestRate, true, whileSelling, anomaly.Options{Log: true, Offset: 1, Trend: true, Floor: 0.1, Up: true, Down: true}, ""},
	{ErrorRatio, false, whileServing, anomaly.Options{Floor: 0.002, Up: true}, RequestRate},
	{LatencyP95, false, whileServing, anomaly.Options{Log: true, Offset: 0.05, Trend: true, Floor: 0.1, Up: true}, ""},
	{EdgeErrorRatio, false, whileServing, anomaly.Options{Floor: 0.002, Up: true}, ""},
	{CacheHitRatio, false, whileServing, anomaly.Options{Floor: 0.01, Down: true}, ""},
}

// growthOfQueue watches how many more people wait with each minute, before the doors open.
var growthOfQueue = watchKind{
	Waiting, true,
	[]Phase{Prequeue},
	anomaly.Options{Log: true, Offset: 1, Trend: true, Floor: 0.15, Counts: 1, Up: true},
	"",
}

// watchedSignal is one signal under watch.
type watchedSignal struct {
	watchKind
	line     *minuteLine
	detector anomaly.Detector
	begun    bool
	next     int64 // the first minute that was not stepped
	newest   Anomaly
}

func newWatched(k watchKind, l *minuteLine) watchedSignal {
	switch l.slot.spec.Unit {
	case PerMinute:
		k.how.Counts = 1
	case PerSecond:
		k.how.Counts = 60
	}
	return watchedSignal{watchKind: k, line: l, detector: anomaly.Detector{Options: k.how}}
}

// looksBack is how many minutes are stepped again when one of them changes. It is more than a
// detector remembers.
const looksBack = 60

// settles is how many minutes a gate takes to do what it is set to, with an overshoot that takes
// about two to converge (Cloudflare, "Waiting Room: how it works"). So long after a step, the
// doors' opening included, nothing is called odd and nothing is called steady.
const settles = 2

// watch steps every detector up to the newest minute that is closed for all that it depends on.
func (a *assessment) watch(s *saleEntry, phase Phase) {
	var told []Anomaly
	for i := range a.watched {
		w := &a.watched[i]
		a.step(s, w)
		if inPhase(w.in, phase) {
			told = append(told, w.newest)
		}
	}
	if a.growth != nil {
		a.step(s, a.growth)
	}
	a.anomalies = told
}

func inPhase(in []Phase, p Phase) bool {
	for _, q := range in {
		if p == q {
			return true
		}
	}
	return false
}

func (a *assessment) step(s *saleEntry, w *watchedSignal) {
	until, from := w.line.next, w.line.from
	for _, gate := range []Signal{AdmissionLimit, AdmissionRate} { // a step must be known before what it does is judged
		if l := a.rates[gate]; l != nil && l != w.line {
			until, from = min(until, l.next), min(from, l.from)
		}
	}
	if w.trials != "" {
		if l := a.rates[w.trials]; l != nil {
			until = min(until, l.next)
		}
	}
	if !w.begun || from < w.next || w.next < until-looksBack || w.next > until {
		w.detector.Reset()
		w.newest = Anomaly{Signal: w.signal, Why: "no minute is closed yet"}
		w.begun, w.next = true, max(until-looksBack, min(w.line.first, until))
	}
	for ; w.next < until; w.next++ {
		w.newest = a.judgeMinute(s, w, w.next)
	}
}

// judgeMinute steps a detector by one minute.
func (a *assessment) judgeMinute(s *saleEntry, w *watchedSignal, m int64) Anomaly {
	an := Anomaly{Signal: w.signal}
	if !inPhase(w.in, s.phaseOf(m)) {
		w.detector.Reset()
		an.Why = "it is not held against its past in this phase"
		return an
	}
	if why, anew := a.excused(s, w, m); why != "" {
		if anew {
			w.detector.Reset()
		}
		an.Why = why
		return an
	}
	v, trials := w.value(m), 0.0
	if w.trials != "" {
		trials = a.eventsOf(w.trials, m)
	}
	if math.IsNaN(v) {
		an.Why = "its newest minute is not known"
		return an
	}
	r := w.detector.Step(m, v, trials)
	if !r.Judged {
		an.Why = fmt.Sprintf("too little data: %d of %d minutes", r.Have, anomaly.Least)
		return an
	}
	an.At = minuteStart(m)
	an.On, an.Value, an.Usual, an.Low, an.High, an.Score = r.On, v, r.Usual, r.Low, r.High, r.Score
	if r.On {
		an.Since = minuteStart(r.Since)
	}
	return an
}

// value is what is judged of a minute.
func (w *watchedSignal) value(m int64) float64 {
	if w.signal == Waiting {
		return w.line.at(m) - w.line.at(m-1)
	}
	return w.line.at(m)
}

// phaseOf is the phase in which a minute began. A tail is known from its first sample on.
func (s *saleEntry) phaseOf(m int64) Phase {
	at := minuteStart(m)
	p := PhaseAt(s.sale, at)
	if p == Live && s.inTail && !at.Before(instant(s.tail.since).Truncate(time.Minute)) {
		return Tail
	}
	return p
}

// excused says why a minute is not judged, or "". anew is true when what follows is another flow, so
// that what was before it is not its past.
func (a *assessment) excused(s *saleEntry, w *watchedSignal, m int64) (why string, anew bool) {
	for _, at := range []time.Time{s.sale.Prequeue, s.sale.Opens} {
		if at.IsZero() {
			continue
		}
		if since := m - minuteAt(at.UnixNano()); since >= 0 && since <= settles {
			return "the doors have just opened", w.flow
		}
	}
	if w.signal == InflowRate || w.signal == Waiting {
		return "", false // who comes does not depend on who is let in
	}
	for back := range int64(settles + 1) {
		if a.stepped(m - back) {
			return "the admission has just been stepped", w.flow
		}
	}
	return "", false
}

// The least change of people let in that is a step of the gate and no chance.
const (
	stepFactor = 1.5
	stepPeople = 20
)

// stepped reports whether the gate was stepped in a minute: its limit was changed, or, as when
// everybody is held back, the people let in jumped.
func (a *assessment) stepped(m int64) bool {
	if is, was := a.rates.at(AdmissionLimit, m), a.rates.at(AdmissionLimit, m-1); math.Abs(is-was) > 0.01*max(is, was) {
		return true
	}
	is, was := a.rates.at(AdmissionRate, m), a.rates.at(AdmissionRate, m-1)
	return math.Abs(is-was) > stepPeople && (is+1 > stepFactor*(was+1) || was+1 > stepFactor*(is+1))
}

// eventsOf is how many events a rate stands for in a minute; 0 when not known.
func (a *assessment) eventsOf(name Signal, m int64) float64 {
	l := a.rates[name]
	v := l.at(m)
	if math.IsNaN(v) || v < 0 {
		return 0
	}
	return v * perMinute(l.slot.spec)
}

// perMinute is how many of a rate's events a minute holds at 1.
func perMinute(s *Spec) float64 {
	if s.Unit == PerSecond {
		return 60
	}
	return 1
}

// anomalyReason is the sentence for an odd signal: "orders 210/min, usual is 480/min by their own past".
func (s *saleEntry) anomalyReason(an *Anomaly) Reason {
	sl := s.bySignal[an.Signal]
	value, usual := distinct(an.Value, an.Usual, sl.spec.Unit, sl.spec.Estimate)
	return Reason{
		Signal: an.Signal, Verdict: Watch, Since: an.Since, Source: sl.spec.Source,
		Text: fmt.Sprintf("%s %s, usual is %s by its own past", label(sl.spec), value, usual),
	}
}
