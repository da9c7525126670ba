package kubernetes_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	cluster "github.com/onsale-dev/onsale/rehearsal/kubernetes"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/kubernetes"
	"github.com/onsale-dev/onsale/sources/sourcetest"
)

func kubeconfig(t *testing.T, server, extra string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: night
contexts:
- {name: night, context: {cluster: shop, user: reader}}
- {name: elsewhere, context: {cluster: gone, user: reader}}
clusters:
- name: shop
  cluster: {server: %q%s}
- name: gone
  cluster: {server: "http://127.0.0.1:1"}
users:
- {name: reader, user: {token: %s}}
`, server, extra, sourcetest.Secret)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAKubeconfigGivesServerTrustTokenAndContext(t *testing.T) {
	inner := cluster.New(still{state: cluster.State{Deployments: []cluster.Deployment{deployment("web", 6, 6, nil)}}}, cluster.WithReader(sourcetest.Secret))
	var agent atomic.Value // two namespaces are listed side by side
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		agent.Store(r.UserAgent())
		inner.ServeHTTP(w, r)
	}))
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	path := kubeconfig(t, server.URL, fmt.Sprintf(", certificate-authority: %q", ca))
	read := func(name string) sale.Batch {
		t.Helper()
		c, err := kubernetes.NewClient(kubernetes.ClientOptions{Kubeconfig: path, Context: name, Version: "1.2.3"})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseIdleConnections()
		s, err := kubernetes.New(kubernetes.Options{Name: "cluster", Client: c, Queries: []kubernetes.Query{{Key: sale.Key{Sale: "lantern", Signal: "x"}, Namespace: "shop", Name: "web", Field: kubernetes.InService}}})
		if err != nil {
			t.Fatal(err)
		}
		return s.Read(context.Background(), night)
	}
	if batch := read(""); len(batch.Readings) != 1 || agent.Load() != "onsale/1.2.3" {
		t.Errorf("%+v as %v", batch, agent.Load())
	}
	if batch := read("elsewhere"); batch.Problem == nil || batch.Problem.Class != sale.Unreachable {
		t.Errorf("the other context: %+v", batch)
	}
}

func TestAClientThatCanNotBeMadeSaysWhatToMend(t *testing.T) {
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	t.Setenv("HOME", t.TempDir())
	for want, o := range map[string]kubernetes.ClientOptions{
		"no kubeconfig found":              {},
		"no such file":                     {Kubeconfig: filepath.Join(t.TempDir(), "gone")},
		"tomorrow":                         {Kubeconfig: kubeconfig(t, "http://127.0.0.1:1", ""), Context: "tomorrow"},
		"not in a pod":                     {InCluster: true},
		"certificate-authority":            {Kubeconfig: kubeconfig(t, "https://127.0.0.1:1", `, certificate-authority: "/nowhere/ca.pem"`)},
		"unable to load root certificates": {Kubeconfig: kubeconfig(t, "https://127.0.0.1:1", `, certificate-authority-data: "bm9uZQ=="`)},
	} {
		_, err := kubernetes.NewClient(o)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), sourcetest.Secret) {
			t.Errorf("%+v: %v, want one that says %q and no secret", o, err, want)
		}
	}
}

func TestTheClientNeverSendsARequestTwice(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"429 with Retry-After": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		},
		"a connection that is cut": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(h)
			defer server.Close()
			c := client(t, server.URL, "t")
			ctx, meter := sources.Metered(context.Background())
			_, err := c.Resource(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}).Namespace("shop").List(ctx, metav1.ListOptions{})
			if err == nil || meter.Calls() != 1 {
				t.Errorf("%d requests, %v; want one", meter.Calls(), err)
			}
		})
	}
}

// hand is a clock that is moved by hand.
type hand struct {
	mu sync.Mutex
	at time.Time
}

func (h *hand) now() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.at }

func (h *hand) pass(d time.Duration) { h.mu.Lock(); defer h.mu.Unlock(); h.at = h.at.Add(d) }

func TestAScaleUpOfTheRehearsedClusterIsSeenComing(t *testing.T) {
	clock := &hand{at: night}
	memory := cluster.NewMemory(cluster.State{
		Deployments: []cluster.Deployment{{Object: named("web"), Replicas: 4, Selector: map[string]string{"app": "web"}}},
		HPAs:        []cluster.HPA{{Object: named("web"), Target: "web", Min: 4, Max: 20, Metric: cluster.Metric{Name: "cpu", Target: 60}}},
	}, cluster.MemoryOptions{Now: clock.now, Slots: 6})
	server := httptest.NewServer(cluster.New(memory, cluster.WithClock(clock.now), cluster.WithReader(sourcetest.Secret), cluster.WithOperator("operator")))
	defer server.Close()
	s := newSource(t, server.URL, all(kubernetes.HPA, "web")...)
	look := func() (out [6]float64, codes string) {
		t.Helper()
		batch := s.Read(context.Background(), clock.now())
		if batch.Problem != nil || len(batch.Readings) != len(out) {
			t.Fatalf("%+v", batch)
		}
		for i, r := range batch.Readings {
			out[i] = r.Value
		}
		for _, n := range batch.Notes {
			codes += n.Code + " "
		}
		return out, strings.TrimSpace(codes)
	}
	hold := func(when string, want [6]float64, notes string) {
		t.Helper()
		if got, codes := look(); got != want || codes != notes {
			t.Errorf("%s: ready, desired, min, max, pending, unschedulable = %v with %q\nwant %v with %q", when, got, codes, want, notes)
		}
	}
	hold("before", [6]float64{4, 4, 4, 20, 0, 0}, "")
	operator := client(t, server.URL, "operator").Resource(schema.GroupVersionResource{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"}).Namespace("shop")
	if _, err := operator.Patch(context.Background(), "web", types.MergePatchType, []byte(`{"spec":{"minReplicas":8}}`), metav1.PatchOptions{FieldManager: "onsale"}); err != nil {
		t.Fatal(err)
	}
	hold("at once", [6]float64{4, 4, 8, 20, 0, 0}, "")
	clock.pass(16 * time.Second)
	hold("after the HPA's sync", [6]float64{4, 8, 8, 20, 4, 2}, "pods_unschedulable pods_starting")
	clock.pass(45 * time.Second)
	hold("after the boot", [6]float64{6, 8, 8, 20, 2, 2}, "pods_unschedulable")
	memory.SetSlots(20)
	clock.pass(45 * time.Second)
	hold("after nodes came", [6]float64{8, 8, 8, 20, 0, 0}, "")
}

// canned answers every request with one body.
type canned struct{ body string }

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: 200, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(c.body)),
	}, nil
}

func FuzzWhateverTheServerSendsNothingIsInvented(f *testing.F) {
	f.Add(`{"kind":"DeploymentList","apiVersion":"apps/v1","metadata":{},"items":[{"metadata":{"name":"web"},"spec":{"replicas":6,"selector":{"matchLabels":{"app":"web"}}},"status":{"observedGeneration":1,"readyReplicas":-5}}]}`)
	f.Add(`{"kind":"HorizontalPodAutoscalerList","apiVersion":"autoscaling/v2","metadata":{"continue":"x"},"items":[{"metadata":{"name":"web"},"spec":{"maxReplicas":1e99}}]}`)
	f.Add(`{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"\u001b[2J"},"status":{"phase":"Pending","conditions":[null]}}]}`)
	f.Add(`{"kind":"ScaledObjectList","apiVersion":"keda.sh/v1alpha1","metadata":{},"items":[{}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		c, err := kubernetes.NewClient(kubernetes.ClientOptions{Config: &rest.Config{Host: "http://127.0.0.1:1", WrapTransport: func(http.RoundTripper) http.RoundTripper { return canned{body} }}})
		if err != nil {
			t.Fatal(err)
		}
		s, err := kubernetes.New(kubernetes.Options{Name: "c", Client: c, Queries: append(all(kubernetes.Deployment, "web"), all(kubernetes.HPA, "web")...)})
		if err != nil {
			t.Fatal(err)
		}
		batch := s.Read(context.Background(), night)
		for _, r := range batch.Readings {
			if r.Value < 0 || r.Value > 1<<31 || r.Value != float64(int64(r.Value)) {
				t.Errorf("%s = %v", r.Signal, r.Value)
			}
		}
		for _, n := range batch.Notes {
			if n.Text != sale.Clean(n.Text, 0) {
				t.Errorf("note %q is not clean", n.Text)
			}
		}
		if batch.Problem == nil && len(batch.Readings)+len(batch.Missing) != 2*len(kubernetes.Fields()) {
			t.Errorf("%d readings, %d missing", len(batch.Readings), len(batch.Missing))
		}
	})
}
