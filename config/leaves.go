package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/onsale-dev/onsale/sale"
)

// nullable is a leaf for which null means something.
type nullable interface{ nullable() }

// str is text. text also takes a number, digit for digit, for names that are often numbers:
// an account, a zone, a room.
type (
	str  struct{ word }
	text struct{ word }
	word struct {
		place
		S string
	}
)

func (s *str) read(r *reader, n *node, c constraint)  { s.take(r, n, c, false) }
func (s *text) read(r *reader, n *node, c constraint) { s.take(r, n, c, true) }

func (*str) schema() *jsonschema.Schema { return &jsonschema.Schema{Type: "string"} }
func (*text) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Extras: map[string]any{"type": []string{"string", "number"}}}
}

func (s *word) take(r *reader, n *node, c constraint, numbers bool) {
	if n.kind != scalarKind || n.isBool() && !n.filled || n.isNumber() && !numbers && !n.filled {
		fix := "put it in quotes if it is meant as text"
		if n.kind != scalarKind {
			fix = "write one value"
		}
		r.wrong(n, fmt.Sprintf("%q needs text, this is %s", c.key, n.found()), fix)
		return
	}
	if len(c.enum) > 0 && !oneOf(n.text, c.enum) {
		fix := "one of: " + strings.Join(c.enum, ", ")
		if k := nearest(n.text, c.enum); k != "" {
			fix = fmt.Sprintf("did you mean %q?", k)
		}
		r.wrong(n, fmt.Sprintf("%q can't be %s", c.key, quote(n)), fix)
		return
	}
	open := r.template && n.hasVariable()
	if n.text == "" && !open {
		r.wrong(n, fmt.Sprintf("%q is empty", c.key), "give it a value or remove the line")
		return
	}
	if c.pattern != nil && !open && !c.pattern.MatchString(n.text) {
		r.wrong(n, fmt.Sprintf("%q can't be %s", c.key, quote(n)), c.hint)
		return
	}
	if c.longest > 0 && len(n.text) > c.longest {
		r.wrong(n, fmt.Sprintf("%q is longer than %d characters", c.key, c.longest), c.hint)
		return
	}
	s.at, s.S = n, n.text
}

func oneOf(s string, all []string) bool {
	for _, a := range all {
		if s == a {
			return true
		}
	}
	return false
}

// number is a finite number; in a template a variable may stand for it.
type number struct {
	place
	V float64
}

func (*number) schema() *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
		{Type: "number"}, {Type: "string", Pattern: `\$`},
	}}
}

func (v *number) read(r *reader, n *node, c constraint) {
	if r.template && n.hasVariable() {
		v.at = n
		return
	}
	f, err := strconv.ParseFloat(n.text, 64)
	if !n.isNumber() || err != nil {
		r.wrong(n, fmt.Sprintf("%q needs a number, this is %s", c.key, n.found()), "write it without quotes and without a unit: 400")
		return
	}
	v.at, v.V = n, f
}

// whole is an integer from a range.
type whole struct {
	place
	V int
}

func (*whole) schema() *jsonschema.Schema { return &jsonschema.Schema{Type: "integer"} }

func (v *whole) read(r *reader, n *node, c constraint) {
	i, err := strconv.ParseInt(n.text, 10, 32)
	if !n.isNumber() || err != nil {
		r.wrong(n, fmt.Sprintf("%q needs a whole number, this is %s", c.key, n.found()), "write it without quotes and without a separator: 15200")
		return
	}
	if c.min != nil && float64(i) < *c.min || c.max != nil && float64(i) > *c.max {
		r.wrong(n, fmt.Sprintf("%q is out of range: %d", c.key, i), ranged(c))
		return
	}
	v.at, v.V = n, int(i)
}

func ranged(c constraint) string {
	switch {
	case c.min != nil && c.max != nil:
		return fmt.Sprintf("give a number from %.0f to %.0f", *c.min, *c.max)
	case c.min != nil:
		return fmt.Sprintf("give a number of at least %.0f", *c.min)
	default:
		return fmt.Sprintf("give a number of at most %.0f", *c.max)
	}
}

// toggle is true or false.
type toggle struct {
	place
	V bool
}

func (*toggle) schema() *jsonschema.Schema { return &jsonschema.Schema{Type: "boolean"} }

func (v *toggle) read(r *reader, n *node, c constraint) {
	if !n.isBool() {
		r.wrong(n, fmt.Sprintf("%q needs true or false, this is %s", c.key, n.found()), "write true or false, without quotes")
		return
	}
	v.at, v.V = n, n.text == "true"
}

// span is a duration such as 5s, 2m, 1m30s, 6h.
type span struct {
	place
	V time.Duration
}

const spanForm = `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`

func (*span) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: spanForm + `|\$`}
}

