package ui

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// A second person is asked from the panel of the action, and answers from a panel of their own that
// the palette opens. Each is confirmed by a letter drawn for it, as an action is: neither can be
// typed ahead. Whoever asked sends, with a letter of its own, once somebody has agreed.

// askedMsg ends the asking of a panel, or an answer; gen tells whether its panel is still there.
type askedMsg struct {
	gen  int
	id   string // of a request that was made
	what string
	no   *actions.Refusal
}

// mine reports whether this session's person made a request.
func (m *model) mine(a *actions.Asked) bool { return a.Requester.Same(m.status.Actor) }

// requestFor finds this person's newest request for what a preview would send.
func (m *model) requestFor(token string) (actions.Asked, bool) {
	for i := len(m.requests) - 1; i >= 0; i-- {
		if a := &m.requests[i]; a.Token == token && m.mine(a) {
			return *a, true
		}
	}
	return actions.Asked{}, false
}

// begin decides what the panel is for, now that the target was read, and arms it for that.
func (m *model) begin() {
	p := m.acting
	if p.answers != nil {
		p.aim = views.AimAgree
		m.arm()
		return
	}
	p.aim, p.request = views.AimSend, ""
	if p.needs.Second {
		p.aim = views.AimAsk
		a, ok := m.requestFor(p.preview.Token())
		switch {
		case ok && a.Stage == actions.AskAgreed:
			p.aim, p.request = views.AimSend, a.ID
			p.keepWords(a.Request)
		case ok && a.Stage == actions.AskWaiting:
			p.aim, p.request = views.AimWaits, a.ID
			return
		}
	}
	m.arm()
}

// keepWords takes over the reason that was given when a second person was asked.
func (p *panel) keepWords(req actions.Request) {
	for i, words := range []string{req.Reason, req.Change} {
		if p.text(i) == "" {
			p.fields[i].input.SetValue(words)
			p.fields[i].input.CursorEnd()
		}
	}
}

// confirmFor makes the gesture of a panel. Asking sends nothing, so it takes a letter whatever the
// action would take.
func (m *model) confirmFor(p *panel) (actions.Confirm, error) {
	shown := *p.preview
	if p.aim == views.AimAsk {
		shown.Risk, shown.Steps = actions.Normal, nil
	}
	c, err := actions.NewConfirm(&shown, p.key, string(p.req.Sale), m.now, nil)
	return c.Behind(m.lag()), err
}

// journalFor bounds how long asking and answering may take.
const journalFor = 10 * time.Second

// ask asks for a second person, as the panel says.
func (m *model) ask() {
	p := m.acting
	p.aim = views.AimAsking
	q := *p.preview
	q.Request.Reason, q.Request.Change = p.text(reasonField), p.text(changeField)
	m.journalled(p, pretty(p.key)+" "+p.label+": a second person is asked", func(ctx context.Context) (string, *actions.Refusal) {
		return m.opts.Hands.Ask(ctx, q)
	})
}

// agree agrees to what somebody else asked for, as the panel shows it.
func (m *model) agree() {
	p := m.acting
	p.aim = views.AimAsking
	id, token := p.answers.ID, p.preview.Token()
	m.journalled(p, "agreed: "+p.answers.Requester.Name+" can send it now", func(ctx context.Context) (string, *actions.Refusal) {
		return "", m.opts.Hands.Answer(ctx, id, token, true)
	})
}

// decline declines a request, or takes back one's own. It stops an action and sends nothing, so it
// asks for no letter.
func (m *model) decline(a actions.Asked) {
	if m.together > 1 {
		m.say(sale.OK, "keys came in a burst; press enter alone")
		return
	}
	what, hands, id := "declined: "+a.Requester.Name+" is told", m.opts.Hands, a.ID
	if m.mine(&a) {
		what = "the request is withdrawn"
	}
	m.journalled(nil, what, func(ctx context.Context) (string, *actions.Refusal) { return "", hands.Answer(ctx, id, "", false) })
}

// journalled does what only the journal has to take, and comes back with an askedMsg.
func (m *model) journalled(p *panel, what string, do func(context.Context) (string, *actions.Refusal)) {
	gen := 0
	if p != nil {
		gen = p.gen
	}
	within, stop := context.WithTimeout(m.ctx, journalFor)
	m.cmds = append(m.cmds, m.guard.cmd("second person", func() tea.Msg {
		defer stop()
		id, no := do(within)
		return askedMsg{gen, id, what, no}
	}))
	m.needs(keyNeed)
}

