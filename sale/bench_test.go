package sale

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// arena declares many sales with forty signals each, read by four sources.
func arena(t tester, sales int) ([]*Sale, []SourceInfo) {
	var sources []SourceInfo
	for i := range 4 {
		sources = append(sources, SourceInfo{Name: fmt.Sprint("source", i), Every: 5 * s, Cadence: every(5 * s)})
	}
	watch, bad := always(t, "> 3% for 30s", Ratio), always(t, "> 5% for 1m", Ratio)
	var all []*Sale
	for i := range sales {
		sale := &Sale{ID: ID(fmt.Sprint("sale", i)), Opens: opens, Closes: opens.Add(24 * time.Hour), Tickets: 1000}
		for j := range 40 {
			spec := Spec{Signal: Signal(fmt.Sprint("signal", j)), Unit: Ratio, Source: sources[j%4].Name, Cadence: every(5 * s)}
			if j%3 == 0 {
				spec.Needed = []Phase{Live}
				spec.Rules = Rules{Watch: watch, Bad: bad}
			}
			if j == 1 {
				spec.Signal = TicketsLeft
			}
			sale.Signals = append(sale.Signals, spec)
		}
		all = append(all, sale)
	}
	return all, sources
}

// polls makes one batch per source with one sample of every signal at now.
func polls(sales []*Sale, sources []SourceInfo, now time.Time, v float64) []Batch {
	batches := make([]Batch, len(sources))
	for i := range sources {
		batches[i] = Batch{Source: sources[i].Name, Started: now, Finished: now, Calls: 1}
	}
	for _, sale := range sales {
		for j, spec := range sale.Signals {
			b := &batches[j%len(sources)]
			b.Readings = append(b.Readings, Reading{Key: Key{sale.ID, spec.Signal}, Value: v, At: now, FetchedAt: now})
		}
	}
	return batches
}

func filled(t tester, sales int) (*Store, []*Sale, []SourceInfo) {
	all, sources := arena(t, sales)
	store := NewStore(all, sources, Limits{}, live)
	for i := range 20 {
		now := live.Add(time.Duration(i-19) * 5 * s)
		for _, b := range polls(all, sources, now, 0.01) {
			store.Apply(b, now)
		}
	}
	return store, all, sources
}

// BenchmarkTick judges 200 sales of 40 signals a second later, when nothing has changed.
func BenchmarkTick(b *testing.B) {
	store, _, _ := filled(b, 200)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		store.Tick(live.Add(time.Duration(i%5) * s))
	}
}

// BenchmarkTickAllChange judges them when every signal has just become late, then stale.
func BenchmarkTickAllChange(b *testing.B) {
	store, _, _ := filled(b, 200)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		store.Tick(live.Add(time.Duration(i%3) * 8 * time.Minute))
	}
}

// BenchmarkApply takes in one poll of 2,000 readings, one for each signal of one source.
func BenchmarkApply(b *testing.B) {
	store, all, sources := filled(b, 200)
	batch := polls(all, sources, live, 0.02)[0]
	b.ReportAllocs()
	for i := 1; b.Loop(); i++ {
		now := live.Add(time.Duration(i) * 5 * s)
		for j := range batch.Readings {
			batch.Readings[j].At, batch.Readings[j].FetchedAt = now, now
		}
		store.Apply(batch, now)
	}
}

// BenchmarkApplyRevision takes in a poll that revises a minute in the middle of full histories.
func BenchmarkApplyRevision(b *testing.B) {
	all, sources := arena(b, 1)
	store := NewStore(all, sources, Limits{}, live)
	for i := range 1200 {
		now := live.Add(time.Duration(i-1199) * 5 * s)
		for _, batch := range polls(all, sources, now, 0.01) {
			store.Apply(batch, now)
		}
	}
	batch := polls(all, sources, live.Add(-50*5*s), 0.02)[0]
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		for j := range batch.Readings {
			batch.Readings[j].Value = float64(i)
		}
		store.Apply(batch, live)
	}
}

func BenchmarkBuckets(b *testing.B) {
	points := make([]Point, 1200)
	for i := range points {
		points[i] = Point{live.Add(time.Duration(i) * s), float64(i)}
	}
	series := SeriesOf(points)
	b.ReportAllocs()
	for b.Loop() {
		series.Buckets(live.Add(20*time.Minute), 15*time.Minute, 100)
	}
}

func BenchmarkClean(b *testing.B) {
	for name, text := range map[string]string{"ascii": "payment provider answers 502", "croatian": "plaćanje: pružatelj ne odgovara", "hostile": "a\x1b]0;x\x07\u202eb👨\u200d👩"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Clean(text, 0)
			}
		})
	}
}

func TestAQuietTickOfTwoHundredSalesAllocatesNothing(t *testing.T) {
	store, _, _ := filled(t, 200)
	i := 0
	if allocs := testing.AllocsPerRun(20, func() {
		i++
		store.Tick(live.Add(time.Duration(i) * 100 * time.Millisecond))
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestAFullHistoryOfOneSignalTakesAbout25Kilobytes(t *testing.T) {
	all, sources := arena(t, 1)
	measure := func(points int) uint64 {
		store := NewStore(all, sources, Limits{}, live)
		for i := range points {
			now := live.Add(time.Duration(i) * 5 * s)
			for _, b := range polls(all, sources, now, 0.01) {
				store.Apply(b, now)
			}
		}
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		runtime.KeepAlive(store)
		return m.HeapAlloc
	}
	base := measure(1)
	for _, points := range []int{1200, 3000} {
		perSeries := int64(measure(points)-base) / 40
		t.Logf("after %d points: %d bytes a series", points, perSeries)
		if perSeries > 26_000 {
			t.Errorf("%d bytes a series after %d points", perSeries, points)
		}
	}
}

// BenchmarkMinuteOfTwoHundredSales takes in a minute of 200 sales whose every signal is held against
// its past and its objectives, two hours after the doors opened, and closes it.
func BenchmarkMinuteOfTwoHundredSales(b *testing.B) {
	var all []*Sale
	for i := range 200 {
		s := fair()
		s.ID, s.Closes = ID(fmt.Sprint("sale", i)), opens.Add(1000*time.Hour)
		all = append(all, s)
	}
	store := NewStore(all, nil, Limits{}, opens)
	now, seq := opens, uint64(0)
	minute := func() {
		for range 6 {
			batches := map[string]*Batch{"metrics": {Source: "metrics"}, "aws": {Source: "aws"}}
			for _, s := range all {
				for j, spec := range s.Signals {
					if spec.Source == "metrics" || now.Second() == 0 {
						batch := batches[spec.Source]
						batch.Readings = append(batch.Readings, Reading{Key: Key{s.ID, spec.Signal}, Value: 0.01 + float64(j) + float64(now.Minute()%3)/100, At: now, FetchedAt: now})
					}
				}
			}
			for _, batch := range batches {
				seq++
				batch.Seq = seq
				store.Apply(*batch, now)
			}
			now = now.Add(10 * time.Second)
		}
	}
	for range 120 {
		minute()
	}
	b.ReportAllocs()
	for b.Loop() {
		minute()
	}
}
