package webhook

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/actiontest"
	"github.com/onsale-dev/onsale/rehearsal/inbox"
	"github.com/onsale-dev/onsale/rehearsal/queueit"
	"github.com/onsale-dev/onsale/rehearsal/shop"
	"github.com/onsale-dev/onsale/rehearsal/turnstile"
	"github.com/onsale-dev/onsale/sale"
)

// wire is a rehearsed system on loopback, with faults put between it and the executor.
type wire struct {
	real  http.Handler
	url   string
	mu    sync.Mutex
	fault actiontest.Fault
	blind bool
	made  []sent
}

func rehearse(t *testing.T, real http.Handler) *wire {
	t.Helper()
	w := &wire{real: real, fault: actiontest.None}
	srv := httptest.NewServer(w)
	t.Cleanup(srv.Close)
	w.url = srv.URL
	return w
}

func (x *wire) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(data))
	write := r.Method != http.MethodGet
	x.mu.Lock()
	fault, blind := x.fault, x.blind
	if write {
		x.made = append(x.made, sent{r.Method, r.URL.RequestURI(), r.Header.Clone(), string(data)})
		x.blind = x.blind || fault == actiontest.Blind
	}
	x.mu.Unlock()
	switch {
	case !write && blind:
		panic(http.ErrAbortHandler)
	case !write || fault == actiontest.None:
		x.real.ServeHTTP(w, r)
	case fault == actiontest.Lose || fault == actiontest.Blind:
		x.real.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case fault == actiontest.Reject:
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "no right for "+apiKey+" \x1b[2J")
	case fault == actiontest.Break:
		turnstile.Failure().ServeHTTP(w, r)
	case fault == actiontest.Hang:
		<-r.Context().Done()
	case fault == actiontest.Ignore:
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, "ok")
	}
}

func (x *wire) set(f actiontest.Fault) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.fault = f; f == actiontest.None {
		x.blind = false
	}
}

func (x *wire) wrote() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.made)
}

