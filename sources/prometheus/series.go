package prometheus

import (
	"slices"

	"github.com/prometheus/prometheus/promql/parser"
)

// Series is what the text of an expression tells of the series that it gives.
type Series struct {
	// Count is 1, or 2 for any number, or 0 where only the server knows; -1 is no number at all.
	Count int
	// Whole is the expression over all series at once, where the text gives that: without the
	// grouping of a sum, a count, a maximum or a minimum, and of a quantile but for its buckets.
	// "" where there is no such thing, or none that says the same.
	Whole string
	// Buckets reports a classic histogram's buckets, added up over everything else.
	Buckets bool
}

const (
	noNumber = iota - 1
	serverKnows
	oneSeries
	manySeries
)

// SeriesOf looks at an expression. One that Prometheus' parser does not know is the server's to judge.
func SeriesOf(text string) Series {
	expr, err := parse(text)
	if err != nil {
		return Series{Count: serverKnows}
	}
	s := Series{Count: countOf(expr), Buckets: areBuckets(expr)}
	if s.Count == manySeries {
		if all, ok := whole(expr); ok {
			s.Whole = all.String()
		}
	}
	return s
}

func countOf(expr parser.Expr) int {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return countOf(e.Expr)
	case *parser.StepInvariantExpr:
		return countOf(e.Expr)
	case *parser.UnaryExpr:
		return countOf(e.Expr)
	case *parser.AggregateExpr:
		return countOfAggregate(e)
	case *parser.Call:
		return countOfCall(e)
	case *parser.BinaryExpr:
		return countOfBinary(e)
	}
	switch expr.Type() {
	case parser.ValueTypeScalar:
		return oneSeries
	case parser.ValueTypeMatrix, parser.ValueTypeString, parser.ValueTypeNone:
		return noNumber
	}
	return serverKnows
}

func countOfAggregate(e *parser.AggregateExpr) int {
	switch e.Op {
	case parser.COUNT_VALUES, parser.LIMIT_RATIO:
		return manySeries
	case parser.TOPK, parser.BOTTOMK, parser.LIMITK:
		if n, ok := e.Param.(*parser.NumberLiteral); !ok || n.Val != 1 {
			return manySeries
		}
	}
	if e.Without || len(e.Grouping) > 0 {
		return manySeries
	}
	return oneSeries
}

func countOfCall(e *parser.Call) int {
	switch {
	case e.Type() == parser.ValueTypeScalar, slices.Contains([]string{"vector", "absent", "absent_over_time"}, e.Func.Name):
		return oneSeries
	case e.Func.Name == "histogram_quantile" && len(e.Args) == 2 && areBuckets(e.Args[1]):
		return oneSeries
	}
	for _, arg := range e.Args {
		switch arg.Type() {
		case parser.ValueTypeVector:
			return countOf(arg)
		case parser.ValueTypeMatrix:
			if sub, ok := arg.(*parser.SubqueryExpr); ok {
				return countOf(sub.Expr)
			}
			return serverKnows
		}
	}
	return serverKnows
}

func countOfBinary(e *parser.BinaryExpr) int {
	left, right := countOf(e.LHS), countOf(e.RHS)
	switch {
	case e.Op == parser.LAND || e.Op == parser.LUNLESS:
		return left
	case e.LHS.Type() == parser.ValueTypeScalar:
		return right
	case e.RHS.Type() == parser.ValueTypeScalar:
		return left
	case left == manySeries || right == manySeries:
		return manySeries
	}
	return min(left, right)
}

// areBuckets reports a sum by (le) and nothing else.
func areBuckets(expr parser.Expr) bool {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return areBuckets(e.Expr)
	case *parser.AggregateExpr:
		return e.Op == parser.SUM && !e.Without && len(e.Grouping) == 1 && e.Grouping[0] == "le"
	}
	return false
}

// whole drops the grouping where the result says the same of everything together.
func whole(expr parser.Expr) (parser.Expr, bool) {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		inner, ok := whole(e.Expr)
		return &parser.ParenExpr{Expr: inner}, ok
	case *parser.UnaryExpr:
		inner, ok := whole(e.Expr)
		return &parser.UnaryExpr{Op: e.Op, Expr: inner}, ok
	case *parser.AggregateExpr:
		return wholeAggregate(e)
	case *parser.Call:
		return wholeQuantile(e)
	case *parser.BinaryExpr:
		return wholeBinary(e)
	}
	return expr, false
}

func wholeAggregate(e *parser.AggregateExpr) (parser.Expr, bool) {
	all := *e
	all.Grouping, all.Without = nil, false
	switch e.Op {
	case parser.SUM, parser.COUNT, parser.MAX, parser.MIN:
		return &all, true
	case parser.TOPK, parser.BOTTOMK: // the first of them is the largest, or the smallest
		all.Param = nil
		all.Op = parser.MAX
		if e.Op == parser.BOTTOMK {
			all.Op = parser.MIN
		}
		return &all, true
	}
	return e, false
}

// wholeQuantile keeps le alone of the grouping of a histogram's buckets.
func wholeQuantile(e *parser.Call) (parser.Expr, bool) {
	if e.Func.Name != "histogram_quantile" || len(e.Args) != 2 {
		return e, false
	}
	buckets, ok := e.Args[1].(*parser.AggregateExpr)
	if !ok || buckets.Op != parser.SUM || buckets.Without || !slices.Contains(buckets.Grouping, "le") {
		return e, false
	}
	all, sum := *e, *buckets
	sum.Grouping = []string{"le"}
	all.Args = parser.Expressions{e.Args[0], &sum}
	return &all, true
}

// wholeBinary takes both sides whole. Of two vectors only sums and counts may be set against each
// other: a part of a maximum is no maximum.
func wholeBinary(e *parser.BinaryExpr) (parser.Expr, bool) {
	all := *e
	var ok bool
	switch {
	case isGuard(e):
		all.LHS, ok = whole(e.LHS)
		return &all, ok
	case e.Op.IsSetOperator() || e.Op.IsComparisonOperator():
		return e, false
	case e.LHS.Type() == parser.ValueTypeScalar:
		all.RHS, ok = whole(e.RHS)
		return &all, ok
	case e.RHS.Type() == parser.ValueTypeScalar:
		all.LHS, ok = whole(e.LHS)
		return &all, ok
	case e.Op != parser.DIV && e.Op != parser.ADD && e.Op != parser.SUB || !addsUp(e.LHS) || !addsUp(e.RHS):
		return e, false
	}
	all.LHS, ok = whole(e.LHS)
	if !ok {
		return e, false
	}
	if all.RHS, ok = whole(e.RHS); !ok {
		return e, false
	}
	all.VectorMatching = &parser.VectorMatching{Card: parser.CardOneToOne}
	return &all, true
}

func addsUp(expr parser.Expr) bool {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return addsUp(e.Expr)
	case *parser.AggregateExpr:
		return e.Op == parser.SUM || e.Op == parser.COUNT
	case *parser.BinaryExpr:
		return isGuard(e) && addsUp(e.LHS)
	}
	return false
}

// isGuard reports "… > 0", which keeps a divisor from being zero.
func isGuard(e *parser.BinaryExpr) bool {
	zero, ok := e.RHS.(*parser.NumberLiteral)
	return ok && zero.Val == 0 && e.Op == parser.GTR && !e.ReturnBool
}
