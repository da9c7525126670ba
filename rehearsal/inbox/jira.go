package inbox

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Jira is the alert API of one integration of Jira Service Management. It is safe for many
// goroutines.
type Jira struct {
	book
	key      string
	mux      *http.ServeMux
	pending  []*request
	requests map[string]*request
}

// request is one that was answered with 202.
type request struct {
	id, action, alias string
	due, done         time.Time // done is zero until it was carried out
	ok                bool
	status, alert     string
	carry             func(at time.Time, r *request)
}

// The longest texts, in characters.
const (
	jiraMessage     = 130
	jiraAlias       = 512
	jiraDescription = 15_000
	jiraNote        = 25_000
)

// NewJira makes the API of an integration's key.
func NewJira(key string, o Options) *Jira {
	j := &Jira{book: book{options: o.complete()}, key: key, mux: http.NewServeMux(), requests: map[string]*request{}}
	j.mux.HandleFunc("POST /v2/alerts", j.create)
	j.mux.HandleFunc("GET /v2/alerts/requests/{id}", j.became)
	j.mux.HandleFunc("GET /v2/alerts/{id...}", j.show)
	j.mux.HandleFunc("POST /v2/alerts/{rest...}", j.change)
	return j
}

// Alerts are the alerts as they are after all that is due by now, oldest first.
func (j *Jira) Alerts() []Alert {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.settle(j.options.Now())
	return j.copies()
}

// settle carries out what is due.
func (j *Jira) settle(now time.Time) {
	for len(j.pending) > 0 && !j.pending[0].due.After(now) {
		r := j.pending[0]
		j.pending = j.pending[1:]
		r.done = r.due
		r.carry(r.due, r)
	}
}

// ServeHTTP implements http.Handler.
func (j *Jira) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "GenieKey ")
	switch _, pattern := j.mux.Handler(r); {
	case !same(key, j.key):
		jiraSays(w, http.StatusUnauthorized, map[string]any{"message": "Could not authenticate"})
	case pattern == "":
		jiraSays(w, http.StatusNotFound, map[string]any{"message": "No handler found for " + r.Method + " " + r.URL.Path})
	default:
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
		if err != nil {
			return // the client has gone
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		j.mu.Lock()
		defer j.mu.Unlock()
		j.settle(j.options.Now())
		j.mux.ServeHTTP(w, r)
	}
}

func jiraSays(w http.ResponseWriter, status int, body map[string]any) {
	id, ok := body["requestId"].(string)
	if !ok {
		id = newID()
	}
	body["requestId"], body["took"] = id, 0.006
	w.Header().Set("X-Request-Id", id)
	respond(w, status, body)
}

func unprocessable(w http.ResponseWriter, errs map[string]string) {
	jiraSays(w, http.StatusUnprocessableEntity, map[string]any{"message": "Request body is not processable. Please check the errors.", "errors": errs})
}

// tooLong notes a text above its length in characters.
func tooLong(errs map[string]string, name, text string, most int) {
	if utf8.RuneCountInString(text) > most {
		errs[name] = "Should be shorter"
	}
}

func (j *Jira) create(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Message, Alias, Description, Priority, Source, Entity string

		Tags    []string
		Details map[string]string
	}
	if err := read(r, &in); err != nil {
		jiraSays(w, http.StatusBadRequest, map[string]any{"message": "Could not parse request body: " + err.Error()})
		return
	}
	errs := map[string]string{}
	if strings.TrimSpace(in.Message) == "" {
		errs["message"] = "Message can not be empty."
	}
	if in.Priority != "" && !slices.Contains([]string{"P1", "P2", "P3", "P4", "P5"}, in.Priority) {
		errs["priority"] = "Priority should be one of [ P1, P2, P3, P4, P5 ]"
	}
	tooLong(errs, "message", in.Message, jiraMessage)
	tooLong(errs, "alias", in.Alias, jiraAlias)
	tooLong(errs, "description", in.Description, jiraDescription)
	if len(errs) > 0 {
		unprocessable(w, errs)
		return
	}
	details := map[string]any{}
	for name, v := range in.Details {
		details[name] = v
	}
	alias := cmp.Or(in.Alias, newID())
	j.accept(w, "Create", alias, func(at time.Time, q *request) {
		a := j.raise(at, Alert{Key: alias, Title: in.Message, Text: in.Description, Priority: cmp.Or(in.Priority, "P3"), Details: details})
		q.ok, q.status, q.alert = true, "Created alert", a.ID
		if a.Count > 1 {
			q.status = "Increased the count of the alert"
		}
	})
}

// accept takes a request in and answers it.
func (j *Jira) accept(w http.ResponseWriter, action, alias string, carry func(at time.Time, r *request)) {
	r := &request{id: newID(), action: action, alias: alias, due: j.options.Now().Add(j.options.Process), carry: carry}
	j.requests[r.id] = r
	j.pending = append(j.pending, r)
	j.settle(j.options.Now())
	jiraSays(w, http.StatusAccepted, map[string]any{"result": "Request will be processed", "requestId": r.id})
}

