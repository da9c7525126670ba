package actions_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
)

var t0 = time.Date(2026, 12, 4, 10, 6, 5, 0, time.UTC)

func panel(t *testing.T, risk actions.Risk, draw byte) actions.Confirm {
	t.Helper()
	c, err := actions.NewConfirm(&actions.Preview{Risk: risk}, "P", "harbour", t0, bytes.NewReader([]byte{draw}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ev is one event at a time after arming.
type ev struct {
	at       time.Duration
	key      string // "enter" and "esc" are the keys of those names
	together int
	off      actions.Disarm
}

func play(c actions.Confirm, events []ev) actions.Confirm {
	for _, e := range events {
		now := t0.Add(e.at)
		switch {
		case e.off != "":
			c = c.Off(e.off)
		case e.key == "":
			c = c.Tick(now)
		default:
			text := e.key
			if text == "enter" || text == "esc" {
				text = ""
			}
			c = c.Key(text, e.key == "enter", e.key == "esc", max(e.together, 1), now)
			if c.Fired() {
				panic("fired before it was alone")
			}
		}
	}
	if c.Pressed() {
		return c.Tick(t0.Add(events[len(events)-1].at + actions.BurstWithin))
	}
	return c
}

func TestThePanelFiresOnlyOnItsChallenge(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	cases := []struct {
		name   string
		events []ev
		fires  bool
		why    actions.Disarm
		armed  bool
	}{
		{"the letter after a look at it", []ev{{at: s, key: "a"}}, true, "", false},
		{"the letter at the last moment", []ev{{at: 8*s - ms, key: "a"}}, true, "", false},
		{"the letter when the time is over", []ev{{at: 8 * s, key: "a"}}, false, actions.ByTime, false},
		{"the time passes", []ev{{at: 9 * s}}, false, actions.ByTime, false},
		{"another letter", []ev{{at: s, key: "b"}, {at: 2 * s, key: "a"}}, false, actions.ByKey, false},
		{"the letter as a capital", []ev{{at: s, key: "A"}}, false, actions.ByKey, false},
		{"the letter twice in one key", []ev{{at: s, key: "aa"}}, false, actions.ByKey, false},
		{"enter", []ev{{at: s, key: "enter"}}, false, actions.ByKey, false},
		{"y", []ev{{at: s, key: "y"}}, false, actions.ByKey, false},
		{"the action's own key again", []ev{{at: s, key: "P"}}, false, actions.ByKey, false},
		{"an arrow, which types nothing", []ev{{at: s, key: "\x00"}}, false, actions.ByKey, false},
		{"escape", []ev{{at: s, key: "esc"}, {at: 2 * s, key: "a"}}, false, actions.ByEscape, false},
		{"escape at once", []ev{{at: ms, key: "esc"}}, false, actions.ByEscape, false},
		{"the letter while deaf is not heard", []ev{{at: 299 * ms, key: "a"}}, false, "", true},
		{"the letter while deaf, and again after", []ev{{at: 200 * ms, key: "a"}, {at: s, key: "a"}}, true, "", false},
		{"auto-repeat of the letter from before", []ev{{at: 100 * ms, key: "a"}, {at: 133 * ms, key: "a"}, {at: 166 * ms, key: "a"}}, false, actions.ByBurst, false},
		{"three keys while deaf", []ev{{at: 50 * ms, key: "s"}, {at: 150 * ms, key: "y"}, {at: 250 * ms, key: "x"}, {at: s, key: "a"}}, false, actions.ByBurst, false},
		{"two keys in one read", []ev{{at: s, key: "a", together: 2}}, false, actions.ByBurst, false},
		{"a key within a blink of another", []ev{{at: 290 * ms, key: "x"}, {at: 310 * ms, key: "a"}}, false, actions.ByBurst, false},
		{"the letter and another key at once", []ev{{at: s, key: "a"}, {at: s + 10*ms, key: "enter"}}, false, actions.ByBurst, false},
		{"the letter, and the focus is lost at once", []ev{{at: s, key: "a"}, {at: s + ms, off: actions.ByFocus}}, false, actions.ByFocus, false},
		{"auto-repeat of the letter after a look", []ev{{at: s, key: "a"}, {at: s + 33*ms, key: "a"}}, false, actions.ByBurst, false},
		{"a paste", []ev{{at: s, off: actions.ByPaste}, {at: 2 * s, key: "a"}}, false, actions.ByPaste, false},
		{"lost focus", []ev{{at: s, off: actions.ByFocus}, {at: 2 * s, key: "a"}}, false, actions.ByFocus, false},
		{"a resize", []ev{{at: s, off: actions.ByResize}, {at: 2 * s, key: "a"}}, false, actions.ByResize, false},
		{"stale evidence", []ev{{at: s, off: actions.ByEvidence}, {at: 2 * s, key: "a"}}, false, actions.ByEvidence, false},
		{"a changed value", []ev{{at: s, off: actions.ByChange}, {at: 2 * s, key: "a"}}, false, actions.ByChange, false},
		{"somebody else's intent", []ev{{at: s, off: actions.ByOther}, {at: 2 * s, key: "a"}}, false, actions.ByOther, false},
		{"another role", []ev{{at: s, off: actions.ByRole}, {at: 2 * s, key: "a"}}, false, actions.ByRole, false},
		{"the first reason stays", []ev{{at: s, off: actions.ByRole}, {at: s, off: actions.ByPaste}}, false, actions.ByRole, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := play(panel(t, actions.Normal, 0), c.events)
			last := t0
			for _, e := range c.events {
				last = t0.Add(e.at)
			}
			if p.Fired() != c.fires || p.Why() != c.why || p.Armed(last) != c.armed {
				t.Errorf("fired %v, why %q, armed %v", p.Fired(), p.Why(), p.Armed(last))
			}
		})
	}
}

func TestAPanelOnAScreenThatIsBehindHearsNothingBeforeItIsSeen(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	for _, c := range []struct {
		name   string
		lag    time.Duration
		events []ev
		fires  bool
		why    actions.Disarm
	}{
		{"the letter before the panel is seen", 2 * s, []ev{{at: s, key: "a"}}, false, ""},
		{"the letter just as it is seen", 2 * s, []ev{{at: 2*s + 299*ms, key: "a"}}, false, ""},
		{"the letter after a look at it", 2 * s, []ev{{at: 3 * s, key: "a"}}, true, ""},
		{"the countdown begins when it is seen", 2 * s, []ev{{at: 10*s - ms, key: "a"}}, true, ""},
		{"and ends", 2 * s, []ev{{at: 10 * s, key: "a"}}, false, actions.ByTime},
		{"typing ahead", 2 * s, []ev{{at: s, key: "b"}, {at: s + 100*ms, key: "c"}, {at: s + 200*ms, key: "a"}}, false, actions.ByBurst},
		{"a clock that was set back", -s, []ev{{at: 299 * ms, key: "a"}}, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := play(panel(t, actions.Normal, 0).Behind(c.lag), c.events)
			if p.Fired() != c.fires || p.Why() != c.why {
				t.Errorf("fired %v, why %q", p.Fired(), p.Why())
			}
		})
	}
	edited := panel(t, actions.Normal, 0).Behind(2 * s).Edit(t0.Add(s))
	edited, err := edited.Edited(t0.Add(5*s), bytes.NewReader([]byte{0}))
	if err != nil || edited.Lasts() != actions.ArmedFor || edited.Left(t0.Add(7*s)) != actions.ArmedFor {
		t.Errorf("after the reason was edited: %v left of %v, %v", edited.Left(t0.Add(7*s)), edited.Lasts(), err)
	}
}

func TestASevereActionTakesTheTypedNameAndEnter(t *testing.T) {
	typed := func(name string, then ...ev) []ev {
		var events []ev
		for i, r := range name {
			events = append(events, ev{at: time.Duration(i+2) * 200 * time.Millisecond, key: string(r)})
		}
		return append(events, then...)
	}
	enter := ev{at: 10 * time.Second, key: "enter"}
	cases := []struct {
		name   string
		events []ev
		fires  bool
		why    actions.Disarm
	}{
		{"the name and enter", typed("harbour", enter), true, ""},
		{"the name alone", typed("harbour"), false, ""},
		{"half of it and enter", typed("harb", enter), false, actions.ByKey},
		{"a wrong letter", typed("harx"), false, actions.ByKey},
		{"too much", typed("harbours"), false, actions.ByKey},
		{"enter alone", []ev{enter}, false, actions.ByKey},
		{"all of it in one key", []ev{{at: time.Second, key: "harbour"}, enter}, true, ""}, // an input method may; a read of several keys may not
		{"all of it in one read", []ev{{at: time.Second, key: "h", together: 7}}, false, actions.ByBurst},
		{"pasted", []ev{{at: time.Second, off: actions.ByPaste}, enter}, false, actions.ByPaste},
		{"a newline in a key", []ev{{at: time.Second, key: "\n"}}, false, actions.ByKey},
		{"too slow", typed("harbour", ev{at: 20 * time.Second, key: "enter"}), false, actions.ByTime},
		{"escape", typed("harb", ev{at: 5 * time.Second, key: "esc"}), false, actions.ByEscape},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := play(panel(t, "", 0), c.events) // a risk that is not known is severe
			if p.Fired() != c.fires || p.Why() != c.why {
				t.Errorf("fired %v, why %q, typed %q", p.Fired(), p.Why(), p.Typed)
			}
		})
	}
}

