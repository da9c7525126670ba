package kubernetes

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/actiontest"
	rehearsal "github.com/onsale-dev/onsale/rehearsal/kubernetes"
	"github.com/onsale-dev/onsale/sale"
)

const (
	token  = "canary-scale-token-3f71"
	reader = "canary-read-token-88d0"
)

// cluster is the rehearsal's API server, which a test can break.
type cluster struct {
	memory  *rehearsal.Memory
	handler http.Handler
	url     string

	mu     sync.Mutex
	fault  actiontest.Fault
	edit   func(path, body string) string
	answer func(r *http.Request) (status int, body string)
	before func() // once, before the next write that is no dry run
	asked  []string
	bodies []string
	writes int
}

func pointer(n int) *int { return &n }

func deployment(name string, replicas int) rehearsal.Deployment {
	return rehearsal.Deployment{
		Object:   rehearsal.Object{Namespace: "shop", Name: name, Labels: map[string]string{"app": name}},
		Replicas: replicas, Selector: map[string]string{"app": name}, Image: "registry.example/" + name + ":1.4.2",
	}
}

// newCluster has web with an HPA, worker with a ScaledObject, and cache with neither.
func newCluster(t *testing.T, change ...func(*rehearsal.State)) *cluster {
	t.Helper()
	state := rehearsal.State{
		Namespaces:  []string{"shop", "kube-system"},
		Deployments: []rehearsal.Deployment{deployment("web", 24), deployment("worker", 24), deployment("cache", 24)},
		HPAs: []rehearsal.HPA{{
			Object: rehearsal.Object{Namespace: "shop", Name: "web-hpa"}, Target: "web", Min: 20, Max: 40, Metric: rehearsal.Metric{Name: "cpu", Target: 60},
		}},
		ScaledObjects: []rehearsal.ScaledObject{{
			Object: rehearsal.Object{Namespace: "shop", Name: "worker-so"}, Target: "worker", Min: pointer(20), Max: pointer(40),
			Trigger: rehearsal.Trigger{Type: "aws-sqs-queue", Metadata: map[string]string{"queueURL": "orders", "queueLength": "100"}},
		}},
	}
	for _, f := range change {
		f(&state)
	}
	// The clock stands still: a status that moves by itself would be a conflict now and then.
	at := time.Now()
	c := &cluster{fault: actiontest.None, memory: rehearsal.NewMemory(state, rehearsal.MemoryOptions{Slots: 200, Now: func() time.Time { return at }})}
	c.memory.SetDemand("shop", "web", 24)
	c.memory.SetDemand("shop", "worker", 24)
	c.handler = rehearsal.New(c.memory, rehearsal.WithReader(reader), rehearsal.WithOperator(token), rehearsal.WithToken("root", "marko", rehearsal.Everything()))
	srv := httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	c.url = srv.URL
	return c
}

// keepOnly takes away what another Deployment needs: a smaller cluster answers sooner.
func keepOnly(s *rehearsal.State, name string) {
	s.Deployments = slices.DeleteFunc(s.Deployments, func(d rehearsal.Deployment) bool { return d.Name != name })
	s.HPAs = slices.DeleteFunc(s.HPAs, func(h rehearsal.HPA) bool { return h.Target != name })
	s.ScaledObjects = slices.DeleteFunc(s.ScaledObjects, func(o rehearsal.ScaledObject) bool { return o.Target != name })
}

// permissionOf is what a request needs, in the form of Permissions.
func permissionOf(r *http.Request) string {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	group := ""
	if parts[0] == "apis" {
		group, parts = parts[1], parts[3:]
	} else {
		parts = parts[2:]
	}
	if parts[0] == "namespaces" && len(parts) > 2 {
		parts = parts[2:]
	}
	verb := map[string]string{http.MethodGet: "get", http.MethodPost: "create", http.MethodPatch: "patch"}[r.Method]
	if verb == "get" && len(parts) == 1 {
		verb = "list"
	}
	resource := parts[0]
	if len(parts) > 2 {
		resource += "/" + parts[2]
	}
	return verb + " " + group + "/" + resource
}

