package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/sources"
)

// The most that a poll takes from a server. The client library believes every length that it is
// told and makes room for it before anything came, so lengths are looked at on their way to it.
const (
	maxBytes    = 1 << 20
	maxElements = 64 << 10 // announced members of lists, in all
	maxBulk     = 64 << 10 // bytes of one text
	maxLine     = 4 << 10
)

// wire dials, and bounds what comes.
type wire struct {
	host  string
	trust *tls.Config

	mu     sync.Mutex
	conn   net.Conn
	meter  meter
	fault  error
	closed bool // the poll is over or was cancelled
}

func newWire(host string, trust *tls.Config) *wire {
	if trust != nil && trust.ServerName == "" {
		trust = trust.Clone()
		trust.ServerName = host
	}
	return &wire{host: host, trust: trust}
}

// begin gives a new poll its whole allowance.
func (w *wire) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.meter.bytes, w.meter.elements, w.fault, w.closed = 0, 0, nil, false
}

// interrupt ends what waits for the server.
func (w *wire) interrupt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	if w.conn != nil {
		_ = w.conn.Close()
	}
}

// broken is what was wrong with what the server sent; nil when nothing was.
func (w *wire) broken() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fault
}

func (w *wire) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if w.trust != nil {
		secured := tls.Client(conn, w.trust)
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("tls: %w", err)
		}
		conn = secured
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		_ = conn.Close()
		return nil, context.Canceled
	}
	w.conn, w.meter = conn, meter{bytes: w.meter.bytes, elements: w.meter.elements}
	return &watched{conn, w}, nil
}

// watched is a connection whose incoming bytes are looked at.
type watched struct {
	net.Conn
	wire *wire
}

func (c *watched) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	if c.wire.conn == c.Conn {
		if wrong := c.wire.meter.look(p[:n]); wrong != nil {
			c.wire.fault = wrong
			_ = c.Conn.Close()
			return 0, wrong
		}
	}
	return n, err
}

// meter follows RESP2 just far enough to know every length before it is believed.
type meter struct {
	bytes, elements int
	skip            int    // bytes of a text that are still to come, with its line end
	line            []byte // of a header that has not ended
}

var errForeign = errors.New("not the protocol of Redis")

func (m *meter) look(p []byte) error {
	if m.bytes += len(p); m.bytes > maxBytes {
		return &sources.BodyTooLargeError{Limit: maxBytes}
	}
	for len(p) > 0 {
		if m.skip > 0 {
			n := min(m.skip, len(p))
			m.skip, p = m.skip-n, p[n:]
			continue
		}
		b := p[0]
		p = p[1:]
		if b != '\n' {
			if m.line = append(m.line, b); len(m.line) > maxLine {
				return errForeign
			}
			if len(m.line) == 1 && b != '+' && b != '-' && b != ':' && b != '$' && b != '*' {
				return errForeign
			}
			continue
		}
		if err := m.header(); err != nil {
			return err
		}
		m.line = m.line[:0]
	}
	return nil
}

// header looks at a whole line, without its "\n".
func (m *meter) header() error {
	n := len(m.line)
	if n < 2 || m.line[n-1] != '\r' {
		return errForeign
	}
	kind := m.line[0]
	if kind != '$' && kind != '*' {
		return nil
	}
	length, err := strconv.Atoi(string(m.line[1 : n-1]))
	switch {
	case err != nil || length < -1:
		return errForeign
	case length == -1: // null
	case kind == '$' && length > maxBulk:
		return &sources.BodyTooLargeError{Limit: maxBulk}
	case kind == '$':
		m.skip = length + len("\r\n")
	default:
		if m.elements += length; length > maxElements || m.elements > maxElements {
			return &sources.BodyTooLargeError{Limit: maxBytes}
		}
	}
	return nil
}
