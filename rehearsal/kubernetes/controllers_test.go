package kubernetes_test

import (
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/onsale-dev/onsale/rehearsal/kubernetes"
)

func (w *world) hpa(t *testing.T, name string) kubernetes.HPA {
	t.Helper()
	for _, h := range w.memory.State().HPAs {
		if h.Name == name {
			return h
		}
	}
	t.Fatalf("no HPA %s", name)
	return kubernetes.HPA{}
}

func (w *world) deployment(t *testing.T, name string) kubernetes.Deployment {
	t.Helper()
	for _, d := range w.memory.State().Deployments {
		if d.Name == name {
			return d
		}
	}
	t.Fatalf("no Deployment %s", name)
	return kubernetes.Deployment{}
}

func condition(t *testing.T, all []kubernetes.Condition, kind string) kubernetes.Condition {
	t.Helper()
	for _, c := range all {
		if c.Type == kind {
			return c
		}
	}
	t.Fatalf("no condition %s in %+v", kind, all)
	return kubernetes.Condition{}
}

func TestARaisedFloorBringsPodsAfterTheNextSyncAndTheirBoot(t *testing.T) {
	w := newWorld(t)
	if err := patch("shop", "web", `{"spec":{"minReplicas":8}}`, "", nil)(w.client(t, scaleToken)); err != nil {
		t.Fatal(err)
	}
	if d := w.deployment(t, "web"); d.Replicas != 4 {
		t.Errorf("the HPA's controller acted at once: %d replicas", d.Replicas)
	}
	w.pass(16 * time.Second)
	if d := w.deployment(t, "web"); d.Replicas != 8 || d.Status.Ready != 4 || d.Status.Replicas != 8 {
		t.Errorf("after a sync: %d wanted, %d there, %d ready; want 8, 8, 4", d.Replicas, d.Status.Replicas, d.Status.Ready)
	}
	w.memory.SetDemand("shop", "web", 3)
	w.pass(41 * time.Second)
	said, err := w.client(t, readToken).Resource(events).Namespace("shop").List(background(), metav1.ListOptions{FieldSelector: "involvedObject.kind=HorizontalPodAutoscaler"})
	if err != nil || len(said.Items) != 1 || said.Items[0].Object["message"] != "New size: 8; reason: Current number of replicas below Spec.MinReplicas" {
		t.Errorf("events %+v, %v", said, err)
	}
	if ready := w.memory.Ready("shop", "web"); ready != 8 {
		t.Errorf("%d ready after the boot, want 8", ready)
	}
	w.pass(stabilized)
	if c := condition(t, w.hpa(t, "web").Status.Conditions, "ScalingLimited"); c.Status != "True" || c.Reason != "TooFewReplicas" {
		t.Errorf("ScalingLimited %+v, want the floor at work once the load asks for less", c)
	}
}

// stabilized is how long an HPA takes to follow the load down.
const stabilized = 6 * time.Minute

func TestDemandAboveTheMaximumSaysThatTheMaximumHoldsItBack(t *testing.T) {
	w := newWorld(t)
	w.memory.SetDemand("shop", "web", 50)
	w.pass(16 * time.Second)
	if h := w.hpa(t, "web"); h.Status.Desired != 8 || condition(t, h.Status.Conditions, "ScalingLimited").Reason != "ScaleUpLimit" {
		t.Errorf("the first step wants %d, %+v; want 8 by the scale-up limit", h.Status.Desired, h.Status.Conditions)
	}
	w.pass(45 * time.Second)
	if h := w.hpa(t, "web"); h.Status.Desired != 20 || condition(t, h.Status.Conditions, "ScalingLimited").Reason != "TooManyReplicas" {
		t.Errorf("wants %d, %+v; want 20 and TooManyReplicas", h.Status.Desired, h.Status.Conditions)
	}
	w.memory.SetDemand("shop", "web", 5)
	w.pass(4 * time.Minute)
	if h := w.hpa(t, "web"); h.Status.Desired != 20 || condition(t, h.Status.Conditions, "AbleToScale").Reason != "ScaleDownStabilized" {
		t.Errorf("four minutes after the load went: %d, %+v; want 20, stabilized", h.Status.Desired, h.Status.Conditions)
	}
	w.pass(90 * time.Second)
	if h := w.hpa(t, "web"); h.Status.Desired != 5 {
		t.Errorf("after the stabilization: %d, want 5", h.Status.Desired)
	}
}

