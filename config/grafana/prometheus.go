package grafana

import "strings"

// prometheus makes a signal of a PromQL target, or tells why not.
func (im *importer) prometheus(p panel, t *node, u scaled) *signal {
	left := func(format string, args ...any) *signal {
		im.tell(t, p.named, true, "target "+clip(t.get("refId").text())+": "+format, args...)
		return nil
	}
	expr := strings.TrimSpace(t.get("expr").text())
	switch {
	case expr == "":
		return left("it has no expression")
	case len(expr) > maxExpression:
		return left("an expression longer than %d bytes", maxExpression)
	}
	held, why := im.hold(printable(expr))
	if why != "" {
		return left("%s", why)
	}
	probe := held.probe
	series := im.options.Series(probe)
	switch {
	case series.Count < 0:
		return left("it gives no number")
	case p.kind == "heatmap" && !series.Buckets:
		return left("a heat map is no single number: take histogram_quantile() of its buckets")
	case p.kind == "heatmap":
		probe = "histogram_quantile(0.95, " + probe + ")"
		im.tell(t, p.named, false, "the 95th percentile is taken of the heat map")
	case series.Count > 1 && series.Whole == "":
		return left("it gives several lines, and a signal is one number: put sum(…), max(…) or another aggregation around it")
	case series.Count > 1:
		probe = series.Whole
		im.tell(t, p.named, false, "its lines are one number now: %s", held.put(probe))
	case series.Count == 0:
		im.tell(t, p.named, false, "where it gives several lines it is no number: then put sum(…), max(…) or another aggregation around it")
	}
	im.spoke(p, t, held)
	if arithmetic := by(u.factor); arithmetic != "" {
		if strings.Contains(probe, "#") {
			probe += "\n" // or a comment at its end would swallow the rest
		}
		probe = "(" + probe + ")" + arithmetic
	}
	return &signal{query: held.put(probe)}
}

// printable leaves out what no expression needs and no config takes.
func printable(expr string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0xfeff || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, strings.ReplaceAll(expr, "\r\n", "\n"))
}
