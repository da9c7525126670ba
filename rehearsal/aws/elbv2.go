package aws

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
)

const (
	elbVersion = "2015-12-01"
	elbSpace   = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"
	targetPort = 8080
)

type elb struct {
	region string
	fleets capacity.Fleets
}

// NewELBV2 answers Elastic Load Balancing's API (version 2) of one region in AWS Query and XML:
// DescribeTargetHealth and DescribeTargetGroups, for the target group of every fleet.
func NewELBV2(region string, f capacity.Fleets, opts ...Option) http.Handler {
	o := settings(opts)
	e := &elb{region: region, fleets: f}
	return &queryService{
		name: "elasticloadbalancing", version: elbVersion, space: elbSpace, options: o, guard: newGuard("elasticloadbalancing", region, o),
		operations: map[string]queryOperation{
			"DescribeTargetHealth": {do: e.health},
			"DescribeTargetGroups": {do: e.groups},
		},
	}
}

// fronted are the fleets that a load balancer stands in front of.
func (e *elb) fronted() []capacity.Group {
	return slices.DeleteFunc(e.fleets.Groups(), func(g capacity.Group) bool { return g.TargetGroup == "" })
}

func noTargetGroup() *apiError {
	return &apiError{code: "TargetGroupNotFound", status: http.StatusBadRequest, message: "One or more target groups not found"}
}

type targetGroupsResult struct {
	Groups []targetGroupXML `xml:"TargetGroups>member"`
	Next   string           `xml:"NextMarker,omitempty"`
}

type targetGroupXML struct {
	ARN       string   `xml:"TargetGroupArn"`
	Name      string   `xml:"TargetGroupName"`
	Protocol  string   `xml:"Protocol"`
	Port      int      `xml:"Port"`
	VPC       string   `xml:"VpcId"`
	Check     string   `xml:"HealthCheckProtocol"`
	CheckPort string   `xml:"HealthCheckPort"`
	Enabled   bool     `xml:"HealthCheckEnabled"`
	Interval  int      `xml:"HealthCheckIntervalSeconds"`
	Timeout   int      `xml:"HealthCheckTimeoutSeconds"`
	Healthy   int      `xml:"HealthyThresholdCount"`
	Unhealthy int      `xml:"UnhealthyThresholdCount"`
	Path      string   `xml:"HealthCheckPath"`
	Code      string   `xml:"Matcher>HttpCode"`
	Balancers []string `xml:"LoadBalancerArns>member"`
	Type      string   `xml:"TargetType"`
	Version   string   `xml:"ProtocolVersion"`
	Family    string   `xml:"IpAddressType"`
}

// groups answers DescribeTargetGroups: all, or those of a balancer, or by name or ARN.
func (e *elb) groups(in *params) (any, *apiError) {
	balancer, byBalancer := in.text("LoadBalancerArn")
	names, arns := in.list("Names"), in.list("TargetGroupArns")
	given := 0
	for _, yes := range []bool{byBalancer, len(names) > 0, len(arns) > 0} {
		if yes {
			given++
		}
	}
	if given > 1 {
		return nil, validationError("Target group ARNs, target group names, and a load balancer ARN can not be specified together")
	}
	var found []targetGroupXML
	known := map[string]bool{}
	for _, g := range e.fronted() {
		x := e.group(&g)
		known[x.Balancers[0]] = true
		if byBalancer && x.Balancers[0] != balancer || len(names) > 0 && !slices.Contains(names, x.Name) || len(arns) > 0 && !slices.Contains(arns, x.ARN) {
			continue
		}
		found = append(found, x)
	}
	switch {
	case byBalancer && !known[balancer]:
		return nil, &apiError{code: "LoadBalancerNotFound", status: http.StatusBadRequest, message: fmt.Sprintf("Load balancer '%s' not found", balancer)}
	case len(found) < len(names) || len(found) < len(arns):
		return nil, noTargetGroup()
	}
	cut, next := marked(in, found, "DescribeTargetGroups", balancer, names, arns)
	return targetGroupsResult{cut, next}, in.done()
}

