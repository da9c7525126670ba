package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/ssh"

	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/ui/sshd"
)

// house is a served cockpit in this process, with one source whose requests are counted.
type house struct {
	*served
	t      testing.TB
	config string
	addr   string
	reads  *atomic.Int64
	out    *tape
	ivana  ssh.Signer
	marko  ssh.Signer
}

// tape is a buffer that may be read while it is written.
type tape struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *tape) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *tape) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

func sshKey(t testing.TB) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func keyWords(key ssh.Signer) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key.PublicKey())))
}

// houseConfig is a config of one sale that is bad, read once a minute.
func (h *house) houseConfig(url, ivana, marko string) string {
	return fmt.Sprintf(`environment: rehearsal
sources:
  door: {kind: http-json, url: %q, every: 60s}
sales:
  - id: lantern
    name: Paper Lantern Club
    opens: %s
    signals:
      error_ratio: {from: door, jq: .errors, bad: "> 5%%", needed: true}
policy: {role: operator}
serve:
  listen: 127.0.0.1:0
  host_key: host
  max_connections: 300
  max_per_address: 300
  metrics: 127.0.0.1:0
  users:
    - {name: ivana, role: %s, keys: [%s]}
    - {name: marko, role: %s, keys: [%s]}
`, url, time.Now().Add(-time.Minute).UTC().Format(time.RFC3339), ivana, keyWords(h.ivana), marko, keyWords(h.marko))
}

func openHouse(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, reads: new(atomic.Int64), out: &tape{}, ivana: sshKey(t), marko: sshKey(t)}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h.reads.Add(1)
		_, _ = io.WriteString(w, `{"errors": 0.25}`)
	}))
	t.Cleanup(web.Close)
	dir := t.TempDir()
	h.config = filepath.Join(dir, "onsale.yaml")
	if err := os.WriteFile(h.config, []byte(h.houseConfig(web.URL, "operator", "viewer")), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"XDG_STATE_HOME": dir}
	p := &program{
		stdin: strings.NewReader(""), stdout: h.out, stderr: io.Discard, configFlag: h.config, journalAt: filepath.Join(dir, "journal"),
		lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	}
	cfg, err := p.readConfig()
	if err != nil {
		t.Fatal(err)
	}
	s, closeAll, err := p.prepare(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h.served = s
	if s.server, err = s.door(sshKey(t)); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", cfg.Serve.Listen)
	if err != nil {
		t.Fatal(err)
	}
	h.addr = l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
		closeAll()
	})
	return h
}

func (h *house) enter(key ssh.Signer) *ssh.Client {
	h.t.Helper()
	c, err := ssh.Dial("tcp", h.addr, &ssh.ClientConfig{User: "x", Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = c.Close() })
	return c
}

// farScreen is a cockpit over SSH, drawn into cells.
type farScreen struct {
	*ssh.Session
	keys io.Writer
	mu   sync.Mutex
	*screen
	frames atomic.Int64
}

func (f *farScreen) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.frames.Add(1)
	return f.screen.Write(p)
}

func (f *farScreen) shows() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text()
}

func (h *house) sit(c *ssh.Client) *farScreen {
	h.t.Helper()
	s, err := c.NewSession()
	if err != nil {
		h.t.Fatal(err)
	}
	f := &farScreen{Session: s, screen: newScreen(100, 30)}
	s.Stdout = f
	if f.keys, err = s.StdinPipe(); err != nil {
		h.t.Fatal(err)
	}
	_ = s.Setenv("LANG", "en_US.UTF-8")
	if err := errors.Join(s.RequestPty("xterm-256color", 30, 100, nil), s.Shell()); err != nil {
		h.t.Fatal(err)
	}
	return f
}

func (h *house) sees(f *farScreen, text string) {
	h.t.Helper()
	if !eventually(30*time.Second, func() bool { return strings.Contains(f.shows(), text) }) {
		h.t.Fatalf("never on the screen: %q in\n%s", text, f.shows())
	}
}

func (h *house) command(c *ssh.Client, line string) (out, errOut string, code int) {
	h.t.Helper()
	s, err := c.NewSession()
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var a, b bytes.Buffer
	s.Stdout, s.Stderr = &a, &b
	err = s.Run(line)
	var exit *ssh.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitStatus()
	case err != nil:
		h.t.Fatal(err)
	}
	return a.String(), b.String(), code
}

