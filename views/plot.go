package views

import (
	"math"
	"time"
)

// plot is the drawing area of a chart: braille dots, two across and four down in a cell.
type plot struct {
	w, h  int // cells
	lo    float64
	hi    float64
	dots  []uint8 // one byte a cell
	owner []uint8 // which line the cell's dots belong to, 1-based; the first to draw keeps it
	start time.Time
	step  time.Duration // of one dot column
}

func newPlot(w, h int, now time.Time, window time.Duration) *plot {
	w, h = max(w, 1), max(h, 1)
	step := columnStep(window, 2*w)
	end := alignedEnd(now, 2*step) // whole cells: a steady chart moves by whole columns
	return &plot{w: w, h: h, step: step, start: end.Add(-2 * step * time.Duration(w)), dots: make([]uint8, w*h), owner: make([]uint8, w*h)}
}

func (p *plot) end() time.Time { return p.start.Add(2 * p.step * time.Duration(p.w)) }

// column is the cell column of an instant; ok is false outside the chart.
func (p *plot) column(t time.Time) (x int, ok bool) {
	if t.Before(p.start) || !t.Before(p.end()) {
		return 0, false
	}
	return int(t.Sub(p.start) / (2 * p.step)), true
}

// line is one signal's history over the dot columns.
type line struct {
	past
	every int // draws only each such dot column: 1 solid, 2 and more dotted
}

// row is the dot row of a value, 0 at the top.
func (p *plot) row(v float64) int {
	last := 4*p.h - 1
	if p.hi <= 0 || p.hi <= p.lo {
		return last
	}
	share := v/p.hi - p.lo/p.hi // never a difference of two numbers too large for one
	if whole := 1 - p.lo/p.hi; whole > 0 {
		share /= whole
	}
	switch {
	case share >= 1:
		return 0
	case share > 0:
		return last - int(math.Round(share*float64(last)))
	}
	return last
}

// draw joins the values of a line. Where there is no data the chart has a gap.
func (p *plot) draw(l line, owner uint8) {
	last, lastY := -1, 0
	if !math.IsNaN(l.before) {
		lastY = p.row(l.before)
	}
	for x, v := range l.values {
		if math.IsNaN(v) {
			continue
		}
		y := p.row(v)
		if l.linked[x] && (last >= 0 || !math.IsNaN(l.before)) {
			p.join(last, lastY, x, y, l.every, owner)
		} else {
			p.dot(x, y, owner)
		}
		last, lastY = x, y
	}
}

// join draws a line between two points: level steps across, upright ones where it climbs.
func (p *plot) join(x0, y0, x1, y1, every int, owner uint8) {
	previous := y0
	for x := x0 + 1; x <= x1; x++ {
		y := y0 + (y1-y0)*(x-x0)/(x1-x0)
		if x%every == 0 {
			from, to := previous, y
			if from < to {
				from++
			} else if from > to {
				from--
			}
			for from != to && every == 1 {
				p.dot(x, from, owner)
				if from < to {
					from++
				} else {
					from--
				}
			}
			p.dot(x, y, owner)
		}
		previous = y
	}
}

func (p *plot) dot(x, y int, owner uint8) {
	if x < 0 || y < 0 || x >= 2*p.w || y >= 4*p.h {
		return
	}
	bits := [4][2]uint8{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}
	i := y/4*p.w + x/2
	p.dots[i] |= bits[y%4][x%2]
	if p.owner[i] == 0 {
		p.owner[i] = owner
	}
}

// braille returns the glyph of a cell's dots.
func braille(dots uint8) string {
	r := [3]byte{0xE2, 0xA0 | dots>>6, 0x80 | dots&0x3F}
	return string(r[:])
}

// niceCeil is the least of 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten that is
// not below v: a top of an axis that a person can read.
func niceCeil(v float64) float64 {
	if v <= 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10} {
		if top := m * power; top >= v*(1-1e-9) {
			return top
		}
	}
	return 10 * power
}

// steps is into how many round steps the top of an axis divides.
func steps(top float64) int {
	if top <= 0 {
		return 1
	}
	switch m := math.Round(top/math.Pow(10, math.Floor(math.Log10(top)*(1+1e-12)))*100) / 100; m {
	case 1.5, 3, 6:
		return 3
	case 1, 2.5, 5, 10:
		return 5
	default:
		return 4
	}
}
