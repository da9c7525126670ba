package pagerduty_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/onsale-dev/onsale/rehearsal/pagerduty"
)

const (
	key   = "e93facc04764012d7bfb002500d5d1a6"
	other = "737ea619db564d41bd9824063e1f6b08"
	token = "u+rest-token"
)

// desk is a server with a clock that is moved by hand.
type desk struct {
	*pagerduty.Server
	t    *testing.T
	at   time.Time
	told []string
}

func open(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, at: time.Date(2026, 12, 4, 10, 8, 0, 0, time.UTC)}
	server, err := pagerduty.New(pagerduty.Options{
		RoutingKeys: map[string]string{key: "Ticket shop", other: "Payments"}, Token: token, Now: func() time.Time { return d.at },
		Tell: func(h pagerduty.Happening) { d.told = append(d.told, h.At.Format("04:05 ")+h.What) },
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Server = server
	return d
}

func (d *desk) send(method, path, body string) (int, map[string]any) {
	d.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if method == http.MethodGet {
		r.Header.Set("Authorization", "Token token="+token)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		d.t.Fatalf("%s %s: %d %q is not JSON", method, path, w.Code, w.Body)
	}
	return w.Code, out
}

func event(routing, action, dedup string) string {
	data, _ := json.Marshal(map[string]any{
		"routing_key": routing, "event_action": action, "dedup_key": dedup,
		"payload": map[string]any{"summary": "Declines at 12 %", "source": "onsale", "severity": "critical", "custom_details": map[string]any{"sale": "lantern"}},
	})
	return string(data)
}

func (d *desk) accepted(body string) string {
	d.t.Helper()
	code, out := d.send("POST", "/v2/enqueue", body)
	if code != http.StatusAccepted || out["status"] != "success" || out["message"] != "Event processed" {
		d.t.Fatalf("%d %v, want 202", code, out)
	}
	dedup, _ := out["dedup_key"].(string)
	return dedup
}

func TestAcceptedIsNotPaged(t *testing.T) {
	d := open(t)
	dedup := d.accepted(event(key, "trigger", "cockpit/lantern/payments"))
	look := func() []any {
		code, out := d.send("GET", "/incidents?incident_key="+url.QueryEscape(dedup), "")
		if code != 200 {
			t.Fatalf("%d %v", code, out)
		}
		return out["incidents"].([]any)
	}
	if found := look(); len(found) != 0 {
		t.Errorf("the incident is there at once: %v", found)
	}
	d.at = d.at.Add(2 * time.Second)
	found := look()
	if len(found) != 1 || found[0].(map[string]any)["status"] != "triggered" {
		t.Fatalf("after the processing: %v", found)
	}
	notified := func() bool {
		_, out := d.send("GET", "/incidents/"+found[0].(map[string]any)["id"].(string)+"/log_entries", "")
		data, _ := json.Marshal(out)
		return strings.Contains(string(data), `"notify_log_entry"`)
	}
	if notified() || !d.Incidents()[0].Paged.IsZero() {
		t.Error("somebody was paged at once")
	}
	d.at = d.at.Add(5 * time.Second)
	if !notified() || !d.Incidents()[0].Paged.Equal(d.at) {
		t.Error("nobody was paged in time")
	}
	if got := strings.Join(d.told, ", "); got != "08:02 triggered, 08:07 paged" {
		t.Errorf("told %s", got)
	}
}

func TestADedupKeyIsOneAlertUntilItIsResolved(t *testing.T) {
	d := open(t)
	for _, step := range []struct{ action, dedup, routing, want string }{
		{"trigger", "a", key, "triggered 1"},
		{"trigger", "a", key, "triggered 2"},
		{"acknowledge", "a", other, "triggered 2"}, // another integration's alert is another alert
		{"acknowledge", "b", key, "triggered 2"},
		{"acknowledge", "a", key, "acknowledged 2"},
		{"trigger", "a", key, "acknowledged 3"},
		{"resolve", "a", key, "resolved 3"},
		{"resolve", "a", key, "resolved 3"},
		{"trigger", "a", key, "resolved 3, triggered 1"},
	} {
		d.accepted(event(step.routing, step.action, step.dedup))
		d.at = d.at.Add(3 * time.Second)
		var got []string
		for _, in := range d.Incidents() {
			got = append(got, in.Status+" "+string(rune('0'+in.Triggers)))
		}
		if strings.Join(got, ", ") != step.want {
			t.Fatalf("after %s %s: %v, want %s", step.action, step.dedup, got, step.want)
		}
	}
	if dropped := d.Dropped(); len(dropped) != 3 || dropped[0].RoutingKey != other || dropped[1].DedupKey != "b" || dropped[2].Action != "resolve" {
		t.Errorf("dropped %+v, want the two acknowledges and the second resolve", dropped)
	}
}

func TestATriggerWithoutAKeyGetsOne(t *testing.T) {
	d := open(t)
	if dedup := d.accepted(event(key, "trigger", "")); len(dedup) != 32 {
		t.Errorf("dedup_key %q, want 32 characters", dedup)
	}
}

func TestWhoAnswersBeforeThePageIsNotPaged(t *testing.T) {
	d := open(t)
	d.accepted(event(key, "trigger", "a"))
	d.at = d.at.Add(3 * time.Second)
	id := d.Incidents()[0].ID
	if !d.Answer(id, pagerduty.Acknowledged, "Ines") || d.Answer("Q0", pagerduty.Acknowledged, "Ines") || d.Answer(id, "silenced", "Ines") {
		t.Error("only an incident that is there can be acknowledged")
	}
	d.at = d.at.Add(time.Minute)
	if in := d.Incidents()[0]; !in.Paged.IsZero() || in.Status != pagerduty.Acknowledged {
		t.Errorf("paged %v, %s", in.Paged, in.Status)
	}
	if d.Answer(id, pagerduty.Resolved, "Ines"); d.Answer(id, pagerduty.Acknowledged, "Ines") {
		t.Error("a resolved incident was acknowledged")
	}
}

func TestWhatIsWrongWithAnEventIsSaid(t *testing.T) {
	for _, test := range []struct {
		name, path, body string
		code             int
		says             string
	}{
		{"no JSON", "/v2/enqueue", `{"routing_key":`, 400, "JSON parse error"},
		{"an array", "/v2/enqueue", `[]`, 400, "JSON parse error"},
		{"more than one object", "/v2/enqueue", event(key, "trigger", "a") + "{}", 400, "JSON parse error"},
		{"no routing key", "/v2/enqueue", event("", "trigger", "a"), 400, "'routing_key' is missing or blank"},
		{"a short routing key", "/v2/enqueue", event("abc", "trigger", "a"), 400, "Length of 'routing_key' is incorrect (should be 32 characters)"},
		{"nobody's routing key", "/v2/enqueue", event(strings.Repeat("a", 32), "trigger", "a"), 400, "Invalid routing key"},
		{"an unknown action", "/v2/enqueue", event(key, "open", "a"), 400, "'event_action' is invalid"},
		{"an acknowledge of nothing", "/v2/enqueue", event(key, "acknowledge", ""), 400, "'dedup_key' is missing or blank"},
		{"a long dedup_key", "/v2/enqueue", event(key, "trigger", strings.Repeat("k", 256)), 400, "maximum is 255"},
		{"no payload", "/v2/enqueue", `{"routing_key":"` + key + `","event_action":"trigger"}`, 400, "'payload.summary' is missing or blank"},
		{"a long summary", "/v2/enqueue", strings.Replace(event(key, "trigger", "a"), "Declines", strings.Repeat("x", 1020), 1), 400, "maximum is 1024"},
		{"a severity of our own", "/v2/enqueue", strings.Replace(event(key, "trigger", "a"), "critical", "sev1", 1), 400, "'payload.severity' is invalid"},
		{"a body above 512 KB", "/v2/enqueue", strings.Replace(event(key, "trigger", "a"), "lantern", strings.Repeat("x", 512<<10), 1), 413, "larger than 512 KB"},
		{"a change without a summary", "/v2/change/enqueue", `{"routing_key":"` + key + `","payload":{}}`, 400, "'payload.summary' is missing or blank"},
		{"a link without an address", "/v2/change/enqueue", `{"routing_key":"` + key + `","payload":{"summary":"a"},"links":[{"text":"x"}]}`, 400, "'links'"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := open(t)
			code, out := d.send("POST", test.path, test.body)
			data, _ := json.Marshal(out["errors"])
			if code != test.code || !strings.Contains(string(data), test.says) {
				t.Errorf("%d %v, want %d and %q", code, out, test.code, test.says)
			}
			d.at = d.at.Add(time.Minute)
			if len(d.Incidents()) > 0 || len(d.Changes()) > 0 {
				t.Error("it had an effect")
			}
		})
	}
}

