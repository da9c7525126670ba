package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
	"unicode"

	"github.com/invopop/jsonschema"
)

// Environment is the outside that a config may refer to, handed in so that reading one needs
// no state of the process.
type Environment struct {
	// Lookup returns a variable of the environment.
	Lookup func(name string) (value string, ok bool)
	// Open opens a file for reading; its Stat tells who else may read it.
	Open func(path string) (fs.File, error)

	// Calendar returns a calendar that is fetched, as it was when it was read last, of at most
	// icalendar.MaxBytes. Both a text and an error is an older copy, and why it must do. nil: none is
	// fetched.
	Calendar func(*Source) ([]byte, error)
	// Before is the calendar of the config that this one replaces: what it dated and does not date
	// any more stays, and says so. nil: there was none.
	Before *Calendar
	// Now tells the time, for what a calendar still dates; nil is time.Now.
	Now func() time.Time
}

func (e Environment) now() time.Time {
	if e.Now == nil {
		return time.Now()
	}
	return e.Now()
}

// SystemEnvironment is this process's own environment and files.
func SystemEnvironment() Environment {
	return Environment{
		Lookup: os.LookupEnv,
		Open:   func(path string) (fs.File, error) { return os.Open(path) },
	}
}

func (e Environment) lookup(name string) (string, bool) {
	if e.Lookup == nil {
		return "", false
	}
	return e.Lookup(name)
}

var errTooLarge = errors.New("file is too large")

// read returns at most limit bytes of a file and its mode.
func (e Environment) read(path string, limit int64) (data []byte, mode fs.FileMode, err error) {
	if e.Open == nil {
		return nil, 0, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	f, err := e.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	if info.IsDir() {
		return nil, 0, &fs.PathError{Op: "read", Path: path, Err: errors.New("is a directory")}
	}
	data, err = io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = &fs.PathError{Op: "read", Path: path, Err: errTooLarge}
	}
	return data, info.Mode(), err
}

const (
	maxSecret     = 64 << 10
	referenceForm = `^\$\{(env:[A-Za-z_][A-Za-z0-9_]*|file:[^{}]+)\}$`
	referenceHelp = `write "${env:NAME}" or "${file:/path}" and put the value there`
)

// lookUp resolves a reference. It never puts what it found into a message.
func (r *reader) lookUp(n *node, key string, secret bool) (value string, ok bool) {
	m := reference.FindStringSubmatch(n.text)
	if m[1] == "env" {
		value, ok = r.env.lookup(m[2])
		switch {
		case m[2] == "":
			r.wrong(n, fmt.Sprintf("%q refers to a variable without a name", key), `write "${env:NAME}"`)
		case !ok:
			r.wrong(n, fmt.Sprintf("%q refers to the environment variable %s, which is not set", key, m[2]), "export "+m[2]+"=… before you start onsale")
		case value == "":
			r.wrong(n, fmt.Sprintf("%q refers to the environment variable %s, which is empty", key, m[2]), "export "+m[2]+"=… before you start onsale")
			ok = false
		}
		return value, ok && r.printable(n, key, value)
	}
	path := r.path(m[2])
	data, mode, err := r.env.read(path, maxSecret)
	if err != nil {
		r.wrong(n, fmt.Sprintf("%q refers to a file that can't be read: %s", key, fault(path, err)), "create it, or mend the path; a relative one starts at the config's folder")
		return "", false
	}
	value = strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if value == "" {
		r.wrong(n, fmt.Sprintf("%q refers to a file that is empty: %s", key, path), "put the value into it")
		return "", false
	}
	if secret && exposed(mode) && !r.warned[path] {
		r.warned[path] = true
		r.warn(n, fmt.Sprintf("%s can be read by others (mode %04o)", path, mode.Perm()), "chmod 600 "+path)
	}
	return value, r.printable(n, key, value)
}

// printable refuses a value that would break out of a header or a line.
func (r *reader) printable(n *node, key, value string) bool {
	if strings.ContainsFunc(value, unicode.IsControl) {
		r.wrong(n, fmt.Sprintf("%q refers to a value with a line break or another control character in it", key), "keep the bare value there, on one line")
		return false
	}
	return true
}

func exposed(mode fs.FileMode) bool { return runtime.GOOS != "windows" && mode.Perm()&0o077 != 0 }

// path makes a path of the file absolute: relative ones start at the config's folder, "~/"
// at the home folder.
func (r *reader) path(p string) string {
	if rest, ok := strings.CutPrefix(p, "~/"); ok {
		if home, ok := r.env.lookup("HOME"); ok && filepath.IsAbs(home) {
			return filepath.Join(home, rest)
		}
	}
	if filepath.IsAbs(p) {
		return filepath.Clean(p)
	}
	return filepath.Join(r.dir, p)
}

// fault says why a file could not be read, with its path once.
func fault(path string, err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return path + ": " + err.Error()
}

// secret is a value that stands outside the file; only a reference is taken.
type secret struct {
	place
	V Secret
}

func (*secret) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: referenceForm}
}

func (s *secret) read(r *reader, n *node, c constraint) {
	if n.kind != scalarKind {
		r.wrong(n, fmt.Sprintf("%q needs a reference, this is %s", c.key, n.found()), referenceHelp)
		return
	}
	if !reference.MatchString(n.text) {
		r.wrong(n, fmt.Sprintf("%q is a secret and must not stand in the file", c.key), referenceHelp)
		return
	}
	if v, ok := r.lookUp(n, c.key, true); ok {
		s.at, s.V = n, NewSecret(v)
		r.held = append(r.held, heldSecret{n, v})
	}
}

// outer is text that may also stand outside the file.
type outer struct{ text }

func (o *outer) read(r *reader, n *node, c constraint) {
	if n.kind != scalarKind || !reference.MatchString(n.text) {
		o.text.read(r, n, c)
		return
	}
	v, ok := r.lookUp(n, c.key, false)
	if !ok {
		return
	}
	if c.pattern != nil && !c.pattern.MatchString(v) {
		r.wrong(n, fmt.Sprintf("%q can't be what %s refers to", c.key, quote(n)), c.hint)
		return
	}
	o.at, o.S = n, v
}