func (v *span) read(r *reader, n *node, c constraint) {
	if r.template && n.hasVariable() {
		v.at = n
		return
	}
	const fix = "write a number with its unit: 500ms, 30s, 2m, 6h"
	if n.kind != scalarKind {
		r.wrong(n, fmt.Sprintf("%q needs a duration, this is %s", c.key, n.found()), fix)
		return
	}
	d, err := time.ParseDuration(n.text)
	if err != nil || d < 0 || !spanPattern.MatchString(n.text) {
		r.wrong(n, fmt.Sprintf("%q needs a duration, this is %s", c.key, quote(n)), fix)
		return
	}
	v.at, v.V = n, d
}

var spanPattern = regexp.MustCompile(spanForm)

// or returns the duration, or a default when none is given.
func (v span) or(d time.Duration) time.Duration {
	if v.given() {
		return v.V
	}
	return d
}

// oneOrMore is one text or a list of them.
type oneOrMore struct {
	place
	S []string
	N []*node
}

func (*oneOrMore) schema() *jsonschema.Schema {
	one := &jsonschema.Schema{Type: "string"}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{one, {Type: "array", Items: one, MinItems: count(1), UniqueItems: true}}}
}

func (v *oneOrMore) read(r *reader, n *node, c constraint) {
	items := []*node{n}
	if n.kind == listKind {
		items = n.items
	}
	v.at = n
	if len(items) == 0 {
		r.wrong(n, fmt.Sprintf("%q is empty", c.key), "name at least one")
	}
	for _, i := range items {
		var s text
		if s.read(r, i, c); s.given() {
			v.S, v.N = append(v.S, s.S), append(v.N, i)
		}
	}
}

// phases is true, false or a list of phases.
type phases struct {
	place
	V []sale.Phase
}

func phaseNames() []string {
	names := make([]string, 0, 6)
	for _, p := range sale.Phases() {
		names = append(names, string(p))
	}
	return names
}

func (*phases) schema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		{Type: "boolean"},
		{Type: "array", UniqueItems: true, Items: &jsonschema.Schema{Type: "string", Enum: anys(phaseNames())}},
	}}
}

func (v *phases) read(r *reader, n *node, c constraint) {
	v.at = n
	if n.isBool() {
		if n.text == "true" {
			v.V = append([]sale.Phase(nil), sale.Phases()...)
		}
		return
	}
	if n.kind != listKind {
		r.wrong(n, fmt.Sprintf("%q needs true, false or a list of phases, this is %s", c.key, n.found()), "write [opening, live], or true for every phase")
		return
	}
	for _, i := range n.items {
		var s str
		s.read(r, i, constraint{key: c.key, enum: phaseNames()})
		if !s.given() {
			continue
		}
		for _, p := range v.V {
			if string(p) == s.S {
				r.wrong(i, fmt.Sprintf("the phase %q is here twice", s.S), "remove one of them")
			}
		}
		v.V = append(v.V, sale.Phase(s.S))
	}
}

// levels is a threshold: one rule for every phase, a rule per phase, or null for none.
type levels struct {
	place
	all   *node
	phase []phaseRule
}

type phaseRule struct {
	phase sale.Phase
	rule  *node // nil switches the threshold off
}

func (*levels) nullable() {}

func (*levels) schema() *jsonschema.Schema {
	rule := &jsonschema.Schema{Type: "string", Description: `A rule such as "> 2% for 30s", "< 80% for 2m, clear > 85% for 4m" or "> 80% of db_connections_max for 1m".`}
	maybe := &jsonschema.Schema{OneOf: []*jsonschema.Schema{rule, {Type: "null"}}}
	byPhase := &jsonschema.Schema{
		Type: "object", AdditionalProperties: maybe,
		PropertyNames: &jsonschema.Schema{Enum: anys(append(phaseNames(), "default"))},
	}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{rule, byPhase, {Type: "null"}}}
}

func (v *levels) read(r *reader, n *node, c constraint) {
	v.at = n
	switch n.kind {
	case nullKind:
	case scalarKind:
		v.all = r.rule(n, c)
	case mapKind:
		known := append(phaseNames(), "default")
		for _, e := range n.entries {
			if !oneOf(e.key.text, known) {
				r.wrong(e.key, fmt.Sprintf("unknown phase %q in %q", e.key.text, c.key), didYouMean(e.key.text, known, ""))
				continue
			}
			if e.key.text == "default" {
				v.all = r.rule(e.value, c)
				continue
			}
			v.phase = append(v.phase, phaseRule{sale.Phase(e.key.text), r.rule(e.value, c)})
		}
	default:
		r.wrong(n, fmt.Sprintf("%q needs a rule or a rule per phase, this is %s", c.key, n.found()), `write "> 2% for 30s" or {live: "> 5% for 30s"}`)
	}
}

func (r *reader) rule(n *node, c constraint) *node {
	if n.kind == nullKind {
		return nil
	}
	if n.kind != scalarKind || n.isNumber() || n.isBool() {
		r.wrong(n, fmt.Sprintf("%q needs a rule, this is %s", c.key, n.found()), `write it in quotes: "> 2% for 30s"`)
		return nil
	}
	return n
}

func count(n uint64) *uint64 { return &n }

func anys[T any](all []T) []any {
	out := make([]any, len(all))
	for i, a := range all {
		out[i] = a
	}
	return out
}
