//go:build linux

package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/rehearsal"
)

// BenchmarkSixSales is the overview of the rehearsal's six sales, in another process than the
// platform: on a wide local terminal, and at 80x24 over SSH, where a steady screen must stay
// under 1 kB/s.
func BenchmarkSixSales(b *testing.B) {
	ssh := []string{"SSH_CONNECTION=192.0.2.7 50022 192.0.2.1 22", "SSH_TTY=/dev/pts/0"}
	for _, c := range []struct {
		name string
		w, h int
		env  []string
	}{{"200x50", 200, 50, nil}, {"80x24-ssh", 80, 24, ssh}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				dir := b.TempDir()
				platform, err := rehearsal.Start(b.Context(), rehearsal.Options{Seed: 7, Scenario: "calm", Speed: 1, Dir: dir})
				if err != nil {
					b.Fatal(err)
				}
				t := openTerminal(b, c.w, c.h, c.env, "-c", filepath.Join(dir, "onsale.yaml"))
				first := t.shows("a first frame", func(s string) bool { return strings.Contains(s, "6 OK") || strings.Contains(s, "OK") })
				t.measure(nil).report(b)
				keys := t.pageTimes(20)
				b.ReportMetric(milliseconds(first), "ms-to-first-verdict")
				b.ReportMetric(milliseconds(keys[len(keys)/2]), "ms-key-p50")
				b.ReportMetric(milliseconds(keys[len(keys)-1]), "ms-key-max")
				b.ReportMetric(t.peak(), "peak-MiB")
				t.quits()
				if err := platform.Stop(); err != nil {
					b.Error(err)
				}
			}
		})
	}
}

// pageTimes opens and leaves the help page, over and over, and returns how long each took.
func (c *cockpitTerminal) pageTimes(n int) []time.Duration {
	c.tb.Helper()
	var times []time.Duration
	for i := range n {
		pause(700*time.Millisecond + time.Duration(i%10)*11*time.Millisecond)
		open := strings.Contains(c.text(), "closes")
		pressed := time.Now()
		c.types("?")
		c.shows("an answer to a key", func(s string) bool { return strings.Contains(s, "closes") != open })
		times = append(times, time.Since(pressed))
	}
	return sorted(times)
}
