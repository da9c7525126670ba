package config

import (
	"slices"
	"time"
)

// Control is one system to act on. It holds credentials of its own: what a source reads with
// can't act. Exactly one of the pointers is set, the one of its Kind.
type Control struct {
	Name    string
	Kind    string        // one of the Control constants
	Timeout time.Duration // of one write
	Budget  *Budget       // nil: by the provider's own limit; no source shares it

	WaitingRoom            *WaitingRoomControl
	Parameter              *AWSControl
	OpsItem                *OpsItemControl
	Webhook                *WebhookControl
	AutoScaling            *AWSControl
	ECS                    *ECSControl
	ApplicationAutoScaling *AWSControl
	Kubernetes             *KubernetesControl
	PagerDuty              *PagerDutyControl
	Alertmanager           *AlertmanagerControl

	allowHTTP bool
}

// The kinds of control.
const (
	ControlWaitingRoom  = "cloudflare-waiting-room"
	ControlParameter    = "ssm-parameter"
	ControlOpsItem      = "ssm-opsitem"
	ControlWebhook      = "webhook"
	ControlAutoScaling  = "autoscaling"
	ControlECS          = "ecs"
	ControlScalable     = "application-autoscaling"
	ControlKubernetes   = "kubernetes"
	ControlPagerDuty    = "pagerduty"
	ControlAlertmanager = "alertmanager"
)

// ControlKinds lists the kinds of control in order. The caller owns the slice.
func ControlKinds() []string {
	return []string{
		ControlWaitingRoom, ControlParameter, ControlWebhook, ControlAutoScaling, ControlECS, ControlScalable,
		ControlKubernetes, ControlPagerDuty, ControlAlertmanager, ControlOpsItem,
	}
}

// AWSControl acts on an AWS service. At least one of Profile, Role and Credentials is set.
type AWSControl struct {
	AWS
}

// OpsItemControl keeps incidents as OpsItems, which page nobody by themselves.
type OpsItemControl struct {
	AWS
	Category string   // "": that of the executor
	Notify   []string // ARNs of SNS topics that are told
}

// ECSControl acts on ECS services of one region.
type ECSControl struct {
	AWS
	Cluster         string // the default cluster; may be empty
	ScalingEndpoint string // of Application Auto Scaling; "": the same as Endpoint
}

// WaitingRoomControl acts on Cloudflare waiting rooms of one zone.
type WaitingRoomControl struct {
	Zone  string
	Token Secret // with "Waiting Rooms Write"
	URL   string // of the API, without a trailing slash
}

// KubernetesControl acts on the workloads of one cluster.
type KubernetesControl struct {
	Cluster
	Name string // what people call the cluster; the control's name unless declared
	UID  string // of its namespace kube-system, which tells clusters apart; "" is not checked
}

// WebhookControl sends what is wanted to an address, in the words of its preset.
type WebhookControl struct {
	Preset string // one of Presets
	// URL is the whole address without a preset and with slack and rootly, and the API's base with
	// queue-it, jira and incident-io, which may go without. It may be a secret in itself.
	URL     Secret
	Source  string // incident-io: id of the alert source
	Method  string // "POST", "PUT" or "PATCH"; "" with a preset, which has its own
	Token   Secret // how it is sent is the preset's to say; may be not set
	Headers map[string]Secret
	HMAC    Secret // signs every request; may be not set
	// StateURL is asked what holds now, to prove an action; not set: there is no proof.
	StateURL Secret
	// StatePaths says where the answer of StateURL holds each setting: "rate", "paused" or
	// "status" to names and list indexes with dots, "data.limits.0.rate".
	StatePaths  map[string]string
	StatePaused string // the value that means paused, where it is no boolean
	// Bodies are JSON documents with {{placeholders}}, by verb; nil: the preset's own.
	Bodies map[string]string

	plainURL, plainState bool // they stand in the file in plain text
}

// The presets of a webhook.
const (
	PresetNone       = "none"
	PresetQueueIt    = "queue-it"
	PresetSlack      = "slack"
	PresetJira       = "jira"
	PresetIncidentIO = "incident-io"
	PresetRootly     = "rootly"
)

// Presets lists the presets of a webhook in order. The caller owns the slice.
func Presets() []string {
	return []string{PresetNone, PresetQueueIt, PresetSlack, PresetJira, PresetIncidentIO, PresetRootly}
}

// PagerDutyControl opens incidents in one service of PagerDuty.
type PagerDutyControl struct {
	RoutingKey Secret // of an integration of the Events API v2
	Token      Secret // of the REST API, to prove that somebody was paged; may be not set
	From       string // e-mail of the user that notes are by; may be empty
	Service    string // what people call the service; the control's name unless declared
	URL        string // of the Events API, without a trailing slash; "" is PagerDuty's own
	APIURL     string // of the REST API; "" is PagerDuty's own
}

