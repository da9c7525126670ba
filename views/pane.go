package views

import (
	"slices"
	"strconv"

	"github.com/onsale-dev/onsale/sale"
)

// paneFull is the height of a pane with nothing left out: frame, state, cause, one more fact,
// heading, eleven signals and five facts.
const paneFull = 22

// pane draws one sale in a frame. The frame's weight says the verdict without colour: heavy
// is BAD, dashed is UNKNOWN, light is everything else.
func (f *Frame) pane(st *sale.State, w, h int) []string {
	c := newCanvas(f.Theme, w, h)
	defer c.release()
	l := lookOfSale(st, f.Now)
	frame, s := lightFrame(), dim
	switch st.Verdict {
	case sale.Bad:
		frame, s = heavyFrame(), bad
	case sale.OK, sale.Watch:
	default:
		frame, s = f.Theme.dashedFrame(), unknown
	}
	c.box(s, frame)
	f.paneTitle(c, st)
	f.stateLine(c, 2, 1, w-2, st, l)

	facts := f.facts(st)
	room := h - 2 - 1 // lines under the state
	if form := fitting(f.incidentForms(st), w-4); form != nil && (h >= paneGood || st.Incidents.Current.Open() && h >= paneLeast+2) {
		form.draw(c, 2, h-2, w-2)
		h, room = h-1, room-1
	}
	plan := planPane(room, len(facts), f, st)
	y := 2
	above, below := paneFacts(facts, w-4, plan)
	for i := range plan.above {
		drawFact(c, 2, y, w-4, at(above, i))
		y++
	}
	cols := paneColumns(2, w-2)
	if plan.heading {
		f.paneHeading(c, cols, y)
		y++
	}
	for _, row := range plan.rows {
		fig := figureOf(st, row.signal, f)
		if row.label != "" && (!fig.declared || isStandardLabel(fig.known.Spec)) {
			fig.label = row.label
		}
		f.paneRow(c, cols, y, st, &fig)
		y++
	}
	for i := 0; i < len(below) && y < h-1; i++ {
		drawFact(c, 2, y, w-4, below[i])
		y++
	}
	return c.rows()
}

func (f *Frame) paneTitle(c *canvas, st *sale.State) {
	focus := " "
	if st.Sale.ID == f.Focus {
		focus = ">"
	}
	digit := " "
	if st.Sale.Digit > 0 {
		digit = strconv.Itoa(st.Sale.Digit)
	}
	group := ""
	if st.Sale.Group != "" {
		group = " " + clip(st.Sale.Group, max(c.w/4, 1)) + " "
	}
	end := c.w - 2 - cells(group)
	c.put(end, 0, dim, group)
	c.put(2, 0, plain, " ")
	x := c.put(3, 0, accent, focus+digit+" ")
	title := saleTitle(st.Sale, end-x-2)
	s := text
	if focus == ">" {
		s = accent
	}
	c.put(c.put(x, 0, s, title), 0, plain, " ")
}

// stateLine draws the state word, the phase with its clock, when the doors open, and how
// long the verdict has held.
func (f *Frame) stateLine(c *canvas, x, y, end int, st *sale.State, l look) {
	c.put(x, y, l.badge, l.glyph+" "+l.word)
	x += 11
	x = c.putTo(x, y, end, text, phaseWord(st.Phase, false)+" "+sale.Clock(st.Sale.Opens, f.Now)) + 2
	held := f.verdictFor(st)
	if from := end - cells(held); held != "" && from >= x {
		c.put(from, y, l.figure, held)
		end = from - 2
	}
	if opens := doors(st, f.Now); opens != "" && x+cells(opens) <= end {
		c.put(x, y, dim, opens)
	}
}

func isStandardLabel(spec *sale.Spec) bool {
	m, ok := sale.MeaningOf(spec.Signal)
	return ok && (spec.Label == "" || spec.Label == m.Label)
}

// panePlan says which lines of a pane there is room for.
type panePlan struct {
	above   int // facts over the table: the cause first
	heading bool
	rows    []standardRow
	below   int // facts under the table
}

// planPane drops whole lines, never squeezes them: first the facts under the table, then
// the heading, then signals that are inside their limits. A signal in breach stays.
func planPane(room, facts int, f *Frame, st *sale.State) panePlan {
	const rowsLeast = 6
	all := standardRows()
	p := panePlan{above: min(2, room), heading: true, rows: all}
	left := room - p.above - 1 - len(all)
	if left >= 0 {
		more := moreRows(st, left-max(facts-p.above, 4))
		p.rows = append(p.rows, more...)
		p.below = left - len(more)
		return p
	}
	p.heading = left == -1 && facts < 2
	if facts < 2 || room-2 < rowsLeast {
		p.above = min(1, room)
	}
	left = room - p.above - len(all)
	if p.heading {
		left--
	}
	if left < 0 {
		p.rows = keepRows(all, len(all)+left, func(r standardRow) bool {
			fig := figureOf(st, r.signal, f)
			return fig.glyph != ""
		})
	} else {
		p.below = left
	}
	return p
}

