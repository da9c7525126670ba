package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// usualEffect is how an action shows when nobody says otherwise.
func usualEffect(act *Action) Effect {
	const gate, capacity = 3 * time.Minute, 10 * time.Minute
	switch act.Verb {
	case VerbPause:
		return Effect{sale.AdmissionRate, "down", gate}
	case VerbResume:
		return Effect{sale.AdmissionRate, "up", gate}
	case VerbRate:
		return Effect{sale.AdmissionRate, "", gate}
	case VerbScaleUp:
		within := capacity
		if act.Scale != nil && act.Scale.BootsIn > 0 {
			within = max(2*act.Scale.BootsIn, 5*time.Minute)
		}
		return Effect{sale.CapacityInService, "up", within}
	case VerbScaleBack:
		return Effect{sale.CapacityInService, "down", capacity}
	default:
		return Effect{}
	}
}

// effect says how an action shows: as declared, else as usual; nil when the sale has no such
// signal.
func (x *conditions) effect(act *Action, in *actionIn, at *node) *Effect {
	e := usualEffect(act)
	own := in.Effect
	if own == nil {
		if e.Signal == "" || !x.known[e.Signal] {
			return nil
		}
		return &e
	}
	if own.Signal.given() {
		e.Signal = sale.Signal(own.Signal.S)
	}
	if own.Direction.given() {
		if e.Direction != "" && e.Signal == usualEffect(act).Signal && own.Direction.S != e.Direction {
			x.wrong(own.Direction.at, fmt.Sprintf("%q moves %s %s", act.Verb, e.Signal, e.Direction), "remove direction:, or name another signal")
		}
		e.Direction = own.Direction.S
	}
	if own.Within.given() {
		if e.Within = own.Within.V; e.Within < 10*time.Second || e.Within > 2*time.Hour {
			x.wrong(own.Within.at, `"within" is out of range`, "give 10s to 2h")
		}
	}
	if !x.known[e.Signal] {
		if !left(string(e.Signal), x.level, x.removed) {
			where := at
			if own.Signal.given() {
				where = own.Signal.at
			}
			x.unknownSignal(where, string(e.Signal), x.known, x.removed)
		}
		return nil
	}
	return &e
}

// maxConditions bounds what one ramp or step looks at.
const maxConditions = 20

// list reads conditions; those about signals that were taken out later are left out.
func (x *conditions) list(in []str) []Condition {
	var all []Condition
	if len(in) > maxConditions {
		x.wrong(in[maxConditions].at, fmt.Sprintf("there are more than %d conditions", maxConditions), "remove some")
		return nil
	}
	for _, s := range in {
		if !s.given() {
			continue
		}
		if c, ok := x.condition(s.at); ok {
			all = append(all, c)
		}
	}
	return all
}

// condition reads one, such as "error_ratio > 5%".
func (x *conditions) condition(n *node) (c Condition, ok bool) {
	text := strings.TrimSpace(n.text)
	name, rest, two := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	const fix = `write a signal and its limit: "error_ratio > 5%"`
	if !two || !signalName.MatchString(name) {
		x.wrong(n, fmt.Sprintf("not a condition: %s", quote(n)), fix)
		return c, false
	}
	i := slices.IndexFunc(x.sale.Signals, func(s sale.Spec) bool { return string(s.Signal) == name })
	if i < 0 {
		if !x.known[sale.Signal(name)] && !left(name, x.level, x.removed) {
			x.unknownSignal(inside(n, name), name, x.known, x.removed)
		}
		return c, false
	}
	if strings.Contains(rest, " of ") || strings.Contains(rest, " for ") || strings.Contains(rest, "clear") {
		x.wrong(n, "a condition looks at the value of the moment", `leave out "of", "for" and "clear": "error_ratio > 5%"`)
		return c, false
	}
	at := *inside(n, rest)
	at.text = rest
	rule := x.parseRule(&at, x.sale.Signals[i].Unit)
	if rule == nil {
		return c, false
	}
	return Condition{Signal: sale.Signal(name), Over: rule.Above, Limit: rule.Limit, Text: text}, true
}

