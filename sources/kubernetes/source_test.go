package kubernetes_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	cluster "github.com/onsale-dev/onsale/rehearsal/kubernetes"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/kubernetes"
	"github.com/onsale-dev/onsale/sources/sourcetest"
)

var night = time.Date(2026, 12, 4, 9, 40, 0, 0, time.UTC)

// still is a cluster that stands as it was declared.
type still struct {
	cluster.Cluster
	state cluster.State
}

func (s still) State() cluster.State { return s.state }

func ptr(n int) *int { return &n }

func named(name string) cluster.Object {
	return cluster.Object{Namespace: "shop", Name: name, Created: night.Add(-time.Hour), Generation: 3}
}

func deployment(name string, replicas, ready int, change func(*cluster.Deployment)) cluster.Deployment {
	d := cluster.Deployment{
		Object: named(name), Replicas: replicas, Selector: map[string]string{"app": name},
		Status: cluster.DeploymentStatus{ObservedGeneration: 3, Replicas: replicas, Updated: replicas, Ready: ready, Available: ready},
	}
	if change != nil {
		change(&d)
	}
	return d
}

func hpa(name, target string, least, most, desired int, conditions ...cluster.Condition) cluster.HPA {
	return cluster.HPA{
		Object: named(name), Target: target, Min: least, Max: most,
		Status: cluster.HPAStatus{Current: desired, Desired: desired, Conditions: append([]cluster.Condition{{Type: "ScalingActive", Status: "True"}}, conditions...)},
	}
}

func pending(app, why string) cluster.Pod {
	p := cluster.Pod{Object: named(app + "-" + fmt.Sprint(len(why))), Phase: "Pending"}
	p.Labels = map[string]string{"app": app}
	if why != "" {
		p.Conditions = []cluster.Condition{{Type: "PodScheduled", Status: "False", Reason: "Unschedulable", Message: why}}
	} else {
		p.Node, p.Waiting = "node-1", "ContainerCreating"
	}
	return p
}

