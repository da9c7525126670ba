package main

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/cmd/onsale/login"
	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/ui"
)

// desk is what all sessions of this program share: the runner, and what is known of everybody's
// actions, of this program's and, through the journal, of every other's on it.
type desk struct {
	runner   *actions.Runner
	recorder actions.Recorder
	log      *slog.Logger
	logins   *login.Book // the controls log in through it
	host     string
	pid      int

	chronicle *chronicle // what the journal tells of incidents; nil: nobody asks
	telling   sync.WaitGroup
	outcomes  outcomes
	current   atomic.Pointer[declaration] // nil: what the hands began with

	mu       sync.Mutex
	sessions int
	news     []told // newest first
	requests []actions.Asked
	bells    map[chan struct{}]struct{}
	read     uint64 // the journal's records up to here were taken in
	began    bool   // read holds
}

// told is a piece of news with the session that it came from; 0: none of this program.
type told struct {
	ui.News
	session int
}

// declaration is a config together with who tells of what was done under it.
type declaration struct {
	config *config.Config
	teller actions.Teller
}

// declare puts a config in place for everybody at the desk.
func (d *desk) declare(cfg *config.Config) {
	d.current.Store(&declaration{cfg, tellerOf(cfg, d.logins, d.recorder)})
}

// redeclare is declare while the desk is in use: the runner, too, goes by the new config.
func (d *desk) redeclare(cfg *config.Config) {
	d.runner.Redeclare(runnerConfig(cfg, d.logins, d.recorder, nil))
	d.declare(cfg)
}

const (
	mostNews = 40
	// mostFollowed bounds how many records of one second are taken in. What is older is in the journal.
	mostFollowed = 256
)

func newDesk(runner *actions.Runner, recorder actions.Recorder, log *slog.Logger) *desk {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown" // as the journal itself says then
	}
	return &desk{runner: runner, recorder: recorder, log: log, host: host, pid: os.Getpid(), bells: map[chan struct{}]struct{}{}}
}

// sit gives the number of a new session.
func (d *desk) sit() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sessions++
	return d.sessions
}

// watch settles what an earlier run left open, by reading back, and then follows the journal and
// looks for the effects of what was done, about once a second.
func (d *desk) watch(ctx context.Context, store *sale.Store) {
	settled, err := d.runner.Settle(ctx)
	if err != nil {
		d.log.Warn("what an earlier run left open could not be settled", "why", err.Error())
	}
	d.follow()
	for i := range settled {
		d.tell(newsOf(&settled[i], ""), 0)
	}
	answered := answers{store: store, recorder: d.recorder}
	clock := time.NewTicker(time.Second)
	defer clock.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-clock.C:
			answered.look(now)
			for _, w := range d.runner.Observe(ctx, store.Snapshot(), now) {
				d.seen(w)
				d.tellEffect(w)
			}
			d.follow()
			d.recorded(store, now)
			d.mitigations(ctx, store)
		}
	}
}

