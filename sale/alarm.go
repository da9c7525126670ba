package sale

import (
	"cmp"
	"slices"
	"time"
)

// How an alarm comes and goes. It is raised after a minute over the limit, the rule's own
// duration included, and cleared after two minutes on the good side of the rule's clear limit,
// which is 90 % of the limit unless declared.
const (
	RaiseAfter = time.Minute
	ClearAfter = 2 * time.Minute
	// FloodLimit is how many new alarms in FloodWindow one person can take in: EEMUA 191's figure
	// for the first ten minutes of an upset. What comes beyond it is folded into one line.
	FloodLimit  = 10
	FloodWindow = 10 * time.Minute
	// ClearedFor is how long an alarm that cleared is still told of.
	ClearedFor = time.Hour
	// LongestShelf bounds for how long an alarm can be shelved.
	LongestShelf = 8 * time.Hour
)

// Alarm is one cause of trouble in one sale: the first thing that broke, with what broke
// after it folded under it.
type Alarm struct {
	Sale    ID
	Key     string  // names the alarm within its sale while it stands: the root's signal, or "source:NAME"
	Signal  Signal  // of the root
	Verdict Verdict // the worst of what is folded here
	Text    string  // "payment declines"
	Value   string  // "7.0 % > 5.0 %"; of a blind one what is missing
	Source  string
	Blind   bool
	Since   time.Time // when the root broke its limit, in the time of its samples
	Raised  time.Time // Since and the time that it had to last
	Folded  string    // labels of what broke after it, joined; "" when nothing did
	// Clearing is set while all of it is back inside its limits and the two minutes run.
	Clearing bool
	Answered Answer
	Shelf    Shelf
}

// Answer is who looks after an alarm. The zero value is nobody.
type Answer struct {
	Who string
	At  time.Time
}

// Shelf is an alarm put aside by a person until a time. The zero value is none.
type Shelf struct {
	Who, Why string
	At       time.Time
	Until    time.Time // never zero on a shelved alarm
}

// Cleared is an alarm that is over.
type Cleared struct {
	Alarm
	At time.Time
}

// ForeignState is the state of an alarm that another system judges.
type ForeignState string

// The states. A pending one is over its limit and has not lasted long enough. Without data a
// system doesn't know: it is never OK.
const (
	ForeignFiring  ForeignState = "firing"
	ForeignPending ForeignState = "pending"
	ForeignOK      ForeignState = "ok"
	ForeignNoData  ForeignState = "no_data"
)

// ForeignAlarm is an alarm as another system tells it. Texts are clean, one line each.
type ForeignAlarm struct {
	Sale    ID     // whose it is by the config's matchers; "": nobody's
	Name    string // as the system calls it
	State   ForeignState
	Since   time.Time // when that state began; zero: not known
	Text    string    // its condition or summary
	Kind    string    // "metric", "composite", "log", "rule", "alert"
	Muted   string    // why it pages nobody, "" when it would
	Through string    // the names of a composite's children, or of the peers that show it; may be empty
}

// rank orders foreign alarms: firing, without data, pending, ok.
func (a *ForeignAlarm) rank() int {
	switch a.State {
	case ForeignFiring:
		return 3
	case ForeignNoData:
		return 2
	case ForeignPending:
		return 1
	}
	return 0
}

// SortForeign orders foreign alarms in place: what fires first, those of a sale before nobody's,
// then the oldest, then by name.
func SortForeign(list []ForeignAlarm) {
	slices.SortStableFunc(list, func(a, b ForeignAlarm) int {
		whose := func(a *ForeignAlarm) int {
			if a.Sale == "" {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(b.rank(), a.rank()), cmp.Compare(whose(&a), whose(&b)), a.Since.Compare(b.Since), cmp.Compare(a.Name, b.Name))
	})
}

// Line is one line of the list of alarms: an alarm, and the further sales that have the same.
type Line struct {
	Alarm
	Also []ID // a source that is dark hides every sale that reads it: one line
}

// Board is the list of alarms at one time.
type Board struct {
	Active  []Line // worst first, then sales that are open, then oldest; without folded and shelved ones
	More    int    // new ones beyond the flood limit, folded; the worst are never among them
	Shelved []Line
	Cleared []Cleared // newest first, of the last hour
	New     int       // raised in the last ten minutes, those that have cleared since included
	// PerMinute counts those by minute, the present minute last.
	PerMinute [10]int
}

// Board makes the list of alarms at a time, from all sales of the snapshot.
func (s *Snapshot) Board(now time.Time) Board {
	var b Board
	open := map[ID]int{}
	for _, st := range s.Sales {
		open[st.Sale.ID] = selling(st)
		for i := range st.Alarms {
			b.add(&st.Alarms[i], now)
		}
	}
	var dark []string // sources whose blindness is counted already: it hides many sales and is one event
	for _, c := range s.Cleared {
		if age := now.Sub(c.At); age < ClearedFor {
			b.Cleared = append(b.Cleared, c)
		}
		if c.Blind {
			if slices.Contains(dark, c.Key) {
				continue
			}
			dark = append(dark, c.Key)
		}
		b.count(c.Raised, now)
	}
	slices.SortStableFunc(b.Active, func(x, y Line) int {
		return cmp.Or(cmp.Compare(y.Verdict.Rank(), x.Verdict.Rank()), cmp.Compare(open[x.Sale], open[y.Sale]), x.Raised.Compare(y.Raised))
	})
	b.fold(now)
	return b
}

// add takes in an alarm. The same dark source in several sales is one line.
func (b *Board) add(a *Alarm, now time.Time) {
	list := &b.Active
	if !a.Shelf.Until.IsZero() {
		list = &b.Shelved
	}
	if a.Blind {
		for i := range *list {
			l := &(*list)[i]
			if !l.Blind || l.Key != a.Key {
				continue
			}
			l.Also = append(l.Also, a.Sale)
			l.Verdict = Worst(l.Verdict, a.Verdict)
			if a.Raised.Before(l.Raised) {
				l.Raised, l.Since = a.Raised, a.Since
			}
			if l.Answered.Who == "" {
				l.Answered = a.Answered
			}
			return
		}
	}
	*list = append(*list, Line{Alarm: *a})
	b.count(a.Raised, now)
}

func (b *Board) count(raised, now time.Time) {
	age := now.Sub(raised)
	if age < 0 || age >= FloodWindow {
		return
	}
	b.New++
	b.PerMinute[len(b.PerMinute)-1-int(age/time.Minute)]++
}

// fold takes the new alarms beyond the flood limit out of the list: the last in its order.
func (b *Board) fold(now time.Time) {
	fresh := 0
	b.Active = slices.DeleteFunc(b.Active, func(l Line) bool {
		if now.Sub(l.Raised) >= FloodWindow {
			return false
		}
		if fresh++; fresh > FloodLimit {
			b.More++
			return true
		}
		return false
	})
}
