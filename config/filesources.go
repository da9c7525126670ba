package config

// The keys of a source, by kind. All share sourceIn.

type sourceIn struct {
	Kind    str      `json:"kind" jsonschema:"required,enum=prometheus,enum=cloudwatch,enum=sqs,enum=cloudflare-waiting-room,enum=autoscaling,enum=ecs,enum=rds,enum=kubernetes,enum=http-json,enum=redis,enum=cloudwatch-alarms,enum=prometheus-alerts,enum=alertmanager-alerts,enum=pagerduty,enum=alertmanager,enum=ssm-opsitem" jsonschema_description:"What system it is."`
	Every   span     `json:"every" jsonschema_description:"How often to ask. Default: 5s prometheus and redis, 60s cloudwatch, 10s sqs, 15s http-json (queue-it 30s, rabbitmq 10s), 30s cloudflare-waiting-room, pagerduty, alertmanager, ssm-opsitem and rds, 15s autoscaling, ecs, kubernetes and the sources of alarms."`
	Timeout span     `json:"timeout" jsonschema_description:"How long to wait for an answer, 100ms to 60s. Default: 5s prometheus, http-json, redis, prometheus-alerts, alertmanager-alerts and sqs, 10s cloudwatch-alarms, cloudflare-waiting-room, autoscaling, ecs, rds, kubernetes, pagerduty, alertmanager and ssm-opsitem, 15s cloudwatch."`
	Budget  budgetIn `json:"budget" jsonschema_description:"The most calls that reading may use. Default: by the provider's own limit."`
	// AllowHTTP is for a proxy on a trusted network.
	AllowHTTP toggle `json:"allow_http" jsonschema_description:"true lets credentials go over http, or a redis password over plain TCP, to another machine."`
}

type budgetIn struct {
	place
	Calls whole `json:"calls" jsonschema:"required,minimum=1" jsonschema_description:"Calls per window."`
	Per   span  `json:"per" jsonschema:"required" jsonschema_description:"The window: 5m."`
}

func (budgetIn) what() string { return "a budget" }

type prometheusIn struct {
	place
	sourceIn
	URL      outer   `json:"url" jsonschema:"required" jsonschema_description:"Where the server's API begins: https://prometheus.example."`
	Auth     *authIn `json:"auth" jsonschema_description:"How to log in; one way only."`
	TLS      *tlsIn  `json:"tls" jsonschema_description:"Certificates."`
	Lookback span    `json:"lookback" jsonschema_description:"How old a sample may be to count as now. Default: the server's own, 5m."`
	dialectIn
}

func (prometheusIn) what() string { return "a prometheus source" }

type authIn struct {
	place
	Basic   *basicIn `json:"basic" jsonschema_description:"User name and password."`
	Bearer  secret   `json:"bearer" jsonschema_description:"A bearer token: ${env:NAME} or ${file:/path}."`
	Headers rawMap   `json:"headers" jsonschema_description:"Headers to send, such as X-Scope-OrgID for a tenant. One that holds a secret must be a reference."`
	SigV4   *sigv4In `json:"sigv4" jsonschema_description:"AWS request signing, for Amazon Managed Prometheus and for PromQL in CloudWatch."`
}

func (authIn) what() string { return "auth" }

type basicIn struct {
	place
	Username outer  `json:"username" jsonschema:"required" jsonschema_description:"The user."`
	Password secret `json:"password" jsonschema:"required" jsonschema_description:"The password: ${env:NAME} or ${file:/path}."`
}

func (basicIn) what() string { return "basic" }

type tlsIn struct {
	place
	CA         str    `json:"ca" jsonschema_description:"File of the authorities to trust."`
	Cert       str    `json:"cert" jsonschema_description:"File of the client's certificate."`
	Key        str    `json:"key" jsonschema_description:"File of the client's private key."`
	ServerName str    `json:"server_name" jsonschema_description:"The name to expect in the server's certificate."`
	Insecure   toggle `json:"insecure" jsonschema_description:"true trusts any certificate. Never on a network that others share."`
}

func (tlsIn) what() string { return "tls" }

