package alertmanager

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// Execute sends each peer one request, once. Before that it reads the peers, for the identity
// under which an alert is there and for the peers' own time. Alertmanager takes no idempotency
// key, and needs none: the label set is one.
func (x *Executor) Execute(ctx context.Context, p actions.Preview, _ string) (actions.Receipt, error) {
	cause, ok := causeIn(p.Target.ID, p.Request.Sale)
	if mutesSale(p.Request) {
		ok = p.Target.ID == x.muteTarget(p.Request.Sale).ID
	}
	switch {
	case p.Target.System != System || p.Target.Name != x.options.Name || !ok:
		return actions.Receipt{}, rejected(sale.NotFound, "this is not an incident of "+x.options.Name, "open the panel again")
	case len(p.Refusals) > 0:
		return actions.Receipt{}, rejected(sale.BadData, "refused: "+p.Refusals[0].Text, "open the panel again")
	case ctx.Err() != nil:
		problem := x.web.trouble(ctx.Err())
		return actions.Receipt{}, rejected(problem.Class, "nothing was sent: "+problem.Text, problem.Hint)
	}
	if mutesSale(p.Request) {
		return x.mute(ctx, p)
	}
	views := x.read(ctx, p.Request.Sale)
	switch p.Request.Verb {
	case actions.Incident:
		return x.open(ctx, p, cause, views)
	case actions.Resolve:
		return x.resolve(ctx, cause, views)
	case actions.Acknowledge:
		return x.silence(ctx, p, cause, views)
	}
	return actions.Receipt{}, rejected(sale.BadData, fmt.Sprintf("Alertmanager does not do %q", p.Request.Verb), "open the panel again")
}

// send posts each peer's alerts and judges by the quorum.
func (x *Executor) send(ctx context.Context, views []view, alerts func(view) []postable) (actions.Receipt, error) {
	byPeer := map[peer]view{}
	for _, v := range views {
		byPeer[v.peer] = v
	}
	all := each(x.peers, func(p peer) delivery {
		return x.post(ctx, p, "/api/v2/alerts", alerts(byPeer[p]), plainOK)
	})
	text, err := x.verdict(all, x.quorum)
	return actions.Receipt{Text: text}, err
}

// open sends a new alert, or renews those that any peer shows for the cause.
func (x *Executor) open(ctx context.Context, p actions.Preview, cause string, views []view) (actions.Receipt, error) {
	now := time.Now()
	severity := factOf(p, factSeverity)
	if severity == "" {
		severity = "critical"
	}
	own := gettable{Labels: x.labels(p.Request.Sale, cause, severity)}
	if sets := labelSets(views, cause); len(sets) > 0 {
		own = sets[0]
	}
	own.Annotations = x.annotations(p, now)
	receipt, err := x.send(ctx, views, func(v view) []postable {
		return []postable{x.alert(v, own, now, v.later(now).Add(x.options.Lasts))}
	})
	if err == nil {
		x.forget(p.Request.Sale, p.Target.ID)
		receipt.Link = x.page(x.peers[0], p.Request.Sale)
	}
	return receipt, err
}

// alert is an alert as one peer is sent it. It keeps the start that this peer knows, else that of
// the others, and never begins in the peer's future.
func (x *Executor) alert(v view, a gettable, now, ends time.Time) postable {
	starts := v.startOf(a.Labels)
	if starts.IsZero() {
		starts = v.earlier(now)
		if !a.StartsAt.IsZero() && a.StartsAt.Before(starts) {
			starts = a.StartsAt
		}
	}
	if ends.Before(starts) {
		ends = starts
	}
	return postable{
		Labels: a.Labels, Annotations: a.Annotations, StartsAt: starts.UTC(), EndsAt: ends.UTC(), GeneratorURL: linkable(x.options.GeneratorURL),
	}
}

// resolve ends every alert that any peer shows for the cause, at every peer. The end is named so
// that it is past by the peer's own clock: Alertmanager ignores, with 200, an end that is ahead.
func (x *Executor) resolve(ctx context.Context, cause string, views []view) (actions.Receipt, error) {
	sets := labelSets(views, cause)
	if len(sets) == 0 {
		if t := count(views, cause); len(t.failed) > 0 {
			return actions.Receipt{}, rejected(problemOf(t.failed[0].err).Class, "nothing was sent: no peer shows the incident; "+t.doubts(), "see the peers, then press again")
		}
		return actions.Receipt{}, rejected(sale.NotFound, "nothing was sent: the incident is not active any more", "")
	}
	now := time.Now()
	return x.send(ctx, views, func(v view) []postable {
		var all []postable
		for _, s := range sets {
			all = append(all, x.alert(v, s, now, v.earlier(now).Add(-time.Second)))
		}
		return all
	})
}

