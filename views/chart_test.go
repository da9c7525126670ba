package views

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/onsale-dev/onsale/sale"
)

func seriesOf(step time.Duration, values ...float64) sale.Series {
	points := make([]sale.Point, 0, len(values))
	for i, v := range values {
		if !math.IsNaN(v) {
			points = append(points, sale.Point{At: worldNow.Add(-time.Duration(len(values)-1-i) * step), Value: v})
		}
	}
	return sale.SeriesOf(points)
}

func TestASteadyChartMovesByWholeColumnsOnly(t *testing.T) {
	f := monoFrame(160, 45)
	st := f.Snapshot.Sale("comets")
	r := NewRenderer()
	f.ready()
	step := 2 * columnStep(f.window(), 2*(90-gutter))
	f.Now = alignedEnd(f.Now, step)
	first := strings.Join(r.chart(&f, st, 1, 90, 6)[1:], "\n")
	for s := time.Second; s < step; s += time.Second {
		g := f
		g.Now = f.Now.Add(s)
		if again := strings.Join(r.chart(&g, st, 1, 90, 6)[1:], "\n"); again != first {
			t.Fatalf("after %v of a column of %v the plot has changed", s, step)
		}
	}
	g := f
	g.Now = f.Now.Add(step)
	p, q := newPlot(82, 5, f.Now, f.window()), newPlot(82, 5, g.Now, g.window())
	if q.start.Sub(p.start) != step {
		t.Errorf("a column later the plot begins %v later, want %v", q.start.Sub(p.start), step)
	}
	history := st.Signals[0].History
	dots := func(p *plot) []float64 { return spread(history, 30*time.Second, p.start, p.step, 2*p.w, mean).values }
	old, moved := dots(p), dots(q)
	for i := 4; i < 100; i++ {
		if a, b := old[i+2], moved[i]; a != b && !(math.IsNaN(a) && math.IsNaN(b)) {
			t.Fatalf("dot column %d was %v and is %v one column further left", i+2, a, b)
		}
	}
}

func TestAChartEndsWhereItsSourceEnds(t *testing.T) {
	p := newPlot(60, 5, worldNow, 10*time.Minute)
	values := spread(seriesOf(5*time.Second, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), 5*time.Second, p.start, p.step, 2*p.w, mean).values
	last := len(values) - 1
	for math.IsNaN(values[last]) {
		last--
	}
	if at := p.start.Add(time.Duration(last) * p.step); at.After(worldNow) || worldNow.Sub(at) > 2*p.step {
		t.Errorf("the newest dot stands at %v, the newest reading at %v", at, worldNow)
	}
	f := monoFrame(120, 36)
	text := ansi.Strip(strings.Join(NewRenderer().chart(&f, f.Snapshot.Sale("volt"), 0, 100, 6), "\n"))
	if !strings.Contains(text, "metrics-st 4:21 STALE") {
		t.Errorf("the title does not say how old the chart is:\n%s", text)
	}
}

// drawn returns which cell columns of a plot hold a dot.
func drawn(p *plot) []bool {
	columns := make([]bool, p.w)
	for i, d := range p.dots {
		columns[i%p.w] = columns[i%p.w] || d != 0
	}
	return columns
}

func TestWhereThereIsNoDataAChartHasAGap(t *testing.T) {
	values := make([]float64, 121)
	for i := range values {
		values[i] = 5
		if i > 40 && i < 80 {
			values[i] = math.NaN()
		}
	}
	p := newPlot(40, 4, worldNow, 4*time.Minute)
	p.hi = 10
	p.draw(line{past: spread(seriesOf(2*time.Second, values...), 2*time.Second, p.start, p.step, 2*p.w, mean), every: 1}, 1)
	first, _ := p.column(worldNow.Add(-79 * 2 * time.Second))
	last, _ := p.column(worldNow.Add(-41 * 2 * time.Second))
	for x, is := range drawn(p)[:39] {
		if gap := x > first && x < last; is == gap {
			t.Errorf("column %d: drawn is %v; the gap is from %d to %d", x, is, first, last)
		}
	}
}

func TestReadingsAreJoinedWhenTheirCadenceOrTheirNeighboursExplainTheTimeBetweenThem(t *testing.T) {
	s := time.Second
	for _, tc := range []struct {
		name   string
		gaps   []time.Duration // between readings, oldest first
		period time.Duration
		linked []bool
	}{
		{"a minute apart at a cadence of a minute", []time.Duration{60 * s, 60 * s, 60 * s}, 60 * s, []bool{true, true, true}},
		{"one reading missed is still within one and a half periods", []time.Duration{60 * s, 90 * s, 60 * s}, 60 * s, []bool{true, true, true}},
		{"two readings missed are a gap", []time.Duration{60 * s, 180 * s, 60 * s}, 60 * s, []bool{true, false, true}},
		{"a coarse past before fine live readings", []time.Duration{30 * s, 30 * s, 30 * s, 2 * s, 2 * s}, 2 * s, []bool{true, true, true, true, true}},
		{"an outage between coarse and fine", []time.Duration{30 * s, 30 * s, 300 * s, 2 * s, 2 * s}, 2 * s, []bool{true, true, false, true, true}},
		{"an outage in fine readings", []time.Duration{2 * s, 2 * s, 40 * s, 2 * s, 2 * s}, 2 * s, []bool{true, true, false, true, true}},
		{"a past of one an hour is no line", []time.Duration{3600 * s, 3600 * s, 3600 * s, 3600 * s}, 2 * s, []bool{false, false, false, false}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			at := []int64{0}
			for _, gap := range tc.gaps {
				at = append(at, at[len(at)-1]+int64(gap))
			}
			for i, want := range tc.linked {
				if got := linked(at, i+1, tc.period); got != want {
					t.Errorf("reading %d after %v: linked is %v", i+1, tc.gaps[i], got)
				}
			}
		})
	}
}

