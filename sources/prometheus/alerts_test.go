package prometheus

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/sourcetest"
	"github.com/prometheus/common/config"
)

const rulesAnswer = `{"status":"success","data":{"groups":[{"name":"shop","rules":[
 {"type":"alerting","name":"Declines","state":"firing","health":"ok","labels":{"severity":"page"},"annotations":{"summary":"rule"},"alerts":[
   {"labels":{"alertname":"Declines","sale":"harbour"},"annotations":{"summary":"one card in twelve"},"state":"firing","activeAt":"2026-12-04T09:03:12Z"},
   {"labels":{"alertname":"Declines","sale":"comet"},"annotations":{},"state":"pending","activeAt":"2026-12-04T09:04:00Z"}]},
 {"type":"alerting","name":"Quiet","state":"inactive","health":"ok","labels":{"sale":"harbour"},"annotations":{},"alerts":[]},
 {"type":"alerting","name":"Broken","state":"inactive","health":"err","lastError":"many-to-many","labels":{},"annotations":{},"alerts":[]},
 {"type":"recording","name":"job:rate","health":"ok"}
]}]}}`

func answering(body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, body)
	})
}

func alertsAt(t *testing.T, url string) *Alerts {
	t.Helper()
	s, err := NewAlerts(Options{Name: "rules", URL: url + "/prometheus/", HTTP: &config.HTTPClientConfig{
		BasicAuth: &config.BasicAuth{Username: "onsale", Password: config.Secret(sourcetest.Secret)},
	}}, sources.Whose{{Sale: "harbour", Labels: map[string]string{"sale": "harbour"}}, {Sale: "comet", Labels: map[string]string{"sale": "comet"}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheContractOfASourceOfAlerts(t *testing.T) {
	planted, _ := json.Marshal(sourcetest.Escape + sourcetest.Secret)
	evil := strings.Trim(string(planted), `"`)
	hostile := strings.NewReplacer("Declines", "Declines"+evil, "one card", evil, "many-to-many", evil).Replace(rulesAnswer)
	sourcetest.Contract(t, sourcetest.Harness{
		New:        func(t *testing.T, url string) sources.Source { return alertsAt(t, url) },
		Healthy:    answering(rulesAnswer),
		WantAlarms: []string{"Declines", "Quiet", "Broken"},
		Hostile:    answering(hostile),
		WrongTypes: [][]byte{
			[]byte(`{"status":"success","data":{"groups":7}}`), []byte(`{"status":"success","data":{}}`), []byte(`{"status":"success"}`),
			[]byte(`{"status":"error","data":{"groups":[]}}`), []byte(`{"status":"success","data":{"groups":[{"rules":[{"alerts":"x"}]}]}}`),
		},
		CallsPerPoll: 1,
	})
}

func TestAnAlertIsWhatItsRuleSaysAndABrokenRuleIsNeverFine(t *testing.T) {
	rules, _, err := parseRules([]byte(rulesAnswer))
	if err != nil {
		t.Fatal(err)
	}
	s := alertsAt(t, "http://127.0.0.1:1")
	var got []string
	for i := range rules {
		for _, a := range s.alarms(&rules[i]) {
			got = append(got, fmt.Sprintf("%s/%s/%s/%s/%s", a.Name, a.Sale, a.State, a.Kind, a.Text))
		}
	}
	want := []string{
		"Declines/harbour/firing/alert/one card in twelve", "Declines/comet/pending/alert/rule",
		"Quiet/harbour/ok/rule/", "Broken//no_data/rule/the rule can't be evaluated: many-to-many",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the alarms are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTheRulesOfARealServerAreRead(t *testing.T) {
	r := startReal(t)
	s, err := NewAlerts(Options{Name: "rules", URL: "http://" + r.addr}, sources.Whose{{Sale: "harbour", Labels: map[string]string{"sale": "harbour"}}})
	if err != nil {
		t.Fatal(err)
	}
	var b sale.Batch
	r.until("the rules were evaluated", func() bool {
		b = s.Read(t.Context(), time.Now())
		return b.Problem == nil && len(b.Alarms) == 2 && b.Alarms[0].State == sale.ForeignFiring && b.Alarms[1].State == sale.ForeignOK
	})
	if a := b.Alarms[0]; a.Name != "AlwaysOn" || a.Sale != "harbour" || a.Since.IsZero() || a.Text != "it is on" {
		t.Errorf("the firing one is %+v", a)
	}
	if a := b.Alarms[1]; a.Name != "NeverOn" || a.Sale != "" {
		t.Errorf("the quiet one is %+v", a)
	}
}

func FuzzRules(f *testing.F) {
	f.Add([]byte(rulesAnswer))
	f.Add([]byte(`{"status":"success","data":{"groups":[{"rules":[null]}]}}`))
	s, err := NewAlerts(Options{Name: "rules", URL: "http://127.0.0.1:1"}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		rules, _, err := parseRules(body)
		if err != nil {
			return
		}
		for i := range rules {
			for _, a := range s.alarms(&rules[i]) {
				if a.State == "" || sale.Clean(a.Text, 0) != a.Text || sale.Clean(a.Name, 0) != a.Name {
					t.Errorf("an alarm %+v", a)
				}
			}
		}
	})
}
