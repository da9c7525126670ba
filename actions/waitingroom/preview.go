package waitingroom

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// When the effect can be seen: a switch is in force after seconds, a limit after about two minutes,
// and what counts people lags both by up to a minute.
const (
	soonest = 60 * time.Second
	latest  = 120 * time.Second
	within  = 3 * time.Minute
)

// Preview reads the room, its status and its events again, and says what would happen.
func (e *Executor) Preview(ctx context.Context, req actions.Request, seen actions.Evidence) (actions.Preview, error) {
	now, err := e.read(ctx)
	if err != nil {
		return actions.Preview{}, err
	}
	if now.lost != nil {
		if req.Verb != actions.Pause {
			return actions.Preview{}, now.lost // which limits are in force is not known
		}
		now.active, now.inner = nil, nil
		now.doubts = append(now.doubts, "the room's event could not be read: the rate shown is the room's own")
	}
	switch req.Verb {
	case actions.Pause:
		return e.pause(now, req, seen), nil
	case actions.Rate:
		return e.rate(now, req, seen), nil
	case actions.Resume:
		return e.resume(now, req, seen), nil
	case actions.Undo:
		return e.undo(now, req, seen), nil
	}
	p := e.begin(now, req, false)
	p.Refuse(actions.GuardRequest, fmt.Sprintf("a waiting room can't do %q", req.Verb), "")
	return p, nil
}

// begin fills what every preview says.
func (e *Executor) begin(now *view, req actions.Request, ofEvent bool) actions.Preview {
	zero := 0.0
	p := actions.Preview{
		Request: req, Target: e.target(now, ofEvent), From: now.value(ofEvent), Version: now.version(ofEvent),
		ReadAt: now.at, Modified: stamp(now.version(ofEvent)), Risk: actions.Normal,
		CostPerHour: &zero, CostText: "$0", Soonest: soonest, Latest: latest, Stays: now.stays(),
		Warnings: slices.Clone(now.doubts), RevertsIt: now.others(ofEvent),
	}
	if now.suspended() {
		p.Refuse(actions.GuardTarget, fmt.Sprintf("room %s is suspended: it is off and everybody goes straight to the shop; no limit and no pause holds", now.roomName()),
			"switch the room on in Cloudflare's dashboard; onsale never touches `suspended`")
	}
	switch now.room.QueueingMethod {
	case "passthrough":
		p.Warnings = append(p.Warnings, "queueing_method is passthrough: the room lets everybody through, whatever its limits")
	case "reject":
		p.Warnings = append(p.Warnings, "queueing_method is reject: the room turns everybody away, and nobody comes back by himself")
	}
	return p
}

// pause makes everybody wait: queue_all on.
func (e *Executor) pause(now *view, req actions.Request, seen actions.Evidence) actions.Preview {
	p := e.begin(now, req, false)
	p.From = now.value(false).Only(actions.Value{SettingQueueAll: {}, SettingSuspended: {}})
	p.To = actions.Value{SettingQueueAll: actions.Flag(true)}
	rate, _ := now.limits()
	p.Change = perMinute(rate) + " → 0/min"
	p.How = fmt.Sprintf("queue_all on for room %s (never suspend)", now.roomName())
	p.People = now.waiting()
	p.PeopleText = count(p.People) + " waiting keep their place (estimate, 20-50s old); whoever comes joins them"
	p.NotChanged = fmt.Sprintf("rate %s, order of the queue, event times, hosts", perMinute(rate))
	p.EffectText = "configuration read back at once; admitted/min at 0 in 60 to 120 s"
	p.UndoText = fmt.Sprintf("R resumes as a ramp up to %s; U lets people in at %s at once, if that is safe", perMinute(rate), perMinute(rate))
	if safe, known := e.safe(seen); known && float64(rate) > safe {
		p.UndoText = fmt.Sprintf("R resumes as a ramp; U (%s) is refused above safe %s", perMinute(rate), perMinute(int64(safe)))
	}
	if now.active != nil {
		p.RevertsIt = fmt.Sprintf("event %s, until %s, can't override queue_all; %s", sale.Clean(now.active.Name, 60), clock(now.active.End, now.at), p.RevertsIt)
	}
	p.Effect = effect(seen, actions.Down, 0, rate)
	p.Evidence = quote(seen, sale.Waiting, sale.AdmissionRate, sale.PaymentFailureRatio, sale.ErrorRatio)
	if now.room.QueueAll {
		p.Refuse(actions.GuardTarget, "queue_all is on already: nobody new is let in", "R resumes")
	}
	return p
}

