package kubernetes

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	rehearsal "github.com/onsale-dev/onsale/rehearsal/kubernetes"
	"github.com/onsale-dev/onsale/sale"
)

func texts(p actions.Preview) string {
	var all []string
	for _, r := range p.Refusals {
		all = append(all, "REFUSED "+string(r.Guard)+": "+r.Text+" | "+r.Hint)
	}
	for _, w := range p.Warnings {
		all = append(all, "WARNING "+w)
	}
	for _, f := range p.Facts {
		all = append(all, "FACT "+f.Label+": "+f.Text)
	}
	all = append(all, "KIND "+p.Target.Kind, "CHANGE "+p.Change, "HOW "+p.How, "REVERTS "+p.RevertsIt, "UNDO "+p.UndoText, "COST "+p.CostText, "EFFECT "+p.EffectText, "RISK "+string(p.Risk), "BY "+p.ByWhom)
	return strings.Join(all, "\n")
}

func TestWhatAPreviewSaysBefore(t *testing.T) {
	suggested := ask(actions.ScaleUp, 0) // nobody names a size
	cost := 0.0975
	note := func(key, value string) func(*rehearsal.State) {
		return func(s *rehearsal.State) { s.ScaledObjects[0].Annotations = map[string]string{key: value} }
	}
	managed := func(name string, fields ...string) func(*rehearsal.State) {
		return func(s *rehearsal.State) {
			s.HPAs[0].Managers = []rehearsal.Manager{{Name: name, Operation: "Apply", Fields: fields}}
		}
	}
	hpaStatus := func(conditions string) func(*cluster) {
		return func(c *cluster) {
			c.edit = func(path, body string) string {
				if strings.HasSuffix(path, "horizontalpodautoscalers") {
					return strings.NewReplacer(`"conditions":[]`, `"conditions":[`+conditions+`]`, `"conditions":[{`, `"conditions":[`+conditions+`,{`).Replace(body)
				}
				return body
			}
		}
	}
	for _, c := range []struct {
		name    string
		state   func(*rehearsal.State)
		cluster func(*cluster)
		of      string
		bearer  string
		opts    func(*Options)
		ask     actions.Request
		seen    actions.Evidence
		wants   []string
		hasNot  []string
		to      string
	}{
		{name: "with an HPA its min is raised", of: "web", ask: ask(actions.ScaleUp, 32), to: "minReplicas 32", wants: []string{"KIND HorizontalPodAutoscaler", "CHANGE min pods 20 → 32", "merge patch of HorizontalPodAutoscaler shop/web-hpa: minReplicas 32, absolute", "headroom: 8 more up to max 40", "now: 24 of 24 pods ready", "dry run: the server takes it", "REVERTS nothing found", "U sets minReplicas 20 again"}, hasNot: []string{"WARNING", "REFUSED"}},
		{name: "with KEDA the ScaledObject is patched, not the HPA", of: "worker", ask: ask(actions.ScaleUp, 32), to: "minReplicaCount 32", wants: []string{"KIND ScaledObject", "KEDA owns the HPA", "merge patch of ScaledObject shop/worker-so"}},
		{name: "with neither the scale is patched", of: "cache", ask: ask(actions.ScaleUp, 32), to: "replicas 32", wants: []string{"KIND Deployment", "CHANGE replicas 24 → 32"}},
		{name: "a ScaledObject without a min has none, and its undo takes the field away", of: "worker", state: func(s *rehearsal.State) { s.ScaledObjects[0].Min = nil }, ask: ask(actions.ScaleUp, 32), to: "minReplicaCount 32", wants: []string{"CHANGE min pods 0 → 32", "U sets minReplicaCount unset again"}},
		{name: "a ScaledObject without a max ends at KEDA's own of 100", of: "worker", state: func(s *rehearsal.State) { s.ScaledObjects[0].Max = nil }, opts: func(o *Options) { o.Most = 500 }, ask: ask(actions.ScaleUp, 101), wants: []string{"REFUSED bounds: 101 is over the max of 100"}},
		{name: "a size over max is refused with the headroom", of: "web", ask: ask(actions.ScaleUp, 41), wants: []string{"REFUSED bounds: 41 is over the max of 40 of the HorizontalPodAutoscaler: headroom for 16 more"}},
		{name: "the size that nobody named stops at max", of: "web", state: func(s *rehearsal.State) { s.HPAs[0].Max = 26 }, ask: suggested, to: "minReplicas 26", wants: []string{"CHANGE min pods 20 → 26"}, hasNot: []string{"REFUSED"}},
		{name: "an autoscaler that is at its max has no headroom", of: "web", state: func(s *rehearsal.State) { s.HPAs[0].Min, s.HPAs[0].Max = 24, 24 }, ask: suggested, wants: []string{"REFUSED bounds: the HorizontalPodAutoscaler is at its max of 24: there is no headroom"}},
		{name: "how long starts take is said where it is known", of: "web", ask: ask(actions.ScaleUp, 32), opts: func(o *Options) { o.Soonest, o.Latest = time.Minute, 2*time.Minute }, to: "minReplicas 32", wants: []string{"done when 32 pods are ready; starts take 1:00 to 2:00"}},
		{name: "max is raised along where that is allowed", of: "web", opts: func(o *Options) { o.RaiseMax = true }, ask: ask(actions.ScaleUp, 50), to: "maxReplicas 50, minReplicas 50", wants: []string{"max 40 → 50"}},
		{name: "the cost is the added pods", of: "web", opts: func(o *Options) { o.UnitCost = &cost }, ask: ask(actions.ScaleUp, 32), to: "minReplicas 32", wants: []string{"COST +8 × $0.0975 = +0.78 USD/h"}},
		{name: "a reader is told before that it is forbidden", of: "web", bearer: reader, ask: ask(actions.ScaleUp, 32), to: "minReplicas 32", wants: []string{"REFUSED target: the cluster does not allow it", "allow it to the service account in a Role: patch autoscaling/horizontalpodautoscalers in namespace shop"}},
		{name: "Argo CD that owns the field reverts it", of: "web", state: managed(rehearsal.ArgoCD, "/spec/minReplicas"), ask: ask(actions.ScaleUp, 32), to: "minReplicas 32", wants: []string{"WARNING Argo CD owns minReplicas (argocd-controller in managedFields) and sets it back", "REVERTS Argo CD owns minReplicas", "BY argocd-controller"}},
		{name: "Flux that owns the field reverts it", of: "web", state: managed(rehearsal.Flux, "/spec/minReplicas"), ask: ask(actions.ScaleUp, 32), to: "minReplicas 32", wants: []string{"REVERTS Flux owns minReplicas"}},
		{name: "Argo CD that leaves the field alone does not", of: "web", state: func(s *rehearsal.State) {
			managed(rehearsal.ArgoCD, "/spec/metrics")(s)
			s.HPAs[0].Annotations = map[string]string{"argocd.argoproj.io/tracking-id": "quarry-web:autoscaling/HorizontalPodAutoscaler:shop/web-hpa"}
		}, ask: ask(actions.ScaleUp, 32), to: "minReplicas 32", wants: []string{"REVERTS Argo CD app quarry-web tracks it"}, hasNot: []string{"WARNING"}},
		{name: "KEDA that is paused at a size refuses", of: "worker", state: note("autoscaling.keda.sh/paused-replicas", "24"), ask: ask(actions.ScaleUp, 32), to: "minReplicaCount 32", wants: []string{"REFUSED target: KEDA is paused at 24 replicas"}},
		{name: "KEDA that is paused refuses", of: "worker", state: note("autoscaling.keda.sh/paused", "true"), ask: ask(actions.ScaleUp, 32), to: "minReplicaCount 32", wants: []string{"REFUSED target: KEDA is paused: a new min changes nothing"}},
		{name: "KEDA that must not scale in is said of a scale back", of: "worker", state: note("autoscaling.keda.sh/paused-scale-in", "true"), ask: ask(actions.ScaleBack, 10), seen: during(sale.Closed), to: "minReplicaCount 10", wants: []string{"WARNING scale-in is paused by an annotation"}},
		{name: "an HPA that is switched off by zero replicas refuses", of: "web", state: func(s *rehearsal.State) { s.Deployments[0].Replicas = 0 }, ask: ask(actions.ScaleUp, 32), to: "minReplicas 32", wants: []string{"REFUSED target: the Deployment has 0 replicas, which switches its HPA off"}},
		{name: "an HPA that can't read its metric is said", of: "web", cluster: hpaStatus(`{"type":"ScalingActive","status":"False","reason":"FailedGetResourceMetric","message":"no metrics returned"}`), ask: ask(actions.ScaleUp, 32), to: "minReplicas 32", wants: []string{"WARNING HPA: ScalingActive is false: FailedGetResourceMetric: no metrics returned"}},
		{name: "an HPA that is capped by its max is said", of: "web", cluster: hpaStatus(`{"type":"ScalingLimited","status":"True","reason":"TooManyReplicas","message":"the desired replica count is more than the maximum"}`), ask: ask(actions.ScaleUp, 32), to: "minReplicas 32", wants: []string{"WARNING HPA: it wants more than its max"}},
		{name: "pods that wait for a node are said", of: "cache", cluster: func(c *cluster) {
			c.answer = func(r *http.Request) (int, string) {
				if !strings.HasSuffix(r.URL.Path, "/pods") {
					return 0, ""
				}
				return 200, `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"},"status":{"conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/6 nodes are available: 6 Insufficient cpu."}]}}]}`
			}
		}, ask: ask(actions.ScaleUp, 32), to: "replicas 32", wants: []string{"WARNING 1 pods have no node already, and more will wait with them: Unschedulable: 0/6 nodes are available"}},
		{name: "an admission webhook is heard before", of: "web", cluster: func(c *cluster) {
			c.answer = func(r *http.Request) (int, string) {
				if r.URL.Query().Get("dryRun") == "" {
					return 0, ""
				}
				return 403, statusBody(403, "Forbidden", `admission webhook "limits.quarry.example" denied the request: freeze`)
			}
		}, ask: ask(actions.ScaleUp, 32), to: "minReplicas 32", wants: []string{"REFUSED target: the dry run was refused: admission webhook", "an admission webhook or policy of the cluster forbids it"}},
		{name: "a dry run that can't be made is said, and does not prevent", of: "web", cluster: func(c *cluster) {
			c.answer = func(r *http.Request) (int, string) {
				if r.URL.Query().Get("dryRun") == "" {
					return 0, ""
				}
				return 400, statusBody(400, "BadRequest", `admission webhook "x" does not support dry run`)
			}
		}, ask: ask(actions.ScaleUp, 32), to: "minReplicas 32", wants: []string{"WARNING the dry run could not be made, so admission is not proven"}, hasNot: []string{"REFUSED"}},
		{name: "two autoscalers of one Deployment are not guessed between", of: "web", state: func(s *rehearsal.State) {
			other := s.HPAs[0]
			other.Name = "web-2"
			s.HPAs = append(s.HPAs, other)
		}, ask: ask(actions.ScaleUp, 32), wants: []string{"PROBLEM two objects scale it"}},
		{name: "a scale back while the sale is on is severe", of: "web", ask: ask(actions.ScaleBack, 10), seen: during(sale.Live), to: "minReplicas 10", wants: []string{"phase live", "RISK severe", "may shrink to 10, after its stabilization"}},
		{name: "a scale back without an autoscaler ends pods", of: "cache", ask: ask(actions.ScaleBack, 10), seen: during(sale.Closed), to: "replicas 10", wants: []string{"WARNING 14 pods end: 24 → 10", "RISK normal"}},
		{name: "a scale back below the floor is refused", of: "web", ask: ask(actions.ScaleBack, 7), seen: during(sale.Closed), wants: []string{"REFUSED bounds: 7 is below the floor of 8"}},
		{name: "a database that would run out of connections makes it severe", of: "web", opts: func(o *Options) { o.ConnectionsPerPod = 100 }, ask: ask(actions.ScaleUp, 32), to: "minReplicas 32", seen: during(sale.Live, actions.Observed{Signal: sale.DBConnections, Has: true, Value: 3900, Freshness: sale.Fresh}, actions.Observed{Signal: sale.DBConnectionsMax, Has: true, Value: 4000, Freshness: sale.Fresh}), wants: []string{"+8 pods × 100 = 800 more connections: 4700 of 4000", "RISK severe"}},
		{name: "another cluster than the declared one is refused", of: "web", opts: func(o *Options) { o.ClusterUID = "0000" }, ask: ask(actions.ScaleUp, 32), wants: []string{"PROBLEM this is another cluster than shop-prod"}},
		{name: "a Deployment that is not there is a problem", of: "gone", ask: ask(actions.ScaleUp, 32), wants: []string{`PROBLEM deployments.apps "gone" not found`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			of := c.of
			if of == "" {
				of = "web"
			}
			var change []func(*rehearsal.State)
			if c.state != nil {
				change = append(change, c.state)
			}
			cl := newCluster(t, change...)
			if c.cluster != nil {
				c.cluster(cl)
			}
			bearer := token
			if c.bearer != "" {
				bearer = c.bearer
			}
			o := cl.optionsAs(t, of, bearer)
			if c.opts != nil {
				c.opts(&o)
			}
			x, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			p, err := x.Preview(t.Context(), c.ask, c.seen)
			text := texts(p)
			if err != nil {
				q := problemIn(err)
				if q == nil || q.Hint == "" {
					t.Fatal(err)
				}
				text = "PROBLEM " + q.Text
			}
			if p.To.String() != c.to {
				t.Errorf("it would set %q, want %q\n%s", p.To, c.to, text)
			}
			for _, want := range c.wants {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not said in\n%s", want, text)
				}
			}
			for _, not := range c.hasNot {
				if strings.Contains(text, not) {
					t.Errorf("%q is said in\n%s", not, text)
				}
			}
			if cl.written() != 0 {
				t.Error("a preview wrote")
			}
		})
	}
}

