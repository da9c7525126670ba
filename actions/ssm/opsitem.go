package ssm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// KindOpsItem is the kind of an OpsItem's target. Its ID is the item's own while one is open.
const KindOpsItem = "OpsItem"

// SettingStatus is the state of a sale's OpsItem: Open, InProgress or Resolved; unset while none is
// open.
const SettingStatus = "status"

// dedupKey is the operational data by which OpsCenter tells that two items are the same.
const dedupKey = "/aws/dedup"

// OpsOptions configure incidents as OpsItems.
type OpsOptions struct {
	AWS
	Source   string             // who opened it, without aws, amazon or amzn; default onsale
	Severity string             // 1 to 4; default 2
	Category string             // default Availability
	Notify   []string           // ARNs of SNS topics that are told; an OpsItem alone pages nobody
	Names    map[sale.ID]string // of the sales, for the title
	Links    map[sale.ID][]sale.Link
}

// OpsItem opens, takes, resolves and annotates the one OpsItem of a sale.
type OpsItem struct {
	o OpsOptions
	c *connection

	mu  sync.Mutex
	ids map[sale.ID]string // of the items that this process has opened or found
}

var _ actions.Executor = (*OpsItem)(nil)

// NewOpsItem makes the executor of incidents. It sends nothing.
func NewOpsItem(o OpsOptions) (*OpsItem, error) {
	c, err := connect(o.AWS)
	if err != nil {
		return nil, err
	}
	if o.Source == "" {
		o.Source = "onsale"
	}
	if o.Severity == "" {
		o.Severity = "2"
	}
	if o.Category == "" {
		o.Category = "Availability"
	}
	for _, reserved := range []string{"aws", "amazon", "amzn"} {
		if strings.Contains(strings.ToLower(o.Source), reserved) {
			return nil, errorf("OpsItem: the source %q must not hold %q", o.Source, reserved)
		}
	}
	if !slices.Contains([]string{"1", "2", "3", "4"}, o.Severity) {
		return nil, errorf("OpsItem: the severity %q is none of 1 to 4", o.Severity)
	}
	if len(o.Source) > 128 || len(o.Category) > 64 {
		return nil, errorf("OpsItem: the source has at most 128 characters, the category 64")
	}
	return &OpsItem{o: o, c: c, ids: map[sale.ID]string{}}, nil
}

// Info describes the executor.
func (e *OpsItem) Info() actions.Info {
	return actions.Info{
		System: System, Deadline: 10 * time.Second,
		Verbs: []actions.Verb{actions.Incident, actions.Acknowledge, actions.Resolve, actions.AddNote},
	}
}

// Target is a sale's OpsItem as the policy has to declare it.
func (e *OpsItem) Target(id sale.ID) actions.Target {
	return actions.Target{System: System, Kind: KindOpsItem, Name: dedup(id), Region: e.o.Config.Region}
}

// dedup is the deduplication string of a sale's incident: the same in every cockpit.
func dedup(id sale.ID) string { return "onsale/" + string(id) + "/incident" }

// dedupData is the string as OpsCenter wants it.
func dedupData(id sale.ID) string { return `{"dedupString":"` + dedup(id) + `"}` }

// item is an OpsItem as it was found.
type item struct {
	id, status, by string
	version        string
	changed        time.Time
	data           map[string]types.OpsItemDataValue
}

// find returns the sale's unresolved OpsItem, or nil when there is none.
func (e *OpsItem) find(ctx context.Context, id sale.ID) (*item, error) {
	e.mu.Lock()
	known := e.ids[id]
	e.mu.Unlock()
	if known != "" {
		found, err := e.get(ctx, known)
		if found != nil && found.status != string(types.OpsItemStatusResolved) || err != nil {
			return found, err
		}
	}
	known, err := e.search(ctx, id)
	if err != nil || known == "" {
		return nil, err
	}
	e.remember(id, known)
	return e.get(ctx, known)
}

