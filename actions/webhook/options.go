package webhook

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// System is this executor's name in targets and in the journal.
const System = "webhook"

// The settings. An incident is open, acknowledged or resolved; a note is its words.
const (
	SettingRate   = "rate"   // people per minute
	SettingPaused = "paused" // nobody new is let in
	SettingStatus = "status"
	SettingNote   = "note"
)

// SafeAdmission is the signal that Safe reads unless another function is given: people per minute
// that the site can carry. It is not one of the standard signals.
const SafeAdmission = actions.SafeAdmission

// Call is the HTTP request of one verb.
type Call struct {
	Method string // default POST
	URL    string // http or https; see the placeholders
	Body   string // a JSON document; see the placeholders; empty: none
}

// Options configure an executor. Name and Calls are required; QueueIt, Slack, JiraServiceManagement,
// IncidentIO and Rootly make them for known tools.
type Options struct {
	Name    string // of the target, which the policy compares
	Kind    string // of the target; default webhook
	Account string // of the target; may be empty

	Calls   map[actions.Verb]Call
	Headers map[string]string // of every call; their values are secrets
	// Sign is the secret of the signature: "whsec_" and base64, or at least 16 bytes. Empty: none.
	Sign    string
	Secrets []string // more that must never appear in a text

	State    *State // nil: acceptance is the proof
	Budget   Budget
	Limit    *Limit        // counts Budget's calls for several executors; nil: one of its own
	Deadline time.Duration // of one write; 0: 10 s
	Client   *http.Client  // nil makes one; redirects are never followed

	// Min and Max bound a rate, people per minute; Max 0 means 1,000,000.
	Min, Max float64
	Whole    bool // only whole numbers
	// Safe is how many people per minute the site can carry. nil reads the signal SafeAdmission.
	Safe func(seen actions.Evidence) (perMinute float64, known bool)
	// Soonest and Latest bound the time until the effect can be seen; 0: not known.
	Soonest, Latest time.Duration
	Proof           Proof

	// Summary is what an incident says when nobody gives words; Severity and Service are told along.
	Summary, Severity, Service string

	Names map[sale.ID]string // of the sales, for an incident's title
	Links map[sale.ID][]sale.Link

	// Refusals says why a verb that has no call can't be had here.
	Refusals map[actions.Verb]string
	// Accepted is what an acceptance means, in words: "a message pages nobody".
	Accepted string

	escape   func(string) string     // of texts, where the tool gives characters a meaning
	answered func(data []byte) error // what of a 2xx is no acceptance

	requestID func(data []byte) string // where the tool says it in its answer, not in a header
	bounded   map[string]int           // the tool's own longest texts, in characters
	readBack  actions.ReadBackPlan     //
	plain     bool                     // the tool knows no Idempotency-Key
	repeats   bool                     // the tool knows no deduplication either
	wrong     error                    // what of a preset's own options can't work
}

// Target is what an executor of these options acts on.
func (o Options) Target() actions.Target {
	kind := o.Kind
	if kind == "" {
		kind = "webhook"
	}
	return actions.Target{System: System, Kind: kind, Name: o.Name, Account: o.Account}
}

// call is a compiled Call.
type call struct {
	method    string
	url, body *template
}

func compile(v actions.Verb, c Call) (*call, error) {
	method := strings.ToUpper(c.Method)
	if method == "" {
		method = http.MethodPost
	}
	out := &call{method: method}
	if !slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, method) {
		return nil, fmt.Errorf("%s: the method is POST, PUT, PATCH or DELETE", v)
	}
	var err error
	if out.url, err = address(c.URL); err != nil {
		return nil, fmt.Errorf("%s: %w", v, err)
	}
	if c.Body != "" {
		if out.body, err = compileBody(c.Body); err != nil {
			return nil, fmt.Errorf("%s: %w", v, err)
		}
	}
	switch rate := out.uses(holeTo); {
	case v == actions.Rate && !rate:
		return nil, errors.New("rate: the body must say the absolute rate, {{to}}")
	case v != actions.Rate && rate:
		return nil, fmt.Errorf("%s: only rate has a {{to}}", v)
	}
	return out, nil
}

func (c *call) uses(name string) bool { return c.url.has(name) || c.body != nil && c.body.has(name) }

