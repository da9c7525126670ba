package ui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/views"
)

// wheelGap is the least time between two turns of the wheel that are let through.
const wheelGap = 30 * time.Millisecond

// sieve keeps floods away from the model: it clamps sizes, thins out the wheel and drops
// movement and, when the mouse is off, everything else of it.
type sieve struct {
	mouse bool
	wheel time.Time
	holds func() bool        // the terminal is busy; nil: it never is
	size  *tea.WindowSizeMsg // the newest one, held while the terminal is busy
}

// filter is a Bubble Tea event filter; it runs on the program's loop alone.
func (s *sieve) filter(_ tea.Model, msg tea.Msg) tea.Msg {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		msg.Width, msg.Height = clampSize(msg.Width, msg.Height)
		return s.resize(msg)
	case linkMsg, clockMsg:
		return s.withSize(msg)
	case tea.MouseMotionMsg, tea.MouseReleaseMsg:
		return nil
	case tea.MouseClickMsg:
		if !s.mouse {
			return nil
		}
	case tea.MouseWheelMsg:
		now := time.Now()
		if !s.mouse || now.Sub(s.wheel) < wheelGap {
			return nil
		}
		s.wheel = now
	}
	return msg
}

// click focuses what is under the pointer; a click on what has the focus opens it.
func (m *model) click(msg tea.MouseClickMsg) {
	if m.onWall() {
		return
	}
	m.disarm("the mouse was used")
	if m.asking != nil || m.code != nil || msg.Button != tea.MouseLeft || m.palette.open || m.helping || !views.Fits(m.width, m.height) {
		return
	}
	m.lastKey = m.now
	hit := m.paint.Hit(m.frame(), m.screen, msg.X, msg.Y)
	switch hit.Area {
	case views.SaleArea:
		if hit.Sale == m.focus {
			m.openFocused()
			return
		}
		m.setFocus(hit.Sale)
	case views.PanelArea:
		if n := m.panels(); hit.Panel < 0 || hit.Panel >= n {
			return
		}
		if hit.Panel == m.panel {
			m.zoom()
			return
		}
		m.panel = hit.Panel
		m.needs(keyNeed)
	case views.RowArea:
		m.moveRows(hit.Row - m.lists[m.screen].cursor)
	}
}

// wheel moves by three rows, or by one row of panes.
func (m *model) wheel(msg tea.MouseWheelMsg) {
	if m.onWall() {
		return
	}
	m.disarm("the mouse was used")
	if m.asking != nil || m.code != nil {
		return
	}
	by := 0
	switch msg.Button {
	case tea.MouseWheelUp:
		by = -1
	case tea.MouseWheelDown:
		by = 1
	}
	if by == 0 || m.palette.open || !views.Fits(m.width, m.height) {
		return
	}
	m.lastKey = m.now
	if m.listOf() == views.OverviewScreen {
		m.move(0, by)
		return
	}
	m.moveRows(3 * by)
}
