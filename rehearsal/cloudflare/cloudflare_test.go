package cloudflare

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/onsale-dev/onsale/rehearsal/shop"
)

type fixture struct {
	t      *testing.T
	world  *shop.World
	server *Server
	token  string
}

func open(t *testing.T) *fixture {
	t.Helper()
	w, err := shop.New(shop.Options{Seed: 1, Start: time.Date(2026, 12, 4, 9, 8, 41, 0, time.UTC), History: 45 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{t: t, world: w, token: "write", server: New(w, Options{ReadToken: "read", WriteToken: "write", Now: w.Now})}
}

func (f *fixture) room(sale string) string {
	for _, d := range f.world.Sales() {
		if d.ID == sale {
			return d.Room
		}
	}
	f.t.Fatalf("no sale %s", sale)
	return ""
}

// ask sends a request below the zone and returns the status and the decoded envelope.
func (f *fixture) ask(method, path, body string) (int, map[string]any) {
	f.t.Helper()
	r := httptest.NewRequest(method, "/client/v4/zones/"+shop.ZoneID+"/waiting_rooms"+path, strings.NewReader(body))
	if f.token != "" {
		r.Header.Set("Authorization", "Bearer "+f.token)
	}
	w := httptest.NewRecorder()
	f.server.ServeHTTP(w, r)
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		f.t.Fatalf("%s %s: %v: %s", method, path, err, w.Body)
	}
	if success := w.Code == 200; out["success"] != success || len(out["errors"].([]any)) == 0 != success {
		f.t.Errorf("%s %s: %d with the envelope %v", method, path, w.Code, out)
	}
	return w.Code, out
}

func result(out map[string]any) map[string]any {
	m, _ := out["result"].(map[string]any)
	return m
}

const whole = `"name":"lantern_room","host":"tickets.example.com","new_users_per_minute":%d,"total_active_users":6000`

func TestEachMistakeIsRefusedWithItsStatus(t *testing.T) {
	f := open(t)
	main, kestrel := "/"+f.room("lantern"), "/"+f.room("kestrel")
	_, out := f.ask("GET", kestrel+"/events", "")
	event := kestrel + "/events/" + out["result"].([]any)[0].(map[string]any)["id"].(string)
	const times = `"event_start_time":"2026-12-04T09:00:00Z","event_end_time":"2026-12-04T11:00:00Z"`
	for _, c := range []struct {
		name, method, path, body string
		status                   int
	}{
		{"a room that is not there", "GET", "/abc", "", 404},
		{"an event that is not there", "GET", main + "/events/abc", "", 404},
		{"a path that is not there", "GET", main + "/colour", "", 404},
		{"a method that is not there", "DELETE", main, "", 404},
		{"a page of seven", "GET", "?per_page=7", "", 400},
		{"a page of none", "GET", "?page=0", "", 400},
		{"a page of too many", "GET", "?per_page=1005", "", 400},
		{"a patch of one field alone", "PATCH", main, `{"queue_all":true}`, 400},
		{"a rate below the floor", "PATCH", main, "{" + fmt.Sprintf(whole, 199) + "}", 400},
		{"a rate above the site's ceiling", "PATCH", main, "{" + fmt.Sprintf(whole, 6001) + "}", 400},
		{"a rate that is a word", "PATCH", main, `{"name":"a","host":"b","new_users_per_minute":"many","total_active_users":6000}`, 400},
		{"a session of an hour", "PATCH", main, "{" + fmt.Sprintf(whole, 800) + `,"session_duration":60}`, 400},
		{"a method of queueing that is not there", "PATCH", main, "{" + fmt.Sprintf(whole, 800) + `,"queueing_method":"lifo"}`, 400},
		{"a name with a space", "PATCH", main, `{"name":"a b","host":"b","new_users_per_minute":300,"total_active_users":6000}`, 400},
		{"a list for a body", "PATCH", main, "[]", 400},
		{"half a body", "PATCH", main, "{", 400},
		{"an event without times", "PATCH", event, `{"name":"x"}`, 400},
		{"an event that ends first", "PATCH", event, `{"name":"x","event_start_time":"2026-12-04T09:00:00Z","event_end_time":"2026-12-04T08:00:00Z"}`, 400},
		{"an event with nonsense for a time", "PATCH", event, `{"name":"x","event_start_time":"soon","event_end_time":"late"}`, 400},
		{"an event's rate without its ceiling", "PATCH", event, `{"name":"x",` + times + `,"new_users_per_minute":300}`, 400},
		{"a prequeue of a minute", "PATCH", event, `{"name":"x",` + times + `,"prequeue_start_time":"2026-12-04T08:59:00Z"}`, 400},
		{"a shuffle without a prequeue", "PATCH", event, `{"name":"x",` + times + `,"shuffle_at_event_start":true}`, 400},
	} {
		if status, out := f.ask(c.method, c.path, c.body); status != c.status {
			t.Errorf("%s: %d %v, not %d", c.name, status, out["errors"], c.status)
		}
	}
	before, _ := f.world.Room(f.room("lantern"))
	if before.NewUsersPerMinute != 800 || before.QueueAll {
		t.Errorf("a refused change was made: %+v", before)
	}
}

func TestATokenIsAskedForAndItsRightsHold(t *testing.T) {
	f := open(t)
	path := "/" + f.room("lantern")
	for _, c := range []struct {
		token, method string
		status        int
	}{{"", "GET", 401}, {"wrong", "GET", 401}, {"read", "GET", 200}, {"read", "PATCH", 403}, {"write", "GET", 200}, {"write", "PATCH", 200}} {
		f.token = c.token
		if status, out := f.ask(c.method, path, "{"+fmt.Sprintf(whole, 800)+"}"); status != c.status {
			t.Errorf("%s with the token %q: %d %v", c.method, c.token, status, out)
		}
	}
	r := httptest.NewRequest("GET", "/client/v4/zones/00000000000000000000000000000000/waiting_rooms", nil)
	r.Header.Set("Authorization", "Bearer read")
	w := httptest.NewRecorder()
	if f.server.ServeHTTP(w, r); w.Code != 404 {
		t.Errorf("an unknown zone answers %d", w.Code)
	}
}

func TestTheListIsPaged(t *testing.T) {
	f := open(t)
	names := map[string]bool{}
	for page := 1; page <= 3; page++ {
		_, out := f.ask("GET", fmt.Sprintf("?per_page=5&page=%d", page), "")
		info := out["result_info"].(map[string]any)
		if info["total_count"] != 6.0 || info["total_pages"] != 2.0 || info["per_page"] != 5.0 {
			t.Errorf("page %d says %v", page, info)
		}
		for _, one := range out["result"].([]any) {
			names[one.(map[string]any)["name"].(string)] = true
		}
	}
	if len(names) != 6 {
		t.Errorf("the pages hold %v", names)
	}
}

func TestAPatchIsReadBackAtOnceAndStopsAdmissionInSeconds(t *testing.T) {
	f := open(t)
	path := "/" + f.room("lantern")
	_, before := f.ask("GET", path+"/status", "")
	if s := result(before); s["status"] != "queueing" || s["estimated_queued_users"].(float64) < 5000 || s["max_estimated_time_minutes"].(float64) < 5 {
		t.Errorf("before: %v", s)
	}
	status, out := f.ask("PATCH", path, "{"+fmt.Sprintf(whole, 800)+`,"queue_all":true}`)
	if status != 200 || result(out)["queue_all"] != true {
		t.Fatalf("%d %v", status, out)
	}
	if _, out := f.ask("GET", path, ""); result(out)["queue_all"] != true || result(out)["custom_page_html"] != "" {
		t.Errorf("read back: %v", out)
	}
	for range 75 {
		f.world.Advance(1)
	}
	_, after := f.ask("GET", path+"/status", "")
	if s := result(after); s["status"] != "queueing" || s["queue_all"] != nil {
		t.Errorf("the status must not tell of queue_all: %v", s)
	}
	if rate := f.world.Truth(f.world.Now()).Sales["lantern"]["admission_rate"]; rate != 0 {
		t.Errorf("%v are still let in", rate)
	}
}

func TestAPutReplacesWhatItLeavesOut(t *testing.T) {
	f := open(t)
	path := "/" + f.room("lantern")
	f.ask("PATCH", path, "{"+fmt.Sprintf(whole, 800)+`,"custom_page_html":"<p>wait</p>","description":"kept"}`)
	_, out := f.ask("PATCH", path, "{"+fmt.Sprintf(whole, 700)+"}")
	if r := result(out); r["custom_page_html"] != "<p>wait</p>" || r["path"] != "/lantern" {
		t.Errorf("a patch lost %v", r)
	}
	_, out = f.ask("PUT", path, "{"+fmt.Sprintf(whole, 700)+"}")
	if r := result(out); r["custom_page_html"] != "" || r["description"] != "" || r["path"] != "/" {
		t.Errorf("a put kept %v", r)
	}
}

func TestAnEventsDetailsFillInWhatItInherits(t *testing.T) {
	f := open(t)
	for sale, want := range map[string][3]any{"kestrel": {400.0, 400.0, 250.0}, "juniper": {nil, 400.0, 400.0}} {
		path := "/" + f.room(sale)
		_, out := f.ask("GET", path+"/events", "")
		listed := out["result"].([]any)[0].(map[string]any)
		_, details := f.ask("GET", path+"/events/"+listed["id"].(string)+"/details", "")
		_, room := f.ask("GET", path, "")
		got := [3]any{listed["new_users_per_minute"], result(details)["new_users_per_minute"], result(room)["new_users_per_minute"]}
		if got != want {
			t.Errorf("%s: event, details and room say %v, not %v", sale, got, want)
		}
	}
	_, st := f.ask("GET", "/"+f.room("juniper")+"/status", "")
	if s := result(st); s["status"] != "event_prequeueing" || s["event_id"] == "" {
		t.Errorf("the prequeue says %v", s)
	}
}

func TestAnEventsChangeTakesEffectWhileItIsActive(t *testing.T) {
	f := open(t)
	path := "/" + f.room("kestrel")
	_, out := f.ask("GET", path+"/events", "")
	e := out["result"].([]any)[0].(map[string]any)
	body, err := json.Marshal(map[string]any{
		"name": e["name"], "event_start_time": e["event_start_time"], "event_end_time": e["event_end_time"],
		"prequeue_start_time": e["prequeue_start_time"], "new_users_per_minute": 220, "total_active_users": 2600,
	})
	if err != nil {
		t.Fatal(err)
	}
	if status, out := f.ask("PATCH", path+"/events/"+e["id"].(string), string(body)); status != 200 {
		t.Fatal(out)
	}
	for range 200 {
		f.world.Advance(1)
	}
	v := f.world.Truth(f.world.Now()).Sales["kestrel"]
	if v["admission_limit"] != 220 || v["admission_rate"] < 205 || v["admission_rate"] > 235 {
		t.Errorf("the limit is %v, %v are let in", v["admission_limit"], v["admission_rate"])
	}
}

func TestOneRequestTooManyBlocksEverythingForFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiter{now: time.Now}
		take := func() (bool, http.Header) {
			h := http.Header{}
			ok := l.take(h)
			return ok, h
		}
		for i := range requests {
			if ok, h := take(); !ok || h.Get("X-Ratelimit-Remaining") != fmt.Sprint(requests-i-1) {
				t.Fatalf("request %d: %v %v", i, ok, h)
			}
		}
		if ok, h := take(); ok || h.Get("Retry-After") != "300" {
			t.Errorf("request 1201: %v %v", ok, h)
		}
		time.Sleep(299 * time.Second)
		if ok, h := take(); ok || h.Get("Retry-After") != "1" {
			t.Errorf("after 299 s: %v %v", ok, h)
		}
		time.Sleep(time.Second)
		if ok, _ := take(); !ok {
			t.Error("after five minutes it is still blocked")
		}
		for range 4 { // a slow poller is never blocked
			time.Sleep(5 * time.Minute)
			for range 1000 {
				if ok, _ := take(); !ok {
					t.Fatal("blocked below the limit")
				}
			}
		}
	})
}

