package prom

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/template"
	"github.com/prometheus/prometheus/util/strutil"
)

// Rule is an alerting rule, as a rule file declares one.
type Rule struct {
	Name, Expr          string
	For                 time.Duration
	Labels, Annotations map[string]string // an annotation may hold $labels and $value, as in Prometheus
}

// Alert is one alert as a server sends it to an Alertmanager. Times are UTC.
type Alert struct {
	Labels, Annotations map[string]string
	StartsAt, EndsAt    time.Time // the end is past once it is resolved, else until when it holds unless sent again
	GeneratorURL        string
}

const (
	replayed      = 10 * time.Minute // of the rules' past at the start: longer than any rule's For
	keepResolved  = 15 * time.Minute // so long Prometheus goes on telling that an alert has ended
	validFor      = 4 * time.Minute  // four resend delays, as Prometheus has it
	rulesGroup    = "on-sale"
	rulesFile     = "/etc/prometheus/rules/on-sale.yml"
	statePending  = "pending"
	stateFiring   = "firing"
	stateInactive = "inactive"
)

// Rules evaluates alerting rules through the engine of an API, and is asked through that API. It is
// safe for many goroutines.
type Rules struct {
	api   *API
	url   string // of the server, for links
	every time.Duration

	mu    sync.Mutex
	rules []*ruleState
	last  time.Time // evaluation
}

type ruleState struct {
	Rule
	active map[string]*activeAlert // by label set
	err    error
	at     time.Time
	took   time.Duration
}

type activeAlert struct {
	labels, annotations labels.Labels
	value               float64
	activeAt            time.Time
	firedAt             time.Time // zero while it is pending
	resolvedAt          time.Time // zero while it is active
}

// NewRules makes the rules of a server that answers at a URL, and has the API tell of them. Nothing
// is evaluated before Replay or Evaluate.
func NewRules(api *API, serverURL string, every time.Duration, rules []Rule) (*Rules, error) {
	r := &Rules{api: api, url: serverURL, every: every}
	for _, rule := range rules {
		if _, err := api.parser.ParseExpr(rule.Expr); err != nil {
			return nil, fmt.Errorf("rule %s: %w", rule.Name, err)
		}
		r.rules = append(r.rules, &ruleState{Rule: rule, active: map[string]*activeAlert{}})
	}
	api.mux.HandleFunc("GET /api/v1/rules", serve(r.list))
	api.mux.HandleFunc("GET /api/v1/alerts", serve(r.alerts))
	return r, nil
}

// Replay evaluates what the database holds of the last minutes up to a time, so that a server which
// has just started knows since when each alert is active. Real ones restore that from ALERTS_FOR_STATE.
func (r *Rules) Replay(ctx context.Context, until time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	steps := int(replayed / r.every)
	from := until.Add(-time.Duration(steps) * r.every)
	for _, rule := range r.rules {
		q, err := r.api.engine.NewRangeQuery(ctx, r.api.db, nil, rule.Expr, from, until, r.every)
		if err != nil {
			return fmt.Errorf("rule %s: %w", rule.Name, err)
		}
		at := make([]promql.Vector, steps+1)
		res := q.Exec(ctx)
		matrix, err := res.Matrix()
		for _, s := range matrix {
			for _, p := range s.Floats {
				i := int(time.UnixMilli(p.T).Sub(from.Truncate(time.Millisecond)) / r.every)
				at[i] = append(at[i], promql.Sample{T: p.T, F: p.F, Metric: s.Metric})
			}
		}
		q.Close()
		if err != nil {
			return fmt.Errorf("rule %s: %w", rule.Name, err)
		}
		for i, v := range at {
			r.step(ctx, rule, from.Add(time.Duration(i)*r.every), v)
		}
	}
	r.last = until
	return nil
}

// Evaluate evaluates every rule as of a time; it does nothing until the interval has passed since
// the last evaluation, and reports whether it did. A rule that can't be evaluated says so in its
// health, as in Prometheus.
func (r *Rules) Evaluate(ctx context.Context, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.last) < r.every {
		return false
	}
	r.last = now
	for _, rule := range r.rules {
		began := time.Now()
		v, err := r.vector(ctx, rule.Expr, now)
		rule.at, rule.took, rule.err = now, time.Since(began), err
		if err == nil {
			r.step(ctx, rule, now, v)
		}
	}
	return true
}

// vector asks the engine and copies its values out. A scalar is a vector of one.
func (r *Rules) vector(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
	q, err := r.api.engine.NewInstantQuery(ctx, r.api.db, nil, expr, at)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	res := q.Exec(ctx)
	if res.Err != nil {
		return nil, res.Err
	}
	switch v := res.Value.(type) {
	case promql.Vector:
		return append(promql.Vector{}, v...), nil
	case promql.Scalar:
		return promql.Vector{{T: v.T, F: v.V}}, nil
	}
	return nil, errors.New("rule result is not a vector or scalar")
}

// step takes a rule's alerts on to what its expression gave.
func (r *Rules) step(ctx context.Context, rule *ruleState, at time.Time, v promql.Vector) {
	rule.at = at
	seen := map[string]bool{}
	for _, s := range v {
		set := rule.labelsOf(s.Metric)
		key := set.String()
		seen[key] = true
		a := rule.active[key]
		if a == nil || !a.resolvedAt.IsZero() {
			a = &activeAlert{labels: set, activeAt: at}
			rule.active[key] = a
		}
		a.value, a.annotations = s.F, r.annotate(ctx, rule, set, s, at)
		if a.firedAt.IsZero() && at.Sub(a.activeAt) >= rule.For {
			a.firedAt = at
		}
	}
	for key, a := range rule.active {
		switch {
		case seen[key]:
		case a.firedAt.IsZero(), !a.resolvedAt.IsZero() && at.Sub(a.resolvedAt) > keepResolved:
			delete(rule.active, key)
		case a.resolvedAt.IsZero():
			a.resolvedAt = at
		}
	}
}

