package shop

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"pgregory.net/rapid"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
)

func start() time.Time { return time.Date(2026, 12, 4, 9, 8, 41, 0, time.UTC) }

func play(t testing.TB, o Options) *World {
	t.Helper()
	if o.Start.IsZero() {
		o.Start = start()
	}
	w, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *World) run(d time.Duration) {
	for range int(d / time.Second) {
		w.Advance(1)
	}
}

// keepsItsTickets fails unless every ticket is left, held or sold, and the counts agree with the
// baskets that are waiting to be settled.
func keepsItsTickets(t interface{ Fatalf(string, ...any) }, w *World) {
	for _, s := range w.sales {
		held, holds := 0, 0
		for _, due := range s.due {
			for _, h := range due {
				held += h.tickets
				holds++
			}
		}
		switch {
		case s.left+s.held+s.sold != s.Tickets:
			t.Fatalf("%s: %d left + %d held + %d sold are not %d tickets", s.ID, s.left, s.held, s.sold, s.Tickets)
		case held != s.held || holds != s.holds:
			t.Fatalf("%s: %d baskets with %d tickets are due, %d with %d are counted", s.ID, holds, held, s.holds, s.held)
		case s.left < 0 || s.held < 0 || s.queue < 0 || s.active < 0 || s.holds < 0:
			t.Fatalf("%s: a count fell below nothing: %+v", s.ID, s.now)
		case s.db > float64(s.DBMax) || s.fleet.g.Kind != capacity.Pods && (s.fleet.g.Desired > s.fleet.g.Max || s.fleet.g.Desired < s.fleet.g.Min):
			t.Fatalf("%s: a limit was passed: %+v", s.ID, s.now)
		case s.now.Codes[0]+s.now.Codes[1]+s.now.Codes[2]+s.now.Codes[3] > s.now.Requests*1.000001:
			t.Fatalf("%s: more answers than requests: %+v", s.ID, s.now)
		}
	}
}

func TestNoTicketIsLostOrMadeWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scenario := rapid.SampledFrom(Scenarios()).Draw(t, "scenario")
		w, err := New(Options{
			Seed: rapid.Uint64().Draw(t, "seed"), Scenario: scenario.Name, Start: start(),
			History: time.Duration(rapid.IntRange(60, 900).Draw(t, "history")) * time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 12).Draw(t, "orders") {
			rooms := w.Rooms()
			r := rooms[rapid.IntRange(0, len(rooms)-1).Draw(t, "room")]
			r.QueueAll = rapid.Bool().Draw(t, "queue_all")
			r.Suspended = rapid.IntRange(0, 9).Draw(t, "suspended") == 0
			r.NewUsersPerMinute = rapid.IntRange(200, 5000).Draw(t, "limit")
			r.TotalActiveUsers = rapid.IntRange(5000, 20000).Draw(t, "ceiling")
			r.QueueingMethod = rapid.SampledFrom([]string{"fifo", "random", "passthrough", "reject"}).Draw(t, "method")
			if _, ok := w.SetRoom(r.ID, r, w.Now()); !ok {
				t.Fatalf("room %s is gone", r.ID)
			}
			for range rapid.IntRange(1, 60).Draw(t, "seconds") {
				w.Advance(rapid.IntRange(0, 20).Draw(t, "speed"))
			}
			keepsItsTickets(t, w)
		}
	})
}

func TestTheSameSeedAndStepsGiveTheSameLedgerAndTruth(t *testing.T) {
	for _, scenario := range Scenarios() {
		account := func(seed uint64) string {
			w := play(t, Options{Seed: seed, Scenario: scenario.Name, Ahead: time.Minute})
			w.run(90 * time.Second)
			room, _ := w.Room(w.Sales()[2].Room)
			room.NewUsersPerMinute = 300
			w.SetRoom(room.ID, room, w.Now())
			for range 60 {
				w.Advance(3)
			}
			out, err := json.Marshal(w.Truth(w.Now()))
			if err != nil {
				t.Fatal(err)
			}
			return string(out)
		}
		first, again := account(7), account(7)
		if first != again {
			t.Errorf("%s: two nights with the same seed differ", scenario.Name)
		}
		if first == account(8) {
			t.Errorf("%s: two nights with different seeds are the same", scenario.Name)
		}
	}
}

