package incidents

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// KindOpsItem is the kind of a source that reads OpsCenter of AWS Systems Manager.
const KindOpsItem = "ssm-opsitem"

// OpsAPI is the part of Systems Manager that is read: ssm:DescribeOpsItems and ssm:GetOpsItem.
type OpsAPI interface {
	DescribeOpsItems(ctx context.Context, in *ssm.DescribeOpsItemsInput, opts ...func(*ssm.Options)) (*ssm.DescribeOpsItemsOutput, error)
	GetOpsItem(ctx context.Context, in *ssm.GetOpsItemInput, opts ...func(*ssm.Options)) (*ssm.GetOpsItemOutput, error)
}

// OpsItemOptions configure a source. API and Region are required.
type OpsItemOptions struct {
	Common
	API    OpsAPI
	Region string
	Source string // of the items; "" is onsale
}

// NewOpsItem makes a source that reads OpsCenter. It sends nothing.
func NewOpsItem(o OpsItemOptions) (*Source, error) {
	if o.API == nil || o.Region == "" {
		return nil, fmt.Errorf("%s source %s: a region and a login are needed", KindOpsItem, o.Name)
	}
	if o.Source == "" {
		o.Source = "onsale"
	}
	o.prepare(30 * time.Second)
	return newSource(o.Common, &opsCenter{o})
}

// maxOps bounds an answer, in bytes: 50 items, each with at most 20 KB of operational data.
const maxOps = 4 << 20

// NewOpsClient makes the SDK's client fit for a poller: one attempt, since the poller is the one
// layer that tries again; deadlines from the context; bounded answers. An empty endpoint is AWS's own.
func NewOpsClient(cfg aws.Config, endpoint string, client *http.Client) *ssm.Client {
	if client == nil {
		client = sources.NewClient(sources.ClientOptions{MaxBody: maxOps})
	}
	return ssm.NewFromConfig(cfg, func(o *ssm.Options) {
		o.Retryer = aws.NopRetryer{}
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		o.HTTPClient = bounded{client}
	})
}

// bounded reads an answer whole, within bounds, before the SDK decodes it.
type bounded struct{ next *http.Client }

