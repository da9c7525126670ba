package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/onsale-dev/onsale/sale"
)

// What follows are the sources that tell how far an incident has come. They have the kinds of the
// controls that keep incidents, and credentials of their own: what reads can't page.

// The kinds of source that tell of incidents.
const (
	KindPagerDuty    = "pagerduty"
	KindAlertmanager = "alertmanager"
	KindOpsItem      = "ssm-opsitem"
)

func incidentKinds() []string { return []string{KindPagerDuty, KindAlertmanager, KindOpsItem} }

// PagerDutySource reads PagerDuty's REST API.
type PagerDutySource struct {
	Token Secret // a read-only REST API key
	URL   string // without a trailing slash; "" is PagerDuty's own
}

// AlertmanagerSource reads every peer of an Alertmanager cluster. At most one of Basic and Bearer is
// set.
type AlertmanagerSource struct {
	Peers     []string // addresses, without trailing slashes; at least one
	AlertName string   // "": that of the source
	Basic     *BasicAuth
	Bearer    Secret
	TLS       TLS
}

// OpsItemSource reads OpsCenter of one region.
type OpsItemSource struct {
	AWS
}

// TellsOfIncidents reports whether no signal is read from the source, but how far an incident has
// come.
func (s *Source) TellsOfIncidents() bool { return slices.Contains(incidentKinds(), s.Kind) }

// IncidentSales lists the sales whose incidents a source tells of, in the order of the file: those
// whose action incident goes to a control of the same kind, and those that declare no such action.
func (c *Config) IncidentSales(s *Source) []sale.ID {
	if !s.TellsOfIncidents() {
		return nil
	}
	var ids []sale.ID
	for i := range c.Sales {
		a, declared := c.Sales[i].Action(VerbIncident)
		if !declared || a.Kind == s.Kind {
			ids = append(ids, c.Sales[i].ID)
		}
	}
	return ids
}

type pagerdutyIn struct {
	place
	sourceIn
	Token secret `json:"token" jsonschema:"required" jsonschema_description:"A read-only REST API key, used by no control: ${env:NAME} or ${file:/path}."`
	URL   outer  `json:"url" jsonschema_description:"Of the REST API. Default https://api.pagerduty.com."`
}

func (pagerdutyIn) what() string { return "a pagerduty source" }

type alertmanagerIn struct {
	place
	sourceIn
	Peers     []outer  `json:"peers" jsonschema:"required,minItems=1,maxItems=16" jsonschema_description:"The address of every peer of the cluster: an incident is over only when none shows it."`
	AlertName str      `json:"alert_name" jsonschema:"pattern=^[A-Za-z][A-Za-z0-9_]*$" hint:"use letters, digits and underscores: OnsaleIncident" jsonschema_description:"The alert's name, as the control has it."`
	Auth      *loginIn `json:"auth" jsonschema_description:"How to log in; one way only."`
	TLS       *tlsIn   `json:"tls" jsonschema_description:"Certificates."`
}

func (alertmanagerIn) what() string { return "an alertmanager source" }

type opsItemIn struct {
	place
	sourceIn
	awsIn
}

func (opsItemIn) what() string { return "an ssm-opsitem source" }

// incidentSource reads a source that tells of incidents.
func (r *reader) incidentSource(s *Source, in any) {
	const every, least = 30 * time.Second, 10 * time.Second
	switch in := in.(type) {
	case *pagerdutyIn:
		r.common(s, in.sourceIn, every, 10*time.Second, least)
		s.PagerDuty = &PagerDutySource{Token: in.Token.V, URL: r.url(in.URL, "url", true, in.AllowHTTP.V)}
	case *alertmanagerIn:
		r.common(s, in.sourceIn, every, 10*time.Second, least)
		s.Alertmanager = r.alertmanagerSource(in)
	case *opsItemIn:
		r.common(s, in.sourceIn, every, 10*time.Second, least)
		s.OpsItem = &OpsItemSource{AWS: r.aws(in.awsIn, in.AllowHTTP.V)}
	}
}

func (r *reader) alertmanagerSource(in *alertmanagerIn) *AlertmanagerSource {
	c := Control{Kind: ControlAlertmanager, allowHTTP: in.AllowHTTP.V}
	m := r.alertmanager(&c, &alertmanagerControlIn{place: in.place, Peers: in.Peers, AlertName: in.AlertName, Auth: in.Auth, TLS: in.TLS})
	return &AlertmanagerSource{Peers: m.Peers, AlertName: m.AlertName, Basic: m.Basic, Bearer: m.Bearer, TLS: m.TLS}
}

// noSignal refuses a signal that is read from a source that tells of incidents alone.
func (r *reader) noSignal(b *built, s *Source) bool {
	if !s.TellsOfIncidents() {
		return false
	}
	r.wrong(b.in.From.at, fmt.Sprintf("%s source tells of incidents: no signal is read from it", a(s.Kind)), "read the signal from another source; every sale's incidents are read by themselves")
	return true
}

// incidentSecrets lists the secrets of a source that tells of incidents, set or not.
func (s *Source) incidentSecrets() []Secret {
	var all []Secret
	if p := s.PagerDuty; p != nil {
		all = append(all, p.Token)
	}
	if m := s.Alertmanager; m != nil {
		all = append(all, m.Bearer)
		if m.Basic != nil {
			all = append(all, m.Basic.Password)
		}
	}
	return all
}

// incidents shows what a source that tells of incidents has of its own.
func (sh *shower) incidents(m *yaml.MapSlice, s *Source) {
	switch {
	case s.PagerDuty != nil:
		sh.addSecret(m, "token", s.PagerDuty.Token)
		add(m, "url", s.PagerDuty.URL)
	case s.Alertmanager != nil:
		a := s.Alertmanager
		add(m, "peers", a.Peers)
		add(m, "alert_name", a.AlertName)
		auth := yaml.MapSlice{}
		if a.Basic != nil {
			basic := yaml.MapSlice{}
			add(&basic, "username", a.Basic.Username)
			sh.addSecret(&basic, "password", a.Basic.Password)
			add(&auth, "basic", basic)
		}
		sh.addSecret(&auth, "bearer", a.Bearer)
		if len(auth) > 0 {
			add(m, "auth", auth)
		}
		sh.tls(m, a.TLS)
	case s.OpsItem != nil:
		sh.aws(m, s.OpsItem.AWS)
	}
}
