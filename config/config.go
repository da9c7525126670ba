package config

import (
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// Config is a whole file, resolved: templates applied, variables and references filled in,
// defaults set. It is plain data; nothing of it changes after it was read.
type Config struct {
	Path        string // of the file; "" when it was parsed from memory without a name
	Environment string // "production"
	Account     string // the AWS account that actions are bound to; may be empty
	TimeZone    string // IANA name of the zone to show times in; "" is the machine's
	Theme       string // "auto", "dark", "light" or "mono"
	ASCII       bool   // draw with ASCII alone; false leaves it to the locale
	Bell        bool   // ring the terminal's bell on a sale's first BAD alarm; true unless declared
	Notify      bool   // send that to the desktop too, as OSC 9

	Sources   []Source            // in the order of the file
	Controls  []Control           // in the order of the file; none: nothing can be acted on
	Sales     []Sale              // in the order of the file
	Keys      map[string][]string // intent to keys; a key stands under one intent only
	LinkHosts []string            // hosts that links may lead to, lower case
	Limits    sale.Limits         // zero values leave the default to the store
	Policy    Policy              // what may be done, and by whom
	SLAs      SLAs                // what is promised for incidents
	Serve     *Serve              // the cockpit over SSH; nil: it is not declared

	// Calendar is where the dates come from; nil: from the file alone.
	Calendar *Calendar

	// Warnings are things that work and should be mended all the same.
	Warnings []*Mistake

	root *node
}

// Source is one system to read. Exactly one of the pointers is set, the one of its Kind; a
// prometheus-alerts source has Prometheus.
type Source struct {
	Name    string
	Kind    string        // one of the Kind constants
	Every   time.Duration // between two polls
	Timeout time.Duration // of one poll
	Budget  *Budget       // nil: by the provider's own limit

	Prometheus  *PrometheusSource
	CloudWatch  *CloudWatchSource
	SQS         *SQSSource
	WaitingRoom *WaitingRoomSource
	AutoScaling *AutoScalingSource
	ECS         *ECSSource
	RDS         *RDSSource
	Kubernetes  *KubernetesSource
	HTTPJSON    *HTTPJSONSource
	Redis       *RedisSource
	Calendar    *CalendarSource

	PagerDuty    *PagerDutySource
	Alertmanager *AlertmanagerSource
	OpsItem      *OpsItemSource

	CloudWatchAlarms   *CloudWatchAlarmsSource
	AlertmanagerAlerts *AlertmanagerAlertsSource
	Whose              []AlarmMatch // of a source of alarms, never empty there

	allowHTTP bool
}

// The kinds of source.
const (
	KindPrometheus  = "prometheus"
	KindCloudWatch  = "cloudwatch"
	KindSQS         = "sqs"
	KindWaitingRoom = "cloudflare-waiting-room"
	KindAutoScaling = "autoscaling"
	KindECS         = "ecs"
	KindRDS         = "rds"
	KindKubernetes  = "kubernetes"

	// The kinds that read alarms and no signals.
	KindCloudWatchAlarms   = "cloudwatch-alarms"
	KindPrometheusAlerts   = "prometheus-alerts"
	KindAlertmanagerAlerts = "alertmanager-alerts"
)

// Kinds lists the kinds of source in order. The caller owns the slice.
func Kinds() []string {
	kinds := []string{KindPrometheus, KindCloudWatch, KindSQS, KindWaitingRoom, KindAutoScaling, KindECS, KindRDS, KindKubernetes, KindHTTPJSON, KindRedis, KindCloudWatchAlarms, KindPrometheusAlerts, KindAlertmanagerAlerts}
	return append(kinds, incidentKinds()...)
}

// Budget is the most calls that reading a source may use.
type Budget struct {
	Calls int
	Per   time.Duration
}

// PrometheusSource is how to reach a server that speaks the Prometheus API. At most one of
// Basic, Bearer and SigV4 is set.
type PrometheusSource struct {
	URL      string // without a trailing slash
	Basic    *BasicAuth
	Bearer   Secret
	Headers  map[string]Secret // by canonical name; all values are hidden
	SigV4    *SigV4
	TLS      TLS
	Lookback time.Duration // 0: the server's own
	PrometheusDialect
}

// BasicAuth is a user name and a password.
type BasicAuth struct {
	Username string
	Password Secret
}

// TLS holds absolute paths of files that could be opened when the config was read.
type TLS struct {
	CA, Cert, Key string
	ServerName    string
	Insecure      bool
}

// AWS is how to reach and log in to an AWS service.
type AWS struct {
	Region      string
	Profile     string // "": the default
	Role        string // ARN of a role to assume; may be empty
	ExternalID  string
	MFASerial   string        // of the device whose code the role asks for; may be empty
	RoleLasts   time.Duration // of the role's credentials, 15 min to 12 h; 0: an hour
	Endpoint    string        // "": AWS's own
	Credentials *Credentials
	// SourceIdentity tells AWS who the operator is for good: roles that are assumed further on
	// carry it too. The role must allow sts:SetSourceIdentity.
	SourceIdentity bool
}

// Credentials are fixed AWS credentials.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey Secret
	SessionToken    Secret // may be not set
}

