package sqs

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/onsale-dev/onsale/sale"
)

// DefaultEvery is the cadence of polls unless Options.Every says otherwise.
const DefaultEvery = 10 * time.Second

// API is the part of the SDK's client that this source needs; *sqs.Client has it.
type API interface {
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
}

// Attribute is what is counted.
type Attribute string

// The counts of a queue.
const (
	Visible  Attribute = "visible"   // waiting to be received
	InFlight Attribute = "in_flight" // received and not yet deleted
	Delayed  Attribute = "delayed"   // not yet to be received
)

var names = map[Attribute]types.QueueAttributeName{
	Visible:  types.QueueAttributeNameApproximateNumberOfMessages,
	InFlight: types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	Delayed:  types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
}

// Options declare a source: the queues of one region under one set of credentials.
type Options struct {
	Name    string
	Region  string
	Profile string   // the credentials' profile, for hints alone; may be empty
	Secrets []string // never appear in a text, whatever AWS echoes
	API     API
	Every   time.Duration // 0: ten seconds
	Delay   time.Duration // of the cadence, see the package comment; 0: none
	Queries []Query
	Limit   string // the account's limit in words; may be empty
}

// Query is one signal of one sale: one count of one queue.
type Query struct {
	sale.Key
	Unit      sale.Unit // "": count
	Queue     string    // name, URL or ARN
	Attribute Attribute // "": visible
}

// Source reads queues. It implements sources.Source.
type Source struct {
	opts   Options
	queues []*queue
}

// queue is one distinct queue and who wants what of it.
type queue struct {
	name, owner string // owner: account, when the queue was given by ARN
	url         string // "" until it is known
	given       bool   // the url was configured, not resolved
	wants       []Query
}

// New makes a source. It refuses queues of another region, what can be no queue's name, and
// attributes that don't exist, all faults at once.
func New(o Options) (*Source, error) {
	if o.Every == 0 {
		o.Every = DefaultEvery
	}
	var faults []error
	if o.Name == "" {
		faults = append(faults, errors.New("a source needs a name"))
	}
	if o.API == nil {
		faults = append(faults, errors.New("no API client given"))
	}
	if o.Every < 0 || o.Delay < 0 {
		faults = append(faults, fmt.Errorf("every %s, delay %s: must not be negative", o.Every, o.Delay))
	}
	s := &Source{opts: o}
	byQueue := map[string]*queue{}
	seen := map[sale.Key]bool{}
	for _, q := range o.Queries {
		found, err := o.queue(&q)
		if err == nil && seen[q.Key] {
			err = errors.New("declared twice")
		}
		seen[q.Key] = true
		if err != nil {
			faults = append(faults, fmt.Errorf("sale %s, signal %s: %w", q.Sale, q.Signal, err))
			continue
		}
		key := found.owner + "\x00" + found.name + "\x00" + found.url
		if byQueue[key] == nil {
			byQueue[key] = &found
			s.queues = append(s.queues, &found)
		}
		byQueue[key].wants = append(byQueue[key].wants, q)
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("sqs source %q: %w", o.Name, errors.Join(faults...))
	}
	return s, nil
}

var (
	queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`) // CreateQueue's reference; .fifo counts too
	queueHost = regexp.MustCompile(`^https?://(?:sqs\.([a-z0-9-]+)\.amazonaws\.com|([a-z0-9-]+)\.queue\.amazonaws\.com)(?:\.cn)?(?::\d+)?/`)
)

// queue checks a query, fills in its defaults and says which queue it means.
func (o Options) queue(q *Query) (queue, error) {
	if q.Unit == "" {
		q.Unit = sale.Count
	}
	if q.Attribute == "" {
		q.Attribute = Visible
	}
	if q.Sale == "" || q.Signal == "" {
		return queue{}, errors.New("a query needs a sale and a signal")
	}
	if _, ok := names[q.Attribute]; !ok {
		return queue{}, fmt.Errorf("attribute %q: SQS counts visible, in_flight and delayed messages", q.Attribute)
	}
	found, region := queue{name: q.Queue}, ""
	switch {
	case strings.Contains(q.Queue, "://"):
		found.url, found.given = q.Queue, true
		found.name = q.Queue[strings.LastIndexByte(q.Queue, '/')+1:]
		if m := queueHost.FindStringSubmatch(q.Queue); m != nil {
			region = m[1] + m[2]
		}
	case strings.HasPrefix(q.Queue, "arn:"):
		parts := strings.SplitN(q.Queue, ":", 6) // arn:partition:sqs:region:account:name
		if len(parts) != 6 || parts[2] != "sqs" {
			return queue{}, fmt.Errorf("queue %q: an ARN of a queue is arn:aws:sqs:REGION:ACCOUNT:NAME", q.Queue)
		}
		region, found.owner, found.name = parts[3], parts[4], parts[5]
	}
	if !queueName.MatchString(strings.TrimSuffix(found.name, ".fifo")) || len(found.name) > 80 {
		return queue{}, fmt.Errorf("queue %q: a name holds up to 80 letters, digits, - and _, and .fifo at the end of a FIFO queue's", q.Queue)
	}
	if region != "" && region != o.Region {
		return queue{}, fmt.Errorf("queue %q is in region %s, this source reads %s: declare a source for %s and read it from there", q.Queue, region, o.Region, region)
	}
	return found, nil
}

// Info describes the source.
func (s *Source) Info() sale.SourceInfo {
	gives := fmt.Sprintf("%d queues", len(s.queues))
	if len(s.queues) == 1 {
		gives = "1 queue"
	}
	return sale.SourceInfo{
		Name: s.opts.Name, Kind: "sqs", Every: s.opts.Every,
		Cadence: sale.Cadence{Period: s.opts.Every, Delay: s.opts.Delay},
		Gives:   gives, Limit: s.opts.Limit,
	}
}

// attributeNames are asked for by name, always all three: they cost one request.
func attributeNames() []types.QueueAttributeName {
	return []types.QueueAttributeName{names[Visible], names[InFlight], names[Delayed]}
}

func (q *queue) fifo() bool { return strings.HasSuffix(q.name, ".fifo") }

// Permissions lists what IAM must allow on each queue, sorted. GetQueueUrl is called only for a queue that
// is not given by its URL.
func Permissions() []string { return []string{"sqs:GetQueueAttributes", "sqs:GetQueueUrl"} }
