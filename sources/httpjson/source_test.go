package httpjson_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/queueit"
	"github.com/onsale-dev/onsale/rehearsal/shop"
	"github.com/onsale-dev/onsale/rehearsal/turnstile"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/httpjson"
	"github.com/onsale-dev/onsale/sources/sourcetest"
)

func made(t *testing.T, o httpjson.Options) *httpjson.Source {
	t.Helper()
	o.Name = "gate"
	s, err := httpjson.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func key(signal string) sale.Key { return sale.Key{Sale: "lantern", Signal: sale.Signal(signal)} }

func expr(signal, text string) httpjson.Query {
	return httpjson.Query{Key: key(signal), Unit: sale.Count, Expr: text}
}

func field(name string, unit sale.Unit) httpjson.Query {
	return httpjson.Query{Key: key(name), Unit: unit, Field: name}
}

func values(b sale.Batch) map[string]float64 {
	got := map[string]float64{}
	for _, r := range b.Readings {
		got[string(r.Signal)] = r.Value
	}
	return got
}

func TestHTTPJSONKeepsTheContract(t *testing.T) {
	answer := func(body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, body)
		})
	}
	escaped, err := json.Marshal(sourcetest.Escape + sourcetest.Secret)
	if err != nil {
		t.Fatal(err)
	}
	sourcetest.Contract(t, sourcetest.Harness{
		New: func(t *testing.T, url string) sources.Source {
			return made(t, httpjson.Options{
				URL: url + "/status", Bearer: sourcetest.Secret, Signing: "0123456789abcdef", Headers: map[string]string{"X-Api-Key": sourcetest.Secret},
				Queries: []httpjson.Query{expr("waiting", ".waiting"), expr("inside", ".inside.people")},
			})
		},
		Healthy:        answer(`{"waiting":12400,"inside":{"people":"4800"}}`),
		Want:           map[sale.Key]sale.Unit{key("waiting"): sale.Count, key("inside"): sale.Count},
		Partial:        answer(`{"waiting":12400,"inside":null}`),
		PartialMissing: []sale.Key{key("inside")},
		Hostile:        answer(`{"waiting":` + string(escaped) + `,"inside":{"people":[` + string(escaped) + `]}}`),
		WrongTypes:     [][]byte{[]byte(`{"waiting":"many","inside":7}`), []byte(`{"waiting":1}{"inside":2}`), []byte(`{"waiting":true,"inside":[]}`)},
		CallsPerPoll:   1,
	})
}

func TestOneRequestCarriesWhatTheEndpointAsksFor(t *testing.T) {
	var got *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("Age", "20")
		_, _ = io.WriteString(w, `{"data":{"queue":{"waiting":"7"}}}`)
	}))
	defer server.Close()
	s := made(t, httpjson.Options{
		URL: server.URL + "/q/a%2Fb", Params: map[string]string{"of": "a b"}, Body: []byte(`{"query":"{queue{waiting}}"}`),
		User: "ops", Password: "pw", Headers: map[string]string{"X-Tenant": "shop"}, Queries: []httpjson.Query{expr("waiting", ".data.queue.waiting")},
	})
	now := time.Date(2026, 12, 4, 10, 8, 0, 0, time.UTC)
	b := s.Read(context.Background(), now)
	if v := values(b); v["waiting"] != 7 || b.Calls != 1 {
		t.Fatalf("%+v", b)
	}
	if user, password, _ := got.BasicAuth(); user != "ops" || password != "pw" || got.Header.Get("X-Tenant") != "shop" || got.RequestURI != "/q/a%2Fb?of=a+b" ||
		got.Method != http.MethodPost || string(body) != `{"query":"{queue{waiting}}"}` || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s %v %q", got.Method, got.RequestURI, got.Header, body)
	}
	if at := b.Readings[0].At; !at.Equal(now.Add(-20 * time.Second)) {
		t.Errorf("dated %v: a cache has kept it for 20 s", at)
	}
}

