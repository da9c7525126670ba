package rds

import (
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

const (
	maxProblemText = 240 // cells
	hintEndpoint   = "check the endpoint, and any proxy in between: this is not the answer of RDS"
	hintClock      = "check this machine's clock: AWS accepts five minutes of error; then the secret key of "
)

func (s *Source) clean(text string) string { return s.cut(text, maxProblemText) }

// cut makes a foreign text fit to be shown in a number of cells.
func (s *Source) cut(text string, cells int) string {
	return sale.Clean(sources.Redact(text, s.opts.Secrets...), cells)
}

// problem puts a failed call into a class and words: the usual ones, and what is particular to
// a permission and a profile.
func (s *Source) problem(err error) *sale.Problem {
	about := sources.About{Secrets: s.opts.Secrets}
	status, after := 0, time.Duration(0)
	var resp *smithyhttp.ResponseError
	if errors.As(err, &resp) && resp.Response != nil && resp.Response.Response != nil {
		status, after = resp.HTTPStatusCode(), sources.ParseRetryAfter(resp.Response.Header.Get("Retry-After"), time.Now())
	}
	var (
		api      smithy.APIError
		sso      *ssocreds.InvalidTokenError
		decoding *smithy.DeserializationError
		p        sale.Problem
	)
	switch {
	case errors.As(err, &api) && api.ErrorCode() != "UnknownError":
		p = sources.Classify(err, about)
		p.RetryAfter = after
		s.refine(&p, api, err)
	case status >= 300:
		p = sources.Classify(&sources.StatusError{Status: status, RetryAfter: after}, about)
	case errors.As(err, &sso):
		p = sale.Problem{Class: sale.Auth, Text: s.clean(sso.Error()), Hint: "run: " + s.ssoLogin()}
	case errors.As(err, &decoding):
		p = sale.Problem{Class: sale.BadData, Text: s.clean(decoding.Error()), Hint: hintEndpoint}
	default:
		p = sources.Classify(err, about)
		if p.Class == sale.Auth {
			p.Hint = "give this source a profile that has credentials; to sign in: " + s.ssoLogin()
		}
	}
	return &p
}

// refine adds what AWS's own code tells a person to do.
func (s *Source) refine(p *sale.Problem, api smithy.APIError, err error) {
	code := api.ErrorCode()
	said, _, _ := strings.Cut(api.ErrorMessage(), "\n") // the rest repeats what was sent
	said, _, _ = strings.Cut(said, "The Canonical String")
	p.Text = s.clean(strings.TrimSuffix(code+": "+strings.TrimSpace(said), ": "))
	switch {
	case strings.Contains(code, "TimeTooSkewed"), code == "RequestExpired", code == "RequestInTheFuture", strings.Contains(code, "Signature"):
		p.Class, p.Hint = sale.Auth, hintClock+s.who()
	case strings.Contains(code, "Expired"), code == "TokenRefreshRequired":
		p.Class, p.Hint = sale.Auth, "the session has ended; run: "+s.ssoLogin()
	case strings.Contains(code, "AccessDenied"), strings.Contains(code, "Unauthorized"), strings.Contains(code, "NotAuthorized"):
		p.Class, p.Hint = sale.Auth, "allow "+permission(err)+" on all resources to "+s.who()
	case strings.Contains(code, "NotFound"):
		p.Class, p.Hint = sale.NotFound, "check the names of the instance and the cluster, the region ("+s.opts.Region+") and the account"
	case p.Class == sale.BadData:
		p.Hint = "AWS refused the request: see the names of the instance and the cluster in the config"
	case p.Class == sale.Throttled:
		p.Hint = "others share this account's limit in " + s.opts.Region + ": poll less often"
	}
}

// permission names what the refused call needs: the innermost operation, since credentials may
// be fetched (sts:AssumeRole) on the way.
func permission(err error) string {
	name := "rds:DescribeDBInstances"
	for {
		var op *smithy.OperationError
		if !errors.As(err, &op) {
			return name
		}
		service := strings.ToLower(strings.ReplaceAll(op.Service(), " ", ""))
		name = service + ":" + op.Operation()
		err = op.Err
	}
}

func (s *Source) ssoLogin() string {
	if s.opts.Profile == "" {
		return "aws sso login"
	}
	return "aws sso login --profile " + s.opts.Profile
}

func (s *Source) who() string {
	if s.opts.Profile == "" {
		return "the credentials in use"
	}
	return "profile " + s.opts.Profile
}
