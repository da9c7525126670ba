package config

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

const keyLine = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJDPYgTVFRzFSYfv1Nxzz9RZV/HkReTWNjneP6T+sLyI"

func TestALineOfKeysIsTakenWholeOrRefusedInWords(t *testing.T) {
	for name, c := range map[string]struct{ line, refused string }{
		"a key alone":            {keyLine, ""},
		"a key with a comment":   {keyLine + " ivana's laptop", ""},
		"what nobody is offered": {"restrict,no-port-forwarding " + keyLine, ""},
		"addresses":              {`from="10.0.0.0/8,2001:db8::1" ` + keyLine, ""},
		"an end":                 {`expiry-time="20261231Z" ` + keyLine, ""},
		"a command":              {`command="rm -rf /" ` + keyLine, "neither a type of key nor an option"},
		"a pattern of names":     {`from="*.example" ` + keyLine, "addresses and networks alone"},
		"a negated address":      {`from="!10.0.0.1" ` + keyLine, "addresses and networks alone"},
		"an end in no zone":      {`expiry-time="20261231" ` + keyLine, "in UTC"},
		"an authority":           {"cert-authority " + keyLine, "trusted_ca"},
		"a type alone":           {"ssh-ed25519", "not base64"},
		"a cut key":              {keyLine[:40], "was the line cut"},
		"another type":           {strings.Replace(keyLine, "ssh-ed25519 ", "ssh-rsa ", 1), "the key is of type ssh-ed25519"},
		"an old type":            {"ssh-dss AAAAB3NzaC1kc3MAAACB", "neither a type"},
		"nothing":                {"   ", "empty"},
		"a private key":          {"-----BEGIN OPENSSH PRIVATE KEY-----", "private key"},
		"a weak key":             {"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDHpVVQW0KV0yR3JhdzrrnGuL5vzY3Vt2PKYTTT6LhiVPvjE6A0r/2qmK6M8g0GgYlFdFGzK8a8y3gJ1SJf4Dtxrb0Zb2MyGdJoJ1bpiYWXzRmYNJOqM+6T9mFKqIqkXzFQRZkkYj2QfQ9wXJfTQb5oV3p0lXk1mVvYwJ1b5Q==", ""},
		"a control character":    {keyLine + " \x1b[2J", "control character"},
		"an endless line":        {keyLine + strings.Repeat(" x", 8<<10), "longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := parsePublicKey(c.line)
			switch {
			case name == "a weak key":
				if err == nil {
					t.Error("a weak key was taken")
				}
			case c.refused == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
				t.Errorf("err = %v, want %q in it", err, c.refused)
			case c.refused == "" && !strings.HasPrefix(k.Fingerprint, "SHA256:"):
				t.Errorf("fingerprint %q", k.Fingerprint)
			}
		})
	}
}

func TestAKeyIsGoodOnlyFromItsAddressesAndUntilItsEnd(t *testing.T) {
	k, err := parsePublicKey(`from="10.0.0.0/8,192.0.2.7",expiry-time="202612312300Z" ` + keyLine)
	if err != nil {
		t.Fatal(err)
	}
	before, after := time.Date(2026, 12, 31, 22, 59, 59, 0, time.UTC), time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		from string
		now  time.Time
		want bool
	}{
		{"10.200.1.1", before, true},
		{"::ffff:10.200.1.1", before, true},
		{"192.0.2.7", before, true},
		{"192.0.2.8", before, false},
		{"2001:db8::1", before, false},
		{"10.200.1.1", after, false},
	} {
		if got := k.Allows(netip.MustParseAddr(c.from), c.now); got != c.want {
			t.Errorf("from %s at %s: %v, want %v", c.from, c.now, got, c.want)
		}
	}
	if again, err := parsePublicKey(k.line()); err != nil || again.Fingerprint != k.Fingerprint || len(again.From) != 2 || !again.Expires.Equal(k.Expires) {
		t.Errorf("shown as %q, it reads %+v, %v", k.line(), again, err)
	}
}

func FuzzALineOfKeys(f *testing.F) {
	f.Add(keyLine)
	f.Add(`from="10.0.0.0/8",expiry-time="20261231Z",restrict ` + keyLine + " a comment")
	f.Add(`command="a \" b", ` + keyLine)
	f.Fuzz(func(t *testing.T, line string) {
		k, err := parsePublicKey(line)
		if err != nil {
			if strings.ContainsFunc(err.Error(), func(c rune) bool { return c < ' ' || c == 0x7f }) {
				t.Errorf("a control character in %q", err)
			}
			return
		}
		again, err := parsePublicKey(k.line())
		if err != nil || again.Fingerprint != k.Fingerprint || len(again.From) != len(k.From) || !again.Expires.Equal(k.Expires) {
			t.Errorf("%q is shown as %q, which reads %+v, %v", line, k.line(), again, err)
		}
	})
}
