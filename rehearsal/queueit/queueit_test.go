package queueit_test

import (
	"encoding/json"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/queueit"
	"github.com/onsale-dev/onsale/rehearsal/shop"
)

const key = "an-api-key"

type desk struct {
	*queueit.Server
	t     *testing.T
	world *shop.World
	at    time.Time
}

func open(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, at: time.Date(2026, 12, 4, 10, 8, 0, 0, time.UTC)}
	var err error
	if d.world, err = shop.New(shop.Options{Seed: 1, Start: d.at, History: 25 * time.Minute}); err != nil {
		t.Fatal(err)
	}
	d.Server = queueit.New(d.world, queueit.Options{Key: key, Now: func() time.Time { return d.at }})
	return d
}

func (d *desk) send(method, path, apiKey, body string, into any) (code int, retryAfter string) {
	d.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("api-key", apiKey)
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		d.t.Fatalf("%s %s: %d %q: %v", method, path, w.Code, w.Body, err)
	}
	return w.Code, w.Header().Get("Retry-After")
}

func TestTheSpeedOfAnEventIsSetAndItsStatisticsFollowInStrings(t *testing.T) {
	d := open(t)
	const lantern = "/2_0/event/lantern"
	var e map[string]string // every number is a string
	if code, _ := d.send("GET", lantern, key, "", &e); code != 200 || e["EventId"] != "lantern" || e["MaxRedirectsPerMinute"] != "800" || e["QueueStatusText"] != "Running" {
		t.Fatalf("%d %v", code, e)
	}
	if code, _ := d.send("PUT", lantern+"/queue/speed", key, `{"MaxRedirectsPerMinute":"120"}`, &e); code != 200 || e["MaxRedirectsPerMinute"] != "120" {
		t.Fatalf("%d %v", code, e)
	}
	for range 180 {
		d.world.Advance(1)
	}
	d.at = d.at.Add(3 * time.Minute)
	var sum map[string]string
	if code, _ := d.send("GET", lantern+"/queue/statistics/summary", key, "", &sum); code != 200 {
		t.Fatalf("%d %v", code, sum)
	}
	if n, err := strconv.Atoi(sum["NoOfRedirectsLastMinute"]); err != nil || n < 110 || n > 125 || sum["TotalWaitingInQueueCount"] == "" || sum["VersionTimestamp"] != "2026-12-04T10:11:00.0000000Z" {
		t.Errorf("%v", sum)
	}
	var all []map[string]string
	if code, _ := d.send("GET", "/2_0/event", key, "", &all); code != 200 || len(all) != 6 {
		t.Errorf("%d events", len(all))
	}
	if code, _ := d.send("POST", "/2_0/event/search", key, `{"DisplayName":"Lanterna"}`, &all); code != 200 || len(all) != 1 || all[0]["EventId"] != "lantern" {
		t.Errorf("%v", all)
	}
}

func TestEveryMistakeIsAnsweredInTheApisOwnWords(t *testing.T) {
	d := open(t)
	for name, c := range map[string]struct {
		method, path, key, body string
		status                  int
	}{
		"no key":            {"GET", "/2_0/event/lantern", "", "", 401},
		"another key":       {"PUT", "/2_0/event/lantern/queue/speed", "x", `{"MaxRedirectsPerMinute":"120"}`, 401},
		"no such event":     {"GET", "/2_0/event/nobody", key, "", 404},
		"nothing there":     {"GET", "/2_0/queue", key, "", 404},
		"a number":          {"PUT", "/2_0/event/marble/queue/speed", key, `{"MaxRedirectsPerMinute":120}`, 400},
		"under the minimum": {"PUT", "/2_0/event/marble/queue/speed", key, `{"MaxRedirectsPerMinute":"4"}`, 400},
		"no whole number":   {"PUT", "/2_0/event/marble/queue/speed", key, `{"MaxRedirectsPerMinute":"5.5"}`, 400},
		"nothing said":      {"PUT", "/2_0/event/marble/queue/speed", key, `{}`, 400},
		"no JSON":           {"PUT", "/2_0/event/marble/queue/speed", key, `speed`, 400},
	} {
		var out struct{ ErrorCode, ErrorText string }
		if code, _ := d.send(c.method, c.path, c.key, c.body, &out); code != c.status || out.ErrorCode != strconv.Itoa(code) || out.ErrorText == "" {
			t.Errorf("%s: %d %+v", name, code, out)
		}
	}
	for _, e := range d.world.Truth(d.at).Ledger {
		if e.By == shop.QueueIt {
			t.Errorf("something was set: %+v", e)
		}
	}
}

func TestTenCallsAMinutePassToOneEvent(t *testing.T) {
	d := open(t)
	var out map[string]any
	for i := range 10 {
		if code, _ := d.send("GET", "/2_0/event/lantern", key, "", &out); code != 200 {
			t.Fatalf("call %d: %d", i+1, code)
		}
		d.at = d.at.Add(time.Second)
	}
	if code, wait := d.send("PUT", "/2_0/event/lantern/queue/speed", key, `{"MaxRedirectsPerMinute":"120"}`, &out); code != 429 || wait == "" {
		t.Errorf("the eleventh: %d, wait %q", code, wait)
	}
	if code, _ := d.send("GET", "/2_0/event/marble", key, "", &out); code != 200 {
		t.Errorf("another event: %d", code)
	}
	d.at = d.at.Add(time.Minute)
	if code, _ := d.send("GET", "/2_0/event/lantern", key, "", &out); code != 200 {
		t.Errorf("a minute later: %d", code)
	}
}
