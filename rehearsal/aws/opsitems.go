package aws

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/onsale-dev/onsale/rehearsal/systems"
)

// mostItems is the most OpsItems that one answer holds.
const mostItems = 50

type describeOpsItems struct {
	Filters []struct {
		Key      string   `json:"Key"`
		Operator string   `json:"Operator"`
		Values   []string `json:"Values"`
	} `json:"OpsItemFilters"`
	Most *int    `json:"MaxResults"`
	Next *string `json:"NextToken"`
}

// opsFilters are the keys that a filter can have here, and what they look at. The other keys of the
// service are refused, so that a client finds out here.
var opsFilters = map[string]func(o *systems.OpsItem) string{
	"Status":    func(o *systems.OpsItem) string { return o.Status },
	"Source":    func(o *systems.OpsItem) string { return o.Source },
	"Title":     func(o *systems.OpsItem) string { return o.Title },
	"OpsItemId": func(o *systems.OpsItem) string { return o.ID },
	"Severity":  func(o *systems.OpsItem) string { return o.Severity },
	"Category":  func(o *systems.OpsItem) string { return o.Category },
}

// describeOpsItems lists OpsItems, the newest first, as a list of summaries.
func (s *ssm) describeOpsItems(_ caller, in *describeOpsItems) (any, *apiError) {
	most := mostItems
	if in.Most != nil {
		if most = *in.Most; most < 1 || most > mostItems {
			return nil, notValid("1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to %d", most, mostItems)
		}
	}
	from := 0
	if in.Next != nil {
		n, err := strconv.Atoi(*in.Next)
		if err != nil || n < 0 {
			return nil, notValid("The next token %s is not valid.", *in.Next)
		}
		from = n
	}
	found := []map[string]any{}
	all := s.store.OpsItems()
	slices.Reverse(all) // of two at the same instant the later one is the newer
	slices.SortStableFunc(all, func(a, b systems.OpsItem) int { return b.Created.Compare(a.Created) })
	for i := range all {
		ok := true
		for _, f := range in.Filters {
			of, known := opsFilters[f.Key]
			if !known || len(f.Values) == 0 || f.Operator != "Equal" && f.Operator != "Contains" {
				return nil, badOpsItem([]string{"OpsItemFilters"}, "The filter %s with the operator %s is not valid.", f.Key, f.Operator)
			}
			value := of(&all[i])
			ok = ok && slices.ContainsFunc(f.Values, func(want string) bool {
				return want == value || f.Operator == "Contains" && strings.Contains(value, want)
			})
		}
		if ok {
			found = append(found, s.summary(&all[i]))
		}
	}
	from = min(from, len(found))
	to := min(from+most, len(found))
	out := map[string]any{"OpsItemSummaries": found[from:to]}
	if to < len(found) {
		out["NextToken"] = fmt.Sprint(to)
	}
	return out, nil
}

// summary is an item without what only GetOpsItem tells.
func (s *ssm) summary(o *systems.OpsItem) map[string]any {
	out := s.item(o)
	for _, name := range []string{"OpsItemArn", "Description", "Version", "Notifications"} {
		delete(out, name)
	}
	return out
}
