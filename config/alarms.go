package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/onsale-dev/onsale/sale"
)

// Sources of alarms: what other systems judge by themselves. No signal reads from them; a rule says
// whose an alarm is.

// CloudWatchAlarmsSource reads the alarms of one region.
type CloudWatchAlarmsSource struct {
	AWS
	Prefix string // only those whose name begins so; "": all
}

// AlertmanagerAlertsSource reads every peer of a cluster. At most one of Basic and Bearer is set.
type AlertmanagerAlertsSource struct {
	Peers  []string // each without a trailing slash
	Basic  *BasicAuth
	Bearer Secret
	TLS    TLS
}

// AlarmMatch says whose an alarm is: its name, its labels and its tags are all as given. "*" in a
// pattern stands for any text, "{sale}" for the id of each sale in turn.
type AlarmMatch struct {
	Name         string
	Labels, Tags map[string]string
	Sale         sale.ID // the one sale that it is about; "": the one that {sale} stands for
}

// For is the match for one sale; ok is false when it is about another one.
func (m *AlarmMatch) For(id sale.ID) (one AlarmMatch, ok bool) {
	if m.Sale != "" && m.Sale != id {
		return AlarmMatch{}, false
	}
	fill := func(pattern string) string { return strings.ReplaceAll(pattern, placeOfSale, string(id)) }
	filled := func(patterns map[string]string) map[string]string {
		out := make(map[string]string, len(patterns))
		for name, pattern := range patterns {
			out[name] = fill(pattern)
		}
		return out
	}
	return AlarmMatch{Name: fill(m.Name), Labels: filled(m.Labels), Tags: filled(m.Tags), Sale: id}, true
}

// ReadsAlarms reports whether the source reads alarms: it is read though no signal reads from it.
func (s *Source) ReadsAlarms() bool { return isAlarmKind(s.Kind) }

func isAlarmKind(kind string) bool {
	return kind == KindCloudWatchAlarms || kind == KindPrometheusAlerts || kind == KindAlertmanagerAlerts
}

const (
	placeOfSale = "{sale}"
	maxMatches  = 50
	// alarmsEvery is how often alarms are asked for: CloudWatch itself judges once a minute.
	alarmsEvery    = 15 * time.Second
	minAlarmsEvery = 5 * time.Second
)

type whoseIn struct {
	place
	Name   str    `json:"name" jsonschema_description:"A pattern for the alarm's name: {sale}-* with {sale} for the sale's id and * for any text."`
	Labels rawMap `json:"labels" jsonschema_description:"Patterns for its labels; of a CloudWatch alarm the dimensions of its metric."`
	Tags   rawMap `json:"tags" jsonschema_description:"cloudwatch-alarms: patterns for its tags. They cost a request per alarm and hour."`
	Sale   str    `json:"sale" jsonschema_description:"The sale that it is about, where no {sale} stands in a pattern."`
}

func (whoseIn) what() string { return "a rule of whose an alarm is" }

// alarmsIn is what every source of alarms has.
type alarmsIn struct {
	Whose []*whoseIn `json:"whose" jsonschema_description:"Whose an alarm is; the first rule that matches counts. Default: name {sale}-* for cloudwatch-alarms, the label sale with the sale's id for the others."`
}

type cloudwatchAlarmsIn struct {
	place
	sourceIn
	awsIn
	alarmsIn
	Prefix str `json:"prefix" jsonschema:"maxLength=255" jsonschema_description:"Read only alarms whose name begins so. Default: all."`
}

func (cloudwatchAlarmsIn) what() string { return "a cloudwatch-alarms source" }

type prometheusAlertsIn struct {
	place
	sourceIn
	alarmsIn
	URL     outer   `json:"url" jsonschema:"required" jsonschema_description:"Where the server's API begins: https://prometheus.example."`
	Auth    *authIn `json:"auth" jsonschema_description:"How to log in; one way only."`
	TLS     *tlsIn  `json:"tls" jsonschema_description:"Certificates."`
	Tenants []outer `json:"tenants" jsonschema:"minItems=1,maxItems=32" jsonschema_description:"Mimir and Cortex: the tenants to read, sent as X-Scope-OrgID. Several need tenant federation on the server."`
}

func (prometheusAlertsIn) what() string { return "a prometheus-alerts source" }

