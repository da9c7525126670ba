package sqs

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/onsale-dev/onsale/sale"
)

const (
	maxAtOnce = 8 // queues that are asked at the same time

	usdPerRequest     = 0.40 / 1_000_000
	usdPerFIFORequest = 0.50 / 1_000_000
)

// answer is what one queue gave.
type answer struct {
	requests   int
	answered   int // of them; only these are billed
	attributes map[string]string
	at         time.Time
	problem    *sale.Problem // nil when it answered
}

// Read asks every queue once. A queue that fails is missing; the batch has a Problem only
// when no queue answered and it isn't that they are not there.
func (s *Source) Read(ctx context.Context, now time.Time) sale.Batch {
	started := time.Now()
	clock := func() time.Time { return now.Add(time.Since(started)) }
	answers := make([]answer, len(s.queues))
	slots := make(chan struct{}, maxAtOnce)
	var all sync.WaitGroup
	for i, q := range s.queues {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			answers[i] = s.ask(ctx, q)
			answers[i].at = clock()
		})
	}
	all.Wait()
	return s.batch(answers)
}

// ask reads one queue. When SQS says that the queue is not there, a URL that was resolved
// earlier may be of a queue that was made anew: it is resolved once more.
func (s *Source) ask(ctx context.Context, q *queue) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			a.problem = &sale.Problem{Class: sale.BadData, Text: s.clean(fmt.Sprintf("the answer could not be decoded: %v", p)), Hint: hintEndpoint}
		}
	}()
	known := q.url != ""
	err := s.attributes(ctx, q, &a)
	if gone(err) && known && !q.given {
		q.url = ""
		err = s.attributes(ctx, q, &a)
	}
	if err != nil {
		if gone(err) && !q.given {
			q.url = ""
		}
		a.problem = s.problem(err, q)
	}
	return a
}

func (s *Source) attributes(ctx context.Context, q *queue, a *answer) error {
	if q.url == "" {
		if err := s.resolve(ctx, q, a); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	a.requests++
	out, err := s.opts.API.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(q.url), AttributeNames: attributeNames(),
	})
	if err != nil {
		return err
	}
	a.answered++
	if out == nil || len(out.Attributes) == 0 {
		return &sale.Problem{Class: sale.BadData, Text: "SQS answered without any attribute", Hint: hintEndpoint}
	}
	a.attributes = out.Attributes
	return nil
}

func (s *Source) resolve(ctx context.Context, q *queue, a *answer) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	in := &sqs.GetQueueUrlInput{QueueName: aws.String(q.name)}
	if q.owner != "" {
		in.QueueOwnerAWSAccountId = aws.String(q.owner)
	}
	a.requests++
	out, err := s.opts.API.GetQueueUrl(ctx, in)
	if err != nil {
		return err
	}
	a.answered++
	if out == nil || aws.ToString(out.QueueUrl) == "" {
		return &sale.Problem{Class: sale.BadData, Text: "SQS gave no URL for the queue", Hint: hintEndpoint}
	}
	q.url = *out.QueueUrl
	return nil
}

func gone(err error) bool {
	var missing *types.QueueDoesNotExist
	return errors.As(err, &missing)
}

// batch puts the answers together, in the order of the queries.
func (s *Source) batch(answers []answer) sale.Batch {
	var b sale.Batch
	var first *sale.Problem
	failed := 0
	readings := map[sale.Key]sale.Reading{}
	missing := map[sale.Key]*sale.Problem{}
	for i, a := range answers {
		q := s.queues[i]
		b.Calls += a.requests
		b.CostUSD += float64(a.answered) * price(q)
		if a.problem != nil {
			if a.problem.Class != sale.NotFound {
				failed++
				if first == nil {
					first = a.problem
				}
			}
			for _, w := range q.wants {
				missing[w.Key] = a.problem
			}
			continue
		}
		for _, w := range q.wants {
			v, err := count(a.attributes, w.Attribute)
			if err != nil {
				missing[w.Key] = &sale.Problem{Class: sale.BadData, Text: s.clean(err.Error()), Hint: hintEndpoint}
				continue
			}
			readings[w.Key] = sale.Reading{Key: w.Key, Value: v, Unit: w.Unit, At: a.at, FetchedAt: a.at}
		}
	}
	if failed > 0 && failed == len(answers) {
		b.Problem = first
		return b
	}
	for _, q := range s.opts.Queries {
		if r, ok := readings[q.Key]; ok {
			b.Readings = append(b.Readings, r)
		}
		if p, ok := missing[q.Key]; ok {
			b.Missing = append(b.Missing, sale.Missing{Key: q.Key, Problem: *p})
		}
	}
	return b
}

func price(q *queue) float64 {
	if q.fifo() {
		return usdPerFIFORequest
	}
	return usdPerRequest
}

// count reads one of the counts. SQS sends numbers as text; a whole number in any usual
// spelling will do, anything else is no count.
func count(attributes map[string]string, which Attribute) (float64, error) {
	name := string(names[which])
	text, ok := attributes[name]
	if !ok {
		return 0, fmt.Errorf("SQS did not give %s", name)
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) || v < 0 || v != math.Trunc(v) || v > 1<<53 {
		return 0, fmt.Errorf("%s is %q, not a count", name, text)
	}
	return v, nil
}
