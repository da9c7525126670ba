package sale

import (
	"strings"
	"testing"
	"time"
)

// shopNow is a live sale with the given figures, each fresh, and its rules' breaches as given.
type shopNow struct {
	values  map[Signal]float64
	bad     []Signal // in this order of breaking
	watch   []Signal
	cannot  []string // actions that the sale does not declare
	phase   Phase
	paused  bool
	quiet   time.Duration // for how long it has been well
	unknown bool
}

func (s shopNow) state() (*State, *saleEntry) {
	decl := &Sale{ID: "harbour", Opens: opens}
	for _, a := range []string{"pause", "resume", "rate", "scale-up", "incident"} {
		if !strings.Contains(strings.Join(s.cannot, " "), a) {
			decl.Acts = append(decl.Acts, a)
		}
	}
	entry := &saleEntry{sale: decl, bySignal: map[Signal]*slot{}}
	st := &State{Sale: decl, Phase: Live, Verdict: OK}
	if s.phase != "" {
		st.Phase = s.phase
	}
	if s.paused {
		st.Notes = []Note{{Sale: decl.ID, Code: "queue_all", Text: "queue_all is on"}}
	}
	for _, m := range Standard() {
		v, ok := s.values[m.Signal]
		if !ok {
			continue
		}
		spec := &Spec{Signal: m.Signal, Unit: m.Unit, Label: m.Label, Source: "metrics", Cadence: every(5 * time.Second)}
		k := Known{Spec: spec, Has: true, Value: v, At: live, Freshness: Fresh, Verdict: OK, Ratio: nan()}
		if m.Signal == DBConnections {
			k.Ratio = v / 2000
		}
		st.Signals = append(st.Signals, k)
		entry.slots = append(entry.slots, &slot{spec: spec, sale: entry, gap: time.Minute})
		entry.bySignal[m.Signal] = entry.slots[len(entry.slots)-1]
	}
	since := live.Add(-10 * time.Minute)
	broken := func(names []Signal, v Verdict) {
		for _, name := range names {
			k := st.pointer(name)
			since = since.Add(20 * time.Second)
			k.Verdict = v
			k.Breach = &Breach{Rule: Rule{Above: true, Limit: k.Value * 0.8}, Verdict: v, Value: k.Value, Since: since, Held: true}
			st.Reasons = append(st.Reasons, Reason{Signal: name, Verdict: v, Text: string(name), Since: since, Source: "metrics"})
			st.Verdict = Worst(st.Verdict, v)
		}
	}
	broken(s.watch, Watch)
	broken(s.bad, Bad)
	if s.unknown {
		st.Verdict = Unknown
		st.Reasons = append(st.Reasons, Reason{Signal: OrderRate, Verdict: Unknown, Text: "gone", Since: live, Source: "metrics"})
	}
	return st, entry
}

func nan() float64 { return constantNaN }

var constantNaN = func() float64 { z := 0.0; return z / z }()

