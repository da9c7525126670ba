package pagerduty

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// Execute sends one event, or one note, once. PagerDuty has no idempotency key beside the
// dedup_key, which the target carries; key is not sent.
func (x *Executor) Execute(ctx context.Context, p actions.Preview, _ string) (actions.Receipt, error) {
	now := time.Now()
	switch {
	case p.Target.System != System || p.Target.Name != x.options.Name || p.Target.ID == "" || len(p.Target.ID) > maxKey:
		return actions.Receipt{}, rejected(sale.NotFound, "this is not an incident of "+x.options.Name, "open the panel again")
	case len(p.Refusals) > 0:
		return actions.Receipt{}, rejected(sale.BadData, "refused: "+p.Refusals[0].Text, "open the panel again")
	}
	switch p.Request.Verb {
	case actions.Incident:
		return x.enqueue(ctx, p, x.trigger(p, now))
	case actions.Acknowledge:
		return x.enqueue(ctx, p, event{RoutingKey: x.options.RoutingKey, Action: "acknowledge", DedupKey: p.Target.ID})
	case actions.Resolve:
		return x.enqueue(ctx, p, event{RoutingKey: x.options.RoutingKey, Action: "resolve", DedupKey: p.Target.ID})
	case actions.AddNote:
		if text, ok := p.To[setNote].Word(); ok {
			return x.note(ctx, p, text)
		}
		if text, ok := p.To[setChange].Word(); ok {
			return x.changeNote(ctx, p, text, now)
		}
	}
	return actions.Receipt{}, rejected(sale.BadData, fmt.Sprintf("PagerDuty does not do %q to %s", p.Request.Verb, p.To), "open the panel again")
}

func rejected(class sale.Class, text, hint string) error {
	return &actions.RejectedError{Problem: sale.Problem{Class: class, Text: sale.Clean(text, maxWords), Hint: hint}}
}

// enqueue sends an alert event. Only 202 with PagerDuty's own words counts as accepted.
func (x *Executor) enqueue(ctx context.Context, p actions.Preview, e event) (actions.Receipt, error) {
	receipt, err := x.post(ctx, "/v2/enqueue", e, p.Target.ID)
	if err != nil {
		return receipt, err
	}
	at := time.Now()
	x.remember(acceptance{p.Request.Sale, p.Request.Verb, p.Target.ID, at})
	if p.Request.Verb == actions.Incident {
		x.mu.Lock()
		delete(x.causes, p.Request.Sale) // the next press is a new question
		delete(x.shown, p.Target.ID)
		x.mu.Unlock()
	}
	receipt.Text = acceptedText(at, p.Target.ID, p.Request.Verb)
	return receipt, nil
}

func acceptedText(at time.Time, key string, verb actions.Verb) string {
	text := "202 by PagerDuty " + clock(at) + ", dedup_key " + key
	switch verb {
	case actions.Incident:
		return text + "; accepted is not paged"
	default:
		return text + "; if nothing was open it was dropped"
	}
}

// post sends one event to the Events API and understands its answer.
func (x *Executor) post(ctx context.Context, path string, e event, key string) (actions.Receipt, error) {
	body, err := encode(e)
	if err != nil {
		return actions.Receipt{}, rejected(sale.BadData, "nothing was sent: "+err.Error(), "")
	}
	a, reached, err := x.web.do(ctx, http.MethodPost, x.options.EventsURL+path, http.Header{"Accept": {"application/json"}}, body)
	if err != nil || a.status != http.StatusAccepted {
		return actions.Receipt{}, x.web.failure(a, reached, err, time.Now())
	}
	var said struct {
		Status   string `json:"status"`
		DedupKey string `json:"dedup_key"`
	}
	strange := func(text string) error {
		return &sale.Problem{Class: sale.BadData, Text: x.web.words(text, maxWords), Hint: "see that events_url is PagerDuty's own, and look in PagerDuty"}
	}
	switch err := json.Unmarshal(a.body, &said); {
	case err != nil || said.Status != "success":
		return actions.Receipt{}, strange("HTTP 202, but not in PagerDuty's words: " + saidBy(a.body))
	case said.DedupKey != "" && said.DedupKey != key && e.Action != "":
		return actions.Receipt{}, strange("HTTP 202 for another dedup_key: " + said.DedupKey)
	}
	return actions.Receipt{RequestID: x.web.requestID(a), Text: "202 by PagerDuty " + clock(time.Now())}, nil
}

