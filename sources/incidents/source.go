package incidents

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// Bounds of what is kept and asked for.
const (
	mostIncidents = 200 // of one poll
	mostLookUps   = 8   // of one poll, for what is not among the open ones
	mostPages     = 5
	tellEndedFor  = 40 * time.Minute
	// settleFor is how long after its sending an incident may be missing from its tool without
	// being over: the tools take a moment to show what they took in.
	settleFor = 2 * time.Minute
)

// Known is an incident that the journal knows as open.
type Known struct {
	Sale sale.ID
	Key  string
	Sent time.Time
}

// Common is what every kind of source needs. Name and Sales are required.
type Common struct {
	Name  string
	Every time.Duration
	Sales []sale.ID
	// Known lists what the journal knows as open, of any sale; nil: only what the tool shows.
	Known func() []Known
	// Client sends the requests, as sources.NewClient makes it; nil makes one.
	Client *http.Client
	// Secrets never stand in a text, whatever the tool echoes.
	Secrets []string
}

// system is one kind of tool.
type system interface {
	kind() string
	tool() string  // as people call it
	limit() string // of its API, in words
	budget() (calls int, window time.Duration)
	// open reads every incident of these sales that is open. complete is false when not all could
	// be read, so that one that is missing proves nothing.
	open(ctx context.Context, now time.Time) (list []sale.Incident, warnings []string, complete bool, err error)
	// ended finds out what became of one that was open and is not among those. ok is false when it
	// is not over as far as is known.
	ended(ctx context.Context, w watched, now time.Time) (in sale.Incident, ok bool, err error)
	hints() map[sale.Class]string
}

// watched is an incident that was open when it was last heard of.
type watched struct {
	sale.Incident
	id   string    // the tool's own; "" when the tool never showed it
	seen time.Time // when the tool showed it last; zero: never
}

// Source tells of the incidents of some sales.
type Source struct {
	common Common
	system system
	open   []watched
	over   []sale.Incident // that were open here, until nobody needs to hear of them
}

func newSource(c Common, s system) (*Source, error) {
	if c.Name == "" || len(c.Sales) == 0 {
		return nil, fmt.Errorf("%s source %s: a name and sales are needed", s.kind(), c.Name)
	}
	return &Source{common: c, system: s}, nil
}

func (c *Common) prepare(every time.Duration) {
	c.Every = cmp.Or(c.Every, every)
	if c.Client == nil {
		c.Client = sources.NewClient(sources.ClientOptions{})
	}
}

// Info describes the source.
func (s *Source) Info() sale.SourceInfo {
	gives := fmt.Sprintf("incidents of %d sales", len(s.common.Sales))
	if len(s.common.Sales) == 1 {
		gives = "incidents of 1 sale"
	}
	return sale.SourceInfo{
		Name: s.common.Name, Kind: s.system.kind(), Every: s.common.Every, Cadence: sale.Cadence{Period: s.common.Every},
		Gives: gives, Limit: s.system.limit(),
		Incidents: &sale.IncidentsInfo{Tool: s.system.tool(), Sales: slices.Clone(s.common.Sales)},
	}
}

// Budget leaves the rest of the provider's limit to people and actions.
func (s *Source) Budget() (calls int, window time.Duration) { return s.system.budget() }

var _ sources.Budgeted = (*Source)(nil)

// Read asks for what is open, and for what became of that which is not open any more.
func (s *Source) Read(ctx context.Context, now time.Time) sale.Batch {
	list, warnings, complete, err := s.system.open(ctx, now)
	if err != nil {
		p := s.problem(err)
		return sale.Batch{Problem: &p}
	}
	list = slices.DeleteFunc(list, func(in sale.Incident) bool { return !slices.Contains(s.common.Sales, in.Sale) })
	list = list[:min(len(list), mostIncidents)]
	for i := range list {
		list[i].System, list[i].Seen = s.system.kind(), now
	}
	if complete {
		more, err := s.whatEnded(ctx, list, now)
		if err != nil {
			p := s.problem(err)
			return sale.Batch{Problem: &p}
		}
		list = append(list, more...)
	}
	s.remember(list, now)
	list = append(list, s.over...)
	return sale.Batch{Warnings: warnings, Incidents: &sale.IncidentsRead{At: now, List: list}}
}

