package ui

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

func TestNothingElseOnASaleUntilTheFirstIsSettled(t *testing.T) {
	var hold chan struct{} // made within the bubble, or its time would stand still
	act(t, func(f *fakeHands) { hold = make(chan struct{}); f.hold = hold }, func(a *actor) {
		a.slowly("P")
		a.wait(time.Second)
		a.m.Update(keyPress(a.challenge()))
		time.Sleep(actions.BurstWithin)
		_, cmd := a.m.Update(pressedMsg{a.m.gen})
		a.wait(time.Second)
		a.sees("outcome SENT sale 1: P 800/min → 0/min to waiting room harbour")
		a.wait(time.Second)
		a.keys("S")
		a.sees("S scale up: off, P 800/min → 0/min is not settled yet")
		a.slowly("q", "ctrl+c", "ctrl+c")
		if a.asked(tea.QuitMsg{}) {
			t.Error("it quit while an action ran")
		}
		a.slowly("right", "S")
		a.sees("CONFIRM S scale up of comet")
		a.slowly("esc")
		close(hold)
		a.perform(cmd)
		a.sees("outcome DONE")
		a.slowly("q")
		if !a.asked(tea.QuitMsg{}) {
			t.Error("it does not quit any more")
		}
	})
}

func TestHowAnActionEndedIsShown(t *testing.T) {
	for _, c := range []struct {
		outcome actions.Outcome
		sees    string
	}{
		{actions.Done, "outcome DONE sale 1: P 800/min → 0/min: in words"},
		{actions.Refused, "outcome REFUSED sale 1: P 800/min → 0/min: in words | nothing was sent; do this"},
		{actions.Failed, "outcome FAILED sale 1: P 800/min → 0/min: in words | do this"},
		{actions.Unknown, "outcome UNKNOWN sale 1: P 800/min → 0/min: in words | not sent again"},
		{"", "outcome UNKNOWN sale 1"},
	} {
		act(t, func(f *fakeHands) {
			f.result = actions.Result{ID: "a1", Outcome: c.outcome, Text: "in words", Refusals: []actions.Refusal{{Hint: "do this"}}}
		}, func(a *actor) {
			a.slowly("P", "CHALLENGE")
			a.sees(c.sees)
			a.wait(10 * time.Minute)
			a.slowly("o")
			a.sees(c.sees) // on every screen, until another replaces it
		})
	}
}

func TestTheEffectAndOtherPeoplesActionsAreShown(t *testing.T) {
	act(t, nil, func(a *actor) {
		a.slowly("P", "CHALLENGE")
		watch := &actions.Watch{ID: "a1", Sale: "harbour", Sight: actions.NotYet, Sent: time.Now(), Effect: actions.Effect{Signal: sale.AdmissionRate, Within: 3 * time.Minute}}
		mine := News{ID: "a1", Sale: "harbour", Verb: actions.Pause, Own: true, Outcome: actions.Done, Change: "800/min → 0/min", Watch: watch}
		a.hands.news = []News{mine}
		a.send(newsMsg{})
		a.wait(14 * time.Second)
		a.sees("outcome DONE", "effect not seen yet: admitted not known, 14s of 3:00")
		a.wait(3 * time.Minute) // the time is up, and the runner has not said so yet
		if o := a.m.strip(); string(o.Stage) != "DONE" || strings.Contains(o.More, "NOT KNOWN") {
			t.Errorf("the screen settles an effect by itself: %+v", o)
		}
		seen := *watch
		seen.Sight, seen.Took = actions.Seen, 62*time.Second
		mine.Watch = &seen
		a.hands.news = []News{mine}
		a.send(newsMsg{})
		a.sees("outcome EFFECT SEEN sale 1: pause admission 800/min → 0/min | after 62 s")
		a.hands.news = []News{{ID: "b2", Sale: "comet", Verb: actions.ScaleUp, Who: "marko", Outcome: actions.Failed, Text: "no capacity"}, mine}
		a.send(newsMsg{})
		a.sees("outcome FAILED sale 2: scale up by marko | no capacity")
	})
}

func TestARampCanBePausedBetweenItsSteps(t *testing.T) {
	var hold chan struct{} // made within the bubble, or its time would stand still
	act(t, func(f *fakeHands) {
		hold = make(chan struct{})
		f.hold, f.preview.Steps = hold, slices.Repeat([]actions.Step{{Preview: actions.Preview{Risk: actions.Normal}}}, 3)
		f.steps = []actions.Result{{ID: "s1", Outcome: actions.Done, Text: "200/min"}}
	}, func(a *actor) {
		a.slowly("R", "enter")
		a.wait(time.Second)
		a.m.Update(keyPress(a.challenge()))
		time.Sleep(actions.BurstWithin)
		_, cmd := a.m.Update(pressedMsg{a.m.gen})
		step, ok := cmd().(stepMsg)
		if !ok {
			t.Fatal("the first step was not told of")
		}
		a.m.Update(step)
		a.sees("outcome DONE step 1 of 3", "P stops the ramp")
		a.wait(time.Second)
		a.keys("S")
		a.sees("is not settled yet")
		a.slowly("P")
		a.sees("CONFIRM P pause admission of harbour: armed")
		a.slowly("esc")
		close(hold)
	})
}

func TestTheJournalIsAScreen(t *testing.T) {
	act(t, nil, func(a *actor) {
		a.slowly("J")
		a.sees("screen journal", "record pause", "record note")
		a.slowly("down", "down")
		a.sees("cursor 1")
		a.slowly("esc")
		a.sees("screen overview")
	})
	act(t, func(f *fakeHands) { f.err = errors.New("no such folder") }, func(a *actor) {
		a.slowly("J")
		a.sees("journal problem it can't be read: no such folder")
	})
}

func TestAJournalThatCanNotBeWrittenIsSaidLoudlyAndNothingActs(t *testing.T) {
	act(t, func(f *fakeHands) { f.status.Journal = "no space left on device" }, func(a *actor) {
		a.sees("loud JOURNAL CAN'T BE WRITTEN: NO KEY ACTS")
		a.slowly("P")
		a.sees("P pause admission: off, the journal can't be written: no space left on device")
		if previews, _, _ := a.hands.counts(); previews > 0 {
			t.Error("a preview was asked for")
		}
	})
}

func TestAStormOfKeysSendsNothingButByTheChallenge(t *testing.T) {
	for seed := range 12 {
		act(t, nil, func(a *actor) {
			meant := 0
			x := uint64(seed)*2654435761 + 1
			random := func(n int) int {
				x ^= x << 13
				x ^= x >> 7
				x ^= x << 17
				return int(x % uint64(n))
			}
			for range 1500 {
				time.Sleep([]time.Duration{time.Microsecond, 15 * time.Millisecond, 45 * time.Millisecond, 350 * time.Millisecond, 2 * time.Second}[random(5)])
				key := string(rune(33 + random(94)))
				if random(3) == 0 {
					key = []string{"P", "S", "s", "I", "A", "U", "R", "enter", "esc", "tab"}[random(10)]
				}
				if p := a.m.acting; p != nil && p.preview != nil && !p.confirm.Editing() && key == string(p.confirm.Challenge) {
					meant++
				}
				a.send(keyPress(key))
			}
			if _, runs, _ := a.hands.counts(); runs > meant {
				t.Errorf("%d actions were sent, the challenge was pressed %d times", runs, meant)
			}
		})
	}
}
