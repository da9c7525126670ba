package ui

import (
	"math"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// messageFor is how long a message stays in the footer.
const messageFor = 2 * time.Minute

// windows are the times that charts can look back over.
func windows() []time.Duration {
	return []time.Duration{
		5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour,
	}
}

// nearestWindow returns the index of the window nearest to d; 15 minutes when d is not set.
func nearestWindow(d time.Duration) int {
	if d <= 0 {
		return 1
	}
	best := 0
	for i, w := range windows() {
		if (w - d).Abs() < (windows()[best] - d).Abs() {
			best = i
		}
	}
	return best
}

// frame gathers what the screen in hand is drawn from.
func (m *model) frame() views.Frame {
	screen := m.screen
	if m.helping {
		screen = views.HelpScreen
	}
	l := m.lists[screen]
	f := views.Frame{
		Now:      m.now,
		Width:    m.width,
		Height:   m.height,
		Theme:    m.theme.current,
		Snapshot: m.snap,
		Order:    m.ids,
		Focus:    m.focus,
		Window:   windows()[m.window],
		Panel:    m.panel,
		Zoomed:   m.zoomed,
		Scroll:   l.scroll,
		Cursor:   l.cursor,
		Header:   m.header(),
		Links:    m.opts.Links,
		// Over a network each second's ages would cost more than all other changes together.
		CoarseAges: m.opts.Remote || overSSH(m.opts.Env) || m.pace.slow,
	}
	if m.opts.Hands != nil {
		f.ActKeys = m.keys.actKeys()
	}
	if m.onWall() {
		f.Order, f.Rotate = m.order.ids, m.opts.Rotate // a filter is one person's; the wall is everybody's
		return f
	}
	f.Outcome = m.strip()
	if screen == views.SaleScreen {
		f.Acts = m.actionKeys()
	}
	switch {
	case m.acting != nil: // the panel is of its own sale, wherever the focus went
		f.Focus, f.Footer.Keys = m.acting.req.Sale, m.panelHints()
	case m.asking != nil:
		f.Focus, f.Footer.Keys = m.asking.req.Sale, m.keys.footer(m, m.place())
	default:
		f.Footer.Keys = m.keys.footer(m, m.place())
	}
	if m.filter.editing {
		f.Footer.Message = "filter: " + sale.Clean(m.filter.input.Value(), 40) + "_"
		f.Footer.MessageAt, f.Footer.Severity = m.now, sale.OK
	} else if left := m.armedLeft(); left > 0 && !m.acting.confirm.Editing() {
		f.Footer.Message = "waiting for one key; " + sale.Format(math.Ceil(left.Seconds()), sale.Count, false) + " s left, then READ-ONLY again; nothing has been sent"
		f.Footer.MessageAt, f.Footer.Severity = m.now, sale.OK
	} else if p := m.acting; p != nil && p.preview != nil && p.aim != views.AimSend && p.confirm.Armed(m.now) && !p.confirm.Editing() && !p.idle() {
		f.Footer.Message = "waiting for one key; " + sale.Format(math.Ceil(p.confirm.Left(m.now).Seconds()), sale.Count, false) + " s left; nothing is sent by it"
		f.Footer.MessageAt, f.Footer.Severity = m.now, sale.OK
	} else if m.message != "" && m.now.Sub(m.messageAt) < messageFor {
		f.Footer.Message, f.Footer.MessageAt, f.Footer.Severity = m.message, m.messageAt, m.severity
	}
	return f
}

// actionKeys is what the acting keys do on the sale in focus, by the action's verb.
func (m *model) actionKeys() map[string]views.KeyHint {
	acts := map[string]views.KeyHint{}
	for i := range m.keys.rows {
		if r := &m.keys.rows[i]; r.verb != "" && len(r.Keys) > 0 && r.holds(SaleScope) {
			acts[string(r.verb)] = r.hint(m)
		}
	}
	return acts
}

func (m *model) header() views.Header {
	h := m.opts.Header
	h.Filter = m.filter.text
	h.LinkLag, h.LinkUnknown, h.Driver = m.steadyLag(), m.far.state() == silent, m.driverWords()
	if m.opts.Loud != nil {
		h.Loud = sale.Clean(m.opts.Loud(), 200)
	}
	if m.codeWanted && m.code == nil {
		h.Loud = "A LOGIN WAITS FOR AN MFA CODE"
	}
	if m.opts.Hands == nil {
		return h
	}
	if name := m.status.Actor.Name; name != "" {
		h.Operator = sale.Clean(name, 40)
	}
	h.Role, h.Armed = "READ-ONLY", m.armedLeft()
	switch {
	case m.status.Actor.Role == actions.Viewer:
		h.Title = "viewer"
	case m.offAtAll() == "" && m.passenger() == "":
		h.ArmsFor = actions.ArmedFor
	}
	p := m.acting
	switch {
	case m.status.Journal != "":
		h.Loud = "JOURNAL CAN'T BE WRITTEN: NO KEY ACTS"
	case p != nil && p.req.Glass && p.preview != nil && !p.preview.Refused():
		h.Loud = "BREAKING THE GLASS"
	case !m.glassAt.IsZero() && m.now.Sub(m.glassAt) < loudFor:
		h.Loud = "GLASS BROKEN by " + sale.Clean(m.glassOf, 24) + " " + m.glassAt.In(m.now.Location()).Format(time.TimeOnly)
	}
	return h
}

// loudFor is how long every screen says that the glass was broken.
const loudFor = 10 * time.Minute

// content draws the screen in hand with what lies over it.
func (m *model) content() string {
	if m.width <= 0 || m.height <= 0 {
		return ""
	}
	f := m.frame()
	if !views.Fits(m.width, m.height) && !m.onWall() {
		return m.paint.TooSmall(f)
	}
	base := m.base(f)
	switch {
	case m.acting != nil:
		return m.paint.Over(base, m.paint.Confirm(f, m.panelView(), m.now), f)
	case m.asking != nil:
		return m.paint.Over(base, m.paint.Ask(f, m.questionView()), f)
	}
	if m.code != nil {
		f.Focus = "" // it is of no sale
		return m.paint.Over(base, m.paint.Ask(f, m.codeView()), f)
	}
	if !m.palette.open {
		return base
	}
	box := m.paint.Palette(f, sale.Clean(m.palette.input.Value(), 60), m.palette.shown(), m.palette.cursor)
	return m.paint.Over(base, box, f)
}

func (m *model) base(f views.Frame) string {
	if m.helping {
		return m.paint.Help(f, m.keys.help(m, m.screenPlace()))
	}
	switch m.screen {
	case views.SaleScreen:
		return m.paint.Sale(f)
	case views.SourcesScreen:
		return m.paint.Sources(f)
	case views.LogsScreen:
		return m.paint.Logs(f, m.logs)
	case views.JournalScreen:
		return m.paint.Journal(f, m.journal)
	case views.AlarmsScreen:
		return m.paint.Alarms(f)
	case views.WallScreen:
		return m.paint.Wall(f)
	}
	return m.paint.Overview(f)
}

// rows returns how many rows of the list in hand fit and how many there are.
func (m *model) rows(f views.Frame) (visible, total int) {
	if m.helping {
		return m.paint.HelpRows(f, m.keys.help(m, m.screenPlace()))
	}
	switch m.screen {
	case views.SaleScreen:
		return m.paint.SaleRows(f)
	case views.SourcesScreen:
		return m.paint.SourcesRows(f)
	case views.LogsScreen:
		return m.paint.LogsRows(f, m.logs)
	case views.JournalScreen:
		return m.paint.JournalRows(f, m.journal)
	case views.AlarmsScreen:
		return m.paint.AlarmsRows(f)
	}
	return m.paint.OverviewRows(f)
}