func TestTheOneHundredAndTwentyFirstEventOfAMinuteIsThrottled(t *testing.T) {
	d := open(t)
	for range 120 {
		d.accepted(event(key, "trigger", "a"))
	}
	if code, out := d.send("POST", "/v2/enqueue", event(key, "trigger", "a")); code != http.StatusTooManyRequests || out["status"] != "throttle exceeded" {
		t.Errorf("%d %v, want 429", code, out)
	}
	d.accepted(event(other, "trigger", "a")) // another integration has its own limit
	d.at = d.at.Add(time.Minute)
	d.accepted(event(key, "trigger", "a"))
}

func TestAChangePagesNobody(t *testing.T) {
	d := open(t)
	code, out := d.send("POST", "/v2/change/enqueue", `{"routing_key":"`+key+`","payload":{"summary":"minimum 4 → 8","source":"onsale"}}`)
	if code != http.StatusAccepted || out["status"] != "success" {
		t.Fatalf("%d %v", code, out)
	}
	d.at = d.at.Add(time.Minute)
	if changes := d.Changes(); len(changes) != 1 || changes[0].Payload.Summary != "minimum 4 → 8" || len(d.Incidents()) != 0 {
		t.Errorf("changes %+v, incidents %+v", changes, d.Incidents())
	}
}

