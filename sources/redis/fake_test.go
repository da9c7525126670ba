package redis

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/sourcetest"
)

// server speaks the protocol as far as the source needs it. reply answers one command; what it
// returns is written as it is, and "" ends the connection.
type server struct {
	address string
	mu      sync.Mutex
	reply   func(command []string) string
	conns   []net.Conn
	dials   int
}

func serve(t *testing.T, reply func([]string) string) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{address: ln.Addr().String(), reply: reply}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns, s.dials = append(s.conns, conn), s.dials+1
			s.mu.Unlock()
			all.Go(func() { s.talk(conn) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		s.hangUp()
		all.Wait()
	})
	return s
}

func (s *server) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		_ = c.Close()
	}
	s.conns = nil
}

func (s *server) use(reply func([]string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reply = reply
}

func (s *server) talk(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	r := bufio.NewReader(conn)
	for {
		command, err := command(r)
		if err != nil {
			return
		}
		s.mu.Lock()
		reply := s.reply
		s.mu.Unlock()
		text := reply(command)
		if text == "" {
			return
		}
		if _, err := io.WriteString(conn, text); err != nil {
			return
		}
	}
}

func command(r *bufio.Reader) ([]string, error) {
	length := func(kind byte) (int, error) {
		line, err := r.ReadString('\n')
		if err != nil || len(line) < 3 || line[0] != kind {
			return 0, fmt.Errorf("%q: %w", line, io.ErrUnexpectedEOF)
		}
		return strconv.Atoi(strings.TrimSpace(line[1:]))
	}
	n, err := length('*')
	if err != nil {
		return nil, err
	}
	words := make([]string, n)
	for i := range words {
		size, err := length('$')
		if err != nil {
			return nil, err
		}
		text := make([]byte, size+2)
		if _, err := io.ReadFull(r, text); err != nil {
			return nil, err
		}
		words[i] = string(text[:size])
	}
	return words, nil
}

// healthy is a server with a list of 7 and a counter of 42.
func healthy(c []string) string {
	switch strings.ToUpper(c[0]) {
	case "HELLO":
		return "-ERR unknown command 'HELLO'\r\n"
	case "AUTH", "SELECT":
		return "+OK\r\n"
	case "EXISTS":
		return ":1\r\n"
	case "LLEN":
		return ":7\r\n"
	case "GETRANGE":
		return "$2\r\n42\r\n"
	}
	return "-ERR unknown command\r\n"
}

// instead answers the commands about keys otherwise.
func instead(text string) func([]string) string {
	return func(c []string) string {
		switch strings.ToUpper(c[0]) {
		case "EXISTS", "LLEN", "GETRANGE":
			return text
		}
		return healthy(c)
	}
}

var waiting, inside = sale.Key{Sale: "lantern", Signal: sale.Waiting}, sale.Key{Sale: "lantern", Signal: "inside"}

func reader(t *testing.T, address string, trust *tls.Config) *Source {
	t.Helper()
	s, err := New(Options{
		Name: "queue", Address: address, Username: "onsale", Password: sourcetest.Secret, TLS: trust,
		Queries: []Query{{Key: waiting, Unit: sale.Users, Name: "waiting:lantern", Field: ListLength}, {Key: inside, Unit: sale.Users, Name: "inside:lantern", Field: Counter}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.client.Close() })
	return s
}

func read(t *testing.T, s *Source, limit time.Duration) sale.Batch {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return s.Read(ctx, time.Date(2026, 12, 4, 10, 8, 0, 0, time.UTC))
}

func holdHealthy(t *testing.T, b sale.Batch) {
	t.Helper()
	if b.Problem != nil || len(b.Readings) != 2 || b.Readings[0].Value != 7 || b.Readings[1].Value != 42 || b.Readings[0].Unit != sale.Users {
		t.Fatalf("a healthy server gives %+v", b)
	}
}

// The suite of sourcetest speaks HTTP; these are its faults on this protocol.
func TestEveryFaultOfTheServerIsClassedAndTheNextPollIsWholeAgain(t *testing.T) {
	escape := sourcetest.Escape + sourcetest.Secret
	const long = 20 * time.Second
	for _, c := range []struct {
		name  string
		reply func([]string) string
		limit time.Duration
		want  sale.Class
	}{
		{"half of an answer", func([]string) string { return ":" }, 300 * time.Millisecond, sale.Timeout},
		{"a text that is shorter than its length", instead("$2\r\n4"), long, sale.BadData},
		{"a connection that is closed", func([]string) string { return "" }, long, sale.Unreachable},
		{"a page of HTML", func([]string) string { return "HTTP/1.1 400 Bad Request\r\n\r\n<html>" + escape }, long, sale.BadData},
		{"a text of 2 GB that is announced", instead("$2000000000\r\n"), long, sale.BadData},
		{"a list of a billion that is announced", instead("*1000000000\r\n"), long, sale.BadData},
		{"lists in lists", instead(strings.Repeat("*4096\r\n", 1000)), long, sale.BadData},
		{"a line that never ends", instead("+" + strings.Repeat("x", 1<<20)), long, sale.BadData},
		{"texts without end", instead("*60000\r\n" + strings.Repeat("$4\r\nabcd\r\n", 1<<18)), long, sale.BadData},
		{"lengths that are none", instead("$-7\r\n"), long, sale.BadData},
		{"wrong credentials", func([]string) string { return "-WRONGPASS invalid username-password pair " + escape + "\r\n" }, long, sale.Auth},
		{"no credentials", instead("-NOAUTH Authentication required.\r\n"), long, sale.Auth},
		{"no permission", instead("-NOPERM this user has no permissions to run the 'llen' command " + escape + "\r\n"), long, sale.Auth},
		{"a server that loads its data", instead("-LOADING Redis is loading the dataset in memory\r\n"), long, sale.Failing},
		{"a script that runs", instead("-BUSY Redis is busy running a script\r\n"), long, sale.Failing},
		{"too many clients", instead("-ERR max number of clients reached\r\n"), long, sale.Throttled},
		{"a cluster", instead("-MOVED 3999 127.0.0.1:6381\r\n"), long, sale.BadData},
		{"another type", instead("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"), long, sale.BadData},
		{"a key that is not there", instead(":0\r\n"), long, sale.NotFound},
		{"a reply of another shape", instead("*1\r\n$" + strconv.Itoa(len(escape)) + "\r\n" + escape + "\r\n"), long, sale.BadData},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := serve(t, c.reply)
			s := reader(t, srv.address, nil)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			b := read(t, s, c.limit)
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
				t.Errorf("it took %d MiB", grown>>20)
			}
			problem := b.Problem
			if problem == nil && len(b.Missing) == 2 {
				problem = &b.Missing[0].Problem
			}
			if problem == nil || len(b.Readings) > 0 {
				t.Fatalf("%+v", b)
			}
			if problem.Class != c.want || problem.Text == "" || problem.Hint == "" {
				t.Errorf("%+v, want %s with a text and a hint", *problem, c.want)
			}
			if text := problem.Text + problem.Hint; strings.Contains(text, sourcetest.Secret) || strings.ContainsAny(text, "\x1b\x07\u202e") {
				t.Errorf("a secret or an escape is in %q", text)
			}
			srv.use(healthy)
			holdHealthy(t, read(t, s, long))
		})
	}
}

