package redis

import (
	"strconv"
	"strings"

	"github.com/tidwall/redcon"

	"github.com/onsale-dev/onsale/rehearsal/shop"
)

// Workers is the consumer group of every stream of orders.
const Workers = "workers"

// kind is the type of a key.
type kind int

const (
	none kind = iota
	list
	set
	sortedSet
	text
	stream
)

// held is what a key holds; its kind is none where there is no such key.
type held struct {
	kind kind
	size int    // of a sorted set or a stream
	text string // of a string
	line shop.Line
}

// kinds are the keys that there are, by what stands before the sale.
var kinds = map[string]kind{"waiting": sortedSet, "inside": sortedSet, "rate": text, "orders": stream}

// permitted tells whether the user may read a key.
func permitted(key string) bool {
	before, _, cut := strings.Cut(key, ":")
	return cut && kinds[before] != none
}

func (s *Server) at(key string) held {
	before, sale, _ := strings.Cut(key, ":")
	line, ok := s.world.Line(sale)
	if !ok {
		return held{}
	}
	h := held{kind: kinds[before], line: line}
	switch before {
	case "waiting":
		h.size = line.Waiting
	case "inside":
		h.size = line.Inside
	case "rate":
		h.text = strconv.Itoa(line.Rate)
	case "orders":
		h.size = line.Orders + line.InFlight
	}
	if h.kind == sortedSet && h.size == 0 {
		return held{}
	}
	return h
}

// command is one that the user may run.
type command struct {
	least, most int // arguments, its name included; most 0 is any number
	keys        func(args []string) []string
	answer      func(s *Server, c redcon.Conn, args []string)
}

var reads = map[string]command{
	"llen":     {2, 2, second, size(list)},
	"scard":    {2, 2, second, size(set)},
	"zcard":    {2, 2, second, size(sortedSet)},
	"xlen":     {2, 2, second, size(stream)},
	"exists":   {2, 0, all, (*Server).exists},
	"getrange": {4, 4, second, (*Server).getRange},
	"xinfo":    {2, 0, third, (*Server).groups},
}

func second(args []string) []string { return args[1:2] }

func all(args []string) []string { return args[1:] }

func third(args []string) []string { return args[min(2, len(args)):min(3, len(args))] }

// size answers how much a key of one kind holds; a key that is not there holds nothing.
func size(of kind) func(s *Server, c redcon.Conn, args []string) {
	return func(s *Server, c redcon.Conn, args []string) {
		h := s.at(args[1])
		if h.kind != none && h.kind != of {
			wrongType(c)
			return
		}
		c.WriteInt(h.size)
	}
}

func wrongType(c redcon.Conn) {
	c.WriteError("WRONGTYPE Operation against a key holding the wrong kind of value")
}

func (s *Server) exists(c redcon.Conn, args []string) {
	there := 0
	for _, key := range args[1:] {
		if s.at(key).kind != none {
			there++
		}
	}
	c.WriteInt(there)
}

// getRange is GETRANGE key start end; an end is within the range, and a negative one counts from the back.
func (s *Server) getRange(c redcon.Conn, args []string) {
	from, err := strconv.Atoi(args[2])
	to, wrong := strconv.Atoi(args[3])
	if err != nil || wrong != nil {
		c.WriteError("ERR value is not an integer or out of range")
		return
	}
	h := s.at(args[1])
	if h.kind != none && h.kind != text {
		wrongType(c)
		return
	}
	n := len(h.text)
	if from < 0 {
		from = max(0, from+n)
	}
	if to < 0 {
		to += n
	}
	if to = min(to, n-1); from > to {
		c.WriteBulkString("")
		return
	}
	c.WriteBulkString(h.text[from : to+1])
}

// groups is XINFO GROUPS key, as Redis 7 answers it.
func (s *Server) groups(c redcon.Conn, args []string) {
	if sub := strings.ToLower(args[1]); sub != "groups" || len(args) != 3 {
		c.WriteError("ERR unknown subcommand or wrong number of arguments for '" + printable(args[1]) + "'. Try XINFO HELP.")
		return
	}
	switch h := s.at(args[2]); h.kind {
	case none:
		c.WriteError("ERR no such key")
	case stream:
		c.WriteArray(1)
		c.WriteArray(12)
		pair := func(name string, value func()) {
			c.WriteBulkString(name)
			value()
		}
		number := func(n int) func() { return func() { c.WriteInt(n) } }
		words := func(t string) func() { return func() { c.WriteBulkString(t) } }
		pair("name", words(Workers))
		pair("consumers", number(1))
		pair("pending", number(h.line.InFlight))
		pair("last-delivered-id", words(strconv.Itoa(h.line.Taken)+"-0"))
		pair("entries-read", number(h.line.Taken))
		pair("lag", number(h.line.Orders))
	default:
		wrongType(c)
	}
}
