package views

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/onsale-dev/onsale/sale"
)

func monoFrame(w, h int) Frame { return worldFrame(w, h, NewTheme(Options{Profile: Mono})) }

// plainLines draws and strips a screen.
func plainLines(screen string) []string { return strings.Split(ansi.Strip(screen), "\n") }

func TestTheLayoutOfTheOverviewFollowsItsSize(t *testing.T) {
	for _, tc := range []struct {
		name           string
		w, h, sales    int
		kind           overviewKind
		columns, shown int
	}{
		{"three panes side by side at 200", 200, 50, 6, asPanes, 3, 6},
		{"two panes side by side at 160", 160, 45, 6, asPanes, 2, 6},
		{"four panes where they fit", 270, 60, 8, asPanes, 4, 8},
		{"one sale has the whole width", 200, 50, 1, asPanes, 1, 1},
		{"rows of five lines at 120", 120, 36, 6, asRows, 1, 6},
		{"rows at 100", 100, 30, 6, asRows, 1, 6},
		{"two lines a sale at 80", 80, 24, 6, asLines, 1, 6},
		{"one line a sale at 60", 60, 15, 6, asTitles, 1, 6},
		{"a wide and flat terminal has one row of panes", 200, 15, 6, asPanes, 3, 3},
		{"a flat one at 120 has rows of three lines", 120, 15, 6, asRows, 1, 3},
		{"what does not fit scrolls in panes", 200, 50, 40, asPanes, 3, 6},
		{"what does not fit scrolls in lines", 80, 24, 40, asLines, 1, 5},
		{"no sale at all", 200, 50, 0, asRows, 1, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := Frame{Width: tc.w, Height: tc.h}
			p := planOverview(&f, tc.sales)
			if tc.sales > 0 && p.kind != tc.kind || p.columns != tc.columns || p.shown != tc.shown {
				t.Errorf("kind %d, %d columns, %d shown; want %d, %d, %d", p.kind, p.columns, p.shown, tc.kind, tc.columns, tc.shown)
			}
			if (p.more >= 0) != (tc.shown < tc.sales) {
				t.Errorf("the line that says what is missing stands at %d with %d of %d sales shown", p.more, p.shown, tc.sales)
			}
		})
	}
}

// many makes a snapshot of n sales; every third one is as the one given.
func many(f *Frame, n int) {
	first := f.Snapshot.Sales[5]
	f.Snapshot.Sales, f.Order = nil, nil
	for i := range n {
		s := *first.Sale
		s.ID = sale.ID("s" + number(i))
		st := *first
		st.Sale = &s
		f.Snapshot.Sales = append(f.Snapshot.Sales, &st)
		f.Order = append(f.Order, s.ID)
	}
}

func TestTheLastRowSaysHowManySalesAreOutOfSightAndHowTheWorstOfThemIs(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {120, 36}, {200, 50}} {
		f := monoFrame(size[0], size[1])
		many(&f, 20)
		f.Snapshot.Sales[19].Verdict = sale.Unknown
		r := NewRenderer()
		visible, total := r.OverviewRows(f)
		lines := plainLines(r.Overview(f))
		want := number(total-visible) + " more, worst UNKNOWN"
		if !strings.Contains(strings.Join(lines, "\n"), want) {
			t.Errorf("%v: nowhere %q in\n%s", size, want, strings.Join(lines, "\n"))
		}
		f.Scroll = total
		visible, total = r.OverviewRows(f)
		if !strings.Contains(ansi.Strip(r.Overview(f)), number(total-visible)+" more, worst OK") {
			t.Errorf("%v: at the end of the list the last sale is not in sight", size)
		}
	}
}

