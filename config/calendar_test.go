package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

const calendarFile = `environment: production
sources:
  metrics: {kind: prometheus, url: "http://localhost:9090"}
calendar:
  url: "${env:CALENDAR}"
  timezone: Europe/Zagreb
  zones: {"W. Europe Standard Time": Europe/Berlin}
  category: onsale
  template: shop
  variables: [room, match]
templates:
  shop:
    variables: {room: null, match: '.*'}
    signals:
      waiting: {from: metrics, query: 'waiting{room="$room",match="$match"}'}
`

const privateAddress = "https://calendar.example/private-4711/onsales.ics?key=abc"

// events writes a calendar of events, each as its lines.
func events(all ...string) string {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")
	for _, e := range all {
		b.WriteString("BEGIN:VEVENT\r\nCATEGORIES:Onsale\r\n" + strings.ReplaceAll(e, "\n", "\r\n") + "\r\nEND:VEVENT\r\n")
	}
	b.WriteString("END:VCALENDAR\r\n")
	return b.String()
}

const lanternEvent = `UID:lantern@tickets.example
SUMMARY:The Tin Orchard
LOCATION:Harbour Hall\, Quay 4
DTSTART;TZID=Europe/Zagreb:20261201T100000
DESCRIPTION:Ask Mara before you move this.\nroom: r-17\ntickets: 12000\nprequeue: 30m\ncloses: 2026-12-01T22:00:00+01:00`

var calendarNow = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

// dating reads a config whose calendar is fetched; before is the one that it replaces, or nil.
func dating(t *testing.T, file, text string, before *Config, now time.Time) (*Config, error) {
	t.Helper()
	env := outside(map[string]string{"CALENDAR": privateAddress}, nil)
	env.Now = func() time.Time { return now }
	env.Calendar = func(s *Source) ([]byte, error) {
		if got := s.Calendar.URL.Reveal(); got != privateAddress || s.Every != 5*time.Minute {
			t.Errorf("asked for %q every %s", got, s.Every)
		}
		return []byte(text), nil
	}
	if before != nil {
		env.Before = before.Calendar
	}
	return parse("onsale.yaml", "/conf", []byte(file), env)
}

