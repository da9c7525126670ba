package aws

import (
	"fmt"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
)

type failureJSON struct {
	ARN    string `json:"arn"`
	Reason string `json:"reason"`
}

type tagJSON struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type serviceJSON struct {
	ARN            string             `json:"serviceArn"`
	Name           string             `json:"serviceName"`
	Cluster        string             `json:"clusterArn"`
	LoadBalancers  []loadBalancerJSON `json:"loadBalancers"`
	Status         string             `json:"status"`
	Desired        int                `json:"desiredCount"`
	Running        int                `json:"runningCount"`
	Pending        int                `json:"pendingCount"`
	LaunchType     string             `json:"launchType"`
	Platform       string             `json:"platformVersion"`
	PlatformFamily string             `json:"platformFamily"`
	TaskDefinition string             `json:"taskDefinition"`
	Configuration  configurationJSON  `json:"deploymentConfiguration"`
	Deployments    []deploymentJSON   `json:"deployments"`
	Events         []eventJSON        `json:"events"`
	Created        *float64           `json:"createdAt"`
	Grace          int                `json:"healthCheckGracePeriodSeconds"`
	Strategy       string             `json:"schedulingStrategy"`
	Tags           []tagJSON          `json:"tags,omitempty"`
	Managed        bool               `json:"enableECSManagedTags"`
	Propagate      string             `json:"propagateTags"`
	Exec           bool               `json:"enableExecuteCommand"`
}

type loadBalancerJSON struct {
	TargetGroup string `json:"targetGroupArn"`
	Container   string `json:"containerName"`
	Port        int    `json:"containerPort"`
}

type configurationJSON struct {
	Most    int         `json:"maximumPercent"`
	Least   int         `json:"minimumHealthyPercent"`
	Breaker breakerJSON `json:"deploymentCircuitBreaker"`
}

type breakerJSON struct {
	Enable   bool `json:"enable"`
	Rollback bool `json:"rollback"`
}

type deploymentJSON struct {
	ID             string   `json:"id"`
	Status         string   `json:"status"`
	TaskDefinition string   `json:"taskDefinition"`
	Desired        int      `json:"desiredCount"`
	Pending        int      `json:"pendingCount"`
	Running        int      `json:"runningCount"`
	Failed         int      `json:"failedTasks"`
	Created        *float64 `json:"createdAt"`
	Updated        *float64 `json:"updatedAt"`
	LaunchType     string   `json:"launchType"`
	Platform       string   `json:"platformVersion"`
	PlatformFamily string   `json:"platformFamily"`
	State          string   `json:"rolloutState"`
	Reason         string   `json:"rolloutStateReason"`
}

type eventJSON struct {
	ID      string   `json:"id"`
	Created *float64 `json:"createdAt"`
	Message string   `json:"message"`
}

// service is a group of tasks in ECS's words. A running deployment has a task definition of its own;
// the one before goes with the share that is left.
func (e *ecs) service(g *capacity.Group) serviceJSON {
	definition := func(revision int) string {
		return fmt.Sprintf("%s:%d", e.arn("task-definition", g.Name), revision)
	}
	running, pending := g.Count(capacity.InService), g.Count(capacity.Pending)
	primary := deploymentJSON{
		ID: "ecs-svc/" + fmt.Sprintf("%019d", fingerprint("deployment", g.Name)>>1), Status: "PRIMARY", TaskDefinition: definition(42), Desired: g.Desired, Pending: pending, Running: running,
		Created: epoch(g.Created), Updated: epoch(g.Created), LaunchType: "FARGATE", Platform: "1.4.0", PlatformFamily: "Linux", State: "COMPLETED",
	}
	primary.Reason = fmt.Sprintf("ECS deployment %s completed.", primary.ID)
	deployments := []deploymentJSON{primary}
	revision := 42
	if r := g.Refresh; r != nil && r.End.IsZero() {
		revision++
		next := primary
		next.ID, next.TaskDefinition, next.Created, next.Updated = "ecs-svc/"+fmt.Sprintf("%019d", fingerprint("deployment", r.ID)>>1), definition(revision), epoch(r.Start), epoch(r.Start)
		next.Running = min(running, running*r.Percent/100)
		next.State, next.Reason = "IN_PROGRESS", fmt.Sprintf("ECS deployment %s in progress.", next.ID)
		primary.Status, primary.Running, primary.Pending = "ACTIVE", running-next.Running, 0
		primary.Desired = max(0, g.Desired-next.Running)
		deployments = []deploymentJSON{next, primary}
	}
	s := serviceJSON{
		ARN: e.arn("service", ECSCluster) + "/" + g.Name, Name: g.Name, Cluster: e.arn("cluster", ECSCluster), Status: "ACTIVE",
		Desired: g.Desired, Running: running, Pending: pending, LaunchType: "FARGATE", Platform: "1.4.0", PlatformFamily: "Linux", TaskDefinition: definition(revision),
		Configuration: configurationJSON{Most: 200, Least: 100, Breaker: breakerJSON{Enable: true, Rollback: true}}, Deployments: deployments,
		LoadBalancers: []loadBalancerJSON{}, Events: []eventJSON{}, Created: epoch(g.Created), Grace: 60, Strategy: "REPLICA", Propagate: "NONE",
	}
	if g.TargetGroup != "" {
		s.LoadBalancers = append(s.LoadBalancers, loadBalancerJSON{TargetGroup: targetGroupARN(e.region, g.TargetGroup), Container: "web", Port: 8080})
	}
	for _, x := range g.Events {
		s.Events = append(s.Events, eventJSON{ID: x.ID, Created: epoch(x.At), Message: x.Message})
	}
	return s
}
