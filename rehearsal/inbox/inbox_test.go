package inbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/inbox"
)

const secret = "a-secret-of-the-inbox"

// desk is a clock that is moved by hand, and what an inbox tells.
type desk struct {
	t    *testing.T
	at   time.Time
	told []string
}

func (d *desk) options() inbox.Options {
	return inbox.Options{
		Now:  func() time.Time { return d.at },
		Tell: func(h inbox.Happening) { d.told = append(d.told, strings.TrimSpace(h.What+" "+h.Key)) },
	}
}

func open(t *testing.T) *desk {
	return &desk{t: t, at: time.Date(2026, 12, 4, 10, 8, 0, 0, time.UTC)}
}

func send(s http.Handler, method, path, authorization, body string) (int, string, http.Header) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", authorization)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String(), w.Header()
}

func (d *desk) heard(want string) {
	d.t.Helper()
	if got := strings.Join(d.told, ", "); got != want {
		d.t.Errorf("it told %q, not %q", got, want)
	}
}

func TestSlackTakesThreeMessagesAtOnceAndThenOneASecond(t *testing.T) {
	d := open(t)
	s := inbox.NewSlack(secret, d.options())
	for i := range 3 {
		if code, body, _ := send(s, "POST", s.Path(), "", fmt.Sprintf(`{"text":"message %d"}`, i)); code != 200 || body != "ok" {
			t.Fatalf("%d %q", code, body)
		}
	}
	if code, body, h := send(s, "POST", s.Path(), "", `{"text":"too many"}`); code != 429 || body != "rate_limited" || h.Get("Retry-After") == "" {
		t.Errorf("%d %q", code, body)
	}
	d.at = d.at.Add(time.Second)
	if code, _, _ := send(s, "POST", s.Path(), "", `{"text":"again"}`); code != 200 || len(s.Messages()) != 4 {
		t.Errorf("%d %v", code, s.Messages())
	}
}

