package alertmanager

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// Settings of a target, and what they can be.
const (
	setAlert    = "alert"    // active, none, or "active on 1 of 2"
	setSilenced = "silenced" // a switch

	stateActive = "active"
	stateNone   = "none"
)

// Preview reads every peer and says what would be sent.
func (x *Executor) Preview(ctx context.Context, req actions.Request, seen actions.Evidence) (actions.Preview, error) {
	now, zero := time.Now(), 0.0
	p := actions.Preview{
		Request: req, ReadAt: now, Risk: actions.Normal, CostPerHour: &zero, CostText: "$0", Target: x.Declared(),
		NotChanged: "the sale itself: rates, capacity, the queue", Evidence: figures(seen),
		Soonest: time.Second, Latest: x.Info().ReadBack.Within,
	}
	if mutesSale(req) {
		err := x.previewMute(ctx, &p)
		return p, err
	}
	if req.To != nil {
		p.Refuse(actions.GuardRequest, "an incident takes no number", "leave --to out")
	}
	if req.Sale == "" {
		p.Refuse(actions.GuardRequest, "no sale is named", "")
	}
	switch req.Verb {
	case actions.Incident, actions.Acknowledge, actions.Resolve:
	default:
		p.Refuse(actions.GuardRequest, fmt.Sprintf("Alertmanager does not do %q", req.Verb), "")
		return p, nil
	}
	views := x.read(ctx, req.Sale)
	if err := ctx.Err(); err != nil {
		problem := x.web.trouble(err)
		return p, &problem
	}
	switch req.Verb {
	case actions.Incident:
		x.previewOpen(ctx, &p, views, seen)
	case actions.Resolve:
		x.previewResolve(&p, views, seen)
	default:
		x.previewSilence(ctx, &p, views, seen)
	}
	return p, nil
}

// state is the present state as a preview tells it: what all peers that answered agree on.
func (t tally) state() actions.Setting {
	switch {
	case t.answered() == 0:
		return actions.Unset
	case len(t.showing) == 0:
		return actions.Word(stateNone)
	case len(t.without) == 0:
		return actions.Word(stateActive)
	}
	return actions.Word(fmt.Sprintf("active on %d of %d", len(t.showing), t.answered()))
}

// previewOpen never refuses for what it can't read: opening fails open.
func (x *Executor) previewOpen(ctx context.Context, p *actions.Preview, views []view, seen actions.Evidence) {
	cause := x.steadyCause(p.Request.Sale, seen, p.ReadAt)
	severity, t := severityOf(seen), count(views, cause)
	p.Target = x.target(p.Request.Sale, cause)
	p.From = actions.Value{setAlert: x.steadyState(p.Target.ID, t.state(), p.ReadAt)}
	p.To = actions.Value{setAlert: actions.Word(stateActive)}
	ends := p.ReadAt.Add(x.options.Lasts)
	p.Change = fmt.Sprintf("open incident for %s, severity %s", x.words(cause), severity)
	p.How = fmt.Sprintf("%d calls, POST /api/v2/alerts to every peer; ends by itself %s", len(x.peers), clock(ends))
	p.PeopleText = "tells whom the routing tree of " + x.options.Name + " names"
	p.EffectText = "read back from every peer; that an alert is there does not mean that somebody was told"
	p.UndoText = "resolve ends it; a message that went out can't be taken back"
	sets := labelSets(views, cause)
	if len(sets) > 0 {
		severity = sets[0].Labels[labelSeverity]
		p.Change = fmt.Sprintf("renew incident for %s, severity %s, until %s", x.words(cause), x.words(severity), clock(ends))
		p.Facts = append(p.Facts, actions.Fact{Label: factNow, Text: t.String()})
		p.Warnings = append(p.Warnings, "active already since "+clock(sets[0].StartsAt)+": this renews it and tells nobody anew")
	}
	p.Facts = append(p.Facts,
		actions.Fact{Label: factSummary, Text: x.summaryOf(p.Request, seen)},
		actions.Fact{Label: factSeverity, Text: severity},
		actions.Fact{Label: factCause, Text: cause})
	if because := x.because(seen); because != "" {
		p.Facts = append(p.Facts, actions.Fact{Label: factBecause, Text: because})
	}
	if seen.Known {
		p.Facts = append(p.Facts, actions.Fact{Label: factPhase, Text: string(seen.Phase)})
	} else {
		p.Warnings = append(p.Warnings, "nothing is known of this sale: the incident says so")
	}
	x.sayDoubts(p, t)
	labels := x.labels(p.Request.Sale, cause, severity)
	for _, s := range x.silences(ctx, views) {
		if s.mutes(labels) {
			p.Warnings = append(p.Warnings, fmt.Sprintf("a silence by %s mutes it until %s: nobody would be told", x.words(s.CreatedBy), clock(s.EndsAt)))
		}
	}
}

