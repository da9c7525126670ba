package sshd

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// Entry is somebody who may come in.
type Entry struct {
	Name string
	// Role is handed through as it is.
	Role string
	Wall bool // sees the wall alone
	Keys []Key
	// Principals are those of certificates that are this person.
	Principals []string
}

// Key is a public key that lets somebody in.
type Key struct {
	Wire []byte // RFC 4253, section 6.6
	// Allows says whether it is good from an address at a time; nil: always.
	Allows func(from netip.Addr, now time.Time) bool
}

// Register is who may come in now. It is safe for many goroutines.
type Register struct{ now atomic.Pointer[book] }

type book struct {
	entries  []Entry
	trusted  [][]byte // certificate authorities
	byKey    map[string]int
	byMember map[string]int // by principal
}

// Set replaces everybody. Whoever isn't there any more is shown out within a second.
func (r *Register) Set(entries []Entry, trusted [][]byte) {
	b := &book{entries: slices.Clone(entries), trusted: trusted, byKey: map[string]int{}, byMember: map[string]int{}}
	for i := range b.entries {
		for _, k := range b.entries[i].Keys {
			b.byKey[string(k.Wire)] = i
		}
		for _, p := range b.entries[i].Principals {
			b.byMember[p] = i
		}
	}
	r.now.Store(b)
}

// open reports whether there is any way to come in.
func (r *Register) open() bool {
	b := r.now.Load()
	return b != nil && len(b.entries) > 0 && (len(b.byKey) > 0 || len(b.trusted) > 0)
}

// proof is what a client has proved to hold. It says nothing about what that is good for: ask find.
type proof struct {
	key  []byte           // of the key itself, also that of a certificate
	cert *ssh.Certificate // nil: a key alone
	from netip.Addr
}

var errUnknownKey = errors.New("the key is not known here")

// find looks up who a proof stands for now.
func (r *Register) find(p proof, now time.Time) (Entry, error) {
	b := r.now.Load()
	if b == nil {
		return Entry{}, errUnknownKey
	}
	if p.cert != nil {
		return b.member(p, now)
	}
	i, ok := b.byKey[string(p.key)]
	if !ok {
		return Entry{}, errUnknownKey
	}
	e := b.entries[i]
	for _, k := range e.Keys {
		if bytes.Equal(k.Wire, p.key) && k.Allows != nil && !k.Allows(p.from, now) {
			return Entry{}, errors.New("the key of " + e.Name + " is not good from there, or not any more")
		}
	}
	return e, nil
}

// member looks up a certificate. One without principals would be good for everybody (PROTOCOL.certkeys),
// so it is good for nobody here.
func (b *book) member(p proof, now time.Time) (Entry, error) {
	if p.cert.CertType != ssh.UserCert {
		return Entry{}, errors.New("not a user's certificate")
	}
	ca := p.cert.SignatureKey.Marshal()
	if !slices.ContainsFunc(b.trusted, func(t []byte) bool { return bytes.Equal(t, ca) }) {
		return Entry{}, errors.New("the certificate's authority is not trusted here")
	}
	checker := ssh.CertChecker{
		// The server enforces it on the permissions that the login returns.
		SupportedCriticalOptions: []string{"source-address"},
		Clock:                    func() time.Time { return now },
	}
	for _, principal := range p.cert.ValidPrincipals {
		if i, ok := b.byMember[principal]; ok {
			return b.entries[i], checker.CheckCert(principal, p.cert)
		}
	}
	return Entry{}, errors.New("no principal of the certificate is known here")
}
