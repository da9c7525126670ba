package aws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// jsonService is a service that speaks AWS JSON 1.1.
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
type jsonService struct {
	name       string // the service's in a policy
	target     string // what X-Amz-Target begins with
	invalid    string // the error of a request that the service refuses for its content
	operations map[string]jsonOperation
	options    options
	guard      guard
	ids        requestIDs
}

// jsonOperation is what a service can be asked for. read decodes the input and returns what is to
// be done with it.
type jsonOperation struct {
	writes bool
	read   func(body []byte) (do func(who caller) (any, *apiError), err error)
}

// jsonCall makes one out of a function of its input. A member that the input does not have is
// refused, so that nothing that a client sends is dropped in silence.
func jsonCall[In any](writes bool, do func(who caller, in *In) (any, *apiError)) jsonOperation {
	return jsonOperation{writes: writes, read: func(body []byte) (func(caller) (any, *apiError), error) {
		in := new(In)
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.DisallowUnknownFields()
		if err := dec.Decode(in); err != nil {
			return nil, err
		}
		if _, err := dec.Token(); err != io.EOF {
			return nil, fmt.Errorf("there is something after the input")
		}
		return func(who caller) (any, *apiError) { return do(who, in) }, nil
	}}
}

func (s *jsonService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, began := s.ids.next(), time.Now()
	out, problem := s.answer(w, r)
	s.options.wait(r, began)
	if problem != nil {
		writeJSON11Error(w, id, problem)
		return
	}
	body, err := json.Marshal(out)
	if err != nil { // structures of texts and numbers: can't fail
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON11(w, id, http.StatusOK, body)
}

func (s *jsonService) answer(w http.ResponseWriter, r *http.Request) (any, *apiError) {
	raw, plain, problem := readBody(w, r)
	if problem != nil {
		return nil, problem
	}
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), s.target)
	if !ok || r.Method != http.MethodPost {
		return nil, unknownOperation(r.Header.Get("X-Amz-Target"))
	}
	who, problem := s.guard.identify(r, raw)
	if problem != nil {
		return nil, problem
	}
	op, ok := s.operations[name]
	if !ok || r.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
		return nil, unknownOperation(name)
	}
	if op.writes && !who.acts {
		return nil, denied(who, s.name+":"+name, "AccessDeniedException", http.StatusBadRequest)
	}
	if len(bytes.TrimSpace(plain)) == 0 {
		plain = []byte("{}")
	}
	do, err := op.read(plain)
	switch {
	case err != nil && strings.Contains(err.Error(), "unknown field"):
		return nil, s.refuse("The rehearsed service does not take the member %s.", strings.TrimPrefix(err.Error(), "json: unknown field "))
	case err != nil:
		return nil, serialization("The body is not the JSON of this operation: " + err.Error())
	}
	return do(who)
}

// refuse is the service's refusal of a request for its content.
func (s *jsonService) refuse(format string, args ...any) *apiError {
	return modelled(s.invalid, format, args...)
}

// modelled is an error of a service's own model, of the sender's making.
func modelled(name, format string, args ...any) *apiError {
	return &apiError{shape: name, code: name, status: http.StatusBadRequest, message: fmt.Sprintf(format, args...)}
}

func writeJSON11(w http.ResponseWriter, id string, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/x-amz-json-1.1")
	h.Set("X-Amzn-Requestid", id)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone is no fault of the service
}

func writeJSON11Error(w http.ResponseWriter, id string, e *apiError) {
	out := map[string]any{"__type": e.shape}
	if e.capital {
		out["Message"] = e.message
	} else {
		out["message"] = e.message
	}
	for name, v := range e.more {
		out[name] = v
	}
	body, err := json.Marshal(out)
	if err != nil { // texts and numbers: can't fail
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON11(w, id, e.status, body)
}

// epoch is a time as AWS JSON writes it: seconds, with a fraction. None is nil.
func epoch(t time.Time) *float64 {
	if t.IsZero() {
		return nil
	}
	v := float64(t.UnixMilli()) / 1000
	return &v
}

// moment is a time as AWS JSON sends it.
type moment struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (m *moment) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseFloat(string(b), 64)
	if err != nil || v < -1e11 || v > 1e11 {
		return fmt.Errorf("%s is not a time in seconds", b)
	}
	m.Time = time.UnixMilli(int64(v * 1000)).UTC()
	return nil
}

// when is a time that may not be given.
func (m *moment) when() time.Time {
	if m == nil {
		return time.Time{}
	}
	return m.Time
}

// jsonPage cuts a list by MaxResults and NextToken.
func jsonPage[T any](all []T, limit *int, after *string, most int, invalid func(format string, args ...any) *apiError, request ...any) (cut []T, next *string, problem *apiError) {
	size := most
	if limit != nil {
		if size = *limit; size < 1 || size > most {
			return nil, nil, invalid("1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and %d", size, most)
		}
	}
	text := ""
	if after != nil {
		text = *after
	}
	begin, ok := pageStart(text, after != nil, len(all), request)
	if !ok {
		return nil, nil, modelled("InvalidNextTokenException", "The next token supplied is invalid.")
	}
	cut, more := pageFrom(all, begin, size, request)
	if more != "" {
		next = &more
	}
	return cut, next, nil
}
