package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/ui"
	"github.com/onsale-dev/onsale/views"
)

// hands is the runner as one session of the screen uses it: the same guards, the same journal as
// onsale act.
type hands struct {
	*desk
	config  *config.Config // as it was when the session began; seat tells what holds now
	store   *sale.Store
	actor   actions.Actor
	session int
	// role is what a config makes of the person; nil: the session's own for as long as it lasts.
	role func(*config.Config) actions.Role
	// who says who sits here now, where that may change under an open session; nil: actor does.
	who   func() actions.Actor
	wheel *wheel // who holds control among several sessions; nil: nobody else could
}

// sitting is a session as it is at one moment.
type sitting struct {
	config   *config.Config
	actor    actions.Actor
	readOnly bool
}

// seat is what holds for the session now: also the role of whoever sits there may have been changed.
func (h *hands) seat() sitting {
	cfg := h.config
	if h.desk != nil {
		if now := h.current.Load(); now != nil {
			cfg = now.config
		}
	}
	at := sitting{config: cfg, actor: h.actor, readOnly: cfg.Policy.ReadOnly}
	switch {
	case h.who != nil:
		at.actor = h.who()
	case h.role != nil:
		at.actor.Role = h.role(cfg)
	}
	return at
}

// me is who sits here, at this moment.
func (h *hands) me() actions.Actor { return h.seat().actor }

// openHands makes the screen's hands, or nil when the config declares nothing that acts.
func (p *program) openHands(c *cockpit, log *slog.Logger) (h *hands, closeJournal func(), err error) {
	d, shut, err := p.openDesk(c, log)
	if d == nil {
		return nil, shut, err
	}
	h = d.hands(c.config, c.store, p.actor(c.config, "local"))
	h.role = func(cfg *config.Config) actions.Role { return actions.Role(cfg.Policy.Role) }
	return h, shut, nil
}

// openDesk makes the desk that all sessions of this program share, or nil when the config declares
// nothing that acts.
func (p *program) openDesk(c *cockpit, log *slog.Logger) (d *desk, closeJournal func(), err error) {
	cfg, store := c.config, c.store
	if len(cfg.Controls) == 0 {
		return nil, func() {}, nil
	}
	recorder, closeJournal := p.openJournal(p.journalAt)
	runner, err := newRunner(cfg, p.logins(), recorder, store.Snapshot)
	if err != nil {
		closeJournal()
		return nil, nil, err
	}
	d = newDesk(runner, recorder, log)
	d.chronicle, d.logins = c.chronicle, p.logins()
	d.declare(cfg)
	d.recorded(store, time.Now())
	shut := closeJournal // the result has that name, too
	return d, func() { waitAtMost(&d.telling, tellPatience); shut() }, nil
}

// hands are those of one more person at the desk.
func (d *desk) hands(cfg *config.Config, store *sale.Store, actor actions.Actor) *hands {
	return &hands{desk: d, config: cfg, store: store, actor: actor, session: d.sit()}
}

// watch looks after the desk until the context ends.
func (h *hands) watch(ctx context.Context) { h.desk.watch(ctx, h.store) }

func (h *hands) Status() ui.Status {
	at := h.seat()
	s := ui.Status{Actor: at.actor}
	switch {
	case at.actor.Role != actions.Operator:
		s.Off = "viewer: reads, cannot act"
	case at.readOnly:
		s.Off = "read-only by the config's policy"
	}
	if err := h.recorder.Err(); err != nil {
		s.Journal = sale.Clean(err.Error(), 160)
	}
	return s
}

// Offers are what the sale declares. Whether an action can be done now, its preview says.
func (h *hands) Offers(_ context.Context, id sale.ID) []ui.Offer {
	cfg := h.seat().config
	s, ok := cfg.Sale(id)
	if !ok {
		return nil
	}
	offers := []ui.Offer{{Verb: actions.Undo}, {Verb: actions.AddNote}}
	for i := range s.Actions {
		a := &s.Actions[i]
		offer := ui.Offer{Verb: actions.Verb(a.Verb)}
		offer.Off = h.incidentOff(id, offer.Verb)
		if offer.Verb == actions.AddNote {
			offers[1] = offer
			continue
		}
		offers = append(offers, offer)
		if ahead, ok := aheadOffer(cfg, s, a); ok {
			offers = append(offers, ahead)
		}
	}
	for _, play := range s.Plays {
		offers = append(offers, ui.Offer{Verb: actions.RunPlay, Play: play.Name})
	}
	for i := range offers {
		offers[i].Glass = liftWords(h.runner.GlassOf(offers[i].Verb))
	}
	return offers
}

func (h *hands) Preview(ctx context.Context, req actions.Request) (actions.Preview, error) {
	return h.runner.Preview(ctx, h.me(), req), nil
}

func (h *hands) Needs(_ context.Context, p actions.Preview) ui.Needs {
	var n ui.Needs
	n.Reason, n.Change, n.Second = h.runner.Needs(&p)
	n.EvidenceMaxAge = h.runner.EvidenceMaxAge(p.Request)
	return n
}

