package kubernetes_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/onsale-dev/onsale/rehearsal/kubernetes"
)

const (
	readToken  = "read-5f0c"
	scaleToken = "scale-77ab"
	rootToken  = "root-01de"
)

var (
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	hpas        = schema.GroupVersionResource{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"}
	objects     = schema.GroupVersionResource{Group: "keda.sh", Version: "v1alpha1", Resource: "scaledobjects"}
	pods        = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	events      = schema.GroupVersionResource{Version: "v1", Resource: "events"}
)

// clock is moved by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is a small shop: web with an HPA, worker with a ScaledObject, cache with neither and under Argo CD.
type world struct {
	*clock
	memory *kubernetes.Memory
	url    string
	audit  []kubernetes.Audit
	mu     sync.Mutex
}

func ptr(n int) *int { return &n }

func deployment(name string, replicas int) kubernetes.Deployment {
	return kubernetes.Deployment{
		Object:   kubernetes.Object{Namespace: "shop", Name: name, Labels: map[string]string{"app": name, "tier": "shop"}},
		Replicas: replicas, Selector: map[string]string{"app": name}, Image: "registry.example/" + name + ":1.4.2",
	}
}

func newWorld(t *testing.T, opts ...kubernetes.Option) *world {
	t.Helper()
	w := &world{clock: &clock{at: time.Date(2026, 12, 4, 9, 40, 0, 0, time.UTC)}}
	cache := deployment("cache", 3)
	cache.Managers = []kubernetes.Manager{{Name: kubernetes.ArgoCD, Operation: "Apply", At: w.at.Add(-time.Hour), Fields: []string{"/spec/replicas", "/spec/template"}}}
	cache.Annotations = map[string]string{"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/cache"}
	w.memory = kubernetes.NewMemory(kubernetes.State{
		Namespaces:  []string{"shop"},
		Deployments: []kubernetes.Deployment{deployment("web", 4), deployment("worker", 2), cache},
		HPAs: []kubernetes.HPA{{
			Object: kubernetes.Object{Namespace: "shop", Name: "web"}, Target: "web", Min: 4, Max: 20,
			Metric: kubernetes.Metric{Name: "cpu", Target: 60},
		}},
		ScaledObjects: []kubernetes.ScaledObject{{
			Object: kubernetes.Object{Namespace: "shop", Name: "worker"}, Target: "worker", Min: ptr(2), Max: ptr(30),
			Trigger: kubernetes.Trigger{Type: "aws-sqs-queue", Metadata: map[string]string{"queueURL": "orders", "queueLength": "100"}},
		}},
	}, kubernetes.MemoryOptions{Now: w.now, Slots: 40})
	opts = append([]kubernetes.Option{
		kubernetes.WithReader(readToken), kubernetes.WithOperator(scaleToken), kubernetes.WithToken(rootToken, "kubernetes-admin", kubernetes.Everything()),
		kubernetes.WithClock(w.now), kubernetes.WithWatchEvery(5 * time.Millisecond),
		kubernetes.WithAudit(func(a kubernetes.Audit) { w.mu.Lock(); defer w.mu.Unlock(); w.audit = append(w.audit, a) }),
	}, opts...)
	server := httptest.NewServer(kubernetes.New(w.memory, opts...))
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

func (w *world) config(token string) *rest.Config {
	return &rest.Config{Host: w.url, BearerToken: token, QPS: -1, UserAgent: "onsale-test/1 (linux)"}
}

func (w *world) client(t *testing.T, token string) dynamic.Interface {
	t.Helper()
	c, err := dynamic.NewForConfig(w.config(token))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// refusing is a cluster that takes no write.
type refusing struct {
	kubernetes.Cluster
	with error
}

func (r refusing) SetHPA(kubernetes.HPA) error { return r.with }

var errDisk = errors.New("no space left on device")

func background() context.Context { return context.Background() }
