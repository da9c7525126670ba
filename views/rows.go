package views

import (
	"strconv"
	"strings"

	"github.com/onsale-dev/onsale/sale"
)

// figureColumn is one column of figures in the list forms of the overview.
type figureColumn struct {
	signal  sale.Signal
	heading string
	w       int
	drop    int // the highest goes first when the screen is narrow; 0 never
}

func rowColumns() []figureColumn {
	return []figureColumn{
		{sale.Waiting, "waiting", 12, 0},
		{sale.InflowRate, "in/m", 7, 11},
		{sale.AdmissionRate, "adm/m", 8, 0},
		{sale.ActiveUsers, "active", 9, 6},
		{sale.OrderRate, "ord/m", 8, 4},
		{sale.PaymentFailureRatio, "fail %", 9, 3},
		{sale.TicketsLeft, "left", 9, 0},
		{sale.TicketsHeld, "held", 7, 12},
		{sale.ErrorRatio, "err %", 8, 7},
		{sale.LatencyP95, "p95 s", 8, 8},
		{sale.DBConnections, "db %", 8, 5},
		{sale.QueueDepth, "queue", 9, 9},
		{sale.CapacityInService, "hosts", 11, 10},
	}
}

// hostsMost holds "KEDA 40/40 max 60" and a blank before it.
const hostsMost = 18

// fitColumns leaves out columns until the rest fits into w cells. What is left over goes to the
// hosts, which have more to say than their number.
func fitColumns(all []figureColumn, w int) []figureColumn {
	sum := 0
	for _, c := range all {
		sum += c.w
	}
	for sum > w {
		first := -1
		for i, c := range all {
			if c.drop > 0 && (first < 0 || c.drop > all[first].drop) {
				first = i
			}
		}
		if first < 0 {
			break
		}
		sum -= all[first].w
		all = append(all[:first:first], all[first+1:]...)
	}
	if last := len(all) - 1; last >= 0 && all[last].signal == sale.CapacityInService {
		all[last].w = max(all[last].w, min(hostsMost, all[last].w+w-sum))
	}
	return all
}

// saleRows draws three to five lines a sale: who and when, why, the figures, their trends
// (or the age of a stale one), and one more fact.
func (r *Renderer) saleRows(f *Frame, states []*sale.State, p overviewPlan) []string {
	cols := fitColumns(rowColumns(), f.Width)
	c := newCanvas(f.Theme, f.Width, 1)
	x := 0
	for _, col := range cols {
		x += col.w
		c.right(x, 0, col.w, dim, col.heading)
	}
	body := c.rows()
	c.release()
	for _, st := range states[p.from : p.from+p.shown] {
		body = append(body, r.cached(f, st, "row", f.Width, p.each, func() []string {
			return f.saleRow(st, cols, p.each)
		})...)
	}
	return body
}

func (f *Frame) saleRow(st *sale.State, cols []figureColumn, h int) []string {
	c := newCanvas(f.Theme, f.Width, h)
	defer c.release()
	f.saleTop(c, st)
	facts := f.facts(st)
	trends := h >= 4 && f.Width >= 120
	extra := h >= 5 || h == 4 && !trends
	lines := factLines(facts, f.Width-2, 1)
	if extra {
		lines = joinFacts(facts, f.Width-2)
	}
	drawFact(c, 2, 1, f.Width-2, at(lines, 0))
	x := 0
	for _, col := range cols {
		fig := figureOf(st, col.signal, f)
		if col.signal == sale.CapacityInService {
			fig.now = hostsText(&fig, col.w-1)
		}
		x += col.w
		f.figureCell(c, x, 2, col.w, &fig)
		if trends {
			f.cellTrend(c, x-col.w, 3, col.w, st, &fig)
		}
	}
	if extra {
		drawFact(c, 2, h-1, f.Width-2, at(lines, 1))
	}
	return c.rows()
}

