package alertmanager

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/sourcetest"
)

const (
	alertsAnswer = `[
 {"fingerprint":"a","labels":{"alertname":"Declines","sale":"harbour"},"annotations":{"summary":"one card in twelve"},"startsAt":"2026-12-04T09:03:12Z","status":{"state":"active","silencedBy":[],"inhibitedBy":[]}},
 {"fingerprint":"b","labels":{"alertname":"Disk","sale":"comet"},"annotations":{},"startsAt":"2026-12-04T09:00:00Z","status":{"state":"suppressed","silencedBy":["s1"],"inhibitedBy":[]}},
 {"fingerprint":"c","labels":{"alertname":"Child","sale":"harbour"},"annotations":{},"startsAt":"2026-12-04T09:00:00Z","status":{"state":"suppressed","silencedBy":[],"inhibitedBy":["a","x"]}}]`
	silencesAnswer = `[{"id":"s1","createdBy":"mara","comment":"known","endsAt":"2026-12-04T11:00:00Z"}]`
)

func serving(alerts, silences string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		body := alerts
		if strings.HasSuffix(r.URL.Path, "/silences") {
			body = silences
		}
		_, _ = fmt.Fprint(w, body)
	})
}

func sourceAt(t *testing.T, peers ...string) *Source {
	t.Helper()
	s, err := New(Options{Name: "pager", Peers: peers, Bearer: sourcetest.Secret, Whose: sources.Whose{
		{Sale: "harbour", Labels: map[string]string{"sale": "harbour"}}, {Sale: "comet", Labels: map[string]string{"sale": "comet"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheContractOfASource(t *testing.T) {
	planted, _ := json.Marshal(sourcetest.Escape + sourcetest.Secret)
	evil := strings.Trim(string(planted), `"`)
	plant := strings.NewReplacer("Declines", evil, "one card in twelve", evil, "mara", evil, "known", evil)
	sourcetest.Contract(t, sourcetest.Harness{
		New:        func(t *testing.T, url string) sources.Source { return sourceAt(t, url) },
		Healthy:    serving(alertsAnswer, silencesAnswer),
		WantAlarms: []string{"Declines", "Disk", "Child"},
		Hostile:    serving(plant.Replace(alertsAnswer), plant.Replace(silencesAnswer)),
		// An empty list is a good answer here, so the suite's own JSON bodies are left out.
		Binary: true,
		WrongTypes: [][]byte{
			[]byte("null"), []byte("{}"), []byte(`"text"`), []byte("17"), {}, []byte(`[{"labels":7}]`), []byte(`{"status":"success","data":[]}`),
		},
		CallsPerPoll: 2,
	})
}

func byName(b sale.Batch) map[string]sale.ForeignAlarm {
	all := map[string]sale.ForeignAlarm{}
	for _, a := range b.Alarms {
		all[a.Name] = a
	}
	return all
}

func TestWhatPagesNobodySaysWhy(t *testing.T) {
	srv := httptest.NewServer(serving(alertsAnswer, silencesAnswer))
	defer srv.Close()
	got := byName(sourceAt(t, srv.URL).Read(t.Context(), time.Now()))
	for name, want := range map[string]string{
		"Declines": "", "Disk": "silenced by mara until 2026-12-04 11:00Z: known", "Child": "inhibited by 2 other alerts",
	} {
		if a := got[name]; a.Muted != want || a.State != sale.ForeignFiring {
			t.Errorf("%s is %+v, want it muted by %q", name, a, want)
		}
	}
	if got["Declines"].Sale != "harbour" || got["Disk"].Sale != "comet" || got["Declines"].Text != "one card in twelve" {
		t.Errorf("the alerts are %+v", got)
	}
}

func TestAPeerThatFailsHidesNothingAndAnAlertThatPagesAnywherePages(t *testing.T) {
	first := httptest.NewServer(serving(alertsAnswer, silencesAnswer))
	defer first.Close()
	loud := strings.ReplaceAll(alertsAnswer, `"suppressed","silencedBy":["s1"]`, `"active","silencedBy":[]`)
	second := httptest.NewServer(serving(loud, "[]"))
	defer second.Close()
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	b := sourceAt(t, first.URL, second.URL, down.URL).Read(t.Context(), time.Now())
	got := byName(b)
	if b.Problem != nil || len(got) != 3 || len(b.Warnings) != 1 || !strings.Contains(b.Warnings[0], "can't be read") {
		t.Fatalf("the batch is %+v", b)
	}
	if a := got["Disk"]; a.Muted != "" {
		t.Errorf("an alert that one peer would page counts as muted: %+v", a)
	}
	if a := got["Declines"]; !strings.HasPrefix(a.Through, "on 2 of 2 peers that answered") {
		t.Errorf("who shows it: %q", a.Through)
	}
	if b := sourceAt(t, down.URL).Read(t.Context(), time.Now()); b.Problem == nil {
		t.Error("with no peer there the poll succeeded")
	}
}

func TestAnEmptyListIsAnAnswer(t *testing.T) {
	srv := httptest.NewServer(serving("[]", "[]"))
	defer srv.Close()
	if b := sourceAt(t, srv.URL).Read(t.Context(), time.Now()); b.Problem != nil || len(b.Alarms) != 0 {
		t.Errorf("the batch is %+v", b)
	}
}

func TestAPeerWithALoginInItsAddressIsRefusedWithoutRepeatingIt(t *testing.T) {
	_, err := New(Options{Name: "pager", Peers: []string{"https://u:" + sourcetest.Secret + "@am.example"}})
	if err == nil || strings.Contains(err.Error(), sourcetest.Secret) {
		t.Errorf("the error is %v", err)
	}
}

func TestARealAlertmanager(t *testing.T) {
	binary := os.Getenv("ONSALE_ALERTMANAGER")
	if binary == "" {
		t.Skip("NOT TESTED against a real Alertmanager: ONSALE_ALERTMANAGER names no binary (make peers fetches one)")
	}
	dir := t.TempDir()
	config := "route: {receiver: on-call}\nreceivers: [{name: on-call}]\ninhibit_rules:\n- {source_matchers: [alertname=Parent], target_matchers: [alertname=Child]}\n"
	if err := os.WriteFile(filepath.Join(dir, "am.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	_ = ln.Close()
	cmd := exec.Command(binary, "--config.file="+filepath.Join(dir, "am.yml"), "--storage.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr, "--log.level=error", "--cluster.listen-address=")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	s, base := sourceAt(t, "http://"+addr), "http://"+addr+"/api/v2"
	until := func(what string, done func() bool) {
		t.Helper()
		for end := time.Now().Add(time.Minute); !done(); time.Sleep(50 * time.Millisecond) { // a real server has its own pace
			if time.Now().After(end) {
				t.Fatalf("after a minute still not: %s", what)
			}
		}
	}
	post := func(path string, body any) {
		t.Helper()
		data, _ := json.Marshal(body)
		until("it takes "+path, func() bool {
			resp, err := http.Post(base+path, "application/json", bytes.NewReader(data))
			if err != nil {
				return false
			}
			_ = resp.Body.Close()
			return resp.StatusCode == http.StatusOK
		})
	}
	now := time.Now()
	alert := func(name, sale string) map[string]any {
		return map[string]any{"labels": map[string]string{"alertname": name, "sale": sale}, "annotations": map[string]string{"summary": name + " is on"}, "startsAt": now, "endsAt": now.Add(time.Hour)}
	}
	post("/alerts", []any{alert("Parent", "harbour"), alert("Child", "harbour"), alert("Disk", "comet")})
	post("/silences", map[string]any{
		"matchers": []any{map[string]any{"name": "alertname", "value": "Disk", "isRegex": false, "isEqual": true}},
		"startsAt": now, "endsAt": now.Add(time.Hour), "createdBy": "mara", "comment": "known",
	})
	var got map[string]sale.ForeignAlarm
	until("the silence and the inhibition are seen", func() bool {
		got = byName(s.Read(t.Context(), time.Now()))
		return got["Disk"].Muted != "" && got["Child"].Muted != ""
	})
	if a := got["Disk"]; !strings.HasPrefix(a.Muted, "silenced by mara until ") || !strings.HasSuffix(a.Muted, ": known") || a.Sale != "comet" {
		t.Errorf("the silenced one is %+v", a)
	}
	if a := got["Child"]; a.Muted != "inhibited by another alert" {
		t.Errorf("the inhibited one is %+v", a)
	}
	if a := got["Parent"]; a.Muted != "" || a.Text != "Parent is on" || a.Sale != "harbour" {
		t.Errorf("the one that pages is %+v", a)
	}
}

func FuzzAlerts(f *testing.F) {
	f.Add([]byte(alertsAnswer))
	f.Add([]byte(`[null]`))
	s, err := New(Options{Name: "pager", Peers: []string{"http://127.0.0.1:1"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var list []alert
		if json.Unmarshal(body, &list) != nil {
			return
		}
		b := s.batch([]view{{peer: s.peers[0], alerts: list}})
		for _, a := range b.Alarms {
			if sale.Clean(a.Name, 0) != a.Name || sale.Clean(a.Muted, 0) != a.Muted || a.State != sale.ForeignFiring {
				t.Errorf("an alarm %+v", a)
			}
		}
	})
}
