package sshd

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// freezing is a client's network that can stop taking bytes, as that of a suspended ssh does.
type freezing struct {
	net.Conn
	frozen atomic.Bool
	closed chan struct{}
	once   sync.Once
}

func (f *freezing) Read(p []byte) (int, error) {
	if f.frozen.Load() {
		<-f.closed
		return 0, net.ErrClosed
	}
	return f.Conn.Read(p)
}

func (f *freezing) Close() error {
	f.once.Do(func() { close(f.closed) })
	return f.Conn.Close()
}

// flood writes to marko for as long as he takes it, and shows everybody else a screen.
func flood(blocked *atomic.Int64) func(context.Context, *Visit) error {
	return func(ctx context.Context, v *Visit) error {
		who, err := v.Person()
		if err != nil || who.Name != "marko" {
			return screen(ctx, v)
		}
		page := make([]byte, 32<<10)
		for {
			blocked.Add(1)
			if _, err := v.Out.Write(page); err != nil {
				return err
			}
		}
	}
}

func (d *door) freeze(key ssh.Signer) (*freezing, *ssh.Client) {
	d.t.Helper()
	raw, err := net.Dial("tcp", d.addr)
	if err != nil {
		d.t.Fatal(err)
	}
	f := &freezing{Conn: raw, closed: make(chan struct{})}
	conn, channels, requests, err := ssh.NewClientConn(f, d.addr, &ssh.ClientConfig{Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: ssh.FixedHostKey(d.host)})
	if err != nil {
		d.t.Fatal(err)
	}
	return f, ssh.NewClient(conn, channels, requests)
}

func TestAClientThatStopsReadingHoldsUpNobodyElse(t *testing.T) {
	var writes atomic.Int64
	d := open(t, func(o *Options) { o.Screen = flood(&writes) })
	ivana := d.sit(d.enter(d.ivana))
	d.shows(ivana, "hello")
	far, client := d.freeze(d.marko)
	d.sit(client)
	until(t, "he is written to", func() bool { return writes.Load() > 0 })
	far.frozen.Store(true)
	until(t, "he takes nothing any more", func() bool {
		before := writes.Load()
		time.Sleep(50 * time.Millisecond)
		return writes.Load() == before
	})
	for i := range 20 {
		if err := ivana.WindowChange(30+i, 100); err != nil {
			t.Fatal(err)
		}
	}
	d.shows(ivana, "now 100x49")
	if n := d.Counts().Sessions; n != 2 {
		t.Errorf("%d sessions: the stalled one was to be there still", n)
	}
	_ = far.Close()
}

func TestAClientThatStopsReadingIsGoneWithEverythingThatWasForIt(t *testing.T) {
	var writes atomic.Int64
	d := open(t, func(o *Options) { o.Screen = flood(&writes); o.bounds.alive = 100 * time.Millisecond })
	ivana := d.sit(d.enter(d.ivana))
	d.shows(ivana, "hello")
	before := runtime.NumGoroutine()
	far, client := d.freeze(d.marko)
	d.sit(client)
	until(t, "he is written to", func() bool { return writes.Load() > 0 })
	far.frozen.Store(true)
	until(t, "his place is free", func() bool { return d.Counts().Sessions == 1 && d.Counts().Connections == 1 })
	_ = far.Close()
	until(t, "his goroutines are gone", func() bool { return runtime.NumGoroutine() <= before })
	if err := ivana.WindowChange(31, 101); err != nil {
		t.Fatal(err)
	}
	d.shows(ivana, "now 101x31")
}

func TestAWriteToTheNetworkHasAnEnd(t *testing.T) {
	d := open(t, func(o *Options) { o.bounds.write = 20 * time.Millisecond })
	near, far := net.Pipe()
	defer func() { _ = far.Close() }()
	c := newConn(d.Server, near)
	if _, err := c.Write([]byte("nobody reads this")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it ended with %v", err)
	}
}
