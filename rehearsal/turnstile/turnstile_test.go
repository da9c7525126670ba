package turnstile_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/shop"
	"github.com/onsale-dev/onsale/rehearsal/turnstile"
)

const (
	token  = "a-gate-token"
	reader = "a-token-to-look"
	secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G"
)

// desk is a gate with a clock that is moved by hand.
type desk struct {
	*turnstile.Server
	t     *testing.T
	world *shop.World
	at    time.Time
}

func open(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, at: time.Date(2026, 12, 4, 10, 8, 0, 0, time.UTC)}
	var err error
	if d.world, err = shop.New(shop.Options{Seed: 1, Start: d.at, History: 2 * time.Minute}); err != nil {
		t.Fatal(err)
	}
	if d.Server, err = turnstile.New(d.world, turnstile.Options{Token: token, Reader: reader, Secret: secret, Now: func() time.Time { return d.at }}); err != nil {
		t.Fatal(err)
	}
	return d
}

// send signs a request as the specification says and lets spoil change it afterwards.
func (d *desk) send(method, path, key, body string, spoil func(r *http.Request)) (int, map[string]any, http.Header) {
	d.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	sign(r, d.at, body)
	if spoil != nil {
		spoil(r)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		d.t.Fatalf("%s %s: %d %q is not JSON", method, path, w.Code, w.Body)
	}
	return w.Code, out, w.Header()
}

func sign(r *http.Request, at time.Time, body string) {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("id-1." + stamp + "." + body))
	r.Header.Set("Webhook-Id", "id-1")
	r.Header.Set("Webhook-Timestamp", stamp)
	r.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

func (d *desk) set() (entries int) {
	for _, e := range d.world.Truth(d.at).Ledger {
		if e.By == shop.Turnstile {
			entries++
		}
	}
	return entries
}

func TestAGateIsSetAndShownAndTheSameKeySetsItOnce(t *testing.T) {
	d := open(t)
	code, out, h := d.send("GET", "/gates/lantern", "", "", nil)
	if code != 200 || out["rate"] != 800.0 || out["paused"] != false || h.Get("X-Request-Id") == "" {
		t.Fatalf("%d %v", code, out)
	}
	code, first, _ := d.send("POST", "/gates/lantern", "k1", `{"rate":300,"sale":"lantern"}`, nil)
	if code != 200 || first["rate"] != 300.0 || first["paused"] != false {
		t.Fatalf("%d %v", code, first)
	}
	if code, out, _ := d.send("POST", "/gates/lantern", "k2", `{"paused":true}`, nil); code != 200 || out["paused"] != true || out["rate"] != 300.0 {
		t.Fatalf("%d %v", code, out)
	}
	code, again, h := d.send("POST", "/gates/lantern", "k1", `{"rate":300,"sale":"lantern"}`, nil)
	if code != 200 || again["paused"] != false || h.Get("Idempotent-Replayed") != "true" || d.set() != 2 {
		t.Errorf("the same key is answered %d %v, %d changes", code, again, d.set())
	}
	if code, _, _ := d.send("POST", "/gates/lantern", "k1", `{"rate":301,"sale":"lantern"}`, nil); code != 422 || d.set() != 2 {
		t.Errorf("the same key with another body: %d, %d changes", code, d.set())
	}
	d.at = d.at.Add(25 * time.Hour)
	if code, _, _ := d.send("POST", "/gates/lantern", "k1", `{"rate":301,"sale":"lantern"}`, nil); code != 200 || d.set() != 3 {
		t.Errorf("a day later the key is a new one: %d, %d changes", code, d.set())
	}
}

