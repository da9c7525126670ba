package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
)

// beginning is what a first config is made of: flags, then answers, then what discovery found.
type beginning struct {
	file     string
	force    bool
	discover bool

	environment string
	prometheus  string
	bearer      string // a reference
	region      string
	profile     string
	endpoints   map[string]string // by service, for a private endpoint or a rehearsal
	zone        string
	token       string // a reference
	id          string
	name        string
	opens       string
	selector    string

	opensAt time.Time
}

func (p *program) configInitCommand() *cobra.Command {
	var b beginning
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a first config from answers, flags and what your systems have",
		Long: `init writes onsale.yaml: one sale, the systems that it is read from, and a template that one more sale
needs one line of. It asks only on a terminal, and only for what no flag says. With --discover it asks the
systems themselves, read-only: Prometheus for its metrics and those of well-known exporters, AWS for Auto
Scaling groups, ECS services, queues, load balancers, databases and alarms, Cloudflare for waiting rooms.

The file holds no secret, only where one is: ${env:NAME} or ${file:/path}. It is validated before it is
written, and a file that is there is not overwritten without --force. Progress goes to standard error;
--file - writes the config to standard output.`,
		Example: `  onsale config init --discover --prometheus http://prometheus.internal:9090 --sale lantern --opens now
  onsale config init --discover --region eu-central-1 --profile onsale-read \
      --zone 023e105f4ecef8ad9ca31a8372d0c353 --cloudflare-token '${env:CF_READ_TOKEN}' \
      --sale lantern --name "The Tin Orchard" --opens 2026-12-01T10:00+01:00`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.configInit(cmd.Context(), &b) },
	}
	f := cmd.Flags()
	f.StringVarP(&b.file, "file", "f", "onsale.yaml", "where to write; - is standard output")
	f.BoolVar(&b.force, "force", false, "overwrite a file that is there")
	f.BoolVar(&b.discover, "discover", false, "ask the systems what there is to read")
	f.StringVar(&b.environment, "environment", "", `what every header says, such as "production"`)
	f.StringVar(&b.prometheus, "prometheus", "", "where Prometheus' API begins, such as http://prometheus.internal:9090")
	f.StringVar(&b.bearer, "prometheus-bearer", "", "where its token is: ${env:NAME} or ${file:/path}")
	f.StringVar(&b.region, "region", "", "the AWS region of the shop")
	f.StringVar(&b.profile, "profile", "", "the AWS profile that reads; the usual chain without it")
	f.StringToStringVar(&b.endpoints, "endpoint", nil, "SERVICE=URL of a private endpoint; services: cloudwatch, cloudfront, autoscaling, sqs, cloudflare")
	f.StringVar(&b.zone, "zone", "", "the Cloudflare zone whose waiting rooms are read")
	f.StringVar(&b.token, "cloudflare-token", "", "where its read token is: ${env:NAME} or ${file:/path}")
	f.StringVar(&b.id, "sale", "", "the sale's short name, such as lantern")
	f.StringVar(&b.name, "name", "", "the sale's name on the screen")
	f.StringVar(&b.opens, "opens", "", "when the doors open: 2026-12-01T10:00+01:00, or now")
	f.StringVar(&b.selector, "match", "", `label matchers of the shop's series in Prometheus, such as 'job="shop"'`)
	return cmd
}

func (p *program) configInit(ctx context.Context, b *beginning) error {
	if err := b.free(); err != nil {
		return err
	}
	ask := p.asker()
	if err := b.complete(ask); err != nil {
		return err
	}
	note := func(format string, args ...any) { _, _ = fmt.Fprintf(p.stderr, format+"\n", args...) }
	probe, err := config.Parse("config init", []byte(b.probe()), p.configEnvironment())
	if err != nil {
		return usage(fmt.Errorf("these answers make no config:\n%w", err))
	}
	var f found
	if b.discover {
		s := seeker{program: p, config: probe, note: note}
		f = s.seek(ctx)
	}
	text, err := b.write(f, ask, note)
	if err != nil {
		return err
	}
	cfg, err := config.Parse(b.path(), []byte(text), p.configEnvironment())
	if err != nil {
		return fmt.Errorf("what was written would not be valid, so nothing was; please report it:\n%w", err)
	}
	return p.keep(b, text, cfg, note)
}

func (b *beginning) path() string {
	if b.file == "-" {
		return "onsale.yaml"
	}
	return b.file
}

// free refuses early to overwrite a file, before anybody is asked anything.
func (b *beginning) free() error {
	if b.file == "-" || b.force {
		return nil
	}
	if _, err := os.Lstat(b.file); err == nil {
		return fmt.Errorf("%s is there already: --force overwrites it, --file writes another", b.file)
	}
	return nil
}

