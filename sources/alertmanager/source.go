// Package alertmanager reads what every peer of a Prometheus Alertmanager says of its alerts, API
// v2: which fire, and which of them page nobody because a silence or another alert mutes them.
//
// Alerts are not passed between peers, so every peer is asked and an alert that only some of them
// show says so. Silences are passed on; what mutes on one peer is told as of that peer. An alert
// that has ended is not in the answer: there is no state for "fine" here.
//
// A peer that fails hides nothing that another one shows: it is named in a warning. The poll fails
// only when no peer answered.
package alertmanager

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// Kind is the source's kind in a config.
const Kind = "alertmanager"

const (
	// DefaultEvery is the cadence of polls unless Options.Every says otherwise.
	DefaultEvery = 15 * time.Second
	maxPeers     = 16
	maxBody      = 8 << 20 // bytes of one peer's answer
)

// Options declare a source: the peers of one cluster.
type Options struct {
	Name     string
	Peers    []string // where each one's API begins, without /api/v2
	Every    time.Duration
	User     string // basic auth
	Password string
	Bearer   string
	TLS      *tls.Config // nil: the system's trust
	Version  string      // onsale's own, for the User-Agent
	Whose    sources.Whose
}

// Source reads one cluster. It implements sources.Source.
type Source struct {
	opts    Options
	peers   []peer
	client  *http.Client
	login   string // the Authorization header
	secrets []string
}

type peer struct{ name, base string }

// New makes a source. Nothing is sent.
func New(o Options) (*Source, error) {
	if o.Every <= 0 {
		o.Every = DefaultEvery
	}
	switch {
	case o.Name == "":
		return nil, errors.New("a source needs a name")
	case len(o.Peers) == 0 || len(o.Peers) > maxPeers:
		return nil, fmt.Errorf("alertmanager source %q: %d peers, want 1 to %d", o.Name, len(o.Peers), maxPeers)
	}
	s := &Source{opts: o, client: sources.NewClient(sources.ClientOptions{Version: o.Version, MaxBody: maxBody, TLS: o.TLS})}
	for _, address := range o.Peers {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
			return nil, fmt.Errorf("alertmanager source %q: a peer is http:// or https:// with a host and without a login", o.Name) // err would repeat what may hold a password
		}
		base := u.Scheme + "://" + u.Host + strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/api/v2")
		s.peers = append(s.peers, peer{name: sale.Clean(u.Host, 60), base: base})
	}
	switch {
	case o.Bearer != "":
		s.login, s.secrets = "Bearer "+o.Bearer, []string{o.Bearer}
	case o.User != "":
		pair := base64.StdEncoding.EncodeToString([]byte(o.User + ":" + o.Password))
		s.login, s.secrets = "Basic "+pair, []string{pair, o.Password}
	}
	return s, nil
}

// Info implements sources.Source.
func (s *Source) Info() sale.SourceInfo {
	gives := fmt.Sprintf("alerts and silences of %d peers", len(s.peers))
	if len(s.peers) == 1 {
		gives = "alerts and silences of 1 peer"
	}
	return sale.SourceInfo{
		Name: s.opts.Name, Kind: Kind, Every: s.opts.Every, Cadence: sale.Cadence{Period: s.opts.Every},
		Gives: gives, Limit: "the peers' own", ReadsAlarms: true,
	}
}

// view is what one peer said.
type view struct {
	peer     peer
	alerts   []alert
	silences map[string]silence // by id
	problem  *sale.Problem
}

// Read implements sources.Source: all peers side by side, one request each, and a second one for
// the silences where any alert is silenced.
func (s *Source) Read(ctx context.Context, _ time.Time) sale.Batch {
	ctx, meter := sources.Metered(ctx)
	views := make([]view, len(s.peers))
	var all sync.WaitGroup
	for i, p := range s.peers {
		all.Go(func() { views[i] = s.ask(ctx, p) })
	}
	all.Wait()
	b := s.batch(views)
	b.Calls = meter.Calls()
	return b
}

func (s *Source) ask(ctx context.Context, p peer) view {
	v := view{peer: p}
	ctx, meter := sources.Metered(ctx) // of this peer alone, for its own words
	fail := func(err error) view {
		problem := sources.Classify(err, sources.About{Meter: meter, Secrets: s.secrets})
		v.problem = &problem
		return v
	}
	query := url.Values{"active": {"true"}, "silenced": {"true"}, "inhibited": {"true"}, "unprocessed": {"true"}}
	var list *[]alert
	if err := s.get(ctx, p.base+"/api/v2/alerts?"+query.Encode(), &list); err != nil {
		return fail(err)
	}
	if list == nil {
		return fail(notAlertmanager("no list of alerts"))
	}
	v.alerts = *list
	silenced := slices.ContainsFunc(v.alerts, func(a alert) bool { return len(a.Status.SilencedBy) > 0 })
	var silences *[]silence
	if !silenced || s.get(ctx, p.base+"/api/v2/silences", &silences) != nil || silences == nil {
		return v // that it is silenced is known, by whom is not
	}
	v.silences = make(map[string]silence, len(*silences))
	for _, one := range *silences {
		v.silences[one.ID] = one
	}
	return v
}

func (s *Source) get(ctx context.Context, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	if s.login != "" {
		req.Header.Set("Authorization", s.login)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // nothing was written
	if err := sources.CheckStatus(resp); err != nil {
		return err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return notAlertmanager(err.Error())
	}
	return nil
}

func notAlertmanager(why string) *sale.Problem {
	return &sale.Problem{
		Class: sale.BadData, Text: "not Alertmanager's answer: " + why,
		Hint: "see that the address is the API itself, with its path prefix (--web.route-prefix), not a page or proxy in front of it",
	}
}

var _ sources.Source = (*Source)(nil)