func client(t *testing.T, url, token string) *kubernetes.Client {
	t.Helper()
	c, err := kubernetes.NewClient(kubernetes.ClientOptions{Config: &rest.Config{Host: url, BearerToken: token}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func newSource(t *testing.T, url string, queries ...kubernetes.Query) *kubernetes.Source {
	t.Helper()
	s, err := kubernetes.New(kubernetes.Options{Name: "cluster", Every: 15 * time.Second, Client: client(t, url, sourcetest.Secret), Queries: queries})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// all asks for every field of one workload.
func all(kind kubernetes.Workload, name string) []kubernetes.Query {
	var out []kubernetes.Query
	for _, f := range kubernetes.Fields() {
		out = append(out, kubernetes.Query{Key: sale.Key{Sale: "lantern", Signal: sale.Signal(f)}, Unit: sale.Count, Namespace: "shop", Kind: kind, Name: name, Field: f})
	}
	return out
}

func serve(t *testing.T, state cluster.State) string {
	t.Helper()
	server := httptest.NewServer(cluster.New(still{state: state}, cluster.WithReader(sourcetest.Secret)))
	t.Cleanup(server.Close)
	return server.URL
}

func TestWhatIsReadOfAWorkload(t *testing.T) {
	keda := hpa("keda-hpa-web", "web", 2, 30, 6)
	keda.Owner = &cluster.Owner{APIVersion: "keda.sh/v1alpha1", Kind: "ScaledObject", Name: "web"}
	object := cluster.ScaledObject{Object: named("web"), Target: "web", Min: ptr(2), Max: ptr(30), Trigger: cluster.Trigger{Type: "cpu"}}
	paused := object
	paused.Annotations = map[string]string{cluster.PausedReplicas: "6"}
	argo := func(o *cluster.Object, field string) {
		o.Annotations = map[string]string{"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/web"}
		o.Managers = []cluster.Manager{{Name: cluster.ArgoCD, Operation: "Apply", At: night, Fields: []string{field}}}
	}
	owned := hpa("web", "web", 4, 20, 6)
	argo(&owned.Object, "/spec/minReplicas")
	fluxed := deployment("web", 6, 6, func(d *cluster.Deployment) {
		d.Labels = map[string]string{"kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
	})
	web := deployment("web", 6, 5, nil)
	type values map[kubernetes.Field]float64
	tests := []struct {
		name  string
		kind  kubernetes.Workload
		state cluster.State
		want  values   // fields not here must be missing
		notes []string // "code: part of the text", in order
	}{
		{
			"a Deployment alone has no bounds", kubernetes.Deployment,
			cluster.State{Deployments: []cluster.Deployment{web}},
			values{kubernetes.InService: 5, kubernetes.Desired: 6, kubernetes.Pending: 0, kubernetes.Unschedulable: 0},
			nil,
		},
		{
			"a Deployment under an HPA has its bounds, and the HPA overwrites its scale", kubernetes.Deployment,
			cluster.State{Deployments: []cluster.Deployment{web}, HPAs: []cluster.HPA{hpa("web", "web", 4, 20, 6)}},
			values{kubernetes.InService: 5, kubernetes.Desired: 6, kubernetes.Min: 4, kubernetes.Max: 20, kubernetes.Pending: 0, kubernetes.Unschedulable: 0},
			[]string{"hpa_owns: HPA web sets the replicas of web"},
		},
		{
			"an HPA at its maximum says so", kubernetes.HPA,
			cluster.State{Deployments: []cluster.Deployment{web}, HPAs: []cluster.HPA{hpa("web", "web", 4, 6, 6, cluster.Condition{Type: "ScalingLimited", Status: "True", Reason: "TooManyReplicas", Message: "x"})}},
			values{kubernetes.InService: 5, kubernetes.Desired: 6, kubernetes.Min: 4, kubernetes.Max: 6, kubernetes.Pending: 0, kubernetes.Unschedulable: 0},
			[]string{"hpa_at_max: HPA web wants more than its maximum of 6"},
		},
		{
			"an HPA that can't scale and has no metric says why", kubernetes.HPA,
			cluster.State{Deployments: []cluster.Deployment{web}, HPAs: []cluster.HPA{{
				Object: named("web"), Target: "web", Min: 4, Max: 20,
				Status: cluster.HPAStatus{Conditions: []cluster.Condition{
					{Type: "AbleToScale", Status: "False", Reason: "FailedUpdateScale", Message: "quota exceeded"},
					{Type: "ScalingActive", Status: "False", Reason: "FailedGetResourceMetric", Message: "no metrics known"},
				}},
			}}},
			values{kubernetes.InService: 5, kubernetes.Desired: 6, kubernetes.Min: 4, kubernetes.Max: 20, kubernetes.Pending: 0, kubernetes.Unschedulable: 0},
			[]string{"hpa_unable: HPA web can't scale: FailedUpdateScale: quota exceeded", "hpa_inactive: FailedGetResourceMetric: no metrics known"},
		},
		{
			"an HPA of KEDA's names the ScaledObject to change", kubernetes.HPA,
			cluster.State{Deployments: []cluster.Deployment{deployment("web", 6, 6, nil)}, HPAs: []cluster.HPA{keda}, ScaledObjects: []cluster.ScaledObject{object}},
			nil,
			[]string{},
		},
		{
			"a ScaledObject is read by its own bounds", kubernetes.ScaledObject,
			cluster.State{Deployments: []cluster.Deployment{deployment("web", 6, 6, nil)}, HPAs: []cluster.HPA{keda}, ScaledObjects: []cluster.ScaledObject{object}},
			values{kubernetes.InService: 6, kubernetes.Desired: 6, kubernetes.Min: 2, kubernetes.Max: 30, kubernetes.Pending: 0, kubernetes.Unschedulable: 0},
			[]string{"keda_owns: KEDA owns HPA keda-hpa-web and reverts changes of it: change minReplicaCount of ScaledObject web"},
		},
		{
			"a ScaledObject without bounds has KEDA's, and a paused one says so", kubernetes.ScaledObject,
			cluster.State{Deployments: []cluster.Deployment{deployment("web", 6, 6, nil)}, ScaledObjects: []cluster.ScaledObject{func() cluster.ScaledObject { o := paused; o.Min, o.Max = nil, nil; return o }()}},
			values{kubernetes.InService: 6, kubernetes.Desired: 6, kubernetes.Min: 0, kubernetes.Max: 100, kubernetes.Pending: 0, kubernetes.Unschedulable: 0},
			[]string{"keda_paused: ScaledObject web is PAUSED at 6 replicas"},
		},
		{
			"a Deployment whose ScaledObject is paused says so although it has no HPA", kubernetes.Deployment,
			cluster.State{Deployments: []cluster.Deployment{deployment("web", 6, 6, nil)}, ScaledObjects: []cluster.ScaledObject{paused}},
			values{kubernetes.InService: 6, kubernetes.Desired: 6, kubernetes.Min: 2, kubernetes.Max: 30, kubernetes.Pending: 0, kubernetes.Unschedulable: 0},
			[]string{"keda_paused: PAUSED at 6"},
		},
		{
			"what Argo CD applies will be reverted", kubernetes.HPA,
			cluster.State{Deployments: []cluster.Deployment{deployment("web", 6, 6, nil)}, HPAs: []cluster.HPA{owned}},
			values{kubernetes.InService: 6, kubernetes.Desired: 6, kubernetes.Min: 4, kubernetes.Max: 20, kubernetes.Pending: 0, kubernetes.Unschedulable: 0},
			[]string{"gitops: Argo CD (application shop) owns spec.minReplicas of HPA web: a live change will be reverted"},
		},
		{
			"what Flux labels may be reverted", kubernetes.Deployment,
			cluster.State{Deployments: []cluster.Deployment{fluxed}},
			values{kubernetes.InService: 6, kubernetes.Desired: 6, kubernetes.Pending: 0, kubernetes.Unschedulable: 0},
			[]string{"gitops: Flux (kustomization shop) manages Deployment web: a live change may be reverted"},
		},
		{
			"pending pods are counted by Deployment, with the scheduler's reason", kubernetes.Deployment,
			cluster.State{
				Deployments: []cluster.Deployment{web},
				Pods:        []cluster.Pod{pending("web", "0/4 nodes are available: 4 Insufficient cpu."), pending("web", "0/4 nodes are available"), pending("web", ""), pending("cart", "x")},
			},
			values{kubernetes.InService: 5, kubernetes.Desired: 6, kubernetes.Pending: 3, kubernetes.Unschedulable: 2},
			[]string{"pods_unschedulable: no node takes 2 pods of web: 0/4 nodes are available", "pods_starting: 1 pods of web are starting"},
		},
		{
			"a rollout that is stuck says so", kubernetes.Deployment,
			cluster.State{Deployments: []cluster.Deployment{deployment("web", 6, 5, func(d *cluster.Deployment) {
				d.Status.Updated = 2
				d.Status.Conditions = []cluster.Condition{{Type: "Progressing", Status: "False", Reason: "ProgressDeadlineExceeded", Message: "timed out"}}
			})}},
			values{kubernetes.InService: 5, kubernetes.Desired: 6, kubernetes.Pending: 0, kubernetes.Unschedulable: 0},
			[]string{"rollout_stuck: the rollout of web is STUCK at 2 of 6"},
		},
		{
			"a rollout under way says how far", kubernetes.Deployment,
			cluster.State{Deployments: []cluster.Deployment{deployment("web", 6, 5, func(d *cluster.Deployment) { d.Status.Updated = 2 })}},
			values{kubernetes.InService: 5, kubernetes.Desired: 6, kubernetes.Pending: 0, kubernetes.Unschedulable: 0},
			[]string{"rollout: a rollout of web is under way: 2 of 6 pods are new"},
		},
		{
			"no ready pod is zero, not unknown", kubernetes.Deployment,
			cluster.State{Deployments: []cluster.Deployment{deployment("web", 6, 0, nil)}},
			values{kubernetes.InService: 0, kubernetes.Desired: 6, kubernetes.Pending: 0, kubernetes.Unschedulable: 0},
			nil,
		},
		{
			"a Deployment that no controller has looked at is unknown, not zero", kubernetes.Deployment,
			cluster.State{Deployments: []cluster.Deployment{deployment("web", 6, 0, func(d *cluster.Deployment) { d.Status = cluster.DeploymentStatus{} })}},
			values{kubernetes.Desired: 6, kubernetes.Pending: 0, kubernetes.Unschedulable: 0},
			nil,
		},
		{
			"two HPAs of one Deployment are named", kubernetes.HPA,
			cluster.State{Deployments: []cluster.Deployment{deployment("web", 6, 6, nil)}, HPAs: []cluster.HPA{hpa("web", "web", 4, 20, 6), hpa("web-old", "web", 1, 9, 6)}},
			values{kubernetes.InService: 6, kubernetes.Desired: 6, kubernetes.Min: 4, kubernetes.Max: 20, kubernetes.Pending: 0, kubernetes.Unschedulable: 0},
			[]string{"several_hpas: web and web-old fight"},
		},
		{"a Deployment that is not there is missing in all", kubernetes.Deployment, cluster.State{Deployments: []cluster.Deployment{deployment("cart", 1, 1, nil)}}, values{}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.want == nil { // KEDA's HPA by its own name
				holdKEDA(t, test.state)
				return
			}
			batch := newSource(t, serve(t, test.state), all(test.kind, "web")...).Read(context.Background(), night)
			if batch.Problem != nil {
				t.Fatal(batch.Problem)
			}
			got := values{}
			for _, r := range batch.Readings {
				got[kubernetes.Field(r.Signal)] = r.Value
				if !r.At.Equal(night) {
					t.Errorf("%s is of %v", r.Signal, r.At)
				}
			}
			if len(got) != len(test.want) || len(got)+len(batch.Missing) != len(kubernetes.Fields()) {
				t.Errorf("got %v, missing %+v\nwant %v", got, batch.Missing, test.want)
			}
			for f, v := range test.want {
				if is, ok := got[f]; !ok || is != v {
					t.Errorf("%s = %v, want %v", f, is, v)
				}
			}
			for _, m := range batch.Missing {
				if m.Problem.Text == "" || m.Problem.Hint == "" {
					t.Errorf("%s is missing without words: %+v", m.Signal, m.Problem)
				}
			}
			holdNotes(t, batch.Notes, test.notes)
		})
	}
}

func holdNotes(t *testing.T, notes []sale.Note, want []string) {
	t.Helper()
	same := len(notes) == len(want)
	for i := 0; same && i < len(want); i++ {
		code, text, _ := strings.Cut(want[i], ": ")
		same = notes[i].Code == code && strings.Contains(notes[i].Text, text) && notes[i].Sale == "lantern"
	}
	if !same {
		t.Errorf("notes %+v\nwant %v", notes, want)
	}
}

func holdKEDA(t *testing.T, state cluster.State) {
	t.Helper()
	batch := newSource(t, serve(t, state), all(kubernetes.HPA, "keda-hpa-web")...).Read(context.Background(), night)
	if batch.Problem != nil || len(batch.Missing) > 0 {
		t.Errorf("problem %v, missing %v", batch.Problem, batch.Missing)
	}
	holdNotes(t, batch.Notes, []string{"keda_owns: change minReplicaCount of ScaledObject web"})
}

func TestAPermissionThatIsMissingIsNamedAndHidesNothingElse(t *testing.T) {
	state := cluster.State{Deployments: []cluster.Deployment{deployment("web", 6, 6, nil)}, HPAs: []cluster.HPA{hpa("web", "web", 4, 20, 6)}}
	server := httptest.NewServer(cluster.New(still{state: state}, cluster.WithToken(sourcetest.Secret, "reader",
		cluster.Rule{Verbs: []string{"list"}, Groups: []string{"apps"}, Resources: []string{"deployments"}, Namespaces: []string{"shop"}},
		cluster.Rule{Verbs: []string{"list"}, Groups: []string{"", "keda.sh"}, Resources: []string{"pods", "scaledobjects"}, Namespaces: []string{"shop"}})))
	defer server.Close()
	batch := newSource(t, server.URL, all(kubernetes.Deployment, "web")...).Read(context.Background(), night)
	if batch.Problem != nil || len(batch.Readings) != 4 || len(batch.Missing) != 2 {
		t.Fatalf("problem %v, %d readings, missing %+v", batch.Problem, len(batch.Readings), batch.Missing)
	}
	for _, m := range batch.Missing {
		if m.Problem.Class != sale.Auth || !strings.Contains(m.Problem.Hint, "the verb list on horizontalpodautoscalers.autoscaling in namespace shop") {
			t.Errorf("%s: %+v", m.Signal, m.Problem)
		}
	}
	if !slices.ContainsFunc(batch.Notes, func(n sale.Note) bool { return n.Code == "unreadable" && strings.Contains(n.Text, "HPAs") }) {
		t.Errorf("notes %+v: want one that says that the HPAs are unknown", batch.Notes)
	}
}

func TestWhatTheClusterItselfDoesNotKnowIsNoTroubleOfTheSource(t *testing.T) {
	fresh := deployment("web", 6, 0, func(d *cluster.Deployment) { d.Status = cluster.DeploymentStatus{} })
	batch := newSource(t, serve(t, cluster.State{Deployments: []cluster.Deployment{fresh}}),
		kubernetes.Query{Key: sale.Key{Sale: "lantern", Signal: "x"}, Namespace: "shop", Name: "web", Field: kubernetes.InService}).Read(context.Background(), night)
	if batch.Problem != nil || len(batch.Missing) != 1 || batch.Missing[0].Problem.Class != sale.BadData {
		t.Errorf("%+v, want one signal missing and no problem of the source", batch)
	}
}

func TestAClusterWithoutKEDAIsAskedForItOnlyNowAndThen(t *testing.T) {
	inner := cluster.New(still{state: cluster.State{Deployments: []cluster.Deployment{deployment("web", 6, 6, nil)}}}, cluster.WithReader(sourcetest.Secret))
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "keda.sh") {
			asked++
			http.Error(w, "404 page not found", http.StatusNotFound)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	defer server.Close()
	s := newSource(t, server.URL, kubernetes.Query{Key: sale.Key{Sale: "lantern", Signal: "x"}, Namespace: "shop", Name: "web", Field: kubernetes.InService})
	for i, want := range []int{1, 1, 1, 2} {
		at := night.Add(time.Duration(i) * 4 * time.Minute)
		batch := s.Read(context.Background(), at)
		if len(batch.Readings) != 1 || len(batch.Notes) != 0 || asked != want {
			t.Errorf("poll %d: %d readings, notes %v, asked %d times; want 1, none, %d", i+1, len(batch.Readings), batch.Notes, asked, want)
		}
	}
	object := newSource(t, server.URL, all(kubernetes.ScaledObject, "web")...).Read(context.Background(), night)
	if len(object.Missing) != len(kubernetes.Fields()) || !strings.Contains(object.Missing[0].Problem.Hint, "KEDA is not installed") {
		t.Errorf("a ScaledObject in a cluster without KEDA: %+v", object)
	}
}

func TestALargeNamespaceIsReadInPages(t *testing.T) {
	var state cluster.State
	for i := range 1100 {
		state.Deployments = append(state.Deployments, deployment(fmt.Sprintf("web-%04d", i), 2, 2, nil))
	}
	ctx, meter := sources.Metered(context.Background())
	batch := newSource(t, serve(t, state), all(kubernetes.Deployment, "web-1099")...).Read(ctx, night)
	if len(batch.Readings) != 4 || meter.Calls() != 6 {
		t.Errorf("%d readings in %d calls, want 4 in 6", len(batch.Readings), meter.Calls())
	}
}

func TestAListThatExpiresBetweenPagesIsBegunOnceMore(t *testing.T) {
	one, _ := json.Marshal(map[string]any{"metadata": map[string]any{"name": "web", "namespace": "shop"}, "spec": map[string]any{"replicas": 3}})
	lists := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case !strings.HasSuffix(r.URL.Path, "deployments"):
			kind := map[string]string{"pods": "Pod", "scaledobjects": "ScaledObject", "horizontalpodautoscalers": "HorizontalPodAutoscaler"}[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]]
			_, _ = fmt.Fprintf(w, `{"kind":"%sList","apiVersion":"v1","metadata":{},"items":[]}`, kind)
		case r.URL.Query().Get("continue") != "":
			w.WriteHeader(http.StatusGone)
			_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old","reason":"Expired","code":410}`))
		default:
			more := ""
			if lists++; lists == 1 {
				more = `"continue":"c1"`
			}
			_, _ = fmt.Fprintf(w, `{"kind":"DeploymentList","apiVersion":"apps/v1","metadata":{%s},"items":[%s]}`, more, one)
		}
	}))
	defer server.Close()
	desired := kubernetes.Query{Key: sale.Key{Sale: "lantern", Signal: "x"}, Namespace: "shop", Name: "web", Field: kubernetes.Desired}
	if batch := newSource(t, server.URL, desired).Read(context.Background(), night); len(batch.Readings) != 1 || batch.Readings[0].Value != 3 || lists != 2 {
		t.Errorf("%+v after %d lists", batch, lists)
	}
	lists = -5 // now it never ends
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusGone)
		_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old","reason":"Expired","code":410}`))
	})
	if batch := newSource(t, server.URL, desired).Read(context.Background(), night); batch.Problem == nil || batch.Problem.Class != sale.Failing || !strings.Contains(batch.Problem.Hint, "faster than it can be listed") {
		t.Errorf("410 without end: %+v", batch)
	}
}

func TestADeclarationThatCanNotBeReadIsRefusedAtOnce(t *testing.T) {
	c := client(t, "http://127.0.0.1:1", "t")
	for want, q := range map[string]kubernetes.Query{
		"fields are":                    {Namespace: "shop", Name: "web", Field: "size"},
		"kinds are":                     {Namespace: "shop", Name: "web", Kind: "daemonset", Field: kubernetes.Min},
		"namespace and name are needed": {Name: "web", Field: kubernetes.Min},
	} {
		if _, err := kubernetes.New(kubernetes.Options{Name: "c", Client: c, Queries: []kubernetes.Query{q}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
	if _, err := kubernetes.New(kubernetes.Options{Name: "c"}); err == nil {
		t.Error("a source without a client was made")
	}
}
