package ui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/sale"
)

// key turns a key into its intent: first at the place where keys go now, then what a text
// field makes of it. A key that means nothing here does nothing, and says so.
func (m *model) key(msg tea.KeyPressMsg) {
	m.lastKey = m.now
	m.countTogether(msg)
	name := msg.String()
	if name != "ctrl+c" {
		m.ctrlC = time.Time{} // only two in a row count
	}
	if m.acting != nil {
		m.panelKey(name, msg)
		return
	}
	if m.swallows(name) {
		return
	}
	p := m.place()
	r, pressed, ok := m.keys.find(p, name)
	if !ok {
		m.unbound(p, name, msg)
		return
	}
	if r.off != nil {
		if why := r.off(m); why != "" {
			m.say(sale.OK, pretty(name)+" "+r.Label+": off, "+why)
			if r.verb != "" {
				m.tried(r.verb)
			}
			return
		}
	}
	r.run(m, pressed)
}

func (m *model) unbound(p place, name string, msg tea.KeyPressMsg) {
	switch p {
	case PaletteScope:
		m.typePalette(msg)
	case FilterScope:
		m.typeFilter(msg)
	case QuestionScope:
		m.typeQuestion(msg)
	case CodeScope:
		m.typeCode(msg)
	default:
		m.say(sale.OK, sale.Clean(pretty(name), 16)+": not bound")
	}
}

// paste reaches text fields only: what is pasted over a screen never becomes keys.
func (m *model) paste(msg tea.PasteMsg) {
	m.lastKey = m.now
	switch m.place() {
	case ConfirmScope:
		m.panelPaste(msg)
	case QuestionScope:
		m.typeQuestion(cleanPaste(msg))
	case CodeScope:
		m.typeCode(cleanPaste(msg))
	case PaletteScope:
		m.typePalette(cleanPaste(msg))
	case FilterScope:
		m.typeFilter(cleanPaste(msg))
	default:
		m.say(sale.OK, "a paste was ignored: open : or / first to paste text")
	}
}
