package views

import (
	"slices"
	"strings"

	"github.com/onsale-dev/onsale/sale"
)

// sourceInWords says of one source what happened last, what it means for the sales and how
// to mend it.
func (f *Frame) sourceInWords(s *sale.SourceState, h int) []string {
	c := newCanvas(f.Theme, f.Width, h)
	defer c.release()
	c.fill(0, 0, f.Width, dim, "─")
	c.put(2, 0, text, " "+clip(s.Name, f.Width/2)+" in words ")
	facts := []fact{{"last", f.lastTries(s), text}}
	if s.Problem != nil {
		facts = append(facts, fact{"why", problemText(s.Problem), conditionLook(s.Condition).figure})
	}
	facts = append(facts, f.meaning(s)...)
	if s.Problem != nil && s.Problem.Hint != "" {
		facts = append(facts, fact{"mend", s.Problem.Hint, text})
	}
	for _, w := range s.Warnings {
		facts = append(facts, fact{"warns", w, watch})
	}
	for _, n := range s.Notes {
		facts = append(facts, fact{"note", n.Text, text})
	}
	facts = append(facts, fact{"reads", f.pace(s), dim})
	for i, line := range factLines(facts, f.Width, h-1) {
		drawFact(c, 0, i+1, f.Width, line)
	}
	return c.rows()
}

// lastTries lists the last five polls, and when one last succeeded.
func (f *Frame) lastTries(s *sale.SourceState) string {
	tries := s.Recent[:min(len(s.Recent), 5)]
	if len(tries) == 0 {
		return "not tried yet"
	}
	same := true
	for _, t := range tries {
		same = same && outcome(t) == outcome(tries[0])
	}
	words := make([]string, 0, len(tries))
	for _, t := range tries {
		w := clockAt(t.At, f.Now)
		if !same {
			w += " " + outcome(t)
		}
		words = append(words, w)
	}
	line := strings.Join(words, "  ")
	if same {
		line += ", all " + outcome(tries[0])
	}
	if s.Failures > 0 {
		line += ", " + number(s.Failures) + " in a row"
	}
	if s.LastOK.IsZero() {
		return line + "; it never answered"
	}
	return line + "; good " + clockAt(s.LastOK, f.Now) + ", " + f.age(f.Now.Sub(s.LastOK)) + " ago"
}

func outcome(t sale.Try) string {
	if t.Problem == nil {
		return "ok"
	}
	return strings.ReplaceAll(string(t.Problem.Class), "_", " ")
}

// meaning says which sales lack which signals because of a source.
func (f *Frame) meaning(s *sale.SourceState) []fact {
	var facts []fact
	used := 0
	for _, st := range f.snapshot().Sales {
		var needed, other []string
		for i := range st.Signals {
			k := &st.Signals[i]
			if k.Spec.Source != s.Name || k.Spec.Constant != nil {
				continue
			}
			used++
			fresh := k.FreshnessAt(f.Now)
			if k.Has && fresh != sale.Stale && fresh != sale.NoData {
				continue
			}
			if slices.Contains(k.Spec.Needed, st.Phase) {
				needed = append(needed, k.Spec.Label)
			} else {
				other = append(other, k.Spec.Label)
			}
		}
		name := digitText(st.Sale) + string(st.Sale.ID)
		l := lookOf(sale.Unknown)
		if len(needed) > 0 {
			facts = append(facts, fact{"means", "sale " + name + " lacks " + strings.Join(needed, ", ") + ": " + l.word, l.figure})
		} else if len(other) > 0 {
			facts = append(facts, fact{"means", "sale " + name + " does without " + strings.Join(other, ", "), dim})
		}
	}
	switch {
	case len(facts) > 0:
		return facts
	case used == 0:
		return []fact{{"means", "no sale reads anything from it", dim}}
	}
	return []fact{{"means", "no sale lacks anything: " + count(used, "signal") + " read from it are known", dim}}
}

// pace says how often a source is asked, how long that takes and what it costs.
func (f *Frame) pace(s *sale.SourceState) string {
	words := s.Kind + ", " + orNone(s.Gives) + ", every " + every(s.Every)
	if s.Took > 0 {
		words += ", took " + format(s.Took.Seconds(), sale.Seconds)
	}
	if wait := s.NextTry.Sub(f.Now); !s.NextTry.IsZero() && wait >= 0 {
		words += ", next in " + f.age(wait)
	}
	words += "; " + count(s.Calls, "call") + " since start"
	if s.Limit != "" {
		words += ", limit " + s.Limit
	}
	return words
}
