package login

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
)

const (
	// early is how long before their end credentials are fetched anew, while they still hold.
	early = 5 * time.Minute
	// lookEvery is how often the machine's files are looked at, at most.
	lookEvery = time.Second
	// firstRest and mostRest are how long a login that failed is left alone, unless a file changed.
	firstRest = 10 * time.Second
	mostRest  = time.Minute
	// patience bounds one fetch, codePatience one that waits for a person.
	patience     = time.Minute
	codePatience = 15 * time.Minute
	// mostCodes is how often a code that AWS does not take may be given again in one fetch.
	mostCodes = 3
)

// keeper holds the credentials of one login for all of its clients. It is the SDK's provider and its
// cache in one: the SDK's own cache does not look at the machine's files again, so what another
// program renews would be seen after a restart only
// (https://github.com/aws/aws-sdk-go-v2/issues/2135).
type keeper struct {
	book *Book
	in   config.AWS
	acts bool
	name string
	// load reads the machine's files and makes a provider; stamp changes when one of them does.
	load  func(context.Context) (source, error)
	stamp func() string

	mu       sync.Mutex
	creds    aws.Credentials
	has      bool
	end      ending
	fetched  time.Time
	due      time.Time // when they are to be fetched anew; zero: never by themselves
	kind     string
	mend     string // what renews it
	stamped  string // of the files that were read last
	newest   string // as the files are now
	looked   time.Time
	flight   *flight
	asking   bool
	wrong    string // why the last code was not taken
	err      *Error
	failures int
	rest     time.Time // until then it isn't tried again
	declined bool      // a person has to want it
	refused  *sale.Problem
	refetch  time.Time // from then on credentials that AWS refuses may be fetched anew
	skew     time.Duration
}

// source is what load makes: where credentials come from, and when they end for good.
type source struct {
	provider aws.CredentialsProvider
	kind     string
	ends     func(aws.Credentials) ending
}

// flight is one fetch, for all who wait for it.
type flight struct {
	ctx   context.Context
	must  bool // what is held may be dead already: wait for this
	code  bool // a person was asked
	timer *time.Timer
	asked chan struct{} // closed when a person is asked
	done  chan struct{}
}

func newKeeper(b *Book, acts bool, in config.AWS) *keeper {
	k := &keeper{book: b, in: in, acts: acts, name: Name(in), kind: "aws"}
	k.load, k.stamp = k.loadFromMachine, stampOf
	return k
}

// Retrieve gives the credentials. It waits for a fetch only where there are none that hold: while
// they are renewed ahead of their end, the old ones are used. Nobody waits for a person.
func (k *keeper) Retrieve(ctx context.Context) (aws.Credentials, error) {
	k.mu.Lock()
	now := time.Now()
	f := k.look(now)
	if k.usable(now) && (f == nil || !f.must) || f == nil {
		defer k.mu.Unlock()
		return k.held(now)
	}
	k.mu.Unlock()
	asked := f.asked
	if k.book.options.Waits {
		asked = nil
	}
	select {
	case <-f.done:
	case <-asked:
	case <-ctx.Done():
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.flight == f && !k.usable(time.Now()) && !k.asking {
		return aws.Credentials{}, ctx.Err()
	}
	return k.held(time.Now())
}

// held is what there is now, with the lock held.
func (k *keeper) held(now time.Time) (aws.Credentials, error) {
	switch {
	case k.usable(now):
		return k.creds, nil
	case k.asking:
		return aws.Credentials{}, k.explain(errAsking)
	case k.err != nil:
		return aws.Credentials{}, k.err
	}
	return aws.Credentials{}, k.explain(errEnded)
}

// wait gives the credentials, and waits for a person where one is asked.
func (k *keeper) wait(ctx context.Context) (aws.Credentials, error) {
	k.mu.Lock()
	f := k.look(time.Now())
	k.mu.Unlock()
	if f != nil {
		select {
		case <-f.done:
		case <-ctx.Done():
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.held(time.Now())
}

func (k *keeper) renew() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.look(time.Now())
}

// again lets a login be tried that a person declined.
func (k *keeper) again() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	was := k.declined
	if was {
		k.declined, k.rest = false, time.Time{}
	}
	return was
}

func (k *keeper) isDeclined() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.declined
}

func (k *keeper) usable(now time.Time) bool {
	return k.has && (!k.creds.CanExpire || now.Before(k.creds.Expires))
}

