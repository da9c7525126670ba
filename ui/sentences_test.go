package ui

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

func TestWhatKeysDo(t *testing.T) {
	cases := []struct {
		sentence string
		n        int
		keys     string // blank-separated
		sees     []string
		seesNot  []string
	}{
		{sentence: "the first screen is the overview with the first sale in focus", sees: []string{"screen overview", "focus harbour"}},
		{sentence: "enter opens the sale in focus", keys: "enter", sees: []string{"screen sale", "focus harbour"}},
		{sentence: "a digit opens the sale that has it", keys: "4", sees: []string{"screen sale", "focus falcons"}},
		{sentence: "a digit that no sale has says so", n: 3, keys: "9", sees: []string{"screen overview", "9: no sale has this digit"}},
		{sentence: "with more than nine sales the digits are off and say what to use", n: 12, keys: "3", sees: []string{"screen overview", "3 open: off, more than nine sales: use / or :"}},
		{sentence: "esc goes back to the overview", keys: "4 esc", sees: []string{"screen overview", "focus falcons"}},
		{sentence: "a digit on a sale's page opens the other sale and esc still leads to the overview", keys: "4 2 esc", sees: []string{"screen overview", "focus comet"}},
		{sentence: "right and l move the focus by one", keys: "right l", sees: []string{"focus lantern"}},
		{sentence: "down and j move the focus by a row of panes", keys: "down", sees: []string{"focus falcons"}},
		{sentence: "h, k, left and up move it back", keys: "j l h k", sees: []string{"focus harbour"}},
		{sentence: "the focus stops at the first sale", keys: "up left h k", sees: []string{"focus harbour"}},
		{sentence: "the focus stops at the last sale", keys: "G right down l j", sees: []string{"focus meadow"}},
		{sentence: "g goes to the first sale", keys: "G g", sees: []string{"focus harbour"}},
		{sentence: "down into a last row that is not full goes to its end", n: 5, keys: "right right down", sees: []string{"focus orbit"}},
		{sentence: "moving below the screen scrolls by whole rows of panes", n: 12, keys: "j j j", sees: []string{"focus falcons-9", "scroll 6"}},
		{sentence: "moving back above it scrolls back", n: 12, keys: "G g", sees: []string{"scroll 0"}},
		{sentence: "moving left past the first pane in sight brings in the row above it", n: 12, keys: "G h h h h h h", sees: []string{"scroll 3"}},
		{sentence: "? shows the keys, also those that are off, with the reason", keys: "?", sees: []string{"screen help", "help ? = show or leave", "off: this session keeps no log"}},
		{sentence: "? again leaves the help", keys: "? ?", sees: []string{"screen overview"}},
		{sentence: "esc leaves the help and nothing else", keys: "4 ? esc", sees: []string{"screen sale"}},
		{sentence: "the help of a page lists the page's own keys", keys: "4 ?", sees: []string{"help z = "}},
		{sentence: "a key of the screen under the help does nothing", keys: "? ]", sees: []string{"window 15m0s", "]: not bound"}},
		{sentence: "tab goes through the panels and round", keys: "1 tab tab tab tab", sees: []string{"panel 1"}},
		{sentence: "shift+tab goes the other way", keys: "1 shift+tab", sees: []string{"panel 2"}},
		{sentence: "z zooms the focused panel", keys: "1 tab z", sees: []string{"panel 1 zoomed true"}},
		{sentence: "esc undoes the zoom first", keys: "1 tab z esc", sees: []string{"screen sale", "zoomed false"}},
		{sentence: "] looks back over a longer time", keys: "]", sees: []string{"window 30m0s", "message window 30 min"}},
		{sentence: "] stops at six hours and says so", keys: "] ] ] ] ]", sees: []string{"window 6h0m0s", "]", "off, 6 h is the longest"}},
		{sentence: "[ stops at five minutes and says so", keys: "[ [", sees: []string{"window 5m0s", "off, 5 min is the shortest"}},
		{sentence: "o opens the sources and esc comes back", keys: "o", sees: []string{"screen sources", "cursor 0"}},
		{sentence: "down chooses the next source", keys: "o j j j j", sees: []string{"cursor 2"}},
		{sentence: "the sources opened from a sale lead back to it", keys: "3 o esc", sees: []string{"screen sale", "focus lantern"}},
		{sentence: "without a log its key is off", keys: "e", sees: []string{"screen overview", "e logs: off, this session keeps no log"}},
		{sentence: "without a control an acting key is off and says why", keys: "S", sees: []string{"S scale up: off, no control is configured: this cockpit only reads", "screen overview"}},
		{sentence: "without a control the footer says so once for all acting keys", sees: []string{"key P R + - S s I A U N pause admission off: no control is configured"}},
		{sentence: "without a control there is no journal", keys: "J", sees: []string{"screen overview", "J journal: off, no control is configured"}},
		{sentence: "a control key that means nothing is named in words", keys: "ctrl+g", sees: []string{"ctrl+g: not bound"}},
		{sentence: "ctrl+c once says that twice quits", keys: "ctrl+c", sees: []string{"ctrl+c again within 3 s quits"}},
		{sentence: "/ narrows while it is typed", keys: "/ o r b", sees: []string{"order [orbit] focus orbit", "filter orb"}},
		{sentence: "a filter finds letters without their marks", keys: "/ s i m u", sees: []string{"order [harbour orbit]"}},
		{sentence: "a filter finds groups", keys: "/ p l -", sees: []string{"order [lantern falcons meadow]"}},
		{sentence: "a filter finds verdict words", keys: "/ b a d", sees: []string{"order []"}},
		{sentence: "two words of a filter must both be there", keys: "/ h r space n i g h t", sees: []string{"order [comet]"}},
		{sentence: "enter keeps the filter and gives the keys back", keys: "/ o r b enter enter", sees: []string{"screen sale", "focus orbit"}},
		{sentence: "esc while typing clears the filter", keys: "/ o r b esc", sees: []string{"filter \n", "order [harbour comet"}},
		{sentence: "esc on the overview clears a kept filter", keys: "/ o r b enter esc", sees: []string{"filter \n", "order [harbour comet"}},
		{sentence: "letters typed into a filter are not keys", keys: "/ q ?", sees: []string{"screen overview", "filter q?"}},
		{sentence: "backspace widens again", keys: "/ o r b backspace backspace backspace", sees: []string{"order [harbour comet"}},
		{sentence: "/ on a page goes to the overview first", keys: "4 / c o m", sees: []string{"screen overview", "order [comet]"}},
		{sentence: ": lists commands, sales, sources and windows", keys: ":", sees: []string{"palette :\n> help", "sale Night Comet", "source gate", "window 3 h"}},
		{sentence: "the palette finds by a few letters", keys: ": n c o m", sees: []string{"palette :ncom\n> sale Night Comet"}},
		{sentence: "enter runs the chosen entry", keys: ": n c o m enter", sees: []string{"screen sale", "focus comet"}, seesNot: []string{"palette :"}},
		{sentence: "the palette opens the sources at the named one", keys: ": g a t e enter", sees: []string{"screen sources", "cursor 2"}},
		{sentence: "the palette sets a window", keys: ": 6 space h enter", sees: []string{"window 6h0m0s"}},
		{sentence: "an entry that is off says why and stays", keys: ": z o o m enter", sees: []string{"zoom: off, only on the sale screen", "palette :zoom"}},
		{sentence: "down chooses the next entry", keys: ": down", sees: []string{"  help\n> filter"}},
		{sentence: "up from the first entry goes to the last", keys: ": up", sees: []string{"> window 6 h"}},
		{sentence: "nothing that matches says so", keys: ": x x x x enter", sees: []string{"nothing matches"}},
		{sentence: "esc closes the palette", keys: ": o esc", sees: []string{"screen overview"}, seesNot: []string{"palette :"}},
		{sentence: "q in the palette is a letter", keys: ": q", sees: []string{"palette :q"}},
		{sentence: "read now is off where nobody can be asked", keys: "o r", sees: []string{"r read now: off, this session can't ask a source"}},
		{sentence: "down on a sale's page scrolls its signals", keys: "1 j j", sees: []string{"scroll 2"}},
		{sentence: "page down on a sale's page scrolls by what fits", keys: "1 pgdown", sees: []string{"scroll 5"}},
		{sentence: "the end of a list is where its last row is in sight", keys: "1 G", sees: []string{"scroll 24"}},
		{sentence: "left and right on a sale's page go through the panels", keys: "1 right right left", sees: []string{"panel 1"}},
	}
	for _, c := range cases {
		t.Run(c.sentence, func(t *testing.T) {
			n := c.n
			if n == 0 {
				n = 6
			}
			synctest.Test(t, func(t *testing.T) {
				h := newHand(t, n)
				h.keys(strings.Fields(c.keys)...)
				h.sees(c.sees...)
				h.seesNot(c.seesNot...)
			})
		})
	}
}

