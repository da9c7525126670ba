package login

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// ending is when a login ends for good: when somebody has to do something.
type ending struct {
	until  time.Time // zero: not known
	renews bool      // until is when it renews itself
	never  bool      // long-term keys: there is no end
	asked  bool      // it took a code from a person
}

// options are those of the SDK's own chain, in a region. Without chain the credentials come from
// elsewhere.
func (k *keeper) options(region string, chain bool) []func(*awsconfig.LoadOptions) error {
	options := []func(*awsconfig.LoadOptions) error{
		awsconfig.WithRegion(region),
		awsconfig.WithAssumeRoleCredentialOptions(k.assume),
		awsconfig.WithWebIdentityRoleCredentialOptions(func(o *stscreds.WebIdentityRoleOptions) {
			if o.RoleSessionName == "" {
				o.RoleSessionName = k.book.who
			}
		}),
	}
	if k.in.Profile != "" {
		options = append(options, awsconfig.WithSharedConfigProfile(k.in.Profile))
	}
	if c := k.in.Credentials; c != nil && chain {
		fixed := credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey.Reveal(), c.SessionToken.Reveal())
		options = append(options, awsconfig.WithCredentialsProvider(fixed))
	}
	return options
}

// loadFromMachine reads everything anew and makes the provider of the login.
func (k *keeper) loadFromMachine(ctx context.Context) (source, error) {
	shared := k.shared(ctx)
	options := k.options(k.in.Region, true)
	process := k.in.Credentials == nil && shared != nil && runsProcess(shared) && !k.environmentFirst()
	if process {
		options = append(options, awsconfig.WithCredentialsProvider(newProcess(leaf(shared).CredentialProcess)))
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return source{}, err
	}
	if process { // the SDK assumes no role on top of a provider that it is given
		cfg.Credentials = k.rolesOf(cfg, shared)
	}
	if k.in.Role != "" {
		cfg.Credentials = k.assumeDeclared(cfg)
	}
	var from []aws.CredentialSource
	if known, ok := cfg.Credentials.(aws.CredentialProviderSource); ok {
		from = known.ProviderSources()
	}
	return source{
		provider: cfg.Credentials,
		kind:     kindOf(from, k.in.Role != "" || shared != nil && shared.RoleARN != ""),
		ends:     func(creds aws.Credentials) ending { return endOf(creds, from, shared) },
	}, nil
}

// shared is the profile as the shared files have it now; nil where there is none.
func (k *keeper) shared(ctx context.Context) *awsconfig.SharedConfig {
	profile := k.in.Profile
	for _, name := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"} {
		if profile == "" {
			profile = os.Getenv(name)
		}
	}
	if profile == "" {
		profile = "default"
	}
	shared, err := awsconfig.LoadSharedConfigProfile(ctx, profile, func(o *awsconfig.LoadSharedConfigOptions) {
		all := files()
		o.ConfigFiles, o.CredentialsFiles = all[:1], all[1:2]
	})
	if err != nil {
		return nil
	}
	return &shared
}

// environmentFirst reports whether the SDK takes what the environment holds before any profile.
func (k *keeper) environmentFirst() bool {
	return k.in.Profile == "" && (os.Getenv("AWS_ACCESS_KEY_ID") != "" && os.Getenv("AWS_SECRET_ACCESS_KEY") != "" || os.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE") != "")
}

// leaf is the profile at the end of the chain of source_profile.
func leaf(shared *awsconfig.SharedConfig) *awsconfig.SharedConfig {
	for shared.Source != nil {
		shared = shared.Source
	}
	return shared
}

// runsProcess reports whether the SDK would run the profile's credential_process, by its own order of
// what it takes first.
func runsProcess(shared *awsconfig.SharedConfig) bool {
	l := leaf(shared)
	return l.CredentialProcess != "" && !l.Credentials.HasKeys() && l.CredentialSource == "" && l.WebIdentityTokenFile == "" &&
		l.SSOSession == nil && l.SSOStartURL == "" && l.LoginSession == ""
}

// rolesOf assumes the roles of a chain of profiles, from its end on.
func (k *keeper) rolesOf(cfg aws.Config, shared *awsconfig.SharedConfig) aws.CredentialsProvider {
	if shared.Source != nil {
		cfg.Credentials = k.rolesOf(cfg, shared.Source)
	}
	if shared.RoleARN == "" {
		return cfg.Credentials
	}
	return stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), shared.RoleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = shared.RoleSessionName
		if d := shared.RoleDurationSeconds; d != nil {
			o.Duration = *d
		}
		if shared.ExternalID != "" {
			o.ExternalID = &shared.ExternalID
		}
		if shared.MFASerial != "" {
			o.SerialNumber = &shared.MFASerial
		}
		o.CredentialSources = []aws.CredentialSource{aws.CredentialSourceProfileProcess, aws.CredentialSourceSTSAssumeRole}
		k.assume(o)
	})
}

