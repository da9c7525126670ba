package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

func secondNeeded(f *fakeHands) { f.needs.Second = true }

// answered is what another person makes of the newest request.
func (a *actor) answered(stage actions.AskStage, who string) {
	a.t.Helper()
	a.hands.mu.Lock()
	r := &a.hands.requests[len(a.hands.requests)-1]
	r.Stage, r.Answerer, r.Answered, r.Left = stage, actions.Actor{Name: who, Role: actions.Operator}, time.Now(), time.Minute
	a.hands.mu.Unlock()
	a.send(newsMsg{})
}

func (a *actor) askedFor(n int) {
	a.t.Helper()
	a.hands.mu.Lock()
	defer a.hands.mu.Unlock()
	if len(a.hands.asks) != n {
		a.t.Errorf("a second person was asked %d times, want %d", len(a.hands.asks), n)
	}
}

func TestAnActionThatNeedsASecondPersonAsksThenSendsWithALetterOfItsOwn(t *testing.T) {
	act(t, secondNeeded, func(a *actor) {
		a.slowly("P")
		a.sees("CONFIRM P", `aim "ask"`, "armed 0s", " ask") // the header doesn't call it armed: nothing can be sent
		if a.hands.armings != 0 {
			t.Error("leave to send was taken for a question")
		}
		a.slowly("tab", "w", "h", "y", "enter", "CHALLENGE")
		a.askedFor(1)
		a.ran(0)
		if got := a.hands.asks[0].Request.Reason; got != "why" {
			t.Errorf("asked with the reason %q", got)
		}
		a.sees(`aim "waits"`, "asked 0s ago, #000000, 5:00 left; nobody has answered yet")
		a.slowly("a", "enter", "P", "y", "q", " ")
		a.sees(`aim "waits"`)
		a.ran(0)
		a.answered(actions.AskAgreed, "jana")
		a.sees(`aim ""`, "jana agrees, 1:00 left to send it", `reason "why"`, "armed 7.9")
		a.slowly("CHALLENGE")
		a.ran(1)
		c := a.hands.runs[0]
		if c.Approval != "request-000000" || c.Preview.Request.Reason != "why" || len(a.hands.previews) != 2 {
			t.Errorf("sent with the approval %q and reason %q after %d readings of the target", c.Approval, c.Preview.Request.Reason, len(a.hands.previews))
		}
	})
}

func TestAnAgreementThatComesWhileThePanelIsClosedIsFoundByTheKey(t *testing.T) {
	act(t, secondNeeded, func(a *actor) {
		a.slowly("P", "CHALLENGE", "esc")
		a.seesNot("CONFIRM ")
		a.answered(actions.AskAgreed, "jana")
		a.sees("outcome AGREED sale 1: pause admission 800/min → 0/min: jana agrees | open the panel again to send it; 1:00 left")
		a.slowly("P", "CHALLENGE")
		a.ran(1)
		a.askedFor(1)
	})
}

func TestARequestThatIsNotAgreedToSendsNothing(t *testing.T) {
	for _, c := range []struct {
		stage actions.AskStage
		sees  []string
	}{
		{actions.AskDeclined, []string{"refused jana declined", "outcome DECLINED sale 1: pause admission 800/min → 0/min: jana declined | nothing was sent"}},
		{actions.AskExpired, []string{"refused nobody agreed in time", "outcome EXPIRED"}},
		{actions.AskUsed, []string{"refused "}},
	} {
		act(t, secondNeeded, func(a *actor) {
			a.slowly("P", "CHALLENGE")
			a.answered(c.stage, "jana")
			a.sees(c.sees...)
			a.slowly("a", "b", "enter", "y")
			a.ran(0)
		})
	}
	act(t, func(f *fakeHands) {
		secondNeeded(f)
		f.refuse = &actions.Refusal{Guard: actions.GuardJournal, Text: "no space left on device"}
	}, func(a *actor) {
		a.slowly("P", "CHALLENGE")
		a.sees("refused no space left on device")
		a.ran(0)
	})
}

func TestATargetThatChangedSinceTheAgreementIsAskedForAgain(t *testing.T) {
	act(t, secondNeeded, func(a *actor) {
		a.slowly("P", "CHALLENGE")
		a.hands.preview.Version = "2"
		a.answered(actions.AskAgreed, "jana")
		a.sees(`aim "ask"`, "it would do something else now than what jana agreed to: ask again")
		a.slowly("CHALLENGE")
		a.askedFor(2)
		a.ran(0)
	})
}