// look decides whether something is to be fetched and returns the fetch that is under way, or nil.
// The lock is held.
func (k *keeper) look(now time.Time) *flight {
	if k.flight != nil {
		return k.flight
	}
	if now.Sub(k.looked) >= lookEvery || now.Before(k.looked) {
		k.newest, k.looked = k.stamp(), now
	}
	tried := k.has || k.err != nil
	// Credentials that took a code from a person are left alone while they hold, whatever changes.
	changed := tried && k.newest != k.stamped && (k.err != nil || k.refused != nil || !k.end.asked)
	refused := k.refused != nil && !now.Before(k.refetch)
	switch {
	case !tried, changed:
	case k.err != nil && (k.declined || now.Before(k.rest)):
		return nil
	case k.err != nil, refused:
	case !k.due.IsZero() && !now.Before(k.due):
	default:
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	f := &flight{ctx: ctx, must: changed || refused, asked: make(chan struct{}), done: make(chan struct{})}
	f.timer = time.AfterFunc(patience, cancel)
	k.flight = f
	go func() {
		defer cancel()
		k.fly(f)
	}()
	return f
}

// fly fetches, and takes in what came of it. The stamp is taken before anything is read: what is
// renewed meanwhile is a change.
func (k *keeper) fly(f *flight) {
	defer close(f.done)
	defer f.timer.Stop()
	stamp := k.stamp()
	var src source
	var creds aws.Credentials
	err := errors.New("nothing was fetched")
	func() {
		defer func() {
			if caught := recover(); caught != nil {
				err = fmt.Errorf("internal error: %v", caught)
			}
		}()
		for try := 1; ; try++ {
			if src, err = k.load(f.ctx); err == nil {
				creds, err = src.provider.Retrieve(f.ctx)
			}
			if !isWrongCode(err) || try == mostCodes {
				return
			}
			k.mu.Lock()
			k.wrong = "AWS did not take it: type the code that the device shows now"
			k.mu.Unlock()
		}
	}()
	k.settle(f, src, creds, stamp, err)
}

func (k *keeper) settle(f *flight, src source, creds aws.Credentials, stamp string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	k.flight, k.asking, k.wrong = nil, false, ""
	k.stamped = stamp
	if err == nil && creds.CanExpire && !now.Before(creds.Expires) {
		err = errEnded
	}
	if err != nil {
		k.err = k.explain(err)
		k.declined = errors.Is(err, ErrDeclined) || errors.Is(err, ErrNobody) || f.code && f.ctx.Err() != nil
		k.rest = now.Add(min(firstRest<<min(k.failures, 8), mostRest))
		k.failures++
		k.book.options.Log.Warn("login", "name", k.name, "problem", k.err.problem.Text, "mend", k.err.problem.Hint)
		return
	}
	if k.refused != nil && k.has && creds.AccessKeyID == k.creds.AccessKeyID && creds.SessionToken == k.creds.SessionToken {
		k.refetch = now.Add(mostRest) // what AWS refuses is all that there is
	} else {
		k.refused = nil
	}
	k.creds, k.has, k.err, k.failures, k.declined, k.fetched = creds, true, nil, 0, false, now
	k.kind, k.end, k.mend = src.kind, src.ends(creds), k.signIn()
	k.end.asked = f.code
	if f.code {
		k.end.renews = false
	}
	k.due = time.Time{}
	if creds.CanExpire { // some systems give the same ones out until shortly before their end
		k.due = creds.Expires.Add(-early)
		if soon := now.Add(mostRest); k.due.Before(soon) {
			k.due = soon
			if creds.Expires.Before(soon) {
				k.due = creds.Expires
			}
		}
	}
	k.book.options.Log.Info("login", "name", k.name, "kind", k.kind, "until", creds.Expires)
}

// asks says that a person is being asked, or no more: the fetch takes as long as people do.
func (k *keeper) asks(now bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.flight
	k.asking = now
	if !now {
		f.timer.Reset(patience)
		return
	}
	f.timer.Reset(codePatience)
	if !f.code {
		f.code = true
		close(f.asked)
	}
}

func (k *keeper) fetching() context.Context {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.flight.ctx
}

func (k *keeper) wrongCode() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.wrong
}

// standing says how the login stands, with a copy of everything.
func (k *keeper) standing() sale.Login {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := sale.Login{Name: k.name, Kind: k.kind, Acts: k.acts, State: sale.LoginUntried}
	if k.skew.Abs() >= skewSaid {
		l.Skew = k.skew.Round(10 * time.Second)
	}
	if k.has {
		l.State, l.Until, l.Renews, l.Lasts = sale.LoginReady, k.end.until, k.end.renews, k.end.never
		if !l.Renews {
			l.Mend = k.mend
		}
	}
	switch {
	case k.asking:
		l.State = sale.LoginAsks
	case k.err != nil:
		p := k.err.problem
		l.State, l.Problem, l.Renews = sale.LoginFails, &p, false
		if l.Until = (time.Time{}); k.has && k.creds.CanExpire {
			l.Until = k.creds.Expires
		}
	case k.refused != nil:
		p := *k.refused
		l.State, l.Problem = sale.LoginFails, &p
	}
	return l
}
