package views

import (
	"github.com/onsale-dev/onsale/sale"
)

// Screen names a full-size screen.
type Screen string

// The screens that a session can be on.
const (
	OverviewScreen Screen = "overview"
	SaleScreen     Screen = "sale"
	SourcesScreen  Screen = "sources"
	LogsScreen     Screen = "logs"
	JournalScreen  Screen = "journal"
	AlarmsScreen   Screen = "alarms"
	WallScreen     Screen = "wall"
	HelpScreen     Screen = "help"
)

// PaletteEntry is one line of the command palette. Off is why it can't run now; empty when it can.
type PaletteEntry struct {
	Title string
	Keys  string
	Help  string
	Off   string
}

// Area says what kind of thing is at a place of a screen.
type Area string

// The areas that a pointer can hit. NowhereArea is everything else: frames, blanks, titles.
const (
	NowhereArea Area = ""
	SaleArea    Area = "sale"   // a sale's pane or rows on the overview
	PanelArea   Area = "panel"  // a chart of a sale's page
	SignalArea  Area = "signal" // a row of the signal table of a sale's page
	RowArea     Area = "row"    // a row of a list: sources, logs, journal
	HeaderArea  Area = "header"
	FooterArea  Area = "footer"
)

// Hit is what is at one cell of a screen.
type Hit struct {
	Area   Area
	Sale   sale.ID     // of SaleArea
	Row    int         // of RowArea: the index in the whole list, not on the screen
	Panel  int         // of PanelArea: the index in Sale.Panels
	Signal sale.Signal // of SignalArea
}
