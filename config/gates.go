package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/itchyny/gojq"

	"github.com/onsale-dev/onsale/sale"
)

// What follows are the sources of queues and gates that a shop builds or rents for itself.

// The kinds of source for them.
const (
	KindHTTPJSON = "http-json"
	KindRedis    = "redis"
)

// HTTPJSONSource reads any JSON endpoint. At most one of Basic and Bearer is set.
type HTTPJSONSource struct {
	URL     string // without a trailing slash
	Preset  string // "queue-it", "rabbitmq", "gate" or ""
	Params  map[string]string
	Body    string // JSON to ask with by POST; "" asks by GET
	At      string // jq: when the figures are of; "" is when they were fetched
	Period  time.Duration
	Basic   *BasicAuth
	Bearer  Secret
	Headers map[string]Secret // by canonical name; all values are hidden
	HMAC    Secret            // signs each request by Standard Webhooks
	TLS     TLS
}

// HTTPJSONRead is a jq expression, or a field of the source's preset.
type HTTPJSONRead struct {
	Expr, Field string
	Boolean     bool // true and false are 1 and 0
}

// RedisSource reads one server.
type RedisSource struct {
	Address  string // host:port
	DB       int
	Username string // "": the default user
	Password Secret // may be not set
	TLS      *TLS   // nil: no TLS
}

// RedisRead is one field of one key.
type RedisRead struct {
	Key, Field  string
	Consumers   string // the consumer group, of group_lag and group_pending
	MissingZero bool   // a key that is not there is 0
}

type httpJSONIn struct {
	place
	sourceIn
	URL        outer   `json:"url" jsonschema:"required" jsonschema_description:"The endpoint: https://gate.example/status. queue-it: …/2_0/event/ID. rabbitmq: …/api/queues/%2F/NAME."`
	Preset     str     `json:"preset" jsonschema:"enum=queue-it,enum=rabbitmq,enum=gate" jsonschema_description:"A system that is known: signals name a field of it instead of a jq expression."`
	Params     rawMap  `json:"params" jsonschema_description:"Query parameters of the address. A secret belongs into a header."`
	Body       str     `json:"body" jsonschema:"maxLength=65536" jsonschema_description:"JSON to ask with, by POST. Default: ask by GET."`
	At         str     `json:"at" jsonschema:"maxLength=2000" jsonschema_description:"A jq expression for when the figures are of: RFC 3339 with a zone, or seconds or milliseconds since 1970. Default: when they were fetched."`
	Period     span    `json:"period" jsonschema_description:"How often the figures change by themselves, where that is less often than every. Their age is judged by it."`
	Auth       *authIn `json:"auth" jsonschema_description:"How to log in: basic, bearer or headers."`
	HMACSecret secret  `json:"hmac_secret" jsonschema_description:"What every request is signed with, by Standard Webhooks: ${env:NAME} or ${file:/path}."`
	TLS        *tlsIn  `json:"tls" jsonschema_description:"Certificates."`
}

func (httpJSONIn) what() string { return "an http-json source" }

type redisIn struct {
	place
	sourceIn
	Address  outer  `json:"address" jsonschema:"required" jsonschema_description:"host:port of the server."`
	DB       whole  `json:"db" jsonschema:"minimum=0,maximum=1000000" jsonschema_description:"The database. Default 0."`
	Username outer  `json:"username" jsonschema_description:"The ACL user. Default: the server's default user."`
	Password secret `json:"password" jsonschema_description:"Its password: ${env:NAME} or ${file:/path}."`
	TLS      *tlsIn `json:"tls" jsonschema_description:"Speak TLS, with these certificates; {} trusts the system's authorities."`
}

func (redisIn) what() string { return "a redis source" }

// gateFields are the figures of each preset, and redisFields those of a key.
var (
	gateFields = map[string][]string{
		"queue-it": {"max_redirects_per_minute", "redirects_last_minute", "safety_net_redirects", "waiting_in_queue"},
		"rabbitmq": {"ack_rate", "consumers", "deliver_rate", "messages", "messages_ready", "messages_unacknowledged", "publish_rate"},
		"gate":     {"gate_paused", "gate_rate", "passed_per_minute"},
	}
	redisFields = []string{"list_length", "set_size", "sorted_set_size", "stream_length", "group_lag", "group_pending", "counter"}
)

// GateFields lists the figures of a preset of http-json in order. The caller owns the slice.
func GateFields(preset string) []string { return slices.Clone(gateFields[preset]) }

// RedisFields lists the figures of a redis key. The caller owns the slice.
func RedisFields() []string { return slices.Clone(redisFields) }

