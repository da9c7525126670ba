package alertmanager

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

const (
	maxBody  = 8 << 20 // bytes of an answer, after decompression
	maxWords = 200     // cells of what an answer says in words
	// lookWithin bounds what is read beside a write, so that a peer that hangs holds nothing up.
	lookWithin = 3 * time.Second
)

// web makes one attempt per call, follows no redirect and reads no more than maxBody.
type web struct {
	client  *http.Client
	header  http.Header // of every request: who sends it, and its credentials
	secrets []string
}

func newWeb(o Options) *web {
	version := o.Version
	if version == "" {
		version = "devel"
	}
	w := &web{header: http.Header{"User-Agent": {"onsale/" + version}, "Accept": {"application/json"}}}
	login := base64.StdEncoding.EncodeToString([]byte(o.User + ":" + o.Password))
	switch {
	case o.Bearer != "":
		w.header.Set("Authorization", "Bearer "+o.Bearer)
		w.secrets = []string{o.Bearer}
	case o.User != "":
		w.header.Set("Authorization", "Basic "+login)
		w.secrets = []string{login}
		if o.Password != "" {
			w.secrets = append(w.secrets, o.Password)
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

// clock is the server's own time, to the second below; zero when it does not say.
func (a answer) clock() time.Time {
	at, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return at
}

// do makes one attempt. reached is false when it is certain that nothing was sent.
func (w *web) do(ctx context.Context, method, address string, body []byte) (a answer, reached bool, err error) {
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
	req.Header = w.header.Clone()
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
		p.Hint = "it is slow or a firewall drops the packets: see its own logs"
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

// statusProblem is the problem of an answer that is no success; refused is true when it proves
// that nothing changed.
func (w *web) statusProblem(a answer) (p sale.Problem, refused bool) {
	text := strings.TrimSpace(fmt.Sprintf("HTTP %d %s", a.status, http.StatusText(a.status)))
	if said := saidBy(a.body); said != "" && a.status >= 400 {
		text += ": " + said
	}
	p = sale.Problem{Class: sale.BadData, Text: w.words(text, maxWords)}
	switch s := a.status; {
	case s == http.StatusUnauthorized, s == http.StatusForbidden, s == http.StatusProxyAuthRequired:
		p.Class, p.Hint = sale.Auth, "see the login of the Alertmanager in the config"
		return p, true
	case s == http.StatusNotFound, s == http.StatusMethodNotAllowed, s == http.StatusGone:
		p.Class, p.Hint = sale.NotFound, "see the address and its path (--web.route-prefix); api v2 is there since Alertmanager 0.16"
		return p, true
	case s == http.StatusTooManyRequests:
		p.Class, p.Hint = sale.Throttled, "a proxy before it limits the rate: press again later"
		return p, true
	case s == http.StatusRequestTimeout:
		p.Class, p.Hint = sale.Timeout, "the line is slow: look in Alertmanager whether it arrived"
		return p, false
	case s >= 400 && s < 500:
		p.Hint = "Alertmanager does not take this alert: see the labels in the config, and the words above"
		return p, true
	case s >= 500:
		p.Class, p.Hint = sale.Failing, "it, or a proxy before it, is in trouble: see its logs; pressing again is harmless"
		return p, false
	case s >= 300:
		p.Hint = "a redirect is not followed: see the address, and whether a proxy wants a login"
		return p, false
	}
	p.Text = w.words(text+", but not in Alertmanager's words", maxWords)
	p.Hint = "see that the address is the API itself, not a page or proxy in front of it"
	return p, false
}

// saidBy is what an answer says of its reason: a text in JSON, or an object with a message.
func saidBy(body []byte) string {
	var text string
	var object struct {
		Message string `json:"message"`
		Error   string `json:"error"`
	}
	switch {
	case json.Unmarshal(body, &text) == nil:
		return text
	case json.Unmarshal(body, &object) == nil:
		return strings.TrimSpace(object.Message + " " + object.Error)
	}
	text = strings.TrimSpace(string(body[:min(len(body), 4096)]))
	if strings.HasPrefix(text, "<") {
		return "an HTML page"
	}
	return text
}