func (b bounded) Do(req *http.Request) (*http.Response, error) {
	resp, err := b.next.Do(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxOps+1))
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	switch {
	case err != nil:
		return nil, err
	case len(body) > maxOps:
		return nil, &sources.BodyTooLargeError{Limit: maxOps}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

type opsCenter struct{ OpsItemOptions }

func (*opsCenter) kind() string  { return KindOpsItem }
func (*opsCenter) tool() string  { return "OpsCenter" }
func (*opsCenter) limit() string { return "" }

// budget is ours: AWS publishes no rate for these calls.
func (*opsCenter) budget() (calls int, window time.Duration) { return 60, time.Minute }

func (*opsCenter) hints() map[sale.Class]string {
	return map[sale.Class]string{sale.Auth: "allow ssm:DescribeOpsItems and ssm:GetOpsItem to the login of this source"}
}

// problem puts a failed call into a class and words: the usual ones, and what is particular to a
// permission and a login.
func (o *opsCenter) problem(err error) error {
	about := sources.About{Secrets: o.Secrets, Hints: o.hints()}
	status, after := 0, time.Duration(0)
	var resp *smithyhttp.ResponseError
	if errors.As(err, &resp) && resp.Response != nil && resp.Response.Response != nil {
		status, after = resp.HTTPStatusCode(), sources.ParseRetryAfter(resp.Response.Header.Get("Retry-After"), time.Now())
	}
	var (
		api      smithy.APIError
		decoding *smithy.DeserializationError
		p        sale.Problem
	)
	switch {
	case errors.As(err, &api) && api.ErrorCode() != "UnknownError":
		p = sources.Classify(err, about)
		p.RetryAfter = after
		said, _, _ := strings.Cut(api.ErrorMessage(), "\n") // the rest repeats what was sent
		p.Text = o.words(strings.TrimSuffix(api.ErrorCode()+": "+strings.TrimSpace(said), ": "), 240)
		if code := api.ErrorCode(); strings.Contains(code, "Expired") {
			p.Class, p.Hint = sale.Auth, "the session has ended: log in again"
		} else if strings.Contains(code, "AccessDenied") {
			p.Class, p.Hint = sale.Auth, o.hints()[sale.Auth]
		}
	case status >= 300:
		p = sources.Classify(&sources.StatusError{Status: status, RetryAfter: after}, about)
	case errors.As(err, &decoding):
		p = sale.Problem{Class: sale.BadData, Text: o.words(decoding.Error(), 240), Hint: hintEndpoint}
	case sources.Told(err):
		p = sources.Classify(err, sources.About{Secrets: about.Secrets})
	default:
		p = sources.Classify(err, about)
	}
	return &p
}

const hintEndpoint = "see endpoint in the config, and any proxy in between: this is not OpsCenter's answer"

// dedupKey is the operational data by which OpsCenter tells that two items are the same.
const dedupKey = "/aws/dedup"

func (o *opsCenter) open(ctx context.Context, _ time.Time) (list []sale.Incident, warnings []string, complete bool, err error) {
	in := &ssm.DescribeOpsItemsInput{MaxResults: aws.Int32(50), OpsItemFilters: []types.OpsItemFilter{
		{Key: types.OpsItemFilterKeySource, Operator: types.OpsItemFilterOperatorEqual, Values: []string{o.Source}},
		{Key: types.OpsItemFilterKeyStatus, Operator: types.OpsItemFilterOperatorEqual, Values: []string{"Open", "InProgress"}},
	}}
	for range mostPages {
		out, err := o.API.DescribeOpsItems(ctx, in)
		if err != nil {
			return nil, nil, false, o.problem(err)
		}
		if out.OpsItemSummaries == nil {
			return nil, nil, false, &sale.Problem{Class: sale.BadData, Text: "the answer of DescribeOpsItems holds no list", Hint: hintEndpoint}
		}
		for _, s := range out.OpsItemSummaries {
			key := dedupOf(s.OperationalData)
			id, ok := saleOf(key, o.Sales)
			if !ok {
				continue
			}
			one := o.incident(id, key, aws.ToString(s.OpsItemId), aws.ToString(s.Title), s.Status, s.CreatedTime, s.LastModifiedTime, aws.ToString(s.LastModifiedBy))
			if one.Open() && one.Status != "" {
				list = append(list, one)
			}
		}
		if aws.ToString(out.NextToken) == "" {
			return list, nil, true, nil
		}
		in.NextToken = out.NextToken
	}
	return list, []string{fmt.Sprintf("more than %d OpsItems are open: not all were looked at", mostPages*50)}, false, nil
}

// dedupOf reads the deduplication string, which is JSON with the member dedupString.
func dedupOf(data map[string]types.OpsItemDataValue) string {
	var v struct {
		Text string `json:"dedupString"`
	}
	if json.Unmarshal([]byte(aws.ToString(data[dedupKey].Value)), &v) != nil {
		return ""
	}
	return v.Text
}

func (o *opsCenter) incident(id sale.ID, key, item, title string, status types.OpsItemStatus, created, changed *time.Time, by string) sale.Incident {
	in := sale.Incident{Sale: id, Key: o.words(key, 300), Name: o.words(item, 40), Title: o.words(title, 200)}
	if created != nil {
		in.Opened = created.UTC()
	}
	if item != "" {
		in.URL = o.page("https://" + o.Region + ".console.aws.amazon.com/systems-manager/opsitems/" + item)
	}
	_, who, _ := strings.Cut(by, "/") // the last part of an ARN
	switch status {
	case types.OpsItemStatusOpen:
		in.Status = sale.IncidentOpen
	case types.OpsItemStatusInProgress:
		in.Status = sale.IncidentAcknowledged // since when, OpsCenter does not tell: notes change it too
		in.AcknowledgedBy = o.words(who, 60)
	case types.OpsItemStatusResolved:
		in.Status, in.ResolvedBy = sale.IncidentResolved, o.words(who, 60)
		if changed != nil {
			in.Resolved = changed.UTC()
		}
	}
	return in
}

// ended asks for the item itself. Of one that only the journal knows the id is not known; it was
// there as soon as it was made, so it is over, and nobody knows since when.
func (o *opsCenter) ended(ctx context.Context, w watched, now time.Time) (sale.Incident, bool, error) {
	in := w.Incident
	if w.id == "" {
		if now.Sub(w.Opened) < settleFor {
			return in, false, nil
		}
		in.Status = sale.IncidentResolved
		return in, true, nil
	}
	out, err := o.API.GetOpsItem(ctx, &ssm.GetOpsItemInput{OpsItemId: aws.String(w.id)})
	var gone *types.OpsItemNotFoundException
	switch {
	case errors.As(err, &gone):
		in.Status, in.Resolved = sale.IncidentResolved, now
		return in, true, nil
	case err != nil:
		return in, false, o.problem(err)
	case out.OpsItem == nil:
		return in, false, &sale.Problem{Class: sale.BadData, Text: "the answer of GetOpsItem holds no item", Hint: hintEndpoint}
	}
	i := out.OpsItem
	found := o.incident(w.Sale, w.Key, w.id, aws.ToString(i.Title), i.Status, i.CreatedTime, i.LastModifiedTime, aws.ToString(i.LastModifiedBy))
	return found, found.Status != "", nil
}

// OpsItemPermissions lists the IAM actions that a source of OpsCenter calls.
func OpsItemPermissions() []string { return []string{"ssm:DescribeOpsItems", "ssm:GetOpsItem"} }
