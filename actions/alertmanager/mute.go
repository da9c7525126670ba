package alertmanager

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// Silencing a sale: one silence of a bounded time for everything that carries the sale's label, but
// for onsale's own incidents, which go on telling people. Undo expires it.

const (
	// setMinutes is how long the sale's silence lasts in all; 0: there is none.
	setMinutes = "silence_minutes"

	usualMinutes = 30
	// MostMinutes bounds a silence: longer ones outlive the night, and somebody's memory of them.
	MostMinutes = 8 * 60

	factMuted = "mutes now"
)

// mutesSale reports whether a request is about the silence of a sale, done or taken back.
func mutesSale(req actions.Request) bool {
	return req.Verb == actions.Silence || req.Verb == actions.Undo && req.Of == actions.Silence
}

// muteTarget is the one silence of a sale.
func (x *Executor) muteTarget(id sale.ID) actions.Target {
	t := x.Declared()
	t.ID = "onsale/" + url.PathEscape(string(id)) + "#silence"
	return t
}

// muteMatchers are what the silence of a sale covers; they also tell it from any other.
func (x *Executor) muteMatchers(id sale.ID) []matcher {
	yes, no := true, false
	return []matcher{
		{Name: x.options.SaleLabel, Value: string(id), IsEqual: &yes},
		{Name: labelName, Value: x.options.AlertName, IsEqual: &no},
	}
}

func sameMatchers(a, b []matcher) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(m matcher) bool {
		return !slices.ContainsFunc(b, func(o matcher) bool {
			return m.Name == o.Name && m.Value == o.Value && m.IsRegex == o.IsRegex && (m.IsEqual == nil || *m.IsEqual) == (o.IsEqual == nil || *o.IsEqual)
		})
	})
}

// muteView is the silence of a sale as one peer shows it.
type muteView struct {
	peer    peer
	id      string
	minutes float64 // 0: none
	ends    time.Time
	by      string
	at      time.Time // the peer's own time
	err     error
}

// mutesOf asks every peer for the silence of a sale.
func (x *Executor) mutesOf(ctx context.Context, id sale.ID) []muteView {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	want := x.muteMatchers(id)
	return each(x.peers, func(p peer) muteView {
		v := muteView{peer: p}
		a, err := x.get(ctx, p, "/api/v2/silences")
		if v.err = err; err != nil {
			return v
		}
		v.at = a.clock()
		list, err := parseSilences(a.body)
		if err != nil {
			v.err = x.strange(a)
			return v
		}
		for _, s := range list {
			if sameMatchers(s.Matchers, want) && s.EndsAt.After(v.ends) {
				v.id, v.ends, v.by = s.ID, s.EndsAt, x.words(s.CreatedBy)
				v.minutes = math.Round(s.EndsAt.Sub(s.StartsAt).Minutes())
			}
		}
		return v
	})
}

// muteState is what enough peers agree on; decided is false when too few answer to tell.
func (x *Executor) muteState(views []muteView) (minutes actions.Setting, decided bool) {
	counts := map[float64]int{}
	for _, v := range views {
		if v.err == nil {
			counts[v.minutes]++
		}
	}
	answered := 0
	for m, n := range counts {
		answered += n
		if n >= x.quorum {
			return actions.Number(m), true
		}
	}
	if answered < x.quorum {
		return actions.Unset, false
	}
	return actions.Word("not the same on all peers"), true
}

// previewMute is the preview of silencing a sale, and of taking that back.
func (x *Executor) previewMute(ctx context.Context, p *actions.Preview) error {
	id := p.Request.Sale
	p.Target, p.Risk = x.muteTarget(id), actions.Normal
	if id == "" {
		p.Refuse(actions.GuardRequest, "no sale is named", "")
	}
	minutes := float64(usualMinutes)
	switch {
	case p.Request.Verb == actions.Undo:
		restored, ok := p.Request.Restore[setMinutes].Number()
		if !ok {
			p.Refuse(actions.GuardTarget, "how it was before is not recorded", "silence it anew, or expire it in Alertmanager's own pages")
		}
		minutes = restored
	case p.Request.To != nil:
		minutes = *p.Request.To
		if !(minutes >= 1 && minutes <= MostMinutes) || minutes != math.Trunc(minutes) {
			p.Refuse(actions.GuardRequest, fmt.Sprintf("a silence lasts whole minutes, 1 to %d", MostMinutes), "--for 30m")
			minutes = usualMinutes
		}
	}
	views := x.mutesOf(ctx, id)
	if err := ctx.Err(); err != nil {
		problem := x.web.trouble(err)
		return &problem
	}
	from, decided := x.muteState(views)
	p.From, p.To = actions.Value{setMinutes: from}, actions.Value{setMinutes: actions.Number(minutes)}
	if !decided {
		problem := firstProblem(views)
		p.Refuse(actions.GuardTarget, "what is silenced now can't be read: "+problem.Text, problem.Hint)
	}
	x.sayMute(ctx, p, views, minutes)
	return nil
}

func firstProblem(views []muteView) sale.Problem {
	for _, v := range views {
		if v.err != nil {
			return problemOf(v.err)
		}
	}
	return sale.Problem{Class: sale.BadData, Text: "too few peers answer"}
}

