package aws

import (
	"fmt"
	"strconv"
	"strings"
)

// kind is what a token of a metric math expression is.
type kind byte

const (
	kindEnd kind = iota
	kindNumber
	kindText
	kindName // an id, a function or a keyword
	kindSign // an operator, a bracket or a comma
)

type lexeme struct {
	kind  kind
	text  string
	value float64
	at    int // byte offset
}

func (l lexeme) String() string {
	if l.kind == kindEnd {
		return "end of expression"
	}
	return strconv.Quote(l.text)
}

// signs are the operators and brackets of metric math, the longer of two that begin alike first.
func signs() []string {
	return []string{"==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "^", "(", ")", "[", "]", ","}
}

// lex cuts an expression into lexemes; the last one is always the end.
func lex(s string) ([]lexeme, error) {
	var out []lexeme
	known := signs()
	for i := 0; i < len(s); {
		c := s[i]
		var l lexeme
		var n int
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case digit(c) || c == '.':
			n = numberLength(s[i:])
			v, err := strconv.ParseFloat(s[i:i+n], 64)
			if err != nil {
				return nil, fmt.Errorf("invalid number %q at position %d", s[i:i+n], i+1)
			}
			l = lexeme{kind: kindNumber, value: v}
		case letter(c):
			for n < len(s)-i && (letter(s[i+n]) || digit(s[i+n])) {
				n++
			}
			l = lexeme{kind: kindName}
		case c == '"' || c == '\'':
			end := strings.IndexByte(s[i+1:], c)
			if end < 0 {
				return nil, fmt.Errorf("the string that begins at position %d does not end", i+1)
			}
			n = end + 2
			l = lexeme{kind: kindText}
		default:
			for _, sign := range known {
				if strings.HasPrefix(s[i:], sign) {
					n = len(sign)
					break
				}
			}
			if n == 0 {
				return nil, fmt.Errorf("unexpected character %q at position %d", []rune(s[i:])[0], i+1)
			}
			l = lexeme{kind: kindSign}
		}
		l.text, l.at = s[i:i+n], i
		if l.kind == kindText {
			l.text = s[i+1 : i+n-1]
		}
		out = append(out, l)
		i += n
	}
	return append(out, lexeme{kind: kindEnd, at: len(s)}), nil
}

func digit(c byte) bool  { return '0' <= c && c <= '9' }
func letter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' }

// numberLength is the length of the decimal number at the start of s: 1, 1.5, .5, 2e3.
func numberLength(s string) int {
	n := 0
	for n < len(s) && (digit(s[n]) || s[n] == '.') {
		n++
	}
	if n < len(s) && (s[n] == 'e' || s[n] == 'E') {
		m := n + 1
		if m < len(s) && (s[m] == '+' || s[m] == '-') {
			m++
		}
		if m < len(s) && digit(s[m]) {
			for m < len(s) && digit(s[m]) {
				m++
			}
			return m
		}
	}
	return n
}
