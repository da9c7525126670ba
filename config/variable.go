package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxFilled bounds a text after its variables are filled in.
const maxFilled = 64 << 10

// piece is a part of a text: either as it stands, or the name of a variable.
type piece struct {
	text string
	name string // of a variable
	raw  string // as written, when it is a variable or faulty
	bad  bool   // "${" without a name
}

// pieces cuts a text at its variables: $name, ${name}; $$ is a dollar sign, and so is a "$"
// that no name follows, such as the end of a regular expression.
func pieces(text string) []piece {
	var out []piece
	for text != "" {
		i := strings.IndexByte(text, '$')
		if i < 0 || i == len(text)-1 {
			return append(out, piece{text: text})
		}
		if i > 0 {
			out = append(out, piece{text: text[:i]})
		}
		text = text[i:]
		switch next := text[1]; {
		case next == '$':
			out, text = append(out, piece{text: "$"}), text[2:]
		case next == '{':
			end := strings.IndexByte(text, '}')
			if end < 0 {
				return append(out, piece{raw: text, bad: true})
			}
			name := text[2:end]
			p := piece{name: name, raw: text[:end+1]}
			if !variableName.MatchString(name) {
				p.name, p.bad = "", true
			}
			out, text = append(out, p), text[end+1:]
		case next == '_' || next >= 'a' && next <= 'z' || next >= 'A' && next <= 'Z':
			end := 2
			for end < len(text) && isNameByte(text[end]) {
				end++
			}
			out, text = append(out, piece{name: text[1:end], raw: text[:end]}), text[end:]
		default:
			out, text = append(out, piece{text: "$"}), text[1:]
		}
	}
	return out
}

func isNameByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// scope is the variables of one sale.
type scope struct {
	r        *reader
	sale     *saleIn
	template *node // where the sale names its template
	declared map[string]variable
	with     map[string]variable // key and value as the sale sets them
	values   map[string]value
	busy     []string // names being worked out, to find a circle
	used     map[string]bool
}

// value is what a variable came out as.
type value struct {
	text string
	via  []*node
	ok   bool
}

// newScope checks a sale's "with" against the variables that its template declares.
func (r *reader) newScope(in *saleIn, res *resolved) *scope {
	s := &scope{
		r: r, sale: in, template: in.Template.at, declared: res.variables,
		with: map[string]variable{}, values: map[string]value{}, used: map[string]bool{},
	}
	s.values["sale"] = value{text: in.ID.S, ok: true}
	if in.With.at == nil {
		return s
	}
	for _, e := range in.With.at.entries {
		name := e.key.text
		if _, ok := res.variables[name]; !ok {
			why := fmt.Sprintf("unknown variable %q", name)
			var also []Place
			if in.Template.given() {
				why += fmt.Sprintf(": the template %q has none of that name", res.name)
				also = append(also, see(in.Template.at, "the template is named here"))
			}
			r.wrong(e.key, why, didYouMean(name, slices.Sorted(maps.Keys(res.variables)), "remove it: there is no template that has variables"), also...)
			continue
		}
		if e.value.kind != scalarKind {
			r.wrong(e.value, fmt.Sprintf("the variable %q needs a single value, this is %s", name, e.value.kind), "write a text or a number")
		}
		s.with[name] = variable(e)
	}
	return s
}

// unused refuses what a sale sets and nothing of it needs.
func (s *scope) unused(res *resolved) {
	if s.sale.With.at == nil {
		return
	}
	for _, e := range s.sale.With.at.entries {
		v, ok := s.with[e.key.text]
		if ok && !s.used[e.key.text] {
			s.r.wrong(v.key, fmt.Sprintf("the variable %q is set and no signal, panel, link or action of this sale uses it", e.key.text), "remove it",
				see(res.variables[e.key.text].key, "it is declared here"))
		}
	}
}

