package httpjson

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// Kind is this source's name in the config.
const Kind = "http-json"

const (
	// DefaultEvery is the cadence of polls unless Options.Every says otherwise.
	DefaultEvery = 15 * time.Second
	// leastPeriod is the shortest period that a figure's age is judged by: one lost poll must not
	// blind a sale.
	leastPeriod = 5 * time.Second
	// maxBody bounds an answer, in bytes: a status document, not an export.
	maxBody = 4 << 20
)

// Query asks for one figure: by an expression over the answer of the source's URL, or by a field of
// its preset.
type Query struct {
	sale.Key
	Unit    sale.Unit
	Expr    string // jq; "" reads Field
	Field   string // of the preset
	Boolean bool   // true and false are read as 1 and 0
}

// Options declare a source. Name, URL and Queries are required; at most one of User and Bearer is set.
type Options struct {
	Name, URL string
	Preset    string // "" is none
	Params    map[string]string
	Body      []byte // JSON; nil asks by GET, else by POST
	At        string // jq, over the answer of URL; "" dates figures when they are fetched
	Every     time.Duration
	Period    time.Duration // how often the figures change by themselves; 0 is whenever they are asked for

	User, Password string
	Bearer         string
	Headers        map[string]string // all are taken for secret
	Signing        string            // signs each request by Standard Webhooks: "whsec_" and base64, or 16 bytes and more
	TLS            *tls.Config       // nil: the system's trust
	Version        string            // onsale's own, for the User-Agent

	Queries []Query
}

// Source reads one endpoint, or the few paths of a preset's system that its queries need. It
// implements sources.Source and, with a preset whose provider limits calls, sources.Budgeted.
type Source struct {
	opts      Options
	preset    *preset
	client    *http.Client
	documents []document
	signing   []byte
	login     string
	secrets   []string
}

// document is one request of a poll and what is taken from its answer.
type document struct {
	url   string
	at    *expression // nil: as old as its arrival
	wants []want
}

type want struct {
	Query
	expr *expression
}

// New makes a source. It sends nothing. What can't be compiled or is not in the preset is an error.
func New(o Options) (*Source, error) {
	s := &Source{opts: o, preset: &preset{}}
	wrong := func(format string, args ...any) (*Source, error) {
		return nil, fmt.Errorf("http-json source %q: %w", o.Name, fmt.Errorf(format, args...))
	}
	base, err := url.Parse(o.URL)
	switch {
	case o.Name == "" || len(o.Queries) == 0:
		return wrong("a name and queries are needed")
	case err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" || base.User != nil:
		return wrong("the url is http:// or https:// with a host and without a login") // err would repeat what may hold a password
	case o.Body != nil && !json.Valid(o.Body):
		return wrong("the body is not JSON")
	}
	if o.Preset != "" {
		if s.preset = presets[o.Preset]; s.preset == nil {
			return wrong("no preset %q; presets are %v", o.Preset, Presets())
		}
	}
	s.opts.Every = max(cmp.Or(o.Every, DefaultEvery), s.preset.least)
	if s.signing, err = signingKey(o.Signing); err != nil {
		return wrong("%w", err)
	}
	for _, q := range o.Queries {
		if err := s.plan(base, q); err != nil {
			return wrong("sale %s signal %s: %w", q.Sale, q.Signal, err)
		}
	}
	s.credentials()
	s.client = sources.NewClient(sources.ClientOptions{Version: o.Version, MaxBody: maxBody, TLS: o.TLS})
	return s, nil
}

// plan puts a query to the request that answers it.
func (s *Source) plan(base *url.URL, q Query) error {
	f := field{expr: q.Expr, boolean: q.Boolean}
	if q.Expr == "" {
		var ok bool
		if f, ok = s.preset.fields[q.Field]; !ok {
			return fmt.Errorf("no field %q; fields are %v", q.Field, Fields(s.opts.Preset))
		}
		q.Boolean = q.Boolean || f.boolean
	}
	expr, err := compile(f.expr)
	if err != nil {
		return err
	}
	at := s.preset.at[f.path]
	if f.path == "" {
		at = cmp.Or(s.opts.At, at)
	}
	address := s.address(base, f.path)
	i := slices.IndexFunc(s.documents, func(d document) bool { return d.url == address })
	if i < 0 {
		d := document{url: address}
		if at != "" {
			if d.at, err = compile(at); err != nil {
				return fmt.Errorf("at: %w", err)
			}
		}
		s.documents, i = append(s.documents, d), len(s.documents)
	}
	s.documents[i].wants = append(s.documents[i].wants, want{q, expr})
	return nil
}

