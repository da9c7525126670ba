package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// ShowYAML renders the config as it was understood: templates applied, variables filled in,
// defaults written out, every secret as "***". But for the secrets it is a config again.
func (c *Config) ShowYAML() ([]byte, error) {
	return c.show(func(Secret) string { return hidden })
}

// show renders with each secret in the form that the caller gives it.
func (c *Config) show(secret func(Secret) string) ([]byte, error) {
	sh := &shower{secret: secret}
	doc := yaml.MapSlice{}
	add(&doc, "environment", c.Environment)
	add(&doc, "account", c.Account)
	add(&doc, "timezone", c.TimeZone)
	add(&doc, "theme", c.Theme)
	if c.ASCII {
		add(&doc, "ascii", true)
	}
	if !c.Bell {
		add(&doc, "bell", false)
	}
	if c.Notify {
		add(&doc, "notify", true)
	}
	limits := yaml.MapSlice{}
	if c.Limits.Points > 0 {
		add(&limits, "points", c.Limits.Points)
	}
	addSpan(&limits, "keep", c.Limits.Keep)
	if len(limits) > 0 {
		add(&doc, "limits", limits)
	}
	if len(c.LinkHosts) > 0 {
		add(&doc, "link_hosts", c.LinkHosts)
	}
	if len(c.Keys) > 0 {
		keys := yaml.MapSlice{}
		for _, intent := range slices.Sorted(maps.Keys(c.Keys)) {
			add(&keys, intent, c.Keys[intent])
		}
		add(&doc, "keys", keys)
	}
	sources := yaml.MapSlice{}
	for i := range c.Sources {
		if c.Sources[i].Kind == KindCalendar {
			continue // its sales are shown
		}
		add(&sources, c.Sources[i].Name, sh.source(&c.Sources[i]))
	}
	add(&doc, "sources", sources)
	sh.controls(&doc, c)
	sh.policy(&doc, c)
	sh.serve(&doc, c.Serve)
	var sales []yaml.MapSlice
	for i := range c.Sales {
		sales = append(sales, sh.sale(&c.Sales[i]))
	}
	add(&doc, "sales", sales)
	out, err := yaml.MarshalWithOptions(doc, yaml.IndentSequence(true))
	if err != nil {
		return nil, fmt.Errorf("config can't be shown: %w", err)
	}
	return out, nil
}

type shower struct{ secret func(Secret) string }

// add appends a key unless its value is an empty text.
func add(m *yaml.MapSlice, key string, v any) {
	if s, ok := v.(string); ok && s == "" {
		return
	}
	*m = append(*m, yaml.MapItem{Key: key, Value: v})
}

func addSpan(m *yaml.MapSlice, key string, d time.Duration) {
	if d > 0 {
		add(m, key, durationText(d))
	}
}

func (sh *shower) addSecret(m *yaml.MapSlice, key string, s Secret) {
	if s.IsSet() {
		add(m, key, sh.secret(s))
	}
}

func (sh *shower) source(s *Source) yaml.MapSlice {
	m := yaml.MapSlice{}
	add(&m, "kind", s.Kind)
	switch {
	case s.Prometheus != nil:
		sh.prometheus(&m, s.Prometheus)
	case s.CloudWatch != nil:
		sh.aws(&m, s.CloudWatch.AWS)
		add(&m, "account", s.CloudWatch.Account)
		add(&m, "delay", durationText(s.CloudWatch.Delay))
	case s.SQS != nil:
		sh.aws(&m, s.SQS.AWS)
		add(&m, "queue", s.SQS.Queue)
	case s.WaitingRoom != nil:
		add(&m, "zone", s.WaitingRoom.Zone)
		sh.addSecret(&m, "token", s.WaitingRoom.Token)
		add(&m, "url", s.WaitingRoom.URL)
	case s.AutoScaling != nil:
		sh.aws(&m, s.AutoScaling.AWS)
		add(&m, "elb_endpoint", s.AutoScaling.ELBEndpoint)
	case s.ECS != nil:
		sh.aws(&m, s.ECS.AWS)
		add(&m, "cluster", s.ECS.Cluster)
		add(&m, "scaling_endpoint", s.ECS.ScalingEndpoint)
	case s.RDS != nil:
		sh.aws(&m, s.RDS.AWS)
	case s.Kubernetes != nil:
		cluster(&m, s.Kubernetes.Cluster)
	case s.HTTPJSON != nil, s.Redis != nil:
		sh.gate(&m, s)
	default:
		sh.incidents(&m, s)
	}
	sh.alarmSource(&m, s)
	addSpan(&m, "every", s.Every)
	addSpan(&m, "timeout", s.Timeout)
	if s.Budget != nil {
		add(&m, "budget", yaml.MapSlice{{Key: "calls", Value: s.Budget.Calls}, {Key: "per", Value: durationText(s.Budget.Per)}})
	}
	if s.allowHTTP {
		add(&m, "allow_http", true)
	}
	return m
}

