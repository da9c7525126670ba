package ui

import (
	"strings"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/views"
)

// Intent is what a key means. Its name is stable: configs rebind keys by it.
type Intent string

// Scope says where a binding holds. A dialog leaks nothing to what lies under it, apart from
// the bindings that hold everywhere.
type Scope string

// The scopes. ScreensScope is every screen; the others are one screen or one dialog each.
const (
	EverywhereScope Scope = "everywhere"
	ScreensScope    Scope = "screens"
	OverviewScope   Scope = "overview"
	SaleScope       Scope = "sale"
	SourcesScope    Scope = "sources"
	LogsScope       Scope = "logs"
	HelpScope       Scope = "help"
	PaletteScope    Scope = "palette"
	FilterScope     Scope = "filter"
	JournalScope    Scope = "journal"
	AlarmsScope     Scope = "alarms"
	WallScope       Scope = "wall"     // takes every key, so that none that acts or opens gets through
	ConfirmScope    Scope = "confirm"  // the panel of an action: it takes every key
	QuestionScope   Scope = "question" // what an action needs to know first
	CodeScope       Scope = "code"     // the MFA code that a login asks for
)

// Binding is one row of the key table: what the help page, the footer, the palette and the
// documents are made from.
type Binding struct {
	Intent Intent
	Keys   []string // as Bubble Tea names them: "?", "ctrl+l", "pgdown"; may be empty
	Scopes []Scope
	Label  string // one or two words for the footer
	Help   string // a sentence for the help page and the palette
	Group  string // the row of the help page: "move", "screens", "view", "session"
	Fixed  bool   // can't be rebound: the way out must always be there
}

// row is a binding with what it does.
type row struct {
	Binding
	footer bool         // shown among the keys of the footer
	hidden bool         // no entry of the palette: it only makes sense as a key
	quiet  bool         // while it is off the footer does not mention it
	verb   actions.Verb // of a row that acts
	off    func(*model) string
	run    func(*model, press)
}

// press is the key that was struck and its place among the keys of its binding.
type press struct {
	key   string
	index int
}

// The intents.
const (
	helpIntent        Intent = "help"
	paletteIntent     Intent = "palette"
	filterIntent      Intent = "filter"
	clearFilterIntent Intent = "clear-filter"
	overviewIntent    Intent = "overview"
	sourcesIntent     Intent = "sources"
	logsIntent        Intent = "logs"
	backIntent        Intent = "back"
	quitIntent        Intent = "quit"
	interruptIntent   Intent = "interrupt"
	suspendIntent     Intent = "suspend"
	redrawIntent      Intent = "redraw"
	openSaleIntent    Intent = "open-sale"
	openIntent        Intent = "open"
	upIntent          Intent = "up"
	downIntent        Intent = "down"
	leftIntent        Intent = "left"
	rightIntent       Intent = "right"
	pageUpIntent      Intent = "page-up"
	pageDownIntent    Intent = "page-down"
	topIntent         Intent = "top"
	bottomIntent      Intent = "bottom"
	nextPanelIntent   Intent = "next-panel"
	prevPanelIntent   Intent = "previous-panel"
	zoomIntent        Intent = "zoom"
	shorterIntent     Intent = "window-shorter"
	longerIntent      Intent = "window-longer"
	copyIntent        Intent = "copy"
	readNowIntent     Intent = "read-now"
	acceptIntent      Intent = "accept"
	nextIntent        Intent = "next-entry"
	previousIntent    Intent = "previous-entry"
	closeIntent       Intent = "close"
)

// Bindings returns the key table as it is before any rebinding, in the order of the help page.
func Bindings() []Binding {
	rows := table()
	out := make([]Binding, len(rows))
	for i := range rows {
		out[i] = rows[i].Binding
	}
	return out
}

// pretty is how a key is written for a person.
func pretty(key string) string {
	switch key {
	case "up":
		return "↑"
	case "down":
		return "↓"
	case "left":
		return "←"
	case "right":
		return "→"
	case "pgdown":
		return "pgdn"
	}
	return key
}

// prettyKeys writes some keys in a row; digits that follow each other become a range.
func prettyKeys(keys []string) string {
	if n := len(keys); n > 2 && digitsInARow(keys) {
		return keys[0] + "-" + keys[n-1]
	}
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = pretty(k)
	}
	return strings.Join(out, " ")
}

func digitsInARow(keys []string) bool {
	for i, k := range keys {
		if len(k) != 1 || k[0] < '0' || k[0] > '9' || i > 0 && k[0] != keys[i-1][0]+1 {
			return false
		}
	}
	return true
}

// hint turns a row into what the footer and the help page show, with its keys as they are
// bound now.
func (r *row) hint(m *model) views.KeyHint {
	h := views.KeyHint{Keys: prettyKeys(r.Keys), Label: r.Label, Help: r.Help, Group: r.Group}
	if r.off != nil {
		h.Off = r.off(m)
	}
	return h
}
