package grafana

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// metric is one CloudWatch metric of a signal.
type metric struct {
	id, namespace, name, statistic, account string
	dimensions                              [][2]string // by name
}

var (
	metricID   = regexp.MustCompile(`^[a-z][A-Za-z0-9_]{0,40}$`)
	statistic  = regexp.MustCompile(`^(SampleCount|Average|Sum|Minimum|Maximum|IQM|p(100|[0-9]{1,2}(\.[0-9]{1,10})?)|(tm|tc|ts|wm)[0-9]{1,2}(\.[0-9]{1,10})?)$`)
	mathWord   = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)
	mathQuote  = regexp.MustCompile("\"[^\"]*\"|'[^']*'|`[^`]*`")
	accountID  = regexp.MustCompile(`^[0-9]{12}$`)
	regionCode = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	groupsBy   = regexp.MustCompile(`(?i)\bGROUP\s+BY\b`)
)

// cloudwatch makes a signal of a CloudWatch target, or tells why not.
func (im *importer) cloudwatch(p panel, t *node, src *source, u scaled) *signal {
	left := func(why string) *signal {
		im.tell(t, p.named, true, "target %s: %s", clip(t.get("refId").text()), why)
		return nil
	}
	if mode := t.get("queryMode").text(); mode != "" && mode != "Metrics" {
		return left("CloudWatch " + strings.ToLower(mode) + " are no metrics")
	}
	if p.kind == "heatmap" {
		return left("a heat map is no single number")
	}
	s := &signal{period: periodOf(t.get("period").word())}
	region := im.fixed(t.get("region").text())
	switch {
	case region == "" || region == "default":
	case !regionCode.MatchString(region):
		return left("a region that is none: " + clip(region))
	case src.region == "":
		src.region = region
	case region != src.region:
		s.region = region
	}
	var why string
	expression, sql := t.get("expression").text(), t.get("sqlExpression").text()
	kind, _ := t.get("metricQueryType").number()
	editor, _ := t.get("metricEditorMode").number()
	switch {
	case kind == 1 && sql != "":
		why = im.insights(p, t, s, sql)
	case expression != "" && (kind == 0 && editor == 1 || t.get("metricName").text() == ""):
		why = im.math(p, t, s, expression)
	default:
		s.metric, why = im.metric(p, t)
	}
	if why != "" {
		return left(why)
	}
	s.scale(u.factor)
	return s
}

// scale brings the value into its unit, by metric math.
func (s *signal) scale(factor float64) {
	arithmetic := by(factor)
	switch {
	case arithmetic == "":
	case s.metric != nil:
		s.metric.id = "m"
		s.metrics, s.metric, s.expression = []*metric{s.metric}, nil, "m"+arithmetic
	default:
		s.expression = "(" + s.expression + ")" + arithmetic
	}
}

// periodOf is a period of Grafana in a config's words; what it chooses by itself is a minute.
func periodOf(text string) string {
	seconds, err := strconv.Atoi(strings.TrimSuffix(text, "s"))
	if err != nil || seconds <= 0 || seconds > 86400 || seconds%60 != 0 && !slices.Contains([]int{1, 5, 10, 20, 30}, seconds) {
		return "60s"
	}
	return strconv.Itoa(seconds) + "s"
}

// insights takes a Metrics Insights query, which a signal reads as it is.
func (im *importer) insights(p panel, t *node, s *signal, sql string) (why string) {
	held, why := im.hold(printable(sql))
	switch {
	case why != "":
		return why
	case groupsBy.MatchString(sql):
		return "a query with GROUP BY gives several lines, and a signal is one number"
	case !strings.Contains(sql, "SELECT"):
		return "no query of Metrics Insights"
	}
	im.spoke(p, t, held)
	s.expression = held.put(strings.Join(strings.Fields(held.probe), " "))
	return ""
}

func (im *importer) spoke(p panel, t *node, held text) {
	for _, text := range held.spoken {
		if !im.spoken[text] { // once: it is the same for the whole dashboard
			im.spoken[text] = true
			im.tell(t, p.named, false, "%s", text)
		}
	}
}

