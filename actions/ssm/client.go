package ssm

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// System is this folder's name in targets and in the journal.
const System = "ssm"

// maxBody bounds an answer: a parameter has at most 8 KiB, a page of OpsItems some hundred.
const maxBody = 1 << 20

// AWS is how to reach Systems Manager. The credentials must be those that act: no poller's.
type AWS struct {
	Config   aws.Config
	Endpoint string       // empty: AWS's own for the region
	Client   *http.Client // nil makes one; redirects are never followed
	Profile  string       // for the words of a hint
	Secrets  []string     // never appear in a text, whatever the service echoes
}

// connection is the SDK's client and what is known of how its requests ended.
type connection struct {
	*ssm.Client
	o AWS
}

// connect makes the SDK's client fit for acting: one attempt, deadlines from the context, bounded
// answers.
func connect(o AWS) (*connection, error) {
	if o.Config.Region == "" {
		return nil, errors.New("ssm: a region is needed")
	}
	client := http.Client{Transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    2,
		MaxConnsPerHost:        8,
		IdleConnTimeout:        30 * time.Second,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}}
	if o.Client != nil {
		client = *o.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &connection{o: o, Client: ssm.NewFromConfig(o.Config, func(so *ssm.Options) {
		so.Retryer = aws.NopRetryer{}
		so.HTTPClient = guard{&client}
		if o.Endpoint != "" {
			so.BaseEndpoint = aws.String(o.Endpoint)
		}
	})}, nil
}

// trip records whether a request left, under the key of its context.
type trip struct{ left atomic.Bool }

type tripKey struct{}

// guard reads an answer whole, within bounds, before the SDK decodes it.
type guard struct{ next *http.Client }

