package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/onsale-dev/onsale/sale"
)

// answered wraps an error as the SDK does when an answer came with a status.
func answered(status int, err error) error {
	return &smithy.OperationError{ServiceID: "CloudWatch", OperationName: "GetMetricData", Err: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {"7"}}}}, Err: err,
	}}
}

func api(code, message string) error { return &smithy.GenericAPIError{Code: code, Message: message} }

func TestEachFailureOfAWSHasItsClassAndAHintThatMendsIt(t *testing.T) {
	for _, c := range []struct {
		name  string
		err   error
		class sale.Class
		text  string
		hint  string
	}{
		{"a throttle with 400", answered(400, api("Throttling", "Rate exceeded")), sale.Throttled, "Throttling: Rate exceeded", "quota of GetMetricData"},
		{"a throttle of another name", answered(400, api("ThrottlingException", "Rate exceeded")), sale.Throttled, "ThrottlingException: Rate exceeded", "poll less often"},
		{"the request limit", answered(503, api("RequestLimitExceeded", "slow down")), sale.Throttled, "RequestLimitExceeded: slow down", "poll less often"},
		{"no permission", answered(403, api("AccessDenied", "User: x is not authorized to perform: cloudwatch:GetMetricData")), sale.Auth, "AccessDenied: User", "allow cloudwatch:GetMetricData to profile onsale-read"},
		{"no permission to take the role", answered(403, &smithy.OperationError{ServiceID: "STS", OperationName: "AssumeRole", Err: api("AccessDenied", "no")}), sale.Auth, "AccessDenied", "allow sts:AssumeRole to profile onsale-read"},
		{"an expired token", answered(400, api("ExpiredToken", "The security token included in the request is expired")), sale.Auth, "ExpiredToken", "aws sso login --profile onsale-read"},
		{"an expired token of another name", answered(403, api("ExpiredTokenException", "expired")), sale.Auth, "ExpiredTokenException", "aws sso login --profile onsale-read"},
		{"what the login itself knows better", &smithy.OperationError{ServiceID: "CloudWatch", OperationName: "GetMetricData", Err: fmt.Errorf("get identity: get credentials: %w", &sale.Problem{Class: sale.Auth, Text: "hr-read: waits for an MFA code", Hint: "type the code"})}, sale.Auth, "hr-read: waits for an MFA code", "type the code"},
		{"an SSO session that has ended", &smithy.OperationError{ServiceID: "CloudWatch", OperationName: "GetMetricData", Err: fmt.Errorf("get identity: get credentials: failed to refresh cached credentials, %w", &ssocreds.InvalidTokenError{})}, sale.Auth, "the SSO session has expired", "aws sso login --profile onsale-read"},
		{"no credentials at all", errors.New("get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found"), sale.Auth, "no AWS credentials", "a profile that has credentials"},
		{"a clock that is off", answered(403, api("RequestTimeTooSkewed", "too large")), sale.Auth, "RequestTimeTooSkewed", "this machine's clock"},
		{"a signature that has expired", answered(403, api("SignatureDoesNotMatch", "Signature expired: 2026… is now earlier than 2026…\n\nThe Canonical String for this request should have been\n'x-amz-security-token:SECRET'")), sale.Auth, "Signature expired", "this machine's clock"},
		{"a signature that is wrong, all in one line", answered(403, api("SignatureDoesNotMatch", "It does not match. The Canonical String for this request should have been 'x-amz-security-token:SECRET'")), sale.Auth, "SignatureDoesNotMatch: It does not match.", "then the secret key of profile onsale-read"},
		{"unknown keys", answered(403, api("UnrecognizedClientException", "The security token included in the request is invalid")), sale.Auth, "UnrecognizedClientException", "does not accept these credentials"},
		{"a bad parameter", answered(400, api("ValidationError", "Period must be a multiple of 60")), sale.BadData, "ValidationError: Period must be", "config"},
		{"an internal fault", answered(500, api("InternalServiceFault", "no")), sale.Failing, "InternalServiceFault", "Health"},
		{"a balancer's page with 503", answered(503, &smithy.DeserializationError{Err: errors.New("unexpected minor value 28")}), sale.Failing, "HTTP 503", "trouble"},
		{"a page with 200", answered(200, &smithy.DeserializationError{Err: errors.New("unexpected minor value 28")}), sale.BadData, "unexpected minor value", "check the endpoint"},
		{"the deadline", fmt.Errorf("request send failed: %w", context.DeadlineExceeded), sale.Timeout, "no answer in time", "firewall"},
		{"nothing listens", &smithy.OperationError{ServiceID: "CloudWatch", OperationName: "GetMetricData", Err: &smithyhttp.RequestSendError{Err: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}}}, sale.Unreachable, "connection refused", "is it running"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := describe(c.err, "onsale-read", nil)
			if p.Class != c.class || !strings.Contains(p.Text, c.text) || !strings.Contains(p.Hint, c.hint) {
				t.Errorf("got %s: %s (%s)\nwant %s: … %s … (… %s …)", p.Class, p.Text, p.Hint, c.class, c.text, c.hint)
			}
			if strings.Contains(p.Text, "SECRET") {
				t.Errorf("a session token is in the text: %s", p.Text)
			}
		})
	}
}

func TestASystemsOwnWaitIsKept(t *testing.T) {
	if p := describe(answered(429, api("TooManyRequestsException", "")), "", nil); p.RetryAfter != 7*time.Second {
		t.Errorf("RetryAfter %s", p.RetryAfter)
	}
}

func TestHintsWithoutAProfileNameNone(t *testing.T) {
	for err, want := range map[error]string{
		api("ExpiredToken", ""): "run: aws sso login",
		api("AccessDenied", ""): "allow cloudwatch:GetMetricData to the credentials in use",
	} {
		if p := describe(err, "", nil); !strings.HasSuffix(p.Hint, want) {
			t.Errorf("hint %q, want … %q", p.Hint, want)
		}
	}
}

func TestTheClientTriesOnceWhateverTheEnvironmentSays(t *testing.T) {
	t.Setenv("AWS_MAX_ATTEMPTS", "5")
	calls := 0
	srv := replayFunc(t, func(w http.ResponseWriter, r *http.Request) {
		calls++
		fail(w, r, http.StatusServiceUnavailable, "no")
	})
	c := NewClient(aws.Config{Region: "eu-central-1", Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 5, RetryMode: aws.RetryModeStandard}, srv, nil)
	b := newSource(t, c, short, connections("arena")).Read(t.Context(), utc("10:08:22"))
	if calls != 1 || b.Calls != 1 || b.Problem == nil || b.Problem.Class != sale.Failing {
		t.Errorf("%d calls, batch %s", calls, lines(b))
	}
}
