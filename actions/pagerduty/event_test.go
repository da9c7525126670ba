package pagerduty_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/pagerduty"
	"github.com/onsale-dev/onsale/sale"
)

func TestAKeyFollowsFromTheSaleAndTheCauseAlone(t *testing.T) {
	long := strings.Repeat("é", 300)
	seenKeys := map[string]string{}
	for _, c := range [][2]string{
		{"harbour", "error_ratio"},
		{"harbour/error", "ratio"},
		{"harbour", "error/ratio"},
		{"har bour", "x"},
		{"har%20bour", "x"},
		{"harbour", long},
		{"harbour", long + "a"},
		{long, "a"},
		{long, "b"},
		{"harbour", "line\nbreak"},
		{"", ""},
	} {
		key := pagerduty.Key(sale.ID(c[0]), c[1])
		if len(key) > 255 || !strings.HasPrefix(key, "onsale/") || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("%q: the key %q is too long or not plain", c, key)
		}
		if key != pagerduty.Key(sale.ID(c[0]), c[1]) {
			t.Errorf("%q has two keys", c)
		}
		if other, taken := seenKeys[key]; taken {
			t.Errorf("%q and %s share the key %q", c, other, key)
		}
		seenKeys[key] = fmt.Sprintf("%q", c)
	}
	if got := pagerduty.Key("harbour", "error_ratio"); got != "onsale/harbour/error_ratio" {
		t.Errorf("the key is %q: it must never change between versions", got)
	}
}

// body is the one event that was sent.
func (s *stage) body() map[string]any {
	s.t.Helper()
	sent := s.sent()
	if len(sent) != 1 {
		s.t.Fatalf("%d writes, want 1", len(sent))
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(sent[0].body), &m); err != nil {
		s.t.Fatal(err)
	}
	return m
}