// another asks for something that this session may answer.
func another(f *fakeHands) {
	req := actions.Request{Sale: "comet", Verb: actions.Pause, Reason: "INC-7"}
	p := f.preview
	p.Request = req
	f.requests = []actions.Asked{{
		ID: "request-00beef", Requester: actions.Actor{Name: "jana", Role: actions.Operator}, Request: req, Change: p.Change, Token: p.Token(),
		At: time.Now(), Stage: actions.AskWaiting, Left: 4 * time.Minute,
		Evidence: []actions.Observed{{Label: "declines", Unit: sale.Ratio, Has: true, Value: 0.07, Age: 9 * time.Second}},
	}}
}

func TestAnotherPersonSeesWhatIsAskedAndAgreesByTheSameGesture(t *testing.T) {
	act(t, another, func(a *actor) {
		a.sees("outcome ASKED sale 2: jana asks a second person: pause admission 800/min → 0/min | 4:00 left; declines 7.0 % (9s); palette (:) approve or decline; reason INC-7")
		a.slowly(":")
		a.sees("> approve sale 2: pause admission 800/min → 0/min", "decline sale 2")
		a.slowly("enter")
		a.sees("CONFIRM  approve pause admission 800/min → 0/min of comet: armed", `aim "agree"`, `reason "INC-7"`, "jana asks, 2s ago: INC-7; then declines 7.0 % (9s)", " agree")
		a.slowly("CHALLENGE")
		if got := strings.Join(a.hands.answers, ","); got != "request-00beef true true" {
			t.Errorf("answered %q", got)
		}
		a.seesNot("CONFIRM ")
		a.sees("agreed: jana can send it now")
		a.ran(0)
		if a.hands.armings != 0 {
			t.Error("agreeing took leave to send")
		}
	})
}

func TestASevereRequestTakesTheTypedNameToAgree(t *testing.T) {
	act(t, func(f *fakeHands) { f.preview.Risk = actions.Severe; another(f) }, func(a *actor) {
		a.slowly(":", "enter")
		a.sees("armed \x00comet")
		a.slowly("c", "o", "m", "e", "t", "enter")
		if len(a.hands.answers) != 1 {
			t.Error("it was not answered")
		}
	})
}

func TestADeclineIsToldAndNeedsNoLetter(t *testing.T) {
	act(t, another, func(a *actor) {
		a.slowly(":", "d", "e", "c", "l", "i", "n", "e", "enter")
		if got := strings.Join(a.hands.answers, ","); got != "request-00beef false false" {
			t.Errorf("answered %q", got)
		}
		a.sees("declined: jana is told")
	})
}

func TestWhatIsTypedAheadOrPastedNeverAgrees(t *testing.T) {
	for name, do := range map[string]func(*actor){
		"one read":          func(a *actor) { a.atOnce(":", "enter", "a", "b", "c", "d", "e", "f", "g", "h", "y", "enter") },
		"a paste":           func(a *actor) { a.slowly(":", "enter"); a.send(tea.PasteMsg{Content: a.challenge()}) },
		"another letter":    func(a *actor) { a.slowly(":", "enter"); a.slowly(a.wrong()) },
		"the letter held":   func(a *actor) { a.slowly(":", "enter"); a.wait(time.Second); c := a.challenge(); a.atOnce(c, c, c) },
		"the time goes by":  func(a *actor) { a.slowly(":", "enter"); a.wait(9 * time.Second) },
		"the focus is lost": func(a *actor) { a.slowly(":", "enter"); a.send(tea.BlurMsg{}) },
		"it is over":        func(a *actor) { a.slowly(":", "enter"); a.answered(actions.AskDeclined, "jana") },
		"the role changes": func(a *actor) {
			a.slowly(":", "enter")
			a.hands.status.Actor.Role = actions.Viewer
			a.wait(time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			act(t, another, func(a *actor) {
				do(a)
				a.wait(time.Second)
				if len(a.hands.answers) > 0 {
					t.Errorf("it was answered: %v", a.hands.answers)
				}
				a.seesNot("CONFIRM ")
				a.ran(0)
			})
		})
	}
}

