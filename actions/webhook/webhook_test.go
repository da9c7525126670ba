package webhook

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

func seeing(values map[sale.Signal]float64) actions.Evidence {
	e := actions.Evidence{At: time.Now(), Known: true, Reasons: []sale.Reason{{Text: "declines A 7.0 % > 5.0 % for 2:53", Verdict: sale.Bad}}}
	for name, v := range values {
		e.Signals = append(e.Signals, actions.Observed{Signal: name, Label: "declines", Has: true, Value: v, Unit: sale.Ratio, Age: 9 * time.Second, Freshness: sale.Fresh, Verdict: sale.Bad})
	}
	return e
}

// send previews and executes one request.
func send(t *testing.T, e *Executor, req actions.Request, seen actions.Evidence) (actions.Preview, actions.Receipt, error) {
	t.Helper()
	if req.Sale == "" {
		req.Sale = "lantern"
	}
	p, err := e.Preview(t.Context(), req, seen)
	if err != nil {
		t.Fatal(err)
	}
	if p.Refused() {
		t.Fatalf("%s: %+v", req.Verb, p.Refusals)
	}
	r, err := e.Execute(t.Context(), p, "01KEY")
	return p, r, err
}

func sameJSON(t *testing.T, got string, want map[string]any) {
	t.Helper()
	var a any
	if err := json.Unmarshal([]byte(got), &a); err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	w, _ := json.Marshal(want)
	if g, _ := json.Marshal(a); string(g) != string(w) {
		t.Errorf("it sent\n%s\nnot\n%s", g, w)
	}
}

func TestTheSignatureIsThatOfStandardWebhooks(t *testing.T) {
	key, err := signingKey(signKey)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	sign(h, key, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if got := h.Get("Webhook-Signature"); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("the specification's own example is signed %s", got)
	}
	for _, weak := range []string{"brief", "whsec_!!!", "whsec_" + base64.StdEncoding.EncodeToString([]byte("brief"))} {
		if _, err := signingKey(weak); err == nil || strings.Contains(err.Error(), weak) {
			t.Errorf("%q: %v", weak, err)
		}
	}
}

func TestACallIsSignedKeyedAndAbsolute(t *testing.T) {
	p := begin(t)
	e := made(t, p.gateOptions())
	_, receipt, err := send(t, e, actions.Request{Verb: actions.Rate, To: to(600)}, actions.Evidence{})
	if err != nil || receipt.RequestID != "req-1" {
		t.Fatalf("%+v %v", receipt, err)
	}
	got := p.last()
	if got.method != "POST" || got.uri != "/gate" || got.header.Get("Idempotency-Key") != "01KEY" || got.header.Get("Webhook-Id") != "01KEY" ||
		got.header.Get("X-Api-Key") != apiKey || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("%+v", got)
	}
	sameJSON(t, got.body, map[string]any{"rate": 600})
	key, _ := signingKey(signKey)
	at, err := time.Parse("2006", "1970")
	if err != nil {
		t.Fatal(err)
	}
	var seconds int64
	if _, err := fmt.Sscan(got.header.Get("Webhook-Timestamp"), &seconds); err != nil {
		t.Fatal(err)
	}
	again := http.Header{}
	sign(again, key, "01KEY", at.Add(time.Duration(seconds)*time.Second), []byte(got.body))
	if again.Get("Webhook-Signature") != got.header.Get("Webhook-Signature") {
		t.Error("the signature is not over what was sent")
	}
}

func TestABrokenConnectionNeverSendsAKeyedCallTwice(t *testing.T) {
	p := begin(t)
	e := made(t, p.gateOptions())
	if _, _, err := send(t, e, actions.Request{Verb: actions.Rate, To: to(600)}, actions.Evidence{}); err != nil {
		t.Fatal(err) // the connection is now one that is used again
	}
	p.answers = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet {
			return false
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}
		return true
	}
	if _, _, err := send(t, e, actions.Request{Verb: actions.Rate, To: to(500)}, actions.Evidence{}); err == nil || rejectedOf(err) != nil {
		t.Errorf("%v", err)
	}
	if p.wrote() != 2 {
		t.Errorf("%d calls arrived, not 2", p.wrote())
	}
}

