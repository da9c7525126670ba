package config

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/goccy/go-yaml"
)

// controls writes the controls, when there are any.
func (sh *shower) controls(doc *yaml.MapSlice, c *Config) {
	if len(c.Controls) == 0 {
		return
	}
	all := yaml.MapSlice{}
	for i := range c.Controls {
		add(&all, c.Controls[i].Name, sh.control(&c.Controls[i]))
	}
	add(doc, "controls", all)
}

func (sh *shower) control(c *Control) yaml.MapSlice {
	m := yaml.MapSlice{}
	add(&m, "kind", c.Kind)
	if a := c.aws(); a != nil {
		sh.aws(&m, *a)
	}
	switch {
	case c.OpsItem != nil:
		add(&m, "category", c.OpsItem.Category)
		if len(c.OpsItem.Notify) > 0 {
			add(&m, "notify", c.OpsItem.Notify)
		}
	case c.ECS != nil:
		add(&m, "cluster", c.ECS.Cluster)
		add(&m, "scaling_endpoint", c.ECS.ScalingEndpoint)
	case c.WaitingRoom != nil:
		add(&m, "zone", c.WaitingRoom.Zone)
		sh.addSecret(&m, "token", c.WaitingRoom.Token)
		add(&m, "url", c.WaitingRoom.URL)
	case c.Kubernetes != nil:
		cluster(&m, c.Kubernetes.Cluster)
		add(&m, "cluster", c.Kubernetes.Name)
		add(&m, "cluster_uid", c.Kubernetes.UID)
	case c.Webhook != nil:
		sh.webhook(&m, c.Webhook)
	case c.PagerDuty != nil:
		p := c.PagerDuty
		sh.addSecret(&m, "routing_key", p.RoutingKey)
		sh.addSecret(&m, "token", p.Token)
		add(&m, "from", p.From)
		add(&m, "service", p.Service)
		add(&m, "url", p.URL)
		add(&m, "api_url", p.APIURL)
	case c.Alertmanager != nil:
		sh.alertmanager(&m, c.Alertmanager)
	}
	addSpan(&m, "timeout", c.Timeout)
	if c.Budget != nil {
		add(&m, "budget", yaml.MapSlice{{Key: "calls", Value: c.Budget.Calls}, {Key: "per", Value: durationText(c.Budget.Per)}})
	}
	if c.allowHTTP {
		add(&m, "allow_http", true)
	}
	return m
}

func cluster(m *yaml.MapSlice, c Cluster) {
	add(m, "kubeconfig", c.Kubeconfig)
	add(m, "context", c.Context)
	if c.InCluster {
		add(m, "in_cluster", true)
	}
}

func (sh *shower) webhook(m *yaml.MapSlice, w *WebhookControl) {
	add(m, "preset", w.Preset)
	address := func(key string, s Secret, plain bool) {
		if plain {
			add(m, key, s.Reveal())
			return
		}
		sh.addSecret(m, key, s)
	}
	address("url", w.URL, w.plainURL)
	add(m, "source", w.Source)
	add(m, "method", w.Method)
	sh.addSecret(m, "token", w.Token)
	if len(w.Headers) > 0 {
		headers := yaml.MapSlice{}
		for _, name := range slices.Sorted(maps.Keys(w.Headers)) {
			sh.addSecret(&headers, name, w.Headers[name])
		}
		add(m, "headers", headers)
	}
	sh.addSecret(m, "hmac_secret", w.HMAC)
	address("state_url", w.StateURL, w.plainState)
	addTexts(m, "state_paths", w.StatePaths)
	add(m, "state_paused", w.StatePaused)
	addTexts(m, "bodies", w.Bodies)
}

func (sh *shower) alertmanager(m *yaml.MapSlice, a *AlertmanagerControl) {
	add(m, "peers", a.Peers)
	if a.Quorum > 0 {
		add(m, "quorum", a.Quorum)
	}
	add(m, "alert_name", a.AlertName)
	addTexts(m, "labels", a.Labels)
	add(m, "sale_label", a.SaleLabel)
	addSpan(m, "lasts", a.Lasts)
	addSpan(m, "silence", a.Silence)
	sh.login(m, a.Basic, a.Bearer)
	sh.tls(m, a.TLS)
}

