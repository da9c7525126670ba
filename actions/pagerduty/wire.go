package pagerduty

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

const (
	maxBody  = 4 << 20 // bytes of an answer, after decompression
	maxWords = 200     // cells of what an answer says in words
	// lookWithin bounds what is read beside a write, so that a REST API that hangs holds nothing up.
	lookWithin = 4 * time.Second
)

// web makes one attempt per call, follows no redirect and reads no more than maxBody.
type web struct {
	client  *http.Client
	agent   string
	secrets []string
}

func newWeb(o Options) *web {
	version := o.Version
	if version == "" {
		version = "devel"
	}
	w := &web{agent: "onsale/" + version}
	for _, s := range []string{o.RoutingKey, o.Token} {
		if s != "" {
			w.secrets = append(w.secrets, s)
		}
	}
	w.client = &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSClientConfig:        o.TLS,
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           4,
			IdleConnTimeout:        time.Minute,
			TLSHandshakeTimeout:    5 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return w
}

// hide takes the credentials out of a text.
func (w *web) hide(text string) string {
	for _, secret := range w.secrets {
		text = strings.ReplaceAll(text, secret, "[hidden]")
		if escaped := url.QueryEscape(secret); escaped != secret {
			text = strings.ReplaceAll(text, escaped, "[hidden]")
		}
	}
	return text
}

// words makes foreign text fit for a screen.
func (w *web) words(text string, cells int) string { return sale.Clean(w.hide(text), cells) }

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// requestID is the provider's own name of a request, for its support.
func (w *web) requestID(a answer) string { return w.words(a.header.Get("X-Request-Id"), 80) }

// do makes one attempt. reached is false when it is certain that nothing was sent.
func (w *web) do(ctx context.Context, method, address string, header http.Header, body []byte) (a answer, reached bool, err error) {
	if err := ctx.Err(); err != nil {
		return a, false, err
	}
	var connected atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	var payload io.Reader
	if body != nil {
		payload = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(traced, method, address, payload)
	if err != nil {
		return a, false, err
	}
	req.Header = header.Clone()
	req.Header.Set("User-Agent", w.agent)
	if body != nil {
		// Without GetBody, and on a connection of its own, the transport has no way and no reason
		// to send the same thing twice.
		req.GetBody, req.Close = nil, true
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return a, connected.Load(), err
	}
	defer func() { _ = resp.Body.Close() }()
	a = answer{status: resp.StatusCode, header: resp.Header}
	a.body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return a, true, fmt.Errorf("the answer was cut short: %w", err)
	}
	if len(a.body) > maxBody {
		return a, true, fmt.Errorf("the answer is longer than %d MiB", maxBody>>20)
	}
	return a, true, nil
}

// trouble is the problem of an attempt that brought no answer.
func (w *web) trouble(err error) sale.Problem {
	p := sale.Problem{Class: sale.Unreachable, Hint: "see this machine's network, DNS and proxy (HTTPS_PROXY)"}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var (
		dns     *net.DNSError
		timeout net.Error
		cert    *tls.CertificateVerificationError
		unknown x509.UnknownAuthorityError
	)
	switch {
	case errors.Is(err, context.Canceled):
		p.Class, p.Text = sale.Timeout, "stopped before an answer came"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		p.Class, p.Text = sale.Timeout, "no answer in time"
		p.Hint = "PagerDuty is slow or a firewall drops the packets: see status.pagerduty.com"
	case errors.As(err, &dns):
		p.Text = "lookup " + dns.Name + ": " + dns.Err
	case errors.As(err, &cert), errors.As(err, &unknown):
		p.Text, p.Hint = "TLS: "+err.Error(), "a proxy may replace the certificate: name its authority in tls"
	case errors.Is(err, syscall.ECONNREFUSED):
		p.Text = err.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		p.Text = "the connection ended without an answer: " + err.Error()
	default:
		p.Text = err.Error()
	}
	p.Text = w.words(p.Text, maxWords)
	return p
}

// retryAfter reads the header of that name, seconds or a date, or PagerDuty's own rate limit
// header; 0 when neither says anything usable. At most an hour.
func retryAfter(h http.Header, now time.Time) time.Duration {
	for _, name := range []string{"Retry-After", "Ratelimit-Reset"} {
		text := strings.TrimSpace(h.Get(name))
		if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && seconds > 0 {
			return time.Duration(min(seconds, 3600)) * time.Second
		}
		if at, err := http.ParseTime(text); err == nil && at.After(now) {
			return min(at.Sub(now), time.Hour)
		}
	}
	return 0
}
