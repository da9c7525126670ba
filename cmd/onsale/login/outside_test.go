package login

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
)

func TestAClockThatIsOffIsSaidWithHowFar(t *testing.T) {
	m := newMachine(t)
	m.write(".aws/config", baseKeys)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(7*time.Minute+2*time.Second).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprint(w, `<ErrorResponse><Error><Type>Sender</Type><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the current time is too large.</Message></Error></ErrorResponse>`)
	}))
	defer s.Close()
	t.Setenv("AWS_ENDPOINT_URL_STS", s.URL)
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	_, err := identity(t, configOf(t, NewBook(Options{}), true, config.AWS{Profile: "base", Role: role}))
	if p := problemOf(t, err); p.Class != sale.Auth || !strings.Contains(p.Text, "RequestTimeTooSkewed") || !strings.Contains(p.Hint, "this machine's clock, it is 7:0") || !strings.Contains(p.Hint, " behind") {
		t.Errorf("%+v", p)
	}
}

func TestAClockThatIsOffIsHeardInEveryAnswer(t *testing.T) {
	m := newMachine(t)
	m.write(".aws/config", baseKeys)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-3*time.Minute).UTC().Format(http.TimeFormat))
		_, _ = fmt.Fprint(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>a</Arn><UserId>u</UserId><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	}))
	defer s.Close()
	t.Setenv("AWS_ENDPOINT_URL_STS", s.URL)
	b := NewBook(Options{})
	if _, err := identity(t, configOf(t, b, true, config.AWS{Profile: "base"})); err != nil {
		t.Fatal(err)
	}
	if l := b.all()[0].standing(); l.Skew != 3*time.Minute {
		t.Errorf("%s ahead", l.Skew)
	}
}

func TestACredentialProcessNeverReachesTheScreen(t *testing.T) {
	m := newMachine(t)
	out, err := os.Create(m.home + "/screen")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	stdout, stderr, stdin := os.Stdout, os.Stderr, os.Stdin
	os.Stdout, os.Stderr, os.Stdin = out, out, out
	defer func() { os.Stdout, os.Stderr, os.Stdin = stdout, stderr, stdin }()
	script := m.write("tool.sh", "echo 'Touch your key' >&2\n(echo 'Code:' >/dev/tty) 2>/dev/null && exit 9\nread line && exit 8\n"+processOf(m, time.Time{}, "REHEARSAL")+"\n")
	m.write(".aws/config", "[profile tool]\ncredential_process = sh "+script+"\n")
	creds, err := configOf(t, NewBook(Options{}), false, config.AWS{Profile: "tool"}).Credentials.Retrieve(t.Context())
	os.Stdout, os.Stderr, os.Stdin = stdout, stderr, stdin
	if err != nil || creds.AccessKeyID != "REHEARSAL" {
		t.Errorf("%s, %v: it can't open a terminal, and its input is empty", creds.AccessKeyID, err)
	}
	if said, err := os.ReadFile(m.home + "/screen"); err != nil || len(said) > 0 {
		t.Errorf("%q, %v", said, err)
	}
}

func TestWhatAPersonRenewsInAShellIsSeenWithoutARestart(t *testing.T) {
	m := newMachine(t)
	const keys = "[day]\naws_access_key_id = %s\naws_secret_access_key = s\naws_session_token = t\n"
	m.write(".aws/credentials", fmt.Sprintf(keys, "ASIAMORNING"))
	b := NewBook(Options{})
	var clients []aws.Config
	for _, region := range []string{"eu-central-1", "us-east-1"} {
		clients = append(clients, configOf(t, b, false, config.AWS{Profile: "day", Region: region}))
	}
	k := b.all()[0]
	for _, want := range []string{"ASIAMORNING", "ASIAEVENING1"} {
		if want != "ASIAMORNING" {
			m.write(".aws/credentials", fmt.Sprintf(keys, want))
			k.mu.Lock()
			k.looked = time.Time{} // a second later
			k.mu.Unlock()
		}
		for _, c := range clients {
			if creds, err := c.Credentials.Retrieve(t.Context()); err != nil || creds.AccessKeyID != want {
				t.Errorf("%s, %v; want %s", creds.AccessKeyID, err, want)
			}
		}
	}
}
