package aws

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	stsVersion = "2011-06-15"
	stsSpace   = "https://sts.amazonaws.com/doc/2011-06-15/"
)

type sts struct {
	account string
	options options
	guard   guard
	ids     requestIDs

	mu   sync.Mutex
	used string // the code that was good last
}

// NewSTS answers STS's API in AWS Query and XML: GetCallerIdentity and AssumeRole, for requests that
// are signed for any region. The credentials of AssumeRole work with every handler that has the
// same secret until they expire; they have the rights of the long-term key.
func NewSTS(account string, opts ...Option) http.Handler {
	o := settings(opts)
	return &sts{account: account, options: o, guard: newGuard("sts", "", o)}
}

type identityResponse struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
	Arn     string   `xml:"GetCallerIdentityResult>Arn"`
	UserID  string   `xml:"GetCallerIdentityResult>UserId"`
	Account string   `xml:"GetCallerIdentityResult>Account"`
	ID      string   `xml:"ResponseMetadata>RequestId"`
}

type assumeRoleResponse struct {
	XMLName     xml.Name      `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleResponse"`
	User        assumedRole   `xml:"AssumeRoleResult>AssumedRoleUser"`
	Credentials credentialSet `xml:"AssumeRoleResult>Credentials"`
	Source      string        `xml:"AssumeRoleResult>SourceIdentity,omitempty"`
	ID          string        `xml:"ResponseMetadata>RequestId"`
}

type assumedRole struct {
	ID  string `xml:"AssumedRoleId"`
	Arn string `xml:"Arn"`
}

type credentialSet struct {
	Key        string `xml:"AccessKeyId"`
	Secret     string `xml:"SecretAccessKey"`
	Token      string `xml:"SessionToken"`
	Expiration string `xml:"Expiration"`
}

type stsErrorResponse struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
	Type    string   `xml:"Error>Type"`
	Code    string   `xml:"Error>Code"`
	Message string   `xml:"Error>Message"`
	ID      string   `xml:"RequestId"`
}

func (s *sts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, began := s.ids.next(), time.Now()
	out, problem := s.answer(w, r, id)
	s.options.wait(r, began)
	if problem != nil {
		writeXMLError(w, id, problem)
		return
	}
	writeXML(w, id, http.StatusOK, out)
}

func (s *sts) answer(w http.ResponseWriter, r *http.Request, id string) (any, *apiError) {
	raw, plain, problem := readBody(w, r)
	if problem != nil {
		return nil, problem
	}
	form, err := url.ParseQuery(string(plain))
	if err != nil {
		return nil, serialization("The body is not a form: " + err.Error())
	}
	if r.Method == http.MethodGet {
		form = r.URL.Query()
	}
	action, version := form.Get("Action"), form.Get("Version")
	if action == "" {
		return nil, &apiError{code: "MissingAction", status: http.StatusBadRequest, message: "The request must contain the parameter Action."}
	}
	who, problem := s.guard.identify(r, raw)
	if problem != nil {
		return nil, problem
	}
	switch {
	case version == stsVersion && action == "GetCallerIdentity":
		return s.identity(r, who, id), nil
	case version == stsVersion && action == "AssumeRole":
		return s.assumeRole(form, who, id)
	}
	return nil, &apiError{
		code: "InvalidAction", status: http.StatusBadRequest,
		message: fmt.Sprintf("Could not find operation %s for version %s", action, version),
	}
}

func writeXML(w http.ResponseWriter, id string, status int, out any) {
	body, err := xml.MarshalIndent(out, "", "  ")
	if err != nil { // structures of strings: can't happen
		status, body = http.StatusInternalServerError, nil
	}
	h := w.Header()
	h.Set("Content-Type", "text/xml")
	h.Set("X-Amzn-Requestid", id)
	h.Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that has gone is no fault of the service
}

func writeXMLError(w http.ResponseWriter, id string, e *apiError) {
	writeXML(w, id, e.status, stsErrorResponse{Type: e.fault(), Code: e.code, Message: e.message, ID: id})
}

