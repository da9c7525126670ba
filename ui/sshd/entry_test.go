package sshd

import (
	"crypto/rand"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

func TestAServerThatWouldLetNobodyOrEverybodyInDoesNotStart(t *testing.T) {
	full := &Register{}
	full.Set([]Entry{entry("ivana", "operator", newKey(t))}, nil)
	keyless := &Register{}
	keyless.Set([]Entry{{Name: "ivana", Principals: []string{"ivana"}}}, nil)
	empty := &Register{}
	empty.Set(nil, [][]byte{newKey(t).PublicKey().Marshal()})
	for name, o := range map[string]Options{
		"no register":       {HostKey: newKey(t)},
		"a register unset":  {HostKey: newKey(t), Register: &Register{}},
		"nobody has a key":  {HostKey: newKey(t), Register: keyless},
		"a CA and no users": {HostKey: newKey(t), Register: empty},
		"no host key":       {Register: full},
	} {
		o.Screen, o.Exec = screen, echo
		if _, err := New(o); err == nil {
			t.Errorf("%s: the server starts", name)
		}
	}
}

func TestTheHostKeyIsThereAndNobodyElsesOrTheServerStopsWithWords(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "host")
	if _, err := LoadHostKey(path); err == nil || !strings.Contains(err.Error(), "--new-host-key") {
		t.Errorf("missing: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Fatal("a key was made by the way")
	}
	made, err := NewHostKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	signer, err := LoadHostKey(path)
	if err != nil || Fingerprint(signer.PublicKey()) != Fingerprint(made) {
		t.Errorf("read back: %v", err)
	}
	if _, err := NewHostKey(path); err == nil || !strings.Contains(err.Error(), "there already") {
		t.Errorf("written over: %v", err)
	}
	if runtime.GOOS != "windows" {
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadHostKey(path); err == nil || !strings.Contains(err.Error(), "can be read by others (mode 0644)") {
			t.Errorf("readable by all: %v", err)
		}
	}
	if err := os.WriteFile(path, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	_ = os.Chmod(path, 0o600)
	if _, err := LoadHostKey(path); err == nil || !strings.Contains(err.Error(), "no private key") {
		t.Errorf("no key: %v", err)
	}
}

func TestOnlyAKnownKeyLetsIn(t *testing.T) {
	d := open(t)
	for name, auth := range map[string][]ssh.AuthMethod{
		"nothing":        nil,
		"an unknown key": {ssh.PublicKeys(newKey(t))},
		"a password":     {ssh.Password("ivana")},
		"a keyboard":     {ssh.KeyboardInteractive(func(string, string, []string, []bool) ([]string, error) { return []string{"ivana"}, nil })},
	} {
		if c, err := d.dial(auth...); err == nil {
			_ = c.Close()
			t.Errorf("%s lets in", name)
		} else if !strings.Contains(err.Error(), "unable to authenticate") {
			t.Errorf("%s: %v", name, err)
		}
	}
	d.shows(d.sit(d.enter(d.ivana)), "hello ivana operator 80x24")
	d.shows(d.sit(d.enter(d.marko)), "hello marko viewer 80x24")
}

func TestTheFourthKeyIsOneTooMany(t *testing.T) {
	d := open(t)
	if c, err := d.dial(ssh.PublicKeys(newKey(t), newKey(t), d.ivana)); err != nil {
		t.Errorf("the third key: %v", err)
	} else {
		_ = c.Close()
	}
	if c, err := d.dial(ssh.PublicKeys(newKey(t), newKey(t), newKey(t), d.ivana)); err == nil {
		_ = c.Close()
		t.Error("the fourth key lets in")
	}
}

func certificate(t *testing.T, ca, key ssh.Signer, change func(*ssh.Certificate)) ssh.Signer {
	t.Helper()
	cert := &ssh.Certificate{
		Key: key.PublicKey(), CertType: ssh.UserCert, KeyId: "test", ValidPrincipals: []string{"ivana"},
		ValidAfter: uint64(time.Now().Add(-time.Minute).Unix()), ValidBefore: uint64(time.Now().Add(time.Hour).Unix()),
	}
	if change != nil {
		change(cert)
	}
	if err := cert.SignCert(rand.Reader, ca); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewCertSigner(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func TestACertificateIsGoodAsFarAsItGoes(t *testing.T) {
	ca := newKey(t)
	d := open(t)
	d.register.Set([]Entry{{Name: "ivana", Role: "operator", Principals: []string{"ivana", "oncall"}}}, [][]byte{ca.PublicKey().Marshal()})
	for name, c := range map[string]struct {
		ca     ssh.Signer
		change func(*ssh.Certificate)
		in     bool
	}{
		"as it should be":      {ca, nil, true},
		"by another principal": {ca, func(c *ssh.Certificate) { c.ValidPrincipals = []string{"x", "oncall"} }, true},
		"from here":            {ca, func(c *ssh.Certificate) { c.CriticalOptions = map[string]string{"source-address": "127.0.0.0/8"} }, true},
		"from elsewhere":       {ca, func(c *ssh.Certificate) { c.CriticalOptions = map[string]string{"source-address": "192.0.2.0/24"} }, false},
		"of an unknown CA":     {newKey(t), nil, false},
		"over":                 {ca, func(c *ssh.Certificate) { c.ValidBefore = uint64(time.Now().Add(-time.Second).Unix()) }, false},
		"of nobody here":       {ca, func(c *ssh.Certificate) { c.ValidPrincipals = []string{"petra"} }, false},
		"of everybody":         {ca, func(c *ssh.Certificate) { c.ValidPrincipals = nil }, false},
		"of a host":            {ca, func(c *ssh.Certificate) { c.CertType = ssh.HostCert }, false},
		"with a command":       {ca, func(c *ssh.Certificate) { c.CriticalOptions = map[string]string{"force-command": "true"} }, false},
	} {
		client, err := d.dial(ssh.PublicKeys(certificate(t, c.ca, newKey(t), c.change)))
		if (err == nil) != c.in {
			t.Errorf("a certificate %s: %v, want in: %v", name, err, c.in)
		}
		if err == nil {
			_ = client.Close()
		}
	}
}

func TestACertificateThatRunsOutEndsItsOpenSession(t *testing.T) {
	ca, d := newKey(t), open(t)
	d.register.Set([]Entry{{Name: "ivana", Role: "operator", Principals: []string{"ivana"}}}, [][]byte{ca.PublicKey().Marshal()})
	key := certificate(t, ca, newKey(t), nil)
	s := d.sit(d.enter(key))
	d.shows(s, "hello ivana")
	d.lookAround(time.Now().Add(2 * time.Hour))
	d.shows(s, ErrRemoved.Error())
}

func TestAKeyThatIsNotGoodFromThereLetsNobodyIn(t *testing.T) {
	d := open(t)
	e := entry("ivana", "operator", d.ivana)
	e.Keys[0].Allows = func(from netip.Addr, _ time.Time) bool { return !from.IsLoopback() }
	d.register.Set([]Entry{e}, nil)
	if c, err := d.dial(ssh.PublicKeys(d.ivana)); err == nil {
		_ = c.Close()
		t.Error("let in from an address that the key is not good from")
	}
}

func TestAClientThatSaysNothingIsCutOff(t *testing.T) {
	d := open(t, func(o *Options) { o.bounds.login = 50 * time.Millisecond })
	c, err := net.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.ReadAll(c); err != nil {
		t.Errorf("not cut off: %v", err)
	}
	until(t, "its place is free", func() bool { return d.Counts().Connections == 0 })
}

func TestAThousandConnectionsTakeAsManyPlacesAsThereAre(t *testing.T) {
	d := open(t, func(o *Options) { o.MaxConnections, o.MaxPerAddress = 12, 8 })
	var all []net.Conn
	for range 1000 {
		c, err := net.Dial("tcp", d.addr)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
		if n := d.Counts().Connections; n > 8 {
			t.Fatalf("%d connections from one address", n)
		}
	}
	until(t, "all but eight are turned away", func() bool { return d.Counts().TurnedAway == 992 })
	for _, c := range all {
		_ = c.Close()
	}
	until(t, "the places are free again", func() bool { return d.Counts().Connections == 0 })
	d.shows(d.sit(d.enter(d.ivana)), "hello ivana")
	if n := strings.Count(d.log.String(), "turned away"); n > 30 {
		t.Errorf("strangers wrote %d lines into the log", n)
	}
}