// change takes what is done about an alert: an alias may hold slashes, so that the verb is what
// follows the last one.
func (j *Jira) change(w http.ResponseWriter, r *http.Request) {
	rest := r.PathValue("rest")
	cut := strings.LastIndexByte(rest, '/')
	if cut < 1 {
		jiraSays(w, http.StatusNotFound, map[string]any{"message": "No handler found for POST " + r.URL.Path})
		return
	}
	alias, verb := rest[:cut], rest[cut+1:]
	var in struct{ Note, Source, User string }
	if err := read(r, &in); err != nil {
		jiraSays(w, http.StatusBadRequest, map[string]any{"message": "Could not parse request body: " + err.Error()})
		return
	}
	errs := map[string]string{}
	tooLong(errs, "note", in.Note, jiraNote)
	if verb == "notes" && strings.TrimSpace(in.Note) == "" {
		errs["note"] = "Note can not be empty."
	}
	if len(errs) > 0 {
		unprocessable(w, errs)
		return
	}
	byAlias := r.URL.Query().Get("identifierType") == "alias"
	does, known := map[string]func(at time.Time, a *Alert) string{
		"acknowledge": func(at time.Time, a *Alert) string {
			a.Acknowledged, a.Changed = true, at
			j.options.Tell(Happening{at, "acknowledged", a.Key, in.Note})
			return "Alert acknowledged"
		},
		"close": func(at time.Time, a *Alert) string {
			j.shut(at, a.Key, in.Note)
			return "Alert closed"
		},
		"notes": func(at time.Time, a *Alert) string {
			a.Notes, a.Changed = append(a.Notes, in.Note), at
			j.options.Tell(Happening{at, "note", a.Key, in.Note})
			return "Note added to alert"
		},
	}[verb]
	if !known {
		jiraSays(w, http.StatusNotFound, map[string]any{"message": "No handler found for POST " + r.URL.Path})
		return
	}
	j.accept(w, verb, alias, func(at time.Time, q *request) {
		a := j.find(alias, byAlias)
		if a == nil || a.Closed && verb != "notes" {
			q.status = "Alert does not exist"
			j.options.Tell(Happening{at, "dropped", alias, verb})
			return
		}
		q.ok, q.alert, q.status = true, a.ID, does(at, a)
	})
}

func (j *Jira) find(name string, byAlias bool) *Alert {
	if byAlias {
		if a := j.open(name); a != nil {
			return a
		}
		return j.newest(name)
	}
	i := slices.IndexFunc(j.alerts, func(a *Alert) bool { return a.ID == name })
	if i < 0 {
		return nil
	}
	return j.alerts[i]
}

// became tells what became of a request.
func (j *Jira) became(w http.ResponseWriter, r *http.Request) {
	q := j.requests[r.PathValue("id")]
	if q == nil || q.done.IsZero() {
		jiraSays(w, http.StatusNotFound, map[string]any{"message": "Request not found. It might not be processed, yet."})
		return
	}
	jiraSays(w, http.StatusOK, map[string]any{"requestId": q.id, "data": map[string]any{
		"success": q.ok, "isSuccess": q.ok, "action": q.action, "processedAt": q.done.UTC().Format(time.RFC3339Nano),
		"status": q.status, "alertId": q.alert, "alias": q.alias,
	}})
}

func (j *Jira) show(w http.ResponseWriter, r *http.Request) {
	a := j.find(r.PathValue("id"), r.URL.Query().Get("identifierType") == "alias")
	if a == nil {
		jiraSays(w, http.StatusNotFound, map[string]any{"message": "Alert with id [" + r.PathValue("id") + "] does not exist"})
		return
	}
	status := "open"
	if a.Closed {
		status = "closed"
	}
	jiraSays(w, http.StatusOK, map[string]any{"data": map[string]any{
		"id": a.ID, "alias": a.Key, "message": a.Title, "description": a.Text, "status": status, "acknowledged": a.Acknowledged, "count": a.Count,
		"priority": a.Priority, "createdAt": a.Opened.UTC().Format(time.RFC3339Nano), "updatedAt": a.Changed.UTC().Format(time.RFC3339Nano), "details": a.Details,
	}})
}

// JiraFailure answers every request as Jira Service Management does when it fails itself.
func JiraFailure() http.Handler {
	return always(func(w http.ResponseWriter) {
		jiraSays(w, http.StatusInternalServerError, map[string]any{"message": "Internal Server Error"})
	})
}

// JiraThrottled answers every request as Jira Service Management does after too many.
func JiraThrottled() http.Handler {
	return always(func(w http.ResponseWriter) {
		w.Header().Set("X-Ratelimit-State", "THROTTLED")
		w.Header().Set("X-Ratelimit-Period-In-Sec", "60")
		jiraSays(w, http.StatusTooManyRequests, map[string]any{"message": "You are making too many requests! To avoid seeing this error, please reduce the frequency of your requests."})
	})
}
