package waitingroom

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/actiontest"
	"github.com/onsale-dev/onsale/rehearsal/shop"
	"github.com/onsale-dev/onsale/sale"
)

// seeing is evidence of some signals, live and fresh.
func seeing(values map[sale.Signal]float64) actions.Evidence {
	e := actions.Evidence{At: time.Now(), Known: true}
	for name, v := range values {
		label := string(name)
		if m, ok := sale.MeaningOf(name); ok {
			label = m.Label
		}
		e.Signals = append(e.Signals, actions.Observed{Signal: name, Label: label, Has: true, Value: v, At: time.Now(), Freshness: sale.Fresh})
	}
	return e
}

func (z *zone) do(e *Executor, req actions.Request, seen actions.Evidence) {
	z.t.Helper()
	p := z.preview(e, req, seen)
	if p.Refused() {
		z.t.Fatalf("%s is refused: %s", req.Verb, p.Refusals[0].Text)
	}
	if _, err := e.Execute(z.t.Context(), p, "k"); err != nil {
		z.t.Fatal(err)
	}
	state, err := e.ReadBack(z.t.Context(), p)
	if err != nil || !state.Value.Holds(p.To) {
		z.t.Fatalf("read back %s, %v; want %s", state.Value, err, p.To)
	}
}

func TestAPauseSaysWhatItDoesAndNeverSuspends(t *testing.T) {
	z := begin(t)
	e := z.executor("lantern")
	seen := seeing(map[sale.Signal]float64{sale.AdmissionRate: 790, SafeAdmission: 640})
	p := z.preview(e, actions.Request{Verb: actions.Pause}, seen)
	contains(t, p.Change, "800/min → 0/min")
	contains(t, p.How, "queue_all on for room", "never suspend")
	contains(t, p.PeopleText, "waiting keep their place", "20-50s old")
	contains(t, p.Stays, "on site go on until", "after their last click")
	contains(t, p.NotChanged, "rate 800/min", "order of the queue")
	contains(t, p.UndoText, "R resumes as a ramp", "U (800/min) is refused above safe 640/min")
	contains(t, p.RevertsIt, "last written")
	if p.People == nil || *p.People < 1000 || p.Soonest != time.Minute || p.Latest != 2*time.Minute || p.CostPerHour == nil || p.Modified.IsZero() {
		t.Errorf("%+v", p)
	}
	if p.Effect == nil || p.Effect.Signal != sale.AdmissionRate || p.Effect.Direction != actions.Down || p.Effect.Wanted > 20 {
		t.Errorf("the effect is %+v", p.Effect)
	}
	if !p.To.Equal(actions.Value{"queue_all": actions.Flag(true)}) {
		t.Errorf("it would set %s", p.To)
	}
	z.do(e, actions.Request{Verb: actions.Pause}, seen)
	_, bodies := z.wrote()
	var sent map[string]any
	if err := json.Unmarshal([]byte(bodies[0]), &sent); err != nil {
		t.Fatal(err)
	}
	room := z.room("lantern")
	want := map[string]any{"name": room.Name, "host": room.Host, "new_users_per_minute": 800.0, "total_active_users": float64(room.TotalActiveUsers), "queue_all": true}
	if fmt.Sprint(sent) != fmt.Sprint(want) {
		t.Errorf("it sent %v, not %v", sent, want)
	}
	for range 120 {
		z.world.Advance(1)
	}
	if rate := z.world.Truth(z.world.Now()).Sales["lantern"]["admission_rate"]; rate != 0 {
		t.Errorf("two minutes later %v are let in", rate)
	}
	if p := z.preview(e, actions.Request{Verb: actions.Pause}, seen); !p.Refused() {
		t.Error("a second pause is not refused")
	}
	u := z.preview(e, actions.Request{Verb: actions.Undo, Of: actions.Pause, Restore: actions.Value{"queue_all": actions.Flag(false)}}, seen)
	if u.Refused() || u.Gesture() != actions.Severe || !strings.Contains(strings.Join(u.Warnings, "; "), "800/min is above the safe admission of 640/min; R resumes as a ramp within it") {
		t.Errorf("an undo to 800 above the safe 640 gives %s, %q, %+v", u.Gesture(), u.Warnings, u.Refusals)
	}
}

