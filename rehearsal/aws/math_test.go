package aws

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// mathFixture is three series over six minutes, by hand.
func mathFixture() map[string]*series {
	g := grid{start: 0, end: 360, period: 60}
	made := func(asked int64, values ...float64) *series {
		s := &series{grid: g, asked: asked, label: "L"}
		for i, v := range values {
			if v != gap {
				s.add(int64(i)*60, v)
			}
		}
		return s
	}
	return map[string]*series{
		"a":     made(60, 10, 20, 30, 40, 50, 60),
		"b":     made(60, 2, 0, gap, 4, gap, 5),
		"e":     made(60, gap, 1, gap, gap, 3, gap),
		"r":     made(60, 100, 50, 10, gap, 6, 0),
		"flag":  made(60, 1, 1, 0, 0, gap, 2),
		"none":  made(60),
		"minus": made(60, -1.5, 2.5),
	}
}

func evaluate(expression string) (value, *evaluator, error) {
	all := mathFixture()
	e := &evaluator{grid: grid{start: 0, end: 360, period: 60}}
	e.lookup = func(id string) (value, error) {
		s, ok := all[id]
		if !ok {
			return value{}, fmt.Errorf("ID '%s' not found", id)
		}
		return single(s), nil
	}
	e.metrics = func(part string) ([]*series, error) {
		var out []*series
		for _, id := range []string{"a", "b", "e"} {
			if strings.Contains(id, part) {
				out = append(out, all[id])
			}
		}
		return out, nil
	}
	tree, err := parse(expression)
	if err != nil {
		return value{}, e, err
	}
	v, err := e.eval(tree)
	return v, e, err
}

// show writes a value as the tests read it: one number a minute, "-" where there is none.
func show(v value) string {
	if v.form == isScalar {
		return fmt.Sprintf("S %.4g", v.scalar)
	}
	var all []string
	for _, s := range v.series {
		var cells []string
		for t := int64(0); t < 360; t += 60 {
			if y, ok := s.at(t); ok {
				cells = append(cells, fmt.Sprintf("%.4g", y))
			} else {
				cells = append(cells, "-")
			}
		}
		all = append(all, strings.Join(cells, " "))
	}
	return v.form.String() + " " + strings.Join(all, " | ")
}

