package ui

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

func TestAnActionIsSentByItsKeyAndTheChallenge(t *testing.T) {
	act(t, nil, func(a *actor) {
		a.sees("who  mira READ-ONLY arms for 8s", "key P pause admission")
		a.slowly("P")
		a.sees("CONFIRM P pause admission of harbour: armed", "key all others  off: disarm", "armed 8s")
		a.ran(0)
		a.slowly("CHALLENGE")
		a.ran(1)
		a.sees("outcome DONE sale 1: P 800/min → 0/min: read back: queue_all on", "undo U")
		a.seesNot("CONFIRM ")
		c := a.hands.runs[0]
		if c.Preview.Request.Verb != actions.Pause || c.Preview.Request.Sale != "harbour" || c.Arming != "arming 1" {
			t.Errorf("sent %+v", c.Preview.Request)
		}
	})
}

func TestWhatDisarms(t *testing.T) {
	cases := []struct {
		sentence string
		do       func(*actor)
		says     string
	}{
		{"a wrong letter", func(a *actor) { a.slowly(a.wrong()) }, "another key"},
		{"y", func(a *actor) {
			if a.challenge() != "y" {
				a.slowly("y")
			} else {
				a.slowly("n")
			}
		}, "another key"},
		{"enter", func(a *actor) { a.slowly("enter") }, "another key"},
		{"the action's own key", func(a *actor) { a.slowly("P") }, "another key"},
		{"q, which does not quit", func(a *actor) {
			if a.challenge() != "q" {
				a.slowly("q")
			} else {
				a.slowly("w")
			}
		}, "another key"},
		{"esc", func(a *actor) { a.slowly("esc") }, "disarmed, esc"},
		{"ctrl+c", func(a *actor) { a.slowly("ctrl+c") }, ""},
		{"the letter with alt", func(a *actor) {
			a.wait(time.Second)
			a.send(tea.KeyPressMsg{Code: rune(a.challenge()[0]), Mod: tea.ModAlt})
		}, "another key"},
		{"a paste", func(a *actor) { a.wait(time.Second); a.send(tea.PasteMsg{Content: a.challenge()}) }, "text was pasted"},
		{"the letter and another key in one read", func(a *actor) { a.wait(time.Second); a.atOnce(a.challenge(), "x") }, "burst"},
		{"another key and the letter in one read", func(a *actor) { a.wait(time.Second); a.atOnce("x", a.challenge()) }, ""},
		{"the letter, held down", func(a *actor) {
			a.wait(time.Second)
			c := a.challenge()
			a.m.Update(keyPress(c))
			for range 20 {
				time.Sleep(30 * time.Millisecond)
				a.m.Update(keyPress(c))
			}
			a.m.Update(clockMsg{})
		}, ""},
		{"the letter as an auto-repeat", func(a *actor) {
			a.wait(time.Second)
			a.send(tea.KeyPressMsg{Code: rune(a.challenge()[0]), Text: a.challenge(), IsRepeat: true})
		}, "burst"},
		{"the focus of the terminal goes", func(a *actor) { a.send(tea.BlurMsg{}) }, "lost focus"},
		{"a resize", func(a *actor) { a.send(tea.WindowSizeMsg{Width: 100, Height: 30}) }, "resized"},
		{"a click", func(a *actor) { a.send(tea.MouseClickMsg{X: 3, Y: 3, Button: tea.MouseLeft}) }, "mouse"},
		{"the wheel", func(a *actor) { a.send(tea.MouseWheelMsg{Button: tea.MouseWheelDown}) }, "mouse"},
		{"the time goes by", func(a *actor) { a.wait(9 * time.Second) }, "the time was over"},
		{"the role changes", func(a *actor) {
			a.hands.status.Actor.Role = actions.Viewer
			a.wait(time.Second)
		}, "the role changed"},
		{"the journal fails", func(a *actor) { a.hands.status.Journal = "no space left on device"; a.wait(time.Second) }, "the journal can't be written"},
		{"somebody else acts on the target", func(a *actor) {
			a.hands.news = []News{{ID: "b7", Sale: "harbour", Verb: actions.Rate, Target: a.hands.preview.Target, Who: "marko", At: time.Now()}}
			a.send(newsMsg{})
		}, "somebody else acts"},
		{"the sale goes", func(a *actor) { a.feed.set(world(0, time.Now(), nil)); a.send(lookMsg{}) }, "the value changed"},
		{"its phase changes", func(a *actor) {
			snap := world(6, time.Now(), nil)
			snap.Sales[0].Phase = sale.Tail
			a.feed.set(snap)
			a.send(lookMsg{})
		}, "the value changed"},
	}
	for _, c := range cases {
		t.Run(c.sentence, func(t *testing.T) {
			act(t, nil, func(a *actor) {
				a.slowly("P")
				a.sees("CONFIRM P")
				c.do(a)
				a.ran(0)
				a.seesNot("CONFIRM ")
				if c.says != "" {
					a.disarmed(c.says)
				}
				if a.asked(tea.QuitMsg{}) {
					t.Error("it quit")
				}
			})
		})
	}
}

