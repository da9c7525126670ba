package sources

import (
	"net/url"
	"regexp"
	"strings"
)

// hidden stands where a secret stood.
const hidden = "[hidden]"

var (
	urlInText   = regexp.MustCompile(`(?i)\bhttps?://[^\s"'<>]+`)
	authInText  = regexp.MustCompile(`(?i)\b(bearer|basic|aws4-hmac-sha256)\s+[A-Za-z0-9._~+/=:,-]{16,}`)
	namedSecret = regexp.MustCompile(`(?i)\b((?:x-amz-)?(?:signature|security-token|credential)|access_token|api[_-]?key|token|password|secret)=[^\s&"',;)]+`)
)

func redact(text string, secrets []string) string {
	for _, secret := range secrets {
		if len(secret) < 4 {
			continue // too short to be told apart from words
		}
		text = strings.ReplaceAll(text, secret, hidden)
		if escaped := url.QueryEscape(secret); escaped != secret {
			text = strings.ReplaceAll(text, escaped, hidden)
		}
	}
	text = urlInText.ReplaceAllStringFunc(text, bareURL)
	text = authInText.ReplaceAllString(text, "$1 "+hidden)
	return namedSecret.ReplaceAllString(text, "$1="+hidden)
}

// bareURL keeps the scheme, the host and the path.
func bareURL(raw string) string {
	if i := strings.IndexAny(raw, "?#"); i >= 0 {
		raw = raw[:i]
	}
	scheme, rest, _ := strings.Cut(raw, "://")
	host, path, slash := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	if slash {
		path = "/" + path
	}
	return scheme + "://" + host + path
}