// effect is the signal in which a rate shows. wanted is the rate after it, from the one before.
func effect(seen actions.Evidence, way actions.Direction, wanted, from int64) *actions.Effect {
	name := sale.AdmissionRate
	if !seen.Signal(name).Has {
		if name = sale.AdmissionLimit; !seen.Signal(name).Has {
			return nil
		}
	}
	at := float64(wanted)
	switch {
	case name == sale.AdmissionLimit:
	case way == actions.Up: // fewer come than may: abandoned places hold theirs for up to five minutes
		at = float64(from) + (at-float64(from))/2
	default: // the limit is a target, not a cap; bypass rules let a few through
		at = math.Max(at*1.1, 0.02*float64(from))
	}
	return &actions.Effect{Signal: name, Direction: way, Wanted: at, Within: within}
}

func quote(seen actions.Evidence, names ...sale.Signal) []actions.Observed {
	var out []actions.Observed
	for _, name := range names {
		if o := seen.Signal(name); o.Has {
			out = append(out, o)
		}
	}
	return out
}

// safe is the admission that the site can carry, in whole people per minute.
func (e *Executor) safe(seen actions.Evidence) (float64, bool) {
	safe, known := e.o.Safe(seen)
	if !known || math.IsNaN(safe) || math.IsInf(safe, 0) || safe < 0 {
		return 0, false
	}
	return math.Floor(safe), true
}

// rate sets how many are let in per minute.
func (e *Executor) rate(now *view, req actions.Request, seen actions.Evidence) actions.Preview {
	if req.To == nil {
		p := e.begin(now, req, now.onEvent())
		p.Refuse(actions.GuardRequest, "a rate needs a number of people per minute", "--to N")
		return p
	}
	was, _ := now.limits()
	p := e.setRate(now, req, seen, *req.To)
	if *req.To > float64(was) {
		e.judgeSafe(&p, seen, *req.To)
	} else if safe, known := e.safe(seen); known && *req.To > safe {
		p.Warnings = append(p.Warnings, fmt.Sprintf("%s is still above the safe admission of %s", numeral(*req.To), perMinute(int64(safe))))
	}
	return p
}

// judgeSafe refuses more people than the site can carry, and says so when that isn't known.
func (e *Executor) judgeSafe(p *actions.Preview, seen actions.Evidence, rate float64) {
	safe, known := e.safe(seen)
	if seen.Signal(SafeAdmission).Has {
		p.Evidence = append(p.Evidence, seen.Need(SafeAdmission)...)
	}
	switch {
	case !known:
		p.Warnings = append(p.Warnings, "how many people per minute the site can carry is not known")
	case rate > safe:
		p.OverSafe(fmt.Sprintf("%s is above the safe admission of %s", numeral(rate), perMinute(int64(safe))), "R resumes as a ramp within it; or scale up first")
	}
}

// numeral writes a number of people per minute that may not be a whole one.
func numeral(n float64) string {
	if math.IsNaN(n) || math.IsInf(n, 0) || math.Abs(n) > Most {
		return strconv.FormatFloat(n, 'g', 4, 64) + "/min"
	}
	return strconv.FormatFloat(n, 'f', -1, 64) + "/min"
}

// setRate is the preview of one write of the limits that are in force: those of the event while
// one overrides the room, both together, else the room's.
func (e *Executor) setRate(now *view, req actions.Request, seen actions.Evidence, want float64) actions.Preview {
	ofEvent := now.onEvent()
	p := e.begin(now, req, ofEvent)
	if !(want >= Floor && want <= Most) || want != math.Trunc(want) {
		p.To = actions.Value{SettingRate: actions.Number(want)}
		hint := "P pauses; less than 200 a minute can't be set"
		if want > Most || want >= Floor {
			hint = "a whole number of people per minute"
		}
		p.Refuse(actions.GuardBounds, fmt.Sprintf("%s can't be set: Cloudflare takes whole numbers from %d/min", numeral(want), Floor), hint)
		return p
	}
	rate := int64(want)
	was, ceiling := now.limits()
	p.To = actions.Value{SettingRate: actions.Number(want)}
	raised := max(ceiling, rate)
	if ofEvent || raised != ceiling {
		p.To[SettingActive] = actions.Number(float64(raised))
	}
	p.Change = perMinute(was) + " → " + perMinute(rate)
	if raised != ceiling {
		p.Change += fmt.Sprintf(", total_active_users %d → %d", ceiling, raised)
		p.Warnings = append(p.Warnings, fmt.Sprintf("total_active_users goes up with it, %d → %d: the rate must not be above it", ceiling, raised))
		if e.o.MaxActive > 0 && float64(raised) > e.o.MaxActive {
			p.Refuse(actions.GuardBounds, fmt.Sprintf("it needs total_active_users %d, over the bound of %s", raised, actions.Number(e.o.MaxActive)), "choose a lower rate")
		}
	}
	e.tellRate(&p, now, rate)
	p.Effect = effect(seen, direction(rate, was), rate, was)
	p.Evidence = quote(seen, sale.Waiting, sale.AdmissionRate, sale.ActiveUsers)
	if now.room.QueueAll {
		p.Effect = nil
		p.Warnings = append(p.Warnings, "queue_all is on: nobody is let in until R resumes, whatever the rate")
		p.EffectText = "configuration read back at once; no effect while queue_all is on"
	}
	return p
}

