package main

import (
	"context"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/autoscaling"
	"github.com/onsale-dev/onsale/sources/ecs"
	"github.com/onsale-dev/onsale/sources/kubernetes"
)

// This file makes the sources that read capacity. Figures and what an operator must know beside
// them come from the same reads.

func (p *program) autoscaling(cfg *config.Config, s *config.Source) (sources.Source, error) {
	return withLogin(s, s.Kind, func(ctx context.Context) (sources.Source, error) {
		login := s.AutoScaling.AWS
		aws, err := p.loadAWS(ctx, login)
		if err != nil {
			return nil, err
		}
		o := autoscaling.Options{
			Name: s.Name, Region: login.Region, Profile: login.Profile, Secrets: awsSecrets(login),
			API: autoscaling.NewClient(aws, login.Endpoint, httpClient()), Every: s.Every,
		}
		if readsTargetHealth(s) { // another endpoint is Auto Scaling's alone: target health is not read there
			o.ELB = autoscaling.NewELBClient(aws, s.AutoScaling.ELBEndpoint, httpClient())
		}
		eachRead(cfg, s.Name, func(key sale.Key, r config.Read) {
			o.Queries = append(o.Queries, autoscaling.Query{Key: key, Unit: r.Unit, Group: r.AutoScaling.Group, Field: autoscaling.Field(r.AutoScaling.Field)})
		})
		eachPlan(cfg, func(up *config.Action, c *config.Control, p sources.Plan) {
			if c.Kind == config.ControlAutoScaling && c.AutoScaling.Region == login.Region {
				o.Plans = append(o.Plans, autoscaling.Plan{Plan: p, Group: up.Scale.Group})
			}
		})
		return autoscaling.New(o)
	})
}

func (p *program) ecs(cfg *config.Config, s *config.Source) (sources.Source, error) {
	return withLogin(s, s.Kind, func(ctx context.Context) (sources.Source, error) {
		login := s.ECS.AWS
		aws, err := p.loadAWS(ctx, login)
		if err != nil {
			return nil, err
		}
		o := ecs.Options{
			Name: s.Name, Region: login.Region, Profile: login.Profile, Secrets: awsSecrets(login),
			API: ecs.NewClient(aws, login.Endpoint, httpClient()), Every: s.Every,
		}
		if readsScalableTargets(s) { // another endpoint is ECS's alone: min and max are not read there
			o.Scaling = ecs.NewScalingClient(aws, s.ECS.ScalingEndpoint, httpClient())
		}
		eachRead(cfg, s.Name, func(key sale.Key, r config.Read) {
			o.Queries = append(o.Queries, ecs.Query{Key: key, Unit: r.Unit, Cluster: r.ECS.Cluster, Service: r.ECS.Service, Field: ecs.Field(r.ECS.Field)})
		})
		eachPlan(cfg, func(up *config.Action, c *config.Control, p sources.Plan) {
			if cluster, service, region := ecsPlanned(up, c); service != "" && region == login.Region {
				o.Plans = append(o.Plans, ecs.Plan{Plan: p, Cluster: cluster, Service: service})
			}
		})
		return ecs.New(o)
	})
}

// kubernetes waits for a kubeconfig as the others wait for a login.
func (p *program) kubernetes(cfg *config.Config, s *config.Source) (sources.Source, error) {
	return withLogin(s, s.Kind, func(context.Context) (sources.Source, error) {
		cluster := s.Kubernetes.Cluster
		client, err := kubernetes.NewClient(kubernetes.ClientOptions{Kubeconfig: cluster.Kubeconfig, Context: cluster.Context, InCluster: cluster.InCluster, Version: buildVersion()})
		if err != nil {
			return nil, &loginError{err}
		}
		o := kubernetes.Options{Name: s.Name, Every: s.Every, Client: client}
		eachRead(cfg, s.Name, func(key sale.Key, r config.Read) {
			o.Queries = append(o.Queries, kubernetes.Query{
				Key: key, Unit: r.Unit, Namespace: r.Kubernetes.Namespace, Kind: kubernetes.Workload(r.Kubernetes.Object),
				Name: r.Kubernetes.Name, Field: kubernetes.Field(r.Kubernetes.Field),
			})
		})
		return kubernetes.New(o)
	})
}
