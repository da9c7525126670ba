package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/onsale-dev/onsale/sale"
)

// Position is a place in a file. Line and Column count from 1; Column counts characters.
// A Line of 0 means the file as a whole.
type Position struct {
	File         string
	Line, Column int
}

// String gives "file:line:column".
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Place is a position together with the line that it is in.
type Place struct {
	Position
	Text string // the whole line, with anything secret in it replaced by "***"
	Note string // what is there: "the first one"; empty for the main place

	from, to int // the characters of Text to point at
}

// Mistake is one thing that is wrong with a config: where, why, and how to mend it.
type Mistake struct {
	Place
	Why  string
	Fix  string  // may be empty
	Also []Place // the other places that belong to it
}

// Error renders the mistake as plain text of several lines, without a final line break. It
// holds no control character other than the line breaks, whatever is in the file.
func (m *Mistake) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", m.Position, m.Why)
	m.Place.excerpt(&b)
	if m.Fix != "" {
		b.WriteString("\n   fix: " + m.Fix)
	}
	for _, p := range m.Also {
		fmt.Fprintf(&b, "\n   see: %s: %s", p.Position, p.Note)
		p.excerpt(&b)
	}
	return cleanLines(b.String())
}

// Errors is everything that is wrong with a config, sorted by position; never empty when it
// is returned as an error.
type Errors struct {
	Mistakes []*Mistake
}

// shownMistakes bounds what one rendering prints; the rest is counted.
const shownMistakes = 20

// Error renders the mistakes one after another, divided by an empty line.
func (e *Errors) Error() string {
	parts := make([]string, 0, min(len(e.Mistakes), shownMistakes)+1)
	for i, m := range e.Mistakes {
		if i == shownMistakes {
			parts = append(parts, fmt.Sprintf("and %d more", len(e.Mistakes)-i))
			break
		}
		parts = append(parts, m.Error())
	}
	return strings.Join(parts, "\n\n")
}

// Unwrap gives every mistake to errors.Is and errors.As.
func (e *Errors) Unwrap() []error {
	all := make([]error, len(e.Mistakes))
	for i, m := range e.Mistakes {
		all[i] = m
	}
	return all
}

// sorted puts the mistakes in the order of the file and drops repetitions: the same words
// about the same place are said once, however many sales lead there.
func sorted(all []*Mistake) []*Mistake {
	slices.SortStableFunc(all, func(a, b *Mistake) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		if a.Column != b.Column {
			return a.Column - b.Column
		}
		return strings.Compare(a.Why, b.Why)
	})
	return slices.CompactFunc(all, func(a, b *Mistake) bool {
		return a.Position == b.Position && a.Why == b.Why
	})
}

// excerptCells is the widest part of a line that an excerpt shows.
const excerptCells = 96

// excerpt writes the line and a caret below it.
func (p Place) excerpt(b *strings.Builder) {
	if p.Line == 0 || strings.TrimSpace(p.Text) == "" {
		return
	}
	line := []rune(p.Text)
	at := min(max(p.from, 0), len(line))
	end := min(max(p.to, at+1), len(line))
	from, lead := 0, ""
	if at > excerptCells/2 && len(line) > excerptCells {
		from, lead = at-excerptCells/3, "…"
	}
	before := lead + sale.Clean(string(line[from:at]), 4*excerptCells)
	// Clean trims nothing inside a line, but blanks at its ends are layout here.
	before = keepIndent(lead, line[from:at], before)
	marked := sale.Clean(string(line[at:end]), excerptCells)
	rest := ""
	if left := excerptCells - ansi.StringWidth(before) - ansi.StringWidth(marked); left > 1 && end < len(line) {
		rest = keepIndent("", line[end:], sale.Clean(string(line[end:]), left))
	}
	gutter := fmt.Sprintf("%5d", p.Line)
	fmt.Fprintf(b, "\n%s | %s", gutter, strings.TrimRight(before+marked+rest, " "))
	fmt.Fprintf(b, "\n%s | %s%s", strings.Repeat(" ", len(gutter)),
		strings.Repeat(" ", ansi.StringWidth(before)), strings.Repeat("^", max(1, ansi.StringWidth(marked))))
}

// keepIndent gives back the blanks that lead or end the raw text, should cleaning have
// trimmed them.
func keepIndent(lead string, raw []rune, cleaned string) string {
	text := string(raw)
	body := strings.TrimSpace(strings.TrimPrefix(cleaned, lead))
	if body == "" {
		return lead + strings.Repeat(" ", len(raw))
	}
	left := len(text) - len(strings.TrimLeft(text, " \t"))
	right := len(text) - len(strings.TrimRight(text, " \t"))
	return lead + strings.Repeat(" ", left) + body + strings.Repeat(" ", right)
}

// cleanLines cleans each line by itself and keeps its indentation.
func cleanLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		indent := len(l) - len(strings.TrimLeft(l, " "))
		lines[i] = l[:indent] + strings.TrimRight(sale.Clean(l[indent:], 2000), " ")
	}
	return strings.Join(lines, "\n")
}
