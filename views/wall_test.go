package views

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/onsale-dev/onsale/sale"
)

// wallWorlds are the states of the wall that have a golden picture, by name.
func wallWorlds(r *Renderer) map[string]func(Frame) string {
	return map[string]func(Frame) string{
		"wall": r.Wall,
		"wall-held": func(f Frame) string {
			f.Now = f.Now.Add(83 * time.Second) // nothing was judged since
			return r.Wall(f)
		},
		"wall-lost": func(f Frame) string {
			for i := range f.Snapshot.Sources {
				f.Snapshot.Sources[i].Condition = sale.SourceError
			}
			return r.Wall(f)
		},
		"wall-calm": func(f Frame) string {
			for i := range f.Snapshot.Sources {
				f.Snapshot.Sources[i].Condition = sale.SourceLive
			}
			for i, st := range f.Snapshot.Sales {
				calm := *st
				calm.Verdict, calm.Reasons, calm.Cause, calm.Since = sale.OK, nil, sale.Cause{}, worldNow.Add(-3*time.Hour)
				f.Snapshot.Sales[i] = &calm
			}
			return r.Wall(f)
		},
		"wall-many": func(f Frame) string { return r.Wall(manySales(f, 30)) },
		"wall-turns": func(f Frame) string {
			f.Rotate = 20 * time.Second
			return r.Wall(manySales(f, 30))
		},
		"wall-broken": func(f Frame) string { return r.WallBroken(f, "index out of range [3] with length 3") },
	}
}

// manySales repeats the world's sales until there are n of them.
func manySales(f Frame, n int) Frame {
	base := f.Snapshot.Sales
	f.Order = nil
	f.Snapshot.Sales = nil
	for i := range n {
		st := *base[i%len(base)]
		s := *st.Sale
		s.ID = sale.ID(fmt.Sprintf("%s-%d", s.ID, i))
		s.Digit = 0
		st.Sale = &s
		f.Snapshot.Sales = append(f.Snapshot.Sales, &st)
	}
	sale.SortWorstFirst(f.Snapshot.Sales)
	for _, st := range f.Snapshot.Sales {
		f.Order = append(f.Order, st.Sale.ID)
	}
	return f
}

func TestTheWallLooksAsItDid(t *testing.T) {
	worlds := wallWorlds(NewRenderer())
	for _, size := range append(sizes(), [2]int{40, 6}) {
		compareGolden(t, "wall", size, "mono", worlds["wall"])
	}
	for _, theme := range []string{"dark", "light", "ascii"} {
		compareGolden(t, "wall", [2]int{160, 45}, theme, worlds["wall"])
	}
	for _, name := range []string{"wall-held", "wall-lost", "wall-calm", "wall-many", "wall-turns", "wall-broken"} {
		compareGolden(t, name, [2]int{160, 45}, "mono", worlds[name])
		compareGolden(t, name, [2]int{80, 24}, "mono", worlds[name])
	}
}

func drawWall(f Frame) string { return NewRenderer().Wall(f) }

func wallFrame(w, h int) Frame { return worldFrame(w, h, NewTheme(themes()["mono"])) }

func TestTheWallNamesEverySaleInTheOrderOfTheFrame(t *testing.T) {
	for _, size := range sizes() {
		f := wallFrame(size[0], size[1])
		screen := drawWall(f)
		at := 0
		for _, st := range f.sales() {
			_, act, _ := strings.Cut(saleTitle(st.Sale, 200), " · ")
			i := strings.Index(screen[at:], act[:8])
			if i < 0 {
				if strings.Contains(screen, "more, worst") {
					break
				}
				t.Errorf("%dx%d does not name %s after those before it", size[0], size[1], act)
				continue
			}
			at += i
		}
	}
}

func TestTheClockOfTheWallStandsStillWhenNothingIsJudged(t *testing.T) {
	for _, size := range [][2]int{{160, 45}, {80, 24}, {60, 15}, {40, 4}} {
		f := wallFrame(size[0], size[1])
		later := f
		later.Now = f.Now.Add(20 * time.Second)
		muchLater := f
		muchLater.Now = f.Now.Add(3 * time.Hour)
		if f.wallClock(f.link()) != f.Now {
			t.Error("the clock does not go while the snapshot is fresh")
		}
		if a, b := later.wallClock(later.link()), muchLater.wallClock(muchLater.link()); !a.Equal(f.Now) || !b.Equal(f.Now) {
			t.Errorf("the clock shows %s and %s, though nothing was judged since %s", a, b, f.Now)
		}
		screen := drawWall(later)
		if !strings.Contains(screen, "LINK LOST: nothing was judged") {
			t.Errorf("%v does not say that the link is lost:\n%s", size, screen)
		}
		if !strings.Contains(screen, "?BAD") {
			t.Errorf("%v shows a verdict that is not judged any more as if it were:\n%s", size, screen)
		}
	}
}

