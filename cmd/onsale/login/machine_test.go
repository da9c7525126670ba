package login

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/onsale-dev/onsale/config"
	rehearsed "github.com/onsale-dev/onsale/rehearsal/aws"
	"github.com/onsale-dev/onsale/sale"
)

const (
	account = "471122083344"
	secret  = "rehearsed/secret"
	device  = "arn:aws:iam::471122083344:mfa/ines"
	role    = "arn:aws:iam::471122083344:role/onsale-act"
)

// machine is a home folder with AWS files of its own and nothing of the real one.
type machine struct {
	t    *testing.T
	home string
}

func newMachine(t *testing.T) machine {
	t.Helper()
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
			_ = os.Unsetenv(name)
		}
	}
	m := machine{t, t.TempDir()}
	t.Setenv("HOME", m.home)
	t.Setenv("USERPROFILE", m.home)
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(m.home, ".aws", "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(m.home, ".aws", "credentials"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_REGION", "eu-central-1")
	m.write(".aws/config", "")
	m.write(".aws/credentials", "")
	return m
}

// write puts a file there, with a time of its own even where the clock of the files is coarse.
func (m machine) write(name, text string) string {
	m.t.Helper()
	path := filepath.Join(m.home, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
	return path
}

func (m machine) ssoToken(key string, expires time.Time, refresh string) {
	sum := sha1.Sum([]byte(key))
	token := map[string]string{"accessToken": "sso-token", "expiresAt": expires.UTC().Format(time.RFC3339), "startUrl": "https://acme.example/start"}
	if refresh != "" {
		token["refreshToken"], token["clientId"], token["clientSecret"] = refresh, "id", "client-secret"
	}
	data, _ := json.Marshal(token)
	m.write(".aws/sso/cache/"+hex.EncodeToString(sum[:])+".json", string(data))
}

// loginToken is what aws login leaves behind.
func (m machine) loginToken(session string, expires time.Time) {
	sum := sha256.Sum256([]byte(session))
	data, _ := json.Marshal(map[string]any{
		"accessToken": map[string]any{
			"accessKeyId": "ASIALOGIN", "secretAccessKey": "login/secret", "sessionToken": "login-token", "accountId": account, "expiresAt": expires.UTC().Format(time.RFC3339),
		},
		"tokenType": "aws_sigv4", "refreshToken": "refresh", "identityToken": "id", "clientId": "arn:aws:signin:::devtools/same-device", "dpopKey": "-----BEGIN EC PRIVATE KEY-----\nx\n-----END EC PRIVATE KEY-----\n",
	})
	m.write(".aws/login/cache/"+hex.EncodeToString(sum[:])+".json", string(data))
}

// portal is SSO's: it gives a role's keys for the token of the session.
func (m machine) portal(expires time.Time) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("X-Amz-Sso_bearer_token") != "sso-token" {
			w.Header().Set("X-Amzn-Errortype", "UnauthorizedException")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprint(w, `{"message":"Session token not found or invalid"}`)
			return
		}
		_, _ = fmt.Fprintf(w, `{"roleCredentials":{"accessKeyId":"ASIASSO","secretAccessKey":"sso/secret","sessionToken":"t","expiration":%d}}`, expires.UnixMilli())
	}))
	m.t.Cleanup(s.Close)
	m.t.Setenv("AWS_ENDPOINT_URL_SSO", s.URL)
}

// assumed is what STS was asked for.
type assumed struct {
	mu    sync.Mutex
	forms []map[string]string
}

func (a *assumed) all() []map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]map[string]string(nil), a.forms...)
}

// sts serves the rehearsal's STS and keeps what it was asked. Web identity needs no signature.
func (m machine) sts(opts ...rehearsed.Option) *assumed {
	asked := &assumed{}
	inner := rehearsed.NewSTS(account, append([]rehearsed.Option{rehearsed.WithSecret(secret), rehearsed.WithServiceTime(0)}, opts...)...)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form := readForm(r)
		asked.mu.Lock()
		if form["Action"] != "GetCallerIdentity" {
			asked.forms = append(asked.forms, form)
		}
		asked.mu.Unlock()
		if form["Action"] == "AssumeRoleWithWebIdentity" {
			_, _ = fmt.Fprintf(w, `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIAWEB</AccessKeyId><SecretAccessKey>web/secret</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
			return
		}
		inner.ServeHTTP(w, r)
	}))
	m.t.Cleanup(s.Close)
	m.t.Setenv("AWS_ENDPOINT_URL_STS", s.URL)
	return asked
}

// readForm reads the form of a request that somebody else reads after it.
func readForm(r *http.Request) map[string]string {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil
	}
	form := map[string]string{}
	for name := range values {
		form[name] = values.Get(name)
	}
	return form
}

// identity asks STS who a config is.
func identity(t *testing.T, cfg aws.Config) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	return *out.Arn, nil
}

// configOf makes the config of a login, or ends the test.
func configOf(t *testing.T, b *Book, acts bool, in config.AWS) aws.Config {
	t.Helper()
	if in.Region == "" {
		in.Region = "eu-central-1"
	}
	cfg, err := b.Config(t.Context(), acts, in)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// problemOf finds the words for a person in an error of the SDK.
func problemOf(t *testing.T, err error) sale.Problem {
	t.Helper()
	var p *sale.Problem
	if !errors.As(err, &p) {
		t.Fatalf("no problem in %v", err)
	}
	return *p
}

// ssoTokenNamed leaves a token that lives for an hour and has another value.
func (m machine) ssoTokenNamed(key, value string) {
	sum := sha1.Sum([]byte(key))
	m.write(".aws/sso/cache/"+hex.EncodeToString(sum[:])+".json", fmt.Sprintf(`{"accessToken":%q,"expiresAt":%q}`, value, time.Now().Add(time.Hour).UTC().Format(time.RFC3339)))
}
