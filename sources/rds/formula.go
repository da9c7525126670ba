package rds

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// maxFormula bounds a parameter's value in bytes, and maxDepth how deep it is nested. AWS's own
// formulas have about a hundred bytes and three levels.
const (
	maxFormula = 1000
	maxDepth   = 16
)

// formula is max_connections as a parameter group holds it: a number, or an expression over
// variables of the instance such as LEAST({DBInstanceClassMemory/9531392},5000). log is to the base 2
// and whole: only so do the formulas give the defaults that AWS lists for Aurora MySQL.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ParamValuesRef.html
// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.Managing.Performance.html
type formula struct {
	text string
	at   int
	vars map[string]float64
	used bool // a variable was looked at
	deep int
}

// evaluate gives the value of a formula, rounded down as RDS does, and whether it depends on a
// variable. It refuses what it does not know, and what is no number of connections.
func evaluate(text string, vars map[string]float64) (value float64, depends bool, err error) {
	if len(text) > maxFormula {
		return 0, false, fmt.Errorf("longer than %d bytes", maxFormula)
	}
	f := &formula{text: text, vars: vars}
	v, err := f.sum()
	switch {
	case err != nil:
		return 0, false, err
	case f.peek() != 0:
		return 0, false, fmt.Errorf("%q at %d is not understood", f.peek(), f.at)
	case math.IsNaN(v) || v < 1 || v > 1e6: // RDS allows 262,143 at most
		return 0, false, errors.New("it gives no good number of connections")
	}
	return math.Floor(v), f.used, nil
}

func (f *formula) peek() byte {
	for f.at < len(f.text) && (f.text[f.at] == ' ' || f.text[f.at] == '\t') {
		f.at++
	}
	if f.at == len(f.text) {
		return 0
	}
	return f.text[f.at]
}

func (f *formula) take(c byte) bool {
	if f.peek() != c || c == 0 {
		return false
	}
	f.at++
	return true
}

func (f *formula) sum() (float64, error) {
	v, err := f.product()
	for err == nil {
		var w float64
		switch {
		case f.take('+'):
			w, err = f.product()
			v += w
		case f.take('-'):
			w, err = f.product()
			v -= w
		default:
			return v, nil
		}
	}
	return 0, err
}

func (f *formula) product() (float64, error) {
	v, err := f.term()
	for err == nil {
		var w float64
		switch {
		case f.take('*'):
			w, err = f.term()
			v *= w
		case f.take('/'):
			w, err = f.term()
			v /= w
		default:
			return v, nil
		}
	}
	return 0, err
}

// term is a number, a variable, a function, or an expression in braces or parentheses.
func (f *formula) term() (float64, error) {
	if f.deep++; f.deep > maxDepth {
		return 0, errors.New("it is nested too deep")
	}
	defer func() { f.deep-- }()
	for open, closing := range map[byte]byte{'{': '}', '(': ')'} {
		if !f.take(open) {
			continue
		}
		v, err := f.sum()
		if err == nil && !f.take(closing) {
			err = fmt.Errorf("%q is missing at %d", closing, f.at)
		}
		return v, err
	}
	f.peek()
	begin := f.at
	for f.at < len(f.text) && isWord(f.text[f.at]) {
		f.at++
	}
	word := f.text[begin:f.at]
	switch {
	case word == "":
		return 0, fmt.Errorf("a value is missing at %d", f.at)
	case word[0] >= '0' && word[0] <= '9':
		v, err := strconv.ParseFloat(word, 64)
		if err != nil {
			return 0, fmt.Errorf("%q is not a number", word)
		}
		return v, nil
	case f.take('('):
		return f.function(word)
	}
	v, ok := f.vars[word]
	if !ok {
		return 0, fmt.Errorf("the value of %s is not known", word)
	}
	f.used = true
	return v, nil
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '.'
}

// function reads the arguments of a function, after its parenthesis, and applies it.
func (f *formula) function(name string) (float64, error) {
	var args []float64
	for {
		v, err := f.sum()
		if err != nil {
			return 0, err
		}
		if args = append(args, v); !f.take(',') {
			break
		}
	}
	if !f.take(')') {
		return 0, fmt.Errorf("')' is missing at %d", f.at)
	}
	v := args[0]
	switch strings.ToUpper(name) {
	case "GREATEST":
		for _, w := range args[1:] {
			v = max(v, w)
		}
	case "LEAST":
		for _, w := range args[1:] {
			v = min(v, w)
		}
	case "SUM":
		for _, w := range args[1:] {
			v += w
		}
	case "LOG":
		if len(args) != 1 {
			return 0, errors.New("log takes one value")
		}
		v = math.Round(math.Log2(v))
	default:
		return 0, fmt.Errorf("the function %s is not known", name)
	}
	return v, nil
}
