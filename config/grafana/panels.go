package grafana

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onsale-dev/onsale/sale"
)

// panel is one panel of the dashboard under way.
type panel struct {
	*node
	title string
	named string // the title and the id, for notes
	kind  string
}

// drawn are the kinds whose targets can be signals.
var drawn = []string{"timeseries", "graph", "trend", "stat", "singlestat", "gauge", "bargauge", "barchart", "table", "table-old", "piechart", "heatmap"}

// speechless are the kinds that show nothing that is measured: they are left without a word.
var speechless = []string{"row", "text", "news", "dashlist", "welcome", "gettingstarted"}

const (
	maxSignals     = 200 // of one sale, as a config takes them
	maxPanelShown  = 3   // signals of one panel
	maxExpression  = 8 << 10
	maxTitle       = 40
	longestSignal  = 40
	longestVarText = 1 << 10
)

// walk visits every panel, also those of collapsed rows and of schema versions before 16.
func (im *importer) walk() {
	seen := 0
	var visit func(list []*node)
	visit = func(list []*node) {
		for _, n := range list {
			if !n.object {
				im.tell(n, "", true, "a panel that is no JSON object")
				continue
			}
			if seen++; seen > maxPanels {
				if seen == maxPanels+1 {
					im.tell(n, "", true, "this panel and all after it: a dashboard of more than %d panels", maxPanels)
				}
				return
			}
			im.panel(n)
			visit(n.get("panels").list())
		}
	}
	visit(im.board.get("panels").list())
	for _, row := range im.board.get("rows").list() {
		visit(row.get("panels").list())
	}
}

func (im *importer) panel(n *node) {
	p := panel{node: n, kind: n.get("type").text(), title: sale.Clean(n.get("title").text(), maxTitle)}
	if library := n.get("libraryPanel"); library != nil && n.get("targets") == nil {
		model := im.element(library.get("uid").text())
		if model == nil {
			im.tell(n, fmt.Sprintf("panel %s (%s)", clip(library.get("name").text()), sale.Clean(n.get("id").word(), 12)), true, "a library panel, which lives in Grafana and not in this file: export with \"Export for sharing externally\"")
			return
		}
		p.node, p.kind = model, model.get("type").text()
		if p.title == "" {
			p.title = sale.Clean(model.get("title").text(), maxTitle)
		}
	}
	if p.title = im.titleOf(p.title); p.title == "" {
		p.title = "panel " + n.get("id").word()
	}
	p.named = fmt.Sprintf("panel %s", clip(p.title))
	if id := n.get("id").word(); id != "" {
		p.named = fmt.Sprintf("panel %s (%s)", clip(p.title), sale.Clean(id, 12))
	}
	switch {
	case slices.Contains(speechless, p.kind):
		return
	case !slices.Contains(drawn, p.kind):
		im.tell(n, p.named, true, "a panel of type %s shows what is no single number", clip(p.kind))
		return
	case len(p.get("targets").list()) == 0:
		im.tell(n, p.named, true, "it asks for nothing")
		return
	}
	im.remark(n, p)
	im.targets(p)
}

// titleOf puts the values of variables into a title: on the screen it is a text.
func (im *importer) titleOf(title string) string {
	return sale.Clean(reference.ReplaceAllStringFunc(title, func(ref string) string {
		m := reference.FindStringSubmatch(ref)
		if v := im.variables[m[1]+m[2]+m[3]]; v != nil && v.told == "" {
			return v.value
		}
		return ""
	}), maxTitle)
}

// element finds a library panel that was exported with the dashboard.
func (im *importer) element(uid string) *node {
	if uid == "" {
		return nil
	}
	elements := im.board.get("__elements")
	if found := elements.get(uid, "model"); found != nil {
		return found
	}
	for _, e := range elements.list() {
		if e.get("uid").text() == uid {
			return e.get("model")
		}
	}
	return nil
}

// remark tells what of a panel is not taken over, though its targets are.
func (im *importer) remark(n *node, p panel) {
	for _, c := range []struct {
		at   *node
		text string
	}{
		{p.get("transformations"), "its transformations are not applied: what is measured is taken as it is"},
		{p.get("timeFrom"), "its own time range is not taken"},
		{p.get("timeShift"), "its time shift is not taken: the signal is of now"},
		{n.get("repeat"), "it repeats for each value of a variable: taken once"},
		{p.get("alert"), "its alert is not read: a source of kind prometheus-alerts reads the alerts themselves"},
	} {
		if c.at != nil && (c.at.word() != "" && c.at.word() != "false" || len(c.at.items) > 0 || c.at.object) {
			im.tell(c.at, p.named, false, "%s", c.text)
		}
	}
	if calcs := p.get("options", "reduceOptions", "calcs"); len(calcs.list()) > 0 {
		if calc := calcs.first(); calc != "lastNotNull" && calc != "last" {
			im.tell(calcs, p.named, false, "it shows the %s over the time range: the signal is the newest value", clip(calc))
		}
	}
}

// targets makes signals of a panel's targets, and panels of at most three of them.
func (im *importer) targets(p panel) {
	var made []string
	all := p.get("targets").list()
	for _, t := range all {
		if t.get("hide").is(true) {
			if !usedByMath(t, all) {
				im.tell(t, p.named, true, "target %s is hidden", clip(t.get("refId").text()))
			}
			continue
		}
		if len(im.names) >= maxSignals {
			im.tell(t, p.named, true, "this and all that follow: a sale has at most %d signals", maxSignals)
			break
		}
		if s := im.target(p, t); s != nil {
			im.name(p, t, s, len(all) > 1)
			im.signals[s.name], im.names = s, append(im.names, s.name)
			made = append(made, s.name)
		}
	}
	for i := 0; len(made) > 0; i++ {
		n := min(len(made), maxPanelShown)
		title := p.title
		if i > 0 {
			title = fmt.Sprintf("%s (%d)", sale.Clean(p.title, maxTitle-5), i+1)
		}
		im.panels = append(im.panels, shown{title, made[:n:n]})
		made = made[n:]
	}
}

