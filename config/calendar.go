package config

import (
	"errors"
	"net/url"
	"path"
	"reflect"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/config/icalendar"
	"github.com/onsale-dev/onsale/sale"
)

// KindCalendar is the kind of the source that a calendar's address becomes. It stands under
// "calendar:", never under "sources:".
const KindCalendar = "calendar"

// CalendarName is what that source is called.
const CalendarName = "calendar"

// The rhythm of a calendar that is fetched.
const (
	calendarEvery    = 5 * time.Minute
	minCalendarEvery = 30 * time.Second
)

// CalendarSource is how to fetch a calendar.
type CalendarSource struct {
	URL     Secret // whoever knows it may read the calendar
	Basic   *BasicAuth
	Bearer  Secret
	Headers map[string]Secret
	TLS     TLS
}

// Calendar is where sales come from that the file does not have, or has in part, and what was there.
type Calendar struct {
	Path   string          // of the file, absolute; "" when it is fetched
	Source *CalendarSource // nil when it is a file

	name  string  // what messages call it
	dated []dated // what was in it, and what was and is not any more
}

// sameAs reports whether two calendars are the same one, at whatever time.
func (c *Calendar) sameAs(o *Calendar) bool {
	if c == nil || o == nil || (c.Source == nil) != (o.Source == nil) {
		return false
	}
	return c.Path == o.Path && (c.Source == nil || c.Source.URL.Reveal() == o.Source.URL.Reveal())
}

type calendarIn struct {
	place
	File      str     `json:"file" jsonschema_description:"The path of an iCalendar file (.ics). It is read again when it changes."`
	URL       outer   `json:"url" jsonschema_description:"Where to fetch it: https://calendar.example/onsales.ics. A private address is a secret: ${env:NAME} or ${file:/path}."`
	Every     span    `json:"every" jsonschema_description:"How often to fetch it, 30s to 1h. Default 5m."`
	Timeout   span    `json:"timeout" jsonschema_description:"How long to wait for an answer. Default 10s."`
	AllowHTTP toggle  `json:"allow_http" jsonschema_description:"true lets credentials go over http to another machine."`
	Auth      *authIn `json:"auth" jsonschema_description:"How to log in: basic, bearer or headers."`
	TLS       *tlsIn  `json:"tls" jsonschema_description:"Certificates."`
	TimeZone  str     `json:"timezone" jsonschema_description:"The time zone of events that name none: Europe/Zagreb. Default: the calendar's own, or they are refused."`
	Zones     rawMap  `json:"zones" jsonschema_description:"IANA names for zones that the calendar calls otherwise: {\"W. Europe Standard Time\": Europe/Berlin}."`
	Category  text    `json:"category" jsonschema_description:"Only events of this category are sales. Default: all events are."`
	Template  str     `json:"template" jsonschema_description:"The template of sales that come from the calendar alone and name none."`
	Variables []str   `json:"variables" jsonschema_description:"The template's variables that an event may set in its description, as room: …. Default: none."`
}

func (calendarIn) what() string { return "the calendar" }

// calendarReader makes sales of events.
type calendarReader struct {
	*reader
	in       calendarIn
	calendar *Calendar
	doc      *document
	zone     *time.Location // of events that name none; nil: they are refused
	zones    map[string]string
	own      map[string]*node // the file's own sales by id
	now      time.Time
	notices  map[sale.ID][]sale.Notice
	fetches  *Source // that the calendar is; nil: it is a file
}

// withCalendar returns the file with the sales of its calendar among its own, so that both are read
// by the same rules and what is wrong with an event is told where the calendar says it. An own sale
// with an event's id has what the event says, unless it says so itself.
func (r *reader) withCalendar(root *node) *node {
	at := root.get("calendar")
	if at == nil || at.kind == nullKind {
		return root
	}
	c := &calendarReader{reader: r, calendar: &Calendar{}, zones: map[string]string{}, own: map[string]*node{}, now: r.env.now(), notices: map[sale.ID][]sale.Notice{}}
	r.dates = c
	before := len(r.mistakes)
	r.decode(at, reflect.ValueOf(&c.in).Elem(), constraint{key: "calendar"})
	if len(r.mistakes) > before || !c.section(at) {
		return root.withSales(at)
	}
	sales := root.get("sales")
	if sales != nil && sales.kind != listKind {
		return root // which is told
	}
	if sales != nil {
		for _, s := range sales.items {
			if id := s.get("id"); id != nil {
				c.own[id.text] = s
			}
		}
	}
	if text, ok := c.text(at, len(c.own) > 0); ok {
		c.events(text)
	}
	return c.merged(root, sales, at)
}

// withSales is the file with a list of sales, so that what is wrong with its calendar is not also told
// as sales that are missing.
func (n *node) withSales(at *node) *node {
	if n.get("sales") != nil {
		return n
	}
	out := *n
	list := &node{kind: listKind, doc: at.doc, line: at.line, col: at.col, width: at.width}
	out.entries = append(append([]entry(nil), n.entries...), entry{at.keyed("sales", list), list})
	return &out
}

// section reads where the calendar is.
func (c *calendarReader) section(at *node) bool {
	in := &c.in
	switch {
	case in.File.given() == in.URL.given():
		c.wrong(at, `the calendar needs "file" or "url", one of them`, "write calendar: {file: onsales.ics}")
		return false
	case in.File.given() && (in.Auth != nil || in.TLS != nil || in.Every.given() || in.Timeout.given()):
		c.wrong(in.File.at, "a file is not fetched: it has no auth, tls, every or timeout", "remove them, or give url")
		return false
	}
	before := len(c.mistakes)
	if in.TimeZone.given() {
		loc, why := zone(in.TimeZone.S)
		if why != "" {
			c.wrong(in.TimeZone.at, why, "write a name such as Europe/Zagreb")
		}
		c.zone = loc
	}
	if in.Zones.given() {
		for _, e := range in.Zones.at.entries {
			if _, why := zone(e.value.text); why != "" {
				c.wrong(e.value, why, "write a name such as Europe/Zagreb")
			}
			c.zones[e.key.text] = e.value.text
		}
	}
	if in.File.given() {
		c.calendar.Path = c.path(in.File.S)
		c.calendar.name = in.File.S
	} else {
		c.fetched(in)
	}
	return len(c.mistakes) == before
}

