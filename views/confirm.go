package views

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// Panel is an action that is about to be sent, as the confirm panel shows it.
type Panel struct {
	// Key and Label name the action: "P", "pause admission".
	Key, Label string
	Preview    *actions.Preview // nil while the target is being read
	Confirm    actions.Confirm
	Reason     string // as far as it was typed
	Change     string // the id of a change
	// EditsChange says that the id of the change is edited, not the reason.
	EditsChange bool
	// Required says what must still be filled in before it can be armed: "a reason".
	Required string
	Second   string // what is known of a second person; empty: none is needed
	Began    time.Time
	Aim      Aim
}

// Aim is what a confirmed panel does.
type Aim string

// The aims. Send is the zero value's.
const (
	AimSend   Aim = ""
	AimAsk    Aim = "ask"    // asks a second person; nothing is sent
	AimAgree  Aim = "agree"  // agrees to what somebody else asked for
	AimWaits  Aim = "waits"  // for a second person: no key does anything but esc
	AimAsking Aim = "asking" // the answer to what was confirmed is on its way
)

// word and does are what an armed panel is called and what its letter does.
func (a Aim) word() string {
	switch a {
	case AimAsk:
		return "ASK A SECOND PERSON"
	case AimAgree:
		return "AGREE"
	}
	return "ARMED"
}

func (a Aim) does() string {
	switch a {
	case AimAsk:
		return "to ask a second person"
	case AimAgree:
		return "to agree: who asked can send it then"
	}
	return "to send"
}

const (
	panelMost   = 110 // cells across: longer lines are not read under stress
	panelLabels = 13
)

// panelRow is one row of the panel with its label. Rows with the highest drop go first where
// there is not enough room; 0 stays, at least with its first line.
type panelRow struct {
	label string
	lines []string
	style style
	drop  int
}

// Confirm draws the panel that asks for an action to be confirmed, to be laid over a screen
// with Over. now is the instant, not cut to the second.
func (r *Renderer) Confirm(f Frame, p Panel, now time.Time) string {
	f.ready()
	w := min(f.Width, panelMost)
	room := max(f.Height-2-footerRows(&f)-2, 1)
	rows := f.panelRows(&p, w-4-panelLabels)
	last := f.panelGesture(&p, now)
	rows = fitRows(rows, room-len(last))
	height := len(last) + 2
	for _, row := range rows {
		height += len(row.lines)
	}
	c := newCanvas(f.Theme, w, height)
	defer c.release()
	f.panelFrame(c, &p, now)
	y := 1
	for _, row := range rows {
		c.cut(2, y, panelLabels-1, dim, row.label)
		for _, line := range row.lines {
			c.cut(2+panelLabels, y, w-4-panelLabels, row.style, line)
			y++
		}
	}
	for _, line := range last {
		c.spreadIn(2, w-2, y, line.left, line.right)
		y++
	}
	return strings.Join(c.rows(), "\n")
}

// secondsLeft writes a countdown so that it never shows 0 while a key still counts.
func secondsLeft(d time.Duration) string { return number(int(math.Ceil(d.Seconds()))) + " s" }

// panelFrame draws the frame with its title: the state, the action, the sale, the environment.
func (f *Frame) panelFrame(c *canvas, p *Panel, now time.Time) {
	frame, s, state := lightFrame(), accent, "READING"
	switch {
	case p.Preview == nil:
	case p.Preview.Refused():
		frame, s, state = lightFrame(), bad, "REFUSED"
	case p.Confirm.Editing():
		frame, state = heavyFrame(), "REASON, the timer stands still"
	case p.Aim == AimWaits:
		state = "WAITING FOR A SECOND PERSON"
	case p.Aim == AimAsking:
		state = "ON ITS WAY TO THE JOURNAL"
	case p.Confirm.Armed(now):
		frame, state = heavyFrame(), p.Aim.word()+" "+secondsLeft(p.Confirm.Left(now))
		if p.Confirm.Pressed() {
			state = p.Aim.word()
		}
	default:
		state = "NOT ARMED"
	}
	if p.Preview != nil && p.Preview.Gesture() == actions.Severe && !p.Preview.Refused() {
		state += " · SEVERE"
	}
	if p.Preview != nil && p.Preview.Request.Glass {
		s, state = badWord, state+" · BREAKS THE GLASS"
	}
	c.box(s, frame)
	words := " " + state + " · " + strings.TrimSpace(p.Key+" "+p.Label)
	if st := f.focused(); st != nil {
		words += " · " + panelSale(st.Sale)
	}
	where := ""
	if f.Header.Environment != "" {
		where = " " + clip(f.Header.Environment, 12) + " "
	}
	c.cut(2, 0, c.w-4-cells(where), s, clip(words, c.w-6-cells(where))+" ")
	c.fillFrom(2+min(cells(words)+1, max(c.w-5-cells(where), 0)), c.w-2-cells(where), s, frame.across)
	c.right(c.w-1, 0, cells(where), s, where)
}

