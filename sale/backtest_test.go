package sale_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/shop"
	"github.com/onsale-dev/onsale/sale"
)

// rehearsed declares a sale of the rehearsal as its demo config does.
func rehearsed(d *shop.Declared) *sale.Sale {
	fast, gate := sale.Cadence{Period: 5 * time.Second}, sale.Cadence{Period: 30 * time.Second, Delay: 50 * time.Second}
	aws := sale.Cadence{Period: time.Minute, Delay: 2 * time.Minute}
	most := float64(d.DBMax)
	spec := func(name sale.Signal, source string, c sale.Cadence) sale.Spec {
		m, _ := sale.MeaningOf(name)
		return sale.Spec{Signal: name, Label: m.Label, Unit: m.Unit, Group: m.Group, Source: source, Cadence: c}
	}
	s := &sale.Sale{
		ID: sale.ID(d.ID), Name: d.Name, Prequeue: d.Prequeue, Opens: d.Opens, Closes: d.Closes, Tickets: d.Tickets,
		Plan: sale.Plan{Session: d.Session(), Carries: float64(d.Carries())},
		Signals: []sale.Spec{
			spec(sale.Waiting, "gate", gate), spec(sale.InflowRate, "metrics", fast), spec(sale.AdmissionRate, "metrics", fast),
			spec(sale.AdmissionLimit, "gate", gate), spec(sale.ActiveUsers, "gate", gate), spec(sale.ActiveLimit, "gate", gate),
			spec(sale.TicketsLeft, "metrics", fast), spec(sale.DBConnections, "aws", aws), spec(sale.DBConnectionsMax, "", sale.Cadence{}),
			spec(sale.CapacityInService, "aws", aws), spec(sale.CapacityMax, "aws", aws),
		},
	}
	for i := range s.Signals {
		if s.Signals[i].Signal == sale.DBConnectionsMax {
			s.Signals[i].Constant = &most
		}
	}
	admission := sale.PlanLine{Signal: sale.AdmissionRate}
	for _, p := range d.Planned() {
		admission.Points = append(admission.Points, sale.PlanPoint{After: p.After, Value: float64(p.Admission)})
	}
	s.Plan.Lines = []sale.PlanLine{admission}
	return s
}

// tape is a night of the rehearsal as the cockpit's sources would have read it, without the wire.
type tape struct {
	store *sale.Store
	sales map[string]*taped
	seq   uint64
	seen  func(now time.Time)
}

// taped is one sale on the tape: its last seconds, and what really came about.
type taped struct {
	past             []shop.Second // the last four minutes
	soldOut, drained time.Time
	course           siteCourse
}

// record takes in one second of the world, and reads what is due.
func (p *tape) record(now time.Time, all []shop.View) {
	if p.store == nil {
		var sales []*sale.Sale
		for _, v := range all {
			sales = append(sales, rehearsed(v.Sale))
			p.sales[v.Sale.ID] = &taped{}
		}
		sources := []sale.SourceInfo{{Name: "metrics"}, {Name: "gate"}, {Name: "aws"}}
		p.store = sale.NewStore(sales, sources, sale.Limits{}, now)
	}
	metrics, gate, aws := sale.Batch{Source: "metrics"}, sale.Batch{Source: "gate"}, sale.Batch{Source: "aws"}
	for _, v := range all {
		t := p.sales[v.Sale.ID]
		t.follow(now, v)
		read := func(b *sale.Batch, at time.Time, name sale.Signal, value float64) {
			b.Readings = append(b.Readings, sale.Reading{Key: sale.Key{Sale: sale.ID(v.Sale.ID), Signal: name}, Value: value, At: at, FetchedAt: now})
		}
		n := len(t.past)
		if now.Unix()%5 == 0 && n >= 60 {
			var joined, admitted float64
			for _, s := range t.past[n-60:] {
				joined, admitted = joined+s.Joined, admitted+s.Admitted
			}
			read(&metrics, now, sale.InflowRate, joined)
			read(&metrics, now, sale.AdmissionRate, admitted)
			read(&metrics, now, sale.TicketsLeft, v.Now.Left)
		}
		if now.Unix()%30 == 0 && n > 30 {
			then, at := t.past[n-31], now.Add(-30*time.Second)
			limit := then.Limit
			if then.QueueAll {
				limit = 0
			}
			read(&gate, at, sale.Waiting, then.Queue)
			read(&gate, at, sale.ActiveUsers, then.Active)
			read(&gate, at, sale.AdmissionLimit, limit)
			read(&gate, at, sale.ActiveLimit, then.Ceiling)
		}
		if now.Unix()%60 == 0 && n > 120 {
			most, at := 0.0, now.Add(-2*time.Minute)
			for _, s := range t.past[n-120 : n-60] {
				most = max(most, s.DBConnections)
			}
			read(&aws, at, sale.DBConnections, most)
			read(&aws, at, sale.CapacityInService, t.past[n-61].InService)
			read(&aws, at, sale.CapacityMax, t.past[n-61].Max)
		}
	}
	for _, b := range []sale.Batch{metrics, gate, aws} {
		if len(b.Readings) > 0 {
			p.seq++
			b.Seq, b.Started, b.Finished = p.seq, now, now
			p.store.Apply(b, now)
		}
	}
	if p.seen != nil {
		p.seen(now)
	}
}

