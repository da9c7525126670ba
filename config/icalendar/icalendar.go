// Package icalendar reads what an iCalendar text (RFC 5545) says of its events, and remembers where
// it says so: whoever keeps a calendar mends it by line, not by property.
//
// The lines are github.com/arran4/golang-ical's to take apart; its own reading of a whole calendar
// loses where they stood.
package icalendar

import (
	"fmt"
	"strings"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"
)

// The bounds of what is read.
const (
	// MaxBytes is the longest calendar, in bytes.
	MaxBytes = 4 << 20
	maxDepth = 8
)

// Place is where something stands: line and column count from 1, columns in characters.
type Place struct{ Line, Column, Width int }

// Mistake is one thing that is wrong with a calendar.
type Mistake struct {
	Place
	Why, Fix string
}

// Calendar is what a text holds of events. What else is in it, such as tasks and alarms, is left out.
type Calendar struct {
	Events []Event
	// Zone is the zone that the whole calendar names (X-WR-TIMEZONE), an IANA name; may be empty.
	Zone string
	// Zones are IANA names of the zones that the calendar itself defines, by its own names for them,
	// where it tells them (X-LIC-LOCATION).
	Zones map[string]string
}

// Event is one VEVENT; a property that it does not have is nil.
type Event struct {
	Place
	UID, Summary, Location, Description, Start, Status *Property
	// Repeats is what makes it more than one date: RRULE, RDATE or RECURRENCE-ID.
	Repeats    *Property
	Categories []string // in lower case
}

// Property is one property of an event, as it came: its text is foreign and not cleaned.
type Property struct {
	Place
	Name   string            // upper case
	Text   string            // escapes undone
	Params map[string]string // the first value of each, by its name in upper case

	raw  string // the value as it is written, unfolded
	from int    // where that begins in the line
	line line
}

// Param returns a parameter, or "".
func (p *Property) Param(name string) string { return p.Params[name] }

// Lines cuts a text of several lines at its line breaks.
func (p *Property) Lines() []Property {
	var all []Property
	from := 0
	add := func(to int) {
		raw := p.raw[from:to]
		q := Property{Name: p.Name, raw: raw, from: p.from + from, line: p.line, Text: ics.FromText(raw)}
		q.Place = p.line.place(q.from, len(raw))
		all = append(all, q)
	}
	for i := 0; i+1 < len(p.raw); i++ {
		if p.raw[i] != '\\' {
			continue
		}
		if p.raw[i+1] == 'n' || p.raw[i+1] == 'N' {
			add(i)
			from = i + 2
		}
		i++ // what a backslash escapes is no backslash of its own
	}
	add(len(p.raw))
	return all
}

// Parse reads a text. What is wrong is told with its place, and what can be read all the same is
// read.
func Parse(text string) (*Calendar, []Mistake) {
	p := &parser{calendar: &Calendar{Zones: map[string]string{}}}
	if len(text) > MaxBytes {
		p.wrong(Place{1, 1, 1}, fmt.Sprintf("the calendar is longer than %d MiB", MaxBytes>>20), "export fewer events")
		return p.calendar, p.mistakes
	}
	lines := unfold(text)
	if len(lines) == 0 || !strings.EqualFold(strings.TrimSpace(lines[0].text), "BEGIN:VCALENDAR") {
		p.wrong(Place{1, 1, 1}, "this is no calendar: it does not begin with BEGIN:VCALENDAR", "export it as iCalendar (.ics); a page of a login looks like this too")
		return p.calendar, p.mistakes
	}
	for _, l := range lines {
		p.read(l)
	}
	if len(p.open) > 0 {
		last := lines[len(lines)-1]
		p.wrong(last.place(0, len(last.text)), "the calendar ends inside a "+p.open[len(p.open)-1], "it was cut short: export or fetch it again")
	}
	return p.calendar, p.mistakes
}

// line is a content line after unfolding (RFC 5545, 3.1).
type line struct {
	text  string
	spots []spot
}

// spot says where the bytes of a line from at on stand.
type spot struct{ at, line, column int }

// place is where some bytes of the line stand; what a fold cuts is pointed to up to the fold.
func (l line) place(from, length int) Place {
	s := l.spots[0]
	end := len(l.text)
	for _, next := range l.spots[1:] {
		if next.at > from {
			end = next.at
			break
		}
		s = next
	}
	from = max(from, s.at)
	to := max(min(from+length, end), from)
	return Place{s.line, s.column + utf8.RuneCountInString(l.text[s.at:from]), max(1, utf8.RuneCountInString(l.text[from:to]))}
}

func unfold(text string) []line {
	var all []line
	text = strings.TrimPrefix(text, "\ufeff")
	number := 0
	for raw := range strings.SplitSeq(text, "\n") {
		number++
		raw = strings.TrimSuffix(raw, "\r")
		if raw == "" {
			continue
		}
		if last := len(all) - 1; last >= 0 && (raw[0] == ' ' || raw[0] == '\t') {
			all[last].spots = append(all[last].spots, spot{len(all[last].text), number, 2})
			all[last].text += raw[1:]
			continue
		}
		all = append(all, line{raw, []spot{{0, number, 1}}})
	}
	return all
}

