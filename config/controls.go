package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
)

// The bounds of a write.
const (
	minWrite     = time.Second
	maxWrite     = 60 * time.Second
	defaultWrite = 10 * time.Second
	maxPeers     = 16
)

// controlTypes are the file's types by kind.
func controlTypes() map[string]any {
	return map[string]any{
		ControlWaitingRoom: &waitingRoomControlIn{}, ControlParameter: &parameterControlIn{}, ControlOpsItem: &opsItemControlIn{},
		ControlWebhook: &webhookControlIn{}, ControlAutoScaling: &autoScalingControlIn{}, ControlECS: &ecsControlIn{},
		ControlScalable: &scalableControlIn{}, ControlKubernetes: &kubernetesControlIn{}, ControlPagerDuty: &pagerdutyControlIn{},
		ControlAlertmanager: &alertmanagerControlIn{},
	}
}

// controls reads the controls in the order of the file, and holds their credentials against
// those of the sources.
func (r *reader) controls(at *node) []Control {
	if at == nil {
		return nil
	}
	read := r.held // by the sources
	var all []Control
	for _, e := range at.entries {
		if !sourceName.MatchString(e.key.text) {
			r.wrong(e.key, fmt.Sprintf("a control can't be called %q", e.key.text), "use up to 40 lower-case letters, digits, dashes and underscores")
			continue
		}
		before, held := len(r.mistakes), len(r.held)
		c, ok := r.control(e)
		if ok || len(r.mistakes) > before {
			all = append(all, c)
		}
		if !ok {
			continue
		}
		r.ownSecrets(c.Name, read, r.held[held:])
		r.ownLogin(&c, e)
	}
	return all
}

func (r *reader) control(e entry) (Control, bool) {
	c := Control{Name: e.key.text}
	if e.value.kind != mapKind {
		r.wrong(e.value, fmt.Sprintf("the control %q needs a group of keys, this is %s", c.Name, e.value.found()), "write {kind: autoscaling, region: …, profile: …}")
		return c, false
	}
	kindNode := e.value.get("kind")
	if kindNode == nil {
		r.wrong(e.key, fmt.Sprintf("the control %q has no \"kind\"", c.Name), "add kind: "+strings.Join(ControlKinds(), ", or kind: "))
		return c, false
	}
	in, ok := controlTypes()[kindNode.text]
	if !ok {
		r.wrong(kindNode, fmt.Sprintf("unknown kind of control %s", quote(kindNode)), didYouMean(kindNode.text, ControlKinds(), ""))
		return c, false
	}
	c.Kind = kindNode.text
	r.decode(e.value, reflect.ValueOf(in).Elem(), constraint{key: c.Name})
	switch in := in.(type) {
	case *waitingRoomControlIn:
		r.write(&c, in.controlIn)
		c.WaitingRoom = &WaitingRoomControl{Zone: in.Zone.S, Token: in.Token.V, URL: "https://api.cloudflare.com/client/v4"}
		if in.URL.given() {
			c.WaitingRoom.URL = r.url(in.URL, "url", true, c.allowHTTP)
		}
	case *parameterControlIn:
		c.Parameter = r.awsControl(&c, in.controlIn, in.awsIn)
	case *opsItemControlIn:
		c.OpsItem = &OpsItemControl{AWS: r.awsControl(&c, in.controlIn, in.awsIn).AWS, Category: in.Category.S}
		for _, topic := range in.Notify {
			if topic.given() {
				c.OpsItem.Notify = append(c.OpsItem.Notify, topic.S)
			}
		}
	case *autoScalingControlIn:
		c.AutoScaling = r.awsControl(&c, in.controlIn, in.awsIn)
	case *scalableControlIn:
		c.ApplicationAutoScaling = r.awsControl(&c, in.controlIn, in.awsIn)
	case *ecsControlIn:
		c.ECS = &ECSControl{AWS: r.awsControl(&c, in.controlIn, in.awsIn).AWS, Cluster: in.Cluster.S}
		c.ECS.ScalingEndpoint = r.url(in.ScalingEndpoint, "scaling_endpoint", true, c.allowHTTP)
	case *kubernetesControlIn:
		r.write(&c, in.controlIn)
		c.Kubernetes = &KubernetesControl{Cluster: r.cluster(in.clusterIn), Name: in.Cluster.S, UID: in.ClusterUID.S}
		if c.Kubernetes.Name == "" {
			c.Kubernetes.Name = c.Name
		}
	case *webhookControlIn:
		r.write(&c, in.controlIn)
		c.Webhook = r.webhook(&c, in)
	case *pagerdutyControlIn:
		r.write(&c, in.controlIn)
		c.PagerDuty = r.pagerduty(&c, in)
	case *alertmanagerControlIn:
		r.write(&c, in.controlIn)
		c.Alertmanager = r.alertmanager(&c, in)
	}
	return c, true
}

