package ecs

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/rehearsal/capacity"
	"github.com/onsale-dev/onsale/sale"
)

func TestWhatAFailedWriteProves(t *testing.T) {
	for _, c := range []struct {
		name    string
		status  int
		body    string
		nothing bool // it proves that nothing changed
		class   sale.Class
		says    string
	}{
		{"a throttled request changed nothing", 400, jsonError("ThrottlingException", "Rate exceeded"), true, sale.Throttled, "nothing changed"},
		{"a validation error changed nothing", 400, jsonError("ValidationException", "Minimum capacity cannot be greater than maximum capacity"), true, sale.BadData, "Minimum capacity"},
		{"a denied request names its permission", 400, jsonError("AccessDeniedException", "no"), true, sale.Auth, "allow application-autoscaling:RegisterScalableTarget to profile onsale-act"},
		{"a pending update changed nothing, though it is a 500", 500, jsonError("ConcurrentUpdateException", "pending update"), true, sale.Throttled, "another update"},
		{"a target that is gone is told", 400, jsonError("ObjectNotFoundException", "No scalable target"), true, sale.NotFound, "check the names"},
		{"alarms that could not be reached leave it open", 400, jsonError("FailedResourceAccessException", "no"), false, sale.Failing, "service-linked role"},
		{"an internal failure leaves it open", 500, jsonError("InternalServiceException", "oops"), false, sale.Failing, "AWS Health"},
		{"a proxy's page leaves it open", 403, "<html>forbidden</html>", false, sale.BadData, "proxy"},
		{"a success that is no answer leaves it open", 200, "<html>welcome</html>", false, sale.BadData, "proxy"},
		{"an empty success leaves it open", 200, "", false, sale.BadData, "proxy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := fleetOf(24, 20, 40, capacity.Target)
			x := cl.executor(t)
			p := look(t, x, ask(actions.ScaleUp, 32), actions.Evidence{})
			cl.answer = func(string) (int, string) { return c.status, c.body }
			_, err := x.Execute(t.Context(), p, "k")
			var rejected *actions.RejectedError
			if errors.As(err, &rejected) != c.nothing {
				t.Errorf("it is taken for %v", err)
			}
			if q := problemIn(err); q == nil || q.Class != c.class || !strings.Contains(q.Text+" "+q.Hint, c.says) {
				t.Errorf("%+v", q)
			}
			if cl.written() != 1 {
				t.Errorf("%d writes", cl.written())
			}
		})
	}
}

