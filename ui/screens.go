package ui

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// maxTrail bounds how many screens esc goes back through.
const maxTrail = 8

// goTo shows another screen; esc comes back from it.
func (m *model) goTo(s views.Screen) {
	m.helping = false
	m.needs(keyNeed)
	if m.screen == s {
		return
	}
	if i := slices.Index(m.trail, s); i >= 0 {
		m.trail = m.trail[:i] // never twice through the same screen
	} else if m.trail = append(m.trail, m.screen); len(m.trail) > maxTrail {
		m.trail = m.trail[1:]
	}
	m.show(s)
}

func (m *model) show(s views.Screen) {
	m.screen = s
	m.zoomed, m.panel = false, 0
	if s == views.SaleScreen {
		m.lists[s] = list{}
	}
	m.arrange()
	m.keepInSight()
	m.needs(keyNeed)
}

func (m *model) goHome() {
	m.helping, m.trail = false, nil
	m.show(views.OverviewScreen)
}

// openSources opens the sources at the one that is worst off: the rows never move, and who comes
// here comes for that one.
func (m *model) openSources() {
	if m.screen != views.SourcesScreen && m.snap != nil {
		if at := worstSource(m.snap.Sources); at >= 0 {
			m.lists[views.SourcesScreen] = list{cursor: at}
		}
	}
	m.goTo(views.SourcesScreen)
}

// worstSource is the first of those that are worst off; -1 when all are live or still starting.
func worstSource(sources []sale.SourceState) int {
	for _, condition := range []sale.Condition{sale.SourceError, sale.SourceStale, sale.SourceNoData, sale.SourceLate} {
		if at := slices.IndexFunc(sources, func(s sale.SourceState) bool { return s.Condition == condition }); at >= 0 {
			return at
		}
	}
	return -1
}

func (m *model) openLogs() { m.goTo(views.LogsScreen) }

func (m *model) openSale(id sale.ID) {
	m.focus = id
	if m.screen == views.SaleScreen {
		m.helping = false
		m.show(views.SaleScreen)
		return
	}
	m.goTo(views.SaleScreen)
}

func (m *model) openFocused() { m.openSale(m.focus) }

// openDigit opens the sale with this digit, whether the filter shows it or not.
func (m *model) openDigit(digit int) {
	for _, st := range m.snap.Sales {
		if st.Sale.Digit == digit {
			m.openSale(st.Sale.ID)
			return
		}
	}
	m.say(sale.OK, fmt.Sprintf("%d: no sale has this digit", digit))
}

// back undoes one step: zoom, then the screen, then the filter.
func (m *model) back() {
	switch {
	case m.helping:
		m.helping = false
	case m.zoomed:
		m.zoomed = false
	case len(m.trail) > 0:
		last := m.trail[len(m.trail)-1]
		m.trail = m.trail[:len(m.trail)-1]
		m.show(last)
	case m.screen != views.OverviewScreen:
		m.show(views.OverviewScreen)
	case m.filter.text != "":
		m.clearFilter()
	}
	m.needs(keyNeed)
}

func (m *model) toggleHelp() {
	m.helping = !m.helping
	m.lists[views.HelpScreen] = list{}
	m.needs(keyNeed)
}

// redrawAll paints every cell again, for a terminal that something else wrote on.
func (m *model) redrawAll() {
	m.cmds = append(m.cmds, tea.ClearScreen)
	m.needs(nowNeed)
}

// suspend gives the terminal back, stops the process group and takes the terminal again when
// it goes on.
func (m *model) suspend() {
	m.giveBack(tea.Exec(&stopWritten{settle: m.far.settle}, func(error) tea.Msg { return tea.ResumeMsg{} }))
}

func (m *model) quit() { m.giveBack(tea.Quit) }

// interrupt quits at the second ctrl+c within three seconds; the first one says so.
func (m *model) interrupt() {
	if !m.ctrlC.IsZero() && m.now.Sub(m.ctrlC) < 3*time.Second {
		if why := m.offQuit(); why != "" && !m.warned {
			m.warned, m.ctrlC = true, time.Time{}
			m.say(sale.Watch, why+"; ctrl+c twice again leaves all the same")
			return
		}
		m.quit()
		return
	}
	m.ctrlC = m.now
	m.say(sale.OK, "ctrl+c again within 3 s quits")
}

// takeLogs takes in the log's lines, newest first. Who looks at older lines keeps them in place.
func (m *model) takeLogs(lines []views.LogLine) {
	added := 0
	if len(m.logs) > 0 { // the ring may have dropped old lines: find the one that was newest
		added = slices.IndexFunc(lines, func(l views.LogLine) bool { return l == m.logs[0] })
		if added < 0 {
			added = len(lines)
		}
	}
	m.logs = lines
	if l := m.lists[views.LogsScreen]; l.cursor > 0 || l.scroll > 0 {
		l.cursor = min(l.cursor+added, max(len(lines)-1, 0))
		l.scroll = min(l.scroll+added, max(len(lines)-1, 0))
		m.lists[views.LogsScreen] = l
	}
	if m.screen == views.LogsScreen {
		m.needs(clockNeed)
	}
}

// readNow asks the chosen source again. The asking is not this goroutine's business.
func (m *model) readNow() {
	src := m.chosenSource()
	if src == nil {
		return
	}
	name, ask := src.Name, m.opts.ReadNow
	m.cmds = append(m.cmds, m.guard.cmd("read now", func() tea.Msg {
		ask(name)
		return nil
	}))
	m.say(sale.OK, name+": asked to read now")
}

func (m *model) chosenSource() *sale.SourceState {
	if at := m.lists[views.SourcesScreen].cursor; at >= 0 && at < len(m.snap.Sources) {
		return &m.snap.Sources[at]
	}
	return nil
}

// saleDigits writes the digits that sales have, as keys of a footer: "1-6".
func (m *model) saleDigits(keys []string) string {
	last := 0
	for _, st := range m.snap.Sales {
		last = max(last, st.Sale.Digit)
	}
	return prettyKeys(keys[:min(max(last, 1), len(keys))])
}

// windowWord writes a window for a person: "15 min", "3 h".
func windowWord(d time.Duration) string {
	if d >= time.Hour {
		return strconv.Itoa(int(d/time.Hour)) + " h"
	}
	return strconv.Itoa(int(d/time.Minute)) + " min"
}
