// Package aws serves the rehearsed platform's telemetry in AWS's own words, on loopback:
//
//   - CloudWatch in Smithy RPC v2 CBOR: GetMetricData with metric math, ListMetrics, DescribeAlarms;
//   - SQS in AWS JSON 1.0: GetQueueAttributes, GetQueueUrl, ListQueues;
//   - STS in AWS Query and XML: GetCallerIdentity, AssumeRole;
//   - EC2 Auto Scaling and Elastic Load Balancing in AWS Query and XML, ECS, Application Auto Scaling
//     and Systems Manager in AWS JSON 1.1: what reading and scaling a shop, opening an OpsItem and
//     setting a parameter take. See the constructors.
//
// Requests are signed with Signature Version 4 as AWS asks for. Shapes, error codes and headers
// follow the models and the wire fixtures that AWS publishes with its Go SDK; the wording of
// validation errors follows answers of the live service where they are on record.
//
// The handlers hold no state and are safe for many goroutines.
package aws

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// AccessKey is the access key id that the handlers know. Every other one is refused as AWS refuses
// an unknown key, except for the temporary ones that NewSTS hands out.
const AccessKey = "REHEARSAL"

// ActKey is the access key id that may call the operations that change something, besides those
// that read. AccessKey is refused there, as AWS refuses a user without the permission.
const ActKey = "REHEARSALACT"

// maxRequest is the largest request body that is read, in bytes. A GetMetricData call with 500
// queries and 30 dimensions each stays below it.
const maxRequest = 8 << 20

// Option changes a handler from its default.
type Option func(*options)

type options struct {
	secret  string
	acts    string
	clock   func() time.Time
	soonest time.Duration
	device  string
	code    func() string
}

// WithSecret makes the handler verify each signature with the secret access key that belongs to
// AccessKey. Without it the form, the key id, the scope and the date of a signature are checked,
// but not the signature itself.
func WithSecret(secret string) Option {
	return func(o *options) { o.secret = secret }
}

// WithActSecret makes ActKey known, with its secret access key. Without it, and with WithSecret, the
// key is refused as an unknown one.
func WithActSecret(secret string) Option {
	return func(o *options) { o.acts = secret }
}

// WithClock sets the clock that signature dates and expiry are held against. The default is
// time.Now, also where the platform itself runs faster than the wall clock: a client signs with its
// own clock.
func WithClock(now func() time.Time) Option {
	return func(o *options) { o.clock = now }
}

// WithMFA makes NewSTS ask for the device's code before it hands out a role, as a trust policy with
// aws:MultiFactorAuthPresent does. Each code is good for one use.
func WithMFA(device string, code func() string) Option {
	return func(o *options) { o.device, o.code = device, code }
}

// serviceTime is the least time that an answer takes. No AWS service is faster, and the HTTP
// request of smithy-go v1.28.8 counts on it: an answer that overtakes the end of its own request
// makes net/http close the connection, and the client loses the rest of a long body. (After the
// answer the body is closed, and its WriteTo then returns io.EOF as an error.)
const serviceTime = 10 * time.Millisecond

// WithServiceTime sets the least time that an answer takes. The default is ten milliseconds.
func WithServiceTime(d time.Duration) Option {
	return func(o *options) { o.soonest = d }
}

// wait holds an answer back until its time has come or the client has gone.
func (o options) wait(r *http.Request, began time.Time) {
	left := o.soonest - time.Since(began)
	if left <= 0 {
		return
	}
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	}
}

func settings(opts []Option) options {
	o := options{clock: time.Now, soonest: serviceTime}
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// apiError is one refusal, in the words of every protocol that AWS speaks here.
type apiError struct {
	shape    string // name of the error's shape, with its namespace: what __type holds
	code     string // code of AWS Query: XML, and the header x-amzn-query-error
	status   int
	message  string
	receiver bool           // the service's fault, not the sender's
	capital  bool           // the shape's member is called Message, not message
	more     map[string]any // other members of the shape, in JSON
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func (e *apiError) fault() string {
	if e.receiver {
		return "Receiver"
	}
	return "Sender"
}

// setQueryError writes the header that keeps the old error codes alive for clients that ask for it.
// See https://smithy.io/2.0/aws/protocols/aws-query-protocol.html, awsQueryCompatible.
func (e *apiError) setQueryError(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Amzn-Query-Mode") == "true" {
		w.Header().Set("X-Amzn-Query-Error", e.code+";"+e.fault())
	}
}

// coral is the namespace of errors that AWS's front door answers with, before a service sees a call.
const coral = "com.amazon.coral.service#"

func unknownOperation(name string) *apiError {
	return &apiError{
		shape: coral + "UnknownOperationException", code: "InvalidAction", status: http.StatusNotFound,
		message: fmt.Sprintf("The operation %q is not known.", name),
	}
}

func serialization(why string) *apiError {
	return &apiError{shape: coral + "SerializationException", code: "MalformedInput", status: http.StatusBadRequest, message: why}
}

// requestIDs numbers the answers of this process, so that two of them never share an id.
type requestIDs struct{ n atomic.Uint64 }

func (ids *requestIDs) next() string {
	n := ids.n.Add(1)
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(n>>32), n&0xffffffffffff)
}

// readBody reads a whole request body, unpacked if the client compressed it.
func readBody(w http.ResponseWriter, r *http.Request) (raw, plain []byte, problem *apiError) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		return nil, nil, &apiError{
			shape: coral + "RequestEntityTooLargeException", code: "RequestEntityTooLarge",
			status: http.StatusRequestEntityTooLarge, message: fmt.Sprintf("The request could not be read: at most %d bytes are allowed.", maxRequest),
		}
	}
	if !strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		return raw, raw, nil
	}
	packed, err := gzip.NewReader(strings.NewReader(string(raw)))
	if err != nil {
		return nil, nil, serialization("The body is not in the gzip format that Content-Encoding names.")
	}
	plain, err = io.ReadAll(io.LimitReader(packed, maxRequest+1))
	if err != nil || len(plain) > maxRequest {
		return nil, nil, serialization("The compressed body is broken or too large.")
	}
	return raw, plain, nil
}