// keep writes the file in one step, so that whoever reads it sees all of it or nothing.
func (p *program) keep(b *beginning, text string, cfg *config.Config, note func(string, ...any)) error {
	if b.file == "-" {
		_, err := io.WriteString(p.stdout, text)
		return err
	}
	if err := writeWhole(b.file, text, b.force); err != nil {
		return err
	}
	reads := 0
	for i := range cfg.Sales {
		reads += len(cfg.Sales[i].Reads)
	}
	note("%s is written and valid: %s, %s, %s", b.file, counted(len(cfg.Sales), "sale"), counted(len(cfg.Sources), "source"), counted(reads, "signal"))
	at := ""
	if b.file != "onsale.yaml" {
		at = " --config " + b.file
	}
	note("next: onsale check%s   reads everything once\n      onsale%s         the cockpit\n      onsale doctor%s  when something can't be read", at, at, at)
	return nil
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func writeWhole(file, text string, over bool) error {
	temp, err := os.CreateTemp(filepath.Dir(file), ".onsale-*.yaml")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	if _, err = temp.WriteString(text); err == nil {
		err = temp.Chmod(0o644) // it holds no secret
	}
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	if over {
		return os.Rename(temp.Name(), file)
	}
	if err := os.Link(temp.Name(), file); errors.Is(err, fs.ErrExist) { // unlike a rename it overwrites nothing
		return fmt.Errorf("%s is there already: --force overwrites it", file)
	} else if err == nil {
		return nil
	}
	return os.Rename(temp.Name(), file) // a file system without links
}

var saleID = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// complete asks for what the flags leave open, where somebody can be asked, and says what is missing
// where nobody can.
func (b *beginning) complete(ask *asker) error {
	if ask != nil {
		if err := b.answer(ask); err != nil {
			return err
		}
	}
	if b.prometheus == "" && b.region == "" && b.zone == "" {
		return usage(errors.New("nothing to read from: give --prometheus, --region or --zone (where somebody can be asked, init asks)"))
	}
	if b.zone != "" && b.token == "" {
		return usage(errors.New("--zone needs --cloudflare-token, where its read token is: '${env:CF_READ_TOKEN}'"))
	}
	if b.opens == "" {
		return usage(errors.New("--opens is needed: when the doors open, such as 2026-12-01T10:00+01:00, or now"))
	}
	var err error
	if b.opensAt, err = openingTime(b.opens, time.Now()); err != nil {
		return usage(fmt.Errorf("--opens: %w", err))
	}
	if b.id == "" {
		b.id = "my-sale"
	}
	if !saleID.MatchString(b.id) {
		return usage(fmt.Errorf("--sale %q: lower-case letters, digits and dashes", b.id))
	}
	if b.name == "" {
		b.name = strings.ToUpper(b.id[:1]) + strings.ReplaceAll(b.id[1:], "-", " ")
	}
	if b.environment == "" {
		b.environment = "production"
	}
	return nil
}

// openingTime reads a time with a zone, or without one in the machine's, or now.
func openingTime(text string, now time.Time) (time.Time, error) {
	if text == "now" {
		return now.Truncate(time.Minute), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02 15:04"} {
		if at, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: write 2026-12-01T10:00+01:00, or now", sale.Clean(text, 40))
}

func (b *beginning) answer(ask *asker) error {
	for _, q := range []struct {
		to            *string
		text, usually string
		only          bool
	}{
		{&b.id, "Short name of the sale", "my-sale", true},
		{&b.name, "Its name on the screen", "", true},
		{&b.opens, "When do the doors open (2026-12-01T10:00+01:00, or now)", "now", true},
		{&b.environment, "Environment, in every header", "production", true},
		{&b.prometheus, "Prometheus URL (empty: none)", "", true},
		{&b.region, "AWS region (empty: no AWS)", "", true},
		{&b.zone, "Cloudflare zone id (empty: no waiting room)", "", true},
	} {
		if *q.to != "" || !q.only {
			continue
		}
		got, err := ask.line(q.text, q.usually)
		if err != nil {
			return err
		}
		*q.to = got
	}
	var err error
	if b.region != "" && b.profile == "" {
		if b.profile, err = ask.line("AWS profile that reads (empty: the usual chain)", ""); err != nil {
			return err
		}
	}
	if b.zone != "" && b.token == "" {
		if b.token, err = ask.line("Where its read token is, ${env:NAME} or ${file:/path}", "${env:CF_READ_TOKEN}"); err != nil {
			return err
		}
	}
	if !b.discover {
		yes, err := ask.line("Ask these systems, read-only, what there is", "yes")
		if err != nil {
			return err
		}
		b.discover = strings.HasPrefix(strings.ToLower(yes), "y")
	}
	return nil
}

// asker asks a person; nil where there is none.
type asker struct {
	in  *bufio.Reader
	out io.Writer
}

// asker is somebody to ask: whoever sits at a terminal, on both sides.
func (p *program) asker() *asker {
	in, reads := p.stdin.(*os.File)
	out, shows := p.stderr.(*os.File)
	if !reads || !shows || !term.IsTerminal(in.Fd()) || !term.IsTerminal(out.Fd()) {
		return nil
	}
	return &asker{bufio.NewReader(in), out}
}

// line asks one question. An empty answer is what is usual; the end of the input ends the questions.
func (a *asker) line(text, usually string) (string, error) {
	if usually != "" {
		text += " [" + usually + "]"
	}
	_, _ = fmt.Fprint(a.out, text+": ")
	got, err := a.in.ReadString('\n')
	if err != nil {
		_, _ = fmt.Fprintln(a.out)
		return "", errors.New("no answer: nothing was written")
	}
	if got = strings.TrimSpace(got); got == "" {
		return usually, nil
	}
	return sale.Clean(got, 0), nil
}

// choose asks which of several is meant.
func (a *asker) choose(what string, names []string) (int, error) {
	_, _ = fmt.Fprintf(a.out, "There are %d %s:\n", len(names), what)
	for i, n := range names {
		_, _ = fmt.Fprintf(a.out, "  %d  %s\n", i+1, n)
	}
	for {
		got, err := a.line("Which one", "1")
		if err != nil {
			return 0, err
		}
		if n, err := strconv.Atoi(got); err == nil && n >= 1 && n <= len(names) {
			return n - 1, nil
		}
		_, _ = fmt.Fprintf(a.out, "write a number from 1 to %d\n", len(names))
	}
}