// awsIn is what every AWS source has.
type awsIn struct {
	Region      outer          `json:"region" jsonschema:"required,pattern=^[a-z]{2}(-[a-z]+)+-[0-9]$" hint:"write a region's code: eu-central-1" jsonschema_description:"The AWS region."`
	Profile     outer          `json:"profile" jsonschema_description:"A profile of the shared AWS config."`
	Role        outer          `json:"role" jsonschema:"pattern=^arn:[a-z-]+:iam::[0-9]{12}:role/.+$" hint:"write the role's ARN: arn:aws:iam::123456789012:role/onsale-read" jsonschema_description:"The ARN of a role to assume."`
	ExternalID  outer          `json:"external_id" jsonschema_description:"The external id that the role asks for."`
	MFASerial   outer          `json:"mfa_serial" hint:"write the device's ARN: arn:aws:iam::123456789012:mfa/NAME, or its serial number" jsonschema_description:"The MFA device whose code the role asks for, as its ARN or serial number. The screen asks for the code."`
	RoleLasts   span           `json:"role_lasts" jsonschema_description:"How long the role's credentials last, 15m to 12h. Default 1h."`
	Identity    toggle         `json:"source_identity" jsonschema_description:"true tells AWS the operator's name as SourceIdentity too. The role must allow sts:SetSourceIdentity."`
	Endpoint    outer          `json:"endpoint" jsonschema_description:"Another address than AWS's own."`
	Credentials *credentialsIn `json:"credentials" jsonschema_description:"Fixed credentials. Default: the usual AWS chain."`
}

type credentialsIn struct {
	place
	AccessKeyID     outer  `json:"access_key_id" jsonschema:"required" jsonschema_description:"The access key's id."`
	SecretAccessKey secret `json:"secret_access_key" jsonschema:"required" jsonschema_description:"The secret key: ${env:NAME} or ${file:/path}."`
	SessionToken    secret `json:"session_token" jsonschema_description:"The session token: ${env:NAME} or ${file:/path}."`
}

func (credentialsIn) what() string { return "credentials" }

type cloudwatchIn struct {
	place
	sourceIn
	awsIn
	Account outer `json:"account" jsonschema:"pattern=^[0-9]{12}$" hint:"an AWS account is 12 digits" jsonschema_description:"The account whose metrics to read from this monitoring account."`
	Delay   span  `json:"delay" jsonschema_description:"How late the metrics settle. Default 120s."`
}

func (cloudwatchIn) what() string { return "a cloudwatch source" }

type sqsIn struct {
	place
	sourceIn
	awsIn
	Queue outer `json:"queue" jsonschema_description:"The queue that signals read unless they name another."`
}

func (sqsIn) what() string { return "an sqs source" }

type waitingRoomIn struct {
	place
	sourceIn
	Zone  outer  `json:"zone" jsonschema:"required,pattern=^[0-9A-Za-z]+$" hint:"write the zone's id, from the overview page of the zone" jsonschema_description:"The zone's id."`
	Token secret `json:"token" jsonschema:"required" jsonschema_description:"An API token that may read waiting rooms: ${env:NAME} or ${file:/path}."`
	URL   outer  `json:"url" jsonschema_description:"Default https://api.cloudflare.com/client/v4."`
}

func (waitingRoomIn) what() string { return "a cloudflare-waiting-room source" }

type autoScalingIn struct {
	place
	sourceIn
	awsIn
	ELBEndpoint outer `json:"elb_endpoint" jsonschema_description:"Another address of Elastic Load Balancing than AWS's own. With endpoint: and without this one, target health is not read."`
}

func (autoScalingIn) what() string { return "an autoscaling source" }

type ecsIn struct {
	place
	sourceIn
	awsIn
	Cluster         outer `json:"cluster" jsonschema_description:"The cluster that signals read unless they name another."`
	ScalingEndpoint outer `json:"scaling_endpoint" jsonschema_description:"Another address of Application Auto Scaling than AWS's own. With endpoint: and without this one, min and max are not read."`
}

func (ecsIn) what() string { return "an ecs source" }

type rdsIn struct {
	place
	sourceIn
	awsIn
}

func (rdsIn) what() string { return "an rds source" }

// clusterIn is what every use of a Kubernetes cluster has.
type clusterIn struct {
	Kubeconfig outer  `json:"kubeconfig" jsonschema_description:"The kubeconfig file. Default: what kubectl would take."`
	Context    outer  `json:"context" jsonschema_description:"A context of the kubeconfig. Default: its current one."`
	InCluster  toggle `json:"in_cluster" jsonschema_description:"true takes the service account of the pod that onsale runs in."`
}

type kubernetesIn struct {
	place
	sourceIn
	clusterIn
}

func (kubernetesIn) what() string { return "a kubernetes source" }
