package ui

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/onsale-dev/onsale/views"
)

// farTerminal is a terminal behind a slow link: so many bytes a second come through, and a
// buffer of so many stands before it. It keeps when it drew each character that marks a frame.
type farTerminal struct {
	line    chan byte // its capacity is the buffer between
	rate    int       // bytes a second
	answer  func(say func(string))
	keys    *io.PipeWriter
	partial string
	mu      sync.Mutex
	drawn   map[rune]time.Time // when each mark was drawn first
	hangUp  chan struct{}
}

func newFarTerminal(buffer, rate int, answer func(say func(string))) (*farTerminal, *io.PipeReader) {
	in, keys := io.Pipe()
	return &farTerminal{line: make(chan byte, buffer), rate: rate, answer: answer, keys: keys, drawn: map[rune]time.Time{}, hangUp: make(chan struct{})}, in
}

func (f *farTerminal) Write(p []byte) (int, error) {
	for _, b := range p {
		select {
		case f.line <- b:
		case <-f.hangUp:
			return 0, io.ErrClosedPipe
		}
	}
	return len(p), nil
}

// run draws what comes through, a hundredth of a second at a time.
func (f *farTerminal) run() {
	beat := time.NewTicker(10 * time.Millisecond)
	defer beat.Stop()
	for {
		select {
		case <-f.hangUp:
			return
		case <-beat.C:
		}
		for range f.rate / 100 {
			select {
			case b := <-f.line:
				f.draw(b)
				continue
			default:
			}
			break
		}
	}
}

func (f *farTerminal) draw(b byte) {
	f.mu.Lock()
	f.partial += string([]byte{b})
	if r, n := utf8.DecodeRuneInString(f.partial[max(0, len(f.partial)-2):]); n == 2 {
		if _, known := f.drawn[r]; !known {
			f.drawn[r] = time.Now()
		}
	}
	f.mu.Unlock()
	if strings.HasSuffix(f.partial, linkQuestion) && f.answer != nil {
		f.answer(f.types)
	}
	f.partial = f.partial[max(0, len(f.partial)-8):]
}

// newest is the newest second that was drawn, since the start.
func (f *farTerminal) newest() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	newest := 0
	for r := range f.drawn {
		if s := int(r - clockMark(0)); s >= 0 && s < 0x200 {
			newest = max(newest, s)
		}
	}
	return time.Duration(newest) * time.Second
}

func (f *farTerminal) types(s string) {
	if _, err := io.WriteString(f.keys, s); err != nil {
		panic(err)
	}
}

// keyMark and clockMark are characters that stand for the keys that were pressed and the
// seconds that went by when a frame was drawn: each is sent when it first appears.
func keyMark(n int) rune   { return rune(0x100 + n) }
func clockMark(n int) rune { return rune(0x400 + n) }

// noisePainter draws frames of which so many cells change each time.
type noisePainter struct {
	textPainter
	cells int
	began time.Time
	noise *rand.Rand
}

func (p *noisePainter) Overview(f views.Frame) string {
	var b strings.Builder
	for i := range p.cells {
		if i > 0 && i%(f.Width-2) == 0 {
			b.WriteByte('\n')
		}
		b.WriteByte(byte('a' + p.noise.IntN(26)))
	}
	fmt.Fprintf(&b, "\n%c %c", keyMark(slices.Index(f.Order, f.Focus)), clockMark(int(f.Now.Sub(p.began).Seconds()))) // last: the frame is whole
	return b.String()
}

// slowFigures is what a session on a slow link was like.
type slowFigures struct {
	keys      []time.Duration // from a key to its frame, sorted
	lost      int             // keys without one
	lag       time.Duration   // the oldest second that was newest on the screen
	quit      time.Duration
	shownLag  time.Duration
	answering answering
}

