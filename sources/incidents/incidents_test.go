package incidents

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

var noon = time.Date(2026, 12, 4, 10, 10, 0, 0, time.UTC)

// scripted answers what the test last told it to, by the query.
type scripted struct {
	mu     sync.Mutex
	answer func(q url.Values) string
	asked  []string
}

func (s *scripted) set(f func(q url.Values) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer, s.asked = f, nil
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.URL.RawQuery)
	_, _ = w.Write([]byte(s.answer(r.URL.Query())))
}

func served(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func list(t *testing.T, s *Source, now time.Time) []sale.Incident {
	t.Helper()
	b := s.Read(context.Background(), now)
	if b.Problem != nil || b.Incidents == nil {
		t.Fatalf("the poll failed: %v", b.Problem)
	}
	return b.Incidents.List
}

const none = `{"incidents":[],"more":false}`

func TestWhatPagerDutyShowsOfAnIncident(t *testing.T) {
	s, err := NewPagerDuty(PagerDutyOptions{Common: common("pager"), Token: "t", URL: served(t, says(pdOpen))})
	if err != nil {
		t.Fatal(err)
	}
	at := func(h, m, sec int) time.Time { return time.Date(2026, 12, 4, h, m, sec, 0, time.UTC) }
	want := []sale.Incident{
		{Sale: "lantern", Key: "onsale/lantern/error_ratio", Name: "INC-4181", Title: "Lantern: errors 5.8 %", System: "pagerduty", Status: sale.IncidentOpen, Opened: at(10, 4, 40), URL: "https://x.pagerduty.com/incidents/Q1", Seen: noon},
		{Sale: "kestrel", Key: "onsale/kestrel/by-hand", Name: "INC-4182", Title: "Kestrel", System: "pagerduty", Status: sale.IncidentAcknowledged, Opened: at(10, 1, 0), Acknowledged: at(10, 5, 21), AcknowledgedBy: "Ines Horvat", URL: "https://x.pagerduty.com/incidents/Q2", Seen: noon},
	}
	got := list(t, s, noon)
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("it shows\n%+v\nwant\n%+v", got, want)
	}
}

func TestAnIncidentThatIsNotOpenAnyMoreIsAskedForByItsKey(t *testing.T) {
	wire := &scripted{}
	wire.set(func(url.Values) string { return pdOpen })
	s, err := NewPagerDuty(PagerDutyOptions{Common: common("pager"), Token: "t", URL: served(t, wire)})
	if err != nil {
		t.Fatal(err)
	}
	list(t, s, noon)
	wire.set(func(q url.Values) string {
		if !q.Has("incident_key") {
			return strings.Replace(pdOpen, "onsale/lantern/error_ratio", "another/key", 1)
		}
		return `{"incidents":[{"incident_number":4181,"status":"resolved","incident_key":"onsale/lantern/error_ratio","created_at":"2026-12-04T10:04:40Z","last_status_change_at":"2026-12-04T10:31:00Z","last_status_change_by":{"summary":"Ines Horvat"}}]}`
	})
	for poll := range 3 {
		now := noon.Add(time.Duration(poll+1) * 30 * time.Second)
		got := list(t, s, now)
		over := got[len(got)-1]
		if len(got) != 2 || over.Status != sale.IncidentResolved || over.ResolvedBy != "Ines Horvat" || over.Resolved.Format("15:04:05") != "10:31:00" {
			t.Fatalf("poll %d: %+v", poll+1, got)
		}
	}
	if len(wire.asked) != 4 {
		t.Errorf("%d requests were sent, want one for the key and one a poll: %q", len(wire.asked), wire.asked)
	}
	if got := list(t, s, noon.Add(time.Hour)); len(got) != 1 {
		t.Errorf("an hour later: %+v", got)
	}
}

