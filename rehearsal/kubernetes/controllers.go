package kubernetes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	stabilization = 300 * time.Second // of an HPA's way down
	most          = 1000              // pods of one Deployment
)

// makePod gives a Deployment one pod more, which waits for a node.
func (m *Memory) makePod(d *Deployment, at time.Time) {
	m.made++
	hash := uidOf("ReplicaSet", d.Namespace, d.Name)[:8]
	name := fmt.Sprintf("%s-%s-%s", d.Name, hash, uidOf("Pod", d.Namespace, strconv.Itoa(m.made))[:5])
	m.state.Pods = append(m.state.Pods, Pod{
		Object: Object{
			Namespace: d.Namespace, Name: name, Created: at, Labels: d.Selector,
			Owner: &Owner{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: d.Name + "-" + hash},
		},
		Image: d.Image, Phase: "Pending",
	})
}

func (m *Memory) podsOf(d *Deployment) []int {
	var out []int
	for i, p := range m.state.Pods {
		if p.Namespace == d.Namespace && sameMaps(p.Labels, d.Selector) {
			out = append(out, i)
		}
	}
	return out
}

// keepPods makes and removes pods until there are as many as the Deployment says. What is not
// ready goes first.
func (m *Memory) keepPods(d *Deployment) {
	have := m.podsOf(d)
	want := min(d.Replicas, most)
	for range want - len(have) {
		m.makePod(d, m.at)
	}
	if over := len(have) - want; over > 0 {
		slices.SortStableFunc(have, func(a, b int) int { return rank(m.state.Pods[a]) - rank(m.state.Pods[b]) })
		gone := have[:over]
		slices.Sort(gone)
		for _, i := range slices.Backward(gone) {
			m.state.Pods = slices.Delete(m.state.Pods, i, i+1)
		}
	}
}

func rank(p Pod) int {
	switch {
	case p.Node == "":
		return 0
	case p.Waiting != "":
		return 1
	}
	return 2
}

// schedule gives nodes to pods while there is room, and starts what has one.
func (m *Memory) schedule() {
	used := 0
	for _, p := range m.state.Pods {
		if p.Node != "" {
			used++
		}
	}
	nodes := (m.options.Slots + 9) / 10
	for i := range m.state.Pods {
		p := &m.state.Pods[i]
		switch {
		case p.Node == "" && used < m.options.Slots:
			used++
			p.Node = fmt.Sprintf("node-%02d", used%max(nodes, 1)+1)
			p.Waiting = "ContainerCreating"
			p.Started = m.at
			if p.Created.Before(m.at) {
				p.Started = p.Created
			}
			p.Conditions = podConditions("", "", p.Started)
			m.boot(p)
		case p.Node == "":
			why := fmt.Sprintf("0/%d nodes are available: %d Insufficient cpu. preemption: 0/%d nodes are available: %d No preemption victims found for incoming pod.", nodes, nodes, nodes, nodes)
			if len(p.Conditions) == 0 {
				m.event("Warning", "FailedScheduling", why, "default-scheduler", p.Object, "Pod", "v1")
			}
			p.Conditions = []Condition{{Type: "PodScheduled", Status: "False", Reason: "Unschedulable", Message: why, At: p.Created}}
		case p.Waiting != "":
			m.boot(p)
		}
	}
}

func (m *Memory) boot(p *Pod) {
	if at := p.Started.Add(m.options.Boot); !at.After(m.at) {
		p.Phase, p.Waiting, p.Started = "Running", "", at
		p.Conditions = podConditions("True", "", at)
	}
}

func podConditions(ready, reason string, at time.Time) []Condition {
	if ready == "" {
		ready, reason = "False", "ContainersNotReady"
	}
	return []Condition{
		{Type: "PodScheduled", Status: "True", At: at},
		{Type: "Initialized", Status: "True", At: at},
		{Type: "ContainersReady", Status: ready, Reason: reason, At: at},
		{Type: "Ready", Status: ready, Reason: reason, At: at},
	}
}

// report writes a Deployment's status as its controller does.
func (m *Memory) report(d *Deployment) {
	all, ready := m.podsOf(d), 0
	for _, i := range all {
		if p := m.state.Pods[i]; p.Phase == "Running" && p.Waiting == "" {
			ready++
		}
	}
	st := &d.Status
	st.ObservedGeneration, st.Replicas, st.Updated, st.Ready, st.Available = max(d.Generation, 1), len(all), len(all), ready, ready
	st.Minus = max(d.Replicas-ready, 0)
	available := Condition{Type: "Available", Status: "True", Reason: "MinimumReplicasAvailable", Message: "Deployment has minimum availability.", At: m.at}
	if ready*4 < d.Replicas*3 { // maxUnavailable is 25 %
		available.Status, available.Reason, available.Message = "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."
	}
	rs := d.Name + "-" + uidOf("ReplicaSet", d.Namespace, d.Name)[:8]
	st.Conditions = put(st.Conditions, available)
	st.Conditions = put(st.Conditions, Condition{Type: "Progressing", Status: "True", Reason: "NewReplicaSetAvailable", Message: fmt.Sprintf("ReplicaSet %q has successfully progressed.", rs), At: m.at})
}