func TestSuspendedIsNeverSetNeverRestoredAndStopsEveryAction(t *testing.T) {
	z := begin(t)
	e := z.executor("lantern")
	for name, restore := range map[string]actions.Value{
		"suspended on":      {"suspended": actions.Flag(true)},
		"suspended off":     {"suspended": actions.Flag(false)},
		"with queue_all":    {"queue_all": actions.Flag(true), "suspended": actions.Flag(true)},
		"a queueing method": {"queueing_method": actions.Word("passthrough")},
		"a rate of none":    {"new_users_per_minute": actions.Unset},
		"a rate below":      {"new_users_per_minute": actions.Number(10)},
	} {
		p := z.preview(e, actions.Request{Verb: actions.Undo, Of: actions.Pause, Restore: restore}, actions.Evidence{})
		if !p.Refused() {
			t.Errorf("restoring %s is not refused", name)
		}
		p.Refusals = nil
		var rejected *actions.RejectedError
		if _, err := e.Execute(t.Context(), p, "k"); !errors.As(err, &rejected) {
			t.Errorf("executing %s: %v", name, err)
		}
	}
	z.change("lantern", func(r *shop.Room) { r.Suspended = true })
	for _, req := range []actions.Request{{Verb: actions.Pause}, {Verb: actions.Rate, To: to(400)}, {Verb: actions.Resume, To: to(900)}} {
		p := z.preview(e, req, actions.Evidence{})
		if !p.Refused() {
			t.Errorf("%s on a suspended room is not refused", req.Verb)
			continue
		}
		contains(t, p.Refusals[0].Text, "suspended", "straight to the shop")
	}
	if n, _ := z.wrote(); n != 0 {
		t.Errorf("%d writes were sent", n)
	}
}

func TestTheRateOfAnActiveEventIsSetOnTheEventWithBothLimits(t *testing.T) {
	z := begin(t)
	e := z.executor("kestrel")
	before := z.room("kestrel")
	p := z.preview(e, actions.Request{Verb: actions.Rate, To: to(300)}, actions.Evidence{})
	if p.Target.Kind != KindEvent || p.Target.ID != before.Events[0].ID || p.Target.Name != "kestrel" {
		t.Fatalf("the target is %+v", p.Target)
	}
	contains(t, p.Change, "400/min → 300/min")
	contains(t, p.How, "both limits of event", "overrides room")
	contains(t, p.RevertsIt, "ends", "the room's own 250/min")
	if len(p.To) != 2 || p.To["total_active_users"] != actions.Number(float64(*before.Events[0].TotalActiveUsers)) {
		t.Errorf("it would set %s", p.To)
	}
	if p := z.preview(e, actions.Request{Verb: actions.Pause}, actions.Evidence{}); p.Target.Kind != KindRoom || !strings.Contains(p.RevertsIt, "can't override queue_all") || !strings.Contains(p.Change, "400/min") {
		t.Errorf("a pause is of %+v: %s, %s", p.Target, p.Change, p.RevertsIt)
	}
	z.do(e, actions.Request{Verb: actions.Rate, To: to(300)}, actions.Evidence{})
	after := z.room("kestrel")
	was, is := before.Events[0], after.Events[0]
	if after.NewUsersPerMinute != before.NewUsersPerMinute || *is.NewUsersPerMinute != 300 {
		t.Errorf("the room has %d, the event %d", after.NewUsersPerMinute, *is.NewUsersPerMinute)
	}
	rate := 300
	was.NewUsersPerMinute, was.ModifiedOn = &rate, is.ModifiedOn
	a, _ := json.Marshal(was)
	if b, _ := json.Marshal(is); string(a) != string(b) {
		t.Errorf("more than the rate changed:\n%s\n%s", a, b)
	}
}

