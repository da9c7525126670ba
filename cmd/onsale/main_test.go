package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/rehearsal"
)

// TestMain lets the test binary be the program itself, so that whole-program tests run the
// very code under test, race detector included, without building it again.
func TestMain(m *testing.M) {
	if os.Getenv("ONSALE_TEST_MAIN") == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

// outcome is how one run of the program ended.
type outcome struct {
	code           int
	stdout, stderr string
}

// runIn runs the program in this process with an environment of its own.
func runIn(t *testing.T, env map[string]string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	p := &program{
		stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr,
		lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	}
	code := p.run(context.Background(), args)
	return outcome{code, stdout.String(), stderr.String()}
}

// night is a running platform with its config and its control endpoint.
type night struct {
	t      *testing.T
	config string
	urls   struct {
		Control  string            `json:"control"`
		Services map[string]string `json:"services"`
	}
}

func startNight(t *testing.T, o rehearsal.Options) *night {
	t.Helper()
	o.Dir = t.TempDir()
	if o.Speed == 0 {
		o.Speed = 1
	}
	platform, err := rehearsal.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := platform.Stop(); err != nil {
			t.Error(err)
		}
	})
	n := &night{t: t, config: filepath.Join(o.Dir, "onsale.yaml")}
	data, err := os.ReadFile(filepath.Join(o.Dir, "platform.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &n.urls); err != nil {
		t.Fatal(err)
	}
	return n
}

// allLive is what the header says when every source of the config is.
func (n *night) allLive() string {
	n.t.Helper()
	cfg, err := config.Load(n.config, config.SystemEnvironment())
	if err != nil {
		n.t.Fatal(err)
	}
	return fmt.Sprintf("%d LIVE", len(cfg.Sources))
}

func (n *night) fault(service, kind string) {
	n.t.Helper()
	body := fmt.Sprintf(`{"service":%q,"kind":%q}`, service, kind)
	resp, err := http.Post(n.urls.Control+"/fault", "application/json", strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		n.t.Fatalf("fault %s %s: %s", service, kind, resp.Status)
	}
}

type truth struct {
	At     time.Time                     `json:"at"`
	Sales  map[string]map[string]float64 `json:"sales"`
	Ledger []json.RawMessage             `json:"ledger"`
}

// ledger is what was done to the platform, an entry each.
func (n *night) ledger() []string {
	n.t.Helper()
	var entries []string
	for _, raw := range n.truth().Ledger {
		entries = append(entries, string(raw))
	}
	return entries
}

func (n *night) truth() truth {
	n.t.Helper()
	resp, err := http.Get(n.urls.Control + "/truth")
	if err != nil {
		n.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var out truth
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		n.t.Fatal(err)
	}
	return out
}

// truthsWhile is the truth from before to after something is done, and each 50 ms in between.
func (n *night) truthsWhile(do func()) []truth {
	all := []truth{n.truth()}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				all = append(all, n.truth())
			}
		}
	}()
	do()
	close(stop)
	<-ended
	return append(all, n.truth())
}

// report is the part of the JSON form that scripts lean on most.
type report struct {
	Schema  string
	Verdict string
	Sales   []struct {
		ID, Phase, Verdict string
		Reasons            []struct{ Signal, Verdict, Text, Source string }
		Signals            map[string]struct {
			Value              *float64
			Age                *float64 `json:"age_seconds"`
			Freshness, Verdict string
			Source             string
		}
	}
	Sources []struct {
		Name, Kind, Condition, Error string
		Class                        string `json:"error_class"`
		Hint                         string
		Calls                        int
	}
}

func (n *night) check(args ...string) (report, outcome) {
	n.t.Helper()
	out := runIn(n.t, map[string]string{"LANG": "C.UTF-8"}, append([]string{"check", "--config", n.config, "--output", "json"}, args...)...)
	var r report
	if err := json.Unmarshal([]byte(out.stdout), &r); err != nil {
		n.t.Fatalf("stdout is not JSON: %v\n%s\nstderr: %s", err, out.stdout, out.stderr)
	}
	return r, out
}