func (g guard) Do(req *http.Request) (*http.Response, error) {
	req.GetBody = nil // without it net/http has nothing to send a second time
	t, _ := req.Context().Value(tripKey{}).(*trip)
	if t != nil {
		t.left.Store(true)
	}
	resp, err := g.next.Do(req)
	if err != nil {
		if t != nil && neverReached(err) {
			t.left.Store(false)
		}
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	switch {
	case err != nil:
		return nil, err
	case len(body) > maxBody:
		return nil, errors.New("the answer is longer than 1 MiB")
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// neverReached reports whether an error says that no connection was made.
func neverReached(err error) bool {
	var dial *net.OpError
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return false
	}
	return errors.As(err, &dial) && dial.Op == "dial" || errors.As(err, &cert) || errors.As(err, &record)
}

// write makes one call that changes something and says what its error means: a *RejectedError when
// nothing can have changed.
func (c *connection) write(ctx context.Context, call func(ctx context.Context) (middleware.Metadata, error)) (requestID string, err error) {
	if ctx.Err() != nil {
		return "", &actions.RejectedError{Problem: sale.Problem{Class: sale.Timeout, Text: "the time was up before anything was sent", Hint: "try again"}}
	}
	t := &trip{}
	meta, err := call(context.WithValue(ctx, tripKey{}, t))
	requestID = idOf(meta, err)
	if err == nil {
		return requestID, nil
	}
	problem := c.problem(err)
	if !t.left.Load() || saidNo(err) {
		return requestID, &actions.RejectedError{Problem: *problem}
	}
	return requestID, problem
}

// saidNo reports whether the service itself refused: an answer of 4xx, but no timeout.
func saidNo(err error) bool {
	var resp *smithyhttp.ResponseError
	return errors.As(err, &resp) && resp.HTTPStatusCode()/100 == 4 && resp.HTTPStatusCode() != http.StatusRequestTimeout
}

// unsent says that nothing was sent, because what has to be known before could not be read.
func unsent(p *sale.Problem) error {
	q := *p
	q.Text = sale.Clean("nothing was sent, the target could not be read again: "+q.Text, 240)
	return &actions.RejectedError{Problem: q}
}

func idOf(meta middleware.Metadata, err error) string {
	id := requestIDOf(meta)
	var resp interface{ ServiceRequestID() string }
	if id == "" && errors.As(err, &resp) {
		id = resp.ServiceRequestID()
	}
	return sale.Clean(id, 80)
}

func (c *connection) clean(text string, cells int) string {
	for _, secret := range c.o.Secrets {
		if len(secret) >= 4 {
			text = strings.ReplaceAll(text, secret, "[hidden]")
		}
	}
	return sale.Clean(text, cells)
}

// problem puts a failed call into a class and words.
func (c *connection) problem(err error) *sale.Problem {
	p := &sale.Problem{Class: sale.BadData, Hint: "see the endpoint, and any proxy in between: this is not the answer of Systems Manager"}
	status := 0
	var resp *smithyhttp.ResponseError
	if errors.As(err, &resp) && resp.Response != nil && resp.Response.Response != nil {
		status = resp.HTTPStatusCode()
		p.RetryAfter = retryAfter(resp.Response.Header.Get("Retry-After"))
	}
	var api smithy.APIError
	var undecoded *smithy.DeserializationError
	var known *sale.Problem
	switch {
	case errors.As(err, &known):
		*p = *known
	case errors.As(err, &api) && api.ErrorCode() != "" && api.ErrorCode() != "UnknownError":
		said, _, _ := strings.Cut(api.ErrorMessage(), "\n") // the rest repeats what was sent
		p.Text = strings.TrimSuffix(api.ErrorCode()+": "+strings.TrimSpace(said), ": ")
		c.classify(p, api.ErrorCode(), status, err)
	case status >= 300:
		p.Text = strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
		c.classify(p, "", status, err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		p.Class, p.Text, p.Hint = sale.Timeout, "no answer in time", "see this machine's network and the AWS Health dashboard"
	case errors.As(err, &undecoded):
		p.Text = "an answer that can't be understood: " + undecoded.Error()
	case strings.Contains(err.Error(), "credentials"):
		p.Class, p.Text, p.Hint = sale.Auth, "no AWS credentials: "+innermost(err), "sign in: "+c.signIn()
	default:
		p.Class, p.Text, p.Hint = sale.Unreachable, innermost(err), "see this machine's network, DNS, proxy and the region"
	}
	p.Text = c.clean(p.Text, 240)
	return p
}

func (c *connection) classify(p *sale.Problem, code string, status int, err error) {
	has := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(code, part) {
				return true
			}
		}
		return false
	}
	switch {
	case has("Throttl", "TooManyRequests", "TooManyUpdates", "LimitExceeded") || status == http.StatusTooManyRequests:
		p.Class, p.Hint = sale.Throttled, "others use the account's limit of calls too; wait a few seconds"
	case has("Expired"):
		p.Class, p.Hint = sale.Auth, "the session has ended; sign in: "+c.signIn()
	case has("AccessDenied", "Unauthorized") || status == http.StatusForbidden && code == "":
		p.Class, p.Hint = sale.Auth, "allow "+permission(err)+" to "+c.who()+" (onsale iam prints the policy)"
	case has("UnrecognizedClient", "InvalidClientTokenId", "Signature", "MissingAuthenticationToken") || status == http.StatusUnauthorized:
		p.Class, p.Hint = sale.Auth, "AWS does not accept these credentials: see the keys, the region and this machine's clock"
	case has("NotFound"):
		p.Class, p.Hint = sale.NotFound, "see the name, the region and the account in the config"
	case has("PatternMismatch"):
		p.Hint = "the parameter's AllowedPattern does not take this value: see it in Parameter Store"
	case status >= 500 || has("Internal"):
		p.Class, p.Hint = sale.Failing, "the service itself is in trouble: see the AWS Health dashboard of the region"
	case status/100 == 4:
		p.Hint = "Systems Manager does not take this value: see the config"
	}
}

// permission names what the refused call needs: the innermost operation, since credentials may be
// fetched on the way.
func permission(err error) string {
	name := "the call"
	for {
		var op *smithy.OperationError
		if !errors.As(err, &op) {
			return name
		}
		name = strings.ToLower(strings.ReplaceAll(op.Service(), " ", "")) + ":" + op.Operation()
		err = op.Err
	}
}

func innermost(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		var op *net.OpError
		if errors.As(err, &op) && error(op) == err {
			return err.Error() // it names the address
		}
		err = next
	}
}

func (c *connection) signIn() string {
	if c.o.Profile == "" {
		return "aws sso login"
	}
	return "aws sso login --profile " + sale.Clean(c.o.Profile, 60)
}

func (c *connection) who() string {
	if c.o.Profile == "" {
		return "the credentials in use"
	}
	return "profile " + sale.Clean(c.o.Profile, 60)
}

func retryAfter(header string) time.Duration {
	n, err := strconv.ParseInt(strings.TrimSpace(header), 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(min(max(n, 0), 3600)) * time.Second
}

// region and account of an ARN; empty when it isn't one.
func ofARN(arn string) (region, account string) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return "", ""
	}
	return sale.Clean(parts[3], 40), sale.Clean(parts[4], 40)
}

func errorf(format string, args ...any) error { return fmt.Errorf("ssm: "+format, args...) }
