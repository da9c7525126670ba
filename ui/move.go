package ui

import (
	"slices"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// listOf is the screen whose list the moving keys move in.
func (m *model) listOf() views.Screen {
	if m.helping {
		return views.HelpScreen
	}
	return m.screen
}

// hasCursor reports whether a row is chosen on a screen; on the others moving only scrolls.
func hasCursor(s views.Screen) bool {
	return s == views.SourcesScreen || s == views.LogsScreen || s == views.JournalScreen || s == views.AlarmsScreen
}

// move goes by columns and rows on the overview, by panels and rows elsewhere.
func (m *model) move(dx, dy int) {
	s := m.listOf()
	switch {
	case s == views.OverviewScreen:
		cols := max(m.paint.OverviewColumns(m.frame()), 1)
		m.moveFocus(dx + dy*cols)
	case s == views.SaleScreen && dx != 0:
		m.turnPanel(dx)
	default:
		m.moveRows(dy + dx)
	}
}

// moveFocus goes to another sale of the order, and stops at its ends.
func (m *model) moveFocus(by int) {
	if len(m.ids) == 0 {
		return
	}
	at := slices.Index(m.ids, m.focus)
	if at < 0 {
		m.setFocus(m.ids[0])
		return
	}
	if to := at + by; to >= 0 && to < len(m.ids) {
		m.setFocus(m.ids[to])
	} else if by > 1 && at < len(m.ids)-1 { // the last row is not full: go to its end
		m.setFocus(m.ids[len(m.ids)-1])
	}
}

func (m *model) setFocus(id sale.ID) {
	m.focus = id
	m.keepInSight()
	m.needs(keyNeed)
}

// moveRows moves the chosen row, or the view where no row is chosen.
func (m *model) moveRows(by int) {
	s := m.listOf()
	l := m.lists[s]
	l.cursor += by
	for range 2 { // how much fits may depend on how far the list is scrolled
		visible, total := m.rows(m.frame())
		if hasCursor(s) {
			l.cursor = min(max(l.cursor, 0), max(total-1, 0))
			l.scroll = inSight(l.scroll, l.cursor, visible)
		} else {
			l.scroll += by
			l.cursor, by = 0, 0
		}
		l.scroll = min(max(l.scroll, 0), max(total-visible, 0))
		m.lists[s] = l
	}
	m.followAlarm()
	m.needs(keyNeed)
}

// page goes up or down by what fits on the screen.
func (m *model) page(dir int) {
	visible, _ := m.rows(m.frame())
	visible = max(visible, 1)
	if m.listOf() != views.OverviewScreen {
		m.moveRows(dir * max(visible-1, 1))
		return
	}
	at := slices.Index(m.ids, m.focus)
	m.moveFocus(min(max(at+dir*visible, 0), len(m.ids)-1) - at)
}

// toEdge goes to the first or the last sale or row.
func (m *model) toEdge(dir int) {
	if m.listOf() != views.OverviewScreen {
		_, total := m.rows(m.frame())
		m.moveRows(dir * total)
		return
	}
	if n := len(m.ids); n > 0 && dir < 0 {
		m.setFocus(m.ids[0])
	} else if n > 0 {
		m.setFocus(m.ids[n-1])
	}
}

// keepInSight scrolls the overview as little as it takes to show the sale in focus, by whole
// rows of panes.
func (m *model) keepInSight() {
	if m.screen != views.OverviewScreen || m.width <= 0 || m.height <= 0 {
		return
	}
	f := m.frame()
	visible, total := m.paint.OverviewRows(f)
	cols := max(m.paint.OverviewColumns(f), 1)
	l := m.lists[views.OverviewScreen]
	at := max(slices.Index(m.ids, m.focus), 0)
	l.scroll = inSight(l.scroll, at, visible)
	l.scroll = min(max(l.scroll, 0), max(total-visible, 0))
	if over := l.scroll % cols; over > 0 {
		l.scroll -= over
		if at >= l.scroll+visible { // the row above pushed the focus out below
			l.scroll += cols
		}
	}
	m.lists[views.OverviewScreen] = l
}

// inSight returns the first row to show so that row at is among the visible ones.
func inSight(scroll, at, visible int) int {
	switch {
	case at < scroll:
		return at
	case visible > 0 && at >= scroll+visible:
		return at - visible + 1
	}
	return scroll
}

// turnPanel puts the focus on another chart, round and round.
func (m *model) turnPanel(by int) {
	if n := m.panels(); n > 0 {
		m.panel = ((m.panel+by)%n + n) % n
		m.needs(keyNeed)
	}
}

func (m *model) panels() int {
	if st := m.snap.Sale(m.focus); st != nil {
		return len(st.Sale.Panels)
	}
	return 0
}

func (m *model) zoom() {
	m.zoomed = !m.zoomed
	m.needs(keyNeed)
}

// turnWindow looks back over the next longer or shorter time.
func (m *model) turnWindow(by int) {
	m.window = min(max(m.window+by, 0), len(windows())-1)
	m.say(sale.OK, "window "+windowWord(windows()[m.window]))
}
