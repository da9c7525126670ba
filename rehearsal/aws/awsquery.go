package aws

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// queryService is a service that speaks AWS Query and XML.
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
type queryService struct {
	name, version, space string // name is the service's in a policy
	operations           map[string]queryOperation
	options              options
	guard                guard
	ids                  requestIDs
}

// queryOperation is what a service can be asked for. A nil result is an answer without a body of
// its own.
type queryOperation struct {
	writes bool
	do     func(in *params) (result any, problem *apiError)
}

// params are the parameters of one request. Those that an operation did not look at are refused, so
// that nothing that a client sends is dropped in silence.
type params struct {
	form url.Values
	who  caller
	seen map[string]bool
	bad  *apiError // the first parameter that could not be read
}

func (s *queryService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, began := s.ids.next(), time.Now()
	action, result, problem := s.answer(w, r)
	s.options.wait(r, began)
	if problem != nil {
		writeQueryError(w, s.space, id, problem)
		return
	}
	writeQuery(w, s.space, id, action, result)
}

func (s *queryService) answer(w http.ResponseWriter, r *http.Request) (action string, result any, problem *apiError) {
	raw, plain, problem := readBody(w, r)
	if problem != nil {
		return "", nil, problem
	}
	form, err := url.ParseQuery(string(plain))
	if err != nil {
		return "", nil, serialization("The body is not a form: " + err.Error())
	}
	if r.Method == http.MethodGet {
		form = r.URL.Query()
	}
	action = form.Get("Action")
	if action == "" {
		return "", nil, &apiError{code: "MissingAction", status: http.StatusBadRequest, message: "The request must contain the parameter Action."}
	}
	who, problem := s.guard.identify(r, raw)
	if problem != nil {
		return "", nil, problem
	}
	operation, ok := s.operations[action]
	if !ok || form.Get("Version") != s.version {
		return "", nil, &apiError{
			code: "InvalidAction", status: http.StatusBadRequest,
			message: fmt.Sprintf("Could not find operation %s for version %s", action, form.Get("Version")),
		}
	}
	if operation.writes && !who.acts {
		return "", nil, denied(who, s.name+":"+action, "AccessDenied", http.StatusForbidden)
	}
	in := &params{form: form, who: who, seen: map[string]bool{"Action": true, "Version": true}}
	result, problem = operation.do(in)
	if problem == nil {
		problem = in.bad
	}
	return action, result, problem
}

// denied is the refusal of a user who lacks a permission, as IAM words it.
func denied(who caller, action, code string, status int) *apiError {
	return &apiError{
		shape: "AccessDeniedException", code: code, status: status, capital: true,
		message: fmt.Sprintf("User: %s is not authorized to perform: %s because no identity-based policy allows the %s action", who.arn, action, action),
	}
}

// validationError is the refusal of the services that speak AWS Query.
func validationError(format string, args ...any) *apiError {
	return &apiError{code: "ValidationError", status: http.StatusBadRequest, message: fmt.Sprintf(format, args...)}
}

func (p *params) text(name string) (string, bool) {
	p.seen[name] = true
	v, ok := p.form[name]
	if !ok || len(v) == 0 {
		return "", false
	}
	return v[0], true
}

// required returns a parameter that must be there.
func (p *params) required(name string) string {
	v, ok := p.text(name)
	if !ok || v == "" {
		p.refuse("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", strings.ToLower(name[:1])+name[1:])
	}
	return v
}

func (p *params) refuse(format string, args ...any) {
	if p.bad == nil {
		p.bad = validationError(format, args...)
	}
}

// integer returns a number, or nil when it is not given.
func (p *params) integer(name string) *int {
	text, ok := p.text(name)
	if !ok {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		p.refuse("The value %q for %s is not an integer", text, name)
		return nil
	}
	v := int(n)
	return &v
}

func (p *params) boolean(name string, otherwise bool) bool {
	text, ok := p.text(name)
	if !ok {
		return otherwise
	}
	v, err := strconv.ParseBool(text)
	if err != nil {
		p.refuse("The value %q for %s is not a boolean", text, name)
	}
	return v
}

// moment returns a time; zero when it is not given.
func (p *params) moment(name string) time.Time {
	text, ok := p.text(name)
	if !ok {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		p.refuse("The value %q for %s is not a time in ISO 8601", text, name)
	}
	return t.UTC()
}

