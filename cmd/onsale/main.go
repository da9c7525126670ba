// Command onsale is a terminal cockpit for ticket on-sales: it reads the systems behind a sale,
// says what is wrong, and shows it on one screen or in one line.
//
// The rules of this package are:
//   - data goes to standard output, everything else to standard error;
//   - nothing prompts when there is no terminal;
//   - whatever is not a verdict ends with exit code 3, a panic too.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/onsale-dev/onsale/cmd/onsale/login"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/ui"
)

// version is set by the linker for a release.
var version = "devel"

func main() {
	p := &program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, lookup: os.LookupEnv}
	os.Exit(p.run(context.Background(), os.Args[1:]))
}

// program is the outside of one run, so that a test can hand in its own.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	lookup         func(string) (string, bool)

	configFlag string
	asciiFlag  bool
	themeFlag  string
	logFlag    string
	wall       bool          // the session is the war room's wall
	rotate     time.Duration // of the wall's pages; 0: none is turned
	journalAt  string        // of the demo; "" is the usual place
	book       *login.Book   // who this run is towards AWS; see logins

	opened  opened // the config's files
	dates   dates  // the calendars that are fetched
	offline bool   // nothing is fetched to read the config
}

func (p *program) run(ctx context.Context, args []string) (code int) {
	defer func() {
		if caught := recover(); caught != nil {
			_, _ = fmt.Fprintf(p.stderr, "onsale: internal error: %v\n%s", caught, debug.Stack())
			code = exitUnknown
		}
	}()
	return p.execute(ctx, p.rootCommand(), args)
}

// execute runs a command and says in words and in an exit code how it went.
func (p *program) execute(ctx context.Context, root *cobra.Command, args []string) int {
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	var verdict verdictExit
	var coded interface{ ExitCode() int }
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &verdict):
		return verdict.code
	case errors.As(err, &coded):
		_, _ = fmt.Fprintf(p.stderr, "onsale: %v\n", err)
		var crash *ui.PanicError
		if errors.As(err, &crash) {
			_, _ = fmt.Fprintln(p.stderr, crash.Stack)
		}
		return coded.ExitCode()
	case isUsage(err):
		_, _ = fmt.Fprintf(p.stderr, "onsale: %v\nSee '%s --help'.\n", err, cmd.CommandPath())
	default:
		_, _ = fmt.Fprintf(p.stderr, "onsale: %v\n", err)
	}
	return exitUnknown
}

func (p *program) env(name string) string {
	v, _ := p.lookup(name)
	return v
}

// ascii reports whether output must keep to ASCII: by flag, or because the locale is not UTF-8.
func (p *program) ascii() bool {
	if p.asciiFlag {
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := p.env(name); v != "" {
			v = strings.ToUpper(v)
			return !strings.Contains(v, "UTF-8") && !strings.Contains(v, "UTF8")
		}
	}
	return false
}

// operator is who sits here, for the header.
func (p *program) operator() string {
	for _, name := range []string{"ONSALE_OPERATOR", "SUDO_USER", "USER", "LOGNAME"} {
		if v := p.env(name); v != "" {
			return sale.Clean(v, 24)
		}
	}
	if u, err := user.Current(); err == nil && u.Username != "" { // as in cron, where nothing is set
		return sale.Clean(u.Username, 24)
	}
	return "unknown"
}