func TestEverySaleStaysInReachWhateverTheScroll(t *testing.T) {
	r := NewRenderer()
	for _, size := range [][2]int{{60, 15}, {80, 24}, {120, 36}, {160, 45}, {200, 50}, {300, 100}} {
		f := monoFrame(size[0], size[1])
		many(&f, 57)
		visible, total := r.OverviewRows(f)
		seen := map[sale.ID]bool{}
		for f.Scroll = 0; f.Scroll <= total-visible+3; f.Scroll++ {
			for y := range size[1] {
				for _, x := range []int{0, 70, 140, 210, 280} {
					if hit := r.Hit(f, OverviewScreen, x, y); hit.Area == SaleArea {
						seen[hit.Sale] = true
					}
				}
			}
		}
		if len(seen) != total {
			t.Errorf("%v: %d of %d sales can be scrolled to", size, len(seen), total)
		}
	}
}

func TestTheFrameOfAPaneSaysTheVerdictWithoutColour(t *testing.T) {
	f := monoFrame(200, 50)
	f.ready()
	for id, corner := range map[sale.ID]string{"lanterns": "┏━", "volt": "┌╌", "pier": "┌─", "comets": "┌─"} {
		if top := plainLines(strings.Join(f.pane(f.Snapshot.Sale(id), 66, 22), "\n"))[0]; !strings.HasPrefix(top, corner) {
			t.Errorf("%s begins %q, want %q", id, top, corner)
		}
	}
}

func TestAShortPaneKeepsTheSignalsThatAreInBreach(t *testing.T) {
	f := monoFrame(200, 50)
	f.ready()
	for h := 9; h <= 30; h++ {
		text := ansi.Strip(strings.Join(f.pane(f.Snapshot.Sale("lanterns"), 66, h), "\n"))
		for _, want := range []string{"▲ BAD", "cause  declines 7.0 %", "▲ declines", "◆ db conns"} {
			if !strings.Contains(text, want) {
				t.Errorf("a pane of %d lines lacks %q:\n%s", h, want, text)
			}
		}
	}
}

func TestNeverDroppedAtAnySize(t *testing.T) {
	r := NewRenderer()
	for w := minWidth; w <= 220; w += 13 {
		for h := minHeight; h <= 60; h += 7 {
			f := monoFrame(w, h)
			text := ansi.Strip(r.Overview(f))
			for _, want := range []string{"PROD", "READ-ONLY", "10:08:41", "▲ BAD", "declines 7.0 % > 5.0 %", "ERROR 4:21"} {
				if !strings.Contains(text, want) {
					t.Fatalf("%dx%d lacks %q:\n%s", w, h, want, text)
				}
			}
		}
	}
}

func TestAValueThatIsNotKnownIsNeverAFigure(t *testing.T) {
	f := monoFrame(200, 50)
	f.ready()
	volt, pier := f.Snapshot.Sale("volt"), f.Snapshot.Sale("pier")
	for _, tc := range []struct {
		name                string
		state               *sale.State
		signal              sale.Signal
		now, against, glyph string
	}{
		{"a stale value has a question mark and its word", volt, sale.AdmissionRate, "?394/min", "STALE", "◇"},
		{"a signal never read is none", pier, sale.PaymentFailureRatio, "none", "NO DATA", "◇"},
		{"a signal nobody declared says so", pier, sale.PodsPending, "-", "not declared", ""},
		{"an estimate is marked", pier, sale.Waiting, "~48,310", "watch 36,900", "◆"},
		{"a constant is no reading", pier, sale.DBConnectionsMax, "2,000", "declared", ""},
		{"a late value is still a value", pier, sale.EdgeErrorRatio, "0.18 %", "watch 1.0 %", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fig := figureOf(tc.state, tc.signal, &f)
			if fig.now != tc.now || fig.against != tc.against || fig.glyph != tc.glyph {
				t.Errorf("%q %q %q, want %q %q %q", fig.glyph, fig.now, fig.against, tc.glyph, tc.now, tc.against)
			}
		})
	}
}

func TestAValueAgesOnTheScreenEvenWhenNoNewSnapshotComes(t *testing.T) {
	f := monoFrame(200, 50)
	f.Now = worldNow.Add(time.Hour)
	text := ansi.Strip(NewRenderer().Overview(f))
	if !strings.Contains(text, "data NOT JUDGED for 1:00:00") {
		t.Error("the header does not say that nothing was judged for an hour")
	}
	if strings.Contains(text, "~12,400") || !strings.Contains(text, "?12,400") {
		t.Error("a value an hour old is shown as if it were fresh")
	}
}

