package kubernetes

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// means is one kind of object by which a size is set.
type means struct {
	gvr         schema.GroupVersionResource
	kind        string
	sub         string // subresource that is patched
	least, most string // field names of spec; most is "" where there is no ceiling
	// What holds where the object does not say.
	defaultLeast, defaultMost int
}

func byHPA() means {
	return means{
		gvr:  schema.GroupVersionResource{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"},
		kind: "HorizontalPodAutoscaler", least: "minReplicas", most: "maxReplicas", defaultLeast: 1,
	}
}

// byKEDA has KEDA's documented defaults: https://keda.sh/docs/latest/reference/scaledobject-spec/
func byKEDA() means {
	return means{
		gvr:  schema.GroupVersionResource{Group: "keda.sh", Version: "v1alpha1", Resource: "scaledobjects"},
		kind: "ScaledObject", least: "minReplicaCount", most: "maxReplicaCount", defaultLeast: 0, defaultMost: 100,
	}
}

func byScale() means {
	return means{gvr: deployments(), kind: "Deployment", sub: "scale", least: "replicas", defaultLeast: 1}
}

func deployments() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
}

// permission names the patch that the means need.
func (m *means) permission() string {
	if m.sub != "" {
		return "patch " + m.gvr.Group + "/" + m.gvr.Resource + "/" + m.sub
	}
	return "patch " + m.gvr.Group + "/" + m.gvr.Resource
}

// scene is what is known of a Deployment and of what decides its size.
type scene struct {
	means
	object     *unstructured.Unstructured // what is patched
	deployment *unstructured.Unstructured
	hpa        *unstructured.Unstructured // nil: none
	replicas   int                        // asked for
	ready      int
	min, max   int // max is 0 where there is no ceiling
}

const pageSize = 500

// read finds what decides the Deployment's size.
func (o *Options) read(ctx context.Context) (*scene, error) {
	if err := o.checkCluster(ctx); err != nil {
		return nil, err
	}
	d, err := o.Client.Resource(deployments()).Namespace(o.Namespace).Get(ctx, o.Deployment, metav1.GetOptions{})
	if err != nil {
		p := o.problem(err, "get apps/deployments")
		return nil, &p
	}
	s := &scene{means: byScale(), object: d, deployment: d, replicas: number(d, 1, "spec", "replicas"), ready: number(d, 0, "status", "readyReplicas")}
	if s.hpa, err = o.only(ctx, byHPA(), "list autoscaling/horizontalpodautoscalers"); err != nil {
		return nil, err
	}
	if s.hpa != nil {
		s.means, s.object = byHPA(), s.hpa
		if name := ownedByKEDA(s.hpa); name != "" {
			s.means = byKEDA()
			if s.object, err = o.Client.Resource(s.gvr).Namespace(o.Namespace).Get(ctx, name, metav1.GetOptions{}); err != nil {
				p := o.problem(err, "get keda.sh/scaledobjects")
				return nil, &p
			}
		}
	} else {
		// A ScaledObject that is paused, or new, has no HPA.
		scaled, err := o.only(ctx, byKEDA(), "list keda.sh/scaledobjects")
		if err != nil {
			return nil, err
		}
		if scaled != nil {
			s.means, s.object = byKEDA(), scaled
		}
	}
	s.min = number(s.object, s.defaultLeast, "spec", s.least)
	if s.most != "" {
		s.max = number(s.object, s.defaultMost, "spec", s.most)
	}
	if s.object.GetUID() == "" || s.object.GetResourceVersion() == "" {
		return nil, &sale.Problem{Class: sale.BadData, Text: "the answer has no UID or resourceVersion", Hint: hintEndpoint}
	}
	return s, nil
}

// checkCluster refuses a cluster that is not the declared one.
func (o *Options) checkCluster(ctx context.Context) error {
	if o.ClusterUID == "" {
		return nil
	}
	ns, err := o.Client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).Get(ctx, "kube-system", metav1.GetOptions{})
	if err != nil {
		p := o.problem(err, "get /namespaces")
		return &p
	}
	if string(ns.GetUID()) != o.ClusterUID {
		return &sale.Problem{
			Class: sale.Auth, Text: o.clean(fmt.Sprintf("this is another cluster than %s: its kube-system has the UID %s", o.Cluster, ns.GetUID()), maxProblemText),
			Hint: "compare the kubeconfig's context with the config",
		}
	}
	return nil
}

