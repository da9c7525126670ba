package ui

import (
	"fmt"
	"strings"

	"github.com/onsale-dev/onsale/sale"
)

// title is what the terminal's window is called: the worst sale, for who looks at a tab.
// Titles are sent to the terminal as they are, so this text has passed sale.Clean.
func (m *model) title() string {
	if m.opts.NoTitle {
		return ""
	}
	verdict, count := sale.OK, 0
	for _, st := range m.snap.Sales {
		switch rank := st.Verdict.Rank(); {
		case count == 0 || rank > verdict.Rank():
			verdict, count = st.Verdict, 1
		case rank == verdict.Rank():
			count++
		}
	}
	text := "onsale"
	if m.opts.Header.Environment != "" {
		text += " " + m.opts.Header.Environment
	}
	if count == 0 {
		return sale.Clean(text, 80)
	}
	text += " " + m.glyph(verdict) + " " + strings.ToUpper(string(verdict))
	if verdict == sale.OK {
		return sale.Clean(fmt.Sprintf("%s %d sales", text, count), 80)
	}
	for _, id := range m.order.ids {
		if st := m.snap.Sale(id); st != nil && st.Verdict == verdict {
			text += " " + string(id)
			break
		}
	}
	if count > 1 {
		text += fmt.Sprintf(" +%d", count-1)
	}
	return sale.Clean(text, 80)
}

func (m *model) glyph(v sale.Verdict) string {
	glyphs := map[sale.Verdict][2]string{
		sale.Bad: {"▲", "!"}, sale.Watch: {"◆", "*"}, sale.Unknown: {"◇", "?"}, sale.OK: {"○", "o"},
	}
	g, ok := glyphs[v]
	if !ok {
		g = glyphs[sale.Unknown]
	}
	if m.theme.ascii {
		return g[1]
	}
	return g[0]
}
