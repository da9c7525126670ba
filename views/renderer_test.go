package views

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/onsale-dev/onsale/sale"
)

func TestWhatIsRememberedIsWhatWouldBeDrawnAnew(t *testing.T) {
	kept := NewRenderer()
	f := worldFrame(200, 50, NewTheme(Options{Dark: true}))
	for i, change := range []func(){
		func() {},
		func() { f.Now = f.Now.Add(time.Second) },
		func() { f.Focus = "pier" },
		func() { f.Window = time.Hour },
		func() { f.CoarseAges = true },
		func() { f.Theme = NewTheme(Options{Profile: Color16}) },
		func() { f.Width = 160 },
		func() { f.Now = f.Now.In(time.UTC) },
		func() { f.Panel = 3 },
		func() { f.Cursor = 2 },
		func() { f.Scroll = 1 },
		func() {
			st := *f.Snapshot.Sales[0]
			st.Version, st.Verdict, st.Reasons = 2, sale.OK, nil
			f.Snapshot.Sales[0] = &st
		},
	} {
		change()
		for name, draw := range screens(kept) {
			draw(f)
			if got, want := draw(f), screens(NewRenderer())[name](f); got != want {
				t.Errorf("after change %d the remembered %s is out of date", i, name)
			}
		}
	}
}

func TestManySessionsShareARenderer(t *testing.T) {
	r := NewRenderer()
	theme := NewTheme(Options{Dark: true})
	want := NewRenderer().Overview(worldFrame(160, 45, theme))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				f := worldFrame(160, 45, theme)
				if r.Overview(f) != want {
					t.Error("two sessions of one size see different frames")
				}
				r.Sale(f)
				r.Sources(f)
			}
		})
	}
	wg.Wait()
}

func TestTheMemoryOfARendererIsBounded(t *testing.T) {
	r := NewRenderer()
	f := worldFrame(160, 45, NewTheme(Options{Dark: true}))
	for range 200 {
		f.Now = f.Now.Add(time.Second)
		r.Overview(f)
		r.Sale(f)
	}
	if n := len(r.parts); n > mostParts {
		t.Errorf("%d parts are remembered, at most %d may be", n, mostParts)
	}
}

func TestThePointerHitsWhatIsDrawnThere(t *testing.T) {
	r := NewRenderer()
	for _, size := range sizes() {
		f := monoFrame(size[0], size[1])
		lines := plainLines(r.Overview(f))
		for y, line := range lines {
			for _, st := range f.Snapshot.Sales {
				_, act, _ := strings.Cut(saleTitle(st.Sale, 60), " · ")
				at := strings.Index(line, act)
				if at < 0 || strings.HasPrefix(line, "──") {
					continue
				}
				x := len([]rune(line[:at]))
				if hit := r.Hit(f, OverviewScreen, x, y); hit.Area != SaleArea || hit.Sale != st.Sale.ID {
					t.Errorf("%v: %q stands at %d,%d and the pointer hits %+v", size, act, x, y, hit)
				}
			}
		}
		if hit := r.Hit(f, OverviewScreen, 3, 0); hit.Area != HeaderArea {
			t.Errorf("%v: the header is %+v", size, hit)
		}
		if hit := r.Hit(f, OverviewScreen, 3, size[1]-1); hit.Area != FooterArea {
			t.Errorf("%v: the footer is %+v", size, hit)
		}
	}
}

func TestThePointerHitsChartsSignalsAndSources(t *testing.T) {
	r := NewRenderer()
	for _, size := range sizes()[:5] {
		f := monoFrame(size[0], size[1])
		panels, signals := map[int]bool{}, map[sale.Signal]bool{}
		lines := plainLines(r.Sale(f))
		for y, line := range lines {
			for x := range []rune(line) {
				switch hit := r.Hit(f, SaleScreen, x, y); hit.Area {
				case PanelArea:
					panels[hit.Panel] = true
				case SignalArea:
					signals[hit.Signal] = true
				}
			}
		}
		st := f.Snapshot.Sale("lanterns")
		f.ready()
		if p := planSale(&f, st); len(panels) != p.shown {
			t.Errorf("%v: %d charts can be hit of %d", size, len(panels), p.shown)
		}
		if !signals[sale.PaymentFailureRatio] {
			t.Errorf("%v: the worst signal can't be hit", size)
		}
		for y, line := range plainLines(r.Sources(f)) {
			for i, s := range f.Snapshot.Sources {
				if strings.HasPrefix(line[strings.Index(line, " ")+1:], "LIVE     "+s.Name+" ") {
					if hit := r.Hit(f, SourcesScreen, 20, y); hit.Area != RowArea || hit.Row != i {
						t.Errorf("%v: row %d is source %d and the pointer hits %+v", size, y, i, hit)
					}
				}
			}
		}
	}
}

