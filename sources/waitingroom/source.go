// Package waitingroom reads Cloudflare waiting rooms over the REST API: configuration, status
// and the active event of each room that a sale names.
//
// All three are needed. The status alone hides that queue_all is on, and while an event is
// active its limits win over the room's. The status is an estimate that Cloudflare itself
// caches for about 30 s and calls 20–50 s old, so readings are dated 50 s before they were
// fetched: a figure here is never older than it looks.
package waitingroom

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

	"golang.org/x/sync/errgroup"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// Kind is this source's name in the config.
const Kind = "cloudflare-waiting-room"

const (
	// EstimateAge is the greatest age of a status when it is served, as Cloudflare documents it.
	EstimateAge = 50 * time.Second
	// MinEvery is the shortest sensible cadence: the status is cached for about 30 s.
	MinEvery = 20 * time.Second

	// Cloudflare allows 1,200 API calls per five minutes and user, over all tokens and the
	// dashboard, and blocks them all for five minutes beyond it. Reading takes at most half.
	readCalls   = 600
	callsWindow = 5 * time.Minute

	together = 4 // requests in flight at once
)

// Query asks for one field of one room, by the room's id or its name.
type Query struct {
	sale.Key
	Unit  sale.Unit
	Room  string
	Field Field
}

// Options configure a source. BaseURL, Zone and Token are required.
type Options struct {
	Name    string
	BaseURL string // https://api.cloudflare.com/client/v4
	Zone    string
	Token   string
	Every   time.Duration
	Client  *http.Client // bounds the body and the time; see sources.NewClient
	Queries []Query
}

// Source reads the rooms of one zone.
type Source struct {
	options Options
	api     *api
	rooms   []string // distinct rooms that are asked for, in order
}

// New makes a source. It sends nothing.
func New(o Options) (*Source, error) {
	if o.Zone == "" || o.Token == "" || o.BaseURL == "" {
		return nil, fmt.Errorf("waiting room source %s: url, zone and token are needed", o.Name)
	}
	o.Every = max(o.Every, MinEvery)
	if o.Client == nil {
		o.Client = sources.NewClient(sources.ClientOptions{})
	}
	base := strings.TrimSuffix(o.BaseURL, "/") + "/zones/" + url.PathEscape(o.Zone) + "/waiting_rooms"
	s := &Source{options: o, api: &api{base: base, token: o.Token, client: o.Client}}
	for _, q := range o.Queries {
		if !slices.Contains(Fields(), q.Field) {
			return nil, fmt.Errorf("waiting room source %s: sale %s signal %s: no field %q; fields are %v", o.Name, q.Sale, q.Signal, q.Field, Fields())
		}
		if !slices.Contains(s.rooms, q.Room) {
			s.rooms = append(s.rooms, q.Room)
		}
	}
	return s, nil
}

// Info describes the source.
func (s *Source) Info() sale.SourceInfo {
	return sale.SourceInfo{
		Name: s.options.Name, Kind: Kind, Every: s.options.Every,
		Cadence: sale.Cadence{Period: s.options.Every, Delay: EstimateAge},
		Gives:   fmt.Sprintf("%d rooms; estimates 20-50 s old", len(s.rooms)),
		Limit:   "1,200 per 5 min",
	}
}

// Budget leaves half of the provider's limit to people and actions.
func (s *Source) Budget() (calls int, window time.Duration) { return readCalls, callsWindow }

// Read asks for the zone's rooms in one call, then for each room's status and active event.
func (s *Source) Read(ctx context.Context, now time.Time) sale.Batch {
	var batch sale.Batch
	rooms, err := s.api.rooms(ctx)
	if err != nil {
		problem := s.problem(err)
		batch.Problem = &problem
		return batch
	}
	found := make([]seen, len(s.rooms))
	failed := make([]error, len(s.rooms))
	var group errgroup.Group
	group.SetLimit(together)
	for i, name := range s.rooms {
		group.Go(func() error {
			found[i], failed[i] = s.look(ctx, rooms, name)
			return nil
		})
	}
	_ = group.Wait()
	s.fill(&batch, now, found, failed)
	return batch
}

// look reads one room's status and, while one is active, its event.
func (s *Source) look(ctx context.Context, rooms []room, name string) (seen, error) {
	i := slices.IndexFunc(rooms, func(r room) bool { return r.ID == name || r.Name == name })
	if i < 0 {
		return seen{}, &sale.Problem{
			Class: sale.NotFound,
			Text:  sale.Clean(fmt.Sprintf("no waiting room %q in the zone", name), 120),
			Hint:  "rooms there: " + names(rooms),
		}
	}
	found := seen{room: rooms[i]}
	var err error
	if found.status, err = s.api.status(ctx, found.room.ID); err != nil {
		return seen{}, err
	}
	if found.status.EventID != "" {
		if found.event, err = s.api.event(ctx, found.room.ID, found.status.EventID); err != nil {
			return seen{}, err // without the event the limits in force are not known
		}
	}
	return found, nil
}

func (s *Source) fill(batch *sale.Batch, now time.Time, found []seen, failed []error) {
	noted := map[sale.Note]bool{}
	for _, q := range s.options.Queries {
		i := slices.Index(s.rooms, q.Room)
		if failed[i] != nil {
			batch.Missing = append(batch.Missing, sale.Missing{Key: q.Key, Problem: s.problem(failed[i])})
			continue
		}
		for _, note := range found[i].notes(q.Sale) {
			if !noted[note] {
				noted[note] = true
				batch.Notes = append(batch.Notes, note)
			}
		}
		value, err := found[i].value(q.Field)
		if err != nil {
			batch.Missing = append(batch.Missing, sale.Missing{Key: q.Key, Problem: sale.Problem{Class: sale.NotFound, Text: sale.Clean(err.Error(), 120)}})
			continue
		}
		batch.Readings = append(batch.Readings, sale.Reading{Key: q.Key, Value: value, Unit: q.Unit, At: now.Add(-EstimateAge), FetchedAt: now})
	}
	// When nothing could be read for one and the same reason, the source itself is in trouble.
	if len(batch.Readings) == 0 && len(failed) > 0 && !slices.Contains(failed, nil) {
		problem := s.problem(failed[0])
		if problem.Class != sale.NotFound {
			batch.Problem = &problem
		}
	}
}

// problem classes a failure. A Problem that was made on the way stays as it is.
func (s *Source) problem(err error) sale.Problem {
	var made *sale.Problem
	if errors.As(err, &made) {
		return *made
	}
	return sources.Classify(err, sources.About{Secrets: []string{s.options.Token}, Hints: hints})
}

var hints = map[sale.Class]string{
	sale.Auth:      `the token needs "Waiting Rooms Read" for this zone`,
	sale.NotFound:  "check the zone id, and that the plan has waiting rooms",
	sale.Throttled: "Cloudflare blocks all API calls of this user for five minutes, the dashboard's too",
}

func names(rooms []room) string {
	list := make([]string, 0, len(rooms))
	for _, r := range rooms {
		list = append(list, cmp.Or(r.Name, r.ID))
	}
	slices.Sort(list)
	if len(list) > 8 {
		list = append(list[:8], "…")
	}
	return sale.Clean(fmt.Sprint(list), 200)
}

var _ sources.Budgeted = (*Source)(nil)