func (s *sts) identity(r *http.Request, who caller, id string) identityResponse {
	out := identityResponse{Account: s.account, ID: id}
	for _, long := range []string{s.guard.secret, s.guard.acts} {
		if c, ok := open(long, r.Header.Get("X-Amz-Security-Token")); ok {
			out.UserID, out.Arn = roleID(c.Role)+":"+c.Session, sessionARN(s.account, c.Role, c.Session)
			return out
		}
	}
	out.UserID, out.Arn = "AIDA"+who.key, fmt.Sprintf("arn:aws:iam::%s:user/rehearsal", s.account)
	if who.acts {
		out.Arn += "-act"
	}
	return out
}

// roleID is the stable id of a role.
func roleID(role string) string {
	return fmt.Sprintf("AROA%016X", fingerprint("role", role))
}

func sessionARN(account, role, session string) string {
	return fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", account, role[strings.LastIndex(role, "/")+1:], session)
}

var (
	roleForm    = regexp.MustCompile(`^arn:aws:iam::(\d{12}):role/[\w+=,.@/-]+$`)
	sessionForm = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
)

// assumeRole checks what AWS checks of the request; the policies of the role are not rehearsed.
func (s *sts) assumeRole(form url.Values, who caller, id string) (any, *apiError) {
	role, session := form.Get("RoleArn"), form.Get("RoleSessionName")
	match := roleForm.FindStringSubmatch(role)
	switch {
	case match == nil:
		return nil, stsInvalid(fmt.Sprintf("1 validation error detected: Value '%s' at 'roleArn' failed to satisfy constraint: Member must be the ARN of a role", role))
	case !sessionForm.MatchString(session):
		return nil, stsInvalid(fmt.Sprintf(`1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]{2,64}`, session))
	case match[1] != s.account:
		return nil, &apiError{
			code: "AccessDenied", status: http.StatusForbidden,
			message: fmt.Sprintf("User: arn:aws:iam::%s:user/rehearsal is not authorized to perform: sts:AssumeRole on resource: %s", s.account, role),
		}
	}
	if problem := s.secondFactor(form, role); problem != nil {
		return nil, problem
	}
	seconds := int64(3600)
	if text := form.Get("DurationSeconds"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 900 || n > 43200 {
			return nil, stsInvalid(fmt.Sprintf("1 validation error detected: Value '%s' at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and 43200", text))
		}
		seconds = n
	}
	expires := s.guard.clock().UTC().Add(time.Duration(seconds) * time.Second).Truncate(time.Second)
	long := s.guard.secret
	if who.acts {
		long = s.guard.acts
	}
	c, token, secret := issue(long, role, session, expires)
	return assumeRoleResponse{
		User:        assumedRole{ID: roleID(role) + ":" + session, Arn: sessionARN(s.account, role, session)},
		Credentials: credentialSet{Key: c.Key, Secret: secret, Token: token, Expiration: expires.Format(time.RFC3339)},
		Source:      form.Get("SourceIdentity"),
		ID:          id,
	}, nil
}

// secondFactor checks the code of the MFA device where one is wanted.
func (s *sts) secondFactor(form url.Values, role string) *apiError {
	o := &s.options
	if o.code == nil {
		return nil
	}
	denied := &apiError{code: "AccessDenied", status: http.StatusForbidden}
	device, code := form.Get("SerialNumber"), form.Get("TokenCode")
	switch {
	case device == "" && code == "":
		denied.message = fmt.Sprintf("User: arn:aws:iam::%s:user/rehearsal is not authorized to perform: sts:AssumeRole on resource: %s", s.account, role)
		return denied
	case device != o.device:
		denied.message = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user."
		return denied
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if code != o.code() || code == s.used {
		denied.message = "MultiFactorAuthentication failed with invalid MFA one time pass code. "
		return denied
	}
	s.used = code
	return nil
}

func stsInvalid(message string) *apiError {
	return &apiError{code: "ValidationError", status: http.StatusBadRequest, message: message}
}