func TestTheRateOfAnEventThatInheritsIsSetOnTheRoom(t *testing.T) {
	z := begin(t)
	p := z.preview(z.executor("juniper"), actions.Request{Verb: actions.Rate, To: to(500)}, actions.Evidence{})
	if p.Target.Kind != KindRoom {
		t.Errorf("the target is %+v", p.Target)
	}
}

func TestARateKeepsItsBounds(t *testing.T) {
	z := begin(t)
	e := z.executor("lantern", func(o *Options) { o.MaxActive = 7000 })
	safe := seeing(map[sale.Signal]float64{SafeAdmission: 1150.7})
	for _, c := range []struct {
		name    string
		to      float64
		seen    actions.Evidence
		refused string
		warned  string
	}{
		{"below the floor", 199, safe, "from 200/min", ""},
		{"the floor", 200, safe, "", ""},
		{"half a person", 600.5, safe, "whole numbers", ""},
		{"up to the safe admission", 1150, safe, "", ""},
		{"above the safe admission", 1151, safe, "above the safe admission of 1,150/min", ""},
		{"up with nothing known of the site", 1151, actions.Evidence{}, "", "is not known"},
		{"down, still above the safe admission", 700, seeing(map[sale.Signal]float64{SafeAdmission: 640}), "", "still above the safe admission"},
		{"above the room's ceiling", 6500, actions.Evidence{}, "", "total_active_users goes up with it, 6000 → 6500"},
		{"above the bound of the ceiling", 7500, actions.Evidence{}, "over the bound of 7000", ""},
		{"more than Cloudflare takes", 3e9, actions.Evidence{}, "can't be set", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := z.preview(e, actions.Request{Verb: actions.Rate, To: &c.to}, c.seen)
			if p.Refused() != (c.refused != "") {
				t.Fatalf("refusals: %+v", p.Refusals)
			}
			if p.Refused() {
				contains(t, p.Refusals[0].Text, c.refused)
			}
			contains(t, strings.Join(p.Warnings, "; "), c.warned)
		})
	}
	stale := safe
	stale.Signals = slices.Clone(safe.Signals)
	stale.Signals[0].Freshness = sale.Stale
	p := z.preview(e, actions.Request{Verb: actions.Rate, To: to(900)}, stale)
	if i := slices.IndexFunc(p.Evidence, func(o actions.Observed) bool { return o.Signal == SafeAdmission }); i < 0 || !p.Evidence[i].Needed {
		t.Errorf("a stale safe admission is not needed evidence: %+v", p.Evidence)
	}
}

