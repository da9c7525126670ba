// Package login is who onsale is towards AWS: one set of credentials for each login that a config
// names, shared by every client that uses it, those that read apart from those that act. It gets
// them in every way that the AWS SDK knows, asks a person for the code of an MFA device where one is
// wanted, takes in what another program has renewed, and knows when a login ends.
package login

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
)

// Options are what the logins of a program have in common. The zero value is good.
type Options struct {
	// Operator is who CloudTrail shall name; "" is the user of the operating system.
	Operator string
	// Asker asks a person for codes; nil: there is nobody to ask.
	Asker Asker
	// Waits lets a call wait for the person who is asked, within its own deadline: for a command that
	// has nothing else to do. A cockpit's calls fail at once instead, and say what they wait for.
	Waits bool
	// Log is told of logins that were renewed or failed, never of a secret; nil: nobody is.
	Log *slog.Logger
}

// Book holds the logins of a program. Its methods are safe for many goroutines.
type Book struct {
	options Options
	who     string // for RoleSessionName and SourceIdentity
	codes   codes

	mu      sync.Mutex
	keepers map[key]*keeper
	order   []*keeper
}

// key tells logins apart: what ends up as the same identity in the same way is one. The region is no
// part of it: credentials hold in all of them.
type key struct {
	acts                                              bool
	profile, role, externalID, serial, accessKey, end string
	identity                                          bool
	lasts                                             time.Duration
}

func keyOf(acts bool, in *config.AWS) key {
	k := key{
		acts: acts, profile: in.Profile, role: in.Role, externalID: in.ExternalID,
		serial: in.MFASerial, identity: in.SourceIdentity, lasts: in.RoleLasts,
	}
	if k.profile == "" && in.Credentials == nil {
		k.profile = os.Getenv("AWS_PROFILE")
	}
	if c := in.Credentials; c != nil {
		k.accessKey, k.end = c.AccessKeyID, c.SessionToken.Reveal()
	}
	return k
}

// NewBook makes an empty book.
func NewBook(o Options) *Book {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Operator == "" {
		if u, err := user.Current(); err == nil {
			o.Operator = u.Username
		}
	}
	return &Book{options: o, who: SessionName(o.Operator), keepers: map[key]*keeper{}, codes: newCodes(o.Asker)}
}

// Config makes the SDK's config of one login in one region. It may read the machine's files but sends
// nothing: credentials are fetched by the first call. Its Credentials are shared with every other
// config of the same login, readers' with readers' and controls' with controls'.
//
// An error is an *Error: the profile is not there, or the machine's files can't be read.
func (b *Book) Config(ctx context.Context, acts bool, in config.AWS) (aws.Config, error) {
	k := b.keeper(acts, in)
	cfg, err := awsconfig.LoadDefaultConfig(ctx, k.options(in.Region, true)...)
	if err != nil {
		return aws.Config{}, k.explain(err)
	}
	cfg.Credentials = k
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), k.listen)
	return cfg, nil
}

// keeper finds the keeper of a login, or makes it.
func (b *Book) keeper(acts bool, in config.AWS) *keeper {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := keyOf(acts, &in)
	k, ok := b.keepers[at]
	if !ok {
		k = newKeeper(b, acts, in)
		b.keepers[at] = k
		b.order = append(b.order, k)
	}
	return k
}

// all lists the keepers in the order in which they were first asked for.
func (b *Book) all() []*keeper {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.order)
}

// Ready fetches the credentials of every login that wants a code and has none yet, one after another,
// and waits for them: for a command that has somebody to ask and reads only once. Without an Asker it
// does nothing: each call says by itself what it lacks.
func (b *Book) Ready(ctx context.Context) {
	if b.options.Asker == nil {
		return
	}
	for _, k := range b.all() {
		if k.wantsCode(ctx) {
			_, _ = k.wait(ctx) // the calls that need it say why they can't be made
		}
	}
}

// Renew sees to it that every login that was asked for has credentials, and fetches anew those that
// are about to end or that another program has renewed. It waits for none of them.
func (b *Book) Renew() {
	for _, k := range b.all() {
		k.renew()
	}
}

// Again forgets that a person declined to give a code, or that nobody answered: whoever needs the
// login asks again. It reports whether there was any.
func (b *Book) Again() bool {
	any := false
	for _, k := range b.all() {
		any = k.again() || any
	}
	return any
}

// Declined reports whether a login waits for somebody to want it; see Again.
func (b *Book) Declined() bool {
	return slices.ContainsFunc(b.all(), (*keeper).isDeclined)
}

// Use is one use of a login by a source or a control.
type Use struct {
	Acts  bool
	In    config.AWS
	By    string    // the source's or the control's name
	Sales []sale.ID // that need it
}

// Standings says how the logins of some uses stand, those that read first, each once. One that nobody
// has asked for yet is left out.
func (b *Book) Standings(uses []Use) []sale.Login {
	var order []*keeper
	all := map[*keeper]*sale.Login{}
	for i := range uses {
		use := &uses[i]
		b.mu.Lock()
		k, ok := b.keepers[keyOf(use.Acts, &use.In)]
		b.mu.Unlock()
		if !ok {
			continue
		}
		if all[k] == nil {
			l := k.standing()
			all[k], order = &l, append(order, k)
		}
		l := all[k]
		l.UsedBy = append(l.UsedBy, use.By)
		for _, id := range use.Sales {
			if !l.For(id) {
				l.Sales = append(l.Sales, id)
			}
		}
	}
	slices.SortStableFunc(order, func(a, b *keeper) int {
		switch {
		case a.acts == b.acts:
			return 0
		case b.acts:
			return -1
		}
		return 1
	})
	list := make([]sale.Login, len(order))
	for i, k := range order {
		list[i] = *all[k]
	}
	return list
}

// Name is what people call a login: the last word of its role, its profile, or its access key.
func Name(in config.AWS) string {
	switch {
	case in.Role != "":
		return sale.Clean(in.Role[strings.LastIndex(in.Role, "/")+1:], 40)
	case in.Profile != "":
		return sale.Clean(in.Profile, 40)
	case in.Credentials != nil:
		return sale.Clean(in.Credentials.AccessKeyID, 40)
	}
	if p := os.Getenv("AWS_PROFILE"); p != "" {
		return sale.Clean(p, 40)
	}
	return "this machine"
}

// Error says why a login has no credentials, in words for a person. It wraps a *sale.Problem and
// nothing else: what the SDK said may hold what must not be shown.
type Error struct{ problem sale.Problem }

// Error is one clean line without secrets.
func (e *Error) Error() string { return fmt.Sprintf("aws credentials: %s", e.problem.Text) }

// Unwrap gives the *sale.Problem.
func (e *Error) Unwrap() error { return &e.problem }

// RetryableError tells the SDK that asking again at once is of no use.
func (*Error) RetryableError() bool { return false }
