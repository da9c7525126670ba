package config

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestTheConfigIsLookedForWhereTheContractSays(t *testing.T) {
	file := &fstest.MapFile{Data: []byte("x"), Mode: 0o600}
	all := map[string]*fstest.MapFile{
		"onsale.yaml": file, "/given.yaml": file, "/env.yaml": file,
		"/xdg/onsale/onsale.yaml": file, "/home/ops/.config/onsale/onsale.yaml": file, "/folder/x": file,
	}
	without := func(names ...string) map[string]*fstest.MapFile {
		left := map[string]*fstest.MapFile{}
		for name, f := range all {
			if !slices.Contains(names, name) {
				left[name] = f
			}
		}
		return left
	}
	home := map[string]string{"HOME": "/home/ops"}
	for _, c := range []struct {
		name, flag string
		vars       map[string]string
		files      map[string]*fstest.MapFile
		want       string
		refused    []string
	}{
		{"the flag wins", "/given.yaml", map[string]string{"ONSALE_CONFIG": "/env.yaml"}, all, "/given.yaml", nil},
		{"the flag is never passed over", "/none.yaml", home, all, "", []string{"--config", "/none.yaml"}},
		{"the flag can't name a folder", "/folder", home, all, "", []string{"--config", "directory"}},
		{"then the variable", "", map[string]string{"ONSALE_CONFIG": "/env.yaml"}, all, "/env.yaml", nil},
		{"the variable is never passed over", "", map[string]string{"ONSALE_CONFIG": "/none.yaml"}, all, "", []string{"$ONSALE_CONFIG", "/none.yaml"}},
		{"an empty variable is none", "", map[string]string{"ONSALE_CONFIG": ""}, all, "onsale.yaml", nil},
		{"then the folder one is in", "", home, all, "onsale.yaml", nil},
		{"then the XDG folder", "", map[string]string{"HOME": "/home/ops", "XDG_CONFIG_HOME": "/xdg"}, without("onsale.yaml"), "/xdg/onsale/onsale.yaml", nil},
		{"a relative XDG folder is ignored", "", map[string]string{"HOME": "/home/ops", "XDG_CONFIG_HOME": "xdg"}, without("onsale.yaml"), "/home/ops/.config/onsale/onsale.yaml", nil},
		{
			"the XDG folder takes the place of the home folder's", "",
			map[string]string{"HOME": "/home/ops", "XDG_CONFIG_HOME": "/other"},
			without("onsale.yaml"), "",
			[]string{"--config", "$ONSALE_CONFIG", "onsale.yaml", "/other/onsale/onsale.yaml", "onsale demo"},
		},
		{"without a home only the folder one is in is left", "", nil, without("onsale.yaml"), "", []string{"onsale.yaml"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, tried, err := Find(c.flag, outside(c.vars, c.files))
			if path != c.want || (err != nil) != (c.refused != nil) {
				t.Fatalf("got %q, %v", path, err)
			}
			if len(tried) == 0 {
				t.Error("nothing was tried")
			}
			for _, part := range c.refused {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in %q", part, err)
				}
			}
		})
	}
}

func TestAConfigThatIsThereAndCanNotBeReadIsNotPassedOver(t *testing.T) {
	env := outside(map[string]string{"HOME": "/home/ops"}, map[string]*fstest.MapFile{"/home/ops/.config/onsale/onsale.yaml": {Data: []byte("x")}})
	open := env.Open
	env.Open = func(path string) (fs.File, error) {
		if path == "onsale.yaml" {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
		}
		return open(path)
	}
	if path, _, err := Find("", env); err == nil || !strings.Contains(err.Error(), "permission") {
		t.Errorf("got %q, %v", path, err)
	}
}

func TestAFileThatIsNotThereIsNamed(t *testing.T) {
	if _, err := Load("/none/onsale.yaml", outside(nil, nil)); err == nil || !strings.Contains(err.Error(), "/none/onsale.yaml") {
		t.Errorf("got %v", err)
	}
}

func TestAFileIsLoadedWithItsOwnFolderAsTheStartOfRelativePaths(t *testing.T) {
	env := outside(nil, map[string]*fstest.MapFile{
		"/srv/shop/onsale.yaml": {Data: []byte("environment: x\nsources: {p: {kind: prometheus, url: https://p.example, auth: {bearer: \"${file:token}\"}}}\n" +
			"sales: [{id: a, name: a, opens: 2026-12-01T10:00:00Z, signals: {x: {from: p, query: up}}}]\n")},
		"/srv/shop/token": {Data: []byte("t"), Mode: 0o600},
	})
	c, err := Load("/srv/shop/onsale.yaml", env)
	if err != nil {
		t.Fatal(err)
	}
	if c.Path != "/srv/shop/onsale.yaml" || c.Sources[0].Prometheus.Bearer.Reveal() != "t" {
		t.Errorf("got %q", c.Path)
	}
}