// AlertmanagerControl sends alerts to every peer of an Alertmanager cluster. At most one of
// Basic and Bearer is set.
type AlertmanagerControl struct {
	Peers     []string // addresses, without trailing slashes; at least one
	Quorum    int      // how many peers must show a change; 0: all
	AlertName string   // "": that of the executor
	Labels    map[string]string
	SaleLabel string        // the label by which other people's alerts name a sale; "" is "sale"
	Lasts     time.Duration // until an alert that is not sent again ends; 0: that of the executor
	Silence   time.Duration // of an acknowledged alert; 0: acknowledge is not offered
	Basic     *BasicAuth
	Bearer    Secret
	TLS       TLS
}

// Control finds a control by name.
func (c *Config) Control(name string) (ctl *Control, ok bool) {
	i := slices.IndexFunc(c.Controls, func(ctl Control) bool { return ctl.Name == name })
	if i < 0 {
		return nil, false
	}
	return &c.Controls[i], true
}

// aws returns the AWS login of a control, or nil.
func (c *Control) aws() *AWS {
	for _, a := range []*AWSControl{c.Parameter, c.AutoScaling, c.ApplicationAutoScaling} {
		if a != nil {
			return &a.AWS
		}
	}
	if c.ECS != nil {
		return &c.ECS.AWS
	}
	if c.OpsItem != nil {
		return &c.OpsItem.AWS
	}
	return nil
}

// secrets lists the secrets of a control, set or not.
func (c *Control) secrets() []Secret {
	var all []Secret
	if a := c.aws(); a != nil && a.Credentials != nil {
		all = append(all, a.Credentials.SecretAccessKey, a.Credentials.SessionToken)
	}
	if c.WaitingRoom != nil {
		all = append(all, c.WaitingRoom.Token)
	}
	if w := c.Webhook; w != nil {
		all = append(all, w.Token, w.HMAC)
		if !w.plainURL {
			all = append(all, w.URL)
		}
		if !w.plainState {
			all = append(all, w.StateURL)
		}
		for _, value := range w.Headers {
			all = append(all, value)
		}
	}
	if p := c.PagerDuty; p != nil {
		all = append(all, p.RoutingKey, p.Token)
	}
	if a := c.Alertmanager; a != nil {
		all = append(all, a.Bearer)
		if a.Basic != nil {
			all = append(all, a.Basic.Password)
		}
	}
	return all
}

// The groups of verbs that mean the same kind of target.
var (
	gateVerbs     = []string{VerbPause, VerbResume, VerbRate}
	scaleVerbs    = []string{VerbScaleUp, VerbScaleBack}
	incidentVerbs = []string{VerbIncident, VerbAcknowledge, VerbResolve, VerbNote}
)

// Verbs lists what a control can do, in the order of Verbs. The caller owns the slice.
func (c *Control) Verbs() []string {
	switch c.Kind {
	case ControlWaitingRoom, ControlParameter:
		return slices.Clone(gateVerbs)
	case ControlAutoScaling, ControlECS, ControlScalable, ControlKubernetes:
		return slices.Clone(scaleVerbs)
	case ControlPagerDuty, ControlOpsItem:
		return slices.Clone(incidentVerbs)
	case ControlAlertmanager:
		if c.Alertmanager != nil && c.Alertmanager.Silence > 0 {
			return []string{VerbIncident, VerbAcknowledge, VerbResolve, VerbSilence}
		}
		return []string{VerbIncident, VerbResolve, VerbSilence}
	case ControlWebhook:
		return c.Webhook.verbs()
	default:
		return nil
	}
}

func (w *WebhookControl) verbs() []string {
	switch {
	case w == nil:
		return nil
	case w.Preset == PresetQueueIt:
		return []string{VerbRate} // pausing is not in the documented API
	case w.Preset == PresetIncidentIO, w.Preset == PresetRootly:
		return []string{VerbIncident, VerbResolve} // an alert source knows firing and resolved
	case w.Preset == PresetSlack:
		return []string{VerbIncident, VerbResolve, VerbNote} // a message can't be acknowledged
	case w.Preset == PresetJira:
		return slices.Clone(incidentVerbs)
	case len(w.Bodies) > 0:
		return slices.DeleteFunc(Verbs(), func(verb string) bool { return w.Bodies[verb] == "" })
	default:
		return slices.Concat(gateVerbs, incidentVerbs)
	}
}
