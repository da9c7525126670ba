package main

import (
	"context"
	"fmt"
	"slices"

	promconfig "github.com/prometheus/common/config"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/incidents"
)

// This file makes the sources that tell how far an incident has come.

// incidentSource makes one, or nil when there is no sale whose incidents it could tell of.
func (p *program) incidentSource(cfg *config.Config, s *config.Source, known func() []incidents.Known) (sources.Source, error) {
	ids := cfg.IncidentSales(s)
	if len(ids) == 0 {
		return nil, nil
	}
	common := incidents.Common{Name: s.Name, Every: s.Every, Sales: ids, Known: known, Client: httpClient()}
	switch s.Kind {
	case config.KindPagerDuty:
		return incidents.NewPagerDuty(incidents.PagerDutyOptions{Common: common, Token: s.PagerDuty.Token.Reveal(), URL: s.PagerDuty.URL})
	case config.KindAlertmanager:
		return alertmanagerSource(common, s.Alertmanager)
	case config.KindOpsItem:
		return withLogin(s, s.Kind, func(ctx context.Context) (sources.Source, error) {
			login := s.OpsItem.AWS
			aws, err := p.loadAWS(ctx, login)
			if err != nil {
				return nil, err
			}
			common.Secrets = awsSecrets(login)
			return incidents.NewOpsItem(incidents.OpsItemOptions{Common: common, Region: login.Region, API: incidents.NewOpsClient(aws, login.Endpoint, httpClient())})
		})
	}
	return nil, fmt.Errorf("no reader for kind %q", s.Kind)
}

func alertmanagerSource(common incidents.Common, a *config.AlertmanagerSource) (sources.Source, error) {
	o := incidents.AlertmanagerOptions{Common: common, Peers: slices.Clone(a.Peers), AlertName: a.AlertName, Bearer: a.Bearer.Reveal()}
	if a.Basic != nil {
		o.User, o.Password = a.Basic.Username, a.Basic.Password.Reveal()
	}
	if a.TLS != (config.TLS{}) {
		trust, err := promconfig.NewTLSConfig(&promconfig.TLSConfig{
			CAFile: a.TLS.CA, CertFile: a.TLS.Cert, KeyFile: a.TLS.Key, ServerName: a.TLS.ServerName, InsecureSkipVerify: a.TLS.Insecure,
		})
		if err != nil {
			return nil, err
		}
		o.Client = sources.NewClient(sources.ClientOptions{Version: buildVersion(), TLS: trust})
	}
	return incidents.NewAlertmanager(o)
}