// queueItEvery keeps two requests a poll well within Queue-it's ten calls a minute and event.
const (
	queueItEvery    = 30 * time.Second
	minQueueItEvery = 20 * time.Second
)

func (r *reader) httpJSON(s *Source, in *httpJSONIn) {
	every, least := 15*time.Second, time.Second
	h := &HTTPJSONSource{Preset: in.Preset.S, Body: in.Body.S, At: in.At.S, Period: in.Period.V, HMAC: in.HMACSecret.V}
	switch in.Preset.S {
	case "queue-it":
		every, least, h.Period = queueItEvery, minQueueItEvery, max(h.Period, time.Minute)
	case "rabbitmq":
		every, least = 10*time.Second, 5*time.Second
	}
	r.common(s, in.sourceIn, every, 5*time.Second, least)
	if in.Period.V > time.Hour {
		r.wrong(in.Period.at, `"period" is longer than an hour`, "a cockpit needs newer figures")
	}
	guarded := in.HMACSecret.given()
	if in.Auth != nil {
		login := &PrometheusSource{}
		r.auth(login, in.Auth)
		if login.SigV4 != nil {
			r.wrong(in.Auth.SigV4.at, `"sigv4" is not for an http-json source`, "log in by basic, bearer or headers")
		}
		h.Basic, h.Bearer, h.Headers = login.Basic, login.Bearer, login.Headers
		guarded = guarded || in.Auth.guards()
	}
	h.URL = r.url(in.URL, "url", guarded, in.AllowHTTP.V)
	h.Params = r.params(in.Params)
	if in.TLS != nil {
		h.TLS = r.tls(in.TLS)
	}
	if in.Body.given() && !json.Valid([]byte(in.Body.S)) {
		r.wrong(in.Body.at, `"body" is not JSON`, `write a JSON document: '{"query": "{ queue { waiting } }"}'`)
	}
	if in.At.given() {
		r.jq(in.At.at, in.At.S)
	}
	s.HTTPJSON = h
}

func (r *reader) params(in rawMap) map[string]string {
	if !in.given() {
		return nil
	}
	out := map[string]string{}
	for _, e := range in.at.entries {
		if soundsSecret(e.key.text) {
			r.wrong(e.key, fmt.Sprintf("%q looks like a secret, and an address is written into logs", e.key.text), "send it with auth: headers:")
			continue
		}
		var v text
		if v.read(r, e.value, constraint{key: e.key.text}); v.given() {
			out[e.key.text] = v.S
		}
	}
	return out
}

// jq refuses what is no jq expression, and points to where it is wrong.
func (r *reader) jq(n *node, text string) {
	query, err := gojq.Parse(text)
	environment := false
	if err == nil {
		_, err = gojq.Compile(query, gojq.WithEnvironLoader(func() []string { environment = true; return nil }))
	}
	switch {
	case err == nil && text == "":
		r.wrong(n, "the jq expression is empty", "write what to read: .queue.waiting")
		return
	case err == nil && environment:
		r.wrong(n, "the jq expression reads the environment", "it sees the answer alone: remove env and $ENV")
		return
	case err == nil:
		return
	}
	at := n
	var parse *gojq.ParseError
	if errors.As(err, &parse) {
		start := min(max(0, parse.Offset-len(parse.Token)), len(text))
		if whole := inside(n, text); !n.filled && whole != n {
			whole.col += utf8.RuneCountInString(text[:start])
			whole.width = max(1, utf8.RuneCountInString(parse.Token))
			at = whole
		}
	}
	r.wrong(at, "not a jq expression: "+sale.Clean(err.Error(), 160), "try it on the answer: curl … | jq '…'; within a signal a dollar sign is written $$")
}

func (r *reader) redis(s *Source, in *redisIn) {
	r.common(s, in.sourceIn, 5*time.Second, 5*time.Second, time.Second)
	d := &RedisSource{Address: in.Address.S, DB: int(in.DB.V), Username: in.Username.S, Password: in.Password.V}
	if in.TLS != nil {
		trust := r.tls(in.TLS)
		d.TLS = &trust
	}
	if in.Username.given() && !in.Password.given() {
		r.wrong(in.Username.at, `"username" without a password`, `add password: "${env:REDIS_PASSWORD}"`)
	}
	if in.Address.given() {
		host, port, err := net.SplitHostPort(in.Address.S)
		number, bad := strconv.ParseUint(port, 10, 16)
		switch {
		case err != nil || host == "" || bad != nil || number == 0:
			r.wrong(in.Address.at, `"address" needs a host and a port`, "write redis.example:6379")
		case in.Password.given() && in.TLS == nil && !in.AllowHTTP.V && !loopback(host):
			r.wrong(in.Address.at, `"address" would send the password unencrypted to another machine`, "add tls: {}, or allow_http: true when something else protects the way")
		}
	}
	s.Redis = d
}

