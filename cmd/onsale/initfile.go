package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// This file writes the text of a first config: for a person, who will go on with it.

// quoted is any text as one YAML value; Go's double quotes are YAML's for what passed sale.Clean.
func quoted(text string) string { return strconv.Quote(sale.Clean(text, 0)) }

// single is a query as one YAML value, as people write it.
func single(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// sourceLines are the sources that were named, whether or not anything was found behind them.
func (b *beginning) sourceLines() (lines []string) {
	add := func(name, kind string, more ...string) {
		lines = append(lines, fmt.Sprintf("  %s: {%s}", name, strings.Join(append([]string{"kind: " + kind}, more...), ", ")))
	}
	if b.prometheus != "" {
		more := []string{"url: " + quoted(b.prometheus), "every: 5s"}
		if b.bearer != "" {
			more = append(more, "auth: {bearer: "+quoted(b.bearer)+"}")
		}
		add("metrics", "prometheus", more...)
	}
	if b.region != "" {
		aws := func(region, service string) []string {
			more := []string{"region: " + quoted(region)}
			if b.profile != "" {
				more = append(more, "profile: "+quoted(b.profile))
			}
			if url := b.endpoints[service]; url != "" {
				more = append(more, "endpoint: "+quoted(url))
			}
			return more
		}
		add("aws", "cloudwatch", aws(b.region, "cloudwatch")...)
		add("edge", "cloudwatch", append(aws("us-east-1", "cloudfront"), "delay: 4m")...)
		add("groups", "autoscaling", aws(b.region, "autoscaling")...)
		add("services", "ecs", aws(b.region, "ecs")...)
		add("orders", "sqs", aws(b.region, "sqs")...)
		add("aws_alarms", "cloudwatch-alarms", aws(b.region, "cloudwatch")...)
	}
	if b.zone != "" {
		more := []string{"zone: " + quoted(b.zone), "token: " + quoted(b.token)}
		if url := b.endpoints["cloudflare"]; url != "" {
			more = append(more, "url: "+quoted(url))
		}
		add("gate", "cloudflare-waiting-room", more...)
	}
	return lines
}

// probe is the smallest config with these sources, so that what the answers mean is decided in one place.
func (b *beginning) probe() string {
	return "environment: " + quoted(b.environment) + "\nsources:\n" + strings.Join(b.sourceLines(), "\n") +
		"\nsales:\n  - {id: probe, name: Probe, opens: 2026-01-01T10:00Z, signals: {tickets_left: {value: 1}}}\n"
}

// declaredSignal is one signal of the template, with the sources that it needs.
type declaredSignal struct {
	signal sale.Signal
	from   string
	body   string // what follows from, without braces
}

// first is the first config as far as it is put together.
type first struct {
	signals  []declaredSignal
	with     []string // of the sale
	open     []choice // what nobody could choose
	wanted   []string // variables of the template that every sale sets
	optional []string // those with a value of their own
}

// choice is what could be read if somebody said of which one.
type choice struct {
	first
	variable, text string
}

func (d *first) add(s sale.Signal, from, body string) {
	if !slices.ContainsFunc(d.signals, func(o declaredSignal) bool { return o.signal == s }) {
		d.signals = append(d.signals, declaredSignal{s, from, body})
	}
}

// write puts the file together.
func (b *beginning) write(f found, ask *asker, note func(string, ...any)) (string, error) {
	d := &first{}
	for _, e := range f.signals {
		d.add(e.signal, "metrics", e.body())
	}
	if slices.ContainsFunc(f.signals, func(e exported) bool { return strings.Contains(e.query, "$selector") }) {
		d.optional = append(d.optional, "selector: ''")
		if b.selector != "" {
			d.with = append(d.with, "selector: "+single(b.selector))
		}
	}
	for _, part := range []struct {
		variable, what string
		names          []string
		add            func(*first)
	}{
		{"room", "waiting rooms", f.rooms, roomSignals},
		{"alb", "load balancers", f.balancers, balancerSignals},
		{"db", "databases", f.databases, databaseSignals},
		{"asg", "Auto Scaling groups", f.groups, groupSignals},
		{"service", "ECS services", f.services, serviceSignals},
		{"queue", "queues", f.queues, queueSignals},
		{"distribution", "CloudFront distributions", f.distributions, edgeSignals},
	} {
		if len(part.names) == 0 {
			continue
		}
		var choose func([]string) (int, error)
		if ask != nil {
			choose = func(names []string) (int, error) { return ask.choose(part.what, names) }
		}
		name, err := pick(part.names, b.id, choose)
		if err != nil {
			return "", err
		}
		if name == "" {
			c := choice{variable: part.variable, text: fmt.Sprintf("%d %s: %s", len(part.names), part.what, shortList(part.names))}
			part.add(&c.first)
			d.open = append(d.open, c)
			note("  ? %s: choose in the file", c.text)
			continue
		}
		d.wanted = append(d.wanted, part.variable)
		d.with = append(d.with, part.variable+": "+quoted(name))
		part.add(d)
	}
	if len(d.signals) == 0 && !b.discover && b.prometheus != "" {
		// One question that every Prometheus answers, so that the first look shows a figure.
		e := exported{signal: "targets_down", unit: "count", label: "targets down", query: "count(up) - sum(up)", watch: "> 0 for 2m"}
		d.add(e.signal, "metrics", e.body())
	}
	if len(d.signals) == 0 {
		return "", errNothingFound
	}
	return b.text(d, f), nil
}

func shortList(names []string) string {
	const most = 8
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
}

// errNothingFound ends init without a file: one that reads nothing would only look like a beginning.
var errNothingFound = errors.New("nothing was found that tells of a sale, so nothing was written: see that --discover is given and what it said above")

// body is the signal as a file declares it.
func (e *exported) body() string {
	var parts []string
	if e.unit != "" {
		parts = append(parts, "unit: "+e.unit)
	}
	if e.label != "" {
		parts = append(parts, "label: "+e.label)
	}
	parts = append(parts, "query: "+single(e.query))
	if e.signal == sale.DBConnections {
		parts = append(parts, "of: db_connections_max")
	}
	if e.needed {
		parts = append(parts, "needed: [opening, live]")
	}
	if e.watch != "" {
		parts = append(parts, "watch: "+quoted(e.watch))
	}
	if e.bad != "" {
		parts = append(parts, "bad: "+quoted(e.bad))
	}
	return strings.Join(parts, ", ")
}

func roomSignals(d *first) {
	d.add(sale.Waiting, "gate", "room: $room, field: queued_users, needed: [prequeue, opening, live]")
	d.add(sale.ActiveUsers, "gate", `room: $room, field: active_users, of: active_limit, needed: [opening, live], watch: "> 95% of active_limit for 2m"`)
	d.add(sale.ActiveLimit, "gate", "room: $room, field: total_active_users")
	d.add(sale.AdmissionLimit, "gate", "room: $room, field: new_users_per_minute")
	d.add(sale.WaitSeconds, "gate", "room: $room, field: wait")
}

func balancerSignals(d *first) {
	const requests = "{metric: AWS/ApplicationELB/RequestCount, dimensions: {LoadBalancer: $alb}, statistic: Sum}"
	d.add(sale.ErrorRatio, "aws", "metrics: {e: {metric: AWS/ApplicationELB/HTTPCode_Target_5XX_Count, dimensions: {LoadBalancer: $alb}, statistic: Sum}, r: "+
		requests+`}, expression: 'FILL(e, 0) / r', period: 60s, needed: [opening, live], watch: "> 1% for 1m", bad: "> 5% for 1m"`)
	d.add(sale.RequestRate, "aws", "metrics: {r: "+requests+"}, expression: 'r / 60', period: 60s")
	d.add(sale.LatencyP95, "aws", `metric: AWS/ApplicationELB/TargetResponseTime, dimensions: {LoadBalancer: $alb}, statistic: p95, period: 60s, watch: "> 1.5s for 1m", bad: "> 3s for 1m"`)
}

func databaseSignals(d *first) {
	d.add(sale.DBConnections, "aws", "metric: AWS/RDS/DatabaseConnections, dimensions: {DBInstanceIdentifier: $db}, statistic: Maximum, period: 60s, needed: [opening, live]")
	d.add(sale.DBCPURatio, "aws", `metrics: {c: {metric: AWS/RDS/CPUUtilization, dimensions: {DBInstanceIdentifier: $db}, statistic: Average}}, expression: 'c / 100', period: 60s, watch: "> 80% for 2m", bad: "> 95% for 2m"`)
}

func groupSignals(d *first) {
	for _, s := range []sale.Signal{sale.CapacityInService, sale.CapacityDesired, sale.CapacityMin, sale.CapacityMax} {
		body := "group: $asg"
		if s == sale.CapacityInService {
			body += ", of: capacity_max"
		}
		d.add(s, "groups", body)
	}
}

func serviceSignals(d *first) {
	d.add(sale.CapacityInService, "services", "service: $service")
	d.add(sale.CapacityDesired, "services", "service: $service")
	d.add("tasks_pending", "services", `service: $service, field: pending, watch: "> 0 for 3m"`)
}

func queueSignals(d *first) {
	d.add(sale.QueueDepth, "orders", `queue: $queue, attribute: visible, watch: "> 5000 for 1m", bad: "> 20000 for 1m"`)
	d.add(sale.QueueOldestSeconds, "aws", `metric: AWS/SQS/ApproximateAgeOfOldestMessage, dimensions: {QueueName: $queue}, statistic: Maximum, period: 60s, missing: zero, watch: "> 120s for 1m", bad: "> 600s for 1m"`)
}

func edgeSignals(d *first) {
	d.add(sale.EdgeErrorRatio, "edge", `metrics: {p: {metric: AWS/CloudFront/5xxErrorRate, dimensions: {DistributionId: $distribution, Region: Global}, statistic: Average}}, expression: 'p / 100', period: 60s, watch: "> 1% for 2m", bad: "> 5% for 2m"`)
}

// text is the whole file. A source that nothing reads is left out: it would ask nothing.
func (b *beginning) text(d *first, f found) string {
	var w strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&w, format+"\n", args...) }
	line("# onsale's config, begun with \"onsale config init\" on %s. Strict: a mistake has a line and a fix.", time.Now().Format(time.DateOnly))
	line("# Save it while the cockpit runs and it is taken within two seconds. All of it: onsale config schema.")
	line("environment: %s", quoted(b.environment))
	line("")
	line("# Where figures come from. A secret is never written here, only where it is: ${env:NAME} or ${file:/path}.")
	line("sources:")
	for _, source := range b.sourceLines() {
		name, _, _ := strings.Cut(strings.TrimSpace(source), ":")
		uses := func(s declaredSignal) bool { return s.from == name }
		read := slices.ContainsFunc(d.signals, uses) || slices.ContainsFunc(d.open, func(c choice) bool { return slices.ContainsFunc(c.signals, uses) })
		if read || name == "aws_alarms" && f.alarms {
			line("%s", source)
		}
	}
	if f.alerts {
		line("%s", strings.Replace(strings.Replace(b.sourceLines()[0], "  metrics: {kind: prometheus,", "  rules: {kind: prometheus-alerts,", 1), "every: 5s", "every: 15s", 1))
	}
	line("")
	line("# What a sale is read by. $name is a variable that each sale sets under \"with\".")
	line("templates:")
	line("  shop:")
	if len(d.wanted)+len(d.optional) > 0 {
		line("    variables:")
		for _, v := range d.optional {
			line("      %-22s # label matchers of the shop's series, such as 'job=\"shop\"'; empty: all of them", v)
		}
		for _, v := range d.wanted {
			line("      %s: null", v)
		}
	}
	line("    signals:")
	for _, s := range d.signals {
		line("      %s: {from: %s, %s}", s.signal, s.from, s.body)
	}
	for _, c := range d.open {
		line("      # %s. To read one, write under \"with\": %s: NAME, under \"variables\": %s: null, and uncomment:", sale.Clean(c.text, 0), c.variable, c.variable)
		for _, s := range c.signals {
			line("      # %s: {from: %s, %s}", s.signal, s.from, s.body)
		}
	}
	if slices.Contains(d.wanted, "db") && !slices.ContainsFunc(d.signals, func(s declaredSignal) bool { return s.signal == sale.DBConnectionsMax }) {
		line("      # CloudWatch does not tell max_connections. Write it down, and add to db_connections: of: db_connections_max,")
		line("      # watch: \"> 80%% of db_connections_max for 1m\", bad: \"> 95%% of db_connections_max for 1m\"")
		line("      # db_connections_max: {value: 2000}")
	}
	line("")
	line("# One more sale is one more entry.")
	line("sales:")
	line("  - id: %s", b.id)
	line("    name: %s", quoted(b.name))
	line("    template: shop")
	line("    opens: %s", b.opensAt.Format("2006-01-02T15:04Z07:00"))
	line("    # prequeue, closes, venue, tickets and a plan make the forecast and the checks sharper: docs/config.md")
	if len(f.jobs) > 1 && b.selector == "" && len(d.optional) > 0 {
		line("    # Prometheus scrapes %s: say which is the shop, as selector: 'job=%s'", shortList(f.jobs), strconv.Quote(f.jobs[0]))
	}
	if len(d.with) > 0 {
		line("    with: {%s}", strings.Join(d.with, ", "))
	}
	line("")
	line("# To act from the cockpit (pause, rate, scale, incident): add controls, actions and a policy: docs/acting.md")
	return w.String()
}
