package webhook

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/actiontest"
	"github.com/onsale-dev/onsale/sale"
)

const (
	apiKey  = "canary-api-key-4be2d0c1"
	signKey = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

// peer is a gate, or a tool that takes anything, on loopback.
type peer struct {
	t   *testing.T
	url string

	mu      sync.Mutex
	gate    map[string]any
	fault   actiontest.Fault
	blind   bool
	made    []sent
	say     string
	answers func(w http.ResponseWriter, r *http.Request) bool
}

type sent struct {
	method, uri string
	header      http.Header
	body        string
}

func begin(t *testing.T) *peer {
	t.Helper()
	p := &peer{t: t, fault: actiontest.None, gate: map[string]any{"rate": 800, "paused": false}, say: `{"result":"accepted"}`}
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	p.url = srv.URL
	return p
}

func (p *peer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	write := r.Method != http.MethodGet
	p.mu.Lock()
	if write {
		p.made = append(p.made, sent{r.Method, r.URL.RequestURI(), r.Header.Clone(), string(data)})
		p.blind = p.blind || p.fault == actiontest.Blind
	}
	fault, blind, answers := p.fault, p.blind, p.answers
	p.mu.Unlock()
	switch {
	case answers != nil && answers(w, r):
	case !write && blind:
		panic(http.ErrAbortHandler)
	case !write:
		p.mu.Lock()
		defer p.mu.Unlock()
		_ = json.NewEncoder(w).Encode(map[string]any{"data": []any{p.gate}})
	case fault == actiontest.Reject:
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "no right for "+apiKey+" \x1b[2J")
	case fault == actiontest.Break:
		w.WriteHeader(http.StatusServiceUnavailable)
	case fault == actiontest.Hang:
		<-r.Context().Done()
	default:
		if fault != actiontest.Ignore {
			p.take(data)
		}
		if fault == actiontest.Lose || fault == actiontest.Blind {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("X-Request-Id", "req-1")
		_, _ = io.WriteString(w, p.say)
	}
}

func (p *peer) take(data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var in map[string]any
	if json.Unmarshal(data, &in) == nil {
		for name, v := range in {
			p.gate[name] = v
		}
	}
}

func (p *peer) set(f actiontest.Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
	if f == actiontest.None {
		p.blind = false
	}
}

func (p *peer) wrote() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.made)
}

func (p *peer) last() sent {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.made) == 0 {
		p.t.Fatal("nothing was sent")
	}
	return p.made[len(p.made)-1]
}

// gateOptions are those of a gate with a state.
func (p *peer) gateOptions() Options {
	return Options{
		Name: "harbour gate", Headers: map[string]string{"X-Api-Key": apiKey}, Sign: signKey, Max: 5000, Min: 5, Whole: true,
		Calls: map[actions.Verb]Call{
			actions.Rate:   {URL: p.url + "/gate", Body: `{"rate":"{{to}}"}`},
			actions.Pause:  {URL: p.url + "/gate", Body: `{"paused":"{{paused}}"}`},
			actions.Resume: {URL: p.url + "/gate", Body: `{"paused":"{{paused}}"}`},
		},
		State: &State{URL: p.url + "/gate", Paths: map[string]string{SettingRate: "data.0.rate", SettingPaused: "data.0.paused"}},
	}
}

func made(t *testing.T, o Options) *Executor {
	t.Helper()
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func to(n float64) *float64 { return &n }

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
}

func rejectedOf(err error) *actions.RejectedError {
	var r *actions.RejectedError
	if errors.As(err, &r) {
		return r
	}
	return nil
}

func TestAGateWithAStateKeepsTheContract(t *testing.T) {
	actiontest.Run(t, func(t *testing.T) actiontest.Rig {
		p := begin(t)
		return actiontest.Rig{
			Executor: made(t, p.gateOptions()), Sale: "lantern",
			Good: []actions.Request{
				{Sale: "lantern", Verb: actions.Rate, To: to(600)}, {Sale: "lantern", Verb: actions.Pause},
			},
			Bad: []actions.Request{
				{Sale: "lantern", Verb: actions.Rate, To: to(4)}, {Sale: "lantern", Verb: actions.Rate, To: to(600.5)}, {Sale: "lantern", Verb: actions.Rate, To: to(5001)},
			},
			Writes: p.wrote, Fault: p.set, Secrets: []string{apiKey, signKey},
			Change: func() { p.take([]byte(`{"rate":700}`)) },
		}
	})
}

// presets are the incident tools, pointed at a peer.
func presets(p *peer) map[string]Options {
	all := map[string]Options{
		"slack":       Slack(SlackOptions{URL: p.url + "/services/T0000/B0000/" + apiKey}),
		"jsm":         JiraServiceManagement(JSMOptions{BaseURL: p.url, Key: apiKey, Priority: "P2"}),
		"incident.io": IncidentIO(IncidentIOOptions{BaseURL: p.url, Source: "01SOURCE", Token: apiKey}),
		"rootly":      Rootly(RootlyOptions{URL: p.url + "/webhooks/incoming/generic_webhooks/notify/service/42", Secret: apiKey}),
	}
	for name, o := range all {
		o.Names = map[sale.ID]string{"lantern": "Harbour Hall <The Lanterns>"}
		o.Links = map[sale.ID][]sale.Link{"lantern": {{Title: "dashboard", URL: "https://grafana.example/d/1?a=1&b=2"}}}
		all[name] = o
	}
	return all
}

// TestEveryPresetOfAnIncidentToolKeepsTheContract leaves out the one promise that needs a state to
// be read: nobody can be asked whether somebody else has opened an incident there.
func TestEveryPresetOfAnIncidentToolKeepsTheContract(t *testing.T) {
	for _, name := range []string{"slack", "jsm", "incident.io", "rootly"} {
		t.Run(name, func(t *testing.T) {
			for _, c := range actiontest.Checks() {
				if c.Name == "a target changed since the preview is not overwritten" {
					continue
				}
				t.Run(c.Name, func(t *testing.T) {
					p := begin(t)
					if name == "slack" {
						p.say = "ok"
					}
					o := presets(p)[name]
					o.Budget = Budget{}
					e := made(t, o)
					rig := actiontest.Rig{Executor: e, Sale: "lantern", Writes: p.wrote, Fault: p.set, Change: func() {}, Secrets: []string{apiKey}}
					for _, v := range e.Info().Verbs {
						rig.Good = append(rig.Good, actions.Request{Sale: "lantern", Verb: v, Text: "payments decline"})
					}
					err := c.Run(t.Context(), rig)
					if err != nil && !strings.Contains(err.Error(), "not applicable") && !strings.Contains(err.Error(), "no state to read back") {
						t.Error(err)
					}
				})
			}
		})
	}
}
