package config

import (
	"regexp"
	"strings"
)

// kind is what a node of the file is.
type kind int

const (
	nullKind kind = iota
	scalarKind
	mapKind
	listKind
)

// String gives the word that messages use.
func (k kind) String() string {
	switch k {
	case scalarKind:
		return "a single value"
	case mapKind:
		return "a group of keys"
	case listKind:
		return "a list"
	default:
		return "nothing"
	}
}

// node is one value of the file together with its place. It never changes once built;
// an alias shares the node that it names.
type node struct {
	kind      kind
	doc       *document
	line, col int    // from 1
	width     int    // characters to point at
	text      string // of a scalar, quotes and escapes undone
	quoted    bool   // written in quotes or as a block
	entries   []entry
	items     []*node

	broken bool    // can't be known; why is told already
	raw    string  // of a filled text: as it is written in the file
	filled bool    // variables were replaced in text, so its type is what it looks like
	via    []*node // where the values of those variables stand

	size, depth int // of everything below, aliases counted as often as they are used
}

type entry struct {
	key, value *node
}

// hold counts a child in.
func (n *node) hold(c *node) {
	n.size += 1 + c.size
	n.depth = max(n.depth, c.depth+1)
}

// get returns the value of a key, or nil.
func (n *node) get(key string) *node {
	if n == nil {
		return nil
	}
	for _, e := range n.entries {
		if e.key.text == key {
			return e.value
		}
	}
	return nil
}

// keyOf returns the node of a key itself, or the map when it has no such key.
func (n *node) keyOf(key string) *node {
	for _, e := range n.entries {
		if e.key.text == key {
			return e.key
		}
	}
	return n
}

var (
	numberForm   = regexp.MustCompile(`^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$`)
	variableForm = regexp.MustCompile(`\$(\{?[A-Za-z_])`)
)

// plain reports whether a scalar is written without quotes, so that it may be a number, a
// truth value or null.
func (n *node) plain() bool { return n.kind == scalarKind && (!n.quoted || n.filled) }

func (n *node) isNumber() bool { return n.plain() && numberForm.MatchString(n.text) }

func (n *node) isBool() bool {
	return n.plain() && (n.text == "true" || n.text == "false")
}

// hasVariable reports whether the text of a scalar still names a variable.
func (n *node) hasVariable() bool {
	return n.kind == scalarKind && variableForm.MatchString(strings.ReplaceAll(n.text, "$$", ""))
}

// found says what a node is, for "expected …, found …". It never repeats the value: that may
// be a secret in the wrong place.
func (n *node) found() string {
	switch {
	case n.kind != scalarKind:
		return n.kind.String()
	case n.isNumber():
		return "a number"
	case n.isBool():
		return "true or false"
	default:
		return "text"
	}
}
