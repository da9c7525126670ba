package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/ui"
)

// codeControl is the journal's code of control passing from one person to another.
const codeControl = "CTL10N"

// answerWithin is how long a driver has to answer who requests control. Without an answer it passes:
// a driver who has gone to sleep must not keep everybody else's hands tied.
const answerWithin = 30 * time.Second

// wheel is control over the one cockpit that several people look at. A person is a name of the
// config: two sessions of one person drive together.
type wheel struct {
	desk *desk

	mu      sync.Mutex
	sitting map[string][]*guest
	driver  actions.Actor // without a name: nobody
	asker   actions.Actor // without a name: nobody
	until   time.Time     // when it passes to the asker
	notes   map[string]note
	seq     uint64
}

// note is the newest thing that a person should know.
type note struct {
	text string
	seq  uint64
	at   time.Time
}

func newWheel(d *desk) *wheel {
	return &wheel{desk: d, sitting: map[string][]*guest{}, notes: map[string]note{}}
}

// sit counts a session in, leave out again. Control does not stay with somebody who has left.
func (w *wheel) sit(g *guest) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sitting[g.name] = append(w.sitting[g.name], g)
}

func (w *wheel) leave(g *guest) {
	w.mu.Lock()
	rest := w.sitting[g.name][:0]
	for _, other := range w.sitting[g.name] {
		if other != g {
			rest = append(rest, other)
		}
	}
	w.sitting[g.name] = rest
	if len(rest) == 0 {
		delete(w.sitting, g.name)
		delete(w.notes, g.name)
	}
	passed := w.lookLocked(time.Now())
	w.mu.Unlock()
	w.record(passed)
}

// run passes control on when a driver does not answer, or may not drive any more.
func (w *wheel) run(ctx context.Context) {
	clock := time.NewTicker(time.Second)
	defer clock.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-clock.C:
			w.look(now)
		}
	}
}

func (w *wheel) look(now time.Time) {
	w.mu.Lock()
	passed := w.lookLocked(now)
	w.mu.Unlock()
	w.record(passed)
}

// passing is control that has passed, for the journal.
type passing struct {
	by   actions.Actor
	text string
}

func (w *wheel) lookLocked(now time.Time) *passing {
	if w.asker.Name != "" && !w.mayLocked(w.asker.Name) {
		w.asker = actions.Actor{}
	}
	switch was := w.driver; {
	case was.Name == "":
		w.asker = actions.Actor{}
		return nil
	case !w.mayLocked(was.Name) && w.asker.Name != "":
		return w.passLocked(w.asker, was.Name+" is gone, or is no operator any more")
	case !w.mayLocked(was.Name):
		w.driver, w.asker = actions.Actor{}, actions.Actor{}
		w.desk.bell()
		return &passing{was, was.Name + " is gone, or is no operator any more: nobody drives"}
	case w.asker.Name != "" && !now.Before(w.until):
		w.noteLocked(was.Name, w.asker.Name+" drives: your answer took longer than "+answerWithin.String())
		return w.passLocked(w.asker, was.Name+" did not answer in "+answerWithin.String())
	}
	return nil
}

// mayLocked reports whether somebody sits here as an operator at this moment.
func (w *wheel) mayLocked(name string) bool {
	for _, g := range w.sitting[name] {
		if g.actor().Role == actions.Operator {
			return true
		}
	}
	return false
}

func (w *wheel) passLocked(to actions.Actor, why string) *passing {
	from := w.driver.Name
	if from == "" {
		from = "nobody"
	}
	w.driver, w.asker = to, actions.Actor{}
	w.noteLocked(to.Name, "you drive now: "+why)
	w.desk.bell()
	return &passing{to, fmt.Sprintf("control passes from %s to %s: %s", from, to.Name, why)}
}

func (w *wheel) noteLocked(to, text string) {
	w.seq++
	w.notes[to] = note{sale.Clean(text, 160), w.seq, time.Now()}
	w.desk.bell()
}

// record writes it down. Control that the journal misses is control all the same: its actions name
// who they are by.
func (w *wheel) record(p *passing) {
	if p == nil {
		return
	}
	w.desk.log.Info("control", "what", p.text)
	rec := journal.Record{
		Code: codeControl, Kind: journal.Note, ID: codeControl, Action: "control", Text: p.text,
		Actor: journal.Actor{Name: p.by.Name, Fingerprint: p.by.Fingerprint, Role: string(p.by.Role), Via: p.by.Via, Remote: p.by.Remote},
	}
	if _, err := w.desk.recorder.Append(context.Background(), rec); err != nil {
		w.desk.log.Warn("the journal misses a change of control", "why", err.Error())
	}
}

