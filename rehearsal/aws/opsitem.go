package aws

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/onsale-dev/onsale/rehearsal/systems"
	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

// dedupKey is the operational data by which OpsItems are the same one.
const dedupKey = "/aws/dedup"

var reservedSource = regexp.MustCompile(`(?i)aws|amazon|amzn`)

type datumJSON struct {
	Value string `json:"Value"`
	Kind  string `json:"Type,omitempty"`
}

type notifyJSON struct {
	ARN string `json:"Arn"`
}

// opsItemFields are what both creating and updating can set.
type opsItemFields struct {
	Title       *string              `json:"Title"`
	Description *string              `json:"Description"`
	Category    *string              `json:"Category"`
	Severity    *string              `json:"Severity"`
	Priority    *int                 `json:"Priority"`
	Data        map[string]datumJSON `json:"OperationalData"`
	Notify      []notifyJSON         `json:"Notifications"`
}

type createOpsItem struct {
	opsItemFields
	Source *string   `json:"Source"`
	Tags   []tagPair `json:"Tags"`
}

type tagPair struct {
	Key   string `json:"Key"`
	Value string `json:"Value"`
}

func badOpsItem(names []string, format string, args ...any) *apiError {
	e := modelled("OpsItemInvalidParameterException", format, args...)
	e.capital, e.more = true, map[string]any{"ParameterNames": names}
	return e
}

