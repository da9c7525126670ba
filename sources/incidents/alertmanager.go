package incidents

import (
	"context"
	"encoding/base64"
	"encoding/json"
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

// KindAlertmanager is the kind of a source that reads Alertmanager's API v2.
const KindAlertmanager = "alertmanager"

// DefaultAlertName is the alertname of every incident unless the config names another.
const DefaultAlertName = "OnsaleIncident"

// AlertmanagerOptions configure a source. Peers are required.
type AlertmanagerOptions struct {
	Common
	// Peers are the addresses of all peers of the cluster: an incident is open while any of them
	// shows it, and over only when every one answers and none does.
	Peers     []string
	AlertName string // "" is DefaultAlertName
	// At most one of a login, by User and Password, and a Bearer token.
	User, Password string
	Bearer         string
}

// NewAlertmanager makes a source that reads an Alertmanager. It sends nothing.
func NewAlertmanager(o AlertmanagerOptions) (*Source, error) {
	if len(o.Peers) == 0 {
		return nil, fmt.Errorf("%s source %s: peers are needed", KindAlertmanager, o.Name)
	}
	if o.AlertName == "" {
		o.AlertName = DefaultAlertName
	}
	o.prepare(15 * time.Second)
	o.Secrets = slices.Clone(o.Secrets)
	for _, s := range []string{o.Password, o.Bearer} {
		if s != "" {
			o.Secrets = append(o.Secrets, s)
		}
	}
	for i, p := range o.Peers {
		o.Peers[i] = strings.TrimSuffix(p, "/")
	}
	return newSource(o.Common, &alertmanager{o})
}

type alertmanager struct{ AlertmanagerOptions }

func (*alertmanager) kind() string  { return KindAlertmanager }
func (*alertmanager) tool() string  { return "Alertmanager" }
func (*alertmanager) limit() string { return "" }

// budget is ours: Alertmanager names none, and is asked two things a peer and poll.
func (a *alertmanager) budget() (calls int, window time.Duration) {
	return 60 * len(a.Peers), time.Minute
}

func (*alertmanager) hints() map[sale.Class]string {
	return map[sale.Class]string{
		sale.Auth:     "see auth in the config: what stands before Alertmanager wants another login",
		sale.NotFound: "see peers in the config: an address needs the path of --web.route-prefix, and Alertmanager 0.16 or newer",
	}
}

type amAlert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	Starts      time.Time         `json:"startsAt"`
	Ends        time.Time         `json:"endsAt"`
	Status      struct {
		SilencedBy []string `json:"silencedBy"`
	} `json:"status"`
}

type amSilence struct {
	ID      string    `json:"id"`
	Starts  time.Time `json:"startsAt"`
	By      string    `json:"createdBy"`
	Updated time.Time `json:"updatedAt"`
}

// amView is what one peer shows.
type amView struct {
	alerts   []amAlert
	silences []amSilence
	err      error
}

func (a *alertmanager) open(ctx context.Context, now time.Time) (list []sale.Incident, warnings []string, complete bool, err error) {
	views := make([]amView, len(a.Peers))
	var all errgroup.Group
	for i, peer := range a.Peers {
		all.Go(func() error {
			views[i] = a.ask(ctx, peer)
			return nil
		})
	}
	_ = all.Wait() // what went wrong is in the views
	answered := 0
	for i, v := range views {
		if v.err != nil {
			if err == nil {
				err = v.err
			}
			warnings = append(warnings, a.words("a peer can't be read: "+hostOf(a.Peers[i]), 120))
			continue
		}
		answered++
		for _, one := range v.alerts {
			if in, ok := a.incident(one, v.silences, a.Peers[i], now); ok {
				list = merge(list, in)
			}
		}
	}
	if answered == 0 {
		return nil, nil, false, err
	}
	return list, warnings, answered == len(views), nil
}

