package autoscaling

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// fixture reads one of AWS's own frozen requests from the SDK's module. Without the module the
// test is skipped, aloud.
func fixture(t *testing.T, service, operation string) (line string, header http.Header, form url.Values) {
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
	if len(parts) != 3 {
		t.Fatalf("%s has %d parts", operation, len(parts))
	}
	header = http.Header{}
	for head := range strings.SplitSeq(parts[1], "\n") {
		if key, value, ok := strings.Cut(head, ": "); ok {
			header.Add(key, value)
		}
	}
	if form, err = url.ParseQuery(strings.TrimSpace(parts[2])); err != nil {
		t.Fatal(err)
	}
	return parts[0], header, form
}

var index = regexp.MustCompile(`\.\d+`)

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
		kinds[index.ReplaceAllString(name, ".N")] = kind
	}
	return kinds
}

func TestOurRequestsHaveTheShapeOfAWSsOwn(t *testing.T) {
	type sent struct {
		line   string
		header http.Header
		form   url.Values
	}
	var mu sync.Mutex
	got := map[string]sent{}
	h := usual("web", "api")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, err := url.ParseQuery(string(body))
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		got[form.Get("Action")] = sent{r.Method + " " + r.URL.Path, r.Header, form}
		mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		h.ServeHTTP(w, r)
	}))
	defer srv.Close()
	b := newSource(t, srv.URL, ask("a", "web", HealthyTargets), ask("b", "api", InService)).Read(t.Context(), noon())
	if b.Problem != nil || len(b.Readings) != 2 {
		t.Fatal(lines(b))
	}
	var permissions []string
	for service, operations := range map[string][]string{
		"autoscaling":            {"DescribeAutoScalingGroups", "DescribeScalingActivities", "DescribeInstanceRefreshes", "DescribeWarmPool", "DescribeScheduledActions"},
		"elasticloadbalancingv2": {"DescribeTargetHealth"},
	} {
		for _, op := range operations {
			permissions = append(permissions, strings.TrimSuffix(service, "v2")+":"+op)
			ours, ok := got[op]
			if !ok {
				t.Errorf("%s was not sent", op)
				continue
			}
			delete(got, op)
			line, header, form := fixture(t, service, op)
			if ours.line != line {
				t.Errorf("%s: sent %s, AWS's is %s", op, ours.line, line)
			}
			for key := range header {
				if ours.header.Get(key) != header.Get(key) {
					t.Errorf("%s: header %s: %q, AWS's is %q", op, key, ours.header.Get(key), header.Get(key))
				}
			}
			want := shape(form)
			for name, kind := range shape(ours.form) {
				if want[name] != kind {
					t.Errorf("%s: %s is a %s, AWS's is %q", op, name, kind, want[name])
				}
			}
			for _, name := range []string{"Version", "Action"} {
				if ours.form.Get(name) != form.Get(name) {
					t.Errorf("%s: %s is %q, AWS's is %q", op, name, ours.form.Get(name), form.Get(name))
				}
			}
			for name := range ours.form {
				if name == "AutoScalingGroupName" && ours.form.Get(name) == "" {
					t.Errorf("%s was sent for the whole account", op)
				}
			}
			if strings.Contains(op, "Activities") && !ours.form.Has("AutoScalingGroupName") {
				t.Errorf("%s was sent without a group: that is slow in a large account", op)
			}
		}
	}
	for op := range got {
		t.Errorf("%s was sent and is not in this test", op)
	}
	slices.Sort(permissions)
	if !slices.Equal(permissions, Permissions()) {
		t.Errorf("the permissions are %q, those of the calls are %q", Permissions(), permissions)
	}
}

func TestALongRequestArrivesWholeThoughTheAnswerIsEarly(t *testing.T) {
	var names []string
	var queries []Query
	for i := range 50 {
		names = append(names, strings.Repeat("x", 200)+strconv.Itoa(i))
		queries = append(queries, Query{Key: sale.Key{Sale: "arena", Signal: sale.Signal(names[i])}, Group: names[i], Field: Min})
	}
	h := usual(names...)
	b := newSource(t, serve(t, h), queries...).Read(t.Context(), noon())
	if len(b.Readings) != 50 {
		t.Errorf("%d of 50 groups: %s", len(b.Readings), lines(b))
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// FuzzAnswer sends any bytes through both clients and a whole poll: nothing may panic, no value
// may be invented, and every text must be fit to be shown.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(groupXML("web", balanced)), []byte(targetXML("i-0", "healthy", "", "")), []byte(activityAt("11:58", "Failed", launch, noRoom, "x")), 200)
	f.Add([]byte("<member><AutoScalingGroupName>web</AutoScalingGroupName><DesiredCapacity>x</DesiredCapacity></member>"), []byte("</a>"), []byte("&bad;"), 200)
	f.Add([]byte("<![CDATA["), []byte{0xff}, []byte("\x1b[2J"), 500)
	f.Fuzz(func(t *testing.T, group, target, other []byte, status int) {
		if status < 200 || status > 599 {
			return
		}
		g := answers.Through(doer(func(r *http.Request) (*http.Response, error) {
			body, _ := io.ReadAll(r.Body)
			form, _ := url.ParseQuery(string(body))
			action := form.Get("Action")
			inside := list("Activities", string(other)) + list("InstanceRefreshes", string(other)) + list("Instances", string(other)) + list("ScheduledUpdateGroupActions", string(other))
			switch action {
			case "DescribeAutoScalingGroups":
				inside = list("AutoScalingGroups", string(group))
			case "DescribeTargetHealth":
				inside = list("TargetHealthDescriptions", string(target))
			}
			answer := "<" + action + "Response><" + action + "Result>" + inside + "</" + action + "Result></" + action + "Response>"
			return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(answer))}, nil
		}))
		queries := askAll("arena", "web")
		s, err := New(Options{Name: "fleet", Region: "eu-central-1", API: clientOver(g), ELB: elbOver(g), Queries: queries})
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

func clientOver(g sources.AWSDoer) API {
	return autoscaling.New(autoscaling.Options{Region: "eu-central-1", Credentials: aws.AnonymousCredentials{}, HTTPClient: g, Retryer: aws.NopRetryer{}})
}

func elbOver(g sources.AWSDoer) ELBAPI {
	return elb.New(elb.Options{Region: "eu-central-1", Credentials: aws.AnonymousCredentials{}, HTTPClient: g, Retryer: aws.NopRetryer{}})
}
