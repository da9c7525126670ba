//go:build !windows

package ui

import (
	"fmt"
	"math"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// movingStore is a real store of six sales with eleven signals each, all of which move each
// second, with a history of 15 minutes.
func movingStore(now time.Time) (*sale.Store, func(time.Time)) {
	signals := []sale.Signal{
		sale.Waiting, sale.AdmissionRate, sale.ActiveUsers, sale.OrderRate, sale.PaymentFailureRatio, sale.TicketsLeft,
		sale.ErrorRatio, sale.LatencyP95, sale.DBConnections, sale.QueueDepth, sale.CapacityInService,
	}
	var sales []*sale.Sale
	for i, a := range acts {
		s := &sale.Sale{
			ID: sale.ID(a.id), Digit: i + 1, Name: a.name, Venue: a.venue, Group: a.group,
			Opens: now.Add(-time.Hour), Tickets: 15000,
		}
		for _, m := range sale.Standard() {
			for _, sig := range signals {
				if m.Signal == sig {
					s.Signals = append(s.Signals, sale.Spec{
						Signal: sig, Label: m.Label, Unit: m.Unit, Group: m.Group, Source: "metrics",
						Cadence: sale.Cadence{Period: time.Second},
					})
				}
			}
		}
		for _, sig := range []sale.Signal{sale.AdmissionRate, sale.Waiting, sale.PaymentFailureRatio, sale.DBConnections} {
			s.Panels = append(s.Panels, sale.Panel{Title: string(sig), Signals: []sale.Signal{sig}})
		}
		sales = append(sales, s)
	}
	info := sale.SourceInfo{Name: "metrics", Kind: "prometheus", Every: time.Second, Cadence: sale.Cadence{Period: time.Second}}
	store := sale.NewStore(sales, []sale.SourceInfo{info}, sale.Limits{}, now)
	seq := uint64(0)
	read := func(from, to time.Time) {
		seq++
		b := sale.Batch{Source: "metrics", Seq: seq, Started: to, Finished: to, Calls: 1}
		for _, s := range sales {
			for i, spec := range s.Signals {
				for at := from; !at.After(to); at = at.Add(time.Second) {
					phase := float64(at.Unix())/17 + float64(i)
					v := 1000 + 500*math.Sin(phase)
					if spec.Unit == sale.Ratio {
						v /= 50000
					}
					b.Readings = append(b.Readings, sale.Reading{
						Key: sale.Key{Sale: s.ID, Signal: spec.Signal}, Value: math.Round(v*1000) / 1000, Unit: spec.Unit, At: at, FetchedAt: to,
					})
				}
			}
		}
		store.Apply(b, to)
	}
	read(now.Add(-15*time.Minute), now)
	return store, func(at time.Time) { read(at, at) }
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestWhatAMinuteCosts runs a minute of virtual time with new readings each second, through
// Bubble Tea and the real screens, and reports bytes and CPU. The bytes are the same on any
// machine, so they have a bound: twice what was measured when it was set.
func TestWhatAMinuteCosts(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds with -race")
	}
	for _, c := range []struct {
		w, h   int
		screen string
		key    string
		bound  int // bytes a second
	}{
		{80, 24, "overview", "", 1000},
		{200, 50, "overview", "", 10000},
		{200, 50, "sale", "1", 10000},
		{80, 24, "wall", "w", 1000},
		{160, 45, "wall", "w", 2000},
	} {
		t.Run(fmt.Sprintf("%dx%d %s", c.w, c.h, c.screen), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { minuteCosts(t, c.w, c.h, c.key, c.bound) })
		})
	}
}

