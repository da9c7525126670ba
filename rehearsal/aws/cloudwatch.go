package aws

import (
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

const (
	cloudWatchPath  = "/service/GraniteServiceVersion20100801/operation/"
	cloudWatchSpace = "com.amazonaws.cloudwatch#"
)

type cloudWatch struct {
	region  string
	metrics telemetry.Metrics
	alarms  telemetry.Alarms
	now     func() time.Time
	options options
	guard   guard
	ids     requestIDs
}

// NewCloudWatch answers CloudWatch's API of one region in Smithy RPC v2 CBOR, the only protocol
// that the Go SDK speaks to it: GetMetricData, ListMetrics, DescribeAlarms, ListAlarmMuteRules and GetAlarmMuteRule. now is the platform's
// time: retention and the rounding of StartTime follow it.
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
func NewCloudWatch(region string, m telemetry.Metrics, a telemetry.Alarms, now func() time.Time, opts ...Option) http.Handler {
	o := settings(opts)
	return &cloudWatch{region: region, metrics: m, alarms: a, now: now, options: o, guard: newGuard("monitoring", region, o)}
}

func (c *cloudWatch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, began := c.ids.next(), time.Now()
	body, problem := c.answer(w, r)
	c.options.wait(r, began)
	if problem != nil {
		writeCBORError(w, r, id, problem)
		return
	}
	writeCBOR(w, id, http.StatusOK, body)
}

func (c *cloudWatch) answer(w http.ResponseWriter, r *http.Request) ([]byte, *apiError) {
	name, ok := strings.CutPrefix(r.URL.Path, cloudWatchPath)
	if !ok || r.Method != http.MethodPost || r.Header.Get("Smithy-Protocol") != "rpc-v2-cbor" {
		return nil, unknownOperation(name)
	}
	raw, plain, problem := readBody(w, r)
	if problem != nil {
		return nil, problem
	}
	if problem := c.guard.check(r, raw); problem != nil {
		return nil, problem
	}
	if kind := r.Header.Get("Content-Type"); len(plain) > 0 && kind != "application/cbor" {
		return nil, &apiError{
			shape: coral + "UnsupportedMediaTypeException", code: "UnsupportedMediaType",
			status: http.StatusUnsupportedMediaType, message: fmt.Sprintf("The content type must be application/cbor, not %q.", kind),
		}
	}
	operation := map[string]func(object) ([]byte, *apiError){
		"GetMetricData": c.getMetricData, "ListMetrics": c.listMetrics, "DescribeAlarms": c.describeAlarms,
		"ListAlarmMuteRules": c.listAlarmMuteRules, "GetAlarmMuteRule": c.getAlarmMuteRule,
	}[name]
	if operation == nil {
		return nil, unknownOperation(name)
	}
	in, problem := decodeObject(plain)
	if problem != nil {
		return nil, problem
	}
	return operation(in)
}

func writeCBOR(w http.ResponseWriter, id string, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/cbor")
	h.Set("Smithy-Protocol", "rpc-v2-cbor")
	h.Set("X-Amzn-Requestid", id)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone is no fault of the service
}

func writeCBORError(w http.ResponseWriter, r *http.Request, id string, e *apiError) {
	e.setQueryError(w, r)
	var out writer
	out.beginMap()
	out.text("__type", e.shape)
	if e.capital {
		out.text("Message", e.message)
	} else {
		out.text("message", e.message)
	}
	out.end()
	writeCBOR(w, id, e.status, out.b)
}

// invalid is the error of a request that CloudWatch refuses for its content. AWS modelled it as
// ValidationException in 2026; its code stayed ValidationError. Each message is a line of its own.
func invalid(messages ...string) *apiError {
	return &apiError{
		shape: cloudWatchSpace + "ValidationException", code: "ValidationError",
		status: http.StatusBadRequest, message: strings.Join(messages, "\n") + "\n",
	}
}

func invalidToken() *apiError {
	return &apiError{
		shape: cloudWatchSpace + "InvalidNextToken", code: "InvalidNextToken",
		status: http.StatusBadRequest, message: "The value for parameter NextToken is not valid for this request.",
	}
}

// token is where the next page of a request begins. It is bound to the request by a hash.
type token struct {
	request uint64
	at      [3]int64
}

func fingerprint(parts ...any) uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%q", parts) // a hash takes everything
	return h.Sum64()
}

func (t token) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "1 %x %d %d %d", t.request, t.at[0], t.at[1], t.at[2]))
}

// parseToken reads a token that String wrote for the same request.
func parseToken(s string, request uint64) (token, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return token{}, false
	}
	var t token
	n, err := fmt.Sscanf(string(raw), "1 %x %d %d %d", &t.request, &t.at[0], &t.at[1], &t.at[2])
	return t, err == nil && n == 4 && t.request == request && t.String() == s
}