type alertmanagerAlertsIn struct {
	place
	sourceIn
	alarmsIn
	Peers []outer  `json:"peers" jsonschema:"required,minItems=1,maxItems=16" jsonschema_description:"The address of every peer of the cluster: each is asked."`
	Auth  *loginIn `json:"auth" jsonschema_description:"How to log in; one way only."`
	TLS   *tlsIn   `json:"tls" jsonschema_description:"Certificates."`
}

func (alertmanagerAlertsIn) what() string { return "an alertmanager-alerts source" }

// alarmSource reads what a source of alarms says.
func (r *reader) alarmSource(s *Source, in any) {
	switch in := in.(type) {
	case *cloudwatchAlarmsIn:
		r.common(s, in.sourceIn, alarmsEvery, 10*time.Second, minAlarmsEvery)
		s.CloudWatchAlarms = &CloudWatchAlarmsSource{AWS: r.aws(in.awsIn, in.AllowHTTP.V), Prefix: in.Prefix.S}
		s.Whose = r.whose(s, in.Whose)
	case *prometheusAlertsIn:
		r.common(s, in.sourceIn, alarmsEvery, 5*time.Second, minAlarmsEvery)
		s.Prometheus = r.prometheus(&prometheusIn{place: in.place, sourceIn: in.sourceIn, URL: in.URL, Auth: in.Auth, TLS: in.TLS, dialectIn: dialectIn{Tenants: in.Tenants}})
		if v4 := s.Prometheus.SigV4; v4 != nil && v4.Service == cloudWatchService {
			r.wrong(in.Auth.SigV4.Service.at, "PromQL in CloudWatch has no alerting rules", "read them with kind: cloudwatch-alarms")
		}
		s.Whose = r.whose(s, in.Whose)
	case *alertmanagerAlertsIn:
		r.common(s, in.sourceIn, alarmsEvery, 5*time.Second, minAlarmsEvery)
		am := &AlertmanagerAlertsSource{}
		am.Basic, am.Bearer = r.login(in.Auth)
		if in.TLS != nil {
			am.TLS = r.tls(in.TLS)
		}
		am.Peers = r.peers(in.at, in.Peers, in.Auth != nil, in.AllowHTTP.V)
		s.AlertmanagerAlerts = am
		s.Whose = r.whose(s, in.Whose)
	}
}

// login reads a login of one way, or none.
func (r *reader) login(l *loginIn) (basic *BasicAuth, bearer Secret) {
	if l == nil {
		return nil, bearer
	}
	if l.Basic != nil {
		basic = &BasicAuth{l.Basic.Username.S, l.Basic.Password.V}
	}
	if n := len(l.at.entries); n == 0 {
		r.wrong(l.at, `"auth" is empty`, "add basic or bearer, or remove it")
	} else if n > 1 {
		r.wrong(l.at.entries[1].key, fmt.Sprintf("%q and %q are two ways to log in", l.at.entries[0].key.text, l.at.entries[1].key.text), "keep one", see(l.at.entries[0].key, "the first one"))
	}
	return basic, l.Bearer.V
}

// peers reads the addresses of a cluster's peers, each once.
func (r *reader) peers(at *node, in []outer, guarded, allowHTTP bool) []string {
	if peers := at.get("peers"); peers != nil && peers.kind == listKind && (len(peers.items) == 0 || len(peers.items) > maxPeers) {
		r.wrong(peers, fmt.Sprintf("\"peers\" has %d addresses", len(peers.items)), fmt.Sprintf("give 1 to %d: every peer of the cluster", maxPeers))
	}
	var all []string
	for i, p := range in {
		peer := r.url(p, "peers", guarded, allowHTTP)
		if j := slices.Index(all, peer); j >= 0 && peer != "" {
			r.wrong(in[i].at, "the peer is here twice", "remove one of them", see(in[j].at, "the first one"))
			continue
		}
		if p.given() {
			all = append(all, peer)
		}
	}
	return all
}