// takeAsked shows how asking or answering went.
func (m *model) takeAsked(msg askedMsg) {
	m.needs(nowNeed)
	p := m.acting
	here := p != nil && p.gen == msg.gen && p.aim == views.AimAsking
	switch {
	case msg.no != nil && here:
		p.refuse(msg.no.Guard, sale.Clean(msg.no.Text, 300), msg.no.Hint)
		return
	case msg.no != nil:
		m.say(sale.Watch, "refused: "+sale.Clean(msg.no.Text, 300))
		return
	}
	m.say(sale.OK, msg.what)
	if !here {
		m.takeRequests()
		return
	}
	if p.answers != nil {
		m.closePanel()
		m.takeRequests()
		return
	}
	p.aim, p.request = views.AimWaits, msg.id
	m.takeRequests()
}

// openReview shows what somebody asked for, with the target read again, to be agreed to.
func (m *model) openReview(a actions.Asked) {
	if m.together > 1 {
		m.say(sale.OK, "approve: keys came in a burst; press enter alone")
		return
	}
	m.showPanel("approve "+a.Words(), "", a.Request, &a)
}

// takeRequests takes in what became of requests: this person's own move their panel on, and others'
// are shown.
func (m *model) takeRequests() {
	if m.opts.Hands == nil {
		return
	}
	m.requests = m.opts.Hands.Requests()
	known := make(map[string]actions.AskStage, len(m.requests))
	for i := range m.requests {
		a := &m.requests[i]
		known[a.ID] = a.Stage
		was, old := m.asksSeen[a.ID]
		if old && was == a.Stage || !old && a.Stage != actions.AskWaiting || !old && m.mine(a) && m.asksSeen == nil {
			continue // what is over was over before
		}
		m.tellOf(a)
	}
	m.asksSeen = known
	m.movePanelOn()
}

// tellOf shows a request that is new, or has come further.
func (m *model) tellOf(a *actions.Asked) {
	m.needs(nowNeed)
	if a.Stage == actions.AskUsed || m.mine(a) && a.Stage == actions.AskWaiting && m.acting != nil {
		return // the action's own outcome says it, or the panel does
	}
	if len(m.runs) > 0 {
		m.say(sale.Watch, m.outcomeOfAsk(a).Text)
		return
	}
	m.outcome, m.outcomeOf, m.watch = m.outcomeOfAsk(a), a.ID, nil
}

// outcomeOfAsk puts a request into the words of the strip.
func (m *model) outcomeOfAsk(a *actions.Asked) *views.Outcome {
	o := &views.Outcome{At: a.At, Stage: views.StageAsked}
	what := m.saleWord(a.Request.Sale) + a.Words()
	var more []string
	switch left := sale.FormatAge(a.Left) + " left"; a.Stage {
	case actions.AskWaiting:
		o.Text = m.saleWord(a.Request.Sale) + a.Requester.Name + " asks a second person: " + a.Words()
		answer := "palette (:) approve or decline"
		if m.mine(a) {
			o.Text, answer = what+": a second person is asked", "another operator agrees in the palette (:), or by onsale approve "+a.Short()
		}
		more = append(more, left)
		for _, e := range a.Evidence {
			more = append(more, e.String())
		}
		more = append(more, answer)
		if a.Request.Reason != "" {
			more = append(more, "reason "+a.Request.Reason)
		}
	case actions.AskAgreed:
		o.Stage, o.At, o.Text = views.StageAgreed, a.Answered, what+": "+a.Answerer.Name+" agrees"
		more = append(more, a.Requester.Name+" can send it", left)
		if m.mine(a) {
			more = []string{"open the panel again to send it", left}
			if p := m.acting; p != nil && p.request == a.ID {
				more[0] = "the panel sends it"
			}
		}
	case actions.AskDeclined:
		o.Stage, o.At, o.Text = views.StageDeclined, a.Answered, what+": "+a.Answerer.Name+" declined"
		if a.Answerer.Same(a.Requester) {
			o.Text = what + ": " + a.Answerer.Name + " withdrew it"
		}
		more = append(more, "nothing was sent", a.Reason)
	case actions.AskUsed:
		o.Stage, o.At, o.Text = views.StageAgreed, a.Answered, what+": "+a.Answerer.Name+" agreed, and it was sent"
	default:
		o.Stage, o.At, o.Text = views.StageExpired, m.now, what+": nobody agreed in time"
		if a.Answerer.Name != "" {
			o.Text = what + ": it was not sent in time after " + a.Answerer.Name + " agreed"
		}
		more = append(more, "nothing was sent")
	}
	if a.Request.Glass {
		o.Loud = "BREAKS THE GLASS"
	}
	o.More = strings.Join(slices.DeleteFunc(more, func(s string) bool { return s == "" }), "; ")
	return o
}

