package anomaly_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/shop"
	"github.com/onsale-dev/onsale/sale"
)

var update = flag.Bool("update", false, "play twenty nights of each sort and write docs/accuracy-anomaly.md")

const page = "../../docs/accuracy-anomaly.md"

// storyMinutes is how much of each scenario's story is played, after an hour of history.
const storyMinutes = 20

// seen is what one night showed.
type seen struct {
	judged, odd, false int // signal minutes; runs of odd ones; of them those of a sale that nothing happened to
	surged             int // sale minutes with a surge
	found              map[sale.Signal]time.Duration
}

// aboveThePlan stands for a surge among the signals that tell.
const aboveThePlan sale.Signal = "surge"

// watching counts what a night's states tell. hit is the sale that something happens to at the time
// since; "" when nothing happens. What follows there is no false alarm, whatever signal it is of.
func watching(hit sale.ID, since time.Time) (*seen, func(time.Time, *sale.Snapshot)) {
	out := &seen{found: map[sale.Signal]time.Duration{}}
	type key struct {
		sale   sale.ID
		signal sale.Signal
	}
	was, last, surging := map[key]bool{}, map[key]time.Time{}, map[sale.ID]bool{}
	note := func(id sale.ID, name sale.Signal, now time.Time) {
		if id == hit && !now.Before(since) {
			if _, known := out.found[name]; !known {
				out.found[name] = now.Sub(since)
			}
			return
		}
		out.false++
	}
	return out, func(now time.Time, snap *sale.Snapshot) {
		for _, st := range snap.Sales {
			for _, an := range st.Anomalies {
				k := key{st.Sale.ID, an.Signal}
				if an.Why == "" && an.At.After(last[k]) {
					out.judged, last[k] = out.judged+1, an.At
				}
				if an.On && !was[k] {
					out.odd++
					note(st.Sale.ID, an.Signal, now)
				}
				was[k] = an.On
			}
			if st.Surge.On && !surging[st.Sale.ID] {
				out.surged++
				if st.Surge.Basis == sale.ByPlan || st.Surge.Signal == sale.Waiting {
					note(st.Sale.ID, aboveThePlan, now)
				}
			}
			surging[st.Sale.ID] = st.Surge.On
		}
	}
}

// plot is something that happens, and the signals of which one at least must tell.
type plot struct {
	name, scenario string
	hit            sale.ID
	since          time.Duration // after the beginning of the story
	tells          []sale.Signal
	bend           func(name sale.Signal, v float64) float64 // from since on, on the sale's figures
	within         time.Duration                             // the bound: found by then
	plain          bool                                      // a fainter one of its sort is bound, too
}

func times(factor float64, of ...sale.Signal) func(sale.Signal, float64) float64 {
	return func(name sale.Signal, v float64) float64 {
		if slices.Contains(of, name) {
			return v * factor
		}
		return v
	}
}

// plots are the rehearsal's scenarios, and figures of the calm night that are bent: what no
// scenario plays. A sale that opens is held against nothing in its first ten minutes.
func plots() []plot {
	all := []plot{
		{name: "calm night", scenario: "calm"},
		{name: "Prometheus dark for 5 min", scenario: "source-dark"},
		{name: "a third more than planned wait", scenario: "surge-at-opening", hit: shop.Prequeued, since: 150*time.Second - 30*time.Minute, tells: []sale.Signal{aboveThePlan}, within: 3 * time.Minute}, // as long as its queue is open
		{name: "payment provider declines 8.5 %", scenario: "payment-degrades", hit: shop.Main, since: time.Minute, tells: []sale.Signal{sale.PaymentFailureRatio, sale.PaymentP95}, within: 5 * time.Minute},
		{name: "database loses connections", scenario: "db-exhausted", hit: shop.Main, since: 20 * time.Second, tells: []sale.Signal{sale.LatencyP95, sale.ErrorRatio}, within: 10 * time.Minute},
	}
	const at = 4 * time.Minute
	for _, factor := range []float64{0.5, 0.75, 0.9, 1.1, 1.5, 2} {
		p := plot{name: fmt.Sprintf("orders at %gx of a calm night", factor), scenario: "calm", hit: shop.Main, since: at, tells: []sale.Signal{sale.OrderRate}, bend: times(factor, sale.OrderRate)}
		if factor <= 0.5 || factor >= 2 {
			p.within, p.plain = 5*time.Minute, factor > 1
		}
		all = append(all, p)
	}
	for _, factor := range []float64{1.1, 1.31, 2, 3} {
		p := plot{name: fmt.Sprintf("arrivals before the doors at %gx", factor), scenario: "calm", hit: shop.Prequeued, since: at, tells: []sale.Signal{sale.InflowRate}, bend: times(factor, sale.InflowRate)}
		if factor >= 2 {
			p.within, p.plain = 5*time.Minute, factor > 2
		}
		all = append(all, p)
	}
	for _, factor := range []float64{1.5, 2, 4} {
		p := plot{name: fmt.Sprintf("p95 at %gx", factor), scenario: "calm", hit: shop.Main, since: at, tells: []sale.Signal{sale.LatencyP95}, bend: times(factor, sale.LatencyP95)}
		if factor >= 2 {
			p.within, p.plain = 5*time.Minute, factor > 2
		}
		all = append(all, p)
	}
	return all
}

