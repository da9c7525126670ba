package config

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

var playName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

const (
	maxPlays    = 50
	maxSteps    = 20
	longestPlay = 40
)

// actionForms checks the form of actions before variables are known.
func (r *reader) actionForms(at *node) {
	if at == nil {
		return
	}
	was := r.template
	r.template = true
	defer func() { r.template = was }()
	for _, e := range at.entries {
		if !oneOf(e.key.text, Verbs()) {
			r.wrong(e.key, fmt.Sprintf("unknown action %q", e.key.text), didYouMean(e.key.text, Verbs(), ""))
			continue
		}
		if e.value.kind == nullKind {
			continue
		}
		var in actionIn
		r.decode(withoutNulls(e.value), reflect.ValueOf(&in).Elem(), constraint{key: e.key.text})
		if in.Via.given() && !in.Via.at.hasVariable() {
			r.controlFor(e.key.text, in.Via.at)
		}
	}
}

// playForms checks the form of plays before variables are known.
func (r *reader) playForms(at *node) {
	if at == nil {
		return
	}
	was := r.template
	r.template = true
	defer func() { r.template = was }()
	if len(at.entries) > maxPlays {
		r.wrong(at.entries[maxPlays].key, fmt.Sprintf("there are more than %d plays", maxPlays), "remove some")
	}
	for _, e := range at.entries {
		switch {
		case !playName.MatchString(e.key.text) || len(e.key.text) > longestPlay:
			r.wrong(e.key, fmt.Sprintf("a play can't be called %q", e.key.text), fmt.Sprintf("use up to %d lower-case letters, digits and dashes", longestPlay))
		case e.value.kind == nullKind:
		case e.value.kind != listKind:
			r.wrong(e.value, fmt.Sprintf("the play %q needs a list of steps, this is %s", e.key.text, e.value.found()), `write [{pause: {}}, {incident: {text: "…"}}]`)
		case len(e.value.items) == 0 || len(e.value.items) > maxSteps:
			r.wrong(e.value, fmt.Sprintf("the play %q has %d steps", e.key.text, len(e.value.items)), fmt.Sprintf("give 1 to %d", maxSteps))
		default:
			for _, item := range e.value.items {
				r.stepForm(item)
			}
		}
	}
}

// stepForm checks one step of a play: a verb, and how.
func (r *reader) stepForm(item *node) (verb entry, in playStepIn, ok bool) {
	if item.kind != mapKind || len(item.entries) != 1 {
		r.wrong(item, "a step of a play needs one verb, this is "+item.found(), "write {scale-up: {to: 16}}; one verb per step")
		return verb, in, false
	}
	verb = item.entries[0]
	if !oneOf(verb.key.text, Verbs()) {
		r.wrong(verb.key, fmt.Sprintf("unknown action %q in a play", verb.key.text), didYouMean(verb.key.text, Verbs(), ""))
		return verb, in, false
	}
	if verb.value.kind == nullKind {
		return verb, in, true
	}
	before := len(r.mistakes)
	r.decode(verb.value, reflect.ValueOf(&in).Elem(), constraint{key: verb.key.text})
	return verb, in, len(r.mistakes) == before
}

// controlFor finds the control that a "via" names, and holds it against the verb.
func (r *reader) controlFor(verb string, via *node) *Control {
	i := slices.IndexFunc(r.acting, func(c Control) bool { return c.Name == via.text })
	if i < 0 {
		names := make([]string, len(r.acting))
		for i, c := range r.acting {
			names[i] = c.Name
		}
		r.wrong(via, fmt.Sprintf("there is no control called %s", quote(via)), didYouMean(via.text, names, "declare it under controls:"))
		return nil
	}
	c := &r.acting[i]
	if c.Kind == "" {
		return nil // the control itself is wrong, and told
	}
	if can := c.Verbs(); !oneOf(verb, can) {
		what := a(c.Kind) + " control"
		if c.Webhook != nil && c.Webhook.Preset != PresetNone {
			what += " with the preset " + c.Webhook.Preset
		}
		r.wrong(via, fmt.Sprintf("%q can't do %q: it is %s", c.Name, verb, what), fmt.Sprintf("it does %s; %q is done by %s", strings.Join(can, ", "), verb, strings.Join(doing(verb), ", ")))
		return nil
	}
	return c
}

// doing lists the kinds of control that can do a verb.
func doing(verb string) []string {
	var kinds []string
	for _, kind := range ControlKinds() {
		c := &Control{Kind: kind}
		if kind == ControlWebhook {
			c.Webhook = &WebhookControl{Preset: PresetNone}
		}
		if oneOf(verb, c.Verbs()) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// follows reports whether a verb comes along with "incident" unless a sale says otherwise.
func follows(verb string) bool {
	return verb == VerbAcknowledge || verb == VerbResolve || verb == VerbNote
}

// layActions puts actions over the inherited ones: whole ones replace, partial ones adjust, null
// removes.
func (r *reader) layActions(base *resolved, at *node) {
	if at == nil {
		return
	}
	for _, e := range at.entries {
		verb := e.key.text
		had, has := base.actions[verb]
		has = has && had.kind != nullKind
		incident := base.actions[VerbIncident].node
		if own := at.get(VerbIncident); own != nil {
			incident = own
		}
		implied := follows(verb) && incident != nil && incident.kind == mapKind
		switch {
		case !oneOf(verb, Verbs()):
		case e.value.kind == nullKind && !has && !implied:
			known := slices.Sorted(maps.Keys(base.actions))
			r.wrong(e.key, fmt.Sprintf("there is no inherited action %q to remove", verb), didYouMean(verb, known, "remove the line"))
		case e.value.kind == nullKind:
			base.actions[verb] = leveled{e.value, base.depth}
		case e.value.kind != mapKind:
		case e.value.get("via") != nil:
			base.actions[verb] = leveled{withoutNulls(e.value), base.depth}
		case !has:
			r.wrong(e.key, fmt.Sprintf("there is no inherited action %q to change", verb), "a new action needs via: and the name of a control")
		default:
			level := had.level
			if e.value.get("abort") != nil || e.value.get("effect") != nil {
				level = base.depth
			}
			base.actions[verb] = leveled{adjusted(had.node, e.value), level}
		}
	}
}

// layPlays puts plays over the inherited ones: one of the same name replaces, null removes.
func (r *reader) layPlays(base *resolved, at *node) {
	if at == nil {
		return
	}
	for _, e := range at.entries {
		name := e.key.text
		had, has := base.plays[name]
		has = has && had.kind == listKind
		switch {
		case !playName.MatchString(name):
		case e.value.kind == nullKind && !has:
			r.wrong(e.key, fmt.Sprintf("there is no inherited play %q to remove", name), didYouMean(name, base.playOrder, "remove the line"))
		case e.value.kind == nullKind:
			delete(base.plays, name)
			base.playOrder = slices.DeleteFunc(base.playOrder, func(n string) bool { return n == name })
		case e.value.kind == listKind:
			if !has {
				base.playOrder = append(base.playOrder, name)
			}
			base.plays[name] = leveled{e.value, base.depth}
		}
	}
}