func TestAnExpressionGivesTheNumbersThatAHandWorksOut(t *testing.T) {
	for _, c := range []struct{ name, expression, want string }{
		{"numbers multiply before they add", "1 + 2 * 3", "S 7"},
		{"brackets go first", "(1 + 2) * 3", "S 9"},
		{"subtraction groups from the left", "10 - 4 - 3", "S 3"},
		{"division groups from the left", "100 / 10 / 2", "S 5"},
		{"a power binds tighter than a sign before it", "-2 ^ 2", "S -4"},
		{"a power binds tighter than multiplication", "2 * 3 ^ 2", "S 18"},
		{"powers group from the right", "2 ^ 3 ^ 2", "S 512"},
		{"an exponent may be negative", "2 ^ -1", "S 0.5"},
		{"two signs cancel", "--3", "S 3"},
		{"a sign stands before a factor", "2 * -3", "S -6"},
		{"numbers have fractions and exponents", ".5 + 1.25e1 + 2E-1", "S 13.2"},
		{"a comparison comes after arithmetic", "1 + 1 == 2", "S 1"},
		{"AND binds tighter than OR", "1 OR 0 AND 0", "S 1"},
		{"logic may be written with signs", "0 || 1 && 1", "S 1"},
		{"every comparison works on scalars", "(1<2)+(2<=2)+(3>2)+(2>=3)+(1!=1)+(1==1)", "S 4"},

		{"a series minus a number", "a - 5", "TS 5 15 25 35 45 55"},
		{"a number minus a series", "100 - a", "TS 90 80 70 60 50 40"},
		{"a missing value counts as zero in a sum", "a + b", "TS 12 20 30 44 50 65"},
		{"a missing value counts as zero in a product", "a * e", "TS 0 20 0 0 150 0"},
		{"two series without a value at a time have no result there", "b + e", "TS 2 1 - 4 3 5"},
		{"division by zero gives no datapoint", "a / b", "TS 5 - - 10 - 12"},
		{"a sign before a series", "-minus", "TS 1.5 -2.5 - - - -"},
		{"a root of a negative number gives no datapoint", "minus ^ 0.5", "TS - 1.581 - - - -"},
		{"a comparison of series gives 0 and 1", "b >= 4", "TS 0 0 - 1 - 1"},
		{"a comparison of two series takes a missing value for zero", "a < r", "TS 1 1 0 0 0 0"},
		{"logic on series", "a > 15 AND r > 15", "TS 0 1 0 0 0 0"},

		{"the share of errors, as the shipped template has it", "FILL(e, 0) / r", "TS 0 0.02 0 - 0.5 -"},
		{"a percentage to a share, as the shipped template has it", "a / 100", "TS 0.1 0.2 0.3 0.4 0.5 0.6"},
		{"an empty series divided stays empty", "none / 100", "TS - - - - - -"},

		{"FILL puts a number into every gap", "FILL(b, 7)", "TS 2 0 7 4 7 5"},
		{"FILL fills a series without any value", "FILL(none, 0)", "TS 0 0 0 0 0 0"},
		{"FILL repeats the last value, not before the first", "FILL(e, REPEAT)", "TS - 1 1 1 3 3"},
		{"FILL draws a line across gaps, not past the ends", "FILL(e, LINEAR)", "TS - 1 1.667 2.333 3 -"},
		{"FILL takes another series", "FILL(e, a)", "TS 10 1 30 40 3 60"},
		{"FILL takes an expression", "FILL(e, MIN(a) + 1)", "TS 11 1 11 11 3 11"},
		{"FILL works on every series of an array", "FILL([b, e], 9)", "TS[] 2 0 9 4 9 5 | 9 1 9 9 3 9"},

		{"SUM of a series is a number", "SUM(b)", "S 11"},
		{"AVG of a series divides by its datapoints", "AVG(b)", "S 2.75"},
		{"MIN of a series", "MIN(a)", "S 10"},
		{"MAX of a series", "MAX(a)", "S 60"},
		{"STDDEV of a series", "STDDEV(minus)", "S 2"},
		{"DATAPOINT_COUNT of a series", "DATAPOINT_COUNT(b)", "S 4"},
		{"SUM of an array goes by time", "SUM([a, b])", "TS 12 20 30 44 50 65"},
		{"AVG of an array takes a missing value for zero", "AVG([a, b])", "TS 6 10 15 22 25 32.5"},
		{"MIN of an array takes the values that are there", "MIN([a, b])", "TS 2 0 30 4 50 5"},
		{"MAX of an array", "MAX([a, b])", "TS 10 20 30 40 50 60"},
		{"a number in an array is a series of that number", "MAX([minus, 0])", "TS 0 2.5 - - - -"},
		{"an array in an array gives its elements", "SUM([[a, b], e])", "TS 12 21 30 44 53 65"},
		{"the sum minus the mean", "a - AVG(a)", "TS -25 -15 -5 5 15 25"},

		{"DIFF has no first value", "DIFF(a)", "TS - 10 10 10 10 10"},
		{"DIFF steps over gaps", "DIFF(b)", "TS - -2 - 4 - 1"},
		{"DIFF_TIME is the seconds between values", "DIFF_TIME(b)", "TS - 60 - 120 - 120"},
		{"RATE is the change a second", "RATE(b)", "TS - -0.03333 - 0.03333 - 0.008333"},
		{"RUNNING_SUM adds up", "RUNNING_SUM(b)", "TS 2 2 - 6 - 11"},
		{"ABS", "ABS(minus)", "TS 1.5 2.5 - - - -"},
		{"CEIL", "CEIL(minus)", "TS -1 3 - - - -"},
		{"FLOOR", "FLOOR(minus)", "TS -2 2 - - - -"},
		{"LOG drops what has no logarithm", "LOG10(a) * 0 + LOG(b) - LOG(b)", "TS 0 0 0 0 0 0"},
		{"PERIOD is the seconds of a metric", "a / PERIOD(a)", "TS 0.1667 0.3333 0.5 0.6667 0.8333 1"},
		{"TIME_SERIES has no gaps", "TIME_SERIES(3)", "TS 3 3 3 3 3 3"},
		{"TIME_SERIES takes a result", "TIME_SERIES(MAX(a))", "TS 60 60 60 60 60 60"},

		{"METRICS is every metric", "METRICS() * 2", "TS[] 20 40 60 80 100 120 | 4 0 - 8 - 10 | - 2 - - 6 -"},
		{"METRICS takes a part of an id", `SUM(METRICS("b"))`, "TS 2 0 - 4 - 5"},
		{"METRICS sums", "SUM(METRICS())", "TS 12 21 30 44 53 65"},
		{"METRIC_COUNT counts", "METRIC_COUNT(METRICS())", "S 3"},
		{"an array with an operator", "100 / [a, r]", "TS[] 10 5 3.333 2.5 2 1.667 | 1 2 10 - 16.67 -"},
		{"an array over a series", "SUM([a, b] / r)", "TS 0.12 0.4 3 - 8.333 -"},
		{"FIRST and LAST", "FIRST([a, b]) + LAST([a, b]) - b", "TS 10 20 30 40 50 60"},
		{"REMOVE_EMPTY", "REMOVE_EMPTY([none, minus])", "TS[] -1.5 2.5 - - - -"},

		{"IF chooses by time", "IF(flag, a, 5)", "TS 10 20 5 5 - 60"},
		{"IF gives zero where it is true and nothing is there", "IF(flag, e, 5)", "TS 0 1 5 5 - 0"},
		{"IF drops what is false without an else", "IF(a > 30, a)", "TS - - - 40 50 60"},
		{"IF drops what is false and not there", "IF(flag, 5, b)", "TS 5 5 - 4 - 5"},
		{"IF with a number as condition", "IF(1 > 2, a, b)", "TS 2 0 - 4 - 5"},
		{"IF with a number as condition and no else is empty", "IF(0, a)", "TS - - - - - -"},
		{"space and lines are free", " \n\tSUM( [ a,\n b ] ) ", "TS 12 20 30 44 50 65"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, _, err := evaluate(c.expression)
			if err != nil {
				t.Fatalf("%s: %v", c.expression, err)
			}
			if got := show(v); got != c.want {
				t.Errorf("%s\n got %s\nwant %s", c.expression, got, c.want)
			}
		})
	}
}

