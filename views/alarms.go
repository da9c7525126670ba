package views

import (
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// AlarmPart is a part of the list of alarms.
type AlarmPart uint8

// The parts, in the order of the screen.
const (
	ActiveAlarm AlarmPart = iota
	ForeignAlarm
	ClearedAlarm
	ShelvedAlarm
)

// AlarmItem is one row of the list that a cursor can stand on.
type AlarmItem struct {
	Part    AlarmPart
	Line    sale.Line         // of an active or shelved one, and of a cleared one without its end
	Ended   time.Time         // of a cleared one
	Foreign sale.ForeignAlarm // of another system's
	Source  string            // that told of it
	ReadAt  time.Time
}

// AlarmItems lists the rows of the alarms' screen at a time: our own, then what other systems say
// that is not fine, then what is over, then what is shelved. A cursor is an index into it.
func AlarmItems(s *sale.Snapshot, now time.Time) []AlarmItem {
	b := s.Board(now)
	var items []AlarmItem
	for _, l := range b.Active {
		items = append(items, AlarmItem{Part: ActiveAlarm, Line: l, Source: l.Source})
	}
	var foreign []AlarmItem
	for i := range s.Sources {
		src := &s.Sources[i]
		for _, a := range src.Alarms {
			if a.State != sale.ForeignOK {
				foreign = append(foreign, AlarmItem{Part: ForeignAlarm, Foreign: a, Source: src.Name, ReadAt: src.AlarmsAt})
			}
		}
	}
	items = append(items, foreign...)
	for _, c := range b.Cleared {
		items = append(items, AlarmItem{Part: ClearedAlarm, Line: sale.Line{Alarm: c.Alarm}, Ended: c.At, Source: c.Source})
	}
	for _, l := range b.Shelved {
		items = append(items, AlarmItem{Part: ShelvedAlarm, Line: l, Source: l.Source})
	}
	return items
}

// alarmsPlan is where everything of the alarms' screen stands.
type alarmsPlan struct{ header, footer, titles, list, words int }

func planAlarms(f *Frame) alarmsPlan {
	p := alarmsPlan{header: 2, footer: footerRows(f), titles: 3}
	body := f.Height - p.header - p.footer
	if body < 16 {
		p.titles = 2
	}
	p.words = clamp(body/6, 2, 5)
	p.list = max(body-p.titles-p.words, 1)
	return p
}

// AlarmsRows says how many alarms are in sight, of how many.
func (r *Renderer) AlarmsRows(f Frame) (visible, total int) {
	f.ready()
	items := AlarmItems(f.snapshot(), f.Now)
	_, shown := f.alarmLines(items, planAlarms(&f).list)
	return shown, len(items)
}

// Alarms draws what wants a person now, what other systems say, what is over and what is shelved,
// and the chosen row in words. No key clears an alarm.
func (r *Renderer) Alarms(f Frame) string {
	f.ready()
	if !Fits(f.Width, f.Height) {
		return r.TooSmall(f)
	}
	p := planAlarms(&f)
	items := AlarmItems(f.snapshot(), f.Now)
	c := newCanvas(f.Theme, f.Width, p.titles+p.list+p.words)
	defer c.release()
	f.alarmsSummary(c)
	if p.titles > 2 {
		c.fill(0, 1, f.Width, dim, "─")
	}
	cols := alarmColumns(f.Width)
	cols.row(c, p.titles-1, dim, []string{"state", "since", "for", "#", "cause, first out on top of its group", "value, limit", "source", "answer"})
	lines, _ := f.alarmLines(items, p.list)
	for i := range lines {
		f.alarmLine(c, cols, p.titles+i, &lines[i])
	}
	if len(items) > 0 {
		f.alarmInWords(c, p.titles+p.list, p.words, &items[clamp(f.Cursor, 0, len(items)-1)])
	}
	return f.stack(f.header(p.header, false), c.rows(), f.footer())
}

// alarmsSummary says how many alarms there are, how fast they come and what other systems count.
func (f *Frame) alarmsSummary(c *canvas) {
	b := f.snapshot().Board(f.Now)
	n := len(b.Active) + b.More
	s := text
	if b.New > sale.FloodLimit {
		s = watch
	}
	left := []part{say(text, 0, "alarms"), say(s, 0, number(n)+" active, "+newText(&b), number(n)+" active, "+number(b.New)+" new of "+number(sale.FloodLimit))}
	from, to := f.Now.Add(-time.Duration(len(b.PerMinute)-1)*time.Minute), f.Now
	left = append(left, say(dim, 3, from.Format("15:04")+" "+minutes(b.PerMinute[:])+" "+to.Format("15:04")))
	if b.More > 0 {
		left = append(left, say(watch, 0, number(b.More)+" folded"))
	}
	if n := len(b.Shelved); n > 0 {
		left = append(left, say(dim, 4, number(n)+" shelved"))
	}
	c.spread(0, left, f.foreignCounts())
}

// minutes draws counts as blocks; none is the lowest one.
func minutes(counts []int) string {
	const blocks = "▁▂▃▄▅▆▇█"
	most := 1
	for _, n := range counts {
		most = max(most, n)
	}
	var b strings.Builder
	levels := []rune(blocks)
	for _, n := range counts {
		b.WriteRune(levels[n*(len(levels)-1)/most])
	}
	return b.String()
}

// foreignCounts is one part for each source of alarms, with how many are in which state.
func (f *Frame) foreignCounts() []part {
	var parts []part
	for i := range f.snapshot().Sources {
		src := &f.snapshot().Sources[i]
		if !src.ReadsAlarms {
			continue
		}
		if src.AlarmsAt.IsZero() {
			parts = append(parts, say(unknown, 2, src.Name+" not read"))
			continue
		}
		counts := map[sale.ForeignState]int{}
		for j := range src.Alarms {
			counts[src.Alarms[j].State]++
		}
		words, s := src.Name, dim
		for _, state := range []sale.ForeignState{sale.ForeignOK, sale.ForeignFiring, sale.ForeignPending, sale.ForeignNoData} {
			if n := counts[state]; n > 0 {
				words += " " + number(n) + " " + foreignLook(state).word
			}
		}
		if len(src.Alarms) == 0 {
			words += " none"
		}
		if src.Condition == sale.SourceError {
			words, s = words+", "+f.age(f.Now.Sub(src.AlarmsAt))+" old", unknown
		}
		parts = append(parts, say(s, 2+i, words))
	}
	return parts
}

func foreignLook(s sale.ForeignState) look {
	switch s {
	case sale.ForeignFiring:
		return look{"▲", "ALARM", bad, badWord}
	case sale.ForeignPending:
		return look{"◆", "PENDING", watch, watchWord}
	case sale.ForeignOK:
		return look{"○", "OK", text, okWord}
	default:
		return look{"◇", "NO DATA", unknown, unknownWord}
	}
}