// target makes a signal of one target, or tells why not.
func (im *importer) target(p panel, t *node) *signal {
	src, why := im.sourceOf(p, t)
	if why != "" {
		im.tell(t, p.named, true, "target %s: %s", clip(t.get("refId").text()), why)
		return nil
	}
	u, steps, hasSteps := im.looks(p, t)
	var s *signal
	if src.kind == cloudwatch {
		s = im.cloudwatch(p, t, src, u)
	} else {
		s = im.prometheus(p, t, u)
	}
	if s == nil {
		return nil
	}
	im.use(src)
	s.source, s.unit = src, u.unit
	if u.told != "" {
		im.tell(t, p.named, false, "%s", u.told)
	}
	if hasSteps {
		if s.rules, why = rulesOf(steps, u); why != "" {
			im.tell(p.node, p.named, false, "%s", why+": no threshold is taken")
		}
	}
	return s
}

// name gives a signal its name and its label. A standard name is taken only where its unit is the
// signal's: the cockpit computes with what has one.
func (im *importer) name(p panel, t *node, s *signal, several bool) {
	legend := legendOf(t)
	base := snake(p.title, longestSignal)
	s.label = p.title
	if several {
		part := legend
		if part == "" {
			part = t.get("refId").text()
		}
		base = snake(p.title+" "+part, longestSignal)
		s.label = part
		if legend == "" {
			s.label = p.title + " " + part
		}
	} else if legend != "" {
		s.label = legend
	}
	if base == "" || base[0] < 'a' || base[0] > 'z' {
		base = strings.Trim(snake("panel "+base, longestSignal), "_")
	}
	name := unique(base, longestSignal, func(n string) bool { return im.signals[n] != nil })
	if m, standard := sale.MeaningOf(sale.Signal(name)); standard {
		if m.Unit == s.unit || s.unit == sale.Count && (m.Unit == sale.Users || m.Unit == sale.Tickets) {
			s.standard = true
			im.tell(t, p.named, false, "it is taken for the standard signal %s, with which the cockpit computes: rename it where it is something else", name)
		} else {
			im.tell(t, p.named, false, "%s is a standard signal in %s, and this one is in %s: it is called %s_board", name, m.Unit, s.unit, name)
			name = unique(name[:min(len(name), longestSignal-6)]+"_board", longestSignal, func(n string) bool { return im.signals[n] != nil })
		}
	}
	s.name = name
}

// legendOf is a legend that is the same for every line; "" for one made of labels.
func legendOf(t *node) string {
	for _, key := range []string{"legendFormat", "label", "alias"} {
		legend := t.get(key).text()
		if legend != "" && legend != "__auto" && !strings.ContainsAny(legend, "{}$[]") {
			return sale.Clean(legend, 24)
		}
	}
	return ""
}

// looks are the unit and the thresholds of a target: those of the panel, or its own.
func (im *importer) looks(p panel, t *node) (u scaled, steps []step, has bool) {
	defaults := p.get("fieldConfig", "defaults")
	unit, thresholds := defaults.get("unit"), defaults.get("thresholds")
	style := defaults.get("custom", "thresholdsStyle", "mode").text()
	drawnAs := p.kind
	switch p.kind {
	case "graph":
		unit = p.get("yaxes").atIndex(0).get("format")
	case "singlestat":
		unit = p.get("format")
	case "heatmap":
		if axis := p.get("options", "yAxis", "unit"); axis != nil {
			unit = axis
		}
	}
	for _, o := range p.get("fieldConfig", "overrides").list() {
		mine := o.get("matcher", "id").text() == "byFrameRefID" && o.get("matcher", "options").text() == t.get("refId").text() ||
			o.get("matcher", "id").text() == "byName" && o.get("matcher", "options").text() == t.get("legendFormat").text()
		for _, property := range o.get("properties").list() {
			id := property.get("id").text()
			switch {
			case mine && id == "unit":
				unit = property.get("value")
			case mine && id == "thresholds":
				thresholds = property.get("value")
			case mine && id == "custom.thresholdsStyle":
				style = property.get("value", "mode").text()
			}
		}
	}
	u = unitOf(unit.text())
	steps, why := im.steps(p, drawnAs, style, thresholds, defaults)
	if why != "" {
		im.tell(p.node, p.named, false, "%s: no threshold is taken", why)
		return u, nil, false
	}
	if isDefault(steps) {
		im.tell(p.node, p.named, false, "the threshold 80 is Grafana's own first guess: not taken")
		return u, nil, false
	}
	return u, steps, len(steps) > 0
}

// steps are the thresholds that the panel shows: what is drawn as a plain line has some, too, and
// nobody ever looked at them.
func (im *importer) steps(p panel, kind, style string, thresholds, defaults *node) (steps []step, why string) {
	switch kind {
	case "graph":
		return graphSteps(p.get("thresholds").list())
	case "singlestat":
		return singleSteps(p)
	case "timeseries", "trend", "barchart":
		if style == "" || style == "off" {
			return nil, ""
		}
	case "heatmap", "piechart":
		return nil, ""
	case "stat":
		if mode := defaults.get("color", "mode").text(); mode != "" && mode != "thresholds" {
			return nil, ""
		}
	}
	return stepsOf(thresholds, defaults.get("min"), defaults.get("max"))
}

func (n *node) atIndex(i int) *node {
	if items := n.list(); i < len(items) {
		return items[i]
	}
	return nil
}
