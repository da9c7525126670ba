package cloudflare

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/shop"
)

// room is a waiting room on the wire.
type room struct {
	ID                    string   `json:"id"`
	CreatedOn             string   `json:"created_on"`
	ModifiedOn            string   `json:"modified_on"`
	Name                  string   `json:"name"`
	Description           string   `json:"description"`
	Host                  string   `json:"host"`
	Path                  string   `json:"path"`
	QueueAll              bool     `json:"queue_all"`
	NewUsersPerMinute     int      `json:"new_users_per_minute"`
	TotalActiveUsers      int      `json:"total_active_users"`
	SessionDuration       int      `json:"session_duration"`
	DisableSessionRenewal bool     `json:"disable_session_renewal"`
	Suspended             bool     `json:"suspended"`
	JSONResponseEnabled   bool     `json:"json_response_enabled"`
	QueueingMethod        string   `json:"queueing_method"`
	QueueingStatusCode    int      `json:"queueing_status_code"`
	CustomPageHTML        string   `json:"custom_page_html"`
	TemplateLanguage      string   `json:"default_template_language"`
	CookieAttributes      cookies  `json:"cookie_attributes"`
	CookieSuffix          string   `json:"cookie_suffix"`
	AdditionalRoutes      []any    `json:"additional_routes"`
	EnabledOriginCommands []string `json:"enabled_origin_commands"`
	TurnstileMode         string   `json:"turnstile_mode"`
	TurnstileAction       string   `json:"turnstile_action"`
	NextPrequeue          *string  `json:"next_event_prequeue_start_time"`
	NextStart             *string  `json:"next_event_start_time"`
}

type cookies struct {
	SameSite string `json:"samesite"`
	Secure   string `json:"secure"`
}

// stamp writes a time as Cloudflare does.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

func onTheWire(r shop.Room, now time.Time) room {
	w := room{
		ID: r.ID, CreatedOn: stamp(r.CreatedOn), ModifiedOn: stamp(r.ModifiedOn),
		Name: r.Name, Description: r.Description, Host: r.Host, Path: r.Path,
		QueueAll: r.QueueAll, NewUsersPerMinute: r.NewUsersPerMinute, TotalActiveUsers: r.TotalActiveUsers,
		SessionDuration: r.SessionDuration, DisableSessionRenewal: r.DisableSessionRenewal, Suspended: r.Suspended,
		JSONResponseEnabled: r.JSONResponseEnabled, QueueingMethod: r.QueueingMethod, QueueingStatusCode: r.QueueingStatusCode,
		CustomPageHTML: r.CustomPageHTML, TemplateLanguage: r.TemplateLanguage,
		CookieAttributes: cookies{"auto", "auto"}, AdditionalRoutes: []any{}, EnabledOriginCommands: []string{},
		TurnstileMode: "invisible", TurnstileAction: "log",
	}
	for _, e := range r.Events {
		if e.Suspended || !e.Start.After(now) {
			continue
		}
		start := stamp(e.Start)
		w.NextStart = &start
		if !e.Prequeue.IsZero() {
			prequeue := stamp(e.Prequeue)
			w.NextPrequeue = &prequeue
		}
		break
	}
	return w
}

func (s *Server) list(r *http.Request) (any, *pageInfo, error) {
	page, perPage, err := paging(r.URL.Query())
	if err != nil {
		return nil, nil, err
	}
	all := s.world.Rooms()
	from, to := min((page-1)*perPage, len(all)), min(page*perPage, len(all))
	out := []room{}
	for _, one := range all[from:to] {
		out = append(out, onTheWire(one, s.options.Now()))
	}
	return out, info(page, perPage, len(out), len(all)), nil
}

func info(page, perPage, count, total int) *pageInfo {
	return &pageInfo{Page: page, PerPage: perPage, Count: count, TotalCount: total, TotalPages: (total + perPage - 1) / perPage}
}

// paging reads page (from 1) and per_page (5 to 1,000 in steps of 5, 25 unless said).
func paging(q url.Values) (page, perPage int, err error) {
	page, perPage = 1, 25
	if text := q.Get("page"); text != "" {
		if page, err = strconv.Atoi(text); err != nil || page < 1 || page > 1_000_000 {
			return 0, 0, invalid("page must be a number of at least 1")
		}
	}
	if text := q.Get("per_page"); text != "" {
		if perPage, err = strconv.Atoi(text); err != nil || perPage < 5 || perPage > 1000 || perPage%5 != 0 {
			return 0, 0, invalid("per_page must be between 5 and 1000 and a multiple of 5")
		}
	}
	return page, perPage, nil
}

func (s *Server) get(r *http.Request) (any, *pageInfo, error) {
	one, ok := s.world.Room(r.PathValue("room"))
	if !ok {
		return nil, nil, noSuchRoom
	}
	return onTheWire(one, s.options.Now()), nil, nil
}

// change is the body of a PUT or PATCH: what is absent is nil.
type change struct {
	Name                  *string `json:"name"`
	Host                  *string `json:"host"`
	NewUsersPerMinute     *int    `json:"new_users_per_minute"`
	TotalActiveUsers      *int    `json:"total_active_users"`
	Description           *string `json:"description"`
	Path                  *string `json:"path"`
	QueueAll              *bool   `json:"queue_all"`
	SessionDuration       *int    `json:"session_duration"`
	DisableSessionRenewal *bool   `json:"disable_session_renewal"`
	Suspended             *bool   `json:"suspended"`
	JSONResponseEnabled   *bool   `json:"json_response_enabled"`
	QueueingMethod        *string `json:"queueing_method"`
	QueueingStatusCode    *int    `json:"queueing_status_code"`
	CustomPageHTML        *string `json:"custom_page_html"`
	TemplateLanguage      *string `json:"default_template_language"`
}

