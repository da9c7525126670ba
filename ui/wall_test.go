package ui

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

func TestTheWallIsOneKeyAwayAndOneKeyBack(t *testing.T) {
	for _, back := range []string{"q", "esc", "w"} {
		h := newHand(t, 6)
		h.keys("2", "w")
		h.sees("screen wall")
		h.keys(back)
		h.sees("screen sale")
		if h.asked(tea.QuitMsg{}) {
			t.Errorf("%s on the wall ended a session that began elsewhere", back)
		}
	}
}

func TestTheWallOfItsOwnCommandEndsWithItsKey(t *testing.T) {
	h := newHand(t, 6, func(o *Options) { o.Wall = true })
	h.sees("screen wall")
	h.keys("q")
	if !h.asked(tea.QuitMsg{}) {
		t.Error("q does not leave")
	}
}

func TestNoKeyOfTheWallActsOrOpensAnything(t *testing.T) {
	for _, own := range []bool{true, false} {
		hands := newHands()
		h := newHand(t, 6, func(o *Options) { o.Hands, o.Wall = hands, own })
		h.m.pace.max = 1000 // no key waits for its frame here
		if !own {
			h.keys("w")
		}
		var keys []string
		for _, b := range Bindings() {
			for _, key := range b.Keys {
				if b.Intent != leaveWallIntent && b.Intent != interruptIntent && b.Intent != suspendIntent && key != "q" && key != "esc" && key != "w" {
					keys = append(keys, key)
				}
			}
		}
		for _, key := range keys {
			h.keys(key)
			h.sees("screen wall")
		}
		h.send(tea.PasteMsg{Content: "P"})
		h.send(tea.MouseClickMsg{Button: tea.MouseLeft, X: 10, Y: 10})
		h.send(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
		h.sees("screen wall")
		if h.m.acting != nil || h.m.asking != nil || h.m.palette.open || h.m.filter.editing {
			t.Error("something was opened from the wall")
		}
	}
}

func TestTheWallHasNoHandsEvenBehindItsKeys(t *testing.T) {
	h := newHand(t, 6, func(o *Options) { o.Hands = newHands() })
	h.keys("w")
	for _, v := range []actions.Verb{actions.Pause, actions.Rate, actions.Resume, actions.AddNote, actions.Undo, actions.ScaleUp} {
		h.m.act("", v, "act", "x")
		h.m.openPanel("act", "x", actions.Request{Sale: h.m.focus, Verb: v})
		if h.m.acting != nil || h.m.asking != nil {
			t.Errorf("%s got a panel on the wall", v)
		}
	}
	own := newHand(t, 6, func(o *Options) { o.Hands, o.Wall = newHands(), true })
	if own.m.opts.Hands != nil || own.m.opts.Shelves != nil || own.m.opts.ReadNow != nil || own.m.opts.Mouse {
		t.Error("the wall's own session was given hands")
	}
}

func TestTheWallShowsEverySaleWhateverTheFilterSays(t *testing.T) {
	h := newHand(t, 6)
	h.keys("/", "o", "r", "b", "i", "t", "enter", "w")
	h.sees("screen wall", "harbour", "comet", "lantern", "orbit")
}

func TestTheWallIsDrawnOnceASecondWhateverHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startShow(t, 6, 5)
		s.program.Send(keyPress("w"))
		time.Sleep(30*time.Second + time.Millisecond)
		before := s.frames()
		for i := range 600 { // a verdict that flaps ten times a second for a minute
			time.Sleep(100 * time.Millisecond)
			s.feed.set(world(6, time.Now(), map[sale.ID]sale.Verdict{"orbit": []sale.Verdict{sale.Bad, sale.OK}[i%2]}))
		}
		if got := s.frames() - before; got != 60 {
			t.Errorf("%d frames in a minute", got)
		}
		s.end()
	})
}

func TestAPictureThatFailsCostsTheWallOneSecondAndIsLogged(t *testing.T) {
	ring := NewLogRing(10, nil, slog.LevelInfo)
	h := newHand(t, 6, func(o *Options) { o.Wall, o.Logs = true, ring })
	h.m.pace.max, h.paint.breaks = 1000, true
	for range 5 {
		h.send(clockMsg{})
		h.sees("screen wall broken no such row")
	}
	if h.m.broken || h.m.guard.Err() != nil {
		t.Error("the session has ended")
	}
	if n := len(ring.Lines()); n != 1 {
		t.Errorf("%d lines in the log for one minute", n)
	} else if !strings.Contains(ring.Lines()[0].Text, "no such row") {
		t.Errorf("the log says %q", ring.Lines()[0].Text)
	}
	h.paint.breaks = false
	h.send(clockMsg{})
	h.sees("screen wall", "order [")
	h.seesNot("broken")
}

func TestAPictureThatFailsElsewhereEndsTheSessionAsBefore(t *testing.T) {
	h := newHand(t, 6)
	h.m.paint = breakingPainter{h.paint}
	h.m.draw = true
	h.m.View()
	if !h.m.broken || h.m.guard.Err() == nil {
		t.Error("a cockpit that can't be drawn went on")
	}
}

type breakingPainter struct{ *textPainter }

func (breakingPainter) Overview(views.Frame) string { panic("no such pane") }
