//go:build linux

package main

import (
	"io"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/rehearsal"
)

// slowLink lets so many bytes a second through, behind a buffer of so many.
type slowLink struct {
	line chan byte
	beat *time.Ticker
	rate int
}

// overSlowLink is 8 kB/s with 64 KiB between: a bad mobile line, and the socket's buffer before it.
func overSlowLink(r io.Reader) io.Reader {
	l := &slowLink{line: make(chan byte, 64<<10), beat: time.NewTicker(10 * time.Millisecond), rate: 8000}
	go func() {
		defer close(l.line)
		buf := make([]byte, 4096)
		for {
			n, err := r.Read(buf)
			for _, b := range buf[:n] {
				l.line <- b
			}
			if err != nil {
				return
			}
		}
	}()
	return l
}

// Read returns what comes through in a hundredth of a second.
func (l *slowLink) Read(p []byte) (int, error) {
	for {
		<-l.beat.C
		n := 0
		for n < min(len(p), l.rate/100) {
			b, ok, none := l.next()
			if none {
				break
			}
			if !ok {
				return n, io.EOF
			}
			p[n] = b
			n++
		}
		if n > 0 {
			return n, nil
		}
	}
}

func (l *slowLink) next() (b byte, ok, none bool) {
	select {
	case b, ok = <-l.line:
		return b, ok, false
	default:
		return 0, false, true
	}
}

// BenchmarkSlowLink is the overview of the rehearsal's six sales at the far end of a slow link:
// how old the screen is, how long a key takes to its frame and q to the end.
func BenchmarkSlowLink(b *testing.B) {
	ssh := []string{"SSH_CONNECTION=192.0.2.7 50022 192.0.2.1 22", "SSH_TTY=/dev/pts/0"}
	for _, c := range []struct {
		name string
		w, h int
		env  []string
	}{{"80x24-ssh", 80, 24, ssh}, {"200x50-ssh", 200, 50, ssh}, {"200x50", 200, 50, nil}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				dir := b.TempDir()
				platform, err := rehearsal.Start(b.Context(), rehearsal.Options{Seed: 7, Scenario: "calm", Speed: 1, Dir: dir})
				if err != nil {
					b.Fatal(err)
				}
				t := openTerminalBehind(b, overSlowLink, c.w, c.h, c.env, "-c", filepath.Join(dir, "onsale.yaml"))
				first := t.shows("a focus", func(s string) bool { return inFocus.MatchString(s) })
				pause(30 * time.Second) // a buffer fills
				t.mu.Lock()
				bytes := t.bytes
				t.mu.Unlock()
				began := time.Now()
				keys, lag := t.arrowTimes(40)
				t.mu.Lock()
				rate := float64(t.bytes-bytes) / time.Since(began).Seconds()
				t.mu.Unlock()
				b.ReportMetric(0, "ns/op") // says nothing here
				b.ReportMetric(rate, "B/s")
				b.ReportMetric(milliseconds(first), "ms-to-first-frame")
				b.ReportMetric(milliseconds(keys[len(keys)/2]), "ms-key-p50")
				b.ReportMetric(milliseconds(keys[len(keys)-1]), "ms-key-max")
				b.ReportMetric(lag.Seconds(), "s-lag-max")
				t.types("\x1b[C") // a frame is under way
				b.ReportMetric(milliseconds(t.quits()), "ms-to-quit")
				if err := platform.Stop(); err != nil {
					b.Error(err)
				}
			}
		})
	}
}

var (
	inFocus     = regexp.MustCompile(`>\d? ?[^ ]`)
	clockOnWall = regexp.MustCompile(`(\d\d:\d\d:\d\d) [A-Z]+`)
)

// arrowTimes moves the focus to and fro, and returns how long each key took to its frame, in
// order, and how much older than the time the screen's clock ever was.
func (c *cockpitTerminal) arrowTimes(n int) (times []time.Duration, lag time.Duration) {
	c.tb.Helper()
	for i := range n {
		pause(700*time.Millisecond + time.Duration(i%10)*11*time.Millisecond) // at any part of a second
		lag = max(lag, c.clockLag())
		before := inFocus.FindStringIndex(c.text())
		pressed := time.Now()
		c.types([]string{"\x1b[C", "\x1b[D"}[i%2])
		c.shows("an answer to a key", func(s string) bool {
			at := inFocus.FindStringIndex(s)
			return at != nil && (before == nil || at[0] != before[0])
		})
		times = append(times, time.Since(pressed))
	}
	return sorted(times), lag
}

// clockLag is how old the time on the screen is.
func (c *cockpitTerminal) clockLag() time.Duration {
	found := clockOnWall.FindStringSubmatch(c.text())
	if found == nil {
		return 0
	}
	now := time.Now()
	shown, err := time.ParseInLocation(time.DateOnly+" "+time.TimeOnly, now.Format(time.DateOnly)+" "+found[1], now.Location())
	if err != nil {
		return 0
	}
	return now.Sub(shown)
}