func (a *alertmanager) ask(ctx context.Context, peer string) (v amView) {
	query := url.Values{"active": {"true"}, "silenced": {"true"}, "inhibited": {"true"}, "unprocessed": {"true"}, "filter": {"alertname=" + quoted(a.AlertName)}}
	body, err := a.get(ctx, peer+"/api/v2/alerts?"+query.Encode(), a.header())
	if err != nil {
		return amView{err: err}
	}
	if v.alerts, err = parseAlerts(body); err != nil {
		return amView{err: err}
	}
	if !slices.ContainsFunc(v.alerts, func(one amAlert) bool { return len(one.Status.SilencedBy) > 0 }) {
		return v
	}
	// Who has silenced it is worth a question, and no reason to know nothing.
	if body, err := a.get(ctx, peer+"/api/v2/silences", a.header()); err == nil {
		_ = json.Unmarshal(body, &v.silences)
	}
	return v
}

func (a *alertmanager) header() http.Header {
	h := http.Header{"Accept": {"application/json"}}
	switch {
	case a.Bearer != "":
		h.Set("Authorization", "Bearer "+a.Bearer)
	case a.User != "":
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(a.User+":"+a.Password)))
	}
	return h
}

// parseAlerts reads the answer of GET /api/v2/alerts.
func parseAlerts(body []byte) ([]amAlert, error) {
	var list *[]amAlert
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("not an answer of Alertmanager's API v2: %w", err)
	}
	if list == nil {
		return nil, errors.New("not an answer of Alertmanager's API v2: it is no list")
	}
	return *list, nil
}

// incident reads one alert; ok is false for one that is not of these sales, or is over. A silence
// stands for an acknowledgement, as acknowledging makes one.
func (a *alertmanager) incident(one amAlert, silences []amSilence, peer string, now time.Time) (in sale.Incident, ok bool) {
	id, cause := sale.ID(one.Labels["sale"]), one.Labels["cause"]
	if one.Labels["alertname"] != a.AlertName || cause == "" || !slices.Contains(a.Sales, id) || one.Starts.IsZero() || !one.Ends.IsZero() && !one.Ends.After(now) {
		return in, false
	}
	in = sale.Incident{
		Sale: id, Key: a.words("onsale/"+url.PathEscape(string(id))+"/"+url.PathEscape(cause), 300), Name: a.words(a.AlertName, 40),
		Title: a.words(one.Annotations["summary"], 200), Status: sale.IncidentOpen, Opened: one.Starts.UTC(),
		URL: a.page(peer + "/#/alerts?filter=" + url.QueryEscape("{alertname="+quoted(a.AlertName)+",sale="+quoted(string(id))+"}")),
	}
	if len(one.Status.SilencedBy) > 0 {
		in.Status = sale.IncidentAcknowledged
		for _, s := range silences {
			if slices.Contains(one.Status.SilencedBy, s.ID) && !s.Starts.IsZero() && (in.Acknowledged.IsZero() || s.Starts.Before(in.Acknowledged)) {
				in.Acknowledged, in.AcknowledgedBy = s.Starts.UTC(), a.words(s.By, 60)
			}
		}
	}
	return in, true
}

// merge adds what one peer shows: the earliest start counts, and it is acknowledged when any peer
// says so.
func merge(list []sale.Incident, in sale.Incident) []sale.Incident {
	i := slices.IndexFunc(list, func(o sale.Incident) bool { return o.Key == in.Key })
	if i < 0 {
		return append(list, in)
	}
	o := &list[i]
	if in.Opened.Before(o.Opened) {
		o.Opened = in.Opened
	}
	if in.Status == sale.IncidentAcknowledged && (o.Status != in.Status || o.Acknowledged.IsZero()) {
		o.Status, o.Acknowledged, o.AcknowledgedBy = in.Status, in.Acknowledged, in.AcknowledgedBy
	}
	return list
}

// ended: every peer has answered and none shows it. It ended between the last time that it was
// seen and now; of one that was never seen here nobody knows when.
func (a *alertmanager) ended(_ context.Context, w watched, now time.Time) (sale.Incident, bool, error) {
	in := w.Incident
	if w.seen.IsZero() && now.Sub(w.Opened) < settleFor {
		return in, false, nil
	}
	in.Status = sale.IncidentResolved
	if !w.seen.IsZero() {
		in.Resolved = now
	}
	return in, true, nil
}

// quoted writes a value as Alertmanager's matchers read it.
func quoted(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `"`
}

func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return sources.Redact(address)
}
