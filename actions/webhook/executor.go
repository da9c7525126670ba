package webhook

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// Executor makes the calls of one gate or of one incident tool.
type Executor struct {
	o       Options
	calls   map[actions.Verb]*call
	state   *template // nil: none
	client  *http.Client
	signing []byte
	secrets []string
	limit   *Limit
}

var _ actions.Executor = (*Executor)(nil)

// Info describes the executor.
func (e *Executor) Info() actions.Info {
	info := actions.Info{System: System, Deadline: e.o.Deadline, ByReceipt: e.state == nil, ReadBack: e.o.readBack}
	undoable := false
	for _, m := range actions.Verbs() {
		if e.calls[m.Verb] != nil {
			info.Verbs = append(info.Verbs, m.Verb)
			undoable = undoable || m.Undoable
		}
	}
	if undoable && e.state != nil {
		info.Verbs = append(info.Verbs, actions.Undo)
	}
	return info
}

// Target is what the policy has to declare.
func (e *Executor) Target() actions.Target { return e.o.Target() }

// settingOf is what a verb sets.
func settingOf(v actions.Verb) string {
	switch v {
	case actions.Rate:
		return SettingRate
	case actions.Pause, actions.Resume:
		return SettingPaused
	case actions.AddNote:
		return SettingNote
	}
	return SettingStatus
}

// read asks for the present state; an incident that is not there has none.
func (e *Executor) read(ctx context.Context, id sale.ID, of use) (actions.Value, error) {
	values := map[string]any{holeTarget: e.o.Name, holeSale: string(id), holeDedup: dedup(id)}
	data, _, err := e.do(ctx, request{method: http.MethodGet, url: e.state.url(values), headers: e.headers(e.o.State.Headers), use: of})
	var f *failure
	if errors.As(err, &f) && (f.status == http.StatusNotFound || f.status == http.StatusGone) && e.o.State.Paths[SettingStatus] != "" {
		return actions.Value{SettingStatus: actions.Unset}, nil
	}
	if err != nil {
		return nil, err
	}
	v, err := e.o.State.value(data)
	if err != nil {
		return nil, e.fail(sale.BadData, err.Error(), "see the state's address and paths in the config", false)
	}
	return v, nil
}

func (e *Executor) headers(own map[string]string) map[string]string {
	all := map[string]string{}
	for _, h := range []map[string]string{e.o.Headers, own} {
		for name, v := range h {
			all[name] = v
		}
	}
	return all
}

// Preview reads the state, where there is one, and computes the absolute new value.
func (e *Executor) Preview(ctx context.Context, req actions.Request, seen actions.Evidence) (actions.Preview, error) {
	zero := 0.0
	p := actions.Preview{
		Request: req, Target: e.Target(), ReadAt: time.Now(), Risk: actions.Normal, CostPerHour: &zero, CostText: "$0",
		Soonest: e.o.Soonest, Latest: e.o.Latest,
	}
	if p.To = e.aim(&p, req); p.Refused() {
		return p, nil
	}
	if e.state != nil {
		now, err := e.read(ctx, req.Sale, looking)
		if err != nil {
			return p, err
		}
		p.From, p.ReadAt = now, time.Now()
	} else {
		p.From = actions.Value{}
		for name := range p.To {
			p.From[name] = actions.Unset // not known
		}
		p.Warnings = append(p.Warnings, "the present state can't be read, nor proven afterwards: acceptance is all there is")
	}
	if verb, _, _ := e.callFor(p.To); slices.Contains(gateVerbs, verb) {
		e.tellGate(&p, seen)
	} else {
		p.Risk = actions.Mild
		e.tellIncident(&p, seen)
	}
	return p, nil
}

