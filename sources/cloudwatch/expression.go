package cloudwatch

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// expression is a metric math expression that has been taken apart, so that its inputs can
// be given new ids in a call that it shares with others.
type expression struct {
	parts    []part
	insights bool // a Metrics Insights query: SELECT …
	rescales bool // uses a function whose result may change its scale with the period
}

// part is a piece of text that stays, or a reference to an input.
type part struct {
	text  string
	input int // index of the input; -1 for text
}

func (e expression) empty() bool { return len(e.parts) == 0 }

// render writes the expression with each input under the name that id gives it.
func (e expression) render(id func(input int) string) string {
	var b strings.Builder
	for _, p := range e.parts {
		if p.input >= 0 {
			b.WriteString(id(p.input))
		} else {
			b.WriteString(p.text)
		}
	}
	return b.String()
}

type tokenKind byte

const (
	tokenSpace tokenKind = iota
	tokenName
	tokenNumber
	tokenString
	tokenSign
)

type token struct {
	kind tokenKind
	text string
}

// tokenise splits metric math so that the texts of the tokens, joined, are the input again.
// A number keeps its exponent: the e of 1e3 is no name.
func tokenise(s string) ([]token, error) {
	var tokens []token
	for i := 0; i < len(s); {
		n, kind := 1, tokenSign
		switch c := s[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			kind = tokenSpace
		case isLetter(c):
			kind = tokenName
			for i+n < len(s) && (isLetter(s[i+n]) || isDigit(s[i+n])) {
				n++
			}
		case isDigit(c), c == '.' && i+1 < len(s) && isDigit(s[i+1]):
			kind, n = tokenNumber, numberLen(s[i:])
		case c == '\'' || c == '"':
			end := stringLen(s[i:])
			if end < 0 {
				return nil, fmt.Errorf("the text that begins at column %d is not closed: %s", i+1, s[i:])
			}
			kind, n = tokenString, end
		}
		tokens = append(tokens, token{kind, s[i : i+n]})
		i += n
	}
	return tokens, nil
}

func isLetter(c byte) bool { return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

func numberLen(s string) int {
	n := 0
	for n < len(s) && (isDigit(s[n]) || s[n] == '.') {
		n++
	}
	if n < len(s) && (s[n] == 'e' || s[n] == 'E') {
		m := n + 1
		if m < len(s) && (s[m] == '+' || s[m] == '-') {
			m++
		}
		if m < len(s) && isDigit(s[m]) {
			for m < len(s) && isDigit(s[m]) {
				m++
			}
			n = m
		}
	}
	return n
}

// stringLen returns the length of the quoted text that s begins with, -1 when it is not closed.
func stringLen(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return i + 1
		}
	}
	return -1
}

var validID = regexp.MustCompile(`^[a-z][A-Za-z0-9_]*$`)

// compile takes an expression apart. inputs are the names that it may use for its metrics,
// sorted. METRICS() and METRICS("text") mean all metrics of the *call*, which would take in
// those of other sales: they are written out as the expression's own inputs.
func compile(text string, inputs []string) (expression, error) {
	tokens, err := tokenise(text)
	if err != nil {
		return expression{}, err
	}
	c := compiler{tokens: tokens, inputs: inputs, used: make([]bool, len(inputs))}
	if c.isInsights() {
		if len(inputs) > 0 {
			return expression{}, fmt.Errorf("a Metrics Insights query (SELECT …) names its metrics itself: remove %s", strings.Join(inputs, ", "))
		}
		return expression{parts: []part{{text: text, input: -1}}, insights: true}, nil
	}
	parts, err := c.parts()
	if err != nil {
		return expression{}, err
	}
	for i, used := range c.used {
		if !used {
			return expression{}, fmt.Errorf("metric %q is not used in the expression: remove it, or it is paid for at each poll", inputs[i])
		}
	}
	return expression{parts: parts, rescales: c.rescales}, nil
}

type compiler struct {
	tokens   []token
	inputs   []string
	used     []bool
	rescales bool
}

// keepsScale lists the functions whose result stays on the scale of their arguments when the
// period grows; DIFF, RATE, PERIOD and sums over time don't.
var keepsScale = []string{"ABS", "AVG", "CEIL", "FILL", "FLOOR", "IF", "MAX", "METRICS", "MIN"}

func (c *compiler) isInsights() bool {
	for _, t := range c.tokens {
		if t.kind != tokenSpace {
			return t.kind == tokenName && strings.EqualFold(t.text, "SELECT")
		}
	}
	return false
}

func (c *compiler) parts() ([]part, error) {
	var parts []part
	literal := func(s string) {
		if n := len(parts); n > 0 && parts[n-1].input < 0 {
			parts[n-1].text += s
			return
		}
		parts = append(parts, part{text: s, input: -1})
	}
	for i := 0; i < len(c.tokens); i++ {
		t := c.tokens[i]
		if t.kind != tokenName {
			literal(t.text)
			continue
		}
		if i > 0 && c.tokens[i-1].kind == tokenNumber {
			return nil, fmt.Errorf("%q: an operator is missing between the number and the name", c.tokens[i-1].text+t.text)
		}
		if c.opens(i) {
			if !slices.Contains(keepsScale, t.text) {
				c.rescales = true
			}
			if t.text != "METRICS" {
				literal(t.text)
				continue
			}
			chosen, last, err := c.metrics(i)
			if err != nil {
				return nil, err
			}
			literal("[")
			for n, input := range chosen {
				if n > 0 {
					literal(",")
				}
				c.used[input] = true
				parts = append(parts, part{input: input})
			}
			literal("]")
			i = last
			continue
		}
		if input, ok := slices.BinarySearch(c.inputs, t.text); ok {
			c.used[input] = true
			parts = append(parts, part{input: input})
			continue
		}
		if 'a' <= t.text[0] && t.text[0] <= 'z' {
			return nil, c.unknown(t.text)
		}
		literal(t.text) // a keyword: AND, OR, REPEAT, AVG, ASC …
	}
	return parts, nil
}

// opens reports whether the name at i is followed by an opening bracket, so is a function.
func (c *compiler) opens(i int) bool {
	next := c.next(i + 1)
	return next < len(c.tokens) && c.tokens[next].text == "("
}

func (c *compiler) next(i int) int {
	for i < len(c.tokens) && c.tokens[i].kind == tokenSpace {
		i++
	}
	return i
}

// metrics reads METRICS(…) whose name stands at i; last is the index of its closing bracket.
func (c *compiler) metrics(i int) (chosen []int, last int, err error) {
	at := c.next(c.next(i+1) + 1)
	filter := ""
	if at < len(c.tokens) && c.tokens[at].kind == tokenString {
		text := c.tokens[at].text
		filter = text[1 : len(text)-1]
		at = c.next(at + 1)
	}
	if at >= len(c.tokens) || c.tokens[at].text != ")" {
		return nil, 0, fmt.Errorf("METRICS takes nothing or one quoted text")
	}
	for n, name := range c.inputs {
		if strings.Contains(name, filter) {
			chosen = append(chosen, n)
		}
	}
	if len(chosen) == 0 {
		return nil, 0, fmt.Errorf("METRICS(%s) finds none of its metrics (%s)", strconv.Quote(filter), strings.Join(c.inputs, ", "))
	}
	return chosen, at, nil
}

func (c *compiler) unknown(name string) error {
	if len(c.inputs) == 0 {
		return fmt.Errorf("the expression uses %q, but no metrics are declared", name)
	}
	return fmt.Errorf("the expression uses %q, which is none of its metrics (%s)", name, strings.Join(c.inputs, ", "))
}
