package alertmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// view is what one peer showed.
type view struct {
	peer   peer
	alerts []gettable // of the sale, not resolved
	at     time.Time  // the peer's own time, to the second below; zero: not known
	err    error      // wraps a *sale.Problem
}

func (v view) ofCause(cause string) []gettable {
	var own []gettable
	for _, a := range v.alerts {
		if a.Labels[labelCause] == cause {
			own = append(own, a)
		}
	}
	return own
}

// each asks all peers at once and waits for all.
func each[T any](peers []peer, ask func(peer) T) []T {
	all := make([]T, len(peers))
	var wg sync.WaitGroup
	for i, p := range peers {
		wg.Go(func() { all[i] = ask(p) })
	}
	wg.Wait()
	return all
}

// get reads from one peer.
func (x *Executor) get(ctx context.Context, p peer, path string) (answer, error) {
	a, _, err := x.web.do(ctx, http.MethodGet, p.base+path, nil)
	if err != nil {
		problem := x.web.trouble(err)
		return a, &problem
	}
	if a.status != http.StatusOK {
		problem, _ := x.web.statusProblem(a)
		return a, &problem
	}
	return a, nil
}

// strange is the problem of an answer that is none of Alertmanager's.
func (x *Executor) strange(a answer) error {
	problem, _ := x.web.statusProblem(a)
	return &problem
}

// read asks every peer for the alerts of a sale.
func (x *Executor) read(ctx context.Context, id sale.ID) []view {
	want := map[string]string{labelName: x.options.AlertName, labelSale: string(id)}
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	return each(x.peers, func(p peer) view {
		v := view{peer: p}
		a, err := x.get(ctx, p, "/api/v2/alerts?"+filters(want).Encode())
		if v.err = err; err != nil {
			return v
		}
		if v.at = a.clock(); v.at.After(time.Now().Add(24 * time.Hour)) {
			v.at = time.Time{}
		}
		if v.alerts, err = parseAlerts(a.body, want); err != nil {
			v.err = x.strange(a)
		}
		return v
	})
}

// tally counts what the views of one cause say.
type tally struct {
	showing, silenced, inhibited, without []string // names of peers
	failed                                []view
}

func count(views []view, cause string) tally {
	var t tally
	for _, v := range views {
		own := v.ofCause(cause)
		name := v.peer.name
		switch {
		case v.err != nil:
			t.failed = append(t.failed, v)
		case len(own) == 0:
			t.without = append(t.without, name)
		default:
			t.showing = append(t.showing, name)
			if !slices.ContainsFunc(own, func(a gettable) bool { return len(a.Status.SilencedBy) == 0 }) {
				t.silenced = append(t.silenced, name)
			}
			if !slices.ContainsFunc(own, func(a gettable) bool { return len(a.Status.InhibitedBy) == 0 }) {
				t.inhibited = append(t.inhibited, name)
			}
		}
	}
	return t
}

// answered is how many peers could be read.
func (t tally) answered() int { return len(t.showing) + len(t.without) }

// doubts names the peers that could not be read, and why.
func (t tally) doubts() string {
	var all []string
	for _, v := range t.failed {
		all = append(all, v.peer.name+": "+problemOf(v.err).Text)
	}
	return sale.Clean(strings.Join(all, "; "), 2*maxWords)
}

// String says who shows the alert: "active on 2 of 3; not on am-3; am-2: connection refused".
func (t tally) String() string {
	total := t.answered() + len(t.failed)
	text := fmt.Sprintf("active on %d of %d", len(t.showing), total)
	if len(t.showing) > 0 && len(t.without) > 0 {
		text += "; not on " + strings.Join(t.without, ", ")
	}
	if len(t.failed) > 0 {
		text += "; not known: " + t.doubts()
	}
	return text
}

// delivery is what one peer made of one write.
type delivery struct {
	peer    peer
	body    []byte // of its answer
	err     error
	refused bool // nothing changed there: it said no, or nothing reached it
}

