package config

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
)

// Serve is the cockpit over SSH.
type Serve struct {
	Listen  string // host:port
	HostKey string // path of the server's private key
	Users   []User // in the order of the file, at least one
	// TrustedCA are the certificate authorities whose certificates let users in.
	TrustedCA []PublicKey
	Idle      time.Duration // without a key
	Longest   time.Duration // of a session
	// MaxConnections is how many there may be at a time, MaxPerAddress how many from one address.
	MaxConnections, MaxPerAddress int
	Metrics                       string // loopback host:port; "" is none
}

// User is somebody who may come in.
type User struct {
	Name       string
	Role       string // RoleViewer or RoleOperator
	Wall       bool   // sees the wall alone
	Keys       []PublicKey
	Principals []string // of certificates; never empty
}

// Defaults of what a server takes.
const (
	defaultIdle       = 15 * time.Minute
	defaultSession    = 12 * time.Hour
	defaultMostTotal  = 200
	defaultPerAddress = 40
)

// serve reads who may come in over SSH. A line that can't be kept is a mistake here: a server that
// passes over one lets somebody in, or keeps somebody out, whom nobody meant.
func (r *reader) serve(c *Config, in *serveIn) *Serve {
	if in == nil || !in.given() {
		return nil
	}
	s := &Serve{
		Listen: in.Listen.S, Metrics: in.Metrics.S, Idle: in.Idle.or(defaultIdle), Longest: in.MaxSession.or(defaultSession),
		MaxConnections: defaultMostTotal, MaxPerAddress: defaultPerAddress,
	}
	if in.HostKey.given() {
		s.HostKey = r.path(in.HostKey.S)
	}
	if in.MaxTotal.given() {
		s.MaxConnections = in.MaxTotal.V
	}
	if in.MaxAddress.given() {
		s.MaxPerAddress = in.MaxAddress.V
	}
	r.within(in.Idle, "idle", time.Minute, 24*time.Hour, "1m to 24h")
	r.within(in.MaxSession, "max_session", time.Minute, 168*time.Hour, "1m to 168h")
	if in.Listen.given() && !hostPort(s.Listen, false) {
		r.wrong(in.Listen.at, `"listen" needs an address and a port`, "write 0.0.0.0:2222, or 127.0.0.1:2222 for this machine alone")
	}
	if in.Metrics.given() && !hostPort(s.Metrics, true) {
		r.wrong(in.Metrics.at, `"metrics" needs a loopback address and a port`, "write 127.0.0.1:9464: nobody is asked for a name there")
	}
	seen := map[string]*node{} // of keys, by fingerprint
	for i, line := range in.TrustedCA.S {
		if k, ok := r.publicKey(in.TrustedCA.N[i], line, seen); ok {
			if len(k.From) > 0 || !k.Expires.IsZero() {
				r.wrong(in.TrustedCA.N[i], "a certificate authority takes no options", "put them into its certificates")
			}
			s.TrustedCA = append(s.TrustedCA, k)
		}
	}
	if at := in.at.get("users"); at != nil && at.kind == listKind && len(in.Users) == 0 {
		r.wrong(at, "nobody may come in", "add a user: - {name: ivana, role: viewer, keys: [ssh-ed25519 AAAA…]}")
	}
	names, principals := map[string]*node{}, map[string]*node{}
	for _, u := range in.Users {
		if u == nil || !u.Name.given() || !u.Role.given() {
			continue
		}
		s.Users = append(s.Users, r.user(u, seen, names, principals, len(in.TrustedCA.S) > 0))
		if u.Role.S == RoleOperator && c.Policy.Role != RoleOperator && !u.Screen.is("wall") {
			r.warn(u.Role.at, fmt.Sprintf("%s is an operator, and policy.role lets nobody act", u.Name.S), "add policy: {role: operator}, or make it a viewer")
		}
	}
	return s
}

func (s str) is(word string) bool { return s.given() && s.S == word }

func (r *reader) user(in *userIn, seen, names, principals map[string]*node, certified bool) User {
	u := User{Name: in.Name.S, Role: in.Role.S, Wall: in.Screen.is("wall"), Principals: in.Principals.S}
	once := func(where map[string]*node, key string, at *node, what string) {
		if first, ok := where[key]; ok {
			r.wrong(at, fmt.Sprintf("%s %s is here twice", what, shortQuote(key)), "remove one of them", see(first, "the first one"))
			return
		}
		where[key] = at
	}
	once(names, strings.ToLower(u.Name), in.Name.at, "the user")
	for i, line := range in.Keys.S {
		if k, ok := r.publicKey(in.Keys.N[i], line, seen); ok {
			u.Keys = append(u.Keys, k)
		}
	}
	if in.KeyFile.given() {
		u.Keys = append(u.Keys, r.keyFile(in.KeyFile, seen)...)
	}
	if len(u.Principals) == 0 {
		u.Principals = []string{u.Name}
		once(principals, u.Name, in.Name.at, "the principal")
	}
	for i, p := range in.Principals.S {
		once(principals, p, in.Principals.N[i], "the principal")
	}
	if !in.Keys.given() && !in.KeyFile.given() && !certified {
		r.wrong(in.at, fmt.Sprintf("%s has no key, and no certificate authority is trusted", u.Name), "add keys: [ssh-ed25519 AAAA…]")
	}
	return u
}

