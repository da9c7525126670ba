package ecs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go/middleware"

	"github.com/onsale-dev/onsale/sale"
)

// maxBody bounds an answer: a service with a hundred events and its deployments is a tenth of it.
const maxBody = 2 << 20

// NewClient makes the SDK's client fit for acting: one attempt, whatever the answer; deadlines
// from the context; bounded answers; and errors that say when nothing was sent. An empty endpoint
// is AWS's own. client sends the requests; nil makes one that shares no connection with a poller.
func NewClient(cfg aws.Config, endpoint string, client *http.Client) *ecs.Client {
	return ecs.NewFromConfig(cfg, func(o *ecs.Options) {
		o.Retryer = aws.NopRetryer{}
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		o.HTTPClient = newGuard(client)
		o.APIOptions = append(o.APIOptions, tellUnsent)
	})
}

// NewScalingClient is NewClient for Application Auto Scaling.
func NewScalingClient(cfg aws.Config, endpoint string, client *http.Client) *scaling.Client {
	return scaling.NewFromConfig(cfg, func(o *scaling.Options) {
		o.Retryer = aws.NopRetryer{}
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		o.HTTPClient = newGuard(client)
		o.APIOptions = append(o.APIOptions, tellUnsent)
	})
}

// newHTTPClient makes the client that an actor uses when it is given none. It follows no
// redirect: credentials would travel with it.
func newHTTPClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    4,
			IdleConnTimeout:        90 * time.Second,
			TLSHandshakeTimeout:    5 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// unsentError says that the request never reached a connection: nothing can have changed.
type unsentError struct{ err error }

func (e *unsentError) Error() string { return "not sent: " + e.err.Error() }
func (e *unsentError) Unwrap() error { return e.err }

type departureKey struct{}

// departure notes whether a call may have got hold of a connection.
type departure struct{ asked, left atomic.Bool }

// tellUnsent marks the error of a call of which nothing was sent: no credentials, no address, no
// connection, a context that had ended before.
func tellUnsent(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("onsale/unsent", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		d := &departure{}
		out, meta, err := next.HandleInitialize(context.WithValue(ctx, departureKey{}, d), in)
		if err != nil && !d.left.Load() {
			err = &unsentError{err}
		}
		return out, meta, err
	}), middleware.Before)
}

// guard reads an answer whole, within bounds, before the SDK decodes it, and refuses a success
// that is no JSON object, or lacks a count: the SDK takes what is not there for zero.
type guard struct {
	next interface {
		Do(*http.Request) (*http.Response, error)
	}
}

func newGuard(client *http.Client) guard {
	if client == nil {
		client = newHTTPClient()
	}
	return guard{client}
}

func (g guard) Do(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	d, _ := req.Context().Value(departureKey{}).(*departure)
	if d == nil {
		d = &departure{}
	}
	req, err := d.whole(req)
	if err != nil {
		return nil, err
	}
	resp, err := g.next.Do(req)
	if !d.asked.Load() { // not net/http's transport: nothing is known of its connections
		d.left.Store(true)
	}
	if err != nil {
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
		return nil, &sale.Problem{Class: sale.BadData, Text: fmt.Sprintf("the answer is longer than %d MiB", maxBody>>20), Hint: hintEndpoint}
	}
	if resp.StatusCode/100 == 2 {
		if problem := checkAnswer(req.Header.Get("X-Amz-Target"), body); problem != nil {
			return nil, problem
		}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// whole gives the request a body of its own, which can't be sent a second time. The SDK's closes
// when the answer comes, and takes the rest of a long request with it when the answer comes early.
func (d *departure) whole(req *http.Request) (*http.Request, error) {
	own := req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GetConn: func(string) { d.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { d.left.Store(true) },
	}))
	if req.Body == nil {
		return own, nil
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	own.Body = struct{ io.ReadCloser }{io.NopCloser(bytes.NewReader(body))}
	own.ContentLength, own.GetBody = int64(len(body)), nil
	return own, nil
}

// counts are what an answer must hold.
type counts struct {
	Services []struct {
		Desired *int64 `json:"desiredCount"`
		Running *int64 `json:"runningCount"`
		Pending *int64 `json:"pendingCount"`
	} `json:"services"`
}

func checkAnswer(operation string, body []byte) error {
	bad := func(text string) error {
		return &sale.Problem{Class: sale.BadData, Text: sale.Clean(text, maxProblemText), Hint: hintEndpoint}
	}
	if trimmed := bytes.TrimSpace(body); len(trimmed) == 0 || trimmed[0] != '{' || !json.Valid(body) { // Valid bounds the nesting
		return bad("the answer is not a JSON object")
	}
	if !strings.HasSuffix(operation, ".DescribeServices") {
		return nil
	}
	var c counts
	if err := json.Unmarshal(body, &c); err != nil {
		return bad("the answer has another shape: " + err.Error())
	}
	for _, s := range c.Services {
		if s.Desired == nil || s.Running == nil || s.Pending == nil {
			return bad("the answer lacks the counts of the service")
		}
	}
	return nil
}
