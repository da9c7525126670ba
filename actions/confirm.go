package actions

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// The times of the confirm panel.
const (
	DeafFor     = 300 * time.Millisecond // after arming, and after the reason was edited
	ArmedFor    = 8 * time.Second
	ArmedSevere = 20 * time.Second // to type a name
	// BurstWithin is how close two keys are that no hand has pressed apart. The right key fires
	// only when it has stood alone for so long: call Tick then.
	BurstWithin  = 40 * time.Millisecond
	mostDeafKeys = 2 // more than this while deaf is typing ahead
)

// letters are the challenges: no l, o or i, which look like others.
const letters = "abcdefghjkmnpqrstuvwxyz"

// Confirm is the state of an armed panel. It is pure data: each method returns the state
// after an event, and only Fired says that the action may be sent. The zero value is disarmed.
//
// One key fires, and it is drawn anew at every arming, so that nothing typed ahead, pasted,
// repeated by the keyboard or held back by a slow link can be it but by chance; what comes in a
// burst, or before the panel can have been seen (Behind), is not even given the chance.
type Confirm struct {
	Challenge rune   // to press; 0 when a name is typed
	Name      string // to type, then enter; "" when a letter is pressed
	Typed     string // of the name, so far

	state   confirmState
	why     Disarm
	own     string // the action's own key
	severe  bool
	editing bool
	armed   time.Time
	until   time.Time
	lastKey time.Time
	deaf    int // keys heard while deaf
	behind  time.Duration
}

type confirmState uint8

const (
	disarmed confirmState = iota
	armed
	pressed // the challenge was met, and nothing came with it so far
	fired
)

// Disarm is why a panel was disarmed, for a person.
type Disarm string

// Why a panel is disarmed.
const (
	ByEscape   Disarm = "disarmed"
	ByKey      Disarm = "another key than the one asked for"
	ByBurst    Disarm = "keys came in a burst"
	ByPaste    Disarm = "text was pasted"
	ByTime     Disarm = "the time was over"
	ByFocus    Disarm = "the terminal lost focus"
	ByResize   Disarm = "the terminal was resized"
	ByEvidence Disarm = "the evidence became too old"
	ByChange   Disarm = "the value changed"
	ByOther    Disarm = "somebody else acts on the same target"
	ByRole     Disarm = "the role changed"
)

// NewConfirm arms a panel at now for a preview. ownKey is the key that opened it, and is never the
// challenge. name is the short name of the sale, typed for severe actions. chance is read for
// the challenge; nil is the system's randomness.
func NewConfirm(p *Preview, ownKey, name string, now time.Time, chance io.Reader) (Confirm, error) {
	c := Confirm{own: ownKey, severe: p.Gesture() == Severe}
	if p.Refused() {
		return Confirm{}, errors.New("a refused action can't be armed: " + p.Refusals[0].Text)
	}
	if c.severe {
		if name == "" {
			return Confirm{}, errors.New("a severe action needs the name of its sale to be typed")
		}
		c.Name = name
	}
	return c.arm(now, chance)
}

func (c Confirm) arm(now time.Time, chance io.Reader) (Confirm, error) {
	c.state, c.editing, c.deaf, c.Typed, c.lastKey = armed, false, 0, "", time.Time{}
	c.armed = now.Add(c.behind)
	c.until = c.armed.Add(ArmedFor)
	if c.severe {
		c.until = c.armed.Add(ArmedSevere)
		return c, nil
	}
	if chance == nil {
		chance = rand.Reader
	}
	can := strings.Map(func(r rune) rune {
		if strings.EqualFold(string(r), c.own) {
			return -1
		}
		return r
	}, letters)
	for {
		var b [1]byte
		if _, err := io.ReadFull(chance, b[:]); err != nil {
			return Confirm{}, fmt.Errorf("no randomness for the challenge: %w", err)
		}
		if n := int(b[0]); n < 256-256%len(can) { // every letter is equally likely
			c.Challenge = rune(can[n%len(can)])
			return c, nil
		}
	}
}