// syncHPA is one turn of the HPA controller.
func (m *Memory) syncHPA(h *HPA) {
	key := h.Namespace + "/" + h.Name
	if last, ok := m.synced[key]; ok && m.at.Sub(last) < m.options.Sync {
		return
	}
	m.synced[key] = m.at
	h.Status.ObservedGeneration = h.Generation
	say := func(kind, status, reason, message string) {
		h.Status.Conditions = put(h.Status.Conditions, Condition{Type: kind, Status: status, Reason: reason, Message: message, At: m.at})
	}
	i := slices.IndexFunc(m.state.Deployments, func(d Deployment) bool { return d.Namespace == h.Namespace && d.Name == h.Target })
	if i < 0 {
		say("AbleToScale", "False", "FailedGetScale", fmt.Sprintf("the HPA controller was unable to get the target's current scale: deployments/scale.apps %q not found", h.Target))
		return
	}
	d := &m.state.Deployments[i]
	h.Status.Current = d.Status.Replicas
	say("AbleToScale", "True", "SucceededGetScale", "the HPA controller was able to get the target's current scale")
	if d.Replicas == 0 {
		h.Status.Desired = 0
		say("ScalingActive", "False", "ScalingDisabled", "scaling is disabled since the replica count of the target is zero")
		return
	}
	want, reason := m.recommended(key, h, d, say)
	h.Status.Desired = want
	if want == d.Replicas {
		return
	}
	d.Replicas = want
	d.Generation++
	d.Managers = takeOver(d.Managers, writer{name: "kube-controller-manager", part: "scale"}, m.at, []string{"/spec/replicas"})
	h.Status.LastScale = m.at
	say("AbleToScale", "True", "SucceededRescale", fmt.Sprintf("the HPA controller was able to update the target scale to %d", want))
	m.event("Normal", "SuccessfulRescale", fmt.Sprintf("New size: %d; reason: %s", want, reason), "horizontal-pod-autoscaler", h.Object, "HorizontalPodAutoscaler", "autoscaling/v2")
}

// recommended is what the controller wants, and why. What stands outside the bounds goes to them
// at once, without a look at the metrics.
func (m *Memory) recommended(key string, h *HPA, d *Deployment, say func(kind, status, reason, message string)) (int, string) {
	switch {
	case d.Replicas < h.Min:
		return h.Min, "Current number of replicas below Spec.MinReplicas"
	case d.Replicas > h.Max:
		return h.Max, "Current number of replicas above Spec.MaxReplicas"
	}
	metric := h.Metric.Name + " resource utilization (percentage of request)"
	if h.Metric.External {
		metric = "external metric " + h.Metric.Name
	}
	say("ScalingActive", "True", "ValidMetricFound", "the HPA was able to successfully calculate a replica count from "+metric)
	want, ok := m.asked[d.Namespace+"/"+d.Name]
	if !ok {
		want = d.Replicas
	}
	if want >= 0 {
		h.Metric.Current = h.Metric.Target * want / d.Replicas
	}
	want = m.stabilized(key, h, d.Replicas, want, say)
	want = limited(h, d.Replicas, want, say)
	if want > d.Replicas {
		return want, metric + " above target"
	}
	return want, "All metrics below target"
}

// stabilized holds a way down until no recommendation of the last five minutes was higher.
func (m *Memory) stabilized(key string, h *HPA, current, want int, say func(kind, status, reason, message string)) int {
	recent := slices.DeleteFunc(m.wishes[key], func(w wish) bool { return m.at.Sub(w.at) > stabilization })
	if len(recent) == 0 {
		recent = append(recent, wish{m.at, current}) // a controller that just began takes what is there
	}
	recent = append(recent, wish{m.at, want})
	m.wishes[key] = recent
	highest := slices.MaxFunc(recent, func(a, b wish) int { return a.replicas - b.replicas }).replicas
	stable := want
	if want < current {
		stable = min(highest, current)
		if h.NoScaleDown {
			stable = current
		}
	}
	if stable != want {
		say("AbleToScale", "True", "ScaleDownStabilized", "recent recommendations were higher than current one, applying the highest recent recommendation")
	} else {
		say("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size")
	}
	return stable
}