func TestTheSixSalesStandInSixPhases(t *testing.T) {
	w := play(t, Options{Seed: 1})
	now := w.Now()
	phases := map[string]string{}
	for _, d := range w.Sales() {
		since := now.Sub(d.Opens)
		left := w.Truth(now).Sales[d.ID]["tickets_left"]
		switch {
		case now.Before(d.Prequeue):
			phases[d.ID] = "scheduled"
		case now.Before(d.Opens):
			phases[d.ID] = "prequeue"
		case since > 0 && left < 0.02*float64(d.Tickets):
			phases[d.ID] = "tail"
		case since < 10*time.Minute:
			phases[d.ID] = "opening"
		default:
			phases[d.ID] = "live"
		}
	}
	want := map[string]string{"marble": "tail", "kestrel": "live", "lantern": "live", "saffron": "opening", "juniper": "prequeue", "cobalt": "scheduled"}
	for id, phase := range want {
		if phases[id] != phase {
			t.Errorf("%s is %s at the start, not %s", id, phases[id], phase)
		}
	}
}

func TestTheSumsOfTheMainSaleHold(t *testing.T) {
	for seed := range uint64(5) {
		w := play(t, Options{Seed: seed})
		w.run(4 * time.Minute)
		var orders, admitted, db, active float64
		for range 300 {
			w.Advance(1)
			s := w.byID[Main].now
			orders += s.Orders
			admitted += s.Admitted
			db += s.DBConnections / 300
			active += s.Active / 300
		}
		v := w.Truth(w.Now()).Sales[Main]
		about := func(what string, got, want, within float64) {
			t.Helper()
			if math.Abs(got-want) > within*want {
				t.Errorf("seed %d: %s is %.4g, not %.4g ± %.0f %%", seed, what, got, want, 100*within)
			}
		}
		about("people let in per minute", admitted/5, 800, 0.02)
		about("people on the site", active, 4800, 0.03)
		about("database connections", db, 1840, 0.03)
		about("orders per person let in", orders/admitted, 0.306, 0.04)
		about("declines", v["payment_failure_ratio"], 0.017, 0.5)
		about("baskets", v["holds"], 592, 0.08)
		about("tickets in baskets", v["tickets_held"], 1420, 0.1)
		about("requests per second", v["request_rate"], 2550, 0.06)
		about("slowest twentieth of requests, s", v["latency_p95_seconds"], 1.2, 0.15)
	}
}

func TestACalmNightBreaksNoThresholdButTheMainDatabases(t *testing.T) {
	for seed := range uint64(4) {
		w := play(t, Options{Seed: seed})
		for minute := range 12 {
			w.run(time.Minute)
			for id, v := range w.Truth(w.Now()).Sales {
				for signal, limit := range map[string]float64{
					"error_ratio": 0.01, "latency_p95_seconds": 1.5, "payment_failure_ratio": 0.03, "payment_p95_seconds": 4,
					"edge_error_ratio": 0.01, "db_cpu_ratio": 0.8, "queue_depth": 5000, "queue_oldest_seconds": 120,
				} {
					if got, ok := v[signal]; ok && got > limit {
						t.Errorf("seed %d, minute %d: %s of %s is %.3g, above %.3g", seed, minute, signal, id, got, limit)
					}
				}
				if u := v["db_connections"] / v["db_connections_max"]; u > 0.8 && id != Main || u > 0.95 {
					t.Errorf("seed %d, minute %d: the database of %s is %.0f %% full", seed, minute, id, 100*u)
				}
				if v["cache_hit_ratio"] < 0.8 {
					t.Errorf("seed %d, minute %d: cache hits of %s are %.2f", seed, minute, id, v["cache_hit_ratio"])
				}
			}
		}
	}
}

func TestEveryScenarioTellsItsStory(t *testing.T) {
	type step struct {
		at          time.Duration
		sale        string
		signal      string
		least, most float64
	}
	for name, steps := range map[string][]step{
		"payment-degrades": {
			{50 * time.Second, Main, "payment_failure_ratio", 0.008, 0.028},
			{3 * time.Minute, Main, "payment_failure_ratio", 0.055, 0.085},
			{3 * time.Minute, Main, "payment_p95_seconds", 3.5, 6},
			{10 * time.Minute, Main, "payment_failure_ratio", 0.055, 0.085},
			{10 * time.Minute, "kestrel", "payment_failure_ratio", 0, 0.03},
		},
		"db-exhausted": {
			{0, Main, "db_connections_now", 1700, 1890},
			{3 * time.Minute, Main, "db_connections_now", 1900, 2000},
			{6 * time.Minute, Main, "db_connections_now", 2000, 2000},
			{6 * time.Minute, Main, "latency_p95_seconds", 3, 10},
			{6 * time.Minute, Main, "error_ratio", 0.05, 0.6},
		},
		"surge-at-opening": {
			{140 * time.Second, Prequeued, "admission_rate", 0, 0},
			{4 * time.Minute, Prequeued, "admission_rate", 3500, 4300},
			{6 * time.Minute, Prequeued, "latency_p95_seconds", 3, 15},
			{8 * time.Minute, Prequeued, "error_ratio", 0.05, 0.6},
			{13 * time.Minute, Prequeued, "capacity_in_service_now", 36, 60},
			{16 * time.Minute, Prequeued, "latency_p95_seconds", 0.2, 1.5},
		},
	} {
		w := play(t, Options{Seed: 3, Scenario: name})
		done := time.Duration(0)
		for _, s := range steps {
			w.run(s.at - done)
			done = s.at
			if got := w.Truth(w.Now()).Sales[s.sale][s.signal]; got < s.least || got > s.most {
				t.Errorf("%s after %s: %s of %s is %.4g, not %.4g to %.4g", name, s.at, s.signal, s.sale, got, s.least, s.most)
			}
		}
	}
}

