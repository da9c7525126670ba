package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"
)

// maxParents bounds how many templates one lays side by side. All the shipped ones are about twenty.
const maxParents = 32

// parents are the templates that one extends: a name, or a list of names.
type parents struct {
	place
	all []str
}

func (*parents) schema() *jsonschema.Schema {
	least, most := uint64(1), uint64(maxParents)
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		{Type: "string"},
		{Type: "array", UniqueItems: true, MinItems: &least, MaxItems: &most, Items: &jsonschema.Schema{Type: "string"}},
	}}
}

func (p *parents) read(r *reader, n *node, c constraint) {
	if n.kind != listKind {
		var one str
		if one.read(r, n, c); one.given() {
			p.at, p.all = n, []str{one}
		}
		return
	}
	if len(n.items) == 0 || len(n.items) > maxParents {
		r.wrong(n, fmt.Sprintf("%q needs 1 to %d templates, here are %d", c.key, maxParents, len(n.items)), "write [builtin/alb, builtin/rds]")
		return
	}
	p.at = n
	for _, i := range n.items {
		var one str
		if one.read(r, i, constraint{key: c.key}); !one.given() {
			continue
		}
		if had := slices.IndexFunc(p.all, func(s str) bool { return s.S == one.S }); had >= 0 {
			r.wrong(i, fmt.Sprintf("the template %q is here twice", one.S), "remove one of them", see(p.all[had].at, "the first one"))
			continue
		}
		p.all = append(p.all, one)
	}
}

// resolve follows "extends" from a reference to a template. It is nil when there is none.
func (ts *templates) resolve(ref *node, name string) *resolved {
	done := ts.build(ref, name, nil)
	if done == nil {
		return nil
	}
	c := done.clone()
	if c.cause == nil {
		c.cause = ref
	}
	return c
}

// clone is a copy that further layers may be laid upon.
func (done *resolved) clone() *resolved {
	c := *done
	c.variables, c.order, c.signals, c.removed = maps.Clone(done.variables), slices.Clone(done.order), maps.Clone(done.signals), maps.Clone(done.removed)
	c.actions, c.plays, c.playOrder = maps.Clone(done.actions), maps.Clone(done.plays), slices.Clone(done.playOrder)
	return &c
}

// build lays a template over all that it extends. chain are those that led here. What is wrong is told
// at the reference that leads to it, once.
func (ts *templates) build(at *node, name string, chain []*template) *resolved {
	t := ts.find(name)
	if t == nil {
		ts.reader.wrong(at, fmt.Sprintf("unknown template %q", name), didYouMean(name, ts.names, ""))
		ts.spoil(chain)
		return nil
	}
	t.used = true
	switch {
	case t.broken:
		ts.spoil(chain)
		return nil
	case slices.Contains(chain, t):
		ts.reader.wrong(at, fmt.Sprintf("the template %q extends itself", name), "take one extends: out of the circle", see(t.key, "the circle begins here"))
		ts.spoil(chain)
		return nil
	case len(chain) == maxChain:
		ts.reader.wrong(at, fmt.Sprintf("more than %d templates extend each other", maxChain), "make the chain shorter")
		ts.spoil(append(chain, t))
		return nil
	}
	if done := ts.done[name]; done != nil {
		return done
	}
	done := newResolved()
	chain = append(slices.Clip(chain), t)
	for i, p := range t.in.Extends.all {
		base := ts.build(p.at, p.S, chain)
		if base == nil {
			return nil
		}
		if i == 0 {
			done = base.clone()
		} else {
			ts.reader.mix(done, base, t, p)
		}
		if done.cause == nil && !t.at.doc.builtin && strings.HasPrefix(p.S, builtinPrefix) {
			done.cause = p.at
		}
	}
	done.name = name
	done.depth++
	if v := t.in.Variables.at; v != nil {
		for _, e := range v.entries {
			done.variables[e.key.text] = variable(e)
		}
	}
	ts.reader.lay(done, t.in.Signals.at)
	done.panels = replace(done.panels, t.at.get("panels"), done.depth)
	done.goals = overlay(done.goals, t.at.get("objectives"), "name", done.depth)
	done.links = overlay(done.links, t.at.get("links"), "title", done.depth)
	ts.reader.layActions(done, t.in.Actions.at)
	ts.reader.layPlays(done, t.in.Plays.at)
	ts.done[name] = done
	return done
}

