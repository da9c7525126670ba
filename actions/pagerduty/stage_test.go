package pagerduty_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/actiontest"
	"github.com/onsale-dev/onsale/actions/pagerduty"
	rehearsal "github.com/onsale-dev/onsale/rehearsal/pagerduty"
	"github.com/onsale-dev/onsale/sale"
)

const (
	routingKey = "e93facc04764012d7bfb002500d5d1a6"
	restToken  = "u+canary-REST-token-1"
	sender     = "oncall@shop.example"
	saleID     = sale.ID("harbour")
	service    = "ticketing"
)

// stage is the rehearsal's PagerDuty behind a front that can fail, and that keeps the notes of
// incidents, which the rehearsal does not.
type stage struct {
	t      *testing.T
	back   *rehearsal.Server
	server *httptest.Server

	mu       sync.Mutex
	fault    actiontest.Fault
	writes   int
	requests []request
	notes    map[string][]string
	answer   func(w http.ResponseWriter, r *http.Request) bool // true: answered
}

type request struct {
	method, path, query, body string
	header                    http.Header
}

func newStage(t *testing.T) *stage {
	t.Helper()
	return newStageOf(t, rehearsal.Options{Process: -1, Page: -1})
}

func newStageOf(t *testing.T, o rehearsal.Options) *stage {
	t.Helper()
	o.RoutingKeys, o.Token = map[string]string{routingKey: service}, restToken
	back, err := rehearsal.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, back: back, fault: actiontest.None, notes: map[string][]string{}}
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	return s
}

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	fault, special := s.fault, s.answer
	write := r.Method != http.MethodGet
	if write {
		s.writes++
	}
	s.requests = append(s.requests, request{r.Method, r.URL.Path, r.URL.RawQuery, string(body), r.Header.Clone()})
	s.mu.Unlock()
	if special != nil && special(w, r) {
		return
	}
	switch {
	case fault == actiontest.Blind && !write, fault == actiontest.Hang && write:
		<-r.Context().Done()
	case !write:
		s.pass(w, r, body)
	case fault == actiontest.Reject:
		w.WriteHeader(http.StatusForbidden)
	case fault == actiontest.Break:
		rehearsal.Failure().ServeHTTP(w, r)
	case fault == actiontest.Ignore:
		var e struct {
			DedupKey string `json:"dedup_key"`
		}
		_ = json.Unmarshal(body, &e)
		w.WriteHeader(http.StatusAccepted)
		_ = json.NewEncoder(w).Encode(map[string]string{"status": "success", "message": "Event processed", "dedup_key": e.DedupKey})
	case fault == actiontest.Lose, fault == actiontest.Blind:
		s.pass(httptest.NewRecorder(), r, body)
		panic(http.ErrAbortHandler)
	default:
		s.pass(w, r, body)
	}
}

// pass answers notes itself and leaves the rest to the rehearsal.
func (s *stage) pass(w http.ResponseWriter, r *http.Request, body []byte) {
	id, isNotes := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/incidents/"), "/notes")
	if !isNotes {
		s.back.ServeHTTP(w, r)
		return
	}
	if r.Header.Get("Authorization") != "Token token="+restToken || r.Method == http.MethodPost && r.Header.Get("From") == "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodPost {
		var n struct{ Note struct{ Content string } }
		_ = json.Unmarshal(body, &n)
		s.notes[id] = append(s.notes[id], n.Note.Content)
		w.WriteHeader(http.StatusCreated)
	}
	list := []map[string]string{}
	for _, text := range s.notes[id] {
		list = append(list, map[string]string{"content": text, "created_at": time.Now().UTC().Format(time.RFC3339)})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"notes": list})
}

func (s *stage) set(f actiontest.Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

func (s *stage) special(answer func(http.ResponseWriter, *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *stage) wrote() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// sent lists the bodies of the writes.
func (s *stage) sent() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []request
	for _, r := range s.requests {
		if r.method != http.MethodGet {
			all = append(all, r)
		}
	}
	return all
}

// event sends an event past the front, as another cockpit would.
func (s *stage) event(action, key string) {
	s.t.Helper()
	body, _ := json.Marshal(map[string]any{
		"routing_key": routingKey, "event_action": action, "dedup_key": key,
		"payload": map[string]string{"summary": "from elsewhere", "source": "test", "severity": "critical"},
	})
	w := httptest.NewRecorder()
	s.back.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v2/enqueue", bytes.NewReader(body)))
	if w.Code != http.StatusAccepted {
		s.t.Fatalf("%s: %d %s", action, w.Code, w.Body)
	}
}

// options are those of an executor on this stage, with a REST token.
func (s *stage) options() pagerduty.Options {
	return pagerduty.Options{
		Name: service, RoutingKey: routingKey, EventsURL: s.server.URL, Token: restToken, From: sender, APIURL: s.server.URL,
		Sale: func(id sale.ID) *sale.Sale {
			return &sale.Sale{
				ID: id, Name: "Copper Heron · Harbour Hall", Group: "shop-prod",
				Links:   []sale.Link{{Title: "dashboard", URL: "https://graphs.shop.example/d/sale?var=harbour"}, {Title: "odd", URL: "javascript:alert(1)"}},
				Signals: []sale.Spec{{Signal: sale.PaymentFailureRatio, Label: "declines", Runbook: "https://runbooks.shop.example/payment"}},
			}
		},
	}
}

func (s *stage) executor(change ...func(*pagerduty.Options)) *pagerduty.Executor {
	s.t.Helper()
	o := s.options()
	for _, c := range change {
		c(&o)
	}
	x, err := pagerduty.New(o)
	if err != nil {
		s.t.Fatal(err)
	}
	return x
}

func withoutToken(o *pagerduty.Options) { o.Token, o.From = "", "" }

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
			{Signal: sale.Waiting, Label: "waiting", Unit: sale.Users, Has: true, Value: 12240, Estimate: true, At: now.Add(-35 * time.Second), Age: 35 * time.Second, Freshness: sale.Fresh, Verdict: sale.OK},
			{Signal: sale.PaymentFailureRatio, Label: "declines", Unit: sale.Ratio, Has: true, Value: 0.07, At: now.Add(-9 * time.Second), Age: 9 * time.Second, Freshness: sale.Fresh, Verdict: sale.Bad},
			{Signal: sale.TicketsLeft, Label: "left", Unit: sale.Tickets, Freshness: sale.NoData, Verdict: sale.Unknown},
		},
	}
}

func ask(verb actions.Verb) actions.Request { return actions.Request{Sale: saleID, Verb: verb} }

// preview fails the test unless the request can be met.
func preview(t *testing.T, x *pagerduty.Executor, req actions.Request, e actions.Evidence) actions.Preview {
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

func joined(p actions.Preview) string {
	text, _ := json.Marshal(p)
	return string(text)
}
