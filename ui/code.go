package ui

import (
	"context"
	"regexp"
	"strings"
	"time"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// Codes is where logins ask whoever sits at a session for the code of an MFA device. Its methods
// answer at once, from memory, and its texts are clean.
type Codes interface {
	// Wanted is the question that waits for an answer; ok is false where there is none.
	Wanted() (q CodeQuestion, ok bool)
	// Answer gives six digits to a question, Decline none. A question that is over is left alone.
	Answer(id uint64, code string)
	Decline(id uint64)
	// Declined reports whether a login goes without because nobody gave a code; Again asks anew.
	Declined() bool
	Again()
	// Subscribe returns a bell that rings when there is a question, or none any more.
	Subscribe() (bell <-chan struct{}, cancel func())
}

// CodeQuestion is what a person is asked.
type CodeQuestion struct {
	ID     uint64 // each question has its own
	Login  string // "hr-act"
	Acts   bool   // the login is for acting
	Device string // its ARN or serial number
	Wrong  string // why the code before was not taken
}

// codeBox is the question as it is open on the screen.
type codeBox struct {
	CodeQuestion
	input textinput.Model
	wrong string
}

// codeQuiet is how long nobody may have pressed a key before the box opens.
const codeQuiet = time.Second

// codeMsg says that there is a question, or none any more.
type codeMsg struct{}

// tellCodes wakes the program when a login asks, and once at the start.
func (s *session) tellCodes(ctx context.Context, codes Codes) {
	bell, hangUp := codes.Subscribe()
	defer hangUp()
	for {
		s.program.Send(codeMsg{})
		select {
		case <-ctx.Done():
			return
		case <-bell:
		}
	}
}

// lookCodes opens the question that waits, once nobody types anything else: a key that was meant for
// something else never lands in it, and it never lies over a panel that is armed.
func (m *model) lookCodes() {
	if m.opts.Codes == nil {
		return
	}
	q, wanted := m.opts.Codes.Wanted()
	was := m.codeWanted
	m.codeWanted = wanted
	if was != wanted {
		m.needs(nowNeed)
	}
	switch {
	case m.code != nil && m.code.CodeQuestion == q && wanted:
		return
	case m.code != nil:
		m.code = nil
		m.needs(nowNeed)
	}
	if !wanted || m.acting != nil || m.asking != nil || m.palette.open || m.filter.editing || m.now.Sub(m.lastKey) < codeQuiet && q.Wrong == "" {
		return
	}
	m.code = &codeBox{CodeQuestion: q, input: newInput(6)}
	m.helping = false
	m.needs(nowNeed)
}

var (
	onlyDigits = regexp.MustCompile(`^[0-9]*$`)
	aCode      = regexp.MustCompile(`^[0-9]{6}$`)
)

// typeCode takes digits alone, typed or pasted.
func (m *model) typeCode(msg tea.Msg) {
	before := m.code.input.Value()
	m.code.input, _ = m.code.input.Update(msg)
	m.code.wrong = ""
	if !onlyDigits.MatchString(m.code.input.Value()) {
		m.code.input.SetValue(before)
		m.code.input.CursorEnd()
		m.code.wrong = "digits only"
	}
	m.needs(keyNeed)
}

// giveCode is enter.
func (m *model) giveCode() {
	code := m.code.input.Value()
	if !aCode.MatchString(code) {
		m.code.wrong = "a code is six digits"
		m.needs(keyNeed)
		return
	}
	m.opts.Codes.Answer(m.code.ID, code)
	m.say(sale.OK, "the code for "+m.code.Login+" is on its way to AWS")
	m.code = nil
}

// declineCode is esc.
func (m *model) declineCode() {
	m.opts.Codes.Decline(m.code.ID)
	m.say(sale.Watch, m.code.Login+" stays without a login: palette (:), MFA code, asks again")
	m.code = nil
}

// codeEntries are what the palette can do about codes.
func (m *model) codeEntries() []entry {
	if m.opts.Codes == nil {
		return nil
	}
	e := entry{PaletteEntry: views.PaletteEntry{Title: "MFA code", Help: "ask again for the code of a login that goes without"}}
	if !m.opts.Codes.Declined() {
		e.Off = "no login goes without one"
	}
	codes := m.opts.Codes
	e.run = func(m *model) {
		m.lastKey = m.now.Add(-codeQuiet)
		m.cmds = append(m.cmds, m.guard.cmd("MFA code", func() tea.Msg { codes.Again(); return codeMsg{} }))
	}
	return []entry{e}
}

// codeView is the box: what is typed is shown, a code is worth nothing once it is used.
func (m *model) codeView() views.Question {
	c := m.code
	what := "the sources read with it"
	if c.Acts {
		what = "the controls act with it"
	}
	wrong := c.wrong
	if wrong == "" && c.input.Value() == "" {
		wrong = c.Wrong
	}
	return views.Question{
		Label: "MFA code · " + sale.Clean(c.Login, 40), Ask: "six digits", Input: strings.Clone(c.input.Value()), Wrong: wrong,
		Lines: []string{"device " + sale.Clean(c.Device, 120), what + "; the code goes to AWS STS, with the next call, and nowhere else"},
		Foot:  "enter sends the code; esc goes without",
	}
}
