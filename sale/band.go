package sale

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale/anomaly"
)

// This file holds a signal against the band that its own system's model takes for usual, where a
// source asks for one: CloudWatch's ANOMALY_DETECTION_BAND. It stands beside the detector of
// sale/anomaly and follows its rule: so many odd minutes in a row, to a side that is odd for the
// signal, in the phases in which it is watched, and not while the gate was just set.

// BandReading is what the model of a signal's system takes for usual at one instant of its values.
// One with a Why says that there is none.
type BandReading struct {
	Key
	At        time.Time // of the value that it is for
	Low, High float64   // finite, in the signal's unit; Low <= High
	Why       string    // why there is none; clean, one line
}

// Band is how a signal stands to the band of its system's model.
type Band struct {
	Width     float64   // standard deviations to each side, as declared
	Low, High float64   // of the newest value
	At        time.Time // the instant of that value
	On        bool      // the newest minutes are outside
	Since     time.Time // the instant of the first of them; zero unless On
	Why       string    // why it can't be told; then the figures are 0 and mean nothing
}

// keptBands is how many bands of a signal are kept: more than make a run.
const keptBands = 120

// bandPoint is one band as a slot keeps it.
type bandPoint struct {
	at        int64
	low, high float64
}

// modelled is what the source told of a signal's band.
type modelled struct {
	points []bandPoint // oldest first
	why    string      // why the last poll brought none
}

func (m *modelled) take(r *BandReading) (changed bool) {
	if r.Why != "" {
		changed = m.why != r.Why
		m.why = r.Why
		return changed
	}
	if !isFinite(r.Low) || !isFinite(r.High) || r.Low > r.High || r.At.IsZero() {
		return false
	}
	changed, m.why = m.why != "", ""
	p := bandPoint{r.At.UnixNano(), r.Low, r.High}
	i, known := slices.BinarySearchFunc(m.points, p.at, func(q bandPoint, at int64) int { return int(min(max(q.at-at, -1), 1)) })
	switch {
	case known && m.points[i] == p:
		return changed
	case known:
		m.points[i] = p
	default:
		m.points = slices.Insert(m.points, i, p)
		if over := len(m.points) - keptBands; over > 0 {
			m.points = slices.Delete(m.points, 0, over)
		}
	}
	return true
}

func (m *modelled) at(at int64) (bandPoint, bool) {
	for _, p := range slices.Backward(m.points) {
		if p.at <= at {
			return p, p.at == at
		}
	}
	return bandPoint{}, false
}

// bands hands what a batch tells of models to its signals.
func (in *intake) bands() {
	for i := range in.batch.Bands {
		b := &in.batch.Bands[i]
		sl := in.slots[b.Key]
		if sl == nil || sl.source != in.source || sl.spec.Band == 0 {
			in.ignore(b.Key, "has a band that is not declared for this source")
			continue
		}
		if sl.model.take(b) {
			sl.sale.dirty = true
		}
	}
}

// holdAgainstModels fills in the bands of a state's signals.
func (s *saleEntry) holdAgainstModels(st *State) {
	for i, sl := range s.slots {
		if sl.spec.Band > 0 {
			st.Signals[i].Band = s.band(sl, &st.Signals[i], st.Phase)
		}
	}
}

func (s *saleEntry) band(sl *slot, k *Known, phase Phase) *Band {
	b := &Band{Width: sl.spec.Band}
	last, has := sl.ring.last()
	p, found := sl.model.at(last.at)
	switch {
	case !has:
		b.Why = "no value to hold against it"
	case k.Freshness == Stale:
		b.Why = "its newest value is too old"
	case !found && sl.model.why != "":
		b.Why = sl.model.why
	case !found:
		b.Why = "the model has not told of the newest value yet"
	}
	if b.Why != "" {
		return b
	}
	b.Low, b.High, b.At = p.low, p.high, instant(last.at)
	kind := watchOf(sl.spec.Signal)
	if !inPhase(kind.in, phase) {
		return b
	}
	b.On, b.Since = s.outside(sl, kind)
	return b
}

// watchOf is how a signal is watched; one that nobody watches by its own past is odd to both sides.
func watchOf(name Signal) watchKind {
	for _, w := range watchedSignals {
		if w.signal == name {
			return w
		}
	}
	return watchKind{signal: name, in: whileServing, how: anomaly.Options{Up: true, Down: true}}
}

// outside reports whether the newest values, without a gap and to one side, are outside for as many
// minutes as make an anomaly, and since which of them.
func (s *saleEntry) outside(sl *slot, kind watchKind) (on bool, since time.Time) {
	w := &watchedSignal{watchKind: kind}
	samples := sl.ring.samples
	run, side := 0, 0
	for i := len(samples) - 1; i >= 0; i-- {
		v := samples[i]
		if run > 0 && samples[i+1].at-v.at > int64(sl.gap) {
			break
		}
		p, ok := sl.model.at(v.at)
		if !ok {
			break
		}
		is := p.side(v.value, kind.how)
		minute := minuteAt(v.at - 1) // the value is of the period that ends there
		if is == 0 || run > 0 && is != side || !inPhase(kind.in, s.phaseOf(minute)) {
			break
		}
		if why, _ := s.assessed.excused(s, w, minute); why != "" {
			break
		}
		run, side, since = run+1, is, instant(v.at)
	}
	if run < anomaly.InARow {
		return false, time.Time{}
	}
	newest := samples[len(samples)-1].at
	covered := time.Duration(newest-since.UnixNano()) + sl.spec.Cadence.Period
	if covered < anomaly.InARow*time.Minute {
		return false, time.Time{}
	}
	return true, since
}

// side is 1 above the band, -1 below it, 0 inside and on a side that is not odd.
func (p bandPoint) side(v float64, how anomaly.Options) int {
	switch {
	case v > p.high && how.Up:
		return 1
	case v < p.low && how.Down:
		return -1
	}
	return 0
}

// bandReasons are the sentences for signals outside their band that their own past did not find odd:
// "orders 180/min, usual is 210 to 260/min by CloudWatch".
func (s *saleEntry) bandReasons(st *State) []Reason {
	var reasons []Reason
	for i := range st.Signals {
		k := &st.Signals[i]
		if k.Band == nil || !k.Band.On || slices.ContainsFunc(st.Anomalies, func(a Anomaly) bool { return a.On && a.Signal == k.Spec.Signal }) {
			continue
		}
		reasons = append(reasons, Reason{
			Signal: k.Spec.Signal, Verdict: Watch, Since: k.Band.Since, Source: k.Spec.Source,
			Text: fmt.Sprintf("%s %s, usual is %s", label(k.Spec), Format(k.Value, k.Spec.Unit, k.Spec.Estimate), k.Band.Words(k.Spec.Unit)),
		})
	}
	return reasons
}

// Words writes the band: "210 to 260/min by CloudWatch"; why it is not there where it isn't.
func (b *Band) Words(unit Unit) string {
	if b.Why != "" {
		return "not told by CloudWatch: " + b.Why
	}
	low, high := Format(b.Low, unit, false), Format(b.High, unit, false)
	if i := strings.LastIndexAny(high, "0123456789") + 1; strings.HasSuffix(low, high[i:]) { // the unit is said once
		low = strings.TrimSuffix(low, high[i:])
	}
	if b.Low < 0 && b.High >= 0 { // a model knows nothing of what can't be less than nothing
		return "up to " + Format(b.High, unit, false) + " by CloudWatch"
	}
	return low + " to " + high + " by CloudWatch"
}
