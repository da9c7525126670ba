package views

import "github.com/onsale-dev/onsale/sale"

const (
	tableWidth = 63 // the signal table beside the charts
	wideSale   = 160
)

// salePlan is where everything of a sale's page stands.
type salePlan struct {
	header, facts, footer int // rows
	top                   int // the first row of the body
	body                  int // rows between the facts and the footer
	// charts
	chartX, chartY, chartW, chartH int // the area of all charts, with the lane of marks and the time axis
	lane                           int // 1 where the events of the timeline have letters over the charts
	across                         int // charts side by side
	each                           int // rows of one chart
	extra                          int // rows of charts that get one line more
	first, shown                   int // panels in sight
	// table
	tableX, tableY, tableW, tableH int
	// the timeline and the runbook, under everything else
	bottomH int
}

// planSale decides the layout of a sale's page: charts beside the signals from 160 columns
// on, under them below that, and one chart over the whole page when zoomed.
func planSale(f *Frame, st *sale.State) salePlan {
	p := salePlan{header: 2, facts: 3, footer: footerRows(f)}
	switch {
	case f.Height < 20:
		p.facts = 2
	case f.Height >= 40 && len(outlookFacts(st, f.Now)) == 2:
		p.facts = 4
	}
	if _, pressing := f.nextFact(st); pressing && f.Height >= 20 {
		p.facts++ // what is to be done next is never left out
		if f.Height >= 30 {
			p.facts = 5
		}
	}
	p.top = p.header + p.facts
	p.body = max(f.Height-p.top-p.footer, 0)
	panels := len(st.Sale.Panels)
	if f.Width >= wideSale && p.body >= bottomLeast && !f.Zoomed && (len(st.Timeline) > 0 || runbookOf(st) != nil) {
		p.bottomH = bottomRows
		p.body -= p.bottomH
	}
	switch {
	case f.Zoomed && panels > 0:
		p.chartY, p.chartW, p.chartH = p.top, f.Width, p.body
		p.across, p.each, p.shown = 1, p.body-1, 1
		p.first = clamp(f.Panel, 0, panels-1)
		return p
	case f.Width >= wideSale && panels > 0:
		p.chartY, p.chartW, p.chartH = p.top, f.Width-tableWidth-1, p.body
		p.tableX, p.tableY, p.tableW, p.tableH = f.Width-tableWidth, p.top, tableWidth, p.body
		if p.bottomH > 0 && len(st.Timeline) > 0 {
			p.lane = 1
		}
		p.across = clamp(p.chartW/64, 1, 4)
	case p.body >= 13 && panels > 0:
		p.chartH = clamp(p.body*2/5, chartLeast+1, 14)
		p.chartY, p.chartW = p.top+p.body-p.chartH, f.Width
		p.tableY, p.tableW, p.tableH = p.top, f.Width, p.body-p.chartH
		p.across = clamp(f.Width/56, 1, 3)
	default:
		p.tableY, p.tableW, p.tableH = p.top, f.Width, p.body
		return p
	}
	p.across = min(p.across, panels)
	rows := (panels + p.across - 1) / p.across
	rows = clamp((p.chartH-1-p.lane)/chartLeast, 1, rows)
	p.each, p.extra = (p.chartH-1-p.lane)/rows, (p.chartH-1-p.lane)%rows
	p.shown = min(rows*p.across, panels)
	p.first = clamp(f.Panel, 0, panels-1) / p.shown * p.shown
	p.shown = min(p.shown, panels-p.first)
	return p
}

func clamp(v, lo, hi int) int { return max(min(v, hi), lo) }

// chartRows is the height of a row of charts.
func (p salePlan) chartRows(row int) int {
	if row < p.extra {
		return p.each + 1
	}
	return p.each
}
