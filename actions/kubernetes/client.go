package kubernetes

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/onsale-dev/onsale/sale"
)

// maxBody bounds an answer: a list of 500 pods is a quarter of it.
const maxBody = 16 << 20

// NewClient makes a dynamic client fit for acting: one attempt, whatever the answer; no limit of
// its own on the rate; deadlines from the context; bounded answers; no redirects; and errors that
// say when nothing was sent.
func NewClient(cfg *rest.Config) (dynamic.Interface, error) {
	own := rest.CopyConfig(cfg)
	own.QPS, own.RateLimiter, own.Timeout = -1, nil, 0
	own.WarningHandler, own.WarningHandlerWithContext = rest.NoWarnings{}, nil
	if own.UserAgent == "" {
		own.UserAgent = "onsale"
	}
	own.Wrap(func(next http.RoundTripper) http.RoundTripper { return &once{next} })
	client, err := dynamic.NewForConfig(own)
	if err != nil {
		return nil, fmt.Errorf("kubernetes client: %w", err)
	}
	return client, nil
}

// unsentError says that the request never reached a connection: nothing can have changed.
type unsentError struct{ err error }

func (e *unsentError) Error() string { return "not sent: " + e.err.Error() }
func (e *unsentError) Unwrap() error { return e.err }

var errTooLong = errors.New("the answer is too long")

// once sends a request once. The client would repeat it for an answer with Retry-After, and
// net/http for a redirect or a connection that was closed before it was used.
type once struct{ next http.RoundTripper }

func (t *once) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, &unsentError{err}
	}
	var asked, left atomic.Bool
	own := req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GetConn: func(string) { asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { left.Store(true) },
	}))
	own.GetBody = nil
	resp, err := t.next.RoundTrip(own)
	if err != nil {
		if asked.Load() && !left.Load() {
			return nil, &unsentError{err}
		}
		return nil, err
	}
	if resp.StatusCode/100 == 3 {
		if err := resp.Body.Close(); err != nil {
			return nil, err
		}
		return nil, &sale.Problem{Class: sale.BadData, Text: fmt.Sprintf("HTTP %d: a redirect is not followed", resp.StatusCode), Hint: hintEndpoint}
	}
	resp.Header.Del("Retry-After")
	resp.Body = &bounded{body: resp.Body, left: maxBody}
	return resp, nil
}

// bounded is a body of at most so many bytes.
type bounded struct {
	body io.ReadCloser
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLong
	}
	if len(p) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.body.Read(p)
	if b.left -= n; b.left < 0 {
		return n, errTooLong
	}
	return n, err
}

func (b *bounded) Close() error { return b.body.Close() }
