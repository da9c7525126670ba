package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/alertmanager"
	scaleasg "github.com/onsale-dev/onsale/actions/autoscaling"
	scaleecs "github.com/onsale-dev/onsale/actions/ecs"
	scalepods "github.com/onsale-dev/onsale/actions/kubernetes"
	"github.com/onsale-dev/onsale/actions/pagerduty"
	"github.com/onsale-dev/onsale/actions/ssm"
	gate "github.com/onsale-dev/onsale/actions/waitingroom"
	"github.com/onsale-dev/onsale/actions/webhook"
	"github.com/onsale-dev/onsale/cmd/onsale/login"
	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// This file makes, from the config's controls, those who act. Their credentials and their clients
// are their own: what polls can't act, and a poller that eats its rate limit takes no key with it.

// executors finds who executes a verb of a sale, and makes each only once.
type executors struct {
	config *config.Config
	logins *login.Book
	mu     sync.Mutex
	made   map[string]actions.Executor
	limits map[string]*webhook.Limit // of webhooks, by control and target
	// opened lists the keys of the incidents of a sale that the journal knows as open.
	opened func(sale.ID) []string
}

func newExecutors(cfg *config.Config, logins *login.Book) *executors {
	return &executors{config: cfg, logins: logins, made: map[string]actions.Executor{}, limits: map[string]*webhook.Limit{}}
}

// find returns the executor of a verb, or an error in words for a person.
func (e *executors) find(id sale.ID, verb actions.Verb) (actions.Executor, error) {
	s, ok := e.config.Sale(id)
	if !ok {
		return nil, fmt.Errorf("no sale %s", id)
	}
	if verb == actions.ScaleAhead {
		return e.ahead(s)
	}
	declared, ok := s.Action(string(verb))
	if !ok {
		return nil, fmt.Errorf("sale %s declares no action %s", id, verb)
	}
	control, ok := e.config.Control(declared.Control)
	if !ok {
		return nil, fmt.Errorf("no control %s", declared.Control)
	}
	return e.once(string(id)+"/"+string(verb), control, func() (actions.Executor, error) { return e.make(s, declared, control) })
}

// once makes an executor unless it was made before.
func (e *executors) once(key string, c *config.Control, make func() (actions.Executor, error)) (actions.Executor, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if made, ok := e.made[key]; ok {
		return made, nil
	}
	made, err := make()
	if err != nil {
		return nil, fmt.Errorf("control %s: %w", c.Name, err)
	}
	e.made[key] = made
	return made, nil
}

func (e *executors) make(s *config.Sale, a *config.Action, c *config.Control) (actions.Executor, error) {
	switch c.Kind {
	case config.ControlWaitingRoom:
		return waitingRoomControl(a, c)
	case config.ControlParameter:
		return e.parameterControl(a, c)
	case config.ControlAutoScaling:
		return e.autoscalingControl(a, c)
	case config.ControlECS:
		return e.ecsControl(a, c)
	case config.ControlScalable:
		return e.scalableControl(a, c)
	case config.ControlKubernetes:
		return e.kubernetesControl(a, c)
	case config.ControlPagerDuty:
		return e.pagerDutyControl(c)
	case config.ControlAlertmanager:
		return e.alertmanagerControl(c)
	case config.ControlOpsItem:
		return e.opsItemControl(a, c)
	case config.ControlWebhook:
		return e.webhookControl(a, c)
	}
	return nil, fmt.Errorf("this version can't act on kind %q yet", c.Kind)
}

func waitingRoomControl(a *config.Action, c *config.Control) (actions.Executor, error) {
	o := gate.Options{
		BaseURL: c.WaitingRoom.URL, Zone: c.WaitingRoom.Zone, Token: c.WaitingRoom.Token.Reveal(), Client: actingClient(),
		Room: a.Gate.Room, Ramp: a.Gate.Ramp, RampEvery: a.Gate.Every, Hold: conditions(a.Gate.Abort), Safe: ceiling(a.Gate.Ceiling),
	}
	if a.Gate.MaxActive != nil {
		o.MaxActive = *a.Gate.MaxActive
	}
	return gate.New(o)
}

func (e *executors) parameterControl(a *config.Action, c *config.Control) (actions.Executor, error) {
	access, err := e.actingAWS(c.Parameter.AWS)
	if err != nil {
		return nil, err
	}
	o := ssm.ParameterOptions{AWS: access, Name: a.Gate.Parameter, Safe: ceiling(a.Gate.Ceiling)}
	switch a.Verb {
	case config.VerbRate:
		o.Number = a.Gate.Value
	case config.VerbPause:
		o.Pause = a.Gate.Value
	case config.VerbResume:
		o.Resume = a.Gate.Value
	}
	if a.Gate.Floor != nil {
		o.Min = *a.Gate.Floor
	}
	if a.Gate.Ceiling != nil {
		o.Max = *a.Gate.Ceiling
	}
	return ssm.NewParameter(o)
}

