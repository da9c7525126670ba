package ui

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/onsale-dev/onsale/views"
)

// place is where keys go now: a screen or a dialog. Its value is the scope of its own keys.
type place = Scope

func places() []place {
	return []place{OverviewScope, SaleScope, SourcesScope, LogsScope, HelpScope, PaletteScope, FilterScope, JournalScope, AlarmsScope, WallScope, ConfirmScope, QuestionScope, CodeScope}
}

// scopesAt lists the scopes whose bindings hold at a place, innermost first.
func scopesAt(p place) []Scope {
	switch p {
	case HelpScope, PaletteScope, FilterScope, ConfirmScope, QuestionScope, CodeScope, WallScope:
		return []Scope{p, EverywhereScope}
	}
	return []Scope{p, ScreensScope, EverywhereScope}
}

// keymap is the key table with a config's changes in it. It doesn't change after it is made.
type keymap struct {
	rows []row
	at   map[place]map[string]target
}

type target struct{ row, index int }

// newKeymap makes the table. Where keys mean two things or can't be sent by a terminal, the
// errors say so, and the map must not be used.
func newKeymap(rebind map[string][]string) (*keymap, []error) {
	k := &keymap{rows: table(), at: map[place]map[string]target{}}
	errs := k.rebind(rebind)
	for _, p := range places() {
		errs = append(errs, k.index(p)...)
	}
	return k, dedupe(errs)
}

// ValidateKeys checks a config's rebinding: intent names to the keys that shall mean them, an
// empty list taking all keys away. It returns one error for each unknown intent, for each key
// that no ordinary terminal sends and for each key that would mean two things in one place.
func ValidateKeys(rebind map[string][]string) []error {
	_, errs := newKeymap(rebind)
	return errs
}

func (k *keymap) rebind(rebind map[string][]string) []error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(rebind)) {
		i := slices.IndexFunc(k.rows, func(r row) bool { return string(r.Intent) == name })
		if i < 0 {
			errs = append(errs, fmt.Errorf("keys: %q is not a thing a key can do; %s", name, nearestIntent(name)))
			continue
		}
		if k.rows[i].Fixed {
			errs = append(errs, fmt.Errorf("keys: %s can't be rebound: %s must always work; take it out of the config", name, prettyKeys(k.rows[i].Keys)))
			continue
		}
		keys := make([]string, 0, len(rebind[name]))
		for _, key := range rebind[name] {
			norm, err := normalKey(key)
			if err != nil {
				errs = append(errs, fmt.Errorf("keys: %s: %w", name, err))
				continue
			}
			if slices.Contains(keys, norm) {
				errs = append(errs, fmt.Errorf("keys: %s: %q is listed twice", name, key))
				continue
			}
			keys = append(keys, norm)
		}
		k.rows[i].Keys = keys
	}
	return errs
}

// index fills the look-up of one place and finds the keys that mean two things there.
func (k *keymap) index(p place) []error {
	var errs []error
	found := map[string]target{}
	for i := range k.rows {
		if !slices.ContainsFunc(k.rows[i].Scopes, func(s Scope) bool { return slices.Contains(scopesAt(p), s) }) {
			continue
		}
		for n, key := range k.rows[i].Keys {
			if other, taken := found[key]; taken {
				errs = append(errs, fmt.Errorf("keys: %q would mean both %s and %s on the %s; give one of them another key",
					key, k.rows[other.row].Intent, k.rows[i].Intent, p))
				continue
			}
			found[key] = target{i, n}
			if takesText(p) && utf8.RuneCountInString(key) == 1 {
				errs = append(errs, fmt.Errorf("keys: %q can't be %s: letters are typed there; use a key with ctrl", key, k.rows[i].Intent))
			}
		}
	}
	k.at[p] = found
	return errs
}

// find looks a key up at a place.
func (k *keymap) find(p place, key string) (*row, press, bool) {
	t, ok := k.at[p][key]
	if !ok {
		return nil, press{}, false
	}
	return &k.rows[t.row], press{key, t.index}, true
}

// holds reports whether a row's binding works at a place.
func (r *row) holds(p place) bool {
	return slices.ContainsFunc(r.Scopes, func(s Scope) bool { return slices.Contains(scopesAt(p), s) })
}

