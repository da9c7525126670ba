package sshd

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/crypto/ssh"
)

// LoadHostKey reads the server's private key. It is never made by the way: a server that makes itself
// a new key after a slip in a path teaches its users to accept any. The error says what to do.
func LoadHostKey(path string) (ssh.Signer, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no host key at %s: make one with 'onsale serve --new-host-key %s', or mend serve.host_key", path, path)
	}
	if err != nil {
		return nil, fmt.Errorf("the host key can't be read: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("the host key %s is not a file", path)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the host key %s can be read by others (mode %04o): chmod 600 %s, and make a new one if anybody else had an account there", path, info.Mode().Perm(), path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the host key can't be read: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(data)
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &locked):
		return nil, fmt.Errorf("the host key %s has a passphrase, which nobody is there to give: make one without", path)
	case err != nil:
		return nil, fmt.Errorf("%s holds no private key: make one with 'onsale serve --new-host-key PATH'", path)
	}
	return signer, nil
}

// NewHostKey makes a key of type Ed25519 in a new file of mode 0600, in OpenSSH's own format. A file
// that is there is never written over.
func NewHostKey(path string) (ssh.PublicKey, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, "onsale serve")
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s is there already: a host key is not replaced by the way; remove it first if it must go", path)
	}
	if err != nil {
		return nil, fmt.Errorf("the host key can't be written: %w", err)
	}
	_, err = f.Write(pem.EncodeToMemory(block))
	for _, next := range []func() error{f.Sync, f.Close, func() error { return syncDir(filepath.Dir(path)) }} {
		if e := next(); err == nil {
			err = e
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the host key can't be written: %w", err)
	}
	return ssh.NewPublicKey(private.Public())
}

func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // a folder can't be synced there
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}

// Fingerprint is a public key's, as ssh-keygen -l prints it.
func Fingerprint(key ssh.PublicKey) string { return ssh.FingerprintSHA256(key) }
