package sources

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// maxText bounds a problem's text, in cells: it is one line of a screen.
const maxText = 240

func classify(err error, about About) sale.Problem {
	var p sale.Problem
	var known *sale.Problem
	switch {
	case errors.As(err, &known):
		p = *known
	default:
		p = byError(err, about)
	}
	p.Text = sale.Clean(redact(p.Text, about.Secrets), maxText)
	p.Hint = sale.Clean(redact(p.Hint, about.Secrets), maxText)
	if hint, ok := about.Hints[p.Class]; ok {
		p.Hint = hint
	}
	return p
}

// byError asks from the most certain to the least: what the answer said, then what the
// program itself decided, then the network, then the shape of the body.
func byError(err error, about About) sale.Problem {
	for _, ask := range []func(error, About) (sale.Problem, bool){
		bySize, byService, byStatus, byDeadline, byRedirect, byTLS, byNet, byShape,
	} {
		if p, ok := ask(err, about); ok {
			return p
		}
	}
	if status, _, wait := about.Meter.Last(); status != 0 && status/100 != 2 {
		return statusProblem(status, wait, "")
	}
	return sale.Problem{Class: sale.BadData, Text: plain(err), Hint: hintForeign}
}

const hintForeign = "see that the address is the API itself, not a page or proxy in front of it"

func bySize(err error, _ About) (sale.Problem, bool) {
	var tooLarge *BodyTooLargeError
	if !errors.As(err, &tooLarge) {
		return sale.Problem{}, false
	}
	return sale.Problem{Class: sale.BadData, Text: tooLarge.Error() + "; the rest was not read", Hint: "ask for less at once, or " + hintForeign}, true
}

func byStatus(err error, _ About) (sale.Problem, bool) {
	var status *StatusError
	if !errors.As(err, &status) {
		return sale.Problem{}, false
	}
	return statusProblem(status.Status, status.RetryAfter, saidIn(status)), true
}

// saidIn returns the words of an error body that a person can read: the message of a JSON
// object, or plain text. A page of HTML says nothing in one line.
func saidIn(e *StatusError) string {
	body := strings.TrimSpace(string(e.Body))
	if strings.HasPrefix(body, "<") || strings.Contains(e.Type, "html") {
		return "an HTML page"
	}
	var object map[string]any
	if json.Unmarshal(e.Body, &object) != nil {
		return body
	}
	for _, name := range []string{"error", "message", "Message", "error_description", "detail", "title"} {
		if text, ok := object[name].(string); ok && text != "" {
			return text
		}
	}
	if list, ok := object["errors"].([]any); ok && len(list) > 0 {
		if first, ok := list[0].(map[string]any); ok {
			if text, ok := first["message"].(string); ok {
				return text
			}
		}
	}
	return body
}

func statusProblem(status int, wait time.Duration, said string) sale.Problem {
	text := strings.TrimSpace(fmt.Sprintf("HTTP %d %s", status, http.StatusText(status)))
	if said != "" {
		text += ": " + said
	}
	p := sale.Problem{Class: sale.BadData, Text: text, RetryAfter: wait, Hint: hintForeign}
	switch {
	case status == http.StatusUnauthorized:
		p.Class, p.Hint = sale.Auth, "the credentials are missing, wrong or expired: renew them"
	case status == http.StatusForbidden:
		p.Class, p.Hint = sale.Auth, "the credentials are known but may not read this: grant the read permission"
	case status == http.StatusProxyAuthRequired:
		p.Class, p.Hint = sale.Auth, "the proxy wants a login: see HTTPS_PROXY and NO_PROXY"
	case status == http.StatusNotFound, status == http.StatusGone:
		p.Class, p.Hint = sale.NotFound, "see the path and the names in the config: nothing is there"
	case status == http.StatusTooManyRequests:
		p.Class, p.Hint = sale.Throttled, "others use the same limit: poll less often, or use credentials of its own"
	case status == http.StatusRequestTimeout:
		p.Class, p.Hint = sale.Timeout, hintSlow
	case status >= 500:
		p.Class, p.Hint = sale.Failing, "the system itself is in trouble: see its own status and logs"
	}
	return p
}

const hintSlow = "the system is overloaded, or a firewall drops the packets; a longer timeout helps only the first"