// write reads what all controls have.
func (r *reader) write(c *Control, in controlIn) {
	c.allowHTTP = in.AllowHTTP.V
	c.Timeout = in.Timeout.or(defaultWrite)
	if c.Timeout < minWrite || c.Timeout > maxWrite {
		r.wrong(in.Timeout.at, `"timeout" is out of range`, "give 1s to 60s")
	}
	c.Budget = r.budget(in.Budget)
}

func (r *reader) budget(in budgetIn) *Budget {
	if !in.given() {
		return nil
	}
	if per := in.Per; per.given() && (per.V < time.Second || per.V > 24*time.Hour) {
		r.wrong(per.at, `"per" is out of range`, "give 1s to 24h")
	}
	return &Budget{in.Calls.V, in.Per.V}
}

func (r *reader) awsControl(c *Control, in controlIn, login awsIn) *AWSControl {
	r.write(c, in)
	return &AWSControl{AWS: r.aws(login, c.allowHTTP)}
}

func (r *reader) pagerduty(c *Control, in *pagerdutyControlIn) *PagerDutyControl {
	p := &PagerDutyControl{
		RoutingKey: in.RoutingKey.V, Token: in.Token.V, From: in.From.S, Service: in.Service.S,
		URL: r.url(in.URL, "url", true, c.allowHTTP), APIURL: r.url(in.APIURL, "api_url", true, c.allowHTTP),
	}
	if p.Service == "" {
		p.Service = c.Name
	}
	if in.From.given() && in.at.get("token") == nil {
		r.wrong(in.From.at, `"from" is for the REST API`, "add token:, or remove it")
	}
	return p
}

func (r *reader) alertmanager(c *Control, in *alertmanagerControlIn) *AlertmanagerControl {
	a := &AlertmanagerControl{Quorum: in.Quorum.V, AlertName: in.AlertName.S, SaleLabel: in.SaleLabel.S, Lasts: in.Lasts.V, Silence: in.Silence.V}
	for _, d := range []struct {
		key string
		in  span
	}{{"lasts", in.Lasts}, {"silence", in.Silence}} {
		if d.in.given() && (d.in.V < time.Minute || d.in.V > 24*time.Hour) {
			r.wrong(d.in.at, fmt.Sprintf("%q is out of range", d.key), "give 1m to 24h")
		}
	}
	if in.Labels.given() {
		a.Labels = r.labels(in.Labels.at)
	}
	a.Basic, a.Bearer = r.login(in.Auth)
	if in.TLS != nil {
		a.TLS = r.tls(in.TLS)
	}
	a.Peers = r.peers(in.at, in.Peers, in.Auth != nil, c.allowHTTP)
	if in.Quorum.V > len(a.Peers) && len(a.Peers) > 0 {
		r.wrong(in.Quorum.at, fmt.Sprintf("a quorum of %d can't be had of %d peers", in.Quorum.V, len(a.Peers)), "lower it, or name every peer")
	}
	return a
}

var labelName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// ownLabels tell one incident from another.
var ownLabels = []string{"alertname", "sale", "cause", "severity"}

func (r *reader) labels(at *node) map[string]string {
	labels := map[string]string{}
	for _, e := range at.entries {
		if name := e.key.text; !labelName.MatchString(name) || strings.HasPrefix(name, "__") || oneOf(name, ownLabels) {
			r.wrong(e.key, fmt.Sprintf("%q can't be a label here", name), "use letters, digits and underscores; "+strings.Join(ownLabels, ", ")+" are set by onsale itself")
			continue
		}
		var v text
		if v.read(r, e.value, constraint{key: e.key.text}); v.given() {
			labels[e.key.text] = v.S
		}
	}
	return labels
}

// secretAddress lists the presets whose address alone lets anybody send.
var secretAddress = []string{PresetSlack}