// aim is the value that a request asks for, or why there is none.
func (e *Executor) aim(p *actions.Preview, req actions.Request) actions.Value {
	verb := req.Verb
	if verb == actions.Undo {
		if e.state == nil {
			p.Refuse(actions.GuardTarget, "the earlier state was never read, so it can't be put back", "set the value you want by name")
			return req.Restore
		}
		if _, _, ok := e.callFor(req.Restore); !ok || !finite(req.Restore) {
			p.Refuse(actions.GuardTarget, "no call puts "+req.Restore.String()+" back", "set the value you want by name")
		}
		return req.Restore
	}
	to := actions.Value{}
	switch verb {
	case actions.Rate:
		if req.To != nil {
			to[SettingRate] = actions.Number(*req.To)
		} else {
			p.Refuse(actions.GuardRequest, "a rate needs a number of people per minute", "--to N")
		}
	case actions.Pause, actions.Resume:
		to[SettingPaused] = actions.Flag(verb == actions.Pause)
		if req.To != nil {
			p.Refuse(actions.GuardRequest, string(verb)+" takes no number here: this gate has no ramp", "set the rate by itself")
		}
	case actions.Incident:
		to[SettingStatus] = actions.Word("open")
	case actions.Acknowledge:
		to[SettingStatus] = actions.Word("acknowledged")
	case actions.Resolve:
		to[SettingStatus] = actions.Word("resolved")
	case actions.AddNote:
		to[SettingNote] = actions.Word(e.clean(req.Text, noteCells))
		if strings.TrimSpace(req.Text) == "" {
			p.Refuse(actions.GuardRequest, "a note needs words", "")
		}
	}
	if e.calls[verb] == nil {
		text := e.o.Refusals[verb]
		if text == "" {
			text = fmt.Sprintf("%s has no call for %s", e.o.Name, verb)
		}
		p.Refuse(actions.GuardTarget, text, "see the webhook's calls in the config")
	}
	return to
}

func finite(v actions.Value) bool {
	for _, s := range v {
		if s == actions.Unset || !s.Finite() {
			return false
		}
	}
	return len(v) == 1
}

// callFor is the call that sets a value, and its verb.
func (e *Executor) callFor(to actions.Value) (actions.Verb, *call, bool) {
	verb := actions.Verb("")
	if _, ok := to[SettingRate].Number(); ok {
		verb = actions.Rate
	}
	if on, ok := to[SettingPaused].Flag(); ok {
		if verb = actions.Resume; on {
			verb = actions.Pause
		}
	}
	if word, ok := to[SettingStatus].Word(); ok {
		verb = map[string]actions.Verb{"open": actions.Incident, "acknowledged": actions.Acknowledge, "resolved": actions.Resolve}[word]
	}
	if _, ok := to[SettingNote].Word(); ok {
		verb = actions.AddNote
	}
	c := e.calls[verb]
	return verb, c, c != nil && len(to) == 1
}

// tellGate judges and describes a change of a gate.
func (e *Executor) tellGate(p *actions.Preview, seen actions.Evidence) {
	p.NotChanged, p.Stays = "everything else about the gate", "whoever is in already goes on"
	p.RevertsIt = "whoever else may call the gate's API, or its console, may set it again"
	p.UndoText = "U sets the earlier value again"
	if e.state == nil {
		p.UndoText = "no undo: the earlier value is not known; set the one you want by name"
	}
	p.EffectText = "how soon it is seen is not declared"
	switch {
	case e.o.Latest > 0:
		p.EffectText = "seen within " + sale.FormatAge(e.o.Latest)
	case e.o.Proof.Within > 0:
		p.EffectText = "seen within " + sale.FormatAge(e.o.Proof.Within) + ", or it counts as not taken"
	}
	if o := seen.Signal(sale.Waiting); o.Usable() {
		n := o.Value
		p.People, p.PeopleText = &n, o.String()
	}
	for _, name := range []sale.Signal{sale.Waiting, sale.AdmissionRate} {
		if o := seen.Signal(name); o.Has {
			p.Evidence = append(p.Evidence, o)
		}
	}
	verb, _, _ := e.callFor(p.To)
	p.How = fmt.Sprintf("one signed call for %s to %s", verb, e.o.Name)
	if len(e.signing) == 0 {
		p.How = fmt.Sprintf("one call for %s to %s", verb, e.o.Name)
	}
	if p.Change = p.From.Change(p.To); p.Change == "" {
		p.Change = p.To.String() + " already"
	}
	if n, ok := p.To[SettingRate].Number(); ok {
		e.bound(p, n, seen)
	}
	e.aimEffect(p, seen)
}

