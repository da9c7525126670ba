package views

import (
	"math"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// outlookFacts say what holds a sale and what lies ahead of it; none where a sale declares nothing
// that it could be worked out from, or is over.
func outlookFacts(st *sale.State, now time.Time) []fact {
	if len(st.Limits) == 0 || st.Phase == sale.Closed {
		return nil
	}
	binds := fact{"binds", st.BindsText(now), text}
	if st.Binding == nil || strings.HasPrefix(binds.text, "not known") {
		binds.style = unknown
	}
	facts := []fact{binds}
	if ahead := st.AheadText(now); ahead != "" {
		facts = append(facts, fact{"ahead", ahead, text})
	}
	return facts
}

// withAges adds to what holds the sale how old the oldest reading is that it follows from.
func withAges(facts []fact, st *sale.State, f *Frame) []fact {
	for i := range facts {
		if at := st.SafeAdmission.At(); facts[i].label == "binds" && st.SafeText(f.Now) != "" && !at.IsZero() {
			facts[i].text += "  (" + f.age(f.Now.Sub(at)) + " old)"
		}
	}
	return facts
}

// planned is the planned course of a signal over the columns of a chart, from start on.
func planned(s *sale.Sale, signal sale.Signal, start time.Time, step time.Duration, n int) (p past, ok bool) {
	course := s.Plan.Line(signal)
	if course == nil || s.Opens.IsZero() {
		return p, false
	}
	p = past{values: make([]float64, n), linked: make([]bool, n), before: math.NaN()}
	for x := range p.values {
		v, known := course.At(start.Add(time.Duration(x) * step).Sub(s.Opens))
		if !known {
			v = math.NaN()
		}
		p.values[x], p.linked[x] = v, known && x > 0 && !math.IsNaN(p.values[x-1])
		ok = ok || known
	}
	return p, ok
}

// plannedNow is what was planned of a signal for the instant of its newest reading.
func plannedNow(st *sale.State, signal sale.Signal) (float64, bool) {
	for i := range st.Plan {
		if p := &st.Plan[i]; p.Signal == signal && p.Has {
			return p.Value, true
		}
	}
	return 0, false
}
