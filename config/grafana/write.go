package grafana

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// write makes the config: the sources, a template with the signals and the panels, and one sale. What
// a dashboard does not know is marked to be set.
func (im *importer) write() []byte {
	w := &writer{}
	title := sale.Clean(im.board.get("title").text(), 60)
	slug := strings.ReplaceAll(snake(title, 34), "_", "-")
	if slug == "" || slug[0] < 'a' || slug[0] > 'z' {
		slug = strings.Trim("board-"+slug, "-")
	}
	w.line(0, "# Made from the Grafana dashboard %s. Read it before a sale depends on it:", clip(title))
	w.line(0, "# what was left out or changed was told when it was made, and what is marked \"set it\" a dashboard does not know.")
	w.line(0, "environment: imported")
	w.line(0, "sources:")
	for _, key := range im.sourceNames {
		s := im.sources[key]
		w.line(1, "%s: # in Grafana: %s", s.name, clip(s.called))
		w.line(2, "kind: %s", s.kind)
		if s.kind == cloudwatch {
			w.line(2, "region: %s%s", orElse(s.region, "us-east-1"), map[bool]string{true: " # set it"}[s.region == ""])
			w.line(2, "# profile: onsale-read")
		} else {
			w.line(2, "url: https://%s.example # set it", strings.ReplaceAll(s.name, "_", "-"))
		}
	}
	w.line(0, "templates:")
	w.line(1, "%s:", slug)
	im.writeVariables(w)
	w.line(2, "signals:")
	for _, name := range im.names {
		im.signals[name].write(w)
	}
	w.line(2, "panels:")
	for _, p := range im.panels {
		w.line(3, "- {title: %s, signals: [%s]}", quoted(escaped(p.title)), strings.Join(p.signals, ", "))
	}
	w.line(0, "sales:")
	w.line(1, "- id: %s", slug)
	w.line(2, "name: %s # set it", quoted(orElse(title, slug)))
	w.line(2, "template: %s", slug)
	w.line(2, "opens: %s # set it", im.options.Now.UTC().Add(7*24*time.Hour).Truncate(24*time.Hour).Add(10*time.Hour).Format(time.RFC3339))
	return []byte(w.String())
}

func (im *importer) writeVariables(w *writer) {
	begun, used := false, im.used()
	for _, name := range im.order {
		v := im.variables[name]
		if !used[v.ours] {
			continue
		}
		if !begun {
			w.line(2, "variables:")
			begun = true
		}
		value := printable(v.value)
		if strings.TrimSpace(value) == "" || len(value) > longestVarText {
			value = unset
		}
		w.line(3, "%s: %s", v.ours, quoted(escaped(value)))
	}
}

func (s *signal) write(w *writer) {
	w.line(3, "%s:", s.name)
	w.line(4, "from: %s", s.source.name)
	if !s.standard {
		w.line(4, "unit: %s", s.unit)
	}
	if label := sale.Clean(s.label, 24); label != "" {
		w.line(4, "label: %s", quoted(escaped(label)))
	}
	switch {
	case s.query != "":
		w.line(4, "query: %s", quoted(s.query))
	case s.metric != nil:
		s.metric.write(w, 4)
	default:
		if len(s.metrics) > 0 {
			w.line(4, "metrics:")
		}
		for _, m := range s.metrics {
			w.line(5, "%s:", m.id)
			m.write(w, 6)
		}
		w.line(4, "expression: %s", quoted(s.expression))
	}
	if s.source.kind == cloudwatch {
		w.line(4, "period: %s", s.period)
	}
	if s.region != "" {
		w.line(4, "region: %s", quoted(s.region))
	}
	if s.rules.watch != "" {
		w.line(4, "watch: %s", quoted(s.rules.watch))
	}
	if s.rules.bad != "" {
		w.line(4, "bad: %s", quoted(s.rules.bad))
	}
}

func (m *metric) write(w *writer, depth int) {
	w.line(depth, "namespace: %s", quoted(m.namespace))
	w.line(depth, "metric: %s", quoted(m.name))
	if len(m.dimensions) > 0 {
		w.line(depth, "dimensions:")
	}
	for _, d := range m.dimensions {
		w.line(depth+1, "%s: %s", quoted(d[0]), quoted(d[1]))
	}
	w.line(depth, "statistic: %s", quoted(m.statistic))
	if m.account != "" {
		w.line(depth, "account: %s", quoted(m.account))
	}
}

// writer writes lines, indented by two blanks a level.
type writer struct{ strings.Builder }

func (w *writer) line(depth int, format string, args ...any) {
	w.WriteString(strings.Repeat("  ", depth))
	fmt.Fprintf(w, format, args...)
	w.WriteByte('\n')
}

// quoted is a YAML text: in single quotes where it is one line, else with escapes.
func quoted(text string) string {
	if !strings.ContainsAny(text, "\n\t") {
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return strconv.Quote(text)
}
