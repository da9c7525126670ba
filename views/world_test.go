package views

import (
	"math"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// The world of these tests stands still at this moment: six invented sales in six states.
var worldNow = time.Date(2026, 12, 4, 10, 8, 41, 0, time.FixedZone("CET", 3600))

// reading is one signal of the test world: its value, the shape of its past, its source.
type reading struct {
	signal sale.Signal
	value  float64
	shape  func(x float64) float64 // of x from 0 (the oldest) to 1 (now), times value
	source string
	age    time.Duration
	needed bool
	breach sale.Verdict
}

func flat(float64) float64       { return 1 }
func rising(x float64) float64   { return 0.3 + 0.7*x }
func falling(x float64) float64  { return 2 - x }
func wavy(x float64) float64     { return 1 + 0.2*math.Sin(x*40) }
func stepUp(x float64) float64   { return map[bool]float64{true: 1, false: 0.3}[x > 0.75] }
func stepDown(x float64) float64 { return map[bool]float64{true: 1, false: 40}[x > 0.92] }

func cadenceOf(source string) sale.Cadence {
	switch source {
	case "aws", "edge":
		return sale.Cadence{Period: time.Minute, Delay: time.Minute}
	case "gate":
		return sale.Cadence{Period: 30 * time.Second, Delay: 20 * time.Second}
	case "orders":
		return sale.Cadence{Period: 10 * time.Second}
	}
	return sale.Cadence{Period: 5 * time.Second}
}

func ptr[T any](v T) *T { return &v }

func rulesOf(signal sale.Signal) sale.Rules {
	above := func(watch, bad float64, of sale.Signal) sale.Rules {
		r := sale.Rules{Watch: sale.Thresholds{Default: &sale.Rule{Above: true, Limit: watch, Of: of, For: time.Minute}}}
		if bad > 0 {
			r.Bad.Default = &sale.Rule{Above: true, Limit: bad, Of: of, For: time.Minute}
		}
		return r
	}
	switch signal {
	case sale.PaymentFailureRatio:
		return above(0.03, 0.05, "")
	case sale.ErrorRatio, sale.EdgeErrorRatio:
		return above(0.01, 0.05, "")
	case sale.LatencyP95:
		return above(1.5, 3, "")
	case sale.DBConnections:
		return above(0.8, 0.95, sale.DBConnectionsMax)
	case sale.DBCPURatio:
		return above(0.8, 0.95, "")
	case sale.QueueDepth:
		return above(5000, 20000, "")
	case sale.ActiveUsers:
		return above(0.95, 0, sale.ActiveLimit)
	case sale.Waiting:
		return above(36900, 0, "")
	case sale.CacheHitRatio:
		return sale.Rules{Watch: sale.Thresholds{Default: &sale.Rule{Limit: 0.8, For: 2 * time.Minute}}}
	}
	return sale.Rules{}
}

func stateOf(s *sale.Sale, phase sale.Phase, verdict sale.Verdict, since time.Time, readings []reading) *sale.State {
	st := &sale.State{Sale: s, Version: 1, Phase: phase, PhaseSince: s.Opens.Add(10 * time.Minute), Verdict: verdict, Since: since}
	s.Signals = make([]sale.Spec, len(readings))
	for i, r := range readings {
		m, _ := sale.MeaningOf(r.signal)
		spec := &s.Signals[i]
		*spec = sale.Spec{Signal: r.signal, Label: m.Label, Unit: m.Unit, Group: m.Group, Source: r.source, Cadence: cadenceOf(r.source), Rules: rulesOf(r.signal)}
		if r.source == "gate" {
			spec.Estimate = r.signal == sale.Waiting || r.signal == sale.ActiveUsers
		}
		spec.Estimate = spec.Estimate || r.source == "orders"
		if r.needed {
			spec.Needed = []sale.Phase{phase}
			st.Needed++
		}
		switch r.signal {
		case sale.DBConnections:
			spec.Of = sale.DBConnectionsMax
		case sale.ActiveUsers:
			spec.Of = sale.ActiveLimit
		case sale.CapacityInService:
			spec.Of = sale.CapacityMax
		}
		k := sale.Known{Spec: spec, Ratio: math.NaN(), Verdict: sale.OK, Freshness: sale.NoData}
		if r.source == "" {
			spec.Constant = ptr(r.value)
		}
		if r.shape != nil {
			k.Has, k.Value, k.At = true, r.value, worldNow.Add(-r.age)
			k.FetchedAt = k.At
			k.History = historyOf(r, spec.Cadence.Period)
		}
		k.Freshness = k.FreshnessAt(worldNow)
		if k.Freshness == sale.Stale || k.Freshness == sale.NoData {
			k.Verdict = sale.Unknown
		} else if r.needed {
			st.NeededLive++
		}
		if r.source == "metrics-st" {
			k.Problem = &sale.Problem{Class: sale.Unreachable, Text: "dial tcp 10.20.3.9:9090: connection refused", Hint: "start prometheus, or fix sources.metrics-st.url"}
		}
		if r.breach != "" {
			k.Verdict = r.breach
			rule := spec.Rules.Watch.In(phase)
			if r.breach == sale.Bad {
				rule = spec.Rules.Bad.In(phase)
			}
			k.Breach = &sale.Breach{Rule: *rule, Verdict: r.breach, Value: r.value, Since: since, Held: true}
		}
		st.Signals = append(st.Signals, k)
	}
	for i := range st.Signals {
		k := &st.Signals[i]
		if whole, ok := valueOf(st, k.Spec.Of); ok && k.Has {
			k.Ratio = k.Value / whole
		}
	}
	return st
}

func historyOf(r reading, period time.Duration) sale.Series {
	var points []sale.Point
	end := worldNow.Add(-r.age)
	const past = 40 * time.Minute
	for at := end.Add(-past); !at.After(end); at = at.Add(period) {
		x := 1 - float64(end.Sub(at))/float64(past)
		points = append(points, sale.Point{At: at, Value: r.value * r.shape(x) / r.shape(1)})
	}
	return sale.SeriesOf(points)
}

func shopPanels() []sale.Panel {
	return []sale.Panel{
		{Title: "admitted/min", Signals: []sale.Signal{sale.AdmissionRate, sale.AdmissionLimit}},
		{Title: "waiting", Signals: []sale.Signal{sale.Waiting}},
		{Title: "declines", Signals: []sale.Signal{sale.PaymentFailureRatio}},
		{Title: "database connections", Signals: []sale.Signal{sale.DBConnections}},
		{Title: "tickets left", Signals: []sale.Signal{sale.TicketsLeft}},
		{Title: "orders/min", Signals: []sale.Signal{sale.OrderRate, sale.CheckoutRate}},
		{Title: "p95", Signals: []sale.Signal{sale.LatencyP95}},
		{Title: "errors", Signals: []sale.Signal{sale.ErrorRatio, sale.EdgeErrorRatio}},
	}
}

// shop lists the readings of one shop; change patches single ones.
func shop(metrics string, metricsAge time.Duration, change ...reading) []reading {
	s := time.Second
	all := []reading{
		{sale.Waiting, 9260, falling, "gate", 31 * s, true, ""},
		{sale.InflowRate, 120, wavy, metrics, metricsAge, false, ""},
		{sale.AdmissionRate, 394, wavy, metrics, metricsAge, true, ""},
		{sale.AdmissionLimit, 400, flat, "gate", 31 * s, false, ""},
		{sale.ActiveUsers, 2050, wavy, "gate", 31 * s, true, ""},
		{sale.ActiveLimit, 2600, flat, "gate", 31 * s, false, ""},
		{sale.CheckoutRate, 131, wavy, metrics, metricsAge, false, ""},
		{sale.OrderRate, 122, wavy, metrics, metricsAge, true, ""},
		{sale.PaymentFailureRatio, 0.016, wavy, metrics, metricsAge, true, ""},
		{sale.TicketsLeft, 7093, falling, metrics, metricsAge, true, ""},
		{sale.TicketsHeld, 640, wavy, metrics, metricsAge, false, ""},
		{sale.RequestRate, 1480, wavy, metrics, metricsAge, false, ""},
		{sale.ErrorRatio, 0.0004, flat, "aws", 101 * s, true, ""},
		{sale.LatencyP95, 0.41, wavy, metrics, metricsAge, true, ""},
		{sale.EdgeErrorRatio, 0.0018, flat, "edge", 221 * s, false, ""},
		{sale.CacheHitRatio, 0.941, wavy, "edge", 221 * s, false, ""},
		{sale.DBConnections, 820, rising, "aws", 101 * s, true, ""},
		{sale.DBConnectionsMax, 2000, nil, "", 0, false, ""},
		{sale.DBCPURatio, 0.44, wavy, "aws", 101 * s, false, ""},
		{sale.QueueDepth, 85, wavy, "orders", 8 * s, false, ""},
		{sale.QueueOldestSeconds, 2, wavy, "aws", 101 * s, false, ""},
		{sale.CapacityInService, 24, flat, "aws", 101 * s, false, ""},
		{sale.CapacityDesired, 24, flat, "aws", 101 * s, false, ""},
		{sale.CapacityMax, 60, flat, "aws", 101 * s, false, ""},
	}
	for _, c := range change {
		for i := range all {
			if all[i].signal != c.signal {
				continue
			}
			if c.source == "" {
				c.source, c.age = all[i].source, all[i].age
			}
			c.needed = all[i].needed
			all[i] = c
		}
	}
	return all
}

func world() *sale.Snapshot {
	clock := func(h, m, s int) time.Time { return time.Date(2026, 12, 4, h, m, s, 0, worldNow.Location()) }
	newSale := func(id sale.ID, digit int, venue, name, group string, opens time.Time, tickets int) *sale.Sale {
		return &sale.Sale{
			ID: id, Digit: digit, Name: name, Venue: venue, Group: group, Opens: opens,
			Prequeue: opens.Add(-30 * time.Minute), Closes: opens.Add(2 * time.Hour), Tickets: tickets, Panels: shopPanels(),
			Links: []sale.Link{{Title: "dashboard", URL: "https://console.example.com/" + string(id) + "?range=1h"}, {Title: "runbook", URL: "https://elsewhere.example.net/r"}},
		}
	}
	snap := &sale.Snapshot{Seq: 7, At: worldNow}
	lanterns := stateOf(newSale("lanterns", 3, "Harbour Hall", "The Tin Lanterns", "hr-prod", clock(9, 45, 0), 14600), sale.Live, sale.Bad, clock(10, 4, 12), shop("metrics", 11*time.Second,
		reading{signal: sale.Waiting, value: 12400, shape: falling},
		reading{signal: sale.AdmissionRate, value: 20, shape: stepDown},
		reading{signal: sale.PaymentFailureRatio, value: 0.07, shape: stepUp, breach: sale.Bad},
		reading{signal: sale.DBConnections, value: 1840, shape: rising, breach: sale.Watch},
		reading{signal: sale.QueueDepth, value: 1240, shape: rising},
		reading{signal: sale.TicketsLeft, value: 3100, shape: falling}))
	lanterns.Reasons = []sale.Reason{
		{Signal: sale.PaymentFailureRatio, Verdict: sale.Bad, Text: "declines 7.0 % > 5.0 % for 1:00", Since: clock(10, 3, 12), Source: "metrics"},
		{Signal: sale.DBConnections, Verdict: sale.Watch, Text: "db conns 92 % of db max > 80 % for 1:00", Since: clock(9, 57, 0), Source: "aws"},
	}
	lanterns.Notes = []sale.Note{{Sale: "lanterns", Code: "queue_all", Text: "queue_all is on for room tl-2026: nobody is let in"}}

	volt := stateOf(newSale("volt", 1, "Kestrel Arena", "Mira Volt", "hr-prod", clock(8, 0, 0), 9000), sale.Tail, sale.Unknown, clock(10, 5, 5), shop("metrics-st", 261*time.Second,
		reading{signal: sale.Waiting, value: 0, shape: flat},
		reading{signal: sale.TicketsLeft, value: 312, shape: falling}))
	volt.Reasons = []sale.Reason{{Signal: sale.AdmissionRate, Verdict: sale.Unknown, Text: "metrics-st refuses connections: admitted, orders, declines, left not seen", Since: clock(10, 4, 20), Source: "metrics-st"}}

	pier := stateOf(newSale("pier", 5, "Foundry Park", "North Pier", "pl-prod", clock(10, 20, 0), 58000), sale.Prequeue, sale.Watch, clock(9, 58, 30), shop("metrics", 4*time.Second,
		reading{signal: sale.Waiting, value: 48310, shape: rising, breach: sale.Watch},
		reading{signal: sale.AdmissionRate, value: 0, shape: flat},
		reading{signal: sale.ActiveUsers, value: 210, shape: flat},
		reading{signal: sale.OrderRate, value: 0, shape: flat},
		reading{signal: sale.PaymentFailureRatio},
		reading{signal: sale.TicketsLeft, value: 58000, shape: flat}))
	pier.Reasons = []sale.Reason{{Signal: sale.Waiting, Verdict: sale.Watch, Text: "waiting 48,310 > 36,900 for 1:00", Since: clock(9, 58, 30), Source: "gate"}}

	suma := stateOf(newSale("suma", 6, "Dvorana Čardak", "Šumska Željeznica", "hr-prod", clock(10, 35, 0), 6900), sale.Scheduled, sale.Watch, clock(10, 0, 0), shop("metrics", 4*time.Second,
		reading{signal: sale.Waiting, value: 0, shape: flat},
		reading{signal: sale.AdmissionRate, value: 0, shape: flat},
		reading{signal: sale.ActiveUsers, value: 40, shape: flat},
		reading{signal: sale.OrderRate, value: 0, shape: flat},
		reading{signal: sale.LatencyP95, value: 1.72, shape: stepUp, breach: sale.Watch},
		reading{signal: sale.TicketsLeft, value: 6900, shape: flat}))
	suma.Reasons = []sale.Reason{{Signal: sale.LatencyP95, Verdict: sale.Watch, Text: "p95 1.72 s > 1.50 s for 1:00", Since: clock(10, 0, 0), Source: "metrics"}}
	suma.Notes = []sale.Note{{Sale: "suma", Code: "event", Text: "event 10:20–12:35 overrides the room's rate"}}

	owls := stateOf(newSale("owls", 4, "Old Mill Stage Gdynia", "Juno and the Night Owls", "pl-prod", clock(10, 5, 0), 11000), sale.Opening, sale.OK, clock(10, 8, 1), shop("metrics", 4*time.Second,
		reading{signal: sale.Waiting, value: 21480, shape: rising}))
	comets := stateOf(newSale("comets", 2, "Lakeside Dome", "Paper Comets", "pl-prod", clock(9, 30, 0), 12000), sale.Live, sale.OK, clock(9, 37, 21), shop("metrics", 4*time.Second))

	standing(lanterns, volt, pier, suma, owls, comets)
	outlooks(lanterns, volt, pier, suma, owls, comets)
	snap.Sales = []*sale.State{lanterns, volt, pier, suma, owls, comets}
	snap.Sources = worldSources()
	tell(snap)
	return snap
}

func worldSources() []sale.SourceState {
	refused := &sale.Problem{Class: sale.Unreachable, Text: "dial tcp 10.20.3.9:9090: connection refused", Hint: "start prometheus, or fix sources.metrics-st.url"}
	live := func(name, kind, gives, limit string, every, age time.Duration, calls int, perHour float64) sale.SourceState {
		s := sale.SourceState{
			Condition: sale.SourceLive, Since: worldNow.Add(-2 * time.Hour), LastOK: worldNow.Add(-age / 3), LastTry: worldNow.Add(-age / 3),
			Newest: worldNow.Add(-age), NextTry: worldNow.Add(every / 2), Took: 84 * time.Millisecond, Calls: calls * 24, CallsIn5m: calls, CostUSD: perHour * 2.65, CostPerH: perHour,
		}
		s.SourceInfo = sale.SourceInfo{Name: name, Kind: kind, Every: every, Cadence: cadenceOf(name), Gives: gives, Limit: limit}
		for i := range 6 {
			s.Recent = append(s.Recent, sale.Try{At: s.LastTry.Add(-time.Duration(i) * every), Took: s.Took, Calls: 1})
		}
		return s
	}
	dark := live("metrics-st", "prometheus", "14 queries", "", 5*time.Second, 261*time.Second, 60, 0)
	dark.Condition, dark.Problem, dark.Failures, dark.Missing = sale.SourceError, refused, 19, 14
	dark.LastOK, dark.LastTry, dark.Since = worldNow.Add(-261*time.Second), worldNow.Add(-6*time.Second), worldNow.Add(-256*time.Second)
	for i := range dark.Recent {
		dark.Recent[i] = sale.Try{At: dark.LastTry.Add(-time.Duration(i) * 15 * time.Second), Took: time.Millisecond, Calls: 1, Problem: refused}
	}
	edge := live("edge", "cloudwatch", "18 metrics", "50/s", time.Minute, 221*time.Second, 5, 0.0108)
	edge.Condition = sale.SourceLate
	edge.Warnings = []string{"CloudFront publishes late in us-east-1"}
	gate := live("gate", "cloudflare-waiting-room", "6 rooms x 2 GET", "1,200 per 5 min", 30*time.Second, 31*time.Second, 60, 0)
	gate.Notes = []sale.Note{{Code: "estimate", Text: "figures are estimates, 20-50 s old"}}
	return []sale.SourceState{
		live("metrics", "prometheus", "84 queries", "", 5*time.Second, 4*time.Second, 60, 0), dark,
		live("aws", "cloudwatch", "60 metrics", "50/s", time.Minute, 101*time.Second, 5, 0.036), edge,
		live("orders", "sqs", "6 queues", "", 10*time.Second, 8*time.Second, 180, 0.0009), gate,
	}
}

func worldKeys() []KeyHint {
	return []KeyHint{
		{Keys: "?", Label: "help", Group: "screens", Help: "this page"},
		{Keys: ":", Label: "palette", Group: "screens", Help: "find and run anything by name"},
		{Keys: "/", Label: "filter", Group: "move", Help: "show only sales whose name has these letters"},
		{Keys: "←↓↑→", Label: "move", Group: "move", Help: "also h j k l"},
		{Keys: "1-6 enter", Label: "open", Group: "move", Help: "open a sale; its digit never changes"},
		{Keys: "[ ]", Label: "window", Group: "move", Help: "a shorter or longer time window"},
		{Keys: "o", Label: "sources", Group: "screens", Help: "what is read, how old it is, what it costs"},
		{Keys: "l", Label: "logs", Group: "screens", Help: "what the program itself has to say"},
		{Keys: "q", Label: "quit", Group: "screens", Help: "leave; nothing is sent anywhere"},
		{Keys: "y", Label: "copy", Group: "act on", Help: "copy the cause line", Off: "this terminal takes no copies"},
		{Keys: "tab", Label: "next panel", Group: "move", Help: "the next chart of a sale's page", Off: "no chart on this screen"},
	}
}

// worldFrame is the frame of the golden screens.
func worldFrame(w, h int, theme *Theme) Frame {
	return Frame{
		Now: worldNow, Width: w, Height: h, Theme: theme, Snapshot: world(), Focus: "lanterns", Window: 20 * time.Minute,
		Order:  []sale.ID{"lanterns", "volt", "pier", "suma", "owls", "comets"},
		Header: Header{Environment: "PROD", Accounts: []string{"hr-prod 471122083344 eu-central-1", "pl-prod 559900417720"}, Operator: "ivana", Role: "READ-ONLY", LinkLag: 40 * time.Millisecond},
		Footer: Footer{Message: "sale 1: metrics-st refuses connections", MessageAt: worldNow.Add(-96 * time.Second), Severity: sale.Unknown, Keys: worldKeys()},
		Links:  LinkPolicy{Hosts: []string{"console.example.com"}, On: true},
	}
}