// follow takes in what others have journalled since the last time, and where requests for a second
// person have come to. A journal that can't be read is said by Status.
func (d *desk) follow() {
	records, err := d.recorder.Recent(mostFollowed)
	if err != nil {
		return
	}
	d.mu.Lock()
	requests, quiet := d.requests, d.began && len(records) > 0 && records[len(records)-1].Seq == d.read
	d.mu.Unlock()
	if !quiet || slices.ContainsFunc(requests, func(a actions.Asked) bool { return a.Left > 0 }) {
		if requests, err = d.runner.Requests(); err != nil {
			return
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	began, rings := d.began, false
	d.began = true
	for i := range records {
		rec := &records[i]
		if rec.Seq <= d.read {
			continue
		}
		d.read = rec.Seq
		if !began || rec.PID == d.pid && rec.Host == d.host {
			continue // what was before is in the journal; what is ours was told as it happened
		}
		if n, ok := newsIn(rec); ok {
			d.put(n, 0)
			rings = true
		}
	}
	rings = rings || !slices.EqualFunc(d.requests, requests, func(a, b actions.Asked) bool { return a.ID == b.ID && a.Stage == b.Stage })
	d.requests = requests
	if rings {
		d.ring()
	}
}

// newsIn is the news in another process' record. Records hold foreign text as it came, so it is
// cleaned here.
func newsIn(rec *journal.Record) (ui.News, bool) {
	n := ui.News{
		ID: rec.ID, Sale: sale.ID(rec.Sale), Verb: actions.Verb(rec.Action), Who: sale.Clean(rec.Actor.Name, 40), At: rec.TS,
		Glass: sale.Clean(strings.ReplaceAll(strings.Join(rec.Glass, ", "), "_", " "), 80),
	}
	if rec.Target != nil {
		n.Target = actions.Target(*rec.Target)
	}
	switch rec.Kind {
	case journal.Intent:
		n.Change = sale.Clean(rec.Text, 120)
	case journal.Result, journal.Unknown, journal.Refused:
		n.Outcome, n.Text = actions.Outcome(rec.Outcome), sale.Clean(rec.Text, 200)
	case journal.Effect:
		n.Outcome, n.Sight, n.Text = actions.Done, actions.Sight(rec.Outcome), sale.Clean(rec.Text, 200)
	default:
		return n, false
	}
	return n, n.ID != ""
}

// tell takes in news of an action, in place of what was known of it before.
func (d *desk) tell(n ui.News, session int) {
	if n.ID == "" {
		return // nothing was begun
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.put(n, session)
	d.ring()
}

// put is tell with the lock held. What a later record leaves out stays as it was known.
func (d *desk) put(n ui.News, session int) {
	for i := range d.news {
		if old := d.news[i]; old.ID == n.ID {
			n.Watch = old.Watch
			if n.Change == "" {
				n.Change = old.Change
			}
			if n.Glass == "" {
				n.Glass = old.Glass
			}
			if n.Sight != "" {
				n.Who = old.Who // an effect is seen by the program, not done by it
			}
			session = max(session, old.session)
			d.news = slices.Delete(d.news, i, i+1)
			break
		}
	}
	d.news = slices.Insert(d.news, 0, told{n, session})
	d.news = d.news[:min(len(d.news), mostNews)]
}

// seen takes in what was seen of an effect.
func (d *desk) seen(w actions.Watch) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.news {
		if d.news[i].ID == w.ID {
			settled := w.Sight != actions.NotYet && (d.news[i].Watch == nil || d.news[i].Watch.Sight == actions.NotYet)
			first := d.news[i].Watch == nil
			d.news[i].Watch = &w
			if settled || first {
				d.ring()
			}
			return
		}
	}
}

// bell is ring for who does not hold the lock.
func (d *desk) bell() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ring()
}

// ring wakes every session; the lock is held, and nothing here can block.
func (d *desk) ring() {
	for bell := range d.bells {
		select {
		case bell <- struct{}{}:
		default:
		}
	}
}

// subscribe hands out a bell that holds at most one ring.
func (d *desk) subscribe() (bell <-chan struct{}, cancel func()) {
	ring := make(chan struct{}, 1)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bells[ring] = struct{}{}
	return ring, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.bells, ring)
	}
}

func newsOf(res *actions.Result, who string) ui.News {
	pre := &res.Preview
	n := ui.News{
		ID: res.ID, Sale: pre.Request.Sale, Verb: pre.Request.Verb, Target: pre.Target, Who: who,
		At: res.Ended, Change: pre.Change, Outcome: res.Outcome, Text: res.Text,
	}
	if pre.Request.Glass && res.Outcome != actions.Refused {
		if n.Glass = pre.LiftedWords(); n.Glass == "" {
			n.Glass = "nothing lifted"
		}
	}
	return n
}
