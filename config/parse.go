package config

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// The bounds of a file. They keep a broken or hostile one from taking memory or time.
const (
	maxBytes   = 1 << 20
	maxDepth   = 40      // groups and lists within each other
	maxNodes   = 200_000 // values, aliases counted as often as they are used
	maxLine    = 16 << 10
	maxMarkers = 16 // "- - - ?" in a row on one line
	maxTokens  = 200_000
	maxKeysPer = 4_000 // keys of one group: the parser's time grows with their square
)

// parseYAML reads the text of a file into a tree. A nil node with no mistakes is an empty file.
func parseYAML(d *document, text string) (root *node, mistakes []*Mistake) {
	fail := func(line, col int, why, fix string) (*node, []*Mistake) {
		d.broken = true
		return nil, []*Mistake{{Place: d.at(line, col, 1, ""), Why: why, Fix: fix}}
	}
	defer func() { // the parser below is not ours and its input is foreign
		if p := recover(); p != nil {
			root, mistakes = fail(1, 1, "the file is not readable as YAML", "check it with a YAML linter")
		}
	}()
	if !utf8.ValidString(text) {
		for i, l := range d.lines {
			if !utf8.ValidString(l) {
				return fail(i+1, 1, "the line is not valid UTF-8 text", "save the file as UTF-8")
			}
		}
	}
	for i, l := range d.lines {
		if len(l) > maxLine {
			return fail(i+1, 1, fmt.Sprintf("the line is longer than %d bytes", maxLine), "break it up with a block: key: >-")
		}
		if at := strings.IndexFunc(l, unprintable); at >= 0 {
			return fail(i+1, utf8.RuneCountInString(l[:at])+1, "a control character can't stand in a config", "remove it, or write it as an escape in double quotes")
		}
	}
	tokens := lexer.Tokenize(text)
	if line, col, why := tooMuch(tokens); why != "" {
		return fail(line, col, why, "make it smaller and flatter with templates and variables")
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		line, col, why, fix := explain(err)
		return fail(line, col, why, fix)
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		if body != nil {
			p := positionOf(doc.Body)
			return fail(p.Line, 1, "the file holds a second document", `keep one, without a "---" between`)
		}
		body = doc.Body
	}
	if body == nil {
		return nil, nil
	}
	b := &builder{doc: d, anchors: map[string]*node{}}
	root = b.build(body, 0, false)
	if b.full {
		return nil, b.mistakes
	}
	return root, b.mistakes
}

func unprintable(r rune) bool {
	return r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029
}

// tooMuch finds what the parser, which is recursive and slow with long groups, must not be
// given.
func tooMuch(tokens token.Tokens) (line, col int, why string) {
	var flow, row, markers, before int
	keys := map[int]int{} // in the group that is open at a column
	for i, t := range tokens {
		if t.Position.Line != row {
			row, markers = t.Position.Line, 0
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
			markers = 0
		case token.MappingEndType, token.SequenceEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType, token.AnchorType, token.TagType:
			markers++
		case token.MappingValueType:
			markers++ // "a: b: c:" nests too, until the parser refuses it
			if keys[before]++; keys[before] > maxKeysPer {
				return t.Position.Line, t.Position.Column, fmt.Sprintf("there are more than %d keys in one group", maxKeysPer)
			}
		case token.CollectEntryType:
			markers = 0
		}
		if flow == 0 && t.Position.Column < before {
			for c := range keys {
				if c > t.Position.Column {
					delete(keys, c)
				}
			}
		}
		before = t.Position.Column
		switch {
		case flow > maxDepth || markers > maxMarkers || t.Position.IndentNum > 8*maxDepth:
			return t.Position.Line, t.Position.Column, fmt.Sprintf("values are nested deeper than %d", maxDepth)
		case i > maxTokens:
			return t.Position.Line, t.Position.Column, fmt.Sprintf("the file holds more than %d values and marks", maxTokens)
		}
	}
	return 0, 0, ""
}

