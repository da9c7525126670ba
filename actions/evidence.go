package actions

import (
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// Evidence is what the signals of a sale said when a preview was asked for.
type Evidence struct {
	At           time.Time
	Known        bool // false: the sale has no state, and everything below means nothing
	Phase        sale.Phase
	Verdict      sale.Verdict
	Reasons      []sale.Reason
	IncidentOpen bool
	Signals      []Observed
}

// Observed is one signal with its age, as a preview and the journal quote it.
type Observed struct {
	Signal    sale.Signal    `json:"signal"`
	Label     string         `json:"label"`
	Unit      sale.Unit      `json:"unit"`
	Has       bool           `json:"has"` // false: never read, Value means nothing
	Value     float64        `json:"value"`
	Estimate  bool           `json:"estimate,omitempty"`
	At        time.Time      `json:"at"`
	Age       time.Duration  `json:"age"` // when it was quoted
	Freshness sale.Freshness `json:"freshness"`
	Verdict   sale.Verdict   `json:"verdict"`
	// Needed marks evidence that must not be stale when the action is confirmed.
	Needed bool `json:"needed,omitempty"`
}

// String writes it for a person: "declines 7.0 % (9s)", "?" before a stale value.
func (o Observed) String() string {
	if !o.Has {
		return o.Label + " not known"
	}
	mark := ""
	if o.Freshness == sale.Stale {
		mark = "?"
	}
	return o.Label + " " + mark + sale.Format(o.Value, o.Unit, o.Estimate) + " (" + sale.FormatAge(o.Age) + ")"
}

// Usable reports whether a value is there and neither stale nor missing.
func (o Observed) Usable() bool {
	return o.Has && (o.Freshness == sale.Fresh || o.Freshness == sale.Late)
}

// Waiting is who waits while capacity is changed, and in words: nobody is let in or sent away by it.
func (e Evidence) Waiting() (people *float64, text string) {
	o := e.Signal(sale.Waiting)
	if !o.Usable() {
		return nil, ""
	}
	v := o.Value
	return &v, sale.Format(v, o.Unit, o.Estimate) + " waiting (" + sale.FormatAge(o.Age) + " old); capacity alone lets nobody in"
}

// EvidenceOf collects what a sale's state says at now. A nil state is unknown.
func EvidenceOf(state *sale.State, now time.Time) Evidence {
	if state == nil {
		return Evidence{At: now, Verdict: sale.Unknown}
	}
	e := Evidence{At: now, Known: true, Phase: state.Phase, Verdict: state.Verdict, Reasons: state.Reasons}
	for _, k := range state.Signals {
		e.Signals = append(e.Signals, observe(k, now))
	}
	if _, declared := state.Signal(SafeAdmission); !declared && state.SafeAdmission.Has {
		e.Signals = append(e.Signals, safeOf(state, now))
	}
	return e
}

// SafeAdmission names, as evidence, how many people per minute the site can carry. It is worked out
// with the sale's state, unless the sale declares a signal of that name.
const SafeAdmission sale.Signal = "safe_admission"

// safeOf is the safe admission as evidence: as old as the oldest reading that it follows from, and as
// fresh as the least fresh.
func safeOf(state *sale.State, now time.Time) Observed {
	safe := &state.SafeAdmission
	o := Observed{
		Signal: SafeAdmission, Label: "safe admission", Unit: sale.PerMinute,
		Has: true, Value: safe.PerMinute, Freshness: sale.Fresh, Verdict: sale.OK,
	}
	for _, e := range safe.Evidence {
		k, ok := state.Signal(e.Signal)
		if !ok || k.Spec.Constant != nil {
			continue
		}
		if o.At.IsZero() || k.At.Before(o.At) {
			o.At, o.Age = k.At, k.Age(now)
		}
		switch f := k.FreshnessAt(now); {
		case f == sale.Stale || f == sale.NoData:
			o.Freshness, o.Verdict = sale.Stale, sale.Unknown
		case f == sale.Late && o.Freshness == sale.Fresh:
			o.Freshness = sale.Late
		}
	}
	return o
}

func observe(k sale.Known, now time.Time) Observed {
	o := Observed{
		Has: k.Has, Value: k.Value, At: k.At, Age: k.Age(now),
		Freshness: k.FreshnessAt(now), Verdict: k.Verdict,
	}
	if k.Spec != nil {
		o.Signal, o.Label, o.Unit, o.Estimate = k.Spec.Signal, k.Spec.Label, k.Spec.Unit, k.Spec.Estimate
	}
	if !o.Has {
		o.Value = 0
	}
	return o
}

// Signal finds one signal; a signal that the sale does not declare comes back without a value.
func (e Evidence) Signal(name sale.Signal) Observed {
	for _, o := range e.Signals {
		if o.Signal == name {
			return o
		}
	}
	label := string(name)
	if m, ok := sale.MeaningOf(name); ok {
		label = m.Label
	}
	return Observed{Signal: name, Label: label, Freshness: sale.NoData, Verdict: sale.Unknown}
}

// Need quotes signals that the action leans on, marked Needed.
func (e Evidence) Need(names ...sale.Signal) []Observed {
	quoted := make([]Observed, 0, len(names))
	for _, name := range names {
		o := e.Signal(name)
		o.Needed = true
		quoted = append(quoted, o)
	}
	return quoted
}
