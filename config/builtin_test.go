package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/onsale-dev/onsale/sale"
)

// samples are what a sale sets for each shipped template.
var samples = map[string]string{
	"alb": "alb: app/shop/50dc6c495c0c9188", "target-group": "alb: app/shop/50dc6c495c0c9188, target_group: targetgroup/shop/6d0ecf831eec9f09", "cloudfront": "distribution: EDFDVBD6EXAMPLE",
	"rds": "db: shop", "aurora": "db_cluster: tide", "aurora-serverless": "db_cluster: tide", "lambda": "function: checkout", "elasticache": "cache: shop-001", "sqs": "queue: orders",
	"ec2": "asg: web", "ecs": "ecs_cluster: prod, service: web", "eks": "eks_cluster: prod, namespace: shop, pods: web",
	"kafka": "topic: orders, consumer_group: shop", "nats": "stream: ORDERS, consumer: shop", "rabbitmq": "rabbit_queue: orders", "redis": `redis: 'instance="r-1:9121"'`, "redis-queue": "inside_key: shop-inside", "postgresql": "", "mysql": "", "nginx": "",
	"haproxy": "frontend: web, backend: shop", "kubernetes": "namespace: shop, deployment: web, hpa: web",
	"onsale": "room: r1, db: shop, db_max: 400, alb: app/shop/1, asg: web, distribution: EDF, queue: orders",
}

// declaring is a file with every source that shipped templates read by default, and one sale.
func declaring(templates, template, with string) string {
	return fmt.Sprintf(`
environment: staging
sources:
  metrics: {kind: prometheus, url: "http://127.0.0.1:9090"}
  aws: {kind: cloudwatch, region: eu-central-1}
  edge: {kind: cloudwatch, region: us-east-1, delay: 240s}
  databases: {kind: rds, region: eu-central-1}
  hosts: {kind: autoscaling, region: eu-central-1}
  services: {kind: ecs, region: eu-central-1}
  orders: {kind: sqs, region: eu-central-1}
  line: {kind: redis, address: "127.0.0.1:6379"}
  gate: {kind: cloudflare-waiting-room, zone: abc, token: "${env:TOKEN}"}
%s
sales:
  - id: harbour
    name: Harbour
    opens: 2026-12-01T10:00:00Z
    template: %s
    with: {%s}
`, templates, template, with)
}

func declared(t *testing.T, text string) *Config {
	t.Helper()
	c, err := parse("onsale.yaml", "/conf", []byte(text), fixtureEnvironment())
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return c
}

// shipped are the sales that the samples give, by template. Each is resolved once for all tests.
var shipped = sync.OnceValues(func() (map[string]*Config, error) {
	all := map[string]*Config{}
	for name, with := range samples {
		c, err := parse("onsale.yaml", "/conf", []byte(declaring("", builtinPrefix+name, with)), fixtureEnvironment())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all[name] = c
	}
	return all, nil
})

