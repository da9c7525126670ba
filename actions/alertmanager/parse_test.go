package alertmanager

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

func TestASilenceCoversWhatAllItsMatchersMatch(t *testing.T) {
	yes, no := true, false
	labels := map[string]string{"alertname": "OnsaleIncident", "sale": "harbour", "severity": "critical"}
	for _, c := range []struct {
		name string
		all  []matcher
		want bool
	}{
		{"equal", []matcher{{Name: "sale", Value: "harbour"}}, true},
		{"another value", []matcher{{Name: "sale", Value: "quay"}}, false},
		{"one of two", []matcher{{Name: "sale", Value: "harbour", IsEqual: &yes}, {Name: "severity", Value: "warning"}}, false},
		{"not equal", []matcher{{Name: "sale", Value: "quay", IsEqual: &no}}, true},
		{"a pattern of the whole value", []matcher{{Name: "sale", Value: "harb", IsRegex: true}}, false},
		{"a pattern", []matcher{{Name: "sale", Value: "harb.*", IsRegex: true}}, true},
		{"not a pattern", []matcher{{Name: "sale", Value: "harb.*", IsRegex: true, IsEqual: &no}}, false},
		{"a label that is not there is empty", []matcher{{Name: "team", Value: ""}}, true},
		{"a pattern that can't be read is a doubt", []matcher{{Name: "sale", Value: "(", IsRegex: true}}, true},
	} {
		if got := (silence{Matchers: c.all}).mutes(labels); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestAKeyGivesItsCauseBack(t *testing.T) {
	for _, c := range [][2]string{{"harbour", "error_ratio"}, {"har/bour", "a/b c"}, {"h", "é%2F\"\n"}} {
		cause, ok := causeIn(Key(sale.ID(c[0]), c[1]), sale.ID(c[0]))
		if !ok || cause != c[1] {
			t.Errorf("%q: %q, %v", c, cause, ok)
		}
	}
	for _, key := range []string{"", "onsale/quay/x", "onsale/harbour/", "onsale/harbour/%zz"} {
		if cause, ok := causeIn(key, "harbour"); ok {
			t.Errorf("%q gives %q", key, cause)
		}
	}
}

func TestAPanelsCauseEndsWithThePanel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, err := New(Options{Name: "shop", Peers: []string{"http://127.0.0.1:9093"}})
		if err != nil {
			t.Fatal(err)
		}
		first := actions.Evidence{Known: true, Reasons: []sale.Reason{{Signal: sale.ErrorRatio}}}
		if got := x.steadyCause("a", first, time.Now()); got != "error_ratio" {
			t.Error(got)
		}
		time.Sleep(59 * time.Second)
		if got := x.steadyCause("a", actions.Evidence{}, time.Now()); got != "error_ratio" {
			t.Errorf("within the panel's time it became %s", got)
		}
		time.Sleep(2 * time.Second)
		if got := x.steadyCause("a", actions.Evidence{}, time.Now()); got != Unseen {
			t.Errorf("a minute later it is still %s", got)
		}
		none, active := actions.Word(stateNone), actions.Word(stateActive)
		if x.steadyState("k", none, time.Now()) != none || x.steadyState("k", actions.Unset, time.Now()) != none || x.steadyState("k", active, time.Now()) != active {
			t.Error("none, then not readable, then active: active must be said, and nothing before that")
		}
	})
}

func TestAnEmptyAnswerIsNotAnEmptyList(t *testing.T) {
	for _, body := range []string{"", "null", "{}", `"x"`, "<html>"} {
		if _, err := parseAlerts([]byte(body), nil); err == nil {
			t.Errorf("%q is read as no alerts: that none is active must be proven", body)
		}
		if _, err := parseSilences([]byte(body)); err == nil {
			t.Errorf("%q is read as no silences", body)
		}
	}
	if all, err := parseAlerts([]byte("[]"), nil); err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
}

func FuzzAnyAnswerIsUnderstoodOrRefused(f *testing.F) {
	f.Add([]byte(`[{"labels":{"alertname":"OnsaleIncident","sale":"harbour","cause":"a\u001b[31m","severity":"critical"},"annotations":{"summary":"s\u202e"},"startsAt":"2026-12-04T10:00:00Z","endsAt":"2026-12-04T14:00:00Z","updatedAt":"2026-12-04T10:00:00Z","receivers":[{"name":"on\ncall"}],"status":{"state":"active","silencedBy":[],"inhibitedBy":null}}]`))
	f.Add([]byte(`[{"id":"1","matchers":[{"name":"sale","value":"(","isRegex":true}],"endsAt":"2026-12-04T14:00:00Z","status":{"state":"active"}}]`))
	f.Add([]byte(`"bad matcher"`))
	f.Add([]byte(`{"code":602,"message":"m"}`))
	x, err := New(Options{Name: "shop", Peers: []string{"http://127.0.0.1:9093"}, Bearer: "secret-of-this-test"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var texts []string
		if list, err := parseAlerts(body, map[string]string{"sale": "harbour"}); err == nil {
			views := []view{{peer: x.peers[0], alerts: list}}
			for _, a := range list {
				cause := a.Labels[labelCause]
				in := x.incident("harbour", cause, views)
				texts = append(texts, in.Cause, in.Severity, in.Summary, x.told(views, cause, count(views, cause)))
				texts = append(texts, in.Receivers...)
			}
		}
		if list, err := parseSilences(body); err == nil {
			for _, s := range list {
				s.mutes(map[string]string{"sale": "harbour"})
				texts = append(texts, x.words(s.CreatedBy))
			}
		}
		for _, status := range []int{200, 307, 400, 500} {
			p, _ := x.web.statusProblem(answer{status: status, body: body})
			texts = append(texts, p.Text)
		}
		for _, text := range texts {
			if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) || strings.Contains(text, "secret-of-this-test") {
				t.Errorf("%q is not clean", text)
			}
		}
	})
}
