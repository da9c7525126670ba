package rehearsal

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/onsale-dev/onsale/rehearsal/aws"
	"github.com/onsale-dev/onsale/rehearsal/cloudflare"
	"github.com/onsale-dev/onsale/rehearsal/kubernetes"
	"github.com/onsale-dev/onsale/rehearsal/pagerduty"
	"github.com/onsale-dev/onsale/rehearsal/shop"
	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

// The services, as platform.json and POST control/fault name them.
const (
	Prometheus     = "prometheus"
	CloudWatch     = "cloudwatch-eu" // eu-central-1
	CloudWatchEdge = "cloudwatch-us" // us-east-1, where CloudFront's metrics live
	SQS            = "sqs"
	STS            = "sts"
	Cloudflare     = "cloudflare"
	Metrics        = "metrics"      // what Prometheus scrapes
	Alertmanager   = "alertmanager" // what Prometheus' rules fire, and silences

	AutoScaling            = "autoscaling"
	ECS                    = "ecs"
	ApplicationAutoScaling = "application-autoscaling"
	ELB                    = "elb"
	SSM                    = "ssm"
	RDS                    = "rds"
	Kubernetes             = "kubernetes"
	PagerDuty              = "pagerduty" // events, and the part of the REST API that reads incidents

	Gate       = "gate"     // the shop's own, signed
	QueueIt    = "queue-it" // API v2
	Slack      = "slack"    // one incoming webhook
	Jira       = "jira"     // alerts of Jira Service Management
	IncidentIO = "incident-io"
	Rootly     = "rootly"

	Redis = "redis" // the shop's own queues
)

// Services lists the names of the services that can be broken.
func Services() []string {
	return []string{
		Prometheus, CloudWatch, CloudWatchEdge, SQS, STS, Cloudflare, Metrics, Alertmanager,
		AutoScaling, ECS, ApplicationAutoScaling, ELB, SSM, RDS, Kubernetes, PagerDuty,
		Gate, QueueIt, Slack, Jira, IncidentIO, Rootly, Redis,
	}
}

// listen opens a port for every service and for the control.
func (p *Platform) listen() (map[*service]net.Listener, error) {
	listeners := map[*service]net.Listener{}
	for _, name := range append(Services(), "control") {
		s, ln, err := newService(name)
		if err != nil {
			for _, open := range listeners {
				_ = open.Close() // nothing was accepted yet
			}
			return nil, err
		}
		listeners[s] = ln
		switch name {
		case "control":
			p.control = s
			continue
		case Cloudflare:
			s.path = "/client/v4"
		case Metrics:
			s.path = "/metrics"
		case Kubernetes:
			s.secure = p.certificate.config()
		}
		p.services[name] = s
	}
	return listeners, nil
}