func direction(to, from int64) actions.Direction {
	if to > from {
		return actions.Up
	}
	return actions.Down
}

// tellRate says in words what a change of the limits does.
func (e *Executor) tellRate(p *actions.Preview, now *view, rate int64) {
	was, ceiling := now.limits()
	p.People = now.waiting()
	p.PeopleText = count(p.People) + " waiting (estimate, 20-50s old)"
	if p.People != nil && *p.People > 0 {
		p.PeopleText += fmt.Sprintf("; at the new rate they are in after about %d min", int64(math.Ceil(*p.People/float64(rate))))
	}
	p.How = fmt.Sprintf("new_users_per_minute %d on room %s", rate, now.roomName())
	p.NotChanged = fmt.Sprintf("total_active_users %d, queue_all, order of the queue, event times, hosts", ceiling)
	if _, both := p.To[SettingActive]; both {
		p.NotChanged = "queue_all, order of the queue, event times, hosts"
	}
	p.EffectText = "configuration read back at once; admitted/min follows over about 2 min, and may overshoot"
	p.UndoText = fmt.Sprintf("U sets %s again", perMinute(was))
	switch next := now.next(); {
	case now.onEvent():
		name, end := sale.Clean(now.active.Name, 60), clock(now.active.End, now.at)
		p.How = fmt.Sprintf("both limits of event %s: it is active and overrides room %s", name, now.roomName())
		p.RevertsIt = fmt.Sprintf("event %s ends %s, then the room's own %s holds; %s", name, end, perMinute(*now.room.NewUsersPerMinute), p.RevertsIt)
	case next != nil:
		p.RevertsIt = fmt.Sprintf("event %s begins %s with %s of its own; %s", sale.Clean(next.Name, 60), clock(next.Start, now.at), limitOf(next), p.RevertsIt)
	}
}

func limitOf(e *event) string {
	if e.NewUsersPerMinute == nil {
		return "limits"
	}
	return perMinute(*e.NewUsersPerMinute)
}

// undo puts recorded values back: those of queue_all on the room, or those of the limits where they
// are in force now. The runner refuses it when that is another target than the one that was changed.
func (e *Executor) undo(now *view, req actions.Request, seen actions.Evidence) actions.Preview {
	_, limits := req.Restore[SettingRate]
	ofEvent := limits && now.onEvent()
	p := e.begin(now, req, ofEvent)
	p.To = req.Restore
	refuse := func(text, hint string) actions.Preview {
		p.Refuse(actions.GuardTarget, text, hint)
		return p
	}
	if err := settable(actions.Preview{Target: p.Target, To: req.Restore}); err != nil {
		return refuse("the recorded values can't be put back: "+req.Restore.String(), "set the value you want by name")
	}
	p.Change, p.How = p.From.Change(req.Restore), "the recorded values, on "+p.Target.String()
	p.EffectText = "configuration read back at once; counters follow in 60 to 120 s"
	p.UndoText = "U again takes the undo back"
	p.People = now.waiting()
	p.PeopleText = count(p.People) + " waiting (estimate, 20-50s old)"
	p.NotChanged = "order of the queue, event times, hosts"
	p.Evidence = quote(seen, sale.Waiting, sale.AdmissionRate)
	after := now.with(req.Restore, ofEvent)
	rate, ceiling := after.limits()
	was, _ := now.limits()
	if rate > ceiling {
		return refuse(fmt.Sprintf("%d a minute would be above total_active_users %d", rate, ceiling), "set the rate you want by name")
	}
	switch {
	case after.room.QueueAll && !now.room.QueueAll:
		p.Effect = effect(seen, actions.Down, 0, was)
	case now.room.QueueAll && !after.room.QueueAll:
		p.Change = "0/min → " + perMinute(rate)
		p.How = fmt.Sprintf("queue_all off for room %s, at the whole rate at once", now.roomName())
		e.judgeSafe(&p, seen, float64(rate))
		p.Effect = effect(seen, actions.Up, rate, 0)
	case rate > was:
		e.judgeSafe(&p, seen, float64(rate))
		p.Effect = effect(seen, actions.Up, rate, was)
	case rate < was && !after.room.QueueAll:
		p.Effect = effect(seen, actions.Down, rate, was)
	}
	if after.room.QueueAll && now.room.QueueAll {
		p.Effect = nil
	}
	return p
}
