package ui

import (
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// running is an action of this session that is under way.
type running struct {
	verb  actions.Verb
	what  string // "P 800/min → 0/min"
	steps int    // of a ramp or a play; 0: a single write
	done  int
	since time.Time
}

// ranMsg ends an action; stepMsg ends one step of it.
type ranMsg struct {
	of     *running
	result actions.Result
}

type stepMsg struct {
	of     *running
	result actions.Result
	more   <-chan tea.Msg
}

// unsettled is why nothing more can be done on a sale for now. A ramp that waits between two
// steps can be paused.
func (m *model) unsettled(id sale.ID, v actions.Verb) string {
	r := m.runs[id]
	if r == nil || v == actions.Pause && r.steps > 0 && r.done > 0 {
		return ""
	}
	return r.what + " is not settled yet"
}

// fire sends what was confirmed. The action runs in a goroutine that the session's guard
// watches over, whatever becomes of the screen.
func (m *model) fire() {
	p := m.acting
	m.acting = nil
	p.cancel()
	m.silent = m.now.Add(actions.DeafFor)
	confirmed := actions.Confirmed{Preview: *p.preview, Arming: p.arming, At: m.now, Approval: p.request}
	confirmed.Preview.Request.Reason, confirmed.Preview.Request.Change = p.text(reasonField), p.text(changeField)
	r := &running{verb: p.req.Verb, what: pretty(p.key) + " " + p.preview.Change, steps: len(p.preview.Steps), since: m.now}
	m.runs[p.req.Sale] = r
	updates := make(chan tea.Msg, r.steps+2)
	confirmed.Progress = func(step actions.Result) {
		select {
		case updates <- stepMsg{r, step, updates}:
		default: // more steps than were announced: the end will tell
		}
	}
	run, ctx := m.opts.Hands.Run, m.ctx
	m.guard.Go("action", func() { updates <- ranMsg{r, run(ctx, confirmed)} })
	m.await(updates)
	to := p.preview.Target.String()
	if to != "" {
		to = " to " + to
	}
	m.outcome = &views.Outcome{Stage: views.StageSent, At: m.now, Text: m.saleWord(p.req.Sale) + r.what + to, More: m.saleWord(p.req.Sale) + "no second action until this one is settled"}
	m.outcome.Loud = glassWord(p.preview)
	m.outcomeOf, m.watch = "", nil
	m.needs(keyNeed)
}

// glassWord says that an action breaks the glass, and for what.
func glassWord(p *actions.Preview) string {
	if !p.Request.Glass {
		return ""
	}
	return strings.TrimSuffix("GLASS BROKEN: "+p.LiftedWords(), ": ")
}

// await brings the next message of an action.
func (m *model) await(updates <-chan tea.Msg) {
	failed := m.guard.Failed()
	m.cmds = append(m.cmds, func() tea.Msg {
		select {
		case msg := <-updates:
			return msg
		case <-failed:
			return nil
		}
	})
}

func (m *model) takeStep(msg stepMsg) {
	msg.of.done++
	m.await(msg.more)
	id := msg.result.Preview.Request.Sale
	o := m.outcomeFrom(msg.of.what, msg.result)
	o.Text = "step " + sale.Format(float64(msg.of.done), sale.Count, false) + " of " + sale.Format(float64(msg.of.steps), sale.Count, false) + ": " + o.Text
	if msg.result.Outcome == actions.Done {
		o.More = m.saleWord(id) + "the next step follows by itself; P stops the ramp"
		if msg.of.verb != actions.Resume {
			o.More = m.saleWord(id) + "the next step follows by itself"
		}
	}
	m.outcome, m.outcomeOf, m.watch = o, msg.result.ID, nil
	m.needs(nowNeed)
}

// takeResult shows how an action ended.
func (m *model) takeResult(msg ranMsg) {
	for id, r := range m.runs {
		if r == msg.of {
			delete(m.runs, id)
		}
	}
	m.offers.stale = true
	m.outcome, m.outcomeOf, m.watch = m.outcomeFrom(msg.of.what, msg.result), msg.result.ID, nil
	m.needs(nowNeed)
	m.takeNews()
}

// outcomeFrom puts the end of an action of this session into words.
func (m *model) outcomeFrom(what string, res actions.Result) *views.Outcome {
	at := res.Ended
	if at.IsZero() {
		at = m.now
	}
	o := &views.Outcome{At: at, Stage: views.StageUnknown, Text: m.saleWord(res.Preview.Request.Sale) + what}
	if res.Text != "" {
		o.Text += ": " + sale.Clean(res.Text, 300)
	}
	hint := ""
	if len(res.Refusals) > 0 {
		hint = res.Refusals[0].Hint
	}
	if res.Problem != nil && res.Problem.Hint != "" {
		hint = res.Problem.Hint
	}
	switch res.Outcome {
	case actions.Done:
		o.Stage = views.StageDone
		if v, _ := res.Preview.Request.Verb.Meaning(); v.Undoable {
			o.Undo = m.keyOf(undoIntent)
		}
		o.More = res.State.Text
		if res.Preview.Effect != nil {
			o.More = joinWords(o.More, "the effect is watched for")
		}
	case actions.Refused:
		o.Stage, o.More = views.StageRefused, joinWords("nothing was sent", hint)
	case actions.Failed:
		o.Stage, o.More = views.StageFailed, hint
	default:
		o.More = "not sent again; count it as NOT done until this line changes"
	}
	if res.Outcome != actions.Refused {
		o.Loud = glassWord(&res.Preview)
	}
	if res.Unrecorded != nil {
		o.More = "the end could not be journalled: " + sale.Clean(res.Unrecorded.Error(), 200)
	}
	return o
}

func joinWords(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// saleWord is "sale 3: ".
func (m *model) saleWord(id sale.ID) string {
	if st := m.snap.Sale(id); st != nil && st.Sale.Digit > 0 {
		return "sale " + sale.Format(float64(st.Sale.Digit), sale.Count, false) + ": "
	}
	return "sale " + string(id) + ": "
}

func (m *model) keyOf(intent Intent) string {
	for i := range m.keys.rows {
		if r := &m.keys.rows[i]; r.Intent == intent && len(r.Keys) > 0 {
			return pretty(r.Keys[0])
		}
	}
	return string(intent)
}

// newsState is how far a piece of news had come when it was shown.
type newsState struct {
	outcome actions.Outcome
	sight   actions.Sight
}

func stateOfNews(n *News) newsState {
	s := newsState{outcome: n.Outcome}
	s.sight = n.Sight
	if n.Watch != nil {
		s.sight = n.Watch.Sight
	}
	return s
}

// takeNews takes in what became of actions, this session's and others', and disarms when
// somebody else acts on the target of an armed panel.
func (m *model) takeNews() {
	if m.opts.Hands == nil {
		return
	}
	list := m.opts.Hands.News()
	known := make(map[string]newsState, len(list))
	for i := len(list) - 1; i >= 0; i-- {
		n := &list[i]
		state := stateOfNews(n)
		was, old := m.newsSeen[n.ID]
		known[n.ID] = state
		if m.newsSeen == nil || old && was == state {
			continue // what happened before this session began is in the journal
		}
		m.takeOneOf(n, !old)
	}
	m.newsSeen = known
	m.offers.stale = true
	if m.screen == views.JournalScreen {
		m.readJournal()
	}
}

func (m *model) takeOneOf(n *News, first bool) {
	m.needs(nowNeed)
	if n.Glass != "" && n.Outcome != actions.Refused {
		m.glassOf, m.glassAt = n.Who, n.At
	}
	if p := m.acting; first && !n.Own && p != nil && p.preview != nil && !p.preview.Refused() && p.touches(n.Target) {
		m.disarm(actions.ByOther)
	}
	r := m.runs[n.Sale]
	switch {
	case n.Own && r != nil:
		return // its result comes by itself
	case n.ID == m.outcomeOf && n.Watch == nil && n.Sight == "":
		return // the result said it better
	case len(m.runs) > 0:
		m.say(sale.OK, m.saleWord(n.Sale)+n.Who+": "+n.words())
		return
	}
	m.outcome, m.outcomeOf, m.watch = m.outcomeOfNews(n), n.ID, n.Watch
}

// answerDue is from when on an action without an answer is said to have none.
const answerDue = 10 * time.Second

// strip is the outcome of the last action; while its effect is not seen it says how the signal
// is by now. That it was seen, or was not, is the runner's to say: once it stands in the journal.
func (m *model) strip() *views.Outcome {
	if i := slices.IndexFunc(m.requests, func(a actions.Asked) bool { return a.ID == m.outcomeOf }); i >= 0 {
		return m.outcomeOfAsk(&m.requests[i]) // its time runs
	}
	if m.outcome != nil && m.outcome.Stage == views.StageSent && m.now.Sub(m.outcome.At) >= answerDue {
		o := *m.outcome
		o.More = "no answer for " + sale.FormatAge(m.now.Sub(o.At)) + ": it is being read back, and is not sent again; " + o.More
		return &o
	}
	if m.outcome == nil || m.watch == nil || m.watch.Sight != actions.NotYet || m.outcome.Stage != views.StageDone {
		return m.outcome
	}
	now := m.watch.Step(m.snap.Sale(m.watch.Sale), m.now)
	if now.Sight != actions.NotYet {
		return m.outcome
	}
	o := *m.outcome
	o.More = now.String()
	return &o
}

// touches reports whether a target is one of those that the panel would change.
func (p *panel) touches(t actions.Target) bool {
	if p.preview.Target == t {
		return true
	}
	for i := range p.preview.Steps {
		if p.preview.Steps[i].Preview.Target == t {
			return true
		}
	}
	return false
}

func (n *News) words() string {
	label := string(n.Verb)
	if v, ok := n.Verb.Meaning(); ok {
		label = v.Label
	}
	words := label
	if n.Change != "" {
		words += " " + n.Change
	}
	return words
}

// outcomeOfNews puts a piece of news into words.
func (m *model) outcomeOfNews(n *News) *views.Outcome {
	o := &views.Outcome{At: n.At, Stage: views.StageUnknown, Text: m.saleWord(n.Sale) + n.words(), More: n.Text}
	if n.Who != "" && !n.Own {
		o.Text += " by " + n.Who
	}
	if n.Glass != "" {
		o.Loud = "GLASS BROKEN: " + n.Glass
	}
	if v, _ := n.Verb.Meaning(); v.Undoable && n.Outcome == actions.Done {
		o.Undo = m.keyOf(undoIntent)
	}
	switch n.Outcome {
	case "":
		o.Stage = views.StageSent
	case actions.Done:
		o.Stage = views.StageDone
	case actions.Refused:
		o.Stage = views.StageRefused
	case actions.Failed:
		o.Stage = views.StageFailed
	default:
		o.More = joinWords(n.Text, "not sent again; count it as NOT done until this line changes")
	}
	if n.Watch == nil && n.Sight != "" {
		if stage := stageOfSight(n.Sight); stage != "" {
			o.Stage, o.More = stage, strings.TrimPrefix(n.Text, string(stage)+" ")
		}
		return o
	}
	if n.Watch == nil || n.Outcome != actions.Done {
		return o
	}
	o.More = strings.TrimPrefix(n.Watch.String(), string(stageOfSight(n.Watch.Sight))+" ")
	if stage := stageOfSight(n.Watch.Sight); stage != "" {
		o.Stage = stage
	}
	return o
}

// stageOfSight is the stage that an effect brings an action to; "" while it isn't settled.
func stageOfSight(sight actions.Sight) views.Stage {
	switch sight {
	case actions.Seen:
		return views.StageSeen
	case actions.NotTaken:
		return views.StageNotTaken
	case actions.NotVisible:
		return views.StageNotSeen
	}
	return ""
}