func TestAScenarioCanStartInItsMiddle(t *testing.T) {
	w := play(t, Options{Seed: 3, Scenario: "payment-degrades", Ahead: 5 * time.Minute})
	if got := w.Truth(w.Now()).Sales[Main]["payment_failure_ratio"]; got < 0.055 || got > 0.085 {
		t.Errorf("declines are %.3f five minutes into the story", got)
	}
	if got := w.Story(); got != 5*time.Minute {
		t.Errorf("the story stands at %s", got)
	}
	if _, err := New(Options{Start: start(), Ahead: 2 * time.Hour}); err == nil {
		t.Error("a story longer than the history was taken")
	}
	if _, err := New(Options{Start: start(), Scenario: "nope"}); err == nil {
		t.Error("an unknown scenario was taken")
	}
}

func TestSpeedMovesTheStockAndLeavesTheRates(t *testing.T) {
	slow, fast := play(t, Options{Seed: 5}), play(t, Options{Seed: 5})
	sold := func(w *World) float64 { return w.Truth(w.Now()).Sales["kestrel"]["tickets_sold_now"] }
	slow0, fast0 := sold(slow), sold(fast)
	for range 120 {
		slow.Advance(1)
		fast.Advance(8)
	}
	a, b := slow.Truth(slow.Now()).Sales["kestrel"], fast.Truth(fast.Now()).Sales["kestrel"]
	for _, signal := range []string{"admission_rate", "order_rate", "request_rate"} {
		if math.Abs(a[signal]-b[signal]) > 0.2*a[signal] {
			t.Errorf("%s is %.1f at speed 1 and %.1f at speed 8", signal, a[signal], b[signal])
		}
	}
	if ratio := (sold(fast) - fast0) / (sold(slow) - slow0); ratio < 7 || ratio > 9 {
		t.Errorf("at speed 8 the stock falls %.1f times as fast", ratio)
	}
}

func TestAtNoSpeedTheRatesGoOnAndTheStockStands(t *testing.T) {
	w := play(t, Options{Seed: 5})
	before := w.byID[Main].now
	w.Advance(0)
	after := w.byID[Main].now
	if before.Orders != after.Orders || before.Left != after.Left || after.Unix != before.Unix+1 {
		t.Errorf("a second without a step changed %+v to %+v", before, after)
	}
}

// shipped are the signals of the shipped template that are read from a source.
func shipped(t *testing.T) []string {
	data, err := os.ReadFile("../../config/builtin/onsale.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Signals map[string]any `yaml:"signals"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range file.Signals {
		names = append(names, name)
	}
	if len(names) < 25 {
		t.Fatalf("only %d signals in the shipped template", len(names))
	}
	return names
}

func TestTheTruthKnowsEverySignalOfTheShippedTemplate(t *testing.T) {
	w := play(t, Options{Seed: 1})
	w.run(30 * time.Second)
	truth := w.Truth(w.Now())
	for _, name := range shipped(t) {
		if _, ok := truth.Sales[Main][name]; !ok {
			t.Errorf("the truth of the main sale does not tell %s", name)
		}
		if strings.HasSuffix(name, "_now") {
			t.Errorf("%s collides with the model's own values", name)
		}
	}
	for id, v := range truth.Sales {
		for name, x := range v {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				t.Errorf("%s of %s is %v", name, id, x)
			}
		}
	}
	if _, ok := truth.Sales["cobalt"]["payment_failure_ratio"]; ok {
		t.Error("a sale without payments tells a share of declined ones")
	}
}

func BenchmarkAnHourOfHistory(b *testing.B) {
	for range b.N {
		play(b, Options{Seed: 1})
	}
}
