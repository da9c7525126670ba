package views

import (
	"github.com/onsale-dev/onsale/sale"
)

func lineColumns() []figureColumn {
	return []figureColumn{
		{sale.Waiting, "waiting", 9, 0},
		{sale.AdmissionRate, "adm/m", 6, 1},
		{sale.TicketsLeft, "left", 7, 2},
		{sale.PaymentFailureRatio, "fail %", 8, 3},
		{sale.ErrorRatio, "err %", 8, 4},
		{sale.DBConnections, "db %", 8, 5},
	}
}

const (
	stateCell = 10
	phaseCell = 6
	clockCell = 9
	nameLeast = 24
	nameGood  = 33
)

// linePlan is where the cells of the one- and two-line forms stand.
type linePlan struct {
	name, nameW, phase, clockEnd int
	columns                      []figureColumn
}

func planLine(w int) linePlan {
	good := nameGood
	if w < 80 {
		good = nameLeast
	}
	fixed := stateCell + phaseCell + clockCell
	cols := fitColumns(lineColumns(), max(w-fixed-good, 9))
	sum := 0
	for _, col := range cols {
		sum += col.w
	}
	p := linePlan{name: stateCell, nameW: w - fixed - sum, columns: cols}
	p.phase = p.name + p.nameW
	p.clockEnd = p.phase + phaseCell + clockCell
	return p
}

// saleLines draws one or two lines a sale: state, name, phase, clock, figures; then why.
func (r *Renderer) saleLines(f *Frame, states []*sale.State, p overviewPlan) []string {
	plan := planLine(f.Width)
	var body []string
	if p.kind == asLines {
		c := newCanvas(f.Theme, f.Width, 1)
		c.put(0, 0, dim, "state")
		c.put(plan.name+1, 0, dim, "# sale")
		c.put(plan.phase, 0, dim, "phase")
		c.right(plan.clockEnd, 0, 5, dim, "clock")
		x := plan.clockEnd
		for _, col := range plan.columns {
			x += col.w
			c.right(x, 0, col.w, dim, col.heading)
		}
		body = c.rows()
		c.release()
	}
	for _, st := range states[p.from : p.from+p.shown] {
		body = append(body, r.cached(f, st, "line", f.Width, p.each, func() []string {
			return f.saleLine(st, plan, p.each)
		})...)
	}
	return body
}

func (f *Frame) saleLine(st *sale.State, plan linePlan, h int) []string {
	c := newCanvas(f.Theme, f.Width, h)
	defer c.release()
	l := lookOfSale(st, f.Now)
	c.put(0, 0, l.badge, l.glyph+" "+l.word)
	f.nameCell(c, plan.name, 0, plan.nameW-1, st)
	c.cut(plan.phase, 0, phaseCell, text, phaseWord(st.Phase, true))
	c.right(plan.clockEnd, 0, clockCell, text, shortClock(st, f.Now))
	x := plan.clockEnd
	for _, col := range plan.columns {
		fig := figureOf(st, col.signal, f)
		x += col.w
		f.figureCell(c, x, 0, col.w, &fig)
	}
	if h > 1 {
		c.cut(12, 1, f.Width-12, causeStyle(st), causeLine(st, f))
	}
	return c.rows()
}

// causeLine is the cause, and how old the figures with a "?" are.
func causeLine(st *sale.State, f *Frame) string {
	facts := f.facts(st)
	words := facts[0].text
	if oldest := staleAge(st, f); oldest != "" {
		words += " · ? = " + oldest + " old"
	}
	for _, fa := range facts[1:] {
		switch fa.label {
		case "next":
			if st.Next.Action != "" {
				words += " · next " + fa.text
			}
		case "also", "note":
			words += " · " + fa.text
		}
	}
	return words
}

// staleAge is the age of the oldest stale figure of a sale, or "".
func staleAge(st *sale.State, f *Frame) string {
	oldest := f.Now
	for i := range st.Signals {
		k := &st.Signals[i]
		if k.Has && k.Spec.Constant == nil && k.FreshnessAt(f.Now) == sale.Stale && k.At.Before(oldest) {
			oldest = k.At
		}
	}
	if oldest.Equal(f.Now) {
		return ""
	}
	return f.age(f.Now.Sub(oldest))
}

func causeStyle(st *sale.State) style {
	if st.Verdict == sale.OK {
		return dim
	}
	return text
}

// focusBlock says under a list what does not fit into it about the sale in focus.
func (f *Frame) focusBlock(h int) []string {
	c := newCanvas(f.Theme, f.Width, h)
	defer c.release()
	st := f.focused()
	if st == nil {
		return c.rows()
	}
	l := lookOfSale(st, f.Now)
	c.fill(0, 0, f.Width, dim, "─")
	held := " " + f.verdictFor(st) + " "
	title := " " + digitText(st.Sale) + saleTitle(st.Sale, f.Width-cells(held)-10) + " "
	x := c.put(2, 0, text, title)
	end := f.Width - 2
	if form := fitting(f.incidentForms(st), end-x-3); form != nil && (st.Incidents.Current != nil || !st.Incidents.Known) {
		end -= form.cells() + 2
		c.put(form.draw(c, c.put(end, 0, plain, " "), 0, f.Width-3), 0, plain, " ")
		end--
	}
	if end-cells(held) > x {
		c.put(end-cells(held), 0, l.figure, held)
	}
	y := 1
	lines := factLines(withAges(f.facts(st), st, f), f.Width, h-1)
	for _, line := range lines {
		drawFact(c, 0, y, f.Width, line)
		y++
	}
	cols := paneColumns(0, f.Width)
	for _, row := range focusRows(st, f, h-y) {
		fig := figureOf(st, row.signal, f)
		f.paneRow(c, cols, y, st, &fig)
		y++
	}
	return c.rows()
}

// focusRows are the signals that fit under the facts: those in breach first in line.
func focusRows(st *sale.State, f *Frame, n int) []standardRow {
	all := standardRows()
	if n >= len(all) {
		return all
	}
	return keepRows(all, n, func(r standardRow) bool { fig := figureOf(st, r.signal, f); return fig.glyph != "" })
}

func digitText(s *sale.Sale) string {
	if s.Digit == 0 {
		return ""
	}
	return number(s.Digit) + " "
}
