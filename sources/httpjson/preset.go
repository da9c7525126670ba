package httpjson

import (
	"maps"
	"slices"
	"time"
)

// preset is what is known of a system that many have.
type preset struct {
	fields map[string]field
	at     map[string]string // the At of each path, where its answer has one

	// calls per window is what reading may use of the provider's limit; 0: no limit is known.
	calls  int
	window time.Duration
	limit  string
	// least is the shortest sensible cadence, period how often the figures change by themselves.
	least, period time.Duration
}

// field is one figure of a preset.
type field struct {
	path    string // after the source's URL
	expr    string
	boolean bool
}

// The names of the presets.
const (
	QueueIt  = "queue-it"
	RabbitMQ = "rabbitmq"
	Gate     = "gate"
)

const queueItSummary = "/queue/statistics/summary"

// presets by name. Queue-it's API v2 allows ten calls a minute to an active event, gives numbers as
// strings and counts by the minute (api2.queue-it.net/SecurityAndData); reading leaves four of the
// ten to people and actions. RabbitMQ's management API collects statistics every 5 s; its rates are
// absent, and so not known, until the first message (rabbitmq.com/docs/management). A gate is what a
// shop builds for itself, in the shape that the action webhook reads back.
var presets = map[string]*preset{
	QueueIt: {
		fields: map[string]field{
			"waiting_in_queue":         {path: queueItSummary, expr: ".TotalWaitingInQueueCount"},
			"redirects_last_minute":    {path: queueItSummary, expr: ".NoOfRedirectsLastMinute"},
			"safety_net_redirects":     {path: queueItSummary, expr: ".SafetyNetRedirectedCount"},
			"max_redirects_per_minute": {expr: ".MaxRedirectsPerMinute"},
		},
		at:    map[string]string{queueItSummary: ".VersionTimestamp"},
		calls: 6, window: time.Minute, limit: "10 per min and event",
		least: 20 * time.Second, period: time.Minute,
	},
	RabbitMQ: {
		fields: map[string]field{
			"messages":                {expr: ".messages"},
			"messages_ready":          {expr: ".messages_ready"},
			"messages_unacknowledged": {expr: ".messages_unacknowledged"},
			"consumers":               {expr: ".consumers"},
			"publish_rate":            {expr: ".message_stats.publish_details.rate"},
			"deliver_rate":            {expr: ".message_stats.deliver_get_details.rate"},
			"ack_rate":                {expr: ".message_stats.ack_details.rate"},
		},
		least: 5 * time.Second, period: 5 * time.Second,
	},
	Gate: {
		fields: map[string]field{
			"gate_rate":         {expr: `if (.paused | type) != "boolean" then null elif .paused then 0 else .rate end`},
			"gate_paused":       {expr: ".paused", boolean: true},
			"passed_per_minute": {expr: ".passed_per_minute"},
		},
	},
}

// Presets lists the presets in order.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

// Fields lists the figures of a preset in order; nil when there is none of that name.
func Fields(name string) []string {
	p, ok := presets[name]
	if !ok {
		return nil
	}
	return slices.Sorted(maps.Keys(p.fields))
}