// publicKey reads one key of the config. A key is one person: it can't stand here twice.
func (r *reader) publicKey(at *node, line string, seen map[string]*node) (PublicKey, bool) {
	k, err := parsePublicKey(line)
	if err != nil {
		r.wrong(at, "the key is refused: "+err.Error(), "paste the whole line of a .pub file")
		return k, false
	}
	if first, ok := seen[k.Fingerprint]; ok {
		r.wrong(at, "the key "+k.Fingerprint+" is here twice", "a key is one person: remove one of them", see(first, "the first one"))
		return k, false
	}
	seen[k.Fingerprint] = at
	return k, true
}

// keyFile reads a file of keys. One bad line refuses the config, and is named by its number.
func (r *reader) keyFile(in str, seen map[string]*node) []PublicKey {
	path := r.path(in.S)
	data, mode, err := r.env.read(path, maxKeyFile)
	if err != nil {
		r.wrong(in.at, fmt.Sprintf("\"key_file\" names a file that can't be read: %s", fault(path, err)), "mend the path; a relative one starts at the config's folder")
		return nil
	}
	if mode.Perm()&0o022 != 0 {
		r.wrong(in.at, fmt.Sprintf("%s can be written by others (mode %04o)", path, mode.Perm()), "chmod go-w "+path)
		return nil
	}
	if !utf8.Valid(data) {
		r.wrong(in.at, `"key_file" names a file that is not text`, "write one public key a line")
		return nil
	}
	var all []PublicKey
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		k, err := parsePublicKey(line)
		if first, ok := seen[k.Fingerprint]; err == nil && ok {
			r.wrong(in.at, fmt.Sprintf("%s:%d: the key %s is here twice", path, number, k.Fingerprint), "a key is one person: remove one of them", see(first, "the first one"))
			continue
		}
		if err != nil {
			r.wrong(in.at, fmt.Sprintf("%s:%d: the key is refused: %v", path, number, err), "mend the line or remove it")
			continue
		}
		seen[k.Fingerprint] = in.at
		all = append(all, k)
	}
	return all
}

// hostPort reports whether a text is an address and a port, and a loopback one where it must be.
func hostPort(s string, loopback bool) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil || port == "" {
		return false
	}
	if n, err := net.LookupPort("tcp", port); err != nil || n < 0 {
		return false
	}
	a, err := netip.ParseAddr(host)
	if loopback {
		return err == nil && a.IsLoopback()
	}
	return host == "" || err == nil || host == "localhost"
}

// line is a key in the form of the config.
func (k *PublicKey) line() string {
	key := k.Type + " " + encodeKey(k.Wire)
	if k.Comment != "" {
		key += " " + k.Comment
	}
	var options []string
	if len(k.From) > 0 {
		from := make([]string, len(k.From))
		for i, p := range k.From {
			from[i] = p.String()
		}
		options = append(options, `from="`+strings.Join(from, ",")+`"`)
	}
	if !k.Expires.IsZero() {
		options = append(options, `expiry-time="`+k.Expires.UTC().Format("20060102150405Z")+`"`)
	}
	if len(options) == 0 {
		return key
	}
	return strings.Join(options, ",") + " " + key
}

func keyLines(keys []PublicKey) []string {
	lines := make([]string, len(keys))
	for i := range keys {
		lines[i] = keys[i].line()
	}
	return lines
}

func (sh *shower) serve(doc *yaml.MapSlice, s *Serve) {
	if s == nil {
		return
	}
	m := yaml.MapSlice{}
	add(&m, "listen", s.Listen)
	add(&m, "host_key", s.HostKey)
	var users []yaml.MapSlice
	for i := range s.Users {
		u := &s.Users[i]
		one := yaml.MapSlice{}
		add(&one, "name", u.Name)
		add(&one, "role", u.Role)
		if u.Wall {
			add(&one, "screen", "wall")
		}
		if len(u.Keys) > 0 {
			add(&one, "keys", keyLines(u.Keys))
		}
		if len(u.Principals) != 1 || u.Principals[0] != u.Name {
			add(&one, "principals", u.Principals)
		}
		users = append(users, one)
	}
	add(&m, "users", users)
	if len(s.TrustedCA) > 0 {
		add(&m, "trusted_ca", keyLines(s.TrustedCA))
	}
	addSpan(&m, "idle", s.Idle)
	addSpan(&m, "max_session", s.Longest)
	add(&m, "max_connections", s.MaxConnections)
	add(&m, "max_per_address", s.MaxPerAddress)
	add(&m, "metrics", s.Metrics)
	add(doc, "serve", m)
}
