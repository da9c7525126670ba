package config

import "strings"

// systems are whose figures the metrics of a CloudWatch namespace are, in the word that people use.
var systems = map[string]string{
	"AWS/RDS": "RDS", "AWS/AutoScaling": "ASG", "AWS/ECS": "ECS", "ECS/ContainerInsights": "ECS", "AWS/SQS": "SQS",
	"AWS/ApplicationELB": "ALB", "AWS/CloudFront": "CloudFront", "AWS/DocDB": "DocumentDB", "AWS/ElastiCache": "ElastiCache",
}

// systemOf is whose figure a signal is; "" when it can't be told from how it is read.
func systemOf(r *Read) string {
	switch {
	case r == nil:
	case r.CloudWatch != nil:
		words := map[string]bool{}
		for _, m := range r.CloudWatch.Metrics {
			words[systems[m.Namespace]] = true
		}
		if len(words) == 1 {
			for word := range words {
				return word
			}
		}
	case r.AutoScaling != nil:
		return "ASG"
	case r.ECS != nil:
		return "ECS"
	case r.RDS != nil:
		return "RDS"
	case r.Redis != nil:
		return "Redis"
	case r.SQS != nil:
		return "SQS"
	case r.Kubernetes != nil:
		switch strings.ToLower(r.Kubernetes.Object) {
		case "hpa":
			return "HPA"
		case "scaledobject":
			return "KEDA"
		}
		return "pods"
	}
	return ""
}
