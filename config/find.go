package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/onsale-dev/onsale/sale"
)

// VariableName is the environment variable that names a config file.
const VariableName = "ONSALE_CONFIG"

// Find returns the path of the config file to use: the flag, $ONSALE_CONFIG, ./onsale.yaml,
// then $XDG_CONFIG_HOME/onsale/onsale.yaml, which is ~/.config/onsale/onsale.yaml when the
// variable is empty or relative. The flag and $ONSALE_CONFIG are taken at their word: what
// they name is used or refused, never passed over. tried lists every place that was looked
// at; the error, when there is no file, names them all.
func Find(flag string, env Environment) (path string, tried []string, err error) {
	if flag != "" {
		return named(flag, "--config", env)
	}
	if v, ok := env.lookup(VariableName); ok && v != "" {
		return named(v, "$"+VariableName, env)
	}
	places := []string{"onsale.yaml"}
	base, _ := env.lookup("XDG_CONFIG_HOME")
	if !filepath.IsAbs(base) {
		base = ""
		if home, ok := env.lookup("HOME"); ok && filepath.IsAbs(home) {
			base = filepath.Join(home, ".config")
		}
	}
	if base != "" {
		places = append(places, filepath.Join(base, "onsale", "onsale.yaml"))
	}
	for _, p := range places {
		tried = append(tried, p)
		switch err := env.check(p); {
		case err == nil:
			return p, tried, nil
		case !errors.Is(err, fs.ErrNotExist):
			// It is there and can't be read: to pass on would use another file than meant.
			return "", tried, fmt.Errorf("config can't be read: %s", sale.Clean(fault(p, err), 0))
		}
	}
	clean := make([]string, len(tried))
	for i, p := range tried {
		clean[i] = sale.Clean(p, 0)
	}
	return "", tried, fmt.Errorf("no config found; looked for --config, $%s, %s; start with \"onsale config init\" or see it work with \"onsale demo\"",
		VariableName, strings.Join(clean, ", "))
}

func named(path, by string, env Environment) (string, []string, error) {
	if err := env.check(path); err != nil {
		return "", []string{path}, fmt.Errorf("the config that %s names can't be read: %s", by, sale.Clean(fault(path, err), 0))
	}
	return path, []string{path}, nil
}

// check reports whether a file can be opened and is not a folder. It reads nothing, so that
// a pipe keeps what is in it.
func (e Environment) check(path string) error {
	if e.Open == nil {
		return &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	f, err := e.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = &fs.PathError{Op: "read", Path: path, Err: errors.New("is a directory")}
	}
	return err
}
