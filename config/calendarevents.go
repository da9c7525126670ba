package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/config/icalendar"
	"github.com/onsale-dev/onsale/sale"
)

const (
	// overAfter is how long after its opening an event is a sale at least.
	overAfter = 48 * time.Hour
	// movedFor is how long a sale is to be looked at because its date was moved.
	movedFor = time.Hour
)

// dated is a sale as the calendar has it.
type dated struct {
	uid, id   string
	node      *node
	opens     time.Time
	cancelled bool
	gone      time.Time     // since when the calendar does not have it any more; zero: it has it
	since     time.Time     // since when it is cancelled
	moved     []sale.Notice // what happened to its date
}

var (
	describedVariable = regexp.MustCompile(`^[ \t]*([a-z][a-z0-9_]*):[ \t]+(\S.*?)[ \t]*$`)
	eventKeys         = []string{"id", "template", "tickets", "group", "wall", "prequeue", "closes"}
	notInID           = regexp.MustCompile(`[^a-z0-9]+`)
)

// events reads what the calendar dates, and holds it against what it dated before.
func (c *calendarReader) events(text string) {
	if text == "" && len(c.calendar.dated) > 0 {
		return // it could not be read now, and was before
	}
	c.doc = newDocument(c.calendar.name, text)
	parsed, mistakes := icalendar.Parse(text)
	for _, m := range mistakes {
		c.wrong(c.scalar("", m.Place), m.Why, m.Fix)
	}
	if c.zone == nil && parsed.Zone != "" {
		c.zone, _ = zone(parsed.Zone)
	}
	ids, uids := map[string]*node{}, map[string]icalendar.Place{}
	for i := range parsed.Events {
		e := &parsed.Events[i]
		if c.in.Category.given() && !slices.Contains(e.Categories, strings.ToLower(c.in.Category.S)) {
			continue
		}
		d, ok := c.event(e, parsed.Zones)
		if !ok {
			continue
		}
		if first, twice := uids[d.uid]; twice {
			c.wrong(c.scalar("", e.UID.Place), "the event has the UID of another one", fmt.Sprintf("give each its own; the first is in line %d", first.Line))
			continue
		}
		uids[d.uid] = e.UID.Place
		if first := ids[d.id]; first != nil {
			c.wrong(d.node.get("id"), fmt.Sprintf("two events are the sale %q", d.id), "write id: and another name into one's description", see(first, "the first one"))
			continue
		}
		ids[d.id] = d.node.get("id")
		c.calendar.dated = append(c.calendar.dated, d)
	}
	if len(mistakes) == 0 {
		c.compare()
	}
}

// event makes a sale of an event, or reports that it is none: it is over, or something is wrong.
func (c *calendarReader) event(e *icalendar.Event, zones map[string]string) (d dated, ok bool) {
	at := c.scalar("", e.Place)
	if e.Repeats != nil {
		c.wrong(c.scalar("", e.Repeats.Place), "the event repeats ("+e.Repeats.Name+"): a sale has one date", "give each sale an event of its own")
		return d, false
	}
	for _, need := range []struct {
		name string
		has  *icalendar.Property
	}{{"UID", e.UID}, {"DTSTART", e.Start}, {"SUMMARY", e.Summary}} {
		if need.has == nil || strings.TrimSpace(need.has.Text) == "" {
			c.wrong(at, "the event has no "+need.name, "give it one, or keep it out of this calendar")
			return d, false
		}
	}
	opens, why, fix := c.start(e.Start, zones)
	if why != "" {
		c.wrong(c.scalar("", e.Start.Place), "DTSTART "+why, fix)
		return d, false
	}
	d = dated{uid: strings.TrimSpace(e.UID.Text), opens: opens, node: at}
	at.kind = mapKind
	before := len(c.mistakes)
	c.put(at, "opens", e.Start.Place, opens.Format(time.RFC3339), true)
	c.put(at, "name", e.Summary.Place, e.Summary.Text, true)
	if e.Location != nil && strings.TrimSpace(e.Location.Text) != "" {
		c.put(at, "venue", e.Location.Place, e.Location.Text, true)
	}
	c.described(at, e.Description, opens)
	if at.get("id") == nil {
		c.put(at, "id", e.UID.Place, idOf(d.uid), true)
	}
	d.id = at.get("id").text
	d.cancelled = e.Status != nil && strings.EqualFold(strings.TrimSpace(e.Status.Text), "CANCELLED")
	if closes, _, _ := parseMoment(textOf(at.get("closes"))); c.over(opens, closes) && c.own[d.id] == nil {
		c.mistakes = c.mistakes[:before] // nobody mends an event of last year
		return d, false
	}
	if at.get("template") == nil && c.in.Template.given() && (c.own[d.id] == nil || c.own[d.id].get("template") == nil) {
		at.entries = append(at.entries, entry{at.keyed("template", c.in.Template.at), c.in.Template.at})
	}
	return d, len(c.mistakes) == before
}