// whatEnded looks after what was open and is not in the list; what is open all the same comes back.
func (s *Source) whatEnded(ctx context.Context, list []sale.Incident, now time.Time) (open []sale.Incident, err error) {
	looked := 0
	for _, w := range s.watching() {
		has := func(in sale.Incident) bool { return in.Key == w.Key && in.Sale == w.Sale }
		if slices.ContainsFunc(list, has) || slices.ContainsFunc(s.over, func(in sale.Incident) bool { return has(in) && !in.Opened.Before(w.Opened) }) {
			continue
		}
		if looked++; looked > mostLookUps {
			break
		}
		in, ok, err := s.system.ended(ctx, w, now)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		in.System, in.Seen = s.system.kind(), now
		if in.Open() {
			open = append(open, in)
			continue
		}
		s.over = append(s.over, in)
	}
	return open, nil
}

// watching lists what was open when it was last heard of, from the tool or from the journal.
func (s *Source) watching() []watched {
	all := slices.Clone(s.open)
	if s.common.Known == nil {
		return all
	}
	for _, k := range s.common.Known() {
		known := slices.ContainsFunc(all, func(w watched) bool { return w.Key == k.Key && w.Sale == k.Sale })
		if !known && slices.Contains(s.common.Sales, k.Sale) {
			all = append(all, watched{Incident: sale.Incident{Sale: k.Sale, Key: k.Key, Opened: k.Sent}})
		}
	}
	return all
}

// remember keeps what is open for the next poll, and forgets what ended long ago.
func (s *Source) remember(open []sale.Incident, now time.Time) {
	s.over = slices.DeleteFunc(s.over, func(in sale.Incident) bool {
		again := func(o sale.Incident) bool { return o.Key == in.Key && o.Sale == in.Sale && o.Opened.After(in.Opened) }
		return now.Sub(in.Seen) > tellEndedFor || slices.ContainsFunc(open, again)
	})
	var next []watched
	for _, in := range open {
		next = append(next, watched{Incident: in, id: idOf(in), seen: now})
	}
	// What could not be asked for stays watched.
	for _, w := range s.open {
		gone := func(in sale.Incident) bool { return in.Key == w.Key && in.Sale == w.Sale }
		if !slices.ContainsFunc(open, gone) && !slices.ContainsFunc(s.over, gone) {
			next = append(next, w)
		}
	}
	s.open = next[:min(len(next), mostIncidents)]
}

// idOf is the tool's own id, as far as its name tells it.
func idOf(in sale.Incident) string { return in.Name }

// saleOf finds whose incident a key is of.
func saleOf(key string, sales []sale.ID) (id sale.ID, ok bool) {
	for _, id := range sales {
		if rest, ok := strings.CutPrefix(key, "onsale/"+url.PathEscape(string(id))+"/"); ok && rest != "" {
			return id, true
		}
	}
	return "", false
}

// words makes foreign text fit for a screen.
func (c *Common) words(text string, cells int) string {
	return sale.Clean(sources.Redact(text, c.Secrets...), cells)
}

// page is an https address, or "".
func (c *Common) page(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(raw) > 500 {
		return ""
	}
	return c.words(u.String(), 500)
}

// problem classes a failure. A Problem that was made on the way stays as it is.
func (s *Source) problem(err error) sale.Problem {
	var made *sale.Problem
	if errors.As(err, &made) {
		return *made
	}
	return sources.Classify(err, sources.About{Secrets: s.common.Secrets, Hints: s.system.hints()})
}

func stamp(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.Year() < 1970 || at.Year() > 2200 {
		return time.Time{}
	}
	return at.UTC()
}