// note writes on the incident of the target, by the REST API, which answers when it is there.
func (x *Executor) note(ctx context.Context, p actions.Preview, text string) (actions.Receipt, error) {
	in, err := x.look(ctx, p.Target.ID)
	if err != nil {
		return actions.Receipt{}, rejected(sale.Failing, "nothing was sent, the incident could not be found: "+problemText(err), "press again, or write it in PagerDuty")
	}
	if in.Status == None {
		return actions.Receipt{}, rejected(sale.NotFound, "nothing was sent: there is no incident "+p.Target.ID, "open the panel again")
	}
	var body struct {
		Note struct {
			Content string `json:"content"`
		} `json:"note"`
	}
	body.Note.Content = text
	data, err := json.Marshal(body)
	if err != nil {
		return actions.Receipt{}, rejected(sale.BadData, "nothing was sent: "+err.Error(), "")
	}
	header := x.restHeader()
	header.Set("From", x.options.From)
	a, reached, err := x.web.do(ctx, http.MethodPost, x.options.APIURL+"/incidents/"+url.PathEscape(in.ID)+"/notes", header, data)
	if err != nil || a.status != http.StatusOK && a.status != http.StatusCreated {
		return actions.Receipt{}, x.web.failure(a, reached, err, time.Now())
	}
	return actions.Receipt{RequestID: x.web.requestID(a), Text: fmt.Sprintf("%s: note on %s", statusWord(a.status), in.Number), Link: in.URL}, nil
}

// changeNote writes on the service's timeline.
func (x *Executor) changeNote(ctx context.Context, p actions.Preview, text string, now time.Time) (actions.Receipt, error) {
	id := p.Request.Sale
	receipt, err := x.post(ctx, "/v2/change/enqueue", event{
		RoutingKey: x.options.RoutingKey, Links: x.links(id),
		Payload: &payload{
			Summary: cut(sale.Clean(x.redact(x.saleName(id))+": "+text, maxSummary), maxSummary), Source: sale.Clean(x.options.Source, 200),
			Timestamp: now.UTC().Format(time.RFC3339), Details: map[string]any{"sale": sale.Clean(string(id), 100), "note": text},
		},
	}, "")
	if err == nil {
		x.remember(acceptance{id, actions.AddNote, text, time.Now()})
		receipt.Text += ", a change event; it can't be read back"
	}
	return receipt, err
}

// ReadBack looks the target up. Without a token it says what was accepted, and holds nothing to
// be proven.
func (x *Executor) ReadBack(ctx context.Context, p actions.Preview) (actions.State, error) {
	state := actions.State{Value: actions.Value{}, At: time.Now()}
	if text, ok := p.To[setChange].Word(); ok {
		a, known := x.remembered(actions.AddNote, text)
		if !known {
			return state, &sale.Problem{Class: sale.NotFound, Text: "a change event can't be read back", Hint: "look at the service's recent changes in PagerDuty"}
		}
		state.Value[setChange] = actions.Word(text)
		state.Text = "202 by PagerDuty " + clock(a.at) + "; a change event can't be read back"
		return state, nil
	}
	if x.options.Token == "" {
		state.Value = unknownOf(p.To)
		state.Text = "no REST token: nothing can be read back, and nothing of it was accepted in this run"
		if a, ok := x.remembered(p.Request.Verb, p.Target.ID); ok {
			state.Text = "accepted, not proven: " + acceptedText(a.at, a.key, a.verb)
		}
		return state, nil
	}
	in, err := x.lookAt(ctx, p.Target.ID)
	if err != nil {
		return state, err
	}
	state.At, state.Text, state.ByWhom, state.Modified = in.ReadAt, in.String(), in.By, in.Since
	state.Value[setIncident], state.Value[setAck] = actions.Word(stateNone), actions.Flag(in.Status == Acknowledged)
	if in.Open() {
		state.Value[setIncident] = actions.Word(stateOpen)
	}
	if text, ok := p.To[setNote].Word(); ok {
		there := false
		if in.Status != None {
			if there, err = x.noted(ctx, in, text, p.ReadAt); err != nil {
				return state, err
			}
		}
		state.Value[setNote] = actions.Unset
		if there {
			state.Value[setNote] = actions.Word(text)
		}
	}
	return state, nil
}

// unknownOf names the settings of a value without saying what they are.
func unknownOf(to actions.Value) actions.Value {
	v := actions.Value{}
	for name := range to {
		v[name] = actions.Unset
	}
	return v
}
