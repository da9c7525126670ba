package cloudwatch

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/onsale-dev/onsale/sale"
)

// fixture reads one of AWS's own frozen wire samples from the SDK's module.
func fixture(t *testing.T, folder, name string) (head string, header http.Header, body []byte) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(fixtures(t), folder, name+".snap"))
	if err != nil {
		t.Fatal(err)
	}
	text, body, ok := bytes.Cut(data, []byte("\n\n"))
	lines := strings.Split(string(text), "\n")
	if folder == "request_snapshot" { // its first line stands alone
		var rest []byte
		rest, body, ok = bytes.Cut(body, []byte("\n\n"))
		lines = append(lines, strings.Split(string(rest), "\n")...)
	}
	if !ok {
		t.Fatalf("%s has no body", name)
	}
	header = http.Header{}
	for _, line := range lines[1:] {
		if key, value, ok := strings.Cut(line, ": "); ok {
			header.Add(key, value)
		}
	}
	return lines[0], header, body
}

// fixtures is the SDK module's folder. Without it the test is skipped, aloud.
func fixtures(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/cloudwatch").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skipf("SKIPPED: AWS's wire fixtures were not found, so nothing was held against them: %v", err)
	}
	return dir
}

func TestOurRequestHasTheShapeOfAWSsOwn(t *testing.T) {
	head, header, body := fixture(t, "request_snapshot", "GetMetricData.request")
	want, err := cbor.Decode(body)
	if err != nil {
		t.Fatal(err)
	}
	var got *http.Request
	var sent cbor.Value
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		data, _ := io.ReadAll(r.Body)
		if sent, err = cbor.Decode(data); err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(data))
		wire{}.ServeHTTP(w, r)
	}))
	defer srv.Close()
	other := connections("club")
	other.Metrics["m"] = Stat{Namespace: "AWS/RDS", Metric: "CPUUtilization", Dimensions: map[string]string{"DBInstanceIdentifier": "db-1"}, Statistic: "Average", Account: "123456789012"}
	b := newSource(t, client(srv.URL), short, errorsRatio("arena", "app/x"), other).Read(t.Context(), utc("10:08:22"))
	if b.Problem != nil {
		t.Fatal(b.Problem)
	}
	if method, path, _ := strings.Cut(head, " "); got.Method != method || got.URL.Path != path {
		t.Errorf("sent %s %s, AWS's is %s", got.Method, got.URL.Path, head)
	}
	for key := range header {
		if got.Header.Get(key) != header.Get(key) {
			t.Errorf("header %s: %q, AWS's is %q", key, got.Header.Get(key), header.Get(key))
		}
	}
	holdShape(t, "request", sent, want)
	for _, name := range []string{"StartTime", "EndTime", "ScanBy", "MetricDataQueries"} {
		if sent.(cbor.Map)[name] == nil {
			t.Errorf("%s was not sent", name)
		}
	}
}

// holdShape fails for each member that ours has and AWS's has not, or has with another type.
func holdShape(t *testing.T, at string, ours, aws cbor.Value) {
	t.Helper()
	switch o := ours.(type) {
	case cbor.Map:
		a, ok := aws.(cbor.Map)
		if !ok {
			t.Errorf("%s is a map, AWS's is %T", at, aws)
			return
		}
		for key, value := range o {
			if a[key] == nil {
				t.Errorf("%s.%s is unknown to AWS", at, key)
				continue
			}
			holdShape(t, at+"."+key, value, a[key])
		}
	case cbor.List:
		a, ok := aws.(cbor.List)
		if !ok || len(a) == 0 {
			t.Errorf("%s is a list, AWS's is %T", at, aws)
			return
		}
		for i, value := range o {
			holdShape(t, fmt.Sprintf("%s[%d]", at, i), value, a[0])
		}
	default:
		if reflect.TypeOf(ours) != reflect.TypeOf(aws) {
			t.Errorf("%s is a %T, AWS's is a %T", at, ours, aws)
		}
	}
}

// replay serves one answer.
func replay(t *testing.T, status int, header http.Header, body []byte) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for key, values := range header {
			w.Header()[key] = values
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}))
	t.Cleanup(srv.Close)
	return srv
}