// whose reads the rules, or the usual one where there are none.
func (r *reader) whose(s *Source, in []*whoseIn) []AlarmMatch {
	if len(in) == 0 {
		if s.Kind == KindCloudWatchAlarms {
			return []AlarmMatch{{Name: placeOfSale + "-*"}}
		}
		return []AlarmMatch{{Labels: map[string]string{"sale": placeOfSale}}}
	}
	if len(in) > maxMatches {
		r.wrong(in[maxMatches].at, fmt.Sprintf("there are more than %d rules of whose an alarm is", maxMatches), "use {sale} in a pattern: it stands for every sale")
		return nil
	}
	var all []AlarmMatch
	for _, w := range in {
		if w == nil || w.at == nil {
			continue
		}
		m := AlarmMatch{Name: w.Name.S, Labels: r.patterns(w.Labels), Tags: r.patterns(w.Tags), Sale: sale.ID(w.Sale.S)}
		patterned := strings.Contains(m.Name, placeOfSale)
		for _, patterns := range []map[string]string{m.Labels, m.Tags} {
			for _, pattern := range patterns {
				patterned = patterned || strings.Contains(pattern, placeOfSale)
			}
		}
		switch {
		case m.Name == "" && len(m.Labels) == 0 && len(m.Tags) == 0:
			r.wrong(w.at, "a rule that looks at nothing matches every alarm", "add name:, labels: or tags:")
		case len(m.Tags) > 0 && s.Kind != KindCloudWatchAlarms:
			r.wrong(w.Tags.at, fmt.Sprintf("%s source has no tags", a(s.Kind)), "use labels:")
		case patterned && w.Sale.given():
			r.wrong(w.Sale.at, `"sale" and {sale} both say whose it is`, "keep one of them")
		case !patterned && !w.Sale.given():
			r.wrong(w.at, "the rule does not say whose an alarm is", "write {sale} in a pattern, or add sale: with a sale's id")
		default:
			if w.Sale.given() {
				r.aimed = append(r.aimed, w.Sale)
			}
			all = append(all, m)
		}
	}
	return all
}

// patterns reads a group of names and patterns.
func (r *reader) patterns(in rawMap) map[string]string {
	if !in.given() {
		return nil
	}
	out := map[string]string{}
	for _, e := range in.at.entries {
		var v text
		if v.read(r, e.value, constraint{key: e.key.text}); v.given() {
			out[e.key.text] = v.S
		}
	}
	return out
}

// aims refuses rules that are about a sale that is not there.
func (r *reader) aims(c *Config) {
	for _, to := range r.aimed {
		if _, ok := c.Sale(sale.ID(to.S)); ok {
			continue
		}
		ids := make([]string, len(c.Sales))
		for i := range c.Sales {
			ids[i] = string(c.Sales[i].ID)
		}
		r.wrong(to.at, fmt.Sprintf("there is no sale called %s", quote(to.at)), didYouMean(to.S, ids, "declare it under sales:"))
	}
}

// alarmSource writes what a source of alarms has.
func (sh *shower) alarmSource(m *yaml.MapSlice, s *Source) {
	switch {
	case s.CloudWatchAlarms != nil:
		sh.aws(m, s.CloudWatchAlarms.AWS)
		add(m, "prefix", s.CloudWatchAlarms.Prefix)
	case s.AlertmanagerAlerts != nil:
		add(m, "peers", s.AlertmanagerAlerts.Peers)
		sh.login(m, s.AlertmanagerAlerts.Basic, s.AlertmanagerAlerts.Bearer)
		sh.tls(m, s.AlertmanagerAlerts.TLS)
	}
	var whose []yaml.MapSlice
	for _, w := range s.Whose {
		one := yaml.MapSlice{}
		add(&one, "name", w.Name)
		addTexts(&one, "labels", w.Labels)
		addTexts(&one, "tags", w.Tags)
		add(&one, "sale", string(w.Sale))
		whose = append(whose, one)
	}
	if len(whose) > 0 {
		add(m, "whose", whose)
	}
}

func (sh *shower) login(m *yaml.MapSlice, b *BasicAuth, bearer Secret) {
	auth := yaml.MapSlice{}
	if b != nil {
		basic := yaml.MapSlice{}
		add(&basic, "username", b.Username)
		sh.addSecret(&basic, "password", b.Password)
		add(&auth, "basic", basic)
	}
	sh.addSecret(&auth, "bearer", bearer)
	if len(auth) > 0 {
		add(m, "auth", auth)
	}
}

// alarmTypes are the file's types of the sources of alarms, by kind.
func alarmTypes() map[string]any {
	return map[string]any{
		KindCloudWatchAlarms: &cloudwatchAlarmsIn{}, KindPrometheusAlerts: &prometheusAlertsIn{}, KindAlertmanagerAlerts: &alertmanagerAlertsIn{},
	}
}
