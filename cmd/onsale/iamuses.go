package main

import (
	"fmt"
	"slices"
	"strings"

	scaleasg "github.com/onsale-dev/onsale/actions/autoscaling"
	scaleecs "github.com/onsale-dev/onsale/actions/ecs"
	"github.com/onsale-dev/onsale/actions/ssm"
	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/autoscaling"
	"github.com/onsale-dev/onsale/sources/cloudwatch"
	"github.com/onsale-dev/onsale/sources/ecs"
	"github.com/onsale-dev/onsale/sources/incidents"
	"github.com/onsale-dev/onsale/sources/prometheus"
	"github.com/onsale-dev/onsale/sources/rds"
	"github.com/onsale-dev/onsale/sources/sqs"
)

// This file says which AWS calls a config leads to. What each package calls, its Permissions say, and
// a test holds them to the calls that are really made.

// toRead is what the sources must be allowed, by login.
func toRead(cfg *config.Config) []*grants {
	var all []*grants
	for i := range cfg.Sources {
		s := &cfg.Sources[i]
		if !isRead(cfg, s.Name) && !s.ReadsAlarms() && !s.TellsOfIncidents() {
			continue
		}
		switch s.Kind {
		case config.KindCloudWatchAlarms:
			tags := slices.ContainsFunc(s.Whose, func(m config.AlarmMatch) bool { return len(m.Tags) > 0 })
			g := grantsOf(&all, loginOf(s.CloudWatchAlarms.AWS), s.Name)
			g.allow("ReadWithoutResource", nil, cloudwatch.AlarmPermissions(tags), everything)
		case config.KindOpsItem:
			g := grantsOf(&all, loginOf(s.OpsItem.AWS), s.Name)
			g.allow("ReadWithoutResource", nil, only(incidents.OpsItemPermissions(), "ssm:DescribeOpsItems"), everything)
			g.allow("ReadOpsItems", nil, only(incidents.OpsItemPermissions(), "ssm:GetOpsItem"), placeOf(cfg, g.login, s.OpsItem.Region).arn("ssm", "opsitem/*", ""))
		case config.KindCloudWatch:
			g := grantsOf(&all, loginOf(s.CloudWatch.AWS), s.Name)
			g.allow("ReadWithoutResource", nil, cloudwatch.Permissions(), everything)
		case config.KindSQS:
			readQueues(cfg, s, grantsOf(&all, loginOf(s.SQS.AWS), s.Name))
		case config.KindAutoScaling:
			g := grantsOf(&all, loginOf(s.AutoScaling.AWS), s.Name)
			allowed := autoscaling.Permissions()
			if !readsTargetHealth(s) {
				allowed = without(allowed, "elasticloadbalancing:")
			}
			g.allow("ReadWithoutResource", nil, allowed, everything)
		case config.KindECS:
			readServices(cfg, s, grantsOf(&all, loginOf(s.ECS.AWS), s.Name))
		case config.KindRDS:
			readDatabases(cfg, s, grantsOf(&all, loginOf(s.RDS.AWS), s.Name))
		case config.KindPrometheus:
			if v4 := s.Prometheus.SigV4; v4 != nil {
				readPrometheus(cfg, s, prometheus.Permissions(v4.Service), grantsOf(&all, loginOf(v4.AWS), s.Name))
			}
		case config.KindPrometheusAlerts:
			if v4 := s.Prometheus.SigV4; v4 != nil && len(prometheus.RulePermissions(v4.Service)) > 0 {
				readPrometheus(cfg, s, prometheus.RulePermissions(v4.Service), grantsOf(&all, loginOf(v4.AWS), s.Name))
			}
		}
	}
	return all
}

func readQueues(cfg *config.Config, s *config.Source, g *grants) {
	here := placeOf(cfg, g.login, s.SQS.Region)
	eachRead(cfg, s.Name, func(_ sale.Key, r config.Read) {
		queue := here.queue(r.SQS.Queue)
		g.allow("ReadQueues", nil, without(sqs.Permissions(), "sqs:GetQueueUrl"), queue)
		if !strings.Contains(r.SQS.Queue, "://") {
			g.allow("FindQueues", nil, only(sqs.Permissions(), "sqs:GetQueueUrl"), queue)
		}
	})
}

