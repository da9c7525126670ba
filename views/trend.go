package views

import (
	"math"
	"strconv"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// defaultWindow is what trends and charts look back when the frame names no window.
const defaultWindow = 20 * time.Minute

func (f *Frame) window() time.Duration {
	if f.Window <= 0 {
		return defaultWindow
	}
	return f.Window
}

// columnStep is the time that one of n columns stands for, in whole seconds, so that n of
// them cover at least the window.
func columnStep(window time.Duration, n int) time.Duration {
	if n <= 0 {
		return window
	}
	step := (window + time.Duration(n) - 1) / time.Duration(n)
	return max((step+time.Second-1)/time.Second*time.Second, time.Second)
}

// alignedEnd is the first multiple of step, counted from 1970, after now. Columns that end there move as a whole,
// once a step, however often a frame is drawn.
func alignedEnd(now time.Time, step time.Duration) time.Time {
	nanos := now.UnixNano()
	rest := nanos % int64(step)
	if rest < 0 {
		rest += int64(step)
	}
	return now.Add(step - time.Duration(rest))
}

// windowText is "20 min".
func windowText(d time.Duration) string {
	switch {
	case d >= 2*time.Hour && d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + " h"
	case d < 2*time.Minute:
		return strconv.Itoa(int(d/time.Second)) + " s"
	default:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	}
}

// trend draws a signal's history as one row of w bars from zero to its limit.
func (f *Frame) trend(c *canvas, x, y, w int, st *sale.State, fig *figure) {
	if w <= 0 || !fig.declared || isLevel(fig.known.Spec) {
		return // a limit's past says nothing that its value doesn't
	}
	k := &fig.known
	step := columnStep(f.window(), w)
	start := alignedEnd(f.Now, step).Add(-step * time.Duration(w))
	values := spread(k.History, k.Spec.Cadence.Period, start, step, w, mean).bridge()
	top := ceilingOf(st, k)
	if math.IsNaN(top) {
		top = 0
		for _, v := range values {
			if v > top {
				top = v
			}
		}
	}
	s := text
	switch {
	case fig.freshness == sale.Stale || fig.freshness == sale.NoData:
		s = dim
	case breachOf(k) != sale.OK:
		s = lookOf(breachOf(k)).figure
	}
	gap := f.Theme.gap()
	for i, v := range values {
		if math.IsNaN(v) {
			c.set(x+i, y, dim, gap, 1)
			continue
		}
		c.set(x+i, y, s, bar(v, top), 1)
	}
}

// bar is one of eight heights; zero is the lowest, so that it differs from no reading.
func bar(v, top float64) string {
	const bars = "▁▂▃▄▅▆▇█"
	i := 0
	switch {
	case v > 0 && v >= top:
		i = 7
	case v > 0:
		i = min(int(v/top*8), 7)
	}
	return bars[i*3 : i*3+3]
}
