package config

// The keys of a control, by kind. All share controlIn.

type controlIn struct {
	Kind      str      `json:"kind" jsonschema:"required" jsonschema_description:"What system it is."`
	Timeout   span     `json:"timeout" jsonschema_description:"How long one write may take, 1s to 60s. Default 10s."`
	Budget    budgetIn `json:"budget" jsonschema_description:"The most calls that acting may use. Default: by the provider's own limit."`
	AllowHTTP toggle   `json:"allow_http" jsonschema_description:"true lets credentials go over http to another machine."`
}

type waitingRoomControlIn struct {
	place
	controlIn
	Zone  outer  `json:"zone" jsonschema:"required,pattern=^[0-9A-Za-z]+$" hint:"write the zone's id, from the overview page of the zone" jsonschema_description:"The zone's id."`
	Token secret `json:"token" jsonschema:"required" jsonschema_description:"An API token with Waiting Rooms Write, used by no source: ${env:NAME} or ${file:/path}."`
	URL   outer  `json:"url" jsonschema_description:"Default https://api.cloudflare.com/client/v4."`
}

func (waitingRoomControlIn) what() string { return "a cloudflare-waiting-room control" }

type parameterControlIn struct {
	place
	controlIn
	awsIn
}

func (parameterControlIn) what() string { return "an ssm-parameter control" }

type opsItemControlIn struct {
	place
	controlIn
	awsIn
	Category outer   `json:"category" jsonschema_description:"The category of the OpsItems. Default: Availability."`
	Notify   []outer `json:"notify" jsonschema:"maxItems=10,pattern=^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:.+$" hint:"write the topic's ARN: arn:aws:sns:eu-central-1:123456789012:onsale" jsonschema_description:"ARNs of SNS topics that are told: an OpsItem alone pages nobody."`
}

func (opsItemControlIn) what() string { return "an ssm-opsitem control" }

type autoScalingControlIn struct {
	place
	controlIn
	awsIn
}

func (autoScalingControlIn) what() string { return "an autoscaling control" }

type ecsControlIn struct {
	place
	controlIn
	awsIn
	Cluster         outer `json:"cluster" jsonschema_description:"The cluster of services that name none."`
	ScalingEndpoint outer `json:"scaling_endpoint" jsonschema_description:"Another address of Application Auto Scaling than AWS's own. Default: endpoint."`
}

func (ecsControlIn) what() string { return "an ecs control" }

type scalableControlIn struct {
	place
	controlIn
	awsIn
}

func (scalableControlIn) what() string { return "an application-autoscaling control" }

type kubernetesControlIn struct {
	place
	controlIn
	clusterIn
	Cluster    outer `json:"cluster" jsonschema_description:"What people call the cluster. Default: the control's name."`
	ClusterUID outer `json:"cluster_uid" jsonschema:"pattern=^[0-9a-f-]{36}$" hint:"write what kubectl get namespace kube-system -o jsonpath={.metadata.uid} says" jsonschema_description:"The UID of the namespace kube-system: a kubeconfig that points elsewhere is then refused."`
}

func (kubernetesControlIn) what() string { return "a kubernetes control" }