func readServices(cfg *config.Config, s *config.Source, g *grants) {
	here := placeOf(cfg, g.login, s.ECS.Region)
	read := map[string]bool{}
	eachRead(cfg, s.Name, func(_ sale.Key, r config.Read) {
		path := ecsPath(r.ECS.Cluster, r.ECS.Service)
		read[path] = true
		g.allow("ReadServices", nil, only(ecs.Permissions(), "ecs:"), here.service(path, r.ECS.Service))
	})
	if !readsScalableTargets(s) {
		return
	}
	planned := false
	eachPlan(cfg, func(up *config.Action, c *config.Control, _ sources.Plan) {
		cluster, service, region := ecsPlanned(up, c)
		planned = planned || service != "" && region == s.ECS.Region && read[ecsPath(cluster, service)]
	})
	allowed := only(ecs.Permissions(), "application-autoscaling:")
	if !planned {
		allowed = without(allowed, "application-autoscaling:DescribeScheduledActions")
	}
	g.allow("ReadWithoutResource", nil, allowed, everything)
}

// readDatabases leaves out the parameters where nobody asks for a limit of connections.
func readDatabases(cfg *config.Config, s *config.Source, g *grants) {
	allowed, limited := rds.Permissions(), false
	eachRead(cfg, s.Name, func(_ sale.Key, r config.Read) { limited = limited || r.RDS.Field == string(rds.ConnectionsMax) })
	if !limited {
		allowed = without(allowed, "rds:DescribeDBParameters", "rds:DescribeDBClusterParameters")
	}
	g.allow("ReadWithoutResource", nil, allowed, everything)
}

func readPrometheus(cfg *config.Config, s *config.Source, allowed []string, g *grants) {
	v4 := s.Prometheus.SigV4
	_, workspace, ok := strings.Cut(s.Prometheus.URL, "/workspaces/")
	if !ok || v4.Service != prometheus.ManagedService {
		g.allow("ReadWithoutResource", nil, allowed, everything)
		return
	}
	workspace, _, _ = strings.Cut(workspace, "/")
	g.allow("QueryWorkspaces", nil, allowed, placeOf(cfg, g.login, v4.Region).arn("aps", "workspace/"+workspace, ""))
}

// toAct is what the controls must be allowed, by login: what they look at before, and what they change.
func toAct(cfg *config.Config) []*grants {
	var all []*grants
	scaled := map[*grants][]scaledGroup{}
	for i := range cfg.Sales {
		for j := range cfg.Sales[i].Actions {
			a := &cfg.Sales[i].Actions[j]
			c, ok := cfg.Control(a.Control)
			if !ok {
				continue
			}
			switch c.Kind {
			case config.ControlAutoScaling:
				g := grantsOf(&all, loginOf(c.AutoScaling.AWS), c.Name)
				g.allow("LookWithoutResource", nil, without(looks(scaleasg.Permissions(), scaleasg.Writes()), "elasticloadbalancing:"), everything)
				scaled[g] = addGroup(scaled[g], placeOf(cfg, g.login, c.AutoScaling.Region).group(a.Scale.Group), a)
			case config.ControlECS:
				g := grantsOf(&all, loginOf(c.ECS.AWS), c.Name)
				service := placeOf(cfg, g.login, c.ECS.Region).service(ecsPath(ecsCluster(a, c), a.Scale.Service), a.Scale.Service)
				g.allow("LookAtServices", nil, []string{"ecs:DescribeServices"}, service)
				g.allow("ScaleServices", nil, only(scaleecs.Writes(), "ecs:"), service)
				scaleTargets(cfg, g, a, c.ECS.Region, "ecs", "ecs:service:DesiredCount")
			case config.ControlScalable:
				g := grantsOf(&all, loginOf(c.ApplicationAutoScaling.AWS), c.Name)
				namespace, _, _ := strings.Cut(a.Scale.Dimension, ":")
				scaleTargets(cfg, g, a, c.ApplicationAutoScaling.Region, namespace, a.Scale.Dimension)
			case config.ControlParameter:
				g := grantsOf(&all, loginOf(c.Parameter.AWS), c.Name)
				g.allow("SetParameters", nil, ssm.ParameterPermissions(), placeOf(cfg, g.login, c.Parameter.Region).parameter(a.Gate.Parameter))
			case config.ControlOpsItem:
				keepOpsItems(cfg, grantsOf(&all, loginOf(c.OpsItem.AWS), c.Name), c)
			}
		}
	}
	for _, g := range all {
		for _, one := range scaled[g] {
			g.allow("ScaleGroups", one.bound(), []string{"autoscaling:UpdateAutoScalingGroup"}, one.arn)
			if one.planned {
				g.allow("PlanGroups", one.bound(), []string{"autoscaling:PutScheduledUpdateGroupAction"}, one.arn)
				g.allow("TakeBackPlans", nil, []string{"autoscaling:DeleteScheduledAction"}, one.arn)
			}
		}
	}
	return all
}

