package sqs

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/sourcetest"
)

// wire answers as SQS does in AWS JSON 1.0. gone names a queue that does not exist.
type wire struct {
	gone  string
	value string
}

func (h wire) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		QueueName, QueueUrl string
		AttributeNames      []string
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		fail(w, r, http.StatusBadRequest, "SerializationException")
		return
	}
	if h.gone != "" && strings.HasSuffix(in.QueueName+in.QueueUrl, h.gone) {
		fail(w, r, http.StatusNotFound, "The specified queue does not exist.")
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	switch r.Header.Get("X-Amz-Target") {
	case "AmazonSQS.GetQueueUrl":
		_ = json.NewEncoder(w).Encode(map[string]string{"QueueUrl": "http://" + r.Host + "/123456789012/" + in.QueueName})
	case "AmazonSQS.GetQueueAttributes":
		attributes := map[string]string{}
		for _, name := range in.AttributeNames {
			attributes[name] = "7"
			if h.value != "" {
				attributes[name] = h.value
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"Attributes": attributes})
	default:
		fail(w, r, http.StatusBadRequest, "InvalidAction")
	}
}

func fail(w http.ResponseWriter, _ *http.Request, status int, message string) {
	code := map[int]string{
		401: "UnrecognizedClientException", 403: "AccessDeniedException", 404: "QueueDoesNotExist",
		429: "RequestThrottled", 500: "InternalFailure", 503: "ServiceUnavailable",
	}[status]
	if code == "" {
		code = message
	}
	if code == "QueueDoesNotExist" {
		w.Header().Set("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender")
		status = http.StatusBadRequest
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": "com.amazonaws.sqs#" + code, "message": message})
}

func client(url string) API {
	return NewClient(aws.Config{
		Region:      "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", sourcetest.Secret, ""),
	}, url, nil)
}

func TestTheContractOfASource(t *testing.T) {
	queries := []Query{depth("arena", "orders"), depth("club", "mails")}
	flying := depth("arena", "orders")
	flying.Signal, flying.Attribute = "in_flight", InFlight
	queries = append(queries, flying)
	want := map[sale.Key]sale.Unit{}
	for _, q := range queries {
		want[q.Key] = q.Unit
	}
	sourcetest.Contract(t, sourcetest.Harness{
		New: func(t *testing.T, url string) sources.Source {
			s, err := New(Options{Name: "orders", Region: "eu-central-1", API: client(url), Queries: queries, Secrets: []string{sourcetest.Secret}})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Healthy:        wire{},
		Want:           want,
		Partial:        wire{gone: "mails"},
		PartialMissing: []sale.Key{queries[1].Key},
		Hostile:        wire{value: sourcetest.Escape},
		Fail:           fail,
		Header:         http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		WrongTypes: [][]byte{
			[]byte(`{"QueueUrl": 7}`), []byte(`{"QueueUrl": ""}`), []byte(`{"QueueUrl": "http://127.0.0.1/x", "Attributes": []}`),
			[]byte(`{"QueueUrl": "http://127.0.0.1/x", "Attributes": {"ApproximateNumberOfMessages": 7}}`),
			[]byte(`{"QueueUrl": "http://127.0.0.1/x", "Attributes": {"ApproximateNumberOfMessages": "-7"}}`),
		},
		CallsPerPoll: 4,
	})
}

// fixture reads one of AWS's own frozen wire samples from the SDK's module.
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

// fixtures is the SDK module's folder. Without it the test is skipped, aloud.
func fixtures(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/sqs").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skipf("SKIPPED: AWS's wire fixtures were not found, so nothing was held against them: %v", err)
	}
	return dir
}