func (h *hands) Arm(p actions.Preview, lasts time.Duration) (actions.Arming, *actions.Refusal) {
	if no := h.drives(p.Request); no != nil {
		return actions.Arming{}, no
	}
	return h.runner.Arm(h.me(), p, lasts)
}

func (h *hands) Disarm(arming string) { h.runner.Disarm(arming) }

// Run sees an action through whatever becomes of the session.
func (h *hands) Run(ctx context.Context, c actions.Confirmed) actions.Result {
	if no := h.drives(c.Preview.Request); no != nil { // control may have passed since it was armed
		return actions.Result{Preview: c.Preview, Outcome: actions.Refused, Refusals: []actions.Refusal{*no}, Text: no.Text, Ended: time.Now()}
	}
	told, actor := c.Progress, h.me()
	c.Progress = func(step actions.Result) {
		h.tell(newsOf(&step, actor.Name), h.session)
		if told != nil {
			told(step)
		}
	}
	res := h.runner.Run(context.WithoutCancel(ctx), actor, c)
	h.outcomes.add(res.Preview.Request.Verb, res.Outcome)
	h.recorded(h.store, time.Now())
	h.tellLater(actor, res)
	h.tell(newsOf(&res, actor.Name), h.session)
	h.log.Info("action", "sale", string(res.Preview.Request.Sale), "action", string(res.Preview.Request.Verb), "outcome", string(res.Outcome), "text", res.Text)
	return res
}

// drives is the refusal of somebody who doesn't hold control, or nil. Whoever acts while nobody drives,
// drives. The second person's agreement is no driving.
func (h *hands) drives(req actions.Request) *actions.Refusal {
	if h.wheel == nil {
		return nil
	}
	me := h.me()
	if me.Role != actions.Operator {
		return nil // the runner refuses, and records it
	}
	driver, ok := h.wheel.take(me)
	if ok {
		return nil
	}
	why := driver + " drives: request control in the palette (:)"
	h.wheel.tried(me, req, why)
	return &actions.Refusal{Guard: actions.GuardRole, Text: why}
}

// Tried lets the runner refuse and record: a viewer's preview calls no system.
func (h *hands) Tried(ctx context.Context, req actions.Request) {
	at := h.seat()
	if h.wheel != nil {
		h.wheel.tried(at.actor, req, "")
		if at.actor.Role == actions.Operator && !at.readOnly {
			return // somebody else drives; the runner would read the target
		}
	}
	h.runner.Preview(ctx, at.actor, req)
}

func (h *hands) News() []ui.News {
	h.mu.Lock()
	defer h.mu.Unlock()
	news := make([]ui.News, len(h.news))
	for i, n := range h.news {
		news[i] = n.News
		news[i].Own = n.session == h.session
	}
	return news
}

func (h *hands) Subscribe() (bell <-chan struct{}, cancel func()) { return h.subscribe() }

// Ask, Review and Answer go through the journal, so whoever shall answer may sit at another program.
func (h *hands) Ask(ctx context.Context, p actions.Preview) (string, *actions.Refusal) {
	if no := h.drives(p.Request); no != nil {
		return "", no
	}
	id, no := h.runner.Ask(ctx, h.me(), p)
	h.follow()
	return id, no
}

func (h *hands) Review(ctx context.Context, id string) (actions.Preview, error) {
	_, p := h.runner.Review(ctx, h.me(), id)
	return p, nil
}

func (h *hands) Answer(ctx context.Context, id, token string, agree bool) *actions.Refusal {
	no := h.runner.Answer(ctx, h.me(), id, token, agree, "")
	h.follow()
	return no
}

func (h *hands) Requests() []actions.Asked {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.requests)
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
	if s, ok := h.seat().config.Sale(sale.ID(r.Sale)); ok && s.Digit > 0 {
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
		{Label: "approver", Text: approver(r)},
		{Label: "glass", Text: strings.Join(r.Glass, ", ")},
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

func approver(r *journal.Record) string {
	if r.Approver == nil {
		return ""
	}
	return strings.TrimSpace(r.Approver.Name + " " + r.Approver.Fingerprint)
}

func stageOf(r *journal.Record) views.Stage {
	switch {
	case r.Kind == journal.Effect && len(r.Code) == 6 && r.Code[5] == 'E':
		return views.StageSeen
	case r.Kind == journal.Effect:
		return views.StageNotTaken
	case r.Ask != nil && strings.HasPrefix(r.Code, "APR1"):
		return views.StageAsked
	case r.Ask != nil && strings.HasPrefix(r.Code, "APR2"):
		return views.StageAgreed
	case r.Ask != nil:
		return views.StageDeclined
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

// liftWords names what breaking the glass would lift: "freeze, second person".
func liftWords(lifts []actions.Lift) string {
	words := make([]string, len(lifts))
	for i, l := range lifts {
		words[i] = strings.ReplaceAll(string(l), "_", " ")
	}
	return strings.Join(words, ", ")
}
