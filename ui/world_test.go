package ui

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// fakeFeed hands out the snapshots that a test sets.
type fakeFeed struct {
	snap  atomic.Pointer[sale.Snapshot]
	mu    sync.Mutex
	bells []chan struct{}
}

func newFeed(snap *sale.Snapshot) *fakeFeed {
	f := &fakeFeed{}
	f.snap.Store(snap)
	return f
}

func (f *fakeFeed) Snapshot() *sale.Snapshot { return f.snap.Load() }

func (f *fakeFeed) Subscribe() (<-chan struct{}, func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ch := make(chan struct{}, 1)
	f.bells = append(f.bells, ch)
	return ch, func() {}
}

func (f *fakeFeed) set(snap *sale.Snapshot) {
	f.snap.Store(snap)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, ch := range f.bells {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// The invented world of these tests.
var acts = []struct{ id, name, venue, group string }{
	{"harbour", "Velvet Harbour", "Arena Šimunica", "hr-prod"},
	{"comet", "Night Comet", "Tvornica North", "hr-prod"},
	{"lantern", "Paper Lantern Club", "Hala Wisła", "pl-prod"},
	{"falcons", "Brass Falcons", "Dom Kultury", "pl-prod"},
	{"orbit", "Low Orbit", "Arena Šimunica", "hr-prod"},
	{"meadow", "Meadow Radio", "Open Field", "pl-prod"},
}

// world makes a snapshot of the first n sales at now; verdicts names those that aren't OK.
func world(n int, now time.Time, verdicts map[sale.ID]sale.Verdict) *sale.Snapshot {
	snap := &sale.Snapshot{Seq: uint64(now.UnixNano()), At: now}
	for i := range n {
		a := acts[i%len(acts)]
		id := sale.ID(a.id)
		if i >= len(acts) {
			id = sale.ID(fmt.Sprintf("%s-%d", a.id, i))
		}
		st := &sale.State{
			Sale: &sale.Sale{
				ID: id, Digit: i + 1, Name: a.name, Venue: a.venue, Group: a.group,
				Opens:  now.Add(-time.Hour + time.Duration(i)*time.Minute),
				Panels: []sale.Panel{{Title: "admission"}, {Title: "waiting"}, {Title: "declines"}},
			},
			Phase: sale.Live, Verdict: sale.OK, Since: now.Add(-time.Hour), Version: 1,
		}
		if n > 9 {
			st.Sale.Digit = 0
		}
		if v, ok := verdicts[id]; ok {
			st.Verdict, st.Since = v, now.Add(-time.Minute)
			st.Reasons = []sale.Reason{{Signal: sale.PaymentFailureRatio, Verdict: v, Text: "declines 7.0 % > 5.0 %", Since: st.Since, Source: "metrics"}}
		}
		snap.Sales = append(snap.Sales, st)
	}
	for _, name := range []string{"metrics", "aws", "gate"} {
		snap.Sources = append(snap.Sources, sale.SourceState{
			SourceInfo: sale.SourceInfo{Name: name, Kind: "prometheus"}, Condition: sale.SourceLive, Since: now.Add(-time.Hour),
		})
	}
	return snap
}

// textPainter writes what a screen is drawn from, one fact a line, in place of the picture.
type textPainter struct {
	cols, visible int
	hit           views.Hit
	breaks        bool // the wall can't be drawn
	painted       atomic.Int64
}

func (p *textPainter) page(name string, f views.Frame, more ...string) string {
	p.painted.Add(1)
	lines := []string{
		"screen " + name,
		fmt.Sprintf("clock %s", f.Now.Format(time.TimeOnly)),
		fmt.Sprintf("size %dx%d", f.Width, f.Height),
		fmt.Sprintf("order %v focus %s", f.Order, f.Focus),
		fmt.Sprintf("window %s panel %d zoomed %v scroll %d cursor %d", f.Window, f.Panel, f.Zoomed, f.Scroll, f.Cursor),
		"filter " + f.Header.Filter,
		"message " + f.Footer.Message,
		fmt.Sprintf("who %s %s %s arms for %s armed %s loud %s", f.Header.Title, f.Header.Operator, f.Header.Role, f.Header.ArmsFor, f.Header.Armed, f.Header.Loud),
	}
	if o := f.Outcome; o != nil {
		lines = append(lines, fmt.Sprintf("outcome %s %s | %s | undo %s", o.Stage, o.Text, o.More, o.Undo), "strip loud "+o.Loud)
	}
	for _, k := range f.Footer.Keys {
		lines = append(lines, "key "+k.Keys+" "+k.Label+offWord(k.Off))
	}
	return strings.Join(append(lines, more...), "\n")
}

func offWord(off string) string {
	if off != "" {
		return " off: " + off
	}
	return ""
}

func (p *textPainter) Overview(f views.Frame) string { return p.page("overview", f) }
func (p *textPainter) Sale(f views.Frame) string     { return p.page("sale", f) }
func (p *textPainter) Sources(f views.Frame) string  { return p.page("sources", f) }
func (p *textPainter) Logs(f views.Frame, lines []views.LogLine) string {
	var more []string
	for _, l := range lines {
		more = append(more, "log "+l.Text)
	}
	return p.page("logs", f, more...)
}

func (p *textPainter) Help(f views.Frame, keys []views.KeyHint) string {
	var more []string
	for _, k := range keys {
		more = append(more, "help "+k.Keys+" = "+k.Help+offWord(k.Off))
	}
	return p.page("help", f, more...)
}
func (p *textPainter) TooSmall(f views.Frame) string { return p.page("too small", f) }
func (p *textPainter) Palette(_ views.Frame, input string, entries []views.PaletteEntry, cursor int) string {
	lines := []string{"palette :" + input}
	for i, e := range entries {
		mark := "  "
		if i == cursor {
			mark = "> "
		}
		lines = append(lines, mark+e.Title+offWord(e.Off))
	}
	return strings.Join(lines, "\n")
}

func (p *textPainter) Journal(f views.Frame, j views.Journal) string {
	more := []string{"journal problem " + j.Problem}
	for _, r := range j.Rows {
		more = append(more, "record "+r.Text)
	}
	return p.page("journal", f, more...)
}

func (p *textPainter) Alarms(f views.Frame) string { return p.page("alarms", f) }
func (p *textPainter) Wall(f views.Frame) string {
	if p.breaks {
		panic("no such row")
	}
	return p.page("wall", f)
}

func (p *textPainter) WallBroken(f views.Frame, why string) string {
	return p.page("wall broken "+why, f)
}

func (p *textPainter) AlarmsRows(f views.Frame) (int, int) {
	return p.visible, len(views.AlarmItems(f.Snapshot, f.Now))
}

func (p *textPainter) JournalRows(_ views.Frame, j views.Journal) (int, int) {
	return p.visible, len(j.Rows)
}

func (p *textPainter) Confirm(f views.Frame, v views.Panel, now time.Time) string {
	state := "reading"
	switch {
	case v.Preview == nil:
	case v.Preview.Refused():
		state = "refused " + v.Preview.Refusals[0].Text
	case v.Confirm.Editing():
		state = "editing"
	case v.Confirm.Armed(now):
		state = "armed " + string(v.Confirm.Challenge) + v.Confirm.Name
	}
	return fmt.Sprintf("CONFIRM %s %s of %s: %s\nreason %q change %q required %q aim %q second %q", v.Key, v.Label, f.Focus, state, v.Reason, v.Change, v.Required, v.Aim, v.Second)
}

func (p *textPainter) Ask(f views.Frame, q views.Question) string {
	return fmt.Sprintf("question %s %s of %s: %s: %q %v wrong %q", q.Key, q.Label, f.Focus, q.Ask, q.Input, q.Lines, q.Wrong)
}

func (p *textPainter) Over(base, box string, _ views.Frame) string       { return base + "\n" + box }
func (p *textPainter) Hit(views.Frame, views.Screen, int, int) views.Hit { return p.hit }
func (p *textPainter) OverviewRows(f views.Frame) (int, int)             { return p.visible, len(f.Order) }
func (p *textPainter) SaleRows(views.Frame) (int, int)                   { return p.visible, 30 }
func (p *textPainter) SourcesRows(f views.Frame) (int, int) {
	return p.visible, len(f.Snapshot.Sources)
}

func (p *textPainter) LogsRows(_ views.Frame, l []views.LogLine) (int, int) { return p.visible, len(l) }

func (p *textPainter) HelpRows(_ views.Frame, k []views.KeyHint) (int, int) { return p.visible, len(k) }
func (p *textPainter) OverviewColumns(views.Frame) int                      { return p.cols }

// hand drives a model as an operator would, without a terminal.
type hand struct {
	t     *testing.T
	m     *model
	feed  *fakeFeed
	paint *textPainter
	said  []tea.Msg // what the commands answered
}

func newHand(t *testing.T, n int, change ...func(*Options)) *hand {
	t.Helper()
	feed := newFeed(world(n, time.Now(), nil))
	opts := Options{Feed: feed, Env: []string{"TERM=xterm-256color", "LANG=en_GB.UTF-8"}, Theme: ThemeDark, MaxFPS: 30}
	for _, c := range change {
		c(&opts)
	}
	o, keys, err := opts.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	h := &hand{t: t, feed: feed, paint: &textPainter{cols: 3, visible: 6}, m: newModel(o, keys, o.Guard)}
	h.m.paint = h.paint
	h.send(tea.WindowSizeMsg{Width: 120, Height: 36})
	return h
}

// send delivers a message and then every message that its commands answer with, waits left out.
func (h *hand) send(msg tea.Msg) {
	h.t.Helper()
	_, cmd := h.m.Update(msg)
	h.m.View()
	h.perform(cmd)
}

func (h *hand) perform(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range msg {
			h.perform(c)
		}
	case frameMsg, offersMsg, previewMsg, pressedMsg, askedMsg, stepMsg, ranMsg, journalMsg, shelvedMsg:
		h.send(msg)
	default:
		h.said = append(h.said, msg)
	}
}

// keys types keys by their names.
func (h *hand) keys(names ...string) {
	h.t.Helper()
	for _, name := range names {
		h.send(keyPress(name))
	}
}

func keyPress(name string) tea.KeyPressMsg {
	special := map[string]tea.Key{
		"enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "tab": {Code: tea.KeyTab},
		"shift+tab": {Code: tea.KeyTab, Mod: tea.ModShift}, "up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown},
		"left": {Code: tea.KeyLeft}, "right": {Code: tea.KeyRight}, "pgup": {Code: tea.KeyPgUp}, "pgdown": {Code: tea.KeyPgDown},
		"home": {Code: tea.KeyHome}, "end": {Code: tea.KeyEnd}, "backspace": {Code: tea.KeyBackspace},
		"space": {Code: tea.KeySpace, Text: " "},
	}
	if k, ok := special[name]; ok {
		return tea.KeyPressMsg(k)
	}
	if letter, ok := strings.CutPrefix(name, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: rune(letter[0]), Mod: tea.ModCtrl}
	}
	r := []rune(name)
	return tea.KeyPressMsg{Code: r[0], Text: name}
}

// sees checks that the screen holds every one of these texts.
func (h *hand) sees(texts ...string) {
	h.t.Helper()
	content := h.now()
	for _, text := range texts {
		if !strings.Contains(content, text) {
			h.t.Errorf("the screen lacks %q:\n%s", text, content)
		}
	}
}

func (h *hand) seesNot(texts ...string) {
	h.t.Helper()
	content := h.now()
	for _, text := range texts {
		if strings.Contains(content, text) {
			h.t.Errorf("the screen must not hold %q:\n%s", text, content)
		}
	}
}

// now is the screen as it is drawn; a wanted frame is not waited for.
func (h *hand) now() string {
	h.m.draw = true
	return h.m.View().Content
}

// asked reports whether a command answered with this message.
func (h *hand) asked(want any) bool {
	for _, msg := range h.said {
		if fmt.Sprintf("%T%v", msg, msg) == fmt.Sprintf("%T%v", want, want) {
			return true
		}
	}
	return false
}