// address keeps an escaped path as it is: %2F names RabbitMQ's own vhost.
func (s *Source) address(base *url.URL, path string) string {
	u := *base
	if path != "" {
		u.RawPath = strings.TrimRight(base.EscapedPath(), "/") + path
		u.Path = strings.TrimRight(base.Path, "/") + path
	}
	if len(s.opts.Params) > 0 {
		params := u.Query()
		for name, value := range s.opts.Params {
			params.Set(name, value)
		}
		u.RawQuery = params.Encode()
	}
	return u.String()
}

func (s *Source) credentials() {
	o := &s.opts
	switch {
	case o.Bearer != "":
		s.login, s.secrets = "Bearer "+o.Bearer, []string{o.Bearer}
	case o.User != "":
		pair := base64.StdEncoding.EncodeToString([]byte(o.User + ":" + o.Password))
		s.login, s.secrets = "Basic "+pair, []string{pair, o.Password}
	}
	for _, value := range o.Headers {
		s.secrets = append(s.secrets, value)
	}
	if o.Signing != "" {
		s.secrets = append(s.secrets, o.Signing)
	}
}

// Info implements sources.Source.
func (s *Source) Info() sale.SourceInfo {
	gives := fmt.Sprintf("%d requests for %d signals", len(s.documents), len(s.opts.Queries))
	if len(s.documents) == 1 {
		gives = fmt.Sprintf("1 request for %d signals", len(s.opts.Queries))
	}
	return sale.SourceInfo{
		Name: s.opts.Name, Kind: Kind, Every: s.opts.Every,
		Cadence: sale.Cadence{Period: max(s.opts.Every, s.opts.Period, s.preset.period, leastPeriod)},
		Gives:   gives, Limit: cmp.Or(s.preset.limit, "the system's own"),
	}
}

// Budget implements sources.Budgeted; 0 calls are no limit.
func (s *Source) Budget() (calls int, window time.Duration) { return s.preset.calls, s.preset.window }

// Read implements sources.Source: the requests one after the other, and every expression on its answer.
// A request that fails loses its own signals and no other's.
func (s *Source) Read(ctx context.Context, now time.Time) sale.Batch {
	ctx, meter := sources.Metered(ctx)
	var b sale.Batch
	var failed []sale.Problem
	for i := range s.documents {
		if problem := s.document(ctx, &s.documents[i], now, &b); problem != nil {
			failed = append(failed, *problem)
		}
	}
	b.Calls = meter.Calls()
	if len(failed) == len(s.documents) {
		b.Problem, b.Missing = &failed[0], nil
	}
	return b
}

// document asks for one answer and takes from it what is wanted.
func (s *Source) document(ctx context.Context, d *document, now time.Time, b *sale.Batch) *sale.Problem {
	ctx, meter := sources.Metered(ctx)
	began := time.Now()
	answer, age, err := s.fetch(ctx, d.url)
	if err != nil {
		p := sources.Classify(err, sources.About{Meter: meter, After: time.Since(began), Secrets: s.secrets})
		for _, w := range d.wants {
			b.Missing = append(b.Missing, sale.Missing{Key: w.Key, Problem: p})
		}
		return &p
	}
	at := now.Add(-age)
	if d.at != nil {
		if at, err = when(ctx, d.at, answer, now); err != nil {
			for _, w := range d.wants {
				s.miss(b, w.Key, fmt.Errorf("how old the figures are is not known: %w", err))
			}
			return nil
		}
	}
	for _, w := range d.wants {
		value, err := take(ctx, &w, answer)
		if err != nil {
			s.miss(b, w.Key, err)
			continue
		}
		b.Readings = append(b.Readings, sale.Reading{Key: w.Key, Value: value, Unit: w.Unit, At: at, FetchedAt: now})
	}
	return nil
}

func when(ctx context.Context, at *expression, answer any, now time.Time) (time.Time, error) {
	v, err := at.one(ctx, answer)
	if err != nil {
		return time.Time{}, err
	}
	t, err := instant(v, now)
	if err != nil {
		return t, fmt.Errorf("%s: %w", at.text, err)
	}
	return t, nil
}

func take(ctx context.Context, w *want, answer any) (float64, error) {
	v, err := w.expr.one(ctx, answer)
	if err != nil {
		return 0, err
	}
	f, err := figure(v, w.Unit, w.Boolean)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", w.expr.text, err)
	}
	return f, nil
}

func (s *Source) miss(b *sale.Batch, key sale.Key, err error) {
	b.Missing = append(b.Missing, sale.Missing{Key: key, Problem: sale.Problem{
		Class: sale.BadData, Text: sale.Clean(sources.Redact(err.Error(), s.secrets...), 200),
		Hint: "try the expression on the answer: curl … | jq '…'",
	}})
}

var _ sources.Budgeted = (*Source)(nil)