func TestARampGoesUpInAbsoluteRatesToTheSafeAdmission(t *testing.T) {
	z := begin(t)
	hold := []actions.Condition{{Signal: sale.PaymentFailureRatio, Over: actions.Up, Limit: 0.05}}
	e := z.executor("lantern", func(o *Options) { o.Hold = hold })
	z.change("lantern", func(r *shop.Room) { r.QueueAll = true })
	for _, c := range []struct {
		name  string
		to    *float64
		seen  map[sale.Signal]float64
		steps []string
		risk  actions.Risk
	}{
		{"to the recorded rate", nil, map[sale.Signal]float64{sale.PaymentFailureRatio: 0.01}, []string{"rate 200", "open", "rate 400", "rate 800"}, actions.Normal},
		{"to the safe admission", nil, map[sale.Signal]float64{sale.PaymentFailureRatio: 0.01, SafeAdmission: 640}, []string{"rate 200", "open", "rate 400", "rate 640"}, actions.Normal},
		{"to a number", to(1000), map[sale.Signal]float64{sale.PaymentFailureRatio: 0.01}, []string{"rate 250", "open", "rate 500", "rate 1000"}, actions.Normal},
		{"no step below the floor", to(300), map[sale.Signal]float64{sale.PaymentFailureRatio: 0.01}, []string{"rate 200", "open", "rate 300"}, actions.Normal},
		{"against its own condition", nil, map[sale.Signal]float64{sale.PaymentFailureRatio: 0.07}, []string{"rate 200", "open", "rate 400", "rate 800"}, actions.Severe},
		{"with a condition that can't be seen", nil, nil, []string{"rate 200", "open", "rate 400", "rate 800"}, actions.Severe},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := z.preview(e, actions.Request{Verb: actions.Resume, To: c.to}, seeing(c.seen))
			if p.Refused() {
				t.Fatal(p.Refusals)
			}
			var got []string
			opened := false
			for i, s := range p.Steps {
				if n, ok := s.Preview.To[SettingRate].Number(); ok {
					got = append(got, fmt.Sprintf("rate %v", n))
				} else {
					got = append(got, "open")
				}
				if (len(s.Hold) > 0) != opened || (s.After > 0) != opened || s.Request.Step != i+1 {
					t.Errorf("step %d waits %s and holds on %v", i+1, s.After, s.Hold)
				}
				opened = opened || got[i] == "open"
			}
			if !slices.Equal(got, c.steps) || p.Risk != c.risk {
				t.Errorf("the steps are %v, %s", got, p.Risk)
			}
		})
	}
	p := z.preview(e, actions.Request{Verb: actions.Resume}, seeing(map[sale.Signal]float64{sale.PaymentFailureRatio: 0.01, SafeAdmission: 640}))
	contains(t, p.Change, "0/min → 200/min now, 400/min at +2:00, 640/min at +4:00")
	contains(t, fmt.Sprint(p.Facts), "the safe admission, not 800/min", "or data is missing")
	for name, seen := range map[string]map[sale.Signal]float64{"a safe admission below the floor": {SafeAdmission: 150}} {
		if p := z.preview(e, actions.Request{Verb: actions.Resume}, seeing(seen)); !p.Refused() || !strings.Contains(p.Refusals[0].Text, "floor") {
			t.Errorf("%s: %+v", name, p.Refusals)
		}
	}
	z.change("lantern", func(r *shop.Room) { r.QueueAll = false })
	if p := z.preview(e, actions.Request{Verb: actions.Resume}, actions.Evidence{}); !p.Refused() {
		t.Error("a resume of a room that is open is not refused")
	}
}

func TestWhatAnAnswerMeans(t *testing.T) {
	no := func(code int, header http.Header, body string) func(w http.ResponseWriter, r *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodGet {
				return false
			}
			for k, v := range header {
				w.Header()[k] = v
			}
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
			return true
		}
	}
	const refusal = `{"success":false,"errors":[{"code":1034,"message":"not entitled"}],"messages":[],"result":null}`
	for _, c := range []struct {
		name     string
		answer   func(w http.ResponseWriter, r *http.Request) bool
		rejected bool
		class    sale.Class
		says     string
	}{
		{"a token without the right", no(403, nil, refusal), true, sale.Auth, "1034 not entitled"},
		{"an unknown token", no(401, nil, "<html>"), true, sale.Auth, "401"},
		{"a value that is not taken", no(400, nil, refusal), true, sale.BadData, "400"},
		{"too many calls", no(429, http.Header{"Retry-After": {"120"}}, refusal), true, sale.Throttled, "120 s more"},
		{"a success that says no", no(200, nil, refusal), true, sale.BadData, "1034"},
		{"an inner failure", no(500, nil, refusal), false, sale.Failing, "500"},
		{"a gateway's page", no(502, nil, "<html>bad gateway"), false, sale.Failing, "502"},
		{"a timeout of the server", no(408, nil, ""), false, sale.BadData, "408"},
		{"a page of HTML", no(200, nil, "<html>"), false, sale.BadData, "not a Cloudflare answer"},
		{"null", no(200, nil, "null"), false, sale.BadData, "does not say whether"},
		{"half an answer", no(200, nil, `{"success":true,"res`), false, sale.BadData, "not a Cloudflare answer"},
		{"a huge answer", no(200, nil, strings.Repeat(" ", maxBody+2)), false, sale.BadData, "longer than 1 MiB"},
		{"a redirect to another host", no(307, http.Header{"Location": {"http://127.0.0.1:1/steal"}}, ""), false, sale.BadData, "307"},
	} {
		t.Run(c.name, func(t *testing.T) {
			z := begin(t)
			e := z.executor("lantern")
			p := z.preview(e, actions.Request{Verb: actions.Pause}, actions.Evidence{})
			z.answer(c.answer)
			_, err := e.Execute(t.Context(), p, "k")
			var rejected *actions.RejectedError
			var problem *sale.Problem
			if errors.As(err, &rejected) != c.rejected || !errors.As(err, &problem) {
				t.Fatalf("%v", err)
			}
			if problem.Class != c.class || problem.Hint == "" {
				t.Errorf("%+v", problem)
			}
			contains(t, problem.Text, c.says)
			if n, _ := z.wrote(); n != 1 {
				t.Errorf("%d writes", n)
			}
			if c.class == sale.Throttled {
				z.answer(nil)
				if _, err := e.Execute(t.Context(), p, "k"); !errors.As(err, &rejected) || rejected.Problem.RetryAfter <= 0 {
					t.Errorf("within the block: %v", err)
				}
				if n, _ := z.wrote(); n != 1 {
					t.Error("a call was sent into the block")
				}
			}
		})
	}
}

