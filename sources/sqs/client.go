package sqs

import (
	"bytes"
	"io"
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
	if client == nil {
		client = sources.NewClient(sources.ClientOptions{MaxBody: maxBody})
	}
	return sqs.NewFromConfig(cfg, func(o *sqs.Options) {
		o.Retryer = aws.NopRetryer{}
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		o.HTTPClient = guard{client}
	})
}

// guard reads an answer whole, within bounds, before the SDK decodes it.
type guard struct{ next sqs.HTTPClient }

func (g guard) Do(req *http.Request) (*http.Response, error) {
	resp, err := g.next.Do(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	switch {
	case err != nil:
		return nil, err
	case len(body) > maxBody:
		return nil, &sources.BodyTooLargeError{Limit: maxBody}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
