package pagerduty

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

func parser(t testing.TB) *Executor {
	x, err := New(Options{Name: "ticketing", RoutingKey: strings.Repeat("k", 32)})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestTheIncidentOfAKeyIsPicked(t *testing.T) {
	now := time.Date(2026, 12, 4, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct{ name, body, want string }{
		{"none", `{"incidents":[]}`, ""},
		{"one without a key, as services with alerts have them", `{"incidents":[{"id":"Q1","incident_number":7,"status":"triggered","incident_key":null}]}`, "#7"},
		{"not one of another key", `{"incidents":[{"id":"Q1","incident_number":7,"status":"triggered","incident_key":"other"}]}`, ""},
		{"the open one before a newer that is resolved", `{"incidents":[
			{"id":"Q2","incident_number":8,"status":"resolved","created_at":"2026-12-04T09:59:00Z"},
			{"id":"Q1","incident_number":7,"status":"acknowledged","created_at":"2026-12-04T09:00:00Z"}]}`, "#7"},
		{"the newest of those that are resolved", `{"incidents":[
			{"id":"Q1","incident_number":7,"status":"resolved","created_at":"2026-12-04T09:00:00Z"},
			{"id":"Q2","incident_number":8,"status":"resolved","created_at":"2026-12-04T09:59:00Z"}]}`, "#8"},
		{"not one of a state that is not known", `{"incidents":[{"id":"Q1","incident_number":7,"status":"snoozed"}]}`, ""},
	} {
		in, err := parser(t).web.parseIncidents([]byte(c.body), "key", now)
		if err != nil || in.Number != c.want || in.Key != "key" {
			t.Errorf("%s: %+v, %v, want %q", c.name, in, err, c.want)
		}
	}
	for _, body := range []string{`{}`, `[]`, `null`, `<html>`, `{"incidents":null}`, `{"incidents":[{"id":7}]}`} {
		if _, err := parser(t).web.parseIncidents([]byte(body), "key", now); err == nil {
			t.Errorf("%s is read as an answer: that nothing is open must be proven", body)
		}
	}
}

func TestAPanelsCauseEndsWithThePanel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := parser(t)
		first := actions.Evidence{Known: true, Reasons: []sale.Reason{{Signal: sale.ErrorRatio}}}
		then := actions.Evidence{Known: true, Reasons: []sale.Reason{{Signal: sale.DBConnections}}}
		if got := x.steadyCause("a", first, time.Now()); got != "error_ratio" {
			t.Error(got)
		}
		time.Sleep(59 * time.Second)
		if got := x.steadyCause("a", then, time.Now()); got != "error_ratio" {
			t.Errorf("within the panel's time it became %s", got)
		}
		if got := x.steadyCause("b", then, time.Now()); got != "db_connections" {
			t.Errorf("another sale's cause is %s", got)
		}
		time.Sleep(2 * time.Second)
		if got := x.steadyCause("a", then, time.Now()); got != "db_connections" {
			t.Errorf("a minute later it is still %s", got)
		}
		none, word := actions.Word(stateNone), x.steadyState("k", false, true, time.Now())
		if word != none || x.steadyState("k", false, false, time.Now()) != none || x.steadyState("k", true, true, time.Now()) != actions.Word(stateOpen) {
			t.Error("none, then not readable, then open: open must be said, and nothing before that")
		}
	})
	for cause, e := range map[string]actions.Evidence{ByHand: {Known: true}, Unseen: {}} {
		if got := causeOf(e); got != cause {
			t.Errorf("%+v: %s, want %s", e, got, cause)
		}
	}
}

func FuzzAnyAnswerIsUnderstoodOrRefused(f *testing.F) {
	f.Add([]byte(`{"incidents":[{"id":"Q1","incident_number":7,"title":"a\u001b[31m","status":"triggered","html_url":"https://x.example/1","assignments":[{"assignee":{"summary":"I"}}]}]}`))
	f.Add([]byte(`{"log_entries":[{"type":"notify_log_entry","created_at":"2026-12-04T10:00:00Z","user":{"summary":"I"},"channel":{"notification":{"type":"sms","address":"+1"}}}]}`))
	f.Add([]byte(`{"status":"invalid event","message":"m","errors":["e",1]}`))
	f.Add([]byte(`{"error":{"message":"m","code":2001,"errors":"one"}}`))
	f.Add([]byte("\xff<html>"))
	x := parser(f)
	secret := x.options.RoutingKey
	f.Fuzz(func(t *testing.T, body []byte) {
		var all []string
		if in, err := x.web.parseIncidents(body, "key", time.Unix(0, 0)); err == nil {
			if in.URL != "" && !strings.HasPrefix(in.URL, "https://") {
				t.Errorf("a link to %q", in.URL)
			}
			all = append(all, in.Title, in.Number, in.Service, in.By, in.String())
		}
		if notices, err := x.web.parseNotices(body); err == nil {
			for _, n := range notices {
				all = append(all, n.Who, n.How)
			}
		}
		for _, status := range []int{202, 400, 429, 500} {
			p, _ := x.web.statusProblem(answer{status: status, body: body}, time.Unix(0, 0))
			all = append(all, p.Text)
		}
		for _, text := range all {
			if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) || strings.Contains(text, secret) {
				t.Errorf("%q is not clean", text)
			}
		}
	})
}
