package pagerduty

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	restPerMinute = 960
	defaultPage   = 25
	largestPage   = 100
)

type restError struct {
	Error struct {
		Message string   `json:"message"`
		Code    int      `json:"code"`
		Errors  []string `json:"errors,omitempty"`
	} `json:"error"`
}

func refuseREST(w http.ResponseWriter, status, code int, message string, errs ...string) {
	var e restError
	e.Error.Message, e.Error.Code, e.Error.Errors = message, code, errs
	respond(w, status, e)
}

// signedIn lets a request through that has the token and stays within the rate.
func (s *Server) signedIn(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Token token=")
		reads := ok && s.options.ReadToken != "" && token == s.options.ReadToken
		if !reads && (!ok || s.options.Token == "" || token != s.options.Token) {
			refuseREST(w, http.StatusUnauthorized, 2006, "Invalid Credentials Provided")
			return
		}
		if reads && r.Method != http.MethodGet {
			refuseREST(w, http.StatusForbidden, 2010, "Access Denied", "this API key is read-only")
			return
		}
		s.mu.Lock()
		ok, left, reset := s.rest.take(s.options.Now(), restPerMinute)
		s.mu.Unlock()
		limits(w.Header(), restPerMinute, left, reset)
		if !ok {
			refuseREST(w, http.StatusTooManyRequests, 2020, "Rate Limit Exceeded")
			return
		}
		h(w, r)
	}
}

// reference is how the REST API names another object.
type reference struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Summary string `json:"summary"`
	Self    string `json:"self"`
	HTMLURL string `json:"html_url"`
}

func refer(kind, id, summary string) reference {
	plural := map[string]string{"service": "services", "user": "users", "incident": "incidents"}[kind]
	return reference{id, kind + "_reference", summary, "https://api.pagerduty.com/" + plural + "/" + id, "https://rehearsal.pagerduty.com/" + plural + "/" + id}
}

type assignment struct {
	At       string    `json:"at"`
	Assignee reference `json:"assignee"`
}

type incidentJSON struct {
	ID               string       `json:"id"`
	Type             string       `json:"type"`
	Summary          string       `json:"summary"`
	Self             string       `json:"self"`
	HTMLURL          string       `json:"html_url"`
	Number           int          `json:"incident_number"`
	Title            string       `json:"title"`
	CreatedAt        string       `json:"created_at"`
	UpdatedAt        string       `json:"updated_at"`
	Status           string       `json:"status"`
	IncidentKey      string       `json:"incident_key"`
	Service          reference    `json:"service"`
	Assignments      []assignment `json:"assignments"`
	Acknowledgements []any        `json:"acknowledgements"`
	LastStatusChange string       `json:"last_status_change_at"`
	ResolvedAt       *string      `json:"resolved_at"`
	Urgency          string       `json:"urgency"`
	AlertCounts      counts       `json:"alert_counts"`
}

type counts struct {
	All       int `json:"all"`
	Triggered int `json:"triggered"`
	Resolved  int `json:"resolved"`
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func (in *Incident) json() incidentJSON {
	out := incidentJSON{
		ID: in.ID, Type: "incident", Summary: "[#" + strconv.Itoa(in.Number) + "] " + in.First.Payload.Summary,
		Self: "https://api.pagerduty.com/incidents/" + in.ID, HTMLURL: "https://rehearsal.pagerduty.com/incidents/" + in.ID,
		Number: in.Number, Title: in.First.Payload.Summary, CreatedAt: stamp(in.Created), UpdatedAt: stamp(in.Log[len(in.Log)-1].At), Status: in.Status,
		IncidentKey: in.DedupKey, Service: refer("service", "P"+strings.ToUpper(in.RoutingKey[:6]), in.Service),
		Assignments: []assignment{}, Acknowledgements: []any{}, LastStatusChange: stamp(in.Changed), Urgency: "high", AlertCounts: counts{All: 1, Triggered: 1},
	}
	who := refer("user", "PUSER01", onCall)
	switch in.Status {
	case Resolved:
		at := stamp(in.Changed)
		out.ResolvedAt, out.AlertCounts = &at, counts{All: 1, Resolved: 1}
	case Acknowledged:
		out.Acknowledgements = append(out.Acknowledgements, map[string]any{"at": stamp(in.Changed), "acknowledger": who})
		fallthrough
	default:
		out.Assignments = append(out.Assignments, assignment{stamp(in.Created), who})
	}
	if in.First.Payload.Severity == "warning" || in.First.Payload.Severity == "info" {
		out.Urgency = "low"
	}
	return out
}

// list answers GET /incidents by incident_key and statuses[], with limit and offset, oldest first.
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, err1 := strconv.Atoi(cmp.Or(q.Get("limit"), strconv.Itoa(defaultPage)))
	offset, err2 := strconv.Atoi(cmp.Or(q.Get("offset"), "0"))
	if err1 != nil || err2 != nil || limit < 1 || limit > largestPage || offset < 0 {
		refuseREST(w, http.StatusBadRequest, 2001, "Invalid Input Provided", "limit must be 1 to 100, offset at least 0")
		return
	}
	statuses := q["statuses[]"]
	for _, one := range statuses {
		if one != Triggered && one != Acknowledged && one != Resolved {
			refuseREST(w, http.StatusBadRequest, 2001, "Invalid Input Provided", "statuses[] must be triggered, acknowledged or resolved")
			return
		}
	}
	found := []incidentJSON{}
	for _, in := range s.Incidents() {
		if (!q.Has("incident_key") || in.DedupKey == q.Get("incident_key")) && (len(statuses) == 0 || slices.Contains(statuses, in.Status)) {
			found = append(found, in.json())
		}
	}
	from, to := min(offset, len(found)), min(offset+limit, len(found))
	respond(w, http.StatusOK, map[string]any{"incidents": found[from:to], "limit": limit, "offset": offset, "total": nil, "more": to < len(found)})
}

func (s *Server) find(w http.ResponseWriter, r *http.Request) (Incident, bool) {
	all := s.Incidents()
	i := slices.IndexFunc(all, func(in Incident) bool { return in.ID == r.PathValue("id") })
	if i < 0 {
		refuseREST(w, http.StatusNotFound, 2100, "Not Found")
		return Incident{}, false
	}
	return all[i], true
}

func (s *Server) get(w http.ResponseWriter, r *http.Request) {
	if in, ok := s.find(w, r); ok {
		respond(w, http.StatusOK, map[string]any{"incident": in.json()})
	}
}

// log answers GET /incidents/{id}/log_entries, newest first: a notify_log_entry is the proof that
// somebody was called.
func (s *Server) log(w http.ResponseWriter, r *http.Request) {
	in, ok := s.find(w, r)
	if !ok {
		return
	}
	entries := []any{}
	for _, e := range slices.Backward(in.Log) {
		one := map[string]any{
			"id": e.ID, "type": e.Type + "_log_entry", "summary": e.Text, "created_at": stamp(e.At),
			"incident": refer("incident", in.ID, in.First.Payload.Summary), "service": refer("service", "P"+strings.ToUpper(in.RoutingKey[:6]), in.Service),
		}
		if e.Type == "notify" {
			one["user"] = refer("user", "PUSER01", onCall)
			one["channel"] = map[string]any{"type": "auto", "notification": map[string]string{"type": "push", "status": "success"}}
		}
		entries = append(entries, one)
	}
	respond(w, http.StatusOK, map[string]any{"log_entries": entries, "limit": largestPage, "offset": 0, "total": nil, "more": false})
}
