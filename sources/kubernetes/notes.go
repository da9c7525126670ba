package kubernetes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onsale-dev/onsale/sale"
)

const maxNote = 200 // cells

// notes are the facts that an operator must know before scaling.
func (w *workload) notes(id sale.ID, clean func(string, int) string) []sale.Note {
	var notes []sale.Note
	add := func(code, format string, args ...any) {
		notes = append(notes, sale.Note{Sale: id, Code: code, Text: clean(fmt.Sprintf(format, args...), maxNote)})
	}
	w.unreadable(add)
	if w.problem != nil {
		return notes
	}
	w.scalers(add)
	if w.hpa != nil {
		w.limits(add)
	}
	w.keda(add)
	w.gitOps(add)
	if w.deployment != nil {
		w.rollout(add)
		w.podsWait(add)
	}
	return notes
}

type adder func(code, format string, args ...any)

// unreadable says what is not known beside the figures. A cluster without KEDA is no gap.
func (w *workload) unreadable(add adder) {
	for _, r := range resources() {
		p := w.space.failed[r]
		if p == nil || r == scaledObjects && p.Class == sale.NotFound {
			continue
		}
		what := map[string]string{
			deployments.name: "Deployments", hpas.name: "HPAs and what they are held back by", pods.name: "pending pods", scaledObjects.name: "KEDA's ScaledObjects, which may undo a change",
		}[r.name]
		add("unreadable", "%s of %s are unknown: %s", what, w.space.name, p.Text)
	}
}

// scalers says who else sets the replicas.
func (w *workload) scalers(add adder) {
	if w.hpa != nil && w.asked == Deployment {
		add("hpa_owns", "HPA %s sets the replicas of %s: raise its minimum, a change of the Deployment's scale is overwritten", w.hpa.Meta.Name, w.name)
	}
	if len(w.others) > 0 {
		add("several_hpas", "more than one HPA scales the same Deployment: %s and %s fight", w.hpa.Meta.Name, strings.Join(w.others, ", "))
	}
}

// limits tells the HPA's own conditions where they matter.
func (w *workload) limits(add adder) {
	name, st := w.hpa.Meta.Name, w.hpa.Status
	if c := conditionOf(st.Conditions, "ScalingLimited"); c.Status == "True" {
		switch c.Reason {
		case "TooManyReplicas":
			add("hpa_at_max", "HPA %s wants more than its maximum of %s", name, written(w.hpa.Spec.Max))
		case "TooFewReplicas": // the floor at work is what a pre-scale wants
			add("hpa_at_min", "HPA %s is held up by its minimum of %s", name, written(w.hpa.Spec.Min))
		default:
			add("hpa_limited", "HPA %s is limited: %s", name, said(c))
		}
	}
	switch c := conditionOf(st.Conditions, "AbleToScale"); {
	case c.Status == "False":
		add("hpa_unable", "HPA %s can't scale: %s", name, said(c))
	case c.Reason == "ScaleDownStabilized":
		add("hpa_stabilized", "HPA %s waits before it scales down", name)
	}
	if c := conditionOf(st.Conditions, "ScalingActive"); c.Status == "False" {
		if c.Reason == "ScalingDisabled" {
			add("hpa_inactive", "HPA %s is off while its target has 0 replicas: scale the Deployment to 1 or more first", name)
		} else {
			add("hpa_inactive", "HPA %s does not scale: %s", name, said(c))
		}
	}
	if w.hpa.Spec.Behavior.Down.Select == "Disabled" {
		add("hpa_no_scale_down", "HPA %s never scales down (selectPolicy Disabled)", name)
	}
	if w.hpa.Spec.Behavior.Up.Select == "Disabled" {
		add("hpa_no_scale_up", "HPA %s never scales up by itself (selectPolicy Disabled)", name)
	}
}

func written(n *int64) string {
	if n == nil {
		return "1" // the API's default
	}
	return fmt.Sprint(*n)
}

func said(c condition) string {
	if c.Message == "" {
		return c.Reason
	}
	return c.Reason + ": " + c.Message
}

// keda says that KEDA owns the HPA, and what pauses it.
func (w *workload) keda(add adder) {
	if w.hpa != nil && w.hpa.keda() != "" {
		add("keda_owns", "KEDA owns HPA %s and reverts changes of it: change minReplicaCount of ScaledObject %s", w.hpa.Meta.Name, w.hpa.keda())
	}
	if w.object == nil {
		return
	}
	name, notes := w.object.Meta.Name, w.object.Meta.Annotations
	const prefix = "autoscaling.keda.sh/"
	if n, ok := notes[prefix+"paused-replicas"]; ok {
		add("keda_paused", "ScaledObject %s is PAUSED at %s replicas: nothing scales", name, n)
	} else if strings.EqualFold(notes[prefix+"paused"], "true") {
		add("keda_paused", "ScaledObject %s is PAUSED: nothing scales", name)
	}
	for _, way := range []struct{ note, text string }{{"paused-scale-in", "does not scale in"}, {"paused-scale-out", "does NOT scale out"}} {
		if strings.EqualFold(notes[prefix+way.note], "true") {
			add("keda_"+strings.ReplaceAll(way.note, "-", "_"), "ScaledObject %s %s while %s is set", name, way.text, way.note)
		}
	}
	if c := conditionOf(w.object.Status.Conditions, "Ready"); c.Status == "False" {
		add("keda_not_ready", "ScaledObject %s is not ready: %s", name, said(c))
	}
	if c := conditionOf(w.object.Status.Conditions, "Fallback"); c.Status == "True" {
		add("keda_fallback", "ScaledObject %s runs on its fallback: its trigger can't be read", name)
	}
}

