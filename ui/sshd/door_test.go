package sshd

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// door is a server on loopback with one operator and one viewer.
type door struct {
	*Server
	t        *testing.T
	addr     string
	host     ssh.PublicKey
	register *Register
	ivana    ssh.Signer
	marko    ssh.Signer
	log      *lines
	stop     context.CancelFunc
	served   chan error
}

// lines is a log that may be read while it is written.
//
// It keeps the newest half a mebibyte at least: a soak writes more than it would hold.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.b.Len() > 1<<20 {
		l.b.Next(l.b.Len() / 2)
	}
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newKey(t testing.TB) ssh.Signer {
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

func entry(name, role string, keys ...ssh.Signer) Entry {
	e := Entry{Name: name, Role: role, Principals: []string{name}}
	for _, k := range keys {
		e.Keys = append(e.Keys, Key{Wire: k.PublicKey().Marshal()})
	}
	return e
}

// quick is the server's patience, for a test that waits for its end.
func quick() *bounds {
	return &bounds{login: 10 * time.Second, idle: time.Minute, alive: time.Minute, write: time.Minute, look: 20 * time.Millisecond, farewell: 2 * time.Second}
}

// screen is what a test's server shows: a line for the size it begins with and each that follows,
// until the client sends something or is shown out.
func screen(ctx context.Context, v *Visit) error {
	who, err := v.Person()
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(v.Out, "hello %s %s %dx%d %s\r\n", who.Name, who.Role, v.Size.Width, v.Size.Height, strings.Join(v.Env, ","))
	read := make(chan error, 1)
	go func() {
		_, err := v.In.Read(make([]byte, 1))
		read <- err
	}()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-read:
			return nil
		case size := <-v.Sizes:
			_, _ = fmt.Fprintf(v.Out, "now %dx%d\r\n", size.Width, size.Height)
		}
	}
}

func echo(_ context.Context, v *Visit, command string, out, errOut io.Writer) int {
	_, _ = fmt.Fprintf(out, "ran %s\n", command)
	if strings.HasPrefix(command, "check") {
		return 2
	}
	_, _ = fmt.Fprintln(errOut, "only check")
	return 3
}

func open(t *testing.T, change ...func(*Options)) *door {
	t.Helper()
	d := &door{t: t, register: &Register{}, ivana: newKey(t), marko: newKey(t), log: &lines{}, served: make(chan error, 1)}
	d.register.Set([]Entry{entry("ivana", "operator", d.ivana), entry("marko", "viewer", d.marko)}, nil)
	host := newKey(t)
	d.host = host.PublicKey()
	o := Options{
		HostKey: host, Register: d.register, Screen: screen, Exec: echo, bounds: quick(),
		Log: slog.New(slog.NewTextHandler(d.log, nil)),
	}
	for _, c := range change {
		c(&o)
	}
	var err error
	if d.Server, err = New(o); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.addr = l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	d.stop = stop
	go func() { d.served <- d.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-d.served:
			if err != nil {
				t.Errorf("the server ended with %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Error("the server did not stop")
		}
	})
	return d
}

func (d *door) dial(auth ...ssh.AuthMethod) (*ssh.Client, error) {
	return ssh.Dial("tcp", d.addr, &ssh.ClientConfig{User: "whoever", Auth: auth, HostKeyCallback: ssh.FixedHostKey(d.host), Timeout: 20 * time.Second})
}

func (d *door) enter(key ssh.Signer) *ssh.Client {
	d.t.Helper()
	c, err := d.dial(ssh.PublicKeys(key))
	if err != nil {
		d.t.Fatalf("let in: %v", err)
	}
	d.t.Cleanup(func() { _ = c.Close() })
	return c
}

// seat is a session with a terminal; seen is what it was sent so far.
type seat struct {
	*ssh.Session
	seen *lines
	keys io.Writer
}

func (d *door) sit(c *ssh.Client) *seat {
	d.t.Helper()
	s, err := c.NewSession()
	if err != nil {
		d.t.Fatal(err)
	}
	seen := &lines{}
	s.Stdout, s.Stderr = seen, seen
	keys, err := s.StdinPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := s.RequestPty("xterm-256color", 24, 80, ssh.TerminalModes{}); err != nil {
		d.t.Fatal(err)
	}
	if err := s.Shell(); err != nil {
		d.t.Fatal(err)
	}
	return &seat{s, seen, keys}
}

// until waits for something to become true, which it does as soon as the machine gets to it.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

func (d *door) shows(s *seat, text string) {
	d.t.Helper()
	until(d.t, fmt.Sprintf("%q on the screen", text), func() bool { return strings.Contains(s.seen.String(), text) })
}
