//go:build linux

package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// BenchmarkTwoHundredSales is 200 sales with 40 signals each from one real server, every 5 s:
// how soon the first screen is whole, what a minute costs, and how long a key takes to its frame.
func BenchmarkTwoHundredSales(b *testing.B) {
	server := startPrometheus(b, exposition{shops: 200, figures: fortyFigures()}, 0)
	config := writeConfig(b, manySales(server.url(), 200, 5*time.Second))
	for b.Loop() {
		c := openTerminal(b, 200, 50, nil, "-c", config)
		first := c.shows("a first frame", func(s string) bool { return strings.Contains(s, "200 sales") })
		complete := c.shows("a complete overview", func(s string) bool {
			return strings.Contains(s, "200 sales") && !strings.Contains(s, "NO DATA") && strings.Count(s, "waiting") >= 3
		})
		c.measure(server.requests).report(b)
		keys := c.keyTimes(60)
		b.ReportMetric(milliseconds(first), "ms-to-first-frame")
		b.ReportMetric(milliseconds(complete), "ms-to-complete")
		b.ReportMetric(milliseconds(keys[len(keys)/2]), "ms-key-p50")
		b.ReportMetric(milliseconds(keys[len(keys)*95/100]), "ms-key-p95")
		b.ReportMetric(milliseconds(keys[len(keys)-1]), "ms-key-max")
		b.ReportMetric(c.peak(), "peak-MiB")
		if os.Getenv("ONSALE_BENCH_SCREEN") != "" {
			b.Log(c.text(), c.screen.unknown)
		}
		b.ReportMetric(milliseconds(c.quits()), "ms-to-quit")
	}
}

// keyTimes presses keys that move the focus, one each 700 ms, and returns how long the screen
// took to follow, in order.
func (c *cockpitTerminal) keyTimes(n int) []time.Duration {
	c.tb.Helper()
	var times []time.Duration
	for i := range n {
		pause(700*time.Millisecond + time.Duration(i%10)*11*time.Millisecond) // at any part of a second
		key := []string{"\x1b[C", "\x1b[D"}[i/20%2]
		before := focusOf(c.text())
		pressed := time.Now()
		c.types(key)
		c.shows("an answer to a key", func(s string) bool { return focusOf(s) != before })
		times = append(times, time.Since(pressed))
	}
	return sorted(times)
}

var focused = regexp.MustCompile(`>\d? +Hall \d+ · (Show \d+)`)

// focusOf is the sale that has the focus on the overview.
func focusOf(screen string) string {
	return focused.FindString(screen)
}
