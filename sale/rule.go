package sale

import (
	"math"
	"strconv"
	"time"
)

// Rule is one threshold: the value, or its ratio to another signal, is beyond Limit for at
// least For. It clears when the value has been back over the clear limit for ClearFor.
//
// A value equal to Limit does not break the rule; a value equal to Clear clears it. A Rule
// with neither Clear nor ClearFor has the defaults of both.
type Rule struct {
	Above    bool    // true: "> Limit" breaches; false: "< Limit" breaches
	Limit    float64 // in the signal's unit; a ratio 0–1 when Of is set
	Of       Signal  // compare value/Of instead of value; "" for the value itself
	For      time.Duration
	Clear    float64       // the limit of return; 90 % of Limit on the good side unless declared
	ClearFor time.Duration // 2 × For, at least 30 s, unless declared
}

// clearAtLeast is the shortest default ClearFor.
const clearAtLeast = 30 * time.Second

// defaultClear is the limit moved by a tenth towards the good side: 0.9 × for "> 5", 1.1 ×
// for "< 80 %". A limit of zero clears at zero.
func (r Rule) defaultClear() float64 {
	factor := 1.1
	if r.Above == (r.Limit > 0) {
		factor = 0.9
	}
	// To twelve digits, so that nine tenths of 0.02 is 0.018 and not 0.018000000000000002.
	clear, err := strconv.ParseFloat(strconv.FormatFloat(r.Limit*factor, 'g', 12, 64), 64)
	if err != nil || !isFinite(clear) || r.breached(clear) {
		return r.Limit
	}
	return clear
}

func (r Rule) defaultClearFor() time.Duration { return max(2*r.For, clearAtLeast) }

// withDefaults fills in the clear side of a rule that has none.
func (r Rule) withDefaults() Rule {
	if r.Clear == 0 && r.ClearFor == 0 {
		r.Clear, r.ClearFor = r.defaultClear(), r.defaultClearFor()
	}
	return r
}

// isFinite reports whether a number is neither NaN nor infinite.
func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// Rules are a signal's thresholds. ByPhase overrides Default where a phase has its own;
// a nil rule there switches the threshold off in that phase.
type Rules struct {
	Watch, Bad Thresholds
}

// Thresholds is one level's rule in each phase.
type Thresholds struct {
	Default *Rule
	ByPhase map[Phase]*Rule
}

// In returns the rule that holds in a phase, or nil when there is none.
func (t Thresholds) In(p Phase) *Rule {
	if r, ok := t.ByPhase[p]; ok {
		return r
	}
	return t.Default
}
