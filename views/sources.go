package views

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// sourcesPlan is where everything of the sources screen stands.
type sourcesPlan struct {
	header, footer int
	titles         int // lines over the list: the summary, a rule, the headings
	list           int // lines for the list
	total          int // 1 when the sums have a line
	logins         int // lines for the logins; 0 where there are none, or no room
	words          int // lines for the chosen source
}

func planSources(f *Frame) sourcesPlan {
	p := sourcesPlan{header: 2, footer: footerRows(f), titles: 3, total: 1}
	body := f.Height - p.header - p.footer
	if body < 16 {
		p.titles, p.total = 2, 0
	}
	n := max(len(f.snapshot().Sources), 1)
	p.logins = loginRows(f, body-p.titles-p.total-n-min(5, body/3))
	body -= p.logins
	p.words = clamp(body-p.titles-p.total-n, min(5, body/3), 12)
	p.list = body - p.titles - p.total - p.words
	if n < p.list {
		p.words += p.list - n
		p.list = n
	}
	return p
}

// SourcesRows says how many sources are in sight, of how many.
func (r *Renderer) SourcesRows(f Frame) (visible, total int) {
	f.ready()
	total = len(f.snapshot().Sources)
	_, visible = listSpan(total, planSources(&f).list, f.Scroll)
	return visible, total
}

// Sources draws what is read from where: one row a source in the order of the config, so that
// a row never moves, and the chosen one in words.
func (r *Renderer) Sources(f Frame) string {
	f.ready()
	if !Fits(f.Width, f.Height) {
		return r.TooSmall(f)
	}
	p := planSources(&f)
	sources := f.snapshot().Sources
	c := newCanvas(f.Theme, f.Width, p.titles+p.list+p.total)
	defer c.release()
	f.sourcesSummary(c)
	if p.titles > 2 {
		c.fill(0, 1, f.Width, dim, "─")
	}
	cols := sourceColumns(f.Width)
	y := p.titles - 1
	for _, col := range cols {
		col.draw(c, y, dim, col.heading)
	}
	from, shown := listSpan(len(sources), p.list, f.Scroll)
	for i := range sources[from : from+shown] {
		f.sourceRow(c, cols, y+1+i, &sources[from+i], from+i == f.Cursor)
	}
	if shown < len(sources) && p.list > 0 {
		c.put(0, y+1+shown, dim, hidden(from, len(sources)-from-shown))
	}
	if p.total > 0 {
		f.sourcesTotal(c, cols, p.titles+p.list)
	}
	var words []string
	if len(sources) > 0 {
		words = f.sourceInWords(&sources[clamp(f.Cursor, 0, len(sources)-1)], p.words)
	}
	return f.stack(f.header(p.header, false), c.rows(), f.loginsSection(p.logins), pad(words, f.Width, p.words), f.footer())
}

// hidden says how much of a list is out of sight.
func hidden(above, below int) string {
	switch {
	case above == 0:
		return number(below) + " more below"
	case below == 0:
		return number(above) + " more above"
	}
	return number(above) + " more above, " + number(below) + " below"
}

func (f *Frame) sourcesSummary(c *canvas) {
	sources := f.snapshot().Sources
	counts := map[sale.Condition]int{}
	for i := range sources {
		counts[sources[i].Condition]++
	}
	bill := f.snapshot().Bill()
	left := []part{say(text, 0, "sources")}
	order := []sale.Condition{sale.SourceLive, sale.SourceStarting, sale.SourceLate, sale.SourceStale, sale.SourceNoData, sale.SourceError}
	for _, condition := range order {
		if n := counts[condition]; n > 0 {
			l := conditionLook(condition)
			left = append(left, say(l.figure, 0, number(n)+" "+l.word))
		}
	}
	cost := format(bill.USD, sale.USD) + " since start"
	month := cost + ", " + format(monthly(bill.PerHour), sale.USD) + " in 30 days at this pace"
	c.spread(0, left, []part{say(dim, 1, month, cost)})
}

// sourceColumn is one cell of a source's row.
type sourceColumn struct {
	heading string
	x, w    int
	right   bool
	drop    int
	value   func(f *Frame, s *sale.SourceState) string
}

func (col sourceColumn) draw(c *canvas, y int, s style, words string) {
	if col.right {
		c.right(col.x+col.w-1, y, col.w-1, s, fit(words, col.w-1))
		return
	}
	c.cut(col.x, y, col.w-1, s, words)
}

