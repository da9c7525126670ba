package kubernetes

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/journal"
	rehearsal "github.com/onsale-dev/onsale/rehearsal/kubernetes"
	"github.com/onsale-dev/onsale/sale"
)

func TestWhatAFailedWriteProves(t *testing.T) {
	cl := newCluster(t)
	x := cl.executor(t, "web")
	p := look(t, x, ask(actions.ScaleUp, 32), actions.Evidence{})
	for _, c := range []struct {
		name    string
		status  int
		body    string
		nothing bool // it proves that nothing changed
		class   sale.Class
		says    string
	}{
		{"a forbidden request names its permission", 403, statusBody(403, "Forbidden", "cannot patch"), true, sale.Auth, "patch autoscaling/horizontalpodautoscalers"},
		{"an invalid request changed nothing", 422, statusBody(422, "Invalid", "spec.maxReplicas: must be greater than or equal to minReplicas"), true, sale.BadData, "compare min and max"},
		{"a webhook that denies changed nothing", 403, statusBody(403, "Forbidden", `admission webhook "a" denied the request: no`), true, sale.BadData, "admission webhook"},
		{"a request that was turned away changed nothing, and is not sent again", 429, statusBody(429, "TooManyRequests", "too many requests"), true, sale.Throttled, "nothing changed"},
		{"an expired token is told", 401, statusBody(401, "Unauthorized", "Unauthorized"), true, sale.Auth, "renew it"},
		{"an object that is gone is told", 404, statusBody(404, "NotFound", "not found"), true, sale.NotFound, "check the names"},
		{"a server in trouble leaves it open, and nothing is sent again", 503, statusBody(503, "ServiceUnavailable", "etcd leader changed"), false, sale.Failing, "trouble"},
		{"a time out of the server leaves it open", 504, statusBody(504, "Timeout", "timed out"), false, sale.Failing, "trouble"},
		{"a proxy's page leaves it open", 403, "<html>forbidden</html>", false, sale.BadData, "proxy"},
		{"a success that is no answer leaves it open", 200, "<html>welcome</html>", false, sale.BadData, "proxy"},
		{"a redirect leaves it open, and is not followed", 307, "", false, sale.BadData, "redirect"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl.answer = func(r *http.Request) (int, string) {
				if r.Method == http.MethodPatch {
					return c.status, c.body
				}
				return 0, ""
			}
			before := cl.written()
			_, err := x.Execute(t.Context(), p, "k")
			var rejected *actions.RejectedError
			if errors.As(err, &rejected) != c.nothing {
				t.Errorf("it is taken for %v", err)
			}
			if q := problemIn(err); q == nil || q.Class != c.class || !strings.Contains(q.Text+" "+q.Hint, c.says) {
				t.Errorf("%+v", q)
			}
			if n := cl.written() - before; n != 1 {
				t.Errorf("%d writes", n)
			}
		})
	}
}

func TestAConflictSaysWhatChangedAndWhoDidIt(t *testing.T) {
	cl := newCluster(t)
	x := cl.executor(t, "web")
	p := look(t, x, ask(actions.ScaleUp, 32), actions.Evidence{})
	expect := func(says string, writes int) {
		t.Helper()
		_, err := x.Execute(t.Context(), p, "k")
		var conflict *actions.ConflictError
		if !errors.As(err, &conflict) || !strings.Contains(conflict.Text, says) || cl.written() != writes {
			t.Errorf("%v after %d writes, want %q after %d", err, cl.written(), says, writes)
		}
	}
	// The last instant: somebody writes between our reading and our patch.
	cl.before = func() { cl.patchAs(t, "marko-kubectl", hpaPath, `{"spec":{"minReplicas":21}}`) }
	expect("minReplicas 20 → 21 by marko-kubectl", 1)
	// From then on the change is seen before anything is sent.
	expect("minReplicas 20 → 21 by marko-kubectl", 1)
	p = look(t, x, ask(actions.ScaleUp, 32), actions.Evidence{})
	if p.ByWhom != "marko-kubectl" || p.Modified.IsZero() {
		t.Errorf("the last writer is %q at %s", p.ByWhom, p.Modified)
	}
	if _, err := x.Execute(t.Context(), p, "k"); err != nil {
		t.Fatal(err)
	}
}

func TestAStatusThatMovesIsNoChange(t *testing.T) {
	cl := newCluster(t)
	x := cl.executor(t, "web")
	p := look(t, x, ask(actions.ScaleUp, 32), actions.Evidence{})
	moved := false
	cl.edit = func(path, body string) string {
		if !strings.HasSuffix(path, "horizontalpodautoscalers") {
			return body
		}
		next := strings.ReplaceAll(body, `"status":{`, `"status":{"observedGeneration":99,"lastScaleTime":"2026-12-04T09:00:00Z",`)
		next = strings.Replace(next, `"resourceVersion":"`, `"resourceVersion":"9`, 2)
		moved = next != body
		return next
	}
	again := look(t, x, ask(actions.ScaleUp, 32), actions.Evidence{})
	if !moved || again.Version != p.Version {
		t.Error("the status is part of the version: an autoscaler would disarm every confirmation")
	}
}

