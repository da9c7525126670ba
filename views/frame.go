// Package views draws. Every screen is a pure function of a Frame: no I/O, no clock, no
// memory of an earlier frame other than a cache that can't change what is drawn.
//
// Every screen returns exactly Height lines of exactly Width cells. A state is always a
// word, a glyph and a colour together, so that it reads in monochrome and in ASCII.
package views

import (
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// Frame is everything that a screen is drawn from.
type Frame struct {
	Now           time.Time
	Width, Height int
	Theme         *Theme
	Snapshot      *sale.Snapshot
	Order         []sale.ID // sales to show, in display order; the filter is already applied
	Focus         sale.ID   // the sale that keys act on
	Window        time.Duration
	Panel         int  // the focused panel of a sale's page
	Zoomed        bool // that panel alone, over the whole page
	Scroll        int  // first row or sale shown in a list
	Cursor        int  // the chosen row of a list
	Header        Header
	Footer        Footer
	Outcome       *Outcome // of the last action, in two rows above the footer; nil: none
	Links         LinkPolicy
	// Acts is what the acting keys do on the sale in focus, by the action's verb: "pause".
	Acts map[string]KeyHint
	// ActKeys are the keys that act, by the action as onsale act takes it: "pause" is "P". An
	// action that has no key here is written in words alone.
	ActKeys map[string]string
	// Rotate is how long a page of sales stays on the wall when they don't all fit; 0: none is turned.
	Rotate     time.Duration
	CoarseAges bool // ages step by 5 s, and from a minute on by 15 s: fewer bytes on a slow link
}

// Header is what the two top lines say beside the time and the snapshot's own figures.
type Header struct {
	Version     string
	Environment string // "PROD": in every header, never dropped
	Accounts    []string
	Operator    string // who sits here, cleaned
	Title       string // what that person is: "viewer"; default "operator"
	Role        string // "READ-ONLY"
	// Driver is whose keys act where several people sit at one cockpit; empty: nobody else can.
	Driver string
	// ArmsFor is for how long a key arms one action; 0: no key acts.
	ArmsFor time.Duration
	// Armed is what is left of the countdown of an armed panel; 0: none is armed.
	Armed time.Duration
	// Loud is what must not be missed on any screen, such as a journal that can't be written or a
	// glass that was broken.
	Loud string
	// LinkLag is how long the terminal takes to draw what is written to it; 0: not measured yet.
	LinkLag time.Duration
	// LinkUnknown says that the terminal does not answer: it may lag further than LinkLag says.
	LinkUnknown bool
	Filter      string
}

// Footer is the bottom lines: the newest message and the keys that work here.
type Footer struct {
	Message   string
	MessageAt time.Time
	Severity  sale.Verdict // of the message
	Keys      []KeyHint
}

// KeyHint is one key as the footer and the help show it. Off is why it does nothing now;
// empty when it works.
type KeyHint struct {
	Keys  string // "[ ]", "?", "1-6 enter"
	Label string
	Help  string // a longer sentence for the help page
	Group string // the help page's row: "move", "screens", "act on"
	Off   string
}

// LinkPolicy decides which console links may become OSC 8 hyperlinks. The zero value allows none.
type LinkPolicy struct {
	Hosts []string // exact host names
	On    bool     // off where the terminal or the session should get none
}

// LogLine is one line of the logs screen.
type LogLine struct {
	At    time.Time
	Level string // "debug", "info", "warn", "error"
	Text  string // clean, one line
}
