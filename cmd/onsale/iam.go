package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	scalepods "github.com/onsale-dev/onsale/actions/kubernetes"
	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
)

// iamSchema names the shape of `onsale iam --output json`.
const iamSchema = "onsale.iam/v1"

type iamFlags struct{ what, output string }

// iamReport is what a config needs, as other programs read it.
type iamReport struct {
	Schema   string      `json:"schema"`
	Policies []iamPolicy `json:"policies"`
	Notes    []string    `json:"notes"`
}

// iamPolicy is the policy of one login.
type iamPolicy struct {
	For      string      `json:"for"` // "read" or "act"
	Login    iamLogin    `json:"login"`
	UsedBy   []string    `json:"used_by"` // sources or controls
	Document iamDocument `json:"document"`
}

// The purposes of a policy.
const (
	forReading = "read"
	forActing  = "act"
)

func (p *program) iamCommand() *cobra.Command {
	var flags iamFlags
	cmd := &cobra.Command{
		Use:   "iam",
		Short: "The least-privilege AWS policies for this config: one to read, one to act",
		Long: `iam prints what AWS must allow, and nothing beyond: to read, for what the sources call, and to act, for what the
controls call, each for every login that the config names. Actions are narrowed to the declared groups,
services, queues and parameters where IAM can do that. It sends nothing and needs no credentials.

Policies go to stdout as JSON documents, one after another, and what each is for to stderr; with --output json
it is one object. What tokens of other systems must be allowed is in the notes.`,
		Example: `  onsale iam --for read > read.json
  onsale iam --for act | aws iam create-policy --policy-name onsale-act --policy-document file:///dev/stdin
  onsale iam --output json | jq '.policies[] | {for, login}'`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.iam(flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.what, "for", "", "read or act (default both)")
	f.StringVarP(&flags.output, "output", "o", "text", "text or json")
	_ = cmd.RegisterFlagCompletionFunc("for", cobra.FixedCompletions([]string{forReading, forActing}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (p *program) iam(flags iamFlags) error {
	switch flags.what {
	case "", forReading, forActing:
	default:
		return usage(fmt.Errorf("--for %q: want read or act", sale.Clean(flags.what, 40)))
	}
	cfg, err := p.readConfig()
	if err != nil {
		return err
	}
	switch flags.output {
	case "json":
		return writeJSON(p.stdout, iamOf(cfg, flags.what))
	case "text":
	default:
		return usage(fmt.Errorf("--output %q: want text or json", sale.Clean(flags.output, 40)))
	}
	report := iamOf(cfg, flags.what)
	if len(report.Policies) == 0 {
		_, _ = fmt.Fprintln(p.stderr, "onsale: nothing in this config logs in to AWS")
	}
	for i := range report.Policies {
		one := &report.Policies[i]
		_, _ = fmt.Fprintf(p.stderr, "onsale: to %s, for %s (%s):\n", one.For, one.Login, strings.Join(one.UsedBy, ", "))
		if err := writeJSON(p.stdout, one.Document); err != nil {
			return err
		}
		if n := one.Document.size(); n > largestPolicy {
			_, _ = fmt.Fprintf(p.stderr, "onsale: warning: %d characters, and a managed policy takes %d: split it by its statements\n", n, largestPolicy)
		}
	}
	for _, note := range report.Notes {
		_, _ = fmt.Fprintln(p.stderr, "onsale: note: "+note)
	}
	return nil
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// iamOf is what a config needs of AWS, to read, to act, or both.
func iamOf(cfg *config.Config, what string) iamReport {
	report := iamReport{Schema: iamSchema, Policies: []iamPolicy{}, Notes: []string{}}
	roles := map[string]bool{}
	add := func(purpose string, all []*grants) {
		for _, g := range all {
			report.Policies = append(report.Policies, iamPolicy{purpose, g.login, g.by, g.document()})
			if role := g.login.Role; role != "" && !roles[role] {
				roles[role] = true
				report.Notes = append(report.Notes, fmt.Sprintf("whoever assumes %s needs sts:AssumeRole on it, and its trust policy must name them", role))
			}
		}
	}
	if what != forActing {
		add(forReading, toRead(cfg))
	}
	if what != forReading {
		add(forActing, toAct(cfg))
	}
	if identified(cfg, what) {
		report.Notes = append(report.Notes, "source_identity: the role's trust policy must allow sts:SetSourceIdentity beside sts:AssumeRole")
	}
	if len(report.Policies) > 0 {
		report.Notes = append(report.Notes, "sts:GetCallerIdentity needs no permission")
		if cfg.Account == "" {
			report.Notes = append(report.Notes, "the config names no account, so the ARNs are of any: set account:")
		}
	}
	report.Notes = append(report.Notes, otherScopes(cfg, what)...)
	return report
}

// identified reports whether a login tells AWS who the operator is.
func identified(cfg *config.Config, what string) bool {
	if what != forActing && slices.ContainsFunc(cfg.Sources, func(s config.Source) bool {
		return slices.ContainsFunc(s.AWSLogins(), func(in config.AWS) bool { return in.SourceIdentity })
	}) {
		return true
	}
	return what != forReading && slices.ContainsFunc(cfg.Controls, func(c config.Control) bool {
		in := c.AWSLogin()
		return in != nil && in.SourceIdentity
	})
}

// otherScopes are what tokens of other systems must be allowed.
func otherScopes(cfg *config.Config, what string) []string {
	var notes []string
	if what != forActing {
		for i := range cfg.Sources {
			if s := &cfg.Sources[i]; s.Kind == config.KindWaitingRoom && isRead(cfg, s.Name) {
				notes = append(notes, fmt.Sprintf("source %s: a Cloudflare token with Waiting Rooms Read on the zone is enough", s.Name))
			}
		}
	}
	if what == forReading {
		return notes
	}
	for i := range cfg.Controls {
		switch c := &cfg.Controls[i]; c.Kind {
		case config.ControlWaitingRoom:
			notes = append(notes, fmt.Sprintf("control %s: a Cloudflare token with Waiting Rooms Write on the zone", c.Name))
		case config.ControlKubernetes:
			notes = append(notes, fmt.Sprintf("control %s: a Kubernetes role with %s", c.Name, strings.Join(scalepods.Permissions(), ", ")))
		case config.ControlPagerDuty:
			if c.PagerDuty.Token.IsSet() {
				notes = append(notes, fmt.Sprintf("control %s: a read-only PagerDuty API key proves incidents, and notes need one that may write; acting takes the routing key alone", c.Name))
			}
		}
	}
	return notes
}