func TestTheNextMoveIsTheOneThatTheEvidenceAllows(t *testing.T) {
	room := map[Signal]float64{
		PaymentFailureRatio: 0.07, DBConnections: 600, DBConnectionsMax: 2000, LatencyP95: 4, ErrorRatio: 0.08, AdmissionLimit: 800,
		CapacityInService: 24, CapacityDesired: 24, CapacityMax: 32, QueueDepth: 30000, CacheHitRatio: 0.5, OrderRate: 100,
	}
	with := func(changes map[Signal]float64) map[Signal]float64 {
		all := map[Signal]float64{}
		for k, v := range room {
			all[k] = v
		}
		for k, v := range changes {
			if v < 0 {
				delete(all, k)
			} else {
				all[k] = v
			}
		}
		return all
	}
	full := with(map[Signal]float64{DBConnections: 1960})
	for _, c := range []struct {
		name   string
		shop   shopNow
		action string
		to     int
		text   string
	}{
		{"a well sale wants nothing", shopNow{values: room}, "", 0, "nothing to do: watch"},
		{"declines are not cured by a lower rate", shopNow{values: room, bad: []Signal{PaymentFailureRatio}}, "pause", 0, "a lower rate does not cure declines"},
		{"declines near the limit are watched", shopNow{values: room, watch: []Signal{PaymentFailureRatio}}, "", 0, "watch declines"},
		{"without a gate declines are called in", shopNow{values: room, bad: []Signal{PaymentFailureRatio}, cannot: []string{"pause"}}, "incident", 0, "call the payment provider"},
		{"a full database wants fewer buyers, to its comfort", shopNow{values: full, bad: []Signal{DBConnections}}, "rate", 600, "more hosts would open more connections"},
		{"slow pages of a full database do too", shopNow{values: full, watch: []Signal{DBConnections}, bad: []Signal{LatencyP95}}, "rate", 600, "the database is the limit"},
		{"a database that is watched with room to spare is watched", shopNow{values: room, watch: []Signal{DBConnections}}, "", 0, "watch db conns"},
		{"slow pages with room in the database want hosts", shopNow{values: room, bad: []Signal{LatencyP95}}, "scale-up", 30, "hosts are short, the database is at 30 %"},
		{"never more hosts than there may be", shopNow{values: with(map[Signal]float64{CapacityInService: 30, CapacityDesired: 30}), bad: []Signal{LatencyP95}}, "scale-up", 32, "scale up to 32"},
		{"at the ceiling the rate goes down", shopNow{values: with(map[Signal]float64{CapacityInService: 32, CapacityDesired: 32}), bad: []Signal{LatencyP95}}, "rate", 600, "lower the rate to 600/min"},
		{"hosts on their way are not asked for again", shopNow{values: with(map[Signal]float64{CapacityDesired: 30}), bad: []Signal{LatencyP95}}, "rate", 600, "until those on their way"},
		{"what is not known of the database forbids hosts", shopNow{values: with(map[Signal]float64{DBConnections: -1}), bad: []Signal{LatencyP95}}, "rate", 600, "can't carry this rate"},
		{"without a known rate it is a pause", shopNow{values: with(map[Signal]float64{AdmissionLimit: -1, DBConnections: 1960}), bad: []Signal{DBConnections}}, "pause", 0, "pause admission"},
		{"with no control it says what to do", shopNow{values: full, bad: []Signal{DBConnections}, cannot: []string{"rate", "pause", "incident"}}, "", 0, "let fewer people in"},
		{"orders that pile up want fewer buyers", shopNow{values: room, bad: []Signal{QueueDepth}}, "rate", 600, "worked off"},
		{"what no key cures is called in", shopNow{values: room, bad: []Signal{CacheHitRatio}}, "incident", 0, "no key cures cache hit"},
		{"before the doors nobody can be held back", shopNow{values: room, bad: []Signal{LatencyP95}, phase: Scheduled}, "incident", 0, "before the doors open"},
		{"paused and bad is held", shopNow{values: room, bad: []Signal{PaymentFailureRatio}, paused: true}, "", 0, "hold: paused"},
		{"paused and just well is held", shopNow{values: room, paused: true, quiet: time.Minute}, "", 0, "hold: paused"},
		{"paused and well for three minutes is opened as a ramp", shopNow{values: room, paused: true, quiet: 3 * time.Minute}, "resume", 0, "resume as a ramp"},
		{"what can't be seen allows nothing", shopNow{values: room, unknown: true}, "", 0, "mend source metrics"},
	} {
		t.Run(c.name, func(t *testing.T) {
			st, entry := c.shop.state()
			st.Cause = entry.rootCause(st, families(entry.faults(st)))
			m := mover{State: st, now: live, quiet: live.Add(-c.shop.quiet)}
			got := m.move()
			if got.Action != c.action || got.To != c.to || !strings.Contains(got.Text, c.text) {
				t.Errorf("the next move is %+v, want %q to %d with %q; the cause is %q", got, c.action, c.to, c.text, st.Cause.Text)
			}
		})
	}
}

func TestTheRootIsWhatBrokeFirstAmongWhatCanCauseTheRest(t *testing.T) {
	values := map[Signal]float64{
		PaymentFailureRatio: 0.07, PaymentP95: 9, DBConnections: 1960, DBConnectionsMax: 2000, LatencyP95: 4, ErrorRatio: 0.08, OrderRate: 100,
		CapacityInService: 24, CapacityDesired: 30, CapacityMax: 32, DBCPURatio: 0.97, CacheHitRatio: 0.4, EdgeErrorRatio: 0.1,
	}
	for _, c := range []struct {
		name       string
		watch, bad []Signal
		root       Signal
		more       int
		evidence   string
	}{
		{"declines cost orders", nil, []Signal{PaymentFailureRatio, PaymentP95, OrderRate}, PaymentFailureRatio, 0, "payment_failure_ratio payment_p95_seconds order_rate"},
		{"a full database slows and fails the pages", []Signal{DBConnections}, []Signal{LatencyP95, ErrorRatio}, CapacityInService, 0, ""},
		{"a worse database counts before short hosts", nil, []Signal{DBConnections, LatencyP95, ErrorRatio}, DBConnections, 0, ""},
		{"two causes are two", nil, []Signal{PaymentFailureRatio, CacheHitRatio}, PaymentFailureRatio, 1, "payment_failure_ratio"},
		{"busy processors fill the connections", nil, []Signal{DBCPURatio, DBConnections}, DBCPURatio, 0, "db_cpu_ratio db_connections"},
	} {
		t.Run(c.name, func(t *testing.T) {
			st, entry := shopNow{values: values, watch: c.watch, bad: c.bad}.state()
			got := entry.rootCause(st, families(entry.faults(st)))
			var evidence []string
			for _, s := range got.Evidence {
				evidence = append(evidence, string(s))
			}
			if got.Signal != c.root || got.More != c.more || c.evidence != "" && strings.Join(evidence, " ") != c.evidence {
				t.Errorf("the cause is %+v, want %s and %d more", got, c.root, c.more)
			}
		})
	}
}

func TestWhatBrokeMuchLaterThanItsEffectIsNoCauseOfIt(t *testing.T) {
	slow := &Known{Spec: &Spec{Cadence: Cadence{Period: time.Minute, Delay: 2 * time.Minute}}}
	effect := fault{signal: LatencyP95, since: live}
	for _, c := range []struct {
		late time.Duration
		want bool
	}{{-time.Hour, true}, {0, true}, {3 * time.Minute, true}, {5 * time.Minute, false}} {
		cause := fault{signal: DBConnections, since: live.Add(c.late), known: slow}
		if got := cause.before(&effect); got != c.want {
			t.Errorf("a cause that seems to begin %s after its effect, from a source that is minutes behind: %v", c.late, got)
		}
		if effect.before(&cause) {
			t.Error("slow pages fill no database")
		}
	}
}
