package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/ui"
	"github.com/onsale-dev/onsale/views"
)

// hands is the runner as the screen uses it: the same guards, the same journal as onsale act.
type hands struct {
	config   *config.Config
	runner   *actions.Runner
	policy   actions.Policy
	recorder actions.Recorder
	store    *sale.Store
	actor    actions.Actor
	log      *slog.Logger

	mu    sync.Mutex
	news  []ui.News // newest first
	bells map[chan struct{}]struct{}
}

const mostNews = 40

// openHands makes the screen's hands, or nil when the config declares nothing that acts.
func (p *program) openHands(cfg *config.Config, store *sale.Store, log *slog.Logger) (h *hands, closeJournal func(), err error) {
	if len(cfg.Controls) == 0 {
		return nil, func() {}, nil
	}
	recorder, closeJournal := p.openJournal(p.journalAt)
	runner, err := newRunner(cfg, recorder, store.Snapshot)
	if err != nil {
		closeJournal()
		return nil, nil, err
	}
	return &hands{
		config: cfg, runner: runner, policy: policyOf(cfg), recorder: recorder, store: store,
		actor: p.actor(cfg, "local"), log: log, bells: map[chan struct{}]struct{}{},
	}, closeJournal, nil
}

// watch settles what an earlier run left open, by reading back, and then looks for the effects
// of what was done, about once a second.
func (h *hands) watch(ctx context.Context) {
	settled, err := h.runner.Settle(ctx)
	if err != nil {
		h.log.Warn("what an earlier run left open could not be settled", "why", err.Error())
	}
	for i := range settled {
		h.tell(newsOf(&settled[i], h.actor.Name, false))
	}
	answered := answers{store: h.store, recorder: h.recorder}
	clock := time.NewTicker(time.Second)
	defer clock.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-clock.C:
			answered.look(now)
			for _, w := range h.runner.Observe(ctx, h.store.Snapshot(), now) {
				h.seen(w)
			}
		}
	}
}

func (h *hands) Status() ui.Status {
	s := ui.Status{Actor: h.actor}
	switch {
	case h.actor.Role != actions.Operator:
		s.Off = "viewer: reads, cannot act"
	case h.policy.ReadOnly:
		s.Off = "read-only by the config's policy"
	}
	if err := h.recorder.Err(); err != nil {
		s.Journal = sale.Clean(err.Error(), 160)
	}
	return s
}

// Offers are what the sale declares. Whether an action can be done now, its preview says.
func (h *hands) Offers(_ context.Context, id sale.ID) []ui.Offer {
	s, ok := h.config.Sale(id)
	if !ok {
		return nil
	}
	offers := []ui.Offer{{Verb: actions.Undo}, {Verb: actions.AddNote}}
	for i := range s.Actions {
		a := &s.Actions[i]
		offer := ui.Offer{Verb: actions.Verb(a.Verb)}
		if a.Kind == config.ControlWebhook {
			offer.Off = "webhooks are not done by this version"
		}
		if offer.Verb == actions.AddNote {
			offers[1] = offer
			continue
		}
		offers = append(offers, offer)
	}
	for _, play := range s.Plays {
		offers = append(offers, ui.Offer{Verb: actions.RunPlay, Play: play.Name})
	}
	return offers
}

func (h *hands) Preview(ctx context.Context, req actions.Request) (actions.Preview, error) {
	return h.runner.Preview(ctx, h.actor, req), nil
}

func (h *hands) Needs(_ context.Context, p actions.Preview) ui.Needs {
	var n ui.Needs
	n.Reason, n.Change, n.Second = h.policy.Needs(&p, false)
	return n
}

func (h *hands) Arm(p actions.Preview, lasts time.Duration) (actions.Arming, *actions.Refusal) {
	return h.runner.Arm(h.actor, p, lasts)
}

func (h *hands) Disarm(arming string) { h.runner.Disarm(arming) }

// Run sees an action through whatever becomes of the session.
func (h *hands) Run(ctx context.Context, c actions.Confirmed) actions.Result {
	told := c.Progress
	c.Progress = func(step actions.Result) {
		h.tell(newsOf(&step, h.actor.Name, true))
		if told != nil {
			told(step)
		}
	}
	res := h.runner.Run(context.WithoutCancel(ctx), h.actor, c)
	h.tell(newsOf(&res, h.actor.Name, true))
	h.log.Info("action", "sale", string(res.Preview.Request.Sale), "action", string(res.Preview.Request.Verb), "outcome", string(res.Outcome), "text", res.Text)
	return res
}

