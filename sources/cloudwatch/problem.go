package cloudwatch

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

const maxProblemText = 240 // cells

// Codes of AWS that need words of their own.
var (
	expiredCodes = []string{"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}
	clockCodes   = []string{"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"}
	// signatureCodes come for a wrong key, and for a clock that is off.
	signatureCodes = []string{"SignatureDoesNotMatch", "InvalidSignatureException"}
)

// problem puts a failed call into a class and words.
func (s *Source) problem(err error) *sale.Problem {
	p := describe(err, s.opts.Profile, s.opts.Secrets)
	return &p
}

// refused reports whether CloudWatch found fault with the call itself, so that leaving out a
// part of it may mend it.
func (s *Source) refused(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && s.problem(err).Class == sale.BadData
}

// clean makes CloudWatch's own words fit to be shown.
func (s *Source) clean(text string) string {
	return sale.Clean(sources.Redact(text, s.opts.Secrets...), maxProblemText)
}

// describe adds to the usual classes what is particular to AWS: the permission and the
// profile in question, how to renew a session, and a clock that is off.
func describe(err error, profile string, secrets []string) sale.Problem {
	about := sources.About{Secrets: secrets}
	status, after := httpStatus(err)
	var api smithy.APIError
	if !errors.As(err, &api) {
		return describeOther(err, status, after, profile, about)
	}
	p := sources.Classify(err, about)
	p.RetryAfter = after
	code := api.ErrorCode()
	switch {
	case slices.Contains(expiredCodes, code):
		p.Class, p.Hint = sale.Auth, "the session has ended; run: "+ssoLogin(profile)
	case slices.Contains(clockCodes, code):
		p.Class, p.Hint = sale.Auth, hintClock
	case slices.Contains(signatureCodes, code):
		// AWS appends the canonical request, which may hold a session token.
		said, _, _ := strings.Cut(api.ErrorMessage(), "\n")
		said, _, _ = strings.Cut(said, "The Canonical String")
		p.Class, p.Text = sale.Auth, sale.Clean(sources.Redact(code+": "+strings.TrimSpace(said), secrets...), maxProblemText)
		p.Hint = hintClock + "; then the secret key of " + who(profile)
	case status == http.StatusTooManyRequests, code == "LimitExceededFault":
		p.Class = sale.Throttled
	case strings.Contains(code, "AccessDenied"), strings.Contains(code, "Unauthorized"), strings.Contains(code, "NotAuthorized"):
		p.Class, p.Hint = sale.Auth, "allow "+permission(err)+" to "+who(profile)
	}
	if p.Class == sale.Throttled {
		p.Hint = "others share this account's quota of GetMetricData: poll less often, or ask for more (Service Quotas, monitoring)"
	}
	return p
}

func describeOther(err error, status int, after time.Duration, profile string, about sources.About) sale.Problem {
	var sso *ssocreds.InvalidTokenError
	var decoding *smithy.DeserializationError
	switch {
	case errors.As(err, &sso):
		return sale.Problem{Class: sale.Auth, Text: sale.Clean(sso.Error(), maxProblemText), Hint: "run: " + ssoLogin(profile)}
	case status >= 300:
		return sources.Classify(&sources.StatusError{Status: status, RetryAfter: after}, about)
	case errors.As(err, &decoding):
		return sale.Problem{
			Class: sale.BadData, Text: sale.Clean(sources.Redact(decoding.Error(), about.Secrets...), maxProblemText), Hint: hintEndpoint,
		}
	}
	p := sources.Classify(err, about)
	if p.Class == sale.Auth && !sources.Told(err) {
		p.Hint = "give this source a profile that has credentials; to sign in: " + ssoLogin(profile)
	}
	return p
}

const (
	hintClock    = "check this machine's clock: AWS accepts five minutes of error"
	hintEndpoint = "check the endpoint, and any proxy in between: this is not CloudWatch's answer"
)

// httpStatus returns the status of the answer that the error came with and its Retry-After;
// 0 when there was no answer.
func httpStatus(err error) (status int, after time.Duration) {
	var resp *smithyhttp.ResponseError
	if !errors.As(err, &resp) || resp.Response == nil || resp.Response.Response == nil {
		return 0, 0
	}
	return resp.HTTPStatusCode(), sources.ParseRetryAfter(resp.Response.Header.Get("Retry-After"), time.Now())
}

// permission names what the refused call needs: the innermost operation, since credentials
// may be fetched (sts:AssumeRole) on the way to CloudWatch.
func permission(err error) string {
	name := "cloudwatch:GetMetricData"
	for {
		var op *smithy.OperationError
		if !errors.As(err, &op) {
			return name
		}
		name = strings.ToLower(strings.ReplaceAll(op.Service(), " ", "")) + ":" + op.Operation()
		err = op.Err
	}
}

func ssoLogin(profile string) string {
	if profile == "" {
		return "aws sso login"
	}
	return "aws sso login --profile " + profile
}

func who(profile string) string {
	if profile == "" {
		return "the credentials in use"
	}
	return "profile " + profile
}