func TestANumberThatIsNoSizeIsRefusedBeforeTheClusterIsAsked(t *testing.T) {
	cl := newCluster(t)
	x := cl.executor(t, "web")
	for _, v := range []float64{0, -3, math.NaN(), math.Inf(1), 12.5, 61} {
		r := ask(actions.ScaleUp, 1)
		r.To = &v
		if p := look(t, x, r, actions.Evidence{}); !p.Refused() || len(cl.asked) > 0 {
			t.Errorf("%v: refused %v after %q", v, p.Refused(), cl.asked)
		}
	}
}

func TestAnUndoFitsWhatDecidesTheSize(t *testing.T) {
	for _, c := range []struct {
		name, of string
		restore  actions.Value
		says, to string
	}{
		{"an HPA's bounds go back", "web", actions.Value{"minReplicas": actions.Number(12), "maxReplicas": actions.Number(30)}, "min pods 20 → 12, max 40 → 30", "maxReplicas 30, minReplicas 12"},
		{"a ScaledObject's min goes back to unset", "worker", actions.Value{"minReplicaCount": actions.Unset}, "min pods 20 → 0", "minReplicaCount unset"},
		{"an HPA's min can't be unset", "web", actions.Value{"minReplicas": actions.Unset}, "REFUSED request", ""},
		{"a Deployment's size is refused once an HPA is there", "web", actions.Value{"replicas": actions.Number(12)}, "replicas is not what decides the size any more: it is the HorizontalPodAutoscaler now", ""},
		{"a Deployment is not put back to zero", "cache", actions.Value{"replicas": actions.Number(0)}, "the recorded size is zero", ""},
		{"bounds that no longer fit are refused", "web", actions.Value{"minReplicas": actions.Number(45)}, "over max 40, which was changed since", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := newCluster(t)
			p := look(t, cl.executor(t, c.of), actions.Request{Sale: "quarry", Verb: actions.Undo, Of: actions.ScaleUp, Restore: c.restore}, during(sale.Closed))
			if p.To.String() != c.to || !strings.Contains(texts(p), c.says) {
				t.Errorf("it would set %q\n%s", p.To, texts(p))
			}
		})
	}
}
