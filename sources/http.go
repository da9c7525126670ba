package sources

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ClientOptions are what a source decides about its HTTP client. The zero value is good.
type ClientOptions struct {
	// Version is onsale's own, for the User-Agent.
	Version string
	// MaxBody bounds each answer after decompression, in bytes; 0 is MaxBody.
	MaxBody int64
	// TLS replaces the system's trust; nil is the usual. Ignored when Transport is set.
	TLS *tls.Config
	// Transport replaces the transport of our own, for one that signs or adds credentials.
	// The limits and the meter still hold around it.
	Transport http.RoundTripper
}

// NewClient makes an HTTP client whose answers are bounded, whose every request is counted by
// the Meter of its context (retries and redirects too), and which never follows a redirect to
// another host or from https to http, because credentials would travel with it. It has no
// overall time limit: the deadline is the context's. HTTP_PROXY, HTTPS_PROXY and NO_PROXY hold.
//
// A body longer than MaxBody ends in a *BodyTooLargeError, a refused redirect in a *RedirectError.
func NewClient(opts ClientOptions) *http.Client {
	base := opts.Transport
	if base == nil {
		base = NewTransport(opts.TLS)
	}
	limit := opts.MaxBody
	if limit <= 0 {
		limit = MaxBody
	}
	return &http.Client{
		Transport:     &boundedTransport{next: base, limit: limit, agent: UserAgent(opts.Version)},
		CheckRedirect: checkRedirect,
	}
}

// NewTransport makes the transport that NewClient uses when it is given none: a pool of its
// own, bounded headers and a time limit on every step that a context does not see.
func NewTransport(trust *tls.Config) *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSClientConfig:        trust,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           16,
		MaxIdleConnsPerHost:    8,
		MaxConnsPerHost:        16,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  60 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// UserAgent is what onsale calls itself on the wire.
func UserAgent(version string) string {
	if version == "" {
		version = "devel"
	}
	return "onsale/" + version
}

// StatusError is an HTTP answer that is not a success.
type StatusError struct {
	Status     int
	RetryAfter time.Duration // from the Retry-After header; 0 when there was none
	Type       string        // the Content-Type
	Body       []byte        // the first 8 KiB, as they came
}

func (e *StatusError) Error() string {
	return strings.TrimSpace("HTTP " + strconv.Itoa(e.Status) + " " + http.StatusText(e.Status))
}

// CheckStatus returns nil for a 2xx answer. For any other it reads the beginning of the body,
// closes it and returns a *StatusError.
func CheckStatus(resp *http.Response) error {
	if resp.StatusCode/100 == 2 {
		return nil
	}
	defer resp.Body.Close() //nolint:errcheck // nothing was written
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	return &StatusError{
		Status:     resp.StatusCode,
		RetryAfter: ParseRetryAfter(resp.Header.Get("Retry-After"), time.Now()),
		Type:       resp.Header.Get("Content-Type"),
		Body:       body,
	}
}

const maxErrorBody = 8 << 10

// ParseRetryAfter reads a Retry-After header, seconds or a date; 0 when it says nothing usable.
func ParseRetryAfter(header string, now time.Time) time.Duration {
	const most = 24 * time.Hour
	header = strings.TrimSpace(header)
	if seconds, err := strconv.ParseInt(header, 10, 64); err == nil {
		if seconds <= 0 {
			return 0
		}
		return time.Duration(min(seconds, int64(most/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(now), 0), most)
	}
	return 0
}

// BodyTooLargeError is an answer that was longer than its limit; the rest was not read.
type BodyTooLargeError struct{ Limit int64 }

func (e *BodyTooLargeError) Error() string {
	return fmt.Sprintf("the answer is longer than %d MiB", max(e.Limit>>20, 1))
}

// RedirectError is a redirect that was not followed.
type RedirectError struct{ From, To string } // scheme://host

func (e *RedirectError) Error() string {
	return fmt.Sprintf("%s redirects to %s: not followed", e.From, e.To)
}

func checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0].URL
	if req.URL.Host != first.Host || req.URL.Scheme != first.Scheme || len(via) > 2 || req.Method != via[0].Method {
		return &RedirectError{From: first.Scheme + "://" + first.Host, To: req.URL.Scheme + "://" + req.URL.Host}
	}
	return nil
}

type boundedTransport struct {
	next  http.RoundTripper
	limit int64
	agent string
}

func (t *boundedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Header.Get("User-Agent") == "" {
		req = req.Clone(req.Context())
		req.Header.Set("User-Agent", t.agent)
	}
	meters := meterIn(req.Context())
	meters.count()
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	meters.answered(resp)
	resp.Body = &boundedBody{body: resp.Body, left: t.limit, limit: t.limit}
	return resp, nil
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the pool.
func (t *boundedTransport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// boundedBody sits above the transport's decompression, so a small body that unpacks to a
// large one is bounded too.
type boundedBody struct {
	body        io.ReadCloser
	left, limit int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, &BodyTooLargeError{b.limit}
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.body.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return n - 1, &BodyTooLargeError{b.limit}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = &cutError{err}
	}
	return n, err
}

func (b *boundedBody) Close() error { return b.body.Close() }

// cutError is an answer that began and did not end.
type cutError struct{ err error }

func (e *cutError) Error() string { return "the answer was cut short: " + e.err.Error() }
func (e *cutError) Unwrap() error { return e.err }

// meterKey is the context key of the innermost Meter.
type meterKey struct{}

func meterIn(ctx context.Context) *Meter {
	m, _ := ctx.Value(meterKey{}).(*Meter)
	return m
}
