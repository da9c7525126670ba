package views

import (
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// wallShift is how often the picture on the wall moves by one cell, so that no letter burns in.
const wallShift = 10 * time.Minute

// wallPlan is which rows of the wall there is room for. Whole rows are dropped, never squeezed.
type wallPlan struct {
	top    bigSize // of the worst verdict, since when, and the clock
	named  bigSize // of the worst sale's name
	cause  bool    // the cause of the worst sale in big letters
	data   bool    // how much of the data is fresh in big letters
	tall   int     // how many of the other sales have big letters
	small  int     // how many have one row
	hidden int     // how many have none now; one row says so
	from   int     // the first of the other sales that is shown
	page   int     // of pages, from 0 on
	pages  int
}

// The heights of a sale's rows, and of what always stands: the header, the row under the worst sale,
// three rules, the sources and the note.
const (
	tallRows  = 4
	wallFixed = 7
)

func (p *wallPlan) height() int {
	h := wallFixed + int(p.top) + int(p.named)
	if p.top > smallText {
		h++ // what the big figures are
	}
	if p.named > smallText {
		h++ // who the big name is
	}
	if p.cause {
		h += int(bigRows)
	}
	if p.data {
		h += int(bigRows)
	}
	return h
}

// planWall finds the richest wall that has room for n other sales in h rows of w cells.
func planWall(w, h, n int, rotate time.Duration, now time.Time) wallPlan {
	steps := []wallPlan{
		{top: hugeRows, named: bigRows, cause: true, data: true},
		{top: hugeRows, named: bigRows, data: true},
		{top: hugeRows, named: bigRows},
		{top: bigRows, named: bigRows},
		{top: bigRows, named: smallText},
		{top: smallText, named: smallText},
	}
	if w < 70 {
		steps = steps[2:]
	}
	p := steps[len(steps)-1]
	for i, s := range steps {
		room := h - s.height()
		switch {
		case i == 0 && room < tallRows*n: // the cause in big letters goes before a sale does
			continue
		case room < min(n, 2) || i < 2 && room < n:
			continue
		}
		p = s
		break
	}
	p.share(max(h-p.height(), 0), n, rotate, now)
	return p
}

// share gives the other sales their rows: as many as can be in big letters, the rest in one row.
// Where they are to take turns, a page of sales in big letters follows the other.
func (p *wallPlan) share(room, n int, rotate time.Duration, now time.Time) {
	p.pages = 1
	switch {
	case tallRows*n <= room:
		p.tall = n
		return
	case rotate <= 0 && n <= room:
		p.tall = (room - n) / (tallRows - 1)
		p.small = n - p.tall
		return
	}
	room = max(room-1, 0) // one row says what is not shown
	per := room
	if rotate > 0 && room >= tallRows {
		per = room / tallRows
	}
	if rotate > 0 && per > 0 {
		p.pages = (n + per - 1) / per
		p.page = int(max(now.UnixNano(), 0) / int64(rotate) % int64(p.pages))
		p.from = p.page * per
	}
	shown := min(per, n-p.from)
	if rotate > 0 && room >= tallRows {
		p.tall = shown
	} else {
		p.small = shown
	}
	p.hidden = n - shown
}

// Wall draws the war room's screen: the worst sale first, legible from far off, with how fresh the
// figures are. It has one clock that stands still when nothing is judged any more, and moves by one
// cell every ten minutes. f.Rotate lets sales that don't fit take turns; the worst one always stays.
func (r *Renderer) Wall(f Frame) string {
	f.ready()
	w, h := f.Width-2, f.Height-1
	if !Fits(f.Width, f.Height) {
		return f.wallTiny()
	}
	states := f.sales()
	l := f.link()
	p := planWall(w, h, max(len(states)-1, 0), f.Rotate, f.Now)
	c := newCanvas(f.Theme, w, h)
	defer c.release()
	f.wallHeader(c)
	y := f.wallTop(c, 1, p.top, states, l)
	y = wallRule(c, y, "━")
	if len(states) == 0 {
		c.put(0, y, unknown, "no sale is declared: there is nothing to watch")
	} else {
		y = f.wallWorst(c, y, p, states[0], l)
	}
	y = wallRule(c, y, "━")
	f.wallOthers(c, y, p, states, l)
	y = h - 3
	if p.data {
		y -= int(bigRows)
	}
	y = wallRule(c, y, "─")
	if p.data {
		f.wallData(c, y, l)
		y += int(bigRows)
	}
	f.wallSources(c, y)
	f.wallNote(c, y+1, l)
	return f.wallPlace(c.rows())
}

// wallPlace puts the picture to where it is in this ten minutes: six places, one cell apart.
func (f *Frame) wallPlace(picture []string) string {
	places := [6][2]int{{1, 0}, {2, 0}, {2, 1}, {1, 1}, {0, 1}, {0, 0}}
	step := f.Now.Unix() / int64(wallShift/time.Second) % int64(len(places))
	at := places[(step+int64(len(places)))%int64(len(places))]
	rows := make([]string, 0, len(picture)+1)
	for _, row := range picture {
		rows = append(rows, spaces(at[0])+row+spaces(2-at[0]))
	}
	if at[1] > 0 {
		rows = slices.Insert(rows, 0, spaces(f.Width))
	}
	return f.stack(rows)
}

func wallRule(c *canvas, y int, glyph string) int {
	c.fill(0, y, c.w, dim, glyph)
	return y + 1
}

func (f *Frame) wallHeader(c *canvas) {
	h := &f.Header
	left := []part{{dim, []string{"onsale wall", "wall"}, 2}, say(accent, 0, h.Environment)}
	if len(h.Accounts) > 0 {
		left = append(left, part{text, accountForms(h.Accounts), 9})
	}
	left = append(left, part{dim, []string{"READ-ONLY, no key acts here", "no key acts", ""}, 5})
	if h.Driver != "" {
		left = append(left, say(accent, 0, "driver "+h.Driver))
	}
	if h.LinkLag >= slowLink {
		left = append(left, say(watch, 0, "LINK "+format(h.LinkLag.Seconds(), sale.Seconds)))
	}
	words, s := f.dataSummary()
	cost := f.apiCost()
	cost.drop = 8
	left = append(left, part{s, words, 3}, cost)
	c.spread(0, left, []part{{text, []string{f.Now.Format("Mon 2006-01-02 MST"), f.Now.Format("01-02 MST"), ""}, 6}})
}

// wallTop draws the worst verdict, since when, and the clock, as big as they fit side by side.
func (f *Frame) wallTop(c *canvas, y int, most bigSize, states []*sale.State, l wallLink) int {
	word, since, s, caption, unit := "NO SALE", "", unknown, "nothing is declared", ""
	if len(states) > 0 {
		st, v := states[0], wallLook(states[0], l)
		word, s, caption = v.word, v.figure, v.glyph+" worst sale"
		if !st.Since.IsZero() {
			held := f.wallClock(l).Sub(st.Since)
			since, unit = bigFor(held), strings.ToLower(strings.Trim(v.word, "?"))+" for, "+bigForUnit(held)
		}
	}
	if l.held {
		word, since, s = "LINK LOST", bigFor(l.age), bad
		caption, unit = "▲ nothing is judged", "since, "+bigForUnit(l.age)
	}
	clock := f.wallClock(l).Format(time.TimeOnly)
	sizes := topSizes(most, c.w, word, since, clock)
	gap := 3
	if most == hugeRows {
		gap = 5
	}
	x := c.big(0, y+middle(most, sizes[0]), s, sizes[0], word)
	at := max(x+gap, c.w/4)
	if over := at + sizes[1].width(since) + gap + sizes[2].width(clock) - c.w; over > 0 {
		at = max(at-over, x+gap)
	}
	c.big(at, y+middle(most, sizes[1]), s, sizes[1], since)
	clockStyle := text
	if l.held {
		clockStyle = bad
	}
	from := c.w - sizes[2].width(clock)
	c.bigRight(c.w, y+middle(most, sizes[2]), clockStyle, sizes[2], clock)
	if most == smallText {
		return y + 1
	}
	y += int(most)
	x = c.cut(0, y, max(at-1, 0), dim, caption)
	end := c.w
	for _, words := range []string{"server clock; if it stands still this wall is dead", "if it stands still the wall is dead", "stands still: dead"} {
		if start := min(from, c.w-cells(words)); start >= max(x, at+cells(unit)+2) {
			c.put(start, y, dim, words)
			end = start - 1
			break
		}
	}
	c.cut(max(x, at), y, end-max(x, at), dim, unit)
	return y + 1
}

// topSizes makes the clock smaller first, then since when, then the word.
func topSizes(most bigSize, w int, word, since, clock string) [3]bigSize {
	less := bigRows
	if most == bigRows {
		less = smallText
	}
	if most == smallText {
		return [3]bigSize{smallText, smallText, smallText}
	}
	gap := 4
	for _, z := range [][3]bigSize{{most, most, most}, {most, most, less}, {most, less, less}, {less, less, less}} {
		if z[0].width(word)+z[1].width(since)+z[2].width(clock)+2*gap <= w {
			return z
		}
	}
	return [3]bigSize{less, smallText, smallText}
}

// middle is how far down letters start that are smaller than their row.
func middle(most, z bigSize) int { return (int(most) - int(z)) / 2 }

// wallWorst draws the worst sale: its name and where it stands, its cause, and both in small.
func (f *Frame) wallWorst(c *canvas, y int, p wallPlan, st *sale.State, l wallLink) int {
	v := wallLook(st, l)
	now := f.wallClock(l)
	if p.named > smallText {
		f.wallNamed(c, 0, y, st, v.figure, now)
		y += int(bigRows)
	}
	if p.cause {
		cause, wait := f.wallCause(st)
		from := c.w - bigRows.width(wait)
		if bigRows.width(cause)+4 > from {
			wait, from = "", c.w
		}
		for cause != "" && bigRows.width(cause) > from {
			cause = strings.TrimRight(cause[:len(cause)-1], " ")
		}
		c.big(0, y, v.figure, bigRows, cause)
		c.bigRight(c.w, y, text, bigRows, wait)
		y += int(bigRows)
	}
	x := c.put(0, y, v.badge, v.glyph+" "+v.word) + 2
	x = c.put(x, y, dim, "cause") + 2
	words := f.causeFact(st).text
	if k, ok := st.Signal(st.Cause.Signal); ok && k.Has && k.Spec.Constant == nil {
		words += " (" + f.age(now.Sub(k.At)) + " old)"
	}
	if binds := st.BindsText(now); binds != "" && x+cells(words)+cells(binds)+9 <= c.w {
		words += "   binds  " + binds
	}
	c.cut(x, y, c.w-x, text, words)
	f.wallTitle(c, y+1, st, now)
	return y + 2
}

// wallTitle is a sale's full name, its clock and its incident in one row.
func (f *Frame) wallTitle(c *canvas, y int, st *sale.State, now time.Time) {
	x := c.put(0, y, text, saleTitle(st.Sale, max(c.w-30, 10))) + 2
	x = c.put(x, y, dim, phaseWord(st.Phase, false)+" "+sale.Clock(st.Sale.Opens, now)) + 2
	for _, form := range f.incidentForms(st) {
		if w := form.cells(); x+w <= c.w {
			form.draw(c, c.w-w, y, c.w)
			break
		}
	}
}

// wallNamed draws a sale's digit, name and state in big letters from column x on.
func (f *Frame) wallNamed(c *canvas, x, y int, st *sale.State, s style, now time.Time) {
	if st.Sale.Digit > 0 {
		c.big(x, y, s, bigRows, number(st.Sale.Digit))
		x += 8
	}
	state := wallState(st, now)
	from := c.w - bigRows.width(state)
	if from-x < 24 {
		state, from = "", c.w
	}
	c.bigRight(c.w, y, s, bigRows, state)
	c.big(x, y, s, bigRows, wallName(st.Sale, from-x-3))
}

// wallOthers draws the sales after the worst one.
func (f *Frame) wallOthers(c *canvas, y int, p wallPlan, states []*sale.State, l wallLink) {
	if len(states) < 2 {
		return
	}
	others := states[1:]
	now := f.wallClock(l)
	for i := range p.tall {
		st := others[p.from+i]
		v := wallLook(st, l)
		x := 0
		if c.w >= 110 {
			word, _ := bigSpell(v.word)
			c.big(0, y, v.figure, bigRows, word)
			x = bigRows.width("?UNKNOWN") + 3
		}
		f.wallNamed(c, x, y, st, v.figure, now)
		f.wallRow(c, y+int(bigRows), st, v, now, false)
		y += tallRows
	}
	for i := range p.small {
		st := others[p.from+p.tall+i]
		f.wallRow(c, y, st, wallLook(st, l), now, true)
		y++
	}
	if p.hidden > 0 {
		hidden := slices.Concat(others[:p.from], others[p.from+p.tall+p.small:])
		worst := hidden[0]
		for _, st := range hidden {
			if st.Verdict.Rank() > worst.Verdict.Rank() {
				worst = st
			}
		}
		words := number(p.hidden) + " more, worst " + wallLook(worst, l).word
		if p.pages > 1 {
			turn := f.Rotate - time.Duration(f.Now.UnixNano()%int64(f.Rotate))
			words += "; page " + number(p.page+1) + " of " + number(p.pages) + ", the next in " + sale.FormatAge(turn)
		}
		c.cut(0, y, c.w, wallLook(worst, l).figure, words)
	}
}

// wallRow is a sale in one row of small letters. alone: no big letters say its digit and clock.
func (f *Frame) wallRow(c *canvas, y int, st *sale.State, v look, now time.Time, alone bool) {
	x := 0
	if alone || c.w < 110 {
		x = c.put(x, y, v.badge, v.glyph+" "+v.word)
		x = max(x+1, 11)
	} else {
		x = c.put(x, y, v.figure, v.glyph) + 1
	}
	if alone {
		if st.Sale.Digit > 0 {
			c.put(x, y, text, number(st.Sale.Digit))
		}
		x += 2
		if !st.Since.IsZero() {
			c.right(x+8, y, 8, v.figure, sale.FormatAge(now.Sub(st.Since)))
		}
		x += 9
	}
	w := c.w - x
	title := saleTitle(st.Sale, max(w/3, 12))
	if !alone {
		title = saleTitle(st.Sale, max(w/2, 12))
	}
	x = c.put(x, y, text, title)
	if alone {
		x = c.put(x, y, dim, "  "+shortClock(st, now))
	}
	c.cut(x, y, c.w-x, text, ": "+f.wallAbout(st))
}
