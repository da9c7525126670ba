package rehearsal

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
	"github.com/onsale-dev/onsale/rehearsal/kubernetes"
	"github.com/onsale-dev/onsale/rehearsal/shop"
)

// cluster shows the world's groups of pods as Kubernetes objects, and takes what is written to them
// back to the world. What an object carries besides, such as labels and who wrote which field, it
// keeps itself. It implements kubernetes.Cluster and is safe for many goroutines.
type cluster struct {
	fleets capacity.Fleets

	mu         sync.Mutex
	meta       map[string]*kubernetes.Object // by kind and name
	paused     map[string]bool               // Deployments whose rollout is
	asked      map[string]kubernetes.ScaledObject
	sizes      map[string]int // replicas of a Deployment when it was looked at last
	conditions map[string]kubernetes.Condition
}

func newCluster(f capacity.Fleets) *cluster {
	return &cluster{
		fleets: f, meta: map[string]*kubernetes.Object{}, paused: map[string]bool{}, asked: map[string]kubernetes.ScaledObject{},
		sizes: map[string]int{}, conditions: map[string]kubernetes.Condition{},
	}
}

var _ kubernetes.Cluster = (*cluster)(nil)

// State implements kubernetes.Cluster.
func (c *cluster) State() kubernetes.State {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := kubernetes.State{Namespaces: []string{"default", "keda", "kube-system", shop.Namespace}}
	for _, g := range c.fleets.Groups() {
		if g.Kind != capacity.Pods {
			continue
		}
		s.Deployments = append(s.Deployments, c.deployment(&g))
		paused := g.Hold.In && g.Hold.Out
		if g.Scaler == capacity.HPA || g.Scaler == capacity.KEDA && !paused {
			s.HPAs = append(s.HPAs, c.hpa(&g))
		}
		if g.Scaler == capacity.KEDA {
			s.ScaledObjects = append(s.ScaledObjects, c.scaledObject(&g, paused))
		}
		for _, u := range g.Units {
			s.Pods = append(s.Pods, c.pod(&g, &u))
		}
		for _, e := range g.Events {
			s.Events = append(s.Events, event(&g, &e))
		}
	}
	return s
}

// object returns the metadata of an object; what it is at first is made once.
func (c *cluster) object(kind, name string, g *capacity.Group, make func(o *kubernetes.Object)) kubernetes.Object {
	key := kind + "/" + name
	o, ok := c.meta[key]
	if !ok {
		o = &kubernetes.Object{
			Namespace: shop.Namespace, Name: name, Created: g.Created, Generation: 1,
			Labels: map[string]string{"app": g.Name, "sale": g.Sale, "role": g.Role},
		}
		make(o)
		c.meta[key] = o
	}
	return *o
}

// keep takes over what a writer changed of an object's metadata.
func (c *cluster) keep(kind string, o *kubernetes.Object) {
	if have := c.meta[kind+"/"+o.Name]; have != nil {
		have.Labels, have.Annotations, have.Generation, have.Managers = o.Labels, o.Annotations, o.Generation, o.Managers
	}
}

// since gives a condition the time at which its status became what it is.
func (c *cluster) since(object string, at time.Time, said kubernetes.Condition) kubernetes.Condition {
	key := object + "/" + said.Type
	if was, ok := c.conditions[key]; ok && was.Status == said.Status {
		at = was.At
	}
	said.At = at
	c.conditions[key] = said
	return said
}

// newest is the newest time that a group tells of.
func newest(g *capacity.Group) time.Time {
	at := g.Created
	for _, u := range g.Units {
		for _, t := range []time.Time{u.Launched, u.Ready} {
			if t.After(at) {
				at = t
			}
		}
	}
	if len(g.Events) > 0 && g.Events[0].At.After(at) {
		at = g.Events[0].At
	}
	return at
}