func TestAnIncidentCarriesTheSaleTheCauseTheFiguresWithTheirAgesAndTheLinks(t *testing.T) {
	s := newStage(t)
	x := s.executor(func(o *pagerduty.Options) {
		o.Redact = func(text string) string { return strings.ReplaceAll(text, "hunter2", "***") }
	})
	req := ask(actions.Incident)
	req.Reason, req.Change = "password hunter2 leaked", "CHG-881"
	e := seen()
	e.Signals = append(e.Signals, actions.Observed{Signal: "odd", Label: "hunter2 logins", Has: true, Value: 3})
	p := preview(t, x, req, e)
	if _, err := x.Execute(t.Context(), p, "id"); err != nil {
		t.Fatal(err)
	}
	body := s.body()
	text := s.sent()[0].body
	for _, want := range []string{
		`"dedup_key":"onsale/harbour/payment_failure_ratio"`, `"severity":"critical"`, `"summary":"Copper Heron · Harbour Hall: declines 7.0 % \u003e 5.0 % for 2:53 (and 1 more)"`,
		"declines 7.0 % (9s)", "waiting ~12,240 (35s)", "left not known", "https://graphs.shop.example/d/sale", "https://runbooks.shop.example/payment", "CHG-881", "password *** leaked", `"phase":"live"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the event lacks %s:\n%s", want, text)
		}
	}
	for _, never := range []string{"hunter2", "javascript", restToken} {
		if strings.Contains(text, never) {
			t.Errorf("the event holds %q", never)
		}
	}
	if body["event_action"] != "trigger" || body["client"] != "onsale" {
		t.Errorf("%v", body)
	}
}

func TestTheSeverityFollowsTheVerdictAndIsNeverLessForWhatCantBeSeen(t *testing.T) {
	for _, c := range []struct {
		known   bool
		verdict sale.Verdict
		want    string
		warned  bool
	}{
		{true, sale.Bad, "critical", false},
		{true, sale.Unknown, "error", false},
		{true, sale.Watch, "warning", true},
		{true, sale.OK, "warning", true},
		{false, sale.OK, "error", false},
		{true, "odd", "error", false},
	} {
		s := newStage(t)
		e := seen()
		e.Known, e.Verdict = c.known, c.verdict
		p := preview(t, s.executor(), ask(actions.Incident), e)
		if !strings.Contains(p.Change, "severity "+c.want) {
			t.Errorf("%v %s: %s, want %s", c.known, c.verdict, p.Change, c.want)
		}
		if warned := strings.Contains(joined(p), "pages nobody at once"); warned != c.warned {
			t.Errorf("%v %s: warned %v", c.known, c.verdict, warned)
		}
	}
}

func TestNoEventIsOverTheLimits(t *testing.T) {
	e := seen()
	e.Reasons[0].Text = strings.Repeat("e\u0301\u0302", 2000)
	for i := range 5000 {
		e.Signals = append(e.Signals, actions.Observed{Signal: sale.Signal(fmt.Sprintf("s%d", i)), Label: strings.Repeat("w", 2000), Has: true, Verdict: sale.OK})
	}
	s := newStage(t)
	many := &sale.Sale{ID: saleID, Name: strings.Repeat("ü", 5000)}
	for i := range 5000 {
		many.Links = append(many.Links, sale.Link{Title: strings.Repeat("t", 500), URL: fmt.Sprintf("https://x.example/%d/%s", i, strings.Repeat("p", 1500))})
	}
	x := s.executor(func(o *pagerduty.Options) { o.Sale = func(sale.ID) *sale.Sale { return many } })
	if _, err := x.Execute(t.Context(), preview(t, x, ask(actions.Incident), e), "id"); err != nil {
		t.Fatal(err)
	}
	summary := s.body()["payload"].(map[string]any)["summary"].(string)
	if n := utf8.RuneCountInString(summary); n > 1024 {
		t.Errorf("the summary has %d characters", n)
	}
	if n := len(s.sent()[0].body); n > 512<<10 {
		t.Errorf("the event has %d bytes", n)
	}
}

func TestAPanelNamesTheSameIncidentUntilItIsSent(t *testing.T) {
	s := newStage(t)
	x := s.executor()
	first := preview(t, x, ask(actions.Incident), seen())
	e := seen()
	e.Reasons[0], e.Reasons[1] = e.Reasons[1], e.Reasons[0]
	again := preview(t, x, ask(actions.Incident), e)
	if first.Token() != again.Token() {
		t.Errorf("reasons changed places, and %s became %s", first.Target.ID, again.Target.ID)
	}
	if _, err := x.Execute(t.Context(), again, "id"); err != nil {
		t.Fatal(err)
	}
	if next := preview(t, x, ask(actions.Incident), e); next.Target.ID == first.Target.ID {
		t.Error("after it was sent the next press must ask anew for the cause")
	}
}

// TestEveryRequestIsOneOfThePublishedDocument needs PagerDuty's OpenAPI document in the folder
// that ONSALE_SCHEMAS names. As published its server already has the /v2 that its paths repeat.
func TestEveryRequestIsOneOfThePublishedDocument(t *testing.T) {
	dir := os.Getenv("ONSALE_SCHEMAS")
	if dir == "" {
		t.Skip("ONSALE_SCHEMAS is not set: the requests were NOT held against PagerDuty's published document")
	}
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(dir, "pagerduty-events-v2.openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = openapi3.Servers{{URL: "/"}}
	router, err := legacy.NewRouter(doc, openapi3.DisableExamplesValidation())
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t)
	x := s.executor(withoutToken)
	for _, verb := range []actions.Verb{actions.Incident, actions.Acknowledge, actions.Resolve, actions.AddNote} {
		req := ask(verb)
		req.Text = "provider says fixed"
		if _, err := x.Execute(t.Context(), preview(t, x, req, seen()), "id"); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Audit(t.Context(), actions.Actor{Name: "marta"}, scaled()); err != nil {
		t.Fatal(err)
	}
	sent := s.sent()
	if len(sent) != 5 {
		t.Fatalf("%d requests, want 5", len(sent))
	}
	held := func(path, body string) error {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		route, params, err := router.FindRoute(r)
		if err != nil {
			return err
		}
		return openapi3filter.ValidateRequest(t.Context(), &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route})
	}
	for _, r := range sent {
		if err := held(r.path, r.body); err != nil {
			t.Errorf("%s: the document says %v\n%s", r.path, err, r.body)
		}
	}
	// The document is able to say no, else the above proves nothing.
	if held("/v2/enqueue", `{"routing_key":"x","event_action":"page"}`) == nil || held("/v2/enqueue", `{"event_action":"trigger"}`) == nil {
		t.Error("the document takes anything")
	}
}

// scaled is an action of another executor, as it ended.
func scaled() actions.Result {
	return actions.Result{
		ID: "1", Outcome: actions.Done, IntentSeq: 402, Ended: time.Now(), Text: "read back: min 40",
		Preview: actions.Preview{
			Request: actions.Request{Sale: saleID, Verb: actions.ScaleUp, Reason: "demand above plan"}, Change: "min 24 → 40",
			Target: actions.Target{System: "autoscaling", Kind: "Auto Scaling group", Name: "web-prod"},
			From:   actions.Value{"min": actions.Number(24)}, To: actions.Value{"min": actions.Number(40)},
		},
	}
}
