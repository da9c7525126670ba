package waitingroom

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// resume lets people in again as a ramp of absolute rates: the first rate is set and read back
// before queue_all is taken off, and each later one waits for its time and for its conditions. A
// request with a step asks for that one write: a rate when it names one, else queue_all off.
func (e *Executor) resume(now *view, req actions.Request, seen actions.Evidence) actions.Preview {
	if req.Step > 0 {
		if req.To != nil {
			return e.setRate(now, req, seen, *req.To)
		}
		return e.release(now, req, seen)
	}
	whole := e.begin(now, req, false)
	rates, no := e.rates(now, req, seen)
	if no != nil {
		whole.To = actions.Value{SettingQueueAll: actions.Flag(false)}
		whole.Refusals = append(whole.Refusals, *no)
		return whole
	}
	if whole.Refused() {
		whole.To = actions.Value{SettingQueueAll: actions.Flag(false)}
		return whole
	}
	e.steps(&whole, now, rates, seen)
	if len(whole.Steps) == 0 {
		whole.To = actions.Value{SettingRate: actions.Number(rates[len(rates)-1])}
		whole.Refuse(actions.GuardTarget, "admission runs at "+numeral(rates[len(rates)-1])+" already", "")
		return whole
	}
	whole.From = whole.Steps[0].Preview.From
	whole.To = whole.Steps[len(whole.Steps)-1].Preview.To
	e.tellRamp(&whole, now, rates, seen)
	return whole
}

// rates are the absolute rates of the ramp, ascending, or why there is none.
func (e *Executor) rates(now *view, req actions.Request, seen actions.Evidence) ([]float64, *actions.Refusal) {
	recorded, _ := now.limits()
	full := float64(recorded)
	if req.To != nil {
		full = *req.To
	}
	if !now.room.QueueAll && (req.To == nil || full <= float64(recorded)) {
		return nil, &actions.Refusal{
			Guard: actions.GuardTarget, Text: "nothing is paused: queue_all is off, the rate is " + perMinute(recorded),
			Hint: "+ raises the rate; resume to a higher number goes there as a ramp",
		}
	}
	if !(full >= Floor && full <= Most) || full != math.Trunc(full) {
		return nil, &actions.Refusal{
			Guard: actions.GuardBounds, Text: fmt.Sprintf("%s can't be set: Cloudflare takes whole numbers from %d/min", numeral(full), Floor),
			Hint: "a whole number of people per minute",
		}
	}
	top := full
	if safe, known := e.safe(seen); known {
		top = min(full, safe)
	}
	if top < Floor {
		return nil, &actions.Refusal{
			Guard: actions.GuardBounds, Text: fmt.Sprintf("the safe admission of %s is under Cloudflare's floor of %d/min", numeral(top), Floor),
			Hint: "stay paused until the cause is gone, or scale up first",
		}
	}
	var rates []float64
	add := func(rate float64) {
		fresh := len(rates) == 0 || rate > rates[len(rates)-1]
		if fresh && (now.room.QueueAll || rate > float64(recorded)) {
			rates = append(rates, rate)
		}
	}
	for _, share := range e.o.Ramp {
		add(min(max(math.Round(full*share), Floor), top))
	}
	add(top)
	return rates, nil
}

// steps fills the writes of the ramp. Each one's From is as the writes before it leave the room.
func (e *Executor) steps(whole *actions.Preview, now *view, rates []float64, seen actions.Evidence) {
	as, paused, open := now, now.room.QueueAll, !now.room.QueueAll
	add := func(to *float64) {
		req := whole.Request
		req.Step, req.To = len(whole.Steps)+1, to
		p := e.resume(as, req, seen)
		s := actions.Step{Request: req, Preview: p}
		if open {
			s.Hold = e.o.Hold
			if len(whole.Steps) > 0 {
				s.After = e.o.RampEvery
			}
		}
		whole.Steps = append(whole.Steps, s)
		as = as.with(p.To, p.Target.Kind == KindEvent)
		if paused && !as.room.QueueAll {
			open = true
		}
		for _, no := range p.Refusals {
			whole.Refuse(no.Guard, fmt.Sprintf("step %d: %s", req.Step, no.Text), no.Hint)
		}
	}
	for i := range rates {
		if rate, _ := as.limits(); float64(rate) != rates[i] {
			add(&rates[i])
		}
		if paused && !open {
			add(nil)
		}
	}
}

