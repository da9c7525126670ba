//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// The benchmarks of this file run the whole program in a real pseudo-terminal and report what
// a night with it costs. docs/performance.md has the figures beside those of other programs.
// ONSALE_BENCH_WINDOW shortens or lengthens the measured time; ONSALE_BENCH_PROFILE names a
// file for a CPU profile of the program.

const clockTick = 10 * time.Millisecond // of /proc/PID/stat: USER_HZ is 100 on every Linux that Go runs on

// A program under measurement profiles itself, if it is told to, before its main begins.
var _ = profileSelf()

// cockpitTerminal is a terminal with the program on it.
type cockpitTerminal struct {
	tb      testing.TB
	ptmx    *os.File
	cmd     *exec.Cmd
	stderr  bytes.Buffer
	began   time.Time
	changed chan struct{} // holds one ring
	tail    []byte        // the last bytes that were drawn

	mu     sync.Mutex
	screen *screen
	first  time.Time // of the first byte
	last   time.Time // of the newest byte
	bytes  int
	bursts int
	record io.Writer // for a look at the bytes themselves; nil for none
}

// openTerminal starts the program on a terminal that answers as a modern one does.
func openTerminal(tb testing.TB, w, h int, env []string, args ...string) *cockpitTerminal {
	tb.Helper()
	return openTerminalBehind(tb, func(r io.Reader) io.Reader { return r }, w, h, env, args...)
}

// openTerminalBehind is openTerminal with a link between the program and what is drawn.
func openTerminalBehind(tb testing.TB, link func(io.Reader) io.Reader, w, h int, env []string, args ...string) *cockpitTerminal {
	tb.Helper()
	ptmx, tty, err := pty.Open()
	if err != nil {
		tb.Fatal(err)
	}
	if err := pty.Setsize(ptmx, &pty.Winsize{Rows: uint16(h), Cols: uint16(w)}); err != nil {
		tb.Fatal(err)
	}
	c := &cockpitTerminal{tb: tb, ptmx: ptmx, screen: newScreen(w, h), changed: make(chan struct{}, 1)}
	program := os.Args[0]
	c.cmd = exec.Command(program, args...)
	c.cmd.Env = []string{
		"ONSALE_TEST_MAIN=1", "PATH=" + os.Getenv("PATH"), "HOME=" + tb.TempDir(), "USER=mira",
		"TERM=xterm-256color", "COLORTERM=truecolor", "LANG=en_GB.UTF-8", "ONSALE_BENCH_PROFILE=" + os.Getenv("ONSALE_BENCH_PROFILE"),
	}
	c.cmd.Env = append(c.cmd.Env, env...)
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = tty, tty, &c.stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	c.began = time.Now()
	if err := c.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	_ = tty.Close()
	if name := os.Getenv("ONSALE_BENCH_RECORD"); name != "" {
		if f, err := os.Create(name); err == nil {
			c.record = f
			tb.Cleanup(func() { _ = f.Close() })
		}
	}
	go c.read(link(ptmx))
	tb.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		_, _ = c.cmd.Process.Wait()
		_ = ptmx.Close()
	})
	return c
}

// quiet ends a burst: bytes that come closer together are one.
const quiet = 20 * time.Millisecond

func (c *cockpitTerminal) read(out io.Reader) {
	buf := make([]byte, 64<<10)
	for {
		n, err := out.Read(buf)
		if err != nil {
			return
		}
		now := time.Now()
		c.mu.Lock()
		if c.first.IsZero() {
			c.first = now
		}
		if now.Sub(c.last) > quiet {
			c.bursts++
		}
		c.last = now
		c.bytes += n
		_, _ = c.screen.Write(buf[:n])
		if c.record != nil {
			_, _ = fmt.Fprintf(c.record, "%d %q\n", now.Sub(c.began).Milliseconds(), buf[:n])
		}
		c.mu.Unlock()
		c.answer(buf[:n])
		select {
		case c.changed <- struct{}{}:
		default:
		}
	}
}

// answer is what a terminal with a dark background and synchronized output says.
func (c *cockpitTerminal) answer(out []byte) {
	for question, answer := range map[string]string{
		"\x1b]11;?":     "\x1b]11;rgb:1212/1212/1212\x1b\\",
		"\x1b[?2026$p":  "\x1b[?2026;2$y",
		"\x1b[?2027$p":  "\x1b[?2027;0$y",
		"\x1b[c":        "\x1b[?62;22c",
		"\x1b[5n":       "\x1b[0n",
		"\x1b[>0q":      "\x1bP>|measure 1\x1b\\",
		"\x1b[?u":       "",
		"\x1bP+q524742": "",
	} {
		// A question may have begun at the end of what was drawn before.
		begun := c.tail[max(0, len(c.tail)-len(question)+1):]
		if n := bytes.Count(slices.Concat(begun, out), []byte(question)); n > 0 && answer != "" {
			c.types(strings.Repeat(answer, n))
		}
	}
	drawn := slices.Concat(c.tail, out)
	c.tail = drawn[max(0, len(drawn)-16):]
}

func (c *cockpitTerminal) types(keys string) {
	if _, err := c.ptmx.WriteString(keys); err != nil {
		c.tb.Error(err)
	}
}

func (c *cockpitTerminal) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.screen.text()
}

// shows waits until the screen is so, and returns how long after the start that was.
func (c *cockpitTerminal) shows(what string, so func(screen string) bool) time.Duration {
	c.tb.Helper()
	limit := time.After(30 * time.Second)
	for {
		if so(c.text()) {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.last.Sub(c.began)
		}
		select {
		case <-c.changed:
		case <-limit:
			c.tb.Fatalf("%s did not come; errors: %s\n%s", what, c.stderr.String(), c.text())
		}
	}
}

