package prometheus

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
)

// isRefused reports that the server understood the request and does not accept the query, or
// that its answer alone is too large: what one expression of many can cause for all.
func isRefused(err error) bool {
	var tooLarge *sources.BodyTooLargeError
	if errors.As(err, &tooLarge) || errors.Is(err, errCut) {
		return true
	}
	e, status, _ := envelopeOf(err)
	if status == nil || e.Type == "timeout" || e.Type == "canceled" {
		return false
	}
	return status.Status == http.StatusBadRequest || status.Status == http.StatusUnprocessableEntity
}

// isTooLong reports that a proxy or the server refuses the size of the request itself.
func isTooLong(err error) bool {
	var status *sources.StatusError
	if !errors.As(err, &status) {
		return false
	}
	switch status.Status {
	case http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusRequestHeaderFieldsTooLarge:
		return true
	}
	return false
}

func classify(err error, about sources.About) sale.Problem {
	var tooLarge *sources.BodyTooLargeError
	if errors.As(err, &tooLarge) {
		p := sources.Classify(err, about)
		p.Hint = "a query gives very many series: put sum(…) or another aggregation around it"
		return p
	}
	if errors.Is(err, errCut) {
		return *problem(sale.BadData, "put sum(…) or another aggregation around it: CloudWatch leaves out the rest without a word",
			"%d series or more, which is where CloudWatch cuts an answer", cloudWatchSeries)
	}
	e, status, ok := envelopeOf(err)
	if !ok {
		if p, known := ofGate(err, about); known {
			return p
		}
		var foreign *v1.Error
		if errors.As(err, &foreign) && foreign.Type == v1.ErrBadResponse {
			return sources.Classify(notAnAnswer(foreign.Msg), about)
		}
		return sources.Classify(err, about)
	}
	p := sources.Classify(err, about)
	text := e.Error
	if text == "" {
		text = status.Error()
	}
	switch {
	case e.Type == "timeout" || e.Type == "canceled":
		p.Class, p.Hint = sale.Timeout, "the server gave up on the query: it is overloaded, or the query reads too much"
	case isRefused(err) && overSamples(e.Error):
		p.Class, p.Hint = sale.BadData, "it was not billed: narrow the selectors or shorten the ranges, or raise max_samples"
	case isRefused(err) && e.Type == "execution":
		p.Class, p.Hint = sale.BadData, "the server can't evaluate this query: try it on the server's own page"
	case isRefused(err):
		p.Class, p.Hint = sale.BadData, "mend the query: try it on the server's own page"
	case p.Class == sale.Auth || p.Class == sale.Throttled || p.Class == sale.NotFound:
	case p.Class == sale.BadData && status.Status >= 400 && status.Status < 500:
		p.Hint = "the server does not accept the request: see the url and its headers (a tenant?)"
	}
	p.Text = sale.Clean(sources.Redact(text, about.Secrets...), 240)
	return p
}

// problem is what is wrong with the result of one expression.
func problem(class sale.Class, hint, format string, args ...any) *sale.Problem {
	return &sale.Problem{Class: class, Text: sale.Clean(fmt.Sprintf(format, args...), 240), Hint: hint}
}

// position is what the server adds to a warning: where in the joined query, which nobody wrote.
var position = regexp.MustCompile(`\s*\(\d+:\d+\)$`)

// maxWarnings bounds what one poll surfaces.
const maxWarnings = 10

func warningsOf(said []string, secrets []string) []string {
	var kept []string
	seen := make(map[string]bool, len(said))
	for _, text := range said {
		text = sale.Clean(sources.Redact(position.ReplaceAllString(strings.TrimSpace(text), ""), secrets...), 240)
		if text == "" || seen[text] {
			continue
		}
		seen[text] = true
		if len(kept) == maxWarnings {
			kept[maxWarnings-1] = "more warnings than these"
			break
		}
		kept = append(kept, text)
	}
	return kept
}
