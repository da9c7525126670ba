package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
)

// moment is an instant: RFC 3339 with or without seconds, or a wall-clock time with the name
// of its zone.
type moment struct {
	place
	V time.Time
}

const (
	momentForm = `^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?( *(Z|z|[+-][0-9]{2}:[0-9]{2})| [A-Za-z_]+(/[A-Za-z0-9_+-]+)*)$`
	momentHelp = `write "2026-12-01T10:00:00+01:00" or "2026-12-01T10:00 Europe/Zagreb"`
)

func (*moment) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: momentForm}
}

func (m *moment) read(r *reader, n *node, c constraint) {
	if n.kind != scalarKind {
		r.wrong(n, fmt.Sprintf("%q needs a time, this is %s", c.key, n.found()), momentHelp)
		return
	}
	t, why, fix := parseMoment(n.text)
	if why != "" {
		r.wrong(n, fmt.Sprintf("%q %s", c.key, why), fix)
		return
	}
	m.at, m.V = n, t
}

var (
	offsetLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00"}
	wallLayouts   = []string{"2006-01-02T15:04:05.999999999", "2006-01-02T15:04"}
)

// parseMoment reads a time. Why is empty when it is good.
func parseMoment(text string) (t time.Time, why, fix string) {
	s := strings.ToUpper(text[:min(len(text), 11)]) + text[min(len(text), 11):]
	if len(s) > 10 && s[10] == ' ' {
		s = s[:10] + "T" + s[11:]
	}
	for _, layout := range offsetLayouts {
		if at, err := time.Parse(layout, strings.Replace(strings.ReplaceAll(s, " ", ""), "z", "Z", 1)); err == nil {
			return checkYear(at)
		}
	}
	wall, name, named := strings.Cut(s, " ")
	var local time.Time
	err := error(nil)
	for _, layout := range wallLayouts {
		if local, err = time.Parse(layout, wall); err == nil {
			break
		}
	}
	if err != nil {
		return t, "is not a time", momentHelp
	}
	if !named {
		return t, "has no time zone", fmt.Sprintf(`say which clock: "%s Europe/Zagreb" or "%s+01:00"`, wall, wall)
	}
	loc, why := zone(strings.TrimSpace(name))
	if why != "" {
		return t, "names a time zone that is not known", "write a name such as Europe/Zagreb, or an offset such as +01:00"
	}
	return onWallClock(local, loc, wall)
}

// onWallClock finds the instant at which a clock in loc shows the given time. In the hour
// that a change of clocks skips there is none, in the one that it repeats there are two.
func onWallClock(wall time.Time, loc *time.Location, text string) (t time.Time, why, fix string) {
	var found []time.Time
	for _, around := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := wall.Add(around).In(loc).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second).In(loc)
		y, m, d := at.Date()
		same := time.Date(y, m, d, at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), time.UTC).Equal(wall)
		if same && (len(found) == 0 || !found[0].Equal(at)) {
			found = append(found, at)
		}
	}
	switch len(found) {
	case 0:
		return t, fmt.Sprintf("never happens: the clocks in %s skip it that day", loc), "take the hour before or after"
	case 1:
		return checkYear(found[0])
	default:
		return t, fmt.Sprintf("happens twice: the clocks in %s go back that day", loc),
			fmt.Sprintf("say which: %s or %s", found[0].Format(time.RFC3339), found[1].Format(time.RFC3339))
	}
}

func checkYear(at time.Time) (t time.Time, why, fix string) {
	if at.Year() < 2000 || at.Year() > 2200 {
		return t, "is in another age", "check the year"
	}
	return at, "", ""
}

// zone finds a time zone by its IANA name.
func zone(name string) (loc *time.Location, why string) {
	if name == "" || name == "Local" || len(name) > 64 {
		return nil, fmt.Sprintf("the time zone %q is not known", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Sprintf("the time zone %q is not known", name)
	}
	return loc, ""
}
