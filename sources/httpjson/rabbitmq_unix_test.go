//go:build unix

package httpjson_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources/httpjson"
)

// broker is a real RabbitMQ on free ports of this machine.
type broker struct {
	t        *testing.T
	amqp     string // address of its clients
	api      string // URL of its management
	finished chan struct{}
	out      *os.File
}

// realRabbitMQ starts the server with its management plugin. It stays on the loopback: RabbitMQ, its
// management, Erlang's distribution and the port mapper, which would otherwise outlive the test.
func realRabbitMQ(t *testing.T) *broker {
	t.Helper()
	with := os.Getenv("ONSALE_RABBITMQ")
	if with == "" {
		t.Skip("NOT TESTED against a real RabbitMQ: ONSALE_RABBITMQ names no program (make peers fetches one)")
	}
	dir := t.TempDir()
	var ports [4]string
	var listeners []net.Listener // all held until all are known, or two could be the same
	for i := range ports {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, ports[i], _ = net.SplitHostPort(ln.Addr().String())
		listeners = append(listeners, ln)
	}
	for _, ln := range listeners {
		if err := ln.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	b := &broker{t: t, amqp: "127.0.0.1:" + ports[0], api: "http://127.0.0.1:" + ports[1], finished: make(chan struct{}), out: out}
	env := append(os.Environ(),
		"HOME="+dir, // of Erlang's cookie
		"ERL_EPMD_ADDRESS=127.0.0.1", "ERL_EPMD_PORT="+ports[2], "RABBITMQ_DIST_PORT="+ports[3], "RABBITMQ_NODENAME=onsale@localhost",
		"RABBITMQ_CONFIG_FILE="+write("rabbitmq.conf", fmt.Sprintf("listeners.tcp.default = %s\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = %s\ncollect_statistics_interval = 1000\n", b.amqp, ports[1])),
		"RABBITMQ_ENABLED_PLUGINS_FILE="+write("enabled_plugins", "[rabbitmq_management].\n"), "RABBITMQ_CONF_ENV_FILE="+os.DevNull,
		"RABBITMQ_MNESIA_BASE="+filepath.Join(dir, "data"), "RABBITMQ_LOGS=-",
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1} +S 1:1",
		"RUNNING_UNDER_SYSTEMD=true", // so that the server takes the place of its script, and is what is killed
	)
	b.start(env, nil, with, "epmd", "-address", "127.0.0.1", "-port", ports[2])
	b.start(env, b.finished, with, "rabbitmq-server")
	b.awaitReady()
	return b
}

func (b *broker) start(env []string, finished chan struct{}, name string, args ...string) {
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, b.out, b.out
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
		if finished != nil {
			close(finished)
		}
	}()
	b.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
}

func (b *broker) awaitReady() {
	b.t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		select {
		case <-b.finished:
			text, _ := os.ReadFile(b.out.Name())
			b.t.Fatalf("the server ended:\n%s", text)
		default:
		}
		if conn, err := amqp.Dial("amqp://guest:guest@" + b.amqp); err == nil {
			_ = conn.Close()
			return
		}
	}
	b.t.Fatal("the server does not get ready")
}

// ask sends a request to the management and returns its answer.
func (b *broker) ask(method, path, body string) string {
	b.t.Helper()
	req, err := http.NewRequest(method, b.api+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.SetBasicAuth("guest", "guest")
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(resp.Body)
	if resp.StatusCode/100 != 2 {
		b.t.Fatalf("%s %s: %s %s", method, path, resp.Status, text)
	}
	return string(text)
}

// until reads until a reading is as it should be: the management collects every second here.
func until(t *testing.T, s *httpjson.Source, good func(map[string]float64) bool) sale.Batch {
	t.Helper()
	var b sale.Batch
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if b = s.Read(context.Background(), time.Now()); b.Problem == nil && good(values(b)) {
			return b
		}
	}
	t.Fatalf("never as it should be: %+v", b)
	return b
}

