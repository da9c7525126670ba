package autoscaling

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/journal"
	rehearsal "github.com/onsale-dev/onsale/rehearsal/aws"
	"github.com/onsale-dev/onsale/rehearsal/capacity"
	"github.com/onsale-dev/onsale/sale"
)

func problemIn(err error) *sale.Problem {
	var p *sale.Problem
	if errors.As(err, &p) {
		return p
	}
	return nil
}

func TestWhatAFailedWriteProves(t *testing.T) {
	for _, c := range []struct {
		name    string
		status  int
		body    string
		nothing bool // it proves that nothing changed
		class   sale.Class
		says    string
	}{
		{"a throttled request changed nothing", 400, queryError("Throttling", "Rate exceeded"), true, sale.Throttled, "nothing changed"},
		{"a throttled request changed nothing, whatever its status", 503, queryError("RequestLimitExceeded", "Request limit exceeded."), true, sale.Throttled, "nothing changed"},
		{"a validation error changed nothing", 400, queryError("ValidationError", "Max bound, 8, must be greater than or equal to min bound, 9"), true, sale.BadData, "Max bound, 8"},
		{"a denied request names its permission", 403, queryError("AccessDenied", "no"), true, sale.Auth, "allow autoscaling:UpdateAutoScalingGroup to profile onsale-act"},
		{"a pending update changed nothing, though it is a 500", 500, queryError("ResourceContention", "You already have a pending update"), true, sale.Throttled, "another update"},
		{"an expired session says how to sign in", 403, queryError("ExpiredToken", "The security token included in the request is expired"), true, sale.Auth, "aws sso login --profile onsale-act"},
		{"a wrong clock is told", 403, queryError("SignatureDoesNotMatch", "Signature expired\nThe Canonical String was x"), true, sale.Auth, "clock"},
		{"an internal failure leaves it open", 500, queryError("InternalFailure", "oops"), false, sale.Failing, "AWS Health"},
		{"an unavailable service leaves it open", 503, queryError("ServiceUnavailable", "oops"), false, sale.Failing, "AWS Health"},
		{"a proxy's page leaves it open", 403, "<html>forbidden by policy</html>", false, sale.BadData, "proxy"},
		{"a success that is no answer leaves it open", 200, "<html>welcome</html>", false, sale.BadData, "proxy"},
		{"an empty success leaves it open", 200, "", false, sale.BadData, "proxy"},
		{"a redirect leaves it open", 302, "", false, sale.BadData, "proxy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := fleet(24, 20, 40)
			x := cl.executor(t)
			p := cl.preview(t, x, ask(actions.ScaleUp, 32), actions.Evidence{})
			cl.answer = func(string) (int, string) { return c.status, c.body }
			_, err := x.Execute(t.Context(), p, "k")
			var rejected *actions.RejectedError
			if errors.As(err, &rejected) != c.nothing {
				t.Errorf("it is taken for %v", err)
			}
			q := problemIn(err)
			if q == nil || q.Class != c.class || !strings.Contains(q.Text+" "+q.Hint, c.says) || strings.Contains(q.Text, "Canonical") {
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
	good := credentials.NewStaticCredentialsProvider("k", secret, "")
	none := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("the SSO session has expired")
	})
	cl := fleet(24, 20, 40)
	p := cl.preview(t, cl.executor(t), ask(actions.ScaleUp, 32), actions.Evidence{})
	for name, c := range map[string]struct {
		cfg      aws.Config
		endpoint string
		class    sale.Class
	}{
		"nothing listens":     {aws.Config{Region: region, Credentials: good}, dead, sale.Unreachable},
		"no credentials":      {aws.Config{Region: region, Credentials: none}, dead, sale.Auth},
		"no such host":        {aws.Config{Region: region, Credentials: good}, "http://asg.invalid", sale.Unreachable},
		"no region to ask in": {aws.Config{Credentials: good}, "", sale.Unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			x, err := New(Options{API: NewClient(c.cfg, c.endpoint, nil), Group: "web-prod"})
			if err != nil {
				t.Fatal(err)
			}
			_, err = x.Execute(t.Context(), p, "k")
			var rejected *actions.RejectedError
			if !errors.As(err, &rejected) || rejected.Problem.Class != c.class || !strings.HasPrefix(rejected.Problem.Text, "not sent") || rejected.Problem.Hint == "" {
				t.Errorf("%v", err)
			}
		})
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestATransportOfWhichNothingIsKnownProvesNothing(t *testing.T) {
	cl := fleet(24, 20, 40)
	p := cl.preview(t, cl.executor(t), ask(actions.ScaleUp, 32), actions.Evidence{})
	client := &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) { return nil, errors.New("tunnel closed") })}
	cfg := aws.Config{Region: region, Credentials: credentials.NewStaticCredentialsProvider("k", secret, "")}
	x, err := New(Options{API: NewClient(cfg, "http://tunnel.invalid", client), Group: "web-prod"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = x.Execute(t.Context(), p, "k")
	var rejected *actions.RejectedError
	if err == nil || errors.As(err, &rejected) {
		t.Errorf("%v", err)
	}
}

func TestExecuteSendsOnlyWhatIsASizeOfItsGroup(t *testing.T) {
	for name, change := range map[string]func(*actions.Preview){
		"another group": func(p *actions.Preview) { p.Target.Name = "web-test" },
		"another thing": func(p *actions.Preview) { p.To = actions.Value{"rate": actions.Number(3)} },
		"a fraction":    func(p *actions.Preview) { p.To = actions.Value{MinSize: actions.Number(3.5)} },
		"below zero":    func(p *actions.Preview) { p.To = actions.Value{MinSize: actions.Number(-1)} },
		"nothing":       func(p *actions.Preview) { p.To = nil },
		"no value":      func(p *actions.Preview) { p.To = actions.Value{MinSize: actions.Unset} },
	} {
		cl := fleet(24, 20, 40)
		x := cl.executor(t)
		p := cl.preview(t, x, ask(actions.ScaleUp, 32), actions.Evidence{})
		change(&p)
		_, err := x.Execute(t.Context(), p, "k")
		var rejected *actions.RejectedError
		if !errors.As(err, &rejected) || cl.written() != 0 {
			t.Errorf("%s: %v, %d writes", name, err, cl.written())
		}
	}
}

func TestTheReadCredentialIsDeniedAndNamesThePermission(t *testing.T) {
	cl := fleet(24, 20, 40)
	x, err := New(cl.optionsFor(t, rehearsal.AccessKey, reader))
	if err != nil {
		t.Fatal(err)
	}
	p := cl.preview(t, x, ask(actions.ScaleUp, 32), actions.Evidence{})
	_, err = x.Execute(t.Context(), p, "k")
	if q := problemIn(err); q == nil || !strings.Contains(q.Hint, "autoscaling:UpdateAutoScalingGroup") || cl.Groups()[0].Min != 20 {
		t.Errorf("%v", err)
	}
}

func TestProgressCountsWhatIsInServiceHealthyAndBehindTheLoadBalancer(t *testing.T) {
	cl := fleet(24, 20, 40)
	x := cl.executor(t)
	p := cl.preview(t, x, ask(actions.ScaleUp, 32), actions.Evidence{})
	if _, err := x.Execute(t.Context(), p, "k"); err != nil {
		t.Fatal(err)
	}
	look := func(want string, reached bool) {
		t.Helper()
		got, err := x.Progress(t.Context(), p, time.Now().Add(-time.Minute))
		if err != nil || got.Text != want || got.Reached != reached {
			t.Errorf("%q (reached %v, %v), want %q", got.Text, got.Reached, err, want)
		}
	}
	look("24 of 32 in service and healthy; 24 healthy behind the load balancer", false)
	cl.acts = []capacity.Activity{{ID: "a", Status: "Failed", Start: time.Now(), Message: "insufficient capacity", Cause: "x", Description: "y"}}
	look("24 of 32 in service and healthy; 24 healthy behind the load balancer; last launch failed: insufficient capacity", false)
	cl.units(32)
	cl.group.Units[30].State, cl.group.Units[31].Failing = capacity.Pending, true
	cl.group.Units[30].Health = capacity.Initial
	cl.acts = nil
	look("30 of 32 in service and healthy, 1 starting, 1 unhealthy; 31 healthy behind the load balancer", false)
	cl.units(32)
	cl.group.Units[5].Health = capacity.Unhealthy
	look("32 of 32 in service and healthy; 31 healthy behind the load balancer", false)
	cl.units(32)
	look("32 of 32 in service and healthy; 32 healthy behind the load balancer", true)
	state, err := x.ReadBack(t.Context(), p)
	if err != nil || state.Value.String() != "DesiredCapacity 32, MaxSize 40, MinSize 32" || !strings.HasPrefix(state.Text, "32 of 32") {
		t.Errorf("%+v %v", state, err)
	}
}

func TestATargetThatChangesBetweenPreviewAndConfirmIsRefusedByTheRunner(t *testing.T) {
	cl := fleet(24, 20, 40)
	x := cl.executor(t)
	j, err := journal.Open(filepath.Join(t.TempDir(), "journal"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	p := cl.preview(t, x, ask(actions.ScaleUp, 32), actions.Evidence{})
	r, err := actions.NewRunner(actions.Config{
		Journal: j, Policy: actions.Policy{Targets: map[sale.ID][]actions.Target{"harbour": {p.Target}}},
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
	cl.set(func(g *capacity.Group) { g.Min = 26; g.Desired = 26 })
	res := r.Run(t.Context(), who, actions.Confirmed{Preview: shown, Arming: armed.ID, At: time.Now()})
	if res.Outcome != actions.Refused || res.Refusals[0].Guard != actions.GuardChanged || !strings.Contains(res.Text, "MinSize 20 → 26") || cl.written() != 0 {
		t.Errorf("%s %s, %d writes", res.Outcome, res.Text, cl.written())
	}
}

// fixture reads one of AWS's own frozen requests from the SDK's module. Without the module the
// test is skipped, aloud.
func fixture(t *testing.T, service, operation string) (line string, form url.Values) {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/"+service).Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skipf("SKIPPED: AWS's wire fixtures were not found, so nothing was held against them: %v", err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "request_snapshot", operation+".request.snap"))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.SplitN(string(data), "\n\n", 3)
	if form, err = url.ParseQuery(strings.TrimSpace(parts[len(parts)-1])); err != nil {
		t.Fatal(err)
	}
	return parts[0], form
}

var position = regexp.MustCompile(`\.\d+`)

// shape maps each parameter, without list positions, to the kind of its value.
func shape(form url.Values) map[string]string {
	kinds := map[string]string{}
	for name, values := range form {
		kind := "text"
		if _, err := strconv.Atoi(values[0]); err == nil {
			kind = "number"
		} else if strings.Contains(values[0], "T") && strings.HasSuffix(values[0], "Z") {
			kind = "time"
		}
		kinds[position.ReplaceAllString(name, ".N")] = kind
	}
	return kinds
}

func TestTheCallsAreExactlyThePermissionsAndHaveTheShapeOfAWSsOwn(t *testing.T) {
	cl := fleet(24, 20, 40)
	o := cl.options(t)
	o.SetDesired, o.RaiseMax = true, true
	x, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSchedule(ScheduleOptions{Options: o, Name: "doors", At: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []actions.Executor{s, x} {
		p := cl.preview(t, e, ask(actions.ScaleUp, 50), during(sale.Scheduled))
		if _, err := e.Execute(t.Context(), p, "k"); err != nil {
			t.Fatal(err)
		}
		if _, err := e.ReadBack(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		u := cl.preview(t, e, actions.Request{Sale: "harbour", Verb: actions.Undo, Of: actions.ScaleUp, Restore: p.From.Only(p.To)}, during(sale.Scheduled))
		if _, err := e.Execute(t.Context(), u, "k"); err != nil {
			t.Fatal(err)
		}
	}
	called := slices.Compact(slices.Sorted(slices.Values(cl.asked)))
	if !slices.Equal(called, Permissions()) {
		t.Errorf("called %q\npermissions %q", called, Permissions())
	}
	for _, w := range Writes() {
		if !slices.Contains(Permissions(), w) || strings.Contains(w, "Describe") {
			t.Errorf("%s is no write of ours", w)
		}
	}
	for i, form := range cl.forms {
		service, operation, _ := strings.Cut(cl.asked[i], ":")
		line, want := fixture(t, map[string]string{"autoscaling": "autoscaling", "elasticloadbalancing": "elasticloadbalancingv2"}[service], operation)
		if cl.lines[i] != line || cl.heads[i].Get("Content-Type") != "application/x-www-form-urlencoded" {
			t.Errorf("%s: %s %s", operation, cl.lines[i], cl.heads[i].Get("Content-Type"))
		}
		kinds := shape(want)
		for name, kind := range shape(form) {
			if kinds[name] != kind {
				t.Errorf("%s: %s is a %s, AWS's is %q", operation, name, kind, kinds[name])
			}
		}
		if form.Get("Version") != want.Get("Version") {
			t.Errorf("%s: version %s", operation, form.Get("Version"))
		}
	}
}

func TestALongAnswerIsNotReadToItsEnd(t *testing.T) {
	cl := fleet(24, 20, 40)
	x := cl.executor(t)
	cl.edit = func(_, body string) string { return body + strings.Repeat(" ", maxBody) }
	_, err := x.Preview(t.Context(), ask(actions.ScaleUp, 32), actions.Evidence{})
	if p := problemIn(err); p == nil || !strings.Contains(p.Text, "longer than 4 MiB") {
		t.Errorf("%v", err)
	}
	cl.edit = func(_, body string) string { return strings.Repeat("<a>", maxTags+1) + body }
	_, err = x.Preview(t.Context(), ask(actions.ScaleUp, 32), actions.Evidence{})
	if p := problemIn(err); p == nil || !strings.Contains(p.Text, "XML tags") {
		t.Errorf("%v", err)
	}
}

func asRejected(err error, to **actions.RejectedError) bool { return errors.As(err, to) }