func world(t *testing.T) *shop.World {
	t.Helper()
	w, err := shop.New(shop.Options{Seed: 1, Start: time.Now(), History: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// gateSecret is long enough for the rehearsed gate.
const gateSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G"

// ownGate is the rehearsed gate of the shop's own, and an executor of a verb that calls it.
func ownGate(t *testing.T, verb actions.Verb) (*shop.World, *wire, *Executor) {
	t.Helper()
	w := world(t)
	gate, err := turnstile.New(w, turnstile.Options{Token: apiKey, Secret: gateSecret, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	x := rehearse(t, gate)
	e := made(t, Own(OwnOptions{Name: "lantern", URL: x.url + "/gates/{{target}}", StateURL: x.url + "/gates/{{target}}", Token: apiKey, Sign: gateSecret, Verb: verb}))
	return w, x, e
}

func TestTheRehearsedGateKeepsTheContract(t *testing.T) {
	t.Parallel()
	for _, first := range []actions.Request{{Sale: "lantern", Verb: actions.Pause}, {Sale: "lantern", Verb: actions.Rate, To: to(300)}} {
		t.Run(string(first.Verb), func(t *testing.T) {
			t.Parallel()
			actiontest.Run(t, func(t *testing.T) actiontest.Rig {
				w, x, e := ownGate(t, first.Verb)
				return actiontest.Rig{
					Executor: e, Sale: "lantern",
					Good:   []actions.Request{first, {Sale: "lantern", Verb: actions.Pause, Reason: "again"}, {Sale: "lantern", Verb: actions.Rate, To: to(250)}},
					Bad:    []actions.Request{{Sale: "lantern", Verb: actions.Rate, To: to(600.5)}, {Sale: "lantern", Verb: actions.Resume, To: to(200)}},
					Writes: x.wrote, Fault: x.set, Secrets: []string{apiKey, gateSecret},
					Change: func() {
						w.SetBarrier(shop.Turnstile, "lantern", "a colleague", func(b *shop.Barrier) { b.Paused, b.PerMinute = !b.Paused, b.PerMinute+1 })
					},
				}
			})
		})
	}
}

func TestRehearsedQueueItKeepsTheContract(t *testing.T) {
	t.Parallel()
	actiontest.Run(t, func(t *testing.T) actiontest.Rig {
		w := world(t)
		x := rehearse(t, unlimited(w))
		o := QueueIt(QueueItOptions{BaseURL: x.url, Event: "lantern", Key: apiKey})
		o.Budget = Budget{} // the limit has a test of its own
		return actiontest.Rig{
			Executor: made(t, o), Sale: "lantern",
			Good:   []actions.Request{{Sale: "lantern", Verb: actions.Rate, To: to(300)}},
			Bad:    []actions.Request{{Sale: "lantern", Verb: actions.Rate, To: to(4)}, {Sale: "lantern", Verb: actions.Rate, To: to(300.5)}},
			Writes: x.wrote, Fault: x.set, Secrets: []string{apiKey},
			Change: func() {
				w.SetBarrier(shop.QueueIt, "lantern", "a colleague", func(b *shop.Barrier) { b.PerMinute++ })
			},
		}
	})
}

// unlimited is Queue-it with a clock that runs a minute with each call.
func unlimited(w *shop.World) http.Handler {
	var mu sync.Mutex
	at := time.Now()
	return queueit.New(w, queueit.Options{Key: apiKey, Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(time.Minute)
		return at
	}})
}

func TestTenCallsAMinuteToQueueItAreNeverPassed(t *testing.T) {
	w := world(t)
	x := rehearse(t, queueit.New(w, queueit.Options{Key: apiKey, Now: time.Now}))
	limit := NewLimit(Budget{Calls: 10, Per: time.Minute})
	executor := func() *Executor {
		o := QueueIt(QueueItOptions{BaseURL: x.url, Event: "lantern", Key: apiKey})
		o.Limit = limit
		return made(t, o)
	}
	reads := 0
	for range 20 {
		if _, err := executor().Preview(t.Context(), actions.Request{Sale: "lantern", Verb: actions.Rate, To: to(300)}, actions.Evidence{}); err == nil {
			reads++
		}
	}
	if reads != 5 {
		t.Errorf("executors that share a limit look %d times a minute, not half of ten", reads)
	}
	p := actions.Preview{
		Request: actions.Request{Sale: "lantern", Verb: actions.Rate}, Target: executor().Target(),
		From: actions.Value{SettingRate: actions.Number(800)}, To: actions.Value{SettingRate: actions.Number(300)},
	}
	if _, err := executor().Execute(t.Context(), p, "k"); err != nil {
		t.Errorf("there is no room left for the write: %v", err)
	}
	if b, _ := w.Barrier(shop.QueueIt, "lantern"); b.PerMinute != 300 {
		t.Errorf("the speed is %d", b.PerMinute)
	}
}

// tools are the rehearsed incident tools, and the options that call each.
func tools(t *testing.T) map[string]func() (*wire, Options) {
	o := inbox.Options{Process: -1}
	return map[string]func() (*wire, Options){
		"slack": func() (*wire, Options) {
			s := inbox.NewSlack(apiKey, inbox.Options{Now: faster()})
			x := rehearse(t, s)
			return x, Slack(SlackOptions{URL: x.url + s.Path()})
		},
		"jira": func() (*wire, Options) {
			x := rehearse(t, inbox.NewJira(apiKey, o))
			return x, JiraServiceManagement(JSMOptions{BaseURL: x.url, Key: apiKey})
		},
		"incident.io": func() (*wire, Options) {
			x := rehearse(t, inbox.NewIncidentIO("01SOURCE", apiKey, o))
			return x, IncidentIO(IncidentIOOptions{BaseURL: x.url, Source: "01SOURCE", Token: apiKey})
		},
		"rootly": func() (*wire, Options) {
			x := rehearse(t, inbox.NewRootly(apiKey, o))
			return x, Rootly(RootlyOptions{URL: x.url + "/webhooks/incoming/generic_webhooks", Secret: apiKey})
		},
	}
}

// faster is a clock on which every look takes a second.
func faster() func() time.Time {
	var mu sync.Mutex
	at := time.Now()
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(time.Second)
		return at
	}
}

// TestTheRehearsedToolsKeepTheContract leaves out what needs a state to be read: see
// TestEveryPresetOfAnIncidentToolKeepsTheContract.
func TestTheRehearsedToolsKeepTheContract(t *testing.T) {
	for name := range tools(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, c := range actiontest.Checks() {
				if c.Name == "a target changed since the preview is not overwritten" {
					continue
				}
				t.Run(c.Name, func(t *testing.T) {
					x, o := tools(t)[name]()
					o.Budget = Budget{}
					o.Names = map[sale.ID]string{"lantern": "The Lanterns"}
					e := made(t, o)
					rig := actiontest.Rig{Executor: e, Sale: "lantern", Writes: x.wrote, Fault: x.set, Change: func() {}, Secrets: []string{apiKey}}
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

func TestTheRequestsIdIsTakenFromJirasAnswer(t *testing.T) {
	_, o := tools(t)["jira"]()
	_, r, err := send(t, made(t, o), actions.Request{Verb: actions.Incident, Text: "payments decline"}, actions.Evidence{})
	if err != nil || len(r.RequestID) != 36 {
		t.Errorf("%+v %v", r, err)
	}
}