// fetched declares the source that the calendar's address is.
func (c *calendarReader) fetched(in *calendarIn) {
	of := &CalendarSource{}
	login := &PrometheusSource{}
	if in.Auth != nil {
		c.auth(login, in.Auth)
		if login.SigV4 != nil {
			c.wrong(in.Auth.SigV4.at, `"sigv4" is not for a calendar`, "log in by basic, bearer or headers")
		}
	}
	of.Basic, of.Bearer, of.Headers = login.Basic, login.Bearer, login.Headers
	bare := in.URL
	bare.S, _, _ = strings.Cut(in.URL.S, "?") // a query is welcome here: the address is never shown
	c.url(bare, "url", in.Auth != nil && in.Auth.guards(), in.AllowHTTP.V)
	of.URL = NewSecret(in.URL.S)
	if in.TLS != nil {
		of.TLS = c.tls(in.TLS)
	}
	s := Source{Name: CalendarName, Kind: KindCalendar, Calendar: of}
	c.common(&s, sourceIn{Every: in.Every, Timeout: in.Timeout, AllowHTTP: in.AllowHTTP}, calendarEvery, 10*time.Second, minCalendarEvery)
	c.calendar.Source, c.fetches = of, &s
	c.calendar.name = "the calendar"
	if u, err := url.Parse(in.URL.S); err == nil {
		c.calendar.name = u.Hostname() + "/…" + path.Ext(u.Path) // its path may be all that keeps it private
	}
}

// text is the calendar as it is now. own reports whether the file has sales of its own, without
// which nothing is left of a calendar that can't be read.
func (c *calendarReader) text(at *node, own bool) (string, bool) {
	var data []byte
	var err error
	switch {
	case c.calendar.Path != "":
		data, _, err = c.env.read(c.calendar.Path, icalendar.MaxBytes)
		if err != nil {
			c.wrong(c.in.File.at, "the calendar can't be read: "+fault(c.calendar.Path, err), "mend the path; a relative one starts at the config's folder")
			return "", false
		}
	case c.env.Calendar == nil:
		err = errors.New("nothing is fetched here")
	default:
		data, err = c.env.Calendar(c.fetches)
	}
	if err != nil && len(data) > 0 { // an older copy of it
		c.warn(at, "the calendar can't be read: "+sale.Clean(err.Error(), 300), "see that the address and its login are right")
		err = nil
	}
	if err == nil {
		return strings.ReplaceAll(string(data), "\r\n", "\n"), true
	}
	if c.env.Before.sameAs(c.calendar) {
		c.calendar.dated = c.env.Before.dated
		return "", true
	}
	why, fix := "the calendar can't be read: "+sale.Clean(err.Error(), 300), "see that the address and its login are right"
	if !own {
		c.wrong(at, why+"; the file has no sales of its own", fix)
		return "", false
	}
	c.warn(at, why+"; only the file's own sales are here until it can", fix)
	return "", false
}

// merged puts what the calendar dates among the file's own sales.
func (c *calendarReader) merged(root, sales, at *node) *node {
	root = root.withSales(at)
	list := *root.get("sales")
	list.items = nil
	if sales != nil {
		for _, s := range sales.items {
			list.items = append(list.items, c.joined(s))
		}
	}
	for i := range c.calendar.dated {
		d := &c.calendar.dated[i]
		if c.own[d.id] == nil {
			list.items = append(list.items, d.node)
		}
		d.tell(c)
	}
	out := *root
	out.entries = append([]entry(nil), root.entries...)
	for i := range out.entries {
		if out.entries[i].key.text == "sales" {
			out.entries[i].value = &list
		}
	}
	return &out
}

// joined is an own sale with what its event says beyond it.
func (c *calendarReader) joined(own *node) *node {
	for _, d := range c.calendar.dated {
		if id := own.get("id"); id == nil || id.text != d.id || own.kind != mapKind {
			continue
		}
		return joinedNodes(own, d.node)
	}
	return own
}

func joinedNodes(own, event *node) *node {
	out := *own
	out.entries = append([]entry(nil), own.entries...)
	for _, e := range event.entries {
		switch had := own.get(e.key.text); {
		case own.keyOf(e.key.text) == own:
			out.entries = append(out.entries, e)
		case e.key.text == "with" && had.kind == mapKind:
			for i := range out.entries {
				if out.entries[i].key.text == "with" {
					out.entries[i].value = joinedNodes(had, e.value)
				}
			}
		}
	}
	return &out
}

// taken hands over what the calendar is, once the sales are read.
func (c *calendarReader) taken(cfg *Config) {
	if c == nil || c.calendar.name == "" {
		return
	}
	cfg.Calendar = c.calendar
	if c.fetches != nil {
		if s, ok := cfg.Source(CalendarName); ok && s.Kind != KindCalendar {
			c.wrong(c.in.URL.at, `a source is called "calendar"`, "give it another name: the calendar is a source of that name")
			return
		}
		cfg.Sources = append(cfg.Sources, *c.fetches)
	}
	for i := range cfg.Sales {
		cfg.Sales[i].Notices = c.notices[cfg.Sales[i].ID]
	}
}