// explain puts a syntax error into words that help.
func explain(err error) (line, col int, why, fix string) {
	line, col, why = 1, 1, "the file is not readable as YAML"
	var ye yaml.Error
	if errors.As(err, &ye) {
		if t := ye.GetToken(); t != nil && t.Position != nil {
			line, col = t.Position.Line, t.Position.Column
		}
		why = "not readable as YAML: " + ye.GetMessage()
	}
	switch {
	case strings.Contains(why, "mapping value is not allowed"):
		fix = `put a value that holds ": " in quotes, or check the indentation`
	case strings.Contains(why, "tab character") || strings.Contains(why, `'\t'`) || strings.Contains(why, "'\t'"):
		why, fix = "not readable as YAML: a tab can't indent", "indent with spaces"
	case strings.Contains(why, "must be specified"):
		fix = "close the bracket"
	case strings.Contains(why, "could not find end character"):
		fix = "close the quotes"
	case strings.Contains(why, "reserved character"):
		fix = "put the value in quotes"
	case strings.Contains(why, "escape character"):
		fix = `use single quotes, where \ means itself`
	default:
		fix = "check the indentation and the quotes"
	}
	return line, col, why, fix
}

// builder turns the parser's tree into nodes.
type builder struct {
	doc      *document
	anchors  map[string]*node
	mistakes []*Mistake
	full     bool
}

func (b *builder) wrong(n *node, why, fix string, also ...Place) {
	b.mistakes = append(b.mistakes, &Mistake{Place: b.doc.at(n.line, n.col, n.width, ""), Why: why, Fix: fix, Also: also})
}

// build never returns nil. secret says that the value stands under a key that sounds secret.
func (b *builder) build(a ast.Node, depth int, secret bool) *node {
	n := &node{kind: nullKind, doc: b.doc, line: 1, col: 1, width: 1, size: 1}
	if a == nil {
		return n
	}
	p := positionOf(a)
	n.line, n.col = p.Line, max(p.Column, 1)
	if depth > maxDepth || b.full {
		b.overflow(n)
		return n
	}
	switch v := a.(type) {
	case *ast.MappingNode:
		b.mapping(n, v.Values, depth, secret)
	case *ast.MappingValueNode:
		b.mapping(n, []*ast.MappingValueNode{v}, depth, secret)
	case *ast.SequenceNode:
		n.kind = listKind
		for _, item := range v.Values {
			c := b.build(item, depth+1, secret)
			n.items = append(n.items, c)
			n.hold(c)
		}
	case *ast.AnchorNode:
		c := b.build(v.Value, depth+1, secret)
		if name := tokenText(v.Name); name != "" {
			b.anchors[name] = c
		}
		return c
	case *ast.AliasNode:
		c, ok := b.anchors[tokenText(v.Value)]
		if !ok {
			b.wrong(n, "the alias names no anchor that stands before it", `give the first one a name with &name`)
			n.broken = true
			return n
		}
		if secret {
			b.hideAll(c)
		}
		return c
	case *ast.TagNode:
		b.wrong(n, "a type tag has no place in this file", "remove the tag; put text in quotes")
		return b.build(v.Value, depth+1, secret)
	case *ast.NullNode:
		n.text = "null"
	default:
		b.scalar(n, a, secret)
	}
	if n.size > maxNodes || n.depth > maxDepth {
		b.overflow(n)
	}
	return n
}

func (b *builder) overflow(n *node) {
	if !b.full {
		b.full = true
		b.wrong(n, fmt.Sprintf("the file is nested deeper than %d or its aliases unfold to more than %d values", maxDepth, maxNodes), "use templates and variables instead of aliases")
	}
}