func TestQueueItsSpeedIsSetAndReadBackWithinItsLimits(t *testing.T) {
	p := begin(t)
	speed := `"800"`
	p.answers = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("api-key") != apiKey {
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		if r.Method == http.MethodGet {
			if r.URL.Path != "/2_0/event/lanterns2026" {
				w.WriteHeader(http.StatusNotFound)
			}
			_, _ = io.WriteString(w, `{"EventId":"lanterns2026","QueueStatusText":"Running","MaxRedirectsPerMinute":`+speed+`}`)
			return true
		}
		speed = `"600"`
		_, _ = io.WriteString(w, `{}`)
		return true
	}
	e := made(t, QueueIt(QueueItOptions{BaseURL: p.url, Event: "lanterns2026", Key: apiKey}))
	pre, _, err := send(t, e, actions.Request{Verb: actions.Rate, To: to(600)}, actions.Evidence{})
	if err != nil {
		t.Fatal(err)
	}
	contains(t, pre.Change, "rate 800 → 600")
	got := p.last()
	if got.method != "PUT" || got.uri != "/2_0/event/lanterns2026/queue/speed" || got.body != `{"MaxRedirectsPerMinute":"600"}` || got.header.Get("Api-Key") != apiKey || got.header.Get("Idempotency-Key") != "" {
		t.Errorf("%+v", got)
	}
	if state, err := e.ReadBack(t.Context(), pre); err != nil || !state.Value.Holds(pre.To) {
		t.Errorf("%s %v", state.Value, err)
	}
	low, err := e.Preview(t.Context(), actions.Request{Sale: "lantern", Verb: actions.Rate, To: to(4)}, actions.Evidence{})
	if err != nil || !low.Refused() {
		t.Errorf("4 a minute is not refused: %v", err)
	}
	for _, v := range []actions.Verb{actions.Pause, actions.Resume} {
		q, err := e.Preview(t.Context(), actions.Request{Sale: "lantern", Verb: v}, actions.Evidence{})
		if err != nil || !q.Refused() || !strings.Contains(q.Refusals[0].Text, "documents no pause") {
			t.Errorf("%s: %+v %v", v, q.Refusals, err)
		}
	}
	reads := 0
	for ; reads < 20; reads++ {
		if _, err := e.Preview(t.Context(), actions.Request{Sale: "lantern", Verb: actions.Rate, To: to(500)}, actions.Evidence{}); err != nil {
			var problem *sale.Problem
			if !errors.As(err, &problem) || problem.Class != sale.Throttled || problem.RetryAfter <= 0 {
				t.Errorf("%v", err)
			}
			break
		}
	}
	if reads >= 10 {
		t.Error("looking took the whole limit of ten calls a minute")
	}
	pre.From, pre.To = actions.Value{SettingRate: actions.Number(600)}, actions.Value{SettingRate: actions.Number(500)}
	if _, err := e.Execute(t.Context(), pre, "k"); err != nil {
		t.Errorf("no call is left for a write: %v", err)
	}
}

func TestAPresetTakesTheWholeAddressToo(t *testing.T) {
	p := begin(t)
	p.answers = func(w http.ResponseWriter, r *http.Request) bool {
		_, _ = io.WriteString(w, `{"MaxRedirectsPerMinute":"800"}`)
		return true
	}
	for _, end := range []string{"", "/queue/speed", "/queue/speed/"} {
		e := made(t, QueueIt(QueueItOptions{URL: p.url + "/2_0/event/lanterns2026" + end, Key: apiKey}))
		if _, _, err := send(t, e, actions.Request{Verb: actions.Rate, To: to(600)}, actions.Evidence{}); err != nil || e.Target().Name != "lanterns2026" {
			t.Errorf("%v, %+v", err, e.Target())
		}
		if got := p.last(); got.uri != "/2_0/event/lanterns2026/queue/speed" {
			t.Error(got.uri)
		}
	}
	e := made(t, IncidentIO(IncidentIOOptions{URL: p.url + "/v2/alert_events/http/01SOURCE", Token: apiKey}))
	if _, _, err := send(t, e, actions.Request{Verb: actions.Incident}, actions.Evidence{}); err != nil || p.last().uri != "/v2/alert_events/http/01SOURCE" {
		t.Errorf("%v %s", err, p.last().uri)
	}
}

