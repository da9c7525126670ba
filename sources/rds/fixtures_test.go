package rds

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
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/onsale-dev/onsale/sale"
)

var number = regexp.MustCompile(`\.\d+`)

// fixture reads the parameters of one of AWS's own frozen requests; numbers of a list are left out.
// Without the SDK's module the test is skipped, aloud.
func fixture(t *testing.T, action string) (line, contentType string, names map[string]bool) {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/rds").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skipf("SKIPPED: AWS's wire fixtures were not found, so nothing was held against them: %v", err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "request_snapshot", action+".request.snap"))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.SplitN(string(data), "\n\n", 3)
	form, err := url.ParseQuery(strings.TrimSpace(parts[2]))
	if err != nil || form.Get("Action") != action {
		t.Fatalf("%s: %v", action, err)
	}
	names = map[string]bool{"Version=" + form.Get("Version"): true}
	for k := range form {
		names[number.ReplaceAllString(k, "")] = true
	}
	return parts[0], strings.TrimPrefix(parts[1], "Content-Type: "), names
}

func TestOurRequestsHaveTheShapeOfAWSsOwn(t *testing.T) {
	h := usual()
	var mu sync.Mutex
	seen := map[string]bool{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		form, err := url.ParseQuery(string(data))
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		action := form.Get("Action")
		seen[action] = true
		line, contentType, names := fixture(t, action)
		if got := r.Method + " " + r.URL.Path; got != line || r.Header.Get("Content-Type") != contentType || !names["Version="+form.Get("Version")] {
			t.Errorf("%s: %q, %q, version %s", action, got, r.Header.Get("Content-Type"), form.Get("Version"))
		}
		for k := range form {
			if !names[number.ReplaceAllString(k, "")] {
				t.Errorf("%s sends %s, which AWS's own request has not", action, k)
			}
		}
		r.Body = io.NopCloser(bytes.NewReader(data))
		h.ServeHTTP(w, r)
	}))
	defer srv.Close()
	b := newSource(t, srv.URL, ofInstance("arena", "tide-1", ConnectionsMax)).Read(t.Context(), noon())
	if len(b.Readings) != 1 || len(seen) != len(Permissions()) {
		t.Errorf("%d actions\n%s", len(seen), lines(b))
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// FuzzAnswer sends any bytes through the client and a whole poll: nothing may panic, no value may be
// invented, and every text must be fit to be shown.
func FuzzAnswer(f *testing.F) {
	wrap := func(action, body string) []byte {
		return []byte("<" + action + "Response><" + action + "Result>" + body + "</" + action + "Result></" + action + "Response>")
	}
	h := usual()
	f.Add(wrap("DescribeDBInstances", element("DBInstances", element("DBInstance", h.instances["shop"]), element("DBInstance", h.instances["tide-1"]))),
		wrap("DescribeDBClusters", element("DBClusters", element("DBCluster", h.clusters["tide"]))), wrap("DescribeDBParameters", element("Parameters", h.groups["pg17"])), 200)
	f.Add([]byte("<DescribeDBInstancesResponse/>"), []byte("\x1b[2J"), []byte("<ErrorResponse><Error><Code>x</Code></Error></ErrorResponse>"), 400)
	f.Fuzz(func(t *testing.T, instances, clusters, parameters []byte, status int) {
		if status < 200 || status > 599 {
			return
		}
		g := answers.Through(doer(func(r *http.Request) (*http.Response, error) {
			sent, _ := io.ReadAll(r.Body)
			answer := parameters
			switch {
			case bytes.Contains(sent, []byte("Action=DescribeDBInstances")):
				answer = instances
			case bytes.Contains(sent, []byte("Action=DescribeDBClusters&")):
				answer = clusters
			}
			return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(bytes.NewReader(answer))}, nil
		}))
		queries := []Query{ofInstance("arena", "shop", ConnectionsMax), ofInstance("arena", "shop", Available), ofCluster("club", "tide", ConnectionsMax), ofCluster("club", "tide", ACUMax)}
		s, err := New(Options{
			Name: "databases", Region: "eu-central-1", Queries: queries,
			API: rds.New(rds.Options{Region: "eu-central-1", Credentials: aws.AnonymousCredentials{}, HTTPClient: g, Retryer: aws.NopRetryer{}}),
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
