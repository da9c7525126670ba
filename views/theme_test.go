package views

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestTheColoursAreThoseOfTheTable(t *testing.T) {
	for _, tc := range []struct {
		style       style
		dark, light [3]string // truecolor, 256, 16
	}{
		{text, [3]string{"38;2;208;208;208", "38;5;252", "37"}, [3]string{"38;2;38;38;38", "38;5;235", "30"}},
		{dim, [3]string{"38;2;138;138;138", "38;5;245", "90"}, [3]string{"38;2;108;108;108", "38;5;242", "90"}},
		{watch, [3]string{"38;2;240;228;66", "38;5;227", "93"}, [3]string{"38;2;148;108;0", "38;5;94", "33"}},
		{bad, [3]string{"38;2;213;94;0", "38;5;166", "91"}, [3]string{"38;2;140;42;0", "38;5;88", "31"}},
		{unknown, [3]string{"38;2;86;180;233", "38;5;74", "96"}, [3]string{"38;2;0;114;178", "38;5;25", "34"}},
		{edge, [3]string{"38;2;0;158;115", "38;5;36", "92"}, [3]string{"38;2;0;112;79", "38;5;29", "32"}},
		{accent, [3]string{"1;38;2;255;255;255", "1;38;5;231", "97"}, [3]string{"1;38;2;0;0;0", "1;38;5;16", "1;30"}},
		{mark, [3]string{"38;2;204;121;167", "38;5;175", "95"}, [3]string{"38;2;154;74;120", "38;5;96", "35"}},
		{badWord, [3]string{"7;38;2;213;94;0", "7;38;5;166", "7;91"}, [3]string{"7;38;2;140;42;0", "7;38;5;88", "7;31"}},
		{okWord, [3]string{"38;2;138;138;138", "38;5;245", "90"}, [3]string{"38;2;108;108;108", "38;5;242", "90"}},
	} {
		for i, profile := range []Profile{TrueColor, Color256, Color16} {
			if got, want := NewTheme(Options{Dark: true, Profile: profile}).fresh[tc.style], "\x1b["+tc.dark[i]+"m"; got != want {
				t.Errorf("style %d on dark, profile %d: %q, want %q", tc.style, profile, got, want)
			}
			if got, want := NewTheme(Options{Profile: profile}).fresh[tc.style], "\x1b["+tc.light[i]+"m"; got != want {
				t.Errorf("style %d on light, profile %d: %q, want %q", tc.style, profile, got, want)
			}
		}
	}
}

func TestWithoutColourOnlyStateWordsAreBold(t *testing.T) {
	theme := NewTheme(Options{Profile: Mono})
	for s := plain; s < styles; s++ {
		want := ""
		if s >= watchWord {
			want = "\x1b[1m"
		}
		if theme.fresh[s] != want {
			t.Errorf("style %d is %q, want %q", s, theme.fresh[s], want)
		}
	}
}

// luminance is the relative luminance of WCAG 2.
func luminance(rgb [3]uint8) float64 {
	var l float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := float64(rgb[i]) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		l += weight * c
	}
	return l
}

func contrast(a, b [3]uint8) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func TestEveryColourCanBeReadOnItsBackground(t *testing.T) {
	table := hues()
	for s := text; s <= mark; s++ {
		if c := contrast(table[s].dark, [3]uint8{0x12, 0x12, 0x12}); c < 4.7 {
			t.Errorf("style %d has a contrast of %.1f on dark", s, c)
		}
		if c := contrast(table[s].light, [3]uint8{0xff, 0xff, 0xff}); c < 4.7 {
			t.Errorf("style %d has a contrast of %.1f on white", s, c)
		}
	}
}

func TestEverySequenceOfAScreenIsAColourOrALink(t *testing.T) {
	r := NewRenderer()
	for name, draw := range screens(r) {
		out := draw(worldFrame(160, 45, NewTheme(Options{Dark: true})))
		for _, piece := range strings.Split(out, "\x1b")[1:] {
			sgr := strings.HasPrefix(piece, "[") && strings.Trim(piece[1:strings.IndexByte(piece+"m", 'm')], "0123456789;") == ""
			link := strings.HasPrefix(piece, "]8;;") || strings.HasPrefix(piece, "\\")
			if !sgr && !link {
				t.Errorf("%s sends ESC %.20q", name, piece)
			}
		}
		for i, line := range strings.Split(out, "\n") {
			if last := strings.LastIndex(line, "\x1b["); last >= 0 && !strings.HasPrefix(line[last:], "\x1b[m") {
				t.Errorf("%s: line %d ends in a style of its own", name, i+1)
			}
		}
	}
}

func TestASCIIIsOneCellForOneCell(t *testing.T) {
	r := NewRenderer()
	for name, draw := range screens(r) {
		for _, size := range sizes()[:3] {
			wide := plainLines(draw(worldFrame(size[0], size[1], NewTheme(Options{Profile: Mono}))))
			narrow := plainLines(draw(worldFrame(size[0], size[1], NewTheme(Options{Profile: Mono, ASCII: true}))))
			for i := range narrow {
				for _, c := range narrow[i] {
					if c > 0x7e {
						t.Fatalf("%s %v line %d holds %q", name, size, i+1, c)
					}
				}
				for x, c := range []byte(narrow[i]) {
					if u := []rune(wide[i])[x]; u <= 0x7e && u != ' ' && byte(u) != c {
						t.Fatalf("%s %v line %d column %d was %q and is %q", name, size, i+1, x, u, c)
					}
				}
			}
		}
	}
}

