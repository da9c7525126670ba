package redis

import (
	"crypto/subtle"
	"net"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tidwall/redcon"

	"github.com/onsale-dev/onsale/rehearsal/shop"
)

// Options say who may log in. Both are needed.
type Options struct{ Username, Password string }

// Server answers from a world. Its methods are safe for many goroutines.
type Server struct {
	world   *shop.World
	options Options
	clients atomic.Int64 // that ever came
}

// New makes a server. It listens to nothing before Serve.
func New(w *shop.World, o Options) *Server { return &Server{world: w, options: o} }

// Failure is what a server says to every command while it is starting.
func Failure() string { return "-LOADING Redis is loading the dataset in memory\r\n" }

// Throttled is what a server says to a client too many.
func Throttled() string { return "-ERR max number of clients reached\r\n" }

// Name is the scheme of a server's URLs.
func (s *Server) Name() string { return "redis" }

// Serve answers until ln is closed, and returns when every connection has ended. Before each answer it
// asks what to say instead; "" is nothing. Where before is not ok it cuts the connection.
func (s *Server) Serve(ln net.Listener, before func() (instead string, ok bool)) {
	var open sync.WaitGroup
	_ = redcon.Serve(ln, func(c redcon.Conn, cmd redcon.Command) { // ends with the listener
		switch instead, ok := before(); {
		case !ok:
			_ = c.Close()
		case instead != "":
			c.WriteRaw([]byte(instead))
		default:
			args := make([]string, len(cmd.Args))
			for i, a := range cmd.Args {
				args[i] = string(a)
			}
			s.answer(c, args)
		}
	}, func(c redcon.Conn) bool {
		open.Add(1)
		c.SetContext(&client{id: s.clients.Add(1)})
		return true
	}, func(redcon.Conn, error) { open.Done() })
	open.Wait()
}

// client is one connection.
type client struct {
	id     int64
	logged bool
}

func (s *Server) answer(c redcon.Conn, args []string) {
	who := c.Context().(*client)
	name := strings.ToLower(args[0])
	switch name {
	case "hello":
		s.hello(c, who, args[1:])
		return
	case "auth":
		s.auth(c, who, args)
		return
	case "quit":
		c.WriteString("OK")
		_ = c.Close()
		return
	}
	do, may := reads[name]
	switch {
	case !who.logged:
		c.WriteError("NOAUTH Authentication required.")
	case !may:
		c.WriteError("NOPERM User " + s.options.Username + " has no permissions to run the '" + printable(name) + "' command")
	case len(args) < do.least || do.most > 0 && len(args) > do.most:
		wrongCount(c, name)
	default:
		for _, key := range do.keys(args) {
			if !permitted(key) {
				c.WriteError("NOPERM No permissions to access a key")
				return
			}
		}
		do.answer(s, c, args)
	}
}

// hello is HELLO [protover [AUTH username password] [SETNAME name]].
func (s *Server) hello(c redcon.Conn, who *client, args []string) {
	if len(args) > 0 {
		if args[0] != "2" {
			c.WriteError("NOPROTO unsupported protocol version")
			return
		}
		args = args[1:]
	}
	for len(args) > 0 {
		switch option := strings.ToLower(args[0]); {
		case option == "auth" && len(args) >= 3:
			if !s.takes(args[1], args[2]) {
				c.WriteError(wrongPassword)
				return
			}
			who.logged, args = true, args[3:]
		case option == "setname" && len(args) >= 2:
			args = args[2:]
		default:
			c.WriteError("ERR Syntax error in HELLO option '" + printable(option) + "'")
			return
		}
	}
	if !who.logged {
		c.WriteError("NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time")
		return
	}
	c.WriteArray(14)
	for _, pair := range [][2]string{{"server", "redis"}, {"version", "7.4.2"}} {
		c.WriteBulkString(pair[0])
		c.WriteBulkString(pair[1])
	}
	c.WriteBulkString("proto")
	c.WriteInt(2)
	c.WriteBulkString("id")
	c.WriteInt64(who.id)
	for _, pair := range [][2]string{{"mode", "standalone"}, {"role", "master"}} {
		c.WriteBulkString(pair[0])
		c.WriteBulkString(pair[1])
	}
	c.WriteBulkString("modules")
	c.WriteArray(0)
}

// auth is AUTH [username] password. Without a username it is the default user's, who is off.
func (s *Server) auth(c redcon.Conn, who *client, args []string) {
	switch {
	case len(args) < 2 || len(args) > 3:
		wrongCount(c, "auth")
	case len(args) == 2 || !s.takes(args[1], args[2]):
		c.WriteError(wrongPassword)
	default:
		who.logged = true
		c.WriteString("OK")
	}
}

const wrongPassword = "WRONGPASS invalid username-password pair or user is disabled."

func (s *Server) takes(username, password string) bool {
	return subtle.ConstantTimeCompare([]byte(username), []byte(s.options.Username))&
		subtle.ConstantTimeCompare([]byte(password), []byte(s.options.Password)) == 1
}

func wrongCount(c redcon.Conn, name string) {
	c.WriteError("ERR wrong number of arguments for '" + name + "' command")
}

// printable keeps a client's own text from breaking a line of the protocol.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text[:min(len(text), 128)])
}
