package rds

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/onsale-dev/onsale/sources"
)

const (
	// maxBody bounds an answer. A page of 100 instances is about a tenth of it.
	maxBody = 8 << 20
	// maxTags bounds how many elements the decoder can be led to hold open at once.
	maxTags = 600_000
)

// NewClient makes the SDK's client fit for a poller: one attempt, since the poller is the one
// layer that tries again; deadlines from the context; bounded answers. An empty endpoint is
// AWS's own. client sends the requests, as sources.NewClient makes it; nil makes one.
func NewClient(cfg aws.Config, endpoint string, client *http.Client) *rds.Client {
	return rds.NewFromConfig(cfg, func(o *rds.Options) {
		o.Retryer = aws.NopRetryer{}
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		o.HTTPClient = answers.From(client)
	})
}

var answers = sources.AWSAnswers{MaxBody: maxBody, MaxTags: maxTags, Endpoint: hintEndpoint}.OfQueries()
