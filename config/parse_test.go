package config

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

// tricky is YAML whose lines and columns are easy to count wrongly.
const tricky = `# comment
žuta: {a: 'éé', "b c": 2}   # 日本
text: |
  one: not a key
  two

folded: >-
  one
  two
quoted: "one
  two: not a key"
'single': 'it''s'
plain: one
  two
list:
  - x: 1
    y: [1, {z: 2}]
  -   - w: 3
anchor: &a
  q: 1
merged:
  <<: *a
  r: 2
? complex
: 3
empty:
last: end
`

func TestEveryKeyIsFoundWhereItStands(t *testing.T) {
	texts := map[string]string{"tricky": tricky, "tricky with CRLF": strings.ReplaceAll(tricky, "\n", "\r\n"), "tricky with a BOM": "\ufeff" + tricky}
	for _, path := range append(fixtures(t, "good"), fixtures(t, "bad")...) {
		texts[path] = mustRead(t, path)
	}
	for name, text := range texts {
		text = strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n")
		d := newDocument(name, text)
		root, _ := parseYAML(d, text)
		keys := 0
		var walk func(n *node)
		walk = func(n *node) {
			for _, e := range n.entries {
				keys++
				line := []rune(d.lines[e.key.line-1])
				if rest := strings.TrimLeft(string(line[e.key.col-1:]), `"'`); !strings.HasPrefix(rest, e.key.text) {
					t.Errorf("%s:%d:%d: there is %q, not the key %q", name, e.key.line, e.key.col, rest, e.key.text)
				}
				walk(e.value)
			}
			for _, i := range n.items {
				walk(i)
			}
		}
		if root != nil {
			walk(root)
		}
		if name == "tricky" && keys != 21 {
			t.Errorf("%d keys were found", keys)
		}
	}
}

func TestTheTextOfAScalarIsTakenAsItIsWritten(t *testing.T) {
	d := newDocument("x", tricky)
	root, mistakes := parseYAML(d, tricky)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	for key, want := range map[string]string{
		"text": "one: not a key\ntwo\n", "folded": "one two", "quoted": "one two: not a key", "single": "it's", "plain": "one two", "last": "end",
	} {
		if got := root.get(key).text; got != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
	if root.get("merged").get("q") == nil || root.get("empty").kind != nullKind {
		t.Error("merge or null is lost")
	}
}

func TestTheCaretStandsUnderWhatIsWrongHoweverWideTheTextBefore(t *testing.T) {
	_, err := Parse("x.yaml", []byte("environment: 日本\nsales: [{id: a, name: '日本語', evry: 1}]\n"), nothing)
	want := "    2 | sales: [{id: a, name: '日本語', evry: 1}]\n" +
		"      |                                 ^^^^"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestVariablesAreCutOutOfAText(t *testing.T) {
	for text, want := range map[string]string{
		"":                   "",
		"plain":              "plain",
		"$a":                 "<a>",
		"${a}b":              "<a>|b",
		"x$a_1.y":            "x|<a_1>|.y",
		"$$a":                "$|a",
		`=~"/pay$"`:          `=~"/pay|$|"`,
		"$1":                 "$|1",
		"end$":               "end$",
		"${":                 "!",
		"${a":                "!",
		"${a b}c":            "!|c",
		"${env:X}":           "!",
		"$a$b":               "<a>|<b>",
		"é$é":                "é|$|é",
		"[$__rate_interval]": "[|<__rate_interval>|]",
	} {
		var got []string
		for _, p := range pieces(text) {
			switch {
			case p.bad:
				got = append(got, "!")
			case p.name != "":
				got = append(got, "<"+p.name+">")
			default:
				got = append(got, p.text)
			}
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q: got %q, want %q", text, strings.Join(got, "|"), want)
		}
	}
}

func TestANameIsGuessedWhenItIsNear(t *testing.T) {
	known := []string{"every", "timeout", "url", "kind"}
	for word, want := range map[string]string{"evry": "every", "eveyr": "every", "timout": "timeout", "ulr": "url", "Kind": "kind", "zone": "", "x": ""} {
		if got := nearest(word, known); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, path := range append(fixtures(f, "good"), fixtures(f, "bad")...) {
		f.Add([]byte(mustRead(f, path)))
	}
	for _, s := range plainSecrets {
		f.Add([]byte(s))
	}
	f.Add([]byte(tricky))
	env := fixtureEnvironment()
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parse("fuzz.yaml", "/conf", data, env)
		if err == nil {
			if _, err := c.ShowYAML(); err != nil {
				t.Errorf("what was read can't be shown: %v", err)
			}
			return
		}
		var all *Errors
		if !errors.As(err, &all) || len(all.Mistakes) == 0 {
			t.Fatalf("not *Errors: %v", err)
		}
		text := err.Error()
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && unprintable(r) || r == '\t' }) {
			t.Errorf("not fit for a terminal: %q", text)
		}
		for _, m := range all.Mistakes {
			if m.Why == "" {
				t.Error("a mistake without a reason")
			}
		}
	})
}
