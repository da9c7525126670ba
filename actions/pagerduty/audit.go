package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// Audit writes an action that was done, failed or is unknown to the service's timeline, as a
// change event: whoever is paged sees beside the incident what was done to the sale. It pages
// nobody. Refusals, and what PagerDuty itself was sent, are left out. It makes one attempt and
// waits for the answer; losing it loses nothing that the journal does not have. An error wraps a
// *sale.Problem.
func (x *Executor) Audit(ctx context.Context, who actions.Actor, res actions.Result) error {
	if res.Outcome == actions.Refused || res.Outcome == "" || res.Preview.Target.System == System {
		return nil
	}
	if x.ruleset() {
		return &sale.Problem{Class: sale.BadData, Text: "PagerDuty takes no change events for a ruleset's routing key", Hint: "use the integration key of a service"}
	}
	p, id := res.Preview, res.Preview.Request.Sale
	say := func(text string, cells int) string { return sale.Clean(x.redact(text), cells) }
	details := map[string]any{
		"sale": say(string(id), 100), "action": say(string(p.Request.Verb), 40), "outcome": string(res.Outcome),
		"target": say(p.Target.String(), 200), "who": say(who.Name, 80),
		"from": say(p.From.Only(p.To).String(), 400), "to": say(p.To.String(), 400), "result": say(res.Text, 400),
	}
	for label, text := range map[string]string{"reason": p.Request.Reason, "change": p.Request.Change, "undoes": p.Request.Undoes} {
		if text = say(text, 400); text != "" {
			details[label] = text
		}
	}
	if res.IntentSeq > 0 {
		details["journal"] = fmt.Sprintf("#%d", res.IntentSeq)
	}
	at := res.Ended
	if at.IsZero() {
		at = time.Now()
	}
	change := p.Change
	if change == "" {
		change = p.To.String()
	}
	_, err := x.post(ctx, "/v2/change/enqueue", event{
		RoutingKey: x.options.RoutingKey, Links: x.links(id),
		Payload: &payload{
			Summary: cut(say(fmt.Sprintf("%s: %s %s: %s, by %s", x.saleName(id), p.Request.Verb, res.Outcome, change, who.Name), maxSummary), maxSummary),
			Source:  sale.Clean(x.options.Source, 200), Timestamp: at.UTC().Format(time.RFC3339), Details: details,
		},
	}, "")
	var no *actions.RejectedError
	if errors.As(err, &no) {
		return &no.Problem
	}
	return err
}
