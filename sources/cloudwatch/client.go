package cloudwatch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

const (
	// maxBody bounds an answer. A full page, 100,800 points of about 20 bytes and 500 labels,
	// is half of it.
	maxBody = 4 << 20
	// A full page has some 300,000 CBOR items; none is nested deeper than six.
	maxItems = 500_000
	maxDepth = 32
)

// NewClient makes the SDK's client fit for a poller: one attempt, since the poller is the one
// layer that tries again; deadlines from the context; bounded answers. An empty endpoint is
// AWS's own. client sends the requests, as sources.NewClient makes it; nil makes one.
func NewClient(cfg aws.Config, endpoint string, client *http.Client) *cloudwatch.Client {
	if client == nil {
		client = sources.NewClient(sources.ClientOptions{MaxBody: maxBody})
	}
	return cloudwatch.NewFromConfig(cfg, func(o *cloudwatch.Options) {
		o.Retryer = aws.NopRetryer{}
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		o.HTTPClient = guard{client}
	})
}

// guard reads an answer whole, within bounds, before the SDK decodes it. The SDK skips
// unknown members by recursion without a limit: some megabytes of opening brackets would end
// the program, and no recover can help against that.
type guard struct{ next cloudwatch.HTTPClient }

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
	if resp.StatusCode/100 == 2 {
		if err := checkAnswer(resp.Header.Get("Content-Type"), body); err != nil {
			return nil, err
		}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func checkAnswer(contentType string, body []byte) error {
	kind, _, _ := mime.ParseMediaType(contentType)
	if contentType != "" && kind != "application/cbor" {
		return &sale.Problem{
			Class: sale.BadData, Text: sale.Clean("the answer is "+contentType+", not application/cbor", maxProblemText),
			Hint: hintEndpoint,
		}
	}
	if err := checkCBOR(body); err != nil {
		return &sale.Problem{
			Class: sale.BadData, Text: "the answer is no good CBOR: " + err.Error(),
			Hint: hintEndpoint,
		}
	}
	return nil
}

var errCut = errors.New("it ends too early")

const indefinite = -1

// checkCBOR walks over an encoded item (RFC 8949) without recursion and refuses what is cut,
// nested too deep or made of too many items. What it accepts needs memory in proportion.
func checkCBOR(p []byte) error {
	var open [maxDepth + 1]int64 // items left at each level, or indefinite
	open[0] = 1
	depth, at := 0, 0
	for items := 0; depth >= 0; {
		if open[depth] == 0 {
			depth--
			continue
		}
		if at >= len(p) {
			return errCut
		}
		if p[at] == 0xff {
			if open[depth] != indefinite {
				return fmt.Errorf("a break without a beginning at byte %d", at)
			}
			at++
			depth--
			continue
		}
		if open[depth] > 0 {
			open[depth]--
		}
		if items++; items > maxItems {
			return fmt.Errorf("more than %d items", maxItems)
		}
		inner, n, err := cborItem(p[at:])
		if err != nil {
			return err
		}
		at += n
		if inner != 0 {
			if depth++; depth > maxDepth {
				return fmt.Errorf("nested deeper than %d", maxDepth)
			}
			open[depth] = inner
		}
	}
	return nil
}

// cborItem reads the head of an item: how many items are inside it (or indefinite), and how
// many bytes it takes up without them.
func cborItem(p []byte) (inner int64, n int, err error) {
	major, minor := p[0]>>5, p[0]&0x1f
	arg, n, endless := uint64(minor), 1, minor == 31
	switch {
	case minor >= 24 && minor <= 27:
		n += 1 << (minor - 24)
		if len(p) < n {
			return 0, 0, errCut
		}
		arg = 0
		for _, b := range p[1:n] {
			arg = arg<<8 | uint64(b)
		}
	case minor >= 28 && !endless:
		return 0, 0, fmt.Errorf("a reserved length %d", minor)
	}
	switch major {
	case 2, 3: // bytes, text
		if endless {
			return indefinite, n, nil
		}
		if arg > uint64(len(p)-n) {
			return 0, 0, errCut
		}
		return 0, n + int(arg), nil
	case 4, 5: // list, map
		if endless {
			return indefinite, n, nil
		}
		if arg > uint64(len(p)-n) {
			return 0, 0, errCut
		}
		return int64(arg) * int64(major-3), n, nil
	case 6: // tag
		return 1, n, nil
	}
	if endless {
		return 0, 0, fmt.Errorf("an item without an end where there can be none")
	}
	return 0, n, nil
}
