package shop

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
)

// fleet is one group of machines in motion. It is moved by one simulated second at a time.
type fleet struct {
	g     capacity.Group // what is fixed and what can be set; units and events are kept below
	rng   *rand.Rand
	nodes *nodes // that the pods run on; nil for other kinds
	clock int    // simulated seconds since the beginning

	units      []*unit // oldest first
	warm       []*unit
	activities []*capacity.Activity // oldest first
	events     []capacity.Event     // oldest first
	scheduled  []capacity.Scheduled // sorted by name

	serving, inService, pending int
	settled                     int    // in service when the fleet last had what it wanted
	cause                       string // why the size was changed last, in Auto Scaling's words
	busy, idle                  int    // simulated seconds above and below what the scaler aims at
	cooling                     int    // the clock at which the cooldown ends
	retry                       int    // the clock before which no launch is tried
	broken                      bool   // the provider has no machines
	contended                   int    // how many changes are still to be refused
	refreshing                  int    // the clock at which the refresh ends; 0: none
	drifted                     int    // the clock since when the size is not what GitOps wants; 0: it is
}

// unit is a machine with the clock of what comes next for it.
type unit struct {
	capacity.Unit
	ready, serves, gone int
	replace             int // the clock at which a failing unit is given up; 0: it is sound
	activity            *capacity.Activity
}

// What a unit's life takes, in simulated seconds.
const (
	checking     = 10  // the load balancer's first checks of an instance or a task
	draining     = 60  // the deregistration delay
	podGrace     = 20  // a pod's way out
	warmBoot     = 25  // and up to 20 more, of an instance from the warm pool
	unhealthyFor = 45  // before a failing unit is replaced
	retryAfter   = 60  // between two tries to launch
	coolFor      = 300 // the default cooldown
	syncEvery    = 15  // of a horizontal pod autoscaler
	kedaEvery    = 5   // until KEDA puts its HPA right
	busyFor      = 60
	idleFor      = 900
	idleForPods  = 300
	highWater    = 0.85
	lowWater     = 0.60
	aimedAt      = 0.70
	keptActivity = 400
	keptEvents   = 100
	refreshSteps = 30 // seconds for each instance
	instanceType = "m7g.2xlarge"
	podsPerNode  = 4
	healAfter    = 5 // Argo CD's default
)

// bootTime returns the shortest time that a unit takes to come into service, and what is added at random.
func bootTime(k capacity.Kind) (shortest, spread int) {
	switch k {
	case capacity.Tasks:
		return 60, 41
	case capacity.Pods:
		return 45, 46
	}
	return 90, 81
}

// Namespace is the one that the pods are in, and ClusterName that of the tasks' and of the pods' cluster.
const (
	Namespace   = "shop"
	ClusterName = "pl-prod"
)

func zones() []string { return []string{"eu-central-1a", "eu-central-1b", "eu-central-1c"} }

// newFleet makes a group whose units are all in service.
func newFleet(g capacity.Group, seed, index uint64, n *nodes, from time.Time) *fleet {
	f := &fleet{g: g, rng: rand.New(rand.NewPCG(seed^0xf1ee7, index+1)), nodes: n}
	f.g.Wanted = capacity.Bounds{Min: g.Min, Max: g.Max}
	f.g.Created = from.AddDate(0, -2, 0).Truncate(time.Second)
	f.g.Revision, f.g.TargetUtilisation = 1000+int64(index), aimedAt
	for i := range g.Desired {
		u := f.make(i, from.Add(-20*time.Hour).Truncate(time.Second))
		u.State, u.Health, u.Ready = capacity.InService, capacity.Healthy, u.Launched.Add(2*time.Minute)
		if f.g.TargetGroup == "" {
			u.Health = capacity.Unregistered
		}
		if n != nil {
			u.Node = n.place()
		}
		f.units = append(f.units, u)
	}
	f.stockPool(from)
	for _, u := range f.warm {
		u.State, u.activity = capacity.Warm, nil
	}
	f.activities = nil
	f.count()
	f.settled = f.inService
	f.steady(from)
	return f
}

// steady is the line that ECS writes when a service has what it wants.
func (f *fleet) steady(at time.Time) {
	if f.g.Kind == capacity.Tasks {
		f.event(at, capacity.Event{Reason: "SteadyState", Message: f.says("has reached a steady state.")})
	}
}

// make gives a new unit its names. i chooses the zone.
func (f *fleet) make(i int, at time.Time) *unit {
	u := &unit{}
	u.Zone = zones()[i%3]
	u.Address = fmt.Sprintf("10.%d.%d.%d", 20+i%3, f.rng.IntN(200), 10+f.rng.IntN(240))
	u.Launched, u.State, u.Health = at, capacity.Pending, capacity.Unregistered
	switch f.g.Kind {
	case capacity.Instances:
		u.ID = fmt.Sprintf("i-0%016x", f.rng.Uint64())
	case capacity.Tasks:
		u.ID = fmt.Sprintf("%016x%016x", f.rng.Uint64(), f.rng.Uint64())
	case capacity.Pods:
		const letters = "bcdfghjklmnpqrstvwxz2456789"
		tail := make([]byte, 5)
		for i := range tail {
			tail[i] = letters[f.rng.IntN(len(letters))]
		}
		u.ID = fmt.Sprintf("%s-6d9f7c5b8-%s", f.g.Name, tail)
	}
	return u
}