func (rule *ruleState) labelsOf(metric labels.Labels) labels.Labels {
	b := labels.NewBuilder(metric).Del(model.MetricNameLabel)
	for name, value := range rule.Labels {
		b.Set(name, value)
	}
	return b.Set(model.AlertNameLabel, rule.Name).Labels()
}

// annotate fills the annotations in through Prometheus' own templates.
func (r *Rules) annotate(ctx context.Context, rule *ruleState, set labels.Labels, s promql.Sample, at time.Time) labels.Labels {
	data := template.AlertTemplateData(set.Map(), nil, r.url, s)
	const names = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}"
	out := map[string]string{}
	for name, text := range rule.Annotations {
		filled, err := template.NewTemplateExpander(ctx, names+text, "__alert_"+rule.Name, data, model.Time(at.UnixMilli()), r.vector, &url.URL{}, nil).Expand()
		if err != nil {
			filled = fmt.Sprintf("<error expanding template: %v>", err)
		}
		out[name] = filled
	}
	return labels.FromMap(out)
}

// Sent lists what a server would send to its Alertmanagers as of a time: what fires, and what has
// ended not long ago.
func (r *Rules) Sent(now time.Time) []Alert {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Alert
	for _, rule := range r.rules {
		for _, key := range slices.Sorted(maps.Keys(rule.active)) {
			a := rule.active[key]
			if a.firedAt.IsZero() {
				continue
			}
			one := Alert{
				Labels: a.labels.Map(), Annotations: a.annotations.Map(), StartsAt: a.firedAt.UTC(), EndsAt: now.Add(validFor).UTC(),
				GeneratorURL: r.url + strutil.TableLinkForExpression(rule.Expr),
			}
			if !a.resolvedAt.IsZero() {
				one.EndsAt = a.resolvedAt.UTC()
			}
			out = append(out, one)
		}
	}
	return out
}

// The documents of /api/v1/rules and /api/v1/alerts.
type (
	groupDoc struct {
		Name           string    `json:"name"`
		File           string    `json:"file"`
		Rules          []ruleDoc `json:"rules"`
		Interval       float64   `json:"interval"`
		Limit          int       `json:"limit"`
		EvaluationTime float64   `json:"evaluationTime"`
		LastEvaluation time.Time `json:"lastEvaluation"`
	}
	ruleDoc struct {
		State          string            `json:"state"`
		Name           string            `json:"name"`
		Query          string            `json:"query"`
		Duration       float64           `json:"duration"`
		KeepFiringFor  float64           `json:"keepFiringFor"`
		Labels         map[string]string `json:"labels"`
		Annotations    map[string]string `json:"annotations"`
		Alerts         []alertDoc        `json:"alerts"`
		Health         string            `json:"health"`
		LastError      string            `json:"lastError,omitempty"`
		EvaluationTime float64           `json:"evaluationTime"`
		LastEvaluation time.Time         `json:"lastEvaluation"`
		Type           string            `json:"type"`
	}
	alertDoc struct {
		Labels      labels.Labels `json:"labels"`
		Annotations labels.Labels `json:"annotations"`
		State       string        `json:"state"`
		ActiveAt    time.Time     `json:"activeAt"`
		Value       string        `json:"value"`
	}
)

func (r *Rules) list(req *http.Request) answer {
	kind := strings.ToLower(req.Form.Get("type"))
	if kind != "" && kind != "alert" && kind != "record" {
		return bad("type", fmt.Errorf("not supported value %q", kind))
	}
	groups := []groupDoc{}
	if kind == "record" {
		return answer{data: map[string]any{"groups": groups}} // there are none
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	g := groupDoc{Name: rulesGroup, File: rulesFile, Interval: r.every.Seconds(), LastEvaluation: r.last.UTC()}
	for _, rule := range r.rules {
		d := rule.doc()
		g.EvaluationTime += d.EvaluationTime
		g.Rules = append(g.Rules, d)
	}
	return answer{data: map[string]any{"groups": append(groups, g)}}
}

func (r *Rules) alerts(*http.Request) answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := []alertDoc{}
	for _, rule := range r.rules {
		all = append(all, rule.doc().Alerts...)
	}
	return answer{data: map[string]any{"alerts": all}}
}

func (rule *ruleState) doc() ruleDoc {
	d := ruleDoc{
		State: stateInactive, Name: rule.Name, Query: rule.Expr, Duration: rule.For.Seconds(), Labels: rule.Labels, Annotations: rule.Annotations,
		Alerts: []alertDoc{}, Health: "ok", EvaluationTime: rule.took.Seconds(), LastEvaluation: rule.at.UTC(), Type: "alerting",
	}
	if rule.at.IsZero() {
		d.State, d.Health = "unknown", "unknown"
	}
	if rule.err != nil {
		d.Health, d.LastError = "err", rule.err.Error()
	}
	for _, key := range slices.Sorted(maps.Keys(rule.active)) {
		a := rule.active[key]
		if !a.resolvedAt.IsZero() {
			continue
		}
		one := alertDoc{Labels: a.labels, Annotations: a.annotations, State: statePending, ActiveAt: a.activeAt.UTC(), Value: strconv.FormatFloat(a.value, 'e', -1, 64)}
		if !a.firedAt.IsZero() {
			one.State = stateFiring
		}
		if d.State != stateFiring {
			d.State = one.State
		}
		d.Alerts = append(d.Alerts, one)
	}
	return d
}
