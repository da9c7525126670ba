package views

import (
	"strings"
	"sync"
)

// cell is one place of a canvas. A wide cluster fills its cell and leaves the next one
// with width 0.
type cell struct {
	text  string
	style style
	width int8
	link  uint8 // 1-based index into the canvas' links; 0: none
}

// canvas is a rectangle of cells. Whatever is drawn outside is cut, so what it encodes to
// has its exact size by construction.
type canvas struct {
	w, h  int
	cells []cell
	links []string
	theme *Theme
}

var canvases = sync.Pool{New: func() any { return new(canvas) }}

// newCanvas returns a blank canvas; release gives its memory back once it is encoded.
func newCanvas(t *Theme, w, h int) *canvas {
	c := canvases.Get().(*canvas)
	c.w, c.h, c.theme = max(w, 0), max(h, 0), t
	n := c.w * c.h
	if cap(c.cells) < n {
		c.cells = make([]cell, n)
	}
	c.cells = c.cells[:n]
	for i := range c.cells {
		c.cells[i] = cell{text: " ", width: 1}
	}
	c.links = c.links[:0]
	return c
}

func (c *canvas) release() { canvases.Put(c) }

// put draws text from x on and returns the column after it. What does not fit is cut.
func (c *canvas) put(x, y int, s style, str string) int {
	return c.putTo(x, y, c.w, s, str)
}

// putTo is put that stops before column end.
func (c *canvas) putTo(x, y, end int, s style, str string) int {
	if y < 0 || y >= c.h {
		return x
	}
	end = min(end, c.w)
	for len(str) > 0 && x < end {
		cluster, w, n := next(str)
		str = str[n:]
		if x+w > end {
			c.set(x, y, s, " ", 1)
			return end
		}
		if x >= 0 {
			c.set(x, y, s, cluster, w)
		}
		x += w
	}
	return x
}

// set fills one cell, and blanks what a wide cluster under it leaves behind.
func (c *canvas) set(x, y int, s style, cluster string, w int) {
	if x < 0 || y < 0 || y >= c.h || x+w > c.w {
		return
	}
	row := c.cells[y*c.w : (y+1)*c.w]
	if row[x].width == 0 && x > 0 {
		row[x-1].text, row[x-1].width = " ", 1
	}
	if last := x + w - 1; row[last].width == 2 && last+1 < c.w {
		row[last+1].text, row[last+1].width = " ", 1
	}
	row[x] = cell{text: cluster, style: s, width: int8(w)}
	if w == 2 {
		row[x+1] = cell{style: s}
	}
}

// cut draws text in a field of w cells, ending in "…" when it does not fit; it returns x+w.
func (c *canvas) cut(x, y, w int, s style, str string) int {
	if w > 0 {
		c.putTo(x, y, x+w, s, clip(str, w))
	}
	return x + max(w, 0)
}

// right draws text so that it ends before column end, in a field of at most w cells.
func (c *canvas) right(end, y, w int, s style, str string) {
	str = clip(str, w)
	c.putTo(end-cells(str), y, end, s, str)
}

// fill repeats a one-cell glyph.
func (c *canvas) fill(x, y, w int, s style, glyph string) {
	for i := x; i < x+w; i++ {
		c.set(i, y, s, glyph, 1)
	}
}

// blank reports whether nothing has been drawn at a place.
func (c *canvas) blank(x, y int) bool {
	return x >= 0 && y >= 0 && x < c.w && y < c.h && c.cells[y*c.w+x].text == " "
}

// anchor makes w cells from x on a hyperlink.
func (c *canvas) anchor(x, y, w int, url string) {
	if len(c.links) >= 250 || y < 0 || y >= c.h {
		return
	}
	c.links = append(c.links, url)
	for i := max(x, 0); i < min(x+w, c.w); i++ {
		c.cells[y*c.w+i].link = uint8(len(c.links))
	}
}

// box draws a frame around the whole canvas.
func (c *canvas) box(s style, g frameGlyphs) {
	right, bottom := c.w-1, c.h-1
	c.fill(1, 0, c.w-2, s, g.across)
	c.fill(1, bottom, c.w-2, s, g.across)
	for y := 1; y < bottom; y++ {
		c.set(0, y, s, g.down, 1)
		c.set(right, y, s, g.down, 1)
	}
	c.set(0, 0, s, g.topLeft, 1)
	c.set(right, 0, s, g.topRight, 1)
	c.set(0, bottom, s, g.bottomLeft, 1)
	c.set(right, bottom, s, g.bottomRight, 1)
}

// rows encodes the canvas, one string a row, each ending in a plain state.
func (c *canvas) rows() []string {
	rows := make([]string, c.h)
	buf := make([]byte, 0, c.w*6)
	for y := range rows {
		buf = c.encode(buf[:0], c.cells[y*c.w:(y+1)*c.w])
		rows[y] = string(buf)
	}
	return rows
}

// encode writes one row. Blanks carry no style unless both neighbours share one: a blank
// then looks the same whatever stands beside it, and is not sent again when that changes.
func (c *canvas) encode(buf []byte, row []cell) []byte {
	var current style
	var link uint8
	ascii := c.theme.options.ASCII
	for x := 0; x < len(row); x++ {
		p := &row[x]
		if p.width == 0 {
			continue
		}
		want := c.theme.same[p.style]
		if p.text == " " && !c.theme.solid[want] {
			want = plain
			if current != plain && !c.theme.solid[current] && resumes(c.theme, row[x+1:], current) {
				want = current
			}
		}
		if want != current {
			buf = c.theme.change(buf, current, want)
			current = want
		}
		if p.link != link {
			buf = c.hyperlink(buf, p.link)
			link = p.link
		}
		if !ascii {
			buf = append(buf, p.text...)
			continue
		}
		if p.text == " " && x+1 < len(row) && row[x+1].text == "→" {
			buf = append(buf, '-')
			continue
		}
		buf = append(buf, asciiOf(p.text, int(p.width))...)
	}
	if link != 0 {
		buf = c.hyperlink(buf, 0)
	}
	if current != plain {
		buf = append(buf, "\x1b[m"...)
	}
	return buf
}

// resumes reports whether the next cell that shows something has the style s, after at most
// two more blanks.
func resumes(t *Theme, rest []cell, s style) bool {
	for i := 0; i < len(rest) && i < 3; i++ {
		if rest[i].text != " " {
			return t.same[rest[i].style] == s
		}
	}
	return false
}

func (t *Theme) change(buf []byte, from, to style) []byte {
	switch {
	case to == plain:
		return append(buf, "\x1b[m"...)
	case t.attr[from]:
		return append(buf, t.after[to]...)
	default:
		return append(buf, t.fresh[to]...)
	}
}

func (c *canvas) hyperlink(buf []byte, link uint8) []byte {
	buf = append(buf, "\x1b]8;;"...)
	if link != 0 {
		buf = append(buf, c.links[link-1]...)
	}
	return append(buf, "\x1b\\"...)
}

// spaces returns n blanks.
func spaces(n int) string {
	const some = "                                                                                                    "
	if n <= 0 {
		return ""
	}
	if n <= len(some) {
		return some[:n]
	}
	return strings.Repeat(" ", n)
}
