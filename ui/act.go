package ui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// togetherWithin is how close two keys are that came in one read of the terminal.
const togetherWithin = 20 * time.Millisecond

// countTogether counts the keys that came with this one: in the same read, or so close behind
// that no hand pressed them apart.
func (m *model) countTogether(msg tea.KeyPressMsg) {
	reads := m.reads()
	same := !m.lastPress.IsZero() && (m.now.Sub(m.lastPress) < togetherWithin || reads != 0 && reads == m.lastReads)
	m.lastPress, m.lastReads = m.now, reads
	switch {
	case msg.IsRepeat:
		m.together = max(m.together+1, 2)
	case same:
		m.together++
	default:
		m.together = 1
	}
}

// swallows reports whether a key belongs to what was just disarmed or sent: keys that come
// behind it mean nothing until there was silence.
func (m *model) swallows(name string) bool {
	if !m.now.Before(m.silent) || name == "ctrl+c" || name == "esc" {
		return false
	}
	m.silent = m.now.Add(actions.DeafFor)
	m.say(sale.OK, "keys right behind it were ignored")
	return true
}

// act begins an action on the sale in focus: what has to be asked is asked, else the target is
// read for the panel.
func (m *model) act(intent Intent, v actions.Verb, label, key string) {
	if m.onWall() {
		m.say(sale.OK, label+": "+noHands)
		return
	}
	if m.together > 1 {
		m.say(sale.OK, pretty(key)+" "+label+": keys came in a burst; press it alone")
		return
	}
	req := actions.Request{Sale: m.focus, Verb: v}
	switch v {
	case actions.Rate, actions.Resume, actions.AddNote:
		m.openQuestion(intent, label, key, req)
	default:
		m.openPanel(label, key, req)
	}
}

// tried has a refused try of somebody who may not act recorded.
func (m *model) tried(v actions.Verb) {
	if m.opts.Hands == nil || m.status.Actor.Role == actions.Operator && m.passenger() == "" {
		return
	}
	tell, ctx, req := m.opts.Hands.Tried, m.ctx, actions.Request{Sale: m.focus, Verb: v}
	m.cmds = append(m.cmds, m.guard.cmd("refused try", func() tea.Msg {
		tell(ctx, req)
		return nil
	}))
}

// previewMsg brings a preview; gen tells whether it is still wanted.
type previewMsg struct {
	gen     int
	preview actions.Preview
	needs   Needs
	err     error
}

// openPanel reads the target again, without holding up the screen, and shows the panel.
func (m *model) openPanel(label, key string, req actions.Request) {
	m.showPanel(label, key, req, nil)
}

// showPanel opens the panel of an action; answers, when set, is the request of somebody else that is
// looked at, to agree to it.
func (m *model) showPanel(label, key string, req actions.Request, answers *actions.Asked) {
	if m.onWall() {
		m.say(sale.OK, label+": "+noHands)
		return
	}
	m.helping = false
	m.gen++
	ctx, cancel := context.WithTimeout(m.ctx, previewPatience)
	m.acting = &panel{
		gen: m.gen, label: label, key: key, req: req, actor: m.status.Actor, began: m.now, cancel: cancel, answers: answers,
		fields: [2]field{{input: newInput(200)}, {input: newInput(60)}},
	}
	gen, hands := m.gen, m.opts.Hands
	m.cmds = append(m.cmds, m.guard.cmd("preview", func() tea.Msg {
		defer cancel()
		msg := previewMsg{gen: gen}
		if answers != nil {
			msg.preview, msg.err = hands.Review(ctx, answers.ID)
			return msg
		}
		if msg.preview, msg.err = hands.Preview(ctx, req); msg.err == nil && !msg.preview.Refused() {
			msg.needs = hands.Needs(ctx, msg.preview)
		}
		return msg
	}))
	m.needs(keyNeed)
}

// takePreview arms the panel with what would happen, or shows why it can't.
func (m *model) takePreview(msg previewMsg) {
	p := m.acting
	if p == nil || p.gen != msg.gen {
		return
	}
	m.needs(nowNeed)
	p.preview, p.needs = &msg.preview, msg.needs
	if msg.err != nil {
		p.refuse(actions.GuardTarget, sale.Clean(msg.err.Error(), 300), "")
	}
	if p.preview.Refused() {
		no := p.preview.Refusals[0]
		m.say(sale.OK, pretty(p.key)+" "+p.label+": refused, nothing was sent: "+no.Text)
		return
	}
	p.remember(m.snap.Sale(p.req.Sale))
	m.begin()
}

// handle takes in what has to do with acting.
func (m *model) handle(msg tea.Msg) {
	switch msg := msg.(type) {
	case tea.BlurMsg:
		m.disarm(actions.ByFocus)
	case offersMsg:
		m.takeOffers(msg)
	case previewMsg:
		m.takePreview(msg)
	case pressedMsg:
		if m.acting != nil && m.acting.gen == msg.gen {
			m.settlePanel()
		}
	case stepMsg:
		m.takeStep(msg)
	case ranMsg:
		m.takeResult(msg)
	case newsMsg:
		m.takeNews()
		m.takeRequests()
	case askedMsg:
		m.takeAsked(msg)
	case wheelMsg:
		m.turned(msg)
	case shelvedMsg:
		m.shelved(msg)
	case journalMsg:
		m.takeJournal(msg)
	}
}
