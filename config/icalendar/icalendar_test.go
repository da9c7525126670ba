package icalendar_test

import (
	"strings"
	"testing"

	"github.com/onsale-dev/onsale/config/icalendar"
)

func lines(all ...string) string { return strings.Join(all, "\r\n") + "\r\n" }

func TestAnEventIsReadWithItsPlaces(t *testing.T) {
	text := lines(
		"BEGIN:VCALENDAR", "VERSION:2.0", "X-WR-TIMEZONE:Europe/Zagreb",
		"BEGIN:VTIMEZONE", "TZID:Home", "X-LIC-LOCATION:Europe/Zagreb", "BEGIN:STANDARD", "DTSTART:19701025T030000", "END:STANDARD", "END:VTIMEZONE",
		"BEGIN:VTODO", "SUMMARY:not an event", "END:VTODO",
		"BEGIN:VEVENT", "UID:a@b", `SUMMARY;LANGUAGE="x:y":The Tin Orchard\, live`, "DTSTART;TZID=Home:20261201T100000", "CATEGORIES:Onsale,Big",
		"DESCRIPTION:room: r1\\ntick", "\tets: 120", " 00\\npath: a\\\\nb", "BEGIN:VALARM", "DESCRIPTION:ring", "END:VALARM", "END:VEVENT",
		"END:VCALENDAR")
	c, wrong := icalendar.Parse("\ufeff" + text)
	if len(wrong) != 0 || len(c.Events) != 1 || c.Zone != "Europe/Zagreb" || c.Zones["Home"] != "Europe/Zagreb" {
		t.Fatalf("%+v %+v", c, wrong)
	}
	e := c.Events[0]
	if e.Summary.Text != "The Tin Orchard, live" || e.Start.Param("TZID") != "Home" || e.Summary.Line != 16 || strings.Join(e.Categories, " ") != "onsale big" {
		t.Errorf("%+v", e)
	}
	said := e.Description.Lines()
	want := []struct {
		text      string
		line, col int
	}{{"room: r1", 19, 13}, {"tickets: 12000", 19, 23}, {`path: a\nb`, 21, 6}}
	if len(said) != len(want) {
		t.Fatalf("%+v", said)
	}
	for i, w := range want {
		if g := said[i]; g.Text != w.text || g.Line != w.line || g.Column != w.col {
			t.Errorf("line %d is %q at %d:%d, want %+v", i, g.Text, g.Line, g.Column, w)
		}
	}
}

func TestWhatIsWrongIsToldWithItsLine(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		line int
		why  string
	}{
		"a page":           {"<html>\n", 1, "no calendar"},
		"nothing":          {"", 1, "no calendar"},
		"no colon":         {lines("BEGIN:VCALENDAR", "VERSION", "END:VCALENDAR"), 2, "no line of a calendar"},
		"cut short":        {lines("BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:a"), 3, "ends inside a VEVENT"},
		"no end":           {lines("BEGIN:VCALENDAR", "BEGIN:VEVENT", "BEGIN:VEVENT", "END:VEVENT", "END:VEVENT", "END:VCALENDAR"), 3, "can't begin here"},
		"another end":      {lines("BEGIN:VCALENDAR", "END:VEVENT", "END:VCALENDAR"), 2, "no BEGIN"},
		"something behind": {lines("BEGIN:VCALENDAR", "END:VCALENDAR", "X:1"), 3, "after the calendar's end"},
		"two starts":       {lines("BEGIN:VCALENDAR", "BEGIN:VEVENT", "DTSTART:1", "DTSTART:2", "END:VEVENT", "END:VCALENDAR"), 4, "twice"},
		"no text":          {lines("BEGIN:VCALENDAR", "X:\xff", "END:VCALENDAR"), 2, "no line of a calendar"},
		"a deep one":       {lines("BEGIN:VCALENDAR", strings.TrimSuffix(strings.Repeat("BEGIN:X\n", 9), "\n"), "END:VCALENDAR"), 9, "nested"},
	} {
		_, wrong := icalendar.Parse(c.text)
		if len(wrong) == 0 || wrong[0].Line != c.line || !strings.Contains(wrong[0].Why, c.why) || wrong[0].Fix == "" {
			t.Errorf("%s: %+v, want line %d: %s", name, wrong, c.line, c.why)
		}
	}
}

// FuzzNoCalendarBreaksTheReader holds for whatever a server sends that every place is in the text.
func FuzzNoCalendarBreaksTheReader(f *testing.F) {
	f.Add(lines("BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:a", "DTSTART;TZID=\"Europe/Zagreb\":20261201T100000", "DESCRIPTION:a: b\\nc", " d\\\\n", "END:VEVENT", "END:VCALENDAR"))
	f.Add("BEGIN:VCALENDAR\nX;A=\\:\n \nEND:VCALENDAR")
	f.Add("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDESCRIPTION:\\\n n\nEND:VEVENT\n")
	f.Fuzz(func(t *testing.T, text string) {
		most := strings.Count(text, "\n") + 1
		c, wrong := icalendar.Parse(text)
		held := func(p icalendar.Place) {
			if p.Line < 1 || p.Line > most || p.Column < 1 || p.Width < 1 {
				t.Fatalf("%+v is no place in %d lines", p, most)
			}
		}
		for _, m := range wrong {
			held(m.Place)
		}
		for _, e := range c.Events {
			held(e.Place)
			if e.Description == nil {
				continue
			}
			for _, l := range e.Description.Lines() {
				held(l.Place)
				if strings.Contains(l.Text, "\r\n") {
					t.Fatalf("%q is no line", l.Text)
				}
			}
		}
	})
}
