package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// Kind is this source's name in the config.
const Kind = "redis"

// DefaultEvery is the cadence of polls unless Options.Every says otherwise.
const DefaultEvery = 5 * time.Second

// Field is what a signal takes from a key.
type Field string

// The fields.
const (
	ListLength    Field = "list_length"
	SetSize       Field = "set_size"
	SortedSetSize Field = "sorted_set_size"
	StreamLength  Field = "stream_length"
	GroupLag      Field = "group_lag"     // entries of a stream that were not yet delivered to a group
	GroupPending  Field = "group_pending" // entries that were delivered and not yet acknowledged
	Counter       Field = "counter"       // a number that a string holds in plain digits
)

// Fields lists every field.
func Fields() []Field {
	return []Field{ListLength, SetSize, SortedSetSize, StreamLength, GroupLag, GroupPending, Counter}
}

// Query asks for one field of one key.
type Query struct {
	sale.Key
	Unit        sale.Unit
	Name        string // of the key in Redis
	Field       Field
	Group       string // the consumer group, of GroupLag and GroupPending
	MissingZero bool   // a key that is not there is 0; never so for a consumer group
}

// Options declare a source. Name, Address and Queries are required.
type Options struct {
	Name               string
	Address            string      // host:port
	DB                 int         // 0 to 15 unless the server has more
	Username, Password string      // Username "" is the default user
	TLS                *tls.Config // nil: no TLS
	Every              time.Duration
	Queries            []Query
}

// Source reads one server. It implements sources.Source.
type Source struct {
	opts   Options
	client *redis.Client
	wire   *wire
	asks   []ask // distinct, in order
	of     []int // the ask of each query
}

// New makes a source. It sends nothing. The log of the client library is turned off for the whole
// program, because it would write over the screen.
func New(o Options) (*Source, error) {
	wrong := func(format string, args ...any) (*Source, error) {
		return nil, fmt.Errorf("redis source %q: %w", o.Name, fmt.Errorf(format, args...))
	}
	host, _, err := net.SplitHostPort(o.Address)
	switch {
	case o.Name == "" || len(o.Queries) == 0:
		return wrong("a name and queries are needed")
	case err != nil:
		return wrong("the address is host:port")
	case o.DB < 0:
		return wrong("there is no database %d", o.DB)
	}
	if o.Every <= 0 {
		o.Every = DefaultEvery
	}
	s := &Source{opts: o, wire: newWire(host, o.TLS)}
	for _, q := range o.Queries {
		grouped := q.Field == GroupLag || q.Field == GroupPending
		switch {
		case !slices.Contains(Fields(), q.Field):
			return wrong("sale %s signal %s: no field %q; fields are %v", q.Sale, q.Signal, q.Field, Fields())
		case q.Name == "":
			return wrong("sale %s signal %s: a key is needed", q.Sale, q.Signal)
		case grouped != (q.Group != ""):
			return wrong("sale %s signal %s: a consumer group belongs to %s and %s, and only to them", q.Sale, q.Signal, GroupLag, GroupPending)
		}
		a := ask{command: commands[q.Field], key: q.Name}
		i := slices.Index(s.asks, a)
		if i < 0 {
			s.asks, i = append(s.asks, a), len(s.asks)
		}
		s.of = append(s.of, i)
	}
	logging.Disable()
	s.client = redis.NewClient(&redis.Options{
		Addr: o.Address, DB: o.DB, Username: o.Username, Password: o.Password,
		Protocol: 2, DisableIdentity: true, // no more than reading takes: RESP3 and a name need more permissions
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		// Once more: the server may have closed a connection that nobody used between two polls.
		MaxRetries: 1, PoolSize: 1, ContextTimeoutEnabled: true, Dialer: s.wire.dial,
		DialerRetries: 1,
	})
	return s, nil
}

// Info implements sources.Source.
func (s *Source) Info() sale.SourceInfo {
	return sale.SourceInfo{
		Name: s.opts.Name, Kind: Kind, Every: s.opts.Every, Cadence: sale.Cadence{Period: max(s.opts.Every, DefaultEvery)},
		Gives: s.gives(), Limit: "the server's own",
	}
}

func (s *Source) gives() string {
	if len(s.asks) == 1 {
		return "1 key in one pipeline"
	}
	return fmt.Sprintf("%d keys in one pipeline", len(s.asks))
}

// Close implements sources.Closer: it gives the connection back.
func (s *Source) Close() error { return s.client.Close() }

// Read implements sources.Source: one pipeline, whatever is asked.
func (s *Source) Read(ctx context.Context, now time.Time) sale.Batch {
	b := sale.Batch{Calls: 1}
	began := time.Now()
	answers, err := s.ask(ctx)
	if err != nil {
		p := s.problem(err, time.Since(began))
		b.Problem = &p
		return b
	}
	for i, q := range s.opts.Queries {
		value, problem := answers[s.of[i]].value(q)
		if problem != nil {
			problem.Text = sale.Clean(sources.Redact(problem.Text, s.secrets()...), 160)
			b.Missing = append(b.Missing, sale.Missing{Key: q.Key, Problem: *problem})
			continue
		}
		b.Readings = append(b.Readings, sale.Reading{Key: q.Key, Value: value, Unit: q.Unit, At: now, FetchedAt: now})
	}
	return b
}

// ask sends all commands at once. The error is one that all of them share.
func (s *Source) ask(ctx context.Context) ([]answer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.wire.begin()
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { // a cancelled context has no deadline that a connection keeps
		defer close(interrupted)
		s.wire.interrupt()
	})
	defer func() {
		if !stop() {
			<-interrupted // or it would end the next poll
		}
	}()
	pipe := s.client.Pipeline()
	answers := make([]answer, len(s.asks))
	for i, a := range s.asks {
		answers[i].exists = pipe.Do(ctx, "EXISTS", a.key)
		answers[i].reply = pipe.Do(ctx, a.args()...)
	}
	_, err := pipe.Exec(ctx)
	if err == nil || errors.Is(err, redis.Nil) {
		return answers, nil
	}
	var refused redis.Error
	if !errors.As(err, &refused) || strings.Contains(err.Error(), "failed to authenticate") || refusesAll(refused.Error()) {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, err
	}
	return answers, nil // of one command; each says its own
}

func (s *Source) secrets() []string { return []string{s.opts.Password} }

func (s *Source) problem(err error, after time.Duration) sale.Problem {
	var refused redis.Error
	if errors.As(err, &refused) {
		p := refusal(err.Error())
		p.Text = sale.Clean(sources.Redact(p.Text, s.secrets()...), 160)
		return p
	}
	if broken := s.wire.broken(); broken != nil {
		err = broken
	}
	return sources.Classify(err, sources.About{After: after, Secrets: s.secrets(), Hints: map[sale.Class]string{
		sale.BadData: "see that the address is Redis itself, and tls: if it wants that",
	}})
}