// math takes metric math over the other targets of its panel.
func (im *importer) math(p panel, t *node, s *signal, expression string) (why string) {
	held, why := im.hold(printable(expression))
	bare := mathQuote.ReplaceAllString(expression, " ")
	for _, many := range []string{"SEARCH", "METRICS", "SELECT", "SLICE", "ANOMALY_DETECTION_BAND", "INSIGHT_RULE_METRIC", "DB_PERF_INSIGHTS"} {
		if strings.Contains(bare, many) {
			return many + " gives no single number of metrics that are known here"
		}
	}
	if why != "" {
		return why
	}
	used := map[string]*metric{}
	for _, word := range mathWord.FindAllString(bare, -1) {
		if !metricID.MatchString(word) || strings.HasPrefix(word, "onsale_var_") {
			continue
		}
		if used[word] != nil {
			continue
		}
		other := targetOf(p.get("targets").list(), word)
		switch {
		case other == nil || other == t:
			return "the expression uses " + clip(word) + ", which is no target of the panel"
		case other.get("metricName").text() == "":
			return "the expression uses " + clip(word) + ", which is an expression itself"
		}
		m, why := im.metric(p, other)
		if why != "" {
			return why
		}
		m.id = word
		used[word] = m
	}
	if len(used) == 0 {
		return "the expression uses no metric"
	}
	im.spoke(p, t, held)
	for _, id := range slices.Sorted(maps.Keys(used)) {
		s.metrics = append(s.metrics, used[id])
	}
	s.expression = held.put(strings.Join(strings.Fields(held.probe), " "))
	return ""
}

// targetOf finds the target with an id of metric math.
func targetOf(all []*node, id string) *node {
	for _, t := range all {
		if idOf(t) == id {
			return t
		}
	}
	return nil
}

// idOf is what metric math calls a target: what it was given, or its letter.
func idOf(t *node) string {
	if id := t.get("id").text(); id != "" {
		return id
	}
	return strings.ToLower(t.get("refId").text())
}

// usedByMath reports whether a hidden target is a part of one that is shown.
func usedByMath(t *node, all []*node) bool {
	id := idOf(t)
	return id != "" && t.get("metricName").text() != "" && slices.ContainsFunc(all, func(o *node) bool {
		return !o.get("hide").is(true) && slices.Contains(mathWord.FindAllString(o.get("expression").text(), -1), id)
	})
}

// metric reads a metric with its dimensions.
func (im *importer) metric(p panel, t *node) (m *metric, why string) {
	m = &metric{account: t.get("accountId").text()}
	if m.statistic = t.get("statistic").text(); m.statistic == "" {
		m.statistic = t.get("statistics").first()
		if len(t.get("statistics").list()) > 1 {
			im.tell(t, p.named, false, "of several statistics the first is taken: %s", clip(m.statistic))
		}
	}
	if m.statistic == "" {
		m.statistic = "Average"
	}
	if !statistic.MatchString(m.statistic) {
		return nil, "the statistic " + clip(m.statistic) + " is not known here"
	}
	if m.account != "" && !accountID.MatchString(m.account) {
		return nil, "it reads several accounts: " + clip(m.account)
	}
	for _, part := range []struct {
		from string
		to   *string
	}{{"namespace", &m.namespace}, {"metricName", &m.name}} {
		held, why := im.hold(printable(t.get(part.from).text()))
		if why != "" {
			return nil, why
		}
		im.spoke(p, t, held)
		if *part.to = held.put(held.probe); strings.TrimSpace(*part.to) == "" {
			return nil, "it names no " + map[string]string{"namespace": "namespace", "metricName": "metric"}[part.from]
		}
	}
	dimensions := t.get("dimensions")
	if len(dimensions.namesOf()) > 30 {
		return nil, "a metric has at most 30 dimensions"
	}
	for _, name := range slices.Sorted(slices.Values(dimensions.namesOf())) {
		value := dimensions.get(name)
		held, why := im.hold(printable(value.first()))
		switch {
		case why != "":
			return nil, why
		case held.probe == "" || held.many || strings.Contains(held.probe, "*"), len(value.list()) > 1:
			return nil, "the dimension " + clip(name) + " stands for several values, and a signal is one number"
		case name == "" || printable(name) != name:
			return nil, "a dimension without a name"
		}
		im.spoke(p, t, held)
		m.dimensions = append(m.dimensions, [2]string{name, held.put(held.probe)})
	}
	if t.get("matchExact").is(false) {
		im.tell(t, p.named, false, "it also matches metrics with more dimensions: only the one with exactly these is read")
	}
	return m, ""
}

func (n *node) namesOf() []string {
	if n == nil {
		return nil
	}
	return n.names
}
