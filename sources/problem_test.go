package sources

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/onsale-dev/onsale/sale"
)

// awsError has the methods by which the AWS SDK's errors are known.
type awsError struct {
	code, message string
	status        int
}

func (e *awsError) Error() string        { return "operation error CloudWatch: GetMetricData, " + e.code }
func (e *awsError) ErrorCode() string    { return e.code }
func (e *awsError) ErrorMessage() string { return e.message }
func (e *awsError) HTTPStatusCode() int  { return e.status }

func dial(err error) error {
	addr := &net.TCPAddr{IP: net.IPv4(10, 20, 3, 9), Port: 9090}
	return &url.Error{Op: "Post", URL: "https://reader:hunter22@prometheus.example/api/v1/query?token=abc", Err: &net.OpError{Op: "dial", Net: "tcp", Addr: addr, Err: err}}
}

func jsonError(text string, into any) error { return json.Unmarshal([]byte(text), into) }

func TestEveryFailureIsClassedInWordsAndWithAHint(t *testing.T) {
	var number int
	for _, c := range []struct {
		what  string
		err   error
		class sale.Class
		text  string
	}{
		{"a passed deadline", fmt.Errorf("get: %w", context.DeadlineExceeded), sale.Timeout, "no answer within 5s"},
		{"a dial that timed out", dial(os.ErrDeadlineExceeded), sale.Timeout, "dial tcp 10.20.3.9:9090"},
		{"a refused connection", dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), sale.Unreachable, "dial tcp 10.20.3.9:9090: connect: connection refused"},
		{"no route", dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), sale.Unreachable, "no route to host"},
		{"an unknown name", dial(&net.DNSError{Err: "no such host", Name: "prometheus.internal", IsNotFound: true}), sale.Unreachable, "lookup prometheus.internal: no such host"},
		{"an unknown authority", dial(x509.UnknownAuthorityError{}), sale.Unreachable, "TLS: the certificate is signed by an unknown authority"},
		{"an expired certificate", dial(x509.CertificateInvalidError{Reason: x509.Expired, Cert: &x509.Certificate{NotAfter: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}}), sale.Unreachable, "to 2026-11-01T00:00:00Z"},
		{"a certificate for another name", dial(x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"a.example"}}, Host: "b.example"}), sale.Unreachable, "b.example"},
		{"plain HTTP where TLS was expected", dial(errors.New("http: server gave HTTP response to HTTPS client")), sale.Unreachable, "does not speak TLS"},
		{"a server that wants a client certificate", dial(errors.New("remote error: tls: certificate required")), sale.Auth, "certificate required"},
		{"a reset before any answer", &url.Error{Op: "Get", URL: "http://x", Err: syscall.ECONNRESET}, sale.Unreachable, "closed without an answer: connection reset by peer"},
		{"an end before any answer", &url.Error{Op: "Get", URL: "http://x", Err: io.EOF}, sale.Unreachable, "closed without an answer: EOF"},
		{"401", &StatusError{Status: 401}, sale.Auth, "HTTP 401 Unauthorized"},
		{"403 with words", &StatusError{Status: 403, Body: []byte(`{"message":"no such tenant"}`)}, sale.Auth, "HTTP 403 Forbidden: no such tenant"},
		{"404", &StatusError{Status: 404, Body: []byte("404 page not found\n")}, sale.NotFound, "HTTP 404 Not Found: 404 page not found"},
		{"429", &StatusError{Status: 429}, sale.Throttled, "HTTP 429"},
		{"500 with a page", &StatusError{Status: 500, Type: "text/html", Body: []byte("<html>oops")}, sale.Failing, "an HTML page"},
		{"504", &StatusError{Status: 504}, sale.Failing, "HTTP 504"},
		{"400 in Cloudflare's words", &StatusError{Status: 400, Body: []byte(`{"errors":[{"code":1002,"message":"invalid zone"}]}`)}, sale.BadData, "invalid zone"},
		{"a status that nobody uses", &StatusError{Status: 418}, sale.BadData, "HTTP 418"},
		{"a body too large", fmt.Errorf("read: %w", &BodyTooLargeError{Limit: 16 << 20}), sale.BadData, "longer than 16 MiB"},
		{"a redirect to a login", &url.Error{Op: "Get", URL: "http://x", Err: &RedirectError{From: "https://a.example", To: "https://login.example"}}, sale.BadData, "https://a.example redirects to https://login.example"},
		{"no JSON", jsonError("<html>", &number), sale.BadData, "invalid character '<'"},
		{"other JSON", jsonError(`"x"`, &number), sale.BadData, "string"},
		{"an AWS throttle with 400", &awsError{"Throttling", "Rate exceeded", 400}, sale.Throttled, "Throttling: Rate exceeded"},
		{"an AWS throttle of SQS", &awsError{"RequestThrottled", "", 403}, sale.Throttled, "RequestThrottled"},
		{"an expired token", &awsError{"ExpiredTokenException", "The security token included in the request is expired", 400}, sale.Auth, "ExpiredTokenException"},
		{"a missing permission", &awsError{"AccessDenied", "User: arn:aws:iam::123456789012:user/x is not authorized to perform: cloudwatch:GetMetricData", 403}, sale.Auth, "cloudwatch:GetMetricData"},
		{"unknown keys", &awsError{"InvalidClientTokenId", "", 403}, sale.Auth, "InvalidClientTokenId"},
		{"a wrong clock", &awsError{"SignatureDoesNotMatch", "Signature expired", 403}, sale.Auth, "SignatureDoesNotMatch"},
		{"a queue that is not there", &awsError{"AWS.SimpleQueueService.NonExistentQueue", "", 400}, sale.NotFound, "NonExistentQueue"},
		{"a fault of the service", &awsError{"InternalFailure", "", 500}, sale.Failing, "InternalFailure"},
		{"a refused parameter", &awsError{"ValidationError", "The parameter MetricName is required", 400}, sale.BadData, "MetricName"},
		{"an error without a code the SDK knows", &awsError{"UnknownError", "UnknownError", 503}, sale.Failing, "HTTP 503"},
		{"no credentials", errors.New("operation error SQS: GetQueueAttributes, get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found"), sale.Auth, "no AWS credentials"},
		{"a problem that is one already", fmt.Errorf("x: %w", &sale.Problem{Class: sale.NotFound, Text: "no room", Hint: "see room:"}), sale.NotFound, "no room"},
		{"what nobody has seen before", errors.New("cbor: strange"), sale.BadData, "cbor: strange"},
	} {
		t.Run(c.what, func(t *testing.T) {
			p := Classify(c.err, About{After: 5 * time.Second, Secrets: []string{"hunter22"}})
			if p.Class != c.class || !strings.Contains(p.Text, c.text) {
				t.Errorf("%s: %q, want %s: %q", p.Class, p.Text, c.class, c.text)
			}
			if p.Hint == "" {
				t.Error("no hint")
			}
			if strings.Contains(p.Text, "hunter22") || strings.Contains(p.Text, "token=abc") {
				t.Errorf("a secret is in %q", p.Text)
			}
		})
	}
}