func TestWhatTheJournalKnowsIsLookedFor(t *testing.T) {
	sent := noon.Add(-time.Minute)
	known := []Known{{Sale: "lantern", Key: "onsale/lantern/error_ratio", Sent: sent}, {Sale: "somebody-elses", Key: "onsale/somebody-elses/x", Sent: sent}}
	wire := &scripted{}
	c := common("pager")
	c.Known = func() []Known { return known }
	s, err := NewPagerDuty(PagerDutyOptions{Common: c, Token: "t", URL: served(t, wire)})
	if err != nil {
		t.Fatal(err)
	}
	wire.set(func(url.Values) string { return none })
	if got := list(t, s, noon); len(got) != 0 {
		t.Errorf("accepted and not shown yet: %+v, want none", got)
	}
	// A service that makes alerts names no key, and an older incident of the key is not this one.
	wire.set(func(q url.Values) string {
		if !q.Has("incident_key") {
			return none
		}
		return `{"incidents":[{"incident_number":4181,"status":"triggered","incident_key":null,"created_at":"2026-12-04T10:09:02Z"},
		 {"incident_number":3000,"status":"resolved","incident_key":"onsale/lantern/error_ratio","created_at":"2026-12-01T10:00:00Z","resolved_at":"2026-12-01T11:00:00Z"}]}`
	})
	got := list(t, s, noon.Add(30*time.Second))
	if len(got) != 1 || got[0].Name != "INC-4181" || got[0].Status != sale.IncidentOpen || got[0].Key != known[0].Key {
		t.Errorf("it shows %+v", got)
	}
}

func TestAnIncidentIsOpenedAgainUnderItsKey(t *testing.T) {
	wire := &scripted{}
	s, err := NewPagerDuty(PagerDutyOptions{Common: common("pager"), Token: "t", URL: served(t, wire)})
	if err != nil {
		t.Fatal(err)
	}
	page := func(number, status, created, resolved string) string {
		return `{"incidents":[{"incident_number":` + number + `,"status":"` + status + `","incident_key":"onsale/lantern/x","created_at":"` + created + `","resolved_at":"` + resolved + `"}]}`
	}
	wire.set(func(url.Values) string { return page("1", "triggered", "2026-12-04T09:00:00Z", "") })
	list(t, s, noon)
	wire.set(func(q url.Values) string {
		if q.Has("incident_key") {
			return page("1", "resolved", "2026-12-04T09:00:00Z", "2026-12-04T10:00:00Z")
		}
		return none
	})
	list(t, s, noon.Add(time.Minute))
	wire.set(func(url.Values) string { return page("2", "triggered", "2026-12-04T10:12:00Z", "") })
	got := list(t, s, noon.Add(2*time.Minute))
	if len(got) != 1 || got[0].Name != "INC-2" || got[0].Status != sale.IncidentOpen {
		t.Errorf("it shows %+v", got)
	}
}

func TestAnAlertIsOverOnlyWhenEveryPeerHasForgottenIt(t *testing.T) {
	one, two := &scripted{}, &scripted{}
	s, err := NewAlertmanager(AlertmanagerOptions{Common: common("am"), Peers: []string{served(t, one), served(t, two)}})
	if err != nil {
		t.Fatal(err)
	}
	alert, empty := "["+amAlertJSON("lantern", "error_ratio", "active")+"]", "[]"
	for _, step := range []struct {
		name     string
		one, two string
		want     []sale.IncidentStatus
		warns    bool
	}{
		{"one peer shows it", alert, empty, []sale.IncidentStatus{sale.IncidentOpen}, false},
		{"the one that did is gone: it proves nothing", "x", empty, nil, true},
		{"both show it", alert, alert, []sale.IncidentStatus{sale.IncidentOpen}, false},
		{"both answer and neither does", empty, empty, []sale.IncidentStatus{sale.IncidentResolved}, false},
	} {
		one.set(func(url.Values) string { return step.one })
		two.set(func(url.Values) string { return step.two })
		b := s.Read(context.Background(), noon)
		if b.Problem != nil {
			t.Fatalf("%s: %v", step.name, b.Problem)
		}
		ok := len(b.Incidents.List) == len(step.want) && (len(b.Warnings) > 0) == step.warns
		for i := range step.want {
			ok = ok && b.Incidents.List[i].Status == step.want[i]
		}
		if !ok {
			t.Errorf("%s: %+v, warnings %q", step.name, b.Incidents.List, b.Warnings)
		}
	}
}

func TestASilenceOfAnAlertIsItsAcknowledgement(t *testing.T) {
	s, err := NewAlertmanager(AlertmanagerOptions{Common: common("am"), Peers: []string{served(t, amWire("["+amAlertJSON("lantern", "error_ratio", "suppressed")+"]"))}})
	if err != nil {
		t.Fatal(err)
	}
	got := list(t, s, noon)
	if len(got) != 1 || got[0].Status != sale.IncidentAcknowledged || got[0].AcknowledgedBy != "ivana" || got[0].Acknowledged.Format("15:04:05") != "10:05:21" || got[0].Key != "onsale/lantern/error_ratio" {
		t.Errorf("it shows %+v", got)
	}
}

