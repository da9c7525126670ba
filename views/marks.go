package views

import (
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// eventMark is an event of the timeline that has a letter over the charts.
type eventMark struct {
	event  int // in State.Timeline
	at     time.Time
	letter string
}

// lettered gives letters to the events that are in sight under the charts and lie in their window: the
// oldest is "a".
func (f *Frame) lettered(st *sale.State) []eventMark {
	var all []eventMark
	for i := min(len(st.Timeline), bottomRows-1) - 1; i >= 0; i-- {
		if at := st.Timeline[i].At; f.Now.Sub(at) < f.window() && !at.After(f.Now) {
			all = append(all, eventMark{i, at, string(rune('a' + len(all)))})
		}
	}
	return all
}

// eventMarks are the events that the charts mark with an upright line beside the phases: alarms and what
// was done.
func (f *Frame) eventMarks(st *sale.State) []phaseMark {
	var marks []phaseMark
	for _, l := range f.lettered(st) {
		if kind := st.Timeline[l.event].Kind; kind == sale.AlarmEvent || kind == sale.ActionEvent {
			marks = append(marks, phaseMark{at: l.at})
		}
	}
	return marks
}

// marksLane is the row of letters over each column of charts. A letter whose cell is taken stands in the
// next free one; one that finds none is told by the timeline alone.
func (f *Frame) marksLane(st *sale.State, p salePlan) []string {
	if p.lane == 0 {
		return nil
	}
	lanes := make([][]string, p.across)
	for col := range lanes {
		w := paneSpan(p.chartW, p.across, col)
		c := newCanvas(f.Theme, w, 1)
		c.put(0, 0, dim, "marks")
		plot := newPlot(w-gutter, 1, f.Now, f.window())
		for _, l := range f.lettered(st) {
			x, ok := plot.column(l.at)
			for _, aside := range []int{0, 1, -1, 2} {
				if at := gutter + x + aside; ok && at >= gutter && at < w && c.blank(at, 0) {
					c.put(at, 0, mark, l.letter)
					break
				}
			}
		}
		lanes[col] = c.rows()
		c.release()
	}
	return beside(1, lanes...)
}
