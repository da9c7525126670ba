package aws

import (
	"context"
	"errors"
	"strings"
	"testing"

	ssmsdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

func TestAParameterHasVersionsAndAPatternThatGuardsIt(t *testing.T) {
	c := acting(t, harbour()).ssm
	ctx := context.Background()
	for _, k := range []struct {
		name    string
		in      ssmsdk.PutParameterInput
		version int64
		code    string
	}{
		{"a new one", ssmsdk.PutParameterInput{Value: ptr("800"), Type: "String", AllowedPattern: ptr(`^(open|[0-9]{1,5})$`)}, 1, "none"},
		{"the same name again", ssmsdk.PutParameterInput{Value: ptr("400"), Type: "String"}, 0, "ParameterAlreadyExists"},
		{"over it", ssmsdk.PutParameterInput{Value: ptr("400"), Overwrite: ptr(true)}, 2, "none"},
		{"over it, with the same value", ssmsdk.PutParameterInput{Value: ptr("400"), Overwrite: ptr(true)}, 3, "none"},
		{"a value that the pattern does not allow", ssmsdk.PutParameterInput{Value: ptr("400/min"), Overwrite: ptr(true)}, 0, "ParameterPatternMismatchException"},
		{"a value that the pattern allows in a part", ssmsdk.PutParameterInput{Value: ptr("x400"), Overwrite: ptr(true), AllowedPattern: ptr("[0-9]+")}, 0, "ParameterPatternMismatchException"},
		{"a pattern that is none", ssmsdk.PutParameterInput{Value: ptr("4"), Overwrite: ptr(true), AllowedPattern: ptr("(")}, 0, "InvalidAllowedPatternException"},
		{"too long a value", ssmsdk.PutParameterInput{Value: ptr(strings.Repeat("4", 4097)), Overwrite: ptr(true), AllowedPattern: ptr("")}, 0, "ValidationException"},
		{"a kind that there is not", ssmsdk.PutParameterInput{Name: ptr("/shop/x"), Value: ptr("4"), Type: "Number"}, 0, "UnsupportedParameterType"},
		{"no kind", ssmsdk.PutParameterInput{Name: ptr("/shop/x"), Value: ptr("4")}, 0, "ValidationException"},
		{"a reserved name", ssmsdk.PutParameterInput{Name: ptr("/aws/x"), Value: ptr("4"), Type: "String"}, 0, "AccessDeniedException"},
		{"a long value in the other tier", ssmsdk.PutParameterInput{Name: ptr("/shop/long"), Value: ptr(strings.Repeat("4", 5000)), Type: "String", Tier: "Advanced"}, 1, "none"},
	} {
		if k.in.Name == nil {
			k.in.Name = ptr("/shop/harbour/admission")
		}
		out, err := c.PutParameter(ctx, &k.in)
		if codeOf(err) != k.code || err == nil && out.Version != k.version {
			t.Errorf("%s: %+v, %v; want %s", k.name, out, err, k.code)
		}
	}
	out, err := c.GetParameter(ctx, &ssmsdk.GetParameterInput{Name: ptr("/shop/harbour/admission")})
	if err != nil || *out.Parameter.Value != "400" || out.Parameter.Version != 3 || !out.Parameter.LastModifiedDate.Equal(noon()) {
		t.Errorf("%+v, %v", out, err)
	}
	again, err := c.GetParameter(ctx, &ssmsdk.GetParameterInput{Name: out.Parameter.ARN})
	if err != nil || *again.Parameter.Value != "400" {
		t.Errorf("by its ARN: %+v, %v", again, err)
	}
	_, err = c.GetParameter(ctx, &ssmsdk.GetParameterInput{Name: ptr("/nowhere")})
	if !refused[*ssmtypes.ParameterNotFound](err) {
		t.Errorf("one that is not there: %v", err)
	}
}

func TestASecretParameterIsToldOnlyWhenAskedToBeDecrypted(t *testing.T) {
	c := acting(t, harbour()).ssm
	ctx := context.Background()
	if _, err := c.PutParameter(ctx, &ssmsdk.PutParameterInput{Name: ptr("/shop/token"), Value: ptr("hush"), Type: "SecureString"}); err != nil {
		t.Fatal(err)
	}
	for decrypt, told := range map[bool]bool{true: true, false: false} {
		out, err := c.GetParameter(ctx, &ssmsdk.GetParameterInput{Name: ptr("/shop/token"), WithDecryption: &decrypt})
		if err != nil || (*out.Parameter.Value == "hush") != told {
			t.Errorf("decrypted %v: %+v, %v", decrypt, out, err)
		}
	}
}

func TestAnOpsItemIsOpenedOnceAndClosed(t *testing.T) {
	c := acting(t, harbour()).ssm
	ctx := context.Background()
	open := func(source, dedup string) (*ssmsdk.CreateOpsItemOutput, error) {
		return c.CreateOpsItem(ctx, &ssmsdk.CreateOpsItemInput{
			Title: ptr("declines at 5.8 %"), Description: ptr("payment provider A"), Source: &source, Severity: ptr("2"), Priority: n32(1),
			OperationalData: map[string]ssmtypes.OpsItemDataValue{
				"/aws/dedup": {Type: "SearchableString", Value: ptr(`{"dedupString":"` + dedup + `"}`)}, "sale": {Type: "SearchableString", Value: ptr("harbour")},
			},
		})
	}
	first, err := open("onsale", "harbour/payment")
	if err != nil {
		t.Fatal(err)
	}
	_, err = open("onsale", "harbour/payment")
	if same := (*ssmtypes.OpsItemAlreadyExistsException)(nil); !errors.As(err, &same) || *same.OpsItemId != *first.OpsItemId {
		t.Errorf("the same one again: %v", err)
	}
	if other, err := open("onsale", "meadow/payment"); err != nil || *other.OpsItemId == *first.OpsItemId {
		t.Errorf("another one: %v, %v", other, err)
	}
	if _, err := open("our-AWS-cockpit", "x"); !refused[*ssmtypes.OpsItemInvalidParameterException](err) {
		t.Errorf("a source with a reserved word: %v", err)
	}
	stillOpen := func(page *string) *ssmsdk.DescribeOpsItemsOutput {
		out, err := c.DescribeOpsItems(ctx, &ssmsdk.DescribeOpsItemsInput{MaxResults: ptr(int32(1)), NextToken: page, OpsItemFilters: []ssmtypes.OpsItemFilter{
			{Key: "Source", Operator: "Equal", Values: []string{"onsale"}}, {Key: "Status", Operator: "Equal", Values: []string{"Open", "InProgress"}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	newest := stillOpen(nil)
	oldest := stillOpen(newest.NextToken)
	if *oldest.OpsItemSummaries[0].OpsItemId != *first.OpsItemId || oldest.NextToken != nil || len(oldest.OpsItemSummaries[0].OperationalData) == 0 {
		t.Errorf("the open ones are listed as %+v, then %+v", newest.OpsItemSummaries, oldest.OpsItemSummaries)
	}
	if _, err := c.DescribeOpsItems(ctx, &ssmsdk.DescribeOpsItemsInput{OpsItemFilters: []ssmtypes.OpsItemFilter{{Key: "Priority", Operator: "Equal", Values: []string{"1"}}}}); !refused[*ssmtypes.OpsItemInvalidParameterException](err) {
		t.Errorf("a filter that is not rehearsed is %v", err)
	}
	if _, err := c.UpdateOpsItem(ctx, &ssmsdk.UpdateOpsItemInput{OpsItemId: first.OpsItemId, Status: "Resolved", OperationalDataToDelete: []string{"sale"}}); err != nil {
		t.Fatal(err)
	}
	got, err := c.GetOpsItem(ctx, &ssmsdk.GetOpsItemInput{OpsItemId: first.OpsItemId})
	if err != nil || got.OpsItem.Status != "Resolved" || *got.OpsItem.Version != "2" || len(got.OpsItem.OperationalData) != 1 || *got.OpsItem.CreatedBy != "arn:aws:iam::471122083344:user/rehearsal-act" {
		t.Errorf("%+v, %v", got.OpsItem, err)
	}
	if _, err := open("onsale", "harbour/payment"); err != nil {
		t.Errorf("after it was resolved: %v", err)
	}
	if _, err := c.UpdateOpsItem(ctx, &ssmsdk.UpdateOpsItemInput{OpsItemId: first.OpsItemId, Status: "Done"}); !refused[*ssmtypes.OpsItemInvalidParameterException](err) {
		t.Errorf("a status that there is not: %v", err)
	}
	if _, err := c.UpdateOpsItem(ctx, &ssmsdk.UpdateOpsItemInput{OpsItemId: ptr("oi-none")}); !refused[*ssmtypes.OpsItemNotFoundException](err) {
		t.Errorf("one that is not there: %v", err)
	}
}

func TestOpsItemsAreListedByWhatTheirFiltersSay(t *testing.T) {
	c := acting(t, harbour()).ssm
	ctx := context.Background()
	for i := range 60 {
		source := "onsale"
		if i%3 == 0 {
			source = "batch"
		}
		out, err := c.CreateOpsItem(ctx, &ssmsdk.CreateOpsItemInput{Title: ptr("declines"), Description: ptr("x"), Source: &source})
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			if _, err := c.UpdateOpsItem(ctx, &ssmsdk.UpdateOpsItemInput{OpsItemId: out.OpsItemId, Status: "Resolved"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	list := func(most int32, filters ...ssmtypes.OpsItemFilter) (n, pages int) {
		in := &ssmsdk.DescribeOpsItemsInput{MaxResults: &most, OpsItemFilters: filters}
		for {
			out, err := c.DescribeOpsItems(ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			n, pages = n+len(out.OpsItemSummaries), pages+1
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return n, pages
			}
		}
	}
	of := func(key ssmtypes.OpsItemFilterKey, values ...string) ssmtypes.OpsItemFilter {
		return ssmtypes.OpsItemFilter{Key: key, Operator: ssmtypes.OpsItemFilterOperatorEqual, Values: values}
	}
	if n, pages := list(50); n != 60 || pages != 2 {
		t.Errorf("all: %d in %d pages, want 60 in 2", n, pages)
	}
	if n, pages := list(10, of("Status", "Open", "InProgress"), of("Source", "onsale")); n != 20 || pages != 2 {
		t.Errorf("open ones of onsale: %d in %d pages, want 20 in 2", n, pages)
	}
	if _, err := c.DescribeOpsItems(ctx, &ssmsdk.DescribeOpsItemsInput{OpsItemFilters: []ssmtypes.OpsItemFilter{of("ResourceId", "x")}}); err == nil {
		t.Error("a filter that is not known here is taken")
	}
}
