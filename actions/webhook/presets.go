package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions"
)

// QueueItOptions name one event of Queue-it. Key is required, and Customer or BaseURL with Event, or
// URL.
type QueueItOptions struct {
	Customer string // the API's host is <customer>.api2.queue-it.net
	BaseURL  string // replaces the host that follows from Customer
	Event    string // the event's id
	// URL replaces all three: the address of the event, …/2_0/event/<id>, or of its queue/speed.
	URL string
	Key string // API key, as GO Queue-it Platform shows it
	// Max bounds the speed; 0 means 1,000,000.
	Max float64
}

// QueueIt sets the speed of a Queue-it event: MaxRedirectsPerMinute, at least 5. The API allows ten
// calls a minute on an active event, and a pause by API v2 is not documented, so pause and resume
// are refused with words.
func QueueIt(o QueueItOptions) Options {
	base := o.BaseURL
	if base == "" {
		base = "https://" + o.Customer + ".api2.queue-it.net"
	}
	event := strings.TrimSuffix(base, "/") + "/2_0/event/" + url.PathEscape(o.Event)
	if o.URL != "" {
		event = strings.TrimSuffix(strings.TrimSuffix(o.URL, "/"), "/queue/speed")
		base, o.Event = event, or(o.Event, event[strings.LastIndexByte(event, '/')+1:])
	}
	const noPause = "Queue-it's API v2 documents no pause: lower the speed to 5/min, or pause in GO Queue-it Platform"
	return Options{
		Name: o.Event, Kind: "Queue-it event", Account: o.Customer,
		Calls: map[actions.Verb]Call{
			actions.Rate: {Method: "PUT", URL: event + "/queue/speed", Body: `{"MaxRedirectsPerMinute":"{{to:text}}"}`},
		},
		Headers: map[string]string{"api-key": o.Key},
		State:   &State{URL: event, Paths: map[string]string{SettingRate: "MaxRedirectsPerMinute"}},
		Budget:  Budget{Calls: 10, Per: time.Minute},
		Min:     5, Max: o.Max, Whole: true, Soonest: 60 * time.Second, Latest: 120 * time.Second,
		Refusals: map[actions.Verb]string{actions.Pause: noPause, actions.Resume: noPause},
		readBack: actions.ReadBackPlan{Tries: 3, First: time.Second, Most: 8 * time.Second, Within: 20 * time.Second},
		plain:    true, wrong: missing("customer or base URL", base != "https://.api2.queue-it.net", "event", o.Event, "API key", o.Key),
	}
}

// SlackOptions name an incoming webhook, whose URL is a secret.
type SlackOptions struct {
	URL  string
	Name string // default slack
}

// Slack posts messages by an incoming webhook. A message pages nobody, can't be acknowledged or
// changed, and pressing again posts again.
func Slack(o SlackOptions) Options {
	post := Call{URL: o.URL, Body: `{"text":"{{description}}"}`}
	return Options{
		Name: or(o.Name, "slack"), Kind: "Slack channel",
		Calls:    map[actions.Verb]Call{actions.Incident: post, actions.Resolve: post, actions.AddNote: post},
		Budget:   Budget{Calls: 1, Per: time.Second},
		Refusals: map[actions.Verb]string{actions.Acknowledge: "a Slack webhook posts messages: nothing there can be acknowledged"},
		Accepted: "a message pages nobody",
		escape:   strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace,
		answered: func(data []byte) error {
			if strings.TrimSpace(string(data)) != "ok" {
				return errors.New("slack did not answer ok")
			}
			return nil
		},
		bounded: map[string]int{holeDescription: 3900},
		plain:   true, repeats: true, wrong: missing("URL", o.URL),
	}
}

// JSMOptions name an API integration of Jira Service Management's operations.
type JSMOptions struct {
	BaseURL  string // default https://api.atlassian.com/jsm/ops/integration; Opsgenie's was https://api.opsgenie.com
	Key      string // of the integration
	Priority string // P1 to P5; default P1
	Name     string // default jsm
}