func TestQuitting(t *testing.T) {
	for _, c := range []struct {
		sentence, keys string
		quits          bool
	}{
		{"q quits from the overview", "q", true},
		{"q quits from a page", "4 q", true},
		{"q quits from the help", "? q", true},
		{"ctrl+c twice quits", "ctrl+c ctrl+c", true},
		{"ctrl+c twice quits out of the palette", ": ctrl+c ctrl+c", true},
		{"ctrl+c once does not", "ctrl+c", false},
		{"another key between two ctrl+c takes it back", "ctrl+c j ctrl+c", false},
		{"esc never quits", "esc esc esc", false},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			h := newHand(t, 6)
			h.keys(strings.Fields(c.keys)...)
			if got := h.asked(tea.QuitMsg{}); got != c.quits {
				t.Errorf("quits: %v", got)
			}
		})
	}
}

func TestTheSecondCtrlCMustComeWithinThreeSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHand(t, 6)
		h.keys("ctrl+c")
		time.Sleep(4 * time.Second)
		h.keys("ctrl+c")
		if h.asked(tea.QuitMsg{}) {
			t.Error("it quit")
		}
	})
}

func TestASessionWithManySalesFindsAnyByName(t *testing.T) {
	h := newHand(t, 40)
	h.keys(strings.Split(":lantern-32", "")...)
	h.keys("enter")
	h.sees("screen sale", "focus lantern-32")
	h.keys("esc")
	h.keys(strings.Split("/lantern-3", "")...)
	h.sees("order [lantern-32 lantern-38] focus lantern-32")
}

