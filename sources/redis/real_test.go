package redis

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources/sourcetest"
)

// realRedis starts the real server on a free port of this machine and returns its address.
func realRedis(t *testing.T, config ...string) (string, *redis.Client) {
	t.Helper()
	binary := os.Getenv("ONSALE_REDIS")
	if binary == "" {
		t.Skip("NOT TESTED against a real Redis: ONSALE_REDIS names no binary (make peers fetches one)")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	cmd := exec.Command(binary, append([]string{"--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no", "--dir", t.TempDir()}, config...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	admin := redis.NewClient(&redis.Options{Addr: address})
	t.Cleanup(func() { _ = admin.Close() })
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if admin.Ping(context.Background()).Err() == nil {
			return address, admin
		}
	}
	t.Fatal("the server does not get ready")
	return "", nil
}

func TestARealServerIsReadWithNoMoreThanTheRightsThatTheDocumentsName(t *testing.T) {
	address, admin := realRedis(t)
	ctx := context.Background()
	run := func(words ...any) {
		t.Helper()
		if err := admin.Do(ctx, words...).Err(); err != nil {
			t.Fatalf("%v: %v", words, err)
		}
	}
	for i := range 20 {
		run("RPUSH", "orders", i)
		run("XADD", "stream", "*", "n", i)
		run("ZADD", "waiting", i, i)
		run("SADD", "inside", i%5)
	}
	run("SET", "sold", "-3")
	run("SET", "passed", "1200.5")
	run("SET", "words", "many")
	run("XGROUP", "CREATE", "stream", "shop", "0")
	run("XREADGROUP", "GROUP", "shop", "c1", "COUNT", 5, "STREAMS", "stream", ">")
	ids, err := admin.XRange(ctx, "stream", "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	run("XACK", "stream", "shop", ids[0].ID)
	run("XGROUP", "CREATE", "stream", "middle", ids[9].ID) // its lag can't be known
	run("ACL", "SETUSER", "onsale", "on", ">"+sourcetest.Secret, "resetkeys", "~*", "-@all", "+llen", "+scard", "+zcard", "+xlen", "+xinfo", "+exists", "+getrange")

	want := map[sale.Signal]float64{"orders": 20, "stream": 20, "waiting": 20, "inside": 5, "lag": 15, "pending": 4, "sold": -3, "passed": 1200.5, "empty": 0}
	query := func(signal, name string, f Field, group string) Query {
		return Query{Key: sale.Key{Sale: "lantern", Signal: sale.Signal(signal)}, Unit: sale.Count, Name: name, Field: f, Group: group}
	}
	empty := query("empty", "nobody", SortedSetSize, "")
	empty.MissingZero = true
	o := Options{Name: "queue", Address: address, Username: "onsale", Password: sourcetest.Secret, Queries: []Query{
		query("orders", "orders", ListLength, ""), query("stream", "stream", StreamLength, ""), query("waiting", "waiting", SortedSetSize, ""),
		query("inside", "inside", SetSize, ""), query("lag", "stream", GroupLag, "shop"), query("pending", "stream", GroupPending, "shop"),
		query("sold", "sold", Counter, ""), query("passed", "passed", Counter, ""), empty,
		query("unknown_lag", "stream", GroupLag, "middle"), query("no_group", "stream", GroupLag, "nobody"), query("no_key", "nobody", ListLength, ""),
		query("wrong_type", "orders", SetSize, ""), query("no_number", "words", Counter, ""),
	}}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.client.Close() })
	b := s.Read(ctx, time.Now())
	got := map[sale.Signal]float64{}
	for _, r := range b.Readings {
		got[r.Signal] = r.Value
	}
	if b.Problem != nil || len(got) != len(want) {
		t.Errorf("%+v", b)
	}
	for signal, v := range want {
		if n, ok := got[signal]; !ok || n != v {
			t.Errorf("%s is %v, want %v", signal, n, v)
		}
	}
	reasons := map[sale.Signal]string{}
	for _, m := range b.Missing {
		reasons[m.Signal] = string(m.Problem.Class) + " " + m.Problem.Text + " " + m.Problem.Hint
	}
	for signal, why := range map[sale.Signal]string{"unknown_lag": "does not know the lag", "no_group": "shop", "no_key": "missing: zero", "wrong_type": "another type", "no_number": "plain digits"} {
		if !strings.Contains(reasons[signal], why) {
			t.Errorf("%s: %q, want %q in it", signal, reasons[signal], why)
		}
	}
	run("ACL", "SETUSER", "onsale", "resetkeys", "~waiting")
	if b := s.Read(ctx, time.Now()); len(b.Readings) != 1 || b.Missing[0].Problem.Class != sale.Auth {
		t.Errorf("a key that the user may not read: %+v", b)
	}
	o.Password = "another-" + sourcetest.Secret
	stranger, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stranger.client.Close() })
	if b := stranger.Read(ctx, time.Now()); b.Problem == nil || b.Problem.Class != sale.Auth || strings.Contains(b.Problem.Text, sourcetest.Secret) {
		t.Errorf("a wrong password: %+v", b.Problem)
	}
}
