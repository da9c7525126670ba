package grafana

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// templated is a variable of the dashboard.
type templated struct {
	name  string // in the dashboard
	ours  string // in the config
	value string // its default there
	kind  string // "query", "interval", "datasource" …
	told  string // what is lost; "" for nothing
	many  bool   // it stands for several values, by a regular expression
}

var (
	reference  = regexp.MustCompile(`\$(\w+)|\$\{(\w+)(?:\.[^}:]*)?(?::[^}]*)?\}|\[\[(\w+)(?::\w+)?\]\]`)
	nameOfOurs = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,39}$`)
	held1      = regexp.MustCompile(`onsale_var_(\d+)_`)
	simpleSpan = regexp.MustCompile(`^now-(\d+)([smhdw])$`)
)

// variables reads templating.list.
func (im *importer) readVariables(list []*node) {
	for _, v := range list {
		t := &templated{name: v.get("name").text(), kind: v.get("type").text()}
		if t.name == "" {
			continue
		}
		if t.kind == "adhoc" || t.kind == "groupby" {
			im.tell(v, "", false, "the %s filter %s is not applied", t.kind, clip(t.name))
			continue
		}
		t.ours = t.name
		if t.ours == "sale" || !nameOfOurs.MatchString(t.ours) { // $sale is the sale's id
			t.ours = "board_" + snake(t.name, 30)
		}
		t.value, t.told, t.many = defaultOf(v)
		im.variables[t.name] = t
		im.order = append(im.order, t.name)
	}
}

// unset stands for a value that the dashboard does not have. It matches nothing, which is told as no
// data; an empty one would match every series without the label.
const unset = "set-it"

// defaultOf is what the dashboard opens with.
func defaultOf(v *node) (value, told string, many bool) {
	current := v.get("current", "value")
	if current == nil && v.get("type").text() == "constant" || v.get("type").text() == "textbox" && current.first() == "" {
		if value = v.get("query").text(); value != "" {
			return value, "", false
		}
	}
	var all []string
	for _, item := range current.list() {
		all = append(all, item.word())
	}
	if current != nil && !current.array {
		all = []string{current.word()}
	}
	switch {
	case len(all) == 1 && all[0] == "$__all", len(all) == 0 && v.get("includeAll").is(true):
		if value = v.get("allValue").text(); value == "" {
			value = ".+"
		}
		return value, "stands for all values: every series that has the label", true
	case len(all) > 1:
		return strings.Join(all, "|"), "has several values: the regular expression that matches each", true
	case len(all) == 1 && all[0] != "":
		return all[0], "", false
	}
	return unset, "has no value in the dashboard: set it", false
}

// text is an expression whose variables are held apart, so that PromQL's parser can look at it.
type text struct {
	im     *importer
	probe  string // with a word in place of each variable
	names  []string
	spoken []string // what was put in for Grafana's own
	many   bool     // a variable in it stands for several values
}

// hold takes the variables out of an expression; why says which one nothing is known of.
func (im *importer) hold(expr string) (t text, why string) {
	t.im = im
	said := map[string]bool{}
	t.probe = reference.ReplaceAllStringFunc(expr, func(ref string) string {
		m := reference.FindStringSubmatch(ref)
		name := m[1] + m[2] + m[3]
		if m[1] != "" && m[1][0] >= '0' && m[1][0] <= '9' {
			return ref // $1, of a replacement
		}
		if value, told, ok := im.builtIn(name); ok {
			if told != "" && !said[name] {
				said[name] = true
				t.spoken = append(t.spoken, told)
			}
			return value
		}
		v := im.variables[name]
		switch {
		case v == nil:
			why = fmt.Sprintf("the variable $%s, which the dashboard does not declare", sale.Clean(name, 40))
			return ref
		case v.kind == "interval":
			value := v.value
			if !duration.MatchString(value) {
				value = spanText(im.window)
			}
			if !said[name] {
				said[name] = true
				t.spoken = append(t.spoken, fmt.Sprintf("$%s is %s, as the dashboard opens", sale.Clean(name, 40), value))
			}
			return value
		}
		t.names, t.many = append(t.names, v.ours), t.many || v.many
		if v.told != "" && !said[name] {
			said[name] = true
			t.spoken = append(t.spoken, fmt.Sprintf("$%s %s", v.ours, v.told))
		}
		return fmt.Sprintf("onsale_var_%d_", len(t.names)-1)
	})
	return t, why
}

var duration = regexp.MustCompile(`^(\d+(ms|s|m|h|d|w))+$`)

// builtIn is what Grafana itself puts in.
func (im *importer) builtIn(name string) (value, told string, ok bool) {
	switch name {
	case "__rate_interval", "__interval":
		return spanText(im.window), fmt.Sprintf("$%s is %s", name, spanText(im.window)), true
	case "__rate_interval_ms", "__interval_ms":
		return fmt.Sprint(im.window.Milliseconds()), fmt.Sprintf("$%s is %d", name, im.window.Milliseconds()), true
	case "__range", "__range_s", "__range_ms":
		told = fmt.Sprintf("$__range is %s, as the dashboard opens", spanText(im.span))
		switch name {
		case "__range_s":
			return fmt.Sprint(int64(im.span / time.Second)), told, true
		case "__range_ms":
			return fmt.Sprint(im.span.Milliseconds()), told, true
		}
		return spanText(im.span), told, true
	}
	return "", "", false
}

// fixed is a text with the values of its variables, for what a config takes no variable in.
func (im *importer) fixed(text string) string {
	return reference.ReplaceAllStringFunc(text, func(ref string) string {
		m := reference.FindStringSubmatch(ref)
		if v := im.variables[m[1]+m[2]+m[3]]; v != nil {
			return v.value
		}
		return ref
	})
}

// used are the variables that a signal of the config names.
func (im *importer) used() map[string]bool {
	used := map[string]bool{}
	note := func(text string) {
		for _, m := range reference.FindAllStringSubmatch(strings.ReplaceAll(text, "$$", ""), -1) {
			used[m[1]+m[2]] = true
		}
	}
	for _, s := range im.signals {
		note(s.query)
		note(s.expression)
		metrics := s.metrics
		if s.metric != nil {
			metrics = append(metrics, s.metric)
		}
		for _, m := range metrics {
			note(m.namespace)
			note(m.name)
			for _, d := range m.dimensions {
				note(d[1])
			}
		}
	}
	return used
}

// put gives a text back its variables, in the words of a config: $name, and $$ where a dollar sign
// could be taken for one.
func (t text) put(expr string) string {
	expr = escaped(expr)
	var b strings.Builder
	last := 0
	for _, m := range held1.FindAllStringSubmatchIndex(expr, -1) {
		var i int
		_, _ = fmt.Sscan(expr[m[2]:m[3]], &i)
		if i >= len(t.names) {
			continue // the dashboard's own word
		}
		b.WriteString(expr[last:m[0]])
		b.WriteString("${" + t.names[i] + "}")
		last = m[1]
	}
	return bareBraces.ReplaceAllString(b.String()+expr[last:], "$$$1$2")
}

// bareBraces are references that are as clear without braces.
var bareBraces = regexp.MustCompile(`\$\{(\w+)\}([^\w]|$)`)

// escaped doubles each dollar sign that a config would take for a variable's.
func escaped(expr string) string {
	var b strings.Builder
	for i := 0; i < len(expr); i++ {
		b.WriteByte(expr[i])
		if expr[i] != '$' || i+1 == len(expr) {
			continue
		}
		if next := expr[i+1]; next == '$' || next == '{' || next == '_' || next >= 'a' && next <= 'z' || next >= 'A' && next <= 'Z' {
			b.WriteByte('$')
		}
	}
	return b.String()
}

// spanText writes a duration as PromQL does: 90s, 5m, 6h.
func spanText(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%ds", max(d/time.Second, 1))
}

// spanOf is how much the dashboard shows when it opens; an hour where it does not say.
func spanOf(from string) time.Duration {
	m := simpleSpan.FindStringSubmatch(from)
	if m == nil {
		return time.Hour
	}
	var n int64
	if _, err := fmt.Sscan(m[1], &n); err != nil || n <= 0 || n > 10_000 {
		return time.Hour
	}
	unit := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}[m[2]]
	return time.Duration(n) * unit
}

// snake is a text as a name of a config, at most so long: "Orders / min" is orders_min.
func snake(text string, longest int) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else if s := b.String(); s != "" && s[len(s)-1] != '_' {
			b.WriteByte('_')
		}
		if b.Len() >= longest {
			break
		}
	}
	return strings.Trim(b.String(), "_")
}