// Armed reports whether the panel waits at now; what is over by time is not armed.
func (c Confirm) Armed(now time.Time) bool {
	return c.state == pressed || c.state == armed && (c.editing || now.Before(c.until))
}

// Pressed reports whether the challenge was met and waits to be alone: call Tick after BurstWithin.
func (c Confirm) Pressed() bool { return c.state == pressed }

// Fired reports whether the action may be sent. It stays so: use it once.
func (c Confirm) Fired() bool { return c.state == fired }

// Why says why it was disarmed; "" while it is not.
func (c Confirm) Why() Disarm { return c.why }

// Editing reports whether the reason is being edited: keys belong to it, and the time stands still.
func (c Confirm) Editing() bool { return c.state == armed && c.editing }

// Left is how much of the countdown is left, never negative.
func (c Confirm) Left(now time.Time) time.Duration {
	if c.state != armed {
		return 0
	}
	if c.editing {
		now = c.armed
	}
	return max(c.until.Sub(now), 0)
}

// Lasts is the whole countdown.
func (c Confirm) Lasts() time.Duration { return c.until.Sub(c.armed) }

// Behind tells a panel how far its screen is behind, now and at each arming to come: the panel is
// seen only then, so that the countdown begins then, and no key from before it can be an answer.
func (c Confirm) Behind(lag time.Duration) Confirm {
	by := max(lag, 0) - c.behind
	c.behind += by
	c.armed, c.until = c.armed.Add(by), c.until.Add(by)
	return c
}

// Off disarms for a reason from outside: escape, focus, a resize, a paste, stale evidence, a
// changed value, somebody else, a role. What has fired stays fired.
func (c Confirm) Off(why Disarm) Confirm {
	if c.state == armed || c.state == pressed {
		c.state, c.why, c.Typed = disarmed, why, ""
	}
	return c
}

// Tick fires what was pressed and stood alone, and disarms when the time is over.
func (c Confirm) Tick(now time.Time) Confirm {
	if c.state == pressed && now.Sub(c.lastKey) >= BurstWithin {
		c.state = fired
	}
	if c.state == armed && !c.editing && !now.Before(c.until) {
		return c.Off(ByTime)
	}
	return c
}

// Key takes one key at now. text is what the key types, "" for one that types nothing; enter
// and escape are told by their own arguments. together is how many keys the same read of the
// terminal brought: more than one disarms.
func (c Confirm) Key(text string, enter, escape bool, together int, now time.Time) Confirm {
	c = c.Tick(now)
	switch {
	case escape:
		return c.Off(ByEscape)
	case c.state == pressed:
		return c.Off(ByBurst)
	case c.state != armed || c.editing:
		return c
	}
	burst := !c.lastKey.IsZero() && now.Sub(c.lastKey) < BurstWithin
	c.lastKey = now
	switch {
	case together > 1 || burst:
		return c.Off(ByBurst)
	case now.Before(c.armed.Add(DeafFor)):
		if c.deaf++; c.deaf > mostDeafKeys {
			return c.Off(ByBurst)
		}
		return c
	case c.severe:
		return c.typed(text, enter)
	case !enter && text == string(c.Challenge):
		c.state = pressed
		return c
	default:
		return c.Off(ByKey)
	}
}

// typed takes one key of the name. A wrong letter disarms.
func (c Confirm) typed(text string, enter bool) Confirm {
	switch {
	case enter && c.Typed == c.Name:
		c.state = pressed
		return c
	case enter, text == "", strings.ContainsFunc(text, unicode.IsControl), !strings.HasPrefix(c.Name, c.Typed+text):
		return c.Off(ByKey)
	}
	c.Typed += text
	return c
}

// Edit begins to edit the reason: the time stands still, and keys mean nothing here.
func (c Confirm) Edit(now time.Time) Confirm {
	if c = c.Tick(now); c.state == armed {
		c.editing, c.Typed = true, ""
	}
	return c
}

// Edited ends editing: the countdown, the deafness and the challenge begin anew.
func (c Confirm) Edited(now time.Time, chance io.Reader) (Confirm, error) {
	if c.state != armed || !c.editing {
		return c, nil
	}
	return c.arm(now, chance)
}
