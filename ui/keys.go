package ui

// table is the one key table. A row that stands first is also first in the footer and in the
// help page.
func table() []row {
	var rows []row
	rows = append(rows, screenRows()...)
	rows = append(rows, wallRows()...)
	rows = append(rows, alarmRows()...)
	rows = append(rows, actRows()...)
	rows = append(rows, moveRows()...)
	rows = append(rows, viewRows()...)
	rows = append(rows, dialogRows()...)
	rows = append(rows, panelRows()...)
	return append(rows, sessionRows()...)
}

func screenRows() []row {
	return []row{
		{
			Binding: Binding{Intent: helpIntent, Keys: []string{"?"}, Scopes: []Scope{ScreensScope, HelpScope}, Label: "help", Group: "screens", Help: "show or leave the keys of this screen and why some are off"},
			footer:  true, run: func(m *model, _ press) { m.toggleHelp() },
		},
		{
			Binding: Binding{Intent: paletteIntent, Keys: []string{":"}, Scopes: []Scope{ScreensScope}, Label: "palette", Group: "screens", Help: "find any command, sale or source by a few letters"},
			footer:  true, hidden: true, run: func(m *model, _ press) { m.openPalette() },
		},
		{
			Binding: Binding{Intent: filterIntent, Keys: []string{"/"}, Scopes: []Scope{ScreensScope}, Label: "filter", Group: "screens", Help: "show only sales that match by id, name, venue, group, verdict or phase"},
			footer:  true, run: func(m *model, _ press) { m.openFilter() },
		},
		{
			Binding: Binding{Intent: clearFilterIntent, Scopes: []Scope{ScreensScope}, Label: "clear filter", Group: "screens", Help: "show all sales again"},
			off:     (*model).offClearFilter, run: func(m *model, _ press) { m.clearFilter() },
		},
		{
			Binding: Binding{Intent: overviewIntent, Scopes: []Scope{ScreensScope}, Label: "overview", Group: "screens", Help: "show all sales, worst first"},
			run:     func(m *model, _ press) { m.goHome() },
		},
		{
			Binding: Binding{Intent: sourcesIntent, Keys: []string{"o"}, Scopes: []Scope{ScreensScope}, Label: "sources", Group: "screens", Help: "show what is read, how fresh it is, what it costs and what failed"},
			footer:  true, run: func(m *model, _ press) { m.openSources() },
		},
		{
			Binding: Binding{Intent: logsIntent, Keys: []string{"e"}, Scopes: []Scope{ScreensScope}, Label: "logs", Group: "screens", Help: "show the cockpit's own log of events, newest first"},
			footer:  true, off: (*model).offLogs, run: func(m *model, _ press) { m.openLogs() },
		},
	}
}

func moveRows() []row {
	lists := []Scope{ScreensScope, HelpScope}
	return []row{
		{
			Binding: Binding{Intent: leftIntent, Keys: []string{"left", "h"}, Scopes: lists, Label: "move", Group: "move", Help: "one sale or one panel to the left"},
			footer:  true, hidden: true, run: func(m *model, _ press) { m.move(-1, 0) },
		},
		{
			Binding: Binding{Intent: downIntent, Keys: []string{"down", "j"}, Scopes: lists, Label: "move", Group: "move", Help: "one sale or one row down"},
			footer:  true, hidden: true, run: func(m *model, _ press) { m.move(0, 1) },
		},
		{
			Binding: Binding{Intent: upIntent, Keys: []string{"up", "k"}, Scopes: lists, Label: "move", Group: "move", Help: "one sale or one row up"},
			footer:  true, hidden: true, run: func(m *model, _ press) { m.move(0, -1) },
		},
		{
			Binding: Binding{Intent: rightIntent, Keys: []string{"right", "l"}, Scopes: lists, Label: "move", Group: "move", Help: "one sale or one panel to the right"},
			footer:  true, hidden: true, run: func(m *model, _ press) { m.move(1, 0) },
		},
		{
			Binding: Binding{Intent: openSaleIntent, Keys: []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}, Scopes: []Scope{ScreensScope}, Label: "open", Group: "move", Help: "open the sale that has this digit; a sale's digit never changes"},
			footer:  true, hidden: true, off: (*model).offOpenDigit, run: func(m *model, p press) { m.openDigit(p.index + 1) },
		},
		{
			Binding: Binding{Intent: openIntent, Keys: []string{"enter"}, Scopes: []Scope{OverviewScope}, Label: "open", Group: "move", Help: "open the sale in focus"},
			footer:  true, off: (*model).offOpen, run: func(m *model, _ press) { m.openFocused() },
		},
		{
			Binding: Binding{Intent: backIntent, Keys: []string{"esc"}, Scopes: []Scope{ScreensScope, HelpScope}, Label: "back", Group: "move", Help: "back to where you came from; on the overview it clears the filter", Fixed: true},
			footer:  true, hidden: true, quiet: true, off: (*model).offBack, run: func(m *model, _ press) { m.back() },
		},
		{
			Binding: Binding{Intent: pageUpIntent, Keys: []string{"pgup", "ctrl+b"}, Scopes: lists, Label: "page up", Group: "move", Help: "one page up"},
			hidden:  true, run: func(m *model, _ press) { m.page(-1) },
		},
		{
			Binding: Binding{Intent: pageDownIntent, Keys: []string{"pgdown", "ctrl+f"}, Scopes: lists, Label: "page down", Group: "move", Help: "one page down"},
			hidden:  true, run: func(m *model, _ press) { m.page(1) },
		},
		{
			Binding: Binding{Intent: topIntent, Keys: []string{"g", "home"}, Scopes: lists, Label: "top", Group: "move", Help: "to the first sale or row"},
			hidden:  true, run: func(m *model, _ press) { m.toEdge(-1) },
		},
		{
			Binding: Binding{Intent: bottomIntent, Keys: []string{"G", "end"}, Scopes: lists, Label: "bottom", Group: "move", Help: "to the last sale or row"},
			hidden:  true, run: func(m *model, _ press) { m.toEdge(1) },
		},
	}
}

