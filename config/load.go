package config

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"time"
	_ "time/tzdata" // a machine without zone files must read "Europe/Zagreb" all the same

	"github.com/onsale-dev/onsale/sale"
)

// Load reads a config file. The error is an *Errors when the file could be opened, and says
// what is wrong with it.
func Load(path string, env Environment) (*Config, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	data, _, err := env.read(abs, maxBytes)
	if err != nil {
		return nil, fmt.Errorf("config can't be read: %s; give another with --config or $ONSALE_CONFIG", sale.Clean(fault(path, err), 0))
	}
	return parse(path, filepath.Dir(abs), data, env)
}

// Parse reads a config from memory. The name is what messages call it, and relative paths in
// it start at the name's folder. The error, if any, is an *Errors.
func Parse(name string, data []byte, env Environment) (*Config, error) {
	return parse(name, filepath.Dir(name), data, env)
}

func parse(name, dir string, data []byte, env Environment) (*Config, error) {
	text := strings.TrimPrefix(string(data), "\ufeff")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	d := newDocument(name, text)
	r := &reader{env: env, dir: dir, fields: map[reflect.Type][]field{}, warned: map[string]bool{}}
	if len(data) > maxBytes {
		return nil, &Errors{[]*Mistake{{Place: Place{Position: Position{File: name}}, Why: fmt.Sprintf("the file is larger than %d bytes", maxBytes), Fix: "use templates and variables"}}}
	}
	root, mistakes := parseYAML(d, text)
	r.mistakes = mistakes
	if root == nil && len(mistakes) > 0 {
		return nil, &Errors{sorted(mistakes)}
	}
	if root == nil {
		return nil, &Errors{[]*Mistake{{Place: Place{Position: Position{File: name}}, Why: "the file is empty", Fix: `start with "onsale config init"`}}}
	}
	cfg := r.config(root)
	cfg.Path = name
	if len(r.mistakes) > 0 {
		return nil, &Errors{sorted(r.mistakes)}
	}
	cfg.Warnings = sorted(r.warnings)
	return cfg, nil
}

// config resolves the whole file. What can be checked is checked, even after a mistake.
func (r *reader) config(root *node) *Config {
	root = r.withCalendar(root)
	var in configFile
	r.decode(root, reflect.ValueOf(&in).Elem(), constraint{key: "config"})
	c := &Config{
		Environment: sale.Clean(in.Environment.S, 24),
		Account:     in.Account.S,
		TimeZone:    in.TimeZone.S,
		Theme:       in.Theme.S,
		ASCII:       in.ASCII.V,
		Bell:        in.Bell.V || !in.Bell.given(),
		Notify:      in.Notify.V,
		Limits:      sale.Limits{Points: in.Limits.Points.V, Keep: in.Limits.Keep.V},
		root:        root,
	}
	if c.Theme == "" {
		c.Theme = "auto"
	}
	if in.TimeZone.given() {
		if _, why := zone(c.TimeZone); why != "" {
			r.wrong(in.TimeZone.at, why, "write a name such as Europe/Zagreb")
		}
	}
	if k := in.Limits.Keep; k.given() && (k.V < 10*time.Minute || k.V > 48*time.Hour) {
		r.wrong(k.at, `"keep" is out of range`, "give 10m to 48h")
	}
	c.LinkHosts = r.hosts(in.LinkHosts)
	c.Keys = r.keys(in.Keys.at)
	c.Sources = r.sources(in.Sources.at)
	r.known = c.Sources
	c.Controls = r.controls(in.Controls.at)
	r.acting = c.Controls
	r.account(&in)
	b := &salesBuilder{reader: r, config: c, templates: r.templates(in.Templates.at)}
	b.build(in.Sales)
	if len(in.Sales) == 0 && root.get("sales") != nil && root.get("sales").kind == listKind && (r.dates == nil || len(r.mistakes) == 0) {
		r.wrong(root.get("sales"), "there are no sales", "declare one: - {id: …, name: …, opens: …, template: builtin/onsale}")
	}
	r.dates.taken(c)
	r.cadences(c, in.Sources.at)
	r.aims(c)
	c.SLAs = r.slas(&in.SLAs)
	for i := range c.Sales {
		c.Sales[i].SLAs = sale.SLAs(c.SLAs)
	}
	c.Policy = r.policy(c, &in)
	c.Serve = r.serve(c, in.Serve)
	return c
}

func (r *reader) hosts(in []str) []string {
	var hosts []string
	seen := map[string]*node{}
	for _, h := range in {
		if !h.given() {
			continue
		}
		name := strings.ToLower(h.S)
		if first, ok := seen[name]; ok {
			r.wrong(h.at, fmt.Sprintf("the host %q is here twice", name), "remove one of them", see(first, "the first one"))
			continue
		}
		seen[name] = h.at
		hosts = append(hosts, name)
	}
	return hosts
}

// maxKeys bounds what one intent can be bound to.
const maxKeys = 8

// keys reads the key bindings. Which intents there are is for the caller to say; here a key
// must have one meaning.
func (r *reader) keys(at *node) map[string][]string {
	if at == nil {
		return nil
	}
	keys := map[string][]string{}
	meaning := map[string]*node{}
	for _, e := range at.entries {
		var v oneOrMore
		if e.value.kind == nullKind {
			r.wrong(e.key, fmt.Sprintf("%q has no key", e.key.text), "name a key, or remove the line to keep the usual one")
			continue
		}
		v.read(r, e.value, constraint{key: e.key.text})
		if len(v.S) > maxKeys {
			r.wrong(e.value, fmt.Sprintf("%q has more than %d keys", e.key.text, maxKeys), "name fewer")
			continue
		}
		for i, k := range v.S {
			if strings.ContainsFunc(k, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
				r.wrong(v.N[i], fmt.Sprintf("%s is not a key", quote(v.N[i])), `write it as one word: q, ctrl+c, pgdown, space`)
				continue
			}
			if first, ok := meaning[k]; ok {
				why := fmt.Sprintf("the key %q means %q and %q", k, first.text, e.key.text)
				if first == e.key {
					why = fmt.Sprintf("the key %q stands twice under %q", k, first.text)
				}
				r.wrong(v.N[i], why, "give one of them another key", see(first, "its first meaning"))
				continue
			}
			meaning[k] = e.key
			keys[e.key.text] = append(keys[e.key.text], k)
		}
	}
	return keys
}
