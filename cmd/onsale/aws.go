package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/onsale-dev/onsale/cmd/onsale/login"
	"github.com/onsale-dev/onsale/config"
)

// logins is the book of this run's AWS logins, which every source, control and session of it shares.
// A command asks for codes at its terminal; a screen has made a book of its own before, see codesOf.
func (p *program) logins() *login.Book {
	if p.book == nil {
		p.book = login.NewBook(login.Options{Operator: p.operator(), Asker: p.terminalAsker(), Waits: true})
	}
	return p.book
}

// loadAWS makes the SDK's config of one source. It sends nothing; credentials are fetched by the
// first call, and shared with every other source of the same login.
func (p *program) loadAWS(ctx context.Context, in config.AWS) (aws.Config, error) {
	cfg, err := p.logins().Config(ctx, false, in)
	if err != nil {
		return cfg, &loginError{err}
	}
	return cfg, nil
}

// awsSecrets are what an answer may echo and no text may show.
func awsSecrets(in config.AWS) []string {
	var secrets []string
	if c := in.Credentials; c != nil {
		for _, s := range []config.Secret{c.SecretAccessKey, c.SessionToken} {
			if s.IsSet() {
				secrets = append(secrets, s.Reveal())
			}
		}
	}
	return secrets
}