func dated1(t *testing.T, file, text string, before *Config, now time.Time) *Config {
	t.Helper()
	c, err := dating(t, file, text, before, now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func noticesOf(c *Config, id sale.ID) string {
	s, ok := c.Sale(id)
	if !ok {
		return "no such sale"
	}
	var all []string
	for _, n := range s.Notices {
		all = append(all, n.Text)
	}
	return strings.Join(all, "; ")
}

func TestAnEventIsASale(t *testing.T) {
	c := dated1(t, calendarFile, events(lanternEvent,
		"UID:{7F3A-B}\nSUMMARY:123\nDTSTART:20261202T090000Z\nDESCRIPTION:room: a$b",
		"UID:040000008200E00074C5B7101A82E00800000000B0@x\nSUMMARY:Third\nDTSTART;TZID=W. Europe Standard Time:20261203T100000\nDESCRIPTION:id: third\\nroom: ${env:CALENDAR}",
	), nil, calendarNow)
	if len(c.Sales) != 3 || len(c.Warnings) != 0 {
		t.Fatalf("%+v %v", c.Sales, c.Warnings)
	}
	s := c.Sales[0]
	zagreb, _ := time.LoadLocation("Europe/Zagreb")
	opens := time.Date(2026, 12, 1, 10, 0, 0, 0, zagreb)
	if s.ID != "lantern" || s.Name != "The Tin Orchard" || s.Venue != "Harbour Hall, Quay 4" || s.Tickets != 12000 || !s.Opens.Equal(opens) ||
		!s.Prequeue.Equal(opens.Add(-30*time.Minute)) || !s.Closes.Equal(opens.Add(12*time.Hour)) || s.Digit != 1 || len(s.Notices) != 0 {
		t.Errorf("%+v", s)
	}
	if q := s.Reads[0].Prometheus.Query; q != `waiting{room="r-17",match=".*"}` {
		t.Errorf("it reads %q", q)
	}
	if s := c.Sales[1]; s.ID != "7f3a-b" || s.Name != "123" || s.Reads[0].Prometheus.Query != `waiting{room="a$b",match=".*"}` {
		t.Errorf("%+v %q", s, s.Reads[0].Prometheus.Query)
	}
	if s := c.Sales[2]; s.ID != "third" || s.Reads[0].Prometheus.Query != `waiting{room="${env:CALENDAR}",match=".*"}` {
		t.Errorf("what stands in a calendar refers to nothing: %+v %q", s, s.Reads[0].Prometheus.Query)
	}
	if src, ok := c.Source("calendar"); !ok || src.Kind != KindCalendar || src.Timeout != 10*time.Second {
		t.Errorf("%+v", src)
	}
	if shown, err := c.ShowYAML(); err != nil || strings.Contains(string(shown), "private") {
		t.Errorf("%s %v", shown, err)
	} else if _, err := parse("shown.yaml", "/conf", shown, outside(nil, nil)); err != nil {
		t.Errorf("what is shown is no config: %v\n%s", err, shown)
	}
}

func TestAnOwnSaleHasWhatItsEventSaysUnlessItSaysSoItself(t *testing.T) {
	own := calendarFile + `sales:
  - id: harbour
    name: Harbour Lights
    opens: 2026-12-05T10:00+01:00
    template: shop
    with: {room: r-1}
  - id: lantern
    template: shop
    venue: The Pier
    with: {match: x}
`
	c := dated1(t, own, events(lanternEvent, "UID:harbour\nSUMMARY:Harbour\nDTSTART:20261205T100000Z"), nil, calendarNow)
	if len(c.Sales) != 2 {
		t.Fatalf("%+v", c.Sales)
	}
	s, _ := c.Sale("lantern")
	if s.Name != "The Tin Orchard" || s.Venue != "The Pier" || s.Tickets != 12000 || s.Reads[0].Prometheus.Query != `waiting{room="r-17",match="x"}` {
		t.Errorf("%+v %q", s, s.Reads[0].Prometheus.Query)
	}
	h, _ := c.Sale("harbour")
	if h.Name != "Harbour Lights" || h.Opens.UTC().Hour() != 9 || noticesOf(c, "harbour") != "the calendar says that it opens Sat 5 Dec 10:00 UTC, the config's own date counts" {
		t.Errorf("%+v %q", h.Sale, noticesOf(c, "harbour"))
	}
	if _, err := dating(t, strings.Replace(own, "id: lantern", "id: comet", 1), events(lanternEvent), nil, calendarNow); err == nil || !strings.Contains(err.Error(), `a sale has no "opens"`) {
		t.Errorf("an own sale without a date in either: %v", err)
	}
}

func TestWhatIsWrongWithAnEventIsToldWhereTheCalendarSaysIt(t *testing.T) {
	base := "UID:lantern\nSUMMARY:The Tin Orchard\nDTSTART:20261201T090000Z"
	for name, c := range map[string]struct {
		text, at, why, fix string
	}{
		"a date alone":             {events("UID:a\nSUMMARY:b\nDTSTART;VALUE=DATE:20261201"), "7:20", "no time of day", "doors open"},
		"an unknown zone":          {events("UID:a\nSUMMARY:b\nDTSTART;TZID=Central Time:20261201T100000"), "7:27", `not known: "Central Time"`, "zones: {"},
		"a time that is skipped":   {events("UID:a\nSUMMARY:b\nDTSTART:20270328T023000"), "7:9", "never happens", "hour before"},
		"a time that comes twice":  {events("UID:a\nSUMMARY:b\nDTSTART;TZID=Europe/Zagreb:20271031T023000"), "7:28", "happens twice", "say which"},
		"no time":                  {events("UID:a\nSUMMARY:b\nDTSTART:tomorrow"), "7:9", "is not a time", "20261201T100000Z"},
		"a repeated one":           {events(base + "\nRRULE:FREQ=DAILY"), "8:7", "repeats (RRULE)", "event of its own"},
		"one of a series":          {events(base + "\nRECURRENCE-ID:20261201T090000Z"), "8:15", "repeats", "event of its own"},
		"no UID":                   {events("SUMMARY:b\nDTSTART:20261201T090000Z"), "3:1", "no UID", "keep it out"},
		"no name":                  {events("UID:a\nSUMMARY: \nDTSTART:20261201T090000Z"), "3:1", "no SUMMARY", "keep it out"},
		"a forbidden variable":     {events(base + "\nDESCRIPTION:Hello\\nscale_max: 90"), "8:20", `may not set "scale_max"`, "variables: [scale_max]"},
		"a misspelt one":           {events(base + "\nDESCRIPTION:Hello\\n\n  romm: 90"), "9:2", `may not set "romm"`, `room`},
		"twice":                    {events(base + "\nDESCRIPTION:room: 1\\nroom: 2"), "8:22", "twice in the description", "keep one"},
		"tickets in words":         {events(base + "\nDESCRIPTION:room: 1\\ntickets: many"), "8:22", "whole number", "15200"},
		"a template of nobody":     {events(base + "\nDESCRIPTION:room: 1\\ntemplate: stage"), "8:22", "stage", "shop"},
		"no variable that is need": {events(base), "", "room", "room"},
		"one sale by two":          {events(base+"\nDESCRIPTION:room: 1", "UID:lantern@x\nSUMMARY:b\nDTSTART:20261201T090000Z"), "", `two events are the sale "lantern"`, "id:"},
		"one event twice":          {events(base+"\nDESCRIPTION:room: 1", base+"\nDESCRIPTION:room: 1"), "12:5", "UID of another", "line 5"},
		"a page":                   {"<html>", "1:1", "no calendar", "export"},
	} {
		_, err := dating(t, calendarFile, c.text, nil, calendarNow)
		var all *Errors
		if !errors.As(err, &all) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		m := all.Mistakes[0]
		if at := fmt.Sprintf("%d:%d", m.Line, m.Column); c.at != "" && (at != c.at || m.File != "calendar.example/….ics") || !strings.Contains(m.Why, c.why) || !strings.Contains(m.Fix, c.fix) {
			t.Errorf("%s: want %s %s / %s, got\n%v", name, c.at, c.why, c.fix, err)
		}
		if strings.Contains(err.Error(), "private") {
			t.Errorf("%s: the address is told: %v", name, err)
		}
	}
}

func TestOldEventsAndOthersAreNoSales(t *testing.T) {
	c := dated1(t, calendarFile, events(lanternEvent, "UID:old\nSUMMARY:Last year\nDTSTART:20251201T090000Z\nDESCRIPTION:nonsense: 1")+"", nil, calendarNow)
	if len(c.Sales) != 1 {
		t.Errorf("%+v", c.Sales)
	}
	text := strings.Replace(events(lanternEvent, "UID:lunch\nSUMMARY:Lunch\nDTSTART:20261201T120000Z\nRRULE:FREQ=DAILY"), "Onsale\r\nUID:lunch", "Food\r\nUID:lunch", 1)
	if c := dated1(t, calendarFile, text, nil, calendarNow); len(c.Sales) != 1 {
		t.Errorf("%+v", c.Sales)
	}
	if _, err := dating(t, calendarFile, events(), nil, calendarNow); err == nil || !strings.Contains(err.Error(), "there are no sales") {
		t.Errorf("nothing to watch: %v", err)
	}
}

func TestWhatTheCalendarChangesIsSaidOnTheSale(t *testing.T) {
	other := "UID:comet\nSUMMARY:Comet\nDTSTART:20261203T090000Z\nDESCRIPTION:room: 2"
	first := dated1(t, calendarFile, events(lanternEvent, other), nil, calendarNow)

	later := calendarNow.Add(time.Hour)
	moved := dated1(t, calendarFile, events(strings.Replace(lanternEvent, "T100000", "T120000", 1), other), first, later)
	s, _ := moved.Sale("lantern")
	if got := noticesOf(moved, "lantern"); got != "the calendar moved the opening from Tue 1 Dec 10:00 CET to Tue 1 Dec 12:00 CET" || !s.Notices[0].Until.Equal(later.Add(time.Hour)) || s.Opens.UTC().Hour() != 11 {
		t.Errorf("%q %+v", got, s.Notices)
	}
	again := dated1(t, calendarFile, events(strings.Replace(lanternEvent, "T100000", "T120000", 1), other), moved, later.Add(10*time.Minute))
	if noticesOf(again, "lantern") != noticesOf(moved, "lantern") || noticesOf(again, "comet") != "" {
		t.Errorf("a reload forgets it: %q", noticesOf(again, "lantern"))
	}

	gone := dated1(t, calendarFile, events(other), first, later)
	if s, ok := gone.Sale("lantern"); !ok || noticesOf(gone, "lantern") != "the calendar does not have this sale any more" || !s.Notices[0].Since.Equal(later) || s.Tickets != 12000 {
		t.Errorf("%+v", gone.Sales)
	}
	still := dated1(t, calendarFile, events(other), gone, later.Add(time.Hour))
	if s, ok := still.Sale("lantern"); !ok || !s.Notices[0].Since.Equal(later) {
		t.Errorf("%+v", still.Sales)
	}
	if back := dated1(t, calendarFile, events(lanternEvent, other), still, later.Add(2*time.Hour)); noticesOf(back, "lantern") != "" || len(back.Sales) != 2 {
		t.Errorf("it is back: %q", noticesOf(back, "lantern"))
	}
	if past := dated1(t, calendarFile, events(other), still, later.AddDate(0, 0, 7)); len(past.Sales) != 1 {
		t.Errorf("a sale that is over stays for ever: %+v", past.Sales)
	}
	if empty := dated1(t, calendarFile, events(), first, later); len(empty.Sales) != 2 {
		t.Errorf("an empty calendar drops %+v", empty.Sales)
	}

	cancelled := dated1(t, calendarFile, events(lanternEvent+"\nSTATUS:CANCELLED", other), first, later)
	if got := noticesOf(cancelled, "lantern"); got != "the calendar says CANCELLED" {
		t.Errorf("%q", got)
	}
}

func TestACalendarThatCanNotBeReadLeavesWhatThereIs(t *testing.T) {
	broken := func(file string, before *Config) (*Config, error) {
		env := outside(map[string]string{"CALENDAR": privateAddress}, nil)
		env.Calendar = func(*Source) ([]byte, error) { return nil, errors.New("connection refused") }
		if before != nil {
			env.Before = before.Calendar
		}
		env.Now = func() time.Time { return calendarNow }
		return parse("onsale.yaml", "/conf", []byte(file), env)
	}
	if _, err := broken(calendarFile, nil); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("%v", err)
	}
	c, err := broken(calendarFile+"sales: [{id: harbour, name: H, opens: 2026-12-05T10:00Z, template: shop, with: {room: 1}}]\n", nil)
	if err != nil || len(c.Sales) != 1 || len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].Why, "only the file's own sales") {
		t.Fatalf("%+v %v", c, err)
	}
	if _, ok := c.Source("calendar"); !ok {
		t.Error("it is not tried again")
	}
	env := outside(map[string]string{"CALENDAR": privateAddress}, nil)
	env.Now = func() time.Time { return calendarNow }
	env.Calendar = func(*Source) ([]byte, error) {
		return []byte(events(lanternEvent)), errors.New("connection refused; a copy is used")
	}
	if c, err := parse("onsale.yaml", "/conf", []byte(calendarFile), env); err != nil || len(c.Sales) != 1 || len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].Why, "a copy is used") {
		t.Errorf("a copy: %+v %v", c, err)
	}
	first := dated1(t, calendarFile, events(lanternEvent), nil, calendarNow)
	if c, err := broken(calendarFile, first); err != nil || len(c.Sales) != 1 {
		t.Errorf("%+v %v", c, err)
	}
}

