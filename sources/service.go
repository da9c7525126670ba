package sources

import (
	"errors"
	"strings"

	"github.com/onsale-dev/onsale/sale"
)

// The errors of the AWS SDK, known by their methods: its packages stay out of this folder.
type (
	serviceError interface {
		error
		ErrorCode() string
		ErrorMessage() string
	}
	statusCoder interface {
		error
		HTTPStatusCode() int
	}
)

// byService classes by the service's own code, because AWS answers a throttle with 400 as
// often as with 429, and an expired token with 400 or 403.
func byService(err error, about About) (sale.Problem, bool) {
	var coded serviceError
	if !errors.As(err, &coded) || coded.ErrorCode() == "" {
		return byCredentials(err, about)
	}
	status := 0
	var with statusCoder
	if errors.As(err, &with) {
		status = with.HTTPStatusCode()
	}
	last, kind, wait := about.Meter.Last()
	if status == 0 {
		status = last
	}
	code := coded.ErrorCode()
	text := strings.TrimSuffix(code+": "+coded.ErrorMessage(), ": ")
	if strings.Contains(kind, "html") {
		text = "an HTML page instead of the API's answer"
	}
	p := statusProblem(max(status, 200), wait, "")
	p.Text = text
	switch {
	case code == "UnknownError" && status/100 != 2:
		p = statusProblem(status, wait, coded.ErrorMessage())
	case has(code, "Throttl", "TooManyRequests", "RequestLimitExceeded", "SlowDown", "LimitExceededException", "BandwidthLimit"):
		p.Class, p.Hint = sale.Throttled, "the account's API limit is used up: poll less often, or ask AWS for a higher quota"
	case has(code, "Expired"):
		p.Class, p.Hint = sale.Auth, "the credentials have expired: log in again (aws sso login) or renew them"
	case has(code, "AccessDenied", "Unauthorized", "NotAuthorized", "Forbidden", "AuthFailure", "InvalidSecurity"):
		p.Class, p.Hint = sale.Auth, "the role may not do this: grant the action that the text names"
	case has(code, "InvalidClientTokenId", "UnrecognizedClient", "SignatureDoesNotMatch", "MissingAuthenticationToken",
		"InvalidAccessKeyId", "OptInRequired", "InvalidSignature", "IncompleteSignature"):
		p.Class, p.Hint = sale.Auth, "AWS does not accept these credentials: see the profile, the keys, the region and this machine's clock"
	case has(code, "NotFound", "NonExistent", "DoesNotExist", "NoSuch"):
		p.Class, p.Hint = sale.NotFound, "see the names, the region and the account in the config: nothing is there"
	case has(code, "InternalFailure", "InternalError", "InternalServer", "InternalService", "ServiceUnavailable") || status >= 500:
		p.Class, p.Hint = sale.Failing, "the service itself is in trouble: see the AWS Health dashboard of the region"
	case status < 400 || status >= 500:
		p.Class, p.Hint = sale.BadData, hintForeign
	case p.Class == sale.BadData:
		p.Hint = "the service refused the request: see the names and values in the config"
	}
	return p, true
}

// byCredentials knows the errors that come before any request was signed.
func byCredentials(err error, _ About) (sale.Problem, bool) {
	text := err.Error()
	for _, sign := range []string{"get credentials", "refresh cached credentials", "retrieve credentials", "failed to get shared config profile", "SSO session has expired", "no EC2 IMDS role found"} {
		if i := strings.Index(text, sign); i >= 0 {
			return sale.Problem{
				Class: sale.Auth, Text: "no AWS credentials: " + text[i:],
				Hint: "log in (aws sso login) or set the profile, the role or the keys of this source",
			}, true
		}
	}
	return sale.Problem{}, false
}

func has(code string, parts ...string) bool {
	for _, part := range parts {
		if strings.Contains(code, part) {
			return true
		}
	}
	return false
}
