package redis

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/onsale-dev/onsale/rehearsal"
	"github.com/onsale-dev/onsale/sale"
)

// night starts a platform whose time stands still, and returns where its Redis is and the password.
func night(t *testing.T, scenario string) (p *rehearsal.Platform, address, password string) {
	t.Helper()
	now := time.Now()
	p, err := rehearsal.Start(context.Background(), rehearsal.Options{
		Seed: 7, Scenario: scenario, Ahead: 5 * time.Minute, Dir: t.TempDir(), Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	secret, err := os.ReadFile(filepath.Join(p.Dir(), "redis-password"))
	if err != nil {
		t.Fatal(err)
	}
	url, err := p.URL(rehearsal.Redis)
	if err != nil {
		t.Fatal(err)
	}
	address, ok := strings.CutPrefix(url, "redis://")
	if !ok {
		t.Fatalf("the URL is %s", url)
	}
	return p, address, string(secret)
}

// queues asks for all that the shop keeps of its sales.
func queues(t *testing.T, address, password string) *Source {
	t.Helper()
	o := Options{Name: "line", Address: address, Username: rehearsal.RedisUser, Password: password}
	for _, id := range []sale.ID{"marble", "kestrel", "lantern", "saffron", "juniper", "cobalt"} {
		ask := func(signal sale.Signal, q Query) {
			q.Key, q.Unit = sale.Key{Sale: id, Signal: signal}, sale.Count
			q.Name += ":" + string(id)
			o.Queries = append(o.Queries, q)
		}
		ask("waiting_now", Query{Name: "waiting", Field: SortedSetSize, MissingZero: true})
		ask("active_users_now", Query{Name: "inside", Field: SortedSetSize, MissingZero: true})
		ask("admission_limit", Query{Name: "rate", Field: Counter})
		ask("queue_depth", Query{Name: "orders", Field: GroupLag, Group: "workers"})
		ask("in_flight", Query{Name: "orders", Field: GroupPending, Group: "workers"})
		ask("entries", Query{Name: "orders", Field: StreamLength})
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestTheQueuesOfTheRehearsalAreReadAsTheyAre(t *testing.T) {
	p, address, password := night(t, "calm")
	b := read(t, queues(t, address, password), 20*time.Second)
	if b.Problem != nil || len(b.Missing) > 0 || len(b.Readings) != 36 {
		t.Fatalf("%+v", b)
	}
	got := map[sale.Key]float64{}
	for _, r := range b.Readings {
		got[r.Key] = r.Value
	}
	for id, truth := range p.Truth().Sales {
		of := func(signal string) float64 { return got[sale.Key{Sale: sale.ID(id), Signal: sale.Signal(signal)}] }
		for _, signal := range []string{"waiting_now", "active_users_now", "admission_limit", "queue_depth"} {
			if of(signal) != truth[signal] {
				t.Errorf("%s %s is %g, in truth %g", id, signal, of(signal), truth[signal])
			}
		}
		if of("entries") != of("queue_depth")+of("in_flight") {
			t.Errorf("%s: a stream of %g entries, of which %g are not taken and %g not dealt with", id, of("entries"), of("queue_depth"), of("in_flight"))
		}
	}
	if of := got[sale.Key{Sale: "saffron", Signal: "waiting_now"}]; of < 1 {
		t.Error("nobody waits for saffron: the test shows nothing")
	}
	if of := got[sale.Key{Sale: "lantern", Signal: "in_flight"}]; of < 1 {
		t.Error("no order of lantern is being dealt with: the test shows nothing")
	}
}

func TestEachFaultOfTheRehearsalsRedisIsToldApartAndMends(t *testing.T) {
	p, address, password := night(t, "calm")
	s := queues(t, address, password)
	for _, c := range []struct {
		kind  string
		limit time.Duration
		want  sale.Class
	}{
		{rehearsal.Down, 20 * time.Second, sale.Unreachable},
		{rehearsal.Hang, 300 * time.Millisecond, sale.Timeout},
		{rehearsal.Error, 20 * time.Second, sale.Failing},
		{rehearsal.Garbage, 20 * time.Second, sale.BadData},
		{rehearsal.Throttle, 20 * time.Second, sale.Throttled},
	} {
		if err := p.Fault(rehearsal.Redis, c.kind); err != nil {
			t.Fatal(err)
		}
		if b := read(t, s, c.limit); b.Problem == nil || b.Problem.Class != c.want || len(b.Readings) > 0 {
			t.Errorf("%s: %+v, want %s", c.kind, b.Problem, c.want)
		}
		if err := p.Fault(rehearsal.Redis, rehearsal.OK); err != nil {
			t.Fatal(err)
		}
		if b := read(t, s, 20*time.Second); b.Problem != nil || len(b.Readings) != 36 {
			t.Errorf("after %s: %+v, %d readings", c.kind, b.Problem, len(b.Readings))
		}
	}
	if err := p.Fault(rehearsal.Redis, "storm"); err == nil {
		t.Error("a fault that there is not is taken")
	}
}

func TestTheRehearsalsRedisLetsItsUserReadAndNothingElse(t *testing.T) {
	_, address, password := night(t, "calm")
	if b := read(t, queues(t, address, password+"x"), 20*time.Second); b.Problem == nil || b.Problem.Class != sale.Auth || strings.Contains(b.Problem.Text, password) {
		t.Errorf("with a wrong password: %+v", b)
	}
	connect := func(username, password string) *redis.Client {
		c := redis.NewClient(&redis.Options{Addr: address, Username: username, Password: password, Protocol: 2, DisableIdentity: true, MaxRetries: -1})
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	user := connect(rehearsal.RedisUser, password)
	for _, c := range []struct {
		client *redis.Client
		says   string
		args   []any
	}{
		{connect("", ""), "NOAUTH Authentication required.", []any{"ZCARD", "waiting:saffron"}},
		{connect("", password), "WRONGPASS", []any{"ZCARD", "waiting:saffron"}},
		{user, "NOPERM User onsale has no permissions to run the 'zadd' command", []any{"ZADD", "waiting:saffron", 1, "me"}},
		{user, "NOPERM User onsale has no permissions to run the 'del' command", []any{"DEL", "waiting:saffron"}},
		{user, "NOPERM User onsale has no permissions to run the 'get' command", []any{"GET", "rate:saffron"}},
		{user, "NOPERM User onsale has no permissions to run the 'flushall' command", []any{"FLUSHALL"}},
		{user, "NOPERM User onsale has no permissions to run the 'x??' command", []any{"X\r\n"}},
		{user, "NOPERM No permissions to access a key", []any{"LLEN", "sessions:saffron"}},
		{user, "NOPERM No permissions to access a key", []any{"EXISTS", "waiting:saffron", "sessions"}},
		{user, "WRONGTYPE Operation against a key holding the wrong kind of value", []any{"LLEN", "waiting:saffron"}},
		{user, "WRONGTYPE Operation against a key holding the wrong kind of value", []any{"XINFO", "GROUPS", "waiting:saffron"}},
		{user, "WRONGTYPE Operation against a key holding the wrong kind of value", []any{"GETRANGE", "orders:saffron", 0, 3}},
		{user, "ERR no such key", []any{"XINFO", "GROUPS", "orders:nobody"}},
		{user, "ERR unknown subcommand", []any{"XINFO", "STREAM", "orders:saffron"}},
		{user, "ERR wrong number of arguments for 'zcard' command", []any{"ZCARD"}},
		{user, "ERR wrong number of arguments for 'exists' command", []any{"EXISTS"}},
		{user, "ERR value is not an integer or out of range", []any{"GETRANGE", "rate:saffron", "a", 3}},
	} {
		if v, err := c.client.Do(context.Background(), c.args...).Result(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v, %v; want %s", c.args, v, err, c.says)
		}
	}
	whole, err := user.GetRange(context.Background(), "rate:saffron", 0, 63).Result()
	if err != nil || len(whole) < 2 {
		t.Fatalf("rate %q, %v", whole, err)
	}
	for _, c := range []struct {
		from, to int64
		want     string
	}{{0, -1, whole}, {-1, -1, whole[len(whole)-1:]}, {1, 0, ""}, {0, 0, whole[:1]}, {-99, 0, whole[:1]}, {70, 99, ""}} {
		if got, err := user.GetRange(context.Background(), "rate:saffron", c.from, c.to).Result(); err != nil || got != c.want {
			t.Errorf("GETRANGE %d %d of %q is %q, %v; want %q", c.from, c.to, whole, got, err, c.want)
		}
	}
	if n, err := user.Exists(context.Background(), "waiting:nobody", "waiting:saffron", "orders:saffron").Result(); err != nil || n != 2 {
		t.Errorf("EXISTS of one that is not and two that are is %d, %v", n, err)
	}
	if n, err := user.LLen(context.Background(), "waiting:nobody").Result(); err != nil || n != 0 {
		t.Errorf("LLEN of a key that is not there is %d, %v", n, err)
	}
}