// post writes once to one peer. good says whether an answer of 200 is Alertmanager's own.
func (x *Executor) post(ctx context.Context, p peer, path string, body any, good func(answer) bool) delivery {
	d := delivery{peer: p}
	data, err := json.Marshal(body)
	if err != nil {
		d.err, d.refused = &sale.Problem{Class: sale.BadData, Text: sale.Clean(err.Error(), maxWords)}, true
		return d
	}
	a, reached, err := x.web.do(ctx, http.MethodPost, p.base+path, data)
	if err != nil {
		problem := x.web.trouble(err)
		d.err, d.refused = &problem, !reached
		return d
	}
	if a.status == http.StatusOK && good(a) {
		d.body = a.body
		return d
	}
	problem, refused := x.web.statusProblem(a)
	d.err, d.refused = &problem, refused
	return d
}

// plainOK tells Alertmanager's answer to POST /alerts, which is empty, from a page of a proxy.
func plainOK(a answer) bool {
	return !strings.Contains(a.header.Get("Content-Type"), "html") && !strings.HasPrefix(strings.TrimSpace(string(a.body)), "<")
}

// verdict makes one outcome of the deliveries: nil when enough peers took it, a refusal when it
// is certain that none did, else an error that leaves it open.
func (x *Executor) verdict(all []delivery, enough int) (text string, err error) {
	var took, not []string
	var first *sale.Problem
	certain := true
	for _, d := range all {
		if d.err == nil {
			took = append(took, d.peer.name)
			continue
		}
		p := problemOf(d.err)
		// The problem that a person must know first is the one that leaves it open.
		if first == nil || certain && !d.refused {
			first = &p
		}
		certain = certain && d.refused
		word := "not known by "
		if d.refused {
			word = "NOT by "
		}
		not = append(not, word+d.peer.name+": "+p.Text)
	}
	text = "taken by " + strings.Join(took, ", ")
	if len(took) == 0 {
		text = "taken by no peer"
	}
	if len(not) > 0 {
		text += "; " + strings.Join(not, "; ")
	}
	text = sale.Clean(text, 2*maxWords)
	if len(took) >= enough && len(took) > 0 {
		return text, nil
	}
	if first == nil {
		return text, rejected(sale.Unreachable, "nothing was sent: there is no peer to send it to", "see the addresses in the config")
	}
	problem := sale.Problem{Class: first.Class, Text: text, Hint: first.Hint, RetryAfter: first.RetryAfter}
	if len(all) == 1 {
		problem.Text = first.Text
	}
	if len(took) == 0 && certain {
		return text, &actions.RejectedError{Problem: problem}
	}
	return text, &problem
}

func rejected(class sale.Class, text, hint string) error {
	return &actions.RejectedError{Problem: sale.Problem{Class: class, Text: sale.Clean(text, maxWords), Hint: hint}}
}

// problemOf is the problem in an error.
func problemOf(err error) sale.Problem {
	var p *sale.Problem
	if errors.As(err, &p) {
		return *p
	}
	return sale.Problem{Class: sale.Failing, Text: sale.Clean(err.Error(), maxWords)}
}

// labelSets are the different identities under which the peers show a cause, the newest first.
func labelSets(views []view, cause string) []gettable {
	var sets []gettable
	for _, v := range views {
		for _, a := range v.ofCause(cause) {
			if !slices.ContainsFunc(sets, func(b gettable) bool { return maps.Equal(a.Labels, b.Labels) }) {
				sets = append(sets, a)
			}
		}
	}
	slices.SortStableFunc(sets, func(a, b gettable) int {
		if c := b.UpdatedAt.Compare(a.UpdatedAt); c != 0 {
			return c
		}
		return strings.Compare(a.Labels[labelSeverity], b.Labels[labelSeverity])
	})
	return sets
}

// startOf is when a peer says that an identity began; zero when it does not show it.
func (v view) startOf(labels map[string]string) time.Time {
	for _, a := range v.alerts {
		if maps.Equal(a.Labels, labels) {
			return a.StartsAt
		}
	}
	return time.Time{}
}

// earlier is the earlier of our time and the peer's: an instant that is past by both clocks.
func (v view) earlier(now time.Time) time.Time {
	if !v.at.IsZero() && v.at.Before(now) {
		return v.at
	}
	return now
}

// later is the later of our time and the peer's.
func (v view) later(now time.Time) time.Time {
	if v.at.After(now) {
		return v.at
	}
	return now
}
