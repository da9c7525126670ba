package anomaly_test

import (
	"math"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/shop"
	"github.com/onsale-dev/onsale/sale"
)

// night plays a night of the rehearsal's model through a store, without the wire: what the
// sources would have read, at about their cadences and with their delays.
type night struct {
	store  *sale.Store
	past   map[string][]shop.Second // the last sixty seconds of a sale
	minute map[string][]shop.Second // the seconds of the minute that goes on
	late   []lateBatch
	seq    uint64
	bend   func(s sale.ID, name sale.Signal, at time.Time, v float64) float64 // what a test does to a figure
	each   func(now time.Time, snap *sale.Snapshot)
}

// lateBatch is what CloudWatch publishes some time after the minute that it describes.
type lateBatch struct {
	due time.Time
	b   sale.Batch
}

func declaredOf(d *shop.Declared) *sale.Sale {
	fast, gate := sale.Cadence{Period: 10 * time.Second}, sale.Cadence{Period: 30 * time.Second, Delay: 20 * time.Second}
	aws := sale.Cadence{Period: time.Minute, Delay: time.Minute}
	edge := sale.Cadence{Period: time.Minute, Delay: 4 * time.Minute}
	below, cost := 1.5, 0.166
	s := &sale.Sale{
		ID: sale.ID(d.ID), Name: d.Name, Prequeue: d.Prequeue, Opens: d.Opens, Closes: d.Closes, Tickets: d.Tickets,
		UnitCost: &cost, CapacityFloor: 4,
		Objectives: []sale.Objective{
			{Name: "availability", Signal: sale.ErrorRatio, Target: 0.999},
			{Name: "latency", Signal: sale.LatencyP95, Below: &below, Target: 0.99},
			{Name: "payment", Signal: sale.PaymentFailureRatio, Target: 0.97},
		},
	}
	crowd := sale.PlanLine{Signal: sale.Waiting}
	for _, p := range d.Planned() {
		crowd.Points = append(crowd.Points, sale.PlanPoint{After: p.After, Value: float64(p.Waiting)})
	}
	s.Plan.Lines = []sale.PlanLine{crowd}
	for _, m := range sale.Standard() {
		spec := sale.Spec{Signal: m.Signal, Label: m.Label, Unit: m.Unit, Group: m.Group, Source: "metrics", Cadence: fast}
		switch m.Signal {
		case sale.Waiting, sale.AdmissionLimit, sale.ActiveUsers:
			spec.Source, spec.Cadence, spec.Estimate = "gate", gate, m.Signal != sale.AdmissionLimit
		case sale.ErrorRatio, sale.CapacityInService:
			spec.Source, spec.Cadence = "aws", aws
		case sale.EdgeErrorRatio, sale.CacheHitRatio:
			spec.Source, spec.Cadence = "edge", edge
		case sale.InflowRate, sale.AdmissionRate, sale.CheckoutRate, sale.OrderRate, sale.PaymentFailureRatio, sale.PaymentP95,
			sale.TicketsLeft, sale.RequestRate, sale.LatencyP95:
		default:
			continue
		}
		s.Signals = append(s.Signals, spec)
	}
	return s
}

// storyStart is when the history ends and every scenario's story begins.
var storyStart = time.Date(2026, 12, 4, 9, 8, 41, 0, time.UTC)

