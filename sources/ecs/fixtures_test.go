package ecs

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// fixtures is the folder of ECS's SDK module. Without it the test is skipped, aloud.
func fixtures(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/ecs").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skipf("SKIPPED: AWS's wire fixtures were not found, so nothing was held against them: %v", err)
	}
	return dir
}

// fixture reads one of AWS's own frozen wire samples.
func fixture(t *testing.T, folder, name string) (first string, header http.Header, body []byte) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(fixtures(t), folder, name+".snap"))
	if err != nil {
		t.Fatal(err)
	}
	first, rest, _ := strings.Cut(string(data), "\n")
	head, text, ok := strings.Cut(strings.TrimPrefix(rest, "\n"), "\n\n")
	if !ok {
		t.Fatalf("%s has no body", name)
	}
	header = http.Header{}
	for line := range strings.SplitSeq(head, "\n") {
		if key, value, ok := strings.Cut(line, ": "); ok {
			header.Add(key, value)
		}
	}
	return first, header, []byte(text)
}

func TestOurRequestsHaveTheShapeOfAWSsOwn(t *testing.T) {
	type sent struct {
		line   string
		header http.Header
		body   map[string]any
	}
	var mu sync.Mutex
	got := map[string]sent{}
	h := usual("web", "api")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		var body map[string]any
		if err := json.Unmarshal(data, &body); err != nil {
			t.Error(err)
		}
		mu.Lock()
		got[r.Header.Get("X-Amz-Target")] = sent{r.Method + " " + r.URL.Path, r.Header, body}
		mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(data))
		h.ServeHTTP(w, r)
	}))
	defer srv.Close()
	s := newSource(t, srv.URL, ask("a", "web", Running), ask("b", "api", Min))
	s.find(Query{Cluster: "prod", Service: "web"}).plans = []sources.Plan{doors(30, 6).Plan}
	b := s.Read(t.Context(), noon())
	if b.Problem != nil || len(b.Readings) != 2 {
		t.Fatal(lines(b))
	}
	line, header, body := fixture(t, "request_snapshot", "DescribeServices.request")
	ours := got[header.Get("X-Amz-Target")]
	if ours.line != line {
		t.Errorf("sent %q, AWS's is %q", ours.line, line)
	}
	for key := range header {
		if ours.header.Get(key) != header.Get(key) {
			t.Errorf("header %s: %q, AWS's is %q", key, ours.header.Get(key), header.Get(key))
		}
	}
	var want map[string]any
	if err := json.Unmarshal(body, &want); err != nil {
		t.Fatal(err)
	}
	for key, value := range ours.body {
		if reflect.TypeOf(value) != reflect.TypeOf(want[key]) {
			t.Errorf("%s is %T, AWS's is %T", key, value, want[key])
		}
	}
	// Application Auto Scaling has no samples: what its reference says is held by hand.
	const prefix = "AnyScaleFrontendService."
	targets := got[prefix+"DescribeScalableTargets"].body
	if !reflect.DeepEqual(targets, map[string]any{"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount", "ResourceIds": []any{"service/prod/web", "service/prod/api"}}) {
		t.Errorf("DescribeScalableTargets: %v", targets)
	}
	decisions := got[prefix+"DescribeScalingActivities"].body
	if decisions["IncludeNotScaledActivities"] != true || decisions["MaxResults"] != 10.0 || !strings.HasPrefix(decisions["ResourceId"].(string), "service/prod/") {
		t.Errorf("DescribeScalingActivities: %v", decisions)
	}
	if plans := got[prefix+"DescribeScheduledActions"].body; plans["ResourceId"] != "service/prod/web" || plans["MaxResults"] != 50.0 {
		t.Errorf("DescribeScheduledActions: %v", plans)
	}
	var permissions []string
	for target := range got {
		service, operation, _ := strings.Cut(target, ".")
		permissions = append(permissions, map[string]string{"AmazonEC2ContainerServiceV20141113": "ecs", "AnyScaleFrontendService": "application-autoscaling"}[service]+":"+operation)
	}
	slices.Sort(permissions)
	if !slices.Equal(permissions, Permissions()) {
		t.Errorf("the permissions are %q, those of the calls are %q", Permissions(), permissions)
	}
}

// replay serves one answer to DescribeServices and no scalable target.
func replay(t *testing.T, status int, header http.Header, body []byte) string {
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("X-Amz-Target"), "AnyScale") {
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			_, _ = w.Write([]byte(`{"ScalableTargets": []}`))
			return
		}
		for key, values := range header {
			w.Header()[key] = values
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}))
}

