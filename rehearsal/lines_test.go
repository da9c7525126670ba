package rehearsal

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestWhoHangsAtRedisLeavesWithThePlatform(t *testing.T) {
	before := goleak.IgnoreCurrent()
	p, err := Start(context.Background(), Options{Seed: 1, history: 2 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Fault(Redis, Hang); err != nil {
		t.Fatal(err)
	}
	addr := p.services[Redis].addr
	var conns []net.Conn
	for range 3 {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte("*1\r\n$4\r\nPING\r\n")); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	for _, conn := range conns {
		if said, err := io.ReadAll(conn); len(said) > 0 {
			t.Errorf("the end of the platform says %q, %v", said, err)
		}
	}
	if conn, err := net.Dial("tcp", addr); err == nil {
		conn.Close()
		t.Error("the port still answers")
	}
	goleak.VerifyNone(t, before)
}
