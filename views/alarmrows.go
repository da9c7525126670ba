package views

import (
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// alarmListLine is one line of the list: the title of a part, an item, or what is folded under it.
type alarmListLine struct {
	title, side string
	item        *AlarmItem
	index       int
	under       string
}

var alarmTitles = map[AlarmPart]string{
	ForeignAlarm: "other systems say",
	ClearedAlarm: "back to normal in the last hour",
	ShelvedAlarm: "shelved",
}

// alarmRules are what holds of the list, for who reads it for the first time.
var alarmRules = []string{
	"one line per cause; BAD, UNKNOWN, WATCH; inside, sales that are open first, then the oldest",
	"raised after 60 s over the limit, cleared after 120 s under 90 % of it; the bell rings once, on the first BAD of a sale",
	"more than 10 new in 10 min fold into one line, never the worst; the count and the limit stay in the top line",
	"no key clears an alarm: it clears when the value does; A says who looks, a shelf always has an end and a name",
}

// alarmLines lays the items out in room lines from the one that is scrolled to. shown is how many
// items are in sight.
func (f *Frame) alarmLines(items []AlarmItem, room int) (lines []alarmListLine, shown int) {
	b := f.snapshot().Board(f.Now)
	from := clamp(f.Scroll, 0, max(len(items)-1, 0))
	part := ActiveAlarm
	if len(items) == 0 || items[0].Part != ActiveAlarm {
		words := "no alarm stands"
		if len(f.snapshot().Sales) == 0 {
			words = "no sale is declared"
		}
		lines = append(lines, alarmListLine{under: words})
	}
	for i := from; i < len(items); i++ {
		it := &items[i]
		if it.Part != part {
			if part == ActiveAlarm && b.More > 0 {
				lines = append(lines, moreAlarms(&b))
			}
			part = it.Part
			lines = append(lines, alarmListLine{title: alarmTitles[part], side: f.partSide(it)})
		}
		if len(lines) >= room {
			break
		}
		lines = append(lines, alarmListLine{item: it, index: i})
		shown++
		if under := f.under(it); under != "" && len(lines) < room && i+1 <= len(items) {
			lines = append(lines, alarmListLine{under: under})
		}
	}
	if part == ActiveAlarm && b.More > 0 {
		lines = append(lines, moreAlarms(&b))
	}
	if from+shown == len(items) {
		rules := []alarmListLine{{title: "rules of this list"}}
		for _, rule := range alarmRules {
			for _, words := range wrap(rule, f.Width-3, 2) {
				rules = append(rules, alarmListLine{under: words})
			}
		}
		if len(lines)+len(rules) <= room {
			lines = append(lines, rules...)
		}
	}
	if rest := len(items) - from - shown; rest > 0 || len(lines) > room {
		lines = lines[:min(len(lines), room)]
		if rest > 0 {
			last := &lines[len(lines)-1]
			if last.item != nil && len(lines) > 1 {
				shown--
				rest++
			}
			*last = alarmListLine{under: hidden(from, rest)}
		}
	}
	return lines, max(shown, 1)
}

func moreAlarms(b *sale.Board) alarmListLine {
	return alarmListLine{under: number(b.More) + " more in 10 min, none worse than those above"}
}

// partSide is what stands at the right end of a part's title.
func (f *Frame) partSide(it *AlarmItem) string {
	switch it.Part {
	case ForeignAlarm:
		return "state of their own alarms, read " + f.age(f.Now.Sub(it.ReadAt)) + " ago"
	case ShelvedAlarm:
		return "each ends by itself"
	}
	return ""
}

// under is what is folded under an item.
func (f *Frame) under(it *AlarmItem) string {
	switch it.Part {
	case ActiveAlarm:
		var words []string
		if it.Line.Folded != "" {
			words = append(words, "folded: "+it.Line.Folded)
		}
		if n := len(it.Line.Also); n > 0 {
			words = append(words, "also: "+f.saleWords(it.Line.Also))
		}
		return strings.Join(words, " · ")
	case ForeignAlarm:
		if it.Foreign.State == sale.ForeignFiring && it.Foreign.Muted != "" {
			return it.Foreign.Muted + ": this alarm pages nobody"
		}
	}
	return ""
}

// saleWords names sales by their digits, else by their ids.
func (f *Frame) saleWords(ids []sale.ID) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = f.saleMark(id)
	}
	noun := "sales "
	if len(words) == 1 {
		noun = "sale "
	}
	return noun + strings.Join(words, ", ")
}

// saleMark is a sale's digit, else its id; "-" for none.
func (f *Frame) saleMark(id sale.ID) string {
	if id == "" {
		return "-"
	}
	if st := f.snapshot().Sale(id); st != nil && st.Sale.Digit > 0 {
		return number(st.Sale.Digit)
	}
	return string(id)
}

// alarmCols are the widths of the columns, each with its gap; 0 leaves a column out.
type alarmCols [8]int

func alarmColumns(w int) alarmCols {
	cols := alarmCols{10, 9, 9, 3, 0, 21, 11, 14}
	switch {
	case w < 80:
		cols = alarmCols{10, 0, 9, 3, 0, 0, 0, 0}
	case w < 120:
		cols = alarmCols{10, 9, 9, 3, 0, 20, 0, 0}
	case w >= 160:
		cols = alarmCols{10, 9, 9, 4, 0, 40, 16, 22}
	}
	rest := w - 2
	for _, n := range cols {
		rest -= n
	}
	cols[4] = rest
	return cols
}

// row draws the cells of one row; the state has its own look.
func (cols alarmCols) row(c *canvas, y int, s style, words []string) {
	x := 2
	for i, w := range cols {
		if w == 0 {
			continue
		}
		if i == 2 {
			c.right(x+w-2, y, w-1, s, words[i])
		} else {
			c.cut(x, y, w-1, s, words[i])
		}
		x += w
	}
}