func (c *cluster) deployment(g *capacity.Group) kubernetes.Deployment {
	applied := []kubernetes.Manager{{Name: "helm", Operation: "Update", At: g.Created, Fields: []string{"/spec/template", "/spec/strategy"}}}
	if g.Git != nil {
		applied = []kubernetes.Manager{{Name: kubernetes.ArgoCD, Operation: "Apply", At: g.Created, Fields: []string{"/spec/replicas", "/spec/template"}}}
	}
	o := c.object("Deployment", g.Name, g, func(o *kubernetes.Object) {
		o.Managers = applied
		if g.Git != nil {
			o.Annotations = map[string]string{"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:" + shop.Namespace + "/" + g.Name}
		}
	})
	if size, seen := c.sizes[g.Name]; seen && size != g.Desired { // a controller changed it
		o.Generation++
		if g.Git != nil && g.Desired == *g.Git {
			o.Managers = applied
		}
		c.keep("Deployment", &o)
	}
	c.sizes[g.Name] = g.Desired
	d := kubernetes.Deployment{
		Object: o, Replicas: g.Desired, Paused: c.paused[g.Name], Selector: map[string]string{"app": g.Name},
		Image: "registry.example/shop-" + g.Role + ":2026.11.3", ProgressDeadline: 10 * time.Minute,
	}
	ready := 0
	for _, u := range g.Units {
		if u.State == capacity.InService && !u.Failing {
			ready++
		}
	}
	there := g.Count(capacity.InService) + g.Count(capacity.Pending)
	at := newest(g)
	d.Status = kubernetes.DeploymentStatus{ObservedGeneration: o.Generation, Replicas: there, Updated: there, Ready: ready, Available: ready, Minus: max(0, g.Desired-ready)}
	available := kubernetes.Condition{Type: "Available", Status: "True", Reason: "MinimumReplicasAvailable", Message: "Deployment has minimum availability."}
	if ready*4 < g.Desired*3 { // maxUnavailable is 25 %
		available.Status, available.Reason, available.Message = "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."
	}
	d.Status.Conditions = []kubernetes.Condition{
		c.since("Deployment/"+g.Name, at, available),
		c.since("Deployment/"+g.Name, at, kubernetes.Condition{Type: "Progressing", Status: "True", Reason: "NewReplicaSetAvailable", Message: fmt.Sprintf("ReplicaSet %q has successfully progressed.", replicaSet(g))}),
	}
	return d
}

func replicaSet(g *capacity.Group) string { return g.Name + "-6d9f7c5b8" }

// hpaName is what the group's autoscaler is called.
func hpaName(g *capacity.Group) string {
	if g.Scaler == capacity.KEDA {
		return kubernetes.HPAName(g.Name)
	}
	return g.Name
}

func (c *cluster) hpa(g *capacity.Group) kubernetes.HPA {
	h := kubernetes.HPA{Target: g.Name, Min: g.Min, Max: g.Max, NoScaleDown: g.Hold.In}
	h.Metric = kubernetes.Metric{Name: "cpu", Target: percent(g.TargetUtilisation), Current: percent(g.Sampled)}
	h.Object = c.object("HorizontalPodAutoscaler", hpaName(g), g, func(o *kubernetes.Object) {
		o.Managers = []kubernetes.Manager{{Name: "helm", Operation: "Update", At: g.Created, Fields: []string{"/spec/minReplicas", "/spec/maxReplicas", "/spec/metrics"}}}
		if g.Scaler == capacity.KEDA {
			o.Labels = map[string]string{"app.kubernetes.io/managed-by": "keda-operator", "app.kubernetes.io/name": o.Name, "scaledobject.keda.sh/name": g.Name}
			o.Owner = &kubernetes.Owner{APIVersion: "keda.sh/v1alpha1", Kind: "ScaledObject", Name: g.Name}
			o.Managers[0].Name = "keda"
		}
	})
	if g.Scaler == capacity.KEDA {
		h.Metric = kubernetes.Metric{External: true, Name: "s0-prometheus", Target: percent(g.TargetUtilisation), Current: percent(g.Sampled)}
	}
	at := newest(g)
	say := func(kind, status, reason, message string) {
		h.Status.Conditions = append(h.Status.Conditions, c.since("HPA/"+h.Name, at, kubernetes.Condition{Type: kind, Status: status, Reason: reason, Message: message}))
	}
	h.Status.ObservedGeneration, h.Status.Current, h.Status.Desired = h.Generation, g.Count(capacity.InService)+g.Count(capacity.Pending), g.Desired
	say("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size")
	if g.Desired == 0 {
		say("ScalingActive", "False", "ScalingDisabled", "scaling is disabled since the replica count of the target is zero")
		return h
	}
	say("ScalingActive", "True", "ValidMetricFound", "the HPA was able to successfully calculate a replica count from "+h.Metric.Name)
	switch g.Limited {
	case "max":
		say("ScalingLimited", "True", "TooManyReplicas", "the desired replica count is more than the maximum replica count")
	case "min":
		say("ScalingLimited", "True", "TooFewReplicas", "the desired replica count is less than the minimum replica count")
	default:
		say("ScalingLimited", "False", "DesiredWithinRange", "the desired count is within the acceptable range")
	}
	return h
}

