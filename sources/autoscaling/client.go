package autoscaling

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/onsale-dev/onsale/sources"
)

const (
	// maxBody bounds an answer. A page of 50 groups of 200 instances each is about half of it.
	maxBody = 8 << 20
	// maxTags bounds how many elements the decoder can be led to hold open at once.
	maxTags = 600_000
)

// NewClient makes the SDK's client fit for a poller: one attempt, since the poller is the one
// layer that tries again; deadlines from the context; bounded answers. An empty endpoint is
// AWS's own. client sends the requests, as sources.NewClient makes it; nil makes one.
func NewClient(cfg aws.Config, endpoint string, client *http.Client) *autoscaling.Client {
	return autoscaling.NewFromConfig(cfg, func(o *autoscaling.Options) {
		o.Retryer = aws.NopRetryer{}
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		o.HTTPClient = answers.From(client)
	})
}

// NewELBClient is NewClient for the load balancers.
func NewELBClient(cfg aws.Config, endpoint string, client *http.Client) *elb.Client {
	return elb.NewFromConfig(cfg, func(o *elb.Options) {
		o.Retryer = aws.NopRetryer{}
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		o.HTTPClient = answers.From(client)
	})
}

// answers are those of both services.
var answers = sources.AWSAnswers{MaxBody: maxBody, MaxTags: maxTags, Endpoint: hintEndpoint}.OfQueries()
