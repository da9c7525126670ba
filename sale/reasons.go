package sale

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// verdict judges the sale from its signals: Bad if one is bad; else Unknown if one that this
// phase needs can't be seen, or none can; else Watch if one wants watching, demand surges, a signal
// is odd, a budget burns or a notice holds; else OK.
func (s *saleEntry) verdict(st *State) {
	var seen, readable int
	verdict := OK
	for i := range st.Signals {
		k := &st.Signals[i]
		if k.Spec.Constant == nil {
			readable++
			if !missing(k) {
				seen++
			}
		}
		if slices.Contains(k.Spec.Needed, st.Phase) {
			st.Needed++
			if !missing(k) {
				st.NeededLive++
			}
			if k.Verdict == Unknown {
				verdict = Worst(verdict, Unknown)
			}
		}
		if k.Breach != nil {
			verdict = Worst(verdict, k.Verdict)
			st.Reasons = append(st.Reasons, s.breachReason(k))
		}
	}
	if seen == 0 {
		verdict = Worst(verdict, Unknown)
	}
	switch {
	case st.NeededLive < st.Needed:
		st.Reasons = append(st.Reasons, s.blindness(st)...)
	case seen == 0 && readable == 0:
		st.Reasons = append(st.Reasons, Reason{Verdict: Unknown, Text: "no signal of this sale is read from anywhere", Since: s.started})
	case seen == 0:
		st.Reasons = append(st.Reasons, s.darkness(st)...)
	}
	st.Reasons = append(st.Reasons, s.doubts(st)...)
	for _, r := range s.assessedReasons(st) {
		verdict = Worst(verdict, r.Verdict)
		st.Reasons = append(st.Reasons, r)
	}
	st.Verdict = verdict
	slices.SortStableFunc(st.Reasons, func(a, b Reason) int {
		if c := cmp.Compare(b.Verdict.Rank(), a.Verdict.Rank()); c != 0 {
			return c
		}
		return a.Since.Compare(b.Since)
	})
}

// missing reports whether a signal can't be seen: never read, or stale.
func missing(k *Known) bool { return !k.Has || k.Freshness == Stale }

// blindness gives one reason per source for the needed signals that can't be seen.
func (s *saleEntry) blindness(st *State) []Reason {
	needed := func(k *Known) bool { return missing(k) && slices.Contains(k.Spec.Needed, st.Phase) }
	return s.bySource(st, needed, func(g group) string {
		return fmt.Sprintf("%d of %d needed signals missing: %s (%s: %s)", g.n, st.Needed, g.labels, g.source, g.cause)
	})
}

// darkness gives one reason per source when nothing at all can be seen and nothing is needed.
func (s *saleEntry) darkness(st *State) []Reason {
	return s.bySource(st, missing, func(g group) string {
		return fmt.Sprintf("none of %d signals is known (%s: %s)", g.n, g.source, g.cause)
	})
}

// doubts gives the reasons for needed signals that can be seen and yet not be called OK.
func (s *saleEntry) doubts(st *State) []Reason {
	var reasons []Reason
	doubtful := func(k *Known) bool {
		return !missing(k) && k.Verdict == Unknown && slices.Contains(k.Spec.Needed, st.Phase)
	}
	for i := range st.Signals {
		k, sl := &st.Signals[i], s.slots[i]
		if !doubtful(k) || sl.wentStale && !sl.bad.fold.unknown && !sl.watch.fold.unknown {
			continue
		}
		of := sl.bad.rule.Of
		if !sl.bad.fold.unknown {
			of = sl.watch.rule.Of
		}
		r := Reason{
			Signal: k.Spec.Signal, Verdict: Unknown, Since: k.At, Source: k.Spec.Source,
			Text: fmt.Sprintf("%s can't be judged: %s is not known", label(k.Spec), s.labelOf(of)),
		}
		if limit := st.pointer(of); limit != nil && missing(limit) { // it is the limit's source that is dark, since it is
			r.Source, r.Since = limit.Spec.Source, s.lostSince(limit)
		}
		reasons = append(reasons, r)
	}
	back := func(k *Known) bool {
		sl := s.bySignal[k.Spec.Signal]
		return doubtful(k) && sl.wentStale && !sl.bad.fold.unknown && !sl.watch.fold.unknown
	}
	return append(reasons, s.bySource(st, back, func(g group) string {
		return fmt.Sprintf("just back, one more sample proves it: %s (%s)", g.labels, g.source)
	})...)
}

// group is the signals of one source that can't be judged for the same reason.
type group struct {
	n                     int
	labels, source, cause string
}