func TestARealRabbitMQIsReadWithNoMoreThanTheRightsThatTheDocumentsName(t *testing.T) {
	b := realRabbitMQ(t)
	b.ask(http.MethodPut, "/api/users/onsale", `{"password": "a-password", "tags": "monitoring"}`)
	b.ask(http.MethodPut, "/api/permissions/%2F/onsale", `{"configure": "^$", "write": "^$", "read": "^$"}`)
	b.ask(http.MethodPut, "/api/queues/%2F/orders", `{"durable": true}`)

	o := httpjson.Options{URL: b.api + "/api/queues/%2F/orders", Preset: httpjson.RabbitMQ, User: "onsale", Password: "a-password"}
	for _, f := range httpjson.Fields(httpjson.RabbitMQ) {
		unit := sale.Count
		if strings.HasSuffix(f, "_rate") {
			unit = sale.PerSecond
		}
		o.Queries = append(o.Queries, field(f, unit))
	}
	o.Queries = append(o.Queries, httpjson.Query{Key: key("oldest_age"), Unit: sale.Seconds, Expr: "if .head_message_timestamp then now - .head_message_timestamp else null end"})
	s := made(t, o)

	fresh := until(t, s, func(v map[string]float64) bool { return len(v) >= 4 })
	if v := values(fresh); v["messages"] != 0 || v["consumers"] != 0 || len(v) != 4 || len(fresh.Missing) != 4 {
		t.Errorf("a queue before its first message has no rates and no oldest message: %v, missing %+v", v, fresh.Missing)
	}

	written := time.Now().Add(-90 * time.Second)
	for i := range 20 {
		body, _ := json.Marshal(map[string]any{
			"properties": map[string]any{"timestamp": written.Unix()}, "routing_key": "orders",
			"payload": fmt.Sprintf("order %d", i), "payload_encoding": "string",
		})
		if answer := b.ask(http.MethodPost, "/api/exchanges/%2F/amq.default/publish", string(body)); !strings.Contains(answer, `"routed":true`) {
			t.Fatal(answer)
		}
	}
	full := values(until(t, s, func(v map[string]float64) bool { return v["messages"] == 20 && v["oldest_age"] > 0 }))
	if age := full["oldest_age"]; full["messages_ready"] != 20 || full["messages_unacknowledged"] != 0 || age < 90 || age > 200 {
		t.Errorf("20 messages, the first written 90 s ago: %v", full)
	}

	conn, err := amqp.Dial("amqp://guest:guest@" + b.amqp)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	channel, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := channel.Qos(8, 0, false); err != nil {
		t.Fatal(err)
	}
	orders, err := channel.Consume("orders", "shop", false, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := (<-orders).Ack(false); err != nil {
			t.Fatal(err)
		}
	}
	// Each acknowledged one makes room for another: 8 are under way and 9 wait.
	worked := values(until(t, s, func(v map[string]float64) bool {
		return v["consumers"] == 1 && v["messages"] == 17 && v["messages_unacknowledged"] == 8 && v["messages_ready"] == 9
	}))
	for _, rate := range []string{"publish_rate", "deliver_rate", "ack_rate"} {
		if v, ok := worked[rate]; !ok || v < 0 {
			t.Errorf("%s is %v, known %t", rate, v, ok)
		}
	}

	o.Password = "another-password"
	if b := made(t, o).Read(context.Background(), time.Now()); b.Problem == nil || b.Problem.Class != sale.Auth || strings.Contains(b.Problem.Text, o.Password) {
		t.Errorf("a wrong password: %+v", b.Problem)
	}
	o.Password, o.URL = "a-password", b.api+"/api/queues/%2F/refunds"
	if b := made(t, o).Read(context.Background(), time.Now()); b.Problem == nil || len(b.Readings) != 0 {
		t.Errorf("a queue that is not there: %+v", b)
	}
	b.ask(http.MethodDelete, "/api/permissions/%2F/onsale", "")
	if b := s.Read(context.Background(), time.Now()); b.Problem == nil || b.Problem.Class != sale.Auth {
		t.Errorf("a user who may not see the vhost: %+v", b)
	}
}