// rehearse plays the history and then some minutes of the story.
func rehearse(t testing.TB, scenario string, seed uint64, minutes int, r *night) {
	t.Helper()
	start := storyStart
	plain, err := shop.New(shop.Options{Seed: seed, Scenario: scenario, Start: start, History: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	var sales []*sale.Sale
	for _, d := range plain.Sales() {
		sales = append(sales, declaredOf(&d))
	}
	r.past, r.minute = map[string][]shop.Second{}, map[string][]shop.Second{}
	begin := start.Add(-time.Hour)
	r.store = sale.NewStore(sales, nil, sale.Limits{}, begin)
	dark := plain.Scenario()
	isDark := func(at time.Time) bool {
		story := at.Sub(start)
		return dark.Dark == "prometheus" && story >= dark.DarkFrom && story < dark.DarkUntil
	}
	world, err := shop.New(shop.Options{Seed: seed, Scenario: scenario, Start: start}, func(at time.Time, views []shop.View) {
		r.second(at, views, isDark(at))
	})
	if err != nil {
		t.Fatal(err)
	}
	for range minutes * 60 {
		world.Advance(1)
	}
}

// second takes in one second of the world.
func (r *night) second(at time.Time, views []shop.View, dark bool) {
	unix := at.Unix()
	var metrics, gate, aws, edge []sale.Reading
	for _, v := range views {
		id := v.Sale.ID
		past := append(r.past[id], *v.Now)
		r.past[id] = past[max(len(past)-60, 0):]
		r.minute[id] = append(r.minute[id], *v.Now)
		put := func(to *[]sale.Reading, name sale.Signal, stamp time.Time, value float64) {
			if r.bend != nil {
				value = r.bend(sale.ID(id), name, stamp, value)
			}
			if !math.IsNaN(value) {
				*to = append(*to, sale.Reading{Key: sale.Key{Sale: sale.ID(id), Signal: name}, Value: value, At: stamp, FetchedAt: at})
			}
		}
		if unix%10 == 0 {
			r.flows(put, &metrics, at, r.past[id])
		}
		if unix%30 == 0 {
			put(&gate, sale.Waiting, at, v.Now.Queue)
			put(&gate, sale.ActiveUsers, at, v.Now.Active)
			put(&gate, sale.AdmissionLimit, at, v.Now.Limit)
		}
		if unix%60 == 59 {
			began := at.Truncate(time.Minute)
			sum := sumOf(r.minute[id])
			put(&aws, sale.ErrorRatio, began, (sum.Codes[2]+sum.Codes[3])/sum.Requests)
			put(&aws, sale.CapacityInService, began, v.Now.InService)
			put(&edge, sale.EdgeErrorRatio, began, sum.EdgeErrors/sum.EdgeRequests)
			put(&edge, sale.CacheHitRatio, began, sum.EdgeHits/sum.EdgeRequests)
			r.minute[id] = r.minute[id][:0]
		}
	}
	if len(metrics) > 0 && !dark {
		r.apply(sale.Batch{Source: "metrics", Readings: metrics}, at)
	}
	if len(gate) > 0 {
		r.apply(sale.Batch{Source: "gate", Readings: gate}, at)
	}
	if len(aws) > 0 {
		r.late = append(r.late, lateBatch{at.Add(30 * time.Second), sale.Batch{Source: "aws", Readings: aws}}, lateBatch{at.Add(3 * time.Minute), sale.Batch{Source: "edge", Readings: edge}})
	}
	kept := r.late[:0]
	for _, l := range r.late {
		if l.due.After(at) {
			kept = append(kept, l)
			continue
		}
		r.apply(l.b, at)
	}
	r.late = kept
	if unix%10 == 5 {
		r.store.Tick(at)
		if r.each != nil {
			r.each(at, r.store.Snapshot())
		}
	}
}

func (r *night) apply(b sale.Batch, at time.Time) {
	r.seq++
	b.Seq, b.Started, b.Finished, b.Calls = r.seq, at, at, 1
	r.store.Apply(b, at)
}

// flows are the figures that the shipped queries ask Prometheus for: over the last minute.
func (r *night) flows(put func(*[]sale.Reading, sale.Signal, time.Time, float64), to *[]sale.Reading, at time.Time, past []shop.Second) {
	sum, each := sumOf(past), 60/float64(len(past))
	put(to, sale.InflowRate, at, sum.Joined*each)
	put(to, sale.AdmissionRate, at, sum.Admitted*each)
	put(to, sale.CheckoutRate, at, sum.Checkouts*each)
	put(to, sale.OrderRate, at, sum.Orders*each)
	put(to, sale.RequestRate, at, sum.Requests*each/60)
	put(to, sale.PaymentFailureRatio, at, (sum.Failed[0]+sum.Failed[1])/(sum.Payments[0]+sum.Payments[1]))
	put(to, sale.TicketsLeft, at, past[len(past)-1].Left)
	var web, weight, pay, paid float64
	for i := range past {
		web, weight = web+past[i].WebMean*past[i].Requests, weight+past[i].Requests
		for p := range past[i].Payments {
			pay, paid = pay+past[i].PaymentScale[p]*past[i].Payments[p], paid+past[i].Payments[p]
		}
	}
	put(to, sale.LatencyP95, at, -math.Log(0.05)*web/weight) // of an exponential time
	put(to, sale.PaymentP95, at, 4.74*pay/paid)
}

func sumOf(seconds []shop.Second) shop.Second {
	var sum shop.Second
	for i := range seconds {
		s := &seconds[i]
		sum.Joined += s.Joined
		sum.Admitted += s.Admitted
		sum.Checkouts += s.Checkouts
		sum.Orders += s.Orders
		sum.Requests += s.Requests
		sum.EdgeRequests, sum.EdgeErrors, sum.EdgeHits = sum.EdgeRequests+s.EdgeRequests, sum.EdgeErrors+s.EdgeErrors, sum.EdgeHits+s.EdgeHits
		for i := range s.Payments {
			sum.Payments[i] += s.Payments[i]
			sum.Failed[i] += s.Failed[i]
		}
		for i := range s.Codes {
			sum.Codes[i] += s.Codes[i]
		}
	}
	return sum
}
