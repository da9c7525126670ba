package sources

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/onsale-dev/onsale/sale"
)

// AWSAnswers are the answers of an AWS service as the SDK gets to see them: read whole, within bounds,
// and a success only when it is the answer to what was asked. The SDK takes an empty body for an
// empty answer, and what is not there for zero.
type AWSAnswers struct {
	MaxBody int // bytes
	MaxTags int // how many XML elements the decoder can be led to hold open at once; 0: they are not counted
	// Endpoint is the hint for an answer that is none of the service's.
	Endpoint string
	// Check holds a success against the request, whose body is asked; may be nil.
	Check func(req *http.Request, asked, body []byte) error
}

// AWSDoer is what the SDK sends its requests with.
type AWSDoer interface {
	Do(*http.Request) (*http.Response, error)
}

// From lets the answers come through client; nil makes one.
func (a AWSAnswers) From(client *http.Client) AWSDoer {
	if client == nil {
		client = NewClient(ClientOptions{MaxBody: int64(a.MaxBody)})
	}
	return a.Through(client)
}

// Through is From for whatever sends requests.
func (a AWSAnswers) Through(next AWSDoer) AWSDoer { return &awsGuard{a, next} }

type awsGuard struct {
	AWSAnswers
	next AWSDoer
}

func (g *awsGuard) Do(req *http.Request) (*http.Response, error) {
	req, asked, err := ownBody(req)
	if err != nil {
		return nil, err
	}
	resp, err := g.next.Do(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(g.MaxBody)+1))
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	switch {
	case err != nil:
		return nil, err
	case len(body) > g.MaxBody:
		return nil, &BodyTooLargeError{Limit: int64(g.MaxBody)}
	case g.MaxTags > 0 && bytes.Count(body, []byte("<")) > g.MaxTags:
		return nil, g.Bad("the answer has more than %d XML tags", g.MaxTags)
	}
	if resp.StatusCode/100 == 2 && g.Check != nil {
		if strings.Contains(resp.Header.Get("Content-Type"), "html") {
			return nil, g.Bad("an HTML page instead of the API's answer")
		}
		if err := g.Check(req, asked, body); err != nil {
			return nil, err
		}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// ownBody gives the request a body of its own. The SDK's closes when the answer comes, and takes
// the rest of a long request with it when the answer comes early.
func ownBody(req *http.Request) (*http.Request, []byte, error) {
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

// Bad tells of an answer that is none of the service's.
func (a AWSAnswers) Bad(format string, args ...any) error {
	return &sale.Problem{Class: sale.BadData, Text: sale.Clean(fmt.Sprintf(format, args...), maxAWSText), Hint: a.Endpoint}
}

// OfQueries are the answers with those held against the Query protocol: the answer to Action=X is one
// whole element XResponse.
func (a AWSAnswers) OfQueries() AWSAnswers {
	a.Check = func(_ *http.Request, asked, body []byte) error {
		form, err := url.ParseQuery(string(asked))
		want := form.Get("Action") + "Response"
		got := rootOf(body)
		switch {
		case err != nil || want == "Response":
			return nil // not a Query request: nothing is known of its answer
		case got == "":
			return a.Bad("the answer is not XML")
		case got != want:
			return a.Bad("the answer is a %s, not a %s", got, want)
		case !bytes.HasSuffix(bytes.TrimSpace(body), []byte("</"+want+">")):
			return a.Bad("the answer ends too early")
		}
		return nil
	}
	return a
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