// only finds the one object of a kind whose scaleTargetRef is the Deployment. Where the kind is
// not served there is none.
func (o *Options) only(ctx context.Context, m means, permission string) (*unstructured.Unstructured, error) {
	var found *unstructured.Unstructured
	next := ""
	for range 10 {
		list, err := o.Client.Resource(m.gvr).Namespace(o.Namespace).List(ctx, metav1.ListOptions{Limit: pageSize, Continue: next})
		if m.gvr.Group == "keda.sh" && apierrors.IsNotFound(err) {
			if _, ok := statusOf(err); ok || strings.Contains(err.Error(), "the server could not find the requested resource") {
				return nil, nil
			}
		}
		if err != nil {
			p := o.problem(err, permission)
			return nil, &p
		}
		for i := range list.Items {
			item := &list.Items[i]
			kind, _, _ := unstructured.NestedString(item.Object, "spec", "scaleTargetRef", "kind")
			name, _, _ := unstructured.NestedString(item.Object, "spec", "scaleTargetRef", "name")
			if name != o.Deployment || kind != "Deployment" && (kind != "" || m.kind != "ScaledObject") {
				continue
			}
			if found != nil {
				return nil, &sale.Problem{
					Class: sale.BadData, Text: o.clean(fmt.Sprintf("two objects scale it, %s and %s: which one decides is not known", found.GetName(), item.GetName()), maxProblemText),
					Hint: "delete one of the " + m.gvr.Resource + ": they fight each other",
				}
			}
			found = item
		}
		if next = list.GetContinue(); next == "" {
			return found, nil
		}
	}
	return found, nil
}

// ownedByKEDA is the name of the ScaledObject that an HPA belongs to, or "".
func ownedByKEDA(hpa *unstructured.Unstructured) string {
	for _, ref := range hpa.GetOwnerReferences() {
		if ref.Kind == "ScaledObject" && strings.HasPrefix(ref.APIVersion, "keda.sh/") {
			return ref.Name
		}
	}
	labels := hpa.GetLabels()
	if name := labels["scaledobject.keda.sh/name"]; name != "" {
		return name
	}
	if labels["app.kubernetes.io/managed-by"] == "keda-operator" {
		return strings.TrimPrefix(hpa.GetName(), "keda-hpa-")
	}
	return ""
}

// number reads a whole number; a field that is not there is otherwise.
func number(u *unstructured.Unstructured, otherwise int, fields ...string) int {
	v, found, err := unstructured.NestedFieldNoCopy(u.Object, fields...)
	if !found || err != nil {
		return otherwise
	}
	switch v := v.(type) {
	case int64:
		return int(v)
	case float64:
		return int(v)
	}
	return otherwise
}

func (o *Options) name() string { return o.Namespace + "/" + o.Deployment }

// target is what is patched, under the Deployment's name.
func (o *Options) target(s *scene) actions.Target {
	return actions.Target{System: System, Kind: s.kind, Name: o.name(), ID: o.clean(string(s.object.GetUID()), 64), Account: o.Cluster}
}

// value is what the object itself says; a field that it does not hold is unset.
func (s *scene) value() actions.Value {
	v := actions.Value{}
	for _, name := range []string{s.least, s.most} {
		if name == "" {
			continue
		}
		v[name] = actions.Unset
		if _, found, _ := unstructured.NestedFieldNoCopy(s.object.Object, "spec", name); found {
			v[name] = actions.Number(float64(number(s.object, 0, "spec", name)))
		}
	}
	return v
}

// version changes with every write but those of a status, which an autoscaler writes every few
// seconds: the resourceVersion would disarm each confirmation. It is a digest of the UID, the
// generation, the spec and of who wrote it when. The patch itself is held by the resourceVersion.
func (s *scene) version() string {
	var writes []metav1.ManagedFieldsEntry
	for _, f := range s.object.GetManagedFields() {
		if f.Subresource != "status" {
			writes = append(writes, f)
		}
	}
	spec, _, _ := unstructured.NestedFieldNoCopy(s.object.Object, "spec")
	data, err := json.Marshal([]any{s.object.GetUID(), s.object.GetGeneration(), spec, writes})
	if err != nil { // it came as JSON
		return s.object.GetResourceVersion()
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// lastWriter is who wrote a field of spec last, as managedFields tell; "" when they don't.
func (s *scene) lastWriter(field string) (who string, at time.Time) {
	for _, f := range s.object.GetManagedFields() {
		if f.Subresource == "status" || !owns(f, field) {
			continue
		}
		written := time.Time{} // a manager may have left it out
		if f.Time != nil {
			written = f.Time.Time
		}
		if !written.Before(at) {
			who, at = f.Manager, written
		}
	}
	return who, at
}

// owns reports whether an entry of managedFields holds a field of spec.
func owns(f metav1.ManagedFieldsEntry, field string) bool {
	if f.FieldsV1 == nil {
		return false
	}
	var fields struct {
		Spec map[string]json.RawMessage `json:"f:spec"`
	}
	if json.Unmarshal(f.FieldsV1.GetRawBytes(), &fields) != nil {
		return false
	}
	_, ok := fields.Spec["f:"+field]
	return ok
}

func (s *scene) progress(wanted int) string {
	return fmt.Sprintf("%d of %d pods ready", s.ready, wanted)
}
