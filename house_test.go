// Package onsale_test holds the house rules that no single package can hold by itself:
// who may import whom, that every package says what it is for, and that the paths named
// in the documents exist.
package onsale_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/onsale-dev/onsale"

// room is one row of the import table of ARCHITECTURE.md.
type room struct {
	folder string   // "sources" stands for itself and everything below it
	may    []string // folders of ours that it may import, itself apart
	never  []string // outside packages, by prefix
	clock  bool     // may call time.Now
}

var sdks = []string{
	"github.com/aws/", "github.com/prometheus/", "k8s.io/", "github.com/redis/", "net/http",
}

var io = []string{"os", "os/exec", "net", "net/http", "syscall", "io/ioutil", "database/sql"}

// sources and actions are two rooms each: the folder itself, and one folder per system.
// A system's folder may import its parent, never a sibling.
var rooms = []room{
	{folder: "sale", never: append([]string{"charm.land/"}, append(sdks, io...)...)},
	{folder: "config", may: []string{"sale"}, never: append([]string{"charm.land/"}, sdks...), clock: true},
	{folder: "sources", may: []string{"sale"}, never: []string{"charm.land/"}, clock: true},
	{folder: "actions", may: []string{"sale"}, never: []string{"charm.land/"}, clock: true},
	{folder: "views", may: []string{"sale", "actions"}, never: append([]string{"charm.land/bubbletea", "charm.land/bubbles"}, append(sdks, io...)...)},
	{folder: "ui", may: []string{"views", "actions", "sale"}, never: sdks, clock: true},
	{folder: "rehearsal", never: []string{"charm.land/"}, clock: true},
	{folder: "cmd", may: []string{"sale", "config", "sources", "actions", "views", "ui", "rehearsal"}, clock: true},
}

func TestEveryImportIsInTheTable(t *testing.T) {
	eachGoFile(t, func(t *testing.T, file string, src *ast.File) {
		if strings.HasSuffix(file, "_test.go") {
			return // a test may hold its package against anything
		}
		r, ok := roomOf(file)
		if !ok {
			t.Errorf("%s is in no room of the table: give its folder a row or move it", file)
			return
		}
		for _, spec := range src.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			if why := forbidden(r, file, imported); why != "" {
				t.Errorf("%s imports %s: %s", file, imported, why)
			}
		}
	})
}

func forbidden(r room, file, imported string) string {
	if within, ok := strings.CutPrefix(imported, module+"/"); ok {
		return forbiddenOfOurs(r, file, within)
	}
	for _, prefix := range r.never {
		if imported == prefix || strings.HasSuffix(prefix, "/") && strings.HasPrefix(imported, prefix) ||
			strings.HasPrefix(imported, prefix+"/") && strings.Contains(prefix, ".") {
			return r.folder + " must not know " + prefix
		}
	}
	return ""
}

func forbiddenOfOurs(r room, file, within string) string {
	top, rest, _ := strings.Cut(within, "/")
	if top != r.folder {
		for _, f := range r.may {
			if f == top {
				return ""
			}
		}
		return r.folder + " may import only " + strings.Join(append([]string{r.folder}, r.may...), ", ")
	}
	if (top == "sources" || top == "actions") && rest != "" {
		own := strings.TrimPrefix(path.Dir(file), top+"/")
		if own != rest && own != top && !strings.HasPrefix(rest, own+"/") && rest != "journal" {
			return "a system's folder never imports its sibling"
		}
	}
	return ""
}

func TestOnlyFoldersThatMayAskForTheTimeDo(t *testing.T) {
	eachGoFile(t, func(t *testing.T, file string, src *ast.File) {
		r, ok := roomOf(file)
		if !ok || r.clock || strings.HasSuffix(file, "_test.go") {
			return
		}
		ast.Inspect(src, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" && (sel.Sel.Name == "Now" || sel.Sel.Name == "Since" || sel.Sel.Name == "Until") {
				t.Errorf("%s calls time.%s: in %s the time is an argument", file, sel.Sel.Name, r.folder)
			}
			return true
		})
	})
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	documented := map[string]bool{}
	eachGoFile(t, func(_ *testing.T, file string, src *ast.File) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		dir := path.Dir(file)
		documented[dir] = documented[dir] || src.Doc != nil
	})
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package in %s has no doc comment", dir)
		}
	}
}

func TestNoFileAndNoFunctionGrowsOutOfSight(t *testing.T) {
	const maxFile, maxFunc = 450, 90 // "about 400" and "about 80"
	eachGoFile(t, func(t *testing.T, file string, src *ast.File) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(data), "\n"); n > maxFile {
			t.Errorf("%s has %d lines: split it by subject", file, n)
		}
		for _, decl := range src.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			if n := strings.Count(string(data[fn.Body.Lbrace-1:fn.Body.Rbrace-1]), "\n"); n > maxFunc {
				t.Errorf("%s: %s has %d lines", file, fn.Name.Name, n)
			}
		}
	})
}

var pathInText = regexp.MustCompile("`((?:cmd|config|sources|sale|actions|views|ui|rehearsal|docs)/[A-Za-z0-9_./*-]*|[A-Za-z0-9_.-]+\\.(?:md|go|yml|yaml|mod))`|\\]\\(([^)#:]+)(?:#[^)]*)?\\)")

func TestThePathsThatTheDocumentsNameExist(t *testing.T) {
	documents := []string{"ARCHITECTURE.md", "README.md", "CONTRIBUTING.md"}
	decisions, _ := filepath.Glob("docs/*.md")
	documents = append(documents, decisions...)
	for _, doc := range documents {
		data, err := os.ReadFile(doc)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		for _, m := range pathInText.FindAllStringSubmatch(string(data), -1) {
			named := m[1] + m[2]
			if m[2] != "" {
				named = path.Join(path.Dir(doc), m[2])
			}
			if strings.HasPrefix(path.Base(named), "onsale.y") {
				continue // the reader's own file
			}
			found, err := filepath.Glob(strings.TrimSuffix(named, "/"))
			if err != nil || len(found) == 0 {
				t.Errorf("%s names %s, which is not there", doc, named)
			}
		}
	}
}

func roomOf(file string) (room, bool) {
	top, _, _ := strings.Cut(file, "/")
	for _, r := range rooms {
		if r.folder == top {
			return r, true
		}
	}
	return room{}, !strings.Contains(file, "/")
}

// eachGoFile parses every Go file of the module, imports and bodies, with slash paths from the root.
func eachGoFile(t *testing.T, visit func(t *testing.T, file string, src *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); p != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "dist" || name == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(p) != ".go" {
			return nil
		}
		src, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		visit(t, filepath.ToSlash(p), src)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