func shippedSales(t *testing.T) map[string]*Config {
	t.Helper()
	all, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryShippedTemplateResolvesWithItsSampleVariables(t *testing.T) {
	var names []string
	for _, name := range Builtins() {
		short := strings.TrimPrefix(name, builtinPrefix)
		names = append(names, short)
		t.Run(short, func(t *testing.T) {
			c, ok := shippedSales(t)[short]
			if !ok {
				t.Fatal("it has no sample variables")
			}
			if len(c.Warnings) > 0 {
				t.Errorf("warnings: %v", c.Warnings)
			}
			s := c.Sales[0]
			needed, ruled, panels := 0, 0, 0
			for _, spec := range s.Signals {
				if len(spec.Needed) > 0 {
					needed++
				}
				if spec.Rules.Watch.Default != nil || spec.Rules.Bad.Default != nil {
					ruled++
				}
				if m, standard := sale.MeaningOf(spec.Signal); !standard && spec.Group == sale.Other {
					t.Errorf("%s has no place on the screen (%v)", spec.Signal, m)
				}
			}
			panels = len(s.Panels)
			if ruled == 0 || panels == 0 || needed == 0 && !slices.Contains([]string{"cloudfront", "lambda"}, short) {
				t.Errorf("%d signals with thresholds, %d needed, %d panels", ruled, needed, panels)
			}
			data, err := Builtin(name)
			if err != nil || !strings.HasPrefix(string(data), fmt.Sprintf("# The shipped template %q", name)) {
				t.Errorf("it does not say what it is: %v", err)
			}
		})
	}
	slices.Sort(names)
	if got := slices.Sorted(maps.Keys(samples)); !slices.Equal(got, names) {
		t.Errorf("samples for %q, templates are %q", got, names)
	}
}

func TestEveryQueryOfAShippedTemplateIsGoodPromQL(t *testing.T) {
	p, queries := parser.NewParser(parser.Options{}), 0
	for name, c := range shippedSales(t) {
		for _, r := range c.Sales[0].Reads {
			if r.Prometheus == nil {
				continue
			}
			queries++
			e, err := p.ParseExpr(r.Prometheus.Query)
			if err != nil {
				t.Errorf("%s, %s: %v", name, r.Signal, err)
				continue
			}
			if strings.Contains(r.Prometheus.Query, "$") {
				t.Errorf("%s, %s: a variable is left over: %s", name, r.Signal, r.Prometheus.Query)
			}
			// One value per signal: what is not aggregated may come as many series.
			if e.Type() != parser.ValueTypeVector && e.Type() != parser.ValueTypeScalar {
				t.Errorf("%s, %s gives %s", name, r.Signal, e.Type())
			}
			parser.Inspect(e, func(n parser.Node, above []parser.Node) error {
				if _, ok := n.(*parser.VectorSelector); ok && !slices.ContainsFunc(above, func(n parser.Node) bool { _, is := n.(*parser.AggregateExpr); return is }) {
					t.Errorf("%s, %s: a series is not aggregated: %s", name, r.Signal, n)
				}
				return nil
			})
		}
	}
	if queries < 50 {
		t.Errorf("only %d queries", queries)
	}
}

// published is what CloudWatch's namespaces hold of the metrics that shipped templates read: the sets
// of dimensions under which they are published. Sources:
//
//	AWS/ApplicationELB  docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
//	AWS/CloudFront      docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/programming-cloudwatch-metrics.html
//	AWS/RDS             docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html and dimensions.html,
//	                    docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.AuroraMonitoring.Metrics.html
//	AWS/Lambda          docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
//	AWS/ElastiCache     docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.Redis.html and CacheMetrics.HostLevel.html
//	AWS/SQS             docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
//	AWS/EC2             docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html
//	AWS/ECS             docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html
//	AWS/AutoScaling     docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-metrics.html
//	ContainerInsights   docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-EKS.html
var published = map[string]struct {
	dimensions []string // each set in order, joined with a blank
	metrics    string
}{
	"AWS/ApplicationELB": {[]string{"LoadBalancer", "LoadBalancer TargetGroup"}, "RequestCount HTTPCode_Target_5XX_Count HTTPCode_ELB_5XX_Count TargetResponseTime RejectedConnectionCount HealthyHostCount UnHealthyHostCount RequestCountPerTarget"},
	"AWS/CloudFront":     {[]string{"DistributionId Region"}, "Requests 5xxErrorRate CacheHitRate OriginLatency"},
	"AWS/RDS":            {[]string{"DBInstanceIdentifier", "DBClusterIdentifier Role", "DBClusterIdentifier"}, "DatabaseConnections CPUUtilization FreeableMemory FreeStorageSpace WriteLatency AuroraReplicaLagMaximum CommitLatency ServerlessDatabaseCapacity"},
	"AWS/Lambda":         {[]string{"FunctionName"}, "Invocations Errors Throttles Duration ConcurrentExecutions"},
	"AWS/ElastiCache":    {[]string{"CacheClusterId CacheNodeId"}, "EngineCPUUtilization DatabaseMemoryUsagePercentage CurrConnections Evictions ReplicationLag"},
	"AWS/SQS":            {[]string{"QueueName"}, "ApproximateAgeOfOldestMessage NumberOfMessagesSent NumberOfMessagesDeleted"},
	"AWS/EC2":            {[]string{"AutoScalingGroupName"}, "CPUUtilization StatusCheckFailed"},
	"AWS/ECS":            {[]string{"ClusterName ServiceName"}, "CPUUtilization MemoryUtilization"},
	"AWS/AutoScaling":    {[]string{"AutoScalingGroupName"}, "GroupInServiceInstances GroupDesiredCapacity GroupMinSize GroupMaxSize"},
	"ContainerInsights":  {[]string{"ClusterName", "ClusterName Namespace", "ClusterName Namespace PodName"}, "cluster_failed_node_count cluster_node_count namespace_number_of_running_pods pod_cpu_utilization_over_pod_limit pod_memory_utilization_over_pod_limit pod_number_of_container_restarts"},
}

// only are the metrics that are not published under every set of their namespace.
var only = map[string]string{
	"HealthyHostCount": "LoadBalancer TargetGroup", "UnHealthyHostCount": "LoadBalancer TargetGroup", "RequestCountPerTarget": "LoadBalancer TargetGroup", "RejectedConnectionCount": "LoadBalancer", "HTTPCode_ELB_5XX_Count": "LoadBalancer",
	"FreeStorageSpace": "DBInstanceIdentifier", "WriteLatency": "DBInstanceIdentifier", "AuroraReplicaLagMaximum": "DBClusterIdentifier", "ServerlessDatabaseCapacity": "DBClusterIdentifier", "CommitLatency": "DBClusterIdentifier Role",
	"cluster_failed_node_count": "ClusterName", "cluster_node_count": "ClusterName", "namespace_number_of_running_pods": "ClusterName Namespace",
	"pod_cpu_utilization_over_pod_limit": "ClusterName Namespace PodName", "pod_memory_utilization_over_pod_limit": "ClusterName Namespace PodName", "pod_number_of_container_restarts": "ClusterName Namespace PodName",
}

func TestEveryMetricOfAShippedTemplateIsOneThatCloudWatchHas(t *testing.T) {
	seen := map[string]bool{}
	for name, c := range shippedSales(t) {
		for _, r := range c.Sales[0].Reads {
			if r.CloudWatch == nil {
				continue
			}
			for _, m := range r.CloudWatch.Metrics {
				known, ok := published[m.Namespace]
				dimensions := strings.Join(slices.Sorted(maps.Keys(m.Dimensions)), " ")
				if !ok || !slices.Contains(strings.Fields(known.metrics), m.Metric) || !slices.Contains(known.dimensions, dimensions) || only[m.Metric] != "" && only[m.Metric] != dimensions {
					t.Errorf("%s, %s: %s/%s by %s is not in the table", name, r.Signal, m.Namespace, m.Metric, dimensions)
				}
				seen[m.Namespace+"/"+m.Metric] = true
				if m.Namespace == "AWS/CloudFront" && (m.Dimensions["Region"] != "Global" || r.CloudWatch.Region != "us-east-1") {
					t.Errorf("%s, %s is read in %s by %v", name, r.Signal, r.CloudWatch.Region, m.Dimensions)
				}
			}
			if want := 60; r.CloudWatch.Period.Seconds() != float64(want) && name != "ec2" {
				t.Errorf("%s, %s: a period of %s", name, r.Signal, r.CloudWatch.Period)
			}
		}
	}
	for namespace, known := range published {
		for _, metric := range strings.Fields(known.metrics) {
			if !seen[namespace+"/"+metric] {
				t.Errorf("no template reads %s/%s: take it out of the table", namespace, metric)
			}
		}
	}
}

func TestTemplatesLieSideBySide(t *testing.T) {
	c := declared(t, declaring(`templates:
  shop:
    extends: [builtin/alb, builtin/target-group, builtin/rds, builtin/sqs, builtin/cloudfront, builtin/ec2]
    signals:
      latency_p95_seconds: {watch: "> 1s for 1m"}`, "shop", "alb: app/shop/1, target_group: targetgroup/shop/2, db: shop, queue: orders, distribution: EDF, asg: web"))
	s := c.Sales[0]
	for _, name := range []sale.Signal{"error_ratio", "hosts_healthy", "db_connections", "queue_depth", "cache_hit_ratio", "capacity_max"} {
		if !slices.ContainsFunc(s.Signals, func(x sale.Spec) bool { return x.Signal == name }) {
			t.Errorf("%s is not there", name)
		}
	}
	if got := spec(t, &s, "latency_p95_seconds").Rules.Watch.Default; got == nil || got.Limit != 1 {
		t.Errorf("its own threshold is %v", got)
	}
	var titles []string
	for _, p := range s.Panels {
		titles = append(titles, p.Title)
	}
	if got, want := strings.Join(titles, ", "), "requests/s, errors, p95, hosts, database connections, database CPU, queue, messages/min, edge requests/s, edge errors, hosts, host CPU"; got != want {
		t.Errorf("panels: %s", got)
	}
}

func TestWhatTwoTemplatesDeclareIsOneWhereItCameFromOneAncestor(t *testing.T) {
	c := declared(t, declaring(`templates:
  base: {extends: builtin/alb, variables: {more: metrics}, signals: {order_rate: {from: $more, query: 'sum(x)'}}}
  left: {extends: base, signals: {holds: {from: metrics, query: 'sum(h)'}}}
  right: {extends: base, signals: {tickets_left: {from: metrics, query: 'sum(t)'}}}
  both: {extends: [left, right, builtin/nginx], signals: {request_rate: null}}`, "both", "alb: app/shop/1"))
	for _, name := range []sale.Signal{"error_ratio", "order_rate", "holds", "tickets_left", "nginx_up"} {
		spec(t, &c.Sales[0], name)
	}
	if slices.ContainsFunc(c.Sales[0].Signals, func(s sale.Spec) bool { return s.Signal == "request_rate" }) {
		t.Error("request_rate is still there")
	}
}

// A poll of CloudWatch brings figures that are minutes old; the limit that was read a second ago is
// theirs too, or the first verdict would have to wait for it.
func TestALimitOfADatabaseStandsForTheFiguresThatAreHeldAgainstIt(t *testing.T) {
	s := declared(t, declaring("", "builtin/rds", "db: shop")).Sales[0]
	if got, want := spec(t, &s, sale.DBConnectionsMax).Cadence, (sale.Cadence{Period: 30 * time.Second, Delay: 5 * time.Minute}); got != want {
		t.Errorf("the limit: %+v", got)
	}
	if got := spec(t, &s, "db_available").Cadence; got.Delay != 0 {
		t.Errorf("a state is as old as it is: %+v", got)
	}
}