func (e *executors) autoscalingControl(a *config.Action, c *config.Control) (actions.Executor, error) {
	o, err := e.autoscalingOptions(a, c)
	if err != nil {
		return nil, err
	}
	return scaleasg.New(o)
}

func (e *executors) autoscalingOptions(a *config.Action, c *config.Control) (scaleasg.Options, error) {
	access, err := e.actingAWS(c.AutoScaling.AWS)
	if err != nil {
		return scaleasg.Options{}, err
	}
	return scaleasg.Options{
		API: scaleasg.NewClient(access.Config, access.Endpoint, actingClient()), Group: a.Scale.Group,
		Sizes: a.Scale.Sizes, Most: a.Scale.Max, RaiseMax: a.Scale.RaiseMax, Floor: a.Scale.Floor,
		UnitCost: a.Scale.UnitCost, ConnectionsPerHost: orZero(a.Scale.UnitConnections), Soonest: a.Scale.BootsIn / 2, Latest: a.Scale.BootsIn,
		Region: c.AutoScaling.Region, Profile: c.AutoScaling.Profile, Secrets: access.Secrets,
	}, nil
}

func (e *executors) ecsControl(a *config.Action, c *config.Control) (actions.Executor, error) {
	o, err := e.ecsOptions(a, c)
	if err != nil {
		return nil, err
	}
	return scaleecs.New(o)
}

func (e *executors) ecsOptions(a *config.Action, c *config.Control) (scaleecs.Options, error) {
	access, err := e.actingAWS(c.ECS.AWS)
	if err != nil {
		return scaleecs.Options{}, err
	}
	cluster, scaling := ecsCluster(a, c), c.ECS.ScalingEndpoint
	if scaling == "" {
		scaling = access.Endpoint
	}
	return scaleecs.Options{
		ECS: scaleecs.NewClient(access.Config, access.Endpoint, actingClient()), Scaling: scaleecs.NewScalingClient(access.Config, scaling, actingClient()),
		Cluster: cluster, Service: a.Scale.Service, Sizes: a.Scale.Sizes, Most: a.Scale.Max, RaiseMax: a.Scale.RaiseMax,
		Floor: a.Scale.Floor, UnitCost: a.Scale.UnitCost, ConnectionsPerTask: orZero(a.Scale.UnitConnections), Soonest: a.Scale.BootsIn / 2, Latest: a.Scale.BootsIn,
		Region: c.ECS.Region, Profile: c.ECS.Profile, Secrets: access.Secrets,
	}, nil
}

// scalableControl acts on what Application Auto Scaling manages, by its resource and dimension.
func (e *executors) scalableControl(a *config.Action, c *config.Control) (actions.Executor, error) {
	o, err := e.scalableOptions(a, c)
	if err != nil {
		return nil, err
	}
	return scaleecs.New(o)
}

func (e *executors) scalableOptions(a *config.Action, c *config.Control) (scaleecs.Options, error) {
	access, err := e.actingAWS(c.ApplicationAutoScaling.AWS)
	if err != nil {
		return scaleecs.Options{}, err
	}
	namespace, _, _ := strings.Cut(a.Scale.Dimension, ":")
	return scaleecs.Options{
		Scaling:   scaleecs.NewScalingClient(access.Config, access.Endpoint, actingClient()),
		Namespace: namespace, Resource: a.Scale.Resource, Dimension: a.Scale.Dimension,
		Sizes: a.Scale.Sizes, Most: a.Scale.Max, RaiseMax: a.Scale.RaiseMax, Floor: a.Scale.Floor,
		UnitCost: a.Scale.UnitCost, ConnectionsPerTask: orZero(a.Scale.UnitConnections), Soonest: a.Scale.BootsIn / 2, Latest: a.Scale.BootsIn,
		Region: c.ApplicationAutoScaling.Region, Profile: c.ApplicationAutoScaling.Profile, Secrets: access.Secrets,
	}, nil
}

func (e *executors) kubernetesControl(a *config.Action, c *config.Control) (actions.Executor, error) {
	login, err := clusterLogin(c.Kubernetes.Cluster)
	if err != nil {
		return nil, err
	}
	client, err := scalepods.NewClient(login)
	if err != nil {
		return nil, err
	}
	return scalepods.New(scalepods.Options{
		Client: client, Cluster: clusterName(c), ClusterUID: c.Kubernetes.UID, Namespace: a.Scale.Namespace, Deployment: a.Scale.Name,
		Sizes: a.Scale.Sizes, Most: a.Scale.Max, RaiseMax: a.Scale.RaiseMax, Floor: a.Scale.Floor,
		UnitCost: a.Scale.UnitCost, ConnectionsPerPod: orZero(a.Scale.UnitConnections), Soonest: a.Scale.BootsIn / 2, Latest: a.Scale.BootsIn,
	})
}

