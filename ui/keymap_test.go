package ui

import (
	"slices"
	"strings"
	"testing"
)

func TestEveryBindingIsFitToBeShown(t *testing.T) {
	seen := map[Intent]bool{}
	for _, b := range Bindings() {
		if seen[b.Intent] {
			t.Errorf("%s stands in the table twice", b.Intent)
		}
		seen[b.Intent] = true
		if b.Label == "" || b.Group == "" || len(b.Scopes) == 0 {
			t.Errorf("%s lacks a label, a group or a scope", b.Intent)
		}
		if len(b.Help) < 10 || strings.HasSuffix(b.Help, ".") {
			t.Errorf("%s: the help %q is no short sentence without a full stop", b.Intent, b.Help)
		}
		for _, key := range b.Keys {
			if norm, err := normalKey(key); err != nil || norm != key {
				t.Errorf("%s: key %q is written %q by its right name (%v)", b.Intent, key, norm, err)
			}
		}
	}
	for _, r := range table() {
		if r.run == nil {
			t.Errorf("%s does nothing", r.Intent)
		}
	}
}

func TestTheTableKeepsTheKeysOfTheContract(t *testing.T) {
	want := map[Intent]string{
		"help": "?", "palette": ":", "filter": "/", "back": "esc", "next-panel": "tab", "window-shorter": "[",
		"window-longer": "]", "quit": "q", "open": "enter", "left": "left h", "down": "down j", "up": "up k", "right": "right l",
		"open-sale": "1 2 3 4 5 6 7 8 9", "journal": "J", "alarms": "L", "scale-up": "S", "scale-back": "s", "incident": "I", "acknowledge": "A",
		"pause": "P", "resume": "R", "rate-up": "+", "rate-down": "-", "undo": "U", "note": "N",
	}
	for _, b := range Bindings() {
		if keys, ok := want[b.Intent]; ok {
			if got := strings.Join(b.Keys, " "); got != keys {
				t.Errorf("%s is on %q, want %q", b.Intent, got, keys)
			}
			delete(want, b.Intent)
		}
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

func TestTheKeysOfLaterIssuesAreFree(t *testing.T) {
	for _, b := range Bindings() {
		for _, later := range strings.Fields("F") {
			if slices.Contains(b.Keys, later) {
				t.Errorf("%s takes %s", b.Intent, later)
			}
		}
	}
}

func TestTheTableItselfIsValid(t *testing.T) {
	if errs := ValidateKeys(nil); len(errs) > 0 {
		t.Error(errs)
	}
}

func TestValidateKeys(t *testing.T) {
	cases := []struct {
		sentence string
		rebind   map[string][]string
		want     []string // one part of each error
	}{
		{"another key for an intent is taken", map[string][]string{"sources": {"x"}}, nil},
		{"several keys are taken", map[string][]string{"quit": {"Q", "ctrl+q", "f10"}}, nil},
		{"names are taken as people write them", map[string][]string{"page-down": {"PageDown", "Ctrl+F", " "}}, nil},
		{"an intent may lose its keys", map[string][]string{"quit": {}}, nil},
		{"two intents may swap keys", map[string][]string{"sources": {"e"}, "logs": {"o"}}, nil},
		{"one key may mean two things on two screens", map[string][]string{"read-now": {"z"}}, nil},
		{"a non-Latin letter is a key", map[string][]string{"sources": {"ш"}}, nil},
		{"two meanings on the screens", map[string][]string{"sources": {"e"}}, []string{`"e" would mean both sources and logs on the overview`}},
		{"two meanings, one of one screen only", map[string][]string{"zoom": {"q"}}, []string{`"q" would mean both zoom and quit on the sale`}},
		{"a digit is taken already", map[string][]string{"copy": {"5"}}, []string{`"5" would mean both`}},
		{"an unknown intent, with the nearest", map[string][]string{"source": {"x"}}, []string{`"source" is not a thing a key can do; did you mean "sources"?`}},
		{"an unknown intent that is near nothing", map[string][]string{"☃": {"x"}}, []string{"see `onsale config schema`"}},
		{"esc always goes back", map[string][]string{"back": {"x"}}, []string{"back can't be rebound: esc must always work"}},
		{"esc for something else", map[string][]string{"quit": {"esc"}}, []string{`"esc" would mean both back and quit`}},
		{"ctrl+c for something else", map[string][]string{"sources": {"ctrl+c"}}, []string{`"ctrl+c" would mean both sources and interrupt`}},
		{"a key no terminal sends", map[string][]string{"sources": {"ctrl+enter"}}, []string{`"ctrl+enter" is not sent by ordinary terminals`}},
		{"ctrl+i is tab", map[string][]string{"sources": {"ctrl+i"}}, []string{`write "tab"`}},
		{"ctrl+m is enter", map[string][]string{"sources": {"ctrl+m"}}, []string{`write "enter"`}},
		{"no key of that name", map[string][]string{"sources": {"shazam"}}, []string{`"shazam" is not the name of a key`}},
		{"a control character", map[string][]string{"sources": {"\x1b"}}, []string{"is not a key that can be written"}},
		{"an empty key", map[string][]string{"sources": {""}}, []string{`"" is not the name of a key`}},
		{"the same key twice", map[string][]string{"sources": {"x", "x"}}, []string{"is listed twice"}},
		{"a letter in the palette", map[string][]string{"next-entry": {"n"}}, []string{"letters are typed there"}},
		{"two mistakes are both said", map[string][]string{"sources": {"q"}, "nonsense!": {"x"}}, []string{"nonsense!", `"q" would mean both`}},
	}
	for _, c := range cases {
		t.Run(c.sentence, func(t *testing.T) {
			errs := ValidateKeys(c.rebind)
			if len(errs) != len(c.want) {
				t.Fatalf("%d errors, want %d: %v", len(errs), len(c.want), errs)
			}
			for i, part := range c.want {
				if !strings.Contains(errs[i].Error(), part) {
					t.Errorf("error %q lacks %q", errs[i], part)
				}
			}
		})
	}
}

func FuzzNormalKey(f *testing.F) {
	for _, s := range []string{"q", "ctrl+l", "shift+tab", "+", "ctrl++", "alt+é", "", "\x00", "F1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, key string) {
		norm, err := normalKey(key)
		if err != nil {
			return
		}
		if again, err := normalKey(norm); err != nil || again != norm {
			t.Errorf("%q becomes %q, which becomes %q (%v)", key, norm, again, err)
		}
	})
}

func TestFuzzyScore(t *testing.T) {
	for _, c := range []struct {
		pattern, better, worse string
	}{
		{"adm", "admitted", "a demand"},
		{"nc", "Night Comet", "launch"},
		{"gate", "source gate", "go and take"},
		{"6h", "window 6 h", "16 of them each"},
		{"wis", "Hala Wisła", "we insist"},
	} {
		a, okA := fuzzyScore(c.pattern, c.better)
		b, okB := fuzzyScore(c.pattern, c.worse)
		if !okA || okB && b >= a {
			t.Errorf("%q: %q scores %d (%v), %q scores %d (%v)", c.pattern, c.better, a, okA, c.worse, b, okB)
		}
	}
	if _, ok := fuzzyScore("xyz", "zyx"); ok {
		t.Error("letters out of order were found")
	}
	if _, ok := fuzzyScore("", "anything"); !ok {
		t.Error("nothing typed must find everything")
	}
}
