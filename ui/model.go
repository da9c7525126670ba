package ui

import (
	"cmp"
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// The largest screen that is drawn, in cells. A terminal's size is claimed by whoever is at
// the other end, and memory and time grow with it.
const (
	maxWidth  = 500
	maxHeight = 200
)

// painter is what the model needs of views: *views.Renderer in the program.
type painter interface {
	Overview(f views.Frame) string
	Sale(f views.Frame) string
	Sources(f views.Frame) string
	Logs(f views.Frame, lines []views.LogLine) string
	Help(f views.Frame, keys []views.KeyHint) string
	TooSmall(f views.Frame) string
	Palette(f views.Frame, input string, entries []views.PaletteEntry, cursor int) string
	Journal(f views.Frame, j views.Journal) string
	Alarms(f views.Frame) string
	Wall(f views.Frame) string
	WallBroken(f views.Frame, why string) string
	Confirm(f views.Frame, p views.Panel, now time.Time) string
	Ask(f views.Frame, q views.Question) string
	Over(base, box string, f views.Frame) string
	Hit(f views.Frame, screen views.Screen, x, y int) views.Hit
	OverviewRows(f views.Frame) (visible, total int)
	SaleRows(f views.Frame) (visible, total int)
	SourcesRows(f views.Frame) (visible, total int)
	LogsRows(f views.Frame, lines []views.LogLine) (visible, total int)
	JournalRows(f views.Frame, j views.Journal) (visible, total int)
	AlarmsRows(f views.Frame) (visible, total int)
	HelpRows(f views.Frame, keys []views.KeyHint) (visible, total int)
	OverviewColumns(f views.Frame) int
}

// list is a chosen row and the first row in sight.
type list struct{ cursor, scroll int }

// need says why a frame is wanted.
type need int

const (
	notNeeded need = iota
	clockNeed      // time went on, or something changed that can wait for the next second
	nowNeed        // a key, a resize, a verdict: as soon as the pace allows
	keyNeed        // the same, paced with the other answers to keys
)

// model is the whole session. It is the only tea.Model; everything in it is plain data with
// methods, touched by Bubble Tea's loop alone.
type model struct {
	opts  Options
	guard *Guard
	keys  *keymap
	paint painter

	now    time.Time // when the message in hand arrived
	width  int
	height int
	theme  themes

	snap  *sale.Snapshot
	ids   []sale.ID // what is shown, filtered, in display order
	order orderer

	screen  views.Screen
	trail   []views.Screen // the screens that esc goes back through
	helping bool
	focus   sale.ID
	lists   map[views.Screen]list
	window  int // index into windows
	panel   int
	zoomed  bool
	filter  filterBar
	palette palette
	logs    []views.LogLine

	status         Status
	control        WheelState
	offers         offered
	acting         *panel    // being confirmed; nil: nothing is
	asking         *question // before that
	code           *codeBox  // the MFA code that a login asks for
	codeWanted     bool      // one is asked for, also where its box has to wait
	gen            int       // of the newest panel
	runs           map[sale.ID]*running
	outcome        *views.Outcome // of the last action, until another replaces it
	outcomeOf      string
	watch          *actions.Watch // for the effect of that action
	newsSeen       map[string]newsState
	requests       []actions.Asked             // for a second person, everybody's
	asksSeen       map[string]actions.AskStage // how far they had come when they were shown
	glassOf        string                      // who broke the glass last, and when
	glassAt        time.Time
	journal        views.Journal
	readingJournal bool
	bell           bell

	reads     func() uint64 // how often the terminal was read; 0: not known
	lastReads uint64
	lastPress time.Time
	together  int       // keys that came with this one, itself counted
	silent    time.Time // until then keys belong to what was just disarmed or sent
	ctx       context.Context

	message   string
	messageAt time.Time
	severity  sale.Verdict
	lastKey   time.Time
	ctrlC     time.Time
	warned    bool                 // that quitting would leave an action behind
	lag       func() time.Duration // how long the terminal takes to draw a frame
	far       farEnd
	shownLag  time.Duration
	left      bool // the terminal is given back: nothing is drawn

	wallFailed time.Time // when the log last heard that the wall's picture failed

	pace    pacer
	want    need
	waiting bool // a frameMsg is under way
	draw    bool // View shall draw anew
	drawn   tea.View
	broken  bool // a panic went through here: nothing is drawn any more

	cmds []tea.Cmd // what the handlers of this message asked for
}

// frameMsg ends the wait of a frame that came too soon after others.
type frameMsg struct{}

func newModel(opts Options, keys *keymap, guard *Guard) *model {
	m := &model{
		opts:   opts,
		guard:  guard,
		keys:   keys,
		paint:  views.NewRenderer(),
		now:    time.Now().In(cmp.Or(opts.Zone, time.Local)),
		width:  80,
		height: 24,
		screen: firstScreen(opts),
		lists:  map[views.Screen]list{},
		window: nearestWindow(opts.Window),
		pace:   pacer{max: opts.MaxFPS},
		lag:    func() time.Duration { return 0 },
		far:    nowhere(),
		draw:   true,
		runs:   map[sale.ID]*running{},
		reads:  func() uint64 { return 0 },
		ctx:    context.Background(),
	}
	m.bell.from = m.now
	m.theme = newThemes(opts)
	m.filter.input = newInput(40)
	m.palette.input = newInput(60)
	m.look()
	m.lookHands()
	return m
}

// Init asks the terminal once for its background colour, when the theme depends on it. The
// terminal is raw by now, so it can be asked how far it has come.
func (m *model) Init() tea.Cmd {
	m.far.begin()
	if m.opts.Theme == ThemeAuto {
		return tea.RequestBackgroundColor
	}
	return nil
}

// Update takes in one message. It never blocks; a panic in it ends the session cleanly.
func (m *model) Update(msg tea.Msg) (next tea.Model, cmd tea.Cmd) {
	if m.broken {
		return m, tea.Quit
	}
	defer func() {
		if r := recover(); r != nil {
			m.broken = true
			m.far.leave(0)
			m.guard.failed("the screen", r)
			next, cmd = m, tea.Quit
		}
	}()
	m.now = time.Now().In(m.now.Location())
	m.cmds = nil
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		m.key(msg)
	case tea.PasteMsg:
		m.paste(msg)
	case tea.MouseClickMsg:
		m.click(msg)
	case tea.MouseWheelMsg:
		m.wheel(msg)
	case tea.WindowSizeMsg:
		m.resize(msg)
	case tea.BackgroundColorMsg:
		m.needs(m.theme.background(msg.IsDark()))
	case tea.ColorProfileMsg:
		m.needs(m.theme.profile(msg.Profile))
	case tea.ResumeMsg:
		m.comeBack()
	case lookMsg:
		if n := m.look(); !m.onWall() { // the wall is drawn once a second, whatever happens
			m.needs(n)
		}
	case clockMsg:
		m.tick()
	case logMsg:
		m.takeLogs(msg.lines)
	case linkMsg: // a frame that was held may be drawn
	case heldSizeMsg:
		m.disarm(actions.ByResize)
	case frameMsg:
		m.waiting = false
	default:
		m.handle(msg)
	}
	m.lookHands()
	m.lookCodes()
	m.askOffers()
	m.settleFrame()
	return m, tea.Batch(m.cmds...)
}

