package views

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

const paletteMost = 12 // entries in sight

// Palette draws the command palette as a box to be laid over a screen with Over. entries are
// those that match the input, best first; cursor is the chosen one.
func (r *Renderer) Palette(f Frame, input string, entries []PaletteEntry, cursor int) string {
	f.ready()
	w := min(f.Width, 80)
	room := clamp(f.Height-2-footerRows(&f)-4, 0, paletteMost)
	shown := min(len(entries), room)
	c := newCanvas(f.Theme, w, shown+4)
	defer c.release()
	c.box(accent, lightFrame())
	c.put(2, 0, accent, " palette ")
	if st := f.focused(); st != nil {
		name := " " + strings.TrimSpace("sale "+digitText(st.Sale)) + " " + string(st.Sale.ID) + " "
		if cells(name)+14 < w {
			c.right(w-2, 0, w-14, dim, name)
		}
	}
	x := c.put(2, 1, accent, ":") + 1
	c.put(x, 1, text, lastCells(input, w-6)+"▏")
	cursor = clamp(cursor, 0, max(len(entries)-1, 0))
	from := clamp(cursor-room/2, 0, max(len(entries)-shown, 0))
	titleW := clamp(w*2/5, 10, 32)
	for i := range shown {
		e := &entries[from+i]
		y := 2 + i
		title, rest, words := text, dim, e.Help
		if e.Off != "" {
			title, words = dim, "off  "+e.Off
		}
		if from+i == cursor {
			c.put(2, y, accent, ">")
			if e.Off == "" {
				title, rest = accent, text
			}
		}
		c.cut(4, y, titleW-1, title, e.Title)
		c.cut(4+titleW, y, 9, title, e.Keys)
		c.cut(4+titleW+10, y, w-2-(4+titleW+10), rest, words)
	}
	foot := count(len(entries), "entry")
	if len(entries) != 1 {
		foot = number(len(entries)) + " entries"
	}
	if input != "" {
		foot += " match"
		if len(entries) == 0 {
			foot = "nothing matches"
		}
	}
	c.put(2, c.h-2, dim, clip(foot, w-4))
	if keys := "enter runs it, esc closes"; cells(foot)+len(keys)+6 < w {
		c.right(w-2, c.h-2, len(keys), dim, keys)
	}
	return strings.Join(c.rows(), "\n")
}

// lastCells is the end of a text that is being typed, when it is longer than its field.
func lastCells(s string, w int) string {
	for cells(s) > w && s != "" {
		_, _, n := next(s)
		s = s[n:]
	}
	return s
}

// Over lays a box over a full screen, in the middle between its header and footer. The
// result has the size of the screen; a box that is larger is cut.
func (r *Renderer) Over(base, box string, f Frame) string {
	f.ready()
	if box == "" {
		return base
	}
	lines := strings.Split(base, "\n")
	rows := strings.Split(box, "\n")
	w := 0
	for _, row := range rows {
		w = max(w, ansi.StringWidth(row))
	}
	w = min(w, f.Width)
	x := (f.Width - w) / 2
	room := len(lines) - 2 - footerRows(&f)
	y := 2 + max((room-len(rows))/2, 0)
	if room < len(rows) {
		y = max(len(lines)-len(rows), 0)
	}
	for i, row := range rows {
		if y+i >= len(lines) {
			break
		}
		under := lines[y+i]
		left := ansi.Truncate(under, x, "")
		rest := f.Width - x - w
		right := ansi.TruncateLeft(under, x+w, "")
		if ansi.StringWidth(right) > rest { // half of a wide letter lies under the edge
			right = ansi.TruncateLeft(under, x+w+1, "")
		}
		row = ansi.Truncate(row, w, "")
		var b strings.Builder
		b.WriteString(left)
		b.WriteString(spaces(x - ansi.StringWidth(left)))
		b.WriteString("\x1b[m")
		b.WriteString(row)
		b.WriteString(spaces(w - ansi.StringWidth(row)))
		b.WriteString("\x1b[m")
		b.WriteString(spaces(rest - ansi.StringWidth(right)))
		b.WriteString(right)
		lines[y+i] = b.String()
	}
	return strings.Join(lines, "\n")
}