func (f *Frame) alarmLine(c *canvas, cols alarmCols, y int, l *alarmListLine) {
	switch {
	case l.title != "":
		c.fill(0, y, f.Width, dim, "─")
		c.put(2, y, dim, " "+l.title+" ")
		if side := " " + l.side + " "; l.side != "" && cells(side)+cells(l.title)+8 <= f.Width {
			c.put(f.Width-2-cells(side), y, dim, side)
		}
		return
	case l.item == nil:
		c.cut(2, y, f.Width-2, dim, l.under)
		return
	}
	chosen := l.index == f.Cursor
	if chosen {
		c.put(0, y, accent, ">")
	}
	look, words := f.alarmWords(l.item)
	s := text
	if l.item.Part == ClearedAlarm || l.item.Part == ShelvedAlarm {
		s = dim
	}
	if chosen {
		s = accent
	}
	cols.row(c, y, s, append([]string{""}, words...))
	c.put(2, y, look.badge, look.glyph+" "+look.word)
}

// alarmWords is the look of an item and its cells after the state.
func (f *Frame) alarmWords(it *AlarmItem) (look, []string) {
	now, a := f.Now, &it.Line.Alarm
	switch it.Part {
	case ForeignAlarm:
		x := &it.Foreign
		since, held := "", ""
		if !x.Since.IsZero() {
			since, held = clockAt(x.Since, now), sale.FormatAge(now.Sub(x.Since))
		}
		answer := ""
		switch {
		case x.Muted != "":
			answer = "MUTED"
		case x.Sale == "":
			answer = "no sale's"
		}
		return foreignLook(x.State), []string{since, held, f.saleMark(x.Sale), x.Name, x.Text, it.Source, answer}
	case ClearedAlarm:
		return look{"○", "cleared", dim, dim}, []string{
			clockAt(it.Ended, now), sale.FormatAge(it.Ended.Sub(a.Raised)), f.saleMark(a.Sale), a.Text, a.Value, a.Source, answerText(a, now),
		}
	case ShelvedAlarm:
		return look{"·", "shelved", dim, dim}, []string{
			clockAt(a.Shelf.At, now), sale.FormatAge(now.Sub(a.Shelf.At)), f.saleMark(a.Sale), a.Text + ": " + shelfText(a), a.Value, a.Source, "until " + a.Shelf.Until.In(now.Location()).Format("15:04"),
		}
	}
	mark := f.saleMark(a.Sale)
	if n := len(it.Line.Also); n > 0 {
		mark += "+"
	}
	return lookOf(a.Verdict), []string{
		clockAt(a.Raised, now), sale.FormatAge(now.Sub(a.Raised)), mark, alarmTitle(a), a.Value, a.Source, answerText(a, now),
	}
}

func alarmTitle(a *sale.Alarm) string {
	if a.Clearing {
		return a.Text + " (inside its limit, clearing)"
	}
	return a.Text
}

func shelfText(a *sale.Alarm) string {
	if a.Shelf.Why == "" {
		return a.Shelf.Who
	}
	return a.Shelf.Who + ", " + a.Shelf.Why
}

func answerText(a *sale.Alarm, now time.Time) string {
	if a.Answered.Who == "" {
		return "nobody yet"
	}
	return a.Answered.Who + " " + a.Answered.At.In(now.Location()).Format("15:04")
}

func answeredBy(it *AlarmItem, now time.Time) string {
	switch {
	case it.Line.Answered.Who != "":
		return "; answered by " + answerText(&it.Line.Alarm, now)
	case it.Part == ActiveAlarm:
		return "; nobody has answered yet"
	}
	return ""
}

// alarmInWords writes the chosen item in full: what was seen, and what can be done.
func (f *Frame) alarmInWords(c *canvas, y, h int, it *AlarmItem) {
	c.fill(0, y, f.Width, dim, "─")
	c.put(2, y, dim, " in words ")
	var facts []fact
	a := &it.Line.Alarm
	if it.Part == ForeignAlarm {
		x := &it.Foreign
		words := x.Kind + " alarm " + x.Name + " of " + it.Source
		if x.Text != "" {
			words += ": " + x.Text
		}
		facts = append(facts, fact{"seen", words, text})
		if x.Through != "" {
			facts = append(facts, fact{"through", x.Through, dim})
		}
		if x.Muted != "" {
			facts = append(facts, fact{"muted", x.Muted, watch})
		}
	} else {
		facts = append(facts, fact{"seen", a.Text + ": " + a.Value + ", broken since " + clockAt(a.Since, f.Now) + ", raised " + clockAt(a.Raised, f.Now) + answeredBy(it, f.Now), text})
		if st := f.snapshot().Sale(a.Sale); st != nil && it.Part == ActiveAlarm {
			if next, _ := f.nextFact(st); next.text != "" && (st.Cause.Signal == a.Signal) {
				facts = append(facts, next)
			}
			facts = append(facts, fact{"sale", saleTitle(st.Sale, f.Width-factIndent) + ", " + string(st.Phase), dim})
		}
	}
	for i, line := range factLines(facts, f.Width, h-1) {
		drawFact(c, 0, y+1+i, f.Width, line)
	}
}

// hitAlarms finds the item whose line is at row y.
func (f *Frame) hitAlarms(y int) Hit {
	p := planAlarms(f)
	if y < p.header {
		return Hit{Area: HeaderArea}
	}
	lines, _ := f.alarmLines(AlarmItems(f.snapshot(), f.Now), p.list)
	if at := y - p.header - p.titles; at >= 0 && at < len(lines) && lines[at].item != nil {
		return Hit{Area: RowArea, Row: lines[at].index}
	}
	return Hit{}
}
