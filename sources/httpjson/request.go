package httpjson

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sources"
)

// fetch asks for one answer. age is how long a cache in between has kept it.
func (s *Source) fetch(ctx context.Context, address string) (answer any, age time.Duration, err error) {
	req, err := s.request(ctx, address)
	if err != nil {
		return nil, 0, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	if err := sources.CheckStatus(resp); err != nil {
		return nil, 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, 0, fmt.Errorf("reading the answer: %w", err)
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, 0, fmt.Errorf("not JSON: %w", err)
	}
	return answer, cached(resp.Header), nil
}

// cached reads the Age header, in seconds; what is none is 0.
func cached(h http.Header) time.Duration {
	seconds, err := strconv.ParseUint(strings.TrimSpace(h.Get("Age")), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

func (s *Source) request(ctx context.Context, address string) (*http.Request, error) {
	method, body := http.MethodGet, io.Reader(nil)
	if s.opts.Body != nil {
		method, body = http.MethodPost, bytes.NewReader(s.opts.Body)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	if s.opts.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range s.opts.Headers {
		req.Header.Set(name, value)
	}
	if s.login != "" {
		req.Header.Set("Authorization", s.login)
	}
	if len(s.signing) > 0 {
		sign(req.Header, s.signing, "read_"+rand.Text(), time.Now(), s.opts.Body)
	}
	return req, nil
}

// sign adds the headers of the Standard Webhooks specification: HMAC-SHA256 over "id.timestamp.body"
// (github.com/standard-webhooks/standard-webhooks).
func sign(h http.Header, secret []byte, id string, now time.Time, body []byte) {
	stamp := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", stamp)
	h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// signingKey reads a secret: "whsec_" and base64, or the bytes themselves.
func signingKey(secret string) ([]byte, error) {
	if secret == "" {
		return nil, nil
	}
	key := []byte(secret)
	if coded, ok := strings.CutPrefix(secret, "whsec_"); ok {
		var err error
		if key, err = base64.StdEncoding.DecodeString(coded); err != nil {
			return nil, errors.New("the signing secret is not base64 after whsec_")
		}
	}
	if len(key) < 16 {
		return nil, errors.New("the signing secret is shorter than 16 bytes")
	}
	return key, nil
}
