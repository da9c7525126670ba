package aws

import (
	"strings"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

// listPage is how many metrics ListMetrics returns at once.
const listPage = 500

// dimensionFilter is a DimensionFilter: a name, and a value if one is given.
type dimensionFilter struct {
	name, value string
	hasValue    bool
}

// listMetrics returns the metrics of the region that match every filter, in a stable order.
func (c *cloudWatch) listMetrics(in object) ([]byte, *apiError) {
	namespace, byNamespace := in.text("Namespace")
	name, byName := in.text("MetricName")
	active, byActivity := in.text("RecentlyActive")
	owner, byOwner := in.text("OwningAccount")
	linked := in.boolean("IncludeLinkedAccounts", false)
	after, hasToken := in.text("NextToken")
	var filters []dimensionFilter
	in.list("Dimensions", func(o object) {
		f := dimensionFilter{}
		f.name, _ = o.text("Name")
		f.value, f.hasValue = o.text("Value")
		filters = append(filters, f)
	})
	switch {
	case *in.problem != nil:
		return nil, *in.problem
	case byActivity && active != "PT3H":
		return nil, invalidValue("RecentlyActive", "PT3H is the only value that is allowed")
	case len(filters) > maxDimensions:
		return nil, invalidValue("Dimensions", "the collection must not have a size greater than 30")
	}
	var found []telemetry.Metric
	for _, m := range c.metrics.List(c.region) {
		if byNamespace && m.Namespace != namespace || byName && m.Name != name || byOwner && owner != telemetry.Account {
			continue
		}
		if matches(m, filters) && (!byActivity || c.recentlyActive(m)) {
			found = append(found, m)
		}
	}
	request := fingerprint("ListMetrics", namespace, byNamespace, name, byName, active, owner, linked, filters)
	begin := 0
	if hasToken {
		t, ok := parseToken(after, request)
		if !ok || t.at[0] < 0 || t.at[0] > int64(len(found)) {
			return nil, invalidToken()
		}
		begin = int(t.at[0])
	}
	finish := min(begin+listPage, len(found))
	next := ""
	if finish < len(found) {
		next = token{request: request, at: [3]int64{int64(finish)}}.String()
	}
	return encodeMetrics(found[begin:finish], next, linked), nil
}

// matches says whether a metric has every dimension of the filters; it may have more.
func matches(m telemetry.Metric, filters []dimensionFilter) bool {
	pairs := telemetry.SplitDimensions(m.Dimensions)
	for _, f := range filters {
		ok := false
		for _, p := range pairs {
			ok = ok || p[0] == f.name && (!f.hasValue || p[1] == f.value)
		}
		if !ok {
			return false
		}
	}
	return true
}

func (c *cloudWatch) recentlyActive(m telemetry.Metric) bool {
	now := c.now()
	minutes, _ := c.metrics.Minutes(m, now.Add(-3*time.Hour), now)
	return len(minutes) > 0
}

func encodeMetrics(found []telemetry.Metric, next string, linked bool) []byte {
	var w writer
	w.beginMap()
	w.key("Metrics").beginList()
	for _, m := range found {
		w.beginMap()
		w.dimensions(m.Dimensions)
		w.text("MetricName", m.Name)
		w.text("Namespace", m.Namespace)
		w.end()
	}
	w.end()
	if next != "" {
		w.text("NextToken", next)
	}
	if linked {
		accounts := make([]string, len(found))
		for i := range accounts {
			accounts[i] = telemetry.Account
		}
		w.textList("OwningAccounts", accounts)
	}
	w.end()
	return w.b
}

func (w *writer) dimensions(set string) {
	w.key("Dimensions").beginList()
	for _, p := range telemetry.SplitDimensions(set) {
		w.beginMap()
		w.text("Name", p[0])
		w.text("Value", p[1])
		w.end()
	}
	w.end()
}

func invalidValue(parameter, why string) *apiError {
	return &apiError{
		shape: cloudWatchSpace + "InvalidParameterValueException", code: "InvalidParameterValue", status: 400,
		message: "The value for parameter " + parameter + " is not valid: " + strings.TrimSuffix(why, ".") + ".",
	}
}