func (c *calendarReader) over(opens, closes time.Time) bool {
	return opens.Add(overAfter).Before(c.now) && closes.Add(overAfter).Before(c.now)
}

func textOf(n *node) string {
	if n == nil {
		return ""
	}
	return n.text
}

// described takes the variables of a description: its lines of a lower-case word, a colon and a value.
// Other lines are prose.
func (c *calendarReader) described(at *node, description *icalendar.Property, opens time.Time) {
	if description == nil {
		return
	}
	with := &node{kind: mapKind, doc: c.doc, line: description.Line, col: description.Column, width: description.Width}
	for _, l := range description.Lines() {
		m := describedVariable.FindStringSubmatch(l.Text)
		if m == nil {
			continue
		}
		key, text := m[1], m[2]
		n := c.scalar(text, l.Place)
		switch {
		case at.get(key) != nil && key != "name" && key != "venue" && key != "opens" || with.get(key) != nil:
			c.wrong(n, fmt.Sprintf("%q stands twice in the description", key), "keep one")
		case slices.Contains(eventKeys, key):
			if d, err := time.ParseDuration(text); err == nil && d > 0 && (key == "prequeue" || key == "closes") {
				if key == "prequeue" {
					d = -d
				}
				text = opens.Add(d).Format(time.RFC3339)
			}
			c.put(at, key, l.Place, text, key != "tickets")
		case slices.ContainsFunc(c.in.Variables, func(v str) bool { return v.S == key }):
			// What stands in a calendar is a text: it names no variables of the config.
			with.entries = append(with.entries, entry{c.scalar(key, l.Place), c.scalar(strings.ReplaceAll(text, "$", "$$"), l.Place)})
		default:
			var may []string
			for _, v := range c.in.Variables {
				may = append(may, v.S)
			}
			c.wrong(n, fmt.Sprintf("an event may not set %q", key), fmt.Sprintf("allow it: calendar: {variables: [%s]}; or: %s", key, didYouMean(key, append(may, eventKeys...), "remove it")))
		}
	}
	if len(with.entries) > 0 {
		at.entries = append(at.entries, entry{at.keyed("with", with), with})
	}
}

// start is the instant of a DTSTART.
func (c *calendarReader) start(p *icalendar.Property, zones map[string]string) (at time.Time, why, fix string) {
	text := strings.TrimSpace(p.Text)
	if _, err := time.Parse("20060102", text); err == nil {
		return at, "has no time of day", "give the event the time at which the doors open"
	}
	if utc, err := time.Parse("20060102T150405Z", text); err == nil {
		return checkYear(utc)
	}
	wall, err := time.Parse("20060102T150405", text)
	if err != nil {
		return at, "is not a time", "write 20261201T100000Z, or 20261201T100000 with a TZID"
	}
	loc := c.zone
	if id := p.Param("TZID"); id != "" {
		if loc = c.located(id, zones); loc == nil {
			return at, fmt.Sprintf("is in a time zone that is not known: %q", sale.Clean(id, 60)),
				fmt.Sprintf("say which it is: calendar: {zones: {%q: Europe/Zagreb}}", sale.Clean(id, 60))
		}
	}
	if loc == nil {
		return at, "has no time zone", "say which clock it means: calendar: {timezone: Europe/Zagreb}"
	}
	return onWallClock(wall, loc, wall.Format("2006-01-02T15:04:05"))
}