// limited applies the bounds and the default policy of the way up: the greater of 100 % and four
// pods per period.
func limited(h *HPA, current, want int, say func(kind, status, reason, message string)) int {
	step := max(2*current, current+4)
	switch {
	case want > min(step, h.Max) && step < h.Max:
		say("ScalingLimited", "True", "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
		return max(step, h.Min)
	case want > h.Max:
		say("ScalingLimited", "True", "TooManyReplicas", "the desired replica count is more than the maximum replica count")
		return h.Max
	case want < h.Min:
		say("ScalingLimited", "True", "TooFewReplicas", "the desired replica count is less than the minimum replica count")
		return h.Min
	}
	say("ScalingLimited", "False", "DesiredWithinRange", "the desired count is within the acceptable range")
	return want
}

// keda keeps an HPA for every ScaledObject that is not paused.
func (m *Memory) keda() {
	for i := range m.state.ScaledObjects {
		s := &m.state.ScaledObjects[i]
		h := slices.IndexFunc(m.state.HPAs, func(h HPA) bool { return h.Namespace == s.Namespace && h.Name == HPAName(s.Name) })
		paused := m.paused(s)
		say := func(kind, status, reason, message string) {
			s.Status.Conditions = put(s.Status.Conditions, Condition{Type: kind, Status: status, Reason: reason, Message: message, At: m.at})
		}
		say("Ready", "True", "ScaledObjectReady", "ScaledObject is defined correctly and is ready for scaling")
		say("Active", "True", "ScalerActive", "Scaling is performed because triggers are active")
		say("Fallback", "False", "NoFallbackFound", "No fallbacks are active on this scaled object")
		if paused {
			say("Paused", "True", "ScaledObjectPaused", "ScaledObject is paused")
			s.Status.HPAName = ""
			if h >= 0 {
				m.state.HPAs = slices.Delete(m.state.HPAs, h, h+1)
			}
			continue
		}
		say("Paused", "False", "ScaledObjectUnpaused", "pause annotation removed for ScaledObject")
		s.Status.HPAName = HPAName(s.Name)
		if h < 0 {
			m.makeHPA(s)
			continue
		}
		m.reconcile(s, &m.state.HPAs[h])
	}
}

// paused holds the replicas where an annotation says so.
func (m *Memory) paused(s *ScaledObject) bool {
	text, fixed := s.Annotations[PausedReplicas]
	if n, err := strconv.Atoi(text); fixed && err == nil && n >= 0 {
		for i := range m.state.Deployments {
			if d := &m.state.Deployments[i]; d.Namespace == s.Namespace && d.Name == s.Target && d.Replicas != n {
				d.Replicas = n
				d.Generation++
			}
		}
		return true
	}
	return strings.EqualFold(s.Annotations[PausedAnnotation], "true")
}

func (m *Memory) makeHPA(s *ScaledObject) {
	least, top := s.Bounds()
	m.state.HPAs = append(m.state.HPAs, HPA{
		Object: Object{
			Namespace: s.Namespace, Name: HPAName(s.Name), Created: m.at, Generation: 1,
			Labels: map[string]string{"app.kubernetes.io/managed-by": "keda-operator", "app.kubernetes.io/name": HPAName(s.Name), "scaledobject.keda.sh/name": s.Name},
			Owner:  &Owner{APIVersion: "keda.sh/v1alpha1", Kind: "ScaledObject", Name: s.Name, UID: s.UID},
			Managers: []Manager{{Name: "keda", Operation: "Update", At: m.at, Fields: []string{
				"/spec/minReplicas", "/spec/maxReplicas", "/spec/metrics", "/spec/scaleTargetRef",
			}}},
		},
		Target: s.Target, Min: least, Max: top, Metric: Metric{External: true, Name: "s0-" + s.Trigger.Type, Target: 100},
		NoScaleDown: strings.EqualFold(s.Annotations[PausedScaleInAnnotation], "true"),
	})
}

// reconcile takes over what the ScaledObject says, at once when it changed there, and after a
// moment when somebody changed the HPA.
func (m *Memory) reconcile(s *ScaledObject, h *HPA) {
	h.NoScaleDown = strings.EqualFold(s.Annotations[PausedScaleInAnnotation], "true")
	least, top := s.Bounds()
	key := "keda/" + h.Namespace + "/" + h.Name
	if h.Min == least && h.Max == top {
		delete(m.drift, key)
		return
	}
	since, ok := m.drift[key]
	if !ok {
		m.drift[key], since = m.at, m.at
	}
	if m.at.Sub(since) < m.options.Revert && !m.changedAfter(s, h) {
		return
	}
	delete(m.drift, key)
	h.Min, h.Max = least, top
	h.Generation++
	h.Managers = takeOver(h.Managers, writer{name: "keda"}, m.at, []string{"/spec/minReplicas", "/spec/maxReplicas"})
}

// changedAfter reports whether the ScaledObject's bounds were written after the HPA's.
func (m *Memory) changedAfter(s *ScaledObject, h *HPA) bool {
	return lastWrite(s.Managers, "/spec/m").After(lastWrite(h.Managers, "/spec/m"))
}

func lastWrite(managers []Manager, prefix string) time.Time {
	var last time.Time
	for _, w := range managers {
		if w.At.After(last) && slices.ContainsFunc(w.Fields, func(p string) bool { return strings.HasPrefix(p, prefix) }) {
			last = w.At
		}
	}
	return last
}
