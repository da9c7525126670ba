package views

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

const replacement = "\ufffd"

// next returns the first grapheme cluster of a string, its width in cells (1 or 2) and the
// bytes that it stands for. A cluster that terminals measure differently, or not at all,
// becomes U+FFFD: text from outside was cleaned where it came in, and this holds the layout
// even for what was not.
func next(s string) (cluster string, width, n int) {
	b := s[0]
	if b < utf8.RuneSelf && (len(s) == 1 || s[1] < utf8.RuneSelf) {
		if b < 0x20 || b == 0x7f {
			return replacement, 1, 1
		}
		return s[:1], 1, 1
	}
	r, size := utf8.DecodeRuneInString(s)
	if narrow(r) && (len(s) == size || s[size] < utf8.RuneSelf || narrowNext(s[size:])) {
		return s[:size], 1, size
	}
	cluster, width = ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
	n = len(cluster)
	if n == 0 {
		return replacement, 1, size
	}
	if r == utf8.RuneError || width < 1 || width > 2 || width != ansi.StringWidthWc(cluster) || hasControl(cluster) || joins(cluster, r) {
		return replacement, 1, n
	}
	return cluster, width, n
}

// narrow reports runes that are one cell wide in every measure and never join a neighbour
// that is itself narrow: printable ASCII, Latin, arrows, lines, blocks, shapes, braille.
func narrow(r rune) bool {
	switch {
	case r < 0x20 || r == 0x7f:
		return false
	case r < 0x7f:
		return true
	case r >= 0xC0 && r < 0x180, r == '·', r == '…':
		return true
	case r >= 0x2190 && r <= 0x2193, r >= 0x2500 && r < 0x25A0, r >= 0x2800 && r < 0x2900:
		return true
	case r == '▲', r == '◆', r == '◇', r == '○', r == '●', r == '▼':
		return true
	}
	return false
}

// joins reports clusters that would melt into whatever stands in the cell before or after
// them: a mark without a base, half a flag, a prefix. In a cell of its own each is a fault.
func joins(cluster string, first rune) bool {
	switch {
	case first >= 0x370 && first < 0x530 && unicode.IsLetter(first), first >= 0x4E00 && first < 0xA000, first >= 0xAC00 && first < 0xD7A4:
		return false // Greek, Cyrillic, Han and Hangul letters: common, and never so
	case first >= 0x1100 && first < 0x1200, first >= 0xA960 && first < 0xA980, first >= 0xD7B0 && first < 0xD800:
		return true // parts of a Hangul syllable
	case first >= 0x1F1E6 && first <= 0x1F1FF:
		return utf8.RuneCountInString(cluster) == 1
	}
	before, _ := ansi.FirstGraphemeCluster("a"+cluster, ansi.GraphemeWidth)
	after, _ := ansi.FirstGraphemeCluster(cluster+"a", ansi.GraphemeWidth)
	return len(before) > 1 || len(after) > len(cluster)
}

func narrowNext(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return narrow(r)
}

func hasControl(s string) bool {
	for _, r := range s {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return true
		}
	}
	return false
}

// cells is the width of a string as it will be drawn.
func cells(s string) int {
	w := 0
	for len(s) > 0 {
		_, cw, n := next(s)
		w += cw
		s = s[n:]
	}
	return w
}

// clip cuts a string to at most w cells; what was cut ends in "…".
func clip(s string, w int) string {
	if w <= 0 {
		return ""
	}
	if len(s) <= w || cells(s) <= w {
		return s
	}
	used, at := 0, 0
	for at < len(s) {
		_, cw, n := next(s[at:])
		if used+cw > w-1 {
			break
		}
		used += cw
		at += n
	}
	return strings.TrimRight(s[:at], " ") + "…"
}

// wrap breaks text at blanks into lines of at most w cells, at most n of them; the last
// one is cut when there is more.
func wrap(s string, w, n int) []string {
	if w <= 0 || n <= 0 {
		return nil
	}
	var lines []string
	for s = strings.TrimLeft(s, " "); s != ""; s = strings.TrimLeft(s, " ") {
		if len(lines) == n-1 || cells(s) <= w {
			return append(lines, clip(s, w))
		}
		at, used, blank := 0, 0, -1
		for at < len(s) {
			_, cw, size := next(s[at:])
			if used+cw > w {
				break
			}
			if s[at] == ' ' {
				blank = at
			}
			used += cw
			at += size
		}
		if at < len(s) && s[at] == ' ' {
			blank = at
		}
		if blank > 0 {
			at = blank
		}
		if at == 0 {
			return append(lines, clip(s, w)) // a cluster wider than the line
		}
		lines = append(lines, strings.TrimRight(s[:at], " "))
		s = s[at:]
	}
	return lines
}
