//go:build unix

package main

import (
	"errors"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// viewer is a client that reads its screen and looks at nothing but when bytes came.
type viewer struct {
	last  atomic.Int64 // ns
	bytes atomic.Int64
	worst atomic.Int64 // the longest time between two frames, ns
}

func (v *viewer) Write(p []byte) (int, error) {
	now := time.Now().UnixNano()
	if last := v.last.Swap(now); last > 0 && now-last > v.worst.Load() {
		v.worst.Store(now - last)
	}
	v.bytes.Add(int64(len(p)))
	return len(p), nil
}

// stalled is a terminal that takes nothing.
type stalled struct {
	hold chan struct{}
	once sync.Once
}

func (s *stalled) Write(p []byte) (int, error) {
	<-s.hold
	return len(p), nil
}

// BenchmarkAHundredViewersOneOfWhichIsStalled measures what viewers cost: CPU and memory of the
// server and, in the same process, of their clients, how old the others' screens get beside one that
// takes nothing, and what is asked of the systems. One iteration is one measured time.
func BenchmarkAHundredViewersOneOfWhichIsStalled(b *testing.B) {
	const viewers = 100
	measured := 20 * time.Second
	if v := os.Getenv("ONSALE_BENCH_WINDOW"); v != "" {
		d, err := time.ParseDuration(v)
		if err != nil {
			b.Fatal(err)
		}
		measured = d
	}
	h := openHouse(b)
	runtime.GC()
	var none, full runtime.MemStats
	runtime.ReadMemStats(&none)
	all := make([]*viewer, viewers)
	for i := range all {
		all[i] = &viewer{}
		sitAndWatch(b, h, all[i])
	}
	s := &stalled{hold: make(chan struct{})}
	defer s.once.Do(func() { close(s.hold) })
	sitAndWatch(b, h, s)
	if !eventually(time.Minute, func() bool { return h.server.Counts().Sessions == viewers+1 }) {
		b.Fatalf("%d sessions", h.server.Counts().Sessions)
	}
	pause(3 * time.Second) // the first frames
	for range b.N {
		for _, v := range all {
			v.worst.Store(0)
			v.bytes.Store(0)
		}
		reads, cpu := h.reads.Load(), cpuTime(b)
		began := time.Now()
		pause(measured)
		took := time.Since(began)
		used := cpuTime(b) - cpu
		runtime.GC()
		runtime.ReadMemStats(&full)
		var worst, bytes int64
		for _, v := range all {
			worst, bytes = max(worst, v.worst.Load()), bytes+v.bytes.Load()
		}
		minute := float64(time.Minute) / float64(took)
		b.ReportMetric(used.Seconds()*minute/viewers, "cpu-s/min/viewer")
		b.ReportMetric(float64(full.HeapInuse+full.StackInuse-none.HeapInuse-none.StackInuse)/(viewers+1)/1024, "KiB/viewer")
		b.ReportMetric(float64(worst)/1e6, "ms-oldest-frame")
		b.ReportMetric(float64(bytes)/viewers/took.Seconds(), "B/s/viewer")
		b.ReportMetric(float64(h.reads.Load()-reads)*minute, "requests/min")
		b.ReportMetric(0, "ns/op")
	}
}

func sitAndWatch(tb testing.TB, h *house, out io.Writer) {
	tb.Helper()
	session, err := h.enter(h.marko).NewSession()
	if err != nil {
		tb.Fatal(err)
	}
	session.Stdout = out
	_, err = session.StdinPipe()
	if err := errors.Join(err, session.RequestPty("xterm-256color", 24, 80, ssh.TerminalModes{}), session.Shell()); err != nil {
		tb.Fatal(err)
	}
}

// cpuTime is what this process has used so far, in user and system.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
