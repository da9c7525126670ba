package config

import "testing"

func TestAFigureHasTheWordOfTheOneSystemThatItIsOf(t *testing.T) {
	of := func(namespaces ...string) *Read {
		metrics := map[string]MetricStat{}
		for i, n := range namespaces {
			metrics[string(rune('a'+i))] = MetricStat{Namespace: n}
		}
		return &Read{CloudWatch: &CloudWatchRead{Metrics: metrics}}
	}
	for _, tc := range []struct {
		read *Read
		want string
	}{
		{of("AWS/RDS"), "RDS"},
		{of("AWS/ApplicationELB", "AWS/ApplicationELB"), "ALB"},
		{of("AWS/ApplicationELB", "Shop/Web"), ""},
		{of("AWS/RDS", "AWS/SQS"), ""},
		{of(), ""},
		{&Read{Kubernetes: &KubernetesRead{Object: "scaledobject"}}, "KEDA"},
		{&Read{Kubernetes: &KubernetesRead{Object: "hpa"}}, "HPA"},
		{&Read{Kubernetes: &KubernetesRead{Object: "deployment"}}, "pods"},
		{&Read{AutoScaling: &AutoScalingRead{}}, "ASG"},
		{&Read{ECS: &ECSRead{}}, "ECS"},
		{&Read{Prometheus: &PrometheusRead{}}, ""},
		{nil, ""},
	} {
		for range 20 { // the order of a map must not show
			if got := systemOf(tc.read); got != tc.want {
				t.Fatalf("%+v is %q, want %q", tc.read, got, tc.want)
			}
		}
	}
}
