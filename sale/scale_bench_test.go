package sale

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// BenchmarkScale measures what a sale and a signal cost the store: what a poll of all of them takes to
// be taken in and judged, what a second takes in which nothing arrives, and what an hour of history
// takes of memory. The largest is what docs/scale.md asks about: 1,000 sales of 40 signals, read once
// every five seconds.
func BenchmarkScale(b *testing.B) {
	for _, sales := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("sales=%d", sales), func(b *testing.B) {
			var empty, full runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&empty)
			store, all, sources := filled(b, sales)
			runtime.GC()
			runtime.ReadMemStats(&full)
			series := float64(sales * 40)
			now := live
			var applied, ticked time.Duration
			for b.Loop() {
				now = now.Add(5 * s)
				batches := polls(all, sources, now, 0.011)
				began := time.Now()
				for i := range batches {
					store.Apply(batches[i], now)
				}
				applied += time.Since(began)
				began = time.Now()
				store.Tick(now.Add(time.Second))
				ticked += time.Since(began)
			}
			polled := float64(b.N)
			runtime.GC()
			var later runtime.MemStats
			runtime.ReadMemStats(&later)
			b.ReportMetric(float64(applied.Nanoseconds())/polled/series, "ns/reading")
			b.ReportMetric(float64(applied.Microseconds())/polled/1000, "ms/poll")
			b.ReportMetric(float64(ticked.Microseconds())/polled/1000, "ms/second")
			b.ReportMetric(float64(full.HeapAlloc-empty.HeapAlloc)/series, "B/series-of-20-points")
			b.ReportMetric((float64(later.HeapAlloc)-float64(empty.HeapAlloc))/series, fmt.Sprintf("B/series-of-%d-points", min(20+b.N, 1200)))
			runtime.KeepAlive(store)
		})
	}
}
