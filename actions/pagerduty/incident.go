package pagerduty

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// Status is the state of an incident, in PagerDuty's own words.
type Status string

// The states. None: there is no incident of that key.
const (
	None         Status = ""
	Triggered    Status = "triggered"
	Acknowledged Status = "acknowledged"
	Resolved     Status = "resolved"
)

// Incident is one incident as PagerDuty's REST API tells it. Texts are clean; zero times and
// empty texts are not known.
type Incident struct {
	ID       string // PagerDuty's own
	Key      string // the dedup_key that it was asked for by
	Number   string // "#4181"
	Title    string
	URL      string // https
	Service  string
	Urgency  string // high or low; low may page nobody at once
	Status   Status
	Since    time.Time // when the status became what it is
	By       string    // who made it so
	Opened   time.Time
	Assigned []string // who it is assigned to now
	Notified []Notice // oldest first; filled by Incidents and by reading back
	// NotifiedKnown is false when the log could not be read, so that an empty Notified says nothing.
	NotifiedKnown bool
	ReadAt        time.Time
}

// Notice is one person having been called.
type Notice struct {
	Who, How string // "push", "sms", "phone", "email"
	At       time.Time
}

// Open reports whether the incident is there and not resolved.
func (in Incident) Open() bool { return in.Status == Triggered || in.Status == Acknowledged }

// String says it in one line: "#4181 triggered, assigned to …; nobody notified yet; https://…".
func (in Incident) String() string {
	if in.Status == None {
		return "no incident of this key"
	}
	text := strings.TrimSpace(in.Number + " " + string(in.Status))
	if in.By != "" && in.Status != Triggered {
		text += " by " + in.By
	}
	if !in.Since.IsZero() {
		text += " " + clock(in.Since)
	}
	if len(in.Assigned) > 0 && in.Open() {
		text += ", assigned to " + strings.Join(in.Assigned, ", ")
	}
	switch n := len(in.Notified); {
	case n > 0:
		last := in.Notified[n-1]
		text += "; notified " + last.Who
		if last.How != "" {
			text += " by " + last.How
		}
		text += " " + clock(last.At)
	case in.NotifiedKnown && in.Open():
		text += "; nobody notified yet"
	case in.Open():
		text += "; not known who was notified"
	}
	if in.URL != "" {
		text += "; " + in.URL
	}
	return text
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05Z") }

// Wire shapes of the REST API, as far as they are read. A member of another type is not known.
type (
	reference struct {
		Summary string `json:"summary"`
	}
	incidentJSON struct {
		ID          string    `json:"id"`
		Number      int64     `json:"incident_number"`
		Title       string    `json:"title"`
		Status      string    `json:"status"`
		IncidentKey *string   `json:"incident_key"`
		URL         string    `json:"html_url"`
		Urgency     string    `json:"urgency"`
		Created     string    `json:"created_at"`
		Changed     string    `json:"last_status_change_at"`
		ChangedBy   reference `json:"last_status_change_by"`
		Service     reference `json:"service"`
		Assignments []struct {
			Assignee reference `json:"assignee"`
		} `json:"assignments"`
		Acknowledgements []struct {
			At           string    `json:"at"`
			Acknowledger reference `json:"acknowledger"`
		} `json:"acknowledgements"`
	}
	logEntryJSON struct {
		Type    string    `json:"type"`
		Created string    `json:"created_at"`
		User    reference `json:"user"`
		Channel struct {
			Notification struct {
				Type   string `json:"type"`
				Status string `json:"status"`
			} `json:"notification"`
		} `json:"channel"`
	}
	noteJSON struct {
		Content string `json:"content"`
		Created string `json:"created_at"`
	}
)

// parseIncidents reads the answer of GET /incidents and picks the one that the key stands for: an
// open one before all, else the newest. An incident that names another key is not it; incidents
// of services that make alerts name none.
func (w *web) parseIncidents(body []byte, key string, now time.Time) (Incident, error) {
	var list struct {
		Incidents *[]incidentJSON `json:"incidents"`
	}
	if err := json.Unmarshal(body, &list); err != nil || list.Incidents == nil {
		return Incident{}, &sale.Problem{Class: sale.BadData, Text: "the answer of GET /incidents is not of PagerDuty's REST API", Hint: "see api_url in the config, and any proxy before it"}
	}
	best := Incident{Key: key, ReadAt: now}
	for _, raw := range *list.Incidents {
		if raw.IncidentKey != nil && *raw.IncidentKey != "" && *raw.IncidentKey != key {
			continue
		}
		in := w.incident(raw, key, now)
		switch {
		case in.Status == None:
		case best.Status == None, in.Open() && !best.Open(),
			in.Open() == best.Open() && in.Opened.After(best.Opened):
			best = in
		}
	}
	return best, nil
}

func (w *web) incident(raw incidentJSON, key string, now time.Time) Incident {
	const cells = 120
	in := Incident{
		ID: w.words(raw.ID, 40), Key: key, Title: w.words(raw.Title, cells), Service: w.words(raw.Service.Summary, cells),
		Urgency: w.words(raw.Urgency, 20), Opened: stamp(raw.Created), Since: stamp(raw.Changed), By: w.words(raw.ChangedBy.Summary, 60), ReadAt: now,
	}
	if raw.Number > 0 {
		in.Number = "#" + strconv.FormatInt(raw.Number, 10)
	}
	switch s := Status(raw.Status); s {
	case Triggered, Acknowledged, Resolved:
		in.Status = s
	}
	if u, err := url.Parse(raw.URL); err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil {
		in.URL = w.words(u.String(), 200)
	}
	for _, a := range raw.Assignments[:min(len(raw.Assignments), 5)] {
		if who := w.words(a.Assignee.Summary, 60); who != "" {
			in.Assigned = append(in.Assigned, who)
		}
	}
	for _, a := range raw.Acknowledgements {
		if in.Status == Acknowledged && in.By == "" {
			in.By = w.words(a.Acknowledger.Summary, 60)
		}
	}
	return in
}

func stamp(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// parseNotices reads who was called from an incident's log. Addresses and numbers of people are
// left out on purpose.
func (w *web) parseNotices(body []byte) ([]Notice, error) {
	var list struct {
		Entries *[]logEntryJSON `json:"log_entries"`
	}
	if err := json.Unmarshal(body, &list); err != nil || list.Entries == nil {
		return nil, errors.New("the answer is not a log of PagerDuty's REST API")
	}
	var notices []Notice
	for _, e := range *list.Entries {
		if e.Type != "notify_log_entry" || strings.EqualFold(e.Channel.Notification.Status, "failed") {
			continue
		}
		n := Notice{Who: w.words(e.User.Summary, 60), How: w.words(e.Channel.Notification.Type, 20), At: stamp(e.Created)}
		if n.Who == "" {
			n.Who = "somebody"
		}
		notices = append(notices, n)
	}
	slices.SortStableFunc(notices, func(a, b Notice) int { return a.At.Compare(b.At) })
	return notices, nil
}

// get reads from the REST API.
func (x *Executor) get(ctx context.Context, path string) ([]byte, error) {
	if x.options.Token == "" {
		return nil, &sale.Problem{Class: sale.Auth, Text: "there is no REST token, so nothing can be looked up", Hint: "give the service's pager a read-only REST API key in the config"}
	}
	a, _, err := x.web.do(ctx, http.MethodGet, x.options.APIURL+path, x.restHeader(), nil)
	if err != nil {
		p := x.web.trouble(err)
		return nil, &p
	}
	if a.status != http.StatusOK {
		p, _ := x.web.statusProblem(a, time.Now())
		return nil, &p
	}
	return a.body, nil
}

func (x *Executor) restHeader() http.Header {
	return http.Header{
		"Authorization": {"Token token=" + x.options.Token},
		"Accept":        {"application/vnd.pagerduty+json;version=2"},
	}
}

// look finds the incident of a key. Without one the status is None.
func (x *Executor) look(ctx context.Context, key string) (Incident, error) {
	query := url.Values{
		"incident_key": {key}, "date_range": {"all"}, "limit": {"100"}, "sort_by": {"created_at:desc"},
	}
	body, err := x.get(ctx, "/incidents?"+query.Encode())
	if err != nil {
		return Incident{Key: key}, err
	}
	return x.web.parseIncidents(body, key, time.Now())
}

// lookAt finds the incident of a key and who was notified of it.
func (x *Executor) lookAt(ctx context.Context, key string) (Incident, error) {
	in, err := x.look(ctx, key)
	if err != nil || in.Status == None {
		return in, err
	}
	body, err := x.get(ctx, "/incidents/"+url.PathEscape(in.ID)+"/log_entries?limit=100")
	if err == nil {
		if notices, err := x.web.parseNotices(body); err == nil {
			in.Notified, in.NotifiedKnown = notices, true
		}
	}
	return in, nil
}

// lookAll finds the incidents of several keys at once, in their order. One error is enough to
// doubt the answer.
func (x *Executor) lookAll(ctx context.Context, keys []string, look func(context.Context, string) (Incident, error)) ([]Incident, error) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	found, errs := make([]Incident, len(keys)), make([]error, len(keys))
	var wg sync.WaitGroup
	gate := make(chan struct{}, 3)
	for i, key := range keys {
		wg.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			found[i], errs[i] = look(ctx, key)
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return found, err
		}
	}
	return found, nil
}

