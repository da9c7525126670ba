package alertmanager_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/actiontest"
	"github.com/onsale-dev/onsale/actions/alertmanager"
	"github.com/onsale-dev/onsale/sale"
)

const (
	saleID = sale.ID("harbour")
	token  = "canary-bearer-token-1"
)

// front is one peer behind something that can fail.
type front struct {
	t      *testing.T
	back   http.Handler
	server *httptest.Server

	mu     sync.Mutex
	fault  actiontest.Fault
	writes int
	sent   []string
	auth   []string
	answer func(w http.ResponseWriter, r *http.Request) bool // true: answered
}

func newFront(t *testing.T, back http.Handler) *front {
	t.Helper()
	f := &front{t: t, back: back, fault: actiontest.None}
	f.server = httptest.NewServer(f)
	t.Cleanup(f.server.Close)
	return f
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.mu.Lock()
	fault, special := f.fault, f.answer
	write := r.Method != http.MethodGet
	if write {
		f.writes++
		f.sent = append(f.sent, r.URL.Path+" "+string(body))
	}
	f.auth = append(f.auth, r.Header.Get("Authorization"))
	f.mu.Unlock()
	switch {
	case special != nil && special(w, r):
	case fault == actiontest.Blind && !write, fault == actiontest.Hang && write:
		<-r.Context().Done()
	case !write:
		f.back.ServeHTTP(w, r)
	case fault == actiontest.Reject:
		w.WriteHeader(http.StatusForbidden)
	case fault == actiontest.Break:
		w.WriteHeader(http.StatusServiceUnavailable)
	case fault == actiontest.Ignore:
		w.Header().Set("Content-Type", "application/json")
	case fault == actiontest.Lose, fault == actiontest.Blind:
		f.back.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	default:
		f.back.ServeHTTP(w, r)
	}
}

func (f *front) set(fault actiontest.Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
}

func (f *front) special(answer func(http.ResponseWriter, *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

func (f *front) wrote() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.writes
}

func (f *front) bodies() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.sent...)
}

// raise makes an alert as another cockpit would, past the front.
func (f *front) raise(cause string) {
	f.t.Helper()
	now := time.Now().Add(-2 * time.Second).UTC()
	body, _ := json.Marshal([]map[string]any{{
		"labels":   map[string]string{"alertname": alertmanager.DefaultAlertName, "sale": string(saleID), "cause": cause, "severity": "critical", "team": "shop"},
		"startsAt": now, "endsAt": now.Add(time.Hour),
	}})
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/api/v2/alerts", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	f.back.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		f.t.Fatalf("raise: %d %s", w.Code, w.Body)
	}
}

func options(fronts ...*front) alertmanager.Options {
	o := alertmanager.Options{
		Name: "shop", Bearer: token, Silence: 30 * time.Minute, Labels: map[string]string{"team": "shop"},
		GeneratorURL: "https://cockpit.shop.example/harbour",
		Sale: func(id sale.ID) *sale.Sale {
			return &sale.Sale{
				ID: id, Name: "Copper Heron · Harbour Hall", Links: []sale.Link{{Title: "dashboard", URL: "https://graphs.shop.example/d/sale"}, {Title: "odd", URL: "javascript:alert(1)"}},
				Signals: []sale.Spec{{Signal: sale.PaymentFailureRatio, Label: "declines", Runbook: "https://runbooks.shop.example/payment"}},
			}
		},
	}
	for _, f := range fronts {
		o.Peers = append(o.Peers, f.server.URL)
	}
	return o
}

func executor(t *testing.T, o alertmanager.Options) *alertmanager.Executor {
	t.Helper()
	x, err := alertmanager.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// seen is a sale whose payments decline.
func seen() actions.Evidence {
	now := time.Now()
	return actions.Evidence{
		At: now, Known: true, Phase: sale.Live, Verdict: sale.Bad,
		Reasons: []sale.Reason{
			{Signal: sale.PaymentFailureRatio, Verdict: sale.Bad, Text: "declines 7.0 % > 5.0 % for 2:53", Since: now.Add(-3 * time.Minute)},
			{Signal: sale.DBConnections, Verdict: sale.Watch, Text: "connections 92 % > 80 %", Since: now.Add(-2 * time.Minute)},
		},
		Signals: []actions.Observed{
			{Signal: sale.PaymentFailureRatio, Label: "declines", Unit: sale.Ratio, Has: true, Value: 0.07, At: now.Add(-9 * time.Second), Age: 9 * time.Second, Freshness: sale.Fresh, Verdict: sale.Bad},
			{Signal: sale.TicketsLeft, Label: "left", Unit: sale.Tickets, Freshness: sale.NoData, Verdict: sale.Unknown},
		},
	}
}

func ask(verb actions.Verb) actions.Request { return actions.Request{Sale: saleID, Verb: verb} }

func preview(t *testing.T, x *alertmanager.Executor, req actions.Request, e actions.Evidence) actions.Preview {
	t.Helper()
	p, err := x.Preview(t.Context(), req, e)
	if err != nil {
		t.Fatal(err)
	}
	if p.Refused() {
		t.Fatalf("%s is refused: %s", req.Verb, p.Refusals[0].Text)
	}
	return p
}

// do previews and executes.
func do(t *testing.T, x *alertmanager.Executor, verb actions.Verb) (actions.Preview, actions.Receipt) {
	t.Helper()
	p := preview(t, x, ask(verb), seen())
	r, err := x.Execute(t.Context(), p, "key")
	if err != nil {
		t.Fatalf("%s: %v", verb, err)
	}
	return p, r
}

// holds reads back until the target holds what was sent; gossip takes its time.
func holds(t *testing.T, x *alertmanager.Executor, p actions.Preview) actions.State {
	t.Helper()
	var last any
	for range 200 {
		state, err := x.ReadBack(t.Context(), p)
		if err == nil && state.Value.Holds(p.To) {
			return state
		}
		last = err
		if err == nil {
			last = state.Value
		}
		select {
		case <-t.Context().Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("%s: it holds %v, want %s", p.Request.Verb, last, p.To)
	return actions.State{}
}

func joined(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}
