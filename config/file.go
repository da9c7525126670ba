package config

import (
	"fmt"

	"github.com/invopop/jsonschema"
)

// The types below are the file, key by key. Strict decoding and the JSON Schema are both made
// from them: a key exists because it is here.

type configFile struct {
	place
	Environment str         `json:"environment" jsonschema:"required,pattern=^[A-Za-z0-9][A-Za-z0-9 ._-]*$" hint:"use letters and digits: production" jsonschema_description:"What this is, in every header: production, staging, rehearsal."`
	Account     text        `json:"account" jsonschema:"pattern=^[0-9]{12}$" hint:"an AWS account is 12 digits" jsonschema_description:"The AWS account that actions are bound to: 12 digits, in quotes."`
	TimeZone    str         `json:"timezone" jsonschema_description:"The time zone that the screen shows times in, such as Europe/Zagreb. Default: that of the machine."`
	Theme       str         `json:"theme" jsonschema:"enum=auto,enum=dark,enum=light,enum=mono" jsonschema_description:"The palette. Default: auto, which asks the terminal."`
	ASCII       toggle      `json:"ascii" jsonschema_description:"true draws with ASCII alone. Default: by the locale."`
	Bell        toggle      `json:"bell" jsonschema_description:"false keeps the terminal's bell from ringing on a sale's first BAD alarm. Default: true."`
	Notify      toggle      `json:"notify" jsonschema_description:"true sends that to the desktop too, as OSC 9, where the terminal knows it. Default: false."`
	Sources     rawMap      `json:"sources" jsonschema:"required" jsonschema_description:"The systems to read, by name."`
	Controls    rawMap      `json:"controls" jsonschema_description:"The systems to act on, by name, each with credentials of its own. None: the cockpit only reads."`
	Templates   rawMap      `json:"templates" jsonschema_description:"What sales have in common, by name."`
	Calendar    *calendarIn `json:"calendar" jsonschema_description:"Where sales come from that the file does not have, or has in part: an iCalendar file or address."`
	Sales       []*saleIn   `json:"sales" jsonschema:"required,minItems=1" jsonschema_description:"The sales."`
	Keys        rawMap      `json:"keys" jsonschema_description:"Keys by what they do: {quit: [q, ctrl+c]}. A key can mean one thing only."`
	LinkHosts   []str       `json:"link_hosts" jsonschema:"pattern=^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$" hint:"give the host name alone: console.aws.amazon.com" jsonschema_description:"The hosts that links may lead to, by https."`
	Limits      limitsIn    `json:"limits" jsonschema_description:"Bounds of memory."`
	Policy      policyIn    `json:"policy" jsonschema_description:"What may be done, by whom, and within which bounds. Without it: only read."`
	SLAs        slasIn      `json:"slas" jsonschema_description:"How soon an incident must be acknowledged, mitigated and resolved."`
	Serve       *serveIn    `json:"serve" jsonschema_description:"The cockpit over SSH (onsale serve): where it listens, and who may come in by which key."`
}

func (configFile) what() string { return "the config" }

type limitsIn struct {
	place
	Points whole `json:"points" jsonschema:"minimum=60,maximum=20000" jsonschema_description:"Newest points kept per signal at full resolution. Default 1200."`
	Keep   span  `json:"keep" jsonschema_description:"Older points are dropped. Default 6h."`
}

func (limitsIn) what() string { return "limits" }

// templateIn is a template, and the whole of a shipped template's file.
type templateIn struct {
	place
	Extends    parents        `json:"extends" jsonschema_description:"The template that this one changes, a shipped one or one of this file; or a list of them, which are laid side by side: [builtin/alb, builtin/rds]."`
	Variables  rawMap         `json:"variables" jsonschema_description:"Variables with their defaults; null: every sale must set it. Use them as $name or ${name}; $sale is the sale's id, $$ a dollar sign."`
	Signals    rawMap         `json:"signals" jsonschema_description:"What is measured, by signal name. A signal without from changes the inherited one; null removes it."`
	Objectives []*objectiveIn `json:"objectives" jsonschema_description:"What is promised to buyers. One with the name of an inherited one replaces it."`
	Panels     []*panelIn     `json:"panels" jsonschema_description:"The charts of a sale's page, in order. Replaces the inherited ones."`
	Actions    rawMap         `json:"actions" jsonschema_description:"What can be done, by verb. An action without via changes the inherited one; null removes it."`
	Plays      rawMap         `json:"plays" jsonschema_description:"Named sequences of actions. null removes an inherited one."`
	Links      []*linkIn      `json:"links" jsonschema_description:"Console pages. One with the title of an inherited one replaces it."`
}

