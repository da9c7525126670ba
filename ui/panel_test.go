package ui

import (
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

func TestTheReasonIsEditedWhileTheTimerStands(t *testing.T) {
	act(t, nil, func(a *actor) {
		a.slowly("P", "tab")
		first := a.challenge()
		a.sees("editing")
		a.wait(30 * time.Second)
		a.slowly(append(strings.Split("INC-7", ""), first)...)
		a.sees(`reason "INC-7` + first)
		a.send(tea.PasteMsg{Content: " pasted\nrm -rf"})
		a.slowly("enter")
		a.sees("armed ")
		a.slowly("CHALLENGE")
		a.ran(1)
		if got := a.hands.runs[0].Preview.Request.Reason; got != "INC-7"+first+" pasted" {
			t.Errorf("reason %q", got)
		}
	})
}

func TestARequiredReasonIsAskedForFirst(t *testing.T) {
	act(t, func(f *fakeHands) { f.needs = Needs{Reason: true, Change: true} }, func(a *actor) {
		a.slowly("P")
		a.sees("editing", `required "a change id"`)
		a.slowly("w", "tab", "enter")
		a.sees("editing", "a change id is required")
		a.slowly("C", "1", "enter", "CHALLENGE")
		a.ran(1)
		if r := a.hands.runs[0].Preview.Request; r.Reason != "w" || r.Change != "C1" {
			t.Errorf("reason %q, change %q", r.Reason, r.Change)
		}
	})
}

func TestASevereActionTakesTheTypedName(t *testing.T) {
	act(t, func(f *fakeHands) { f.preview.Risk = actions.Severe }, func(a *actor) {
		a.slowly("R", "enter")
		a.sees("armed \x00harbour")
		a.slowly(strings.Split("harbour", "")...)
		a.ran(0)
		a.slowly("enter")
		a.ran(1)
	})
	act(t, func(f *fakeHands) { f.preview.Risk = actions.Severe }, func(a *actor) {
		a.slowly("R", "enter", "h", "a", "x")
		a.disarmed("another key")
	})
}

func TestARateIsAskedForAsAnAbsoluteNumber(t *testing.T) {
	act(t, nil, func(a *actor) {
		a.feed.set(settingsWorld(800, 0.07, sale.Bad, time.Now()))
		a.send(lookMsg{})
		a.slowly("-")
		a.sees("question - admission rate of harbour", `"400"`, "now 800/min")
		a.slowly("ctrl+u", "x", "enter")
		a.sees(`wrong "\"x\" is not a number`)
		a.slowly("backspace", "5", "0", "0", "enter")
		a.sees("CONFIRM - admission rate of harbour: armed")
		a.slowly("CHALLENGE")
		a.ran(1)
		if to := a.hands.runs[0].Preview.Request.To; to == nil || *to != 500 {
			t.Errorf("to %v", to)
		}
	})
}

func TestAResumeAsksForItsRampAndANoteForItsWords(t *testing.T) {
	act(t, nil, func(a *actor) {
		a.slowly("R", "enter", "esc")
		if req := a.hands.previews[0]; req.Verb != actions.Resume || req.To != nil {
			t.Errorf("%+v", req)
		}
		a.slowly("N", "enter")
		a.sees("a note needs words")
		a.slowly("h", "i", "enter")
		if req := a.hands.previews[1]; req.Verb != actions.AddNote || req.Text != "hi" {
			t.Errorf("%+v", req)
		}
		a.slowly("esc", "N", "esc")
		a.seesNot("question", "CONFIRM ")
	})
}

func TestAPlayIsRunFromThePalette(t *testing.T) {
	act(t, nil, func(a *actor) {
		a.slowly(":")
		a.slowly(strings.Split("storm", "")...)
		a.slowly("enter", "CHALLENGE")
		a.ran(1)
		if r := a.hands.runs[0].Preview.Request; r.Verb != actions.RunPlay || r.Play != "storm" {
			t.Errorf("%+v", r)
		}
	})
}

func TestAPlanIsSentFromThePaletteAndHasNoKey(t *testing.T) {
	act(t, nil, func(a *actor) {
		a.slowly(":")
		a.slowly(strings.Split("ahead", "")...)
		a.slowly("enter", "CHALLENGE")
		a.ran(1)
		if r := a.hands.runs[0].Preview.Request; r.Verb != actions.ScaleAhead || r.To != nil {
			t.Errorf("%+v", r)
		}
	})
}

func TestARefusedPreviewShowsWhyAndArmsNothing(t *testing.T) {
	for _, change := range []func(*fakeHands){
		func(f *fakeHands) { f.preview.Refuse(actions.GuardFreeze, "a freeze is on", "") },
		func(f *fakeHands) { f.err = errors.New("a freeze is on") },
	} {
		act(t, change, func(a *actor) {
			a.slowly("P")
			a.sees("CONFIRM P", "refused ")
			if _, _, armed := a.hands.counts(); armed != 0 {
				t.Error("it was armed")
			}
			a.slowly("a", "q", "y")
			a.sees("CONFIRM P")
			a.slowly("esc")
			a.seesNot("CONFIRM ")
			a.ran(0)
		})
	}
}

func TestAViewerWhoTriesEveryKeyMakesNoCall(t *testing.T) {
	act(t, func(f *fakeHands) { f.status.Actor.Role = actions.Viewer }, func(a *actor) {
		a.sees("who viewer mira READ-ONLY")
		for r := rune(33); r < 127; r++ {
			a.slowly(string(r), "esc", "esc", "esc")
		}
		a.slowly(strings.Split(":storm", "")...)
		a.slowly("enter", "esc")
		if previews, runs, armed := a.hands.counts(); previews+runs+armed > 0 || a.hands.armings > 0 {
			t.Errorf("%d previews, %d runs, %d armings", previews, runs, a.hands.armings)
		}
		if n := len(a.hands.tries); n < 10 {
			t.Errorf("only %d tries were told of: %v", n, a.hands.tries)
		}
	})
}

func TestAStaleAnswerIsDropped(t *testing.T) {
	act(t, nil, func(a *actor) {
		a.wait(time.Second)
		_, first := a.m.Update(keyPress("P"))
		a.sees("CONFIRM P pause admission of harbour: reading")
		a.wait(time.Second)
		a.m.Update(keyPress("esc"))
		a.seesNot("CONFIRM ")
		a.wait(time.Second)
		a.m.Update(keyPress("S"))
		a.perform(first) // the answer for P comes now
		a.sees("CONFIRM S scale up of harbour: reading")
	})
}
