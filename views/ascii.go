package views

import (
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// asciiOf maps one cell to ASCII, one cell for one cell, so that no column moves. A letter
// loses its marks; what has no counterpart becomes "?", twice for a wide cluster.
func asciiOf(cluster string, width int) string {
	if len(cluster) == 1 && cluster[0] < utf8.RuneSelf {
		return cluster
	}
	r, size := utf8.DecodeRuneInString(cluster)
	if r < utf8.RuneSelf {
		return cluster[:size] // the marks on an ASCII letter go
	}
	if width == 2 {
		return "??"
	}
	switch {
	case r >= 0xC0 && r < 0x180:
		return string(latin[r-0xC0])
	case r >= 0x2500 && r < 0x2580:
		return asciiLine(r)
	case r >= 0x2581 && r <= 0x2588:
		return "_..--=*#"[r-0x2581 : r-0x2580]
	case r >= 0x2589 && r <= 0x258F:
		return "|"
	case r == 0x2800:
		return " "
	case r > 0x2800 && r < 0x2900:
		return "*"
	}
	switch r {
	case '▲':
		return "!"
	case '◆':
		return "*"
	case '◇':
		return "?"
	case '○':
		return "o"
	case '●':
		return "@"
	case '▼':
		return "v"
	case '→':
		return ">"
	case '←':
		return "<"
	case '↑':
		return "^"
	case '↓':
		return "v"
	case '·', '–', '—':
		return "-"
	case '…':
		return "."
	case '\u00a0':
		return " "
	case '×':
		return "x"
	case '‘', '’':
		return "'"
	case '“', '”', '„':
		return `"`
	}
	return "?"
}

// latin holds the plain letter of U+00C0 to U+017F.
const latin = "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYTsaaaaaaaceeeeiiiidnooooo/ouuuuyty" +
	"AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiJjJjKkkLlLlLlLlLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs"

func asciiLine(r rune) string {
	switch r {
	case '─', '╴', '╶':
		return "-"
	case '│':
		return "|"
	case '━':
		return "="
	case '┃', '┏', '┓', '┗', '┛':
		return "#"
	case '╌':
		return "."
	case '╎', '┊':
		return ":"
	case '┄':
		return "-"
	}
	return "+"
}

// ASCII writes a clean line with ASCII alone, one cell for one cell, as the ASCII theme does.
func ASCII(line string) string {
	var b strings.Builder
	for g := uniseg.NewGraphemes(line); g.Next(); {
		b.WriteString(asciiOf(g.Str(), g.Width()))
	}
	return b.String()
}