func (templateIn) what() string { return "a template" }

type saleIn struct {
	place
	ID       str  `json:"id" jsonschema:"required,maxLength=40,pattern=^[a-z0-9]+(-[a-z0-9]+)*$" hint:"use up to 40 lower-case letters, digits and dashes: arena-north" jsonschema_description:"Short name, unique: lower-case letters, digits and dashes."`
	Name     text `json:"name" jsonschema:"required" jsonschema_description:"What is on sale, as people say it."`
	Venue    text `json:"venue" jsonschema_description:"Where it takes place."`
	Group    text `json:"group" jsonschema_description:"The account or cluster that serves it, for the pane's corner."`
	Wall     text `json:"wall" jsonschema:"maxLength=16,pattern=^[A-Za-z0-9][A-Za-z0-9 .:&+-]*$" hint:"use up to 16 letters without marks, digits and blanks: Owl Night" jsonschema_description:"The short word of the sale in the wall's big letters. Default: as much of its name as fits."`
	Template str  `json:"template" jsonschema_description:"builtin/onsale, or a template of this file."`

	Prequeue moment  `json:"prequeue" jsonschema_description:"When the waiting room begins to fill."`
	Opens    moment  `json:"opens" jsonschema:"required" jsonschema_description:"When the doors open."`
	Closes   moment  `json:"closes" jsonschema_description:"When the sale ends."`
	Tickets  whole   `json:"tickets" jsonschema:"minimum=0" jsonschema_description:"Tickets on sale."`
	Plan     *planIn `json:"plan" jsonschema_description:"What was expected of the sale: its course, how long people stay, what one instance carries."`

	With       rawMap         `json:"with" jsonschema_description:"The template's variables for this sale."`
	Signals    rawMap         `json:"signals" jsonschema_description:"Signals of this sale alone, or changes to those of its template."`
	Objectives []*objectiveIn `json:"objectives" jsonschema_description:"Objectives of this sale alone."`
	Panels     []*panelIn     `json:"panels" jsonschema_description:"The charts of this sale's page, instead of the template's."`
	Actions    rawMap         `json:"actions" jsonschema_description:"Actions of this sale alone, or changes to those of its template."`
	Plays      rawMap         `json:"plays" jsonschema_description:"Plays of this sale alone, or instead of the template's."`
	Links      []*linkIn      `json:"links" jsonschema_description:"Console pages of this sale."`
}

func (saleIn) what() string { return "a sale" }