func percent(share float64) int { return int(share*100 + 0.5) }

func (c *cluster) scaledObject(g *capacity.Group, paused bool) kubernetes.ScaledObject {
	least, most := g.Wanted.Min, g.Wanted.Max
	s := kubernetes.ScaledObject{Target: g.Name, Min: &least, Max: &most}
	fields := []string{"/spec/minReplicaCount", "/spec/maxReplicaCount", "/spec/triggers", "/spec/scaleTargetRef"}
	applied := []kubernetes.Manager{{Name: "helm", Operation: "Update", At: g.Created, Fields: fields}}
	if g.GitBounds != nil {
		applied = []kubernetes.Manager{{Name: kubernetes.ArgoCD, Operation: "Apply", At: g.Created, Fields: fields}}
	}
	s.Object = c.object("ScaledObject", g.Name, g, func(o *kubernetes.Object) {
		o.Managers = applied
		if g.GitBounds != nil {
			o.Annotations = map[string]string{"argocd.argoproj.io/tracking-id": "shop:keda.sh/ScaledObject:" + shop.Namespace + "/" + g.Name}
		}
	})
	if asked, ok := c.asked[g.Name]; ok {
		lo, hi := asked.Bounds()
		if g.GitBounds != nil && (capacity.Bounds{Min: lo, Max: hi}) != g.Wanted { // Argo CD applied its own again
			delete(c.asked, g.Name)
			s.Generation++
			s.Managers = applied
			c.keep("ScaledObject", &s.Object)
		} else {
			s.Min, s.Max, s.Idle = asked.Min, asked.Max, asked.Idle
		}
	}
	s.Trigger = kubernetes.Trigger{Type: "prometheus", Metadata: map[string]string{"query": `avg(shop_utilisation{sale="` + g.Sale + `"})`, "threshold": "0.7"}}
	if !paused {
		s.Status.HPAName = hpaName(g)
	}
	at := newest(g)
	say := func(kind, status, reason, message string) {
		s.Status.Conditions = append(s.Status.Conditions, c.since("ScaledObject/"+g.Name, at, kubernetes.Condition{Type: kind, Status: status, Reason: reason, Message: message}))
	}
	say("Ready", "True", "ScaledObjectReady", "ScaledObject is defined correctly and is ready for scaling")
	say("Active", "True", "ScalerActive", "Scaling is performed because triggers are active")
	say("Fallback", "False", "NoFallbackFound", "No fallbacks are active on this scaled object")
	if paused {
		say("Paused", "True", "ScaledObjectPaused", "ScaledObject is paused")
	} else {
		say("Paused", "False", "ScaledObjectUnpaused", "pause annotation removed for ScaledObject")
	}
	return s
}

// change lets a writer change a group of pods.
func (c *cluster) change(name string, change func(g *capacity.Group) error) error {
	_, err := c.fleets.Change(name, capacity.Caller{Service: "kubernetes"}, func(g *capacity.Group) error {
		if g.Kind != capacity.Pods {
			return capacity.ErrNoGroup
		}
		return change(g)
	})
	if err == capacity.ErrNoGroup {
		return kubernetes.ErrNotFound
	}
	return err
}

// SetDeployment implements kubernetes.Cluster.
func (c *cluster) SetDeployment(d kubernetes.Deployment) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.change(d.Name, func(g *capacity.Group) error {
		g.Desired = d.Replicas
		return nil
	})
	if err != nil {
		return err
	}
	c.paused[d.Name], c.sizes[d.Name] = d.Paused, d.Replicas
	c.keep("Deployment", &d.Object)
	return nil
}

