package views

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

const (
	gutter     = 8 // the y axis with its labels
	chartLeast = 5 // a title and four rows
)

// chartLine is one signal of a panel as its chart draws it.
type chartLine struct {
	fig   figure
	known *sale.Known
}

// threshold is a level line of a chart.
type threshold struct {
	value float64
	word  string // "limit", "watch"; of a limit that is itself a signal, its label
	style style
}

// chartPlan is a panel resolved against a state: what is drawn as a line and what as a level.
type chartPlan struct {
	title  string
	lines  []chartLine
	levels []threshold
	unit   sale.Unit
	scale  float64 // from the signal's unit to the axis'
}

// isLevel reports signals that are limits themselves: they are drawn as levels.
func isLevel(spec *sale.Spec) bool {
	switch spec.Signal {
	case sale.AdmissionLimit, sale.ActiveLimit, sale.DBConnectionsMax, sale.CapacityMax, sale.CapacityMin:
		return true
	}
	return spec.Constant != nil
}

func (f *Frame) planChart(st *sale.State, panel *sale.Panel) chartPlan {
	p := chartPlan{title: panel.Title, scale: 1}
	var limits []sale.Known
	for _, signal := range panel.Signals {
		k, ok := st.Signal(signal)
		if !ok {
			continue
		}
		if isLevel(k.Spec) && len(panel.Signals) > 1 {
			limits = append(limits, k)
			continue
		}
		p.lines = append(p.lines, chartLine{fig: figureOfKnown(st, k, f), known: &k})
	}
	if len(p.lines) == 0 {
		return p
	}
	first := p.lines[0].known
	p.unit = first.Spec.Unit
	if whole, ok := valueOf(st, first.Spec.Of); ok && whole > 0 && len(p.lines) == 1 && first.Spec.Signal == sale.DBConnections {
		p.unit, p.scale = sale.Ratio, 1/whole
		p.title += ", % of " + format(whole, first.Spec.Unit)
	}
	for _, level := range []struct {
		rule  *sale.Rule
		word  string
		style style
	}{{first.Spec.Rules.Watch.In(st.Phase), "watch", watch}, {first.Spec.Rules.Bad.In(st.Phase), "limit", bad}} {
		if v := limitValue(st, level.rule); !math.IsNaN(v) {
			p.levels = append(p.levels, threshold{v * p.scale, level.word, level.style})
		}
	}
	if safe := st.SafeAdmission; safe.Has && first.Spec.Signal == sale.AdmissionRate {
		p.levels = append(p.levels, threshold{safe.PerMinute * p.scale, "safe", watch})
	}
	for i := range limits {
		if v, ok := valueOf(st, limits[i].Spec.Signal); ok {
			p.levels = append(p.levels, threshold{v * p.scale, limits[i].Spec.Label, dim})
		}
	}
	return p
}

// chart draws one panel in w x h cells: a title, then the plot. Its plot is drawn again only
// when a reading came or a column passed; the title has the age, so it is drawn each time.
func (r *Renderer) chart(f *Frame, st *sale.State, index, w, h int) []string {
	panel := &st.Sale.Panels[index]
	plan := f.planChart(st, panel)
	c := newCanvas(f.Theme, w, 1)
	f.chartTitle(c, st, &plan, index)
	rows := c.rows()
	c.release()
	step := columnStep(f.window(), 2*max(w-gutter, 1))
	key := partKey{what: "plot", sale: st.Sale, version: st.Version, w: w, h: h, second: alignedEnd(f.Now, 2*step).Unix(), detail: number(index) + string(st.Phase)}
	return append(rows, r.part(f, key, func() []string { return f.chartPlot(st, &plan, w, h-1) })...)
}

