package sale

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Cause is why a sale has its verdict: the root among what is broken, by which broke first and
// by a small causal order (see leads), never without its evidence. On a sale that is OK it says
// so, and Signal is empty.
type Cause struct {
	Text     string   // one clean line without a time: "payment declines 7.0 %"
	Signal   Signal   // the root; empty when nothing is broken
	Source   string   // who reads it; of a blind sale the source that can't be read
	Blind    bool     // it is that a source can't be seen
	Verdict  Verdict  // of everything that follows from it
	Evidence []Signal // the root, then what follows from it by when it broke
	Since    time.Time
	More     int // further causes that have nothing to do with this one
}

// Says reports whether a reason is what the cause's text already tells.
func (c *Cause) Says(r *Reason) bool {
	if r.Verdict == Unknown {
		return c.Blind && r.Source == c.Source
	}
	return !c.Blind && c.Text != "" && r.Signal == c.Signal
}

// rootCause is the cause of a state, from the families of its faults.
func (s *saleEntry) rootCause(st *State, fams []family) Cause {
	if len(fams) == 0 || fams[0].verdict().Rank() < st.Verdict.Rank() {
		if c, ok := assessedCause(st); ok {
			c.More = len(fams)
			return c
		}
	}
	if len(fams) == 0 {
		return Cause{Text: s.nothingWrong(st), Verdict: st.Verdict}
	}
	fam := fams[0]
	root := fam[0]
	c := Cause{
		Signal: root.signal, Source: root.source, Blind: root.blind, Verdict: fam.verdict(),
		Since: root.since, More: len(fams) - 1, Evidence: make([]Signal, 0, len(fam)+1),
	}
	var after []string
	for _, k := range root.parts {
		c.Evidence = append(c.Evidence, k.Spec.Signal)
	}
	for i, f := range fam {
		if !slices.Contains(c.Evidence, f.signal) {
			c.Evidence = append(c.Evidence, f.signal)
		}
		if i > 0 && f.derived == "" {
			after = append(after, s.labelOf(f.signal))
		}
	}
	if root.signal == CapacityInService && root.derived != "" {
		c.Evidence = append(c.Evidence, CapacityDesired, CapacityMax)
	}
	c.Text = s.causeText(st, root)
	if len(after) > 0 {
		c.Text += ", then " + listed(after)
	}
	return c
}

// assessedCause is the first of the worst reasons where nothing that broke a limit is as bad: a
// budget that burns, a figure that is odd.
func assessedCause(st *State) (c Cause, ok bool) {
	if len(st.Reasons) == 0 || st.Reasons[0].Verdict != st.Verdict {
		return Cause{}, false
	}
	r := &st.Reasons[0]
	return Cause{Text: r.Text, Signal: r.Signal, Source: r.Source, Verdict: r.Verdict, Evidence: []Signal{r.Signal}, Since: r.Since}, true
}

// causeText is the root in words, with the figure that proves it.
func (s *saleEntry) causeText(st *State, f *fault) string {
	switch {
	case f.blind:
		return "source " + f.source + " can't be read: " + st.blindness(f.source)
	case f.derived != "" || f.known == nil:
		return f.reason
	}
	k := f.known
	b := k.Breach
	unit := k.Spec.Unit
	if b.Rule.Of != "" {
		unit = Ratio
	}
	value, limit := distinct(b.Value, b.Rule.Limit, unit, k.Spec.Estimate && b.Rule.Of == "")
	text := causeWord(k.Spec) + " " + value
	if len(f.parts) == 1 {
		text = f.blamed + " " + Format(f.parts[0].Value, unit, k.Spec.Estimate) + ", all " + value
	} else if len(f.parts) > 1 {
		text = f.blamed + ", all " + value
	}
	sign := " < "
	if b.Rule.Above {
		sign = " > "
	}
	if !b.Rule.breached(b.Value) {
		sign = ", was" + sign
	}
	text += sign + limit
	if b.Rule.Of != "" {
		text += " of " + s.labelOf(b.Rule.Of)
	}
	return text
}

// blindness says why a source shows nothing, in the words of the first signal that it hides, and
// how much that hides.
func (s *State) blindness(source string) string {
	why, lost := "", 0
	for i := range s.Signals {
		k := &s.Signals[i]
		if k.Spec.Source != source || !slices.Contains(k.Spec.Needed, s.Phase) || k.Verdict != Unknown {
			continue
		}
		lost++
		switch {
		case why != "":
		case k.Problem != nil:
			why = brief(k.Problem)
		case !k.Has:
			why = "no sample yet"
		case k.Freshness == Stale:
			why = "no new sample"
		default:
			why = "not enough samples to judge"
		}
	}
	if lost == 0 {
		return "it shows none of its signals"
	}
	return fmt.Sprintf("%s; %d of %d needed signals missing", why, lost, s.Needed)
}

// brief is a problem in the fewest words: of a line that nothing answers on, what happened and not
// the address, which the source's own row tells.
func brief(p *Problem) string {
	text := p.Text
	if p.Class == Unreachable {
		text = text[strings.LastIndex(text, ": ")+1:]
	}
	return Clean(strings.TrimSpace(text), causeWidth)
}

// causeWord is what is broken in words that stand alone; a label of the config's own counts.
func causeWord(spec *Spec) string {
	own := spec.Label
	if m, ok := MeaningOf(spec.Signal); ok && (own == "" || own == m.Label) {
		if word, ok := causeWords[spec.Signal]; ok {
			return word
		}
	}
	return label(spec)
}

var causeWords = map[Signal]string{
	PaymentFailureRatio: "payment declines",
	PaymentP95:          "payment calls p95",
	DBConnections:       "db connections",
	DBCPURatio:          "database CPU",
	LatencyP95:          "response time p95",
	ErrorRatio:          "failing requests",
	EdgeErrorRatio:      "failing requests at the edge",
	CacheHitRatio:       "cache hits",
	QueueDepth:          "orders waiting",
	QueueOldestSeconds:  "oldest order waits",
	ActiveUsers:         "people on the site",
	Waiting:             "people waiting",
	PodsPending:         "pods without a node",
}

func (s *saleEntry) nothingWrong(st *State) string {
	switch {
	case st.Verdict != OK:
		return "not known: nothing is read of this sale"
	case st.Needed == 0:
		return "none: no signal is needed now, none is over its limit"
	}
	return fmt.Sprintf("none: %d of %d needed signals live and inside limits", st.NeededLive, st.Needed)
}