func TestPodsThatNoNodeTakesStayPendingWithTheSchedulersReason(t *testing.T) {
	w := newWorld(t)
	w.memory.SetSlots(11) // nine are in use
	if err := patch("shop", "web", `{"spec":{"minReplicas":8}}`, "", nil)(w.client(t, scaleToken)); err != nil {
		t.Fatal(err)
	}
	w.pass(2 * time.Minute)
	list, err := w.client(t, readToken).Resource(pods).Namespace("shop").List(background(), metav1.ListOptions{FieldSelector: "status.phase=Pending", LabelSelector: "app=web"})
	if err != nil || len(list.Items) != 2 {
		t.Fatalf("%d pending, %v; want 2", len(list.Items), err)
	}
	conditions, _, _ := unstructured.NestedSlice(list.Items[0].Object, "status", "conditions")
	if c := conditions[0].(map[string]any); c["type"] != "PodScheduled" || c["reason"] != "Unschedulable" || !strings.Contains(c["message"].(string), "Insufficient cpu") {
		t.Errorf("condition %v", c)
	}
	said, err := w.client(t, readToken).Resource(events).Namespace("shop").List(background(), metav1.ListOptions{FieldSelector: "reason=FailedScheduling,type=Warning"})
	if err != nil || len(said.Items) != 2 {
		t.Errorf("%d FailedScheduling events, %v; want 2", len(said.Items), err)
	}
	w.memory.SetSlots(20)
	w.pass(time.Minute)
	if ready := w.memory.Ready("shop", "web"); ready != 8 {
		t.Errorf("%d ready after nodes came, want 8", ready)
	}
}