func TestEachPresetSendsExactlyWhatItsToolTakes(t *testing.T) {
	const link = "https://grafana.example/d/1?a=1&b=2"
	links := []any{map[string]any{"title": "dashboard", "url": link}}
	bearer := map[string]string{"Authorization": "Bearer " + apiKey}
	genie := map[string]string{"Authorization": "GenieKey " + apiKey}
	for _, c := range []struct {
		preset string
		verb   actions.Verb
		uri    string
		header map[string]string
		want   map[string]any // of the members that are compared; "*" is any text
	}{
		{"slack", actions.Incident, "/services/T0000/B0000/" + apiKey, nil, map[string]any{"text": "*"}},
		{"slack", actions.Resolve, "/services/T0000/B0000/" + apiKey, nil, map[string]any{"text": "*"}},
		{"slack", actions.AddNote, "/services/T0000/B0000/" + apiKey, nil, map[string]any{"text": "*"}},
		{"jsm", actions.Incident, "/v2/alerts", genie, map[string]any{
			"message": "Harbour Hall <The Lanterns>: payments decline", "alias": "onsale/lantern/incident", "description": "*", "priority": "P2", "source": "onsale", "entity": "lantern",
			"tags":    []any{"onsale", "lantern"},
			"details": map[string]any{"sale": "lantern", "cause": "declines A 7.0 % > 5.0 % for 2:53", "figures": "declines 7.0 % (9s)", "link": link},
		}},
		{"jsm", actions.Acknowledge, "/v2/alerts/onsale%2Flantern%2Fincident/acknowledge?identifierType=alias", genie, map[string]any{"source": "onsale", "note": "*"}},
		{"jsm", actions.Resolve, "/v2/alerts/onsale%2Flantern%2Fincident/close?identifierType=alias", genie, map[string]any{"source": "onsale", "note": "*"}},
		{"jsm", actions.AddNote, "/v2/alerts/onsale%2Flantern%2Fincident/notes?identifierType=alias", genie, map[string]any{"source": "onsale", "note": "payments decline"}},
		{"incident.io", actions.Incident, "/v2/alert_events/http/01SOURCE", bearer, map[string]any{
			"title": "Harbour Hall <The Lanterns>: payments decline", "description": "*", "deduplication_key": "onsale/lantern/incident", "status": "firing", "source_url": link,
			"metadata": map[string]any{"sale": "lantern", "sale_name": "Harbour Hall <The Lanterns>", "cause": "declines A 7.0 % > 5.0 % for 2:53", "figures": []any{"declines 7.0 % (9s)"}, "links": links},
		}},
		{"incident.io", actions.Resolve, "/v2/alert_events/http/01SOURCE", bearer, map[string]any{
			"title": "*", "description": "*", "deduplication_key": "onsale/lantern/incident", "status": "resolved", "source_url": link,
			"metadata": map[string]any{"sale": "lantern", "sale_name": "*", "cause": "*", "figures": []any{"declines 7.0 % (9s)"}, "links": links},
		}},
		{"rootly", actions.Incident, "/webhooks/incoming/generic_webhooks/notify/service/42?secret=" + apiKey, nil, map[string]any{
			"title": "Harbour Hall <The Lanterns>: payments decline", "description": "*", "external_id": "onsale/lantern/incident", "state": "open", "source_url": link,
			"sale": "lantern", "cause": "*", "figures": []any{"declines 7.0 % (9s)"}, "links": links,
		}},
		{"rootly", actions.Resolve, "/webhooks/incoming/generic_webhooks/notify/service/42?secret=" + apiKey, nil, map[string]any{
			"title": "*", "description": "*", "external_id": "onsale/lantern/incident", "state": "resolved", "source_url": link,
			"sale": "lantern", "cause": "*", "figures": []any{"declines 7.0 % (9s)"}, "links": links,
		}},
	} {
		t.Run(c.preset+" "+string(c.verb), func(t *testing.T) {
			p := begin(t)
			if c.preset == "slack" {
				p.say = "ok"
			}
			e := made(t, presets(p)[c.preset])
			_, _, err := send(t, e, actions.Request{Verb: c.verb, Text: "payments decline", Reason: "INC-2214"}, seeing(map[sale.Signal]float64{sale.PaymentFailureRatio: 0.07}))
			if err != nil {
				t.Fatal(err)
			}
			got := p.last()
			if got.method != "POST" || got.uri != c.uri {
				t.Errorf("%s %s", got.method, got.uri)
			}
			for name, v := range c.header {
				if got.header.Get(name) != v {
					t.Errorf("%s is %q", name, got.header.Get(name))
				}
			}
			var body map[string]any
			if err := json.Unmarshal([]byte(got.body), &body); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"description", "text"} {
				if text, ok := body[name].(string); ok && c.verb != actions.AddNote {
					contains(t, text, "Sale: lantern", "Cause: declines A", "Reason given: INC-2214", "Figure: declines 7.0 % (9s)", "dashboard: https://grafana.example/d/1")
				}
			}
			starred(body, c.want)
			sameJSON(t, mustJSON(body), c.want)
		})
	}
}

