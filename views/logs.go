package views

// logsPlan is where everything of the logs screen stands.
type logsPlan struct{ header, footer, list, words int }

func planLogs(f *Frame) logsPlan {
	p := logsPlan{header: 2, footer: footerRows(f), words: 3}
	if f.Height < 20 {
		p.words = 2
	}
	p.list = max(f.Height-p.header-p.footer-p.words-1, 1)
	return p
}

// LogsRows says how many lines of the log are in sight, of how many.
func (r *Renderer) LogsRows(f Frame, lines []LogLine) (visible, total int) {
	f.ready()
	_, visible = listSpan(len(lines), planLogs(&f).list, f.Scroll)
	return visible, len(lines)
}

func levelLook(level string) (string, style) {
	switch level {
	case "error":
		return "▲", bad
	case "warn":
		return "◆", watch
	case "debug":
		return " ", dim
	}
	return " ", text
}

// Logs draws what the program says of itself, in the order given, and the chosen line whole.
func (r *Renderer) Logs(f Frame, lines []LogLine) string {
	f.ready()
	if !Fits(f.Width, f.Height) {
		return r.TooSmall(f)
	}
	p := planLogs(&f)
	c := newCanvas(f.Theme, f.Width, 1+p.list+p.words)
	defer c.release()
	worst := map[string]int{}
	for i := range lines {
		worst[lines[i].Level]++
	}
	left := []part{say(text, 0, "logs"), say(dim, 2, count(len(lines), "line"))}
	for _, level := range []string{"error", "warn"} {
		if n := worst[level]; n > 0 {
			glyph, s := levelLook(level)
			left = append(left, say(s, 0, glyph+" "+number(n)+" "+level))
		}
	}
	c.spread(0, left, []part{say(dim, 1, "newest first")})
	from, shown := listSpan(len(lines), p.list, f.Scroll)
	for i := range lines[from : from+shown] {
		f.logRow(c, 1+i, &lines[from+i], from+i == f.Cursor)
	}
	if shown < len(lines) && p.list > 1 {
		c.put(2, p.list, dim, hidden(from, len(lines)-from-shown))
	}
	if len(lines) == 0 {
		c.put(2, 2, dim, "nothing was logged yet")
	} else {
		chosen := &lines[clamp(f.Cursor, 0, len(lines)-1)]
		y := 1 + p.list
		c.fill(0, y, f.Width, dim, "─")
		c.put(2, y, dim, " "+clockAt(chosen.At, f.Now)+" in full ")
		_, s := levelLook(chosen.Level)
		for i, str := range wrap(chosen.Text, f.Width, p.words-1) {
			c.put(0, y+1+i, s, str)
		}
	}
	return f.stack(f.header(p.header, false), c.rows(), f.footer())
}

func (f *Frame) logRow(c *canvas, y int, line *LogLine, chosen bool) {
	glyph, s := levelLook(line.Level)
	if chosen {
		c.put(0, y, accent, ">")
	}
	x := c.put(2, y, dim, clockAt(line.At, f.Now)) + 2
	x = max(x, 12)
	c.put(x, y, s, glyph)
	c.cut(x+2, y, 5, s, line.Level)
	c.cut(x+8, y, f.Width-x-8, s, line.Text)
}
