package sale

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

func TestForeignTextIsMadeFitForOneLine(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain text stays", "Lantern Choir, 7.0 %", "Lantern Choir, 7.0 %"},
		{"empty stays empty", "", ""},
		{"a colour becomes visible", "A\x1b[31mB", "A␛[31mB"},
		{"clearing the screen becomes visible", "A\x1b[2JB", "A␛[2JB"},
		{"an unterminated OSC swallows nothing", "A\x1b]0;swallow\nNEXT LINE", "A␛]0;swallow NEXT LINE"},
		{"an unterminated CSI eats nothing", "A\x1b[\nNEXT", "A␛[ NEXT"},
		{"a link can't lie", "\x1b]8;;https://evil.example\x1b\\https://good.example\x1b]8;;\x1b\\", "␛]8;;https://evil.example␛\\https://good.example␛]8;;␛\\"},
		{"a title with a clipboard write", "a\x07b\x1b]52;c;aGk=\x07", "a␇b␛]52;c;aGk=␇"},
		{"a device control string", "\x1bPq#0\x1b\\x", "␛Pq#0␛\\x"},
		{"C1 in UTF-8", "a\u009b2J\u009dx\u009c", "a<9B>2J<9D>x<9C>"},
		{"next line is C1", "a\u0085b", "a<85>b"},
		{"a raw byte 9B is no text", "a\x9b31mb", "a\uFFFD31mb"},
		{"a carriage return overwrites nothing", "AAAA\rB", "AAAA B"},
		{"breaks and tabs are one space", "a\r\n\r\n\t\u2028\u2029b", "a b"},
		{"breaks at the ends leave nothing", "\r\n\ta\n", "a"},
		{"an indented line", "for:\n    query", "for: query"},
		{"spaces stay", "a  b ", "a  b "},
		{"backspace, bell, VT, FF, NUL, DEL", "\b\a\v\f\x00\x7f", "␈␇␋␌␀␡"},
		{"bidi controls", "a\u202eb\u2066c\u2069\u200e\u200f\u061cd", "abcd"},
		{"zero width and BOM", "a\u200bb\u200dc\ufeffd\u00ade\u2060f", "abcdef"},
		{"tag characters", "a\U000E0041\U000E0042", "a"},
		{"fillers", "a\u3164b\uffa0c\u115fd\u1160e\u034ff", "abcdef"},
		{"invalid UTF-8", "a\xff\xc0\x80b", "a\uFFFD\uFFFD\uFFFDb"},
		{"a truncated code point", "a\xe2\x82", "a\uFFFD\uFFFD"},
		{"a surrogate", "a\xed\xa0\x80b", "a\uFFFD\uFFFD\uFFFDb"},
		{"private use, unassigned, noncharacter", "\ue000\U000E0FFF\U0010FFFD\uffff\U0001FAFF"[0:], "\uFFFD\uFFFD\uFFFD\uFFFD"},
		{"thousands of marks", "Z" + strings.Repeat("\u0301", 5000), "Z\u0301\u0301"},
		{"a mark with no base", "\u0301a", "\uFFFDa"},
		{"a mark on a line break", "a\n\u0301b", "a \uFFFDb"},
		{"Croatian, composed", "Šibenik Đakovo čćžšđ", "Šibenik Đakovo čćžšđ"},
		{"Croatian, decomposed", "S\u030cibenik c\u030cc\u0301z\u030c", "S\u030cibenik c\u030cc\u0301z\u030c"},
		{"Polish, composed", "Łódź Gdańsk ąęłńóśźż", "Łódź Gdańsk ąęłńóśźż"},
		{"Polish, decomposed", "Gdan\u0301sk a\u0328e\u0328o\u0301z\u0307", "Gdan\u0301sk a\u0328e\u0328o\u0301z\u0307"},
		{"Chinese, Japanese, Korean", "東京 カタカナ 한국", "東京 カタカナ 한국"},
		{"emoji of one code point", "✅ 🎫", "✅ 🎫"},
		{"flags", "🇭🇷 🇵🇱", "🇭🇷 🇵🇱"},
		{"a lone regional indicator", "\U0001F1ED", "\uFFFD"},
		{"three regional indicators", "\U0001F1ED\U0001F1F7\U0001F1F5", "\U0001F1ED\U0001F1F7\uFFFD"},
		{"a variation selector goes", "\u2764\ufe0f \u26a0\ufe0f 1\ufe0f", "\u2764 \u26a0 1"},
		{"a keycap", "1\ufe0f\u20e3", "1\u20e3"},
		{"a family", "👨\u200d👩\u200d👧", "👨👩👧"},
		{"a skin tone", "👍🏽", "\uFFFD"},
		{"Hangul jamo", "\u1112\u1161\u11ab", "\uFFFD"},
		{"halfwidth katakana with a mark", "\uff76\uff9e", "\uFFFD"},
		{"Devanagari is partly replaced", "का", "\uFFFD"},
		{"Thai sara am", "กำ", "\uFFFD"},
		{"Arabic number sign", "\u06001", "1"},
		{"spaces of other kinds", "12\u00a0400\u202f\u2009x", "12 400  x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Clean(tt.in, 0); got != tt.want {
				t.Errorf("Clean(%+q)\n got %+q\nwant %+q", tt.in, got, tt.want)
			}
			holdsItsPromises(t, tt.in, 0)
			holdsItsPromises(t, tt.in, 5)
		})
	}
}

