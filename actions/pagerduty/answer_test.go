package pagerduty_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/actiontest"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/actions/pagerduty"
	rehearsal "github.com/onsale-dev/onsale/rehearsal/pagerduty"
	"github.com/onsale-dev/onsale/sale"
)

func TestWhatAnAnswerProves(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	t.Cleanup(elsewhere.Close)
	for _, c := range []struct {
		name     string
		status   int
		header   map[string]string
		body     string
		rejected bool
		class    sale.Class
		says     string
	}{
		{"400 names PagerDuty's own errors", 400, nil, `{"status":"invalid event","message":"Event object is invalid","errors":["'payload.severity' is invalid"]}`, true, sale.BadData, "'payload.severity' is invalid"},
		{"400 with the error as an object", 400, nil, `{"error":{"message":"Invalid Input","code":2001,"errors":["From is bad"]}}`, true, sale.BadData, "code 2001"},
		{"400 that echoes the key hides it", 400, nil, `{"message":"no integration ` + routingKey + `"}`, true, sale.BadData, "[hidden]"},
		{"400 with an empty body", 400, nil, ``, true, sale.BadData, "HTTP 400"},
		{"401 is about the credentials", 401, nil, `<html>`, true, sale.Auth, "an HTML page"},
		{"404 is about the address", 404, nil, `{}`, true, sale.NotFound, "HTTP 404"},
		{"413 is too long", 413, nil, `{"message":"Event object is too large"}`, true, sale.BadData, "too large"},
		{"429 is throttled and says how long", 429, map[string]string{"Retry-After": "30"}, `{"message":"slow down"}`, true, sale.Throttled, "slow down"},
		{"408 leaves it open", 408, nil, ``, false, sale.Timeout, "HTTP 408"},
		{"500 leaves it open", 500, nil, `{"status":"error"}`, false, sale.Failing, "HTTP 500"},
		{"502 of a proxy leaves it open", 502, nil, `<html>bad gateway</html>`, false, sale.Failing, "an HTML page"},
		{"a redirect is not followed and leaves it open", 307, map[string]string{"Location": elsewhere.URL}, ``, false, sale.BadData, "redirect"},
		{"200 is not PagerDuty's answer", 200, nil, `{"status":"success"}`, false, sale.BadData, "HTTP 200"},
		{"202 with a login page is none", 202, nil, `<html>log in</html>`, false, sale.BadData, "not in PagerDuty's words"},
		{"202 that says otherwise is none", 202, nil, `{"status":"error","message":"nope"}`, false, sale.BadData, "nope"},
		{"202 for another key is none", 202, nil, `{"status":"success","dedup_key":"someone-else"}`, false, sale.BadData, "another dedup_key"},
		{"202 cut short leaves it open", 202, map[string]string{"Content-Length": "500"}, `{"sta`, false, sale.Unreachable, ""},
		{"an endless answer is bounded", 202, nil, strings.Repeat("x", 5<<20), false, sale.Unreachable, "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			x := s.executor()
			p := preview(t, x, ask(actions.Incident), seen())
			s.special(func(w http.ResponseWriter, r *http.Request) bool {
				for k, v := range c.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
				return true
			})
			_, err := x.Execute(t.Context(), p, "id")
			var problem sale.Problem
			if c.rejected {
				problem = mustReject(t, err)
			} else {
				problem = mustDoubt(t, err)
			}
			if problem.Class != c.class || !strings.Contains(problem.Text, c.says) || problem.Hint == "" || strings.Contains(fmt.Sprint(err, problem), routingKey) {
				t.Errorf("%+v, want class %s with %q and a hint", problem, c.class, c.says)
			}
			if c.status == 429 && problem.RetryAfter != 30*time.Second {
				t.Errorf("retry after %s", problem.RetryAfter)
			}
			if s.wrote() != 1 {
				t.Errorf("%d writes, want 1", s.wrote())
			}
		})
	}
}

func TestAReadThatIsRedirectedTakesNoTokenElsewhere(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	t.Cleanup(elsewhere.Close)
	s := newStage(t)
	s.special(func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		return true
	})
	if _, err := s.executor().Incidents(t.Context(), saleID, seen()); err == nil || !strings.Contains(err.Error(), "redirect") {
		t.Errorf("%v", err)
	}
}

func TestWhatNeverLeftIsARefusal(t *testing.T) {
	s := newStage(t)
	x := s.executor(func(o *pagerduty.Options) { o.EventsURL = "http://127.0.0.1:1" })
	_, err := x.Execute(t.Context(), preview(t, x, ask(actions.Incident), seen()), "id")
	if p := mustReject(t, err); p.Class != sale.Unreachable || !strings.HasPrefix(p.Text, "nothing was sent") {
		t.Errorf("%+v", p)
	}
}