// policy writes what may be done, when the file says anything of it or there is anything to do.
func (sh *shower) policy(doc *yaml.MapSlice, c *Config) {
	slas := yaml.MapSlice{}
	addSpan(&slas, "acknowledge", c.SLAs.Acknowledge)
	addSpan(&slas, "mitigate", c.SLAs.Mitigate)
	addSpan(&slas, "resolve", c.SLAs.Resolve)
	if len(slas) > 0 {
		add(doc, "slas", slas)
	}
	p := c.Policy
	if !p.given && len(c.Controls) == 0 {
		return
	}
	m := yaml.MapSlice{
		{Key: "role", Value: p.Role},
		{Key: "arm_for", Value: durationText(p.ArmFor)},
		{Key: "reason", Value: p.Reason},
		{Key: "change", Value: p.Change},
		{Key: "max_actions", Value: yaml.MapSlice{{Key: "count", Value: p.MaxActions.Count}, {Key: "per", Value: durationText(p.MaxActions.Per)}}},
	}
	if p.Role == RoleOperator || p.ReadOnly {
		add(&m, "read_only", p.ReadOnly)
	}
	second := slices.Clone(p.SecondPerson)
	if p.SecondSevere {
		second = append(second, wordSevere)
	}
	if len(second) > 0 {
		add(&m, "second_person", second)
		addSpan(&m, "approval_expiry", p.ApprovalExpiry)
		addSpan(&m, "execution_expiry", p.ExecutionExpiry)
	}
	addSpan(&m, "evidence_max_age", p.EvidenceMaxAge)
	bounds := yaml.MapSlice{}
	for _, b := range p.Bounds {
		one := yaml.MapSlice{}
		addNumber(&one, "min", b.Min)
		addNumber(&one, "max", b.Max)
		if b.Factor > 0 {
			addNumber(&one, "factor", &b.Factor)
		}
		add(&bounds, b.Verb, one)
	}
	if len(bounds) > 0 {
		add(&m, "bounds", bounds)
	}
	var freezes []any
	for _, f := range p.Freezes {
		freezes = append(freezes, freeze(f))
	}
	addList(&m, "freeze", freezes)
	if g := p.BreakGlass; g != nil {
		add(&m, "break_glass", yaml.MapSlice{{Key: "verbs", Value: g.Verbs}, {Key: "lifts", Value: g.Lifts}})
	}
	add(doc, "policy", m)
}

func freeze(f Freeze) yaml.MapSlice {
	m := yaml.MapSlice{{Key: "from", Value: f.From.Format(time.RFC3339Nano)}, {Key: "to", Value: f.Until.Format(time.RFC3339Nano)}}
	if len(f.Sales) > 0 {
		ids := make([]string, len(f.Sales))
		for i, id := range f.Sales {
			ids[i] = string(id)
		}
		add(&m, "sales", ids)
	}
	except := slices.Clone(f.Except)
	if f.ExceptIncident {
		except = append(except, wordIncidentOpen)
	}
	if len(except) > 0 {
		add(&m, "except", except)
	}
	add(&m, "reason", f.Reason)
	return m
}

// acts writes what can be done about a sale.
func acts(m *yaml.MapSlice, s *Sale) {
	all := yaml.MapSlice{}
	for _, a := range s.Actions {
		add(&all, a.Verb, action(a))
	}
	if open, ok := s.Action(VerbIncident); ok { // else it would come along again
		for _, verb := range incidentVerbs {
			if _, does := s.Action(verb); !does && follows(verb) && open.Control != "" {
				add(&all, verb, nil)
			}
		}
	}
	if len(all) > 0 {
		add(m, "actions", all)
	}
	plays := yaml.MapSlice{}
	for _, p := range s.Plays {
		var steps []any
		for _, step := range p.Steps {
			one := yaml.MapSlice{}
			addNumber(&one, "to", step.To)
			add(&one, "text", final(step.Text))
			addSpan(&one, "after", step.After)
			addConditions(&one, "hold", step.Hold)
			steps = append(steps, yaml.MapSlice{{Key: step.Verb, Value: one}})
		}
		add(&plays, p.Name, steps)
	}
	if len(plays) > 0 {
		add(m, "plays", plays)
	}
}