// marked cuts a list by PageSize and Marker, the names that Elastic Load Balancing has for them.
func marked[T any](p *params, all []T, request ...any) (cut []T, next string) {
	size := 400
	if n := p.integer("PageSize"); n != nil {
		if size = *n; size < 1 || size > 400 {
			p.refuse("1 validation error detected: Value '%d' at 'pageSize' failed to satisfy constraint: Member must have value between 1 and 400", size)
			return nil, ""
		}
	}
	after, given := p.text("Marker")
	begin, ok := pageStart(after, given, len(all), request)
	if !ok {
		p.refuse("Invalid marker: %s", after)
		return nil, ""
	}
	return pageFrom(all, begin, size, request)
}

func (e *elb) group(g *capacity.Group) targetGroupXML {
	x := targetGroupXML{
		ARN: targetGroupARN(e.region, g.TargetGroup), Name: g.TargetGroup, Protocol: "HTTP", Port: targetPort, VPC: "vpc-0d1c2b3a495867fe1",
		Check: "HTTP", CheckPort: "traffic-port", Enabled: true, Interval: 5, Timeout: 4, Healthy: 2, Unhealthy: 2, Path: "/health", Code: "200",
		Balancers: []string{loadBalancerARN(e.region, g.LoadBalancer)}, Type: "ip", Version: "HTTP1", Family: "ipv4",
	}
	if g.Kind == capacity.Instances {
		x.Type = "instance"
	}
	return x
}

type healthResult struct {
	Targets []targetHealthXML `xml:"TargetHealthDescriptions>member"`
}

type targetHealthXML struct {
	ID     string `xml:"Target>Id"`
	Port   int    `xml:"Target>Port"`
	Zone   string `xml:"Target>AvailabilityZone,omitempty"`
	Check  string `xml:"HealthCheckPort,omitempty"`
	State  string `xml:"TargetHealth>State"`
	Reason string `xml:"TargetHealth>Reason,omitempty"`
	Text   string `xml:"TargetHealth>Description,omitempty"`
}

// health answers DescribeTargetHealth: of all registered targets, or of those that are named.
func (e *elb) health(in *params) (any, *apiError) {
	arn := in.required("TargetGroupArn")
	for _, what := range in.list("Include") {
		if what != "AnomalyDetection" && what != "All" {
			in.refuse("1 validation error detected: Value '[%s]' at 'include' failed to satisfy constraint: Member must satisfy enum value set: [AnomalyDetection, All]", what)
		}
	}
	type wanted struct {
		id   string
		port int
	}
	var only []wanted
	for i := 1; ; i++ {
		at := fmt.Sprintf("Targets.member.%d.", i)
		id, ok := in.text(at + "Id")
		if !ok {
			break
		}
		w := wanted{id: id, port: targetPort}
		if port := in.integer(at + "Port"); port != nil {
			w.port = *port
		}
		in.text(at + "AvailabilityZone") // of no matter: an address is in one group only
		only = append(only, w)
	}
	if problem := in.done(); problem != nil {
		return nil, problem
	}
	for _, g := range e.fronted() {
		if targetGroupARN(e.region, g.TargetGroup) != arn {
			continue
		}
		all := targetsOf(&g)
		if len(only) == 0 {
			return healthResult{all}, nil
		}
		var out healthResult
		for _, w := range only {
			i := slices.IndexFunc(all, func(x targetHealthXML) bool { return x.ID == w.id && x.Port == w.port })
			if i >= 0 {
				out.Targets = append(out.Targets, all[i])
				continue
			}
			out.Targets = append(out.Targets, targetHealthXML{ID: w.id, Port: w.port, State: "unused", Reason: "Target.NotRegistered", Text: "Target is not registered to the target group"})
		}
		return out, nil
	}
	return nil, noTargetGroup()
}

// targetsOf are the registered targets of a fleet.
func targetsOf(g *capacity.Group) []targetHealthXML {
	var out []targetHealthXML
	for _, u := range g.Units {
		x := targetHealthXML{ID: u.ID, Port: targetPort, Check: fmt.Sprint(targetPort)}
		if g.Kind != capacity.Instances {
			x.ID, x.Zone = u.Address, u.Zone
		}
		switch u.Health {
		case capacity.Initial:
			x.State, x.Reason, x.Text = "initial", "Elb.InitialHealthChecking", "Initial health checks in progress"
		case capacity.Healthy:
			x.State = "healthy"
		case capacity.Unhealthy:
			x.State, x.Reason, x.Text = "unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]"
		case capacity.Draining:
			x.State, x.Reason, x.Text = "draining", "Target.DeregistrationInProgress", "Target deregistration is in progress"
		default:
			continue
		}
		out = append(out, x)
	}
	return out
}
