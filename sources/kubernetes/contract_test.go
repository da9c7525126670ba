package kubernetes_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	cluster "github.com/onsale-dev/onsale/rehearsal/kubernetes"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/kubernetes"
	"github.com/onsale-dev/onsale/sources/sourcetest"
)

func TestKubernetesKeepsTheContract(t *testing.T) {
	ready, floor, queue := sale.Key{Sale: "lantern", Signal: sale.CapacityInService}, sale.Key{Sale: "lantern", Signal: sale.CapacityMin}, sale.Key{Sale: "kestrel", Signal: sale.CapacityMax}
	state := cluster.State{
		Deployments:   []cluster.Deployment{deployment("web", 6, 6, nil), deployment("worker", 2, 2, nil)},
		HPAs:          []cluster.HPA{hpa("web", "web", 4, 20, 6)},
		ScaledObjects: []cluster.ScaledObject{{Object: named("worker"), Target: "worker", Max: ptr(30), Trigger: cluster.Trigger{Type: "cpu"}}},
	}
	healthy := func(s cluster.State) http.Handler {
		return cluster.New(still{state: s}, cluster.WithReader(sourcetest.Secret))
	}
	partial := state
	partial.ScaledObjects = nil
	sourcetest.Contract(t, sourcetest.Harness{
		New: func(t *testing.T, url string) sources.Source {
			return newSource(t, url,
				kubernetes.Query{Key: ready, Unit: sale.Count, Namespace: "shop", Kind: kubernetes.Deployment, Name: "web", Field: kubernetes.InService},
				kubernetes.Query{Key: floor, Unit: sale.Count, Namespace: "shop", Kind: kubernetes.HPA, Name: "web", Field: kubernetes.Min},
				kubernetes.Query{Key: queue, Unit: sale.Count, Namespace: "shop", Kind: kubernetes.ScaledObject, Name: "worker", Field: kubernetes.Max},
			)
		},
		Healthy:        healthy(state),
		Want:           map[sale.Key]sale.Unit{ready: sale.Count, floor: sale.Count, queue: sale.Count},
		Partial:        healthy(partial),
		PartialMissing: []sale.Key{queue},
		Hostile:        healthy(hostile(state)),
		Fail: func(w http.ResponseWriter, _ *http.Request, status int, message string) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]any{"kind": "Status", "apiVersion": "v1", "metadata": map[string]any{}, "status": "Failure", "message": message, "reason": "x", "code": status})
		},
		Header: http.Header{"Content-Type": {"application/json"}},
		WrongTypes: [][]byte{
			[]byte(`{"kind":"Status","apiVersion":"v1","status":"Success"}`),
			[]byte(`{"kind":"DeploymentList","apiVersion":"apps/v1","items":7}`),
			[]byte(`{"kind":"DeploymentList","apiVersion":"apps/v1","items":[7]}`),
			[]byte(`{"kind":"DeploymentList","apiVersion":"apps/v1","metadata":7,"items":[]}`),
			[]byte(`{"kind":"DeploymentList","apiVersion":"apps/v1","metadata":{},"items":[{"metadata":{"name":"web"},"spec":{"replicas":"six"}},{"metadata":7},{"metadata":{"name":"worker"},"status":[]}]}`),
		},
		CallsPerPoll: 4,
	})
}

// hostile plants an escape sequence into every text.
func hostile(s cluster.State) cluster.State {
	e := sourcetest.Escape
	bad := []cluster.Condition{
		{Type: "ScalingLimited", Status: "True", Reason: e, Message: e},
		{Type: "AbleToScale", Status: "False", Reason: e, Message: e},
		{Type: "ScalingActive", Status: "False", Reason: e, Message: sourcetest.Secret + e},
		{Type: "Progressing", Status: "False", Reason: "ProgressDeadlineExceeded", Message: e},
		{Type: "ReplicaFailure", Status: "True", Reason: e, Message: strings.Repeat(e, 9)},
		{Type: "Ready", Status: "False", Reason: e, Message: e},
	}
	tracked := map[string]string{"argocd.argoproj.io/tracking-id": e + ":x", cluster.PausedReplicas: e}
	web, worker := s.Deployments[0], s.Deployments[1]
	web.Status.Conditions, web.Annotations = bad, tracked
	web.Labels = map[string]string{"argocd.argoproj.io/instance": e}
	h := s.HPAs[0]
	h.Status.Conditions, h.Annotations = bad, tracked
	h.Owner = &cluster.Owner{Kind: "ScaledObject", Name: e}
	second := h
	second.Name = "also" + e
	object := s.ScaledObjects[0]
	object.Annotations, object.Status.Conditions = tracked, bad
	return cluster.State{
		Deployments: []cluster.Deployment{web, worker}, HPAs: []cluster.HPA{h, second}, ScaledObjects: []cluster.ScaledObject{object},
		Pods: []cluster.Pod{pending("web", e)},
	}
}
