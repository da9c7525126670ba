package sale_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/rehearsal/shop"
	"github.com/onsale-dev/onsale/sale"
)

// rehearsal plays a night of the shop model against a store, without the wire: every source is
// read at its own pace and with its own delay, as the demo's are.
type rehearsal struct {
	world *shop.World
	store *sale.Store
	sales []*sale.Sale
	seq   uint64
	seen  map[string]time.Time // source and minute that were read last
}

// nightStart is when every rehearsed night's story begins.
var nightStart = time.Date(2026, 12, 4, 19, 0, 0, 0, time.UTC)

func rehearse(t testing.TB, scenario string, seed uint64) *rehearsal {
	t.Helper()
	w, err := shop.New(shop.Options{Seed: seed, Scenario: scenario, Start: nightStart, History: 26 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	r := &rehearsal{world: w, sales: declaredSales(t, w.Sales()), seen: map[string]time.Time{}}
	r.store = sale.NewStore(r.sales, []sale.SourceInfo{
		{Name: "metrics", Kind: "prometheus", Every: 5 * time.Second, Cadence: sale.Cadence{Period: 5 * time.Second}},
		{Name: "aws", Kind: "cloudwatch", Every: time.Minute, Cadence: sale.Cadence{Period: time.Minute, Delay: 2 * time.Minute}},
		{Name: "edge", Kind: "cloudwatch", Every: time.Minute, Cadence: sale.Cadence{Period: time.Minute, Delay: 4 * time.Minute}},
		{Name: "orders", Kind: "sqs", Every: 10 * time.Second, Cadence: sale.Cadence{Period: 10 * time.Second}},
		{Name: "gate", Kind: "cloudflare-waiting-room", Every: 30 * time.Second, Cadence: sale.Cadence{Period: 30 * time.Second, Delay: 30 * time.Second}},
	}, sale.Limits{}, nightStart)
	return r
}

// declaredSales reads the model's sales through the real config and the shipped template.
func declaredSales(t testing.TB, all []shop.Declared) []*sale.Sale {
	t.Helper()
	var b strings.Builder
	b.WriteString(`environment: rehearsal
sources:
  metrics: {kind: prometheus, url: "http://127.0.0.1:1", every: 5s}
  aws: {kind: cloudwatch, region: eu-central-1}
  edge: {kind: cloudwatch, region: us-east-1, delay: 240s}
  orders: {kind: sqs, region: eu-central-1}
  gate: {kind: cloudflare-waiting-room, zone: abc, token: "${env:TOKEN}"}
sales:
`)
	for _, d := range all {
		fmt.Fprintf(&b, "  - id: %s\n    name: %q\n    template: builtin/onsale\n    prequeue: %s\n    opens: %s\n    closes: %s\n    tickets: %d\n",
			d.ID, d.Name, d.Prequeue.Format(time.RFC3339), d.Opens.Format(time.RFC3339), d.Closes.Format(time.RFC3339), d.Tickets)
		fmt.Fprintf(&b, "    plan:\n      session: %s\n      carries: %d\n      points:\n", d.Session(), d.Carries())
		for _, p := range d.Planned() {
			fmt.Fprintf(&b, "        - {at: opens%+.0fs, waiting: %d, admission: %d, capacity: %d}\n", p.After.Seconds(), p.Waiting, p.Admission, p.Capacity)
		}
		fmt.Fprintf(&b, "    signals:\n")
		for _, p := range shop.Providers() {
			fmt.Fprintf(&b, "      payment_failure_ratio_%s: {from: metrics, unit: ratio, group: funnel, splits: payment_failure_ratio, part: payment provider %s, query: declines}\n", strings.ToLower(p), p)
		}
		fmt.Fprintf(&b, "    with: {room: %s, db: %s, db_max: %d, alb: %q, asg: %s, distribution: %s, queue: %s}\n",
			d.Room, d.DB, d.DBMax, d.ALB, d.ASG, d.Distribution, d.Queue)
	}
	path := filepath.Join(t.TempDir(), "onsale.yaml")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	env := config.SystemEnvironment()
	env.Lookup = func(name string) (string, bool) { return "x", name == "TOKEN" }
	cfg, err := config.Load(path, env)
	if err != nil {
		t.Fatal(err)
	}
	var out []*sale.Sale
	for i := range cfg.Sales {
		s := cfg.Sales[i].Sale
		s.Acts = []string{"pause", "resume", "rate", "scale-up", "incident"}
		out = append(out, &s)
	}
	return out
}

// second moves the night on by one second and reads what is due.
func (r *rehearsal) second() time.Time {
	r.world.Advance(1)
	now := r.world.Now()
	elapsed := int(now.Sub(nightStart) / time.Second)
	if elapsed%5 == 0 {
		truth := r.world.Truth(now)
		r.metrics(truth, now)
		if elapsed%10 == 0 {
			r.read("orders", truth, now, now)
		}
		if elapsed%30 == 0 {
			r.read("gate", truth, now, now.Add(-20*time.Second))
		}
		if elapsed%60 == 5 {
			r.minute("aws", truth, now, 80*time.Second)
			r.minute("edge", truth, now, 260*time.Second)
		}
	}
	r.store.Tick(now)
	return now
}

// metrics reads Prometheus, or finds it dark where the scenario says so.
func (r *rehearsal) metrics(truth shop.Truth, now time.Time) {
	s := r.world.Scenario()
	if at := now.Sub(nightStart); s.Dark == "prometheus" && at >= s.DarkFrom && at < s.DarkUntil {
		r.apply(sale.Batch{Source: "metrics", Problem: &sale.Problem{Class: sale.Unreachable, Text: "dial tcp 127.0.0.1:9090: connection refused"}}, now)
		return
	}
	r.read("metrics", truth, now, now)
}

// minute reads CloudWatch: the newest whole minute that has been published.
func (r *rehearsal) minute(source string, truth shop.Truth, now time.Time, published time.Duration) {
	r.read(source, truth, now, now.Add(-published).Truncate(time.Minute))
}

func (r *rehearsal) read(source string, truth shop.Truth, now, at time.Time) {
	b := sale.Batch{Source: source}
	for _, s := range r.sales {
		for i := range s.Signals {
			spec := &s.Signals[i]
			v, ok := truth.Sales[string(s.ID)][string(spec.Signal)]
			if spec.Source != source || spec.Constant != nil || !ok {
				continue
			}
			b.Readings = append(b.Readings, sale.Reading{Key: sale.Key{Sale: s.ID, Signal: spec.Signal}, Value: v, Unit: spec.Unit, At: at, FetchedAt: now})
		}
	}
	r.apply(b, now)
}

func (r *rehearsal) apply(b sale.Batch, now time.Time) {
	r.seq++
	b.Seq, b.Started, b.Finished = r.seq, now, now
	r.store.Apply(b, now)
}

func TestTheSurgeOfTheRehearsalIsSeenWhileItsPreQueueFillsAndNoOtherNightHasOne(t *testing.T) {
	for _, scenario := range []string{"surge-at-opening", "calm"} {
		r := rehearse(t, scenario, 5)
		watched := 0
		for now := nightStart; now.Sub(nightStart) < 140*time.Second; {
			now = r.second()
			for _, st := range r.store.Snapshot().Sales {
				surge := scenario == "surge-at-opening" && st.Sale.ID == shop.Prequeued && now.Sub(nightStart) >= 30*time.Second
				if st.Surge.On != surge {
					t.Fatalf("%s: %s after %s: %+v", scenario, st.Sale.ID, now.Sub(nightStart), st.Surge)
				}
				if !surge {
					continue
				}
				watched++
				if !strings.HasPrefix(st.Cause.Text, "demand 1.3") || st.Verdict != sale.Watch || st.Next.Action != "scale-up" {
					t.Fatalf("after %s: %s, %s; %s", now.Sub(nightStart), st.Verdict, st.Cause.Text, st.Next.Text)
				}
			}
			if alarms := r.store.Snapshot().Sale(shop.Prequeued).Alarms; now.Sub(nightStart) > 2*time.Minute && (len(alarms) == 1) != (scenario != "calm") {
				t.Fatalf("%s: %+v", scenario, alarms)
			}
		}
		if scenario != "calm" && watched < 100 {
			t.Errorf("seen for %d s", watched)
		}
	}
}
