package aws

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

// ECSCluster is the name of the one cluster that the tasks run in.
const ECSCluster = "pl-prod"

type ecs struct {
	region string
	fleets capacity.Fleets
}

// NewECS answers ECS's API of one region in AWS JSON 1.1 for the groups of tasks: DescribeServices,
// and UpdateService of the desired count.
func NewECS(region string, f capacity.Fleets, opts ...Option) http.Handler {
	o := settings(opts)
	e := &ecs{region: region, fleets: f}
	return &jsonService{
		name: "ecs", target: "AmazonEC2ContainerServiceV20141113.", invalid: "InvalidParameterException", options: o, guard: newGuard("ecs", region, o),
		operations: map[string]jsonOperation{
			"DescribeServices": jsonCall(false, e.describe),
			"UpdateService":    jsonCall(true, e.update),
		},
	}
}

func (e *ecs) arn(kind, name string) string {
	return fmt.Sprintf("arn:aws:ecs:%s:%s:%s/%s", e.region, telemetry.Account, kind, name)
}

// cluster checks which cluster is meant: its name, its ARN, or the default one, which is not there.
func (e *ecs) cluster(name *string) *apiError {
	if name != nil && (*name == ECSCluster || *name == e.arn("cluster", ECSCluster)) {
		return nil
	}
	return modelled("ClusterNotFoundException", "Cluster not found.")
}

// services are the groups of tasks.
func services(f capacity.Fleets) []capacity.Group {
	return slices.DeleteFunc(f.Groups(), func(g capacity.Group) bool { return g.Kind != capacity.Tasks })
}

// find returns a service by its name or ARN.
func (e *ecs) find(name string) (capacity.Group, bool) {
	name = strings.TrimPrefix(name, e.arn("service", ECSCluster)+"/")
	for _, g := range services(e.fleets) {
		if g.Name == name {
			return g, true
		}
	}
	return capacity.Group{}, false
}

type describeServices struct {
	Cluster  *string  `json:"cluster"`
	Services []string `json:"services"`
	Include  []string `json:"include"`
}

// describe answers DescribeServices. A service that is not there is a failure in a good answer.
func (e *ecs) describe(_ caller, in *describeServices) (any, *apiError) {
	if problem := e.cluster(in.Cluster); problem != nil {
		return nil, problem
	}
	switch {
	case len(in.Services) == 0:
		return nil, modelled("InvalidParameterException", "Services cannot be empty.")
	case len(in.Services) > 10:
		return nil, modelled("InvalidParameterException", "Services cannot have more than 10 elements.")
	}
	for _, i := range in.Include {
		if i != "TAGS" {
			return nil, modelled("InvalidParameterException", "Invalid include value: %s", i)
		}
	}
	out := struct {
		Services []serviceJSON `json:"services"`
		Failures []failureJSON `json:"failures"`
	}{[]serviceJSON{}, []failureJSON{}}
	for _, name := range in.Services {
		g, ok := e.find(name)
		if !ok {
			arn := name
			if !strings.HasPrefix(name, "arn:") {
				arn = e.arn("service", ECSCluster) + "/" + name
			}
			out.Failures = append(out.Failures, failureJSON{ARN: arn, Reason: "MISSING"})
			continue
		}
		s := e.service(&g)
		if len(in.Include) > 0 {
			s.Tags = []tagJSON{{"role", g.Role}, {"sale", g.Sale}}
		}
		out.Services = append(out.Services, s)
	}
	return out, nil
}

type updateService struct {
	Cluster *string `json:"cluster"`
	Service *string `json:"service"`
	Desired *int    `json:"desiredCount"`
	Force   bool    `json:"forceNewDeployment"`
}

// update answers UpdateService. A new count starts no deployment; whoever asks for one is refused.
func (e *ecs) update(who caller, in *updateService) (any, *apiError) {
	if problem := e.cluster(in.Cluster); problem != nil {
		return nil, problem
	}
	switch {
	case in.Service == nil:
		return nil, modelled("InvalidParameterException", "Service cannot be empty.")
	case in.Force:
		return nil, modelled("InvalidParameterException", "The rehearsed service has one task definition: a new deployment can not be forced.")
	case in.Desired != nil && *in.Desired < 0:
		return nil, modelled("InvalidParameterException", "Desired count must not be negative.")
	}
	g, ok := e.find(*in.Service)
	if !ok {
		return nil, modelled("ServiceNotFoundException", "Service not found.")
	}
	g, err := e.fleets.Change(g.Name, capacity.Caller{Service: "ecs", Who: who.key}, func(g *capacity.Group) error {
		if in.Desired != nil {
			g.Desired = *in.Desired
		}
		return nil
	})
	switch {
	case errors.Is(err, capacity.ErrContention):
		return nil, &apiError{shape: "ServerException", code: "ServerException", status: http.StatusInternalServerError, receiver: true, message: "Service Unavailable. Please try again later."}
	case err != nil:
		return nil, modelled("ServiceNotFoundException", "Service not found.")
	}
	return map[string]serviceJSON{"service": e.service(&g)}, nil
}
