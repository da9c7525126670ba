package cloudwatch

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/smithy-go/encoding/cbor"
)

func replayFunc(t *testing.T, h http.HandlerFunc) (url string) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestAnAnswerIsLookedAtBeforeItIsDecoded(t *testing.T) {
	page := cbor.Encode(cbor.Map{"MetricDataResults": cbor.List{cbor.Map{"Values": cbor.List{cbor.Float64(1), cbor.Bool(true), &cbor.Nil{}, cbor.NegInt(3)}, "Timestamps": cbor.List{&cbor.Tag{ID: 1, Value: cbor.Float64(7)}}}}})
	nested := func(n int) []byte { return append(bytes.Repeat([]byte{0x81}, n), 0x00) }
	for _, c := range []struct {
		name string
		body []byte
		want string
	}{
		{"a page", page, ""},
		{"lists and maps without a length", []byte{0xbf, 0x61, 'a', 0x9f, 0x01, 0xff, 0x61, 'b', 0x7f, 0x61, 'c', 0xff, 0xff}, ""},
		{"half a page", page[:len(page)/2], "ends too early"},
		{"nothing", nil, "ends too early"},
		{"a text longer than the body", []byte{0x7b, 0, 0, 1, 0, 0, 0, 0, 0, 'x'}, "ends too early"},
		{"a list longer than the body", []byte{0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "ends too early"},
		{"32 lists in each other", nested(maxDepth), ""},
		{"33 lists in each other", nested(maxDepth + 1), "nested deeper than 32"},
		{"megabytes of opening brackets", bytes.Repeat([]byte{0x9f}, 3<<20), "nested deeper than 32"},
		{"a million items", append([]byte{0x9a, 0, 0x0f, 0x42, 0x40}, make([]byte, 1_000_000)...), "more than 500000 items"},
		{"a break in a list with a length", []byte{0x82, 0x01, 0xff}, "a break without a beginning"},
		{"a break alone", []byte{0xff}, "a break without a beginning"},
		{"a reserved length", []byte{0x1c}, "a reserved length 28"},
		{"a number without an end", []byte{0x1f}, "without an end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := checkCBOR(c.body)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// FuzzAnswer sends any bytes through the client and a whole poll: nothing may panic, and no
// value may be invented that the batch does not hold as valid.
func FuzzAnswer(f *testing.F) {
	f.Add(cbor.Encode(cbor.Map{"MetricDataResults": cbor.List{cbor.Map{"Id": cbor.String("m1"), "StatusCode": cbor.String("Complete"), "Values": cbor.List{cbor.Float64(1)}, "Timestamps": cbor.List{&cbor.Tag{ID: 1, Value: cbor.Float64(1796378760)}}}}}), 200)
	f.Add([]byte{0xbf, 0xff}, 200)
	f.Add(cbor.Encode(cbor.Map{"__type": cbor.String("ThrottlingException")}), 400)
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		if status < 200 || status > 599 {
			return
		}
		c := guard{doer(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/cbor"}}, Body: io.NopCloser(bytes.NewReader(body))}, nil
		})}
		s := newSource(t, clientOver(c), short, connections("arena"), oldest("arena"), errorsRatio("arena", "x"))
		b := s.Read(t.Context(), utc("10:08:22"))
		for _, r := range b.Readings {
			if !r.Valid() || r.At.After(utc("10:07:00")) || r.At.Before(utc("10:00:00")) {
				t.Errorf("reading %+v", r)
			}
		}
		if b.Problem == nil && len(b.Readings) == 0 && len(b.Missing) != 3 {
			t.Errorf("neither read nor missing: %+v", b)
		}
	})
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

func clientOver(c cloudwatch.HTTPClient) API {
	return cloudwatch.New(cloudwatch.Options{Region: "eu-central-1", Credentials: aws.AnonymousCredentials{}, HTTPClient: c, Retryer: aws.NopRetryer{}})
}
