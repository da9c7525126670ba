package waitingroom

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

const (
	maxBody  = 1 << 20
	maxPages = 10
)

// api is the part of Cloudflare's REST API that acting needs.
type api struct {
	base, token string
	client      *http.Client
	budget      budget
}

// failure is a call that did not succeed. nothing says that nothing can have changed: Cloudflare
// said no, or was never reached.
type failure struct {
	problem sale.Problem
	nothing bool
}

func (f *failure) Error() string { return f.problem.Text }
func (f *failure) Unwrap() error { return &f.problem }

func (a *api) room(ctx context.Context, id string) (room, error) {
	var r room
	_, err := a.do(ctx, http.MethodGet, "/"+url.PathEscape(id), nil, &r)
	if err == nil {
		if bad := r.sound(); bad != nil {
			err = a.fail(sale.BadData, bad.Error(), "see the room in Cloudflare's dashboard", false)
		}
	}
	return r, err
}

// find looks a room up by its name.
func (a *api) find(ctx context.Context, name string) (room, error) {
	for page := 1; page <= maxPages; page++ {
		var some []room
		e, err := a.do(ctx, http.MethodGet, "?page="+strconv.Itoa(page)+"&per_page=1000", nil, &some)
		if err != nil {
			return room{}, err
		}
		for _, r := range some {
			if r.Name == name || r.ID == name {
				return r, nil
			}
		}
		if page >= e.ResultInfo.TotalPages {
			break
		}
	}
	return room{}, a.fail(sale.NotFound, fmt.Sprintf("there is no waiting room %q in the zone", name), "see the room's name and the zone in the config", true)
}

func (a *api) status(ctx context.Context, id string) (status, error) {
	var s status
	_, err := a.do(ctx, http.MethodGet, "/"+url.PathEscape(id)+"/status", nil, &s)
	return s, err
}

// events lists a room's events; a room has at most five.
func (a *api) events(ctx context.Context, id string) ([]event, error) {
	var all []event
	if _, err := a.do(ctx, http.MethodGet, "/"+url.PathEscape(id)+"/events", nil, &all); err != nil {
		return nil, err
	}
	for _, e := range all {
		if !plain(e.ID) || !plain(e.ModifiedOn) {
			return nil, a.fail(sale.BadData, "an event does not say what it is", "see the room's events in Cloudflare's dashboard", false)
		}
	}
	return all, nil
}

func (a *api) event(ctx context.Context, room, id string) (*event, error) {
	var e event
	if _, err := a.do(ctx, http.MethodGet, "/"+url.PathEscape(room)+"/events/"+url.PathEscape(id), nil, &e); err != nil {
		return nil, err
	}
	if !plain(e.ID) || !plain(e.ModifiedOn) {
		return nil, a.fail(sale.BadData, "the event does not say what it is", "see the event in Cloudflare's dashboard", false)
	}
	return &e, nil
}

// details is an event with the values that it inherits filled in.
func (a *api) details(ctx context.Context, room, id string) (*event, error) {
	var e event
	_, err := a.do(ctx, http.MethodGet, "/"+url.PathEscape(room)+"/events/"+url.PathEscape(id)+"/details", nil, &e)
	if err == nil && (e.NewUsersPerMinute == nil || e.TotalActiveUsers == nil) {
		err = a.fail(sale.BadData, "the event's details do not say its limits", "see the event in Cloudflare's dashboard", false)
	}
	return &e, err
}

// answer is what was read of a response.
type answer struct {
	envelope
	ray string // Cloudflare's own id of the request
}

