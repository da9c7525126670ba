package views

import "strings"

// bigFont holds the letters of the wall as five rows of pixels each, "#" for one that is on. The
// same pixels make both sizes: two in a cell for letters of three rows, two cells each for five.
var bigFont = map[byte][5]string{
	'A':  {".#.", "#.#", "###", "#.#", "#.#"},
	'B':  {"##.", "#.#", "##.", "#.#", "##."},
	'C':  {"###", "#..", "#..", "#..", "###"},
	'D':  {"##.", "#.#", "#.#", "#.#", "##."},
	'E':  {"###", "#..", "##.", "#..", "###"},
	'F':  {"###", "#..", "##.", "#..", "#.."},
	'G':  {"####", "#...", "#.##", "#..#", "####"},
	'H':  {"#.#", "#.#", "###", "#.#", "#.#"},
	'I':  {"#", "#", "#", "#", "#"},
	'J':  {"..#", "..#", "..#", "#.#", "###"},
	'K':  {"#..#", "#.#.", "##..", "#.#.", "#..#"},
	'L':  {"#..", "#..", "#..", "#..", "###"},
	'M':  {"#...#", "##.##", "#.#.#", "#...#", "#...#"},
	'N':  {"#..#", "##.#", "#.##", "#..#", "#..#"},
	'O':  {"####", "#..#", "#..#", "#..#", "####"},
	'P':  {"###", "#.#", "###", "#..", "#.."},
	'Q':  {"####", "#..#", "#..#", "####", "..##"},
	'R':  {"##.", "#.#", "##.", "#.#", "#.#"},
	'S':  {"###", "#..", "###", "..#", "###"},
	'T':  {"###", ".#.", ".#.", ".#.", ".#."},
	'U':  {"#..#", "#..#", "#..#", "#..#", "####"},
	'V':  {"#.#", "#.#", "#.#", "#.#", ".#."},
	'W':  {"#...#", "#...#", "#.#.#", "##.##", "#...#"},
	'X':  {"#.#", "#.#", ".#.", "#.#", "#.#"},
	'Y':  {"#.#", "#.#", ".#.", ".#.", ".#."},
	'Z':  {"###", "..#", ".#.", "#..", "###"},
	'0':  {"###", "#.#", "#.#", "#.#", "###"},
	'1':  {".#.", "##.", ".#.", ".#.", "###"},
	'2':  {"###", "..#", "###", "#..", "###"},
	'3':  {"###", "..#", "###", "..#", "###"},
	'4':  {"#.#", "#.#", "###", "..#", "..#"},
	'5':  {"###", "#..", "###", "..#", "###"},
	'6':  {"###", "#..", "###", "#.#", "###"},
	'7':  {"###", "..#", "..#", "..#", "..#"},
	'8':  {"###", "#.#", "###", "#.#", "###"},
	'9':  {"###", "#.#", "###", "..#", "###"},
	' ':  {"..", "..", "..", "..", ".."},
	':':  {".", "#", ".", "#", "."},
	'.':  {".", ".", ".", ".", "#"},
	',':  {".", ".", ".", "#", "#"},
	'-':  {"...", "...", "###", "...", "..."},
	'+':  {"...", ".#.", "###", ".#.", "..."},
	'/':  {"..#", "..#", ".#.", "#..", "#.."},
	'%':  {"#..#", "...#", "..#.", ".#..", "#..#"},
	'~':  {"....", ".#.#", "#.#.", "....", "...."},
	'?':  {"###", "..#", ".##", "...", ".#."},
	'!':  {"#", "#", "#", ".", "#"},
	'>':  {"#..", ".#.", "..#", ".#.", "#.."},
	'<':  {"..#", ".#.", "#..", ".#.", "..#"},
	'=':  {"...", "###", "...", "###", "..."},
	'&':  {".#..", "#.#.", ".#..", "#.##", ".##."},
	'\'': {"#", "#", ".", ".", "."},
}

// bigSpell turns text into what the big letters can write: capitals without marks. whole is false
// when something of it has no big letter, such as Greek or Han; that part is left out.
func bigSpell(s string) (spelled string, whole bool) {
	var b strings.Builder
	whole = true
	for len(s) > 0 {
		cluster, w, n := next(s)
		s = s[n:]
		plain := strings.ToUpper(asciiOf(cluster, w))
		if strings.Trim(plain, "?") == "" && cluster != "?" {
			whole = false
			continue
		}
		if _, ok := bigFont[plain[0]]; !ok {
			plain = " " // brackets, quotes and the like part words
		}
		b.WriteString(plain)
	}
	return strings.Join(strings.Fields(b.String()), " "), whole
}

// bigPixels is how many pixels wide a spelled text is.
func bigPixels(s string) int {
	n := 0
	for i := range len(s) {
		n += len(bigFont[s[i]][0]) + 1
	}
	return max(n-1, 0)
}

// bigSize is the height of big letters in rows. smallText is one row of ordinary letters.
type bigSize int

const (
	smallText bigSize = 1
	bigRows   bigSize = 3
	hugeRows  bigSize = 5
)

func (z bigSize) width(s string) int {
	switch z {
	case hugeRows:
		return 2 * bigPixels(s)
	case bigRows:
		return bigPixels(s)
	}
	return cells(s)
}

// big draws spelled text with its top left corner at a place and returns the column after it.
func (c *canvas) big(x, y int, s style, z bigSize, str string) int {
	if z == smallText {
		return c.put(x, y, s, str)
	}
	glyphs := [4]string{" ", "▀", "▄", "█"}
	if c.theme.ASCII() {
		glyphs = [4]string{" ", `"`, ".", "#"}
	}
	for i := range len(str) {
		rows := bigFont[str[i]]
		for px := range rows[0] {
			on := func(row int) int {
				if row < len(rows) && rows[row][px] == '#' {
					return 1
				}
				return 0
			}
			if z == hugeRows {
				for row := range rows {
					if on(row) == 1 {
						c.set(x, y+row, s, glyphs[3], 1)
						c.set(x+1, y+row, s, glyphs[3], 1)
					}
				}
				x += 2
				continue
			}
			for row := range int(bigRows) {
				if g := on(2*row) + 2*on(2*row+1); g > 0 {
					c.set(x, y+row, s, glyphs[g], 1)
				}
			}
			x++
		}
		if i < len(str)-1 {
			x++
			if z == hugeRows {
				x++
			}
		}
	}
	return x
}

// bigRight draws spelled text so that it ends before column end.
func (c *canvas) bigRight(end, y int, s style, z bigSize, str string) {
	c.big(end-z.width(str), y, s, z, str)
}
