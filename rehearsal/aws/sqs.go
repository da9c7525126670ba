package aws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

const sqsSpace = "com.amazonaws.sqs#"

type sqs struct {
	region  string
	queues  telemetry.Queues
	options options
	guard   guard
	created time.Time
	ids     requestIDs
}

// NewSQS answers SQS's API of one region in AWS JSON 1.0: GetQueueAttributes, GetQueueUrl and
// ListQueues. Queue URLs point to the host that the request came to.
func NewSQS(region string, q telemetry.Queues, opts ...Option) http.Handler {
	o := settings(opts)
	return &sqs{region: region, queues: q, options: o, guard: newGuard("sqs", region, o), created: o.clock()}
}

// sqsRequest holds the members of all operations that are served.
type sqsRequest struct {
	QueueURL        *string  `json:"QueueUrl"`
	AttributeNames  []string `json:"AttributeNames"`
	QueueName       *string  `json:"QueueName"`
	Owner           *string  `json:"QueueOwnerAWSAccountId"`
	MaxResults      *int64   `json:"MaxResults"`
	NextToken       *string  `json:"NextToken"`
	QueueNamePrefix string   `json:"QueueNamePrefix"`
}

func (s *sqs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, began := s.ids.next(), time.Now()
	out, problem := s.answer(w, r)
	s.options.wait(r, began)
	if problem != nil {
		writeJSONError(w, r, id, problem)
		return
	}
	body, _ := json.Marshal(out) // maps and slices of strings: can't fail
	writeJSON(w, id, http.StatusOK, body)
}

func (s *sqs) answer(w http.ResponseWriter, r *http.Request) (any, *apiError) {
	raw, plain, problem := readBody(w, r)
	if problem != nil {
		return nil, problem
	}
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	if !ok || r.Method != http.MethodPost {
		return nil, unknownOperation(r.Header.Get("X-Amz-Target"))
	}
	if problem := s.guard.check(r, raw); problem != nil {
		return nil, problem
	}
	if kind := r.Header.Get("Content-Type"); kind != "application/x-amz-json-1.0" {
		return nil, unknownOperation(name)
	}
	operation := map[string]func(*http.Request, sqsRequest) (any, *apiError){
		"GetQueueAttributes": s.attributes, "GetQueueUrl": s.url, "ListQueues": s.list,
	}[name]
	if operation == nil {
		return nil, unknownOperation(name)
	}
	var in sqsRequest
	if len(bytes.TrimSpace(plain)) > 0 {
		if err := json.Unmarshal(plain, &in); err != nil {
			return nil, serialization("The body is not the JSON of this operation: " + err.Error())
		}
	}
	return operation(r, in)
}

func writeJSON(w http.ResponseWriter, id string, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/x-amz-json-1.0")
	h.Set("X-Amzn-Requestid", id)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone is no fault of the service
}

func writeJSONError(w http.ResponseWriter, r *http.Request, id string, e *apiError) {
	e.setQueryError(w, r)
	body, _ := json.Marshal(map[string]string{"__type": e.shape, "message": e.message}) // strings: can't fail
	writeJSON(w, id, e.status, body)
}

// attributes answers GetQueueAttributes. Only what is named comes back; without names nothing does.
func (s *sqs) attributes(_ *http.Request, in sqsRequest) (any, *apiError) {
	if in.QueueURL == nil {
		return nil, missing("QueueUrl")
	}
	name, problem := queueOf(*in.QueueURL)
	if problem != nil {
		return nil, problem
	}
	visible, inFlight, delayed, ok := s.queues.Queue(name)
	if !ok {
		return nil, noQueue()
	}
	known := s.known(name, visible, inFlight, delayed)
	out := map[string]string{}
	for _, want := range in.AttributeNames {
		if !attributeExists(want) {
			return nil, &apiError{
				shape: sqsSpace + "InvalidAttributeName", code: "InvalidAttributeName",
				status: http.StatusBadRequest, message: fmt.Sprintf("Unknown Attribute %s.", want),
			}
		}
		for attribute, value := range known {
			if want == "All" || want == attribute {
				out[attribute] = value
			}
		}
	}
	if len(out) == 0 {
		return struct{}{}, nil
	}
	return map[string]any{"Attributes": out}, nil
}

