package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// Settings of a target, and what they can be.
const (
	setIncident = "incident"     // open or none
	setAck      = "acknowledged" // a switch
	setNote     = "note"         // the words, on an incident
	setChange   = "change_event" // the words, on the service's timeline

	stateOpen = "open"
	stateNone = "none"
)

// noteCells bounds a note, in cells.
const noteCells = 1000

func (x *Executor) cleanNote(text string) string { return sale.Clean(x.redact(text), noteCells) }

// Preview reads what PagerDuty knows, where a token allows that, and says what would be sent.
func (x *Executor) Preview(ctx context.Context, req actions.Request, seen actions.Evidence) (actions.Preview, error) {
	now, zero := time.Now(), 0.0
	p := actions.Preview{
		Request: req, ReadAt: now, Risk: actions.Normal, CostPerHour: &zero, CostText: "$0", Target: x.Declared(),
		NotChanged: "the sale itself: rates, capacity, the queue", Evidence: figures(seen),
	}
	if req.To != nil {
		p.Refuse(actions.GuardRequest, "an incident takes no number", "leave --to out")
	}
	if req.Sale == "" {
		p.Refuse(actions.GuardRequest, "no sale is named", "")
	}
	switch req.Verb {
	case actions.Incident:
		x.previewOpen(ctx, &p, seen)
	case actions.Acknowledge:
		x.previewAnswer(ctx, &p, seen)
	case actions.Resolve:
		x.previewAnswer(ctx, &p, seen)
	case actions.AddNote:
		x.previewNote(ctx, &p, seen)
	default:
		p.Refuse(actions.GuardRequest, fmt.Sprintf("PagerDuty does not do %q", req.Verb), "")
	}
	if err := ctx.Err(); err != nil {
		problem := x.web.trouble(err)
		return p, &problem
	}
	return p, nil
}

// previewOpen never refuses for what it can't read: opening fails open.
func (x *Executor) previewOpen(ctx context.Context, p *actions.Preview, seen actions.Evidence) {
	cause := x.steadyCause(p.Request.Sale, seen, p.ReadAt)
	key, severity := Key(p.Request.Sale, cause), severityOf(seen)
	p.Target = x.target(key)
	p.To = actions.Value{setIncident: actions.Word(stateOpen)}
	p.Change = fmt.Sprintf("open incident for %s, severity %s", sale.Clean(x.redact(cause), 60), severity)
	p.How = "1 call, Events API v2 trigger; the same key opens no second one"
	p.PeopleText = "pages who is on call for " + x.options.Name + ", by PagerDuty's own rules"
	p.UndoText = "resolve closes it; a page that went out can't be taken back"
	p.Facts = append(p.Facts,
		actions.Fact{Label: factSummary, Text: x.summaryOf(p.Request, seen)},
		actions.Fact{Label: factSeverity, Text: severity},
		actions.Fact{Label: factCause, Text: sale.Clean(x.redact(cause), 120)})
	if because := x.because(seen); because != "" {
		p.Facts = append(p.Facts, actions.Fact{Label: factBecause, Text: because})
	}
	if seen.Known {
		p.Facts = append(p.Facts, actions.Fact{Label: factPhase, Text: string(seen.Phase)})
	} else {
		p.Warnings = append(p.Warnings, "nothing is known of this sale: the incident says so")
	}
	p.Facts = append(p.Facts, actions.Fact{Label: factKey, Text: key})
	if severity == "warning" {
		p.Warnings = append(p.Warnings, "severity warning: a service with urgency by severity pages nobody at once")
	}
	x.sayProof(p)

	if x.options.Token == "" {
		p.From = actions.Value{setIncident: actions.Unset}
		return
	}
	short, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	in, err := x.look(short, key)
	p.From = actions.Value{setIncident: x.steadyState(key, err == nil && in.Open(), err == nil, p.ReadAt)}
	switch {
	case err != nil:
		p.Warnings = append(p.Warnings, "not known whether one is open, REST API: "+problemText(err)+"; if so, this joins it")
	case in.Open():
		p.Facts = append(p.Facts, actions.Fact{Label: factNow, Text: in.String()})
		p.Warnings = append(p.Warnings, in.Number+" is open already: this adds to its log and pages nobody anew")
	}
}

// because is every reason in one line.
func (x *Executor) because(seen actions.Evidence) string {
	var all []string
	for _, r := range seen.Reasons[:min(len(seen.Reasons), 6)] {
		all = append(all, r.Text)
	}
	return sale.Clean(x.redact(strings.Join(all, " · ")), 400)
}

// sayProof says what the outcome will be worth.
func (x *Executor) sayProof(p *actions.Preview) {
	if x.options.Token == "" {
		p.EffectText = "202 means accepted, not paged; no REST token, so that is all the proof there is"
		return
	}
	p.EffectText = "202 means accepted, not paged; then looked up until PagerDuty shows it"
	p.Soonest, p.Latest = time.Second, x.Info().ReadBack.Within
}