// handlers gives every service what it answers, sound and broken.
func (p *Platform) handlers(exposed *shop.Exposition) error {
	var err error
	if p.secrets, err = newSecrets(); err != nil {
		return err
	}
	published := p.world.CloudWatch(p.now)
	secret := aws.WithSecret(p.secrets.aws)
	give := func(name string, h http.Handler, broken map[string]http.Handler) {
		p.services[name].handler, p.services[name].broken = h, broken
	}
	give(CloudWatch, aws.NewCloudWatch(telemetry.Region, published, published, p.now, secret), brokenAWS(aws.CloudWatch))
	give(CloudWatchEdge, aws.NewCloudWatch(telemetry.Edge, published, published, p.now, secret), brokenAWS(aws.CloudWatch))
	give(SQS, aws.NewSQS(telemetry.Region, published, secret), brokenAWS(aws.SQS))
	give(STS, aws.NewSTS(telemetry.Account, secret, aws.WithActSecret(p.secrets.awsAct)), brokenAWS(aws.STS))
	act := aws.WithActSecret(p.secrets.awsAct)
	fleets := p.world.Fleets()
	give(AutoScaling, aws.NewAutoScaling(telemetry.Region, fleets, p.now, secret, act), brokenAWS(aws.AutoScaling))
	give(ECS, aws.NewECS(telemetry.Region, fleets, secret, act), brokenAWS(aws.ECS))
	give(ApplicationAutoScaling, aws.NewApplicationAutoScaling(telemetry.Region, fleets, p.now, secret, act), brokenAWS(aws.ApplicationAutoScaling))
	give(ELB, aws.NewELBV2(telemetry.Region, fleets, secret, act), brokenAWS(aws.ELBV2))
	give(SSM, aws.NewSSM(telemetry.Region, p.world.Systems(), secret, act), brokenAWS(aws.SSM))
	give(RDS, aws.NewRDS(telemetry.Region, p.world.Databases(), secret, act), brokenAWS(aws.RDS))
	give(Kubernetes, kubernetes.New(newCluster(fleets), kubernetes.WithReader(p.secrets.kubeRead), kubernetes.WithOperator(p.secrets.kubeWrite),
		kubernetes.WithClock(p.now), kubernetes.WithAudit(p.audit)), map[string]http.Handler{
		Error:    says(http.StatusInternalServerError, "application/json", kubeStatus(500, "InternalError", "Internal error occurred: etcdserver: request timed out")),
		Throttle: retryLater(says(http.StatusTooManyRequests, "application/json", kubeStatus(429, "TooManyRequests", "too many requests, please try again later"))),
		Garbage:  says(http.StatusOK, "application/json", `{"kind":"DeploymentList","apiVersion":"apps/v1","metadata":{"resourceVersion":"48`),
	})
	if p.pager, err = pagerduty.New(pagerduty.Options{
		RoutingKeys: map[string]string{p.secrets.pagerKey: "on-sale"}, Token: p.secrets.pagerToken, ReadToken: p.secrets.pagerRead, Now: p.now, Tell: p.paged,
	}); err != nil {
		return err
	}
	give(PagerDuty, p.pager, map[string]http.Handler{
		Error: pagerduty.Failure(), Throttle: pagerduty.Throttled(),
		Garbage: says(http.StatusOK, "application/json", `{"status":"success","message":"Event proc`),
	})
	if err := p.alerting(give); err != nil {
		return err
	}
	if err := p.hooks(give); err != nil {
		return err
	}
	give(Cloudflare, cloudflare.New(p.world, cloudflare.Options{
		ReadToken: p.secrets.cloudflareRead, WriteToken: p.secrets.cloudflareWrite, Now: p.now,
	}), map[string]http.Handler{
		Error:    cloudflare.Failure(),
		Throttle: cloudflare.Throttled(),
		Garbage:  says(http.StatusOK, "application/json", `{"success":true,"errors":[],"messages":[],"result":[{"id":"699d98642c56`),
	})
	give(Prometheus, p.prometheus(secret), map[string]http.Handler{
		Error:    says(http.StatusInternalServerError, "application/json", `{"status":"error","errorType":"internal","error":"tsdb: the rehearsal broke it"}`),
		Throttle: retryLater(says(http.StatusTooManyRequests, "text/plain; charset=utf-8", "too many outstanding requests")),
		Garbage:  says(http.StatusOK, "application/json", `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"sale":"lan`),
	})
	give(Metrics, exposed, map[string]http.Handler{
		Error:    says(http.StatusInternalServerError, "text/plain; charset=utf-8", "gathering metrics failed: the rehearsal broke it\n"),
		Throttle: retryLater(says(http.StatusTooManyRequests, "text/plain; charset=utf-8", "limit of concurrent requests reached\n")),
		Garbage:  says(http.StatusOK, "text/plain; version=0.0.4; charset=utf-8", "# TYPE shop_holds gauge\nshop_holds{sale=\"lan"),
	})
	p.control.handler = p.controlHandler()
	return nil
}

// ManagedWorkspace is the path below which the service Prometheus answers as Amazon Managed Service
// for Prometheus does: only what is signed for "aps".
const ManagedWorkspace = "/workspaces/ws-5ea1ed00-0000-4000-8000-0000005a1e00"

// prometheus is the API as it is, and once more behind AWS's front door.
func (p *Platform) prometheus(secret aws.Option) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", p.api)
	mux.Handle("/workspaces/", aws.NewManagedPrometheus(telemetry.Region, strings.TrimPrefix(ManagedWorkspace, "/workspaces/"), p.api, secret))
	return mux
}

// audit writes into the ledger who wrote to the Kubernetes API, and what became of it.
func (p *Platform) audit(a kubernetes.Audit) {
	what := fmt.Sprintf("%s %s %s/%s: %d", a.Verb, a.Resource, a.Namespace, a.Name, a.Code)
	if a.DryRun {
		what += " (dry run)"
	}
	p.world.NoteOf("kubernetes", a.User, what, a.From, a.To)
}

// paged writes into the ledger what became of the events that PagerDuty accepted.
func (p *Platform) paged(h pagerduty.Happening) {
	what := h.What
	if h.Incident != "" {
		what += " " + h.Incident
	}
	if h.DedupKey != "" {
		what += " (" + h.DedupKey + ")"
	}
	p.world.Note("pagerduty", what, "", h.Text)
}

// kubeStatus is a failure in the words of the Kubernetes API.
func kubeStatus(code int, reason, message string) string {
	return fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":%q,"reason":%q,"code":%d}`, message, reason, code)
}

func brokenAWS(service string) map[string]http.Handler {
	return map[string]http.Handler{
		Error:    aws.Fault(service, aws.FaultError),
		Throttle: aws.Fault(service, aws.FaultThrottle),
		Garbage:  aws.Fault(service, aws.FaultGarbage),
	}
}

func says(status int, contentType, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // a client that left needs no answer
	})
}

func retryLater(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "30")
		h.ServeHTTP(w, r)
	})
}

// URL returns where a service answers; "control" is one, too.
func (p *Platform) URL(name string) (string, error) {
	if name == "control" {
		return p.control.url(), nil
	}
	s, ok := p.services[name]
	if !ok {
		return "", fmt.Errorf("there is no service %q", name)
	}
	return s.url(), nil
}

// URLs returns where each of Services answers.
func (p *Platform) URLs() map[string]string {
	out := map[string]string{}
	for name, s := range p.services {
		out[name] = s.url()
	}
	return out
}
