package login

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

var (
	errAsking = errors.New("an MFA code is being asked for")
	errEnded  = errors.New("the credentials have ended")
)

const mostText = 240 // cells

func clean(text string) string { return sale.Clean(sources.Redact(text), mostText) }

// skewSaid is the skew from which on a clock is said to be off. AWS refuses more than five minutes.
const skewSaid = time.Minute

// explain puts what went wrong into a class and words. Nothing of the SDK's own error is kept beside.
func (k *keeper) explain(err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	p := k.problem(err)
	p.Text, p.Hint = clean(p.Text), clean(p.Hint)
	return &Error{p}
}

func (k *keeper) problem(err error) sale.Problem {
	auth := func(text, hint string) sale.Problem {
		return sale.Problem{Class: sale.Auth, Text: k.name + ": " + text, Hint: hint}
	}
	var sso *ssocreds.InvalidTokenError
	var profile awsconfig.SharedConfigProfileNotExistError
	var process *processError
	words := err.Error()
	says := func(parts ...string) bool { return containsAny(words, parts...) }
	switch {
	case errors.Is(err, errAsking):
		return auth("waits for an MFA code", "type the code that the screen asks for")
	case errors.Is(err, ErrDeclined):
		return auth("no MFA code was given", "palette (:), MFA code, asks again")
	case errors.Is(err, ErrNobody):
		return auth("this login wants an MFA code, and there is nobody to ask", "run it in a terminal, or give it a login without MFA: a role of this machine, credential_process, or keys of aws sts get-session-token")
	case errors.Is(err, errEnded):
		return auth("the credentials have ended", "renew them: "+k.signIn())
	case errors.As(err, &profile):
		return auth("no profile "+sale.Clean(profile.Profile, 40)+" on this machine", "aws configure list-profiles names those there are")
	case errors.As(err, &process):
		return auth(process.Error(), "run the profile's credential_process in a shell: it gets no terminal here and can't ask")
	case errors.As(err, &sso), says("cached SSO token", "refresh SSO token", "Session token not found or invalid"):
		return auth("the SSO session has ended, or there is none on this machine", "run: "+k.signIn()+"; onsale sees it within a minute, without a restart")
	case says("load login token", "validate login token", "create oauth2 token"):
		return auth("the session of aws login has ended, or there is none on this machine", "run: "+k.signIn()+"; onsale sees it within a minute, without a restart")
	case says("no EC2 IMDS role found", "failed to load credentials", "no valid providers in chain", "failed to refresh cached credentials, no EC2"):
		return auth("there are no AWS credentials on this machine", "name a profile: or a role: in the config, or run: "+k.signIn())
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		p := sources.Classify(err, sources.About{})
		p.Text = k.name + ": " + p.Text
		return p
	}
	return k.refusal(err, api)
}

// refusal is what STS or SSO answered, in words.
func (k *keeper) refusal(err error, api smithy.APIError) sale.Problem {
	p := sources.Classify(err, sources.About{})
	said, _, _ := strings.Cut(api.ErrorMessage(), "\n")
	said, _, _ = strings.Cut(said, "The Canonical String") // what follows may hold a token
	p.Text = k.name + ": " + strings.TrimSuffix(api.ErrorCode()+": "+strings.TrimSpace(said), ": ")
	code := api.ErrorCode()
	switch {
	case containsAny(code, "TimeTooSkewed", "RequestExpired", "InTheFuture") || strings.Contains(said, "Signature expired") || strings.Contains(said, "not yet current"):
		p.Class, p.Hint = sale.Auth, "set this machine's clock: AWS accepts five minutes of error"
		if skew, ok := skewIn(err); ok {
			p.Hint = "set this machine's clock, it is " + skewText(skew) + ": AWS accepts five minutes of error"
		}
	case isWrongCode(err):
		p.Class, p.Hint = sale.Auth, "see the device and its clock: AWS took none of the codes; palette (:), MFA code, asks again"
	case containsAny(code, "Expired", "TokenRefreshRequired"):
		p.Class, p.Hint = sale.Auth, "what the role is assumed with has ended: "+k.signIn()
	case containsAny(code, "AccessDenied") && strings.Contains(said, "SourceIdentity"):
		p.Class, p.Hint = sale.Auth, "allow sts:SetSourceIdentity in the role's trust policy, or take source_identity out of the config"
	case containsAny(code, "AccessDenied"):
		p.Class, p.Hint = sale.Auth, "see the role's trust policy, whether it wants MFA (mfa_serial), and sts:AssumeRole for whoever assumes it"
	case code == "ValidationError" && strings.Contains(said, "DurationSeconds"):
		p.Class, p.Hint = sale.Auth, "the role's maximum session is shorter: lower role_lasts, or duration_seconds of the profile"
	}
	return p
}

// skewIn is how far this machine's clock is ahead of the one that answered, by the answer's Date.
func skewIn(err error) (time.Duration, bool) {
	var resp *smithyhttp.ResponseError
	if !errors.As(err, &resp) || resp.Response == nil || resp.Response.Response == nil {
		return 0, false
	}
	at, parseErr := http.ParseTime(resp.Response.Header.Get("Date"))
	if parseErr != nil {
		return 0, false
	}
	skew := time.Since(at)
	return skew, skew.Abs() >= skewSaid
}

// skewText says how far a clock is off: "7:02 behind".
func skewText(ahead time.Duration) string {
	if ahead < 0 {
		return sale.FormatAge(-ahead) + " behind"
	}
	return sale.FormatAge(ahead) + " ahead"
}

// signIn is the command that renews the login, as far as the profile tells.
func (k *keeper) signIn() string {
	shared := k.shared(context.Background())
	if shared == nil || k.in.Credentials != nil {
		if k.in.Profile != "" && k.in.Credentials == nil {
			return "aws sso login --profile " + sale.Clean(k.in.Profile, 60)
		}
		return "give it new keys"
	}
	l := leaf(shared)
	command := ""
	switch {
	case l.SSOSession != nil || l.SSOStartURL != "":
		command = "aws sso login"
	case l.LoginSession != "":
		command = "aws login"
	case l.Credentials.HasKeys():
		return "new keys of the profile " + sale.Clean(l.Profile, 60) + " in the AWS credentials file"
	case l.CredentialProcess != "":
		return "see the credential_process of the profile " + sale.Clean(l.Profile, 60)
	default:
		return "see how the profile " + sale.Clean(l.Profile, 60) + " logs in"
	}
	if l.Profile != "" && l.Profile != "default" {
		command += " --profile " + sale.Clean(l.Profile, 60)
	}
	return command
}

func containsAny(text string, parts ...string) bool {
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}
