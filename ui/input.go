package ui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// newInput makes a one-line text field whose cursor stays at its end. It never reads a
// clipboard and never blinks.
func newInput(limit int) textinput.Model {
	in := textinput.New()
	in.Prompt = ""
	in.CharLimit = limit
	in.SetVirtualCursor(false)
	in.KeyMap = textinput.KeyMap{
		DeleteCharacterBackward: key.NewBinding(key.WithKeys("backspace", "ctrl+h")),
		DeleteWordBackward:      key.NewBinding(key.WithKeys("ctrl+w", "alt+backspace")),
		DeleteBeforeCursor:      key.NewBinding(key.WithKeys("ctrl+u")),
	}
	in.Focus()
	return in
}

// cleanPaste keeps the first line of a paste, without anything that could act on a terminal.
func cleanPaste(msg tea.PasteMsg) tea.PasteMsg {
	line, _, _ := strings.Cut(strings.TrimLeft(msg.Content, "\r\n"), "\n")
	return tea.PasteMsg{Content: sale.Clean(strings.TrimRight(line, "\r"), 60)}
}

// filterBar narrows the sales while it is typed.
type filterBar struct {
	input   textinput.Model
	editing bool
	text    string
	words   []string
}

func (m *model) openFilter() {
	m.helping = false
	if m.screen != views.OverviewScreen {
		m.goHome()
	}
	m.filter.editing = true
	m.filter.input.SetValue(m.filter.text)
	m.filter.input.CursorEnd()
	m.needs(keyNeed)
}

func (m *model) typeFilter(msg tea.Msg) {
	m.filter.input, _ = m.filter.input.Update(msg)
	m.setFilter(m.filter.input.Value())
}

func (m *model) setFilter(text string) {
	m.filter.text = strings.TrimSpace(sale.Clean(text, 40))
	m.filter.words = filterWords(m.filter.text)
	m.arrange()
	m.keepInSight()
	m.needs(keyNeed)
}

func (m *model) clearFilter() {
	m.filter.editing = false
	m.setFilter("")
}

// accept is enter in a dialog.
func (m *model) accept() {
	if m.asking != nil {
		m.answer()
		return
	}
	if m.code != nil {
		m.giveCode()
		return
	}
	if m.palette.open {
		m.runEntry()
		return
	}
	m.filter.editing = false
	m.needs(keyNeed)
}

// closeDialog is esc in a dialog.
func (m *model) closeDialog() {
	if m.asking != nil {
		m.asking = nil
		m.needs(keyNeed)
		return
	}
	if m.code != nil {
		m.declineCode()
		return
	}
	if m.palette.open {
		m.palette.open = false
		m.needs(keyNeed)
		return
	}
	m.clearFilter()
}