func (b *builder) mapping(n *node, values []*ast.MappingValueNode, depth int, secret bool) {
	n.kind = mapKind
	var merged []*node
	for i, mv := range values {
		if k, ok := mv.Key.(ast.Node); ok && k.Type() == ast.MergeKeyType {
			merged = append(merged, b.build(mv.Value, depth+1, secret))
			continue
		}
		key := b.key(mv.Key, depth)
		if i == 0 && !(n.line == key.line && n.col < key.col && strings.HasPrefix(b.from(n), "{")) {
			n.line, n.col, n.width = key.line, key.col, key.width
		}
		value := b.build(mv.Value, depth+1, secret || soundsSecret(key.text))
		if first := n.keyOf(key.text); first != n {
			b.wrong(key, fmt.Sprintf("the key %q is here twice", key.text), "remove one of them",
				b.doc.at(first.line, first.col, first.width, "the first one"))
			continue
		}
		if value.kind == nullKind && value.line == 1 && key.line > 1 {
			value.line, value.col = key.line, key.col
		}
		n.entries = append(n.entries, entry{key, value})
		n.hold(value)
	}
	for _, m := range merged {
		b.merge(n, m)
	}
	if p, u := n.get("preset"), n.get("url"); p != nil && u != nil && oneOf(p.text, secretAddress) {
		b.hideAll(u) // of a webhook: whoever has the address can send
	}
}

// merge adds what "<<" names; the map's own keys win.
func (b *builder) merge(n, from *node) {
	switch from.kind {
	case mapKind:
		for _, e := range from.entries {
			if n.get(e.key.text) == nil {
				n.entries = append(n.entries, e)
				n.hold(e.value)
			}
		}
	case listKind:
		for _, item := range from.items {
			if item.kind != mapKind {
				b.wrong(item, `"<<" needs an alias of a group of keys`, "")
				continue
			}
			b.merge(n, item)
		}
	default:
		b.wrong(from, `"<<" needs an alias of a group of keys`, "")
	}
}

// from is the rest of a node's line, from the node on.
func (b *builder) from(n *node) string {
	if n.line < 1 || n.line > len(b.doc.lines) {
		return ""
	}
	line := []rune(b.doc.lines[n.line-1])
	return string(line[min(max(n.col-1, 0), len(line)):])
}

func (b *builder) key(k ast.MapKeyNode, depth int) *node {
	a, _ := k.(ast.Node)
	if ck, ok := k.(*ast.MappingKeyNode); ok {
		a = ck.Value
	}
	n := &node{kind: scalarKind, doc: b.doc, line: 1, col: 1, width: 1, size: 1}
	if a == nil {
		return n
	}
	p := positionOf(a)
	n.line, n.col = p.Line, max(p.Column, 1)
	switch a.(type) {
	case *ast.MappingNode, *ast.SequenceNode, *ast.MappingValueNode, *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.LiteralNode:
		b.wrong(n, "a key must be a plain word", "write key: value")
		return n
	}
	b.scalar(n, a, false)
	return n
}

// scalar takes the text as it is written, so that no digit of an account number is lost.
func (b *builder) scalar(n *node, a ast.Node, secret bool) {
	n.kind = scalarKind
	t := a.GetToken()
	if t == nil {
		return
	}
	n.text = t.Value
	origin := t.Origin
	switch {
	case t.Type == token.SingleQuoteType || t.Type == token.DoubleQuoteType:
		n.quoted = true
	case t.Type == token.LiteralType || t.Type == token.FoldedType:
		n.quoted = true
		if l, ok := a.(*ast.LiteralNode); ok && l.Value != nil {
			n.text = l.Value.Value
			if lt := l.Value.GetToken(); lt != nil {
				origin = t.Value + "\n" + strings.TrimRight(lt.Origin, "\n")
			}
		}
	}
	first, _, _ := strings.Cut(strings.Trim(origin, " \t\n"), "\n")
	n.width = max(1, utf8.RuneCountInString(strings.TrimRight(first, " ")))
	if secret || strings.Contains(n.text, "-----BEGIN") || strings.Contains(n.text, "hooks.slack.com/") {
		b.doc.hide(n, origin)
	}
}

func (b *builder) hideAll(n *node) {
	if n.kind == scalarKind {
		b.doc.hide(n, n.text)
	}
	for _, e := range n.entries {
		b.hideAll(e.value)
	}
	for _, i := range n.items {
		b.hideAll(i)
	}
}

func tokenText(n ast.Node) string {
	if n == nil || n.GetToken() == nil {
		return ""
	}
	return n.GetToken().Value
}

func positionOf(n ast.Node) token.Position {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return *t.Position
	}
	return token.Position{Line: 1, Column: 1}
}