func (t *taped) follow(now time.Time, v shop.View) {
	if len(t.past) == 240 {
		t.past = append(t.past[:0], t.past[60:]...)
	}
	t.past = append(t.past, *v.Now)
	t.course.follow(now, v)
	if now.Before(v.Sale.Opens) {
		return
	}
	if t.soldOut.IsZero() && v.Now.Left == 0 {
		t.soldOut = now
	}
	if t.drained.IsZero() && v.Now.Queue == 0 {
		t.drained = now
	}
}

// guess is one forecast, kept until it is known what really came about.
type guess struct {
	sale     string
	at       time.Time
	soldOut  sale.When
	drained  sale.When
	selling  bool
	queueing bool
	limit    sale.When
	of       sale.LimitName
	wait     sale.Span
}

// playNight plays one night and returns every forecast of each second minute from the story's beginning
// on, with what really came about. hand is what somebody does to the world at a second of the story; nil: nothing.
func playNight(t testing.TB, scenario string, seed uint64, lasts time.Duration, hand func(*shop.World, time.Duration)) (guesses []guess, sales map[string]*taped) {
	t.Helper()
	start := time.Date(2026, 12, 4, 18, 0, 0, 0, time.UTC)
	p := &tape{sales: map[string]*taped{}}
	p.seen = func(now time.Time) {
		if now.Before(start) || now.Unix()%120 != 0 {
			return
		}
		for _, st := range p.store.Snapshot().Sales {
			if st.Phase == sale.Scheduled || st.Phase == sale.Prequeue {
				continue
			}
			was := p.sales[string(st.Sale.ID)]
			guesses = append(guesses, guess{
				sale: string(st.Sale.ID), at: now, soldOut: st.Forecast.SellOut, drained: st.Forecast.Drain,
				limit: st.Forecast.Limit, of: st.Forecast.LimitName, wait: st.Forecast.Wait,
				selling: was.soldOut.IsZero(), queueing: was.drained.IsZero() && was.soldOut.IsZero(),
			})
		}
	}
	w, err := shop.New(shop.Options{Seed: seed, Scenario: scenario, Start: start, History: time.Hour}, p.record)
	if err != nil {
		t.Fatal(err)
	}
	for i := range int(lasts / time.Second) {
		if hand != nil {
			hand(w, time.Duration(i)*time.Second)
		}
		w.Advance(1)
	}
	return guesses, p.sales
}

// outcome is how one forecast came out.
type outcome struct {
	ahead  time.Duration // what was really left
	told   bool
	off    float64 // |said - real| / real
	inside bool
}

// span is a range of what was really left.
type span struct{ from, to time.Duration }

func spans() []span {
	m := time.Minute
	return []span{{2 * m, 7 * m}, {7 * m, 15 * m}, {15 * m, 30 * m}, {30 * m, 60 * m}, {60 * m, 120 * m}}
}

// outcomes sets the forecasts against what came about: the sell-outs, and the drains of queues that
// were gone before the tickets were. Nothing is counted that lay less than two minutes ahead.
func outcomes(guesses []guess, sales map[string]*taped) (sellOuts, drains []outcome) {
	judge := func(w sale.When, at, came time.Time) (outcome, bool) {
		o := outcome{ahead: came.Sub(at), told: w.Has}
		if o.told {
			o.off = w.At.Sub(came).Abs().Seconds() / o.ahead.Seconds()
			o.inside = !came.Before(w.Low) && (w.High.IsZero() || !came.After(w.High))
		}
		return o, o.ahead >= 2*time.Minute
	}
	for _, g := range guesses {
		came := sales[g.sale]
		if g.selling && !came.soldOut.IsZero() {
			if o, far := judge(g.soldOut, g.at, came.soldOut); far {
				sellOuts = append(sellOuts, o)
			}
		}
		if g.queueing && !came.drained.IsZero() && (came.soldOut.IsZero() || came.drained.Before(came.soldOut)) {
			if o, far := judge(g.drained, g.at, came.drained); far {
				drains = append(drains, o)
			}
		}
	}
	return sellOuts, drains
}

// score sums up outcomes.
type score struct {
	n, told      int
	median, p90  float64
	insideOfTold float64
}

func scoreOf(all []outcome) (s score) {
	var off []float64
	inside := 0
	for _, o := range all {
		s.n++
		if o.told {
			s.told++
			off = append(off, o.off)
			if o.inside {
				inside++
			}
		}
	}
	if s.told > 0 {
		slices.Sort(off)
		s.median, s.p90, s.insideOfTold = off[len(off)/2], off[len(off)*9/10], float64(inside)/float64(s.told)
	}
	return s
}

