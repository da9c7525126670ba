package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/cmd/onsale/login"
	"github.com/onsale-dev/onsale/config"
	rehearsed "github.com/onsale-dev/onsale/rehearsal/aws"
	"github.com/onsale-dev/onsale/sale"
)

func TestACommandAsksForTheCodeAtItsTerminal(t *testing.T) {
	in, types := io.Pipe()
	defer types.Close()
	var out bytes.Buffer
	a := newLineAsker(in, &out)
	go func() { _, _ = io.WriteString(types, " 271828 \n\n") }()
	q := login.Question{Login: "hr-act", Serial: "mfa/ines", Wrong: "a code is six digits"}
	if code, err := a.Code(t.Context(), q); code != "271828" || err != nil {
		t.Errorf("%q, %v", code, err)
	}
	if want := "onsale: a code is six digits\nonsale: MFA code of mfa/ines for hr-act (empty: none): "; out.String() != want {
		t.Errorf("%q", out.String())
	}
	if _, err := a.Code(t.Context(), q); !errors.Is(err, login.ErrDeclined) {
		t.Errorf("an empty line: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Code(ended, q); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody types: %v", err)
	}
	p := &program{stdin: strings.NewReader("271828\n"), stderr: &out}
	if p.terminalAsker() != nil {
		t.Error("it would ask where there is no terminal")
	}
}

func TestAnAnswerGoesToTheQuestionThatItIsFor(t *testing.T) {
	d := newCodeDesk(func() *login.Book { return login.NewBook(login.Options{}) })
	bell, hangUp := d.Subscribe()
	defer hangUp()
	ask := func(ctx context.Context, name string) chan string {
		got := make(chan string, 1)
		go func() {
			code, err := d.Code(ctx, login.Question{Login: name})
			if err != nil {
				code = err.Error()
			}
			got <- code
		}()
		<-bell
		return got
	}
	first := ask(t.Context(), "hr-read")
	q, ok := d.Wanted()
	if !ok || q.Login != "hr-read" {
		t.Fatalf("%+v, %v", q, ok)
	}
	d.Answer(q.ID+1, "111111")
	d.Decline(q.ID + 1)
	d.Answer(q.ID, "271828")
	d.Answer(q.ID, "314159") // pressed twice
	if got := <-first; got != "271828" {
		t.Error(got)
	}
	<-bell
	second := ask(t.Context(), "hr-act")
	d.Answer(q.ID, "271828") // late
	q, _ = d.Wanted()
	d.Decline(q.ID)
	if got := <-second; got != login.ErrDeclined.Error() {
		t.Error(got)
	}
	<-bell
	ctx, cancel := context.WithCancel(t.Context())
	third := ask(ctx, "hr-act")
	cancel()
	if got := <-third; got != context.Canceled.Error() {
		t.Error(got)
	}
	if _, ok := d.Wanted(); ok {
		t.Error("a question that is over is still there")
	}
}

const wantsCode = `
environment: test
account: "471122083344"
sources:
  q: {kind: sqs, region: eu-central-1, endpoint: "http://127.0.0.1:1", credentials: {access_key_id: REHEARSAL, secret_access_key: "${env:READ_KEY}"}}
controls:
  scale: {kind: autoscaling, region: eu-central-1, profile: hr-act}
sales:
  - id: arena
    name: Arena
    opens: $OPENS
    closes: $CLOSES
    signals:
      a: {from: q, unit: count, queue: orders}
    actions:
      scale-up: {via: scale, group: web, step: 2, max: 8}
policy: {role: operator}
`

// actProfile leaves a profile whose role wants a code, and an STS that knows the code.
func actProfile(t *testing.T, code string) (config string) {
	t.Helper()
	sts := httptest.NewServer(rehearsed.NewSTS("471122083344", rehearsed.WithSecret("aws-secret"), rehearsed.WithServiceTime(0),
		rehearsed.WithMFA("arn:aws:iam::471122083344:mfa/ines", func() string { return code })))
	t.Cleanup(sts.Close)
	dir := t.TempDir()
	shared := filepath.Join(dir, "aws")
	profile := "[profile base]\naws_access_key_id = REHEARSAL\naws_secret_access_key = aws-secret\n[profile hr-act]\nrole_arn = arn:aws:iam::471122083344:role/act\nsource_profile = base\nmfa_serial = arn:aws:iam::471122083344:mfa/ines\n"
	text := strings.NewReplacer("$OPENS", time.Now().Add(10*time.Minute).UTC().Format(time.RFC3339), "$CLOSES", time.Now().Add(3*time.Hour).UTC().Format(time.RFC3339)).Replace(wantsCode)
	for name, content := range map[string]string{shared: profile, filepath.Join(dir, "onsale.yaml"): text} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("AWS_CONFIG_FILE", shared)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "none"))
	t.Setenv("AWS_ENDPOINT_URL_STS", sts.URL)
	t.Setenv("HOME", dir)
	return filepath.Join(dir, "onsale.yaml")
}

