package rds

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/onsale-dev/onsale/sale"
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
		o.HTTPClient = newGuard(client)
	})
}

// guard reads an answer whole, within bounds, before the SDK decodes it, and refuses a success
// that is not the answer to what was asked: the SDK takes an empty body for an empty answer.
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
	req, asked, err := whole(req)
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
	case bytes.Count(body, []byte("<")) > maxTags:
		return nil, &sale.Problem{Class: sale.BadData, Text: fmt.Sprintf("the answer has more than %d XML tags", maxTags), Hint: hintEndpoint}
	}
	if resp.StatusCode/100 == 2 {
		if err := checkAnswer(resp.Header.Get("Content-Type"), asked, body); err != nil {
			return nil, err
		}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// whole gives the request a body of its own. The SDK's closes when the answer comes, and takes
// the rest of a long request with it when the answer comes early.
func whole(req *http.Request) (*http.Request, []byte, error) {
	if req.Body == nil {
		return req, nil, nil
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, nil, err
	}
	own := req.WithContext(req.Context())
	own.Body = struct{ io.ReadCloser }{io.NopCloser(bytes.NewReader(body))}
	own.ContentLength = int64(len(body))
	return own, body, nil
}

// checkAnswer holds a success against the Query protocol: the answer to Action=X is one whole
// element XResponse.
func checkAnswer(contentType string, asked, body []byte) error {
	if strings.Contains(contentType, "html") {
		return &sale.Problem{Class: sale.BadData, Text: "an HTML page instead of the API's answer", Hint: hintEndpoint}
	}
	form, err := url.ParseQuery(string(asked))
	want := form.Get("Action") + "Response"
	got := rootOf(body)
	switch {
	case err != nil || want == "Response":
		return nil // not a Query request: nothing is known of its answer
	case got == "":
		return &sale.Problem{Class: sale.BadData, Text: "the answer is not XML", Hint: hintEndpoint}
	case got != want:
		return &sale.Problem{Class: sale.BadData, Text: sale.Clean("the answer is a "+got+", not a "+want, maxProblemText), Hint: hintEndpoint}
	case !bytes.HasSuffix(bytes.TrimSpace(body), []byte("</"+want+">")):
		return &sale.Problem{Class: sale.BadData, Text: "the answer ends too early", Hint: hintEndpoint}
	}
	return nil
}

// rootOf is the name of a document's first element, or "".
func rootOf(body []byte) string {
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if err != nil {
			return ""
		}
		if start, ok := token.(xml.StartElement); ok {
			return start.Name.Local
		}
	}
}