// located finds a zone by the calendar's name for it: as the config says, an IANA name, one at the end
// of a longer name (/example.org/Europe/Zagreb), or as the calendar itself says.
func (c *calendarReader) located(id string, zones map[string]string) *time.Location {
	names := []string{c.zones[id], id, zones[id]}
	if parts := strings.Split(id, "/"); len(parts) > 2 {
		names = append(names, strings.Join(parts[len(parts)-2:], "/"))
	}
	for _, name := range names {
		if loc, why := zone(name); why == "" {
			return loc
		}
	}
	return nil
}

// idOf makes a sale's id of a UID: what stands before its "@" where that will do, and always the same
// for the same UID.
func idOf(uid string) string {
	local, _, _ := strings.Cut(strings.ToLower(uid), "@")
	if id := strings.Trim(notInID.ReplaceAllString(local, "-"), "-"); id != "" && len(id) <= 40 {
		return id
	}
	sum := sha256.Sum256([]byte(uid))
	return "event-" + hex.EncodeToString(sum[:6])
}

func (c *calendarReader) scalar(text string, at icalendar.Place) *node {
	return &node{kind: scalarKind, doc: c.doc, line: at.Line, col: at.Column, width: at.Width, text: text, size: 1}
}

func (c *calendarReader) put(at *node, key string, where icalendar.Place, text string, quoted bool) {
	n := c.scalar(strings.TrimSpace(text), where)
	n.quoted = quoted
	at.entries = append(at.entries, entry{at.keyed(key, n), n})
}

// keyed makes the key of a value that has no place of its own.
func (n *node) keyed(key string, value *node) *node {
	return &node{kind: scalarKind, doc: value.doc, line: value.line, col: value.col, width: value.width, text: key, size: 1}
}

// compare keeps what the calendar does not have any more, and notes what it moved.
func (c *calendarReader) compare() {
	was := c.env.Before
	if !was.sameAs(c.calendar) {
		return
	}
	for _, old := range was.dated {
		i := slices.IndexFunc(c.calendar.dated, func(d dated) bool { return d.uid == old.uid })
		if i < 0 {
			if old.gone.IsZero() {
				old.gone = c.now
			}
			renamed := slices.ContainsFunc(c.calendar.dated, func(d dated) bool { return d.id == old.id })
			if !renamed && !c.over(old.opens, time.Time{}) {
				c.calendar.dated = append(c.calendar.dated, old)
			}
			continue
		}
		d := &c.calendar.dated[i]
		d.since = old.since
		for _, n := range old.moved {
			if c.now.Before(n.Until) {
				d.moved = append(d.moved, n)
			}
		}
		if !d.opens.Equal(old.opens) {
			d.moved = []sale.Notice{{
				Text:   fmt.Sprintf("the calendar moved the opening from %s to %s", dateText(old.opens), dateText(d.opens)),
				Source: CalendarName, Since: c.now, Until: c.now.Add(movedFor),
			}}
		}
	}
}

// tell notes what must be known of the sale beyond its date.
func (d *dated) tell(c *calendarReader) {
	if d.cancelled && d.since.IsZero() {
		d.since = c.now
	}
	notices := d.moved
	note := func(since time.Time, text string) {
		notices = append(notices, sale.Notice{Text: text, Source: CalendarName, Since: since})
	}
	if own := c.own[d.id]; own != nil && own.get("opens") != nil {
		notices = nil // the file's own date counts
		if opens, why, _ := parseMoment(own.get("opens").text); why == "" && !opens.Equal(d.opens) {
			note(c.now, fmt.Sprintf("the calendar says that it opens %s, the config's own date counts", dateText(d.opens)))
		}
	}
	if d.cancelled {
		note(d.since, "the calendar says CANCELLED")
	}
	if !d.gone.IsZero() {
		note(d.gone, "the calendar does not have this sale any more")
	}
	c.notices[sale.ID(d.id)] = notices
}

func dateText(t time.Time) string { return t.Format("Mon 2 Jan 15:04 MST") }
