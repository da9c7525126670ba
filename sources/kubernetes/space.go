package kubernetes

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/onsale-dev/onsale/sale"
)

// space is what one namespace held at a poll. What could not be listed is in failed, what could
// not be understood in broken.
type space struct {
	name string

	mu            sync.Mutex
	deployments   map[string]*deployment
	hpas          map[string]*hpa
	scaledObjects map[string]*scaledObject
	pending       []*pod
	failed        map[resource]*sale.Problem
	broken        map[string]*sale.Problem // by resource/name
}

func newSpace(name string) *space {
	return &space{
		name: name, deployments: map[string]*deployment{}, hpas: map[string]*hpa{}, scaledObjects: map[string]*scaledObject{},
		failed: map[resource]*sale.Problem{}, broken: map[string]*sale.Problem{},
	}
}

// take parses what a list brought.
func (s *space) take(r resource, found []unstructured.Unstructured, problem *sale.Problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if problem != nil {
		s.failed[r] = problem
		return
	}
	for _, item := range found {
		var err error
		switch r {
		case deployments:
			err = keep(s.deployments, item, func(d *deployment) string { return d.Meta.Name })
		case hpas:
			err = keep(s.hpas, item, func(h *hpa) string { return h.Meta.Name })
		case scaledObjects:
			err = keep(s.scaledObjects, item, func(o *scaledObject) string { return o.Meta.Name })
		case pods:
			var p *pod
			if p, err = parse[pod](item); err == nil && p.Status.Phase == "Pending" && p.Meta.DeletionTimestamp == "" {
				s.pending = append(s.pending, p)
			}
		}
		if err != nil {
			bad := &sale.Problem{Class: sale.BadData, Text: fmt.Sprintf("%s %s in %s: %v", r, item.GetName(), s.name, err), Hint: hintForeign}
			s.broken[r.name+"/"+item.GetName()] = bad
			if r == pods || item.GetName() == "" { // a count without it would be wrong
				s.failed[r] = bad
			}
		}
	}
}

func keep[T any](into map[string]*T, item unstructured.Unstructured, name func(*T) string) error {
	one, err := parse[T](item)
	if err != nil {
		return err
	}
	if name(one) == "" {
		return fmt.Errorf("an object without a name")
	}
	into[name(one)] = one
	return nil
}

// workload is what a query names, with what belongs to it.
type workload struct {
	space   *space
	asked   Workload
	name    string
	problem *sale.Problem // why the named object itself is not there

	deployment *deployment // nil when it isn't there or could not be read
	missing    *sale.Problem
	hpa        *hpa // nil: none scales it
	others     []string
	object     *scaledObject // nil: KEDA does not scale it, or could not be read
}

// workload finds a workload and what scales it.
func (s *space) workload(kind Workload, name string) *workload {
	w := &workload{space: s, asked: kind, name: name}
	to := target{"Deployment", name}
	switch kind {
	case HPA:
		if w.problem = s.absent(hpas, name, s.hpas[name] != nil, sortedNames(s.hpas)); w.problem != nil {
			return w
		}
		w.hpa = s.hpas[name]
		to = w.hpa.Spec.Target
	case ScaledObject:
		if w.problem = s.absent(scaledObjects, name, s.scaledObjects[name] != nil, sortedNames(s.scaledObjects)); w.problem != nil {
			return w
		}
		w.object = s.scaledObjects[name]
		to = w.object.Spec.Target
		if to.Kind == "" {
			to.Kind = "Deployment" // KEDA's default
		}
	}
	if to.Kind != "Deployment" {
		w.missing = &sale.Problem{
			Class: sale.NotFound, Text: fmt.Sprintf("%s scales the %s %s: only Deployments are read", name, to.Kind, to.Name),
			Hint: "take desired, min and max from here, and in_service from a metric",
		}
	} else {
		w.missing = s.absent(deployments, to.Name, s.deployments[to.Name] != nil, sortedNames(s.deployments))
		w.deployment = s.deployments[to.Name]
	}
	w.scaledBy(to)
	if kind == Deployment {
		w.problem = w.missing
	}
	return w
}

// scaledBy finds the HPA and the ScaledObject of a target.
func (w *workload) scaledBy(to target) {
	s := w.space
	for _, name := range sortedNames(s.hpas) {
		h := s.hpas[name]
		if h.Spec.Target != to {
			continue
		}
		switch {
		case w.asked == ScaledObject && h.keda() != "" && h.keda() != w.name, w.hpa != nil && w.hpa != h:
			w.others = append(w.others, name)
		default:
			w.hpa = h
		}
	}
	if w.object != nil {
		return
	}
	if w.hpa != nil && w.hpa.keda() != "" {
		w.object = s.scaledObjects[w.hpa.keda()]
		return
	}
	for _, name := range sortedNames(s.scaledObjects) { // a paused one has no HPA
		o := s.scaledObjects[name]
		if o.Spec.Target.Name == to.Name && (o.Spec.Target.Kind == to.Kind || o.Spec.Target.Kind == "" && to.Kind == "Deployment") {
			w.object = o
			return
		}
	}
}

// absent says why an object is not there; nil when it is.
func (s *space) absent(r resource, name string, there bool, names []string) *sale.Problem {
	if there {
		return nil
	}
	if p := s.failed[r]; p != nil {
		return p
	}
	if p := s.broken[r.name+"/"+name]; p != nil {
		return p
	}
	hint := "the namespace has none: see the namespace and the cluster"
	if len(names) > 0 {
		hint = "there are: " + strings.Join(names[:min(len(names), 8)], ", ")
	}
	return &sale.Problem{Class: sale.NotFound, Text: fmt.Sprintf("no %s %q in namespace %s", r, name, s.name), Hint: hint}
}

func sortedNames[T any](of map[string]T) []string {
	names := make([]string, 0, len(of))
	for name := range of {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
