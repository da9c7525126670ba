package aws

import (
	"fmt"
	"math"
)

// value is a scalar (S), a time series (TS) or an array of them (TS[]), as metric math has them.
type value struct {
	scalar float64
	series []*series
	form   form
}

type form byte

const (
	isScalar form = iota
	isSeries
	isArray
)

func (f form) String() string { return [...]string{"S", "TS", "TS[]"}[f] }

func scalar(v float64) value  { return value{scalar: v} }
func single(s *series) value  { return value{form: isSeries, series: []*series{s}} }
func array(s []*series) value { return value{form: isArray, series: s} }

// evaluator works out one expression.
type evaluator struct {
	grid    grid
	lookup  func(id string) (value, error)
	metrics func(part string) ([]*series, error)
	model   func(id string) (model, bool)
	lossy   bool // a datapoint was dropped because its value was no number
}

func (e *evaluator) eval(n node) (value, error) {
	switch n := n.(type) {
	case numberNode:
		return scalar(n.value), nil
	case nameNode:
		return e.lookup(n.name)
	case negateNode:
		v, err := e.eval(n.of)
		if err != nil {
			return value{}, err
		}
		return v.each(func(x float64) float64 { return -x }), nil
	case binaryNode:
		left, err := e.eval(n.left)
		if err != nil {
			return value{}, err
		}
		right, err := e.eval(n.right)
		if err != nil {
			return value{}, err
		}
		return e.binary(n.operator, left, right)
	case arrayNode:
		return e.array(n)
	case callNode:
		return e.call(n)
	case textNode:
		return value{}, fmt.Errorf("the string %q is not allowed here", n.text)
	}
	return value{}, fmt.Errorf("unknown term %T", n)
}

func (v value) each(f func(float64) float64) value {
	if v.form == isScalar {
		return scalar(f(v.scalar))
	}
	out := value{form: v.form}
	for _, s := range v.series {
		out.series = append(out.series, s.each(f))
	}
	return out
}

// array puts elements together; the elements of an array in it become its own. A scalar among
// series is a series of that value at every timestamp that one of the others has.
func (e *evaluator) array(n arrayNode) (value, error) {
	var elements []value
	var all []*series
	for _, element := range n.elements {
		v, err := e.eval(element)
		if err != nil {
			return value{}, err
		}
		elements = append(elements, v)
		all = append(all, v.series...)
	}
	out := array(nil)
	for _, v := range elements {
		if v.form != isScalar {
			out.series = append(out.series, v.series...)
			continue
		}
		flat := &series{grid: e.grid}
		aligned(all, func(t int64, _ []float64, _ []bool) { e.put(flat, t, v.scalar) })
		out.series = append(out.series, flat)
	}
	return out, nil
}

// binary applies an operator to every pair of scalar, series and array that metric math allows.
// Where both are series the result has the timestamps that at least one of them has, and a missing
// value counts as 0: so AWS documents it for arithmetic and for comparisons. A datapoint that
// divides by 0 is dropped.
func (e *evaluator) binary(operator string, left, right value) (value, error) {
	f := operation(operator)
	switch {
	case left.form == isScalar && right.form == isScalar:
		return scalar(f(left.scalar, right.scalar)), nil
	case left.form == isArray && right.form == isArray:
		return value{}, fmt.Errorf("unsupported operand types for %s: TS[] and TS[]", operator)
	case left.form != isArray && right.form != isArray:
		return single(e.pair(f, left, right)), nil
	}
	out := array(nil)
	if left.form == isArray {
		for _, s := range left.series {
			out.series = append(out.series, e.labelled(s.label, e.pair(f, single(s), right)))
		}
		return out, nil
	}
	for _, s := range right.series {
		out.series = append(out.series, e.labelled(s.label, e.pair(f, left, single(s))))
	}
	return out, nil
}

func (e *evaluator) labelled(label string, s *series) *series {
	s.label = label
	return s
}

// pair applies an operator to two values of which at least one is a series.
func (e *evaluator) pair(f func(a, b float64) float64, left, right value) *series {
	all := append(append([]*series{}, left.series...), right.series...)
	out := all[0].empty("")
	for _, s := range all {
		out.grid = out.grid.finer(s.grid)
	}
	aligned(all, func(t int64, v []float64, has []bool) {
		a, b := left.scalar, right.scalar
		if left.form == isSeries {
			a = v[0]
		}
		if right.form == isSeries {
			b = v[len(v)-1]
		}
		y := f(a, b)
		if numeric(y) {
			out.add(t, y)
		} else if has[0] && has[len(has)-1] {
			e.lossy = true
		}
	})
	return out
}

func operation(operator string) func(a, b float64) float64 {
	truth := func(is bool) float64 {
		if is {
			return 1
		}
		return 0
	}
	switch operator {
	case "+":
		return func(a, b float64) float64 { return a + b }
	case "-":
		return func(a, b float64) float64 { return a - b }
	case "*":
		return func(a, b float64) float64 { return a * b }
	case "/":
		return func(a, b float64) float64 { return a / b }
	case "^":
		return math.Pow
	case "==":
		return func(a, b float64) float64 { return truth(a == b) }
	case "!=":
		return func(a, b float64) float64 { return truth(a != b) }
	case "<":
		return func(a, b float64) float64 { return truth(a < b) }
	case "<=":
		return func(a, b float64) float64 { return truth(a <= b) }
	case ">":
		return func(a, b float64) float64 { return truth(a > b) }
	case ">=":
		return func(a, b float64) float64 { return truth(a >= b) }
	case "AND":
		return func(a, b float64) float64 { return truth(a != 0 && b != 0) }
	default: // OR, the last that the parser knows
		return func(a, b float64) float64 { return truth(a != 0 || b != 0) }
	}
}