// chartTitle says what the chart shows, its value now and its limits, and on the right
// where the figures come from and how old they are.
func (f *Frame) chartTitle(c *canvas, st *sale.State, plan *chartPlan, index int) {
	s, focus := text, " "
	if index == f.Panel {
		s, focus = accent, ">"
	}
	left := []part{say(s, 0, spaces(gutter-3)+focus+" "+plan.title)}
	if len(plan.lines) == 0 {
		left = append(left, say(unknown, 0, "none of its signals is declared"))
		c.spreadBy(2, 0, left, nil)
		return
	}
	for i := range plan.lines {
		l := &plan.lines[i]
		now := l.fig.now
		switch {
		case len(plan.lines) == 1:
			now = "now " + now
		case i == 0:
			now = l.fig.label + " " + now
		default:
			now = l.fig.label + " " + now + " (dotted)"
		}
		if l.fig.glyph != "" {
			now = l.fig.glyph + " " + now
		}
		left = append(left, say(l.fig.nowStyle, 1+i, now))
	}
	var limits []string
	for _, level := range plan.levels {
		word := level.word
		if len(plan.lines) == 1 && word == plan.lines[0].fig.label {
			word = "limit"
		}
		limits = append(limits, word+" "+short(format(level.value, plan.unit)))
	}
	left = append(left, say(dim, 4, strings.Join(limits, ", ")))
	if v, ok := plannedNow(st, plan.lines[0].known.Spec.Signal); ok && len(plan.lines) == 1 {
		left = append(left, say(dim, 6, "plan "+short(format(v*plan.scale, plan.unit))+" (dotted)"))
	}
	fig := &plan.lines[0].fig
	word, style := freshnessLook(fig.freshness)
	source := strings.TrimSpace(plan.lines[0].known.Spec.Source + " " + fig.age + " " + word)
	c.spreadBy(2, 0, left, []part{say(style, 5, source, strings.TrimSpace(fig.age+" "+word))})
}

// chartPlot draws the axis, the levels, the phase marks and the lines.
func (f *Frame) chartPlot(st *sale.State, plan *chartPlan, w, h int) []string {
	c := newCanvas(f.Theme, w, h)
	defer c.release()
	if w <= gutter+2 || h < 1 {
		return c.rows()
	}
	p := newPlot(w-gutter, h, f.Now, f.window())
	lines := p.lines(st, plan)
	p.span(plan, lines)
	for i, l := range lines {
		p.draw(l, uint8(i+1))
	}
	if len(lines) > 0 {
		f.chartAxis(c, p, plan)
	}
	for _, level := range plan.levels {
		if y := p.row(level.value) / 4; level.value <= p.hi {
			c.fill(gutter, y, p.w, level.style, "┄")
		}
	}
	for _, m := range append(phaseMarks(st), f.eventMarks(st)...) {
		if x, ok := p.column(m.at); ok {
			for y := range h {
				glyph := "┊"
				if !c.blank(gutter+x, y) {
					glyph = "┼"
				}
				c.set(gutter+x, y, mark, glyph, 1)
			}
		}
	}
	styles := [4]style{text, text, dim, mark}
	for i, dots := range p.dots {
		if dots != 0 {
			c.set(gutter+i%p.w, i/p.w, styles[min(int(p.owner[i]), 3)], braille(dots), 1)
		}
	}
	return c.rows()
}

func (p *plot) lines(st *sale.State, plan *chartPlan) []line {
	lines := make([]line, 0, len(plan.lines))
	for i := range plan.lines {
		k := plan.lines[i].known
		keep := mean
		if rule, _ := ruleOf(st, k); rule != nil {
			keep = lowest
			if rule.Above {
				keep = highest
			}
		}
		l := line{past: spread(k.History, k.Spec.Cadence.Period, p.start, p.step, 2*p.w, keep), every: 1 << i}
		l.before *= plan.scale
		for x := range l.values {
			l.values[x] *= plan.scale
		}
		lines = append(lines, l)
	}
	if len(plan.lines) == 1 { // the plan is dotted, as a second signal is
		if course, ok := planned(st.Sale, plan.lines[0].known.Spec.Signal, p.start, p.step, 2*p.w); ok {
			for x := range course.values {
				course.values[x] *= plan.scale
			}
			lines = append(lines, line{past: course, every: 4})
		}
	}
	return lines
}