// known are the attributes of a standard queue with AWS's default settings.
func (s *sqs) known(name string, visible, inFlight, delayed int) map[string]string {
	made := strconv.FormatInt(s.created.Unix(), 10)
	return map[string]string{
		"ApproximateNumberOfMessages":           strconv.Itoa(visible),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(inFlight),
		"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(delayed),
		"CreatedTimestamp":                      made,
		"LastModifiedTimestamp":                 made,
		"VisibilityTimeout":                     "30",
		"MaximumMessageSize":                    "1048576",
		"MessageRetentionPeriod":                "345600",
		"DelaySeconds":                          "0",
		"ReceiveMessageWaitTimeSeconds":         "0",
		"SqsManagedSseEnabled":                  "true",
		"QueueArn":                              fmt.Sprintf("arn:aws:sqs:%s:%s:%s", s.region, telemetry.Account, name),
	}
}

// attributeExists knows every attribute of the API. A queue has only some of them set.
func attributeExists(name string) bool {
	return slices.Contains([]string{
		"All", "Policy", "VisibilityTimeout", "MaximumMessageSize", "MessageRetentionPeriod",
		"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "CreatedTimestamp",
		"LastModifiedTimestamp", "QueueArn", "ApproximateNumberOfMessagesDelayed", "DelaySeconds",
		"ReceiveMessageWaitTimeSeconds", "RedrivePolicy", "FifoQueue", "ContentBasedDeduplication",
		"KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "DeduplicationScope", "FifoThroughputLimit",
		"RedriveAllowPolicy", "SqsManagedSseEnabled",
	}, name)
}

func (s *sqs) url(r *http.Request, in sqsRequest) (any, *apiError) {
	if in.QueueName == nil {
		return nil, missing("QueueName")
	}
	if in.Owner != nil && *in.Owner != telemetry.Account {
		return nil, noQueue()
	}
	if _, _, _, ok := s.queues.Queue(*in.QueueName); !ok {
		return nil, noQueue()
	}
	return map[string]string{"QueueUrl": queueURL(r, *in.QueueName)}, nil
}

// list answers ListQueues: at most 1000 queues, with a token for more only if MaxResults is given.
func (s *sqs) list(r *http.Request, in sqsRequest) (any, *apiError) {
	limit := int64(1000)
	if in.MaxResults != nil {
		limit = *in.MaxResults
		if limit < 1 || limit > 1000 {
			return nil, badValue(fmt.Sprintf("Value %d for parameter MaxResults is invalid. Reason: Must be between 1 and 1000, if provided.", limit))
		}
	}
	var found []string
	for _, name := range s.queues.Names() {
		if strings.HasPrefix(name, in.QueueNamePrefix) {
			found = append(found, queueURL(r, name))
		}
	}
	request := fingerprint("ListQueues", in.QueueNamePrefix)
	begin := int64(0)
	if in.NextToken != nil {
		t, ok := parseToken(*in.NextToken, request)
		if !ok || t.at[0] < 0 || t.at[0] > int64(len(found)) {
			return nil, badValue("Invalid or expired next token.")
		}
		begin = t.at[0]
	}
	finish := min(begin+limit, int64(len(found)))
	out := map[string]any{}
	if finish > begin {
		out["QueueUrls"] = found[begin:finish]
	}
	if in.MaxResults != nil && finish < int64(len(found)) {
		out["NextToken"] = token{request: request, at: [3]int64{finish}}.String()
	}
	return out, nil
}

func queueURL(r *http.Request, name string) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host + "/" + telemetry.Account + "/" + url.PathEscape(name)
}

// queueOf reads the name out of a queue URL. As in AWS the path decides, not the host.
func queueOf(address string) (string, *apiError) {
	u, err := url.Parse(address)
	if err == nil {
		parts := strings.Split(strings.Trim(u.Path, "/"), "/")
		if len(parts) == 2 && u.Host != "" && parts[1] != "" {
			if parts[0] != telemetry.Account {
				return "", noQueue()
			}
			return parts[1], nil
		}
	}
	return "", &apiError{
		shape: sqsSpace + "InvalidAddress", code: "InvalidAddress",
		status: http.StatusNotFound, message: fmt.Sprintf("The address %s is not valid for this endpoint.", address),
	}
}

func noQueue() *apiError {
	return &apiError{
		shape: sqsSpace + "QueueDoesNotExist", code: "AWS.SimpleQueueService.NonExistentQueue",
		status: http.StatusBadRequest, message: "The specified queue does not exist.",
	}
}

func missing(parameter string) *apiError {
	return &apiError{
		shape: coral + "MissingRequiredParameterException", code: "MissingParameter",
		status: http.StatusBadRequest, message: "The request must contain the parameter " + parameter + ".",
	}
}

func badValue(message string) *apiError {
	return &apiError{
		shape: coral + "InvalidParameterValueException", code: "InvalidParameterValue",
		status: http.StatusBadRequest, message: message,
	}
}
