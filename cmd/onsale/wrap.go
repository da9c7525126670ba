package main

import (
	"context"
	"errors"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// bounded gives a source the call budget of the config in place of its own.
func bounded(src sources.Source, s *config.Source) sources.Source {
	if s.Budget == nil {
		return src
	}
	return withBudget{src, s.Budget}
}

type withBudget struct {
	sources.Source
	budget *config.Budget
}

func (b withBudget) Budget() (calls int, window time.Duration) { return b.budget.Calls, b.budget.Per }

// More lets the source under the budget go on with what its first poll left over.
func (b withBudget) More() bool { return more(b.Source) }

// Close lets the source under the budget let go of what it holds.
func (b withBudget) Close() error {
	if c, ok := b.Source.(sources.Closer); ok {
		return c.Close()
	}
	return nil
}

func more(src sources.Source) bool {
	r, ok := src.(sources.Resumer)
	return ok && r.More()
}

// withLogin makes a source whose credentials come from the machine. When they can't be loaded, a
// profile that is not there for one, the source is there all the same and fails with the reason
// at each read, so that it hides no other source, until they can. Any other error is final.
func withLogin(s *config.Source, kind string, build func(context.Context) (sources.Source, error)) (sources.Source, error) {
	src, err := build(context.Background())
	var login *loginError
	switch {
	case err == nil:
		return src, nil
	case errors.As(err, &login):
		info := sale.SourceInfo{Name: s.Name, Kind: kind, Every: s.Every, Cadence: sale.Cadence{Period: s.Every}}
		return &awaiting{info: info, build: build}, nil
	}
	return nil, err
}

// awaiting is a source that waits for its credentials.
type awaiting struct {
	info  sale.SourceInfo
	build func(context.Context) (sources.Source, error)
	made  sources.Source
}

func (a *awaiting) Info() sale.SourceInfo { return a.info }

func (a *awaiting) More() bool { return a.made != nil && more(a.made) }

func (a *awaiting) Read(ctx context.Context, now time.Time) sale.Batch {
	if a.made == nil {
		made, err := a.build(ctx)
		if err != nil {
			return sale.Batch{Problem: loginProblem(err)}
		}
		a.made = made
	}
	return a.made.Read(ctx, now)
}

// loginError says that credentials could not be loaded from this machine.
type loginError struct{ error }

func (e *loginError) Unwrap() error { return e.error }

func loginProblem(err error) *sale.Problem {
	p := sources.Classify(err, sources.About{})
	p.Class = sale.Auth
	if sources.Told(err) {
		return &p
	}
	p.Hint = "look at the login in the config and at what it names on this machine; it is tried again at each read"
	var profile awsconfig.SharedConfigProfileNotExistError
	if errors.As(err, &profile) {
		p.Hint = "no profile " + sale.Clean(profile.Profile, 40) + " on this machine: aws configure list-profiles names those there are"
	}
	return &p
}
