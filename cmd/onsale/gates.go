package main

import (
	"crypto/tls"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/httpjson"
	"github.com/onsale-dev/onsale/sources/redis"
)

func (p *program) httpJSON(cfg *config.Config, s *config.Source) (sources.Source, error) {
	h := s.HTTPJSON
	trust, err := tlsOf(h.TLS)
	if err != nil {
		return nil, err
	}
	o := httpjson.Options{
		Name: s.Name, URL: h.URL, Preset: h.Preset, Params: h.Params, At: h.At, Every: s.Every, Period: h.Period,
		Bearer: h.Bearer.Reveal(), Signing: h.HMAC.Reveal(), TLS: trust, Version: buildVersion(), Headers: map[string]string{},
	}
	if h.Body != "" {
		o.Body = []byte(h.Body)
	}
	if h.Basic != nil {
		o.User, o.Password = h.Basic.Username, h.Basic.Password.Reveal()
	}
	for name, value := range h.Headers {
		o.Headers[name] = value.Reveal()
	}
	eachRead(cfg, s.Name, func(key sale.Key, r config.Read) {
		o.Queries = append(o.Queries, httpjson.Query{Key: key, Unit: r.Unit, Expr: r.HTTPJSON.Expr, Field: r.HTTPJSON.Field, Boolean: r.HTTPJSON.Boolean})
	})
	return httpjson.New(o)
}

func (p *program) redis(cfg *config.Config, s *config.Source) (sources.Source, error) {
	d := s.Redis
	o := redis.Options{Name: s.Name, Address: d.Address, DB: d.DB, Username: d.Username, Password: d.Password.Reveal(), Every: s.Every}
	if d.TLS != nil {
		trust, err := tlsOf(*d.TLS)
		if err != nil {
			return nil, err
		}
		if trust == nil {
			trust = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		o.TLS = trust
	}
	eachRead(cfg, s.Name, func(key sale.Key, r config.Read) {
		o.Queries = append(o.Queries, redis.Query{
			Key: key, Unit: r.Unit, Name: r.Redis.Key, Field: redis.Field(r.Redis.Field), Group: r.Redis.Consumers, MissingZero: r.Redis.MissingZero,
		})
	})
	return redis.New(o)
}