// playSlow presses a key each 700 ms, so many times, and then quits, in virtual time.
func playSlow(t *testing.T, buffer, rate, cells, presses int, answer func(say func(string))) slowFigures {
	far, in := newFarTerminal(buffer, rate, answer)
	const n = 60
	w, h := 80, 24
	if cells > w*(h-2) {
		w, h = 200, 50
	}
	feed := newFeed(world(n, time.Now(), nil))
	o, keys, err := Options{Feed: feed, Env: []string{"TERM=xterm-256color", "SSH_TTY=/dev/pts/0", "LANG=en_GB.UTF-8"}, Theme: ThemeDark, MaxFPS: 5}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	m := newModel(o, keys, o.Guard)
	began := time.Now()
	m.paint = &noisePainter{textPainter: textPainter{cols: 1, visible: n}, cells: cells, began: began, noise: rand.New(rand.NewPCG(7, 7))}
	m.width, m.height = w, h
	g := newGate(far, o.Guard)
	m.lag = g.lag
	m.far = g.farEnd(o.Env)
	ctx, stop := context.WithCancel(context.Background())
	program := tea.NewProgram(m, tea.WithInput(newEars(in, g, o.Guard)), tea.WithOutput(g), tea.WithWindowSize(w, h),
		tea.WithoutSignalHandler(), tea.WithEnvironment(o.Env), tea.WithFilter((&sieve{holds: g.holds}).filter), tea.WithFPS(rendererFPS), tea.WithColorProfile(colorprofile.ANSI256))
	ended := make(chan struct{})
	go func() { defer close(ended); _, _ = program.Run() }()
	s := &session{opts: o, gate: g, program: program}
	o.Guard.Go("link", func() { s.followLink(ctx) })
	p := pump{feed: feed, gap: time.Second / 5, send: program.Send}
	go p.run(ctx)
	go far.run()

	time.Sleep(5 * time.Second)
	var pressed []time.Time
	for i := range presses {
		time.Sleep(700*time.Millisecond + time.Duration(i%10)*11*time.Millisecond)
		pressed = append(pressed, time.Now())
		for _, b := range "\x1b[C" { // the right arrow, byte by byte
			far.types(string(b))
		}
	}
	figures := slowFigures{lag: time.Since(began) - far.newest(), shownLag: g.lag(), answering: g.link.answering()}
	time.Sleep(25 * time.Second) // what is under way comes through
	far.mu.Lock()
	for i, at := range pressed {
		shown, ok := far.drawn[keyMark(i+1)]
		for later := i + 2; !ok && later <= len(pressed); later++ { // a later key's frame shows this one's too
			shown, ok = far.drawn[keyMark(later)]
		}
		if !ok {
			figures.lost++
			continue
		}
		figures.keys = append(figures.keys, shown.Sub(at))
	}
	far.mu.Unlock()
	slices.Sort(figures.keys)
	quitAt := time.Now()
	far.types("q")
	<-ended
	figures.quit = time.Since(quitAt)
	stop()
	g.shut()
	g.abandon("")
	close(far.hangUp)
	_ = in.Close()
	time.Sleep(3 * time.Second)
	o.Guard.Wait()
	if m.focus != m.ids[len(pressed)] {
		t.Errorf("the focus is on %s after %d keys", m.focus, len(pressed))
	}
	return figures
}

func (f slowFigures) String() string {
	return fmt.Sprintf("key to frame p50 %s, most %s, lost %d; lag %s, said %s; quit %s; answers %d",
		f.keys[len(f.keys)/2].Round(time.Millisecond), f.keys[len(f.keys)-1].Round(time.Millisecond), f.lost, f.lag.Round(time.Millisecond), f.shownLag.Round(time.Millisecond), f.quit, f.answering)
}

// TestOnASlowLinkNothingIsLostAndNothingIsOld runs forty seconds over 8 kB/s with 64 KiB between, in
// virtual time: the figures are the same on any machine, so they have bounds.
func TestOnASlowLinkNothingIsLostAndNothingIsOld(t *testing.T) {
	plain := func(say func(string)) { say(linkAnswer) }
	for _, c := range []struct {
		sentence    string
		cells, keys int
		answer      func(say func(string))
		p50, lag    time.Duration
		old         time.Duration // the screen lags that much at least: so slow is this link
		ends        answering
	}{
		{"frames of 1.5 kB", 1500, 30, plain, 300 * time.Millisecond, 1500 * time.Millisecond, 0, answers},
		{"frames of 10 kB, more than a second's worth", 9000, 20, plain, 2500 * time.Millisecond, 3 * time.Second, 0, answers},
		{"the same for a terminal that never answers", 9000, 45, nil, time.Minute, time.Minute, 6 * time.Second, silent},
		{"a terminal that answers twice", 1500, 10, func(say func(string)) { say(linkAnswer + linkAnswer) }, 300 * time.Millisecond, 1500 * time.Millisecond, 0, answers},
		{"garbage around an answer, byte by byte", 1500, 10, func(say func(string)) {
			for _, b := range "\x1b[?1;2R\x1b[3n\x1b]7;x\x1b\\" + linkAnswer + "\x1b[0;9n" {
				say(string(b))
			}
		}, 300 * time.Millisecond, 1500 * time.Millisecond, 0, answers},
		{"garbage alone", 1500, 10, func(say func(string)) { say("\x1b[3n") }, time.Minute, time.Minute, 0, silent},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := playSlow(t, 64<<10, 8000, c.cells, c.keys, c.answer)
				t.Log(f)
				if f.lost > 0 {
					t.Errorf("%d keys were lost", f.lost)
				}
				if p50 := f.keys[len(f.keys)/2]; p50 > c.p50 {
					t.Errorf("a key is answered after %s, more than %s", p50, c.p50)
				}
				if f.lag > c.lag {
					t.Errorf("the screen lags %s, more than %s", f.lag, c.lag)
				}
				if f.lag < c.old {
					t.Errorf("the screen lags %s: the link is not slow", f.lag)
				}
				if f.quit > 500*time.Millisecond {
					t.Errorf("quitting took %s", f.quit)
				}
				if f.answering != c.ends {
					t.Errorf("the link is %d", f.answering)
				}
			})
		})
	}
}
