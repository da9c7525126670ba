package aws

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	sqssdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func queuesAt(t *testing.T) (*sqssdk.Client, string) {
	t.Helper()
	s := serve(t, NewSQS(testRegion, fixturePlatform(), WithSecret(testSecret), WithServiceTime(0)))
	return sqsAt(s.URL, keys(AccessKey, testSecret)), s.URL
}

func TestAQueueSaysHowManyMessagesItHolds(t *testing.T) {
	c, host := queuesAt(t)
	found, err := c.GetQueueUrl(context.Background(), &sqssdk.GetQueueUrlInput{QueueName: awssdk.String("orders-harbour")})
	if err != nil {
		t.Fatal(err)
	}
	if want := host + "/471122083344/orders-harbour"; *found.QueueUrl != want {
		t.Errorf("the URL is %s, want %s", *found.QueueUrl, want)
	}
	for _, k := range []struct {
		name  string
		names []types.QueueAttributeName
		want  map[string]string
	}{
		{"no name, no attribute", nil, nil},
		{
			"those that are named",
			[]types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesDelayed},
			map[string]string{"ApproximateNumberOfMessages": "12", "ApproximateNumberOfMessagesDelayed": "1"},
		},
		{
			"one that exists and is not set",
			[]types.QueueAttributeName{types.QueueAttributeNameRedrivePolicy, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible},
			map[string]string{"ApproximateNumberOfMessagesNotVisible": "3"},
		},
		{"the address", []types.QueueAttributeName{types.QueueAttributeNameQueueArn}, map[string]string{"QueueArn": "arn:aws:sqs:eu-central-1:471122083344:orders-harbour"}},
	} {
		t.Run(k.name, func(t *testing.T) {
			out, err := c.GetQueueAttributes(context.Background(), &sqssdk.GetQueueAttributesInput{QueueUrl: found.QueueUrl, AttributeNames: k.names})
			if err != nil || !maps.Equal(out.Attributes, k.want) {
				t.Errorf("%v, %v; want %v", out.Attributes, err, k.want)
			}
		})
	}
	all, err := c.GetQueueAttributes(context.Background(), &sqssdk.GetQueueAttributesInput{QueueUrl: found.QueueUrl, AttributeNames: []types.QueueAttributeName{"All"}})
	if err != nil || len(all.Attributes) != 12 {
		t.Errorf("All: %v, %v", all.Attributes, err)
	}
}

func TestAQueueURLOfAnotherHostIsTheSameQueue(t *testing.T) {
	c, _ := queuesAt(t)
	out, err := c.GetQueueAttributes(context.Background(), &sqssdk.GetQueueAttributesInput{
		QueueUrl: awssdk.String("https://sqs.eu-central-1.amazonaws.com/471122083344/orders-meadow"), AttributeNames: []types.QueueAttributeName{"ApproximateNumberOfMessages"},
	})
	if err != nil || out.Attributes["ApproximateNumberOfMessages"] != "0" {
		t.Errorf("%v, %v", out, err)
	}
}

