package prometheus

import (
	"strings"

	"github.com/onsale-dev/onsale/sale"
	"github.com/prometheus/prometheus/promql/parser"
)

// standing says how an expression is asked.
type standing int

const (
	joined  standing = iota // in the one request
	trial                   // not known to our parser: alone, until the server has accepted it
	apart                   // always alone: accepted bare, but not joined
	refused                 // not accepted: alone, now and then
	never                   // can't give a number: not asked at all
)

// term is one distinct expression.
type term struct {
	id      string // its label in the joined query
	expr    string
	scalar  bool
	reads   []Query
	ages    []*term // the newest samples that this one rests on
	clock   *clock  // set on a term that is itself such an age
	stands  standing
	problem *sale.Problem // why, when refused or never
	due     int           // the poll in which a refused term is asked again
	series  bool          // gave exactly one series when last asked: worth a history
}

// wrapped is the labelled form that can be joined with others.
func (t *term) wrapped(b *strings.Builder) {
	b.WriteString("label_replace((")
	if t.scalar {
		b.WriteString("vector(")
	}
	b.WriteString(t.expr)
	if strings.Contains(t.expr, "#") {
		b.WriteByte('\n') // or a comment at its end would swallow the rest
	}
	if t.scalar {
		b.WriteByte(')')
	}
	b.WriteString(`),"` + label + `","`)
	b.WriteString(t.id)
	b.WriteString(`","","")`)
}

// label tells the expressions of a joined query apart. Series that bring one of this name
// lose it, which the result of a single number does not show.
const label = "onsale_query"

// wrapping is the most that the labelled form adds to an expression, in bytes.
const wrapping = 64

// join makes the one query of many terms, as a balanced tree.
func join(terms []*term) string {
	size := 0
	for _, t := range terms {
		size += len(t.expr) + wrapping
	}
	var b strings.Builder
	b.Grow(size)
	tree(&b, terms)
	return b.String()
}

func tree(b *strings.Builder, terms []*term) {
	if len(terms) == 1 {
		terms[0].wrapped(b)
		return
	}
	half := len(terms) / 2
	b.WriteByte('(')
	tree(b, terms[:half])
	b.WriteString(" or ")
	tree(b, terms[half:])
	b.WriteByte(')')
}

// split cuts terms into groups that fit one request each, in order.
func split(terms []*term, maxBytes, maxTerms int) [][]*term {
	var groups [][]*term
	first, size := 0, 0
	for i, t := range terms {
		cost := len(t.expr) + wrapping
		if i > first && (size+cost > maxBytes || i-first >= maxTerms) {
			groups = append(groups, terms[first:i:i])
			first, size = i, 0
		}
		size += cost
	}
	if first < len(terms) {
		groups = append(groups, terms[first:len(terms):len(terms)])
	}
	return groups
}

func parse(text string) (parser.Expr, error) {
	return parser.NewParser(parser.Options{
		EnableExperimentalFunctions: true, ExperimentalDurationExpr: true,
		EnableExtendedRangeSelectors: true, EnableBinopFillModifiers: true,
	}).ParseExpr(text)
}

// examine asks Prometheus' own parser what an expression is. An expression that it does not
// know may still be right for another server's dialect: the server is asked.
// named refuses series that are not selected by a metric's name.
func examine(t *term, named bool) (selectors []string) {
	expr, err := parse(t.expr)
	if err != nil {
		t.stands = trial
		return nil
	}
	if named && !isNamed(expr) {
		t.stands = never
		t.problem = unnamed(t.expr)
		return nil
	}
	switch expr.Type() {
	case parser.ValueTypeVector:
	case parser.ValueTypeScalar:
		t.scalar = true
	case parser.ValueTypeMatrix:
		t.stands = never
		t.problem = problem(sale.BadData, "wrap it: rate(…[1m]), avg_over_time(…[1m]) or last_over_time(…[1m])",
			"a range of samples, not a number: %s", excerpt(t.expr))
		return nil
	default:
		t.stands = never
		t.problem = problem(sale.BadData, "write an expression that gives a number", "a text, not a number: %s", excerpt(t.expr))
		return nil
	}
	return selectorsOf(t.expr, expr)
}

// selectorsOf lists the series selectors whose newest sample says how old the value is: all
// that look at now. One with an offset or @ looks elsewhere on purpose; one without a metric's
// name is left out, because timestamp() drops the names and its series could collide.
func selectorsOf(text string, expr parser.Expr) []string {
	var found []string
	parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
		vs, ok := node.(*parser.VectorSelector)
		if !ok || vs.Name == "" || elsewhere(vs) {
			return nil
		}
		for _, above := range path {
			if sub, ok := above.(*parser.SubqueryExpr); ok && (sub.OriginalOffset != 0 || sub.OriginalOffsetExpr != nil || sub.Timestamp != nil || sub.StartOrEnd != 0) {
				return nil
			}
		}
		at := vs.PositionRange()
		if int(at.Start) < 0 || int(at.End) > len(text) || at.Start >= at.End {
			return nil
		}
		if selector := strings.TrimSpace(text[at.Start:at.End]); !strings.Contains(selector, "#") {
			found = append(found, selector)
		}
		return nil
	})
	return found
}

func elsewhere(vs *parser.VectorSelector) bool {
	return vs.OriginalOffset != 0 || vs.OriginalOffsetExpr != nil || vs.Timestamp != nil || vs.StartOrEnd != 0 || vs.Anchored || vs.Smoothed
}

// excerpt is an expression short enough for a sentence.
func excerpt(expr string) string { return sale.Clean(expr, 80) }
