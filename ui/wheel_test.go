package ui

import (
	"context"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
)

// fakeWheel is control as a test sets it; asked is what was asked for.
type fakeWheel struct {
	state WheelState
	asked []string
}

func (w *fakeWheel) State() WheelState { return w.state }

func (w *fakeWheel) did(what string) error {
	w.asked = append(w.asked, what)
	return nil
}
func (w *fakeWheel) Request(context.Context) error { return w.did("request") }
func (w *fakeWheel) Give(context.Context) error    { return w.did("give") }
func (w *fakeWheel) Keep(context.Context) error    { return w.did("keep") }
func (w *fakeWheel) Release(context.Context) error { return w.did("release") }

func titles(entries []entry) (all []string) {
	for _, e := range entries {
		all = append(all, e.Title)
	}
	return all
}

func TestThePaletteOffersOfControlWhatCanBeDoneNow(t *testing.T) {
	later := time.Now().Add(20 * time.Second)
	for name, c := range map[string]struct {
		state WheelState
		role  actions.Role
		want  []string
	}{
		"nobody drives":         {WheelState{}, actions.Operator, []string{"take control"}},
		"somebody else drives":  {WheelState{Driver: "marko"}, actions.Operator, []string{"request control"}},
		"asked already":         {WheelState{Driver: "marko", Asker: "ivana", Asking: true, Until: later}, actions.Operator, nil},
		"this one drives":       {WheelState{Driver: "ivana", Mine: true}, actions.Operator, []string{"give control back"}},
		"somebody asks for it":  {WheelState{Driver: "ivana", Mine: true, Asker: "marko", Until: later}, actions.Operator, []string{"give control to marko", "keep control"}},
		"a viewer has no wheel": {WheelState{Driver: "marko"}, actions.Viewer, nil},
	} {
		h := newHand(t, 2, func(o *Options) { o.Wheel = &fakeWheel{state: c.state} })
		hands := newHands()
		hands.status = Status{Actor: actions.Actor{Name: "ivana", Role: c.role}}
		h.m.opts.Hands = hands
		h.m.lookHands()
		first, rest := h.m.wheelEntries()
		got := titles(append(first, rest...))
		if len(got) != len(c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	}
}

func TestWhileSomebodyElseDrivesNoKeyActsAndTheDriverStandsOnEveryScreen(t *testing.T) {
	w := &fakeWheel{state: WheelState{Driver: "marko"}}
	h := newHand(t, 2, func(o *Options) { o.Wheel = w })
	h.m.opts.Hands = newHands()
	h.m.lookHands()
	if why := h.m.offVerb(actions.Pause, ""); why != "marko drives: request control in the palette (:)" {
		t.Errorf("a key of somebody who doesn't drive: %q", why)
	}
	if got := h.m.header().Driver; got != "marko" {
		t.Errorf("the header says %q", got)
	}
	w.state = WheelState{Driver: "marko", Asker: "petra", Until: h.m.now.Add(20 * time.Second)}
	h.m.lookHands()
	if got := h.m.header().Driver; got != "marko (petra asks, 20 s)" {
		t.Errorf("the header says %q", got)
	}
	w.state = WheelState{Driver: "ivana", Mine: true, Note: "you drive now: given by marko", NoteSeq: 1}
	h.m.lookHands()
	if why := h.m.passenger(); why != "" || h.m.message != w.state.Note {
		t.Errorf("%q, and the footer says %q", why, h.m.message)
	}
	w.state.Asker, w.state.Until = "petra", h.m.now.Add(30*time.Second)
	h.m.lookHands()
	if want := "petra requests control: give it or keep it in the palette (:); it passes in 30 s"; h.m.message != want {
		t.Errorf("the footer says %q", h.m.message)
	}
	w.state = WheelState{}
	h.m.lookHands()
	if got := h.m.header().Driver; got != "nobody" {
		t.Errorf("the header says %q", got)
	}
}
