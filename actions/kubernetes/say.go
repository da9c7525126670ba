package kubernetes

import (
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// The annotations by which people hold a ScaledObject.
// https://keda.sh/docs/latest/concepts/scaling-deployments/#pausing-autoscaling
const (
	kedaPaused   = "autoscaling.keda.sh/paused"
	kedaReplicas = "autoscaling.keda.sh/paused-replicas"
	kedaNoIn     = "autoscaling.keda.sh/paused-scale-in"
	kedaNoOut    = "autoscaling.keda.sh/paused-scale-out"
)

func warn(p *actions.Preview, format string, args ...any) {
	p.Warnings = append(p.Warnings, sale.Clean(fmt.Sprintf(format, args...), maxWarning))
}

// sayGrowth is what is particular to more pods.
func (o *Options) sayGrowth(p *actions.Preview, s *scene, least, most, size int, seen actions.Evidence) {
	if s.most != "" {
		if size == s.present() {
			warn(p, "no pod is added: it holds the %d that are there", size)
		}
		headroom := fmt.Sprintf("%d more up to max %d", most-size, most)
		if most == size {
			headroom = fmt.Sprintf("none above %d: the autoscaler can add no more", most)
		}
		p.Facts = append(p.Facts, actions.Fact{Label: "headroom", Text: headroom})
	}
	o.sayKEDA(p, s)
	o.sayHPA(p, s)
	o.sayConnections(p, s, size, seen)
	p.Soonest, p.Latest = o.Soonest, o.Latest
	p.EffectText = fmt.Sprintf("read back at once; the autoscaler acts within its period (15 s unless set); done when %d pods are ready", size)
	if s.most == "" {
		p.EffectText = fmt.Sprintf("read back at once; done when %d pods are ready", size)
	}
	p.EffectText += o.span()
	o.watch(p, seen, sale.CapacityInService, actions.Up, size)
}

// sayKEDA tells of what holds KEDA back.
func (o *Options) sayKEDA(p *actions.Preview, s *scene) {
	if s.kind != "ScaledObject" {
		return
	}
	p.Facts = append(p.Facts, actions.Fact{Label: "owner", Text: "KEDA owns the HPA, so the ScaledObject is patched, not the HPA"})
	notes := s.object.GetAnnotations()
	switch {
	case notes[kedaReplicas] != "":
		p.Refuse(actions.GuardTarget, o.clean("KEDA is paused at "+notes[kedaReplicas]+" replicas: a new min changes nothing", maxWarning), "take the annotation "+kedaReplicas+" off first")
	case notes[kedaPaused] == "true":
		p.Refuse(actions.GuardTarget, "KEDA is paused: a new min changes nothing", "take the annotation "+kedaPaused+" off first")
	}
	if notes[kedaNoOut] == "true" {
		warn(p, "scale-out is paused by an annotation: watch whether the new min is reached")
	}
	if notes[kedaNoIn] == "true" {
		p.Facts = append(p.Facts, actions.Fact{Label: "scale-in", Text: "paused by an annotation: nothing shrinks by itself"})
	}
	for _, c := range conditions(s.object) {
		if c.kind == "Ready" && c.status == "False" || c.kind == "Fallback" && c.status == "True" {
			warn(p, "ScaledObject: %s %s: %s", c.kind, c.status, o.clean(c.text, 140))
		}
	}
}

// sayHPA tells of what holds the HPA back.
func (o *Options) sayHPA(p *actions.Preview, s *scene) {
	if s.hpa == nil {
		return
	}
	if s.kind == "HorizontalPodAutoscaler" && s.replicas == 0 {
		p.Refuse(actions.GuardTarget, "the Deployment has 0 replicas, which switches its HPA off: a new min starts nothing", "scale the Deployment to 1 first")
	}
	for _, c := range conditions(s.hpa) {
		switch {
		case c.kind == "AbleToScale" && c.status == "False", c.kind == "ScalingActive" && c.status == "False":
			warn(p, "HPA: %s is false: %s", c.kind, o.clean(c.text, 140))
		case c.kind == "ScalingLimited" && c.status == "True" && strings.Contains(c.text, "TooManyReplicas"):
			warn(p, "HPA: it wants more than its max: %s", o.clean(c.text, 140))
		}
	}
}

type condition struct{ kind, status, text string }

func conditions(u *unstructured.Unstructured) []condition {
	list, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	var all []condition
	for _, item := range list {
		m, ok := item.(map[string]any)
		if !ok {
			continue
		}
		text := func(key string) string {
			s, _ := m[key].(string)
			return s
		}
		all = append(all, condition{text("type"), text("status"), strings.TrimSuffix(text("reason")+": "+text("message"), ": ")})
	}
	return all
}

// sayConnections holds what new pods open against the database's limit.
func (o *Options) sayConnections(p *actions.Preview, s *scene, size int, seen actions.Evidence) {
	if o.ConnectionsPerPod <= 0 || size <= s.present() {
		return
	}
	more := float64(size-s.present()) * o.ConnectionsPerPod
	used, limit := seen.Signal(sale.DBConnections), seen.Signal(sale.DBConnectionsMax)
	p.Evidence = append(p.Evidence, used, limit)
	text := fmt.Sprintf("+%d pods × %.4g = %.0f more connections", size-s.present(), o.ConnectionsPerPod, more)
	if !used.Usable() || !limit.Usable() || limit.Value <= 0 {
		p.Facts = append(p.Facts, actions.Fact{Label: "database", Text: text + "; how many are left is not known"})
		warn(p, "the database's connections are not known: %s", text)
		return
	}
	after := used.Value + more
	text += fmt.Sprintf(": %.0f of %.0f (%.0f %%)", after, limit.Value, 100*after/limit.Value)
	p.Facts = append(p.Facts, actions.Fact{Label: "database", Text: text})
	switch {
	case after > limit.Value:
		p.Risk = actions.Severe
		warn(p, "the database would run out of connections: %s", text)
	case after >= 0.8*limit.Value:
		warn(p, "the database comes close to its limit: %s", text)
	}
}

// sayShrink is what is particular to fewer pods. While a sale is on, or may be, it is severe.
func (o *Options) sayShrink(p *actions.Preview, s *scene, least, size int, seen actions.Evidence) {
	if !seen.Known || seen.Phase != sale.Scheduled && seen.Phase != sale.Closed {
		p.Risk = actions.Severe
		phase := "not known"
		if seen.Known {
			phase = string(seen.Phase)
		}
		warn(p, "the sale is on or may be (phase %s): fewer pods may not carry it", phase)
	}
	switch {
	case size < s.present():
		warn(p, "%d pods end: %d → %d", s.present()-size, s.present(), size)
		p.EffectText = fmt.Sprintf("read back at once; then %d pods are left", size)
		o.watch(p, seen, sale.CapacityInService, actions.Down, size)
	default:
		p.EffectText = fmt.Sprintf("read back at once; the autoscaler may shrink to %d, after its stabilization (300 s unless set)", least)
		o.watch(p, seen, sale.CapacityMin, actions.Down, least)
	}
	if o.Floor > 0 && least < o.Floor {
		p.Risk = actions.Severe
		warn(p, "the recorded size of %d is below the declared floor of %d", least, o.Floor)
	}
	if s.kind == "ScaledObject" && s.object.GetAnnotations()[kedaNoIn] == "true" {
		warn(p, "scale-in is paused by an annotation: nothing shrinks until it is taken off")
	}
}

// sayReverts names what will set the values back.
func (o *Options) sayReverts(p *actions.Preview, s *scene) {
	fields := make([]string, 0, len(p.To))
	for name := range p.To {
		fields = append(fields, name)
	}
	slices.Sort(fields)
	certain, perhaps := s.reverts(fields)
	for _, text := range certain {
		warn(p, "%s", o.clean(text, maxWarning))
	}
	if all := append(certain, perhaps...); len(all) > 0 {
		p.RevertsIt = o.clean(strings.Join(all, "; "), 2*maxWarning)
		return
	}
	p.RevertsIt = "nothing found: no GitOps controller owns it by managedFields, labels or annotations"
}

// sayNodes tells of pods that have no node already: more would wait with them.
func (o *Options) sayNodes(ctx context.Context, p *actions.Preview, s *scene) {
	labels, _, _ := unstructured.NestedStringMap(s.deployment.Object, "spec", "selector", "matchLabels")
	if p.Refused() || len(labels) == 0 || p.Request.Verb == actions.ScaleBack {
		return
	}
	list, err := o.Client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace(o.Namespace).List(ctx, metav1.ListOptions{
		LabelSelector: metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: labels}), FieldSelector: "status.phase=Pending", Limit: pageSize,
	})
	if err != nil {
		q := o.problem(err, "list /pods")
		warn(p, "whether pods wait for a node is not known: %s", q.Text)
		return
	}
	waiting, why := 0, ""
	for i := range list.Items {
		for _, c := range conditions(&list.Items[i]) {
			if c.kind == "PodScheduled" && c.status == "False" {
				waiting++
				why = c.text
			}
		}
	}
	if waiting > 0 {
		warn(p, "%d pods have no node already, and more will wait with them: %s", waiting, o.clean(why, 120))
	}
}