// spent is the CPU time of the program until now.
func (c *cockpitTerminal) spent() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	if err != nil {
		c.tb.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * clockTick
}

var peakMemory = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peak is the most memory that the program has held, in MiB.
func (c *cockpitTerminal) peak() float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		c.tb.Fatal(err)
	}
	kib := 0
	if m := peakMemory.FindSubmatch(status); m != nil {
		kib, _ = strconv.Atoi(string(m[1]))
	}
	return float64(kib) / 1024
}

// quits presses q and returns how long the program took to end.
func (c *cockpitTerminal) quits() time.Duration {
	c.tb.Helper()
	began := time.Now()
	c.types("q")
	ended := make(chan error, 1)
	go func() { ended <- c.cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			c.tb.Errorf("it ended with %v: %s", err, c.stderr.String())
		}
	case <-time.After(5 * time.Second):
		c.tb.Error("it has not ended 5 s after q")
	}
	return time.Since(began)
}

// cost is what a stretch of time with the cockpit took.
type cost struct {
	bytes, bursts, cpu, requests float64 // per second; cpu in seconds a minute, requests a minute
}

// measure waits for the warm-up and then measures; requests may be nil.
func (c *cockpitTerminal) measure(requests func() int) cost {
	if requests == nil {
		requests = func() int { return 0 }
	}
	window := 60 * time.Second
	if d, err := time.ParseDuration(os.Getenv("ONSALE_BENCH_WINDOW")); err == nil {
		window = d
	}
	pause(5 * time.Second)
	asked, cpu := requests(), c.spent()
	c.mu.Lock()
	bytes, bursts := c.bytes, c.bursts
	c.mu.Unlock()
	began := time.Now()
	pause(window)
	took := time.Since(began)
	asked, cpu = requests()-asked, c.spent()-cpu
	c.mu.Lock()
	bytes, bursts = c.bytes-bytes, c.bursts-bursts
	c.mu.Unlock()
	return cost{
		bytes: float64(bytes) / took.Seconds(), bursts: float64(bursts) / took.Seconds(),
		cpu: cpu.Seconds() / took.Minutes(), requests: float64(asked) / took.Minutes(),
	}
}

func (k cost) report(b *testing.B) {
	b.ReportMetric(k.bytes, "B/s")
	b.ReportMetric(k.bursts, "bursts/s")
	b.ReportMetric(k.cpu, "CPU-s/min")
	if k.requests > 0 {
		b.ReportMetric(k.requests, "requests/min")
	}
	b.ReportMetric(0, "ns/op") // says nothing here
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

var titleWithValue = regexp.MustCompile(`chart (\w+) +now ~?[\d<]`)

// completePage reports whether all eight charts have a title with a value and all twelve
// signals stand in the table with theirs.
func completePage(screen string) bool {
	titles := map[string]bool{}
	for _, m := range titleWithValue.FindAllStringSubmatch(screen, -1) {
		titles[m[1]] = true
	}
	return len(titles) == 8 && strings.Count(screen, " LIVE")+strings.Count(screen, " live") >= 12 && !strings.Contains(screen, "NO DATA")
}

// filledCharts reports whether the eight charts have their past: braille over most columns.
func filledCharts(screen string) bool {
	drawn := 0
	for _, r := range screen {
		if r > 0x2800 && r < 0x2900 {
			drawn++
		}
	}
	return completePage(screen) && drawn >= 8*50
}

// BenchmarkTwelvePanels is the peers' case: a real Prometheus that scrapes 204 moving series
// each second, 200x50, a refresh each second, 8 charts over 15 minutes and 4 numbers more.
func BenchmarkTwelvePanels(b *testing.B) {
	server := startPrometheus(b, exposition{shops: peerShops}, 20*time.Minute)
	config := writeConfig(b, twelvePanels(server.url(), time.Second))
	var complete, filled, firstByte []time.Duration
	for range 5 {
		c := openTerminal(b, 200, 50, nil, "-c", config)
		c.shows("the first byte", func(string) bool { return !c.first.IsZero() })
		c.types("1")
		complete = append(complete, c.shows("a complete page", completePage))
		filled = append(filled, c.shows("charts with their past", filledCharts))
		firstByte = append(firstByte, c.first.Sub(c.began))
		c.quits()
	}
	for b.Loop() {
		c := openTerminal(b, 200, 50, nil, "-c", config)
		c.shows("the first byte", func(string) bool { return !c.first.IsZero() })
		c.types("1")
		c.shows("charts with their past", filledCharts)
		c.measure(server.requests).report(b)
		b.ReportMetric(c.peak(), "peak-MiB")
		if os.Getenv("ONSALE_BENCH_SCREEN") != "" {
			b.Log(c.text(), c.screen.unknown)
		}
		b.ReportMetric(milliseconds(c.quits()), "ms-to-quit")
	}
	b.ReportMetric(milliseconds(median(firstByte)), "ms-to-first-byte")
	b.ReportMetric(milliseconds(median(complete)), "ms-to-complete")
	b.ReportMetric(milliseconds(median(filled)), "ms-to-charts")
}

func median(times []time.Duration) time.Duration {
	return sorted(times)[len(times)/2]
}

func sorted(times []time.Duration) []time.Duration {
	slices.Sort(times)
	return times
}

func profileSelf() bool {
	name := os.Getenv("ONSALE_BENCH_PROFILE")
	if name == "" || os.Getenv("ONSALE_TEST_MAIN") != "1" {
		return false
	}
	return startProfile(filepath.Clean(name))
}
