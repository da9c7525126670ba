// Package telemetry is the contract between the rehearsal platform's model and the servers
// that publish it in the words of AWS: metrics in closed minutes, queues and alarms. It holds
// plain data and interfaces only, so that a server never reaches into the model.
package telemetry

import "time"

// Account is the account that every rehearsed AWS resource belongs to.
const Account = "471122083344"

// The regions that the platform lives in. CloudFront publishes its metrics in Edge only.
const (
	Region = "eu-central-1"
	Edge   = "us-east-1"
)

// Metric addresses one CloudWatch metric.
type Metric struct {
	Region    string
	Namespace string
	Name      string
	// Dimensions is "name=value,name=value", sorted by name; see Dimensions. It is matched whole:
	// a metric is not found by a part of its dimensions.
	Dimensions string
}

// Minute is the raw material of one closed minute of a metric: enough for Sum, Average, Minimum,
// Maximum, SampleCount and percentiles. The statistics of a longer period are those of its
// minutes put together.
type Minute struct {
	Start         time.Time // UTC, on the minute
	Sum, Min, Max float64
	Count         float64   // samples; never 0: a minute without samples is absent
	Sorted        []float64 // optional: samples in ascending order that stand for the minute, for percentiles; not to be changed
	Unit          string    // CloudWatch's unit: "Count", "Seconds", "Percent", …
}

// Metrics is what CloudWatch can be asked for. Both methods are safe for many goroutines.
type Metrics interface {
	// Minutes returns the published minutes with from <= Start < to, oldest first. Minutes that the
	// service has not published yet, because it publishes late, are absent. exists is false for a
	// metric that was never published; a metric that exists may have no minutes in the range.
	Minutes(m Metric, from, to time.Time) (minutes []Minute, exists bool)
	// List returns every metric of a region, in a stable order.
	List(region string) []Metric
}

// Queues is what SQS can be asked for.
type Queues interface {
	// Queue returns the approximate counts of a queue; ok is false for an unknown name.
	Queue(name string) (visible, inFlight, delayed int, ok bool)
	// Names returns the names of all queues, sorted.
	Names() []string
}

// The states of an alarm, as CloudWatch writes them.
const (
	AlarmOK           = "OK"
	AlarmFiring       = "ALARM"
	AlarmInsufficient = "INSUFFICIENT_DATA"
)

// Alarm is one metric alarm as it stands.
type Alarm struct {
	Name        string
	Description string
	State       string    // AlarmOK, AlarmFiring or AlarmInsufficient
	Since       time.Time // when the state began
	Updated     time.Time // when the state was last written
	Reason      string    // CloudWatch's sentence of why

	Metric            Metric
	Statistic         string // "Average", "Sum", "Maximum", …
	Period            time.Duration
	EvaluationPeriods int
	DatapointsToAlarm int
	Threshold         float64
	Comparison        string // "GreaterThanThreshold", …
	TreatMissing      string // "missing", "notBreaching", …
}

// Alarms is what DescribeAlarms can be asked for.
type Alarms interface {
	// Alarms returns the alarms of a region, sorted by name.
	Alarms(region string) []Alarm
}

// Composite is an alarm over other alarms.
type Composite struct {
	Name, Description string
	Children          []string  // it is in alarm while one of them is
	State             string    // AlarmOK, AlarmFiring or AlarmInsufficient
	Since             time.Time // when the state began
	Reason            string
}

// Mute is a rule that mutes alarms while it is active.
type Mute struct {
	Name, Description string
	Alarms            []string
	Active            bool
	Expires           time.Time
}

// Grouped is what DescribeAlarms and the mute rules can be asked for where a platform has them.
type Grouped interface {
	// Composites returns the composite alarms of a region, sorted by name.
	Composites(region string) []Composite
	// Mutes returns the mute rules of a region, sorted by name.
	Mutes(region string) []Mute
}