type webhookControlIn struct {
	place
	controlIn
	Preset      str    `json:"preset" jsonschema:"enum=none,enum=queue-it,enum=slack,enum=jira,enum=incident-io,enum=rootly" jsonschema_description:"Whose words the request is in. Default: none, which is onsale's own JSON."`
	URL         outer  `json:"url" jsonschema_description:"Where to send it, with {{target}} or {{sale}} in its path where they differ; of queue-it, jira and incident-io the base of the API, of jira, incident-io and rootly by default their own. An address that is a secret in itself, such as Slack's, must be ${env:NAME} or ${file:/path}."`
	Source      outer  `json:"source" jsonschema_description:"incident-io: the id of the alert source."`
	Method      str    `json:"method" jsonschema:"enum=POST,enum=PUT,enum=PATCH" jsonschema_description:"Default: POST. A preset has its own."`
	Token       secret `json:"token" jsonschema_description:"What it logs in with, sent as the preset asks; a bearer token without one: ${env:NAME} or ${file:/path}."`
	Headers     rawMap `json:"headers" jsonschema_description:"Headers to send. One that holds a secret must be a reference."`
	HMACSecret  secret `json:"hmac_secret" jsonschema_description:"What every request is signed with: ${env:NAME} or ${file:/path}."`
	StateURL    outer  `json:"state_url" jsonschema_description:"Where to ask what holds now, to prove an action. Without it there is no proof."`
	StatePaths  rawMap `json:"state_paths" jsonschema_description:"Where the answer holds rate, paused and status: names and list indexes with dots, such as data.limits.0.rate."`
	StatePaused text   `json:"state_paused" jsonschema_description:"The value that means paused, where it is no boolean."`
	Bodies      rawMap `json:"bodies" jsonschema_description:"Without a preset: the JSON to send, by verb, with {{to}}, {{paused}}, {{target}}, {{sale}} and the like within its strings. What has no body is not done."`
}

func (webhookControlIn) what() string { return "a webhook control" }

type pagerdutyControlIn struct {
	place
	controlIn
	RoutingKey secret `json:"routing_key" jsonschema:"required" jsonschema_description:"The integration key of an Events API v2 integration: ${env:NAME} or ${file:/path}."`
	Token      secret `json:"token" jsonschema_description:"A REST API token, to prove that somebody was paged: ${env:NAME} or ${file:/path}."`
	From       outer  `json:"from" jsonschema:"pattern=^[^@ ]+@[^@ ]+$" hint:"write the e-mail address of a PagerDuty user" jsonschema_description:"The e-mail address of the PagerDuty user that notes are by; needs token."`
	Service    outer  `json:"service" jsonschema_description:"What people call the service that is paged. Default: the control's name."`
	URL        outer  `json:"url" jsonschema_description:"Of the Events API. Default https://events.pagerduty.com."`
	APIURL     outer  `json:"api_url" jsonschema_description:"Of the REST API. Default https://api.pagerduty.com."`
}

func (pagerdutyControlIn) what() string { return "a pagerduty control" }

type alertmanagerControlIn struct {
	place
	controlIn
	Peers     []outer  `json:"peers" jsonschema:"required,minItems=1,maxItems=16" jsonschema_description:"The address of every peer of the cluster: each is told."`
	Quorum    whole    `json:"quorum" jsonschema:"minimum=1,maximum=16" jsonschema_description:"How many peers must show a change before it counts as done. Default: all."`
	AlertName str      `json:"alert_name" jsonschema:"pattern=^[A-Za-z][A-Za-z0-9_]*$" hint:"use letters, digits and underscores: OnsaleIncident" jsonschema_description:"The alert's name, for the routing tree."`
	Labels    rawMap   `json:"labels" jsonschema_description:"More labels of every alert, for the routing tree."`
	Lasts     span     `json:"lasts" jsonschema_description:"How long an alert lasts without being sent again, 1m to 24h."`
	Silence   span     `json:"silence" jsonschema_description:"How long acknowledge silences an alert, 1m to 24h. Default: acknowledge is not offered."`
	SaleLabel str      `json:"sale_label" jsonschema:"pattern=^[A-Za-z_][A-Za-z0-9_]*$" hint:"use letters, digits and underscores: shop" jsonschema_description:"The label by which other people's alerts name a sale, for silence. Default: sale."`
	Auth      *loginIn `json:"auth" jsonschema_description:"How to log in; one way only."`
	TLS       *tlsIn   `json:"tls" jsonschema_description:"Certificates."`
}

// loginIn is a login without headers of its own.
type loginIn struct {
	place
	Basic  *basicIn `json:"basic" jsonschema_description:"User name and password."`
	Bearer secret   `json:"bearer" jsonschema_description:"A bearer token: ${env:NAME} or ${file:/path}."`
}

func (loginIn) what() string { return "auth" }

func (alertmanagerControlIn) what() string { return "an alertmanager control" }
