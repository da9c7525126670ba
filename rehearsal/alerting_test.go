package rehearsal

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// document asks a service and decodes what it says.
func (f *fixture) document(service, path string, into any) {
	f.t.Helper()
	status, body, err := f.ask(context.Background(), service, path, "")
	if err == nil {
		err = json.Unmarshal([]byte(body), into)
	}
	if err != nil || status != 200 {
		f.t.Fatalf("%s%s: %d %s, %v", service, path, status, body, err)
	}
}

type ruleSeen struct {
	State, Name, Health string
	LastEvaluation      time.Time
	Alerts              []struct {
		State               string
		Labels, Annotations map[string]string
		ActiveAt            time.Time
		Value               string
	}
}

func (f *fixture) rulesSeen() []ruleSeen {
	f.t.Helper()
	var out struct {
		Data struct {
			Groups []struct{ Rules []ruleSeen }
		}
	}
	f.document(Prometheus, "/api/v1/rules?type=alert", &out)
	if len(out.Data.Groups) != 1 {
		f.t.Fatalf("%d groups of rules", len(out.Data.Groups))
	}
	return out.Data.Groups[0].Rules
}

// said lists the active alerts of the rules: "PaymentDeclines lantern firing".
func (f *fixture) said() []string {
	f.t.Helper()
	var out []string
	for _, r := range f.rulesSeen() {
		for _, a := range r.Alerts {
			out = append(out, strings.Join([]string{r.Name, a.Labels["sale"], a.State}, " "))
		}
	}
	slices.Sort(out)
	return out
}

type heldAlert struct {
	Labels   map[string]string
	StartsAt time.Time
	Status   struct {
		State      string
		SilencedBy []string
	}
}

// held lists what the Alertmanager holds, as said does.
func (f *fixture) held() []string {
	f.t.Helper()
	var list []heldAlert
	f.document(Alertmanager, "/api/v2/alerts", &list)
	out := []string{}
	for _, a := range list {
		out = append(out, strings.Join([]string{a.Labels["alertname"], a.Labels["sale"], a.Status.State}, " "))
	}
	slices.Sort(out)
	return out
}

func TestARuleIsPendingForItsTimeThenFiresAndTheAlertmanagerIsTold(t *testing.T) {
	f := open(t, Options{Seed: 3, Scenario: "payment-degrades", Ahead: 30 * time.Second})
	if got := append(f.said(), f.held()...); len(got) > 0 {
		t.Fatalf("before the story: %v", got)
	}
	var pending, firing time.Time
	for firing.IsZero() && f.world.Story() < 6*time.Minute {
		f.step(5 * time.Second)
		switch got := f.said(); {
		case slices.Equal(got, []string{"PaymentDeclines lantern pending"}):
			if pending.IsZero() {
				pending = f.clock.now()
			}
			if len(f.held()) > 0 {
				t.Fatal("the Alertmanager is told of what is pending")
			}
		case slices.Equal(got, []string{"PaymentDeclines lantern firing"}):
			firing = f.clock.now()
		case len(got) > 0:
			t.Fatalf("the alerts are %v", got)
		}
	}
	if pending.IsZero() || firing.Sub(pending) < time.Minute || firing.Sub(pending) > time.Minute+ruleInterval+5*time.Second {
		t.Fatalf("pending at %s, firing at %s", pending, firing)
	}
	if v := f.Truth().Sales["lantern"]["payment_failure_ratio"]; v <= 0.05 {
		t.Errorf("it fires at %g", v)
	}
	for _, r := range f.rulesSeen() {
		if age := f.clock.now().Sub(r.LastEvaluation); age < 0 || age > ruleInterval || r.Health != "ok" {
			t.Errorf("%s was evaluated %s ago, and is %s", r.Name, age, r.Health)
		}
		for _, a := range r.Alerts {
			if d := a.ActiveAt.Sub(pending); d < -10*time.Second || d > 0 || a.Labels["severity"] != "page" || !strings.Contains(a.Annotations["summary"], "% of the payments of lantern are declined") {
				t.Errorf("the alert is %+v, pending was seen at %s", a, pending)
			}
		}
	}
	if got := f.held(); !slices.Equal(got, []string{"PaymentDeclines lantern active"}) {
		t.Errorf("the Alertmanager holds %v", got)
	}
}

