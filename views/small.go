package views

import (
	"github.com/onsale-dev/onsale/sale"
)

// TooSmall is what every screen shows below 60x15: the worst sale and the time, then what
// it would take to see more. It needs two lines; on one it shows the worst sale alone.
func (r *Renderer) TooSmall(f Frame) string {
	f.ready()
	c := newCanvas(f.Theme, f.Width, f.Height)
	defer c.release()
	clock := f.Now.Format("15:04:05")
	var worst *sale.State
	for _, st := range f.snapshot().Sales {
		if worst == nil || st.Verdict.Rank() > worst.Verdict.Rank() {
			worst = st
		}
	}
	x := 0
	if worst == nil {
		x = c.put(0, 0, text, "no sale")
	} else {
		l := lookOf(worst.Verdict)
		x = c.put(0, 0, l.badge, l.glyph+" "+l.word) + 1
		words := string(worst.Sale.ID)
		if !worst.Since.IsZero() {
			words += " " + sale.FormatAge(f.Now.Sub(worst.Since))
		}
		x = c.putTo(x, 0, f.Width, text, words)
	}
	if from := f.Width - len(clock); from > x {
		c.put(from, 0, text, clock)
	}
	size := number(f.Width) + "x" + number(f.Height) + ": too small, needs " + number(minWidth) + "x" + number(minHeight)
	c.cut(0, 1, f.Width, dim, size)
	if quit := "q quits"; cells(size)+2+len(quit) <= f.Width {
		c.right(f.Width, 1, len(quit), accent, quit)
	}
	return f.stack(c.rows())
}