func viewRows() []row {
	return []row{
		{
			Binding: Binding{Intent: nextPanelIntent, Keys: []string{"tab"}, Scopes: []Scope{SaleScope}, Label: "next panel", Group: "view", Help: "put the focus on the next chart"},
			footer:  true, off: (*model).offPanels, run: func(m *model, _ press) { m.turnPanel(1) },
		},
		{
			Binding: Binding{Intent: prevPanelIntent, Keys: []string{"shift+tab"}, Scopes: []Scope{SaleScope}, Label: "previous panel", Group: "view", Help: "put the focus on the previous chart"},
			off:     (*model).offPanels, run: func(m *model, _ press) { m.turnPanel(-1) },
		},
		{
			Binding: Binding{Intent: zoomIntent, Keys: []string{"z"}, Scopes: []Scope{SaleScope}, Label: "zoom", Group: "view", Help: "show the focused chart over the whole page, or all charts again"},
			footer:  true, off: (*model).offPanels, run: func(m *model, _ press) { m.zoom() },
		},
		{
			Binding: Binding{Intent: shorterIntent, Keys: []string{"["}, Scopes: []Scope{ScreensScope}, Label: "window", Group: "view", Help: "look back over a shorter time: 6 h, 3 h, 1 h, 30 min, 15 min, 5 min"},
			footer:  true, off: (*model).offShorter, run: func(m *model, _ press) { m.turnWindow(-1) },
		},
		{
			Binding: Binding{Intent: longerIntent, Keys: []string{"]"}, Scopes: []Scope{ScreensScope}, Label: "window", Group: "view", Help: "look back over a longer time: 5 min, 15 min, 30 min, 1 h, 3 h, 6 h"},
			footer:  true, off: (*model).offLonger, run: func(m *model, _ press) { m.turnWindow(1) },
		},
		{
			Binding: Binding{Intent: copyIntent, Keys: []string{"y"}, Scopes: []Scope{ScreensScope}, Label: "copy", Group: "view", Help: "copy the line in focus with its cause to the clipboard of this terminal"},
			footer:  true, off: (*model).offCopy, run: func(m *model, _ press) { m.copyFocus() },
		},
		{
			Binding: Binding{Intent: readNowIntent, Keys: []string{"r"}, Scopes: []Scope{SourcesScope}, Label: "read now", Group: "view", Help: "ask the chosen source again at once, within its own limits"},
			footer:  true, off: (*model).offReadNow, run: func(m *model, _ press) { m.readNow() },
		},
	}
}

func dialogRows() []row {
	return []row{
		{
			Binding: Binding{Intent: acceptIntent, Keys: []string{"enter"}, Scopes: []Scope{PaletteScope, FilterScope, QuestionScope, CodeScope}, Label: "run or keep", Group: "dialog", Help: "run the chosen entry of the palette, keep the filter, read the target of an action, or send an MFA code", Fixed: true},
			hidden:  true, run: func(m *model, _ press) { m.accept() },
		},
		{
			Binding: Binding{Intent: previousIntent, Keys: []string{"up", "ctrl+p"}, Scopes: []Scope{PaletteScope}, Label: "previous entry", Group: "dialog", Help: "choose the entry above"},
			hidden:  true, run: func(m *model, _ press) { m.choose(-1) },
		},
		{
			Binding: Binding{Intent: nextIntent, Keys: []string{"down", "ctrl+n", "tab"}, Scopes: []Scope{PaletteScope}, Label: "next entry", Group: "dialog", Help: "choose the entry below"},
			hidden:  true, run: func(m *model, _ press) { m.choose(1) },
		},
		{
			Binding: Binding{Intent: closeIntent, Keys: []string{"esc"}, Scopes: []Scope{PaletteScope, FilterScope, QuestionScope, CodeScope}, Label: "close", Group: "dialog", Help: "close the palette or a question, go without an MFA code, or close and clear the filter", Fixed: true},
			hidden:  true, run: func(m *model, _ press) { m.closeDialog() },
		},
	}
}

func sessionRows() []row {
	return []row{
		{
			Binding: Binding{Intent: redrawIntent, Keys: []string{"ctrl+l"}, Scopes: []Scope{EverywhereScope}, Label: "redraw", Group: "session", Help: "draw the whole screen again"},
			run:     func(m *model, _ press) { m.redrawAll() },
		},
		{
			Binding: Binding{Intent: suspendIntent, Keys: []string{"ctrl+z"}, Scopes: []Scope{EverywhereScope}, Label: "suspend", Group: "session", Help: "give the terminal back to the shell until fg"},
			off:     (*model).offSuspend, run: func(m *model, _ press) { m.suspend() },
		},
		{
			Binding: Binding{Intent: interruptIntent, Keys: []string{"ctrl+c"}, Scopes: []Scope{EverywhereScope}, Label: "quit", Group: "session", Help: "pressed twice within 3 s: quit, from anywhere", Fixed: true},
			hidden:  true, run: func(m *model, _ press) { m.interrupt() },
		},
		{
			Binding: Binding{Intent: quitIntent, Keys: []string{"q"}, Scopes: []Scope{ScreensScope, HelpScope}, Label: "quit", Group: "session", Help: "leave the cockpit; nothing on the systems changes"},
			footer:  true, off: (*model).offQuit, run: func(m *model, _ press) { m.quit() },
		},
	}
}
