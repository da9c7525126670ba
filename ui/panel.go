package ui

import (
	"context"
	"strings"
	"time"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// panel is an action on its way to be confirmed. What decides is actions.Confirm; the panel
// only tells it what happens.
type panel struct {
	gen        int
	label, key string
	req        actions.Request
	actor      actions.Actor
	began      time.Time
	cancel     context.CancelFunc
	heard      int // keys while the target was read

	preview *actions.Preview // nil while the target is read
	needs   Needs
	confirm actions.Confirm
	arming  string
	fields  [2]field // the reason, the id of a change
	field   int
	seen    seen

	aim     views.Aim
	answers *actions.Asked // what somebody else asked for; nil: an action of one's own
	request string         // the id of one's own request for a second person
	agreed  string         // who agreed to it, before the target was read again
}

type field struct{ input textinput.Model }

// The fields of a panel.
const (
	reasonField = iota
	changeField
)

// seen is what the snapshot said when the panel was armed.
type seen struct {
	phase    sale.Phase
	settings map[sale.Signal]float64
	verdicts map[sale.Signal]sale.Verdict
}

// settingSignals are those that say how a control is set, rather than what customers do.
func settingSignals() []sale.Signal {
	return []sale.Signal{sale.AdmissionLimit, sale.ActiveLimit, sale.CapacityMin, sale.CapacityMax, sale.CapacityDesired}
}

// pressedMsg comes when a pressed challenge has stood alone for long enough.
type pressedMsg struct{ gen int }

func (p *panel) refuse(guard actions.Guard, text, hint string) {
	p.preview.Refuse(guard, text, hint)
}

func (p *panel) text(i int) string {
	return strings.TrimSpace(sale.Clean(p.fields[i].input.Value(), 400))
}

// required says what still has to be typed before the panel can be armed.
func (p *panel) required() string {
	switch {
	case p.needs.Change && p.text(changeField) == "":
		return "a change id"
	case p.needs.Reason && p.text(reasonField) == "" && p.text(changeField) == "":
		return "a reason"
	}
	return ""
}

// remember notes what must not change while the panel is armed.
func (p *panel) remember(st *sale.State) {
	p.seen = seen{settings: map[sale.Signal]float64{}, verdicts: map[sale.Signal]sale.Verdict{}}
	if st == nil {
		return
	}
	p.seen.phase = st.Phase
	for _, signal := range settingSignals() {
		if k, ok := st.Signal(signal); ok && k.Has {
			p.seen.settings[signal] = k.Value
		}
	}
	for _, o := range p.preview.Evidence {
		if k, ok := st.Signal(o.Signal); ok && o.Needed {
			p.seen.verdicts[o.Signal] = k.Verdict
		}
	}
}

// upset is why the snapshot no longer bears the panel out, or "".
func (p *panel) upset(st *sale.State, now time.Time) actions.Disarm {
	if st == nil || st.Phase != p.seen.phase {
		return actions.ByChange
	}
	for signal, was := range p.seen.settings {
		if k, ok := st.Signal(signal); ok && k.Has && k.Value != was {
			return actions.ByChange
		}
	}
	for signal, was := range p.seen.verdicts {
		k, ok := st.Signal(signal)
		if !ok {
			return actions.ByEvidence
		}
		if f := k.FreshnessAt(now); f == sale.Stale || f == sale.NoData {
			return actions.ByEvidence
		}
		if most := p.needs.EvidenceMaxAge; most > 0 && k.Age(now) > most {
			return actions.ByEvidence
		}
		if k.Verdict != was {
			return actions.ByChange
		}
	}
	return ""
}

// arm draws a challenge and takes the leave to send.
func (m *model) arm() {
	p := m.acting
	c, err := m.confirmFor(p)
	if err != nil {
		p.refuse(actions.GuardArmed, sale.Clean(err.Error(), 200), "")
		return
	}
	p.confirm = c
	m.takeLeave()
	if p.required() != "" && !p.preview.Refused() {
		m.editFields()
	}
}

// takeLeave arms the runner for as long as the panel is.
func (m *model) takeLeave() {
	p := m.acting
	if p.aim != views.AimSend {
		return // nothing is sent from here
	}
	if p.arming != "" {
		m.opts.Hands.Disarm(p.arming)
	}
	arming, no := m.opts.Hands.Arm(*p.preview, p.confirm.Lasts()+2*time.Second)
	if no != nil {
		p.arming, p.confirm = "", p.confirm.Off(actions.Disarm(no.Text))
		p.preview.Refusals = append(p.preview.Refusals, *no)
		return
	}
	p.arming = arming.ID
}

// panelKey is a key while a panel is open. None of them reaches what lies under it.
func (m *model) panelKey(name string, msg tea.KeyPressMsg) {
	p := m.acting
	m.needs(keyNeed)
	switch {
	case name == "ctrl+c":
		m.disarm(actions.ByEscape)
		m.interrupt()
		return
	case p.preview == nil:
		if p.heard++; name == "esc" {
			m.disarm(actions.ByEscape)
		} else if m.together > 1 || p.heard > 2 {
			m.disarm(actions.ByBurst)
		}
		return
	case p.preview.Refused():
		if name == "esc" || name == "enter" && m.together == 1 {
			m.closePanel()
		}
		return
	case p.aim == views.AimWaits, p.aim == views.AimAsking:
		if name == "esc" {
			m.closePanel()
		}
		return
	case p.confirm.Editing():
		m.typeField(name, msg)
		return
	case name == "tab" && m.together == 1 && !p.confirm.Pressed() && p.aim != views.AimAgree:
		m.editFields()
		return
	}
	text := msg.Text
	if msg.Mod&^tea.ModShift != 0 {
		text = ""
	}
	p.confirm = p.confirm.Key(text, name == "enter", name == "esc", m.together, m.now)
	if gen := p.gen; p.confirm.Pressed() {
		m.cmds = append(m.cmds, tea.Tick(actions.BurstWithin, func(time.Time) tea.Msg { return pressedMsg{gen} }))
	}
	m.settlePanel()
}

// settlePanel acts on what the confirmation has become.
func (m *model) settlePanel() {
	p := m.acting
	if p == nil || p.preview == nil || p.preview.Refused() || p.idle() {
		return
	}
	p.confirm = p.confirm.Tick(m.now)
	switch {
	case p.confirm.Fired() && p.aim == views.AimAsk:
		m.ask()
	case p.confirm.Fired() && p.aim == views.AimAgree:
		m.agree()
	case p.confirm.Fired():
		m.fire()
	case !p.confirm.Armed(m.now):
		why := p.confirm.Why()
		if why == "" {
			why = actions.ByTime
		}
		m.disarm(why)
	}
}

// disarm closes the panel, whatever state it is in, and says why. esc always comes here.
func (m *model) disarm(why actions.Disarm) {
	p := m.acting
	if p == nil {
		return
	}
	if p.preview != nil && (p.preview.Refused() || p.idle()) && why != actions.ByEscape && why != actions.ByRole {
		return // it holds nothing that could be sent, and should be read
	}
	m.closePanel()
	switch why {
	case actions.ByKey, actions.ByBurst, actions.ByPaste:
		m.silent = m.now.Add(actions.DeafFor)
	}
	m.say(sale.OK, strings.TrimSpace(pretty(p.key)+" "+p.label)+": disarmed, "+lower(why)+"; nothing was sent")
}

// idle reports whether a panel has nothing that a key could confirm.
func (p *panel) idle() bool { return p.aim == views.AimWaits || p.aim == views.AimAsking }

func lower(why actions.Disarm) string {
	if why == actions.ByEscape {
		return "esc"
	}
	return string(why)
}

func (m *model) closePanel() {
	p := m.acting
	m.acting = nil
	p.cancel()
	if p.arming != "" {
		m.opts.Hands.Disarm(p.arming)
	}
	m.needs(keyNeed)
}

// upsetPanel disarms when what is known no longer bears the panel out.
func (m *model) upsetPanel() {
	p := m.acting
	if p == nil || p.preview == nil || p.preview.Refused() {
		return
	}
	if p.idle() {
		return
	}
	if why := p.upset(m.snap.Sale(p.req.Sale), m.now); why != "" {
		m.disarm(why)
		return
	}
	m.settlePanel()
}

// editFields lets the reason be typed; the countdown stands still.
func (m *model) editFields() {
	p := m.acting
	p.confirm = p.confirm.Edit(m.now)
	p.field = reasonField
	if p.needs.Change && p.text(changeField) == "" && (!p.needs.Reason || p.text(reasonField) != "") {
		p.field = changeField
	}
	m.settlePanel()
}

// typeField is a key while the reason or the change id is edited.
func (m *model) typeField(name string, msg tea.KeyPressMsg) {
	p := m.acting
	switch name {
	case "esc":
		m.disarm(actions.ByEscape)
	case "tab":
		p.field = (p.field + 1) % len(p.fields)
	case "enter":
		if need := p.required(); need != "" {
			m.say(sale.OK, need+" is required")
			return
		}
		c, err := p.confirm.Edited(m.now, nil)
		if err != nil {
			m.disarm(actions.Disarm(sale.Clean(err.Error(), 200)))
			return
		}
		p.confirm = c
		m.takeLeave()
	default:
		p.fields[p.field].input, _ = p.fields[p.field].input.Update(msg)
	}
}

// panelPaste reaches a field that is edited; anywhere else a paste disarms.
func (m *model) panelPaste(msg tea.PasteMsg) {
	p := m.acting
	if p.preview == nil || !p.confirm.Editing() {
		m.disarm(actions.ByPaste)
		return
	}
	p.fields[p.field].input, _ = p.fields[p.field].input.Update(cleanPaste(msg))
	m.needs(keyNeed)
}

// panelView is what the panel is drawn from.
func (m *model) panelView() views.Panel {
	p := m.acting
	v := views.Panel{
		Key: pretty(p.key), Label: p.label, Preview: p.preview, Confirm: p.confirm, Began: p.began,
		Reason: p.fields[reasonField].input.Value(), Change: p.fields[changeField].input.Value(),
		EditsChange: p.field == changeField, Required: p.required(), Second: m.secondWords(p), Aim: p.aim,
	}
	if a := p.answers; a != nil {
		v.Reason, v.Change = a.Request.Reason, a.Request.Change
	}
	return v
}

// panelHints are the keys of the footer while a panel is open.
func (m *model) panelHints() []views.KeyHint {
	p := m.acting
	esc := views.KeyHint{Keys: "esc", Label: "disarm"}
	others := views.KeyHint{Keys: "all others", Off: "disarm"}
	switch {
	case p.preview == nil:
		return []views.KeyHint{{Keys: "esc", Label: "close"}}
	case p.preview.Refused(), p.idle():
		return []views.KeyHint{{Keys: "esc", Label: "close"}}
	case p.aim == views.AimAsk && !p.confirm.Editing():
		return []views.KeyHint{{Keys: string(p.confirm.Challenge), Label: "ask"}, esc, {Keys: "tab", Label: "reason"}, others}
	case p.aim == views.AimAgree && p.confirm.Name == "":
		return []views.KeyHint{{Keys: string(p.confirm.Challenge), Label: "agree"}, esc, others}
	case p.aim == views.AimAgree:
		return []views.KeyHint{{Keys: p.confirm.Name, Label: "and"}, {Keys: "enter", Label: "agree"}, esc, others}
	case p.confirm.Editing():
		return []views.KeyHint{{Keys: "enter", Label: "keep"}, {Keys: "tab", Label: "reason or change id"}, esc}
	case p.confirm.Name != "":
		return []views.KeyHint{{Keys: p.confirm.Name, Label: "and"}, {Keys: "enter", Label: "send"}, esc, {Keys: "tab", Label: "reason"}, others}
	}
	return []views.KeyHint{{Keys: string(p.confirm.Challenge), Label: "send"}, esc, {Keys: "tab", Label: "reason"}, others}
}

// armedLeft is the countdown for the header; 0 while nothing is armed.
func (m *model) armedLeft() time.Duration {
	p := m.acting
	if p == nil || p.preview == nil || p.aim != views.AimSend || !p.confirm.Armed(m.now) {
		return 0
	}
	return max(p.confirm.Left(m.now), time.Millisecond)
}