func TestWithoutATimeThatWasAskedForNoFigureIsTaken(t *testing.T) {
	body := `{"waiting":7,"at":"2026-12-04T10:07:30Z"}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
	defer server.Close()
	s := made(t, httpjson.Options{URL: server.URL, At: ".at", Queries: []httpjson.Query{expr("waiting", ".waiting")}})
	now := time.Date(2026, 12, 4, 10, 8, 0, 0, time.UTC)
	if b := s.Read(context.Background(), now); len(b.Readings) != 1 || !b.Readings[0].At.Equal(now.Add(-30*time.Second)) {
		t.Errorf("%+v", b)
	}
	body = `{"waiting":7,"at":null}`
	if b := s.Read(context.Background(), now); len(b.Readings) != 0 || len(b.Missing) != 1 || !strings.Contains(b.Missing[0].Problem.Text, "how old") {
		t.Errorf("%+v", b)
	}
}

func TestCredentialsDoNotFollowARedirectToAnotherHost(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the other host was asked") }))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer server.Close()
	s := made(t, httpjson.Options{URL: server.URL, Bearer: "canary", Queries: []httpjson.Query{expr("waiting", ".waiting")}})
	if b := s.Read(context.Background(), time.Now()); b.Problem == nil || b.Problem.Class != sale.BadData || !strings.Contains(b.Problem.Text, "not followed") {
		t.Errorf("%+v", b.Problem)
	}
}

func TestADeclarationThatCanNotBeReadIsRefused(t *testing.T) {
	for name, o := range map[string]httpjson.Options{
		"another scheme":             {URL: "ftp://h"},
		"a login in the address":     {URL: "https://a:b@h"},
		"an expression that is none": {URL: "https://h", Queries: []httpjson.Query{expr("a", ".a |")}},
		"a time that is none":        {URL: "https://h", At: "env", Queries: []httpjson.Query{expr("a", ".a")}},
		"an unknown preset":          {URL: "https://h", Preset: "queueit", Queries: []httpjson.Query{expr("a", ".a")}},
		"an unknown field":           {URL: "https://h", Preset: "gate", Queries: []httpjson.Query{field("people", sale.Users)}},
		"a body that is no JSON":     {URL: "https://h", Body: []byte("{"), Queries: []httpjson.Query{expr("a", ".a")}},
		"a short secret":             {URL: "https://h", Signing: "short", Queries: []httpjson.Query{expr("a", ".a")}},
	} {
		o.Name = "gate"
		if _, err := httpjson.New(o); err == nil || strings.Contains(err.Error(), "a:b") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// rehearsed is the small world, a while after its start.
func rehearsed(t *testing.T, at time.Time) *shop.World {
	t.Helper()
	world, err := shop.New(shop.Options{Seed: 1, Start: at, History: 25 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return world
}

func TestQueueItIsReadInTwoCallsAndWithinItsLimit(t *testing.T) {
	now := time.Date(2026, 12, 4, 10, 8, 0, 0, time.UTC)
	server := httptest.NewServer(queueit.New(rehearsed(t, now), queueit.Options{Key: "an-api-key", Now: func() time.Time { return now }}))
	defer server.Close()
	o := httpjson.Options{
		URL: server.URL + "/2_0/event/lantern", Preset: httpjson.QueueIt, Every: time.Second, Headers: map[string]string{"api-key": "an-api-key"},
		Queries: []httpjson.Query{field("waiting_in_queue", sale.Users), field("redirects_last_minute", sale.PerMinute), field("max_redirects_per_minute", sale.PerMinute)},
	}
	s := made(t, o)
	b := s.Read(context.Background(), now)
	if v := values(b); b.Problem != nil || len(b.Readings) != 3 || v["max_redirects_per_minute"] != 800 || b.Calls != 2 {
		t.Fatalf("%+v", b)
	}
	calls, window := s.Budget()
	if info := s.Info(); time.Duration(2*int(window/info.Every)) > time.Duration(calls) || calls >= 10 || window != time.Minute {
		t.Errorf("%d calls per %s at a cadence of %s: ten a minute are for people and actions too", calls, window, info.Every)
	}
	o.Queries = o.Queries[2:]
	if b := made(t, o).Read(context.Background(), now); b.Calls != 1 || len(b.Readings) != 1 {
		t.Errorf("the statistics are asked for though nobody reads them: %+v", b)
	}
	for range 10 {
		b = s.Read(context.Background(), now)
	}
	if b.Problem == nil || b.Problem.Class != sale.Throttled || b.Problem.RetryAfter <= 0 {
		t.Errorf("beyond the limit: %+v", b.Problem)
	}
}

func TestAHomeMadeGateIsReadWithItsSignature(t *testing.T) {
	const secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	world := rehearsed(t, time.Now().Add(-time.Minute))
	gate, err := turnstile.New(world, turnstile.Options{Token: "a-token", Secret: secret, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gate)
	defer server.Close()
	o := httpjson.Options{
		URL: server.URL + "/gates/lantern", Preset: httpjson.Gate, Bearer: "a-token", Signing: secret,
		Queries: []httpjson.Query{field("gate_rate", sale.PerMinute), field("gate_paused", sale.Count), field("passed_per_minute", sale.PerMinute)},
	}
	v := values(made(t, o).Read(context.Background(), time.Now()))
	if len(v) != 3 || v["gate_rate"] < 1 || v["gate_paused"] != 0 {
		t.Errorf("%v", v)
	}
	if _, ok := world.SetBarrier(shop.Turnstile, "lantern", "k", func(b *shop.Barrier) { b.Paused = true }); !ok {
		t.Fatal("no such gate")
	}
	if v := values(made(t, o).Read(context.Background(), time.Now())); v["gate_rate"] != 0 || v["gate_paused"] != 1 {
		t.Errorf("a gate that is shut lets through %v", v)
	}
	o.Signing = ""
	if b := made(t, o).Read(context.Background(), time.Now()); b.Problem == nil || b.Problem.Class != sale.Auth {
		t.Errorf("unsigned: %+v", b.Problem)
	}
}

func TestAQueueOfRabbitMQHasNoRatesBeforeItsFirstMessage(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI != "/api/queues/%2F/orders" {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, `{"name":"orders","messages":20,"messages_ready":15,"messages_unacknowledged":5,"consumers":2,"message_stats":{"publish":20,"publish_details":{"rate":4.0}}}`)
	}))
	defer server.Close()
	var queries []httpjson.Query
	for _, f := range httpjson.Fields(httpjson.RabbitMQ) {
		queries = append(queries, field(f, sale.Count))
	}
	b := made(t, httpjson.Options{URL: server.URL + "/api/queues/%2F/orders", Preset: httpjson.RabbitMQ, User: "ops", Password: "pw", Queries: queries}).Read(context.Background(), time.Now())
	v := values(b)
	if v["messages"] != 20 || v["messages_ready"] != 15 || v["messages_unacknowledged"] != 5 || v["consumers"] != 2 || v["publish_rate"] != 4 || len(v) != 5 || len(b.Missing) != 2 {
		t.Errorf("%v, missing %+v", v, b.Missing)
	}
}
