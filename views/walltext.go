package views

import (
	"fmt"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// lostAfter is how long nothing may be judged before the wall says that its link is lost. A snapshot
// that does not change lags less than two seconds behind.
const lostAfter = 5 * time.Second

// wallLink says whether what the wall shows is still fed. held: nothing is judged any more, so the
// clock stands still and no verdict counts. lost: nothing that is read answers. Either has its why.
type wallLink struct {
	held, lost bool
	age        time.Duration // since when, as far as that is known
	why        string
}

func (f *Frame) link() wallLink {
	snap := f.snapshot()
	if behind := f.Now.Sub(snap.At); behind > lostAfter {
		return wallLink{held: true, lost: true, age: behind, why: "nothing was judged for " + sale.FormatAge(behind) + "; clock and figures stand still"}
	}
	var newest time.Time
	for i := range snap.Sources {
		s := &snap.Sources[i]
		switch s.Condition {
		case sale.SourceError, sale.SourceStale, sale.SourceNoData:
		default:
			return wallLink{}
		}
		if at := lastSeen(s); at.After(newest) {
			newest = at
		}
	}
	if len(snap.Sources) == 0 {
		return wallLink{}
	}
	l := wallLink{lost: true, why: "none of " + count(len(snap.Sources), "source") + " answers"}
	if !newest.IsZero() {
		l.age = f.Now.Sub(newest)
		l.why += ", the newest figure is " + sale.FormatAge(l.age) + " old"
	}
	return l
}

// wallClock is the time that the wall shows: it stands still with what is judged.
func (f *Frame) wallClock(l wallLink) time.Time {
	if l.held {
		return f.snapshot().At.In(f.Now.Location())
	}
	return f.Now
}

// wallLook is how a sale's verdict is shown; one that is not judged any more is in doubt.
func wallLook(st *sale.State, l wallLink) look {
	v := lookOf(st.Verdict)
	if l.held {
		v.figure, v.badge, v.word = unknown, unknownWord, "?"+v.word
	}
	return v
}

// wallNames are what a sale may be called in big letters, the one that says most first.
func wallNames(s *sale.Sale) []string {
	act := s.Name
	if _, after, ok := strings.Cut(s.Name, " · "); ok {
		act = after
	}
	var names []string
	add := func(name string) {
		if spelled, whole := bigSpell(name); whole && spelled != "" {
			names = append(names, spelled)
		}
	}
	if s.Wall != "" {
		add(s.Wall)
		return append(names, strings.ToUpper(string(s.ID)))
	}
	add(act)
	if words := strings.Fields(act); len(words) > 1 {
		for _, word := range []string{words[len(words)-1], words[0]} {
			if cells(word) > 3 {
				add(word)
			}
		}
	}
	id, _ := bigSpell(string(s.ID))
	return append(names, id)
}

// wallName is the first of a sale's names that has room in w cells, else the last one cut to fit.
func wallName(s *sale.Sale, w int) string {
	names := wallNames(s)
	for _, name := range names {
		if bigRows.width(name) <= w {
			return name
		}
	}
	name := names[len(names)-1]
	for name != "" && bigRows.width(name) > w {
		name = strings.TrimRight(name[:len(name)-1], " -")
	}
	return name
}

// bigFor writes how long something lasts in few letters: "4:29", "2H08", "3D04". What it counts is
// said by bigForUnit.
func bigFor(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dH%02d", int(d.Hours()), int(d.Minutes())%60)
	case d < 100*24*time.Hour:
		return fmt.Sprintf("%dD%02d", int(d.Hours())/24, int(d.Hours())%24)
	}
	return fmt.Sprintf("%dD", min(int(d.Hours())/24, 9999))
}

func bigForUnit(d time.Duration) string {
	switch {
	case d < time.Hour:
		return "min:s"
	case d < 24*time.Hour:
		return "hours, min"
	}
	return "days, hours"
}

// wallState is where a sale stands, in big letters: "PAUSED", "T-26:19".
func wallState(st *sale.State, now time.Time) string {
	switch {
	case st.Phase == sale.Closed:
		return "CLOSED"
	case st.Paused() && (st.Phase == sale.Opening || st.Phase == sale.Live || st.Phase == sale.Tail):
		return "PAUSED"
	case st.Sale.Opens.IsZero():
		return ""
	case now.Before(st.Sale.Opens):
		return "T-" + bigFor(st.Sale.Opens.Sub(now))
	}
	return "T+" + bigFor(now.Sub(st.Sale.Opens))
}

// wallCause is the figure that the cause of a sale follows from, and how many wait, in big letters.
func (f *Frame) wallCause(st *sale.State) (cause, wait string) {
	c := &st.Cause
	switch {
	case len(st.Reasons) == 0:
	case c.Blind || st.Verdict == sale.Unknown:
		if missing := st.Needed - st.NeededLive; missing > 0 {
			cause = number(missing) + " of " + number(st.Needed) + " not seen"
		}
	case c.Signal != "":
		if fig := figureOf(st, c.Signal, f); fig.declared {
			cause = fig.label + " " + fig.now
		}
	}
	if k, ok := st.Signal(sale.Waiting); ok && k.Has {
		wait = figureOf(st, sale.Waiting, f).now + " wait"
	}
	cause, _ = bigSpell(cause)
	wait, _ = bigSpell(wait)
	return cause, wait
}

// wallAbout is a sale in one small row, after its name: what is wrong, or how it goes on.
func (f *Frame) wallAbout(st *sale.State) string {
	about := strings.ToLower(phaseWord(st.Phase, false))
	if len(st.Reasons) > 0 || st.Verdict != sale.OK {
		about = f.causeFact(st).text
	}
	if ahead := st.AheadText(f.Now); ahead != "" {
		about += "; " + ahead
	}
	return about
}
