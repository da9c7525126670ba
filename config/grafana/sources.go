package grafana

import (
	"slices"
	"strings"
)

const (
	prometheus = "prometheus"
	cloudwatch = "cloudwatch"
)

// kindsOf are the plugins of Grafana whose targets are read.
var kindsOf = map[string]string{
	"prometheus":                          prometheus,
	"grafana-amazonprometheus-datasource": prometheus, // Amazon Managed Prometheus
	"victoriametrics-metrics-datasource":  prometheus,
	"cloudwatch":                          cloudwatch,
}

// sourceOf finds the source that a target reads; why says what can't be read.
func (im *importer) sourceOf(p panel, t *node) (src *source, why string) {
	ds := t.get("datasource")
	if empty(ds) || isMixed(ds) {
		ds = p.get("datasource")
	}
	kind, called := im.datasource(ds)
	switch called {
	case "__expr__", "-100":
		return nil, "an expression of Grafana's own server: write it into the query"
	case "-- Dashboard --":
		return nil, "it shows the answer of another panel"
	case "-- Grafana --", "grafana":
		return nil, "Grafana's own test data"
	}
	switch kind {
	case "":
		kind = guess(t)
	case "__expr__":
		return nil, "an expression of Grafana's own server: write it into the query"
	}
	known, ok := kindsOf[kind]
	switch {
	case kind == "":
		return nil, "its data source does not say what it is"
	case !ok:
		return nil, "a data source of kind " + clip(kind) + " is not read from"
	}
	called = orElse(called, "default")
	key := known + " " + called
	if src = im.sources[key]; src == nil {
		src = &source{kind: known, called: called}
		im.sources[key] = src
	}
	return src, ""
}

// use gives a source its name when the first signal reads from it: the one that the caller chose, or
// its kind.
func (im *importer) use(src *source) {
	if src.name != "" {
		return
	}
	taken := func(name string) bool {
		return slices.ContainsFunc(im.sourceNames, func(key string) bool { return im.sources[key].name == name })
	}
	if src.name = im.options.Sources[src.called]; src.name == "" || taken(src.name) {
		src.name = unique(src.kind, 40, taken)
	}
	for key, s := range im.sources {
		if s == src {
			im.sourceNames = append(im.sourceNames, key)
		}
	}
}

// datasource is the plugin and the uid, or the name, of a data source; both may be unknown. A
// reference to an input of the export or to a variable stands for what that is.
func (im *importer) datasource(ds *node) (kind, called string) {
	called = ds.text()
	if ds != nil && ds.object {
		kind, called = ds.get("type").text(), ds.get("uid").word()
	}
	m := reference.FindStringSubmatch(called)
	if m == nil {
		return kind, called
	}
	name := m[1] + m[2] + m[3]
	for _, input := range im.board.get("__inputs").list() {
		if input.get("name").text() == name && input.get("type").text() == "datasource" {
			return orElse(kind, input.get("pluginId").text()), orElse(input.get("label").text(), name)
		}
	}
	for _, v := range im.board.get("templating", "list").list() {
		if v.get("name").text() == name && v.get("type").text() == "datasource" {
			return orElse(kind, v.get("query").text()), orElse(v.get("current", "value").first(), name)
		}
	}
	return kind, name
}

// guess tells a target without a data source, which asks the default one, by its own keys.
func guess(t *node) string {
	switch {
	case t.get("namespace") != nil && t.get("metricName") != nil:
		return cloudwatch
	case t.get("expr") != nil:
		return prometheus
	}
	return ""
}

func empty(ds *node) bool {
	return ds == nil || !ds.object && ds.text() == "" || ds.object && ds.get("uid").word() == "" && ds.get("type").text() == ""
}

func isMixed(ds *node) bool {
	return strings.Contains(ds.text()+ds.get("uid").text(), "-- Mixed --")
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
