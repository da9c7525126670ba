package main

import (
	"context"
	"fmt"
	"os/user"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/onsale-dev/onsale/config"
)

// loadAWS makes the SDK's config of one source: a profile, fixed credentials or the usual chain, and
// the role to assume if one is declared. It sends nothing; credentials are fetched by the first call.
func loadAWS(ctx context.Context, in config.AWS) (aws.Config, error) {
	options := []func(*awsconfig.LoadOptions) error{awsconfig.WithRegion(in.Region)}
	if in.Profile != "" {
		options = append(options, awsconfig.WithSharedConfigProfile(in.Profile))
	}
	if c := in.Credentials; c != nil {
		fixed := credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey.Reveal(), c.SessionToken.Reveal())
		options = append(options, awsconfig.WithCredentialsProvider(fixed))
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return cfg, &loginError{fmt.Errorf("aws credentials: %w", err)}
	}
	if in.Role != "" {
		provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), in.Role, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = sessionName()
			if in.ExternalID != "" {
				o.ExternalID = &in.ExternalID
			}
		})
		cfg.Credentials = aws.NewCredentialsCache(provider)
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

var notInSessionName = regexp.MustCompile(`[^\w+=,.@-]`)

// sessionName tells CloudTrail who it was: the user's name, in the characters that STS allows (2-64).
func sessionName() string {
	name := "onsale"
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username + "@onsale"
	}
	name = notInSessionName.ReplaceAllString(name, "-")
	return name[:min(len(name), 64)]
}