// fillFrom draws a line from x to end.
func (c *canvas) fillFrom(x, end int, s style, glyph string) {
	if end > x {
		c.fill(x, 0, end-x, s, glyph)
	}
}

// gestureLine is a line of the lower end of the panel.
type gestureLine struct{ left, right []part }

// spreadIn is spread between two columns.
func (c *canvas) spreadIn(from, end, y int, left, right []part) {
	x := from
	for _, p := range left {
		x = c.putTo(x, y, end, p.style, p.forms[0]) + 1
	}
	w := width(right, 1)
	if at := end - w; at > x {
		for _, p := range right {
			at = c.putTo(at, y, end, p.style, p.forms[0]) + 1
		}
	}
}

// panelGesture is what the operator is asked to do.
func (f *Frame) panelGesture(p *Panel, now time.Time) []gestureLine {
	one := func(s style, words string, right ...part) []gestureLine {
		return []gestureLine{{left: []part{{style: s, forms: []string{words}}}, right: right}}
	}
	esc := part{style: dim, forms: []string{"esc disarms"}}
	closes := part{style: dim, forms: []string{"esc closes"}}
	c := &p.Confirm
	switch {
	case p.Preview == nil:
		wait := "reading the target again"
		if d := now.Sub(p.Began); !p.Began.IsZero() && d >= time.Second {
			wait += ", " + sale.FormatAge(d)
		}
		return one(text, wait+"; nothing has been sent", closes)
	case p.Preview.Refused():
		return one(text, "nothing has been sent, and nothing can be", closes)
	case c.Editing():
		words := "enter keeps the reason and arms again"
		if p.Required != "" {
			words = p.Required + " is required; " + words
		}
		return one(accent, words, esc)
	case c.Pressed():
		if p.Aim != AimSend {
			return one(accent, "done unless another key follows at once", esc)
		}
		return one(accent, "sending unless another key follows at once", esc)
	case p.Aim == AimWaits:
		return one(accent, "another operator agrees in the palette (:), or by onsale approve", part{style: dim, forms: []string{"esc closes"}})
	case p.Aim == AimAsking:
		return one(text, "being journalled; nothing has been sent", closes)
	case !c.Armed(now):
		words := "nothing has been sent"
		if why := c.Why(); why != "" {
			words = string(why) + "; " + words
		}
		if p.Second != "" {
			words = p.Second + "; " + words
		}
		return one(text, words, closes)
	case c.Name != "":
		return []gestureLine{{
			left:  []part{{style: text, forms: []string{"type"}}, {style: keyWord, forms: []string{c.Name}}, {style: text, forms: []string{"then enter: "}}, {style: accent, forms: []string{c.Typed + "▏"}}},
			right: []part{{style: dim, forms: []string{"esc, a wrong letter disarms"}}},
		}}
	default:
		return []gestureLine{{
			left:  []part{{style: text, forms: []string{"press"}}, {style: keyWord, forms: []string{" " + string(c.Challenge) + " "}}, {style: text, forms: []string{p.Aim.does()}}},
			right: []part{{style: dim, forms: []string{"any other key, a paste or a resize disarms"}}},
		}}
	}
}

// fitRows drops what matters least until the rows fit into room lines: first the further
// lines of rows, then whole rows.
func fitRows(rows []panelRow, room int) []panelRow {
	total := 0
	for _, row := range rows {
		total += len(row.lines)
	}
	for total > max(room, 0) && len(rows) > 0 {
		at, long := 0, false
		for i, row := range rows {
			switch more := len(row.lines) > 1; {
			case more && !long, more == long && row.drop >= rows[at].drop:
				at, long = i, more
			}
		}
		if n := len(rows[at].lines); long {
			rows[at].lines = slices.Clone(rows[at].lines[:n-1])
			rows[at].lines[n-2] = strings.TrimRight(rows[at].lines[n-2], " ,;") + " …"
		} else {
			rows = slices.Delete(rows, at, at+1)
		}
		total--
	}
	return rows
}

// panelSale names the sale that is acted on.
func panelSale(s *sale.Sale) string {
	return strings.TrimSpace(strings.TrimSpace(digitText(s)) + " " + strings.TrimSpace(saleTitle(s, 40)))
}