func TestAnAnswerToNothingIsRefusedWhereThatCanBeKnown(t *testing.T) {
	for _, verb := range []actions.Verb{actions.Acknowledge, actions.Resolve} {
		s := newStage(t)
		p, err := s.executor().Preview(t.Context(), ask(verb), seen())
		if err != nil || !p.Refused() || !strings.Contains(p.Refusals[0].Text, "no incident of this sale is open") {
			t.Errorf("%s with nothing open: %+v, %v", verb, p.Refusals, err)
		}
		q := preview(t, s.executor(withoutToken), ask(verb), seen())
		if all := strings.Join(q.Warnings, " "); !strings.Contains(all, "still answers 202") || !strings.Contains(all, "not known whether it is open") {
			t.Errorf("%s without a token does not say that it may be dropped: %q", verb, q.Warnings)
		}
		if !strings.Contains(q.EffectText, "accepted, not paged") {
			t.Errorf("%q", q.EffectText)
		}
	}
}

func TestAcknowledgeTakesTheOneThatWaitsAndNamesTheRest(t *testing.T) {
	s := newStage(t)
	first, second := pagerduty.Key(saleID, string(sale.PaymentFailureRatio)), pagerduty.Key(saleID, string(sale.DBConnections))
	s.event("trigger", first)
	s.event("trigger", second)
	s.event("acknowledge", first)
	x := s.executor()
	p := preview(t, x, ask(actions.Acknowledge), seen())
	if p.Target.ID != second || !strings.Contains(strings.Join(p.Warnings, " "), "1 more open") {
		t.Errorf("%s, %q", p.Target.ID, p.Warnings)
	}
	s.event("acknowledge", second)
	q, err := x.Preview(t.Context(), ask(actions.Acknowledge), seen())
	if err != nil || !q.Refused() || !strings.Contains(q.Refusals[0].Text, "acknowledged already by Ines Horvat") {
		t.Errorf("%+v, %v", q.Refusals, err)
	}
}

func TestAnIncidentIsFoundAgainWhenItsCauseIsGone(t *testing.T) {
	s := newStage(t)
	x := s.executor()
	if _, err := x.Execute(t.Context(), preview(t, x, ask(actions.Incident), seen()), "id"); err != nil {
		t.Fatal(err)
	}
	calm := actions.Evidence{Known: true, Verdict: sale.OK}
	p := preview(t, x, ask(actions.Resolve), calm)
	if p.Target.ID != pagerduty.Key(saleID, string(sale.PaymentFailureRatio)) {
		t.Errorf("resolve is aimed at %s", p.Target.ID)
	}
	// Another process knows it from the journal.
	other := s.executor(func(o *pagerduty.Options) {
		o.Opened = func(sale.ID) []string { return []string{"not ours", p.Target.ID} }
	})
	if q := preview(t, other, ask(actions.Resolve), calm); q.Target.ID != p.Target.ID {
		t.Errorf("resolve is aimed at %s", q.Target.ID)
	}
}

func TestOpeningFailsOpen(t *testing.T) {
	s := newStage(t)
	x := s.executor()
	before := preview(t, x, ask(actions.Incident), seen())
	s.special(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return r.Method == http.MethodGet
	})
	p := preview(t, x, ask(actions.Incident), actions.Evidence{})
	if p.Token() != before.Token() {
		t.Error("a REST API that begins to fail must not make the panel another one")
	}
	if !strings.Contains(strings.Join(p.Warnings, " "), "not known whether one is open") {
		t.Errorf("%q", p.Warnings)
	}
	if _, err := x.Execute(t.Context(), p, "id"); err != nil {
		t.Fatal(err)
	}
	if n := len(s.back.Incidents()); n != 1 {
		t.Errorf("%d incidents, want 1", n)
	}
	if _, err := x.ReadBack(t.Context(), p); err == nil {
		t.Error("what can't be read back must not be called read")
	}
	q, err := s.executor().Preview(t.Context(), ask(actions.Resolve), seen())
	if err != nil || q.Refused() || !strings.Contains(strings.Join(q.Warnings, " "), "not known whether it is open") {
		t.Errorf("resolve under a REST API that fails: %+v %q %v", q.Refusals, q.Warnings, err)
	}
}