func TestAStatusThatIsWrittenInBetweenIsNoConflict(t *testing.T) {
	for _, c := range []struct {
		name      string
		conflicts int // patches that the server refuses before it takes one
		dry       bool
		done      bool
		patches   int
	}{
		{"a write that a status overtook is sent again", statusTries - 1, false, true, statusTries},
		{"not for ever", statusTries, false, false, statusTries},
		{"a dry run that a status overtook is made again", 2, true, true, 3},
		{"where statuses are written without end, it is made without the condition", statusTries, true, true, statusTries + 1},
		{"that one not for ever either", statusTries + 1, true, false, statusTries + 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := newCluster(t)
			x := cl.executor(t, "web")
			refused, patches := 0, 0
			refuse := func(r *http.Request) (int, string) {
				if r.Method != http.MethodPatch || (r.URL.Query().Get("dryRun") != "") != c.dry {
					return 0, ""
				}
				if patches++; refused < c.conflicts {
					refused++
					return 409, statusBody(409, "Conflict", "the object has been modified; please apply your changes to the latest version")
				}
				return 0, ""
			}
			if c.dry {
				cl.answer = refuse
			}
			p := look(t, x, ask(actions.ScaleUp, 32), actions.Evidence{})
			if c.dry {
				if p.Refused() == c.done || refused != c.conflicts || patches != c.patches {
					t.Errorf("refused %d of %d times, then %+v", refused, patches, p.Refusals)
				}
				if last := cl.bodies[len(cl.bodies)-1]; strings.Contains(last, "resourceVersion") == (patches > statusTries) {
					t.Errorf("the last of %d dry runs was %s", patches, last)
				}
				return
			}
			cl.answer = refuse
			before := cl.written()
			_, err := x.Execute(t.Context(), p, "k")
			var conflict *actions.ConflictError
			if (err == nil) != c.done || !c.done && (!errors.As(err, &conflict) || !strings.Contains(conflict.Text, "only its status")) {
				t.Errorf("%v", err)
			}
			if n := cl.written() - before; n != c.patches {
				t.Errorf("%d patches", n)
			}
		})
	}
}

func TestThePatchIsOneFieldUnderTheObjectsOwnVersion(t *testing.T) {
	for of, want := range map[string]string{"web": `{"minReplicas":32}`, "worker": `{"minReplicaCount":32}`, "cache": `{"replicas":32}`} {
		cl := newCluster(t)
		x := cl.executor(t, of)
		p := look(t, x, ask(actions.ScaleUp, 32), actions.Evidence{})
		if _, err := x.Execute(t.Context(), p, "k"); err != nil {
			t.Fatal(err)
		}
		var sent struct {
			Metadata map[string]string `json:"metadata"`
			Spec     json.RawMessage   `json:"spec"`
		}
		if err := json.Unmarshal([]byte(cl.bodies[len(cl.bodies)-1]), &sent); err != nil {
			t.Fatal(err)
		}
		if string(sent.Spec) != want || len(sent.Metadata) != 1 || sent.Metadata["resourceVersion"] == "" {
			t.Errorf("%s: sent %+v %s", of, sent.Metadata, sent.Spec)
		}
	}
}

