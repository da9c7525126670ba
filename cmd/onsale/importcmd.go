package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/onsale-dev/onsale/config/grafana"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources/prometheus"
)

func (p *program) importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Make a config of what other tools know",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var window time.Duration
	var named []string
	board := &cobra.Command{
		Use:   "grafana FILE",
		Short: "Make a config of a Grafana dashboard's Prometheus and CloudWatch panels",
		Long: "Make a config of a Grafana dashboard (its JSON model; - reads stdin). The config goes to stdout; what was left out\n" +
			"or changed goes to stderr, each with its place in the file and the reason.",
		Example: "  onsale config import grafana board.json > onsale.yaml\n" +
			"  curl -s -H \"Authorization: Bearer $TOKEN\" https://grafana.example/api/dashboards/uid/abc | onsale config import grafana -",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return p.importGrafana(args[0], window, named) },
	}
	board.Flags().DurationVar(&window, "window", time.Minute, "what $__rate_interval and $__interval stand for, at least 1s")
	board.Flags().StringArrayVar(&named, "source", nil, "call the source that reads a data source so: UID=NAME (repeatable)")
	cmd.AddCommand(board)
	return cmd
}

var nameOfSource = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

func (p *program) importGrafana(path string, window time.Duration, named []string) error {
	o := grafana.Options{Now: time.Now(), Window: window, Sources: map[string]string{}, Series: func(expr string) grafana.Series {
		return grafana.Series(prometheus.SeriesOf(expr))
	}}
	if window < time.Second || window%time.Second != 0 || window > time.Hour {
		return errors.New("--window takes whole seconds, 1s to 1h")
	}
	for _, pair := range named {
		i := strings.LastIndexByte(pair, '=')
		if i <= 0 || !nameOfSource.MatchString(pair[i+1:]) {
			return fmt.Errorf("--source %s: write UID=NAME, where NAME has lower-case letters, digits, dashes and underscores", sale.Clean(pair, 60))
		}
		o.Sources[pair[:i]] = pair[i+1:]
	}
	data, err := p.readBoard(path)
	if err != nil {
		return err
	}
	result, err := grafana.Import(data, o)
	if result != nil {
		for _, note := range result.Notes {
			_, _ = fmt.Fprintf(p.stderr, "%s:%s\n", sale.Clean(path, 200), note)
		}
	}
	var wrong *grafana.Error
	switch {
	case errors.As(err, &wrong):
		return fmt.Errorf("%s:%w", path, wrong)
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	}
	if _, err := p.stdout.Write(result.YAML); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(p.stderr, "onsale: %d signals in %d panels; look for \"set it\" in the config\n", result.Signals, result.Panels)
	return nil
}

// maxBoard is one more than what grafana.Import takes, so that it can say so.
const maxBoard = 8<<20 + 1

func (p *program) readBoard(path string) ([]byte, error) {
	in := p.stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close() //nolint:errcheck // it was only read
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxBoard))
	if err != nil {
		return nil, fmt.Errorf("read the dashboard: %w", err)
	}
	return data, nil
}