func (e *OpsItem) remember(id sale.ID, ops string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ids[id] = ops
}

// get reads one item; nil when there is no such item.
func (e *OpsItem) get(ctx context.Context, ops string) (*item, error) {
	out, err := e.c.GetOpsItem(ctx, &ssm.GetOpsItemInput{OpsItemId: aws.String(ops)})
	var gone *types.OpsItemNotFoundException
	switch {
	case errors.As(err, &gone):
		return nil, nil
	case err != nil:
		return nil, e.c.problem(err)
	case out.OpsItem == nil || aws.ToString(out.OpsItem.OpsItemId) != ops || out.OpsItem.Status == "":
		return nil, &sale.Problem{Class: sale.BadData, Text: "the answer holds no OpsItem", Hint: "see the endpoint in the config"}
	}
	o := out.OpsItem
	found := &item{
		id: ops, status: e.c.clean(string(o.Status), 40), by: e.c.clean(aws.ToString(o.LastModifiedBy), 120),
		version: e.c.clean(aws.ToString(o.Version), 40), data: o.OperationalData,
	}
	if o.LastModifiedTime != nil {
		found.changed = o.LastModifiedTime.UTC()
	}
	return found, nil
}

const mostPages = 5

// search looks for the unresolved item that bears the sale's deduplication string.
func (e *OpsItem) search(ctx context.Context, id sale.ID) (string, error) {
	in := &ssm.DescribeOpsItemsInput{MaxResults: aws.Int32(50), OpsItemFilters: []types.OpsItemFilter{
		{Key: types.OpsItemFilterKeySource, Operator: types.OpsItemFilterOperatorEqual, Values: []string{e.o.Source}},
		{Key: types.OpsItemFilterKeyStatus, Operator: types.OpsItemFilterOperatorEqual, Values: []string{"Open", "InProgress"}},
	}}
	for range mostPages {
		out, err := e.c.DescribeOpsItems(ctx, in)
		if err != nil {
			return "", e.c.problem(err)
		}
		for _, s := range out.OpsItemSummaries {
			ops := aws.ToString(s.OpsItemId)
			if ops == "" || ops != sale.Clean(ops, 64) || s.Status == types.OpsItemStatusResolved {
				continue
			}
			if aws.ToString(s.OperationalData[dedupKey].Value) == dedupData(id) {
				return ops, nil
			}
		}
		if aws.ToString(out.NextToken) == "" {
			return "", nil
		}
		in.NextToken = out.NextToken
	}
	return "", &sale.Problem{Class: sale.BadData, Text: fmt.Sprintf("more than %d unresolved OpsItems of %s: not all were looked at", 50*mostPages, sale.Clean(e.o.Source, 40)), Hint: "resolve the old ones in OpsCenter"}
}

// value is what is known of the sale's item, with the setting of a note when one is asked for.
func (i *item) value(note string) actions.Value {
	v := actions.Value{SettingStatus: actions.Unset}
	if note != "" {
		v = actions.Value{note: actions.Unset}
	}
	switch {
	case i == nil:
	case note == "":
		v[SettingStatus] = actions.Word(i.status)
	case i.data[note].Value != nil:
		v[note] = actions.Word(sale.Clean(*i.data[note].Value, noteCells))
	}
	return v
}

// statusAfter is the status that a verb sets.
func statusAfter(v actions.Verb) (types.OpsItemStatus, bool) {
	switch v {
	case actions.Incident:
		return types.OpsItemStatusOpen, true
	case actions.Acknowledge:
		return types.OpsItemStatusInProgress, true
	case actions.Resolve:
		return types.OpsItemStatusResolved, true
	}
	return "", false
}