// take lets somebody drive whose key acts: the driver, or whoever is first when nobody drives.
func (w *wheel) take(who actions.Actor) (driver string, ok bool) {
	w.mu.Lock()
	if w.driver.Name != "" {
		defer w.mu.Unlock()
		return w.driver.Name, w.driver.Name == who.Name
	}
	passed := w.passLocked(who, "nobody drove")
	w.mu.Unlock()
	w.record(passed)
	return who.Name, true
}

// triedAgain is how long the same refusal is not told twice: a held key would drown the driver.
const triedAgain = 10 * time.Second

// tried tells the driver that somebody else's key was refused.
func (w *wheel) tried(who actions.Actor, req actions.Request, why string) {
	if why == "" {
		why = "a viewer"
		if who.Role == actions.Operator {
			why = "not the driver"
		}
	}
	meaning, _ := req.Verb.Meaning()
	text := sale.Clean(fmt.Sprintf("%s tried %s on %s: refused, %s", who.Name, meaning.Label, req.Sale, why), 160)
	if w.tell(who.Name, text) {
		w.desk.log.Info("refused", "who", who.Name, "action", string(req.Verb), "sale", string(req.Sale), "why", why)
	}
}

func (w *wheel) tell(of, text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	driver := w.driver.Name
	if driver == "" || driver == of {
		return false
	}
	if last := w.notes[driver]; last.text == text && time.Since(last.at) < triedAgain {
		return false
	}
	w.noteLocked(driver, text)
	return true
}

// seat is the wheel as one session has it.
func (w *wheel) seat(g *guest) ui.Wheel { return &grip{w, g} }

type grip struct {
	*wheel
	guest *guest
}

var (
	errNotDriver = errors.New("you don't drive any more")
	errNobody    = errors.New("nobody asks for control any more")
)

// State says who drives.
func (s *grip) State() ui.WheelState {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := s.guest.name
	n := s.notes[mine]
	return ui.WheelState{
		Driver: s.driver.Name, Mine: s.driver.Name == mine, Asker: s.asker.Name, Asking: s.asker.Name == mine, Until: s.until,
		Note: n.text, NoteSeq: n.seq,
	}
}

// Request asks for control, or takes it when nobody drives.
func (s *grip) Request(context.Context) error {
	me := s.guest.actor()
	if me.Role != actions.Operator {
		return errors.New("only an operator can drive")
	}
	s.mu.Lock()
	var passed *passing
	switch {
	case s.driver.Name == me.Name:
	case s.driver.Name == "":
		passed = s.passLocked(me, "nobody drove")
	case s.asker.Name != "" && s.asker.Name != me.Name:
		name := s.asker.Name
		s.mu.Unlock()
		return errors.New(name + " has asked before you")
	case s.asker.Name == "":
		s.asker, s.until = me, time.Now().Add(answerWithin)
		s.desk.bell()
	}
	s.mu.Unlock()
	s.record(passed)
	return nil
}

// Give hands control to whoever asked for it.
func (s *grip) Give(context.Context) error {
	s.mu.Lock()
	switch {
	case s.driver.Name != s.guest.name:
		s.mu.Unlock()
		return errNotDriver
	case s.asker.Name == "":
		s.mu.Unlock()
		return errNobody
	}
	passed := s.passLocked(s.asker, "given by "+s.driver.Name)
	s.mu.Unlock()
	s.record(passed)
	return nil
}

// Keep says no to whoever asked for control.
func (s *grip) Keep(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.driver.Name != s.guest.name:
		return errNotDriver
	case s.asker.Name == "":
		return errNobody
	}
	s.noteLocked(s.asker.Name, s.driver.Name+" keeps control")
	s.asker = actions.Actor{}
	return nil
}

// Release leaves control to whoever wants it; somebody who asked for it has it then.
func (s *grip) Release(context.Context) error {
	s.mu.Lock()
	was := s.driver
	if was.Name != s.guest.name {
		s.mu.Unlock()
		return errNotDriver
	}
	var passed *passing
	if s.asker.Name != "" {
		passed = s.passLocked(s.asker, "given by "+was.Name)
	} else {
		s.driver = actions.Actor{}
		s.desk.bell()
		passed = &passing{was, was.Name + " gives control back: nobody drives"}
	}
	s.mu.Unlock()
	s.record(passed)
	return nil
}

// held reports whether somebody drives.
func (w *wheel) held() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.driver.Name != ""
}