func TestEditingTheReasonStopsTheTimeAndArmsAnew(t *testing.T) {
	c := panel(t, actions.Normal, 0)
	c = c.Edit(t0.Add(2 * time.Second))
	if !c.Editing() || c.Left(t0.Add(time.Hour)) != actions.ArmedFor {
		t.Errorf("%+v", c)
	}
	for _, k := range "any reason with an a in it" {
		c = c.Key(string(k), false, false, 1, t0.Add(time.Minute))
	}
	c = c.Key("", true, false, 5, t0.Add(time.Minute)).Tick(t0.Add(time.Hour))
	if c.Fired() || !c.Editing() {
		t.Errorf("%+v", c)
	}
	later := t0.Add(2 * time.Minute)
	c, err := c.Edited(later, bytes.NewReader([]byte{1}))
	if err != nil || c.Challenge != 'b' || c.Left(later) != actions.ArmedFor || c.Lasts() != actions.ArmedFor {
		t.Errorf("%+v %v", c, err)
	}
	if c.Key("b", false, false, 1, later.Add(100*time.Millisecond)).Pressed() {
		t.Error("it is not deaf again")
	}
	if !c.Key("b", false, false, 1, later.Add(time.Second)).Tick(later.Add(2 * time.Second)).Fired() {
		t.Error("it can't be sent any more")
	}
	if c.Edit(later).Off(actions.ByEvidence).Editing() {
		t.Error("stale evidence does not disarm while the reason is edited")
	}
	if c.Edit(later).Key("", false, true, 1, later).Why() != actions.ByEscape {
		t.Error("escape does not disarm while the reason is edited")
	}
}

