package pagerduty

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// Limits of the Events API v2.
const (
	maxEvent   = 512 << 10 // bytes
	maxSummary = 1024      // characters
	mostLinks  = 20
	mostShown  = 64 // figures
)

// event is the body of POST /v2/enqueue, and, without an action, of POST /v2/change/enqueue.
type event struct {
	RoutingKey string   `json:"routing_key"`
	Action     string   `json:"event_action,omitempty"`
	DedupKey   string   `json:"dedup_key,omitempty"`
	Payload    *payload `json:"payload,omitempty"`
	Client     string   `json:"client,omitempty"`
	ClientURL  string   `json:"client_url,omitempty"`
	Links      []link   `json:"links,omitempty"`
}

type payload struct {
	Summary   string         `json:"summary"`
	Source    string         `json:"source"`
	Severity  string         `json:"severity,omitempty"`
	Timestamp string         `json:"timestamp,omitempty"`
	Component string         `json:"component,omitempty"`
	Group     string         `json:"group,omitempty"`
	Class     string         `json:"class,omitempty"`
	Details   map[string]any `json:"custom_details,omitempty"`
}

type link struct {
	Href string `json:"href"`
	Text string `json:"text,omitempty"`
}

// severityOf maps a verdict to PagerDuty's severities. A sale that can't be seen is an error,
// never less: nobody knows how bad it is.
func severityOf(seen actions.Evidence) string {
	if !seen.Known {
		return "error"
	}
	switch seen.Verdict {
	case sale.Bad:
		return "critical"
	case sale.Watch, sale.OK:
		return "warning"
	default:
		return "error"
	}
}

// Facts of a preview, by their labels. What a person was shown is what is sent.
const (
	factSummary  = "summary"
	factSeverity = "severity"
	factCause    = "cause"
	factBecause  = "because"
	factPhase    = "phase"
	factNow      = "in PagerDuty"
	factKey      = "dedup_key"
)

func factOf(p actions.Preview, label string) string {
	for _, f := range p.Facts {
		if f.Label == label {
			return f.Text
		}
	}
	return ""
}

// saleName is the name that people know, or the id.
func (x *Executor) saleName(id sale.ID) string {
	if s := x.declaredSale(id); s != nil && s.Name != "" {
		return s.Name
	}
	return string(id)
}

// summaryOf is the line that the person who is paged reads first.
func (x *Executor) summaryOf(req actions.Request, seen actions.Evidence) string {
	text := req.Text
	if strings.TrimSpace(text) == "" {
		switch {
		case len(seen.Reasons) > 0:
			text = seen.Reasons[0].Text
			if n := len(seen.Reasons) - 1; n > 0 {
				text += fmt.Sprintf(" (and %d more)", n)
			}
		case !seen.Known:
			text = "nothing is known of this sale"
		default:
			text = "opened by hand, the signals say " + string(seen.Verdict)
		}
		text = x.saleName(req.Sale) + ": " + text
	}
	return cut(sale.Clean(x.redact(text), maxSummary), maxSummary)
}

// cut bounds a text in characters; Clean bounds cells, and marks take none.
func cut(text string, most int) string {
	n := 0
	for i := range text {
		if n == most {
			return text[:i]
		}
		n++
	}
	return text
}

// figures quotes what is known, worst first, as evidence that does not bind: an incident can be
// opened on any age of data.
func figures(seen actions.Evidence) []actions.Observed {
	quoted := slices.Clone(seen.Signals)
	slices.SortStableFunc(quoted, func(a, b actions.Observed) int { return cmp.Compare(b.Verdict.Rank(), a.Verdict.Rank()) })
	return quoted[:min(len(quoted), mostShown)]
}

// aged is what the figures say at now.
func (x *Executor) aged(quoted []actions.Observed, now time.Time) map[string]string {
	said := make(map[string]string, len(quoted))
	for _, o := range quoted {
		if o.Has && !o.At.IsZero() {
			o.Age = max(now.Sub(o.At), 0)
		}
		said[sale.Clean(string(o.Signal), 80)] = sale.Clean(x.redact(o.String()), maxWords)
	}
	return said
}

// trigger is the event that opens the incident of a preview.
func (x *Executor) trigger(p actions.Preview, now time.Time) event {
	id := p.Request.Sale
	details := map[string]any{
		"sale": map[string]string{"id": sale.Clean(string(id), 100), "name": sale.Clean(x.saleName(id), 200)},
	}
	for _, label := range []string{factCause, factBecause, factPhase} {
		if text := factOf(p, label); text != "" {
			details[label] = text
		}
	}
	for label, text := range map[string]string{"reason": p.Request.Reason, "change": p.Request.Change} {
		if text = sale.Clean(x.redact(text), 400); text != "" {
			details[label] = text
		}
	}
	if said := x.aged(p.Evidence, now); len(said) > 0 {
		details["figures"] = said
	}
	group := ""
	if s := x.declaredSale(id); s != nil {
		group = sale.Clean(s.Group, 100)
		if !s.Opens.IsZero() {
			details["opens"] = s.Opens.UTC().Format(time.RFC3339)
		}
	}
	return event{
		RoutingKey: x.options.RoutingKey, Action: "trigger", DedupKey: p.Target.ID, Client: "onsale", ClientURL: linkable(x.options.ClientURL),
		Payload: &payload{
			Summary: cmp.Or(factOf(p, factSummary), string(id)+": opened by hand"), Source: sale.Clean(x.options.Source, 200), Severity: cmp.Or(factOf(p, factSeverity), "error"),
			Timestamp: now.UTC().Format("2006-01-02T15:04:05.000Z07:00"), Component: sale.Clean(string(id), 100), Group: group,
			Class: factOf(p, factCause), Details: details,
		},
		Links: x.links(id),
	}
}

// links are the declared links of a sale that a browser can open.
func (x *Executor) links(id sale.ID) []link {
	s := x.declaredSale(id)
	if s == nil {
		return nil
	}
	var links []link
	add := func(href, text string) {
		href = linkable(href)
		if href != "" && x.redact(href) == href && len(links) < mostLinks && !slices.ContainsFunc(links, func(l link) bool { return l.Href == href }) {
			links = append(links, link{href, sale.Clean(text, 100)})
		}
	}
	for _, l := range s.Links {
		add(l.URL, l.Title)
	}
	for _, spec := range s.Signals {
		add(spec.Runbook, "runbook: "+cmp.Or(spec.Label, string(spec.Signal)))
	}
	return links
}

// linkable is an address if it is one of the web without a login in it, else "".
func linkable(href string) string {
	u, err := url.Parse(href)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(href) > 2000 {
		return ""
	}
	return u.String()
}

// encode writes an event within the limit. What does not fit is left out, the least needed
// first, and the event says so: a page without figures is better than no page.
func encode(e event) ([]byte, error) {
	shorten := []func(){
		func() { e.Payload.Details["figures"] = "left out: too long" },
		func() { e.Links = nil },
		func() { e.Payload.Details = map[string]any{"details": "left out: too long"} },
	}
	if e.Payload == nil || e.Payload.Details == nil {
		shorten = shorten[1:2]
	}
	for {
		body, err := json.Marshal(e)
		if err != nil || len(body) <= maxEvent {
			return body, err
		}
		if len(shorten) == 0 {
			return nil, fmt.Errorf("the event has %d bytes, PagerDuty takes %d", len(body), maxEvent)
		}
		shorten[0]()
		shorten = shorten[1:]
	}
}