// bound refuses a rate that must not be set.
func (e *Executor) bound(p *actions.Preview, n float64, seen actions.Evidence) {
	text := strconv.FormatFloat(n, 'g', -1, 64)
	switch {
	case !(n > 0 && n >= e.o.Min && n <= e.o.Max):
		p.Refuse(actions.GuardBounds, fmt.Sprintf("%s/min is outside %v to %v", text, e.o.Min, e.o.Max), "choose a rate within the gate's bounds")
		return
	case e.o.Whole && n != math.Trunc(n):
		p.Refuse(actions.GuardBounds, text+"/min is not a whole number", "")
		return
	}
	if was, ok := p.From[SettingRate].Number(); ok && n <= was {
		return
	}
	safe, known := e.o.Safe(seen)
	if seen.Signal(SafeAdmission).Has {
		p.Evidence = append(p.Evidence, seen.Need(SafeAdmission)...)
	}
	switch {
	case !known:
		p.Warnings = append(p.Warnings, "how many people per minute the site can carry is not known")
	case !(n <= safe):
		p.OverSafe(fmt.Sprintf("%s/min is above the safe admission of %s", text, sale.Format(math.Floor(safe), sale.PerMinute, false)), "scale up first")
	}
}

// Execute makes the one call, if the state is as the preview saw it.
func (e *Executor) Execute(ctx context.Context, p actions.Preview, key string) (actions.Receipt, error) {
	no := func(text string) (actions.Receipt, error) {
		return actions.Receipt{}, &actions.RejectedError{Problem: sale.Problem{Class: sale.BadData, Text: "not sent: " + text, Hint: "open the panel again"}}
	}
	verb, c, ok := e.callFor(p.To)
	if !ok || !finite(p.To) || p.Target != e.Target() {
		return no("the preview names no call of " + e.clean(e.o.Name, 60))
	}
	if ctx.Err() != nil {
		return no("the time was up")
	}
	if e.state != nil {
		now, err := e.read(ctx, p.Request.Sale, proving)
		if err != nil {
			return actions.Receipt{}, unsent(err)
		}
		if !now.Holds(p.From) {
			return actions.Receipt{}, &actions.ConflictError{Text: sale.Clean(p.From.Change(now.Only(p.From)), 200)}
		}
	}
	values := e.values(p, verb)
	r := request{method: c.method, url: c.url.url(values), headers: e.headers(nil), use: writing, key: key, plain: e.o.plain}
	if c.body != nil {
		var err error
		if r.body, err = c.body.body(values); err != nil {
			return no("its body can't be made")
		}
	}
	data, id, err := e.do(ctx, r)
	if err == nil && e.o.answered != nil {
		if bad := e.o.answered(data); bad != nil {
			err = e.fail(sale.BadData, bad.Error(), hintForeign, false)
		}
	}
	var f *failure
	switch {
	case errors.As(err, &f) && f.nothing:
		return actions.Receipt{RequestID: id}, &actions.RejectedError{Problem: f.problem}
	case err != nil:
		return actions.Receipt{RequestID: id}, err
	}
	if id == "" && e.o.requestID != nil {
		id = e.clean(e.o.requestID(data), 80)
	}
	text := "accepted by " + e.o.Name
	if e.o.Accepted != "" {
		text += "; " + e.o.Accepted
	}
	return actions.Receipt{RequestID: id, Text: e.clean(text, 160)}, nil
}

// unsent says that nothing was sent, because what has to be known before could not be read.
func unsent(err error) error {
	var p *sale.Problem
	if !errors.As(err, &p) {
		return err
	}
	q := *p
	q.Text = sale.Clean("nothing was sent, the state could not be read again: "+q.Text, 240)
	return &actions.RejectedError{Problem: q}
}

// ReadBack reads the state. Without one there is nothing to read.
func (e *Executor) ReadBack(ctx context.Context, p actions.Preview) (actions.State, error) {
	if e.state == nil {
		return actions.State{}, &sale.Problem{Class: sale.NotFound, Text: "this webhook has no state to read back", Hint: "give it a state URL in the config"}
	}
	v, err := e.read(ctx, p.Request.Sale, proving)
	if err != nil {
		return actions.State{}, err
	}
	return actions.State{Value: v, At: time.Now()}, nil
}
