package config

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"
)

// reader turns nodes into the file's types and gathers what is wrong.
type reader struct {
	env      Environment
	dir      string // of the file; relative paths start here
	mistakes []*Mistake
	warnings []*Mistake
	warned   map[string]bool // secret files that a warning was given for
	fields   map[reflect.Type][]field

	// template holds while a template is checked by itself: a text that names a variable
	// passes for anything, because only a sale can fill it in.
	template bool
	// cause is the place in the user's own file that led to a shipped template.
	cause *node
	// known are the sources that a signal can read, acting the controls that an action can use.
	known  []Source
	acting []Control
	// aimed are the sales that rules of whose an alarm is name.
	aimed []str
	// held are the secrets that were read, in the order of the file.
	held []heldSecret
	// runbooks are the first lines of files, by path; fits the actions that the runbooks of the sale
	// in hand name.
	runbooks map[string][]string
	fits     []fit
	// dates makes sales of the calendar; nil: there is none.
	dates *calendarReader
	// about names what is being read: `signal "error_ratio"`.
	about string
}

// leaf is a type of the file that reads itself from a node. Its schema says the same as its
// reading does.
type leaf interface {
	read(r *reader, n *node, c constraint)
	schema() *jsonschema.Schema
}

// described is a group of keys with a name for messages.
type described interface{ what() string }

// place remembers where a value stands; nil means that it was not given.
type place struct{ at *node }

func (p *place) set(n *node) { p.at = n }

// given reports whether the file has the value.
func (p place) given() bool { return p.at != nil }

type settable interface{ set(n *node) }

// constraint is what a field's schema tag asks of a value.
type constraint struct {
	key      string
	enum     []string
	pattern  *regexp.Regexp
	hint     string // the pattern in words
	min, max *float64
	longest  int // characters; 0: any
}

type field struct {
	index    []int
	name     string
	required bool
	constraint
}

// fieldsOf reads the same tags that the schema is generated from.
func (r *reader) fieldsOf(t reflect.Type) []field {
	if f, ok := r.fields[t]; ok {
		return f
	}
	var all []field
	for i := range t.NumField() {
		sf := t.Field(i)
		name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			if sf.Anonymous && sf.Type.Kind() == reflect.Struct && sf.Type != reflect.TypeFor[place]() {
				for _, f := range r.fieldsOf(sf.Type) {
					f.index = append([]int{i}, f.index...)
					all = append(all, f)
				}
			}
			continue
		}
		f := field{index: []int{i}, name: name}
		f.key, f.hint = name, sf.Tag.Get("hint")
		for _, tag := range strings.Split(sf.Tag.Get("jsonschema"), ",") {
			k, v, _ := strings.Cut(tag, "=")
			switch k {
			case "required":
				f.required = true
			case "enum":
				f.enum = append(f.enum, v)
			case "pattern":
				f.pattern = regexp.MustCompile(v)
			case "maxLength":
				f.longest, _ = strconv.Atoi(v)
			case "minimum":
				f.min = number64(v)
			case "maximum":
				f.max = number64(v)
			}
		}
		all = append(all, f)
	}
	r.fields[t] = all
	return all
}

func number64(text string) *float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil
	}
	return &v
}

// decode reads a node into a value that can be set.
func (r *reader) decode(n *node, v reflect.Value, c constraint) {
	if l, ok := v.Addr().Interface().(leaf); ok {
		l.read(r, n, c)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		fresh := reflect.New(v.Type().Elem())
		r.decode(n, fresh.Elem(), c)
		if n.kind == mapKind { // else it was refused, and nil says so
			v.Set(fresh)
		}
	case reflect.Slice:
		if n.kind != listKind {
			r.wrong(n, fmt.Sprintf("%q needs a list, this is %s", c.key, n.found()), "write [one, two], or one per line after a dash")
			return
		}
		list := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
		for i, item := range n.items {
			r.decode(item, list.Index(i), c)
		}
		v.Set(list)
	case reflect.Struct:
		r.object(n, v, c)
	}
}

// object reads a group of keys into a struct.
func (r *reader) object(n *node, v reflect.Value, c constraint) {
	what := fmt.Sprintf("%q", c.key)
	if d, ok := v.Addr().Interface().(described); ok {
		what = d.what()
	}
	if n.kind != mapKind {
		r.wrong(n, fmt.Sprintf("%s needs a group of keys, this is %s", what, n.found()), "write key: value, one per line, or {key: value}")
		return
	}
	if s, ok := v.Addr().Interface().(settable); ok {
		s.set(n)
	}
	fields := r.fieldsOf(v.Type())
	for _, e := range n.entries {
		f := fieldNamed(fields, e.key.text)
		if f == nil {
			names := make([]string, len(fields))
			for i := range fields {
				names[i] = fields[i].name
			}
			r.wrong(e.key, fmt.Sprintf("unknown key %q in %s", e.key.text, what), didYouMean(e.key.text, names, ""))
			continue
		}
		if e.value.broken {
			continue
		}
		target := v.FieldByIndex(f.index)
		if _, may := target.Addr().Interface().(nullable); e.value.kind == nullKind && !may {
			r.wrong(e.key, fmt.Sprintf("%q is empty", e.key.text), "give it a value or remove the line")
			continue
		}
		r.decode(e.value, target, f.constraint)
	}
	for _, f := range fields {
		if f.required && n.get(f.name) == nil && n.keyOf(f.name) == n {
			r.wrong(n, fmt.Sprintf("%s has no %q", what, f.name), "add "+f.name+": …")
		}
	}
}

func fieldNamed(fields []field, name string) *field {
	for i := range fields {
		if fields[i].name == name {
			return &fields[i]
		}
	}
	return nil
}

// wrong notes a mistake at a node. A mistake in a shipped template is the user's to mend, so
// it is told at the place in their file that leads there; likewise a value that came from a
// variable is told where the sale set it.
func (r *reader) wrong(n *node, why, fix string, also ...Place) {
	r.mistakes = append(r.mistakes, r.mistake(n, why, fix, also...))
}

func (r *reader) mistake(n *node, why, fix string, also ...Place) *Mistake {
	if n == nil {
		return &Mistake{Why: why, Fix: fix, Also: also}
	}
	at := n
	for _, v := range n.via {
		if !v.doc.builtin {
			at = v
			break
		}
	}
	if at.doc.builtin && r.cause != nil {
		at = r.cause
	}
	if at != n {
		also = append([]Place{see(n, "it is used here")}, also...)
		if r.about != "" && !strings.HasPrefix(why, r.about) {
			why = r.about + ": " + why
		}
	}
	return &Mistake{Place: at.doc.at(at.line, at.col, at.width, ""), Why: at.doc.scrub(why), Fix: fix, Also: also}
}

func (r *reader) warn(n *node, why, fix string) {
	r.warnings = append(r.warnings, r.mistake(n, why, fix))
}

// see is the place of a node, to be told beside a mistake.
func see(n *node, note string) Place { return n.doc.at(n.line, n.col, n.width, note) }

// quote repeats a value of the file in a message, unless it is secret or came from outside.
func quote(n *node) string {
	for _, v := range n.via {
		if reference.MatchString(v.text) {
			return fmt.Sprintf("what %s refers to", v.text)
		}
	}
	const most = 60
	text := []rune(n.text)
	if len(text) > most {
		text = append(text[:most], '…')
	}
	return fmt.Sprintf("%q", n.doc.scrub(userInfo.ReplaceAllString(string(text), "://"+hidden+"@")))
}
