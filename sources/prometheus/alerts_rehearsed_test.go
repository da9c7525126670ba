package prometheus

import (
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/rehearsal"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

func TestTheRulesOfARehearsedNightAreRead(t *testing.T) {
	firing := []string{"PagesSlow", "RequestsFail"}
	p, err := rehearsal.Start(t.Context(), rehearsal.Options{Seed: 3, Scenario: "db-exhausted", Ahead: 12 * time.Minute, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	s, err := NewAlerts(Options{Name: "rules", URL: p.URLs()[rehearsal.Prometheus]}, sources.Whose{{Sale: "lantern", Labels: map[string]string{"sale": "lantern"}}})
	if err != nil {
		t.Fatal(err)
	}
	b := s.Read(t.Context(), time.Now())
	if b.Problem != nil || len(b.Warnings) > 0 || len(b.Alarms) != 5 {
		t.Errorf("the batch is %+v", b)
	}
	var got []string
	for _, a := range b.Alarms {
		if a.State == sale.ForeignOK {
			continue
		}
		if a.State != sale.ForeignFiring || a.Sale != "lantern" || time.Since(a.Since) < time.Minute || time.Since(a.Since) > 13*time.Minute || !strings.Contains(a.Text, "of lantern") {
			t.Errorf("the alert is %+v", a)
		}
		got = append(got, a.Name)
	}
	if strings.Join(got, ",") != strings.Join(firing, ",") {
		t.Errorf("%v fire, want %v", got, firing)
	}
}
