package config

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

var update = flag.Bool("update", false, "write the golden files and the schema anew")

// outside is a made-up environment: variables, and files by absolute path.
func outside(vars map[string]string, files map[string]*fstest.MapFile) Environment {
	tree := fstest.MapFS{}
	for path, f := range files {
		tree[strings.TrimPrefix(path, "/")] = f
	}
	return Environment{
		Lookup: func(name string) (string, bool) { v, ok := vars[name]; return v, ok },
		Open: func(path string) (fs.File, error) {
			f, err := tree.Open(strings.TrimPrefix(filepath.ToSlash(path), "/"))
			var pe *fs.PathError
			if errors.As(err, &pe) {
				pe.Path = path
			}
			return f, err
		},
	}
}

const (
	canary         = "c4n4ry-value"
	paymentRunbook = "# Provider declines\n\n1. **P** pause admission\n   - not the rate\n"
)

// fixtureEnvironment has everything that the good fixtures refer to, and a canary in each.
func fixtureEnvironment() Environment {
	private := func() *fstest.MapFile { return &fstest.MapFile{Data: []byte(canary + "\n"), Mode: 0o600} }
	return outside(map[string]string{
		"TOKEN": canary, "PASSWORD": canary, "CF_READ_TOKEN": canary,
		"CF_WRITE_TOKEN": canary + "-gate", "AWS_ACT_KEY": canary + "-aws", "PD_KEY": canary + "-routing", "PD_TOKEN": canary + "-rest", "PD_READ_TOKEN": canary + "-read",
		"HOOK_TOKEN": canary + "-hook", "HOOK_SECRET": canary + "-hmac", "AM_TOKEN": canary + "-am",
		"SLACK_URL": "https://hooks.slack.com/services/" + canary, "STATE_URL": "https://gate.example/state?key=" + canary,
		"ROLE": "operator", "CF_ZONE": "023e105f4ecef8ad9ca31a8372d0c353", "SHOP": "tide", "HOME": "/home/ops",
	}, map[string]*fstest.MapFile{
		"/conf/secrets/prometheus": private(), "/conf/secrets/key": private(), "/conf/secrets/key.pem": private(), "/home/ops/cf": private(),
		"/conf/secrets/kube-read": private(), "/conf/secrets/kube-act": private(),
		"/conf/keys/marko":        {Data: []byte("# Marko\n\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHSk7TN4Gvex6YfBN/aF5xxtMNpwwDdWi2SU4FyXlu09 marko@desk\n"), Mode: 0o644},
		"/conf/keys/broken":       {Data: []byte("# the war room\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHSk7TN4Gvex6YfBN/aF5xxtMNpwwDdWi2SU4FyXlu09 marko@desk\nssh-dss AAAAB3NzaC1kc3MAAACB old\n"), Mode: 0o644},
		"/conf/keys/open":         {Data: []byte("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHSk7TN4Gvex6YfBN/aF5xxtMNpwwDdWi2SU4FyXlu09 marko@desk\n"), Mode: 0o666},
		"/conf/books/payment.md":  {Data: []byte(paymentRunbook), Mode: 0o644},
		"/conf/runbooks/binary":   {Data: []byte("\x7fELF\x00"), Mode: 0o644},
		"/conf/plans/spring.csv":  {Data: []byte("# the spring sale\nat,waiting,admission,capacity\n-10m,9000,,12\n0s,12000,200,\n2m,,400,\n600,4000,,13\n"), Mode: 0o644},
		"/conf/plans/spring.json": {Data: []byte(`[{"at": "-10m", "waiting": 9000}, {"at": "0s", "admission": 200}]`), Mode: 0o644},
		"/conf/plans/broken.csv":  {Data: []byte("at,waiting\n-10m,9000\n-20m,8000\n"), Mode: 0o644},
		"/conf/secrets/ca.pem":    {Data: []byte("pem"), Mode: 0o644}, "/conf/secrets/cert.pem": {Data: []byte("pem"), Mode: 0o644},
	})
}

// fixture reads a file of testdata as if it lay in /conf.
func fixture(t *testing.T, path string) (*Config, error) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return parse(filepath.Base(path), "/conf", data, fixtureEnvironment())
}

func fixtures(t testing.TB, kind string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", kind, "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures in testdata/%s: %v", kind, err)
	}
	return paths
}

func nameOf(path string) string { return strings.TrimSuffix(filepath.Base(path), ".yaml") }

// golden compares with a file next to the fixtures, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs\n--- got\n%s\n--- want\n%s", path, got, want)
	}
}

func TestEveryMistakeIsRefusedWithItsPlaceItsReasonAndAWayToMendIt(t *testing.T) {
	for _, path := range fixtures(t, "bad") {
		t.Run(nameOf(path), func(t *testing.T) {
			_, err := fixture(t, path)
			var all *Errors
			if !errors.As(err, &all) || len(all.Mistakes) == 0 {
				t.Fatalf("want *Errors, got %v", err)
			}
			for _, m := range all.Mistakes {
				if m.Why == "" || m.Fix == "" {
					t.Errorf("a mistake without a reason or a fix: %+v", m)
				}
				if m.Line > 0 && m.File != filepath.Base(path) {
					t.Errorf("a mistake in %s: what the user can't edit is not where to send them", m.File)
				}
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), canary) {
				t.Errorf("a secret is in the message:\n%v", err)
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".txt", err.Error()+"\n")
		})
	}
}

func TestEveryGoodFileIsReadAndShownAsItWasUnderstood(t *testing.T) {
	for _, path := range fixtures(t, "good") {
		t.Run(nameOf(path), func(t *testing.T) {
			c, err := fixture(t, path)
			if err != nil {
				t.Fatal(err)
			}
			shown, err := c.ShowYAML()
			if err != nil {
				t.Fatal(err)
			}
			var warnings strings.Builder
			for _, w := range c.Warnings {
				warnings.WriteString("\n# " + strings.ReplaceAll(w.Error(), "\n", "\n# "))
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".txt", string(shown)+warnings.String())
		})
	}
}
