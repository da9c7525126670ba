package incidents

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// realAlertmanager starts the real server on a free port and returns its address.
func realAlertmanager(t *testing.T) string {
	t.Helper()
	binary := os.Getenv("ONSALE_ALERTMANAGER")
	if binary == "" {
		t.Skip("NOT TESTED against a real Alertmanager: ONSALE_ALERTMANAGER names no binary (make peers fetches one)")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "am.yml")
	if err := os.WriteFile(file, []byte("route: {receiver: on-call}\nreceivers: [{name: on-call}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "--config.file="+file, "--storage.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr, "--log.level=error", "--cluster.listen-address=")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	base := "http://" + addr
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if resp, err := http.Get(base + "/-/ready"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return base
			}
		}
	}
	t.Fatal("the server does not get ready")
	return ""
}

func TestARealAlertmanagerTellsOfAnIncidentFromItsOpeningToItsEnd(t *testing.T) {
	base := realAlertmanager(t)
	post := func(path, body string) {
		t.Helper()
		resp, err := http.Post(base+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", path, resp.Status)
		}
	}
	s, err := NewAlertmanager(AlertmanagerOptions{Common: common("am"), Peers: []string{base}})
	if err != nil {
		t.Fatal(err)
	}
	if got := list(t, s, time.Now()); len(got) != 0 {
		t.Fatalf("before: %+v", got)
	}
	began := time.Now().UTC().Truncate(time.Second)
	alert := func(ends time.Time) string {
		return `[{"labels":{"alertname":"OnsaleIncident","sale":"lantern","cause":"error_ratio","severity":"critical"},"annotations":{"summary":"errors 5.8 %"},"startsAt":"` +
			began.Format(time.RFC3339) + `","endsAt":"` + ends.Format(time.RFC3339) + `"}]`
	}
	post("/api/v2/alerts", alert(began.Add(time.Hour)))
	// wait polls until the one incident is in a state: the server takes a moment to show a change.
	wait := func(want sale.IncidentStatus) sale.Incident {
		t.Helper()
		var got []sale.Incident
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			if got = list(t, s, time.Now()); len(got) == 1 && got[0].Status == want {
				return got[0]
			}
		}
		t.Fatalf("it never became %s: %+v", want, got)
		return sale.Incident{}
	}
	if in := wait(sale.IncidentOpen); !in.Opened.Equal(began) || in.Title != "errors 5.8 %" || in.Key != "onsale/lantern/error_ratio" {
		t.Errorf("open: %+v", in)
	}
	post("/api/v2/silences", `{"matchers":[{"name":"sale","value":"lantern","isRegex":false}],"startsAt":"`+began.Format(time.RFC3339)+`","endsAt":"`+
		began.Add(time.Hour).Format(time.RFC3339)+`","createdBy":"ivana","comment":"x"}`)
	if in := wait(sale.IncidentAcknowledged); in.AcknowledgedBy != "ivana" || in.Acknowledged.IsZero() {
		t.Errorf("acknowledged: %+v", in)
	}
	post("/api/v2/alerts", alert(time.Now().UTC()))
	if in := wait(sale.IncidentResolved); in.Resolved.IsZero() {
		t.Errorf("resolved: %+v", in)
	}
}