// rollout says that a Deployment is changing or stuck.
func (w *workload) rollout(add adder) {
	d := w.deployment
	name, st := d.Meta.Name, d.Status
	if d.Spec.Paused {
		add("rollout_paused", "Deployment %s is paused: a new version is not rolled out, scaling still works", name)
	}
	if c := conditionOf(st.Conditions, "ReplicaFailure"); c.Status == "True" {
		add("replica_failure", "Deployment %s can't make pods: %s", name, said(c))
	}
	c := conditionOf(st.Conditions, "Progressing")
	switch {
	case c.Status == "False" && c.Reason == "ProgressDeadlineExceeded":
		add("rollout_stuck", "the rollout of %s is STUCK at %d of %d: %s", name, st.Updated, replicas(d), said(c))
	case st.ObservedGeneration > 0 && st.ObservedGeneration < d.Meta.Generation:
		add("rollout", "the controller has not seen the last change of %s yet", name)
	case st.ObservedGeneration > 0 && st.Updated < st.Replicas:
		add("rollout", "a rollout of %s is under way: %d of %d pods are new", name, st.Updated, replicas(d))
	}
	if d.Spec.Replicas != nil && *d.Spec.Replicas == 0 {
		add("scaled_to_zero", "Deployment %s is scaled to 0", name)
	}
}

func replicas(d *deployment) int64 {
	if d.Spec.Replicas == nil {
		return d.Status.Replicas
	}
	return *d.Spec.Replicas
}

// podsWait tells why pods are pending.
func (w *workload) podsWait(add adder) {
	nowhere, starting := 0, 0
	var why string
	stuck := map[string]int{}
	for _, p := range w.pods() {
		if reason, ok := p.unschedulable(); ok {
			nowhere++
			if why == "" || reason < why {
				why = reason
			}
			continue
		}
		switch reason := p.waits(); reason {
		case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError", "CreateContainerError", "ErrImageNeverPull":
			stuck[reason]++
		default:
			starting++
		}
	}
	name := w.deployment.Meta.Name
	if nowhere > 0 {
		add("pods_unschedulable", "no node takes %d pods of %s: %s", nowhere, name, why)
	}
	for _, reason := range sortedNames(stuck) {
		add("pods_stuck", "%d pods of %s do not start: %s", stuck[reason], name, reason)
	}
	if starting > 0 {
		add("pods_starting", "%d pods of %s are starting", starting, name)
	}
}

// gitOps says that a controller would put back what is changed by hand.
func (w *workload) gitOps(add adder) {
	type subject struct {
		kind   string
		meta   meta
		fields []string
	}
	var subjects []subject
	switch { // what a scale-up would change
	case w.object != nil:
		subjects = append(subjects, subject{"ScaledObject", w.object.Meta, []string{"minReplicaCount", "maxReplicaCount"}})
	case w.hpa != nil:
		subjects = append(subjects, subject{"HPA", w.hpa.Meta, []string{"minReplicas", "maxReplicas"}})
	}
	if w.deployment != nil {
		subjects = append(subjects, subject{"Deployment", w.deployment.Meta, []string{"replicas"}})
	}
	for _, s := range subjects {
		tool, by := gitOpsOf(s.meta)
		if tool == "" {
			continue
		}
		var held []string
		for _, f := range s.fields {
			if slices.ContainsFunc(s.meta.Managed, func(m managed) bool { return isGitOps(m.Manager) != "" && m.has(f) }) {
				held = append(held, "spec."+f)
			}
		}
		if len(held) > 0 {
			add("gitops", "%s%s owns %s of %s %s: a live change will be reverted, change it in Git", tool, by, strings.Join(held, " and "), s.kind, s.meta.Name)
		} else {
			add("gitops", "%s%s manages %s %s: a live change may be reverted at its next sync", tool, by, s.kind, s.meta.Name)
		}
	}
}

// gitOpsOf tells which GitOps tool manages an object: by its fields, labels or annotations.
func gitOpsOf(m meta) (tool, by string) {
	switch {
	case m.Annotations["argocd.argoproj.io/tracking-id"] != "":
		app, _, _ := strings.Cut(m.Annotations["argocd.argoproj.io/tracking-id"], ":")
		return argoCD, " (application " + app + ")"
	case m.Labels["argocd.argoproj.io/instance"] != "":
		return argoCD, " (application " + m.Labels["argocd.argoproj.io/instance"] + ")"
	case m.Labels["kustomize.toolkit.fluxcd.io/name"] != "":
		return flux, " (kustomization " + m.Labels["kustomize.toolkit.fluxcd.io/name"] + ")"
	case m.Labels["helm.toolkit.fluxcd.io/name"] != "":
		return flux, " (release " + m.Labels["helm.toolkit.fluxcd.io/name"] + ")"
	}
	for _, each := range m.Managed {
		if tool := isGitOps(each.Manager); tool != "" {
			return tool, ""
		}
	}
	return "", ""
}

const (
	argoCD = "Argo CD"
	flux   = "Flux"
)

// isGitOps names the tool behind a field manager, or "".
func isGitOps(manager string) string {
	switch {
	case strings.HasPrefix(manager, "argocd"):
		return argoCD
	case manager == "kustomize-controller", manager == "helm-controller":
		return flux
	}
	return ""
}