func statusBody(code int, reason, message string) string {
	data, err := json.Marshal(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": code})
	if err != nil {
		return ""
	}
	return string(data)
}

func (c *cluster) serve(w http.ResponseWriter, r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(data))
	writes := r.Method == http.MethodPatch && r.URL.Query().Get("dryRun") == ""
	c.mu.Lock()
	fault, edit, answer, before := c.fault, c.edit, c.answer, c.before
	c.asked, c.bodies = append(c.asked, permissionOf(r)), append(c.bodies, string(data))
	if writes {
		c.writes++
		c.before = nil
	}
	c.mu.Unlock()
	say := func(status int, text string) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
	if answer != nil {
		if status, text := answer(r); status != 0 {
			say(status, text)
			return
		}
	}
	if writes && before != nil {
		before()
	}
	if writes {
		switch fault {
		case actiontest.Reject:
			say(403, statusBody(403, "Forbidden", "horizontalpodautoscalers is forbidden: User \"x\" "+token+"\x07\u202e cannot patch"))
			return
		case actiontest.Break:
			say(503, statusBody(503, "ServiceUnavailable", "try again"))
			return
		case actiontest.Hang:
			<-r.Context().Done()
			return
		case actiontest.Ignore:
			r.URL.RawQuery += "&dryRun=All"
		}
	}
	rec := httptest.NewRecorder()
	c.handler.ServeHTTP(rec, r)
	if fault == actiontest.Lose && writes || fault == actiontest.Blind {
		if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = conn.Close()
		}
		return
	}
	text := rec.Body.String()
	if edit != nil {
		text = edit(r.URL.Path, text)
	}
	for k, v := range rec.Header() {
		if k != "Content-Length" {
			w.Header()[k] = v
		}
	}
	w.WriteHeader(rec.Code)
	_, _ = io.WriteString(w, text)
}

func (c *cluster) setFault(f actiontest.Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = f
}

func (c *cluster) written() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes
}

// patchAs changes an object as somebody else would.
func (c *cluster) patchAs(t *testing.T, who, path, body string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPatch, path+"?fieldManager="+who, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer root")
	r.Header.Set("Content-Type", "application/merge-patch+json")
	rec := httptest.NewRecorder()
	c.handler.ServeHTTP(rec, r)
	if rec.Code != 200 {
		t.Fatalf("%s: %d %s", path, rec.Code, rec.Body)
	}
}

const (
	hpaPath    = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/web-hpa"
	scaledPath = "/apis/keda.sh/v1alpha1/namespaces/shop/scaledobjects/worker-so"
	cachePath  = "/apis/apps/v1/namespaces/shop/deployments/cache/scale"
)

func (c *cluster) options(t *testing.T, deployment string) Options {
	return c.optionsAs(t, deployment, token)
}

func (c *cluster) optionsAs(t *testing.T, deployment, bearer string) Options {
	t.Helper()
	client, err := NewClient(&rest.Config{Host: c.url, BearerToken: bearer})
	if err != nil {
		t.Fatal(err)
	}
	return Options{Client: client, Cluster: "shop-prod", Namespace: "shop", Deployment: deployment, Most: 60, Floor: 8, Secrets: []string{token, reader}}
}

func (c *cluster) executor(t *testing.T, deployment string, change ...func(*Options)) *Executor {
	t.Helper()
	o := c.options(t, deployment)
	for _, f := range change {
		f(&o)
	}
	x, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func ask(v actions.Verb, to float64) actions.Request {
	r := actions.Request{Sale: "quarry", Verb: v}
	if to != 0 {
		r.To = &to
	}
	return r
}

func during(phase sale.Phase, more ...actions.Observed) actions.Evidence {
	e := actions.Evidence{At: time.Now(), Known: true, Phase: phase, Signals: more}
	for _, s := range []sale.Signal{sale.CapacityInService, sale.CapacityMin} {
		e.Signals = append(e.Signals, actions.Observed{Signal: s, Has: true, Value: 24, Freshness: sale.Fresh})
	}
	return e
}

func look(t *testing.T, x actions.Executor, r actions.Request, e actions.Evidence) actions.Preview {
	t.Helper()
	p, err := x.Preview(t.Context(), r, e)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func problemIn(err error) *sale.Problem {
	var p *sale.Problem
	if errors.As(err, &p) {
		return p
	}
	return nil
}

func TestScalingKeepsTheContract(t *testing.T) {
	for _, c := range []struct{ name, deployment, path, patch string }{
		{"an HPA", "web", hpaPath, `{"spec":{"minReplicas":22}}`},
		{"a ScaledObject", "worker", scaledPath, `{"spec":{"minReplicaCount":22}}`},
		{"a Deployment with neither", "cache", cachePath, `{"spec":{"replicas":25}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			actiontest.Run(t, func(t *testing.T) actiontest.Rig {
				cl := newCluster(t, func(s *rehearsal.State) { keepOnly(s, c.deployment) })
				bad := []actions.Request{ask(actions.ScaleUp, 23), ask(actions.ScaleUp, 61), ask(actions.ScaleUp, 30.5), ask(actions.ScaleBack, 7), ask(actions.ScaleBack, 24)}
				if c.deployment != "cache" {
					bad = append(bad, ask(actions.ScaleUp, 41))
				}
				return actiontest.Rig{
					Executor: cl.executor(t, c.deployment), Sale: "quarry",
					Good: []actions.Request{ask(actions.ScaleUp, 32), ask(actions.ScaleUp, 0), ask(actions.ScaleBack, 10), ask(actions.ScaleBack, 0)}, Bad: bad,
					Writes: cl.written, Fault: cl.setFault, Change: func() { cl.patchAs(t, "marko", c.path, c.patch) },
					Secrets: []string{token, reader}, Evidence: during(sale.Live),
				}
			})
		})
	}
}