// View returns the last frame, drawn anew only when Update decided that one is due.
func (m *model) View() (v tea.View) {
	if !m.draw || m.broken {
		return m.drawn
	}
	defer func() {
		if r := recover(); r != nil {
			m.broken = true
			m.guard.failed("the screen", r)
			v = m.drawn
		}
	}()
	m.draw = false
	m.drawn = tea.View{Content: m.contained(), AltScreen: true, WindowTitle: m.title()}
	if m.opts.Mouse && !m.opts.Wall {
		m.drawn.MouseMode = tea.MouseModeCellMotion
	}
	m.drawn.ReportFocus = m.opts.Hands != nil // an armed panel is disarmed when the focus goes
	return m.drawn
}

// needs raises how soon a frame is wanted.
func (m *model) needs(n need) { m.want = max(m.want, n) }

// settleFrame draws the wanted frame now, or as soon as the terminal has drawn the last one and
// the pace allows it.
func (m *model) settleFrame() {
	if m.want < nowNeed || m.waiting || m.left || m.far.holds() {
		return
	}
	forKey := m.want == keyNeed
	m.pace.link(m.lag(), m.now)
	if d := m.pace.wait(m.now, forKey); d > 0 {
		m.waiting = true
		m.cmds = append(m.cmds, tea.Tick(d, func(time.Time) tea.Msg { return frameMsg{} }))
		return
	}
	m.pace.drew(m.now, forKey)
	m.want, m.draw = notNeeded, true
}