func TestRulesKnowTheirPastAtTheStartAndCalmNightsFireNothing(t *testing.T) {
	for scenario, want := range map[string]string{
		"calm": "", "payment-degrades": "PaymentDeclines lantern", "db-exhausted": "PagesSlow lantern,RequestsFail lantern", "surge-at-opening": "",
	} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			o := Options{Seed: 3, Scenario: scenario, Ahead: 12 * time.Minute, history: 20 * time.Minute}
			if scenario == "db-exhausted" {
				o.history = history // its database is rather full by then
			}
			f := open(t, o)
			var rules, held []string
			for _, one := range f.said() {
				if name, ok := strings.CutSuffix(one, " firing"); ok {
					rules = append(rules, name)
				}
			}
			for _, one := range f.held() {
				held = append(held, strings.TrimSuffix(one, " active"))
			}
			if got := strings.Join(rules, ","); got != want || strings.Join(held, ",") != want {
				t.Errorf("the rules fire %v, the Alertmanager holds %v, want %s", rules, held, want)
			}
		})
	}
}

func TestWhatIsOverIsResolvedAndABrokenAlertmanagerIsToldAfterwards(t *testing.T) {
	f := open(t, Options{Seed: 3})
	if err := f.Fault(Metrics, Error); err != nil {
		t.Fatal(err)
	}
	f.step(time.Minute)
	if err := f.Fault(Alertmanager, Down); err != nil {
		t.Fatal(err)
	}
	f.step(2 * time.Minute)
	if got := f.said(); !slices.Equal(got, []string{"ShopNotScraped  firing"}) {
		t.Fatalf("without scrapes the rules say %v", got)
	}
	if err := f.Fault(Alertmanager, OK); err != nil {
		t.Fatal(err)
	}
	if got := f.held(); len(got) > 0 {
		t.Errorf("it was told while it was down: %v", got)
	}
	f.step(ruleInterval)
	if got := f.held(); !slices.Equal(got, []string{"ShopNotScraped  active"}) {
		t.Errorf("once it is mended it holds %v", got)
	}
	if err := f.Fault(Metrics, OK); err != nil {
		t.Fatal(err)
	}
	f.step(2 * ruleInterval)
	if got := append(f.said(), f.held()...); len(got) > 0 {
		t.Errorf("scraped again: %v", got)
	}
}

func TestASilenceMutesUntilItIsExpired(t *testing.T) {
	f := open(t, Options{Seed: 3, Scenario: "payment-degrades", Ahead: 5 * time.Minute, history: 12 * time.Minute})
	now := f.clock.now()
	body := fmt.Sprintf(`{"matchers":[{"name":"sale","value":"lantern","isRegex":false,"isEqual":true}],"startsAt":%q,"endsAt":%q,"createdBy":"mara","comment":"known"}`,
		now.Format(time.RFC3339), now.Add(time.Minute).Format(time.RFC3339))
	status, said, err := f.ask(context.Background(), Alertmanager, "/api/v2/silences", body)
	if err != nil || status != 200 || !strings.Contains(said, "silenceID") {
		t.Fatalf("%d %s, %v", status, said, err)
	}
	if got := f.held(); !slices.Equal(got, []string{"PaymentDeclines lantern suppressed"}) {
		t.Errorf("silenced it holds %v", got)
	}
	f.tells("alertmanager", "mara", "silence made")
	f.step(61 * time.Second)
	if got := f.held(); !slices.Equal(got, []string{"PaymentDeclines lantern active"}) {
		t.Errorf("after the silence it holds %v", got)
	}
	for wrong, body := range map[string]string{
		"no matcher": `{"matchers":[],"startsAt":"2030-01-01T00:00:00Z","endsAt":"2030-01-01T01:00:00Z"}`,
		"the past":   `{"matchers":[{"name":"sale","value":"x"}],"startsAt":"2020-01-01T00:00:00Z","endsAt":"2020-01-01T01:00:00Z"}`,
		"everything": `{"matchers":[{"name":"sale","value":".*","isRegex":true}],"startsAt":"2030-01-01T00:00:00Z","endsAt":"2030-01-01T01:00:00Z"}`,
	} {
		if status, said, err := f.ask(context.Background(), Alertmanager, "/api/v2/silences", body); err != nil || status != 400 {
			t.Errorf("%s: %d %s, %v", wrong, status, said, err)
		}
	}
}