func (x *Executor) words(text string) string { return sale.Clean(x.redact(text), 80) }

// because is every reason in one line.
func (x *Executor) because(seen actions.Evidence) string {
	var all []string
	for _, r := range seen.Reasons[:min(len(seen.Reasons), 6)] {
		all = append(all, r.Text)
	}
	return sale.Clean(x.redact(strings.Join(all, " · ")), 400)
}

// sayDoubts names the peers that can't be read, and what that means for the outcome.
func (x *Executor) sayDoubts(p *actions.Preview, t tally) {
	if len(t.failed) == 0 {
		return
	}
	text := t.doubts()
	if t.answered() < x.quorum {
		text += fmt.Sprintf("; done needs %d of %d peers, so the outcome would be unknown", x.quorum, len(x.peers))
	}
	p.Warnings = append(p.Warnings, text)
}

// aim finds which of a sale's active incidents an answer is meant for: the one whose cause holds
// now, else the newest that fits. It says how many more there are.
func (x *Executor) aim(p *actions.Preview, views []view, seen actions.Evidence, fits func(tally) bool) (cause string, t tally) {
	var causes []string
	var alerts []gettable
	for _, v := range views {
		alerts = append(alerts, v.alerts...)
	}
	slices.SortStableFunc(alerts, func(a, b gettable) int { return b.StartsAt.Compare(a.StartsAt) })
	add := func(cause string) {
		if cause != "" && !slices.Contains(causes, cause) && len(labelSets(views, cause)) > 0 {
			causes = append(causes, cause)
		}
	}
	for _, r := range seen.Reasons {
		add(sale.Clean(string(r.Signal), 100))
	}
	for _, a := range alerts {
		add(a.Labels[labelCause])
	}
	if len(causes) == 0 {
		return "", count(views, "")
	}
	i := max(slices.IndexFunc(causes, func(c string) bool { return fits(count(views, c)) }), 0)
	if n := len(causes) - 1; n > 0 {
		p.Warnings = append(p.Warnings, fmt.Sprintf("%d more active for this sale: this is one of them, the key again does the next", n))
	}
	return causes[i], count(views, causes[i])
}

// nothing refuses an answer to an incident that is not there.
func (x *Executor) nothing(p *actions.Preview, t tally) {
	p.Target.ID = Key(p.Request.Sale, ByHand)
	if len(t.failed) > 0 {
		p.Refuse(actions.GuardTarget, "no peer that answers shows an incident of this sale; "+t.doubts(), "see the peers, then press again")
		return
	}
	p.Refuse(actions.GuardTarget, "no incident of this sale is active in "+x.options.Name, "open one first; Alertmanager keeps none over a restart")
}

func (x *Executor) previewResolve(p *actions.Preview, views []view, seen actions.Evidence) {
	p.To = actions.Value{setAlert: actions.Word(stateNone)}
	p.How = fmt.Sprintf("%d calls, the alert again with its end, to every peer", len(x.peers))
	p.PeopleText = "tells whom the routing tree names that it is over, where it sends that"
	p.EffectText = "read back from every peer"
	p.UndoText = "opening again makes a new incident, and tells anew"
	cause, t := x.aim(p, views, seen, func(tally) bool { return true })
	if cause == "" {
		p.From = actions.Value{setAlert: actions.Word(stateNone)}
		x.nothing(p, t)
		return
	}
	p.From = actions.Value{setAlert: t.state()}
	p.Target = x.target(p.Request.Sale, cause)
	p.Change = "resolve incident for " + x.words(cause)
	p.Facts = append(p.Facts, actions.Fact{Label: factCause, Text: cause}, actions.Fact{Label: factNow, Text: x.told(views, cause, t)})
	x.sayDoubts(p, t)
	if len(t.failed) > 0 {
		p.Warnings = append(p.Warnings, "a peer that is down keeps the incident until its end; resolve again when it is back")
	}
	if len(t.silenced) > 0 {
		p.Warnings = append(p.Warnings, "its silence stays: a new incident of this cause would tell nobody until that ends")
	}
}

