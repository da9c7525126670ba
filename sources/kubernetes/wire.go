package kubernetes

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// The parts of the API's objects that are read. An absent count of a status is zero by the API's own
// convention; whether the status was ever written is told by observedGeneration.

type meta struct {
	Name              string            `json:"name"`
	Generation        int64             `json:"generation"`
	DeletionTimestamp string            `json:"deletionTimestamp"`
	Labels            map[string]string `json:"labels"`
	Annotations       map[string]string `json:"annotations"`
	Owners            []owner           `json:"ownerReferences"`
	Managed           []managed         `json:"managedFields"`
}

type owner struct {
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Controller bool   `json:"controller"`
}

type managed struct {
	Manager   string         `json:"manager"`
	Operation string         `json:"operation"`
	Fields    map[string]any `json:"fieldsV1"`
}

// has reports whether the manager holds a field of spec.
func (m managed) has(field string) bool {
	spec, _ := m.Fields["f:spec"].(map[string]any)
	_, ok := spec["f:"+field]
	return ok
}

type condition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// conditionOf returns the condition of a type; the zero condition when there is none.
func conditionOf(all []condition, kind string) condition {
	for _, c := range all {
		if c.Type == kind {
			return c
		}
	}
	return condition{}
}

type target struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

type deployment struct {
	Meta meta `json:"metadata"`
	Spec struct {
		Replicas *int64   `json:"replicas"`
		Paused   bool     `json:"paused"`
		Selector selector `json:"selector"`
	} `json:"spec"`
	Status struct {
		ObservedGeneration int64       `json:"observedGeneration"`
		Replicas           int64       `json:"replicas"`
		Updated            int64       `json:"updatedReplicas"`
		Ready              int64       `json:"readyReplicas"`
		Available          int64       `json:"availableReplicas"`
		Conditions         []condition `json:"conditions"`
	} `json:"status"`
}

type selector struct {
	Labels      map[string]string `json:"matchLabels"`
	Expressions []struct {
		Key      string   `json:"key"`
		Operator string   `json:"operator"`
		Values   []string `json:"values"`
	} `json:"matchExpressions"`
}

func (s selector) matches(labels map[string]string) bool {
	if len(s.Labels) == 0 && len(s.Expressions) == 0 {
		return false // a Deployment always selects something
	}
	for k, v := range s.Labels {
		if has, ok := labels[k]; !ok || has != v {
			return false
		}
	}
	for _, e := range s.Expressions {
		v, ok := labels[e.Key]
		holds := false
		switch e.Operator {
		case "In":
			holds = ok && slices.Contains(e.Values, v)
		case "NotIn":
			holds = !ok || !slices.Contains(e.Values, v)
		case "Exists":
			holds = ok
		case "DoesNotExist":
			holds = !ok
		}
		if !holds {
			return false
		}
	}
	return true
}

type hpa struct {
	Meta meta `json:"metadata"`
	Spec struct {
		Target   target `json:"scaleTargetRef"`
		Min      *int64 `json:"minReplicas"`
		Max      *int64 `json:"maxReplicas"`
		Behavior struct {
			Up   policy `json:"scaleUp"`
			Down policy `json:"scaleDown"`
		} `json:"behavior"`
	} `json:"spec"`
	Status struct {
		Current    *int64      `json:"currentReplicas"`
		Desired    *int64      `json:"desiredReplicas"`
		Conditions []condition `json:"conditions"`
	} `json:"status"`
}

type policy struct {
	Select string `json:"selectPolicy"`
}

// keda returns the ScaledObject that owns an HPA, or "".
func (h *hpa) keda() string {
	for _, o := range h.Meta.Owners {
		if o.Kind == "ScaledObject" {
			return o.Name
		}
	}
	return ""
}

type scaledObject struct {
	Meta meta `json:"metadata"`
	Spec struct {
		Target target `json:"scaleTargetRef"`
		Min    *int64 `json:"minReplicaCount"`
		Max    *int64 `json:"maxReplicaCount"`
		Idle   *int64 `json:"idleReplicaCount"`
	} `json:"spec"`
	Status struct {
		HPA        string      `json:"hpaName"`
		Conditions []condition `json:"conditions"`
	} `json:"status"`
}

type pod struct {
	Meta   meta `json:"metadata"`
	Status struct {
		Phase      string      `json:"phase"`
		Conditions []condition `json:"conditions"`
		Containers []struct {
			State struct {
				Waiting struct {
					Reason string `json:"reason"`
				} `json:"waiting"`
			} `json:"state"`
		} `json:"containerStatuses"`
	} `json:"status"`
}

// unschedulable reports whether no node takes the pod, and the scheduler's own reason.
func (p *pod) unschedulable() (string, bool) {
	c := conditionOf(p.Status.Conditions, "PodScheduled")
	if c.Status != "False" {
		return "", false
	}
	why := strings.TrimSpace(c.Message)
	if why == "" {
		why = c.Reason
	}
	return why, true
}

// waits is why a container of a pod with a node does not run yet.
func (p *pod) waits() string {
	for _, c := range p.Status.Containers {
		if c.State.Waiting.Reason != "" {
			return c.State.Waiting.Reason
		}
	}
	return ""
}

// parse reads one object of a list.
func parse[T any](item unstructured.Unstructured) (*T, error) {
	var out T
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(item.Object, &out); err != nil {
		return nil, fmt.Errorf("an object of another shape: %w", err)
	}
	return &out, nil
}