func (p *plot) play(t testing.TB, seed uint64) *seen {
	since := storyStart.Add(p.since)
	out, each := watching(p.hit, since)
	n := &night{each: each}
	if p.bend != nil {
		n.bend = func(id sale.ID, name sale.Signal, at time.Time, v float64) float64 {
			if id == p.hit && !at.Before(since) {
				return p.bend(name, v)
			}
			return v
		}
	}
	rehearse(t, p.scenario, seed, storyMinutes, n)
	return out
}

// outcome is a plot over many nights.
type outcome struct {
	nights, judged, false, found int
	after                        []time.Duration // the first signal that tells
	slowest                      time.Duration
}

func (p *plot) over(t testing.TB, nights int) outcome {
	var o outcome
	for seed := range uint64(nights) {
		s := p.play(t, seed+1)
		o.nights, o.judged, o.false = o.nights+1, o.judged+s.judged, o.false+s.false
		first := time.Duration(math.MaxInt64)
		for _, name := range p.tells {
			if after, ok := s.found[name]; ok {
				first = min(first, after)
			}
		}
		if first < math.MaxInt64 {
			o.found++
			o.after = append(o.after, first)
			o.slowest = max(o.slowest, first)
		}
	}
	slices.Sort(o.after)
	return o
}

// mostFalse is the bound on false alarms: runs per thousand signal minutes.
const mostFalse = 0.5

func TestOddMinutesAreFoundAndChanceIsLeftAlone(t *testing.T) {
	nights, every := 20, plots()
	if !*update { // one night of each sort, and only the faintest of what must be found
		nights, every = 1, slices.DeleteFunc(every, func(p plot) bool { return p.within == 0 && len(p.tells) > 0 || p.plain })
	}
	var rows strings.Builder
	judged, false := 0, 0
	for i := range every {
		p := &every[i]
		o := p.over(t, nights)
		judged, false = judged+o.judged, false+o.false
		if p.within > 0 && (o.found < o.nights || o.slowest > p.within) {
			t.Errorf("%s: found in %d of %d nights, at last after %s, want all within %s", p.name, o.found, o.nights, o.slowest, p.within)
		}
		rows.WriteString(o.row(p))
	}
	if rate := 1000 * float64(false) / float64(judged); judged == 0 || rate > mostFalse {
		t.Errorf("%d false runs in %d signal minutes: %.2f in a thousand", false, judged, rate)
	}
	if !*update {
		return
	}
	text := fmt.Sprintf(accuracyPage, nights, storyMinutes, rows.String(), false, judged, 1000*float64(false)/float64(judged))
	if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (o *outcome) row(p *plot) string {
	found, median, slowest := "nothing to find", "", ""
	if len(p.tells) > 0 {
		found = fmt.Sprintf("%d of %d", o.found, o.nights)
		if o.found > 0 {
			median, slowest = sale.FormatAge(o.after[len(o.after)/2]), sale.FormatAge(o.slowest)
		}
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %d | %d |\n", p.name, found, median, slowest, o.false, o.judged)
}

const accuracyPage = `# Accuracy: surge and anomaly

Written by ` + "`go test ./sale/anomaly -run OddMinutes -update`" + `: %d nights of each sort, on the rehearsal's model with six sales, an hour of history and %d minutes of
story each. A signal is held against its own last 20 closed minutes; two odd minutes in a row, beyond a modified z-score of 3.5, are an anomaly.
The time counts from the beginning of the trouble to the state that shows it, publication delay included. A false run is one of a sale to which
nothing happens, or before it happens; a signal minute is one minute of one signal that could be judged.

| what happens | found | median after | slowest | false runs | signal minutes |
|---|---|---|---|---|---|
%s
All nights together: %d false runs in %d signal minutes, %.2f in a thousand.

What this does not say: the model's traffic is Poisson, and real traffic is rougher, so expect more false runs. Changes of a tenth are not meant to be
found; thresholds of their own are for them. A sale's first ten minutes are held against nothing, and neither are the ten after a step of
the admission for what follows from it: there is too little past. Slow trouble (a leak over an hour) becomes its own past; thresholds find that.
`