// hostsText says what carries a sale as far as it fits: "ASG 24/24 max 32", "ASG 24/24", "24/24".
func hostsText(fig *figure, w int) string {
	if !fig.declared || fig.freshness == sale.NoData {
		return fig.now
	}
	named := fig.now
	if !isStandardLabel(fig.known.Spec) { // "in service" says nothing here
		named = fig.label + " " + fig.now
	}
	full := named
	if fig.freshness != sale.Stale && fig.against != "" {
		full += " " + fig.against
	}
	for _, form := range []string{full, named} {
		if cells(form) <= w {
			return form
		}
	}
	return fig.now
}

// joinFacts is the cause on one line and everything else on a second.
func joinFacts(facts []fact, w int) []factLine {
	if len(facts) == 1 {
		return factLines(facts, w, 2)
	}
	first := factLines(facts[:1], w, 1)
	// What holds the sale stands beside the cause where both fit.
	if next := facts[1]; next.label == "binds" && cells(first[0].text+" · binds "+next.text) <= w-factIndent {
		first[0].text += " · binds " + next.text
		if facts = append(facts[:1:1], facts[2:]...); len(facts) == 1 {
			return first
		}
	}
	rest := make([]string, 0, len(facts)-1)
	for i, fa := range facts[1:] {
		words := fa.text
		if i > 0 && (fa.label == "note" || fa.label == "source" || fa.label == "ahead") {
			words = fa.label + " " + words
		}
		rest = append(rest, words)
	}
	joined := strings.Join(rest, " · ")
	return append(first, factLine{label: facts[1].label, text: joined, style: facts[1].style})
}

// saleTop is the first line of a sale in a list: state, digit, name, phase, clock and how
// long the verdict has held.
func (f *Frame) saleTop(c *canvas, st *sale.State) {
	l := lookOfSale(st, f.Now)
	c.put(0, 0, l.badge, l.glyph+" "+l.word)
	x := f.nameCell(c, 10, 0, 32, st)
	end := c.w
	phase := phaseWord(st.Phase, false) + " " + sale.Clock(st.Sale.Opens, f.Now)
	if form := fitting(f.incidentForms(st), end-x-cells(phase)-4); form != nil {
		from := end - form.cells()
		form.draw(c, from, 0, end)
		end = from - 2
	}
	if held := f.verdictFor(st); held != "" && (end == c.w || x+cells(phase)+22 < end) {
		c.right(end, 0, 20, l.figure, held)
		end -= 22
	}
	x = c.putTo(x+1, 0, end, text, phase) + 2
	if opens := doors(st, f.Now); opens != "" && x+cells(opens) <= end {
		c.put(x, 0, dim, opens)
	}
}

// nameCell draws the focus, the digit and the name in w cells.
func (f *Frame) nameCell(c *canvas, x, y, w int, st *sale.State) int {
	s, focus := text, " "
	if st.Sale.ID == f.Focus {
		s, focus = accent, ">"
	}
	digit := " "
	if st.Sale.Digit > 0 {
		digit = strconv.Itoa(st.Sale.Digit)
	}
	c.put(x, y, accent, focus+digit)
	return c.cut(x+3, y, w-3, s, saleTitle(st.Sale, w-3))
}

// figureCell draws a figure without its unit, right-aligned before column end, with the
// glyph of its state before it where both fit: the figure comes first.
func (f *Frame) figureCell(c *canvas, end, y, w int, fig *figure) {
	if !fig.declared {
		c.right(end, y, w-1, dim, "-")
		return
	}
	str := fit(short(fig.now), max(w-1, 1))
	c.right(end, y, w-1, fig.nowStyle, str)
	glyph := fig.glyph
	if glyph == lookOf(sale.Unknown).glyph && str[0] == '?' {
		glyph = "" // the "?" says it already
	}
	if glyph != "" && cells(str)+3 <= w {
		c.put(end-cells(str)-2, y, fig.nowStyle, glyph)
	}
}

// cellTrend draws a trend under a figure; the age of a stale one takes its place.
func (f *Frame) cellTrend(c *canvas, x, y, w int, st *sale.State, fig *figure) {
	switch {
	case !fig.declared:
	case fig.freshness == sale.Stale:
		c.right(x+w, y, w-1, fig.ageStyle, fig.age)
	case fig.freshness == sale.NoData:
	case w < 8:
	default:
		f.trend(c, x+2, y, w-2, st, fig)
	}
}
