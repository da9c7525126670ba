package main

import (
	"slices"
	"strings"

	"github.com/onsale-dev/onsale/sale"
)

// This file knows how well-known exporters and libraries name what a sale needs. The names are those of
// their own documentation; a figure that none of them gives is left out, never guessed.

// exported is how one exporter gives one signal.
type exported struct {
	signal sale.Signal
	by     string   // in words
	needs  []string // the metrics that must be there
	query  string   // $selector stands for the shop's label matchers
	unit   string   // "" is the signal's own
	label  string   // "" is the signal's own
	watch  string
	bad    string
	needed bool // without it an open sale can't be judged
}

// httpServer are the three figures of whatever counts requests and their durations. errors is the
// matcher of failed requests, divide what makes its durations seconds.
func httpServer(by, requests, errors, buckets, divide string) []exported {
	all := []exported{
		{signal: sale.RequestRate, by: by, needs: []string{requests}, query: "sum(rate(" + requests + "{$selector}[2m]))", needed: true},
		{
			signal: sale.ErrorRatio, by: by, needs: []string{requests}, watch: "> 1% for 1m", bad: "> 5% for 1m", needed: true,
			// Without a single failed request there is no such series: then, and only while requests are counted, it is zero.
			query: "(sum(rate(" + requests + "{" + errors + ",$selector}[2m])) or vector(0)) / (sum(rate(" + requests + "{$selector}[2m])) > 0)",
		},
	}
	if buckets != "" {
		all = append(all, exported{
			signal: sale.LatencyP95, by: by, needs: []string{buckets}, watch: "> 1.5s for 1m", bad: "> 3s for 1m",
			query: "histogram_quantile(0.95, sum by (le) (rate(" + buckets + "{$selector}[2m])))" + divide,
		})
	}
	return all
}