func TestAPasteNeverBecomesKeys(t *testing.T) {
	h := newHand(t, 6)
	h.send(tea.PasteMsg{Content: "q\r4"})
	h.sees("screen overview", "a paste was ignored")
	if h.asked(tea.QuitMsg{}) {
		t.Error("a pasted q quit")
	}
	h.keys("/")
	h.send(tea.PasteMsg{Content: "\nnight\nrm -rf /"})
	h.sees("filter night", "order [comet]")
}

func TestFocusAndOddMessagesAreHarmless(t *testing.T) {
	h := newHand(t, 6)
	before := h.now()
	for _, msg := range []tea.Msg{tea.FocusMsg{}, tea.BlurMsg{}, tea.KeyReleaseMsg{Code: 'q', Text: "q"}, struct{}{}, nil, tea.MouseMotionMsg{X: 3}, tea.EnvMsg{}} {
		h.send(msg)
	}
	if after := h.now(); cutClock(after) != cutClock(before) {
		t.Errorf("the screen changed:\n%s\n---\n%s", before, after)
	}
}

func cutClock(s string) string {
	_, rest, _ := strings.Cut(s, "size")
	return rest
}

func TestTheFocusFollowsTheSaleNotThePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHand(t, 6)
		h.keys("right") // comet
		time.Sleep(30 * time.Second)
		h.feed.set(world(6, time.Now(), map[sale.ID]sale.Verdict{"meadow": sale.Bad}))
		h.send(lookMsg{})
		h.sees("order [meadow harbour comet", "focus comet")
	})
}

func TestUntilAKeyIsTouchedTheWorstSaleHasTheFocus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHand(t, 6)
		time.Sleep(30 * time.Second)
		h.feed.set(world(6, time.Now(), map[sale.ID]sale.Verdict{"meadow": sale.Bad}))
		h.send(lookMsg{})
		h.sees("order [meadow harbour comet", "focus meadow")
		h.seesNot("key esc")
	})
}

func TestAWaitingFilterTakesTheFocusAlong(t *testing.T) {
	h := newHand(t, 6)
	h.keys("right", "/")
	h.keys(strings.Split("meadow", "")...)
	h.sees("focus meadow")
	h.keys("esc")
	h.sees("order [harbour", "focus meadow")
}

