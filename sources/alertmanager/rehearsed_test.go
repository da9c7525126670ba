package alertmanager

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/rehearsal"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

func TestTheAlertsOfARehearsedNightAreReadAndWhoSilencedThem(t *testing.T) {
	p, err := rehearsal.Start(t.Context(), rehearsal.Options{Seed: 3, Scenario: "payment-degrades", Ahead: 6 * time.Minute, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	base := p.URLs()[rehearsal.Alertmanager]
	s, err := New(Options{Name: "alerts", Peers: []string{base}, Whose: sources.Whose{{Sale: "lantern", Labels: map[string]string{"sale": "lantern"}}}})
	if err != nil {
		t.Fatal(err)
	}
	one := func() sale.ForeignAlarm {
		t.Helper()
		b := s.Read(t.Context(), time.Now())
		if b.Problem != nil || len(b.Warnings) > 0 || len(b.Alarms) != 1 {
			t.Fatalf("the batch is %+v", b)
		}
		return b.Alarms[0]
	}
	if a := one(); a.Name != "PaymentDeclines" || a.Sale != "lantern" || a.State != sale.ForeignFiring || a.Muted != "" || time.Since(a.Since) < time.Minute || !strings.Contains(a.Text, "% of the payments of lantern are declined") {
		t.Errorf("the alert is %+v", a)
	}
	now := time.Now().UTC()
	body := fmt.Sprintf(`{"matchers":[{"name":"sale","value":"lantern","isRegex":false}],"startsAt":%q,"endsAt":%q,"createdBy":"mara","comment":"known"}`, now.Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339))
	resp, err := http.Post(base+"/api/v2/silences", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if a := one(); !strings.HasPrefix(a.Muted, "silenced by mara until ") || !strings.HasSuffix(a.Muted, ": known") {
		t.Errorf("silenced it is %+v", a)
	}
	for kind, class := range map[string]sale.Class{rehearsal.Down: sale.Unreachable, rehearsal.Error: sale.Failing, rehearsal.Garbage: sale.BadData, rehearsal.Throttle: sale.Throttled} {
		if err := p.Fault(rehearsal.Alertmanager, kind); err != nil {
			t.Fatal(err)
		}
		if b := s.Read(t.Context(), time.Now()); b.Problem == nil || b.Problem.Class != class || len(b.Alarms) > 0 {
			t.Errorf("with the fault %s the batch is %+v", kind, b)
		}
	}
}
