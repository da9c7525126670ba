package views

import (
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// look is how a state is shown: always a glyph, a word and a style together.
type look struct {
	glyph, word string
	figure      style // of its figures
	badge       style // of the word itself
}

func lookOf(v sale.Verdict) look {
	switch v {
	case sale.OK:
		return look{"○", "OK", text, okWord}
	case sale.Watch:
		return look{"◆", "WATCH", watch, watchWord}
	case sale.Bad:
		return look{"▲", "BAD", bad, badWord}
	default:
		return look{"◇", "UNKNOWN", unknown, unknownWord}
	}
}

// recoveredFor is how long a sale's OK stands out after it recovered.
const recoveredFor = time.Minute

// lookOfSale is lookOf a sale, whose OK is marked for a minute after it recovered.
func lookOfSale(st *sale.State, now time.Time) look {
	l := lookOf(st.Verdict)
	if held := now.Sub(st.Since); st.Verdict == sale.OK && !st.Since.IsZero() && held >= 0 && held < recoveredFor {
		l.badge = edge
	}
	return l
}

// verdictFor is "bad for 4:29".
func (f *Frame) verdictFor(st *sale.State) string {
	if st.Since.IsZero() {
		return ""
	}
	return strings.ToLower(lookOf(st.Verdict).word) + " for " + f.held(f.Now.Sub(st.Since))
}

// phaseWord is a phase as a word; the short form has five cells.
func phaseWord(p sale.Phase, short bool) string {
	if !short {
		return strings.ToUpper(string(p))
	}
	switch p {
	case sale.Scheduled:
		return "SCHED"
	case sale.Prequeue:
		return "PREQ"
	case sale.Opening:
		return "OPEN"
	case sale.Closed:
		return "CLOSD"
	}
	return clip(strings.ToUpper(string(p)), 5)
}

func freshnessLook(f sale.Freshness) (string, style) {
	switch f {
	case sale.Fresh:
		return "LIVE", dim
	case sale.Late:
		return "LATE", watch
	case sale.Stale:
		return "STALE", unknown
	default:
		return "NO DATA", unknown
	}
}

func conditionLook(c sale.Condition) look {
	switch c {
	case sale.SourceLive:
		return look{"○", "LIVE", text, dim}
	case sale.SourceLate:
		return look{"◆", "LATE", watch, watchWord}
	case sale.SourceStale:
		return look{"◇", "STALE", unknown, unknownWord}
	case sale.SourceError:
		return look{"▲", "ERROR", bad, badWord}
	case sale.SourceStarting:
		return look{"◇", "START", unknown, unknownWord}
	default:
		return look{"◇", "NO DATA", unknown, unknownWord}
	}
}

// saleTitle names a sale in at most w cells. The venue is cut first: the act stays.
func saleTitle(s *sale.Sale, w int) string {
	full := s.Name
	if s.Venue != "" && !strings.Contains(s.Name, " · ") && !strings.Contains(s.Name, s.Venue) {
		full = s.Venue + " · " + s.Name
	}
	if cells(full) <= w {
		return full
	}
	venue, act, two := strings.Cut(full, " · ")
	if !two {
		return clip(full, w)
	}
	if room := w - cells(act) - 3; room >= 4 {
		return clip(venue, room) + " · " + act
	}
	return clip(act, w)
}

// fact is one line about a sale: what is known beside its figures.
type fact struct {
	label, text string
	style       style
}

// hinders are the notes of what makes a scale-up fail or stop short, and mere those of what is as it
// should be. All others stand between them.
var (
	hinders = []string{
		"deleting", "not_active", "launch_suspended", "suspended_by_aws", "at_max", "hpa_at_max", "pods_unschedulable", "pods_stuck", "keda_paused",
		"keda_paused_scale_out", "hpa_unable", "hpa_inactive", "gitops", "activity_failed", "scaling_failed", "below_desired", "suspended", "replica_failure",
	}
	mere = []string{"hpa_at_min", "hpa_owns", "keda_owns", "hpa_stabilized", "not_scaled", "warm_pool", "weighted", "pods_starting", "launching", "targets_initial"}
)

// weighed are the notes with what hinders first; of one weight they stay in their order.
func weighed(notes []sale.Note) []sale.Note {
	weight := func(n sale.Note) int {
		switch {
		case slices.Contains(hinders, n.Code):
			return 0
		case slices.Contains(mere, n.Code):
			return 2
		}
		return 1
	}
	return slices.SortedStableFunc(slices.Values(notes), func(a, b sale.Note) int { return weight(a) - weight(b) })
}

// problemFacts says which sources of a sale are in trouble, one line each. What a source
// answered but does not have is told only of a signal that is needed now: the row of any
// other says NO DATA, which is nothing strange before the doors open.
func problemFacts(st *sale.State) []fact {
	var facts []fact
	var told []string
	for i := range st.Signals {
		k := &st.Signals[i]
		if k.Problem == nil || slices.Contains(told, k.Spec.Source) {
			continue
		}
		words := problemText(k.Problem)
		if k.Problem.Class == sale.NotFound || k.Problem.Class == sale.BadData {
			if !slices.Contains(k.Spec.Needed, st.Phase) {
				continue
			}
			words = k.Spec.Label + " " + words
		}
		told = append(told, k.Spec.Source)
		facts = append(facts, fact{"source", strings.TrimSpace(k.Spec.Source + " " + words), unknown})
	}
	return facts
}

func neededText(st *sale.State) string {
	return number(st.NeededLive) + " of " + number(st.Needed) + " needed signals"
}

func neededStyle(st *sale.State) style {
	if st.NeededLive < st.Needed {
		return unknown
	}
	return dim
}

func sinceText(r sale.Reason, now time.Time) string {
	if r.Since.IsZero() {
		return r.Text
	}
	return r.Text + ", since " + clockAt(r.Since, now)
}

// clockAt is a time of day in the zone of now; another day's carries its date.
func clockAt(t, now time.Time) string {
	t = t.In(now.Location())
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04:05")
	}
	return t.Format("01-02 15:04")
}

func problemText(p *sale.Problem) string {
	switch {
	case p == nil:
		return ""
	case p.Text == "":
		return strings.ReplaceAll(string(p.Class), "_", " ")
	case p.Class == "":
		return p.Text
	}
	return strings.ReplaceAll(string(p.Class), "_", " ") + ": " + p.Text
}

// doors says when a sale that is not open yet opens, or "".
func doors(st *sale.State, now time.Time) string {
	if st.Phase != sale.Scheduled && st.Phase != sale.Prequeue || st.Sale.Opens.IsZero() {
		return ""
	}
	return "opens " + strings.TrimSuffix(clockAt(st.Sale.Opens, now), ":00")
}