// bySource groups signals by the source that reads them, in their order, and makes one
// reason of each group.
func (s *saleEntry) bySource(st *State, in func(*Known) bool, text func(group) string) []Reason {
	var reasons []Reason
	var done []*sourceEntry
	for i := range st.Signals {
		if !in(&st.Signals[i]) || s.slots[i].source == nil || slices.Contains(done, s.slots[i].source) {
			continue
		}
		src := s.slots[i].source
		done = append(done, src)
		var labels []string
		var since time.Time
		for j := range st.Signals {
			k := &st.Signals[j]
			if s.slots[j].source == src && in(k) {
				labels = append(labels, label(k.Spec))
				since = earliest(since, s.lostSince(k))
			}
		}
		reasons = append(reasons, Reason{
			Signal: st.Signals[i].Spec.Signal, Verdict: Unknown, Since: since, Source: src.state.Name,
			Text: text(group{len(labels), listed(labels), src.state.Name, s.cause(src, st, in)}),
		})
	}
	return reasons
}

// mostListed is how many labels a reason names before it counts the rest.
const mostListed = 6

func listed(labels []string) string {
	if n := len(labels); n > mostListed {
		return fmt.Sprintf("%s and %d more", strings.Join(labels[:mostListed-1], ", "), n-mostListed+1)
	}
	return strings.Join(labels, ", ")
}

// causeWidth bounds the words of a problem inside a reason, in cells.
const causeWidth = 80

// cause says why a group of one source's signals can't be seen.
func (s *saleEntry) cause(src *sourceEntry, st *State, in func(*Known) bool) string {
	never := false
	for i := range st.Signals {
		k := &st.Signals[i]
		if s.slots[i].source != src || !in(k) {
			continue
		}
		if k.Problem != nil {
			return Clean(k.Problem.Text, causeWidth)
		}
		never = never || !k.Has
	}
	switch {
	case !never:
		return "no new sample"
	case !src.read:
		return "not read yet"
	default:
		return "it answers without them"
	}
}

// lostSince is when a signal went out of sight: when its last sample became stale, or when
// watching began for one that was never read.
func (s *saleEntry) lostSince(k *Known) time.Time {
	switch {
	case !k.Has:
		return s.started
	case k.Freshness == Stale:
		return k.At.Add(k.Spec.Cadence.lateFor())
	default:
		return k.At
	}
}

// breachReason is the sentence for a broken threshold: "declines 5.8 % > 5.0 % for 40 s".
// The time in it is what the points prove, so that it changes only with a new point.
func (s *saleEntry) breachReason(k *Known) Reason {
	b, rule := k.Breach, k.Breach.Rule
	unit := k.Spec.Unit
	if rule.Of != "" {
		unit = Ratio
	}
	sign := "<"
	if rule.Above {
		sign = ">"
	}
	var text strings.Builder
	lasts := k.At.Sub(b.Since)
	of := ""
	if rule.Of != "" {
		of = " of " + s.labelOf(rule.Of)
	}
	value, limit := distinct(b.Value, rule.Limit, unit, k.Spec.Estimate && rule.Of == "")
	fmt.Fprintf(&text, "%s %s", label(k.Spec), value)
	if !rule.breached(b.Value) {
		back := "below"
		if !rule.Above {
			back = "above"
		}
		fmt.Fprintf(&text, ", was %s %s%s; clears %s %s", sign, limit, of, back, Format(rule.Clear, unit, false))
		if rule.ClearFor > 0 {
			fmt.Fprintf(&text, " for %s", spell(rule.ClearFor))
		}
	} else {
		fmt.Fprintf(&text, " %s %s%s", sign, limit, of)
		switch {
		case !b.Held && lasts > 0:
			fmt.Fprintf(&text, " for %s of %s", spell(lasts), spell(rule.For))
		case !b.Held:
			fmt.Fprintf(&text, ", not yet proven for %s", spell(rule.For))
		case lasts > 0:
			fmt.Fprintf(&text, " for %s", spell(lasts))
		}
	}
	return Reason{Signal: k.Spec.Signal, Verdict: k.Verdict, Text: text.String(), Since: b.Since, Source: k.Spec.Source}
}

// label is the word for a signal in a sentence.
func label(s *Spec) string {
	if s.Label != "" {
		return s.Label
	}
	return string(s.Signal)
}

func (s *saleEntry) labelOf(name Signal) string {
	if sl := s.bySignal[name]; sl != nil {
		return label(sl.spec)
	}
	return string(name)
}

// spell writes a time span in a sentence: "40 s" below a minute, then "2:10".
func spell(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d/time.Second))
	}
	return FormatAge(d)
}
