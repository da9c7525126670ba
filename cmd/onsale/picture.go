package main

import (
	"context"
	"fmt"
	"html"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/ui"
	"github.com/onsale-dev/onsale/views"
)

// This file turns a drawn frame, text with SGR colours, into an SVG picture for the README.
// It reads only what the themes write: resets, bold, reverse and 24-bit colours.

const (
	cellWidth, cellHeight = 8.4, 17.0
	pictureText           = "#D0D0D0"
	pictureGround         = "#121212"
)

// pen is the style in force.
type pen struct {
	fore, back    string
	bold, reverse bool
}

func writeSVG(w io.Writer, frame string) error {
	lines := strings.Split(frame, "\n")
	columns := 0
	for _, line := range lines {
		columns = max(columns, ansi.StringWidth(line))
	}
	width, height := float64(columns)*cellWidth+24, float64(len(lines))*cellHeight+24
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="6" fill="%s"/>`+"\n", pictureGround)
	b.WriteString(`<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14" xml:space="preserve">` + "\n")
	for row, line := range lines {
		svgLine(&b, line, 12+(float64(row)+0.78)*cellHeight)
	}
	b.WriteString("</g>\n</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func svgLine(b *strings.Builder, line string, y float64) {
	var style pen
	column := 0
	for line != "" {
		if rest, ok := strings.CutPrefix(line, "\x1b["); ok {
			codes, after, found := strings.Cut(rest, "m")
			if !found {
				return
			}
			style.apply(codes)
			line = after
			continue
		}
		text := line
		if i := strings.IndexByte(line, '\x1b'); i >= 0 {
			text = line[:i]
		}
		line = line[len(text):]
		cells := ansi.StringWidth(text)
		svgRun(b, text, style, column, cells, y)
		column += cells
	}
}

func svgRun(b *strings.Builder, text string, style pen, column, cells int, y float64) {
	fore, back := style.colours()
	x := 12 + float64(column)*cellWidth
	if back != pictureGround {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`, x, y-0.78*cellHeight, float64(cells)*cellWidth, cellHeight, back)
	}
	if strings.TrimSpace(text) == "" {
		return
	}
	weight := ""
	if style.bold {
		weight = ` font-weight="bold"`
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" textLength="%.1f" fill="%s"%s>%s</text>`+"\n", x, y, float64(cells)*cellWidth, fore, weight, html.EscapeString(text))
}

func (p pen) colours() (fore, back string) {
	fore, back = p.fore, p.back
	if fore == "" {
		fore = pictureText
	}
	if back == "" {
		back = pictureGround
	}
	if p.reverse {
		fore, back = back, fore
	}
	return fore, back
}

func (p *pen) apply(codes string) {
	fields := strings.Split(codes, ";")
	for i := 0; i < len(fields); i++ {
		switch fields[i] {
		case "", "0":
			*p = pen{}
		case "1":
			p.bold = true
		case "22":
			p.bold = false
		case "7":
			p.reverse = true
		case "27":
			p.reverse = false
		case "39":
			p.fore = ""
		case "49":
			p.back = ""
		case "38", "48":
			if i+4 >= len(fields) || fields[i+1] != "2" {
				return
			}
			colour := "#"
			for _, part := range fields[i+2 : i+5] {
				n, _ := strconv.Atoi(part)
				colour += fmt.Sprintf("%02X", n&0xff)
			}
			if fields[i] == "38" {
				p.fore = colour
			} else {
				p.back = colour
			}
			i += 4
		}
	}
}

// oneFrame reads every source once and draws the overview, as the screen would.
func (p *program) oneFrame(ctx context.Context, cfg *config.Config, width, height int) (string, error) {
	c, err := p.assemble(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	all := allSales(cfg)
	c.readOnce(ctx, all)
	now := time.Now()
	c.store.Tick(now)
	states := append([]*sale.State(nil), c.store.Snapshot().Sales...)
	sale.SortWorstFirst(states)
	order := make([]sale.ID, len(states))
	for i, st := range states {
		order[i] = st.Sale.ID
	}
	session := p.session(cfg)
	session.Header.Operator = "ivana"
	return views.NewRenderer().Overview(views.Frame{
		Now: now, Width: width, Height: height, Theme: views.NewTheme(views.Options{Dark: true, Profile: views.TrueColor}),
		Snapshot: c.store.Snapshot(), Order: order, Focus: order[0], Window: 30 * time.Minute,
		Header: session.Header, Footer: views.Footer{Keys: pictureKeys()},
	}), nil
}

// pictureKeys are the keys of the footer as they are bound at first.
func pictureKeys() []views.KeyHint {
	var hints []views.KeyHint
	for _, b := range ui.Bindings() {
		if b.Label != "" && len(b.Keys) > 0 && len(b.Keys) < 3 {
			hints = append(hints, views.KeyHint{Keys: strings.Join(b.Keys, " "), Label: b.Label})
		}
	}
	return hints
}
