// Package capacity is the contract between the rehearsal platform's model and the servers through
// which its machines are read and scaled: EC2 Auto Scaling, ECS, Application Auto Scaling, Elastic
// Load Balancing and Kubernetes. It holds plain data, the rules by which bounds move a size, and
// interfaces, so that a server never reaches into the model.
package capacity

import (
	"errors"
	"slices"
	"time"
)

// Kind is what a group is made of.
type Kind string

// The kinds of group.
const (
	Instances Kind = "instances" // an EC2 Auto Scaling group
	Tasks     Kind = "tasks"     // an ECS service on Fargate
	Pods      Kind = "pods"      // a Kubernetes Deployment
)

// Scaler is what moves a group's size by itself.
type Scaler string

// The scalers. An ECS service has a Target or None, a Deployment HPA, KEDA or None.
const (
	None   Scaler = ""
	Target Scaler = "target tracking" // of Auto Scaling or Application Auto Scaling
	HPA    Scaler = "hpa"             // a HorizontalPodAutoscaler
	KEDA   Scaler = "keda"            // a ScaledObject, which owns an HPA
)

// State is where a unit is in its life.
type State string

// The states, in the order of a life. A warm unit was started and stopped and waits to be used.
const (
	Warm        State = "warm"
	Pending     State = "pending"
	InService   State = "in service"
	Terminating State = "terminating"
)

// Health is what the load balancer says of a unit.
type Health string

// The healths. An unregistered unit gets no traffic and never will by itself.
const (
	Unregistered Health = "unregistered"
	Initial      Health = "initial"
	Healthy      Health = "healthy"
	Unhealthy    Health = "unhealthy"
	Draining     Health = "draining"
)

// Unit is one instance, task or pod.
type Unit struct {
	ID       string // "i-…", the id of a task, or the name of a pod
	Zone     string // availability zone
	Address  string // private IPv4 address
	Node     string // of a pod: where it runs; "" while no node has room
	State    State
	Health   Health
	Failing  bool      // its own health check fails
	Launched time.Time // when it was asked for
	Ready    time.Time // when it came into service; zero before
}

// Process is a suspended process of an Auto Scaling group.
type Process struct{ Name, Reason string }

// Bounds are a least and a greatest size.
type Bounds struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// Hold is what an operator has switched off of a scaler.
type Hold struct{ In, Out, Scheduled bool }

// Refresh is the newest instance refresh of a group.
type Refresh struct {
	ID         string
	Status     string // Auto Scaling's words: InProgress, Successful, …
	Percent    int
	Left       int // instances that are still to be replaced
	Start, End time.Time
}

// Event is a line that a service or a scheduler writes about a group.
type Event struct {
	ID      string
	At      time.Time
	Unit    string // "" when it is about the group
	Reason  string // one word
	Message string
	Warning bool
	Count   int
}

// Group is one fleet of a sale as it stands. A copy belongs to the caller.
type Group struct {
	Sale, Name string
	Role       string // "web" carries the visitors, "workers" the order queue
	Kind       Kind
	Scaler     Scaler
	Created    time.Time

	Min, Max, Desired int // of a group without a scaler Min and Max mean nothing
	Hold              Hold
	Wanted            Bounds    // what a ScaledObject says; KEDA writes it over Min and Max
	Suspended         []Process // sorted by name
	Revision          int64     // grows with every change of what can be set

	Units    []Unit // oldest first, with the terminating ones, without the warm ones
	WarmPool []Unit
	HasPool  bool // it keeps a warm pool, though that may be empty

	TargetGroup, LoadBalancer string // names; TargetGroup is "" for a group without one
	Refresh                   *Refresh
	Cooling                   bool    // the default cooldown since the last scaling has not ended
	Utilisation               float64 // share of what the serving units can do; 0–1 and above
	Sampled                   float64 // the same when the scaler looked last
	TargetUtilisation         float64 // what the scaler aims at
	Git                       *int    // the size that a GitOps controller puts back; nil: none does
	GitBounds                 *Bounds // the bounds of the ScaledObject that it puts back; nil: none
	Limited                   string  // why the scaler may not do what it wants: "max", "min" or ""
	Events                    []Event // newest first
}

// The words of scaling processes that can be suspended.
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html
func Processes() []string {
	return []string{"AZRebalance", "AddToLoadBalancer", "AlarmNotification", "HealthCheck", "InstanceRefresh", "Launch", "ReplaceUnhealthy", "ScheduledActions", "Terminate"}
}

// IsSuspended tells whether a process does not run.
func (g *Group) IsSuspended(process string) bool {
	return slices.ContainsFunc(g.Suspended, func(p Process) bool { return p.Name == process })
}

// Count returns how many units are in a state.
func (g *Group) Count(s State) int {
	n := 0
	for _, u := range g.Units {
		if u.State == s {
			n++
		}
	}
	return n
}

// Activity is one thing that a scaler did, does, or did not do.
type Activity struct {
	ID, Unit                   string
	Description, Cause, Detail string
	Status                     string // Auto Scaling's words: PreInService, InProgress, Successful, Failed, …
	Message                    string
	Progress                   int // percent
	Start, End                 time.Time
	NotScaled                  []NotScaled // why nothing was done; only of Application Auto Scaling
}

// NotScaled is one reason why a scaler did nothing.
type NotScaled struct {
	Code              string
	Max, Min, Current int // those that are not told are 0
}

// Scheduled is a change of the bounds at a planned time.
type Scheduled struct {
	Name              string
	Next              time.Time // when it is done next
	Start, End        time.Time // as given; may be zero
	Schedule          string    // at(…), rate(…), cron(…), or a recurrence in cron's five fields; "" is once, at Start
	Zone              string    // of the schedule; "" is UTC
	Min, Max, Desired *int
	Created           time.Time
}

// Caller is who asks for a change.
type Caller struct {
	Service string // "autoscaling", "ecs", "kubernetes", …
	Who     string // an access key id or a user's name
}

// The errors of Fleets.
var (
	ErrNoGroup    = errors.New("there is no such group")
	ErrContention = errors.New("another change of this group is going on")
)

// Fleets is what can be asked of the groups, and done with them. It is safe for many goroutines.
type Fleets interface {
	// Groups returns all groups, in a stable order.
	Groups() []Group
	// Activities returns what the scalers of a group did: in progress first, then the newest first.
	Activities(group string) []Activity
	// Scheduled returns the planned changes of a group, sorted by name.
	Scheduled(group string) []Scheduled
	// Change lets change set Min, Max, Desired, Wanted, Hold, Suspended and Scaler of a group, all in one
	// step. An error of change leaves the group as it is and is returned. The other errors are
	// ErrNoGroup and ErrContention.
	Change(group string, by Caller, change func(g *Group) error) (Group, error)
	// Schedule puts a planned change in, in place of one with the same name. Its errors are those
	// of Change.
	Schedule(group string, by Caller, s Scheduled) error
	// Unschedule takes a planned change away; ok is false when there is none of that name.
	Unschedule(group string, by Caller, name string) (ok bool, err error)
}
