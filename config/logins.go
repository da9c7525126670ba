package config

import (
	"fmt"
	"strings"
	"time"
)

// Reading and acting hold separate credentials: a token that polls can't act, and a poller that
// is throttled can't take the pause key with it. What follows holds a file to that.

// heldSecret is a secret that was read, and where.
type heldSecret struct {
	at    *node
	value string
}

// ownSecrets refuses a secret of a control that a source reads with.
func (r *reader) ownSecrets(name string, reads, acts []heldSecret) {
	for _, act := range acts {
		for _, read := range reads {
			if act.at.text == read.at.text || act.value == read.value {
				r.wrong(act.at, fmt.Sprintf("the control %q would act with a credential that a source reads with", name),
					"make a second one that may write, and leave the first one to read", see(read.at, "a source reads with it"))
				break
			}
		}
	}
}

// ownLogin refuses a control that logs in as a source does, or an AWS one that names no login.
func (r *reader) ownLogin(c *Control, e entry) {
	shared := func(s *Source) {
		r.wrong(e.value.keyOf("kind"), fmt.Sprintf("the control %q logs in as the source %q does", c.Name, s.Name),
			"give it a profile:, role:, credentials: or context: of its own, with leave to write")
	}
	if k := c.Kubernetes; k != nil {
		for i := range r.known {
			if s := &r.known[i]; s.Kubernetes != nil && s.Kubernetes.Cluster == k.Cluster {
				shared(s)
				return
			}
		}
	}
	a := c.aws()
	if a == nil {
		return
	}
	who := a.who()
	named := e.value.get("profile") != nil || e.value.get("role") != nil || e.value.get("credentials") != nil
	if who == "" && !named {
		r.wrong(e.value.keyOf("kind"), fmt.Sprintf("the control %q names no login of its own", c.Name), "add profile:, role: or credentials: with leave to write; sources keep theirs")
		return
	}
	for i := range r.known {
		s := &r.known[i]
		for _, login := range s.awsLogins() {
			if who != "" && login.who() == who {
				shared(s)
				return
			}
		}
	}
}

// who is the identity that a login ends up as, in one word; "" is whoever the machine is.
func (a AWS) who() string {
	switch {
	case a.Role != "":
		return "role " + a.Role
	case a.Credentials != nil:
		return "key " + a.Credentials.AccessKeyID
	case a.Profile != "":
		return "profile " + a.Profile
	default:
		return ""
	}
}

// account holds AWS controls to the account that actions are bound to.
func (r *reader) account(in *configFile) {
	for i := range r.acting {
		c := &r.acting[i]
		a := c.aws()
		if a == nil {
			continue
		}
		at := in.Controls.at.get(c.Name)
		if in.at.get("account") == nil {
			r.wrong(at.keyOf("kind"), fmt.Sprintf("the control %q acts on AWS, and the config names no account", c.Name), `add account: "123456789012" at the top: actions refuse any other`)
			return
		}
		if parts := strings.SplitN(a.Role, ":", 6); in.Account.given() && len(parts) == 6 && parts[4] != in.Account.S {
			r.wrong(at.get("role"), fmt.Sprintf("the role is of the account %s, and actions are bound to %s", parts[4], in.Account.S), "use a role of that account", see(in.Account.at, "the account"))
		}
	}
}

// The bounds of a role's session: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const (
	minRole = 15 * time.Minute
	maxRole = 12 * time.Hour
)

// assuming reads how a role is assumed.
func (r *reader) assuming(a *AWS, in awsIn) {
	a.MFASerial, a.RoleLasts, a.SourceIdentity = in.MFASerial.S, in.RoleLasts.V, in.Identity.V
	if in.MFASerial.given() && !in.Role.given() {
		r.wrong(in.MFASerial.at, `"mfa_serial" is for a role`, "add role: arn:aws:iam::…, or write mfa_serial into the profile")
	}
	if in.RoleLasts.given() && !in.Role.given() {
		r.wrong(in.RoleLasts.at, `"role_lasts" is for a role`, "add role: arn:aws:iam::…, or write duration_seconds into the profile")
	} else if in.RoleLasts.given() && (a.RoleLasts < minRole || a.RoleLasts > maxRole) {
		r.wrong(in.RoleLasts.at, `"role_lasts" is out of range`, "give 15m to 12h, and no more than the role's own maximum session")
	}
	if in.Identity.V && !in.Role.given() && !in.Profile.given() {
		r.wrong(in.Identity.at, `"source_identity" is for a role`, "add role: or a profile: that assumes one")
	}
}

// AWSLogins lists how the source logs in to AWS; none when it doesn't.
func (s *Source) AWSLogins() []AWS { return s.awsLogins() }

// AWSLogin is how the control logs in to AWS; nil when it doesn't.
func (c *Control) AWSLogin() *AWS { return c.aws() }
