package kubernetes

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

const (
	maxProblemText = 240 // cells
	maxWarning     = 200 // cells, of what a warning quotes

	hintEndpoint = "check the cluster's address, and any proxy in between: this is not the answer of a Kubernetes API server"
	hintNetwork  = "see the network and the cluster's address, and this machine's DNS, VPN or proxy"
)

// clean makes a foreign text fit to be shown in a number of cells.
func (o *Options) clean(text string, cells int) string {
	for _, secret := range o.Secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return sale.Clean(text, cells)
}

// statusOf is the server's own refusal; ok is false for anything that is not in its own words.
func statusOf(err error) (metav1.Status, bool) {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse) {
		return metav1.Status{}, false
	}
	return status.Status(), true
}

// saidNo reports whether the server itself answered that it did not do it.
func saidNo(err error) bool {
	s, ok := statusOf(err)
	return ok && s.Code >= 400 && s.Code < 500 && s.Reason != metav1.StatusReasonTimeout && s.Code != 408
}

// sendError says what is known after a failed write: a *actions.RejectedError when nothing
// changed, else a *sale.Problem. what names the permission.
func (o *Options) sendError(err error, what string) error {
	p := o.problem(err, what)
	var unsent *unsentError
	if errors.As(err, &unsent) {
		p.Text = sale.Clean("not sent: "+p.Text, maxProblemText)
		return &actions.RejectedError{Problem: p}
	}
	if saidNo(err) {
		return &actions.RejectedError{Problem: p}
	}
	return &p
}

// problem puts a failed call into a class and words. what is the permission it needs.
func (o *Options) problem(err error, what string) sale.Problem {
	var (
		known  *sale.Problem
		netErr net.Error
		u      *url.Error
		code   int32
	)
	if s, ok := statusOf(err); ok {
		return o.said(s, what)
	}
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		code = status.Status().Code
	}
	text := err.Error()
	if errors.As(err, &u) {
		text = u.Err.Error()
	}
	text = o.clean(text, maxProblemText)
	switch {
	case errors.As(err, &known):
		return *known
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.As(err, &netErr) && netErr.Timeout():
		return sale.Problem{Class: sale.Timeout, Text: "no answer in time", Hint: "the API server or the network is slow: read the object before you try again"}
	case code >= 500:
		return sale.Problem{Class: sale.Failing, Text: text, Hint: "the API server or what stands before it is in trouble: see its own health"}
	case code > 0, errors.Is(err, errTooLong):
		return sale.Problem{Class: sale.BadData, Text: text, Hint: hintEndpoint}
	case strings.Contains(err.Error(), "getting credentials"):
		return sale.Problem{Class: sale.Auth, Text: text, Hint: "sign in to the cluster again: the kubeconfig's credential helper failed"}
	case strings.Contains(err.Error(), "invalid character"), strings.Contains(err.Error(), "couldn't get version/kind"), strings.Contains(err.Error(), "cannot unmarshal"), strings.Contains(err.Error(), "Object 'Kind' is missing"), strings.Contains(err.Error(), "unexpected end of JSON"):
		return sale.Problem{Class: sale.BadData, Text: text, Hint: hintEndpoint}
	}
	return sale.Problem{Class: sale.Unreachable, Text: text, Hint: hintNetwork}
}

// said is the server's own refusal, with what it tells a person to do.
func (o *Options) said(s metav1.Status, what string) sale.Problem {
	p := sale.Problem{Class: sale.BadData, Text: o.clean(s.Message, maxProblemText)}
	if p.Text == "" {
		p.Text = o.clean(string(s.Reason), maxProblemText)
	}
	switch {
	case s.Reason == metav1.StatusReasonForbidden && strings.Contains(s.Message, "denied the request"):
		p.Hint = "an admission webhook or policy of the cluster forbids it: ask those who run it"
	case s.Reason == metav1.StatusReasonForbidden:
		p.Class, p.Hint = sale.Auth, "allow it to the service account in a Role: "+what
	case s.Reason == metav1.StatusReasonUnauthorized:
		p.Class, p.Hint = sale.Auth, "the token is missing, wrong or expired: renew it"
	case s.Reason == metav1.StatusReasonNotFound:
		p.Class, p.Hint = sale.NotFound, "check the names of the namespace and the Deployment, and the cluster in the config"
	case s.Reason == metav1.StatusReasonInvalid:
		p.Hint = "the server's validation refused the values: compare min and max"
	case s.Reason == metav1.StatusReasonTooManyRequests:
		p.Class, p.Hint = sale.Throttled, "the API server turned the request away and nothing changed: wait some seconds and press the key again"
	case s.Code >= 500:
		p.Class, p.Hint = sale.Failing, "the API server is in trouble: see its own health"
	default:
		p.Hint = "the API server refused the request as it stands"
	}
	return p
}