// scaledGroup is an Auto Scaling group that is acted on, and how far.
type scaledGroup struct {
	arn     string
	most    int // 0: not bounded
	free    bool
	planned bool
}

// addGroup takes in one more action on a group: the widest bound of all scale-ups holds.
func addGroup(list []scaledGroup, arn string, a *config.Action) []scaledGroup {
	i := slices.IndexFunc(list, func(s scaledGroup) bool { return s.arn == arn })
	if i < 0 {
		list, i = append(list, scaledGroup{arn: arn}), len(list)
	}
	if a.Verb == config.VerbScaleUp {
		list[i].most, list[i].free = max(list[i].most, a.Scale.Max), list[i].free || a.Scale.Max == 0
		list[i].planned = list[i].planned || len(a.Scale.Ahead) > 0
	}
	return list
}

// bound keeps sizes within the declared most; nil without one. A request that sets no max has no such key.
func (s scaledGroup) bound() iamCondition {
	if s.free || s.most == 0 {
		return nil
	}
	most := fmt.Sprint(s.most)
	return iamCondition{"NumericLessThanEqualsIfExists": {"autoscaling:MaxSize": most, "autoscaling:MinSize": most}}
}

// scaleTargets allows what is done through Application Auto Scaling. The ids in the ARNs of its targets are
// known to AWS alone; the namespace and the dimension narrow it.
func scaleTargets(cfg *config.Config, g *grants, a *config.Action, region, namespace, dimension string) {
	const prefix = "application-autoscaling:"
	writes := only(scaleecs.Writes(), prefix)
	g.allow("LookWithoutResource", nil, without(only(scaleecs.Permissions(), prefix), writes...), everything)
	target := placeOf(cfg, g.login, region).arn("application-autoscaling", "scalable-target/*", "")
	when := iamCondition{"StringEquals": {prefix + "service-namespace": namespace, prefix + "scalable-dimension": dimension}}
	g.allow("ScaleTargets", when, only(writes, prefix+"RegisterScalableTarget"), target)
	if a.Verb == config.VerbScaleUp && len(a.Scale.Ahead) > 0 {
		g.allow("PlanTargets", when, without(writes, prefix+"RegisterScalableTarget"), target)
	}
}

func keepOpsItems(cfg *config.Config, g *grants, c *config.Control) {
	allowed, byItem := ssm.OpsItemPermissions(), []string{"ssm:GetOpsItem"}
	g.allow("OpenOpsItems", nil, without(allowed, "ssm:GetOpsItem", "ssm:UpdateOpsItem"), everything)
	byItem = append(byItem, "ssm:UpdateOpsItem")
	g.allow("KeepOpsItems", nil, byItem, placeOf(cfg, g.login, c.OpsItem.Region).arn("ssm", "opsitem/*", ""))
}

// grantsOf finds what a login is granted, or begins it, and notes who needs it.
func grantsOf(all *[]*grants, login iamLogin, by string) *grants {
	i := slices.IndexFunc(*all, func(g *grants) bool { return g.login == login })
	if i < 0 {
		*all = append(*all, &grants{login: login})
		i = len(*all) - 1
	}
	g := (*all)[i]
	if !slices.Contains(g.by, by) {
		g.by = append(g.by, by)
	}
	return g
}

// looks are the permissions that change nothing.
func looks(all, writes []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(p string) bool { return slices.Contains(writes, p) })
}

// only are the permissions that begin so, and without those that do not.
func only(all []string, prefix string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(p string) bool { return !strings.HasPrefix(p, prefix) })
}

func without(all []string, prefixes ...string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(p string) bool {
		return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(p, prefix) })
	})
}

// readsTargetHealth reports whether a source has a client for the load balancers.
func readsTargetHealth(s *config.Source) bool {
	return s.AutoScaling.Endpoint == "" || s.AutoScaling.ELBEndpoint != ""
}

// readsScalableTargets reports whether a source has a client for Application Auto Scaling.
func readsScalableTargets(s *config.Source) bool {
	return s.ECS.Endpoint == "" || s.ECS.ScalingEndpoint != ""
}
