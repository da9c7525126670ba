package sshd

import (
	"encoding/base64"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	libssh "charm.land/ssh"
	"golang.org/x/crypto/ssh"
)

type connKey struct{}

// conn is one connection, counted from before its first byte until it is closed.
type conn struct {
	net.Conn
	server *Server
	from   netip.Addr // zone-less; the zero address where it can't be told
	remote string
	began  time.Time
	closed sync.Once
	proved atomic.Bool

	mu         sync.Mutex
	proof      proof
	visits     map[*Visit]struct{}
	quietSince time.Time // without a session since; zero: there is one
	ending     bool
}

func newConn(s *Server, raw net.Conn) *conn {
	c := &conn{Conn: raw, server: s, began: time.Now(), visits: map[*Visit]struct{}{}}
	if tcp, ok := raw.(*net.TCPConn); ok {
		// What lies in the kernel's buffer is older than the screen: a small one shows a link that
		// lags, and keeps what a stalled client can hold bounded.
		_ = tcp.SetWriteBuffer(socketBuffer)
	}
	c.remote = raw.RemoteAddr().String()
	if at, err := netip.ParseAddrPort(c.remote); err == nil {
		c.from = at.Addr().Unmap().WithZone("")
	}
	c.quietSince = c.began
	return c
}

// Write has a deadline of its own: who takes nothing for so long is gone.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.server.bounds.write)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// Close gives the place free.
func (c *conn) Close() error {
	err := net.ErrClosed
	c.closed.Do(func() {
		err = c.Conn.Close()
		c.server.forget(c)
	})
	return err
}

func (c *conn) open() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.visits)
}

func (c *conn) standing() (p proof, proved bool, began, quietSince time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.proof, c.proved.Load(), c.began, c.quietSince
}

// enter counts a session in, or says that there are enough.
func (c *conn) enter(v *Visit) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.visits) >= mostSessions || c.ending {
		return false
	}
	c.visits[v] = struct{}{}
	c.quietSince = time.Time{}
	return true
}

func (c *conn) leave(v *Visit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.visits, v)
	if len(c.visits) > 0 {
		return
	}
	c.quietSince = time.Now()
	if c.ending { // a moment for the last bytes to leave
		time.AfterFunc(lastBytes, func() { _ = c.Close() })
	}
}

const lastBytes = 300 * time.Millisecond

// end asks the sessions to say good bye, and closes the connection when they had the time to.
func (c *conn) end(why error, within time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return
	}
	c.ending = true
	for v := range c.visits {
		v.cancel(why)
	}
	if len(c.visits) == 0 {
		within = 0
	}
	time.AfterFunc(within, func() { _ = c.Close() })
}

// prove takes down what a client has proved to hold, once the login is through.
func (c *conn) prove(sshConn *ssh.ServerConn) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.proved.Load() {
		return nil
	}
	p, err := proofIn(sshConn.Permissions)
	if err != nil {
		return err
	}
	p.from = c.from
	c.proof = p
	c.proved.Store(true)
	go c.askWhetherAlive(sshConn)
	return nil
}

// askWhetherAlive closes a connection whose client does not answer: one that was stopped, or whose
// network is gone, still has room for many frames in its buffers.
func (c *conn) askWhetherAlive(sshConn *ssh.ServerConn) {
	defer c.server.caught("keep-alive", func() { _ = c.Close() })
	gone := make(chan struct{})
	go func() {
		defer c.server.caught("keep-alive", func() { _ = c.Close() })
		defer close(gone)
		_ = sshConn.Wait()
	}()
	every := time.NewTicker(c.server.bounds.alive)
	defer every.Stop()
	for {
		answered := make(chan error, 1)
		go func() {
			defer c.server.caught("keep-alive", func() { _ = c.Close() })
			_, _, err := sshConn.SendRequest("keepalive@openssh.com", true, nil)
			answered <- err
		}()
		for waiting := true; waiting; {
			select {
			case <-gone:
				return
			case err := <-answered:
				if err != nil {
					_ = c.Close()
					return
				}
				waiting = false
			case <-every.C:
				_ = c.Close()
				return
			}
		}
		select {
		case <-gone:
			return
		case <-every.C:
		}
	}
}

const proofExtension = "key@onsale"

// config is what the SSH library is told for one connection. No password, no keyboard, no other way in.
func (s *Server) config(ctx libssh.Context) *ssh.ServerConfig {
	from := netip.Addr{}
	if c, ok := ctx.Value(connKey{}).(*conn); ok {
		from = c.from
	}
	return &ssh.ServerConfig{
		MaxAuthTries: mostAttempts,
		PublicKeyAuthAlgorithms: []string{
			ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoSKECDSA256,
			ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512,
		},
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			p := proof{key: key.Marshal(), from: from}
			perms := &ssh.Permissions{Extensions: map[string]string{proofExtension: base64.StdEncoding.EncodeToString(p.key)}}
			if cert, ok := key.(*ssh.Certificate); ok {
				p.key, p.cert = cert.Key.Marshal(), cert
				perms.CriticalOptions = cert.CriticalOptions // source-address is enforced by the library
			}
			if _, err := s.opts.Register.find(p, time.Now()); err != nil {
				return nil, err
			}
			return perms, nil
		},
	}
}

// proofIn reads back the key whose signature ended the login: a client may offer one key and sign
// with another (CVE-2024-45337), so what was offered says nothing.
func proofIn(perms *ssh.Permissions) (proof, error) {
	if perms == nil {
		return proof{}, errors.New("nothing was proved")
	}
	wire, err := base64.StdEncoding.DecodeString(perms.Extensions[proofExtension])
	if err != nil || len(wire) == 0 {
		return proof{}, errors.New("nothing was proved")
	}
	key, err := ssh.ParsePublicKey(wire)
	if err != nil {
		return proof{}, err
	}
	if cert, ok := key.(*ssh.Certificate); ok {
		return proof{key: cert.Key.Marshal(), cert: cert}, nil
	}
	return proof{key: wire}, nil
}
