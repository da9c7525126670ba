package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sources/httpjson"
	"github.com/onsale-dev/onsale/sources/rds"
	"github.com/onsale-dev/onsale/sources/redis"
)

func TestTheConfigKnowsTheFieldsThatTheSourcesRead(t *testing.T) {
	for _, preset := range httpjson.Presets() {
		if read, declared := httpjson.Fields(preset), config.GateFields(preset); !slices.Equal(read, declared) || len(read) == 0 {
			t.Errorf("%s: %v are read, %v can be declared", preset, read, declared)
		}
	}
	var read []string
	for _, f := range redis.Fields() {
		read = append(read, string(f))
	}
	if declared := config.RedisFields(); !slices.Equal(read, declared) {
		t.Errorf("redis: %v are read, %v can be declared", read, declared)
	}
	read = nil
	for _, f := range rds.Fields() {
		read = append(read, string(f))
	}
	if declared := config.RDSFields(); !slices.Equal(read, declared) {
		t.Errorf("rds: %v are read, %v can be declared", read, declared)
	}
}

func TestAJSONEndpointIsReadAsTheConfigDeclaresIt(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if user, password, _ := r.BasicAuth(); user != "ops" || password != canary || r.Header.Get("X-Tenant") != "shop" || r.URL.RawQuery != "of=lantern" ||
			string(body) != `{"ask":"queue"}` || r.Header.Get("Webhook-Signature") == "" {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = fmt.Fprintf(w, `{"rooms":[{"open":true,"waiting":"7"},{"open":false,"waiting":"9"}],"at":%d,"open":true}`, time.Now().Unix()-30)
	}))
	defer server.Close()
	text := `
environment: test
sources:
  door: {kind: http-json, url: "` + server.URL + `/status", params: {of: lantern}, body: '{"ask":"queue"}', at: .at, period: 1m, auth: {basic: {username: ops, password: "${env:CANARY}"}, headers: {X-Tenant: shop}}, hmac_secret: "${env:SIGNING}"}
  line: {kind: redis, address: "127.0.0.1:1"}
sales:
  - id: lantern
    name: The Tin Orchard
    opens: 2026-12-01T10:00+01:00
    signals:
      at_the_door: {from: door, unit: users, jq: '[.rooms[] | select(.open) | .waiting | tonumber] | add'}
      door_open: {from: door, jq: .open, boolean: true}
      in_line: {from: line, key: "waiting:$sale", field: sorted_set_size, unit: users}
`
	env := config.Environment{Lookup: func(name string) (string, bool) {
		return map[string]string{"CANARY": canary, "SIGNING": "0123456789abcdef"}[name], name == "CANARY" || name == "SIGNING"
	}}
	cfg, err := config.Parse("", []byte(text), env)
	if err != nil {
		t.Fatal(err)
	}
	c, err := (&program{}).assemble(cfg, slog.New(slog.DiscardHandler))
	if err != nil || len(c.sources) != 2 {
		t.Fatal(err)
	}
	now := time.Now()
	b := c.sources[0].Read(context.Background(), now)
	if b.Problem != nil || len(b.Readings) != 2 || b.Readings[0].Value != 7 || b.Readings[1].Value != 1 {
		t.Fatalf("%+v", b)
	}
	if age := now.Sub(b.Readings[0].At); age < 25*time.Second || age > 40*time.Second {
		t.Errorf("the figures are %s old", age)
	}
	for _, s := range c.sources {
		info := s.Info()
		for _, read := range c.config.Sales[0].Signals {
			if read.Source == info.Name && read.Cadence != info.Cadence {
				t.Errorf("%s: freshness is judged by %+v, the source says %+v", read.Signal, read.Cadence, info.Cadence)
			}
		}
	}
	if b := c.sources[1].Read(context.Background(), now); b.Problem == nil || b.Problem.Hint == "" {
		t.Errorf("a server that is not there: %+v", b)
	}
}