// instant works a time out: an absolute one, or one that is counted from a sale's own times.
func (r *reader) instant(in instant, s *Sale) (at time.Time, ok bool) {
	if !instantPattern.MatchString(in.S) {
		t, why, fix := parseMoment(in.S)
		if why != "" {
			if why == "is not a time" {
				fix = instantHelp
			}
			r.wrong(in.at, quote(in.at)+" "+why, fix)
			return at, false
		}
		return t, true
	}
	anchor := in.S
	var shift time.Duration
	if i := strings.IndexAny(in.S, "+-"); i > 0 {
		anchor = in.S[:i]
		var err error
		if shift, err = time.ParseDuration(in.S[i:]); err != nil || shift.Abs() > 30*24*time.Hour {
			r.wrong(in.at, fmt.Sprintf("%s is too far from the sale", quote(in.at)), "stay within 30 days")
			return at, false
		}
	}
	switch anchor {
	case "prequeue":
		at = s.Prequeue
	case "closes":
		at = s.Closes
	default:
		at = s.Opens
	}
	if at.IsZero() {
		if anchor != "opens" || s.at.get("opens") == nil {
			r.wrong(in.at, fmt.Sprintf("the sale %q has no %q to count from", s.ID, anchor), fmt.Sprintf("add %s: to the sale, or count from opens", anchor), see(s.at.keyOf("id"), "the sale"))
		}
		return at, false
	}
	return at.Add(shift), true
}

// play builds one play. One that needs an action which this sale does without is left out.
func (b *salesBuilder) play(s *Sale, name string, res *resolved, out map[string]bool, sc *scope, known map[sale.Signal]bool) {
	l := res.plays[name]
	b.about = fmt.Sprintf("play %q", name)
	defer func() { b.about = "" }()
	for _, item := range l.items {
		if item.kind == mapKind && len(item.entries) == 1 && out[item.entries[0].key.text] {
			return
		}
	}
	if incident := out[VerbIncident]; incident && slices.ContainsFunc(l.items, func(n *node) bool { return len(n.entries) == 1 && follows(n.entries[0].key.text) }) {
		return
	}
	before := len(b.mistakes)
	at := sc.fill(l.node)
	if len(b.mistakes) > before {
		return
	}
	x := &conditions{reader: b.reader, sale: s, known: known, removed: res.removed, level: l.level}
	p := Play{Name: name}
	for _, item := range at.items {
		verb, in, ok := b.stepForm(item)
		if !ok {
			continue
		}
		if _, can := s.Action(verb.key.text); !can && res.actions[verb.key.text].node != nil {
			return // the action itself is wrong, and told
		}
		if step, ok := x.playStep(verb, in); ok {
			p.Steps = append(p.Steps, step)
		}
	}
	if len(b.mistakes) == before && len(p.Steps) > 0 {
		s.Plays = append(s.Plays, p)
	}
}

// maxWait bounds the time between two steps of a play.
const maxWait = 2 * time.Hour

func (x *conditions) playStep(verb entry, in playStepIn) (step PlayStep, ok bool) {
	name := verb.key.text
	numeric := oneOf(name, []string{VerbScaleUp, VerbScaleBack, VerbResume, VerbRate})
	if _, can := x.sale.Action(name); !can {
		x.wrong(verb.key, fmt.Sprintf("the play has the step %q, and the sale %q has no such action", name, x.sale.ID), "declare it under actions:, or take the step out")
		return step, false
	}
	step = PlayStep{Verb: name, Text: sale.Clean(in.Text.S, 1024), After: in.After.V, Hold: x.list(in.Hold)}
	switch {
	case in.To.given() && !numeric:
		x.wrong(in.To.at, fmt.Sprintf("%q takes no number", name), "remove to:")
	case in.To.given():
		step.To = x.positive(in.To, "to")
	case name == VerbRate:
		x.wrong(verb.key, `"rate" needs "to"`, "say the rate: {rate: {to: 400}}")
	}
	if in.Text.given() && numeric || in.Text.given() && name == VerbPause {
		x.wrong(in.Text.at, fmt.Sprintf("%q takes no text", name), "remove text:; a note is a step of its own: {note: {text: …}}")
	}
	if name == VerbNote && !in.Text.given() {
		x.wrong(verb.key, `"note" needs "text"`, "say it: {note: {text: …}}")
	}
	if in.After.V > maxWait {
		x.wrong(in.After.at, `"after" is longer than two hours`, "split the play")
	}
	return step, true
}
