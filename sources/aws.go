package sources

import (
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/onsale-dev/onsale/sale"
)

// AWS puts failed calls of one of AWS's services into a class and words: the usual ones, and what is
// particular to a permission, a session and a profile.
type AWS struct {
	Profile, Region string
	Secrets         []string // never shown

	Endpoint string // the hint for an answer that is none of the service's
	Reads    string // the permission to name where an error names no operation, as rds:DescribeDBInstances
	On       string // what the permission is for, as " on all resources"; may be ""
	Refused  string // the hint for a request that AWS finds fault with; "" leaves the usual one
	// Own gives a code of the service's own its class and hint and reports whether it did; may be nil.
	Own func(code string, p *sale.Problem) bool
}

// maxAWSText is how many cells of AWS's own words are shown.
const maxAWSText = 240

// Clean makes a foreign text fit to be shown in a number of cells.
func (a *AWS) Clean(text string, cells int) string {
	return sale.Clean(Redact(text, a.Secrets...), cells)
}

// Problem tells of a failed call.
func (a *AWS) Problem(err error) *sale.Problem {
	about := About{Secrets: a.Secrets}
	status, after := 0, time.Duration(0)
	var resp *smithyhttp.ResponseError
	if errors.As(err, &resp) && resp.Response != nil && resp.Response.Response != nil {
		status, after = resp.HTTPStatusCode(), ParseRetryAfter(resp.Response.Header.Get("Retry-After"), time.Now())
	}
	var (
		api      smithy.APIError
		sso      *ssocreds.InvalidTokenError
		decoding *smithy.DeserializationError
		p        sale.Problem
	)
	switch {
	case errors.As(err, &api) && api.ErrorCode() != "UnknownError":
		p = Classify(err, about)
		p.RetryAfter = after
		a.refine(&p, api, err)
	case status >= 300:
		p = Classify(&StatusError{Status: status, RetryAfter: after}, about)
	case errors.As(err, &sso):
		p = sale.Problem{Class: sale.Auth, Text: a.Clean(sso.Error(), maxAWSText), Hint: "run: " + a.ssoLogin()}
	case errors.As(err, &decoding):
		p = sale.Problem{Class: sale.BadData, Text: a.Clean(decoding.Error(), maxAWSText), Hint: a.Endpoint}
	default:
		p = Classify(err, about)
		if p.Class == sale.Auth && !Told(err) {
			p.Hint = "give this source a profile that has credentials; to sign in: " + a.ssoLogin()
		}
	}
	return &p
}

// refine adds what AWS's own code tells a person to do.
func (a *AWS) refine(p *sale.Problem, api smithy.APIError, err error) {
	code := api.ErrorCode()
	said, _, _ := strings.Cut(api.ErrorMessage(), "\n") // the rest repeats what was sent
	said, _, _ = strings.Cut(said, "The Canonical String")
	p.Text = a.Clean(strings.TrimSuffix(code+": "+strings.TrimSpace(said), ": "), maxAWSText)
	switch {
	case a.Own != nil && a.Own(code, p):
	case strings.Contains(code, "TimeTooSkewed"), code == "RequestExpired", code == "RequestInTheFuture", strings.Contains(code, "Signature"):
		p.Class, p.Hint = sale.Auth, "check this machine's clock: AWS accepts five minutes of error; then the secret key of "+a.who()
	case strings.Contains(code, "Expired"), code == "TokenRefreshRequired":
		p.Class, p.Hint = sale.Auth, "the session has ended; run: "+a.ssoLogin()
	case strings.Contains(code, "AccessDenied"), strings.Contains(code, "Unauthorized"), strings.Contains(code, "NotAuthorized"):
		p.Class, p.Hint = sale.Auth, "allow "+a.permission(err)+a.On+" to "+a.who()
	case p.Class == sale.BadData && a.Refused != "":
		p.Hint = a.Refused
	case p.Class == sale.Throttled:
		p.Hint = "others share this account's limit in " + a.Region + ": poll less often"
	}
}

// prefixes of permissions that are not the service's name in the SDK.
var prefixes = map[string]string{"applicationautoscaling": "application-autoscaling", "elasticloadbalancingv2": "elasticloadbalancing"}

// permission names what the refused call needs: the innermost operation, since credentials may
// be fetched (sts:AssumeRole) on the way.
func (a *AWS) permission(err error) string {
	name := a.Reads
	for {
		var op *smithy.OperationError
		if !errors.As(err, &op) {
			return name
		}
		service := strings.ToLower(strings.ReplaceAll(op.Service(), " ", ""))
		if prefix, ok := prefixes[service]; ok {
			service = prefix
		}
		name = service + ":" + op.Operation()
		err = op.Err
	}
}

func (a *AWS) ssoLogin() string {
	if a.Profile == "" {
		return "aws sso login"
	}
	return "aws sso login --profile " + a.Profile
}

func (a *AWS) who() string {
	if a.Profile == "" {
		return "the credentials in use"
	}
	return "profile " + a.Profile
}