func TestTextIsCutToItsCells(t *testing.T) {
	tests := []struct {
		in   string
		max  int
		want string
	}{
		{"abcdef", 6, "abcdef"},
		{"abcdef", 5, "abcd…"},
		{"abcdef", 1, "…"},
		{"東京東京", 8, "東京東京"},
		{"東京東京", 7, "東京東…"},
		{"東京東京", 6, "東京…"},
		{"東京東京", 2, "…"},
		{"東", 1, "…"},
		{"s\u030cs\u030cs\u030c", 2, "s\u030c…"},
		{"ab\n", 2, "ab"},
		{strings.Repeat("x", 600), 0, strings.Repeat("x", 511) + "…"},
		{strings.Repeat("x", 600), -3, strings.Repeat("x", 511) + "…"},
		{strings.Repeat("\u200b", 1<<20) + "x", 4, "…"},
	}
	for _, tt := range tests {
		if got := Clean(tt.in, tt.max); got != tt.want {
			head, _ := bounded(tt.in, 40)
			t.Errorf("Clean(%q, %d) = %q, want %q", head, tt.max, got, tt.want)
		}
	}
}

// holdsItsPromises checks everything that Clean promises of any text.
func holdsItsPromises(t *testing.T, in string, cells int) {
	t.Helper()
	out := Clean(in, cells)
	limit := cells
	if limit <= 0 {
		limit = defaultCells
	}
	if !utf8.ValidString(out) {
		t.Fatalf("%+q is not UTF-8", out)
	}
	for _, r := range out {
		switch {
		case r < 0x20, r >= 0x7f && r <= 0x9f:
			t.Fatalf("control %U in %+q", r, out)
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			t.Fatalf("hidden %U in %+q", r, out)
		case unicode.Is(unicode.Variation_Selector, r):
			t.Fatalf("variation selector %U in %+q", r, out)
		}
	}
	layout, terminal := ansi.StringWidth(out), ansi.StringWidthWc(out)
	if layout != terminal {
		t.Fatalf("%+q is %d cells to the layout and %d to the terminal", out, layout, terminal)
	}
	if layout > limit {
		t.Fatalf("%+q is %d cells wide, more than %d", out, layout, limit)
	}
	if len(out) > clusterBytes*limit+len(cutMark) {
		t.Fatalf("%d bytes for %d cells", len(out), limit)
	}
	if again := Clean(out, cells); again != out {
		t.Fatalf("cleaning twice makes %+q of %+q", again, out)
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{
		"a\x1b]0;x\x07", "\u009b31m", "\xff\xfe", "e\u0301\u0302\u0303", "👨\u200d👩", "🇭🇷🇵", "नमस्ते", "กำ", "\u1112\u1161\u11ab",
		"a\r\n\tb", "\u202e\u2066", "\U000E0041", "\uff76\uff9e", "1\ufe0f\u20e3", "한국", "\u0600\u0661", "\u1100\u1100\u1161", "\u0d4e\u0d15",
	} {
		f.Add(s, 10)
	}
	f.Fuzz(func(t *testing.T, in string, cells int) {
		if cells > 200 {
			cells %= 200
		}
		holdsItsPromises(t, in, cells)
	})
}

func TestCleaningAHugeTextIsBounded(t *testing.T) {
	in := strings.Repeat("e\u0301\u200b", 1<<20)
	if out := Clean(in, 100); ansi.StringWidth(out) != 100 || !strings.HasSuffix(out, "…") {
		t.Errorf("%d cells", ansi.StringWidth(out))
	}
}

func TestCleaningPlainTextCostsNothing(t *testing.T) {
	if allocs := testing.AllocsPerRun(100, func() { Clean("payment provider answers 502", 0) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestEveryCodePointIsMadeFit(t *testing.T) {
	const prime = 37 // all of them take seconds; each run of a block is still met many times
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if r > 0x3000 && r%prime != 0 {
			continue
		}
		holdsItsPromises(t, "a"+string(r)+"b", 0)
		holdsItsPromises(t, string(r)+string(r), 0)
	}
}