func TestAServerThatIsNotThereIsUnreachableAndOneThatIsSilentATimeout(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0") // accepts by itself and never answers
	if err != nil {
		t.Fatal(err)
	}
	s := reader(t, ln.Addr().String(), nil)
	if b := read(t, s, 200*time.Millisecond); b.Problem == nil || b.Problem.Class != sale.Timeout {
		t.Errorf("silent: %+v", b.Problem)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	if b := s.Read(ctx, time.Now()); b.Problem == nil || b.Problem.Class != sale.Timeout {
		t.Errorf("cancelled: %+v", b.Problem)
	}
	_ = ln.Close()
	if b := read(t, s, 5*time.Second); b.Problem == nil || b.Problem.Class != sale.Unreachable || b.Problem.Hint == "" {
		t.Errorf("refused: %+v", b.Problem)
	}
}

func TestAConnectionThatTheServerClosedBetweenTwoPollsCostsNoPoll(t *testing.T) {
	srv := serve(t, healthy)
	s := reader(t, srv.address, nil)
	holdHealthy(t, read(t, s, 5*time.Second))
	holdHealthy(t, read(t, s, 5*time.Second))
	if srv.dials != 1 {
		t.Errorf("%d connections for two polls", srv.dials)
	}
	srv.hangUp()
	holdHealthy(t, read(t, s, 5*time.Second))
}

func TestAPlainServerIsToldFromOneThatSpeaksTLS(t *testing.T) {
	srv := serve(t, healthy)
	if b := read(t, reader(t, srv.address, &tls.Config{MinVersion: tls.VersionTLS12}), 5*time.Second); b.Problem == nil || b.Problem.Hint == "" {
		t.Errorf("%+v", b.Problem)
	}
}

func TestADeclarationThatCanNotBeReadIsRefused(t *testing.T) {
	for name, o := range map[string]Options{
		"no port":             {Address: "redis.example", Queries: []Query{{Name: "k", Field: ListLength}}},
		"no key":              {Address: "h:1", Queries: []Query{{Field: ListLength}}},
		"an unknown field":    {Address: "h:1", Queries: []Query{{Name: "k", Field: "length"}}},
		"a lag without group": {Address: "h:1", Queries: []Query{{Name: "k", Field: GroupLag}}},
		"a list with a group": {Address: "h:1", Queries: []Query{{Name: "k", Field: ListLength, Group: "g"}}},
		"a negative database": {Address: "h:1", DB: -1, Queries: []Query{{Name: "k", Field: ListLength}}},
		"nothing to be read":  {Address: "h:1"},
	} {
		o.Name = "queue"
		if _, err := New(o); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestWhatAGroupSaysOfItself(t *testing.T) {
	group := func(pairs ...any) any { return []any{[]any{"name", "other"}, append([]any{"name", "shop"}, pairs...)} }
	for _, c := range []struct {
		name  string
		reply any
		field Field
		want  float64
		why   string
	}{
		{"the lag", group("pending", int64(4), "lag", int64(15)), GroupLag, 15, ""},
		{"what is pending", group("pending", int64(4), "lag", nil), GroupPending, 4, ""},
		{"a lag that the server does not know is not zero", group("lag", nil), GroupLag, 0, "does not know"},
		{"a server before 7 tells none", group("pending", int64(4)), GroupLag, 0, "Redis 7"},
		{"another group", []any{[]any{"name", "other"}}, GroupLag, 0, "no consumer group"},
		{"a negative lag is none", group("lag", int64(-1)), GroupLag, 0, "no count"},
		{"another shape", []any{"shop"}, GroupLag, 0, "no list of groups"},
		{"half a pair", []any{[]any{"name"}}, GroupLag, 0, "no list of groups"},
	} {
		got, err := valueOf(c.reply, Query{Field: c.field, Group: "shop"})
		if got != c.want || (err == nil) != (c.why == "") || err != nil && !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
}

func FuzzNoBytesOfAServerAreBelievedUnseen(f *testing.F) {
	for _, seed := range []string{":1\r\n", "$3\r\nabc\r\n", "*2\r\n:1\r\n$-1\r\n", "-ERR x\r\n", "$9999999999\r\n", "*65537\r\n", "HTTP/1.1 200 OK\r\n", "$3\r\n*99", "\r\n"} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, sent []byte, at int) {
		var whole, parts meter
		at = max(0, min(at, len(sent)))
		one := whole.look(sent)
		two := parts.look(sent[:at])
		if two == nil {
			two = parts.look(sent[at:])
		}
		if (one == nil) != (two == nil) {
			t.Fatalf("%q: %v in one piece, %v in two", sent, one, two)
		}
		if one == nil && (whole.elements > maxElements || whole.skip > maxBulk+2 || len(whole.line) > maxLine) {
			t.Errorf("%q: believed %+v", sent, whole)
		}
	})
}

var _ sources.Source = (*Source)(nil)
