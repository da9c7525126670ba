package aws

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// temporary is a set of credentials that AssumeRole hands out. All of it can be worked out again
// from the token and the long-term secret, so no handler has to remember it.
type temporary struct {
	Key     string `json:"k"`
	Role    string `json:"r"`
	Session string `json:"s"`
	Expires int64  `json:"x"` // Unix seconds
}

const temporaryPrefix = "ASIA"

// issue makes credentials for a role, and the token that carries them.
func issue(secret, role, session string, expires time.Time) (c temporary, token, key string) {
	c = temporary{Role: role, Session: session, Expires: expires.Unix()}
	sum := sha256.Sum256([]byte(role + "\x00" + session + "\x00" + expires.UTC().String()))
	c.Key = temporaryPrefix + base32.StdEncoding.EncodeToString(sum[:])[:16]
	body, _ := json.Marshal(c) // plain strings and a number: can't fail
	token = base64.StdEncoding.EncodeToString(append(mac([]byte(secret), "token"+string(body)), body...))
	return c, token, temporarySecret(secret, token)
}

func temporarySecret(secret, token string) string {
	return base64.StdEncoding.EncodeToString(mac([]byte(secret), "secret"+token))[:40]
}

// open reads a token back; ok is false for one that was not issued with this secret.
func open(secret, token string) (c temporary, ok bool) {
	raw, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(raw) <= sha256.Size {
		return temporary{}, false
	}
	seal, body := raw[:sha256.Size], raw[sha256.Size:]
	if !hmac.Equal(seal, mac([]byte(secret), "token"+string(body))) {
		return temporary{}, false
	}
	return c, json.Unmarshal(body, &c) == nil
}

// secretOf returns the secret access key that belongs to an access key id.
func (g guard) secretOf(key, token string) (string, *apiError) {
	if !strings.HasPrefix(key, temporaryPrefix) {
		if key != AccessKey || token != "" {
			return "", unknownKey()
		}
		return g.secret, nil
	}
	c, ok := open(g.secret, token)
	if !ok || c.Key != key {
		return "", unknownKey()
	}
	if !g.clock().Before(time.Unix(c.Expires, 0)) {
		return "", &apiError{
			shape: coral + "ExpiredTokenException", code: "ExpiredToken",
			status: http.StatusForbidden, message: "The security token included in the request is expired",
		}
	}
	return temporarySecret(g.secret, token), nil
}