// release is the one write that takes queue_all off.
func (e *Executor) release(now *view, req actions.Request, seen actions.Evidence) actions.Preview {
	p := e.begin(now, req, false)
	p.From = now.value(false).Only(actions.Value{SettingQueueAll: {}, SettingSuspended: {}})
	p.To = actions.Value{SettingQueueAll: actions.Flag(false)}
	rate, _ := now.limits()
	p.Change = "0/min → " + perMinute(rate)
	p.How = fmt.Sprintf("queue_all off for room %s", now.roomName())
	p.People = now.waiting()
	p.PeopleText = count(p.People) + " waiting (estimate, 20-50s old)"
	p.NotChanged = "order of the queue, event times, hosts"
	p.EffectText = "first people in after about 20 s, when the queue page reloads; the full rate in about 2 min"
	p.UndoText = "P pauses again"
	p.Effect = effect(seen, actions.Up, rate, 0)
	p.Evidence = quote(seen, sale.Waiting, sale.AdmissionRate)
	return p
}

// tellRamp says in words what the ramp does.
func (e *Executor) tellRamp(whole *actions.Preview, now *view, rates []float64, seen actions.Evidence) {
	from, _ := now.limits()
	start := perMinute(from)
	if now.room.QueueAll {
		start = "0/min"
	}
	var legs, calls []string
	for i, rate := range rates {
		leg := numeral(rate)
		if i > 0 {
			leg += " at +" + sale.FormatAge(e.o.RampEvery*time.Duration(i))
		} else {
			leg += " now"
		}
		legs = append(legs, leg)
	}
	for i, s := range whole.Steps {
		calls = append(calls, fmt.Sprintf("%d %s", i+1, s.Preview.How))
	}
	whole.Change = start + " → " + strings.Join(legs, ", ")
	whole.How = strings.Join(calls, "; ") + "; each read back before the next"
	whole.People = now.waiting()
	whole.PeopleText = count(whole.People) + " waiting (estimate, 20-50s old)"
	whole.NotChanged = "order of the queue, event times, hosts"
	whole.EffectText = "first people in after about 20 s, when the queue page reloads; each rate in force in about 2 min"
	whole.UndoText = "P pauses again (one key)"
	whole.Evidence = quote(seen, sale.Waiting, sale.AdmissionRate)
	recorded := float64(from)
	if whole.Request.To != nil {
		recorded = *whole.Request.To
	}
	if top := rates[len(rates)-1]; top < recorded {
		whole.Facts = append(whole.Facts, actions.Fact{Label: "stops at", Text: numeral(top) + ", the safe admission, not " + numeral(recorded)})
	}
	if _, known := e.safe(seen); !known {
		whole.Warnings = append(whole.Warnings, "how many people per minute the site can carry is not known")
	}
	e.tellHold(whole, seen)
}

// tellHold says what stops the ramp, and what would stop it now.
func (e *Executor) tellHold(whole *actions.Preview, seen actions.Evidence) {
	if len(e.o.Hold) == 0 {
		whole.Warnings = append(whole.Warnings, "nothing stops the ramp by itself: no condition is declared")
		return
	}
	var stops []string
	for _, c := range e.o.Hold {
		o := seen.Signal(c.Signal)
		sign, holds := ">", o.Value > c.Limit
		if c.Over == actions.Down {
			sign, holds = "<", o.Value < c.Limit
		}
		stops = append(stops, fmt.Sprintf("%s %s %s", o.Label, sign, sale.Format(c.Limit, o.Unit, false)))
		whole.Evidence = append(whole.Evidence, quote(seen, c.Signal)...)
		switch {
		case !o.Usable():
			whole.Risk = actions.Severe
			whole.Warnings = append(whole.Warnings, "it would hold at its first rate: "+o.String()+" can't be judged")
		case holds:
			whole.Risk = actions.Severe
			whole.Warnings = append(whole.Warnings, fmt.Sprintf("it would hold at its first rate: %s %s %s", o, sign, sale.Format(c.Limit, o.Unit, false)))
		}
	}
	whole.Facts = append(whole.Facts, actions.Fact{Label: "stops", Text: "holds its step when " + strings.Join(stops, ", ") + " or data is missing"})
}
