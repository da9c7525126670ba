package ecs

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/onsale-dev/onsale/sources"
)

// maxBody bounds an answer. Ten services with a hundred events each are about a tenth of it.
const maxBody = 4 << 20

// NewClient makes the SDK's client fit for a poller: one attempt, since the poller is the one
// layer that tries again; deadlines from the context; bounded answers. An empty endpoint is
// AWS's own. client sends the requests, as sources.NewClient makes it; nil makes one.
func NewClient(cfg aws.Config, endpoint string, client *http.Client) *ecs.Client {
	return ecs.NewFromConfig(cfg, func(o *ecs.Options) {
		o.Retryer = aws.NopRetryer{}
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		o.HTTPClient = answers.From(client)
	})
}

// NewScalingClient is NewClient for Application Auto Scaling.
func NewScalingClient(cfg aws.Config, endpoint string, client *http.Client) *scaling.Client {
	return scaling.NewFromConfig(cfg, func(o *scaling.Options) {
		o.Retryer = aws.NopRetryer{}
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		o.HTTPClient = answers.From(client)
	})
}

// answers are those of both services: JSON objects, and such that lack no count.
var answers = sources.AWSAnswers{MaxBody: maxBody, Endpoint: hintEndpoint, Check: checkAnswer}

// counts are what a service's answer must hold.
type counts struct {
	Services []struct {
		Name    *string `json:"serviceName"`
		Desired *int64  `json:"desiredCount"`
		Running *int64  `json:"runningCount"`
		Pending *int64  `json:"pendingCount"`
	} `json:"services"`
}

func checkAnswer(req *http.Request, _, body []byte) error {
	bad := sources.AWSAnswers{Endpoint: hintEndpoint}.Bad
	if trimmed := bytes.TrimSpace(body); len(trimmed) == 0 || trimmed[0] != '{' {
		return bad("the answer is not a JSON object")
	}
	if !json.Valid(body) { // which also bounds how deep it is nested
		return bad("the answer is no good JSON")
	}
	if !strings.HasSuffix(req.Header.Get("X-Amz-Target"), ".DescribeServices") {
		return nil
	}
	var c counts
	if err := json.Unmarshal(body, &c); err != nil {
		return bad("the answer has another shape: %v", err)
	}
	for _, s := range c.Services {
		for _, n := range []struct {
			name string
			v    *int64
		}{{"desiredCount", s.Desired}, {"runningCount", s.Running}, {"pendingCount", s.Pending}} {
			if n.v == nil {
				return bad("service %s has no %s in the answer", aws.ToString(s.Name), n.name)
			}
		}
	}
	return nil
}
