package ui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// journalMsg brings the journal as it was read.
type journalMsg struct {
	journal views.Journal
	err     error
}

func (m *model) openJournal() {
	m.goTo(views.JournalScreen)
	m.readJournal()
}

// readJournal reads the journal again, one reading at a time.
func (m *model) readJournal() {
	if m.opts.Hands == nil || m.readingJournal {
		return
	}
	m.readingJournal = true
	read, ctx := m.opts.Hands.Journal, m.ctx
	m.cmds = append(m.cmds, m.guard.cmd("journal", func() tea.Msg {
		j, err := read(ctx)
		return journalMsg{j, err}
	}))
}

// takeJournal shows what was read. Who looks at older records keeps them in place.
func (m *model) takeJournal(msg journalMsg) {
	m.readingJournal = false
	m.needs(nowNeed)
	if msg.err != nil {
		m.journal.Problem, m.journal.ReadAt = "it can't be read: "+sale.Clean(msg.err.Error(), 200), m.now
		return
	}
	added := 0
	if len(m.journal.Rows) > 0 {
		for added < len(msg.journal.Rows) && msg.journal.Rows[added].Seq != m.journal.Rows[0].Seq {
			added++
		}
		if added == len(msg.journal.Rows) {
			added = 0
		}
	}
	m.journal = msg.journal
	if m.journal.ReadAt.IsZero() {
		m.journal.ReadAt = m.now
	}
	if l := m.lists[views.JournalScreen]; l.cursor > 0 || l.scroll > 0 {
		l.cursor = min(l.cursor+added, max(len(m.journal.Rows)-1, 0))
		l.scroll = min(l.scroll+added, max(len(m.journal.Rows)-1, 0))
		m.lists[views.JournalScreen] = l
	}
}

func (m *model) offJournal() string {
	if m.opts.Hands == nil {
		return noControl
	}
	return ""
}