func TestAWallThatNoSourceAnswersSaysSoThoughItsClockGoes(t *testing.T) {
	f := wallFrame(160, 45)
	for i := range f.Snapshot.Sources {
		f.Snapshot.Sources[i].Condition = sale.SourceError
	}
	l := f.link()
	if !l.lost || l.held || f.wallClock(l) != f.Now {
		t.Errorf("lost %v, held %v", l.lost, l.held)
	}
	if screen := drawWall(f); !strings.Contains(screen, "LINK LOST: none of 6 sources answers") {
		t.Error(screen)
	}
	f.Snapshot.Sources[2].Condition = sale.SourceLive
	if screen := drawWall(f); strings.Contains(screen, "LINK LOST:") && !strings.Contains(screen, "lost link: ") {
		t.Errorf("a source answers again and the link is still lost:\n%s", screen)
	}
}

func TestTheWallMovesByOneCellEveryTenMinutesAndNoSooner(t *testing.T) {
	f := wallFrame(160, 45)
	corner := func() [2]int {
		for y, line := range strings.Split(drawWall(f), "\n") {
			if x := strings.Index(line, "onsale wall"); x >= 0 {
				return [2]int{x, y}
			}
		}
		t.Fatal("no header")
		return [2]int{}
	}
	f.Now = f.Now.Truncate(wallShift)
	seen := map[[2]int]bool{}
	last := corner()
	for range 12 {
		f.Now = f.Now.Add(wallShift - time.Second)
		f.Snapshot.At = f.Now
		if at := corner(); at != last {
			t.Errorf("it moved from %v to %v too soon", last, at)
		}
		f.Now = f.Now.Add(time.Second)
		at := corner()
		if d := abs(at[0]-last[0]) + abs(at[1]-last[1]); d != 1 {
			t.Errorf("it moved from %v to %v", last, at)
		}
		seen[at], last = true, at
	}
	if len(seen) != 6 {
		t.Errorf("%d places", len(seen))
	}
}

func abs(n int) int { return max(n, -n) }

func TestSalesTakeTurnsOnTheWallOnlyWhenAsked(t *testing.T) {
	f := manySales(wallFrame(160, 45), 30)
	still := drawWall(f)
	f.Now = f.Now.Add(time.Second)
	f.Snapshot.At = f.Now
	if !strings.Contains(still, string(lookOf(f.sales()[1].Verdict).word)) || strings.Contains(still, "page ") {
		t.Errorf("pages without being asked:\n%s", still)
	}
	f.Rotate = 20 * time.Second
	n := len(f.sales()) - 1
	seen := map[int]bool{}
	for range 60 {
		p := planWall(158, 44, n, f.Rotate, f.Now)
		for i := range p.tall + p.small {
			seen[p.from+i] = true
		}
		if p.tall+p.small+p.hidden != n {
			t.Fatalf("%d shown and %d hidden of %d", p.tall+p.small, p.hidden, n)
		}
		f.Now = f.Now.Add(f.Rotate)
	}
	if len(seen) != n {
		t.Errorf("%d of %d sales had their turn", len(seen), n)
	}
}

func TestTheWallHasRoomForEveryRowThatItPlans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h, n := rapid.IntRange(58, 240).Draw(t, "w"), rapid.IntRange(14, 120).Draw(t, "h"), rapid.IntRange(0, 60).Draw(t, "others")
		rotate := time.Duration(rapid.IntRange(0, 60).Draw(t, "rotate")) * time.Second
		p := planWall(w, h, n, rotate, worldNow)
		used := p.height() + tallRows*p.tall + p.small
		if p.hidden > 0 {
			used++
		}
		if used > h {
			t.Fatalf("%+v takes %d of %d rows", p, used, h)
		}
		if p.tall+p.small+p.hidden != n || p.from < 0 || p.from+p.tall+p.small > n {
			t.Fatalf("%+v of %d", p, n)
		}
	})
}

