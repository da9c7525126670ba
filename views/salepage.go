package views

import (
	"slices"
	"strings"

	"github.com/onsale-dev/onsale/sale"
)

// pageRow is one row of the list beside or above the charts.
type pageRow struct {
	kind  rowKind
	known int // of a signal row: its index in State.Signals
	label string
	text  string
	url   string // of a link that may be followed
	style style
}

type rowKind uint8

const (
	signalRow rowKind = iota
	titleRow
	textRow
)

// pageRows lists the signals worst first, then everything else that is known of a sale.
func (f *Frame) pageRows(st *sale.State, w int) []pageRow {
	rows := make([]pageRow, 0, len(st.Signals)+8)
	ranks := make([]int, len(st.Signals))
	for i := range st.Signals {
		rows = append(rows, pageRow{known: i})
		ranks[i] = signalRank(st, &st.Signals[i], f)
	}
	slices.SortStableFunc(rows, func(a, b pageRow) int { return ranks[b.known] - ranks[a.known] })
	section := func(title string, lines []pageRow) {
		if len(lines) > 0 {
			rows = append(append(rows, pageRow{kind: titleRow, label: title}), lines...)
		}
	}
	var notes []pageRow
	for _, fa := range f.unsaidFacts(st) {
		if isStanding(fa) {
			continue // told in full in a section of its own
		}
		for i, str := range wrap(fa.text, w-factIndent-1, 3) {
			label := fa.label
			if i > 0 {
				label = ""
			}
			notes = append(notes, pageRow{kind: textRow, label: label, text: str, style: fa.style})
		}
	}
	section("budget and cost", f.standingRows(st))
	section("in words", notes)
	if planSale(f, st).bottomH == 0 {
		if spec := runbookOf(st); spec != nil {
			section(runbookTitle(spec), f.runbookRows(spec))
		}
		section("timeline, newest first", f.eventRows(st))
	}
	section("to read", f.linkRows(st))
	return rows
}

// unsaidFacts are the facts that did not fit under the sale's state.
func (f *Frame) unsaidFacts(st *sale.State) []fact {
	facts := f.facts(st)
	said := factLines(facts, f.Width, planSale(f, st).facts-1)
	if len(said) == 0 {
		return facts
	}
	return facts[len(facts)-said[len(said)-1].more:]
}

// signalRank orders the rows of the table: what is bad, what is needed and can't be seen,
// what wants watching, what is seen, what is not.
func signalRank(st *sale.State, k *sale.Known, f *Frame) int {
	if k.Spec.Constant != nil {
		return 0
	}
	fresh := k.FreshnessAt(f.Now)
	blind := !k.Has || fresh == sale.Stale || fresh == sale.NoData
	switch {
	case blind && slices.Contains(k.Spec.Needed, st.Phase):
		return 5
	case breachOf(k) == sale.Bad && !blind:
		return 6
	case breachOf(k) == sale.Watch && !blind:
		return 4
	case !k.Has:
		return 1
	case blind:
		return 3
	}
	return 2
}

// linkRows lists the console pages of a sale and the runbooks of what is wrong now.
func (f *Frame) linkRows(st *sale.State) []pageRow {
	var rows []pageRow
	add := func(title, target string) {
		shown, url := f.Links.link(target)
		rows = append(rows, pageRow{kind: textRow, label: title, text: shown, url: url, style: text})
	}
	for i := range st.Signals {
		if k := &st.Signals[i]; k.Spec.Runbook != "" && k.Verdict != sale.OK {
			add("runbook", k.Spec.Runbook)
		}
	}
	for _, l := range st.Sale.Links {
		add(l.Title, l.URL)
	}
	return rows
}

// SaleRows says how many rows of a sale's list are in sight, of how many.
func (r *Renderer) SaleRows(f Frame) (visible, total int) {
	f.ready()
	st := f.focused()
	if st == nil {
		return 0, 0
	}
	p := planSale(&f, st)
	total = len(f.pageRows(st, p.tableW))
	_, visible = listSpan(total, p.tableH-1, f.Scroll)
	return visible, total
}

