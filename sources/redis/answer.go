package redis

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/onsale-dev/onsale/sale"
)

// commands are what reads each field. None of them takes longer when a key holds more.
var commands = map[Field]string{
	ListLength: "LLEN", SetSize: "SCARD", SortedSetSize: "ZCARD", StreamLength: "XLEN",
	GroupLag: "XINFO GROUPS", GroupPending: "XINFO GROUPS", Counter: "GETRANGE",
}

// ask is one command about one key; several queries may share it.
type ask struct{ command, key string }

func (a ask) args() []any {
	switch a.command {
	case "XINFO GROUPS":
		return []any{"XINFO", "GROUPS", a.key}
	case "GETRANGE":
		return []any{"GETRANGE", a.key, 0, 63} // GET of the wrong key could be 512 MB
	}
	return []any{a.command, a.key}
}

// answer is what came of an ask.
type answer struct{ exists, reply *redis.Cmd }

func (a answer) value(q Query) (float64, *sale.Problem) {
	there, err := a.exists.Int()
	if err != nil {
		p := refusal(err.Error())
		return 0, &p
	}
	grouped := q.Group != ""
	if there == 0 {
		if q.MissingZero && !grouped {
			return 0, nil
		}
		p := sale.Problem{Class: sale.NotFound, Text: fmt.Sprintf("no key %q", sale.Clean(q.Name, 80)), Hint: "it is empty or has another name: say missing: zero where empty is meant"}
		if grouped {
			p.Hint = "see the stream's name and the database"
		}
		return 0, &p
	}
	reply, err := a.reply.Result()
	if err != nil {
		p := refusal(err.Error())
		return 0, &p
	}
	value, err := valueOf(reply, q)
	if err != nil {
		p := sale.Problem{Class: sale.BadData, Text: err.Error(), Hint: "see the key, the field and the version of the server"}
		var none *noGroup
		if errors.As(err, &none) {
			p.Class, p.Hint = sale.NotFound, none.hint()
		}
		return 0, &p
	}
	return value, nil
}

// noGroup is a stream without the group that was asked for.
type noGroup struct {
	name  string
	there []string
}

func (e *noGroup) Error() string {
	return fmt.Sprintf("the stream has no consumer group %q", sale.Clean(e.name, 60))
}

func (e *noGroup) hint() string {
	if len(e.there) == 0 {
		return "it has none yet: nobody consumes it"
	}
	return "groups there: " + sale.Clean(strings.Join(e.there[:min(len(e.there), 8)], ", "), 160)
}

// valueOf takes a query's figure from the reply to its command.
func valueOf(reply any, q Query) (float64, error) {
	switch q.Field {
	case GroupLag:
		return ofGroup(reply, q.Group, "lag")
	case GroupPending:
		return ofGroup(reply, q.Group, "pending")
	case Counter:
		text, ok := reply.(string)
		if !ok {
			return 0, fmt.Errorf("the key %q gave no text", sale.Clean(q.Name, 60))
		}
		return counter(text, q.Unit)
	}
	return count(reply)
}

func count(v any) (float64, error) {
	n, ok := v.(int64)
	if !ok || n < 0 {
		return 0, errors.New("the reply is no count")
	}
	return float64(n), nil
}

// ofGroup finds a figure of a group in the reply of XINFO GROUPS: a list of groups, each a list of
// names and values in turn. New names may come with any version.
func ofGroup(reply any, name, figure string) (float64, error) {
	groups, ok := reply.([]any)
	if !ok {
		return 0, errors.New("the reply is no list of groups")
	}
	none := &noGroup{name: name}
	for _, each := range groups {
		pairs, ok := each.([]any)
		if !ok || len(pairs)%2 != 0 {
			return 0, errors.New("the reply is no list of groups")
		}
		found := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			key, _ := pairs[i].(string)
			found[key] = pairs[i+1]
		}
		called, _ := found["name"].(string)
		if called != name {
			none.there = append(none.there, called)
			continue
		}
		value, there := found[figure]
		switch {
		case figure == "lag" && !there:
			return 0, errors.New("the server tells no lag: that needs Redis 7")
		case value == nil:
			return 0, fmt.Errorf("the server does not know the %s: entries were deleted inside the stream, or the group began in its middle", figure)
		}
		return count(value)
	}
	return 0, none
}

// plain is a number as INCRBY and INCRBYFLOAT leave it.
var plain = regexp.MustCompile(`^-?[0-9]{1,30}(\.[0-9]{1,30})?$`)

func counter(text string, unit sale.Unit) (float64, error) {
	if !plain.MatchString(text) {
		return 0, fmt.Errorf("the value %q is not a number in plain digits", sale.Clean(text, 40))
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, errors.New("the value is out of range")
	}
	if f < 0 && unit != sale.Count && unit != sale.Ratio && unit != sale.USD {
		return 0, fmt.Errorf("the value is %s, and %s are never negative", text, unit)
	}
	return f + 0, nil
}

// refusesAll reports whether a refusal is of the server and not of one command.
func refusesAll(text string) bool {
	switch refusal(text).Class {
	case sale.Failing, sale.Throttled:
		return true
	}
	return strings.HasPrefix(text, "NOAUTH") || strings.HasPrefix(text, "WRONGPASS")
}

// refusal classes an error reply by its first word (redis.io/docs/latest/develop/reference/protocol-spec).
func refusal(text string) sale.Problem {
	p := sale.Problem{Class: sale.BadData, Text: text, Hint: "see the key and the field in the config"}
	has := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(text, word) {
				return true
			}
		}
		return false
	}
	switch {
	case has("NOAUTH", "WRONGPASS", "invalid username-password", "invalid password", "without any password configured"):
		p.Class, p.Hint = sale.Auth, "see username and password: the server does not take them"
	case has("NOPERM"):
		p.Class, p.Hint = sale.Auth, "the user may not read this: grant +llen +scard +zcard +xlen +xinfo +exists +getrange on the key"
	case has("WRONGTYPE"):
		p.Hint = "the key holds another type: choose the field that fits it (TYPE key tells)"
	case has("max number of clients"):
		p.Class, p.Hint = sale.Throttled, "the server takes no more connections: see maxclients"
	case has("LOADING", "MASTERDOWN", "CLUSTERDOWN", "BUSY", "TRYAGAIN", "NOREPLICAS"):
		p.Class, p.Hint = sale.Failing, "the server itself is in trouble: see its log"
	case has("MOVED ", "ASK "):
		p.Hint = "the server is one of a cluster: name the node that holds the key"
	case has("DENIED"):
		p.Class, p.Hint = sale.Auth, "protected mode: the server answers only its own machine until it has a password"
	case has("DB index", "out of range"):
		p.Hint = "the server has no such database: see db"
	case has("no such key"):
		p.Class, p.Hint = sale.NotFound, "see the stream's name and the database"
	}
	return p
}