type signalIn struct {
	place
	From    str     `json:"from" jsonschema_description:"The source that reads it."`
	Value   number  `json:"value" jsonschema_description:"A fixed value, such as a limit that no system tells."`
	Unit    str     `json:"unit" jsonschema:"enum=count,enum=users,enum=tickets,enum=per_minute,enum=per_second,enum=ratio,enum=seconds,enum=bytes,enum=usd" jsonschema_description:"What the value counts. A standard signal has its own. Default: count."`
	Label   text    `json:"label" jsonschema_description:"The word on the screen."`
	Group   text    `json:"group" jsonschema_description:"autoscaling: the group's name or ARN. Of any other source, where the signal stands on the screen: demand, admission, funnel, stock, health, saturation, capacity or other. A standard signal has its own. Default: other."`
	Of      str     `json:"of" jsonschema_description:"The signal that this one is a part of, such as its limit."`
	Splits  str     `json:"splits" jsonschema_description:"The signal that this one is a part of the figure of, for one payment provider, one zone, one shop. Of a breach the cause names the part that broke it."`
	Part    text    `json:"part" jsonschema_description:"What that part is called in the cause: payment provider A."`
	Needed  phases  `json:"needed" jsonschema_description:"The phases in which the sale can't be judged without it; true: all of them."`
	Watch   levels  `json:"watch" jsonschema_description:"When to look: a rule, a rule per phase, or null for none."`
	Bad     levels  `json:"bad" jsonschema_description:"When it is bad: a rule, a rule per phase, or null for none."`
	Runbook runbook `json:"runbook" jsonschema_description:"What to read when it is bad: a path or an https URL; or {read: …, action: pause}, whose first lines and key the sale's page shows."`

	Query str `json:"query" jsonschema_description:"prometheus: a PromQL expression that gives one value."`

	Metric     str    `json:"metric" jsonschema_description:"cloudwatch: Namespace/Metric, such as AWS/RDS/CPUUtilization."`
	Namespace  str    `json:"namespace" jsonschema_description:"cloudwatch: the namespace, when the metric's own name holds a slash. kubernetes: the namespace of the object."`
	Dimensions rawMap `json:"dimensions" jsonschema_description:"cloudwatch: the metric's dimensions."`
	Statistic  str    `json:"statistic" jsonschema_description:"cloudwatch: Sum, Average, Minimum, Maximum, SampleCount, p95, tm99 …"`
	Metrics    rawMap `json:"metrics" jsonschema_description:"cloudwatch: the metrics of an expression, by id."`
	Expression str    `json:"expression" jsonschema_description:"cloudwatch: metric math over the ids, such as FILL(e, 0) / r."`
	Period     span   `json:"period" jsonschema_description:"cloudwatch: 60s or a multiple; 1s, 5s, 10s, 20s, 30s for high-resolution metrics. Default 60s."`
	Missing    str    `json:"missing" jsonschema:"enum=unknown,enum=zero" jsonschema_description:"cloudwatch: what a minute without a value means; redis: what a key that is not there means. Default: unknown."`
	Band       number `json:"band" jsonschema_description:"cloudwatch: how many standard deviations wide a band to ask for of CloudWatch's own anomaly model of this metric and statistic, 0.5 to 10. Default: none."`
	Region     str    `json:"region" jsonschema_description:"cloudwatch: another region than the source's."`
	Account    text   `json:"account" jsonschema_description:"cloudwatch: another account, seen from a monitoring account."`

	Queue     text `json:"queue" jsonschema_description:"sqs: the queue's name. Default: the source's queue."`
	Attribute str  `json:"attribute" jsonschema:"enum=visible,enum=in_flight,enum=delayed" jsonschema_description:"sqs: which messages to count. Default: visible."`

	Room  text `json:"room" jsonschema_description:"cloudflare-waiting-room: the room's id."`
	Field str  `json:"field" jsonschema:"enum=queued_users,enum=active_users,enum=new_users_per_minute,enum=total_active_users,enum=wait,enum=queue_all,enum=in_service,enum=desired,enum=min,enum=max,enum=pending,enum=unhealthy,enum=warm,enum=healthy_targets,enum=running,enum=unschedulable,enum=connections_max,enum=available,enum=readers,enum=failover_targets,enum=storage_bytes,enum=storage_max_bytes,enum=acu_min,enum=acu_max,enum=waiting_in_queue,enum=redirects_last_minute,enum=max_redirects_per_minute,enum=safety_net_redirects,enum=messages,enum=messages_ready,enum=messages_unacknowledged,enum=consumers,enum=publish_rate,enum=deliver_rate,enum=ack_rate,enum=gate_rate,enum=gate_paused,enum=passed_per_minute,enum=list_length,enum=set_size,enum=sorted_set_size,enum=stream_length,enum=group_lag,enum=group_pending,enum=counter" jsonschema_description:"Which figure. cloudflare-waiting-room: queued_users, active_users, new_users_per_minute, total_active_users, wait, queue_all. autoscaling: in_service, desired, min, max, pending, unhealthy, warm, healthy_targets. ecs: running, desired, pending, min, max. rds: connections_max, available, readers, failover_targets, storage_bytes, storage_max_bytes, acu_min, acu_max. kubernetes: in_service, desired, min, max, pending, unschedulable. http-json with preset queue-it: waiting_in_queue, redirects_last_minute, max_redirects_per_minute, safety_net_redirects; rabbitmq: messages, messages_ready, messages_unacknowledged, consumers, publish_rate, deliver_rate, ack_rate; gate: gate_rate, gate_paused, passed_per_minute. redis: list_length, set_size, sorted_set_size, stream_length, group_lag, group_pending, counter."`

	Cluster   text   `json:"cluster" jsonschema_description:"ecs: the cluster's name or ARN; default: the source's cluster. rds: an Aurora or Multi-AZ cluster's identifier or ARN."`
	Instance  text   `json:"instance" jsonschema_description:"rds: the DB instance's identifier or ARN."`
	Service   text   `json:"service" jsonschema_description:"ecs: the service's name or ARN."`
	JQ        str    `json:"jq" jsonschema:"maxLength=2000" jsonschema_description:"http-json: a jq expression that gives one number: .queue.waiting. A dollar sign is written $$."`
	Boolean   toggle `json:"boolean" jsonschema_description:"http-json: true reads true and false as 1 and 0."`
	Key       text   `json:"key" jsonschema_description:"redis: the key to read."`
	Consumers text   `json:"consumers" jsonschema_description:"redis: the consumer group of a stream."`

	Object   str `json:"object" jsonschema:"enum=deployment,enum=hpa,enum=scaledobject" jsonschema_description:"kubernetes: the kind of the object. Default: deployment."`
	Resource str `json:"resource" jsonschema_description:"kubernetes: the object's name."`
}