// keepRows leaves n rows in their order: those in breach, then those that drop last.
func keepRows(all []standardRow, n int, keep func(standardRow) bool) []standardRow {
	if n <= 0 {
		return nil
	}
	ranked := slices.Clone(all)
	for i := range ranked {
		if keep(ranked[i]) {
			ranked[i].drop += 100
		}
	}
	slices.SortStableFunc(ranked, func(a, b standardRow) int { return b.drop - a.drop })
	least := ranked[n-1].drop
	var rows []standardRow
	for _, r := range all {
		for _, k := range ranked[:n] {
			if k.signal == r.signal && k.drop >= least {
				rows = append(rows, r)
			}
		}
	}
	return rows
}

// moreRows lists up to n further signals of a sale, for a pane with room to spare.
func moreRows(st *sale.State, n int) []standardRow {
	var rows []standardRow
	for i := range st.Signals {
		spec := st.Signals[i].Spec
		standard := slices.ContainsFunc(standardRows(), func(r standardRow) bool { return r.signal == spec.Signal })
		if len(rows) < n && !standard && spec.Constant == nil {
			rows = append(rows, standardRow{signal: spec.Signal})
		}
	}
	return rows
}

// columns are the places of a signal row. The figure's cell has room for its largest value.
type columns struct {
	glyph, label, nowEnd, against, againstW, trend, trendW, ageEnd int
}

const (
	labelAndNow = 19 // a label of 8 beside a figure of 10, or a longer one beside a shorter
	againstW    = 14
	ageW        = 6
)

func paneColumns(from, end int) columns {
	label := from + 2
	against := label + labelAndNow + 1
	trend := against + againstW + 1
	return columns{
		glyph: from, label: label, nowEnd: label + labelAndNow,
		against: against, againstW: min(againstW, end-against),
		trend: trend, trendW: max(end-ageW-trend, 0), ageEnd: end,
	}
}

func (f *Frame) paneHeading(c *canvas, cols columns, y int) {
	c.put(cols.label, y, dim, "signal")
	c.right(cols.nowEnd, y, 3, dim, "now")
	c.cut(cols.against, y, cols.againstW, dim, "against")
	c.right(cols.ageEnd, y, 3, dim, "age")
	span := windowText(f.window())
	if long := span + ", last right"; len(long) <= cols.trendW {
		span = long
	}
	c.cut(cols.trend, y, cols.trendW, dim, span)
}

func (f *Frame) paneRow(c *canvas, cols columns, y int, st *sale.State, fig *figure) {
	c.put(cols.glyph, y, fig.nowStyle, fig.glyph)
	now := fit(fig.now, labelAndNow-5)
	c.cut(cols.label, y, labelAndNow-cells(now)-1, dim, fig.label)
	c.right(cols.nowEnd, y, labelAndNow, fig.nowStyle, now)
	c.cut(cols.against, y, cols.againstW, fig.agStyle, fig.against)
	f.trend(c, cols.trend, y, cols.trendW, st, fig)
	c.right(cols.ageEnd, y, ageW, fig.ageStyle, fig.age)
}

// factLine is one line of a fact; a continuation has no label.
type factLine struct {
	label, text string
	style       style
	more        int // facts that did not fit, said at the end of the last line
}

const factIndent = 7

// factLines wraps facts into at most n lines of w cells, a fact into two at most.
func factLines(facts []fact, w, n int) []factLine {
	var lines []factLine
	for i, fa := range facts {
		if len(lines) >= n {
			if len(lines) > 0 {
				lines[len(lines)-1].more = len(facts) - i
			}
			break
		}
		room := min(2, n-len(lines))
		if i == 0 && n == 2 && len(facts) > 1 && facts[1].label == "next" {
			room = 1 // the next safe move is never the one to go
		}
		for j, str := range wrap(fa.text, w-factIndent, room) {
			label := fa.label
			if j > 0 {
				label = ""
			}
			lines = append(lines, factLine{label: label, text: str, style: fa.style})
		}
	}
	return lines
}

func at(lines []factLine, i int) factLine {
	if i < len(lines) {
		return lines[i]
	}
	return factLine{}
}

// paneFacts divides the facts into those over the table and those under it. The cause comes
// first; a fact is never torn in two by the table.
func paneFacts(facts []fact, w int, plan panePlan) (above, below []factLine) {
	if plan.below == 0 {
		return factLines(facts, w, plan.above), nil
	}
	above = factLines(facts[:1], w, plan.above)
	rest := facts[1:]
	if len(above) < plan.above && len(rest) > 0 && cells(rest[0].text) <= w-factIndent {
		above = append(above, factLines(rest[:1], w, 1)...)
		rest = rest[1:]
	}
	return above, factLines(rest, w, plan.below)
}

func drawFact(c *canvas, x, y, w int, l factLine) {
	end := x + w
	if l.more > 0 {
		more := "+" + number(l.more) + " more"
		c.right(end, y, w, dim, more)
		end -= cells(more) + 1
	}
	c.putTo(x, y, end, dim, l.label)
	c.cut(x+factIndent, y, end-x-factIndent, l.style, l.text)
}
