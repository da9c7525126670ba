package ui

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/sale"
)

// bellGap is the least time between two rings: who sits here needs one, however many sales turn
// bad together.
const bellGap = 10 * time.Second

// bell rings when a sale gets its first BAD alarm, and not again until it had none. What was raised
// before the session began rings nothing: who has just come in looks anyway.
type bell struct {
	bad  map[sale.ID]bool
	from time.Time // when the session began
	last time.Time
}

// hear takes in a snapshot and names the sales that have their first BAD alarm since the last.
func (b *bell) hear(snap *sale.Snapshot) (newly []*sale.State) {
	was := b.bad
	b.bad = map[sale.ID]bool{}
	for _, st := range snap.Sales {
		fresh := false
		for i := range st.Alarms {
			if a := &st.Alarms[i]; a.Verdict == sale.Bad && !a.Clearing {
				b.bad[st.Sale.ID] = true
				fresh = fresh || !a.Raised.Before(b.from)
			}
		}
		if fresh && !was[st.Sale.ID] {
			newly = append(newly, st)
		}
		// A sale whose alarm only waits to be proven over is not rung for again.
		b.bad[st.Sale.ID] = b.bad[st.Sale.ID] || was[st.Sale.ID] && len(st.Alarms) > 0
	}
	return newly
}

// ring tells the terminal, at most once in bellGap.
func (m *model) ring(newly []*sale.State) {
	if len(newly) == 0 || m.opts.NoBell || m.now.Sub(m.bell.last) < bellGap {
		return
	}
	m.bell.last = m.now
	m.cmds = append(m.cmds, tea.Raw("\a"))
	if !m.opts.Notify {
		return
	}
	words := make([]string, len(newly))
	for i, st := range newly {
		words[i] = "BAD " + string(st.Sale.ID) + ": " + st.Cause.Text
	}
	// OSC 9 ends at the first control character, and clean text has none.
	m.cmds = append(m.cmds, tea.Raw("\x1b]9;"+sale.Clean("onsale "+strings.Join(words, "; "), 200)+"\x07"))
}