func minuteCosts(t *testing.T, w, h int, key string, bound int) {
	time.Sleep(300 * time.Millisecond)
	store, read := movingStore(time.Now())
	o, keys, err := Options{Feed: store, Theme: ThemeDark, Env: []string{"TERM=xterm-256color", "LANG=en_GB.UTF-8"}}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	m := newModel(o, keys, o.Guard)
	m.width, m.height = w, h
	out := &syncBuffer{}
	g := newGate(out, o.Guard)
	program := tea.NewProgram(m, tea.WithInput(nil), tea.WithOutput(g), tea.WithWindowSize(w, h), tea.WithoutSignalHandler(),
		tea.WithEnvironment(o.Env), tea.WithFPS(rendererFPS), tea.WithColorProfile(colorprofile.ANSI256))
	ended := make(chan struct{})
	go func() { defer close(ended); _, _ = program.Run() }()
	p := pump{feed: store, gap: time.Second / 5, send: program.Send}
	pumping := make(chan struct{})
	go p.run(contextUntil(pumping))
	if key != "" {
		program.Send(keyPress(key))
	}
	minute := func(seconds int) {
		for range seconds {
			time.Sleep(time.Second)
			store.Tick(time.Now())
			read(time.Now())
		}
		synctest.Wait()
	}
	minute(5)
	first := g.bytes.Load()
	bytes, before := first, cpu()
	minute(60)
	used := cpu() - before
	bytes = g.bytes.Load() - bytes
	close(pumping)
	go program.Quit()
	<-ended
	g.shut()
	time.Sleep(2 * time.Second)
	t.Logf("%dx%d: %d bytes a second, %.2f CPU s a minute (store and race detector included), first 5 s %d bytes", w, h, bytes/60, used.Seconds(), first)
	if int(bytes/60) > bound {
		t.Errorf("%d bytes a second, more than %d", bytes/60, bound)
	}
}

// BenchmarkUpdateAndView is one second of a session: a look, the clock and the frame.
func BenchmarkUpdateAndView(b *testing.B) {
	for _, size := range []struct{ w, h int }{{80, 24}, {120, 36}, {200, 50}} {
		for _, screen := range []views.Screen{views.OverviewScreen, views.SaleScreen} {
			b.Run(fmt.Sprintf("%dx%d %s", size.w, size.h, screen), func(b *testing.B) {
				now := time.Now()
				store, read := movingStore(now)
				o, keys, err := Options{Feed: store, Theme: ThemeDark, Env: []string{"TERM=xterm-256color", "LANG=en_GB.UTF-8"}, MaxFPS: 30}.withDefaults()
				if err != nil {
					b.Fatal(err)
				}
				m := newModel(o, keys, o.Guard)
				m.width, m.height = size.w, size.h
				if screen == views.SaleScreen {
					m.openSale("harbour")
				}
				bytes := 0
				b.ReportAllocs()
				b.ResetTimer()
				for i := range b.N {
					b.StopTimer()
					read(now.Add(time.Duration(i+1) * time.Second))
					b.StartTimer()
					m.Update(lookMsg{})
					m.Update(clockMsg{})
					m.draw = true // not paced: this is about one frame
					bytes += len(m.View().Content)
				}
				b.ReportMetric(float64(bytes)/float64(b.N), "content-bytes/frame")
			})
		}
	}
}

// BenchmarkTwoHundredSales is one second of a session with 200 sales.
func BenchmarkTwoHundredSales(b *testing.B) {
	now := time.Now()
	feed := newFeed(world(200, now, map[sale.ID]sale.Verdict{"orbit": sale.Bad}))
	o, keys, err := Options{Feed: feed, Theme: ThemeDark, Env: []string{"TERM=xterm-256color"}}.withDefaults()
	if err != nil {
		b.Fatal(err)
	}
	m := newModel(o, keys, o.Guard)
	m.width, m.height = 200, 50
	b.ReportAllocs()
	for b.Loop() {
		m.Update(lookMsg{})
		m.Update(clockMsg{})
		m.draw = true
		m.View()
	}
}

// BenchmarkViewWithoutAChange is what each message costs that changes nothing.
func BenchmarkViewWithoutAChange(b *testing.B) {
	store, _ := movingStore(time.Now())
	o, keys, err := Options{Feed: store, Env: []string{"TERM=xterm"}}.withDefaults()
	if err != nil {
		b.Fatal(err)
	}
	m := newModel(o, keys, o.Guard)
	m.View()
	b.ReportAllocs()
	for b.Loop() {
		m.Update(lookMsg{})
		m.View()
	}
}