func TestASpikeOverALimitIsNeverAveragedAway(t *testing.T) {
	values := make([]float64, 600)
	for i := range values {
		values[i] = 1
	}
	values[300] = 90
	p := newPlot(20, 4, worldNow, 10*time.Minute)
	top := func(keep extreme) float64 {
		most := 0.0
		for _, v := range spread(seriesOf(time.Second, values...), time.Second, p.start, p.step, 2*p.w, keep).values {
			if v > most {
				most = v
			}
		}
		return most
	}
	if got := top(highest); got != 90 {
		t.Errorf("with a threshold above it the spike is drawn at %v", got)
	}
	if got := top(mean); got > 20 {
		t.Errorf("without a threshold the mean of the column is %v", got)
	}
}

func TestThresholdsStandAtTheirHeightWithTheirValue(t *testing.T) {
	f := monoFrame(120, 36)
	lines := plainLines(strings.Join(NewRenderer().chart(&f, f.Snapshot.Sale("lanterns"), 2, 90, 12), "\n"))
	for _, want := range []string{"   5.0 ┤┄", "   3.0 ┤"} {
		found := false
		for _, l := range lines {
			found = found || strings.HasPrefix(l, want)
		}
		if !found {
			t.Errorf("no line begins %q:\n%s", want, strings.Join(lines, "\n"))
		}
	}
	if !strings.Contains(lines[0], "▲ now 7.0 %  watch 3.0, limit 5.0") {
		t.Errorf("the title is %q", lines[0])
	}
}

func TestAConnectionsChartIsInPerCentOfTheDatabasesOwnLimit(t *testing.T) {
	f := monoFrame(120, 36)
	plan := f.planChart(f.Snapshot.Sale("lanterns"), &f.Snapshot.Sale("lanterns").Sale.Panels[3])
	if plan.title != "database connections, % of 2,000" || plan.unit != sale.Ratio {
		t.Errorf("title %q, unit %q", plan.title, plan.unit)
	}
	for i, want := range []float64{0.8, 0.95} {
		if got := plan.levels[i].value; math.Abs(got-want) > 1e-9 {
			t.Errorf("level %d stands at %v, want %v", i, got, want)
		}
	}
}

func TestTheTopOfAnAxisIsReadableAndOverEverything(t *testing.T) {
	for _, v := range []float64{1e-9, 0.0007, 0.05, 0.95, 1, 7.3, 101, 640, 12400, 36900, 8.5e14} {
		top := niceCeil(v)
		if top < v || top > 2*v {
			t.Errorf("the axis of %v ends at %v", v, top)
		}
		if n := steps(top); n < 3 || n > 5 {
			t.Errorf("the axis to %v has %d steps", top, n)
		}
	}
	for _, v := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if top := niceCeil(v); top != 1 {
			t.Errorf("the axis of %v ends at %v", v, top)
		}
	}
}

func TestATrendTellsZeroFromNoReading(t *testing.T) {
	if got := bar(0, 10); got != "▁" {
		t.Errorf("zero is %q", got)
	}
	for v, want := range map[float64]string{1: "▁", 5: "▅", 9.9: "█", 10: "█", 50: "█"} {
		if got := bar(v, 10); got != want {
			t.Errorf("%v of 10 is %q, want %q", v, got, want)
		}
	}
	for _, ascii := range []bool{false, true} {
		theme := NewTheme(Options{ASCII: ascii, Profile: Mono})
		if theme.gap() == bar(0, 10) || asciiOf(theme.gap(), 1) == asciiOf(bar(0, 10), 1) {
			t.Error("a gap looks like a zero")
		}
	}
}

func TestATrendIsFilledBetweenLinkedReadingsAndNeverUpToNow(t *testing.T) {
	nan := math.NaN()
	for _, tc := range []struct {
		name string
		past past
		want []float64
	}{
		{"between two readings", past{[]float64{nan, 1, nan, 2, nan}, []bool{false, false, false, true, false}, nan}, []float64{nan, 1, 1, 2, nan}},
		{"not over a gap", past{[]float64{1, nan, nan, 2}, make([]bool, 4), nan}, []float64{1, nan, nan, 2}},
		{"from before the first column", past{[]float64{nan, nan, 2, nan}, []bool{false, false, true, false}, 7}, []float64{7, 7, 2, nan}},
		{"nothing at all", past{[]float64{nan, nan}, make([]bool, 2), nan}, []float64{nan, nan}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for i, got := range tc.past.bridge() {
				if want := tc.want[i]; got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
					t.Errorf("column %d is %v, want %v", i, got, want)
				}
			}
		})
	}
}