func TestAWSsOwnAnswerBecomesReadings(t *testing.T) {
	_, header, body := fixture(t, "response_snapshot", "GetMetricData.response")
	// The sample answers for "__Id__" twice, with one point each at 2000-01-01 00:00, and says
	// that more pages follow. Only the ids and the token are changed.
	text := string(body)
	text = strings.Replace(text, "bIdf__Id__", "bIdbm1", 1)
	text = strings.Replace(text, "bIdf__Id__", "bIdbm2", 1)
	text = strings.Replace(text, "iNextTokenm__NextToken__", "", 1)
	if strings.Contains(text, "__Id__") || strings.Contains(text, "NextToken") {
		t.Fatalf("the sample has changed: %q", text)
	}
	srv := replay(t, 200, header, []byte(text))
	second := connections("club")
	second.Metrics["m"] = st("M", "Sum")
	now := time.Date(2000, 1, 1, 0, 2, 22, 0, time.UTC)
	b := newSource(t, client(srv.URL), short, connections("arena"), second).Read(t.Context(), now)
	if got, want := lines(b), "arena/db_connections 00:01:00 1\nclub/db_connections 00:01:00 1"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if len(b.Warnings) != 3 || b.Warnings[0] != "__Code__: __Value__" {
		t.Errorf("warnings %q", b.Warnings)
	}
	// As it stands the sample answers for nothing that was asked, and its paging never ends.
	srv = replay(t, 200, header, body)
	b = newSource(t, client(srv.URL), short, connections("arena")).Read(t.Context(), now)
	if len(b.Readings) > 0 || b.Problem == nil || b.Problem.Class != sale.BadData || b.Calls != 2 {
		t.Errorf("unchanged: %s in %d calls", lines(b), b.Calls)
	}
}

func TestEveryErrorThatAWSModelsHasItsClass(t *testing.T) {
	classes := map[string]sale.Class{
		"ConcurrentModificationException":      sale.Throttled, // 429
		"ConflictException":                    sale.BadData,
		"DashboardInvalidInputError":           sale.BadData,
		"DashboardNotFoundError":               sale.NotFound,
		"InternalServiceFault":                 sale.Failing,
		"InvalidFormatFault":                   sale.BadData,
		"InvalidNextToken":                     sale.BadData,
		"InvalidParameterCombinationException": sale.BadData,
		"InvalidParameterValueException":       sale.BadData,
		"KmsAccessDeniedException":             sale.Auth,
		"KmsKeyDisabledException":              sale.BadData,
		"KmsKeyNotFoundException":              sale.NotFound,
		"LimitExceededException":               sale.Throttled,
		"LimitExceededFault":                   sale.Throttled,
		"MissingRequiredParameterException":    sale.BadData,
		"ResourceConflict":                     sale.BadData,
		"ResourceNotFound":                     sale.NotFound,
		"ResourceNotFoundException":            sale.NotFound,
		"ValidationException":                  sale.BadData,
	}
	files, err := filepath.Glob(filepath.Join(fixtures(t), "response_snapshot", "*.error.snap"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no error samples: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".snap")
		code := strings.TrimSuffix(name, ".error")
		t.Run(code, func(t *testing.T) {
			head, header, body := fixture(t, "response_snapshot", name)
			status, err := strconv.Atoi(head)
			if err != nil {
				t.Fatal(err)
			}
			srv := replay(t, status, header, body)
			b := newSource(t, client(srv.URL), short, connections("arena")).Read(t.Context(), utc("10:08:22"))
			if b.Problem == nil {
				t.Fatalf("no problem: %s", lines(b))
			}
			if b.Problem.Class != classes[code] {
				t.Errorf("classed as %q (%s), want %q", b.Problem.Class, b.Problem.Text, classes[code])
			}
			if !strings.HasPrefix(b.Problem.Text, code) || b.Problem.Hint == "" || b.CostUSD != 0 || b.Calls != 1 {
				t.Errorf("problem %+v, cost %v, %d calls", b.Problem, b.CostUSD, b.Calls)
			}
		})
	}
}