func TestAFigureThatIsTooLargeNeverMovesItsNeighbour(t *testing.T) {
	for value, want := range map[string]string{
		"12,400": "12,400", "123,456": "123,456", "1,234,567": ">99,999", "~1,234,567": ">99,999", "unknown thing": "unknow…",
	} {
		if got := fit(value, 7); got != want {
			t.Errorf("%q in 7 cells is %q, want %q", value, got, want)
		}
	}
	if got := fit("1,234,567", 5); got != ">999" {
		t.Errorf("1,234,567 in 5 cells is %q", got)
	}
}

func TestTheFilterIsInSightAndSoIsThatNothingMatches(t *testing.T) {
	f := monoFrame(80, 24)
	f.Header.Filter, f.Order = "zebra", nil
	text := ansi.Strip(NewRenderer().Overview(f))
	if !strings.Contains(text, "filter /zebra") || !strings.Contains(text, `no sale is called anything like "zebra"`) {
		t.Errorf("the filter is not explained:\n%s", text)
	}
}

func TestAnOKStandsOutForAMinuteAfterARecovery(t *testing.T) {
	st := &sale.State{Verdict: sale.OK, Since: worldNow.Add(-40 * time.Second)}
	if got := lookOfSale(st, worldNow).badge; got != edge {
		t.Errorf("40 s after its recovery a sale's OK has style %d", got)
	}
	if got := lookOfSale(st, worldNow.Add(30*time.Second)).badge; got != okWord {
		t.Errorf("70 s after its recovery a sale's OK has style %d", got)
	}
}

func TestOverASlowLinkAgesStepAndNothingIsOlderThanItLooks(t *testing.T) {
	f := Frame{CoarseAges: true}
	for d, want := range map[time.Duration][2]string{
		0: {"0s", "0s"}, 4: {"5s", "0s"}, 5: {"5s", "5s"}, 59: {"1:00", "55s"}, 60: {"1:00", "1:00"}, 61: {"1:15", "1:00"}, 119: {"2:00", "1:45"},
	} {
		if age, held := f.age(d*time.Second), f.held(d*time.Second); age != want[0] || held != want[1] {
			t.Errorf("%d s are %q as an age and %q as what has lasted, want %q", d, age, held, want)
		}
	}
}

func TestASteadySmallScreenCostsFewBytesASecond(t *testing.T) {
	f := worldFrame(80, 24, NewTheme(Options{Dark: true}))
	f.CoarseAges = true
	r := NewRenderer()
	before := plainLines(r.Overview(f))
	changed := 0
	const seconds = 10
	for range seconds {
		f.Now = f.Now.Add(time.Second)
		f.Snapshot.At = f.Now
		after := plainLines(r.Overview(f))
		for y := range after {
			a, b := []rune(after[y]), []rune(before[y])
			for x := range a {
				if x >= len(b) || a[x] != b[x] {
					changed++
				}
			}
		}
		before = after
	}
	// A changed cell costs its glyph and, at worst, a cursor movement: under 12 bytes.
	if perSecond := changed * 12 / seconds; perSecond > 1000 {
		t.Errorf("%d cells changed in %d s: about %d bytes a second", changed, seconds, perSecond)
	}
}

func TestBelowTheSmallestSizeTwoHonestLinesRemain(t *testing.T) {
	f := monoFrame(40, 8)
	r := NewRenderer()
	for _, draw := range []func(Frame) string{r.Overview, r.Sale, r.Sources, r.TooSmall} {
		lines := plainLines(draw(f))
		if want := "▲ BAD lanterns 4:29             10:08:41"; lines[0] != want {
			t.Errorf("first line %q, want %q", lines[0], want)
		}
		if want := "40x8: too small, needs 60x15     q quits"; lines[1] != want {
			t.Errorf("second line %q, want %q", lines[1], want)
		}
	}
}
