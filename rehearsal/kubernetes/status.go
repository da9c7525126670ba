package kubernetes

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// status is metav1.Status, the one shape of every refusal.
type status struct {
	Message string
	Reason  string
	Details *details
	Code    int
}

type details struct {
	Name              string  `json:"name,omitempty"`
	Group             string  `json:"group,omitempty"`
	Kind              string  `json:"kind,omitempty"`
	UID               string  `json:"uid,omitempty"`
	Causes            []cause `json:"causes,omitempty"`
	RetryAfterSeconds int     `json:"retryAfterSeconds,omitempty"`
}

type cause struct {
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	Field   string `json:"field,omitempty"`
}

// MarshalJSON writes the fields in the real server's order.
func (s *status) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Kind       string   `json:"kind"`
		APIVersion string   `json:"apiVersion"`
		Metadata   struct{} `json:"metadata"`
		Status     string   `json:"status"`
		Message    string   `json:"message,omitempty"`
		Reason     string   `json:"reason,omitempty"`
		Details    *details `json:"details,omitempty"`
		Code       int      `json:"code"`
	}{Kind: "Status", APIVersion: "v1", Status: "Failure", Message: s.Message, Reason: s.Reason, Details: s.Details, Code: s.Code})
}

func (s *status) Error() string { return s.Message }

func unauthorized() *status {
	return &status{Message: "Unauthorized", Reason: "Unauthorized", Code: http.StatusUnauthorized}
}

func (k *kind) missing(name string) *status {
	return &status{
		Message: fmt.Sprintf("%s %q not found", k.qualified(), name), Reason: "NotFound",
		Details: &details{Name: name, Group: k.group, Kind: k.resource}, Code: http.StatusNotFound,
	}
}

const modified = "the object has been modified; please apply your changes to the latest version and try again"

func (k *kind) conflict(name, why string) *status {
	return &status{
		Message: fmt.Sprintf("Operation cannot be fulfilled on %s %q: %s", k.qualified(), name, why), Reason: "Conflict",
		Details: &details{Name: name, Group: k.group, Kind: k.resource}, Code: http.StatusConflict,
	}
}

func badRequest(format string, args ...any) *status {
	return &status{Message: fmt.Sprintf(format, args...), Reason: "BadRequest", Code: http.StatusBadRequest}
}

func internal(err error) *status {
	return &status{
		Message: "Internal error occurred: " + err.Error(), Reason: "InternalError",
		Details: &details{Causes: []cause{{Message: err.Error()}}}, Code: http.StatusInternalServerError,
	}
}

func expired(message string) *status {
	return &status{Message: message, Reason: "Expired", Code: http.StatusGone}
}

// fieldError is one finding of validation.
type fieldError struct {
	reason, field, message string
}

func invalidValue(field string, value any, why string) fieldError {
	text, err := json.Marshal(value)
	if err != nil {
		text = []byte(fmt.Sprint(value))
	}
	return fieldError{"FieldValueInvalid", field, fmt.Sprintf("Invalid value: %s: %s", text, why)}
}

// invalid is a 422: kind is the qualified kind, Deployment.apps or Scale.autoscaling.
func invalid(group, kind, name string, errs []fieldError) *status {
	qualified := kind
	if group != "" {
		qualified += "." + group
	}
	st := &status{Reason: "Invalid", Details: &details{Name: name, Group: group, Kind: kind}, Code: http.StatusUnprocessableEntity}
	texts := make([]string, 0, len(errs))
	for _, e := range errs {
		st.Details.Causes = append(st.Details.Causes, cause{Reason: e.reason, Message: e.message, Field: e.field})
		texts = append(texts, e.field+": "+e.message)
	}
	text := strings.Join(texts, ", ")
	if len(texts) > 1 {
		text = "[" + text + "]"
	}
	st.Message = fmt.Sprintf("%s %q is invalid: %s", qualified, name, text)
	return st
}

func tooMany() *status {
	return &status{
		Message: "Too many requests, please try again later.", Reason: "TooManyRequests",
		Details: &details{RetryAfterSeconds: 1}, Code: http.StatusTooManyRequests,
	}
}

func respond(w http.ResponseWriter, st *status) {
	if st.Details != nil && st.Details.RetryAfterSeconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(st.Details.RetryAfterSeconds))
	}
	write(w, st.Code, st)
}

func write(w http.ResponseWriter, code int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(data, '\n')) // a client that left needs no answer
}

// Failure answers every request as an API server whose etcd is in trouble.
func Failure() http.Handler {
	return refusing(&status{Message: "etcdserver: request timed out", Code: http.StatusInternalServerError})
}

// Throttled answers every request as an API server whose priority and fairness turns it away.
func Throttled() http.Handler { return refusing(tooMany()) }

func refusing(st *status) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { respond(w, st) })
}

func auditID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