// fill returns a node with every variable below it replaced; what names none is shared.
func (s *scope) fill(n *node) *node {
	if n == nil {
		return nil
	}
	switch n.kind {
	case scalarKind:
		if !strings.Contains(n.text, "$") {
			return n
		}
		out := s.expand(n)
		c := *n
		c.raw, c.text, c.via = n.text, out.text, joined(n.via, out.via)
		c.filled = n.hasVariable()
		return &c
	case mapKind:
		var c *node
		for i, e := range n.entries {
			if v := s.fill(e.value); v != e.value {
				if c == nil {
					c = copyOf(n)
				}
				c.entries[i].value = v
			}
		}
		if c != nil {
			return c
		}
	case listKind:
		var c *node
		for i, item := range n.items {
			if v := s.fill(item); v != item {
				if c == nil {
					c = copyOf(n)
				}
				c.items[i] = v
			}
		}
		if c != nil {
			return c
		}
	}
	return n
}

func copyOf(n *node) *node {
	c := *n
	c.entries, c.items = slices.Clone(n.entries), slices.Clone(n.items)
	return &c
}

// expand works a text out.
func (s *scope) expand(n *node) value {
	var b strings.Builder
	out := value{ok: true}
	for _, p := range pieces(n.text) {
		if p.bad {
			s.r.wrong(inside(n, p.raw), badBrace(p.raw), "write ${name}; $$ for a dollar sign")
			out.ok = false
			continue
		}
		if p.name == "" {
			b.WriteString(p.text)
			continue
		}
		v := s.variable(n, p)
		out.ok = out.ok && v.ok
		out.via = joined(out.via, v.via)
		b.WriteString(v.text)
		if b.Len() > maxFilled {
			s.r.wrong(n, fmt.Sprintf("with its variables filled in, the text is longer than %d bytes", maxFilled), "use shorter values")
			return value{via: out.via}
		}
	}
	out.text = b.String()
	return out
}