// wantsCode reports whether the login needs a code from a person that it does not have yet.
func (k *keeper) wantsCode(ctx context.Context) bool {
	k.mu.Lock()
	usable := k.usable(time.Now())
	k.mu.Unlock()
	if usable {
		return false
	}
	if k.in.MFASerial != "" {
		return true
	}
	for s := k.shared(ctx); s != nil; s = s.Source {
		if s.MFASerial != "" {
			return k.in.Credentials == nil
		}
	}
	return false
}

func hasSource(from []aws.CredentialSource, any ...aws.CredentialSource) bool {
	return slices.ContainsFunc(from, func(s aws.CredentialSource) bool { return slices.Contains(any, s) })
}

var (
	fromSSO   = []aws.CredentialSource{aws.CredentialSourceSSO, aws.CredentialSourceSSOLegacy, aws.CredentialSourceProfileSSO, aws.CredentialSourceProfileSSOLegacy}
	fromLogin = []aws.CredentialSource{aws.CredentialSourceLogin, aws.CredentialSourceProfileLogin}
)

// kindOf names how a login gets its credentials.
func kindOf(from []aws.CredentialSource, role bool) string {
	kind := "aws key"
	switch {
	case hasSource(from, fromSSO...):
		kind = "aws sso"
	case hasSource(from, fromLogin...):
		kind = "aws login"
	case hasSource(from, aws.CredentialSourceProcess, aws.CredentialSourceProfileProcess):
		kind = "aws process"
	case hasSource(from, aws.CredentialSourceEnvVarsSTSWebIDToken, aws.CredentialSourceProfileSTSWebIDToken):
		return "aws web identity"
	case hasSource(from, aws.CredentialSourceHTTP):
		kind = "aws container"
	case hasSource(from, aws.CredentialSourceIMDS):
		kind = "aws instance"
	}
	if role {
		kind += ", role"
	}
	return kind
}

// endOf is when a login ends, by where its credentials come from. What renews itself on this machine
// alone has no end that a person must know; what a person logged in for has one, as far as it is told.
func endOf(creds aws.Credentials, from []aws.CredentialSource, shared *awsconfig.SharedConfig) ending {
	switch {
	case hasSource(from, fromSSO...):
		token := tokenOf(shared)
		if token.RefreshToken != "" { // until the session ends, which no file tells
			return ending{until: creds.Expires, renews: true}
		}
		if token.ExpiresAt.After(creds.Expires) { // they are fetched once more by then
			return ending{until: token.ExpiresAt}
		}
		return ending{until: creds.Expires}
	case !creds.CanExpire && creds.SessionToken == "":
		return ending{never: true}
	case !creds.CanExpire && hasSource(from, aws.CredentialSourceEnvVars): // aws configure export-credentials says it there
		at, _ := time.Parse(time.RFC3339, os.Getenv("AWS_CREDENTIAL_EXPIRATION"))
		return ending{until: at}
	case !creds.CanExpire:
		return ending{}
	}
	return ending{until: creds.Expires, renews: true}
}

// ssoToken is the part that matters of what aws sso login leaves in its cache.
type ssoToken struct {
	ExpiresAt    time.Time `json:"expiresAt"`
	RefreshToken string    `json:"refreshToken"`
}

func tokenOf(shared *awsconfig.SharedConfig) (t ssoToken) {
	if shared == nil {
		return t
	}
	l := leaf(shared)
	key := l.SSOStartURL
	if l.SSOSession != nil {
		key = l.SSOSession.Name
	}
	path, err := ssocreds.StandardCachedTokenFilepath(key)
	if err != nil {
		return t
	}
	data, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(data, &t) != nil {
		return ssoToken{}
	}
	return t
}
