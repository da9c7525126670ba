package ui

import (
	"errors"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/colorprofile"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// ThemeChoice says for which background the colours are chosen.
type ThemeChoice string

// The choices. ThemeAuto asks the terminal once and takes dark until it answers.
const (
	ThemeAuto  ThemeChoice = "auto"
	ThemeDark  ThemeChoice = "dark"
	ThemeLight ThemeChoice = "light"
)

// GlyphChoice says which characters are drawn.
type GlyphChoice string

// The choices. GlyphAuto draws ASCII alone where the locale is not UTF-8.
const (
	GlyphAuto  GlyphChoice = "auto"
	GlyphASCII GlyphChoice = "ascii"
	GlyphUTF8  GlyphChoice = "utf8"
)

// Options are what a session is made of. Only Feed is required.
type Options struct {
	Feed   Feed
	Header views.Header // Version, Environment, Accounts, Operator, Role; clean text
	Links  views.LinkPolicy

	// Keys rebinds keys: intent names to keys. See ValidateKeys and Bindings.
	Keys map[string][]string

	Theme  ThemeChoice    // default ThemeAuto
	Glyphs GlyphChoice    // default GlyphAuto
	Window time.Duration  // how far charts look back at first; default 15 min
	Zone   *time.Location // of every time on the screen; default the machine's own
	MaxFPS int            // frames per second at most, 1 to 30; default 5, or 2 over SSH
	Mouse  bool           // off lets the terminal select text as usual

	NoTitle     bool // leave the window's title alone
	NoClipboard bool // the copy key is off
	Remote      bool // the terminal belongs to another machine's session: no suspend

	// Wall makes a session of the war room's wall alone: it has no hands, whatever Hands says, and
	// shows no other screen. Rotate is how long each page of sales stays there; 0: none is turned.
	Wall   bool
	Rotate time.Duration

	// ReadNow asks a source to be read at once, by its name; nil where nobody can. It is
	// called from a goroutine of its own.
	ReadNow func(source string)
	// Hands is how this session acts; nil for a session that only reads.
	Hands Hands
	// Codes is where logins ask for the codes of MFA devices; nil: they ask nobody here.
	Codes Codes
	// Wheel is who holds control where several people sit at one cockpit; nil where nobody else can.
	Wheel Wheel
	// Shelves is where alarms are put aside; nil where they can't be.
	Shelves Shelves
	// NoBell keeps the terminal's bell from ringing on a sale's first BAD alarm. Notify sends it
	// to the desktop too, as OSC 9, which not every terminal knows.
	NoBell, Notify bool
	// Loud says what must not be missed on any screen, such as a config that was changed and is not
	// used, or "". It must answer at once; nil: nothing ever is.
	Loud func() string
	// Logs is what the logs screen shows; nil for none.
	Logs *LogRing
	// Guard watches over the program's own goroutines; nil for one of the session's own.
	Guard *Guard

	// Accessible appends a line for each change of a verdict instead of drawing a screen.
	// ACCESSIBLE=1 in Env does the same.
	Accessible bool
	// Line writes a sale for the accessible session; default VerdictLine.
	Line func(st *sale.State, at time.Time) string

	In  *os.File // default os.Stdin
	Out *os.File // default os.Stdout
	Env []string // default os.Environ()
}

// withDefaults checks the options and fills in what was left open.
func (o Options) withDefaults() (Options, *keymap, error) {
	if o.Feed == nil {
		return o, nil, errors.New("ui: no feed: a session needs a store to show")
	}
	keys, errs := newKeymap(o.Keys)
	if len(errs) > 0 {
		return o, nil, errors.Join(errs...)
	}
	if o.In == nil {
		o.In = os.Stdin
	}
	if o.Out == nil {
		o.Out = os.Stdout
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	if o.Theme == "" {
		o.Theme = ThemeAuto
	}
	if o.Glyphs == "" {
		o.Glyphs = GlyphAuto
	}
	if o.Zone == nil {
		o.Zone = time.Local
	}
	if o.Line == nil {
		o.Line = VerdictLine
	}
	if o.Guard == nil {
		o.Guard = NewGuard()
	}
	if o.Wall {
		o.Hands, o.Shelves, o.Codes, o.ReadNow, o.Mouse, o.MaxFPS = nil, nil, nil, nil, false, 1
	}
	switch {
	case o.MaxFPS <= 0 && overSSH(o.Env):
		o.MaxFPS = 2
	case o.MaxFPS <= 0:
		o.MaxFPS = 5
	default:
		o.MaxFPS = min(o.MaxFPS, 30)
	}
	if v, ok := lookupEnv(o.Env, "ACCESSIBLE"); ok && v != "" && v != "0" {
		o.Accessible = true
	}
	return o, keys, nil
}

func lookupEnv(env []string, name string) (string, bool) {
	for i := len(env) - 1; i >= 0; i-- { // the last one counts
		if v, ok := strings.CutPrefix(env[i], name+"="); ok {
			return v, true
		}
	}
	return "", false
}

func getenv(env []string, name string) string {
	v, _ := lookupEnv(env, name)
	return v
}

func overSSH(env []string) bool {
	return getenv(env, "SSH_TTY") != "" || getenv(env, "SSH_CONNECTION") != ""
}

// colourEnv is the environment with the colour conventions as their authors wrote them:
// NO_COLOR counts when it is not empty, CLICOLOR_FORCE when it is neither empty nor 0.
func colourEnv(env []string) []string {
	out := make([]string, 0, len(env)+2)
	for _, kv := range env {
		if !strings.HasPrefix(kv, "NO_COLOR=") && !strings.HasPrefix(kv, "CLICOLOR_FORCE=") {
			out = append(out, kv)
		}
	}
	if getenv(env, "NO_COLOR") != "" {
		return append(out, "NO_COLOR=1")
	}
	if v := getenv(env, "CLICOLOR_FORCE"); v != "" && v != "0" {
		out = append(out, "CLICOLOR_FORCE=1")
	}
	return out
}

// detectProfile finds how many colours the terminal shows. Inside tmux that may take asking
// tmux, which is given half a second.
func detectProfile(out *os.File, env []string) colorprofile.Profile {
	found := make(chan colorprofile.Profile, 1)
	go func() { found <- colorprofile.Detect(out, env) }()
	select {
	case p := <-found:
		return p
	case <-time.After(500 * time.Millisecond):
		return colorprofile.Env(env)
	}
}

// asciiOnly reports whether the locale asks for ASCII, by the order of POSIX.
func asciiOnly(choice GlyphChoice, env []string) bool {
	switch choice {
	case GlyphASCII:
		return true
	case GlyphUTF8:
		return false
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := getenv(env, name); v != "" {
			v = strings.ToLower(v)
			return !strings.Contains(v, "utf-8") && !strings.Contains(v, "utf8")
		}
	}
	return !localeIsAlwaysUTF8
}

// themes is the theme in use and what it follows from.
type themes struct {
	current *views.Theme
	choice  ThemeChoice
	dark    bool
	ascii   bool
	colours views.Profile
}

func newThemes(o Options) themes {
	t := themes{choice: o.Theme, dark: o.Theme != ThemeLight, ascii: asciiOnly(o.Glyphs, o.Env)}
	if t.choice == ThemeAuto { // a hint that some terminals leave, until the terminal answers
		if bg := getenv(o.Env, "COLORFGBG"); bg != "" {
			last := bg[strings.LastIndexByte(bg, ';')+1:]
			t.dark = last != "7" && last != "15"
		}
	}
	t.colours = profileOf(colorprofile.Env(colourEnv(o.Env))) // Bubble Tea reports the final one
	t.make()
	return t
}

func (t *themes) make() {
	t.current = views.NewTheme(views.Options{Dark: t.dark, Profile: t.colours, ASCII: t.ascii})
}

// background takes in the terminal's answer; it reports whether anything has to be redrawn.
func (t *themes) background(dark bool) need {
	if t.choice != ThemeAuto || dark == t.dark {
		return notNeeded
	}
	t.dark = dark
	t.make()
	return nowNeed
}

// profile takes in how many colours there are.
func (t *themes) profile(p colorprofile.Profile) need {
	if profileOf(p) == t.colours {
		return notNeeded
	}
	t.colours = profileOf(p)
	t.make()
	return nowNeed
}

func profileOf(p colorprofile.Profile) views.Profile {
	switch p {
	case colorprofile.TrueColor:
		return views.TrueColor
	case colorprofile.ANSI256:
		return views.Color256
	case colorprofile.ANSI:
		return views.Color16
	}
	return views.Mono
}