func TestNothingThatAnswersIsARefusalNotAMystery(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	url := srv.URL
	srv.Close()
	e, err := New(Options{BaseURL: url, Zone: "z", Room: strings.Repeat("a", 32), Token: token})
	if err != nil {
		t.Fatal(err)
	}
	p := actions.Preview{Target: actions.Target{System: System, Kind: KindRoom, ID: "x"}, To: actions.Value{"queue_all": actions.Flag(true)}}
	var rejected *actions.RejectedError
	if _, err := e.Execute(t.Context(), p, "k"); !errors.As(err, &rejected) || rejected.Problem.Class != sale.Unreachable {
		t.Errorf("%v", err)
	}
}

func TestAPauseIsPossibleWhileStatusAndEventsAreBroken(t *testing.T) {
	z := begin(t)
	e := z.executor("kestrel")
	z.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/status") || strings.Contains(r.URL.Path, "/events") {
			w.WriteHeader(503)
			return true
		}
		return false
	})
	p := z.preview(e, actions.Request{Verb: actions.Pause}, actions.Evidence{})
	if p.Refused() || p.People != nil {
		t.Errorf("%+v", p)
	}
	contains(t, p.PeopleText, "an unknown number")
	contains(t, strings.Join(p.Warnings, "; "), "status could not be read", "events could not be read")
	if _, err := e.Preview(t.Context(), actions.Request{Verb: actions.Rate, To: to(300)}, actions.Evidence{}); err == nil {
		t.Error("a rate is offered while it isn't known whether an event overrides the room")
	}
}

func TestAColleaguesChangeJustBeforeTheWriteIsAConflict(t *testing.T) {
	for name, do := range map[string]func(*shop.Room){
		"the same setting":                func(r *shop.Room) { r.QueueAll = true },
		"one that is carried along":       func(r *shop.Room) { r.NewUsersPerMinute = 700 },
		"the same values written again":   func(*shop.Room) {},
		"the room is switched off by him": func(r *shop.Room) { r.Suspended = true },
	} {
		t.Run(name, func(t *testing.T) {
			z := begin(t)
			e := z.executor("lantern")
			p := z.preview(e, actions.Request{Verb: actions.Pause}, actions.Evidence{})
			z.change("lantern", do)
			was := z.room("lantern")
			var conflict *actions.ConflictError
			if _, err := e.Execute(t.Context(), p, "k"); !errors.As(err, &conflict) {
				t.Errorf("%v", err)
			}
			if n, _ := z.wrote(); n != 0 || z.room("lantern").NewUsersPerMinute != was.NewUsersPerMinute {
				t.Errorf("%d writes", n)
			}
		})
	}
}

func TestTheRoomIsFoundByItsName(t *testing.T) {
	z := begin(t)
	e := z.executor("lantern", func(o *Options) { o.Room = z.room("lantern").Name })
	if p := z.preview(e, actions.Request{Verb: actions.Pause}, actions.Evidence{}); p.Target.ID != z.room("lantern").ID {
		t.Errorf("%+v", p.Target)
	}
	gone := z.executor("lantern", func(o *Options) { o.Room = "no_such_room" })
	var problem *sale.Problem
	if _, err := gone.Preview(t.Context(), actions.Request{Verb: actions.Pause}, actions.Evidence{}); !errors.As(err, &problem) || problem.Class != sale.NotFound {
		t.Errorf("%v", err)
	}
}

