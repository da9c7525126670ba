package ui

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
)

// fakeCodes asks what a test sets, and keeps what was answered.
type fakeCodes struct {
	mu       sync.Mutex
	asked    *CodeQuestion
	given    []string
	declines int
	declined bool
	again    int
	bell     chan struct{}
}

func newCodes() *fakeCodes { return &fakeCodes{bell: make(chan struct{}, 1)} }

func (f *fakeCodes) asks(q CodeQuestion) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = &q
	select {
	case f.bell <- struct{}{}:
	default:
	}
}

func (f *fakeCodes) withdraws() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = nil
}

func (f *fakeCodes) Wanted() (CodeQuestion, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asked == nil {
		return CodeQuestion{}, false
	}
	return *f.asked, true
}

func (f *fakeCodes) Answer(id uint64, code string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asked != nil && f.asked.ID == id {
		f.asked, f.given = nil, append(f.given, code)
	}
}

func (f *fakeCodes) Decline(id uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asked != nil && f.asked.ID == id {
		f.asked, f.declined = nil, true
		f.declines++
	}
}

func (f *fakeCodes) Declined() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.declined }

func (f *fakeCodes) Again() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.again++
	f.declined, f.asked = false, &CodeQuestion{ID: 9, Login: "hr-act", Device: "mfa/ines"}
}

func (f *fakeCodes) Subscribe() (bell <-chan struct{}, cancel func()) { return f.bell, func() {} }

func (f *fakeCodes) answers() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.given)
}

var firstCode = CodeQuestion{ID: 1, Login: "hr-act", Acts: true, Device: "arn:aws:iam::471122083344:mfa/ines"}

// askingCodes is a session with hands, at rest, whose logins may ask.
func askingCodes(t *testing.T, story func(a *actor, codes *fakeCodes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		codes, hands := newCodes(), newHands()
		h := newHand(t, 6, func(o *Options) { o.Codes, o.Hands = codes, hands })
		a := &actor{h, hands}
		a.wait(2 * time.Second)
		story(a, codes)
		a.m.guard.Wait()
	})
}

func TestALoginAsksForItsCodeInTheScreen(t *testing.T) {
	askingCodes(t, func(a *actor, codes *fakeCodes) {
		codes.asks(firstCode)
		a.send(codeMsg{})
		a.sees("question  MFA code · hr-act of : six digits", "device arn:aws:iam::471122083344:mfa/ines", "the controls act with it")
		a.keys("2", "7", "1", "x", "P", "8", "2")
		a.sees(`"27182"`)
		a.keys("enter")
		a.sees("a code is six digits")
		a.keys("8", "9", "enter") // the field takes six
		if got := codes.answers(); !slices.Equal(got, []string{"271828"}) {
			t.Errorf("%q", got)
		}
		a.seesNot("question")
		a.sees("the code for hr-act is on its way")
		codes.asks(CodeQuestion{ID: 2, Login: "hr-act", Device: "d", Wrong: "AWS did not take it"})
		a.send(codeMsg{})
		a.sees(`wrong "AWS did not take it"`)
		if _, runs, _ := a.hands.counts(); runs != 0 {
			t.Error("a key went through to what lies under the box")
		}
	})
}

func TestAPastedCodeIsTakenAndAnyOtherPasteIsNot(t *testing.T) {
	askingCodes(t, func(a *actor, codes *fakeCodes) {
		codes.asks(firstCode)
		a.send(codeMsg{})
		a.send(tea.PasteMsg{Content: "rm -rf /"})
		a.sees("digits only", `""`)
		a.send(tea.PasteMsg{Content: "271828\n"})
		a.keys("enter")
		if got := codes.answers(); !slices.Equal(got, []string{"271828"}) {
			t.Errorf("%q", got)
		}
	})
}

func TestTheQuestionWaitsForWhoeverTypesSomethingElse(t *testing.T) {
	for _, c := range []struct {
		sentence string
		open     []string
		leave    string
	}{
		{"a panel that is armed", []string{"P"}, "esc"},
		{"a question of an action", []string{"-"}, "esc"},
		{"the palette", []string{":"}, "esc"},
		{"the filter", []string{"/", "h"}, "esc"},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			askingCodes(t, func(a *actor, codes *fakeCodes) {
				a.keys(c.open...)
				a.wait(3 * time.Second)
				codes.asks(firstCode)
				a.send(codeMsg{})
				a.seesNot("MFA code · hr-act of")
				a.sees("loud A LOGIN WAITS FOR AN MFA CODE")
				a.keys(c.leave)
				a.seesNot("MFA code · hr-act of") // the next key may be meant for the screen
				a.wait(2 * time.Second)
				a.sees("MFA code · hr-act of")
				a.seesNot("WAITS FOR AN MFA CODE")
			})
		})
	}
}

func TestEscGoesWithoutACodeUntilSomebodyWantsIt(t *testing.T) {
	askingCodes(t, func(a *actor, codes *fakeCodes) {
		codes.asks(firstCode)
		a.send(codeMsg{})
		a.keys("1", "esc")
		a.seesNot("MFA code · hr-act of")
		a.sees("hr-act stays without a login")
		if codes.declines != 1 || len(codes.answers()) != 0 {
			t.Errorf("%d declined, %q", codes.declines, codes.answers())
		}
		a.wait(time.Minute)
		a.seesNot("MFA code · hr-act of")
		a.keys(":", "m", "f", "a", "enter")
		a.wait(2 * time.Second)
		a.sees("MFA code · hr-act of")
		if codes.again != 1 {
			t.Errorf("asked again %d times", codes.again)
		}
	})
}

func TestAQuestionThatIsOverClosesItsBox(t *testing.T) {
	askingCodes(t, func(a *actor, codes *fakeCodes) {
		codes.asks(firstCode)
		a.send(codeMsg{})
		a.keys("1", "2")
		codes.withdraws()
		a.send(codeMsg{})
		a.seesNot("MFA code · hr-act of")
		codes.asks(CodeQuestion{ID: 2, Login: "hr-read", Device: "d"})
		a.wait(2 * time.Second)
		a.sees("MFA code · hr-read of", `six digits: ""`)
	})
}

func TestTheWallAsksNobody(t *testing.T) {
	codes := newCodes()
	codes.asks(firstCode)
	h := newHand(t, 2, func(o *Options) { o.Codes, o.Wall = codes, true })
	h.send(codeMsg{})
	h.seesNot("MFA")
}