func (r *reader) webhook(c *Control, in *webhookControlIn) *WebhookControl {
	w := &WebhookControl{Preset: in.Preset.S, Source: in.Source.S, Method: in.Method.S, Token: in.Token.V, HMAC: in.HMACSecret.V, StatePaused: in.StatePaused.S}
	if w.Preset == "" {
		w.Preset = PresetNone
	}
	if w.Method == "" && w.Preset == PresetNone {
		w.Method = "POST"
	}
	r.presetKeys(w.Preset, in)
	if in.URL.given() && oneOf(w.Preset, secretAddress) && !reference.MatchString(in.URL.at.text) {
		r.wrong(in.URL.at, `"url" is a secret here and must not stand in the file`, referenceHelp)
	}
	guarded := in.Token.given() || in.HMACSecret.given() || oneOf(w.Preset, secretAddress)
	if in.Headers.given() {
		w.Headers = r.headers(in.Headers.at, in.Token.given())
		for _, e := range in.Headers.at.entries {
			guarded = guarded || secretHeader(e.key.text) || reference.MatchString(e.value.text)
		}
	}
	w.URL, w.plainURL = r.address(in.URL, "url", guarded, c.allowHTTP)
	w.StateURL, w.plainState = r.address(in.StateURL, "state_url", guarded, c.allowHTTP)
	for _, key := range []string{"state_paths", "state_paused"} {
		if n := in.at.get(key); n != nil && in.at.get("state_url") == nil {
			r.wrong(in.at.keyOf(key), fmt.Sprintf("%q is for the answer of \"state_url\"", key), "add state_url:, or remove it")
		}
	}
	w.StatePaths = r.texts(in.StatePaths, webhookSettings(), "a setting")
	w.Bodies = r.texts(in.Bodies, slices.Concat(gateVerbs, incidentVerbs), "a verb of a webhook")
	for _, verb := range slices.Sorted(maps.Keys(w.Bodies)) {
		n := in.Bodies.at.get(verb)
		if !json.Valid([]byte(w.Bodies[verb])) {
			r.wrong(n, fmt.Sprintf("the body of %q is not JSON", verb), `write a JSON document, with placeholders within its strings: '{"rate": "{{to}}"}'`)
		}
	}
	return w
}

// presetTakes are the keys that each preset takes beside those of all controls; those before
// needs are required.
func presetTakes(preset string) (keys []string, needs int) {
	switch preset {
	case PresetQueueIt:
		return []string{"url", "token"}, 2
	case PresetSlack:
		return []string{"url"}, 1
	case PresetJira:
		return []string{"token", "url"}, 1
	case PresetIncidentIO:
		return []string{"source", "token", "url"}, 2
	case PresetRootly:
		return []string{"url", "token"}, 0
	default:
		return []string{"url", "method", "token", "headers", "hmac_secret", "state_url", "state_paths", "state_paused", "bodies"}, 1
	}
}

// presetKeys holds a webhook's keys against its preset.
func (r *reader) presetKeys(preset string, in *webhookControlIn) {
	takes, needs := presetTakes(preset)
	for _, e := range in.at.entries {
		if key := e.key.text; !oneOf(key, takes) && in.knows(key) {
			r.wrong(e.key, fmt.Sprintf("%q means nothing with the preset %s", key, preset), "remove it; this preset takes "+strings.Join(takes, ", "))
		}
	}
	for _, key := range takes[:needs] {
		if in.at.get(key) == nil {
			r.wrong(in.at.keyOf("kind"), fmt.Sprintf("a webhook with the preset %s has no %q", preset, key), "add "+key+": …")
		}
	}
}

// knows reports whether any preset takes a key.
func (*webhookControlIn) knows(key string) bool {
	return slices.ContainsFunc(Presets(), func(preset string) bool {
		takes, _ := presetTakes(preset)
		return oneOf(key, takes)
	})
}

// webhookSettings are the settings that a webhook's state can tell.
func webhookSettings() []string { return []string{"rate", "paused", "status"} }

// texts reads a group of texts with known names.
func (r *reader) texts(in rawMap, known []string, what string) map[string]string {
	if !in.given() {
		return nil
	}
	out := map[string]string{}
	for _, e := range in.at.entries {
		if !oneOf(e.key.text, known) {
			r.wrong(e.key, fmt.Sprintf("%q is not %s", e.key.text, what), didYouMean(e.key.text, known, ""))
			continue
		}
		var v str
		if v.read(r, e.value, constraint{key: e.key.text}); v.given() {
			out[e.key.text] = v.S
		}
	}
	return out
}

// address reads an address that may be a secret: one from outside the file may hold a query.
func (r *reader) address(in outer, key string, guarded, allowHTTP bool) (address Secret, plain bool) {
	if !in.given() {
		return Secret{}, false
	}
	if !reference.MatchString(in.at.text) {
		return NewSecret(r.url(in, key, guarded, allowHTTP)), true
	}
	u, err := url.Parse(in.S)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http":
		r.wrong(in.at, fmt.Sprintf("%s is not an http or https address without a login", quoteReference(in.at)), "put https://host/path there")
	case u.Scheme == "http" && !allowHTTP && !loopback(u.Hostname()):
		r.wrong(in.at, fmt.Sprintf("%q would send a secret unencrypted to another machine", key), "put an https address there, or add allow_http: true when something else protects the way")
	}
	return NewSecret(in.S), false
}

// quoteReference names a reference without what it refers to.
func quoteReference(n *node) string { return "what " + n.text + " refers to" }

// controlSchema is the schema of a control: one of the kinds.
func controlSchema() *jsonschema.Schema {
	s := &jsonschema.Schema{}
	for _, kind := range slices.Sorted(slices.Values(ControlKinds())) {
		s.OneOf = append(s.OneOf, &jsonschema.Schema{Ref: "#/$defs/" + reflect.TypeOf(controlTypes()[kind]).Elem().Name()})
	}
	return s
}
