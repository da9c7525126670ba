package waitingroom

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/rehearsal/shop"
	"github.com/onsale-dev/onsale/sale"
)

// act sends one request through a real runner, as a person would who confirms it at once.
func act(t *testing.T, r *actions.Runner, req actions.Request) actions.Result {
	t.Helper()
	who := actions.Actor{Name: "mara", Role: actions.Operator, Via: "cli"}
	p := r.Preview(t.Context(), who, req)
	if p.Refused() {
		return actions.Result{Outcome: actions.Refused, Refusals: p.Refusals, Text: p.Refusals[0].Text}
	}
	armed, no := r.Arm(who, p, time.Minute)
	if no != nil {
		t.Fatal(no.Text)
	}
	return r.Run(t.Context(), who, actions.Confirmed{Preview: p, Arming: armed.ID, At: time.Now()})
}

func runner(t *testing.T, e *Executor, plays ...actions.Play) *actions.Runner {
	t.Helper()
	j, err := journal.Open(filepath.Join(t.TempDir(), "journal"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	r, err := actions.NewRunner(actions.Config{
		Journal:  j,
		Policy:   actions.Policy{Targets: map[sale.ID][]actions.Target{"lantern": {e.Target()}, "kestrel": {e.Target()}}},
		Executor: func(sale.ID, actions.Verb) (actions.Executor, error) { return e, nil },
		Plays:    plays,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestThroughTheRunnerAPauseARampAndEachUndoMoveTheRehearsedGate(t *testing.T) {
	for _, id := range []string{"lantern", "kestrel"} {
		t.Run(id, func(t *testing.T) {
			z := begin(t)
			e := z.executor(id, func(o *Options) { o.RampEvery = time.Millisecond })
			r := runner(t, e)
			full, _ := roomLimit(z, id)
			if res := act(t, r, actions.Request{Sale: sale.ID(id), Verb: actions.Pause}); res.Outcome != actions.Done {
				t.Fatal(res.Text)
			}
			if res := act(t, r, actions.Request{Sale: sale.ID(id), Verb: actions.Undo}); res.Outcome != actions.Done || z.room(id).QueueAll {
				t.Fatalf("undo: %s", res.Text)
			}
			if res := act(t, r, actions.Request{Sale: sale.ID(id), Verb: actions.Pause}); res.Outcome != actions.Done {
				t.Fatal(res.Text)
			}
			writes, _ := z.wrote()
			res := act(t, r, actions.Request{Sale: sale.ID(id), Verb: actions.Resume})
			if res.Outcome != actions.Done {
				t.Fatalf("%s; %+v", res.Text, res.Refusals)
			}
			if now, paused := roomLimit(z, id); now != full || paused {
				t.Errorf("after the ramp the limit is %d, paused %v", now, paused)
			}
			if n, _ := z.wrote(); n-writes != len(res.Steps) || len(res.Steps) < 3 {
				t.Errorf("%d writes for %d steps", n-writes, len(res.Steps))
			}
			if res := act(t, r, actions.Request{Sale: sale.ID(id), Verb: actions.Undo}); res.Outcome != actions.Done {
				t.Fatalf("undo of the last step: %s", res.Text)
			}
			if now, _ := roomLimit(z, id); now >= full {
				t.Errorf("after the undo of the last step the limit is %d", now)
			}
		})
	}
}

func roomLimit(z *zone, id string) (perMinute int, paused bool) {
	r := z.room(id)
	perMinute, _ = r.Effective(time.Now())
	return perMinute, r.QueueAll
}

func TestThroughTheRunnerARampHoldsAtItsFirstRateWithoutItsSignal(t *testing.T) {
	z := begin(t)
	e := z.executor("lantern", func(o *Options) {
		o.RampEvery = time.Millisecond
		o.Hold = []actions.Condition{{Signal: sale.PaymentFailureRatio, Over: actions.Up, Limit: 0.05}}
	})
	z.change("lantern", func(r *shop.Room) { r.QueueAll = true })
	res := act(t, runner(t, e), actions.Request{Sale: "lantern", Verb: actions.Resume})
	if res.Outcome != actions.Failed || len(res.Steps) != 3 || res.Steps[2].Outcome != actions.Refused {
		t.Fatalf("%s: %s", res.Outcome, res.Text)
	}
	if rate, paused := roomLimit(z, "lantern"); rate != 200 || paused {
		t.Errorf("it holds at %d, paused %v", rate, paused)
	}
}

// checked holds every request and answer against Cloudflare's published document.
type checked struct {
	t      *testing.T
	router routers.Router
	doc    *openapi3.T
	seen   map[string]int
}

func (c *checked) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	probe := r.Clone(context.Background())
	probe.URL.Scheme, probe.URL.Host, probe.Host = "", "", ""
	probe.Body = io.NopCloser(bytes.NewReader(body))
	route, params, err := c.router.FindRoute(probe)
	if err != nil {
		c.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
		return http.DefaultTransport.RoundTrip(r)
	}
	c.seen[r.Method+" "+route.Path]++
	options := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true}
	request := &openapi3filter.RequestValidationInput{Request: probe, PathParams: params, Route: route, Options: options}
	if err := openapi3filter.ValidateRequest(context.Background(), request); err != nil {
		c.t.Errorf("%s %s %s: the document says %v", r.Method, r.URL.Path, body, err)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(data))
	if err == nil && resp.StatusCode == http.StatusOK {
		in := &openapi3filter.ResponseValidationInput{RequestValidationInput: request, Status: resp.StatusCode, Header: resp.Header, Options: options}
		in.SetBodyBytes(bytes.Clone(data))
		if err := openapi3filter.ValidateResponse(context.Background(), in); err != nil {
			c.t.Errorf("%s %s: the answer that was understood is not of the document: %v", r.Method, r.URL.Path, err)
		}
	}
	return resp, err
}

// TestEveryRequestIsOneOfThePublishedDocument needs Cloudflare's OpenAPI document in the folder
// that ONSALE_SCHEMAS names.
func TestEveryRequestIsOneOfThePublishedDocument(t *testing.T) {
	dir := os.Getenv("ONSALE_SCHEMAS")
	if dir == "" {
		t.Skip("ONSALE_SCHEMAS is not set: the requests were NOT held against Cloudflare's published document")
	}
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(dir, "cloudflare-waiting-rooms.openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers, doc.Security = openapi3.Servers{{URL: "/client/v4"}}, nil
	router, err := legacy.NewRouter(doc, openapi3.DisableExamplesValidation())
	if err != nil {
		t.Fatal(err)
	}
	check := &checked{t: t, router: router, doc: doc, seen: map[string]int{}}
	z := begin(t)
	for _, id := range []string{"lantern", "kestrel"} {
		e := z.executor(id, func(o *Options) { o.Client = &http.Client{Transport: check}; o.Room = z.room(id).Name })
		z.do(e, actions.Request{Verb: actions.Pause}, actions.Evidence{})
		z.do(e, actions.Request{Verb: actions.Undo, Of: actions.Pause, Restore: actions.Value{"queue_all": actions.Flag(false)}}, actions.Evidence{})
		z.do(e, actions.Request{Verb: actions.Rate, To: to(360)}, actions.Evidence{})
	}
	all, _ := json.Marshal(check.seen)
	for _, want := range []string{"PATCH /zones/{zone_id}/waiting_rooms/{waiting_room_id}\"", "events/{event_id}\"", "details", "status"} {
		if !strings.Contains(string(all), want) {
			t.Errorf("no request for %s: %s", want, all)
		}
	}
}
