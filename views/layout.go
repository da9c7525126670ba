package views

import (
	"strings"

	"github.com/onsale-dev/onsale/sale"
)

// The smallest screen that can be drawn.
const (
	minWidth  = 60
	minHeight = 15
)

// Fits reports whether a screen can be drawn at this size, rather than TooSmall's lines.
func Fits(width, height int) bool { return width >= minWidth && height >= minHeight }

// ready fills in what a careless caller left out, so that no screen needs to ask.
func (f *Frame) ready() {
	f.Width, f.Height = max(f.Width, 0), max(f.Height, 0)
	if f.Theme == nil {
		f.Theme = NewTheme(Options{Dark: true})
	}
	f.Now = f.Now.Truncate(1e9)
	f.Scroll = max(f.Scroll, 0)
}

// sales lists the states of the frame's order; a sale that is gone is left out.
func (f *Frame) sales() []*sale.State {
	snap := f.snapshot()
	states := make([]*sale.State, 0, len(f.Order))
	if len(f.Order) <= 8 {
		for _, id := range f.Order {
			if st := snap.Sale(id); st != nil {
				states = append(states, st)
			}
		}
		return states
	}
	byID := make(map[sale.ID]*sale.State, len(snap.Sales))
	for _, st := range snap.Sales {
		byID[st.Sale.ID] = st
	}
	for _, id := range f.Order {
		if st := byID[id]; st != nil {
			states = append(states, st)
		}
	}
	return states
}

// focused is the sale in focus, else the first one, else nil.
func (f *Frame) focused() *sale.State {
	if st := f.snapshot().Sale(f.Focus); st != nil {
		return st
	}
	if states := f.sales(); len(states) > 0 {
		return states[0]
	}
	return nil
}

// stack joins rows into a frame of exactly Height lines.
func (f *Frame) stack(parts ...[]string) string {
	var b strings.Builder
	b.Grow(f.Width * f.Height * 3)
	n := 0
	for _, rows := range parts {
		for _, row := range rows {
			if n == f.Height {
				return b.String()
			}
			if n > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(row)
			n++
		}
	}
	for ; n < f.Height; n++ {
		if n > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(spaces(f.Width))
	}
	return b.String()
}

// beside joins blocks of equal height side by side, with gap blanks between them.
func beside(gap int, blocks ...[]string) []string {
	if len(blocks) == 1 {
		return blocks[0]
	}
	rows := make([]string, len(blocks[0]))
	var b strings.Builder
	for y := range rows {
		b.Reset()
		for i, block := range blocks {
			if i > 0 {
				b.WriteString(spaces(gap))
			}
			b.WriteString(block[y])
		}
		rows[y] = b.String()
	}
	return rows
}

// pad makes a block of rows exactly h high, w wide.
func pad(rows []string, w, h int) []string {
	for len(rows) < h {
		rows = append(rows, spaces(w))
	}
	return rows[:max(h, 0)]
}

// listSpan cuts a list: the first shown item and how many of n fit into room lines, given
// that the last line says what is missing when not all fit.
func listSpan(n, room, scroll int) (from, shown int) {
	if n <= room {
		return 0, n
	}
	shown = max(room-1, 0)
	return min(scroll, n-shown), shown
}
