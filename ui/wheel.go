package ui

import (
	"context"
	"math"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// Wheel is control over one cockpit at which several people sit: one of them drives, and only the
// driver's keys act. Nobody drives until somebody does; a driver who leaves drives no more. It is made
// for one session's person. Names and notes that it hands out are clean.
//
// State must answer at once, from memory; the bell of the session's Hands rings when it has changed.
// The others may take as long as the journal does.
type Wheel interface {
	State() WheelState
	// Request asks the driver for control; it takes it when nobody drives. Give hands control to
	// whoever asked, Keep says no to that, and Release leaves it to whoever wants it.
	Request(ctx context.Context) error
	Give(ctx context.Context) error
	Keep(ctx context.Context) error
	Release(ctx context.Context) error
}

// WheelState is who holds control.
type WheelState struct {
	Driver string // "": nobody drives
	Mine   bool   // the driver is this session's person
	Asker  string // who asks the driver for control; "": nobody does
	Asking bool   // the asker is this session's person
	Until  time.Time
	// Note is the newest thing that this session's person should know, such as a refusal of somebody
	// else; NoteSeq counts them.
	Note    string
	NoteSeq uint64
}

// wheelMsg ends a change of control.
type wheelMsg struct {
	what string
	err  error
}

// lookWheel takes in who drives.
func (m *model) lookWheel() {
	if m.opts.Wheel == nil {
		return
	}
	was, now := m.control, m.opts.Wheel.State()
	if was == now {
		return
	}
	m.control = now
	m.needs(nowNeed)
	if was.Asker != now.Asker && now.Asker != "" && now.Mine {
		m.say(sale.Watch, now.Asker+" requests control: give it or keep it in the palette (:); it passes in "+m.wheelLeft())
	} else if was.NoteSeq != now.NoteSeq && now.Note != "" {
		m.say(sale.Watch, now.Note)
	}
	if p := m.acting; p != nil && p.answers == nil && m.passenger() != "" {
		m.disarm(actions.ByRole)
	}
}

func (m *model) wheelLeft() string {
	left := max(m.control.Until.Sub(m.now), 0)
	return sale.Format(math.Ceil(left.Seconds()), sale.Count, false) + " s"
}

// passenger is why no key of this session acts while somebody else drives.
func (m *model) passenger() string {
	if m.opts.Wheel == nil || m.control.Driver == "" || m.control.Mine {
		return ""
	}
	return m.control.Driver + " drives: request control in the palette (:)"
}

// driverWords is the driver in the header.
func (m *model) driverWords() string {
	switch {
	case m.opts.Wheel == nil:
		return ""
	case m.control.Driver == "":
		return "nobody"
	case m.control.Asker != "":
		return m.control.Driver + " (" + m.control.Asker + " asks, " + m.wheelLeft() + ")"
	}
	return m.control.Driver
}

// wheelEntries are what can be done about control. Those that somebody waits for come first.
func (m *model) wheelEntries() (first, rest []entry) {
	if m.opts.Wheel == nil || m.opts.Hands == nil || m.status.Actor.Role != actions.Operator {
		return nil, nil
	}
	w := m.opts.Wheel
	add := func(to *[]entry, title, help, done string, do func(context.Context) error) {
		*to = append(*to, entry{PaletteEntry: views.PaletteEntry{Title: title, Help: help}, run: func(m *model) { m.turn(done, do) }})
	}
	switch s := m.control; {
	case s.Mine && s.Asker != "":
		add(&first, "give control to "+s.Asker, "your keys act no more; you can request it back", s.Asker+" drives", w.Give)
		add(&first, "keep control", "says no to "+s.Asker, "you keep control; "+s.Asker+" is told", w.Keep)
	case s.Mine:
		add(&rest, "give control back", "nobody drives then; the next operator whose key acts does", "nobody drives", w.Release)
	case s.Driver == "":
		add(&rest, "take control", "nobody drives: your keys act, and nobody else's", "you drive", w.Request)
	case s.Asking:
	default:
		add(&rest, "request control", "asks "+s.Driver+", who drives; without an answer it passes to you in half a minute", s.Driver+" is asked for control", w.Request)
	}
	return first, rest
}

// turn changes who drives, away from the program's loop.
func (m *model) turn(done string, do func(context.Context) error) {
	if m.together > 1 {
		m.say(sale.OK, "control: keys came in a burst; press enter alone")
		return
	}
	within, stop := context.WithTimeout(m.ctx, journalFor)
	m.cmds = append(m.cmds, m.guard.cmd("control", func() tea.Msg {
		defer stop()
		return wheelMsg{done, do(within)}
	}))
	m.needs(keyNeed)
}

func (m *model) turned(msg wheelMsg) {
	if msg.err != nil {
		m.say(sale.Watch, "control: "+sale.Clean(msg.err.Error(), 200))
		return
	}
	m.say(sale.OK, msg.what)
	m.needs(nowNeed)
}