func TestLettersLoseTheirMarksWithoutUTF8(t *testing.T) {
	for from, want := range map[string]string{
		"Šumska Željeznica": "Sumska Zeljeznica", "Dvorana Čardak": "Dvorana Cardak", "Łódź": "Lodz", "Gdańsk": "Gdansk", "Đakovo": "Dakovo",
		"straße": "strase", "Ærø": "Aro", "e\u0301": "e", "東": "??", "→": ">", "a →": "a->", "┏━┓": "#=#", "┃x┃": "#x#", "┌╌┐": "+.+", "┌─┐": "+-+",
		"▲◆◇○●": "!*?o@", "·…": "-.", "⣿⠉": "**", "┄┊": "-:", "×2": "x2",
	} {
		c := newCanvas(NewTheme(Options{Profile: Mono, ASCII: true}), cells(from), 1)
		c.put(0, 0, text, from)
		if got := c.rows()[0]; got != want {
			t.Errorf("%q becomes %q, want %q", from, got, want)
		}
		c.release()
	}
	if len(latin) != 0x180-0xC0 {
		t.Errorf("the table of Latin letters has %d entries", len(latin))
	}
	if got := strings.Count(latin, " "); got != 0 {
		t.Errorf("%d Latin letters are blank", got)
	}
}

func TestCuttingTextCountsCells(t *testing.T) {
	for _, tc := range []struct {
		text string
		w    int
		want string
	}{
		{"short", 10, "short"},
		{"exactly", 7, "exactly"},
		{"a bit too long", 8, "a bit t…"},
		{"blank before cut", 7, "blank…"},
		{"東京ドーム", 10, "東京ドーム"},
		{"東京ドーム", 9, "東京ドー…"},
		{"東京ドーム", 8, "東京ド…"},
		{"東", 1, "…"},
		{"x", 0, ""},
		{"e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"},
		{"e\u0301e\u0301e\u0301", 2, "e\u0301…"},
	} {
		if got := clip(tc.text, tc.w); got != tc.want || cells(got) > tc.w {
			t.Errorf("%q in %d cells is %q, want %q", tc.text, tc.w, got, tc.want)
		}
	}
}

func TestWrappingBreaksAtBlanks(t *testing.T) {
	for _, tc := range []struct {
		text string
		w, n int
		want string
	}{
		{"one two three", 7, 5, "one two|three"},
		{"one two three four", 7, 2, "one two|three…"},
		{"unbreakable", 4, 5, "unbr|eaka|ble"},
		{"", 4, 5, ""},
		{"東京 東京", 4, 5, "東京|東京"},
		{"東", 1, 3, "…"},
		{"a  b", 1, 3, "a|b"},
	} {
		if got := strings.Join(wrap(tc.text, tc.w, tc.n), "|"); got != tc.want {
			t.Errorf("%q in %d lines of %d is %q, want %q", tc.text, tc.n, tc.w, got, tc.want)
		}
	}
}

func FuzzTextOfAnyKindKeepsTheCanvasInShape(f *testing.F) {
	for _, s := range []string{"", "plain", "東京", "e\u0301", "\x1b[31m", "\U0001F468\u200d\U0001F469", "\u202eevil", "\xff\xfe", "☎\ufe0f", "ｶﾞ", "\u0301lone", "क्षि"} {
		f.Add(s, 7)
	}
	f.Fuzz(func(t *testing.T, s string, w int) {
		w = 1 + (w&0x7fffffff)%120
		c := newCanvas(NewTheme(Options{Dark: true}), w, 2)
		defer c.release()
		c.put(0, 0, bad, s)
		c.cut(0, 1, w, badWord, s)
		checkSize(t, strings.Join(c.rows(), "\n"), w, 2)
		if got := clip(s, w); cells(got) > w {
			t.Fatalf("%q clipped to %d has %d cells", s, w, cells(got))
		}
		for _, line := range wrap(s, w, 5) {
			if cells(line) > w {
				t.Fatalf("%q wrapped at %d has a line of %d cells", s, w, cells(line))
			}
		}
	})
}

func TestABlankLooksTheSameWhateverStandsBesideIt(t *testing.T) {
	theme := NewTheme(Options{Dark: true})
	c := newCanvas(theme, 12, 1)
	defer c.release()
	c.put(0, 0, bad, "ab")
	c.put(8, 0, bad, "cd")
	row := c.rows()[0]
	if want := theme.fresh[bad] + "ab\x1b[m      " + theme.fresh[bad] + "cd\x1b[m  "; row != want {
		t.Errorf("%q, want %q", row, want)
	}
	if got := ansi.StringWidth(row); got != 12 {
		t.Errorf("%s cells", strconv.Itoa(got))
	}
}

func TestHalfOfAWideLetterIsNeverLeftBehind(t *testing.T) {
	for x := range 6 {
		c := newCanvas(NewTheme(Options{Profile: Mono}), 8, 1)
		c.put(1, 0, text, "東京")
		c.put(x, 0, text, "x")
		c.put(7, 0, text, "東")
		if row := c.rows()[0]; ansi.StringWidth(row) != 8 {
			t.Errorf("over column %d: %q", x, row)
		}
		c.release()
	}
}