func TestWhatNeverLeftIsNotCalledUnknown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := "http://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	none := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("the SSO session has expired")
	})
	for name, c := range map[string]struct {
		who   aws.CredentialsProvider
		class sale.Class
	}{
		"nothing listens": {credentials.NewStaticCredentialsProvider("k", secret, ""), sale.Unreachable},
		"no credentials":  {none, sale.Auth},
	} {
		for _, scaler := range []capacity.Scaler{capacity.Target, capacity.None} {
			cl := fleetOf(24, 20, 40, scaler)
			o := cl.options(t)
			p := look(t, cl.executor(t), ask(actions.ScaleUp, 32), actions.Evidence{})
			cfg := aws.Config{Region: region, Credentials: c.who}
			o.ECS, o.Scaling = NewClient(cfg, dead, nil), NewScalingClient(cfg, dead, nil)
			x, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			_, err = x.Execute(t.Context(), p, "k")
			var rejected *actions.RejectedError
			if !errors.As(err, &rejected) || rejected.Problem.Class != c.class || !strings.HasPrefix(rejected.Problem.Text, "not sent") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestExecuteSendsOnlyWhatIsASizeOfItsService(t *testing.T) {
	for name, change := range map[string]func(*actions.Preview){
		"another service":                 func(p *actions.Preview) { p.Target.Name = "pl-prod/workers" },
		"another thing":                   func(p *actions.Preview) { p.To = actions.Value{"rate": actions.Number(3)} },
		"a fraction":                      func(p *actions.Preview) { p.To = actions.Value{MinCapacity: actions.Number(3.5)} },
		"nothing":                         func(p *actions.Preview) { p.To = nil },
		"two writes":                      func(p *actions.Preview) { p.To[DesiredCount] = actions.Number(3) },
		"a target that was not there yet": func(p *actions.Preview) { p.From = actions.Value{DesiredCount: actions.Number(3)} },
	} {
		cl := fleetOf(24, 20, 40, capacity.Target)
		x := cl.executor(t)
		p := look(t, x, ask(actions.ScaleUp, 32), actions.Evidence{})
		change(&p)
		_, err := x.Execute(t.Context(), p, "k")
		var rejected *actions.RejectedError
		if !errors.As(err, &rejected) || cl.written() != 0 {
			t.Errorf("%s: %v, %d writes", name, err, cl.written())
		}
	}
}

func TestProgressIsCountedInRunningTasks(t *testing.T) {
	cl := fleetOf(24, 20, 40, capacity.Target)
	x := cl.executor(t)
	p := look(t, x, ask(actions.ScaleUp, 32), actions.Evidence{})
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
	check("24 of 32 running", false)
	cl.units(32)
	cl.group.Units[31].State = capacity.Pending
	cl.group.Events = []capacity.Event{{ID: "e", At: time.Now(), Message: "(service web) was unable to place a task"}}
	check("31 of 32 running, 1 pending; (service web) was unable to place a task", false)
	cl.units(32)
	check("32 of 32 running", true)
}

func TestATargetThatChangesBetweenPreviewAndConfirmIsRefusedByTheRunner(t *testing.T) {
	cl := fleetOf(24, 20, 40, capacity.Target)
	x := cl.executor(t)
	j, err := journal.Open(filepath.Join(t.TempDir(), "journal"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	p := look(t, x, ask(actions.ScaleUp, 32), actions.Evidence{})
	r, err := actions.NewRunner(actions.Config{
		Journal: j, Policy: actions.Policy{Targets: map[sale.ID][]actions.Target{"orchard": {p.Target}}},
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
	cl.set(func(g *capacity.Group) { g.Scaler = capacity.None })
	res := r.Run(t.Context(), who, actions.Confirmed{Preview: shown, Arming: armed.ID, At: time.Now()})
	if res.Outcome != actions.Refused || res.Refusals[0].Guard != actions.GuardChanged || cl.written() != 0 {
		t.Errorf("a target that was deregistered meanwhile: %s %s, %d writes", res.Outcome, res.Text, cl.written())
	}
}

// fixture reads one of AWS's own frozen requests of ECS from the SDK's module. Without the module
// the test is skipped, aloud. Application Auto Scaling's module has none.
func fixture(t *testing.T, operation string) (target string, body map[string]any) {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/ecs").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skipf("SKIPPED: AWS's wire fixtures were not found, so nothing was held against them: %v", err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "request_snapshot", operation+".request.snap"))
	if err != nil {
		t.Fatal(err)
	}
	head, text, _ := strings.Cut(string(data[strings.IndexByte(string(data), '\n')+2:]), "\n\n")
	for line := range strings.SplitSeq(head, "\n") {
		if key, value, _ := strings.Cut(line, ": "); key == "X-Amz-Target" {
			target = value
		}
	}
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		t.Fatal(err)
	}
	return target, body
}

func TestTheCallsAreExactlyThePermissionsAndHaveTheShapeOfAWSsOwn(t *testing.T) {
	var called []string
	fields := map[string]map[string]any{}
	for _, scaler := range []capacity.Scaler{capacity.Target, capacity.None} {
		cl := fleetOf(24, 20, 40, scaler)
		o := cl.options(t)
		o.RaiseMax = true
		x, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		executors := []actions.Executor{x}
		if scaler == capacity.Target {
			s, err := NewSchedule(ScheduleOptions{Options: o, Name: "doors", At: time.Now().Add(time.Hour)})
			if err != nil {
				t.Fatal(err)
			}
			executors = append(executors, s)
		}
		for _, e := range executors {
			p := look(t, e, ask(actions.ScaleUp, 50), during(sale.Scheduled))
			if _, err := e.Execute(t.Context(), p, "k"); err != nil {
				t.Fatal(err)
			}
			if _, err := e.ReadBack(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			u := look(t, e, actions.Request{Sale: "orchard", Verb: actions.Undo, Of: actions.ScaleUp, Restore: p.From.Only(p.To)}, during(sale.Scheduled))
			if _, err := e.Execute(t.Context(), u, "k"); err != nil {
				t.Fatal(err)
			}
		}
		called = append(called, cl.asked...)
		for i, body := range cl.bodies {
			if old := fields[cl.asked[i]]; len(old) < len(body) {
				fields[cl.asked[i]] = body
			}
			service, operation, _ := strings.Cut(cl.asked[i], ":")
			if service != "ecs" {
				if got := cl.heads[i].Get("X-Amz-Target"); got != "AnyScaleFrontendService."+operation {
					t.Errorf("target %s", got)
				}
				continue
			}
			target, want := fixture(t, operation)
			if cl.heads[i].Get("X-Amz-Target") != target {
				t.Errorf("%s: target %s, AWS's is %s", operation, cl.heads[i].Get("X-Amz-Target"), target)
			}
			for name, value := range body {
				if reflect.TypeOf(value) != reflect.TypeOf(want[name]) {
					t.Errorf("%s: %s is %T, AWS's is %T", operation, name, value, want[name])
				}
			}
		}
	}
	slices.Sort(called)
	if called = slices.Compact(called); !slices.Equal(called, Permissions()) {
		t.Errorf("called %q\npermissions %q", called, Permissions())
	}
	for operation, names := range map[string][]string{
		"ecs:UpdateService": {"cluster", "desiredCount", "service"},
		"application-autoscaling:RegisterScalableTarget": {"MaxCapacity", "MinCapacity", "ResourceId", "ScalableDimension", "ServiceNamespace"},
		"application-autoscaling:PutScheduledAction":     {"ResourceId", "ScalableDimension", "ScalableTargetAction", "Schedule", "ScheduledActionName", "ServiceNamespace"},
		"application-autoscaling:DeleteScheduledAction":  {"ResourceId", "ScalableDimension", "ScheduledActionName", "ServiceNamespace"},
	} {
		var sent []string
		for name := range fields[operation] {
			sent = append(sent, name)
		}
		slices.Sort(sent)
		if !slices.Equal(sent, names) {
			t.Errorf("%s sends %q, want %q", operation, sent, names)
		}
	}
	for _, w := range Writes() {
		if !slices.Contains(Permissions(), w) || strings.Contains(w, "Describe") {
			t.Errorf("%s is no write of ours", w)
		}
	}
}

func TestAnAnswerWithoutCountsIsNoAnswer(t *testing.T) {
	for name, edit := range map[string]func(op, body string) string{
		"no desired count": func(_, b string) string { return strings.ReplaceAll(b, `"desiredCount"`, `"desired"`) },
		"no min": func(op, b string) string {
			if op == "DescribeScalableTargets" {
				return strings.ReplaceAll(b, `"MinCapacity"`, `"Min"`)
			}
			return b
		},
		"too long": func(_, b string) string { return b + strings.Repeat(" ", maxBody) },
		"cut":      func(_, b string) string { return b[:len(b)-3] },
	} {
		cl := fleetOf(24, 20, 40, capacity.Target)
		cl.edit = edit
		_, err := cl.executor(t).Preview(t.Context(), ask(actions.ScaleUp, 32), actions.Evidence{})
		if p := problemIn(err); p == nil || p.Class != sale.BadData {
			t.Errorf("%s: %v", name, err)
		}
	}
}
