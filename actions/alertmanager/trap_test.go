package alertmanager_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/actiontest"
	"github.com/onsale-dev/onsale/actions/alertmanager"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
)

func mustReject(t *testing.T, err error) sale.Problem {
	t.Helper()
	var no *actions.RejectedError
	if !errors.As(err, &no) {
		t.Fatalf("%v is not a refusal", err)
	}
	return no.Problem
}

func mustDoubt(t *testing.T, err error) sale.Problem {
	t.Helper()
	var no *actions.RejectedError
	var p *sale.Problem
	if err == nil || errors.As(err, &no) || !errors.As(err, &p) {
		t.Fatalf("%v does not leave open what happened", err)
	}
	return *p
}

// run takes a request through a real runner with a real journal.
func run(t *testing.T, x *alertmanager.Executor, verb actions.Verb) actions.Result {
	t.Helper()
	j, err := journal.Open(filepath.Join(t.TempDir(), "journal"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	r, err := actions.NewRunner(actions.Config{
		Journal: j, Policy: actions.Policy{Targets: map[sale.ID][]actions.Target{saleID: {x.Declared()}}},
		Executor: func(sale.ID, actions.Verb) (actions.Executor, error) { return hasty{x}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	who := actions.Actor{Name: "marta", Role: actions.Operator, Via: "local"}
	shown := r.Preview(t.Context(), who, ask(verb))
	armed, no := r.Arm(who, shown, time.Minute)
	if no != nil {
		t.Fatal(no.Text)
	}
	return r.Run(t.Context(), who, actions.Confirmed{Preview: shown, Arming: armed.ID, At: time.Now()})
}

// hasty shortens the reading back.
type hasty struct{ *alertmanager.Executor }

func (h hasty) Info() actions.Info {
	info := h.Executor.Info()
	info.ReadBack = actions.ReadBackPlan{Tries: 3, First: time.Millisecond, Most: 10 * time.Millisecond, Within: 5 * time.Second}
	return info
}

func TestAnAlertNamesItsStartAndItsEndAndWhatThePersonWhoIsToldNeeds(t *testing.T) {
	f := newFront(t, &fake{})
	x := executor(t, options(f))
	before := time.Now()
	do(t, x, actions.Incident)
	body := f.bodies()[0]
	var sent []struct {
		Labels, Annotations map[string]string
		StartsAt, EndsAt    time.Time
		GeneratorURL        string
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(body, "/api/v2/alerts ")), &sent); err != nil || len(sent) != 1 {
		t.Fatalf("%s: %v", body, err)
	}
	a := sent[0]
	if a.StartsAt.After(time.Now()) || before.Sub(a.StartsAt) > 2*time.Second || a.EndsAt.Sub(before).Round(time.Minute) != 4*time.Hour {
		t.Errorf("it runs from %s to %s", a.StartsAt, a.EndsAt)
	}
	for name, want := range map[string]string{"alertname": "OnsaleIncident", "sale": "harbour", "cause": "payment_failure_ratio", "severity": "critical", "team": "shop"} {
		if a.Labels[name] != want {
			t.Errorf("label %s is %q, want %q", name, a.Labels[name], want)
		}
	}
	for name, want := range map[string]string{
		"summary": "Copper Heron · Harbour Hall: declines 7.0 % > 5.0 % for 2:53 (and 1 more)", "figures": "declines 7.0 % (9s)\nleft not known",
		"links": "dashboard: https://graphs.shop.example/d/sale", "runbook_url": "https://runbooks.shop.example/payment", "phase": "live",
	} {
		if a.Annotations[name] != want {
			t.Errorf("annotation %s is %q, want %q", name, a.Annotations[name], want)
		}
	}
	if len(a.Labels) != 5 || a.GeneratorURL != "https://cockpit.shop.example/harbour" || strings.Contains(body, "javascript") {
		t.Errorf("%s", body)
	}
}

func TestAnEndIsPastByThePeersOwnClock(t *testing.T) {
	for _, skew := range []time.Duration{0, -45 * time.Second, 45 * time.Second, -2 * time.Hour} {
		back := &fake{skew: skew}
		f := newFront(t, back)
		x := executor(t, options(f))
		p, _ := do(t, x, actions.Incident)
		holds(t, x, p)
		p, _ = do(t, x, actions.Resolve)
		state, err := x.ReadBack(t.Context(), p)
		if err != nil || !state.Value.Holds(p.To) {
			t.Errorf("a peer whose clock is %s off: resolved and holds %s, %v", skew, state.Value, err)
		}
	}
	// The peer in memory does have the trap: an end by our clock is taken with 200 and ignored.
	back := &fake{skew: -45 * time.Second}
	f := newFront(t, back)
	f.raise("x")
	now := time.Now().UTC().Format(time.RFC3339Nano)
	back.take(map[string]any{"labels": back.alerts[0]["labels"], "startsAt": back.alerts[0]["startsAt"], "endsAt": now})
	if ends := instant(back.alerts[0]["endsAt"]); !ends.After(time.Now()) {
		t.Errorf("the peer ended the alert %s: this test proves nothing", ends)
	}
}

func TestASeverityThatChangesMakesNoSecondAlert(t *testing.T) {
	back := &fake{}
	x := executor(t, options(newFront(t, back)))
	do(t, x, actions.Incident)
	e := seen()
	e.Verdict = sale.Watch
	p := preview(t, x, ask(actions.Incident), e)
	if !strings.HasPrefix(p.Change, "renew incident") || !strings.Contains(strings.Join(p.Warnings, " "), "tells nobody anew") {
		t.Errorf("%q %q", p.Change, p.Warnings)
	}
	if _, err := x.Execute(t.Context(), p, "id"); err != nil {
		t.Fatal(err)
	}
	if len(back.alerts) != 1 {
		t.Errorf("%d alerts, want 1", len(back.alerts))
	}
}

func TestOnePeerDownIsNamedAndTheQuorumDecides(t *testing.T) {
	for _, c := range []struct {
		quorum int
		fault  actiontest.Fault
		want   actions.Outcome
	}{
		{0, "gone", actions.Unknown},
		{1, "gone", actions.Done},
		{2, "gone", actions.Unknown},
		{0, actiontest.Break, actions.Unknown},
		{1, actiontest.Break, actions.Done},
		{0, actiontest.Reject, actions.Unknown},
		{1, actiontest.Reject, actions.Done},
		{0, actiontest.Lose, actions.Done},
		{1, actiontest.Lose, actions.Done},
		{0, actiontest.Ignore, actions.Failed},
	} {
		t.Run(fmt.Sprintf("%s with a quorum of %d is %s", c.fault, c.quorum, c.want), func(t *testing.T) {
			good, bad := newFront(t, &fake{}), newFront(t, &fake{})
			o := options(good, bad)
			o.Quorum = c.quorum
			x := executor(t, o)
			bad.set(c.fault)
			if c.fault == "gone" {
				bad.server.Close()
			}
			res := run(t, x, actions.Incident)
			name := strings.TrimPrefix(bad.server.URL, "http://")
			if res.Outcome != c.want {
				t.Errorf("%s %q, want %s", res.Outcome, res.Text, c.want)
			}
			if all := res.Text + res.Receipt.Text + res.State.Text; !strings.Contains(all, name) {
				t.Errorf("the peer %s is not named: %q", name, all)
			}
			if good.wrote() != 1 || bad.wrote() > 1 {
				t.Errorf("%d and %d writes, want one each", good.wrote(), bad.wrote())
			}
		})
	}
}

func TestAPressAfterAFailureMakesItWhole(t *testing.T) {
	a, b := newFront(t, &fake{}), newFront(t, &fake{})
	x := executor(t, options(a, b))
	p := preview(t, x, ask(actions.Incident), seen())
	b.set(actiontest.Break)
	_, err := x.Execute(t.Context(), p, "1")
	if q := mustDoubt(t, err); !strings.Contains(q.Text, "taken by "+strings.TrimPrefix(a.server.URL, "http://")) {
		t.Errorf("%q", q.Text)
	}
	b.set(actiontest.None)
	state, err := x.ReadBack(t.Context(), p)
	if err != nil || state.Value.Holds(p.To) || !strings.Contains(state.Value.String(), "active on 1 of 2") {
		t.Errorf("half of it: %s, %v", state.Value, err)
	}
	p, _ = do(t, x, actions.Incident)
	holds(t, x, p)
	all, err := x.Incidents(t.Context(), saleID)
	if err != nil || len(all) != 1 || !all[0].Peers[0].Shows || !all[0].Peers[1].Shows {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestWhatAllPeersSayTogether(t *testing.T) {
	type fault = actiontest.Fault
	for _, c := range []struct {
		faults   []fault
		rejected bool
		class    sale.Class
	}{
		{[]fault{actiontest.Reject, actiontest.Reject}, true, sale.Auth},
		{[]fault{actiontest.Reject, actiontest.Break}, false, sale.Failing},
		{[]fault{actiontest.Break, actiontest.Break}, false, sale.Failing},
		{[]fault{"gone", "gone"}, true, sale.Unreachable},
		{[]fault{"gone", actiontest.Reject}, true, sale.Unreachable},
		{[]fault{actiontest.None, actiontest.Reject}, false, sale.Auth},
	} {
		fronts := []*front{newFront(t, &fake{}), newFront(t, &fake{})}
		x := executor(t, options(fronts...))
		p := preview(t, x, ask(actions.Incident), seen())
		for i, f := range fronts {
			f.set(c.faults[i])
			if c.faults[i] == "gone" {
				f.server.Close()
			}
		}
		_, err := x.Execute(t.Context(), p, "id")
		var q sale.Problem
		if c.rejected {
			q = mustReject(t, err)
		} else {
			q = mustDoubt(t, err)
		}
		if q.Class != c.class || q.Hint == "" {
			t.Errorf("%v: %+v, want class %s and a hint", c.faults, q, c.class)
		}
	}
}

func TestOpeningFailsOpen(t *testing.T) {
	f := newFront(t, &fake{})
	x := executor(t, options(f))
	before := preview(t, x, ask(actions.Incident), seen())
	f.special(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return r.Method == http.MethodGet
	})
	p := preview(t, x, ask(actions.Incident), actions.Evidence{})
	if p.Token() != before.Token() || !strings.Contains(strings.Join(p.Warnings, " "), "the outcome would be unknown") {
		t.Errorf("%s → %s, %q", p.From, p.To, p.Warnings)
	}
	if _, err := x.Execute(t.Context(), p, "id"); err != nil {
		t.Fatal(err)
	}
	if _, err := x.ReadBack(t.Context(), p); err == nil {
		t.Error("what can't be read back must not be called read")
	}
	q, err := x.Preview(t.Context(), ask(actions.Resolve), seen())
	if err != nil || !q.Refused() || !strings.Contains(q.Refusals[0].Text, "HTTP 503") {
		t.Errorf("resolve with no peer that answers: %+v, %v", q.Refusals, err)
	}
	f.special(nil)
	holds(t, x, p)
}

func TestWhatCantBeDoneIsSaidBefore(t *testing.T) {
	f := newFront(t, &fake{})
	o := options(f)
	o.Silence = 0
	x := executor(t, o)
	for verb, want := range map[actions.Verb]string{
		actions.Resolve: "no incident of this sale is active", actions.Acknowledge: "Alertmanager has no acknowledge", actions.AddNote: "does not do",
	} {
		p, err := x.Preview(t.Context(), ask(verb), seen())
		if err != nil || !p.Refused() || !strings.Contains(p.Refusals[0].Text, want) {
			t.Errorf("%s: %+v, %v, want %q", verb, p.Refusals, err, want)
		}
	}
	five := 5.0
	if p, err := x.Preview(t.Context(), actions.Request{Sale: saleID, Verb: actions.Incident, To: &five}, seen()); err != nil || !p.Refused() {
		t.Errorf("an incident to 5: %+v, %v", p.Refusals, err)
	}
}

func TestASilenceIsBoundedSignedAndOfThisIncidentAlone(t *testing.T) {
	back := &fake{}
	x := executor(t, options(newFront(t, back)))
	do(t, x, actions.Incident)
	req := ask(actions.Acknowledge)
	req.Reason = "provider is told"
	p := preview(t, x, req, seen())
	if !strings.Contains(p.How, "no acknowledge") || !strings.Contains(p.PeopleText, "nobody is told") {
		t.Errorf("%q %q", p.How, p.PeopleText)
	}
	if _, err := x.Execute(t.Context(), p, "id"); err != nil {
		t.Fatal(err)
	}
	s := back.silences[0]
	if d := time.Until(instant(s["endsAt"])).Round(time.Minute); d != 30*time.Minute {
		t.Errorf("it lasts %s", d)
	}
	if s["createdBy"] != "onsale" || s["comment"] != "acknowledged by onsale: onsale/harbour/payment_failure_ratio · provider is told" ||
		!strings.Contains(joined(s["matchers"]), `"value":"payment_failure_ratio"`) || len(s["matchers"].([]any)) != 3 {
		t.Errorf("%s", joined(s))
	}
	all, err := x.Incidents(t.Context(), saleID)
	if err != nil || all[0].Status != alertmanager.Suppressed {
		t.Errorf("%+v, %v", all, err)
	}
	if q := preview(t, x, ask(actions.Resolve), seen()); !strings.Contains(strings.Join(q.Warnings, " "), "its silence stays") {
		t.Errorf("%q", q.Warnings)
	}
	if q := preview(t, x, ask(actions.Incident), seen()); !strings.Contains(strings.Join(q.Warnings, " "), "a silence by onsale mutes it until") {
		t.Errorf("%q", q.Warnings)
	}
	e := seen()
	e.Reasons = e.Reasons[1:]
	if q := preview(t, executor(t, options(newFront(t, back))), ask(actions.Incident), e); strings.Contains(strings.Join(q.Warnings, " "), "mutes it") {
		t.Errorf("the silence is said of another cause: %q", q.Warnings)
	}
}

func TestAnIncidentKeepsItsIdentityWhenTheConfigsLabelsChange(t *testing.T) {
	back := &fake{}
	f := newFront(t, back)
	f.raise(string(sale.PaymentFailureRatio))
	o := options(f)
	o.Labels = map[string]string{"team": "platform"}
	x := executor(t, o)
	p, _ := do(t, x, actions.Incident)
	holds(t, x, p)
	if len(back.alerts) != 1 {
		t.Errorf("%d alerts, want 1: resolving one would leave the other", len(back.alerts))
	}
	p, _ = do(t, x, actions.Resolve)
	holds(t, x, p)
}

func TestAReadThatIsRedirectedTakesNoCredentialElsewhere(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	t.Cleanup(elsewhere.Close)
	f := newFront(t, &fake{})
	f.special(func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		return true
	})
	if _, err := executor(t, options(f)).Incidents(t.Context(), saleID); err == nil || !strings.Contains(err.Error(), "HTTP 302") {
		t.Errorf("%v", err)
	}
}

func TestAnInhibitedAlertIsNotCalledTold(t *testing.T) {
	back := &fake{inhibit: true}
	x := executor(t, options(newFront(t, back)))
	p, _ := do(t, x, actions.Incident)
	if state := holds(t, x, p); !strings.Contains(state.Text, "INHIBITED") {
		t.Errorf("%q", state.Text)
	}
}

func TestAnAnswerOfSomethingElseIsNotAlertmanagers(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	t.Cleanup(elsewhere.Close)
	for _, c := range []struct {
		name     string
		status   int
		kind     string
		location string
		body     string
		rejected bool
		says     string
	}{
		{"a login page with 200", 200, "text/html", "", "<html>log in", false, "not in Alertmanager's words"},
		{"a page without a kind", 200, "text/plain", "", " <!doctype html>", false, "not in Alertmanager's words"},
		{"202", 202, "application/json", "", "", false, "HTTP 202"},
		{"a redirect", 307, "", "elsewhere", "", false, "HTTP 307"},
		{"400 in Alertmanager's words", 400, "application/json", "", `"invalid label set: invalid name"`, true, "invalid label set"},
		{"422 in the words of its framework", 422, "application/json", "", `{"code":602,"message":"labels is required"}`, true, "labels is required"},
		{"404 of another path", 404, "text/html", "", "<html>", true, "an HTML page"},
		{"400 that echoes the token", 400, "", "", "bad " + token, true, "[hidden]"},
		{"an endless answer", 200, "application/json", "", strings.Repeat(" ", 9<<20), false, "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFront(t, &fake{})
			x := executor(t, options(f))
			p := preview(t, x, ask(actions.Incident), seen())
			f.special(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodGet {
					return false
				}
				w.Header().Set("Content-Type", c.kind)
				if c.location != "" {
					w.Header().Set("Location", elsewhere.URL)
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
				return true
			})
			_, err := x.Execute(t.Context(), p, "id")
			var q sale.Problem
			if c.rejected {
				q = mustReject(t, err)
			} else {
				q = mustDoubt(t, err)
			}
			if !strings.Contains(q.Text, c.says) || strings.Contains(q.Text, token) || q.Hint == "" {
				t.Errorf("%+v, want %q", q, c.says)
			}
			if f.wrote() != 1 {
				t.Errorf("%d writes, want 1", f.wrote())
			}
		})
	}
}

func TestAFilterThatIsIgnoredShowsNoOtherSalesIncident(t *testing.T) {
	f := newFront(t, &fake{})
	x := executor(t, options(f))
	f.special(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/api/v2/alerts" || r.Method != http.MethodGet {
			return false
		}
		_, _ = w.Write([]byte(`[{"labels":{"alertname":"OnsaleIncident","sale":"quay","cause":"payment_failure_ratio"},"startsAt":"2026-12-04T10:00:00Z","endsAt":"2026-12-04T14:00:00Z"}]`))
		return true
	})
	p := preview(t, x, ask(actions.Incident), seen())
	if p.From.String() != "alert none" {
		t.Errorf("from %s", p.From)
	}
	state, err := x.ReadBack(t.Context(), p)
	if err != nil || state.Value.Holds(p.To) {
		t.Errorf("%s, %v", state.Value, err)
	}
}

func TestTheCredentialsGoWithEveryRequestAndNowhereInTheClear(t *testing.T) {
	f := newFront(t, &fake{})
	do(t, executor(t, options(f)), actions.Incident)
	o := options(f)
	o.Bearer, o.User, o.Password = "", "cockpit", "canary-password"
	p, _ := do(t, executor(t, o), actions.Acknowledge)
	if strings.Contains(joined(p), "canary") {
		t.Error("the password is in the preview")
	}
	for _, got := range f.auth {
		if got != "Bearer "+token && got != "Basic Y29ja3BpdDpjYW5hcnktcGFzc3dvcmQ=" {
			t.Errorf("Authorization: %q", got)
		}
	}
}

func TestAMistakeInTheOptionsIsNamedWithoutTheSecret(t *testing.T) {
	f := newFront(t, &fake{})
	for want, change := range map[string]func(*alertmanager.Options){
		"has no name":         func(o *alertmanager.Options) { o.Name = "" },
		"has no peers":        func(o *alertmanager.Options) { o.Peers = nil },
		"named twice":         func(o *alertmanager.Options) { o.Peers = append(o.Peers, o.Peers[0]+"/api/v2/") },
		"holds a login":       func(o *alertmanager.Options) { o.Peers[0] = "https://u:" + token + "@am.example" },
		"in the clear":        func(o *alertmanager.Options) { o.Peers[0] = "http://am.example:9093" },
		"http(s)://host":      func(o *alertmanager.Options) { o.Peers[0] = "am.example:9093" },
		"a quorum of 2 of 1":  func(o *alertmanager.Options) { o.Quorum = 2 },
		"one of them":         func(o *alertmanager.Options) { o.User = "u" },
		"set by onsale":       func(o *alertmanager.Options) { o.Labels = map[string]string{"sale": "x"} },
		"name of a label":     func(o *alertmanager.Options) { o.Labels = map[string]string{"te-am": "x"} },
		"at least a minute":   func(o *alertmanager.Options) { o.Lasts = time.Second },
		"generator url is no": func(o *alertmanager.Options) { o.GeneratorURL = "javascript:1" },
	} {
		o := options(f)
		change(&o)
		_, err := alertmanager.New(o)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), token) {
			t.Errorf("%q: %v", want, err)
		}
	}
	o := options(f)
	o.Bearer, o.Peers = "", []string{"http://am-1.internal:9093/prefix/api/v2/"}
	if _, err := alertmanager.New(o); err != nil {
		t.Errorf("without credentials plain http is fine: %v", err)
	}
}
