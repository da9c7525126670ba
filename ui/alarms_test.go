package ui

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// alarm gives a sale of the fake feed one alarm.
func alarm(st *sale.State, v sale.Verdict, raised time.Time) {
	st.Alarms = []sale.Alarm{{Sale: st.Sale.ID, Key: "payment_failure_ratio", Verdict: v, Text: "payment declines", Value: "7.0 % > 5.0 %", Raised: raised, Since: raised}}
}

func stateWith(id sale.ID, alarms ...sale.Alarm) *sale.State {
	return &sale.State{Sale: &sale.Sale{ID: id}, Alarms: alarms}
}

func TestTheBellRingsOnceOnTheFirstBadAlarmOfASale(t *testing.T) {
	from := time.Date(2026, 12, 4, 10, 0, 0, 0, time.UTC)
	bad := func(d time.Duration) sale.Alarm {
		return sale.Alarm{Key: "a", Verdict: sale.Bad, Raised: from.Add(d)}
	}
	clearing := bad(time.Minute)
	clearing.Clearing = true
	watch := sale.Alarm{Key: "b", Verdict: sale.Watch, Raised: from.Add(time.Minute)}
	for _, c := range []struct {
		name  string
		steps []*sale.State
		want  string // a letter for each step: r rings, - does not
	}{
		{"once", []*sale.State{stateWith("a"), stateWith("a", bad(time.Minute)), stateWith("a", bad(time.Minute))}, "-r-"},
		{"not for what was there before", []*sale.State{stateWith("a", bad(-time.Minute)), stateWith("a", bad(-time.Minute))}, "--"},
		{"not for a watch", []*sale.State{stateWith("a", watch)}, "-"},
		{"when a watch turns bad", []*sale.State{stateWith("a", watch), stateWith("a", bad(time.Minute))}, "-r"},
		{"not for a second cause while the first stands", []*sale.State{stateWith("a", bad(time.Minute)), stateWith("a", bad(time.Minute), bad(2*time.Minute))}, "r-"},
		{"not when it only breaks again before it cleared", []*sale.State{stateWith("a", bad(time.Minute)), stateWith("a", clearing), stateWith("a", bad(time.Minute))}, "r--"},
		{"again after it had cleared", []*sale.State{stateWith("a", bad(time.Minute)), stateWith("a"), stateWith("a", bad(9*time.Minute))}, "r-r"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, got := bell{from: from}, ""
			for _, st := range c.steps {
				if len(b.hear(&sale.Snapshot{Sales: []*sale.State{st}})) > 0 {
					got += "r"
				} else {
					got += "-"
				}
			}
			if got != c.want {
				t.Errorf("the bell rang %q, want %q", got, c.want)
			}
		})
	}
}

func TestManySalesThatTurnBadTogetherRingOnce(t *testing.T) {
	m := &model{now: time.Date(2026, 12, 4, 10, 0, 0, 0, time.UTC)}
	for i := range 5 {
		m.now = m.now.Add(time.Duration(i) * 500 * time.Millisecond)
		m.ring([]*sale.State{stateWith("a")})
	}
	if len(m.cmds) != 1 {
		t.Errorf("%d rings within ten seconds", len(m.cmds))
	}
	m.now = m.now.Add(bellGap)
	m.ring([]*sale.State{stateWith("a")})
	if len(m.cmds) != 2 {
		t.Errorf("%d rings after the gap, want the second", len(m.cmds))
	}
	m.now = m.now.Add(bellGap)
	m.opts.NoBell = true
	m.ring([]*sale.State{stateWith("a")})
	if len(m.cmds) != 2 {
		t.Error("a bell that is off rings")
	}
}

// fakeShelves remembers what a session asked for.
type fakeShelves struct {
	asked []string
	err   error
}

func (f *fakeShelves) Shelve(id sale.ID, key string, shelf sale.Shelf) error {
	f.asked = append(f.asked, string(id)+" "+key+" "+shelf.Who+" "+shelf.Until.Sub(shelf.At).String())
	return f.err
}

func (f *fakeShelves) Unshelve(id sale.ID, key, who string) error {
	f.asked = append(f.asked, "un "+string(id)+" "+key+" "+who)
	return f.err
}

// alarmed is a session over two sales with an alarm each, one of them BAD, and its shelves.
func alarmed(t *testing.T, change ...func(*Options)) (*hand, *fakeShelves) {
	t.Helper()
	shelves := &fakeShelves{}
	h := newHand(t, 3, append([]func(*Options){func(o *Options) {
		o.Shelves, o.Header.Operator = shelves, "mara"
	}}, change...)...)
	snap := world(3, time.Now(), map[sale.ID]sale.Verdict{"comet": sale.Bad, "lantern": sale.Watch})
	alarm(snap.Sale("comet"), sale.Bad, time.Now().Add(-time.Minute))
	alarm(snap.Sale("lantern"), sale.Watch, time.Now().Add(-2*time.Minute))
	h.feed.set(snap)
	h.send(lookMsg{})
	return h, shelves
}

func TestTheAlarmsScreenPutsTheFocusOnTheSaleOfTheChosenAlarm(t *testing.T) {
	h, _ := alarmed(t)
	h.keys("L")
	h.sees("screen alarms", "focus comet")
	h.keys("down")
	h.sees("focus lantern")
	h.keys("enter")
	h.sees("screen sale", "focus lantern")
	h.keys("esc")
	h.sees("screen alarms")
}

func TestAnAlarmIsShelvedFromThePaletteUnderANameAndABadOneNever(t *testing.T) {
	h, shelves := alarmed(t)
	h.keys("L", ":")
	h.sees("shelve payment declines for 15 min off: a BAD alarm can't be shelved")
	h.keys("esc", "down", ":")
	for _, key := range strings.Split("shelve", "") {
		h.keys(key)
	}
	h.keys("enter")
	if got := strings.Join(shelves.asked, "; "); got != "lantern payment_failure_ratio mara 15m0s" {
		t.Fatalf("the shelf was asked %q", got)
	}
	h.sees("payment declines is shelved by mara until")
	shelves.err = errors.New("no such alarm stands")
	h.keys(":")
	for _, key := range strings.Split("shelve", "") {
		h.keys(key)
	}
	h.keys("enter")
	h.sees("not shelved, no such alarm stands")
}

func TestNobodyShelvesWithoutAName(t *testing.T) {
	h, shelves := alarmed(t, func(o *Options) { o.Header.Operator = "" })
	h.keys("L", "down", ":")
	h.sees("off: a shelf needs a name, and nobody is known here")
	if len(shelves.asked) > 0 {
		t.Errorf("the shelf was asked %q", shelves.asked)
	}
}

func TestTheNextMoveGetsTheKeyThatIsBoundNow(t *testing.T) {
	keys, errs := newKeymap(map[string][]string{"pause": {"f2"}, "rate-down": {"f3"}})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	got := keys.actKeys()
	for action, want := range map[string]string{"pause": "f2", "rate": "f3", "scale-up": "S", "resume": "R", "incident": "I"} {
		if got[action] != want {
			t.Errorf("the key of %s is %q, want %q", action, got[action], want)
		}
	}
}
