package pagerduty

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// System is the executor's name, as in actions.Target.System.
const System = "pagerduty"

// The addresses of PagerDuty's United States region. The European ones are
// https://events.eu.pagerduty.com and https://api.eu.pagerduty.com.
const (
	EventsURL = "https://events.pagerduty.com"
	APIURL    = "https://api.pagerduty.com"
)

// Options configure an executor. Name and RoutingKey are required.
type Options struct {
	// Name is what people call the service that is paged. It names the target, and so must be
	// the same in every cockpit.
	Name string
	// RoutingKey is the integration key of an "Events API v2" integration, 32 characters. It is a
	// secret: whoever has it can page.
	RoutingKey string
	EventsURL  string // "" is EventsURL

	// Token is a REST API key, best a read-only one; "" does without proof. From is the e-mail
	// address of a PagerDuty user, which a note on an incident must carry; it needs a token that
	// may write. Without it a note becomes a change event.
	Token, From string
	APIURL      string // "" is APIURL

	// Source is payload.source: where this cockpit looks, such as the environment. "" is "onsale".
	Source    string
	ClientURL string // https address of this cockpit, shown in PagerDuty; may be empty

	// Sale finds what is declared of a sale, for its name and links; nil or a nil answer: only the
	// id is known.
	Sale func(sale.ID) *sale.Sale
	// Opened lists the dedup keys of the incidents of a sale that the journal knows as open, the
	// newest first. nil: only the causes that hold now, and what this process opened, are looked at.
	Opened func(sale.ID) []string
	// Redact takes secrets out of every text that is sent; nil: nothing to hide.
	Redact func(string) string

	TLS     *tls.Config // nil: the system's trust
	Version string      // onsale's own, for the User-Agent
}

// Executor acts on one service of PagerDuty.
type Executor struct {
	options Options
	web     *web

	mu       sync.Mutex
	accepted []acceptance // newest last
	causes   map[sale.ID]shownCause
	shown    map[string]shownState
}

// acceptance is a 202 that this process was given.
type acceptance struct {
	sale sale.ID
	verb actions.Verb
	key  string // of the incident; for a change event, its text
	at   time.Time
}

type shownCause struct {
	at    time.Time
	cause string
}

type shownState struct {
	at    time.Time
	state actions.Setting
}

// mostAccepted bounds what is remembered of this process's own events.
const mostAccepted = 128

// steadyFor is how long a preview of opening stays what it was: from the panel to the sending.
const steadyFor = time.Minute

const routingKeyLength = 32

// New makes an executor. It sends nothing.
func New(o Options) (*Executor, error) {
	switch {
	case strings.TrimSpace(o.Name) == "":
		return nil, errors.New("pagerduty: the service has no name")
	case len(o.RoutingKey) != routingKeyLength:
		return nil, fmt.Errorf("pagerduty %s: the routing key has %d characters, not %d: use the integration key of an Events API v2 integration", o.Name, len(o.RoutingKey), routingKeyLength)
	case o.From != "" && (o.Token == "" || !strings.Contains(o.From, "@")):
		return nil, fmt.Errorf("pagerduty %s: from must be the e-mail address of a PagerDuty user, and needs a token", o.Name)
	}
	if o.EventsURL == "" {
		o.EventsURL = EventsURL
	}
	if o.APIURL == "" {
		o.APIURL = APIURL
	}
	for _, base := range []*string{&o.EventsURL, &o.APIURL} {
		if err := checkBase(*base); err != nil {
			return nil, fmt.Errorf("pagerduty %s: %w", o.Name, err)
		}
		*base = strings.TrimSuffix(*base, "/")
	}
	if o.Source == "" {
		o.Source = "onsale"
	}
	o.Name = sale.Clean(o.Name, 80)
	return &Executor{
		options: o, web: newWeb(o),
		causes: map[sale.ID]shownCause{}, shown: map[string]shownState{},
	}, nil
}

// checkBase refuses an address over which a credential would travel in the clear.
func checkBase(base string) error {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "":
		return errors.New("an address must be https://host, without a login and a query")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return errors.New("the address must be https: the key would travel in the clear")
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Info describes the executor.
func (x *Executor) Info() actions.Info {
	return actions.Info{
		System: System,
		Verbs:  []actions.Verb{actions.Incident, actions.Acknowledge, actions.Resolve, actions.AddNote},
		// PagerDuty takes an event in within seconds. What is not there after 30 s is worth a look.
		Deadline: 10 * time.Second,
		ReadBack: actions.ReadBackPlan{
			Tries: 9, First: 500 * time.Millisecond, Most: 4 * time.Second, Within: 30 * time.Second,
		},
		ByReceipt: x.options.Token == "",
	}
}

// Declared is the target to declare in a policy: every incident of this service.
func (x *Executor) Declared() actions.Target {
	return actions.Target{System: System, Kind: "PagerDuty service", Name: x.options.Name}
}

func (x *Executor) target(key string) actions.Target {
	t := x.Declared()
	t.ID = key
	return t
}

func (x *Executor) declaredSale(id sale.ID) *sale.Sale {
	if x.options.Sale == nil {
		return nil
	}
	return x.options.Sale(id)
}

// redact takes secrets out of a text, ours first.
func (x *Executor) redact(text string) string {
	text = x.web.hide(text)
	if x.options.Redact != nil {
		text = x.options.Redact(text)
	}
	return text
}

func (x *Executor) remember(a acceptance) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.accepted = append(x.accepted, a)
	if over := len(x.accepted) - mostAccepted; over > 0 {
		x.accepted = append(x.accepted[:0], x.accepted[over:]...)
	}
}

// remembered is the newest acceptance of a verb and key by this process.
func (x *Executor) remembered(verb actions.Verb, key string) (acceptance, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := len(x.accepted) - 1; i >= 0; i-- {
		if a := x.accepted[i]; a.verb == verb && a.key == key {
			return a, true
		}
	}
	return acceptance{}, false
}

var _ actions.Executor = (*Executor)(nil)