func TestAWSsOwnAnswersBecomeTasks(t *testing.T) {
	_, header, body := fixture(t, "response_snapshot", "DescribeServices.response")
	text := strings.NewReplacer("__ServiceName__", "web", "__Status__", "ACTIVE").Replace(string(body))
	b := newSource(t, replay(t, 200, header, []byte(text)), ask("a", "web", Running), ask("a", "web", Desired), ask("a", "web", Pending), ask("b", "gone", Running)).Read(t.Context(), noon())
	if got, want := lines(b), "a/running 1\na/desired 1\na/pending 1\nb/running bad_data: the answer says nothing of service gone\nnote a deployment: web: a deployment is in progress: scale-in is off while it is"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	text = strings.Replace(string(body), "arn\":\"__Arn__", "arn\":\"arn:aws:ecs:eu-central-1:1:service/prod/gone", 1)
	text = strings.Replace(text, "__Reason__", "MISSING", 1)
	b = newSource(t, replay(t, 200, header, []byte(text)), ask("b", "gone", Running)).Read(t.Context(), noon())
	if got, want := lines(b), "b/running not_found: service gone in cluster prod: MISSING (__Detail__)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// Without one of the counts it is not an answer, though the SDK would say zero.
	text = strings.ReplaceAll(string(body), `"runningCount":1,`, "")
	b = newSource(t, replay(t, 200, header, []byte(text)), ask("a", "__ServiceName__", Running)).Read(t.Context(), noon())
	if b.Problem == nil || b.Problem.Text != "service __ServiceName__ has no runningCount in the answer" {
		t.Errorf("got %s", lines(b))
	}
}

func TestEveryErrorThatAWSModelsHasItsClass(t *testing.T) {
	classes := map[string]sale.Class{
		"AccessDeniedException":  sale.Auth,
		"LimitExceededException": sale.Throttled,
		"ServerException":        sale.Failing,
	}
	files, err := filepath.Glob(filepath.Join(fixtures(t), "response_snapshot", "*.error.snap"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no error samples: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".snap")
		code := strings.TrimSuffix(name, ".error")
		t.Run(code, func(t *testing.T) {
			first, header, body := fixture(t, "response_snapshot", name)
			status, err := strconv.Atoi(first)
			if err != nil {
				t.Fatal(err)
			}
			want, ok := classes[code]
			switch {
			case ok:
			case strings.HasSuffix(code, "NotFoundException"):
				want = sale.NotFound
			case strings.HasSuffix(code, "LimitExceededException"):
				want = sale.Throttled // by its name; no reader meets it
			default:
				want = sale.BadData // the names or the request are at fault
			}
			b := newSource(t, replay(t, status, header, body), ask("a", "web", Running)).Read(t.Context(), noon())
			problem := b.Problem
			if problem == nil && len(b.Missing) == 1 {
				problem = &b.Missing[0].Problem
			}
			if problem == nil || problem.Class != want || problem.Hint == "" || !strings.HasPrefix(problem.Text, code) {
				t.Errorf("got %+v, want %s", problem, want)
			}
		})
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// FuzzAnswer sends any bytes through both clients and a whole poll: nothing may panic, no value
// may be invented, and every text must be fit to be shown.
func FuzzAnswer(f *testing.F) {
	good, _ := json.Marshal(object{"services": []object{serviceJSON("web", object{"events": []object{{"createdAt": at(1), "message": noRoom}}})}})
	f.Add(good, []byte(`{"ScalableTargets": [{"ResourceId": "service/prod/web", "ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 1}], "ScalingActivities": [{"StatusCode": "Failed"}]}`), 200)
	f.Add([]byte(`{"services": [null], "failures": [{"arn": "web"}]}`), []byte(`{"ScalableTargets": [null]}`), 200)
	f.Add([]byte(`{"__type": "x#ServerException"}`), []byte("\x1b[2J"), 500)
	f.Fuzz(func(t *testing.T, services, other []byte, status int) {
		if status < 200 || status > 599 {
			return
		}
		g := answers.Through(doer(func(r *http.Request) (*http.Response, error) {
			answer := services
			if strings.HasPrefix(r.Header.Get("X-Amz-Target"), "AnyScale") {
				answer = other
			}
			return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Body: io.NopCloser(bytes.NewReader(answer))}, nil
		}))
		queries := askAll("arena", "web")
		s, err := New(Options{
			Name: "tasks", Region: "eu-central-1", Queries: queries,
			API:     ecs.New(ecs.Options{Region: "eu-central-1", Credentials: aws.AnonymousCredentials{}, HTTPClient: g, Retryer: aws.NopRetryer{}}),
			Scaling: scaling.New(scaling.Options{Region: "eu-central-1", Credentials: aws.AnonymousCredentials{}, HTTPClient: g, Retryer: aws.NopRetryer{}}),
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			b := s.Read(t.Context(), noon())
			for _, r := range b.Readings {
				if !r.Valid() || r.Value < 0 {
					t.Errorf("reading %+v", r)
				}
			}
			if b.Problem == nil && len(b.Readings)+len(b.Missing) != len(queries) {
				t.Errorf("%d read, %d missing of %d", len(b.Readings), len(b.Missing), len(queries))
			}
			for _, n := range b.Notes {
				if n.Text != sale.Clean(n.Text, maxNote) {
					t.Errorf("note %q", n.Text)
				}
			}
		}
	})
}