// Incidents looks up the incidents of a sale: those that the journal or this process knows, and
// those of the causes that hold now. Open ones come first, then the newest. It needs a token; an
// error wraps a *sale.Problem, and what could be read comes with it.
func (x *Executor) Incidents(ctx context.Context, id sale.ID, seen actions.Evidence) ([]Incident, error) {
	found, err := x.lookAll(ctx, x.keys(id, seen), x.lookAt)
	found = slices.DeleteFunc(found, func(in Incident) bool { return in.Status == None })
	slices.SortStableFunc(found, func(a, b Incident) int {
		if a.Open() != b.Open() {
			if a.Open() {
				return -1
			}
			return 1
		}
		return b.Opened.Compare(a.Opened)
	})
	return found, err
}

// noted reports whether an incident carries a note of these words, written since a time.
func (x *Executor) noted(ctx context.Context, in Incident, text string, since time.Time) (bool, error) {
	body, err := x.get(ctx, "/incidents/"+url.PathEscape(in.ID)+"/notes")
	if err != nil {
		return false, err
	}
	var list struct {
		Notes *[]noteJSON `json:"notes"`
	}
	if err := json.Unmarshal(body, &list); err != nil || list.Notes == nil {
		return false, &sale.Problem{Class: sale.BadData, Text: fmt.Sprintf("the notes of %s can't be read", in.Number), Hint: "look in PagerDuty"}
	}
	for _, n := range *list.Notes {
		at := stamp(n.Created)
		if x.cleanNote(n.Content) == text && (at.IsZero() || !at.Before(since.Add(-time.Minute))) {
			return true, nil
		}
	}
	return false, nil
}
