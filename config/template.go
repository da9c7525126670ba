package config

import (
	"embed"
	"fmt"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

//go:embed builtin/*.yaml
var builtin embed.FS

const builtinPrefix = "builtin/"

// Builtins lists the names of the shipped templates.
func Builtins() []string {
	var names []string
	files, _ := builtin.ReadDir("builtin") // embedded: it can't fail
	for _, f := range files {
		names = append(names, builtinPrefix+strings.TrimSuffix(f.Name(), path.Ext(f.Name())))
	}
	return names
}

// Builtin returns the file of a shipped template, for people who want to read it.
func Builtin(name string) ([]byte, error) {
	data, err := builtin.ReadFile(name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("there is no template %q; the shipped ones are %s", name, strings.Join(Builtins(), ", "))
	}
	return data, nil
}

var (
	templateName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,39}$`)
	signalName   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
)

// maxChain bounds how many templates extend each other.
const maxChain = 8

// templates are those of the file and the shipped ones.
type templates struct {
	reader *reader
	names  []string
	byName map[string]*template
	done   map[string]*resolved
}

// template is one template as it is written.
type template struct {
	name   string
	key    *node // where it is declared
	at     *node
	in     templateIn
	broken bool // its ancestors can't be found; told once
	used   bool
}

// resolved is a template together with all that it extends. It never changes once made.
type resolved struct {
	name      string
	variables map[string]variable
	order     []string
	signals   map[string]*node
	removed   map[string]leveled // signals that a later template took out
	panels    []leveled
	goals     []leveled
	links     []leveled
	actions   map[string]leveled // by verb
	plays     map[string]leveled // by name
	playOrder []string
	depth     int
	cause     *node // the place in the user's file that leads to a shipped template
}

func newResolved() *resolved {
	return &resolved{
		variables: map[string]variable{}, signals: map[string]*node{}, removed: map[string]leveled{},
		actions: map[string]leveled{}, plays: map[string]leveled{},
	}
}

// leveled remembers how far down the chain something was declared.
type leveled struct {
	*node
	level int
}

// variable is one variable of a template: where it is declared, and its value there.
type variable struct {
	key, value *node
}

func (r *reader) templates(at *node) *templates {
	ts := &templates{reader: r, byName: map[string]*template{}, done: map[string]*resolved{}}
	ts.names = Builtins()
	if at != nil {
		for _, e := range at.entries {
			if !templateName.MatchString(e.key.text) {
				r.wrong(e.key, fmt.Sprintf("a template can't be called %q", e.key.text), "use up to 40 lower-case letters, digits, dashes and underscores; builtin/ is for the shipped ones")
				continue
			}
			ts.names = append(ts.names, e.key.text)
			ts.add(e.key.text, e.key, e.value)
		}
	}
	for _, name := range ts.names {
		if t := ts.byName[name]; t != nil && !t.at.doc.builtin {
			ts.unusedVariables(t)
		}
	}
	return ts
}

// find gives a template by its name, nil when there is none. A shipped one is read when it is first
// asked for: a file names a few of them.
func (ts *templates) find(name string) *template {
	if t := ts.byName[name]; t != nil || !strings.HasPrefix(name, builtinPrefix) {
		return t
	}
	data, err := Builtin(name)
	if err != nil {
		return nil
	}
	r := ts.reader
	d := newDocument(name+".yaml", strings.ReplaceAll(string(data), "\r\n", "\n"))
	d.builtin = true
	root, mistakes := parseYAML(d, string(data))
	r.mistakes = append(r.mistakes, mistakes...)
	if root == nil {
		return nil
	}
	about := r.about
	r.about = ""
	ts.add(name, root, root)
	r.about = about
	return ts.byName[name]
}

// add checks the form of a template by itself, so that a mistake in it is told once.
func (ts *templates) add(name string, key, at *node) {
	r := ts.reader
	t := &template{name: name, key: key, at: at}
	was := r.template
	r.template = true
	defer func() { r.template = was }()
	r.decode(at, reflect.ValueOf(&t.in).Elem(), constraint{key: name})
	ts.byName[name] = t
	r.signalForms(t.in.Signals.at)
	r.actionForms(t.in.Actions.at)
	r.playForms(t.in.Plays.at)
	if v := t.in.Variables.at; v != nil {
		for _, e := range v.entries {
			switch {
			case !variableName.MatchString(e.key.text):
				r.wrong(e.key, fmt.Sprintf("a variable can't be called %q", e.key.text), "use up to 40 letters, digits and underscores")
			case e.key.text == "sale":
				r.wrong(e.key, `"sale" is always the sale's id`, "give the variable another name")
			case e.value.kind == mapKind || e.value.kind == listKind:
				r.wrong(e.value, fmt.Sprintf("the variable %q needs a single value, this is %s", e.key.text, e.value.kind), "write a text or a number; null when every sale must set it")
			}
		}
	}
}

