package grafana

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"strconv"
	"strings"
)

// The bounds of a dashboard.
const (
	maxBytes  = 8 << 20
	maxDepth  = 64
	maxPanels = 1000
)

// Error is a file that is no dashboard, and where: Line and Column count from 1, columns in bytes.
type Error struct {
	Line, Column int
	Reason       string
}

func (e *Error) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Reason) }

// file is the text, for places in it.
type file struct {
	data  []byte
	lines []int // offsets of their beginnings
}

func newFile(data []byte) *file {
	f := &file{data: data, lines: []int{0}}
	for i, c := range data {
		if c == '\n' {
			f.lines = append(f.lines, i+1)
		}
	}
	return f
}

func (f *file) place(offset int) (line, column int) {
	offset = min(max(offset, 0), len(f.data))
	line = sort.SearchInts(f.lines, offset+1)
	return line, offset - f.lines[line-1] + 1
}

func (f *file) wrong(offset int, format string, args ...any) *Error {
	line, column := f.place(offset)
	return &Error{line, column, fmt.Sprintf(format, args...)}
}

// node is a value of the file. All its methods take a nil node for one that is not there.
type node struct {
	at      int // the offset of its first byte
	members map[string]*node
	names   []string // of members, in their order
	items   []*node
	value   any // string, json.Number, bool or nil of what is neither an object nor a list
	object  bool
	array   bool
}

// parse reads the whole text; a member that is there twice counts as its last, as in a browser.
func (f *file) parse() (*node, error) {
	dec := json.NewDecoder(bytes.NewReader(f.data))
	dec.UseNumber()
	root, err := f.read(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, f.wrong(int(dec.InputOffset()), "more text after the end of the JSON")
	}
	return root, nil
}

func (f *file) read(dec *json.Decoder, depth int) (*node, error) {
	n := &node{at: f.skip(int(dec.InputOffset()), blanks+",:")}
	if depth > maxDepth {
		return nil, f.wrong(n.at, "nested deeper than %d", maxDepth)
	}
	token, err := dec.Token()
	if err != nil {
		return nil, f.syntax(dec, err)
	}
	switch t := token.(type) {
	case json.Delim:
		for dec.More() {
			if t == '[' {
				item, err := f.read(dec, depth+1)
				if err != nil {
					return nil, err
				}
				n.items = append(n.items, item)
				continue
			}
			name, err := dec.Token()
			if err != nil {
				return nil, f.syntax(dec, err)
			}
			member, err := f.read(dec, depth+1)
			if err != nil {
				return nil, err
			}
			n.set(name.(string), member)
		}
		n.object, n.array = t == '{', t == '['
		if _, err := dec.Token(); err != nil {
			return nil, f.syntax(dec, err)
		}
	default:
		n.value = t
	}
	return n, nil
}

func (n *node) set(name string, member *node) {
	if n.members == nil {
		n.members = map[string]*node{}
	}
	if _, twice := n.members[name]; !twice {
		n.names = append(n.names, name)
	}
	n.members[name] = member
}

// skip finds the first byte at or after an offset that is none of these.
func (f *file) skip(offset int, these string) int {
	for offset < len(f.data) && strings.IndexByte(these, f.data[offset]) >= 0 {
		offset++
	}
	return offset
}

const blanks = " \t\r\n"

func (f *file) syntax(dec *json.Decoder, err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return f.wrong(f.skip(int(dec.InputOffset()), blanks), "not JSON: %s", syntax.Error())
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return f.wrong(len(f.data), "not JSON: it ends too early")
	}
	return f.wrong(int(dec.InputOffset()), "not JSON: %s", err)
}

func (n *node) get(names ...string) *node {
	for _, name := range names {
		if n == nil {
			return nil
		}
		n = n.members[name]
	}
	return n
}

func (n *node) list() []*node {
	if n == nil {
		return nil
	}
	return n.items
}

// text is a string, "" for anything else.
func (n *node) text() string {
	if n == nil {
		return ""
	}
	s, _ := n.value.(string)
	return s
}

// word is a string, or a number or a truth value as it is written.
func (n *node) word() string {
	if n == nil {
		return ""
	}
	switch v := n.value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

func (n *node) is(want bool) bool {
	if n == nil {
		return false
	}
	b, ok := n.value.(bool)
	return ok && b == want
}

// number is a finite number, also one that is written as a string.
func (n *node) number() (float64, bool) {
	v, err := strconv.ParseFloat(n.word(), 64)
	return v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}

// first is the word itself, or the first of a list of them.
func (n *node) first() string {
	if items := n.list(); len(items) > 0 {
		return items[0].word()
	}
	return n.word()
}

func (n *node) offset() int {
	if n == nil {
		return 0
	}
	return n.at
}