// silence mutes the cause for a bounded time, once in each cluster: clustered peers pass it on.
func (x *Executor) silence(ctx context.Context, p actions.Preview, cause string, views []view) (actions.Receipt, error) {
	if x.options.Silence <= 0 {
		return actions.Receipt{}, rejected(sale.BadData, "Alertmanager has no acknowledge", "a silence can stand for it: silence in the config")
	}
	body := silence{CreatedBy: x.options.CreatedBy, Comment: x.comment(p)}
	for _, m := range [][2]string{{labelName, x.options.AlertName}, {labelSale, string(p.Request.Sale)}, {labelCause, cause}} {
		equal := true
		body.Matchers = append(body.Matchers, matcher{Name: m[0], Value: m[1], IsEqual: &equal})
	}
	targets := x.oneEach(ctx, views)
	if len(targets) == 0 {
		t := count(views, cause)
		return actions.Receipt{}, rejected(sale.Unreachable, "nothing was sent: no peer answers; "+t.doubts(), "see the peers, then press again")
	}
	now := time.Now()
	all := each(targets, func(to peer) delivery {
		own := body
		i := slices.IndexFunc(views, func(v view) bool { return v.peer == to })
		own.StartsAt, own.EndsAt = views[i].earlier(now).UTC(), now.Add(x.options.Silence).UTC()
		return x.post(ctx, to, "/api/v2/silences", own, madeSilence)
	})
	text, err := x.verdict(all, len(targets))
	return actions.Receipt{Text: text}, err
}

// comment says in Alertmanager why it is silent.
func (x *Executor) comment(p actions.Preview) string {
	parts := []string{"acknowledged by onsale: " + p.Target.ID}
	for _, text := range []string{p.Request.Reason, p.Request.Change, p.Request.Text} {
		if text = sale.Clean(x.redact(text), 200); text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, " · ")
}

// oneEach picks the peers that a silence is sent to: every one that stands alone, and the first
// of those that form a cluster. Peers that don't answer are left out: they learn it from the
// others, or are named by reading back.
func (x *Executor) oneEach(ctx context.Context, views []view) []peer {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	alone := each(x.peers, func(p peer) *bool {
		a, err := x.get(ctx, p, "/api/v2/status")
		if err != nil {
			return nil
		}
		var said struct {
			Cluster struct {
				Status string `json:"status"`
				Peers  []any  `json:"peers"`
			} `json:"cluster"`
		}
		if json.Unmarshal(a.body, &said) != nil || said.Cluster.Status == "" {
			return nil
		}
		is := said.Cluster.Status == "disabled" || len(said.Cluster.Peers) <= 1
		return &is
	})
	var picked []peer
	clustered := false
	for i, p := range x.peers {
		if views[i].err != nil || alone[i] == nil {
			continue
		}
		if *alone[i] || !clustered {
			picked = append(picked, p)
			clustered = clustered || !*alone[i]
		}
	}
	return picked
}

// ReadBack reads every peer. What the quorum can't show because peers don't answer is an error.
func (x *Executor) ReadBack(ctx context.Context, p actions.Preview) (actions.State, error) {
	if mutesSale(p.Request) {
		return x.muteRead(ctx, p)
	}
	cause, ok := causeIn(p.Target.ID, p.Request.Sale)
	if !ok {
		return actions.State{}, &sale.Problem{Class: sale.NotFound, Text: "this is not an incident of " + x.options.Name, Hint: "open the panel again"}
	}
	views := x.read(ctx, p.Request.Sale)
	t := count(views, cause)
	state := actions.State{Value: actions.Value{}, At: time.Now(), Text: x.told(views, cause, t)}
	for name := range p.To {
		value, decided := x.judged(name, t)
		if !decided {
			first := problemOf(t.failed[0].err)
			return state, &sale.Problem{Class: first.Class, Hint: first.Hint, Text: sale.Clean(
				fmt.Sprintf("%s, %d of %d peers are needed", t, x.quorum, len(x.peers)), 2*maxWords)}
		}
		state.Value[name] = value
	}
	return state, nil
}

// judged is what enough peers show of a setting; decided is false when too few answer to tell.
func (x *Executor) judged(name string, t tally) (value actions.Setting, decided bool) {
	if name == setSilenced {
		switch {
		case len(t.silenced) >= x.quorum:
			return actions.Flag(true), true
		case len(t.silenced)+len(t.failed) >= x.quorum && len(t.failed) > 0:
			return actions.Unset, false
		}
		return actions.Flag(false), true
	}
	switch {
	case len(t.showing) >= x.quorum:
		return actions.Word(stateActive), true
	case len(t.showing) == 0 && len(t.without) >= x.quorum:
		return actions.Word(stateNone), true
	case len(t.failed) > 0 && (t.answered() < x.quorum || len(t.showing)+len(t.failed) >= x.quorum):
		return actions.Unset, false
	}
	return t.state(), true
}
