package prometheus

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/onsale-dev/onsale/sources"
)

// The services of AWS that speak the Prometheus API, as a signature names them.
const (
	ManagedService    = "aps"        // Amazon Managed Service for Prometheus
	CloudWatchService = "monitoring" // PromQL in CloudWatch
)

// Signing signs requests for AWS by Signature Version 4. All fields are needed.
type Signing struct {
	// Credentials are asked for each request; an aws.CredentialsCache makes that cheap and lets
	// several sources share one login.
	Credentials aws.CredentialsProvider
	Region      string
	Service     string // ManagedService or CloudWatchService
}

// signer signs what it sends on. It is the last to touch a request but for headers that need no
// signature, such as those of basic auth at a proxy.
type signer struct {
	Signing
	v4   *v4.Signer
	next http.RoundTripper
}

func newSigner(s Signing, next http.RoundTripper) (http.RoundTripper, error) {
	switch {
	case s.Credentials == nil:
		return nil, errors.New("signing needs credentials")
	case s.Region == "" || s.Service == "":
		return nil, errors.New("signing needs a region and a service")
	}
	return &signer{Signing: s, v4: v4.NewSigner(), next: next}, nil
}

// RoundTrip implements http.RoundTripper. The caller's request is left as it was.
func (s *signer) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(req.Body)
		_ = req.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	who, err := s.Credentials.Retrieve(req.Context())
	if err != nil {
		return nil, err
	}
	signed := req.Clone(req.Context())
	if req.Body != nil {
		signed.Body, signed.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		signed.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	sum := sha256.Sum256(body)
	if err := s.v4.SignHTTP(req.Context(), who, signed, hex.EncodeToString(sum[:]), s.Service, s.Region, time.Now()); err != nil {
		return nil, err
	}
	return s.next.RoundTrip(signed)
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the pool.
func (s *signer) CloseIdleConnections() {
	if c, ok := s.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// awsError is a refusal by the front door of AWS, which answers in its own words and not in those
// of the Prometheus API. Its methods are those by which sources.Classify knows an error of AWS.
type awsError struct {
	code, message string
	status        int
}

func (e *awsError) Error() string        { return e.code + ": " + e.message }
func (e *awsError) ErrorCode() string    { return e.code }
func (e *awsError) ErrorMessage() string { return e.message }
func (e *awsError) HTTPStatusCode() int  { return e.status }

// awsCodes are the codes of refusals that come without one, by words of their message.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
var awsCodes = []struct{ words, code string }{
	{"security token included in the request is expired", "ExpiredTokenException"},
	{"security token included in the request is invalid", "UnrecognizedClientException"},
	{"issing Authentication Token", "MissingAuthenticationTokenException"},
	{"Signature expired", "SignatureDoesNotMatch"},
	{"Signature not yet current", "SignatureDoesNotMatch"},
	{"signature we calculated does not match", "SignatureDoesNotMatch"},
	{"Credential should be scoped", "SignatureDoesNotMatch"},
	{"is not authorized to perform", "AccessDeniedException"},
}

// ofAWS turns an error status into AWS's own error where it is one: a code in the header or the
// body, or words that only AWS uses. Any other stays as it is.
func ofAWS(header http.Header, err error) error {
	var status *sources.StatusError
	if !errors.As(err, &status) {
		return err
	}
	var said struct {
		Type    string `json:"__type"`
		Lower   string `json:"message"`
		Capital string `json:"Message"`
		Status  string `json:"status"`
	}
	if json.Unmarshal(status.Body, &said) != nil || said.Status == "error" {
		return err
	}
	code, _, _ := strings.Cut(header.Get("X-Amzn-Errortype"), ":")
	if code == "" {
		code = said.Type[strings.LastIndexByte(said.Type, '#')+1:]
	}
	message := said.Lower
	if message == "" {
		message = said.Capital
	}
	for _, known := range awsCodes {
		if code == "" && strings.Contains(message, known.words) {
			code = known.code
		}
	}
	if code == "" {
		return err
	}
	return &awsError{code: code, message: message, status: status.Status}
}
