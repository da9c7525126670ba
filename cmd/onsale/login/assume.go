package login

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// roleLasts is how long the credentials of a role are asked for unless somebody says otherwise: the
// shortest maximum that a role can have, and the most for a role that another one assumes. The SDK
// would ask for 15 minutes, which is a code from the MFA device four times an hour.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const roleLasts = time.Hour

const (
	tool = "@onsale"
	// mostSession is the most that RoleSessionName and SourceIdentity take: [\w+=,.@-]{2,64}.
	mostSession = 64
)

var notInSession = regexp.MustCompile(`[^\w+=,.@-]`)

// SessionName is who it was, as CloudTrail shows it: "ivana@onsale", in the 2 to 64 characters
// [\w+=,.@-] that STS takes.
func SessionName(operator string) string {
	name := notInSession.ReplaceAllString(strings.TrimSpace(operator), "-")
	if name == "" {
		name = "unknown"
	}
	return name[:min(len(name), mostSession-len(tool))] + tool
}

// assume is what every role is assumed with, whether a profile or the config names it. It runs after
// what the profile itself says.
func (k *keeper) assume(o *stscreds.AssumeRoleOptions) {
	if o.RoleSessionName == "" {
		o.RoleSessionName = k.book.who
	}
	if o.Duration == 0 {
		o.Duration = roleLasts
	}
	if k.in.SourceIdentity && k.in.Role == "" { // else it is the role of the config that carries it
		o.SourceIdentity = aws.String(k.book.who)
	}
	o.TokenProvider = func() (string, error) { return k.code(aws.ToString(o.SerialNumber)) }
}

// assumeDeclared makes the provider of the role that the config names, on top of whoever cfg is.
func (k *keeper) assumeDeclared(cfg aws.Config) aws.CredentialsProvider {
	var on []aws.CredentialSource
	if base, ok := cfg.Credentials.(aws.CredentialProviderSource); ok {
		on = base.ProviderSources()
	}
	return stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), k.in.Role, func(o *stscreds.AssumeRoleOptions) {
		o.CredentialSources = on
		o.RoleSessionName, o.Duration = k.book.who, roleLasts
		if k.in.RoleLasts > 0 {
			o.Duration = k.in.RoleLasts
		}
		if k.in.ExternalID != "" {
			o.ExternalID = &k.in.ExternalID
		}
		if k.in.SourceIdentity {
			o.SourceIdentity = aws.String(k.book.who)
		}
		if serial := k.in.MFASerial; serial != "" {
			o.SerialNumber = &serial
			o.TokenProvider = func() (string, error) { return k.code(serial) }
		}
	})
}

// Asker asks a person for the code of an MFA device.
type Asker interface {
	// Code returns six digits. An error says why there are none: ErrDeclined, ErrNobody, or that the
	// context ended. One question is asked at a time.
	Code(ctx context.Context, q Question) (string, error)
}

// Question is what a person is asked. Its texts are clean.
type Question struct {
	Login  string // "hr-act"
	Acts   bool   // the login is for acting
	Serial string // of the device: an ARN, or a serial number
	Wrong  string // why the code before it was not taken; empty for the first
}

// The reasons why there is no code.
var (
	ErrDeclined = errors.New("no MFA code was given")
	ErrNobody   = errors.New("there is no terminal to ask for an MFA code")
)

// codes hands questions to the asker, one at a time, and remembers which codes were used: AWS takes
// each only once. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa.html
type codes struct {
	asker Asker
	turn  chan struct{} // holds one: whoever has it may ask

	mu   *sync.Mutex
	used map[string]string // by device
}

func newCodes(asker Asker) codes {
	return codes{asker: asker, turn: make(chan struct{}, 1), mu: &sync.Mutex{}, used: map[string]string{}}
}

func (c *codes) lastOf(serial string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used[serial]
}

func (c *codes) use(serial, code string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used[serial] = code
}

var sixDigits = regexp.MustCompile(`^[0-9]{6}$`)

// code asks for a code on behalf of the fetch that is under way.
func (k *keeper) code(serial string) (string, error) {
	c := &k.book.codes
	if c.asker == nil {
		return "", ErrNobody
	}
	ctx := k.fetching()
	k.asks(true)
	defer k.asks(false)
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	q := Question{Login: k.name, Acts: k.acts, Serial: clean(serial), Wrong: k.wrongCode()}
	for {
		code, err := c.asker.Code(ctx, q)
		switch {
		case err != nil:
			return "", err
		case !sixDigits.MatchString(code):
			q.Wrong = "a code is six digits"
		case code == c.lastOf(serial):
			q.Wrong = "AWS takes each code only once: wait for the next one"
		default:
			c.use(serial, code)
			return code, nil
		}
	}
}

// isWrongCode reports whether STS refused a role for the code alone.
func isWrongCode(err error) bool {
	return err != nil && strings.Contains(err.Error(), "MultiFactorAuthentication failed")
}
