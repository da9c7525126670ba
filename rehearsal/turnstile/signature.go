package turnstile

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// tolerance is how far a request's time may be from ours.
const tolerance = 5 * time.Minute

func secretOf(text string) ([]byte, error) {
	coded, ok := strings.CutPrefix(text, "whsec_")
	if !ok {
		return nil, errors.New("a signing secret begins with whsec_")
	}
	secret, err := base64.StdEncoding.DecodeString(coded)
	if err != nil || len(secret) < 24 {
		return nil, errors.New("a signing secret is the base64 of 24 bytes or more")
	}
	return secret, nil
}

// verify says what is wrong with a request's signature, or nil.
func (s *Server) verify(h http.Header, body []byte) error {
	id, stamp := h.Get("Webhook-Id"), h.Get("Webhook-Timestamp")
	if id == "" || stamp == "" || h.Get("Webhook-Signature") == "" {
		return errors.New("webhook-id, webhook-timestamp and webhook-signature are needed")
	}
	unix, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return errors.New("webhook-timestamp is no number of seconds")
	}
	if age := s.options.Now().Sub(time.Unix(unix, 0)); age.Abs() > tolerance {
		return errors.New("webhook-timestamp is more than five minutes away: see the clock")
	}
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	want := mac.Sum(nil)
	for signature := range strings.FieldsSeq(h.Get("Webhook-Signature")) { // several while a secret is changed
		coded, ok := strings.CutPrefix(signature, "v1,")
		if got, err := base64.StdEncoding.DecodeString(coded); ok && err == nil && hmac.Equal(got, want) {
			return nil
		}
	}
	return errors.New("webhook-signature is not over this id, time and body")
}