// TestEveryAnswerIsOneOfThePublishedDocument needs Cloudflare's OpenAPI document in the folder that
// ONSALE_SCHEMAS names.
func TestEveryAnswerIsOneOfThePublishedDocument(t *testing.T) {
	dir := os.Getenv("ONSALE_SCHEMAS")
	if dir == "" {
		t.Skip("ONSALE_SCHEMAS is not set: the answers were NOT held against Cloudflare's published document")
	}
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(dir, "cloudflare-waiting-rooms.openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = openapi3.Servers{{URL: "/client/v4"}}
	doc.Security = nil
	router, err := legacy.NewRouter(doc, openapi3.DisableExamplesValidation())
	if err != nil {
		t.Fatal(err)
	}
	f := open(t)
	main, kestrel := "/"+f.room("lantern"), "/"+f.room("kestrel")
	_, out := f.ask("GET", kestrel+"/events", "")
	event := kestrel + "/events/" + out["result"].([]any)[0].(map[string]any)["id"].(string)
	for _, c := range []struct {
		method, path, body string
		refused            bool
	}{
		{"GET", "", "", false},
		{"GET", "?per_page=5&page=2", "", false},
		{"GET", main, "", false},
		{"GET", main + "/status", "", false},
		{"GET", kestrel + "/status", "", false},
		{"GET", kestrel + "/events", "", false},
		{"GET", event, "", false},
		{"GET", event + "/details", "", false},
		{"GET", main + "/rules", "", false},
		{"GET", "/settings", "", false},
		{"PATCH", main, "{" + fmt.Sprintf(whole, 640) + `,"queue_all":true}`, false},
		{"PUT", main, "{" + fmt.Sprintf(whole, 640) + "}", false},
		{"GET", "/nope", "", true},
		{"PATCH", main, `{"queue_all":true}`, true},
		{"PATCH", main, "{" + fmt.Sprintf(whole, 100) + "}", true},
	} {
		r := httptest.NewRequest(c.method, "/client/v4/zones/"+shop.ZoneID+"/waiting_rooms"+c.path, strings.NewReader(c.body))
		r.Header.Set("Authorization", "Bearer write")
		r.Header.Set("Content-Type", "application/json")
		route, params, err := router.FindRoute(r)
		if err != nil {
			t.Fatalf("%s %s: %v", c.method, c.path, err)
		}
		options := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true}
		request := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: options}
		err = openapi3filter.ValidateRequest(context.Background(), request)
		if bad := err != nil; bad && !c.refused || !bad && c.refused && c.body != "" {
			t.Errorf("%s %s %s: the document says %v", c.method, c.path, c.body, err)
		}
		r.Body = io.NopCloser(strings.NewReader(c.body))
		w := httptest.NewRecorder()
		f.server.ServeHTTP(w, r)
		if refused := w.Code != 200; refused != c.refused {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
		if c.refused { // the document's 4XX asks for success and failure at once; failure alone is meant
			var answer any
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
				t.Fatal(err)
			}
			if err := doc.Components.Schemas["waitingroom_api-response-common-failure"].Value.VisitJSON(answer); err != nil {
				t.Errorf("%s %s: the refusal is not of the document: %v\n%s", c.method, c.path, err, w.Body)
			}
			continue
		}
		response := &openapi3filter.ResponseValidationInput{RequestValidationInput: request, Status: w.Code, Header: w.Header(), Options: options}
		response.SetBodyBytes(bytes.Clone(w.Body.Bytes()))
		if err := openapi3filter.ValidateResponse(context.Background(), response); err != nil {
			t.Errorf("%s %s: the answer is not of the document: %v\n%s", c.method, c.path, err, w.Body)
		}
	}
}

func FuzzAnyBodyIsRefusedOrMakesAValidRoom(f *testing.F) {
	f.Add([]byte(`{"name":"a","host":"b","new_users_per_minute":300,"total_active_users":400,"queue_all":true}`))
	f.Add([]byte(`{"name":"a","event_start_time":"2026-12-04T09:00:00Z","event_end_time":"2026-12-04T11:00:00Z"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var c change
		r := shop.Room{Path: "/", SessionDuration: 5, QueueingMethod: "fifo", QueueingStatusCode: 200}
		if json.Unmarshal(body, &c) == nil && c.apply(&r) == nil {
			if r.NewUsersPerMinute < leastUsers || r.NewUsersPerMinute > r.TotalActiveUsers || r.SessionDuration < 1 || r.Name == "" {
				t.Errorf("%s makes %+v", body, r)
			}
		}
		var e eventChange
		if json.Unmarshal(body, &e) == nil {
			if made, err := e.event("x"); err == nil && !made.End.After(made.Start) {
				t.Errorf("%s makes %+v", body, made)
			}
		}
	})
}
