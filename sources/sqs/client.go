package sqs

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/onsale-dev/onsale/sources"
)

// maxBody bounds an answer: three counts, or one URL, and room for an error's words. It also
// bounds the depth to which the SDK's decoder can be led.
const maxBody = 256 << 10

// NewClient makes the SDK's client fit for a poller: one attempt, since the poller is the one
// layer that tries again; deadlines from the context; bounded answers. An empty endpoint is
// AWS's own. client sends the requests, as sources.NewClient makes it; nil makes one.
func NewClient(cfg aws.Config, endpoint string, client *http.Client) *sqs.Client {
	return sqs.NewFromConfig(cfg, func(o *sqs.Options) {
		o.Retryer = aws.NopRetryer{}
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		o.HTTPClient = answers.From(client)
	})
}

var answers = sources.AWSAnswers{MaxBody: maxBody, Endpoint: hintEndpoint}