func (ts *templates) spoil(chain []*template) {
	for _, t := range chain {
		t.broken = true
	}
}

// mix lays another parent of t beside those that are there already. What both declare, each in its
// own way, is refused unless t says itself what it is: nobody should have to know which of two
// templates comes last. What came to both from the same ancestor is no conflict.
func (r *reader) mix(done, other *resolved, t *template, ref str) {
	both := func(what, name string, here, there *node, own bool) {
		if own || here == there {
			return
		}
		r.wrong(ref.at, fmt.Sprintf("two templates that %q extends declare the %s %q", t.name, what, name),
			fmt.Sprintf("say in full in %q what %s is, or take one of the templates out", t.name, name), see(here, "one of them"), see(there, "the other one"))
	}
	for _, name := range slices.Sorted(maps.Keys(other.variables)) {
		v, had := other.variables[name], done.variables[name]
		if h := had.value; h != nil && !(h.kind == v.value.kind && h.kind != mapKind && h.kind != listKind && h.text == v.value.text) {
			both("variable", name, had.key, v.key, t.in.Variables.at.get(name) != nil)
		}
		if had.key == nil {
			done.variables[name] = v
		}
	}
	for _, name := range other.order {
		if had := done.signals[name]; had != nil {
			e := t.in.Signals.at.get(name)
			own := e != nil && (e.kind == nullKind || e.get("from") != nil || e.get("value") != nil)
			both("signal", name, had, other.signals[name], own)
			continue
		}
		done.order = append(done.order, name)
		done.signals[name] = other.signals[name]
		delete(done.removed, name)
	}
	for name, gone := range other.removed {
		if done.signals[name] == nil {
			done.removed[name] = gone
		}
	}
	for _, verb := range slices.Sorted(maps.Keys(other.actions)) {
		e := t.in.Actions.at.get(verb)
		if had, ok := done.actions[verb]; ok {
			both("action", verb, had.node, other.actions[verb].node, e != nil && (e.kind == nullKind || e.get("via") != nil))
			continue
		}
		done.actions[verb] = other.actions[verb]
	}
	for _, name := range other.playOrder {
		if had, ok := done.plays[name]; ok {
			both("play", name, had.node, other.plays[name].node, t.in.Plays.at.get(name) != nil)
			continue
		}
		done.playOrder, done.plays[name] = append(done.playOrder, name), other.plays[name]
	}
	done.panels = beside(done.panels, other.panels, nil)
	done.goals = beside(done.goals, other.goals, func(had, o leveled) bool { return r.twoGoals(both, t, had, o) })
	done.links = beside(done.links, other.links, nil)
	done.depth = max(done.depth, other.depth)
}

// twoGoals reports whether two objectives have the same name, and tells it.
func (r *reader) twoGoals(both func(what, name string, here, there *node, own bool), t *template, had, other leveled) bool {
	a, b := had.get("name"), other.get("name")
	if a == nil || b == nil || a.text != b.text {
		return false
	}
	own := slices.ContainsFunc(t.in.Objectives, func(o *objectiveIn) bool { return o != nil && o.Name.S == a.text })
	both("objective", a.text, a, b, own)
	return true
}

// beside adds what is not yet there; same tells of an entry that stands for another.
func beside(base, other []leveled, same func(had, other leveled) bool) []leveled {
	out := slices.Clone(base)
	for _, o := range other {
		if !slices.ContainsFunc(out, func(had leveled) bool { return had.node == o.node || same != nil && same(had, o) }) {
			out = append(out, o)
		}
	}
	return out
}
