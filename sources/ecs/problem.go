package ecs

import (
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

const (
	maxProblemText = 240 // cells
	hintEndpoint   = "check the endpoint, and any proxy in between: this is not the answer of ECS or Application Auto Scaling"
)

func (s *Source) clean(text string) string { return s.cut(text, maxProblemText) }

// cut makes a foreign text fit to be shown in a number of cells.
func (s *Source) cut(text string, cells int) string { return s.words().Clean(text, cells) }

func (s *Source) problem(err error) *sale.Problem { return s.words().Problem(err) }

// words are what a failed call is told in.
func (s *Source) words() *sources.AWS {
	return &sources.AWS{
		Profile: s.opts.Profile, Region: s.opts.Region, Secrets: s.opts.Secrets, Endpoint: hintEndpoint,
		Reads:   "ecs:DescribeServices",
		Refused: "AWS refused the request: see the names of the cluster and the service in the config",
		Own: func(code string, p *sale.Problem) bool {
			switch code {
			case "ClusterNotFoundException":
				p.Class, p.Hint = sale.NotFound, "check the cluster's name, the region and the account"
			case "ServerException", "InternalServiceException":
				p.Class, p.Hint = sale.Failing, "AWS itself is in trouble: see the AWS Health dashboard of "+s.opts.Region
			default:
				return false
			}
			return true
		},
	}
}