// exporters are in the order in which they are believed: the shop's own figures first, those of what
// stands in front of it next. The first that has a signal gives it.
var exporters = slices.Concat(
	[]exported{
		{signal: sale.OrderRate, by: "shop", needs: []string{"shop_orders_total"}, query: "60 * sum(rate(shop_orders_total{$selector}[2m]))", needed: true},
		{signal: sale.AdmissionRate, by: "shop", needs: []string{"shop_admitted_total"}, query: "60 * sum(rate(shop_admitted_total{$selector}[2m]))", unit: "per_minute", needed: true},
		{signal: sale.InflowRate, by: "shop", needs: []string{"shop_queue_joined_total"}, query: "60 * sum(rate(shop_queue_joined_total{$selector}[2m]))", unit: "per_minute"},
		{signal: sale.CheckoutRate, by: "shop", needs: []string{"shop_checkouts_total"}, query: "60 * sum(rate(shop_checkouts_total{$selector}[2m]))"},
		{signal: sale.TicketsLeft, by: "shop", needs: []string{"shop_tickets_left"}, query: "sum(shop_tickets_left{$selector})"},
		{
			signal: sale.PaymentFailureRatio, by: "shop", needs: []string{"shop_payments_total", "shop_payments_failed_total"}, watch: "> 3% for 30s", bad: "> 5% for 1m",
			query: "sum(rate(shop_payments_failed_total{$selector}[2m])) / (sum(rate(shop_payments_total{$selector}[2m])) > 0)",
		},
		{signal: sale.RequestRate, by: "shop", needs: []string{"shop_http_requests_total"}, query: "sum(rate(shop_http_requests_total{$selector}[2m]))"},
		{
			signal: sale.LatencyP95, by: "shop", needs: []string{"shop_http_request_duration_seconds_bucket"}, watch: "> 1.5s for 1m", bad: "> 3s for 1m",
			query: "histogram_quantile(0.95, sum by (le) (rate(shop_http_request_duration_seconds_bucket{$selector}[2m])))",
		},
	},
	httpServer("OpenTelemetry's HTTP server", "http_server_request_duration_seconds_count", `http_response_status_code=~"5.."`, "http_server_request_duration_seconds_bucket", ""),
	httpServer("Micrometer", "http_server_requests_seconds_count", `status=~"5.."`, "http_server_requests_seconds_bucket", ""),
	httpServer("http_requests_total", "http_requests_total", `$status=~"5.."`, "http_request_duration_seconds_bucket", ""),
	httpServer("Istio", "istio_requests_total", `response_code=~"5.."`, "istio_request_duration_milliseconds_bucket", " / 1000"),
	httpServer("Traefik", "traefik_service_requests_total", `code=~"5.."`, "traefik_service_request_duration_seconds_bucket", ""),
	httpServer("the NGINX ingress controller", "nginx_ingress_controller_requests", `status=~"5.."`, "nginx_ingress_controller_request_duration_seconds_bucket", ""),
	httpServer("Envoy", "envoy_cluster_upstream_rq_xx", `envoy_response_code_class="5"`, "envoy_cluster_upstream_rq_time_bucket", " / 1000"),
	httpServer("HAProxy", "haproxy_frontend_http_responses_total", `code="5xx"`, "", ""),
	[]exported{
		{signal: sale.RequestRate, by: "nginx-prometheus-exporter", needs: []string{"nginx_http_requests_total"}, query: "sum(rate(nginx_http_requests_total{$selector}[2m]))", needed: true},

		{
			signal: sale.DBConnections, by: "postgres_exporter", needs: []string{"pg_stat_activity_count", "pg_settings_max_connections"}, query: "sum(pg_stat_activity_count)",
			watch: "> 80% of db_connections_max for 1m", bad: "> 95% of db_connections_max for 1m", needed: true,
		},
		{signal: sale.DBConnectionsMax, by: "postgres_exporter", needs: []string{"pg_stat_activity_count", "pg_settings_max_connections"}, query: "sum(pg_settings_max_connections)"},
		{
			signal: sale.DBConnections, by: "mysqld_exporter", needs: []string{"mysql_global_status_threads_connected", "mysql_global_variables_max_connections"},
			query: "sum(mysql_global_status_threads_connected)", watch: "> 80% of db_connections_max for 1m", bad: "> 95% of db_connections_max for 1m", needed: true,
		},
		{
			signal: sale.DBConnectionsMax, by: "mysqld_exporter", needs: []string{"mysql_global_status_threads_connected", "mysql_global_variables_max_connections"},
			query: "sum(mysql_global_variables_max_connections)",
		},
		{signal: sale.QueueDepth, by: "RabbitMQ", needs: []string{"rabbitmq_queue_messages_ready"}, query: "sum(rabbitmq_queue_messages_ready)", watch: "> 5000 for 1m", bad: "> 20000 for 1m"},
		{signal: sale.QueueDepth, by: "kafka_exporter", needs: []string{"kafka_consumergroup_lag"}, query: "sum(kafka_consumergroup_lag)", watch: "> 5000 for 1m", bad: "> 20000 for 1m"},
		{signal: sale.PodsPending, by: "kube-state-metrics", needs: []string{"kube_pod_status_phase"}, query: `sum(kube_pod_status_phase{phase="Pending"})`, watch: "> 0 for 3m"},
		{
			signal: "host_cpu_ratio", by: "node_exporter", needs: []string{"node_cpu_seconds_total"}, unit: "ratio", label: "host cpu",
			query: `1 - avg(rate(node_cpu_seconds_total{mode="idle"}[2m]))`, watch: "> 80% for 2m", bad: "> 95% for 2m",
		},
		{
			signal: "host_memory_ratio", by: "node_exporter", needs: []string{"node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes"}, unit: "ratio", label: "host memory",
			query: "1 - sum(node_memory_MemAvailable_bytes) / sum(node_memory_MemTotal_bytes)", watch: "> 90% for 2m",
		},
		{signal: "targets_down", by: "Prometheus itself", needs: []string{"up"}, unit: "count", label: "targets down", query: "count(up) - sum(up)", watch: "> 0 for 2m"},
	},
	// A server that watches nothing but itself still shows that everything works.
	httpServer("Prometheus' own HTTP server", "prometheus_http_requests_total", `code=~"5.."`, "prometheus_http_request_duration_seconds_bucket", ""),
)

// statusLabels are what http_requests_total calls the status code, which no convention fixes.
var statusLabels = []string{"code", "status", "status_code", "http_status", "http_status_code", "response_code"}

// signalsIn chooses the signals that a server with these metrics can give, each once, in the order of
// the table. labels are those of http_requests_total.
func signalsIn(metrics, labels []string) []exported {
	var chosen []exported
	for _, e := range exporters {
		if slices.ContainsFunc(chosen, func(c exported) bool { return c.signal == e.signal }) || !hasAll(metrics, e.needs) {
			continue
		}
		if strings.Contains(e.query, "$status") {
			at := slices.IndexFunc(statusLabels, func(l string) bool { return slices.Contains(labels, l) })
			if at < 0 {
				continue // which requests failed can't be told
			}
			e.query = strings.ReplaceAll(e.query, "$status", statusLabels[at])
		}
		chosen = append(chosen, e)
	}
	return chosen
}

func hasAll(metrics, needs []string) bool {
	for _, name := range needs {
		if _, found := slices.BinarySearch(metrics, name); !found {
			return false
		}
	}
	return true
}