// gateRead says how a signal is read from a JSON endpoint or from Redis.
func (r *reader) gateRead(b *built, s *Source, read *Read) {
	in := b.in
	b.spec.Cadence.Period = max(s.Every, minFreshness)
	if s.Kind == KindRedis {
		field := r.oneField(b, s, redisFields)
		k := &RedisRead{Key: in.Key.S, Field: field, Consumers: in.Consumers.S, MissingZero: in.Missing.S == "zero"}
		grouped := field == "group_lag" || field == "group_pending"
		if !r.need(b, in.Key.given(), "key", s) || !r.need(b, in.Field.given(), "field", s) || field == "" {
			return
		}
		switch {
		case grouped && !r.need(b, in.Consumers.given(), "consumers", s):
			return
		case !grouped && in.Consumers.given():
			r.wrong(in.Consumers.at, fmt.Sprintf("the field %q has no consumer group", field), "remove consumers:, or read group_lag or group_pending")
		case grouped && k.MissingZero:
			r.wrong(in.Missing.at, "a consumer group that is not there is never zero", "remove missing:")
		}
		read.Redis = k
		return
	}
	h := s.HTTPJSON
	if h == nil {
		return
	}
	b.spec.Cadence.Period = max(b.spec.Cadence.Period, h.Period)
	j := &HTTPJSONRead{Expr: in.JQ.S, Boolean: in.Boolean.V}
	switch {
	case in.JQ.given() && in.Field.given():
		r.wrong(in.Field.at, `"jq" and "field" are two ways to read it`, "keep one", see(in.JQ.at, "the other one"))
	case in.JQ.given():
		r.jq(in.JQ.at, in.JQ.S)
	case in.Field.given() && h.Preset == "":
		r.wrong(in.Field.at, fmt.Sprintf("the source %q has no preset, so it has no fields", s.Name), "read it with jq:, or add preset: to the source")
	case in.Field.given():
		j.Field = r.oneField(b, s, gateFields[h.Preset])
	default:
		r.need(b, false, "jq", s)
	}
	read.HTTPJSON = j
}

func (r *reader) oneField(b *built, s *Source, all []string) string {
	f := b.in.Field
	if !f.given() || oneOf(f.S, all) {
		return f.S
	}
	r.wrong(f.at, fmt.Sprintf("\"field\" can't be %s: the source %q has no such figure", quote(f.at), s.Name), didYouMean(f.S, all, ""))
	return ""
}

// gateSecrets are the secrets of these sources.
func (s *Source) gateSecrets() []Secret {
	var all []Secret
	if h := s.HTTPJSON; h != nil {
		all = append(all, h.Bearer, h.HMAC)
		if h.Basic != nil {
			all = append(all, h.Basic.Password)
		}
		for _, value := range h.Headers {
			all = append(all, value)
		}
	}
	if s.Redis != nil {
		all = append(all, s.Redis.Password)
	}
	return all
}

// gate writes what these sources have.
func (sh *shower) gate(m *yaml.MapSlice, s *Source) {
	if h := s.HTTPJSON; h != nil {
		p := &PrometheusSource{URL: h.URL, Basic: h.Basic, Bearer: h.Bearer, Headers: h.Headers, TLS: h.TLS}
		sh.prometheus(m, p)
		add(m, "preset", h.Preset)
		if len(h.Params) > 0 {
			params := yaml.MapSlice{}
			for _, name := range slices.Sorted(maps.Keys(h.Params)) {
				params = append(params, yaml.MapItem{Key: name, Value: h.Params[name]})
			}
			add(m, "params", params)
		}
		add(m, "body", h.Body)
		add(m, "at", h.At)
		addSpan(m, "period", h.Period)
		sh.addSecret(m, "hmac_secret", h.HMAC)
	}
	if d := s.Redis; d != nil {
		add(m, "address", d.Address)
		if d.DB > 0 {
			add(m, "db", d.DB)
		}
		add(m, "username", d.Username)
		sh.addSecret(m, "password", d.Password)
		switch {
		case d.TLS != nil && *d.TLS == TLS{}:
			add(m, "tls", yaml.MapSlice{})
		case d.TLS != nil:
			sh.tls(m, *d.TLS)
		}
	}
}