func TestKEDATakesBackWhatWasPatchedOnItsHPA(t *testing.T) {
	w := newWorld(t)
	c := w.client(t, scaleToken)
	if err := patch("shop", "keda-hpa-worker", `{"spec":{"minReplicas":10}}`, "", nil)(c); err != nil {
		t.Fatal(err)
	}
	if h := w.hpa(t, "keda-hpa-worker"); h.Min != 10 {
		t.Fatalf("the patch was not taken: %d", h.Min)
	}
	w.pass(5 * time.Second)
	if h := w.hpa(t, "keda-hpa-worker"); h.Min != 2 || h.Owner == nil || h.Owner.Kind != "ScaledObject" {
		t.Errorf("minimum %d of owner %v, want KEDA's 2 again", h.Min, h.Owner)
	}
	so := c.Resource(objects).Namespace("shop")
	if _, err := so.Patch(background(), "worker", types.MergePatchType, []byte(`{"spec":{"minReplicaCount":10}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	if h, d := w.hpa(t, "keda-hpa-worker"), w.deployment(t, "worker"); h.Min != 10 || d.Replicas != 10 {
		t.Errorf("minimum %d, %d replicas; want 10 and 10", h.Min, d.Replicas)
	}
}

func TestAPausedScaledObjectHasNoHPA(t *testing.T) {
	w := newWorld(t)
	so := w.client(t, scaleToken).Resource(objects).Namespace("shop")
	if _, err := so.Patch(background(), "worker", types.MergePatchType, []byte(`{"metadata":{"annotations":{"autoscaling.keda.sh/paused-replicas":"7"}}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	w.pass(2 * time.Second)
	if d := w.deployment(t, "worker"); d.Replicas != 7 {
		t.Errorf("%d replicas, want 7", d.Replicas)
	}
	_, err := w.client(t, readToken).Resource(hpas).Namespace("shop").Get(background(), "keda-hpa-worker", metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("the HPA of a paused ScaledObject: %v, want NotFound", err)
	}
	if _, err := so.Patch(background(), "worker", types.MergePatchType, []byte(`{"metadata":{"annotations":{"autoscaling.keda.sh/paused-replicas":null}}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	w.pass(2 * time.Second)
	w.hpa(t, "keda-hpa-worker")
}

func TestGitOpsPutsBackWhatItOwns(t *testing.T) {
	w := newWorld(t)
	c := w.client(t, scaleToken).Resource(deployments).Namespace("shop")
	if _, err := c.Patch(background(), "cache", types.MergePatchType, []byte(`{"spec":{"replicas":9}}`), metav1.PatchOptions{FieldManager: "onsale"}, "scale"); err != nil {
		t.Fatal(err)
	}
	if d := w.deployment(t, "cache"); d.Replicas != 9 {
		t.Fatalf("%d replicas, want 9 for a moment", d.Replicas)
	}
	w.pass(7 * time.Second)
	d := w.deployment(t, "cache")
	if d.Replicas != 3 {
		t.Errorf("%d replicas, want Argo CD's 3 again", d.Replicas)
	}
	if len(d.Managers) != 1 || d.Managers[0].Name != kubernetes.ArgoCD || d.Managers[0].Operation != "Apply" {
		t.Errorf("managers %+v", d.Managers)
	}
}

// next takes an event off a watch.
func next(t *testing.T, w watch.Interface) watch.Event {
	t.Helper()
	select {
	case e, ok := <-w.ResultChan():
		if !ok {
			t.Fatal("the watch ended")
		}
		return e
	case <-time.After(20 * time.Second):
		t.Fatal("the watch said nothing")
	}
	return watch.Event{}
}

func TestAWatchTellsWhatIsAndWhatChanges(t *testing.T) {
	w := newWorld(t)
	c := w.client(t, scaleToken)
	seen, err := c.Resource(hpas).Namespace("shop").Watch(background(), metav1.ListOptions{FieldSelector: "metadata.name=web"})
	if err != nil {
		t.Fatal(err)
	}
	defer seen.Stop()
	first := next(t, seen)
	if first.Type != watch.Added || first.Object.(*unstructured.Unstructured).GetName() != "web" {
		t.Fatalf("first %v", first)
	}
	if err := patch("shop", "web", `{"spec":{"minReplicas":6}}`, "", nil)(c); err != nil {
		t.Fatal(err)
	}
	if e := next(t, seen); e.Type != watch.Modified || number(t, e.Object.(*unstructured.Unstructured), "spec", "minReplicas") != 6 {
		t.Errorf("second %v", e)
	}
	if _, err := c.Resource(objects).Namespace("shop").Patch(background(), "worker", types.MergePatchType, []byte(`{"metadata":{"annotations":{"autoscaling.keda.sh/paused":"true"}}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	other, err := c.Resource(hpas).Namespace("shop").Watch(background(), metav1.ListOptions{ResourceVersion: first.Object.(*unstructured.Unstructured).GetResourceVersion(), LabelSelector: "scaledobject.keda.sh/name"})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Stop()
	w.pass(2 * time.Second)
	for {
		e := next(t, other)
		if e.Type == watch.Deleted && e.Object.(*unstructured.Unstructured).GetName() == "keda-hpa-worker" {
			break
		}
	}
}

func TestAWatchFromTooLongAgoIsGone(t *testing.T) {
	w := newWorld(t, kubernetes.WithHistory(1))
	c := w.client(t, scaleToken)
	list, err := c.Resource(hpas).Namespace("shop").List(background(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{`{"spec":{"minReplicas":5}}`, `{"spec":{"minReplicas":6}}`} {
		if err := patch("shop", "web", body, "", nil)(c); err != nil {
			t.Fatal(err)
		}
	}
	seen, err := c.Resource(hpas).Namespace("shop").Watch(background(), metav1.ListOptions{ResourceVersion: list.GetResourceVersion()})
	if err != nil {
		t.Fatal(err)
	}
	defer seen.Stop()
	if e := next(t, seen); e.Type != watch.Error || !apierrors.IsResourceExpired(apierrors.FromObject(e.Object)) {
		t.Errorf("got %v, want 410 Expired", e)
	}
}

func TestAWatchWithInitialEventsMarksTheirEnd(t *testing.T) {
	w := newWorld(t)
	yes := true
	seconds := int64(1)
	seen, err := w.client(t, readToken).Resource(deployments).Namespace("shop").Watch(background(), metav1.ListOptions{
		SendInitialEvents: &yes, AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan, TimeoutSeconds: &seconds,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer seen.Stop()
	for range 3 {
		if e := next(t, seen); e.Type != watch.Added {
			t.Fatalf("got %v, want ADDED", e)
		}
	}
	e := next(t, seen)
	if e.Type != watch.Bookmark || e.Object.(*unstructured.Unstructured).GetAnnotations()["k8s.io/initial-events-end"] != "true" {
		t.Errorf("got %v, want the bookmark that ends the initial events", e)
	}
	if e := next(t, seen); e.Type != watch.Bookmark {
		t.Errorf("got %v, want a last bookmark when the watch times out", e)
	}
}