func byDeadline(err error, about About) (sale.Problem, bool) {
	switch {
	case errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		return sale.Problem{Class: sale.Timeout, Text: "stopped before the answer came"}, true
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, http.ErrHandlerTimeout), isTimeout(err):
	default:
		return sale.Problem{}, false
	}
	text := "no answer in time"
	if about.After > 0 {
		text = "no answer within " + about.After.Round(10*time.Millisecond).String()
	}
	if status, _, _ := about.Meter.Last(); status != 0 {
		text += ": an answer began and did not end"
	} else if op := (*net.OpError)(nil); errors.As(err, &op) && op.Op == "dial" {
		text += ": dial " + address(op)
	}
	return sale.Problem{Class: sale.Timeout, Text: text, Hint: hintSlow}, true
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

func address(op *net.OpError) string {
	if op.Addr == nil {
		return op.Net
	}
	return op.Net + " " + op.Addr.String()
}

func byRedirect(err error, _ About) (sale.Problem, bool) {
	var redirect *RedirectError
	if !errors.As(err, &redirect) {
		return sale.Problem{}, false
	}
	return sale.Problem{
		Class: sale.BadData, Text: redirect.Error(),
		Hint: "credentials never follow a redirect: if it is a login page, log in by token; else set the url to the final address",
	}, true
}

func byTLS(err error, _ About) (sale.Problem, bool) {
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		record   tls.RecordHeaderError
		alert    tls.AlertError
		verify   *tls.CertificateVerificationError
	)
	p := sale.Problem{Class: sale.Unreachable}
	switch {
	case errors.As(err, &unknown):
		p.Text = "TLS: the certificate is signed by an unknown authority"
		p.Hint = "name the authority's certificate in tls.ca, or mend the server's chain"
	case errors.As(err, &hostname):
		p.Text = "TLS: " + hostname.Error()
		p.Hint = "use the name that is in the certificate, or set tls.server_name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		p.Text = "TLS: the certificate has expired or is not yet valid"
		if invalid.Cert != nil {
			p.Text += " (valid " + invalid.Cert.NotBefore.UTC().Format(time.RFC3339) + " to " + invalid.Cert.NotAfter.UTC().Format(time.RFC3339) + ")"
		}
		p.Hint = "renew the server's certificate, or set this machine's clock"
	case errors.As(err, &invalid), errors.As(err, &verify):
		p.Text, p.Hint = "TLS: "+plain(err), "mend the server's certificate"
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		p.Text = "TLS: the server does not speak TLS on this port"
		p.Hint = "use http:// if that is meant, or the TLS port"
	case errors.As(err, &alert), strings.Contains(err.Error(), "remote error: tls:"):
		p.Class = sale.Auth
		p.Text, p.Hint = plain(err), "the server refused our side of TLS: it may want a client certificate (tls.cert, tls.key)"
	default:
		return p, false
	}
	return p, true
}

func byNet(err error, about About) (sale.Problem, bool) {
	var dns *net.DNSError
	var op *net.OpError
	p := sale.Problem{Class: sale.Unreachable, Text: plain(err)}
	status, _, _ := about.Meter.Last()
	switch {
	case errors.As(err, &dns):
		p.Text = "lookup " + dns.Name + ": " + dns.Err
		p.Hint = "see the host name in the config, and this machine's DNS or VPN"
	case errors.Is(err, syscall.ECONNREFUSED):
		p.Hint = "nothing listens there: is it running, and is the port right?"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		p.Hint = "there is no route: see the VPN, the address and the firewall"
	case isCut(err) && status != 0:
		p.Class, p.Text = sale.BadData, "the answer was cut short: "+plain(innermost(err))
		p.Hint = "the system or a proxy in front of it ended the connection: see their logs and time limits"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(err.Error(), "server closed idle connection"):
		p.Text = "the connection was closed without an answer: " + plain(innermost(err))
		p.Hint = "the system or a proxy in front of it ended the connection: see their logs and time limits"
	case errors.As(err, &op):
		p.Hint = "see the address and the network"
	default:
		return p, false
	}
	return p, true
}

func isCut(err error) bool {
	var cut *cutError
	return errors.As(err, &cut) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
}

func byShape(err error, about About) (sale.Problem, bool) {
	var syntax *json.SyntaxError
	var shape *json.UnmarshalTypeError
	_, kind, _ := about.Meter.Last()
	p := sale.Problem{Class: sale.BadData, Hint: hintForeign}
	switch {
	case strings.Contains(kind, "html"):
		p.Text = "an HTML page instead of the API's answer"
	case errors.As(err, &syntax):
		p.Text = "not the API's answer: " + syntax.Error()
	case errors.As(err, &shape):
		p.Text = "an answer of another shape: " + shape.Error()
	default:
		return p, false
	}
	return p, true
}

// plain is the error in its own words without the "Get https://…" of net/http in front.
func plain(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err.Error()
	}
	return err.Error()
}

func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
