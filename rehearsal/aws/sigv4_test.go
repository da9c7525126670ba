package aws

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	sqssdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	stssdk "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// codeOf is the error code that a program sees.
func codeOf(err error) string {
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return api.ErrorCode()
	}
	if err == nil {
		return "none"
	}
	return err.Error()
}

func TestEveryServiceAsksForARightSignatureInItsOwnWords(t *testing.T) {
	p := fixturePlatform()
	cw := serve(t, NewCloudWatch(testRegion, p, p, noon, WithSecret(testSecret), WithServiceTime(0)))
	sq := serve(t, NewSQS(testRegion, p, WithSecret(testSecret), WithServiceTime(0)))
	st := serve(t, NewSTS("471122083344", WithSecret(testSecret), WithServiceTime(0)))
	for _, k := range []struct {
		name string
		who  awssdk.CredentialsProvider
		code string
	}{
		{"the right key", keys(AccessKey, testSecret), "none"},
		{"a wrong secret", keys(AccessKey, "wrong"), "SignatureDoesNotMatch"},
		{"an unknown key", keys("AKIASOMEBODYELSE", testSecret), "InvalidClientTokenId"},
		{"a key with a token that it can't have", credentials.NewStaticCredentialsProvider(AccessKey, testSecret, "token"), "InvalidClientTokenId"},
		{"a temporary key that nobody handed out", credentials.NewStaticCredentialsProvider("ASIAMADEUP", testSecret, "dG9rZW4="), "InvalidClientTokenId"},
		{"no signature at all", awssdk.AnonymousCredentials{}, "MissingAuthenticationToken"},
	} {
		t.Run(k.name, func(t *testing.T) {
			_, err := cloudWatchAt(cw.URL, k.who).ListMetrics(context.Background(), &cloudwatch.ListMetricsInput{})
			if codeOf(err) != k.code {
				t.Errorf("CloudWatch: %v, want %s", err, k.code)
			}
			_, err = sqsAt(sq.URL, k.who).ListQueues(context.Background(), &sqssdk.ListQueuesInput{})
			if codeOf(err) != k.code {
				t.Errorf("SQS: %v, want %s", err, k.code)
			}
			_, err = stsAt(st.URL, k.who).GetCallerIdentity(context.Background(), &stssdk.GetCallerIdentityInput{})
			if codeOf(err) != k.code {
				t.Errorf("STS: %v, want %s", err, k.code)
			}
		})
	}
}

func TestAnotherRegionOrServiceIsRefused(t *testing.T) {
	p := fixturePlatform()
	s := serve(t, NewCloudWatch("us-east-1", p, p, noon, WithSecret(testSecret), WithServiceTime(0)))
	_, err := cloudWatchAt(s.URL, keys(AccessKey, testSecret)).ListMetrics(context.Background(), &cloudwatch.ListMetricsInput{})
	if codeOf(err) != "SignatureDoesNotMatch" || !strings.Contains(err.Error(), "Credential should be scoped to a valid region, not 'eu-central-1'.") {
		t.Errorf("another region: %v", err)
	}
	h := NewSTS("471122083344", WithSecret(testSecret), WithServiceTime(0))
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("Action=GetCallerIdentity&Version=2011-06-15"))
	sign(t, r, "sqs", []byte("Action=GetCallerIdentity&Version=2011-06-15"), time.Now())
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 403 || !strings.Contains(w.Body.String(), "Credential should be scoped to correct service") {
		t.Errorf("another service: %d %s", w.Code, w.Body)
	}
}

