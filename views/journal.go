package views

import (
	"strconv"
	"strings"
	"time"
)

// Journal is what the journal's screen is drawn from. Texts are clean, one line each.
type Journal struct {
	Rows  []JournalRow // newest first
	Total int          // records in the journal; 0 where not known
	Head  string       // its end: "#417 9f3ac01b"
	// Problem says why nothing can be written to it; then nothing can be done.
	Problem string
	ReadAt  time.Time // when it was read; zero: not read yet
}

// JournalRow is one record.
type JournalRow struct {
	At             time.Time
	Seq            uint64
	Code           string // "ADM10I"
	Who, Role, Via string
	Sale           string // the sale's digit, else its id
	Text           string // what, from → to
	// Stage gives the end its glyph and word; empty for an intent or a note, where Result says why.
	Stage  Stage
	Result string
	Words  []JournalFact // all of the record, when it is chosen
}

// JournalFact is one fact of a record.
type JournalFact struct{ Label, Text string }

// journalPlan is where everything of the journal's screen stands.
type journalPlan struct{ header, footer, titles, list, words int }

func planJournal(f *Frame) journalPlan {
	p := journalPlan{header: 2, footer: footerRows(f), titles: 2}
	p.words = clamp(f.Height/5, 2, 10)
	p.list = max(f.Height-p.header-p.footer-p.titles-p.words, 1)
	return p
}

// JournalRows says how many records are in sight, of how many.
func (r *Renderer) JournalRows(f Frame, j Journal) (visible, total int) {
	f.ready()
	_, visible = listSpan(len(j.Rows), planJournal(&f).list, f.Scroll)
	return visible, len(j.Rows)
}

// Journal draws what was done, by whom, why and how it ended, and the chosen record in words.
func (r *Renderer) Journal(f Frame, j Journal) string {
	f.ready()
	if !Fits(f.Width, f.Height) {
		return r.TooSmall(f)
	}
	p := planJournal(&f)
	c := newCanvas(f.Theme, f.Width, p.titles+p.list+p.words)
	defer c.release()
	f.journalTitle(c, &j)
	cols := journalColumns(f.Width)
	x := 2
	for i, title := range []string{"time", "seq", "code", "who, role", "via", "#", "what, from → to", "outcome"} {
		if cols[i] > 0 {
			c.cut(x, 1, cols[i]-1, dim, title)
			x += cols[i]
		}
	}
	from, shown := listSpan(len(j.Rows), p.list, f.Scroll)
	for i := range j.Rows[from : from+shown] {
		f.journalRow(c, p.titles+i, cols, &j.Rows[from+i], from+i == f.Cursor)
	}
	if shown < len(j.Rows) && p.list > 1 {
		c.put(2, p.titles+p.list-1, dim, hidden(from, len(j.Rows)-from-shown))
	}
	switch {
	case len(j.Rows) > 0:
		f.journalWords(c, p.titles+p.list, p.words, &j.Rows[clamp(f.Cursor, 0, len(j.Rows)-1)])
	case j.ReadAt.IsZero():
		c.put(2, p.titles, dim, "the journal is being read")
	default:
		c.put(2, p.titles, dim, "nothing was done yet")
	}
	return f.stack(f.header(p.header, false), c.rows(), f.footer())
}

func (f *Frame) journalTitle(c *canvas, j *Journal) {
	left := []part{say(text, 0, "journal")}
	if j.Problem != "" {
		left = append(left, say(badWord, 0, "▲ CAN'T BE WRITTEN, NOTHING CAN BE DONE:"), say(bad, 0, j.Problem))
		c.spread(0, left, nil)
		return
	}
	if j.Total > 0 {
		left = append(left, say(dim, 2, count(j.Total, "record")))
	}
	if j.Head != "" {
		left = append(left, say(text, 3, "head "+j.Head))
	}
	if !j.ReadAt.IsZero() {
		left = append(left, say(dim, 4, "read "+clockAt(j.ReadAt, f.Now)))
	}
	c.spread(0, left, []part{say(dim, 1, "newest first; no key edits or removes a record")})
}

// journalColumns are the widths of the columns, each with its gap; 0 leaves a column out.
func journalColumns(w int) [8]int {
	cols := [8]int{12, 7, 7, 16, 6, 9, 0, 0}
	switch {
	case w < 80:
		cols = [8]int{9, 0, 0, 10, 0, 0, 0, 0}
	case w < 100:
		cols = [8]int{9, 6, 7, 10, 0, 3, 0, 0}
	case w < 140:
		cols = [8]int{12, 6, 7, 15, 6, 3, 0, 0}
	}
	rest := w - 2
	for _, n := range cols {
		rest -= n
	}
	cols[6] = rest * 9 / 20
	cols[7] = rest - cols[6]
	return cols
}

func (f *Frame) journalRow(c *canvas, y int, cols [8]int, row *JournalRow, chosen bool) {
	if chosen {
		c.put(0, y, accent, ">")
	}
	words := [6]string{clockAt(row.At, f.Now), "#" + seqText(row.Seq), row.Code, strings.TrimSpace(row.Who + " " + row.Role), row.Via, row.Sale}
	x := 2
	for i, str := range words {
		if cols[i] > 0 {
			c.cut(x, y, cols[i]-1, dim, str)
			x += cols[i]
		}
	}
	x = c.cut(x, y, cols[6]-1, text, row.Text) + 1
	if row.Stage == "" {
		c.cut(x, y, f.Width-x, dim, strings.TrimSpace("→ "+row.Result))
		return
	}
	glyph, s := stageLook(row.Stage)
	end := c.putTo(x, y, f.Width, s, glyph+" "+string(row.Stage))
	if row.Result != "" {
		c.cut(end, y, f.Width-end, s, ", "+row.Result)
	}
}

// journalWords writes the chosen record in full.
func (f *Frame) journalWords(c *canvas, y, h int, row *JournalRow) {
	c.fill(0, y, f.Width, dim, "─")
	c.put(2, y, dim, " #"+seqText(row.Seq)+" "+row.Code+" ")
	const labels = 12
	end := y + h
	for i, fact := range row.Words {
		if y+1 >= end {
			return
		}
		rest := len(row.Words) - i - 1
		for k, line := range wrap(fact.Text, f.Width-labels, max(end-y-1-rest, 1)) {
			y++
			if k == 0 {
				c.cut(0, y, labels-1, dim, fact.Label)
			}
			c.cut(labels, y, f.Width-labels, text, line)
		}
	}
}

// seqText writes a record's number as `onsale journal` takes it, without commas.
func seqText(n uint64) string { return strconv.FormatUint(n, 10) }