// address checks a URL. Its text is a secret, so that no error repeats it.
func address(text string) (*template, error) {
	u, err := url.Parse(hole.ReplaceAllString(text, "x"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return nil, errors.New("the URL must be a full http or https address without a user")
	}
	return compileURL(text)
}

// verbs that a webhook can do, and whether they are for a gate.
var gateVerbs = []actions.Verb{actions.Rate, actions.Pause, actions.Resume}

var incidentVerbs = []actions.Verb{actions.Incident, actions.Acknowledge, actions.Resolve, actions.AddNote}

// New makes an executor. It sends nothing.
func New(o Options) (*Executor, error) {
	bad := func(err error) (*Executor, error) { return nil, fmt.Errorf("webhook %s: %w", o.Name, err) }
	if o.wrong != nil {
		return bad(o.wrong)
	}
	if o.Name == "" || len(o.Calls) == 0 {
		return bad(errors.New("a name and at least one call are needed"))
	}
	if o.Deadline <= 0 {
		o.Deadline = 10 * time.Second
	}
	if o.Limit == nil {
		o.Limit = NewLimit(o.Budget)
	}
	if o.Max == 0 {
		o.Max = 1e6
	}
	if o.Min < 0 || !(o.Max > o.Min) || math.IsInf(o.Max, 0) {
		return bad(fmt.Errorf("the bounds %v to %v are none", o.Min, o.Max))
	}
	if o.Safe == nil {
		o.Safe = func(seen actions.Evidence) (float64, bool) {
			safe := seen.Signal(SafeAdmission)
			return safe.Value, safe.Usable()
		}
	}
	e := &Executor{calls: map[actions.Verb]*call{}, limit: o.Limit}
	var err error
	if e.signing, err = signingKey(o.Sign); err != nil {
		return bad(err)
	}
	for v, c := range o.Calls {
		if !slices.Contains(gateVerbs, v) && !slices.Contains(incidentVerbs, v) {
			return bad(fmt.Errorf("a webhook can't do %q", v))
		}
		if e.calls[v], err = compile(v, c); err != nil {
			return bad(err)
		}
	}
	if err := e.checkState(o.State); err != nil {
		return bad(err)
	}
	e.client = client(o.Client)
	e.secrets = secretsOf(o)
	e.o = o
	return e, nil
}

// checkState says what of a state can't work: every setting that is set must be readable.
func (e *Executor) checkState(s *State) error {
	if s == nil {
		return nil
	}
	var err error
	if e.state, err = address(s.URL); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	for v := range e.calls {
		name := settingOf(v)
		if name == SettingNote {
			return errors.New("a note can't be read back: give it a webhook of its own, without a state")
		}
		if s.Paths[name] == "" {
			return fmt.Errorf("state: %s sets %q, and no path says where that stands", v, name)
		}
	}
	for name := range s.Paths {
		if name != SettingRate && name != SettingPaused && name != SettingStatus {
			return fmt.Errorf("state: there is no setting %q", name)
		}
	}
	return nil
}

func client(given *http.Client) *http.Client {
	c := http.Client{Transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    2,
		MaxConnsPerHost:        8,
		IdleConnTimeout:        30 * time.Second,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}}
	if given != nil {
		c = *given
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// secretsOf lists what must never appear in a text, the longest first.
func secretsOf(o Options) []string {
	all := append([]string{o.Sign}, o.Secrets...)
	add := func(headers map[string]string) {
		for name, v := range headers {
			if !strings.EqualFold(name, "Content-Type") && !strings.EqualFold(name, "Accept") {
				all = append(all, v)
				all = append(all, strings.Fields(v)...)
			}
		}
	}
	addURL := func(text string) {
		all = append(all, text)
		if u, err := url.Parse(hole.ReplaceAllString(text, "x")); err == nil {
			all = append(all, u.RequestURI(), u.RawQuery)
			for _, values := range u.Query() {
				all = append(all, values...)
			}
			for part := range strings.SplitSeq(u.Path, "/") {
				if len(part) >= 16 {
					all = append(all, part)
				}
			}
		}
	}
	add(o.Headers)
	for _, c := range o.Calls {
		addURL(c.URL)
	}
	if o.State != nil {
		add(o.State.Headers)
		addURL(o.State.URL)
	}
	all = slices.DeleteFunc(all, func(s string) bool { return len(s) < 8 || s == "GenieKey" })
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(all)
}