// settingsWorld is a world whose first sale has a limit of admission and a figure that actions
// lean on.
func settingsWorld(limit, declines float64, verdict sale.Verdict, at time.Time) *sale.Snapshot {
	snap := world(6, time.Now(), nil)
	st := snap.Sales[0]
	st.Sale.Signals = []sale.Spec{
		{Signal: sale.AdmissionLimit, Label: "limit", Unit: sale.PerMinute, Cadence: sale.Cadence{Period: 5 * time.Second}},
		{Signal: sale.PaymentFailureRatio, Label: "declines", Unit: sale.Ratio, Cadence: sale.Cadence{Period: 5 * time.Second}},
	}
	st.Signals = []sale.Known{
		{Spec: &st.Sale.Signals[0], Has: true, Value: limit, At: time.Now(), Verdict: sale.OK},
		{Spec: &st.Sale.Signals[1], Has: true, Value: declines, At: at, Verdict: verdict},
	}
	return snap
}

func TestWhatChangesInTheWorldDisarms(t *testing.T) {
	for _, c := range []struct {
		sentence string
		next     func() *sale.Snapshot
		why      string
	}{
		{"the limit was set to another value", func() *sale.Snapshot { return settingsWorld(600, 0.07, sale.Bad, time.Now()) }, "the value changed"},
		{"the evidence is judged otherwise", func() *sale.Snapshot { return settingsWorld(800, 0.01, sale.OK, time.Now()) }, "the value changed"},
		{"the evidence is stale", func() *sale.Snapshot { return settingsWorld(800, 0.07, sale.Bad, time.Now().Add(-time.Minute)) }, "the evidence became too old"},
		{"only a figure moved", func() *sale.Snapshot { return settingsWorld(800, 0.08, sale.Bad, time.Now()) }, ""},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			act(t, func(f *fakeHands) {
				f.preview.Evidence = []actions.Observed{{Signal: sale.PaymentFailureRatio, Has: true, Needed: true}}
			}, func(a *actor) {
				a.feed.set(settingsWorld(800, 0.07, sale.Bad, time.Now()))
				a.send(lookMsg{})
				a.slowly("P")
				a.sees("CONFIRM P")
				a.feed.set(c.next())
				a.send(lookMsg{})
				if c.why == "" {
					a.sees("CONFIRM P")
					return
				}
				a.disarmed(c.why)
			})
		})
	}
}

func TestKeysTypedAheadNeverAct(t *testing.T) {
	for _, burst := range []string{
		"s y enter y", "P y enter y", "P P P P P P", "S enter enter enter", ": p a u s e enter y enter y", "- 5 0 0 enter y enter",
		"R enter y h a r b o u r enter", "P a b c d e f g h j k m n p q r s t u v w x y z",
	} {
		t.Run(burst, func(t *testing.T) {
			act(t, nil, func(a *actor) {
				a.atOnce(strings.Fields(burst)...)
				a.wait(time.Second)
				a.ran(0)
				for _, key := range strings.Fields(burst) { // as a script over a slow link: 60 ms apart
					time.Sleep(60 * time.Millisecond)
					if a.m.acting != nil && a.m.acting.confirm.Challenge == rune(key[0]) && len(key) == 1 {
						break // by chance it is the letter that is asked for
					}
					a.send(keyPress(key))
				}
				a.ran(0)
			})
		})
	}
}

func TestAScriptThatIsPastedWithoutBracketsNeverActs(t *testing.T) {
	act(t, nil, func(a *actor) {
		for range 20 {
			a.atOnce(strings.Split("PSsIAR+-UNysudoabcdefghjkmnpqrstuvwxyz", "")...)
			a.wait(400 * time.Millisecond)
		}
		a.ran(0)
	})
}

func TestALinkThatLagsNeverActs(t *testing.T) {
	for _, lag := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second} {
		for _, keys := range []string{"s y enter y", "P P P P", "S enter y y y", ": p a u s e enter y", "P a b c d e f g h j k m n p q r s t u v w x y z"} {
			act(t, nil, func(a *actor) {
				a.m.lag = func() time.Duration { return lag }
				a.slowly("esc")
				// What was typed against an old frame arrives when the link comes back: in one read,
				// or one behind the other.
				a.wait(lag)
				a.atOnce(strings.Fields(keys)...)
				a.wait(lag)
				a.hurried(2*time.Millisecond, strings.Fields(keys)...)
				a.wait(lag)
				a.m.Update(tea.PasteMsg{Content: strings.ReplaceAll(keys, " ", "")})
				a.wait(lag)
				a.ran(0)
				if lag >= tooSlow {
					a.slowly("esc", "esc")
					a.sees("pause admission off: the screen is older than your key")
				}
			})
		}
	}
}

func TestALetterThatWasPressedBeforeItsPanelWasSeenIsNotHeard(t *testing.T) {
	act(t, nil, func(a *actor) {
		a.m.lag = func() time.Duration { return 2 * time.Second }
		a.slowly("esc", "P")
		a.wait(time.Second)
		a.send(keyPress(a.challenge()))
		a.wait(time.Second)
		a.ran(0)
		a.wait(time.Second)
		a.send(keyPress(a.challenge()))
		a.wait(time.Second)
		a.ran(1)
	})
}