func TestAViewerAnswersNothing(t *testing.T) {
	act(t, func(f *fakeHands) { another(f); f.status.Actor.Role = actions.Viewer }, func(a *actor) {
		a.slowly(":", "enter")
		a.sees("approve sale 2: pause admission 800/min → 0/min: off, viewer: reads, cannot act")
		a.slowly("esc", ":", "d", "e", "c", "l", "i", "n", "e", "enter")
		if previews, runs, armed := a.hands.counts(); previews+runs+armed+len(a.hands.answers) > 0 || len(a.hands.tries) != 2 {
			t.Errorf("%d calls, %v, tries %v", previews+runs+armed, a.hands.answers, a.hands.tries)
		}
	})
}

func TestOnesOwnRequestCanBeWithdrawnAndIsNotOfferedForApproval(t *testing.T) {
	act(t, secondNeeded, func(a *actor) {
		a.slowly("P", "CHALLENGE", "esc", ":", "a", "p", "p", "r", "o", "v", "e")
		a.seesNot("approve sale")
		a.slowly("esc", ":", "w", "i", "t", "h", "d", "r", "a", "w", "enter")
		a.sees("the request is withdrawn")
		if got := strings.Join(a.hands.answers, ","); got != "request-000000 false false" {
			t.Errorf("answered %q", got)
		}
	})
}

func TestTheGlassIsBrokenFromThePaletteLoudlyWithAReasonAndATypedName(t *testing.T) {
	act(t, func(f *fakeHands) {
		pause := slices.IndexFunc(f.offers, func(o Offer) bool { return o.Verb == actions.Pause })
		f.offers[pause].Glass = "freeze, second_person"
		f.needs.Reason = true
		f.preview.Risk = actions.Severe
		f.preview.Lifted = []actions.Refusal{{Guard: actions.GuardFreeze, Text: "frozen until 13:00"}}
	}, func(a *actor) {
		a.slowly(":", "g", "l", "a", "s", "s")
		a.sees("> break the glass: pause admission")
		a.slowly("enter")
		a.sees("editing", `required "a reason"`, "loud BREAKING THE GLASS")
		a.slowly("f", "i", "r", "e", "enter", "h", "a", "r", "b", "o", "u", "r")
		a.ran(0)
		a.slowly("enter")
		a.ran(1)
		if req := a.hands.runs[0].Preview.Request; !req.Glass || req.Reason != "fire" || req.Verb != actions.Pause {
			t.Errorf("%+v", req)
		}
		a.sees("outcome DONE", "strip loud GLASS BROKEN: freeze")
	})
}

func TestWhoBrokeTheGlassIsOnEveryScreenForAWhile(t *testing.T) {
	act(t, nil, func(a *actor) {
		a.hands.news = []News{{ID: "g1", Sale: "comet", Verb: actions.Rate, Who: "marko", At: time.Now(), Outcome: actions.Done, Glass: "freeze", Change: "800/min → 400/min"}}
		a.send(newsMsg{})
		a.sees("outcome DONE sale 2: admission rate 800/min → 400/min by marko", "strip loud GLASS BROKEN: freeze", "loud GLASS BROKEN by marko")
		a.slowly("o")
		a.sees("loud GLASS BROKEN by marko")
		a.wait(11 * time.Minute)
		a.seesNot("who  mira READ-ONLY arms for 8s armed 0s loud GLASS")
	})
}

func TestEvidenceThatAgesPastThePolicysLimitDisarms(t *testing.T) {
	act(t, func(f *fakeHands) {
		f.needs.EvidenceMaxAge = 6 * time.Second
		f.preview.Evidence = []actions.Observed{{Signal: sale.PaymentFailureRatio, Has: true, Needed: true}}
	}, func(a *actor) {
		at := time.Now()
		a.feed.set(settingsWorld(800, 0.07, sale.Bad, at))
		a.send(lookMsg{})
		a.slowly("P")
		a.sees("CONFIRM P")
		a.wait(6 * time.Second)
		a.disarmed("the evidence became too old")
	})
}

func TestAnActionWithoutAnAnswerIsSaidToHaveNone(t *testing.T) {
	var hold chan struct{}
	act(t, func(f *fakeHands) { hold = make(chan struct{}); f.hold = hold }, func(a *actor) {
		a.slowly("P")
		a.wait(time.Second)
		a.m.Update(keyPress(a.challenge()))
		time.Sleep(actions.BurstWithin)
		_, cmd := a.m.Update(pressedMsg{a.m.gen})
		a.wait(3 * time.Second)
		a.sees("outcome SENT", "| sale 1: no second action")
		a.wait(9 * time.Second)
		a.sees("outcome SENT", "| no answer for 12s: it is being read back, and is not sent again")
		close(hold)
		a.perform(cmd)
	})
}
