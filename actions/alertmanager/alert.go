package alertmanager

import (
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// Wire shapes of API v2, as far as they are used.
type (
	postable struct {
		Labels       map[string]string `json:"labels"`
		Annotations  map[string]string `json:"annotations,omitempty"`
		StartsAt     time.Time         `json:"startsAt"`
		EndsAt       time.Time         `json:"endsAt"`
		GeneratorURL string            `json:"generatorURL,omitempty"`
	}
	gettable struct {
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
		StartsAt    time.Time         `json:"startsAt"`
		EndsAt      time.Time         `json:"endsAt"`
		UpdatedAt   time.Time         `json:"updatedAt"`
		Generator   string            `json:"generatorURL"`
		Receivers   []struct {
			Name string `json:"name"`
		} `json:"receivers"`
		Status struct {
			State       string   `json:"state"`
			SilencedBy  []string `json:"silencedBy"`
			InhibitedBy []string `json:"inhibitedBy"`
		} `json:"status"`
	}
	matcher struct {
		Name    string `json:"name"`
		Value   string `json:"value"`
		IsRegex bool   `json:"isRegex"`
		IsEqual *bool  `json:"isEqual,omitempty"` // nil is true
	}
	silence struct {
		ID        string    `json:"id,omitempty"`
		Matchers  []matcher `json:"matchers"`
		StartsAt  time.Time `json:"startsAt"`
		EndsAt    time.Time `json:"endsAt"`
		CreatedBy string    `json:"createdBy"`
		Comment   string    `json:"comment"`
		Status    *struct {
			State string `json:"state"`
		} `json:"status,omitempty"`
	}
)

// parseAlerts reads the answer of GET /api/v2/alerts, and keeps what really carries the labels
// that were asked for: a proxy or an old server may ignore the filter.
func parseAlerts(body []byte, want map[string]string) ([]gettable, error) {
	var list *[]gettable
	if err := json.Unmarshal(body, &list); err != nil || list == nil {
		return nil, errNotAlertmanager
	}
	return slices.DeleteFunc(*list, func(a gettable) bool {
		for name, value := range want {
			if a.Labels[name] != value {
				return true
			}
		}
		return a.StartsAt.IsZero()
	}), nil
}

var errNotAlertmanager = errors.New("the answer is not of Alertmanager's API v2")

// parseSilences reads the answer of GET /api/v2/silences and keeps the active ones.
func parseSilences(body []byte) ([]silence, error) {
	var list *[]silence
	if err := json.Unmarshal(body, &list); err != nil || list == nil {
		return nil, errNotAlertmanager
	}
	return slices.DeleteFunc(*list, func(s silence) bool {
		return s.Status == nil || s.Status.State != "active" || len(s.Matchers) == 0
	}), nil
}

// mutes reports whether a silence covers a label set. A matcher that can't be understood counts
// as matching: a doubt is said, not kept.
func (s silence) mutes(labels map[string]string) bool {
	for _, m := range s.Matchers {
		hit := labels[m.Name] == m.Value
		if m.IsRegex {
			re, err := regexp.Compile("^(?:" + m.Value + ")$")
			hit = err != nil || re.MatchString(labels[m.Name])
			if err != nil {
				continue
			}
		}
		if equal := m.IsEqual == nil || *m.IsEqual; hit != equal {
			return false
		}
	}
	return true
}

// filters asks for alerts with exactly these labels.
func filters(want map[string]string) url.Values {
	query := url.Values{"active": {"true"}, "silenced": {"true"}, "inhibited": {"true"}, "unprocessed": {"true"}}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		query.Add("filter", name+"="+quote(want[name]))
	}
	return query
}

// quote writes a value as Alertmanager's matchers read it.
func quote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `"`
}

// Key names an incident in a target and in the journal: "onsale/<sale>/<cause>". The same sale
// and cause give the same key in every cockpit.
func Key(id sale.ID, cause string) string {
	return "onsale/" + url.PathEscape(string(id)) + "/" + url.PathEscape(cause)
}

// causeIn is the cause in a key of a sale.
func causeIn(key string, id sale.ID) (cause string, ok bool) {
	escaped, ok := strings.CutPrefix(key, "onsale/"+url.PathEscape(string(id))+"/")
	if !ok {
		return "", false
	}
	cause, err := url.PathUnescape(escaped)
	return cause, err == nil && cause != ""
}

// linkable is an address if it is one of the web without a login in it, else "".
func linkable(href string) string {
	u, err := url.Parse(href)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(href) > 2000 {
		return ""
	}
	return u.String()
}
