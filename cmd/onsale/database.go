package main

import (
	"context"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/rds"
)

// rds makes the source that reads databases.
func (p *program) rds(cfg *config.Config, s *config.Source) (sources.Source, error) {
	return withLogin(s, s.Kind, func(ctx context.Context) (sources.Source, error) {
		login := s.RDS.AWS
		aws, err := p.loadAWS(ctx, login)
		if err != nil {
			return nil, err
		}
		o := rds.Options{
			Name: s.Name, Region: login.Region, Profile: login.Profile, Secrets: awsSecrets(login),
			API: rds.NewClient(aws, login.Endpoint, httpClient()), Every: s.Every,
		}
		eachRead(cfg, s.Name, func(key sale.Key, r config.Read) {
			o.Queries = append(o.Queries, rds.Query{Key: key, Unit: r.Unit, Instance: r.RDS.Instance, Cluster: r.RDS.Cluster, Field: rds.Field(r.RDS.Field)})
		})
		return rds.New(o)
	})
}
