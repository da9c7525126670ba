package ui

import (
	"maps"
	"slices"

	"github.com/onsale-dev/onsale/views"
)

// Why a key does nothing now, in a few words; empty when it works.

func (m *model) offOpen() string {
	if len(m.ids) == 0 {
		return "no sale is shown"
	}
	return ""
}

func (m *model) offOpenDigit() string {
	for _, st := range m.snap.Sales {
		if st.Sale.Digit > 0 {
			return ""
		}
	}
	if len(m.snap.Sales) > 0 {
		return "more than nine sales: use / or :"
	}
	return "no sale is declared"
}

func (m *model) offClearFilter() string {
	if m.filter.text == "" {
		return "no filter is set"
	}
	return ""
}

func (m *model) offBack() string {
	if m.screen == views.OverviewScreen && len(m.trail) == 0 && m.filter.text == "" && !m.helping {
		return "this is the first screen; q quits"
	}
	return ""
}

func (m *model) offLogs() string {
	if m.opts.Logs == nil {
		return "this session keeps no log"
	}
	return ""
}

func (m *model) offPanels() string {
	if m.panels() == 0 {
		return "this sale declares no charts"
	}
	return ""
}

func (m *model) offShorter() string {
	if m.window == 0 {
		return "5 min is the shortest"
	}
	return ""
}

func (m *model) offLonger() string {
	if m.window == len(windows())-1 {
		return "6 h is the longest"
	}
	return ""
}

func (m *model) offCopy() string {
	if m.opts.NoClipboard {
		return "the clipboard is off in this session"
	}
	if m.copyText() == "" {
		return "nothing is in focus"
	}
	return ""
}

func (m *model) offReadNow() string {
	if m.opts.ReadNow == nil {
		return "this session can't ask a source"
	}
	if m.chosenSource() == nil {
		return "no source is chosen"
	}
	return ""
}

// offQuit is set while an action runs: who leaves would not see how it ends.
func (m *model) offQuit() string {
	for _, id := range slices.Sorted(maps.Keys(m.runs)) {
		return m.saleWord(id) + m.runs[id].what + " is not settled yet"
	}
	return ""
}

func (m *model) offSuspend() string {
	if m.opts.Remote || !canSuspend {
		return "only in a terminal of your own with job control"
	}
	return ""
}