func (sh *shower) prometheus(m *yaml.MapSlice, p *PrometheusSource) {
	add(m, "url", p.URL)
	auth := yaml.MapSlice{}
	if p.Basic != nil {
		basic := yaml.MapSlice{}
		add(&basic, "username", p.Basic.Username)
		sh.addSecret(&basic, "password", p.Basic.Password)
		add(&auth, "basic", basic)
	}
	sh.addSecret(&auth, "bearer", p.Bearer)
	if len(p.Headers) > 0 {
		headers := yaml.MapSlice{}
		for _, name := range slices.Sorted(maps.Keys(p.Headers)) {
			sh.addSecret(&headers, name, p.Headers[name])
		}
		add(&auth, "headers", headers)
	}
	if s := p.SigV4; s != nil {
		sig := yaml.MapSlice{}
		sh.aws(&sig, s.AWS)
		add(&sig, "service", s.Service)
		add(&auth, "sigv4", sig)
	}
	if len(auth) > 0 {
		add(m, "auth", auth)
	}
	sh.tls(m, p.TLS)
	addSpan(m, "lookback", p.Lookback)
	if len(p.Tenants) > 0 {
		add(m, "tenants", p.Tenants)
	}
	thanos := yaml.MapSlice{}
	for _, f := range []struct {
		key string
		on  *bool
	}{{"dedup", p.Dedup}, {"partial_response", p.PartialResponse}} {
		if f.on != nil {
			add(&thanos, f.key, *f.on)
		}
	}
	if len(thanos) > 0 {
		add(m, "thanos", thanos)
	}
	if p.WarnSamples > 0 {
		add(m, "warn_samples", p.WarnSamples)
	}
	if p.MaxSamples > 0 {
		add(m, "max_samples", p.MaxSamples)
	}
}

func (sh *shower) tls(m *yaml.MapSlice, t TLS) {
	tls := yaml.MapSlice{}
	add(&tls, "ca", t.CA)
	add(&tls, "cert", t.Cert)
	add(&tls, "key", t.Key)
	add(&tls, "server_name", t.ServerName)
	if t.Insecure {
		add(&tls, "insecure", true)
	}
	if len(tls) > 0 {
		add(m, "tls", tls)
	}
}

func (sh *shower) aws(m *yaml.MapSlice, a AWS) {
	add(m, "region", a.Region)
	add(m, "profile", a.Profile)
	add(m, "role", a.Role)
	add(m, "external_id", a.ExternalID)
	add(m, "mfa_serial", a.MFASerial)
	if a.RoleLasts > 0 {
		add(m, "role_lasts", durationText(a.RoleLasts))
	}
	if a.SourceIdentity {
		add(m, "source_identity", true)
	}
	add(m, "endpoint", a.Endpoint)
	if c := a.Credentials; c != nil {
		cred := yaml.MapSlice{}
		add(&cred, "access_key_id", c.AccessKeyID)
		sh.addSecret(&cred, "secret_access_key", c.SecretAccessKey)
		sh.addSecret(&cred, "session_token", c.SessionToken)
		add(m, "credentials", cred)
	}
}

func (sh *shower) sale(s *Sale) yaml.MapSlice {
	m := yaml.MapSlice{}
	add(&m, "id", string(s.ID))
	add(&m, "name", s.Name)
	add(&m, "venue", s.Venue)
	add(&m, "group", s.Group)
	add(&m, "wall", s.Wall)
	for _, at := range []struct {
		key string
		t   time.Time
	}{{"prequeue", s.Prequeue}, {"opens", s.Opens}, {"closes", s.Closes}} {
		if !at.t.IsZero() {
			add(&m, at.key, at.t.Format(time.RFC3339Nano))
		}
	}
	if s.Tickets > 0 {
		add(&m, "tickets", s.Tickets)
	}
	showPlan(&m, s)
	signals := yaml.MapSlice{}
	for _, n := range s.signals {
		add(&signals, n.name, written(n.node))
	}
	add(&m, "signals", signals)
	var objectives []any
	for _, n := range s.goals {
		objectives = append(objectives, written(n))
	}
	addList(&m, "objectives", objectives)
	var panels, links []any
	for _, p := range s.Panels {
		panels = append(panels, yaml.MapSlice{{Key: "title", Value: final(p.Title)}, {Key: "signals", Value: p.Signals}})
	}
	addList(&m, "panels", panels)
	acts(&m, s)
	for _, l := range s.Links {
		links = append(links, yaml.MapSlice{{Key: "title", Value: final(l.Title)}, {Key: "url", Value: final(l.URL)}})
	}
	addList(&m, "links", links)
	return m
}

func addList(m *yaml.MapSlice, key string, items []any) {
	if len(items) > 0 {
		add(m, key, items)
	}
}

// final writes a text in which nothing is to be filled in any more.
func final(text string) string { return strings.ReplaceAll(text, "$", "$$") }

// written turns a node back into what YAML writes. Dollar signs are doubled, since the text
// is final; a number that was written as a number stays one.
func written(n *node) any {
	switch n.kind {
	case mapKind:
		m := yaml.MapSlice{}
		for _, e := range n.entries {
			v := written(e.value)
			if _, bare := v.(bareNumber); bare && e.value.filled && e.key.text != "value" {
				v = final(e.value.text) // what a variable put into a text is text, digits or not
			}
			m = append(m, yaml.MapItem{Key: e.key.text, Value: v})
		}
		return m
	case listKind:
		items := make([]any, 0, len(n.items))
		for _, i := range n.items {
			items = append(items, written(i))
		}
		return items
	case nullKind:
		return nil
	}
	switch {
	case n.isBool():
		return n.text == "true"
	case n.isNumber():
		return bareNumber(n.text)
	default:
		return final(n.text)
	}
}

// bareNumber is written as it stands, digit for digit.
type bareNumber string

// MarshalYAML gives the digits without quotes.
func (b bareNumber) MarshalYAML() ([]byte, error) { return []byte(b), nil }
