package sqs

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/onsale-dev/onsale/sale"
)

// cloud stands for SQS: queues by name, each behind a URL of its own.
type cloud struct {
	mu     sync.Mutex
	queues map[string]map[string]string // attributes by URL
	urls   map[string]string            // by name, or "owner/name"
	fail   func(url string) error
	wait   func(ctx context.Context) error
	asked  []string // "url NAME" and "attributes URL NAMES…"
	now    int      // requests under way
	most   int
}

func newCloud(names ...string) *cloud {
	c := &cloud{queues: map[string]map[string]string{}, urls: map[string]string{}}
	for i, name := range names {
		c.put(name, "https://q/1/"+name, fmt.Sprint(10*(i+1)))
	}
	return c
}

func (c *cloud) put(name, url, visible string) {
	c.urls[name] = url
	c.queues[url] = map[string]string{
		"ApproximateNumberOfMessages": visible, "ApproximateNumberOfMessagesNotVisible": "2", "ApproximateNumberOfMessagesDelayed": "1",
	}
}

func (c *cloud) begin(ctx context.Context, what string) error {
	c.mu.Lock()
	c.asked = append(c.asked, what)
	c.now++
	c.most = max(c.most, c.now)
	wait := c.wait
	c.mu.Unlock()
	if wait != nil {
		return wait(ctx)
	}
	return ctx.Err()
}

func (c *cloud) end() {
	c.mu.Lock()
	c.now--
	c.mu.Unlock()
}

func (c *cloud) GetQueueUrl(ctx context.Context, in *sqs.GetQueueUrlInput, _ ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error) {
	name := aws.ToString(in.QueueName)
	if in.QueueOwnerAWSAccountId != nil {
		name = *in.QueueOwnerAWSAccountId + "/" + name
	}
	defer c.end()
	if err := c.begin(ctx, "url "+name); err != nil {
		return nil, err
	}
	url, ok := c.urls[name]
	if !ok {
		return nil, &types.QueueDoesNotExist{Message: aws.String("The specified queue does not exist.")}
	}
	return &sqs.GetQueueUrlOutput{QueueUrl: aws.String(url)}, nil
}

func (c *cloud) GetQueueAttributes(ctx context.Context, in *sqs.GetQueueAttributesInput, _ ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	url, names := aws.ToString(in.QueueUrl), make([]string, 0, 3)
	for _, n := range in.AttributeNames {
		names = append(names, string(n))
	}
	defer c.end()
	if err := c.begin(ctx, "attributes "+url+" "+strings.Join(names, ",")); err != nil {
		return nil, err
	}
	if c.fail != nil {
		if err := c.fail(url); err != nil {
			return nil, err
		}
	}
	all, ok := c.queues[url]
	if !ok {
		return nil, &types.QueueDoesNotExist{Message: aws.String("The specified queue does not exist.")}
	}
	given := map[string]string{}
	for _, n := range names {
		if v, ok := all[n]; ok {
			given[n] = v
		}
	}
	return &sqs.GetQueueAttributesOutput{Attributes: given}, nil
}

func depth(id sale.ID, queue string) Query {
	return Query{Key: sale.Key{Sale: id, Signal: sale.QueueDepth}, Unit: sale.Count, Queue: queue}
}

func newSource(t testing.TB, c API, queries ...Query) *Source {
	t.Helper()
	s, err := New(Options{Name: "orders", Region: "eu-central-1", Profile: "onsale-read", API: c, Queries: queries})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func lines(b sale.Batch) string {
	var out []string
	for _, r := range b.Readings {
		out = append(out, fmt.Sprintf("%s/%s %g", r.Sale, r.Signal, r.Value))
	}
	for _, m := range b.Missing {
		out = append(out, fmt.Sprintf("%s/%s %s: %s", m.Sale, m.Signal, m.Problem.Class, m.Problem.Text))
	}
	if b.Problem != nil {
		out = append(out, "problem "+b.Problem.Error())
	}
	return strings.Join(out, "\n")
}

func noon() time.Time { return time.Date(2026, 12, 4, 12, 0, 0, 0, time.UTC) }