func TestOnlyAllowedLinksCanBeFollowed(t *testing.T) {
	on := LinkPolicy{On: true, Hosts: []string{"console.example.com"}}
	for _, tc := range []struct {
		name, url, shown string
		policy           LinkPolicy
		followed         bool
	}{
		{"https on a listed host", "https://console.example.com/a?b=c", "console.example.com/a", on, true},
		{"the usual port", "https://console.example.com:443/a", "console.example.com:443/a", on, true},
		{"upper case is the same host", "https://CONSOLE.example.com/a", "CONSOLE.example.com/a", on, true},
		{"links are off", "https://console.example.com/a", "console.example.com/a", LinkPolicy{Hosts: on.Hosts}, false},
		{"plain http", "http://console.example.com/a", "console.example.com/a", on, false},
		{"another host", "https://example.com/a", "example.com/a", on, false},
		{"a host that only ends alike", "https://evil-console.example.com.net/a", "evil-console.example.com.net/a", on, false},
		{"another port", "https://console.example.com:8443/a", "console.example.com:8443/a", on, false},
		{"credentials inside", "https://console.example.com@evil.net/a", "evil.net/a", on, false},
		{"a user before a listed host", "https://me:pw@console.example.com/a", "console.example.com/a", on, false},
		{"an escape inside", "https://console.example.com/\x1b\\x", "https://console.example.com/\x1b\\x", on, false},
		{"a script", "javascript:alert(1)", "javascript:alert(1)", on, false},
		{"a path", "runbooks/payment.md", "runbooks/payment.md", on, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			shown, target := tc.policy.link(tc.url)
			if shown != tc.shown || (target != "") != tc.followed {
				t.Errorf("shown %q, target %q", shown, target)
			}
		})
	}
	out := NewRenderer().Sale(worldFrame(160, 90, NewTheme(Options{Dark: true}))) // tall enough for the links
	if n := strings.Count(out, "\x1b]8;;https://"); n != 1 {
		t.Errorf("%d hyperlinks are drawn, want the one on the listed host", n)
	}
}

func TestABoxLiesInTheMiddleAndLeavesTheRestAsItWas(t *testing.T) {
	r := NewRenderer()
	f := monoFrame(80, 24)
	base := r.Overview(f)
	over := r.Over(base, "┌──┐\n│東│\n└──┘", f)
	checkSize(t, over, 80, 24)
	before, after := plainLines(base), plainLines(over)
	changed := 0
	for y := range before {
		if before[y] != after[y] {
			changed++
			if y < 2 || y >= 21 {
				t.Errorf("line %d of the header or footer is covered", y+1)
			}
			if !strings.HasPrefix(after[y], string([]rune(before[y])[:38])) {
				t.Errorf("left of the box line %d was %q and is %q", y+1, before[y], after[y])
			}
		}
	}
	if changed != 3 {
		t.Errorf("%d lines changed under a box of 3", changed)
	}
}

func TestABoxMayCutWideLettersInHalf(t *testing.T) {
	r := NewRenderer()
	f := monoFrame(80, 24)
	for shift := range 3 {
		line := spaces(shift) + strings.Repeat("東", (80-shift)/2) + spaces((80-shift)%2)
		base := strings.TrimSuffix(strings.Repeat(line+"\n", 24), "\n")
		for _, box := range []string{"ab", "abc", "abcd"} {
			checkSize(t, r.Over(base, box, f), 80, 24)
		}
	}
}

func TestTheSourcesScreenSaysWhatAFailureMeans(t *testing.T) {
	f := monoFrame(120, 36)
	f.Cursor = 1
	text := ansi.Strip(NewRenderer().Sources(f))
	for _, want := range []string{
		"▲ ERROR   >metrics-st", "all unreachable, 19 in a row; good 10:04:20, 4:21 ago", "why    unreachable: dial tcp 10.20.3.9:9090: connection refused",
		"means  sale 1 volt lacks admitted, orders, declines, left, p95: UNKNOWN", "mend   start prometheus, or fix sources.metrics-st.url", "4 LIVE  1 LATE  1 ERROR",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing:\n%s", want, text)
		}
	}
}

func TestTheSignalsOfASaleStandWorstFirst(t *testing.T) {
	f := monoFrame(120, 36)
	f.ready()
	for id, want := range map[sale.ID][]sale.Signal{
		"lanterns": {sale.PaymentFailureRatio, sale.DBConnections},
		"volt":     {sale.AdmissionRate, sale.OrderRate},
		"pier":     {sale.PaymentFailureRatio, sale.Waiting},
	} {
		st := f.Snapshot.Sale(id)
		rows := f.pageRows(st, 120)
		for i, signal := range want {
			if got := st.Signals[rows[i].known].Spec.Signal; got != signal {
				t.Errorf("%s: row %d is %s, want %s", id, i+1, got, signal)
			}
		}
	}
}

func TestAListSaysHowMuchOfItIsOutOfSight(t *testing.T) {
	for _, tc := range []struct{ n, room, scroll, from, shown int }{
		{5, 10, 3, 0, 5}, {5, 5, 0, 0, 5}, {6, 5, 0, 0, 4}, {6, 5, 9, 2, 4}, {100, 10, 50, 50, 9}, {3, 1, 0, 0, 0}, {3, 0, 0, 0, 0}, {0, 0, 0, 0, 0},
	} {
		if from, shown := listSpan(tc.n, tc.room, tc.scroll); from != tc.from || shown != tc.shown {
			t.Errorf("%d in %d lines from %d: %d from %d, want %d from %d", tc.n, tc.room, tc.scroll, shown, from, tc.shown, tc.from)
		}
	}
}

func TestATitleLosesItsVenueBeforeItsAct(t *testing.T) {
	s := &sale.Sale{Venue: "Old Mill Stage", Name: "The Tin Lanterns"}
	for w, want := range map[int]string{
		40: "Old Mill Stage · The Tin Lanterns", 30: "Old Mill S… · The Tin Lanterns", 23: "Old… · The Tin Lanterns", 22: "The Tin Lanterns", 10: "The Tin L…",
	} {
		if got := saleTitle(s, w); got != want {
			t.Errorf("in %d cells: %q, want %q", w, got, want)
		}
	}
}
