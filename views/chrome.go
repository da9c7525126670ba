package views

import (
	"strconv"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// part is a piece of a header line with its shorter forms, longest first. When the line is
// too long, the part with the highest drop goes to its next form; drop 0 never does.
type part struct {
	style style
	forms []string
	drop  int
}

func say(s style, drop int, forms ...string) part {
	if drop > 0 {
		forms = append(forms, "")
	}
	return part{s, forms, drop}
}

// spread draws parts from the left and from the right, shortening them until they fit.
func (c *canvas) spread(y int, left, right []part) {
	gap := 1
	if c.w >= 100 {
		gap = 2
	}
	c.spreadBy(gap, y, left, right)
}

// spreadBy is spread with so many blanks between two parts.
func (c *canvas) spreadBy(gap, y int, left, right []part) {
	all := make([]*part, 0, len(left)+len(right))
	for i := range left {
		all = append(all, &left[i])
	}
	for i := range right {
		all = append(all, &right[i])
	}
	for width(left, gap)+gap+width(right, gap) > c.w {
		var first *part
		for _, p := range all {
			if p.drop > 0 && len(p.forms) > 1 && (first == nil || p.drop > first.drop) {
				first = p
			}
		}
		if first == nil {
			break
		}
		first.forms = first.forms[1:]
	}
	from := c.w - width(right, gap)
	x := 0
	for _, p := range left {
		if p.forms[0] != "" {
			x = c.putTo(x, y, c.w, p.style, clip(p.forms[0], c.w-x)) + gap
		}
	}
	for _, p := range right {
		if p.forms[0] != "" && from >= x {
			from = c.put(from, y, p.style, p.forms[0]) + gap
		}
	}
}

func width(parts []part, gap int) int {
	w := 0
	for _, p := range parts {
		if p.forms[0] != "" {
			w += cells(p.forms[0]) + gap
		}
	}
	return max(w-gap, 0)
}

// From feltLink on a lag of the terminal is felt at each key; from slowLink on it is said loudly:
// what is on the screen is older than it looks.
const (
	feltLink = 100 * time.Millisecond
	slowLink = time.Second
)

// headerRows is how many lines the header takes on the overview.
func headerRows(f *Frame) int {
	if f.Width >= 160 && f.Height >= 24 {
		return 3
	}
	return 2
}

// header draws the lines that stand on top of every screen: where this is, whose it is,
// what time it is and how good the data is, and how many sales have which verdict. On a
// narrow screen those counts are there when it is crowded: when the rows below don't say it.
func (f *Frame) header(rows int, crowded bool) []string {
	c := newCanvas(f.Theme, f.Width, rows)
	defer c.release()
	h := &f.Header
	first := []part{say(dim, 6, "onsale"), say(accent, 0, h.Environment)}
	if len(h.Accounts) > 0 {
		first = append(first, part{text, accountForms(h.Accounts), 9})
	}
	day := f.Now.Format("Mon 2006-01-02  ")
	clock := f.Now.Format("15:04:05 MST")
	times := []string{day + clock, f.Now.Format("Mon 2006-01-02 ") + clock, clock}
	if name, offset := f.Now.Zone(); f.Width >= 160 && (offset != 0 || name != "UTC") {
		times = append([]string{day + clock + f.Now.UTC().Format("  15:04:05Z")}, times...)
	}
	c.spread(0, first, []part{{text, times, 5}})
	second := []part{}
	second = append(second, h.who()...)
	if h.Loud != "" {
		second = append(second, say(badWord, 0, "▲ "+h.Loud))
	}
	if h.Filter != "" {
		second = append(second, say(accent, 0, "filter /"+h.Filter))
	}
	switch {
	case h.LinkLag >= slowLink:
		second = append(second, say(watch, 0, "LINK "+format(h.LinkLag.Seconds(), sale.Seconds)))
	case h.LinkUnknown:
		second = append(second, say(dim, 8, "link ?"))
	case h.LinkLag > 0:
		drop := 8
		if h.LinkLag >= feltLink {
			drop = 4 // the cost of reading goes first
		}
		second = append(second, say(dim, drop, "link "+linkLag(h.LinkLag)))
	}
	word, s := f.dataSummary()
	second = append(second, part{s, word, 3})
	if login, ok := f.loginPart(); ok {
		second = append(second, login)
	}
	if rows < 3 && (f.Width >= 100 || crowded) {
		second = append(second, f.verdictCounts(true)...)
	}
	c.spread(1, second, []part{f.apiCost()})
	if rows >= 3 {
		third := append([]part{say(text, 0, count(len(f.snapshot().Sales), "sale"))}, f.verdictCounts(false)...)
		c.spread(2, append(third, f.waitingTotal(), f.alarmsHeader(), f.incidentCounts()), []part{say(dim, 5, f.shownOf())})
	}
	return c.rows()
}

// linkLag writes a lag of less than a second with the one digit that says something.
func linkLag(d time.Duration) string {
	digits := 2
	if d >= feltLink {
		digits = 1
	}
	return strconv.FormatFloat(d.Seconds(), 'f', digits, 64) + " s"
}

func (f *Frame) snapshot() *sale.Snapshot {
	if f.Snapshot == nil {
		return &sale.Snapshot{At: f.Now}
	}
	return f.Snapshot
}

// accountForms joins the accounts, then without the middle of their digits, then the first.
func accountForms(accounts []string) []string {
	full := strings.Join(accounts, " · ")
	brief := make([]string, len(accounts))
	for i, a := range accounts {
		words := strings.Fields(a)
		for j, w := range words {
			if len(w) == 12 && strings.Trim(w, "0123456789") == "" {
				words[j] = w[:4] + "…" + w[8:]
			}
		}
		brief[i] = strings.Join(words, " ")
	}
	forms := []string{full, strings.Join(brief, " · ")}
	if n := len(accounts) - 1; n > 0 {
		forms = append(forms, brief[0]+" +"+number(n))
	}
	return forms
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

// dataSummary says how many sources are not live and how old the oldest of them is.
func (f *Frame) dataSummary() ([]string, style) {
	snap := f.snapshot()
	if behind := f.Now.Sub(snap.At); behind > 5*time.Second {
		return []string{"data NOT JUDGED for " + sale.FormatAge(behind), "data HELD " + sale.FormatAge(behind)}, bad
	}
	if len(snap.Sources) == 0 {
		return []string{"data: no source"}, unknown
	}
	type group struct {
		n      int
		oldest time.Duration
	}
	order := []sale.Condition{sale.SourceError, sale.SourceStale, sale.SourceNoData, sale.SourceLate, sale.SourceStarting}
	groups := map[sale.Condition]*group{}
	for i := range snap.Sources {
		s := &snap.Sources[i]
		if s.Condition == sale.SourceLive {
			continue
		}
		g := groups[s.Condition]
		if g == nil {
			g = &group{}
			groups[s.Condition] = g
		}
		g.n++
		if at := lastSeen(s); !at.IsZero() {
			g.oldest = max(g.oldest, f.Now.Sub(at))
		}
	}
	var words []string
	worst := dim
	for _, condition := range order {
		g := groups[condition]
		if g == nil {
			continue
		}
		l := conditionLook(condition)
		if worst == dim {
			worst = l.figure
		}
		w := number(g.n) + " " + l.word
		if g.oldest > 0 {
			w += " " + f.age(g.oldest)
		}
		words = append(words, w)
	}
	if len(words) == 0 {
		return []string{"data " + number(len(snap.Sources)) + " LIVE", "data LIVE"}, dim
	}
	return []string{"data " + strings.Join(words, ", "), "data " + words[0]}, worst
}

// lastSeen is the newest instant that a source has told of.
func lastSeen(s *sale.SourceState) time.Time {
	if !s.Newest.IsZero() {
		return s.Newest
	}
	return s.LastOK
}

func (f *Frame) apiCost() part {
	bill := f.snapshot().Bill()
	rate := "API " + format(bill.PerHour, sale.USD) + "/h"
	return say(dim, 6, rate+", "+format(bill.USD, sale.USD)+" since start", rate)
}

// verdictCounts is one part for each verdict that a sale has, worst first.
func (f *Frame) verdictCounts(brief bool) []part {
	counts := map[sale.Verdict]int{}
	for _, st := range f.snapshot().Sales {
		counts[knownVerdict(st.Verdict)]++
	}
	var parts []part
	for i, v := range []sale.Verdict{sale.Bad, sale.Unknown, sale.Watch, sale.OK} {
		if n := counts[v]; n > 0 {
			l := lookOf(v)
			p := part{style: l.figure, forms: []string{l.glyph + " " + number(n) + " " + l.word}}
			if brief {
				p.forms, p.drop = append(p.forms, l.glyph+" "+number(n)), 10+i
			}
			parts = append(parts, p)
		}
	}
	return parts
}

// knownVerdict reads a verdict that has no name here as Unknown.
func knownVerdict(v sale.Verdict) sale.Verdict {
	switch v {
	case sale.OK, sale.Watch, sale.Bad:
		return v
	}
	return sale.Unknown
}

// waitingTotal sums the people in all queues that can be seen.
func (f *Frame) waitingTotal() part {
	total, rooms, asked, mark := 0.0, 0, 0, ""
	for _, st := range f.snapshot().Sales {
		k, ok := st.Signal(sale.Waiting)
		if !ok {
			continue
		}
		asked++
		if fresh := k.FreshnessAt(f.Now); !k.Has || fresh == sale.Stale || fresh == sale.NoData {
			continue
		}
		rooms++
		total += k.Value
		if k.Spec.Estimate {
			mark = "~"
		}
	}
	switch {
	case asked == 0:
		return say(dim, 6, "")
	case rooms == 0:
		return say(unknown, 6, "waiting not known")
	case rooms < asked:
		return say(text, 6, "waiting "+mark+format(total, sale.Users)+" in "+number(rooms)+" of "+number(asked)+" rooms")
	}
	return say(text, 6, "waiting "+mark+format(total, sale.Users)+" in "+count(rooms, "room"))
}

func (f *Frame) shownOf() string {
	if n := len(f.snapshot().Sales); len(f.sales()) < n {
		return number(len(f.sales())) + " of " + count(n, "sale") + " shown"
	}
	return ""
}

// footerRows is how many lines the footer takes, with the outcome strip above it.
func footerRows(f *Frame) int {
	rows := 3
	if f.Height < 20 {
		rows = 2
	}
	if f.Outcome != nil {
		rows += stripRows
	}
	return rows
}

// footer draws the newest message, the keys that work here, and those that don't with a
// reason each, cut from the right.
func (f *Frame) footer() []string {
	strip := f.strip()
	c := newCanvas(f.Theme, f.Width, footerRows(f)-len(strip))
	defer c.release()
	x := 0
	if f.Footer.Message != "" {
		if !f.Footer.MessageAt.IsZero() {
			x = c.put(0, 0, dim, clockAt(f.Footer.MessageAt, f.Now)) + 2
		}
		s := text
		if f.Footer.Severity != "" && f.Footer.Severity != sale.OK {
			l := lookOf(f.Footer.Severity)
			s = l.figure
			x = c.put(x, 0, s, l.glyph) + 1
		}
		c.cut(x, 0, f.Width-x, s, f.Footer.Message)
	}
	f.keyRow(c, 1, "keys", false)
	if c.h > 2 {
		f.keyRow(c, 2, "off", true)
	}
	return append(strip, c.rows()...)
}

func (f *Frame) keyRow(c *canvas, y int, title string, off bool) {
	x, gap := 5, 1
	if f.Width >= 100 {
		x, gap = 6, 2
	}
	started := false
	for _, k := range f.Footer.Keys {
		if (k.Off != "") != off {
			continue
		}
		words := k.Label
		if off {
			words = k.Off
		}
		need := cells(k.Keys) + 1 + cells(words)
		if !started {
			c.put(0, y, dim, title)
			started = true
		} else if x+need > f.Width {
			c.cut(x, y, f.Width-x, dim, "…")
			return
		}
		if off {
			c.cut(x, y, f.Width-x, dim, k.Keys+" "+words)
			x += need + 3
			if x-2 < f.Width {
				c.put(x-2, y, dim, "·")
			}
			continue
		}
		x = c.put(x, y, accent, k.Keys) + 1
		x = c.put(x, y, text, clip(words, f.Width-x)) + gap
	}
	if off && started && x-2 < f.Width {
		c.put(x-2, y, plain, " ")
	}
}