func TestSQSErrorsComeOutTyped(t *testing.T) {
	c, host := queuesAt(t)
	ctx := context.Background()
	attributes := func(queue string, names ...types.QueueAttributeName) error {
		_, err := c.GetQueueAttributes(ctx, &sqssdk.GetQueueAttributesInput{QueueUrl: &queue, AttributeNames: names})
		return err
	}
	gone := (*types.QueueDoesNotExist)(nil)
	for name, err := range map[string]error{
		"attributes":      attributes(host + "/471122083344/nowhere"),
		"another account": attributes(host + "/999988887777/orders-harbour"),
		"the URL": func() error {
			_, err := c.GetQueueUrl(ctx, &sqssdk.GetQueueUrlInput{QueueName: awssdk.String("nowhere")})
			return err
		}(),
		"a foreign owner's": func() error {
			_, err := c.GetQueueUrl(ctx, &sqssdk.GetQueueUrlInput{QueueName: awssdk.String("orders-harbour"), QueueOwnerAWSAccountId: awssdk.String("999988887777")})
			return err
		}(),
	} {
		if !errors.As(err, &gone) || gone.ErrorCode() != "AWS.SimpleQueueService.NonExistentQueue" || gone.ErrorMessage() != "The specified queue does not exist." {
			t.Errorf("%s: %v", name, err)
		}
	}
	if bad := (*types.InvalidAttributeName)(nil); !errors.As(attributes(host+"/471122083344/orders-harbour", "Weight"), &bad) || bad.ErrorMessage() != "Unknown Attribute Weight." {
		t.Errorf("unknown attribute: %v", bad)
	}
	if bad := (*types.InvalidAddress)(nil); !errors.As(attributes("orders-harbour"), &bad) {
		t.Error("a name is no address")
	}
	_, err := c.SendMessage(ctx, &sqssdk.SendMessageInput{QueueUrl: awssdk.String(host + "/471122083344/orders-harbour"), MessageBody: awssdk.String("x")})
	if codeOf(err) != "InvalidAction" {
		t.Errorf("an operation that is not served: %v", err)
	}
}

func TestQueuesAreListedInPages(t *testing.T) {
	p := &platform{queues: map[string][3]int{"other": {}}}
	for i := range 5 {
		p.queues[fmt.Sprintf("orders-%d", i)] = [3]int{}
	}
	s := serve(t, NewSQS(testRegion, p, WithSecret(testSecret), WithServiceTime(0)))
	c := sqsAt(s.URL, keys(AccessKey, testSecret))
	var got [][]string
	for pages := sqssdk.NewListQueuesPaginator(c, &sqssdk.ListQueuesInput{QueueNamePrefix: awssdk.String("orders-"), MaxResults: awssdk.Int32(2)}); pages.HasMorePages(); {
		out, err := pages.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, u := range out.QueueUrls {
			names = append(names, strings.TrimPrefix(u, s.URL+"/471122083344/"))
		}
		got = append(got, names)
	}
	want := [][]string{{"orders-0", "orders-1"}, {"orders-2", "orders-3"}, {"orders-4"}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("pages %v, want %v", got, want)
	}
	all, err := c.ListQueues(context.Background(), &sqssdk.ListQueuesInput{})
	if err != nil || len(all.QueueUrls) != 6 || all.NextToken != nil {
		t.Errorf("all: %v, %v", all.QueueUrls, err)
	}
	none, err := c.ListQueues(context.Background(), &sqssdk.ListQueuesInput{QueueNamePrefix: awssdk.String("zz")})
	if err != nil || len(none.QueueUrls) != 0 {
		t.Errorf("none: %v, %v", none.QueueUrls, err)
	}
	for _, in := range []*sqssdk.ListQueuesInput{{MaxResults: awssdk.Int32(0)}, {MaxResults: awssdk.Int32(1001)}, {NextToken: awssdk.String("x")}} {
		if _, err := c.ListQueues(context.Background(), in); codeOf(err) != "InvalidParameterValue" {
			t.Errorf("%v gives %v", *in, err)
		}
	}
}

func TestAQueueURLSurvivesTheTripThroughAName(t *testing.T) {
	r, _ := http.NewRequest(http.MethodPost, "http://127.0.0.1:1234/", nil)
	for _, name := range []string{"orders", "a b", "ümläut", "a%2Fb"} {
		u := queueURL(r, name)
		if _, err := url.Parse(u); err != nil {
			t.Fatal(err)
		}
		if got, problem := queueOf(u); problem != nil || got != name {
			t.Errorf("%s: %q, %v", u, got, problem)
		}
	}
	for _, bad := range []string{"", "x", "http://", "http://h", "http://h/", "http://h/471122083344", "http://h/471122083344/", "http://h/a/b/c", "://"} {
		if got, problem := queueOf(bad); problem == nil {
			t.Errorf("%q is taken for %q", bad, got)
		}
	}
}