// move takes the fleet one simulated second on; load is the share of what the serving units can do.
func (f *fleet) move(at time.Time, load float64, log func(Entry)) {
	f.clock++
	f.g.Utilisation = load
	f.age(at)
	f.giveUpFailing(at)
	f.scale(at, log)
	f.reconcile(at)
	f.stockPool(at)
	f.refresh(at)
	f.count()
	if f.pending == 0 && f.live() == f.g.Desired && f.inService != f.settled {
		log(Entry{At: at, Sale: f.g.Sale, By: "capacity", What: f.g.Name + ".in_service", From: f.settled, To: f.inService})
		f.settled = f.inService
		f.steady(at)
	}
}

func (f *fleet) count() {
	f.serving, f.inService, f.pending = 0, 0, 0
	for _, u := range f.units {
		switch u.State {
		case capacity.Pending:
			f.pending++
		case capacity.InService:
			f.inService++
			if !u.Failing && (u.Health == capacity.Healthy || f.g.TargetGroup == "") {
				f.serving++
			}
		}
	}
}

// live is how many units there are that nobody has told to go.
func (f *fleet) live() int {
	n := 0
	for _, u := range f.units {
		if u.State != capacity.Terminating {
			n++
		}
	}
	return n
}

// age moves every unit along its life.
func (f *fleet) age(at time.Time) {
	kept := f.units[:0]
	for _, u := range f.units {
		switch u.State {
		case capacity.Pending:
			f.bootUp(u, at)
		case capacity.InService:
			if u.Health == capacity.Initial && f.clock >= u.serves {
				u.Health = capacity.Healthy
			}
		case capacity.Terminating:
			if f.clock >= u.gone {
				f.nodes.free(u.Node)
				finish(u.activity, at)
				continue
			}
		}
		kept = append(kept, u)
	}
	clear(f.units[len(kept):])
	f.units = kept
	for _, u := range f.warm {
		if u.State == capacity.Pending && f.clock >= u.ready {
			u.State = capacity.Warm
			finish(u.activity, at)
		}
	}
}

func (f *fleet) bootUp(u *unit, at time.Time) {
	if f.g.Kind == capacity.Pods && u.Node == "" {
		if u.Node = f.place(); u.Node == "" {
			if (f.clock-u.ready)%60 == 0 {
				f.event(at, capacity.Event{
					Unit: u.ID, Reason: "FailedScheduling", Warning: true,
					Message: fmt.Sprintf("0/%d nodes are available: %d Insufficient cpu. preemption: 0/%d nodes are available: %d No preemption victims found for incoming pod.", f.nodes.count(), f.nodes.count(), f.nodes.count(), f.nodes.count()),
				})
			}
			return
		}
		u.ready = f.clock + f.boot()
		f.event(at, capacity.Event{Unit: u.ID, Reason: "Scheduled", Message: "Successfully assigned " + Namespace + "/" + u.ID + " to " + u.Node})
	}
	if f.clock < u.ready {
		if u.activity != nil {
			u.activity.Progress = min(90, 30+(f.clock-u.ready+170)/3)
		}
		return
	}
	u.State, u.Ready = capacity.InService, at
	finish(u.activity, at)
	switch {
	case f.g.TargetGroup == "" || f.g.IsSuspended("AddToLoadBalancer"):
	case f.g.Kind == capacity.Pods: // it is ready when its own checks pass
		u.Health = capacity.Healthy
	default:
		u.Health, u.serves = capacity.Initial, f.clock+checking
	}
}

// place finds a pod's node; "" when none has room.
func (f *fleet) place() string {
	if f.broken {
		return ""
	}
	return f.nodes.place()
}

func (f *fleet) boot() int {
	shortest, spread := bootTime(f.g.Kind)
	return shortest + f.rng.IntN(spread)
}

// giveUpFailing replaces units whose health check has failed for some time.
func (f *fleet) giveUpFailing(at time.Time) {
	if f.g.IsSuspended("ReplaceUnhealthy") || f.g.IsSuspended("HealthCheck") || f.g.IsSuspended("Terminate") {
		return
	}
	for _, u := range f.units {
		if u.State == capacity.InService && u.replace > 0 && f.clock >= u.replace {
			f.terminate(u, at, fmt.Sprintf("At %s an instance was taken out of service in response to an ELB system health check failure.", stamp(at)))
		}
	}
}

// stamp is a time in the causes of activities.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05Z") }

// nodes are the machines that the pods of a cluster share. Nobody adds any.
type nodes struct{ used []int }

func newNodes(n int) *nodes { return &nodes{make([]int, n)} }

// of returns the nodes for pods, and none for other kinds.
func (n *nodes) of(k capacity.Kind) *nodes {
	if k != capacity.Pods {
		return nil
	}
	return n
}

func (n *nodes) count() int { return len(n.used) }

// place takes the emptiest node, so that pods are spread; "" when all are full.
func (n *nodes) place() string {
	best := 0
	for i, used := range n.used {
		if used < n.used[best] {
			best = i
		}
	}
	if n.used[best] >= podsPerNode {
		return ""
	}
	n.used[best]++
	return nodeName(best)
}

func nodeName(i int) string {
	return fmt.Sprintf("ip-10-20-%d-%d.%s.compute.internal", i%3, 11+i, "eu-central-1")
}

func (n *nodes) free(name string) {
	if n == nil || name == "" {
		return
	}
	for i := range n.used {
		if nodeName(i) == name {
			n.used[i]--
		}
	}
}