func TestCopy(t *testing.T) {
	h := newHand(t, 2)
	h.feed.set(world(2, time.Now(), map[sale.ID]sale.Verdict{"harbour": sale.Bad}))
	h.send(lookMsg{})
	h.keys("y")
	h.sees("message copied: BAD harbour Velvet Harbour (live): declines 7.0 %")
	want := fmt.Sprintf("%T", tea.SetClipboard("x")())
	var got string
	for _, msg := range h.said {
		if fmt.Sprintf("%T", msg) == want {
			got = fmt.Sprint(msg)
		}
	}
	if !strings.HasPrefix(got, "BAD harbour Velvet Harbour (live): declines 7.0 % > 5.0 %, since ") {
		t.Errorf("the clipboard got %q", got)
	}
}

func TestCopyCanBeSwitchedOff(t *testing.T) {
	h := newHand(t, 2, func(o *Options) { o.NoClipboard = true })
	h.keys("y")
	h.sees("y copy: off, the clipboard is off in this session")
	if len(h.said) > 0 {
		t.Errorf("something was sent: %v", h.said)
	}
}

func TestSuspendIsOnlyForATerminalOfOnesOwn(t *testing.T) {
	h := newHand(t, 2, func(o *Options) { o.Remote = true })
	h.keys("ctrl+z")
	h.sees("ctrl+z suspend: off, only in a terminal of your own")
	if len(h.said) > 0 {
		t.Errorf("suspended: %v", h.said)
	}
	h = newHand(t, 2)
	h.keys("ctrl+z")
	if len(h.said) != 1 || !strings.Contains(fmt.Sprintf("%T", h.said[0]), "exec") {
		t.Errorf("not suspended: %v", h.said)
	}
}

func TestReadNowAsksTheChosenSource(t *testing.T) {
	asked := make(chan string, 1)
	h := newHand(t, 2, func(o *Options) { o.ReadNow = func(s string) { asked <- s } })
	h.keys("o", "j", "r")
	h.sees("message aws: asked to read now")
	if got := <-asked; got != "aws" {
		t.Errorf("asked %q", got)
	}
}

func TestAPanicOfWhatReadNowCallsEndsTheSessionNotTheProcess(t *testing.T) {
	h := newHand(t, 2, func(o *Options) { o.ReadNow = func(string) { panic("no poller") } })
	h.keys("o", "r")
	if err := h.m.guard.Err(); err == nil || !strings.Contains(err.Error(), "panic in read now: no poller") {
		t.Errorf("%v", err)
	}
}

type panicPainter struct{ textPainter }

func (*panicPainter) Sources(views.Frame) string { panic("a bad pane") }

func TestAPanicInViewKeepsTheLastFrameAndQuits(t *testing.T) {
	h := newHand(t, 2)
	before := h.now()
	h.m.paint = &panicPainter{}
	h.keys("o")
	if got := h.m.View().Content; got != before {
		t.Errorf("the screen became %q", got)
	}
	if err := h.m.guard.Err(); err == nil {
		t.Error("nobody was told")
	}
	h.send(clockMsg{})
	if !h.asked(tea.QuitMsg{}) {
		t.Error("it does not quit")
	}
}

func TestSizes(t *testing.T) {
	for _, c := range []struct{ w, h, drawnW, drawnH int }{
		{0, 0, 0, 0}, {-5, 3, 0, 3}, {1, 1, 1, 1}, {59, 40, 59, 40}, {60, 15, 60, 15}, {65535, 65535, 500, 200},
	} {
		t.Run(fmt.Sprintf("%dx%d", c.w, c.h), func(t *testing.T) {
			h := newHand(t, 6)
			h.send(tea.WindowSizeMsg{Width: c.w, Height: c.h})
			if h.m.width != c.drawnW || h.m.height != c.drawnH {
				t.Errorf("drawn at %dx%d", h.m.width, h.m.height)
			}
			got := h.now()
			switch {
			case c.drawnW == 0 || c.drawnH == 0:
				if got != "" {
					t.Errorf("something was drawn on nothing: %q", got)
				}
			case c.drawnW < 60 || c.drawnH < 15:
				h.sees("screen too small")
			default:
				h.sees("screen overview")
			}
		})
	}
}

