package pagerduty

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// statusWord is an HTTP status for a person: "HTTP 429 Too Many Requests".
func statusWord(status int) string {
	return strings.TrimSpace(fmt.Sprintf("HTTP %d %s", status, http.StatusText(status)))
}

// saidBy is what an answer that is no success says of its reason: the Events API's message and
// errors, or the REST API's error, or the beginning of a text that is not HTML.
func saidBy(body []byte) string {
	var a struct {
		Message string          `json:"message"`
		Errors  json.RawMessage `json:"errors"`
		Error   json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &a) != nil {
		text := strings.TrimSpace(string(body[:min(len(body), 4096)]))
		if strings.HasPrefix(text, "<") {
			return "an HTML page"
		}
		return text
	}
	if len(a.Error) > 0 {
		var inner struct {
			Message string          `json:"message"`
			Code    int             `json:"code"`
			Errors  json.RawMessage `json:"errors"`
		}
		if json.Unmarshal(a.Error, &inner) == nil && inner.Message != "" {
			a.Message, a.Errors = inner.Message, inner.Errors
			if inner.Code != 0 {
				a.Message += fmt.Sprintf(" (code %d)", inner.Code)
			}
		}
	}
	parts := []string{}
	if a.Message != "" {
		parts = append(parts, a.Message)
	}
	return strings.Join(append(parts, texts(a.Errors)...), ": ")
}

// texts reads a list of texts, or one text.
func texts(raw json.RawMessage) []string {
	var list []string
	var one string
	switch {
	case len(raw) == 0:
	case json.Unmarshal(raw, &list) == nil:
	case json.Unmarshal(raw, &one) == nil && one != "":
		list = []string{one}
	}
	if len(list) == 0 {
		return nil
	}
	return []string{strings.Join(list[:min(len(list), 5)], ", ")}
}

// statusProblem is the problem of an answer that is no success; refused is true when it proves
// that nothing changed.
func (w *web) statusProblem(a answer, now time.Time) (p sale.Problem, refused bool) {
	text := statusWord(a.status)
	if said := saidBy(a.body); said != "" {
		text += ": " + said
	}
	p = sale.Problem{Class: sale.BadData, Text: w.words(text, maxWords)}
	switch s := a.status; {
	case s == http.StatusTooManyRequests:
		p.Class, p.RetryAfter = sale.Throttled, retryAfter(a.header, now)
		p.Hint = "wait, then press again: the dedup_key makes a repeat harmless"
		if p.RetryAfter > 0 {
			p.Hint = fmt.Sprintf("wait %s, then press again: the dedup_key makes a repeat harmless", p.RetryAfter)
		}
		return p, true
	case s == http.StatusUnauthorized, s == http.StatusForbidden, s == http.StatusProxyAuthRequired:
		p.Class, p.Hint = sale.Auth, "see that the key is of this account and region, and may do this"
		return p, true
	case s == http.StatusNotFound, s == http.StatusGone, s == http.StatusMethodNotAllowed:
		p.Class, p.Hint = sale.NotFound, "see the address in the config, and that the incident or service still exists"
		return p, true
	case s == http.StatusRequestTimeout:
		p.Class, p.Hint = sale.Timeout, "the line is slow: look in PagerDuty whether it arrived"
		return p, false
	case s >= 400 && s < 500:
		p.Hint = "the request itself is wrong: see the routing key in the config, and the words above"
		return p, true
	case s >= 500:
		p.Class, p.Hint = sale.Failing, "PagerDuty is in trouble (status.pagerduty.com); press again: the dedup_key makes a repeat harmless"
		return p, false
	case s >= 300:
		p.Text = w.words(fmt.Sprintf("%s: a redirect is not followed", statusWord(s)), maxWords)
		p.Hint = "see the address in the config, and whether a proxy wants a login"
		return p, false
	}
	p.Text = w.words(fmt.Sprintf("%s is not the answer of PagerDuty's API", statusWord(a.status)), maxWords)
	p.Hint = "see that the address is the API itself, not a page or proxy in front of it"
	return p, false
}

// failure is the error of a write that has failed, as the contract of Execute wants it.
func (w *web) failure(a answer, reached bool, err error, now time.Time) error {
	if err != nil {
		p := w.trouble(err)
		if reached {
			return &p
		}
		p.Text = sale.Clean("nothing was sent: "+p.Text, maxWords)
		return &actions.RejectedError{Problem: p}
	}
	p, refused := w.statusProblem(a, now)
	if refused {
		return &actions.RejectedError{Problem: p}
	}
	return &p
}