// joined adds places to places, each once. A handful says enough about where a text is from,
// and variables made of variables would have places without end.
func joined(a, b []*node) []*node {
	const most = 8
	out := slices.Clone(a)
	for _, n := range b {
		if len(out) < most && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

func badBrace(raw string) string {
	if reference.MatchString(raw) {
		return "a reference can't stand here; it is for sources and for with:"
	}
	return `"${" needs a name and "}"`
}

// absent reports whether a text is one variable and nothing else, whose value is null: what it
// would fill in is left out.
func (s *scope) absent(n *node) bool {
	for range maxChain {
		if n == nil || n.kind != scalarKind || !n.hasVariable() {
			return false
		}
		p := pieces(n.text)
		if len(p) != 1 || p[0].name == "" || p[0].name == "sale" {
			return false
		}
		v, ok := s.with[p[0].name]
		if !ok {
			if v, ok = s.declared[p[0].name]; !ok {
				return false
			}
		}
		if v.value.kind == nullKind {
			return true
		}
		if reference.MatchString(v.value.text) {
			return false
		}
		n = v.value
	}
	return false
}

// variable works a variable out, once per sale.
func (s *scope) variable(n *node, p piece) value {
	s.used[p.name] = true
	if v, ok := s.values[p.name]; ok {
		return v
	}
	v, key := s.with[p.name], (*node)(nil)
	if v.value == nil {
		v = s.declared[p.name]
	}
	if key = v.key; key == nil {
		known := append(slices.Sorted(maps.Keys(s.declared)), "sale")
		fix := didYouMean(p.name, known, "")
		if s.sale.With.at != nil && slices.ContainsFunc(s.sale.With.at.entries, func(e entry) bool { return e.value == n }) {
			fix += fmt.Sprintf(` For the environment write "${env:%s}"`, p.name)
		} else {
			fix += "; or declare it under variables:; $$ is a dollar sign"
		}
		s.r.wrong(inside(n, p.raw), fmt.Sprintf("unknown variable %q", p.name), fix)
		s.values[p.name] = value{}
		return value{}
	}
	if slices.Contains(s.busy, p.name) {
		s.r.wrong(v.value, fmt.Sprintf("the variable %q is made of itself", p.name), "take it out of its own value")
		return value{}
	}
	s.busy = append(s.busy, p.name)
	out := s.work(n, p.name, v)
	s.busy = s.busy[:len(s.busy)-1]
	s.values[p.name] = out
	return out
}

func (s *scope) work(n *node, name string, v variable) value {
	switch {
	case v.value.kind == nullKind:
		at := s.sale.at.keyOf("with")
		if at == s.sale.at {
			at = s.sale.ID.at
		}
		if at == nil {
			return value{}
		}
		s.r.wrong(at, fmt.Sprintf("the variable %q is not set for %s", name, s.sale.title()), fmt.Sprintf("add %s: … to the sale's with:", name),
			see(v.key, "it is declared here, without a default"), see(inside(n, "$"+name), "it is used here"))
		return value{}
	case v.value.kind != scalarKind:
		return value{}
	case reference.MatchString(v.value.text):
		text, ok := s.r.lookUp(v.value, name, false)
		return value{text, []*node{v.value}, ok}
	default:
		out := s.expand(v.value)
		out.via = joined([]*node{v.value}, out.via)
		return out
	}
}

// inside points at a part of a text, where it can be found in the file.
func inside(n *node, part string) *node {
	const within = 60
	c := *n
	for i := range within {
		line := n.line + i
		if line < 1 || line > len(n.doc.lines) {
			break
		}
		text, from := n.doc.lines[line-1], 0
		if i == 0 {
			from = len(string([]rune(text)[:min(n.col-1, utf8.RuneCountInString(text))]))
		}
		if at := strings.Index(text[from:], part); at >= 0 {
			c.line, c.col = line, utf8.RuneCountInString(text[:from+at])+1
			c.width = utf8.RuneCountInString(part)
			return &c
		}
	}
	return n
}

// unusedVariables refuses a variable that nothing in its template's family names: it is a
// slip of the pen more often than not.
func (ts *templates) unusedVariables(t *template) {
	if t.in.Variables.at == nil {
		return
	}
	used := map[string]bool{}
	ts.related(t, nil) // reads the shipped ones that it builds on
	for _, name := range ts.names {
		if o := ts.byName[name]; o != nil && ts.related(t, o) {
			namesIn(o.at, used)
		}
	}
	for _, e := range t.in.Variables.at.entries {
		if !used[e.key.text] && variableName.MatchString(e.key.text) && e.key.text != "sale" {
			known := slices.Sorted(maps.Keys(used))
			fix := "remove it"
			if k := nearest(e.key.text, known); k != "" {
				fix += fmt.Sprintf(", or did you mean %q?", k)
			}
			ts.reader.wrong(e.key, fmt.Sprintf("the variable %q is used nowhere", e.key.text), fix)
		}
	}
}

// related reports whether one template extends the other.
func (ts *templates) related(a, b *template) bool {
	var extends func(from, to *template, left int) bool
	extends = func(from, to *template, left int) bool {
		if from == to || from == nil || left == 0 {
			return from == to
		}
		return slices.ContainsFunc(from.in.Extends.all, func(p str) bool { return extends(ts.find(p.S), to, left-1) })
	}
	return extends(a, b, maxChain) || extends(b, a, maxChain)
}

// namesIn collects the variables that the texts below a node name.
func namesIn(n *node, into map[string]bool) {
	if n.kind == scalarKind && strings.Contains(n.text, "$") {
		for _, p := range pieces(n.text) {
			if p.name != "" {
				into[p.name] = true
			}
		}
	}
	for _, e := range n.entries {
		namesIn(e.value, into)
	}
	for _, i := range n.items {
		namesIn(i, into)
	}
}