func TestTheMouse(t *testing.T) {
	h := newHand(t, 6, func(o *Options) { o.Mouse = true })
	click := tea.MouseClickMsg{X: 5, Y: 5, Button: tea.MouseLeft}
	h.paint.hit = views.Hit{Area: views.SaleArea, Sale: "orbit"}
	h.send(click)
	h.sees("screen overview", "focus orbit")
	h.send(click)
	h.sees("screen sale", "focus orbit")
	h.paint.hit = views.Hit{Area: views.PanelArea, Panel: 2}
	h.send(click)
	h.sees("panel 2 zoomed false")
	h.send(click)
	h.sees("panel 2 zoomed true")
	h.paint.hit = views.Hit{Area: views.PanelArea, Panel: 99}
	h.send(click)
	h.sees("panel 2 zoomed true")
	h.keys("o")
	h.paint.hit = views.Hit{Area: views.RowArea, Row: 2}
	h.send(click)
	h.sees("screen sources", "cursor 2")
	h.send(tea.MouseClickMsg{Button: tea.MouseRight})
	h.keys("esc", "esc", "esc")
	h.send(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
	h.sees("screen overview")
}

func TestTheSieve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sieve{mouse: true}
		wheel := tea.MouseWheelMsg{Button: tea.MouseWheelDown}
		let := 0
		for range 100 {
			if s.filter(nil, wheel) != nil {
				let++
			}
			time.Sleep(time.Millisecond)
		}
		if let != 4 {
			t.Errorf("100 turns in 100 ms became %d, want 4", let)
		}
		if got := s.filter(nil, tea.WindowSizeMsg{Width: 1 << 30, Height: -1}); got != (tea.WindowSizeMsg{Width: 500}) {
			t.Errorf("a claimed size became %v", got)
		}
		if s.filter(nil, tea.MouseMotionMsg{}) != nil {
			t.Error("movement got through")
		}
		off := sieve{}
		if off.filter(nil, wheel) != nil || off.filter(nil, tea.MouseClickMsg{}) != nil {
			t.Error("the mouse got through though it is off")
		}
		if off.filter(nil, keyPress("q")) == nil {
			t.Error("a key was lost")
		}
	})
}

func TestTheTitleNamesTheWorstSale(t *testing.T) {
	for _, c := range []struct {
		sentence string
		bad      map[sale.ID]sale.Verdict
		change   func(*Options)
		want     string
	}{
		{"all is well", nil, nil, "onsale PROD ○ OK 6 sales"},
		{"one is bad", map[sale.ID]sale.Verdict{"orbit": sale.Bad, "comet": sale.Watch}, nil, "onsale PROD ▲ BAD orbit"},
		{"two are unknown", map[sale.ID]sale.Verdict{"orbit": sale.Unknown, "comet": sale.Unknown}, nil, "onsale PROD ◇ UNKNOWN comet +1"},
		{"ASCII", map[sale.ID]sale.Verdict{"orbit": sale.Watch}, func(o *Options) { o.Glyphs = GlyphASCII }, "onsale PROD * WATCH orbit"},
		{"switched off", nil, func(o *Options) { o.NoTitle = true }, ""},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			h := newHand(t, 6, func(o *Options) {
				o.Header.Environment = "PROD"
				if c.change != nil {
					c.change(o)
				}
			})
			h.feed.set(world(6, time.Now(), c.bad))
			h.send(lookMsg{})
			h.now()
			if got := h.m.drawn.WindowTitle; got != c.want {
				t.Errorf("title %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheFooterIsMadeFromTheTable(t *testing.T) {
	h := newHand(t, 6)
	h.sees("key ? help", "key : palette", "key / filter", "key ←↓↑→ move", "key 1-6 enter open", "key [ ] window", "key q quit", "key e logs off: this session keeps no log")
	h.keys("4")
	h.sees("key tab next panel", "key z zoom", "key esc back")
	h = newHand(t, 6, func(o *Options) { o.Keys = map[string][]string{"help": {"f1"}, "quit": {"ctrl+q", "Q"}} })
	h.sees("key f1 help", "key ctrl+q quit")
	h.keys("q")
	h.sees("q: not bound")
}

func TestTheSourcesOpenAtTheOneThatIsWorstOff(t *testing.T) {
	h := newHand(t, 3)
	snap := world(3, time.Now(), nil)
	snap.Sources[1].Condition = sale.SourceLate
	snap.Sources[2].Condition = sale.SourceError
	h.feed.set(snap)
	h.send(lookMsg{})
	h.keys("o")
	h.sees("screen sources", "cursor 2")
	h.keys("g", "o") // whoever is there already stays where they look
	h.sees("cursor 0")
	h.keys("esc", "o")
	h.sees("cursor 2")
	h.keys("esc", ":", "m", "e", "t", "r", "i", "enter")
	h.sees("screen sources", "cursor 0")
}