// CloudWatchSource reads metrics of one region.
type CloudWatchSource struct {
	AWS
	Account string        // 12 digits: the default account of its metrics; "" is its own
	Delay   time.Duration // until metrics settle; 120 s unless declared
}

// SQSSource reads queue attributes.
type SQSSource struct {
	AWS
	Queue string // the default queue name; may be empty
}

// WaitingRoomSource reads Cloudflare waiting rooms of one zone.
type WaitingRoomSource struct {
	Zone  string
	Token Secret
	URL   string // of the API, without a trailing slash
}

// AutoScalingSource reads EC2 Auto Scaling groups of one region, and what the load balancers in
// front of them say of their health.
type AutoScalingSource struct {
	AWS
	ELBEndpoint string // of Elastic Load Balancing; "": AWS's own, or nobody's where Endpoint is another
}

// ECSSource reads ECS services of one region.
type ECSSource struct {
	AWS
	Cluster         string // the default cluster; may be empty
	ScalingEndpoint string // of Application Auto Scaling; "": AWS's own, or nobody's where Endpoint is another
}

// RDSSource reads RDS instances and Aurora clusters of one region.
type RDSSource struct {
	AWS
}

// KubernetesSource reads the workloads of one cluster.
type KubernetesSource struct {
	Cluster
}

// Cluster is how to reach and log in to a Kubernetes cluster. With nothing set it is what
// kubectl would take.
type Cluster struct {
	Kubeconfig string // absolute path of a file that could be opened; "" is kubectl's own
	Context    string // "" is the kubeconfig's current one
	InCluster  bool   // the service account of the pod; then the others are empty
}

// Sale is a sale together with what to read for it and what can be done about it.
type Sale struct {
	sale.Sale
	Template string   // its name; may be empty
	Reads    []Read   // one per signal that a source reads, in the order of Signals
	Actions  []Action // what can be done, in the order of Verbs; each verb at most once
	Plays    []Play   // in the order of their declaration

	at      *node
	signals []namedNode // as resolved, for showing
	goals   []*node
}

// Read is how one signal of a sale is read. Exactly one of the pointers is set, the one of
// the source's kind.
type Read struct {
	Signal sale.Signal
	Source string
	Unit   sale.Unit

	Prometheus  *PrometheusRead
	CloudWatch  *CloudWatchRead
	SQS         *SQSRead
	WaitingRoom *WaitingRoomRead
	AutoScaling *AutoScalingRead
	ECS         *ECSRead
	RDS         *RDSRead
	Kubernetes  *KubernetesRead
	HTTPJSON    *HTTPJSONRead
	Redis       *RedisRead
}