func TestADeploymentThatKEDATakesOverMeanwhileIsRefusedByTheRunner(t *testing.T) {
	cl := newCluster(t)
	x := cl.executor(t, "web")
	j, err := journal.Open(filepath.Join(t.TempDir(), "journal"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	p := look(t, x, ask(actions.ScaleUp, 32), actions.Evidence{})
	r, err := actions.NewRunner(actions.Config{
		Journal: j, Policy: actions.Policy{Targets: map[sale.ID][]actions.Target{"quarry": {{System: System, Name: p.Target.Name, Account: "shop-prod"}}}},
		Executor: func(sale.ID, actions.Verb) (actions.Executor, error) { return x, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	who := actions.Actor{Name: "ana", Role: actions.Operator}
	shown := r.Preview(t.Context(), who, ask(actions.ScaleUp, 32))
	armed, no := r.Arm(who, shown, time.Minute)
	if no != nil {
		t.Fatal(no.Text)
	}
	cl.edit = func(path, body string) string {
		return strings.ReplaceAll(body, `"name":"web-hpa",`, `"name":"web-hpa","labels":{"scaledobject.keda.sh/name":"worker-so"},`)
	}
	res := r.Run(t.Context(), who, actions.Confirmed{Preview: shown, Arming: armed.ID, At: time.Now()})
	if res.Outcome != actions.Refused || res.Refusals[0].Guard != actions.GuardChanged || cl.written() != 0 {
		t.Errorf("%s %s, %d writes", res.Outcome, res.Text, cl.written())
	}
}

func TestWhatNeverLeftIsNotCalledUnknown(t *testing.T) {
	cl := newCluster(t)
	p := look(t, cl.executor(t, "web"), ask(actions.ScaleUp, 32), actions.Evidence{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := "http://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	o := cl.options(t, "web")
	if o.Client, err = NewClient(&rest.Config{Host: dead}); err != nil {
		t.Fatal(err)
	}
	x, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = x.Execute(t.Context(), p, "k")
	var rejected *actions.RejectedError
	if !errors.As(err, &rejected) || rejected.Problem.Class != sale.Unreachable || !strings.HasPrefix(rejected.Problem.Text, "not sent") {
		t.Errorf("%v", err)
	}
	for name, change := range map[string]func(*actions.Preview){
		"another Deployment": func(p *actions.Preview) { p.Target.Name = "shop/api" },
		"another cluster":    func(p *actions.Preview) { p.Target.Account = "shop-test" },
		"another thing":      func(p *actions.Preview) { p.To = actions.Value{"rate": actions.Number(3)} },
		"a fraction":         func(p *actions.Preview) { p.To = actions.Value{"minReplicas": actions.Number(3.5)} },
		"nothing":            func(p *actions.Preview) { p.To = nil },
	} {
		q := p
		change(&q)
		_, err := cl.executor(t, "web").Execute(t.Context(), q, "k")
		if !errors.As(err, &rejected) || cl.written() != 0 {
			t.Errorf("%s: %v, %d writes", name, err, cl.written())
		}
	}
}

func TestProgressIsCountedInReadyPods(t *testing.T) {
	now := time.Now()
	state := rehearsal.State{Namespaces: []string{"shop"}, Deployments: []rehearsal.Deployment{deployment("cache", 4)}}
	cl := newCluster(t)
	cl.memory = rehearsal.NewMemory(state, rehearsal.MemoryOptions{Now: func() time.Time { return now }, Boot: 40 * time.Second})
	cl.handler = rehearsal.New(cl.memory, rehearsal.WithOperator(token))
	x := cl.executor(t, "cache", func(o *Options) { o.Floor = 2 })
	p := look(t, x, ask(actions.ScaleUp, 6), actions.Evidence{})
	if _, err := x.Execute(t.Context(), p, "k"); err != nil {
		t.Fatal(err)
	}
	check := func(want string, reached bool) {
		t.Helper()
		got, err := x.Progress(t.Context(), p)
		if err != nil || got.Text != want || got.Reached != reached {
			t.Errorf("%q (reached %v, %v), want %q", got.Text, got.Reached, err, want)
		}
	}
	check("4 of 6 pods ready", false)
	now = now.Add(2 * time.Minute)
	check("6 of 6 pods ready", true)
}

func TestTheCallsAreExactlyThePermissions(t *testing.T) {
	var called []string
	for _, of := range []string{"web", "worker", "cache"} {
		cl := newCluster(t)
		uid := ""
		cl.edit = func(path, body string) string {
			if strings.HasSuffix(path, "/kube-system") {
				uid = body
			}
			return body
		}
		o := cl.options(t, of)
		o.ClusterUID = "x"
		x, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = x.Preview(t.Context(), ask(actions.ScaleUp, 32), actions.Evidence{}) // to learn the UID
		var ns struct {
			Metadata struct{ UID string } `json:"metadata"`
		}
		if err := json.Unmarshal([]byte(uid), &ns); err != nil || ns.Metadata.UID == "" {
			t.Fatal(err, uid)
		}
		o.ClusterUID = ns.Metadata.UID
		if x, err = New(o); err != nil {
			t.Fatal(err)
		}
		p := look(t, x, ask(actions.ScaleUp, 32), actions.Evidence{})
		if _, err := x.Execute(t.Context(), p, "k"); err != nil {
			t.Fatal(err)
		}
		if _, err := x.ReadBack(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		called = append(called, cl.asked...)
	}
	slices.Sort(called)
	if called = slices.Compact(called); !slices.Equal(called, Permissions()) {
		t.Errorf("called %q\npermissions %q", called, Permissions())
	}
	for _, w := range Writes() {
		if !slices.Contains(Permissions(), w) || !strings.HasPrefix(w, "patch ") {
			t.Errorf("%s is no write of ours", w)
		}
	}
}
