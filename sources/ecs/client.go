package ecs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/onsale-dev/onsale/sale"
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
		o.HTTPClient = newGuard(client)
	})
}

// NewScalingClient is NewClient for Application Auto Scaling.
func NewScalingClient(cfg aws.Config, endpoint string, client *http.Client) *scaling.Client {
	return scaling.NewFromConfig(cfg, func(o *scaling.Options) {
		o.Retryer = aws.NopRetryer{}
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		o.HTTPClient = newGuard(client)
	})
}

// guard reads an answer whole, within bounds, before the SDK decodes it, and refuses a success
// that is no JSON object, or that lacks a count: the SDK takes what is not there for zero.
type guard struct {
	next interface {
		Do(*http.Request) (*http.Response, error)
	}
}

func newGuard(client *http.Client) guard {
	if client == nil {
		client = sources.NewClient(sources.ClientOptions{MaxBody: maxBody})
	}
	return guard{client}
}

func (g guard) Do(req *http.Request) (*http.Response, error) {
	req, err := whole(req)
	if err != nil {
		return nil, err
	}
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
	if resp.StatusCode/100 == 2 {
		if err := checkAnswer(resp.Header.Get("Content-Type"), req.Header.Get("X-Amz-Target"), body); err != nil {
			return nil, err
		}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// whole gives the request a body of its own. The SDK's closes when the answer comes, and takes
// the rest of a long request with it when the answer comes early.
func whole(req *http.Request) (*http.Request, error) {
	if req.Body == nil {
		return req, nil
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	own := req.WithContext(req.Context())
	own.Body = struct{ io.ReadCloser }{io.NopCloser(bytes.NewReader(body))}
	own.ContentLength = int64(len(body))
	return own, nil
}

// counts are what a service's answer must hold.
type counts struct {
	Services []struct {
		Name    *string `json:"serviceName"`
		Desired *int64  `json:"desiredCount"`
		Running *int64  `json:"runningCount"`
		Pending *int64  `json:"pendingCount"`
	} `json:"services"`
}

func checkAnswer(contentType, operation string, body []byte) error {
	bad := func(text string) error {
		return &sale.Problem{Class: sale.BadData, Text: sale.Clean(text, maxProblemText), Hint: hintEndpoint}
	}
	if strings.Contains(contentType, "html") {
		return bad("an HTML page instead of the API's answer")
	}
	if trimmed := bytes.TrimSpace(body); len(trimmed) == 0 || trimmed[0] != '{' {
		return bad("the answer is not a JSON object")
	}
	if !json.Valid(body) { // which also bounds how deep it is nested
		return bad("the answer is no good JSON")
	}
	if !strings.HasSuffix(operation, ".DescribeServices") {
		return nil
	}
	var c counts
	if err := json.Unmarshal(body, &c); err != nil {
		return bad("the answer has another shape: " + err.Error())
	}
	for _, s := range c.Services {
		for _, n := range []struct {
			name string
			v    *int64
		}{{"desiredCount", s.Desired}, {"runningCount", s.Running}, {"pendingCount", s.Pending}} {
			if n.v == nil {
				return bad(fmt.Sprintf("service %s has no %s in the answer", aws.ToString(s.Name), n.name))
			}
		}
	}
	return nil
}
