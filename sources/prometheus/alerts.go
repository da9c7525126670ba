package prometheus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

const (
	// AlertsKind is the kind of a source of alerts in a config.
	AlertsKind = "prometheus-alerts"
	// DefaultAlertsEvery is the cadence of polls unless Options.Every says otherwise.
	DefaultAlertsEvery = 15 * time.Second
)

// Alerts reads what the alerting rules of a Prometheus server, or of what speaks its API, say: one
// request a poll, of /api/v1/rules. That holds the active alerts too, and beside them the rules
// that are quiet and those that can't be evaluated, which /api/v1/alerts hides. It implements
// sources.Source.
//
// Prometheus knows nothing of silences: whether an alert pages anybody, the Alertmanager says.
type Alerts struct {
	opts  Options
	whose sources.Whose
	wire  *wire
	url   string
}

// NewAlerts makes a source of alerts. Nothing is sent. Of the options Queries, Lookback and History
// are not used; Every is 15 s unless set.
func NewAlerts(opts Options, whose sources.Whose) (*Alerts, error) {
	if opts.Every <= 0 {
		opts.Every = DefaultAlertsEvery
	}
	opts.Queries = nil
	opts, u, err := opts.normal()
	if err != nil {
		return nil, err
	}
	w, err := newWire(opts, u)
	if err != nil {
		return nil, err
	}
	address := *u
	address.User = nil
	address = *address.JoinPath("api", "v1", "rules")
	address.RawQuery = url.Values{"type": {"alert"}}.Encode()
	return &Alerts{opts: opts, whose: whose, wire: w, url: address.String()}, nil
}

// Info implements sources.Source.
func (s *Alerts) Info() sale.SourceInfo {
	return sale.SourceInfo{
		Name: s.opts.Name, Kind: AlertsKind, Every: s.opts.Every, Cadence: sale.Cadence{Period: s.opts.Every},
		Gives: "alerting rules and alerts", Limit: "the server's own; one request a poll", ReadsAlarms: true,
	}
}

// Read implements sources.Source.
func (s *Alerts) Read(ctx context.Context, _ time.Time) sale.Batch {
	ctx, meter := sources.Metered(ctx)
	rules, warnings, err := s.ask(ctx)
	b := sale.Batch{Calls: meter.Calls(), Warnings: warningsOf(warnings, s.wire.secrets)}
	if err != nil {
		p := classify(err, sources.About{Meter: meter, Secrets: s.wire.secrets})
		b.Problem, b.Warnings = &p, nil
		return b
	}
	for i := range rules {
		b.Alarms = append(b.Alarms, s.alarms(&rules[i])...)
	}
	if n := len(b.Alarms); n > sources.MaxAlarms {
		sale.SortForeign(b.Alarms)
		b.Alarms = b.Alarms[:sources.MaxAlarms]
		b.Warnings = append(b.Warnings, fmt.Sprintf("%d alerts: only the first %d are kept", n, sources.MaxAlarms))
	}
	return b
}

// alertingRule is a rule of /api/v1/rules, as far as it is used.
type alertingRule struct {
	Type        string            `json:"type"`
	Name        string            `json:"name"`
	State       string            `json:"state"`
	Health      string            `json:"health"`
	LastError   string            `json:"lastError"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	Alerts      []struct {
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
		State       string            `json:"state"`
		ActiveAt    *time.Time        `json:"activeAt"`
	} `json:"alerts"`
}

var errNoRules = errors.New("no rule groups in it")

func (s *Alerts) ask(ctx context.Context) (rules []alertingRule, warnings []string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, nil, err
	}
	resp, err := s.wire.client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // nothing was written
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, nil, err
	}
	return parseRules(body)
}

// parseRules reads the answer. What is no alerting rule is left out.
func parseRules(body []byte) (rules []alertingRule, warnings []string, err error) {
	var answer struct {
		Status   string   `json:"status"`
		Warnings []string `json:"warnings"`
		Data     *struct {
			Groups *[]struct {
				Rules []alertingRule `json:"rules"`
			} `json:"groups"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, nil, notAnAnswer(err.Error())
	}
	if answer.Status != "success" || answer.Data == nil || answer.Data.Groups == nil {
		return nil, nil, notAnAnswer(errNoRules.Error())
	}
	for _, g := range *answer.Data.Groups {
		for _, r := range g.Rules {
			if r.Type == "" || r.Type == "alerting" {
				rules = append(rules, r)
			}
		}
	}
	return rules, answer.Warnings, nil
}

// alarms are a rule's alerts, or the rule itself while it is quiet or can't be evaluated: a broken
// rule is no data, whatever it said last.
func (s *Alerts) alarms(r *alertingRule) []sale.ForeignAlarm {
	if r.Health == "err" {
		text := "the rule can't be evaluated"
		if r.LastError != "" {
			text += ": " + r.LastError
		}
		return []sale.ForeignAlarm{s.alarm(r.Name, r.Labels, "rule", sale.ForeignNoData, text, nil)}
	}
	if len(r.Alerts) == 0 {
		state := sale.ForeignOK
		if r.State == "firing" || r.State == "pending" || r.Health == "unknown" {
			state = sale.ForeignNoData // it says that something is, and not what
		}
		return []sale.ForeignAlarm{s.alarm(r.Name, r.Labels, "rule", state, summary(r.Annotations), nil)}
	}
	var all []sale.ForeignAlarm
	for i := range r.Alerts {
		a := &r.Alerts[i]
		state := sale.ForeignNoData
		switch a.State {
		case "firing":
			state = sale.ForeignFiring
		case "pending":
			state = sale.ForeignPending
		}
		text := summary(a.Annotations)
		if text == "" {
			text = summary(r.Annotations)
		}
		all = append(all, s.alarm(r.Name, a.Labels, "alert", state, text, a.ActiveAt))
	}
	return all
}

func (s *Alerts) alarm(name string, labels map[string]string, kind string, state sale.ForeignState, text string, since *time.Time) sale.ForeignAlarm {
	clean := func(text string, cells int) string { return sale.Clean(sources.Redact(text, s.wire.secrets...), cells) }
	a := sale.ForeignAlarm{
		Sale: s.whose.Sale(name, labels, nil), Name: clean(name, sources.AlarmName), Kind: kind, State: state, Text: clean(text, sources.AlarmText),
	}
	if since != nil {
		a.Since = since.UTC()
	}
	return a
}

// summary is the one annotation that people read first.
func summary(annotations map[string]string) string {
	for _, name := range []string{"summary", "description", "message"} {
		if text := annotations[name]; text != "" {
			return text
		}
	}
	return ""
}

var _ sources.Source = (*Alerts)(nil)
