package kubernetes

import (
	"fmt"

	"github.com/onsale-dev/onsale/sale"
)

// mostReplicas is the API's own limit of a replica count.
const mostReplicas = 1<<31 - 1

// value is the figure of a field, or the reason why there is none.
func (w *workload) value(f Field) (float64, *sale.Problem) {
	if w.problem != nil {
		return 0, w.problem
	}
	switch f {
	case InService:
		if w.missing != nil {
			return 0, w.missing
		}
		if w.deployment.Status.ObservedGeneration == 0 {
			return 0, unknown("the Deployment %s has no status yet: its controller has not looked at it", w.deployment.Meta.Name)
		}
		return w.counted(&w.deployment.Status.Ready, "status.readyReplicas")
	case Desired:
		return w.desired()
	case Min, Max:
		return w.bound(f)
	case Pending, Unschedulable:
		return w.waiting(f)
	}
	return 0, unknown("no field %q", f)
}

// desired is what the autoscaler wants, where one is at work; else what the Deployment says.
func (w *workload) desired() (float64, *sale.Problem) {
	if w.hpa != nil && conditionOf(w.hpa.Status.Conditions, "ScalingActive").Status == "True" && w.hpa.Status.Desired != nil {
		return w.counted(w.hpa.Status.Desired, "status.desiredReplicas")
	}
	if w.missing != nil {
		return 0, w.missing
	}
	return w.counted(w.deployment.Spec.Replicas, "spec.replicas")
}

// bound is a bound of the autoscaler. KEDA's own win over those of its HPA, which follows them.
func (w *workload) bound(f Field) (float64, *sale.Problem) {
	if w.object != nil {
		const kedaMin, kedaMax = 0, 100 // KEDA's documented defaults
		n, name, usual := w.object.Spec.Min, "spec.minReplicaCount", int64(kedaMin)
		if f == Max {
			n, name, usual = w.object.Spec.Max, "spec.maxReplicaCount", kedaMax
		}
		if n == nil {
			n = &usual
		}
		return w.counted(n, name)
	}
	if w.hpa == nil {
		if p := w.space.failed[hpas]; p != nil {
			return 0, p
		}
		return 0, &sale.Problem{
			Class: sale.NotFound, Text: fmt.Sprintf("no HPA scales the Deployment %s in %s: it has no %s", w.name, w.space.name, f),
			Hint: "leave this signal out, or make an HPA",
		}
	}
	if f == Max {
		return w.counted(w.hpa.Spec.Max, "spec.maxReplicas")
	}
	n, usual := w.hpa.Spec.Min, int64(1) // the API's default
	if n == nil {
		n = &usual
	}
	return w.counted(n, "spec.minReplicas")
}

func (w *workload) waiting(f Field) (float64, *sale.Problem) {
	if w.missing != nil {
		return 0, w.missing
	}
	if p := w.space.failed[pods]; p != nil {
		return 0, p
	}
	var n int64
	for _, p := range w.pods() {
		if _, nowhere := p.unschedulable(); nowhere || f == Pending {
			n++
		}
	}
	return float64(n), nil
}

// pods are the pending pods of the Deployment.
func (w *workload) pods() []*pod {
	var out []*pod
	if w.deployment == nil {
		return nil
	}
	for _, p := range w.space.pending {
		if w.deployment.Spec.Selector.matches(p.Meta.Labels) {
			out = append(out, p)
		}
	}
	return out
}

func (w *workload) counted(n *int64, name string) (float64, *sale.Problem) {
	switch {
	case n == nil:
		return 0, unknown("%s has no %s", w.name, name)
	case *n < 0 || *n > mostReplicas:
		return 0, unknown("%s says %s %d, which is no count", w.name, name, *n)
	}
	return float64(*n), nil
}

func unknown(format string, args ...any) *sale.Problem {
	return &sale.Problem{Class: sale.BadData, Text: fmt.Sprintf(format, args...), Hint: "look at the object with kubectl describe: the cluster itself does not know"}
}
