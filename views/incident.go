package views

import (
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// piece is a part of a line in one style.
type piece struct {
	style style
	text  string
}

// pieces is a line made of pieces with two blanks between them.
type pieces []piece

func (s pieces) cells() int {
	w := 0
	for i, one := range s {
		if i > 0 {
			w += 2
		}
		w += cells(one.text)
	}
	return w
}

// draw writes the pieces from column x on and returns the column after them.
func (s pieces) draw(c *canvas, x, y, end int) int {
	for i, one := range s {
		if i > 0 {
			x = c.putTo(x, y, end, plain, "  ")
		}
		x = c.putTo(x, y, end, one.style, one.text)
	}
	return x
}

// incidentForms are the incident of a sale in a line, the longest form first; none where nobody
// tells of incidents. What is not known is said, and never looks like "no incident".
func (f *Frame) incidentForms(st *sale.State) []pieces {
	s := &st.Incidents
	in := s.Current
	switch {
	case !s.Kept:
		return nil
	case in == nil && s.Known:
		return []pieces{{{dim, "no incident"}}}
	case in == nil:
		return []pieces{{{unknown, "incident not known: " + s.Why}}, {{unknown, "incident not known"}}, {{unknown, "incident ?"}}}
	}
	name := in.Name
	if name == "" {
		name = "incident"
	}
	head, tail := pieces{{text, name}}, pieces{}
	if s.Others > 0 {
		tail = append(tail, piece{watch, "+" + number(s.Others) + " open"})
	}
	if !s.Known {
		head[0] = piece{unknown, "?" + name}
		tail = append(tail, piece{unknown, s.Why})
	}
	if in.Status == sale.IncidentAccepted {
		when := "accepted " + clockAt(in.Accepted, f.Now)
		long := when + "; accepted is not paged"
		if s.Tool != "" {
			long = when + ", not seen in " + s.Tool + " yet"
		}
		return withTail(tail, pieces{{watch, long}}, pieces{{watch, when + ", not seen"}}, pieces{{watch, when}})
	}
	if in.Status == sale.IncidentResolved {
		return withTail(tail, append(head, piece{dim, "resolved " + clockAt(in.Resolved, f.Now) + byWhom(in.ResolvedBy)}), append(head, piece{dim, "resolved"}))
	}
	if s.Tool != "" && in.Seen.IsZero() {
		tail = append(pieces{{watch, "not shown by " + s.Tool}}, tail...)
	}
	clocks := in.Clocks(st.Sale.SLAs, f.Now)
	var long, mid pieces
	for _, c := range clocks {
		long = append(long, clockPiece(c, c.Name))
		short := c.Name
		if short == "mitigate" {
			short = "mit"
		}
		mid = append(mid, clockPiece(c, short))
	}
	next := clockPiece(mostUrgent(clocks), mostUrgent(clocks).Name)
	return withTail(tail, append(apart(head), long...), append(apart(head), mid[:2]...), append(apart(head), next))
}

// withTail gives the longest form what else there is to say.
func withTail(tail pieces, forms ...pieces) []pieces {
	if len(tail) == 0 {
		return forms
	}
	return append([]pieces{append(apart(forms[0]), tail...)}, forms...)
}

// apart lets an append make a copy.
func apart(s pieces) pieces { return s[:len(s):len(s)] }

// clockPiece writes a promise: "ack 1:09/5:00". It is BAD once it is known to be broken.
func clockPiece(c sale.IncidentClock, name string) piece {
	took := "?"
	if c.Known {
		took = sale.FormatAge(c.Took)
	}
	s := text
	switch {
	case c.Over():
		s = bad
	case !c.Known:
		s = unknown
	case c.Stopped:
		s = dim
	}
	words := name + " " + took
	if c.Within > 0 {
		words += "/" + promised(c.Within)
	}
	if c.Over() {
		words = "▲ " + words
	}
	return piece{s, words}
}

// promised writes a promise in few cells: "5:00", "1h".
func promised(d time.Duration) string {
	if d >= time.Hour && d%time.Hour == 0 {
		return number(int(d/time.Hour)) + "h"
	}
	return sale.FormatAge(d)
}

// mostUrgent is the first clock that still runs.
func mostUrgent(clocks [3]sale.IncidentClock) sale.IncidentClock {
	for _, c := range clocks {
		if !c.Stopped {
			return c
		}
	}
	return clocks[len(clocks)-1]
}

func byWhom(who string) string {
	if who == "" {
		return ""
	}
	return " by " + who
}

// fitting is the longest form that w cells hold; nil when none does.
func fitting(forms []pieces, w int) pieces {
	for _, form := range forms {
		if form.cells() <= w {
			return form
		}
	}
	return nil
}

// incidentCounts says in the header how many sales have an open incident, and of how many that
// can't be told.
func (f *Frame) incidentCounts() part {
	open, dark, kept := 0, 0, 0
	for _, st := range f.snapshot().Sales {
		s := &st.Incidents
		if !s.Kept {
			continue
		}
		kept++
		if s.Current.Open() {
			open += 1 + s.Others
		} else if !s.Known {
			dark++
		}
	}
	switch {
	case kept == 0:
		return say(dim, 6, "")
	case dark > 0:
		words := "incidents not known of " + count(dark, "sale")
		if open > 0 {
			words = "incidents " + number(open) + " open, not known of " + count(dark, "sale")
		}
		return say(unknown, 6, words)
	case open == 0:
		return say(dim, 6, "incidents none")
	}
	return say(text, 6, "incidents "+number(open)+" open")
}
