package actions

import (
	"fmt"
	"math"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// Sight is whether the signals have shown an effect.
type Sight string

// What a watch can say. NotVisible: the time is up and no sample described any instant after
// the action, so it is not known whether it took. Overtaken: a later action on the same target
// was done before the effect was seen, so that nothing would prove it any more.
const (
	NotYet     Sight = "not_yet"
	Seen       Sight = "seen"
	NotTaken   Sight = "not_taken"
	NotVisible Sight = "not_visible"
	Overtaken  Sight = "overtaken"
)

// Watch looks for the effect of one action in the snapshots. It is pure data: Step returns the
// watch as it is after one more snapshot.
type Watch struct {
	ID     string
	Sale   sale.ID
	Verb   Verb
	Target Target
	To     Value
	Effect Effect
	Sent   time.Time
	Before Observed // the signal when the action was sent

	Sight  Sight
	Took   time.Duration // from sending until it was seen
	Last   Observed      // the newest sample that was looked at
	Looked time.Time
}

// NewWatch begins to look for an effect at the time of sending.
func NewWatch(id string, p Preview, sent time.Time, seen Evidence) Watch {
	w := Watch{ID: id, Sale: p.Request.Sale, Verb: p.Request.Verb, Target: p.Target, To: p.To, Sent: sent, Sight: NotYet}
	if p.Effect != nil {
		w.Effect = *p.Effect
		w.Before = seen.Signal(p.Effect.Signal)
	}
	return w
}

// Step looks at one snapshot at now. A sample counts only when it describes an instant after the
// sending: an older one, however low, proves nothing. Once it is settled a watch stays as it is.
func (w Watch) Step(state *sale.State, now time.Time) Watch {
	if w.Sight != NotYet {
		return w
	}
	w.Looked = now
	o := EvidenceOf(state, now).Signal(w.Effect.Signal)
	after := o.Has && o.At.After(w.Sent)
	if after {
		w.Last = o
	}
	switch {
	case after && w.Effect.reached(o.Value):
		w.Sight, w.Took = Seen, max(now.Sub(w.Sent), 0)
	case now.Sub(w.Sent) >= w.Effect.Within:
		w.Sight = NotTaken
		if !w.Last.Has || !after || !o.Usable() {
			w.Sight = NotVisible
		}
	}
	return w
}

// overtakenBy reports whether a later action hides the effect: on the same target, of the same
// settings or in the same signal.
func (w Watch) overtakenBy(p *Preview) bool {
	return w.Target == p.Target && (len(w.To.Only(p.To)) > 0 || p.Effect != nil && p.Effect.Signal == w.Effect.Signal)
}

func (e Effect) reached(v float64) bool {
	if e.Direction == Down {
		return v <= e.Wanted
	}
	return v >= e.Wanted
}

// String says it for a person: "EFFECT SEEN after 62 s: admitted 800 → 0/min".
func (w Watch) String() string {
	label := w.Last.Label
	if label == "" {
		label = string(w.Effect.Signal)
		if m, ok := sale.MeaningOf(w.Effect.Signal); ok {
			label = m.Label
		}
	}
	is := "not known"
	if w.Last.Has {
		is = sale.Format(w.Last.Value, w.Last.Unit, w.Last.Estimate)
	}
	was := ""
	if w.Before.Has {
		was = sale.Format(w.Before.Value, w.Before.Unit, w.Before.Estimate) + " → "
	}
	switch w.Sight {
	case Seen:
		return fmt.Sprintf("EFFECT SEEN after %d s: %s %s%s", int(math.Round(w.Took.Seconds())), label, was, is)
	case NotTaken:
		return fmt.Sprintf("NOT TAKEN after %s: %s is %s", sale.FormatAge(w.Effect.Within), label, is)
	case NotVisible:
		return fmt.Sprintf("NOT KNOWN after %s: no fresh sample of %s since it was sent", sale.FormatAge(w.Effect.Within), label)
	case Overtaken:
		return "effect not seen before a later action on " + w.Target.String()
	default:
		return fmt.Sprintf("effect not seen yet: %s %s, %s of %s", label, is, sale.FormatAge(w.Looked.Sub(w.Sent)), sale.FormatAge(w.Effect.Within))
	}
}
