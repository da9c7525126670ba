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

	"github.com/onsale-dev/onsale/rehearsal/telemetry"
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

// caller is who signed a request.
type caller struct {
	key  string
	acts bool   // may write, not only read
	arn  string // of the user or of the session
}

// user is the caller that a long-term key belongs to.
func user(key string) caller {
	c := caller{key: key, acts: key == ActKey, arn: "arn:aws:iam::" + telemetry.Account + ":user/rehearsal"}
	if c.acts {
		c.arn += "-act"
	}
	return c
}

// secretOf returns who an access key id belongs to, and the secret access key.
func (g guard) secretOf(key, token string) (caller, string, *apiError) {
	if !strings.HasPrefix(key, temporaryPrefix) {
		switch {
		case token != "":
		case key == AccessKey:
			return user(key), g.secret, nil
		case key == ActKey && (g.acts != "" || g.secret == ""):
			return user(key), g.acts, nil
		}
		return caller{}, "", unknownKey()
	}
	for _, long := range []string{g.secret, g.acts} {
		c, ok := open(long, token)
		if !ok || c.Key != key || long == "" && g.secret != "" {
			continue
		}
		if !g.clock().Before(time.Unix(c.Expires, 0)) {
			return caller{}, "", &apiError{
				shape: coral + "ExpiredTokenException", code: "ExpiredToken",
				status: http.StatusForbidden, message: "The security token included in the request is expired",
			}
		}
		who := caller{key: key, acts: g.acts != "" && long == g.acts, arn: sessionARN(telemetry.Account, c.Role, c.Session)}
		return who, temporarySecret(long, token), nil
	}
	return caller{}, "", unknownKey()
}