func TestTheRESTAPIWantsItsTokenAndKeepsItsRate(t *testing.T) {
	d := open(t)
	get := func(path, authorization string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		return w
	}
	for _, wrong := range []string{"", "Bearer " + token, "Token token=x"} {
		if w := get("/incidents", wrong); w.Code != http.StatusUnauthorized {
			t.Errorf("%q: %d", wrong, w.Code)
		}
	}
	right := "Token token=" + token
	if w := get("/incidents", right); w.Code != 200 || w.Header().Get("Ratelimit-Remaining") != "959" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	for path, code := range map[string]int{"/incidents/Q1": 404, "/incidents?limit=0": 400, "/incidents?statuses[]=open": 400} {
		if w := get(path, right); w.Code != code {
			t.Errorf("%s: %d, want %d", path, w.Code, code)
		}
	}
	for range 960 {
		get("/incidents", right)
	}
	if w := get("/incidents", right); w.Code != http.StatusTooManyRequests || !strings.Contains(w.Body.String(), "2020") {
		t.Errorf("%d %s, want 429 and 2020", w.Code, w.Body)
	}
}

// TestEveryEventIsOneOfThePublishedDocument needs PagerDuty's OpenAPI document in the folder that
// ONSALE_SCHEMAS names.
func TestEveryEventIsOneOfThePublishedDocument(t *testing.T) {
	dir := os.Getenv("ONSALE_SCHEMAS")
	if dir == "" {
		t.Skip("ONSALE_SCHEMAS is not set: nothing was held against PagerDuty's published document")
	}
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(dir, "pagerduty-events-v2.openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = nil
	router, err := legacy.NewRouter(doc, openapi3.DisableExamplesValidation())
	if err != nil {
		t.Fatal(err)
	}
	d := open(t)
	noKey := strings.Replace(event(key, "trigger", "a"), `,"routing_key":"`+key+`"`, "", 1)
	for _, c := range []struct {
		path, body string
		code       int
		document   bool // whether the document can tell that the event is wrong
	}{
		{"/v2/enqueue", event(key, "trigger", "a"), 202, true},
		{"/v2/enqueue", event(key, "acknowledge", "a"), 202, true},
		{"/v2/enqueue", event(key, "resolve", "a"), 202, true},
		{"/v2/change/enqueue", `{"routing_key":"` + key + `","payload":{"summary":"a"}}`, 202, true},
		{"/v2/enqueue", event(key, "open", "a"), 400, true},
		{"/v2/enqueue", strings.Replace(event(key, "trigger", "a"), "critical", "sev1", 1), 400, true},
		{"/v2/enqueue", noKey, 400, true},
		{"/v2/enqueue", event("short", "trigger", "a"), 400, false},
	} {
		r := httptest.NewRequest(http.MethodPost, c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/json")
		route, params, err := router.FindRoute(r)
		if err != nil {
			t.Fatal(err)
		}
		options := &openapi3filter.Options{IncludeResponseStatus: true}
		in := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: options}
		if err := openapi3filter.ValidateRequest(context.Background(), in); c.document && (err == nil) != (c.code == 202) {
			t.Errorf("%s: the document says %v", c.body, err)
		}
		r.Body = io.NopCloser(strings.NewReader(c.body))
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		if w.Code != c.code {
			t.Errorf("%s: %d %s, want %d", c.body, w.Code, w.Body, c.code)
		}
		out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: w.Code, Header: w.Header(), Options: options}
		out.SetBodyBytes(bytes.Clone(w.Body.Bytes()))
		if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
			t.Errorf("%s: the answer is not of the document: %v\n%s", c.body, err, w.Body)
		}
		if w.Code != 202 { // the document's own 400 is a misspelt reference: hold it against the error it means
			var answer any
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
				t.Fatal(err)
			}
			if err := doc.Components.Responses["Error"].Value.Content["application/json"].Schema.Value.VisitJSON(answer); err != nil {
				t.Errorf("the refusal is not of the document: %v\n%s", err, w.Body)
			}
		}
	}
}

