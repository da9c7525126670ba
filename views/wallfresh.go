package views

import (
	"slices"

	"github.com/onsale-dev/onsale/sale"
)

// wallData says in big letters how much of what is read is fresh.
func (f *Frame) wallData(c *canvas, y int, l wallLink) {
	sources := f.snapshot().Sources
	live := 0
	for i := range sources {
		if sources[i].Condition == sale.SourceLive {
			live++
		}
	}
	s := text
	forms := []string{"DATA " + number(live) + " OF " + number(len(sources)) + " FRESH", number(live) + " OF " + number(len(sources)) + " FRESH"}
	side := ""
	switch {
	case l.lost:
		s, forms = bad, []string{"LINK LOST"}
		if l.age > 0 {
			side = bigFor(l.age)
		}
	case len(sources) == 0:
		s, forms = unknown, []string{"NO SOURCE IS READ", "NO SOURCE"}
	case live < len(sources):
		worst := worstSource(sources)
		s = conditionLook(worst.Condition).figure
		side = conditionLook(worst.Condition).word
		if at := lastSeen(worst); !at.IsZero() {
			side += " " + bigFor(f.Now.Sub(at))
		}
	}
	side, _ = bigSpell(side)
	for _, words := range forms {
		words, _ = bigSpell(words)
		if room := c.w - bigRows.width(side) - 4; bigRows.width(words) <= room {
			c.big(0, y, s, bigRows, words)
			break
		}
	}
	c.bigRight(c.w, y, s, bigRows, side)
}

// conditionRank orders the conditions of sources by how little they tell.
func conditionRank(c sale.Condition) int {
	return slices.Index([]sale.Condition{sale.SourceLive, sale.SourceStarting, sale.SourceLate, sale.SourceStale, sale.SourceError, sale.SourceNoData}, c)
}

func worstSource(sources []sale.SourceState) *sale.SourceState {
	worst := &sources[0]
	for i := range sources {
		if conditionRank(sources[i].Condition) > conditionRank(worst.Condition) {
			worst = &sources[i]
		}
	}
	return worst
}

// wallSources names every source with its age, and those that are not live with their state; where
// there is no room for all of them, those come first.
func (f *Frame) wallSources(c *canvas, y int) {
	sources := f.snapshot().Sources
	order := make([]*sale.SourceState, len(sources))
	total := 0
	for i := range sources {
		order[i] = &sources[i]
		words, _ := f.wallSource(order[i])
		total += cells(words) + 2
	}
	alarms := f.alarmsHeader()
	room := c.w - cells(alarms.forms[0]) - 2
	if total > room {
		slices.SortStableFunc(order, func(a, b *sale.SourceState) int {
			return conditionRank(b.Condition) - conditionRank(a.Condition)
		})
	}
	if total > room && c.w < 100 {
		room = c.w // who walks up to a small wall asks about the sources first
	} else {
		c.right(c.w, y, c.w, alarms.style, alarms.forms[0])
	}
	x := 0
	for i, s := range order {
		words, st := f.wallSource(s)
		rest := "+" + number(len(order)-i)
		need := cells(words)
		if i < len(order)-1 {
			need += 2 + cells(rest)
		}
		if x+need > room {
			c.cut(x, y, room-x, dim, rest)
			return
		}
		x = c.put(x, y, st, words) + 2
	}
}

func (f *Frame) wallSource(s *sale.SourceState) (string, style) {
	l := conditionLook(s.Condition)
	words := clip(s.Name, 24)
	if s.Condition != sale.SourceLive {
		words += " " + l.word
	}
	return words + " " + f.sourceAge(s), l.figure
}

// wallNote is the last row: how the wall behaves, or that its link is lost, or what must not be missed.
func (f *Frame) wallNote(c *canvas, y int, l wallLink) {
	if l.lost {
		c.cut(0, y, c.w, badWord, "▲ LINK LOST: "+l.why)
		return
	}
	if why := f.Header.Loud; why != "" {
		c.cut(0, y, c.w, badWord, "▲ "+why)
		return
	}
	for _, words := range []string{
		"q leaves the wall; the picture moves by one cell every 10 min; redraw 1 a second at most; lost link: this line says LINK LOST and the clock stops",
		"q leaves the wall; moves by one cell every 10 min; lost link: this line says LINK LOST and the clock stops",
		"q leaves the wall; lost link: this line says LINK LOST, the clock stops",
		"q leaves; lost link: this line says so",
	} {
		if cells(words) <= c.w {
			c.put(0, y, dim, words)
			return
		}
	}
}

// wallTiny is the wall below 60x15: the worst sale and the clock, then how fresh the figures are.
func (f *Frame) wallTiny() string {
	c := newCanvas(f.Theme, f.Width, f.Height)
	defer c.release()
	l := f.link()
	clock := f.wallClock(l).Format("15:04:05")
	x := 0
	if states := f.sales(); len(states) == 0 {
		x = c.put(0, 0, unknown, "no sale")
	} else {
		v := wallLook(states[0], l)
		x = c.put(0, 0, v.badge, v.glyph+" "+v.word) + 1
		words := string(states[0].Sale.ID)
		if !states[0].Since.IsZero() {
			words += " " + sale.FormatAge(f.wallClock(l).Sub(states[0].Since))
		}
		x = c.putTo(x, 0, c.w, text, words)
	}
	if from := f.Width - len(clock); from > x {
		c.put(from, 0, text, clock)
	}
	if l.lost {
		c.cut(0, 1, f.Width, badWord, "▲ LINK LOST: "+l.why)
	} else {
		words, s := f.dataSummary()
		c.cut(0, 1, f.Width, s, words[0])
	}
	c.cut(0, 2, f.Width, dim, "too small for the wall, needs "+number(minWidth)+"x"+number(minHeight)+"; q leaves")
	return f.stack(c.rows())
}

// WallBroken is what stands on the wall while its picture can't be drawn: never the last picture,
// which would look alive. It draws nothing of the snapshot, so that what broke the picture can't
// break this.
func (r *Renderer) WallBroken(f Frame, why string) string {
	f.ready()
	c := newCanvas(f.Theme, f.Width, f.Height)
	defer c.release()
	z := hugeRows
	if z.width("NO PICTURE") > f.Width-2 || f.Height < 12 {
		z = bigRows
	}
	if z.width("NO PICTURE") > f.Width-2 || f.Height < 6 {
		z = smallText
	}
	x := min(1, max(f.Width-1, 0))
	y := min(1, max(f.Height-3, 0))
	c.big(x, y, bad, z, "NO PICTURE")
	y += int(z) + 1
	c.cut(x, y, f.Width-x, text, f.Now.Format("15:04:05")+" the wall can't draw what is known; it tries again each second")
	c.cut(x, y+1, f.Width-x, dim, sale.Clean(why, 200))
	c.cut(x, y+2, f.Width-x, dim, "look at another screen of onsale; q leaves")
	return f.stack(c.rows())
}