func TestAPIsRefuseInTheirOwnWords(t *testing.T) {
	d := open(t)
	slack, jira := inbox.NewSlack(secret, d.options()), inbox.NewJira(secret, d.options())
	incidents, rootly := inbox.NewIncidentIO("01SOURCE", secret, d.options()), inbox.NewRootly(secret, d.options())
	const alerts, source, hook = "/v2/alerts", "/v2/alert_events/http/01SOURCE", "/webhooks/incoming/generic_webhooks"
	for name, c := range map[string]struct {
		s          http.Handler
		path, auth string
		body       string
		status     int
		holds      string
	}{
		"slack, another address":      {slack, "/services/T1/B1/x", "", `{"text":"a"}`, 404, "no_service"},
		"slack, a wrong secret":       {slack, slack.Path() + "x", "", `{"text":"a"}`, 403, "invalid_token"},
		"slack, no JSON":              {slack, slack.Path(), "", `text=a`, 400, "invalid_payload"},
		"slack, no words":             {slack, slack.Path(), "", `{"text":" "}`, 400, "no_text"},
		"jira, no key":                {jira, alerts, "", `{"message":"a"}`, 401, "Could not authenticate"},
		"jira, no JSON":               {jira, alerts, "GenieKey " + secret, `{`, 400, "Could not parse"},
		"jira, no message":            {jira, alerts, "GenieKey " + secret, `{}`, 422, `"message":"Message can not be empty."`},
		"jira, a message too long":    {jira, alerts, "GenieKey " + secret, `{"message":"` + strings.Repeat("č", 131) + `"}`, 422, "shorter"},
		"jira, a priority of none":    {jira, alerts, "GenieKey " + secret, `{"message":"a","priority":"P0"}`, 422, "priority"},
		"jira, an empty note":         {jira, alerts + "/x/notes?identifierType=alias", "GenieKey " + secret, `{}`, 422, "Note can not be empty."},
		"jira, another verb":          {jira, alerts + "/x/dance", "GenieKey " + secret, `{}`, 404, "No handler"},
		"incident.io, no token":       {incidents, source, "", `{}`, 401, "missing_authorization_material"},
		"incident.io, a wrong token":  {incidents, source, "Bearer x", `{}`, 401, "authentication_error"},
		"incident.io, another source": {incidents, "/v2/alert_events/http/02", "Bearer " + secret, `{"title":"a","status":"firing"}`, 404, "not_found"},
		"incident.io, no title":       {incidents, source, "Bearer " + secret, `{"status":"firing"}`, 422, `"field":"title"`},
		"incident.io, another status": {incidents, source, "Bearer " + secret, `{"title":"a","status":"open"}`, 422, `"field":"status"`},
		"rootly, no secret":           {rootly, hook, "", `{"title":"a"}`, 401, "Unauthorized"},
		"rootly, a wrong secret":      {rootly, hook + "?secret=x", "", `{"title":"a"}`, 401, "Unauthorized"},
		"rootly, no JSON":             {rootly, hook + "?secret=" + secret, "", `[]`, 400, "payload"},
		"rootly, no title":            {rootly, hook + "/notify/service/7?secret=" + secret, "", `{}`, 422, "title"},
	} {
		if code, body, _ := send(c.s, "POST", c.path, c.auth, c.body); code != c.status || !strings.Contains(body, c.holds) {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
	d.heard("")
}

func TestJiraAcceptsFirstAndTellsLaterWhatBecameOfIt(t *testing.T) {
	d := open(t)
	j := inbox.NewJira(secret, d.options())
	const key, alias = "GenieKey " + secret, "onsale%2Flantern%2Fincident"
	ask := func(method, path, body string, status int) (out struct {
		RequestID string `json:"requestId"`
		Result    string
		Data      struct {
			IsSuccess    bool
			Status       string
			Acknowledged bool
			Count        int
		}
	},
	) {
		t.Helper()
		code, text, h := send(j, method, path, key, body)
		if err := json.Unmarshal([]byte(text), &out); err != nil || code != status || h.Get("X-Request-Id") == "" {
			t.Fatalf("%s %s: %d %s", method, path, code, text)
		}
		return out
	}
	const create = `{"message":"Declines at 12 %","alias":"onsale/lantern/incident","priority":"P1"}`
	opened := ask("POST", "/v2/alerts", create, 202)
	if opened.Result != "Request will be processed" {
		t.Errorf("%+v", opened)
	}
	ask("GET", "/v2/alerts/requests/"+opened.RequestID, "", 404)
	ask("GET", "/v2/alerts/"+alias+"?identifierType=alias", "", 404)
	d.at = d.at.Add(2 * time.Second)
	if out := ask("GET", "/v2/alerts/requests/"+opened.RequestID, "", 200); !out.Data.IsSuccess || out.Data.Status != "Created alert" {
		t.Errorf("%+v", out)
	}
	ask("POST", "/v2/alerts", create, 202)
	ask("POST", "/v2/alerts/"+alias+"/acknowledge?identifierType=alias", `{"note":"I have it"}`, 202)
	ask("POST", "/v2/alerts/"+alias+"/notes?identifierType=alias", `{"note":"provider A"}`, 202)
	d.at = d.at.Add(2 * time.Second)
	if out := ask("GET", "/v2/alerts/"+alias+"?identifierType=alias", "", 200); out.Data.Status != "open" || !out.Data.Acknowledged || out.Data.Count != 2 {
		t.Errorf("%+v", out)
	}
	ask("POST", "/v2/alerts/"+alias+"/close?identifierType=alias", `{}`, 202)
	late := ask("POST", "/v2/alerts/"+alias+"/close?identifierType=alias", `{}`, 202)
	d.at = d.at.Add(2 * time.Second)
	if out := ask("GET", "/v2/alerts/requests/"+late.RequestID, "", 200); out.Data.IsSuccess {
		t.Errorf("an alert was closed twice: %+v", out)
	}
	ask("POST", "/v2/alerts", create, 202)
	d.at = d.at.Add(2 * time.Second)
	if all := j.Alerts(); len(all) != 2 || !all[0].Closed || all[1].Closed || len(all[0].Notes) != 1 {
		t.Errorf("%+v", all)
	}
	const k = " onsale/lantern/incident"
	d.heard("opened" + k + ", deduplicated" + k + ", acknowledged" + k + ", note" + k + ", closed" + k + ", dropped" + k + ", opened" + k)
}

func TestAlertSourcesKeepOneOpenAlertForAKey(t *testing.T) {
	for name, c := range map[string]struct {
		path, auth, open, shut string
		status                 int
		make                   func(o inbox.Options) (http.Handler, func() []inbox.Alert)
	}{
		"incident.io": {
			"/v2/alert_events/http/01SOURCE", "Bearer " + secret, `{"title":"a","status":"firing","deduplication_key":"k"}`, `{"title":"a","status":"resolved","deduplication_key":"k"}`, 202,
			func(o inbox.Options) (http.Handler, func() []inbox.Alert) {
				s := inbox.NewIncidentIO("01SOURCE", secret, o)
				return s, s.Alerts
			},
		},
		"rootly": {
			"/webhooks/incoming/generic_webhooks/notify/service/7?secret=" + secret, "", `{"title":"a","state":"open","external_id":"k"}`, `{"title":"a","state":"resolved","external_id":"k"}`, 200,
			func(o inbox.Options) (http.Handler, func() []inbox.Alert) {
				s := inbox.NewRootly(secret, o)
				return s, s.Alerts
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			s, alerts := c.make(d.options())
			for _, body := range []string{c.shut, c.open, c.open, c.shut, c.open} {
				if code, text, _ := send(s, "POST", c.path, c.auth, body); code != c.status || !json.Valid([]byte(text)) {
					t.Errorf("%d %s", code, text)
				}
			}
			if all := alerts(); len(all) != 2 || all[0].Count != 2 || !all[0].Closed || all[1].Closed {
				t.Errorf("%+v", all)
			}
			d.heard("dropped k, opened k, deduplicated k, closed k, opened k")
		})
	}
}