// told says what the peers show of a cause, with its end and its receivers.
func (x *Executor) told(views []view, cause string, t tally) string {
	text := t.String()
	sets := labelSets(views, cause)
	if len(sets) == 0 {
		return text
	}
	text += fmt.Sprintf("; since %s, ends by itself %s", clock(sets[0].StartsAt), clock(sets[0].EndsAt))
	var names []string
	for _, r := range sets[0].Receivers[:min(len(sets[0].Receivers), 5)] {
		names = append(names, x.words(r.Name))
	}
	switch {
	case len(t.silenced) > 0:
		text += "; SILENCED: nobody is told"
	case len(t.inhibited) > 0:
		text += "; INHIBITED by another alert: nobody is told"
	case len(names) > 0:
		text += "; goes to " + strings.Join(names, ", ")
	}
	return text
}

// previewSilence is the preview of acknowledge.
func (x *Executor) previewSilence(ctx context.Context, p *actions.Preview, views []view, seen actions.Evidence) {
	p.To = actions.Value{setSilenced: actions.Flag(true)}
	p.From = actions.Value{setSilenced: actions.Flag(false)}
	if x.options.Silence <= 0 {
		p.Target.ID = Key(p.Request.Sale, ByHand)
		p.Refuse(actions.GuardTarget, "Alertmanager has no acknowledge", "a silence for a bounded time can stand for it: silence: 30m in the config")
		return
	}
	cause, t := x.aim(p, views, seen, func(t tally) bool { return len(t.silenced) < len(t.showing) })
	if cause == "" {
		x.nothing(p, t)
		return
	}
	ends := p.ReadAt.Add(x.options.Silence)
	p.From = actions.Value{setSilenced: actions.Flag(len(t.silenced) > 0 && len(t.silenced) == len(t.showing))}
	p.Target = x.target(p.Request.Sale, cause)
	p.Change = fmt.Sprintf("silence incident for %s until %s", x.words(cause), clock(ends))
	p.How = "POST /api/v2/silences, once for each cluster; Alertmanager has no acknowledge"
	p.PeopleText = "nobody is told of this incident again until then, nor that it is over"
	p.EffectText = "read back from every peer"
	p.UndoText = "ends by itself " + clock(ends) + "; earlier in Alertmanager's own pages"
	p.Facts = append(p.Facts, actions.Fact{Label: factCause, Text: cause}, actions.Fact{Label: factNow, Text: x.told(views, cause, t)})
	x.sayDoubts(p, t)
	if on, _ := p.From[setSilenced].Flag(); !on {
		return
	}
	text := "it is silenced already"
	labels := x.labels(p.Request.Sale, cause, labelSets(views, cause)[0].Labels[labelSeverity])
	for _, s := range x.silences(ctx, views) {
		if s.mutes(labels) {
			text = fmt.Sprintf("it is silenced already, by %s until %s", x.words(s.CreatedBy), clock(s.EndsAt))
			break
		}
	}
	p.Refuse(actions.GuardTarget, text, "")
}

// silences are the active ones of the first peer that tells; none when no peer does.
func (x *Executor) silences(ctx context.Context, views []view) []silence {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	for _, v := range views {
		if v.err != nil {
			continue
		}
		a, err := x.get(ctx, v.peer, "/api/v2/silences")
		if err != nil {
			continue
		}
		if list, err := parseSilences(a.body); err == nil {
			return list
		}
	}
	return nil
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "?"
	}
	return t.UTC().Format("15:04:05Z")
}
