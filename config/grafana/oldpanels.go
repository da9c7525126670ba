package grafana

import (
	"math"
	"slices"
	"strings"
)

// Thresholds of the panels that Grafana had before schema version 27, and that old dashboards still hold.

// graphSteps reads the thresholds of a graph: each an operator, a value and what it means.
func graphSteps(list []*node) (steps []step, why string) {
	colors := map[string]string{"critical": "red", "warning": "orange", "ok": "green"}
	var above, below []step
	for _, t := range list {
		v, ok := t.get("value").number()
		color := colors[t.get("colorMode").text()]
		if !ok || color == "" {
			return nil, "a threshold in a colour of its own"
		}
		switch t.get("op").text() {
		case "gt":
			above = append(above, step{v, color})
		case "lt":
			below = append(below, step{v, color})
		default:
			return nil, "a threshold that is neither over nor under a value"
		}
	}
	sorted := func(s []step) {
		slices.SortFunc(s, func(a, b step) int { return int(math.Copysign(1, a.from-b.from)) })
	}
	sorted(above)
	sorted(below)
	switch {
	case len(above) > 0 && len(below) > 0:
		return nil, "thresholds that are bad on both sides of a good range"
	case len(above) > 0:
		return append([]step{{math.Inf(-1), "green"}}, above...), ""
	case len(below) == 0:
		return nil, ""
	}
	// "under 5 is critical" is red from the beginning to 5.
	steps = []step{{math.Inf(-1), below[0].color}}
	for i, s := range below {
		next := "green"
		if i+1 < len(below) {
			next = below[i+1].color
		}
		steps = append(steps, step{s.from, next})
	}
	return steps, ""
}

// singleSteps reads "50,80" and the three colours of a singlestat that colours anything.
func singleSteps(p panel) (steps []step, why string) {
	if !p.get("colorValue").is(true) && !p.get("colorBackground").is(true) || p.get("thresholds").text() == "" {
		return nil, ""
	}
	colors := p.get("colors").list()
	limits := strings.Split(p.get("thresholds").text(), ",")
	if len(colors) <= len(limits) {
		return nil, "thresholds without a colour each"
	}
	steps = []step{{math.Inf(-1), colors[0].text()}}
	for i, limit := range limits {
		v, ok := (&node{value: strings.TrimSpace(limit)}).number()
		if !ok {
			return nil, "a threshold that is no number"
		}
		steps = append(steps, step{v, colors[i+1].text()})
	}
	return steps, ""
}