func TestACalendarFileIsReadLikeTheConfig(t *testing.T) {
	file := strings.Replace(calendarFile, `url: "${env:CALENDAR}"`, "file: dates.ics", 1)
	env := outside(nil, map[string]*fstest.MapFile{"/conf/dates.ics": {Data: []byte(events(lanternEvent)), Mode: 0o644}})
	env.Now = func() time.Time { return calendarNow }
	c, err := parse("onsale.yaml", "/conf", []byte(file), env)
	if err != nil || len(c.Sales) != 1 || c.Calendar.Path != "/conf/dates.ics" {
		t.Fatalf("%+v %v", c, err)
	}
	if _, ok := c.Source("calendar"); ok {
		t.Error("a file is polled")
	}
	for change, why := range map[string]string{
		"file: none.ics":                          "does not exist",
		"file: dates.ics\n  every: 1m":            "a file is not fetched",
		"file: dates.ics\n  url: https://h/a.ics": "one of them",
		"url: https://a:b@h/a.ics":                "user name or a password",
		"url: https://h/a.ics\n  every: 5s":       "can't be asked every 5s",
		"timezon: Europe/Zagreb":                  "timezon",
	} {
		if _, err := parse("onsale.yaml", "/conf", []byte(strings.Replace(file, "file: dates.ics", change, 1)), env); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", change, err)
		}
	}
	if _, err := parse("onsale.yaml", "/conf", []byte(strings.Replace(calendarFile, "  metrics:", "  calendar: {kind: prometheus, url: 'http://localhost'}\n  metrics:", 1)+"sales: [{id: a, name: H, opens: 2026-12-05T10:00Z, template: shop, with: {room: 1}}]\n"), func() Environment {
		env := outside(map[string]string{"CALENDAR": privateAddress}, nil)
		env.Calendar = func(*Source) ([]byte, error) { return []byte(events()), nil }
		return env
	}()); err == nil || !strings.Contains(err.Error(), `a source is called "calendar"`) {
		t.Errorf("%v", err)
	}
}
