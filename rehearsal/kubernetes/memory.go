package kubernetes

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// MemoryOptions say how a Memory cluster behaves. The zero value is good.
type MemoryOptions struct {
	// Now is the clock; time.Now unless given. The cluster has always moved up to Now when it is asked.
	Now func() time.Time
	// Slots is how many pods the nodes hold; more stay Pending. 0: 100. SetSlots changes it.
	Slots int
	// Boot is how long a pod takes from its node to ready; 0: 40 s.
	Boot time.Duration
	// Sync is the HPA controller's period; 0: 15 s, as documented.
	Sync time.Duration
	// Revert is how long KEDA leaves its HPA changed by somebody else; 0: 3 s.
	Revert time.Duration
	// Heal is how long GitOps leaves what it owns changed by somebody else; 0: 5 s, Argo CD's default.
	Heal time.Duration
}

func (o MemoryOptions) withDefaults() MemoryOptions {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Slots == 0 {
		o.Slots = 100
	}
	for _, d := range []struct {
		of    *time.Duration
		usual time.Duration
	}{{&o.Boot, 40 * time.Second}, {&o.Sync, 15 * time.Second}, {&o.Revert, 3 * time.Second}, {&o.Heal, 5 * time.Second}} {
		if *d.of == 0 {
			*d.of = d.usual
		}
	}
	return o
}

// Memory is a whole small cluster: Deployments that keep their pods, nodes that fill up, an HPA
// controller with its period, its scale-up limit and its 300 s of stabilization, KEDA, and a
// GitOps controller for the objects that one manages. It moves by its clock, in steps of a
// second, whenever it is asked; nothing runs in between. It is safe for many goroutines.
type Memory struct {
	mu      sync.Mutex
	options MemoryOptions
	at      time.Time
	state   State
	asked   map[string]int       // replicas that the load asks for, by namespace/deployment
	wishes  map[string][]wish    // the HPA's recommendations of the last five minutes
	synced  map[string]time.Time // when an HPA was synced last
	drift   map[string]time.Time // since when something differs from what its owner wants
	git     map[string]tree      // what GitOps wants, by kind/namespace/name
	made    int                  // pods made so far, for their names
}

// wish is one recommendation of an HPA.
type wish struct {
	at       time.Time
	replicas int
}

// NewMemory makes a cluster of the given objects; pods, events and HPAs of ScaledObjects it makes
// itself. The pods of the Deployments are there and ready. An object whose Managers name a GitOps
// controller is healed by it.
func NewMemory(objects State, o MemoryOptions) *Memory {
	m := &Memory{
		options: o.withDefaults(), state: clone(objects), asked: map[string]int{}, wishes: map[string][]wish{},
		synced: map[string]time.Time{}, drift: map[string]time.Time{}, git: map[string]tree{},
	}
	m.at = m.options.Now().Truncate(time.Second)
	for i := range m.state.Deployments {
		d := &m.state.Deployments[i]
		started(&d.Object, m.at)
		m.note(d.Object, "Deployment", encodeDeployment(d))
		for range d.Replicas {
			m.makePod(d, m.at.Add(-m.options.Boot-time.Minute))
		}
	}
	for i := range m.state.HPAs {
		started(&m.state.HPAs[i].Object, m.at)
		m.note(m.state.HPAs[i].Object, "HorizontalPodAutoscaler", encodeHPA(&m.state.HPAs[i]))
	}
	for i := range m.state.ScaledObjects {
		s := &m.state.ScaledObjects[i]
		started(&s.Object, m.at)
		m.note(s.Object, "ScaledObject", encodeScaledObject(s))
	}
	m.step()
	return m
}

func started(o *Object, at time.Time) {
	if o.Created.IsZero() {
		o.Created = at.Add(-72 * time.Hour)
	}
	o.Generation = max(o.Generation, 1)
}

// SetDemand says how many replicas of a Deployment the load asks for: what an HPA's metric comes to.
func (m *Memory) SetDemand(namespace, deployment string, replicas int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance()
	m.asked[namespace+"/"+deployment] = replicas
}

// SetSlots says how many pods the nodes hold.
func (m *Memory) SetSlots(pods int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance()
	m.options.Slots = pods
}

// State implements Cluster.
func (m *Memory) State() State {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance()
	return clone(m.state)
}

// Ready returns how many pods of a Deployment are ready, for a model that scales by them.
func (m *Memory) Ready(namespace, deployment string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance()
	for _, d := range m.state.Deployments {
		if d.Namespace == namespace && d.Name == deployment {
			return d.Status.Ready
		}
	}
	return 0
}

