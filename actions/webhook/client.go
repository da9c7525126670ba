package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

const maxBody = 256 << 10

// failure is a call that did not succeed. nothing says that nothing can have changed: the other side
// said no, or was never reached.
type failure struct {
	problem sale.Problem
	nothing bool
	status  int
}

func (f *failure) Error() string { return f.problem.Text }
func (f *failure) Unwrap() error { return &f.problem }

func (e *Executor) fail(class sale.Class, text, hint string, nothing bool) *failure {
	return &failure{problem: sale.Problem{Class: class, Text: e.clean(text, 240), Hint: hint}, nothing: nothing}
}

// clean takes every secret out of a text: header values, the signing secret, addresses with what
// stands in their path.
func (e *Executor) clean(text string, cells int) string { return sale.Clean(e.hide(text), cells) }

func (e *Executor) hide(text string) string {
	for _, secret := range e.secrets {
		text = strings.ReplaceAll(text, secret, "[hidden]")
	}
	return text
}

// request is one call as it is sent.
type request struct {
	method, url string
	headers     map[string]string
	body        []byte // nil: none
	key         string // of idempotency
	plain       bool   // the other side knows no Idempotency-Key
	use         use
}

// use says what a call is for, and so how much of the provider's limit it may take.
type use int

const (
	looking use = iota // for a preview: half of the limit
	proving            // before and after a write: all but one
	writing            // all
)

// do sends one request, once. It follows no redirect: the secrets would travel along.
func (e *Executor) do(ctx context.Context, r request) (data []byte, id string, err error) {
	if ctx.Err() != nil {
		return nil, "", e.fail(sale.Timeout, "the time was up before anything was sent", "try again", true)
	}
	if wait := e.limit.take(time.Now(), r.use); wait > 0 {
		f := e.fail(sale.Throttled, "not sent: the limit of "+e.limit.String()+" leaves no room for "+strconv.Itoa(seconds(wait))+" s", "wait; the limit is the provider's own", true)
		f.problem.RetryAfter = wait
		return nil, "", f
	}
	req, err := e.build(ctx, r)
	if err != nil {
		return nil, "", e.fail(sale.BadData, "the request can't be made", "see the address in the config", true)
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return nil, "", e.lost(err)
	}
	defer func() { _ = resp.Body.Close() }()
	for _, name := range []string{"X-Request-Id", "Request-Id", "X-Amzn-Requestid", "Cf-Ray"} {
		if id == "" {
			id = e.clean(resp.Header.Get(name), 80)
		}
	}
	data, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case resp.StatusCode/100 != 2:
		return nil, id, e.refused(resp, data)
	case err != nil:
		return nil, id, e.lost(err)
	case len(data) > maxBody:
		return nil, id, e.fail(sale.BadData, "the answer is longer than 256 KiB", hintForeign, false)
	}
	return data, id, nil
}

func (e *Executor) build(ctx context.Context, r request) (*http.Request, error) {
	var reader io.Reader
	if r.body != nil {
		reader = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, reader)
	if err != nil {
		return nil, err
	}
	// net/http sends a request with an Idempotency-Key again by itself when a connection breaks,
	// unless it has nothing to send a second time.
	req.GetBody = nil
	req.Header.Set("User-Agent", "onsale")
	req.Header.Set("Accept", "application/json")
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range r.headers {
		req.Header.Set(name, value)
	}
	if r.key != "" && !r.plain {
		req.Header.Set("Idempotency-Key", r.key)
	}
	if len(e.signing) > 0 {
		id := r.key
		if id == "" {
			id = "read_" + rand.Text() // a look has no action whose id it could carry
		}
		sign(req.Header, e.signing, id, time.Now(), r.body)
	}
	return req, nil
}

// sign adds the headers of the Standard Webhooks specification.
func sign(h http.Header, secret []byte, id string, now time.Time, body []byte) {
	stamp := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", stamp)
	h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// signingKey reads a secret: "whsec_" and base64, or the bytes themselves.
func signingKey(secret string) ([]byte, error) {
	if secret == "" {
		return nil, nil
	}
	key := []byte(secret)
	if coded, ok := strings.CutPrefix(secret, "whsec_"); ok {
		var err error
		if key, err = base64.StdEncoding.DecodeString(coded); err != nil {
			return nil, errors.New("the signing secret is not base64 after whsec_")
		}
	}
	if len(key) < 16 {
		return nil, errors.New("the signing secret is shorter than 16 bytes")
	}
	return key, nil
}

const (
	hintForeign = "see the address in the config, and any proxy in between"
	hintNet     = "see this machine's network, DNS and proxy"
	hintAuth    = "see the key or token of this webhook in the config, and what it may do"
)

// lost is a request that got no whole answer.
func (e *Executor) lost(err error) *failure {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err // its text would repeat the address
	}
	var dial *net.OpError
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return e.fail(sale.Timeout, "no answer in time", hintNet, false)
	case errors.As(err, &cert), errors.As(err, &record):
		return e.fail(sale.Unreachable, "no trusted connection: "+err.Error(), "see this machine's clock, its trusted certificates and any proxy", true)
	case errors.As(err, &dial) && dial.Op == "dial":
		return e.fail(sale.Unreachable, err.Error(), hintNet, true)
	}
	return e.fail(sale.Unreachable, "the connection ended without an answer: "+err.Error(), hintNet, false)
}

// refused is an answer that is not a success. A client error says that nothing changed; a server
// error, a timeout and a redirect don't.
func (e *Executor) refused(resp *http.Response, data []byte) *failure {
	code := resp.StatusCode
	said := ""
	if !strings.Contains(resp.Header.Get("Content-Type"), "html") && !bytes.HasPrefix(bytes.TrimSpace(data), []byte("<")) {
		said = ": " + string(data[:min(len(data), 600)])
	}
	line := strings.TrimSpace(strconv.Itoa(code)+" "+http.StatusText(code)) + strings.TrimSuffix(said, ": ")
	f := e.fail(sale.BadData, line, hintForeign, code/100 == 4 && code != http.StatusRequestTimeout)
	f.status = code
	f.problem.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	switch {
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		f.problem.Class, f.problem.Hint = sale.Auth, hintAuth
	case code == http.StatusNotFound, code == http.StatusGone:
		f.problem.Class, f.problem.Hint = sale.NotFound, "see the address in the config: nothing is there"
	case code == http.StatusTooManyRequests:
		f.problem.Class, f.problem.Hint = sale.Throttled, "the provider's limit is used up; wait"
		if f.problem.RetryAfter > 0 {
			e.limit.block(time.Now().Add(f.problem.RetryAfter))
		}
	case code >= 500:
		f.problem.Class, f.problem.Hint = sale.Failing, "the other side is itself in trouble: see its status page"
	case code/100 == 4:
		f.problem.Hint = "the other side does not take this call: see its body and address in the config"
	}
	return f
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// retryAfter reads the header, seconds or a date, up to an hour; 0 when it says nothing usable.
func retryAfter(header string, now time.Time) time.Duration {
	const most = time.Hour
	if n, err := strconv.ParseInt(strings.TrimSpace(header), 10, 64); err == nil {
		return time.Duration(min(max(n, 0), int64(most/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(now), 0), most)
	}
	return 0
}
