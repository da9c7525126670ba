package views

import "strings"

// Question asks for what an action needs before it can be previewed: a number, or words.
type Question struct {
	Key, Label string // the action: "-", "admission rate"
	Ask        string // "new limit, per minute"
	Input      string // as far as it was typed
	Lines      []string
	Wrong      string // why the input can't be taken; empty: nothing is wrong
	Foot       string // what the keys do; "" says it of an action
}

// Ask draws the question as a box to be laid over a screen with Over.
func (r *Renderer) Ask(f Frame, q Question) string {
	f.ready()
	w := min(f.Width, 80)
	var lines []string
	for _, line := range q.Lines {
		lines = append(lines, wrap(line, w-4, 2)...)
	}
	most := max(f.Height-2-footerRows(&f)-5, 0)
	lines = lines[:min(len(lines), most)]
	c := newCanvas(f.Theme, w, len(lines)+5)
	defer c.release()
	c.box(accent, lightFrame())
	title := " " + strings.TrimSpace(q.Key+" "+q.Label)
	if st := f.focused(); st != nil {
		title += " · " + panelSale(st.Sale)
	}
	c.cut(2, 0, w-4, accent, clip(title, w-5)+" ")
	for x := 2 + min(cells(title)+1, w-4); x < w-1; x++ {
		c.set(x, 0, accent, lightFrame().across, 1)
	}
	for i, line := range lines {
		c.cut(2, 1+i, w-4, text, line)
	}
	y := 1 + len(lines)
	x := c.putTo(2, y, w-2, text, clip(q.Ask, w/2)+": ")
	c.putTo(x, y, w-2, accent, lastCells(q.Input, w-3-x)+"▏")
	if q.Wrong != "" {
		c.cut(2, y+1, w-4, bad, "▲ "+q.Wrong)
	}
	foot := q.Foot
	if foot == "" {
		foot = "enter reads the target and shows what would happen; esc closes"
	}
	c.cut(2, y+2, w-4, dim, foot)
	return strings.Join(c.rows(), "\n")
}