// span sets the axis from zero, or the lowest value below it, to a readable top over
// everything that is drawn and every level.
func (p *plot) span(plan *chartPlan, lines []line) {
	top := 0.0
	for _, l := range lines {
		for _, v := range l.values {
			if v > top {
				top = v
			}
			if v < p.lo {
				p.lo = v
			}
		}
	}
	for _, level := range plan.levels {
		top = max(top, level.value)
	}
	if p.lo < 0 {
		p.lo = -niceCeil(-p.lo)
	}
	p.hi = niceCeil(top)
}

// chartAxis draws the y axis: its ends, every level, and round steps where there is room.
func (f *Frame) chartAxis(c *canvas, p *plot, plan *chartPlan) {
	taken := make([]bool, c.h)
	label := func(y int, v float64, s style, tick string) {
		if y < 0 || y >= c.h || taken[y] {
			return
		}
		taken[y] = true
		words := "0"
		if v != 0 {
			words = fit(short(format(v, plan.unit)), gutter-2)
		}
		c.right(gutter-2, y, gutter-2, s, words)
		c.set(gutter-1, y, dim, tick, 1)
	}
	for y := range c.h {
		c.set(gutter-1, y, dim, "│", 1)
	}
	for _, level := range slices.Backward(plan.levels) {
		label(p.row(level.value)/4, level.value, level.style, "┤")
	}
	label(0, p.hi, dim, "│")
	label(c.h-1, p.lo, dim, "│")
	if c.h >= 9 {
		n := steps(p.hi)
		for i := 1; i < n && p.lo == 0; i++ {
			v := p.hi * float64(i) / float64(n)
			label(p.row(v)/4, v, dim, "┤")
		}
	}
}

// phaseMark is a moment at which a sale passes into another phase.
type phaseMark struct {
	at   time.Time
	word string
}

func phaseMarks(st *sale.State) []phaseMark {
	var marks []phaseMark
	for _, m := range []phaseMark{{st.Sale.Prequeue, "prequeue"}, {st.Sale.Opens, "opens"}, {st.Sale.Closes, "closes"}} {
		if !m.at.IsZero() {
			marks = append(marks, m)
		}
	}
	scheduled := slices.ContainsFunc(marks, func(m phaseMark) bool { return m.at.Equal(st.PhaseSince) })
	if !st.PhaseSince.IsZero() && !scheduled {
		marks = append(marks, phaseMark{st.PhaseSince, string(st.Phase)})
	}
	return marks
}

// timeAxis draws the times under a column of charts, w cells wide with their gutter.
func (f *Frame) timeAxis(st *sale.State, w int) string {
	c := newCanvas(f.Theme, w, 1)
	defer c.release()
	if w <= gutter+10 {
		return c.rows()[0]
	}
	p := newPlot(w-gutter, 1, f.Now, f.window())
	free := func(from, to int) bool {
		for x := from - 1; x <= to; x++ {
			if x >= 0 && x < w && !c.blank(x, 0) {
				return false
			}
		}
		return from >= 0 && to <= w
	}
	if f.Now.Before(p.end()) {
		c.right(w, 0, 3, text, "now")
	}
	for _, m := range phaseMarks(st) {
		if x, ok := p.column(m.at); ok && free(gutter+x, gutter+x+1+len(m.word)) {
			c.put(gutter+x, 0, mark, "┊"+m.word)
		}
	}
	every := tickEvery(2*p.step, 12)
	first := p.start.Truncate(every).Add(every)
	for t := first; t.Before(p.end()); t = t.Add(every) {
		x, ok := p.column(t)
		if from := gutter + x - 2; ok && free(from, from+5) {
			c.put(from, 0, dim, t.In(f.Now.Location()).Format("15:04"))
		}
	}
	return c.rows()[0]
}

// tickEvery is the least round time whose ticks stand at least apart cells from each other.
func tickEvery(column time.Duration, apart int) time.Duration {
	for _, m := range []int{1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720} {
		if every := time.Duration(m) * time.Minute; every >= column*time.Duration(apart) {
			return every
		}
	}
	return 24 * time.Hour
}
