package config

import (
	"fmt"
	"strings"
	"testing"
)

// nothing is an environment in which nothing exists.
var nothing Environment

func TestAHostileFileIsRefusedBeforeItCostsTimeOrMemory(t *testing.T) {
	var laughs strings.Builder
	laughs.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&laughs, "a%d: &a%d [", i, i)
		for range 10 {
			fmt.Fprintf(&laughs, "*a%d, ", i-1)
		}
		laughs.WriteString("]\n")
	}
	var chain strings.Builder
	chain.WriteString("a0: &a0 x\n")
	for i := 1; i < 2000; i++ {
		fmt.Fprintf(&chain, "a%d: &a%d [*a%d]\n", i, i, i-1)
	}
	var stairs strings.Builder
	for i := range 1200 {
		stairs.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	var doubling strings.Builder
	doubling.WriteString("environment: x\nsources: {p: {kind: prometheus, url: https://p.example}}\ntemplates:\n  t:\n    variables:\n      v0: ''\n")
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&doubling, "      v%d: $v%d$v%d\n", i, i-1, i-1)
	}
	doubling.WriteString("    signals: {x: {from: p, query: 'a$v59'}}\nsales: [{id: a, name: a, template: t, opens: 2026-12-01T10:00:00Z}]\n")
	lines := func(s string) string { return strings.Repeat(s+"\n", 60_000/len(s)) }
	long := func(s string) string { return strings.Repeat(s, 16_000/len(s)) }
	for name, text := range map[string]string{
		"a file of more than a mebibyte":          strings.Repeat("a: 1\n", 300_000),
		"aliases that unfold to a billion values": laughs.String(),
		"aliases nested two thousand deep":        chain.String(),
		"groups nested a thousand deep":           stairs.String(),
		"brackets nested deep":                    long("["),
		"braces nested deep":                      long("{a: "),
		"dashes in a row":                         long("- "),
		"question marks in a row":                 long("? "),
		"anchors in a row":                        "a: " + long("&a "),
		"tags in a row":                           "a: " + long("!!x "),
		"keys in a row":                           long("a: "),
		"open quotes on every line":               lines(`a: "`),
		"an endless line":                         "a: " + strings.Repeat("x", 100_000),
		"many lines of brackets":                  lines("["),
		"many lines of dashes":                    lines("-"),
		"blocks without an end":                   lines("a: |"),
		"an alias of itself":                      "a: &a [*a]\n",
		"an alias of nothing":                     "a: *b\n",
		"two documents":                           "a: 1\n---\nb: 2\n",
		"a NUL":                                   "a: \x00\n",
		"an escape sequence":                      "a: \x1b[31m\n",
		"bytes that are no UTF-8":                 "a: \xff\xfe\n",
		"nothing":                                 "",
		"a list":                                  "- a\n",
		"a word":                                  "hello\n",
		"only a comment":                          "# hello\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("onsale.yaml", []byte(text), nothing)
			if err == nil {
				t.Fatal("it was taken")
			}
			if strings.ContainsAny(err.Error(), "\x00\x1b\r\t") {
				t.Errorf("a control character got through: %q", err)
			}
		})
	}
	t.Run("variables that double sixty times are worked out once each", func(t *testing.T) {
		if _, err := Parse("onsale.yaml", []byte(doubling.String()), nothing); err != nil {
			t.Fatal(err)
		}
	})
}