// Sale draws one sale's page: its state, its charts and its signals.
func (r *Renderer) Sale(f Frame) string {
	f.ready()
	if !Fits(f.Width, f.Height) {
		return r.TooSmall(f)
	}
	st := f.focused()
	if st == nil {
		rows := 2
		return f.stack(f.header(rows, false), f.noSales(f.Height-rows-footerRows(&f)), f.footer())
	}
	p := planSale(&f, st)
	top := f.saleTopLines(st, p)
	var body []string
	charts := r.charts(&f, st, p)
	switch {
	case p.tableW == 0:
		body = charts
	case p.tableX > 0:
		body = beside(1, charts, f.table(st, p))
	default:
		body = append(f.table(st, p), charts...)
	}
	return f.stack(f.header(p.header, false), top, pad(body, f.Width, p.body), f.bottom(st, p), f.footer())
}

// saleTopLines say who, when and why.
func (f *Frame) saleTopLines(st *sale.State, p salePlan) []string {
	c := newCanvas(f.Theme, f.Width, p.facts)
	defer c.release()
	l := lookOfSale(st, f.Now)
	gap := 2
	if f.Width < 100 {
		gap = 1
	}
	x := c.put(0, 0, l.badge, l.glyph+" "+l.word) + gap
	held := f.verdictFor(st)
	clock := phaseWord(st.Phase, false) + " " + sale.Clock(st.Sale.Opens, f.Now)
	// An open incident is never dropped: on a narrow screen how long the verdict has held is.
	forms, reserved := f.incidentForms(st), 0
	if st.Incidents.Current.Open() && f.Width < 120 {
		reserved = forms[len(forms)-1].cells() + 1
		if f.Width < 100 {
			held = ""
		}
	}
	room := f.Width - x - cells(held) - cells(clock) - 2*gap - 3 - reserved
	x = c.put(x, 0, accent, digitText(st.Sale))
	x = c.put(x, 0, accent, saleTitle(st.Sale, room)) + gap
	x = c.put(x, 0, text, clock) + gap
	if held != "" {
		x = c.put(x, 0, l.figure, held) + gap
	}
	right := f.Width
	if form := fitting(forms, right-x); form != nil {
		right -= form.cells()
		form.draw(c, right, 0, f.Width)
		right -= 3
	}
	if burn := burnText(st); burn != "" && x+cells(burn) <= right {
		x = c.put(x, 0, text, burn) + gap
	}
	for _, words := range []string{chartsText(st, p), ticketsText(st), doors(st, f.Now), st.Sale.Group} {
		if words != "" && right-cells(words) > x {
			c.right(right, 0, right-x, dim, words)
			right -= cells(words) + 3
		}
	}
	for i, line := range factLines(withAges(f.facts(st), st, f), f.Width, p.facts-1) {
		drawFact(c, 0, i+1, f.Width, line)
	}
	return c.rows()
}

func chartsText(st *sale.State, p salePlan) string {
	if n := len(st.Sale.Panels); p.shown > 0 && p.shown < n {
		if p.shown == 1 {
			return "chart " + number(p.first+1) + " of " + number(n)
		}
		return "charts " + number(p.first+1) + " to " + number(p.first+p.shown) + " of " + number(n)
	}
	return ""
}

func ticketsText(st *sale.State) string {
	if st.Sale.Tickets <= 0 {
		return ""
	}
	return number(st.Sale.Tickets) + " tickets"
}

// charts draws the panels in sight, with one time axis under each column of them.
func (r *Renderer) charts(f *Frame, st *sale.State, p salePlan) []string {
	if p.shown == 0 || p.chartH == 0 {
		return nil
	}
	rows := f.marksLane(st, p)
	last := p.first + p.shown
	for i := p.first; i < last; i += p.across {
		blocks := make([][]string, p.across)
		h := p.chartRows((i - p.first) / p.across)
		for col := range blocks {
			w := paneSpan(p.chartW, p.across, col)
			if i+col < last {
				blocks[col] = r.chart(f, st, i+col, w, h)
			} else {
				blocks[col] = pad(nil, w, h)
			}
		}
		rows = append(rows, beside(1, blocks...)...)
	}
	axes := make([][]string, p.across)
	for col := range axes {
		axes[col] = []string{f.timeAxis(st, paneSpan(p.chartW, p.across, col))}
	}
	rows = append(rows, beside(1, axes...)...)
	return pad(rows, p.chartW, p.chartH)
}