// previewAnswer is the preview of acknowledge and of resolve. PagerDuty drops both without a
// word when nothing is open, so where it can be known it is refused here.
func (x *Executor) previewAnswer(ctx context.Context, p *actions.Preview, seen actions.Evidence) {
	verb := "acknowledge"
	p.To = actions.Value{setAck: actions.Flag(true)}
	p.UndoText = "not from here; PagerDuty's own acknowledgement timeout may page again"
	p.PeopleText = "stops the escalation; who was paged already stays informed"
	if p.Request.Verb == actions.Resolve {
		verb = "resolve"
		p.To = actions.Value{setIncident: actions.Word(stateNone)}
		p.UndoText = "opening again makes a new incident, and pages again"
		p.PeopleText = "ends the incident for everybody who was paged"
	}
	p.How = "1 call, Events API v2 " + verb
	x.sayProof(p)

	keys := x.keys(p.Request.Sale, seen)
	if x.options.Token == "" {
		known := x.openedBefore(p.Request.Sale)
		p.From = actions.Value{setIncident: actions.Unset, setAck: actions.Unset}
		x.aim(p, keys[0], verb)
		p.Warnings = append(p.Warnings, "without a REST token it is not known whether it is open: PagerDuty drops an "+verb+" of nothing, and still answers 202")
		if len(known) == 0 {
			p.Warnings = append(p.Warnings, "no incident of this sale is known to have been opened from here")
		}
		return
	}
	found, err := x.lookAll(ctx, keys, x.look)
	i := slices.IndexFunc(found, func(in Incident) bool {
		return in.Open() && (p.Request.Verb == actions.Resolve || in.Status != Acknowledged)
	})
	if i < 0 {
		i = slices.IndexFunc(found, Incident.Open)
	}
	switch {
	case i < 0 && err != nil:
		p.From = actions.Value{setIncident: actions.Unset, setAck: actions.Unset}
		x.aim(p, keys[0], verb)
		p.Warnings = append(p.Warnings, "not known whether it is open, REST API: "+problemText(err)+"; PagerDuty drops an "+verb+" of nothing, and still answers 202")
		return
	case i < 0:
		p.From = actions.Value{setIncident: actions.Word(stateNone), setAck: actions.Flag(false)}
		x.aim(p, keys[0], verb)
		p.Refuse(actions.GuardTarget, "no incident of this sale is open in PagerDuty", "PagerDuty would drop it and still answer 202; open one first")
		return
	}
	in := found[i]
	p.From = actions.Value{setIncident: actions.Word(stateOpen), setAck: actions.Flag(in.Status == Acknowledged)}
	p.ByWhom, p.Modified = in.By, in.Since
	x.aim(p, in.Key, verb)
	p.Change = strings.TrimSpace(verb + " " + in.Number)
	p.Facts = append(p.Facts, actions.Fact{Label: factNow, Text: in.String()})
	others := 0
	for j := range found {
		if j != i && found[j].Open() {
			others++
		}
	}
	if others > 0 {
		p.Warnings = append(p.Warnings, fmt.Sprintf("%d more open for this sale: this is one of them, the key again does the next", others))
	}
	if p.Request.Verb == actions.Acknowledge && in.Status == Acknowledged {
		p.Refuse(actions.GuardTarget, in.Number+" is acknowledged already"+byWhom(in), "")
	}
}

func byWhom(in Incident) string {
	text := ""
	if in.By != "" {
		text += " by " + in.By
	}
	if !in.Since.IsZero() {
		text += " " + clock(in.Since)
	}
	return text
}

// aim sets the incident that an answer is meant for.
func (x *Executor) aim(p *actions.Preview, key, verb string) {
	p.Target = x.target(key)
	p.Change = verb + " " + key
	p.Facts = append(p.Facts, actions.Fact{Label: factKey, Text: key})
}

// previewNote notes on the open incident where it can, else on the service's timeline.
func (x *Executor) previewNote(ctx context.Context, p *actions.Preview, seen actions.Evidence) {
	p.Risk = actions.Mild
	p.Evidence = nil
	p.UndoText = "a note stays: a wrong one gets another beside it"
	p.PeopleText = "pages nobody"
	text := x.cleanNote(p.Request.Text)
	if strings.TrimSpace(text) == "" {
		p.Refuse(actions.GuardRequest, "a note needs words", "")
	}
	keys := x.keys(p.Request.Sale, seen)
	p.Target = x.target(keys[0])
	if x.options.From != "" {
		found, err := x.lookAll(ctx, keys, x.look)
		if i := slices.IndexFunc(found, Incident.Open); i >= 0 {
			in := found[i]
			p.Target = x.target(in.Key)
			p.From, p.To = actions.Value{setNote: actions.Unset}, actions.Value{setNote: actions.Word(text)}
			p.Change, p.How = "note on "+in.Number, "1 call, REST API, as "+sale.Clean(x.options.From, 80)
			p.EffectText = "read back from the incident's notes"
			p.Facts = append(p.Facts, actions.Fact{Label: factNow, Text: in.String()})
			return
		}
		why := "no incident of this sale is open"
		if err != nil {
			why = "the REST API can't be asked: " + problemText(err)
		}
		p.Warnings = append(p.Warnings, why+"; it goes to the service's timeline instead")
	}
	p.From, p.To = actions.Value{setChange: actions.Unset}, actions.Value{setChange: actions.Word(text)}
	p.Change, p.How = "note to the timeline of "+x.options.Name, "1 call, Events API v2 change event"
	p.EffectText = "202 means accepted; a change event can't be read back"
	if x.ruleset() {
		p.Refuse(actions.GuardTarget, "the routing key is a ruleset's, and PagerDuty takes no change events for those", "use the integration key of a service, or give the note's sender (from) and a REST token")
	}
}

// ruleset reports whether the key is one of an event ruleset, which takes no change events.
func (x *Executor) ruleset() bool { return strings.HasPrefix(x.options.RoutingKey, "R") }

// problemText is what a problem says, in few words.
func problemText(err error) string {
	var p *sale.Problem
	if errors.As(err, &p) {
		return sale.Clean(p.Text, 120)
	}
	return "not known why"
}