// movePanelOn takes a panel that waits for a second person on: to be sent once somebody has agreed,
// after the target was read again, or to be closed.
func (m *model) movePanelOn() {
	p := m.acting
	if p == nil || p.preview == nil || p.preview.Refused() {
		return
	}
	switch {
	case p.aim == views.AimAgree:
		i := slices.IndexFunc(m.requests, func(a actions.Asked) bool { return a.ID == p.answers.ID })
		if i < 0 || m.requests[i].Stage != actions.AskWaiting {
			m.disarm("the request is over")
		}
	case p.aim == views.AimWaits:
		i := slices.IndexFunc(m.requests, func(a actions.Asked) bool { return a.ID == p.request })
		if i < 0 {
			return
		}
		switch a := m.requests[i]; a.Stage {
		case actions.AskAgreed:
			m.say(sale.OK, a.Answerer.Name+" agrees: the target is read again")
			label, key, words := p.label, p.key, a.Request
			m.closePanel()
			m.showPanel(label, key, p.req, nil)
			m.acting.keepWords(words)
			m.acting.agreed = a.Answerer.Name
		case actions.AskWaiting:
		case actions.AskDeclined:
			p.refuse(actions.GuardSecond, a.Answerer.Name+" declined", a.Reason)
		default:
			p.refuse(actions.GuardSecond, "nobody agreed in time", "ask again")
		}
	}
}

// secondWords says in a panel what is known of a second person.
func (m *model) secondWords(p *panel) string {
	if a := p.answers; a != nil {
		words := a.Requester.Name + " asks, " + sale.FormatAge(m.now.Sub(a.At)) + " ago"
		if a.Request.Reason != "" {
			words += ": " + a.Request.Reason
		}
		for _, e := range a.Evidence {
			words += "; then " + e.String()
		}
		return words
	}
	if !p.needs.Second {
		return ""
	}
	i := slices.IndexFunc(m.requests, func(a actions.Asked) bool { return a.ID == p.request })
	switch {
	case i < 0 && p.agreed != "":
		return "it would do something else now than what " + p.agreed + " agreed to: ask again"
	case i < 0:
		return "must agree before it can be sent"
	}
	switch a := m.requests[i]; a.Stage {
	case actions.AskAgreed:
		return a.Answerer.Name + " agrees, " + sale.FormatAge(a.Left) + " left to send it"
	case actions.AskWaiting:
		return "asked " + sale.FormatAge(m.now.Sub(a.At)) + " ago, #" + a.Short() + ", " + sale.FormatAge(a.Left) + " left; nobody has answered yet"
	}
	return ""
}

// requestEntries are the requests that can be agreed to, and separately what takes one back. They
// hold on every screen.
func (m *model) requestEntries() (agree, back []entry) {
	off := m.offAtAll()
	add := func(to *[]entry, verb actions.Verb, title, help string, run func(*model)) {
		*to = append(*to, entry{PaletteEntry: views.PaletteEntry{Title: title, Help: help, Off: off}, verb: verb, run: run})
	}
	for _, a := range m.requests {
		what, left := m.saleWord(a.Request.Sale)+a.Words(), sale.FormatAge(a.Left)+" left"
		switch {
		case a.Stage != actions.AskWaiting && a.Stage != actions.AskAgreed:
		case m.mine(&a):
			add(&back, a.Request.Verb, "withdraw request "+what, "take the request back; nothing is sent; "+left, func(m *model) { m.decline(a) })
		case a.Stage == actions.AskWaiting:
			add(&agree, a.Request.Verb, "approve "+what, "asked by "+a.Requester.Name+", "+left+": reads the target and shows what would happen", func(m *model) { m.openReview(a) })
			add(&back, a.Request.Verb, "decline "+what, "asked by "+a.Requester.Name+", "+left+": says no; nothing is sent", func(m *model) { m.decline(a) })
		default:
			add(&back, a.Request.Verb, "decline "+what, "agreed by "+a.Answerer.Name+", not sent yet: takes it back", func(m *model) { m.decline(a) })
		}
	}
	return agree, back
}
