package webhook

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

func TestOnsalesOwnJSONSaysWhatIsWantedAndForWhom(t *testing.T) {
	for _, c := range []struct {
		req  actions.Request
		want map[string]any
	}{
		{actions.Request{Verb: actions.Pause, Reason: "INC-2214"}, map[string]any{"action": "pause", "paused": true, "reason": "INC-2214"}},
		{actions.Request{Verb: actions.Resume, Change: "CHG-1"}, map[string]any{"action": "resume", "paused": false, "change": "CHG-1"}},
		{actions.Request{Verb: actions.Rate, To: to(250)}, map[string]any{"action": "rate", "rate": 250}},
		{actions.Request{Verb: actions.Incident, Text: "payments decline"}, map[string]any{
			"action": "incident", "status": "open", "dedup_key": "onsale/lantern/incident", "title": "The Lanterns: payments decline", "description": "*",
			"severity": "critical", "service": "payment", "cause": "declines A 7.0 % > 5.0 % for 2:53", "figures": []any{"declines 7.0 % (9s)"},
			"links": []any{map[string]any{"title": "dashboard", "url": "https://grafana.example/d/1?token=[hidden]"}},
		}},
		{actions.Request{Verb: actions.Acknowledge}, map[string]any{"action": "acknowledge", "status": "acknowledged", "dedup_key": "*", "title": "*", "description": "*", "severity": "critical", "service": "payment", "cause": "*", "figures": []any{"declines 7.0 % (9s)"}, "links": []any{map[string]any{"title": "dashboard", "url": "https://grafana.example/d/1?token=[hidden]"}}}},
		{actions.Request{Verb: actions.Resolve}, map[string]any{"action": "resolve", "status": "resolved", "dedup_key": "*", "title": "*", "description": "*", "severity": "critical", "service": "payment", "cause": "*", "figures": []any{"declines 7.0 % (9s)"}, "links": []any{map[string]any{"title": "dashboard", "url": "https://grafana.example/d/1?token=[hidden]"}}}},
		{actions.Request{Verb: actions.AddNote, Text: "called the provider"}, map[string]any{"action": "note", "dedup_key": "*", "note": "called the provider"}},
	} {
		t.Run(string(c.req.Verb), func(t *testing.T) {
			p := begin(t)
			o := Own(OwnOptions{Name: "north door", URL: p.url + "/gates/{{target}}", Token: apiKey, Verb: c.req.Verb})
			o.Names = map[sale.ID]string{"lantern": "The Lanterns"}
			o.Links = map[sale.ID][]sale.Link{"lantern": {{Title: "dashboard", URL: "https://grafana.example/d/1?token=" + apiKey}}}
			o.Severity, o.Service = "critical", "payment"
			if _, _, err := send(t, made(t, o), c.req, seeing(map[sale.Signal]float64{sale.PaymentFailureRatio: 0.07})); err != nil {
				t.Fatal(err)
			}
			got := p.last()
			if got.method != "POST" || got.uri != "/gates/north%20door" || got.header.Get("Authorization") != "Bearer "+apiKey || got.header.Get("Idempotency-Key") != "01KEY" {
				t.Errorf("%s %s", got.method, got.uri)
			}
			var body map[string]any
			if err := json.Unmarshal([]byte(got.body), &body); err != nil {
				t.Fatal(err)
			}
			for name, v := range map[string]any{"target": "north door", "sale": "lantern", "sale_name": "The Lanterns", "at": "*"} {
				c.want[name] = v
			}
			starred(body, c.want)
			sameJSON(t, mustJSON(body), c.want)
		})
	}
}

func TestASummaryStandsInForWordsThatNobodyGave(t *testing.T) {
	p := begin(t)
	o := Own(OwnOptions{Name: "desk", URL: p.url, Verb: actions.Incident})
	o.Summary = "Admission is paused"
	for text, want := range map[string]string{"": "lantern: Admission is paused", "doors are shut": "lantern: doors are shut"} {
		if _, _, err := send(t, made(t, o), actions.Request{Verb: actions.Incident, Text: text}, actions.Evidence{}); err != nil {
			t.Fatal(err)
		}
		contains(t, p.last().body, `"title":"`+want+`"`)
	}
}

