package sale

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/rivo/uniseg"
)

const (
	defaultCells = 512
	mostCells    = 1 << 16
	marksPerBase = 2
	replacement  = "\uFFFD"
	cutMark      = "…"
	// A cluster is a base and its marks; one that takes more bytes than this is not text.
	clusterBytes = 32
	// So much of the input is looked at per cell of the result, so that a huge input that is
	// dropped nearly whole can't hold up a reader.
	bytesPerCell = 64
	inputAtLeast = 4096
)

// clean is Clean.
func clean(text string, maxCells int) string {
	if maxCells <= 0 {
		maxCells = defaultCells
	}
	maxCells = min(maxCells, mostCells)
	if len(text) <= maxCells && plain(text) {
		return text
	}
	text, cut := bounded(text, max(maxCells*bytesPerCell, inputAtLeast))
	return fit(agreed(visible(text)), maxCells, cut)
}

// plain reports whether a text is printable ASCII, which needs no cleaning.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] < 0x20 || text[i] > 0x7e {
			return false
		}
	}
	return true
}

// bounded cuts a text to a number of bytes without cutting a code point.
func bounded(text string, limit int) (head string, cut bool) {
	if len(text) <= limit {
		return text, false
	}
	for back := 0; back < utf8.UTFMax && !utf8.RuneStart(text[limit]); back++ {
		limit--
	}
	return text[:limit], true
}

// visible rewrites a text code point by code point: what controls becomes visible, what hides
// is dropped, what nothing can draw is replaced.
func visible(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	marks := 0
	pending, gap := false, true // a space is due for a break; the text so far ends in a space
	for _, r := range text {
		if isBreak(r) {
			pending = true
			continue
		}
		s := show(r)
		if s == "" {
			continue
		}
		if unicode.Is(unicode.M, r) && !pending {
			if marks++; marks > marksPerBase {
				continue
			}
			if b.Len() == 0 { // a mark without a base would sit on whatever stands before the text
				s = replacement
			}
		} else {
			marks = 0
		}
		if pending {
			if s == " " {
				continue
			}
			if !gap {
				b.WriteByte(' ')
			}
			if unicode.Is(unicode.M, r) {
				s = replacement
			}
			pending = false
		}
		b.WriteString(s)
		gap = s == " "
	}
	return b.String()
}

// isBreak reports whether a code point ends a line or jumps: the ones that become one space.
func isBreak(r rune) bool {
	return r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029'
}

// show is how one code point is written; "" drops it. Invalid UTF-8 arrives as U+FFFD.
func show(r rune) string {
	switch {
	case r < 0x20:
		return string(0x2400 + r)
	case r < 0x7f:
		return string(r)
	case r == 0x7f:
		return "\u2421"
	case r < 0xa0:
		const hex = "0123456789ABCDEF"
		return "<" + string(hex[r>>4]) + string(hex[r&15]) + ">"
	case hides(r):
		return ""
	case unicode.Is(unicode.Zs, r):
		return " "
	case !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S):
		return replacement // private use, unassigned, noncharacter
	}
	return string(r)
}

// hides reports whether a code point is there to be unseen: format characters (bidi, zero
// width, tags, byte order mark, soft hyphen), variation selectors and fillers.
func hides(r rune) bool {
	switch {
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r):
		return true
	case unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
		return true
	}
	return false
}

// agreed replaces every cluster whose width the layout (by cluster) and the terminal (by code
// point) would measure differently, until the two agree on the whole text.
func agreed(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	state := -1
	for rest := text; rest != ""; {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		b.WriteString(settled(cluster))
	}
	text = b.String()
	if sameWidth(text) {
		return text
	}
	// The layout cuts clusters by another edition of Unicode than uniseg: ask it for its own.
	b.Reset()
	for rest := text; rest != ""; {
		cluster, _ := ansi.FirstGraphemeCluster(rest, ansi.GraphemeWidth)
		rest = rest[len(cluster):]
		b.WriteString(settled(cluster))
	}
	if text = b.String(); sameWidth(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if r > 0x7e {
			return utf8.RuneError
		}
		return r
	}, text)
}

// settled is a cluster, or U+FFFD in its place.
func settled(cluster string) string {
	if len(cluster) == 1 {
		return cluster
	}
	if len(cluster) > clusterBytes || ansi.StringWidth(cluster) == 0 || !sameWidth(cluster) {
		return replacement
	}
	return cluster
}

func sameWidth(text string) bool { return ansi.StringWidth(text) == ansi.StringWidthWc(text) }

// fit cuts a text to a number of cells; what was cut, here or before, ends in "…".
func fit(text string, cells int, cut bool) string {
	width, room := 0, 0 // room: the end of the clusters that leave a cell for the mark
	state, at := -1, 0
	for rest := text; rest != ""; {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		w := ansi.StringWidth(cluster)
		if width+w > cells {
			return text[:room] + cutMark
		}
		width += w
		at += len(cluster)
		if width < cells {
			room = at
		}
	}
	if cut {
		return text[:room] + cutMark
	}
	return text
}
