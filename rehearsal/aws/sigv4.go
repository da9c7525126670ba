package aws

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	stampForm  = "20060102T150405Z"
	// allowedSkew is how far the date of a signature may be from the service's clock. It is the
	// limit that STS and SNS name in their answers ("- 15 min.").
	allowedSkew = 15 * time.Minute
)

// guard checks Signature Version 4 for one service.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
type guard struct {
	service string
	region  string // "" is any
	secret  string // "" leaves the signature itself unchecked
	acts    string // the secret of ActKey; "" with a secret: there is no such key
	clock   func() time.Time
}

func newGuard(service, region string, o options) guard {
	return guard{service: service, region: region, secret: o.secret, acts: o.acts, clock: o.clock}
}

// authorization is the content of the header of that name.
type authorization struct {
	key, date, region, service, end string
	signed                          []string
	signature                       string
}

// check refuses a request whose signature AWS would refuse. body is the body as it was sent.
func (g guard) check(r *http.Request, body []byte) *apiError {
	_, problem := g.identify(r, body)
	return problem
}

// identify checks as check does and tells who signed.
func (g guard) identify(r *http.Request, body []byte) (caller, *apiError) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return caller{}, &apiError{
			shape: coral + "MissingAuthenticationTokenException", code: "MissingAuthenticationToken",
			status: http.StatusForbidden, message: "Request is missing Authentication Token",
		}
	}
	auth, problem := parseAuthorization(header)
	if problem != nil {
		return caller{}, problem
	}
	who, secret, problem := g.secretOf(auth.key, r.Header.Get("X-Amz-Security-Token"))
	if problem != nil {
		return caller{}, problem
	}
	stamp := r.Header.Get("X-Amz-Date")
	if problem := g.checkDate(stamp); problem != nil {
		return caller{}, problem
	}
	if problem := g.checkScope(auth, stamp); problem != nil {
		return caller{}, problem
	}
	if g.secret == "" {
		return who, nil
	}
	return who, g.verify(r, body, auth, secret, stamp)
}

// verify holds the signature itself against the one that it should be.
func (g guard) verify(r *http.Request, body []byte, auth authorization, secret, stamp string) *apiError {
	for _, needed := range []string{"host", "x-amz-date"} {
		if !slices.Contains(auth.signed, needed) {
			return badSignature(fmt.Sprintf("'%s' must be a 'SignedHeader' in the AWS Authorization.", needed))
		}
	}
	want := signature(secret, auth, stamp, canonicalRequest(r, auth.signed, body))
	if subtle.ConstantTimeCompare([]byte(want), []byte(auth.signature)) != 1 {
		return badSignature("The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return nil
}

func parseAuthorization(header string) (authorization, *apiError) {
	rest, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return authorization{}, incomplete("Authorization header requires the algorithm '" + algorithm + "'.")
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if parts[name] == "" {
			return authorization{}, incomplete(fmt.Sprintf("Authorization header requires '%s' parameter.", name))
		}
	}
	scope := strings.Split(parts["Credential"], "/")
	if len(scope) != 5 {
		return authorization{}, incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.")
	}
	return authorization{
		key: scope[0], date: scope[1], region: scope[2], service: scope[3], end: scope[4],
		signed: strings.Split(parts["SignedHeaders"], ";"), signature: parts["Signature"],
	}, nil
}

// checkDate holds the date of a signature against the clock. The words are those of the services
// that come from AWS Query; an SDK reads the skew from them and from the Date header.
func (g guard) checkDate(stamp string) *apiError {
	at, err := time.Parse(stampForm, stamp)
	if err != nil {
		return incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header in the ISO8601 basic format.")
	}
	now := g.clock().UTC()
	if oldest := now.Add(-allowedSkew); at.Before(oldest.Truncate(time.Second)) {
		return badSignature(fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - 15 min.)",
			stamp, oldest.Format(stampForm), now.Format(stampForm)))
	}
	if newest := now.Add(allowedSkew); at.After(newest) {
		return badSignature(fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 15 min.)",
			stamp, newest.Format(stampForm), now.Format(stampForm)))
	}
	return nil
}

func (g guard) checkScope(auth authorization, stamp string) *apiError {
	switch {
	case auth.date != stamp[:8]:
		return badSignature(fmt.Sprintf("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.", auth.date, stamp[:8], stamp))
	case g.region != "" && auth.region != g.region:
		return badSignature(fmt.Sprintf("Credential should be scoped to a valid region, not '%s'.", auth.region))
	case auth.service != g.service:
		return badSignature(fmt.Sprintf("Credential should be scoped to correct service: '%s'.", g.service))
	case auth.end != terminator:
		return badSignature(fmt.Sprintf("Credential should be scoped with a valid terminator: '%s', not '%s'.", terminator, auth.end))
	}
	return nil
}

// canonicalRequest is step 1 of Signature Version 4. The path is escaped twice, as for every
// service but S3.
func canonicalRequest(r *http.Request, signed []string, body []byte) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + escapePath(r.URL.EscapedPath()) + "\n" + canonicalQuery(r.URL.Query()) + "\n")
	for _, name := range signed {
		b.WriteString(name + ":" + headerValue(r, name) + "\n")
	}
	sum := sha256.Sum256(body)
	b.WriteString("\n" + strings.Join(signed, ";") + "\n" + hex.EncodeToString(sum[:]))
	return b.String()
}

// headerValue returns a header as the client signed it, also those that net/http takes out of the map.
func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	values := slices.Clone(r.Header.Values(name))
	for i, v := range values {
		values[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(values, ",")
}

func canonicalQuery(q url.Values) string {
	var pairs []string
	for name, values := range q {
		for _, v := range values {
			pairs = append(pairs, escape(name)+"="+escape(v))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

func escapePath(path string) string {
	if path == "" {
		return "/"
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = escape(s)
	}
	return strings.Join(segments, "/")
}

// escape is the URI encoding of Signature Version 4: everything but A-Z a-z 0-9 - . _ ~.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

func signature(secret string, auth authorization, stamp, canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	scope := strings.Join([]string{auth.date, auth.region, auth.service, auth.end}, "/")
	toSign := strings.Join([]string{algorithm, stamp, scope, hex.EncodeToString(sum[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{auth.date, auth.region, auth.service, auth.end} {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, toSign))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func badSignature(message string) *apiError {
	return &apiError{shape: coral + "InvalidSignatureException", code: "SignatureDoesNotMatch", status: http.StatusForbidden, message: message}
}

func incomplete(message string) *apiError {
	return &apiError{shape: coral + "IncompleteSignatureException", code: "IncompleteSignature", status: http.StatusBadRequest, message: message}
}

func unknownKey() *apiError {
	return &apiError{
		shape: coral + "UnrecognizedClientException", code: "InvalidClientTokenId",
		status: http.StatusForbidden, message: "The security token included in the request is invalid.",
	}
}