func TestTwoCockpitsAndAPressAfterAFailureOpenOneIncident(t *testing.T) {
	s := newStage(t)
	a, b := s.executor(), s.executor(withoutToken)
	pa, pb := preview(t, a, ask(actions.Incident), seen()), preview(t, b, ask(actions.Incident), seen())
	s.set(actiontest.Break)
	_, err := a.Execute(t.Context(), pa, "1")
	mustDoubt(t, err)
	s.set(actiontest.Lose)
	_, err = a.Execute(t.Context(), pa, "2")
	mustDoubt(t, err)
	s.set(actiontest.None)
	for _, send := range []func() error{
		func() error { _, err := a.Execute(t.Context(), pa, "3"); return err },
		func() error { _, err := b.Execute(t.Context(), pb, "4"); return err },
	} {
		if err := send(); err != nil {
			t.Fatal(err)
		}
	}
	if all := s.back.Incidents(); len(all) != 1 || all[0].Triggers != 3 {
		t.Errorf("%+v, want one incident of three triggers", all)
	}
}

// run takes a request through a real runner with a real journal.
func run(t *testing.T, x actions.Executor, req actions.Request, target actions.Target) actions.Result {
	t.Helper()
	j, err := journal.Open(filepath.Join(t.TempDir(), "journal"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	r, err := actions.NewRunner(actions.Config{
		Journal: j, Policy: actions.Policy{Targets: map[sale.ID][]actions.Target{saleID: {target}}},
		Executor: func(sale.ID, actions.Verb) (actions.Executor, error) { return x, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	who := actions.Actor{Name: "marta", Role: actions.Operator, Via: "local"}
	shown := r.Preview(t.Context(), who, req)
	armed, no := r.Arm(who, shown, time.Minute)
	if no != nil {
		t.Fatal(no.Text)
	}
	return r.Run(t.Context(), who, actions.Confirmed{Preview: shown, Arming: armed.ID, At: time.Now()})
}

func TestTheOutcomeSaysWhoWasPagedAndNeverMoreThanIsKnown(t *testing.T) {
	s := newStageOf(t, rehearsal.Options{Process: 700 * time.Millisecond, Page: time.Hour})
	x := s.executor()
	res := run(t, x, ask(actions.Incident), x.Declared())
	if res.Outcome != actions.Done || !strings.Contains(res.Receipt.Text, "accepted is not paged") ||
		!strings.Contains(res.State.Text, "#4181 triggered") || !strings.Contains(res.State.Text, "assigned to Ines Horvat; nobody notified yet; https://") {
		t.Errorf("%s %q, receipt %q, state %q", res.Outcome, res.Text, res.Receipt.Text, res.State.Text)
	}

	s = newStage(t)
	x = s.executor()
	if res = run(t, x, ask(actions.Incident), x.Declared()); res.Outcome != actions.Done || !strings.Contains(res.State.Text, "notified Ines Horvat by push") {
		t.Errorf("%s, state %q", res.Outcome, res.State.Text)
	}
	all, err := x.Incidents(t.Context(), saleID, seen())
	if err != nil || len(all) != 1 || all[0].Number != "#4181" || all[0].Status != pagerduty.Triggered || all[0].Since.IsZero() ||
		!strings.HasPrefix(all[0].URL, "https://") || len(all[0].Notified) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	for _, verb := range []actions.Verb{actions.Acknowledge, actions.Resolve} {
		if res := run(t, x, ask(verb), x.Declared()); res.Outcome != actions.Done {
			t.Errorf("%s: %s %q", verb, res.Outcome, res.Text)
		}
	}
	if in := s.back.Incidents()[0]; in.Status != rehearsal.Resolved {
		t.Errorf("the incident is %s", in.Status)
	}

	s = newStage(t)
	x = s.executor(withoutToken)
	res = run(t, x, ask(actions.Incident), x.Declared())
	if res.Outcome != actions.Done || res.ReadBack != nil || !strings.Contains(res.Text, "accepted: 202") || !strings.Contains(res.Text, "accepted is not paged") {
		t.Errorf("without a token: %s %q, read back %v", res.Outcome, res.Text, res.ReadBack)
	}
	state, err := x.ReadBack(t.Context(), res.Preview)
	if err != nil || state.Value.Holds(res.Preview.To) || !strings.Contains(state.Text, "accepted, not proven: 202") {
		t.Errorf("%+v, %v", state, err)
	}
}

func TestANoteGoesWhereItCanBeProvenElseToTheTimeline(t *testing.T) {
	note := actions.Request{Sale: saleID, Verb: actions.AddNote, Text: "provider says fixed\nat 10:20"}
	s := newStage(t)
	x := s.executor()
	s.event("trigger", pagerduty.Key(saleID, string(sale.PaymentFailureRatio)))
	s.set(actiontest.Lose)
	p := preview(t, x, note, seen())
	_, err := x.Execute(t.Context(), p, "id")
	mustDoubt(t, err)
	s.set(actiontest.None)
	if state, err := x.ReadBack(t.Context(), p); err != nil || !state.Value.Holds(p.To) {
		t.Errorf("a note whose answer was lost: %s, %v", state.Value, err)
	}
	if last := s.sent()[0]; last.header.Get("From") != sender || !strings.Contains(last.body, `{"note":{"content":"provider says fixed at 10:20"}}`) {
		t.Errorf("%+v", last)
	}
	old := p
	old.To = actions.Value{"note": actions.Word("another")}
	if state, err := x.ReadBack(t.Context(), old); err != nil || state.Value.Holds(old.To) {
		t.Errorf("a note that is not there: %s, %v", state.Value, err)
	}

	s = newStage(t)
	x = s.executor() // nothing is open
	p = preview(t, x, note, seen())
	if !strings.Contains(p.Change, "timeline") || !strings.Contains(strings.Join(p.Warnings, " "), "no incident of this sale is open") {
		t.Errorf("%q %q", p.Change, p.Warnings)
	}
	if _, err := x.ReadBack(t.Context(), p); err == nil {
		t.Error("a change event that was not sent must not be called accepted")
	}
	if _, err := x.Execute(t.Context(), p, "id"); err != nil {
		t.Fatal(err)
	}
	if state, err := x.ReadBack(t.Context(), p); err != nil || !state.Value.Holds(p.To) || !strings.Contains(state.Text, "can't be read back") {
		t.Errorf("%+v, %v", state, err)
	}
	if all := s.back.Changes(); len(all) != 1 || !strings.Contains(all[0].Payload.Summary, "provider says fixed at 10:20") {
		t.Errorf("%+v", all)
	}

	ruleset := s.executor(withoutToken, func(o *pagerduty.Options) { o.RoutingKey = "R" + routingKey[1:] })
	if p, err := ruleset.Preview(t.Context(), note, seen()); err != nil || !p.Refused() {
		t.Errorf("a note by a ruleset's key: %+v, %v", p.Refusals, err)
	}
	if err := ruleset.Audit(t.Context(), actions.Actor{Name: "marta"}, scaled()); err == nil {
		t.Error("an audit by a ruleset's key reports success")
	}
}

func TestTheTimelineTellsWhatElseWasDone(t *testing.T) {
	s := newStage(t)
	x := s.executor()
	who := actions.Actor{Name: "marta"}
	refused, own := scaled(), scaled()
	refused.Outcome = actions.Refused
	own.Preview.Target.System = pagerduty.System
	for _, res := range []actions.Result{refused, own, scaled()} {
		if err := x.Audit(t.Context(), who, res); err != nil {
			t.Fatal(err)
		}
	}
	all := s.back.Changes()
	if len(all) != 1 || all[0].Payload.Summary != "Copper Heron · Harbour Hall: scale-up done: min 24 → 40, by marta" ||
		all[0].Payload.Details["journal"] != "#402" || all[0].Payload.Details["reason"] != "demand above plan" {
		t.Errorf("%+v", all)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := x.Audit(ctx, who, scaled()); err == nil {
		t.Error("an audit under an ended context reports success")
	}
}

func TestAMistakeInTheOptionsIsNamedWithoutTheSecret(t *testing.T) {
	s := newStage(t)
	for name, change := range map[string]func(*pagerduty.Options){
		"has no name":         func(o *pagerduty.Options) { o.Name = " " },
		"characters, not 32":  func(o *pagerduty.Options) { o.RoutingKey = routingKey[:31] },
		"e-mail address":      func(o *pagerduty.Options) { o.From = "marta" },
		"needs a token":       func(o *pagerduty.Options) { o.Token = "" },
		"must be https":       func(o *pagerduty.Options) { o.EventsURL = "http://events.pagerduty.com" },
		"without a login":     func(o *pagerduty.Options) { o.APIURL = "https://u:" + restToken + "@api.pagerduty.com" },
		"must be https://hos": func(o *pagerduty.Options) { o.APIURL = "api.pagerduty.com" },
	} {
		o := s.options()
		change(&o)
		_, err := pagerduty.New(o)
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), restToken) || strings.Contains(err.Error(), routingKey[:31]) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