func TestWhatTheLastAnswerSaidHelpsToClass(t *testing.T) {
	meter := func(status int, kind string, wait time.Duration) *Meter {
		return &Meter{status: status, kind: kind, retryAfter: wait}
	}
	for _, c := range []struct {
		what  string
		err   error
		meter *Meter
		want  sale.Problem
	}{
		{"a library that lost the status", errors.New("client error"), meter(401, "", 0), sale.Problem{Class: sale.Auth}},
		{"a library that lost the Retry-After", &awsError{"ThrottlingException", "", 429}, meter(429, "", 17*time.Second), sale.Problem{Class: sale.Throttled, RetryAfter: 17 * time.Second}},
		{"a decoder that met a page", jsonError("<", new(int)), meter(200, "text/html", 0), sale.Problem{Class: sale.BadData, Text: "an HTML page instead of the API's answer"}},
		{"a body that ended too early", io.ErrUnexpectedEOF, meter(200, "", 0), sale.Problem{Class: sale.BadData, Text: "the answer was cut short: unexpected EOF"}},
		{"a deadline in the middle of a body", context.DeadlineExceeded, meter(200, "", 0), sale.Problem{Class: sale.Timeout, Text: "no answer in time: an answer began and did not end"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			got := Classify(c.err, About{Meter: c.meter})
			if got.Class != c.want.Class || got.RetryAfter != c.want.RetryAfter || c.want.Text != "" && got.Text != c.want.Text {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

func TestASourceCanGiveItsOwnHint(t *testing.T) {
	p := Classify(&StatusError{Status: 403}, About{Hints: map[sale.Class]string{sale.Auth: "the token needs Waiting Rooms: Read"}})
	if p.Hint != "the token needs Waiting Rooms: Read" {
		t.Errorf("the hint is %q", p.Hint)
	}
}

func TestSecretsAreTakenOutOfTexts(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Get https://u:p@host.example:9090/a/b?token=x#y failed", "Get https://host.example:9090/a/b failed"},
		{"Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.x.y", "Authorization: Bearer [hidden]"},
		{"the bearer token is missing", "the bearer token is missing"},
		{"Credential=AKIAEXAMPLE/20261201, SignedHeaders=host, Signature=abcdef", "Credential=[hidden], SignedHeaders=host, Signature=[hidden]"},
		{"said s3cr3t+/ and s3cr3t%2B%2F", "said [hidden] and [hidden]"},
		{"nothing to hide", "nothing to hide"},
	} {
		if got := Redact(c.text, "s3cr3t+/", ""); got != c.want {
			t.Errorf("Redact(%q)\n got %q\nwant %q", c.text, got, c.want)
		}
	}
}

func TestRetryAfterIsReadInBothForms(t *testing.T) {
	now := time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"17": 17 * time.Second, " 300 ": 5 * time.Minute, "Tue, 01 Dec 2026 10:02:00 GMT": 2 * time.Minute,
		"Tue, 01 Dec 2026 09:00:00 GMT": 0, "": 0, "soon": 0, "-5": 0, "999999999999": 24 * time.Hour,
	} {
		if got := ParseRetryAfter(header, now); got != want {
			t.Errorf("Retry-After %q is %s, want %s", header, got, want)
		}
	}
}

func FuzzAnErrorBodyBecomesOneCleanLine(f *testing.F) {
	for _, body := range []string{`{"message":"no"}`, "<html>", "\x1b]0;x\x07", `{"errors":[{"message":null}]}`, `{"errors":[7]}`, "\xff\xfe", `{"error":{"a":1}}`} {
		f.Add(400, "application/json", body)
	}
	f.Fuzz(func(t *testing.T, status int, kind, body string) {
		p := Classify(&StatusError{Status: status, Type: kind, Body: []byte(body)}, About{Secrets: []string{"canary-0001"}})
		if p.Class == "" || p.Text == "" {
			t.Fatalf("%+v", p)
		}
		for _, r := range p.Text + p.Hint {
			if unicode.IsControl(r) {
				t.Fatalf("a control character in %q", p.Text)
			}
		}
		if strings.Contains(p.Text, "canary-0001") {
			t.Fatalf("a secret in %q", p.Text)
		}
	})
}
