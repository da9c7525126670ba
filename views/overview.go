package views

import (
	"github.com/onsale-dev/onsale/sale"
)

// overviewKind is how the overview shows a sale at a size.
type overviewKind uint8

const (
	asPanes  overviewKind = iota // a framed pane each, side by side
	asRows                       // three to five lines each, with figures and trends
	asLines                      // two lines each, and the sale in focus below
	asTitles                     // one line each, and the sale in focus below
)

const (
	paneWidth = 66 // a pane is at least this wide
	paneLeast = 10 // and this high: the state, the cause and six signals
	paneGood  = 15 // what it gets when not all sales fit anyway
)

// overviewPlan is where everything of the overview stands.
type overviewPlan struct {
	kind    overviewKind
	header  int // rows
	footer  int
	from    int // the first sale shown, an index into sales
	shown   int
	total   int
	columns int   // panes side by side
	heights []int // of each row of panes
	each    int   // lines a sale in a list
	top     int   // the row at which the first sale stands
	more    int   // the row of "3 more", -1 when all are shown
	below   int   // lines for the sale in focus
}

// planOverview decides the layout from the size and the number of sales alone.
func planOverview(f *Frame, total int) overviewPlan {
	p := overviewPlan{header: headerRows(f), footer: footerRows(f), total: total, more: -1, columns: 1}
	p.top = p.header
	room := f.Height - p.header - p.footer
	switch {
	case f.Width >= 160 && room >= paneLeast && total > 0:
		p.planPanes(f, room)
	case f.Width >= 100 && (room-1)/3 >= min(total, 3):
		p.kind = asRows
		p.top++ // the heading
		p.planList(f, room-1, 3, 5, 0)
	case f.Width >= 80:
		p.kind = asLines
		p.top++
		p.planList(f, room-1, 2, 2, 6)
	default:
		p.kind = asTitles
		p.planList(f, room, 1, 1, 4)
	}
	return p
}

func (p *overviewPlan) planPanes(f *Frame, room int) {
	p.columns = max(min((f.Width+1)/(paneWidth+1), p.total), 1)
	rows := (p.total + p.columns - 1) / p.columns
	if room/rows < paneLeast {
		room-- // the last line says what is missing
		rows = max(room/paneGood, 1)
		p.shown = min(rows*p.columns, p.total)
		p.more = p.header + room
		step := min(f.Scroll, p.total-1) / p.columns * p.columns
		last := max(((p.total-p.shown)+p.columns-1)/p.columns*p.columns, 0)
		p.from = min(step, last)
		p.shown = min(p.shown, p.total-p.from)
	} else {
		p.shown = p.total
	}
	height := room / rows
	for i := range rows {
		h := height
		if i < room%rows && height < paneFull {
			h++
		}
		p.heights = append(p.heights, h)
	}
}

// planList gives each sale between least and most lines and the sale in focus up to below
// lines under the list.
func (p *overviewPlan) planList(f *Frame, room, least, most, below int) {
	if p.total == 0 {
		return
	}
	below = min(below, max(room/3, 0))
	if below < 2 {
		below = 0
	}
	p.each = min(max((room-below)/p.total, least), most)
	lines := room - below
	if p.total*p.each > lines {
		lines--
		p.shown = max(lines/p.each, 1)
		p.from = min(f.Scroll, p.total-p.shown)
		p.more = p.top + p.shown*p.each
		lines = p.shown*p.each + 1
	} else {
		p.shown = p.total
		lines = p.total * p.each
	}
	if below > 0 {
		p.below = room - lines
	}
}

// OverviewRows says how many sales the overview shows at once, of how many: Frame.Scroll
// is useful from 0 to total-visible.
func (r *Renderer) OverviewRows(f Frame) (visible, total int) {
	f.ready()
	total = len(f.sales())
	return planOverview(&f, total).shown, total
}

// OverviewColumns is how many sales stand side by side, for moving left and right.
func (r *Renderer) OverviewColumns(f Frame) int {
	f.ready()
	return planOverview(&f, len(f.sales())).columns
}

// Overview draws all sales, in the frame's order: panes from 160 columns, else rows.
func (r *Renderer) Overview(f Frame) string {
	f.ready()
	if !Fits(f.Width, f.Height) {
		return r.TooSmall(f)
	}
	states := f.sales()
	p := planOverview(&f, len(states))
	header, footer := f.header(p.header, p.shown < p.total), f.footer()
	room := f.Height - p.header - p.footer
	var body []string
	switch {
	case len(states) == 0:
		body = f.noSales(room)
	case p.kind == asPanes:
		body = r.panes(&f, states, p)
	case p.kind == asRows:
		body = r.saleRows(&f, states, p)
	default:
		body = r.saleLines(&f, states, p)
	}
	if p.more >= 0 {
		body = append(pad(body, f.Width, p.more-p.header), f.moreRow(states, p))
	}
	if p.below > 0 {
		body = append(body, f.focusBlock(p.below)...)
	}
	return f.stack(header, pad(body, f.Width, room), footer)
}

func (r *Renderer) panes(f *Frame, states []*sale.State, p overviewPlan) []string {
	var body []string
	i := p.from
	for _, h := range p.heights {
		blocks := make([][]string, 0, p.columns)
		for col := range p.columns {
			w := paneSpan(f.Width, p.columns, col)
			if i >= len(states) || i >= p.from+p.shown {
				blocks = append(blocks, pad(nil, w, h))
				continue
			}
			blocks = append(blocks, r.cachedPane(f, states[i], w, h))
			i++
		}
		body = append(body, beside(1, blocks...)...)
	}
	return body
}

// paneSpan is the width of a column of panes; the first ones get what does not divide.
func paneSpan(width, columns, col int) int {
	free := width - (columns - 1)
	w := free / columns
	if col < free%columns {
		w++
	}
	return w
}

// moreRow says how many sales are not in sight and how the worst of them is.
func (f *Frame) moreRow(states []*sale.State, p overviewPlan) string {
	c := newCanvas(f.Theme, f.Width, 1)
	defer c.release()
	worst := sale.OK
	for i, st := range states {
		if i < p.from || i >= p.from+p.shown {
			worst = sale.Worst(worst, st.Verdict)
		}
	}
	l := lookOf(worst)
	x := c.put(0, 0, text, number(p.total-p.shown)+" more, worst ")
	x = c.put(x, 0, l.badge, l.word)
	c.put(x, 0, dim, "   showing "+number(p.from+1)+" to "+number(p.from+p.shown)+" of "+number(p.total))
	return c.rows()[0]
}

func (f *Frame) noSales(h int) []string {
	c := newCanvas(f.Theme, f.Width, h)
	defer c.release()
	words := "no sale is declared: onsale config init writes a first file"
	if len(f.snapshot().Sales) > 0 {
		words = "no sale is called anything like \"" + f.Header.Filter + "\"; esc clears the filter"
	}
	c.put(max((f.Width-cells(words))/2, 0), h/2, text, words)
	return c.rows()
}