// starred puts "*" where the wanted body has it.
func starred(got, want map[string]any) {
	for name, w := range want {
		switch w := w.(type) {
		case string:
			if text, ok := got[name].(string); ok && w == "*" && text != "" {
				got[name] = "*"
			}
		case map[string]any:
			if inner, ok := got[name].(map[string]any); ok {
				starred(inner, w)
			}
		}
	}
}

func mustJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(data)
}

func TestSlackGetsNoMentionsAndItsOkIsAskedFor(t *testing.T) {
	p := begin(t)
	p.say = "ok"
	e := made(t, presets(p)["slack"])
	if _, r, err := send(t, e, actions.Request{Verb: actions.Incident, Text: "<!channel> & all"}, actions.Evidence{}); err != nil || !strings.Contains(r.Text, "pages nobody") {
		t.Fatalf("%+v %v", r, err)
	}
	contains(t, p.last().body, "&lt;!channel&gt; &amp; all", "Harbour Hall &lt;The Lanterns&gt;", "a=1&amp;b=2")
	o := presets(p)["slack"]
	o.Budget = Budget{}
	p.say = "<html>"
	if _, _, err := send(t, made(t, o), actions.Request{Verb: actions.AddNote, Text: "x"}, actions.Evidence{}); err == nil || rejectedOf(err) != nil {
		t.Errorf("a page of HTML is not unknown: %v", err)
	}
}

func TestAVerbThatTheToolLacksIsRefusedWithWords(t *testing.T) {
	p := begin(t)
	for preset, verbs := range map[string][]actions.Verb{
		"slack": {actions.Acknowledge, actions.Pause}, "incident.io": {actions.Acknowledge, actions.AddNote}, "rootly": {actions.Acknowledge, actions.AddNote}, "jsm": {actions.Rate},
	} {
		e := made(t, presets(p)[preset])
		for _, v := range verbs {
			q, err := e.Preview(t.Context(), actions.Request{Sale: "lantern", Verb: v, Text: "x", To: map[bool]*float64{true: to(600)}[v == actions.Rate]}, actions.Evidence{})
			if err != nil || !q.Refused() || len(q.Refusals[0].Text) < 20 {
				t.Errorf("%s %s: %+v %v", preset, v, q.Refusals, err)
			}
			q.Refusals = nil
			if _, err := e.Execute(t.Context(), q, "k"); rejectedOf(err) == nil {
				t.Errorf("%s %s: %v", preset, v, err)
			}
			if slices.Contains(e.Info().Verbs, v) {
				t.Errorf("%s says that it can %s", preset, v)
			}
		}
	}
	if p.wrote() != 0 {
		t.Error("something was sent")
	}
}

func TestWhatAnAnswerMeans(t *testing.T) {
	for _, c := range []struct {
		name     string
		status   int
		header   http.Header
		rejected bool
		class    sale.Class
	}{
		{"a wrong key", 401, nil, true, sale.Auth},
		{"no right", 403, nil, true, sale.Auth},
		{"nothing there", 404, nil, true, sale.NotFound},
		{"a channel that is gone", 410, nil, true, sale.NotFound},
		{"a body that is not taken", 422, nil, true, sale.BadData},
		{"too many", 429, http.Header{"Retry-After": {"30"}}, true, sale.Throttled},
		{"a timeout there", 408, nil, false, sale.BadData},
		{"an inner failure", 500, nil, false, sale.Failing},
		{"a gateway", 502, nil, false, sale.Failing},
		{"a redirect", 307, http.Header{"Location": {"http://127.0.0.1:1/steal"}}, false, sale.BadData},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := begin(t)
			e := made(t, p.gateOptions())
			p.answers = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodGet {
					return false
				}
				for k, v := range c.header {
					w.Header()[k] = v
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, "because of "+apiKey)
				return true
			}
			_, _, err := send(t, e, actions.Request{Verb: actions.Pause}, actions.Evidence{})
			var problem *sale.Problem
			if (rejectedOf(err) != nil) != c.rejected || !errors.As(err, &problem) || problem.Class != c.class || problem.Hint == "" {
				t.Fatalf("%v", err)
			}
			if strings.Contains(problem.Text, apiKey) {
				t.Errorf("a secret is in %q", problem.Text)
			}
			if p.wrote() != 1 {
				t.Errorf("%d calls", p.wrote())
			}
			if c.class == sale.Throttled {
				if _, err := e.Preview(t.Context(), actions.Request{Sale: "lantern", Verb: actions.Pause}, actions.Evidence{}); err == nil {
					t.Error("it asks again within the time that it was told to wait")
				}
			}
		})
	}
}

