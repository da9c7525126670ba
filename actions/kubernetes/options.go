package kubernetes

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"k8s.io/client-go/dynamic"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// System is the name of the executor, and of the system of its targets.
const System = "kubernetes"

// Options say which Deployment is scaled and within what. Client, Cluster, Namespace and
// Deployment are required.
type Options struct {
	// Client is as NewClient makes it: the errors of any other count as "may have happened".
	Client dynamic.Interface
	// Cluster is what people call the cluster; it stands for the account of the target. The API
	// has no name of its own.
	Cluster string
	// ClusterUID is the UID of the namespace kube-system, which tells clusters apart; "" is not
	// checked. With it a kubeconfig that points elsewhere is refused.
	ClusterUID            string
	Namespace, Deployment string

	// Sizes are the declared sizes, in any order: scale-up without a number takes the next
	// larger one. Without any it is a quarter more than the present size, at least one.
	Sizes []int
	// Most bounds every size and the autoscaler's max; 0: the max itself is the bound.
	Most int
	// RaiseMax allows the autoscaler's max to be raised along, up to Most. It needs Most.
	RaiseMax bool
	// Floor is the least size of a scale-back; 0: none is declared, and scale-back is refused.
	Floor int

	UnitCost          *float64 // USD per pod and hour; nil: not known
	ConnectionsPerPod float64  // database connections that one more pod opens; 0: not known
	// Soonest and Latest bound the time until a pod is ready; 0: not known.
	Soonest, Latest time.Duration
	// Needs are signals that must not be stale when an action is confirmed.
	Needs []sale.Signal

	Secrets []string // never shown
}

// fieldManager is under which name our writes stand in managedFields.
const fieldManager = "onsale"

// Executor scales the Deployment. It is safe for many goroutines.
type Executor struct {
	opts Options
	last atomic.Pointer[scene] // what was previewed last
}

// New makes the executor of scale-up and scale-back.
func New(o Options) (*Executor, error) {
	switch {
	case o.Client == nil || o.Cluster == "" || o.Namespace == "" || o.Deployment == "":
		return nil, errors.New("kubernetes: a client, a cluster, a namespace and a Deployment are needed")
	case o.RaiseMax && o.Most <= 0:
		return nil, errors.New("kubernetes: max may be raised only up to a bound: set one")
	case o.Floor < 0 || o.Most < 0 || o.Most > 0 && o.Floor > o.Most:
		return nil, errors.New("kubernetes: the floor must not be over the bound, and neither below zero")
	case slices.ContainsFunc(o.Sizes, func(n int) bool { return n <= 0 }):
		return nil, errors.New("kubernetes: every declared size must be above zero")
	}
	o.Sizes = slices.Sorted(slices.Values(o.Sizes))
	return &Executor{opts: o}, nil
}

// Info implements actions.Executor.
func (x *Executor) Info() actions.Info {
	return actions.Info{System: System, Verbs: []actions.Verb{actions.ScaleUp, actions.ScaleBack}, Versions: true}
}

// Permissions lists what a role must allow, as "verb group/resource", sorted; the core group is
// "". get namespaces is asked only with Options.ClusterUID; of the patches only that of the object
// that decides the size.
func Permissions() []string {
	return []string{
		"create authorization.k8s.io/selfsubjectaccessreviews",
		"get /namespaces",
		"get apps/deployments",
		"get autoscaling/horizontalpodautoscalers",
		"get keda.sh/scaledobjects",
		"list /pods",
		"list autoscaling/horizontalpodautoscalers",
		"list keda.sh/scaledobjects",
		"patch apps/deployments/scale",
		"patch autoscaling/horizontalpodautoscalers",
		"patch keda.sh/scaledobjects",
	}
}

// Writes lists those of Permissions that change something.
func Writes() []string {
	return []string{"patch apps/deployments/scale", "patch autoscaling/horizontalpodautoscalers", "patch keda.sh/scaledobjects"}
}