// SetHPA implements kubernetes.Cluster. KEDA takes back what is written to an HPA of its own.
func (c *cluster) SetHPA(h kubernetes.HPA) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.change(h.Target, func(g *capacity.Group) error {
		g.Min, g.Max = h.Min, h.Max
		return nil
	})
	if err != nil {
		return err
	}
	c.keep("HorizontalPodAutoscaler", &h.Object)
	return nil
}

// SetScaledObject implements kubernetes.Cluster.
func (c *cluster) SetScaledObject(s kubernetes.ScaledObject) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	says := func(annotation string) bool { return strings.EqualFold(s.Annotations[annotation], "true") }
	err := c.change(s.Target, func(g *capacity.Group) error {
		g.Wanted.Min, g.Wanted.Max = s.Bounds()
		g.Hold = capacity.Hold{In: says(kubernetes.PausedScaleInAnnotation)}
		if says(kubernetes.PausedAnnotation) {
			g.Hold.In, g.Hold.Out = true, true
		}
		text, fixed := s.Annotations[kubernetes.PausedReplicas]
		if n, err := strconv.Atoi(text); fixed && err == nil && n >= 0 {
			g.Hold.In, g.Hold.Out, g.Desired = true, true, n
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.asked[s.Target] = s
	c.keep("ScaledObject", &s.Object)
	return nil
}

func (c *cluster) pod(g *capacity.Group, u *capacity.Unit) kubernetes.Pod {
	p := kubernetes.Pod{Node: u.Node, Phase: "Running", Started: u.Launched, Image: "registry.example/shop-" + g.Role + ":2026.11.3"}
	p.Object = kubernetes.Object{
		Namespace: shop.Namespace, Name: u.ID, Created: u.Launched, Labels: map[string]string{"app": g.Name, "sale": g.Sale, "role": g.Role},
		Owner: &kubernetes.Owner{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: replicaSet(g)},
	}
	ready, reason := "True", ""
	at := u.Ready
	switch {
	case u.State == capacity.Pending && u.Node == "":
		p.Phase, p.Started = "Pending", time.Time{}
		why := "0/22 nodes are available: 22 Insufficient cpu."
		if i := slices.IndexFunc(g.Events, func(e capacity.Event) bool { return e.Reason == "FailedScheduling" }); i >= 0 {
			why = g.Events[i].Message
		}
		p.Conditions = []kubernetes.Condition{{Type: "PodScheduled", Status: "False", Reason: "Unschedulable", Message: why, At: u.Launched}}
		return p
	case u.State == capacity.Pending:
		p.Phase, p.Waiting, ready, reason, at = "Pending", "ContainerCreating", "False", "ContainersNotReady", u.Launched
	case u.Failing:
		ready, reason = "False", "ContainersNotReady"
	}
	p.Conditions = []kubernetes.Condition{
		{Type: "PodScheduled", Status: "True", At: u.Launched},
		{Type: "Initialized", Status: "True", At: u.Launched},
		{Type: "ContainersReady", Status: ready, Reason: reason, At: at},
		{Type: "Ready", Status: ready, Reason: reason, At: at},
	}
	return p
}

// event writes a line of the group as Kubernetes does.
func event(g *capacity.Group, e *capacity.Event) kubernetes.Event {
	x := kubernetes.Event{
		Object: kubernetes.Object{Namespace: shop.Namespace, Name: g.Name + "." + e.ID[:8], Created: e.At},
		Type:   "Normal", Reason: e.Reason, Message: e.Message, Count: e.Count, First: e.At, Last: e.At, Component: "deployment-controller",
		Of: kubernetes.Owner{APIVersion: "apps/v1", Kind: "Deployment", Name: g.Name},
	}
	if e.Warning {
		x.Type = "Warning"
	}
	if e.Unit != "" {
		x.Component, x.Of = "default-scheduler", kubernetes.Owner{APIVersion: "v1", Kind: "Pod", Name: e.Unit}
		if e.Reason == "Killing" {
			x.Component = "kubelet"
		}
	}
	return x
}