// sourceColumns places the columns; the least important go first on a narrow screen.
func sourceColumns(w int) []sourceColumn {
	name, kind := 12, 14
	if w >= 160 {
		name, kind = 20, 24
	}
	cols := []sourceColumn{
		{heading: "state", w: 11, value: func(*Frame, *sale.SourceState) string { return "" }},
		{heading: "name", w: name, value: func(_ *Frame, s *sale.SourceState) string { return s.Name }},
		{heading: "kind", w: kind, drop: 6, value: func(_ *Frame, s *sale.SourceState) string { return s.Kind }},
		{heading: "every", w: 7, right: true, drop: 4, value: func(_ *Frame, s *sale.SourceState) string { return every(s.Every) }},
		{heading: "last ok", w: 10, right: true, drop: 3, value: func(f *Frame, s *sale.SourceState) string { return orNever(s.LastOK, f.Now) }},
		{heading: "age", w: 8, right: true, value: func(f *Frame, s *sale.SourceState) string { return f.sourceAge(s) }},
		{heading: "c/5min", w: 8, right: true, drop: 5, value: func(_ *Frame, s *sale.SourceState) string { return number(s.CallsIn5m) }},
		{heading: "limit", w: 16, right: true, drop: 8, value: func(_ *Frame, s *sale.SourceState) string { return orNone(s.Limit) }},
		{heading: "$/h", w: 8, right: true, drop: 7, value: func(_ *Frame, s *sale.SourceState) string { return cost(s.CostPerH) }},
		{heading: "$ start", w: 9, right: true, drop: 9, value: func(_ *Frame, s *sale.SourceState) string { return cost(s.CostUSD) }},
		{heading: "gives, or why not", w: 24, value: func(_ *Frame, s *sale.SourceState) string { return givesOrWhy(s) }},
	}
	sum := 0
	for _, col := range cols {
		sum += col.w
	}
	for sum > w {
		first := -1
		for i, col := range cols {
			if col.drop > 0 && (first < 0 || col.drop > cols[first].drop) {
				first = i
			}
		}
		if first < 0 {
			break
		}
		sum -= cols[first].w
		cols = slices.Delete(cols, first, first+1)
	}
	x := 0
	for i := range cols {
		cols[i].x = x
		x += cols[i].w
	}
	last := &cols[len(cols)-1]
	last.x++
	last.w = max(w-last.x+1, 1) // the last cell needs no blank after it
	return cols
}

func (f *Frame) sourceRow(c *canvas, cols []sourceColumn, y int, s *sale.SourceState, chosen bool) {
	l := conditionLook(s.Condition)
	c.put(0, y, l.badge, l.glyph+" "+l.word)
	for i, col := range cols {
		style := text
		switch col.heading {
		case "age":
			style = l.figure
		case "name":
			if chosen {
				style = accent
			}
		case "gives, or why not":
			if s.Problem != nil {
				style = l.figure
			} else {
				style = dim
			}
		}
		if i > 0 {
			col.draw(c, y, style, col.value(f, s))
		}
	}
	if chosen {
		c.put(10, y, accent, ">")
	}
}

func (f *Frame) sourcesTotal(c *canvas, cols []sourceColumn, y int) {
	bill := f.snapshot().Bill()
	c.put(0, y, dim, "total")
	for _, col := range cols {
		switch col.heading {
		case "c/5min":
			col.draw(c, y, text, number(bill.CallsIn5m))
		case "$/h":
			col.draw(c, y, text, cost(bill.PerHour))
		case "$ start":
			col.draw(c, y, text, cost(bill.USD))
		}
	}
}

// every writes a cadence: "15s", "1m", "1m30s".
func every(d time.Duration) string {
	if d <= 0 {
		return "none"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	return strings.TrimSuffix(s, "0m")
}

func orNever(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return clockAt(t, now)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// cost writes dollars to a hundredth of a cent: reading costs little, yet not nothing.
func cost(usd float64) string {
	switch {
	case usd == 0:
		return "0"
	case usd < 0.00005:
		return "<0.0001"
	case usd >= 10:
		return strings.TrimPrefix(format(usd, sale.USD), "$")
	}
	return strconv.FormatFloat(usd, 'f', 4, 64)
}

func (f *Frame) sourceAge(s *sale.SourceState) string {
	at := lastSeen(s)
	if at.IsZero() {
		return "none"
	}
	return f.age(f.Now.Sub(at))
}

// givesOrWhy is what a source is asked for, or what it said last when it failed.
func givesOrWhy(s *sale.SourceState) string {
	switch {
	case s.Problem != nil && s.Missing > 0 && s.Condition != sale.SourceError:
		return number(s.Missing) + " missing, " + problemText(s.Problem)
	case s.Problem != nil:
		return problemText(s.Problem)
	case s.Missing > 0:
		return number(s.Missing) + " missing of " + s.Gives
	case len(s.Warnings) > 0:
		return s.Gives + "; " + s.Warnings[0]
	}
	return s.Gives
}
