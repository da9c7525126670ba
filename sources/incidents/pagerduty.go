package incidents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// KindPagerDuty is the kind of a source that reads PagerDuty's REST API.
const KindPagerDuty = "pagerduty"

// PagerDutyURL is PagerDuty's REST API in the United States.
const PagerDutyURL = "https://api.pagerduty.com"

// The REST API lets 960 requests a minute and key pass (PagerDuty's REST API rate limits). Reading
// takes at most a tenth.
const (
	pagerDutyCalls  = 96
	pagerDutyWindow = time.Minute
)

// PagerDutyOptions configure a source. Token is required: a read-only REST API key is enough.
type PagerDutyOptions struct {
	Common
	Token string
	URL   string // "" is PagerDutyURL
}

// NewPagerDuty makes a source that reads PagerDuty. It sends nothing.
func NewPagerDuty(o PagerDutyOptions) (*Source, error) {
	if o.Token == "" {
		return nil, fmt.Errorf("%s source %s: a token is needed", KindPagerDuty, o.Name)
	}
	if o.URL == "" {
		o.URL = PagerDutyURL
	}
	o.URL = strings.TrimSuffix(o.URL, "/")
	o.prepare(30 * time.Second)
	o.Secrets = append(slices.Clone(o.Secrets), o.Token)
	return newSource(o.Common, &pagerDuty{o})
}

type pagerDuty struct{ PagerDutyOptions }

func (*pagerDuty) kind() string  { return KindPagerDuty }
func (*pagerDuty) tool() string  { return "PagerDuty" }
func (*pagerDuty) limit() string { return "960 per min" }

func (*pagerDuty) budget() (calls int, window time.Duration) { return pagerDutyCalls, pagerDutyWindow }

func (*pagerDuty) hints() map[sale.Class]string {
	return map[sale.Class]string{
		sale.Auth:     "the token must be a REST API key of this account and region; a read-only one is enough",
		sale.NotFound: "see url in the config: https://api.pagerduty.com, or https://api.eu.pagerduty.com",
	}
}

// Wire shapes of the REST API, as far as they are read.
type (
	pdName struct {
		Summary string `json:"summary"`
	}
	pdIncident struct {
		ID       string  `json:"id"`
		Number   int64   `json:"incident_number"`
		Title    string  `json:"title"`
		Status   string  `json:"status"`
		Key      *string `json:"incident_key"`
		URL      string  `json:"html_url"`
		Created  string  `json:"created_at"`
		Changed  string  `json:"last_status_change_at"`
		By       pdName  `json:"last_status_change_by"`
		Resolved string  `json:"resolved_at"`
		Acks     []struct {
			At string `json:"at"`
			By pdName `json:"acknowledger"`
		} `json:"acknowledgements"`
	}
	pdPage struct {
		Incidents *[]pdIncident `json:"incidents"`
		More      bool          `json:"more"`
	}
)

func (p *pagerDuty) open(ctx context.Context, _ time.Time) (list []sale.Incident, warnings []string, complete bool, err error) {
	query := url.Values{"statuses[]": {"triggered", "acknowledged"}, "date_range": {"all"}, "limit": {"100"}, "sort_by": {"created_at:desc"}}
	for page := range mostPages {
		query.Set("offset", strconv.Itoa(page*100))
		all, more, err := p.list(ctx, query)
		if err != nil {
			return nil, nil, false, err
		}
		for _, raw := range all {
			if raw.Key == nil {
				continue
			}
			if id, ok := saleOf(*raw.Key, p.Sales); ok {
				if in := p.incident(raw, id, *raw.Key); in.Open() {
					list = append(list, in)
				}
			}
		}
		if !more {
			return list, nil, true, nil
		}
	}
	return list, []string{fmt.Sprintf("more than %d incidents are open: not all were looked at", mostPages*100)}, false, nil
}

// ended asks for one key. PagerDuty may not show yet what it has accepted.
func (p *pagerDuty) ended(ctx context.Context, w watched, _ time.Time) (sale.Incident, bool, error) {
	all, _, err := p.list(ctx, url.Values{"incident_key": {w.Key}, "date_range": {"all"}, "limit": {"100"}, "sort_by": {"created_at:desc"}})
	if err != nil {
		return sale.Incident{}, false, err
	}
	var best sale.Incident
	for _, raw := range all {
		if raw.Key != nil && *raw.Key != "" && *raw.Key != w.Key {
			continue
		}
		in := p.incident(raw, w.Sale, w.Key)
		before := !in.Open() && in.Resolved.Before(w.Opened) // of an earlier time
		if in.Status == "" || before {
			continue
		}
		if best.Status == "" || in.Open() && !best.Open() || in.Open() == best.Open() && in.Opened.After(best.Opened) {
			best = in
		}
	}
	return best, best.Status != "", nil
}

func (p *pagerDuty) incident(raw pdIncident, id sale.ID, key string) sale.Incident {
	in := sale.Incident{
		Sale: id, Key: p.words(key, 300), Title: p.words(raw.Title, 200), URL: p.page(raw.URL), Opened: stamp(raw.Created),
	}
	if raw.Number > 0 {
		in.Name = fmt.Sprintf("INC-%d", raw.Number)
	}
	for _, a := range raw.Acks[:min(len(raw.Acks), 20)] {
		if at := stamp(a.At); !at.IsZero() && (in.Acknowledged.IsZero() || at.Before(in.Acknowledged)) {
			in.Acknowledged, in.AcknowledgedBy = at, p.words(a.By.Summary, 60)
		}
	}
	switch raw.Status {
	case "triggered":
		in.Status = sale.IncidentOpen
	case "acknowledged":
		in.Status = sale.IncidentAcknowledged
		if in.Acknowledged.IsZero() {
			in.Acknowledged, in.AcknowledgedBy = stamp(raw.Changed), p.words(raw.By.Summary, 60)
		}
	case "resolved":
		in.Status, in.Resolved, in.ResolvedBy = sale.IncidentResolved, stamp(raw.Resolved), p.words(raw.By.Summary, 60)
		if in.Resolved.IsZero() {
			in.Resolved = stamp(raw.Changed)
		}
	}
	return in
}

func (p *pagerDuty) list(ctx context.Context, query url.Values) (all []pdIncident, more bool, err error) {
	body, err := p.get(ctx, p.URL+"/incidents?"+query.Encode(), http.Header{
		"Authorization": {"Token token=" + p.Token}, "Accept": {"application/vnd.pagerduty+json;version=2"},
	})
	if err != nil {
		return nil, false, err
	}
	return parsePagerDuty(body)
}

func parsePagerDuty(body []byte) (all []pdIncident, more bool, err error) {
	var page pdPage
	if err := json.Unmarshal(body, &page); err != nil {
		return nil, false, fmt.Errorf("not an answer of PagerDuty's REST API: %w", err)
	}
	if page.Incidents == nil {
		return nil, false, errors.New("not an answer of PagerDuty's REST API: it has no incidents")
	}
	return *page.Incidents, page.More, nil
}

// get reads one answer whole.
func (c *Common) get(ctx context.Context, address string, header http.Header) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header = header
	resp, err := c.Client.Do(req)
	if err != nil {
		return nil, err
	}
	if err := sources.CheckStatus(resp); err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	return body, nil
}
