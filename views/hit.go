package views

// Hit says what is at cell x, y of a screen drawn from f, for a pointer.
func (r *Renderer) Hit(f Frame, screen Screen, x, y int) Hit {
	f.ready()
	if !Fits(f.Width, f.Height) || x < 0 || y < 0 || x >= f.Width || y >= f.Height {
		return Hit{}
	}
	if y >= f.Height-footerRows(&f) {
		return Hit{Area: FooterArea}
	}
	switch screen {
	case OverviewScreen:
		return f.hitOverview(x, y)
	case SaleScreen:
		return f.hitSale(x, y)
	case SourcesScreen:
		p := planSources(&f)
		return f.hitList(y, p.header, p.header+p.titles, p.list, len(f.snapshot().Sources))
	case JournalScreen:
		p := planJournal(&f)
		return f.hitList(y, p.header, p.header+p.titles, p.list, -1)
	case AlarmsScreen:
		return f.hitAlarms(y)
	case LogsScreen:
		p := planLogs(&f)
		return f.hitList(y, p.header, p.header+1, p.list, -1)
	}
	if y < 2 {
		return Hit{Area: HeaderArea}
	}
	return Hit{}
}

// hitList finds the row of a list that begins at row top; n < 0 is a list of unknown length,
// whose caller knows whether the row exists.
func (f *Frame) hitList(y, header, top, room, n int) Hit {
	if y < header {
		return Hit{Area: HeaderArea}
	}
	from, shown := f.Scroll, room
	if n >= 0 {
		from, shown = listSpan(n, room, f.Scroll)
	}
	if y < top || y >= top+shown {
		return Hit{}
	}
	return Hit{Area: RowArea, Row: from + y - top}
}

func (f *Frame) hitOverview(x, y int) Hit {
	states := f.sales()
	p := planOverview(f, len(states))
	if y < p.header {
		return Hit{Area: HeaderArea}
	}
	i := -1
	if p.kind == asPanes {
		top := p.top
		for row, h := range p.heights {
			if y >= top && y < top+h {
				i = p.from + row*p.columns + paneAt(f.Width, p.columns, x)
			}
			top += h
		}
		if paneAt(f.Width, p.columns, x) < 0 {
			i = -1
		}
	} else if y >= p.top && p.each > 0 && y < p.top+p.shown*p.each {
		i = p.from + (y-p.top)/p.each
	}
	if i < p.from || i >= p.from+p.shown || i >= len(states) {
		return Hit{}
	}
	return Hit{Area: SaleArea, Sale: states[i].Sale.ID}
}

// paneAt is the column of blocks that a cell stands in, -1 between two.
func paneAt(width, columns, x int) int {
	for col := range columns {
		w := paneSpan(width, columns, col)
		if x < w {
			return col
		}
		x -= w + 1
		if x < 0 {
			return -1
		}
	}
	return -1
}

func (f *Frame) hitSale(x, y int) Hit {
	st := f.focused()
	if st == nil || y < 2 {
		return Hit{Area: HeaderArea}
	}
	p := planSale(f, st)
	if p.shown > 0 && y >= p.chartY && x >= p.chartX && x < p.chartX+p.chartW {
		col := paneAt(p.chartW, p.across, x-p.chartX)
		top := p.chartY + p.lane
		for row := 0; col >= 0 && row*p.across < p.shown; row++ {
			h := p.chartRows(row)
			if i := row*p.across + col; y >= top && y < top+h && i < p.shown {
				return Hit{Area: PanelArea, Panel: p.first + i}
			}
			top += h
		}
	}
	if p.tableW > 0 && x >= p.tableX && y > p.tableY && y < p.tableY+p.tableH {
		rows := f.pageRows(st, p.tableW)
		from, shown := listSpan(len(rows), p.tableH-1, f.Scroll)
		if i := y - p.tableY - 1; i < shown {
			if row := rows[from+i]; row.kind == signalRow {
				return Hit{Area: SignalArea, Signal: st.Signals[row.known].Spec.Signal}
			}
		}
	}
	return Hit{}
}