// look takes the newest snapshot. A change of a verdict, of a source's condition or of what is
// known at all is shown at once; everything else waits for the next second.
func (m *model) look() need {
	before := m.snap
	m.snap = m.opts.Feed.Snapshot()
	m.leaveGone()
	m.arrange()
	m.upsetPanel()
	if before != m.snap {
		m.ring(m.bell.hear(m.snap))
		m.followAlarm()
	}
	switch {
	case before == m.snap:
		return notNeeded
	case before == nil || urgent(before, m.snap):
		return nowNeed
	}
	return clockNeed
}

// urgent reports whether an operator should see the difference at once.
func urgent(a, b *sale.Snapshot) bool {
	if len(a.Sales) != len(b.Sales) || len(a.Sources) != len(b.Sources) {
		return true
	}
	for i := range a.Sales {
		if x, y := a.Sales[i], b.Sales[i]; x != y && (x.Verdict != y.Verdict || x.Phase != y.Phase || incidentMoved(x, y) || appeared(x, y)) {
			return true
		}
	}
	for i := range a.Sources {
		if a.Sources[i].Condition != b.Sources[i].Condition {
			return true
		}
	}
	return false
}

// incidentMoved reports whether an incident was opened, answered or is over.
func incidentMoved(a, b *sale.State) bool {
	status := func(st *sale.State) sale.IncidentStatus {
		if st.Incidents.Current == nil {
			return ""
		}
		return st.Incidents.Current.Status
	}
	return status(a) != status(b) || a.Incidents.Known != b.Incidents.Known
}

// appeared reports whether a signal has its first value, or charts have the past that was read
// behind it: a screen that starts empty is filled at once, not at the next second.
func appeared(a, b *sale.State) bool {
	const past = 5 // more points at once than readings bring
	for i := range min(len(a.Signals), len(b.Signals)) {
		x, y := &a.Signals[i], &b.Signals[i]
		if y.Has && !x.Has || y.History.Len() > x.History.Len()+past {
			return true
		}
	}
	return false
}

// arrange puts the sales in order, applies the filter and keeps the focus on its sale.
func (m *model) arrange() {
	still := m.palette.open || m.acting != nil || m.asking != nil || m.code != nil || m.now.Sub(m.lastKey) < keyQuiet
	m.order.update(m.snap, m.now, still)
	m.ids = filtered(m.order.ids, m.snap, m.filter.words)
	untouched := m.lastKey.IsZero() // nobody has aimed at a sale yet: the worst one has the focus
	if m.screen == views.OverviewScreen && len(m.ids) > 0 && (untouched || !slices.Contains(m.ids, m.focus)) {
		m.focus = m.ids[0]
	}
}

// tick is the frame of each second.
func (m *model) tick() {
	m.look()
	m.takeRequests() // their times run
	m.offers.stale = true
	m.needs(nowNeed)
}

func (m *model) resize(msg tea.WindowSizeMsg) {
	w, h := clampSize(msg.Width, msg.Height)
	if w == m.width && h == m.height {
		return
	}
	m.width, m.height = w, h
	m.disarm(actions.ByResize)
	m.keepInSight()
	m.needs(nowNeed)
}

func clampSize(w, h int) (int, int) {
	return min(max(w, 0), maxWidth), min(max(h, 0), maxHeight)
}

// say puts a line into the footer.
func (m *model) say(v sale.Verdict, text string) {
	m.message, m.severity, m.messageAt = text, v, m.now
	m.needs(keyNeed)
}

// place is where keys go now.
func (m *model) place() place {
	switch {
	case m.acting != nil:
		return ConfirmScope
	case m.asking != nil:
		return QuestionScope
	case m.code != nil:
		return CodeScope
	case m.palette.open:
		return PaletteScope
	case m.filter.editing:
		return FilterScope
	case m.helping:
		return HelpScope
	}
	return m.screenPlace()
}

func (m *model) screenPlace() place { return Scope(m.screen) }