func TestTheChallengeIsNeverAnUnclearLetterNorTheActionsOwnKey(t *testing.T) {
	seen := map[rune]int{}
	for i := range 256 {
		for _, own := range []string{"S", "s", "+", "a"} {
			c, err := actions.NewConfirm(&actions.Preview{Risk: actions.Mild}, own, "", t0, bytes.NewReader([]byte{byte(i), 0}))
			if err != nil {
				t.Fatal(err)
			}
			if strings.ContainsRune("loi", c.Challenge) || strings.EqualFold(string(c.Challenge), own) {
				t.Fatalf("%c for %s", c.Challenge, own)
			}
			seen[c.Challenge]++
		}
	}
	if len(seen) != 23 {
		t.Errorf("%d letters", len(seen))
	}
	if c, err := actions.NewConfirm(&actions.Preview{Risk: actions.Mild}, "P", "", t0, nil); err != nil || c.Challenge == 0 {
		t.Errorf("%v %v", c, err)
	}
}

func TestWhatCantBeSentCantBeArmed(t *testing.T) {
	p := &actions.Preview{Risk: actions.Mild}
	if _, err := actions.NewConfirm(p, "P", "", t0, bytes.NewReader(nil)); !errors.Is(err, io.EOF) {
		t.Errorf("no randomness: %v", err)
	}
	if _, err := actions.NewConfirm(&actions.Preview{Risk: actions.Severe}, "P", "", t0, nil); err == nil {
		t.Error("severe without a name")
	}
	p.Refuse(actions.GuardFreeze, "frozen", "")
	if _, err := actions.NewConfirm(p, "P", "", t0, nil); err == nil {
		t.Error("a refused action was armed")
	}
	var zero actions.Confirm
	if zero.Armed(t0) || zero.Key("a", false, false, 1, t0).Fired() || zero.Key("\x00", false, false, 1, t0).Fired() {
		t.Error("the zero panel")
	}
}