// Preview looks whether the sale has an OpsItem, and says what would be done to it. An incident is
// offered also when that can't be found out: the deduplication string prevents a second one.
func (e *OpsItem) Preview(ctx context.Context, req actions.Request, seen actions.Evidence) (actions.Preview, error) {
	zero := 0.0
	p := actions.Preview{
		Request: req, Target: e.Target(req.Sale), ReadAt: time.Now(), Risk: actions.Mild, CostPerHour: &zero,
		CostText: "AWS charges a small sum per OpsItem", EffectText: "in OpsCenter at once; an OpsItem pages nobody by itself",
		NotChanged: "the shop, its gate and its capacity",
	}
	if len(e.o.Notify) > 0 {
		p.EffectText = fmt.Sprintf("in OpsCenter at once; %d SNS topics are told; nobody is paged unless they do it", len(e.o.Notify))
	}
	now, err := e.find(ctx, req.Sale)
	if err != nil {
		if req.Verb != actions.Incident {
			return p, err
		}
		p.Warnings = append(p.Warnings, "whether one is open already is not known ("+err.Error()+"); the deduplication string prevents a second one")
	}
	if now != nil {
		p.Target.ID, p.Version, p.ByWhom, p.Modified = now.id, now.version, now.by, now.changed
	}
	status, ok := statusAfter(req.Verb)
	switch {
	case req.Verb == actions.AddNote:
		name := noteName(req.Text)
		p.From, p.To = now.value(name), actions.Value{name: actions.Word(sale.Clean(req.Text, noteCells))}
		p.Change, p.UndoText = "note to the OpsItem", "a note stays: a wrong one gets another beside it"
		if strings.TrimSpace(req.Text) == "" {
			p.Refuse(actions.GuardRequest, "a note needs words", "")
		}
	case ok:
		p.From, p.To = now.value(""), actions.Value{SettingStatus: actions.Word(string(status))}
		p.Change = fmt.Sprintf("OpsItem %s → %s", p.From[SettingStatus], status)
		p.UndoText = "an OpsItem is not taken back; resolve it"
	default:
		p.Refuse(actions.GuardRequest, fmt.Sprintf("an OpsItem can't do %q", req.Verb), "")
		return p, nil
	}
	switch {
	case req.Verb == actions.Incident && now != nil:
		p.Refuse(actions.GuardTarget, fmt.Sprintf("OpsItem %s is %s already", now.id, now.status), "N adds a note to it")
	case req.Verb != actions.Incident && now == nil:
		p.Refuse(actions.GuardTarget, "sale "+string(req.Sale)+" has no open OpsItem", "I opens one")
	case req.Verb == actions.Acknowledge && now.status == string(types.OpsItemStatusInProgress):
		p.Refuse(actions.GuardTarget, fmt.Sprintf("OpsItem %s is in progress already", now.id), "")
	}
	e.tell(&p, seen)
	return p, nil
}

// Execute sends one CreateOpsItem or UpdateOpsItem.
func (e *OpsItem) Execute(ctx context.Context, p actions.Preview, _ string) (actions.Receipt, error) {
	if p.Target.Kind != KindOpsItem || len(p.To) != 1 {
		return actions.Receipt{}, &actions.RejectedError{Problem: sale.Problem{Class: sale.BadData, Text: "not sent: the preview names no OpsItem", Hint: "open the panel again"}}
	}
	if p.Request.Verb == actions.Incident {
		return e.create(ctx, p)
	}
	in := &ssm.UpdateOpsItemInput{OpsItemId: aws.String(p.Target.ID)}
	if status, ok := statusAfter(p.Request.Verb); ok {
		in.Status = status
	} else {
		name := noteName(p.Request.Text)
		text, _ := p.To[name].Word()
		if text == "" {
			return actions.Receipt{}, &actions.RejectedError{Problem: sale.Problem{Class: sale.BadData, Text: "not sent: a note needs words", Hint: "write the note again"}}
		}
		in.OperationalData = map[string]types.OpsItemDataValue{name: {Type: types.OpsItemDataTypeString, Value: aws.String(text)}}
	}
	id, err := e.c.write(ctx, func(ctx context.Context) (middleware.Metadata, error) {
		out, err := e.c.UpdateOpsItem(ctx, in)
		if err != nil {
			return middleware.Metadata{}, err
		}
		return out.ResultMetadata, nil
	})
	if err != nil {
		return actions.Receipt{RequestID: id}, err
	}
	return actions.Receipt{RequestID: id, Text: "accepted for OpsItem " + p.Target.ID, Link: e.link(p.Target.ID)}, nil
}

