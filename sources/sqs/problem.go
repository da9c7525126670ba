package sqs

import (
	"strings"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

const (
	maxProblemText = 240 // cells
	hintEndpoint   = "check the endpoint, and any proxy in between: this is not SQS's answer"
)

func (s *Source) clean(text string) string { return s.words(nil, nil).Clean(text, maxProblemText) }

// problem puts a failed request on a queue into a class and words.
func (s *Source) problem(err error, q *queue) *sale.Problem { return s.words(err, q).Problem(err) }

// words are what a failed request is told in.
func (s *Source) words(err error, q *queue) *sources.AWS {
	w := &sources.AWS{Profile: s.opts.Profile, Region: s.opts.Region, Secrets: s.opts.Secrets, Endpoint: hintEndpoint, Reads: "sqs:GetQueueAttributes"}
	if q == nil {
		return w
	}
	w.On = " on " + q.name
	w.Own = func(code string, p *sale.Problem) bool {
		switch {
		case gone(err):
			p.Class, p.Hint = sale.NotFound, "no queue "+q.name+" in "+s.opts.Region+": check its name, the region and the account; a queue made anew takes a minute to be seen"
		case code == "InvalidAddress":
			p.Class, p.Hint = sale.NotFound, "check the queue's URL: SQS does not know this address"
		case code == "InvalidSecurity":
			p.Class, p.Hint = sale.Auth, "SQS wants https and a signature of version 4: check the endpoint"
		case strings.Contains(code, "Throttled"), code == "OverLimit":
			p.Class, p.Hint = sale.Throttled, "others share this account's limit: poll less often"
		default:
			return false
		}
		return true
	}
	return w
}
