package views

import (
	"slices"
	"strings"
)

// helpLine is one line of the help page.
type helpLine struct {
	group, keys, label, text string
	off                      bool
}

// helpLines makes the page from the table of keys, then adds what the glyphs and figures mean.
func (f *Frame) helpLines(keys []KeyHint, w int) []helpLine {
	var groups []string
	for _, k := range keys {
		if !slices.Contains(groups, k.Group) {
			groups = append(groups, k.Group)
		}
	}
	var lines []helpLine
	add := func(l helpLine) {
		room := max(w-helpIndent(f.Width), 8)
		for i, str := range wrap(l.text, room, 3) {
			if i > 0 {
				l = helpLine{off: l.off}
			}
			l.text = str
			lines = append(lines, l)
		}
		if l.text == "" {
			lines = append(lines, l)
		}
	}
	for _, group := range groups {
		name := group
		for _, k := range keys {
			if k.Group != group {
				continue
			}
			l := helpLine{group: name, keys: k.Keys, label: k.Label, text: k.Help}
			if k.Off != "" {
				l.off, l.text = true, "off: "+k.Off
			}
			add(l)
			name = ""
		}
	}
	for _, row := range [][3]string{
		{"words", "▲ BAD", "over its limit for long enough"},
		{"", "◆ WATCH", "near a limit"},
		{"", "◇ UNKNOWN", "what is needed can't be seen: never taken for OK"},
		{"", "○ OK", "everything needed is seen and inside its limits"},
		{"figures", "~", "the provider's own estimate"},
		{"", "?", "stale: the last known value, dim, with its age"},
		{"", "none", "never read; never zero"},
		{"", ">99,999", "more than its cell can hold"},
		{"age", "LATE", "older than 1.5 periods of its own source"},
		{"", "STALE", "older than 3 periods; a sale that needs it is UNKNOWN"},
		{"trends", "▁ to █", "from zero to the signal's limit, last on the right; a gap is no reading"},
		{"charts", "┄ ┊", "a threshold, a change of phase"},
		{"frames", "┃ ╎ │", "heavy is BAD, dashed is UNKNOWN, light is the rest; > has the focus"},
	} {
		add(helpLine{group: row[0], keys: row[1], text: row[2]})
	}
	return lines
}

const helpGroup = 9

// helpIndent is where the sentence of a help line begins, counted from inside the box.
func helpIndent(width int) int {
	if width < 80 {
		return helpGroup + 12 + 12
	}
	return helpGroup + 14 + 18
}

// HelpRows says how many lines of the help are in sight, of how many.
func (r *Renderer) HelpRows(f Frame, keys []KeyHint) (visible, total int) {
	f.ready()
	total = len(f.helpLines(keys, f.Width-4))
	_, visible = listSpan(total, f.helpRoom(), f.Scroll)
	return visible, total
}

func (f *Frame) helpRoom() int { return max(f.Height-2-footerRows(f)-2, 0) }

// Help draws every key of the table with what it does, or why it does nothing now, and
// what the words, glyphs and figures mean.
func (r *Renderer) Help(f Frame, keys []KeyHint) string {
	f.ready()
	if !Fits(f.Width, f.Height) {
		return r.TooSmall(f)
	}
	c := newCanvas(f.Theme, f.Width, f.helpRoom()+2)
	defer c.release()
	c.box(dim, lightFrame())
	c.put(2, 0, text, strings.TrimRight(" help  "+clip(f.Header.Version, f.Width/3), " ")+" ")
	closes := " ? or esc closes "
	c.put(f.Width-2-len(closes), 0, dim, closes)
	lines := f.helpLines(keys, f.Width-4)
	from, shown := listSpan(len(lines), f.helpRoom(), f.Scroll)
	keysW, labelW := 14, 18
	if f.Width < 80 {
		keysW, labelW = 12, 12
	}
	for i, l := range lines[from : from+shown] {
		y := 1 + i
		s, words := accent, text
		if l.off {
			s, words = dim, dim
		}
		c.cut(2, y, helpGroup-1, dim, l.group)
		c.cut(2+helpGroup, y, keysW-1, s, l.keys)
		c.cut(2+helpGroup+keysW, y, labelW-1, words, l.label)
		c.cut(2+helpGroup+keysW+labelW, y, f.Width-4-helpGroup-keysW-labelW, words, strings.TrimSpace(l.text))
	}
	if shown < len(lines) && c.h > 2 {
		c.put(2, c.h-2, dim, hidden(from, len(lines)-from-shown)+": arrows scroll")
	}
	return f.stack(f.header(2, false), c.rows(), f.footer())
}
