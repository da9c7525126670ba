package alertmanager

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// System is the executor's name, as in actions.Target.System.
const System = "alertmanager"

const (
	// DefaultAlertName is the alertname of every incident unless the config names another.
	DefaultAlertName = "OnsaleIncident"
	// DefaultLasts is how long an incident lasts that nobody resolves or renews.
	DefaultLasts = 4 * time.Hour
)

// Options configure an executor. Name and Peers are required.
type Options struct {
	// Name is what people call this Alertmanager. It names the target.
	Name string
	// Peers are the addresses of all peers of the cluster, each by itself and not a load balancer
	// before them, with the path of --web.route-prefix, such as "https://am-1.example:9093/am".
	Peers []string
	// Quorum is how many peers must show a change before it is done; 0: all of them.
	Quorum int

	AlertName string            // "" is DefaultAlertName
	Labels    map[string]string // more labels of every alert, for the routing tree
	Lasts     time.Duration     // 0 is DefaultLasts
	// Silence is how long Acknowledge silences an alert; 0: Acknowledge is refused.
	Silence time.Duration
	// SaleLabel is the label by which other people's alerts name a sale; "" is "sale".
	SaleLabel string
	CreatedBy string // author of silences; "" is "onsale"
	// GeneratorURL is the address of this cockpit, shown beside the alert; may be empty.
	GeneratorURL string

	// At most one of a login, by User and Password, and a Bearer token. Neither goes over plain
	// http to another machine.
	User, Password string
	Bearer         string
	TLS            *tls.Config // nil: the system's trust; holds client certificates too

	// Sale finds what is declared of a sale, for its name and links; nil or a nil answer: only the
	// id is known.
	Sale func(sale.ID) *sale.Sale
	// Redact takes secrets out of every text that is sent; nil: nothing to hide.
	Redact  func(string) string
	Version string // onsale's own, for the User-Agent
}

// peer is one Alertmanager.
type peer struct {
	name string // host and path, for people
	base string // without a slash at the end
}

// Executor acts on one Alertmanager, of one or more peers.
type Executor struct {
	options Options
	peers   []peer
	quorum  int
	web     *web

	mu     sync.Mutex
	causes map[sale.ID]shownCause
	shown  map[string]shownState
}

type shownCause struct {
	at    time.Time
	cause string
}

type shownState struct {
	at    time.Time
	state actions.Setting
}

// steadyFor is how long a preview of opening stays what it was: from the panel to the sending.
const steadyFor = time.Minute

// Labels that make an incident's identity, and that no config may set.
const (
	labelName     = "alertname"
	labelSale     = "sale"
	labelCause    = "cause"
	labelSeverity = "severity"
)

// New makes an executor. It sends nothing.
func New(o Options) (*Executor, error) {
	o.Name = sale.Clean(strings.TrimSpace(o.Name), 80)
	if o.Name == "" {
		return nil, errors.New("alertmanager: it has no name")
	}
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("alertmanager %s: %s", o.Name, fmt.Sprintf(format, args...))
	}
	x := &Executor{causes: map[sale.ID]shownCause{}, shown: map[string]shownState{}}
	for i, address := range o.Peers {
		p, err := parsePeer(address, o.User != "" || o.Bearer != "")
		if err != nil {
			return nil, wrong("peer %d: %v", i+1, err)
		}
		if slices.Contains(x.peers, p) {
			return nil, wrong("peer %d is named twice", i+1)
		}
		x.peers = append(x.peers, p)
	}
	identifier := regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	for name := range o.Labels {
		if !identifier.MatchString(name) || strings.HasPrefix(name, "__") {
			return nil, wrong("%q is not the name of a label", name)
		}
		if slices.Contains([]string{labelName, labelSale, labelCause, labelSeverity}, name) {
			return nil, wrong("the label %s is set by onsale itself", name)
		}
	}
	switch {
	case len(x.peers) == 0:
		return nil, wrong("it has no peers")
	case o.Quorum < 0 || o.Quorum > len(x.peers):
		return nil, wrong("a quorum of %d of %d peers", o.Quorum, len(x.peers))
	case o.Lasts < 0 || o.Lasts > 0 && o.Lasts < time.Minute || o.Silence < 0:
		return nil, wrong("an incident must last at least a minute, and a silence can't be negative")
	case o.Bearer != "" && (o.User != "" || o.Password != ""):
		return nil, wrong("a login and a bearer token are given: one of them")
	case o.GeneratorURL != "" && linkable(o.GeneratorURL) == "":
		return nil, wrong("the generator url is not an http or https address")
	}
	if x.quorum = o.Quorum; x.quorum == 0 {
		x.quorum = len(x.peers)
	}
	if o.AlertName == "" {
		o.AlertName = DefaultAlertName
	}
	if o.Lasts == 0 {
		o.Lasts = DefaultLasts
	}
	if o.SaleLabel == "" {
		o.SaleLabel = labelSale
	}
	if !identifier.MatchString(o.SaleLabel) {
		return nil, wrong("%q is not the name of a label", o.SaleLabel)
	}
	if o.CreatedBy == "" {
		o.CreatedBy = "onsale"
	}
	x.options, x.web = o, newWeb(o)
	return x, nil
}

func parsePeer(address string, secret bool) (peer, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil, u.Host == "", u.Scheme != "http" && u.Scheme != "https", u.RawQuery != "", u.Fragment != "":
		return peer{}, errors.New("the address must be http(s)://host:port, with a path at most")
	case u.User != nil:
		return peer{}, errors.New("the address holds a login: give it by user and password")
	case u.Scheme == "http" && secret && !isLoopback(u.Hostname()):
		return peer{}, errors.New("the login would travel in the clear: use https")
	}
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	path = strings.TrimSuffix(path, "/api/v2")
	return peer{name: sale.Clean(u.Host+path, 80), base: u.Scheme + "://" + u.Host + path}, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Info describes the executor.
func (x *Executor) Info() actions.Info {
	return actions.Info{
		System: System, Verbs: []actions.Verb{actions.Incident, actions.Acknowledge, actions.Resolve, actions.Silence},
		Deadline: 10 * time.Second,
		// An alert is there when the answer is; a silence takes the peers' gossip.
		ReadBack: actions.ReadBackPlan{
			Tries: 6, First: 200 * time.Millisecond, Most: 4 * time.Second, Within: 20 * time.Second,
		},
	}
}

// Declared is the target to declare in a policy: every incident of this Alertmanager.
func (x *Executor) Declared() actions.Target {
	return actions.Target{System: System, Kind: "Alertmanager", Name: x.options.Name}
}

func (x *Executor) target(id sale.ID, cause string) actions.Target {
	t := x.Declared()
	t.ID = Key(id, cause)
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

var _ actions.Executor = (*Executor)(nil)