// do sends one request, once. It follows no redirect: the token would travel along.
func (a *api) do(ctx context.Context, method, rest string, body map[string]any, into any) (answer, error) {
	write := method != http.MethodGet
	if err := ctx.Err(); err != nil {
		return answer{}, a.fail(sale.Timeout, "the time was up before anything was sent", "try again", true)
	}
	if wait := a.budget.take(time.Now(), write); wait > 0 {
		f := a.fail(sale.Throttled, "not sent: Cloudflare's limit of calls leaves no room for "+strconv.Itoa(seconds(wait))+" s", hintThrottled, true)
		f.problem.RetryAfter = wait
		return answer{}, f
	}
	req, err := a.request(ctx, method, rest, body)
	if err != nil {
		return answer{}, a.fail(sale.BadData, "the request can't be made: "+err.Error(), "see the address in the config", true)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return answer{}, a.lost(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	out := answer{ray: sale.Clean(resp.Header.Get("Cf-Ray"), 80)}
	switch {
	case resp.StatusCode/100 != 2:
		return out, a.refused(resp, data)
	case err != nil:
		return out, a.lost(err)
	case len(data) > maxBody:
		return out, a.fail(sale.BadData, "the answer is longer than 1 MiB", hintForeign, false)
	}
	out.envelope, err = open(data, into)
	if err != nil {
		return out, a.fail(sale.BadData, err.Error(), hintForeign, errors.Is(err, errSaidNo))
	}
	return out, nil
}

func (a *api) request(ctx context.Context, method, rest string, body map[string]any) (*http.Request, error) {
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		reader = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+rest, reader)
	if err != nil {
		return nil, err
	}
	req.GetBody = nil // without it net/http has nothing to send a second time
	req.Header.Set("Authorization", "Bearer "+a.token)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "onsale")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

const (
	hintWrite     = `the token needs "Waiting Rooms Write" for this zone (onsale doctor names it)`
	hintThrottled = "Cloudflare blocks all API calls of this user, the dashboard's too; wait, and stop what else uses the token"
	hintForeign   = "see the address in the config, and any proxy in between: this is not Cloudflare's answer"
	hintNet       = "see this machine's network, DNS and proxy"
	hintFailing   = "Cloudflare itself is in trouble: see cloudflarestatus.com; the dashboard may still work"
)

// fail makes a failure whose words are clean and hold no token.
func (a *api) fail(class sale.Class, text, hint string, nothing bool) *failure {
	if a.token != "" {
		text = strings.ReplaceAll(text, a.token, "[hidden]")
	}
	return &failure{problem: sale.Problem{Class: class, Text: sale.Clean(text, 240), Hint: hint}, nothing: nothing}
}

// lost is a request that got no whole answer.
func (a *api) lost(err error) *failure {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err // its text would repeat the address
	}
	var dial *net.OpError
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return a.fail(sale.Timeout, "no answer in time", hintNet, false)
	case errors.As(err, &cert), errors.As(err, &record):
		return a.fail(sale.Unreachable, "no trusted connection: "+err.Error(), "see this machine's clock, its trusted certificates and any proxy", true)
	case errors.As(err, &dial) && dial.Op == "dial":
		return a.fail(sale.Unreachable, err.Error(), hintNet, true)
	}
	return a.fail(sale.Unreachable, "the connection ended without an answer: "+err.Error(), hintNet, false)
}

// refused is an answer that is not a success. A client error says that nothing changed; a server
// error, a timeout and a redirect don't.
func (a *api) refused(resp *http.Response, data []byte) *failure {
	said := ""
	var e envelope
	if json.Unmarshal(data, &e) == nil && len(e.Errors) > 0 {
		said = " " + e.reason()
	}
	code := resp.StatusCode
	f := a.fail(sale.BadData, fmt.Sprintf("%d%s", code, or(said, " "+http.StatusText(code))), hintForeign, code/100 == 4 && code != http.StatusRequestTimeout)
	f.problem.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	switch {
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		f.problem.Class, f.problem.Hint = sale.Auth, hintWrite
	case code == http.StatusNotFound:
		f.problem.Class, f.problem.Hint = sale.NotFound, "see the room and the zone in the config, and that the plan has waiting rooms"
	case code == http.StatusTooManyRequests:
		f.problem.Class, f.problem.Hint = sale.Throttled, hintThrottled
		if f.problem.RetryAfter > 0 {
			a.budget.block(time.Now().Add(f.problem.RetryAfter))
			f.problem.Text = sale.Clean(fmt.Sprintf("%s; blocked for %d s more", f.problem.Text, seconds(f.problem.RetryAfter)), 240)
		}
	case code >= 500:
		f.problem.Class, f.problem.Hint = sale.Failing, hintFailing
	case code/100 == 4:
		f.problem.Hint = "Cloudflare does not take this value: see the room and its events in the dashboard"
	}
	return f
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
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
