package config

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// document is the text of one file, for excerpts, and what in it must not be shown.
type document struct {
	name    string
	lines   []string
	builtin bool
	broken  bool   // not readable as YAML: only the looks of a line tell what is secret in it
	masks   []mask // sorted by line once the tree is built
	hidden  []string
}

// mask covers characters of one line: columns from 1, to exclusive; to 0 is the line's end.
type mask struct {
	line, from, to int
}

// newDocument keeps the text of a file with its line breaks made uniform.
func newDocument(name string, text string) *document {
	return &document{name: name, lines: strings.Split(text, "\n")}
}

// at gives a place in the document with its line fit to be shown.
func (d *document) at(line, col, width int, note string) Place {
	line = min(max(line, 1), max(len(d.lines), 1))
	all := utf8.RuneCountInString(d.lines[line-1])
	col = min(max(col, 1), all+1)
	text := d.shown(line, all)
	// What is hidden before the place moves it to the left.
	from := min(utf8.RuneCountInString(d.shown(line, col-1)), utf8.RuneCountInString(text))
	to := min(utf8.RuneCountInString(d.shown(line, min(col-1+max(width, 1), all))), utf8.RuneCountInString(text))
	return Place{Position: Position{d.name, line, col}, Text: text, Note: note, from: from, to: max(from, to)}
}

var (
	secretKey = regexp.MustCompile(`(?i)(["']?[\w.-]*(?:passw|pwd|passphrase|secret|token|bearer|routing|hmac|authoriz|cookie|credential|api[_-]?key|apikey|private)[\w.-]*["']?\s*:\s*)`)
	userInfo  = regexp.MustCompile(`://[^/@\s"']+@`)
	urlSecret = regexp.MustCompile(`(?i)([?&][\w.-]*(?:key|token|secret|sig|pass|auth)[\w.-]*=)[^&\s"']+`)
	openKey   = regexp.MustCompile(`:\s*(?:[|>][-+0-9]*|[&!]\S+|["'{\[])?[^"':]*$`)
)

// shown returns the first characters of a line with everything that is, or looks like, a
// secret replaced by "***".
func (d *document) shown(line, upTo int) string {
	runes := []rune(strings.ReplaceAll(d.lines[line-1], "\t", " "))
	runes = runes[:min(upTo, len(runes))]
	var own []mask
	for _, m := range d.masks {
		if m.line == line {
			own = append(own, m)
		}
	}
	slices.SortFunc(own, func(a, b mask) int { return b.from - a.from })
	for _, m := range own {
		from, to := min(max(m.from-1, 0), len(runes)), min(m.to-1, len(runes))
		if m.to == 0 {
			to = len(runes)
		}
		if from < to {
			runes = slices.Concat(runes[:from:from], []rune(hidden), runes[to:])
		}
	}
	text := string(runes)
	if d.broken {
		text = d.guarded(line, text)
	}
	text = userInfo.ReplaceAllString(text, "://"+hidden+"@")
	text = urlSecret.ReplaceAllString(text, "${1}"+hidden)
	return d.scrub(text)
}

// guarded hides by looks alone, for a file that could not be read: all that follows a key
// that sounds secret, and a line that continues such a value.
func (d *document) guarded(line int, text string) string {
	if loc := secretKey.FindStringIndex(text); loc != nil {
		return text[:loc[1]] + hidden
	}
	if strings.Contains(text, "-----BEGIN") {
		return hidden
	}
	for i := line - 1; i >= 1 && i >= line-200; i-- {
		before := d.lines[i-1]
		if strings.TrimSpace(before) == "" {
			continue
		}
		if secretKey.MatchString(before) && openKey.MatchString(before) && !strings.Contains(text, ": ") {
			return hidden
		}
		if strings.Contains(before, "-----BEGIN") || strings.Contains(before, "-----END") {
			return hidden
		}
		if indentOf(before) < indentOf(text) && strings.Contains(before, ":") {
			if secretKey.MatchString(before) {
				return hidden
			}
			return text
		}
	}
	return text
}

func indentOf(s string) int { return len(s) - len(strings.TrimLeft(s, " \t")) }

// shortestScrubbed is the length from which a secret text is also removed wherever else it
// turns up; shorter ones are part of too many words.
const shortestScrubbed = 6

// scrub removes every known secret text from a line of a message.
func (d *document) scrub(text string) string {
	for _, h := range d.hidden {
		if len(h) >= shortestScrubbed {
			text = strings.ReplaceAll(text, h, hidden)
		}
	}
	return text
}

// reference is the whole text of a value that stands outside the file.
var reference = regexp.MustCompile(`^\$\{(env|file):([^{}]*)\}$`)

// hide covers a scalar that must not be shown, unless it is only a reference.
func (d *document) hide(n *node, origin string) {
	if n.kind != scalarKind || reference.MatchString(n.text) || n.text == "" {
		return
	}
	d.hidden = append(d.hidden, n.text)
	trimmed := strings.Trim(origin, " \t\n")
	extra := strings.Count(trimmed, "\n")
	if extra == 0 {
		if m := (mask{n.line, n.col, n.col + max(utf8.RuneCountInString(trimmed), n.width)}); !slices.Contains(d.masks, m) {
			d.masks = append(d.masks, m) // twice would take what follows along
		}
		return
	}
	d.masks = append(d.masks, mask{n.line, n.col, 0})
	for i := 1; i <= extra; i++ {
		d.masks = append(d.masks, mask{n.line + i, 1, 0})
	}
}

// secretWords are the parts of a key's name that make its value secret.
var secretWords = []string{"passw", "pwd", "passphrase", "secret", "token", "bearer", "routing", "hmac", "authoriz", "cookie", "apikey", "api_key", "api-key", "private"}

// secretNames are the secret keys of the file itself; a misspelt one is secret too.
var secretNames = []string{"password", "token", "bearer", "secret_access_key", "session_token", "routing_key", "hmac_secret"}

// soundsSecret reports whether a key's value must not be shown.
func soundsSecret(key string) bool {
	k := strings.ToLower(key)
	for _, w := range secretWords {
		if strings.Contains(k, w) {
			return true
		}
	}
	for _, name := range secretNames {
		if distance(k, name) <= 2 {
			return true
		}
	}
	return k == "headers"
}
