package alertmanager

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// Status is the state of an incident.
type Status string

// The states. Suppressed: it is active and nobody is told, because of a silence or another alert.
const (
	Active     Status = "active"
	Suppressed Status = "suppressed"
)

// Incident is one cause of one sale as the peers show it. Texts are clean.
type Incident struct {
	Key      string // as in actions.Target.ID
	Cause    string
	Severity string
	Summary  string
	Status   Status
	Since    time.Time
	// EndsAt is when it ends by itself unless it is renewed: the latest that a peer says.
	EndsAt    time.Time
	Receivers []string // of the routing tree
	URL       string   // Alertmanager's own page of it
	Peers     []Peer   // every configured one
	ReadAt    time.Time
}

// Peer is what one peer shows of an incident.
type Peer struct {
	Name    string
	Shows   bool
	Problem *sale.Problem // why it is not known; nil when it answered
}

// Incidents reads the incidents of a sale from every peer, newest first. The error, which wraps a
// *sale.Problem, is of the first peer that can't be read; what the others show comes with it.
func (x *Executor) Incidents(ctx context.Context, id sale.ID) ([]Incident, error) {
	views := x.read(ctx, id)
	var causes []string
	var err error
	for _, v := range views {
		if err == nil {
			err = v.err
		}
		for _, a := range v.alerts {
			if c := a.Labels[labelCause]; c != "" && !slices.Contains(causes, c) {
				causes = append(causes, c)
			}
		}
	}
	all := make([]Incident, 0, len(causes))
	for _, cause := range causes {
		all = append(all, x.incident(id, cause, views))
	}
	slices.SortStableFunc(all, func(a, b Incident) int {
		return cmp.Or(b.Since.Compare(a.Since), cmp.Compare(a.Cause, b.Cause))
	})
	return all, err
}

func (x *Executor) incident(id sale.ID, cause string, views []view) Incident {
	set, t := labelSets(views, cause)[0], count(views, cause)
	in := Incident{
		Key: Key(id, cause), Cause: x.words(cause), Severity: x.words(set.Labels[labelSeverity]), Summary: sale.Clean(x.redact(set.Annotations["summary"]), 300),
		Status: Active, Since: set.StartsAt, ReadAt: time.Now(),
	}
	if len(t.silenced)+len(t.inhibited) >= len(t.showing) {
		in.Status = Suppressed
	}
	for _, r := range set.Receivers[:min(len(set.Receivers), 10)] {
		in.Receivers = append(in.Receivers, x.words(r.Name))
	}
	for _, v := range views {
		p := Peer{Name: v.peer.name}
		if v.err != nil {
			problem := problemOf(v.err)
			p.Problem = &problem
		}
		for _, a := range v.ofCause(cause) {
			p.Shows = true
			if a.EndsAt.After(in.EndsAt) {
				in.EndsAt = a.EndsAt
			}
			if a.StartsAt.Before(in.Since) {
				in.Since = a.StartsAt
			}
		}
		if p.Shows && in.URL == "" {
			in.URL = x.page(v.peer, id)
		}
		in.Peers = append(in.Peers, p)
	}
	return in
}

// page is the address of a sale's incidents in Alertmanager's own pages.
func (x *Executor) page(p peer, id sale.ID) string {
	filter := "{" + labelName + "=" + quote(x.options.AlertName) + "," + labelSale + "=" + quote(string(id)) + "}"
	return p.base + "/#/alerts?filter=" + url.QueryEscape(filter)
}

// Renew sends an active incident again to every peer with a new end, and brings it to a peer
// that has lost it. Nothing else changes and nobody is told. When and whether to do so, before
// EndsAt, is the caller's choice. It makes one attempt at each peer; the text names the peers
// that took it, and the error is as of Execute.
func (x *Executor) Renew(ctx context.Context, id sale.ID, cause string) (string, error) {
	views := x.read(ctx, id)
	sets := labelSets(views, cause)
	if len(sets) == 0 {
		return "", rejected(sale.NotFound, "nothing was sent: no peer shows the incident", "open it again")
	}
	now := time.Now()
	receipt, err := x.send(ctx, views, func(v view) []postable {
		var all []postable
		for _, s := range sets {
			all = append(all, x.alert(v, s, now, v.later(now).Add(x.options.Lasts)))
		}
		return all
	})
	return receipt.Text, err
}

var _ actions.Executor = (*Executor)(nil)
