package ecs

import (
	"context"
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

const (
	maxProblemText = 240 // cells
	maxWarning     = 200 // cells, of what a warning quotes

	hintEndpoint = "check the endpoint, and any proxy in between: this is not the answer of ECS or Application Auto Scaling"
	hintNetwork  = "see the network and the endpoint, and this machine's DNS, VPN or proxy"
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

// sendError says what is known after a failed write: a *actions.RejectedError when nothing
// changed, else a *sale.Problem.
func (o *Options) sendError(err error) error {
	p := o.problem(err)
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

// saidNo reports whether AWS itself answered, in its own words, that it did not do it.
func saidNo(err error) bool {
	var api smithy.APIError
	var resp *smithyhttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &resp) || api.ErrorCode() == "UnknownError" {
		return false // an answer that is not AWS's own proves nothing
	}
	code := api.ErrorCode()
	switch status := resp.HTTPStatusCode(); {
	case throttles(code):
		return true
	case code == "ConcurrentUpdateException": // 500, yet modelled: another update is pending
		return true
	case strings.Contains(code, "Timeout"), code == "FailedResourceAccessException": // the target may be written, and its alarms not
		return false
	default:
		return status >= 400 && status < 500
	}
}

// throttles reports whether an error code means that a request was turned away unread.
func throttles(code string) bool {
	return slices.Contains([]string{
		"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
		"TooManyRequestsException", "RequestLimitExceeded", "SlowDown",
	}, code)
}

// problem puts a failed call into a class and words.
func (o *Options) problem(err error) sale.Problem {
	var (
		known    *sale.Problem
		api      smithy.APIError
		resp     *smithyhttp.ResponseError
		sso      *ssocreds.InvalidTokenError
		decoding *smithy.DeserializationError
		netErr   net.Error
		dns      *net.DNSError
	)
	text := o.clean(plain(err), maxProblemText)
	switch {
	case errors.As(err, &known):
		return *known
	case errors.As(err, &api) && api.ErrorCode() != "UnknownError":
		return o.said(api, err)
	case errors.As(err, &sso):
		return sale.Problem{Class: sale.Auth, Text: text, Hint: "run: " + o.login()}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.As(err, &netErr) && netErr.Timeout():
		return sale.Problem{Class: sale.Timeout, Text: "no answer in time", Hint: "AWS or the network is slow: read the service before you try again"}
	case errors.As(err, &resp) && resp.HTTPStatusCode() >= 500:
		return sale.Problem{Class: sale.Failing, Text: text, Hint: o.hintHealth()}
	case errors.As(err, &decoding), errors.As(err, &resp) && resp.HTTPStatusCode() > 0:
		return sale.Problem{Class: sale.BadData, Text: text, Hint: hintEndpoint}
	case errors.As(err, &dns):
		return sale.Problem{Class: sale.Unreachable, Text: o.clean("lookup "+dns.Name+": "+dns.Err, maxProblemText), Hint: hintNetwork}
	case strings.Contains(err.Error(), "get identity"), strings.Contains(err.Error(), "get credentials"), strings.Contains(err.Error(), "failed to refresh cached credentials"):
		return sale.Problem{Class: sale.Auth, Text: text, Hint: "give the act profile credentials; to sign in: " + o.login()}
	}
	return sale.Problem{Class: sale.Unreachable, Text: text, Hint: hintNetwork}
}

// said is AWS's own refusal, with what it tells a person to do.
func (o *Options) said(api smithy.APIError, err error) sale.Problem {
	code := api.ErrorCode()
	words, _, _ := strings.Cut(api.ErrorMessage(), "\n") // the rest repeats what was sent
	words, _, _ = strings.Cut(words, "The Canonical String")
	p := sale.Problem{Class: sale.BadData, Text: o.clean(strings.TrimSuffix(code+": "+strings.TrimSpace(words), ": "), maxProblemText)}
	var resp *smithyhttp.ResponseError
	switch {
	case throttles(code):
		p.Class, p.Hint = sale.Throttled, "AWS turned the request away and nothing changed; others share the account's limit: wait some seconds and press the key again"
	case strings.Contains(code, "TimeTooSkewed"), code == "RequestExpired", strings.Contains(code, "Signature"):
		p.Class, p.Hint = sale.Auth, "check this machine's clock: AWS accepts five minutes of error; then the secret key of "+o.who()
	case strings.Contains(code, "Expired"), code == "TokenRefreshRequired":
		p.Class, p.Hint = sale.Auth, "the session has ended; run: "+o.login()
	case strings.Contains(code, "AccessDenied"), strings.Contains(code, "Unauthorized"), strings.Contains(code, "NotAuthorized"):
		p.Class, p.Hint = sale.Auth, "allow "+permission(err)+" to "+o.who()+" (onsale iam prints the policy)"
	case strings.Contains(code, "InvalidClientTokenId"), strings.Contains(code, "UnrecognizedClient"):
		p.Class, p.Hint = sale.Auth, "AWS does not know the access key of "+o.who()
	case code == "ConcurrentUpdateException":
		p.Class, p.Hint = sale.Throttled, "another update of the target is going on and nothing changed: wait some seconds and press the key again"
	case code == "FailedResourceAccessException":
		p.Class, p.Hint = sale.Failing, "Application Auto Scaling could not reach the service or its alarms: see its service-linked role"
	case strings.HasPrefix(code, "LimitExceeded"):
		p.Hint = "a quota of the account is used up: see Service Quotas, Application Auto Scaling"
	case strings.Contains(code, "NotFound"), strings.Contains(code, "NotActive"):
		p.Class, p.Hint = sale.NotFound, "check the names of the cluster and the service, the region and the account in the config"
	case errors.As(err, &resp) && resp.HTTPStatusCode() >= 500:
		p.Class, p.Hint = sale.Failing, o.hintHealth()
	default:
		p.Hint = "AWS refused the values as they stand: compare them with the target's min and max capacity"
	}
	return p
}

func (o *Options) hintHealth() string {
	return "AWS itself is in trouble: see the AWS Health dashboard of " + o.region()
}

// permission names what the refused call needs: the innermost operation, since credentials may
// be fetched (sts:AssumeRole) on the way.
func permission(err error) string {
	name := "ecs:DescribeServices"
	for {
		var op *smithy.OperationError
		if !errors.As(err, &op) {
			return name
		}
		service := strings.ToLower(strings.ReplaceAll(op.Service(), " ", ""))
		if service == "applicationautoscaling" {
			service = "application-autoscaling"
		}
		name = service + ":" + op.Operation()
		err = op.Err
	}
}

func (o *Options) region() string {
	if o.Region == "" {
		return "the region"
	}
	return o.Region
}

func (o *Options) login() string {
	if o.Profile == "" {
		return "aws sso login"
	}
	return "aws sso login --profile " + o.Profile
}

func (o *Options) who() string {
	if o.Profile == "" {
		return "the credentials in use"
	}
	return "profile " + o.Profile
}

// plain is the error without the "Post https://…" of net/http in front.
func plain(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err.Error()
	}
	return err.Error()
}