func TestOurRequestsHaveTheShapeOfAWSsOwn(t *testing.T) {
	type sent struct {
		line   string
		header http.Header
		body   map[string]any
	}
	got := map[string]sent{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		var body map[string]any
		if err := json.Unmarshal(data, &body); err != nil {
			t.Error(err)
		}
		got[r.Header.Get("X-Amz-Target")] = sent{r.Method + " " + r.URL.Path, r.Header, body}
		r.Body = io.NopCloser(bytes.NewReader(data))
		wire{}.ServeHTTP(w, r)
	}))
	defer srv.Close()
	b := newSource(t, client(srv.URL), depth("a", "arn:aws:sqs:eu-central-1:123456789012:orders")).Read(t.Context(), noon())
	if b.Problem != nil || len(b.Readings) != 1 {
		t.Fatal(lines(b))
	}
	for _, op := range []string{"GetQueueUrl", "GetQueueAttributes"} {
		line, header, body := fixture(t, "request_snapshot", op+".request")
		ours, ok := got["AmazonSQS."+op]
		if !ok {
			t.Errorf("%s was not sent", op)
			continue
		}
		if ours.line != line {
			t.Errorf("%s: sent %s, AWS's is %s", op, ours.line, line)
		}
		for key := range header {
			if ours.header.Get(key) != header.Get(key) {
				t.Errorf("%s: header %s: %q, AWS's is %q", op, key, ours.header.Get(key), header.Get(key))
			}
		}
		var want map[string]any
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatal(err)
		}
		if len(want) != len(ours.body) {
			t.Errorf("%s: sent %v, AWS's has %v", op, ours.body, want)
		}
		for key, value := range ours.body {
			if kindOf(value) != kindOf(want[key]) {
				t.Errorf("%s.%s is %T, AWS's is %T", op, key, value, want[key])
			}
		}
	}
}

func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "text"
	case []any:
		return "list"
	}
	return "other"
}

func replay(t *testing.T, status int, header http.Header, body []byte) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for key, values := range header {
			w.Header()[key] = values
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestAWSsOwnAnswersBecomeCounts(t *testing.T) {
	_, header, body := fixture(t, "response_snapshot", "GetQueueAttributes.response")
	text := strings.NewReplacer("key0", "ApproximateNumberOfMessages", "__Value__", "12").Replace(string(body))
	url := "http://127.0.0.1/1/orders"
	b := newSource(t, client(replay(t, 200, header, []byte(text))), depth("a", url)).Read(t.Context(), noon())
	if lines(b) != "a/queue_depth 12" {
		t.Errorf("got %s", lines(b))
	}
	// As it stands it holds nothing that was asked for.
	b = newSource(t, client(replay(t, 200, header, body)), depth("a", url)).Read(t.Context(), noon())
	if len(b.Readings) > 0 || len(b.Missing) != 1 || b.Missing[0].Problem.Class != sale.BadData {
		t.Errorf("unchanged: %s", lines(b))
	}
	_, header, body = fixture(t, "response_snapshot", "GetQueueUrl.response")
	s := newSource(t, client(replay(t, 200, header, body)), depth("a", "orders"))
	s.Read(t.Context(), noon())
	if s.queues[0].url != "__QueueUrl__" {
		t.Errorf("URL %q", s.queues[0].url)
	}
}

func TestEveryErrorThatAWSModelsHasItsClass(t *testing.T) {
	classes := map[string]sale.Class{
		"InvalidAddress":            sale.NotFound,
		"InvalidSecurity":           sale.Auth,
		"OverLimit":                 sale.Throttled,
		"PurgeQueueInProgress":      sale.Auth, // by its status, 403; no reader meets it
		"QueueDoesNotExist":         sale.NotFound,
		"ReceiptHandleIsInvalid":    sale.NotFound, // by its status, 404; no reader meets it
		"RequestThrottled":          sale.Throttled,
		"ResourceNotFoundException": sale.NotFound,
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
			if !ok {
				want = sale.BadData // the queue or the request is at fault
			}
			s := newSource(t, client(replay(t, status, header, body)), depth("a", "orders"))
			p := s.Read(t.Context(), noon())
			problem := p.Problem
			if problem == nil && len(p.Missing) == 1 {
				problem = &p.Missing[0].Problem
			}
			if problem == nil || problem.Class != want || problem.Hint == "" || !strings.HasPrefix(problem.Text+": ", code+": ") {
				t.Errorf("got %+v, want %s", problem, want)
			}
		})
	}
}