func (e *OpsItem) create(ctx context.Context, p actions.Preview) (actions.Receipt, error) {
	in := &ssm.CreateOpsItemInput{
		Title: aws.String(e.title(p)), Description: aws.String(e.body(p)), Source: aws.String(e.o.Source),
		Severity: aws.String(e.o.Severity), Category: aws.String(e.o.Category),
		OperationalData: map[string]types.OpsItemDataValue{
			dedupKey:      {Type: types.OpsItemDataTypeSearchableString, Value: aws.String(dedupData(p.Request.Sale))},
			"onsale/sale": {Type: types.OpsItemDataTypeSearchableString, Value: aws.String(string(p.Request.Sale))},
		},
	}
	for _, arn := range e.o.Notify {
		in.Notifications = append(in.Notifications, types.OpsItemNotification{Arn: aws.String(arn)})
	}
	made, already := "", false
	id, err := e.c.write(ctx, func(ctx context.Context) (middleware.Metadata, error) {
		out, err := e.c.CreateOpsItem(ctx, in)
		var exists *types.OpsItemAlreadyExistsException
		switch {
		case errors.As(err, &exists) && aws.ToString(exists.OpsItemId) != "":
			made, already = *exists.OpsItemId, true
			return middleware.Metadata{}, nil // what was wanted is there
		case err != nil:
			return middleware.Metadata{}, err
		}
		made = aws.ToString(out.OpsItemId)
		return out.ResultMetadata, nil
	})
	if err != nil {
		return actions.Receipt{RequestID: id}, err
	}
	if made == "" || made != sale.Clean(made, 64) {
		return actions.Receipt{RequestID: id}, &sale.Problem{Class: sale.BadData, Text: "the answer names no OpsItem", Hint: "look in OpsCenter"}
	}
	e.remember(p.Request.Sale, made)
	receipt := actions.Receipt{RequestID: id, Text: "OpsItem " + made + " is open; it pages nobody by itself", Link: e.link(made)}
	if already {
		receipt.Text = "OpsItem " + made + " was open already; nothing new was made"
	}
	return receipt, nil
}

func (e *OpsItem) link(ops string) string {
	return "https://" + e.o.Config.Region + ".console.aws.amazon.com/systems-manager/opsitems/" + ops
}

// ReadBack finds the sale's item. One that is resolved is found by the id that the preview names.
func (e *OpsItem) ReadBack(ctx context.Context, p actions.Preview) (actions.State, error) {
	var now *item
	var err error
	if p.Target.ID != "" {
		now, err = e.get(ctx, p.Target.ID)
	} else {
		now, err = e.find(ctx, p.Request.Sale)
	}
	if err != nil {
		return actions.State{}, err
	}
	note := ""
	for name := range p.To {
		if name != SettingStatus {
			note = name
		}
	}
	s := actions.State{Value: now.value(note), At: time.Now()}
	if now != nil {
		s.Version, s.ByWhom, s.Modified, s.Text = now.version, now.by, now.changed, "OpsItem "+now.id+" is "+now.status
	}
	return s, nil
}

// OpsItemPermissions lists what IAM must allow, sorted. GetOpsItem and UpdateOpsItem can be narrowed to
// OpsItems, the others can't be narrowed.
func OpsItemPermissions() []string {
	return []string{"ssm:CreateOpsItem", "ssm:DescribeOpsItems", "ssm:GetOpsItem", "ssm:UpdateOpsItem"}
}
