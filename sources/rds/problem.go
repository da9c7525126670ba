package rds

import (
	"strings"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

const (
	maxProblemText = 240 // cells
	hintEndpoint   = "check the endpoint, and any proxy in between: this is not the answer of RDS"
)

func (s *Source) clean(text string) string { return s.cut(text, maxProblemText) }

// cut makes a foreign text fit to be shown in a number of cells.
func (s *Source) cut(text string, cells int) string { return s.words().Clean(text, cells) }

func (s *Source) problem(err error) *sale.Problem { return s.words().Problem(err) }

// words are what a failed call is told in.
func (s *Source) words() *sources.AWS {
	return &sources.AWS{
		Profile: s.opts.Profile, Region: s.opts.Region, Secrets: s.opts.Secrets, Endpoint: hintEndpoint,
		Reads: "rds:DescribeDBInstances", On: " on all resources",
		Refused: "AWS refused the request: see the names of the instance and the cluster in the config",
		Own: func(code string, p *sale.Problem) bool {
			if !strings.Contains(code, "NotFound") {
				return false
			}
			p.Class, p.Hint = sale.NotFound, "check the names of the instance and the cluster, the region ("+s.opts.Region+") and the account"
			return true
		},
	}
}
