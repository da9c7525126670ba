package webhook

import (
	"net/http"
	"slices"

	"github.com/onsale-dev/onsale/actions"
)

// OwnOptions name a gate or an incident tool of one's own. Name, URL and Verb are required.
type OwnOptions struct {
	Name    string // what it is called there: {{target}}
	Account string
	URL     string // of every call, with placeholders
	Method  string // "": POST
	// Verb is what the executor is for. The verbs that set the same come along, so that it can be
	// undone.
	Verb actions.Verb
	// Bodies are JSON documents with placeholders, by verb; nil: those of OwnBody.
	Bodies map[actions.Verb]string

	Token   string            // sent as a bearer token; may be empty
	Headers map[string]string // of every call, the look at the state included
	Sign    string            // see Options.Sign

	// StateURL is where the present state is read; "": acceptance is the proof.
	StateURL string
	// StatePaths and StatePaused are those of State. Without any path the settings stand in the
	// answer by their own names.
	StatePaths  map[string]string
	StatePaused string
}

// Own calls what speaks onsale's own JSON, or the bodies that it is given.
func Own(o OwnOptions) Options {
	verbs, settings := incidentVerbs[:3], []string{SettingStatus}
	kind := "webhook"
	switch {
	case slices.Contains(gateVerbs, o.Verb):
		verbs, settings, kind = gateVerbs, []string{SettingRate, SettingPaused}, "gate"
	case o.Verb == actions.AddNote:
		verbs, settings = incidentVerbs[3:], nil // what was said can't be read back
	}
	out := Options{
		Name: o.Name, Kind: kind, Account: o.Account, Sign: o.Sign, Whole: true,
		Calls: map[actions.Verb]Call{}, Headers: map[string]string{},
		wrong: missing("name", o.Name, "URL", o.URL),
	}
	for name, v := range o.Headers {
		out.Headers[name] = v
	}
	if o.Token != "" {
		out.Headers["Authorization"] = "Bearer " + o.Token
	}
	if o.StateURL != "" {
		out.State = stateOf(o, settings)
	}
	for _, v := range verbs {
		body := OwnBody(v)
		if o.Bodies != nil {
			body = o.Bodies[v]
		}
		provable := out.State == nil || out.State.Paths[settingOf(v)] != ""
		if body != "" && provable {
			out.Calls[v] = Call{Method: or(o.Method, http.MethodPost), URL: o.URL, Body: body}
		}
	}
	return out
}

// stateOf is where the settings stand, as far as it is said; nil when the one that the verb sets
// does not.
func stateOf(o OwnOptions, settings []string) *State {
	s := &State{URL: o.StateURL, Paused: o.StatePaused, Paths: map[string]string{}}
	for _, name := range settings {
		path := o.StatePaths[name]
		if len(o.StatePaths) == 0 {
			path = name
		}
		if path != "" {
			s.Paths[name] = path
		}
	}
	if s.Paths[settingOf(o.Verb)] == "" {
		return nil
	}
	return s
}

// OwnBody is the JSON that a verb sends where nothing else is declared: the absolute state that is
// wanted, and who it is for. Members without a value are left out.
func OwnBody(v actions.Verb) string {
	const (
		head = `{"action":"{{verb}}","target":"{{target}}","sale":"{{sale}}","sale_name":"{{sale_name}}","at":"{{at}}","reason":"{{reason}}","change":"{{change}}"`
		body = `,"dedup_key":"{{dedup}}","title":"{{title}}","description":"{{description}}","severity":"{{severity}}","service":"{{service}}",` +
			`"cause":"{{cause}}","figures":"{{figures}}","links":"{{links}}"`
	)
	switch v {
	case actions.Rate:
		return head + `,"rate":"{{to}}"}`
	case actions.Pause, actions.Resume:
		return head + `,"paused":"{{paused}}"}`
	case actions.Incident:
		return head + body + `,"status":"open"}`
	case actions.Acknowledge:
		return head + body + `,"status":"acknowledged"}`
	case actions.Resolve:
		return head + body + `,"status":"resolved"}`
	case actions.AddNote:
		return head + `,"dedup_key":"{{dedup}}","note":"{{note}}"}`
	}
	return ""
}
