package views

import "strconv"

// Profile is how many colours the terminal shows.
type Profile uint8

// The profiles, from most to least. Mono draws no colour at all: state words are bold.
const (
	TrueColor Profile = iota
	Color256
	Color16
	Mono
)

// Options choose a theme.
type Options struct {
	Dark    bool // the terminal's background is dark
	Profile Profile
	ASCII   bool // only ASCII is drawn, one cell for one cell
}

// Theme is the set of semantic colours and glyphs that every screen draws with. It is
// immutable and may be shared by any number of sessions.
type Theme struct {
	options Options
	fresh   [styles]string // the SGR sequence after a plain cell or one that has colour only
	after   [styles]string // the same after a cell with an attribute, which it first clears
	attr    [styles]bool   // the style sets an attribute: bold or reverse
	solid   [styles]bool   // a blank in this style is not blank: it is reversed
	same    [styles]style  // styles that look alike are one, so that fewer sequences are sent
}

// style is a semantic colour: what a cell means, never how it looks.
type style uint8

const (
	plain       style = iota // blanks
	text                     // numbers, names
	dim                      // labels, OK, stale values, frames, keys that are off
	watch                    // WATCH, LATE
	bad                      // BAD, ERROR
	unknown                  // UNKNOWN, STALE, NO DATA
	edge                     // a sale's OK word for a minute after it recovered
	accent                   // the focus, keys that work
	mark                     // phase changes in charts
	watchWord                // state words are drawn reversed
	badWord                  //
	unknownWord              //
	okWord                   //
	keyWord                  // the letter that fires, and ARMED
	styles      = iota
)

// hue is one row of the colour table: truecolor, 256 and 16 colours, on dark and on light.
type hue struct {
	dark, light       [3]uint8
	dark256, light256 int
	dark16, light16   int
	bold              bool // with 16 colours only where bold16 says so
	boldDark16        bool
	boldLight16       bool
}

// hues follow Okabe and Ito: every pair stays apart for people who see no red, green or blue.
func hues() [styles]hue {
	return [styles]hue{
		text:    {dark: [3]uint8{0xD0, 0xD0, 0xD0}, dark256: 252, dark16: 7, light: [3]uint8{0x26, 0x26, 0x26}, light256: 235, light16: 0},
		dim:     {dark: [3]uint8{0x8A, 0x8A, 0x8A}, dark256: 245, dark16: 8, light: [3]uint8{0x6C, 0x6C, 0x6C}, light256: 242, light16: 8},
		watch:   {dark: [3]uint8{0xF0, 0xE4, 0x42}, dark256: 227, dark16: 11, light: [3]uint8{0x94, 0x6C, 0x00}, light256: 94, light16: 3},
		bad:     {dark: [3]uint8{0xD5, 0x5E, 0x00}, dark256: 166, dark16: 9, light: [3]uint8{0x8C, 0x2A, 0x00}, light256: 88, light16: 1},
		unknown: {dark: [3]uint8{0x56, 0xB4, 0xE9}, dark256: 74, dark16: 14, light: [3]uint8{0x00, 0x72, 0xB2}, light256: 25, light16: 4},
		edge:    {dark: [3]uint8{0x00, 0x9E, 0x73}, dark256: 36, dark16: 10, light: [3]uint8{0x00, 0x70, 0x4F}, light256: 29, light16: 2},
		accent:  {dark: [3]uint8{0xFF, 0xFF, 0xFF}, dark256: 231, dark16: 15, light: [3]uint8{0, 0, 0}, light256: 16, light16: 0, bold: true, boldLight16: true},
		mark:    {dark: [3]uint8{0xCC, 0x79, 0xA7}, dark256: 175, dark16: 13, light: [3]uint8{0x9A, 0x4A, 0x78}, light256: 96, light16: 5},
	}
}

// NewTheme makes a theme.
func NewTheme(o Options) *Theme {
	t := &Theme{options: o}
	table := hues()
	colour := map[style]style{watchWord: watch, badWord: bad, unknownWord: unknown, okWord: dim, keyWord: accent}
	for s := text; s < styles; s++ {
		base, word := colour[s]
		if !word {
			base = s
		}
		codes, attr := table[base].codes(o)
		if word && s != okWord {
			attr = true
			if o.Profile == Mono {
				codes = "1"
			} else {
				codes = "7;" + codes
				t.solid[s] = true
			}
		}
		if word && s == okWord && o.Profile == Mono {
			codes, attr = "1", true
		}
		t.attr[s] = attr
		if codes != "" {
			t.fresh[s] = "\x1b[" + codes + "m"
			t.after[s] = "\x1b[0;" + codes + "m"
		}
	}
	for s := plain; s < styles; s++ {
		for first := plain; first <= s; first++ {
			if t.fresh[first] == t.fresh[s] {
				t.same[s] = first
				break
			}
		}
	}
	return t
}

// codes returns the SGR parameters of a colour, and whether an attribute is among them.
func (h hue) codes(o Options) (codes string, attr bool) {
	rgb, c256, c16, bold16 := h.light, h.light256, h.light16, h.boldLight16
	if o.Dark {
		rgb, c256, c16, bold16 = h.dark, h.dark256, h.dark16, h.boldDark16
	}
	bold := ""
	if h.bold {
		bold = "1;"
	}
	switch o.Profile {
	case TrueColor:
		return bold + "38;2;" + strconv.Itoa(int(rgb[0])) + ";" + strconv.Itoa(int(rgb[1])) + ";" + strconv.Itoa(int(rgb[2])), h.bold
	case Color256:
		return bold + "38;5;" + strconv.Itoa(c256), h.bold
	case Color16:
		code := strconv.Itoa(30 + c16)
		if c16 >= 8 {
			code = strconv.Itoa(90 + c16 - 8)
		}
		if bold16 {
			code = "1;" + code
		}
		return code, bold16
	default:
		return "", false
	}
}

// ASCII reports whether only ASCII is drawn.
func (t *Theme) ASCII() bool { return t != nil && t.options.ASCII }

// Options returns what the theme was made of.
func (t *Theme) Options() Options { return t.options }

// frameGlyphs are the six pieces of a box.
type frameGlyphs struct{ topLeft, topRight, bottomLeft, bottomRight, across, down string }

func lightFrame() frameGlyphs { return frameGlyphs{"┌", "┐", "└", "┘", "─", "│"} }
func heavyFrame() frameGlyphs { return frameGlyphs{"┏", "┓", "┗", "┛", "━", "┃"} }

func (t *Theme) dashedFrame() frameGlyphs {
	if t.options.ASCII {
		return frameGlyphs{":", ":", ":", ":", ".", ":"} // a light corner would read as a light frame
	}
	return frameGlyphs{"┌", "┐", "└", "┘", "╌", "╎"}
}

// gap is what a trend shows for a column without a reading.
func (t *Theme) gap() string {
	if t.options.ASCII {
		return " " // "·" would become "-", which is a height there
	}
	return "·"
}