// list returns the members of a list of texts.
func (p *params) list(name string) []string {
	var out []string
	for i := 1; ; i++ {
		v, ok := p.text(fmt.Sprintf("%s.member.%d", name, i))
		if !ok {
			return out
		}
		out = append(out, v)
	}
}

// filter is one condition of a description: any of the values.
type filter struct {
	name   string
	values []string
}

func (p *params) filters() []filter {
	var out []filter
	for i := 1; ; i++ {
		name, ok := p.text(fmt.Sprintf("Filters.member.%d.Name", i))
		if !ok {
			return out
		}
		out = append(out, filter{name, p.list(fmt.Sprintf("Filters.member.%d.Values", i))})
	}
}

// done refuses what was sent and not looked at.
func (p *params) done() *apiError {
	if p.bad != nil {
		return p.bad
	}
	for _, name := range slices.Sorted(maps.Keys(p.form)) {
		if !p.seen[name] {
			return validationError("The rehearsed service does not take the parameter %s.", name)
		}
	}
	return nil
}

// page cuts a list by MaxRecords and NextToken, the names that Auto Scaling has for them.
func page[T any](p *params, all []T, standard, most int, request ...any) (cut []T, next string) {
	limit := standard
	if n := p.integer("MaxRecords"); n != nil {
		limit = *n
		if limit < 1 || limit > most {
			p.refuse("1 validation error detected: Value '%d' at 'maxRecords' failed to satisfy constraint: Member must have value between 1 and %d", limit, most)
			return nil, ""
		}
	}
	after, given := p.text("NextToken")
	begin, ok := pageStart(after, given, len(all), request)
	if !ok {
		if p.bad == nil {
			p.bad = &apiError{code: "InvalidNextToken", status: http.StatusBadRequest, message: "The token '" + after + "' is invalid."}
		}
		return nil, ""
	}
	return pageFrom(all, begin, limit, request)
}

// pageStart reads where a page begins out of a token that belongs to the same request.
func pageStart(after string, given bool, length int, request []any) (begin int, ok bool) {
	if !given {
		return 0, true
	}
	t, ok := parseToken(after, fingerprint(request...))
	if !ok || t.at[0] < 0 || t.at[0] > int64(length) {
		return 0, false
	}
	return int(t.at[0]), true
}

func pageFrom[T any](all []T, begin, limit int, request []any) (cut []T, next string) {
	end := min(begin+limit, len(all))
	if end < len(all) {
		next = token{request: fingerprint(request...), at: [3]int64{int64(end)}}.String()
	}
	return all[begin:end], next
}

// writeQuery writes <XResponse><XResult>…</XResult><ResponseMetadata>…
func writeQuery(w http.ResponseWriter, space, id, action string, result any) {
	var body bytes.Buffer
	enc := xml.NewEncoder(&body)
	enc.Indent("", "  ")
	element := func(name string) xml.StartElement { return xml.StartElement{Name: xml.Name{Local: name}} }
	root := xml.StartElement{Name: xml.Name{Space: space, Local: action + "Response"}}
	meta := struct {
		ID string `xml:"RequestId"`
	}{id}
	err := enc.EncodeToken(root)
	if err == nil && result != nil {
		err = enc.EncodeElement(result, element(action+"Result"))
	}
	if err == nil {
		err = enc.EncodeElement(meta, element("ResponseMetadata"))
	}
	if err == nil {
		err = enc.EncodeToken(root.End())
	}
	if err == nil {
		err = enc.Flush()
	}
	if err != nil { // structures of strings and numbers: can't fail
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeXMLBody(w, id, http.StatusOK, body.Bytes())
}

type queryErrorResponse struct {
	XMLName xml.Name
	Type    string `xml:"Error>Type"`
	Code    string `xml:"Error>Code"`
	Message string `xml:"Error>Message"`
	ID      string `xml:"RequestId"`
}

func writeQueryError(w http.ResponseWriter, space, id string, e *apiError) {
	body, err := xml.MarshalIndent(queryErrorResponse{
		XMLName: xml.Name{Space: space, Local: "ErrorResponse"}, Type: e.fault(), Code: e.code, Message: e.message, ID: id,
	}, "", "  ")
	if err != nil { // a structure of strings: can't fail
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeXMLBody(w, id, e.status, body)
}

func writeXMLBody(w http.ResponseWriter, id string, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "text/xml")
	h.Set("X-Amzn-Requestid", id)
	h.Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that has gone is no fault of the service
}

// xmlTime is a time as these services write it; "" for none.
func xmlTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