// footer returns the keys of the footer at a place, rows of one label as one hint.
func (k *keymap) footer(m *model, p place) []views.KeyHint {
	var out []views.KeyHint
	for i := range k.rows {
		r := &k.rows[i]
		if !r.footer && !takesText(p) || !r.holds(p) || len(r.Keys) == 0 {
			continue
		}
		h := r.hint(m)
		if r.quiet && h.Off != "" {
			continue
		}
		if r.Intent != openSaleIntent {
			h.Keys = pretty(r.Keys[0])
		} else if h.Off == "" {
			h.Keys = m.saleDigits(r.Keys)
		}
		if n := len(out); n > 0 && out[n-1].Label == h.Label {
			out[n-1].Keys = joinKeys(out[n-1].Keys, h.Keys)
			if h.Off == "" {
				out[n-1].Off = ""
			}
			continue
		}
		if n := len(out); n > 0 && r.Group == actGroup && out[n-1].Group == actGroup && h.Off != "" && out[n-1].Off == h.Off {
			out[n-1].Keys = joinKeys(out[n-1].Keys, h.Keys) // one reason for several keys
			continue
		}
		out = append(out, h)
	}
	return out
}

// help returns every binding of a place for the help page, with the keys as they are bound.
func (k *keymap) help(m *model, p place) []views.KeyHint {
	var out []views.KeyHint
	for i := range k.rows {
		if r := &k.rows[i]; r.holds(p) && len(r.Keys) > 0 {
			out = append(out, r.hint(m))
		}
	}
	return out
}

// joinKeys writes two keys of one meaning: arrows close together, others with a blank.
func joinKeys(a, b string) string {
	if strings.ContainsAny(b, "←↓↑→") {
		return a + b
	}
	return a + " " + b
}

// takesText reports whether letters are typed at a place.
func takesText(p place) bool {
	return p == PaletteScope || p == FilterScope || p == QuestionScope || p == CodeScope
}

func dedupe(errs []error) []error {
	seen := map[string]bool{}
	return slices.DeleteFunc(errs, func(err error) bool {
		text := strings.Replace(err.Error(), " on the ", "\x00", 1)
		text, _, _ = strings.Cut(text, "\x00")
		was := seen[text]
		seen[text] = true
		return was
	})
}

func nearestIntent(name string) string {
	best, most := "", -1
	for _, b := range Bindings() {
		score, ok := fuzzyScore(name, string(b.Intent))
		if back, okBack := fuzzyScore(string(b.Intent), name); okBack {
			score, ok = max(score, back), true
		}
		if ok && score > most && !b.Fixed {
			best, most = string(b.Intent), score
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "see `onsale config schema` or the key reference for the names"
}

// normalKey turns a key as a person writes it into Bubble Tea's name, or says why no
// ordinary terminal sends it.
func normalKey(key string) (string, error) {
	if utf8.RuneCountInString(key) == 1 {
		r, _ := utf8.DecodeRuneInString(key)
		if r == ' ' {
			return "space", nil
		}
		if !unicode.IsPrint(r) {
			return "", fmt.Errorf("%q is not a key that can be written; name it, such as \"ctrl+l\" or \"tab\"", key)
		}
		return key, nil
	}
	parts := strings.Split(strings.ToLower(strings.TrimSpace(key)), "+")
	base := parts[len(parts)-1]
	if known, ok := keyAliases()[base]; ok {
		base = known
	}
	mods := parts[:len(parts)-1]
	named := slices.Contains(namedKeys(), base)
	switch {
	case len(mods) == 0 && named:
		return base, nil
	case slices.Equal(mods, []string{"shift"}) && slices.Contains([]string{"tab", "up", "down", "left", "right"}, base):
		return "shift+" + base, nil
	case slices.Equal(mods, []string{"ctrl"}) && len(base) == 1 && base[0] >= 'a' && base[0] <= 'z':
		return ctrlKey(base)
	case slices.Equal(mods, []string{"alt"}) && utf8.RuneCountInString(base) == 1:
		return "alt+" + base, nil
	case len(mods) > 0 && (named || utf8.RuneCountInString(base) == 1):
		return "", fmt.Errorf("%q is not sent by ordinary terminals; use a letter, a digit, ctrl with a letter, or a function key", key)
	}
	return "", fmt.Errorf("%q is not the name of a key; write a single character or one of %s", key, strings.Join(namedKeys(), ", "))
}

func ctrlKey(letter string) (string, error) {
	switch letter {
	case "i":
		return "", errors.New(`"ctrl+i" is the same as "tab" in a terminal; write "tab"`)
	case "m":
		return "", errors.New(`"ctrl+m" is the same as "enter" in a terminal; write "enter"`)
	}
	return "ctrl+" + letter, nil
}

func keyAliases() map[string]string {
	return map[string]string{
		"escape": "esc", "return": "enter", "pageup": "pgup", "pagedown": "pgdown", "pgdn": "pgdown",
		"del": "delete", "ins": "insert", "bs": "backspace",
	}
}

func namedKeys() []string {
	return []string{
		"enter", "esc", "tab", "space", "backspace", "delete", "insert", "up", "down", "left", "right",
		"home", "end", "pgup", "pgdown", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12",
	}
}