// signalForms checks the form of signals before variables are known.
func (r *reader) signalForms(at *node) {
	if at == nil {
		return
	}
	was := r.template
	r.template = true
	defer func() { r.template = was }()
	for _, e := range at.entries {
		if !signalName.MatchString(e.key.text) {
			r.wrong(e.key, fmt.Sprintf("a signal can't be called %q", e.key.text), "use up to 40 lower-case letters, digits and underscores")
			continue
		}
		if e.value.kind == nullKind {
			continue
		}
		var in signalIn
		r.decode(withoutNulls(e.value), reflect.ValueOf(&in).Elem(), constraint{key: e.key.text})
		if in.From.given() && !in.From.at.hasVariable() {
			r.sourceNamed(in.From.at)
		}
		if !in.From.given() && !in.Value.given() {
			r.adjusts(e.key.text, e.value)
		}
		if g := in.Group; g.given() && !g.at.hasVariable() && (in.Value.given() || in.From.given() && !in.From.at.hasVariable() && !r.readsGroup(&in)) {
			r.onScreen(&in)
		}
		r.ruleForms(e.key.text, &in)
	}
}

// withoutNulls leaves out keys that are null: in a signal they take the inherited one away.
func withoutNulls(n *node) *node {
	if n.kind != mapKind {
		return n
	}
	c := *n
	c.entries = slices.DeleteFunc(slices.Clone(n.entries), func(e entry) bool { return e.value.kind == nullKind })
	return &c
}

// adjusting are the keys that change an inherited signal without saying anew how it is read.
var adjusting = []string{"watch", "bad", "runbook", "label", "needed", "of", "group", "band"}

// adjusts reports whether a signal without "from" and "value" only holds what may be changed.
func (r *reader) adjusts(name string, at *node) bool {
	for _, e := range at.entries {
		if _, reads := attributeKinds[e.key.text]; (reads || e.key.text == "unit") && !slices.Contains(adjusting, e.key.text) {
			r.wrong(e.key, fmt.Sprintf("%q can't be changed by itself: the signal %q has no \"from\" here", e.key.text, name),
				"add from: and say in full how it is read; only "+strings.Join(adjusting, ", ")+" change an inherited signal")
			return false
		}
	}
	return true
}

// replace takes a list in place of the inherited one.
func replace(base []leveled, list *node, level int) []leveled {
	if list == nil || list.kind != listKind {
		return base
	}
	out := make([]leveled, 0, len(list.items))
	for _, i := range list.items {
		out = append(out, leveled{i, level})
	}
	return out
}

// overlay adds a list's entries to the inherited ones; one with the same name replaces it.
func overlay(base []leveled, list *node, key string, level int) []leveled {
	if list == nil || list.kind != listKind {
		return base
	}
	out := slices.Clone(base)
	for _, item := range list.items {
		name := item.get(key)
		same := func(l leveled) bool {
			had := l.get(key)
			return l.level < level && name != nil && had != nil && had.text == name.text
		}
		if i := slices.IndexFunc(out, same); i >= 0 {
			out[i] = leveled{item, level}
			continue
		}
		out = append(out, leveled{item, level})
	}
	return out
}

// lay puts signals over the inherited ones: whole ones replace, partial ones adjust, null
// removes.
func (r *reader) lay(base *resolved, at *node) {
	if at == nil {
		return
	}
	for _, e := range at.entries {
		name := e.key.text
		had := base.signals[name]
		switch {
		case !signalName.MatchString(name):
		case e.value.kind == nullKind:
			if had == nil {
				r.wrong(e.key, fmt.Sprintf("there is no inherited signal %q to remove", name), didYouMean(name, base.order, "remove the line"))
				continue
			}
			delete(base.signals, name)
			base.order = slices.DeleteFunc(base.order, func(n string) bool { return n == name })
			base.removed[name] = leveled{e.key, base.depth}
		case e.value.kind != mapKind:
		case e.value.get("from") != nil || e.value.get("value") != nil:
			if had == nil {
				base.order = append(base.order, name)
			}
			base.signals[name] = withoutNulls(e.value)
			delete(base.removed, name)
		case had == nil && hasAttribute(e.value): // told by signalForms
		case had == nil:
			r.wrong(e.key, fmt.Sprintf("there is no inherited signal %q to change", name), withFrom(name, base.order))
		default:
			base.signals[name] = adjusted(had, e.value)
		}
	}
}

// hasAttribute reports whether a signal says how it is read.
func hasAttribute(n *node) bool {
	return slices.ContainsFunc(n.entries, func(e entry) bool { return attributeKinds[e.key.text] != nil })
}

func withFrom(name string, known []string) string {
	if k := nearest(name, known); k != "" {
		return fmt.Sprintf("did you mean %q? A new signal needs from: or value:", k)
	}
	return "a new signal needs from: or value:"
}

// adjusted lays the keys of a partial signal over a whole one. A threshold that is null
// stays, as "none"; any other null takes the inherited key away.
func adjusted(base, change *node) *node {
	c := *base
	c.entries = slices.Clone(base.entries)
	for _, e := range change.entries {
		c.entries = slices.DeleteFunc(c.entries, func(b entry) bool { return b.key.text == e.key.text })
		if e.value.kind != nullKind || e.key.text == "watch" || e.key.text == "bad" {
			c.entries = append(c.entries, e)
		}
	}
	return &c
}