// fill checks what was given and sets it.
func (in *opsItemFields) fill(o *systems.OpsItem) *apiError {
	length := func(name string, v *string, least, most int) *apiError {
		if v != nil && (len(*v) < least || len(*v) > most) {
			return badOpsItem([]string{name}, "%s must have %d to %d characters.", name, least, most)
		}
		return nil
	}
	for _, problem := range []*apiError{
		length("Title", in.Title, 1, 1024), length("Description", in.Description, 1, 2048), length("Category", in.Category, 1, 64), length("Severity", in.Severity, 1, 64),
	} {
		if problem != nil {
			return problem
		}
	}
	if in.Priority != nil && (*in.Priority < 1 || *in.Priority > 5) {
		return badOpsItem([]string{"Priority"}, "Priority must be between 1 and 5.")
	}
	if in.Severity != nil && !slices.Contains([]string{"1", "2", "3", "4"}, *in.Severity) {
		return badOpsItem([]string{"Severity"}, "Severity must be between 1 and 4.")
	}
	for name, d := range in.Data {
		if d.Kind != "" && d.Kind != "String" && d.Kind != "SearchableString" {
			return badOpsItem([]string{"OperationalData"}, "The type of the operational data %s must be String or SearchableString.", name)
		}
	}
	for _, f := range []struct {
		to   *string
		from *string
	}{{&o.Title, in.Title}, {&o.Description, in.Description}, {&o.Category, in.Category}, {&o.Severity, in.Severity}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if in.Priority != nil {
		o.Priority = *in.Priority
	}
	for name, d := range in.Data {
		if o.Data == nil {
			o.Data = map[string]systems.Datum{}
		}
		if d.Kind == "" {
			d.Kind = "String"
		}
		o.Data[name] = systems.Datum{Value: d.Value, Type: d.Kind}
	}
	if in.Notify != nil {
		o.Notify = nil
		for _, n := range in.Notify {
			o.Notify = append(o.Notify, n.ARN)
		}
	}
	return nil
}

// createOpsItem answers CreateOpsItem. One with the deduplication string of an open one is refused,
// with the id of that. Nobody is paged by it.
func (s *ssm) createOpsItem(who caller, in *createOpsItem) (any, *apiError) {
	switch {
	case in.Title == nil || in.Source == nil || in.Description == nil:
		return nil, notValid("1 validation error detected: Value null at 'title', 'source' or 'description' failed to satisfy constraint: Member must not be null")
	case reservedSource.MatchString(*in.Source):
		return nil, badOpsItem([]string{"Source"}, "The source must not contain aws, amazon or amzn.")
	case *in.Source == "" || len(*in.Source) > 128:
		return nil, badOpsItem([]string{"Source"}, "Source must have 1 to 128 characters.")
	}
	o, err := s.store.PutOpsItem("", who.key, func(o *systems.OpsItem, all []systems.OpsItem) error {
		o.Source, o.Status = *in.Source, "Open"
		if problem := in.fill(o); problem != nil {
			return problem
		}
		key := dedupString(*o)
		for _, other := range all {
			if key != "" && other.Status != "Resolved" && dedupString(other) == key {
				e := modelled("OpsItemAlreadyExistsException", "An OpsItem with the same deduplication string already exists: %s", other.ID)
				e.capital, e.more = true, map[string]any{"OpsItemId": other.ID}
				return e
			}
		}
		return nil
	})
	if err != nil {
		return nil, own(err)
	}
	return map[string]string{"OpsItemId": o.ID, "OpsItemArn": s.itemARN(o.ID)}, nil
}

// dedupString reads the deduplication string: the value is JSON with the member dedupString.
func dedupString(o systems.OpsItem) string {
	d, ok := o.Data[dedupKey]
	if !ok {
		return ""
	}
	var v struct {
		Text string `json:"dedupString"`
	}
	if json.Unmarshal([]byte(d.Value), &v) != nil || v.Text == "" {
		return d.Value
	}
	return v.Text
}

type updateOpsItem struct {
	opsItemFields
	ID     *string  `json:"OpsItemId"`
	ARN    *string  `json:"OpsItemArn"`
	Status *string  `json:"Status"`
	Delete []string `json:"OperationalDataToDelete"`
}

func (s *ssm) updateOpsItem(who caller, in *updateOpsItem) (any, *apiError) {
	id, problem := s.itemID(in.ID, in.ARN)
	if problem != nil {
		return nil, problem
	}
	if in.Status != nil && !slices.Contains([]string{"Open", "InProgress", "Resolved"}, *in.Status) {
		return nil, badOpsItem([]string{"Status"}, "The status of an issue is Open, InProgress or Resolved, not %s.", *in.Status)
	}
	_, err := s.store.PutOpsItem(id, who.key, func(o *systems.OpsItem, _ []systems.OpsItem) error {
		if problem := in.fill(o); problem != nil {
			return problem
		}
		for _, name := range in.Delete {
			delete(o.Data, name)
		}
		if in.Status != nil {
			o.Status = *in.Status
		}
		return nil
	})
	switch {
	case errors.Is(err, systems.ErrNoItem):
		return nil, noOpsItem(id)
	case err != nil:
		return nil, own(err)
	}
	return struct{}{}, nil
}

func noOpsItem(id string) *apiError {
	e := modelled("OpsItemNotFoundException", "OpsItem %s was not found.", id)
	e.capital = true
	return e
}

func (s *ssm) itemARN(id string) string {
	return fmt.Sprintf("arn:aws:ssm:%s:%s:opsitem/%s", s.region, telemetry.Account, id)
}

// itemID reads which item is meant. The ARN must not name another one.
func (s *ssm) itemID(id, arn *string) (string, *apiError) {
	if id == nil {
		return "", notValid("1 validation error detected: Value null at 'opsItemId' failed to satisfy constraint: Member must not be null")
	}
	if arn != nil && *arn != s.itemARN(strings.TrimSpace(*id)) {
		return "", noOpsItem(*arn)
	}
	return *id, nil
}

type getOpsItem struct {
	ID  *string `json:"OpsItemId"`
	ARN *string `json:"OpsItemArn"`
}

func (s *ssm) getOpsItem(_ caller, in *getOpsItem) (any, *apiError) {
	id, problem := s.itemID(in.ID, in.ARN)
	if problem != nil {
		return nil, problem
	}
	for _, o := range s.store.OpsItems() {
		if o.ID == id {
			return map[string]any{"OpsItem": s.item(&o)}, nil
		}
	}
	return nil, noOpsItem(id)
}

type describeOpsItems struct {
	Filters []struct {
		Key      string   `json:"Key"`
		Operator string   `json:"Operator"`
		Values   []string `json:"Values"`
	} `json:"OpsItemFilters"`
	Limit *int    `json:"MaxResults"`
	After *string `json:"NextToken"`
}

// describeOpsItems answers DescribeOpsItems, the newest first. The rehearsed service filters by Source and
// Status, with Equal.
func (s *ssm) describeOpsItems(_ caller, in *describeOpsItems) (any, *apiError) {
	for _, f := range in.Filters {
		if f.Key != "Source" && f.Key != "Status" || f.Operator != "Equal" || len(f.Values) == 0 {
			return nil, badOpsItem([]string{"OpsItemFilters"}, "The rehearsed service does not filter by %s %s.", f.Key, f.Operator)
		}
	}
	found := []map[string]any{}
	all := s.store.OpsItems()
	slices.Reverse(all)
	for _, o := range all {
		fits := true
		for _, f := range in.Filters {
			fits = fits && slices.Contains(f.Values, map[string]string{"Source": o.Source, "Status": o.Status}[f.Key])
		}
		if !fits {
			continue
		}
		summary := s.item(&o)
		for _, name := range []string{"OpsItemArn", "Description", "Notifications", "Version"} { // a summary has none of them
			delete(summary, name)
		}
		found = append(found, summary)
	}
	cut, next, problem := jsonPage(found, in.Limit, in.After, 50, notValid, "DescribeOpsItems", in.Filters)
	if problem != nil {
		return nil, problem
	}
	return map[string]any{"OpsItemSummaries": cut, "NextToken": next}, nil
}

// item is an OpsItem in the service's words. Members that were never set are left out.
func (s *ssm) item(o *systems.OpsItem) map[string]any {
	user := func(key string) string { return user(key).arn }
	out := map[string]any{
		"OpsItemId": o.ID, "OpsItemArn": s.itemARN(o.ID), "OpsItemType": "/aws/issue", "Title": o.Title, "Description": o.Description,
		"Source": o.Source, "Status": o.Status, "CreatedBy": user(o.CreatedBy), "CreatedTime": epoch(o.Created),
		"LastModifiedBy": user(o.ModifiedBy), "LastModifiedTime": epoch(o.Modified), "Version": fmt.Sprint(o.Version),
	}
	for name, v := range map[string]string{"Category": o.Category, "Severity": o.Severity} {
		if v != "" {
			out[name] = v
		}
	}
	if o.Priority > 0 {
		out["Priority"] = o.Priority
	}
	if len(o.Data) > 0 {
		data := map[string]datumJSON{}
		for name, d := range o.Data {
			data[name] = datumJSON{d.Value, d.Type}
		}
		out["OperationalData"] = data
	}
	if len(o.Notify) > 0 {
		var topics []notifyJSON
		for _, arn := range o.Notify {
			topics = append(topics, notifyJSON{arn})
		}
		out["Notifications"] = topics
	}
	return out
}