func TestAnOpsItemThatIsNotOpenAnyMoreIsReadByItself(t *testing.T) {
	resolved := `{"OpsItem":{"OpsItemId":"oi-1","Title":"Lantern","Status":"Resolved","CreatedTime":1764842680,"LastModifiedTime":1764846280,"LastModifiedBy":"arn:aws:iam::1:user/ines"}}`
	first := true
	s := opsSource(t, served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		switch {
		case strings.HasSuffix(r.Header.Get("X-Amz-Target"), "GetOpsItem"):
			_, _ = w.Write([]byte(resolved))
		case first:
			_, _ = w.Write([]byte(opsOpen))
		default:
			_, _ = w.Write([]byte(`{"OpsItemSummaries":[]}`))
		}
	})), common("ops"))
	got := list(t, s, noon)
	if len(got) != 2 || got[0].Name != "oi-1" || got[0].Key != "onsale/lantern/incident" || !got[1].Acknowledged.IsZero() || got[1].AcknowledgedBy != "ines" {
		t.Fatalf("it shows %+v", got)
	}
	first = false
	got = list(t, s, noon.Add(time.Minute))
	if len(got) != 2 || got[0].Status != sale.IncidentResolved || !got[0].Resolved.Equal(time.Unix(1764846280, 0)) {
		t.Errorf("afterwards %+v", got)
	}
}

func TestWhatOnlyTheJournalKnowsOfIsOverWhenItsToolNeverHeardOfIt(t *testing.T) {
	sent := noon
	c := common("am")
	c.Known = func() []Known { return []Known{{Sale: "lantern", Key: "onsale/lantern/x", Sent: sent}} }
	s, err := NewAlertmanager(AlertmanagerOptions{Common: c, Peers: []string{served(t, says("[]"))}})
	if err != nil {
		t.Fatal(err)
	}
	if got := list(t, s, noon.Add(time.Minute)); len(got) != 0 {
		t.Errorf("a minute after it was sent: %+v", got)
	}
	got := list(t, s, noon.Add(3*time.Minute))
	if len(got) != 1 || got[0].Status != sale.IncidentResolved || !got[0].Resolved.IsZero() {
		t.Errorf("three minutes after: %+v, want it over, nobody knows since when", got)
	}
}

func TestASourceThatCanNotBeReadIsRefusedAtOnce(t *testing.T) {
	for name, make := range map[string]func() (*Source, error){
		"without a token": func() (*Source, error) { return NewPagerDuty(PagerDutyOptions{Common: common("p")}) },
		"without sales":   func() (*Source, error) { return NewPagerDuty(PagerDutyOptions{Common: Common{Name: "p"}, Token: "t"}) },
		"without peers":   func() (*Source, error) { return NewAlertmanager(AlertmanagerOptions{Common: common("p")}) },
		"without a login": func() (*Source, error) { return NewOpsItem(OpsItemOptions{Common: common("p")}) },
	} {
		if _, err := make(); err == nil {
			t.Errorf("%s it is made", name)
		}
	}
}

func FuzzPagerDutyAnswers(f *testing.F) {
	f.Add([]byte(pdOpen))
	f.Add([]byte(`{"incidents":[{"incident_number":-1,"acknowledgements":[{}],"created_at":"0001-01-01T00:00:00Z"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		p := &pagerDuty{PagerDutyOptions{Common: common("p")}}
		all, _, err := parsePagerDuty(body)
		if err != nil {
			return
		}
		for _, raw := range all {
			holdText(t, p.incident(raw, "lantern", "onsale/lantern/x"))
		}
	})
}

func FuzzAlertmanagerAnswers(f *testing.F) {
	f.Add([]byte("[" + amAlertJSON("lantern", "x", "suppressed") + "]"))
	f.Add([]byte(`[{"labels":null,"status":{"silencedBy":null}}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		a := &alertmanager{AlertmanagerOptions{Common: common("a"), AlertName: DefaultAlertName}}
		all, err := parseAlerts(body)
		if err != nil {
			return
		}
		for _, one := range all {
			if in, ok := a.incident(one, nil, "https://am.example", noon); ok {
				holdText(t, in)
			}
		}
	})
}

func holdText(t *testing.T, in sale.Incident) {
	t.Helper()
	for _, text := range []string{in.Key, in.Name, in.Title, in.AcknowledgedBy, in.ResolvedBy, in.URL} {
		if text != sale.Clean(text, 0) {
			t.Errorf("the text %q is not clean", text)
		}
	}
}