func TestACockpitAsksForTheActingLoginBeforeThereIsAnEmergencyAndSaysWhenItEnds(t *testing.T) {
	file := actProfile(t, "271828")
	env := map[string]string{"READ_KEY": "aws-secret", "ONSALE_OPERATOR": "ines"}
	p := &program{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, configFlag: file, lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
	cfg, err := p.readConfig()
	if err != nil {
		t.Fatal(err)
	}
	desk := p.codesOf(slog.New(slog.DiscardHandler))
	c, err := p.assemble(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	bell, hangUp := desk.Subscribe()
	defer hangUp()
	news, hangUpNews := c.store.Subscribe()
	defer hangUpNews()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.lookAfterLogins(ctx, c.store, func() *config.Config { return cfg }, true, func(source string) { t.Errorf("%s is read at once, and its login never failed", source) })
	}()
	defer func() { cancel(); <-ended }()
	await := func(what string, bell <-chan struct{}, seen func() bool) {
		t.Helper()
		for !seen() {
			select {
			case <-bell:
			case <-ctx.Done():
				t.Fatalf("%s: not within a minute; logins %+v", what, c.store.Snapshot().Logins)
			}
		}
	}
	await("the question", bell, func() bool { _, asked := desk.Wanted(); return asked })
	q, _ := desk.Wanted()
	if q.Login != "hr-act" || !q.Acts {
		t.Errorf("%+v", q)
	}
	acting := func() *sale.Login {
		for i := range c.store.Snapshot().Logins {
			if l := &c.store.Snapshot().Logins[i]; l.Acts {
				return l
			}
		}
		return &sale.Login{}
	}
	desk.Answer(q.ID, "271828")
	await("the login", news, func() bool { return acting().State == sale.LoginReady })
	l := acting()
	if l.Name != "hr-act" || l.Renews || len(l.UsedBy) != 1 || l.UsedBy[0] != "scale" || time.Until(l.Until) < 59*time.Minute {
		t.Errorf("%+v", l)
	}
	notes := c.store.Snapshot().Sale("arena").Notes
	if len(notes) != 1 || notes[0].Code != "login" || !strings.HasPrefix(notes[0].Text, "act login hr-act ends ") || !strings.Contains(notes[0].Text, ", sale ends ") {
		t.Errorf("%+v", notes)
	}
}

func TestWithoutATerminalACommandSaysWhatToDoAboutACode(t *testing.T) {
	file := actProfile(t, "271828")
	out := runIn(t, map[string]string{"READ_KEY": "aws-secret", "ONSALE_OPERATOR": "ines"}, "act", "arena", "scale-up", "-c", file, "--dry-run", "--to", "4", "--reason", "x", "--journal", t.TempDir())
	if out.code == 0 || !strings.Contains(out.stdout+out.stderr, "this login wants an MFA code, and there is nobody to ask") || !strings.Contains(out.stdout+out.stderr, "run it in a terminal") {
		t.Errorf("exit %d\n%s\n%s", out.code, out.stdout, out.stderr)
	}
}

func TestTheSourcesOfALoginThatIsBackAreReadAtOnce(t *testing.T) {
	login := func(name string, acts bool, state sale.LoginState, by ...string) sale.Login {
		return sale.Login{Name: name, Acts: acts, State: state, UsedBy: by}
	}
	before := []sale.Login{login("hr", false, sale.LoginFails, "cw", "sqs"), login("pl", false, sale.LoginAsks, "pl"), login("st", false, sale.LoginReady, "st"), login("at", false, sale.LoginUntried, "at"), login("hr", true, sale.LoginFails, "scale"), login("si", false, sale.LoginFails, "si")}
	now := []sale.Login{login("hr", false, sale.LoginReady, "cw", "sqs"), login("pl", false, sale.LoginReady, "pl"), login("st", false, sale.LoginReady, "st"), login("at", false, sale.LoginReady, "at"), login("hr", true, sale.LoginReady, "scale"), login("si", false, sale.LoginFails, "si")}
	if got := backAgain(before, now); !slices.Equal(got, []string{"cw", "sqs", "pl"}) {
		t.Errorf("%v", got)
	}
	if got := backAgain(nil, now); len(got) != 0 {
		t.Errorf("at the start: %v", got)
	}
}
