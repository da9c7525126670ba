package sale

// Signal names something measured for a sale. The standard names below carry a unit and a
// meaning that the cockpit computes with; any other name is shown as it is.
type Signal string

// The standard signals. Ratios are 0–1, times are seconds, rates are per second unless the
// name or the unit says per minute.
const (
	Waiting    Signal = "waiting"     // people in the queue, users
	InflowRate Signal = "inflow_rate" // people joining the queue, per minute

	AdmissionRate  Signal = "admission_rate"  // people let in, per minute
	AdmissionLimit Signal = "admission_limit" // the gate's configured rate, per minute
	ActiveUsers    Signal = "active_users"    // people past the gate, users
	ActiveLimit    Signal = "active_limit"    // the gate's configured ceiling, users
	WaitSeconds    Signal = "wait_seconds"    // expected wait at the tail of the queue, seconds

	Holds               Signal = "holds"                 // baskets holding tickets, count
	CheckoutRate        Signal = "checkout_rate"         // checkouts begun, per minute
	OrderRate           Signal = "order_rate"            // orders paid, per minute
	PaymentFailureRatio Signal = "payment_failure_ratio" // declined or failed / attempted
	PaymentP95          Signal = "payment_p95_seconds"   // payment call, 95th percentile

	TicketsLeft Signal = "tickets_left" // tickets neither sold nor held, count
	TicketsHeld Signal = "tickets_held" // tickets in baskets, count

	RequestRate    Signal = "request_rate"        // HTTP requests, per second
	ErrorRatio     Signal = "error_ratio"         // 5xx / requests at the load balancer
	LatencyP95     Signal = "latency_p95_seconds" // response time, 95th percentile
	EdgeErrorRatio Signal = "edge_error_ratio"    // 5xx / requests at the CDN
	CacheHitRatio  Signal = "cache_hit_ratio"     // CDN cache hits / requests

	DBConnections      Signal = "db_connections"       // open connections, count
	DBConnectionsMax   Signal = "db_connections_max"   // the database's own limit, count
	DBCPURatio         Signal = "db_cpu_ratio"         // CPU busy, ratio
	QueueDepth         Signal = "queue_depth"          // messages waiting, count
	QueueOldestSeconds Signal = "queue_oldest_seconds" // age of the oldest message, seconds
	PodsPending        Signal = "pods_pending"         // pods without a node, count

	CapacityInService Signal = "capacity_in_service" // healthy instances, tasks or pods, count
	CapacityDesired   Signal = "capacity_desired"    // what was asked for, count
	CapacityMin       Signal = "capacity_min"        // the floor, count
	CapacityMax       Signal = "capacity_max"        // the ceiling, count
)

// Unit says what a value counts. It decides how the value is written, never its scale:
// a ratio is stored as 0.07 and written "7.0 %".
type Unit string

// The units that the cockpit writes specially. The empty unit is a bare number.
const (
	Count     Unit = "count"
	Users     Unit = "users"
	Tickets   Unit = "tickets"
	PerMinute Unit = "per_minute"
	PerSecond Unit = "per_second"
	Ratio     Unit = "ratio"
	Seconds   Unit = "seconds"
	Bytes     Unit = "bytes"
	USD       Unit = "usd"
)

// Meaning is what the cockpit knows about a standard signal.
type Meaning struct {
	Signal Signal
	Unit   Unit
	Label  string // short word for a row, at most 12 cells: "declines"
	Group  Group
}

// Group is the part of an on-sale that a signal describes, in the order a pane shows them.
type Group string

// The groups, in display order.
const (
	Demand     Group = "demand"
	Admission  Group = "admission"
	Funnel     Group = "funnel"
	Stock      Group = "stock"
	Health     Group = "health"
	Saturation Group = "saturation"
	Capacity   Group = "capacity"
	Other      Group = "other"
)

// Standard lists every standard signal in display order. The caller must not change it.
func Standard() []Meaning { return standard }

var standard = []Meaning{
	{Waiting, Users, "waiting", Demand},
	{InflowRate, PerMinute, "inflow", Demand},
	{AdmissionRate, PerMinute, "admitted", Admission},
	{AdmissionLimit, PerMinute, "rate limit", Admission},
	{ActiveUsers, Users, "active", Admission},
	{ActiveLimit, Users, "active limit", Admission},
	{WaitSeconds, Seconds, "wait", Admission},
	{Holds, Count, "holds", Funnel},
	{CheckoutRate, PerMinute, "checkouts", Funnel},
	{OrderRate, PerMinute, "orders", Funnel},
	{PaymentFailureRatio, Ratio, "declines", Funnel},
	{PaymentP95, Seconds, "payment p95", Funnel},
	{TicketsLeft, Tickets, "left", Stock},
	{TicketsHeld, Tickets, "held", Stock},
	{RequestRate, PerSecond, "requests", Health},
	{ErrorRatio, Ratio, "errors", Health},
	{LatencyP95, Seconds, "p95", Health},
	{EdgeErrorRatio, Ratio, "edge errors", Health},
	{CacheHitRatio, Ratio, "cache hit", Health},
	{DBConnections, Count, "db conns", Saturation},
	{DBConnectionsMax, Count, "db max", Saturation},
	{DBCPURatio, Ratio, "db cpu", Saturation},
	{QueueDepth, Count, "queue", Saturation},
	{QueueOldestSeconds, Seconds, "queue oldest", Saturation},
	{PodsPending, Count, "pods pending", Saturation},
	{CapacityInService, Count, "in service", Capacity},
	{CapacityDesired, Count, "desired", Capacity},
	{CapacityMin, Count, "min", Capacity},
	{CapacityMax, Count, "max", Capacity},
}

// MeaningOf returns what is known about a signal; ok is false for a name that is not standard.
func MeaningOf(s Signal) (m Meaning, ok bool) {
	m, ok = meanings[s]
	return m, ok
}

var meanings = func() map[Signal]Meaning {
	byName := make(map[Signal]Meaning, len(standard))
	for _, m := range standard {
		byName[m.Signal] = m
	}
	return byName
}()