func TestBrokenServersAnswerInTheWiresOwnShape(t *testing.T) {
	for code, h := range map[int]http.Handler{500: pagerduty.Failure(), 429: pagerduty.Throttled()} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v2/enqueue", nil))
		var out struct{ Status, Message string }
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != code || out.Status == "" || out.Message == "" {
			t.Errorf("%d %s, want %d", w.Code, w.Body, code)
		}
	}
}

func TestARoutingKeyOfAnotherLengthIsRefusedAtOnce(t *testing.T) {
	if _, err := pagerduty.New(pagerduty.Options{RoutingKeys: map[string]string{"short": "x"}}); err == nil || strings.Contains(err.Error(), "short") {
		t.Errorf("error %v: want one, and not with the key in it", err)
	}
}

func FuzzAnyBodyIsAnsweredInJSON(f *testing.F) {
	f.Add([]byte(event(key, "trigger", "a")))
	f.Add([]byte(event(key, "resolve", "a")))
	f.Add([]byte(`{"payload":{"timestamp":"2026-12-04T10:00:00.000+0000","custom_details":null},"images":[{}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d := open(t)
		for _, path := range []string{"/v2/enqueue", "/v2/change/enqueue"} {
			code, _ := d.send("POST", path, string(body))
			if code != 202 && code != 400 && code != 413 {
				t.Errorf("%s: %d", path, code)
			}
		}
		d.at = d.at.Add(time.Minute)
		d.send("GET", "/incidents", "")
	})
}