func TestNothingThatAnswersIsARefusal(t *testing.T) {
	o := presets(&peer{url: "http://127.0.0.1:1"})["slack"]
	_, _, err := send(t, made(t, o), actions.Request{Verb: actions.Incident}, actions.Evidence{})
	r := rejectedOf(err)
	if r == nil || r.Problem.Class != sale.Unreachable || strings.Contains(r.Problem.Text, apiKey) {
		t.Errorf("%v", err)
	}
}

func TestAStateThatCantBeReadOffersNothing(t *testing.T) {
	for name, state := range map[string]any{
		"no such member": map[string]any{"rate": 800}, "a word for a rate": map[string]any{"rate": "fast", "paused": false},
		"a negative rate": map[string]any{"rate": -3, "paused": false}, "a rate that is none": map[string]any{"rate": nil, "paused": false},
		"a pause that is a number": map[string]any{"rate": 800, "paused": 2},
	} {
		p := begin(t)
		p.gate = state.(map[string]any)
		var problem *sale.Problem
		if _, err := made(t, p.gateOptions()).Preview(t.Context(), actions.Request{Sale: "lantern", Verb: actions.Pause}, actions.Evidence{}); !errors.As(err, &problem) || problem.Class != sale.BadData {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := begin(t)
	p.gate = map[string]any{"rate": "800", "paused": 2}
	o := p.gateOptions()
	o.State.Paused = "2"
	q, err := made(t, o).Preview(t.Context(), actions.Request{Sale: "lantern", Verb: actions.Resume}, actions.Evidence{})
	if err != nil || q.From[SettingPaused] != actions.Flag(true) || q.From[SettingRate] != actions.Number(800) {
		t.Errorf("%s %v", q.From, err)
	}
}

func TestAColleaguesChangeIsAConflictAndNothingIsSent(t *testing.T) {
	p := begin(t)
	e := made(t, p.gateOptions())
	q, err := e.Preview(t.Context(), actions.Request{Sale: "lantern", Verb: actions.Rate, To: to(600)}, actions.Evidence{})
	if err != nil {
		t.Fatal(err)
	}
	p.take([]byte(`{"rate":700}`))
	var conflict *actions.ConflictError
	if _, err := e.Execute(t.Context(), q, "k"); !errors.As(err, &conflict) || p.wrote() != 0 {
		t.Errorf("%v, %d calls", err, p.wrote())
	}
}

func TestARateKeepsWithinWhatIsSafe(t *testing.T) {
	p := begin(t)
	e := made(t, p.gateOptions())
	for n, refused := range map[float64]bool{700: false, 1000: false, 1200: true} {
		q, err := e.Preview(t.Context(), actions.Request{Sale: "lantern", Verb: actions.Rate, To: &n}, seeing(map[sale.Signal]float64{SafeAdmission: 1100}))
		if err != nil || q.Refused() != refused {
			t.Errorf("%v: %+v %v", n, q.Refusals, err)
		}
	}
}

func TestOptionsThatCantWorkAreRefusedWithoutTheirSecrets(t *testing.T) {
	p := begin(t)
	for name, spoil := range map[string]func(*Options){
		"no name": func(o *Options) { o.Name = "" }, "no call": func(o *Options) { o.Calls = nil }, "a weak secret": func(o *Options) { o.Sign = "1234" },
		"a rate without a number": func(o *Options) { o.Calls[actions.Rate] = Call{URL: p.url, Body: `{"rate":1}`} },
		"a pause with a number":   func(o *Options) { o.Calls[actions.Pause] = Call{URL: p.url, Body: `{"rate":"{{to}}"}`} },
		"no JSON":                 func(o *Options) { o.Calls[actions.Pause] = Call{URL: p.url, Body: `{"rate":{{to}}}`} },
		"two documents":           func(o *Options) { o.Calls[actions.Pause] = Call{URL: p.url, Body: `{} {}`} },
		"an unknown placeholder":  func(o *Options) { o.Calls[actions.Pause] = Call{URL: p.url, Body: `{"a":"{{colour}}"}`} },
		"half a placeholder":      func(o *Options) { o.Calls[actions.Pause] = Call{URL: p.url, Body: `{"a":"{{to"}`} },
		"a GET":                   func(o *Options) { o.Calls[actions.Pause] = Call{Method: "GET", URL: p.url} },
		"a file":                  func(o *Options) { o.Calls[actions.Pause] = Call{URL: "file:///etc/" + apiKey} },
		"a user in the URL":       func(o *Options) { o.Calls[actions.Pause] = Call{URL: "https://me:" + apiKey + "@example.com/"} },
		"a scale up":              func(o *Options) { o.Calls[actions.ScaleUp] = Call{URL: p.url} },
		"a state that lacks one":  func(o *Options) { delete(o.State.Paths, SettingPaused) },
		"a setting of no use":     func(o *Options) { o.State.Paths["colour"] = "x" },
		"a note with a state":     func(o *Options) { o.Calls[actions.AddNote] = Call{URL: p.url} },
		"bounds that cross":       func(o *Options) { o.Min, o.Max = 9, 3 },
	} {
		o := p.gateOptions()
		spoil(&o)
		if _, err := New(o); err == nil || strings.Contains(err.Error(), apiKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, o := range map[string]Options{
		"queue-it without a key": QueueIt(QueueItOptions{Customer: "c", Event: "e"}), "queue-it without a customer": QueueIt(QueueItOptions{Event: "e", Key: apiKey}),
		"slack without a URL": Slack(SlackOptions{}), "jsm without a key": JiraServiceManagement(JSMOptions{}), "jsm with a P0": JiraServiceManagement(JSMOptions{Key: apiKey, Priority: `P0","x":"`}),
		"incident.io without a token": IncidentIO(IncidentIOOptions{Source: "s"}),
	} {
		if _, err := New(o); err == nil {
			t.Error(name)
		}
	}
}

func FuzzAnyStateIsReadOrAnError(f *testing.F) {
	f.Add([]byte(`{"data":[{"rate":"800","paused":"2"}]}`), "data.0.rate")
	f.Add([]byte(`[[[]]]`), "0.0.0")
	f.Add([]byte(`{"":1e999}`), "")
	f.Fuzz(func(t *testing.T, data []byte, path string) {
		s := &State{Paths: map[string]string{SettingRate: path, SettingPaused: path, SettingStatus: path}, Paused: "2"}
		if v, err := s.value(data); err == nil {
			if n, ok := v[SettingRate].Number(); !ok || n < 0 || !v[SettingRate].Finite() {
				t.Errorf("%q gives %s", data, v)
			}
		}
		for name := range s.Paths {
			one := &State{Paths: map[string]string{name: path}, Paused: "2"}
			if v, err := one.value(data); err == nil {
				if w, ok := v[name].Word(); ok && w != sale.Clean(w, 60) {
					t.Errorf("%q is not clean", w)
				}
			}
		}
	})
}

func FuzzNoTextBreaksOutOfItsPlace(f *testing.F) {
	f.Add(`","admin":true,"x":"`, "{{to}}")
	f.Add("\x00\xff{{sale}}", "a")
	f.Fuzz(func(t *testing.T, word, sale string) {
		tpl, err := compileBody(`{"a":"x {{cause}} y","b":"{{title}}","c":["{{sale}}"],"n":"{{to}}"}`)
		if err != nil {
			t.Fatal(err)
		}
		data, err := tpl.body(map[string]any{holeCause: word, holeTitle: word, holeSale: sale, holeTo: 600.0})
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		for name := range got {
			if !strings.Contains("abcn", name) {
				t.Errorf("a member %q appeared", name)
			}
		}
		if got["n"] != 600.0 {
			t.Errorf("the number became %v", got["n"])
		}
	})
}
