package config

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/onsale-dev/onsale/sale"
)

// PublicKey is one line of an authorized_keys file (sshd(8), AUTHORIZED_KEYS FILE FORMAT), as far as
// a line can be kept here: a line that asks for more is refused when the config is read, never
// passed over.
type PublicKey struct {
	Wire        []byte // RFC 4253, section 6.6
	Type        string // "ssh-ed25519"
	Fingerprint string // "SHA256:…"
	Comment     string // clean
	// From are the addresses that the key is good from; none: all.
	From []netip.Prefix
	// Expires is when the key is good no more; zero: never.
	Expires time.Time
}

// The bounds of what a line may hold. A key of 16384 bits, which is as long as they get, has 2,800 characters.
const (
	maxKeyLine = 8 << 10
	maxKeyFile = 1 << 20
	leastRSA   = 2048 // bits; as OpenSSH's RequiredRSASize would have it, doubled
)

// options that only take away what this server does not offer to anybody.
var restricting = []string{"restrict", "no-agent-forwarding", "no-port-forwarding", "no-x11-forwarding", "no-user-rc"}

// parsePublicKey reads one line. The error says in words for a person why it is refused.
func parsePublicKey(line string) (PublicKey, error) {
	var k PublicKey
	line = strings.TrimSpace(line)
	switch {
	case len(line) > maxKeyLine:
		return k, fmt.Errorf("the line is longer than %d characters", maxKeyLine)
	case strings.Contains(line, "PRIVATE KEY"):
		return k, errors.New("this is a private key: it must never stand here")
	case strings.ContainsFunc(line, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }):
		return k, errors.New("the line holds a control character")
	}
	word, rest := cutWord(line)
	if !isKeyType(word) {
		if err := k.options(word); err != nil {
			return k, err
		}
		word, rest = cutWord(rest)
	}
	if !isKeyType(word) {
		return k, fmt.Errorf("%s is not a type of key: write ssh-ed25519 AAAA…", shortQuote(word))
	}
	encoded, comment := cutWord(rest)
	wire, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(wire) == 0 {
		return k, errors.New("what follows the type is not base64: was the line cut or wrapped?")
	}
	key, err := ssh.ParsePublicKey(wire)
	switch {
	case err != nil:
		return k, errors.New("the key can't be read: was the line cut or wrapped?")
	case key.Type() != word:
		return k, fmt.Errorf("the line says %s, and the key is of type %s", word, sale.Clean(key.Type(), 40))
	case !bytes.Equal(key.Marshal(), wire):
		return k, errors.New("the key has bytes behind its end")
	}
	if err := strong(key); err != nil {
		return k, err
	}
	k.Wire, k.Type, k.Fingerprint, k.Comment = wire, word, ssh.FingerprintSHA256(key), sale.Clean(strings.TrimSpace(comment), 60)
	return k, nil
}

// isKeyType names the types that are taken: no DSA, and no certificate, which is what a CA is for.
func isKeyType(word string) bool {
	switch word {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256, ssh.KeyAlgoRSA:
		return true
	}
	return false
}

func strong(key ssh.PublicKey) error {
	c, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return nil
	}
	if k, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok && k.N.BitLen() < leastRSA {
		return fmt.Errorf("an RSA key of %d bits is too weak: make a new one with ssh-keygen -t ed25519", k.N.BitLen())
	}
	return nil
}

// cutWord cuts at the first space outside of double quotes.
func cutWord(line string) (word, rest string) {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && quoted && i+1 < len(line) && line[i+1] == '"':
			i++
		case c == '"':
			quoted = !quoted
		case (c == ' ' || c == '\t') && !quoted:
			return line[:i], strings.TrimLeft(line[i:], " \t")
		}
	}
	return line, ""
}

// options reads what stands before the type.
func (k *PublicKey) options(all string) error {
	if all == "" {
		return errors.New("the line is empty")
	}
	for all != "" {
		var one string
		one, all = cutOption(all)
		name, value, _ := strings.Cut(one, "=")
		value = strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(value, `"`), `"`), `\"`, `"`)
		switch name = strings.ToLower(name); {
		case oneOf(name, restricting):
		case name == "from":
			if err := k.from(value); err != nil {
				return err
			}
		case name == "expiry-time":
			at, err := expiry(value)
			if err != nil {
				return err
			}
			k.Expires = at
		case name == "cert-authority":
			return errors.New("a certificate authority stands under trusted_ca, without the option")
		default:
			return fmt.Errorf("%s is neither a type of key nor an option that can be kept here: from=, expiry-time= and restrict can", shortQuote(name))
		}
	}
	return nil
}

func cutOption(all string) (one, rest string) {
	quoted := false
	for i := 0; i < len(all); i++ {
		switch c := all[i]; {
		case c == '\\' && quoted && i+1 < len(all) && all[i+1] == '"':
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			return all[:i], all[i+1:]
		}
	}
	return all, ""
}

// from takes addresses and networks. Names and wildcards would need a resolver that a client may control.
func (k *PublicKey) from(list string) error {
	for one := range strings.SplitSeq(list, ",") {
		one = strings.TrimSpace(one)
		p, err := netip.ParsePrefix(one)
		if err != nil {
			a, alone := netip.ParseAddr(one)
			if alone != nil || a.Zone() != "" {
				return fmt.Errorf("from=%s: give addresses and networks alone, such as 10.0.0.0/8", shortQuote(one))
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		if p.Addr().Is4In6() {
			return fmt.Errorf("from=%s: write the address as IPv4", shortQuote(one))
		}
		k.From = append(k.From, p.Masked())
	}
	return nil
}

// expiry reads YYYYMMDD[HHMM[SS]] with a Z for UTC. OpenSSH takes a time without Z in the server's
// own zone; a key must not become good again where the zone changes, so here it needs the Z.
func expiry(text string) (time.Time, error) {
	for _, layout := range []string{"20060102Z", "200601021504Z", "20060102150405Z"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("expiry-time=%s: write it in UTC, with the Z: 20261231Z or 202612312359Z", shortQuote(text))
}

func shortQuote(s string) string { return `"` + sale.Clean(s, 40) + `"` }

// encodeKey is a key as a line has it.
func encodeKey(wire []byte) string { return base64.StdEncoding.EncodeToString(wire) }

// Allows reports whether the key is good from an address at a time.
func (k *PublicKey) Allows(from netip.Addr, now time.Time) bool {
	if !k.Expires.IsZero() && !now.Before(k.Expires) {
		return false
	}
	if len(k.From) == 0 {
		return true
	}
	from = from.Unmap()
	for _, p := range k.From {
		if p.Contains(from) {
			return true
		}
	}
	return false
}