// SetDeployment implements Cluster.
func (m *Memory) SetDeployment(d Deployment) error {
	return set(m, &m.state.Deployments, func(x *Deployment) *Object { return &x.Object }, d, func(to *Deployment) { to.Replicas, to.Paused = d.Replicas, d.Paused })
}

// SetHPA implements Cluster. An HPA of KEDA's takes the change, and KEDA takes it back.
func (m *Memory) SetHPA(h HPA) error {
	return set(m, &m.state.HPAs, func(x *HPA) *Object { return &x.Object }, h, func(to *HPA) { to.Min, to.Max = h.Min, h.Max })
}

// SetScaledObject implements Cluster.
func (m *Memory) SetScaledObject(s ScaledObject) error {
	return set(m, &m.state.ScaledObjects, func(x *ScaledObject) *Object { return &x.Object }, s, func(to *ScaledObject) { to.Min, to.Max, to.Idle = s.Min, s.Max, s.Idle })
}

func set[T any](m *Memory, list *[]T, of func(*T) *Object, from T, spec func(to *T)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance()
	all, o := *list, of(&from)
	i := slices.IndexFunc(all, func(x T) bool { return of(&x).Namespace == o.Namespace && of(&x).Name == o.Name })
	if i < 0 {
		return ErrNotFound
	}
	to := of(&all[i])
	to.Labels, to.Annotations, to.Generation, to.Managers = o.Labels, o.Annotations, o.Generation, o.Managers
	spec(&all[i])
	return nil
}

// advance moves the cluster up to now, a second at a time; after a long silence only the last hour.
func (m *Memory) advance() {
	now := m.options.Now()
	if now.Sub(m.at) > time.Hour {
		m.at = now.Add(-time.Hour).Truncate(time.Second)
	}
	for !m.at.Add(time.Second).After(now) {
		m.at = m.at.Add(time.Second)
		m.step()
	}
}

// step is what the controllers do in one second.
func (m *Memory) step() {
	m.heal()
	m.keda()
	for i := range m.state.HPAs {
		m.syncHPA(&m.state.HPAs[i])
	}
	for i := range m.state.Deployments {
		m.keepPods(&m.state.Deployments[i])
	}
	m.schedule()
	for i := range m.state.Deployments {
		m.report(&m.state.Deployments[i])
	}
	m.forget()
}

// forget drops events after an hour, as the real server does.
func (m *Memory) forget() {
	m.state.Events = slices.DeleteFunc(m.state.Events, func(e Event) bool { return m.at.Sub(e.Last) > time.Hour })
}

// clone copies what a caller might keep: the lists, not the texts and maps in them, which are
// never changed in place.
func clone(s State) State {
	return State{
		Namespaces: slices.Clone(s.Namespaces), Deployments: slices.Clone(s.Deployments), HPAs: slices.Clone(s.HPAs),
		ScaledObjects: slices.Clone(s.ScaledObjects), Pods: slices.Clone(s.Pods), Events: slices.Clone(s.Events),
	}
}

// event notes an event, or counts it when it happened before.
func (m *Memory) event(kind, reason, message, component string, about Object, aboutKind, apiVersion string) {
	for i := range m.state.Events {
		e := &m.state.Events[i]
		if e.Namespace == about.Namespace && e.Of.Kind == aboutKind && e.Of.Name == about.Name && e.Reason == reason && e.Message == message {
			e.Count++
			e.Last = m.at
			return
		}
	}
	m.made++
	m.state.Events = append(m.state.Events, Event{
		Object: Object{Namespace: about.Namespace, Name: fmt.Sprintf("%s.%016x", about.Name, m.at.UnixNano()+int64(m.made)), Created: m.at},
		Type:   kind, Reason: reason, Message: message, Component: component,
		Of: Owner{APIVersion: apiVersion, Kind: aboutKind, Name: about.Name, UID: about.UID}, Count: 1, First: m.at, Last: m.at,
	})
}

// put sets a condition and keeps the time of its last transition.
func put(all []Condition, c Condition) []Condition {
	out := slices.Clone(all)
	for i := range out {
		if out[i].Type == c.Type {
			if out[i].Status == c.Status {
				c.At = out[i].At
			}
			out[i] = c
			return out
		}
	}
	return append(out, c)
}

func sameMaps(a, b map[string]string) bool { return maps.Equal(a, b) }