func (s *Server) put(r *http.Request) (any, *pageInfo, error) {
	return s.change(r, func(shop.Room) shop.Room { // what a PUT leaves out goes back to its default
		return shop.Room{Path: "/", SessionDuration: 5, QueueingMethod: "fifo", QueueingStatusCode: 200, TemplateLanguage: "en-US"}
	})
}

func (s *Server) patch(r *http.Request) (any, *pageInfo, error) {
	return s.change(r, func(was shop.Room) shop.Room { return was })
}

func (s *Server) change(r *http.Request, base func(was shop.Room) shop.Room) (any, *pageInfo, error) {
	id := r.PathValue("room")
	was, ok := s.world.Room(id)
	if !ok {
		return nil, nil, noSuchRoom
	}
	var c change
	if err := readBody(r, &c); err != nil {
		return nil, nil, err
	}
	next := base(was)
	if err := c.apply(&next); err != nil {
		return nil, nil, err
	}
	done, ok := s.world.SetRoom(id, next, s.options.Now())
	if !ok {
		return nil, nil, noSuchRoom
	}
	return onTheWire(done, s.options.Now()), nil, nil
}

func (c *change) apply(r *shop.Room) error {
	for name, missing := range map[string]bool{
		"name": c.Name == nil, "host": c.Host == nil,
		"new_users_per_minute": c.NewUsersPerMinute == nil, "total_active_users": c.TotalActiveUsers == nil,
	} {
		if missing {
			return invalid(name + " is required")
		}
	}
	set(&r.Name, c.Name)
	set(&r.Host, c.Host)
	set(&r.NewUsersPerMinute, c.NewUsersPerMinute)
	set(&r.TotalActiveUsers, c.TotalActiveUsers)
	set(&r.Description, c.Description)
	set(&r.Path, c.Path)
	set(&r.QueueAll, c.QueueAll)
	set(&r.SessionDuration, c.SessionDuration)
	set(&r.DisableSessionRenewal, c.DisableSessionRenewal)
	set(&r.Suspended, c.Suspended)
	set(&r.JSONResponseEnabled, c.JSONResponseEnabled)
	set(&r.QueueingMethod, c.QueueingMethod)
	set(&r.QueueingStatusCode, c.QueueingStatusCode)
	set(&r.CustomPageHTML, c.CustomPageHTML)
	set(&r.TemplateLanguage, c.TemplateLanguage)
	return checkRoom(r)
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// The bounds of the published document.
const (
	leastUsers = 200
	mostUsers  = 2147483647
)

func checkRoom(r *shop.Room) error {
	switch {
	case strings.Trim(r.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" || r.Name == "":
		return invalid("name may hold only alphanumeric characters, hyphens and underscores")
	case r.Host == "":
		return invalid("host must not be empty")
	case !strings.HasPrefix(r.Path, "/"):
		return invalid("path must begin with a slash")
	case r.SessionDuration < 1 || r.SessionDuration > 30:
		return invalid("session_duration must be between 1 and 30")
	case !oneOf(r.QueueingMethod, methods...):
		return invalid("queueing_method must be one of " + strings.Join(methods, ", "))
	case r.QueueingStatusCode != 200 && r.QueueingStatusCode != 202 && r.QueueingStatusCode != 429:
		return invalid("queueing_status_code must be 200, 202 or 429")
	}
	return checkLimits(r.NewUsersPerMinute, r.TotalActiveUsers)
}

var methods = []string{"fifo", "random", "passthrough", "reject"}

func oneOf(s string, of ...string) bool {
	for _, o := range of {
		if s == o {
			return true
		}
	}
	return false
}

func checkLimits(perMinute, total int) error {
	for _, f := range []struct {
		name  string
		value int
	}{{"new_users_per_minute", perMinute}, {"total_active_users", total}} {
		if f.value < leastUsers || f.value > mostUsers {
			return invalid(fmt.Sprintf("%s must be between %d and %d", f.name, leastUsers, mostUsers))
		}
	}
	if perMinute > total {
		return invalid("new_users_per_minute must not be above total_active_users")
	}
	return nil
}

func (s *Server) status(r *http.Request) (any, *pageInfo, error) {
	st, ok := s.world.Status(r.PathValue("room"), s.options.Now())
	if !ok {
		return nil, nil, noSuchRoom
	}
	return map[string]any{
		"status": st.State, "event_id": st.EventID, "estimated_queued_users": st.Queued,
		"estimated_total_active_users": st.Active, "max_estimated_time_minutes": st.MaxWaitInMinutes,
	}, nil, nil
}

func (s *Server) settings(*http.Request) (any, *pageInfo, error) {
	return map[string]bool{"search_engine_crawler_bypass": false}, nil, nil
}

// rules are not used by any rehearsed room.
func (s *Server) rules(r *http.Request) (any, *pageInfo, error) {
	if _, ok := s.world.Room(r.PathValue("room")); !ok {
		return nil, nil, noSuchRoom
	}
	return []any{}, nil, nil
}