func (signalIn) what() string { return "a signal" }

type metricIn struct {
	place
	Metric     str    `json:"metric" jsonschema:"required" jsonschema_description:"Namespace/Metric."`
	Namespace  str    `json:"namespace" jsonschema_description:"The namespace, when the metric's own name holds a slash."`
	Dimensions rawMap `json:"dimensions" jsonschema_description:"The metric's dimensions."`
	Statistic  str    `json:"statistic" jsonschema:"required" jsonschema_description:"Sum, Average, Minimum, Maximum, SampleCount, p95 …"`
	Account    text   `json:"account" jsonschema_description:"Another account, seen from a monitoring account."`
}

func (metricIn) what() string { return "a metric" }

type objectiveIn struct {
	place
	Name        str  `json:"name" jsonschema:"required" jsonschema_description:"What is promised, in a word."`
	Signal      str  `json:"signal" jsonschema:"required" jsonschema_description:"The signal that tells."`
	Target      text `json:"target" jsonschema:"required,pattern=^[0-9]+(\\.[0-9]+)?%$" hint:"write a percentage below 100: 99.9%" jsonschema_description:"The part that must be good, such as 99.9%."`
	Below       text `json:"below" jsonschema_description:"Good is below this, in the signal's unit: 1.5s. Without it the signal is the bad part itself."`
	Month       str  `json:"month" jsonschema_description:"The signal that reads the good part of the month, a ratio, such as a Prometheus query over 30 days. It is shown beside the budget."`
	MonthErrors str  `json:"month_errors" jsonschema_description:"The same by the bad part: the signal that reads the month's error ratio."`
	Burns       str  `json:"burns" jsonschema:"enum=watch,enum=bad" jsonschema_description:"What the sale is when this objective's budget burns too fast or is spent. Default: watch."`
}

func (objectiveIn) what() string { return "an objective" }

type panelIn struct {
	place
	Title   text  `json:"title" jsonschema:"required" jsonschema_description:"The panel's heading."`
	Signals []str `json:"signals" jsonschema:"required,minItems=1,maxItems=3" jsonschema_description:"One to three signals."`
}

func (panelIn) what() string { return "a panel" }

type linkIn struct {
	place
	Title text `json:"title" jsonschema:"required" jsonschema_description:"What the page is."`
	URL   str  `json:"url" jsonschema:"required" jsonschema_description:"Its https address; the host must be in link_hosts."`
}

func (linkIn) what() string { return "a link" }

// rawMap is a group of keys that is looked into later, name by name.
type rawMap struct{ place }

func (*rawMap) schema() *jsonschema.Schema { return &jsonschema.Schema{Type: "object"} }

func (m *rawMap) read(r *reader, n *node, c constraint) {
	if n.kind != mapKind {
		r.wrong(n, fmt.Sprintf("%q needs a group of keys, this is %s", c.key, n.found()), "write name: value, one per line")
		return
	}
	m.at = n
}
