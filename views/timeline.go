package views

import (
	"slices"
	"strings"

	"github.com/onsale-dev/onsale/sale"
)

const (
	bottomRows  = 12 // of the timeline under the charts, with its title
	bottomLeast = 34 // the body that it needs: fewer rows belong to the charts
	kindCell    = 9
)

// causeSpec is the signal that a sale's state is about, or nil.
func causeSpec(st *sale.State) *sale.Spec {
	if len(st.Reasons) == 0 {
		return nil
	}
	for i := range st.Signals {
		if spec := st.Signals[i].Spec; spec.Signal == st.Reasons[0].Signal {
			return spec
		}
	}
	return nil
}

// runbookOf is the signal whose runbook helps now, or nil.
func runbookOf(st *sale.State) *sale.Spec {
	spec := causeSpec(st)
	if spec == nil || len(spec.RunbookText) == 0 && spec.RunbookAction == "" {
		return nil
	}
	return spec
}

// runbookRows are the key that fits, and the first lines of the runbook.
func (f *Frame) runbookRows(spec *sale.Spec) []pageRow {
	var rows []pageRow
	if spec.RunbookAction != "" {
		row := pageRow{kind: textRow, label: "fits", text: strings.ReplaceAll(spec.RunbookAction, "-", " "), style: text}
		if k, ok := f.Acts[spec.RunbookAction]; ok {
			row.text, row.style = k.Keys+" "+k.Label, accent
			if k.Off != "" {
				row.text, row.style = k.Keys+" "+k.Label+" is off: "+k.Off, dim
			}
		}
		rows = append(rows, row)
	}
	for _, line := range spec.RunbookText {
		rows = append(rows, pageRow{kind: textRow, text: line, style: text})
	}
	return rows
}

func runbookTitle(spec *sale.Spec) string {
	title := "runbook: " + spec.Label
	if spec.Runbook != "" {
		title += ", " + spec.Runbook
	}
	return title
}

// bottom draws the timeline, and beside it the runbook of what is wrong now.
func (f *Frame) bottom(st *sale.State, p salePlan) []string {
	if p.bottomH == 0 {
		return nil
	}
	left := f.Width
	spec := runbookOf(st)
	if spec != nil {
		left = f.Width - tableWidth - 1
	}
	rows := f.timeline(st, left, p.bottomH, p.lane > 0)
	if spec == nil {
		return rows
	}
	return beside(1, rows, f.runbook(spec, tableWidth, p.bottomH))
}

func (f *Frame) timeline(st *sale.State, w, h int, lettered bool) []string {
	c := newCanvas(f.Theme, w, h)
	defer c.release()
	c.fill(0, 0, w, dim, "─")
	c.put(2, 0, dim, " timeline, newest first ")
	if n := len(st.Timeline) - (h - 1); n > 0 {
		more := " " + number(n) + " older: J journal "
		c.put(w-2-cells(more), 0, dim, more)
	}
	letters := map[int]string{}
	if lettered {
		for _, m := range f.lettered(st) {
			letters[m.event] = m.letter
		}
	}
	for i, ev := range st.Timeline[:min(len(st.Timeline), h-1)] {
		x := 0
		if lettered {
			c.put(0, i+1, mark, letters[i])
			x = 2
		}
		f.eventRow(c, x, i+1, w, ev)
	}
	return c.rows()
}

func (f *Frame) eventRow(c *canvas, x, y, w int, ev sale.Event) {
	when := clockAt(ev.At, f.Now)
	x = max(c.put(x, y, dim, when)+1, x+9)
	c.cut(x, y, kindCell, dim, string(ev.Kind))
	x += kindCell + 1
	right := strings.TrimSpace(ev.Who + "  " + ev.Ref)
	end := w
	if from := w - cells(right); right != "" && from > x+20 {
		c.put(from, y, dim, right)
		end = from - 2
	}
	c.cut(x, y, end-x, eventStyle(ev), ev.Text)
}

// eventStyle is that of the state which an event begins; what has ended is quiet.
func eventStyle(ev sale.Event) style {
	word, _, _ := strings.Cut(ev.Text, " ")
	if ev.Kind != sale.AlarmEvent {
		return text
	}
	for _, v := range []sale.Verdict{sale.Bad, sale.Watch, sale.Unknown} {
		if l := lookOf(v); word == l.word {
			return l.figure
		}
	}
	return dim
}

func (f *Frame) runbook(spec *sale.Spec, w, h int) []string {
	c := newCanvas(f.Theme, w, h)
	defer c.release()
	c.fill(0, 0, w, dim, "─")
	c.put(2, 0, dim, " "+clip(runbookTitle(spec), w-6)+" ")
	rows := f.runbookRows(spec)
	shown := min(len(rows), h-1)
	if shown < len(rows) {
		shown--
	}
	for i, row := range rows[:max(shown, 0)] {
		x := 1
		if row.label != "" {
			x = c.put(1, i+1, dim, row.label) + 2
		}
		c.cut(x, i+1, w-x, row.style, row.text)
	}
	if shown < len(rows) {
		c.put(1, h-1, dim, number(len(rows)-shown)+" more lines")
	}
	return c.rows()
}

// eventRows are the timeline in the list of a page that has no room for it elsewhere.
func (f *Frame) eventRows(st *sale.State) []pageRow {
	var rows []pageRow
	for _, ev := range st.Timeline {
		rows = append(rows, pageRow{kind: textRow, label: clockAt(ev.At, f.Now), text: string(ev.Kind) + "  " + ev.Text, style: eventStyle(ev)})
	}
	return slices.Clip(rows)
}