func action(a Action) yaml.MapSlice {
	m := yaml.MapSlice{{Key: "via", Value: a.Control}}
	text := func(key, value string) { add(&m, key, final(value)) }
	switch {
	case a.Gate != nil:
		g := a.Gate
		text("room", g.Room)
		text("parameter", g.Parameter)
		text("value", g.Value)
		text("target", g.Target)
		addNumber(&m, "floor", g.Floor)
		addNumber(&m, "ceiling", g.Ceiling)
		addNumber(&m, "max_active", g.MaxActive)
		addStep(&m, g.Step)
		var ramp []any
		for _, p := range g.Ramp {
			ramp = append(ramp, percent(p))
		}
		addList(&m, "ramp", ramp)
		addSpan(&m, "every", g.Every)
		addConditions(&m, "abort", g.Abort)
	case a.Scale != nil:
		scale(&m, a.Scale, text)
	case a.Incident != nil:
		text("severity", a.Incident.Severity)
		text("service", a.Incident.Service)
		text("text", a.Incident.Text)
	}
	if e := a.Effect; e != nil {
		one := yaml.MapSlice{{Key: "signal", Value: string(e.Signal)}}
		add(&one, "direction", e.Direction)
		addSpan(&one, "within", e.Within)
		add(&m, "effect", one)
	}
	return m
}

func scale(m *yaml.MapSlice, c *Scale, text func(key, value string)) {
	text("group", c.Group)
	text("cluster", c.Cluster)
	text("service", c.Service)
	text("namespace", c.Namespace)
	text("name", c.Name)
	text("resource", c.Resource)
	text("dimension", c.Dimension)
	if len(c.Sizes) > 0 {
		add(m, "sizes", c.Sizes)
	}
	addStep(m, c.Step)
	for _, n := range []struct {
		key string
		v   int
	}{{"max", c.Max}, {"floor", c.Floor}} {
		if n.v > 0 {
			add(m, n.key, n.v)
		}
	}
	if c.RaiseMax {
		add(m, "raise_max", true)
	}
	addNumber(m, "unit_cost", c.UnitCost)
	addNumber(m, "unit_connections", c.UnitConnections)
	addSpan(m, "boots_in", c.BootsIn)
	var ahead []any
	for _, one := range c.Ahead {
		ahead = append(ahead, yaml.MapSlice{{Key: "at", Value: final(one.Text)}, {Key: "to", Value: one.To}})
	}
	addList(m, "ahead", ahead)
}

func addTexts(m *yaml.MapSlice, key string, texts map[string]string) {
	if len(texts) == 0 {
		return
	}
	all := yaml.MapSlice{}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		add(&all, name, texts[name])
	}
	add(m, key, all)
}

func addNumber(m *yaml.MapSlice, key string, v *float64) {
	if v != nil {
		add(m, key, bareNumber(strconv.FormatFloat(*v, 'f', -1, 64)))
	}
}

func addStep(m *yaml.MapSlice, s Step) {
	if s.Part > 0 {
		add(m, "step", percent(s.Part))
	} else if s.Amount > 0 {
		addNumber(m, "step", &s.Amount)
	}
}

// percent writes a part with its sign. It reads back as the same number.
func percent(v float64) string {
	for digits := range 18 {
		text := strconv.FormatFloat(v*100, 'f', digits, 64)
		if back, err := strconv.ParseFloat(text+"e-2", 64); err == nil && back == v {
			return text + "%"
		}
	}
	return strconv.FormatFloat(v*100, 'f', -1, 64) + "%"
}

func addConditions(m *yaml.MapSlice, key string, all []Condition) {
	var texts []any
	for _, c := range all {
		texts = append(texts, final(c.Text))
	}
	addList(m, key, texts)
}