func TestASignatureIsCheckedInEveryPart(t *testing.T) {
	now := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	const body = "Action=GetCallerIdentity&Version=2011-06-15"
	for _, k := range []struct {
		name    string
		at      time.Time
		change  func(r *http.Request)
		secret  string
		status  int
		message string
	}{
		{"as signed", now, func(*http.Request) {}, testSecret, 200, "<Account>471122083344</Account>"},
		{"fourteen minutes old", now.Add(-14 * time.Minute), func(*http.Request) {}, testSecret, 200, "Account"},
		{"sixteen minutes old", now.Add(-16 * time.Minute), func(*http.Request) {}, testSecret, 403, "Signature expired: 20261201T084400Z is now earlier than 20261201T084500Z (20261201T090000Z - 15 min.)"},
		{"sixteen minutes early", now.Add(16 * time.Minute), func(*http.Request) {}, testSecret, 403, "Signature not yet current: 20261201T091600Z is still later than 20261201T091500Z (20261201T090000Z + 15 min.)"},
		{"an old date without a secret to check", now.Add(-time.Hour), func(*http.Request) {}, "", 403, "Signature expired"},
		{"a path that was not signed", now, func(r *http.Request) { r.URL.Path = "/other" }, testSecret, 403, "does not match the signature you provided"},
		{"a query that was not signed", now, func(r *http.Request) { r.URL.RawQuery = "a=b" }, testSecret, 403, "does not match"},
		{"another host", now, func(r *http.Request) { r.Host = "elsewhere" }, testSecret, 403, "does not match"},
		{"another body", now, func(r *http.Request) { r.Body = bodyOf(body + "&x=y") }, testSecret, 403, "does not match"},
		{"another body without a secret to check", now, func(r *http.Request) { r.Body = bodyOf(body + "&x=y") }, "", 200, "Account"},
		{"no date", now, func(r *http.Request) { r.Header.Del("X-Amz-Date") }, testSecret, 400, "<Code>IncompleteSignature</Code>"},
		{"another scheme", now, func(r *http.Request) { r.Header.Set("Authorization", "Bearer abc") }, testSecret, 400, "requires the algorithm"},
		{"no signature", now, func(r *http.Request) {
			r.Header.Set("Authorization", algorithm+" Credential=REHEARSAL/20261201/eu-central-1/sts/aws4_request, SignedHeaders=host")
		}, testSecret, 400, "requires &#39;Signature&#39; parameter"},
		{"a short scope", now, func(r *http.Request) {
			r.Header.Set("Authorization", algorithm+" Credential=REHEARSAL/20261201, SignedHeaders=host, Signature=0")
		}, testSecret, 400, "exactly 5 slash-delimited elements"},
		{"a scope of another day", now, func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/20261201/", "/20261130/", 1))
		}, testSecret, 403, "Date in Credential scope does not match"},
		{"another end of the scope", now, func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "aws4_request", "aws3_request", 1))
		}, testSecret, 403, "valid terminator"},
		{"a host that is not signed", now, func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "host;", "", 1))
		}, testSecret, 403, "&#39;host&#39; must be a &#39;SignedHeader&#39;"},
	} {
		t.Run(k.name, func(t *testing.T) {
			h := NewSTS("471122083344", WithSecret(k.secret), WithServiceTime(0), WithClock(func() time.Time { return now }))
			r := httptest.NewRequest(http.MethodPost, "/", bodyOf(body))
			r.ContentLength = int64(len(body))
			sign(t, r, "sts", []byte(body), k.at)
			k.change(r)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != k.status || !strings.Contains(w.Body.String(), k.message) {
				t.Errorf("%d %s\nwant %d %q", w.Code, w.Body, k.status, k.message)
			}
		})
	}
}

// TestTheSignatureIsTheOneOfAnotherImplementation holds ours against the SDK's signer where paths
// and queries need escaping, which the served operations never do.
func TestTheSignatureIsTheOneOfAnotherImplementation(t *testing.T) {
	for _, target := range []string{
		"http://h.test/", "http://h.test/a%20b/c", "http://h.test/a+b=c/%2F/d", "http://h.test/x?b=2&a=1&a=0&c=%20%2B~", "http://h.test:8080/x?empty=",
	} {
		t.Run(target, func(t *testing.T) {
			now := time.Now()
			r := httptest.NewRequest(http.MethodPost, target, strings.NewReader("body"))
			r.Header.Set("X-Amz-Meta-Note", "  two   words  ")
			sign(t, r, "monitoring", []byte("body"), now)
			g := guard{service: "monitoring", region: testRegion, secret: testSecret, clock: func() time.Time { return now }}
			if problem := g.check(r, []byte("body")); problem != nil {
				t.Error(problem)
			}
		})
	}
}

func bodyOf(s string) io.ReadCloser { return io.NopCloser(strings.NewReader(s)) }