func TestAnExpressionThatMakesNoSenseIsRefusedWithTheReason(t *testing.T) {
	for _, c := range []struct{ name, expression, want string }{
		{"nothing", "", "unexpected end of expression at position 1"},
		{"an operator without a right side", "a +", "unexpected end of expression"},
		{"two terms without an operator", "a b", `unexpected "b" at position 3`},
		{"an open bracket", "(a", "unexpected end of expression"},
		{"an open call", "SUM(a", "unexpected end of expression"},
		{"an open array", "[a, ", "unexpected end of expression"},
		{"a closing bracket too many", "a)", `unexpected ")" at position 2`},
		{"a sign that is not known", "a % 2", `unexpected character '%' at position 3`},
		{"a number with two points", "1.2.3", `invalid number "1.2.3" at position 1`},
		{"an open string", `METRICS("a`, "does not end"},
		{"an operator word without a left side", "AND a", `unexpected "AND"`},
		{"an unknown id", "a + zz", "ID 'zz' not found"},
		{"an unknown function", "MEDIAN(a)", `unsupported function "MEDIAN"`},
		{"a function in small letters", "sum(a)", `unsupported function "sum"`},
		{"a function that the rehearsal lacks", "SEARCH('{A} B', 'Sum', 60)", "not part of the rehearsal"},
		{"a string where a value belongs", `a + "b"`, `the string "b" is not allowed here`},
		{"two arrays", "[a] + [b]", "unsupported operand types for +: TS[] and TS[]"},
		{"SUM of a number", "SUM(1)", "function SUM takes one argument: TS or TS[]"},
		{"SUM of two series outside an array", "SUM(a, b)", "function SUM takes one argument"},
		{"PERIOD of an expression", "PERIOD(a + 1)", "function PERIOD takes one metric"},
		{"TIME_SERIES of a series", "TIME_SERIES(a)", "function TIME_SERIES takes one argument: S"},
		{"FILL without a filler", "FILL(a)", "function FILL takes"},
		{"FILL of a number", "FILL(1, 2)", "function FILL takes"},
		{"FILL with an array", "FILL(a, [b])", "REPEAT or LINEAR as a filler"},
		{"IF without a value", "IF(a)", "function IF takes"},
		{"IF on an array", "IF([a], 1, 2)", "not TS[]"},
		{"METRICS of a series", "METRICS(a)", "function METRICS takes nothing, or a string"},
		{"FIRST of nothing", "FIRST([])", "empty array"},
		{"too deep", strings.Repeat("(", 5000) + "a", "nests deeper than 100 levels"},
		{"too many signs", strings.Repeat("-", 5000) + "a", "nests deeper than 100 levels"},
		{"too many powers", strings.Repeat("2^", 5000) + "2", "nests deeper than 100 levels"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := evaluate(c.expression)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%.40s: got %v, want %q", c.expression, err, c.want)
			}
		})
	}
}

func TestALongChainOfOperatorsIsNoNesting(t *testing.T) {
	v, _, err := evaluate("a" + strings.Repeat(" + 1", 400))
	if err != nil || show(v) != "TS 410 420 430 440 450 460" {
		t.Errorf("got %s, %v", show(v), err)
	}
}

func TestOnlyADroppedRealValueIsReported(t *testing.T) {
	for _, c := range []struct {
		name, expression string
		want             bool
	}{
		{"a division by a real zero is", "a / b", true},
		{"a division by a missing value is not", "e / r * 0", false},
		{"a logarithm of zero is", "LOG(b)", true},
		{"a sum is not", "a + b", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, e, err := evaluate(c.expression)
			if err != nil || e.lossy != c.want {
				t.Errorf("lossy = %v, %v; want %v", e.lossy, err, c.want)
			}
		})
	}
}

func FuzzAnExpressionNeverPanicsAndNeverYieldsSomethingThatIsNoNumber(f *testing.F) {
	for _, s := range []string{
		"FILL(e, 0) / r", "c / 100", "SUM([a,b])/AVG(METRICS())", "IF(a>1 AND b<2, a, -b^2)", `METRICS("a")`,
		"RATE(RUNNING_SUM(DIFF(a)))", "FILL(METRICS(), LINEAR)", "TIME_SERIES(1/0)", "((((", "1e999", "a/0", "[[],[]]", "\x00", "FIRST(LAST([]))",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > maxExpression {
			return
		}
		v, _, err := evaluate(s)
		if err != nil {
			return
		}
		for _, one := range v.series {
			for i, y := range one.v {
				if math.IsNaN(y) || math.IsInf(y, 0) {
					t.Fatalf("%q gives %v", s, y)
				}
				if i > 0 && one.t[i] <= one.t[i-1] {
					t.Fatalf("%q gives timestamps out of order", s)
				}
			}
		}
	})
}
