package config

import (
	"fmt"
	"strings"

	"github.com/onsale-dev/onsale/sale"
)

// screenGroups are the places on the screen that a signal's group can name.
func screenGroups() []string {
	return []string{
		string(sale.Demand), string(sale.Admission), string(sale.Funnel), string(sale.Stock),
		string(sale.Health), string(sale.Saturation), string(sale.Capacity), string(sale.Other),
	}
}

// readsGroup reports whether a signal's group names what is read, and not a place on the screen.
func (r *reader) readsGroup(in *signalIn) bool {
	for i := range r.known {
		if in.From.given() && r.known[i].Name == in.From.S {
			return r.known[i].Kind == KindAutoScaling
		}
	}
	return false
}

// onScreen refuses a place that the screen does not have.
func (r *reader) onScreen(in *signalIn) {
	if oneOf(in.Group.S, screenGroups()) {
		return
	}
	fix := "one of: " + strings.Join(screenGroups(), ", ")
	if k := nearest(in.Group.S, screenGroups()); k != "" {
		fix = fmt.Sprintf("did you mean %q?", k)
	}
	r.wrong(in.Group.at, fmt.Sprintf("\"group\" can't be %s", quote(in.Group.at)), fix)
}

// fieldsOfKind are the figures that each kind of source has.
var fieldsOfKind = map[string][]string{
	KindWaitingRoom: {"queued_users", "active_users", "new_users_per_minute", "total_active_users", "wait", "queue_all"},
	KindAutoScaling: {"in_service", "desired", "min", "max", "pending", "unhealthy", "warm", "healthy_targets"},
	KindECS:         {"running", "desired", "pending", "min", "max"},
	KindRDS:         {"connections_max", "available", "readers", "failover_targets", "storage_bytes", "storage_max_bytes", "acu_min", "acu_max"},
	KindKubernetes:  {"in_service", "desired", "min", "max", "pending", "unschedulable"},
}

// usualField is the figure that a standard signal means when it names none.
func usualField(signal sale.Signal, kind string) string {
	switch signal {
	case sale.CapacityInService:
		return fieldsOfKind[kind][0]
	case sale.CapacityDesired:
		return "desired"
	case sale.CapacityMin:
		return "min"
	case sale.CapacityMax:
		return "max"
	case sale.PodsPending:
		if kind == KindKubernetes {
			return "unschedulable" // the standard signal counts pods without a node
		}
		return "pending"
	default:
		return ""
	}
}

// scalerName is what an operator calls the thing that a scale-up would move; it labels the capacity
// in service where nobody labels it otherwise.
func scalerName(kind, object string) string {
	switch {
	case kind == KindAutoScaling:
		return "ASG"
	case kind == KindECS:
		return "ECS"
	case object == "hpa":
		return "HPA"
	case object == "scaledobject":
		return "KEDA"
	}
	return "pods"
}

// fieldOf gives the figure to read, or "" when it is not one of the source's kind.
func (r *reader) fieldOf(b *built, s *Source) string {
	f := b.in.Field
	if !f.given() {
		return ""
	}
	if !oneOf(f.S, fieldsOfKind[s.Kind]) {
		r.wrong(f.at, fmt.Sprintf("\"field\" can't be %s: %s source has no such figure", quote(f.at), a(s.Kind)), "one of: "+strings.Join(fieldsOfKind[s.Kind], ", "))
		return ""
	}
	return f.S
}

// capacity reads how a signal is taken from what runs the shop.
func (r *reader) capacity(b *built, s *Source, read *Read) {
	in := b.in
	field := r.fieldOf(b, s)
	if field == "" && !in.Field.given() {
		field = usualField(b.spec.Signal, s.Kind)
	}
	has := r.need(b, field != "" || in.Field.given(), "field", s)
	if b.spec.Signal == sale.CapacityInService && !in.Label.given() {
		b.spec.Label = scalerName(s.Kind, in.Object.S)
	}
	if b.spec.Unit != sale.Count && !in.Field.given() {
		r.wrong(b.at.keyOf("from"), fmt.Sprintf("%s source counts, and the signal %q is in %s", a(s.Kind), b.spec.Signal, b.spec.Unit), "choose another source, or another signal")
	}
	switch s.Kind {
	case KindAutoScaling:
		if r.need(b, in.Group.given(), "group", s) && has {
			read.AutoScaling = &AutoScalingRead{Group: in.Group.S, Field: field}
		}
	case KindECS:
		e := &ECSRead{Cluster: in.Cluster.S, Service: in.Service.S, Field: field}
		if e.Cluster == "" && s.ECS != nil && !strings.HasPrefix(e.Service, "arn:") {
			e.Cluster = s.ECS.Cluster
		}
		if r.need(b, in.Service.given(), "service", s) && has {
			read.ECS = e
		}
	case KindKubernetes:
		k := &KubernetesRead{Namespace: in.Namespace.S, Object: in.Object.S, Name: in.Resource.S, Field: field}
		if k.Object == "" {
			k.Object = "deployment"
		}
		if r.need(b, in.Namespace.given(), "namespace", s) && r.need(b, in.Resource.given(), "resource", s) && has {
			read.Kubernetes = k
		}
	}
}

// cluster reads how to reach a Kubernetes cluster.
func (r *reader) cluster(in clusterIn) Cluster {
	c := Cluster{Context: in.Context.S, InCluster: in.InCluster.V}
	if in.Kubeconfig.given() {
		path := r.path(in.Kubeconfig.S)
		if _, mode, err := r.env.read(path, maxBytes); err != nil {
			r.wrong(in.Kubeconfig.at, fmt.Sprintf("\"kubeconfig\" names a file that can't be read: %s", fault(path, err)), "mend the path; a relative one starts at the config's folder")
		} else if c.Kubeconfig = path; exposed(mode) && !r.warned[path] {
			r.warned[path] = true
			r.warn(in.Kubeconfig.at, fmt.Sprintf("%s can be read by others (mode %04o)", path, mode.Perm()), "chmod 600 "+path)
		}
	}
	for _, other := range []outer{in.Kubeconfig, in.Context} {
		if in.InCluster.V && other.given() {
			r.wrong(in.InCluster.at, `"in_cluster" and a kubeconfig are two ways to log in`, "keep one", see(other.at, "the other one"))
			break
		}
	}
	return c
}