func TestOverSSHManyLookAndTheSystemsAreReadOnce(t *testing.T) {
	h := openHouse(t)
	first := h.sit(h.enter(h.ivana))
	h.sees(first, "Paper Lantern Club")
	h.sees(first, "BAD")
	h.sees(first, "operator ivana")
	before := h.reads.Load()
	for range 12 {
		h.sees(h.sit(h.enter(h.marko)), "viewer marko")
	}
	c := h.enter(h.marko)
	for range 20 {
		if out, _, code := h.command(c, "check lantern"); code != exitBad || !strings.Contains(out, "25 %") {
			t.Fatalf("check: exit %d, %s", code, out)
		}
	}
	if after := h.reads.Load(); after != before {
		t.Errorf("12 viewers and 20 checks cost %d requests", after-before)
	}
	if !eventually(10*time.Second, func() bool { return h.server.Counts().Sessions == 13 }) {
		t.Errorf("%d sessions", h.server.Counts().Sessions)
	}
	_, _ = first.keys.Write([]byte("q"))
	if err := first.Wait(); err != nil {
		t.Errorf("q: %v", err)
	}
}

func TestOverSSHACommandIsCheckOrJournalListAndNothingElse(t *testing.T) {
	h := openHouse(t)
	c := h.enter(h.marko)
	out, _, code := h.command(c, "check lantern --output json")
	if code != exitBad || !strings.Contains(out, `"schema": "onsale.check/v1"`) || !strings.Contains(out, `"verdict": "bad"`) {
		t.Errorf("exit %d: %s", code, out)
	}
	if out, _, code := h.command(c, "check -o nagios"); code != exitBad || !strings.Contains(out, "CRITICAL") {
		t.Errorf("exit %d: %s", code, out)
	}
	if _, errOut, code := h.command(c, "journal list --last 5"); code != exitUnknown || !strings.Contains(errOut, "no journal here yet") {
		t.Errorf("before there is a journal: exit %d: %s", code, errOut)
	}
	j, err := journal.Open(h.dir, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	for _, text := range []string{"one\x1b[2J", "two"} {
		if _, err := j.Append(t.Context(), journal.Record{Code: "NOT10N", Kind: journal.Note, ID: text, Action: "note", Text: text, Actor: journal.Actor{Name: "ivana"}}); err != nil {
			t.Fatal(err)
		}
	}
	if out, errOut, code := h.command(c, "journal list --last 1"); code != exitOK || !strings.Contains(out, "NOT10N") || strings.Contains(out, "one") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	if out, _, _ := h.command(c, "journal list"); strings.Contains(out, "\x1b") || !strings.Contains(out, "one") {
		t.Errorf("the journal: %q", out)
	}
	for line, words := range map[string]string{
		"sh -c id":                            "can't be done over SSH",
		"act lantern pause --confirm lantern": "can't be done over SSH",
		"config show":                         "can't be done over SSH",
		"check --config /etc/passwd":          "unknown flag: --config",
		"check --log /tmp/x":                  "unknown flag: --log",
		"check lantern; id":                   "no shell",
		"check $(id)":                         "no shell",
		"check atlantis":                      "no sale",
		"check --output xml":                  "want text, json or nagios",
		"check --timeout 24h":                 "a minute at most",
		"journal list --dir /etc":             "unknown flag: --dir",
		"journal verify":                      "verify",
		"journal list --last 1000000":         "want 1 to",
		"check 'lantern":                      "not closed",
		"completion bash":                     "can't be done over SSH",
	} {
		_, errOut, code := h.command(c, line)
		if code != exitUnknown || !strings.Contains(errOut, words) {
			t.Errorf("%s: exit %d, %q, want %q in it", line, code, errOut, words)
		}
		if strings.Contains(errOut, h.config) {
			t.Errorf("%s tells a path of the server: %q", line, errOut)
		}
	}
}

func TestARoleTakenOutOfTheConfigIsGoneFromTheOpenSession(t *testing.T) {
	h := openHouse(t)
	ivana := h.sit(h.enter(h.ivana))
	h.sees(ivana, "Paper Lantern Club")
	data, err := os.ReadFile(h.config)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(h.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_ = h.reload() // as SIGHUP does; by itself it is seen within two seconds
	}
	write(string(data) + "  - broken")
	if !eventually(20*time.Second, func() bool { return h.loud() != "" }) {
		t.Fatal("nobody says that the config is broken")
	}
	if n := h.server.Counts(); n.Sessions != 1 {
		t.Errorf("a broken config shows %d out", 1-n.Sessions)
	}
	lines := strings.Split(string(data), "\n")
	write(strings.Join(slices.DeleteFunc(lines, func(l string) bool { return strings.Contains(l, "name: ivana") }), "\n"))
	h.sees(ivana, sshd.ErrRemoved.Error())
	if h.loud() != "" {
		t.Error("a mended config is said to be broken")
	}
}

func TestTheServersOwnHealthIsThereForPrometheus(t *testing.T) {
	h := openHouse(t)
	h.sees(h.sit(h.enter(h.ivana)), "BAD")
	families, err := h.gather()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{
		"onsale_ssh_sessions": 1, "onsale_source_calls_total": 1, "onsale_source_live": 1, "onsale_source_failures": 0, "onsale_config_reload_ok": 1,
	} {
		if got, ok := families[name]; !ok || got != want {
			t.Errorf("%s is %v, there: %v, want %v", name, got, ok, want)
		}
	}
	if families["onsale_frames_total"] < 1 || families["onsale_judged_timestamp_seconds"] < float64(h.started.Unix()) {
		t.Errorf("frames %v, judged %v", families["onsale_frames_total"], families["onsale_judged_timestamp_seconds"])
	}
}

// gather reads everything that is told, summed over labels but for those that say which of several
// states holds.
func (h *house) gather() (map[string]float64, error) {
	registry := prometheus.NewRegistry()
	if err := registry.Register(health{h.served}); err != nil {
		return nil, err
	}
	families, err := registry.Gather()
	sums := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			sums[f.GetName()] += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return sums, err
}

func TestServeSaysWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "onsale.yaml")
	key := keyWords(sshKey(t))
	head := "environment: rehearsal\nsources: {door: {kind: http-json, url: http://127.0.0.1:1/}}\nsales:\n  - {id: a, name: A, opens: 2026-12-01T10:00:00Z, signals: {error_ratio: {from: door, jq: .e}}}\n"
	for name, c := range map[string]struct{ serve, env, words string }{
		"no serve":    {"", "", "has no serve"},
		"no host key": {"serve: {listen: 127.0.0.1:0, host_key: host, users: [{name: ivana, role: viewer, keys: [" + key + "]}]}\n", "", "--new-host-key"},
		"nobody":      {"serve: {listen: 127.0.0.1:0, host_key: host, users: []}\n", "", "nobody may come in"},
		"wide glyphs": {"", "1", "RUNEWIDTH_EASTASIAN"},
	} {
		if err := os.WriteFile(file, []byte(head+c.serve), 0o600); err != nil {
			t.Fatal(err)
		}
		out := runIn(t, map[string]string{"RUNEWIDTH_EASTASIAN": c.env}, "serve", "--config", file)
		if out.code != exitUnknown || !strings.Contains(out.stderr, c.words) {
			t.Errorf("%s: exit %d, %q", name, out.code, out.stderr)
		}
	}
	host := filepath.Join(dir, "host")
	if out := runIn(t, nil, "serve", "--new-host-key", host); out.code != exitOK || !strings.HasPrefix(out.stdout, "SHA256:") {
		t.Errorf("a new key: %+v", out)
	}
	if out := runIn(t, nil, "serve", "--new-host-key", host); out.code != exitUnknown || !strings.Contains(out.stderr, "there already") {
		t.Errorf("written over: %+v", out)
	}
}

func FuzzTheWordsOfACommand(f *testing.F) {
	f.Add("check lantern --output json")
	f.Add(`check 'a b' "c" ''`)
	f.Add("check $(id); x")
	f.Fuzz(func(t *testing.T, line string) {
		words, err := splitWords(line)
		if err == nil && len(words) > len(line) {
			t.Errorf("%q gives %d words", line, len(words))
		}
	})
}