func (s score) row(name string) string {
	if s.told == 0 {
		return fmt.Sprintf("| %s | %d | %.0f %% | | | |\n", name, s.n, 0.0)
	}
	return fmt.Sprintf("| %s | %d | %.0f %% | %.0f %% | %.0f %% | %.0f %% |\n", name, s.n, 100*float64(s.told)/float64(s.n), 100*s.median, 100*s.p90, 100*s.insideOfTold)
}

func within(all []outcome, in span) (some []outcome) {
	for _, o := range all {
		if o.ahead >= in.from && o.ahead < in.to {
			some = append(some, o)
		}
	}
	return some
}

// The forecasts' regression bound, on a seed that nothing was tuned on.
func TestForecastsComeOutAboutAsWellAsTheyDid(t *testing.T) {
	if testing.Short() {
		t.Skip("plays two nights of the rehearsal")
	}
	var sellOuts, drains []outcome
	for _, scenario := range []string{"calm", "surge-at-opening"} {
		s, d := outcomes(playNight(t, scenario, 21, 45*time.Minute, nil))
		sellOuts, drains = append(sellOuts, s...), append(drains, d...)
	}
	for _, bound := range []struct {
		name        string
		all         []outcome
		n           int
		told        float64
		median, p90 float64
		inside      float64
	}{
		{"sell-out", sellOuts, 80, 0.85, 0.06, 0.20, 0.8},
		{"drain", drains, 10, 0.95, 0.08, 0.20, 0.7},
	} {
		s := scoreOf(bound.all)
		t.Logf("%s %+v", bound.name, s)
		if s.n < bound.n || float64(s.told) < bound.told*float64(s.n) {
			t.Errorf("%s: %d of %d are told", bound.name, s.told, s.n)
		}
		if s.median > bound.median || s.p90 > bound.p90 || s.insideOfTold < bound.inside {
			t.Errorf("%s: a median error of %.2f, 90th percentile %.2f, %.2f inside the range; want %.2f, %.2f, %.2f", bound.name, s.median, s.p90, s.insideOfTold, bound.median, bound.p90, bound.inside)
		}
	}
}

var update = flag.Bool("update", false, "play all nights and write the accuracy pages of docs anew")

const accuracyHead = `# How well the forecasts come out

Made by ` + "`make accuracy`" + `: every scenario of the rehearsal with %d seeds, six sales each, read as the sources of the demo
read them (rates of the last minute every 5 s, the waiting room 30 s late, CloudWatch a minute at a time and two late). Each second
minute from the story's beginning on, the forecast is set against what came about in the next two hours. A regression bound is a test
(` + "`sale/backtest_test.go`" + `).

"Told" is how often there was a forecast at all: none is given in the first minutes, and none further ahead than six minutes for each
that was seen. The error is the distance from the truth as a share of what was really left. The range means to hold four of five.
The rehearsal is a model of a sale, not a sale: its people come and stay as the formulas assume, so real nights are harder.
`

func TestTheAccuracyTable(t *testing.T) {
	if !*update {
		t.Skip("make accuracy plays all nights")
	}
	const seeds = 20
	const heading = "| %s | forecasts | told | median error | 90th percentile | in range |\n|---|---|---|---|---|---|\n"
	var sellOuts, drains []outcome
	var byScenario strings.Builder
	var site saidOfTheSite
	for _, scenario := range shop.Scenarios() {
		var own []outcome
		for _, n := range playNights(t, seeds, scenario.Name, 2*time.Hour, nil) {
			site.join(&n.site)
			own, drains = append(own, n.sellOuts...), append(drains, n.drains...)
		}
		sellOuts = append(sellOuts, own...)
		byScenario.WriteString(scoreOf(own).row(scenario.Name))
	}
	for _, factor := range opened() {
		for _, n := range playNights(t, seeds, "calm", time.Hour, openGates(factor)) {
			site.join(&n.site)
		}
	}
	var doc strings.Builder
	fmt.Fprintf(&doc, accuracyHead, seeds)
	for _, one := range []struct {
		title string
		all   []outcome
	}{{"Sell-out", sellOuts}, {"Drain of the queue, where it was gone before the tickets", drains}} {
		fmt.Fprintf(&doc, "\n## %s\n\n"+heading, one.title, "really left")
		for _, in := range spans() {
			if some := within(one.all, in); len(some) > 0 {
				doc.WriteString(scoreOf(some).row(fmt.Sprintf("%.0f–%.0f min", in.from.Minutes(), in.to.Minutes())))
			}
		}
	}
	fmt.Fprintf(&doc, "\n## Sell-out, by scenario\n\n"+heading+"%s", "scenario", byScenario.String())
	doc.WriteString(site.pages())
	if err := os.WriteFile("../docs/accuracy.md", []byte(doc.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