func TestAnyStateOnTheWallHasItsExactSize(t *testing.T) {
	theme := NewTheme(themes()["dark"])
	ascii := NewTheme(themes()["ascii"])
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(0, 220).Draw(t, "w"), rapid.IntRange(1, 60).Draw(t, "h")
		f := worldFrame(w, h, theme)
		if rapid.Bool().Draw(t, "ascii") {
			f.Theme = ascii
		}
		f.Now = moments().Draw(t, "now")
		f.Rotate = time.Duration(rapid.IntRange(0, 90).Draw(t, "rotate")) * time.Second
		f.Snapshot.Sales, f.Order = nil, nil
		for i := range rapid.IntRange(0, 12).Draw(t, "sales") {
			id := sale.ID(fmt.Sprintf("sale-%d", i))
			st := anyState(t, id)
			st.Sale.Wall = names().Draw(t, "wall")
			f.Snapshot.Sales, f.Order = append(f.Snapshot.Sales, st), append(f.Order, id)
		}
		checkSize(t, drawWall(f), w, h)
		checkSize(t, NewRenderer().WallBroken(f, names().Draw(t, "why")), w, h)
	})
}

func TestBigLettersLoseTheirMarksAndLeaveOutWhatTheyCantWrite(t *testing.T) {
	for in, want := range map[string]string{
		"Podsiadło": "PODSIADLO", "Šimunica": "SIMUNICA", "4:29": "4:29", "~12,400": "~12,400", "a (b) c": "A B C", "straße": "STRASE",
	} {
		if got, whole := bigSpell(in); got != want || !whole {
			t.Errorf("%q is spelled %q, whole %v", in, got, whole)
		}
	}
	if got, whole := bigSpell("東京 live"); got != "LIVE" || whole {
		t.Errorf("%q, whole %v", got, whole)
	}
}

func TestTheBigNameOfASale(t *testing.T) {
	for _, c := range []struct {
		sale sale.Sale
		w    int
		want string
	}{
		{sale.Sale{ID: "owls", Name: "Paper Owls"}, 100, "PAPER OWLS"},
		{sale.Sale{ID: "owls", Name: "Paper Owls"}, 20, "OWLS"},
		{sale.Sale{ID: "owls", Name: "Harbour Hall · Paper Owls"}, 100, "PAPER OWLS"},
		{sale.Sale{ID: "owls", Name: "Paper Owls", Wall: "owl night"}, 100, "OWL NIGHT"},
		{sale.Sale{ID: "owls", Name: "Paper Owls", Wall: "a very long word indeed"}, 40, "OWLS"},
		{sale.Sale{ID: "tokyo-1", Name: "東京の夜"}, 100, "TOKYO-1"},
		{sale.Sale{ID: "a-long-identifier", Name: "夜"}, 12, "A-L"},
		{sale.Sale{ID: "x", Name: ""}, 3, "X"},
	} {
		got := wallName(&c.sale, c.w)
		if got != c.want || bigRows.width(got) > c.w {
			t.Errorf("%q in %d cells is %q, want %q", c.sale.Name, c.w, got, c.want)
		}
	}
}

func TestHowLongInBigLettersNeverReadsAsAnotherUnit(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0:00", 29 * time.Second: "0:29", 4*time.Minute + 29*time.Second: "4:29", time.Hour - time.Second: "59:59",
		2*time.Hour + 8*time.Minute: "2H08", 30 * time.Hour: "1D06", 150 * 24 * time.Hour: "150D",
	} {
		if got := bigFor(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
}

// BenchmarkWall draws the next second's wall; bytes/frame is the whole picture, of which a terminal
// gets what changed.
func BenchmarkWall(b *testing.B) {
	r := NewRenderer()
	f := worldFrame(160, 45, NewTheme(Options{Dark: true}))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		f.Now = f.Now.Add(time.Second)
		f.Snapshot.At = f.Now
		n = len(r.Wall(f))
	}
	b.ReportMetric(float64(n), "bytes/frame")
}

func TestTheWallSaysWhatMustNotBeMissed(t *testing.T) {
	for _, size := range [][2]int{{160, 45}, {80, 24}, {60, 15}} {
		f := wallFrame(size[0], size[1])
		f.Header.Loud = "CONFIG NOT TAKEN, the old one stays"
		if screen := drawWall(f); !strings.Contains(screen, "▲ CONFIG NOT TAKEN") {
			t.Errorf("%v does not say it:\n%s", size, screen)
		}
		f.Now = f.Now.Add(time.Minute) // a lost link is worse
		if screen := drawWall(f); strings.Contains(screen, "CONFIG NOT TAKEN") || !strings.Contains(screen, "LINK LOST") {
			t.Errorf("%v hides that the link is lost:\n%s", size, screen)
		}
	}
}
