package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/onsale-dev/onsale/actions"
)

// ask lets the server say before whether it would take the patch: first who may, then, as a dry
// run, everything that it checks.
func (o *Options) ask(ctx context.Context, p *actions.Preview, s *scene) {
	if p.Refused() {
		return
	}
	allowed, why, err := o.allowed(ctx, s)
	switch {
	case err != nil:
		q := o.problem(err, "create authorization.k8s.io/selfsubjectaccessreviews")
		warn(p, "whether it is allowed could not be asked: %s", q.Text)
	case !allowed:
		p.Refuse(actions.GuardTarget, o.clean("the cluster does not allow it: "+why, maxWarning), "allow it to the service account in a Role: "+s.permission()+" in namespace "+o.Namespace)
		return
	}
	got, err := o.dryRun(ctx, p, s)
	if err == nil {
		after := &scene{means: s.means, object: got}
		if v := after.value(); !v.Holds(p.To) {
			warn(p, "the dry run changed it: %s", v.Only(p.To))
		}
		p.Facts = append(p.Facts, actions.Fact{Label: "dry run", Text: "the server takes it, validation and admission included"})
		return
	}
	q := o.problem(err, s.permission())
	status, ok := statusOf(err)
	switch {
	case ok && status.Reason == metav1.StatusReasonConflict:
		p.Refuse(actions.GuardChanged, o.clean("it was written while it was read: "+status.Message, maxWarning), "open the panel again")
	case ok && (status.Reason == metav1.StatusReasonForbidden || status.Reason == metav1.StatusReasonInvalid || status.Reason == metav1.StatusReasonNotFound):
		p.Refuse(actions.GuardTarget, "the dry run was refused: "+q.Text, q.Hint)
	default:
		warn(p, "the dry run could not be made, so admission is not proven: %s", q.Text)
	}
}

// dryRun lets the server check the patch and store nothing. It is conditional on what was read; a
// status that was written in between is no change, so it is asked again. Where statuses are written
// faster than that, it is asked without the condition: Execute compares once more before it sends.
func (o *Options) dryRun(ctx context.Context, p *actions.Preview, s *scene) (*unstructured.Unstructured, error) {
	now := s
	for try := 1; ; try++ {
		got, err := o.patch(ctx, now, p.To, []string{metav1.DryRunAll})
		if _, own := statusOf(err); !own || !apierrors.IsConflict(err) {
			return got, err
		}
		read, failed := o.read(ctx)
		if failed != nil || read.version() != p.Version || try > statusTries {
			return got, err
		}
		if now = read; try == statusTries {
			now = &scene{means: read.means, object: read.object.DeepCopy()}
			now.object.SetResourceVersion("")
		}
	}
}

// allowed asks whether these credentials may send the patch.
func (o *Options) allowed(ctx context.Context, s *scene) (allowed bool, why string, err error) {
	review := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
		"spec": map[string]any{"resourceAttributes": map[string]any{
			"namespace": o.Namespace, "verb": "patch", "group": s.gvr.Group, "resource": s.gvr.Resource, "subresource": s.sub, "name": s.object.GetName(),
		}},
	}}
	got, err := o.Client.Resource(schema.GroupVersionResource{Group: "authorization.k8s.io", Version: "v1", Resource: "selfsubjectaccessreviews"}).Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, "", err
	}
	allowed, found, err := unstructured.NestedBool(got.Object, "status", "allowed")
	if err != nil || !found {
		return false, "", fmt.Errorf("the review has no answer")
	}
	if why, _, _ = unstructured.NestedString(got.Object, "status", "reason"); why == "" {
		why = "no role lets these credentials " + s.permission()
	}
	return allowed, why, nil
}

// patch sends a merge patch of the fields of a value, conditional on the object as it was read
// (its resourceVersion; without one, unconditional).
func (o *Options) patch(ctx context.Context, s *scene, to actions.Value, dryRun []string) (*unstructured.Unstructured, error) {
	fields, err := s.fields(to)
	if err != nil {
		return nil, &unsentError{err}
	}
	document := map[string]any{"spec": fields}
	if version := s.object.GetResourceVersion(); version != "" {
		document["metadata"] = map[string]any{"resourceVersion": version}
	}
	body, err := json.Marshal(document)
	if err != nil {
		return nil, &unsentError{err}
	}
	var sub []string
	if s.sub != "" {
		sub = []string{s.sub}
	}
	return o.Client.Resource(s.gvr).Namespace(o.Namespace).Patch(ctx, s.object.GetName(), types.MergePatchType, body,
		metav1.PatchOptions{FieldManager: fieldManager, DryRun: dryRun}, sub...)
}