func TestOneIsUndoableOnlyAsFarAsItsStateAndItsBodiesGo(t *testing.T) {
	p := begin(t)
	state := func(paths map[string]string, verb actions.Verb, bodies map[actions.Verb]string) []actions.Verb {
		return made(t, Own(OwnOptions{Name: "door", URL: p.url, StateURL: p.url, StatePaths: paths, Verb: verb, Bodies: bodies})).Info().Verbs
	}
	for _, c := range []struct {
		name   string
		paths  map[string]string
		verb   actions.Verb
		bodies map[actions.Verb]string
		want   string
	}{
		{"all settings by their names", nil, actions.Pause, nil, "pause resume rate undo"},
		{"no place for the pause", map[string]string{SettingRate: "rate"}, actions.Rate, nil, "rate undo"},
		{"a pause that can't be proven", map[string]string{SettingRate: "rate"}, actions.Pause, nil, "pause resume rate"},
		{"only what has a body", nil, actions.Pause, map[actions.Verb]string{actions.Pause: `{"closed":true}`}, "pause undo"},
		{"a note, which can't be read back", nil, actions.AddNote, nil, "note"},
		{"an incident", nil, actions.Incident, nil, "incident acknowledge resolve"},
		{"an incident at a gate that tells none", map[string]string{SettingPaused: "paused"}, actions.Incident, nil, "incident acknowledge resolve"},
	} {
		var got []string
		for _, v := range state(c.paths, c.verb, c.bodies) {
			got = append(got, string(v))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestEveryRequestIsSignedTheLooksToo(t *testing.T) {
	_, x, e := ownGate(t, actions.Pause)
	pre, _, err := send(t, e, actions.Request{Verb: actions.Pause}, actions.Evidence{})
	if err != nil {
		t.Fatal(err) // the gate refuses a look that is not signed
	}
	state, err := e.ReadBack(t.Context(), pre)
	if err != nil || !state.Value.Holds(pre.To) || x.wrote() != 1 {
		t.Errorf("%s %v, %d calls", state.Value, err, x.wrote())
	}
}

func TestTheSignalsShowWhatTheGateDoes(t *testing.T) {
	const within = 3 * time.Minute
	of := func(from, want actions.Value, now float64, proof Proof) *actions.Effect {
		e := made(t, Own(OwnOptions{Name: "door", URL: "http://127.0.0.1:1", Verb: actions.Pause}))
		if proof.Within == 0 {
			proof.Within = within
		}
		e.o.Proof = proof
		p := &actions.Preview{From: from, To: want}
		seen := seeing(map[sale.Signal]float64{sale.AdmissionRate: now, sale.OrderRate: now})
		e.aimEffect(p, seen)
		return p.Effect
	}
	paused, open := actions.Value{SettingPaused: actions.Flag(true)}, actions.Value{SettingPaused: actions.Flag(false)}
	rate := func(n float64) actions.Value { return actions.Value{SettingRate: actions.Number(n)} }
	orders := Proof{Signal: sale.OrderRate}
	overshoot := 200.0
	overshoot *= 1.1
	for name, c := range map[string]struct {
		from, to actions.Value
		now      float64
		proof    Proof
		want     *actions.Effect
	}{
		"a pause":                          {open, paused, 800, Proof{}, &actions.Effect{Signal: sale.AdmissionRate, Direction: actions.Down, Wanted: 16, Within: within}},
		"a resume":                         {paused, open, 0, Proof{}, &actions.Effect{Signal: sale.AdmissionRate, Direction: actions.Up, Wanted: 1, Within: within}},
		"a lower rate":                     {rate(800), rate(200), 780, Proof{}, &actions.Effect{Signal: sale.AdmissionRate, Direction: actions.Down, Wanted: overshoot, Within: within}},
		"a higher rate":                    {rate(200), rate(800), 200, Proof{}, &actions.Effect{Signal: sale.AdmissionRate, Direction: actions.Up, Wanted: 500, Within: within}},
		"a lower rate from nobody knows":   {actions.Value{}, rate(200), 780, Proof{}, &actions.Effect{Signal: sale.AdmissionRate, Direction: actions.Down, Wanted: overshoot, Within: within}},
		"a higher rate from nobody knows":  {actions.Value{}, rate(900), 780, Proof{}, nil},
		"a rate while it is paused":        {actions.Value{SettingRate: actions.Number(800), SettingPaused: actions.Flag(true)}, rate(200), 780, Proof{}, nil},
		"in another signal":                {open, paused, 300, orders, &actions.Effect{Signal: sale.OrderRate, Direction: actions.Down, Wanted: 270, Within: within}},
		"in another signal, the other way": {open, paused, 300, Proof{Signal: sale.OrderRate, Direction: actions.Up}, &actions.Effect{Signal: sale.OrderRate, Direction: actions.Up, Wanted: 330, Within: within}},
		"in a signal that stands at zero":  {open, paused, 0, orders, nil},
	} {
		got := of(c.from, c.to, c.now, c.proof)
		if (got == nil) != (c.want == nil) || got != nil && mustJSON(*got) != mustJSON(*c.want) {
			t.Errorf("%s: %s, want %s", name, mustJSON(got), mustJSON(c.want))
		}
	}
}