func TestReadsLeaveTheWritesTheirShareOfTheLimit(t *testing.T) {
	var b budget
	now := time.Now()
	for range allCalls - reserved {
		if b.take(now, false) != 0 {
			t.Fatal("refused below the limit")
		}
	}
	if b.take(now, false) <= 0 {
		t.Error("reads take the writes' reserve")
	}
	for range reserved {
		if b.take(now.Add(time.Second), true) != 0 {
			t.Fatal("a write is refused within the reserve")
		}
	}
	if wait := b.take(now.Add(time.Second), true); wait <= 0 || wait > window {
		t.Errorf("beyond the limit the wait is %s", wait)
	}
	if b.take(now.Add(window), true) != 0 {
		t.Error("after the window it is still refused")
	}
}

func TestOptionsThatCantWorkAreRefused(t *testing.T) {
	good := Options{Zone: "z", Room: "r", Token: token}
	for name, spoil := range map[string]func(*Options){
		"no zone": func(o *Options) { o.Zone = "" }, "no room": func(o *Options) { o.Room = "" }, "no token": func(o *Options) { o.Token = "" },
		"a base without a host": func(o *Options) { o.BaseURL = "cloudflare" }, "a ramp that falls": func(o *Options) { o.Ramp = []float64{0.5, 0.25} },
		"a ramp from nothing": func(o *Options) { o.Ramp = []float64{0, 1} }, "a ramp beyond the rate": func(o *Options) { o.Ramp = []float64{0.5, 1.5} },
	} {
		o := good
		spoil(&o)
		if _, err := New(o); err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzAnyAnswerIsARoomOrAnError(f *testing.F) {
	f.Add([]byte(`{"success":true,"result":{"id":"a","name":"b","host":"c","modified_on":"x","new_users_per_minute":300,"total_active_users":400}}`))
	f.Add([]byte(`{"success":true,"result":{"id":"a","event_start_time":"2026-12-04T09:00:00Z","event_end_time":"2026-12-04T11:00:00Z","new_users_per_minute":null}}`))
	f.Add([]byte(`{"success":false,"errors":[{"code":1,"message":"\u001b[2J"}]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r room
		if _, err := open(data, &r); err == nil && r.sound() == nil {
			if r.ID != sale.Clean(r.ID, 64) || *r.NewUsersPerMinute < 1 {
				t.Errorf("%q is a room", data)
			}
			v := &view{room: r}
			if _, err := json.Marshal(v.room.body()); err != nil {
				t.Error(err)
			}
		} else if err != nil && errors.Is(err, errSaidNo) && err.Error() != sale.Clean(err.Error(), 0) {
			t.Errorf("%q is not clean", err)
		}
		var ev event
		if _, err := open(data, &ev); err == nil {
			ev.covers(time.Now())
			ev.near(time.Now())
			if _, err := json.Marshal(ev.body(300, 400)); err != nil {
				t.Errorf("%q: %v", data, err)
			}
		}
	})
}

func TestALostAnswerIsSettledByReadingBackNotByHope(t *testing.T) {
	z := begin(t)
	e := z.executor("lantern")
	p := z.preview(e, actions.Request{Verb: actions.Pause}, actions.Evidence{})
	z.set(actiontest.Blind)
	_, err := e.Execute(t.Context(), p, "k")
	var rejected *actions.RejectedError
	if err == nil || errors.As(err, &rejected) {
		t.Fatalf("%v", err)
	}
	if _, err := e.ReadBack(t.Context(), p); err == nil {
		t.Error("a blind read succeeds")
	}
	z.set(actiontest.None)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if state, err := e.ReadBack(ctx, p); err != nil || !state.Value.Holds(p.To) || state.Modified.IsZero() {
		t.Errorf("%+v %v", state, err)
	}
}