// orZero is a number, or 0 where it is not declared: nobody said.
func orZero(n *float64) float64 {
	if n == nil {
		return 0
	}
	return *n
}

func clusterName(c *config.Control) string {
	if c.Kubernetes.Name != "" {
		return c.Kubernetes.Name
	}
	return c.Name
}

func clusterLogin(in config.Cluster) (*rest.Config, error) {
	if in.InCluster {
		return rest.InClusterConfig()
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = in.Kubeconfig
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: in.Context}).ClientConfig()
}

func ecsCluster(a *config.Action, c *config.Control) string {
	if a.Scale.Cluster != "" {
		return a.Scale.Cluster
	}
	return c.ECS.Cluster
}

func (e *executors) pagerDutyControl(c *config.Control) (actions.Executor, error) {
	p := c.PagerDuty
	return pagerduty.New(pagerduty.Options{
		Name: p.Service, RoutingKey: p.RoutingKey.Reveal(), EventsURL: p.URL, Token: p.Token.Reveal(), From: p.From, APIURL: p.APIURL,
		Source: "onsale " + e.config.Environment, Sale: e.declared, Opened: e.opened, Redact: e.redact, Version: buildVersion(),
	})
}

func (e *executors) alertmanagerControl(c *config.Control) (actions.Executor, error) {
	a := c.Alertmanager
	o := alertmanager.Options{
		Name: c.Name, Peers: a.Peers, Quorum: a.Quorum, AlertName: a.AlertName, Labels: a.Labels, SaleLabel: a.SaleLabel, Lasts: a.Lasts, Silence: a.Silence,
		Bearer: a.Bearer.Reveal(), Sale: e.declared, Redact: e.redact, Version: buildVersion(),
	}
	if a.Basic != nil {
		o.User, o.Password = a.Basic.Username, a.Basic.Password.Reveal()
	}
	var err error
	if o.TLS, err = tlsOf(a.TLS); err != nil {
		return nil, err
	}
	return alertmanager.New(o)
}

func (e *executors) opsItemControl(a *config.Action, c *config.Control) (actions.Executor, error) {
	access, err := e.actingAWS(c.OpsItem.AWS)
	if err != nil {
		return nil, err
	}
	o := ssm.OpsOptions{AWS: access, Category: c.OpsItem.Category, Severity: opsSeverity(a), Notify: c.OpsItem.Notify, Names: map[sale.ID]string{}, Links: map[sale.ID][]sale.Link{}}
	for i := range e.config.Sales {
		s := &e.config.Sales[i].Sale
		o.Names[s.ID], o.Links[s.ID] = s.Name, s.Links
	}
	return ssm.NewOpsItem(o)
}

// opsSeverity is a severity in OpsCenter's own numbers; "" leaves it to the executor.
func opsSeverity(a *config.Action) string {
	if a.Incident == nil {
		return ""
	}
	return map[string]string{"critical": "1", "error": "2", "warning": "3", "info": "4"}[a.Incident.Severity]
}

func (e *executors) declared(id sale.ID) *sale.Sale {
	if s, ok := e.config.Sale(id); ok {
		return &s.Sale
	}
	return nil
}

// redact takes every secret of the config out of a text.
func (e *executors) redact(text string) string {
	for _, secret := range e.config.Secrets() {
		text = strings.ReplaceAll(text, secret.Reveal(), "***")
	}
	return text
}

func actingClient() *http.Client {
	return sources.NewClient(sources.ClientOptions{Version: buildVersion()})
}

func (e *executors) actingAWS(in config.AWS) (ssm.AWS, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	cfg, err := e.logins.Config(ctx, true, in)
	if err != nil {
		return ssm.AWS{}, err
	}
	return ssm.AWS{Config: cfg, Endpoint: in.Endpoint, Client: actingClient(), Profile: in.Profile, Secrets: awsSecrets(in)}, nil
}

// ceiling is the highest admission that is safe: what the sale's state works out, and never more than
// the config declares. Without a declared one it is left to the evidence.
func ceiling(most *float64) func(actions.Evidence) (float64, bool) {
	if most == nil {
		return nil
	}
	return func(seen actions.Evidence) (float64, bool) {
		if safe := seen.Signal(actions.SafeAdmission); safe.Usable() {
			return min(*most, safe.Value), true
		}
		return *most, true
	}
}

func conditions(in []config.Condition) []actions.Condition {
	out := make([]actions.Condition, len(in))
	for i, c := range in {
		out[i] = actions.Condition{Signal: c.Signal, Over: actions.Down, Limit: c.Limit}
		if c.Over {
			out[i].Over = actions.Up
		}
	}
	return out
}
