package views

import (
	"strings"

	"github.com/onsale-dev/onsale/sale"
)

// facts lists what there is to say of a sale, the most important first: its cause, the next safe
// move where there is one to make, what else is wrong, and what an operator must know beside it.
func (f *Frame) facts(st *sale.State) []fact {
	facts := append(make([]fact, 0, 8), f.causeFact(st))
	next, pressing := f.nextFact(st)
	ahead := outlookFacts(st, f.Now)
	if pressing { // it is never what a small screen leaves out
		facts = append(facts, ahead[:min(1, len(ahead))]...)
		facts = append(facts, next)
		ahead = ahead[min(1, len(ahead)):]
	}
	facts = append(facts, ahead...)
	for i := range st.Reasons {
		if r := &st.Reasons[i]; !st.Cause.Says(r) && (st.Cause.Text != "" || i > 0) {
			facts = append(facts, fact{"also", sinceText(*r, f.Now), text})
		}
	}
	blind := len(st.Reasons) > 0 && st.NeededLive < st.Needed
	needed := fact{"needed", "signals: " + number(st.NeededLive) + " of " + number(st.Needed) + " live", neededStyle(st)}
	if blind {
		facts = append(facts, needed)
	}
	for _, n := range weighed(st.Notes) {
		facts = append(facts, fact{"note", n.Text, watch})
	}
	facts = append(facts, problemFacts(st)...)
	if words := alarmsText(st); words != "" {
		facts = append(facts, fact{"alarms", words, text})
	}
	if !pressing && next.text != "" {
		facts = append(facts, next)
	}
	if len(st.Reasons) > 0 && st.Needed > 0 && !blind {
		facts = append(facts, needed)
	}
	return append(facts, standingFacts(st)...)
}

// causeFact is the root of the reasons, and since when.
func (f *Frame) causeFact(st *sale.State) fact {
	switch c := &st.Cause; {
	case len(st.Reasons) > 0 && c.Text != "":
		words := c.Text
		if !c.Since.IsZero() {
			words += ", since " + clockAt(c.Since, f.Now)
		}
		return fact{"cause", words, text}
	case len(st.Reasons) > 0:
		return fact{"cause", sinceText(st.Reasons[0], f.Now), text}
	case st.Verdict != sale.OK:
		return fact{"cause", "not known: no reason was given", unknown}
	case st.Needed == 0:
		return fact{"cause", "none: no signal is needed now, none is over its limit", dim}
	}
	return fact{"cause", "none: " + neededText(st) + " live and inside limits", dim}
}

// nextFact is the next safe move with the key that does it. pressing is false where there is
// nothing to do but to watch.
func (f *Frame) nextFact(st *sale.State) (next fact, pressing bool) {
	m := &st.Next
	if m.Text == "" {
		return fact{}, false
	}
	words := m.Text
	if key := f.ActKeys[m.Action]; key != "" {
		words = key + " " + words
	}
	if m.Action == "" && (st.Verdict == sale.OK || st.Verdict == sale.Watch) {
		return fact{"next", words, dim}, false
	}
	return fact{"next", words, accent}, true
}

// alarmsText is the alarms of a sale in a line: "2: payment declines (first), db conns".
func alarmsText(st *sale.State) string {
	var names []string
	for i := range st.Alarms {
		a := &st.Alarms[i]
		if !a.Shelf.Until.IsZero() {
			continue
		}
		var said []string
		if len(names) == 0 && len(st.Alarms) > 1 {
			said = append(said, "first")
		}
		switch {
		case a.Clearing:
			said = append(said, "clearing")
		case a.Answered.Who != "":
			said = append(said, a.Answered.Who)
		}
		name := a.Text
		if len(said) > 0 {
			name += " (" + strings.Join(said, ", ") + ")"
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return ""
	}
	return number(len(names)) + ": " + strings.Join(names, ", ")
}

// alarmsHeader is the alarms of all sales, for the header.
func (f *Frame) alarmsHeader() part {
	b := f.snapshot().Board(f.Now)
	n := len(b.Active) + b.More
	if n == 0 && b.New == 0 {
		return say(dim, 7, "alarms 0")
	}
	s := text
	if b.New > sale.FloodLimit {
		s = watch
	}
	brief := "alarms " + number(n)
	return say(s, 4, brief+" active, "+newText(&b), brief)
}

// newText says how fast alarms come, against what a person can take in.
func newText(b *sale.Board) string {
	return number(b.New) + " new in 10 min (limit " + number(sale.FloodLimit) + ")"
}
