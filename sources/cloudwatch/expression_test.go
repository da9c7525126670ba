package cloudwatch

import (
	"slices"
	"strings"
	"testing"
)

func TestAnExpressionGetsNewIdsForItsInputsAndNothingElse(t *testing.T) {
	for _, c := range []struct{ name, text, inputs, want string }{
		{"inputs are renamed, functions are not", "FILL(e, 0) / r", "e r", "FILL(<0>, 0) / <1>"},
		{"a name that holds another name is its own", "e + e1 + me", "e e1 me", "<0> + <1> + <2>"},
		{"the exponent of a number is no name", "e * 1e3 + 2.5E-1", "e", "<0> * 1e3 + 2.5E-1"},
		{"keywords stay", "SORT([a,b], MAX, DESC, 1) AND a", "a b", "SORT([<0>,<1>], MAX, DESC, 1) AND <0>"},
		{"quoted text stays, in either quotes and with escapes", `IF(a, "a \" a", 'a')`, "a", `IF(<0>, "a \" a", 'a')`},
		{"METRICS() means its own inputs, not the whole call's", "SUM(METRICS())", "a b", "SUM([<0>,<1>])"},
		{"METRICS with a text takes those whose name holds it", `AVG(METRICS( "err" ))`, "err1 err2", "AVG([<0>,<1>])"},
		{"a function of the name of an input is a function", "sum(sum)", "sum", "sum(<0>)"},
		{"line breaks and tabs stay", "a\n\t/b", "a b", "<0>\n\t/<1>"},
		{"a search has no inputs", `SUM(SEARCH('{AWS/EC2} m="e"', 'Sum', 60))`, "", `SUM(SEARCH('{AWS/EC2} m="e"', 'Sum', 60))`},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := compile(c.text, strings.Fields(c.inputs))
			if err != nil {
				t.Fatal(err)
			}
			got := e.render(func(i int) string { return "<" + string(rune('0'+i)) + ">" })
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestAFaultyExpressionIsRefusedBeforeItCosts(t *testing.T) {
	for _, c := range []struct{ name, text, inputs, want string }{
		{"an unknown name", "e / req", "e r", `uses "req", which is none of its metrics (e, r)`},
		{"a name without metrics", "m1 / 2", "", `uses "m1", but no metrics are declared`},
		{"an input that is not used", "e / 60", "e r", `metric "r" is not used`},
		{"a quote that is not closed", `IF(e, "x, 0)`, "e", "column 7 is not closed"},
		{"a missing operator that renaming could hide", "2e + e", "e", `"2e": an operator is missing`},
		{"METRICS that finds nothing", `SUM(METRICS("x")) + e`, "e", "finds none of its metrics (e)"},
		{"METRICS with a bare word", `SUM(METRICS(e))`, "e", "METRICS takes nothing or one quoted text"},
		{"METRICS that is not closed", `METRICS(`, "e", "METRICS takes nothing or one quoted text"},
		{"metrics beside Metrics Insights", "SELECT AVG(CPUUtilization) FROM e", "e", "names its metrics itself: remove e"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := compile(c.text, strings.Fields(c.inputs))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want … %s …", err, c.want)
			}
		})
	}
}

func FuzzExpression(f *testing.F) {
	for _, s := range []string{"FILL(e, 0) / r", "1e3*e", `SUM(METRICS("e"))`, "select x from y", `'\`, "2e", "é+r", "METRICS()"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tokens, err := tokenise(text)
		if err != nil {
			return
		}
		var joined strings.Builder
		for _, token := range tokens {
			joined.WriteString(token.text)
		}
		if joined.String() != text {
			t.Fatalf("the tokens of %q join to %q", text, joined.String())
		}
		inputs := []string{"e", "r"}
		e, err := compile(text, inputs)
		if err != nil {
			return
		}
		same := e.render(func(i int) string { return inputs[i] })
		if !strings.Contains(text, "METRICS") && same != text {
			t.Fatalf("%q comes back as %q under its own names", text, same)
		}
		// Under other names it takes apart into the same expression again.
		other := []string{"m1", "m22"}
		again, err := compile(e.render(func(i int) string { return other[i] }), other)
		if err != nil && !strings.Contains(text, "m1") && !strings.Contains(text, "m22") {
			t.Fatalf("%q does not compile under other names: %v", text, err)
		}
		if err == nil && !slices.Equal(inputsOf(again), inputsOf(e)) {
			t.Fatalf("%q uses %v, renamed %v", text, inputsOf(e), inputsOf(again))
		}
	})
}

func inputsOf(e expression) []int {
	var is []int
	for _, p := range e.parts {
		if p.input >= 0 {
			is = append(is, p.input)
		}
	}
	return is
}
