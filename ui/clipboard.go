package ui

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// maxCopy bounds what is put on a clipboard, in cells.
const maxCopy = 2000

// copyFocus puts the line in focus on the clipboard of the terminal (OSC 52), for a chat or a
// ticket. It is never done without the key.
func (m *model) copyFocus() {
	text := sale.Clean(m.copyText(), maxCopy)
	m.cmds = append(m.cmds, tea.SetClipboard(text))
	m.say(sale.OK, "copied: "+sale.Clean(text, 60))
}

// copyText is what is in focus as one line of text.
func (m *model) copyText() string {
	switch m.screen {
	case views.SourcesScreen:
		if src := m.chosenSource(); src != nil {
			return sourceLine(src)
		}
	case views.LogsScreen:
		if at := m.lists[views.LogsScreen].cursor; at >= 0 && at < len(m.logs) {
			l := m.logs[at]
			return l.At.Format(time.RFC3339) + " " + l.Level + " " + l.Text
		}
	default:
		if st := m.snap.Sale(m.focus); st != nil {
			return VerdictLine(st, m.snap.At)
		}
	}
	return ""
}

// VerdictLine writes a sale's verdict and why as one plain line, without glyphs:
// "BAD arena Spring Tour (live): declines 7.0 % > 5.0 %, since 10:03:12".
func VerdictLine(st *sale.State, at time.Time) string {
	var b strings.Builder
	b.WriteString(strings.ToUpper(string(st.Verdict)) + " " + string(st.Sale.ID) + " " + st.Sale.Name + " (" + string(st.Phase) + "): ")
	switch {
	case len(st.Reasons) > 0:
	case st.Verdict == sale.OK:
		b.WriteString("every needed signal is known and inside its limits")
	default:
		b.WriteString("no reason is known")
	}
	for i, r := range st.Reasons {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(r.Text)
		if !r.Since.IsZero() {
			b.WriteString(", since " + r.Since.In(at.Location()).Format(time.TimeOnly))
		}
	}
	return b.String()
}

func sourceLine(src *sale.SourceState) string {
	line := "source " + src.Name + " (" + src.Kind + "): " + string(src.Condition)
	if !src.Since.IsZero() {
		line += " since " + src.Since.Format(time.TimeOnly)
	}
	if src.Problem != nil {
		line += ": " + src.Problem.Error()
		if src.Problem.Hint != "" {
			line += "; " + src.Problem.Hint
		}
	}
	return line
}