// sayMute writes what a person must know before.
func (x *Executor) sayMute(ctx context.Context, p *actions.Preview, views []muteView, minutes float64) {
	label := x.options.SaleLabel + "=" + x.words(string(p.Request.Sale))
	if minutes == 0 {
		p.Change = "expire the silence of " + label
		p.How = "DELETE /api/v2/silence, once for each cluster"
		p.PeopleText = "whoever the routing tree names is told again"
		p.UndoText = "silence again"
	} else {
		ends := p.ReadAt.Add(time.Duration(minutes) * time.Minute)
		p.Change = fmt.Sprintf("silence %s for %.0f min, until %s", label, minutes, clock(ends))
		p.How = "POST /api/v2/silences, once for each cluster"
		p.PeopleText = "nobody is told of these alerts until then; incidents that onsale opens go on telling"
		p.UndoText = "undo expires it; it ends by itself " + clock(ends)
	}
	p.EffectText = "read back from every peer"
	p.NotChanged = "the alerts themselves: they go on, and stay on the alarms screen as MUTED"
	for _, v := range views {
		switch {
		case v.err != nil:
			p.Warnings = append(p.Warnings, v.peer.name+": "+problemOf(v.err).Text)
		case v.minutes > 0 && minutes > 0 && len(p.Warnings) == 0:
			p.Warnings = append(p.Warnings, fmt.Sprintf("silenced already by %s until %s: this replaces it", v.by, clock(v.ends)))
		}
	}
	if minutes > 0 {
		p.Facts = append(p.Facts, actions.Fact{Label: factMuted, Text: x.mutedNow(ctx, p.Request.Sale)})
	}
}

// mutedNow names the alerts that a silence of a sale would mute at this moment.
func (x *Executor) mutedNow(ctx context.Context, id sale.ID) string {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	want := map[string]string{x.options.SaleLabel: string(id)}
	for _, p := range x.peers {
		a, err := x.get(ctx, p, "/api/v2/alerts?"+filters(want).Encode())
		if err != nil {
			continue
		}
		list, err := parseAlerts(a.body, want)
		if err != nil {
			continue
		}
		var names []string
		for _, one := range list {
			if name := x.words(one.Labels[labelName]); one.Labels[labelName] != x.options.AlertName && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		switch n := len(names); {
		case n == 0:
			return "nothing that is active now"
		case n > 5:
			return fmt.Sprintf("%s and %d more", strings.Join(names[:5], ", "), n-5)
		}
		return strings.Join(names, ", ")
	}
	return "not known: no peer says"
}

// mute makes, replaces or expires the silence of a sale, once in each cluster.
func (x *Executor) mute(ctx context.Context, p actions.Preview) (actions.Receipt, error) {
	minutes, ok := p.To[setMinutes].Number()
	if !ok || minutes < 0 || minutes > MostMinutes {
		return actions.Receipt{}, rejected(sale.BadData, "this is not a silence", "open the panel again")
	}
	views := x.mutesOf(ctx, p.Request.Sale)
	reads := make([]view, len(views))
	for i, v := range views {
		reads[i] = view{peer: v.peer, at: v.at, err: v.err}
	}
	targets := x.oneEach(ctx, reads)
	if len(targets) == 0 {
		problem := firstProblem(views)
		return actions.Receipt{}, rejected(sale.Unreachable, "nothing was sent: no peer answers; "+problem.Text, "see the peers, then press again")
	}
	now := time.Now()
	all := each(targets, func(to peer) delivery {
		i := slices.IndexFunc(views, func(v muteView) bool { return v.peer == to })
		if minutes == 0 {
			return x.expire(ctx, views[i])
		}
		starts := reads[i].earlier(now)
		body := silence{
			ID: views[i].id, Matchers: x.muteMatchers(p.Request.Sale), CreatedBy: x.options.CreatedBy, Comment: x.muteComment(p),
			StartsAt: starts.UTC(), EndsAt: reads[i].later(now).Add(time.Duration(minutes) * time.Minute).UTC(),
		}
		return x.post(ctx, to, "/api/v2/silences", body, madeSilence)
	})
	text, err := x.verdict(all, len(targets))
	return actions.Receipt{Text: text}, err
}

func madeSilence(a answer) bool {
	var id struct {
		SilenceID string `json:"silenceID"`
	}
	return json.Unmarshal(a.body, &id) == nil && id.SilenceID != ""
}

// expire ends a silence on one peer; one that is not there any more is what was wanted.
func (x *Executor) expire(ctx context.Context, v muteView) delivery {
	d := delivery{peer: v.peer}
	if v.id == "" {
		return d
	}
	a, reached, err := x.web.do(ctx, http.MethodDelete, v.peer.base+"/api/v2/silence/"+url.PathEscape(v.id), nil)
	if err != nil {
		problem := x.web.trouble(err)
		d.err, d.refused = &problem, !reached
		return d
	}
	if a.status == http.StatusOK && plainOK(a) || a.status == http.StatusNotFound {
		return d
	}
	problem, refused := x.web.statusProblem(a)
	d.err, d.refused = &problem, refused
	return d
}

func (x *Executor) muteComment(p actions.Preview) string {
	text := "silenced by onsale for the sale " + string(p.Request.Sale)
	for _, more := range []string{p.Request.Reason, p.Request.Change, p.Request.Text} {
		if more = sale.Clean(x.redact(more), 200); more != "" {
			text += " · " + more
		}
	}
	return text
}

// muteRead reads the silence of a sale back from every peer.
func (x *Executor) muteRead(ctx context.Context, p actions.Preview) (actions.State, error) {
	views := x.mutesOf(ctx, p.Request.Sale)
	state := actions.State{Value: actions.Value{}, At: time.Now()}
	minutes, decided := x.muteState(views)
	if !decided {
		problem := firstProblem(views)
		return state, &problem
	}
	state.Value[setMinutes] = minutes
	for _, v := range views {
		if v.err == nil && v.minutes > 0 {
			state.Text = fmt.Sprintf("silenced by %s until %s", v.by, clock(v.ends))
		}
	}
	return state, nil
}