type parser struct {
	calendar *Calendar
	open     []string // the components that a line is in
	ended    bool
	event    *Event
	zone     string // the TZID of the zone that is being defined
	mistakes []Mistake
}

func (p *parser) wrong(at Place, why, fix string) {
	p.mistakes = append(p.mistakes, Mistake{at, why, fix})
}

func (p *parser) in(component string) bool {
	return len(p.open) > 0 && p.open[len(p.open)-1] == component
}

func (p *parser) read(l line) {
	whole := l.place(0, len(l.text))
	property := parseLine(l)
	switch {
	case property == nil:
		p.wrong(whole, "this is no line of a calendar", "write NAME:value; a line that goes on begins with a blank")
	case p.ended:
		p.wrong(whole, "this stands after the calendar's end", "keep one calendar in a file")
	case property.Name == "BEGIN":
		p.begin(strings.ToUpper(property.Text), whole)
	case property.Name == "END":
		p.end(strings.ToUpper(property.Text), whole)
	case len(p.open) == 0:
		p.wrong(whole, "this stands outside of the calendar", "begin with BEGIN:VCALENDAR")
	case p.event != nil && p.in("VEVENT"):
		p.property(property)
	case p.in("VTIMEZONE") && property.Name == "TZID":
		p.zone = property.Text
	case p.in("VTIMEZONE") && property.Name == "X-LIC-LOCATION":
		p.calendar.Zones[p.zone] = property.Text
	case p.in("VCALENDAR") && property.Name == "X-WR-TIMEZONE":
		p.calendar.Zone = property.Text
	}
}

func (p *parser) begin(component string, at Place) {
	switch {
	case len(p.open) == maxDepth:
		p.wrong(at, fmt.Sprintf("components are nested deeper than %d", maxDepth), "export the calendar again")
		p.ended = true // no END could be matched any more
	case component == "VCALENDAR" && len(p.open) > 0, component == "VEVENT" && !p.in("VCALENDAR"):
		p.wrong(at, "a "+component+" can't begin here", "the one before has no END")
	}
	if component == "VEVENT" {
		p.event = &Event{Place: at}
	}
	p.zone = ""
	p.open = append(p.open, component)
}

func (p *parser) end(component string, at Place) {
	if !p.in(component) {
		p.wrong(at, "END:"+component+" has no BEGIN that is still open", "see the lines before: a component is cut short")
		return
	}
	p.open = p.open[:len(p.open)-1]
	if component == "VEVENT" && p.event != nil {
		p.calendar.Events = append(p.calendar.Events, *p.event)
		p.event = nil
	}
	p.ended = len(p.open) == 0
}

// property takes what a sale needs of an event. Each may be there once.
func (p *parser) property(q *Property) {
	var at **Property
	switch q.Name {
	case "UID":
		at = &p.event.UID
	case "SUMMARY":
		at = &p.event.Summary
	case "LOCATION":
		at = &p.event.Location
	case "DESCRIPTION":
		at = &p.event.Description
	case "DTSTART":
		at = &p.event.Start
	case "STATUS":
		at = &p.event.Status
	case "RRULE", "RDATE", "RECURRENCE-ID":
		p.event.Repeats = q
		return
	case "CATEGORIES":
		for name := range strings.SplitSeq(q.Text, ",") {
			p.event.Categories = append(p.event.Categories, strings.ToLower(strings.TrimSpace(name)))
		}
		return
	default:
		return
	}
	if *at != nil {
		p.wrong(q.Place, fmt.Sprintf("the event has %s twice", q.Name), fmt.Sprintf("keep one; the first is in line %d", (*at).Line))
		return
	}
	*at = q
}

// parseLine takes a content line apart; nil when it is none.
func parseLine(l line) *Property {
	colon := valueAt(l.text)
	if colon < 0 || !utf8.ValidString(l.text) {
		return nil
	}
	parsed, err := ics.ParseProperty(ics.ContentLine(l.text))
	if err != nil || parsed == nil || !strings.HasPrefix(l.text, parsed.IANAToken) {
		return nil
	}
	q := &Property{Name: strings.ToUpper(parsed.IANAToken), Params: map[string]string{}, raw: l.text[colon:], from: colon, line: l}
	for name, values := range parsed.ICalParameters {
		if len(values) > 0 {
			q.Params[strings.ToUpper(name)] = values[0]
		}
	}
	q.Text = ics.FromText(q.raw)
	q.Place = l.place(colon, len(q.raw))
	return q
}

// valueAt is where a line's value begins: after the first colon outside of quotes; -1: nowhere.
func valueAt(text string) int {
	quoted := false
	for i := range len(text) {
		switch text[i] {
		case '"':
			quoted = !quoted
		case ':':
			if !quoted {
				return i + 1
			}
		}
	}
	return -1
}