// table draws the list of signals with its heading.
func (f *Frame) table(st *sale.State, p salePlan) []string {
	c := newCanvas(f.Theme, p.tableW, p.tableH)
	defer c.release()
	cols := tableColumns(p.tableW)
	known := 0
	for i := range st.Signals {
		if st.Signals[i].Has || st.Signals[i].Spec.Constant != nil {
			known++
		}
	}
	rows := f.pageRows(st, p.tableW)
	from, shown := listSpan(len(rows), p.tableH-1, f.Scroll)
	c.cut(cols.label, 0, labelAndNow-2, dim, number(known)+" of "+number(len(st.Signals))+" known")
	c.right(cols.nowEnd, 0, 3, dim, "now")
	c.cut(cols.against, 0, cols.againstW, dim, "against")
	c.cut(cols.trend, 0, cols.trendW, dim, windowText(f.window()))
	c.cut(cols.source, 0, cols.sourceW, dim, "source")
	c.right(cols.ageEnd, 0, 3, dim, "age")
	c.cut(cols.ageEnd+1, 0, freshW-1, dim, "fresh")
	for i, row := range rows[from : from+shown] {
		f.pageRow(c, st, cols, i+1, &row)
	}
	if shown < len(rows) && p.tableH > 1 {
		before, after := from, len(rows)-from-shown
		words := number(after) + " more below"
		if before > 0 {
			words = number(before) + " above, " + words
		}
		c.put(cols.label, p.tableH-1, dim, words)
	}
	return c.rows()
}

const freshW = 8

type tableColumnsAt struct {
	columns
	source, sourceW int
}

// tableColumns places the cells of a signal row: a trend stands there only where charts do
// not stand beside it.
func tableColumns(w int) tableColumnsAt {
	cols := paneColumns(0, w-freshW)
	cols.nowEnd = cols.label + labelAndNow + 2
	cols.against = cols.nowEnd + 1
	cols.trend = cols.against + againstW + 1
	t := tableColumnsAt{columns: cols, sourceW: 9}
	t.againstW = againstW
	t.source = t.ageEnd - ageW - t.sourceW - 1
	t.trendW = t.source - t.trend - 1
	if t.trendW < 6 {
		t.trendW = 0
		t.sourceW += t.source - t.trend
		t.source = t.trend
	}
	return t
}

func (f *Frame) pageRow(c *canvas, st *sale.State, cols tableColumnsAt, y int, row *pageRow) {
	switch row.kind {
	case titleRow:
		c.fill(0, y, c.w, dim, "─")
		c.put(2, y, dim, " "+row.label+" ")
	case textRow:
		label := clip(row.label, max(c.w/4, 1))
		x := max(c.put(1, y, dim, label)+1, factIndent+1)
		c.cut(x, y, c.w-x, row.style, row.text)
		if row.url != "" {
			c.anchor(x, y, min(cells(row.text), c.w-x), row.url)
		}
	default:
		fig := figureOfKnown(st, st.Signals[row.known], f)
		width := cols.nowEnd - cols.label
		now := fit(fig.now, width-5)
		c.put(cols.glyph, y, fig.nowStyle, fig.glyph)
		c.cut(cols.label, y, width-cells(now)-1, text, fig.label)
		c.right(cols.nowEnd, y, width, fig.nowStyle, now)
		c.cut(cols.against, y, cols.againstW, dim, strings.TrimSpace(againstOrWhy(&fig)))
		f.trend(c, cols.trend, y, cols.trendW, st, &fig)
		c.cut(cols.source, y, cols.sourceW, dim, fig.known.Spec.Source)
		c.right(cols.ageEnd, y, ageW, fig.ageStyle, fig.age)
		if fig.known.Spec.Constant == nil {
			word, s := freshnessLook(fig.freshness)
			c.put(cols.ageEnd+1, y, s, word)
		}
	}
}

// againstOrWhy is the limit of a figure that is seen, and why it is not seen of the others:
// that they are stale stands in a cell of its own here.
func againstOrWhy(fig *figure) string {
	if fig.freshness != sale.Stale && fig.freshness != sale.NoData {
		return fig.against
	}
	if fig.known.Problem != nil {
		return strings.ReplaceAll(string(fig.known.Problem.Class), "_", " ")
	}
	return ""
}