// Tried lets the runner refuse and record: a viewer's preview calls no system.
func (h *hands) Tried(ctx context.Context, req actions.Request) {
	h.runner.Preview(ctx, h.actor, req)
}

func (h *hands) News() []ui.News {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.news)
}

func (h *hands) Subscribe() (bell <-chan struct{}, cancel func()) {
	ring := make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.bells[ring] = struct{}{}
	return ring, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.bells, ring)
	}
}

// Journal reads the newest records, as foreign text that is cleaned here.
func (h *hands) Journal(context.Context) (views.Journal, error) {
	out := views.Journal{ReadAt: time.Now()}
	if err := h.recorder.Err(); err != nil {
		out.Problem = sale.Clean(err.Error(), 160)
		return out, nil
	}
	j, ok := h.recorder.(*journal.Journal)
	if !ok {
		return out, nil
	}
	records, err := j.Recent(200)
	if err != nil {
		return out, err
	}
	head := j.Head()
	out.Head, out.Total = fmt.Sprintf("#%d %s", head.Seq, head.Short()), int(head.Seq)
	for i := range records {
		out.Rows = append(out.Rows, h.journalRow(&records[i]))
	}
	slices.SortFunc(out.Rows, func(a, b views.JournalRow) int { return int(b.Seq) - int(a.Seq) })
	return out, nil
}

func (h *hands) journalRow(r *journal.Record) views.JournalRow {
	clean := func(text string) string { return sale.Clean(text, 160) }
	row := views.JournalRow{
		At: r.TS, Seq: r.Seq, Code: r.Code, Who: clean(r.Actor.Name), Role: r.Actor.Role, Via: r.Actor.Via,
		Sale: r.Sale, Text: clean(r.Action + " " + r.Text), Result: clean(r.Reason), Stage: stageOf(r),
	}
	if s, ok := h.config.Sale(sale.ID(r.Sale)); ok && s.Digit > 0 {
		row.Sale = fmt.Sprint(s.Digit)
	}
	if r.Kind != journal.Intent && r.Outcome != "" {
		row.Result = clean(r.Outcome + " " + r.Text)
	}
	for _, fact := range []views.JournalFact{
		{Label: "id", Text: r.ID},
		{Label: "change", Text: change(r)},
		{Label: "reason", Text: r.Reason},
		{Label: "ticket", Text: r.Change},
		{Label: "request", Text: r.RequestID},
		{Label: "hash", Text: r.Hash},
	} {
		if fact.Text != "" {
			fact.Text = clean(fact.Text)
			row.Words = append(row.Words, fact)
		}
	}
	return row
}

func stageOf(r *journal.Record) views.Stage {
	switch {
	case r.Kind == journal.Effect && len(r.Code) == 6 && r.Code[5] == 'E':
		return views.StageSeen
	case r.Kind == journal.Effect:
		return views.StageNotTaken
	}
	switch actions.Outcome(r.Outcome) {
	case actions.Done:
		return views.StageDone
	case actions.Refused:
		return views.StageRefused
	case actions.Failed:
		return views.StageFailed
	case actions.Unknown:
		return views.StageUnknown
	}
	return ""
}

func newsOf(res *actions.Result, who string, own bool) ui.News {
	pre := &res.Preview
	return ui.News{
		ID: res.ID, Sale: pre.Request.Sale, Verb: pre.Request.Verb, Target: pre.Target, Who: who, Own: own,
		At: res.Ended, Change: pre.Change, Outcome: res.Outcome, Text: res.Text,
	}
}

// tell takes in news of an action, in place of what was known of it before.
func (h *hands) tell(n ui.News) {
	if n.ID == "" {
		return // nothing was begun
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.news {
		if h.news[i].ID == n.ID {
			n.Watch = h.news[i].Watch
			h.news = slices.Delete(h.news, i, i+1)
			break
		}
	}
	h.news = slices.Insert(h.news, 0, n)
	h.news = h.news[:min(len(h.news), mostNews)]
	h.ring()
}

// seen takes in what was seen of an effect.
func (h *hands) seen(w actions.Watch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.news {
		if h.news[i].ID == w.ID {
			settled := w.Sight != actions.NotYet && (h.news[i].Watch == nil || h.news[i].Watch.Sight == actions.NotYet)
			first := h.news[i].Watch == nil
			h.news[i].Watch = &w
			if settled || first {
				h.ring()
			}
			return
		}
	}
}

// ring wakes every session; the lock is held, and nothing here can block.
func (h *hands) ring() {
	for bell := range h.bells {
		select {
		case bell <- struct{}{}:
		default:
		}
	}
}
