package autoscaling

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/smithy-go/middleware"

	"github.com/onsale-dev/onsale/sale"
)

const (
	// maxBody bounds an answer: a group of some thousand instances is a third of it.
	maxBody = 4 << 20
	// maxTags bounds how many elements the decoder can be led to hold open at once.
	maxTags = 300_000
)

// NewClient makes the SDK's client fit for acting: one attempt, whatever the answer; deadlines
// from the context; bounded answers; and errors that say when nothing was sent. An empty endpoint
// is AWS's own. client sends the requests; nil makes one that shares no connection with a poller.
func NewClient(cfg aws.Config, endpoint string, client *http.Client) *autoscaling.Client {
	return autoscaling.NewFromConfig(cfg, func(o *autoscaling.Options) {
		o.Retryer = aws.NopRetryer{}
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		o.HTTPClient = newGuard(client)
		o.APIOptions = append(o.APIOptions, tellUnsent)
	})
}

// NewELBClient is NewClient for the load balancers.
func NewELBClient(cfg aws.Config, endpoint string, client *http.Client) *elb.Client {
	return elb.NewFromConfig(cfg, func(o *elb.Options) {
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
// that is not the answer to what was asked: the SDK takes an empty body for an empty answer.
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
	req, asked, err := d.whole(req)
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
	case bytes.Count(body, []byte("<")) > maxTags:
		return nil, &sale.Problem{Class: sale.BadData, Text: fmt.Sprintf("the answer has more than %d XML tags", maxTags), Hint: hintEndpoint}
	}
	if resp.StatusCode/100 == 2 {
		if problem := checkAnswer(asked, body); problem != nil {
			return nil, problem
		}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// whole gives the request a body of its own, which can't be sent a second time. The SDK's closes
// when the answer comes, and takes the rest of a long request with it when the answer comes early.
func (d *departure) whole(req *http.Request) (*http.Request, []byte, error) {
	own := req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GetConn: func(string) { d.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { d.left.Store(true) },
	}))
	if req.Body == nil {
		return own, nil, nil
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, nil, err
	}
	own.Body = struct{ io.ReadCloser }{io.NopCloser(bytes.NewReader(body))}
	own.ContentLength, own.GetBody = int64(len(body)), nil
	return own, body, nil
}

// checkAnswer holds a success against the Query protocol: the answer to Action=X is one whole
// element XResponse.
func checkAnswer(asked, body []byte) error {
	bad := func(text string) error {
		return &sale.Problem{Class: sale.BadData, Text: sale.Clean(text, maxProblemText), Hint: hintEndpoint}
	}
	form, err := url.ParseQuery(string(asked))
	if err != nil || form.Get("Action") == "" {
		return bad("the answer belongs to no request of ours")
	}
	want := form.Get("Action") + "Response"
	got, err := rootOf(body)
	switch {
	case err != nil:
		return bad("the answer is not XML")
	case got != want:
		return bad("the answer is a " + got + ", not a " + want)
	case !strings.HasSuffix(strings.TrimSpace(string(body)), "</"+want+">"):
		return bad("the answer ends too early")
	}
	return nil
}

// rootOf is the name of a document's first element.
func rootOf(body []byte) (string, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return "", io.ErrUnexpectedEOF
		}
		if err != nil {
			return "", err
		}
		if start, ok := token.(xml.StartElement); ok {
			return start.Name.Local, nil
		}
	}
}
