//go:build !windows

package ui

import (
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// TestAWallOfWeeksKeepsItsMemoryAndComesBackByItself runs three weeks of virtual time, with a source
// that is dark for a part of every day.
func TestAWallOfWeeksKeepsItsMemoryAndComesBackByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, read := movingStore(time.Now())
		o, keys, err := Options{Feed: store, Wall: true, Rotate: 20 * time.Second, Theme: ThemeDark, Logs: NewLogRing(100, nil, slog.LevelInfo), Env: []string{"TERM=xterm-256color", "LANG=en_GB.UTF-8"}}.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		m := newModel(o, keys, o.Guard)
		m.paint = views.NewRenderer()
		m.width, m.height = 160, 45
		const step = 37 * time.Minute
		week := func() {
			for range int(7 * 24 * time.Hour / step) {
				time.Sleep(step)
				now := time.Now()
				store.Tick(now)
				if dark := now.Hour() == 3; !dark {
					read(now)
				}
				m.Update(lookMsg{})
				m.Update(clockMsg{})
				m.View()
				cond := m.snap.Sources[0].Condition
				if dark := now.Hour() == 3; dark == (cond == sale.SourceLive) {
					t.Fatalf("at %s the source is %s", now, cond)
				}
				if m.broken {
					t.Fatal(m.guard.Err())
				}
			}
		}
		held := func() uint64 {
			var mem runtime.MemStats
			runtime.GC()
			runtime.GC()
			runtime.ReadMemStats(&mem)
			return mem.HeapAlloc
		}
		week()
		first := held()
		week()
		week()
		if now := held(); now > first+first/10+1<<20 {
			t.Errorf("%d kB after a week, %d kB after three", first>>10, now>>10)
		}
	})
}