// PrometheusRead is a PromQL expression that gives one value.
type PrometheusRead struct {
	Query string
}

// CloudWatchRead is one metric without an expression, or metric math over several. Metrics
// is empty only for an expression that searches or selects by itself.
type CloudWatchRead struct {
	Metrics     map[string]MetricStat // by the id that the expression uses
	Expression  string                // "" for a plain metric
	Period      time.Duration         // 1, 5, 10, 20, 30 s or a multiple of 60 s
	MissingZero bool                  // a period without a value is 0
	Band        float64               // standard deviations of the band of CloudWatch's model; 0: none
	Region      string                // never empty: the source's, or the signal's own
}

// MetricStat is one metric and what to take of it.
type MetricStat struct {
	Namespace  string
	Metric     string
	Dimensions map[string]string
	Statistic  string
	Account    string // 12 digits, or "" for the source's own
}

// SQSRead is one attribute of a queue: "visible", "in_flight" or "delayed".
type SQSRead struct {
	Queue     string
	Attribute string
}

// WaitingRoomRead is one figure of a room: "queued_users", "active_users",
// "new_users_per_minute", "total_active_users", "wait" (seconds) or "queue_all" (0 or 1).
type WaitingRoomRead struct {
	Room  string
	Field string
}

// AutoScalingRead is one figure of a group: "in_service", "desired", "min", "max", "pending",
// "unhealthy", "warm" or "healthy_targets".
type AutoScalingRead struct {
	Group string // name or ARN
	Field string
}

// ECSRead is one figure of a service: "running", "desired", "pending", "min" or "max".
type ECSRead struct {
	Cluster string // name or ARN; "" is the one in the service's ARN, else "default"
	Service string // name or ARN
	Field   string
}

// RDSRead is one figure of a database: "connections_max", "available", "readers",
// "failover_targets", "storage_bytes", "storage_max_bytes", "acu_min" or "acu_max".
type RDSRead struct {
	Instance string // identifier or ARN; exactly one of the two is set
	Cluster  string
	Field    string
}

// KubernetesRead is one figure of a workload: "in_service", "desired", "min", "max", "pending"
// or "unschedulable".
type KubernetesRead struct {
	Namespace string
	Object    string // "deployment", "hpa" or "scaledobject"
	Name      string
	Field     string
}

// Source finds a source by name.
func (c *Config) Source(name string) (s *Source, ok bool) {
	for i := range c.Sources {
		if c.Sources[i].Name == name {
			return &c.Sources[i], true
		}
	}
	return nil, false
}

// Sale finds a sale by id.
func (c *Config) Sale(id sale.ID) (s *Sale, ok bool) {
	for i := range c.Sales {
		if c.Sales[i].ID == id {
			return &c.Sales[i], true
		}
	}
	return nil, false
}

// At finds a place in the file, for what is found wrong only later: At("sources", "aws"),
// At("keys", "pause"), At("sales", "arena", "signals", "error_ratio", "query"). It gives the
// nearest place above when the file does not say the thing itself; where a shipped template
// says it, the sale.
func (c *Config) At(path ...string) Place {
	n := c.root
	if n == nil {
		return Place{Position: Position{File: c.Path}}
	}
	for i := 0; i < len(path); i++ {
		if path[i] == "sales" && i+1 < len(path) {
			i++
			s, ok := c.Sale(sale.ID(path[i]))
			if !ok {
				break
			}
			n = s.at
			if i+2 < len(path) && path[i+1] == "signals" {
				i += 2
				if at := s.signal(path[i]); at != nil && !at.doc.builtin {
					n = at
				} else {
					n = s.at.keyOf("id")
					break
				}
			}
			continue
		}
		next := n.get(path[i])
		if next == nil || next.doc.builtin {
			break
		}
		n = next
	}
	return see(n, "")
}

func (s *Sale) signal(name string) *node {
	for _, n := range s.signals {
		if n.name == name {
			return n.node
		}
	}
	return nil
}