func TestWhoeverIsNotKnownChangesNothing(t *testing.T) {
	d := open(t)
	for name, c := range map[string]struct {
		status int
		spoil  func(r *http.Request)
	}{
		"no token":            {401, func(r *http.Request) { r.Header.Del("Authorization") }},
		"a wrong token":       {401, func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }},
		"no signature":        {401, func(r *http.Request) { r.Header.Del("Webhook-Signature") }},
		"another id":          {401, func(r *http.Request) { r.Header.Set("Webhook-Id", "id-2") }},
		"another body":        {401, func(r *http.Request) { sign(r, d.at, `{"paused":false}`) }},
		"an old request":      {401, func(r *http.Request) { sign(r, d.at.Add(-6*time.Minute), `{"paused":true}`) }},
		"one of the future":   {401, func(r *http.Request) { sign(r, d.at.Add(6*time.Minute), `{"paused":true}`) }},
		"a time that is none": {401, func(r *http.Request) { r.Header.Set("Webhook-Timestamp", "noon") }},
		"another scheme":      {401, func(r *http.Request) { r.Header.Set("Webhook-Signature", "v1a,AAAA") }},
		"no key":              {400, func(r *http.Request) { r.Header.Del("Idempotency-Key") }},
		"no such gate":        {404, func(r *http.Request) { r.URL.Path = "/gates/nobody" }},
		"nothing there":       {404, func(r *http.Request) { r.URL.Path = "/door" }},
	} {
		code, out, h := d.send("POST", "/gates/lantern", "k", `{"paused":true}`, c.spoil)
		if code != c.status || out["title"] == "" || h.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %v", name, code, out)
		}
	}
	for _, secrets := range []string{secret + "x", strings.TrimPrefix(secret, "whsec_"), "whsec_YWJj"} {
		if _, err := turnstile.New(d.world, turnstile.Options{Token: token, Secret: secrets}); err == nil {
			t.Errorf("%q is taken for a secret", secrets)
		}
	}
	code, _, _ := d.send("POST", "/gates/lantern", "k", `{"paused":true}`, func(r *http.Request) {
		r.Header.Set("Webhook-Signature", "v1,AAAA "+r.Header.Get("Webhook-Signature"))
	})
	if code != 200 || d.set() != 1 {
		t.Errorf("one good signature of two: %d, %d changes", code, d.set())
	}
}

func TestABodyThatIsNoneIsRefusedAndItsKeyStaysFree(t *testing.T) {
	d := open(t)
	for body, status := range map[string]int{
		`{}`: 422, `{"rate":0}`: 422, `{"rate":1.5}`: 422, `{"rate":1e9}`: 422, `{"rate":"300"}`: 400, `{"paused":1}`: 400, `no`: 400, `[]`: 400,
		`{"rate":` + strings.Repeat(" ", 70_000) + `3}`: 413,
	} {
		if code, _, _ := d.send("POST", "/gates/lantern", "k", body, nil); code != status {
			t.Errorf("%.40s: %d", body, code)
		}
	}
	if code, _, _ := d.send("POST", "/gates/lantern", "k", `{"rate":5}`, nil); code != 200 || d.set() != 1 {
		t.Errorf("%d, %d changes", code, d.set())
	}
}

func FuzzNoBodyBreaksAGate(f *testing.F) {
	f.Add(`{"rate":300}`)
	f.Add(`{"paused":null,"rate":-1e400}`)
	w, err := shop.New(shop.Options{Seed: 1, Start: time.Date(2026, 12, 4, 10, 8, 0, 0, time.UTC), History: time.Minute})
	if err != nil {
		f.Fatal(err)
	}
	s, err := turnstile.New(w, turnstile.Options{Token: token, Secret: secret, Now: w.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest("POST", "/gates/lantern", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Idempotency-Key", "k"+strconv.Itoa(len(body)))
		sign(r, w.Now(), body)
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		if rec.Code == 401 || rec.Code >= 500 || !json.Valid(rec.Body.Bytes()) {
			t.Errorf("%q: %d %s", body, rec.Code, rec.Body)
		}
		if b, _ := w.Barrier(shop.Turnstile, "lantern"); b.PerMinute < 1 || b.PerMinute > 100_000 {
			t.Errorf("%q sets %d", body, b.PerMinute)
		}
	})
}

func TestWhoMayOnlyLookNeedsNoSignatureAndChangesNothing(t *testing.T) {
	d := open(t)
	look := func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+reader)
		r.Header.Del("Webhook-Signature")
	}
	code, before, _ := d.send(http.MethodGet, "/gates/marble", "", "", look)
	if code != http.StatusOK || before["gate"] != "marble" {
		t.Fatalf("%d %v", code, before)
	}
	if code, out, _ := d.send(http.MethodPost, "/gates/marble", "k", `{"paused":true}`, look); code != http.StatusForbidden {
		t.Errorf("a change by who may only look: %d %v", code, out)
	}
	if code, out, _ := d.send(http.MethodPost, "/gates/marble", "k", `{"paused":true}`, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+reader) }); code != http.StatusForbidden {
		t.Errorf("the same with a good signature: %d %v", code, out)
	}
	if _, after, _ := d.send(http.MethodGet, "/gates/marble", "", "", look); after["paused"] != false || after["rate"] != before["rate"] {
		t.Errorf("it was %v and is %v", before, after)
	}
}