// JiraServiceManagement opens, acknowledges, closes and annotates an alert, which its alias makes one
// for all cockpits. The API works later than it answers: accepted is not paged.
func JiraServiceManagement(o JSMOptions) Options {
	base := strings.TrimSuffix(or(o.BaseURL, "https://api.atlassian.com/jsm/ops/integration"), "/") + "/v2/alerts"
	priority, wrong := or(o.Priority, "P1"), missing("key", o.Key)
	if !slices.Contains([]string{"P1", "P2", "P3", "P4", "P5"}, priority) {
		wrong = errors.New("the priority is P1 to P5")
	}
	on := func(what string) string { return base + "/{{dedup}}/" + what + "?identifierType=alias" }
	return Options{
		Name: or(o.Name, "jsm"), Kind: "Jira Service Management integration",
		Calls: map[actions.Verb]Call{
			actions.Incident: {URL: base, Body: `{"message":"{{title}}","alias":"{{dedup}}","description":"{{description}}","priority":"` + priority +
				`","source":"onsale","entity":"{{sale}}","tags":["onsale","{{sale}}"],"details":{"sale":"{{sale}}","service":"{{service}}","cause":"{{cause}}","figures":"{{figures:text}}","link":"{{link}}"}}`},
			actions.Acknowledge: {URL: on("acknowledge"), Body: `{"source":"onsale","note":"{{description}}"}`},
			actions.Resolve:     {URL: on("close"), Body: `{"source":"onsale","note":"{{description}}"}`},
			actions.AddNote:     {URL: on("notes"), Body: `{"source":"onsale","note":"{{note}}"}`},
		},
		Headers:  map[string]string{"Authorization": "GenieKey " + o.Key},
		Accepted: "accepted is not paged: see the alert's activity log",
		bounded:  map[string]int{holeTitle: 130, holeDescription: 15000},
		requestID: func(data []byte) string {
			var answer struct {
				RequestID string `json:"requestId"`
			}
			_ = json.Unmarshal(data, &answer) // an answer without one was an acceptance all the same
			return answer.RequestID
		},
		plain: true, wrong: wrong,
	}
}

// IncidentIOOptions name an HTTP alert source of incident.io.
type IncidentIOOptions struct {
	Source  string // id of the alert source's configuration
	Token   string // of the alert source
	BaseURL string // default https://api.incident.io
	URL     string // the whole address, as incident.io shows it; replaces Source and BaseURL
	Name    string // default incident.io
}

// IncidentIO fires and resolves an alert; incident.io's own routes make an incident of it.
func IncidentIO(o IncidentIOOptions) Options {
	address := strings.TrimSuffix(or(o.BaseURL, "https://api.incident.io"), "/") + "/v2/alert_events/http/" + url.PathEscape(o.Source)
	if o.URL != "" {
		address = o.URL
	}
	body := func(status string) Call {
		return Call{URL: address, Body: `{"title":"{{title}}","description":"{{description}}","deduplication_key":"{{dedup}}","status":"` + status +
			`","source_url":"{{link}}","metadata":{"sale":"{{sale}}","sale_name":"{{sale_name}}","severity":"{{severity}}","service":"{{service}}","cause":"{{cause}}","figures":"{{figures}}","links":"{{links}}"}}`}
	}
	const no = "incident.io's alert source takes firing and resolved only: do it in incident.io"
	return Options{
		Name: or(o.Name, "incident.io"), Kind: "incident.io alert source",
		Calls:    map[actions.Verb]Call{actions.Incident: body("firing"), actions.Resolve: body("resolved")},
		Headers:  map[string]string{"Authorization": "Bearer " + o.Token},
		Refusals: map[actions.Verb]string{actions.Acknowledge: no, actions.AddNote: no},
		Accepted: "whether somebody is paged is up to incident.io's alert routes",
		plain:    true, wrong: missing("alert source", o.Source+o.URL, "token", o.Token),
	}
}

// RootlyOptions name a generic webhook alert source of Rootly.
type RootlyOptions struct {
	URL    string // as Rootly shows it, with or without …/notify/<type>/<id>
	Secret string // of the alert source
	Name   string // default rootly
}

// Rootly opens and resolves an alert. In the alert source, map the title to $.title, the description
// to $.description, the external identifier to $.external_id and the state to $.state, with
// "resolved" as the value that resolves.
func Rootly(o RootlyOptions) Options {
	address := or(o.URL, "https://webhooks.rootly.com/webhooks/incoming/generic_webhooks")
	if o.Secret != "" {
		glue := "?"
		if strings.Contains(address, "?") {
			glue = "&"
		}
		address += glue + "secret=" + url.QueryEscape(o.Secret)
	}
	body := func(state string) Call {
		return Call{URL: address, Body: `{"title":"{{title}}","description":"{{description}}","external_id":"{{dedup}}","state":"` + state +
			`","source_url":"{{link}}","sale":"{{sale}}","severity":"{{severity}}","service":"{{service}}","cause":"{{cause}}","figures":"{{figures}}","links":"{{links}}"}`}
	}
	const no = "Rootly's generic webhook opens and resolves only: do it in Rootly"
	return Options{
		Name: or(o.Name, "rootly"), Kind: "Rootly alert source",
		Calls:    map[actions.Verb]Call{actions.Incident: body("open"), actions.Resolve: body("resolved")},
		Secrets:  []string{o.Secret},
		Refusals: map[actions.Verb]string{actions.Acknowledge: no, actions.AddNote: no},
		Accepted: "whether somebody is paged is up to Rootly's alert routes",
		plain:    true,
	}
}

// missing names the first option that is needed and not there. Names and values take turns.
func missing(pairs ...any) error {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" || pairs[i+1] == false {
			return fmt.Errorf("the %s is needed", pairs[i])
		}
	}
	return nil
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