// TestNoStormOfKeysFiresButByTheExactChallenge throws random events at random panels. A panel
// may fire only on a key that is its challenge, alone in its read, heard after the deaf time,
// within the countdown, not in a burst, and as the first key that counts.
func TestNoStormOfKeysFiresButByTheExactChallenge(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 9))
	offs := []actions.Disarm{actions.ByPaste, actions.ByFocus, actions.ByResize, actions.ByEvidence, actions.ByChange, actions.ByOther, actions.ByRole}
	const keys = "abcdefghjkmnpqrstuvwxyzSPRUyloi+-\n "
	fired := 0
	for range 200000 {
		c := panel(t, actions.Normal, byte(rng.IntN(200)))
		at, heard, last, legal := time.Duration(0), 0, time.Duration(-1), false
		for range 1 + rng.IntN(6) {
			at += time.Duration(rng.IntN(1200)) * time.Millisecond
			if rng.IntN(3) == 0 {
				at = max(last, 0) + time.Duration(rng.IntN(60))*time.Millisecond // close to the one before
			}
			alone := last < 0 || at-last >= actions.BurstWithin
			c = c.Tick(t0.Add(at))
			if c.Fired() {
				if fired++; !legal || !alone {
					t.Fatalf("fired at %s: legal %v, alone %v", at, legal, alone)
				}
				break
			}
			if legal = false; rng.IntN(12) == 0 {
				c = c.Off(offs[rng.IntN(len(offs))])
				continue
			}
			key, together, enter := string(keys[rng.IntN(len(keys))]), 1, rng.IntN(15) == 0
			if rng.IntN(3) == 0 {
				key = string(c.Challenge) // often enough to get through
			}
			if rng.IntN(8) == 0 {
				together = 1 + rng.IntN(5)
			}
			legal = key == string(c.Challenge) && together == 1 && !enter && at >= actions.DeafFor && at < actions.ArmedFor &&
				alone && heard == 0 && c.Why() == ""
			c = c.Key(key, enter, false, together, t0.Add(at))
			if c.Fired() || c.Pressed() && !legal {
				t.Fatalf("pressed at %s by %q (challenge %c, together %d, heard %d)", at, key, c.Challenge, together, heard)
			}
			if at >= actions.DeafFor {
				heard++
			}
			last = at
		}
	}
	if fired < 1000 {
		t.Errorf("only %d panels fired: the storm proves little", fired)
	}
}

func TestAHeldBackBurstFromASlowLinkNeverFires(t *testing.T) {
	for draw := range 22 {
		for _, lag := range []time.Duration{500 * time.Millisecond, time.Second, 5 * time.Second} {
			// What was typed while the link was slow comes in one read, or key by key in a burst.
			one := panel(t, actions.Normal, byte(draw)).Key("s", false, false, 4, t0.Add(lag))
			c := panel(t, actions.Normal, byte(draw))
			for i, k := range []string{string(c.Challenge), "y", "enter", "y"} { // the worst of chances
				text := strings.TrimSuffix(k, "enter")
				c = c.Key(text, k == "enter", false, 1, t0.Add(lag+time.Duration(i)*2*time.Millisecond))
			}
			if one.Tick(t0.Add(time.Minute)).Fired() || c.Tick(t0.Add(time.Minute)).Fired() {
				t.Fatalf("fired after %s", lag)
			}
		}
	}
}
